// The path of an inode, from its links back to its parents. Good enough for a person: where a link is broken, the path
// says so and ends there.

import { attempt } from '../attempt.ts';
import { bucketOf } from '../name-cookie.ts';
import { ROOT_INO } from '../operation.ts';
import type { Records } from '../records.ts';

/** Deeper than any path that a client can name. */
const DEPTH_MAX = 4096;

export async function inodePath(records: Records, ino: number): Promise<string> {
  const names: string[] = [];
  for (let at = ino; at !== ROOT_INO && names.length < DEPTH_MAX; ) {
    const step = await stepUp(records, at);
    if (!step) {
      names.unshift(`(inode ${at})`);
      break;
    }
    names.unshift(step.name);
    at = step.parent;
  }
  return names.join('/');
}

interface Step {
  readonly parent: number;
  readonly name: string;
}

async function stepUp(records: Records, ino: number): Promise<Step | undefined> {
  try {
    return await attempt(() => parentOf(records, ino));
  } catch {
    return undefined;
  }
}

function parentOf(records: Records, ino: number): Step | undefined {
  const [link] = records.inode(ino)?.parents ?? [];
  if (!link) return undefined;
  const cookie = { high: link.cookieHigh, low: link.cookieLow };
  const bucket = records.bucket(link.ino, bucketOf(cookie));
  const entry = bucket.find((one) => one.ino === ino);
  return entry && { parent: link.ino, name: entry.name.toString() };
}
