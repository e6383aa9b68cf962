# SPDX-License-Identifier: LGPL-2.1-or-later
"""btrfs of our own making, read, written, checked and moved about by the kernel."""

import errno
import hashlib
import io
import os
import random
import re
import stat
import subprocess
import tarfile
from contextlib import contextmanager

import project as projects
import pytest

EPOCH = 1700000000
SECTOR = 4096
COMPRESSIONS = ('', ':zlib', ':zlib:9', ':zstd', ':zstd:15', ':lzo')
SUBVOLUMES = ('home', 'var', 'var/tmp', 'var/lib/machines', 'missing')


def run(*command, **changes):
    said = subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        errors='surrogateescape',
        env=projects.clean_environment(**changes),
    )
    assert said.returncode == 0, said.stderr + said.stdout
    return said.stdout


@pytest.fixture(scope='module')
def tool(mkosi, root_user):
    path = mkosi.parents[1] / 'tests/tools/make-filesystem'
    if not path.exists():
        pytest.skip('the build has no tests')
    return path


@pytest.fixture(scope='module')
def make(tool):
    def make(tree, out, *words, compression='', **changes):
        run(tool, 'btrfs' + compression, tree, out, *words, SOURCE_DATE_EPOCH=str(EPOCH), **changes)
        return out

    return make


@contextmanager
def mounted(image, directory, options='ro'):
    directory.mkdir(exist_ok=True)
    run('mount', '-t', 'btrfs', '-o', f'loop,{options}', image, directory)
    try:
        yield directory
    finally:
        run('umount', directory)


def check(image):
    said = subprocess.run(
        ['btrfs', 'check', '--readonly', '--check-data-csum', image], capture_output=True, text=True
    )
    assert said.returncode == 0 and 'no error found' in said.stdout, said.stdout + said.stderr


def digest(tree):
    """What GNU tar sees of a tree: names, status, attributes, holes, content. Links are files of their own."""
    command = ['tar', '--create', '--format=posix', '--sort=name', '--sparse', '--numeric-owner', '--xattrs',
               '--xattrs-include=*', '--hard-dereference', f'--mtime=@{EPOCH}', '--clamp-mtime',
               '--pax-option=delete=atime,delete=ctime', '.']  # fmt: skip
    archive = subprocess.run(command, cwd=tree, capture_output=True)
    assert archive.returncode == 0, archive.stderr
    entries = {}
    with tarfile.open(fileobj=io.BytesIO(archive.stdout), errors='surrogateescape') as file:
        for member in file:
            start = member.offset_data
            size = sum(size for _, size in member.sparse or [(0, member.size if member.isreg() else 0)])
            entries[member.name] = (
                member.type, member.mode, member.uid, member.gid, member.mtime, member.size, member.linkname,
                member.devmajor, member.devminor, member.sparse, sorted(member.pax_headers.items()),
                hashlib.sha256(archive.stdout[start : start + size]).hexdigest(),
            )  # fmt: skip
    return entries


def crc32c(data):
    """As directories have it: without the inversion at the end."""
    crc = 0xFFFFFFFE
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc


def colliding(n, length):
    """Names whose sums are the same: the last four bytes meet the sum of those before in an exclusive or."""
    first = b'n' * length
    names = [first]
    for i in range(10 * n):
        start = str(i).encode().rjust(length - 4, b'n')
        word = int.from_bytes(first[-4:], 'little') ^ crc32c(first[:-4]) ^ crc32c(start)
        name = start + word.to_bytes(4, 'little')
        if not {0, ord('/')} & set(name) and name not in names:
            names.append(name)
        if len(names) == n:
            break
    return names


