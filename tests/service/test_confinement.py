# SPDX-License-Identifier: LGPL-2.1-or-later
"""What services may not do, seen from inside and outside; how they fail; and that hostile words harm nobody."""

import os
import signal

import pytest
from rig import wait_for
from within import start, within

TRY = 'for path in {}; do if touch $path/du 2>/dev/null; then echo $path; rm $path/du; fi; done'


def writable(rig, paths, *properties):
    """Those of the directories in which root of the service can make a file."""
    return within(rig, TRY.format(' '.join(paths)), *properties).stdout.split()


def mounts(rig, unit):
    """What is mounted in the service, as findmnt says: path to its options."""
    found = rig.run('findmnt', '--task', rig.main_pid(unit), '-rn', '-o', 'TARGET,OPTIONS').stdout
    return {line.split()[0]: line.split()[1].split(',') for line in found.splitlines()}


def status_of(rig, unit, key):
    lines = rig.path(f'/proc/{rig.main_pid(unit)}/status').read_text().splitlines()
    return dict(line.split(':\t', 1) for line in lines if ':\t' in line)[key]


# What a dynamic user implies

def test_du03_system_and_homes_are_read_only(rig):
    """DU3: the system is strictly protected, homes are read-only, and the properties say so."""
    for path in ('/home', '/opt', '/srv'):
        assert rig.path(path).is_dir()
    # A root that has all rights, so that nothing but the file systems stands in its way.
    rig.unit('strict.service', Type='oneshot', DynamicUser='yes', StandardOutput='file:/run/said',
             ExecStart="!/bin/sh -c 'for i in etc usr opt srv home root var run; do touch /$i/du; done 2>&1 || true'")  # fmt: skip
    rig.ctl('start', 'strict')
    said = rig.path('/run/said').read_text().splitlines()
    assert len(said) == 8 and all('Read-only file system' in line for line in said)
    assert rig.show('strict', 'ProtectSystem', 'ProtectHome') == {
        'ProtectSystem': 'strict', 'ProtectHome': 'read-only',
    }  # fmt: skip


def test_du04_what_stays_writable(rig):
    """DU4: file systems of the kernel as far as permissions go, and the temporary directories."""
    within(rig, 'touch /tmp/x /var/tmp/x; echo du4 >/proc/self/comm; echo >/dev/null', 'DynamicUser=yes')


@pytest.mark.parametrize('setting', ['DynamicUser=yes', 'PrivateTmp=yes'])
def test_du05_du07_private_temporary_directories(rig, setting):
    """DU5, DU7: their own, and gone with the service."""
    rig.write('/tmp/marker', '')
    rig.write('/var/tmp/marker', '')
    start(rig, 'tmp', 'echo $(ls -A /tmp /var/tmp | grep -c marker) >/tmp/seen; touch /var/tmp/own; chmod 644 /tmp/seen',
          **dict([setting.split('=')]))  # fmt: skip
    inside = f'/proc/{rig.main_pid("tmp")}/root'
    assert rig.run('cat', f'{inside}/tmp/seen').stdout == '0\n'
    assert not rig.exists('/tmp/seen') and not rig.exists('/var/tmp/own')
    # Whatever it is kept in, nobody else gets there.
    for base in ('/tmp', '/var/tmp'):
        for name in set(os.listdir(rig.path(base))) - {'marker'}:
            assert rig.path(f'{base}/{name}').stat().st_mode & 0o777 == 0o700
    rig.ctl('stop', 'tmp')
    assert os.listdir(rig.path('/tmp')) == os.listdir(rig.path('/var/tmp')) == ['marker']


def test_du08_nothing_else_is_writable(rig):
    """DU8: a hunt for places to leave something."""
    rig.shell('mkdir -m 1777 /run/open /var/lib/open /etc/mkosi/open; mkdir -p /dev/shm/closed')
    start(rig, 'hunt', 'find / \\( -path /proc -o -path /sys -o -path /dev -o -path /work -o -path /usr/share \\) '
          "-prune -o -maxdepth 5 -type d -writable -print >/tmp/found 2>/dev/null || true; chmod 644 /tmp/found",
          DynamicUser='yes', StateDirectory='hunt', RuntimeDirectory='hunt')  # fmt: skip
    inside = f'/proc/{rig.main_pid("hunt")}/root'
    found = set(rig.run('cat', f'{inside}/tmp/found').stdout.split())
    assert found == {'/tmp', '/var/tmp', '/run/hunt', '/var/lib/private/hunt'}
    free = {path for path, options in mounts(rig, 'hunt').items() if 'rw' in options}
    assert not [path for path in free if not path.startswith(('/proc', '/sys', '/dev', *found, '/var/lib/hunt'))]


