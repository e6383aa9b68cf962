# SPDX-License-Identifier: LGPL-2.1-or-later
"""system.conf: what holds for all units that do not say it themselves."""

import pytest

SLEEP = '/bin/sleep infinity'
CONF = '/etc/mkosi/system.conf'


def anew(rig):
    """Another manager, and what it said up to the point where it listens."""
    if rig.manager:
        rig.kill_manager()
    with rig.path('/run/said').open('w') as said:
        rig.start_manager(stderr=said)
    return rig.path('/run/said').read_text().splitlines()


def conf(rig, *lines, path=CONF):
    rig.write(path, '\n'.join(['[Manager]', *lines]) + '\n')


def test_defaults_are_given(rig):
    conf(
        rig,
        'DefaultTimeoutStartSec=1min',
        'DefaultTimeoutStopSec=2min',
        'DefaultRestartSec=3s',
        'DefaultTasksMax=77',
        'DefaultCPUAccounting=yes',
        'DefaultStandardOutput=null',
        'DefaultLimitNOFILE=123:456',
        'DefaultEnvironment=A=default "B=two words"',
    )
    assert anew(rig) == []
    rig.unit(
        'plain.service', Type='exec', Environment='A=own',
        ExecStart="/bin/sh -c 'echo $A/$B/$(ulimit -Sn)/$(ulimit -Hn) >/run/answer; echo out; exec sleep infinity'",
    )  # fmt: skip
    rig.unit('own.service', Type='exec', TasksMax='5', CPUAccounting='no', TimeoutSec='7', ExecStart=SLEEP)
    rig.ctl('start', 'plain', 'own')
    shown = {
        'TimeoutStartUSec': '1min', 'TimeoutStopUSec': '2min', 'RestartUSec': '3s',
        'TasksMax': '77', 'CPUAccounting': 'yes', 'StandardOutput': 'null', 'LimitNOFILE': '456',
    }  # fmt: skip
    assert rig.show('plain', *shown) == shown
    own = {'TasksMax': '5', 'CPUAccounting': 'no', 'TimeoutStartUSec': '7s', 'TimeoutStopUSec': '7s'}
    assert rig.show('own', *own) == own
    assert rig.path('/run/answer').read_text() == 'own/two words/123/456\n'
    assert 'out' not in rig.log('-u', 'plain')


def test_transient_units_have_them(rig):
    conf(rig, 'DefaultLimitNOFILE=123', 'DefaultEnvironment=A=b')
    anew(rig)
    assert rig.transient('--pipe', 'sh', '-c', 'echo $A $(ulimit -n)').stdout == 'b 123\n'


def test_precedence(rig):
    """Own files come before those of systemd, of which drop-ins count as well."""
    conf(rig, 'DefaultTasksMax=1', 'DefaultRestartSec=1s', path='/etc/systemd/system.conf')
    conf(rig, 'DefaultTimeoutStopSec=3', path='/etc/systemd/system.conf.d/10.conf')
    anew(rig)
    rig.unit('a.service', ExecStart=SLEEP)
    wanted = ('TasksMax', 'RestartUSec', 'TimeoutStopUSec')
    assert rig.show('a', *wanted) == {'TasksMax': '1', 'RestartUSec': '1s', 'TimeoutStopUSec': '3s'}
    conf(rig, 'DefaultTasksMax=2')
    anew(rig)
    assert rig.show('a', *wanted) == {'TasksMax': '2', 'RestartUSec': '100ms', 'TimeoutStopUSec': '3s'}


def test_what_is_not_known(rig):
    """It is said with its place, and passed over."""
    conf(rig, 'DefaultTasksMax=7', 'DefaultTaskMax=9', 'DefaultRestartSec=soon')
    said = anew(rig)
    assert len(said) == 2, said
    assert '/etc/mkosi/system.conf:3: ' in said[0] and 'DefaultTaskMax' in said[0]
    assert '/etc/mkosi/system.conf:4: ' in said[1] and 'DefaultRestartSec' in said[1]
    rig.unit('a.service', ExecStart=SLEEP)
    assert rig.show('a', 'TasksMax', 'RestartUSec') == {'TasksMax': '7', 'RestartUSec': '100ms'}


@pytest.mark.parametrize('how', ['daemon-reload', 'SIGHUP'])
def test_read_again(rig, how):
    rig.unit('a.service', Type='exec', ExecStart=SLEEP)
    rig.ctl('start', 'a')
    conf(rig, 'DefaultTasksMax=7')
    if how == 'SIGHUP':
        rig.shell(f'kill -HUP {rig.manager_pid()}')
        rig.ctl('list-units')
    else:
        rig.ctl('daemon-reload')
    # What runs keeps what it was started with.
    assert rig.show('a', 'TasksMax') == 'infinity'
    rig.ctl('restart', 'a')
    assert rig.show('a', 'TasksMax') == '7'


def test_set_property_goes_back_to_the_default(rig):
    conf(rig, 'DefaultTasksMax=7')
    anew(rig)
    rig.unit('a.service', Type='exec', ExecStart=SLEEP)
    rig.ctl('start', 'a')
    rig.ctl('set-property', 'a', 'TasksMax=8')
    assert rig.show('a', 'TasksMax') == '8'
    rig.ctl('set-property', 'a', 'TasksMax=')
    assert rig.show('a', 'TasksMax') == '7'


def test_limit_of_starts(rig):
    conf(rig, 'DefaultStartLimitBurst=2', 'DefaultStartLimitIntervalSec=1h')
    anew(rig)
    rig.unit('a.service', Type='oneshot', ExecStart='/bin/false')
    results = []
    for _ in range(3):
        assert rig.ctl('start', 'a', check=False).returncode != 0
        results.append(rig.show('a', 'Result'))
    assert results == ['exit-code', 'exit-code', 'start-limit-hit']


@pytest.mark.parametrize('level, said', [('debug', True), ('info', True), ('warning', True), ('err', False)])
def test_log_level(rig, level, said):
    """A warning is what shows which level there is."""
    conf(rig, f'LogLevel={level}')
    anew(rig)
    rig.write('/run/mkosi/system.conf.d/x.conf', '[Manager]\nDefaultNothing=1\n')
    rig.ctl('daemon-reload')
    assert ('DefaultNothing' in rig.path('/run/said').read_text()) == said


def test_no_controller_is_said_once(rig):
    """And not of every unit that the default is given to."""
    if 'pids' in (rig.cgroup / 'cgroup.controllers').read_text().split():
        pytest.skip('version 2 has the controller')
    conf(rig, 'DefaultTasksMax=7')
    rig.kill_manager()
    while rig.run('umount', '/sys/fs/cgroup/pids', check=False).returncode == 0:
        pass
    said = anew(rig)
    assert len(said) == 1 and 'DefaultTasksMax= is not kept to' in said[0]
    rig.unit('a.service', Type='exec', ExecStart=SLEEP)
    rig.unit('b.service', Type='exec', TasksMax='9', ExecStart=SLEEP)
    rig.ctl('start', 'a', 'b')
    lines = [line for line in rig.log() if 'not kept to' in line]
    assert len(lines) == 1 and lines[0].startswith('b.service: ')
