// What a file is, or after a crash may be: for each run of bytes the writes that it may show, for its size and mtime
// the values that they may have. While nothing has crashed there is one of each.

import { HOLE, patternOf } from './pattern.ts';

/** Bytes from `from` up to `to`, as one of `ids` wrote them. */
interface Run {
  readonly from: number;
  readonly to: number;
  readonly ids: readonly number[];
}

/** Immutable. */
export interface FileState {
  /** Ascending, never overlapping; between them are holes. */
  readonly runs: readonly Run[];
  readonly sizeMin: number;
  readonly sizeMax: number;
  /** "seconds.nanoseconds" */
  readonly mtimes: readonly string[];
  readonly nlink: number;
  readonly mode: number;
}

/** What is found of a file. */
export interface FoundFile {
  readonly size: number;
  readonly mtime: string;
  readonly nlink: number;
  readonly mode: number;
  readonly read: (from: number, to: number) => Promise<Buffer>;
}

export class Violation extends Error {
  override readonly name = 'Violation';
}

const READ_BYTES = 2 ** 18;

export function newFile(mtime: string, mode: number): FileState {
  return { runs: [], sizeMin: 0, sizeMax: 0, mtimes: [mtime], nlink: 1, mode };
}

interface WriteEffect {
  readonly id: number;
  readonly from: number;
  readonly to: number;
  readonly mtime: string;
  /** Not: each byte is there or not. */
  readonly sure: boolean;
}

export function written(file: FileState, { id, from, to, mtime, sure }: WriteEffect): FileState {
  const over = sure ? [{ from, to, ids: [id] }] : between(file.runs, from, to, (ids) => [...ids, id]);
  return {
    ...file,
    runs: [...between(file.runs, 0, from), ...over, ...between(file.runs, to, Number.POSITIVE_INFINITY)],
    sizeMin: sure ? Math.max(file.sizeMin, to) : file.sizeMin,
    sizeMax: Math.max(file.sizeMax, to),
    mtimes: sure ? [mtime] : [...file.mtimes, mtime],
  };
}

export function resized(file: FileState, size: number): FileState {
  return { ...file, runs: between(file.runs, 0, size), sizeMin: size, sizeMax: size };
}

/** The runs from `from` up to `to`; with `change` the holes between them become runs too. */
function between(
  runs: readonly Run[],
  from: number,
  to: number,
  change?: (ids: readonly number[]) => readonly number[],
): Run[] {
  const found: Run[] = [];
  let at = from;
  const add = (end: number, ids: readonly number[]) => {
    if (end > at) found.push({ from: at, to: end, ids: change ? change(ids) : ids });
    at = Math.max(at, end);
  };
  for (const run of runs) {
    if (run.to <= from || run.from >= to) continue;
    if (change) add(run.from, [HOLE]);
    at = Math.max(at, run.from);
    add(Math.min(run.to, to), run.ids);
  }
  if (change) add(to, [HOLE]);
  return found;
}

/**
 * Checks a file against what it may be.
 * @returns the one of its possible states that it is
 */
export async function settledState(what: string, file: FileState, found: FoundFile): Promise<FileState> {
  const { size, mtime, nlink, mode } = found;
  check(nlink === file.nlink, `${what} has ${nlink} links, should have ${file.nlink}`);
  check(mode === file.mode, `${what} has mode ${mode.toString(8)}, should have ${file.mode.toString(8)}`);
  check(
    size >= file.sizeMin && size <= file.sizeMax,
    `${what} has ${size} bytes, should have ${file.sizeMin} to ${file.sizeMax}`,
  );
  check(file.mtimes.includes(mtime), `${what} has mtime ${mtime}, should have ${file.mtimes.join(' or ')}`);
  const runs: Run[] = [];
  for (let from = 0; from < size; from += READ_BYTES) {
    const to = Math.min(size, from + READ_BYTES);
    runs.push(...settledRuns(what, file, from, await found.read(from, to)));
  }
  const last = runs.at(-1);
  const endsInHole = size > 0 && (last?.to !== size || last.ids[0] === HOLE);
  check(size <= file.sizeMin || !endsInHole, `${what} has ${size} bytes, but not the last one`);
  return { ...newFile(mtime, mode), runs, sizeMin: size, sizeMax: size, nlink };
}

/** Checks some bytes, and tells which writes they are of. */
export function settledRuns(what: string, file: FileState, from: number, bytes: Buffer): Run[] {
  const settled: Run[] = [];
  for (const run of between(file.runs, from, from + bytes.length, (ids) => ids)) {
    const { ids } = run;
    for (let at = run.from; at < run.to; ) {
      const [id, end] = longestMatch(ids, at, run.to, bytes.subarray(at - from, run.to - from));
      if (end === at) {
        const wanted = ids.map((one) => `${patternOf(one, at, at + 1)[0]} (write ${one})`).join(' or ');
        throw new Violation(`${what}: byte ${at} is ${bytes[at - from]}, should be ${wanted}`);
      }
      if (id !== HOLE) settled.push({ from: at, to: end, ids: [id] });
      at = end;
    }
  }
  return settled;
}

/** Which of the writes explains most of the bytes, and up to where. */
function longestMatch(
  ids: readonly number[],
  from: number,
  to: number,
  bytes: Buffer,
): [id: number, end: number] {
  let best: [number, number] = [HOLE, from];
  for (const id of ids) {
    const pattern = patternOf(id, from, to);
    let length = bytes.equals(pattern) ? bytes.length : 0;
    if (length === 0) while (length < bytes.length && bytes[length] === pattern[length]) length++;
    if (from + length > best[1]) best = [id, from + length];
  }
  return best;
}

export function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Violation(message);
}
