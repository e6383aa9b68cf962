# SPDX-License-Identifier: LGPL-2.1-or-later
"""Directories of services whose user means harm: whatever lies in them, and whatever is done to them meanwhile, nothing outside of
them changes, and what was to be done is done."""

import os
import pwd

import pytest
from rig import wait_for
from within import contents, number_locked, process, snapshot, start, uid_of, within

DEPTH = 1000
FILES = 20000

# What nobody but root may change; on the file system of the state directories, for hard links, and on another one.
CANARIES = ('/var/lib/canary', '/run/canary')
CANARY = """
for i in /var/lib/canary /run/canary; do
        mkdir -p $i/directory/inner
        echo secret >$i/file; echo more >$i/directory/file; cp /bin/true $i/set-uid
        chmod 0600 $i/file; chmod 4755 $i/set-uid; chown 4711:4712 $i/directory
        setfattr -n trusted.canary -v sings $i/file
done
"""

# Planted by root, so that nothing is missing: links, other names of root's files, devices, pipes, sockets, bits and lists of
# access, names that no text can hold, a mount, many files, and a tree that is deep.
PLANT = r"""
import os, socket, subprocess, sys
where, canary, n, depth = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
os.chdir(where)
os.mkdir('trap')
os.chdir('trap')
os.symlink(f'{canary}/file', 'link')
os.symlink(canary, 'link to directory')
os.symlink('../../../../../../..' + canary, 'relative link')
os.symlink('/proc/self/cwd', 'magic link')
try:
    os.link(f'{canary}/file', 'other name')
    os.link(f'{canary}/set-uid', 'other name of a program')
except OSError:
    pass  # of another file system
os.mkfifo('pipe')
os.mknod('device', 0o20666, os.makedev(1, 3))
os.mknod('block device', 0o60666, os.makedev(7, 0))
socket.socket(socket.AF_UNIX).bind('socket')
open('set-uid', 'w').close()
os.chmod('set-uid', 0o6777)
open('listed', 'w').close()
os.mkdir('listed directory')
subprocess.run(['setfacl', '-m', 'u:65534:rwx', 'listed', 'listed directory'], check=True)
subprocess.run(['setfacl', '-d', '-m', 'u:65534:rwx', 'listed directory'], check=True)
for name in b'new\nline', b'\xff\xfe', b'-rf', b' ', b'*', b'x' * 255:
    os.mkdir(name)
    os.symlink(canary.encode(), name + b'/l')
    os.close(os.open(name + b'/f', os.O_CREAT | os.O_WRONLY))
os.mkdir('mount')
subprocess.run(['mount', '--bind', canary, 'mount'], check=True)
os.mkdir('many')
for i in range(n):
    os.close(os.open(f'many/{i}', os.O_CREAT | os.O_WRONLY))
for i in range(depth):
    os.mkdir('d')
    os.chdir('d')
os.symlink(canary, 'end')
"""

# Whoever may write to the directory exchanges a directory there and a link that leads outside, as fast as it can.
SWAP = r"""
import ctypes, os, shutil, sys
where, canary = sys.argv[1:]
libc = ctypes.CDLL(None)
def prepare(fd):
    for i in range(8):
        for make in (
            lambda: os.symlink(canary, f'l{i}', dir_fd=fd),
            lambda: os.mkdir(f'd{i}', dir_fd=fd),
            lambda: os.mkdir(f'd{i}/directory', dir_fd=fd),
            *(lambda j=j: os.close(os.open(f'd{i}/directory/file{j}', os.O_CREAT | os.O_WRONLY, dir_fd=fd)) for j in range(8)),
        ):
            try:
                make()
            except OSError:
                pass
open(sys.argv[0] + '.runs', 'w').close()
while True:
    try:
        fd = os.open(where, os.O_RDONLY | os.O_DIRECTORY)
    except OSError:
        continue
    prepare(fd)
    for n in range(50):
        for i in range(8):
            libc.renameat2(fd, f'd{i}'.encode(), fd, f'l{i}'.encode(), 2)
    os.close(fd)
"""


@pytest.fixture
def canaries(rig):
    """The rig, with what is not to be touched; it is looked at behind the test."""
    rig.shell(CANARY)
    before = snapshot(rig, *CANARIES)
    yield rig
    assert snapshot(rig, *CANARIES) == before


