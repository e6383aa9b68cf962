# SPDX-License-Identifier: LGPL-2.1-or-later
"""The life of services: how they start and end, what is said about it, and what is left."""

import os
import signal

import pytest
from rig import wait_for
from within import snapshot, within

# Units that say what they do, and then wait to be stopped.
SLEEP = '/bin/sleep infinity'


def test_ip10_unit_file_alone_is_enough(rig):
    """IP10: a file, daemon-reload, start; no suffix means .service."""
    rig.unit('ip-accounting-test.service', ExecStart=SLEEP, IPAccounting='yes')
    rig.ctl('daemon-reload')
    rig.ctl('start', 'ip-accounting-test')
    assert rig.state('ip-accounting-test.service') == 'active'


def test_ip21_order_of_the_last_lines(rig):
    """IP21: Stopping, Stopped, and then the resources."""
    rig.unit('ip21.service', ExecStart=SLEEP, CPUAccounting='yes')
    rig.ctl('start', 'ip21')
    rig.ctl('stop', 'ip21')
    # The client hears of the end first.
    wait_for(lambda: 'Consumed' in rig.log('-u', 'ip21')[-1], 'the record of the resources')
    stopping, stopped, resources = rig.log('-u', 'ip21')[-3:]
    assert stopping == 'Stopping ip21.service...'
    assert stopped == 'Stopped ip21.service.'
    assert resources.startswith('ip21.service: Consumed ')


def test_messages_have_their_ids(rig):
    rig.unit('ids.service', ExecStart=SLEEP)
    rig.ctl('start', 'ids')
    rig.ctl('stop', 'ids')
    for number, text in (
        ('7d4958e842da4a758f6c1cdc7b36dcc5', 'Starting ids.service...'),
        ('39f53479d3a045ac8e11786248231fbf', 'Started ids.service.'),
        ('de5b426a63be47a7b6ac3eaac82e2f6f', 'Stopping ids.service...'),
        ('9d1aaa27d60140bd96365438aad20286', 'Stopped ids.service.'),
    ):
        assert rig.log('-u', 'ids', f'MESSAGE_ID={number}') == [text]


@pytest.mark.parametrize(
    'command, result, code, status',
    [
        ('exit 0', 'success', '1', '0'),
        ('exit 3', 'exit-code', '1', '3'),
        ('kill -KILL $$$$', 'signal', '2', '9'),
        ('kill -TERM $$$$', 'success', '2', '15'),
    ],
)
def test_results(rig, command, result, code, status):
    rig.unit('result.service', Type='simple', RemainAfterExit='yes', ExecStart=f"/bin/sh -c '{command}'")
    rig.ctl('start', 'result', check=False)
    wait_for(lambda: rig.show('result', 'ExecMainCode') != '0', 'the end of the main process')
    wait_for(lambda: rig.state('result') in ('failed', 'active'), 'the result')
    assert rig.show('result', 'Result', 'ExecMainCode', 'ExecMainStatus') == {
        'Result': result,
        'ExecMainCode': code,
        'ExecMainStatus': status,
    }


def test_du32_failures_that_do_not_count(rig):
    """DU32: ExecStart=- makes a failure a success."""
    rig.unit('du32.service', Type='oneshot', RemainAfterExit='yes', ExecStart="-/bin/sh -c 'exit 3'")
    rig.ctl('start', 'du32')
    assert rig.show('du32', 'Result') == 'success'
    assert rig.show('du32', 'ExecMainStatus') == '3'


def test_commands_run_in_order(rig):
    def note(word):
        return f"/bin/sh -c 'echo {word} >>/run/order'"

    rig.unit(
        'order.service',
        Type='oneshot',
        RemainAfterExit='yes',
        ExecStartPre=[note('pre1'), note('pre2')],
        ExecStart=[note('start1'), note('start2')],
        ExecStartPost=note('post'),
        ExecStop=note('stop'),
        ExecStopPost="/bin/sh -c 'echo $SERVICE_RESULT $EXIT_CODE $EXIT_STATUS >>/run/order'",
    )
    rig.ctl('start', 'order')
    rig.ctl('stop', 'order')
    assert rig.path('/run/order').read_text().split('\n')[:-1] == [
        'pre1', 'pre2', 'start1', 'start2', 'post', 'stop', 'success exited 0',
    ]  # fmt: skip


