"""The procedures of the isolation table (test/snapshots/isolation/table.json): the system calls that have the kernel send each.

A target is `{path, name, directory, other, fd}`: `path` is where the object is now, `name` what it was made as, `fd` is open
where the object is an open file of this process.
"""

import contextlib
import errno
import os

from kinds import send

NOFOLLOW = os.O_NOFOLLOW | os.O_NONBLOCK

# How a kernel refuses a procedure that a kind of object does not have. Any other error is a fault.
REFUSALS = {
    errno.ENOENT,
    errno.EISDIR,
    errno.ENOTDIR,
    errno.ENOTEMPTY,
    errno.EINVAL,
    errno.ELOOP,
    errno.ENXIO,
    errno.EPERM,
    # Of a name that the client has given to an open file that was removed.
    errno.EBUSY,
}


@contextlib.contextmanager
def writable(target):
    if target.fd is not None:
        yield target.fd
        return
    fd = os.open(target.path, os.O_WRONLY | NOFOLLOW)
    try:
        yield fd
    finally:
        os.close(fd)


def truncate(size):
    def run(target):
        with writable(target) as fd:
            os.ftruncate(fd, size)

    return run


def write(offset, data, *after):
    def run(target):
        with writable(target) as fd:
            os.pwrite(fd, data, offset)
            for step in after:
                step(fd)

    return run


def beside(target, suffix):
    return os.path.join(target.directory, target.name + suffix)


def create(target):
    os.close(os.open(beside(target, ""), os.O_CREAT | os.O_TRUNC | os.O_WRONLY | NOFOLLOW, 0o606))


def create_in_it(target):
    os.close(os.open(os.path.join(target.path, "new"), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


PROCEDURES = {
    "SETATTR mode": lambda target: os.chmod(target.path, 0o604),
    "SETATTR owner": lambda target: os.chown(target.path, 12, 13, follow_symlinks=False),
    "SETATTR times": lambda target: os.utime(target.path, ns=(4_000_000_003, 5_000_000_006), follow_symlinks=False),
    "SETATTR size 0": truncate(0),
    "SETATTR size less": truncate(5),
    "SETATTR size more": truncate(300_000),
    "WRITE unstable": write(3, b"other", send),
    "WRITE stable": write(3, b"other", os.fdatasync),
    "WRITE much": write(100, b"z" * 90_000, os.fsync),
    "WRITE, COMMIT": write(0, b"y" * 20_000, send, os.fsync),
    "CREATE": create,
    "MKDIR": lambda target: os.mkdir(beside(target, " made")),
    "SYMLINK": lambda target: os.symlink(target.name, beside(target, " made")),
    "MKNOD": lambda target: os.mkfifo(beside(target, " made")),
    "CREATE in it": create_in_it,
    "REMOVE": lambda target: os.unlink(target.path),
    "RMDIR": lambda target: os.rmdir(target.path),
    "RENAME": lambda target: os.rename(target.path, beside(target, " moved")),
    "RENAME over it": lambda target: os.rename(target.other, target.path),
    "LINK": lambda target: os.link(target.path, beside(target, " again"), follow_symlinks=False),
}


def play(procedure, target):
    """True: done; false: refused. @raise OSError for an error that is none of the procedure's own"""
    try:
        PROCEDURES[procedure](target)
        return True
    except OSError as error:
        if error.errno in REFUSALS:
            return False
        raise
