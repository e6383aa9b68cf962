#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Checks what a compiler cannot: who includes whom, lengths, names, tests for every file.

Usage: check-structure.py [DIRECTORY]     check the project there (default: the one this file is in)
       check-structure.py --self-test     check that every rule can fail

Prints file:line: reason for everything found, and exits 1 if there was anything.
"""

import ast
import re
import sys
import tempfile
from collections import Counter, defaultdict
from fnmatch import fnmatch
from pathlib import Path

from structure_rules import LAYERS, LIBRARIES, WITHOUT_UNIT_TEST

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 60

SYSTEM_HEADERS = re.compile(
    r'(sys|linux|asm|net|netinet|arpa|bits)/.*|'
    r'(assert|cpuid|ctype|dirent|elf|endian|errno|fcntl|fnmatch|fts|getopt|glob|grp|immintrin|inttypes|langinfo|libgen|'
    r'limits|locale|math|mntent|mqueue|nss|poll|pthread|pty|pwd|regex|sched|search|setjmp|signal|spawn|stdalign|stdarg|'
    r'stdatomic|stdbool|stddef|stdint|stdio|stdio_ext|stdlib|stdnoreturn|string|strings|syscall|syslog|'
    r'termios|threads|time|uchar|ucontext|unistd|utime|wchar|wctype)\.h'
)

FORBIDDEN_CALLS = {
    'system': 'runs a shell: pass an argument vector to sandbox_run() or process_run()',
    'popen': 'runs a shell: pass an argument vector to sandbox_run() or process_run()',
    'wordexp': 'runs a shell',
    'strcpy': 'knows no bounds',
    'strcat': 'knows no bounds',
    'sprintf': 'knows no bounds: use snprintf(), asprintf() or base/text.h',
    'vsprintf': 'knows no bounds: use vsnprintf() or vasprintf()',
    'gets': 'knows no bounds',
    'atoi': 'cannot fail: use base/parse.h',
    'atol': 'cannot fail: use base/parse.h',
    'atoll': 'cannot fail: use base/parse.h',
    'strtok': 'keeps state: use base/strv.h',
    'mktemp': 'races: use mkostemp()',
    'tmpnam': 'races: use mkostemp()',
    'alloca': 'cannot fail: use malloc()',
}

# What a tool wants to be called so, in each folder that has it.
NAMES_OF_TOOLS = {'conftest.py'}

SPDX = 'SPDX-License-Identifier: LGPL-2.1-or-later'
UNFINISHED = re.compile(r'\b(TODO|FIXME|XXX)\b')
SOURCE_FOLDERS = ('src', 'tests', 'tools', '.ci')
DATA_FOLDERS = re.compile(r'tests/(golden|fuzz/corpus-[^/]+|e2e/data)/')
COMMENT_OR_LITERAL = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
PREPROCESSOR = re.compile(r'^[ \t]*#(?:[^\n]*\\\n)*[^\n]*', re.MULTILINE)
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]+([<"])([^>"]+)[>"]', re.MULTILINE)


def blank(match):
    """Keeps the line breaks and quotation marks of a comment, string or directive: positions stay true."""
    text = match.group()
    if text[0] in '"\'':
        return text[0] + ' ' * (len(text) - 2) + text[-1]
    return ''.join(c if c == '\n' else ' ' for c in text)


class Source:
    """A file of the project, read once."""

    def __init__(self, root, path):
        self.path = path.relative_to(root).as_posix()
        self.name = path.name
        self.text = path.read_text(encoding='utf-8')
        self.is_c = path.suffix in ('.c', '.h')
        self.is_rows = path.suffix == '.inc'  # part of a table that a C file puts together
        self.is_python = path.suffix == '.py' or self.text.startswith(
            ('#!/usr/bin/python3', '#!/usr/bin/env python3')
        )
        self.is_meson = path.name in ('meson.build', 'meson_options.txt')
        self.is_script = self.text.startswith('#!')
        self.code = ''
        if self.is_c:
            without_comments = COMMENT_OR_LITERAL.sub(blank, self.text)
            self.code = PREPROCESSOR.sub(blank, without_comments)

    @property
    def is_code(self):
        return self.is_c or self.is_rows or self.is_python or self.is_meson or self.is_script

    def line_at(self, position):
        return self.text.count('\n', 0, position) + 1

    def includes(self):
        """(line, is_system, header) of every include directive."""
        uncommented = re.sub(r'/\*.*?\*/', blank, self.text, flags=re.DOTALL)
        for match in INCLUDE.finditer(uncommented):
            yield self.line_at(match.start()), match.group(1) == '<', match.group(2)

    def c_functions(self):
        """(first line, last line, name) of every function defined in a C file."""
        depth = 0
        start = 0
        function = None
        for match in re.finditer(r'[{};]', self.code):
            position = match.start()
            if match.group() == '{':
                if depth == 0:
                    head = re.sub(
                        r'__attribute__\s*\(\(.*?\)\)', '', self.code[start:position], flags=re.DOTALL
                    )
                    name = re.search(r'(\w+)\s*\(', head)
                    if head.rstrip().endswith(')') and name:
                        first = (
                            start + len(self.code[start:position]) - len(self.code[start:position].lstrip())
                        )
                        function = (self.line_at(first), name.group(1))
                depth += 1
                continue
            if match.group() == '}':
                depth -= 1
                if depth == 0 and function:
                    yield function[0], self.line_at(position), function[1]
                    function = None
            if depth == 0:
                start = position + 1
        if depth != 0:
            raise ValueError(f'{self.path}: braces do not match, functions cannot be measured')

    def python_functions(self):
        for node in ast.walk(ast.parse(self.text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                yield node.lineno, node.end_lineno, node.name


class Project:
    def __init__(self, root):
        self.root = Path(root).resolve()
        self.problems = []
        self.sources = []
        paths = [self.root / 'meson.build', self.root / 'meson_options.txt']
        for folder in SOURCE_FOLDERS:
            paths += sorted((self.root / folder).rglob('*'))
        for path in paths:
            relative = path.relative_to(self.root).as_posix()
            if path.is_file() and path.suffix != '.pyc' and not DATA_FOLDERS.match(relative):
                self.sources.append(Source(self.root, path))
        self.by_path = {source.path: source for source in self.sources}
        self.c_sources = [source for source in self.sources if source.is_c]

    def problem(self, path, line, reason):
        self.problems.append((path, line, reason))

    def check(self):
        for rule in RULES:
            rule(self)
        return sorted(self.problems)


def folder_of(path):
    """The layer that a path below src/ belongs to; "" for files in src/ itself."""
    parts = path.split('/')
    return parts[1] if len(parts) > 2 else ''


def check_layers(project):
    for source in project.c_sources:
        if not source.path.startswith('src/'):
            continue
        folder = folder_of(source.path)
        if folder not in LAYERS:
            project.problem(
                source.path, 1, f'folder src/{folder}/ is no layer that {Path(__file__).name} knows'
            )
            continue
        for line, is_system, header in source.includes():
            if is_system:
                continue
            if 'src/' + header not in project.by_path:
                project.problem(
                    source.path, line, f'"{header}" is not there, or not named by its path below src/'
                )
                continue
            target = folder_of('src/' + header)
            if target != folder and target not in LAYERS[folder]:
                what = f'src/{folder}/' if folder else 'src/'
                project.problem(source.path, line, f'{what} must not include from src/{target}/ ("{header}")')


def check_cycles(project):
    graph = defaultdict(list)
    for source in project.c_sources:
        if source.path.startswith('src/') and source.name.endswith('.h'):
            graph[source.path] = [
                (line, 'src/' + header) for line, is_system, header in source.includes() if not is_system
            ]

    done, under_way = set(), []

    def visit(path):
        under_way.append(path)
        for line, target in graph.get(path, []):
            if target in under_way:
                chain = under_way[under_way.index(target) :] + [target]
                project.problem(path, line, 'include cycle: ' + ' → '.join(chain))
            elif target not in done:
                visit(target)
        done.add(under_way.pop())

    for path in sorted(graph):
        if path not in done:
            visit(path)


def check_libraries(project):
    for source in project.c_sources:
        in_src = source.path.startswith('src/')
        for line, is_system, header in source.includes():
            if not is_system or SYSTEM_HEADERS.fullmatch(header):
                continue
            places = next((places for pattern, places in LIBRARIES.items() if fnmatch(header, pattern)), None)
            if places is None:
                project.problem(
                    source.path, line, f'<{header}> is of a library that no file of the project may use'
                )
            elif in_src and not any(fnmatch(source.path, 'src/' + place) for place in places):
                where = ', '.join(places) if places else 'tests'
                project.problem(source.path, line, f'<{header}> belongs to {where} alone')


def check_calls(project):
    calls = re.compile(r'(?<![\w.>])(' + '|'.join(FORBIDDEN_CALLS) + r')\s*\(')
    for source in project.c_sources:
        for match in calls.finditer(source.code):
            name = match.group(1)
            project.problem(source.path, source.line_at(match.start()), f'{name}() {FORBIDDEN_CALLS[name]}')


def check_lengths(project):
    for source in project.sources:
        if not source.is_code:
            continue
        n_lines = source.text.count('\n')
        if n_lines > FILE_LINES_MAX:
            project.problem(
                source.path, n_lines, f'file has {n_lines} lines, at most {FILE_LINES_MAX} are allowed'
            )
        try:
            functions = list(
                source.c_functions() if source.is_c else source.python_functions() if source.is_python else []
            )
        except (ValueError, SyntaxError) as error:
            project.problem(source.path, 1, str(error))
            continue
        for first, last, name in functions:
            n_lines = last - first + 1
            if n_lines > FUNCTION_LINES_MAX:
                project.problem(
                    source.path,
                    first,
                    f'{name}() has {n_lines} lines, at most {FUNCTION_LINES_MAX} are allowed',
                )


def check_heads(project):
    for source in project.sources:
        if source.is_code and SPDX not in '\n'.join(source.text.split('\n')[:3]):
            project.problem(source.path, 1, f'"{SPDX}" is missing from the first lines')
        if source.name.endswith('.h') and not re.search(r'^#pragma once$', source.text, re.MULTILINE):
            project.problem(source.path, 1, '"#pragma once" is missing')


def check_unfinished(project):
    for source in project.sources:
        if source.name == Path(__file__).name:
            continue
        for match in UNFINISHED.finditer(source.text):
            project.problem(source.path, source.line_at(match.start()), f'{match.group()}: finish it')


def check_names(project):
    names = defaultdict(list)
    for source in project.sources:
        if source.is_code and not source.is_meson and source.name not in NAMES_OF_TOOLS:
            names[source.name].append(source.path)
    for paths in names.values():
        for path in paths[1:]:
            project.problem(
                path, 1, f'the name is taken by {paths[0]}: file names are unique in the whole tree'
            )


def meson_words(project, path, variable):
    """{word: line} of the names in `variable += {'layer': ['a', 'b']}` of a meson file."""
    source = project.by_path.get(path)
    words = {}
    for match in re.finditer(variable + r'\s*\+=\s*\{[^\[]*\[([^\]]*)\]', source.text if source else ''):
        for word in re.finditer(r"'([^']+)'", match.group(1)):
            words[word.group(1)] = source.line_at(match.start(1) + word.start())
    return words


def check_meson_words(project, meson):
    """A second list with the same key would take the place of the first, silently."""
    source = project.by_path.get(meson)
    for variable in ('unit_tests', 'fuzz_drivers'):
        for match in list(re.finditer(variable + r'\s*\+=', source.text if source else ''))[1:]:
            reason = f'{variable} is added to again: the names before get lost, put all into one list'
            project.problem(meson, source.line_at(match.start()), reason)


def check_tests(project):
    folders = sorted(
        {str(Path(source.path).parent) for source in project.c_sources if source.path.startswith('src/')}
    )
    listed = Counter()
    for folder in folders:
        meson = f'{folder}/meson.build'
        check_meson_words(project, meson)
        stems = {
            Path(s.path).stem
            for s in project.c_sources
            if s.path.startswith(folder + '/') and s.name.endswith('.c')
        }
        for name, line in meson_words(project, meson, 'unit_tests').items():
            listed[f'tests/unit/test-{name}.c'] += 1
            if f'tests/unit/test-{name}.c' not in project.by_path:
                project.problem(meson, line, f'tests/unit/test-{name}.c is listed, but is not there')
            if name not in stems:
                project.problem(meson, line, f'unit test "{name}" has no file {folder}/{name}.c to test')
        for name, line in meson_words(project, meson, 'fuzz_drivers').items():
            listed[f'tests/fuzz/fuzz-{name}.c'] += 1
            if f'tests/fuzz/fuzz-{name}.c' not in project.by_path:
                project.problem(meson, line, f'tests/fuzz/fuzz-{name}.c is listed, but is not there')
            corpus = project.root / f'tests/fuzz/corpus-{name}'
            if not corpus.is_dir() or not any(corpus.iterdir()):
                project.problem(meson, line, f'tests/fuzz/corpus-{name}/ holds no input')

    for source in project.c_sources:
        is_test = fnmatch(source.path, 'tests/unit/test-*.c') or fnmatch(source.path, 'tests/fuzz/fuzz-*.c')
        if is_test and not listed[source.path] and source.name != 'fuzz-main.c':
            project.problem(source.path, 1, 'no meson.build of src/ lists it, so it is never run')


def check_every_file_is_tested(project):
    for source in project.c_sources:
        if not source.path.startswith('src/') or not source.name.endswith('.c'):
            continue
        folder = str(Path(source.path).parent)
        stem = source.name.removesuffix('.c')
        # A folder lists what goes into its library, src/ the programs.
        lists = ((f'{folder}/meson.build', source.name), ('src/meson.build', source.path.removeprefix('src/')))
        if not any(path in project.by_path and f"'{name}'" in project.by_path[path].text for path, name in lists):
            project.problem(source.path, 1, f'{folder}/meson.build does not list it')
        if any(fnmatch(source.path, 'src/' + pattern) for pattern in WITHOUT_UNIT_TEST):
            continue
        if stem not in meson_words(project, f'{folder}/meson.build', 'unit_tests'):
            project.problem(
                source.path, 1, f'has no unit test: add tests/unit/test-{stem}.c and a word in unit_tests'
            )

    for pattern in WITHOUT_UNIT_TEST:
        if not any(fnmatch(source.path, 'src/' + pattern) for source in project.c_sources):
            project.problem(
                f'tests/{Path(__file__).name}',
                1,
                f'WITHOUT_UNIT_TEST names src/{pattern}, which is not there',
            )


RULES = [
    check_layers,
    check_cycles,
    check_libraries,
    check_calls,
    check_lengths,
    check_heads,
    check_unfinished,
    check_names,
    check_tests,
    check_every_file_is_tested,
]


# For --self-test: a project that breaks no rule, and files that, put over it, break each rule.
HEAD = f'/* {SPDX} */\n'


def files_without_unit_test():
    """One file for each row of WITHOUT_UNIT_TEST, listed in the meson.build of its folder."""
    files = {}
    for pattern in WITHOUT_UNIT_TEST:
        path = Path('src', pattern.replace('*', 'one'))
        files[str(path)] = HEAD
        meson = f'{path.parent}/meson.build'
        files[meson] = files.get(meson, f'# {SPDX}\n') + f"files('{path.name}')\n"
    return files


GOOD_PROJECT = files_without_unit_test() | {
    'meson.build': f'# {SPDX}\n',
    'src/main.c': HEAD
    + '#include <stdio.h>\n#include "base/good.h"\nint main(void) {\n        return 0;\n}\n',
    'src/base/meson.build': f"# {SPDX}\nfiles('good.c')\nunit_tests += {{'base': ['good']}}\n",
    'src/base/good.h': HEAD + '#pragma once\n/* system("sh") in a comment, "base/gone.h" too */\n',
    'src/base/good.c': HEAD
    + '#include "base/good.h"\n'
    + 'int f(void) {\n'
    + '        int a;\n' * 58
    + '}\n'
    + 'struct __attribute__((packed)) S {\n'
    + '        int a;\n' * 100
    + '};\nconst char t[] = "system(1) }";\n',
    'tests/unit/test-good.c': HEAD + '#include <cmocka.h>\n',
    'tools/run': f'#!/usr/bin/env bash\n# {SPDX}\n',
}
BAD_FILES = {  # path: (text, [(line, part of the reason)])
    'src/base/meson.build': (
        f"# {SPDX}\nfiles('good.c', 'high.c', 'long.c', 'calls.c')\n"
        "unit_tests += {'base': [\n'good', 'gone', 'high', 'long', 'calls']}\n"
        "fuzz_drivers += {'base': ['deep']}\n"
        "fuzz_drivers += {'base': []}\n",
        [
            (6, 'fuzz_drivers is added to again'),
            (4, 'unit test "gone" has no file'),
            (4, 'test-gone.c is listed'),
            (5, 'fuzz-deep.c is listed'),
            (5, 'corpus-deep/ holds no input'),
            (4, 'test-high.c is'),
            (4, 'test-long.c is'),
            (4, 'test-calls.c is'),
        ],
    ),
    'src/base/a.h': (HEAD + '#pragma once\n#include "base/b.h"\n', []),
    'src/base/b.h': (HEAD + '#pragma once\n\n#include "base/a.h"\n', [(4, 'include cycle')]),
    'src/base/high.c': (
        HEAD
        + '#include <libfdisk/libfdisk.h>\n#include <unheard-of.h>\n'
        + '#include "config/config.h"\n#include "high.h"\n',
        [
            (2, 'belongs to format/gpt.c'),
            (3, 'no file of the project'),
            (4, 'must not include from src/config/'),
            (5, 'is not there'),
        ],
    ),
    'src/config/config.h': (HEAD, [(1, '"#pragma once" is missing')]),
    'src/config/other.c': (HEAD, [(1, 'meson.build does not list it'), (1, 'has no unit test')]),
    'src/base/long.c': (
        HEAD + '\n' * 598 + 'int f(void)\n{\n' + '        int a;\n' * 58 + '}\n',
        [(660, 'file has 660 lines'), (600, 'f() has 61 lines')],
    ),
    'src/base/calls.c': (
        HEAD
        + 'void g(void) {\n        system("x");\n        strcpy (a, b);\n        x.system(1);\n}\n'
        + '/* TODO */\n',
        [(3, 'system() runs a shell'), (4, 'strcpy() knows'), (7, 'TODO')],
    ),
    'src/config/rows.inc': ('{ 0 },\n' * 601, [(601, 'file has 601 lines'), (1, 'is missing from the first lines')]),
    'src/odd/odd.h': (HEAD + '#pragma once\n', [(1, 'is no layer')]),
    'tests/unit/calls.c': (HEAD, [(1, 'the name is taken by src/base/calls.c')]),
    'tests/unit/test-alone.c': (HEAD, [(1, 'never run')]),
    'tests/unit/broken.c': (HEAD + 'int f(void) {\n', [(1, 'braces do not match')]),
    'tools/run': ('#!/usr/bin/env bash\n', [(1, 'is missing from the first lines')]),
    'tools/long.py': (
        f'#!/usr/bin/python3\n# {SPDX}\ndef f():\n' + '    pass\n' * 60,
        [(3, 'f() has 61 lines')],
    ),
}


def self_test():
    """Checks a project that breaks no rule, and one that breaks every rule."""

    def problems_of(files):
        with tempfile.TemporaryDirectory() as directory:
            for path, text in files.items():
                target = Path(directory, path)
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_text(text, encoding='utf-8')
            return Project(directory).check()

    failures = [f'a good project has a problem: {problem}' for problem in problems_of(GOOD_PROJECT)]
    found = problems_of(GOOD_PROJECT | {path: text for path, (text, _) in BAD_FILES.items()})
    for path, (_, expected) in BAD_FILES.items():
        for line, reason in expected:
            match = next((p for p in found if p[0] == path and p[1] == line and reason in p[2]), None)
            if match:
                found.remove(match)
            else:
                failures.append(f'not found: {path}:{line}: {reason}')
    failures += [f'not expected: {path}:{line}: {reason}' for path, line, reason in found]
    print('\n'.join(failures) or 'self-test: every rule can fail')
    return 1 if failures else 0


def main(arguments):
    if arguments == ['--self-test']:
        return self_test()
    if len(arguments) > 1 or any(argument.startswith('-') for argument in arguments):
        print(__doc__, file=sys.stderr)
        return 2
    project = Project(arguments[0] if arguments else Path(__file__).resolve().parent.parent)
    problems = project.check()
    for path, line, reason in problems:
        print(f'{path}:{line}: {reason}')
    if not problems:
        print(f'{len(project.sources)} files, no problem')
    return 1 if problems else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
