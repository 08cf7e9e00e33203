// A moment as a path of MOUNT says it, behind the "@":
//
//   moment   := "-" number ( "s" | "m" | "h" | "d" | "w" )              so long ago: -90s, -1.5h
//             | date [ "T" hh ":" mm [ ":" ss [ "." digits ] ] [ zone ] ]
//   date     := yyyy "-" mm "-" dd                                       its first moment, without a time
//   zone     := "Z" | ( "+" | "-" ) hh [ ":" ] mm                        UTC without one

import type { Timestamp } from '../clock.ts';

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 };
const AGO = /^-(\d{1,9}(?:\.\d{1,9})?)([smhdw])$/;
const AT =
  /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?(?:Z|([+-])(\d\d):?(\d\d))?)?$/;

/** Undefined when `text` is no moment, a 30th of February too. */
export function parseMoment(text: string, now: Timestamp): Timestamp | undefined {
  return momentAgo(text, now) ?? momentAt(text);
}

function momentAgo(text: string, now: Timestamp): Timestamp | undefined {
  const match = AGO.exec(text);
  if (!match) return undefined;
  const ago = Number(match[1]) * SECONDS[match[2]!]!;
  const whole = Math.floor(ago);
  const nanoseconds = now.nanoseconds - Math.round((ago - whole) * 1e9);
  if (nanoseconds >= 0) return { seconds: now.seconds - whole, nanoseconds };
  return { seconds: now.seconds - whole - 1, nanoseconds: nanoseconds + 1e9 };
}

function momentAt(text: string): Timestamp | undefined {
  const match = AT.exec(text);
  if (!match) return undefined;
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((digits) => Number(digits ?? 0));
  const local = Date.UTC(year!, month! - 1, day, hour, minute, second);
  // Date takes the 30th of February for the 1st or 2nd of March, and minute 61 for one of the next hour.
  const written = text.length > 10 ? `${text.slice(0, 16)}:${match[6] ?? '00'}` : `${text}T00:00:00`;
  if (new Date(local).toISOString().slice(0, 19) !== written) return undefined;
  const [, , , , , , , fraction, sign, zoneHours, zoneMinutes] = match;
  const zone = (sign === '-' ? -1 : 1) * (Number(zoneHours ?? 0) * 3600 + Number(zoneMinutes ?? 0) * 60);
  return { seconds: local / 1000 - zone, nanoseconds: Number((fraction ?? '').padEnd(9, '0')) };
}
