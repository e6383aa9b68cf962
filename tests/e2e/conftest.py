# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the end-to-end tests share: the program, its package cache, and images that are built once per run."""

import os
import re
import shutil
from pathlib import Path

import aptrepo
import boot
import cache
import guest
import project as projects
import pytest

MARKER = 'BOOT-MARKER-OK'
# The guest's DMI product name with which the marker unit leaves the machine running.
KEEP_RUNNING = 'mkosi-test-keep-running'
PASSWORD = 'tea-and-biscuits'
KEY_RING = '/usr/share/keyrings/debian-archive-keyring.gpg'

# Writes to /dev/console: who opens the serial line itself is hung up on when the login prompt starts there.
MARKER_UNIT = f"""\
[Unit]
Description=Report to the console that the image has booted
After=multi-user.target

[Service]
Type=oneshot
ExecStart=/usr/local/sbin/boot-marker

[Install]
WantedBy=graphical.target
"""
MARKER_SCRIPT = f"""\
#!/bin/sh
exec >/dev/console 2>&1
echo "FACT hostname=$(cat /proc/sys/kernel/hostname)"
echo "FACT command-line=$(cat /proc/cmdline)"
echo "FACT root=$(findmnt --noheadings --output FSTYPE,OPTIONS /)"
echo "FACT root-device=$(findmnt --noheadings --output SOURCE /)"
echo "FACT home-device=$(findmnt --noheadings --output SOURCE --mountpoint /home)"
echo "FACT mapped=$(cat /sys/block/dm-*/dm/uuid 2>/dev/null | tr '\\n' ' ')"
echo "FACT secure-boot=$(od -An -tu1 -j4 /sys/firmware/efi/efivars/SecureBoot-* 2>/dev/null)"
echo "FACT home=$(findmnt --noheadings --output FSTYPE --mountpoint /home)"
echo "FACT swap=$(swapon --noheadings --show=TYPE)"
echo "FACT machine-id=$(cat /etc/machine-id)"
echo "FACT failed=$(systemctl list-units --failed --no-legend --plain | tr '\\n' ' ')"
echo "{MARKER}"
grep -q {KEEP_RUNNING} /sys/class/dmi/id/product_name || systemctl poweroff --no-block
"""


def pytest_configure(config):
    config.addinivalue_line('markers', 'long: takes minutes, and is left out by -m "not long"')


# Tests look at modes of outputs, which follow the caller's umask.
os.umask(0o022)


@pytest.fixture(scope='session')
def mkosi():
    """The program under test."""
    path = Path(os.environ.get('MKOSI', projects.ROOT / 'build/gcc/src/mkosi')).absolute()
    assert path.exists(), f'{path} is not there: compile it, or name it in the environment variable MKOSI'
    return path


@pytest.fixture(scope='session')
def root_user():
    if os.geteuid() != 0:
        pytest.skip('building images needs root')


@pytest.fixture(scope='session')
def package_cache(root_user):
    """A package cache that later runs find again."""
    path = cache.directory()
    path.mkdir(parents=True, exist_ok=True)
    return path / 'packages'


@pytest.fixture(scope='session')
def debian_settings(package_cache):
    """The beginning of a mkosi.default for the smallest Debian image."""
    return f'[Distribution]\nDistribution=debian\nRelease=bookworm\n\n[Packages]\nCache={package_cache}\n\n'


def facts(text):
    """What the marker unit told. The login prompt may stand before it on a line."""
    return dict(re.findall(r'FACT ([\w-]+)=(.*?)\r?$', text, re.MULTILINE))


class SmallDistribution:
    """What builds the small distribution of aptrepo.py, in two seconds, without network. The wrapper runs
    mkosi where the key of that distribution stands in the place of Debian's."""

    def __init__(self, directory, more_packages=()):
        key = aptrepo.Key()
        (directory / 'ring.gpg').write_bytes(key.ring)
        repository = aptrepo.Repository(directory, key, [*aptrepo.working_packages(key.ring), *more_packages])
        key.close()
        self.settings = (
            f'[Distribution]\nDistribution=debian\nRelease={aptrepo.SUITE}\nMirror={repository.url}\n\n'
        )
        script = f'mount --bind {directory}/ring.gpg {KEY_RING}; exec "$@"'
        self.wrapper = ['unshare', '--mount', 'sh', '-ec', script, 'sh']


