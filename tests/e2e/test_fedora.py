# SPDX-License-Identifier: LGPL-2.1-or-later
"""Fedora, installed by dnf from a signed repository that is made here (see rpmrepo.py): what is in the tree, what is not
touched on the host, and what is said when something goes wrong."""

import functools
import hashlib
import http.server
import json
import os
import platform
import re
import subprocess
import threading
from pathlib import Path

import aptrepo
import guest
import project as projects
import pytest
import rpmrepo
import small

PROBE = 'exec >/usr/share/probe\necho "bypass=$KERNEL_INSTALL_BYPASS"\ntouch /run/left /tmp/left /dev/left\n'
PACKAGES = [
    rpmrepo.Package('probe', {'usr/share': None}, scripts={'post': PROBE}, Requires='coreutils'),
    rpmrepo.Package('failing', scripts={'post': 'exit 3'}, Requires='coreutils'),
    rpmrepo.Package('broken', Requires='nothing-that-is-there'),
    rpmrepo.Package(
        'documented', {'usr/share/doc/documented': 'long'}, docs=('usr/share/doc/documented',), Recommends='newer',
    ),  # fmt: skip
    rpmrepo.Package('altered', {'usr/lib/altered': 'what was meant'}),
]
HOST_PLACES = ('/etc', '/var/lib/rpm', '/var/lib/dnf', '/var/cache/dnf', '/root/.rpmdb', '/root/.gnupg')


class Mirror:
    def __init__(self, directory):
        keys = [aptrepo.Key(rpmrepo.ALGORITHM) for _ in range(2)]
        self.repository = rpmrepo.Repository(
            directory, keys[0], [*rpmrepo.working_packages(), *PACKAGES],
            updates=[rpmrepo.Package('newer', version='2')], unsigned=[rpmrepo.Package('unsigned')],
            foreign=[rpmrepo.Package('foreign')], foreign_key=keys[1],
        )  # fmt: skip
        self.keys = [directory / f'key{i}.asc' for i in range(2)]
        for path, key in zip(self.keys, keys):
            path.write_bytes(key.gpg('--armor', '--export'))
            key.close()
        rpm = self.repository.rpm('altered')
        rpm.write_bytes(rpm.read_bytes().replace(b'what was meant', b'what was faked'))


@pytest.fixture(scope='module')
def mirror(root_user, tmp_path_factory):
    directory = tmp_path_factory.mktemp('fedora')
    yield Mirror(directory)
    projects.remove_tree(directory)


@pytest.fixture
def project(mkosi, mirror, project_directory):
    def make(url=None, key=0, release=rpmrepo.RELEASE, output=''):
        settings = (
            f'[Distribution]\nDistribution=fedora\nRelease={release}\nMirror={url or mirror.repository.url}\n'
            f'RepositoryKeys={mirror.keys[key]}\n[Output]\n{output}'
        )
        return projects.Project(project_directory, mkosi, settings)

    return make


def fingerprint(place):
    result = {}
    for directory, _, names in os.walk(place):
        for name in names:
            path = os.path.join(directory, name)
            status = os.lstat(path)
            content = Path(path).read_bytes() if os.path.isfile(path) and not os.path.islink(path) else b''
            result[path] = (status.st_mode, status.st_mtime_ns, hashlib.sha256(content).digest())
    return result


def installed(tree):
    command = ['rpm', '--root', str(tree), '--dbpath', '/usr/lib/sysimage/rpm', '-qa']
    listed = subprocess.run(
        [*command, '--queryformat', '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\n'], check=True, capture_output=True,
        text=True, env=projects.clean_environment(HOME='/nonexistent'),
    ).stdout  # fmt: skip
    return sorted(line for line in listed.splitlines() if not line.startswith('gpg-pubkey '))


def test_tree(project, project_directory):
    before = {place: fingerprint(place) for place in HOST_PLACES}
    build = project(output='Format=directory\nManifest=yes\n')
    build.run('--package=probe', '--package=newer')
    tree = project_directory / 'image'
    assert before == {place: fingerprint(place) for place in HOST_PLACES}

    assert (tree / 'usr/share/probe').read_text() == 'bypass=1\n'
    for place in ('run', 'tmp', 'dev', 'proc', 'sys'):
        assert list((tree / place).iterdir()) == []
    assert not (tree / 'var/lib/dnf').exists()
    assert not (tree / 'root/.rpmdb').exists()
    manifest = json.loads((project_directory / 'image.manifest').read_text())
    told = [f'{p["name"]} {p["version"]} {p["architecture"]}' for p in manifest['packages']]
    assert 'newer 2-1 x86_64' in told and sorted(told) == installed(tree)


def test_disk_and_incremental(project, project_directory):
    build = project()
    build.run('-i')
    before = (project_directory / 'image.raw').stat().st_ino
    build.run('-i', '-f', '--package=newer')
    assert (project_directory / 'image.raw').stat().st_ino != before
    subprocess.run(['sfdisk', '--verify', project_directory / 'image.raw'], check=True, capture_output=True)


