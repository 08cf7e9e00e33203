// A volume over a real data directory.

import { systemClock, systemRandom } from '../../src/clock.ts';
import { openDataDirectory } from '../../src/kv/data-directory.ts';
import { openVolume, type Volume } from '../../src/volume.ts';

export async function openGolden(
  path: string,
  logged: (message: string) => void = () => {},
  repair = false,
  background = true,
): Promise<{ volume: Volume; close(): Promise<void> }> {
  const stores = await openDataDirectory(path, { warmBytesMax: 0, repair }, systemRandom, systemClock);
  const log = (_: object, message: string) => logged(message);
  const volume = await openVolume(
    {
      ...stores,
      clock: systemClock,
      random: systemRandom,
      repair,
      log: { error: log, warn: log, info: log },
      settings: {
        durability: 'strict',
        relaxedSyncMs: 1000,
        dirtyBytesMax: 16 * 2 ** 20,
        diskReserveBytes: 0,
        autoDetach: true,
        cacheBytes: 4 * 2 ** 20,
      },
    },
    background,
  ).catch(async (error: unknown) => {
    await stores.close();
    throw error;
  });
  return {
    volume,
    async close() {
      try {
        await volume.close();
      } finally {
        await stores.close();
      }
    },
  };
}
