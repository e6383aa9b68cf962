# SPDX-License-Identifier: LGPL-2.1-or-later
"""Projects that build something: the development tree and what becomes of it, the sources that its scripts see, what of
their work is in the image, and what is said when they fail."""

import json
import os
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import aptrepo
import project as projects
import pytest
from conftest import SmallDistribution
from small import Small, run
from test_interrupt import mounts_below, processes_of, wait_until_gone

# Stands for a compiler: it is in no image, and what it makes is.
COMPILER = '#!/bin/sh\nset -e\n{ echo compiled; cat "$1"; } >"$2"\n'

BUILD = """\
#!/bin/sh
set -e
env | sort >"$DESTDIR/environment"
pwd >"$DESTDIR/directory"
find . | sort >"$DESTDIR/sources"
ls /sys/class/net >"$DESTDIR/network"
[ ! -e "$BUILDDIR/object" ] || touch "$DESTDIR/incremental"
fixture-compile greeting.c "$BUILDDIR/object"
install -D -m 4711 -o 12 -g 34 "$BUILDDIR/object" "$DESTDIR/usr/bin/greeting"
mkdir -p "$DESTDIR/lib/greeting" "$DESTDIR/etc"
echo "of the build" >"$DESTDIR/lib/greeting/data"
ln "$DESTDIR/lib/greeting/data" "$DESTDIR/usr/bin/data"
echo "of the build" >"$DESTDIR/etc/both"
cat /etc/order >"$DESTDIR/etc/order-seen"
touch /etc/litter
"""
# Says where in the order of things it is.
ORDER = '#!/bin/sh\nset -e\necho "{name} $1 $VARIABLE $(ls /etc/both /usr/bin/greeting 2>/dev/null | tr "\\n" " ")" >>/etc/order\n'
FINALIZE = '#!/bin/sh\nset -e\necho "finalize $1 $VARIABLE" >>"$BUILDROOT/etc/order"\necho "finalizing $1"\n'

FILES = {
    'mkosi.extra/etc/both': 'of the extra tree\n',
    'mkosi.extra/etc/extra': 'extra\n',
    'greeting.c': 'hello\n',
    'src/more.c': 'more\n',
}
SETTINGS = '[Output]\nFormat=directory\n[Packages]\nBuildPackages=fixture-compiler\n'


@pytest.fixture(scope='module')
def distribution(root_user, tmp_path_factory):
    directory = tmp_path_factory.mktemp('build-mirror')
    compiler = directory / 'fixture-compile'
    compiler.write_text(COMPILER, encoding='utf-8')
    compiler.chmod(0o755)
    paths = ['/usr/bin/bash', *(path for path in aptrepo.libraries(['/bin/bash']) if 'libtinfo' in path)]
    shell = {path[1:]: Path(os.path.realpath(path)) for path in paths}
    yield SmallDistribution(
        directory,
        [
            aptrepo.Package('fixture-compiler', {'usr/bin/fixture-compile': compiler}),
            aptrepo.Package('bash', shell),
        ],
    )
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def small(mkosi, distribution, tmp_path_factory):
    directory = tmp_path_factory.mktemp('build')
    yield Small(directory, mkosi, distribution, {})
    projects.remove_tree(directory)


@pytest.fixture
def project(small, request):
    made = small.project(request.node.name.replace('/', '-'), SETTINGS)
    for path, text in FILES.items():
        made.write(path, text)
    yield made
    assert made.workspaces == [] and mounts_below(made.directory) == set()
    projects.remove_tree(made.directory)


def scripts(project):
    project.write('mkosi.build', BUILD, 0o755)
    for name in ('prepare', 'postinst'):
        project.write(f'mkosi.{name}', ORDER.format(name=name), 0o755)
    project.write('mkosi.finalize', FINALIZE, 0o755)
    (project.directory / 'mkosi.builddir').mkdir(exist_ok=True)


def read(tree, path):
    return (tree / path).read_text(encoding='utf-8')


