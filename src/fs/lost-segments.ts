// At start: are the files there that the SEGMENT rows speak of? A disk may not be mounted and its empty directory be there
// in its place. New data would go to that, and nobody would know before somebody reads the old.

import { formatByteSize } from '../byte-size.ts';
import { segmentFileName } from '../kv/file-segment-store.ts';
import { VolumeError } from '../kv/volume-error.ts';
import type { SegmentRecord } from './segment-record.ts';
import type { Store } from './store.ts';

interface LostSegment {
  readonly segment: number;
  readonly record: SegmentRecord;
  /** What is left; undefined when there is no file. */
  readonly fileBytes: number | undefined;
}

/**
 * Says which segments with live data are missing or cut short: an error in the log for each.
 *
 * @param repair serves what is left where most are missing
 * @throws VolumeError `DAMAGED` where most are missing
 */
export async function checkSegments(store: Store, repair: boolean): Promise<void> {
  const { segments, log } = store.parts;
  const sizes = await segments.list();
  const lost: LostSegment[] = [];
  let held = 0;
  for (const [segment, record] of store.live.segments) {
    // The file of one that holds nothing may have gone before its row.
    if (record.liveCount === 0) continue;
    held++;
    const fileBytes = sizes.get(segment);
    // What a row counts was synced before the row was written, and no file ever shrinks.
    if ((fileBytes ?? -1) < record.totalBytes) lost.push({ segment, record, fileBytes });
  }
  const missing = lost.filter(({ fileBytes }) => fileBytes === undefined).length;
  if (missing > held / 2 && !repair) throw mostMissing(missing, held);
  for (const one of lost) log.error({}, `${problem(one)}; "cairn check" names the files`);
}

function problem({ segment, record: { liveBytes, totalBytes }, fileBytes }: LostSegment): string {
  const name = segmentFileName(segment);
  if (fileBytes === undefined)
    return `The segment file ${name} is missing: ${formatByteSize(liveBytes)} of file data cannot be read`;
  const lost = formatByteSize(totalBytes - fileBytes);
  return `The segment file ${name} is cut short: file data in its last ${lost} cannot be read`;
}

function mostMissing(missing: number, held: number): VolumeError {
  return new VolumeError(
    'DAMAGED',
    `Cannot open the volume: of ${held} files in its directory segments, which hold the data of files, ${missing} are` +
      ' missing. Bring them back (is a disk not mounted?), or restore the data directory from a backup. To serve what is' +
      ' left, start with --repair',
  );
}
