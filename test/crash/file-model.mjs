// What may be in a file after a crash.
//
//   durable   the bytes that a stable reply has promised: after a crash they are there
//   pending   writes without such a promise, in the order of sending: of each byte, after a crash, either its durable
//             value or that of one of them is there (a byte past the durable end that none brought is zero)
//   current   what READ shows meanwhile

export class FileModel {
  durable = Buffer.alloc(0);
  current = Buffer.alloc(0);
  pending = [];
  /** The size or mode of a SETATTR that was not answered. */
  askedSize = undefined;
  askedMode = undefined;

  constructor(mode) {
    this.kind = 'file';
    this.mode = mode;
    this.links = 1;
  }

  /** A WRITE goes out; answers the record to settle it with. */
  sent(offset, data) {
    const write = { offset, data, acknowledged: false, verifier: undefined };
    this.pending.push(write);
    this.current = overlay(this.current, offset, data);
    return write;
  }

  /** The write is stable: what was sent before it under its range can never show again. */
  settled(write) {
    const index = this.pending.indexOf(write);
    const before = this.pending.slice(0, index).flatMap((older) => cut(older, write.offset, end(write)));
    this.pending = [...before, ...this.pending.slice(index + 1)];
    this.durable = overlay(this.durable, write.offset, write.data);
  }

  /** A COMMIT was answered that was sent when `writes` were all acknowledged. */
  committed(writes) {
    for (const write of writes) this.durable = overlay(this.durable, write.offset, write.data);
    this.pending = this.pending.filter((write) => !writes.includes(write));
  }

  truncated(size) {
    this.durable = resized(this.durable, size);
    this.current = resized(this.current, size);
    this.pending = this.pending.flatMap((write) => cut(write, size, Number.POSITIVE_INFINITY));
    this.askedSize = undefined;
  }

  /** After a crash: how `size` and `mode` offend, or undefined. */
  offenceOfAttributes({ size, mode }) {
    const sizes = new Set([
      this.durable.length,
      ...this.pending.map((w) => Math.max(this.durable.length, end(w))),
    ]);
    if (this.askedSize !== undefined) sizes.add(this.askedSize);
    if (!sizes.has(size)) return `size is ${size}, may be ${[...sizes].sort((a, b) => a - b).join(' or ')}`;
    if (mode === this.mode || mode === this.askedMode) return undefined;
    return `mode is ${mode.toString(8)}, may be ${this.mode.toString(8)} or ${this.askedMode?.toString(8)}`;
  }

  /** After a crash: how `bytes` offend, or undefined. */
  offenceOfBytes(bytes) {
    const base = resized(this.durable, bytes.length);
    if (base.equals(bytes)) return undefined;
    const explained = new Uint8Array(bytes.length);
    const explain = (from, data) => {
      const to = Math.min(bytes.length, from + data.length);
      for (let at = from; at < to; at++) if (bytes[at] === data[at - from]) explained[at] = 1;
    };
    explain(0, base);
    for (const { offset, data } of this.pending) explain(offset, data);
    const first = explained.indexOf(0);
    if (first < 0) return undefined;
    const count = explained.reduce((sum, one) => sum + (one === 0 ? 1 : 0), 0);
    const covering = this.pending.filter((w) => w.offset <= first && first < end(w)).length;
    const found = bytes.subarray(first, first + 8).toString('hex');
    const promised = base.subarray(first, first + 8).toString('hex');
    return `${count} bytes are neither old nor new, the first at ${first} of ${bytes.length}: found ${found}, promised ${promised}, ${covering} pending writes there`;
  }

  /** Takes what was found after the crash as the new beginning. */
  startFrom(bytes, mode) {
    this.durable = Buffer.from(bytes);
    this.current = this.durable;
    this.pending = [];
    this.mode = mode;
    this.askedSize = undefined;
    this.askedMode = undefined;
  }
}

const end = ({ offset, data }) => offset + data.length;

function overlay(bytes, offset, data) {
  const result = resized(bytes, Math.max(bytes.length, offset + data.length));
  data.copy(result, offset);
  return result;
}

/** A copy with another length; what is new is zero. */
function resized(bytes, length) {
  const result = Buffer.alloc(length);
  bytes.copy(result, 0, 0, Math.min(length, bytes.length));
  return result;
}

/** What is left of a write without the bytes of [from, to): nothing, one piece or two. */
function cut(write, from, to) {
  if (end(write) <= from || write.offset >= to) return [write];
  const pieces = [];
  if (write.offset < from) pieces.push({ ...write, data: write.data.subarray(0, from - write.offset) });
  if (end(write) > to) pieces.push({ ...write, offset: to, data: write.data.subarray(to - write.offset) });
  return pieces;
}
