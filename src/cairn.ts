#!/usr/bin/env -S MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=131072 node --max-old-space-size=1024 --initial-old-space-size=96
// The `cairn` program: the command line on the process it runs in.
//
// On a machine with much memory V8 lets the heap grow before it collects; a lower limit keeps a server of a million files
// at half the size (270 against 500 MiB), and is far above what it needs. Old space begins with 96 MiB, because V8 collects
// a small one several times a second (docs/performance.md). glibc would keep a heap for each thread and not give large
// pieces of them back: a third of a busy server's memory. `npm start` has the same; the kernel takes 127 bytes of a first line.

import { readFileSync } from 'node:fs';
import type { CliIo } from './admin/cli/cli-io.ts';

const argv = process.argv.slice(2);
// Before all else is loaded, which takes a good part of a second: SIGHUP would end the process. Nothing is read yet that
// it could be meant to read again.
if (argv[0] === 'serve') process.on('SIGHUP', () => {});

const [{ main }, { createLog }, { systemClock }, { checkOffline, runServer }] = await Promise.all([
  import('./admin/cli/main.ts'),
  import('./admin/create-log.ts'),
  import('./clock.ts'),
  import('./server.ts'),
]);

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as {
  readonly version: string;
};

const io: CliIo = {
  version,
  stdout: process.stdout,
  stderr: process.stderr,
  environment: process.env,
  workingDirectory: process.cwd(),
  clock: systemClock,
  signals: process,
  exit: (status) => process.exit(status),
  createLog: (settings) => createLog(settings, { descriptor: 1, isTerminal: process.stdout.isTTY }),
  runServer,
  checkOffline: (settings, options) =>
    checkOffline(
      settings,
      createLog(settings.log, { descriptor: 2, isTerminal: process.stderr.isTTY }),
      options,
    ),
};

// The reader of a pipe may go before all is written: `cairn dataset list | head -1` is no failure. What a check finds is
// in its exit status too, so it goes on without the reader.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  if (argv[0] !== 'check') process.exit(0);
});

process.exitCode = await main(argv, io);
// A server that could not start may have opened something that would keep the process alive.
if (argv[0] === 'serve') process.exit();
