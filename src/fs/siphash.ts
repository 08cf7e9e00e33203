// SipHash-2-4 (Aumasson and Bernstein, 2012): a keyed 64-bit hash. Whoever does not know the key cannot choose inputs
// that collide. The four 64-bit words of its state are kept as int32 halves, because BigInt is far slower.

const KEY_BYTES = 16;
const WORD_BYTES = 8;
const ROUNDS_PER_WORD = 2;
const FINAL_ROUNDS = 4;

/** A 64-bit result as two u32 halves. */
export interface Hash64 {
  readonly high: number;
  readonly low: number;
}

/** The hash of any bytes under one key of 16 bytes. */
export function sipHash(key: Uint8Array): (bytes: Uint8Array) => Hash64 {
  if (key.length !== KEY_BYTES) {
    throw new RangeError(`Cannot hash under a key of ${key.length} bytes: expected ${KEY_BYTES}`);
  }
  // The constants spell "somepseudorandomlygeneratedbytes".
  const start = Int32Array.of(
    word(key, 0) ^ 0x70736575,
    word(key, 4) ^ 0x736f6d65,
    word(key, 8) ^ 0x6e646f6d,
    word(key, 12) ^ 0x646f7261,
    word(key, 0) ^ 0x6e657261,
    word(key, 4) ^ 0x6c796765,
    word(key, 8) ^ 0x79746573,
    word(key, 12) ^ 0x74656462,
  );
  return (bytes) => hash(start, bytes);
}

/** All rounds in one loop, so that the round stands here once and its state stays in registers. */
function hash(start: Int32Array, bytes: Uint8Array): Hash64 {
  let v0l = start[0]!;
  let v0h = start[1]!;
  let v1l = start[2]!;
  let v1h = start[3]!;
  let v2l = start[4]!;
  let v2h = start[5]!;
  let v3l = start[6]!;
  let v3h = start[7]!;
  const wholeWords = bytes.length >>> 3;
  const finalRound = (wholeWords + 1) * ROUNDS_PER_WORD;
  let low = 0;
  let high = 0;
  for (let round = 0; round < finalRound + FINAL_ROUNDS; round++) {
    if (round === finalRound) {
      v2l ^= 0xff;
    } else if (round < finalRound && round % ROUNDS_PER_WORD === 0) {
      const at = (round / ROUNDS_PER_WORD) * WORD_BYTES;
      const whole = at + WORD_BYTES <= bytes.length;
      low = whole ? word(bytes, at) : lastWord(bytes, at, 0);
      high = whole ? word(bytes, at + 4) : lastWord(bytes, at + 4, bytes.length);
      v3l ^= low;
      v3h ^= high;
    }

    v0l = (v0l + v1l) | 0;
    v0h = (v0h + v1h + carry(v0l, v1l)) | 0;
    let old = v1l;
    v1l = ((v1l << 13) | (v1h >>> 19)) ^ v0l;
    v1h = ((v1h << 13) | (old >>> 19)) ^ v0h;
    old = v0l;
    v0l = v0h;
    v0h = old;

    v2l = (v2l + v3l) | 0;
    v2h = (v2h + v3h + carry(v2l, v3l)) | 0;
    old = v3l;
    v3l = ((v3l << 16) | (v3h >>> 16)) ^ v2l;
    v3h = ((v3h << 16) | (old >>> 16)) ^ v2h;

    v0l = (v0l + v3l) | 0;
    v0h = (v0h + v3h + carry(v0l, v3l)) | 0;
    old = v3l;
    v3l = ((v3l << 21) | (v3h >>> 11)) ^ v0l;
    v3h = ((v3h << 21) | (old >>> 11)) ^ v0h;

    v2l = (v2l + v1l) | 0;
    v2h = (v2h + v1h + carry(v2l, v1l)) | 0;
    old = v1l;
    v1l = ((v1l << 17) | (v1h >>> 15)) ^ v2l;
    v1h = ((v1h << 17) | (old >>> 15)) ^ v2h;
    old = v2l;
    v2l = v2h;
    v2h = old;

    if (round < finalRound && round % ROUNDS_PER_WORD === ROUNDS_PER_WORD - 1) {
      v0l ^= low;
      v0h ^= high;
    }
  }
  return { high: (v0h ^ v1h ^ v2h ^ v3h) >>> 0, low: (v0l ^ v1l ^ v2l ^ v3l) >>> 0 };
}

/** Four bytes, little-endian as SipHash has them. */
function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** One half of the last word: what is left of the input, and the input's length in the top byte of the high half. */
function lastWord(bytes: Uint8Array, at: number, lengthOnTop: number): number {
  let half = lengthOnTop << 24;
  for (let i = at; i < bytes.length && i < at + 4; i++) half |= bytes[i]! << ((i - at) * 8);
  return half;
}

/** Of a 32-bit sum, given one of what was added. */
function carry(sum: number, addend: number): 0 | 1 {
  return sum >>> 0 < addend >>> 0 ? 1 : 0;
}