def test_two_phases(small, project):
    scripts(project)
    words = ['--environment=VARIABLE=a b', '--checksum']
    said = small.build(project, *words, environment={'UNWANTED': 'x'})
    tree = project.directory / 'image'

    # What was installed is there as it was installed, also behind links, and wins over extra trees.
    status = os.lstat(tree / 'usr/bin/greeting')
    assert (status.st_mode & 0o7777, status.st_uid, status.st_gid) == (0o4711, 12, 34)
    assert read(tree, 'usr/bin/greeting') == 'compiled\nhello\n'
    assert (tree / 'lib').is_symlink() and read(tree, 'usr/lib/greeting/data') == 'of the build\n'
    assert os.lstat(tree / 'usr/lib/greeting/data').st_ino == os.lstat(tree / 'usr/bin/data').st_ino
    assert read(tree, 'etc/both') == 'of the build\n' and read(tree, 'etc/extra') == 'extra\n'

    # What was only needed to build it is not.
    assert not (tree / 'usr/bin/fixture-compile').exists() and not (tree / 'etc/litter').exists()
    assert 'fixture-compiler' not in read(tree, 'var/lib/dpkg/status')
    assert os.listdir(tree / 'root') == []
    leaks = subprocess.run(['grep', '-rlF', 'greeting.c', tree], capture_output=True, text=True, check=False)
    assert leaks.stdout.split() == [str(tree / 'sources')]

    # What scripts find, in which order they run.
    environment = dict(line.split('=', 1) for line in read(tree, 'environment').splitlines())
    expected = {
        'SRCDIR': '/root/src', 'DESTDIR': '/root/dest', 'BUILDDIR': '/root/build', 'WITH_DOCS': '0', 'WITH_TESTS': '1',
        'WITH_NETWORK': '0', 'VARIABLE': 'a b', 'HOME': '/root',
    }  # fmt: skip
    assert expected.items() <= environment.items() and 'UNWANTED' not in environment
    assert read(tree, 'directory') == '/root/src\n' and read(tree, 'network') == 'lo\n'
    assert read(tree, 'etc/order-seen').splitlines() == [
        'prepare final a b ', 'prepare build a b ', 'postinst build a b /etc/both ', 'finalize build a b',
    ]  # fmt: skip
    assert read(tree, 'etc/order').splitlines() == [
        'prepare final a b ', 'postinst final a b /etc/both /usr/bin/greeting ', 'finalize final a b',
    ]  # fmt: skip
    assert 'finalizing build\n' in said.stderr and 'finalizing final\n' in said.stderr

    # The outputs, the build directory and what is written at the moment are no sources.
    assert read(tree, 'sources').split() == [
        '.', './greeting.c', './mkosi.build', './mkosi.default', './mkosi.extra', './mkosi.extra/etc',
        './mkosi.extra/etc/both', './mkosi.extra/etc/extra', './mkosi.finalize', './mkosi.postinst', './mkosi.prepare',
        './src', './src/more.c',
    ]  # fmt: skip

    # Again: what was compiled is still there, and settings get to the script.
    assert not (tree / 'incremental').exists()
    small.build(project, *words, '--force', '--without-tests', '--with-docs', '--with-network')
    assert (tree / 'incremental').exists()
    environment = read(tree, 'environment').splitlines()
    assert {'WITH_TESTS=0', 'WITH_DOCS=1', 'WITH_NETWORK=1'} <= set(environment)
    assert 'image' not in read(tree, 'sources')


def test_variables_of_the_caller(small, project):
    project.write('mkosi.default', small.distribution.settings + SETTINGS + 'Environment=HERE "QUOTED=a \' b" NOT_SET\n')
    project.write('mkosi.build', '#!/bin/sh\nenv >"$DESTDIR/environment"\n', 0o755)
    small.build(project, environment={'HERE': 'of the caller'})
    lines = read(project.directory / 'image', 'environment').splitlines()
    assert {'HERE=of the caller', "QUOTED=a ' b"} <= set(lines) and 'NOT_SET' not in '\n'.join(lines)
    said = small.build(project, '--force', '--environment=DESTDIR=/x', status=1)
    assert 'Environment= cannot say what DESTDIR is' in said.stderr


def names(tree, path='sources'):
    return set(read(tree, path).split())


GIT_BUILD = '#!/bin/sh\nfind . ! -type d ! -path "./.git/*" | sort >"$DESTDIR/sources"\n[ ! -d .git ] || touch "$DESTDIR/git"\n'


