// The keys of a journal file in order, as strings of bytes. Hardly anybody asks for a range of them, and every change adds
// some: so only their places are piled up, and when a range is asked for they are put to those that begin alike, and
// sorted.
//
//   group    1st to 5th byte     a family of one tree (see keys.ts), or a family
//   prefix   1st to 13th byte    one directory, one file: within a group
//   id       all of it           within a prefix

const GROUP_BYTES = 5;
const PREFIX_BYTES = 13;
/** What has come since is merged into the rest when it is more: else it is sorted anew each time that somebody asks. */
const RECENT_MAX = 512;

export class OrderedIds {
  private pile: number[] = [];
  private readonly groups = new Map<string, SortedStrings>();
  private readonly groupNames = new SortedStrings();
  /** Of prefixes below which there are longer ids. */
  private readonly prefixes = new Map<string, SortedStrings>();
  private readonly idAt: (place: number) => string;
  private readonly isId: (prefix: string) => boolean;

  /** @param isId whether a prefix has been added as an id */
  constructor(idAt: (place: number) => string, isId: (prefix: string) => boolean) {
    this.idAt = idAt;
    this.isId = isId;
  }

  /** The id at a place; it has not been added yet. */
  add(place: number): void {
    this.pile.push(place);
  }

  /** Ascending, from `from` on and below `to`; good until the next change. */
  *between(from: string, to: string): Generator<string> {
    this.sortPile();
    for (const group of this.groupNames.between(from.slice(0, GROUP_BYTES), to)) {
      let last: string | undefined;
      for (const prefix of this.groups.get(group)!.between(from.slice(0, PREFIX_BYTES), to)) {
        // It is there a second time when it is an id as well.
        if (prefix === last) continue;
        last = prefix;
        if (prefix >= from && this.isId(prefix)) yield prefix;
        const longer = this.prefixes.get(prefix);
        if (longer) yield* longer.between(from, to);
      }
    }
  }

  clear(): void {
    this.pile = [];
    this.groups.clear();
    this.groupNames.clear();
    this.prefixes.clear();
  }

  private sortPile(): void {
    for (const place of this.pile) {
      const id = this.idAt(place);
      if (id.length <= PREFIX_BYTES) this.addToGroup(id);
      else this.addToPrefix(id);
    }
    this.pile = [];
  }

  private addToPrefix(id: string): void {
    const prefix = id.slice(0, PREFIX_BYTES);
    if (addTo(this.prefixes, prefix, id)) this.addToGroup(prefix);
  }

  private addToGroup(prefix: string): void {
    const group = prefix.slice(0, GROUP_BYTES);
    if (addTo(this.groups, group, prefix)) this.groupNames.add(group);
  }
}

/** True for the first of its name. */
function addTo(lists: Map<string, SortedStrings>, name: string, one: string): boolean {
  const known = lists.get(name);
  const list = known ?? new SortedStrings();
  list.add(one);
  if (!known) lists.set(name, list);
  return !known;
}

class SortedStrings {
  private sorted: string[] = [];
  /** Sorted as well, but for what is behind `settled`. */
  private recent: string[] = [];
  private settled = 0;

  add(one: string): void {
    this.recent.push(one);
  }

  *between(from: string, to: string): Generator<string> {
    this.settle();
    const { sorted, recent } = this;
    let one = firstNotBefore(sorted, from);
    let other = firstNotBefore(recent, from);
    for (;;) {
      const [above, below] = [sorted[one], recent[other]];
      const isBelow = above === undefined || (below !== undefined && below < above);
      const next = isBelow ? below : above;
      if (next === undefined || next >= to) return;
      if (isBelow) other++;
      else one++;
      yield next;
    }
  }

  clear(): void {
    this.sorted = [];
    this.recent = [];
    this.settled = 0;
  }

  private settle(): void {
    if (this.recent.length > this.settled) this.recent.sort();
    if (this.recent.length > RECENT_MAX) {
      this.sorted = this.sorted.length > 0 ? merged(this.sorted, this.recent) : this.recent;
      this.recent = [];
    }
    this.settled = this.recent.length;
  }
}

function merged(one: readonly string[], other: readonly string[]): string[] {
  const all: string[] = [];
  let next = 0;
  for (const each of one) {
    while (next < other.length && other[next]! < each) all.push(other[next++]!);
    all.push(each);
  }
  while (next < other.length) all.push(other[next++]!);
  return all;
}

function firstNotBefore(ascending: readonly string[], wanted: string): number {
  let [from, to] = [0, ascending.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (ascending[middle]! < wanted) from = middle + 1;
    else to = middle;
  }
  return from;
}
