# SPDX-License-Identifier: LGPL-2.1-or-later
"""Whole builds of every format and of what lies beside it, judged by foreign tools.

What is built is the small distribution of aptrepo.py: the formats' own tests look closer at each of them."""

import filecmp
import hashlib
import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path

import project as projects
import pytest
import trees
from pull import Key, pull_raw, pull_tar
from small import SECTOR_SIZE, Small, cut, partitions, run

MIB = 1024 * 1024
EPOCH = '1700000000'
READ_ONLY, GROW = 'GUID:60', 'GUID:59'

FILES = {
    'mkosi.extra/home/user/letter': 'dear reader\n' * 2**18,
    'mkosi.extra/srv/www/index.html': '<p>\n',
    'mkosi.extra/var/lib/state/file': 'state\n',
    'mkosi.extra/etc/marker': 'extra\n',
}


@contextmanager
def mounted(source, directory, options):
    directory.mkdir(exist_ok=True)
    run('mount', '-o', options, source, directory)
    try:
        yield directory
    finally:
        run('umount', directory)


@contextmanager
def tmpfs(small, size):
    directory = small.directory / 'tmpfs'
    directory.mkdir(exist_ok=True)
    run('mount', '-t', 'tmpfs', '-o', f'size={size}M', 'none', directory)
    try:
        yield directory
    finally:
        run('umount', directory)


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, tmp_path_factory):
    directory = tmp_path_factory.mktemp('outputs')
    yield Small(directory, mkosi, small_distribution, FILES)
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def key(tmp_path_factory):
    with Key(tmp_path_factory.mktemp('key') / 'home') as made:
        yield made


@pytest.fixture(scope='module')
def tree(small):
    """The tree as a directory, which all formats are compared with."""
    project = small.project('tree')
    small.build(project, '--format=directory', environment={'SOURCE_DATE_EPOCH': EPOCH})
    return trees.describe(project.directory / 'image')


# Times that are set while building differ between builds, but for those that SOURCE_DATE_EPOCH bounds: all of them here.
def assert_is_tree(found, tree, **normal):
    trees.assert_same(tree, found, trees.Normal(time_max=int(EPOCH), **normal))


def sums(directory):
    return (directory / 'SHA256SUMS').read_text(encoding='utf-8').splitlines()


