// docs/admin.md says that it has everything: it is held against what there is.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SECTIONS, TOP_KEYS } from '../../src/admin/config/config-keys.ts';
import { adminService } from '../../src/admin/grpc/admin-proto.ts';

const page = readFileSync(join(import.meta.dirname, '../../docs/admin.md'), 'utf8');

describe('docs/admin.md', () => {
  it('has every method of the admin service, and no other', () => {
    const [, list] = /of `cairn\.admin\.v1\.AdminService`: ([^.]+)\. /.exec(page)!;
    const named = list!.match(/[A-Z]\w+/g)!;
    expect([...named].sort()).toEqual(Object.keys(adminService).sort());
  });

  it.each(Object.keys(TOP_KEYS))('has the configuration key %s', (key) => {
    expect(page).toContain(`| \`${key}\` `);
  });

  it.each(Object.entries(SECTIONS))('has the keys of [%s]', (section, keys) => {
    const rows = page.split('\n').filter((line) => line.startsWith(`| \`[${section}] `));
    expect(
      rows.flatMap((row) => [...row.split('|')[1]!.matchAll(/(\w+)`/g)].map((match) => match[1])),
    ).toEqual(Object.keys(keys));
  });
});
