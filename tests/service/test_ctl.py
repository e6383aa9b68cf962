# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every verb of the client that looks at units and changes them, and the log that it reads."""

import json
import os
import re
import subprocess

import pytest
from rig import UNITS, wait_for

SLEEP = '/bin/sleep infinity'
RESOURCES = 'MESSAGE_ID=ae8f7b866b0347b9af31fe1c80b127c0'


def status(rig, *arguments, code=0):
    result = rig.ctl('status', *arguments, check=False)
    assert result.returncode == code, result.stderr
    return result.stdout.splitlines()


def test_ip11_to_ip17_layout_of_status(rig):
    """IP12 to IP17: lines, their order and labels; IP17: nothing of traffic that nobody counts."""
    rig.unit('ip12.service', Type='exec', ExecStart=SLEEP)
    rig.ctl('start', 'ip12')
    pid = rig.main_pid('ip12')
    head, loaded, active, main, tasks, group, process, empty, *log = status(rig, 'ip12')
    assert head == '● ip12.service'
    assert loaded == f'   Loaded: loaded ({UNITS}/ip12.service; static; vendor preset: disabled)'
    assert re.fullmatch(
        r'   Active: active \(running\) since [A-Z][a-z]{2} \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; (\d+(ms|us|s|min) ?)+ ago',
        active,
    ), active
    assert main == f' Main PID: {pid} (sleep)'
    assert tasks == '    Tasks: 1'
    assert group == '   CGroup: /system.slice/ip12.service'
    assert process == f'           └─{pid} {SLEEP}'
    assert empty == ''
    assert any(line.endswith('Started ip12.service.') for line in log) and len(log) <= 10


def test_status_shows_ten_lines(rig):
    rig.unit('ten.service', Type='oneshot', ExecStart='/usr/bin/seq 100')
    rig.ctl('start', 'ten')
    assert len(status(rig, 'ten', code=3)) - status(rig, 'ten', code=3).index('') - 1 == 10
    assert len(status(rig, '-n', '2', 'ten', code=3)) - status(rig, '-n', '2', 'ten', code=3).index('') - 1 == 2


def test_tree_of_processes(rig):
    rig.unit('tree.service', TasksMax='50', ExecStart="/bin/sh -c 'sleep 1001 & exec sleep 1002'")
    rig.ctl('start', 'tree')
    wait_for(lambda: len(rig.processes('system.slice/tree.service')) == 2, 'both processes')
    lines = status(rig, 'tree')
    assert '    Tasks: 2 (limit: 50)' in lines
    group = lines.index('   CGroup: /system.slice/tree.service')
    assert re.match(r' {11}├─ *\d+ ', lines[group + 1]) and re.match(r' {11}└─ *\d+ ', lines[group + 2])


def test_exit_statuses(rig):
    """0: active, 3: not, 4: there is no such unit."""
    rig.unit('on.service', ExecStart=SLEEP)
    rig.unit('off.service', ExecStart=SLEEP)
    rig.unit('bad.service', Type='oneshot', ExecStart='/bin/false')
    rig.ctl('start', 'on')
    assert rig.ctl('start', 'bad', check=False).returncode == 1
    for unit, code, word in (('on', 0, 'active'), ('off', 3, 'inactive'), ('bad', 3, 'failed')):
        status(rig, unit, code=code)
        answer = rig.ctl('is-active', unit, check=False)
        assert (answer.returncode, answer.stdout) == (code, f'{word}\n')
    status(rig, 'nothing', code=4)
    assert rig.ctl('is-failed', 'bad').stdout == 'failed\n'
    assert rig.ctl('is-failed', 'on', check=False).returncode == 1
    assert 'Main PID' in '\n'.join(status(rig, 'bad', code=3))


