// What clients may ask for next: chosen at random from a mix, about what is there.

import { type SeededRandom, upTo } from '../../kv/seeded-random.ts';
import type { FileState } from './file-state.ts';
import type { State } from './oracle.ts';

/** A place is "directory/name". */
export type Command =
  | {
      readonly kind: 'create';
      readonly place: string;
      readonly mode: number;
      readonly how: 'guarded' | 'unchecked';
    }
  | {
      readonly kind: 'write';
      readonly ino: number;
      readonly from: number;
      readonly bytes: number;
      readonly stable: boolean;
    }
  | { readonly kind: 'commit'; readonly ino: number }
  | { readonly kind: 'read'; readonly ino: number; readonly from: number; readonly bytes: number }
  | { readonly kind: 'truncate'; readonly ino: number; readonly size: number }
  | { readonly kind: 'mode'; readonly ino: number; readonly mode: number }
  | { readonly kind: 'mtime'; readonly ino: number }
  | { readonly kind: 'remove'; readonly place: string }
  | { readonly kind: 'link'; readonly place: string; readonly ino: number }
  | { readonly kind: 'rename'; readonly place: string; readonly target: string }
  | { readonly kind: 'keep' }
  | { readonly kind: 'flush'; readonly choice: number }
  | { readonly kind: 'reclaim'; readonly rollOver: boolean };

type Kind = Command['kind'] | 'scatter';

const WEIGHTS: Readonly<Record<Kind, number>> = {
  ...{
    create: 8,
    write: 30,
    commit: 6,
    read: 8,
    truncate: 8,
    mode: 4,
    mtime: 3,
    remove: 5,
    link: 3,
    rename: 4,
  },
  ...{ keep: 3, flush: 8, reclaim: 6, scatter: 1 },
};

/** Some runs do everything, others dwell on a few things. */
const MIXES: readonly (readonly Kind[])[] = [
  Object.keys(WEIGHTS) as Kind[],
  ['create', 'write', 'commit', 'truncate', 'read', 'flush', 'scatter'],
  ['create', 'write', 'keep', 'truncate', 'flush', 'remove', 'mode', 'mtime', 'reclaim'],
  ['create', 'write', 'flush', 'reclaim', 'read', 'truncate', 'keep', 'scatter'],
  ['create', 'remove', 'rename', 'link', 'write', 'commit', 'keep', 'flush', 'mode'],
];

const NAMES = ['a', 'b', 'c'];
const WINDOWS = 6;
/** More than a shrink takes in one batch. */
const WINDOWS_MANY = 90;

export interface CommandOptions {
  readonly random: SeededRandom;
  readonly mix: number;
  readonly directories: readonly number[];
  readonly windowLog2: number;
}

export class Commands {
  private readonly options: CommandOptions;
  private readonly kinds: readonly Kind[];
  /** Now and then the same bytes are written again. */
  private readonly lastWrites = new Map<number, { readonly from: number; readonly bytes: number }>();

  constructor(options: CommandOptions) {
    this.options = options;
    this.kinds = MIXES[options.mix % MIXES.length]!.flatMap((kind) => Array<Kind>(WEIGHTS[kind]).fill(kind));
  }

  /** One or, for writes all over a window, many; none where there is nothing to do it with. */
  next(state: State): Command[] {
    const { random } = this.options;
    const kind = this.any(this.kinds);
    const files = [...state.files];
    switch (kind) {
      case 'create':
        return [
          { kind, place: this.place(), mode: upTo(random, 0o777), how: this.any(['guarded', 'unchecked']) },
        ];
      case 'keep':
        return [{ kind }];
      case 'flush':
        return [{ kind, choice: upTo(random, 9) }];
      case 'reclaim':
        return [{ kind, rollOver: random() < 0.5 }];
      case 'remove':
        return [{ kind, place: this.place() }];
      case 'rename':
        return [{ kind, place: this.place(), target: this.place() }];
      default: {
        if (files.length === 0) return [];
        const [ino, file] = this.any(files);
        return kind === 'scatter' ? this.scatter(ino) : [this.about(kind, ino, file)];
      }
    }
  }

  private about(kind: Kind, ino: number, file: FileState): Command {
    const { random } = this.options;
    switch (kind) {
      case 'write': {
        const again = random() < 0.2 ? this.lastWrites.get(ino) : undefined;
        const { from, bytes } = again ?? { from: this.offset(file), bytes: this.bytes() };
        this.lastWrites.set(ino, { from, bytes });
        return { kind, ino, from, bytes, stable: random() < 0.3 };
      }
      case 'read':
        return {
          kind,
          ino,
          from: this.offset(file),
          bytes: 1 + upTo(random, random() < 0.5 ? 2 ** 19 : 5000),
        };
      case 'truncate':
        return { kind, ino, size: random() < 0.25 ? 0 : this.offset(file) };
      case 'mode':
        return { kind, ino, mode: upTo(random, 0o777) };
      case 'link':
        return { kind, ino, place: this.place() };
      case 'mtime':
        return { kind, ino };
      default:
        return { kind: 'commit', ino };
    }
  }

  /** Small writes with gaps, more than a map has extents. */
  private scatter(ino: number): Command[] {
    const { random, windowLog2 } = this.options;
    const windowBytes = 2 ** windowLog2;
    const start = upTo(random, 1) * windowBytes;
    const stride = Math.min(2048, windowBytes / 160);
    const count = 100 + upTo(random, 50);
    return Array.from({ length: count }, (_, at) => ({
      ...{
        kind: 'write' as const,
        ino,
        from: Math.floor(start + at * stride),
        bytes: 1 + upTo(random, 20),
        stable: false,
      },
    }));
  }

  private bytes(): number {
    const { random } = this.options;
    const [least, most] = this.any([
      [1, 20],
      [100, 4000],
      [4000, 9000],
      [4000, 9000],
      [20_000, 70_000],
      [20_000, 70_000],
      [130_000, 300_000],
    ] as const);
    return least + upTo(random, most - least);
  }

  private offset({ sizeMax, runs }: FileState): number {
    const { random, windowLog2 } = this.options;
    const windowBytes = 2 ** windowLog2;
    const where = random();
    if (where < 0.2) return sizeMax;
    const edge = runs.length > 0 ? this.any(runs) : { from: 0, to: 0 };
    if (where < 0.3) return edge.from;
    if (where < 0.4) return edge.to;
    if (where < 0.5) return upTo(random, WINDOWS) * windowBytes;
    if (where < 0.6) return upTo(random, 4 * WINDOWS) * 4096;
    // Many windows of 1 MiB would take the time of all else.
    if (where < 0.67 && windowLog2 < 20) return upTo(random, WINDOWS_MANY) * windowBytes + upTo(random, 3);
    return upTo(random, Math.min(WINDOWS * windowBytes, 2 ** 19));
  }

  private place(): string {
    return `${this.any(this.options.directories)}/${this.any(NAMES)}`;
  }

  private any<T>(list: readonly T[]): T {
    return list[upTo(this.options.random, list.length - 1)]!;
  }
}