def test_failed_pre_command_keeps_the_service_down(rig):
    rig.unit('pre.service', ExecStartPre='/bin/false', ExecStart='/bin/touch /run/started')
    assert rig.ctl('start', 'pre', check=False).returncode != 0
    assert rig.state('pre') == 'failed'
    assert not rig.exists('/run/started')


def test_exec_waits_for_the_program(rig):
    rig.unit('nothing.service', Type='exec', ExecStart='/does/not/exist')
    assert rig.ctl('start', 'nothing', check=False).returncode != 0
    assert rig.show('nothing', 'ExecMainStatus') == '203'
    assert any('/does/not/exist' in line for line in rig.log('-u', 'nothing'))


def test_notify(rig):
    rig.unit(
        'notify.service',
        Type='notify',
        NotifyAccess='all',
        ExecStart="/bin/sh -c 'until [ -e /run/go ]; do sleep 0.01; done; "
        'systemd-notify --ready --status="all is well"; exec sleep infinity\'',
    )
    client = rig.popen(rig.programs / 'mkosi-ctl', 'start', 'notify')
    rig.wait_state('notify', 'activating')
    assert client.poll() is None
    rig.write('/run/go', '')
    assert client.wait(60) == 0
    assert rig.show('notify', 'ActiveState', 'StatusText') == {
        'ActiveState': 'active',
        'StatusText': 'all is well',
    }


def test_notify_with_end_of_string(rig):
    """A message may end with the NUL of the string that it was."""
    rig.write(
        '/run/say',
        'import os, socket, time\n'
        'socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b"READY=1\\0", os.environ["NOTIFY_SOCKET"])\n'
        'time.sleep(1000)\n',
    )
    rig.unit('ended.service', Type='notify', ExecStart='/usr/bin/python3 /run/say', TimeoutStartSec='20')
    rig.ctl('start', 'ended')
    assert rig.state('ended') == 'active'


def test_notify_of_others_is_not_heard(rig):
    """A child says so; systemd-notify would not do, as it speaks in the name of its parent."""
    rig.write(
        '/run/say',
        "import os, socket\n"
        "socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM).sendto(b'READY=1', os.environ['NOTIFY_SOCKET'])\n",
    )
    rig.unit(
        'deaf.service',
        Type='notify',
        NotifyAccess='main',
        TimeoutStartSec='1',
        ExecStart="/bin/sh -c '/usr/bin/python3 /run/say; echo said; exec sleep infinity'",
    )
    assert rig.ctl('start', 'deaf', check=False).returncode != 0
    assert rig.show('deaf', 'Result') == 'timeout'
    assert 'said' in rig.log('-u', 'deaf')


def test_forking(rig):
    rig.unit('fork.service', Type='forking', ExecStart="/bin/sh -c 'sleep infinity & exit 0'")
    rig.ctl('start', 'fork')
    comm = rig.path(f'/proc/{rig.main_pid("fork")}/comm')
    wait_for(lambda: comm.read_text() == 'sleep\n', 'the child to become what it runs')


def test_forking_with_pid_file(rig):
    """The file comes late, and the process that it names is one of two."""
    rig.unit(
        'fork.service',
        Type='forking',
        PIDFile='/run/fork.pid',
        ExecStart="/bin/sh -c '(until [ -e /run/go ]; do sleep 0.01; done; sleep 1001 & "
        "echo $! >/run/fork.pid; exec sleep 1002) & exit 0'",
    )
    client = rig.popen(rig.programs / 'mkosi-ctl', 'start', 'fork')
    rig.wait_state('fork', 'activating')
    rig.write('/run/go', '')
    assert client.wait(60) == 0
    assert rig.path(f'/proc/{rig.main_pid("fork")}/cmdline').read_text() == 'sleep\x001001\x00'
    rig.ctl('stop', 'fork')
    assert rig.processes('system.slice/fork.service') == []


def test_one_manager_for_a_directory(rig):
    second = rig.run(rig.programs / 'mkosi-manager', f'--cgroup={rig.name}', check=False)
    assert second.returncode != 0
    assert f'process {rig.manager_pid()}' in second.stderr
    # The first one is not disturbed.
    rig.unit('still.service', Type='notify', NotifyAccess='all',
             ExecStart="/bin/sh -c 'systemd-notify --ready; exec sleep infinity'")  # fmt: skip
    rig.ctl('start', 'still')


