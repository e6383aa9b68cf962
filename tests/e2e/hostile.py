# SPDX-License-Identifier: LGPL-2.1-or-later
"""A directory tree with one of everything that makes life hard for who writes a file system or an archive.

Each feature is a function in FEATURES and fills a directory of its own name, so that a test can leave out what a format
refuses, and can ask for one feature alone. Building it needs root, and a file system that can hold it: host()."""

import os
import random
import stat
import subprocess
from contextlib import contextmanager

# Every feature by its name: the function gets the Place that it fills.
FEATURES = {}

NANO = 10**9
N_FILES = 100_000
SPARSE_SIZE = 10 * 2**30


def feature(function):
    FEATURES[function.__name__] = function
    return function


class Place:
    """The directory of one feature. Names are bytes; the order in which files are made is that of the generator."""

    def __init__(self, path, generator, n_files):
        self.path, self.generator, self.n_files = path, generator, n_files
        os.mkdir(path, 0o755)

    def __truediv__(self, name):
        return os.path.join(self.path, os.fsencode(name))

    def shuffled(self, items):
        items = list(items)
        self.generator.shuffle(items)
        return items

    def file(self, name, data=b'', mode=0o644):
        path = self / name
        with open(path, 'wb') as file:
            file.write(data)
        os.chmod(path, mode)
        return path

    def files(self, *names):
        for name in self.shuffled(names):
            self.file(name, b'text of ' + os.fsencode(name))

    def directory(self, name):
        os.mkdir(self / name, 0o755)
        return self / name

    def node(self, name, kind, major=0, minor=0):
        os.mknod(self / name, kind | 0o620, os.makedev(major, minor))
        return self / name


def build(tree, features=None, without=(), n_files=N_FILES, seed=0):
    """Makes the tree. Another seed makes the same tree in another order, so with other numbers of inodes."""
    generator = random.Random(seed)
    names = [name for name in features or FEATURES if name not in without]
    mask = os.umask(0)
    try:
        os.mkdir(tree, 0o755)
        generator.shuffle(names)
        for name in names:
            FEATURES[name](Place(os.path.join(os.fsencode(tree), name.encode()), generator, n_files))
        os.chown(tree, 12, 34)
        os.chmod(tree, 0o1751)
    finally:
        os.umask(mask)
    return tree


@contextmanager
def host(directory):
    """Mounts a file system that holds every feature, from a sparse file in the directory: ext4 that may keep large
    attributes in inodes of their own. No other of Linux has attributes of 64 KiB, links of 4095 bytes, and user
    attributes on every kernel."""
    directory.mkdir(parents=True, exist_ok=True)
    image, mount = directory / 'host.ext4', directory / 'host'
    with open(image, 'wb') as file:
        file.truncate(32 * 2**30)
    extras = ['-O', 'ea_inode,^has_journal', '-E', 'lazy_itable_init=1', '-m', '0', '-N', '400000']
    subprocess.run(['mkfs.ext4', '-q', '-b', '4096', '-I', '256', *extras, image], check=True)
    mount.mkdir()
    subprocess.run(['mount', '-t', 'ext4', '-o', 'loop,noatime', image, mount], check=True)
    try:
        yield mount
    finally:
        subprocess.run(['umount', mount], check=True)
        image.unlink()
        mount.rmdir()


# Names.


@feature
def names_with_controls(place):
    place.files('new\nline', '\n', 'tab\t', 'bell\a', 'escape\033[2J', 'return\r', 'delete\x7f', '\x01')


@feature
def names_with_quotes(place):
    place.files("'", '"', '`', '\\', '\\n', '\\012', '$HOME', '%s%n')
    place.files('*', '?', '[a]', '{a,b}', '&', ';', '|', '<>')


@feature
def names_with_blanks(place):
    place.files(' ', ' leading', 'trailing ', 'in the middle', '-', '--', '-rf', '--help')
    place.files('~', '#', '...', '.a', '=', 'a=b', ':', 'a:b', '@', '%', '.wh.a')


@feature
def names_not_utf8(place):
    place.files(b'\xff', b'\xfe\xff', bytes(range(128, 256)), b'latin-\xe9', b'cut-\xe2\x82')
    place.files(b'overlong-\xc0\xaf', b'surrogate-\xed\xa0\x80', b'beyond-\xf4\x90\x80\x80')


