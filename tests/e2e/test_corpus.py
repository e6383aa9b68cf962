# SPDX-License-Identifier: LGPL-2.1-or-later
"""Settings files of real projects, from 2016 to 2020: each loads, or is refused for a mistake of its author.

The files are not part of the project: they are looked for in $MKOSI_CORPUS, or in shared/corpus beside the checkout.
tests/golden/load/ shows every syntax that is met in them, so nothing is untested without them.
"""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CORPUS = Path(os.environ.get('MKOSI_CORPUS', ROOT.parent / 'shared/corpus'))
GIB = 1024**3
MIB = 1024**2

# A part of the path → what is wrong, as line: text.
REFUSED = {
    'sapcc+fedIPA/0ff7f56438b4/': ['12: Unknown setting "SkipFinalPhase" in [Packages]'],
    'sapcc+fedIPA/8f5f15422912/': ['12: Unknown setting "SkipFinalPhase" in [Packages]'],
    'util-linux+util-linux/14211aee233f/': [
        '23: Setting "BuildPackages" belongs in [Packages], not in [Partitions]',
        '45: Setting "Packages" belongs in [Packages], not in [Partitions]',
        '47: Setting "BuildDirectory" belongs in [Packages], not in [Partitions]',
        '48: Setting "Cache" belongs in [Packages], not in [Partitions]',
    ],
}

# A part of the path → section.setting → value. Relative paths are below the working directory.
VALUES = {
    'acassen+keepalived/2d4759ee201b/mkosi.files/mkosi.debian': {
        'Distribution.Distribution': 'debian',
        'Distribution.Release': 'unstable',
        'Output.Format': 'gpt_ext4',
        'Output.Output': Path('mkosi.output/debian.raw'),
        'Output.OutputDirectory': Path('mkosi.output'),
        'Output.Bootable': True,
        'Partitions.ESPSize': 256 * MIB,
        'Partitions.RootSize': 3 * GIB,
        'Partitions.SwapSize': 512 * MIB,
        'Packages.Packages': (9, 'nftables', 'kbd'),
        'Packages.Cache': Path('mkosi.cache'),
        'Packages.BuildDirectory': Path('mkosi.cache'),
    },
    'bus1+dbus-broker/f01c5bf99510/': {
        'Distribution.Distribution': 'arch',
        'Output.Format': 'directory',
        'Output.Output': Path('rootfs'),
        'Output.Bootable': False,
        'Packages.Packages': 'base-devel htop meson ninja openssh python-docutils valgrind xfsprogs',
    },
    'codegrande+dssp2-minimal/842f4b0757ac/': {
        'Distribution.Distribution': 'debian',
        'Output.Format': 'gpt_ext4',
        'Packages.Cache': Path('/var/tmp/apt-cache'),
        'Packages.Packages': 'git nano openssh-server policycoreutils sed',
        'Packages.BuildPackages': 'make policycoreutils sed',
        'Partitions.RootSize': 2 * GIB,
    },
    'keszybz+systemd/745d31418c67/.mkosi/mkosi.arch': {
        'Distribution.Distribution': 'arch',
        'Distribution.Release': None,
        'Output.Format': 'gpt_btrfs',
        'Packages.Cache': Path('/var/cache/pacman/pkg'),
        'Packages.Packages': 'libidn2',
        'Packages.BuildPackages': (32, 'acl', 'xz'),
    },
    'keszybz+systemd/745d31418c67/.mkosi/mkosi.debian': {
        'Packages.Packages': 'libqrencode3 locales libidn2-0',
        'Packages.BuildPackages': (42, 'acl', 'xz-utils'),
        'Output.KernelCommandLine': 'rhgb quiet selinux=0 audit=0 rw',
    },
    'kmod-project+kmod/a76f997f4db4/': {
        'Distribution.Distribution': 'clear',
        'Distribution.Release': 'latest',
        'Output.Output': Path('clear-image.raw'),
        'Packages.Packages': 'os-core-update',
        'Packages.BuildPackages': 'os-core-dev',
        'Partitions.RootSize': 5 * GIB,
        'Host.ExtraSearchPaths': '/root/go/bin',
    },
    'kmod-project+kmod/7bc6b67dc6e0/': {
        'Distribution.Release': '(rolling)',
        'Output.Output': Path('arch-image.raw'),
        'Packages.Packages': 'valgrind',
        'Packages.BuildPackages': (12, 'automake', 'linux-headers'),
        'Partitions.RootSize': 4 * GIB,
    },
    'nosada+mkosi-files/5486df8c797b/buildspawn/': {
        'Output.Format': 'tar',
        'Output.XZ': True,
        'Output.Output': Path('buildspawn.tar.xz'),
        'Packages.Packages': 'base-devel optipng upx sudo',
    },
    'nosada+mkosi-files/5b02ed7d5046/': {
        'Output.Format': 'tar',
        'Packages.Packages': '',
    },
    'sapcc+fedIPA/57e6712f8054/': {
        'Distribution.Release': '31',
        'Output.Format': 'directory',
        'Output.Output': Path('image'),
        'Packages.WithNetwork': True,
        'Packages.BuildPackages': 'gcc python3-pip',
        'Packages.Packages': 'kernel linux-firmware python3 systemd',
    },
    'systemd+casync/655e861819e8/': {
        'Distribution.Distribution': 'fedora',
        'Distribution.Release': '26',
        'Output.Format': 'gpt_ext4',
        'Packages.Packages': 'fuse',
        'Packages.BuildPackages': (10, 'diffutils', 'xz-devel'),
    },
    'systemd+mkosi/0f4abc899de3/': {
        'Distribution.Distribution': 'ubuntu',
        'Distribution.Release': 'bionic',
        'Distribution.Repositories': 'main',
        'Output.Format': 'gpt_btrfs',
        'Output.Output': Path('ubuntu-btrfs.raw'),
        'Packages.Packages': 'tzdata',
    },
    'systemd+mkosi/6b279ed2434b/': {
        'Output.Format': 'gpt_squashfs',
        'Output.ReadOnly': True,
        'Output.Output': Path('image.raw'),
        'Partitions.ESPSize': 256 * MIB,
        'Packages.Packages': (9, 'arch-install-scripts', 'tar'),
    },
    'systemd+portable-walkthrough/4ebf5cdfcc45/': {
        'Output.Output': Path('walkthroughd_1.raw'),
        'Packages.BuildPackages': 'gcc make',
        'Packages.Cache': Path('mkosi.cache'),
        'Partitions.RootSize': GIB,
    },
    'systemd+systemd-stable/1b0ff615c7bf/': {
        'Distribution.Release': '24',
        'Packages.Cache': Path('/var/tmp/dnf-cache'),
        'Packages.BuildPackages': (38, 'audit-libs-devel', 'xz-devel'),
        'Output.BootProtocols': 'uefi',
    },
    'util-linux+util-linux/5f231c198683/': {
        'Output.Output': Path('.mkosi.output/fedora.raw'),
        'Partitions.ESPSize': 128 * MIB,
        'Partitions.SwapSize': 256 * MIB,
        'Packages.Packages': 'coreutils diffutils file make',
        'Packages.BuildDirectory': Path('.mkosi.builddir'),
    },
}


