"""A made-up phone on loopback: the device's side of the adb protocol, so that the real `adb` can be tested with.

Speaks the transport (CNXN, OPEN, OKAY, WRTE, CLSE), the service `shell:` and of `sync:` what `adb push` needs (STAT,
SEND), as packages/modules/adb/protocol.txt and SYNC.TXT describe them. Commands run in a sandbox: the phone's folders
`/data` and `/sys` are folders below `root`, and `getprop` and `dumpsys` answer from files. It calls itself made up
wherever it is asked what it is. (On PyPI and in public code are clients, and host-side servers, of this protocol.)
"""

import asyncio
import os
import struct
import threading
from collections.abc import Callable
from pathlib import Path

CONNECTION = b"device::ro.product.name=made_up;ro.product.model=MADE_UP_PHONE;ro.product.device=made_up;\0"
VERSION, LARGEST = 0x01000000, 65536
FASTEST_KHZ = 1_804_800  # Snapdragon 450


class MadeUpPhone:
    """A phone with eight cores that adb reaches at `serial`, until `stop` or, as if unplugged, until `drop`.

    `unplug_at` says for each command line that arrives whether the cable is pulled just then.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.unplug_at: Callable[[str], bool] = lambda command: False
        self.commands: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._writers: list[asyncio.StreamWriter] = []
        _furnish(root)
        started = threading.Event()
        self._thread = threading.Thread(target=self._serve, args=(started,), daemon=True)
        self._thread.start()
        started.wait()

    @property
    def serial(self) -> str:
        return f"127.0.0.1:{self._port}"

    @property
    def folder(self) -> Path:
        """Where adb puts programs: /data/local/tmp on the phone."""
        return self.root / "data/local/tmp"

    def set_clock(self, name: str, value: object) -> None:
        for core in (self.root / "sys/devices/system/cpu").iterdir():
            (core / "cpufreq" / name).write_text(f"{value}\n")

    def set_battery(self, celsius: float) -> None:
        (self.root / "battery").write_text(
            f"Current Battery Service state:\n  level: 80\n  temperature: {celsius * 10:.0f}\n"
        )

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _serve(self, started: threading.Event) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(asyncio.start_server(self._connected, "127.0.0.1", 0))
        self._port = server.sockets[0].getsockname()[1]
        started.set()
        self._loop.run_forever()
        server.close()
        self._drop()

    def _drop(self) -> None:
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        streams: dict[int, Stream] = {}
        try:
            while True:
                command, first, second, length, _, _ = struct.unpack("<4s5I", await reader.readexactly(24))
                data = await reader.readexactly(length)
                if command == b"CNXN":
                    _send(writer, b"CNXN", VERSION, LARGEST, CONNECTION)
                elif command == b"OPEN":
                    stream = streams[len(streams) + 1] = Stream(writer, len(streams) + 1, first)
                    _send(writer, b"OKAY", stream.ours, first)
                    stream.task = asyncio.ensure_future(self._service(stream, data.rstrip(b"\0").decode()))
                elif command == b"WRTE":
                    streams[second].received.feed_data(data)
                    _send(writer, b"OKAY", second, first)
                elif command == b"OKAY":
                    streams[second].taken.set()
                elif command == b"CLSE" and second in streams:
                    streams[second].received.feed_eof()
                    streams[second].taken.set()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the cable is pulled, or adb has ended

    async def _service(self, stream: "Stream", name: str) -> None:
        try:
            if name.startswith("shell:"):
                await self._shell(stream, name.removeprefix("shell:"))
            elif name == "sync:":
                await self._sync(stream)
            _send(stream.writer, b"CLSE", stream.ours, stream.theirs)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass

    async def _shell(self, stream: "Stream", command: str) -> None:
        self.commands.append(command)
        inside = command.replace("/data/", f"{self.root}/data/").replace("/sys/", f"{self.root}/sys/")
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", inside, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT, env={"PATH": f"{self.root}/bin:/usr/bin:/bin"},
        )  # fmt: skip
        output, _ = await process.communicate()
        said = output.replace(str(self.root).encode(), b"")
        if self.unplug_at(command):
            await stream.write(said[: len(said) // 2])
            self._drop()
            raise ConnectionResetError
        await stream.write(said)

    async def _sync(self, stream: "Stream") -> None:
        while True:
            kind, length = struct.unpack("<4sI", await stream.received.readexactly(8))
            if kind == b"QUIT":
                return
            argument = (await stream.received.readexactly(length)).decode()
            if kind == b"STAT":
                await stream.write(b"STAT" + struct.pack("<3I", *self._status(argument)))
            elif kind == b"SEND":
                await self._receive(stream, *argument.rsplit(",", 1))

    def _status(self, path: str) -> tuple[int, int, int]:
        try:
            found = os.stat(f"{self.root}{path}")
        except OSError:
            return 0, 0, 0
        return found.st_mode, found.st_size, int(found.st_mtime)

    async def _receive(self, stream: "Stream", path: str, mode: str) -> None:
        content = b""
        while True:
            kind, length = struct.unpack("<4sI", await stream.received.readexactly(8))
            if kind == b"DONE":  # its number is the time of modification
                break
            content += await stream.received.readexactly(length)
        try:
            target = Path(f"{self.root}{path}")
            target.write_bytes(content)
            target.chmod(int(mode) & 0o777)
            await stream.write(b"OKAY" + struct.pack("<I", 0))
        except OSError as error:
            reason = str(error.strerror).encode()
            await stream.write(b"FAIL" + struct.pack("<I", len(reason)) + reason)


class Stream:
    """One service that adb opened: numbers of both sides, and what came in."""

    def __init__(self, writer: asyncio.StreamWriter, ours: int, theirs: int) -> None:
        self.writer, self.ours, self.theirs = writer, ours, theirs
        self.received = asyncio.StreamReader()
        self.taken = asyncio.Event()
        self.task: asyncio.Future[None] | None = None

    async def write(self, data: bytes) -> None:
        """Send in pieces, each only after the one before it was taken: the protocol's flow control."""
        for start in range(0, len(data), 4096):
            self.taken.clear()
            _send(self.writer, b"WRTE", self.ours, self.theirs, data[start : start + 4096])
            await self.writer.drain()
            await self.taken.wait()


