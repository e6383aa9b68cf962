# SPDX-License-Identifier: LGPL-2.1-or-later
"""The smallest guest that boots: a kernel of Debian, and an initrd with one program, which tells the console that it
runs and switches the machine off."""

import re
import subprocess
from pathlib import Path

import cache
import project as projects

KERNEL_PACKAGE = 'linux-image-cloud-amd64'
MARKER = 'INITRD-MARKER-OK'

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

# Around the script of make_rich_initrd(). There is no udevd that would make nodes of devices.
ENVIRONMENT = """\
#!/bin/sh
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin DM_DISABLE_UDEV=1 LC_ALL=C
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
exec </dev/console >/dev/console 2>&1
for module in /modules/*; do insmod "$module"; done
"""
END = """
echo o >/proc/sysrq-trigger
while true; do read -r nothing; done
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


def from_package(name, package, pattern):
    """A file of a Debian package, which is unpacked, not installed; an earlier run may have left it in the cache."""


    def unpack(directory):
        run('apt-get', 'download', package(), cwd=directory)
        [archive] = directory.glob('*.deb')
        run('dpkg-deb', '--extract', archive, directory)
        archive.unlink()

    [path] = cache.kept(cache.directory() / name, unpack).glob(pattern)
    return path


def kernel_package():
    [package] = re.findall(r'Depends: (linux-image-\S+)', run('apt-cache', 'depends', KERNEL_PACKAGE))
    return package


def kernel():
    return from_package('kernel', kernel_package, 'boot/vmlinuz-*')


def modules(*names):
    """These modules of the kernel, with those that they need before them."""
    kernel()
    [tree] = (cache.directory() / 'kernel/lib/modules').iterdir()
    files = {path.stem.replace('-', '_'): path for path in tree.rglob('*.ko')}
    found = []

    def add(name):
        # What is no file is built in.
        path = files.get(name.replace('-', '_'))
        if path and path not in found:
            for needed in filter(None, run('modinfo', '--field=depends', path).strip().split(',')):
                add(needed)
            found.append(path)

    for name in names:
        add(name)
    return found


def find_library(name):
    return Path(re.search(rf'{re.escape(name)} .*=> (/\S+)', run('/sbin/ldconfig', '-p')).group(1))


def libraries(program):
    return [Path(path) for path in re.findall(r'(/\S+) \(0x', run('ldd', program))]


def make_rich_initrd(archive, script, programs, module_names):
    """An initrd with programs of this machine, at the paths where it has them, and a script of sh that can call them, when
    the modules are loaded. It ends by switching the machine off."""
    files = {'init': ENVIRONMENT + script + END}
    loaded = modules(*module_names)
    for i, path in enumerate(loaded):
        files[f'modules/{i:03}.ko'] = path.read_bytes()
    # What pthread_exit() loads at run time.
    found = [Path('/bin/sh'), *map(Path, programs)]
    for path in [*found, *(library for program in found for library in libraries(program)), find_library('libgcc_s.so.1')]:
        files[str(path)[1:]] = path.read_bytes()
    directories = {'dev', 'proc', 'sys', 'run', 'run/cryptsetup', 'tmp', 'mnt'}
    for name in files:
        directories |= {str(parent) for parent in Path(name).parents} - {'.'}
    entries = [cpio_entry(name, 0o040755) for name in sorted(directories)]
    entries += [
        cpio_entry(name, 0o100755, data if isinstance(data, bytes) else data.encode()) for name, data in files.items()
    ]
    archive.write_bytes(b''.join(entries) + cpio_entry('TRAILER!!!', 0))
    return archive


def make_initrd(directory):
    source, program, archive = (directory / name for name in ('init.c', 'init', 'initrd'))
    source.write_text(INIT, encoding='utf-8')
    run('cc', '-static', '-o', program, source)
    archive.write_bytes(cpio_entry('init', 0o100755, program.read_bytes()) + cpio_entry('TRAILER!!!', 0))
    return archive
