"""POSIX semantics over the mount: one function is one check. Prints PASS or FAIL lines; runs as root in the guest.

Other users are children that give up root, so that the server sees their credentials.
"""

import errno
import os
import stat
import sys
import time
import traceback

TOP = os.path.join(sys.argv[1], "posix.%d" % os.getpid())
CHECKS = []


def check(function):
    CHECKS.append(function)
    return function


def fails(code, function, *args, **kwargs):
    try:
        result = function(*args, **kwargs)
    except OSError as error:
        assert error.errno == code, "%s instead of %s" % (error, errno.errorcode[code])
        return
    raise AssertionError("no %s, but %r" % (errno.errorcode[code], result))


def as_user(uid, function, gid=None, groups=()):
    """Runs function in a child of that user; its failure is ours."""
    read_end, write_end = os.pipe()
    child = os.fork()
    if child == 0:
        status = 1
        try:
            os.setgroups(list(groups))
            os.setresgid(gid or uid, gid or uid, gid or uid)
            os.setresuid(uid, uid, uid)
            function()
            status = 0
        except BaseException:
            os.write(write_end, traceback.format_exc()[-3000:].encode())
        os._exit(status)
    os.close(write_end)
    said = os.fdopen(read_end).read()
    if os.waitpid(child, 0)[1] != 0:
        raise AssertionError("as user %d:\n%s" % (uid, said))


def touch(path, mode=0o644, data=b""):
    fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, mode)
    os.write(fd, data)
    os.close(fd)
    return path


def content(path):
    with open(path, "rb") as file:
        return file.read()


def mode(path):
    return stat.S_IMODE(os.lstat(path).st_mode)


def drop_caches():
    os.sync()
    with open("/proc/sys/vm/drop_caches", "w") as file:
        file.write("3")


def later(path, field, function):
    """function must move the time forward."""
    before = getattr(os.lstat(path), field)
    time.sleep(0.02)
    function()
    after = getattr(os.lstat(path), field)
    assert after > before, "%s of %s did not move: %d" % (field, path, after)


# --- names


@check
def names_of_255_bytes_and_no_more():
    for unit in (b"n", "ü".encode()):
        name = (unit * 255)[:254] + b"x"
        os.mkdir(name)
        assert name in os.listdir(b".")
        os.rmdir(name)
    fails(errno.ENAMETOOLONG, os.mkdir, "n" * 256)
    fails(errno.ENAMETOOLONG, os.stat, "n" * 256)
    fails(errno.ENAMETOOLONG, os.rename, touch("short"), "n" * 256)


@check
def names_are_bytes():
    odd = [b"\xff\xfe", b"a\nb", b" ", b"\\", b"*?", b"-", b"\xc3\xa9", b"e\xcc\x81", b"...", b"\x01"]
    for name in odd:
        touch(name, data=name)
    drop_caches()
    assert sorted(os.listdir(b".")) == sorted(odd), os.listdir(b".")
    for name in odd:
        assert content(name) == name
        os.unlink(name)


@check
def dot_and_dot_dot_are_refused():
    os.mkdir("d")
    fails(errno.EINVAL, os.rmdir, "d/.")
    fails(errno.ENOTEMPTY, os.rmdir, "d/..")
    fails(errno.EBUSY, os.rename, "d/.", "e")
    assert os.stat("d/..").st_ino == os.stat(".").st_ino


@check
def snapshots_name_is_reserved():
    fails(errno.EACCES, os.mkdir, ".snapshots")
    fails(errno.EACCES, touch, ".snapshots")
    fails(errno.EACCES, os.rename, touch("file"), ".snapshots")
    fails(errno.EACCES, os.symlink, "x", ".snapshots")


# --- create and open


@check
def exclusive_create_and_creation_over_what_is_there():
    touch("f", data=b"kept")
    fails(errno.EEXIST, touch, "f")
    os.close(os.open("f", os.O_CREAT | os.O_RDWR, 0o600))
    assert content("f") == b"kept" and mode("f") == 0o644
    os.close(os.open("f", os.O_CREAT | os.O_TRUNC | os.O_WRONLY))
    assert content("f") == b""
    os.mkdir("d")
    fails(errno.EISDIR, os.open, "d", os.O_WRONLY)
    fails(errno.EEXIST, os.mkdir, "f")
    fails(errno.ENOTDIR, os.open, "f/below", os.O_RDONLY)
    fails(errno.ENOENT, os.open, "none/below", os.O_CREAT | os.O_WRONLY)


