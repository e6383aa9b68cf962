# SPDX-License-Identifier: LGPL-2.1-or-later
"""What running images has to do with everything around: others who use the image, hosts without loop devices, commands that
fail, signals, and mkosi being killed."""

import os
import shutil
import signal
import subprocess
import time

import project as projects
import pytest
from small import Small
from test_container import FORMATS, Terminal, digest, leftovers
from test_interrupt import mounts_below, processes_of, wait_until_gone

END_SECONDS = 60
READY = 'echo ready; exec sleep 1000'

# SIGRTMIN + 3 by its number, which is what dash knows. All others are of no use to it.
INIT = """\
#!/bin/sh
trap 'echo halting; exit 7' 37
trap '' INT TERM HUP
echo ready
while :; do sleep 0.05; done
"""
STUBBORN_INIT = INIT.replace("'echo halting; exit 7'", "'echo not now'")


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, tmp_path_factory):
    directory = tmp_path_factory.mktemp('running')
    yield Small(directory, mkosi, small_distribution, {'mkosi.extra/etc/marker': 'extra\n'})
    projects.remove_tree(directory)


@pytest.fixture(scope='module')
def outputs(small):
    """Those of all formats, each built when it is wanted."""
    made = {}

    def build(name):
        if name not in made:
            made[name] = small.project(name, f'[Output]\nFormat={name}\nOutput=image\n')
            small.build(made[name], *FORMATS[name])
        return made[name]

    return build


@pytest.fixture
def started():
    """Starts mkosi in a project, waits until what it runs is ready, and ends it behind the test."""
    builds = []

    def start(project, *words, wrapper=()):
        builds.append(project.start(*words, wrapper=wrapper))
        builds[-1].wait_for('ready')
        return builds[-1]

    yield start
    for build in builds:
        build.end()


def nothing_remains(project):
    assert wait_until_gone(leftovers) == []
    assert mounts_below(project.directory) == set()


# Who has the image


@pytest.mark.parametrize('name', ['directory', 'gpt_ext4', 'plain_squashfs'])
def test_in_use(outputs, small, started, name):
    """Whoever runs the image shares it with those who do the same; who would change, replace or remove it is told."""
    project = outputs(name)
    holder = started(project, 'shell', 'sh', '-c', READY)
    pid = str(holder.process.pid)
    before = digest(project.directory / 'image')
    assert project.run('shell', 'cat', '/etc/marker').stdout == 'extra\n'
    if name != 'plain_squashfs':
        assert f'in use by process {pid}' in project.run('--persistent', 'shell', 'true', status=1).stderr
    assert f'is being run by process {pid}' in small.build(project, '--force', *FORMATS[name], status=1).stderr
    assert f'is being run by process {pid}' in project.run('clean', status=1).stderr
    assert digest(project.directory / 'image') == before

    # The lock is gone with who had it, however he ended.
    holder.kill(signal.SIGKILL)
    holder.wait(END_SECONDS)
    small.build(project, '--force', *FORMATS[name])
    project.run('shell', 'true')
    nothing_remains(project)


def test_persistent_has_it_alone(outputs, started):
    project = outputs('directory')
    holder = started(project, '--persistent', 'shell', 'sh', '-c', READY)
    pid = str(holder.process.pid)
    assert f'changed or replaced by process {pid}' in project.run('shell', 'true', status=1).stderr
    assert f'in use by process {pid}' in project.run('--persistent', 'shell', 'true', status=1).stderr
    holder.kill(signal.SIGTERM)
    assert holder.wait(END_SECONDS) == -signal.SIGTERM
    project.run('--persistent', 'shell', 'true')


def test_build_waits(small, started):
    """One that is complete when somebody begins to run the old image waits for him."""
    project = small.project('waits', '[Output]\nFormat=directory\nOutput=image\n')
    small.build(project)
    project.write('mkosi.extra/etc/marker', 'new\n')
    build = project.start('--force', wrapper=small.wrapper)
    try:
        build.wait_for(projects.BOOTSTRAP)
        holder = started(project, 'shell', 'sh', '-c', READY)
        build.wait_for(f'Waiting until process {holder.process.pid}')
        assert (project.directory / 'image/etc/marker').read_text() == 'extra\n'
        holder.kill(signal.SIGTERM)
        assert build.wait() == 0, build.output
    finally:
        build.end()
    assert (project.directory / 'image/etc/marker').read_text() == 'new\n'
    projects.remove_tree(project.directory)


