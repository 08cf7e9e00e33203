"""Random reads, writes, truncations and mapped writes of one file over the mount, compared with a copy in memory.

fsx.py DIRECTORY SEED OPERATIONS
"""

import mmap
import os
import random
import sys

directory, seed, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
choose = random.Random(seed)
SIZE_MAX = 2_500_000
LENGTH_MAX = 200_000
path = os.path.join(directory, "fsx.%d" % seed)
fd = os.open(path, os.O_CREAT | os.O_RDWR | os.O_TRUNC, 0o644)
copy = bytearray()
log = []


def resize(size):
    if size < len(copy):
        del copy[size:]
    else:
        copy.extend(bytes(size - len(copy)))


def compare(offset, data):
    want = bytes(copy[offset : offset + len(data)])
    if data == want:
        return
    at = next(i for i in range(len(data)) if data[i : i + 1] != want[i : i + 1])
    print("seed %d: byte %d is %r, should be %r" % (seed, offset + at, data[at : at + 8], want[at : at + 8]))
    print("\n".join(log[-30:]))
    sys.exit(1)


def span():
    offset = choose.randrange(SIZE_MAX)
    return offset, min(choose.choice((1, 511, 4096, 10_000, LENGTH_MAX)), SIZE_MAX - offset)


def read():
    offset, length = span()
    data = os.pread(fd, length, offset)
    if len(data) != max(0, min(length, len(copy) - offset)):
        print("seed %d: %d bytes read at %d, the file has %d" % (seed, len(data), offset, len(copy)))
        sys.exit(1)
    compare(offset, data)
    return "read %d at %d" % (length, offset)


def write():
    offset, length = span()
    data = choose.randbytes(length)
    os.pwrite(fd, data, offset)
    if offset > len(copy):
        resize(offset)
    copy[offset : offset + length] = data
    return "write %d at %d" % (length, offset)


def mapped():
    offset, length = span()
    length = min(length, len(copy) - offset)
    if length <= 0:
        return "map nothing"
    data = choose.randbytes(length)
    with mmap.mmap(fd, len(copy)) as view:
        view[offset : offset + length] = data
        view.flush()
    copy[offset : offset + length] = data
    return "map %d at %d" % (length, offset)


def truncate():
    size = choose.randrange(SIZE_MAX)
    os.ftruncate(fd, size)
    resize(size)
    return "truncate to %d" % size


def reopen():
    global fd
    os.close(fd)
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")
    fd = os.open(path, os.O_RDWR)
    if os.fstat(fd).st_size != len(copy):
        print("seed %d: size %d, should be %d" % (seed, os.fstat(fd).st_size, len(copy)))
        sys.exit(1)
    return "reopen"


def sync():
    os.fsync(fd)
    return "fsync"


actions = [read] * 4 + [write] * 5 + [mapped] * 2 + [truncate] * 2 + [reopen, sync]
for _ in range(count):
    log.append(choose.choice(actions)())
log.append(reopen())
compare(0, os.pread(fd, SIZE_MAX, 0))
os.close(fd)
os.unlink(path)
