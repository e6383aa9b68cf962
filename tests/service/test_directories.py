# SPDX-License-Identifier: LGPL-2.1-or-later
"""The directories of services: where they are, whose they are, and that what lies in them harms nobody."""

import os
import stat

import pytest
from within import FIRST, LAST, contents, number_locked, plant_users, start, uid_of, within

KINDS = [('State', '/var/lib'), ('Cache', '/var/cache'), ('Logs', '/var/log')]


def owner(rig, path):
    status = rig.path(path).lstat()
    return status.st_uid, status.st_gid, stat.S_IMODE(status.st_mode)


@pytest.mark.parametrize('dynamic', ['yes', 'no'])
def test_du09_runtime_directory(rig, dynamic):
    """DU9: there from start to stop, the user's, open to others for reading, with all that is in it."""
    settings = {'DynamicUser': 'yes'} if dynamic == 'yes' else {'User': 'daemon'}
    start(rig, 'runs', 'mkdir -p /run/foobar/a; touch /run/foobar/a/b', RuntimeDirectory='foobar', **settings)
    uid = uid_of(rig, 'runs')
    assert owner(rig, '/run/foobar') == (uid, uid, 0o755)
    assert not rig.path('/run/foobar').is_symlink()
    rig.run('setpriv', '--reuid=65534', '--clear-groups', 'ls', '/run/foobar/a/b')
    rig.ctl('stop', 'runs')
    assert not rig.exists('/run/foobar')


@pytest.mark.parametrize('kind, prefix', KINDS)
def test_du10_du11_directories_of_static_users(rig, kind, prefix):
    """DU10, DU11: a real directory that stays."""
    within(rig, f'touch {prefix}/foobar/x', 'User=daemon', f'{kind}Directory=foobar')
    assert owner(rig, f'{prefix}/foobar') == (1, 1, 0o755)
    assert not rig.path(f'{prefix}/foobar').is_symlink() and rig.exists(f'{prefix}/foobar/x')


@pytest.mark.parametrize('kind, prefix', KINDS)
def test_du12_du13_du14_du21_directories_of_dynamic_users(rig, kind, prefix):
    """DU12, DU13, DU14, DU21: a link to what lies behind a boundary that root alone passes; all of it stays."""
    start(rig, 'foobar', f'echo secret >{prefix}/foobar/x', DynamicUser='yes', **{f'{kind}Directory': 'foobar'})
    uid = uid_of(rig, 'foobar')

    def check():
        assert os.readlink(rig.path(f'{prefix}/foobar')) == 'private/foobar'
        assert owner(rig, f'{prefix}/foobar')[:2] == (0, 0)
        assert owner(rig, f'{prefix}/private') == (0, 0, 0o700)
        assert owner(rig, f'{prefix}/private/foobar') == (uid, uid, 0o755)
        stranger = rig.run('setpriv', f'--reuid={uid}', f'--regid={uid}', '--clear-groups',
                           'cat', f'{prefix}/private/foobar/x', check=False)  # fmt: skip
        assert stranger.returncode != 0 and 'Permission denied' in stranger.stderr
        assert rig.run('cat', f'{prefix}/foobar/x').stdout == 'secret\n'

    check()
    rig.ctl('stop', 'foobar')
    check()


def test_du15_only_own_directories_inside(rig):
    """DU15: the boundary inside is a small read-only file system that everybody may pass."""
    within(rig, 'touch /var/lib/other/x', 'DynamicUser=yes', 'StateDirectory=other', unit='other')
    start(rig, 'own', 'ls -A /var/lib/private >/var/lib/own/seen; '
          'touch /var/lib/private/x 2>>/var/lib/own/seen || true; touch /var/lib/own/y; '
          "stat -c '%U %a' /var/lib/private/. >>/var/lib/own/seen",
          DynamicUser='yes', StateDirectory='own own2/deep')  # fmt: skip
    seen = rig.path('/var/lib/private/own/seen').read_text().splitlines()
    assert seen[:2] == ['own', 'own2']
    assert 'Read-only file system' in seen[2] and seen[3] == 'root 755'
    mounts = rig.run('findmnt', '--task', rig.main_pid('own'), '-rn', '-o', 'TARGET,FSTYPE,OPTIONS').stdout
    found = sorted(line.split() for line in mounts.splitlines() if line.startswith('/var/lib/private'))
    assert [line[0] for line in found] == [
        '/var/lib/private', '/var/lib/private/own', '/var/lib/private/own2/deep',
    ]  # fmt: skip
    assert 'ro' in found[0][2].split(',') and found[0][1] == 'tmpfs'
    assert all('nosuid' in line[2].split(',') and 'rw' in line[2].split(',') for line in found[1:])


