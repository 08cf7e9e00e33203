const LETTERS = 'BKMGTPE';

/** Three digits, powers of 1024, as `zfs list` prints them: `512B`, `1.50K`, `10.0G`, `120T`. */
export function humanSize(bytes: number): string {
  let unit = 0;
  let amount = bytes;
  // 1023.5K would be printed as "1024K".
  while (amount >= 1023.5 && unit < LETTERS.length - 1) {
    amount /= 1024;
    unit++;
  }
  if (unit === 0) return `${amount}B`;
  const digits = amount < 9.995 ? 2 : amount < 99.95 ? 1 : 0;
  return amount.toFixed(digits) + LETTERS[unit];
}

/** The same where 0 stands for no limit. */
export function humanLimit(bytes: number): string {
  return bytes === 0 ? '-' : humanSize(bytes);
}
