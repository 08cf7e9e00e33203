// `cairn check`: by the server that runs, else on its data directory.

import { existsSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { DatasetError } from '../../datasets/datasets.ts';
import { loadSettings, type Settings } from '../config/settings.ts';
import { AdminClient } from '../grpc/admin-client.ts';
import type { CheckFindingMessage, CheckMessage, CheckSummaryMessage } from '../grpc/admin-messages.ts';
import { callServer } from './admin-call.ts';
import type { CliIo } from './cli-io.ts';
import { counted } from './counted.ts';
import { refuseColumns } from './dataset-list.ts';
import { CliError, EXIT } from './exit-code.ts';
import { humanSize } from './human-size.ts';
import { jsonOutput } from './json-output.ts';
import { SOCKET_VARIABLE, withAddressOptions } from './server-address.ts';
import { isJson } from './table.ts';
import { visibleText } from './visible-text.ts';

interface CheckFlags {
  readonly adminSocket?: string;
  readonly config?: string;
  readonly dataDir?: string;
  readonly repair?: boolean;
  readonly output?: string;
}

export function addCheckCommand(program: Command, io: CliIo): void {
  const command = program
    .command('check [path]')
    .description(
      'check the store, or what is below a path: by the server if it runs, else on the data directory',
    )
    .option('--repair', 'mend what can be mended')
    .option('--data-dir <path>', 'the data directory of a server that does not run')
    .option('-o, --output <format>', '"json"');
  withAddressOptions(command).action(async (path: string | undefined, flags: CheckFlags) => {
    refuseColumns(flags);
    const request = { path: path ?? '', repair: flags.repair ?? false };
    const report = new Report(io, { json: isJson(flags), repair: request.repair });
    const settings = offlineSettings(flags, io);
    if (settings === undefined || (await serverAnswers(settings, io))) {
      const address = settings === undefined ? flags : { adminSocket: settings.adminSocket };
      const asked = callServer(address, io, (client) => report.take(client.check(request)));
      await (settings === undefined ? asked.catch(adviseDataDirectory) : asked);
    } else {
      await report.take(io.checkOffline(settings, { path, repair: request.repair })).catch(refused);
    }
    report.finish();
  });
}

/** Undefined where a server is named and no data directory: then there is only that server to ask. */
function offlineSettings(flags: CheckFlags, io: CliIo): Settings | undefined {
  const named = flags.adminSocket ?? io.environment[SOCKET_VARIABLE];
  if (flags.dataDir === undefined && flags.config === undefined && named) return undefined;
  return loadSettings(flags, io.environment, io.workingDirectory);
}

function adviseDataDirectory(error: unknown): never {
  if (!(error instanceof CliError) || error.exitCode !== EXIT.unreachable) throw error;
  const message = `${error.message}; what no server has open is checked with --data-dir`;
  throw new CliError(error.exitCode, message, { cause: error });
}

/**
 * Whether the server that answers has this data directory open: one with another would call this one sound. Where it has,
 * and it was not recognized by its name, the lock keeps the check out.
 */
async function serverAnswers({ adminSocket, dataDir }: Settings, io: CliIo): Promise<boolean> {
  const served = existsSync(adminSocket) ? await servedDirectory(adminSocket, io) : undefined;
  if (served !== undefined && realPath(served) === realPath(dataDir)) return true;
  if (!isDataDirectory(dataDir)) {
    const there =
      served === undefined
        ? `There is no server at ${adminSocket} and`
        : `The server at ${adminSocket} serves ${served}, and there is`;
    const message = `${there} no data directory at ${dataDir}: say where it is with --data-dir`;
    throw new CliError(EXIT.notFound, message);
  }
  return false;
}

async function servedDirectory(adminSocket: string, io: CliIo): Promise<string | undefined> {
  const client = new AdminClient(adminSocket, io.clock);
  try {
    return (await client.call('GetStatus', {})).dataDir;
  } catch {
    // Left over from a server that has died, then; if one lives behind it, the data directory is locked.
    return undefined;
  } finally {
    client.close();
  }
}

/** The path itself where there is nothing, or nothing that may be looked at. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    return path;
  }
}

/** @throws CliError where that cannot be known */
function isDataDirectory(path: string): boolean {
  try {
    // Without its marker it still is one: the check says what to do.
    const signs = [join(path, 'CAIRN'), join(path, 'meta', 'CURRENT')];
    return signs.some((sign) => statSync(sign, { throwIfNoEntry: false }) !== undefined);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOTDIR') return false;
    const isDenied = code === 'EACCES' || code === 'EPERM';
    throw new CliError(
      isDenied ? EXIT.denied : EXIT.other,
      isDenied
        ? `Cannot look into ${path}: permission denied. Run this command as the user who started the server there`
        : `Cannot look into ${path}: ${(error as Error).message}`,
      { cause: error },
    );
  }
}

/** As a server would answer it. */
function refused(error: unknown): never {
  if (error instanceof DatasetError && error.code === 'not-found')
    throw new CliError(EXIT.notFound, error.message, { cause: error });
  throw error;
}

class Report {
  readonly #io: CliIo;
  readonly #json: boolean;
  readonly #repair: boolean;
  readonly #findings: CheckFindingMessage[] = [];
  #summary: CheckSummaryMessage | undefined;
  /** Something is wrong that a repair may help. */
  #mendable = false;

  constructor(io: CliIo, { json, repair }: { readonly json: boolean; readonly repair: boolean }) {
    this.#io = io;
    this.#json = json;
    this.#repair = repair;
  }

  async take(events: AsyncIterable<CheckMessage>): Promise<void> {
    for await (const { finding, summary } of events) {
      if (summary) this.#summary = summary;
      if (!finding) continue;
      this.#mendable ||= finding.mendable ?? true;
      if (this.#json) this.#findings.push(finding);
      else this.#io.stdout.write(findingText(finding));
    }
  }

  /** @throws CliError where something is wrong still */
  finish(): void {
    const summary = this.#summary;
    if (!summary) throw new CliError(EXIT.other, 'The check has ended before it was done');
    const left = summary.findings - summary.repaired;
    if (this.#json) {
      const findings = this.#findings.map(({ kind, path, message, repaired }) => ({
        kind,
        path,
        message,
        repaired,
      }));
      this.#io.stdout.write(jsonOutput('cairn check', { findings, summary }));
    } else {
      this.#io.stdout.write(summaryText(summary));
    }
    if (left > 0) {
      const things = `${left} ${left === 1 ? 'thing is' : 'things are'} wrong`;
      const hint = this.#mendable ? '; --repair mends what can be mended' : ' that --repair does not mend';
      throw new CliError(EXIT.damaged, things + (this.#repair ? ' that cannot be mended' : hint));
    }
  }
}

function findingText({ path, message, repaired }: CheckFindingMessage): string {
  return `${path === '' ? '' : `${visibleText(path)}: `}${visibleText(message)}${repaired ? ' (repaired)' : ''}\n`;
}

function summaryText({ datasets, inodes, bytes, findings, repaired }: CheckSummaryMessage): string {
  const result = findings === 0 ? 'nothing is wrong' : `${findings} found, ${repaired} repaired`;
  return `Checked ${counted(datasets, 'dataset')}, ${counted(inodes, 'inode')}, ${humanSize(bytes)}: ${result}\n`;
}
