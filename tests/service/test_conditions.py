# SPDX-License-Identifier: LGPL-2.1-or-later
"""What units ask for before they are started, and when they are forgotten."""

import re

import pytest

from rig import wait_for

SLEEP = '/bin/sleep infinity'
DATE = r'[A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; .+ ago'


def unit(rig, name, *lines, command=SLEEP):
    rig.unit(f'{name}.service', '[Unit]\n' + '\n'.join(lines) + f'\n[Service]\nExecStart={command}\n')


def status(rig, name):
    return rig.ctl('status', name, check=False).stdout.splitlines()


def test_unmet_condition_is_no_failure(rig):
    """The job is done, nothing ran, and the log, status and show say why."""
    unit(rig, 'unmet', 'ConditionPathExists=/proc', 'ConditionPathExists=/nothing')
    rig.ctl('start', 'unmet')
    assert rig.show('unmet', 'ActiveState', 'Result', 'ConditionResult', 'AssertResult') == {
        'ActiveState': 'inactive',
        'Result': 'success',
        'ConditionResult': 'no',
        'AssertResult': 'no',
    }
    assert rig.show('unmet', 'ConditionTimestamp') and not rig.show('unmet', 'AssertTimestamp')
    assert rig.log('-u', 'unmet')[-1] == (
        'unmet.service was skipped because of an unmet condition check (ConditionPathExists=/nothing).'
    )
    lines = status(rig, 'unmet')
    where = next(i for i, line in enumerate(lines) if line.startswith('Condition: '))
    assert re.fullmatch(f'Condition: start condition failed at {DATE}', lines[where])
    assert lines[where + 1] == '           └─ ConditionPathExists=/nothing was not met'
    assert lines[where - 1] == '   Active: inactive (dead)'


def test_met_condition(rig):
    unit(rig, 'met', 'ConditionPathExists=!/nothing', 'ConditionPathExists=|/nothing', 'ConditionUser=|root')
    rig.ctl('start', 'met')
    assert rig.show('met', 'ActiveState', 'ConditionResult', 'AssertResult') == {
        'ActiveState': 'active',
        'ConditionResult': 'yes',
        'AssertResult': 'yes',
    }
    assert not any(line.startswith('Condition: ') for line in status(rig, 'met'))


def test_triggers(rig):
    """Of those with a bar one is enough; that none is says the log, and status which."""
    unit(rig, 'triggers', 'ConditionPathExists=|/nothing', 'ConditionHost=|!*')
    rig.ctl('start', 'triggers')
    assert rig.log('-u', 'triggers')[-1] == 'triggers.service was skipped because no trigger condition checks were met.'
    lines = status(rig, 'triggers')
    assert '           ├─ ConditionHost=|!* was not met' in lines
    assert '           └─ ConditionPathExists=|/nothing was not met' in lines


def test_unmet_assertion_is_a_failure(rig):
    unit(rig, 'assertion', 'AssertPathExists=/nothing')
    unit(rig, 'needs', 'Requires=assertion.service', 'After=assertion.service')
    answer = rig.ctl('start', 'assertion', check=False)
    assert answer.returncode == 1
    assert answer.stderr == (
        'mkosi-ctl: error: Job for assertion.service failed because something that it asks for is not so. '
        'See "mkosi-ctl status assertion.service".\n'
    )
    assert rig.show('assertion', 'ActiveState', 'ConditionResult', 'AssertResult') == {
        'ActiveState': 'inactive',
        'ConditionResult': 'yes',
        'AssertResult': 'no',
    }
    assert rig.log('-u', 'assertion')[-2:] == [
        'assertion.service: Starting requested but asserts failed.',
        'Assertion failed for assertion.service.',
    ]
    lines = status(rig, 'assertion')
    where = next(i for i, line in enumerate(lines) if line.startswith('   Assert: '))
    assert re.fullmatch(f'   Assert: start assertion failed at {DATE}', lines[where])
    assert lines[where + 1] == '           └─ AssertPathExists=/nothing was not met'
    assert rig.ctl('start', 'needs', check=False).returncode == 1
    assert rig.state('needs') == 'inactive'


