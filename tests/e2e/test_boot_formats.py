# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disk images with other root file systems than ext4, and with more partitions, boot under UEFI firmware."""

import conftest
import project as projects
import pytest

COMMAND_LINE = 'console=ttyS0 systemd.show_status=no'

CASES = [
    # /home and the like are subvolumes.
    pytest.param(
        ['--format=gpt_btrfs', '--compress=zstd', f'--kernel-command-line={COMMAND_LINE}'],
        {'root': 'btrfs', 'home': '', 'swap': ''},
        id='btrfs',
    ),
]


@pytest.mark.parametrize(('words', 'expected'), CASES)
def test_boots_and_powers_off(
    bootable_image, mkosi, debian_settings, image_directory, virtual_machine, words, expected
):
    """The tree of the bootable image, which is copied and not installed again, on another file system."""
    directory = image_directory / f'boot-{expected["root"]}'
    project = projects.Project(
        directory, mkosi, debian_settings + '[Output]\nBootable=yes\nHostname=teapot\nOutput=image.raw\n'
    )
    project.run(*words, wrapper=projects.stand_in(directory, bootable_image.tree))
    with virtual_machine(directory / 'image.raw') as machine:
        machine.wait_for(conftest.MARKER)
        facts = conftest.facts(machine.text)
        machine.wait_for_power_off()
    assert facts['root'].split()[0] == expected['root']
    assert facts['home'].split()[:1] == expected['home'].split()
    assert facts['swap'].split()[:1] == expected['swap'].split()
    assert facts['hostname'] == 'teapot' and facts['failed'].strip() == ''
    projects.remove_tree(directory)
