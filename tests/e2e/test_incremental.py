# SPDX-License-Identifier: LGPL-2.1-or-later
"""Trees that are kept for the next build: when they are used, when not and why, and that they are never anything else than
what would be built without them."""

import base64
import os
import signal
import tarfile

import project as projects
import pytest
import trees
from small import Small
from test_build import distribution  # noqa: F401  pylint: disable=unused-import
from test_interrupt import mounts_below

EPOCH = {'SOURCE_DATE_EPOCH': '1700000000'}
BUILD = """\
#!/bin/sh
set -e
fixture-compile greeting.c "$DESTDIR/greeting"
! [ -e /etc/litter ]
touch /etc/litter
rm /etc/skeleton
"""
FILES = {
    'mkosi.extra/etc/extra': 'extra\n',
    'mkosi.skeleton/etc/skeleton': 'skeleton\n',
    'greeting.c': 'hello\n',
}
SETTINGS = '[Output]\nFormat=tar\nOutput=image.tar\nCompressOutput=no\n[Packages]\nBuildPackages=fixture-compiler\n'
BASE, DEVELOPMENT = projects.BOOTSTRAP, 'Installing packages for the build'
KEPT = ('image.tar.cache-pre-inst', 'image.tar.cache-pre-dev')


@pytest.fixture(scope='module')
def small(mkosi, distribution, tmp_path_factory):  # noqa: F811  pylint: disable=redefined-outer-name
    directory = tmp_path_factory.mktemp('incremental')
    yield Small(directory, mkosi, distribution, {})
    projects.remove_tree(directory)


@pytest.fixture
def project(small, request):
    made = small.project(request.node.name.replace('/', '-'), SETTINGS)
    for path, text in FILES.items():
        made.write(path, text)
    made.write('mkosi.build', BUILD, 0o755)
    made.write('mkosi.prepare', '#!/bin/sh\necho "$1" >>/etc/prepared\n', 0o755)
    yield made
    assert made.workspaces == [] and mounts_below(made.directory) == set()
    projects.remove_tree(made.directory)


def build(small, project, *words, **options):
    """What was made anew: "base", "development"."""
    environment = {**EPOCH, **options.pop('environment', {})}
    said = small.build(project, '--incremental', '--force', *words, environment=environment, **options).stderr
    return [name for name, sign in (('base', BASE), ('development', DEVELOPMENT)) if f'✓ {sign}' in said]


def plan(small, project, *words):
    said = small.build(project, 'plan', '--incremental', *words, environment=EPOCH).stdout
    return said.split(' 1. ')[0]


BOTH = ['base', 'development']


def test_same_bytes(small, project):
    small.build(project, '--force', environment=EPOCH)
    image = project.directory / 'image.tar'
    plain = image.read_bytes()
    assert build(small, project) == BOTH
    assert image.read_bytes() == plain
    record = project.directory / 'image.tar.cache-output'
    assert sorted(path.name for path in project.directory.glob('*.cache-pre-*')) == sorted(KEPT)
    # No copy of all of it: what the overlay has above the base tree.
    assert (project.directory / KEPT[1] / 'changes').is_dir()
    for _ in range(2):
        # Somebody has touched the output: it is made again, of what is kept.
        os.utime(image)
        assert 'output image.tar changed' in plan(small, project)
        assert build(small, project) == []
        assert image.read_bytes() == plain
    record.unlink()
    assert plan(small, project) == (
        'The base tree is kept from an earlier build.\nThe development tree is kept from an earlier build.\n'
    )
    # Who does not ask for it does not get it.
    assert f'✓ {BASE}' in small.build(project, '--force', environment=EPOCH).stderr


