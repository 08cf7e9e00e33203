import { formatByteSize } from '../byte-size.ts';

/** Why nothing more can be written. Most often `df` shows some room still: that is the reserve. */
export function noRoomText(diskReserveBytes: number): string {
  if (diskReserveBytes === 0) return 'the disk is full';
  return `less than disk_reserve_bytes (${formatByteSize(diskReserveBytes)}) is free on the disk`;
}
