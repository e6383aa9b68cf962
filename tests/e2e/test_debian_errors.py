# SPDX-License-Identifier: LGPL-2.1-or-later
"""Everything that goes wrong while Debian is installed has one message that says what, why and what to do."""

import re

import aptrepo
import project as projects
import pytest

KEY_RING = '/usr/share/keyrings/debian-archive-keyring.gpg'
NOTHING_LISTENS = 'http://127.0.0.1:9/debian'

FAILING = aptrepo.Package('failing', scripts={'postinst': '#!/bin/sh\necho the reason is tea >&2\nexit 3\n'})
CONFLICTING = [aptrepo.Package('left', Conflicts='right'), aptrepo.Package('right')]
ALTERED = aptrepo.Package('altered', {'usr/share/altered': 'what was meant'})
BIG = aptrepo.Package('big', {'usr/share/big': bytes(96 << 20)})


@pytest.fixture(scope='module')
def key():
    key = aptrepo.Key()
    yield key
    key.close()


@pytest.fixture(scope='module')
def repository(root_user, key, tmp_path_factory):
    """The fixture's packages, and some that no one should install. Its key ring lies beside it."""
    directory = tmp_path_factory.mktemp('repository')
    packages = [*aptrepo.working_packages(key.ring), FAILING, *CONFLICTING, ALTERED, BIG]
    repository = aptrepo.Repository(directory, key, packages)
    (directory / 'ring.gpg').write_bytes(key.ring)
    deb = repository.deb('altered')
    deb.write_bytes(deb.read_bytes().replace(b'what was meant', b'what was faked'))
    yield repository
    projects.remove_tree(directory)


@pytest.fixture
def small_repository(root_user, key, tmp_path):
    """One to be damaged: nothing is ever installed from it."""
    repository = aptrepo.Repository(tmp_path / 'small', key, [aptrepo.Package('alone')])
    (tmp_path / 'small/ring.gpg').write_bytes(key.ring)
    return repository


@pytest.fixture
def build(mkosi, project_directory):
    """Builds from a mirror, with its key ring in the place of the host's and whatever else is to be mounted first in a mount
    namespace of its own; answers what mkosi said."""

    def run(mirror, *arguments, release=aptrepo.SUITE, mounts=(), trusted=True):
        url = getattr(mirror, 'url', mirror)
        if trusted and mirror is not url:
            mounts = [('--bind', mirror.path.parent / 'ring.gpg', KEY_RING), *mounts]
        settings = f'[Distribution]\nDistribution=debian\nRelease={release}\nMirror={url}\n'
        project = projects.Project(project_directory, mkosi, settings)
        wrapper = ['unshare', '--mount', 'sh', '-ec']
        wrapper.append(''.join(f'mount {" ".join(map(str, words))}; ' for words in mounts) + 'exec "$@"')
        said = project.run(*arguments, status=1, wrapper=[*wrapper, 'sh'])
        assert not (project.directory / 'image.raw').exists()
        assert project.workspaces == []
        return said.stderr

    return run


def errors(said):
    return re.findall(r'^mkosi: error: (.*)$', said, re.MULTILINE)


def expect(said, *texts):
    """Exactly one error, with all the texts in it."""
    [error] = errors(said)
    for text in texts:
        assert text in error, said


def test_unknown_release(build, small_repository):
    said = build(small_repository, release='nosuch')
    expect(said, 'Debian "nosuch"', 'the mirror has no such release, check Release= and Mirror=', small_repository.url)


def test_release_that_is_no_name(build, small_repository):
    assert 'Release=../nosuch is no name of a release' in build(small_repository, release='../nosuch')


def test_unreachable_mirror(build, root_user):
    said = build(NOTHING_LISTENS)
    expect(said, NOTHING_LISTENS, 'the mirror cannot be reached, check Mirror= and the network', 'Connection refused')


def test_mirror_without_name(build, root_user):
    expect(build('http://nosuch.invalid/debian'), 'the mirror cannot be reached', 'nosuch.invalid')


def test_mirror_that_is_no_directory(build, root_user):
    assert 'Mirror=file:///nonexistent is not a directory' in build('file:///nonexistent')


def test_key_that_is_not_trusted(build, small_repository):
    expect(build(small_repository, trusted=False), 'not signed by a key that is trusted', 'unknown key')


def test_bad_signature(build, small_repository):
    release = small_repository.suite / 'InRelease'
    release.write_text(release.read_text().replace('Origin: Debian fixture', 'Origin: elsewhere'))
    expect(build(small_repository), 'signature is bad', 'Invalid Release signature')


def test_archive_without_signature(build, small_repository):
    for name in ('InRelease', 'Release.gpg'):
        (small_repository.suite / name).unlink()
    expect(build(small_repository), 'the archive is not signed')


def test_archive_without_needed_packages(build, small_repository):
    expect(build(small_repository), 'the mirror lacks packages that every image needs', 'systemd-sysv')


def test_unknown_component(build, repository):
    expect(build(repository, '--repositories=main,nosuch'), 'no such component, check Repositories=', "'nosuch'")


def test_unknown_package(build, repository):
    said = build(repository, '--package=nosuch')
    expect(said, 'the release has no such package, check Packages=', 'Unable to locate package nosuch')


def test_package_that_fails_to_install(build, repository):
    said = build(repository, '--package=failing')
    expect(said, 'a package failed to install', 'dpkg: error processing package failing')
    assert 'the reason is tea' in said and 'exit status 3' in said


def test_packages_that_contradict_each_other(build, repository):
    said = build(repository, '--package=left', '--package=right')
    expect(said, 'packages contradict each other, check Packages=')
    assert 'left : Conflicts: right' in said


def test_altered_package(build, repository):
    expect(build(repository, '--package=altered'), 'the mirror changed while it was read or is damaged')


@pytest.mark.parametrize('size', ['8m', '110m'], ids=['base system', 'packages'])
def test_full_disk(build, repository, project_directory, size):
    output = project_directory / 'small'
    output.mkdir()
    mounts = [(f'-t tmpfs -o size={size} none', output)]
    expect(build(repository, f'--output-dir={output}', '--package=big', mounts=mounts), 'no space is left on the disk')


def test_missing_programs_and_keys_are_named_at_once(build, small_repository):
    mounts = [
        ('--bind', '/dev/null', '/usr/sbin/debootstrap'),
        ('--bind', '/dev/null', '/usr/bin/gpgv'),
        ('-t tmpfs none', '/usr/share/keyrings'),
    ]
    said = build(small_repository, mounts=mounts, trusted=False)
    for text in (
        'debootstrap is missing, install package debootstrap',
        'gpgv is missing, install package gpgv',
        f'{KEY_RING} is missing, install package debian-archive-keyring',
    ):
        assert text in said, said