def test_files_that_became_bad_fail_the_restart(rig):
    """When they do so while it is on its way down."""
    rig.unit('worse.service', ExecStart=SLEEP, ExecStop="/bin/sh -c 'until test -e /run/go; do sleep 0.01; done'")
    rig.ctl('start', 'worse')
    rig.ctl('restart', '--no-block', 'worse')
    rig.wait_state('worse', 'deactivating')
    rig.unit('worse.service', '[Service]\nExecStart=/bin/true\nRootImage=/x\n')
    rig.ctl('daemon-reload')
    rig.write('/run/go', '')
    rig.wait_state('worse', 'failed')
    assert rig.show('worse', 'Result') == 'resources'
    assert any(line.endswith('can be started any more: bad-setting') for line in rig.log('-u', 'worse'))


def test_restart_until_the_limit(rig):
    rig.unit('crash.service', ExecStart='/bin/false', Restart='on-failure', RestartSec='10ms')
    rig.ctl('start', 'crash', check=False)
    wait_for(lambda: rig.show('crash', 'Result') == 'start-limit-hit', 'the limit of starts')
    assert rig.state('crash') == 'failed'
    assert 'crash.service: Start request repeated too quickly.' in rig.log('-u', 'crash')


def test_stop_ends_restarting(rig):
    rig.unit('again.service', ExecStart='/bin/false', Restart='always', RestartSec='1h')
    rig.ctl('start', 'again', check=False)
    wait_for(lambda: rig.show('again', 'SubState') == 'auto-restart', 'the wait for the restart')
    rig.ctl('stop', 'again')
    assert rig.state('again') in ('inactive', 'failed')


def test_what_does_not_stop_is_killed(rig):
    rig.unit(
        'deaf.service',
        ExecStart="/bin/sh -c 'trap \"\" TERM; echo ready; while :; do sleep 0.1; done'",
        TimeoutStopSec='100ms',
    )
    rig.ctl('start', 'deaf')
    wait_for(lambda: 'ready' in rig.log('-u', 'deaf'), 'the trap')
    rig.ctl('stop', 'deaf')
    assert rig.show('deaf', 'Result') == 'timeout'
    assert rig.processes('system.slice/deaf.service') == []


def test_children_go_with_the_service(rig):
    rig.unit('family.service', ExecStart="/bin/sh -c 'sleep 1001 & sleep 1002 & exec sleep 1003'")
    rig.ctl('start', 'family')
    wait_for(lambda: len(rig.processes('system.slice/family.service')) == 3, 'three processes')
    rig.ctl('stop', 'family')
    assert not (rig.cgroup / 'system.slice/family.service').exists()


def test_kill_mode_process_leaves_the_others(rig):
    rig.unit(
        'half.service',
        KillMode='process',
        ExecStart="/bin/sh -c 'sleep 1001 & exec sleep 1002'",
    )
    rig.ctl('start', 'half')

    def lines():
        return sorted(rig.path(f'/proc/{pid}/cmdline').read_text() for pid in rig.processes('system.slice/half.service'))

    wait_for(lambda: lines() == ['sleep\x001001\x00', 'sleep\x001002\x00'], 'two processes')
    rig.ctl('stop', 'half')
    assert lines() == ['sleep\x001001\x00']


def test_watchdog(rig):
    rig.unit('dog.service', WatchdogSec='100ms', ExecStart=SLEEP)
    rig.ctl('start', 'dog')
    rig.wait_state('dog', 'failed')
    assert rig.show('dog', 'Result') == 'watchdog'


def test_runtime_max(rig):
    rig.unit('short.service', RuntimeMaxSec='100ms', ExecStart=SLEEP)
    rig.ctl('start', 'short')
    rig.wait_state('short', 'failed')
    assert rig.show('short', 'Result') == 'timeout'


def test_requirements(rig):
    rig.unit('base.service', Type='oneshot', RemainAfterExit='yes', ExecStart='/bin/touch /run/base')
    rig.unit(
        'top.service',
        '[Unit]\nRequires=base.service\nAfter=base.service\n'
        f"[Service]\nExecStartPre=/usr/bin/test -e /run/base\nExecStart={SLEEP}\n",
    )
    rig.ctl('start', 'top')
    assert rig.state('base') == 'active'
    rig.ctl('stop', 'base')
    assert rig.state('top') == 'inactive'