def test_du16_all_else_is_as_on_the_host(rig):
    """DU16: of all but what is the service's own, names, kinds, modes, owners, sizes and times are those that the host has."""
    start(rig, 'same', DynamicUser='yes', StateDirectory='same')
    # What others may work in meanwhile is looked at from above only.
    own = ' -o '.join(f'-path "$root{path}"' for path in ('/var/tmp', '/var/lib/private', '/run/mkosi'))
    script = ('root=%s; { find "$root/" -maxdepth 1; cd "$root/"; find $(for i in boot etc opt run srv usr var; do echo "$root/$i"; done) '
              f'-maxdepth 5 \\( {own} \\) -prune -o -print; }} | sed "s|^$root||" | sort | sed "s|^|$root|" | tr "\\n" "\\0" | '
              "xargs -0 stat -c '%%n %%F %%a %%u %%g %%Y' | sed \"s|^$root||\"")  # fmt: skip
    there = rig.shell(script % f'/proc/{rig.main_pid("same")}/root').stdout.splitlines()
    here = rig.shell(script % '').stdout.splitlines()
    assert len(here) > 1000 and there == here


# Settings on their own

SYSTEM = {'no': {'/usr', '/etc', '/srv', '/home'}, 'yes': {'/etc', '/srv', '/home'}, 'full': {'/srv', '/home'},
          'strict': {'/home'}}  # fmt: skip


@pytest.mark.parametrize('value', ['yes', 'full', 'strict'])
def test_du07_protect_system(rig, value):
    """DU7: the setting alone; what is written goes to a file system of the rig."""
    rig.shell('for i in usr etc srv home; do mkdir -p /run/up/$i /run/work/$i; '
              'mount -t overlay -o lowerdir=/$i,upperdir=/run/up/$i,workdir=/run/work/$i overlay /$i; done')  # fmt: skip
    assert set(writable(rig, ['/usr', '/etc', '/srv', '/home'], f'ProtectSystem={value}')) == SYSTEM[value]


@pytest.mark.parametrize('value', ['yes', 'read-only', 'tmpfs'])
def test_du07_protect_home(rig, value):
    rig.shell('mount -t tmpfs tmpfs /home; mkdir /home/somebody; touch /home/somebody/file')
    seen = within(rig, 'ls -A /home || echo refused; touch /home/x 2>/dev/null && echo wrote || true', f'ProtectHome={value}')
    assert seen.stdout == ('somebody\n' if value == 'read-only' else '')


PATHS = [
    (('ReadOnlyPaths=/run/a',), '/run/a', False),
    (('ReadOnlyPaths=/run', 'ReadWritePaths=/run/a/b'), '/run/a/b', True),
    (('ProtectSystem=strict', 'ReadWritePaths=/run/a'), '/run/a', True),
    (('ProtectSystem=strict', 'ReadWritePaths=-/run/missing'), '/run/a', False),
    (('InaccessiblePaths=/run/a',), '/run/a', False),
    (('BindReadOnlyPaths=/run/c:/run/a',), '/run/a', False),
]


@pytest.mark.parametrize('settings, path, may', PATHS)
def test_paths(rig, settings, path, may):
    rig.shell('mkdir -p /run/a/b /run/c')
    assert writable(rig, [path], *settings) == ([path] if may else [])
    assert os.listdir(rig.path('/run/c')) == []


def test_binds_and_temporary_file_systems(rig):
    rig.shell('mkdir -p /run/a/b /run/c; echo c >/run/c/file; echo a >/run/a/file')
    within(rig, 'test ! -e /run/a/file; touch /run/a/new; test $(cat /run/a/c/file) = c; echo 2 >/run/a/c/file',
           'TemporaryFileSystem=/run/a', 'BindPaths=/run/c:/run/a/c')  # fmt: skip
    assert rig.path('/run/c/file').read_text() == '2\n' and not rig.exists('/run/a/new')


def test_private_devices(rig):
    start(rig, 'devices', PrivateDevices='yes')
    inside = f'/proc/{rig.main_pid("devices")}/root/dev'
    names = set(rig.run('ls', inside).stdout.split())
    assert {'null', 'zero', 'full', 'random', 'urandom', 'tty'} <= names
    assert not [name for name in names if name.startswith(('vd', 'sd', 'kmsg', 'mem', 'loop'))]


