# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disk images whose root is protected by dm-verity: the hash tree as veritysetup(8) reads it, the root hash and what follows
from it. What boots of it is in test_boot_chain.py."""

import json
import re
import subprocess
import uuid

import project as projects
import pytest
from small import SECTOR_SIZE, Small, cut, partitions, run

EPOCH = '1700000000'
ROOT, ROOT_VERITY = '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', '2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5'
FORMATS = ['gpt_ext4', 'gpt_btrfs', 'gpt_squashfs']


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, tmp_path_factory):
    directory = tmp_path_factory.mktemp('verity')
    yield Small(directory, mkosi, small_distribution, {'mkosi.extra/etc/marker': 'extra\n'})
    projects.remove_tree(directory)


def verify(image, directory):
    """What veritysetup says of the image by the root hash beside it."""
    root_hash = image.with_suffix('.roothash').read_text(encoding='utf-8').strip()
    data, tree = partitions(image)[-2:]
    command = [
        'veritysetup', 'verify',
        cut(image, data, directory / 'data'), cut(image, tree, directory / 'tree'), root_hash,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False)


def flip(image, position):
    """Changes one bit."""
    with open(image, 'r+b') as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize('name', FORMATS)
def test_tree_is_as_veritysetup_reads_it(small, tmp_path, name):
    project = small.project(name)
    words = ['--verity', '--checksum', '--manifest', '--home-size=2M', f'--format={name}']
    words = [word for word in words if name != 'gpt_btrfs' or not word.startswith('--home')]
    small.build(project, *words, environment={'SOURCE_DATE_EPOCH': EPOCH})
    image = project.directory / 'image.raw'
    text = (project.directory / 'image.roothash').read_text(encoding='utf-8')
    assert re.fullmatch('[0-9a-f]{64}\n', text)

    data, tree = partitions(image)[-2:]
    assert (data['type'], tree['type']) == (ROOT, ROOT_VERITY)
    assert tree['name'] == 'Verity Partition' and tree['attrs'] == 'GUID:60'
    assert data.get('attrs') == (None if name == 'gpt_btrfs' else 'GUID:60')
    assert uuid.UUID(data['uuid']).hex + uuid.UUID(tree['uuid']).hex == text.strip()
    assert 'No errors detected' in run('sfdisk', '--verify', image)

    said = verify(image, tmp_path)
    assert said.returncode == 0, said.stderr
    dump = run('veritysetup', 'dump', tmp_path / 'tree')
    assert f'Data blocks:     \t{data["size"] * SECTOR_SIZE // 4096}\n' in dump and 'sha256' in dump

    assert json.loads((project.directory / 'image.manifest').read_text())['root_hash'] == text.strip()
    subprocess.run(['sha256sum', '--check', '--strict', 'SHA256SUMS'], cwd=project.directory, check=True)
    assert '*image.roothash\n' in (project.directory / 'SHA256SUMS').read_text(encoding='utf-8')

    # Wherever a bit is another one, in the first block or the last, in the data or the tree, it is noticed.
    for entry in (data, tree):
        # The first block of the tree is its superblock, of which the root hash knows nothing.
        first = entry['start'] * SECTOR_SIZE + (4096 if entry is tree else 0)
        last = (entry['start'] + entry['size']) * SECTOR_SIZE - 4096
        for position in (first, last):
            flip(image, position)
            assert verify(image, tmp_path).returncode != 0, position
            flip(image, position)
    assert verify(image, tmp_path).returncode == 0
    projects.remove_tree(project.directory)


def test_same_root_hash(small):
    """The root hash is that of the tree and the seed, wherever and whenever it is made."""
    first = small.project('first', '[Output]\nSeed=6f3a0d44-5b51-4d3a-8b2c-9d7b5f7a1c11\n')
    small.build(first, '--verity', environment={'SOURCE_DATE_EPOCH': EPOCH})
    second = small.project('second', '[Output]\nSeed=6f3a0d44-5b51-4d3a-8b2c-9d7b5f7a1c11\n')
    small.build(second, '--verity', environment={'SOURCE_DATE_EPOCH': EPOCH, 'TZ': 'Asia/Tokyo'})
    for name in ('image.roothash', 'image.raw'):
        assert (first.directory / name).read_bytes() == (second.directory / name).read_bytes()
    # Another file, another hash.
    second.write('mkosi.extra/etc/marker', 'other\n')
    small.build(second, '--force', '--verity', environment={'SOURCE_DATE_EPOCH': EPOCH})
    assert (first.directory / 'image.roothash').read_text() != (second.directory / 'image.roothash').read_text()
    for project in (first, second):
        projects.remove_tree(project.directory)


def test_systemd_takes_the_root_hash(small, foreign_tool):
    project = small.project('dissect')
    small.build(project, '--verity')
    said = json.loads(run(foreign_tool('systemd-dissect'), '--json=short', project.directory / 'image.raw'))
    found = {mount['designator']: mount for mount in said['mounts']}
    root_hash = (project.directory / 'image.roothash').read_text(encoding='utf-8').strip()
    assert uuid.UUID(found['root']['partition_uuid']).hex == root_hash[:32]
    assert uuid.UUID(found['root-verity']['partition_uuid']).hex == root_hash[32:]
    projects.remove_tree(project.directory)
