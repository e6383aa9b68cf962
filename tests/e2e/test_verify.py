# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb verify: it is content with what is right, whoever made it, and finds whatever one breaks, and nothing else."""

import json
import os
import shutil
import subprocess
import uuid

import project as projects
import pytest
from small import SECTOR_SIZE, Small, partitions, run
from verified import LOADER, LOADER_FILE, Copy, Verified

SETTINGS = """\
[Output]
Bootable=yes
Format=gpt_squashfs
Manifest=yes
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


def test_everything_is_right(mkosi, release):
    verified = Verified(mkosi, release.directory, 'image.raw')
    objects = [check['object'] for check in verified.checks]
    assert verified.of('absent') == ['signature of the check sums: There is no SHA256SUMS.gpg']
    for name in ('partition table', 'esp partition', 'swap partition', 'home partition', 'root partition',
                 'root-verity partition', 'EFI system partition', LOADER, 'dm-verity', 'root hash signature',
                 'manifest', 'check sums'):  # fmt: skip
        assert name in objects
    text = '\n'.join(verified.of('ok'))
    root_hash = (release.directory / 'image.roothash').read_text(encoding='utf-8').strip()
    assert f'with the command line: test.word=1 roothash={root_hash}' in text
    assert f"{LOADER}: Signed by 'CN=Secure Boot key made by mkosi'" in text
    assert "root hash signature: Signed by 'CN=dm-verity key made by mkosi'" in text
    assert 'check sums: All 3 files are what SHA256SUMS says' in text
    assert 'manifest: The partition table and 2 files are what image.manifest says' in text


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


def test_a_root_hash_from_elsewhere(mkosi, release, tmp_path):
    """Whoever replaces an image may replace all that lies beside it."""
    root_hash = (release.directory / 'image.roothash').read_text(encoding='utf-8').strip()
    verified = Verified(mkosi, release.directory, f'--root-hash={root_hash.upper()}', 'image.raw')
    assert f'dm-verity: All of the root partition is what the root hash says: {root_hash}' in verified.of('ok')
    other = root_hash.replace(root_hash[0], 'f' if root_hash[0] != 'f' else '0', 1)
    failed = Verified(mkosi, release.directory, f'--root-hash={other}', 'image.raw', status=1).failed
    assert failed == [
        'dm-verity: The root hash in image.roothash is not that in --root-hash',
        'root hash signature: It is of another root hash',
    ]
    for text in ('', root_hash[1:], root_hash + '0'):
        said = release.run('verify', f'--root-hash={text}', 'image.raw', status=1).stderr
        assert 'is no root hash, which has 64 hexadecimal digits' in said


def test_a_certificate_that_is_not_there(release):
    """It was asked for, so that nothing may pass for lack of it."""
    for option in ('secure-boot-certificate', 'verity-certificate'):
        said = release.run('verify', f'--{option}=missing.crt', 'image.raw', status=1).stderr
        assert 'missing.crt' in said and 'No such file' in said


def test_signatures_that_are_relied_on(mkosi, release, small):
    """Who names a certificate is not content with an image that has no signature."""
    project = small.project('unsigned', '[Output]\nFormat=gpt_squashfs\n')
    small.build(project)
    words = [f'--{kind}-certificate={release.directory}/mkosi.{kind}.crt' for kind in ('secure-boot', 'verity')]
    assert Verified(mkosi, project.directory, *words, 'image.raw', status=1).failed == [
        'EFI system partition: There is none',
        'root hash signature: There is none',
    ]
    # One that lies there by chance is used where there is something to use it for.
    shutil.copy(release.directory / 'mkosi.verity.crt', project.directory)
    assert 'root hash signature: There is none' in Verified(mkosi, project.directory, 'image.raw').of('absent')


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


def fat_info(copy):
    start, _ = copy.place('ESP System Partition')
    copy.flip(start + SECTOR_SIZE + 488)


def fat_label(copy):
    """In the boot sector and its copy."""
    start, _ = copy.place('ESP System Partition')
    for sector in (0, 6):
        copy.flip(start + sector * SECTOR_SIZE + 71)


def fat_cycle(copy):
    """The root directory is behind itself, in both tables."""
    start, _ = copy.place('ESP System Partition')
    with open(copy.image, 'r+b') as file:
        file.seek(start)
        boot = file.read(SECTOR_SIZE)
        first, length = int.from_bytes(boot[14:16], 'little'), int.from_bytes(boot[36:40], 'little')
        for table in range(2):
            file.seek(start + (first + table * length) * SECTOR_SIZE + 4 * 2)
            file.write((2).to_bytes(4, 'little'))


def loader_entry(copy):
    start, _ = copy.place('ESP System Partition')
    return copy.find(b'BOOTX64 EFI', start)


def fat_size(copy):
    """The file seems to be longer than its clusters."""
    copy.flip(loader_entry(copy) + 31)


def fat_name(copy):
    with open(copy.image, 'r+b') as file:
        file.seek(loader_entry(copy))
        file.write(b'*')


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


def change_manifest(copy, change):
    path = copy.directory / 'image.manifest'
    manifest = json.loads(path.read_text(encoding='utf-8'))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding='utf-8')


def manifest_of_another(copy):
    change_manifest(copy, lambda manifest: manifest['disk'].update(uuid=str(uuid.UUID(int=1))))


def manifest_partition(copy):
    change_manifest(copy, lambda manifest: manifest['disk']['partitions'][0].update(offset=4096))


def manifest_label(copy):
    change_manifest(copy, lambda manifest: manifest['disk']['partitions'][1].update(name='Other'))


def manifest_root_hash(copy):
    change_manifest(copy, lambda manifest: manifest.update(root_hash='1' * 64))


def manifest_hash(copy):
    change_manifest(copy, lambda manifest: manifest['artefacts'][0].update(sha256='1' * 64))


def manifest_nonsense(copy):
    (copy.directory / 'image.manifest').write_text('[]')


# What is broken; the beginnings of what is said of it, of everything but the check sums and the manifest, which always
# notice, and of which the first case has what is said.
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
    (root_hash_file, ['dm-verity: The root hash in image.manifest is not that in image.roothash', 'root hash signature: It is of another root hash']),
    (root_hash_nonsense, ['image.roothash: It holds no root hash']),
    (command_line, ['EFI/Linux/', ]),
    (loader, [f'{LOADER}: Its signature: changed since it was signed']),
    (fat_chain, ['EFI system partition: The file allocation table and its copy differ']),
    (fat_info, ['EFI system partition: The sector FSInfo counts ']),
    (fat_label, ['EFI system partition: The boot sector has another label than the root directory']),
    (fat_cycle, ['EFI system partition: The chain of the root directory meets another, or itself, in cluster 2']),
    (fat_size, [f'EFI system partition: The chain of {LOADER} is shorter than the size of the file wants']),
    (fat_name, ['EFI system partition: In EFI/BOOT there is a name that no file may have']),
    (fat_boot_sector, ['EFI system partition: The boot sector has no signature']),
    (home, ['home partition: What it holds is nothing known']),
    (sums_digit, []),
    (sums_missing_file, []),
    (sums_nonsense, []),
    (foreign_certificate, ['EFI/'] * 3),
    (foreign_verity_certificate, ['root hash signature: ']),
    (swapped_types, ['swap partition: It holds ext4, which is not what it is for']),
    (manifest_of_another, []),
    (manifest_partition, []),
    (manifest_label, []),
    (manifest_root_hash, ['dm-verity: The root hash in image.manifest is not that in image.roothash']),
    (manifest_hash, []),
    (manifest_nonsense, []),
    (other_root_uuid, ['dm-verity: The root hash in the UUIDs of the partitions is not that in image.roothash']),
]  # fmt: skip
SUMS_UNTOUCHED = (foreign_certificate, foreign_verity_certificate)
# What the manifest does not say anything about, and what is said of it where that is not that the image's bytes are others.
MANIFEST_UNTOUCHED = (*SUMS_UNTOUCHED, sums_digit, sums_missing_file, sums_nonsense, manifest_root_hash)
MANIFEST_SAID = {
    cut_off: 'The size of image.raw is ',
    root_hash_file: 'image.roothash has another SHA-256',
    root_hash_nonsense: 'The size of image.roothash is 5, and not 65',
    swapped_types: "The partition 'Home Partition' has another type",
    other_root_uuid: "The partition 'Root Partition' has another UUID",
    manifest_of_another: 'It is of another image',
    manifest_partition: 'The first byte of ESP System Partition is ',
    manifest_label: "' should be called 'Other'",
    manifest_nonsense: 'Cannot read image.manifest: It is no JSON object',
}


@pytest.mark.parametrize(('breaks', 'expected'), BREAKAGES, ids=lambda value: getattr(value, '__name__', ''))
def test_what_is_broken_is_found(mkosi, release, tmp_path, breaks, expected):
    copy = Copy(release, tmp_path)
    breaks(copy)
    failed = Verified(mkosi, tmp_path, 'image.raw', status=1).failed
    sums = [text for text in failed if text.startswith('check sums: ')]
    assert bool(sums) == (breaks not in SUMS_UNTOUCHED)
    of_manifest = [text for text in failed if text.startswith('manifest: ')]
    assert bool(of_manifest) == (breaks not in MANIFEST_UNTOUCHED)
    if of_manifest:
        [text] = of_manifest
        assert MANIFEST_SAID.get(breaks, 'image.raw has another SHA-256') in text
    rest = [text for text in failed if text not in sums + of_manifest]
    assert len(rest) == len(expected), failed
    for text, beginning in zip(rest, expected):
        assert text.startswith(beginning), failed


@pytest.mark.parametrize(('suffix', 'command'), [('xz', 'xz -1'), ('zst', 'zstd -q'), ('gz', 'gzip -1')])
def test_compressed(mkosi, release, tmp_path, suffix, command):
    copy = Copy(release, tmp_path)
    (tmp_path / 'SHA256SUMS').unlink()
    (tmp_path / 'image.manifest').unlink()
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
    lines = [line.split(' ', 1) for line in (tmp_path / 'SHA256SUMS').read_text().splitlines()]
    (tmp_path / 'SHA256SUMS').write_text(''.join(f'{digits.upper()} {name}\n' for digits, name in lines))
    verdict, detail = verify(1, GNUPGHOME=str(home))
    assert verdict == 'failed' and 'was changed since' in detail
