# SPDX-License-Identifier: LGPL-2.1-or-later
"""What scripts see of a project, and what they never see: keys and passphrases, whatever leads to them."""

import os
import socket
import stat
import subprocess

import project as projects
import pytest
from small import Small
from test_build import distribution  # noqa: F401  pylint: disable=unused-import
from test_interrupt import mounts_below

SECRET = 'TEAPOT-SECRET-4711'
PATTERN = 'TEAPOT-SECRET-471[1]'  # which is none itself
SETTINGS = '[Output]\nFormat=directory\n[Packages]\nBuildPackages=bash\n'
# All that can be read, as a build script would that looks for something.
LOOK = """\
#!/bin/sh
set -e
[ ! -e mkosi.default ] || cat mkosi.default >/dev/null
grep -rl '{pattern}' / --exclude-dir=proc --exclude-dir=sys >"$DESTDIR/leaks" || :
find . ! -type d | sort >"$DESTDIR/sources"
rm -f keys/real && echo removed >"$DESTDIR/removed" || :
{last}
"""


@pytest.fixture(scope='module')
def small(mkosi, distribution, tmp_path_factory):  # noqa: F811  pylint: disable=redefined-outer-name
    directory = tmp_path_factory.mktemp('sources')
    yield Small(directory, mkosi, distribution, {})
    projects.remove_tree(directory)


@pytest.fixture
def project(small, request):
    made = small.project(request.node.name.replace('/', '-'), SETTINGS)
    yield made
    assert made.workspaces == [] and mounts_below(made.directory) == set()
    projects.remove_tree(made.directory)


def write_secrets(project):
    for path in ('keys/real', 'keys/named.aB3dE6', 'sub/mkosi.rootpw', 'mkosi.secure-boot.key.x9Zk2q'):
        project.write(path, f'{SECRET}\n', 0o600)
    (project.directory / 'keys/named').symlink_to('real')
    (project.directory / 'sub/deep').mkdir()
    os.link(project.directory / 'keys/real', project.directory / 'sub/deep/innocent')
    project.write('sub/fine.c', '')


@pytest.mark.parametrize('transfer', ['copy-all', 'mount'])
def test_no_secrets(small, project, transfer):
    """Neither in the sources, nor in a tree that is kept, nor anywhere else in the sandbox."""
    write_secrets(project)
    words = [f'--source-file-transfer={transfer}', '--secure-boot-key=keys/named', '--incremental']
    # A secret in the base tree would be seen: the test sees what it looks for.
    project.write('mkosi.extra/etc/seen', f'{SECRET}\n')
    project.write('mkosi.build', LOOK.format(pattern=PATTERN, last=''), 0o755)
    small.build(project, *words)
    tree = project.directory / 'image'
    leaks = (tree / 'leaks').read_text(encoding='utf-8').split()
    assert '/etc/seen' in leaks and all(path.endswith('/etc/seen') for path in leaks)
    sources = (tree / 'sources').read_text(encoding='utf-8').split()
    assert './sub/fine.c' in sources and ('./sub/deep/innocent' in sources) == (transfer == 'mount')
    # What is hidden is not lost either.
    assert not (tree / 'removed').exists() or transfer != 'mount'
    assert (project.directory / 'keys/real').read_text(encoding='utf-8') == f'{SECRET}\n'

    project.write('mkosi.extra/etc/seen', '')
    project.write('mkosi.build', LOOK.format(pattern=PATTERN, last='exit 3'), 0o755)
    small.build(project, *words, '--force', '--keep-failed', status=1)
    for kept in ('image.failed', 'image.cache-pre-inst', 'image.cache-pre-dev'):
        found = subprocess.run(['grep', '-rlF', SECRET, project.directory / kept], capture_output=True, text=True, check=False)
        assert found.stdout == '' and (project.directory / kept).exists()


def test_no_secrets_in_trees(small, project):
    project.write('mkosi.extra/etc/key', SECRET, 0o600)
    said = small.build(project, '--secure-boot-key=mkosi.extra/etc/key', status=1)
    assert 'ExtraTrees=mkosi.extra has etc/key in it, which is a key or passphrase of this build' in said.stderr
    assert 'Installing' not in said.stderr


