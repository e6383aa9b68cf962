# SPDX-License-Identifier: LGPL-2.1-or-later
"""What a directory tree holds, as data, and where two of them differ."""

import errno
import hashlib
import os
import stat
from typing import NamedTuple

NANO = 10**9
BLOCK = 4096
# Contents are read in windows of this size. Those that are all zeros do not count, so that it is the same whether a
# file system keeps holes, and a file of 10 GiB that is one takes no time where it does.
WINDOW = 2**17
ZEROS = bytes(WINDOW)
# Of one comparison; who has more than that has one mistake that shows everywhere.
DIFFERENCES_MAX = 40

TYPES = {
    stat.S_IFREG: 'file',
    stat.S_IFDIR: 'directory',
    stat.S_IFLNK: 'link',
    stat.S_IFCHR: 'character device',
    stat.S_IFBLK: 'block device',
    stat.S_IFIFO: 'pipe',
    stat.S_IFSOCK: 'socket',
}


class Entry(NamedTuple):
    """One name of a tree. What does not go with its type is None."""

    type: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int | None  # files
    digest: bytes | None  # files: of the content, see WINDOW
    data: tuple | None  # files, where asked for: the ranges of blocks that are no holes
    target: bytes | None  # symbolic links
    device: tuple | None  # devices: major and minor
    links: int | None  # but directories: the names that the inode has
    first: bytes | None  # but directories: the first of these names in the tree
    attributes: dict  # name → value


class Normal(NamedTuple):
    """What a comparison overlooks, on both sides."""

    seconds: bool = False  # times are whole seconds
    time_min: int | None = None  # in seconds; earlier times became this
    time_max: int | None = None  # in seconds; later times became this
    owners: bool = True
    modes: bool = True
    times: bool = True
    links: bool = True  # hard links are links, and not files of their own
    attributes_without: tuple = ()  # attributes whose names begin so do not count
    without: tuple = ()  # paths that do not count, and what is below; b'.' is the tree's own entry only


def _digest(descriptor, size):
    """Of all windows that have more than zeros in them, each with its place."""
    digest = hashlib.sha256()
    if size <= WINDOW:
        content = os.pread(descriptor, size, 0)
        if content != ZEROS[: len(content)]:
            digest.update(b'0:')
            digest.update(content)
        return digest.digest()
    position = 0
    while position < size:
        try:
            position = os.lseek(descriptor, position, os.SEEK_DATA) // WINDOW * WINDOW
        except OSError:
            break
        content = os.pread(descriptor, WINDOW, position)
        if content != ZEROS[: len(content)]:
            digest.update(b'%d:' % position)
            digest.update(content)
        position += WINDOW
    return digest.digest()


def _data(descriptor, size):
    """Where the file is no hole, in whole blocks."""
    ranges = []
    position = 0
    while position < size:
        try:
            begin = os.lseek(descriptor, position, os.SEEK_DATA)
        except OSError:
            break
        position = os.lseek(descriptor, begin, os.SEEK_HOLE)
        first, end = begin // BLOCK, -(-position // BLOCK)
        if ranges and ranges[-1][1] >= first:
            first = ranges.pop()[0]
        ranges.append((first, end))
    return tuple(ranges)


def _attributes(where):
    """Of a path that is not followed, or of a descriptor. A file system without attributes has none."""
    follow = isinstance(where, int)
    try:
        names = os.listxattr(where, follow_symlinks=follow)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        return {}
    return {name: os.getxattr(where, name, follow_symlinks=follow) for name in names}


