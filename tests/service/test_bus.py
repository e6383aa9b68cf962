# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manager's bus, as systemd's own tools see it, and what it makes of clients that behave badly."""

import os
import re

import pytest
from rig import wait_for

SLEEP = '/bin/sleep infinity'
JOURNAL_REMOTE = '/usr/lib/systemd/systemd-journal-remote'


@pytest.fixture
def systemctl(rig):
    """Debian's systemctl: as root it talks to PID 1's private socket, in whose place ours is in the rig."""
    rig.shell('mkdir -p /run/systemd/system && ln -s /run/mkosi/private /run/systemd/private')

    def call(*arguments, **options):
        # It looks at whether it runs in a container or a chroot: neither.
        return rig.run(
            'systemctl', '--no-pager', '--no-ask-password', *arguments, environment={'SYSTEMD_IGNORE_CHROOT': '1'},
            **options,
        )  # fmt: skip

    return call


def test_lists_are_words(rig, systemctl):
    """Each word of a list is an item, and one with blanks can be told from two."""
    settings = {
        'Environment': ('A=1 "B=2 3"', 'A=1 "B=2 3"'), 'ReadWritePaths': ('/run -/tmp', '/run -/tmp'),
        'StateDirectory': ('a b/c', 'a b/c'), 'InaccessiblePaths': ('/nowhere', '/nowhere'),
    }  # fmt: skip
    rig.unit('list.service', ExecStart=SLEEP, **{name: said for name, (said, _) in settings.items()})
    for ask in (systemctl, rig.ctl):
        lines = ask('show', 'list.service', *(f'--property={name}' for name in settings)).stdout.splitlines()
        assert dict(line.split('=', 1) for line in lines) == {name: shown for name, (_, shown) in settings.items()}


def test_ip20_systemctl_show(rig, systemctl):
    rig.unit('show.service', ExecStart=SLEEP, CPUAccounting='yes', TasksMax='33')
    rig.ctl('start', 'show')
    names = [
        'Id', 'LoadState', 'ActiveState', 'SubState', 'MainPID', 'FragmentPath', 'Result', 'Slice', 'ControlGroup',
        'CPUAccounting', 'TasksMax', 'RuntimeMaxUSec', 'TimeoutStopUSec', 'ExecMainStatus', 'NRestarts',
    ]  # fmt: skip
    lines = systemctl('show', 'show.service', *(f'--property={name}' for name in names)).stdout.splitlines()
    found = dict(line.split('=', 1) for line in lines)
    assert found == {
        'Id': 'show.service', 'LoadState': 'loaded', 'ActiveState': 'active', 'SubState': 'running',
        'MainPID': str(rig.main_pid('show')), 'FragmentPath': '/etc/systemd/system/show.service',
        'Result': 'success', 'Slice': 'system.slice', 'ControlGroup': '/system.slice/show.service',
        'CPUAccounting': 'yes', 'TasksMax': '33', 'RuntimeMaxUSec': 'infinity', 'TimeoutStopUSec': '1min 30s',
        'ExecMainStatus': '0', 'NRestarts': '0',
    }  # fmt: skip
    systemctl('show', 'show.service')  # all of it has types that systemctl can print


def test_systemctl_status(rig, systemctl):
    rig.unit('status.service', Type='exec', ExecStart=SLEEP)
    rig.ctl('start', 'status')
    text = systemctl('status', 'status.service').stdout
    assert 'Active: active (running) since ' in text
    assert f'Main PID: {rig.main_pid("status")} (sleep)' in text
    rig.ctl('stop', 'status')
    assert systemctl('status', 'status.service', check=False).returncode == 3


