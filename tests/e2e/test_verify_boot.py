# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verb verify, and what decides how a system of others starts: kernels, what is added to them, entries of the boot
loader, and who signed which of them."""

import shutil
import subprocess
import uuid

import pytest
from small import SECTOR_SIZE, run
from verified import KERNEL_SECTIONS, LOADER, LOADER_FILE, Verified, make_kernel

KERNEL = 'EFI/Linux/others.efi'
LOCAL_ADDON = f'{KERNEL}.extra.d/one.addon.efi'
GLOBAL_ADDON = 'loader/addons/two.addon.efi'
ENTRY = 'loader/entries/others.conf'
SECTORS_OF_ESP = 32768


@pytest.fixture(scope='module')
def keys(tmp_path_factory):
    directory = tmp_path_factory.mktemp('keys')
    for name in ('mkosi.secure-boot', 'foreign'):
        run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', f'/CN={name}', '-days', '9',
            '-keyout', directory / f'{name}.key', '-out', directory / f'{name}.crt')  # fmt: skip
    return directory


def sign(keys, program, name='mkosi.secure-boot'):
    run('sbsign', '--key', keys / f'{name}.key', '--cert', keys / f'{name}.crt', '--output', program, program)
    return program


@pytest.fixture(scope='module')
def verified_root(tmp_path_factory):
    """A root file system, its hash tree, and its root hash."""
    directory = tmp_path_factory.mktemp('root')
    run('mke2fs', '-q', '-t', 'ext4', directory / 'root', '4M')
    text = run('veritysetup', 'format', directory / 'root', directory / 'tree')
    return directory, text.rpartition('Root hash:')[2].split()[0]


def make_disk(directory, files, root=None):
    """A disk with an EFI system partition with these files, and perhaps a root file system with a hash tree."""
    esp, disk = directory / 'esp', directory / 'disk.raw'
    for path in (esp, disk):
        path.unlink(missing_ok=True)
    run('mkfs.fat', '-C', esp, SECTORS_OF_ESP // 2)
    for path, file in files.items():
        parents = path.split('/')[:-1]
        for i in range(len(parents)):
            subprocess.run(['mmd', '-D', 's', '-i', esp, '::/' + '/'.join(parents[: i + 1])], capture_output=True, check=False)
        run('mcopy', '-i', esp, file, f'::/{path}')
    layout = [(esp, 2048, SECTORS_OF_ESP, 'U', '')]
    if root:
        tree, root_hash = root
        size = -(-(tree / 'tree').stat().st_size // SECTOR_SIZE)
        layout += [
            (tree / 'root', 40960, 8192, '4F68BCE3-E8CD-4DB1-96E7-FBCAF984B709', f', uuid={uuid.UUID(root_hash[:32])}'),
            (tree / 'tree', 51200, size, '2C7357ED-EBD2-46D9-AEC1-23D437EC2BF5', f', uuid={uuid.UUID(root_hash[32:])}'),
        ]
    with open(disk, 'wb') as file:
        file.truncate(32 * 1024 * 1024)
    script = 'label: gpt\n' + ''.join(f'start={start}, size={size}, type={kind}{more}\n' for _, start, size, kind, more in layout)
    subprocess.run(['sfdisk', '--quiet', disk], input=script, text=True, check=True)
    for path, start, *_ in layout:
        run('dd', f'if={path}', f'of={disk}', f'seek={start}', 'bs=512', 'conv=notrunc,sparse', 'status=none')


def loader(directory):
    return shutil.copyfile(LOADER_FILE, directory / 'loader.efi')


@pytest.mark.parametrize(
    ('line', 'failed'),
    [
        ('quiet roothash={hash}', None),
        ('"roothash={hash}" root=/dev/mapper/root systemd.verity=yes', None),
        ('rd.roothash={hash}', None),
        ('quiet', 'Its command line has no roothash=, so that nothing protects the root file system: quiet'),
        ('roothash=', 'What its command line has as a root hash is none'),
        ('roothash={hash} root=/dev/vda2', 'root=/dev/vda2 goes around the hash tree: it mounts another root file system'),
        ('roothash={hash} "root=LABEL=a b"', 'root=LABEL=a goes around the hash tree: it mounts another root file system'),
        ('roothash={hash} rd.systemd.verity=0', 'it leaves the root file system unverified'),
        ('roothash={hash} systemd.verity-root-data=/dev/vda2', 'it takes another partition for the root file system'),
        ('roothash={hash} mount.usr=/dev/vda2', 'it mounts another file system on /usr'),
    ],
)
def test_command_lines_beside_a_hash_tree(mkosi, tmp_path, verified_root, line, failed):
    kernel = make_kernel(tmp_path, line.format(hash=verified_root[1]))
    make_disk(tmp_path, {LOADER: LOADER_FILE, KERNEL: kernel}, verified_root)
    verified = Verified(mkosi, tmp_path, 'disk.raw', status=1 if failed else 0)
    if failed:
        assert len(verified.failed) == 1 and verified.failed[0].startswith(f'{KERNEL}: ') and failed in verified.failed[0]
    else:
        assert any(text.startswith('dm-verity: All of the root partition') for text in verified.of('ok'))


def test_every_kernel_names_the_root_hash(mkosi, tmp_path, verified_root):
    good = make_kernel(tmp_path, f'roothash={verified_root[1]}')
    make_disk(tmp_path, {LOADER: LOADER_FILE, KERNEL: good, 'EFI/old.efi': make_kernel(tmp_path, 'ro', name='old')}, verified_root)
    [failed] = Verified(mkosi, tmp_path, 'disk.raw', status=1).failed
    assert failed.startswith('EFI/old.efi: Its command line has no roothash=')
    # And without a hash tree none has to.
    make_disk(tmp_path, {LOADER: LOADER_FILE, KERNEL: make_kernel(tmp_path, 'root=/dev/vda2')})
    Verified(mkosi, tmp_path, 'disk.raw')


def test_entries_of_the_boot_loader(mkosi, tmp_path, verified_root):
    """Kernels that are not unified have their command line there; the boot loader takes such lines for unified ones as well."""
    entry, kernel = tmp_path / 'entry', make_kernel(tmp_path, f'roothash={verified_root[1]}')

    def verify(text, status=0):
        entry.write_text(text)
        files = {LOADER: LOADER_FILE, ENTRY: entry, 'linux': LOADER_FILE, 'x.EFI': LOADER_FILE, KERNEL: kernel}
        make_disk(tmp_path, files, verified_root)
        return Verified(mkosi, tmp_path, 'disk.raw', status=status)

    good = f'title x\nlinux /linux\noptions quiet\noptions roothash={verified_root[1]}\n'
    assert f'{ENTRY}: An entry of the boot loader, with the command line: quiet roothash={verified_root[1]}' in verify(good).of('ok')
    [failed] = verify('# options roothash=1\nlinux /linux\noptions quiet\n', 1).failed
    assert failed.startswith(f'{ENTRY}: Its command line has no roothash=')
    [failed] = verify(f'{good}options systemd.verity=off\n', 1).failed
    assert failed.startswith(f'{ENTRY}: In its command line, systemd.verity=off goes around the hash tree')
    verify(f'efi /{KERNEL}\n')
    [failed] = verify('efi \\x.efi\noptions root=/dev/vda2\n', 1).failed
    assert failed.startswith(f'{ENTRY}: In its command line, root=/dev/vda2')
    assert verify('efi /y.efi\n', 1).failed == [f'{ENTRY}: It starts y.efi, which is not there']
    assert verify('x\0', 1).failed == [f'{ENTRY}: It is no text']
    assert verify('x' * 70000, 1).failed == [f'{ENTRY}: It is too large for an entry of the boot loader']


def test_what_entries_start(mkosi, tmp_path, keys):
    """A kernel need not have the name of a program."""
    entry = tmp_path / 'entry'
    entry.write_text('title x\nlinux\t\\debian\\vmlinuz\ninitrd /debian/initrd\n')
    words = [f'--secure-boot-certificate={keys}/mkosi.secure-boot.crt', 'disk.raw']
    files = {LOADER: sign(keys, loader(tmp_path)), ENTRY: entry, 'debian/initrd': entry}
    kernel = shutil.copyfile(LOADER_FILE, tmp_path / 'linux')
    make_disk(tmp_path, files | {'debian/vmlinuz': kernel})
    assert Verified(mkosi, tmp_path, *words, status=1).failed == ['debian/vmlinuz: Its signature: not signed']
    make_disk(tmp_path, files | {'debian/vmlinuz': sign(keys, kernel)})
    said = "debian/vmlinuz: Signed by 'CN=mkosi.secure-boot'"
    assert Verified(mkosi, tmp_path, *words).of('ok').count(said) == 1
    # However often it is started.
    files['loader/entries/again.conf'] = entry
    entry.write_text(entry.read_text() + 'linux /Debian/vmlinuz\n')
    make_disk(tmp_path, files | {'debian/vmlinuz': kernel})
    assert Verified(mkosi, tmp_path, *words).of('ok').count(said) == 1
    make_disk(tmp_path, files | {'debian/vmlinuz': entry})
    [failed] = Verified(mkosi, tmp_path, *words, status=1).failed
    assert failed.startswith('debian/vmlinuz: It is no EFI program')


def test_addons_of_kernels(mkosi, tmp_path, keys, verified_root):
    """They are signed as kernels are, and have nothing of a kernel but a command line or the like."""
    files = {
        LOADER: sign(keys, loader(tmp_path)),
        KERNEL: sign(keys, make_kernel(tmp_path, f'roothash={verified_root[1]}')),
        LOCAL_ADDON: sign(keys, make_kernel(tmp_path, 'local=1', ['cmdline'], 'local')),
        GLOBAL_ADDON: sign(keys, make_kernel(tmp_path, '', ['dtb'], 'global')),
        'loader/credentials/a.cred': tmp_path / 'dtb',
        f'{KERNEL}.extra.d/b.cred': tmp_path / 'dtb',
    }

    def verify(status=0, **changes):
        names = {'local': LOCAL_ADDON, 'everywhere': GLOBAL_ADDON}
        make_disk(tmp_path, files | {names[name]: file for name, file in changes.items()}, verified_root)
        return Verified(mkosi, tmp_path, f'--secure-boot-certificate={keys}/mkosi.secure-boot.crt', 'disk.raw', status=status)

    said = verify().of('ok')
    assert f'{LOCAL_ADDON}: An add-on of unified kernels, with the command line: local=1' in said
    assert f'{GLOBAL_ADDON}: An add-on of unified kernels' in said
    for addon in (LOCAL_ADDON, GLOBAL_ADDON):
        assert f"{addon}: Signed by 'CN=mkosi.secure-boot'" in said
    changed = make_kernel(tmp_path, 'local=2', ['cmdline'], 'other')
    assert verify(1, local=changed).failed == [f'{LOCAL_ADDON}: Its signature: not signed']
    assert verify(1, everywhere=sign(keys, changed, 'foreign')).failed == [f'{GLOBAL_ADDON}: Its signature: signed by others']
    changed = sign(keys, make_kernel(tmp_path, 'root=/dev/vda2', ['cmdline'], 'other'))
    assert verify(1, everywhere=changed).failed == [
        f'{GLOBAL_ADDON}: In its command line, root=/dev/vda2 goes around the hash tree: it mounts another root file system'
    ]
    changed = sign(keys, make_kernel(tmp_path, '', KERNEL_SECTIONS, 'other'))
    assert verify(1, local=changed).failed == [f'{LOCAL_ADDON}: It has a kernel in it, and lies where add-ons of kernels do']
    changed = sign(keys, make_kernel(tmp_path, '', ['uname'], 'other'))
    assert verify(1, local=changed).failed == [
        f'{LOCAL_ADDON}: It lies where add-ons of kernels do, and has nothing of what they add'
    ]
    changed = sign(keys, make_kernel(tmp_path, f'roothash={"1" * 64}', ['cmdline'], 'other'))
    assert verify(1, local=changed).failed == [f'dm-verity: The root hash in {LOCAL_ADDON} is not that in {KERNEL}']


def test_certificates_that_nobody_named(mkosi, tmp_path, keys):
    """One that lies beside the image does not demand signatures, but what is signed has to be signed by it, all of it."""
    unsigned, kernel = LOADER_FILE, make_kernel(tmp_path, 'quiet')
    certificate = tmp_path / 'mkosi.secure-boot.crt'
    shutil.copy(keys / certificate.name, certificate)
    not_signed = [f'{LOADER}: Not signed', f'{KERNEL}: Not signed']

    make_disk(tmp_path, {LOADER: unsigned, KERNEL: kernel})
    verified = Verified(mkosi, tmp_path, 'disk.raw')
    assert verified.of('absent')[:2] == not_signed
    # Who names it wants it, on the command line or in a file, and be it under the same name.
    named = [f'{path}: Its signature: not signed' for path in (LOADER, KERNEL)]
    assert Verified(mkosi, tmp_path, f'--secure-boot-certificate={certificate.name}', 'disk.raw', status=1).failed[:2] == named
    default = tmp_path / 'mkosi.default'
    default.write_text(f'[Output]\nSecureBootCertificate={certificate.name}\n')
    assert Verified(mkosi, tmp_path, 'disk.raw', status=1).failed[:2] == named
    default.unlink()

    make_disk(tmp_path, {LOADER: sign(keys, loader(tmp_path)), KERNEL: kernel})
    assert Verified(mkosi, tmp_path, 'disk.raw', status=1).failed == [f'{KERNEL}: Not signed']
    make_disk(tmp_path, {LOADER: loader(tmp_path), KERNEL: sign(keys, kernel, 'foreign')})
    assert Verified(mkosi, tmp_path, 'disk.raw', status=1).failed == [
        f'{LOADER}: Not signed', f'{KERNEL}: Its signature: signed by others',
    ]  # fmt: skip


def test_check_sums_of_another_image(mkosi, tmp_path):
    make_disk(tmp_path, {LOADER: LOADER_FILE})
    (tmp_path / 'SHA256SUMS').write_text('0' * 64 + ' *other.raw\n')
    (tmp_path / 'SHA256SUMS.gpg').write_text('nothing')
    said = [text for text in Verified(mkosi, tmp_path, 'disk.raw').of('absent') if 'SHA256SUMS' in text]
    assert said == ['check sums: SHA256SUMS does not name disk.raw, and says nothing of it']
    (tmp_path / 'SHA256SUMS').write_text('0' * 64 + ' *other.raw\n' + '0' * 64 + ' *disk.raw\n')
    assert len(Verified(mkosi, tmp_path, 'disk.raw', status=1).failed) == 3
