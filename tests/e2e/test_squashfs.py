# SPDX-License-Identifier: LGPL-2.1-or-later
"""squashfs of our own making, read by the kernel: everything a tree can hold comes back as it was."""

import os
import random
import shutil
import stat
import subprocess
from contextlib import contextmanager

import project as projects
import pytest

BLOCK = 128 * 1024
EPOCH = 1700000000
COMPRESSIONS = ('none', 'zlib:1', 'lz4:1', 'xz:1', 'zstd')


def run(*command, **changes):
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        errors='surrogateescape',
        check=True,
        env=projects.clean_environment(**changes),
    ).stdout


@pytest.fixture(scope='module')
def program(mkosi, root_user):
    path = mkosi.parents[1] / 'tests/tools/make-filesystem'
    if not path.exists():
        pytest.skip('the build has no tests')
    return path


@pytest.fixture(scope='module')
def make_filesystem(program):
    def make(kind, tree, out, *size, **changes):
        run(program, f'squashfs:{kind}', tree, out, *size, SOURCE_DATE_EPOCH=str(EPOCH), **changes)
        return out

    return make


@contextmanager
def mounted(image, directory):
    directory.mkdir(exist_ok=True)
    run('mount', '-t', 'squashfs', '-o', 'loop,ro', image, directory)
    try:
        yield directory
    finally:
        run('umount', directory)


def write(path, data=b''):
    path.write_bytes(data)
    return path


def noise(size, seed):
    return random.Random(seed).randbytes(size)


def fill_with_names(tree):
    (tree / 'names').mkdir()
    for name in (
        b'new\nline',
        b'tab\t',
        b'back\\slash',
        b' blank ',
        b'-rf',
        b'...',
        b'\x01\x1b[31m',
        b'\xff\xfe not UTF-8',
        bytes(range(128, 256)),
        b'l' * 255,
        b'\n' * 255,
        '\u00e4\u20ac\U0001f600'.encode() * 28,
    ):
        write(tree / 'names' / os.fsdecode(name), name)
    (tree / 'first-bytes').mkdir()
    for byte in set(range(1, 256)) - {ord('/'), ord('.')}:
        write(tree / 'first-bytes' / os.fsdecode(bytes([byte])))


