# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manager is killed while services run, and the next one goes on where it was."""

from rig import wait_for

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
    wait_for(lambda: rig.show('user', 'MainPID') != '0', 'the process')
    names = ('ActiveState', 'SubState', 'MainPID', 'InvocationID', 'UID', 'ExecMainStartTimestampMonotonic')
    before = rig.show('user', *names)
    for _ in range(3):
        rig.kill_manager()
        rig.start_manager()
        assert rig.show('user', *names) == before
    rig.ctl('stop', 'user')
    assert rig.state('user') == 'inactive'
