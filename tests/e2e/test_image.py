# SPDX-License-Identifier: LGPL-2.1-or-later
"""The default image, not bootable: foreign tools read it, and it holds just the tree that was built."""

import hashlib
import json
import os
import re
import socket
import stat
import subprocess
from contextlib import contextmanager
from pathlib import Path

import project as projects
import pytest

SECTOR_SIZE = 512
MIB = 1024 * 1024
ROOT_X86_64 = '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709'


def run(*command, **options):
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=True,
        env=projects.clean_environment(),
        **options
    ).stdout


@contextmanager
def mounted(image, directory):
    """Mounts the image of a file system, read-only and without replaying a journal, through a loop device."""
    directory.mkdir()
    run('mount', '-t', 'ext4', '-o', 'loop,ro,noload', image, directory)
    try:
        yield directory
    finally:
        run('umount', directory)
        directory.rmdir()


def attributes(path):
    return {
        name: os.getxattr(path, name, follow_symlinks=False)
        for name in os.listxattr(path, follow_symlinks=False)
    }


def content(path, status):
    if stat.S_ISREG(status.st_mode):
        with open(path, 'rb') as file:
            return hashlib.file_digest(file, 'sha256').hexdigest()
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path)
    if stat.S_ISBLK(status.st_mode) or stat.S_ISCHR(status.st_mode):
        return status.st_rdev
    return None


def describe_tree(top):
    """{relative path: all that a file system says about it}; of hard links, which names share an inode."""
    files = {}
    inodes = {}
    for directory, names, others in os.walk(top):
        for name in names + others + (['.'] if directory == str(top) else []):
            path = os.path.join(directory, name)
            status = os.lstat(path)
            relative = os.path.relpath(path, top)
            is_directory = stat.S_ISDIR(status.st_mode)
            files[relative] = {
                'mode': oct(status.st_mode),
                'owner': (status.st_uid, status.st_gid),
                'mtime': status.st_mtime_ns,
                'size': None if is_directory else status.st_size,
                'attributes': attributes(path),
                'content': content(path, status),
            }
            if not is_directory:
                inodes.setdefault((status.st_dev, status.st_ino), []).append(relative)
    for names in inodes.values():
        for name in names:
            files[name]['links'] = sorted(names)
    return files


@pytest.fixture(scope='module')
def partition(plain_image, image_directory):
    """The root partition, cut out of the disk image."""
    [entry] = json.loads(run('sfdisk', '--json', plain_image.path))['partitiontable']['partitions']
    path = image_directory / 'plain-root.ext4'
    projects.copy_sparse(plain_image.path, path, entry['start'] * SECTOR_SIZE, entry['size'] * SECTOR_SIZE)
    return path


def test_partition_table_is_valid(plain_image):
    assert 'No errors detected' in run('sfdisk', '--verify', plain_image.path)
    # The gap before the first partition, which is aligned to one MiB, is all that it remarks on.
    said = re.sub(
        r'Warning: There is a gap between the main partition table', '', run('sgdisk', '-v', plain_image.path)
    )
    assert 'No problems found' in said and 'Caution' not in said and 'Warning' not in said, said


def test_partition_table_is_as_specified(plain_image):
    table = json.loads(run('sfdisk', '--json', plain_image.path))['partitiontable']
    assert table['label'] == 'gpt'
    [entry] = table['partitions']
    assert entry['type'] == ROOT_X86_64
    assert entry['name'] == 'Root Partition'
    assert entry['start'] == 2048
    assert entry['size'] * SECTOR_SIZE % MIB == 0
    # It is grown when the partition is.
    assert entry['attrs'] == 'GUID:59'
    assert plain_image.path.stat().st_size == (entry['start'] + entry['size']) * SECTOR_SIZE + MIB


def test_image_is_sparse_and_has_the_callers_mode(plain_image):
    status = plain_image.path.stat()
    assert status.st_blocks * 512 < status.st_size
    assert stat.S_IMODE(status.st_mode) == 0o644


def test_file_system_is_clean(partition):
    run('e2fsck', '-f', '-n', partition)


def test_file_system_is_recognised(plain_image, partition):
    said = dict(
        line.split('=', 1)
        for line in run('blkid', '-p', '-o', 'export', partition).splitlines()
        if '=' in line
    )
    assert (said['TYPE'], said['LABEL']) == ('ext4', 'root')
    assert 'PTTYPE="gpt"' in run('blkid', '-p', plain_image.path)
    assert 'Last mounted on:          /\n' in run('dumpe2fs', '-h', partition)


def test_root_equals_the_tree(plain_image, partition, tmp_path):
    expected = describe_tree(plain_image.tree)
    with mounted(partition, tmp_path / 'root') as root:
        found = describe_tree(root)
    # Made by every ext4 file system for what a repair saves.
    lost_and_found = found.pop('lost+found')
    assert lost_and_found['mode'] == oct(stat.S_IFDIR | 0o700) and lost_and_found['owner'] == (0, 0)

    assert sorted(set(expected) - set(found)) == [] and sorted(set(found) - set(expected)) == []
    different = {path: (expected[path], found[path]) for path in expected if expected[path] != found[path]}
    assert different == {}
    # The comparison means something only if there was something to compare.
    assert len(expected) > 3000
    assert any(len(entry.get('links', [])) > 1 for entry in expected.values())
    assert any(int(entry['mode'], 8) & stat.S_ISUID for entry in expected.values())


