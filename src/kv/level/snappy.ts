// Snappy, uncompressed: how LevelDB stores its blocks.
//
//   stream  := length:varint element*
//   element := literal | copy         by the low two bits of the tag: 0 literal, 1 to 3 a copy with 1, 2 or 4 bytes of offset

/** @throws RangeError for what Snappy did not make */
export function unsnappy(stream: Buffer): Buffer {
  let at = 0;
  let length = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = stream[at++]!;
    length |= (byte & 0x7f) << shift;
    if (byte < 0x80) break;
  }
  const out = Buffer.alloc(length);
  let to = 0;
  while (at < stream.length) {
    const tag = stream[at++]!;
    const kind = tag & 3;
    if (kind === 0) {
      let count = tag >>> 2;
      if (count >= 60) {
        const bytes = count - 59;
        count = stream.readUIntLE(at, bytes);
        at += bytes;
      }
      to += stream.copy(out, to, at, at + count + 1);
      at += count + 1;
      continue;
    }
    const bytes = kind === 3 ? 4 : kind;
    const count = kind === 1 ? 4 + ((tag >>> 2) & 7) : 1 + (tag >>> 2);
    const offset = kind === 1 ? ((tag >>> 5) << 8) | stream[at]! : stream.readUIntLE(at, bytes);
    at += bytes;
    if (offset === 0 || offset > to)
      throw new RangeError('Cannot uncompress a block: a copy begins before it');
    // Byte by byte: a copy may overlap what it makes.
    for (let i = 0; i < count; i++, to++) out[to] = out[to - offset]!;
  }
  return out;
}
