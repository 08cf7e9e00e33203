// Random changes, several at once, over a store that often has to fetch first, so that changes start over and overtake
// each other. Each is refused or whole, and a restart shows what was there before.

import { describe, expect, it } from 'vitest';
import { DatasetError } from '../../src/datasets/datasets.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { AbsentMetaStore } from '../kv/absent-meta-store.ts';
import { type SeededRandom, seededRandom, upTo } from '../kv/seeded-random.ts';
import { checkWhole, shown } from './registry-state.ts';
import { openVolume, type TestVolume } from './test-volume.ts';

const STEPS = 60;
const NAMES = ['a', 'b', 'a/x', 'a/y', 'b/x', 'a/x/z', 'b/x/z', 'root/n', 'c'];

function someChange(random: SeededRandom, { datasets }: TestVolume): Promise<unknown> {
  const name = NAMES[upTo(random, NAMES.length - 1)]!;
  const other = NAMES[upTo(random, NAMES.length - 1)]!;
  switch (upTo(random, 7)) {
    case 0:
    case 1:
    case 2:
      return datasets.create(name, random() < 0.3 ? { properties: { reservation: '1MiB' } } : {});
    case 3:
      return datasets.delete(name, random() < 0.5);
    case 4:
    case 5:
      return datasets.rename(name, other);
    case 6:
      return datasets.set(name, { readonly: random() < 0.5 ? 'on' : 'off', quota: '10MiB' });
    default:
      return random() < 0.3 ? datasets.setDefault(name) : datasets.inherit(name, 'readonly');
  }
}

describe('random changes at once', () => {
  it.each([1, 2, 3, 4, 5])('seed %d', async (seed) => {
    const random = seededRandom(seed);
    const meta = new MemoryMetaStore();
    let volume = await openVolume({ meta: new AbsentMetaStore(meta, random, 0.3) });
    let done = 0;
    for (let step = 0; step < STEPS; step++) {
      const changes = Array.from({ length: 1 + upTo(random, 3) }, () => someChange(random, volume));
      for (const settled of await Promise.allSettled(changes)) {
        if (settled.status === 'fulfilled') done++;
        else expect(settled.reason).toBeInstanceOf(DatasetError);
      }
      await checkWhole(volume);
      if (random() < 0.1) {
        const before = shown(volume);
        volume = await volume.reopen();
        expect(shown(volume)).toEqual(before);
      }
    }
    expect(done).toBeGreaterThan(STEPS / 2);
  });
});
