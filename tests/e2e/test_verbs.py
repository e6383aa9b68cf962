# SPDX-License-Identifier: LGPL-2.1-or-later
"""The verbs as their user sees them: what is printed where, and the exit status. Nothing is built here."""

import json
import re
import subprocess

import project as projects
import pytest

SETTINGS = """\
[Distribution]
Distribution=debian
Release=bookworm

[Packages]
Packages=less,
  vim-tiny
"""


@pytest.fixture
def project(mkosi, project_directory):
    return projects.Project(project_directory, mkosi, SETTINGS)


@pytest.mark.parametrize('arguments', [['help'], ['--help'], ['-h'], ['help', '--debug']])
def test_help_fits_the_terminal(project, arguments):
    said = project.run(*arguments)
    assert said.stderr == ''
    assert max(len(line) for line in said.stdout.splitlines()) <= 80
    for verb in ('build', 'summary', 'json', 'plan', 'qemu', 'clean', 'help', 'completion', 'man', 'example'):
        assert re.search(rf'^\s+{verb}\b', said.stdout, re.MULTILINE), verb


def test_help_needs_no_project(mkosi, project_directory):
    project = projects.Project(project_directory, mkosi, 'nonsense\n')
    project.run('--help')
    project.run('--version')


def test_version_is_printed(project):
    assert re.fullmatch(r'mkosi \d+\.\d+(\.\d+)?\n', project.run('--version').stdout)


def test_summary_names_value_and_origin(project):
    said = project.run('summary', '--hostname=teapot').stdout
    assert re.search(r'Release.*bookworm.*mkosi\.default:3', said)
    assert re.search(r'Hostname.*teapot.*--hostname', said)
    assert 'vim-tiny' in said and 'less' in said
    assert not (project.directory / 'image.raw').exists()


def test_summary_keeps_the_password(project):
    said = project.run('summary', '--password=tea-and-biscuits')
    assert 'tea-and-biscuits' not in said.stdout + said.stderr


def test_json_can_be_read(project):
    said = json.loads(project.run('json').stdout)
    assert said['Distribution']['Release']['value'] == 'bookworm'
    assert said['Packages']['Packages']['value'] == ['less', 'vim-tiny']
    assert 'mkosi.default' in json.dumps(said['Distribution']['Release']['origin'])


def test_plan_says_what_would_be_done_and_builds_nothing(project):
    before = sorted(project.directory.rglob('*'))
    said = project.run('plan').stdout
    order = ['bookworm', 'vim-tiny', 'partitions: root', 'image.raw']
    positions = [said.index(word) for word in order]
    assert positions == sorted(positions), said
    assert 'mkosi.default:' in said
    assert 'kernel' not in said
    assert sorted(project.directory.rglob('*')) == before
    bootable = project.run('plan', '--bootable').stdout
    assert 'unified kernel' in bootable and 'partitions: esp' in bootable


def test_manual_is_good_troff(project, foreign_tool):
    said = subprocess.run(
        [foreign_tool('mandoc'), '-T', 'lint', '-W', 'warning'],
        input=project.run('man').stdout,
        capture_output=True,
        text=True,
        check=False,
    )
    # A date would say when it was printed, and differ from one time to the next.
    assert [line for line in said.stdout.splitlines() if 'missing date' not in line] == []


@pytest.mark.parametrize('shell', ['bash', 'zsh', 'fish'])
def test_completion_is_printed_for_every_shell(project, shell):
    said = project.run('completion', shell).stdout
    assert 'mkosi' in said and 'kernel-command' in said
    if shell == 'bash':
        subprocess.run(['bash', '-n'], input=said, text=True, check=True)


def test_completion_refuses_unknown_shells(project):
    assert 'bash' in project.run('completion', 'tcsh', status=2).stderr


def test_example_is_loadable(project, mkosi, tmp_path):
    example = project.run('example').stdout
    assert 'KernelCommandLine' in example
    assert (projects.ROOT / 'mkosi.default.example').read_text(encoding='utf-8') == example
    again = projects.Project(tmp_path / 'again', mkosi, example)
    again.run('summary')


@pytest.mark.parametrize(
    'arguments, reason',
    [
        (['--no-such-option'], 'no-such-option'),
        (['frobnicate'], 'frobnicate'),
        (['--format'], 'format'),
        (['--format=raw_floppy'], 'raw_floppy'),
        (['--root-size=1T5'], '1T5'),
        (['summary', 'extra', 'words'], 'extra'),
    ],
)
def test_usage_errors_exit_with_2(project, arguments, reason):
    said = project.run(*arguments, status=2)
    assert said.stdout == '' and reason in said.stderr


