# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the verb verify says, and images that may be broken before it is asked."""

import json
import subprocess
from pathlib import Path

import project as projects
from small import SECTOR_SIZE, partitions, run

CERTIFICATES = ('mkosi.secure-boot.crt', 'mkosi.verity.crt')
LOADER = 'EFI/BOOT/BOOTX64.EFI'
LOADER_FILE = Path('/usr/lib/systemd/boot/efi/systemd-bootx64.efi')
STUB_FILE = Path('/usr/lib/systemd/boot/efi/linuxx64.efi.stub')
KERNEL_SECTIONS = ('osrel', 'uname', 'cmdline', 'initrd', 'linux')


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


def flip(image, position):
    with open(image, 'r+b') as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))


class Copy:
    """A release that may be broken."""

    def __init__(self, release, directory, names=('image.raw', 'image.roothash', 'image.manifest', 'SHA256SUMS', *CERTIFICATES)):
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


def make_kernel(directory, command_line, names=KERNEL_SECTIONS, name='kernel.efi'):
    """A unified kernel by objcopy, or what has other sections, of sections that hold no more than their names."""
    words, address = [], 0x4000000
    for section in names:
        (directory / section).write_text(command_line if section == 'cmdline' else section)
        words += [f'--add-section=.{section}={directory / section}', f'--change-section-vma=.{section}={address:#x}']
        address += 0x100000
    run('objcopy', *words, STUB_FILE, directory / name)
    return directory / name