def test_partitions(small, tree):
    project = small.project('partitions', '[Partitions]\nSwapSize=24M\nHomeSize=40M\nSrvSize=16M\n')
    small.build(project, environment={'SOURCE_DATE_EPOCH': EPOCH})
    image = project.directory / 'image.raw'
    assert 'No errors detected' in run('sfdisk', '--verify', image)
    entries = partitions(image)
    assert [(entry['name'], entry['size'] * SECTOR_SIZE // MIB, entry.get('attrs')) for entry in entries[:3]] == [
        ('Swap Partition', 24, None),
        ('Home Partition', 40, GROW),
        ('Server Data Partition', 16, GROW),
    ]
    assert entries[3]['name'] == 'Root Partition' and entries[3]['attrs'] == GROW
    assert [entry['type'] for entry in entries[:3]] == [
        '0657FD6D-A4AB-43C4-84E5-0933C84B4F4F',
        '933AC7E1-2EB4-4F13-B844-0E14E2AEF915',
        '3B8F8425-20E0-4F3B-907F-1A25A76F98E8',
    ]
    assert len({entry['uuid'] for entry in entries}) == 4

    swap = cut(image, entries[0], small.directory / 'swap')
    assert run('swaplabel', swap).startswith('LABEL: swap\n')
    found = {}
    for entry, place, label in zip(entries[1:], ('home', 'srv', '.'), ('home', 'srv', 'root')):
        path = cut(image, entry, small.directory / 'part')
        run('e2fsck', '-fn', path)
        assert run('e2label', path) == f'{label}\n'
        with mounted(path, small.directory / 'mount', 'loop,ro,noload') as directory:
            part = trees.describe(directory)
            part.pop(b'lost+found')
        if place == '.':
            assert not any(name.startswith((b'home/', b'srv/')) for name in part)
            found |= part
        else:
            prefix = os.fsencode(place)
            found |= {prefix + b'/' + name: value for name, value in part.items() if name != b'.'}
    assert b'home/user/letter' in found and b'srv/www/index.html' in found
    # The mount points have their own times and sizes of directories say nothing.
    assert_is_tree(found, tree, without=(b'.',), links=False)
    small_again = small.build(project, '--force', '--home-size=1M', status=1).stderr
    assert 'HomeSize=1M is too small for the home partition, its content needs' in small_again
    projects.remove_tree(project.directory)


def test_root_that_is_too_small_names_the_biggest_directories(small):
    project = small.project('too-small', '[Partitions]\nRootSize=20M\n')
    said = small.build(project, status=1).stderr
    assert 'RootSize=20M is too small for the root partition, its content needs' in said
    assert 'Its biggest directories are usr/' in said
    assert list(project.directory.glob('image*')) == project.workspaces == []


def test_squashfs(small, tree):
    project = small.project('squashfs')
    small.build(project, '-traw_squashfs', environment={'SOURCE_DATE_EPOCH': EPOCH})
    [entry] = partitions(project.directory / 'image.raw')
    assert entry['attrs'] == READ_ONLY
    path = cut(project.directory / 'image.raw', entry, small.directory / 'root.squashfs')
    assert 'zstd' in run('unsquashfs', '-s', path)
    with mounted(path, small.directory / 'mount', 'loop,ro') as directory:
        assert_is_tree(trees.describe(directory), tree, seconds=True)

    small.build(project, '-tplain_squashfs', '--compress=lz4', environment={'SOURCE_DATE_EPOCH': EPOCH})
    assert 'lz4' in run('unsquashfs', '-s', project.directory / 'image')
    with mounted(project.directory / 'image', small.directory / 'mount', 'loop,ro') as directory:
        assert_is_tree(trees.describe(directory), tree, seconds=True)
    projects.remove_tree(project.directory)


SUBVOLUMES = ['home', 'srv', 'var', 'var/tmp', 'var/lib/machines']


def subvolumes(directory):
    return sorted(line.split(' path ')[1] for line in run('btrfs', 'subvolume', 'list', directory).splitlines())


def test_btrfs(small, tree):
    project = small.project('btrfs', '[Partitions]\nHomeSize=40M\n')
    said = small.build(
        project, '-traw_btrfs', '--compress=zstd:3', '--read-only', environment={'SOURCE_DATE_EPOCH': EPOCH}
    ).stderr
    assert 'HomeSize=40M has no effect in a Format= without a partition for it' in said
    [entry] = partitions(project.directory / 'image.raw')
    assert 'attrs' not in entry
    path = cut(project.directory / 'image.raw', entry, small.directory / 'root.btrfs')
    run('btrfs', 'check', '--check-data-csum', path)
    with mounted(path, small.directory / 'mount', 'loop') as directory:
        assert subvolumes(directory) == sorted(SUBVOLUMES)
        for name in ['.', *SUBVOLUMES]:
            assert run('btrfs', 'property', 'get', directory / name, 'ro') == 'ro=true\n'
            with pytest.raises(OSError):
                (directory / name / 'x').touch()
        found = trees.describe(directory)
    # The tree of btrfs has what its subvolumes need, which a directory does not.
    extra = {os.fsencode(name) for name in SUBVOLUMES} - set(tree)
    assert_is_tree(found, tree, without=(b'var/lib', b'var', b'.', *extra))
    projects.remove_tree(project.directory)


@pytest.mark.parametrize(
    ('words', 'name', 'check'),
    [
        ([], 'image.tar.xz', ['xz', '-t']),
        (['--compress-output=zstd:5'], 'image.tar.zst', ['zstd', '-q', '-t']),
        (['--compress=zlib'], 'image.tar.gz', ['gzip', '-t']),
        (['--xz=no'], 'image.tar', ['true']),
    ],
)
def test_tar(small, tree, words, name, check):
    project = small.project('tar')
    small.build(project, '--format=tar', '--checksum', *words, environment={'SOURCE_DATE_EPOCH': EPOCH})
    path = project.directory / name
    run(*check, path)
    target = project.directory / 'extracted'
    target.mkdir()
    run('tar', '--numeric-owner', '--xattrs', '--xattrs-include=*', '--acls', '-C', target, '-xpf', path)
    assert_is_tree(trees.describe(target), tree)
    run('tar', '-C', target, '-df', path)
    [line] = sums(project.directory)
    assert line == f'{hashlib.sha256(path.read_bytes()).hexdigest()} *{name}'
    projects.remove_tree(project.directory)


@pytest.fixture(scope='module')
def release(small, key):
    """A build with everything that there is."""
    project = small.project('release', files={**FILES, 'mkosi.nspawn': '[Exec]\nBoot=yes\n'})
    words = ['--compress-output=xz', '--sign', '--key=images@example.org', '--bmap', '--manifest']
    environment = {'SOURCE_DATE_EPOCH': EPOCH, 'GNUPGHOME': str(key.home)}
    project.result = small.build(project, *words, environment=environment)
    return project


def test_everything_beside_the_image(release, key):
    names = ['image.raw.xz', 'image.nspawn', 'image.raw.bmap', 'image.manifest']
    made = {path.name for path in release.directory.glob('image*')}
    assert made == set(names)
    assert (release.directory / 'image.nspawn').read_text(encoding='utf-8') == '[Exec]\nBoot=yes\n'
    assert sums(release.directory) == [
        f'{hashlib.sha256((release.directory / name).read_bytes()).hexdigest()} *{name}' for name in names
    ]
    subprocess.run(['sha256sum', '--check', '--strict', 'SHA256SUMS'], cwd=release.directory, check=True)
    run('gpgv', '--keyring', key.ring, release.directory / 'SHA256SUMS.gpg', release.directory / 'SHA256SUMS')
    for name in [*names, 'SHA256SUMS', 'SHA256SUMS.gpg']:
        assert (release.directory / name).stat().st_mode & 0o777 == 0o644
        assert str(release.directory / name) in release.result.stderr


def test_block_map(release, tmp_path):
    """bmaptool finds the map by the name of the compressed image, and writes what the map names."""
    raw, copy = tmp_path / 'raw', tmp_path / 'copy'
    with open(raw, 'wb') as file:
        subprocess.run(['xz', '-dc', release.directory / 'image.raw.xz'], stdout=file, check=True)
    run('bmaptool', 'copy', release.directory / 'image.raw.xz', copy)
    assert filecmp.cmp(raw, copy, shallow=False)
    assert copy.stat().st_blocks * 512 < raw.stat().st_size * 3 / 4


def test_manifest(release):
    manifest = json.loads((release.directory / 'image.manifest').read_text(encoding='utf-8'))
    assert manifest['manifest_version'] == 1 and manifest['time'] == int(EPOCH)
    packages = {package['name']: package for package in manifest['packages']}
    assert packages['dpkg'] == {'name': 'dpkg', 'version': '1', 'architecture': 'amd64'}
    assert [package['name'] for package in manifest['packages']] == sorted(packages)
    assert [artefact['name'] for artefact in manifest['artefacts']] == ['image.raw.xz', 'image.nspawn', 'image.raw.bmap']
    for artefact in manifest['artefacts']:
        content = (release.directory / artefact['name']).read_bytes()
        assert (artefact['size'], artefact['sha256']) == (len(content), hashlib.sha256(content).hexdigest())
    settings = {(entry['section'], entry['name']): entry['values'] for entry in manifest['settings']}
    assert settings['Output', 'CompressOutput'] == ['xz'] and settings['Validation', 'Sign'] == ['yes']

    raw = release.directory / 'manifest.raw'
    with open(raw, 'wb') as file:
        subprocess.run(['xz', '-dc', release.directory / 'image.raw.xz'], stdout=file, check=True)
    table = json.loads(run('sfdisk', '--json', raw))['partitiontable']
    raw.unlink()
    assert manifest['disk']['uuid'] == table['id'].lower()
    [ours], [theirs] = manifest['disk']['partitions'], table['partitions']
    assert (ours['uuid'], ours['type_uuid'], ours['name']) == (
        theirs['uuid'].lower(), theirs['type'].lower(), theirs['name'],
    )  # fmt: skip
    assert (ours['offset'], ours['size']) == (theirs['start'] * SECTOR_SIZE, theirs['size'] * SECTOR_SIZE)


def test_importd_takes_the_image(small, key):
    """systemd's own downloader verifies check sums and signature, and refuses them when they are wrong."""
    project = small.project('import-raw', files={**FILES, 'mkosi.nspawn': '[Exec]\nBoot=yes\n'})
    small.build(project, '--sign', '--format=gpt_squashfs', environment={'GNUPGHOME': str(key.home)})
    with pull_raw(project.directory, 'image.raw', True, key.ring) as result:
        assert result.accepted, result.output
        assert result.image.read_bytes() == (project.directory / 'image.raw').read_bytes()
        assert result.image.with_suffix('.nspawn').read_text(encoding='utf-8') == '[Exec]\nBoot=yes\n'
    path = project.directory / 'SHA256SUMS'
    path.write_bytes(path.read_bytes().replace(b'image.nspawn', b'image.nspawN'))
    with pull_raw(project.directory, 'image.raw', True, key.ring) as result:
        assert not result.accepted
    projects.remove_tree(project.directory)


def test_importd_takes_the_archive(small, key):
    project = small.project('import-tar')
    words = ['--format=tar', '--sign', '--compress=zlib']
    small.build(project, *words, environment={'GNUPGHOME': str(key.home)})
    with pull_tar(project.directory, 'image.tar.gz', True, key.ring) as result:
        assert result.accepted, result.output
        assert (result.image / 'etc/marker').read_text(encoding='utf-8') == 'extra\n'
    projects.remove_tree(project.directory)


def test_qcow2(small):
    project = small.project('qcow2')
    small.build(project, environment={'SOURCE_DATE_EPOCH': EPOCH})
    small.build(project, '--qcow2', '--checksum', environment={'SOURCE_DATE_EPOCH': EPOCH})
    run('qemu-img', 'compare', project.directory / 'image.raw', project.directory / 'image.qcow2')
    assert json.loads(run('qemu-img', 'info', '--output=json', project.directory / 'image.qcow2'))['format'] == 'qcow2'
    [line] = sums(project.directory)
    content = (project.directory / 'image.qcow2').read_bytes()
    assert line == f'{hashlib.sha256(content).hexdigest()} *image.qcow2'
    projects.remove_tree(project.directory)


def test_qcow2_has_no_effect_on_what_is_no_disk(small):
    project = small.project('no-qcow2')
    small.build(project, '-tplain_squashfs', '--qcow2')
    run('unsquashfs', '-s', project.directory / 'image')
    projects.remove_tree(project.directory)


def test_raw_image_with_check_sums(small):
    """Holes count as the zeros that they read as."""
    project = small.project('raw-sums')
    small.build(project, '--checksum', '--root-size=600M')
    subprocess.run(['sha256sum', '--check', '--strict', 'SHA256SUMS'], cwd=project.directory, check=True)
    projects.remove_tree(project.directory)


def test_results_of_earlier_builds(small):
    """What would be in the way is refused before anything is built; what is no longer true goes with the old image."""
    project = small.project('earlier')
    for name in ('image.roothash', 'image.manifest'):
        project.write(name, 'old\n')
    project.write('SHA256SUMS', f'{"0" * 64} *image.raw\n')
    project.write('SHA256SUMS.gpg', 'old\n')
    said = small.build(project, '--checksum', status=1).stderr
    assert 'SHA256SUMS exists already: use --force to replace it' in said and '‣' not in said
    small.build(project, '--force')
    assert sorted(path.name for path in project.directory.iterdir()) == ['image.raw', 'mkosi.default', 'mkosi.extra']

    small.build(project, '--force', '--checksum', '--manifest')
    said = small.build(project, 'clean').stderr
    assert 'image.manifest' in said and 'SHA256SUMS' in said
    assert sorted(path.name for path in project.directory.iterdir()) == ['mkosi.default', 'mkosi.extra']
    projects.remove_tree(project.directory)


@pytest.fixture
def btrfs_directory(tmp_path):
    """A file system of btrfs, mounted."""
    disk = tmp_path / 'disk'
    with open(disk, 'wb') as file:
        file.truncate(4096 * MIB)
    run('mkfs.btrfs', '--quiet', disk)
    with mounted(disk, tmp_path / 'mounted', 'loop') as directory:
        yield directory


def test_subvolume(small, tree, btrfs_directory):
    project = small.project('subvolume', f'[Output]\nFormat=subvolume\nOutput={btrfs_directory}/out/image\n')
    environment = {'SOURCE_DATE_EPOCH': EPOCH}
    (btrfs_directory / 'out').mkdir()
    for words in (['--read-only'], ['--force', '--read-only'], ['--force']):
        small.build(project, *words, environment=environment)
        assert subvolumes(btrfs_directory) == sorted(f'out/image{name}' for name in ['', *(f'/{s}' for s in SUBVOLUMES)])
        read_only = 'ro=true\n' if '--read-only' in words else 'ro=false\n'
        for name in ['.', *SUBVOLUMES]:
            assert run('btrfs', 'property', 'get', btrfs_directory / 'out/image' / name, 'ro') == read_only
    found = trees.describe(btrfs_directory / 'out/image')
    extra = {os.fsencode(name) for name in SUBVOLUMES} - set(tree)
    assert_is_tree(found, tree, without=(b'var/lib', b'var', b'.', *extra))

    small.build(project, '--force', '--read-only')
    small.build(project, 'clean')
    assert subvolumes(btrfs_directory) == [] and list((btrfs_directory / 'out').iterdir()) == []


def test_subvolume_elsewhere_is_refused_at_once(small):
    with tmpfs(small, 10) as directory:
        project = small.project('no-subvolume', f'[Output]\nFormat=subvolume\nOutput={directory}/image\n')
        said = small.build(project, status=1).stderr
    assert f'Format=subvolume needs a btrfs file system, and {directory} is on another one' in said
    assert '‣' not in said


# The tree alone takes 36 MiB of the disk; images of it are made until there is room for them.
@pytest.mark.parametrize(
    ('words', 'sizes'),
    [
        (['-tgpt_ext4', '--compress-output=zstd'], (20, 38, 44, 60, 72)),
        (['-tgpt_btrfs'], (38, 42, 60)),
        (['-tgpt_squashfs', '--checksum', '--manifest'], (38, 40, 44)),
        (['-ttar', '--xz=no'], (38, 42, 60)),
    ],
    ids=lambda value: value[0] if isinstance(value[0], str) else 'sizes',
)
def test_disk_full(small, words, sizes):
    """At whatever moment the disk is full: it is said, and nothing is left behind."""
    for size in sizes:
        with tmpfs(small, size) as directory:
            project = small.project('full')
            said = small.build(project, *words, '-O', directory, status=1).stderr
            assert 'error: ' in said and ('No space left on device' in said or 'no space is left' in said), said
            assert list(directory.iterdir()) == [], said
    projects.remove_tree(project.directory)


@pytest.mark.parametrize(
    ('words', 'expected'),
    [
        (['-tgpt_squashfs', '--compress=zstd:99'], 'Compress=zstd:99: '),
        (['-tgpt_btrfs', '--compress=xz'], 'Compress=xz: btrfs file systems compress by '),
        (['--compress-output=gzip:10'], 'CompressOutput=gzip:10: the levels are 1 to 9'),
        (['--sign', '--key=nobody@example.org'], 'Key=nobody@example.org: GnuPG has no such secret key'),
        (['-tgpt_xfs'], 'an xfs file system cannot be filled without mounting it'),
        (['-ttar', '--compress=lz4'], 'Compress=lz4 is nothing for archives'),
        (['--json-progress=77'], '--json-progress=77 is no open file descriptor'),
    ],
)
def test_what_cannot_be_is_refused_at_once(small, key, words, expected):
    project = small.project('refused')
    said = small.build(project, *words, status=1, environment={'GNUPGHOME': str(key.home)}).stderr
    assert expected in said and '‣' not in said
    assert list(project.directory.glob('image*')) == project.workspaces == []


def test_quiet(small):
    project = small.project('quiet')
    said = small.build(project, '--quiet')
    assert not said.stdout and all('warning: The mirror has no suite' in line for line in said.stderr.splitlines())
    projects.remove_tree(project.directory)


def test_progress_for_programs(small):
    """One object per line: steps in their order, amounts in between, and what came out of it."""
    project = small.project('json')
    command = ['sh', '-c', 'exec "$@" 7>progress.json', 'sh']
    # With the real debootstrap, which tells what it unpacks.
    project.run(
        '--quiet', '--json-progress=7', '-ttar', '--xz=no', '--checksum',
        wrapper=[*small.distribution.wrapper, *command],
    )  # fmt: skip
    lines = (project.directory / 'progress.json').read_text(encoding='utf-8').splitlines()
    events = [json.loads(line) for line in lines]
    steps = [event['step'] for event in events if event['event'] == 'step-begin']
    assert steps[0] == 'workspace' and steps[-3:] == ['archive', 'checksums', 'publish']
    ends = [(event['step'], event['success']) for event in events if event['event'] == 'step-end']
    assert ends == [(step, True) for step in steps]
    amounts = [event for event in events if event['event'] == 'progress' and 'total' in event]
    assert any(event['unit'] == 'items' and event['step'] in ('bootstrap', 'packages') for event in amounts)
    assert events[-1]['event'] == 'result'
    [image, checksums] = events[-1]['artefacts']
    assert Path(image['path']).name == 'image.tar' and image['sha256'] == sums(project.directory)[0][:64]
    assert checksums['kind'] == 'checksums'
    projects.remove_tree(project.directory)


def test_reader_of_progress_may_go_away(small):
    project = small.project('deaf')
    command = ['bash', '-c', 'exec 7> >(exec 0<&-; exit 0); exec "$@"', 'bash']
    project.run('--quiet', '--json-progress=7', '-tdirectory', wrapper=[*small.wrapper, *command])
    assert (project.directory / 'image/etc/marker').exists()
    projects.remove_tree(project.directory)


FORMATS = [
    ['-tgpt_ext4', '--swap-size=1M', '--home-size=20M', '--bmap'],
    ['-tgpt_ext4', '--compress-output=zstd'],
    ['-tgpt_btrfs'],
    ['-tgpt_btrfs', '--compress=zstd', '--read-only'],
    ['-tgpt_squashfs', '--compress-output=gzip'],
    ['-tplain_squashfs', '--compress=xz'],
    ['-ttar'],
    ['-ttar', '--compress=zstd'],
]


@pytest.mark.parametrize('words', FORMATS, ids=lambda words: ' '.join(words))
def test_same_bytes(small, words):
    """Built twice, under another directory, umask, time zone, locale, home and number of processors."""
    environments = [
        (['sh', '-c', 'umask 022; exec "$@"', 'sh'], {'TZ': 'UTC', 'LC_ALL': 'C'}),
        (
            ['sh', '-c', 'umask 077; exec taskset 1 "$@"', 'sh'],
            {'TZ': 'Asia/Kathmandu', 'LC_ALL': 'tr_TR.UTF-8', 'HOME': '/nonexistent'},
        ),
    ]
    built = []
    for name, (wrapper, changes) in zip(('same', 'the/same/elsewhere'), environments):
        project = small.project(name)
        project.run(
            *words, '--checksum', '--manifest', wrapper=[*small.wrapper, *wrapper],
            environment={'SOURCE_DATE_EPOCH': EPOCH, **changes},
        )  # fmt: skip
        built.append(project)
    one, two = (
        {path.name: path for path in project.directory.iterdir() if path.is_file() and path.name != 'mkosi.default'}
        for project in built
    )
    assert set(one) == set(two) and len(one) >= 3
    different = [name for name in one if not filecmp.cmp(one[name], two[name], shallow=False)]
    assert different == []
    for project in built:
        projects.remove_tree(project.directory)


def test_same_directory(small, tree):
    project = small.project('again')
    small.build(project, '--format=directory', environment={'SOURCE_DATE_EPOCH': EPOCH, 'TZ': 'Asia/Kathmandu'})
    trees.assert_same(tree, trees.describe(project.directory / 'image'))
    projects.remove_tree(project.directory)
