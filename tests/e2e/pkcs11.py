# SPDX-License-Identifier: LGPL-2.1-or-later
"""A token in software (SoftHSM), and the provider through which OpenSSL finds keys on it. Debian has pkcs11-provider only in
the suite behind ours, whose program runs with the OpenSSL of the host; an earlier run may have left it in the cache."""

import shutil

import cache
import dissect
import guest
import small

PACKAGE = 'pkcs11-provider'
MODULE = '/usr/lib/softhsm/libsofthsm2.so'

OPENSSL = """\
openssl_conf = openssl_init

[openssl_init]
providers = providers

[providers]
default = default_provider
pkcs11 = pkcs11_provider

[default_provider]
activate = 1

[pkcs11_provider]
module = {provider}
pkcs11-module-path = {module}
pkcs11-module-quirks = no-deinit
activate = 1
"""


def _unpack(root):
    directory = root.with_name(f'{root.name}.apt')
    dissect.make_apt_directory(directory)
    dissect.apt(directory, 'download', PACKAGE, cwd=directory)
    [archive] = directory.glob('*.deb')
    guest.run('dpkg-deb', '--extract', archive, root)
    shutil.rmtree(directory)


def provider():
    path = cache.kept(cache.directory() / f'{PACKAGE}-{dissect.SUITE}', _unpack)
    [found] = path.rglob('pkcs11.so')
    return found


class Token:
    """A token with this PIN. Whoever is to find it needs its environment."""

    def __init__(self, directory, label, pin):
        self.label, self.pin = label, pin
        (directory / 'tokens').mkdir(parents=True)
        softhsm, openssl = directory / 'softhsm2.conf', directory / 'openssl.cnf'
        softhsm.write_text(f'directories.tokendir = {directory}/tokens\nobjectstore.backend = file\n')
        openssl.write_text(OPENSSL.format(provider=provider(), module=MODULE))
        self.environment = {'SOFTHSM2_CONF': str(softhsm), 'OPENSSL_CONF': str(openssl)}
        self._run('--init-token', '--free', '--label', label, '--so-pin', '87654321')

    def _run(self, *words):
        # Without the provider, which would open the token that is being made.
        small.run('softhsm2-util', *words, '--pin', self.pin, SOFTHSM2_CONF=self.environment['SOFTHSM2_CONF'])

    def take(self, key, label):
        """Imports a key from a file in PEM form. Answers its URI."""
        self._run('--import', key, '--token', self.label, '--label', label, '--id', '01')
        return f'pkcs11:token={self.label};object={label};type=private'
