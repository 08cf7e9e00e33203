import { describe, expect, it } from 'vitest';
import {
  COMPUTED_PROPERTIES,
  effectiveProperties,
  effectiveProperty,
  limitsOf,
  type PropertyHolder,
  parseProperty,
  USER_PROPERTIES_MAX,
  USER_PROPERTY_NAME_BYTES_MAX,
  USER_PROPERTY_VALUE_BYTES_MAX,
  withChanges,
  withoutLocal,
} from '../../src/datasets/properties.ts';

const holder = (
  name: string,
  properties: Record<string, string>,
  parent?: PropertyHolder,
): PropertyHolder => ({ name, parent, properties });

const invalid = (why: string): unknown =>
  expect.objectContaining({ code: 'invalid', message: expect.stringContaining(why) });

describe('a value as typed', () => {
  it.each([
    ['readonly', 'on', 'on'],
    ['readonly', 'off', 'off'],
    ['quota', '10GiB', String(10 * 2 ** 30)],
    ['quota', 'none', 'none'],
    ['quota', '0', 'none'],
    ['refquota', '1.5MB', '1500000'],
    ['reservation', '4096', '4096'],
    ['snapdir', 'visible', 'visible'],
    ['snapdir-write', 'on', 'on'],
    ['compression', 'off', 'off'],
    ['com.example:policy', ' keep  all ', ' keep  all '],
    ['a:b', '', ''],
  ])('%s=%s is kept as %j', (name, value, canonical) => {
    expect(parseProperty(name, value)).toBe(canonical);
  });

  it.each([
    ['readonly', 'yes', 'readonly is on or off, not "yes"'],
    ['snapdir', 'shown', 'snapdir is hidden, visible or disabled, not "shown"'],
    ['snapdir-write', 'yes', 'snapdir-write is on or off, not "yes"'],
    ['quota', '-1', 'quota is a size or none: "-1" is no size'],
    ['quota', 'lots', 'GiB'],
    ['quota', '', 'quota is a size or none'],
    ['quota', '9PiB', 'too large'],
    ['compression', 'zstd', 'compression can only be off in this version'],
    ['quotaa', '1', 'there is no property "quotaa"; those that can be set are readonly, quota, refquota'],
    ['toString', '1', 'there is no property'],
    ['', '1', 'there is no property'],
  ])('%s=%s is refused with a sentence', (name, value, why) => {
    expect(() => parseProperty(name, value)).toThrow(invalid(why));
  });

  it.each(COMPUTED_PROPERTIES)('%s cannot be set', (name) => {
    expect(() => parseProperty(name, '1')).toThrow(invalid(`${name} is computed and cannot be set`));
  });
});

describe('a user property', () => {
  it.each(['A:b', 'a b:c', '-a:b', 'ä:b', 'a:b\n'])('is not named %j', (name) => {
    expect(() => parseProperty(name, 'x')).toThrow(invalid('is no name of a user property'));
  });

  it('has a name of at most 256 bytes and a value of at most 8 KiB', () => {
    const name = 'a:'.padEnd(USER_PROPERTY_NAME_BYTES_MAX, 'b');
    const value = 'x'.repeat(USER_PROPERTY_VALUE_BYTES_MAX);
    expect(parseProperty(name, value)).toBe(value);
    expect(() => parseProperty(`${name}b`, '')).toThrow(invalid('at most 256 bytes'));
    expect(() => parseProperty(name, `${value.slice(1)}ä`)).toThrow(invalid('at most 8192 bytes'));
    expect(() => parseProperty('a:b', 'x\0y')).toThrow(invalid('NUL'));
  });

  it('is one of at most 100 of its dataset', () => {
    const hundred = Object.fromEntries(
      Array.from({ length: USER_PROPERTIES_MAX }, (_, i) => [`a:${i}`, 'x']),
    );
    const full = withChanges({ quota: '5' }, hundred);
    expect(() => withChanges(full, { 'a:0': 'y', readonly: 'on' })).not.toThrow();
    expect(() => withChanges(full, { 'b:1': 'x' })).toThrow(invalid('at most 100 user properties'));
  });
});

describe('the effective value', () => {
  const a = holder('a', { readonly: 'on', quota: '100', 'my:key': 'from a' });
  const b = holder('a/b', { snapdir: 'visible' }, a);
  const c = holder('a/b/c', { readonly: 'off', 'my:key': 'mine' }, b);

  it('is what was set, else that of the nearest dataset around, else the default', () => {
    expect(effectiveProperty(a, 'readonly')).toEqual({ name: 'readonly', value: 'on', source: 'local' });
    expect(effectiveProperty(b, 'readonly')).toEqual({
      name: 'readonly',
      value: 'on',
      source: { inheritedFrom: 'a' },
    });
    expect(effectiveProperty(c, 'readonly')).toEqual({ name: 'readonly', value: 'off', source: 'local' });
    expect(effectiveProperty(c, 'snapdir')).toMatchObject({ source: { inheritedFrom: 'a/b' } });
    expect(effectiveProperty(c, 'compression')).toEqual({
      name: 'compression',
      value: 'off',
      source: 'default',
    });
  });

  it('does not come from around for a limit', () => {
    expect(effectiveProperty(b, 'quota')).toEqual({ name: 'quota', value: 'none', source: 'default' });
    expect(limitsOf(a.properties)).toEqual({ quota: 100, refquota: 0, reservation: 0 });
    expect(limitsOf(b.properties)).toEqual({ quota: 0, refquota: 0, reservation: 0 });
  });

  it('is inherited for user properties, and absent when set nowhere', () => {
    expect(effectiveProperty(b, 'my:key')).toMatchObject({ value: 'from a', source: { inheritedFrom: 'a' } });
    expect(effectiveProperty(c, 'my:key')).toMatchObject({ value: 'mine', source: 'local' });
    expect(effectiveProperty(c, 'my:other')).toBeUndefined();
  });

  it("is listed for all native properties and then for the user's by name", () => {
    const d = holder('a/b/c/d', { 'a:z': '1', 'a:b': '2' }, c);
    expect(effectiveProperties(d).map(({ name }) => name)).toEqual([
      'readonly',
      'quota',
      'refquota',
      'reservation',
      'snapdir',
      'snapdir-write',
      'compression',
      'a:b',
      'a:z',
      'my:key',
    ]);
  });
});

describe('inheriting again', () => {
  it('forgets what was set', () => {
    expect(withoutLocal({ readonly: 'on', quota: '5' }, 'readonly')).toEqual({ quota: '5' });
    expect(withoutLocal({ 'a:b': 'x' }, 'a:b')).toEqual({});
    expect(withoutLocal({ quota: '5' }, 'snapdir')).toEqual({ quota: '5' });
  });

  it('is refused for a limit, with what to do instead', () => {
    expect(() => withoutLocal({ quota: '5' }, 'quota')).toThrow(invalid('set quota=none'));
    expect(() => withoutLocal({}, 'used')).toThrow(invalid('computed'));
    expect(() => withoutLocal({}, 'nothing')).toThrow(invalid('there is no property'));
  });
});
