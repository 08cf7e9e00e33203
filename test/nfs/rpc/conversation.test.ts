import { describe, expect, it } from 'vitest';
import { Conversation } from '../../../src/nfs/rpc/conversation.ts';

const ADDRESS = '10.0.0.1';
const [ONE_PORT, OTHER_PORT] = [700, 40_000];

const earlier = () => new Conversation(ADDRESS, ONE_PORT);
const later = (port = OTHER_PORT) => new Conversation(ADDRESS, port);

describe('a call of another connection', () => {
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
    expect(new Conversation('10.0.0.2', ONE_PORT).mayRepeat(first, turn)).toBe(false);
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
