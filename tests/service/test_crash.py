# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manager is killed while services run, and the next one goes on where it was."""

import fcntl
import os
import shutil
import signal
import subprocess
import threading

import pytest
from rig import UNITS, programs, wait_for

TALK = "/bin/sh -c 'i=0; while :; do i=$((i+1)); echo line $i; sleep 0.05; done'"


def numbers(rig, unit):
    return [int(line.split()[1]) for line in rig.log('-u', unit) if line.startswith('line ')]


def test_log_goes_on(rig):
    """No line is lost of what is said while nobody listens, and nobody dies of it."""
    rig.unit('talk.service', ExecStart=TALK)
    rig.ctl('start', 'talk')
    wait_for(lambda: len(numbers(rig, 'talk')) > 3, 'some lines')
    pid = rig.main_pid('talk')
    rig.kill_manager()
    last = numbers(rig, 'talk')[-1]
    rig.start_manager()
    wait_for(lambda: numbers(rig, 'talk')[-1] > last + 5, 'more lines')
    found = numbers(rig, 'talk')
    assert found == list(range(1, len(found) + 1))
    assert rig.main_pid('talk') == pid


def test_end_while_nobody_looks(rig):
    """A service that fails in between is not taken for one that runs, and leaves nothing."""
    rig.unit('end.service', DynamicUser='yes', RuntimeDirectory='end', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'end')
    pid = wait_for(lambda: rig.main_pid('end'), 'the process')
    rig.kill_manager()
    rig.run('kill', '-KILL', str(pid))
    rig.start_manager()
    rig.wait_state('end', 'failed', 'inactive')
    wait_for(lambda: not rig.exists('/run/end'), 'its directory to go')
    assert not (rig.cgroup / 'system.slice/end.service').exists()


def test_crash_while_it_starts(rig):
    """Killed in the middle of a start: it can be stopped, and started again."""
    rig.unit(
        'mid.service',
        Type='oneshot',
        RemainAfterExit='yes',
        ExecStart="/bin/sh -c 'until [ -e /run/go ]; do sleep 0.01; done'",
    )
    client = rig.popen(rig.programs / 'mkosi-ctl', 'start', 'mid')
    rig.wait_state('mid', 'activating')
    rig.kill_manager()
    assert client.wait(60) == 1
    rig.start_manager()
    rig.write('/run/go', '')
    rig.wait_state('mid', 'active', 'failed', 'inactive')
    rig.ctl('restart', 'mid')
    assert rig.state('mid') == 'active'


def test_many_crashes(rig):
    """State survives one crash after another."""
    rig.unit('user.service', DynamicUser='yes', StateDirectory='many', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'user')
    wait_for(lambda: rig.show('user', 'UID') != '[not set]', 'its user')
    names = ('ActiveState', 'SubState', 'MainPID', 'InvocationID', 'UID', 'ExecMainStartTimestampMonotonic')
    before = rig.show('user', *names)
    for _ in range(3):
        rig.kill_manager()
        rig.start_manager()
        assert rig.show('user', *names) == before
    rig.ctl('stop', 'user')
    assert rig.state('user') == 'inactive'


def words(rig, path):
    return rig.path(path).read_text().split() if rig.exists(path) else []


def is_settled(rig, unit):
    return rig.state(unit) not in ('activating', 'deactivating', 'reloading')


def killed_at(rig, number, *verbs):
    """Has a manager do this that is killed when it has replaced its files that often, or before (of a negative number); the next
    one takes over. False when all was done before that."""
    library = rig.programs / 'kill-at.so'
    if not rig.exists(library):
        shutil.copy(programs().parent / 'tests/tools/kill-at.so', rig.path(library))
    rig.kill_manager()
    rig.start_manager(environment=(f'LD_PRELOAD={library}', f'KILL_AT={number}'))
    for verb in verbs:
        rig.ctl(*verb, check=False)
    killed = rig.ctl('list-units', check=False).returncode != 0
    if killed:
        assert rig.manager.wait() == -signal.SIGKILL
        rig.manager = None
    else:
        rig.kill_manager()
    rig.start_manager()
    return killed


