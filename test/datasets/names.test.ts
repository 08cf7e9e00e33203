import { describe, expect, it } from 'vitest';
import {
  checkDatasetName,
  FULL_NAME_BYTES_MAX,
  isNestedIn,
  lastComponentOf,
  parentNameOf,
  parseSnapshotName,
} from '../../src/datasets/names.ts';

describe('the name of a dataset', () => {
  it.each(['a', '7', 'my-subvol', 'projects/web.v1_2:x', 'a/b/c/d', 'A'.repeat(255)])('may be %s', (name) => {
    expect(() => checkDatasetName(name)).not.toThrow();
  });

  it.each([
    ['', 'it is empty'],
    ['/a', 'begins with "/"'],
    ['a/', 'ends with "/"'],
    ['a//b', 'a component is empty'],
    ['.snapshots', 'must begin with a letter or a digit, not with "."'],
    ['a/..', 'must begin with a letter or a digit, not with "."'],
    ['-r', 'must begin with a letter or a digit, not with "-"'],
    ['a b', '" " is not allowed'],
    ['a\nb', '"\\n" is not allowed'],
    ['a\0', '"\\u0000" is not allowed'],
    ['a@b', 'that of a snapshot'],
    ['ä', '"ä" is not allowed'],
    ['a'.repeat(256), 'it has 256 bytes, at most 255'],
    [`${'a/'.repeat(127)}bb`, 'it has 256 bytes, at most 255'],
  ])('may not be %j', (name, why) => {
    expect(() => checkDatasetName(name)).toThrow(
      expect.objectContaining({ code: 'invalid', message: expect.stringContaining(why) }),
    );
  });

  it('is quoted in the refusal, so that it cannot forge a line of a log', () => {
    expect(() => checkDatasetName('a\nINFO all is well')).toThrow(/^[^\n]*$/);
  });

  it('tells what it is nested in', () => {
    expect(parentNameOf('a/b/c')).toBe('a/b');
    expect(parentNameOf('a')).toBeUndefined();
    expect(lastComponentOf('a/b/c')).toBe('c');
    expect(lastComponentOf('a')).toBe('a');
    expect(isNestedIn('a/b/c', 'a')).toBe(true);
    expect(isNestedIn('ab', 'a')).toBe(false);
    expect(isNestedIn('a', 'a')).toBe(false);
  });
});

describe('the name of a snapshot', () => {
  it('is that of its dataset and its own', () => {
    expect(parseSnapshotName('a/b@2026-11-21_05:00')).toEqual({
      dataset: 'a/b',
      snapshot: '2026-11-21_05:00',
    });
  });

  it('has at most 255 bytes with that of its dataset', () => {
    const dataset = 'd'.repeat(200);
    expect(() => parseSnapshotName(`${dataset}@${'s'.repeat(FULL_NAME_BYTES_MAX - 201)}`)).not.toThrow();
    expect(() => parseSnapshotName(`${dataset}@${'s'.repeat(FULL_NAME_BYTES_MAX - 200)}`)).toThrow(
      '256 bytes',
    );
  });

  it.each(['a', '@b', 'a@', 'a@b@c', 'a@b/c', 'a@.b', 'a/@b'])('may not be %j', (name) => {
    expect(() => parseSnapshotName(name)).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
