import { describe, expect, it } from 'vitest';
import { type Attributes, type Caller, type Changes, FileType } from '../../src/fs/file-system.ts';
import { FsError } from '../../src/fs/fs-error.ts';
import { checkChanges, modeAfterChanges, modeAfterWrite, ownershipOfNew } from '../../src/fs/ownership.ts';

const OWNER: Caller = { uid: 1000, gid: 100, groups: [200] };
const STRANGER: Caller = { uid: 2000, gid: 300, groups: [] };
const MEMBER: Caller = { uid: 2000, gid: 300, groups: [100] };
const ROOT: Caller = { uid: 0, gid: 0, groups: [] };

const attributes = (fields: Partial<Attributes> = {}): Attributes => ({
  ino: 2,
  generation: 1,
  type: FileType.file,
  mode: 0o644,
  nlink: 1,
  uid: 1000,
  gid: 100,
  size: 0,
  allocated: 0,
  rdevMajor: 0,
  rdevMinor: 0,
  atimeSeconds: 0,
  atimeNanoseconds: 0,
  mtimeSeconds: 0,
  mtimeNanoseconds: 0,
  ctimeSeconds: 0,
  ctimeNanoseconds: 0,
  mountedDataset: 0,
  ...fields,
});

function outcome(caller: Caller, changes: Changes, mode = 0o644): string {
  try {
    checkChanges(caller, attributes({ mode }), changes);
    return 'ok';
  } catch (error) {
    if (error instanceof FsError) return error.code;
    throw error;
  }
}

const some = { seconds: 1, nanoseconds: 2 };

describe('changing attributes', () => {
  // changes, mode of the file, then what root, owner, a member of the group and a stranger get
  it.each<[string, Changes, number, string[]]>([
    ['nothing', {}, 0, ['ok', 'ok', 'ok', 'ok']],
    ['the mode', { mode: 0o777 }, 0o777, ['ok', 'ok', 'EPERM', 'EPERM']],
    ['the owner', { uid: 7 }, 0o777, ['ok', 'EPERM', 'EPERM', 'EPERM']],
    ['the owner to the same', { uid: 1000 }, 0o777, ['ok', 'ok', 'EPERM', 'EPERM']],
    ['the group to one’s main group', { gid: 100 }, 0o777, ['ok', 'ok', 'EPERM', 'EPERM']],
    ['the group to another of one’s groups', { gid: 200 }, 0o777, ['ok', 'ok', 'EPERM', 'EPERM']],
    ['the group to a foreign one', { gid: 300 }, 0o777, ['ok', 'EPERM', 'EPERM', 'EPERM']],
    ['owner and group, the owner foreign', { uid: 7, gid: 200 }, 0o777, ['ok', 'EPERM', 'EPERM', 'EPERM']],
    ['the size, nobody may write', { size: 0 }, 0o444, ['ok', 'ok', 'EACCES', 'EACCES']],
    ['the size, the group may write', { size: 0 }, 0o464, ['ok', 'ok', 'ok', 'EACCES']],
    ['the size, all may write', { size: 0 }, 0o666, ['ok', 'ok', 'ok', 'ok']],
    ['times to now, all may write', { atime: 'now', mtime: 'now' }, 0o666, ['ok', 'ok', 'ok', 'ok']],
    [
      'times to now, nobody may write',
      { atime: 'now', mtime: 'now' },
      0o444,
      ['ok', 'ok', 'EACCES', 'EACCES'],
    ],
    ['one time to now', { mtime: 'now' }, 0o464, ['ok', 'ok', 'ok', 'EACCES']],
    ['times to a value', { atime: some, mtime: some }, 0o666, ['ok', 'ok', 'EPERM', 'EPERM']],
    ['one to now, one to a value', { atime: 'now', mtime: some }, 0o666, ['ok', 'ok', 'EPERM', 'EPERM']],
    ['one to a value, one to now', { atime: some, mtime: 'now' }, 0o666, ['ok', 'ok', 'EPERM', 'EPERM']],
  ])('%s', (_, changes, mode, expected) => {
    expect([ROOT, OWNER, MEMBER, STRANGER].map((caller) => outcome(caller, changes, mode))).toEqual(expected);
  });
});