STEPS = """[Service]
Type=oneshot
RemainAfterExit=yes
ExecStartPre=/bin/sh -c 'echo pre >>/run/ran-%i'
ExecStart=/bin/sh -c 'echo one >>/run/ran-%i'
ExecStart=/bin/sh -c 'echo two >>/run/ran-%i'
ExecStartPost=/bin/sh -c 'echo post >>/run/ran-%i'
ExecStop=/bin/sh -c 'echo stop >>/run/ran-%i'
ExecStopPost=/bin/sh -c 'echo end >>/run/ran-%i'
"""
ALL = ['pre', 'one', 'two', 'post', 'stop', 'end']


@pytest.mark.parametrize('sign', [1, -1])
def test_killed_anywhere_no_command_runs_twice(rig, sign):
    """Wherever the manager is killed, the next one runs no command a second time, leaves none out as if it had been run, and has the
    unit in a state that it can be started from."""
    rig.unit('steps@.service', STEPS)
    number = 0
    killed = True
    while killed:
        number += 1
        unit = f'steps@{number}.service'
        killed = killed_at(rig, sign * number, ('start', unit), ('stop', unit))
        wait_for(lambda: is_settled(rig, unit), 'a state that lasts')
        ran = words(rig, f'/run/ran-{number}')
        started = [word for word in ran if word not in ('stop', 'end')]
        assert len(set(ran)) == len(ran), f'{number}: {ran}'
        assert started == ALL[: len(started)], f'{number}: {ran}'
        assert rig.state(unit) != 'active' or ran == ALL[:4], f'{number}: {ran}'
        assert rig.processes(f'system.slice/system-steps.slice/{unit}') == []
        rig.ctl('stop', unit)
        rig.write(f'/run/ran-{number}', '')
        rig.ctl('start', unit)
        rig.ctl('stop', unit)
        assert words(rig, f'/run/ran-{number}') == ALL
        assert not rig.exists(f'/run/mkosi/units/{unit}')
    assert number > 12, 'it was killed at many points'


def is_reserved(rig, uid):
    """Whether somebody holds the number in the registry of dynamic users."""
    with open(rig.path(f'/run/mkosi/dynamic-uid/{uid}'), encoding='utf-8') as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


@pytest.mark.parametrize('sign', [1, -1])
def test_killed_anywhere_nobody_is_lost(rig, sign):
    """Wherever the manager is killed while a service starts, its process is known to the next one, and its user's number too; or the
    service has failed, and nobody is left."""
    rig.unit('sleep@.service', DynamicUser='yes', StateDirectory='sleep', ExecStart='/bin/sleep infinity')
    number = 0
    killed = True
    found = set()
    while killed:
        number += 1
        unit = f'sleep@{number}.service'
        killed = killed_at(rig, sign * number, ('start', unit))
        wait_for(lambda: is_settled(rig, unit), 'a state that lasts')
        state = rig.state(unit)
        found.add(state)
        running = rig.processes(f'system.slice/system-sleep.slice/{unit}')
        assert running == ([rig.main_pid(unit)] if state == 'active' else []), f'{number}: {state}'
        if state == 'active':
            uid = int(rig.show(unit, 'UID'))
            wait_for(lambda: os.stat(f'/proc/{running[0]}').st_uid == uid, 'its user')
            assert is_reserved(rig, uid)
        rig.ctl('stop', unit)
        rig.ctl('reset-failed')
        assert rig.processes(f'system.slice/system-sleep.slice/{unit}') == []
        assert not rig.exists(f'/run/mkosi/units/{unit}')
    assert 'active' in found
    assert number > 3, 'it was killed at many points'


def test_number_that_is_locked_for_a_moment(rig):
    """What the manager before has started may hold the lock a little longer: the next one waits for it, and has it then."""
    rig.unit('user.service', Type='exec', DynamicUser='yes', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'user')
    uid = int(rig.show('user', 'UID'))
    rig.kill_manager()
    with open(rig.path(f'/run/mkosi/dynamic-uid/{uid}'), encoding='utf-8') as file:
        wait_for(lambda: not is_reserved(rig, uid), 'the end of the one before')
        fcntl.flock(file, fcntl.LOCK_EX)
        threading.Timer(0.3, fcntl.flock, (file, fcntl.LOCK_UN)).start()
        rig.start_manager()
        assert is_reserved(rig, uid)
        rig.ctl('stop', 'user')
    assert not rig.exists(f'/run/mkosi/dynamic-uid/{uid}')


