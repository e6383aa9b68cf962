# SPDX-License-Identifier: LGPL-2.1-or-later
"""What services have in common: networks, temporary files, users, and settings that are changed while they run."""

import os

from rig import wait_for

SLEEP = '/bin/sleep infinity'


def inode(rig, unit, path):
    return rig.path(f'/proc/{rig.main_pid(unit)}/{path}').stat().st_ino


def test_ip57_joined_namespaces(rig):
    """IP57: JoinsNamespaceOf= puts units into one network, and one /tmp; both have to want that."""
    private = f'PrivateNetwork=yes\nPrivateTmp=yes\nExecStart={SLEEP}\nType=exec\n'
    rig.unit('one.service', f'[Service]\n{private}')
    rig.unit('other.service', f'[Unit]\nJoinsNamespaceOf=one.service\n[Service]\n{private}')
    rig.unit('alone.service', f'[Service]\n{private}')
    rig.unit('open.service', f'[Unit]\nJoinsNamespaceOf=one.service\n[Service]\nType=exec\nExecStart={SLEEP}\n')
    rig.ctl('start', 'one', 'other', 'alone', 'open')
    assert inode(rig, 'one', 'ns/net') == inode(rig, 'other', 'ns/net')
    assert len({inode(rig, unit, 'ns/net') for unit in ('one', 'alone', 'open')}) == 3

    directories = sorted(rig.path('/tmp').glob('systemd-private-*'))
    assert len(directories) == 2
    rig.path(f'/proc/{rig.main_pid("one")}/root/tmp/marker').write_text('seen')
    assert rig.path(f'/proc/{rig.main_pid("other")}/root/tmp/marker').read_text() == 'seen'
    # They stay as long as one of both is there.
    rig.ctl('stop', 'one')
    assert rig.path(f'/proc/{rig.main_pid("other")}/root/tmp/marker').exists()
    rig.ctl('stop', 'other', 'alone')
    assert list(rig.path('/tmp').glob('systemd-private-*')) == []


def test_shared_dynamic_user(rig):
    """One user for all services that name it; it goes with the last of them."""
    for unit in ('one', 'other'):
        rig.unit(f'{unit}.service', Type='exec', DynamicUser='yes', User='shared', ExecStart=SLEEP)
    rig.ctl('start', 'one', 'other')
    number = rig.show('one', 'UID')
    assert rig.show('other', 'UID') == number and 61184 <= int(number) <= 65519
    rig.ctl('stop', 'one')
    assert number in os.listdir(rig.path('/run/mkosi/dynamic-uid'))
    rig.ctl('stop', 'other')
    assert os.listdir(rig.path('/run/mkosi/dynamic-uid')) == []
    assert os.listdir(rig.path('/run/userdb')) == []


def test_du6_ipc_objects_go_with_the_last_service(rig):
    """DU6: what the user left in memory is removed at the end."""
    for unit in ('one', 'other'):
        rig.unit(
            f'{unit}.service',
            Type='exec',
            DynamicUser='yes',
            User='shared',
            ExecStart="/bin/sh -c 'ipcmk -M 4096 -S 1 -Q; echo x >/dev/shm/mkosi-$$; echo made; exec sleep infinity'",
        )
    rig.ctl('start', 'one', 'other')
    for unit in ('one', 'other'):
        wait_for(lambda name=unit: 'made' in rig.log('-u', name), 'the objects')

    def objects():
        lines = [line for kind in ('shm', 'sem', 'msg') for line in
                 rig.shell(f'cat /proc/sysvipc/{kind}').stdout.splitlines()[1:]]  # fmt: skip
        return len(lines)

    assert objects() == 6
    rig.ctl('stop', 'one')
    assert objects() == 6
    rig.ctl('stop', 'other')
    assert objects() == 0


def test_runtime_directory(rig):
    """DU9: it is there as long as the service is."""
    rig.unit('run.service', Type='exec', RuntimeDirectory='foobar', ExecStart=SLEEP)
    rig.ctl('start', 'run')
    rig.write('/run/foobar/deep/down/file', 'x')
    rig.ctl('stop', 'run')
    assert not rig.exists('/run/foobar')


def test_kept_runtime_directory(rig):
    rig.unit(
        'run.service', Type='exec', RuntimeDirectory='foobar', RuntimeDirectoryPreserve='restart', ExecStart=SLEEP
    )
    rig.ctl('start', 'run')
    rig.write('/run/foobar/file', 'x')
    rig.ctl('restart', 'run')
    assert rig.exists('/run/foobar/file')
    rig.ctl('stop', 'run')
    assert not rig.exists('/run/foobar')


def test_set_property_acts_at_once(rig):
    """IP45: persistent over a restart of the manager; what belongs to a running service is no longer the file's."""
    rig.unit('count.service', ExecStart=SLEEP)
    rig.ctl('start', 'count')
    rig.ctl('set-property', 'count', 'CPUAccounting=yes')
    assert rig.exists('/etc/mkosi/system.control/count.service.d/50-CPUAccounting.conf')
    rig.kill_manager()
    rig.start_manager()
    rig.ctl('stop', 'count')
    assert rig.log('-u', 'count')[-1].startswith('count.service: Consumed ')


def test_set_property_refuses_what_is_about_processes(rig):
    rig.unit('count.service', ExecStart=SLEEP)
    result = rig.ctl('set-property', 'count', 'User=nobody', check=False)
    assert result.returncode != 0 and 'User=' in result.stderr


def test_template_instances_are_alone(rig):
    """DU30: instances have users of their own."""
    rig.unit('inst@.service', Type='exec', DynamicUser='yes', ExecStart=SLEEP)
    rig.ctl('start', 'inst@one', 'inst@other')
    assert rig.show('inst@one', 'UID') != rig.show('inst@other', 'UID')


def test_files_of_services_that_were_left_behind(rig):
    """A link that the service has planted leads root nowhere."""
    rig.write('/var/lib/precious', 'x')
    rig.unit(
        'evil.service',
        Type='exec',
        PrivateTmp='yes',
        RuntimeDirectory='evil',
        ExecStart="/bin/sh -c 'ln -s /var/lib /tmp/link; ln -s /var/lib /run/evil/link; exec sleep infinity'",
    )
    rig.ctl('start', 'evil')
    wait_for(lambda: rig.exists('/run/evil/link'), 'the links')
    rig.ctl('stop', 'evil')
    assert not rig.exists('/run/evil')
    assert rig.path('/var/lib/precious').read_text() == 'x'