def corpus_files():
    return sorted(path for path in CORPUS.glob('*/**/*') if path.is_file())


def name_of(path):
    return path.relative_to(CORPUS).as_posix()


def entry_for(path, table):
    """The table's entry for a file, or None."""
    for part, entry in table.items():
        if part in name_of(path):
            return entry
    return None


def is_list_of(value, expected):
    """expected: all items separated by blanks, or their number with the first and the last one."""
    if isinstance(expected, tuple):
        return (len(value), value[0], value[-1]) == expected
    return value == expected.split()


def check_value(settings, directory, key, expected):
    section, name = key.split('.')
    value = settings[section][name]['value']
    if isinstance(expected, Path):
        assert value == str(directory / expected), key
    elif isinstance(value, list):
        assert is_list_of(value, expected), (key, value)
    else:
        assert value == expected, key


pytestmark = pytest.mark.skipif(not CORPUS.is_dir(), reason=f'{CORPUS} is not there')


@pytest.mark.parametrize('path', corpus_files(), ids=[name_of(path) for path in corpus_files()])
def test_corpus(mkosi, tmp_path, path):
    environment = dict(os.environ, SUDO_USER='root')
    result = subprocess.run(
        [mkosi, '--default', path, 'json'], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    refused = entry_for(path, REFUSED)
    if refused is not None:
        assert result.returncode == 1
        assert result.stdout == ''
        assert result.stderr.splitlines() == [f'{path}:{line}' for line in refused]
        return

    assert result.returncode == 0, result.stderr
    assert not re.search(r'abc123|CHANGEME', result.stdout + result.stderr), 'a password is printed'
    settings = json.loads(result.stdout)
    for key, expected in (entry_for(path, VALUES) or {}).items():
        check_value(settings, tmp_path, key, expected)


def test_every_expectation_is_used():
    """A part of a path that matches no file, or two, would test nothing, or not what it seems to."""
    for part in [*REFUSED, *VALUES]:
        assert sum(part in name_of(path) for path in corpus_files()) == 1, part
