# SPDX-License-Identifier: LGPL-2.1-or-later
"""Disk images with encrypted partitions boot under UEFI firmware with the passphrase, and not without it."""

import re

import conftest
import project as projects
import pytest

PASSPHRASE = 'open sesame'
WRONG = 'open barley'
PROMPT = 'Please enter passphrase for disk'
# Emulated, a machine takes its time for what has to take time.
CHEAP = '--encrypt-kdf=pbkdf2:1000'
COMMAND_LINE = 'console=ttyS0 systemd.show_status=no'

CASES = [
    # Asked for in the initrd; what opens the root opens /home as well, without being asked for again.
    pytest.param(
        ['--encrypt=all', CHEAP, '--home-size=64M', '--swap-size=64M', f'--kernel-command-line={COMMAND_LINE}'],
        {'root': 'ext4', 'root-device': '/dev/mapper/root', 'home-device': '/dev/mapper/home'},
        id='all',
    ),
    # The same with memory-hard key derivation, below a root that changes in memory only.
    pytest.param(
        [
            '--encrypt=all', '--encrypt-kdf-memory=8M', '--format=gpt_squashfs',
            f'--kernel-command-line={COMMAND_LINE} systemd.volatile=overlay',
        ],  # fmt: skip
        {'root': 'overlay', 'root-device': 'overlay', 'home-device': ''},
        id='squashfs',
    ),
    # Asked for by the running system.
    pytest.param(
        ['--encrypt=data', CHEAP, '--home-size=64M', f'--kernel-command-line={COMMAND_LINE}'],
        {'root': 'ext4', 'root-device': r'/dev/vda\d', 'home-device': '/dev/mapper/home'},
        id='data',
    ),
]


@pytest.mark.parametrize(('words', 'expected'), CASES)
def test_boots_with_the_passphrase(
    bootable_image, mkosi, debian_settings, image_directory, virtual_machine, words, expected, request
):
    """The tree of the bootable image, with what opens volumes added to it."""
    directory = image_directory / f'encrypted-{request.node.callspec.id}'
    project = projects.Project(
        directory, mkosi, debian_settings + '[Output]\nBootable=yes\nHostname=teapot\nOutput=image.raw\n'
    )
    project.write('mkosi.passphrase', f'{PASSPHRASE}\n', mode=0o600)
    project.run(*words, wrapper=projects.stand_in(directory, bootable_image.tree))
    with virtual_machine(directory / 'image.raw') as machine:
        machine.wait_for(PROMPT)
        machine.send(f'{WRONG}\n')
        # It asks again, and nothing came of it.
        machine.wait_for(PROMPT, start=machine.wait_for(PROMPT).end())
        assert conftest.MARKER not in machine.text
        machine.send(f'{PASSPHRASE}\n')
        machine.wait_for(conftest.MARKER)
        facts = conftest.facts(machine.text)
        machine.wait_for_power_off()
    for name, value in expected.items():
        assert re.fullmatch(value, (facts[name].split() or [''])[0]), facts
    assert facts['hostname'] == 'teapot' and facts['failed'].strip() == ''
    assert facts['swap'].split()[:1] == (['partition'] if '--swap-size=64M' in words else [])
    projects.remove_tree(directory)
