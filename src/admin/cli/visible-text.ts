// Text that anybody may have chosen, as a terminal shows it without obeying it, and as it fits a cell of a table: control
// characters and backslashes stand there as a backslash and three octal digits for each byte, as `zfs diff` has them.

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSEEN = /[\0-\x1f\x7f-\x9f\\]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
const UNSEEN_OR_NOT_ASCII = /[\0-\x1f\x7f-\xff\\]/g;

export function visibleText(text: string): string {
  return text.replace(UNSEEN, octal);
}

/** The same of what need not be UTF-8. */
export function visibleBytes(bytes: Buffer): string {
  const text = bytes.toString();
  if (Buffer.from(text).equals(bytes)) return visibleText(text);
  return bytes
    .toString('latin1')
    .replace(UNSEEN_OR_NOT_ASCII, (character) => octalByte(character.charCodeAt(0)));
}

function octal(character: string): string {
  return [...Buffer.from(character)].map(octalByte).join('');
}

function octalByte(byte: number): string {
  return `\\${byte.toString(8).padStart(3, '0')}`;
}
