import { describe, expect, it } from 'vitest';
import { FsError } from '../../src/fs/fs-error.ts';
import { checkName, isDot, isDotDot, type NameUse } from '../../src/fs/name.ts';

const USES: readonly NameUse[] = ['lookup', 'create', 'remove', 'rmdir', 'rename-source', 'rename-target'];

function outcome(name: string | Buffer, use: NameUse): string {
  try {
    checkName(Buffer.from(name as string), use);
    return 'ok';
  } catch (error) {
    if (error instanceof FsError) return error.code;
    throw error;
  }
}
const outcomes = (name: string | Buffer) => USES.map((use) => outcome(name, use));
const all = (code: string) => USES.map(() => code);

describe('a name', () => {
  it('is any 1 to 255 bytes, in any encoding or none', () => {
    for (const name of [
      'a',
      'ü',
      ' ',
      '...',
      '.a',
      '..a',
      'a.',
      '.snapshot',
      '.snapshots2',
      '.SNAPSHOTS',
      '\\',
      '\n',
    ]) {
      expect(outcomes(name)).toEqual(all('ok'));
    }
    expect(outcomes(Buffer.from([0xff, 0xfe, 0x80]))).toEqual(all('ok'));
    expect(outcomes('x'.repeat(255))).toEqual(all('ok'));
  });

  it('of 256 bytes is too long, also when it has fewer characters', () => {
    expect(outcomes('x'.repeat(256))).toEqual(all('ENAMETOOLONG'));
    expect(outcomes('ü'.repeat(128))).toEqual(all('ENAMETOOLONG'));
  });

  it('is refused when empty or with a / or a NUL (RFC 1813 §3.2)', () => {
    for (const name of ['', '/', 'a/b', '/a', 'a/', '\0', 'a\0', '\0a', './', '../x']) {
      expect(outcomes(name)).toEqual(all('EACCES'));
    }
  });
});

describe('the names . and ..', () => {
  it('are answered with what RFC 1813 allows to each procedure', () => {
    expect(outcomes('.')).toEqual(['ok', 'EEXIST', 'EACCES', 'EINVAL', 'EINVAL', 'EINVAL']);
    expect(outcomes('..')).toEqual(['ok', 'EEXIST', 'EACCES', 'EEXIST', 'EINVAL', 'EINVAL']);
  });

  it('are told from other names', () => {
    const names = ['', '.', '..', '...', 'a', '.a', 'a.'].map((name) => Buffer.from(name));
    expect(names.filter(isDot).map(String)).toEqual(['.']);
    expect(names.filter(isDotDot).map(String)).toEqual(['..']);
  });
});

describe('the name .snapshots', () => {
  it('cannot be given to anything', () => {
    expect(outcomes('.snapshots')).toEqual(['ok', 'EACCES', 'ok', 'ok', 'ok', 'EACCES']);
  });
});
