# SPDX-License-Identifier: LGPL-2.1-or-later
"""Archives of our own making, unpacked by GNU tar and by bsdtar: everything a tree can hold comes back as it was."""

import os
import subprocess
import tarfile

import project as projects
import pytest
import test_ext4 as ext4
import trees

EPOCH = ext4.EPOCH
NANO = ext4.NANO
GNU_TAR = ['tar', '--acls', '--xattrs', '--xattrs-include=*', '--numeric-owner']
BSDTAR = ['bsdtar', '--acls', '--xattrs', '--numeric-owner']


@pytest.fixture(scope='module')
def make_tar(mkosi, root_user):
    path = mkosi.parents[1] / 'tests/tools/make-tar'
    if not path.exists():
        pytest.skip('the build has no tests')

    def make(tree, out, *compression, wrapper=(), **changes):
        ext4.run(*wrapper, path, tree, out, *compression, SOURCE_DATE_EPOCH=str(EPOCH), **changes)
        return out

    return make


def fill_with_names(tree):
    for name in (
        b'new\nline',
        b'back\\slash "quoted" \'once\' \x1b[31m',
        b'-rf',
        b' ',
        b'a=b%20',
        'Főtanúsítvány.crt'.encode(),
        b'\xff\xfe\x80',
        b'\xe4' * 255,
        b'x' * 255,
        b'~',
    ):
        ext4.write(tree / os.fsdecode(name), name)
    (tree / 'to-latin').symlink_to(os.fsdecode(b'\xe4/\xff'))
    deep = tree / 'deep'
    for _ in range(12):
        deep = deep / ('d' * 200)
    deep.mkdir(parents=True)
    ext4.write(deep / 'bottom', b'deep')


def fill_with_times(tree):
    for i, time in enumerate((-(2**40), -1, 2**33, 2**40)):
        os.utime(ext4.write(tree / f'far-{i}'), ns=(5, time * NANO))