def write_tree(rig, unit, *more):
    return within(rig, 'id -u; mkdir -p /var/lib/tree/a/b; echo 1 >/var/lib/tree/a/b/f; ln -sf f /var/lib/tree/a/l',
                  'DynamicUser=yes', 'StateDirectory=tree', *more, unit=unit)  # fmt: skip


def test_du17_du43_other_number_without_a_change_of_owners(rig):
    """DU17, DU43: the tree is shown with the new number: all is writable, and on disk nothing changes."""
    assert write_tree(rig, 'dynamic-user-test').stdout == '64642\n'
    before = contents(rig, '/var/lib/private/tree')
    with number_locked(rig, 64642):
        found = within(rig, "id -u; stat -c %u /var/lib/tree/a/b/f; test -w /var/lib/tree/a/b/f; test -O /var/lib/tree/a",
                       'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test')  # fmt: skip
        assert contents(rig, '/var/lib/private/tree') == before
        new, shown = found.stdout.split()
        assert new == shown != '64642'
        within(rig, 'echo 2 >/var/lib/tree/a/b/f; echo new >/var/lib/tree/new',
               'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test')  # fmt: skip
    assert owner(rig, '/var/lib/private/tree/new')[:2] == (64642, 64642)
    assert rig.path('/var/lib/private/tree/a/b/f').read_text() == '2\n'


def place(rig, kind):
    """Puts a file system of that kind in the place of the one for state directories."""
    if kind == 'overlay':
        rig.shell('mkdir /run/lower /run/upper /run/work; mount -t overlay overlay -o '
                  'lowerdir=/run/lower,upperdir=/run/upper,workdir=/run/work /var/lib')  # fmt: skip
    elif kind != 'tmpfs':
        made = rig.shell(f'truncate -s 256M /run/disk; mkfs.{kind} -q /run/disk; mount -o loop /run/disk /var/lib', check=False)
        if made.returncode != 0 and ('failed to setup loop device' in made.stderr or 'unknown filesystem' in made.stderr):
            pytest.skip(f'the kernel has no loop device, or no {kind}: {made.stderr}')
        assert made.returncode == 0, made.stderr
    assert rig.run('findmnt', '-no', 'FSTYPE', '-T', '/var/lib').stdout.split()[-1] == kind


@pytest.mark.parametrize('kind', ['tmpfs', 'ext4', 'btrfs', 'overlay'])
def test_du43_file_systems(rig, kind):
    """DU43: shown with the new number where the file system can: no owner on disk changes, what is made there gets the number that
    the disk has. Where it cannot, all of the tree changes."""
    place(rig, kind)
    assert write_tree(rig, 'dynamic-user-test').stdout == '64642\n'
    before = contents(rig, '/var/lib/private/tree')
    with number_locked(rig, 64642):
        found = within(rig, 'id -u; cd /var/lib/tree; stat -c %u . a a/b/f; rm a/l; ln -s f a/l; echo 2 >a/b/f; test -O a/b/f; '
                       'echo new >new; mkdir dir; chmod 0600 a/b/f; stat -c %u new dir',
                       'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test').stdout.split()  # fmt: skip
        assert len(set(found)) == 1 and found[0] != '64642'
        owner_of_new = owner(rig, '/var/lib/private/tree/new')[:2]
        owners = set(rig.shell("find /var/lib/private/tree -printf '%U:%G\\n'").stdout.split())
        if kind == 'overlay':
            assert owners == {f'{found[0]}:{found[0]}'}
        else:
            assert owner_of_new == (64642, 64642) and owners == {'64642:64642'}
    # Back to the first number, or on with the one that the disk has: both can write.
    within(rig, 'echo 3 >/var/lib/tree/a/b/f; echo >/var/lib/tree/dir/x', 'DynamicUser=yes', 'StateDirectory=tree',
           unit='dynamic-user-test')  # fmt: skip
    assert rig.path('/var/lib/private/tree/a/b/f').read_text() == '3\n'
    assert before


@pytest.mark.parametrize('kind', ['tmpfs', 'ext4', 'btrfs'])
def test_du43_no_change_of_owners_at_all(rig, kind):
    """DU43, DU17: no call that changes an owner, and no time of change on disk, for a service that only reads."""
    place(rig, kind)
    assert write_tree(rig, 'dynamic-user-test').stdout == '64642\n'
    before = contents(rig, '/var/lib/private/tree')
    plant_users(rig, passwd='taken:x:64642:64642::/:/bin/sh\n')
    trace = trace_run(rig, 'StateDirectory=tree')
    assert any('mount_setattr' in line and 'MOUNT_ATTR_IDMAP' in line for line in trace)
    assert not [line for line in trace if 'chown' in line and '/var/lib' in line]
    assert contents(rig, '/var/lib/private/tree') == before