def test_systemd_dissects_it(plain_image, foreign_tool):
    said = json.loads(run(foreign_tool('systemd-dissect'), '--json=short', plain_image.path))
    assert [(mount['designator'], mount['fstype']) for mount in said['mounts']] == [('root', 'ext4')]


def test_extra_tree_is_in_the_image(plain_image):
    marker = plain_image.tree / 'etc/marker'
    assert marker.read_text(encoding='utf-8') == 'extra\n'
    assert (stat.S_IMODE(marker.stat().st_mode), marker.stat().st_uid) == (0o640, 0)
    assert stat.S_IMODE((plain_image.tree / 'usr/local/bin/marker').stat().st_mode) == 0o755


def test_release_is_what_was_asked_for(plain_image):
    os_release = (plain_image.tree / 'etc/os-release').read_text(encoding='utf-8')
    assert 'ID=debian\n' in os_release and 'VERSION_CODENAME=bookworm\n' in os_release


def test_identity_is_reset(plain_image):
    tree = plain_image.tree
    assert (tree / 'etc/machine-id').read_bytes() == b''
    machine_id = tree / 'var/lib/dbus/machine-id'
    if machine_id.is_symlink():
        assert os.path.normpath(machine_id.parent / os.readlink(machine_id)) in (
            '/etc/machine-id',
            str(tree / 'etc/machine-id'),
        )
    else:
        assert not machine_id.exists()
    assert not (tree / 'var/lib/systemd/random-seed').exists()
    assert list((tree / 'etc/ssh').glob('ssh_host_*_key')) == []


def test_nothing_of_the_host_is_in_the_tree(plain_image):
    tree = plain_image.tree
    assert not (tree / 'etc/hostname').exists()
    assert not (tree / 'etc/fstab').exists() or not re.search(
        r'^\s*[^#\s]', (tree / 'etc/fstab').read_text(encoding='utf-8'), re.MULTILINE
    )
    resolver = Path('/etc/resolv.conf').read_text(encoding='utf-8').strip()
    if resolver and (tree / 'etc/resolv.conf').is_file():
        assert resolver not in (tree / 'etc/resolv.conf').read_text(encoding='utf-8')

    names = re.compile(
        rb'(?<![\w.-])'
        + re.escape(socket.gethostname().encode())
        + rb'(?![\w-])|'
        + re.escape(str(plain_image.project.directory).encode())
    )
    # A host called "debian" or the like proves nothing.
    if len(socket.gethostname()) >= 8:
        leaks = [
            path.relative_to(tree)
            for folder in ('etc', 'var', 'root', 'usr/local')
            for path in (tree / folder).rglob('*')
            if path.is_file() and not path.is_symlink() and names.search(path.read_bytes())
        ]
        assert leaks == []


def test_nothing_of_the_build_is_left(plain_image):
    tree = plain_image.tree
    for directory in ('run', 'tmp', 'var/tmp', 'dev', 'proc', 'sys'):
        assert list((tree / directory).iterdir()) == [], directory
    lists = [path for path in (tree / 'var/lib/apt/lists').rglob('*') if path.is_file()]
    assert [path.name for path in lists if path.name != 'lock'] == []
    assert list((tree / 'var/cache/apt').rglob('*.deb')) == []
    assert list((tree / 'var/cache/apt').glob('*.bin')) == []
    assert not (tree / 'usr/sbin/policy-rc.d').exists()
    assert not (tree / 'debootstrap').exists()
    assert plain_image.project.workspaces == []
    assert [
        path.name
        for path in plain_image.project.directory.iterdir()
        if path.name not in ('mkosi.default', 'mkosi.extra')
    ] == ['image.raw']


def test_modes_do_not_depend_on_the_umask(plain_image):
    """Nothing is writable for all but what has to be, whatever umask the build ran under."""
    tree = plain_image.tree
    assert stat.S_IMODE(tree.stat().st_mode) == 0o755
    writable = [
        str(path.relative_to(tree))
        for path in tree.rglob('*')
        if not path.is_symlink() and path.lstat().st_mode & 0o002 and not path.lstat().st_mode & stat.S_ISVTX
    ]
    assert writable == []


def test_security_and_updates_are_configured(plain_image):
    apt = plain_image.tree / 'etc/apt'
    said = '\n'.join(
        path.read_text(encoding='utf-8')
        for path in [apt / 'sources.list', *(apt / 'sources.list.d').glob('*')]
        if path.is_file()
    )
    assert 'bookworm-updates' in said
    assert 'bookworm-security' in said


def test_documentation_is_left_out(plain_image):
    manuals = [path for path in (plain_image.tree / 'usr/share/man').rglob('*') if path.is_file()]
    assert manuals == []


def test_default_package_cache_is_used(plain_image, package_cache):
    assert list(package_cache.rglob('*.deb')) != []
