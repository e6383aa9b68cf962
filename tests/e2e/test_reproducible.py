# SPDX-License-Identifier: LGPL-2.1-or-later
"""The same tree gives the same bytes: in another directory, with another umask, time zone and locale.

A stand-in for debootstrap, mounted over it where only the build sees that, copies a tree that was built before.
So both builds begin with the same tree, and all that follows is mkosi's own."""

import filecmp
import subprocess

import project as projects

EPOCH = '1700000000'

def build(project, wrapper, umask, **environment):
    wrapper = [*wrapper, 'sh', '-e', '-c', f'umask {umask:03o}; exec "$@"', 'sh']
    project.run(wrapper=wrapper, environment={'SOURCE_DATE_EPOCH': EPOCH} | environment)
    return project.directory / 'image.raw'


def test_same_tree_gives_the_same_bytes(bootable_image, mkosi, project_directory):
    settings = (bootable_image.project.directory / 'mkosi.default').read_text(encoding='utf-8')
    wrapper = projects.stand_in(project_directory, bootable_image.tree)

    here = projects.Project(project_directory / 'here', mkosi, settings)
    one = build(here, wrapper, 0o022, TZ='UTC', LC_ALL='C.UTF-8')
    there = projects.Project(project_directory / 'over/there/in a longer path', mkosi, settings)
    two = build(there, wrapper, 0o077, TZ='Asia/Kathmandu', LC_ALL='tr_TR.UTF-8', HOME='/nonexistent')

    if not filecmp.cmp(one, two, shallow=False):
        said = subprocess.run(['cmp', one, two], capture_output=True, text=True, check=False)
        raise AssertionError(f'the images differ: {said.stdout}{said.stderr}')
