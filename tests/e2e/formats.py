# SPDX-License-Identifier: LGPL-2.1-or-later
"""The formats that a tree can be given, as a table: what each refuses, what it cannot tell, and who reads it."""

import os
import subprocess
from contextlib import contextmanager
from typing import NamedTuple

import project as projects
import trees

# Later than every time of the hostile tree, and still a time for ext4.
FAR = 2**33 + 2**32 + 1000
SECONDS_OF_32_BITS = 2**32 - 1


class Reader(NamedTuple):
    """A foreign program, or the kernel, that shows the tree again."""

    name: str
    opened: object  # context manager of image and directory, which is empty: yields where the tree is
    normal: trees.Normal  # what is lost or changed on the way
    blind: tuple = ()  # features, or names below, that the reader gets wrong itself


class Format(NamedTuple):
    name: str  # what the program calls it
    readers: tuple
    refuses: dict  # feature → the words of the reason
    check: tuple = ()  # command that finds mistakes in the image; its name is the last argument
    maker: str = 'make-filesystem'  # the program, of tests/tools
    unread: tuple = ()  # features that it keeps, and no reader can unpack
    full: bool = True  # shows with trees as large as they come what is the same for a group of formats
    sized: bool = True  # it can be told how large to become
    distribution: bool = True  # it can hold a tree of Debian's
    time_max: int = FAR  # of SOURCE_DATE_EPOCH


def run(*command, **changes):
    return subprocess.run(
        [str(word) for word in command], check=True, capture_output=True, text=True,
        env=projects.clean_environment(**changes),
    ).stdout  # fmt: skip


def mounted(kind, options):
    @contextmanager
    def opened(image, directory):
        run('mount', '-t', kind, '-o', f'loop,{options}', image, directory)
        try:
            yield directory
        finally:
            run('umount', directory)

    return opened


def extracted(*command):
    @contextmanager
    def opened(image, directory):
        run(*(word.format(image=image, directory=directory) for word in command), LC_ALL='C.UTF-8')
        yield directory

    return opened


EXT4 = Format(
    name='ext4',
    readers=(Reader('kernel', mounted('ext4', 'ro,noload'), trees.Normal(without=(b'lost+found',))),),
    refuses=dict.fromkeys(('attributes_of_16000_bytes', 'attributes_of_64_kib'), 'ext4 stores at most 4060'),
    check=('e2fsck', '-f', '-n'),
)

KERNEL_SQUASHFS = Reader(
    'kernel',
    mounted('squashfs', 'ro'),
    # Of a distribution access lists are left out; those of the hostile tree are refused.
    trees.Normal(seconds=True, time_max=SECONDS_OF_32_BITS, attributes_without=('system.posix_acl_',)),
)


def squashfs(name):
    """Times have 32 bits, of whole seconds; attributes have three prefixes. The libsquashfs of Debian has no lzo."""
    return Format(
        name=name,
        readers=(KERNEL_SQUASHFS,),
        refuses=dict.fromkeys(('times_before_1970', 'times_before_1970_with_nanoseconds'), 'before 1970')
        | dict.fromkeys(
            ('access_lists', 'access_lists_by_default', 'access_lists_of_large_numbers'), 'system.posix_acl'
        ),
        check=('unsquashfs', '-s'),
        full=name == 'squashfs:zstd',
        time_max=SECONDS_OF_32_BITS,
    )


def btrfs(name):
    return Format(
        name=name,
        readers=(Reader('kernel', mounted('btrfs', 'ro'), trees.Normal()),),
        refuses={'attributes_of_64_kib': 'attribute'},
        check=('btrfs', 'check', '--readonly'),
        full=name == 'btrfs:zstd',
    )


