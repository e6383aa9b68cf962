# SPDX-License-Identifier: LGPL-2.1-or-later
"""The manual pages are well formed, and leave out nothing that the programs offer."""

import re
import subprocess

import pytest

from rig import ROOT, programs

PAGES = [*sorted((ROOT / 'man').glob('*.[18]')), programs() / 'mkosi.unit.5', programs() / 'mkosi-system.conf.5']
PROGRAMS = {'mkosi-run': 'mkosi-run.1', 'mkosi-ctl': 'mkosi-ctl.1', 'mkosi-manager': 'mkosi-manager.8'}


@pytest.mark.parametrize('page', PAGES, ids=lambda page: page.name)
def test_page_is_well_formed(page):
    said = subprocess.run(['mandoc', '-T', 'lint', '-W', 'warning', page], capture_output=True, text=True, check=False)
    assert not said.stdout, said.stdout


@pytest.mark.parametrize('program', PROGRAMS)
def test_every_option_is_explained(program):
    help_text = subprocess.run([programs() / program, '--help'], capture_output=True, text=True, check=True).stdout
    page = (ROOT / 'man' / PROGRAMS[program]).read_text(encoding='utf-8')
    offered = set(re.findall(r'(?<![\w-])--([a-z][a-z-]+)', help_text))
    explained = set(re.findall(r'Fl -([a-z][a-z-]+)', page))
    assert offered == explained


def test_every_verb_is_explained():
    help_text = subprocess.run(
        [programs() / 'mkosi-ctl', '--help'], capture_output=True, text=True, check=True
    ).stdout  # fmt: skip
    verbs = re.findall(r'^  ([a-z][a-z-]+) ', help_text.split('Options:')[0], re.M)
    page = (ROOT / 'man/mkosi-ctl.1').read_text(encoding='utf-8')
    assert len(verbs) > 10
    for verb in verbs:
        assert re.search(rf'^\.It .*Cm {verb}\b', page, re.M), verb


def test_every_setting_is_explained():
    """The page comes out of the table: what the manager reads is in it, each with a text, or with why it is refused."""
    page = (programs() / 'mkosi.unit.5').read_text(encoding='utf-8')
    settings = re.findall(r'^\.TP\n\\fB(\w+)=\\fR.*\n(.*)$', page, re.M)
    assert len(settings) > 100
    for name, text in settings:
        assert text not in ('', '.TP'), name
    for name in ('ExecStart', 'DynamicUser', 'StateDirectory', 'SystemCallFilter', 'JoinsNamespaceOf', 'WantedBy'):
        assert name in dict(settings)
