import { describe, expect, it } from 'vitest';
import { HANDLE_BYTES, Handles, LIVE, SNAPSHOTS_DIRECTORY } from '../../src/nfs/handle.ts';

const volume = {
  uuid: Buffer.from('0f1e2d3c4b5a69788796a5b4c3d2e1f0', 'hex'),
  handleKey: Buffer.from(Array.from({ length: 32 }, (_, i) => i)),
};
const handles = new Handles(volume);
/** Its mac was computed by another implementation of SipHash-2-4. */
const GOLDEN = '010000000f1e2d3c00000003000000000000010000000007deadbeefe3aad70f15185e59';
const node = { ino: 2 ** 40 + 7, generation: 0xdeadbeef };

describe('a handle', () => {
  it('has the bytes that clients have held since the first version', () => {
    const hex = handles.encode(3, node).toString('hex');
    expect(hex).toBe(GOLDEN);
  });

  it('is opaque data that NFSv3 allows: at most 64 bytes, without padding', () => {
    expect(HANDLE_BYTES).toBeLessThanOrEqual(64);
    expect(HANDLE_BYTES % 4).toBe(0);
    expect(handles.encode(0, node)).toHaveLength(HANDLE_BYTES);
  });

  it.each([
    { dataset: 0, snapshot: LIVE, ino: 1, generation: 1 },
    { dataset: 0xffffffff, snapshot: 0xfffffffe, ino: Number.MAX_SAFE_INTEGER, generation: 0xffffffff },
    { dataset: 1, snapshot: SNAPSHOTS_DIRECTORY, ino: 2 ** 32, generation: 2 ** 31 },
  ])('names dataset $dataset, snapshot $snapshot, inode $ino, generation $generation', (target) => {
    const handle = handles.encode(target.dataset, target, target.snapshot);
    expect(handles.decode(handle)).toEqual(target);
    expect(new Handles(volume).decode(handle)).toEqual(target);
  });

  it('is not taken for that of the same inode number in another dataset or snapshot, or of its earlier user', () => {
    const targets = [
      { dataset: 1, snapshot: LIVE, ino: 5, generation: 1 },
      { dataset: 1, snapshot: 1, ino: 5, generation: 1 },
      { dataset: 1, snapshot: 2, ino: 5, generation: 1 },
      { dataset: 1, snapshot: SNAPSHOTS_DIRECTORY, ino: 5, generation: 1 },
      { dataset: 2, snapshot: LIVE, ino: 5, generation: 1 },
      { dataset: 1, snapshot: LIVE, ino: 5, generation: 2 },
    ];
    const made = targets.map((target) => handles.encode(target.dataset, target, target.snapshot));
    expect(new Set(made.map((handle) => handle.toString('hex'))).size).toBe(targets.length);
    for (const [i, target] of targets.entries()) {
      expect(handles.decode(made[i]!)).toEqual(target);
      expect(handles.encode(target.dataset, target, target.snapshot)).toEqual(made[i]);
    }
  });

  it('means the same to the server of another run', () => {
    const other = new Handles({ uuid: Buffer.from(volume.uuid), handleKey: Buffer.from(volume.handleKey) });
    expect(other.decode(handles.encode(3, node))).toEqual({ dataset: 3, snapshot: LIVE, ...node });
  });

  it('is refused when any single bit of it is another', () => {
    const handle = handles.encode(3, node);
    for (let bit = 0; bit < handle.length * 8; bit++) {
      const forged = Buffer.from(handle);
      forged[bit >> 3]! ^= 1 << (bit & 7);
      expect(handles.decode(forged), `bit ${bit}`).toBeUndefined();
    }
  });

  it('is refused at every other length', () => {
    const handle = Buffer.concat([handles.encode(3, node), Buffer.alloc(64 - HANDLE_BYTES)]);
    for (let length = 0; length <= 64; length++) {
      const found = handles.decode(handle.subarray(0, length));
      expect(found !== undefined, `${length} bytes`).toBe(length === HANDLE_BYTES);
    }
  });

  it('is refused under another key, and of another volume under the same key', () => {
    const handle = handles.encode(3, node);
    const handleKey = Buffer.alloc(32, 1);
    expect(new Handles({ ...volume, handleKey }).decode(handle)).toBeUndefined();
    const uuid = Buffer.alloc(16, 1);
    expect(new Handles({ ...volume, uuid }).decode(handle)).toBeUndefined();
  });
});