def test_up_to_date(small, project):
    """When nothing has changed, nothing is done, also without --force; and every change is noticed."""
    words = ['--incremental', '--format=directory', '--output=image']
    small.build(project, *words, environment=EPOCH)
    image = project.directory / 'image'
    before = os.stat(image)
    for more in ([], ['--force']):
        said = small.build(project, *words, *more, environment=EPOCH).stderr
        assert f'{image} is up to date: nothing that it is made of has changed\n' in said and '✓' not in said
    assert 'up to date' in small.build(project, *words, 'plan', environment=EPOCH).stdout
    assert os.stat(image) == before

    def changed(change, reason, more=()):
        change()
        assert reason in small.build(project, *words, *more, 'plan', environment=EPOCH).stdout
        assert '✓' in small.build(project, *words, *more, '--force', environment=EPOCH).stderr
        said = small.build(project, *words, *more, environment=EPOCH).stderr
        assert 'up to date' in said

    changed(lambda: project.write('greeting.c', 'good night\n'), 'source greeting.c changed')
    changed(lambda: project.write('mkosi.build', BUILD + '#\n', 0o755), 'mkosi.build changed')
    changed(lambda: project.write('mkosi.extra/etc/more', ''), 'mkosi.extra etc/more is new')
    changed(lambda: os.utime(image), 'output image changed')
    changed(lambda: (image / 'etc/broken').write_text('x', encoding='utf-8'), 'output image changed')
    assert not (image / 'etc/broken').exists()
    changed(lambda: None, 'Hostname= is new', ['--hostname=teapot'])
    # Asked for twice, it is built whatever there is.
    assert f'✓ {BASE}' in small.build(project, *words, '-ff', environment=EPOCH).stderr


# What is changed (options, variables, a file, or its time), what has to be built anew for it, and what is said.
CHANGES = {
    'package': (['--package=bash'], BOTH, 'package bash is new'),
    'docs': (['--with-docs'], BOTH, 'WithDocs= changed from no to yes'),
    'build-package': (['--build-package=bash'], ['development'], 'build package bash is new'),
    'skeleton': ('mkosi.skeleton/etc/skeleton', BOTH, 'mkosi.skeleton etc/skeleton changed'),
    'more-skeleton': ('mkosi.skeleton/etc/more', BOTH, 'mkosi.skeleton etc/more is new'),
    'prepare': ('mkosi.prepare', BOTH, 'prepare script'),
    'environment': (['--environment=X=y'], BOTH, 'Environment= X is new'),
    'time': ({'SOURCE_DATE_EPOCH': '1700000001'}, BOTH, 'SOURCE_DATE_EPOCH changed from 1700000000 to 1700000001'),
    'partition': (['--format=gpt_ext4', '--home-size=8M'], BOTH, 'partition for /home is new'),
    'format': (['--format=gpt_btrfs'], BOTH, 'subvolumes changed from no to directories for them'),
    'tools': (['--extra-search-path=/none'], BOTH, 'ExtraSearchPaths= /none is new'),
    'skeleton-time': (('mkosi.skeleton/etc/skeleton', 1000), BOTH, 'mkosi.skeleton etc/skeleton changed'),
    # These make no difference to what is kept.
    'skeleton-late': (('mkosi.skeleton/etc/skeleton', 1700000005), [], ''),
    'extra-time': (('mkosi.extra/etc/extra', 1000), [], 'mkosi.extra etc/extra changed'),
    'source-time': (('greeting.c', 1000), [], 'source greeting.c changed'),
    'extra': ('mkosi.extra/etc/extra', [], ''),
    'build': ('mkosi.build', [], ''),
    'source': ('greeting.c', [], ''),
    'hostname': (['--hostname=teapot'], [], ''),
    'password': (['--checksum', '--manifest', '--without-tests'], [], ''),
}


@pytest.mark.parametrize('name', CHANGES)
def test_what_changed(small, project, name):
    change, expected, reason = CHANGES[name]
    assert build(small, project) == BOTH
    words, environment = [], {}
    if isinstance(change, list):
        words = change
    elif isinstance(change, dict):
        environment = change
    elif isinstance(change, tuple):
        os.utime(project.directory / change[0], (change[1], change[1]))
    else:
        path = project.directory / change
        text = path.read_text(encoding='utf-8') if path.exists() else ''
        project.write(change, text + '# changed\n', 0o755)
    said = small.build(project, 'plan', '--incremental', *words, environment={**EPOCH, **environment}).stdout
    assert reason in said and ('tree is built anew' in said) == bool(expected)
    assert ('Installing the base system' in said) == ('base' in expected)
    assert build(small, project, *words, environment=environment) == expected
    assert build(small, project, *words, environment=environment) == []


