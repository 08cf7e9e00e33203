// kill -9 of the server in the midst of a git clone and of a compile: the mount hangs, the server comes back on its
// port, and the program on the client ends well without having noticed.

import { setTimeout as sleep } from 'node:timers/promises';
import { NfsClient } from '../rig/nfs-client.mjs';
import { until } from '../rig/processes.mjs';
import { expect } from '../rig/report.mjs';

const DOWN_MS = 1000;

const MAKE_REPOSITORY = `
  set -e; rm -rf /run/cairn-src; mkdir -p /run/cairn-src; cd /run/cairn-src; git init -q .
  git config user.email a@b; git config user.name n
  python3 - <<'P'
import os, random
r = random.Random(11)
for i in range(1500):
    d = 'd%02d/e%d' % (r.randrange(30), r.randrange(4)); os.makedirs(d, exist_ok=True)
    open('%s/f%04d' % (d, i), 'wb').write(r.randbytes(r.choice([10, 900, 5000, 20000, 60000])))
P
  git add -A; git commit -qm all`;

const CLONE = `set -e; mkdir $MNT/restart; git clone -q --no-hardlinks file:///run/cairn-src $MNT/restart/clone`;

const COMPARE_CLONE = `
  set -e; sync; echo 3 >/proc/sys/vm/drop_caches
  cd $MNT/restart/clone; git fsck --strict; test -z "$(git status --porcelain)"
  diff -r --no-dereference --exclude=.git /run/cairn-src $MNT/restart/clone; rm -rf $MNT/restart`;

const UNITS = 60;

const MAKE_PROJECT = `
  set -e; rm -rf /run/cairn-c; mkdir /run/cairn-c; cd /run/cairn-c
  python3 - <<'P'
n = ${UNITS}
open('common.h', 'w').write('#include <stdio.h>\\n#include <stdlib.h>\\n#include <string.h>\\n' + ''.join('int f%d(int);\\n' % i for i in range(n)))
for i in range(n):
    body = ''.join('static int g%d(int x) { return x * %d + %d; }\\n' % (j, j + i, j) for j in range(150))
    open('f%d.c' % i, 'w').write('#include "common.h"\\n' + body + 'int f%d(int x) { return ' % i + ' + '.join('g%d(x)' % j for j in range(150)) + '; }\\n')
open('main.c', 'w').write('#include "common.h"\\nint main(void) { long s = 0;\\n' + ''.join('s += f%d(3);\\n' % i for i in range(n)) + 'printf("%ld\\\\n", s); return 0; }\\n')
open('Makefile', 'w').write('O=$(patsubst %.c,%.o,$(sort $(wildcard *.c)))\\nprog: $(O)\\n\\tcc -o $@ $^\\n%.o: %.c common.h\\n\\tcc -O1 -c -o $@ $<\\n')
P
  cp -r /run/cairn-c /run/cairn-want; make -s -C /run/cairn-want -j2`;

const COMPILE =
  'set -e; mkdir $MNT/restart; cp -r /run/cairn-c $MNT/restart/c; make -s -C $MNT/restart/c -j2';

const COMPARE_COMPILE = `
  set -e; sync; echo 3 >/proc/sys/vm/drop_caches
  cd $MNT/restart/c; make -q; diff -r /run/cairn-want $MNT/restart/c; test "$(./prog)" = "$(/run/cairn-want/prog)"
  cd $MNT; rm -rf $MNT/restart /run/cairn-want /run/cairn-c`;

export async function checkRestart({ report, server, clients }) {
  const client = await clients.mount('restart', server);
  await client.execOk(MAKE_REPOSITORY);
  await report.check('a git clone survives kill -9 of the server while it receives objects', async () => {
    await killDuring({
      client,
      server,
      script: CLONE,
      moment: (paths) => paths.some((p) => p.includes('/tmp_pack')),
    });
    await client.execOk(COMPARE_CLONE);
  });
  await report.check('a git clone survives kill -9 of the server while it checks out', async () => {
    await killDuring({
      client,
      server,
      script: CLONE,
      moment: (paths) => paths.filter(isWorkTree).length >= 12,
    });
    await client.execOk(COMPARE_CLONE);
  });
  await client.execOk(MAKE_PROJECT, { timeoutS: 300 });
  await report.check('a compile survives kill -9 of the server', async () => {
    const moment = (paths) => paths.filter((p) => p.endsWith('.o')).length >= UNITS / 3;
    await killDuring({ client, server, script: COMPILE, moment });
    await client.execOk(COMPARE_COMPILE);
  });
  await client.stop();
}

const isWorkTree = (p) => /^clone\/d\d\d$/.test(p);

/** Runs `script` in the client and kills the server when `moment` sees what it waits for in /restart. */
async function killDuring({ client, server, script, moment }) {
  let over = false;
  const job = client.exec(script, { timeoutS: 180 }).finally(() => {
    over = true;
  });
  await until('the moment to kill the server', async () => over || moment(await pathsIn(server)), {
    timeoutMs: 120_000,
  });
  expect(!over, 'the program was over before the server was killed');
  await server.kill();
  await sleep(DOWN_MS);
  expect(!over, 'the program ended while the server was down');
  await server.start();
  const { status, stdout, stderr } = await job;
  expect(status === 0, () => `the program ended with ${status}:\n${stdout}${stderr}`);
}

/** Names two levels below /restart, and three in a pack directory: enough to see how far the program is. */
async function pathsIn(server) {
  const { client, root } = await NfsClient.mount(server);
  try {
    const paths = [];
    const visit = async (directory, at, depth) => {
      for (const { name, file, attributes } of await client.list(directory)) {
        if (at === '' && name !== 'restart') continue;
        const here = at === '' ? '.' : `${at}/${name}`.replace(/^\.\//, '');
        paths.push(here);
        const inside = depth < 2 || /(^|\/)(\.git|objects|pack)$/.test(here);
        if (inside && file && attributes?.type === 2) await visit(file, here, depth + 1);
      }
    };
    await visit(root, '', 0);
    return paths;
  } catch (error) {
    if (error.status === undefined) throw error;
    return [];
  } finally {
    client.close();
  }
}