def test_foreign(mkosi, root_user, tmp_path, project_directory):
    """dnf and rpm take packages for another machine, and run their scripts."""
    other = {'x86_64': ('arm64', 'aarch64')}.get(platform.machine(), ('x86-64', 'x86_64'))
    key = aptrepo.Key(rpmrepo.ALGORITHM)
    (tmp_path / 'key.asc').write_bytes(key.gpg('--armor', '--export'))
    probe = rpmrepo.Package(
        'probe', {'usr/share': None}, scripts={'post': 'id -u >/usr/share/probe\n'}, Requires='coreutils'
    )
    repository = rpmrepo.Repository(tmp_path, key, [*rpmrepo.working_packages(), probe], machine=other[1])
    key.close()
    settings = (
        f'[Distribution]\nDistribution=fedora\nRelease={rpmrepo.RELEASE}\nMirror={repository.url}\n'
        f'RepositoryKeys={tmp_path}/key.asc\nArchitecture={other[0]}\n[Output]\nFormat=directory\n'
    )
    build = projects.Project(project_directory, mkosi, settings)
    # What is removed leaves a mark in an overlay, which is a device node.
    build.write('mkosi.build', '#!/bin/sh -e\nrm /usr/bin/env\ncat /usr/share/probe >"$DESTDIR/built"\n', mode=0o755)
    build.run('--package=probe')
    tree = project_directory / 'image'
    packages = installed(tree)
    assert f'coreutils 1-1 {other[1]}' in packages
    assert {line.split()[2] for line in packages} == {other[1], 'noarch'}
    assert (tree / 'built').read_text() == (tree / 'usr/share/probe').read_text() == '0\n'
    assert (tree / 'usr/bin/env').exists()


CASES = {
    'unknown package': (('--package=nosuch',), {}, 'the release has no such package', 'nosuch'),
    'unmet dependency': (('--package=broken',), {}, 'packages contradict each other', 'nothing provides'),
    'unsigned': (('--package=unsigned',), {}, 'not signed', 'unsigned'),
    'foreign key': (('--package=foreign',), {}, 'not signed by a key that is trusted', ''),
    'other key': ((), {'key': 1}, 'signature', ''),
    'altered': (('--package=altered',), {}, 'is damaged', 'altered'),
    'unreachable': ((), {'url': 'http://127.0.0.1:9/fedora'}, 'the mirror cannot be reached', ''),
    'release': ((), {'release': '45'}, 'the mirror has no such release', ''),
    'repository': (('--repositories=main',), {}, 'Repositories=main is no repository of Fedora', ''),
}


@pytest.mark.parametrize('name', CASES)
def test_error(project, project_directory, name):
    arguments, settings, *texts = CASES[name]
    said = project(**settings).run(*arguments, status=1).stderr
    [error] = re.findall(r'^mkosi: error: (.*)$', said, re.MULTILINE)
    for text in texts:
        assert text in error, said
    assert not (project_directory / 'image.raw').exists()


@pytest.fixture
def server(mirror):
    """A server of the mirror that can be ended."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=mirror.repository.path.parent)
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


def test_cache_needs_no_network(project, project_directory, server):
    build = project(url=f'http://127.0.0.1:{server.server_port}/fedora', output='Format=directory\n')
    build.run('--cache=cache')
    server.shutdown()
    server.socket.close()
    build.run('--cache=cache', '--force', '--package=filesystem')
    assert list(project_directory.glob('cache/*/packages/*.rpm'))


def test_failing_script_is_a_warning(project):
    said = project(output='Format=directory\n').run('--package=failing').stderr
    assert 'Installed, but a script of a package failed' in said and 'failing-1-1' in said and 'exit status 3' in said


def test_without_docs_and_weak_dependencies(project, project_directory):
    project(output='Format=directory\n').run('--package=documented')
    assert not (project_directory / 'image/usr/share/doc/documented').exists()
    assert not any(line.startswith('newer ') for line in installed(project_directory / 'image'))


def test_unsigned_index(project, mirror):
    signature = mirror.repository.updates / 'repodata/repomd.xml.asc'
    kept = signature.read_bytes()
    signature.write_bytes((mirror.repository.release / 'repodata/repomd.xml.asc').read_bytes())
    try:
        assert 'signature is bad' in project().run(status=1).stderr
    finally:
        signature.write_bytes(kept)


def test_full_disk(project, project_directory):
    output = project_directory / 'small'
    output.mkdir()
    wrapper = ['unshare', '--mount', 'sh', '-ec', f'mount -t tmpfs -o size=6m none {output}; exec "$@"', 'sh']
    said = project().run(f'--output-dir={output}', status=1, wrapper=wrapper).stderr
    assert 'no space is left on the disk' in said, said


def test_bootable_disk(mkosi, root_user, project_directory, tmp_path):
    """A kernel and what dracut of the tree makes become a unified kernel."""
    key = aptrepo.Key(rpmrepo.ALGORITHM)
    packages = rpmrepo.boot_packages(guest.kernel(), guest.make_initrd(tmp_path), tmp_path)
    repository = rpmrepo.Repository(tmp_path / 'repository', key, [*rpmrepo.working_packages(), *packages])
    (tmp_path / 'key.asc').write_bytes(key.gpg('--armor', '--export'))
    key.close()
    settings = (
        f'[Distribution]\nDistribution=fedora\nRelease={rpmrepo.RELEASE}\nMirror={repository.url}\n'
        f'RepositoryKeys={tmp_path}/key.asc\n[Output]\nBootable=yes\n'
    )
    projects.Project(project_directory, mkosi, settings).run()
    tree = small.esp(project_directory / 'image.raw', tmp_path)
    assert [path for path in small.programs(tree) if path.name.startswith('linux-')]
    projects.remove_tree(repository.path)