# Without loop devices


@pytest.fixture(scope='module')
def forbid_loop(mkosi):
    path = mkosi.parents[1] / 'tests/tools/forbid-loop'
    assert path.exists(), f'{path} is not there: compile it'
    return [path]


@pytest.mark.parametrize('name', ['gpt_ext4', 'gpt_squashfs', 'plain_squashfs'])
def test_without_loop_devices(outputs, forbid_loop, foreign_tool, name):
    foreign_tool('fuse2fs')
    foreign_tool('squashfuse_ll')
    project = outputs(name)
    script = 'cat /etc/marker; stat -c %u:%g:%a /etc/marker; echo new >/etc/marker; cat /etc/marker; exit 5'
    said = project.run('shell', 'sh', '-c', script, status=5, wrapper=forbid_loop)
    assert said.stdout == 'extra\n0:0:644\nnew\n'
    nothing_remains(project)
    assert subprocess.run(['pgrep', '-f', 'fuse2fs -f|squashfuse_ll -f'], check=False).returncode == 1


@pytest.mark.parametrize(
    'name, words, reason',
    [
        ('gpt_btrfs', [], 'no program can do without for btrfs'),
        ('gpt_ext4', ['--persistent'], 'nothing else lets --persistent write'),
    ],
)
def test_without_loop_devices_refused(outputs, forbid_loop, name, words, reason):
    said = outputs(name).run(*words, 'shell', 'true', status=1, wrapper=forbid_loop).stderr
    assert 'Cannot get a loop device: ' in said and reason in said


def test_without_programs(outputs, forbid_loop, foreign_tool):
    """What is missing is named, with its package."""
    hide = f'mount --bind /dev/null {foreign_tool("fuse2fs")}; exec "$@"'
    wrapper = ['unshare', '--mount', 'sh', '-ec', hide, 'sh', *forbid_loop]
    said = outputs('gpt_ext4').run('shell', 'true', status=1, wrapper=wrapper).stderr
    assert 'fuse2fs is missing: install the package fuse2fs' in said


# What comes of the command


@pytest.mark.parametrize(
    'words, status',
    [
        (['sh', '-c', 'exit 0'], 0),
        (['sh', '-c', 'exit 255'], 255),
        (['sh', '-c', 'kill -TERM $$'], 128 + signal.SIGTERM),
        (['sh', '-c', 'kill -KILL $$'], 128 + signal.SIGKILL),
        (['nothing-of-this-name'], 127),
        (['/nothing/of/this/name'], 127),
        (['/etc/marker'], 126),
        (['/etc'], 126),
    ],
)
def test_status(outputs, words, status):
    outputs('directory').run('shell', *words, status=status)


def test_no_shell(outputs):
    project = outputs('directory')
    (project.directory / 'empty').mkdir()
    for words, status, reason in [
        (['shell'], 127, 'There is no shell in'),
        (['shell', 'true'], 127, 'not found in PATH'),
        (['boot'], 1, 'There is no init in'),
    ]:
        assert reason in project.run('--output=empty', *words, status=status).stderr
    assert list((project.directory / 'empty').iterdir()) == []
    (project.directory / 'empty').rmdir()


def test_network_is_no_mistake(outputs):
    assert outputs('directory').run('--with-network', 'shell', 'true').stderr == ''


def test_hostile_tree(outputs, tmp_path):
    """Links of the image lead to nothing of the host, wherever something is mounted or looked for."""
    project = outputs('directory')
    tree, outside = project.directory / 'hostile', tmp_path / 'outside'
    subprocess.run(['cp', '-a', project.directory / 'image', tree], check=True)
    outside.mkdir()
    shutil.rmtree(tree / 'etc')
    (tree / 'etc').symlink_to(f'../../../..{outside}')
    for name in ['proc', 'sys', 'dev', 'run', 'root']:
        if (tree / name).exists():
            (tree / name).rmdir() if not any((tree / name).iterdir()) else shutil.rmtree(tree / name)
        (tree / name).symlink_to(outside / name)
    for words in [[], ['--persistent']]:
        project.run('--output=hostile', '--with-network', *words, 'shell', '/bin/sh', '-c', 'echo x >/etc/x')
        assert list(outside.iterdir()) == []
    projects.remove_tree(tree)