def test_what_is_not_there(rig):
    """5: it names the unit that is missing, and who needs it; the others are dealt with all the same."""
    rig.unit('there.service', ExecStart=SLEEP)
    rig.unit('needs.service', f'[Unit]\nRequires=middle.service\n[Service]\nExecStart={SLEEP}\n')
    rig.unit('middle.service', f'[Unit]\nRequires=missing.service\n[Service]\nExecStart={SLEEP}\n')
    rig.unit('masked.service', '')
    answer = rig.ctl('start', 'needs', check=False)
    assert answer.returncode == 5
    assert answer.stderr == (
        'mkosi-ctl: error: Cannot start needs.service: needs.service needs middle.service: '
        'middle.service needs missing.service: Unit missing.service not found.\n'
    )
    answer = rig.ctl('start', 'nosuch', 'there', check=False)
    assert (answer.returncode, rig.state('there')) == (5, 'active')
    assert answer.stderr == 'mkosi-ctl: error: Cannot start nosuch.service: Unit nosuch.service not found.\n'
    for verb in ('stop', 'try-restart', 'reload'):
        answer = rig.ctl(verb, 'nosuch', check=False)
        assert answer.returncode == 5 and 'nosuch.service: Unit nosuch.service not loaded.' in answer.stderr, verb
    assert rig.ctl('stop', 'nosuch', 'there', check=False).returncode == 5
    assert rig.state('there') == 'inactive'
    answer = rig.ctl('start', 'masked', check=False)
    assert answer.returncode == 1 and 'Cannot start masked.service: Unit masked.service is masked' in answer.stderr


def test_reset_failed(rig):
    for name in ('one', 'other'):
        rig.unit(f'{name}.service', Type='oneshot', ExecStart='/bin/false')
    rig.ctl('start', 'one', 'other', check=False)
    rig.ctl('reset-failed', 'one')
    assert (rig.state('one'), rig.state('other')) == ('inactive', 'failed')
    rig.ctl('reset-failed')
    assert rig.state('other') == 'inactive'


def test_show(rig):
    rig.unit('show.service', ExecStart=SLEEP, Environment='A=1 B=2')
    rig.ctl('start', 'show')
    assert rig.ctl('show', '-p', 'Id', 'show').stdout == 'Id=show.service\n'
    assert rig.ctl('show', '-p', 'Id', '--value', 'show').stdout == 'show.service\n'
    assert rig.ctl('show', '-p', 'ActiveState', '-p', 'SubState', 'show').stdout == (
        'ActiveState=active\nSubState=running\n'
    )
    everything = rig.ctl('show', 'show').stdout
    assert 'Environment=A=1 B=2\n' in everything


def test_limits_that_nobody_set(rig):
    """What has no limit says so, and what has a default says that."""
    rig.unit('limits.service', ExecStart=SLEEP)
    assert rig.show('limits', 'RuntimeMaxUSec') == 'infinity'
    assert rig.show('limits', 'TasksMax') == 'infinity'
    assert rig.show('limits', 'TimeoutStopUSec') == '1min 30s'


def test_kill(rig):
    rig.unit('kill.service', ExecStart="/bin/sh -c 'trap \"echo got\" USR1; echo ready; while :; do sleep 0.1; done'")
    rig.ctl('start', 'kill')
    wait_for(lambda: 'ready' in rig.log('-u', 'kill'), 'the trap')
    rig.ctl('kill', '-s', 'USR1', '--kill-who=main', 'kill')
    wait_for(lambda: 'got' in rig.log('-u', 'kill'), 'the signal')
    assert rig.ctl('kill', '-s', 'NONSENSE', 'kill', check=False).returncode == 1
    rig.ctl('kill', '-s', 'KILL', 'kill')
    rig.wait_state('kill', 'failed')
    assert rig.show('kill', 'Result') == 'signal'


def test_restart_and_reload(rig):
    rig.unit('again.service', ExecStart=SLEEP, ExecReload='/bin/touch /run/reloaded')
    rig.ctl('try-restart', 'again')
    assert rig.state('again') == 'inactive'
    rig.ctl('restart', 'again')
    pid = rig.main_pid('again')
    rig.ctl('reload', 'again')
    assert rig.exists('/run/reloaded') and rig.main_pid('again') == pid
    rig.ctl('try-restart', 'again')
    assert rig.main_pid('again') != pid


def test_cat(rig):
    rig.unit('cat.service', ExecStart=SLEEP)
    rig.unit('cat.service.d/10-more.conf', '[Service]\nNice=1\n')
    assert rig.ctl('cat', 'cat').stdout == (
        f'# {UNITS}/cat.service\n[Service]\nExecStart={SLEEP}\n\n# {UNITS}/cat.service.d/10-more.conf\n[Service]\nNice=1\n'
    )
    assert rig.ctl('cat', 'nothing', check=False).returncode == 1