def test_kept_trees_are_removed(small, project):
    assert build(small, project) == BOTH
    (project.directory / 'mkosi.builddir').mkdir()
    project.write('mkosi.builddir/object', '')
    cache = project.write('mkosi.cache/debian~fixture/package.deb', '')
    trees = [project.directory / name for name in KEPT]
    settings = ['--incremental']
    small.build(project, 'clean', *settings)
    assert all(tree.exists() for tree in trees) and not (project.directory / 'image.tar').exists()
    assert build(small, project) == []
    # -ff builds all of it anew, and empties the build directory.
    assert build(small, project, '--force') == BOTH
    assert not (project.directory / 'mkosi.builddir/object').exists() and cache.exists()
    small.build(project, 'clean', '--force', *settings)
    assert not any(tree.exists() for tree in trees) and cache.exists()
    small.build(project, 'clean', '-ff', *settings)
    assert not cache.exists()


@pytest.mark.parametrize('name', ['gpt_ext4', 'gpt_btrfs', 'gpt_squashfs', 'plain_squashfs', 'directory'])
def test_every_format(small, project, name):
    words = [f'--format={name}', '--output=out']
    assert build(small, project, *words) == BOTH
    assert build(small, project, *words) == []


@pytest.mark.parametrize('step', [BASE, 'Keeping the base tree', DEVELOPMENT, 'Keeping the development tree', 'Making the final tree'])
def test_killed(small, project, step):
    """Whenever it is killed, the next build makes what it would have made."""
    small.build(project, '--force', environment=EPOCH)
    plain = (project.directory / 'image.tar').read_bytes()
    running = project.start('--incremental', '--force', wrapper=small.wrapper, environment=EPOCH)
    try:
        running.wait_for(step)
        running.kill(signal.SIGKILL)
        running.wait()
    finally:
        running.end()
    build(small, project)
    assert (project.directory / 'image.tar').read_bytes() == plain
    assert build(small, project) == []


def test_without_overlay(small, project, tmp_path):
    """Copies stand in for overlays, and are kept as well."""
    small.build(project, '--force', environment=EPOCH)
    plain = (project.directory / 'image.tar').read_bytes()
    for name in ('upper', 'work', 'merged'):
        (tmp_path / name).mkdir()
    options = f'lowerdir={project.directory},upperdir={tmp_path}/upper,workdir={tmp_path}/work'
    script = f'mount -t overlay overlay -o {options} {tmp_path}/merged; cd {tmp_path}/merged; exec "$@"'
    wrapper = ['unshare', '--mount', 'sh', '-ec', script, 'sh', *small.wrapper]
    words = ['--incremental', '--force', '--debug']
    for sign in (True, False):
        (tmp_path / 'upper/image.tar.cache-output').unlink(missing_ok=True)
        said = project.run(*words, environment=EPOCH, wrapper=wrapper).stderr
        assert 'cannot be mounted' in said and (BASE in said, DEVELOPMENT in said) == (sign, sign)
        assert (tmp_path / 'upper/image.tar').read_bytes() == plain


# What scripts do to files of the base tree: to one of two names, to directories that are replaced, moved, emptied.
POSTINST = """\
#!/bin/sh -e
[ "$1" = final ] || exit 0
cd /srv
echo more >>one
rm -r replaced gone/file
mkdir replaced
touch replaced/new
mv moved elsewhere
chmod 0700 deep/deeper
touch -d @1000 capable
ln -s one link
mknod device c 1 3
rm gone-link && ln two third
"""
PREPARE = """\
#!/bin/sh -e
[ "$1" = final ] || exit 0
cd /srv
mkdir -p replaced/old gone moved/inner deep/deeper
touch replaced/old/file gone/file moved/inner/file deep/deeper/file gone-link
echo one >one
ln one two
chown 12:34 one
chmod 4755 gone-link
"""
# Version 2, with CAP_NET_RAW, as setcap(8) writes it.
CAPABILITY = bytes.fromhex('0100000200200000000000000000000000000000')


