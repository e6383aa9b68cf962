# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every format, made of a hostile tree and of Debian's, read by those who did not write it."""

import filecmp
import os
import random
import re
import subprocess
from contextlib import contextmanager

import formats
import hostile
import pytest
import trees

# The time of images that are to have the same bytes; what the tree has is later for the most part.
EPOCH = '1700000000'
# What is enough for all that is about order and threads.
N_FILES_FEW = 3000
# Features that take long, and show nothing of how content is compressed.
LARGE = ('many_files', 'sparse_file')

NAMES = [row.name for row in formats.FORMATS]

DISTRIBUTIONS = [row for row in formats.FORMATS if row.distribution and row.full]
for_distributions = pytest.mark.parametrize(
    'row', DISTRIBUTIONS, indirect=True, ids=[row.name for row in DISTRIBUTIONS]
)

SIZED = [row for row in formats.FORMATS if row.sized]
for_sized = pytest.mark.parametrize('row', SIZED, indirect=True, ids=[row.name for row in SIZED])


@pytest.fixture(scope='module')
def maker(mkosi, root_user):
    return formats.Maker(mkosi.parents[1] / 'tests/tools')


@pytest.fixture(scope='module', params=formats.FORMATS, ids=NAMES)
def row(request):
    return request.param


@pytest.fixture(scope='module')
def host(image_directory, root_user):
    """A file system that can hold everything."""
    with hostile.host(image_directory / 'formats') as mount:
        yield mount


@pytest.fixture(scope='module')
def scratch(image_directory):
    """Where images are made; each is deleted by its test."""
    path = image_directory / 'formats-made'
    path.mkdir()
    return path


class Hostile:
    """The whole hostile tree, and what it holds."""

    def __init__(self, path):
        self.path = hostile.build(path)
        # Later than any other: the time of the root is only kept where it can be this.
        os.utime(path, ns=(5, 10**18))
        self.entries = trees.describe(path)

    @contextmanager
    def without(self, features):
        """Takes some features out of the tree, and yields the description of the rest."""
        aside = self.path.with_name('aside')
        aside.mkdir()
        moved = []
        try:
            for name in features:
                os.rename(self.path / name, aside / name)
                moved.append(name)
            os.utime(self.path, ns=(5, 10**18))
            prefixes = tuple(os.fsencode(name) + b'/' for name in features)
            names = {os.fsencode(name) for name in features}
            yield {
                path: entry
                for path, entry in self.entries.items()
                if path not in names and not path.startswith(prefixes)
            }
        finally:
            for name in moved:
                os.rename(aside / name, self.path / name)
            aside.rmdir()


@pytest.fixture(scope='module')
def hostile_tree(host):
    return Hostile(host / 'tree')


class Image:
    """A tree in one format, and what has to be in it."""

    def __init__(self, row, path, expected):
        self.row, self.path, self.expected = row, path, expected


@pytest.fixture(scope='module')
def hostile_image(row, maker, hostile_tree, scratch):
    """All that the format can hold, and its readers can show."""
    path = scratch / 'hostile'
    large = () if row.full else LARGE
    with hostile_tree.without({*row.refuses, *row.unread, *large}) as expected:
        maker.make(row, hostile_tree.path, path)
    yield Image(row, path, expected)
    path.unlink()


@pytest.fixture(scope='module')
def debian_entries(plain_image):
    return trees.describe(plain_image.tree)


@pytest.fixture(scope='module')
def debian_image(row, maker, plain_image, debian_entries, scratch):
    path = scratch / 'debian'
    yield Image(row, maker.make(row, plain_image.tree, path, LEAVE_OUT='1'), debian_entries)
    path.unlink()


def remove(*paths):
    """Trees, whose paths may be longer than a call takes, and files; some may not be there."""
    subprocess.run(['rm', '-rf', '--one-file-system', *paths], check=True)


def shuffled_copy(tree, copy):
    """The same tree, made in another order, so with other numbers of inodes."""
    found = subprocess.run(['find', '.', '-print0'], cwd=tree, check=True, capture_output=True)
    names = found.stdout.split(b'\0')[:-1]
    random.Random(1).shuffle(names)
    kept = ['--format=posix', '--xattrs', '--xattrs-include=*', '--acls', '--numeric-owner', '--file=-']
    wanted = ['--null', '--no-recursion', '--verbatim-files-from', '--files-from=-', '--sparse']
    copy.mkdir()
    create = ['tar', '--create', *kept, *wanted]
    archive = subprocess.run(create, cwd=tree, input=b'\0'.join(names), check=True, capture_output=True).stdout
    extract = ['tar', '--extract', *kept, '--same-permissions', '--delay-directory-restore']
    subprocess.run(extract, cwd=copy, input=archive, check=True, capture_output=True)
    return copy


@pytest.fixture(scope='module')
def shuffled_debian(plain_image, debian_entries, host):
    copy = shuffled_copy(plain_image.tree, host / 'debian')
    trees.assert_same(debian_entries, trees.describe(copy))
    return copy


