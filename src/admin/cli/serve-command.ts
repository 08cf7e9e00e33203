// `cairn serve`: settings, log, and the signals that end it. What is served is made by `runServer`.

import { once } from 'node:events';
import type { Command } from 'commander';
import type { AdminLog } from '../admin-log.ts';
import { ConfigError } from '../config/config-error.ts';
import { loadSettings, type SettingsFlags } from '../config/settings.ts';
import { warnOfUnknownDatasets } from '../export-warnings.ts';
import type { CliIo, RunningServer } from './cli-io.ts';
import { EXIT } from './exit-code.ts';
import { withServeOptions } from './serve-options.ts';

/** Whoever stops a service waits about ten seconds before killing it. */
const CLOSE_MS = 8000;
const GIVE_UP_MS = 9500;

export function addServeCommand(program: Command, io: CliIo): void {
  const command = program.command('serve').description('serve NFS');
  withServeOptions(command).action(async (flags: SettingsFlags) => {
    const hangUps = hangUpSignal(io);
    const reloadSettings = () => loadSettings(flags, io.environment, io.workingDirectory);
    const settings = reloadSettings();
    const log = io.createLog(settings.log);
    // From here on, so that a signal while the store is opened ends in good order too.
    const stop = stopSignal(io, log);
    const running = await io.runServer({ version: io.version, settings, log, reloadSettings });
    if (!stop.aborted) {
      running.announce();
      warnOfUnknownDatasets(running, log);
      hangUps.call(() => void reloadExports(running, log));
      await once(stop, 'abort');
    }
    hangUps.ignore();
    await close(running, io, log);
  });
}

/**
 * SIGHUP, taken from the first moment to the last: where nobody takes it, the system ends the process, and whoever
 * hangs up while the server starts or stops means no more than that.
 */
function hangUpSignal(io: CliIo) {
  let isMissed = false;
  let onHangUp = () => {
    isMissed = true;
  };
  io.signals.on('SIGHUP', () => onHangUp());
  return {
    /** At each from now on; once at once if there were any, because what they meant may have changed before them. */
    call(task: () => void) {
      onHangUp = task;
      if (isMissed) task();
    },
    ignore() {
      onHangUp = () => {};
    },
  };
}

/** Aborted at the first SIGTERM or SIGINT; the second ends the process at once. */
function stopSignal(io: CliIo, log: AdminLog): AbortSignal {
  const stopping = new AbortController();
  let count = 0;
  const stop = (signal: string) => {
    count++;
    if (count > 1) io.exit(EXIT.other);
    log.info({ signal }, `Stopping (${signal}); once more to stop at once`);
    stopping.abort();
  };
  io.signals.on('SIGTERM', () => stop('SIGTERM'));
  io.signals.on('SIGINT', () => stop('SIGINT'));
  return stopping.signal;
}

async function close(running: RunningServer, io: CliIo, log: AdminLog): Promise<void> {
  const late = io.clock.after(GIVE_UP_MS, () => {
    log.error({}, 'Cannot stop in time: giving up; what was acknowledged is safe');
    io.exit(EXIT.other);
  });
  try {
    await running.close(CLOSE_MS);
    log.info({}, 'Stopped');
  } catch (error) {
    const reason = (error as Error).message;
    log.error({}, `Cannot stop in good order: ${reason}. What was acknowledged is safe`);
    io.exit(EXIT.other);
  } finally {
    late.cancel();
  }
}

async function reloadExports(running: RunningServer, log: AdminLog): Promise<void> {
  try {
    await running.reloadExports();
  } catch (error) {
    const message = 'Cannot read the export rules again, those of before stay in force';
    // What the file's author can mend is a sentence; anything else is a bug, and its stack helps.
    if (error instanceof ConfigError) log.error({}, `${message}: ${error.problems.join('; ')}`);
    else log.error({ err: error }, message);
    return;
  }
  log.info({}, 'Read the export rules again');
  warnOfUnknownDatasets(running, log);
}