def test_systemctl_changes_units(rig, systemctl):
    rig.unit('change.service', ExecStart=SLEEP)
    systemctl('start', 'change.service')
    assert rig.state('change') == 'active'
    assert systemctl('is-active', 'change.service').stdout == 'active\n'
    assert 'change.service' in systemctl('list-units', '--plain', '--no-legend').stdout
    pid = rig.main_pid('change')
    systemctl('restart', 'change.service')
    assert rig.main_pid('change') != pid
    systemctl('set-property', '--runtime', 'change.service', 'CPUAccounting=yes', 'TasksMax=44')
    assert rig.show('change', 'CPUAccounting', 'TasksMax') == {'CPUAccounting': 'yes', 'TasksMax': '44'}
    systemctl('kill', '--signal=KILL', 'change.service')
    rig.wait_state('change', 'failed')
    systemctl('reset-failed', 'change.service')
    systemctl('stop', 'change.service')
    assert rig.state('change') == 'inactive'
    rig.unit('bad.service', Type='oneshot', ExecStart='/bin/false')
    assert systemctl('start', 'bad.service', check=False).returncode == 1
    assert systemctl('start', 'nothing.service', check=False).returncode == 5
    refused = systemctl('stop', 'nothing.service', check=False)
    assert refused.returncode == 5
    assert refused.stderr == 'Failed to stop nothing.service: Unit nothing.service not loaded.\n'


@pytest.fixture
def ask(rig):
    """dbus-send, of another implementation of D-Bus: what an object has, or what a method answers."""

    def call(path, method, *arguments, **options):
        return rig.run(
            'dbus-send', '--peer=unix:path=/run/mkosi/private', '--print-reply=literal', f'/org/freedesktop/systemd1{path}',
            f'org.freedesktop.{method}', *arguments, **options,
        )  # fmt: skip

    return call


# What systemctl shows of a unit of systemd 252 in which nothing else is said.
DEFAULTS = {
    'NotifyAccess': 'none', 'KillSignal': '15', 'FinalKillSignal': '9', 'SendSIGKILL': 'yes', 'SendSIGHUP': 'no',
    'KillMode': 'control-group', 'UMask': '0022', 'RuntimeDirectoryMode': '0755', 'StateDirectoryMode': '0755',
    'CacheDirectoryMode': '0755', 'LogsDirectoryMode': '0755', 'ConfigurationDirectoryMode': '0755',
    'StandardInput': 'null', 'StandardOutput': 'journal', 'StandardError': 'inherit', 'TimeoutStartUSec': '1min 30s',
    'TimeoutStopUSec': '1min 30s', 'RuntimeMaxUSec': 'infinity', 'RestartUSec': '100ms', 'IgnoreSIGPIPE': 'yes',
    'Nice': '0', 'OOMScoreAdjust': '0', 'CPUSchedulingPolicy': '0', 'CPUSchedulingPriority': '0',
    'IOSchedulingClass': '2', 'IOSchedulingPriority': '4', 'TimerSlackNSec': '50000', 'KeyringMode': 'private',
    'Delegate': 'no', 'TasksAccounting': 'yes', 'CPUAccounting': 'no', 'AmbientCapabilities': '', 'Restart': 'no',
    'Type': 'simple', 'RemainAfterExit': 'no', 'ProtectSystem': 'no', 'PrivateTmp': 'no', 'Job': '', 'LoadError': '',
}  # fmt: skip


def shown(text):
    """Names and values; a name may be there more than once."""
    found = {}
    for line in text.splitlines():
        name, value = line.split('=', 1)
        found[name] = found[name] + '\n' + value if name in found else value
    return found


def test_defaults(rig, systemctl):
    """What nobody has said is shown as it is, by systemctl and by ours."""
    rig.unit('plain.service', ExecStart=SLEEP)
    ours = shown(rig.ctl('show', 'plain').stdout)
    assert {name: ours[name] for name in DEFAULTS} == DEFAULTS
    limits = rig.run('prlimit', f'--pid={rig.manager_pid()}', '--raw', '--noheadings', '--output=RESOURCE,SOFT,HARD').stdout
    for resource, *values in map(str.split, limits.splitlines()):
        soft, hard = ('infinity' if value in ('unlimited', '-1') else value for value in values)
        assert (ours[f'Limit{resource}Soft'], ours[f'Limit{resource}']) == (soft, hard), resource
    assert ours['CapabilityBoundingSet'].startswith('cap_chown cap_dac_override ')
    assert 'cap_sys_admin' in ours['CapabilityBoundingSet']
    rig.unit('notify.service', Type='notify', ExecStart=SLEEP)
    rig.unit('once.service', Type='oneshot', ExecStart='/bin/true')
    assert rig.show('notify', 'NotifyAccess') == 'main'
    assert rig.show('once', 'TimeoutStartUSec') == 'infinity'