def test_cat_shows_what_the_manager_reads(rig):
    """What set-property wrote, for now and for later, and units that mkosi-run made."""
    rig.unit('cat.service', ExecStart=SLEEP)
    rig.ctl('set-property', 'cat', 'TasksMax=7')
    rig.ctl('set-property', '--runtime', 'cat', 'CPUAccounting=yes')
    text = rig.ctl('cat', 'cat').stdout
    assert f'# {UNITS}/cat.service\n' in text
    for path, setting in (
        ('/etc/mkosi/system.control/cat.service.d/50-TasksMax.conf', 'TasksMax=7'),
        ('/run/mkosi/system.control/cat.service.d/50-CPUAccounting.conf', 'CPUAccounting=yes'),
    ):
        assert f'\n# {path}\n' in text and f'\n{setting}\n' in text
    rig.transient('--unit=made', '-p', 'Nice=3', '/bin/sleep', '600')
    text = rig.ctl('cat', 'made').stdout
    assert text.startswith('# /run/mkosi/transient/made.service\n') and '\nNice=3\n' in text
    assert rig.ctl('is-enabled', 'made').stdout == 'transient\n'
    refused = rig.ctl('enable', 'made', check=False)
    assert refused.returncode == 1 and 'made.service is transient' in refused.stderr


def test_mask(rig):
    """What is masked is not started by anything, for now or for good; what is something else is left alone."""
    rig.shell('mount -t tmpfs -o mode=0755 tmpfs /usr/local/lib')
    rig.write('/usr/local/lib/systemd/system/vendor.service', f'[Service]\nExecStart={SLEEP}\n')
    rig.ctl('start', 'vendor')
    said = rig.ctl('mask', '--now', 'vendor').stderr
    assert said == f'Created symlink {UNITS}/vendor.service → /dev/null.\n'
    assert os.readlink(rig.path(f'{UNITS}/vendor.service')) == '/dev/null'
    assert rig.state('vendor') == 'inactive'
    answer = rig.ctl('is-enabled', 'vendor', check=False)
    assert (answer.returncode, answer.stdout) == (1, 'masked\n')
    refused = rig.ctl('start', 'vendor', check=False)
    assert refused.returncode == 1 and 'vendor.service is masked' in refused.stderr
    assert 'unmask it first' in rig.ctl('enable', 'vendor', check=False).stderr
    rig.ctl('mask', '--runtime', 'vendor')
    refused = rig.ctl('unmask', 'vendor', check=False)
    assert refused.returncode == 1 and 'masked in /run/systemd/system still: unmask it with --runtime' in refused.stderr
    assert rig.ctl('is-enabled', 'vendor', check=False).stdout == 'masked-runtime\n'
    assert rig.ctl('unmask', '--runtime', 'vendor').stderr == 'Removed /run/systemd/system/vendor.service.\n'
    rig.ctl('unmask', 'vendor')
    rig.ctl('start', 'vendor')
    rig.unit('own.service', ExecStart=SLEEP)
    refused = rig.ctl('mask', 'own', check=False)
    assert refused.returncode == 1 and f'{UNITS}/own.service is there already' in refused.stderr
    assert rig.ctl('unmask', 'own').stderr == ''
    assert 'it is masked for when it has one' in rig.ctl('mask', 'later').stderr


def test_below_another_root(rig):
    """Nothing of it is this manager's to start."""
    rig.write(
        '/run/image/usr/lib/systemd/system/in.service', f'[Service]\nExecStart={SLEEP}\n[Install]\nWantedBy=multi-user.target\n'
    )
    for verb in ('enable', 'disable', 'mask'):
        refused = rig.ctl('--root=/run/image', verb, '--now', 'in', check=False)
        assert refused.returncode == 1 and 'what is below /run/image is not run by the manager' in refused.stderr
    link = '/run/image/etc/systemd/system/multi-user.target.wants/in.service'
    assert not rig.exists(link)
    rig.ctl('--root=/run/image', 'enable', 'in')
    assert rig.exists(link)
    assert rig.ctl('--root=/run/image', 'is-enabled', 'in').stdout == 'enabled\n'
    listed = rig.ctl('--root=/run/image', 'list-unit-files', '-q').stdout.splitlines()
    assert [line.split() for line in listed] == [['in.service', 'enabled']]


