// showmount in the guest, by way of the server's own port mapper on port 111. The server runs inside the guest's
// network, where 111 is free and needs no relay.

import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { GUEST_EXPORT, Guest } from '../rig/guest.mjs';
import { freePort } from '../rig/places.mjs';
import { expect } from '../rig/report.mjs';
import { CairnServer } from '../rig/servers.mjs';

export async function checkShowmount({ report, undo, server, clients, directory }) {
  if (!server.cli) {
    report.skip('showmount', 'only with our own port mapper');
    return;
  }
  await report.check('showmount -e and -d through --portmap-listen', async () => {
    const home = path.join(directory, 'portmap');
    const port = await freePort();
    const own = new CairnServer({ directory: home, port });
    const config = path.join(directory, 'portmap.toml');
    writeFileSync(config, GUEST_EXPORT);
    const flags = [
      '-c',
      config,
      '--data-dir',
      own.dataDir,
      '--listen',
      `0.0.0.0:${port}`,
      '--admin-socket',
      own.socket,
    ];
    const command = [process.execPath, own.main, 'serve', ...flags, '--portmap-listen', '0.0.0.0:111'].join(
      ' ',
    );
    const args = [
      '--server-cmd',
      `mkdir -p ${home}; exec ${command}`,
      '--server-port',
      String(port),
      '--export',
      '/',
    ];
    const guest = await Guest.start(undo, clients.folder, 'showmount', args);
    const seen = await guest.execOk(`set -e; h=$(findmnt -no SOURCE $MNT | cut -d: -f1)
      echo "exports:"; showmount --no-headers -e $h; echo "clients:"; showmount --no-headers -d $h`);
    await guest.stop();
    expect(/exports:\n\/\S* .*\n/.test(seen), () => `showmount -e:\n${seen}`);
    expect(/clients:\n\//.test(seen), () => `showmount -d does not name the mount:\n${seen}`);
  });
}