GNU_TAR = Reader(
    'GNU tar',
    extracted(
        'tar', '--extract', '--file', '{image}', '--directory', '{directory}', '--numeric-owner',
        '--same-owner', '--same-permissions', '--acls', '--xattrs', '--xattrs-include=*', '--delay-directory-restore',
    ),
    trees.Normal(),
)  # fmt: skip
# It composes characters, and has set the time of the top directory before it is done in there. It takes every user of an
# access control list beyond 2^31 for 2^31 - 1, where GNU tar takes the one that the archive names.
BSDTAR = Reader(
    'bsdtar',
    extracted(
        'bsdtar', '-x', '-f', '{image}', '-C', '{directory}', '-p', '--same-owner', '--numeric-owner',
        '--acls', '--xattrs',
    ),
    trees.Normal(without=(b'.',)),
    blind=(
        'names_of_unicode/decomposed-e\u0301', 'names_of_unicode/decomposed-\u00e9',
        'access_lists_of_large_numbers',
    ),
)  # fmt: skip
TAR = Format(
    name='tar',
    readers=(GNU_TAR, BSDTAR),
    refuses={
        'sockets': 'it is a socket',
        'attributes_with_strange_names': 'a name beyond printable ASCII',
        'times_before_1970_with_nanoseconds': 'before 1970, and not at a whole second',
    },
    check=('tar', '--list', '--file'),
    maker='make-tar',
    # Both give the kernel whole paths. See test_path_beyond_the_limit() of test_tar.py.
    unread=('deep_path_beyond_4096_bytes',),
    sized=False,
)

MTOOLS = Reader(
    'mtools',
    extracted('mcopy', '-s', '-n', '-i', '{image}', '::/', '{directory}/'),
    trees.Normal(
        owners=False, modes=False, times=False, links=False, attributes_without=('',), without=(b'.',)
    ),
    blind=('names_of_unicode/\U0001f600', 'names_of_unicode/__'),
)  # fmt: skip
VFAT = Format(
    name='vfat',
    readers=(MTOOLS,),
    refuses=dict.fromkeys(
        ('names_with_controls', 'names_with_quotes', 'names_in_order'), 'a character that is not allowed'
    )
    | dict.fromkeys(
        (
            'hard_links_of_devices', 'hard_links_of_pipes', 'pipes', 'sockets', 'devices',
            'attributes_on_all_kinds',
        ),
        'it is neither file nor directory',
    )
    | dict.fromkeys(
        (
            'hard_links_of_links', 'symbolic_links', 'symbolic_link_of_4095_bytes', 'deep_path',
            'deep_path_beyond_4096_bytes',
        ),
        'it is a symbolic link',
    )
    | {
        'names_with_blanks': 'it ends with a dot or a blank',
        'names_not_utf8': 'it is no UTF-8',
        'names_of_255_bytes': 'a character that is not allowed',
        'names_by_case': 'apart',
        'many_files': 'so many names',
        'sparse_file': '4 GiB or more',
    },
    check=('fsck.fat', '-n'),
    distribution=False,
)

FORMATS = [
    EXT4,
    *(squashfs(f'squashfs{compression}') for compression in ('', ':zlib', ':lz4', ':xz', ':zstd')),
    *(btrfs(f'btrfs{compression}') for compression in ('', ':zlib', ':lzo', ':zstd')),
    TAR,
    VFAT,
]


class Maker:
    """The programs that make all formats."""

    def __init__(self, directory):
        self.directory = directory
        for program in {row.maker for row in FORMATS}:
            assert (directory / program).exists(), f'{directory / program} is not there: compile it'

    def command(self, format_, tree, image, *size):
        """make-tar has one format, and is not told which."""
        name = [format_.name] if format_.maker == 'make-filesystem' else []
        return [str(word) for word in (self.directory / format_.maker, *name, tree, image, *size)]

    def knows(self, format_):
        """Without the rest of the words, the program says what it wants instead."""
        said = subprocess.run(self.command(format_, '', '')[:-2], capture_output=True, text=True, check=False)
        assert said.returncode == 2, said
        return 'Unknown' not in said.stderr

    def try_to_make(self, format_, tree, image, *size, wrapper=(), umask=-1, **environment):
        """Its exit status, and what it says as bytes."""
        environment = {'SOURCE_DATE_EPOCH': str(format_.time_max)} | environment
        return subprocess.run(
            [*map(str, wrapper), *self.command(format_, tree, image, *size)], check=False,
            capture_output=True, env=projects.clean_environment(**environment), umask=umask, timeout=300,
        )  # fmt: skip

    def make(self, format_, tree, image, *size, **options):
        said = self.try_to_make(format_, tree, image, *size, **options)
        assert said.returncode == 0, os.fsdecode(said.stderr)
        return image
