# SPDX-License-Identifier: LGPL-2.1-or-later
"""The bootable image: boots under UEFI firmware, does what it was told, and switches the machine off."""

import json
import re
import subprocess

import conftest
import project as projects
import pytest

SECTOR_SIZE = 512
ESP = 'C12A7328-F81F-11D2-BA4B-00A0C93EC93B'
ROOT_X86_64 = '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709'


def run(*command):
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True,
        text=True,
        check=True,
        env=projects.clean_environment(),
    ).stdout


@pytest.fixture(scope='module')
def partitions(bootable_image):
    return json.loads(run('sfdisk', '--json', bootable_image.path))['partitiontable']['partitions']


@pytest.fixture(scope='module')
def esp(bootable_image, partitions, image_directory):
    path = image_directory / 'esp.vfat'
    projects.copy_sparse(
        bootable_image.path, path, partitions[0]['start'] * SECTOR_SIZE, partitions[0]['size'] * SECTOR_SIZE
    )
    return path


@pytest.fixture(scope='module')
def unified_kernel(esp, image_directory):
    path = image_directory / 'kernel.efi'
    [name] = [
        line for line in run('mdir', '-b', '-i', esp, '::/EFI/Linux').splitlines() if line.endswith('.efi')
    ]
    run('mcopy', '-n', '-i', esp, name, path)
    return path


def test_partitions_are_as_specified(bootable_image, partitions):
    assert 'No errors detected' in run('sfdisk', '--verify', bootable_image.path)
    assert [(entry['type'], entry['name']) for entry in partitions] == [
        (ESP, 'ESP System Partition'),
        (ROOT_X86_64, 'Root Partition'),
    ]
    assert all(entry['start'] % 2048 == 0 for entry in partitions)
    assert len({entry['uuid'] for entry in partitions}) == 2


def test_esp_is_a_good_file_system(esp):
    run('fsck.fat', '-n', esp)
    said = run('blkid', '-p', '-o', 'export', esp)
    assert 'TYPE=vfat' in said and 'VERSION=FAT32' in said and 'LABEL=EFI' in said


def test_root_is_a_good_file_system(bootable_image, partitions, image_directory):
    path = image_directory / 'bootable-root.ext4'
    projects.copy_sparse(
        bootable_image.path, path, partitions[1]['start'] * SECTOR_SIZE, partitions[1]['size'] * SECTOR_SIZE
    )
    run('e2fsck', '-f', '-n', path)


def test_boot_loader_is_in_both_places(esp):
    files = run('mdir', '-/', '-b', '-i', esp, '::').upper().splitlines()
    assert '::/EFI/BOOT/BOOTX64.EFI' in files
    assert '::/EFI/SYSTEMD/SYSTEMD-BOOTX64.EFI' in files


def test_unified_kernel_has_its_sections(unified_kernel, foreign_tool):
    sections = {}
    for line in run(foreign_tool('objdump'), '-h', '-w', unified_kernel).splitlines():
        if match := re.match(r'\s*\d+\s+(\.\w+)\s+([0-9a-f]+)\s+([0-9a-f]+)', line):
            start = int(match[3], 16)
            sections[match[1]] = (start, start + int(match[2], 16))
    assert {'.osrel', '.uname', '.cmdline', '.linux', '.initrd', '.sbat'} <= set(sections)
    spans = sorted(sections.values())
    assert all(before[1] <= after[0] for before, after in zip(spans, spans[1:]))


def test_nothing_mounts_by_configuration(bootable_image, virtual_machine, partitions, image_directory):
    root = image_directory / 'bootable-root.ext4'
    for name in ('fstab', 'crypttab'):
        said = run('debugfs', '-R', f'cat /etc/{name}', root)
        assert [line for line in said.splitlines() if line.strip() and not line.startswith('#')] == []


def test_boots_and_powers_off(bootable_image, virtual_machine):
    with virtual_machine(bootable_image.path) as machine:
        machine.wait_for(conftest.MARKER)
        facts = conftest.facts(machine.text)
        machine.wait_for_power_off()
    assert facts['hostname'] == 'teapot'
    assert 'console=ttyS0' in facts['command-line'].split() and 'test.word=1' in facts['command-line'].split()
    assert facts['root'].split()[0] == 'ext4' and 'rw' in re.split('[ ,]', facts['root'])
    assert re.fullmatch('[0-9a-f]{32}', facts['machine-id'])
    assert facts['failed'].strip() == ''


def test_root_can_log_in_on_the_serial_line(bootable_image, virtual_machine):
    with virtual_machine(bootable_image.path, product=conftest.KEEP_RUNNING) as machine:
        machine.wait_for('teapot login: ')
        machine.send('root\n')
        machine.wait_for('Password: ')
        machine.send(conftest.PASSWORD + '\n')
        machine.wait_for(r'root@teapot:~# ')
        machine.send('echo "uid=$(id -u) tty=$(tty)"\n')
        machine.wait_for('^uid=0 tty=/dev/ttyS0$'.replace('^', '(?m)^'))
        machine.send('systemctl poweroff\n')
        machine.wait_for_power_off()


def test_systemd_dissects_it(bootable_image, foreign_tool):
    said = json.loads(run(foreign_tool('systemd-dissect'), '--json=short', bootable_image.path))
    assert sorted(mount['designator'] for mount in said['mounts']) == ['esp', 'root']
