// The oracle: one sequential file system that takes each operation at its stage, an UNSTABLE write when it is accepted.
//
// Events are noted with the ticket that they have in the store's queue. After a crash the store says up to which ticket
// it has everything; the oracle is played again up to there, with writes that nobody was promised as "there or not".

import { check, type FileState, newFile, resized, written } from './file-state.ts';

export type Change =
  | {
      readonly kind: 'create';
      readonly place: string;
      readonly ino: number;
      readonly mtime: string;
      readonly mode: number;
    }
  | {
      readonly kind: 'write';
      readonly ino: number;
      readonly id: number;
      readonly from: number;
      readonly to: number;
      readonly mtime: string;
    }
  | { readonly kind: 'size'; readonly ino: number; readonly size: number; readonly mtime: string }
  | { readonly kind: 'mtime'; readonly ino: number; readonly mtime: string }
  | { readonly kind: 'mode'; readonly ino: number; readonly mode: number }
  | { readonly kind: 'remove'; readonly place: string }
  | { readonly kind: 'link'; readonly place: string; readonly ino: number }
  | { readonly kind: 'rename'; readonly place: string; readonly target: string }
  | { readonly kind: 'keep'; readonly generation: number }
  /** Everything is as it was. */
  | { readonly kind: 'rollback'; readonly state: State };

/** Everything there is: names ("directory/name") and files. */
export interface State {
  readonly names: Map<string, number>;
  readonly files: Map<number, FileState>;
}

export interface Event {
  readonly change: Change;
  /** Of the item that stages it; of a write that is only accepted, of the last item before it. */
  readonly ticket: number;
  readonly accepted: boolean;
  /** From this ticket on, the bytes of a write are in the store. */
  stableTicket: number;
  /** A reply has promised it. */
  acknowledged: boolean;
}

export class Oracle {
  /** States of each file since the last crash, the newest last. */
  readonly versions = new Map<number, FileState[]>();
  /** States at kept generations. */
  readonly kept = new Map<number, State>();
  private state: State;
  private base: State;
  private events: Event[] = [];
  private played = 0;

  constructor(state: State = { names: new Map(), files: new Map() }) {
    this.state = copyOf(state);
    this.base = state;
    for (const [ino, file] of state.files) this.versions.set(ino, [file]);
  }

  /** Notes what was staged with `ticket`. The turn of the stage may be over, so events need not come in order. */
  staged(ticket: number, change: Change): Event {
    return this.note({ change, ticket, accepted: false, stableTicket: ticket, acknowledged: false });
  }

  /** Notes what was accepted behind everything staged up to `ticket`. */
  accepted(ticket: number, change: Change): Event {
    const stableTicket = Number.POSITIVE_INFINITY;
    return this.note({ change, ticket, accepted: true, stableTicket, acknowledged: false });
  }

  /** What is there now. Only when every operation that is staged has been noted. */
  get now(): State {
    const fresh = this.events.slice(this.played).sort((a, b) => position(a) - position(b));
    this.events.splice(this.played, fresh.length, ...fresh);
    for (const { change } of fresh) this.play(change);
    this.played = this.events.length;
    return this.state;
  }

  /** What was there when {@link now} was last asked for: good enough to choose what to do next. */
  get known(): State {
    return this.state;
  }

  /** Writes to a file that no reply has promised. */
  unpromised(ino: number): Event[] {
    return this.events.filter(
      ({ change, acknowledged }) => change.kind === 'write' && change.ino === ino && !acknowledged,
    );
  }

  /**
   * What may be there after a crash that leaves everything up to `ticket`.
   * @throws Violation when something acknowledged is behind that
   */
  after(ticket: number): State {
    void this.now;
    const state = copyOf(this.base);
    for (const event of this.events) {
      const { change, stableTicket, acknowledged } = event;
      const there = change.kind === 'write' ? stableTicket <= ticket : event.ticket <= ticket;
      check(
        there || !acknowledged,
        `${JSON.stringify(change)} was acknowledged and is lost: the store ends at ${ticket}`,
      );
      if (event.ticket <= ticket) play(state, change, stableTicket <= ticket);
    }
    return state;
  }

  private note(event: Event): Event {
    this.events.push(event);
    return event;
  }

  private play(change: Change): void {
    const { state } = this;
    const before = 'ino' in change ? state.files.get(change.ino) : undefined;
    play(state, change, true);
    if (change.kind === 'keep') this.kept.set(change.generation, copyOf(state));
    if (change.kind === 'rollback') for (const [ino, file] of state.files) this.addVersion(ino, file);
    if (!('ino' in change)) return;
    const after = state.files.get(change.ino);
    if (after && after !== before) this.addVersion(change.ino, after);
  }

  private addVersion(ino: number, file: FileState): void {
    const versions = this.versions.get(ino);
    if (versions) versions.push(file);
    else this.versions.set(ino, [file]);
  }
}

/** What is accepted comes after the item before it, and before the next one. */
function position({ ticket, accepted }: Event): number {
  return ticket + (accepted ? 0.5 : 0);
}

export function copyOf({ names, files }: State): State {
  return { names: new Map(names), files: new Map(files) };
}

function play(state: State, change: Change, sure: boolean): void {
  const { names, files } = state;
  switch (change.kind) {
    case 'create':
      names.set(change.place, change.ino);
      files.set(change.ino, newFile(change.mtime, change.mode));
      return;
    case 'remove':
      unlink(state, change.place);
      return;
    case 'link':
      names.set(change.place, change.ino);
      edit(state, change.ino, (file) => ({ ...file, nlink: file.nlink + 1 }));
      return;
    case 'rename': {
      const ino = names.get(change.place)!;
      if (names.has(change.target)) unlink(state, change.target);
      names.delete(change.place);
      names.set(change.target, ino);
      return;
    }
    case 'keep':
      return;
    case 'rollback':
      names.clear();
      files.clear();
      for (const [place, ino] of change.state.names) names.set(place, ino);
      for (const [ino, file] of change.state.files) files.set(ino, file);
      return;
    default:
      edit(state, change.ino, (file) => changed(file, change, sure));
  }
}

function changed(file: FileState, change: Change, sure: boolean): FileState {
  switch (change.kind) {
    case 'write':
      return written(file, { ...change, sure });
    case 'size':
      return { ...resized(file, change.size), mtimes: [change.mtime] };
    case 'mtime':
      return { ...file, mtimes: [change.mtime] };
    case 'mode':
      return { ...file, mode: change.mode };
    default:
      return file;
  }
}

function edit({ files }: State, ino: number, change: (file: FileState) => FileState): void {
  const file = files.get(ino);
  if (file) files.set(ino, change(file));
}

function unlink(state: State, place: string): void {
  const ino = state.names.get(place)!;
  state.names.delete(place);
  const { nlink } = state.files.get(ino)!;
  if (nlink === 1) state.files.delete(ino);
  else edit(state, ino, (file) => ({ ...file, nlink: nlink - 1 }));
}
