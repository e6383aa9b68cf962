# SPDX-License-Identifier: LGPL-2.1-or-later
"""What the program makes of settings: values and origins as users see them, mistakes, and what stays untouched."""

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
REFUSED = sorted((ROOT / 'tests/golden/refused').glob('*.conf'))
SECRET = 'correct-horse'


def run(mkosi, directory, *arguments, **environment):
    return subprocess.run(
        [mkosi, *arguments],
        cwd=directory,
        env=dict(os.environ, **environment),
        capture_output=True,
        text=True,
        check=False,
    )


def load(mkosi, directory, *arguments):
    """The settings, by section and name."""
    result = run(mkosi, directory, *arguments, 'json')
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def write(path, text, mode=0o644):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)


def test_example_is_what_the_program_prints(mkosi, tmp_path):
    result = run(mkosi, tmp_path, 'example')
    assert result.stdout == (ROOT / 'mkosi.default.example').read_text()


def test_example_changes_nothing(mkosi, tmp_path):
    """Everything in it is commented out: it loads, and all is as without it."""
    (tmp_path / 'plain').mkdir()
    write(tmp_path / 'example/mkosi.default', (ROOT / 'mkosi.default.example').read_text())
    plain, example = load(mkosi, tmp_path / 'plain'), load(mkosi, tmp_path / 'example')
    assert example['Output']['Seed'] == plain['Output']['Seed']


def test_sources_of_values(mkosi, tmp_path):
    write(tmp_path / 'mkosi.default', '[Distribution]\nDistribution=debian\n[Packages]\nPackages=one\n')
    write(tmp_path / 'mkosi.default.d/50-more', '[Packages]\nPackages=two\n')
    (tmp_path / 'mkosi.extra').mkdir()
    (tmp_path / 'mkosi.cache').mkdir()
    settings = load(mkosi, tmp_path, '--package=zero', '-r', 'sid')

    packages = settings['Packages']['Packages']
    assert packages['value'] == ['zero', 'one', 'two']
    assert packages['origin'] == [
        {'source': 'command-line', 'option': '--package', 'items': 1},
        {'source': 'file', 'file': 'mkosi.default', 'line': 4, 'items': 1},
        {'source': 'file', 'file': 'mkosi.default.d/50-more', 'line': 2, 'items': 1},
    ]
    assert settings['Packages']['Cache']['value'] == str(tmp_path / 'mkosi.cache/debian~sid')
    assert settings['Packages']['ExtraTrees']['value'] == [str(tmp_path / 'mkosi.extra')]
    assert settings['Packages']['ExtraTrees']['origin'][0]['source'] == 'discovered'
    assert settings['Output']['Format']['origin'][0]['source'] == 'default'
    assert settings['Output']['Output']['origin'][0]['source'] == 'derived'


def test_texts_stay_texts(mkosi, tmp_path):
    """What looks like a number, or like JSON, is what was written."""
    texts = ['MODE=0600', 'OCTAL=007', 'TRUE=true', 'NULL=null', 'OBJECT={"a": [1]}', 'TAB=a\tb']
    write(tmp_path / 'mkosi.default', '[Output]\nHostname=0600\n[Validation]\nKey=007\nCheckSum=yes\n')
    write(tmp_path / 'mkosi.postinst', '', 0o755)
    settings = load(mkosi, tmp_path, *(f'--environment={text}' for text in texts))
    assert settings['Packages']['Environment']['value'] == texts
    assert settings['Output']['Hostname']['value'] == '0600' and settings['Validation']['Key']['value'] == '007'
    assert settings['Validation']['CheckSum']['value'] is True
    assert settings['Packages']['PostInstallationScript']['value'] == str(tmp_path / 'mkosi.postinst')


def test_summary_names_line_and_option(mkosi, tmp_path):
    write(tmp_path / 'mkosi.default', '[Output]\nHostname=web\n')
    lines = run(mkosi, tmp_path, '-tdirectory', 'summary').stdout.splitlines()
    assert any(line.split() == ['Hostname:', 'web', '(mkosi.default:2)'] for line in lines)
    assert any(line.split() == ['Format:', 'directory', '(command', 'line,', '-t)'] for line in lines)


