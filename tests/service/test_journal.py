# SPDX-License-Identifier: LGPL-2.1-or-later
"""The log as systemd reads it: exported, made a journal by systemd-journal-remote, and shown by journalctl."""

import json
import shutil
from pathlib import Path

import pytest

REMOTE = Path('/lib/systemd/systemd-journal-remote')
RESOURCES = 'ae8f7b866b0347b9af31fe1c80b127c0'

pytestmark = pytest.mark.skipif(
    not REMOTE.exists() or not shutil.which('journalctl'), reason='needs systemd-journal-remote and journalctl'
)


@pytest.fixture
def logged(rig):
    rig.path('/run/say').write_bytes(b'plain\nt\xc3\xa4b\there\n\x1b[31mred\n\xc2\x9b31mred\ta\x7fb\nno\xff utf-8\n')
    rig.unit('talker.service', Type='oneshot', CPUAccounting='yes', ExecStart='/bin/cat /run/say')
    rig.ctl('start', 'talker')
    rig.shell(
        f'/run/programs/mkosi-ctl log -o export > /run/export\n'
        f'{REMOTE} --output=/run/remote.journal /run/export\n'
    )  # fmt: skip
    return rig


def records(rig, program, *words):
    return [json.loads(line) for line in rig.run(*program, '-o', 'json', *words).stdout.splitlines()]


def journal(rig, *words):
    return records(rig, ('journalctl', '--no-pager', '--quiet', '--all', '--file=/run/remote.journal'), *words)


def own(rig, *words):
    return records(rig, (rig.programs / 'mkosi-ctl', 'log'), '-n', 'all', *words)


def without_address(record):
    # A journal gives cursors of its own.
    return {name: value for name, value in record.items() if not name.startswith('__') or name == '__REALTIME_TIMESTAMP'}


def test_journalctl_reads_every_field(logged):
    ours = [without_address(record) for record in own(logged)]
    theirs = [without_address(record) for record in journal(logged)]
    assert len(ours) > 5
    for one, other in zip(ours, theirs, strict=True):
        assert one == other


def test_bytes_are_kept(logged):
    said = [record['MESSAGE'] for record in journal(logged) if record.get('SYSLOG_IDENTIFIER') == 'cat']
    as_bytes = [bytes(text) if isinstance(text, list) else text.encode() for text in said]
    assert as_bytes == [b'plain', b't\xc3\xa4b\there', b'\x1b[31mred', b'\xc2\x9b31mred\ta\x7fb', b'no\xff utf-8']


def test_ip24_the_record_of_resources(logged):
    (found,) = journal(logged, f'MESSAGE_ID={RESOURCES}', 'UNIT=talker.service')
    assert found['PRIORITY'] == '6'
    assert found['SYSLOG_FACILITY'] == '3'
    assert len(found['INVOCATION_ID']) == 32
    assert int(found['CPU_USAGE_NSEC']) > 0
    assert found['MESSAGE'].startswith('talker.service: Consumed ')
