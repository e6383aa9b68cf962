# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb verify: it is content with what is right, whoever made it, and finds whatever one breaks, and nothing else."""

import json
import os
import shutil
import subprocess
import uuid
from pathlib import Path

import project as projects
import pytest
from small import SECTOR_SIZE, Small, partitions, run

SETTINGS = """\
[Output]
Bootable=yes
Format=gpt_squashfs
Verity=yes
SecureBoot=yes
KernelCommandLine=test.word=1

[Partitions]
ESPSize=64M
SwapSize=1M
HomeSize=2M

[Validation]
CheckSum=yes
"""
CERTIFICATES = ('mkosi.secure-boot.crt', 'mkosi.verity.crt')
LOADER = 'EFI/BOOT/BOOTX64.EFI'
STUB_FILE = Path('/usr/lib/systemd/boot/efi/linuxx64.efi.stub')
LOADER_FILE = Path('/usr/lib/systemd/boot/efi/systemd-bootx64.efi')


@pytest.fixture(scope='module')
def small(mkosi, small_bootable_distribution, image_directory):
    return Small(image_directory / 'small-verify', mkosi, small_bootable_distribution, {'mkosi.extra/etc/marker': 'x\n'})


@pytest.fixture(scope='module')
def release(small):
    """A directory as it is published: an image with everything, and the certificates to check it by."""
    project = small.project('release', SETTINGS)
    project.run('genkey')
    project.run('genkey', 'verity')
    small.build(project)
    return project


class Verified:
    """What verify says of an image, by object."""

    def __init__(self, mkosi, directory, *words, status=0):
        result = subprocess.run(
            [mkosi, 'verify', '--json', *words], cwd=directory, capture_output=True, text=True, check=False,
            env=projects.clean_environment(),
        )  # fmt: skip
        assert result.returncode == status, result.stdout + result.stderr
        self.said = json.loads(result.stdout)
        self.checks = self.said['checks']
        assert self.said['good'] == (status == 0) == (not self.failed)

    def of(self, verdict):
        return [f'{check["object"]}: {check["detail"]}' for check in self.checks if check['verdict'] == verdict]

    @property
    def failed(self):
        return self.of('failed')


def test_everything_is_right(mkosi, release):
    verified = Verified(mkosi, release.directory, 'image.raw')
    objects = [check['object'] for check in verified.checks]
    assert verified.of('absent') == ['signature of the check sums: There is no SHA256SUMS.gpg']
    for name in ('partition table', 'esp partition', 'swap partition', 'home partition', 'root partition',
                 'root-verity partition', 'EFI system partition', LOADER, 'dm-verity', 'root hash signature',
                 'check sums'):  # fmt: skip
        assert name in objects
    text = '\n'.join(verified.of('ok'))
    root_hash = (release.directory / 'image.roothash').read_text(encoding='utf-8').strip()
    assert f'with the command line: test.word=1 roothash={root_hash}' in text
    assert f"{LOADER}: Signed by 'CN=Secure Boot key made by mkosi'" in text
    assert "root hash signature: Signed by 'CN=dm-verity key made by mkosi'" in text
    assert 'check sums: All 2 files are what SHA256SUMS says' in text


def test_lines_for_people(release):
    said = release.run('verify', 'image.raw').stdout.splitlines()
    assert said[0].startswith('ok      partition table ')
    assert 'absent  signature of the check sums' in said[-1]


def test_nobody_has_to_be_root(mkosi, release, tmp_path):
    """Nor has there to be a project."""
    os.chmod(tmp_path, 0o755)
    # Where the program lies others may not go.
    for path in (mkosi, release.directory / 'image.raw'):
        shutil.copy(path, tmp_path)
    run('chown', 'nobody', tmp_path / 'image.raw')
    result = subprocess.run(
        ['setpriv', '--reuid=nobody', '--regid=nogroup', '--clear-groups', './mkosi', 'verify', 'image.raw'],
        cwd=tmp_path, capture_output=True, text=True, check=False, env=projects.clean_environment(),
    )  # fmt: skip
    assert result.returncode == 0, result.stdout + result.stderr
    assert "Signed by 'CN=Secure Boot key made by mkosi'; there is no certificate" in result.stdout


