# SPDX-License-Identifier: LGPL-2.1-or-later
"""Profiles: each that comes with mkosi builds what it is for, judged by the programs that use it; and where they stand among
other settings. All are built of one small distribution with a real kernel."""

import json
import os
import subprocess

import project as projects
import pytest
from pull import Key
from small import Small, cut, esp, partitions, programs, run

NAMES = ['container', 'devel', 'iot', 'release', 'vm']
EPOCH = {'SOURCE_DATE_EPOCH': '1700000000'}
BOOT = '[Partitions]\nESPSize=64M\n'
ROOT_READ_ONLY = 'GUID:60'


@pytest.fixture(scope='module')
def small(mkosi, small_bootable_distribution, image_directory):
    return Small(image_directory / 'profiles', mkosi, small_bootable_distribution, {})


@pytest.fixture
def project(small, request):
    made = small.project(request.node.name, BOOT)
    yield made
    projects.remove_tree(made.directory)


def check_sums(project):
    subprocess.run(['sha256sum', '--check', '--strict', 'SHA256SUMS'], cwd=project.directory, check=True)


def test_container(small, project):
    small.build(project, '--profile=container', environment=EPOCH)
    names = run('tar', '--list', '--file', project.directory / 'image.tar.xz').split()
    assert './etc/os-release' in names or './usr/lib/os-release' in names
    assert not [name for name in names if name.startswith(('./efi/', './usr/share/man/man')) and name[-1] != '/']


def test_vm(small, project):
    small.build(project, '--profile', 'vm', environment=EPOCH)
    image = project.directory / 'image.raw'
    assert [entry['name'] for entry in partitions(image)] == ['ESP System Partition', 'Root Partition']
    root = cut(image, partitions(image)[1], project.directory / 'root')
    assert run('blkid', '--match-tag', 'TYPE', '--output', 'value', '--probe', root) == 'btrfs\n'
    run('btrfs', 'check', '--readonly', root)
    assert [path.name for path in programs(esp(image, project.directory))].count('BOOTX64.EFI') == 1


def test_iot(small, project, foreign_tool):
    """What is signed verifies, and so does the file system; everything about it is read-only."""
    refused = project.run('--profile=iot', status=1).stderr
    assert '/iot.conf:' in refused and 'SecureBoot=yes needs a key' in refused
    project.run('genkey', '--profile=iot')
    small.build(project, '--profile=iot', environment=EPOCH)
    image = project.directory / 'image.raw'
    certificate = project.directory / 'mkosi.secure-boot.crt'
    signed = programs(esp(image, project.directory))
    assert len(signed) >= 2
    for path in signed:
        run(foreign_tool('sbverify'), '--cert', certificate, path)

    data, tree = [cut(image, entry, project.directory / entry['uuid']) for entry in partitions(image)[1:3]]
    run('veritysetup', 'verify', data, tree, (project.directory / 'image.roothash').read_text().strip())
    assert [entry['attrs'] for entry in partitions(image)[1:3]] == [ROOT_READ_ONLY] * 2
    assert 'Compression zstd' in run('unsquashfs', '-stat', data)
    check_sums(project)


def test_release(small, project, tmp_path):
    """With another profile: what is published is a container here, as one file out of both."""
    with Key(tmp_path / 'home') as key:
        small.build(project, '--profile=container,release', environment={**EPOCH, 'GNUPGHOME': str(key.home)})
        run('gpgv', '--keyring', key.ring, project.directory / 'SHA256SUMS.gpg', project.directory / 'SHA256SUMS')
    check_sums(project)
    run('xz', '--test', project.directory / 'image.tar.xz')
    manifest = json.loads((project.directory / 'image.manifest').read_text(encoding='utf-8'))
    settings = {entry['name']: entry['values'] for entry in manifest['settings']}
    assert settings['Profile'] == ['container', 'release'] and settings['Sign'] == ['yes']


