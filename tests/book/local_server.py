"""The rendered book as a web server sends it."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from arm_latency.litert_js import INSTALLED

AXE = INSTALLED / "node_modules" / "axe-core" / "axe.min.js"
AXE_ADDRESS = "/axe.min.js"


class Quiet(SimpleHTTPRequestHandler):
    """Sends the book's files, and axe-core beside them: what comes from an address Chromium keeps compiled."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def translate_path(self, path):
        return str(AXE) if path == AXE_ADDRESS else super().translate_path(path)

    def log_message(self, format, *arguments):
        """Say nothing: the test reports."""


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        """Print what went wrong, but not that a tab was closed before all was sent."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serving(folder: Path, handler: type[SimpleHTTPRequestHandler] = Quiet) -> Iterator[str]:
    """Serve a folder on this machine; yield the address."""
    server = Server(("127.0.0.1", 0), partial(handler, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