def test_what_requires_a_skipped_unit_is_started(rig):
    unit(rig, 'skipped', 'ConditionPathExists=/nothing')
    unit(rig, 'needs', 'Requires=skipped.service', 'After=skipped.service')
    rig.ctl('start', 'needs')
    assert (rig.state('needs'), rig.state('skipped')) == ('active', 'inactive')


def test_conditions_are_looked_at_anew(rig):
    """Of each start, also of a restart; daemon-reload and reset-failed forget how it was."""
    unit(rig, 'again', 'ConditionPathExists=/run/there')
    rig.ctl('start', 'again')
    assert rig.state('again') == 'inactive'
    rig.write('/run/there', '')
    rig.ctl('start', 'again')
    assert rig.show('again', 'ActiveState', 'ConditionResult') == {
        'ActiveState': 'active',
        'ConditionResult': 'yes',
    }
    rig.path('/run/there').unlink()
    rig.ctl('restart', 'again')
    assert rig.show('again', 'ActiveState', 'ConditionResult') == {
        'ActiveState': 'inactive',
        'ConditionResult': 'no',
    }
    rig.ctl('reset-failed', 'again')
    assert not rig.show('again', 'ConditionTimestamp')
    rig.ctl('start', 'again')
    rig.ctl('daemon-reload')
    assert not rig.show('again', 'ConditionTimestamp')


def test_empty_value_takes_back_all(rig):
    unit(rig, 'back', 'ConditionPathExists=/nothing', 'ConditionHost=nobody.example')
    rig.unit('back.service.d/10.conf', '[Unit]\nConditionMemory=\n')
    rig.ctl('start', 'back')
    assert rig.state('back') == 'active'


def test_bad_condition_warns_and_is_left_out(rig):
    unit(rig, 'bad', 'ConditionPathExists=relative')
    rig.ctl('start', 'bad')
    assert rig.state('bad') == 'active'
    assert any('bad.service:2: ConditionPathExists=relative: not an absolute path' in line for line in rig.log())


def test_transient_with_a_condition(rig):
    answer = rig.transient('--wait', '-p', 'ConditionPathExists=/nothing', '--unit=t', '/bin/touch', '/run/ran')
    assert answer.returncode == 0 and not rig.exists('/run/ran')
    assert rig.transient('--wait', '-p', 'AssertPathExists=/nothing', '/bin/true', check=False).returncode == 1


@pytest.mark.parametrize(
    'status, result, state, code',
    [(0, 'success', 'active', 0), (1, 'exec-condition', 'inactive', 0), (254, 'exec-condition', 'inactive', 0),
     (255, 'exit-code', 'failed', 1), ('KILL', 'signal', 'failed', 1)],
)  # fmt: skip
def test_exec_condition(rig, status, result, state, code):
    """1 to 254 skip the service, which is no failure; 255 and signals are."""
    end = f'exit {status}' if isinstance(status, int) else f'kill -{status} $$$$'
    rig.unit(
        'ec.service',
        ExecCondition=['/bin/true', f"/bin/sh -c '{end}'"],
        ExecStartPre='/bin/touch /run/pre',
        ExecStart=SLEEP,
        ExecStopPost='/bin/touch /run/post',
        Restart='always',
        RestartSec='1h',
    )
    rig.unit('ec.service.d/10.conf', '[Service]\n' + ('Restart=no\n' if state == 'failed' else ''))
    assert rig.ctl('start', 'ec', check=False).returncode == code
    assert rig.state('ec') == state
    assert rig.exists('/run/pre') == (state == 'active')
    if result == 'exec-condition':
        assert rig.log('-u', 'ec')[-2:] == [
            "ec.service: Skipped due to 'exec-condition'.",
            'Condition check resulted in ec.service being skipped.',
        ]
    elif state == 'failed':
        assert rig.show('ec', 'Result') == result


