# SPDX-License-Identifier: LGPL-2.1-or-later
"""Dynamic users: who they are, when they are, and what is left of them. Stock tools judge: id, getent, ps, setpriv."""

import os
import pty

import pytest
from rig import wait_for
from within import FIRST, LAST, REGISTRY, number_locked, plant_users, process, start, uid_of, within

SLEEP = '/bin/sleep infinity'
POST = 'dynamic-user-test'  # whose number is known: 64642

# All five kinds of objects that outlive a process.
MAKE_IPC = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
assert libc.shmget(4711, 4096, 0o1666) >= 0
assert libc.semget(4712, 1, 0o1666) >= 0
assert libc.msgget(4713, 0o1666) >= 0
assert libc.mq_open(b'/du6', os.O_CREAT | os.O_RDWR, 0o666, None) >= 0
os.makedirs('/dev/shm/du6/inner')
for path in '/dev/shm/du6.shm', '/dev/shm/du6/inner/file':
    open(path, 'w').close()
os.symlink('/etc/passwd', '/dev/shm/du6/link')
"""


def test_du01_user_lives_as_long_as_the_service(rig):
    """DU1: the user is there from the start to the end, and neither before nor behind."""
    rig.unit('alive.service', DynamicUser='yes', ExecStart=SLEEP)
    assert rig.run('id', 'alive', check=False).returncode != 0
    rig.ctl('start', 'alive')
    wait_for(lambda: rig.run('id', 'alive', check=False).returncode == 0, 'the user')
    rig.ctl('stop', 'alive')
    assert rig.run('id', 'alive', check=False).returncode != 0


def test_du02_du18_number_is_the_hash_of_the_name(rig):
    """DU2, DU18: in the range, and the same for the same name."""
    for name, number in ((POST, 64642), ('run-u15750', 63122), ('waldo', 61647), (POST, 64642)):
        found = within(rig, 'id -u', 'DynamicUser=yes', unit=name).stdout
        assert int(found) == number
        assert FIRST <= number <= LAST


def test_du06_ipc_objects_go_with_the_user(rig):
    """DU6: shared memory, semaphores and queues, System V and POSIX."""
    rig.write('/run/make-ipc', MAKE_IPC)
    rig.run('mount', '--mkdir', '-t', 'mqueue', 'mqueue', '/run/mqueue')
    start(rig, 'ipc', '/usr/bin/python3 /run/make-ipc', DynamicUser='yes')
    uid = str(uid_of(rig, 'ipc'))

    def objects():
        found = [path for path in ('/dev/shm/du6', '/dev/shm/du6.shm', '/run/mqueue/du6') if rig.exists(path)]
        for kind in ('shm', 'sem', 'msg'):
            lines = rig.run('cat', f'/proc/sysvipc/{kind}').stdout.splitlines()[1:]
            found += [kind for line in lines if uid in line.split()]
        return found

    assert objects() == ['/dev/shm/du6', '/dev/shm/du6.shm', '/run/mqueue/du6', 'shm', 'sem', 'msg']
    rig.ctl('stop', 'ipc')
    assert objects() == []
    assert rig.exists('/etc/passwd')


@pytest.mark.parametrize('remove, left', [('yes', False), ('no', True)])
def test_du06_du07_ipc_objects_of_a_static_user(rig, remove, left):
    """DU6, DU7: RemoveIPC= alone; what is another user's stays."""
    rig.write('/run/make-ipc', MAKE_IPC)
    rig.write('/dev/shm/foreign', '')
    start(rig, 'ipc', '/usr/bin/python3 /run/make-ipc', User='daemon', RemoveIPC=remove)
    rig.ctl('stop', 'ipc')
    assert rig.exists('/dev/shm/du6/inner/file') == left
    assert (len(rig.run('cat', '/proc/sysvipc/msg').stdout.splitlines()) > 1) == left
    assert rig.exists('/dev/shm/foreign')


def test_du06_ipc_objects_stay_for_the_other_service_of_the_user(rig):
    rig.write('/run/make-ipc', MAKE_IPC)
    start(rig, 'one', '/usr/bin/python3 /run/make-ipc', DynamicUser='yes', User='both')
    start(rig, 'other', DynamicUser='yes', User='both')
    assert uid_of(rig, 'one') == uid_of(rig, 'other')
    rig.ctl('stop', 'one')
    assert rig.exists('/dev/shm/du6.shm') and rig.run('id', '-u', 'both').stdout
    rig.ctl('stop', 'other')
    assert not rig.exists('/dev/shm/du6.shm')
    assert rig.run('id', 'both', check=False).returncode != 0


