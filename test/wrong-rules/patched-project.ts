// A copy of src/ and test/ in which one file of src/ says something else, for a test of its own to be run there.

import { execFile } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import type { WrongRule } from './rules.ts';

const PROJECT = resolve(import.meta.dirname, '../..');
const COPIED = ['src', 'test', 'proto', 'package.json', 'tsconfig.json'];

export interface Outcome {
  readonly passed: number;
  readonly failed: number;
}

/** Runs one test in the copy. */
export async function runPatched({ file, changes, test, name }: WrongRule): Promise<Outcome> {
  const copy = mkdtempSync(join(tmpdir(), 'cairn-patched-'));
  try {
    for (const entry of readdirSync(PROJECT)) {
      if (COPIED.includes(entry)) cpSync(join(PROJECT, entry), join(copy, entry), { recursive: true });
      if (entry === 'node_modules') symlinkSync(join(PROJECT, entry), join(copy, entry));
    }
    const path = join(copy, 'src', file);
    writeFileSync(path, patched(readFileSync(path, 'utf8'), file, changes));
    return await outcomeOf(copy, join('test', test), name);
  } finally {
    rmSync(copy, { recursive: true });
  }
}

function patched(source: string, file: string, changes: WrongRule['changes']): string {
  return changes.reduce((text, [from, to]) => {
    const places = text.split(from).length - 1;
    if (places !== 1) throw new Error(`Cannot patch ${file}: it says "${from}" ${places} times, not once`);
    return text.replace(from, () => to);
  }, source);
}

function outcomeOf(root: string, test: string, name: string): Promise<Outcome> {
  const vitest = join(root, 'node_modules/vitest/vitest.mjs');
  const args = [vitest, 'run', test, '-t', name, '--root', root, '--reporter=json'];
  return new Promise((fulfil, reject) => {
    execFile(process.execPath, args, { cwd: root }, (_, stdout, stderr) => {
      try {
        const { numPassedTests, numFailedTests } = JSON.parse(stdout.slice(stdout.indexOf('{')));
        fulfil({ passed: numPassedTests, failed: numFailedTests });
      } catch (error) {
        reject(new Error(`${test} did not run: ${stderr}`, { cause: error }));
      }
    });
  });
}