def _send(writer: asyncio.StreamWriter, command: bytes, first: int, second: int, data: bytes = b"") -> None:
    number = int.from_bytes(command, "little")
    head = struct.pack("<6I", number, first, second, len(data), sum(data) & 0xFFFFFFFF, number ^ 0xFFFFFFFF)
    writer.write(head + data)


def _furnish(root: Path) -> None:
    """Fill the sandbox: folders, eight cores, programs that answer as Android's would."""
    (root / "data/local/tmp").mkdir(parents=True)
    for number in range(8):
        clocks = root / f"sys/devices/system/cpu/cpu{number}/cpufreq"
        clocks.mkdir(parents=True)
        (clocks / "scaling_governor").write_text("interactive\n")
        for name in ("scaling_cur_freq", "scaling_max_freq", "cpuinfo_max_freq"):
            (clocks / name).write_text(f"{FASTEST_KHZ}\n")
    programs = root / "bin"
    programs.mkdir()
    properties = {
        "ro.product.manufacturer": "nobody", "ro.product.model": "MADE_UP_PHONE", "ro.build.version.release": "9",
        "ro.board.platform": "loopback",
    }  # fmt: skip
    cases = "\n".join(f'{name}) echo "{value}";;' for name, value in properties.items())
    scripts = {
        "getprop": f'case "$1" in\n{cases}\nesac',
        "dumpsys": f"cat {root}/battery",
        "taskset": 'mask=$1; shift; MASK=$mask exec "$@"',
    }
    for name, script in scripts.items():
        (programs / name).write_text(f"#!/bin/sh\n{script}\n")
        (programs / name).chmod(0o755)
    (root / "battery").write_text("  temperature: 290\n")