def test_list_unit_files(rig):
    """With and without a manager."""
    install = '[Install]\nWantedBy=multi-user.target\n'
    rig.unit('mine-on.service', f'[Service]\nExecStart={SLEEP}\n{install}')
    rig.unit('mine-off@.service', f'[Service]\nExecStart={SLEEP}\n{install}')
    rig.write(f'{UNITS}/mine-all.target', '[Unit]\nDescription=All\n')
    rig.ctl('enable', 'mine-on')
    rig.kill_manager()

    def listed(*options):
        return [tuple(line.split()) for line in rig.ctl('list-unit-files', '-q', *options).stdout.splitlines()]

    assert listed('mine-*') == [('mine-all.target', 'static'), ('mine-off@.service', 'disabled'), ('mine-on.service', 'enabled')]
    assert listed('mine-*', '--type=target') == [('mine-all.target', 'static')]
    assert listed('mine-*', '--state=enabled,disabled', '-t', 'service') == [
        ('mine-off@.service', 'disabled'), ('mine-on.service', 'enabled'),
    ]  # fmt: skip
    text = rig.ctl('list-unit-files', 'mine-*').stdout
    assert text.startswith('UNIT FILE ') and text.endswith('\n\n3 unit files listed.\n')


def test_list_units(rig):
    rig.unit('list.service', '[Unit]\nDescription=Something\n[Service]\n' f'ExecStart={SLEEP}\n')
    rig.ctl('start', 'list')
    assert re.search(
        r'^list\.service +loaded +active +running +Something$', rig.ctl('list-units').stdout, re.M
    )
    assert 'list.service' not in rig.ctl('list-units', 'other*').stdout
    rig.ctl('stop', 'list')
    assert 'list.service' not in rig.ctl('list-units').stdout


def test_jobs(rig):
    """What is to be done is listed, and can be taken back, one by one or all at once."""
    assert rig.ctl('list-jobs').stdout == 'No jobs are waiting or running.\n'
    slow = "/bin/sh -c 'until [ -e /run/go ]; do sleep 0.01; done'"
    rig.unit('slow.service', Type='oneshot', ExecStart=slow)
    for name in ('one', 'two', 'three'):
        rig.unit(f'{name}.service', f'[Unit]\nAfter=slow.service\n[Service]\nExecStart={SLEEP}\n')
    rig.ctl('start', '--no-block', 'slow', 'one', 'two')
    lines = rig.ctl('list-jobs').stdout.splitlines()
    assert lines[0].split() == ['JOB', 'UNIT', 'TYPE', 'STATE'] and lines[-2:] == ['', '3 jobs listed.']
    found = {unit: (int(number), kind, state) for number, unit, kind, state in map(str.split, lines[1:4])}
    assert {unit: words[1:] for unit, words in found.items()} == {
        'slow.service': ('start', 'running'), 'one.service': ('start', 'waiting'), 'two.service': ('start', 'waiting'),
    }  # fmt: skip
    assert [line.split()[1] for line in rig.ctl('list-jobs', '-q', 'o*', 'x*').stdout.splitlines()] == ['one.service']
    number = found['one.service'][0]
    waiting = rig.popen(rig.programs / 'mkosi-ctl', 'start', 'three', stderr=subprocess.PIPE)
    rig.ctl('cancel', str(number))
    answer = rig.ctl('cancel', 'x', str(number), check=False)
    assert answer.returncode == 1
    assert '"x" is no number of a job' in answer.stderr and f'Job {number} does not exist' in answer.stderr
    wait_for(lambda: 'three.service' in rig.ctl('list-jobs').stdout, 'the job')
    rig.ctl('cancel')
    assert rig.ctl('list-jobs', '-q').stdout == ''
    assert waiting.wait() == 1
    assert 'Job for three.service was canceled' in waiting.communicate()[1]
    rig.write('/run/go', '')
    rig.wait_state('slow', 'inactive')
    assert rig.state('one') == rig.state('two') == 'inactive'


