// Large files and large trees through the kernel client.

import { expect } from '../rig/report.mjs';

const STREAM =
  'openssl enc -aes-128-ctr -K 00112233445566778899aabbccddeeff -iv 0 -in /dev/zero 2>/dev/null | head -c 1G';
const DROP = 'sync; echo 3 >/proc/sys/vm/drop_caches';

export async function checkBulk({ report, server, clients }) {
  const client = await clients.mount('bulk', server);
  await report.check('1 GiB written in sequence reads back the same', () =>
    client.execOk(
      `set -e; mkdir $MNT/bulk; ${STREAM} | tee $MNT/bulk/one | sha256sum >/run/want; ${DROP}
      sha256sum <$MNT/bulk/one | cmp - /run/want`,
      { timeoutS: 300 },
    ),
  );
  await report.check('a copy of 1 GiB within the mount compares', () =>
    client.execOk(`set -e; cp $MNT/bulk/one $MNT/bulk/two; ${DROP}; cmp $MNT/bulk/one $MNT/bulk/two`, {
      timeoutS: 300,
    }),
  );
  await report.check('df counts what is written and what is removed', async () => {
    const used = async () => Number(await client.execOk('df --output=used -B1M $MNT | tail -1'));
    const before = await used();
    await client.execOk('rm $MNT/bulk/two; sync');
    const after = await used();
    expect(before - after > 1000, `used went from ${before} MiB to ${after} MiB when 1 GiB was removed`);
    return `${before} MiB to ${after} MiB`;
  });
  await report.check('rm -rf of 3,000 files in 60 directories leaves nothing', async () => {
    await client.execOk(`python3 - $MNT/bulk <<'P'
import os, sys
for d in range(60):
    os.makedirs('%s/t/d%d' % (sys.argv[1], d))
    for f in range(50): open('%s/t/d%d/f%d' % (sys.argv[1], d, f), 'w').write('x' * f)
P
      set -e; test $(find $MNT/bulk/t -type f | wc -l) = 3000; rm -rf $MNT/bulk; test -z "$(ls -A $MNT)"`);
  });
  await client.stop();
}