def test_private_network(rig):
    seen = within(rig, 'ip -br link | wc -l; ip -br address show to 198.51.100.8; ip -br link show lo', 'PrivateNetwork=yes')
    assert seen.stdout.startswith('1\nlo ')
    start(rig, 'one', PrivateNetwork='yes')
    rig.unit('two.service', '[Unit]\nJoinsNamespaceOf=one.service\n[Service]\nPrivateNetwork=yes\n'
             'Type=exec\nExecStart=/bin/sleep infinity\n')  # fmt: skip
    rig.ctl('start', 'two')
    spaces = [os.readlink(f'/proc/{pid}/ns/net') for pid in (rig.main_pid('one'), rig.main_pid('two'), rig.holder.pid)]
    assert spaces[0] == spaces[1] != spaces[2]


PYTHON = {
    'RestrictAddressFamilies=AF_UNIX': ('import socket; socket.socket(socket.AF_INET)', 97),
    'RestrictAddressFamilies=~AF_INET': ('import socket; socket.socket(socket.AF_INET)', 97),
    'RestrictAddressFamilies=AF_INET': ('import ctypes; c = ctypes.CDLL(None, use_errno=True); '
                                        'raise OSError(ctypes.get_errno() if c.syscall(425, 8, 0) < 0 else 0, "")', 1),
    'SystemCallFilter=~mkdir:EBADMSG mkdirat:EBADMSG': ('import os; os.mkdir("/run/x")', 74),
    'RestrictSUIDSGID=yes': ('import os; open("/run/f", "w"); os.chmod("/run/f", 0o4755)', 1),
    'MemoryDenyWriteExecute=yes': ('import mmap; mmap.mmap(-1, 4096, prot=7)', 1),
    'ProtectKernelTunables=yes': ('open("/proc/sys/kernel/domainname", "w")', 30),
    'CapabilityBoundingSet=~CAP_CHOWN': ('import os; open("/run/f", "w"); os.chown("/run/f", 1, 1)', 1),
}  # fmt: skip


@pytest.mark.parametrize('setting', PYTHON)
def test_refused_calls(rig, setting):
    """The error of the call, with the setting; without it, none, or another."""
    call, error = PYTHON[setting]
    rig.write('/run/call', f'import sys\ntry:\n    {call}\nexcept OSError as e:\n    sys.exit(e.errno)\n')
    program = 'rc=0; /usr/bin/python3 /run/call || rc=$?; rm -rf /run/f /run/x; echo $rc'
    assert within(rig, program, setting).stdout == f'{error}\n'
    assert within(rig, program).stdout != f'{error}\n'


def test_system_call_filter_kills(rig):
    rig.unit('kill.service', Type='oneshot', SystemCallFilter='~mkdir mkdirat', ExecStart='/bin/mkdir /run/x')
    assert rig.ctl('start', 'kill', check=False).returncode != 0
    assert rig.show('kill', 'Result') in ('signal', 'core-dump') and rig.show('kill', 'ExecMainStatus') == '31'


def test_protect_control_groups_and_privileges(rig):
    start(rig, 'groups', ProtectControlGroups='yes', NoNewPrivileges='yes', CapabilityBoundingSet='CAP_KILL')
    assert all('ro' in options for path, options in mounts(rig, 'groups').items() if path.startswith('/sys/fs/cgroup'))
    assert status_of(rig, 'groups', 'NoNewPrivs') == '1'
    assert int(status_of(rig, 'groups', 'CapBnd'), 16) == 1 << 5
    start(rig, 'free')
    assert status_of(rig, 'free', 'NoNewPrivs') == '0'


# How services fail

