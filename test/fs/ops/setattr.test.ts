import { beforeEach, describe, expect, it } from 'vitest';
import { type Attributes, FILE_BYTES_MAX } from '../../../src/fs/file-system.ts';
import { setattr } from '../../../src/fs/ops/setattr.ts';
import { keys } from '../../../src/kv/keys.ts';
import { ALICE, BOB, refusal, shown, TestDataset } from './test-dataset.ts';

const ctime = (node: Attributes) => ({ seconds: node.ctimeSeconds, nanoseconds: node.ctimeNanoseconds });

describe('SETATTR', () => {
  let dataset: TestDataset;
  let root: Attributes;
  let file: Attributes;
  beforeEach(async () => {
    dataset = await TestDataset.open();
    root = await dataset.root();
    file = await dataset.file(root, 'a', { uid: ALICE.uid, gid: ALICE.gid, mode: 0o644 });
  });

  it('changes what it names and the ctime, and shows the inode before and after', async () => {
    const change = await dataset.setattr(file, { mode: 0o600 });
    expect(change.before).toEqual(file);
    expect({ ...shown(change.after), ctimeNanoseconds: 0 }).toEqual({
      ...shown(file),
      mode: 0o600,
      ctimeNanoseconds: 0,
    });
    expect(ctime(change.after)).not.toEqual(ctime(file));
    expect(await dataset.stat(file)).toEqual(change.after);
  });

  it('without anything to change changes nothing, not the ctime either', async () => {
    expect(await dataset.as(BOB).setattr(file, { mode: undefined })).toEqual({ before: file, after: file });
  });

  it('is ENOTSYNC when the guard is not the ctime, and then changes nothing', async () => {
    const { after } = await dataset.setattr(file, { mode: 0o600 });
    expect(await refusal(dataset.setattr(file, { mode: 0o777 }, ctime(file)))).toBe('ENOTSYNC');
    expect(await dataset.stat(file)).toEqual(after);
    await dataset.setattr(file, { mode: 0o777 }, ctime(after));
  });

  it('lets the owner and root set the mode', async () => {
    await dataset.as(ALICE).setattr(file, { mode: 0o4700 });
    expect((await dataset.stat(file)).mode).toBe(0o4700);
    expect(await refusal(dataset.as(BOB).setattr(file, { mode: 0o777 }))).toBe('EPERM');
    await dataset.setattr(file, { mode: 0o640 });
  });

  it('passes over the mode of a symbolic link, whoever sends it, and sets the rest', async () => {
    const { node } = await dataset.symlink(root, 'l', 'a', { mode: 0o777, uid: ALICE.uid, gid: ALICE.gid });
    for (const caller of [ALICE, BOB])
      expect(await dataset.as(caller).setattr(node, { mode: 0 })).toEqual({ before: node, after: node });
    const { after } = await dataset.setattr(node, {
      mode: 0,
      uid: BOB.uid,
      mtime: { seconds: 1, nanoseconds: 2 },
    });
    expect(after).toMatchObject({ mode: 0o777, uid: BOB.uid, mtimeSeconds: 1, mtimeNanoseconds: 2 });
    expect(await refusal(dataset.setattr(node, { mode: 0 }, { seconds: 1, nanoseconds: 1 }))).toBe(
      'ENOTSYNC',
    );
  });

  it('lets root give a file away, and the owner to a group of theirs; setuid and setgid go', async () => {
    await dataset.setattr(file, { mode: 0o6755 });
    expect(await refusal(dataset.as(ALICE).setattr(file, { uid: BOB.uid }))).toBe('EPERM');
    expect(await refusal(dataset.as(ALICE).setattr(file, { gid: 999 }))).toBe('EPERM');
    const { after } = await dataset.as(ALICE).setattr(file, { gid: 200 });
    expect(after).toMatchObject({ gid: 200, mode: 0o755 });
    await dataset.setattr(file, { uid: BOB.uid, gid: 999 });
    expect(await dataset.stat(file)).toMatchObject({ uid: BOB.uid, gid: 999 });
  });

  describe('of times', () => {
    it('sets each on its own, to the nanosecond', async () => {
      const first = await dataset.setattr(file, { atime: { seconds: 1, nanoseconds: 999_999_999 } });
      expect(first.after).toMatchObject({ atimeSeconds: 1, atimeNanoseconds: 999_999_999 });
      expect(first.after.mtimeSeconds).toBe(file.mtimeSeconds);
      const second = await dataset.setattr(file, { mtime: { seconds: 2 ** 32 - 1, nanoseconds: 3 } });
      expect(second.after).toMatchObject({ atimeSeconds: 1, mtimeSeconds: 2 ** 32 - 1, mtimeNanoseconds: 3 });
    });

    it('takes the server’s clock for now', async () => {
      const { after } = await dataset.setattr(file, { atime: 'now', mtime: 'now' });
      expect(after.atimeNanoseconds).toBe(after.ctimeNanoseconds);
      expect(after.mtimeNanoseconds).toBe(after.ctimeNanoseconds);
    });

    it('is the owner’s, and with write permission anybody’s for now', async () => {
      const bob = dataset.as(BOB);
      const times = { mtime: { seconds: 1, nanoseconds: 1 } };
      expect(await refusal(bob.setattr(file, times))).toBe('EPERM');
      expect(await refusal(bob.setattr(file, { mtime: 'now' }))).toBe('EACCES');
      await dataset.setattr(file, { mode: 0o666 });
      await bob.setattr(file, { mtime: 'now', atime: 'now' });
      expect(await refusal(bob.setattr(file, times))).toBe('EPERM');
      await dataset.as(ALICE).setattr(file, times);
    });
  });

  describe('of the size', () => {
    it('is a modification, also where the size stays', async () => {
      for (const size of [10, 10, 0]) {
        const { before, after } = await dataset.setattr(file, { size });
        expect(after.size).toBe(size);
        expect(after.mtimeNanoseconds).not.toBe(before.mtimeNanoseconds);
        expect(after.mtimeNanoseconds).toBe(after.ctimeNanoseconds);
      }
    });

    it('sets the mtime that comes with it instead', async () => {
      const { after } = await dataset.setattr(file, { size: 5, mtime: { seconds: 9, nanoseconds: 9 } });
      expect(after).toMatchObject({ size: 5, mtimeSeconds: 9, mtimeNanoseconds: 9 });
    });

    it('needs write permission, which the owner has whatever the mode says (RFC 1813 §4.4)', async () => {
      await dataset.setattr(file, { mode: 0o444 });
      expect(await refusal(dataset.as(BOB).setattr(file, { size: 0 }))).toBe('EACCES');
      await dataset.as(ALICE).setattr(file, { size: 0 });
    });

    it('takes setuid and setgid from a file that root did not truncate', async () => {
      await dataset.setattr(file, { mode: 0o6775 });
      await dataset.setattr(file, { size: 3 });
      expect((await dataset.stat(file)).mode).toBe(0o6775);
      await dataset.as(ALICE).setattr(file, { size: 2 });
      expect((await dataset.stat(file)).mode).toBe(0o775);
    });

    it('goes to 2^53-1, and is EFBIG beyond', async () => {
      expect((await dataset.setattr(file, { size: FILE_BYTES_MAX })).after.size).toBe(2 ** 53 - 1);
      expect(await refusal(dataset.setattr(file, { size: 2 ** 53 }))).toBe('EFBIG');
    });

    it('is EINVAL for anything but a regular file, and then changes nothing else either', async () => {
      const { node } = await dataset.symlink(root, 'l', 'a');
      for (const other of [root, node]) {
        const before = await dataset.stat(other);
        expect(await refusal(dataset.setattr(other, { size: 0, mode: 0o700 }))).toBe('EINVAL');
        expect(await dataset.stat(other)).toEqual(before);
      }
    });
  });

  it('is ESTALE when the file is gone', async () => {
    await dataset.remove(root, 'a');
    expect(await refusal(dataset.setattr(file, { mode: 0 }))).toBe('ESTALE');
  });

  it('commits the record of its reply with it', async () => {
    const { context, meta } = dataset.parts;
    const receipt = ({ after }: { after: Attributes }) => ({ slot: 3, value: Buffer.from([after.mode & 7]) });
    const { ticket } = await setattr(context, { caller: dataset.caller, receipt }, file, { mode: 0o5 });
    await context.records.store.settled(ticket);
    expect(meta.get(keys.reply.key(3))).toEqual(Buffer.from([5]));
  });
});