def test_collect_mode(rig):
    """One that has failed stays known, unless it or who runs it says otherwise."""
    for mode in ('inactive', 'inactive-or-failed'):
        rig.unit(
            f'{mode}.service',
            f'[Unit]\nCollectMode={mode}\n[Service]\nType=oneshot\nExecStart=/bin/false\n',
        )
        assert rig.show(mode, 'CollectMode') == mode
        assert rig.ctl('start', mode, check=False).returncode == 1
    listed = rig.ctl('list-units', '--all').stdout
    assert 'inactive.service' in listed and 'inactive-or-failed.service' not in listed


def test_timeouts_that_nobody_set(rig):
    """A oneshot service may take as long as its work does; TimeoutSec= says both."""
    rig.unit('one.service', Type='oneshot', ExecStart='/bin/true')
    rig.unit('both.service', Type='oneshot', TimeoutSec='7s', ExecStart='/bin/true')
    rig.unit('simple.service', ExecStart=SLEEP)
    for name, start, stop in (
        ('one', 'infinity', '1min 30s'),
        ('both', '7s', '7s'),
        ('simple', '1min 30s', '1min 30s'),
    ):
        assert rig.show(name, 'TimeoutStartUSec', 'TimeoutStopUSec') == {
            'TimeoutStartUSec': start,
            'TimeoutStopUSec': stop,
        }


def test_limits_of_time(rig):
    """In units of time, soft and hard, as the kernel has them."""
    rig.unit('limits.service', ExecStart=SLEEP, LimitCPU='90s:2min', LimitRTTIME='20ms', LimitNOFILE='1K:2K')
    rig.ctl('start', 'limits')
    pid = rig.main_pid('limits')
    wait_for(lambda: rig.path(f'/proc/{pid}/comm').read_text() == 'sleep\n', 'the service')
    text = rig.path(f'/proc/{pid}/limits').read_text()
    for name, soft, hard in (
        ('Max cpu time', '90', '120'), ('Max realtime timeout', '20000', '20000'), ('Max open files', '1024', '2048'),
    ):  # fmt: skip
        assert re.search(f'^{name} +{soft} +{hard} ', text, re.M), name


def test_tasks_max_that_is_none(rig):
    unit(rig, 'tasks', 'Description=x')
    rig.unit('tasks.service.d/10.conf', '[Service]\nTasksMax=nonsense\n')
    rig.ctl('start', 'tasks')
    assert any('10.conf:2: TasksMax=nonsense: not a number of tasks' in line for line in rig.log())


def test_run_collect(rig):
    rig.transient('--wait', '--unit=stays', '/bin/false', check=False)
    assert rig.transient('--wait', '--collect', '--unit=goes', '/bin/sh', '-c', 'exit 3', check=False).returncode == 3
    assert rig.state('stays') == 'failed'
    assert 'goes.service' not in rig.ctl('list-units', '--all').stdout
    assert not rig.exists('/run/mkosi/transient/goes.service')


def test_drop_ins_of_aliases(rig):
    """What stands beside another name of a unit is for the unit, whichever name it is asked for by."""
    unit(rig, 'real', 'Description=real')
    rig.path('/etc/systemd/system/alias.service').symlink_to('real.service')
    rig.unit('alias.service.d/10.conf', '[Service]\nNice=3\n')
    rig.unit('real.service.d/20.conf', '[Service]\nUMask=0077\n')
    for name in ('real', 'alias'):
        assert rig.show(name, 'Id', 'Nice', 'UMask') == {'Id': 'real.service', 'Nice': '3', 'UMask': '0077'}
    rig.ctl('start', 'alias')
    assert rig.state('real') == 'active'