@pytest.mark.parametrize('name, kind', [('directory', 'file'), ('gpt_ext4', 'directory'), ('tar', 'directory')])
def test_of_another_kind(outputs, name, kind):
    project = outputs('directory')
    path = project.directory / 'odd'
    path.mkdir() if kind == 'directory' else path.write_text('x')
    said = project.run(f'--format={name}', '--output=odd', 'shell', 'true', status=1).stderr
    assert f'Cannot open {path}: It is no ' in said
    path.rmdir() if kind == 'directory' else path.unlink()


# Signals


@pytest.fixture(scope='module')
def system(small):
    """A directory with an init of our own in it."""
    made = {}

    def make(init):
        if init not in made:
            made[init] = small.project(f'system-{len(made)}', '[Output]\nFormat=directory\nOutput=image\n', {})
            made[init].write('mkosi.extra/usr/sbin/init', init, 0o755)
            small.build(made[init])
        return made[init]

    return make


@pytest.mark.parametrize('number', [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_shut_down(system, started, number):
    """The init is told as systemd wants to be told, and ends in its own way."""
    project = system(INIT)
    boot = started(project, 'boot')
    boot.kill(number)
    assert boot.wait(END_SECONDS) == 7
    assert 'Asking the system to shut down' in boot.output and 'halting' in boot.output
    assert 'Interrupted' not in boot.output
    nothing_remains(project)


@pytest.mark.parametrize('words, end', [([], 'was not changed'), (['--persistent'], 'is as it left it')])
def test_second_signal(system, started, words, end):
    project = system(STUBBORN_INIT)
    boot = started(project, *words, 'boot')
    boot.kill(signal.SIGTERM)
    boot.wait_for('Asking the system to shut down')
    boot.wait_for('not now')
    while boot.process.poll() is None:
        boot.kill(signal.SIGTERM)
        time.sleep(0.1)
    assert boot.wait(END_SECONDS) == -signal.SIGTERM
    assert f'Interrupted, the system has not shut down and was ended; the image {end}' in boot.output
    nothing_remains(project)


def test_signal_twice_is_one_request(system, started):
    """timeout(1) sends it to the process and to its group."""
    project = system(INIT)
    boot = started(project, 'boot')
    boot.kill(signal.SIGTERM)
    os.killpg(boot.process.pid, signal.SIGTERM)
    assert boot.wait(END_SECONDS) == 7


def test_keys_end_a_system_at_once(system):
    project = system(STUBBORN_INIT)
    terminal = Terminal([project.mkosi, 'boot'], project.directory)
    try:
        terminal.wait_for('ready', timeout=END_SECONDS)
        terminal.type('\x1d\x1d\x1d')
        assert terminal.wait() == 128 + signal.SIGKILL
    finally:
        os.close(terminal.fd)
    nothing_remains(project)


def test_interrupted_command(outputs, started):
    project = outputs('gpt_ext4')
    shell = started(project, 'shell', 'sh', '-c', READY)
    shell.kill(signal.SIGTERM)
    assert shell.wait(END_SECONDS) == -signal.SIGTERM
    assert 'Interrupted, the command was ended; the image was not changed' in shell.output
    assert 'nothing was changed' not in shell.output
    nothing_remains(project)


# Killed


@pytest.mark.parametrize('name', ['directory', 'tar', 'gpt_ext4'])
def test_killed(outputs, started, name):
    """Nothing that runs remains, and what lies about is gone with the next run, of any image."""
    project = outputs(name)
    shell = started(project, 'shell', 'sh', '-c', f'setsid sleep 1000 & {READY}')
    shell.kill(signal.SIGKILL)
    shell.wait(END_SECONDS)
    assert wait_until_gone(lambda: processes_of(shell.process.pid, project.directory)) == []
    assert mounts_below(project.directory) == set()
    outputs('gpt_squashfs').run('shell', 'true')
    nothing_remains(project)


def test_killed_system(system, outputs, started):
    project = system(STUBBORN_INIT)
    boot = started(project, 'boot')
    cgroups = [path for path in leftovers() if 'cgroup' in path]
    assert cgroups
    boot.kill(signal.SIGKILL)
    boot.wait(END_SECONDS)
    assert wait_until_gone(lambda: processes_of(boot.process.pid, project.directory)) == []
    outputs('gpt_squashfs').run('shell', 'true')
    nothing_remains(project)


def test_killed_without_loop_devices(outputs, started, forbid_loop):
    project = outputs('gpt_ext4')
    shell = started(project, 'shell', 'sh', '-c', READY, wrapper=forbid_loop)
    shell.kill(signal.SIGKILL)
    shell.wait(END_SECONDS)
    assert wait_until_gone(lambda: processes_of(shell.process.pid, project.directory)) == []
    outputs('gpt_squashfs').run('shell', 'true')
    nothing_remains(project)


def test_those_that_live_stay(outputs, started):
    project = outputs('directory')
    holder = started(project, 'shell', 'sh', '-c', READY)
    before = leftovers()
    project.run('shell', 'true')
    assert before and leftovers() == before
    holder.kill(signal.SIGTERM)
    holder.wait(END_SECONDS)
    nothing_remains(project)


# systemd-nspawn


NSPAWN = """\
#!/bin/sh
trap 'echo shutting down; exit 9' TERM
echo "ready $*"
[ "$STATUS" ] && exit "$STATUS"
while :; do sleep 0.05; done
"""


@pytest.fixture
def nspawn(tmp_path):
    """A stand-in for it, found by its environment."""
    program = tmp_path / 'bin/systemd-nspawn'
    program.parent.mkdir()
    program.write_text(NSPAWN)
    program.chmod(0o755)
    return {'PATH': f'{program.parent}:{projects.clean_environment()["PATH"]}'}


def test_nspawn(outputs, nspawn):
    project = outputs('directory')
    said = project.run('--nspawn', 'shell', 'true', status=5, environment=nspawn | {'STATUS': '5'})
    alone = '' if os.path.isdir('/run/systemd/system') else ' --register=no --keep-unit'
    assert said.stdout == f'ready --directory={project.directory}/image --ephemeral --private-network{alone} -- true\n'


def test_real_nspawn(outputs, foreign_tool):
    """On a host that systemd runs, and on one that it does not."""
    foreign_tool('systemd-nspawn')
    project = outputs('directory')
    before = digest(project.directory / 'image')
    said = project.run('--nspawn', 'shell', 'sh', '-c', 'cat /etc/marker; echo new >/etc/new; exit 5', status=5)
    assert 'extra\n' in said.stdout
    assert digest(project.directory / 'image') == before
    project.run('--nspawn', '--persistent', 'shell', 'sh', '-c', 'echo new >/etc/new')
    assert (project.directory / 'image/etc/new').read_text(encoding='utf-8') == 'new\n'
    (project.directory / 'image/etc/new').unlink()


def test_nspawn_has_the_image(outputs, nspawn):
    """Locked as long as it runs; what asks mkosi to end asks it."""
    project = outputs('directory')
    build = project.start('--nspawn', 'boot', environment=nspawn)
    try:
        build.wait_for('ready')
        assert f'in use by process {build.process.pid}' in project.run('--persistent', 'shell', 'true', status=1).stderr
        build.kill(signal.SIGTERM)
        assert build.wait(END_SECONDS) == -signal.SIGTERM
        assert 'shutting down' in build.output and 'systemd-nspawn was ended' in build.output
    finally:
        build.end()
    project.run('--persistent', 'shell', 'true')


@pytest.mark.parametrize(
    'words, reason',
    [
        (['--format=tar'], 'systemd-nspawn reads no archives'),
        (['--format=gpt_ext4', '--xz', '--output=image.raw.xz'], 'build it with CompressOutput=no'),
        (['--format=gpt_ext4', '--qcow2', '--output=image.qcow2'], 'only the verb qemu can read it'),
        (['--format=gpt_ext4', '--read-only', '--persistent'], 'ReadOnly=yes (command line, --read-only): '),
    ],
)
def test_nspawn_refusals(outputs, nspawn, words, reason):
    """Before anything is built, or run."""
    said = outputs('directory').run('--nspawn', *words, 'shell', 'true', status=1, environment=nspawn)
    assert reason in said.stderr and said.stdout == ''


def test_nspawn_is_missing(outputs, tmp_path, foreign_tool):
    hide = f'mount --bind /dev/null {foreign_tool("systemd-nspawn")}; exec "$@"'
    said = outputs('directory').run(
        '--nspawn', 'shell', 'true', status=1, wrapper=['unshare', '--mount', 'sh', '-ec', hide, 'sh']
    )
    assert 'it is in the package systemd-container' in said.stderr