@feature
def names_of_unicode(place):
    place.files('composed-\u00e9', 'decomposed-e\u0301', '\u20ac', '\U0001f600', 'left-\u202eright')
    place.files('\u200d', '\ufeff', 'next-line-\u0085', 'separator-\u2028')


@feature
def names_of_255_bytes(place):
    place.files('x' * 255, '\u20ac' * 85, b'\xff' * 255, ' ' * 255, '\n' * 255)
    os.mkdir(place / ('d' * 255), 0o755)
    os.symlink('x' * 255, place / ('l' * 255))


@feature
def names_by_case(place):
    place.files('readme', 'README', 'Readme', 'stra\u00dfe', 'STRASSE', '\u00e4', '\u00c4')


@feature
def names_in_order(place):
    """A directory beside files whose names sort between it and what is in it."""
    place.directory('a')
    place.files('a-b', 'a.b', 'a b', 'a\x01', 'a0', 'ab', 'a/0', 'a/b', b'a\xff')


# Directories.


@feature
def many_files(place):
    """So many in one directory, with some content in one of a hundred."""
    for i in place.shuffled(range(place.n_files)):
        descriptor = os.open(place / f'{i:06}', os.O_WRONLY | os.O_CREAT, 0o644)
        if i % 100 == 0:
            os.write(descriptor, str(i).encode())
        os.close(descriptor)


@feature
def many_directories(place):
    for i in place.shuffled(range(300)):
        os.makedirs(place / f'{i}/below', 0o755)


def descend(place, depth):
    """Makes directories below each other, with a file and a link at the end."""
    descriptor = os.open(place.path, os.O_RDONLY | os.O_DIRECTORY)
    for i in range(depth):
        name = f'{i:03}' + 'd' * 30
        os.mkdir(name, 0o755, dir_fd=descriptor)
        above, descriptor = descriptor, os.open(name, os.O_RDONLY | os.O_DIRECTORY, dir_fd=descriptor)
        os.close(above)
    os.close(os.open('file', os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=descriptor))
    os.symlink('../file', 'link', dir_fd=descriptor)
    os.close(descriptor)


@feature
def deep_path(place):
    """As long as the kernel takes in one call, for those who have it below a path of their own."""
    descend(place, 110)


@feature
def deep_path_beyond_4096_bytes(place):
    descend(place, 140)


@feature
def closed_directory(place):
    os.mkdir(place / 'closed', 0o700)
    place.file('closed/file', mode=0o600)
    for name in ('closed/file', 'closed'):
        os.chown(place / name, 1000, 1000)
    os.mkdir(place / 'none', 0)


# Content.


