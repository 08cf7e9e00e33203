// A copy of src/ in which one file says something else. Only the layers above the stores are copied: the rest is linked,
// so that the stores under test are the same modules in the copy and in the tests.

import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SOURCE } from './product.ts';

const COPIED = ['fs', 'datasets'];

export interface Patch {
  /** A file of src/fs, or the path from there. */
  readonly file: string;
  /** What it says now, once. */
  readonly text: string;
  readonly instead: string;
}

/** Calls `body` with the folder of the copy. */
export async function withPatchedCopy<T>(patch: Patch, body: (source: string) => Promise<T>): Promise<T> {
  const copy = mkdtempSync(join(tmpdir(), 'cairn-patched-'));
  try {
    for (const name of readdirSync(SOURCE)) {
      if (COPIED.includes(name)) cpSync(join(SOURCE, name), join(copy, name), { recursive: true });
      else if (!name.endsWith('.json')) symlinkSync(join(SOURCE, name), join(copy, name));
    }
    const path = join(copy, 'fs', patch.file);
    writeFileSync(path, patched(readFileSync(path, 'utf8'), patch));
    return await body(copy);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function patched(source: string, { file, text, instead }: Patch): string {
  const [before, after, ...more] = source.split(text);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(
      `Cannot patch ${file}: it should say "${text}" once and says it ${source.split(text).length - 1} times`,
    );
  return before + instead + after;
}
