"""Damages small data sets at random for some minutes and ingests them: no crash, no hang, no file outside the folder.

`python benchmarks/fuzz_readers.py --minutes 10` takes the sets in turn. Each round writes a set in its owner's layout,
damages some of its files (bytes changed, cut short, repeated, swapped for another kind, headers of huge pictures,
hostile tables, links that lead out, odd names), and ingests it. Allowed ends are a finished ingest and a sentence of
the project's own errors; anything else is printed with its seed, and ends with 1. `--seed` begins at another round, to
see one again.
"""

import faulthandler
import os
import random
import shutil
import struct
import sys
import tempfile
import time
import traceback
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import typer

TESTS = Path(__file__).parent.parent / "packages" / "face_sets" / "tests"
sys.path[:0] = [os.fspath(TESTS), os.fspath(TESTS / "readers")]

from made_up_sets import WRITERS  # noqa: E402

from face_sets.ingest import ingest  # noqa: E402
from face_sets.readers.reading import SOURCES  # noqa: E402

LONGEST = 60  # seconds a round may take: most take less than one
TABLES = {".csv", ".lst", ".txt", ".json", ".npy"}
HOSTILE_FIELDS = (
    "../../../etc/passwd", "/etc/passwd", "..\\..\\x", "=1+1", "nan", "inf", "-1", "1e308", "9" * 400, "\0", "\u202e", '"',
    "'", ",,,,", "", " ", "a" * 70_000, "C:\\x", "é" * 300, "\r", "%s%n", "1_0",
)  # fmt: skip
NAMES = (b"\xff\xfe.jpg", b"a\nb.jpg", "\u202egpj.jpg".encode(), b"_" * 200 + b".jpg", b"-rf", b"A.JPG")
LINKS = ("/etc/passwd", "/dev/zero", "..", "/", "itself")

Change = Callable[[bytes, random.Random], bytes]


def bytes_changed(data: bytes, chance: random.Random) -> bytes:
    """Change some bytes anywhere."""
    changed = bytearray(data)
    for _ in range(chance.randint(1, 40) if data else 0):
        changed[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(changed)


def part_repeated(data: bytes, chance: random.Random) -> bytes:
    """Repeat a part many times."""
    start = chance.randrange(len(data[:20_000]) + 1)
    return data[:start] + data[start : start + 50] * chance.randint(1, 2000) + data[start:20_000]


def huge_png(_: bytes, chance: random.Random) -> bytes:
    """A PNG whose header promises up to 2**31 - 1 pixels a side, whatever the suffix."""
    side = chance.choice([9_000, 30_000, 65_535, 2**31 - 1])
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"IDAT", zlib.compress(bytes(4096)))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def table_hostile(data: bytes, chance: random.Random) -> bytes:
    """Put hostile fields into a text table, or rows of other lengths."""
    lines = data.decode("utf-8", "replace").splitlines() or [""]
    for _ in range(chance.randint(1, 8)):
        place, separator = chance.randrange(len(lines)), chance.choice([",", ";", "\t", " "])
        fields = lines[place].split(separator)
        fields[chance.randrange(len(fields))] = chance.choice(HOSTILE_FIELDS)
        lines[place] = separator.join(fields)
    return "\n".join(lines).encode("utf-8", "surrogatepass")


CHANGES: tuple[Change, ...] = (
    bytes_changed, part_repeated, huge_png, table_hostile, table_hostile,
    lambda data, chance: data[: chance.randrange(len(data) + 1)],
    lambda _, chance: chance.randbytes(chance.randrange(2000)),
)  # fmt: skip


def replace(path: Path, chance: random.Random) -> None:
    """Put another file, a link, a folder or an odd name in a file's place."""
    kind = chance.randrange(4)
    if kind == 0:
        path.write_bytes(chance.choice([p for p in path.parent.glob("*") if p.is_file()]).read_bytes())
    elif kind == 1:
        os.rename(os.fsencode(path), os.path.join(os.fsencode(path.parent), chance.choice(NAMES)))
    else:
        path.unlink()
        (path / "1.jpg").mkdir(parents=True) if kind == 2 else path.symlink_to(chance.choice(LINKS))


def damage(folder: Path, chance: random.Random) -> None:
    """Damage some files of a set."""
    for _ in range(chance.randint(1, 6)):
        files = [path for path in sorted(folder.rglob("*"), key=os.fsencode) if path.is_file()]
        files = [path for path in files if not path.is_symlink()]
        tables = [path for path in files if path.suffix in TABLES]
        if files:
            path = chance.choice(tables if tables and chance.random() < 0.5 else files)
            if chance.random() < 0.35:
                replace(path, chance)
            else:
                path.write_bytes(chance.choice(CHANGES)(path.read_bytes(), chance))


def read_damaged(name: str, template: Path, scratch: Path, chance: random.Random) -> str:
    """Ingest a damaged copy of a set; return how it ended. Raises what is neither an end nor an error of ours."""
    folder = scratch / "owner"
    shutil.copytree(template, folder)
    damage(folder, chance)
    try:
        ingest(name, folder, scratch / "results", 48)
        end = "finished"
    except (ValueError, RuntimeError) as error:
        if not type(error).__module__.startswith("face_sets") or "\n" in str(error):
            raise
        end = type(error).__name__
    assert set(os.listdir(scratch)) <= {"owner", "results"}, "files lie outside the folder"
    return end


def main(minutes: float = 10, seed: int = 0, only: str | None = None) -> None:
    """Fuzz all sets, or one, for some minutes; print what was found."""
    until, ends, crashes, first = time.monotonic() + 60 * minutes, Counter[str](), 0, seed
    names = [only] if only else list(SOURCES)
    with tempfile.TemporaryDirectory() as templates:
        for name in names:
            WRITERS[name](Path(templates) / name)
        while time.monotonic() < until:
            name, chance = names[seed % len(names)], random.Random(seed)
            faulthandler.dump_traceback_later(LONGEST, exit=True)  # a hang shows where it hangs
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    ends[read_damaged(name, Path(templates) / name, Path(scratch), chance)] += 1
                except Exception:  # noqa: BLE001 - whatever it is, it is a finding
                    crashes += 1
                    print(f"seed {seed}, {name}:")
                    traceback.print_exc(limit=-4)
            faulthandler.cancel_dump_traceback_later()
            seed += 1
    print(f"{seed - first} rounds: {dict(ends)}, {crashes} crashes")
    sys.exit(1 if crashes else 0)


if __name__ == "__main__":
    typer.run(main)