def test_failed_requirement(rig):
    rig.unit('base.service', Type='oneshot', ExecStart='/bin/false')
    rig.unit(
        'top.service',
        f'[Unit]\nRequires=base.service\nAfter=base.service\n[Service]\nExecStart=/bin/touch /run/top\n',
    )
    assert rig.ctl('start', 'top', check=False).returncode != 0
    assert not rig.exists('/run/top')
    assert 'Dependency failed for top.service.' in rig.log('-u', 'top')


def test_order_that_goes_round_is_refused(rig):
    for one, other in (('a', 'b'), ('b', 'a')):
        rig.unit(
            f'{one}.service',
            f'[Unit]\nRequires={other}.service\nAfter={other}.service\n[Service]\nExecStart={SLEEP}\n',
        )
    result = rig.ctl('start', 'a', check=False)
    assert result.returncode != 0
    assert 'goes round' in result.stderr


def test_conflicts(rig):
    rig.unit('one.service', ExecStart=SLEEP)
    rig.unit('other.service', f'[Unit]\nConflicts=one.service\n[Service]\nExecStart={SLEEP}\n')
    rig.ctl('start', 'one')
    rig.ctl('start', 'other')
    wait_for(lambda: rig.state('one') == 'inactive', 'the end of the other one')
    assert rig.state('other') == 'active'


def test_targets_and_slices(rig):
    rig.unit('all.target', '[Unit]\nWants=one.service other@x.service\n')
    rig.unit('one.service', f'[Service]\nSlice=a-b.slice\nExecStart={SLEEP}\n')
    rig.unit('other@.service', f'[Service]\nExecStart={SLEEP}\n')
    rig.ctl('start', 'all.target')
    assert rig.state('one') == rig.state('other@x') == rig.state('a-b.slice') == 'active'
    assert len(rig.processes('a.slice/a-b.slice/one.service')) == 1
    assert len(rig.processes('system.slice/system-other.slice/other@x.service')) == 1


def test_environment_of_services(rig):
    rig.unit('env.service', Type='oneshot', ExecStart="/bin/sh -c 'env >/run/env'")
    rig.ctl('start', 'env')
    found = dict(line.split('=', 1) for line in rig.path('/run/env').read_text().splitlines())
    assert '/usr/bin' in found['PATH'].split(':')
    assert len(found['INVOCATION_ID']) == 32
    assert 'LC_ALL' not in found and 'NOTIFY_SOCKET' not in found


def test_output_in_the_log(rig):
    rig.unit('talk.service', Type='oneshot', ExecStart="/bin/sh -c 'echo one; echo two >&2; printf three'")
    rig.ctl('start', 'talk')
    assert [line for line in rig.log('-u', 'talk') if ' ' not in line] == ['one', 'two', 'three']


def test_crash_of_the_manager(rig):
    """Services survive SIGKILL of the manager; the next one finds them, keeps their users, and sees what ends."""
    rig.unit('user.service', DynamicUser='yes', RuntimeDirectory='user', ExecStart=SLEEP)
    rig.unit('fork.service', Type='forking', ExecStart="/bin/sh -c 'sleep infinity & exit 0'")
    rig.unit('done.service', Type='oneshot', RemainAfterExit='yes', ExecStart='/bin/true')
    rig.unit(
        'back.service',
        ExecStart="/bin/sh -c 'until [ -e /run/fail ]; do sleep 0.01; done; exit 5'",
        Restart='on-failure',
        RestartSec='10ms',
    )
    rig.ctl('start', 'user', 'fork', 'done', 'back')
    for unit in ('user', 'fork', 'done', 'back'):
        wait_for(lambda unit=unit: rig.show(unit, 'UID') not in ('4294967295', '[not set]'), f'the user of {unit}')
    names = ('ActiveState', 'SubState', 'MainPID', 'InvocationID', 'UID')
    before = {unit: rig.show(unit, *names) for unit in ('user', 'fork', 'done', 'back')}

    rig.kill_manager()
    rig.start_manager()
    assert {unit: rig.show(unit, *names) for unit in before} == before

    # The number is kept: another service that would have it by its name does not get it.
    locks = rig.shell('flock --nonblock /run/mkosi/dynamic-uid/%s true' % before['user']['UID'], check=False)
    assert locks.returncode != 0

    rig.write('/run/fail', '')
    wait_for(lambda: rig.show('back', 'NRestarts') != '0', 'the restart')
    rig.ctl('stop', 'user', 'fork', 'done', 'back')
    # It may have been started too often by then.
    rig.ctl('reset-failed')
    assert not rig.exists('/run/user/') and not os.listdir(rig.path('/run/mkosi/dynamic-uid'))
    assert os.listdir(rig.path('/run/mkosi/units')) == []