def test_objects_of_a_group_are_not_the_dynamic_users(rig):
    """What others of the group of Group= have stays when a dynamic user of that group goes."""
    start(rig, 'other', 'touch /dev/shm/of-other; ipcmk -Q', User='daemon', Group='games')
    start(rig, 'guest', 'touch /dev/shm/of-guest', DynamicUser='yes', Group='games')
    rig.ctl('stop', 'guest')
    assert not rig.exists('/dev/shm/of-guest')
    assert rig.exists('/dev/shm/of-other')
    assert len(rig.run('cat', '/proc/sysvipc/msg').stdout.splitlines()) == 2


@pytest.mark.parametrize('settings', [{'DynamicUser': 'yes'}, {'User': 'daemon', 'RemoveIPC': 'yes'}])
def test_objects_go_with_a_user_of_the_group_root(rig, settings):
    rig.write('/dev/shm/of-root', '')
    start(rig, 'rooted', 'touch /dev/shm/left; ipcmk -Q', Group='root', **settings)
    rig.ctl('stop', 'rooted')
    assert not rig.exists('/dev/shm/left') and rig.exists('/dev/shm/of-root')
    assert len(rig.run('cat', '/proc/sysvipc/msg').stdout.splitlines()) == 1


def test_services_of_one_user_that_stop_together(rig):
    """One of them sweeps, though the cleaners of both are at work at the same time; their /tmp goes as well."""
    for name, other in ('one', 'two'), ('two', 'one'):
        script = f'cd /run/{name}; seq 20000 | xargs touch; touch /dev/shm/of-{name}; ipcmk -Q'
        rig.write(f'/run/{name}.script', f'{script}\nsystemd-notify --ready\nexec sleep infinity\n', 0o755)
        rig.unit(f'{name}.service', f'[Unit]\nJoinsNamespaceOf={other}.service\n[Service]\nType=notify\n'
                 f'NotifyAccess=all\nDynamicUser=yes\nUser=shared\nRuntimeDirectory={name}\n'
                 f'ExecStart=/bin/bash -e /run/{name}.script\n')  # fmt: skip
    rig.ctl('daemon-reload')
    rig.ctl('start', 'one', 'two')
    rig.ctl('stop', 'one', 'two')
    assert not os.listdir(rig.path('/dev/shm')) and not os.listdir(rig.path('/tmp'))
    assert len(rig.run('cat', '/proc/sysvipc/msg').stdout.splitlines()) == 1
    assert rig.run('id', 'shared', check=False).returncode != 0


def test_du22_first_example_of_the_post(rig):
    """DU22: ps and id say the name."""
    rig.unit(f'{POST}.service', DynamicUser='yes', ExecStart='/usr/bin/sleep 4711')
    rig.ctl('daemon-reload')
    rig.ctl('start', POST)
    pid = rig.main_pid(POST)
    wait_for(lambda: rig.path(f'/proc/{pid}/comm').read_text() == 'sleep\n', 'the program')
    assert rig.run('ps', '-o', 'user:32=', '-p', pid).stdout.strip() == POST
    assert rig.run('id', POST).stdout == f'uid=64642({POST}) gid=64642({POST}) groups=64642({POST})\n'
    rig.ctl('stop', POST)
    assert 'no such user' in rig.run('id', POST, check=False).stderr


@pytest.mark.parametrize(
    'unit, user',
    [
        ('plain', 'plain'),
        ('foo.bar', '_du10649011993341eb'),
        ('1abc', '_du46c11576cd06efe1'),
        ('A' * 40, '_duecb8a99f507c5f5a'),
    ],
)
def test_du23_du38_name_of_the_user(rig, unit, user):
    """DU23, DU38: that of the unit, or one made from it."""
    assert within(rig, 'id -un', 'DynamicUser=yes', unit=f'{unit}.service').stdout == f'{user}\n'


def run_on_terminal(rig, unit, text):
    """What is typed into a shell on a terminal, and what is seen there."""
    master, slave = pty.openpty()
    client = rig.popen(
        rig.programs / 'mkosi-run', '--pty', f'--unit={unit}', '--property=DynamicUser=yes',
        '--property=StateDirectory=wuff', '/bin/sh', stdin=slave, stdout=slave, stderr=slave,
    )  # fmt: skip
    os.close(slave)
    os.write(master, text.encode())
    seen = b''
    while True:
        try:
            data = os.read(master, 4096)
        except OSError:
            break
        if not data:
            break
        seen += data
    os.close(master)
    assert client.wait(60) == 0, seen
    return seen.decode(errors='replace')


