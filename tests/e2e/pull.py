# SPDX-License-Identifier: LGPL-2.1-or-later
"""Downloads of images by systemd-pull, the program behind machinectl pull-raw and pull-tar, which checks them by the
SHA256SUMS and SHA256SUMS.gpg that lie beside them. It needs no running systemd."""

import functools
import http.server
import os
import socket
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import project as projects

PROGRAM = '/usr/lib/systemd/systemd-pull'
KEY_RING = '/usr/lib/systemd/import-pubring.gpg'
SECONDS_MAX = 300


class Key:
    """A throwaway key, and the ring of public keys that has it. Also a context: agents end with it."""

    def __init__(self, directory):
        self.home = Path(directory)
        self.home.mkdir(mode=0o700)
        self.ring = self.home / 'ring.gpg'
        batch = ['--batch', '--passphrase', '']
        self.gpg(*batch, '--quick-generate-key', 'Images <images@example.org>', 'rsa2048', 'sign', 'never')
        self.gpg('--export', '--output', self.ring)

    def gpg(self, *arguments):
        command = ['gpg', '--homedir', self.home, '--quiet', *arguments]
        subprocess.run(command, check=True, capture_output=True, env=projects.clean_environment())

    def sign(self, path):
        """Makes path.gpg, a signature beside the file."""
        signature = path.with_name(f'{path.name}.gpg')
        signature.unlink(missing_ok=True)
        self.gpg('--batch', '--detach-sign', '--output', signature, path)
        return signature

    def __enter__(self):
        return self

    def __exit__(self, *error):
        subprocess.run(
            ['gpgconf', '--homedir', self.home, '--kill', 'all'], check=False, capture_output=True
        )


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Answers one request after the other, the image last. systemd-pull 252 asks for everything at once, and looks at
    one finished transfer each time something happens: where the last two finish together, as they may while it is busy
    unpacking, it waits forever for the second."""

    def log_message(self, *arguments):
        """What is asked for is in the server's list."""

    def do_GET(self):
        server = self.server
        if self.path.lstrip('/') == server.image:
            # What is not found is asked for under another name, so nobody knows which request is the last.
            while time.monotonic() < server.last_answer + 1:
                time.sleep(0.05)
            super().do_GET()
            return
        with server.turn:
            super().do_GET()
            self.wfile.flush()
            self.connection.shutdown(socket.SHUT_WR)
            # The client closes its end when it has all, and looks at the finished transfer right after that.
            self.connection.settimeout(SECONDS_MAX)
            while self.connection.recv(4096):
                pass
            time.sleep(0.1)
            server.last_answer = time.monotonic()

    def send_head(self):
        self.server.asked.append(self.path.lstrip('/'))
        return super().send_head()


@contextmanager
def served(directory, image):
    """Serves the directory on localhost, its file image last; yields its URL and the list of what is asked for."""
    handler = functools.partial(_Handler, directory=os.fspath(directory))
    with http.server.ThreadingHTTPServer(('127.0.0.1', 0), handler) as server:
        server.asked, server.image = [], image
        server.turn, server.last_answer = threading.Lock(), time.monotonic()
        thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            yield f'http://127.0.0.1:{server.server_address[1]}', server.asked
        finally:
            server.shutdown()
            thread.join()


class Result:
    """How it ended: whether it was accepted, what was said, what was asked for, and where the image is."""

    def __init__(self, status, output, asked, image):
        self.accepted, self.output, self.asked, self.image = status == 0, output, asked, image


def _pull(kind, directory, name, verify, ring, root):
    """The downloaded image becomes root/local, with .raw behind it for a disk."""
    # The key ring and the lock files of the host stay as they are.
    script = 'mount --bind "$1" "$2"; mount -t tmpfs none /run; shift 2; exec "$@"'
    wrapper = ['unshare', '--mount', '--propagation=private', 'sh', '-ec', script, 'sh', ring, KEY_RING]
    with served(directory, name) as (url, asked):
        options = [f'--image-root={root}', f'--verify={verify}', '--sync=no', '--btrfs-subvol=no']
        command = [PROGRAM, *options, kind, f'{url}/{name}', 'local']
        said = subprocess.run(
            [*wrapper, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, text=True,
            env=projects.clean_environment(no_proxy='127.0.0.1', NO_PROXY='127.0.0.1'), timeout=SECONDS_MAX,
        )  # fmt: skip
    image = Path(root) / ('local.raw' if kind == 'raw' else 'local')
    return Result(said.returncode, said.stdout, asked, image)


@contextmanager
def pull_raw(directory, name, signature, ring='/dev/null'):
    """Downloads directory/name (*.raw, maybe compressed) as a disk, checked by its signature, or by its checksum only.
    Yields the Result, whose image lives as long as the context. The .nspawn file beside it comes with it."""
    with _image_root() as root:
        yield _pull('raw', directory, name, 'signature' if signature else 'checksum', ring, root)


@contextmanager
def pull_tar(directory, name, signature, ring='/dev/null'):
    """As pull_raw(), of a tar archive that becomes a directory."""
    with _image_root() as root:
        yield _pull('tar', directory, name, 'signature' if signature else 'checksum', ring, root)


@contextmanager
def _image_root():
    root = tempfile.mkdtemp(prefix='test-pull-', dir='/var/tmp')
    try:
        yield root
    finally:
        # The importer keeps what it downloaded apart from the copy that is to be used, and makes it immutable.
        subprocess.run(['chattr', '-R', '-f', '-i', root], check=False)
        projects.remove_tree(root)
