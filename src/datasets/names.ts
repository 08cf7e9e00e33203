// Names of datasets and snapshots.
//
//   dataset   := component ("/" component)*        "a/b" is nested in "a", and a directory "b" of its root
//   snapshot  := dataset "@" component
//   component := [A-Za-z0-9][A-Za-z0-9_.:-]{0,254}
//
// A full name, with "@" and snapshot, has at most 255 bytes (the alphabet is ASCII, so bytes are characters). A name
// never begins with "." or "-": it cannot be taken for `.`, `..`, `.snapshots` or an option.

import { DatasetError } from './datasets.ts';

export const FULL_NAME_BYTES_MAX = 255;
/** Dataset 0: always there, never deleted or renamed. */
export const ROOT_NAME = 'root';

const COMPONENT = /^[A-Za-z0-9][A-Za-z0-9_.:-]{0,254}$/;

export interface SnapshotName {
  readonly dataset: string;
  readonly snapshot: string;
}

/** @throws DatasetError `invalid`, with what is wrong with the name. */
export function checkDatasetName(name: string): void {
  if (name.includes('@')) throw invalid(name, 'a name with "@" is that of a snapshot');
  checkPath(name, name);
}

/** @throws DatasetError `invalid` when it is no `dataset@snapshot`. */
export function parseSnapshotName(name: string): SnapshotName {
  const at = name.indexOf('@');
  if (at < 0) throw invalid(name, 'a snapshot is named DATASET@SNAPSHOT');
  const dataset = name.slice(0, at);
  const snapshot = name.slice(at + 1);
  checkPath(name, dataset);
  checkSnapshotPart(name, snapshot);
  return { dataset, snapshot };
}

/** @param whole the name that `snapshot` is the last part of, or all of. @throws DatasetError `invalid` */
export function checkSnapshotPart(whole: string, snapshot: string): void {
  checkComponent(whole, snapshot, whole === snapshot ? 'it' : 'the part behind "@"');
}

/** The dataset that `name` is nested in; undefined for a top-level one. */
export function parentNameOf(name: string): string | undefined {
  const slash = name.lastIndexOf('/');
  return slash < 0 ? undefined : name.slice(0, slash);
}

/** The last component: the directory that a nested dataset is in its parent. */
export function lastComponentOf(name: string): string {
  return name.slice(name.lastIndexOf('/') + 1);
}

/** Whether `name` is nested in `ancestor`, at any depth. */
export function isNestedIn(name: string, ancestor: string): boolean {
  return name.startsWith(`${ancestor}/`);
}

function checkPath(whole: string, path: string): void {
  if (whole === '') throw invalid(whole, 'it is empty');
  checkLength(whole, whole, 'it');
  if (path.startsWith('/')) throw invalid(whole, 'it begins with "/", which only paths for mount do');
  if (path.endsWith('/')) throw invalid(whole, 'it ends with "/"');
  for (const component of path.split('/')) checkComponent(whole, component, 'a component');
}

function checkComponent(whole: string, component: string, what: string): void {
  if (COMPONENT.test(component)) return;
  if (component === '') throw invalid(whole, `${what} is empty`);
  const wrong = [...component].find((char) => !/[A-Za-z0-9_.:-]/.test(char));
  if (wrong !== undefined) {
    throw invalid(
      whole,
      `${JSON.stringify(wrong)} is not allowed, only letters, digits, "_", ".", ":" and "-"`,
    );
  }
  checkLength(whole, component, what);
  throw invalid(whole, `${what} must begin with a letter or a digit, not with "${component[0]}"`);
}

function checkLength(whole: string, part: string, what: string): void {
  const bytes = Buffer.byteLength(part);
  if (bytes <= FULL_NAME_BYTES_MAX) return;
  throw invalid(whole, `${what} has ${bytes} bytes, at most ${FULL_NAME_BYTES_MAX} are allowed`);
}

function invalid(name: string, why: string): DatasetError {
  // A name that may hold anything is quoted, so that a newline in it cannot forge a line of a log.
  return new DatasetError('invalid', `${JSON.stringify(shorten(name))} is no valid name: ${why}`);
}

function shorten(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 57)}...`;
}