def test_json(rig):
    """One option of all verbs that show something; what people are shown, programs can read."""
    ugly = 'Say \x1b[2J \x9b "this"'
    rig.unit('talk.service', f"[Unit]\nDescription={ugly}\n[Service]\nType=exec\nNice=-5\nExecStart=/bin/sleep '600'\nExecStop=-/bin/true a\n")
    rig.unit('bad.service', Type='oneshot', ExecStart='/bin/false')
    rig.ctl('start', 'talk')
    rig.ctl('start', 'bad', check=False)
    pid = rig.main_pid('talk')

    def ask(*words, code=0):
        answer = rig.ctl(*words, '--json', check=False)
        assert answer.returncode == code, answer.stderr
        assert not set(answer.stdout) & {'\x1b', '\x9b'}
        return json.loads(answer.stdout)

    units = {unit['unit']: unit for unit in ask('list-units', '--all')}
    assert units['talk.service'] == {
        'unit': 'talk.service', 'load': 'loaded', 'active': 'active', 'sub': 'running', 'description': ugly,
    }  # fmt: skip
    assert [unit['unit'] for unit in ask('list-units', '--failed')] == ['bad.service']
    [talk, bad] = ask('show', 'talk', 'bad')
    assert (talk['Id'], talk['MainPID'], talk['Nice'], talk['SendSIGKILL']) == ('talk.service', pid, -5, True)
    assert talk['RuntimeMaxUSec'] is None and talk['TimeoutStopUSec'] == 90_000_000 and talk['Description'] == ugly
    assert talk['Requires'] == ['system.slice'] and talk['LoadError'] == ['', '']
    [command] = talk['ExecStart']
    assert (command['path'], command['argv'], command['pid']) == ('/bin/sleep', ['/bin/sleep', '600'], pid)
    assert command['start_time'] == talk['ExecMainStartTimestamp'] > 10**15 and command['code'] is None
    assert talk['ExecStop'][0]['ignore_errors'] is True
    assert (bad['ExecStart'][0]['code'], bad['ExecStart'][0]['status'], bad['ActiveState']) == ('exited', 1, 'failed')
    assert ask('show', '-p', 'Id,MainPID', 'talk') == [{'MainPID': pid, 'Id': 'talk.service'}]
    [talk, bad] = ask('status', 'talk', 'bad', code=3)
    assert (talk['unit'], talk['active'], talk['main_pid'], talk['description']) == ('talk.service', 'active', pid, ugly)
    assert talk['processes'] == [{'pid': pid, 'command_line': '/bin/sleep 600'}]
    assert (bad['result'], bad['main_code'], bad['main_status'], bad['processes']) == ('exit-code', 'exited', 1, [])
    assert ask('list-jobs') == []
    assert {row['unit_file']: row['state'] for row in ask('list-unit-files')}['bad.service'] == 'static'
    records = rig.ctl('log', '--json', '-u', 'bad').stdout.splitlines()
    assert any(json.loads(record)['MESSAGE'] == 'Starting bad.service...' for record in records)
    refused = rig.ctl('show', '--json', '--value', 'talk', check=False)
    assert refused.returncode == 1 and 'exclude each other' in refused.stderr


def test_nothing_that_a_terminal_obeys(rig):
    """Whoever writes a unit does not write to the terminal of whoever looks at it."""
    rig.write('/run/ugly', '#!/bin/sh\nsystemd-notify --ready "--status=$(printf "\\033[31m")"\nexec sleep 600\n', 0o755)
    settings = '[Service]\nType=notify\nNotifyAccess=all\nExecStart=/run/ugly\n'
    rig.unit('ugly.service', f'[Unit]\nDescription=A\x1b[2J\x07\x9bB\n{settings}')
    rig.ctl('start', 'ugly')
    for words in (['list-units'], ['status', 'ugly'], ['show', 'ugly'], ['list-jobs'], ['log', '-u', 'ugly']):
        shown = rig.ctl(*words).stdout
        assert not set(shown) & {'\x1b', '\x07', '\x9b'}, words
    assert ' - A?[2J???B' in rig.ctl('status', 'ugly').stdout
    assert '   Status: "?[31m"' in rig.ctl('status', 'ugly').stdout


def test_patterns(rig):
    """Verbs that look at units, or do something with them, take patterns for the names of those that are known."""
    for name in ('web-1', 'web-2', 'db'):
        rig.unit(f'{name}.service', ExecStart=SLEEP)
        rig.ctl('start', name)
    assert rig.ctl('is-active', 'web-*').stdout == 'active\nactive\n'
    assert rig.ctl('show', '-p', 'Id', '--value', 'web-*', 'db').stdout.split() == ['web-1.service', 'web-2.service', 'db.service']
    assert rig.ctl('status', 'web-[12]*').stdout.count('● web-') == 2
    rig.ctl('stop', 'web-*')
    assert [rig.state(name) for name in ('web-1', 'web-2', 'db')] == ['inactive', 'inactive', 'active']
    answer = rig.ctl('stop', 'nothing*')
    assert 'No unit that is known is called like "nothing*"' in answer.stderr
    rig.ctl('kill', '-s', 'KILL', 'd?.service')
    rig.wait_state('db', 'failed')
    rig.ctl('reset-failed', 'nothing*')
    assert rig.state('db') == 'failed', 'not all units were meant'
    rig.ctl('reset-failed', 'd*')
    assert rig.state('db') == 'inactive'


