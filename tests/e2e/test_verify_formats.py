# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb verify, with every format that has headers of its own, and those that are not looked into."""

import os
import shutil
import subprocess

import project as projects
import pytest
from small import Small, partitions
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
    project = small.project('archive', '[Output]\nFormat=tar\n[Validation]\nCheckSum=yes\n')
    small.build(project)
    [archive] = project.directory.glob('image.tar*')
    verified = Verified(mkosi, project.directory, archive.name)
    assert 'image: A tar archive, whose files are not looked into' in verified.of('absent')
    [failed] = Verified(mkosi, project.directory, wanted, archive.name, status=1).failed
    assert failed == 'image: A tar archive, whose files are not looked into'
    assert verified.of('ok') == ['check sums: All 1 files are what SHA256SUMS says']
    projects.remove_tree(project.directory)

    project = small.project('directory', '[Output]\nFormat=directory\n')
    small.build(project)
    for name in ('image', 'image/', '.'):
        verified = Verified(mkosi, project.directory, name)
        assert verified.of('absent')[0] == 'image: A directory, whose files are not looked into'
        [failed] = Verified(mkosi, project.directory, wanted, name, status=1).failed
        assert failed.startswith('image: A directory')
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