def git(directory, *words):
    settings = ['-c', 'user.name=n', '-c', 'user.email=n@example.org', '-c', 'protocol.file.allow=always']
    run('git', *settings, '-C', directory, *words)


@pytest.fixture
def git_project(project):
    """With a submodule, one file of each kind, and outputs that nobody told git to ignore."""
    inner = project.directory.parent / f'{project.directory.name}-inner'
    projects.Project(inner, project.mkosi, '')
    (inner / 'inner.c').write_text('inner\n', encoding='utf-8')
    for directory in (inner, project.directory):
        git(directory, 'init', '--quiet')
    git(inner, 'add', 'inner.c')
    git(inner, 'commit', '--quiet', '-m', 'x')
    project.write('mkosi.build', GIT_BUILD, 0o755)
    project.write('.gitignore', '*.o\n')
    project.write('removed.c', '')
    git(project.directory, 'submodule', '--quiet', 'add', inner, 'sub')
    git(project.directory, 'add', '.')
    git(project.directory, 'commit', '--quiet', '-m', 'x')
    (project.directory / 'removed.c').unlink()
    project.write('greeting.c', 'changed\n')
    project.write('new.c', '')
    project.write('ignored.o', '')
    project.write('sub/untracked.c', '')
    project.write('mkosi.cache/package', '')
    project.write('mkosi.passphrase', 'secret\n', 0o600)
    yield project
    projects.remove_tree(inner)


TRACKED = {
    './.gitignore', './.gitmodules', './greeting.c', './mkosi.build', './mkosi.default', './mkosi.extra/etc/both',
    './mkosi.extra/etc/extra', './src/more.c', './sub/inner.c',
}  # fmt: skip
OTHERS = {'./new.c', './sub/untracked.c'}


@pytest.mark.parametrize(
    'transfer, expected, with_git',
    [
        (None, TRACKED | OTHERS, False),
        ('copy-git-cached', TRACKED, False),
        ('copy-git-others', TRACKED | OTHERS, False),
        ('copy-git-more', TRACKED | OTHERS, True),
        ('copy-all', TRACKED | OTHERS | {'./ignored.o'}, False),
        ('mount', None, True),
    ],
)
def test_sources(small, git_project, transfer, expected, with_git):
    small.build(git_project, *([f'--source-file-transfer={transfer}'] if transfer else []))
    tree = git_project.directory / 'image'
    if expected:
        assert names(tree) == expected
    else:
        assert TRACKED | OTHERS | {'./ignored.o'} <= names(tree)
    assert (tree / 'git').exists() == with_git


@pytest.mark.parametrize('words', [['--incremental'], ['plan', '--incremental'], []], ids=['kept', 'plan', 'plain'])
def test_sources_that_git_cannot_list(small, git_project, words):
    """What git says is explained, whoever asks it first."""
    (git_project.directory / '.git/index').write_bytes(b'no index')
    said = small.build(git_project, *words, status=1).stderr
    assert f'git cannot list the files of {git_project.directory}' in said
    assert 'Input/output error' not in said


def test_sources_of_a_worktree_of_somebody_else(small, git_project):
    """In which .git is a file; and git is asked by root, to whom none of it belongs."""
    worktree = git_project.directory.parent / f'{git_project.directory.name}-worktree'
    git(git_project.directory, 'worktree', 'add', '--quiet', worktree)
    run('chown', '-R', '1234:1234', worktree, git_project.directory)
    words = [f'--build-sources={worktree}']
    small.build(git_project, *words)
    expected = {name for name in TRACKED if not name.startswith('./sub/')} | {'./removed.c'}
    assert names(git_project.directory / 'image') == expected
    said = small.build(git_project, '--force', *words, '--source-file-transfer=copy-git-more', status=1)
    assert 'take SourceFileTransfer=copy-git-others' in said.stderr
    projects.remove_tree(worktree)


def fails(small, project, *words, **options):
    said = small.build(project, *words, status=1, **options)
    assert not (project.directory / 'image').exists()
    return said.stderr