def test_list_units_of_a_state_or_type(rig):
    rig.unit('good.service', ExecStart=SLEEP)
    rig.unit('bad.service', Type='oneshot', ExecStart='/bin/false')
    rig.ctl('start', 'good')
    rig.ctl('start', 'bad', check=False)

    def listed(*options):
        return {line.split()[0] for line in rig.ctl('list-units', '-q', *options).stdout.splitlines()}

    assert listed('--failed') == {'bad.service'}
    assert listed('--state=running,failed', '--type=service') == {'good.service', 'bad.service'}
    assert listed('--state=running', '-t', 'service') == {'good.service'}
    assert 'good.service' not in listed('--type=slice') and listed('-t', 'slice')


@pytest.mark.parametrize(
    'options, directory', [([], '/etc/mkosi/system.control'), (['--runtime'], '/run/mkosi/system.control')]
)
def test_set_property(rig, options, directory):
    """It is written where its life is as long as was asked for, is true at once, and after a restart of the manager too."""
    rig.unit('set.service', ExecStart=SLEEP, Environment='A=1')
    rig.ctl('start', 'set')
    rig.ctl('set-property', *options, 'set', 'CPUAccounting=yes', 'TasksMax=77')
    assert rig.show('set', 'CPUAccounting', 'TasksMax') == {'CPUAccounting': 'yes', 'TasksMax': '77'}
    names = sorted(os.listdir(rig.path(f'{directory}/set.service.d')))
    assert names == ['50-CPUAccounting.conf', '50-TasksMax.conf']
    text = rig.path(f'{directory}/set.service.d/50-TasksMax.conf').read_text()
    lines = [line for line in text.splitlines() if line and not line.startswith('#')]
    assert lines[0] == '[Service]' and lines[-1] == 'TasksMax=77'
    rig.kill_manager()
    rig.start_manager()
    assert rig.show('set', 'TasksMax') == '77'
    assert rig.ctl('set-property', 'set', 'CPUAccounting=nonsense', check=False).returncode == 1
    assert rig.ctl('set-property', 'set', 'TasksMax', check=False).returncode == 1
    assert rig.show('set', 'TasksMax') == '77'


def test_set_property_is_all_or_nothing(rig):
    """When one of several cannot be written nothing has changed, neither on disk nor in what is shown."""
    rig.unit('all.service', ExecStart=SLEEP)
    rig.ctl('set-property', 'all', 'TasksMax=5')
    directory = '/etc/mkosi/system.control/all.service.d'
    before = rig.path(f'{directory}/50-TasksMax.conf').read_text()
    rig.write('/run/elsewhere', '')
    rig.path(f'{directory}/50-IPAccounting.conf').symlink_to('/run/elsewhere')
    answer = rig.ctl('set-property', 'all', 'TasksMax=7', 'CPUAccounting=yes', 'IPAccounting=yes', check=False)
    assert answer.returncode == 1 and '50-IPAccounting.conf' in answer.stderr
    assert rig.path(f'{directory}/50-TasksMax.conf').read_text() == before
    assert not rig.exists(f'{directory}/50-CPUAccounting.conf')
    assert rig.show('all', 'TasksMax', 'CPUAccounting') == {'TasksMax': '5', 'CPUAccounting': 'no'}


def test_enable(rig):
    rig.unit('en.service', f'[Service]\nExecStart={SLEEP}\n[Install]\nWantedBy=multi-user.target\n')
    link = f'{UNITS}/multi-user.target.wants/en.service'
    assert rig.ctl('is-enabled', 'en', check=False).stdout == 'disabled\n'
    rig.ctl('enable', 'en')
    assert os.readlink(rig.path(link)) == f'{UNITS}/en.service'
    assert rig.ctl('is-enabled', 'en').stdout == 'enabled\n'
    assert rig.state('en') == 'inactive'
    rig.ctl('disable', 'en')
    assert not rig.exists(link)


