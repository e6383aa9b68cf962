# SPDX-License-Identifier: LGPL-2.1-or-later
"""Ubuntu by the real debootstrap and apt: the tree, where it is fetched from, whose signatures are believed, and what is
said when something is not there. The archive is one of aptrepo.py, with Ubuntu's suites and components."""

import functools
import http.server
import json
import os
import re
import threading

import aptrepo
import guest
import project as projects
import pytest
import small

ARCHIVE = aptrepo.UBUNTU
NOTHING_LISTENS = 'http://127.0.0.1:9/ubuntu'

BASE = aptrepo.Package('tea', {'usr/share/tea': 'as released\n'})
UPDATED = aptrepo.Package('tea', {'usr/share/tea': 'as updated\n'}, version='2')
SECURED = aptrepo.Package('milk', {'usr/share/milk': 'without germs\n'}, version='3')
UNIVERSE = aptrepo.Package('biscuit', {'usr/share/biscuit': 'round\n'}, component='universe')


class Handler(http.server.SimpleHTTPRequestHandler):
    """Notes who asked."""

    agents = set()

    def log_message(self, format, *arguments):
        self.agents.add(re.split(r'[/ ]', self.headers.get('User-Agent', ''))[0])


@pytest.fixture(scope='module')
def key():
    key = aptrepo.Key()
    yield key
    key.close()


@pytest.fixture(scope='module')
def repository(root_user, key, tmp_path_factory):
    """A release with updates, with what boots it in the components where Ubuntu has it. Its key ring lies beside it."""
    directory = tmp_path_factory.mktemp('ubuntu')
    initrd = guest.make_initrd(tmp_path_factory.mktemp('initrd'))
    boot_packages = aptrepo.boot_packages(guest.kernel(), initrd, directory, ARCHIVE)
    for package in boot_packages:
        if package.name in ('dracut', 'systemd-boot'):
            package.component = 'universe'
    repository = aptrepo.Repository(
        directory, key, [*aptrepo.working_packages(key.ring, ARCHIVE), *boot_packages, BASE, UNIVERSE],
        archive=ARCHIVE, pockets={'updates': [UPDATED], 'security': [SECURED]},
    )  # fmt: skip
    (directory / 'ring.gpg').write_bytes(key.ring)
    yield repository
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def server(repository):
    """The same archive by HTTP."""
    handler = functools.partial(Handler, directory=repository.path.parent)
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f'http://127.0.0.1:{server.server_port}/{ARCHIVE.name}'
        server.shutdown()
        thread.join()


@pytest.fixture
def small_repository(root_user, key, tmp_path):
    """One to be damaged: nothing is ever installed from it."""
    repository = aptrepo.Repository(tmp_path / 'small', key, [BASE], archive=ARCHIVE)
    (tmp_path / 'small/ring.gpg').write_bytes(key.ring)
    return repository


def with_key_ring(ring):
    """Runs the rest of the command line where the file stands in for the key ring of Ubuntu, which this machine need not have;
    None: where there is none at all."""
    script = 'mount -t tmpfs none /usr/share/keyrings; '
    if ring:
        script += f'cp {ring} {ARCHIVE.key_ring}; '
    return ['unshare', '--mount', '--propagation=private', 'sh', '-ec', script + 'exec "$@"', 'sh']


@pytest.fixture
def project(mkosi, project_directory):
    return lambda mirror: projects.Project(project_directory, mkosi, ARCHIVE.settings(mirror))


@pytest.fixture
def refuse(project, repository):
    """Builds in vain, and answers the only error."""

    def run(mirror, *arguments, ring=repository.path.parent / 'ring.gpg'):
        built = project(mirror)
        said = built.run(*arguments, status=1, wrapper=with_key_ring(ring)).stderr
        assert sorted(path.name for path in built.directory.iterdir()) == ['mkosi.default']
        [error] = re.findall(r'^mkosi: error: (.*)$', said, re.MULTILINE)
        return error

    return run


def dpkg_list(tree):
    command = ['dpkg-query', f'--admindir={tree}/var/lib/dpkg', '--show', '--showformat=${Package} ${Version}\\n']
    return small.run(*command).splitlines()


