"""Mutates made-up data sets for some minutes and ingests them: no crash, no hang, no file outside the folder.

`python benchmarks/fuzz_readers.py --minutes 10` takes the sets in turn. Each round writes a set in its owner's layout,
damages some of its files (bytes changed, cut short, doubled, swapped for another kind, headers of huge pictures,
hostile tables, links that lead out, names with odd signs), and ingests it. Every fourth round unpacks an archive
with hostile members too. Allowed ends are a finished ingest and a
sentence of the project's own (LayoutError and the like); anything else is printed with its seed, and ends with 1.
`--seed` begins at another round, to see one again.
"""

import argparse
import faulthandler
import os
import random
import shutil
import struct
import sys
import tarfile
import tempfile
import time
import traceback
import zipfile
import zlib
from collections import Counter
from collections.abc import Callable
from pathlib import Path

TESTS = Path(__file__).parent.parent / "packages" / "face_sets" / "tests"
sys.path[:0] = [os.fspath(TESTS), os.fspath(TESTS / "readers")]

from made_up_sets import WRITERS  # noqa: E402

from face_sets.archives import ArchiveError, unpack  # noqa: E402
from face_sets.ingest import ingest  # noqa: E402
from face_sets.readers.reading import SOURCES  # noqa: E402

LONGEST = 60  # seconds a round may take: most take less than one

HOSTILE_FIELDS = (
    "../../../etc/passwd", "/etc/passwd", "..\\..\\x", "=1+1", "nan", "inf", "-1", "1e308", "9" * 400, "\0", "\u202e", '"',
    "'", ",,,,", "", " ", "a" * 70_000, "C:\\x", "é" * 300, "\r", "%s%n",
)  # fmt: skip


def change_bytes(path: Path, chance: random.Random) -> None:
    """Change some bytes anywhere."""
    data = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 40)):
        if data:
            data[chance.randrange(len(data))] = chance.randrange(256)
    path.write_bytes(data)


def cut(path: Path, chance: random.Random) -> None:
    """Cut the file short, at times to nothing."""
    data = path.read_bytes()
    path.write_bytes(data[: chance.randrange(len(data) + 1)])


def repeat_part(path: Path, chance: random.Random) -> None:
    """Repeat a part many times."""
    data = path.read_bytes()[:20_000]
    start = chance.randrange(len(data) + 1)
    path.write_bytes(data[:start] + data[start : start + 50] * chance.randint(1, 2000) + data[start:])


def noise(path: Path, chance: random.Random) -> None:
    """Swap the contents for bytes of chance."""
    path.write_bytes(chance.randbytes(chance.randrange(2000)))


def huge_png(path: Path, chance: random.Random) -> None:
    """A PNG whose header promises up to 2**31 - 1 pixels a side, whatever the suffix."""
    side = chance.choice([9_000, 30_000, 65_535, 2**31 - 1])
    chunks = b""
    for kind, body in (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(4096))),
    ):
        chunks += struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)


def hostile_table(path: Path, chance: random.Random) -> None:
    """Put hostile fields into a text table, or rows of other lengths."""
    lines = path.read_bytes().decode("utf-8", "replace").splitlines() or [""]
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(lines))
        separator = chance.choice([",", ";", "\t", " "])
        fields = lines[place].split(separator)
        fields[chance.randrange(len(fields))] = chance.choice(HOSTILE_FIELDS)
        lines[place] = separator.join(fields)
    path.write_bytes("\n".join(lines).encode("utf-8", "surrogatepass"))


def other_file(path: Path, chance: random.Random) -> None:
    """Swap the contents for those of another file of the set."""
    others = [other for other in path.parent.rglob("*") if other.is_file() and other != path]
    if others:
        path.write_bytes(chance.choice(others).read_bytes())


def link_out(path: Path, chance: random.Random) -> None:
    """Make it a link: out of the folder, to itself, or to a device."""
    path.unlink()
    path.symlink_to(chance.choice(["/etc/passwd", path.name, "/dev/zero", "..", "/"]))


def folder_instead(path: Path, chance: random.Random) -> None:
    """Put a folder in its place."""
    path.unlink()
    (path / f"{chance.randrange(9)}.jpg").mkdir(parents=True)


def odd_name(path: Path, chance: random.Random) -> None:
    """Give it a name with odd signs, at times no UTF-8."""
    name = chance.choice(
        [
            b"\xff\xfe.jpg",
            b"a\nb.jpg",
            "\u202egpj.jpg".encode(),
            b"_" * 200 + b".jpg",
            b"-rf",
            os.fsencode(path.name).upper(),
        ]
    )
    os.rename(os.fsencode(path), os.path.join(os.fsencode(path.parent), name))


MUTATIONS: tuple[Callable[[Path, random.Random], None], ...] = (
    change_bytes, cut, repeat_part, noise, huge_png, hostile_table, hostile_table, other_file, link_out, folder_instead,
    odd_name,
)  # fmt: skip