def flip(image, position):
    with open(image, 'r+b') as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))


class Copy:
    """A release that may be broken."""

    def __init__(self, release, directory, names=('image.raw', 'image.roothash', 'SHA256SUMS', *CERTIFICATES)):
        self.directory = directory
        for name in names:
            run('cp', '--sparse=always', release.directory / name, directory / name)
        self.image = directory / 'image.raw'
        self.size = self.image.stat().st_size
        self.partitions = {entry['name']: entry for entry in partitions(self.image)}

    def place(self, name):
        entry = self.partitions[name]
        return entry['start'] * SECTOR_SIZE, entry['size'] * SECTOR_SIZE

    def flip(self, position):
        flip(self.image, position)

    def find(self, text, start=0):
        data = self.image.read_bytes()
        position = data.index(text, start)
        return position


def gpt_header(copy):
    copy.flip(SECTOR_SIZE + 60)


def gpt_backup(copy):
    copy.flip(copy.size - SECTOR_SIZE + 60)


def gpt_entries(copy):
    copy.flip(2 * SECTOR_SIZE + 100)


def protective_mbr(copy):
    copy.flip(446 + 12)


def cut_off(copy):
    os.truncate(copy.image, copy.size - 1024 * 1024)


def data_block(copy):
    start, size = copy.place('Root Partition')
    copy.flip(start + size - 4096)


def superblock_size(copy):
    """The squashfs says that it is longer than its partition."""
    start, _ = copy.place('Root Partition')
    with open(copy.image, 'r+b') as file:
        file.seek(start + 40)
        file.write((1 << 40).to_bytes(8, 'little'))


def hash_block(copy):
    start, size = copy.place('Verity Partition')
    copy.flip(start + size - 4096)


def tree_superblock(copy):
    start, _ = copy.place('Verity Partition')
    copy.flip(start)


def signature(copy):
    start, _ = copy.place('Verity Signature Partition')
    copy.flip(copy.find(b'"signature"', start) + 60)


def root_hash_file(copy):
    (copy.directory / 'image.roothash').write_text('0' * 64 + '\n')


def root_hash_nonsense(copy):
    (copy.directory / 'image.roothash').write_text('none\n')


def command_line(copy):
    copy.flip(copy.find(b'test.word=1') + 10)


def loader(copy):
    """A byte of the code that was signed."""
    start, _ = copy.place('ESP System Partition')
    code = LOADER_FILE.read_bytes()[8192:8256]
    copy.flip(copy.find(code, start) + 5)


def fat_chain(copy):
    """The first table is changed, its copy is not."""
    start, _ = copy.place('ESP System Partition')
    copy.flip(start + 512 * int.from_bytes(copy.image.read_bytes()[start + 14:start + 16], 'little') + 40)


def fat_boot_sector(copy):
    start, _ = copy.place('ESP System Partition')
    copy.flip(start + 510)


def home(copy):
    start, _ = copy.place('Home Partition')
    copy.flip(start + 1024 + 56)


def sums_digit(copy):
    path = copy.directory / 'SHA256SUMS'
    text = path.read_text()
    path.write_text(('0' if text[0] != '0' else '1') + text[1:])


def sums_missing_file(copy):
    (copy.directory / 'SHA256SUMS').write_text((copy.directory / 'SHA256SUMS').read_text() + '0' * 64 + ' *other\n')


def sums_nonsense(copy):
    (copy.directory / 'SHA256SUMS').write_text('nonsense\n')


def foreign_certificate(copy):
    name = copy.directory / 'mkosi.secure-boot.crt'
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', copy.directory / 'key', '-out', name,
        '-subj', '/CN=Somebody else')  # fmt: skip


def foreign_verity_certificate(copy):
    name = copy.directory / 'mkosi.verity.crt'
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', copy.directory / 'key', '-out', name,
        '-subj', '/CN=Somebody else')  # fmt: skip


def swapped_types(copy):
    """What is called a home is swap."""
    numbers = {entry['name']: index + 1 for index, entry in enumerate(partitions(copy.image))}
    run('sfdisk', '--part-type', copy.image, str(numbers['Home Partition']), 'S')