def fill_with_files(tree):
    for name, n, length in (('many', 2000, 1), ('long', 700, 255), ('few', 20, 10)):
        (tree / name).mkdir()
        for i in range(n):
            write(tree / name / str(i).rjust(length, '0'), b'%d' % (i % 50))
    for size in (0, 1, 4096, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 1_000_000):
        write(tree / f'size-{size}', noise(size, size))
        write(tree / f'text-{size}', b'the same again, ' * (size // 16) + b'x' * (size % 16))
        write(tree / f'zeros-{size}', bytes(size))
    for i in range(200):
        (tree / 'directories' / str(i) / 'below').mkdir(parents=True)


def fill_with_same(tree):
    """Files that are the same, or nearly."""
    data = noise(5 * BLOCK + 1000, 'same')
    for i in range(5):
        write(tree / f'same-{i}', data)
        write(tree / f'same-start-{i}', data[:-1] + bytes([i]))
        write(tree / f'same-end-{i}', bytes([i]) + data[1:])
        write(tree / f'shorter-{i}', data[: -BLOCK * i - 1])


def fill_with_links(tree):
    for length in (1, 59, 60, 500, 4095):
        (tree / f'link-{length}').symlink_to('t' * length)
    write(tree / 'z-first', b'linked')
    for name in ('a-second', 'directories/third', 'directories/7/below/fourth'):
        os.link(tree / 'z-first', tree / name)
    os.link(tree / 'link-60', tree / 'link-60-again', follow_symlinks=False)


def fill_with_devices(tree):
    os.mkfifo(tree / 'fifo', 0o640)
    os.mknod(tree / 'socket', stat.S_IFSOCK | 0o755)
    for major, minor in ((1, 3), (8, 255), (255, 256), (256, 0), (259, 70000), (4095, 1048575)):
        os.mknod(tree / f'character-{major}-{minor}', stat.S_IFCHR | 0o620, os.makedev(major, minor))
        os.mknod(tree / f'block-{major}-{minor}', stat.S_IFBLK | 0o660, os.makedev(major, minor))
    os.link(tree / 'fifo', tree / 'fifo-again')


def fill_with_holes(tree):
    with open(tree / 'holes-many', 'wb') as file:
        for i in range(100):
            file.seek(i * 3 * BLOCK // 2 + 17)
            file.write(b'data')
        file.truncate(200 * BLOCK + 1234)
    with open(tree / 'holes-big', 'wb') as file:
        file.seek(5 * 2**30 + 5)
        file.write(b'data')
        file.truncate(10 * 2**30 + 1)
    for name, text in (('holes-only', b''), ('holes-behind', b'x' * 5000)):
        write(tree / name, text)
        os.truncate(tree / name, 10_000_000)


def fill_with_status(tree):
    owners = ((0, 0), (65535, 65536), (100000, 200000), (2**32 - 2, 2**32 - 2))
    for i, (user, group) in enumerate(owners):
        path = write(tree / f'owner-{i}')
        os.chown(path, user, group)
        path.chmod((0, 0o7777, 0o4711, 0o2640)[i])
    for i, time in enumerate((0, 1, EPOCH - 1, EPOCH, EPOCH + 1, 2**31, 2**33)):
        os.utime(write(tree / f'time-{i}'), ns=(5, time * 10**9 + 999_999_999))


def fill_with_attributes(tree):
    def attribute(name, key, value, **options):
        os.setxattr(tree / name, key, value, **options)

    for size in range(0, 100, 7):
        attribute(write(tree / f'attribute-{size}').name, 'user.x', b'v' * size)
    path = write(tree / 'attributes-many', b'content')
    for i in range(30):
        attribute(path.name, f'user.number-{i}', noise(i, i))
    attribute(write(tree / 'attribute-large').name, 'user.large', b'l' * 3800)
    attribute(write(tree / 'attribute-large-again').name, 'user.other', b'l' * 3800)
    attribute(write(tree / 'capable').name, 'security.capability', bytes.fromhex('0100000200200000' + '00' * 12))
    attribute(write(tree / 'labelled').name, 'security.selinux', b'system_u:object_r:etc_t:s0\0')
    attribute('labelled', 'trusted.more', b'')
    for name in ('fifo', 'socket', 'link-59', 'link-500', 'character-1-3', 'few', 'size-1000000', '.'):
        attribute(name, 'trusted.of-all-kinds', b'\0\1\2' * 9, follow_symlinks=False)


@pytest.fixture(scope='module')
def tree(image_directory, root_user):
    """One of everything."""
    tree = image_directory / 'squashfs-everything'
    tree.mkdir()
    fill_with_names(tree)
    fill_with_files(tree)
    fill_with_same(tree)
    fill_with_links(tree)
    fill_with_devices(tree)
    fill_with_holes(tree)
    fill_with_status(tree)
    fill_with_attributes(tree)
    os.chown(tree, 12, 34)
    tree.chmod(0o1751)
    return tree


@pytest.fixture(scope='module')
def image(tree, image_directory, make_filesystem):
    return make_filesystem('zstd:1', tree, image_directory / 'everything.squashfs')


def same_content(path, other):
    """Reads what is no hole in the original."""
    with open(path, 'rb') as file, open(other, 'rb') as copy:
        position, size = 0, os.fstat(file.fileno()).st_size
        while position < size:
            try:
                data = os.lseek(file.fileno(), position, os.SEEK_DATA)
            except OSError:
                break
            position = os.lseek(file.fileno(), data, os.SEEK_HOLE)
            file.seek(data)
            copy.seek(data)
            if file.read(position - data) != copy.read(position - data):
                return False
    return True


def attributes(path):
    return {
        name: os.getxattr(path, name, follow_symlinks=False)
        for name in os.listxattr(path, follow_symlinks=False)
    }


def walk(top):
    yield '.'
    for directory, names, others in os.walk(top):
        for name in names + others:
            yield os.path.relpath(os.path.join(directory, name), top)


def assert_same(tree, mount):
    names = set(walk(tree))
    assert set(walk(mount)) == names
    inodes = {}
    for name in names:
        path, other = os.path.join(tree, name), os.path.join(mount, name)
        status, copy = os.lstat(path), os.lstat(other)
        for field in ('st_mode', 'st_uid', 'st_gid', 'st_rdev', 'st_nlink'):
            if field != 'st_nlink' or not stat.S_ISDIR(status.st_mode):
                assert getattr(copy, field) == getattr(status, field), (name, field)
        assert copy.st_mtime_ns == min(status.st_mtime_ns // 10**9, EPOCH) * 10**9, name
        assert attributes(other) == attributes(path), name
        assert inodes.setdefault(status.st_ino, copy.st_ino) == copy.st_ino, name
        if stat.S_ISDIR(status.st_mode):
            assert copy.st_nlink == 2 + sum(entry.is_dir(follow_symlinks=False) for entry in os.scandir(path))
            continue
        assert copy.st_size == status.st_size, name
        if stat.S_ISLNK(status.st_mode):
            assert os.readlink(other) == os.readlink(path)
        if stat.S_ISREG(status.st_mode):
            assert same_content(path, other), name
    assert len(set(inodes.values())) == len(inodes)


@pytest.mark.parametrize('compression', COMPRESSIONS)
def test_kernel_sees_the_tree(compression, tree, make_filesystem, tmp_path):
    image = make_filesystem(compression, tree, tmp_path / 'image')
    with mounted(image, tmp_path / 'mount') as mount:
        assert_same(tree, mount)
    said = run('unsquashfs', '-s', image, TZ='UTC0')
    assert 'Creation or last append time Tue Nov 14 22:13:20 2023\n' in said
    assert 'Filesystem is exportable via NFS\n' in said
    if compression == 'none':
        for what in ('Inodes are', 'Data is', 'Fragments are', 'Uids/Gids (Id table) are', 'Xattrs are'):
            assert f'{what} uncompressed\n' in said


def test_unsquashfs_unpacks_the_tree(tree, image, tmp_path):
    """Another reader than the kernel; big holes it writes as holes."""
    run('unsquashfs', '-q', '-n', '-d', tmp_path / 'unpacked', image)
    assert_same(tree, tmp_path / 'unpacked')
    lines = run('unsquashfs', '-lln', image).splitlines()
    assert any(line.endswith('squashfs-root/owner-3') and ' 4294967294/4294967294 ' in line for line in lines)


def test_same_bytes(tree, image, image_directory, make_filesystem, tmp_path):
    """Another copy of the tree, made in another order, under another mask, zone and locale, from elsewhere, by as many
    threads as one likes."""
    copy = tmp_path / 'copy'
    copy.mkdir()
    names = sorted(os.listdir(tree), reverse=True)
    again = image_directory / 'again.squashfs'
    mask = os.umask(0o077)
    try:
        run('cp', '-a', '--sparse=always', *(tree / name for name in names), copy)
        os.chown(copy, 12, 34)
        shutil.copystat(tree, copy)
        for n_threads in (1, 2, 3, 8):
            make_filesystem('zstd:1', copy, again, TZ='Asia/Tokyo', LANG='tr_TR.UTF-8', N_THREADS=str(n_threads))
            run('cmp', image, again)
    finally:
        os.umask(mask)
    again.unlink()


def test_offset(tree, image, program, tmp_path):
    """A place that is too small is refused with nothing behind it touched; one that is just right is taken."""
    size = image.stat().st_size
    environment = projects.clean_environment(SOURCE_DATE_EPOCH=str(EPOCH))
    for wish in (size - 4096, size):
        result = subprocess.run(
            [program, 'squashfs:zstd:1', tree, tmp_path / 'image', str(wish)],
            capture_output=True,
            text=True,
            env=environment,
        )
        assert result.returncode == (1 if wish < size else 0)
        assert ('The tree needs a squashfs file system of' in result.stderr) == (wish < size)
        assert (tmp_path / 'image').stat().st_size <= wish
    run('cmp', image, tmp_path / 'image')


def test_many_names(make_filesystem, tmp_path):
    """A directory that the kernel has to find its way in."""
    tree = tmp_path / 'tree'
    tree.mkdir()
    for i in range(100_000):
        os.mknod(tree / f'{i:06}-{"n" * (i % 100)}', stat.S_IFREG | 0o644)
    image = make_filesystem('zstd:1', tree, tmp_path / 'image')
    with mounted(image, tmp_path / 'mount') as mount:
        assert len(os.listdir(mount)) == 100_000
        for i in random.Random(0).sample(range(100_000), 200):
            assert os.lstat(mount / f'{i:06}-{"n" * (i % 100)}').st_ino == i + 2
            assert not (mount / f'{i:06}').exists()


def test_refuses(program, tmp_path):
    tree = tmp_path / 'tree'
    tree.mkdir()
    file = write(tree / 'name', b'x')

    def reason(kind='zstd'):
        result = subprocess.run(
            [program, f'squashfs:{kind}', tree, tmp_path / 'image'],
            capture_output=True,
            text=True,
            env=projects.clean_environment(SOURCE_DATE_EPOCH=str(EPOCH)),
        )
        return result.returncode, result.stderr.removeprefix(f'mkosi: error: Cannot make {tmp_path}/image: ')

    assert reason('zstd:23') == (1, 'squashfs: zstd levels are 1 to 22\n')
    assert reason('xz:10') == (1, 'squashfs: xz levels are 1 to 9\n')
    os.utime(file, (0, -1))
    code, said = reason()
    assert code == 1 and "'name'" in said and 'its time is before 1970' in said
    file.touch()
    assert reason() == (0, '')
    run('setfacl', '-m', 'u:1000:r', file)
    code, said = reason()
    assert code == 1 and said.startswith("Cannot put 'name' into") and 'system.posix_acl_access' in said
