// Durations as people type and read them: a number with its unit, `250ms`, `30s`, `10m`, `2h`.

const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
]);

/** Whole milliseconds; undefined when `text` is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/.exec(text.trim());
  if (!match) return undefined;
  return Math.round(Number(match[1]) * UNITS_MS.get(match[2]!)!);
}

/** In the largest unit that divides it: {@link parseDuration} reads the same back. */
export function formatDuration(ms: number): string {
  for (const [unit, unitMs] of [...UNITS_MS].reverse()) {
    if (ms >= unitMs && ms % unitMs === 0) return `${ms / unitMs}${unit}`;
  }
  return `${ms}ms`;
}
