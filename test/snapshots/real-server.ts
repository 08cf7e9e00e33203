// A whole server on a data directory, the `cairn` command that manages it, and clients that mount it over TCP.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { RunningServer } from '../../src/admin/cli/cli-io.ts';
import { loadSettings } from '../../src/admin/config/settings.ts';
import { runServer } from '../../src/server.ts';
import { CommandLine, type CommandResult } from '../admin/cli/command-line.ts';
import { mnt } from '../nfs/calls.ts';
import { logLines } from '../nfs/log-lines.ts';
import { madeBy, Nfs3Client, Status } from '../nfs/nfs3/nfs3-client.ts';
import { RawClient } from '../nfs/raw-client.ts';

export interface Mounted {
  readonly client: Nfs3Client;
  readonly root: Buffer;
}

export class RealServer {
  readonly directory = mkdtempSync(join(tmpdir(), 'cairn-snapshots-'));
  readonly socket = join(this.directory, 'admin.sock');
  private readonly commandLine = new CommandLine({ environment: { CAIRN_ADMIN_SOCKET: this.socket } });
  private connections: RawClient[] = [];
  private running!: RunningServer;

  static async start(): Promise<RealServer> {
    const server = new RealServer();
    await server.open();
    return server;
  }

  /** `cairn dataset …` */
  dataset(...argv: string[]): Promise<CommandResult> {
    return this.commandLine.run('dataset', ...argv);
  }

  /** The same where it must succeed: what it prints. */
  async ok(...argv: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.dataset(...argv);
    if (status !== 0)
      throw new Error(`cairn dataset ${argv.join(' ')} answered ${status}: ${stderr} ${stdout}`);
    return stdout;
  }

  /** The same with `-o json`. */
  // biome-ignore lint/suspicious/noExplicitAny: what it prints is what the test looks at
  async json(...argv: string[]): Promise<any> {
    return JSON.parse(await this.ok(...argv, '-o', 'json'));
  }

  async cairn(...argv: string[]): Promise<string> {
    const { status, stdout, stderr } = await this.commandLine.run(...argv);
    if (status !== 0) throw new Error(`cairn ${argv.join(' ')} answered ${status}: ${stderr} ${stdout}`);
    return stdout;
  }

  async mount(path: string): Promise<Mounted> {
    const listen = /^listen: +127\.0\.0\.1:(\d+)$/m.exec(await this.cairn('status'))![1];
    const connection = await RawClient.connect(Number(listen));
    this.connections.push(connection);
    const { status, handle } = await mnt(connection, path);
    if (status !== 0) throw new Error(`MNT of ${path} was answered ${status}`);
    return { client: new Nfs3Client(connection), root: handle };
  }

  async restart(): Promise<void> {
    await this.close();
    await this.open();
  }

  async stop(): Promise<void> {
    await this.close();
    rmSync(this.directory, { recursive: true });
  }

  private async open(): Promise<void> {
    const flags = {
      dataDir: join(this.directory, 'data'),
      listen: '127.0.0.1:0',
      adminSocket: this.socket,
      insecurePorts: true,
    };
    const settings = loadSettings(flags, {}, this.directory);
    const log = { ...logLines(), debug() {} };
    this.running = await runServer({ version: '1.2.3', settings, log, reloadSettings: () => settings });
  }

  private async close(): Promise<void> {
    await Promise.all(this.connections.map((connection) => connection.close()));
    this.connections = [];
    await this.running.close(1000);
  }
}

export async function writeFile({ client, root }: Mounted, name: string, text: string): Promise<Buffer> {
  const found = await client.lookup(root, name);
  const file =
    found.status === Status.OK ? found.handle : await madeBy(client.create(root, name, { guarded: {} }));
  await client.setattr(file, { size: 0n });
  const written = await client.write(file, 0n, Buffer.from(text), 0);
  if (written.status !== Status.OK) throw new Error(`WRITE of ${name} was answered ${written.status}`);
  return file;
}

export async function readFile({ client, root }: Mounted, name: string): Promise<string | undefined> {
  const { status, handle } = await client.lookup(root, name);
  if (status === Status.NOENT) return undefined;
  const { data } = await client.read(handle, 0n, 65_536);
  return data.toString();
}
