"""A server on loopback that hands out one file, unreliably: what a bad network does to a download."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

UNAVAILABLE, CUT = "503 Service Unavailable", "the connection ends half-way"


class ErraticServer:
    """Serves a page that links to `file`, and the file; each request for it takes one of `faults` while any is left."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.faults: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> "ErraticServer":
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path != f"/{outer.file.name}":
                    return self._answer(
                        f'<a href="{outer.file.name}">{outer.file.name}</a>'.encode(), "text/html"
                    )
                fault = outer.faults.pop(0) if outer.faults else None
                if fault == UNAVAILABLE:
                    return self.send_error(503)
                data = outer.file.read_bytes()
                return self._answer(data, "application/zip", len(data) // 2 if fault == CUT else None)

            def _answer(self, data: bytes, kind: str, sent: int | None = None) -> None:
                self.send_response(200)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data[:sent])

            def log_message(self, *_: object) -> None:
                pass

        return Handler
