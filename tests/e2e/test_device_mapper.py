# SPDX-License-Identifier: LGPL-2.1-or-later
"""Other systems use our partitions: a kernel of Debian with device mapper, and cryptsetup and veritysetup of this machine,
in a virtual machine that has our images as further disks."""

import conftest
import guest
import pytest
from small import SECTOR_SIZE, Small, partitions

PASSPHRASE, WRONG = 'open sesame', 'open barley'
MARKER = 'Nobody changes what is said here, nor reads it without being asked in.'
FILES = {'mkosi.extra/etc/marker': MARKER, 'mkosi.extra/home/marker': MARKER}

PROGRAMS = ('cat', 'cryptsetup', 'insmod', 'mount', 'umount', 'veritysetup')
MODULES = ('virtio_pci', 'virtio_blk', 'dm-crypt', 'dm-verity', 'ecb', 'xts', 'algif_skcipher', 'squashfs')

# The disks are vda and following, in the order of the function below.
SCRIPT = f"""
fact() {{ echo "FACT $1=$2"; }}
show() {{
        if mount -o ro "$2" /mnt; then
                fact "$1" "$(cat "/mnt/$3" 2>&1)"
                umount /mnt
        else
                fact "$1" "not mounted"
        fi
}}
open_volume() {{
        if printf '%s' "$3" | cryptsetup open --key-file=- "$2" "$1"; then fact "$1" open; else fact "$1" "refused $?"; fi
}}
open_volume wrong /dev/vda@root@ '{WRONG}'
open_volume root /dev/vda@root@ '{PASSPHRASE}'
show root-marker /dev/mapper/root etc/marker
open_volume wrong-home /dev/vda@home@ '{WRONG}'
open_volume home /dev/vda@home@ '{PASSPHRASE}'
show home-marker /dev/mapper/home marker

open_verified() {{ veritysetup open "/dev/$2@data@" "$1" "/dev/$2@tree@" "$3"; fact "$1" "$?"; }}
open_verified verity vdb @hash@
show verity-marker /dev/mapper/verity etc/marker
open_verified flipped vdc @hash@
show flipped-marker /dev/mapper/flipped etc/marker
veritysetup close verity
open_verified foreign vdb @other-hash@
show foreign-marker /dev/mapper/foreign etc/marker
open_verified squashfs vdd @squashfs-hash@
show squashfs-marker /dev/mapper/squashfs etc/marker
"""


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, image_directory):
    return Small(image_directory / 'small-device-mapper', mkosi, small_distribution, FILES)


def numbers(image):
    """The number of each partition, by its name."""
    return {entry['name']: str(index + 1) for index, entry in enumerate(partitions(image))}


def build(small, name, settings, *words):
    project = small.project(name, f'[Output]\nOutput=image.raw\n{settings}')
    project.write('mkosi.passphrase', f'{PASSPHRASE}\n', mode=0o600)
    small.build(project, *words)
    return project.directory / 'image.raw'


def copy_with_flip(image, path):
    """One bit of the file in the root file system is another."""
    path.write_bytes(image.read_bytes())
    [entry] = [entry for entry in partitions(image) if entry['name'] == 'Root Partition']
    data = image.read_bytes()
    position = data.index(MARKER.encode(), entry['start'] * SECTOR_SIZE)
    with open(path, 'r+b') as file:
        file.seek(position)
        file.write(bytes([data[position] ^ 1]))
    return path


def test_opened_by_others(small, virtual_machine, foreign_tool, tmp_path):
    """All in one machine, which takes a while to boot."""
    encrypted = build(small, 'encrypted', 'Encrypt=all\nEncryptKDFMemory=8M\n[Partitions]\nHomeSize=32M\n')
    verity = build(small, 'verity', 'Verity=yes\n')
    squashfs = build(small, 'squashfs', 'Format=gpt_squashfs\nVerity=yes\n')
    flipped = copy_with_flip(verity, tmp_path / 'flipped.raw')
    hashes = [image.with_name('image.roothash').read_text().strip() for image in (verity, squashfs)]
    assert numbers(verity) == numbers(squashfs)

    places = {
        'root': numbers(encrypted)['Root Partition'], 'home': numbers(encrypted)['Home Partition'],
        'data': numbers(verity)['Root Partition'], 'tree': numbers(verity)['Verity Partition'],
        'hash': hashes[0], 'other-hash': hashes[0][1:] + hashes[0][0], 'squashfs-hash': hashes[1],
    }  # fmt: skip
    script = SCRIPT
    for name, value in places.items():
        script = script.replace(f'@{name}@', value)
    programs = [foreign_tool(name) for name in PROGRAMS]
    initrd = guest.make_rich_initrd(tmp_path / 'initrd', script, programs, MODULES)

    options = ['-kernel', guest.kernel(), '-initrd', initrd, '-append', 'console=ttyS0 quiet panic=-1 printk.time=0']
    for i, image in enumerate((verity, flipped, squashfs)):
        options += ['-drive', f'file={image},format=raw,if=none,id=more{i},snapshot=on,cache=unsafe',
                    '-device', f'virtio-blk-pci,drive=more{i}']  # fmt: skip
    with virtual_machine(encrypted, options=options) as machine:
        machine.wait_for('FACT squashfs-marker=.*\n')
        facts = conftest.facts(machine.text)
        machine.wait_for_power_off()

    # No key is available with this passphrase, says cryptsetup(8) by 2.
    assert facts['wrong'] == facts['wrong-home'] == 'refused 2'
    assert facts['root'] == facts['home'] == 'open'
    assert facts['root-marker'] == facts['home-marker'] == MARKER
    assert facts['verity'] == facts['squashfs'] == '0'
    assert facts['verity-marker'] == facts['squashfs-marker'] == MARKER
    # What was changed cannot be read, and under another root hash nothing can.
    assert 'Input/output error' in facts['flipped-marker']
    assert facts['foreign-marker'] == 'not mounted'