@pytest.mark.parametrize('where', ['file', 'discovered', 'command line'])
@pytest.mark.parametrize('verb', ['summary', 'json', 'plan'])
def test_password_is_never_shown(mkosi, tmp_path, where, verb):
    arguments = ['-ddebian', '-rbookworm', verb]
    if where == 'file':
        write(tmp_path / 'mkosi.default', f'[Validation]\nPassword={SECRET}\n')
    elif where == 'discovered':
        write(tmp_path / 'mkosi.rootpw', SECRET, 0o600)
    else:
        arguments.insert(0, f'--password={SECRET}')
    result = run(mkosi, tmp_path, *arguments)
    assert result.returncode == 0, result.stderr
    assert SECRET not in result.stdout + result.stderr


@pytest.mark.parametrize('path', REFUSED, ids=lambda path: path.stem)
def test_refused(mkosi, tmp_path, path):
    """Of a golden message, every line is said by plan, and nothing is written."""
    write(tmp_path / 'mkosi.default', path.read_text())
    write(tmp_path / 'script', '', 0o755)
    write(tmp_path / 'file', '')
    (tmp_path / 'tree').mkdir()
    before = sorted(tmp_path.rglob('*'))
    result = run(mkosi, tmp_path, 'plan')
    assert result.returncode == 1
    assert set(path.with_suffix('.message').read_text().splitlines()) <= set(result.stderr.splitlines())
    assert sorted(tmp_path.rglob('*')) == before


def test_planned_settings_are_shown_all_the_same(mkosi, tmp_path):
    write(tmp_path / 'mkosi.default', '[Distribution]\nDistribution=clear\n[Partitions]\nBootLoaderSize=64M\n')
    result = run(mkosi, tmp_path, 'summary')
    assert result.returncode == 0
    assert 'clear' in result.stdout
    assert 'mkosi.default:2: Distribution=clear is not supported by this version' in result.stderr
    assert 'mkosi.default:4: BootLoaderSize=64M is not supported by this version' in result.stderr


@pytest.mark.parametrize('output', ['', '.', '..', './', 'keep/../'])
@pytest.mark.parametrize('verb', ['build', 'clean', 'plan'])
def test_working_directory_is_safe(mkosi, tmp_path, output, verb):
    """Such an output would be deleted, were it not refused. (The root directory is left to the unit test.)"""
    project = tmp_path / 'project'
    write(project / 'mkosi.default', f'[Output]\nFormat=directory\nOutput={output}\n')
    write(project / 'keep/file', 'precious')
    result = run(mkosi, project, '-ff', verb)
    assert result.returncode == 1
    assert 'mkosi.default:3: Output=' in result.stderr
    assert (project / 'keep/file').read_text() == 'precious'


def test_wrong_usage(mkosi, tmp_path):
    result = run(mkosi, tmp_path, '--formt=tar', 'summary')
    assert result.returncode == 2
    assert result.stdout == ''
    assert '--format' in result.stderr


def test_directory_and_default(mkosi, tmp_path):
    write(tmp_path / 'project/other.conf', '[Output]\nOutput=x\nFormat=directory\n')
    settings = load(mkosi, tmp_path, '-C', 'project', '--default=other.conf')
    assert settings['Output']['Output']['value'] == str(tmp_path / 'project/x')
    result = run(mkosi, tmp_path, '--default=missing.conf', 'summary')
    assert result.returncode == 1
    assert 'missing.conf' in result.stderr


def test_same_project_elsewhere_has_the_same_seed(mkosi, tmp_path):
    seeds = set()
    for name in ('one', 'two/deeper'):
        write(tmp_path / name / 'mkosi.default', '[Distribution]\nDistribution=debian\n[Output]\nBootable=yes\n')
        (tmp_path / name / 'mkosi.extra').mkdir()
        seeds.add(load(mkosi, tmp_path / name)['Output']['Seed']['value'])
    assert len(seeds) == 1


def test_script_without_executable_bit(mkosi, tmp_path):
    write(tmp_path / 'mkosi.build', '#!/bin/sh\n')
    result = run(mkosi, tmp_path, 'summary')
    assert result.returncode == 1
    assert 'mkosi.build is not executable; run: chmod +x mkosi.build' in result.stderr


def test_help_in_a_broken_project(mkosi, tmp_path):
    write(tmp_path / 'mkosi.default', 'nonsense\n')
    for arguments in (['--help'], ['help'], ['--version'], ['example'], ['completion', 'bash']):
        result = run(mkosi, tmp_path, *arguments)
        assert result.returncode == 0, arguments
        assert result.stdout != ''
    assert run(mkosi, tmp_path, 'summary').returncode == 1
