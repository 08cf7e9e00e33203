import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const root = resolve(import.meta.dirname, '../src');

/** The architecture: each folder of src/, and the folders it may import from. Leaf files directly in src/ may be imported by all. */
const LAYERS: Record<string, readonly string[]> = {
  kv: [],
  fs: ['kv'],
  datasets: ['kv', 'fs'],
  snapshots: ['kv', 'fs', 'datasets'],
  backends: ['kv', 'fs', 'datasets', 'snapshots'],
  nfs: ['fs', 'datasets', 'snapshots'],
  nbd: ['fs', 'datasets', 'snapshots'],
  admin: ['fs', 'datasets', 'snapshots', 'backends'],
};

/** Files directly in src/ that put the layers together; everything else there is a leaf that imports no folder. */
const ROOTS = ['cairn.ts', 'server.ts', 'volume.ts'];

const sources = (readdirSync(root, { recursive: true }) as string[]).filter((path) => path.endsWith('.ts'));
const importsOf = (path: string): string[] =>
  [...readFileSync(join(root, path), 'utf8').matchAll(/from '(\.[^']+)'|import\('(\.[^']+)'\)/g)].map(
    (match) => relative(root, resolve(root, dirname(path), (match[1] ?? match[2])!)),
  );
const folderOf = (path: string): string => (path.includes('/') ? path.slice(0, path.indexOf('/')) : '');

describe('the layers', () => {
  it('has a rule for every folder', () => {
    expect([...new Set(sources.map(folderOf))].filter((folder) => folder && !(folder in LAYERS))).toEqual([]);
  });

  it.each(sources.filter((path) => folderOf(path)))('%s imports only what is below it', (path) => {
    const from = folderOf(path);
    const wrong = importsOf(path).filter((target) => {
      const to = folderOf(target);
      return to === '' ? ROOTS.includes(target) : to !== from && !LAYERS[from]!.includes(to);
    });
    expect(wrong).toEqual([]);
  });

  it('keeps the leaves of src/ free of the folders', () => {
    const leaves = sources.filter((path) => !folderOf(path) && !ROOTS.includes(path));
    expect(
      leaves.filter((path) => importsOf(path).some((target) => folderOf(target) || ROOTS.includes(target))),
    ).toEqual([]);
  });
});