FAILURES = [
    (200, 'CHDIR', ('WorkingDirectory=/does/not/exist',), '/bin/true'),
    (203, 'EXEC', (), '/does/not/exist'),
    (208, 'STDIN', ('StandardInput=file:/does/not/exist',), '/bin/true'),
    (209, 'STDOUT', ('StandardOutput=file:/does/not/exist',), '/bin/true'),
    (222, 'STDERR', ('StandardError=file:/does/not/exist',), '/bin/true'),
    (216, 'GROUP', ('Group=no-such-group',), '/bin/true'),
    (217, 'USER', ('User=no-such-user',), '/bin/true'),
    (226, 'NAMESPACE', ('BindPaths=/does/not/exist:/run/x',), '/bin/true'),
    (200, 'CHDIR', ('User=12345', 'WorkingDirectory=~'), '/bin/true'),
    (226, 'NAMESPACE', ('ReadOnlyPaths=/does/not/exist',), '/bin/true'),
    (226, 'NAMESPACE', ('ReadOnlyPaths=/etc/passwd/below',), '/bin/true'),
    (233, 'RUNTIME_DIRECTORY', ('RuntimeDirectory=way',), '/bin/true'),
    (238, 'STATE_DIRECTORY', ('StateDirectory=way',), '/bin/true'),
    (239, 'CACHE_DIRECTORY', ('CacheDirectory=way',), '/bin/true'),
    (240, 'LOGS_DIRECTORY', ('LogsDirectory=way',), '/bin/true'),
    (241, 'CONFIGURATION_DIRECTORY', ('ConfigurationDirectory=systemd/way',), '/bin/true'),
    (233, 'RUNTIME_DIRECTORY', ('RuntimeDirectory=../out',), '/bin/true'),
    (238, 'STATE_DIRECTORY', ('StateDirectory=private',), '/bin/true'),
    (239, 'CACHE_DIRECTORY', ('CacheDirectory=a:b',), '/bin/true'),
    (239, 'CACHE_DIRECTORY', ('DynamicUser=yes', 'CacheDirectory=a ../b'), '/bin/true'),
    (240, 'LOGS_DIRECTORY', ('LogsDirectory=/absolute',), '/bin/true'),
    (241, 'CONFIGURATION_DIRECTORY', ('ConfigurationDirectory=.',), '/bin/true'),
]


@pytest.mark.parametrize('code, name, settings, command', FAILURES)
def test_exit_codes(rig, code, name, settings, command):
    """The number and the name of the step that failed, in the status, the properties and the log."""
    rig.shell('touch /run/way /var/lib/way /var/cache/way /var/log/way /etc/systemd/way')
    rig.unit('fails.service', '[Service]\nType=oneshot\n' + '\n'.join(settings) + f'\nExecStart={command}\n')
    assert rig.ctl('start', 'fails', check=False).returncode != 0
    assert rig.show('fails', 'Result', 'ExecMainStatus') == {'Result': 'exit-code', 'ExecMainStatus': str(code)}
    assert f'status={code}/{name}' in rig.ctl('status', 'fails', check=False).stdout
    assert any(f'Failed at step {name} spawning {command}' in line for line in rig.log('-u', 'fails'))


@pytest.mark.parametrize('setting', ['InaccessiblePaths', 'ReadOnlyPaths', 'ReadWritePaths'])
def test_dash_before_what_is_below_a_file(rig, setting):
    """What is below a file is missing, as what is below a directory may be."""
    assert within(rig, 'echo in', f'{setting}=-/etc/passwd/below').stdout == 'in\n'


def test_capabilities_of_the_manager_are_not_inherited(rig):
    """CapabilityBoundingSet= and User= bound what whoever started the manager let it inherit, for root as well."""
    rig.kill_manager(signal.SIGTERM)
    programs = rig.programs
    rig.manager = rig.popen(
        'setpriv', '--inh-caps=+sys_admin,+dac_override', '--ambient-caps=+sys_admin',
        programs / 'mkosi-manager', f'--cgroup={rig.name}', f'--helper={programs / "mkosi-exec"}',
    )  # fmt: skip
    wait_for(rig.is_listening, 'the manager')
    look = "grep -E 'Cap(Inh|Eff|Amb)' /proc/self/status | while read -r name set; do echo $((0x$set)); done"
    assert within(rig, look, 'CapabilityBoundingSet=CAP_CHOWN').stdout.split() == ['0', '1', '0']
    assert within(rig, look, 'User=daemon').stdout.split() == ['0', '0', '0']


@pytest.mark.parametrize('prefix, expected', [('', '1 ro 1'), ('!', '0 ro 1'), ('+', '0 rw 0')])
def test_prefixes(rig, prefix, expected):
    """"!" takes the change of the user away, "+" the confinement as well."""
    rig.write('/run/look', 'id -u; findmnt -no OPTIONS -T /usr | cut -d, -f1; grep NoNewPrivs /proc/self/status | cut -f2\n')
    rig.unit('look.service', Type='oneshot', User='daemon', ProtectSystem='strict', NoNewPrivileges='yes',
             StandardOutput='file:/run/said', ExecStart=f'{prefix}/bin/sh /run/look')  # fmt: skip
    rig.ctl('start', 'look')
    assert rig.path('/run/said').read_text().split() == expected.split()


