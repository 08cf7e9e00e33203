import { describe, expect, it } from 'vitest';
import { MOUNTS_MAX, MountTable } from '../../src/nfs/mount-table.ts';

describe('the table of mounts', () => {
  it('has each mount once, of each address', () => {
    const table = new MountTable();
    table.add({ address: '::1', path: '/a' });
    table.add({ address: '::1', path: '/a' });
    table.add({ address: '::1', path: '/b' });
    table.add({ address: '::2', path: '/a' });
    expect(table.list()).toEqual([
      { address: '::1', path: '/a' },
      { address: '::1', path: '/b' },
      { address: '::2', path: '/a' },
    ]);
    expect(table.of('::1')).toEqual(['/a', '/b']);
  });

  it('takes out one mount of one address, or all of them', () => {
    const table = new MountTable();
    for (const address of ['::1', '::2']) for (const path of ['/a', '/b']) table.add({ address, path });
    table.remove({ address: '::1', path: '/a' });
    table.remove({ address: '::1', path: '/never' });
    expect(table.of('::1')).toEqual(['/b']);
    expect(table.of('::2')).toEqual(['/a', '/b']);
    table.removeAll('::2');
    expect(table.list()).toEqual([{ address: '::1', path: '/b' }]);
  });

  it('forgets the oldest when it is full; one that is mounted again is new', () => {
    const table = new MountTable();
    for (let i = 0; i < MOUNTS_MAX; i++) table.add({ address: '::1', path: `/${i}` });
    table.add({ address: '::1', path: '/0' });
    table.add({ address: '::1', path: '/one more' });
    const paths = table.of('::1');
    expect(paths).toHaveLength(MOUNTS_MAX);
    expect(paths).toContain('/0');
    expect(paths).not.toContain('/1');
    expect(paths.at(-1)).toBe('/one more');
  });
});