@check
def umask_and_modes_with_special_bits():
    for bits in (0o000, 0o421, 0o777, 0o4755, 0o2755, 0o1777, 0o7777):
        touch("f", bits)
        os.chmod("f", bits)
        drop_caches()
        assert mode("f") == bits, oct(mode("f"))
        os.unlink("f")
    os.mkdir("d", 0o1770)
    assert mode("d") == 0o1770, oct(mode("d"))


@check
def every_type_of_node():
    os.mkfifo("fifo", 0o640)
    os.mknod("socket", stat.S_IFSOCK | 0o600)
    os.mknod("block", stat.S_IFBLK | 0o600, os.makedev(8, 300))
    os.mknod("char", stat.S_IFCHR | 0o600, os.makedev(255, 65536 + 7))
    drop_caches()
    assert stat.S_ISFIFO(os.lstat("fifo").st_mode) and mode("fifo") == 0o640
    assert stat.S_ISSOCK(os.lstat("socket").st_mode)
    assert os.lstat("block").st_rdev == os.makedev(8, 300), os.lstat("block").st_rdev
    assert os.lstat("char").st_rdev == os.makedev(255, 65536 + 7), os.lstat("char").st_rdev
    fails(errno.EEXIST, os.mkfifo, "fifo")


@check
def a_new_node_belongs_to_its_maker_and_a_setgid_directory_gives_its_group():
    os.mkdir("d")
    os.chmod("d", 0o777)
    os.mkdir("g")
    os.chown("g", 0, 4242)
    os.chmod("g", 0o2777)

    def make():
        touch("d/f")
        touch("g/f")
        os.mkdir("g/d")

    as_user(1000, make, gid=1001)
    assert (os.stat("d/f").st_uid, os.stat("d/f").st_gid) == (1000, 1001)
    assert (os.stat("g/f").st_uid, os.stat("g/f").st_gid) == (1000, 4242)
    assert os.stat("g/d").st_gid == 4242 and mode("g/d") & stat.S_ISGID, oct(mode("g/d"))


# --- links, symlinks


@check
def hard_links_share_the_file():
    touch("a", data=b"one")
    os.link("a", "b")
    assert os.stat("a").st_nlink == 2 and os.stat("a").st_ino == os.stat("b").st_ino
    with open("b", "ab") as file:
        file.write(b" two")
    assert content("a") == b"one two"
    later("b", "st_ctime_ns", lambda: os.unlink("a"))
    assert os.stat("b").st_nlink == 1 and content("b") == b"one two"
    fails(errno.EEXIST, os.link, "b", touch("c"))
    fails(errno.ENOENT, os.link, "none", "d")
    os.mkdir("dir")
    fails(errno.EPERM, os.link, "dir", "dirlink")
    os.symlink("b", "s")
    os.link("s", "s2", follow_symlinks=False)
    assert os.readlink("s2") == "b" and os.lstat("s").st_nlink == 2


@check
def symlinks_to_4095_bytes():
    for length in (1, 100, 1023, 4095):
        target = "t" * length
        os.symlink(target, "s")
        drop_caches()
        assert os.readlink("s") == target and os.lstat("s").st_size == length
        os.unlink("s")
    fails(errno.ENAMETOOLONG, os.symlink, "t" * 4096, "s")
    fails(errno.ENOENT, os.symlink, "", "s")
    os.symlink("s", "s")
    fails(errno.ELOOP, os.stat, "s")
    fails(errno.EEXIST, os.symlink, "x", "s")
    fails(errno.EINVAL, os.readlink, touch("f"))


# --- directories


@check
def link_counts_of_directories():
    os.mkdir("d")
    assert os.stat("d").st_nlink == 2
    for i in range(3):
        os.mkdir("d/%d" % i)
    touch("d/file")
    assert os.stat("d").st_nlink == 5, os.stat("d").st_nlink
    os.mkdir("e")
    os.rename("d/0", "e/0")
    assert (os.stat("d").st_nlink, os.stat("e").st_nlink) == (4, 3)
    os.rmdir("d/1")
    assert os.stat("d").st_nlink == 3


