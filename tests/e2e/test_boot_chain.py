# SPDX-License-Identifier: LGPL-2.1-or-later
"""The whole chain of trust, from firmware that enforces Secure Boot to the last block of the root: what is signed and
unchanged boots, and whatever was changed offline does not."""

import contextlib
import shutil
from pathlib import Path

import boot
import conftest
import project as projects
import pytest
from small import SECTOR_SIZE, partitions

ENFORCED = 'secureboot: Secure boot enabled'
DENIED = 'Access Denied'
COMMAND_LINE = 'console=ttyS0 systemd.show_status=no ro systemd.volatile=overlay'
SETTINGS = f"""\
[Output]
Bootable=yes
Verity=yes
Hostname=teapot
Output=image.raw
KernelCommandLine={COMMAND_LINE}

"""

# What services write goes to memory; partitions for data and swap are found by their types. Then a byte that no file
# system would miss, and that each reads: the time in the superblock, and labels.
CASES = {
    'gpt_ext4': ([], 1024 + 0x78),
    'gpt_btrfs': (['--compress=zstd'], 64 * 1024 + 0x12B),
    'gpt_squashfs': (['--home-size=64M', '--swap-size=64M'], 8),
}
VERITY_BLOCK_SIZE = 4096
# What a system without a root says in the end.
GAVE_UP = 'Entering emergency mode'


class Chain(projects.Project):
    """Builds the tree of the bootable image, which is copied and not installed again, as other images. All are signed
    with the same key, unless told otherwise."""

    def __init__(self, directory, mkosi, settings, tree):
        super().__init__(directory, mkosi, settings + SETTINGS)
        self.tree = tree
        self.run('genkey')
        self.run('genkey', '--secure-boot-key=foreign.key', '--secure-boot-certificate=foreign.crt')

    def build(self, name, *words):
        self.run('--force', f'--output={name}.raw', *words, wrapper=projects.stand_in(self.directory, self.tree))
        return self.directory / f'{name}.raw'


@pytest.fixture(scope='module')
def chain(bootable_image, mkosi, debian_settings, image_directory):
    made = Chain(image_directory / 'chain', mkosi, debian_settings, bootable_image.tree)
    yield made
    projects.remove_tree(made.directory)


@pytest.fixture(scope='module')
def images(chain):
    """Those of all formats, each built when it is wanted."""
    made = {}

    def image(name):
        if name not in made:
            words = [f'--format={name}', '--secure-boot', '--secure-boot-auto-enroll=force', *CASES[name][0]]
            made[name] = chain.build(name, *words)
        return made[name]

    return image


class Booted:
    """What a machine said that booted to the marker and switched itself off."""

    def __init__(self, machine):
        machine.wait_for(conftest.MARKER, timeout=400)
        self.facts = conftest.facts(machine.text)
        machine.wait_for_power_off()
        self.text = machine.text


@pytest.fixture(scope='module')
def first_boot(images, virtual_machine, image_directory):
    """Of firmware without a key, into which systemd-boot puts ours, and which starts again with it."""
    variables = image_directory / 'chain-variables.fd'
    shutil.copyfile(boot.FIRMWARE_VARIABLES, variables)
    with virtual_machine(images('gpt_squashfs'), secure_variables=variables) as machine:
        booted = Booted(machine)
    booted.variables = variables
    return booted


@pytest.fixture
def enforcing_machine(first_boot, virtual_machine, tmp_path):
    def start(image):
        variables = tmp_path / f'{image.stem}-variables.fd'
        shutil.copyfile(first_boot.variables, variables)
        return virtual_machine(image, secure_variables=variables)

    return start


def change(image, copy, position):
    """A copy in which one bit is another."""
    projects.copy_sparse(image, copy)
    with open(copy, 'r+b') as file:
        file.seek(position)
        byte = file.read(1)
        file.seek(position)
        file.write(bytes([byte[0] ^ 1]))
    return copy


@pytest.mark.parametrize('name', CASES)
def test_boots_what_is_signed(images, first_boot, enforcing_machine, name):
    """The firmware starts the kernel, which has the root hash on its command line, and the rest is found by it."""
    image = images(name)
    booted = first_boot
    if name != 'gpt_squashfs':
        with enforcing_machine(image) as machine:
            booted = Booted(machine)
    facts = booted.facts
    root_hash = image.with_suffix('.roothash').read_text(encoding='utf-8').strip()
    # Once: the kernel did not start before the firmware had the key.
    assert booted.text.count(ENFORCED) == 1
    assert facts['secure-boot'].strip() == '1'
    assert f'roothash={root_hash}' in facts['command-line']
    assert facts['mapped'].startswith('CRYPT-VERITY-')
    assert facts['root'].split()[0] == 'overlay'
    assert facts['failed'].strip() == '' and facts['hostname'] == 'teapot'
    if name == 'gpt_squashfs':
        assert facts['home'] == 'ext4' and facts['swap'] == 'partition'


def test_a_changed_root_does_not_boot(images, enforcing_machine, tmp_path):
    """Side by side, since the initrd gives up only after a while."""
    with contextlib.ExitStack() as stack:
        machines = {}
        for name, (_, position) in CASES.items():
            image = images(name)
            start = partitions(image)[-2]['start'] * SECTOR_SIZE
            changed = change(image, tmp_path / f'{name}.raw', start + position)
            machines[name] = stack.enter_context(enforcing_machine(changed))
        for name, machine in machines.items():
            block = CASES[name][1] // VERITY_BLOCK_SIZE
            machine.wait_for(f'device-mapper: verity: .* data block {block} is corrupted', timeout=600)
            machine.wait_for(GAVE_UP, timeout=600)
            assert conftest.MARKER not in machine.text and 'login:' not in machine.text


def test_another_root_hash_does_not_boot(images, enforcing_machine, tmp_path):
    """What could tell the kernel to take another root: it stands in what is signed."""
    image = images('gpt_squashfs')
    wanted = b'roothash=' + Path(image.with_suffix('.roothash')).read_bytes().strip()
    esp = partitions(image)[0]
    with open(image, 'rb') as file:
        file.seek(esp['start'] * SECTOR_SIZE)
        content = file.read(esp['size'] * SECTOR_SIZE)
    assert content.count(wanted) == 1
    position = esp['start'] * SECTOR_SIZE + content.index(wanted) + len('roothash=')
    with enforcing_machine(change(image, tmp_path / 'changed.raw', position)) as machine:
        machine.wait_for(f'(?i)error loading .*{DENIED}')
    assert 'Linux version' not in machine.text


@pytest.mark.parametrize(
    'words',
    [
        pytest.param([], id='unsigned'),
        pytest.param(
            ['--secure-boot', '--secure-boot-key=foreign.key', '--secure-boot-certificate=foreign.crt'], id='foreign'
        ),
    ],
)
def test_what_others_made_does_not_boot(chain, enforcing_machine, words, request):
    image = chain.build(request.node.callspec.id, '--format=gpt_squashfs', *words)
    with enforcing_machine(image) as machine:
        machine.wait_for(DENIED)
    assert 'Linux version' not in machine.text
    image.unlink()
