// The properties of a dataset: what may be set, how it is typed, what it is without being set.
//
// A dataset stores only what was set on it, in the canonical spelling that `parse` gives (sizes as plain bytes, no
// limit as "none"). An inheritable property that is not set has the value of the nearest dataset around it that sets
// it, else the default. Names with a colon are the user's own: they mean nothing here, and are inherited.

import { ByteSizeError, parseByteSize } from '../byte-size.ts';
import { DatasetError, type Property } from './datasets.ts';
import type { Limits } from './space.ts';

export const USER_PROPERTY_NAME_BYTES_MAX = 256;
export const USER_PROPERTY_VALUE_BYTES_MAX = 8 * 1024;
/** User properties set on one dataset. */
export const USER_PROPERTIES_MAX = 100;

interface NativeProperty {
  readonly byDefault: string;
  readonly inheritable: boolean;
  /** The canonical spelling. @throws DatasetError `invalid` */
  readonly parse: (value: string, name: string) => string;
}

/** In the order in which they are shown. */
const NATIVE_PROPERTIES = {
  readonly: { byDefault: 'off', inheritable: true, parse: oneOf('on', 'off') },
  quota: { byDefault: 'none', inheritable: false, parse: sizeOrNone },
  refquota: { byDefault: 'none', inheritable: false, parse: sizeOrNone },
  reservation: { byDefault: 'none', inheritable: false, parse: sizeOrNone },
  snapdir: { byDefault: 'hidden', inheritable: true, parse: oneOf('hidden', 'visible', 'disabled') },
  'snapdir-write': { byDefault: 'off', inheritable: true, parse: oneOf('on', 'off') },
  compression: { byDefault: 'off', inheritable: true, parse: onlyOff },
} as const satisfies Record<string, NativeProperty>;

export type NativePropertyName = keyof typeof NATIVE_PROPERTIES;

/** Computed; shown beside the others, never set. */
export const COMPUTED_PROPERTIES = [
  'name',
  'type',
  'creation',
  'used',
  'available',
  'referenced',
  'usedbydataset',
  'usedbysnapshots',
  'usedbyclones',
  'origin',
] as const;

/** Where a dataset's values come from: its own, and those of the dataset that it is nested in. */
export interface PropertyHolder {
  readonly name: string;
  readonly parent: PropertyHolder | undefined;
  /** What was set here, canonical. */
  readonly properties: Readonly<Record<string, string>>;
}

/**
 * The canonical spelling of what a person typed.
 *
 * @throws DatasetError `invalid` for an unknown or computed property and for a value that it does not take.
 */
export function parseProperty(name: string, value: string): string {
  if (isUserProperty(name)) {
    checkUserProperty(name, value);
    return value;
  }
  return nativeProperty(name).parse(value, name);
}

/** What is left of `properties` without `name`. @throws DatasetError `invalid` when `name` cannot be inherited. */
export function withoutLocal(
  properties: Readonly<Record<string, string>>,
  name: string,
): Readonly<Record<string, string>> {
  if (isUserProperty(name)) checkUserProperty(name, '');
  else if (!nativeProperty(name).inheritable) {
    throw invalid(`${name} is not inherited; to take the limit away, set ${name}=none`);
  }
  const { [name]: _, ...rest } = properties;
  return rest;
}

/** `properties` with `changes` as typed. @throws DatasetError `invalid` */
export function withChanges(
  properties: Readonly<Record<string, string>>,
  changes: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  const changed = { ...properties };
  for (const [name, value] of Object.entries(changes)) changed[name] = parseProperty(name, value);
  const users = Object.keys(changed).filter(isUserProperty).length;
  if (users > USER_PROPERTIES_MAX) {
    throw invalid(`a dataset has at most ${USER_PROPERTIES_MAX} user properties, these would be ${users}`);
  }
  return changed;
}

