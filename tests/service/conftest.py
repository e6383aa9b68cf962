# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the tests of services share: a rig for each of them."""

import os

import pytest
from rig import PROGRAM_NAMES, Rig, programs


@pytest.fixture
def rig():
    """A machine of its own, with a manager that has nothing to do yet."""
    if os.geteuid() != 0:
        pytest.skip('services need root')
    for name in PROGRAM_NAMES:
        assert (programs() / name).exists(), (
            f'{programs() / name} is not there: compile it, or name the directory in MKOSI_SERVICE_PROGRAMS'
        )
    with Rig() as machine:
        yield machine
