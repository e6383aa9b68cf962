# SPDX-License-Identifier: LGPL-2.1-or-later
"""Images of another architecture: Debian for arm64, from Debian's archive, on a host that has an interpreter installed and none
registered. It is built once, which takes minutes, and boots as a machine and as a container."""

import platform
import re
from pathlib import Path

import boot
import conftest
import project as projects
import pytest
from small import esp, partitions, programs, run

ROOT_ARM64 = 'B921B045-1DF0-41C3-AF44-4C6F280D3FAE'
REGISTERED = Path('/proc/sys/fs/binfmt_misc')
MACHINE_SECONDS = 1500
SETTINGS = """\
[Distribution]
Architecture=arm64

[Output]
Bootable=yes
Hostname=teapot
Manifest=yes
KernelCommandLine=console=ttyAMA0 systemd.show_status=no

[Partitions]
ESPSize=128M
"""
# Where nothing is registered, and no file says what could be.
NO_INTERPRETER = """
for directory in /proc/sys/fs/binfmt_misc /usr/lib/binfmt.d /etc/binfmt.d /run/binfmt.d; do
        [ ! -d $directory ] || mount -t tmpfs tmpfs $directory
done
exec "$@"
"""


def is_newer_than(version):
    return [int(number) for number in re.findall('[0-9]+', platform.release())[:2]] >= version


def registered():
    return sorted(path.name for path in REGISTERED.iterdir()) if REGISTERED.is_dir() else []


pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(platform.machine() == 'aarch64', reason='arm64 is not foreign to this machine'),
]


@pytest.fixture(scope='module')
def image(mkosi, debian_settings, image_directory):
    if not Path('/usr/lib/binfmt.d/qemu-aarch64.conf').exists():
        pytest.fail('qemu-user is not there: run tools/install-dependencies foreign')
    if not is_newer_than([6, 7]):
        pytest.skip('Linux has a binfmt_misc for every user namespace since 6.7')
    before = registered()
    project = projects.Project(image_directory / 'arm64', mkosi, debian_settings + SETTINGS)
    units = 'mkosi.extra/etc/systemd/system'
    project.write(f'{units}/boot-marker.service', conftest.MARKER_UNIT)
    project.write('mkosi.extra/usr/local/sbin/boot-marker', conftest.MARKER_SCRIPT, mode=0o755)
    project.write('mkosi.postinst', '#!/bin/sh\nuname -m >/etc/built-on\n', mode=0o755)
    wants = project.directory / units / 'graphical.target.wants'
    wants.mkdir()
    (wants / 'boot-marker.service').symlink_to('../boot-marker.service')
    project.run()
    assert registered() == before
    return project


def test_disk(image, tmp_path, foreign_tool):
    """Partition type, boot loader, kernel and packages are those of the architecture."""
    path = image.directory / 'image.raw'
    assert partitions(path)[1]['type'] == ROOT_ARM64
    assert 'Linux root (ARM-64)' in run('sfdisk', '--list', path)
    made = programs(esp(path, tmp_path))
    assert {made_path.name for made_path in made} >= {'BOOTAA64.EFI', 'systemd-bootaa64.efi'}
    assert len(made) == 3
    for program in made:
        assert re.search('EFI application.*Aarch64', run(foreign_tool('file'), '--brief', program))


def test_shell(image):
    """Programs of the image run, and as little is seen of the host as otherwise."""
    before = registered()
    words = ['shell', '--', 'sh', '-c', 'uname -m; dpkg --print-architecture; cat /etc/built-on; dpkg --audit']
    assert image.run(*words).stdout.split() == ['aarch64', 'arm64', 'aarch64']
    assert registered() == before


def test_packages(image):
    said = image.run('shell', '--', 'dpkg-query', '--show', '--showformat=${Package}:${Architecture}\\n').stdout
    architectures = {line.split(':')[1] for line in said.split()}
    assert architectures == {'arm64', 'all'}
    assert 'systemd-boot-efi:arm64' in said and re.search(r'linux-image-\S+-arm64:arm64', said)


def test_machine(image):
    """The firmware starts the boot loader, that the kernel, and systemd comes to its end; on arm64 from the first on."""
    result = image.run('qemu', timeout=MACHINE_SECONDS)
    text = boot.ESCAPE_SEQUENCE.sub('', result.stdout)
    assert conftest.MARKER in text
    facts = conftest.facts(text)
    assert facts['hostname'] == 'teapot' and facts['root'].split()[0] == 'ext4'
    assert facts['failed'].strip() == ''


def test_nothing_runs_it(image):
    """Without an interpreter the package that has one is named, before anything is downloaded."""
    wrapper = ['unshare', '--mount', 'sh', '-c', NO_INTERPRETER, 'sh']
    for words in (['--output=other'], ['shell', 'true']):
        said = image.run(*words, wrapper=wrapper, status=1).stderr
        assert re.search('Programs for Architecture=arm64 do not run on this machine .* install package qemu-user', said)
    assert not (image.directory / 'other').exists()


def test_host_registration(image):
    """What the host has registered is used, if it has: nothing but the sandbox's own is looked at here."""
    said = image.run('--debug', 'shell', 'true').stderr
    own = not any('aarch64' in name for name in registered())
    assert ('user-namespace' in said.splitlines()) == own