def other_root_uuid(copy):
    numbers = {entry['name']: index + 1 for index, entry in enumerate(partitions(copy.image))}
    run('sfdisk', '--part-uuid', copy.image, str(numbers['Root Partition']), str(uuid.UUID(int=1)))


# What is broken; the beginnings of what is said of it, of everything but the check sums, which always notice.
BREAKAGES = [
    (gpt_header, ['partition table: The primary header does not have the check sum it says']),
    (gpt_backup, ['partition table: The backup header does not have the check sum it says']),
    (gpt_entries, ['partition table: The primary entries do not have the check sum']),
    (protective_mbr, ['partition table: The MBR does not protect the whole disk']),
    (cut_off, ['partition table: ']),
    (data_block, ['dm-verity: The root partition is not what the root hash says: data block ']),
    (superblock_size, ['root partition: The squashfs has 1099511627776 bytes', 'dm-verity: ']),
    (hash_block, ['dm-verity: The root partition is not what the root hash says: block ']),
    (tree_superblock, ['root-verity partition: What it holds is nothing known', 'dm-verity: ']),
    (signature, ['root hash signature: ']),
    (root_hash_file, ['dm-verity: The root hash in EFI/Linux/', 'root hash signature: It is of another root hash']),
    (root_hash_nonsense, ['image.roothash: It holds no root hash']),
    (command_line, ['EFI/Linux/', ]),
    (loader, [f'{LOADER}: Its signature: changed since it was signed']),
    (fat_chain, ['EFI system partition: The file allocation table and its copy differ']),
    (fat_boot_sector, ['EFI system partition: The boot sector has no signature']),
    (home, ['home partition: What it holds is nothing known']),
    (sums_digit, []),
    (sums_missing_file, []),
    (sums_nonsense, []),
    (foreign_certificate, ['EFI/'] * 3),
    (foreign_verity_certificate, ['root hash signature: ']),
    (swapped_types, ['swap partition: It holds ext4, which is not what it is for']),
    (other_root_uuid, ['dm-verity: The root hash in the UUIDs of the partitions is not that in image.roothash']),
]  # fmt: skip
SUMS_UNTOUCHED = (foreign_certificate, foreign_verity_certificate)


@pytest.mark.parametrize(('breaks', 'expected'), BREAKAGES, ids=lambda value: getattr(value, '__name__', ''))
def test_what_is_broken_is_found(mkosi, release, tmp_path, breaks, expected):
    copy = Copy(release, tmp_path)
    breaks(copy)
    failed = Verified(mkosi, tmp_path, 'image.raw', status=1).failed
    sums = [text for text in failed if text.startswith('check sums: ')]
    assert bool(sums) == (breaks not in SUMS_UNTOUCHED)
    rest = [text for text in failed if text not in sums]
    assert len(rest) == len(expected), failed
    for text, beginning in zip(rest, expected):
        assert text.startswith(beginning), failed


