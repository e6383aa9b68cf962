# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb verify, with what others made: disks, kernels, and files that are none."""

import subprocess
import uuid

import project as projects
import pytest
from small import SECTOR_SIZE, run
from verified import LOADER, LOADER_FILE, Verified, flip, make_kernel


def test_images_of_others(mkosi, tmp_path):
    """sfdisk, mkfs.fat, mke2fs, mkswap and veritysetup, and no key anywhere."""
    run('mke2fs', '-q', '-t', 'ext4', tmp_path / 'root', '8M')
    run('mkfs.fat', '-C', tmp_path / 'esp', '8192')
    run('mmd', '-i', tmp_path / 'esp', '::/EFI', '::/EFI/BOOT')
    run('mcopy', '-i', tmp_path / 'esp', LOADER_FILE, f'::/{LOADER}')
    (tmp_path / 'swap').write_bytes(bytes(1024 * 1024))
    run('mkswap', tmp_path / 'swap')
    text = run('veritysetup', 'format', tmp_path / 'root', tmp_path / 'tree')
    root_hash = text.rpartition('Root hash:')[2].split()[0]
    (tmp_path / 'disk.roothash').write_text(root_hash)
    disk = tmp_path / 'disk.raw'
    with open(disk, 'wb') as file:
        file.truncate(32 * 1024 * 1024)
    tree_sectors = -(-(tmp_path / 'tree').stat().st_size // SECTOR_SIZE)
    layout = [
        ('esp', 2048, 16384, 'U', ''),
        ('root', 20480, 16384, '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', f', uuid={uuid.UUID(root_hash[:32])}'),
        ('tree', 38912, tree_sectors, '2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5', f', uuid={uuid.UUID(root_hash[32:])}'),
        ('swap', 43008, 2048, 'S', ''),
    ]
    script = 'label: gpt\n' + ''.join(
        f'start={start}, size={size}, type={kind}{more}\n' for _, start, size, kind, more in layout
    )
    subprocess.run(['sfdisk', '--quiet', disk], input=script, text=True, check=True)
    for name, start, *_ in layout:
        run('dd', f'if={tmp_path / name}', f'of={disk}', f'seek={start}', 'bs=512', 'conv=notrunc', 'status=none')
    verified = Verified(mkosi, tmp_path, 'disk.raw')
    assert len(verified.of('ok')) == 7, verified.checks
    assert f'{LOADER}: Not signed' in verified.of('absent')


def test_what_is_no_disk(mkosi, tmp_path):
    (tmp_path / 'text').write_text('text')
    assert Verified(mkosi, tmp_path, 'text', status=1).failed == ['file system: What it holds is nothing known']
    run('qemu-img', 'create', '-f', 'qcow2', tmp_path / 'image.qcow2', '1M')
    assert 'qemu-img convert' in Verified(mkosi, tmp_path, 'image.qcow2').of('absent')[0]
    for words, status, text in (
        (['missing'], 1, 'No such file'), (['/dev/null'], 1, 'is neither a file nor a directory'), ([], 2, 'takes the name of an image'),
        (['text', 'text'], 2, 'takes the name of an image'),
    ):  # fmt: skip
        result = subprocess.run(
            [mkosi, 'verify', *words], cwd=tmp_path, capture_output=True, text=True, check=False,
            env=projects.clean_environment(),
        )  # fmt: skip
        assert result.returncode == status and text in result.stderr, result.stderr


def make_disk_of_kernel(directory, kernel, path='EFI/Linux/others.efi'):
    """An EFI system partition with systemd-boot and a kernel, signed by sbsign."""
    key, esp, disk = (directory / name for name in ('key', 'esp', 'disk.raw'))
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=Others', '-days', '9',
        '-keyout', key, '-out', directory / 'certificate')  # fmt: skip
    run('sbsign', '--key', key, '--cert', directory / 'certificate', '--output', directory / 'signed.efi', kernel)
    run('mkfs.fat', '-C', esp, '8192')
    run('mmd', '-i', esp, '::/EFI', '::/EFI/BOOT', '::/EFI/Linux')
    run('mcopy', '-i', esp, LOADER_FILE, f'::/{LOADER}')
    run('mcopy', '-i', esp, directory / 'signed.efi', f'::/{path}')
    with open(disk, 'wb') as file:
        file.truncate(16 * 1024 * 1024)
    subprocess.run(['sfdisk', '--quiet', disk], input='label: gpt\nstart=2048, size=16384, type=U', text=True, check=True)
    run('dd', f'if={esp}', f'of={disk}', 'seek=2048', 'bs=512', 'conv=notrunc', 'status=none')
    return disk


