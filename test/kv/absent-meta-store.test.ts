import { describe, expect, it } from 'vitest';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { NOT_RESIDENT } from '../../src/kv/meta-store.ts';
import { AbsentMetaStore } from './absent-meta-store.ts';
import { conformsToMetaStore } from './meta-store-contract.ts';
import { seededRandom } from './seeded-random.ts';

conformsToMetaStore('AbsentMetaStore', async () => ({
  store: new AbsentMetaStore(new MemoryMetaStore(), seededRandom(1)),
  discard: async () => {},
}));

describe('AbsentMetaStore', () => {
  it('answers the get after a fetch, and others only sometimes', async () => {
    const store = new AbsentMetaStore(new MemoryMetaStore(), seededRandom(1));
    const key = Buffer.from('key');
    await store.write([{ key, value: Buffer.from('value') }], true);
    const answers = new Set<unknown>();
    for (let i = 0; i < 100; i++) {
      await store.fetch([key]);
      expect(store.get(key)?.toString()).toBe('value');
      answers.add(store.get(key));
    }
    expect([...answers].some((answer) => answer === NOT_RESIDENT)).toBe(true);
    expect([...answers].some((answer) => Buffer.isBuffer(answer))).toBe(true);
  });
});