@pytest.mark.parametrize(('suffix', 'command'), [('xz', 'xz -1'), ('zst', 'zstd -q'), ('gz', 'gzip -1')])
def test_compressed(mkosi, release, tmp_path, suffix, command):
    copy = Copy(release, tmp_path)
    (tmp_path / 'SHA256SUMS').unlink()
    name = f'image.raw.{suffix}'
    subprocess.run(f'{command} <image.raw >{name}; rm image.raw', shell=True, cwd=tmp_path, check=True)
    verified = Verified(mkosi, tmp_path, name)
    assert any(text.startswith('dm-verity: All of the root partition') for text in verified.of('ok'))
    assert os.listdir(tmp_path).count(name) == 1 and not copy.image.exists()

    os.truncate(tmp_path / name, (tmp_path / name).stat().st_size // 2)
    assert Verified(mkosi, tmp_path, name, status=1).failed[0].startswith('compression: The compressed data is damaged')


def test_signed_check_sums(mkosi, release, tmp_path):
    Copy(release, tmp_path)
    home = tmp_path / 'gnupg'
    home.mkdir(mode=0o700)
    gpg = ['gpg', '--batch', '--quiet', '--homedir', home]
    run(*gpg, '--passphrase', '', '--quick-gen-key', 'Release <release@example.org>')
    run(*gpg, '--detach-sign', '--output', tmp_path / 'SHA256SUMS.gpg', tmp_path / 'SHA256SUMS')

    def verify(status=0, **environment):
        result = subprocess.run(
            [mkosi, 'verify', '--json', 'image.raw'], cwd=tmp_path, capture_output=True, text=True, check=False,
            env=projects.clean_environment(**environment),
        )  # fmt: skip
        assert result.returncode == status, result.stdout + result.stderr
        [check] = [c for c in json.loads(result.stdout)['checks'] if c['object'] == 'signature of the check sums']
        return check['verdict'], check['detail']

    verdict, detail = verify(GNUPGHOME=str(home))
    assert verdict == 'ok' and 'Release <release@example.org>' in detail
    # The same key, in the keyring of somebody who has not said that it is to be trusted.
    public, other = run(*gpg, '--armor', '--export'), tmp_path / 'other'
    other.mkdir(mode=0o700)
    subprocess.run(['gpg', '--batch', '--quiet', '--homedir', other, '--import'], input=public, text=True, check=True)
    verdict, detail = verify(GNUPGHOME=str(other))
    assert verdict == 'absent' and detail.endswith('whose key is not trusted: gpg --edit-key changes that')
    empty = tmp_path / 'nobody'
    empty.mkdir(mode=0o700)
    verdict, detail = verify(GNUPGHOME=str(empty))
    assert verdict == 'absent' and 'does not have' in detail
    sums_digit_kept = (tmp_path / 'SHA256SUMS').read_text()
    (tmp_path / 'SHA256SUMS').write_text(sums_digit_kept.upper())
    verdict, detail = verify(1, GNUPGHOME=str(home))
    assert verdict == 'failed' and 'was changed since' in detail


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


@pytest.fixture(scope='module')
def squashfs(small):
    project = small.project('squashfs', '[Output]\nFormat=plain_squashfs\n')
    small.build(project)
    yield project
    projects.remove_tree(project.directory)


def test_a_file_system_alone(mkosi, squashfs):
    verified = Verified(mkosi, squashfs.directory, 'image')
    [said] = verified.of('ok')
    assert said.startswith('file system: squashfs, zstd in blocks of '), verified.checks


def superblock_number(offset, size, number):
    def write(image):
        with open(image, 'r+b') as file:
            file.seek(offset)
            file.write(number.to_bytes(size, 'little'))

    return write


def cut_half(image):
    os.truncate(image, image.stat().st_size // 2)


@pytest.mark.parametrize(('breaks', 'expected'), [
    (superblock_number(0, 1, 0), 'What it holds is nothing known'),
    (superblock_number(12, 4, 1000), 'The superblock of the squashfs tells of blocks of an impossible size'),
    (superblock_number(20, 2, 9), 'The superblock of the squashfs tells of a compression that is not known'),
    (superblock_number(30, 2, 1), 'The superblock of the squashfs is of another version than 4.0'),
    (superblock_number(40, 8, 1 << 40), 'The squashfs has 1099511627776 bytes, and there is room for no more than '),
    (superblock_number(64, 8, 1 << 40), 'The superblock of the squashfs has its tables in disorder, or outside'),
    (cut_half, 'The squashfs has '),
])  # fmt: skip
def test_a_broken_file_system(mkosi, squashfs, tmp_path, breaks, expected):
    shutil.copy(squashfs.directory / 'image', tmp_path)
    breaks(tmp_path / 'image')
    [failed] = Verified(mkosi, tmp_path, 'image', status=1).failed
    assert failed.startswith(f'file system: {expected}')


def test_what_is_not_looked_into(mkosi, small):
    """Check sums are all that there is of archives, and nothing of directories: that is said, and is no failure."""
    project = small.project('archive', '[Output]\nFormat=tar\n[Validation]\nCheckSum=yes\n')
    small.build(project)
    [archive] = project.directory.glob('image.tar*')
    verified = Verified(mkosi, project.directory, archive.name)
    assert 'image: A tar archive, whose files are not looked into' in verified.of('absent')
    assert verified.of('ok') == ['check sums: All 1 files are what SHA256SUMS says']
    projects.remove_tree(project.directory)

    project = small.project('directory', '[Output]\nFormat=directory\n')
    small.build(project)
    for name in ('image', 'image/', '.'):
        verified = Verified(mkosi, project.directory, name)
        assert verified.of('absent')[0] == 'image: A directory, whose files are not looked into'
    projects.remove_tree(project.directory)


@pytest.fixture(scope='module')
def encrypted(small):
    project = small.project('encrypted', '[Output]\nEncrypt=all\n')
    project.write('mkosi.passphrase', 'open sesame\n', mode=0o600)
    small.build(project)
    yield project
    projects.remove_tree(project.directory)


def test_an_encrypted_root_is_read(mkosi, encrypted):
    verified = Verified(mkosi, encrypted.directory, 'image.raw')
    assert 'root partition: LUKS2, aes-xts-plain64, 1 key slot, argon2id 64 MiB' in verified.of('ok')


SECONDARY = 16 * 1024


@pytest.mark.parametrize(('position', 'expected'), [
    (0, 'The primary header is not there'),
    (30, 'The primary header does not have the check sum it says'),
    (4096 + 20, 'The primary header does not have the check sum it says'),
    (SECONDARY, 'The secondary header is not there'),
    (SECONDARY + 448, 'The secondary header does not have the check sum it says'),
    (SECONDARY + 4096 + 20, 'The secondary header does not have the check sum it says'),
])  # fmt: skip
def test_broken_headers_of_luks(mkosi, encrypted, tmp_path, position, expected):
    copy = Copy(encrypted, tmp_path, ['image.raw'])
    start, _ = copy.place('Root Partition')
    copy.flip(start + position)
    assert Verified(mkosi, tmp_path, 'image.raw', status=1).failed == [f'root partition: {expected}']


def test_luks_in_too_small_a_partition(mkosi, encrypted, tmp_path):
    """The table cuts off all data behind the header."""
    copy = Copy(encrypted, tmp_path, ['image.raw'])
    numbers = {entry['name']: index + 1 for index, entry in enumerate(partitions(copy.image))}
    subprocess.run(
        ['sfdisk', '--quiet', '--no-reread', '-N', str(numbers['Root Partition']), copy.image], input=',32768\n', text=True,
        check=True,
    )  # fmt: skip
    failed = Verified(mkosi, tmp_path, 'image.raw', status=1).failed
    assert failed == ['root partition: Data does not fit into the volume: it is cut off']


def make_kernel(directory, command_line):
    """A unified kernel by objcopy, of sections that hold no more than their names."""
    words, address = [], 0x4000000
    for name in ('osrel', 'uname', 'cmdline', 'initrd', 'linux'):
        (directory / name).write_text(command_line if name == 'cmdline' else name)
        words += [f'--add-section=.{name}={directory / name}', f'--change-section-vma=.{name}={address:#x}']
        address += 0x100000
    run('objcopy', *words, STUB_FILE, directory / 'kernel.efi')
    return directory / 'kernel.efi'


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


@pytest.mark.parametrize('line', ['{one} {other}', 'usr{one} x{one} {other}', '{one}\t{other}'])
def test_every_root_hash_counts(mkosi, tmp_path, line):
    """Who reads a command line takes the first or the last of several, or passes words by that look like one."""
    words = {'one': f'roothash={"1" * 64}', 'other': f'roothash={"2" * 64}'}
    make_disk_of_kernel(tmp_path, make_kernel(tmp_path, line.format(**words)))
    [failed] = Verified(mkosi, tmp_path, 'disk.raw', status=1).failed
    assert failed == 'dm-verity: EFI/Linux/others.efi has a root hash, but there is no partition with a hash tree'


def test_bad_root_hash(mkosi, tmp_path):
    make_disk_of_kernel(tmp_path, make_kernel(tmp_path, 'quiet roothash=123'))
    failed = Verified(mkosi, tmp_path, 'disk.raw', status=1).failed
    assert failed == ['EFI/Linux/others.efi: What its command line has as a root hash is none']


def test_kernel_without_sections(mkosi, tmp_path):
    make_disk_of_kernel(tmp_path, LOADER_FILE)
    failed = Verified(mkosi, tmp_path, 'disk.raw', status=1).failed
    assert failed == ['EFI/Linux/others.efi: It has no section .linux']