def test_du17_mixed_owners_are_changed(rig):
    """DU17: what cannot be shown otherwise gets the new owner, all of it, before the program starts."""
    write_tree(rig, 'dynamic-user-test')
    os.chown(rig.path('/var/lib/private/tree/a'), 4711, 4711)
    with number_locked(rig, 64642):
        uid = int(within(rig, 'id -u; echo 2 >/var/lib/tree/a/b/f; touch /var/lib/tree/a/x',
                         'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test').stdout)  # fmt: skip
    owners = {line.split()[1] for line in contents(rig, '/var/lib/private/tree').splitlines()}
    assert owners == {str(uid)} and uid != 64642


def trace_run(rig, *settings):
    """All that the helper asks the kernel for, as lines of strace, in the run of a service that does nothing."""
    rig.write('/run/traced', f"#!/bin/sh\nexec strace -f -y -qq -o /run/trace {rig.programs}/mkosi-exec \"$@\"\n", 0o755)
    options = [word for setting in settings for word in ('-p', setting)]
    rig.run(rig.programs / 'mkosi-run', '--wait', '--runtime-directory=/run/alone', '--helper=/run/traced',
            '-p', 'DynamicUser=yes', '-p', 'User=dynamic-user-test', *options, '/bin/true')  # fmt: skip
    return rig.path('/run/trace').read_text(errors='replace').splitlines()


def test_du20_right_owners_are_left_alone(rig):
    """DU20: of a large tree nothing is touched when the directory itself is right."""
    assert write_tree(rig, 'dynamic-user-test').stdout == '64642\n'
    few = trace_run(rig, 'StateDirectory=tree')
    rig.shell('cd /var/lib/private/tree; mkdir many; seq 100000 | (cd many; xargs touch); chown -R 64642:64642 many')
    before = contents(rig, '/var/lib/private/tree')
    many = trace_run(rig, 'StateDirectory=tree')
    within(rig, 'test -w /var/lib/tree/many/1', 'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test')
    assert contents(rig, '/var/lib/private/tree') == before
    for trace in few, many:
        assert any('/var/lib/private/tree' in line for line in trace)
        assert not [line for line in trace if 'chown' in line and '/var/lib' in line]
    # It takes no longer than with the three files that there were: nothing of them is looked at.
    assert len(many) < len(few) + 100


@pytest.mark.parametrize('kind, prefix', KINDS)
def test_du41_from_static_to_dynamic_and_back(rig, kind, prefix):
    """DU41: the data go along, both ways, and twice."""
    name = f'{kind}Directory=zzz zzz2/deep'
    static, dynamic = ('User=daemon', name), ('DynamicUser=yes', name)
    within(rig, f'echo data >{prefix}/zzz/test; echo more >{prefix}/zzz2/deep/test', *static, unit='zzz')
    for _ in range(2):
        within(rig, f'grep -q data {prefix}/zzz/test; grep -q more {prefix}/zzz2/deep/test; echo >>{prefix}/zzz/test',
               *dynamic, unit='zzz')  # fmt: skip
        assert os.readlink(rig.path(f'{prefix}/zzz')) == 'private/zzz'
        assert os.readlink(rig.path(f'{prefix}/zzz2/deep')) == '../private/zzz2/deep'
        within(rig, f'grep -q data {prefix}/zzz/test; echo >>{prefix}/zzz/test', *static, unit='zzz')
        assert not rig.path(f'{prefix}/zzz').is_symlink() and not rig.exists(f'{prefix}/private/zzz')
        assert owner(rig, f'{prefix}/zzz/test')[0] == 1


def test_du29_nested_directories_have_one_link(rig):
    """What lies in another directory of the unit has no link of its own."""
    within(rig, 'touch /var/lib/a/b/x', 'DynamicUser=yes', 'StateDirectory=a a/b')
    assert rig.path('/var/lib/a').is_symlink() and not rig.path('/var/lib/private/a/b').is_symlink()


# Hostile directories

PLANTS = {
    'link': 'ln -s /etc/passwd /var/lib/tree/p',
    'link to a directory': 'ln -s /run/victim /var/lib/tree/p',
    'hard link': 'ln /run/victim/file /var/lib/tree/p',
    'directory that is a link': 'rm -rf /var/lib/tree/a; ln -s /run/victim /var/lib/tree/a',
}