@check
def rmdir_and_unlink_look_at_the_type():
    os.mkdir("d")
    touch("d/f")
    fails(errno.ENOTEMPTY, os.rmdir, "d")
    fails(errno.ENOTDIR, os.rmdir, "d/f")
    fails(errno.EISDIR, os.unlink, "d")
    fails(errno.ENOENT, os.unlink, "none")
    os.unlink("d/f")
    os.rmdir("d")
    fails(errno.ENOENT, os.stat, "d")


@check
def a_listing_while_entries_come_and_go_shows_the_constant_ones_once():
    os.mkdir("d")
    constant = {"constant-%04d" % i for i in range(600)}
    for name in constant:
        touch("d/" + name)
    fd = os.open("d", os.O_RDONLY | os.O_DIRECTORY)
    drop_caches()
    seen = []
    with os.scandir(fd) as entries:
        for index, entry in enumerate(entries):
            seen.append(entry.name)
            if index % 7 == 0:
                touch("d/new-%05d" % index)
            if index % 14 == 7:
                os.unlink("d/new-%05d" % (index - 7))
    os.close(fd)
    assert len(seen) == len(set(seen)), "a name was seen twice"
    assert constant <= set(seen), constant - set(seen)


# --- rename


@check
def rename_over_files_and_directories():
    touch("a", data=b"a")
    touch("b", data=b"b")
    os.rename("a", "b")
    assert content("b") == b"a" and not os.path.exists("a")
    os.mkdir("d")
    os.mkdir("empty")
    os.mkdir("full")
    touch("full/f")
    fails(errno.EISDIR, os.rename, "b", "d")
    fails(errno.ENOTDIR, os.rename, "d", "b")
    fails(errno.ENOTEMPTY, os.rename, "d", "full")
    os.rename("full", "empty")
    assert os.listdir("empty") == ["f"]
    fails(errno.EINVAL, os.rename, "empty", "empty/below")
    fails(errno.ENOTEMPTY, os.rename, "d", "empty")
    fails(errno.ENOENT, os.rename, "none", "b")
    os.rename("b", "b")
    assert content("b") == b"a"


@check
def rename_of_two_links_to_one_file_leaves_both():
    touch("a")
    os.link("a", "b")
    os.rename("a", "b")
    assert os.path.exists("a") and os.path.exists("b") and os.stat("a").st_nlink == 2


@check
def rename_of_a_directory_moves_its_parent():
    os.makedirs("a/b/c")
    os.mkdir("z")
    inode = os.stat("a/b").st_ino
    os.rename("a/b", "z/b")
    drop_caches()
    assert os.stat("z/b").st_ino == inode and os.stat("z/b/..").st_ino == os.stat("z").st_ino
    assert os.path.isdir("z/b/c") and not os.path.exists("a/b")


@check
def rename_keeps_an_open_file():
    fd = os.open("a", os.O_CREAT | os.O_RDWR, 0o644)
    os.write(fd, b"open")
    os.rename("a", "b")
    os.write(fd, b" still")
    os.close(fd)
    assert content("b") == b"open still"
    touch("c", data=b"other")
    fd = os.open("b", os.O_RDONLY)
    os.rename("c", "b")
    assert os.read(fd, 100) == b"open still"
    os.close(fd)
    assert content("b") == b"other"


# --- permission


@check
def permission_bits_bind_owner_group_and_others():
    touch("f", data=b"x")
    os.chown("f", 1000, 2000)
    table = [
        (0o400, 1000, (), True, False),
        (0o200, 1000, (), False, True),
        (0o040, 1001, (2000,), True, False),
        (0o020, 1001, (2000,), False, True),
        (0o004, 1001, (), True, False),
        (0o002, 1001, (), False, True),
        (0o077, 1000, (), False, False),
        (0o707, 1001, (2000,), False, False),
    ]
    for bits, uid, groups, reads, writes in table:
        os.chmod("f", bits)
        for flag, allowed in ((os.O_RDONLY, reads), (os.O_WRONLY, writes)):

            def attempt():
                if allowed:
                    os.close(os.open("f", flag))
                else:
                    fails(errno.EACCES, os.open, "f", flag)

            as_user(uid, attempt, groups=groups)


@check
def sixteen_groups_count():
    touch("f", data=b"x")
    os.chown("f", 0, 5015)
    os.chmod("f", 0o040)
    as_user(1000, lambda: content("f"), gid=5000, groups=range(5000, 5016))