def write(path, data=b''):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def contents():
    """Names and bytes that compress well, badly, and in parts."""
    generator = random.Random(1)
    words = [generator.randbytes(4).hex() for _ in range(500)]
    for size in (1, 100, 2047, 2048, 2049, 4095, 4096, 4097, 131071, 131072, 131073, 1_000_000):
        text = ' '.join(generator.choices(words, k=size // 9 + 1)).encode()[:size]
        noise = generator.randbytes(size)
        yield f'text-{size}', text
        yield f'noise-{size}', noise
        yield f'zeros-{size}', bytes(size)
        yield f'parts-{size}', (text[:70_000] + noise[:150_000]) * 3


def fill_with_limits(tree):
    for length in (1, 2048, 4095):
        (tree / f'link-{length}').symlink_to('t' * length)
    path = write(tree / 'first', b'linked')
    for i in range(700):  # more than an item holds of the names of one directory
        os.link(path, tree / str(i).rjust(100, 'l'))
        os.link(path, tree / f'home/user/{i}')
    for name in colliding(40, 100):
        write(tree / 'var' / os.fsdecode(name), name)
    path = write(tree / 'attributes')
    for i, name in enumerate(colliding(20, 60)):
        os.setxattr(path, b'user.' + name, b'%d' % i)
    os.setxattr(path, 'user.large', random.Random(2).randbytes(1000))
    with open(tree / 'sparse', 'wb') as file:
        for i in range(200):
            file.seek(i * 2**22 + 17)
            file.write(b'data')
        file.truncate(2**40 + 1)
    for major, minor in ((1, 3), (259, 70000), (4095, 1048575)):
        os.mknod(tree / f'device-{major}-{minor}', stat.S_IFBLK | 0o660, os.makedev(major, minor))
    for i, time in enumerate((-(2**31) * 10**9, -1, 10**9 - 1, EPOCH * 10**9 + 1, 2**33 * 10**9)):
        os.utime(write(tree / f'time-{i}'), ns=(5, time))


@pytest.fixture(scope='module')
def tree(image_directory, root_user):
    tree = image_directory / 'limits'
    for name in ('home/user', 'var/tmp', 'var/lib/machines', 'var/empty'):
        (tree / name).mkdir(parents=True)
    for name, data in contents():
        write(tree / 'home' / name, data)
    fill_with_limits(tree)
    write(tree / 'var/lib/machines/file', b'm' * 5000)
    (tree / 'var/tmp').chmod(0o1777)
    os.chown(tree / 'var/tmp', 7, 8)
    os.setxattr(tree / 'var/tmp', 'user.of-a-subvolume', b'root')
    return tree


@pytest.fixture(scope='module', params=COMPRESSIONS)
def image(request, tree, image_directory, make):
    path = image_directory / f'limits{request.param}.btrfs'
    yield make(tree, path, 0, *SUBVOLUMES, compression=request.param)
    path.unlink()


def test_kernel_sees_the_tree(tree, image, make, tmp_path):
    """Links between subvolumes cannot be: so here is another file in each."""
    check(image)
    with mounted(image, tmp_path / 'mount') as mount:
        for name in ('.', 'home', 'var', 'var/tmp', 'var/lib/machines'):
            assert (mount / name).stat().st_ino == 256
        assert (mount / 'first').stat().st_nlink == 701
        assert (mount / 'home/user/5').stat().st_nlink == 700
        assert (mount / 'home/user/5').read_bytes() == b'linked'
        assert len(os.listdir(mount / 'var')) == len(os.listdir(tree / 'var'))
        for name in colliding(40, 100):
            assert (mount / 'var' / os.fsdecode(name)).read_bytes() == name
        listed = run('btrfs', 'subvolume', 'list', mount)
        assert re.findall(r'ID (\d+) .* top level (\d+) path (.*)', listed) == [
            ('256', '5', 'home'), ('257', '5', 'var'), ('258', '257', 'var/lib/machines'), ('259', '257', 'var/tmp')
        ]  # fmt: skip
        assert 'ID 5 ' in run('btrfs', 'subvolume', 'get-default', mount)
        run('btrfs', 'scrub', 'start', '-B', '-r', mount)
        assert digest(mount) == digest(tree)
        for path in mount.iterdir():
            status = path.lstat()
            assert status.st_atime_ns == status.st_ctime_ns == status.st_mtime_ns, path
        assert (mount / 'sparse').stat().st_blocks * 512 == 200 * SECTOR


def test_compression_saves_room(tree, image_directory, make, tmp_path):
    used = {}
    for compression in COMPRESSIONS:
        image = make(tree, image_directory / 'room', compression=compression)
        used[compression] = image.stat().st_blocks
    assert used[':zlib:9'] <= used[':zlib'] < used['']
    assert used[':zstd:15'] <= used[':zstd'] < used['']
    assert used[':zstd'] < used[''] * 0.8
    assert used[':lzo'] < used[''] * 0.9
    image.unlink()


@pytest.mark.parametrize('compression', (':zlib', ':zstd', ':lzo'))
def test_same_bytes(compression, tree, image_directory, make, tmp_path):
    """Another copy of the tree, made under another mask, zone and locale, by other numbers of threads."""
    copy, again = tmp_path / 'copy', image_directory / 'again'
    run('cp', '-a', '--sparse=auto', tree, copy)
    first = make(tree, image_directory / 'once', 0, *SUBVOLUMES, compression=compression, N_THREADS='1')
    mask = os.umask(0o077)
    try:
        for n in ('1', '2', '3', '16'):
            words = reversed(SUBVOLUMES) if n == '2' else SUBVOLUMES
            make(copy, again, 0, *words, compression=compression, N_THREADS=n, TZ='Asia/Tokyo', LANG='tr_TR.UTF-8')
            run('cmp', first, again)
    finally:
        os.umask(mask)
    first.unlink()
    again.unlink()


def try_to_write(path):
    try:
        path.write_bytes(b'')
    except OSError as error:
        return error.errno
    return 0


def test_read_only(tree, image_directory, make, tmp_path):
    image = make(tree, image_directory / 'read-only', '300M', *SUBVOLUMES, READ_ONLY='1')
    check(image)
    with mounted(image, tmp_path / 'mount', 'rw') as mount:
        for name in ('.', *SUBVOLUMES[:-1]):
            assert run('btrfs', 'property', 'get', '-t', 'subvol', mount / name, 'ro') == 'ro=true\n'
            assert try_to_write(mount / name / 'new') == errno.EROFS
        assert try_to_write(mount / 'var/empty/new') == errno.EROFS
        run('btrfs', 'property', 'set', '-t', 'subvol', mount / 'var', 'ro', 'false')
        assert try_to_write(mount / 'var/empty/new') == 0
        assert try_to_write(mount / 'var/tmp/new') == errno.EROFS
    check(image)
    image.unlink()


def may_grow_mounted():
    """Whether we have CAP_SYS_RESOURCE, which the kernel wants for it."""
    with open('/proc/self/status') as file:
        [line] = [line for line in file if line.startswith('CapEff:')]
    return int(line.split()[1], 16) >> 24 & 1


def use(mount):
    """Files of all sizes come and go."""
    generator = random.Random(3)
    for i in range(300):
        write(mount / f'new/{i % 7}/{i}', generator.randbytes(i * 300))
    for i in range(0, 300, 3):
        (mount / f'new/{i % 7}/{i}').unlink()
    for i in range(0, 700, 2):
        (mount / str(i).rjust(100, 'l')).unlink()
    for name in os.listdir(mount / 'var'):
        if name.startswith('n'):
            os.rename(mount / 'var' / name, mount / 'var/empty' / name)
    with open(mount / 'sparse', 'r+b') as file:
        file.seek(10 * 2**22 + 5000)
        file.write(b'more' * 3000)
    os.removexattr(mount / 'attributes', b'user.' + colliding(20, 60)[7])


def test_can_be_written_and_grown(image, tree, tmp_path):
    """The kernel works with it as with any other: it allocates, snapshots, balances, scrubs and grows."""
    copy = tmp_path / 'image'
    run('cp', '--sparse=always', image, copy)
    os.truncate(copy, 300 * 2**20)
    with mounted(copy, tmp_path / 'mount', 'rw') as mount:
        run('btrfs', 'filesystem', 'resize', 'max', mount)
        use(mount)
        run('btrfs', 'subvolume', 'snapshot', mount / 'var', mount / 'snapshot')
        run('btrfs', 'subvolume', 'create', mount / 'created')
        run('btrfs', 'balance', 'start', '--full-balance', mount)
        assert 'no errors found' in run('btrfs', 'scrub', 'start', '-B', mount)
        for name in ('home/noise-1000000', 'home/parts-1000000', 'home/text-4096'):
            assert (mount / name).read_bytes() == (tree / name).read_bytes()
        assert len([name for name in os.listdir(mount / 'snapshot') if name.startswith('n')]) == 0
        if may_grow_mounted():
            os.truncate(copy, 2**30)
            run('losetup', '--set-capacity', run('findmnt', '-n', '-o', 'SOURCE', mount).strip())
            run('btrfs', 'filesystem', 'resize', 'max', mount)
            assert os.statvfs(mount).f_blocks * os.statvfs(mount).f_frsize == 2**30
            write(mount / 'large', bytes(400 * 2**20))
    check(copy)


def test_subvolumes_can_be_deleted(image, tmp_path):
    copy = tmp_path / 'image'
    run('cp', '--sparse=always', image, copy)
    os.truncate(copy, 300 * 2**20)
    with mounted(copy, tmp_path / 'mount', 'rw') as mount:
        run('btrfs', 'filesystem', 'resize', 'max', mount)
        run('btrfs', 'subvolume', 'delete', '--commit-each', mount / 'var/tmp', mount / 'home')
        run('btrfs', 'subvolume', 'sync', mount)
        assert not (mount / 'home').exists() and not (mount / 'var/tmp').exists()
        assert len(run('btrfs', 'subvolume', 'list', mount).splitlines()) == 2
    check(copy)


@pytest.mark.parametrize('n_files', [0, 20_000])
def test_takes_new_files_at_once(n_files, image_directory, make, tmp_path):
    """However small it was made: there is room in the trees."""
    tree = tmp_path / 'tree'
    tree.mkdir()
    for i in range(n_files):
        write(tree / str(i % 50) / str(i), b'content %d' % i)
    image = make(tree, image_directory / 'small')
    assert image.stat().st_size < 2**20 * (30 + n_files / 800)
    with mounted(image, tmp_path / 'mount', 'rw') as mount:
        for i in range(200):
            write(mount / f'new/{i}', b'x' * 1000)
        os.sync()
        for i in range(0, 200, 2):
            (mount / f'new/{i}').unlink()
    check(image)
    image.unlink()


def test_damage_is_found(tree, image_directory, make, tmp_path):
    image = make(tree, image_directory / 'damaged')
    marker = dict(contents())['noise-1000000'][500_000:500_100]
    data = image.read_bytes()
    position = data.index(marker)
    with open(image, 'r+b') as file:
        file.seek(position + 50)
        file.write(bytes([data[position + 50] ^ 1]))
    with mounted(image, tmp_path / 'mount') as mount:
        with pytest.raises(OSError) as caught:
            (mount / 'home/noise-1000000').read_bytes()
        assert caught.value.errno == errno.EIO
        assert (mount / 'home/noise-131073').read_bytes() == (tree / 'home/noise-131073').read_bytes()
    image.unlink()


def test_what_cannot_be_stored_is_refused_by_name(tool, tmp_path):
    tree, out = tmp_path / 'tree', tmp_path / 'image'
    for name in colliding(60, 255):
        write(tree / 'd' / os.fsdecode(name))
    said = subprocess.run([tool, 'btrfs', tree, out], capture_output=True, text=True)
    assert said.returncode == 1
    assert "Cannot put 'd' into a btrfs file system" in said.stderr


def test_large(image_directory, make, tmp_path):
    """Several chunks, both copies of the super block that fit, files of more than an extent."""
    tree = tmp_path / 'tree'
    tree.mkdir()
    block = random.Random(4).randbytes(2**20)
    with open(tree / 'large', 'wb') as file:
        for i in range(1200):
            file.write(i.to_bytes(8, 'little') + block[8:])
    image = make(tree, image_directory / 'large', '257G')
    check(image)
    for mirror in ('0', '1', '2'):
        assert '[match]' in run('btrfs', 'inspect-internal', 'dump-super', '-s', mirror, image)
    with mounted(image, tmp_path / 'mount', 'rw') as mount:
        run('cmp', tree / 'large', mount / 'large')
        run('btrfs', 'balance', 'start', '-m', mount)
    check(image)
    image.unlink()