def assert_all_there(image, host):
    """Every reader of the format sees the tree."""
    found = {}
    for reader in image.row.readers:
        directory = host / 'read'
        directory.mkdir()
        try:
            with reader.opened(image.path, directory) as tree:
                without = reader.normal.without + tuple(os.fsencode(name) for name in reader.blind)
                normal = reader.normal._replace(without=without)
                found[reader.name] = trees.differences(image.expected, trees.describe(tree), normal)
        finally:
            remove(directory)
    trees.assert_none([f'{name}: {line}' for name, lines in found.items() for line in lines])
    assert found


def test_hostile_tree_is_hostile(hostile_tree):
    """Without this the tests below would prove little."""
    entries = hostile_tree.entries
    for name in hostile.FEATURES:
        assert sum(path.startswith(name.encode() + b'/') for path in entries) > 0, name
    assert sum(path.startswith(b'many_files/') for path in entries) == 100_000
    assert max(map(len, entries)) > 4096
    assert max(len(path.split(b'/')) for path in entries) > 100
    assert max(entry.size or 0 for entry in entries.values()) == 10 * 2**30
    assert max(len(entry.target or b'') for entry in entries.values()) == 4095
    values = [value for entry in entries.values() for value in entry.attributes.values()]
    assert (min(map(len, values)), max(map(len, values))) == (0, 65536)
    assert max(len(entry.attributes) for entry in entries.values()) == 100
    names = {name for entry in entries.values() for name in entry.attributes}
    assert {'system.posix_acl_access', 'system.posix_acl_default', 'security.capability'} <= names
    assert {entry.type for entry in entries.values()} == set(trees.TYPES.values())
    assert max(entry.uid for entry in entries.values()) == 2**32 - 2
    times = [entry.mtime_ns // 10**9 for entry in entries.values()]
    assert (min(times), max(times)) == (-(2**31), 2**33 + 2**32)
    assert entries[b'hard_links/c/b'].first == b'hard_links/a/b'
    assert entries[b'hard_links/b'].links == 4


def test_comparison_sees_differences(hostile_tree):
    """One change of every member of an entry."""
    path = b'capabilities/file'
    entries = {name: hostile_tree.entries[name] for name in (b'.', b'capabilities', path)}
    changes = {
        'type': 'pipe', 'mode': 0o600, 'uid': 1, 'gid': 1, 'mtime_ns': 1, 'size': 1, 'digest': b'',
        'links': 2, 'first': b'a', 'attributes': {},
    }  # fmt: skip
    for field, value in changes.items():
        [line] = trees.differences(entries, entries | {path: entries[path]._replace(**{field: value})})
        assert line.startswith("b'capabilities/file': ")
    assert trees.differences(entries, {name: entry for name, entry in entries.items() if name != path})
    assert trees.differences(entries, entries | {b'new': entries[path]})
    assert not trees.differences(entries, dict(entries))


def test_hostile_tree_comes_back(hostile_image, host):
    assert_all_there(hostile_image, host)


def test_checker_finds_nothing(hostile_image):
    formats.run(*hostile_image.row.check, hostile_image.path)


@for_distributions
def test_debian_tree_comes_back(debian_image, host):
    assert_all_there(debian_image, host)


@for_distributions
def test_checker_finds_nothing_in_debian(debian_image):
    formats.run(*debian_image.row.check, debian_image.path)


REFUSALS = [(row, feature) for row in formats.FORMATS for feature in row.refuses]


@pytest.mark.parametrize(
    ('row', 'feature'),
    REFUSALS,
    indirect=['row'],
    ids=[f'{row.name}-{feature}' for row, feature in REFUSALS],
)
def test_what_cannot_be_stored_is_refused_by_name(row, feature, maker, host, scratch):
    tree, image = host / 'refused', scratch / 'refused'
    hostile.build(tree, [feature])
    try:
        said = maker.try_to_make(row, tree, image)
    finally:
        remove(tree)
        image.unlink(missing_ok=True)
    message = said.stderr.decode(errors='surrogateescape')
    assert said.returncode == 1, message
    assert f"'{feature}/" in message or f"'{feature}'" in message
    assert row.refuses[feature] in message
    assert re.fullmatch('[^\0-\37\177]+\n', message), 'a terminal would obey the name'


# How the same tree is given to the same program.
WAYS = {
    'as it is': {'N_THREADS': '2'},
    'one thread': {'N_THREADS': '1'},
    'five threads': {'N_THREADS': '5'},
    'one processor': {'wrapper': ('taskset', '1')},
}
ELSEWHERE = {
    'N_THREADS': '3', 'TZ': 'Asia/Kathmandu', 'LC_ALL': 'tr_TR.UTF-8', 'HOME': '/nonexistent', 'umask': 0o077,
}  # fmt: skip


def assert_same_bytes(one, other):
    if not filecmp.cmp(one, other, shallow=False):
        said = subprocess.run(['cmp', one, other], capture_output=True, text=True, check=False)
        raise AssertionError(f'the images differ: {said.stdout}{said.stderr}')


def test_same_bytes_of_hostile_trees(row, maker, host, scratch):
    first, second = scratch / 'first', scratch / 'second'
    here, there = host / 'here', host / 'there/in a longer path/than before'
    options = {'without': row.refuses, 'n_files': N_FILES_FEW}
    hostile.build(here, **options)
    there.parent.mkdir(parents=True)
    hostile.build(there, seed=1, **options)
    try:
        maker.make(row, here, first, SOURCE_DATE_EPOCH=EPOCH)
        for name, way in WAYS.items():
            if not row.full and name != 'five threads':
                continue  # how work is shared is the same whatever compresses
            assert_same_bytes(first, maker.make(row, here, second, SOURCE_DATE_EPOCH=EPOCH, **way))
            second.unlink()
        assert_same_bytes(first, maker.make(row, there, second, SOURCE_DATE_EPOCH=EPOCH, **ELSEWHERE))
    finally:
        remove(host / 'there', here, first, second)


@for_distributions
def test_same_bytes_of_debian_trees(debian_image, shuffled_debian, maker, scratch):
    second = maker.make(debian_image.row, shuffled_debian, scratch / 'second', LEAVE_OUT='1', **ELSEWHERE)
    try:
        assert_same_bytes(debian_image.path, second)
    finally:
        second.unlink()


@contextmanager
def small_disk(directory, size):
    directory.mkdir()
    formats.run('mount', '-t', 'tmpfs', '-o', f'size={size}', 'none', directory)
    try:
        yield directory
    finally:
        formats.run('umount', directory)
        directory.rmdir()


@pytest.fixture(scope='module')
def few_features(host):
    """A small tree that every format can hold."""
    tree = host / 'few'
    features = ['same_content', 'attributes_many', 'many_directories', 'many_files']
    hostile.build(tree, features, n_files=N_FILES_FEW)
    return tree


def test_full_disk(row, maker, few_features, scratch):
    image = maker.make(row, few_features, scratch / 'enough')
    needed = image.stat().st_blocks * 512
    image.unlink()
    for size in (4096, needed // 10, needed // 2, needed - 65536):
        with small_disk(scratch / 'disk', size // 4096 * 4096) as disk:
            said = maker.try_to_make(row, few_features, disk / 'image')
        message = os.fsdecode(said.stderr)
        assert said.returncode == 1, f'{size} of {needed}: {message}'
        assert re.fullmatch('.*: No space left on device\n', message), f'{size} of {needed}: {message}'
    with small_disk(scratch / 'disk', needed + 2**20) as disk:
        maker.make(row, few_features, disk / 'image')


@for_sized
def test_sizes(row, maker, few_features, scratch):
    """What is too small says what is needed, and what is enough is used to the last byte."""
    image = scratch / 'sized'
    chosen = maker.make(row, few_features, image).stat().st_size
    for size in (1, 511, 4096, 4097, chosen // 8, chosen // 3):
        said = maker.try_to_make(row, few_features, image, size)
        message = os.fsdecode(said.stderr)
        assert said.returncode == 1, f'{size}: {message}'
        assert re.search('needs .*(and this one has only|and has) ', message), f'{size}: {message}'
    for size in (chosen, chosen + 4096, chosen * 3):
        image.unlink()
        maker.make(row, few_features, image, size)
        assert image.stat().st_size == size
        formats.run(*row.check, image)
    image.unlink()


def test_depth(row, maker, host, scratch):
    """What is nested deeper than anything sane is refused, whatever the format."""
    top = host / 'nested'
    top.mkdir()
    descriptor = os.open(top, os.O_RDONLY)
    for _ in range(600):
        os.mkdir('d', dir_fd=descriptor)
        above, descriptor = descriptor, os.open('d', os.O_RDONLY, dir_fd=descriptor)
        os.close(above)
    os.close(descriptor)
    said = maker.try_to_make(row, top, scratch / 'nested')
    remove(top, scratch / 'nested')
    assert said.returncode == 1
    assert b"'d/d/d/" in said.stderr


def test_all_formats_are_written(maker):
    assert not [row.name for row in formats.FORMATS if not maker.knows(row)]


def test_unknown_formats_are_none(maker):
    """Without this the test above could not fail."""
    for name in ('ext5', 'squashfs:lzma', 'btrfs:xz', 'ext4:zstd'):
        assert not maker.knows(formats.EXT4._replace(name=name)), name


def test_missing_compressor_is_named(maker, few_features, scratch):
    """The format has it, and the library that writes the format does not."""
    image = scratch / 'lzo'
    said = maker.try_to_make(formats.squashfs('squashfs:lzo'), few_features, image)
    image.unlink(missing_ok=True)
    assert said.returncode == 1
    assert said.stderr.endswith(b': squashfs: libsquashfs was built without lzo on this machine\n')
