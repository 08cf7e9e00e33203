// A copy of the built server in which some places say something else. The product has no switches for tests, so a test
// that needs another product makes it.

import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { needBuild, PROJECT } from '../rig/places.mjs';
import { Failure } from '../rig/report.mjs';

/**
 * A copy of dist/ in a project of its own whose other entries are links to the real ones.
 *
 * @param patches `{ file, text, instead }`: a file of dist/, what it says once, and what it says in the copy
 * @returns the copy's program
 */
export function patchedCopy(project, patches) {
  needBuild();
  mkdirSync(project);
  for (const entry of readdirSync(PROJECT)) {
    if (entry !== 'dist') symlinkSync(path.join(PROJECT, entry), path.join(project, entry));
  }
  const dist = path.join(project, 'dist');
  cpSync(path.join(PROJECT, 'dist'), dist, { recursive: true });
  for (const { file, text, instead } of patches) {
    const target = path.join(dist, file);
    const source = readFileSync(target, 'utf8');
    const places = source.split(text).length - 1;
    if (places !== 1)
      throw new Failure(`dist/${file} says ${places} times \`${text}\`, should once: adapt the patch`);
    writeFileSync(
      target,
      source.replace(text, () => instead),
    );
  }
  return path.join(dist, 'cairn.js');
}