def test_failing_script(small, project):
    """What it said last, where it failed, and what to do."""
    project.write('mkosi.default', small.distribution.settings + SETTINGS.replace('compiler', 'compiler bash') + 'BuildScript=build.sh\n')
    script = '#!/bin/bash\nset -e\necho "it goes on"\nfails() {\n        return 3\n}\n# the line\nfails\necho never\n'
    project.write('build.sh', script, 0o755)
    line = len(project.directory.joinpath('mkosi.default').read_text(encoding='utf-8').splitlines())
    said = fails(small, project)
    assert f'mkosi.default:{line}: The build script build.sh ended with status 3' in said
    assert 'the last command of it that failed is in line 8' in said
    assert 'it goes on' in said and 'never' not in said
    assert f'To get a shell where it failed: {project.mkosi} --debug-shell' in said
    # Nothing is shown but what is wrong.
    said = fails(small, project, '--quiet')
    assert 'it goes on' in said and 'Running' not in said

    project.write('build.sh', '#!/bin/sh\nkill -9 $$\n', 0o755)
    assert 'was killed by signal 9 (Killed)' in fails(small, project)
    project.write('build.sh', '#!/usr/bin/pythonless\n', 0o755)
    said = fails(small, project)
    assert 'is to be run by /usr/bin/pythonless, which the tree does not have' in said and 'BuildPackages=' in said
    project.write('build.sh', '#!/bin/sh\n', 0o644)
    assert 'chmod +x build.sh' in fails(small, project)
    # Refused before anything was done.
    assert 'Installing' not in fails(small, project)


# A program of a machine of 32 bits (ARM), and one of none that is whole.
FOREIGN = '\177ELF\1\1\1' + '\0' * 9 + '\2\0(\0' + '\0' * 32
BROKEN = '\177ELF\2\1\1' + '\0' * 9 + '\2\0>\0' + '\0' * 44
# What the script is, what it is run with, and what is said then.
FAILURES = {
    'high status': ('#!/bin/sh\nexit 200\n', [], 'ended with status 200'),
    'plain shell': ('#!/bin/sh -e\nfalse\n', [], 'with #!/bin/bash as the first line it is said'),
    'status': ('#!/bin/sh\nexit 42\n', [], 'The build script mkosi.build ended with status 42\n'),
    'signal': ('#!/bin/sh\nkill -TERM $$\n', [], 'was killed by signal 15 (Terminated)'),
    'unknown command': ('#!/bin/sh -e\nnot-there\n', [], 'ended with status 127'),
    'unset variable': ('#!/bin/bash\nset -u\necho "$NOT_SET"\n', [], 'NOT_SET: unbound variable'),
    'pipe': ('#!/bin/bash\nset -eo pipefail\ntrue\nfalse | cat\n', [], 'that failed is in line 4'),
    'in a function': ('#!/bin/bash -e\nf() {\n        cat /none\n}\nf\n', [], 'that failed is in line 3'),
    'in a file': ('#!/bin/bash -e\n. ./part.sh\n', [], 'that failed is in line 2 of ./part.sh'),
    'syntax': ('#!/bin/bash\nif true; then\n', [], 'syntax error'),
    'no interpreter': ('#!/usr/bin/none\n', [], 'is to be run by /usr/bin/none, which the tree does not have: add'),
    'no program for env': ('#!/usr/bin/env pythonless\n', [], 'is to be run by pythonless, which the tree does not have: add'),
    'directory as interpreter': ('#!/etc\n', [], 'is to be run by /etc, which is no program in the tree'),
    'line ends of DOS': (
        '#!/bin/sh\r\nexit 0\r\n', [], "mkosi.build: The build script mkosi.build has the line ends of DOS, which become part of its "
        "interpreter's name; run: sed -i 's/\\r$//' mkosi.build",
    ),
    'byte order mark': ('\ufeff#!/bin/sh\n', [], 'begins with a byte order mark, which hides its first line; run: sed'),
    'nothing': ('', [], 'does not say what it is run by: let its first line be #!/bin/sh'),
    'foreign program': (FOREIGN, [], 'The build script mkosi.build is a program for arm, which this machine does not run: compile'),
    'broken program': (BROKEN, [], 'Failed to run the build script mkosi.build (mkosi.build): execute "/root/mkosi.build"'),
    'no first line': ('exit 0\n', [], 'does not say what it is run by: let its first line be #!/bin/sh'),
    'network': ('#!/bin/bash -e\nexec 3<>/dev/tcp/192.0.2.1/9\n', [], 'Network is unreachable'),
    'unknown package': ('#!/bin/sh\n', ['--build-package=none-such'], 'none-such'),
    'destination': ('#!/bin/sh\ntouch "$DESTDIR/etc"\n', [], "Cannot copy what was built into the image: Cannot copy 'etc'"),
}  # fmt: skip


