# SPDX-License-Identifier: LGPL-2.1-or-later
"""Hash trees of dm-verity: the same bytes as veritysetup makes, and the same verdicts."""

import os
import random
import re
import subprocess

import project as projects
import pytest

BLOCK = 4096
UUID = '6a5b1c5e-3f0d-4c4b-8e41-0d7a6a1fbb01'
SALT = 'ab' * 32


@pytest.fixture
def tool(mkosi):
    path = mkosi.parents[1] / 'tests/tools/make-verity'
    assert path.exists(), f'{path} is not there: compile it'

    def run(*arguments, status=0, **changes):
        result = subprocess.run(
            [str(word) for word in (path, *arguments)],
            check=False, capture_output=True, text=True, env=projects.clean_environment(**changes),
        )  # fmt: skip
        assert result.returncode == status, result.stderr
        return (result.stdout or result.stderr).strip()

    return run


@pytest.fixture
def veritysetup(foreign_tool):
    path = foreign_tool('veritysetup')

    def run(*arguments, status=0):
        result = subprocess.run(
            [str(word) for word in (path, *arguments)],
            check=False, capture_output=True, text=True, env=projects.clean_environment(),
        )  # fmt: skip
        assert (result.returncode != 0) == (status != 0), result.stdout + result.stderr
        return result.stdout

    return run


def format_by_others(veritysetup, data, area, salt=SALT, *more):
    said = veritysetup('format', data, area, '--salt', salt or '-', '--uuid', UUID, *more)
    return re.search(r'Root hash: *\t*([0-9a-f]{64})', said).group(1)


def compare(tool, veritysetup, directory, data, salt=SALT):
    """Makes both trees, which are the same, and returns ours and its root hash."""
    ours, theirs = directory / 'ours', directory / 'theirs'
    for path in (ours, theirs):
        path.unlink(missing_ok=True)
    root_hash = tool('hash', data, ours, salt, UUID)
    assert root_hash == format_by_others(veritysetup, data, theirs, salt)
    assert ours.stat().st_size == theirs.stat().st_size == int(tool('size', data.stat().st_size))
    assert ours.read_bytes() == theirs.read_bytes()
    return ours, root_hash


@pytest.mark.parametrize('n_blocks', (1, 2, 3, 127, 128, 129, 255, 1000, 16383, 16384, 16385, 40000))
def test_sizes(tool, veritysetup, tmp_path, n_blocks):
    data = tmp_path / 'data'
    data.write_bytes(random.Random(n_blocks).randbytes(n_blocks * BLOCK))
    ours, root_hash = compare(tool, veritysetup, tmp_path, data)
    veritysetup('verify', data, ours, root_hash)
    assert tool('check', data, ours, root_hash) == 'nothing'


@pytest.mark.parametrize('size', (0, 1, 8, 31, 32, 33, 55, 56, 63, 64, 65, 119, 120, 128, 200, 255, 256))
def test_salts(tool, veritysetup, tmp_path, size):
    data = tmp_path / 'data'
    data.write_bytes(random.Random(size).randbytes(131 * BLOCK))
    compare(tool, veritysetup, tmp_path, data, random.Random(size).randbytes(size).hex())


def test_dump(tool, veritysetup, tmp_path):
    """veritysetup understands the superblock."""
    data, ours = tmp_path / 'data', tmp_path / 'ours'
    data.write_bytes(bytes(129 * BLOCK))
    tool('hash', data, ours, SALT, UUID)
    said = dict(re.findall(r'^([^:\n]+):\s+(.*?)(?: \[.*)?$', veritysetup('dump', ours), re.M))
    assert said['UUID'] == UUID
    assert said['Hash type'] == '1'
    assert said['Data blocks'] == '129'
    assert said['Data block size'] == said['Hash block size'] == '4096'
    assert said['Hash algorithm'] == 'sha256'
    assert said['Salt'] == SALT


def write_sparse(path, n_blocks, seed):
    """Data of all sizes at odd places, with holes between them."""
    numbers = random.Random(seed)
    with open(path, 'wb') as file:
        file.truncate(n_blocks * BLOCK)
        for _ in range(numbers.randrange(1, 60)):
            file.seek(numbers.randrange(n_blocks * BLOCK))
            piece = numbers.randbytes(numbers.choice((1, 100, BLOCK, 10 * BLOCK, 300 * BLOCK)))
            file.write(piece[: n_blocks * BLOCK - file.tell()])


@pytest.mark.parametrize('seed', range(8))
def test_holes(tool, veritysetup, tmp_path, seed):
    data = tmp_path / 'data'
    write_sparse(data, (1, 5, 128, 129, 700, 3000, 16384, 20000)[seed], seed)
    compare(tool, veritysetup, tmp_path, data)


def test_nothing_but_a_hole(tool, tmp_path):
    """A hole of 16 GiB is not read, and nothing of its size is in memory."""
    data, ours = tmp_path / 'data', tmp_path / 'ours'
    with open(data, 'wb') as file:
        file.truncate(16 << 30)
    root_hash = tool('hash', data, ours, SALT, UUID)
    assert ours.stat().st_size == int(tool('size', 16 << 30))
    assert tool('check', data, ours, root_hash) == 'nothing'


