import { describe, expect, it } from 'vitest';
import { Conversation } from '../../src/nfs/rpc/conversation.ts';
import { ServedCalls } from '../../src/nfs/served-calls.ts';

const served = (address: string, xid: number, procedure: number) => ({
  conversation: new Conversation(address, 700),
  xid,
  procedure,
  checksum: 1,
  reply: Promise.resolve(Buffer.from('reply')),
});

describe('calls that are being served', () => {
  it('are told apart by address, xid and procedure, also where their keys are the same', () => {
    const calls = new ServedCalls();
    const alike = [
      served('10.0.0.1', 1, 9),
      served('10.0.0.2', 1, 9),
      served('10.0.0.3', 1, 9),
      served('10.0.0.1', 1 ^ (1 << 24), 8),
      served('10.0.0.1', 2, 9),
    ];
    for (const call of alike) calls.add(call);
    for (const call of alike) expect(calls.find({ ...call })).toEqual([call]);
    expect(calls.find(served('10.0.0.4', 1, 9))).toEqual([]);
    const order = [1, 3, 0, 4, 2];
    for (const [gone, at] of order.entries()) {
      expect(calls.delete(alike[at]!)).toBe(true);
      expect(calls.delete(alike[at]!)).toBe(false);
      expect(calls.size).toBe(alike.length - gone - 1);
      for (const [one, call] of alike.entries())
        expect(calls.find(call)).toEqual(order.indexOf(one) <= gone ? [] : [call]);
    }
  });
});