@pytest.mark.parametrize(
    'settings, reason',
    [
        ('[Packages]\nPakages=less\n', r'mkosi\.default:2: .*"Pakages".*"Packages"'),
        ('[Partitions]\nPackages=less\n', r'mkosi\.default:2: .*\[Packages\]'),
        ('[Output]\nOutput=\n', 'Output'),
        ('[Output]\nOutput=..\n', 'Output'),
        (
            '[Output]\nBootable=yes\nFormat=directory\n',
            r'Bootable.*(Format|directory)|(Format|directory).*Bootable',
        ),
    ],
)
def test_bad_settings_exit_with_1_and_build_nothing(mkosi, project_directory, settings, reason):
    project = projects.Project(project_directory, mkosi, settings)
    said = project.run('build', '--distribution=debian', status=1)
    assert re.search(reason, said.stderr), said.stderr
    assert [path.name for path in project.directory.iterdir()] == ['mkosi.default']


def test_all_mistakes_are_reported_at_once(mkosi, project_directory):
    project = projects.Project(
        project_directory, mkosi, '[Packages]\nPakages=less\n[Output]\nBootable=perhaps\nFormt=tar\n'
    )
    said = project.run('summary', status=1).stderr
    assert all(f'mkosi.default:{line}:' in said for line in (2, 4, 5)), said


def test_planned_settings_are_refused(project):
    said = project.run('build', '--xbootldr-size=1G', status=1).stderr
    assert 'BootLoaderSize=1G is not supported by this version' in said
    assert project.workspaces == []


def test_existing_output_is_not_overwritten(project):
    output = project.write('image.raw', 'precious\n')
    said = project.run('build', status=1).stderr
    assert 'image.raw' in said and '--force' in said
    assert output.read_text(encoding='utf-8') == 'precious\n'
    assert project.workspaces == []


def test_old_output_is_kept_when_a_forced_build_fails(project, root_user):
    """A mirror where nobody listens fails the build after it has begun."""
    output = project.write('image.raw', 'precious\n')
    project.run('build', '--force', '--mirror=http://127.0.0.1:9/debian', '--cache=cache', status=1)
    assert output.read_text(encoding='utf-8') == 'precious\n'
    assert project.workspaces == []


def test_clean_removes_the_output_only(project):
    output = project.write('image.raw', 'old\n')
    other = project.write('notes', 'mine\n')
    project.run('clean')
    assert not output.exists() and other.exists()
    project.run('clean')


def test_clean_removes_what_a_killed_build_left(project):
    project.write('.mkosi-image.raw/root/file', 'left behind\n')
    project.run('clean')
    assert project.workspaces == []


FULL = """\
mount -t tmpfs -o nr_inodes="$3" none "$1"
cd "$1"
printf '[Distribution]\\nDistribution=debian\\n' >mkosi.default
echo old >image.raw
"$2" clean
ls -A
"""


@pytest.mark.parametrize('free', [0, 1])
def test_clean_makes_room_on_a_full_disk(mkosi, tmp_path, root_user, free):
    """What keeps builds out has no place there, in whole or in part."""
    result = subprocess.run(
        ['unshare', '--mount', 'sh', '-ec', FULL, 'sh', tmp_path, mkosi, str(3 + free)],
        env=projects.clean_environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert result.returncode == 0, result.stderr
    assert result.stdout.split() == ['mkosi.default']


def test_clean_twice_forced_empties_the_package_cache(project):
    package = project.write('mkosi.cache/debian~bookworm/archives/a.deb', 'package\n')
    project.run('clean')
    assert package.exists()
    project.run('clean', '-ff')
    assert not package.exists()


def test_directory_output_is_cleaned(project):
    project.write('image/etc/file', 'old\n')
    project.run('clean', '--format=directory')
    assert not (project.directory / 'image').exists()


def test_options_may_stand_behind_the_verb(project):
    assert 'teapot' in project.run('summary', '--hostname', 'teapot').stdout
    assert 'Bootable' in project.run('-b', 'summary').stdout


def test_directory_is_changed_first(mkosi, project, tmp_path):
    said = subprocess.run(
        [mkosi, '--directory', project.directory, 'summary'],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert 'bookworm' in said.stdout