def test_what_was_said(rig, systemctl):
    """Ours shows what systemctl shows, value by value."""
    rig.unit('said.service', Type='exec', ExecStart=SLEEP, ExecStop=['-/bin/echo one "two three"', '/bin/true'], KillSignal='SIGINT',
             UMask='0077', LimitNOFILE='100:200', StateDirectoryMode='0700', Nice='-5', OOMScoreAdjust='-100',
             CPUSchedulingPolicy='batch', IOSchedulingClass='idle', CapabilityBoundingSet='CAP_CHOWN CAP_KILL',
             NotifyAccess='all', StandardOutput='null', SendSIGKILL='no', TimeoutStopSec='5s', ProtectSystem='strict',
             DynamicUser='yes', Environment='A=1', TasksMax='9')  # fmt: skip
    rig.ctl('start', 'said')
    ours, theirs = (shown(text) for text in (rig.ctl('show', 'said').stdout, systemctl('show', '--all', 'said').stdout))
    for name, value in theirs.items():
        if value != '[unprintable]':
            assert ours[name] == value, name
    assert {name for name in ours if name not in theirs} <= {
        'ExecCondition', 'ExecStartPre', 'ExecStartPost', 'ExecReload', 'ExecStopPost',
    }  # fmt: skip
    assert ours['ExecStop'].splitlines()[0] == (
        '{ path=/bin/echo ; argv[]=/bin/echo one two three ; ignore_errors=yes ; start_time=[n/a] ; stop_time=[n/a] ; '
        'pid=0 ; code=(null) ; status=0/0 }'
    )
    for name, value in (
        ('KillSignal', '2'), ('UMask', '0077'), ('LimitNOFILE', '200'), ('LimitNOFILESoft', '100'), ('Nice', '-5'),
        ('CPUSchedulingPolicy', '3'), ('IOSchedulingClass', '3'), ('CapabilityBoundingSet', 'cap_chown cap_kill'),
        ('SendSIGKILL', 'no'), ('NotifyAccess', 'all'), ('StateDirectoryMode', '0700'),
    ):  # fmt: skip
        assert ours[name] == value, name


def test_systemctl_shows_relations(rig, systemctl):
    """What a unit says of others, what others say of it, and all of its names."""
    rig.unit('web.service', """[Unit]
Requires=db.service
Wants=log.service
BindsTo=net.service
PartOf=all.target
Conflicts=old.service
After=db.service net.service
Before=late.service
[Service]
ExecStart=/bin/sleep 600
""")
    for name in ('db', 'log', 'net'):
        rig.unit(f'{name}.service', ExecStart=SLEEP)
    rig.path('/etc/systemd/system/www.service').symlink_to('web.service')
    rig.write('/etc/systemd/system/all.target', '[Unit]\nWants=web.service\n')
    systemctl('start', 'all.target')

    def show(unit, *names):
        lines = systemctl('show', unit, *(f'--property={name}' for name in names)).stdout.splitlines()
        return {name: words.split() for name, words in (line.split('=', 1) for line in lines)}

    web = show('www.service', 'Id', 'Names', 'Requires', 'Wants', 'BindsTo', 'PartOf', 'Conflicts', 'After', 'Before', 'WantedBy')
    assert web == {
        'Id': ['web.service'], 'Names': ['web.service', 'www.service'], 'Requires': ['db.service', 'system.slice'],
        'Wants': ['log.service'], 'BindsTo': ['net.service'], 'PartOf': ['all.target'],
        'Conflicts': ['old.service', 'shutdown.target'], 'After': ['basic.target', 'db.service', 'net.service', 'system.slice'],
        'Before': ['late.service', 'shutdown.target'], 'WantedBy': ['all.target'],
    }  # fmt: skip
    assert show('db.service', 'RequiredBy', 'Before') == {'RequiredBy': ['web.service'], 'Before': ['shutdown.target', 'web.service']}
    assert show('net.service', 'BoundBy') == {'BoundBy': ['web.service']}
    assert show('all.target', 'ConsistsOf', 'Wants') == {'ConsistsOf': ['web.service'], 'Wants': ['web.service']}
    assert show('old.service', 'ConflictedBy') == {'ConflictedBy': ['web.service']}


