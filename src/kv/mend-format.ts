// Rows of the SYSTEM family that a repair brings back where they are lost or damaged. Without the first two nothing can be
// opened; the others can be made anew.

import type { Random } from '../clock.ts';
import { segmentWatermark, VERIFIER_BYTES } from './format.ts';
import { keys } from './keys.ts';
import type { MetaStore, Write } from './meta-store.ts';
import type { SegmentStore } from './segment-store.ts';
import { readSystem, systemWrite } from './system-row.ts';
import { readVolumeCopy } from './volume-copy.ts';
import { VolumeError } from './volume-error.ts';

/**
 * `format` and `volume`, of the copy beside the marker.
 *
 * @param level below the journal
 * @throws VolumeError `DAMAGED` when there is no copy, or nothing else of the volume either
 */
export async function mendIdentity(level: MetaStore, directory: string): Promise<void> {
  const isHurt = (await isLost(level, 'format')) || (await isLost(level, 'volume'));
  if (!isHurt) return;
  const copy = await readVolumeCopy(directory);
  // Without a dataset the copy would make an empty volume of it, and delete what files held.
  const hasDatasets = (await level.page(keys.dataset.range(), 1)).length > 0;
  if (!copy || !hasDatasets) {
    const reason = hasDatasets
      ? 'its identity is lost, and there is no copy in the file VOLUME'
      : 'its identity is lost, and all its datasets';
    throw new VolumeError(
      'DAMAGED',
      `Cannot open ${directory}: ${reason}. Bring back the files that are missing from its directory meta, or restore the` +
        ' data directory from a backup',
    );
  }
  await level.write(copy, true);
}

/** `write-verifier`, `clean` and `next/segment`. */
export async function mendRunRows(meta: MetaStore, segments: SegmentStore, random: Random): Promise<void> {
  const rows: Write[] = [];
  // Another verifier: clients send again what they do not know to be stable.
  if (await isLost(meta, 'write-verifier')) rows.push(systemWrite('write-verifier', random(VERIFIER_BYTES)));
  if (await isDamaged(meta, 'clean')) rows.push({ key: keys.system.key('clean'), value: null });
  const next = (await isLost(meta, 'next/segment'))
    ? 0
    : ((await readSystem(meta, ['next/segment']))[0] as number);
  let used = -1;
  for (const family of [keys.segment, keys.forward])
    for await (const [key] of meta.rows(family.range())) used = Math.max(used, family.parse(key).segment);
  for (const segment of (await segments.list()).keys()) used = Math.max(used, segment);
  if (used >= next || next === 0) rows.push(segmentWatermark(Math.max(used + 1, 1)));
  if (rows.length > 0) await meta.write(rows, true);
}

async function isLost(meta: MetaStore, name: string): Promise<boolean> {
  const [value] = await meta.fetch([keys.system.key(name)]);
  return value === undefined || isDamaged(meta, name);
}

async function isDamaged(meta: MetaStore, name: string): Promise<boolean> {
  try {
    await readSystem(meta, [name]);
    return false;
  } catch (error) {
    if (error instanceof VolumeError && error.code === 'DAMAGED') return true;
    throw error;
  }
}