def test_du24_du25_du19_second_and_third_example_of_the_post(rig):
    """DU24, DU25, DU19: a shell on a terminal; who comes next has the same number because the files have it."""
    seen = run_on_terminal(rig, 'run-u15750', 'id\nls -al /var/lib/private\necho hello >/var/lib/wuff/test\nexit\n')
    assert 'uid=63122(run-u15750) gid=63122(run-u15750) groups=63122(run-u15750)' in seen
    assert any(line.split()[2:4] == ['run-u15750', 'run-u15750'] and line.split()[-1] == 'wuff'
               for line in seen.splitlines() if line.startswith('drwx'))  # fmt: skip
    assert rig.run('id', 'run-u15750', check=False).returncode != 0
    assert rig.run('cat', '/var/lib/wuff/test').stdout == 'hello\n'
    assert rig.run('stat', '-c', '%U %u', '/var/lib/private/wuff').stdout == 'UNKNOWN 63122\n'

    seen = run_on_terminal(rig, 'run-u16087', 'id\ncat /var/lib/wuff/test\nls -l /var/lib/wuff/test\nexit\n')
    assert 'uid=63122(run-u16087) gid=63122(run-u16087)' in seen
    assert 'hello\r\n' in seen
    assert 'run-u16087 run-u16087' in seen


def test_du26_du27_du33_du34_nothing_on_disk(rig):
    """DU26, DU27, DU33, DU34: no preparation, no change of the user database, and the name is known by the name service."""
    def sums():
        return rig.shell('sha256sum /etc/passwd /etc/group /etc/shadow; ls -A /var/lib /var/cache /var/log').stdout

    before = sums()
    start(rig, 'nss', DynamicUser='yes')
    uid = uid_of(rig, 'nss')
    entry = f'nss:!*:{uid}:{uid}:Dynamic User:/:/usr/sbin/nologin'
    for database, key in (('passwd', 'nss'), ('passwd', uid), ('group', 'nss'), ('group', uid)):
        found = rig.run('getent', database, key).stdout.strip().split(':')
        assert found[0] == 'nss' and found[2] == str(uid)
        if database == 'passwd':
            assert found[3:] == entry.split(':')[3:]
        # For those who are nobody in particular as well.
        rig.run('setpriv', '--reuid=65534', '--regid=65534', '--clear-groups', 'getent', database, key)
    assert sums() == before
    rig.ctl('stop', 'nss')
    assert rig.run('getent', 'passwd', uid, check=False).returncode == 2
    assert os.listdir(rig.path('/run/userdb')) == []
    assert sums() == before


@pytest.mark.parametrize('how', ['mount -t tmpfs tmpfs /etc', 'mount --bind /etc /etc; mount -o remount,bind,ro /etc'])
def test_du27_du33_stateless_system(rig, how):
    """DU27, DU33: where /etc is empty, or cannot be written to, and /var is empty as well."""
    rig.shell(f'rmdir /var/lib /var/cache /var/log 2>/dev/null || true; {how}')
    found = within(rig, 'id -u; touch /var/lib/some/a /var/cache/some/b /var/log/some/c /run/some/d', 'DynamicUser=yes',
                   'StateDirectory=some', 'CacheDirectory=some', 'LogsDirectory=some', 'RuntimeDirectory=some', unit=POST)  # fmt: skip
    assert found.stdout == '64642\n'
    assert all(rig.exists(f'/var/{path}') for path in ('lib/private/some/a', 'cache/private/some/b', 'log/private/some/c'))


def test_du28_pipeline(rig):
    """DU28: a service as a part of a pipeline."""
    rig.write('/run/words', 'foobar 2\nother\nfoobar 1\nfoobar 2\n')
    found = rig.shell(
        f'cat /run/words | {rig.programs}/mkosi-run --pipe --property=DynamicUser=1 sort -u | grep foobar'
    )
    assert found.stdout == 'foobar 1\nfoobar 2\n'
    assert int(rig.shell(f'{rig.programs}/mkosi-run --pipe -q -p DynamicUser=1 id -u </dev/null').stdout) >= FIRST