def test_units_that_are_no_services(rig, systemctl):
    """They have a state of their own words, and nothing of a service."""
    rig.unit('in.service', ExecStart=SLEEP)
    rig.write('/etc/systemd/system/some.target', '[Unit]\nWants=in.service\n')
    systemctl('start', 'some.target')
    for unit in ('system.slice', 'some.target'):
        shown = systemctl('show', unit).stdout
        assert 'SubState=active\n' in shown and 'MainPID' not in shown and 'Restart=' not in shown
        assert re.search(r'^ +Active: active since ', systemctl('status', unit).stdout, re.M)
        assert re.search(r'^ +Active: active since ', rig.ctl('status', unit).stdout, re.M)
        assert re.search(rf'^{re.escape(unit)} +loaded +active +active ', rig.ctl('list-units').stdout, re.M)
    assert systemctl('show', '-p', 'ControlGroup', '--value', 'system.slice').stdout == '/system.slice\n'
    systemctl('stop', 'some.target')
    assert rig.show('some.target', 'SubState') == 'dead'


def test_systemctl_looks_at_files(rig, systemctl):
    """What files there are, and in what state, whether or not their units are known."""
    install = '[Install]\nWantedBy=multi-user.target\n'
    for name, end in (('off', install), ('on', install), ('fixed', ''), ('some@', install)):
        rig.unit(f'mine-{name}.service', f'[Service]\nExecStart={SLEEP}\n{end}')
    rig.ctl('enable', 'mine-on')
    rig.path('/etc/systemd/system/mine-other.service').symlink_to('mine-on.service')
    rig.path('/etc/systemd/system/mine-masked.service').symlink_to('/dev/null')
    states = {
        'mine-off.service': 'disabled', 'mine-on.service': 'enabled', 'mine-fixed.service': 'static',
        'mine-some@.service': 'disabled', 'mine-other.service': 'alias', 'mine-masked.service': 'masked',
    }  # fmt: skip
    lines = systemctl('list-unit-files', '--no-legend', 'mine-*').stdout.splitlines()
    assert {line.split()[0]: line.split()[1] for line in lines} == states
    lines = systemctl('list-unit-files', '--no-legend', '--state=enabled', 'mine-*').stdout.splitlines()
    assert [line.split()[0] for line in lines] == ['mine-on.service']
    for name, state in states.items():
        answer = systemctl('is-enabled', name, check=False)
        assert answer.stdout == f'{state}\n', name
        assert (answer.returncode == 0) == (state in ('enabled', 'static', 'alias')), name
    refused = systemctl('is-enabled', 'nothing.service', check=False)
    assert refused.returncode == 1 and 'nothing.service' in refused.stderr


def test_state_of_all(rig, systemctl):
    rig.unit('good.service', ExecStart=SLEEP)
    rig.unit('bad.service', Type='oneshot', ExecStart='/bin/false')
    rig.ctl('start', 'good')
    assert systemctl('is-system-running').stdout == 'running\n'
    rig.ctl('start', 'bad', check=False)
    answer = systemctl('is-system-running', check=False)
    assert (answer.returncode, answer.stdout) == (1, 'degraded\n')
    text = systemctl('status').stdout
    assert re.search(r'^ +State: .*degraded', text, re.M) and re.search(r'^ +Failed: 1 units', text, re.M)
    assert re.search(r'^ +Jobs: 0 queued', text, re.M)
    systemctl('reset-failed')
    assert systemctl('is-system-running').stdout == 'running\n'


def start_slowly(rig, *names):
    """Units of which the first one starts until /run/go is there, and each other one waits for the one before."""
    for name, before in zip(names, ('', *names)):
        order = f'After={before}.service' if before else ''
        rig.unit(f'{name}.service', f"""[Unit]
{order}
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh -c 'until [ -e /run/go ]; do sleep 0.01; done'
""")
    rig.ctl('start', '--no-block', *names)
    rig.wait_state(names[0], 'activating')