@feature
def sizes(place):
    """Around what formats take for a block, both of what compresses well and of what does not."""
    borders = [0, 512, 4096, 16384, 65536, 2**17, 2**20]
    around = {max(border + more, 0) for border in borders for more in (-1, 0, 1)}
    for size in place.shuffled(sorted(around | {3 * 2**20})):
        place.file(f'random-{size}', random.Random(size).randbytes(size))
        place.file(f'text-{size}', (b'%d bytes of text. ' % size * (size // 10 + 1))[:size])


@feature
def same_content(place):
    for i in place.shuffled(range(20)):
        place.file(f'{i}', random.Random(0).randbytes(200_000))
        place.file(f'zeros-{i}', bytes(2**17 + i))


@feature
def empty_files(place):
    place.file('first')
    place.file('second')
    place.directory('directory')


@feature
def sparse_file(place):
    with open(place / 'sparse', 'wb') as file:
        file.write(b'begin')
        file.seek(SPARSE_SIZE // 2 + 17)
        file.write(b'middle')
        file.seek(SPARSE_SIZE - 3)
        file.write(b'end')
    os.chmod(place / 'sparse', 0o644)


@feature
def holes(place):
    for size in (1, 4096, 2**17, 10_000_000):
        os.truncate(place.file(f'only-{size}'), size)
    for name, begin, size in (('behind', 0, 5000), ('before', 9_990_000, 10_000), ('between', 2**20 - 1, 2)):
        path = place.file(name)
        os.truncate(path, 10_000_000)
        with open(path, 'r+b') as file:
            file.seek(begin)
            file.write(b'x' * size)
    with open(place.file('many'), 'r+b') as file:
        for i in range(500):
            file.seek(i * 12288 + 17)
            file.write(b'data')
        file.truncate(500 * 12288 + 1234)


# Links.


@feature
def hard_links(place):
    """Within a directory, and to others before and behind it."""
    for name in ('a', 'c'):
        place.directory(name)
    place.file('b', b'linked')
    for name in ('b-again', 'a/b', 'c/b'):
        os.link(place / 'b', place / name)
    os.link(place.file('empty'), place / 'empty-again')


@feature
def hard_links_of_links(place):
    os.symlink('nowhere', place / 'link')
    os.link(place / 'link', place / 'link-again', follow_symlinks=False)
    os.symlink('far/' * 100, place / 'long')
    os.link(place / 'long', place / 'long-again', follow_symlinks=False)


@feature
def hard_links_of_devices(place):
    os.link(place.node('device', stat.S_IFCHR, 1, 3), place / 'device-again')
    os.link(place.node('block', stat.S_IFBLK, 259, 70000), place / 'block-again')


@feature
def hard_links_of_pipes(place):
    os.link(place.node('pipe', stat.S_IFIFO), place / 'pipe-again')


@feature
def symbolic_links(place):
    targets = {
        'dangling': 'nowhere', 'absolute': '/etc/passwd', 'self': 'self', 'above': '../../..', 'dot': '.',
        'root': '/', 'not-utf8': b'\xff\xfe', 'newline': 'new\nline', 'blank': ' ', 'slashes': 'a//b/',
        'directory': '../sizes',
    }  # fmt: skip
    for name, target in place.shuffled(targets.items()):
        os.symlink(os.fsencode(target), place / name)
    for length in (58, 59, 60, 61, 99, 100, 101, 255, 256, 500):
        os.symlink(b't' * length, place / f'of-{length}-bytes')


@feature
def symbolic_link_of_4095_bytes(place):
    os.symlink(b't' * 4095, place / 'link')


# Extended attributes.


@feature
def attributes_of_users(place):
    path = place.file('file', b'text')
    os.setxattr(path, 'user.name', b'value')
    os.setxattr(path, 'user.binary', b'\0binary\xff\n=')
    os.setxattr(place.directory('directory'), 'user.name', b'value')
    os.setxattr(place.file('same'), 'user.name', b'value')


@feature
def attributes_with_strange_names(place):
    path = place.file('file')
    for name in (b'user.with blanks', b'user.\xff\xc3\xa9', b'user.a=b', b'user.%20', b'user.new\nline'):
        os.setxattr(path, name, b'value of ' + name)


@feature
def attributes_empty(place):
    os.setxattr(place.file('file'), 'user.empty', b'')


@feature
def attributes_trusted(place):
    os.setxattr(place.file('file'), 'trusted.name', b'value')
    os.setxattr(place.directory('directory'), 'trusted.overlay.opaque', b'y')


@feature
def attributes_security(place):
    os.setxattr(place.file('file'), 'security.selinux', b'system_u:object_r:etc_t:s0\0')
    os.setxattr(place / 'file', 'security.ima', b'\3\2' + bytes(70))


@feature
def attributes_on_all_kinds(place):
    os.symlink('target', place / 'link')
    os.symlink('target' * 100, place / 'long-link')
    place.node('device', stat.S_IFCHR, 1, 3)
    place.node('block', stat.S_IFBLK, 8, 1)
    place.node('pipe', stat.S_IFIFO)
    place.directory('directory')
    for name in place.shuffled(os.listdir(place.path)):
        os.setxattr(place / name, 'trusted.of-all-kinds', b'\0\1\2' * 9, follow_symlinks=False)


@feature
def attributes_many(place):
    """As many as fit into one block of ext4; some are the same on a second file."""
    for name in ('file', 'second'):
        path = place.file(name)
        for i in place.shuffled(range(100)):
            os.setxattr(path, f'user.{i}', random.Random(i).randbytes(i % 10))


@feature
def attributes_with_long_names(place):
    os.setxattr(place.file('file'), 'user.' + 'n' * 250, b'value')


@feature
def attributes_of_3900_bytes(place):
    os.setxattr(place.file('file'), 'user.large', random.Random(0).randbytes(3900))


@feature
def attributes_of_16000_bytes(place):
    os.setxattr(place.file('file'), 'user.large', random.Random(0).randbytes(16000))


@feature
def attributes_of_64_kib(place):
    """The most that the kernel takes."""
    os.setxattr(place.file('file'), 'user.large', random.Random(0).randbytes(65536))


@feature
def access_lists(place):
    place.file('file')
    place.directory('directory')
    entries = 'user:1000:rw-,group:70000:r--,mask::rw-'
    subprocess.run(['setfacl', '--modify', entries, place / 'file', place / 'directory'], check=True)
    many = ','.join(f'user:{user}:r-x' for user in range(2000, 2100))
    subprocess.run(['setfacl', '--modify', many, place.file('many', mode=0o755)], check=True)


@feature
def access_lists_of_large_numbers(place):
    entries = 'user:2147483648:r--,user:4294967294:---,group:4294967294:rw-'
    subprocess.run(['setfacl', '--modify', entries, place.file('file')], check=True)


@feature
def access_lists_by_default(place):
    entries = 'user:1000:rwx,group:70000:r-x,mask::rwx'
    subprocess.run(['setfacl', '--default', '--modify', entries, place.directory('directory')], check=True)
    place.file('directory/file')


@feature
def capabilities(place):
    subprocess.run(['setcap', 'cap_net_raw,cap_sys_admin=ep', place.file('file', mode=0o755)], check=True)
    path = place.file('of-namespace', mode=0o755)
    subprocess.run(['setcap', '-n', '100000', 'cap_chown=ei', path], check=True)


# Status.


@feature
def modes(place):
    numbers = (0, 0o001, 0o111, 0o400, 0o644, 0o777, 0o1777, 0o2755, 0o4711, 0o6755, 0o7777)
    for mode in place.shuffled(numbers):
        place.file(f'file-{mode:04o}', mode=mode)
        os.mkdir(place / f'directory-{mode:04o}')
        os.chmod(place / f'directory-{mode:04o}', mode)


@feature
def owners(place):
    numbers = (0, 1, 65534, 65535, 65536, 100_000, 2**31, 2**32 - 2)
    for user in place.shuffled(numbers):
        path = place.file(f'{user}')
        os.chown(path, user, numbers[-1 - numbers.index(user)])
        os.chmod(path, 0o6755)


def set_times(place, *seconds, fractions=(0, 1, 123_456_789, NANO - 1)):
    for second in place.shuffled(seconds):
        for nanoseconds in fractions:
            os.utime(place.file(f'{second}.{nanoseconds}'), ns=(5, second * NANO + nanoseconds))


@feature
def times(place):
    set_times(place, 0, 1, 10**9, 1_234_567_890, 1_500_000_000, 2**31 - 2)


@feature
def times_before_1970(place):
    set_times(place, -1, -2, -(10**9), -(2**31) + 1, -(2**31), fractions=(0,))


@feature
def times_before_1970_with_nanoseconds(place):
    """The fraction counts forward from the second, which is not how a decimal number is written."""
    set_times(place, -1, -2, -(10**9), -(2**31) + 1, fractions=(1, 123_456_789, NANO - 1))


@feature
def times_after_2038(place):
    set_times(place, 2**31 - 1, 2**31, 2**31 + 1, 2**32 - 1)


@feature
def times_after_2106(place):
    set_times(place, 2**32, 2**32 + 1, 2**33, 2**33 + 2**32)


# Other kinds of files.


@feature
def pipes(place):
    place.node('pipe', stat.S_IFIFO)


@feature
def sockets(place):
    place.node('socket', stat.S_IFSOCK)


@feature
def devices(place):
    for major, minor in ((0, 0), (1, 3), (8, 255), (255, 256), (256, 0), (259, 70000), (4095, 1048575)):
        place.node(f'character-{major}-{minor}', stat.S_IFCHR, major, minor)
        place.node(f'block-{major}-{minor}', stat.S_IFBLK, major, minor)