def damage(folder: Path, chance: random.Random) -> list[str]:
    """Damage some files; return what was done."""
    done = []
    for _ in range(chance.randint(1, 6)):
        files = sorted(
            (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()), key=os.fsencode
        )
        tables = [path for path in files if path.suffix in {".csv", ".lst", ".txt", ".json", ".npy"}]
        if not files:
            break
        path = chance.choice(tables if tables and chance.random() < 0.5 else files)
        mutation = chance.choice(MUTATIONS)
        mutation(path, chance)
        done.append(f"{mutation.__name__} {path.suffix}")
    return done


def run(name: str, template: Path, scratch: Path, seed: int) -> str:
    """Do one round; return how it ended: finished, or the project's own error's name. Raises what is neither."""
    chance = random.Random(seed)
    folder, results = scratch / "owner", scratch / "results"
    shutil.copytree(template, folder)
    done = damage(folder, chance)
    before = set(os.listdir(scratch))
    try:
        ingest(name, folder, results, 48)
        end = "finished"
    except (ValueError, RuntimeError) as error:
        if not type(error).__module__.startswith("face_sets"):
            print(f"seed {seed}, {name}, after {', '.join(done)}:")
            raise
        if "\n" in str(error):
            print(f"seed {seed}, {name}: more than one sentence")
            raise
        end = type(error).__name__
    except BaseException:
        print(f"seed {seed}, {name}, after {', '.join(done)}:")
        raise
    if strange := set(os.listdir(scratch)) - before - {"results"}:
        raise RuntimeError(f"seed {seed}, {name}: files outside the folder: {strange}")
    return end


def run_archive(template: Path, scratch: Path, seed: int) -> str:
    """Pack a set with hostile members, damage the archive, unpack it; nothing may lie outside its folder."""
    chance = random.Random(seed)
    path = scratch / chance.choice(["set.zip", "set.tar", "set.tar.gz", "set.tar.bz2"])
    names = [
        "../out.txt",
        os.fspath(scratch / "absolute.txt"),
        "a/../../out",
        "C:\\out",
        "x" * 300,
        "a\0b",
        "ok.txt",
        "ok.txt/ok.txt",
        ".",
    ]
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
            for file in template.rglob("*"):
                packed.write(file, file.relative_to(template))
            packed.writestr(chance.choice(names), bytes(chance.choice([10, 80_000_000])))
    else:
        with tarfile.open(path, f"w:{path.suffix[1:] if path.suffix != '.tar' else ''}") as packed:
            packed.add(template, "set")
            member = tarfile.TarInfo(chance.choice(names).replace("\0", ""))
            member.type = chance.choice(
                [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE]
            )
            member.linkname = chance.choice(["/etc/passwd", "../..", "set"])
            packed.addfile(member)
    if chance.random() < 0.5:
        chance.choice([change_bytes, cut, repeat_part])(path, chance)
    before = {*os.listdir(scratch), "unpacked"}
    try:
        unpack(path, scratch / "unpacked")
        end = "unpacked"
    except ArchiveError:
        end = "ArchiveError"
    assert set(os.listdir(scratch)) <= before, f"seed {seed}: something lies outside the folder"
    links = [file for file in (scratch / "unpacked").rglob("*") if file.is_symlink()]
    assert not links, f"seed {seed}: links were unpacked"
    return end


def main() -> None:
    """Fuzz for the minutes asked for; print what was found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", help="one set")
    options = parser.parse_args()
    until, ends, crashes = time.monotonic() + 60 * options.minutes, Counter[str](), 0
    names = [options.only] if options.only else list(SOURCES)
    longest = 0.0
    with tempfile.TemporaryDirectory() as templates:
        for name in names:
            WRITERS[name](Path(templates) / name)
        seed = options.seed
        while time.monotonic() < until:
            name = names[seed % len(names)]
            started = time.monotonic()
            faulthandler.dump_traceback_later(LONGEST, exit=True)  # a hang shows where it hangs
            with tempfile.TemporaryDirectory() as scratch:
                try:
                    ends[run(name, Path(templates) / name, Path(scratch), seed)] += 1
                    if seed % 4 == 0:
                        ends[run_archive(Path(templates) / name, Path(scratch), seed)] += 1
                except Exception:  # noqa: BLE001 - whatever it is, it is a finding
                    crashes += 1
                    traceback.print_exc(limit=-4)
            faulthandler.cancel_dump_traceback_later()
            longest = max(longest, time.monotonic() - started)
            seed += 1
    print(f"{seed - options.seed} rounds: {dict(ends)}, {crashes} crashes, longest round {longest:.1f} s")
    sys.exit(1 if crashes else 0)


if __name__ == "__main__":
    main()
