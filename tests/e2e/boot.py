#!/usr/bin/python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""Boots a disk image in a virtual machine with UEFI firmware and watches its serial console.

Usage: boot.py IMAGE [--until PATTERN] [--timeout SECONDS]

As a program it shows the console until PATTERN (a regular expression, default "login:") appears, and then
ends the machine; exit status 1 when that does not happen in time. The image is not changed: writes go to a
temporary file. The environment variable ACCELERATOR=kvm makes it use KVM; without it every instruction is
emulated, which is slower but works on any machine.
"""

import argparse
import codecs
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

QEMU = 'qemu-system-x86_64'
FIRMWARE = Path('/usr/share/OVMF/OVMF_CODE_4M.fd')
FIRMWARE_VARIABLES = Path('/usr/share/OVMF/OVMF_VARS_4M.fd')
# The same firmware with Secure Boot: which keys it has is in its variables, which nobody but itself can write.
SECURE_FIRMWARE = Path('/usr/share/OVMF/OVMF_CODE_4M.secboot.fd')
# Of terminals: control sequences, operating system commands, and short ones; and the beginning of one at the end.
ESCAPE_SEQUENCE = re.compile(r'\x1b(\[[0-9;?=]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)|[()][A-Z0-9]|[=>c78])|\r')
UNFINISHED_SEQUENCE = re.compile(r'\x1b(\[[0-9;?=]*|\][^\x07]*|[()])?$')
TAIL_LINES = 60


def missing():
    """What this host lacks for booting images, as one text; empty when nothing is."""
    lacks = []
    if not shutil.which(QEMU):
        lacks.append(f'{QEMU} (package qemu-system-x86)')
    paths = (FIRMWARE, SECURE_FIRMWARE, FIRMWARE_VARIABLES)
    lacks += [f'{path} (package ovmf)' for path in paths if not path.exists()]
    return ', '.join(lacks)


def firmware_options(variables, secure):
    common = ['-drive', f'if=pflash,format=raw,unit=1,file={variables}']
    if not secure:
        return [
            '-machine', 'q35', '-no-reboot',
            '-drive', f'if=pflash,format=raw,unit=0,readonly=on,file={FIRMWARE}', *common,
        ]  # fmt: skip
    # Enrolling keys ends with a reset.
    return [
        '-machine', 'q35,smm=on', '-global', 'driver=cfi.pflash01,property=secure,value=on',
        '-global', 'ICH9-LPC.disable_s3=1',
        '-drive', f'if=pflash,format=raw,unit=0,readonly=on,file={SECURE_FIRMWARE}', *common,
    ]  # fmt: skip


def qemu_command(image, variables, product='mkosi-test', secure=False):
    accelerator = os.environ.get('ACCELERATOR', 'tcg')
    # Emulated, more than one processor trips over races of QEMU 7.2; five-level paging and SVM cost time.
    cpu = 'max,-la57,-svm' if accelerator == 'tcg' else 'host'
    return [
        QEMU, '-nodefaults', '-no-user-config', '-display', 'none', *firmware_options(variables, secure),
        '-accel', accelerator, '-cpu', cpu, '-smp', '1', '-m', '1024',
        '-serial', 'stdio', '-monitor', 'none', '-device', 'virtio-rng-pci',
        '-smbios', f'type=1,product={product}',
        '-drive', f'file={image},format=raw,if=none,id=disk,snapshot=on,cache=unsafe',
        '-device', 'virtio-blk-pci,drive=disk,bootindex=1',
    ]  # fmt: skip


class BootError(Exception):
    """The machine did not do what was waited for; the text ends with the last lines of its console."""


class Machine:
    """A running virtual machine; a context manager that ends it. `product` is what the guest sees as its DMI
    product name, a way to tell it something from outside. With `secure_variables`, the path of a copy of the
    firmware's variables, the firmware has Secure Boot, and what it learns stays in that file. `options` are further
    ones of qemu."""

    def __init__(self, image, product='mkosi-test', echo=None, secure_variables=None, options=()):
        self.image = Path(image)
        self.product = product
        self.echo = echo
        self.secure_variables = secure_variables
        self.options = options
        self.text = ''
        self.changed = threading.Condition()

    def __enter__(self):
        self.directory = tempfile.TemporaryDirectory(prefix='mkosi-boot-')
        variables = self.secure_variables
        if not variables:
            variables = Path(self.directory.name, 'variables.fd')
            shutil.copyfile(FIRMWARE_VARIABLES, variables)
        self.process = subprocess.Popen(
            [*qemu_command(self.image, variables, self.product, bool(self.secure_variables)), *self.options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdin.close()
        self.process.stdout.close()
        self.directory.cleanup()

    def _read(self):
        decoder = codecs.getincrementaldecoder('utf-8')('replace')
        rest = ''
        while chunk := self.process.stdout.read1(4096):
            text = ESCAPE_SEQUENCE.sub('', rest + decoder.decode(chunk))
            unfinished = UNFINISHED_SEQUENCE.search(text)
            rest = unfinished.group() if unfinished else ''
            text = text.removesuffix(rest)
            if self.echo:
                self.echo.write(text)
                self.echo.flush()
            with self.changed:
                self.text += text
                self.changed.notify_all()

    def _fail(self, what):
        tail = '\n'.join(self.text.splitlines()[-TAIL_LINES:])
        raise BootError(f'{self.image}: {what}. The console said last:\n{tail}')

    def send(self, text):
        self.process.stdin.write(text.encode())
        self.process.stdin.flush()

    def wait_for(self, pattern, timeout=300, start=0):
        """Waits until the pattern appears on the console behind position start, and returns the match."""
        expression = re.compile(pattern)
        deadline = time.monotonic() + timeout
        with self.changed:
            while not (match := expression.search(self.text, start)):
                if not self.reader.is_alive():
                    self._fail(f'the machine ended before "{pattern}" was seen')
                if time.monotonic() > deadline:
                    self._fail(f'"{pattern}" was not seen in {timeout} s')
                self.changed.wait(0.5)
        return match

    def wait_for_power_off(self, timeout=120):
        """Waits until the guest has switched its machine off; a reset or a crash is none of that."""
        try:
            status = self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._fail(f'the machine was not switched off in {timeout} s')
        self.reader.join()
        if status != 0:
            self._fail(f'{QEMU} ended with status {status}')
        if not re.search(r'reboot: Power down', self.text):
            self._fail('the machine ended without being switched off')


def main():
    parser = argparse.ArgumentParser(description='Boots a disk image and shows its serial console')
    parser.add_argument('image')
    parser.add_argument('--until', default='login:', metavar='PATTERN')
    parser.add_argument('--timeout', default=300, type=int, metavar='SECONDS')
    arguments = parser.parse_args()

    if lacks := missing():
        print(f'Cannot boot {arguments.image}: {lacks} is not there', file=sys.stderr)
        return 1
    try:
        with Machine(arguments.image, echo=sys.stdout) as machine:
            machine.wait_for(arguments.until, arguments.timeout)
    except BootError as error:
        print(f'\n{error}', file=sys.stderr)
        return 1
    print()
    return 0


if __name__ == '__main__':
    sys.exit(main())