@pytest.mark.parametrize('how', ['directory', 'server'])
def test_tree(project, repository, server, how):
    mirror = repository.url if how == 'directory' else server
    Handler.agents.clear()
    built = project(mirror)
    words = ['--format=directory', '--manifest', '--package=tea', '--package=milk', '--with-docs']
    built.run(
        *words, wrapper=with_key_ring(repository.path.parent / 'ring.gpg'), environment={'no_proxy': '127.0.0.1'}
    )
    tree = built.directory / 'image'

    assert (tree / 'usr/lib/os-release').read_text().startswith('ID=ubuntu\n')
    # From the release's updates, and from its security updates, which lie in every mirror.
    assert (tree / 'usr/share/tea').read_text() == 'as updated\n'
    assert (tree / 'usr/share/milk').read_text() == 'without germs\n'

    manifest = json.loads((built.directory / 'image.manifest').read_text())
    listed = [f'{package["name"]} {package["version"]}' for package in manifest['packages']]
    assert listed == sorted(dpkg_list(tree)) and 'tea 2' in listed
    settings = {entry['name']: entry['values'] for entry in manifest['settings']}
    assert settings['Distribution'] == ['ubuntu'] and settings['Repositories'] == ['main']

    sources = tree / 'etc/apt/sources.list.d'
    assert [path.name for path in sources.iterdir()] == ['ubuntu.sources']
    assert not (tree / 'etc/apt/sources.list').exists()
    text = (sources / 'ubuntu.sources').read_text()
    tail = f'Components: main\nSigned-By: {ARCHIVE.key_ring}\n'
    if how == 'server':
        suites = 'resolute resolute-updates resolute-security'
        assert text == f'Types: deb\nURIs: {server}\nSuites: {suites}\n{tail}'
        assert 'Wget' in Handler.agents and 'Debian' in Handler.agents, 'debootstrap and apt both fetched from it'
    else:
        # Those of Ubuntu itself: a directory of the building machine is of no use elsewhere.
        assert text == (
            f'Types: deb\nURIs: http://archive.ubuntu.com/ubuntu\nSuites: resolute resolute-updates\n{tail}\n'
            f'Types: deb\nURIs: http://security.ubuntu.com/ubuntu\nSuites: resolute-security\n{tail}'
        )
    assert (tree / ARCHIVE.key_ring[1:]).exists()


def test_bootable_image(project, repository):
    """What boots it is looked for in universe as well, without a word about that."""
    built = project(repository.url)
    built.run('--bootable', '--manifest', wrapper=with_key_ring(repository.path.parent / 'ring.gpg'))
    image = built.directory / 'image.raw'

    assert [entry['name'] for entry in small.partitions(image)] == ['ESP System Partition', 'Root Partition']
    names = [path.relative_to(built.directory).as_posix() for path in small.programs(small.esp(image, built.directory))]
    assert any(re.fullmatch(r'image\.esp/EFI/Linux/.*\.efi', name) for name in names), names
    assert any(name.lower().endswith('boot/bootx64.efi') for name in names), names
    packages = {entry['name'] for entry in json.loads((built.directory / 'image.manifest').read_text())['packages']}
    assert packages >= {'linux-image-generic', 'dracut', 'systemd-boot', 'systemd-boot-efi'}


def test_component_that_is_not_asked_for(refuse, repository):
    assert 'Unable to locate package biscuit' in refuse(repository.url, '--package=biscuit')


def test_component_that_is_asked_for(project, repository):
    built = project(repository.url)
    built.run(
        '--format=directory', '--repositories=main,universe', '--package=biscuit',
        wrapper=with_key_ring(repository.path.parent / 'ring.gpg'),
    )  # fmt: skip
    assert (built.directory / 'image/usr/share/biscuit').read_text() == 'round\n'


def test_key_ring_that_is_missing(refuse, repository):
    error = refuse(repository.url, ring=None)
    assert f'{ARCHIVE.key_ring} is missing, install package ubuntu-keyring or ubuntu-archive-keyring' in error


def test_key_that_is_not_trusted(refuse, repository, tmp_path):
    other = aptrepo.Key()
    (tmp_path / 'other.gpg').write_bytes(other.ring)
    other.close()
    error = refuse(repository.url, ring=tmp_path / 'other.gpg')
    assert 'install Ubuntu "resolute"' in error and 'not signed by a key that is trusted' in error


def test_bad_signature(refuse, small_repository):
    release = small_repository.suite / 'InRelease'
    release.write_text(release.read_text().replace('Origin: Ubuntu', 'Origin: Debian'))
    assert "the archive's signature is bad" in refuse(small_repository.url)


def test_archive_without_signature(refuse, small_repository):
    for name in ('InRelease', 'Release.gpg'):
        (small_repository.suite / name).unlink()
    assert 'the archive is not signed' in refuse(small_repository.url)


@pytest.mark.parametrize(
    'arguments,expected',
    [
        (['--release=yakkety'], 'the mirror has no such release, check Release= and Mirror='),
        (['--mirror', NOTHING_LISTENS], 'the mirror cannot be reached, check Mirror= and the network'),
        (['--package=nosuch'], 'the release has no such package, check Packages= and Repositories='),
        (['--repositories=main,nosuch'], 'the release has no such component, check Repositories='),
    ],
    ids=['release', 'mirror', 'package', 'component'],
)
def test_errors(refuse, repository, arguments, expected):
    assert expected in refuse(repository.url, *arguments)


def test_debootstrap_does_not_know_the_release():
    """Else the substitute for its script would not have been tested."""
    assert not os.path.exists(f'/usr/share/debootstrap/scripts/{ARCHIVE.suite}')