def test_layers(small, project):
    """What an overlay makes of changes (names of one file, whiteouts, opaque and moved directories, capabilities) comes out as
    what it would have been without one."""
    project.write('mkosi.prepare', PREPARE, 0o755)
    project.write('mkosi.postinst', POSTINST, 0o755)
    with tarfile.open(project.directory / 'mkosi.skeleton.tar', 'w', format=tarfile.PAX_FORMAT) as archive:
        member = tarfile.TarInfo('srv/capable')
        member.mode = 0o755
        member.pax_headers = {'LIBARCHIVE.xattr.security.capability': base64.b64encode(CAPABILITY).decode()}
        archive.addfile(member)
    for words in (['--format=tar'], ['--format=directory', '--output=image'], ['--format=gpt_ext4', '--output=image.raw']):
        output = project.directory / (words[1:] or ['--output=image.tar'])[0].removeprefix('--output=')
        seen = []
        for more in ([], ['-ff', '--incremental'], ['--force', '--incremental']):
            (project.directory / f'{output.name}.cache-output').unlink(missing_ok=True)
            small.build(project, '--force', *words, *more, environment=EPOCH)
            seen.append(output.read_bytes() if output.is_file() else trees.describe(output))
        assert seen[0] == seen[1] == seen[2], words
    image = project.directory / 'image/srv'
    assert os.getxattr(image / 'capable', 'security.capability') == CAPABILITY
    assert (image / 'two').read_text(encoding='utf-8') == 'one\nmore\n' and os.stat(image / 'two').st_nlink == 3
    assert os.listdir(image / 'replaced') == ['new'] and os.listdir(image / 'gone') == []


@pytest.mark.parametrize('kept', KEPT)
def test_changed_by_hand(small, project, kept):
    """Somebody was in there: what is kept is not what it says it is."""
    assert build(small, project) == BOTH
    [content] = [path for path in (project.directory / kept).iterdir() if path.is_dir()]
    for change in (lambda: (content / 'etc/litter').write_text('x', encoding='utf-8'), lambda: (content / 'etc').chmod(0o700)):
        [content] = [path for path in (project.directory / kept).iterdir() if path.is_dir()]
        change()
        (project.directory / 'image.tar.cache-output').unlink()
        assert 'what was kept is not as it was left' in plan(small, project)
        assert build(small, project) == (BOTH if kept == KEPT[0] else ['development'])
        (project.directory / 'image.tar.cache-output').unlink()
        assert build(small, project) == []


# Instead of dracut: what it opens, what it makes for a moment, and what it only looks at.
INITRD = """\
#!/bin/sh -e
for target; do :; done
touch /var/tmp/made
cat /usr/lib/initrd /etc/opened >"$target"
[ -x /etc/looked-at ] && echo x >>"$target"
rm /var/tmp/made
"""


def test_initrd(mkosi, small_bootable_distribution, tmp_path):
    """It is generated again when what its generator has opened, or could see, is something else; and otherwise it is what would
    have been generated."""
    small = Small(tmp_path, mkosi, small_bootable_distribution, {})
    project = small.project('project', '[Output]\nBootable=yes\nOutput=image.raw\n')
    image, kept = project.directory / 'image.raw', project.directory / 'image.raw.cache-pre-inst'
    project.write('mkosi.extra/usr/bin/dracut', INITRD, 0o755)
    for name in ('opened', 'looked-at', 'neither'):
        project.write(f'mkosi.extra/etc/{name}', 'x\n')

    def runs():
        said = small.build(project, '--incremental', '--force', '--debug', environment=EPOCH).stderr
        return 'Running dracut' in said

    assert runs()
    for name, text, mode, expected in (
        ('neither', 'other\n', 0o644, False),
        ('opened', 'other\n', 0o644, True),
        ('looked-at', 'other\n', 0o644, False),
        ('looked-at', 'other\n', 0o755, True),
        ('new', '', 0o644, True),
    ):
        project.write(f'mkosi.extra/etc/{name}', text, mode)
        assert runs() == expected
        made = image.read_bytes()
        for path in kept.glob('initrd-*'):
            projects.remove_tree(path)
        (project.directory / 'image.raw.cache-output').unlink()
        assert runs() and image.read_bytes() == made
    projects.remove_tree(tmp_path)