def test_du29_du30_instances(rig):
    """DU29, DU30: each instance has its directory and its user, and enabling starts it without [Install]."""
    rig.unit('foobard@.service', DynamicUser='yes', StateDirectory='foobar/%i', ExecStart=SLEEP)
    customers = ['customerxyz', 'customerabc', 'customer-3']
    numbers = set()
    for customer in customers:
        rig.ctl('enable', f'foobard@{customer}.service', '--now')
        rig.wait_state(f'foobard@{customer}', 'active')
        where = f'/var/lib/private/foobar/{customer}'
        wait_for(lambda: rig.exists(f'/var/lib/foobar/{customer}'), 'the link')
        assert os.readlink(rig.path(f'/var/lib/foobar/{customer}')) == f'../private/foobar/{customer}'
        uid = wait_for(lambda: rig.path(where).stat().st_uid, 'the owner')
        assert FIRST <= uid <= LAST and uid == uid_of(rig, f'foobard@{customer}')
        numbers.add(uid)
    assert len(numbers) == len(customers)


def test_du35_root_for_a_start(rig):
    """DU35: "!" leaves the change to the program, which finds the user in the name service at once."""
    rig.write('/run/becomes', 'import os, pwd\nprint(os.getresuid(), pwd.getpwnam("du35").pw_uid)\n'
              'os.setuid(pwd.getpwnam("du35").pw_uid)\nprint(os.getresuid())\n'
              'try:\n    open("/etc/du35", "w")\nexcept OSError as error:\n    print(error.errno)\n')  # fmt: skip
    rig.unit('starter.service', Type='oneshot', DynamicUser='yes', User='du35',
             StandardOutput='file:/run/said', ExecStart='!/usr/bin/python3 /run/becomes')  # fmt: skip
    rig.ctl('start', 'starter')
    first, second, third = rig.path('/run/said').read_text().splitlines()
    uid = int(first.split()[-1])
    assert first == f'(0, 0, 0) {uid}' and FIRST <= uid <= LAST
    assert second == f'({uid}, {uid}, {uid})' and third == '30'


def test_du36_numbers_of_others(rig):
    """DU36: a user's, a group's, and the owner's of IPC objects; and who holds the lock."""
    plant_users(rig, passwd='somebody:x:64642:100::/:/bin/sh\n', group='some:x:61647:\n')
    assert within(rig, 'id -u', 'DynamicUser=yes', unit=POST).stdout != '64642\n'
    assert within(rig, 'id -u', 'DynamicUser=yes', unit='waldo').stdout != '61647\n'
    with number_locked(rig, 63510):
        assert within(rig, 'id -u', 'DynamicUser=yes', unit='foobard').stdout != '63510\n'
    assert within(rig, 'id -u', 'DynamicUser=yes', unit='foobard').stdout == '63510\n'


@pytest.mark.parametrize(
    'make',
    ['ipcmk -M 4096', 'ipcmk -S 1', 'ipcmk -Q', 'touch /dev/shm/x', 'mkdir -p /dev/shm/a/b'],
)
def test_du36_owners_of_ipc_objects(rig, make):
    rig.run('setpriv', '--reuid=64642', '--clear-groups', *make.split())
    assert within(rig, 'id -u', 'DynamicUser=yes', unit=POST).stdout != '64642\n'


# Holds all numbers of the range but one.
LOCK_ALL = f"""
import fcntl, os, resource, signal, sys
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
for number in range({FIRST}, {LAST} + 1):
    if number != int(sys.argv[1]):
        fd = os.open(f'{REGISTRY}/{{number}}', os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(fd, fcntl.LOCK_EX)
open('/run/locked', 'w').close()
signal.pause()
"""


def test_du37_no_number_is_left(rig):
    """DU37: the last number is found; without one the service fails, with 217, and others go on."""
    rig.unit('full.service', Type='oneshot', DynamicUser='yes', ExecStart='/bin/touch /run/started')
    rig.write('/run/lock-all', LOCK_ALL)
    with process(rig, '/usr/bin/python3', '/run/lock-all', 63000):
        wait_for(lambda: rig.exists('/run/locked'), 'all locks')
        assert within(rig, 'id -u', 'DynamicUser=yes').stdout == '63000\n'
        with number_locked(rig, 63000):
            assert rig.ctl('start', 'full', check=False).returncode != 0
            assert rig.show('full', 'Result', 'ExecMainStatus') == {
                'Result': 'exit-code', 'ExecMainStatus': '217',
            }  # fmt: skip
            assert 'status=217/USER' in rig.ctl('status', 'full', check=False).stdout
            assert within(rig, 'id -u').stdout == '0\n'
    assert not rig.exists('/run/started')


