# SPDX-License-Identifier: LGPL-2.1-or-later
"""systemd says of our images whether each partition is protected as a policy demands (systemd.image-policy(7))."""

import dissect
import pytest
from small import Small

# Name → settings, the policy that the image has to satisfy, and one that it must not.
CASES = {
    'plain': ('', 'root=unprotected', 'root=verity'),
    'data': (
        '[Partitions]\nHomeSize=2M\nSrvSize=2M\nSwapSize=1M\n',
        'root=unprotected:home=unprotected:srv=unprotected:swap=unprotected', 'root=unprotected:home=absent',
    ),
    'verity': ('Verity=yes\n', 'root=verity', 'root=signed'),
    'btrfs': ('Format=gpt_btrfs\nVerity=yes\n', 'root=verity', 'root=encrypted'),
    'signed': ('Format=gpt_squashfs\nVerity=yes\n', 'root=signed', 'root=encrypted'),
    'encrypted': (
        'Encrypt=all\nEncryptKDF=pbkdf2:1000\n[Partitions]\nHomeSize=32M\n',
        'root=encrypted:home=encrypted', 'root=encrypted:home=unprotected',
    ),
}  # fmt: skip


@pytest.fixture(scope='module')
def small(mkosi, small_distribution, image_directory):
    return Small(image_directory / 'small-dissect', mkosi, small_distribution, {'mkosi.extra/etc/marker': 'x\n'})


@pytest.mark.parametrize('name', CASES)
def test_policies(small, name):
    settings, satisfied, denied = CASES[name]
    project = small.project(name, f'[Output]\nOutput=image.raw\n{settings}')
    project.write('mkosi.passphrase', 'open sesame\n', mode=0o600)
    if name == 'signed':
        project.run('genkey', 'verity')
    small.build(project)
    image = project.directory / 'image.raw'
    status, said = dissect.validate(image, f'{satisfied}:=absent+unused')
    assert status == 0, said
    status, said = dissect.validate(image, f'{denied}:=absent+unused')
    assert status != 0 and 'does not match image policy' in said, said