def test_literal_commands(rig):
    """":" leaves variables as they are; "-" makes a failure a success."""
    rig.unit('words.service', Type='oneshot', Environment='A=b', StandardOutput='append:/run/said',
             ExecStart=['/bin/echo $A ${A}', ':/bin/echo $A ${A}', '-:/bin/false', ':-/bin/false'])  # fmt: skip
    rig.ctl('start', 'words')
    assert rig.path('/run/said').read_text() == 'b b\n$A ${A}\n'


# Hostile words

def test_socket_is_for_root_alone(rig):
    """Neither the mode of the socket nor, if that is lost, who is at its other end lets others in."""
    ctl = rig.programs / 'mkosi-ctl'
    nobody = ['setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', ctl, 'list-units']
    assert rig.run(*nobody, check=False).returncode != 0
    sockets = rig.shell('find /run -type s').stdout.split()
    assert sockets
    for path in sockets:
        if rig.path(path).stat().st_mode & 0o077:
            assert 'notify' in path
        rig.path(path).chmod(0o666)
    assert rig.run(*nobody, check=False).returncode != 0
    assert rig.run(ctl, 'list-units').returncode == 0


@pytest.mark.parametrize(
    'name',
    ['../../etc/x.service', '/etc/x.service', 'a/b.service', 'a\nb.service', 'a\x1b[1m.service',
     'x' * 300 + '.service', '@.service', '', 'a@b/c.service', '%n.service'],
)  # fmt: skip
def test_hostile_names(rig, name):
    """A name that is none is refused before anything is made of it."""
    before = rig.shell('find /run /var /etc/systemd -not -path "/run/mkosi/log*" | sort').stdout
    result = rig.transient('--wait', f'--unit={name}', '/bin/touch', '/run/ran', check=False)
    assert result.returncode != 0 and '\x1b' not in result.stderr
    assert rig.ctl('start', name, check=False).returncode != 0
    assert rig.shell('find /run /var /etc/systemd -not -path "/run/mkosi/log*" | sort').stdout == before


@pytest.mark.parametrize('name', ['.', '..', '.x', '-x', 'a\\x2fb', 'direct:x', 'state'])
def test_odd_names_are_names(rig, name):
    """With the type behind them they are names of files as any other, and lead nowhere."""
    look = 'find /run /var /etc/systemd -not -path "/run/mkosi/log*" | sort'
    before = rig.shell(look).stdout
    rig.transient('--wait', f'--unit={name}', '-p', 'DynamicUser=yes', '/bin/true')
    wait_for(lambda: rig.shell(look).stdout == before, 'the unit to be forgotten')


@pytest.mark.parametrize(
    'setting',
    ['ProtectSystem=perhaps', 'ProtectHome=maybe', 'ReadWritePaths=/run/../etc', 'BindPaths=relative:/x',
     'SystemCallFilter="', 'CapabilityBoundingSet=CAP_NONE_SUCH', 'RestrictAddressFamilies=AF_NONE_SUCH',
     'User=%Y', 'RootImage=/x', 'PrivatePIDs=yes', 'PrivateUsers=perhaps', 'RestrictNamespaces=nets',
     'SystemCallArchitectures=z80', 'Personality=z80', 'SecureBits=root', 'SystemCallErrorNumber=ENO', 'ProtectProc=x',
     'NoExecPaths=x', 'SystemCallFilter=~@files', 'DynamicUser=x', 'UMask=9', 'InaccessiblePaths=x'],
)  # fmt: skip
def test_hostile_values(rig, setting):
    """What is not understood and would confine is not left out: nothing is run."""
    rig.unit('bad.service', f'[Service]\nType=oneshot\n{setting}\nExecStart=/bin/touch /run/ran\n')
    rig.ctl('daemon-reload', check=False)
    assert rig.ctl('start', 'bad', check=False).returncode != 0
    assert not rig.exists('/run/ran')
    rig.transient('--wait', '-p', setting, '/bin/touch', '/run/ran', check=False)
    assert not rig.exists('/run/ran')


@pytest.mark.parametrize('user', ['../../x', 'a/b', 'a\x1bb', '-x', 'a b', '0', 'root'])
def test_hostile_names_of_users(rig, user):
    """No file outside of the registry, and no dynamic user that is root."""
    result = within(rig, 'id -u', 'DynamicUser=yes', f'User={user}', check=False)
    if user in ('0', 'root'):
        assert result.stdout in ('', '0\n')  # a user of the host, asked for by name
    else:
        assert result.returncode != 0
    assert os.listdir(rig.path('/run/mkosi/dynamic-uid')) == os.listdir(rig.path('/run/userdb')) == []
