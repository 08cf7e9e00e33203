// What clients say they have mounted (RFC 1813 §5.2.2: it is a hint, kept for DUMP and showmount). Bounded: past the
// limit the oldest is forgotten. It does not outlive the process.

export const MOUNTS_MAX = 4096;

export interface MountEntry {
  readonly address: string;
  readonly path: string;
}

export class MountTable {
  private readonly entries = new Map<string, MountEntry>();

  add(entry: MountEntry): void {
    const key = keyOf(entry);
    this.entries.delete(key);
    this.entries.set(key, entry);
    if (this.entries.size <= MOUNTS_MAX) return;
    const [oldest] = this.entries.keys();
    this.entries.delete(oldest!);
  }

  remove(entry: MountEntry): void {
    this.entries.delete(keyOf(entry));
  }

  removeAll(address: string): void {
    for (const [key, entry] of this.entries) if (entry.address === address) this.entries.delete(key);
  }

  list(): MountEntry[] {
    return [...this.entries.values()];
  }

  of(address: string): string[] {
    return this.list().flatMap((entry) => (entry.address === address ? [entry.path] : []));
  }
}

function keyOf({ address, path }: MountEntry): string {
  return `${address} ${path}`;
}
