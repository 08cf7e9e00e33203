// How much of the segments may be dead. Each may be half dead, which bounds what is on the disk by twice what is live, and
// what moving costs by a byte for each byte that is written. While hardly anything is written more is moved, until all
// segments together have no more dead than this.

const DEAD_BYTES_ALWAYS = 4 * 2 ** 20;
const DEAD_SHARE_OF_LIVE = 1 / 32;

export function deadBytesMax(liveBytes: number): number {
  return DEAD_BYTES_ALWAYS + liveBytes * DEAD_SHARE_OF_LIVE;
}
