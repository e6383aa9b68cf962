# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the processes of a unit have together: how many tasks there may be, and how much memory there is."""

import os
import signal

import pytest
from rig import controller_group, wait_for

SLEEP = '/bin/sleep infinity'
# Counts how many processes it can have beside itself, and goes on when it was told to.
FORKS = """
import os, signal, time
children = []
def fork(number=None, frame=None):
    try:
        while len(children) < 40:
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
        print('all', flush=True)
    except BlockingIOError:
        print(f'forked {len(children)}', flush=True)
signal.signal(signal.SIGUSR1, fork)
fork()
while True:
    signal.pause()
"""


@pytest.fixture
def limits(rig):
    if rig.controller('pids', '') is None:
        pytest.skip('nothing here has the controller pids')
    rig.write('/run/forks', FORKS)
    return rig


def forking(rig, **settings):
    rig.unit('forks.service', Type='exec', ExecStart='/usr/bin/python3 /run/forks', **settings)


def group(rig, unit='forks.service'):
    return rig.controller('pids', f'system.slice/{unit}')


def wait_line(rig, line, unit='forks'):
    wait_for(lambda: line in rig.log('-u', unit), f'"{line}"')


def test_no_more_tasks_than_the_limit(limits):
    forking(limits, TasksMax='10')
    limits.ctl('start', 'forks')
    wait_line(limits, 'forked 9')
    assert (group(limits) / 'pids.max').read_text() == '10\n'
    assert limits.show('forks', 'TasksMax', 'TasksCurrent') == {'TasksMax': '10', 'TasksCurrent': '10'}
    assert '    Tasks: 10 (limit: 10)' in limits.ctl('status', 'forks').stdout.splitlines()
    limits.ctl('stop', 'forks')
    assert not group(limits).exists()


def test_limit_of_a_slice(limits):
    """What is in it has the limit together, with what a slice above allows."""
    limits.write('/etc/systemd/system/few.slice', '[Slice]\nTasksMax=12\n')
    limits.write('/etc/systemd/system/few-less.slice', '[Slice]\nTasksMax=11\n')
    forking(limits, Slice='few-less.slice')
    limits.unit('first.service', Type='exec', Slice='few.slice', ExecStart=SLEEP)
    limits.ctl('start', 'first')
    limits.ctl('start', 'forks')
    wait_line(limits, 'forked 10')
    limits.ctl('set-property', 'few-less.slice', 'TasksMax=infinity')
    limits.ctl('kill', '--signal=USR1', '--kill-who=main', 'forks')
    # The one of the first service counts there.
    wait_line(limits, 'forked 10')
    assert limits.show('first', 'TasksCurrent') == '1'
    limits.ctl('set-property', 'few.slice', 'TasksMax=20')
    limits.ctl('kill', '--signal=USR1', '--kill-who=main', 'forks')
    wait_line(limits, 'forked 18')


def test_changed_while_it_runs(limits):
    forking(limits, TasksMax='5')
    limits.ctl('start', 'forks')
    wait_line(limits, 'forked 4')
    limits.ctl('set-property', '--runtime', 'forks', 'TasksMax=8')
    limits.ctl('kill', '--signal=USR1', '--kill-who=main', 'forks')
    wait_line(limits, 'forked 7')
    limits.ctl('set-property', '--runtime', 'forks', 'TasksMax=infinity')
    limits.ctl('kill', '--signal=USR1', '--kill-who=main', 'forks')
    wait_line(limits, 'all')
    assert limits.show('forks', 'TasksMax') == 'infinity'
    assert 'limit' not in limits.ctl('status', 'forks').stdout


def test_limit_that_comes_later(limits):
    limits.unit('late.service', Type='exec', ExecStart="/bin/sh -c 'sleep 1001 & sleep 1002 & exec sleep 1003'")
    limits.ctl('start', 'late')
    wait_for(lambda: limits.show('late', 'TasksCurrent') == '3', 'all processes')
    limits.ctl('set-property', 'late', 'TasksMax=20')
    assert (group(limits, 'late.service') / 'pids.max').read_text() == '20\n'
    assert (group(limits, 'late.service') / 'pids.current').read_text() == '3\n'
    assert '    Tasks: 3 (limit: 20)' in limits.ctl('status', 'late').stdout.splitlines()


