// A dataset with a quota, through the kernel client: df shows it, a write past it fails, rm always works.

import { expect } from '../rig/report.mjs';

const QUOTA_MIB = 64;

export async function checkQuota({ report, server, clients }) {
  if (!server.cli) {
    report.skip('quota', 'this server has no datasets');
    return;
  }
  const created = await report.check('cairn dataset create makes a dataset with a quota', () =>
    server.cli('dataset', 'create', 'limited', '--quota', `${QUOTA_MIB}MiB`).then(() => {}),
  );
  if (!created) return;
  const client = await clients.mount('quota', server, { exportPath: '/limited' });
  await report.check('df shows the quota as the size', async () => {
    const size = (await client.execOk('df --output=size -B1K $MNT | tail -1')).trim();
    expect(size === String(QUOTA_MIB * 1024), `df shows ${size} KiB`);
  });
  await report.check('a write past the quota fails with EDQUOT', () =>
    client.execOk(`python3 - $MNT/full <<'P'
import errno, os, sys
fd = os.open(sys.argv[1], os.O_CREAT | os.O_WRONLY)
try:
    for i in range(${QUOTA_MIB * 2}): os.write(fd, b'q' * (1 << 20)); os.fsync(fd)
    sys.exit('no error at all')
except OSError as e: assert e.errno == errno.EDQUOT, e
P`),
  );
  await report.check('truncate and rm work at the quota, and give the space back', () =>
    client.execOk(
      'set -e; truncate -s 1000 $MNT/full; rm $MNT/full; dd if=/dev/zero of=$MNT/again bs=1M count=32 conv=fsync status=none',
    ),
  );
  await client.stop();
  await report.check('cairn dataset delete removes it', () =>
    server.cli('dataset', 'delete', 'limited').then(() => {}),
  );
}
