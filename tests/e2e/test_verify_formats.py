# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb verify, with every format that has headers of its own, and those that are not looked into."""

import os
import shutil
import subprocess

import project as projects
import pytest
from small import Small, partitions, run
from verified import Copy, Verified


@pytest.fixture(scope='module')
def small(mkosi, small_bootable_distribution, image_directory):
    return Small(image_directory / 'small-verify-formats', mkosi, small_bootable_distribution, {})


@pytest.fixture(scope='module')
def squashfs(small):
    project = small.project('squashfs', '[Output]\nFormat=plain_squashfs\n')
    small.build(project)
    yield project
    projects.remove_tree(project.directory)


def test_a_file_system_alone(mkosi, squashfs):
    verified = Verified(mkosi, squashfs.directory, 'image')
    [said] = verified.of('ok')
    assert said.startswith('file system: squashfs, zstd in blocks of '), verified.checks


def test_no_file_system_has_a_root_hash(mkosi, squashfs):
    failed = Verified(mkosi, squashfs.directory, f'--root-hash={"1" * 64}', 'image', status=1).failed
    assert failed == ['dm-verity: --root-hash names a root hash, but there is no partition with a hash tree']


def superblock_number(offset, size, number):
    def write(image):
        with open(image, 'r+b') as file:
            file.seek(offset)
            file.write(number.to_bytes(size, 'little'))

    return write