def test_states_of_files(rig):
    """is-enabled, show and the line Loaded agree on whether something starts the unit."""
    install = '[Install]\nWantedBy=multi-user.target\n'
    for name, end in (('off', install), ('on', install), ('meanwhile', install), ('fixed', ''), ('other', '[Install]\nAlso=on.service\n')):
        rig.unit(f'{name}.service', f'[Service]\nExecStart={SLEEP}\n{end}')
    rig.ctl('enable', 'on')
    rig.ctl('enable', '--runtime', 'meanwhile')
    for name, word, code in (
        ('off', 'disabled', 1), ('on', 'enabled', 0), ('meanwhile', 'enabled-runtime', 0), ('fixed', 'static', 0),
        ('other', 'indirect', 0),
    ):  # fmt: skip
        answer = rig.ctl('is-enabled', name, check=False)
        assert (answer.returncode, answer.stdout) == (code, f'{word}\n')
        assert rig.show(name, 'UnitFileState', 'UnitFilePreset') == {
            'UnitFileState': word,
            'UnitFilePreset': 'disabled',
        }
        assert status(rig, name, code=3)[1] == (
            f'   Loaded: loaded ({UNITS}/{name}.service; {word}; vendor preset: disabled)'
        )
    rig.transient('--unit=t', '/bin/sleep', 'infinity')
    assert rig.show('t', 'UnitFileState') == 'transient'
    assert status(rig, 't')[1] == '   Loaded: loaded (/run/mkosi/transient/t.service; transient)'


def test_enable_template(rig):
    """A template is enabled as the instance that DefaultInstance= says; one that says none is refused with the cure."""
    rig.unit('none@.service', '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n')
    rig.unit('some@.service', '[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\nDefaultInstance=one\n')
    rig.unit('also.service', '[Service]\nExecStart=/bin/true\n[Install]\nAlso=some@.service\n')
    refused = rig.ctl('enable', 'none@', check=False)
    assert refused.returncode == 1
    assert 'none@1.service' in refused.stderr
    link = '/etc/systemd/system/multi-user.target.wants/some@one.service'
    for unit in ('some@', 'also'):
        rig.ctl('enable', unit)
        assert rig.exists(link)
        rig.ctl('disable', unit)
        assert not rig.exists(link)
    assert 'DefaultInstance=one' in rig.ctl('cat', 'some@').stdout


def test_descriptions_are_for_humans(rig):
    """Specifiers are replaced in them; on the command line of mkosi-run a percent sign is itself."""
    rig.unit('say@.service', f'[Unit]\nDescription=Instance %i of %p: 100%%\n[Service]\nExecStart={SLEEP}\n')
    rig.ctl('start', 'say@one')
    assert rig.show('say@one', 'Description') == 'Instance one of say: 100%'
    assert 'Started Instance one of say: 100%.' in rig.log('-u', 'say@one')
    rig.transient('--unit=words', '/bin/sh', '-c', 'echo 100% %n; exec sleep 600')
    assert rig.show('words', 'Description') == '/bin/sh -c echo 100% %n; exec sleep 600'
    rig.transient('--unit=told', '--description=50% of %n', '/bin/sleep', '600')
    assert rig.show('told', 'Description') == '50% of %n'


def test_enable_now(rig):
    rig.unit('now.service', f'[Service]\nExecStart={SLEEP}\n[Install]\nWantedBy=multi-user.target\n')
    rig.ctl('enable', '--now', 'now')
    assert rig.state('now') == 'active'
    rig.ctl('disable', '--now', 'now')
    assert rig.state('now') == 'inactive' and not rig.exists(f'{UNITS}/multi-user.target.wants')


def test_du29_instances(rig):
    """DU29: a template, enabled and started for one customer after another, also without [Install]."""
    rig.unit('foobard@.service', ExecStart=SLEEP, DynamicUser='yes', StateDirectory='foobar/%i')
    for customer in ('customerxyz', 'customerabc'):
        rig.ctl('enable', f'foobard@{customer}.service', '--now')
        assert rig.state(f'foobard@{customer}') == 'active'
        wait_for(lambda: rig.exists(f'/var/lib/foobar/{customer}'), 'the directory')
        assert os.readlink(rig.path(f'/var/lib/foobar/{customer}')) == f'../private/foobar/{customer}'
        assert rig.path(f'/var/lib/private/foobar/{customer}').is_dir()