def test_order_of_trees(small, project):
    for name in ('one', 'two'):
        project.write(f'{name}/etc/which', name)
    for kind in ('skeleton', 'extra'):
        # One after the other, so that nothing but the order has changed.
        for names in (('one', 'two'), ('two', 'one')):
            words = [f'--{kind}-tree={name}' for name in names]
            small.build(project, '--incremental', '--force', *words, '--format=directory', '--output=image', environment=EPOCH)
            assert (project.directory / 'image/etc/which').read_text(encoding='utf-8') == names[1]


def test_what_nobody_can_list(small, project):
    """What a script on the host looks at is not known: it runs each time."""
    project.write('mkosi.finalize', '#!/bin/sh\necho "$VERSION" >"$BUILDROOT/etc/version"\n', 0o755)
    for version in ('1', '2'):
        small.build(
            project, '--incremental', '--force', '--format=directory', '--output=image', environment=EPOCH | {'VERSION': version}
        )
        assert (project.directory / 'image/etc/version').read_text(encoding='utf-8') == f'{version}\n'


def test_two_at_once(small, project):
    """The second is told who is at it."""
    project.write('mkosi.build', '#!/bin/sh\necho it runs\nsleep 1000\n', 0o755)
    first = project.start('--incremental', wrapper=small.wrapper, environment=EPOCH)
    try:
        first.wait_for('it runs')
        said = small.build(project, '--incremental', '--force', '--force', status=1, environment=EPOCH).stderr
        assert f'Another build of {project.directory}/image.tar is under way (process' in said
        assert os.path.exists(project.directory / KEPT[0])
        said = small.build(project, 'clean', '-ff', status=1).stderr
        assert 'is under way (process' in said and (project.directory / KEPT[0]).exists()
        # Who only looks waits for nobody.
        for verb in ('summary', 'json', 'plan'):
            small.build(project, verb, '--incremental', environment=EPOCH)
        assert first.process.poll() is None
    finally:
        first.kill(signal.SIGINT)
        first.wait()
        first.end()


# A build with all that is kept, and everything it may lie beside.
KILLED = ['--incremental', '--force', '--checksum', '--manifest', '--keep-failed']
MADE = {'image.tar', 'SHA256SUMS', 'image.manifest', 'image.tar.cache-output', *KEPT}


def names(project):
    return {path.name for path in project.directory.iterdir()}


def kill_at(small, project, number):
    """Runs a build that is killed by the call with this number, before it if that is negative. Whether it was."""
    library = small.mkosi.parents[1] / 'tests/tools/kill-at.so'
    assert library.exists(), f'{library} is not there: compile with -Dtests=enabled'
    environment = EPOCH | {'KILL_AT': str(number), 'KILL_PRELOAD': str(library)}
    # Nothing but the program itself is to have the library.
    wrapper = [*small.wrapper, 'sh', '-c', 'LD_PRELOAD=$KILL_PRELOAD exec "$@"', 'sh']
    running = project.start(*KILLED, wrapper=wrapper, environment=environment)
    try:
        status = running.wait()
    finally:
        running.end()
    assert status in (0, -signal.SIGKILL), running.output
    return status != 0


def test_killed_anywhere(small, project):
    """Whatever has just been moved or mounted, or is about to be, when it is killed: the next build makes what it would have
    made, clean leaves what was there before, and nothing is left that neither of them knows."""
    sources = names(project)
    small.build(project, *KILLED, environment=EPOCH)
    assert names(project) == sources | MADE
    plain = {name: (project.directory / name).read_bytes() for name in MADE if (project.directory / name).is_file()}
    del plain['image.tar.cache-output']
    number, killed = 0, True
    while killed:
        number += 1
        for sign in (number, -number):
            small.build(project, 'clean', '--force', '--incremental')
            assert names(project) == sources
            killed = kill_at(small, project, sign)
            if sign < 0:
                small.build(project, *KILLED, environment=EPOCH)
                assert names(project) == sources | MADE
                assert {name: (project.directory / name).read_bytes() for name in plain} == plain
                assert 'up to date' in small.build(project, 'plan', '--incremental', *KILLED, environment=EPOCH).stdout
    # Were it less, the library would not have worked.
    assert number > 8