def test_settings_of_what_runs(rig):
    """A service whose file has gone, or says something else, goes on as it was started, and ends as it was to end."""
    text = '[Service]\nExecStart=/bin/sleep infinity\nExecStop=/bin/sh -c "echo old >/run/stopped-%N"\n[Install]\nWantedBy=multi-user.target\n'
    for name in ('gone', 'other'):
        rig.unit(f'{name}.service', text)
        rig.ctl('start', name)
    pids = [rig.main_pid(name) for name in ('gone', 'other')]
    rig.kill_manager()
    rig.path(f'{UNITS}/gone.service').unlink()
    rig.unit('other.service', text.replace('old', 'new').replace('ExecStart', 'Environment=A=1\nExecStart', 1))
    rig.start_manager()
    assert [rig.main_pid(name) for name in ('gone', 'other')] == pids
    assert rig.show('other', 'UnitFileState') == 'disabled'
    for name in ('gone', 'other'):
        rig.ctl('stop', name)
        assert words(rig, f'/run/stopped-{name}') == ['old']
    assert 'not found' in rig.ctl('start', 'gone', check=False).stderr
    rig.ctl('start', 'other')
    rig.ctl('stop', 'other')
    assert words(rig, '/run/stopped-other') == ['new']


def test_a_name_that_has_become_another_one(rig):
    """A unit runs, and its file becomes a link to another one's: both stay what they are until they end."""
    for name in ('first', 'second'):
        rig.unit(f'{name}.service', ExecStart='/bin/sleep infinity')
        rig.ctl('start', name)
    pids = {name: rig.main_pid(name) for name in ('first', 'second')}
    rig.kill_manager()
    rig.path(f'{UNITS}/first.service').unlink()
    rig.path(f'{UNITS}/first.service').symlink_to('second.service')
    rig.start_manager()
    assert {name: rig.main_pid(name) for name in ('first', 'second')} == pids
    rig.ctl('stop', 'first')
    assert rig.state('second') == 'active'
    assert rig.processes('system.slice/first.service') == []
    assert rig.main_pid('first') == pids['second'], 'it is the other one now'


def test_failures_and_targets_are_remembered(rig):
    """What has failed is said so until somebody has read it, and a target that was reached is."""
    rig.unit('bad.service', ExecStart='/bin/sh -c "exit 7"')
    rig.unit('forgotten.service', '[Unit]\nCollectMode=inactive-or-failed\n[Service]\nExecStart=/bin/false\n')
    rig.unit('reached.target', '[Unit]\nDescription=A point\n')
    rig.ctl('start', 'bad', check=False)
    rig.ctl('start', 'forgotten', check=False)
    rig.ctl('start', 'reached.target')
    rig.wait_state('bad', 'failed')
    rig.transient('--unit=gone', '--wait', '/bin/false', check=False)
    names = ('ActiveState', 'SubState', 'Result', 'ExecMainStatus', 'InactiveEnterTimestamp', 'InvocationID')
    before = rig.show('bad', *names)
    assert before['ExecMainStatus'] == '7'
    assert rig.state('gone') == 'failed'
    rig.kill_manager()
    rig.start_manager()
    assert rig.show('bad', *names) == before
    assert rig.state('reached.target') == 'active'
    assert rig.state('forgotten') == 'inactive'
    assert rig.state('gone') == 'failed'
    assert rig.exists('/run/mkosi/transient/gone.service')
    rig.ctl('reset-failed')
    wait_for(lambda: not rig.exists('/run/mkosi/transient/gone.service'), 'the file to go')
    rig.kill_manager()
    rig.start_manager()
    assert rig.state('bad') == rig.state('gone') == 'inactive'