def test_ended_manager_leaves_services(rig):
    rig.unit('stay.service', ExecStart=SLEEP)
    rig.ctl('start', 'stay')
    pid = rig.main_pid('stay')
    assert rig.kill_manager(signal.SIGTERM) == 0
    assert rig.processes('system.slice/stay.service') == [pid]
    rig.start_manager()
    assert rig.main_pid('stay') == pid


def test_reload_takes_effect_at_the_next_start(rig):
    rig.unit('new.service', ExecStart='/bin/sleep 1001')
    rig.ctl('start', 'new')
    rig.unit('new.service', ExecStart='/bin/sleep 1002')
    rig.ctl('daemon-reload')
    assert rig.state('new') == 'active'
    rig.ctl('restart', 'new')
    wait_for(
        lambda: rig.path(f'/proc/{rig.main_pid("new")}/cmdline').read_text() == '/bin/sleep\x001002\x00',
        'the new command',
    )


@pytest.mark.parametrize('command', ['true', 'exit 3', 'kill -KILL $$'])
def test_du26_nothing_is_left(rig, command):
    """DU26: no artefacts after a short job, whatever it tries and however it ends: all files of the rig are as they were, with mode,
    owner, attributes and content, but for the log and the directory that was asked for."""
    def tree():
        return snapshot(rig, '/run', '/var', '/tmp', '/etc', '/dev/shm', skipped=[
            '/run/mkosi/log', '/var/lib/private', '/var/lib/kept', '/run/programs', '/run/script',
        ])  # fmt: skip

    rig.write('/etc/mkosi/some', 'x')
    leave = 'touch /tmp/x /var/tmp/y /dev/shm/z /run/short/f /var/lib/kept/g; mkdir /dev/shm/d; ipcmk -Q -S 1 -M 64 >/dev/null; '
    before = tree()
    within(rig, leave + command, 'DynamicUser=yes', 'RuntimeDirectory=short', 'StateDirectory=kept', unit='job', check=False)
    rig.ctl('reset-failed')
    wait_for(lambda: not rig.exists('/run/mkosi/transient/job.service'), 'the service to be forgotten')
    assert tree() == before
    assert sorted(os.listdir(rig.path('/var/lib/private'))) == ['kept']
    assert rig.shell('cat /proc/sysvipc/{shm,sem,msg} | grep -vc key || true').stdout == '0\n'
    assert [path.name for path in rig.cgroup.iterdir() if path.is_dir()] == []


def test_specifiers_in_names_of_others(rig):
    """An instance needs the instance of another template that its own name says."""
    rig.unit('needed@.service', f'[Service]\nExecStart={SLEEP}\n')
    rig.unit('needs@.service', f'[Unit]\nRequires=needed@%i.service\nAfter=needed@%i.service\n[Service]\nExecStart={SLEEP}\n')
    rig.ctl('start', 'needs@one')
    assert rig.state('needed@one.service') == 'active'
    rig.ctl('stop', 'needed@one')
    rig.wait_state('needs@one.service', 'inactive')


def test_specifiers_of_the_file(rig):
    """%y and %Y: the file of the unit, where a link to it leads; a transient unit has none."""
    rig.write('/run/elsewhere/file.service', '[Service]\nType=oneshot\nExecStart=/bin/sh -c "echo %y %Y >/run/said"\n')
    rig.shell('ln -s /run/elsewhere/file.service /etc/systemd/system/')
    rig.ctl('start', 'file')
    assert rig.path('/run/said').read_text() == '/run/elsewhere/file.service /run/elsewhere\n'
    refused = rig.transient('--pipe', '-p', 'WorkingDirectory=%Y', '/bin/true', check=False)
    assert refused.returncode == 200
    assert 'specifier "%Y" has no value here' in refused.stderr
