// Two kernel clients at once on one tree: what one does, the other sees as NFSv3 promises.
//
// Their attribute caches live one second (actimeo=1), so that "at the next open" and "a moment later" can be told.

import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect } from '../rig/report.mjs';

const RACES = 60;
const CACHE_S = 1;

export async function checkPair({ report, server, clients, directory }) {
  const scratch = path.join(directory, 'pair');
  mkdirSync(scratch);
  const options = { options: `actimeo=${CACHE_S},nosharecache`, scratch, memory: '384M' };
  const [a, b] = await Promise.all([
    clients.mount('pair-a', server, options),
    clients.mount('pair-b', server, options),
  ]);
  await a.execOk('mkdir $MNT/pair');
  await checkVisibility(report, a, b);
  await checkRaces(report, a, b);
  await checkOpenFiles(report, a, b, scratch);
  await a.execOk('rm -rf $MNT/pair');
  await Promise.all([a.stop(), b.stop()]);
}

async function checkVisibility(report, a, b) {
  await report.check('what one client closes, the other reads at its next open', async () => {
    for (let round = 0; round < 6; round++) {
      const [writer, reader] = round % 2 ? [b, a] : [a, b];
      const text = `round ${round} `.repeat(1 + round * 700);
      await writer.execOk(`printf '%s' '${text}' >$MNT/pair/file`);
      const seen = await reader.execOk('cat $MNT/pair/file');
      expect(
        seen === text,
        `round ${round}: ${seen.length} bytes seen, ${text.length} written: ${seen.slice(0, 40)}`,
      );
    }
  });
  await report.check('an append by each in turn loses nothing', async () => {
    for (let round = 0; round < 3; round++) {
      await a.execOk(`echo a${round} >>$MNT/pair/log`);
      await b.execOk(`echo b${round} >>$MNT/pair/log`);
    }
    const log = await a.execOk('cat $MNT/pair/log');
    expect(log === 'a0\nb0\na1\nb1\na2\nb2\n', log);
  });
  await report.check(
    'a rename by one shows to the other: the new name is there, the old one gone',
    async () => {
      await a.execOk('echo first >$MNT/pair/old');
      await b.execOk('cat $MNT/pair/old');
      await a.execOk('mv $MNT/pair/old $MNT/pair/new');
      await b.execOk(`sleep ${CACHE_S}.2; test "$(cat $MNT/pair/new)" = first; test ! -e $MNT/pair/old`);
    },
  );
  await report.check('a file replaced by rename is old or new to the other, never a mixture', async () => {
    const writer = `cd $MNT/pair; for i in $(seq 40); do head -c 20000 /dev/zero | tr '\\0' "\\\\$(printf %o $((65 + i % 26)))" >t.$i; mv t.$i swap; done`;
    const reader = `python3 - $MNT/pair/swap <<'P'
import sys, time
seen = set(); end = time.time() + 4
while time.time() < end:
    try: d = open(sys.argv[1], 'rb').read()
    except FileNotFoundError: assert not seen, 'the name was away'; continue
    except OSError as e:
        assert e.errno == 116, e
        continue
    assert len(d) == 20000 and len(set(d)) == 1, (len(d), set(d))
    seen.add(d[0])
assert seen, 'nothing seen'
P`;
    await Promise.all([a.execOk(writer), b.execOk(reader)]);
  });
}

/** Both clients try the same names from the same moment on; every name must have one winner. */
async function checkRaces(report, a, b) {
  const attempts = {
    'O_CREAT|O_EXCL': 'os.close(os.open(p, os.O_CREAT | os.O_EXCL | os.O_WRONLY))',
    mkdir: 'os.mkdir(p)',
    link: 'os.link(mine, p)',
    symlink: 'os.symlink("x", p)',
  };
  for (const [index, [name, attempt]] of Object.entries(attempts).entries()) {
    await report.check(`of two clients racing with ${name} exactly one wins each name`, async () => {
      const start = Date.now() / 1000 + 1.5;
      const script = (who) => `mkdir -p $MNT/pair/race${index}; python3 - $MNT/pair/race${index} <<'P'
import os, sys, time
d = sys.argv[1]; mine = d + '/mine-${who}'; open(mine, 'w').close()
time.sleep(max(0, ${start} - time.time()))
for i in range(${RACES}):
    p = '%s/name-%d' % (d, i)
    while time.time() < ${start} + i * 0.02: pass
    try: ${attempt}; print(i)
    except FileExistsError: pass
P`;
      const [first, second] = await Promise.all([a.execOk(script('a')), b.execOk(script('b'))]);
      const won = [first, second].map((text) => text.trim().split('\n').filter(Boolean).map(Number));
      const counts = new Map();
      for (const i of won.flat()) counts.set(i, (counts.get(i) ?? 0) + 1);
      const wrong = Array.from({ length: RACES }, (_, i) => i).filter((i) => counts.get(i) !== 1);
      expect(
        wrong.length === 0,
        `not one winner: ${wrong.map((i) => `name-${i} has ${counts.get(i) ?? 0}`).join(', ')}`,
      );
      return `${won[0].length} to ${won[1].length}`;
    });
  }
}

async function checkOpenFiles(report, a, b, scratch) {
  await report.check(
    'a file unlinked while open stays readable on its own client (silly rename), then goes',
    () =>
      a.execOk(`python3 - $MNT/pair <<'P'
import os, sys
d = sys.argv[1]; f = open(d + '/silly', 'w+b'); f.write(b's' * 100000); f.flush(); os.fsync(f.fileno())
os.unlink(d + '/silly'); assert not os.path.exists(d + '/silly')
assert any(n.startswith('.nfs') for n in os.listdir(d)), os.listdir(d)
open('/proc/sys/vm/drop_caches', 'w').write('3')
f.seek(0); assert f.read() == b's' * 100000
f.write(b'more'); f.flush(); os.fsync(f.fileno()); f.close()
assert not any(n.startswith('.nfs') for n in os.listdir(d)), os.listdir(d)
P`),
  );
  await report.check(
    'a file unlinked by the other client answers ESTALE to its holder, never other bytes',
    async () => {
      await a.execOk(`head -c 400000 /dev/zero | tr '\\0' V >$MNT/pair/victim`);
      const holder = b.execOk(`python3 - $MNT/pair/victim <<'P'
import errno, os, sys, time
fd = os.open(sys.argv[1], os.O_RDONLY); assert os.pread(fd, 4096, 0) == b'V' * 4096
open(os.environ['SCRATCH'] + '/held', 'w').close()
end = time.time() + 60
while not os.path.exists(os.environ['SCRATCH'] + '/removed'):
    assert time.time() < end; time.sleep(0.1)
time.sleep(${CACHE_S}.2)
open('/proc/sys/vm/drop_caches', 'w').write('3')
for offset in (0, 200000, 395000):
    try: d = os.pread(fd, 4096, offset); sys.exit('read %d bytes: %r' % (len(d), d[:8]))
    except OSError as e: assert e.errno == errno.ESTALE, e
P`);
      await a.execOk(`for i in $(seq 600); do [ -e $SCRATCH/held ] && break; sleep 0.1; done; cd $MNT/pair; rm victim
      for i in $(seq 50); do head -c 400000 /dev/zero | tr '\\0' W >other.$i; done; sync`);
      writeFileSync(path.join(scratch, 'removed'), '');
      await holder;
    },
  );
}
