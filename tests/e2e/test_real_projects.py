# SPDX-License-Identifier: LGPL-2.1-or-later
"""Programs that people know, from the sources that Debian ships: one for each way of building that is usual. Each gets into
an image that boots and runs it; then one source file is changed, and what was kept is used."""

import os
import shutil
import subprocess

import conftest
import project as projects
import pytest

SUITE = 'bookworm'
KEY_RING = '/usr/share/keyrings/debian-archive-keyring.gpg'

AUTOTOOLS = """\
#!/bin/sh -e
[ -e "$BUILDDIR/Makefile" ] || (cd "$BUILDDIR" && "$SRCDIR/configure" --prefix=/usr)
make -C "$BUILDDIR" install MAKEINFO=true
"""
MESON = """\
#!/bin/sh -e
[ -e "$BUILDDIR/build.ninja" ] || meson setup "$BUILDDIR" --prefix=/usr -Dman=disabled -Dselinux=disabled -Dtests=false
ninja -C "$BUILDDIR" install
"""
MAKE = """\
#!/bin/sh -e
cp -a . "$BUILDDIR"
make -C "$BUILDDIR" install PREFIX="$DESTDIR/usr" DESTDIR="$DESTDIR/usr/bin" MANDIR="$DESTDIR/usr/share/man/man1"
"""

# The source package, how it is built, what is changed in which file, what is run, and what that says before and after.
PROGRAMS = {
    'hello': (AUTOTOOLS, 'src/hello.c', 'Hello, world!', 'Good night!', 'hello', 'Hello, world!', 'Good night!'),
    'bubblewrap': (MESON, 'bubblewrap.c', '"%s\\n", PACKAGE_STRING', '"tea %s\\n", PACKAGE_STRING',
                   'bwrap --version', 'bubblewrap 0', 'tea bubblewrap 0'),
    'tree': (MAKE, 'tree.c', 'tree v', 'biscuits v', 'tree --version', 'tree v', 'biscuits v'),
}  # fmt: skip
PACKAGES = 'gcc libc6-dev make meson ninja-build pkg-config libcap-dev'

SETTINGS = f"""\
[Output]
Bootable=yes
Hostname=teapot
KernelCommandLine=console=ttyS0 systemd.show_status=no

[Packages]
BuildPackages={PACKAGES}
BuildSources=source
Packages=libcap2
"""
MARKER_SCRIPT = """\
#!/bin/sh
exec >/dev/console 2>&1
echo "FACT program=$({command} 2>&1 | head -n 1)"
echo "FACT failed=$(systemctl list-units --failed --no-legend --plain | tr '\\n' ' ')"
echo "{marker}"
systemctl poweroff --no-block
"""


@pytest.fixture(scope='module')
def source(package_cache, tmp_path_factory):
    """Gives a directory with the sources of a package, which are downloaded once."""
    cache = package_cache.parent / 'sources'
    state = tmp_path_factory.mktemp('apt')
    for name in ('lists/partial', 'archives/partial'):
        (state / name).mkdir(parents=True)
    (state / 'sources.list').write_text(
        f'deb-src [signed-by={KEY_RING}] http://deb.debian.org/debian {SUITE} main\n', encoding='utf-8'
    )
    options = {
        'Dir::Etc::SourceList': state / 'sources.list',
        'Dir::Etc::SourceParts': '/dev/null',
        'Dir::State::Lists': state / 'lists',
        'Dir::Cache': state,
        'APT::Sandbox::User': 'root',
    }
    apt = ['apt-get', '--quiet', *(f'--option={name}={value}' for name, value in options.items())]

    def get(name, target):
        if not list(cache.glob(f'{name}_*.dsc')):
            cache.mkdir(exist_ok=True)
            if not list((state / 'lists').glob('*Sources')):
                subprocess.run([*apt, 'update'], check=True)
            subprocess.run([*apt, '--download-only', 'source', name], cwd=cache, check=True)
        [description] = cache.glob(f'{name}_*.dsc')
        shutil.rmtree(target, ignore_errors=True)
        subprocess.run(['dpkg-source', '--no-check', '--extract', description, target], check=True)

    return get


@pytest.fixture(scope='module')
def project(bootable_image, mkosi, debian_settings, image_directory):
    """One for all, so that the trees are installed once."""
    made = projects.Project(image_directory / 'real', mkosi, debian_settings + SETTINGS)
    made.wrapper = projects.stand_in(made.directory, bootable_image.tree)
    yield made
    projects.remove_tree(made.directory)


def build(project):
    return project.run('--incremental', '--force', wrapper=project.wrapper).stderr


@pytest.mark.parametrize('name', PROGRAMS)
def test_program(project, source, virtual_machine, name):
    script, file, old, new, command, before, after = PROGRAMS[name]
    source(name, project.directory / 'source')
    build_directory = project.directory / 'mkosi.builddir'
    shutil.rmtree(build_directory, ignore_errors=True)
    build_directory.mkdir()
    project.write('mkosi.build', script, 0o755)
    project.write(
        'mkosi.extra/usr/local/sbin/boot-marker', MARKER_SCRIPT.format(command=command, marker=conftest.MARKER), 0o755
    )
    build(project)
    with virtual_machine(project.directory / 'image.raw') as machine:
        machine.wait_for(conftest.MARKER)
        facts = conftest.facts(machine.text)
        machine.wait_for_power_off()
    assert before in facts['program'] and facts['failed'].strip() == ''

    changed = project.directory / 'source' / file
    text = changed.read_text(encoding='utf-8')
    assert old in text
    changed.write_text(text.replace(old, new), encoding='utf-8')
    said = build(project)
    assert projects.BOOTSTRAP not in said and 'Installing packages' not in said
    assert after in project.run('shell', *command.split()).stdout
    # No compiler gets into the image, nor sources.
    listed = project.run('shell', 'sh', '-c', f'ls /usr/bin/gcc /usr/bin/meson /root/src; find / -xdev -name {os.path.basename(file)}')
    assert listed.stdout == ''
