# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unified kernel images, judged by binutils, sbsigntool, systemd and by booting one."""

import os
import re
import resource
import subprocess
from pathlib import Path

import guest
import project as projects
import pytest
from guest import MARKER, run

STUB = Path('/usr/lib/systemd/boot/efi/linuxx64.efi.stub')
BOOT_LOADER = Path('/usr/lib/systemd/boot/efi/systemd-bootx64.efi')
COMMAND_LINE = 'console=ttyS0 panic=-1 test.word=1'
SECTIONS = ['.sbat', '.osrel', '.uname', '.cmdline', '.initrd', '.linux']


@pytest.fixture(scope='module')
def tool():
    mkosi = Path(os.environ.get('MKOSI', projects.ROOT / 'build/gcc/src/mkosi')).absolute()
    path = mkosi.parents[1] / 'tests/tools/make-unified-kernel'
    assert path.exists(), f'{path} is not there: compile it'
    return path


@pytest.fixture(scope='module')
def kernel():
    return guest.kernel()


@pytest.fixture(scope='module')
def bootctl():
    """Its package would install itself on the boot partition of the machine."""
    return guest.from_package('bootctl', lambda: 'systemd-boot', 'usr/bin/bootctl')


@pytest.fixture(scope='module')
def initrd(tmp_path_factory):
    return guest.make_initrd(tmp_path_factory.mktemp('initrd'))


@pytest.fixture
def make(tool, kernel, tmp_path):
    """Makes a boot partition's tree with the image in it, and returns the tree."""

    def make(name, initrd, stub=STUB, **keywords):
        tree = tmp_path / name
        tree.mkdir()
        run(tool, tree, stub, BOOT_LOADER, kernel, initrd, f'  {COMMAND_LINE}\n', **keywords)
        return tree

    return make


def image(tree):
    return tree / 'EFI/Linux/test.efi'


def section(path, name, directory):
    """What binutils finds in the section."""
    content = directory / 'content'
    run('objcopy', '-O', 'binary', f'--only-section={name}', path, content)
    return content.read_bytes()


def test_sections(make, kernel, initrd, foreign_tool, tmp_path):
    path = image(make('tree', initrd))
    headers = re.findall(r'^ +\d+ (\S+) +(\S+) +(\S+) +\S+ +(\S+)', run(foreign_tool('objdump'), '-h', path), re.M)
    assert [header[0] for header in headers][-len(SECTIONS):] == SECTIONS
    assert [header[0] for header in headers].count('.sbat') == 1

    assert section(path, '.linux', tmp_path) == kernel.read_bytes()
    assert section(path, '.initrd', tmp_path) == initrd.read_bytes()
    assert section(path, '.cmdline', tmp_path) == COMMAND_LINE.encode()
    assert section(path, '.uname', tmp_path) == b'0.0.0-test'
    assert b'PRETTY_NAME="Unified Kernel Test"\n' in section(path, '.osrel', tmp_path)
    sbat = section(path, '.sbat', tmp_path).decode().splitlines()
    own = section(STUB, '.sbat', tmp_path).decode().rstrip('\0').splitlines()
    assert sbat[:len(own)] == own
    assert sbat[-1].startswith('test,1,')

    # One behind the other, in memory and in the file.
    ends = [0, 0]
    for _, size, address, offset in headers:
        assert int(address, 16) >= ends[0] and int(offset, 16) >= ends[1]
        ends = [int(address, 16) + int(size, 16), int(offset, 16) + int(size, 16)]


def test_same_input_same_bytes(make, initrd):
    first, second = (image(make(name, initrd)).read_bytes() for name in ('first', 'second'))
    assert first == second


def test_without_initrd(make, foreign_tool):
    path = image(make('tree', '-'))
    assert '.initrd' not in run(foreign_tool('objdump'), '-h', path)


def test_initrd_is_not_read_into_memory(make, tmp_path):
    size = 512 << 20
    initrd = tmp_path / 'initrd'
    with open(initrd, 'wb') as file:
        file.truncate(size)
    limit = 128 << 20
    tree = make('tree', initrd, preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (limit, limit)))
    status = image(tree).stat()
    assert status.st_size > size > status.st_blocks * 512


def test_signing(make, initrd, foreign_tool, tmp_path):
    """A signature of the stub goes, since it would be void; the image itself can be signed, all of it."""
    sbsign, sbverify = foreign_tool('sbsign'), foreign_tool('sbverify')
    key, certificate, stub, signed = (tmp_path / name for name in ('key.pem', 'certificate.pem', 'stub', 'signed'))
    run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=test', '-keyout', key, '-out',
        certificate)  # fmt: skip
    run(sbsign, '--key', key, '--cert', certificate, '--output', stub, STUB)
    assert 'signature 1' in run(sbverify, '--list', stub)

    path = image(make('tree', initrd, stub))
    assert 'No signature table present' in run(sbverify, '--list', path)
    assert path.read_bytes() == image(make('unsigned', initrd)).read_bytes()
    assert 'warning' not in run(sbsign, '--key', key, '--cert', certificate, '--output', signed, path)
    assert 'Signature verification OK' in run(sbverify, '--cert', certificate, signed)

    content = bytearray(signed.read_bytes())
    content[content.index(COMMAND_LINE.encode())] ^= 1
    signed.write_bytes(content)
    assert subprocess.run([sbverify, '--cert', certificate, signed], check=False, capture_output=True).returncode != 0


def test_bootctl_lists_it(make, initrd, bootctl, root_user):
    # bootctl takes for a boot partition only what is mounted, and without the variable only FAT.
    script = 'mount --bind "$1" "$1" && SYSTEMD_RELAX_ESP_CHECKS=1 exec "$2" list --esp-path="$1"'
    said = run('unshare', '--mount', '/bin/sh', '-c', script, 'sh', make('tree', initrd), bootctl, cwd='/')
    assert 'title: Unified Kernel Test' in said
    assert f'options: {COMMAND_LINE}' in said


def test_boots(make, initrd, foreign_tool, virtual_machine, tmp_path):
    """Firmware, systemd-boot, stub, kernel, initrd: each finds the next."""
    tree, disk = make('tree', initrd), tmp_path / 'disk.raw'
    run(foreign_tool('mkfs.fat'), '-C', '-F', '32', disk, 64 << 10)
    run(foreign_tool('mcopy'), '-s', '-i', disk, tree / 'EFI', tree / 'loader', '::')
    with virtual_machine(disk) as machine:
        machine.wait_for(f'Command line: {COMMAND_LINE}\n', timeout=120)
        machine.wait_for(MARKER, timeout=120)
        machine.wait_for_power_off()
