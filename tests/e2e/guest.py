# SPDX-License-Identifier: LGPL-2.1-or-later
"""The smallest guest that boots: a kernel of Debian, and an initrd with one program, which tells the console that it
runs and switches the machine off."""

import os
import re
import subprocess
from pathlib import Path

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


def kernel():
    return from_package('kernel', kernel_package, 'boot/vmlinuz-*')


def make_initrd(directory):
    source, program, archive = (directory / name for name in ('init.c', 'init', 'initrd'))
    source.write_text(INIT, encoding='utf-8')
    run('cc', '-static', '-o', program, source)
    archive.write_bytes(cpio_entry('init', 0o100755, program.read_bytes()) + cpio_entry('TRAILER!!!', 0))
    return archive