def test_times_and_transient_units(rig):
    """When a unit became active is noted as soon as it is; a transient unit stays one, and goes with its file."""
    rig.unit('once.service', Type='oneshot', RemainAfterExit='yes', ExecStart='/bin/true')
    rig.ctl('start', 'once')
    rig.transient('--unit=brief', '/bin/sleep', 'infinity')
    rig.transient('--unit=ends', '/bin/sleep', 'infinity')
    names = ('ActiveEnterTimestamp', 'StateChangeTimestamp')
    before = rig.show('once', *names)
    assert all(before.values())
    end = rig.main_pid('ends')
    rig.kill_manager()
    rig.send(end, signal.SIGKILL)
    rig.write('/run/mkosi/transient/nobody.service', '[Service]\nExecStart=/bin/true\n')
    rig.start_manager()
    assert rig.show('once', *names) == before
    assert rig.show('brief', 'Transient') == 'yes'
    assert not rig.exists('/run/mkosi/transient/nobody.service')
    assert rig.wait_state('ends', 'failed', 'inactive')
    rig.ctl('reset-failed')
    wait_for(lambda: not rig.exists('/run/mkosi/transient/ends.service'), 'the file to go')
    rig.ctl('stop', 'brief')
    wait_for(lambda: not rig.exists('/run/mkosi/transient/brief.service'), 'the file to go')
    assert rig.show('brief', 'LoadState') == 'not-found'


def test_what_was_given_up_leaves_nothing(rig):
    """A directory without a state, and a cgroup in which nobody is, are removed without a word; one that somebody is in is named."""
    rig.kill_manager()
    rig.path('/run/mkosi/units/early.service').mkdir(parents=True)
    slice = rig.cgroup / 'system.slice'
    (slice / 'early.service').mkdir(parents=True)
    (slice / 'foreign.service').mkdir()
    foreign = rig.popen('/bin/sleep', 'infinity')
    (slice / 'foreign.service/cgroup.procs').write_text(str(foreign.pid))
    rig.start_manager()
    assert not rig.exists('/run/mkosi/units/early.service')
    assert not (slice / 'early.service').exists()
    assert foreign.poll() is None
    said = [line for line in rig.log() if 'early' in line or 'foreign' in line]
    assert len(said) == 1 and 'foreign.service: Processes run in the cgroup' in said[0]
    foreign.kill()
    foreign.wait()


def test_commands_of_the_end_run_once(rig):
    """Killed after ExecStop= and while the service does not want to go, or while what it left is removed: neither runs again."""
    rig.unit(
        'stubborn.service',
        ExecStart="/bin/sh -c 'trap : TERM; touch /run/up; while :; do sleep 0.05; done'",
        ExecStop='/bin/sh -c "echo stop >>/run/ran"',
        ExecStopPost='/bin/sh -c "echo end >>/run/ran"',
    )
    rig.ctl('start', 'stubborn')
    wait_for(lambda: rig.exists('/run/up'), 'the service')
    client = rig.popen(rig.programs / 'mkosi-ctl', 'stop', 'stubborn', stderr=subprocess.DEVNULL)
    wait_for(lambda: rig.show('stubborn', 'SubState') == 'stop-sigterm', 'the signal')
    rig.kill_manager()
    client.wait(60)
    rig.start_manager()
    assert rig.show('stubborn', 'SubState') == 'stop-sigterm'
    rig.ctl('kill', '--signal=KILL', 'stubborn')
    wait_for(lambda: is_settled(rig, 'stubborn'), 'the end')
    assert words(rig, '/run/ran') == ['stop', 'end']


def test_a_service_that_was_to_come_back_does(rig):
    """Killed between the end of a service and its next start."""
    rig.unit('again.service', Restart='always', RestartSec='2s', ExecStart='/bin/sh -c "echo >>/run/ran x"')
    rig.ctl('start', 'again')
    wait_for(lambda: rig.show('again', 'SubState') == 'auto-restart', 'the end')
    rig.kill_manager()
    n = len(words(rig, '/run/ran'))
    rig.start_manager()
    wait_for(lambda: len(words(rig, '/run/ran')) > n, 'another start')
    rig.ctl('stop', 'again')


