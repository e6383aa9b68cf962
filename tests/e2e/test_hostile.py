# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds from odd places and with odd files. Offline, on the small distribution of aptrepo.py."""

import json
import os
import re
import stat
import subprocess

import aptrepo
import project as projects
import pytest

KEY_RING = '/usr/share/keyrings/debian-archive-keyring.gpg'
SHADOW = 'root:*:19000:0:99999:7:::\n'
PASSWORD = 'tea-and-biscuits'


@pytest.fixture(scope='module')
def repository(root_user, tmp_path_factory):
    directory = tmp_path_factory.mktemp('repository')
    key = aptrepo.Key()
    repository = aptrepo.Repository(directory, key, aptrepo.working_packages(key.ring))
    (directory / 'ring.gpg').write_bytes(key.ring)
    key.close()
    yield repository
    projects.remove_tree(directory)


@pytest.fixture
def project(mkosi, repository, project_directory):
    settings = f'[Distribution]\nDistribution=debian\nRelease={aptrepo.SUITE}\nMirror={repository.url}\n'
    return projects.Project(project_directory, mkosi, settings)


@pytest.fixture
def build(project, repository):
    """Builds with the repository's key ring in the place of the host's, and runs a line of shell before that."""

    def run(*arguments, before='', **options):
        mount = f'mount --bind {repository.path.parent}/ring.gpg {KEY_RING}; {before}'
        wrapper = ['unshare', '--mount', 'sh', '-ec', f'{mount}\nexec "$@"', 'sh']
        return project.run(*arguments, wrapper=wrapper, **options)

    return run


def test_debug_shows_commands_but_no_secret(project, build):
    project.write('mkosi.extra/etc/shadow', SHADOW, mode=0o600)
    said = build('--format=directory', '--debug', f'--password={PASSWORD}').stderr
    assert 'Running debootstrap --variant=minbase ' in said
    assert 'Running apt-get ' in said
    assert PASSWORD not in said
    shadow = project.directory / 'image/etc/shadow'
    assert shadow.read_text().startswith('root:$6$')
    assert stat.S_IMODE(shadow.stat().st_mode) == 0o600


def test_extra_trees_bring_configuration_but_no_identity(project, build):
    project.write('mkosi.extra/etc/machine-id', '0123456789abcdef0123456789abcdef\n')
    project.write('mkosi.extra/var/lib/systemd/random-seed', 'random')
    project.write('mkosi.extra/etc/fstab', 'tmpfs /srv tmpfs\n')
    build('--format=directory', '--hostname=teapot')
    etc = project.directory / 'image/etc'
    assert (etc / 'machine-id').read_text() == ''
    assert not (project.directory / 'image/var/lib/systemd/random-seed').exists()
    assert (etc / 'fstab').read_text() == 'tmpfs /srv tmpfs\n'
    assert (etc / 'hostname').read_text() == 'teapot\n'


def test_root_has_exactly_the_size_that_is_asked_for(project, build):
    size = (100 << 20) + 512
    build(f'--root-size={size}')
    table = subprocess.run(
        ['sfdisk', '--json', project.directory / 'image.raw'], capture_output=True, check=True
    ).stdout
    assert [entry['size'] * 512 for entry in json.loads(table)['partitiontable']['partitions']] == [size]


def test_root_size_that_is_too_small_is_told_what_is_needed(project, build):
    said = build('--root-size=1M', status=1).stderr
    assert re.search(r'RootSize=1M is too small for the root partition, its content needs \d+M: raise it', said)
    assert list(project.directory.iterdir()) == [project.directory / 'mkosi.default']


def test_closed_standard_descriptors(project, build, foreign_tool):
    """Messages do not end up in what is built."""
    build(before='exec <&- >&- 2>&-')
    image = project.directory / 'image.raw'
    subprocess.run([foreign_tool('sfdisk'), '--verify', image], check=True, capture_output=True)
    assert b'Preparing the workspace' not in image.read_bytes()[: 1 << 20]
    assert project.workspaces == []


@pytest.mark.parametrize('name', ['-é b', 'tea\n\033[2J', 'x' * 240])
def test_names_of_outputs(project, build, name):
    said = build('--format=directory', f'--output={name}').stderr
    assert (project.directory / name / 'etc/os-release').exists()
    assert '\033' not in said
    assert project.workspaces == []


def test_links_of_extra_trees_lead_nowhere(project, build):
    """What the image's own links point to on the building machine is neither read nor written."""
    secret = project.write('outside/shadow', SHADOW, mode=0o600)
    (project.directory / 'mkosi.extra/etc').mkdir(parents=True)
    (project.directory / 'mkosi.extra/etc/shadow').symlink_to(secret)
    said = build('--format=directory', f'--password={PASSWORD}', status=1).stderr
    assert "Cannot set root's password in etc/shadow" in said
    assert secret.read_text() == SHADOW
    assert sorted(os.listdir(project.directory)) == ['mkosi.default', 'mkosi.extra', 'outside']


def test_tools_of_the_project(project, build):
    project.write('tools/debootstrap', '#!/bin/sh\necho "E: tea" >&2\nexit 3\n', mode=0o755)
    # The sandbox has a /tmp of its own, in which the project's directory is not seen.
    said = build('--extra-search-path=/mnt', before=f'mount --bind {project.directory}/tools /mnt', status=1)
    assert 'E: tea' in said.stderr


def test_full_disk(project, build):
    out = project.directory / 'out'
    out.mkdir()
    said = build('--output-dir=out', before=f'mount -t tmpfs -o size=4M none {out}', status=1).stderr
    assert 'no space is left on the disk' in said
    assert list(out.iterdir()) == []


def test_two_builds_at_once(project, repository, build):
    mount = f'mount --bind {repository.path.parent}/ring.gpg {KEY_RING}; exec "$@"'
    first = project.start(wrapper=['unshare', '--mount', 'sh', '-ec', mount, 'sh'])
    try:
        first.wait_for(projects.BOOTSTRAP)
        assert f'is under way (process {first.process.pid})' in build(status=1).stderr
        said = project.run('clean', status=1).stderr
        assert f'is under way (process {first.process.pid}): stop it first' in said
        assert first.wait() == 0, first.output
    finally:
        first.end()
    assert (project.directory / 'image.raw').exists()