def test_part_of_a_git_tree(small, project):
    """What is ignored above is ignored in it; what is ignored as a whole is no part; that nothing is left is said."""
    subprocess.run(['git', 'init', '--quiet', project.directory], check=True)
    project.write('.gitignore', '*.o\n/ignored\n')
    for path in ('part/a.c', 'part/a.o', 'ignored/a.c'):
        project.write(path, '')
    project.write('mkosi.build', '#!/bin/sh\nls >"$DESTDIR/sources"\n', 0o755)
    small.build(project, '--build-sources=part')
    assert (project.directory / 'image/sources').read_text(encoding='utf-8').split() == ['a.c']
    small.build(project, '--force', '--build-sources=ignored')
    assert (project.directory / 'image/sources').read_text(encoding='utf-8').split() == ['a.c']
    others = ('--build-sources=ignored', '--source-file-transfer=copy-git-others')
    said = small.build(project, '--force', *others, status=1)
    assert 'it ignores all of' in said.stderr and 'take SourceFileTransfer=copy-all' in said.stderr


def test_output_among_sources(small, project):
    project.write('src/main.c', '')
    project.write('mkosi.build', '#!/bin/sh\nls src >"$DESTDIR/sources"\n', 0o755)
    for _ in range(2):
        small.build(project, '--output=src/image', '--force')
        assert (project.directory / 'src/image/sources').read_text(encoding='utf-8').split() == ['main.c']


def test_nodes(small, project):
    """Of a tree, nodes are copied as what they are, and none is opened."""
    extra = project.directory / 'mkosi.extra'
    extra.mkdir()
    os.mkfifo(extra / 'pipe', 0o640)
    os.mknod(extra / 'device', stat.S_IFBLK | 0o660, os.makedev(7, 4711))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(extra / 'socket'))
    os.mkfifo(project.directory / 'pipe')
    project.write('mkosi.build', '#!/bin/sh\n[ -p pipe ] && touch "$DESTDIR/pipe-seen"\n', 0o755)
    (project.directory / 'mkosi.skeleton').symlink_to('mkosi.extra')
    small.build(project, '--incremental')
    tree = project.directory / 'image'
    assert stat.S_ISFIFO(os.lstat(tree / 'pipe').st_mode) and os.lstat(tree / 'pipe').st_mode & 0o777 == 0o640
    assert stat.S_ISSOCK(os.lstat(tree / 'socket').st_mode) and (tree / 'pipe-seen').exists()
    device = os.lstat(tree / 'device')
    assert stat.S_ISBLK(device.st_mode) and device.st_rdev == os.makedev(7, 4711)

    said = small.build(project, '--force', '--extra-tree=pipe', status=1)
    assert 'ExtraTrees=pipe is neither a directory nor an archive' in said.stderr


def owners(directory):
    """Of what is there that was not before."""
    return {path.name: (os.lstat(path).st_uid, os.lstat(path).st_gid) for path in directory.iterdir()}


@pytest.mark.parametrize('words, owner', [([], (4711, 4712)), (['--no-chown'], (0, 0))])
def test_under_sudo(small, project, words, owner):
    """What is made in the user's directory is his, and he gets no more than that."""
    project.write('mkosi.build', '#!/bin/sh\ntouch "$BUILDDIR/object"\n', 0o755)
    outside = project.directory.parent / f'{project.directory.name}-outside'
    outside.mkdir()
    (project.directory / 'link').symlink_to(outside)
    for path in (project.directory, *project.directory.iterdir()):
        os.chown(path, 4711, 4712, follow_symlinks=False)
    os.chown(project.directory / 'link', 4711, 4712, follow_symlinks=False)
    sudo = {'SUDO_UID': '4711', 'SUDO_GID': '4712'}
    words = [*words, '--format=tar', '--compress-output=no', '--cache=cache', '--build-dir=builds/one', '--checksum', '--manifest']
    small.build(project, *words, '--output-dir=out/deep', environment=sudo)
    here = owners(project.directory)
    assert {here[name] for name in ('cache', 'builds', 'out')} == {owner}
    assert owners(project.directory / 'builds') == {'one': owner}
    made = owners(project.directory / 'out/deep')
    assert {'image.tar', 'SHA256SUMS'} <= {*made} and len(made) == 3 and {*made.values()} == {owner}
    with subprocess.Popen(['tar', '-tvf', project.directory / 'out/deep/image.tar'], stdout=subprocess.PIPE, text=True) as tar:
        assert '4711' not in tar.stdout.read()
    # A link of his gives nothing away.
    small.build(project, *words, '--output-dir=link/deep', environment=sudo)
    assert owners(outside) == {'deep': (0, 0)} and {*owners(outside / 'deep').values()} == {(0, 0)}
    assert os.lstat(outside).st_uid == 0
    projects.remove_tree(outside)