@pytest.mark.parametrize('name', FAILURES)
def test_failures(small, project, name):
    script, words, reason = FAILURES[name]
    project.write('part.sh', ':\nfalse\n')
    project.write('mkosi.build', script, 0o755)
    if name == 'foreign program' and any('qemu' in path for path in os.listdir('/proc/sys/fs/binfmt_misc')):
        pytest.skip('this machine runs programs of others')
    assert reason in fails(small, project, '--build-package=bash', *words)


def test_cures(small, project):
    """What is said to be run mends it."""
    for script in ('#!/bin/sh\r\ntouch "$DESTDIR/x"\r\n', '\ufeff#!/bin/sh\ntouch "$DESTDIR/x"\n'):
        path = project.write("it's a script", script, 0o644)
        words = ["--build-script=it's a script", '--force']
        for _ in range(3):
            result = project.run(*words, status=1, wrapper=small.wrapper)
            [cure] = [line.split('; run: ', 1)[1] for line in result.stderr.splitlines() if '; run: ' in line]
            subprocess.run(cure, shell=True, cwd=project.directory, check=True)
            if os.access(path, os.X_OK) and b'\r' not in path.read_bytes() and path.read_bytes().startswith(b'#!'):
                break
        small.build(project, *words)


@pytest.mark.parametrize('script_name', ["it's a \\ 'script'", '[a]*"b".sh', 'a=b', 'src', 'build', '$(x) #'])
def test_names_of_scripts(small, project, script_name):
    """Whatever it is called: it runs, and the line in which it failed is found."""
    project.write(script_name if script_name != 'src' else 'dir/src', '#!/bin/bash -e\ntouch "$DESTDIR/x"\nfalse\n', 0o755)
    path = script_name if script_name != 'src' else 'dir/src'
    said = fails(small, project, f'--build-script={path}', '--build-package=bash')
    assert f'--build-script: The build script {path} ended with status 1, the last command of it that failed is in line 3\n' in said
    said = fails(small, project, f'--finalize-script={path}')
    assert f'The finalize script {path} ended with status 1' in said


def test_script_that_may_not_be_run(small, project, tmp_path):
    """Below a mount point that allows no programs."""
    project.write('scripts/x', '')
    script = f'mount -t tmpfs -o noexec tmpfs {project.directory}/scripts; cp mkosi.build scripts; exec "$@"'
    project.write('mkosi.build', '#!/bin/sh\n', 0o755)
    wrapper = ['unshare', '--mount', 'sh', '-ec', script, 'sh', *small.wrapper]
    said = project.run('--build-script=scripts/mkosi.build', status=1, wrapper=wrapper)
    assert '--build-script: The build script scripts/mkosi.build lies on a file system that is mounted with noexec' in said.stderr


def test_variables_are_said_once(small, project):
    project.write('mkosi.build', '#!/bin/sh\ntr "\\0" "\\n" </proc/self/environ >"$DESTDIR/environment"\n', 0o755)
    own = {'HOME': '/own', 'PATH': '/usr/bin:/bin', 'LC_ALL': 'C', 'TERM': 'own', 'TWICE': '2'}
    small.build(project, *(f'--environment={name}={value}' for name, value in [('TWICE', '1'), *own.items()]))
    lines = read(project.directory / 'image', 'environment').splitlines()
    names_seen = [line.split('=', 1)[0] for line in lines]
    assert len(names_seen) == len(set(names_seen)) and {f'{name}={value}' for name, value in own.items()} <= set(lines)


def test_nothing_but_a_build_script(small, project):
    """No settings file: everything that is needed follows from the host, or is on the command line."""
    (project.directory / 'mkosi.default').unlink()
    project.write('mkosi.build', '#!/bin/sh\ntouch "$DESTDIR/built"\n', 0o755)
    settings = dict(line.split('=', 1) for line in small.distribution.settings.splitlines() if '=' in line)
    small.build(project, f'--release={settings["Release"]}', f'--mirror={settings["Mirror"]}')
    assert (project.directory / 'image.raw').exists()
    assert project.run('shell', 'ls', '/built').stdout == '/built\n'


