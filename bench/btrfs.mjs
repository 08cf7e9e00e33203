// The same on btrfs, on a loop device: the anchor that shared/perf has a script for.

import path from 'node:path';
import { sharedFolder } from '../test/rig/places.mjs';
import { run } from '../test/rig/processes.mjs';

export async function btrfsTable() {
  const { status, stdout, stderr } = await run('bash', [path.join(sharedFolder('perf'), 'btrfs_snap.sh')], {
    timeoutMs: 600_000,
  });
  const lines = stdout.split('\n').filter((line) => line.startsWith('files'));
  if (status !== 0 || lines.length === 0)
    return {
      title: 'btrfs',
      head: ['not measured'],
      rows: [[(stderr || stdout).trim().split('\n').at(-1) || 'no output']],
    };
  return {
    title: 'btrfs on a loop device',
    head: ['what shared/perf/btrfs_snap.sh says'],
    rows: lines.map((line) => [line]),
  };
}