def test_jobs_are_gone_on_with(rig):
    """What was to be done when the manager was killed is done by the next one: the second half of a restart, and what waits for the
    end or the start of something else. What it says in the log is said."""
    rig.unit('slow.service', TimeoutStopSec='60s', ExecStart='/bin/sleep infinity', ExecStop='/bin/sh -c "until [ -e /run/go ]; do sleep 0.02; done"')
    rig.unit('behind.service', '[Unit]\nAfter=slow.service\nBefore=first.service\n[Service]\nExecStart=/bin/sleep infinity\n')
    rig.unit('first.service', '[Service]\nExecStart=/bin/sleep infinity\n')
    rig.ctl('start', 'slow', 'first')
    pid = rig.main_pid('slow')
    clients = [rig.popen(rig.programs / 'mkosi-ctl', 'restart', 'slow', stderr=subprocess.DEVNULL)]
    wait_for(lambda: rig.show('slow', 'SubState') == 'stop', 'the stop')
    clients.append(rig.popen(rig.programs / 'mkosi-ctl', 'start', 'behind', stderr=subprocess.DEVNULL))
    wait_for(lambda: 'behind.service' in rig.ctl('list-jobs').stdout, 'the job that waits')
    rig.kill_manager()
    for client in clients:
        assert client.wait(60) != 0
    rig.start_manager()
    assert rig.state('behind') == 'inactive'
    rig.write('/run/go', '')
    wait_for(lambda: rig.state('slow') == rig.state('behind') == 'active', 'both')
    assert rig.main_pid('slow') not in (0, pid)
    said = [line for line in rig.log('-u', 'slow') if line.startswith(('Sto', 'Sta'))]
    assert said == [f'{word} slow.service{end}' for word, end in
                    (('Starting', '...'), ('Started', '.'), ('Stopping', '...'), ('Stopped', '.'),
                     ('Starting', '...'), ('Started', '.'))]  # fmt: skip


SEES = '/bin/sh -c "stat -L -c %%%%i /proc/self/ns/net >/run/%s"'


def seen(rig, name):
    return int(rig.path(f'/run/{name}').read_text())


def test_network_is_the_one_of_the_start(rig):
    """Whichever network a service's processes have gone to: after a crash its other commands, and who joins it, are in the one
    that it was given. Nothing of it stays at the end."""
    host = rig.path('/proc/self/ns/net').stat().st_ino
    out = f'/usr/bin/nsenter --net=/proc/{rig.holder.pid}/ns/net sleep infinity'
    rig.unit('out.service', PrivateNetwork='yes', Type='exec', ExecStartPre=SEES % 'pre', ExecStart=out,
             ExecReload=SEES % 'reload', ExecStop=SEES % 'stop')  # fmt: skip
    rig.unit('join.service', '[Unit]\nJoinsNamespaceOf=out.service\n[Service]\nPrivateNetwork=yes\nType=oneshot\n'
             f'RemainAfterExit=yes\nExecStart={SEES % "join"}\nExecStop={SEES % "end"}\n')  # fmt: skip
    rig.ctl('start', 'out')
    wait_for(lambda: b'sleep' in rig.path(f'/proc/{rig.main_pid("out")}/cmdline').read_bytes()[:6], 'its way out')
    own = seen(rig, 'pre')
    assert rig.path(f'/proc/{rig.main_pid("out")}/ns/net').stat().st_ino != own
    rig.kill_manager()
    rig.start_manager()
    rig.ctl('reload', 'out')
    rig.ctl('start', 'join')
    assert seen(rig, 'reload') == seen(rig, 'join') == own != host
    rig.kill_manager()
    rig.start_manager()
    rig.ctl('stop', 'out')
    # Nobody is in it any more but for the one that is still active.
    assert len(os.listdir(rig.path('/run/mkosi/netns'))) == 1
    rig.kill_manager()
    rig.start_manager()
    rig.ctl('stop', 'join')
    assert seen(rig, 'stop') == seen(rig, 'end') == own
    assert os.listdir(rig.path('/run/mkosi/netns')) == []
    assert 'nsfs' not in rig.shell('cat /proc/self/mountinfo').stdout


