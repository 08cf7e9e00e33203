"""Plays the isolation table over mounts of the kernel client, by order of the suite.

    player.py TABLE.json ORDERS ANSWERS PORT MOUNT_PORT

An order comes through the named pipe ORDERS, `{"do": what, "path": the path to mount}`; its answer goes through ANSWERS,
`{"said": ...}` or `{"failed": ...}`. One process does all of them, because the files that it has made stay open.
"""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import traceback

from kinds import KINDS, make
from listing import listing, paths_by_ino
from procedures import PROCEDURES, play

# Beside the places.
DIMENSIONS = ["states", "procedures", "kinds"]


class Cell:
    """One object of one procedure, kind, place and state; its name says which, so that a difference tells what made it."""

    def __init__(self, directory, elsewhere, state, procedure, kind):
        self.directory = directory
        self.state = state
        self.procedure = procedure
        self.kind = kind
        self.name = "%s of %s, %s" % (procedure, kind, state)
        self.path = os.path.join(directory, self.name)
        self.other = os.path.join(directory, "beside " + self.name) if procedure == "RENAME over it" else None
        self.elsewhere = os.path.join(elsewhere, self.name)


class Target:
    """An object where a mount at `top` has it that was made in another, or in the same, at `made_in`."""

    def __init__(self, made, top, made_in, by_ino, own):
        inside = lambda path: path and os.path.normpath(os.path.join(top, os.path.relpath(path, made_in)))
        cell = made.cell
        self.name = cell.name
        self.directory = inside(cell.directory)
        self.other = inside(cell.other)
        path = inside(cell.path)
        # One that was removed while open has the name that the client gave it.
        self.path = path if os.path.lexists(path) else by_ino.get(made.ino, path)
        self.fd = made.fd if own else None


ALTERATIONS = [
    ("a file in extents", "one byte", lambda made: os.pwrite(made.fd, b"A", 40000)),
    ("an inline file", "the mode", lambda made: os.fchmod(made.fd, 0o641)),
    ("an empty file", "a time", lambda made: os.utime(made.fd, ns=(1, os.fstat(made.fd).st_mtime_ns))),
    ("a file with a name elsewhere", "one name less", lambda made: os.unlink(made.cell.elsewhere)),
    ("a FIFO", "a second name", lambda made: os.link(made.cell.path, made.cell.path + " again")),
    ("an empty directory", "an entry", lambda made: os.mkdir(os.path.join(made.cell.path, "new"))),
]


class Player:
    def __init__(self, table, port, mount_port):
        self.table = table
        self.options = "vers=3,proto=tcp,mountproto=tcp,nolock,nosharecache,retry=0,port=%s,mountport=%s" % (port, mount_port)
        self.address = source_of(os.environ["MNT"]).rsplit(":", 1)[0]
        self.made = []
        self.made_in = None

    def mount(self, path):
        directory = tempfile.mkdtemp(dir="/run")
        subprocess.run(["mount", "-t", "nfs", "-o", self.options, self.address + ":" + path, directory], check=True)
        return directory

    def unmount(self, directory):
        subprocess.run(["umount", directory], check=True)
        os.rmdir(directory)

    def make(self, path):
        """Makes an object for every cell; what waits in memory is written last, so that it still waits at a snapshot."""
        top = self.made_in = self.mount(path)
        for cell in self.cells(top):
            self.made.append(make(cell))
        for made in self.made:
            made.send()
        return len(self.made)

    def cells(self, top):
        for place in self.table["places"]:
            directory = os.path.join(top, *place)
            elsewhere = os.path.join(top, "elsewhere", "of %d" % len(place))
            os.makedirs(directory, exist_ok=True)
            os.makedirs(elsewhere)
            for state, procedure, kind in itertools.product(*(self.table[what] for what in DIMENSIONS)):
                yield Cell(directory, elsewhere, state, procedure, kind)

    def settle(self):
        """Nothing that this client still has will reach the server later."""
        os.sync()

    def play(self, path, own):
        """What is done to the dataset where the objects were made is done to the open files."""
        top = self.made_in if own else self.mount(path)
        by_ino = paths_by_ino(top)
        done = {procedure: 0 for procedure in self.table["procedures"]}
        faults = []
        for made in self.made:
            target = Target(made, top, self.made_in, by_ino, own)
            try:
                done[made.cell.procedure] += play(made.cell.procedure, target)
            except OSError as error:
                faults.append("%s: %s" % (target.path, error))
        played = len(self.made)
        if own:
            self.close()
        else:
            self.unmount(top)
        return {"played": played, "done": done, "faults": faults}

    def close(self):
        for made in self.made:
            if made.fd is not None:
                os.close(made.fd)
        self.made = []
        if self.made_in:
            self.unmount(self.made_in)
        self.made_in = None

    def alter(self, path):
        """The least that may happen to each of some objects; answers what, by the path in the mount."""
        altered = {}
        by_kind = {made.cell.kind: made for made in self.made}
        for kind, what, change in ALTERATIONS:
            made = by_kind[kind]
            change(made)
            altered[os.path.relpath(made.cell.path, self.made_in)] = what
        os.sync()
        return altered

    def listing(self, path):
        """By a new mount, for which the client has nothing cached."""
        top = self.mount(path)
        try:
            return listing(top)
        finally:
            self.unmount(top)


def source_of(mount_point):
    with open("/proc/mounts") as mounts:
        for line in mounts:
            source, where = line.split()[:2]
            if where == mount_point:
                return source
    raise LookupError("%s is not mounted" % mount_point)


def answer_to(player, order):
    do = order.pop("do")
    try:
        return {"said": getattr(player, do)(**order)}
    except Exception:
        return {"failed": traceback.format_exc()}


def main():
    table_file, orders, answers, port, mount_port = sys.argv[1:]
    with open(table_file) as file:
        table = json.load(file)
    assert list(PROCEDURES) == table["procedures"], "the table has other procedures"
    assert list(KINDS) == table["kinds"], "the table has other kinds"
    player = Player(table, port, mount_port)
    while True:
        with open(orders) as pipe:
            order = json.load(pipe)
        if order["do"] == "end":
            return
        answer = answer_to(player, order)
        with open(answers, "w") as pipe:
            json.dump(answer, pipe)


main()
