import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ScratchDirectory {
  readonly path: string;
  remove(): Promise<void>;
}

/** A new, empty directory of a test's own. */
export async function scratchDirectory(): Promise<ScratchDirectory> {
  const path = await mkdtemp(join(tmpdir(), 'cairn-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
