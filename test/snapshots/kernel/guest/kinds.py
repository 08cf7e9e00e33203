"""The kinds of objects of the isolation table (test/snapshots/isolation/table.json), as programs make them.

What is written of a file in the state `stored` is on the server's disk when it is made. In the state `waiting in memory` it
is left in `unsent`, and `send` has the kernel write it, without a COMMIT: the server has it then, and may lose it.
"""

import ctypes
import os

# As in matrix.ts: past what goes inline into a record, and not whole blocks.
EXTENT_BYTES = 41000
HOLE_END = 200000

SYNC_FILE_RANGE_WRITE = 2
SYNC_FILE_RANGE_WAIT_AFTER = 4

libc = ctypes.CDLL(None, use_errno=True)
libc.sync_file_range.argtypes = [ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint]


def send(fd):
    """Has what is dirty of a file written by WRITE UNSTABLE; its pages stay with the client until a COMMIT."""
    if libc.sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE | SYNC_FILE_RANGE_WAIT_AFTER) != 0:
        raise OSError(ctypes.get_errno(), "sync_file_range")


class Made:
    """One object. A file stays open, so that its removal is a rename by the client and its data may be written late."""

    def __init__(self, cell):
        self.cell = cell
        self.fd = None
        self.ino = None
        self.unsent = []
        self.late = []

    def open(self):
        self.fd = os.open(self.cell.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o640)
        return self

    def data(self, *pieces):
        if self.cell.state == "stored":
            self.write(pieces)
            os.fsync(self.fd)
        else:
            self.unsent += pieces
        return self

    def write(self, pieces):
        for offset, data in pieces:
            os.pwrite(self.fd, data, offset)

    def send(self):
        """What stays in the client's memory alone comes after: it reaches the server behind the snapshot."""
        if self.unsent:
            self.write(self.unsent)
            send(self.fd)
        self.write(self.late)


def half_written(made):
    made.open()
    os.pwrite(made.fd, b"c" * EXTENT_BYTES, 0)
    os.fsync(made.fd)
    made.unsent.append((20000, b"d" * EXTENT_BYTES))
    made.late.append((50000, b"e" * EXTENT_BYTES))


def linked(made):
    made.open().data((0, b"linked"))
    os.link(made.cell.path, made.cell.elsewhere)


def removed(made):
    made.open().data((0, b"removed while open"))
    os.unlink(made.cell.path)


def full_directory(made):
    os.mkdir(made.cell.path)
    os.close(os.open(os.path.join(made.cell.path, "in it"), os.O_CREAT | os.O_EXCL | os.O_WRONLY))


KINDS = {
    "an empty file": lambda made: made.open(),
    "an inline file": lambda made: made.open().data((0, b"inline bytes")),
    "a file in extents": lambda made: made.open().data((0, b"a" * EXTENT_BYTES)),
    "a sparse file": lambda made: made.open().data((0, b"b" * 5000), (HOLE_END, b"end")),
    "a half-written file": half_written,
    "a file with a name elsewhere": linked,
    "a file that is removed": removed,
    "a symlink": lambda made: os.symlink("target", made.cell.path),
    "a FIFO": lambda made: os.mkfifo(made.cell.path),
    "an empty directory": lambda made: os.mkdir(made.cell.path),
    "a full directory": full_directory,
}


def make(cell):
    made = Made(cell)
    KINDS[cell.kind](made)
    made.ino = (os.fstat(made.fd) if made.fd is not None else os.lstat(cell.path)).st_ino
    if cell.other:
        os.close(os.open(cell.other, os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    return made
