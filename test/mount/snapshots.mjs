// `.snapshots` through the kernel client: its automounts, its caches and its own idea of what can be removed.

import { runOk } from '../rig/processes.mjs';
import { expect } from '../rig/report.mjs';

const DATASET = 'snapped';

export async function checkSnapshots({ report, server, clients }) {
  if (!server.cli) {
    report.skip('snapshots', 'this server has none');
    return;
  }
  await server.cli('dataset', 'create', DATASET, '-o', 'snapdir-write=on');
  const client = await clients.mount('snapshots', server, { exportPath: `/${DATASET}` });
  const check = (what, script) => report.check(what, () => client.execOk(`set -e\n${script}`).then(() => {}));

  await check(
    'mkdir .snapshots/NAME in a deep directory snapshots the dataset',
    `mkdir -p $MNT/a/b/c; echo before > $MNT/a/b/c/file; ln $MNT/a/b/c/file $MNT/link; sync
     mkdir $MNT/a/b/.snapshots/first
     echo after > $MNT/a/b/c/file; rm $MNT/link; mkdir $MNT/a/later
     test "$(cat $MNT/.snapshots/first/link)" = before`,
  );
  await check(
    'cp -p out of .snapshots brings a lost file back, from every directory above it',
    `rm $MNT/a/b/c/file
     for d in $MNT/.snapshots/first/a/b/c $MNT/a/.snapshots/first/b/c $MNT/a/b/c/.snapshots/first; do
       cp -p $d/file $MNT/back; test "$(cat $MNT/back)" = before; cmp $d/file $MNT/back; rm $MNT/back
     done
     cd $MNT/a/b/c/.snapshots/first && cp -p file ../../file && test "$(cat $MNT/a/b/c/file)" = before`,
  );
  await check(
    'a hidden .snapshots is in no listing, and ls finds what is in it',
    `test "$(ls -A $MNT)" = a; test "$(ls $MNT/.snapshots)" = first; test -z "$(ls $MNT/a/later/.snapshots)"
     test "$(find $MNT | wc -l)" = 6; stat $MNT/a/later/.snapshots/first 2>&1 | grep -q 'No such file'`,
  );
  await check(
    'a snapshot is a file system of its own, with the inode numbers of the live one',
    `ls $MNT/a/.snapshots/first/ > /dev/null
     dev() { stat -c %d $1/.; }
     test $(dev $MNT/a) = $(dev $MNT/a/.snapshots); test $(dev $MNT/a) != $(dev $MNT/a/.snapshots/first)
     test $(stat -c %i $MNT/a/b/c/.) = $(stat -c %i $MNT/a/b/c/.snapshots/first/.)
     test "$(cd $MNT/a/b/c/.snapshots && cd -P .. && pwd -P)" = "$(cd $MNT/a/b/c && pwd -P)"`,
  );
  await check(
    'whatever would change a snapshot fails with EROFS, what opens to write with EACCES as ACCESS says',
    `cd $MNT/.snapshots/first
     if said=$(touch link 2>&1); then exit 1; fi; case "$said" in *'ermission denied'*) ;; *) echo "$said"; exit 1;; esac
     for c in 'rm link' 'mkdir x' 'mv link y' 'ln link y' 'chmod 1 a' 'rmdir a' 'ln -s x y' 'mkfifo y'; do
       if said=$($c 2>&1); then echo "$c works"; exit 1; fi
       case "$said" in *'ead-only file system'*) ;; *) echo "$c: $said"; exit 1;; esac
     done
     if touch $MNT/.snapshots/x 2> /dev/null; then exit 1; fi`,
  );
  await check(
    'a directory is found by its inode after a rename, and rm -r and rmdir are not in its way',
    `mv $MNT/a/b $MNT/renamed; test "$(cat $MNT/renamed/.snapshots/first/c/file)" = before
     rm -r $MNT/a; ls $MNT/.snapshots/first/a/b/c > /dev/null; mv $MNT/renamed $MNT/a`,
  );
  await report.check('snapdir=visible: find and du walk into every snapshot once', async () => {
    await server.cli('dataset', 'set', DATASET, 'snapdir=visible');
    const found = await client.execOk(
      `cd /; umount $MNT/a/.snapshots/first 2> /dev/null
      echo 3 > /proc/sys/vm/drop_caches; sleep 4; du -s $MNT > /dev/null; find $MNT -name file | sort`,
      {
        timeoutS: 60,
      },
    );
    await server.cli('dataset', 'set', DATASET, 'snapdir=hidden');
    const paths = found
      .trim()
      .split('\n')
      .map((line) => line.replace(/^.*?\/(?=a\/|\.snap)/, ''));
    expect(paths.includes('a/c/file') && paths.includes('.snapshots/first/a/b/c/file'), found);
    expect(!/\.snapshots.*\.snapshots/.test(found), found);
  });
  await check(
    'rmdir of a snapshot that the client has mounted is EBUSY, and works after umount',
    `cd $MNT; mkdir .snapshots/second; ls .snapshots/second/ > /dev/null
     if said=$(rmdir .snapshots/second 2>&1); then echo 'rmdir works'; exit 1; fi
     case "$said" in *busy*) ;; *) echo "$said"; exit 1;; esac
     umount .snapshots/second; rmdir .snapshots/second
     test "$(ls .snapshots)" = first
     if mkdir .snapshots/first 2> /dev/null; then exit 1; fi`,
  );
  await report.check('kill -9 of the server loses no snapshot, and no handle of one', async () => {
    await client.execOk('cd $MNT/.snapshots/first/a/b/c && test "$(cat file)" = before');
    await server.kill();
    await server.start();
    await client.execOk(`set -e; cd $MNT/.snapshots/first/a/b/c; echo 3 > /proc/sys/vm/drop_caches
      test "$(cat file)" = before; test "$(ls $MNT/.snapshots)" = first`);
  });
  await client.stop();
  await checkMounted({ report, server, clients });
  await server.cli('dataset', 'delete', DATASET);
}

async function checkMounted({ report, server, clients }) {
  const client = await clients.mount('snapshot', server, { exportPath: `/${DATASET}/a/b@first` });
  await report.check('a path in a snapshot is mounted by /DATASET/PATH@SNAPSHOT, read-only', () =>
    client.execOk(`set -e; test "$(cat $MNT/c/file)" = before; test "$(ls -A $MNT)" = c
      test $(df --output=avail $MNT | tail -1) = 0
      if touch $MNT/x 2> /dev/null; then exit 1; fi; if ls $MNT/.snapshots 2> /dev/null; then exit 1; fi`),
  );
  await client.stop();
  await report.check(
    'libnfs, which knows nothing of it, reads in .snapshots and mounts a snapshot',
    async () => {
      const query = `?version=3&nfsport=${server.port}&mountport=${server.mountPort}`;
      const url = (path) => `nfs://127.0.0.1/${DATASET}${path}${query}`;
      for (const path of ['/.snapshots/first/a/b/c/file', '/a/.snapshots/first/c/file', '@first/a/b/c/file'])
        expect((await runOk('nfs-cat', [url(path)])) === 'before\n', path);
    },
  );
}
