# SPDX-License-Identifier: LGPL-2.1-or-later
"""A build needs no loop device, no device mapper and no mount of a block device: here it can have none."""

import subprocess

import project as projects
import pytest


@pytest.fixture(scope='module')
def forbid_loop(mkosi):
    path = mkosi.parents[1] / 'tests/tools/forbid-loop'
    assert path.exists(), f'{path} is not there: compile it'
    return path


def test_wrapper_forbids_loop_devices(forbid_loop, tmp_path, root_user):
    """Without this the test below would prove nothing."""
    image = tmp_path / 'image.ext4'
    with open(image, 'wb') as file:
        file.truncate(8 << 20)
    subprocess.run(['mkfs.ext4', '-q', image], check=True)
    mount = ['mount', '-o', 'loop', image, tmp_path]
    node = ['mknod', tmp_path / 'loop0', 'b', '7', '0']
    for command in (mount, node):
        refused = subprocess.run([forbid_loop, *command], capture_output=True, text=True, check=False)
        assert refused.returncode != 0 and 'Operation not permitted' in refused.stderr
    control = tmp_path / 'loop-control'
    subprocess.run(['mknod', control, 'c', '10', '237'], check=True)
    refused = subprocess.run(
        [forbid_loop, 'losetup', '--find'],
        capture_output=True,
        text=True,
        check=False,
        env=projects.clean_environment(),
    )
    assert refused.returncode != 0


def test_disk_is_assembled_without_block_devices(forbid_loop, mkosi, small_distribution, project_directory):
    project = projects.Project(project_directory, mkosi, small_distribution.settings)
    project.run(wrapper=[*small_distribution.wrapper, forbid_loop])
    said = subprocess.run(
        ['sfdisk', '--verify', project.directory / 'image.raw'], capture_output=True, text=True, check=True
    )
    assert 'No errors detected' in said.stdout