def plant(rig, where, canary='/var/lib/canary', files=FILES, depth=DEPTH):
    rig.write('/run/plant', PLANT)
    rig.run('/usr/bin/python3', '/run/plant', where, canary, files, depth)


def owner_counts(rig, where):
    """Lines with a number of files and an owner, of all that is the service's: files that have other names are not."""
    return rig.shell(f"find {where} \\( -type d -o -links 1 \\) -printf '%U\\n' | sort | uniq -c").stdout.splitlines()


def owners(rig, where):
    return {int(line.split()[1]) for line in owner_counts(rig, where)}


def test_tree_gets_another_owner(canaries):
    """Of all kinds of things, of a deep tree and of many files; set-id bits and lists of access do not stay."""
    rig = canaries
    within(rig, 'true', 'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test')
    plant(rig, '/var/lib/private/tree')
    os.chown(rig.path('/var/lib/private/tree'), 4711, 4711)
    with number_locked(rig, 64642):
        uid = within(rig, 'id -u', 'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test').stdout.strip()
    trap = '/var/lib/private/tree/trap'
    # Neither what is mounted nor what that is mounted on.
    rig.shell(f"cd {trap}; umount mount; test $(stat -c %U mount) = root; rmdir mount")
    (number, owner), = (line.split() for line in owner_counts(rig, '/var/lib/private/tree'))
    assert owner == uid and int(number) > FILES + DEPTH
    assert rig.shell(f'find {trap} -xdev -links 1 -perm /6000').stdout == ''
    assert rig.shell(f'cd {trap}; getfacl -s -R -P listed "listed directory" many | head -n 1').stdout == ''


def test_tree_moves(canaries):
    """From a static user to a dynamic one, and back, and again: with all that is in it."""
    rig = canaries
    static, dynamic = ('User=daemon', 'StateDirectory=tree'), ('DynamicUser=yes', 'StateDirectory=tree')
    within(rig, 'true', *static, unit='tree')
    plant(rig, '/var/lib/tree', files=1000)
    rig.run('umount', '/var/lib/tree/trap/mount')
    for _ in range(2):
        within(rig, 'true', *dynamic, unit='tree')
        assert rig.path('/var/lib/tree').is_symlink()
        within(rig, 'true', *static, unit='tree')
        assert not rig.path('/var/lib/tree').is_symlink()
    assert rig.run('stat', '-c', '%U', '/var/lib/tree/trap/pipe').stdout == 'daemon\n'
    assert rig.shell('ls /var/lib/tree/trap/many | wc -l').stdout == '1000\n'


@pytest.mark.parametrize('where', ['/run/trap-service', 'tmp', 'var/tmp'])
def test_tree_is_removed(canaries, where):
    """The runtime directory, and those for temporary files: all that is in them, and nothing else."""
    rig = canaries
    start(rig, 'trap-service', DynamicUser='yes', RuntimeDirectory='trap-service')
    if where[0] != '/':
        where, = rig.path(f'/{where}').glob('systemd-private-*')
        where = '/' + str(where.relative_to(rig.path('/'))) + '/tmp'
    plant(rig, where, canary='/run/canary')
    rig.run('umount', f'{where}/trap/mount')
    rig.ctl('stop', 'trap-service')
    wait_for(lambda: not rig.exists(where), 'the directory to go')


@pytest.mark.parametrize('where', ['runtime', 'tmp'])
def test_mount_in_the_way_of_removal(canaries, where):
    """What root has mounted there is not emptied."""
    rig = canaries
    start(rig, 'trap-service', DynamicUser='yes', RuntimeDirectory='trap-service')
    path = '/run/trap-service'
    if where == 'tmp':
        path, = (f'/tmp/{name}/tmp' for name in os.listdir(rig.path('/tmp')))
    rig.shell(f'mkdir {path}/mount; mount --bind /run/canary {path}/mount')
    rig.ctl('stop', 'trap-service')
    assert rig.path(f'{path}/mount/file').read_text() == 'secret\n'
    rig.run('umount', f'{path}/mount')


