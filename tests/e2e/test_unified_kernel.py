# SPDX-License-Identifier: LGPL-2.1-or-later
"""Unified kernel images, judged by binutils, sbsigntool, systemd and by booting one."""

import os
import re
import resource
import subprocess
from pathlib import Path

import project as projects
import pytest

STUB = Path('/usr/lib/systemd/boot/efi/linuxx64.efi.stub')
BOOT_LOADER = Path('/usr/lib/systemd/boot/efi/systemd-bootx64.efi')
KERNEL_PACKAGE = 'linux-image-cloud-amd64'
COMMAND_LINE = 'console=ttyS0 panic=-1 test.word=1'
MARKER = 'INITRD-MARKER-OK'
SECTIONS = ['.sbat', '.osrel', '.uname', '.cmdline', '.initrd', '.linux']

# The whole user space of the machine that is booted.
INIT = f"""\
#include <fcntl.h>
#include <sys/reboot.h>
#include <unistd.h>

int main(void) {{
        static const char marker[] = "{MARKER}\\n";
        const int fd = open("/dev/console", O_WRONLY);

        (void)!write(fd, marker, sizeof(marker) - 1);
        return reboot(RB_POWER_OFF);
}}
"""


def run(*command, **keywords):
    result = subprocess.run(
        [str(word) for word in command], check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        env=projects.clean_environment(), **keywords,
    )  # fmt: skip
    assert result.returncode == 0, f'{command} ended with {result.returncode}:\n{result.stdout}'
    return result.stdout


def cpio_entry(name, mode, data=b''):
    """A member of an archive in the "newc" format, which is what the kernel unpacks."""
    name = name.encode() + b'\0'
    fields = [0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0]
    header = b'070701' + b''.join(b'%08X' % field for field in fields) + name
    return header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


@pytest.fixture(scope='module')
def tool():
    mkosi = Path(os.environ.get('MKOSI', projects.ROOT / 'build/gcc/src/mkosi')).absolute()
    path = mkosi.parents[1] / 'tests/tools/make-unified-kernel'
    assert path.exists(), f'{path} is not there: compile it'
    return path


def from_package(name, package, pattern):
    """A file of a Debian package, which is unpacked, not installed; an earlier run may have left it in the cache."""
    cache = Path(os.environ.get('MKOSI_TEST_CACHE', projects.ROOT / 'build/test-cache')).absolute() / name
    cache.mkdir(parents=True, exist_ok=True)
    if not list(cache.glob(pattern)):
        run('apt-get', 'download', package(), cwd=cache)
        [archive] = cache.glob('*.deb')
        run('dpkg-deb', '--extract', archive, cache)
        archive.unlink()
    [path] = cache.glob(pattern)
    return path


def kernel_package():
    [package] = re.findall(r'Depends: (linux-image-\S+)', run('apt-cache', 'depends', KERNEL_PACKAGE))
    return package


@pytest.fixture(scope='module')
def kernel():
    return from_package('kernel', kernel_package, 'boot/vmlinuz-*')


@pytest.fixture(scope='module')
def bootctl():
    """Its package would install itself on the boot partition of the machine."""
    return from_package('bootctl', lambda: 'systemd-boot', 'usr/bin/bootctl')


@pytest.fixture(scope='module')
def initrd(tmp_path_factory):
    directory = tmp_path_factory.mktemp('initrd')
    source, program, archive = (directory / name for name in ('init.c', 'init', 'initrd'))
    source.write_text(INIT, encoding='utf-8')
    run('cc', '-static', '-o', program, source)
    archive.write_bytes(cpio_entry('init', 0o100755, program.read_bytes()) + cpio_entry('TRAILER!!!', 0))
    return archive


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
