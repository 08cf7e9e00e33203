// The values of the SYSTEM family.
//
//   value := format:u8 body crc32:u32     the CRC, big-endian, covers all before it
//   body  := MessagePack, without records
//
// A MetaStore need not notice damage (LevelDB does not verify what it reads), so each value carries its own checksum.

import { crc32 } from '@node-rs/crc32';
import { Packr } from 'msgpackr';
import { keys } from './keys.ts';
import type { MetaStore, Write } from './meta-store.ts';
import { VolumeError } from './volume-error.ts';

/** On disk: never renumber. */
const ROW_FORMAT = 1;
const CRC_BYTES = 4;
const packr = new Packr({ useRecords: false });

export function systemWrite(name: string, value: unknown): Write {
  const body = packr.pack(value);
  const row = Buffer.allocUnsafe(1 + body.length + CRC_BYTES);
  row[0] = ROW_FORMAT;
  row.set(body, 1);
  row.writeUInt32BE(crc32(row.subarray(0, -CRC_BYTES)), row.length - CRC_BYTES);
  return { key: keys.system.key(name), value: row };
}

/** The values of `names`, in their order; undefined where there is no row. @throws VolumeError when one is damaged */
export async function readSystem(meta: MetaStore, names: readonly string[]): Promise<unknown[]> {
  const rows = await meta.fetch(names.map((name) => keys.system.key(name)));
  return rows.map((row, i) => row && decode(names[i]!, row));
}

function decode(name: string, row: Buffer): unknown {
  if (row.length > CRC_BYTES) {
    const body = row.subarray(0, -CRC_BYTES);
    if (crc32(body) === row.readUInt32BE(body.length)) {
      if (row[0] === ROW_FORMAT) return packr.unpack(body.subarray(1));
      throw new VolumeError(
        'UNKNOWN_FORMAT',
        `Cannot open the volume: its row '${name}' has format ${row[0]}, expected ${ROW_FORMAT}. It was written by a` +
          ' newer version of Cairn: start that one',
      );
    }
  }
  throw damagedRow(name, 'is damaged');
}

export function damagedRow(name: string, state: string): VolumeError {
  return new VolumeError(
    'DAMAGED',
    `Cannot open the volume: its row '${name}' ${state}. Restore the data directory from a backup, or start with --repair:` +
      ' that takes it from the copy in the file VOLUME, or makes it anew. Let "cairn check" follow: more may be lost than' +
      ' that row',
    { mendable: true },
  );
}
