// The names that a worker of the load has made: a tree of directories, files and symlinks with their handles.

export class DirectoryModel {
  kind = 'directory';
  children = new Map();
  parent = undefined;
}

export class SymlinkModel {
  kind = 'symlink';

  constructor(target) {
    this.target = target;
  }
}

/** Every `{ directory, name, node }` below a directory. */
export function* walk(directory) {
  for (const [name, node] of directory.children) {
    yield { directory, name, node };
    if (node.kind === 'directory') yield* walk(node);
  }
}

export function add(directory, name, node) {
  if (node.kind === 'directory') node.parent = directory;
  directory.children.set(name, node);
}

export function drop(directory, name) {
  const node = directory.children.get(name);
  directory.children.delete(name);
  if (node?.kind === 'file') node.links -= 1;
  return node;
}

/** RENAME as POSIX has it: two names of one file stay as they are. */
export function move(from, fromName, to, toName) {
  const node = from.children.get(fromName);
  const replaced = to.children.get(toName);
  if (replaced === node) return;
  if (replaced) drop(to, toName);
  from.children.delete(fromName);
  add(to, toName, node);
}

export function isBelow(directory, ancestor) {
  for (let at = directory; at; at = at.parent) if (at === ancestor) return true;
  return false;
}