def test_systemctl_looks_at_jobs(rig, systemctl, ask):
    """A job is an object while there is something to do, and none afterwards."""

    def jobs():
        lines = systemctl('list-jobs', '--plain', '--no-legend').stdout.splitlines()
        return {unit: (number, kind, state) for number, unit, kind, state in map(str.split, lines)}

    start_slowly(rig, 'first', 'second')
    found = jobs()
    assert {unit: words[1:] for unit, words in found.items()} == {
        'first.service': ('start', 'running'),
        'second.service': ('start', 'waiting'),
    }
    number = found['second.service'][0]
    assert systemctl('show', '-p', 'Job', 'second').stdout == f'Job={number}\n'
    path = f'/job/{number}'
    assert ask('', 'systemd1.Manager.GetJob', f'uint32:{number}').stdout.split() == [f'/org/freedesktop/systemd1{path}']
    answer = ask(path, 'DBus.Properties.GetAll', 'string:org.freedesktop.systemd1.Job').stdout
    for words in (f'Id {number}', 'JobType start', 'State waiting', 'Unit second.service'):
        name, value = words.split()
        assert re.search(rf'{name}\s+variant\s+(struct \{{\s+)?(uint32 )?{re.escape(value)}\s', answer), answer
    systemctl('cancel', number)
    assert 'second.service' not in jobs()
    rig.write('/run/go', '')
    rig.wait_state('first', 'active')
    assert jobs() == {}
    assert systemctl('cancel', number, check=False).stderr == f'Failed to cancel job {number}: Job {number} does not exist.\n'
    assert ask(path, 'DBus.Properties.GetAll', 'string:', check=False).returncode == 1
    assert ask('', 'systemd1.Manager.GetJob', f'uint32:{number}', check=False).returncode == 1


def test_all_jobs_are_cancelled(rig, systemctl, ask):
    """Those that need what is not started any more are told so."""
    start_slowly(rig, 'first', 'second')
    rig.unit('third.service', '[Unit]\nRequires=second.service\nAfter=second.service\n[Service]\nExecStart=/bin/sleep 600\n')
    rig.ctl('start', '--no-block', 'third')
    second, third = (systemctl('show', '-p', 'Job', '--value', unit).stdout.strip() for unit in ('second', 'third'))
    ask(f'/job/{second}', 'systemd1.Job.Cancel')
    assert 'Dependency failed for third.service.' in rig.log('-u', 'third')
    rig.ctl('start', '--no-block', 'second')
    systemctl('cancel')
    assert systemctl('list-jobs').stdout == 'No jobs running.\n'
    rig.write('/run/go', '')
    rig.wait_state('first', 'active')
    assert rig.state('second') == rig.state('third') == 'inactive'


def test_modes_of_jobs(rig, systemctl):
    """What systemctl may ask for is done, or refused with what can be said in its place."""
    start_slowly(rig, 'first', 'second')
    refused = systemctl('--job-mode=fail', 'stop', 'second', check=False)
    assert refused.returncode == 4 and 'second.service would have to stop' in refused.stderr
    systemctl('--job-mode=ignore-dependencies', '--no-block', 'start', 'second')
    rig.wait_state('second', 'activating')
    for mode in ('isolate', 'flush', 'replace-irreversibly', 'nonsense'):
        refused = systemctl(f'--job-mode={mode}', 'start', 'first', check=False)
        assert refused.returncode == 1 and 'say replace, fail' in refused.stderr, mode
    rig.write('/run/go', '')
    rig.wait_state('first', 'active')


def test_kill_refuses_what_is_no_signal(rig, ask):
    rig.unit('live.service', ExecStart=SLEEP)
    rig.ctl('start', 'live')
    for who, number, why in (
        ('all', 0, 'There is no signal 0'), ('all', 65, 'There is no signal 65'), ('main', -1, 'There is no signal -1'),
        ('everybody', 15, '"everybody" is none of'), ('control', 15, 'has no control process'),
        ('control-fail', 15, 'has no control process'),
    ):  # fmt: skip
        answer = ask('', 'systemd1.Manager.KillUnit', 'string:live.service', f'string:{who}', f'int32:{number}', check=False)
        assert answer.returncode == 1 and why in answer.stderr, answer.stderr
    assert rig.state('live') == 'active'
    ask('', 'systemd1.Manager.KillUnit', 'string:live.service', 'string:main-fail', 'int32:15')
    rig.wait_state('live', 'inactive')


