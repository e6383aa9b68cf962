# SPDX-License-Identifier: LGPL-2.1-or-later
"""Every distribution from its packages to its first words: the real package manager installs it from a signed repository
(see distributions.py), dracut of the tree makes its initrd, and firmware with Secure Boot starts the signed kernel."""

import json
import os
import shutil

import boot
import conftest
import distributions
import pacmanrepo
import project as projects
import pytest
import small

COMMAND_LINE = 'console=ttyS0 systemd.show_status=no test.word=1'
ROWS = list(distributions.DISTRIBUTIONS.values())
WAIT_SECONDS = 400
# Configuration, databases, caches, logs and keys of all package managers and of who calls them.
HOST_PLACES = (
    '/etc', '/usr/lib/sysimage', '/usr/share/keyrings',
    '/var/lib/rpm', '/var/lib/dnf', '/var/lib/zypp', '/var/lib/pacman', '/var/lib/dpkg', '/var/lib/apt',
    '/var/cache/dnf', '/var/cache/zypp', '/var/cache/pacman', '/var/cache/apt',
    '/var/log/zypp', '/var/log/zypper.log', '/var/log/pacman.log', '/var/log/apt', '/var/log/dpkg.log', '/var/log/dnf.log',
    '/root/.rpmdb', '/root/.rpmmacros', '/root/.gnupg', '/root/.config', '/root/.cache/dnf',
)  # fmt: skip


@pytest.fixture(scope='module')
def keys(mkosi, image_directory):
    """Of all images the same, so that firmware that knows it for one knows it for all."""
    project = projects.Project(image_directory / 'keys', mkosi, '')
    project.run('genkey')
    shutil.copyfile(boot.FIRMWARE_VARIABLES, project.directory / 'variables.fd')
    return project.directory


def boot_settings(row, keys):
    return row.settings() + (
        f'[Output]\nBootable=yes\nKernelCommandLine={COMMAND_LINE}\nSecureBoot=yes\nSecureBootAutoEnroll=force\n'
        f'SecureBootKey={keys}/mkosi.secure-boot.key\nSecureBootCertificate={keys}/mkosi.secure-boot.crt\n'
        f'Hostname={row.name}\nManifest=yes\n[Partitions]\nESPSize=64M\n'
    )


def add_marker(project):
    units = 'mkosi.extra/etc/systemd/system'
    project.write(f'{units}/boot-marker.service', conftest.MARKER_UNIT.replace('graphical.target', 'multi-user.target'))
    project.write('mkosi.extra/usr/local/sbin/boot-marker', conftest.MARKER_SCRIPT, mode=0o755)
    wants = project.directory / units / 'multi-user.target.wants'
    wants.mkdir()
    (wants / 'boot-marker.service').symlink_to('../boot-marker.service')


def host_state():
    """Everything that a package manager could have touched: names, sizes, times and modes."""
    state = {}
    for place in HOST_PLACES:
        paths = [place, *(os.path.join(top, name) for top, some, files in os.walk(place) for name in (*some, *files))]
        for path in paths:
            if os.path.lexists(path):
                status = os.lstat(path)
                state[path] = (status.st_ino, status.st_size, status.st_mtime_ns, status.st_mode)
    return state


def rpm_list(row, tree, home):
    """By rpm itself, which writes where it reads: on a copy."""
    shutil.copytree(tree / row.rpm_database, home / 'database')
    text = '%{NAME} %{VERSION}-%{RELEASE} %{ARCH}\\n'
    said = small.run('rpm', '--dbpath', home / 'database', '--query', '--all', '--queryformat', text, HOME=str(home))
    return [line for line in said.splitlines() if not line.startswith('gpg-pubkey ')]


def dpkg_list(tree):
    text = '${Package} ${Version} ${Architecture}\\n'
    return small.run('dpkg-query', f'--admindir={tree}/var/lib/dpkg', '--show', f'--showformat={text}').splitlines()


def pacman_list(tree, home):
    (home / 'pacman.conf').write_text('[options]\nArchitecture = x86_64\n')
    where = ('--config', home / 'pacman.conf', '--root', tree, '--dbpath', tree / 'var/lib/pacman')
    said = small.run('pacman', *where, '--query')
    return [f'{line} {pacmanrepo.ARCHITECTURE}' for line in said.splitlines()]


def installed(row, tree, home):
    if row.rpm_database:
        return rpm_list(row, tree, home)
    return dpkg_list(tree) if row.name == 'ubuntu' else pacman_list(tree, home)


@pytest.mark.parametrize('row', ROWS, ids=lambda row: row.name)
def test_tree(mkosi, root_user, project_directory, tmp_path, row):
    """The tree says what it is, what it says is in it is in it, and the machine that builds is as it was."""
    project = projects.Project(project_directory, mkosi, row.settings() + '[Output]\nFormat=directory\nManifest=yes\n')
    before = host_state()
    project.run(wrapper=row.wrapper())
    assert host_state() == before
    tree = project_directory / 'image'

    assert (tree / 'etc/os-release').read_text() == row.os_release
    manifest = json.loads((project_directory / 'image.manifest').read_text())
    listed = [' '.join(package[key] for key in ('name', 'version', 'architecture')) for package in manifest['packages']]
    assert sorted(listed) == sorted(installed(row, tree, tmp_path)) and len(listed) >= 5
    assert {entry['name']: entry['values'] for entry in manifest['settings']}['Distribution'] == [row.name]


@pytest.mark.parametrize('row', [row for row in ROWS if row.boots], ids=lambda row: row.name)
def test_boot(mkosi, root_user, project_directory, keys, virtual_machine, foreign_tool, tmp_path, row):
    project = projects.Project(project_directory, mkosi, boot_settings(row, keys))
    add_marker(project)
    said = project.run(wrapper=row.wrapper()).stderr
    image = project_directory / 'image.raw'

    # The boot loader is a package of its own, in systemd's for Arch Linux; others have none, and get the host's.
    assert ("this host's is taken" in said) == row.loader_of_host
    names = {package['name'] for package in json.loads((project_directory / 'image.manifest').read_text())['packages']}
    assert any('systemd-boot' in name for name in names) != row.loader_of_host or row.name == 'arch'
    found = small.programs(small.esp(image, tmp_path))
    assert len(found) == 3
    for path in found:
        small.run(foreign_tool('sbverify'), '--cert', keys / 'mkosi.secure-boot.crt', path)

    with virtual_machine(image, secure_variables=keys / 'variables.fd', product=conftest.KEEP_RUNNING) as machine:
        machine.wait_for(conftest.MARKER, WAIT_SECONDS)
        facts = conftest.facts(machine.text)
    assert facts['hostname'] == row.name and 'test.word=1' in facts['command-line']
    assert facts['secure-boot'].split() == ['1'] and facts['failed'] == ''
    assert facts['root'].split()[0] == 'ext4'