@check
def directories_need_write_and_search():
    os.mkdir("d")
    touch("d/f")
    for bits, expected in ((0o755, errno.EACCES), (0o773, None), (0o772, errno.EACCES)):
        os.chmod("d", bits)

        def attempt():
            if expected:
                fails(expected, touch, "d/new")
                fails(expected, os.unlink, "d/f")
                fails(expected, os.rename, "d/f", "d/g")
            else:
                os.unlink(touch("d/new"))

        as_user(1000, attempt)
    os.chmod("d", 0o700)
    as_user(1000, lambda: fails(errno.EACCES, os.stat, "d/f"))
    os.chmod("d", 0o711)
    as_user(1000, lambda: (os.stat("d/f"), fails(errno.EACCES, os.listdir, "d")))


@check
def sticky_directories_protect_files_of_others():
    os.mkdir("d")
    os.chmod("d", 0o1777)
    as_user(1000, lambda: (touch("d/mine", 0o666), touch("d/mine2"), os.mkdir("d/dir")))

    def other():
        fails(errno.EPERM, os.unlink, "d/mine")
        fails(errno.EPERM, os.rename, "d/mine", "d/x")
        fails(errno.EPERM, os.rmdir, "d/dir")
        fails(errno.EPERM, os.rename, touch("d/other"), "d/mine")

    as_user(1001, other)
    as_user(1000, lambda: (os.rename("d/mine", "d/x"), os.unlink("d/x"), os.rmdir("d/dir")))


@check
def only_the_owner_changes_the_mode_and_only_root_the_owner():
    touch("f")
    os.chown("f", 1000, 1000)
    as_user(1000, lambda: os.chmod("f", 0o600))
    as_user(1001, lambda: fails(errno.EPERM, os.chmod, "f", 0o666))
    as_user(1000, lambda: fails(errno.EPERM, os.chown, "f", 1001, -1))
    as_user(1000, lambda: fails(errno.EPERM, os.chown, "f", -1, 3000))
    as_user(1000, lambda: os.chown("f", -1, 3000), groups=(3000,))
    assert os.stat("f").st_gid == 3000


@check
def setuid_and_setgid_go_when_another_writes_or_the_owner_changes():
    touch("f", data=b"x")
    os.chown("f", 1000, 1000)
    os.chmod("f", 0o6777)

    def write():
        fd = os.open("f", os.O_WRONLY)
        os.write(fd, b"y")
        os.close(fd)

    as_user(1001, write)
    drop_caches()
    assert mode("f") == 0o777, oct(mode("f"))
    os.chmod("f", 0o6755)
    as_user(1000, lambda: os.chown("f", -1, 3000), groups=(3000,))
    assert mode("f") == 0o755, oct(mode("f"))
    os.chmod("f", 0o2755)
    as_user(1000, lambda: os.chmod("f", 0o2755))
    assert mode("f") == 0o755, "setgid of a group that the owner is not in: %o" % mode("f")


@check
def the_owner_writes_on_through_an_open_file_that_became_read_only():
    def owner():
        fd = os.open("d/f", os.O_CREAT | os.O_RDWR, 0o000)
        os.write(fd, b"through")
        os.fsync(fd)
        os.lseek(fd, 0, 0)
        assert os.read(fd, 10) == b"through"
        os.close(fd)

    os.mkdir("d")
    os.chmod("d", 0o777)
    as_user(1000, owner)


# --- sizes, times


@check
def truncation_and_holes():
    touch("f", data=b"0123456789")
    os.truncate("f", 5)
    os.truncate("f", 8)
    assert content("f") == b"01234\0\0\0"
    with open("f", "r+b") as file:
        file.seek(3 * 2**20 + 5)
        file.write(b"end")
    drop_caches()
    data = content("f")
    assert len(data) == 3 * 2**20 + 8 and data[:8] == b"01234\0\0\0" and not any(data[8:-3])
    assert os.stat("f").st_blocks * 512 < 2**20, os.stat("f").st_blocks
    os.truncate("f", 2**40)
    assert os.stat("f").st_size == 2**40
    os.truncate("f", 0)
    assert content("f") == b"" and os.stat("f").st_blocks == 0
    fails(errno.EISDIR, os.truncate, ".", 0)


@check
def a_file_at_the_largest_offset():
    touch("f")
    with open("f", "r+b", buffering=0) as file:
        os.pwrite(file.fileno(), b"far", 2**52)
        os.fsync(file.fileno())
        drop_caches()
        assert os.pread(file.fileno(), 10, 2**52 - 2) == b"\0\0far"
        assert os.fstat(file.fileno()).st_size == 2**52 + 3
        fails(errno.EFBIG, os.pwrite, file.fileno(), b"too far", 2**53)
        fails(errno.EFBIG, os.ftruncate, file.fileno(), 2**53)


