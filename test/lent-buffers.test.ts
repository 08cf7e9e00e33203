import { describe, expect, it } from 'vitest';
import { LentBuffers } from '../src/lent-buffers.ts';

describe('lent buffers', () => {
  it('are used again once they are given back, whatever part of them is shown', () => {
    const buffers = new LentBuffers();
    const first = buffers.take(5000);
    expect(first.length).toBe(5000);
    const other = buffers.take(5000);
    expect(other.buffer).not.toBe(first.buffer);
    buffers.giveBack(first.subarray(100, 200));
    const again = buffers.take(8192);
    expect(again.buffer).toBe(first.buffer);
    expect(again.length).toBe(8192);
  });

  it('are given back once: a second time changes nothing', () => {
    const buffers = new LentBuffers();
    const lent = buffers.take(100);
    buffers.giveBack(lent);
    buffers.giveBack(lent);
    expect(buffers.take(100).buffer).not.toBe(buffers.take(100).buffer);
  });

  it('leaves buffers alone that it has not lent, and lends none that is too large', () => {
    const buffers = new LentBuffers();
    buffers.giveBack(Buffer.alloc(4096));
    buffers.giveBack(buffers.take(4 << 20));
    expect(buffers.freeBytes).toBe(0);
  });

  it('takes little more memory than is asked for where a header stands before the data', () => {
    const buffers = new LentBuffers();
    const record = (payload: number) => buffers.take(payload + 150).buffer.byteLength / payload;
    for (const payload of [65_536, 131_072, 524_288, 1 << 20]) expect(record(payload)).toBe(17 / 16);
  });

  it('keeps what is in use now, not what was used before', () => {
    const buffers = new LentBuffers();
    const large = Array.from({ length: 128 }, () => buffers.take(1 << 20));
    for (const buffer of large) buffers.giveBack(buffer);
    const small = Array.from({ length: 16 }, () => buffers.take(128 << 10));
    for (const buffer of small) buffers.giveBack(buffer);
    expect(buffers.freeBytes).toBeLessThanOrEqual(128 << 20);
    const memories = new Set(small.map(({ buffer }) => buffer));
    for (let again = 0; again < 16; again++) expect(memories.has(buffers.take(128 << 10).buffer)).toBe(true);
  });

  it('keeps a bounded number of bytes for later', () => {
    const buffers = new LentBuffers();
    const lent = Array.from({ length: 200 }, () => buffers.take(1 << 20));
    for (const buffer of lent) buffers.giveBack(buffer);
    expect(buffers.freeBytes).toBe(128 << 20);
  });
});