def test_du39_name_by_user(rig):
    """DU39: User= says the name."""
    assert within(rig, 'id -un', 'DynamicUser=yes', 'User=somebody', unit='else').stdout == 'somebody\n'


def test_du40_static_user_wins(rig):
    """DU40: a user of the host is taken, with its own group and a real directory; a group alone is refused."""
    plant_users(rig, passwd='du40:x:4040:4041::/:/bin/sh\n', group='du40g:x:4041:\nlone:x:4042:\n')
    settings = ('DynamicUser=yes', 'User=du40', 'StateDirectory=du40')
    assert within(rig, 'id -u; id -g; touch /var/lib/du40/x', *settings).stdout == '4040\n4041\n'
    assert rig.path('/var/lib/du40').stat().st_uid == 4040 and not rig.path('/var/lib/du40').is_symlink()
    rig.unit('lone.service', Type='oneshot', DynamicUser='yes', ExecStart='/bin/true')
    assert rig.ctl('start', 'lone', check=False).returncode != 0
    assert rig.show('lone', 'ExecMainStatus') == '217'


def test_du42_user_and_group_are_a_pair(rig):
    """DU42: the same number, and no further groups."""
    start(rig, 'pair', DynamicUser='yes')
    status = rig.path(f'/proc/{rig.main_pid("pair")}/status').read_text()
    lines = dict(line.split(':', 1) for line in status.splitlines())
    uid = str(uid_of(rig, 'pair'))
    assert lines['Uid'].split() == lines['Gid'].split() == [uid] * 4
    assert lines['Groups'].split() in ([], [uid])


def test_registry_is_readable_and_empty_behind(rig):
    """Links of both directions while the user lives; nothing of it is left."""
    start(rig, 'links', DynamicUser='yes')
    uid = uid_of(rig, 'links')
    assert os.readlink(rig.path(f'{REGISTRY}/direct:{uid}')) == 'links'
    assert os.readlink(rig.path(f'{REGISTRY}/direct:links')) == str(uid)
    lock = rig.path(f'{REGISTRY}/{uid}')
    assert lock.read_text() == 'links\n' and lock.stat().st_mode & 0o777 == 0o600
    # Neither the lock nor anything else is given to the service.
    descriptors = rig.shell(f'readlink /proc/{rig.main_pid("links")}/fd/*').stdout
    assert 'dynamic-uid' not in descriptors
    rig.ctl('stop', 'links')
    assert os.listdir(rig.path(REGISTRY)) == []


def test_number_of_which_something_is_left(rig):
    """What cannot be removed is not the next user's: the number stays with the name until all is gone."""
    start(rig, 'leaves', DynamicUser='yes', RuntimeDirectory='leaves')
    uid = uid_of(rig, 'leaves')
    rig.run('mount', '--mkdir', '-t', 'tmpfs', 'tmpfs', '/run/leaves/mounted')
    rig.ctl('stop', 'leaves')
    assert rig.path('/run/leaves').stat().st_uid == uid
    assert any(f'User number {uid} is given to nobody else' in line for line in rig.log('-u', 'leaves'))
    assert rig.run('id', 'leaves', check=False).returncode != 0

    # Whose directory has that number asks for it before all others; not even the next manager gives it away.
    rig.shell(f'mkdir -p -m 0700 /var/lib/private && mkdir /var/lib/private/wants && chown {uid}:{uid} /var/lib/private/wants')
    rig.kill_manager()
    rig.start_manager()
    start(rig, 'wants', DynamicUser='yes', StateDirectory='wants')
    assert uid_of(rig, 'wants') != uid
    rig.ctl('stop', 'wants')

    rig.run('umount', '/run/leaves/mounted')
    rig.ctl('start', 'leaves')
    assert uid_of(rig, 'leaves') == uid
    rig.ctl('stop', 'leaves')
    assert not rig.exists('/run/leaves') and os.listdir(rig.path(REGISTRY)) == []
    rig.shell(f'chown {uid}:{uid} /var/lib/private/wants')
    rig.ctl('start', 'wants')
    assert uid_of(rig, 'wants') == uid
