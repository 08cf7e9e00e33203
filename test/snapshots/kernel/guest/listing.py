"""All that a mount shows: each path with all attributes, its target and a hash of its bytes."""

import hashlib
import os
import stat

ATTRIBUTES = ["mode", "nlink", "uid", "gid", "size", "blocks", "ino", "rdev", "atime_ns", "mtime_ns", "ctime_ns"]


def listing(top):
    found = {}
    paths = [top]
    while paths:
        path = paths.pop()
        what = os.lstat(path)
        shown = {name: getattr(what, "st_" + name) for name in ATTRIBUTES}
        found[os.path.relpath(path, top)] = shown
        if stat.S_ISDIR(what.st_mode):
            paths += [os.path.join(path, name) for name in os.listdir(path)]
        elif stat.S_ISLNK(what.st_mode):
            shown["target"] = os.readlink(path)
        elif stat.S_ISREG(what.st_mode):
            with open(path, "rb") as file:
                shown["sha256"] = hashlib.sha256(file.read()).hexdigest()
    return found


def paths_by_ino(top):
    """Where a snapshot or a clone has what was made elsewhere: inode numbers are the same."""
    found = {}
    for directory, directories, files in os.walk(top):
        for name in directories + files:
            path = os.path.join(directory, name)
            found.setdefault(os.lstat(path).st_ino, path)
    return found