def test_debug_shell(small, project):
    """The state in which the script left everything: tree, sources, destination, environment, directory."""
    project.write('mkosi.build', '#!/bin/sh\ntouch /etc/litter "$DESTDIR/half"\nexit 3\n', 0o755)
    command = [*small.wrapper, project.mkosi, '--debug-shell']
    asked = 'pwd; ls /etc/litter greeting.c "$DESTDIR/half" /usr/bin/fixture-compile; echo "net: $(ls /sys/class/net)"\n'
    result = subprocess.run(
        [str(word) for word in command], cwd=project.directory, input=asked, capture_output=True, text=True,
        env=projects.clean_environment(), check=False,
    )  # fmt: skip
    assert result.returncode == 1
    shown = '/root/src\n/etc/litter\n/root/dest/half\n/usr/bin/fixture-compile\ngreeting.c\nnet: lo\n'
    assert shown in result.stderr and 'To get a shell' not in result.stderr


def test_kept_tree(small, project):
    project.write('mkosi.build', '#!/bin/sh\ntouch /etc/litter\nchown 12:34 /etc/litter\nexit 3\n', 0o755)
    said = fails(small, project, '--keep-failed')
    kept = project.directory / 'image.failed'
    assert f'The tree is kept as {kept}' in said
    assert os.lstat(kept / 'etc/litter').st_uid == 12 and (kept / 'usr/bin/fixture-compile').exists()
    # It is replaced by the next, is no source, and goes with what else was built.
    project.write('mkosi.build', '#!/bin/sh\nls >/etc/seen\nexit 3\n', 0o755)
    fails(small, project, '--keep-failed')
    assert not (kept / 'etc/litter').exists() and 'image.failed' not in read(kept, 'etc/seen')
    project.run('clean')
    assert not kept.exists()


def with_shell(project, asked, *words, wrapper=()):
    command = [*wrapper, project.mkosi, '--debug-shell', *words]
    result = subprocess.run(
        [str(word) for word in command], cwd=project.directory, input=asked, capture_output=True, text=True,
        env=projects.clean_environment(), check=False,
    )  # fmt: skip
    assert result.returncode == 1 and 'To get a shell' not in result.stderr
    return result.stderr


def test_package_manager_fails(small, project):
    """Its own error, and the tree as it is then: by a shell, kept, or by the command that gives one."""
    said = fails(small, project, '--package=none-such', '--keep-failed')
    assert said.count('error:') == 1 and 'Unable to locate package none-such' in said
    assert f'To get a shell where it failed: {project.mkosi} --debug-shell --package=none-such' in said
    assert (project.directory / 'image.failed/usr/bin').is_dir()
    shown = with_shell(project, 'pwd; ls -d /etc/apt\n', '--package=none-such', wrapper=small.wrapper)
    assert 'A shell in the tree' in shown and '/\n/etc/apt\n' in shown

    # In the development tree it is that one.
    project.write('mkosi.build', '#!/bin/sh\n', 0o755)
    project.write('mkosi.prepare', '#!/bin/sh\ntouch /etc/prepared\n', 0o755)
    shown = with_shell(project, 'ls /etc/prepared\n', '--build-package=none-such', wrapper=small.wrapper)
    assert '\n/etc/prepared\n' in shown