/** Value and source of a settable property; undefined for a user property that is set nowhere. */
export function effectiveProperty(holder: PropertyHolder, name: string): Property | undefined {
  const native = Object.hasOwn(NATIVE_PROPERTIES, name)
    ? NATIVE_PROPERTIES[name as NativePropertyName]
    : undefined;
  const local = holder.properties[name];
  if (local !== undefined) return { name, value: local, source: 'local' };
  for (let at = holder.parent; at && (native?.inheritable ?? true); at = at.parent) {
    const value = at.properties[name];
    if (value !== undefined) return { name, value, source: { inheritedFrom: at.name } };
  }
  return native && { name, value: native.byDefault, source: 'default' };
}

/** The native properties in their order, then the user's by name. */
export function effectiveProperties(holder: PropertyHolder): Property[] {
  const names = new Set<string>();
  for (let at: PropertyHolder | undefined = holder; at; at = at.parent) {
    for (const name of Object.keys(at.properties)) if (isUserProperty(name)) names.add(name);
  }
  return [...Object.keys(NATIVE_PROPERTIES), ...[...names].sort()].flatMap(
    (name) => effectiveProperty(holder, name) ?? [],
  );
}

/** The limits that are set here; they are not inherited. */
export function limitsOf(properties: Readonly<Record<string, string>>): Limits {
  const bytes = (name: keyof Limits): number => {
    const canonical = properties[name] ?? NATIVE_PROPERTIES[name].byDefault;
    return canonical === 'none' ? 0 : Number(canonical);
  };
  return { quota: bytes('quota'), refquota: bytes('refquota'), reservation: bytes('reservation') };
}

function isUserProperty(name: string): boolean {
  return name.includes(':');
}

function nativeProperty(name: string): NativeProperty {
  if (Object.hasOwn(NATIVE_PROPERTIES, name)) return NATIVE_PROPERTIES[name as NativePropertyName];
  if ((COMPUTED_PROPERTIES as readonly string[]).includes(name)) {
    throw invalid(`${name} is computed and cannot be set`);
  }
  throw invalid(
    `there is no property ${JSON.stringify(name)}; ` +
      `those that can be set are ${Object.keys(NATIVE_PROPERTIES).join(', ')}, ` +
      'and your own with a colon in the name, such as backup:policy',
  );
}

function checkUserProperty(name: string, value: string): void {
  if (!/^[a-z0-9_.:][a-z0-9_.:-]*$/.test(name)) {
    throw invalid(
      `${JSON.stringify(name.slice(0, 60))} is no name of a user property: ` +
        'it has lower-case letters, digits, ":", "_", "." and "-", and does not begin with "-"',
    );
  }
  if (name.length > USER_PROPERTY_NAME_BYTES_MAX) {
    throw invalid(
      `the name of a user property has at most ${USER_PROPERTY_NAME_BYTES_MAX} bytes, ` +
        `${name.slice(0, 60)}... has ${name.length}`,
    );
  }
  const bytes = Buffer.byteLength(value);
  if (bytes > USER_PROPERTY_VALUE_BYTES_MAX) {
    throw invalid(
      `a user property has at most ${USER_PROPERTY_VALUE_BYTES_MAX} bytes, the value of ${name} has ${bytes}`,
    );
  }
  if (value.includes('\0')) throw invalid(`the value of ${name} has a NUL character`);
}

function oneOf(...values: string[]): NativeProperty['parse'] {
  return (value, name) => {
    if (values.includes(value)) return value;
    throw invalid(`${name} is ${values.slice(0, -1).join(', ')} or ${values.at(-1)}, not ${quote(value)}`);
  };
}

function onlyOff(value: string, name: string): string {
  if (value === 'off') return value;
  throw invalid(`${name} can only be off in this version, not ${quote(value)}: data is stored as it is`);
}

/** 0 is no limit, as `none` is: a dataset that may hold nothing at all is `readonly`. */
function sizeOrNone(value: string, name: string): string {
  if (value === 'none') return 'none';
  try {
    const bytes = parseByteSize(value);
    return bytes === 0 ? 'none' : String(bytes);
  } catch (error) {
    if (error instanceof ByteSizeError) throw invalid(`${name} is a size or none: ${error.message}`);
    throw error;
  }
}

function quote(value: string): string {
  return JSON.stringify(value.length <= 60 ? value : `${value.slice(0, 57)}...`);
}

function invalid(message: string): DatasetError {
  return new DatasetError('invalid', message);
}