describe('the mode after a SETATTR', () => {
  const modeAfter = (caller: Caller, mode: number, changes: Changes, fields: Partial<Attributes> = {}) =>
    modeAfterChanges(caller, attributes({ mode, ...fields }), changes).toString(8);

  it('is what was asked for, within the twelve bits', () => {
    expect(modeAfter(OWNER, 0o644, { mode: 0o7755 })).toBe('7755');
    expect(modeAfter(OWNER, 0o644, { mode: 0o170600 })).toBe('600');
    expect(modeAfter(OWNER, 0o644, {})).toBe('644');
  });

  it('has no setgid when the owner is not in the group', () => {
    expect(modeAfter(OWNER, 0o644, { mode: 0o6755 }, { gid: 300 })).toBe('4755');
    expect(modeAfter(OWNER, 0o755, { mode: 0o2755 }, { gid: 300, type: FileType.directory })).toBe('755');
    expect(modeAfter(OWNER, 0o644, { mode: 0o2755 }, { gid: 200 })).toBe('2755');
    expect(modeAfter(ROOT, 0o644, { mode: 0o6755 }, { gid: 300 })).toBe('6755');
  });

  it('counts the new group when both change', () => {
    expect(modeAfter(OWNER, 0o644, { mode: 0o2745, gid: 200 }, { gid: 300 })).toBe('2745');
  });

  it.each([OWNER, ROOT])('loses setuid and setgid by a change of owner or group', (caller) => {
    expect(modeAfter(caller, 0o6755, { uid: 1000 })).toBe('755');
    expect(modeAfter(caller, 0o6755, { gid: 200 })).toBe('755');
    expect(modeAfter(caller, 0o7755, { gid: 200 })).toBe('1755');
    expect(modeAfter(caller, 0o6755, { gid: 200 }, { type: FileType.directory })).toBe('6755');
  });

  it('keeps setgid without group execute, which is no privilege, for members', () => {
    expect(modeAfter(OWNER, 0o6745, { gid: 200 })).toBe('2745');
  });

  it('has neither where owner or group come with it, from root too, as with the Linux server', () => {
    expect(modeAfter(ROOT, 0o644, { uid: 5, gid: 5, mode: 0o6755 })).toBe('755');
    expect(modeAfter(ROOT, 0o644, { uid: 5, mode: 0o7755 })).toBe('1755');
    expect(modeAfter(OWNER, 0o644, { gid: 200, mode: 0o6755 })).toBe('755');
    expect(modeAfter(ROOT, 0o644, { gid: 5, mode: 0o6755 }, { type: FileType.fifo })).toBe('755');
    expect(modeAfter(ROOT, 0o755, { uid: 5, gid: 5, mode: 0o6755 }, { type: FileType.directory })).toBe(
      '6755',
    );
  });

  it('keeps the setgid that comes with owner or group where it is no privilege', () => {
    expect(modeAfter(ROOT, 0o644, { uid: 5, gid: 5, mode: 0o6745 })).toBe('2745');
    expect(modeAfter(OWNER, 0o644, { gid: 200, mode: 0o6745 })).toBe('2745');
  });

  it('loses setuid and setgid when a user truncates the file', () => {
    expect(modeAfter(OWNER, 0o6755, { size: 0 })).toBe('755');
    expect(modeAfter(STRANGER, 0o6777, { size: 0 })).toBe('777');
    expect(modeAfter(ROOT, 0o6755, { size: 0 })).toBe('6755');
    expect(modeAfter(OWNER, 0o644, { size: 0, mode: 0o4755 })).toBe('4755');
  });
});

describe('the mode after a WRITE', () => {
  it.each([
    [OWNER, 0o6755, '755'],
    [OWNER, 0o7777, '1777'],
    [OWNER, 0o2745, '2745'],
    [STRANGER, 0o2747, '747'],
    [STRANGER, 0o4777, '777'],
    [STRANGER, 0o644, '644'],
    [ROOT, 0o6755, '6755'],
  ])('loses setuid and setgid unless root writes', (caller, mode, expected) => {
    expect(modeAfterWrite(caller, attributes({ mode })).toString(8)).toBe(expected);
  });
});

describe('a new inode', () => {
  const plain = attributes({ type: FileType.directory, mode: 0o755, uid: 50, gid: 60 });
  const setgid = attributes({ type: FileType.directory, mode: 0o2755, uid: 50, gid: 60 });
  const made = (caller: Caller, directory: Attributes, type: FileType, changes: Changes = {}) => {
    const { uid, gid, mode } = ownershipOfNew(caller, directory, { type, changes, defaultMode: 0o640 });
    return [uid, gid, mode.toString(8)];
  };

  it('belongs to the caller and the caller’s main group', () => {
    expect(made(OWNER, plain, FileType.file)).toEqual([1000, 100, '640']);
    expect(made(OWNER, plain, FileType.directory, { mode: 0o700 })).toEqual([1000, 100, '700']);
    expect(made(ROOT, plain, FileType.file)).toEqual([0, 0, '640']);
  });

  it('in a setgid directory has its group, and a directory is setgid too', () => {
    expect(made(OWNER, setgid, FileType.file)).toEqual([1000, 60, '640']);
    expect(made(OWNER, setgid, FileType.directory, { mode: 0o750 })).toEqual([1000, 60, '2750']);
    expect(made(OWNER, setgid, FileType.symlink, { mode: 0o777 })).toEqual([1000, 60, '777']);
  });

  it('is setgid only for a member of its group', () => {
    expect(made(OWNER, setgid, FileType.file, { mode: 0o6755 })).toEqual([1000, 60, '4755']);
    expect(made(OWNER, plain, FileType.file, { mode: 0o6755 })).toEqual([1000, 100, '6755']);
    expect(made(ROOT, setgid, FileType.file, { mode: 0o6755 })).toEqual([0, 60, '6755']);
  });

  it('keeps setgid without group execute, which is no privilege, whoever makes it', () => {
    expect(made(OWNER, setgid, FileType.file, { mode: 0o2745 })).toEqual([1000, 60, '2745']);
    expect(made(OWNER, setgid, FileType.fifo, { mode: 0o2644 })).toEqual([1000, 60, '2644']);
    expect(made(OWNER, setgid, FileType.file, { mode: 0o2654 })).toEqual([1000, 60, '654']);
    expect(made(OWNER, setgid, FileType.directory, { mode: 0o700 })).toEqual([1000, 60, '2700']);
  });

  it('gets another owner from root only, and another group from a member', () => {
    expect(made(ROOT, plain, FileType.file, { uid: 7, gid: 8 })).toEqual([7, 8, '640']);
    expect(made(OWNER, plain, FileType.file, { uid: 7, gid: 8 })).toEqual([1000, 100, '640']);
    expect(made(OWNER, plain, FileType.file, { uid: 7, gid: 200 })).toEqual([1000, 200, '640']);
    expect(made(OWNER, setgid, FileType.file, { gid: 8 })).toEqual([1000, 60, '640']);
  });

  it('has the default mode unless one is given, also when that is 0', () => {
    expect(made(OWNER, plain, FileType.file, { mode: 0 })).toEqual([1000, 100, '0']);
  });
});
