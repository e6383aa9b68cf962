# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same tree gives the same bytes: in another directory, with another umask, time zone and locale.

A stand-in for debootstrap, mounted over it where only the build sees that, copies a tree that was built before.
So both builds begin with the same tree, and all that follows is mkosi's own."""

import filecmp
import shutil
import subprocess

import project as projects

EPOCH = '1700000000'

# The target is the only argument that is a directory. The tree is mounted where a package manager's sandbox sees it.
STAND_IN = """\
#!/bin/sh
for argument; do
        if [ -d "$argument" ]; then
                exec cp -a /mnt/. "$argument"
        fi
done
exit 1
"""


def build(project, tree, stand_in, umask, **environment):
    """Builds in a mount namespace in which debootstrap is the stand-in, which copies the tree."""
    script = 'mount --bind "$1" /mnt; mount --bind "$2" "$3"; umask "$4"; shift 4; exec "$@"'
    wrapper = ['unshare', '--mount', '--propagation=private', 'sh', '-e', '-c', script, 'sh']
    wrapper += [tree, stand_in, shutil.which('debootstrap'), f'{umask:03o}']
    project.run(wrapper=wrapper, environment={'SOURCE_DATE_EPOCH': EPOCH} | environment)
    return project.directory / 'image.raw'


def test_same_tree_gives_the_same_bytes(bootable_image, mkosi, project_directory):
    settings = (bootable_image.project.directory / 'mkosi.default').read_text(encoding='utf-8')
    stand_in = project_directory / 'debootstrap'
    stand_in.write_text(STAND_IN, encoding='utf-8')
    stand_in.chmod(0o755)
    tree = bootable_image.tree

    here = projects.Project(project_directory / 'here', mkosi, settings)
    one = build(here, tree, stand_in, 0o022, TZ='UTC', LC_ALL='C.UTF-8')
    there = projects.Project(project_directory / 'over/there/in a longer path', mkosi, settings)
    two = build(there, tree, stand_in, 0o077, TZ='Asia/Kathmandu', LC_ALL='tr_TR.UTF-8', HOME='/nonexistent')

    if not filecmp.cmp(one, two, shallow=False):
        said = subprocess.run(['cmp', one, two], capture_output=True, text=True, check=False)
        raise AssertionError(f'the images differ: {said.stdout}{said.stderr}')
