// On which line of a TOML text each key stands. The parser does not tell, so the lines are looked at one by one; a key
// that is written in an unusual way (inside an inline table, say) has no line, and is then named without one.

const HEADER = /^\s*\[(\[?)\s*([A-Za-z0-9_.-]+)\s*\]/;
const ASSIGNMENT = /^\s*(?:"([^"]*)"|'([^']*)'|([A-Za-z0-9_.-]+))\s*=/;

export class KeyLines {
  readonly #lines = new Map<string, number>();

  constructor(toml: string) {
    const tables = new Map<string, number>();
    let table = '';
    for (const [index, line] of outsideLongStrings(toml)) {
      const header = HEADER.exec(line);
      const assignment = ASSIGNMENT.exec(line);
      if (header) {
        const [, array, name] = header;
        const position = tables.get(name!) ?? 0;
        tables.set(name!, position + 1);
        table = array ? pathOf(name!, position) : name!;
        this.#add(table, index + 1);
      } else if (assignment) {
        this.#add(pathOf(table, (assignment[1] ?? assignment[2] ?? assignment[3])!), index + 1);
      }
    }
  }

  /** `path` is `key`, `section.key`, or `export.0.key`. */
  lineOf(path: string): number | undefined {
    return this.#lines.get(path);
  }

  #add(path: string, line: number): void {
    if (!this.#lines.has(path)) this.#lines.set(path, line);
  }
}

export function pathOf(table: string, key: string | number): string {
  return table === '' ? String(key) : `${table}.${key}`;
}

function* outsideLongStrings(toml: string): Generator<[index: number, line: string]> {
  let delimiter: string | undefined;
  for (const [index, line] of toml.split('\n').entries()) {
    const inside = delimiter !== undefined;
    for (const [mark] of line.matchAll(/"""|'''/g)) {
      if (delimiter === undefined) delimiter = mark;
      else if (delimiter === mark) delimiter = undefined;
    }
    if (!inside) yield [index, line];
  }
}