def cut_half(image):
    os.truncate(image, image.stat().st_size // 2)


@pytest.mark.parametrize(('breaks', 'expected'), [
    (superblock_number(0, 1, 0), 'What it holds is nothing known'),
    (superblock_number(12, 4, 1000), 'The superblock of the squashfs tells of blocks of an impossible size'),
    (superblock_number(20, 2, 9), 'The superblock of the squashfs tells of a compression that is not known'),
    (superblock_number(30, 2, 1), 'The superblock of the squashfs is of another version than 4.0'),
    (superblock_number(40, 8, 1 << 40), 'The squashfs has 1099511627776 bytes, and there is room for no more than '),
    (superblock_number(64, 8, 1 << 40), 'The superblock of the squashfs has its tables in disorder, or outside'),
    (cut_half, 'The squashfs has '),
])  # fmt: skip
def test_a_broken_file_system(mkosi, squashfs, tmp_path, breaks, expected):
    shutil.copy(squashfs.directory / 'image', tmp_path)
    breaks(tmp_path / 'image')
    [failed] = Verified(mkosi, tmp_path, 'image', status=1).failed
    assert failed.startswith(f'file system: {expected}')


def test_what_is_not_looked_into(mkosi, small):
    """Check sums are all that there is of archives, and nothing of directories: that is said, and is no failure."""
    wanted = f'--root-hash={"1" * 64}'
    project = small.project('archive', '[Output]\nFormat=tar\nManifest=yes\n[Validation]\nCheckSum=yes\n')
    small.build(project)
    [archive] = project.directory.glob('image.tar*')
    verified = Verified(mkosi, project.directory, archive.name)
    assert 'image: A tar archive, whose files are not looked into' in verified.of('absent')
    [failed] = Verified(mkosi, project.directory, wanted, archive.name, status=1).failed
    assert failed == 'image: A tar archive, whose files are not looked into'
    assert verified.of('ok') == [
        'manifest: 1 file is what image.manifest says',
        'check sums: All 2 files are what SHA256SUMS says',
    ]
    with open(archive, 'ab') as file:
        file.write(b'more')
    failed = Verified(mkosi, project.directory, archive.name, status=1).failed
    assert failed[-2].startswith(f'manifest: image.manifest: The size of {archive.name} is ')
    assert failed[-1] == f'check sums: {archive.name} is not what SHA256SUMS says'
    projects.remove_tree(project.directory)

    project = small.project('directory', '[Output]\nFormat=directory\nManifest=yes\n')
    small.build(project)
    verified = Verified(mkosi, project.directory, 'image')
    assert verified.of('absent')[1] == 'manifest: Nothing that image.manifest tells of can be compared'
    for name in ('image', 'image/', '.'):
        verified = Verified(mkosi, project.directory, name)
        assert verified.of('absent')[0] == 'image: A directory, whose files are not looked into'
        assert Verified(mkosi, project.directory, wanted, name, status=1).failed[0].startswith('image: A directory')
    shutil.move(project.directory / 'image', project.directory / 'other')
    shutil.move(project.directory / 'image.manifest', project.directory / 'other.manifest')
    [failed] = Verified(mkosi, project.directory, 'other', status=1).failed
    assert failed == 'manifest: other.manifest: It is of image, and not of other'
    projects.remove_tree(project.directory)


@pytest.fixture(scope='module')
def encrypted(small):
    project = small.project('encrypted', '[Output]\nEncrypt=all\n')
    project.write('mkosi.passphrase', 'open sesame\n', mode=0o600)
    small.build(project)
    yield project
    projects.remove_tree(project.directory)


def test_an_encrypted_root_is_read(mkosi, encrypted):
    verified = Verified(mkosi, encrypted.directory, 'image.raw')
    assert 'root partition: LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB' in verified.of('ok')


def test_everything_that_may_be_encrypted(mkosi, small):
    """Each partition has a header of its own; the manifest tells which."""
    settings = """\
[Output]
Encrypt=data
EncryptKDF=pbkdf2:1000
Manifest=yes
CompressOutput=zstd

[Partitions]
HomeSize=24M
SrvSize=24M
SwapSize=1M
"""
    project = small.project('data', settings)
    project.write('mkosi.passphrase', 'open sesame\n', mode=0o600)
    small.build(project)
    volume = 'LUKS2, aes-xts-plain64, 1 key slot, pbkdf2 1000 iterations'
    verified = Verified(mkosi, project.directory, 'image.raw.zst')
    encrypted = [text for text in verified.of('ok') if text.endswith(volume)]
    assert encrypted == [f'{name} partition: {volume}' for name in ('home', 'srv')]
    assert 'manifest: The partition table and 1 file are what image.manifest says' in verified.of('ok')

    # Whoever decompresses it has the image all the same.
    run('zstd', '--quiet', '--decompress', project.directory / 'image.raw.zst')
    (project.directory / 'image.raw.zst').unlink()
    verified = Verified(mkosi, project.directory, 'image.raw')
    assert 'manifest: The partition table and 0 files are what image.manifest says' in verified.of('ok')

    # A partition that is not encrypted any more.
    copy = Copy(project, project.directory, [])
    [(start, _)] = [copy.place(name) for name in copy.partitions if name.startswith('Home')]
    with open(copy.image, 'r+b') as file:
        file.seek(start)
        file.write(bytes(32 * 1024))
    name = next(name for name in copy.partitions if name.startswith('Home'))
    assert Verified(mkosi, project.directory, 'image.raw', status=1).failed == [
        'home partition: What it holds is nothing known',
        f"manifest: image.manifest: The partition '{name}' is not encrypted",
    ]
    projects.remove_tree(project.directory)


SECONDARY = 16 * 1024


@pytest.mark.parametrize(('position', 'expected'), [
    (0, 'The primary header is not there'),
    (30, 'The primary header does not have the check sum it says'),
    (4096 + 20, 'The primary header does not have the check sum it says'),
    (SECONDARY, 'The secondary header is not there'),
    (SECONDARY + 448, 'The secondary header does not have the check sum it says'),
    (SECONDARY + 4096 + 20, 'The secondary header does not have the check sum it says'),
])  # fmt: skip
def test_broken_headers_of_luks(mkosi, encrypted, tmp_path, position, expected):
    copy = Copy(encrypted, tmp_path, ['image.raw'])
    start, _ = copy.place('Root Partition')
    copy.flip(start + position)
    assert Verified(mkosi, tmp_path, 'image.raw', status=1).failed == [f'root partition: {expected}']


def test_luks_in_too_small_a_partition(mkosi, encrypted, tmp_path):
    """The table cuts off all data behind the header."""
    copy = Copy(encrypted, tmp_path, ['image.raw'])
    numbers = {entry['name']: index + 1 for index, entry in enumerate(partitions(copy.image))}
    subprocess.run(
        ['sfdisk', '--quiet', '--no-reread', '-N', str(numbers['Root Partition']), copy.image], input=',32768\n', text=True,
        check=True,
    )  # fmt: skip
    failed = Verified(mkosi, tmp_path, 'image.raw', status=1).failed
    assert failed == ['root partition: Data does not fit into the volume: it is cut off']
