// Sizes as people type and read them. `KiB`, `MiB`… are powers of 1024 and `KB`, `MB`… of 1000, as the units say;
// the bare letters `K`, `M`… are powers of 1024, as `zfs set quota=10G` means them. Case does not matter.

const LETTERS = ['K', 'M', 'G', 'T', 'P'] as const;

const FACTORS: ReadonlyMap<string, number> = new Map([
  ['', 1],
  ['B', 1],
  ...LETTERS.flatMap((letter, index): [string, number][] => [
    [letter, 1024 ** (index + 1)],
    [`${letter}IB`, 1024 ** (index + 1)],
    [`${letter}B`, 1000 ** (index + 1)],
  ]),
]);

/** The text is no size; `message` says what a size looks like. */
export class ByteSizeError extends Error {
  override readonly name = 'ByteSizeError';
}

/**
 * Whole bytes, 0 to 2^53-1; a fraction such as `1.5GiB` is rounded to the nearest byte.
 *
 * @throws ByteSizeError
 */
export function parseByteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([a-z]*)$/i.exec(text.trim());
  const factor = match && FACTORS.get(match[2]!.toUpperCase());
  if (!match || !factor) {
    throw new ByteSizeError(
      `"${text}" is no size: give bytes or a number with KiB, MiB, GiB, TiB (of 1024) or KB, MB, GB, TB (of 1000)`,
    );
  }
  const bytes = Math.round(Number(match[1]) * factor);
  if (bytes > Number.MAX_SAFE_INTEGER) {
    throw new ByteSizeError(`"${text}" is too large: a size is at most ${Number.MAX_SAFE_INTEGER} bytes`);
  }
  return bytes;
}

/** Three digits in the largest unit that fits (`1.46GiB`, `10GiB`, `512B`); {@link parseByteSize} reads it back, rounded. */
export function formatByteSize(bytes: number): string {
  let unit = -1;
  let amount = bytes;
  // 1023.5 would print as "1024" of the smaller unit.
  while (amount >= 1023.5 && unit < LETTERS.length - 1) {
    amount /= 1024;
    unit++;
  }
  if (unit < 0) return `${bytes}B`;
  const digits = amount < 10 ? 2 : amount < 100 ? 1 : 0;
  return `${Number(amount.toFixed(digits))}${LETTERS[unit]}iB`;
}