@pytest.mark.parametrize('plant', PLANTS)
def test_planted_things_lead_nowhere(rig, plant):
    """Root gives the tree to another number: nothing outside of it changes."""
    write_tree(rig, 'dynamic-user-test')
    rig.shell('mkdir /run/victim; echo secret >/run/victim/file; chmod 0600 /run/victim/file')
    # Hard links work within a file system only.
    rig.shell('mount --bind /run/victim /run/victim' if plant != 'hard link' else
              'rm -r /run/victim; mkdir /var/lib/victim; echo secret >/var/lib/victim/file; '
              'ln -s /var/lib/victim /run/victim')  # fmt: skip
    rig.shell(PLANTS[plant].replace('/var/lib/tree', '/var/lib/private/tree'))
    os.chown(rig.path('/var/lib/private/tree'), 4711, 4711)
    before = contents(rig, '/run/victim/ /etc/passwd')
    owners = owner(rig, '/run/victim/file') if plant != 'hard link' else owner(rig, '/var/lib/victim/file')
    with number_locked(rig, 64642):
        within(rig, 'true', 'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test')
    if plant == 'hard link':
        assert owner(rig, '/var/lib/victim/file') == owners == (0, 0, 0o644)
    else:
        assert contents(rig, '/run/victim/ /etc/passwd') == before


def test_planted_mount_is_left_alone(rig):
    """What is mounted in the directory is neither given away nor removed."""
    write_tree(rig, 'dynamic-user-test')
    rig.shell('mount --mkdir -t tmpfs tmpfs /var/lib/private/tree/m; echo 1 >/var/lib/private/tree/m/file')
    os.chown(rig.path('/var/lib/private/tree'), 4711, 4711)
    within(rig, 'true', 'DynamicUser=yes', 'StateDirectory=tree', unit='dynamic-user-test', check=False)
    assert owner(rig, '/var/lib/private/tree/m/file')[0] == 0


def test_runtime_directory_with_links_is_removed_alone(rig):
    rig.shell('mkdir /run/victim; touch /run/victim/file')
    start(rig, 'links', 'ln -s /run/victim /run/links/d; ln -s /etc/passwd /run/links/f; '
          'mkdir -p /run/links/deep; cd /run/links/deep; for i in $(seq 100); do mkdir d; cd d; done',
          DynamicUser='yes', RuntimeDirectory='links')  # fmt: skip
    rig.ctl('stop', 'links')
    assert not rig.exists('/run/links')
    assert rig.exists('/run/victim/file') and rig.exists('/etc/passwd')


@pytest.mark.parametrize('mode', ['chmod 0755', 'chown 65534'])
def test_open_boundary_is_refused(rig, mode):
    """A boundary that lets others in is none: 238."""
    rig.shell(f'mkdir -m 0700 /var/lib/private; {mode} /var/lib/private')
    rig.unit('open.service', Type='oneshot', DynamicUser='yes', StateDirectory='x', ExecStart='/bin/true')
    assert rig.ctl('start', 'open', check=False).returncode != 0
    assert rig.show('open', 'ExecMainStatus') == '238'
    assert any('/var/lib/private' in line for line in rig.log('-u', 'open'))


def test_link_of_somebody_else_is_in_the_way(rig):
    rig.shell('mkdir /run/victim; ln -s /run/victim /var/lib/x')
    result = within(rig, 'touch /var/lib/x/y', 'DynamicUser=yes', 'StateDirectory=x', check=False)
    assert result.returncode != 0
    assert not rig.exists('/run/victim/y') and rig.path('/run/victim').stat().st_uid == 0


@pytest.mark.parametrize('name', ['../x', '/x', 'a/../../x', 'private', 'private/x', 'a:b', '.', './/'])
@pytest.mark.parametrize('kind', ['State', 'Runtime'])
def test_names_that_leave_the_prefix(rig, kind, name):
    """Nothing is run, and nothing is made."""
    before = rig.shell('find /var /run/x /x -maxdepth 2 2>/dev/null || true').stdout
    result = within(rig, 'true', 'DynamicUser=yes', f'{kind}Directory={name}', check=False)
    assert result.returncode != 0
    after = rig.shell('find /var /run/x /x -maxdepth 2 2>/dev/null || true').stdout
    assert after == before


def test_number_of_a_former_owner_is_preferred(rig):
    """DU19: the owner of the directory, if it is free and in the range."""
    for uid, taken in ((62000, True), (FIRST - 1, False), (LAST + 1, False)):
        rig.shell(f'rm -rf /var/lib/private/p; install -d -m 0700 /var/lib/private; install -d -o {uid} -g {uid} /var/lib/private/p')
        found = int(within(rig, 'id -u', 'DynamicUser=yes', 'StateDirectory=p', unit='p').stdout)
        assert (found == uid) == taken and FIRST <= found <= LAST