def test_memory_is_swept(canaries):
    """RemoveIPC: what the user has in /dev/shm goes, what others have there, and where links lead, stays."""
    rig = canaries
    start(rig, 'shm', DynamicUser='yes')
    uid = uid_of(rig, 'shm')
    plant(rig, '/dev/shm', canary='/run/canary', files=1000)
    rig.run('umount', '/dev/shm/trap/mount')
    rig.shell('mkdir /dev/shm/others; touch /dev/shm/others/file; ln -s /run/canary /dev/shm/others/link; '
              f'chown -hR {uid}:{uid} /dev/shm/trap; touch /dev/shm/trap/foreign; chown {uid} /dev/shm/others')  # fmt: skip
    rig.ctl('stop', 'shm')
    left = rig.shell(f'find /dev/shm -uid {uid} | sort').stdout.splitlines()
    # Directories with what belongs to others have to stay.
    assert left == ['/dev/shm/others', '/dev/shm/trap']
    assert rig.exists('/dev/shm/others/file') and rig.exists('/dev/shm/trap/foreign')


def swap(rig, where, user='nobody'):
    """Somebody at work, as soon as this is entered."""
    rig.write('/run/swap', SWAP)
    rig.shell('rm -f /run/swap.runs; touch /run/swap.runs; chmod 666 /run/swap.runs')
    return process(rig, 'setpriv', f'--reuid={user}', '--clear-groups', '/usr/bin/python3', '/run/swap', where, '/run/canary')


def test_race_with_the_change_of_owners(canaries):
    """The tree gets another owner again and again, while directories in it become links that lead outside."""
    rig = canaries
    users = ('User=daemon', 'User=bin')
    settings = ('StateDirectory=tree', 'StateDirectoryMode=0777')
    within(rig, 'true', users[0], *settings, unit='tree')
    with swap(rig, '/var/lib/tree'):
        wait_for(lambda: rig.exists('/var/lib/tree/l7'), 'the first links')
        for i in range(1, 21):
            # It may give up when what it has just seen is gone; what counts is what it leaves alone.
            within(rig, 'true', users[i % 2], *settings, unit='tree', check=False)
    within(rig, 'true', 'User=games', *settings, unit='tree')
    assert owners(rig, '/var/lib/tree') == {pwd.getpwnam('games').pw_uid}


def test_race_with_migration(canaries):
    """The same while it moves behind the boundary and back."""
    rig = canaries
    settings = ('StateDirectory=tree', 'StateDirectoryMode=0777')
    within(rig, 'true', 'User=daemon', *settings, unit='tree')
    with swap(rig, '/var/lib/tree'):
        wait_for(lambda: rig.exists('/var/lib/tree/l7'), 'the first links')
        for _ in range(10):
            within(rig, 'true', 'DynamicUser=yes', *settings, unit='tree', check=False)
            within(rig, 'true', 'User=daemon', *settings, unit='tree', check=False)
    # What was hidden from one walk is found by the next one.
    within(rig, 'true', 'User=games', *settings, unit='tree')
    assert owners(rig, '/var/lib/tree') == {pwd.getpwnam('games').pw_uid}


@pytest.mark.parametrize('where', ['/run/tree', '/dev/shm/tree'])
def test_race_with_removal(canaries, where):
    """The same while it is removed: with the runtime directory, and with all that the user has in memory."""
    rig = canaries
    rig.unit('tree.service', Type='exec', User='games', RuntimeDirectory='tree', RuntimeDirectoryMode='0777', RemoveIPC='yes',
             ExecStart='/bin/sleep infinity')  # fmt: skip
    with swap(rig, where, user='games'):
        wait_for(lambda: rig.exists('/run/swap.runs'), 'who swaps')
        for _ in range(15):
            rig.ctl('start', 'tree')
            if where != '/run/tree':
                rig.run('setpriv', '--reuid=games', '--clear-groups', 'mkdir', '-p', where)
            wait_for(lambda: rig.exists(f'{where}/l7'), 'the links')
            rig.ctl('stop', 'tree')
    rig.ctl('start', 'tree')
    rig.ctl('stop', 'tree')
    assert not rig.exists(where)


def test_number_of_others_is_kept_from_swaps(canaries):
    """A state directory that is a link of the service's user: neither followed nor given away."""
    rig = canaries
    within(rig, 'true', 'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test')
    rig.shell('rm -r /var/lib/private/tree; ln -s /run/canary /var/lib/private/tree')
    before = contents(rig, '/run/canary')
    result = within(rig, 'touch /var/lib/tree/x', 'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test', check=False)
    assert result.returncode != 0
    assert contents(rig, '/run/canary') == before