@pytest.mark.parametrize('n_threads', (1, 2, 3, 16))
def test_threads(tool, tmp_path, n_threads):
    data = tmp_path / 'data'
    write_sparse(data, 5000, 1)
    expected = tool('hash', data, tmp_path / 'expected', SALT, UUID)
    assert tool('hash', data, tmp_path / 'ours', SALT, UUID, N_THREADS=str(n_threads)) == expected
    assert (tmp_path / 'ours').read_bytes() == (tmp_path / 'expected').read_bytes()


def test_within_an_image(tool, veritysetup, tmp_path):
    """Both at odd places of one file; and what lies around them stays."""
    image, data = tmp_path / 'image', tmp_path / 'data'
    content = random.Random(1).randbytes(1000 * BLOCK)
    image.write_bytes(content)
    begin, hashes, n_blocks = 512 * 7, 512 * 5001, 300
    data.write_bytes(content[begin : begin + n_blocks * BLOCK])
    root_hash = tool(
        'hash', image, image, SALT, UUID, n_blocks * BLOCK, OFFSET=str(begin), HASH_OFFSET=str(hashes)
    )
    _, expected = compare(tool, veritysetup, tmp_path, data)
    assert root_hash == expected

    tree = (tmp_path / 'theirs').read_bytes()
    assert image.read_bytes() == content[:hashes] + tree + content[hashes + len(tree) :]
    arguments = ('check', image, image, root_hash)
    assert tool(*arguments, OFFSET=str(begin), HASH_OFFSET=str(hashes)) == 'nothing'


def flip(path, offset):
    with open(path, 'r+b') as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x40]))


def test_flipped_bytes(tool, veritysetup, tmp_path):
    """Each byte that is changed is found, and where; veritysetup finds it too."""
    data, numbers = tmp_path / 'data', random.Random(1)
    n_blocks = 16384 + 200
    data.write_bytes(numbers.randbytes(n_blocks * BLOCK))
    ours, root_hash = compare(tool, veritysetup, tmp_path, data)

    for block in (0, 127, 128, 16384, n_blocks - 1, *(numbers.randrange(n_blocks) for _ in range(4))):
        offset = block * BLOCK + numbers.randrange(BLOCK)
        flip(data, offset)
        said = tool('check', data, ours, root_hash, status=1)
        assert said == f'data block {block} (bytes {block * BLOCK} to {block * BLOCK + BLOCK - 1})'
        veritysetup('verify', data, ours, root_hash, status=1)
        flip(data, offset)

    # Superblock, then one block, two, and 130 of them.
    places = [(2, 0, 1), (1, 0, 2), (1, 1, 3), (0, 0, 4), (0, 127, 131), (0, 129, 133)]
    assert ours.stat().st_size == 134 * BLOCK
    for level, block, place in places:
        for offset in (0, BLOCK - 1):
            flip(ours, place * BLOCK + offset)
            said = tool('check', data, ours, root_hash, status=1)
            assert said == f'block {block} of level {level} of the hash tree'
            flip(ours, place * BLOCK + offset)
    assert tool('check', data, ours, root_hash) == 'nothing'


def test_superblock_changed(tool, tmp_path):
    """Nothing but the UUID can be another; another salt, or size of it, is another tree."""
    data, ours = tmp_path / 'data', tmp_path / 'ours'
    data.write_bytes(bytes(range(256)) * 16 * 130)
    root_hash = tool('hash', data, ours, SALT, UUID)
    for offset in (*range(0, 140), 343, 344, 511, 512, 4095):
        flip(ours, offset)
        if 16 <= offset < 32:
            assert tool('check', data, ours, root_hash) == 'nothing'
        elif offset == 80 or 88 <= offset < 120:
            assert tool('check', data, ours, root_hash, status=1) == 'block 0 of level 1 of the hash tree'
        else:
            assert re.search('superblock|hash tree', tool('check', data, ours, root_hash, status=2))
        flip(ours, offset)


def test_trees_of_others(tool, veritysetup, tmp_path):
    """What veritysetup makes can be checked, unless it is of another kind."""
    data, area = tmp_path / 'data', tmp_path / 'area'
    data.write_bytes(random.Random(1).randbytes(500 * BLOCK))
    root_hash = format_by_others(veritysetup, data, area)
    assert tool('check', data, area, root_hash) == 'nothing'
    wrong = root_hash[:-1] + ('0' if root_hash[-1] != '0' else '1')
    assert tool('check', data, area, wrong, status=1) == 'block 0 of level 1 of the hash tree'
    for more, reason in (
        (('--format', '0'), 'hash type 0, not 1'),
        (('--data-block-size', '1024'), 'blocks of 1024 and 4096'),
        (('--hash-block-size', '1024'), 'blocks of 4096 and 1024'),
    ):
        area.unlink()
        root_hash = format_by_others(veritysetup, data, area, SALT, *more)
        assert reason in tool('check', data, area, root_hash, status=2)


@pytest.mark.parametrize('size', (0, 1, BLOCK - 1, BLOCK + 1, 100 * BLOCK + 512))
def test_refused_sizes(tool, tmp_path, size):
    data, ours = tmp_path / 'data', tmp_path / 'ours'
    data.write_bytes(bytes(size))
    said = tool('hash', data, ours, SALT, UUID, status=2)
    assert 'no data' in said if size == 0 else f'{size} bytes of data are not a multiple of 4096' in said
    assert os.stat(ours).st_size == 0
    assert tool('size', size) == '0'