def test_ip22_to_ip26_records_of_resources(rig):
    """IP23 to IP26, IP54: one record for each life, found by its ID, with all that is told of it; also when it ends by itself."""
    busy = '/usr/bin/python3 -c "import time\\nwhile time.process_time() < 0.5: pass"'
    rig.unit('used.service', Type='oneshot', CPUAccounting='yes', ExecStart=busy)
    rig.unit('other.service', Type='oneshot', CPUAccounting='yes', ExecStart='/bin/true')
    rig.ctl('start', 'used')
    rig.ctl('start', 'other')
    rig.ctl('start', 'used')

    # What a life took is written before the client hears that it is over.
    records = [json.loads(line) for line in rig.ctl('log', '-u', 'used', '-o', 'json', RESOURCES).stdout.splitlines()]
    assert len(records) == 2
    assert len({record['INVOCATION_ID'] for record in records}) == 2
    for record in records:
        assert re.fullmatch(r'used\.service: Consumed ([0-9.]+s|[5-9]\d\dms) CPU time', record['MESSAGE'])
        assert record['PRIORITY'] == '6' and record['UNIT'] == 'used.service'
        assert record['SYSLOG_FACILITY'] == '3' and record['SYSLOG_IDENTIFIER']
        assert int(record['CPU_USAGE_NSEC']) >= 500_000_000
        for name in (
            'CODE_FILE', 'CODE_LINE', 'CODE_FUNC', '_PID', '_UID', '_GID', '_COMM', '_EXE', '_CMDLINE', '_BOOT_ID',
            '_MACHINE_ID', '_HOSTNAME', '_TRANSPORT', '_CAP_EFFECTIVE', '_SOURCE_REALTIME_TIMESTAMP',
        ):  # fmt: skip
            assert name in record, name
    assert len(rig.ctl('log', '-o', 'cat', RESOURCES).stdout.splitlines()) == 3
    assert len(rig.ctl('log', '-o', 'cat', '-n', '1', RESOURCES).stdout.splitlines()) == 1


def test_log_formats_and_matches(rig):
    rig.unit('talk.service', Type='oneshot', ExecStart="/bin/sh -c 'echo hello; echo oops >&2'")
    rig.ctl('start', 'talk')
    wait_for(lambda: 'oops' in rig.log('-u', 'talk'), 'what was said')
    assert re.search(
        r'^[A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d \S+ \S+\[\d+\]: hello$', rig.ctl('log', '-u', 'talk').stdout, re.M
    )
    assert '    MESSAGE=hello\n' in rig.ctl('log', '-u', 'talk', '-o', 'verbose').stdout
    assert '\nMESSAGE=hello\n' in rig.ctl('log', '-u', 'talk', '-o', 'export').stdout
    assert rig.log('MESSAGE=hello') == ['hello']
    assert rig.log('MESSAGE=hello', 'MESSAGE=oops') == ['hello', 'oops']
    assert rig.log('MESSAGE=hello', 'UNIT=other.service') == []
    assert rig.ctl('log', 'nonsense', check=False).returncode == 1


def test_log_without_a_manager(rig):
    rig.unit('talk.service', Type='oneshot', ExecStart='/bin/echo hello')
    rig.ctl('start', 'talk')
    rig.kill_manager()
    assert 'hello' in rig.log('-u', 'talk')
    answer = rig.ctl('status', 'talk', check=False)
    assert answer.returncode == 1
    assert answer.stderr == 'mkosi-ctl: error: No manager runs: start mkosi-manager\n'


def test_words_that_are_wrong(rig):
    for words in (['strat', 'a'], ['start'], ['daemon-reload', 'a'], ['start', 'a/b.service'], ['-n', 'x', 'log']):
        answer = rig.ctl(*words, check=False)
        assert answer.returncode == 1 and answer.stderr.startswith('mkosi-ctl: error: '), words
    assert 'did you mean "start"?' in rig.ctl('strat', 'a', check=False).stderr


def test_options_belong_to_verbs(rig):
    """What means nothing to a verb is refused, with the verbs that it is for; one letter may mean two things."""
    for words, whom in (
        (['start', '--now', 'a'], '--now means nothing to the verb start: it is for enable, disable, mask'),
        (['daemon-reload', '--json'], '--json means nothing to the verb daemon-reload: it is for status, show, '),
        (['show', '-f', 'a'], '-f means nothing to the verb show: it is for enable, mask'),
        (['log', '--force'], '--force means nothing to the verb log: it is for enable, mask'),
        (['log', '--property=err'], '--property means nothing to the verb log: it is for show'),
        (['status', '--root=/x', 'a'], '--root means nothing to the verb status: it is for cat, '),
        (['--unit=a'], '--unit means nothing to the verb list-units: it is for log'),
    ):
        answer = rig.ctl(*words, check=False)
        assert answer.returncode == 1 and answer.stderr.startswith(f'mkosi-ctl: error: {whom}'), answer.stderr
        assert answer.stdout == ''
    rig.unit('said.service', Type='oneshot', ExecStart='/bin/echo said')
    rig.ctl('start', 'said', '-q', '--no-pager')
    assert 'said' not in rig.log('-p', 'err')