def test_log_for_journalctl(rig):
    """What is exported becomes a journal, and journalctl finds in it what a unit has said."""
    rig.unit('said.service', Type='oneshot', ExecStart="/bin/sh -c 'echo hello; printf \"a\\x01b\\n\"'")
    rig.unit('other.service', Type='oneshot', ExecStart='/bin/echo other')
    rig.ctl('start', 'said', 'other')
    wait_for(lambda: 'hello' in rig.log('-u', 'said') and 'other' in rig.log('-u', 'other'), 'what was said')
    rig.shell(
        f'{rig.programs}/mkosi-ctl log -o export >/run/export; '
        f'{JOURNAL_REMOTE} --output=/run/said.journal /run/export'
    )
    lines = rig.run('journalctl', '--file=/run/said.journal', '-o', 'cat', '-u', 'said').stdout.splitlines()
    assert 'hello' in lines and 'other' not in lines
    # What the manager says belongs to a unit's log for journalctl only if the manager is process 1.
    lines = rig.run('journalctl', '--file=/run/said.journal', '-o', 'cat', 'UNIT=said.service').stdout.splitlines()
    assert 'Starting said.service...' in lines and 'Starting other.service...' not in lines
    verbose = rig.run('journalctl', '--file=/run/said.journal', '-o', 'verbose', 'MESSAGE=hello').stdout
    for field in ('_SYSTEMD_UNIT=said.service', '_PID=', '_BOOT_ID=', '_TRANSPORT=stdout'):
        assert f'    {field}' in verbose, field


def test_only_root_is_served(rig):
    assert os.stat(rig.path('/run/mkosi/private')).st_mode & 0o777 == 0o600
    program = f'{rig.programs}/mkosi-ctl'
    rig.shell(f'chmod 0755 /run /run/mkosi {rig.programs}; chmod 0666 /run/mkosi/private')
    answer = rig.run('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', program, 'list-units', check=False)
    assert answer.returncode == 1 and answer.stderr.startswith('mkosi-ctl: error: ')
    rig.ctl('list-units')


def test_other_clients(rig, ask):
    """One that sends its question along with the end of the authentication gets its answer as well."""
    for _ in range(20):
        answer = ask('', 'DBus.Properties.Get', 'string:org.freedesktop.systemd1.Manager', 'string:Version')
        assert answer.stdout.split()[:2] == ['variant', 'mkosi']


# A client that says something, and goes in the middle of it.
TALK = """
import socket, sys
s = socket.socket(socket.AF_UNIX)
s.connect('/run/mkosi/private')
s.sendall(bytes.fromhex(sys.argv[1]))
s.close()
"""


@pytest.mark.parametrize(
    'text',
    [
        b'',
        b'\0',
        b'\0AUTH EXTERNAL\r\nDATA\r\n',
        b'\0AUTH EXTERNAL\r\nDATA\r\nNEGOTIATE_UNIX_FD\r\nBEGIN\r\n' + b'\xff' * 4096,
        b'\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\nl\1\0\1' + b'\xff\xff\xff\x07' * 64,
        b'GET / HTTP/1.0\r\n\r\n' * 1000,
    ],
)
def test_garbage(rig, text):
    """None of it ends the manager, and others are served."""
    rig.unit('stay.service', ExecStart=SLEEP)
    rig.ctl('start', 'stay')
    for _ in range(3):
        rig.run('python3', '-c', TALK, text.hex(), check=False)
    assert rig.state('stay') == 'active'
    assert rig.manager.poll() is None


def test_clients_that_go_leave_no_descriptor(rig):
    def descriptors():
        return len(os.listdir(f'/proc/{rig.manager_pid()}/fd'))

    rig.ctl('list-units')
    before = wait_for(descriptors, 'a number')
    for _ in range(20):
        rig.run('python3', '-c', TALK, '00', check=False)
    rig.unit('slow.service', Type='oneshot', ExecStart="/bin/sh -c 'until [ -e /run/go ]; do sleep 0.01; done'")
    clients = [rig.popen(rig.programs / 'mkosi-ctl', 'start', 'slow') for _ in range(5)]
    rig.wait_state('slow', 'activating')
    for client in clients:
        client.kill()
        client.wait()
    rig.write('/run/go', '')
    rig.wait_state('slow', 'inactive')
    wait_for(lambda: descriptors() <= before, 'descriptors to be closed')
