import { describe, expect, it } from 'vitest';
import { Conversation } from '../../../src/nfs/rpc/conversation.ts';

const ADDRESS = '10.0.0.1';
const [ONE_PORT, OTHER_PORT] = [700, 40_000];

function begun(port: number, xid: number, address = ADDRESS): Conversation {
  const conversation = new Conversation(address, port);
  conversation.called(xid);
  return conversation;
}

const earlier = () => begun(ONE_PORT, 1);
const later = (port = OTHER_PORT) => begun(port, 1);

describe('a call of another connection that began with another xid', () => {
  it('can be a repetition of all that a client has under way over a slow line, though each was answered at once', () => {
    const first = earlier();
    const turns: number[] = [];
    for (let call = 0; call < 64; call++) {
      first.wentOn(call, 0);
      turns.push(first.turn);
    }
    const second = begun(OTHER_PORT, 57);
    expect(turns.map((turn) => second.mayRepeat(first, turn))).toEqual(turns.map(() => true));
    first.wentOn(64, 0);
    expect(turns.map((turn) => second.mayRepeat(first, turn))).toEqual(turns.map((_, at) => at > 0));
  });

  it('is none once its client has shown that it numbers anew', () => {
    const first = earlier();
    const second = begun(OTHER_PORT, 2);
    second.numbersAnew = true;
    expect(second.mayRepeat(first, first.turn)).toBe(false);
  });
});

describe('a call of another connection that began with the same xid', () => {
  it('can be a repetition until its client goes on behind the reply', () => {
    const first = earlier();
    first.wentOn(0, 0);
    const { turn } = first;
    expect(later().mayRepeat(first, turn)).toBe(true);
    first.wentOn(0, 0);
    expect(later().mayRepeat(first, turn)).toBe(false);
    expect(later().mayRepeat(first, first.turn)).toBe(true);
  });

  it('can be one while a client that has several calls under way may not have missed the reply', () => {
    const first = earlier();
    for (const waiting of [0, 1, 2, 1, 0]) first.wentOn(0, waiting);
    const { turn } = first;
    const can: boolean[] = [];
    for (let more = 0; more < 4; more++, first.wentOn(0, 0)) can.push(later().mayRepeat(first, turn));
    expect(can).toEqual([true, true, true, false]);
  });

  it('can be one of calls that came together, until as many have followed', () => {
    const first = earlier();
    first.wentOn(0, 0);
    const { turn } = first;
    first.wentOn(16, 0);
    for (let more = 17; more < 32; more++) {
      expect(later().mayRepeat(first, turn)).toBe(true);
      first.wentOn(more, 0);
    }
    expect(later().mayRepeat(first, turn)).toBe(false);
  });

  it('is none any more when its client numbers anew', () => {
    const first = earlier();
    const second = later();
    second.numbersAnew = true;
    expect(second.mayRepeat(first, first.turn)).toBe(false);
  });

  it('always can be one from the same port', () => {
    const first = earlier();
    const { turn } = first;
    for (let more = 0; more < 9; more++) first.wentOn(0, 0);
    const second = later(ONE_PORT);
    second.numbersAnew = true;
    expect(second.mayRepeat(first, turn)).toBe(true);
    expect(begun(ONE_PORT, 1, '10.0.0.2').mayRepeat(first, turn)).toBe(false);
  });

  it('is judged the same where the count of turns goes round', () => {
    const first = earlier();
    first.turn = 2 ** 31 - 1;
    const { turn } = first;
    expect(later().mayRepeat(first, turn)).toBe(true);
    first.wentOn(0, 0);
    expect(first.turn).toBe(-(2 ** 31));
    expect(later().mayRepeat(first, turn)).toBe(false);
  });
});
