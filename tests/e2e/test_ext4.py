# SPDX-License-Identifier: LGPL-2.1-or-later
"""ext4 of our own making, read by the kernel: everything a tree can hold comes back as it was."""

import os
import random
import stat
import struct
import subprocess
from contextlib import contextmanager

import project as projects
import pytest
import trees

BLOCK = 4096
EPOCH = 1700000000
NANO = 10**9
# What 34 bits of seconds can say.
TIME_MIN = -(2**31) * NANO


def run(*command, **changes):
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=True,
        env=projects.clean_environment(**changes),
    ).stdout


@pytest.fixture(scope='module')
def make_filesystem(mkosi, root_user):
    path = mkosi.parents[1] / 'tests/tools/make-filesystem'
    if not path.exists():
        pytest.skip('the build has no tests')

    def make(tree, out, *size, **changes):
        run(path, 'ext4', tree, out, *size, SOURCE_DATE_EPOCH=str(EPOCH), **changes)
        return out

    return make


@contextmanager
def mounted(image, directory, options):
    directory.mkdir(exist_ok=True)
    run('mount', '-t', 'ext4', '-o', f'loop,{options}', image, directory)
    try:
        yield directory
    finally:
        run('umount', directory)


def acl(*entries):
    """An access control list as the kernel shows it: tag, permissions, and whom it is about."""
    return struct.pack('<I', 2) + b''.join(struct.pack('<HHI', *entry) for entry in entries)


NOBODY = 0xFFFFFFFF
SMALL_ACL = acl((1, 6, NOBODY), (2, 6, 1000), (4, 4, NOBODY), (8, 4, 70000), (16, 6, NOBODY), (32, 4, NOBODY))
LARGE_ACL = acl(
    (1, 7, NOBODY),
    *((2, user % 8, user) for user in range(2000, 2100)),
    (4, 5, NOBODY),
    (16, 7, NOBODY),
    (32, 5, NOBODY),
)


def write(path, data=b''):
    path.write_bytes(data)
    return path


def fill_with_files(tree):
    for name, n, length in (('many', 3000, 1), ('long', 1200, 255), ('few', 20, 10)):
        (tree / name).mkdir()
        for i in range(n):
            write(tree / name / str(i).rjust(length, '0'))
    (tree / 'names').mkdir()
    for i in range(300):
        write(tree / 'names' / f'\u00e4\u20ac\U0001f600{i}', b'text')
    write(tree / 'names' / os.fsdecode(bytes(range(128, 256))))
    for size in (0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3_000_000):
        write(tree / f'size-{size}', random.Random(size).randbytes(size))
    for i in range(200):
        (tree / 'directories' / str(i) / 'below').mkdir(parents=True)


def fill_with_links(tree):
    for length in (1, 58, 59, 60, 61, 500, 4095):
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


def fill_with_holes(tree):
    with open(tree / 'holes-many', 'wb') as file:
        for i in range(1500):
            file.seek(i * 3 * BLOCK + 17)
            file.write(b'data')
        file.truncate(5000 * BLOCK + 1234)
    with open(tree / 'holes-big', 'wb') as file:
        file.seek(3 * 2**30 + 5)
        file.write(b'data')
        file.truncate(2**40)
    for name, text in (('holes-only', b''), ('holes-behind', b'x' * 5000)):
        write(tree / name, text)
        os.truncate(tree / name, 10_000_000)


def fill_with_status(tree):
    owners = ((0, 0), (65535, 65536), (100000, 200000), (2**32 - 2, 2**32 - 2))
    for i, (user, group) in enumerate(owners):
        path = write(tree / f'owner-{i}')
        os.chown(path, user, group)
        path.chmod((0, 0o7777, 0o4711, 0o2640)[i])
    times = (0, 1, -NANO - 1, TIME_MIN, NANO - 1, EPOCH * NANO - 1, EPOCH * NANO, EPOCH * NANO + 1, 2**31 * NANO)
    for i, time in enumerate(times):
        os.utime(write(tree / f'time-{i}'), ns=(5, time))