def test_part_of_the_machine(limits):
    everything = min(
        int(open(f'/proc/sys/kernel/{name}').read()) for name in ('pid_max', 'threads-max')
    )
    forking(limits, TasksMax='15%')
    limits.ctl('start', 'forks')
    expected = str(min(everything, 1 << 22) * 15 // 100)
    assert limits.show('forks', 'TasksMax') == expected
    assert (group(limits) / 'pids.max').read_text() == f'{expected}\n'


def test_next_manager_keeps_to_it(limits):
    """What the limit needed goes with the service."""
    forking(limits, TasksMax='10')
    limits.ctl('start', 'forks')
    wait_line(limits, 'forked 9')
    limits.kill_manager()
    limits.start_manager()
    assert limits.show('forks', 'TasksMax', 'TasksCurrent') == {'TasksMax': '10', 'TasksCurrent': '10'}
    before = group(limits)
    limits.ctl('kill', '--signal=KILL', '--kill-who=all', 'forks')
    limits.wait_state('forks', 'failed')
    assert not before.exists()


def test_control_process_is_limited(limits):
    limits.unit(
        'limited.service', Type='exec', TasksMax='30', ExecStart=SLEEP,
        ExecReload="/bin/sh -c 'cat /proc/self/cgroup >/run/groups'",
    )  # fmt: skip
    limits.ctl('start', 'limited')
    limits.ctl('reload', 'limited')
    groups = limits.path('/run/groups').read_text().splitlines()
    own = group(limits, 'limited.service')
    relative = str(own.relative_to('/sys/fs/cgroup')).split('/', 1)[1]
    assert any(line.endswith(f'/{relative}') and ('pids' in line or line.startswith('0::')) for line in groups)


def test_nothing_has_the_controller(rig):
    """The service runs, and is said to be without a limit."""
    if 'pids' in (rig.cgroup / 'cgroup.controllers').read_text().split():
        pytest.skip('version 2 has the controller')
    rig.kill_manager()
    for _ in range(10):
        if rig.run('umount', '/sys/fs/cgroup/pids', check=False).returncode != 0:
            break
    rig.start_manager()
    rig.unit('free.service', Type='exec', TasksMax='30', ExecStart=SLEEP)
    rig.ctl('start', 'free')
    said = [line for line in rig.log('-u', 'free') if 'TasksMax=' in line]
    assert len(said) == 1
    assert said[0].startswith('free.service: TasksMax= is not kept to: Neither has')
    assert rig.show('free', 'TasksCurrent') == '1'


def test_memory(rig):
    if rig.controller('memory', '') is None:
        pytest.skip('nothing here has the controller memory')
    script = "b = bytearray(32 << 20); print('done', flush=True); import signal; signal.pause()"
    rig.unit(
        'memory.service', Type='exec', MemoryAccounting='yes', ExecStart=f'/usr/bin/python3 -c "{script}"'
    )
    rig.ctl('start', 'memory')
    wait_line(rig, 'done', 'memory')
    used = int(rig.show('memory', 'MemoryCurrent'))
    assert 32 << 20 <= used < 128 << 20
    lines = rig.ctl('status', 'memory').stdout.splitlines()
    shown = [line for line in lines if line.startswith('   Memory: ')]
    assert len(shown) == 1 and 32 <= float(shown[0].split()[1].rstrip('M')) < 128
    rig.ctl('set-property', 'memory', 'MemoryAccounting=no')
    assert 'Memory:' not in rig.ctl('status', 'memory').stdout
    rig.ctl('stop', 'memory')
    assert not rig.controller('memory', 'system.slice/memory.service').exists()


def test_memory_that_is_not_counted(rig):
    rig.unit('memory.service', Type='exec', ExecStart=SLEEP)
    rig.ctl('start', 'memory')
    assert 'Memory:' not in rig.ctl('status', 'memory').stdout
    assert rig.show('memory', 'MemoryCurrent') in ('[not set]', 'infinity', str(2**64 - 1))


def test_limit_of_the_manager(rig):
    """What limits the manager in a hierarchy of version 1 limits its units too: their groups are below its own."""
    base = controller_group('pids', rig.name)
    if base is None or 'pids' in (rig.cgroup / 'cgroup.controllers').read_text().split():
        pytest.skip('no hierarchy of version 1 has the controller pids')
    above = base.parent / f'{rig.name}-above'
    above.mkdir()
    rig.kill_manager()
    try:
        rig.manager = rig.popen(
            'sh', '-c', f'echo $$ >{above}/cgroup.procs && exec "$@"', 'sh',
            rig.programs / 'mkosi-manager', f'--cgroup={rig.name}', f'--helper={rig.programs / "mkosi-exec"}',
        )  # fmt: skip
        wait_for(rig.is_listening, 'the manager')
        rig.unit('free.service', Type='exec', TasksMax='30', ExecStart=SLEEP)
        rig.ctl('start', 'free')
        own = above / rig.name / 'system.slice/free.service'
        assert (own / 'cgroup.procs').read_text().split() == [str(rig.main_pid('free'))]
        rig.ctl('stop', 'free')
        assert not own.exists()
        assert rig.kill_manager(signal.SIGTERM) == 0
    finally:
        for path in sorted(above.glob('**/'), reverse=True):
            path.rmdir()


@pytest.mark.parametrize('name, below', [('manager', True), ('other', False)])
def test_group_of_the_manager_alone(rig, name, below):
    """With DelegateSubgroup=manager, units are beside the manager, in what was delegated, which has no processes of its own."""
    rig.kill_manager()
    rig.cgroup.mkdir(exist_ok=True)
    try:
        os.setxattr(rig.cgroup, 'trusted.delegate', b'1')
    except OSError as problem:
        pytest.skip(f'no extended attributes of control groups: {problem}')
    own = rig.cgroup / name
    own.mkdir()
    rig.manager = rig.popen(
        'sh', '-c', f'echo $$ >{own}/cgroup.procs && exec "$@"', 'sh',
        rig.programs / 'mkosi-manager', f'--helper={rig.programs / "mkosi-exec"}',
    )  # fmt: skip
    wait_for(rig.is_listening, 'the manager')
    service = f'{rig.name}.service'
    rig.unit(service, Type='exec', ExecStart=SLEEP)
    rig.ctl('start', service)
    assert bool(rig.processes(f'system.slice/{service}')) == below
    assert (rig.cgroup / 'cgroup.procs').read_text() == ''
    rig.ctl('stop', service)
    assert rig.kill_manager(signal.SIGTERM) == 0
