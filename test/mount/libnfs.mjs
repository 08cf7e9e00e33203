// libnfs's own tools: a second client, written independently of the kernel's.

import { createHash, randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { runOk } from '../rig/processes.mjs';
import { expect } from '../rig/report.mjs';

const FILE_BYTES = 3 * 1024 * 1024 + 17;

export async function checkLibnfs({ report, server, directory }) {
  const ports = `version=3&nfsport=${server.port}&mountport=${server.mountPort}`;
  // Not `/`: of a file right below it libnfs asks for the export of an empty name, and stumbles over the others.
  const url = (name) => `nfs://127.0.0.1${path.join('/root', name)}?${ports}`;
  const source = path.join(directory, 'libnfs-source');
  const bytes = randomBytes(FILE_BYTES);
  writeFileSync(source, bytes);
  await report.check('nfs-cp puts a file', () =>
    runOk('nfs-cp', [source, url('libnfs-file')]).then(() => {}),
  );
  await report.check('nfs-ls lists it with its size', async () => {
    const listing = await runOk('nfs-ls', [url('')]);
    const line = listing.split('\n').find((one) => one.endsWith('libnfs-file'));
    expect(line?.split(/\s+/).includes(String(FILE_BYTES)), () => `the listing:\n${listing}`);
  });
  await report.check('nfs-cat reads the same bytes', async () => {
    const got = await runOk('bash', ['-c', 'set -o pipefail; nfs-cat "$0" | sha256sum', url('libnfs-file')]);
    expect(got.startsWith(createHash('sha256').update(bytes).digest('hex')), `the bytes differ: ${got}`);
  });
  await report.check('nfs-cp gets it, and a copy from mount to mount', async () => {
    const target = path.join(directory, 'libnfs-target');
    await runOk('nfs-cp', [url('libnfs-file'), url('libnfs-copy')]);
    await runOk('nfs-cp', [url('libnfs-copy'), target]);
    await runOk('cmp', [source, target]);
  });
}