@pytest.fixture(scope='module')
def tree(image_directory, root_user):
    """One of everything but sockets."""
    tree = image_directory / 'for-tar'
    tree.mkdir()
    for fill in (
        ext4.fill_with_files,
        ext4.fill_with_links,
        ext4.fill_with_devices,
        ext4.fill_with_holes,
        ext4.fill_with_status,
        ext4.fill_with_attributes,
        fill_with_names,
        fill_with_times,
    ):
        fill(tree)
    (tree / 'socket').unlink()
    for path in tree.glob('time-*'):
        if (time := path.lstat().st_mtime_ns) < 0:
            # A fraction before 1970 is refused, see test_formats.py.
            os.utime(path, ns=(5, time // NANO * NANO))
    os.chown(tree, 12, 34)
    tree.chmod(0o1751)
    return tree


@pytest.fixture(scope='module')
def archive(tree, image_directory, make_tar):
    return make_tar(tree, image_directory / 'everything.tar')


def compare(tree, other, without=()):
    normal = trees.Normal(time_max=EPOCH, without=without)
    trees.assert_same(trees.describe(tree), trees.describe(other), normal)


@pytest.mark.parametrize('locale', ['C', 'C.UTF-8'])
def test_gnu_tar_unpacks_the_tree(tree, archive, image_directory, locale):
    copy = image_directory / f'gnu-tar-{locale}'
    copy.mkdir()
    ext4.run(*GNU_TAR, '-xpf', archive, '-C', copy, LC_ALL=locale)
    compare(tree, copy)
    assert (copy / 'holes-big').stat().st_blocks < 1000
    projects.remove_tree(copy)


def test_bsdtar_unpacks_the_tree(tree, archive, image_directory):
    copy = image_directory / 'bsdtar'
    copy.mkdir()
    ext4.run(*BSDTAR, '-xpf', archive, '-C', copy, LC_ALL='C.UTF-8')
    compare(tree, copy, without=(b'.',))  # of a directory that is there already it leaves the time
    projects.remove_tree(copy)


def test_gnu_tar_compares(image_directory, make_tar, tmp_path):
    """tar -d reads the archive against the tree itself: what is not changed on the way is not different."""
    tree = tmp_path / 'tree'
    tree.mkdir()
    (tree / 'directories/7/below').mkdir(parents=True)
    ext4.fill_with_links(tree)
    ext4.write(tree / 'file', b'content' * 10000)
    for name in trees.describe(tree):
        os.utime(os.fsencode(tree) + b'/' + name, ns=(0, 10**18), follow_symlinks=False)
    archive = make_tar(tree, tmp_path / 'archive.tar')
    assert ext4.run('tar', '--numeric-owner', '-df', archive, '-C', tree) == ''
    (tree / 'file').write_bytes(b'Content' * 10000)
    differs = subprocess.run(['tar', '-df', archive, '-C', tree], capture_output=True, text=True, check=False)
    assert differs.returncode == 1 and 'Contents differ' in differs.stdout


def test_members(tree, archive):
    """Sorted, below "./", with numbers for owners and nothing of the host."""
    allowed = {
        'path', 'linkpath', 'size', 'uid', 'gid', 'mtime', 'hdrcharset', 'SCHILY.devmajor', 'SCHILY.devminor',
        'SCHILY.acl.access', 'SCHILY.acl.default', 'GNU.sparse.major', 'GNU.sparse.minor', 'GNU.sparse.name',
        'GNU.sparse.realsize',
    }  # fmt: skip
    names = []
    with tarfile.open(archive, errors='surrogateescape') as file:
        for member in file:
            names.append(member.name.encode(errors='surrogateescape'))
            assert member.uname == member.gname == ''
            for key in member.pax_headers:
                assert key in allowed or key.startswith('SCHILY.xattr.'), (member.name, key)
    assert names[0] == b'.'
    assert all(name.startswith(b'./') for name in names[1:])
    assert len(names) == len(trees.describe(tree))
    assert names[1:] == sorted(names[1:], key=lambda name: name.split(b'/'))
    assert archive.stat().st_size % 10240 == 0


@pytest.mark.parametrize(
    'compression, program, suffix',
    [(['xz:1'], 'xz', '.xz'), (['zstd'], 'zstd', '.zst'), (['gzip:1'], 'gzip', '.gz')],
)
def test_compressed(tree, archive, image_directory, make_tar, compression, program, suffix):
    """The archive is inside, and neither threads nor processors show."""
    packed = make_tar(tree, image_directory / f'packed.tar{suffix}', *compression)
    ext4.run(program, '-q', '-t', packed)
    again = make_tar(tree, image_directory / 'again', *compression, N_THREADS='5')
    ext4.run('cmp', packed, again)
    make_tar(tree, again, *compression, wrapper=['taskset', '1'])
    ext4.run('cmp', packed, again)
    with open(again, 'wb') as file:
        subprocess.run([program, '-q', '-d', '-c', packed], stdout=file, check=True)
    ext4.run('cmp', archive, again)
    for path in (packed, again):
        path.unlink()


def test_same_bytes(tree, archive, image_directory, make_tar, tmp_path):
    """Another copy of the tree, with its inodes in another order, made under another mask, zone and locale."""
    copy = tmp_path / 'copy'
    mask = os.umask(0o077)
    try:
        ext4.run('cp', '-a', '--sparse=auto', tree, copy)
        for name in ('many', 'long'):
            for path in sorted((copy / name).iterdir(), reverse=True):
                status = os.stat(path)
                data = path.read_bytes()
                path.unlink()
                path.write_bytes(data)
                os.chmod(path, status.st_mode)
                assert not os.listxattr(path)
                os.utime(path, ns=(0, status.st_mtime_ns))
            os.utime(copy / name, ns=(0, (tree / name).stat().st_mtime_ns))
        for locale in ('C', 'C.UTF-8', 'tr_TR.UTF-8'):
            again = make_tar(copy, image_directory / 'again.tar', TZ='Asia/Tokyo', LC_ALL=locale)
            ext4.run('cmp', archive, again)
    finally:
        os.umask(mask)
    again.unlink()


def test_path_beyond_the_limit(make_tar, tmp_path):
    """Longer than any system call takes: GNU tar lists it, and nobody unpacks it with its times."""
    tree = tmp_path / 'tree'
    tree.mkdir()
    fd = os.open(tree, os.O_RDONLY)
    for _ in range(30):
        os.mkdir('d' * 200, dir_fd=fd)
        below = os.open('d' * 200, os.O_RDONLY, dir_fd=fd)
        os.close(fd)
        fd = below
    with open(os.open('bottom', os.O_CREAT | os.O_WRONLY, dir_fd=fd), 'w') as file:
        file.write('deep')
    os.close(fd)
    try:
        archive = make_tar(tree, tmp_path / 'archive.tar')
        names = ext4.run('tar', '-tf', archive).splitlines()
        assert names[-1] == './' + ('d' * 200 + '/') * 30 + 'bottom'
    finally:
        projects.remove_tree(tree)


def test_big_hole_costs_nothing(make_tar, tmp_path):
    tree = tmp_path / 'tree'
    tree.mkdir()
    with open(tree / 'hole', 'wb') as file:
        file.truncate(10 * 2**30)
    archive = make_tar(tree, tmp_path / 'archive.tar')
    assert archive.stat().st_size <= 20480
    copy = tmp_path / 'copy'
    copy.mkdir()
    ext4.run('tar', '-xf', archive, '-C', copy)
    assert (copy / 'hole').stat().st_size == 10 * 2**30
    assert (copy / 'hole').stat().st_blocks == 0
