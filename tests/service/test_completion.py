# SPDX-License-Identifier: LGPL-2.1-or-later
"""What bash proposes for mkosi-ctl."""

import pytest

SLEEP = '/bin/sleep infinity'


@pytest.fixture
def propose(rig):
    rig.write('/run/completion', rig.ctl('completion', 'bash').stdout)

    def call(*words):
        quoted = ' '.join(f"'{word}'" for word in ('mkosi-ctl', *words))
        return rig.shell(
            f'PATH={rig.programs}:$PATH; . /run/completion; COMP_WORDS=({quoted}); COMP_CWORD={len(words)}; '
            '_mkosi-ctl; printf "%s\\n" "${COMPREPLY[@]}"'
        ).stdout.split()

    return call


def test_verbs_and_options(propose):
    assert propose('list-u') == ['list-units', 'list-unit-files']
    assert propose('--js') == ['--json']
    assert propose('--kill-who', '') == ['all', 'main', 'control']
    assert propose('-o', 'short') == ['short', 'short-iso']
    assert propose('completion', '') == ['bash', 'zsh', 'fish']


def test_names_of_units(rig, propose):
    """Of those that are known, and of those that have files."""
    rig.unit('mine-on.service', ExecStart=SLEEP)
    rig.unit('mine-off.service', ExecStart=SLEEP)
    rig.ctl('start', 'mine-on')
    assert propose('stop', 'mine-') == ['mine-on.service']
    assert propose('start', '--no-block', 'mine-') == ['mine-off.service', 'mine-on.service']
    rig.kill_manager()
    assert propose('stop', 'mine-') == []
    assert propose('cat', 'mine-of') == ['mine-off.service']
