# SPDX-License-Identifier: LGPL-2.1-or-later
"""Slices that change while something is in them: what they ask for holds for all that is in them, or nothing is let in."""

import pytest
from rig import UNITS, wait_for

SLEEP = '/bin/sleep infinity'
DENY = '[Slice]\nIPAddressDeny=any\n'


def tasks_max(rig, group):
    return (rig.controller('pids', group) / 'pids.max').read_text().strip()


@pytest.fixture
def limits(rig):
    if rig.controller('pids', '') is None:
        pytest.skip('nothing here has the controller pids')
    return rig


def is_active(rig, unit):
    return rig.ctl('show', '--value', '-p', 'ActiveState', '--', unit).stdout == 'active\n'


def refused(rig, *arguments):
    answer = rig.ctl(*arguments, check=False)
    assert answer.returncode != 0
    return answer.stderr


@pytest.mark.parametrize('slice', ['system.slice', '-.slice'])
def test_active_slice_that_cannot_be(rig, slice):
    """What it asks for cannot be given: nothing is let in, and what is in it already goes on."""
    rig.unit('old.service', ExecStart=SLEEP)
    rig.unit('new.service', ExecStart=SLEEP)
    rig.ctl('start', 'old')
    assert is_active(rig, slice)
    rig.write(f'{UNITS}/{slice}.d/deny.conf', DENY)
    rig.ctl('daemon-reload')
    message = refused(rig, 'start', 'new')
    assert f'new.service is in {slice}, in which nothing may be started' in message
    assert f'{UNITS}/{slice}.d/deny.conf:2: IPAddressDeny=' in message
    assert (rig.state('old'), rig.state('new')) == ('active', 'inactive') and is_active(rig, slice)
    answer = rig.transient('/bin/true', check=False)
    assert answer.returncode != 0 and slice in answer.stderr
    rig.path(f'{UNITS}/{slice}.d/deny.conf').unlink()
    rig.ctl('daemon-reload')
    rig.ctl('start', 'new')
    assert rig.state('new') == 'active'


def test_masked_slice(rig):
    rig.unit('first.service', Slice='a-b.slice', ExecStart=SLEEP)
    rig.unit('second.service', Slice='a-b.slice', ExecStart=SLEEP)
    rig.ctl('start', 'first')
    rig.path(f'{UNITS}/a.slice').symlink_to('/dev/null')
    rig.ctl('daemon-reload')
    assert 'second.service is in a.slice, in which nothing may be started: Unit a.slice is masked' in refused(
        rig, 'start', 'second'
    )


def test_restart_by_itself_into_a_slice_that_cannot_be(rig):
    """Nobody is there to be told: the log says it."""
    rig.unit('again.service', Restart='always', RestartSec='50ms', ExecStart=SLEEP)
    rig.ctl('start', 'again')
    rig.write(f'{UNITS}/system.slice.d/deny.conf', DENY)
    rig.ctl('daemon-reload')
    rig.ctl('kill', '--signal=KILL', 'again')
    text = 'again.service is in system.slice, in which nothing may be started'
    wait_for(lambda: any(text in line for line in rig.log()), 'the refusal')
    wait_for(lambda: rig.main_pid('again') == 0, 'the end of it')


def test_limit_of_an_active_slice_changes(limits):
    """Also of one that is above, and without a start of anything."""
    limits.unit('first.service', Slice='few-less.slice', ExecStart=SLEEP)
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=12\n')
    limits.ctl('start', 'first')
    assert tasks_max(limits, 'few.slice') == '12'
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=7\n')
    limits.ctl('daemon-reload')
    assert tasks_max(limits, 'few.slice') == '7'
    assert limits.show('few.slice', 'TasksMax') == '7'
    limits.write(f'{UNITS}/few-less.slice.d/x.conf', '[Slice]\nTasksMax=5\n')
    limits.ctl('daemon-reload')
    assert (tasks_max(limits, 'few.slice'), tasks_max(limits, 'few.slice/few-less.slice')) == ('7', '5')
    limits.write(f'{UNITS}/few.slice', '[Slice]\n')
    limits.ctl('daemon-reload')
    assert tasks_max(limits, 'few.slice') == 'max'


def test_bad_slice_keeps_its_limit(limits):
    limits.unit('first.service', Slice='few.slice', ExecStart=SLEEP)
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=12\n')
    limits.ctl('start', 'first')
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=max\nIPAddressDeny=any\n')
    limits.ctl('daemon-reload')
    limits.ctl('set-property', '--runtime', 'first', 'TasksMax=5')
    assert tasks_max(limits, 'few.slice') == '12'
    assert tasks_max(limits, 'few.slice/first.service') == '5'


def test_next_manager_reads_slices(limits):
    limits.unit('first.service', Slice='few.slice', ExecStart=SLEEP)
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=12\n')
    limits.ctl('start', 'first')
    limits.kill_manager()
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=7\n')
    limits.start_manager()
    assert tasks_max(limits, 'few.slice') == '7'


@pytest.mark.parametrize('mode', ['ignore-dependencies', 'ignore-requirements'])
def test_dependencies_are_ignored(limits, mode):
    """But not what the service is in: its limit is there from the first start on, and after a restart."""
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=12\n')
    limits.unit('alone.service', Slice='few.slice', TasksMax='9', ExecStart=SLEEP)
    for verb in ('start', 'restart'):
        limits.ctl(verb, f'--job-mode={mode}', 'alone')
        assert tasks_max(limits, 'few.slice') == '12', verb
        assert limits.state('few.slice') == 'inactive'
    limits.write(f'{UNITS}/few.slice', '[Slice]\nTasksMax=7\n')
    limits.ctl('daemon-reload')
    assert tasks_max(limits, 'few.slice') == '7'


@pytest.mark.parametrize('mode', ['ignore-dependencies', 'ignore-requirements'])
def test_dependencies_are_ignored_but_not_what_is_refused(rig, mode):
    rig.write(f'{UNITS}/closed.slice', DENY)
    rig.unit('alone.service', Slice='closed-more.slice', ExecStart=SLEEP)
    message = refused(rig, 'start', f'--job-mode={mode}', 'alone')
    assert 'alone.service is in closed.slice, in which nothing may be started' in message
    assert rig.state('alone') == 'inactive'