def test_network_that_is_lost(rig):
    """Without its pin nothing is run in another network; a restart mends it. What no service has is removed."""
    rig.unit('net.service', PrivateNetwork='yes', Type='exec', ExecStart='/bin/sleep infinity', ExecReload=SEES % 'reload')
    rig.ctl('start', 'net')
    rig.kill_manager()
    (pin,) = os.listdir(rig.path('/run/mkosi/netns'))
    rig.shell(f'umount /run/mkosi/netns/{pin}; touch /run/mkosi/netns/{"0" * 32}; '
              f'mount --bind /proc/self/ns/net /run/mkosi/netns/{"0" * 32}')  # fmt: skip
    rig.start_manager()
    assert os.listdir(rig.path('/run/mkosi/netns')) == [pin]
    assert any('is lost' in line for line in rig.log('-u', 'net'))
    rig.ctl('reload', 'net', check=False)
    assert not rig.exists('/run/reload')
    assert any('NETWORK' in line and 'restart the service' in line for line in rig.log('-u', 'net'))
    rig.ctl('restart', 'net')
    rig.ctl('reload', 'net')
    assert rig.exists('/run/reload')


def test_shared_by_way_of_a_third_one(rig):
    """Two services that one tied together which has ended: a crash does not make each of them the only one."""
    private = 'PrivateTmp=yes\nPrivateNetwork=yes\nType=exec\nExecStart=/bin/sleep infinity\n'
    rig.unit('middle.service', f'[Service]\n{private}')
    for name in ('one', 'other'):
        rig.unit(f'{name}.service', f'[Unit]\nJoinsNamespaceOf=middle.service\n[Service]\n{private}ExecReload={SEES % name}\n')
    rig.ctl('start', 'middle')
    rig.ctl('start', 'one', 'other')
    rig.ctl('stop', 'middle')
    rig.kill_manager()
    rig.start_manager()
    rig.write(f'/proc/{rig.main_pid("other")}/root/tmp/marker', 'x')
    rig.ctl('reload', 'one')
    rig.ctl('stop', 'one')
    assert rig.exists(f'/proc/{rig.main_pid("other")}/root/tmp/marker')
    rig.ctl('reload', 'other')
    assert seen(rig, 'one') == seen(rig, 'other')
    rig.ctl('stop', 'other')
    for path in ('/tmp', '/var/tmp', '/run/mkosi/netns'):
        assert os.listdir(rig.path(path)) == []


@pytest.mark.parametrize('sign', [1, -1])
def test_killed_anywhere_nothing_stays(rig, sign):
    """Wherever the manager is killed while a service starts or stops: what it was given goes when it has ended."""
    rig.unit('given@.service', PrivateTmp='yes', PrivateNetwork='yes', TasksMax='50', ExecStart='/bin/sleep infinity')
    rig.write('/tmp/systemd-private-of-another-manager/tmp', '')
    number = 0
    killed = True
    while killed:
        number += 1
        unit = f'given@{number}.service'
        killed = killed_at(rig, sign * number, ('start', unit), ('stop', unit))
        wait_for(lambda: is_settled(rig, unit), 'a state that lasts')
        rig.ctl('stop', unit)
        rig.ctl('reset-failed')
        assert os.listdir(rig.path('/tmp')) == ['systemd-private-of-another-manager'], number
        for path in ('/var/tmp', '/run/mkosi/netns'):
            assert os.listdir(rig.path(path)) == [], f'{number}: {path}'
        group = rig.controller('pids', f'system.slice/system-given.slice/{unit}')
        assert not group or not group.exists(), number
        assert not rig.exists(f'/run/mkosi/units/{unit}')
    assert number > 6, 'it was killed at many points'


def test_what_nobody_can_take_over_is_left_alone(rig):
    """A service that goes on under a name that has become another one's keeps its files and its network."""
    for name in ('first', 'second'):
        rig.unit(f'{name}.service', PrivateTmp='yes', PrivateNetwork='yes', Type='exec', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'first')
    pid = rig.main_pid('first')
    rig.kill_manager()
    rig.path(f'{UNITS}/first.service').unlink()
    rig.path(f'{UNITS}/first.service').symlink_to('second.service')
    rig.path('/run/mkosi/units/first.service/settings').write_text('{}')
    (pin,) = os.listdir(rig.path('/run/mkosi/netns'))
    rig.start_manager()
    assert any('another name of second.service' in line for line in rig.log())
    assert rig.exists(f'/proc/{pid}/root/tmp')
    assert [path.name for path in rig.path('/tmp').glob('systemd-private-*/*')] == ['tmp']
    assert os.listdir(rig.path('/run/mkosi/netns')) == [pin]
    rig.send(pid, signal.SIGKILL)


