// The names that a worker of the load has made: a tree of directories, files and symlinks with their handles.
// Every change answers how to undo it, for a server that may lose the last ones.

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

/** Every `{ directory, name, node, path }` below a directory. */
export function* walk(directory, prefix = '') {
  for (const [name, node] of directory.children) {
    const path = prefix + name;
    yield { directory, name, node, path };
    if (node.kind === 'directory') yield* walk(node, `${path}/`);
  }
}

export function add(directory, name, node) {
  if (node.kind === 'directory') node.parent = directory;
  directory.children.set(name, node);
  return () => directory.children.delete(name);
}

export function addLink(directory, name, node) {
  node.links += 1;
  directory.children.set(name, node);
  return () => drop(directory, name);
}

export function drop(directory, name) {
  const node = directory.children.get(name);
  directory.children.delete(name);
  if (node.kind === 'file') node.links -= 1;
  return () => {
    directory.children.set(name, node);
    if (node.kind === 'file') node.links += 1;
  };
}

/** RENAME as POSIX has it: two names of one file stay as they are. */
export function move(from, fromName, to, toName) {
  const node = from.children.get(fromName);
  const replaced = to.children.get(toName);
  if (replaced === node) return () => {};
  const restore = replaced ? drop(to, toName) : () => {};
  from.children.delete(fromName);
  add(to, toName, node);
  return () => {
    to.children.delete(toName);
    restore();
    add(from, fromName, node);
  };
}

export function isBelow(directory, ancestor) {
  for (let at = directory; at; at = at.parent) if (at === ancestor) return true;
  return false;
}
