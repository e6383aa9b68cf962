# SPDX-License-Identifier: LGPL-2.1-or-later
"""Builds of the small distribution of aptrepo.py, in two seconds each: for tests of what becomes of a tree."""

import json
import subprocess

import project as projects

SECTOR_SIZE = 512


def run(*command, **changes):
    """What the program prints; it has to end well."""
    result = subprocess.run(
        [str(word) for word in command], capture_output=True, text=True, check=False,
        env=projects.clean_environment(**changes),
    )  # fmt: skip
    assert result.returncode == 0, f'{command}: {result.stdout}{result.stderr}'
    return result.stdout


class Small:
    """Builds the small distribution in project directories of their own, which have these files unless others are
    given. It is installed once, and copied from then on."""

    def __init__(self, directory, mkosi, distribution, files):
        self.directory, self.mkosi, self.distribution, self.files = directory, mkosi, distribution, files
        installed = projects.Project(directory / 'installed', mkosi, distribution.settings)
        installed.run('--format=directory', wrapper=distribution.wrapper)
        self.wrapper = [*distribution.wrapper, *projects.stand_in(directory, installed.directory / 'image')]

    def project(self, name, settings='', files=None):
        project = projects.Project(self.directory / name, self.mkosi, self.distribution.settings + settings)
        for path, text in (self.files if files is None else files).items():
            project.write(path, text)
        return project

    def build(self, project, *arguments, **options):
        return project.run(*arguments, wrapper=self.wrapper, **options)


def partitions(image):
    return json.loads(run('sfdisk', '--json', image))['partitiontable']['partitions']


def cut(image, entry, path):
    """A partition as a file of its own."""
    projects.copy_sparse(image, path, entry['start'] * SECTOR_SIZE, entry['size'] * SECTOR_SIZE)
    return path


def esp(image, directory):
    """The content of the EFI system partition, as files."""
    filesystem, tree = directory / f'{image.stem}.vfat', directory / f'{image.stem}.esp'
    cut(image, partitions(image)[0], filesystem)
    tree.mkdir()
    run('mcopy', '-s', '-i', filesystem, '::/*', tree)
    return tree


def programs(tree):
    return sorted(path for path in tree.rglob('*') if path.suffix.lower() == '.efi')
