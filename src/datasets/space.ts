// How much a dataset may still grow. The rules are those of ZFS:
//
//   referenced   what the dataset's own live tree holds
//   used         what the dataset, its snapshots and all nested in it hold; a nested one counts at least its reservation
//   quota        limits `used`
//   refquota     limits `referenced`
//   reservation  taken from the disk, and from the quotas around it, whether it is used or not
//
// Sums are formed when asked for, from the counters of the trees: nothing is kept that could drift from them. Where no
// limit applies nothing is summed; where one does, an answer costs some nanoseconds per dataset nested below it.

/** In bytes; 0 is none. */
export interface Limits {
  readonly quota: number;
  readonly refquota: number;
  readonly reservation: number;
}

export interface SpaceHolder extends Limits {
  readonly parent: SpaceHolder | undefined;
  readonly children: Iterable<SpaceHolder>;
  /** Logical bytes of the dataset's own tree, accepted but unflushed data included. */
  referencedBytes(): number;
  /** Bytes that only the dataset's snapshots hold. */
  snapshotBytes(): number;
}

/** The bytes that a dataset and those nested in it use, or are promised. */
export function usedBytes(holder: SpaceHolder): number {
  let sum = holder.referencedBytes() + holder.snapshotBytes();
  for (const child of holder.children) sum += chargedBytes(child);
  return sum;
}

/** What a dataset counts for in the one around it, or on the disk. */
export function chargedBytes(holder: SpaceHolder): number {
  return Math.max(usedBytes(holder), holder.reservation);
}

/** Bytes by which the dataset's own tree may grow within refquota and all quotas around; Infinity without any. */
export function availableInQuotas(holder: SpaceHolder): number {
  const available = growthInQuotas(holder);
  if (holder.refquota === 0) return available;
  return Math.min(available, atLeast0(holder.refquota - holder.referencedBytes()));
}

/** Bytes by which `used` of the dataset may grow within its quota and those around it; Infinity without any. */
export function growthInQuotas(holder: SpaceHolder): number {
  let available = holder.parent ? growthInQuotas(holder.parent) : Number.POSITIVE_INFINITY;
  if (holder.quota === 0 && (holder.reservation === 0 || available === Number.POSITIVE_INFINITY))
    return available;
  const used = usedBytes(holder);
  // What is promised here counts as used around it already.
  available += atLeast0(holder.reservation - used);
  return holder.quota === 0 ? available : Math.min(available, atLeast0(holder.quota - used));
}

/**
 * Whether `bytes` more fit into `around` and its quotas, up to the first dataset that counts them already.
 * What a reservation on the way has promised absorbs them.
 */
export function fitsInQuotas(
  around: SpaceHolder,
  bytes: number,
  countedBy: (holder: SpaceHolder) => boolean,
): boolean {
  let growth = bytes;
  for (let at: SpaceHolder | undefined = around; at && !countedBy(at); at = at.parent) {
    const used = usedBytes(at);
    if (at.quota > 0 && used + growth > at.quota) return false;
    growth = Math.max(used + growth, at.reservation) - Math.max(used, at.reservation);
  }
  return true;
}

/**
 * Bytes of the disk that reservations keep from this dataset, or from a new one without `holder`; `reserving` are all
 * datasets with a reservation. One inside another is counted once: it is part of what the outer one uses.
 */
export function promisedToOthers(holder: SpaceHolder | undefined, reserving: Iterable<SpaceHolder>): number {
  let promised = 0;
  for (const each of reserving) promised += unusedReservation(each);
  for (let at = holder; at; at = at.parent) promised -= unusedReservation(at);
  return promised;
}

function unusedReservation(holder: SpaceHolder): number {
  return holder.reservation === 0 ? 0 : atLeast0(holder.reservation - usedBytes(holder));
}

function atLeast0(bytes: number): number {
  return Math.max(0, bytes);
}