def test_devel(small, project):
    """Trees are kept, and scripts are where the network is."""
    project.write('mkosi.postinst', '#!/bin/sh\nls -l /proc/self/ns/net >/etc/network\n', 0o755)
    words = ['--profile=devel', '--format=directory', '--output=image']
    small.build(project, *words)
    assert os.readlink('/proc/self/ns/net') in (project.directory / 'image/etc/network').read_text()
    assert (project.directory / 'image.cache-pre-inst').is_dir()
    assert 'is up to date' in small.build(project, *words).stderr


def test_a_changed_profile_is_noticed(small, project):
    path = project.write('mkosi.profiles/ours.conf', '[Output]\nFormat=directory\nHostname=one\n')
    words = ['--profile=ours,devel', '--output=image']
    small.build(project, *words)
    assert 'is up to date' in small.build(project, *words).stderr
    path.write_text('[Output]\nFormat=directory\nHostname=two\n', encoding='utf-8')
    assert 'Hostname= changed' in small.build(project, *words, 'plan').stdout
    small.build(project, *words, '--force')
    assert (project.directory / 'image/etc/hostname').read_text() == 'two\n'


def test_help(project):
    lines = project.run('help', 'profiles').stdout.splitlines()
    assert [line.split()[0] for line in lines] == NAMES
    assert all(len(line.split()) > 4 for line in lines)
    assert project.run('--quiet', 'help', 'profiles').stdout.split() == NAMES
    assert 'no word but profiles' in project.run('help', 'other', status=2).stderr

    project.write('mkosi.profiles/vm.conf', '# our own machine\n')
    project.write('mkosi.profiles/extra.conf', '')
    said = project.run('help', 'profiles').stdout
    assert [line.split()[0] for line in said.splitlines()] == sorted([*NAMES, 'extra'])
    assert 'vm              our own machine (mkosi.profiles/vm.conf)\n' in said
    above = projects.Project(project.directory / 'above', project.mkosi, '')
    assert 'our own machine' in above.run('-C', '..', 'help', 'profiles').stdout


def test_precedence(project):
    """The command line, its profiles, files, the profiles of these; every value says where it is from."""
    project.write('mkosi.profiles/a.conf', '[Output]\nHostname=a\nBootable=yes\n')
    project.write('mkosi.default', '[Config]\nProfile=vm\n[Output]\nHostname=file\nCompress=no\n')

    def origins(*words):
        told = json.loads(project.run('json', *words).stdout)['Output']
        values = {name: (told[name]['value'], told[name]['origin'][0]) for name in ('Hostname', 'Compress', 'Format')}
        return {
            name: (value, origin.get('file', '').rsplit('/', 1)[-1], origin.get('line'))
            for name, (value, origin) in values.items()
        }

    told = origins()
    assert told['Hostname'] == ('file', 'mkosi.default', 4)
    assert told['Compress'] == ('no', 'mkosi.default', 5)
    assert told['Format'][:2] == ('gpt_btrfs', 'vm.conf')
    told = origins('--profile=a')
    assert told['Hostname'] == ('a', 'a.conf', 2)
    assert told['Format'][0] == 'gpt_ext4'
    assert origins('--profile=a', '--hostname=x')['Hostname'][0] == 'x'
    assert 'vm.conf:' in project.run('summary').stdout


def test_unknown(project):
    said = project.run('--profile=vn', 'summary', status=1).stderr
    assert 'command line, --profile: There is no profile "vn", there are container, devel, iot, release, vm' in said


def test_completion(project):
    """bash completes the names that there are, those of the project among them."""
    project.write('mkosi.profiles/vault.conf', '')
    script = project.run('completion', 'bash').stdout
    script += 'COMP_WORDS=(mkosi --profile = v)\nCOMP_CWORD=3\n_mkosi\necho "${COMPREPLY[*]}"\n'
    result = subprocess.run(
        ['bash', '-c', script], cwd=project.directory, capture_output=True, text=True, check=True,
        env=projects.clean_environment(PATH=f'{project.mkosi.parent}:/usr/bin:/bin'),
    )  # fmt: skip
    assert result.stdout == 'vault vm\n'
