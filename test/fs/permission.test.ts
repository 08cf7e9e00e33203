import { describe, expect, it } from 'vitest';
import { Access, type Caller, FileType } from '../../src/fs/file-system.ts';
import {
  accessBits,
  may,
  mayAddEntry,
  mayReadData,
  mayRemoveEntry,
  mayWriteData,
  Want,
} from '../../src/fs/permission.ts';

const UID = 1000;
const GID = 100;
const SIXTEEN = Array.from({ length: 16 }, (_, i) => 200 + i);

/** Which letter of `rwxrwxrwx` counts for each caller. */
const CALLERS: Record<string, { caller: Caller; class: 0 | 1 | 2 }> = {
  owner: { caller: { uid: UID, gid: 1, groups: [] }, class: 0 },
  'owner in the group': { caller: { uid: UID, gid: GID, groups: [GID] }, class: 0 },
  'member by gid': { caller: { uid: 2, gid: GID, groups: [] }, class: 1 },
  'member by the last of 16 groups': {
    caller: { uid: 2, gid: 1, groups: [...SIXTEEN.slice(1), GID] },
    class: 1,
  },
  other: { caller: { uid: 2, gid: 1, groups: SIXTEEN }, class: 2 },
  'other whose gid is the owner’s uid': { caller: { uid: GID, gid: UID, groups: [UID] }, class: 2 },
};
const root: Caller = { uid: 0, gid: 0, groups: [] };
const TYPES = Object.entries(FileType);
const MODES = Array.from({ length: 0o1000 }, (_, mode) => mode);

/** `expect` itself takes a microsecond; these tests compare a million answers. */
function same(answer: unknown, expected: unknown): void {
  if (answer !== expected) expect(answer).toBe(expected);
}

const node = (type: FileType, mode: number) => ({ type, mode, uid: UID, gid: GID });

/** The same mode as `ls -l` shows it: the oracle of these tests. */
const letters = (mode: number) =>
  [...'rwxrwxrwx'].map((letter, i) => (mode & (0o400 >> i) ? letter : '-')).join('');

describe('permission by mode bits', () => {
  it.each(Object.entries(CALLERS))(
    'follows the one class of the %s, for every mode',
    (_, { caller, class: at }) => {
      for (const [, type] of TYPES) {
        for (const mode of MODES) {
          const mine = letters(mode).slice(at * 3, at * 3 + 3);
          for (let want = 0; want < 8; want++) {
            const wanted = letters(want).slice(6).replaceAll('-', '');
            same(
              may(caller, node(type, mode), want),
              [...wanted].every((letter) => mine.includes(letter)),
            );
          }
        }
      }
    },
  );

  it('is passed by root, except that a file needs an x somewhere to be executed', () => {
    for (const [, type] of TYPES) {
      for (const mode of MODES) {
        const executable = type === FileType.directory || letters(mode).includes('x');
        for (let want = 0; want < 8; want++) {
          same(may(root, node(type, mode), want), executable || (want & Want.execute) === 0);
        }
      }
    }
  });
});

describe('permission to file data (RFC 1813 §4.4)', () => {
  it('lets the owner read and write whatever the mode says, and an executor read', () => {
    for (const { caller, class: at } of Object.values(CALLERS)) {
      for (const mode of MODES) {
        const mine = letters(mode).slice(at * 3, at * 3 + 3);
        const file = node(FileType.file, mode);
        same(mayReadData(caller, file), at === 0 || mine.includes('r') || mine.includes('x'));
        same(mayWriteData(caller, file), at === 0 || mine.includes('w'));
      }
    }
    same(mayReadData(root, node(FileType.file, 0)), true);
    same(mayWriteData(root, node(FileType.file, 0)), true);
  });
});

describe('ACCESS', () => {
  const everyone = [root, ...Object.values(CALLERS).map(({ caller }) => caller)];

  it('grants of a directory what LOOKUP, READDIR and changes of entries are allowed', () => {
    for (const caller of everyone) {
      for (const mode of MODES) {
        const directory = node(FileType.directory, mode);
        const granted = accessBits(caller, directory, 63);
        const bit = (access: number) => (granted & access) !== 0;
        same(bit(Access.read), may(caller, directory, Want.read));
        same(bit(Access.lookup), may(caller, directory, Want.execute));
        same(bit(Access.modify), mayAddEntry(caller, directory));
        same(bit(Access.extend), mayAddEntry(caller, directory));
        same(bit(Access.delete), mayRemoveEntry(caller, directory, node(FileType.file, 0)));
        same(bit(Access.execute), false);
      }
    }
  });

  it('grants of anything else only what READ and WRITE are allowed, without the override for owners', () => {
    for (const caller of everyone) {
      for (const [, type] of TYPES.filter(([name]) => name !== 'directory')) {
        for (const mode of MODES) {
          const file = node(type, mode);
          const granted = accessBits(caller, file, 63);
          const bit = (access: number) => (granted & access) !== 0;
          same(bit(Access.read), may(caller, file, Want.read));
          same(bit(Access.modify), may(caller, file, Want.write));
          same(bit(Access.extend), may(caller, file, Want.write));
          same(bit(Access.execute), may(caller, file, Want.execute));
          same(bit(Access.lookup) || bit(Access.delete), false);
          if (bit(Access.read)) same(mayReadData(caller, file), true);
          same(mayWriteData(caller, file), bit(Access.modify) || caller.uid === UID);
        }
      }
    }
  });

  it('answers no bit that was not asked for', () => {
    for (let wanted = 0; wanted < 128; wanted++) {
      same(accessBits(root, node(FileType.directory, 0o777), wanted), wanted & 0b011111);
      same(accessBits(root, node(FileType.file, 0o777), wanted), wanted & 0b101101);
    }
  });
});

describe('removing an entry', () => {
  const owned = (uid: number, mode: number) => ({ type: FileType.directory, mode, uid, gid: 0 });

  it('needs to write and to search the directory', () => {
    const caller: Caller = { uid: 5, gid: 5, groups: [] };
    for (const mode of MODES) {
      const others = letters(mode).slice(6);
      const allowed = others.includes('w') && others.includes('x');
      expect(mayRemoveEntry(caller, owned(9, mode), owned(5, 0))).toBe(allowed);
      expect(mayAddEntry(caller, owned(9, mode))).toBe(allowed);
    }
  });

  it.each([
    // caller, owner of the directory, owner of the entry, allowed
    [5, 9, 8, false],
    [5, 9, 5, true],
    [5, 5, 8, true],
    [5, 5, 5, true],
    [0, 9, 8, true],
  ])(
    'of a sticky directory is for an owner only: user %i, directory of %i, entry of %i: %s',
    (uid, ofDirectory, ofEntry, allowed) => {
      const caller: Caller = { uid, gid: 5, groups: [] };
      expect(mayRemoveEntry(caller, owned(ofDirectory, 0o1777), owned(ofEntry, 0o777))).toBe(allowed);
      expect(mayRemoveEntry(caller, owned(ofDirectory, 0o0777), owned(ofEntry, 0o777))).toBe(true);
    },
  );

  it('of a sticky directory still needs to write it', () => {
    const caller: Caller = { uid: 5, gid: 5, groups: [] };
    expect(mayRemoveEntry(caller, owned(9, 0o1755), owned(5, 0o777))).toBe(false);
  });
});
