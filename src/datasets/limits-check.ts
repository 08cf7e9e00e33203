// Whether limits may be set to these values. As with ZFS, a quota or refquota below what is used already is refused,
// and a reservation must fit what is around it at this moment.

import { formatByteSize } from '../byte-size.ts';
import { DatasetError } from './datasets.ts';
import { growthInQuotas, type Limits, type SpaceHolder } from './space.ts';

export interface LimitsChange {
  readonly name: string;
  readonly before: Limits;
  readonly after: Limits;
  /** Of the dataset, as space.ts has them. */
  readonly used: number;
  readonly referenced: number;
  /** What the dataset is nested in. */
  readonly around: SpaceHolder | undefined;
  /** Bytes of the disk that are neither used nor promised to others. */
  readonly unpromised: number;
}

/** @throws DatasetError `no-space`, with the numbers. */
export function checkLimits(change: LimitsChange): void {
  const { name, before, after, used, referenced } = change;
  const limitsChanged = after.quota !== before.quota || after.reservation !== before.reservation;
  if (after.quota > 0 && limitsChanged) {
    if (after.quota !== before.quota && after.quota < used) throw tooSmall(name, 'quota', after.quota, used);
    if (after.quota < after.reservation) {
      const [quota, reservation] = [size(after.quota), size(after.reservation)];
      // The one that was touched is the one to think about.
      throw noSpace(
        after.quota === before.quota
          ? `Cannot reserve ${reservation} for ${name}: its quota is ${quota}`
          : `Cannot limit ${name} to ${quota} by quota: its reservation is ${reservation}`,
      );
    }
  }
  if (after.refquota > 0 && after.refquota !== before.refquota && after.refquota < referenced) {
    throw tooSmall(name, 'refquota', after.refquota, referenced);
  }
  if (after.reservation > before.reservation) checkReservation(change);
}

function checkReservation({ name, before, after, used, around, unpromised }: LimitsChange): void {
  const needed = Math.max(used, after.reservation) - Math.max(used, before.reservation);
  const inQuotas = around ? growthInQuotas(around) : Number.POSITIVE_INFINITY;
  const available = Math.min(inQuotas, unpromised);
  if (needed <= available) return;
  const where = inQuotas < unpromised ? 'the quotas around it' : 'the disk';
  throw noSpace(
    `Cannot reserve ${size(after.reservation)} for ${name}: that needs ${size(needed)} more, ` +
      `and ${where} can promise ${size(available)}`,
  );
}

function tooSmall(name: string, limit: string, bytes: number, used: number): DatasetError {
  return noSpace(`Cannot limit ${name} to ${size(bytes)} by ${limit}: ${size(used)} are used already`);
}

/** Exact where rounding could make two numbers look the same. */
function size(bytes: number): string {
  return bytes < 1024 ? formatByteSize(bytes) : `${formatByteSize(bytes)} (${bytes} bytes)`;
}

function noSpace(message: string): DatasetError {
  return new DatasetError('no-space', message);
}