class _Walk:
    """Descends by descriptors, so that paths may have any length."""

    def __init__(self, holes):
        self.holes = holes
        self.entries = {}
        self.firsts = {}

    def entry(self, status, attributes, **more):
        kind = TYPES[stat.S_IFMT(status.st_mode)]
        known = dict.fromkeys(('size', 'digest', 'data', 'target', 'device', 'links', 'first'))
        if 'device' in kind:
            known['device'] = (os.major(status.st_rdev), os.minor(status.st_rdev))
        return Entry(
            type=kind, mode=stat.S_IMODE(status.st_mode), uid=status.st_uid, gid=status.st_gid,
            mtime_ns=status.st_mtime_ns, attributes=attributes, **known | more,
        )  # fmt: skip

    def file(self, name, directory, status):
        if status.st_size == 0 and not self.holes:
            attributes = _attributes(f'/proc/self/fd/{directory}/{name}')
            return self.entry(status, attributes, size=0, digest=hashlib.sha256().digest())
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NOATIME, dir_fd=directory)
        try:
            size = status.st_size
            data = _data(descriptor, size) if self.holes else None
            attributes = _attributes(descriptor)
            return self.entry(status, attributes, size=size, digest=_digest(descriptor, size), data=data)
        finally:
            os.close(descriptor)

    def other(self, name, directory, status):
        attributes = _attributes(f'/proc/self/fd/{directory}/{name}')
        if not stat.S_ISLNK(status.st_mode):
            return self.entry(status, attributes)
        return self.entry(status, attributes, target=os.fsencode(os.readlink(name, dir_fd=directory)))

    def child(self, item, path, directory):
        status = item.stat(follow_symlinks=False)
        if stat.S_ISDIR(status.st_mode):
            below = os.open(item.name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
            try:
                self.directory(path, below)
            finally:
                os.close(below)
            return
        read = self.file if stat.S_ISREG(status.st_mode) else self.other
        self.entries[path] = read(item.name, directory, status)
        if status.st_nlink > 1:
            names = self.firsts.setdefault((status.st_dev, status.st_ino), [])
            names.append(path)

    def directory(self, path, descriptor):
        self.entries[path] = self.entry(os.fstat(descriptor), _attributes(descriptor))
        prefix = b'' if path == b'.' else path + b'/'
        with os.scandir(descriptor) as items:
            for item in items:
                self.child(item, prefix + os.fsencode(item.name), descriptor)

    def finish(self):
        for path, entry in self.entries.items():
            if entry.type != 'directory':
                self.entries[path] = entry._replace(links=1, first=path)
        for names in self.firsts.values():
            for path in names:
                self.entries[path] = self.entries[path]._replace(links=len(names), first=min(names))
        return self.entries


def describe(tree, holes=False):
    """The tree as path → Entry. Paths are bytes and relative; b'.' is the tree itself. With holes, the ranges of data are
    in it too, as the file system tells them."""
    walk = _Walk(holes)
    descriptor = os.open(tree, os.O_RDONLY | os.O_DIRECTORY)
    try:
        walk.directory(b'.', descriptor)
    finally:
        os.close(descriptor)
    return walk.finish()


def _time(time, normal):
    if normal.time_max is not None and time > normal.time_max * NANO:
        time = normal.time_max * NANO
    if normal.time_min is not None and time < normal.time_min * NANO:
        time = normal.time_min * NANO
    return time // NANO * NANO if normal.seconds else time


def _normalised(entry, normal):
    attributes = entry.attributes
    if normal.attributes_without:
        prefixes = normal.attributes_without
        attributes = {name: value for name, value in attributes.items() if not name.startswith(prefixes)}
    entry = entry._replace(mtime_ns=_time(entry.mtime_ns, normal), attributes=attributes)
    if not normal.owners:
        entry = entry._replace(uid=0, gid=0)
    if not normal.modes:
        entry = entry._replace(mode=0)
    if not normal.times:
        entry = entry._replace(mtime_ns=0)
    if not normal.links:
        entry = entry._replace(links=None, first=None)
    return entry


def _counts(path, normal):
    return not any(path == other or path.startswith(other + b'/') for other in normal.without)


def _shown(value):
    """Short enough to be read."""
    text = repr(value)
    return text if len(text) <= 200 else f'{text[:200]}… ({len(text)} characters)'


def _attribute_differences(path, expected, found):
    for name in sorted(expected.keys() | found.keys()):
        if expected.get(name) != found.get(name):
            one, other = _shown(expected.get(name)), _shown(found.get(name))
            yield f'{path}: attribute {name!r}: expected {one}, found {other}'


def _entry_differences(path, expected, found):
    path = _shown(path)
    if expected.type != found.type:
        yield f'{path}: expected a {expected.type}, found a {found.type}'
        return
    for field in Entry._fields:
        one, other = getattr(expected, field), getattr(found, field)
        if one == other:
            continue
        if field == 'attributes':
            yield from _attribute_differences(path, one, other)
        elif field == 'mode':
            yield f'{path}: {field}: expected {one:04o}, found {other:04o}'
        elif field == 'digest':
            yield f'{path}: another content'
        else:
            yield f'{path}: {field}: expected {_shown(one)}, found {_shown(other)}'


def differences(expected, found, normal=None):
    """Lines that say where the second description is another than the first; none if it is the same."""
    normal = normal or Normal()
    expected_paths = {path for path in expected if _counts(path, normal)}
    found_paths = {path for path in found if _counts(path, normal)}
    lines = [f'{_shown(path)}: is missing' for path in sorted(expected_paths - found_paths)]
    lines += [f'{_shown(path)}: should not be there' for path in sorted(found_paths - expected_paths)]
    for path in sorted(expected_paths & found_paths):
        one, other = _normalised(expected[path], normal), _normalised(found[path], normal)
        if one != other:
            lines += _entry_differences(path, one, other)
    return lines


def assert_none(lines):
    """For differences of several comparisons."""
    more = [f'and {len(lines) - DIFFERENCES_MAX} more'] if len(lines) > DIFFERENCES_MAX else []
    assert not lines, '\n'.join(['The trees differ:', *lines[:DIFFERENCES_MAX], *more])


def assert_same(expected, found, normal=None):
    assert_none(differences(expected, found, normal))