@check
def times_move_when_they_must():
    touch("f", data=b"x")
    os.mkdir("d")
    later("f", "st_mtime_ns", lambda: open("f", "ab").write(b"y") and None)
    later("f", "st_ctime_ns", lambda: os.chmod("f", 0o600))
    later("f", "st_ctime_ns", lambda: os.chown("f", 1, 1))
    later("f", "st_ctime_ns", lambda: os.link("f", "g"))
    later("f", "st_mtime_ns", lambda: os.truncate("f", 1))
    later("d", "st_mtime_ns", lambda: touch("d/a"))
    later("d", "st_mtime_ns", lambda: os.rename("d/a", "d/b"))
    later("d", "st_ctime_ns", lambda: os.unlink("d/b"))
    later("d", "st_mtime_ns", lambda: os.mkdir("d/e"))
    later("d", "st_mtime_ns", lambda: os.rmdir("d/e"))
    later("d", "st_mtime_ns", lambda: os.symlink("x", "d/s"))


@check
def failed_calls_move_no_times():
    os.mkdir("d")
    touch("d/f")
    before = os.stat("d")
    time.sleep(0.02)
    fails(errno.EEXIST, os.mkdir, "d/f")
    fails(errno.ENOTDIR, os.rmdir, "d/f")
    fails(errno.ENOENT, os.unlink, "d/none")
    drop_caches()
    after = os.stat("d")
    assert (before.st_mtime_ns, before.st_ctime_ns) == (after.st_mtime_ns, after.st_ctime_ns)


@check
def times_can_be_set_to_the_nanosecond_from_1970_to_2106():
    touch("f")
    os.symlink("f", "s")
    # Linux clears the nanoseconds of the very first and the very last second that a file system has.
    for ns in (0, 2 * 10**9 + 3, 10**18 + 123456789, 2**31 * 10**9 + 5, (2**32 - 1) * 10**9 - 1):
        for path in ("f", "s"):
            os.utime(path, ns=(ns, ns // 2), follow_symlinks=False)
            drop_caches()
            seen = os.lstat(path)
            assert (seen.st_atime_ns, seen.st_mtime_ns) == (ns, ns // 2), (path, ns, seen)


@check
def utime_needs_the_owner_or_for_now_write_permission():
    touch("f")
    os.chmod("f", 0o666)
    as_user(1000, lambda: os.utime("f"))
    as_user(1000, lambda: fails(errno.EPERM, os.utime, "f", (1, 1)))
    os.chmod("f", 0o644)
    as_user(1000, lambda: fails(errno.EACCES, os.utime, "f"))


@check
def append_mode_and_overlapping_writes():
    fd = os.open("f", os.O_CREAT | os.O_RDWR)
    os.pwrite(fd, b"a" * 10000, 0)
    os.pwrite(fd, b"b" * 3000, 4000)
    os.fsync(fd)
    os.pwrite(fd, b"c" * 100, 6950)
    os.close(fd)
    drop_caches()
    want = b"a" * 4000 + b"b" * 2950 + b"c" * 100 + b"a" * 2950
    assert content("f") == want


def main():
    wanted = sys.argv[2:]
    failed = 0
    os.umask(0)
    os.mkdir(TOP)
    os.chmod(TOP, 0o755)
    for index, function in enumerate(CHECKS):
        name = function.__name__.replace("_", " ")
        if wanted and not any(word in name for word in wanted):
            continue
        home = os.path.join(TOP, "home-%d" % index)
        os.mkdir(home)
        os.chmod(home, 0o755)
        os.chdir(home)
        begun = time.monotonic()
        said = ""
        try:
            function()
        except BaseException:
            failed += 1
            said = "\n".join("    " + line for line in traceback.format_exc().splitlines()[-8:])
        took = (time.monotonic() - begun) * 1000
        print("%s %s (%d ms)" % ("FAIL" if said else "PASS", name, took))
        if said:
            print(said)
        os.chdir(TOP)
        os.system("rm -rf '%s'" % home)
    os.chdir("/")
    os.system("rm -rf '%s'" % TOP)
    sys.exit(1 if failed else 0)


main()