def fill_with_attributes(tree):
    def attribute(name, key, value, **options):
        os.setxattr(tree / name, key, value, **options)

    for size in range(0, 100, 7):
        attribute(write(tree / f'attribute-{size}').name, 'user.x', b'v' * size)
    path = write(tree / 'attributes-many')
    for i in range(40):
        attribute(path.name, f'user.number-{i}', random.Random(i).randbytes(i))
    attribute(write(tree / 'attribute-large').name, 'user.large', b'l' * 3900)
    attribute(write(tree / 'capable').name, 'security.capability', bytes.fromhex('0100000200200000' + '00' * 12))
    attribute(write(tree / 'labelled').name, 'security.selinux', b'system_u:object_r:etc_t:s0\0')
    attribute('labelled', 'security.ima', b'\3\2' + bytes(70))
    attribute('labelled', 'trusted.more', b'')
    for name in ('fifo', 'socket', 'link-59', 'link-500', 'character-1-3', 'few', '.'):
        attribute(name, 'trusted.of-all-kinds', b'\0\1\2' * 9, follow_symlinks=False)
    attribute(write(tree / 'acl').name, 'system.posix_acl_access', SMALL_ACL)
    attribute(write(tree / 'acl-large').name, 'system.posix_acl_access', LARGE_ACL)
    attribute('few', 'system.posix_acl_access', SMALL_ACL)
    attribute('few', 'system.posix_acl_default', LARGE_ACL)


@pytest.fixture(scope='module')
def tree(image_directory, root_user):
    """One of everything."""
    tree = image_directory / 'everything'
    tree.mkdir()
    fill_with_files(tree)
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
    return make_filesystem(tree, image_directory / 'everything.ext4')


def test_kernel_sees_the_tree(tree, image, tmp_path):
    with mounted(image, tmp_path / 'mount', 'ro,noload') as mount:
        found = trees.describe(mount, holes=True)
        lost_and_found = found.pop(b'lost+found')
        trees.assert_same(trees.describe(tree, holes=True), found, trees.Normal(time_max=EPOCH))
        assert lost_and_found.type == 'directory'
        for path in found:
            status = os.lstat(os.fsencode(mount) + b'/' + path)
            assert status.st_atime_ns == status.st_ctime_ns == status.st_mtime_ns, path
        assert found[b'acl'].attributes['system.posix_acl_access'] == SMALL_ACL
        said = run('getfacl', '--numeric', '--omit-header', mount / 'acl')
        assert 'user:1000:rw-' in said and 'group:70000:r--' in said


def test_checkers_find_nothing(image):
    run('e2fsck', '-f', '-n', image)
    assert 'Inode: 2 ' in run('debugfs', '-R', 'stat /', image)
    assert 'hole' not in run('debugfs', '-R', 'htree_dump /many', image)


def may_grow_mounted():
    """Whether we have CAP_SYS_RESOURCE, which the kernel wants for it."""
    with open('/proc/self/status') as file:
        [line] = [line for line in file if line.startswith('CapEff:')]
    return int(line.split()[1], 16) >> 24 & 1


def test_can_be_written_and_grown(tree, image_directory, make_filesystem, tmp_path):
    """The kernel works with it as with any other: indexed directories, extents, journal, growing while mounted."""
    image = make_filesystem(tree, image_directory / 'written.ext4', '200M')
    with mounted(image, tmp_path / 'mount', 'rw') as mount:
        for name in ('many', 'long', 'few', 'directories'):
            for i in range(500):
                write(mount / name / f'new-{i}', b'text')
        for i in range(0, 3000, 3):
            (mount / 'many' / str(i)).unlink()
        with open(mount / 'holes-many', 'r+b') as file:
            for i in range(300):
                file.seek((i * 3 + 1) * BLOCK)
                file.write(b'more')
        os.setxattr(mount / 'attributes-many', 'user.new', b'value')
        os.truncate(image, 2**30)
        if may_grow_mounted():
            device = run('findmnt', '--noheadings', '--output', 'SOURCE', mount).strip()
            run('losetup', '--set-capacity', device)
            run('resize2fs', device)
            assert os.statvfs(mount).f_blocks > 900 * 2**20 / BLOCK
            write(mount / 'after', b'x' * 2**20)
    run('e2fsck', '-f', '-n', image)
    run('e2fsck', '-f', '-y', image)  # resize2fs wants a check after the last mount, noted in the image
    run('resize2fs', image)
    run('e2fsck', '-f', '-n', image)


def test_same_bytes(tree, image, image_directory, make_filesystem, tmp_path):
    """Another copy of the tree, made under another mask, zone and locale."""
    copy = tmp_path / 'copy'
    mask = os.umask(0o077)
    try:
        run('cp', '-a', '--sparse=auto', tree, copy)
        again = make_filesystem(copy, image_directory / 'again.ext4', TZ='Asia/Tokyo', LANG='tr_TR.UTF-8')
    finally:
        os.umask(mask)
    run('cmp', image, again)
    again.unlink()