@pytest.fixture(scope='session')
def small_distribution(root_user, tmp_path_factory):
    directory = tmp_path_factory.mktemp('mirror')
    yield SmallDistribution(directory)
    projects.remove_tree(directory)


@pytest.fixture(scope='session')
def small_bootable_distribution(root_user, tmp_path_factory):
    """The same, with a kernel, and an initrd that says that it runs and switches the machine off."""
    directory = tmp_path_factory.mktemp('bootable-mirror')
    initrd = guest.make_initrd(tmp_path_factory.mktemp('initrd'))
    packages = aptrepo.boot_packages(guest.kernel(), initrd, directory)
    distribution = SmallDistribution(directory, packages)
    distribution.settings += f'[Packages]\nPackages={" ".join(package.name for package in packages)}\n\n'
    yield distribution
    projects.remove_tree(directory)


def big_directory(tmp_path_factory):
    """Deleted when the tests are done, not kept for the next three runs as pytest would."""
    path = tmp_path_factory.mktemp('images')
    yield path
    projects.remove_tree(path)


# Where big things lie, of one file of tests and of all.
image_directory = pytest.fixture(big_directory, scope='module')
shared_image_directory = pytest.fixture(big_directory, scope='session')


@pytest.fixture
def project_directory(tmp_path):
    """An empty directory for one test that builds; deleted behind it."""
    path = tmp_path / 'project'
    path.mkdir()
    yield path
    projects.remove_tree(path)


class Image:
    """A built image with its project, and a copy of the tree that went into it."""

    def __init__(self, project, path, tree, build):
        self.project, self.path, self.tree, self.build = project, path, tree, build


@pytest.fixture(scope='session')
def plain_image(mkosi, debian_settings, shared_image_directory):
    """The default: a disk with one ext4 partition, not bootable."""
    project = projects.Project(shared_image_directory / 'plain', mkosi, debian_settings)
    project.write('mkosi.extra/etc/marker', 'extra\n', mode=0o640)
    project.write('mkosi.extra/usr/local/bin/marker', '#!/bin/sh\n', mode=0o755)
    tree = shared_image_directory / 'plain-tree'
    build = projects.build_and_keep_tree(project, tree)
    return Image(project, project.directory / 'image.raw', tree, build)


@pytest.fixture(scope='session')
def bootable_image(mkosi, debian_settings, shared_image_directory):
    """A bootable disk whose marker unit reports to the console and then switches the machine off."""
    settings = (
        '[Output]\nBootable=yes\nHostname=teapot\n'
        'KernelCommandLine=console=ttyS0 systemd.show_status=no test.word=1\n\n'
        f'[Validation]\nPassword={PASSWORD}\n'
    )
    project = projects.Project(shared_image_directory / 'bootable', mkosi, debian_settings + settings)
    units = 'mkosi.extra/etc/systemd/system'
    project.write(f'{units}/boot-marker.service', MARKER_UNIT)
    project.write('mkosi.extra/usr/local/sbin/boot-marker', MARKER_SCRIPT, mode=0o755)
    wants = project.directory / units / 'graphical.target.wants'
    wants.mkdir()
    (wants / 'boot-marker.service').symlink_to('../boot-marker.service')
    tree = shared_image_directory / 'bootable-tree'
    build = projects.build_and_keep_tree(project, tree)
    return Image(project, project.directory / 'image.raw', tree, build)


@pytest.fixture(scope='session')
def virtual_machine():
    """The class of machines that boot an image."""
    if lacks := boot.missing():
        pytest.fail(f'images cannot be booted here: {lacks} is not there')
    return boot.Machine


@pytest.fixture
def foreign_tool():
    """Finds a program that judges our output."""

    def find(name):
        path = shutil.which(name, path='/usr/sbin:/usr/bin:/sbin:/bin')
        assert path, f'{name} is not installed: run tools/install-dependencies check'
        return path

    return find