def number_is_locked(rig, uid):
    lock = rig.path(f'/run/mkosi/dynamic-uid/{uid}')
    return rig.run('flock', '-n', '-E', '9', f'/run/mkosi/dynamic-uid/{uid}', 'true', check=False).returncode == 9 and lock.exists()


@pytest.mark.parametrize('settings_too', [False, True])
def test_a_state_that_cannot_be_read(rig, settings_too):
    """What runs goes on, keeps its number, and gets no second one beside it; when it has ended all is as ever."""
    rig.unit('torn.service', Type='exec', DynamicUser='yes', RuntimeDirectory='torn', ExecStart='/bin/sleep infinity')
    rig.ctl('start', 'torn')
    pid, uid = rig.main_pid('torn'), int(rig.show('torn', 'UID'))
    group = 'system.slice/torn.service'
    for crash in range(2):
        rig.kill_manager()
        rig.write('/run/mkosi/units/torn.service/state', '{"invocation": "')
        if settings_too:
            rig.write('/run/mkosi/units/torn.service/settings', 'x')
        rig.start_manager()
        assert rig.show('torn', 'ActiveState', 'Result') == {'ActiveState': 'failed', 'Result': 'resources'}
        assert any('until that has ended it cannot be started' in line for line in rig.log('-u', 'torn'))
        assert number_is_locked(rig, uid)
    assert not any('mkosi-ctl kill' in line for line in rig.log('-u', 'torn')), 'nobody has asked for a start'
    # Nobody else gets the number, and a note of all this does not make it one that may be started.
    rig.ctl('reset-failed', 'torn')
    rig.kill_manager()
    rig.start_manager()
    assert number_is_locked(rig, uid)
    assert rig.shell('ls -d /tmp/*torn* /var/tmp/*torn* | wc -l').stdout == '2\n'
    assert rig.ctl('start', 'torn', check=False).returncode != 0
    assert any('"mkosi-ctl kill torn.service"' in line for line in rig.log('-u', 'torn'))
    assert rig.processes(group) == [pid]
    rig.ctl('kill', 'torn')
    wait_for(lambda: not (rig.cgroup / group).exists(), 'the group to go')
    wait_for(lambda: not rig.exists(f'/run/mkosi/dynamic-uid/{uid}'), 'the number to be free')
    assert not rig.exists('/run/torn')
    assert rig.shell('ls -d /tmp/*torn* /var/tmp/*torn* || true').stdout == ''
    rig.ctl('start', 'torn')
    assert rig.state('torn') == 'active' and len(rig.processes(group)) == 1


SAYS_READY = """
import os, socket, time
while not os.path.exists('/run/tell'):
    time.sleep(0.05)
while True:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
            one.connect(os.environ['NOTIFY_SOCKET'])
            one.send(b'READY=1')
    except OSError:
        open('/run/unheard', 'w').close()
    time.sleep(0.5)
"""


def test_time_to_say_ready_again(rig):
    """What was said while nobody listened is lost; who repeats it is not ended for what the time without a manager took."""
    rig.write('/run/says-ready', SAYS_READY)
    rig.unit('late.service', Type='notify', TimeoutStartSec='3s', ExecStart='/usr/bin/python3 /run/says-ready')
    rig.ctl('start', '--no-block', 'late')
    pid = wait_for(lambda: rig.main_pid('late'), 'its process')
    rig.kill_manager()
    rig.write('/run/tell', '')
    wait_for(lambda: rig.exists('/run/unheard'), 'what nobody hears')
    rig.run('sleep', '3')
    rig.start_manager()
    assert rig.wait_state('late', 'active', 'failed', 'inactive') == 'active'
    assert rig.main_pid('late') == pid


def test_silence_is_still_the_end(rig):
    """One that says nothing has that time, and no more."""
    rig.unit('late.service', Type='notify', TimeoutStartSec='1s', ExecStart='/bin/sleep infinity')
    rig.ctl('start', '--no-block', 'late')
    wait_for(lambda: rig.main_pid('late'), 'its process')
    rig.kill_manager()
    rig.start_manager()
    rig.wait_state('late', 'failed')
    assert rig.show('late', 'Result') == 'timeout'
