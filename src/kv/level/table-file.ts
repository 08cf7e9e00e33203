// LevelDB's tables, as far as their checksums go. LevelDB itself does not verify what it reads.
//
//   table := block* footer{48}             each block followed by type:u8 crc32c:u32 (masked; of block and type)
//   footer := metaindex:handle index:handle padding magic:u64
//   handle := offset:varint size:varint
//   block  := entry* restart:u32* restarts:u32
//   entry  := shared:varint unshared:varint valueBytes:varint key{unshared} value{valueBytes}
//
// Of the index block, a key is at or past the last key of its data block, and the value is the block's handle. A stored
// key has 8 bytes of LevelDB's own at its end. Block type 0 is as it is, 1 Snappy. The metaindex names the filter, a block
// of Bloom filters: a bit lost there makes keys that are in the table look absent.

import { crc32c, maskedCrc32c } from './crc32c.ts';
import { unsnappy } from './snappy.ts';
import { VarintReader } from './varint-reader.ts';

const FOOTER_BYTES = 48;
const TRAILER_BYTES = 5;
const MAGIC_LOW = 0x8b80fb57;
const MAGIC_HIGH = 0xdb477524;
const INTERNAL_BYTES = 8;
const SNAPPY = 1;

export interface TableDamage {
  readonly offset: number;
  readonly what: 'footer' | 'index' | 'metaindex' | 'filter' | 'block';
  /** Keys that are hurt lie behind `after` and up to `upTo`; undefined: as far as there are any. */
  readonly after: Buffer | undefined;
  readonly upTo: Buffer | undefined;
  /**
   * The byte that makes LevelDB refuse the block, or the table, when it is {@link FENCE}. Undefined where nothing says that
   * this is what would be overwritten, and not another byte: of a table with no magic number, which LevelDB refuses anyway.
   */
  readonly fenceAt: number | undefined;
}

/** No type of block, nor the last byte of the magic number. */
export const FENCE = 0xff;

interface Handle {
  readonly offset: number;
  readonly size: number;
}

/** Reads `length` bytes at `offset`; fewer where the file ends. */
export type ReadAt = (offset: number, length: number) => Promise<Buffer>;

/** Block by block, so that it takes little memory and can be paced. */
export async function* tableDamages(
  read: ReadAt,
  fileBytes: number,
): AsyncGenerator<TableDamage | undefined> {
  const all = { after: undefined, upTo: undefined };
  const footerAt = Math.max(0, fileBytes - FOOTER_BYTES);
  const footer = await read(footerAt, FOOTER_BYTES);
  const handles = footerHandles(footer, footerAt);
  if (!handles) {
    // LevelDB would follow a wrong handle, and may find an empty index: all rows of the table would be gone, silently.
    yield { offset: footerAt, what: 'footer', ...all, fenceAt: hasMagic(footer) ? fileBytes - 1 : undefined };
    return;
  }
  const entries = await handleEntries(read, handles.index);
  if (!entries) {
    yield damaged('index', handles.index, all);
    return;
  }
  let after: Buffer | undefined;
  for (const { key, handle } of entries) {
    const upTo = key.subarray(0, Math.max(0, key.length - INTERNAL_BYTES));
    yield (await wholeBlock(read, handle)) ? undefined : damaged('block', handle, { after, upTo });
    after = upTo;
  }
  yield* filterDamages(read, handles.metaindex, after);
}

/** @param last of the keys in the table */
async function* filterDamages(
  read: ReadAt,
  metaindex: Handle,
  last: Buffer | undefined,
): AsyncGenerator<TableDamage | undefined> {
  const hurt = { after: undefined, upTo: last };
  const filters = await handleEntries(read, metaindex);
  if (!filters) {
    yield damaged('metaindex', metaindex, hurt);
    return;
  }
  for (const { handle } of filters)
    yield (await wholeBlock(read, handle)) ? undefined : damaged('filter', handle, hurt);
}

function damaged(
  what: TableDamage['what'],
  { offset, size }: Handle,
  hurt: Pick<TableDamage, 'after' | 'upTo'>,
): TableDamage {
  return { offset, what, ...hurt, fenceAt: offset + size };
}

function footerHandles(
  footer: Buffer,
  footerAt: number,
): { readonly metaindex: Handle; readonly index: Handle } | undefined {
  if (!hasMagic(footer)) return undefined;
  const reader = new VarintReader(footer.subarray(0, 40));
  const metaindex = nextHandle(reader);
  const index = nextHandle(reader);
  // The footer has no checksum, but the two blocks are the last, one after the other.
  const isRight = metaindex && index && endOf(metaindex) === index.offset && endOf(index) === footerAt;
  return isRight ? { metaindex, index } : undefined;
}

function hasMagic(footer: Buffer): boolean {
  if (footer.length < FOOTER_BYTES) return false;
  return footer.readUInt32LE(40) === MAGIC_LOW && footer.readUInt32LE(44) === MAGIC_HIGH;
}

function endOf({ offset, size }: Handle): number {
  return offset + size + TRAILER_BYTES;
}

/** The block with its type and checksum. */
async function wholeBlock(read: ReadAt, { offset, size }: Handle): Promise<Buffer | undefined> {
  const block = await read(offset, size + TRAILER_BYTES);
  return isWhole(block, size) ? block : undefined;
}

function isWhole(block: Buffer, size: number): boolean {
  if (block.length < size + TRAILER_BYTES) return false;
  return maskedCrc32c(crc32c(block.subarray(0, size + 1))) === block.readUInt32LE(size + 1);
}

async function handleEntries(
  read: ReadAt,
  index: Handle,
): Promise<{ readonly key: Buffer; readonly handle: Handle }[] | undefined> {
  const stored = await wholeBlock(read, index);
  if (!stored) return undefined;
  const data = stored.subarray(0, index.size);
  const block = stored[index.size] === SNAPPY ? unsnappy(data) : data;
  const end = block.length - 4 - 4 * block.readUInt32LE(block.length - 4);
  const reader = new VarintReader(block.subarray(0, end));
  const entries: { key: Buffer; handle: Handle }[] = [];
  let key = Buffer.alloc(0);
  while (!reader.atEnd) {
    const shared = reader.varint();
    const unshared = reader.varint();
    const valueBytes = reader.varint();
    key = Buffer.concat([key.subarray(0, shared), reader.take(unshared)]);
    const handle = nextHandle(new VarintReader(reader.take(valueBytes)));
    if (!handle) return undefined;
    entries.push({ key, handle });
  }
  return entries;
}

function nextHandle(reader: VarintReader): Handle | undefined {
  if (reader.atEnd) return undefined;
  return { offset: reader.varint(), size: reader.varint() };
}