def test_bootstrap_fails(small, project, tmp_path):
    """There is nothing in the tree yet that could be a shell."""
    program = tmp_path / 'debootstrap'
    program.write_text('#!/bin/sh\nfor i; do [ -d "$i" ] && touch "$i/begun"; done\necho E: it went wrong >&2\nexit 1\n', encoding='utf-8')
    program.chmod(0o755)
    script = 'mount --bind "$1" "$2"; shift 2; exec "$@"'
    wrapper = ['unshare', '--mount', 'sh', '-ec', script, 'sh', program, shutil.which('debootstrap')]
    shown = with_shell(project, 'pwd; ls\n', '--keep-failed', wrapper=[*small.distribution.wrapper, *wrapper])
    assert "A shell on the host's root" in shown and '/run/tree\nbegun\n' in shown and 'E: it went wrong' in shown
    assert (project.directory / 'image.failed/begun').exists()

    # Other builds have the package cache meanwhile.
    cache = project.directory / 'mkosi.cache'
    cache.mkdir(exist_ok=True)
    command = [*small.distribution.wrapper, *wrapper, project.mkosi, '--debug-shell', f'--cache={cache}']
    with subprocess.Popen(
        [str(word) for word in command], cwd=project.directory, stdin=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, env=projects.clean_environment(),
    ) as running:  # fmt: skip
        said = ''
        while "A shell on the host's root" not in said and (line := running.stderr.readline()):
            said += line
        locked = subprocess.run(['flock', '--nonblock', cache, 'true'], check=False).returncode
        running.communicate()
    assert "A shell on the host's root" in said and locked == 0


@pytest.mark.parametrize('name', ['build', 'prepare', 'postinst', 'finalize'])
@pytest.mark.parametrize('kind', ['directory', 'link', 'pipe', 'device'])
def test_scripts_that_are_no_files(small, project, name, kind):
    path = project.directory / f'mkosi.{name}'
    {
        'directory': path.mkdir,
        'link': lambda: path.symlink_to('nowhere'),
        'pipe': lambda: os.mkfifo(path),
        'device': lambda: os.mknod(path, stat.S_IFCHR | 0o700, os.makedev(1, 3)),
    }[kind]()
    said = fails(small, project)
    assert f'mkosi.{name} is a ' in said and '= takes a file of that name: ' in said and 'Installing' not in said


@pytest.mark.parametrize('name', ['prepare', 'postinst', 'finalize'])
def test_other_scripts_fail(small, project, name):
    project.write(f'mkosi.{name}', '#!/bin/sh\necho about to fail\nexit 7\n', 0o755)
    said = fails(small, project)
    assert 'about to fail' in said and f'mkosi.{name} ended with status 7' in said


def test_without_overlay(small, project, tmp_path):
    """Where no overlay can be mounted, as on a file system that is one: the same bytes by way of a copy."""
    scripts(project)
    words = ['--format=tar', '--compress-output=no', '--output=image.tar']
    environment = {'SOURCE_DATE_EPOCH': '1700000000'}
    small.build(project, *words, environment=environment)
    first = (project.directory / 'image.tar').read_bytes()
    projects.remove_tree(project.directory / 'mkosi.builddir')
    (project.directory / 'mkosi.builddir').mkdir()

    for name in ('upper', 'work', 'merged'):
        (tmp_path / name).mkdir()
    options = f'lowerdir={project.directory},upperdir={tmp_path}/upper,workdir={tmp_path}/work'
    script = f'mount -t overlay overlay -o {options} {tmp_path}/merged; cd {tmp_path}/merged; exec "$@"'
    wrapper = ['unshare', '--mount', 'sh', '-ec', script, 'sh', *small.wrapper]
    said = project.run(*words, '--force', '--debug', environment=environment, wrapper=wrapper)
    assert 'An overlay above' in said.stderr
    with tarfile.open(tmp_path / 'upper/image.tar') as copied, tarfile.open(project.directory / 'image.tar') as plain:
        assert copied.getnames() == plain.getnames()
    assert (tmp_path / 'upper/image.tar').read_bytes() == first


def test_interrupted(small, project):
    project.write('mkosi.build', '#!/bin/sh\necho it runs\ntouch "$DESTDIR/x"\nsleep 1000\n', 0o755)
    build = project.start(wrapper=small.wrapper)
    try:
        build.wait_for('it runs')
        build.kill(2)
        assert build.wait() != 0
        assert wait_until_gone(lambda: processes_of(build.process.pid, project.directory)) == []
    finally:
        build.end()
    assert not (project.directory / 'image').exists()


def test_output_for_programs(small, project):
    project.write('mkosi.build', '#!/bin/sh\nprintf "a line\\twith a tab\\n"\n', 0o755)
    said = small.build(project, '--quiet', '--json-progress=2')
    events = [json.loads(line) for line in said.stderr.splitlines() if line.startswith('{')]
    assert {'event': 'output', 'step': 'build', 'line': 'a line\twith a tab'} in events
