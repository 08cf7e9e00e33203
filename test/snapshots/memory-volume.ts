// A whole volume over memory stores.

import { type Clock, systemClock, systemRandom } from '../../src/clock.ts';
import { type Caller, type FileSystem, FileType, type NodeRef } from '../../src/fs/file-system.ts';
import type { Log } from '../../src/fs/store.ts';
import { createFormat, hasFormat, openFormat } from '../../src/kv/format.ts';
import { MemoryMetaStore } from '../../src/kv/memory-meta-store.ts';
import { MemorySegmentStore } from '../../src/kv/memory-segment-store.ts';
import type { MetaStore } from '../../src/kv/meta-store.ts';
import type { SegmentStore } from '../../src/kv/segment-store.ts';
import { openVolume, type Volume, type VolumeSettings } from '../../src/volume.ts';

export const SUPERUSER: Caller = { uid: 0, gid: 0, groups: [] };
const SILENT: Log = { error() {}, warn() {}, info() {} };
const SETTINGS = {
  durability: 'strict',
  relaxedSyncMs: 1000,
  dirtyBytesMax: 64 * 2 ** 20,
  diskReserveBytes: 0,
  autoDetach: true,
  cacheBytes: 16 * 2 ** 20,
} as const;

export async function openMemoryVolume({
  meta = new MemoryMetaStore(),
  segments = new MemorySegmentStore(),
  clock = systemClock,
  log = SILENT,
  settings = {},
}: {
  meta?: MetaStore;
  segments?: SegmentStore;
  clock?: Clock;
  log?: Log;
  settings?: Partial<VolumeSettings>;
} = {}): Promise<Volume> {
  if (!(await hasFormat(meta))) await createFormat(meta, systemRandom);
  const format = await openFormat(meta, systemRandom);
  return openVolume({
    meta,
    segments,
    format,
    clock,
    random: systemRandom,
    log,
    settings: { ...SETTINGS, ...settings },
  });
}

/** A file with this text, which waits in memory unless `stable`. */
export async function writeText(
  fileSystem: FileSystem,
  name: string,
  text: string,
  stable = true,
): Promise<NodeRef> {
  const call = { caller: SUPERUSER };
  const root = await fileSystem.root();
  const how = { mode: 'unchecked', changes: { size: 0 } } as const;
  const { node } = (await fileSystem.create(call, root, Buffer.from(name), how)).result;
  const { ticket } = await fileSystem.write(call, node, 0, Buffer.from(text), stable);
  await fileSystem.settled(ticket);
  return node;
}

/** Text by name of all files in the root. */
export async function texts(fileSystem: FileSystem): Promise<Record<string, string>> {
  const root = await fileSystem.root();
  const { entries } = await fileSystem.readdir(SUPERUSER, root, { high: 0, low: 0 }, 1000);
  const found: Record<string, string> = {};
  for (const { name, ino } of entries) {
    const [attributes] = await fileSystem.attributesOf([ino]);
    if (attributes!.type !== FileType.file) continue;
    const { buffers } = await fileSystem.read(SUPERUSER, attributes!, 0, 1000);
    found[name.toString()] = Buffer.concat(buffers).toString();
  }
  return found;
}