def test_kernels_of_others(mkosi, tmp_path):
    """Signatures without a certificate, with the right one, and with another program behind them."""
    disk = make_disk_of_kernel(tmp_path, make_kernel(tmp_path, 'quiet splash'))
    said = "EFI/Linux/others.efi: Signed by 'CN=Others'; there is no certificate to check that by"
    verified = Verified(mkosi, tmp_path, 'disk.raw')
    assert said in verified.of('absent')
    assert 'EFI/Linux/others.efi: A unified kernel, with the command line: quiet splash' in verified.of('ok')

    words = ['--secure-boot-certificate=certificate', 'disk.raw']
    verified = Verified(mkosi, tmp_path, *words, status=1)
    assert verified.failed == [f'{LOADER}: Its signature: not signed']
    assert "EFI/Linux/others.efi: Signed by 'CN=Others'" in verified.of('ok')

    flip(disk, disk.read_bytes().index(b'quiet splash'))
    said = "EFI/Linux/others.efi: Changed since it was signed by 'CN=Others'"
    assert Verified(mkosi, tmp_path, 'disk.raw', status=1).failed == [said]


@pytest.mark.parametrize('kind', ['U', 'BC13C2FF-59E6-4262-A352-B275FD6F7172'])
def test_every_partition_to_boot_from_counts(mkosi, tmp_path, kind):
    """A second one, be it for firmware or for the boot loader, has another kernel than was signed."""
    disk = make_disk_of_kernel(tmp_path, make_kernel(tmp_path, 'quiet splash'))
    with open(disk, 'r+b') as file:
        file.truncate(32 * 1024 * 1024)
    script = f'label: gpt\nstart=2048, size=16384, type=U\nstart=20480, size=16384, type={kind}\n'
    subprocess.run(['sfdisk', '--quiet', disk], input=script, text=True, check=True)
    run('dd', f'if={tmp_path / "esp"}', f'of={disk}', 'seek=20480', 'bs=512', 'conv=notrunc', 'status=none')
    words = ['--secure-boot-certificate=certificate', 'disk.raw']
    unsigned = f'{LOADER}: Its signature: not signed'
    assert Verified(mkosi, tmp_path, *words, status=1).failed == [unsigned] * 2
    flip(disk, disk.read_bytes().rindex(b'quiet splash'))
    changed = 'EFI/Linux/others.efi: Its signature: changed since it was signed'
    assert Verified(mkosi, tmp_path, *words, status=1).failed == [unsigned, unsigned, changed]


def test_what_only_others_boot_from(mkosi, tmp_path):
    """Boot loaders may read what firmware does not; programs there are not looked into, and that may not pass."""
    disk = tmp_path / 'disk.raw'
    run('mke2fs', '-q', '-t', 'ext4', tmp_path / 'boot', '8M')
    with open(disk, 'wb') as file:
        file.truncate(16 * 1024 * 1024)
    script = 'label: gpt\nstart=2048, size=16384, type=BC13C2FF-59E6-4262-A352-B275FD6F7172\n'
    subprocess.run(['sfdisk', '--quiet', disk], input=script, text=True, check=True)
    run('dd', f'if={tmp_path / "boot"}', f'of={disk}', 'seek=2048', 'bs=512', 'conv=notrunc', 'status=none')
    said = 'extended boot partition: It holds no FAT, and its programs are not looked into'
    verified = Verified(mkosi, tmp_path, 'disk.raw')
    assert 'xbootldr partition: ext4, in 8388608 bytes' in verified.of('ok') and said in verified.of('absent')
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=Others', '-days', '9',
        '-keyout', tmp_path / 'key', '-out', tmp_path / 'certificate')  # fmt: skip
    failed = Verified(mkosi, tmp_path, '--secure-boot-certificate=certificate', 'disk.raw', status=1).failed
    assert failed == [said, 'EFI system partition: There is none']


def test_command_lines_are_tame(mkosi, tmp_path):
    """What an image has does not reach the terminal as it is."""
    make_disk_of_kernel(tmp_path, make_kernel(tmp_path, 'quiet \033[31m splash\n'))
    said = 'EFI/Linux/others.efi: A unified kernel, with the command line: quiet ?[31m splash'
    assert said in Verified(mkosi, tmp_path, 'disk.raw').of('ok')


@pytest.mark.parametrize('line', ['{one} {other}', 'usr{one} x{one} {other}', '{one}\t{other}'])
def test_every_root_hash_counts(mkosi, tmp_path, line):
    """Who reads a command line takes the first or the last of several, or passes words by that look like one."""
    words = {'one': f'roothash={"1" * 64}', 'other': f'roothash={"2" * 64}'}
    make_disk_of_kernel(tmp_path, make_kernel(tmp_path, line.format(**words)))
    [failed] = Verified(mkosi, tmp_path, 'disk.raw', status=1).failed
    assert failed == 'dm-verity: EFI/Linux/others.efi names a root hash, but there is no partition with a hash tree'


def test_bad_root_hash(mkosi, tmp_path):
    make_disk_of_kernel(tmp_path, make_kernel(tmp_path, 'quiet roothash=123'))
    failed = Verified(mkosi, tmp_path, 'disk.raw', status=1).failed
    assert failed == ['EFI/Linux/others.efi: What its command line has as a root hash is none']


def test_kernel_without_sections(mkosi, tmp_path):
    make_disk_of_kernel(tmp_path, LOADER_FILE)
    failed = Verified(mkosi, tmp_path, 'disk.raw', status=1).failed
    assert failed == ['EFI/Linux/others.efi: It has no section .linux']
