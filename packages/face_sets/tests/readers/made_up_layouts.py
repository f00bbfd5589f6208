"""Made-up copies of the seven sets of adults and of faces from the web, in their owners' layouts, oddities included."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from made_up import face, write_black, write_face, write_noise, write_table, write_text

AFFECTNET_HEADER = (
    "subDirectory_filePath", "face_x", "face_y", "face_width", "face_height", "facial_landmarks", "expression",
    "valence", "arousal",
)  # fmt: skip


def write_affectnet(folder: Path) -> None:
    """The older release: every code, a list without header, a face listed twice, one that is not there."""
    pictures = folder / "Manually_Annotated" / "Manually_Annotated_Images"
    lists = folder / "Manually_Annotated_file_lists"
    names = [f"{100 + code}/{code:032x}.jpg" for code in range(11)]
    for seed, name in enumerate(names):
        write_face(pictures / name, seed, 72)
    rows = [
        (name, 8, 9, 50, 52, "1.5;2.5;3.5;4.5", code, -2 if code > 8 else 0.1, 0.2)
        for code, name in enumerate(names)
    ]
    absent = ("999/absent.jpg", 1, 1, 30, 30, "1;2", 1, 0.5, 0.5)
    write_table(lists / "training.csv", [*rows, rows[0], absent], AFFECTNET_HEADER)
    write_face(pictures / "500" / "validation.jpg", 30, 72)
    write_table(lists / "validation.csv", [("500/validation.jpg", 8, 9, 50, 52, "1;2", 6, 0, 0)])
    write_table(
        folder / "Automatically_annotated_file_list" / "automatically_annotated.csv",
        [rows[1]],
        AFFECTNET_HEADER,
    )


def write_affectnet_reduced(folder: Path) -> None:
    """The newer release: labels as text, as bytes and as a number; one lost, one pickled, one that is noise."""
    labels: list[tuple[str, int, object]] = [("train_set", k, str(k)) for k in range(8)]
    labels += [
        ("val_set", 20, np.bytes_("3")),
        ("val_set", 21, 4),
        ("val_set", 22, 5.0),
        ("val_set", 23, None),
    ]
    labels += [("val_set", 24, np.array([{"a": 1}], dtype=object))]
    for which, number, label in labels:
        write_face(folder / which / "images" / f"{number}.jpg", number, 224 if number == 0 else 64)
        notes = folder / which / "annotations"
        notes.mkdir(parents=True, exist_ok=True)
        if label is not None:
            np.save(notes / f"{number}_exp.npy", np.asarray(label))
            np.save(notes / f"{number}_val.npy", np.asarray("-0.5"))
    write_face(folder / "val_set" / "images" / "25.jpg", 25)
    write_noise(folder / "val_set" / "annotations" / "25_exp.npy", 25)


FER_CODES = (0, 1, 2, 3, 4, 5, 6, 3, 3, 0, 0, 4)
FER_USAGES = ("Training",) * 8 + ("PublicTest",) * 2 + ("PrivateTest",) * 2
FER_VOTES = (  # neutral, happiness, surprise, sadness, anger, disgust, fear, contempt, unknown, NF
    (0, 0, 0, 0, 9, 1, 0, 0, 0, 0),
    (1, 0, 0, 0, 1, 8, 0, 0, 0, 0),
    (0, 0, 2, 0, 0, 0, 8, 0, 0, 0),
    (0, 10, 0, 0, 0, 0, 0, 0, 0, 0),
    (8, 0, 0, 2, 0, 0, 0, 0, 0, 0),  # FER-2013 says sad, the votes neutral
    (0, 0, 10, 0, 0, 0, 0, 0, 0, 0),
    (5, 1, 0, 1, 1, 0, 1, 0, 1, 0),  # five of ten, and all others alone: five of the five that count
    (4, 4, 0, 0, 2, 0, 0, 0, 0, 0),  # no majority
    (0, 0, 0, 0, 0, 0, 0, 0, 0, 10),  # not a face
    (2, 0, 0, 0, 0, 0, 0, 8, 0, 0),  # contempt
    (1, 1, 1, 1, 1, 1, 1, 1, 1, 1),  # all single votes
    (0, 0, 0, 0, 0, 0, 0, 0, 9, 0),  # unknown
)


def fer_pixels(record: int) -> np.ndarray:
    """The grey levels of a record, uint8 (48, 48)."""
    return face(record, 48).mean(axis=2).astype(np.uint8)


def write_fer2013(folder: Path, votes: bool = True, newline: str = "\n", encoding: str = "utf-8") -> None:
    """Twelve faces, with FER+'s votes or without."""
    rows = [
        (code, " ".join(map(str, fer_pixels(record).ravel())), usage)
        for record, (code, usage) in enumerate(zip(FER_CODES, FER_USAGES, strict=True))
    ]
    header = ("emotion", "pixels", "Usage")
    write_table(folder / "fer2013.csv", rows, header, newline=newline, encoding=encoding)
    if votes:
        names = ["" if counts[9] == 10 else f"fer{n:07d}.png" for n, counts in enumerate(FER_VOTES)]
        wanted = (
            "neutral",
            "happiness",
            "surprise",
            "sadness",
            "anger",
            "disgust",
            "fear",
            "contempt",
            "unknown",
        )
        write_table(
            folder / "fer2013new.csv",
            [
                (usage, name, *counts)
                for usage, name, counts in zip(FER_USAGES, names, FER_VOTES, strict=True)
            ],
            ("Usage", "Image name", *wanted, "NF"),
        )


def write_raf_db(folder: Path) -> None:
    """All seven codes; every age range, race and sex; a face without attributes, a lost one, a doubled line."""
    basic = folder / "basic"
    people = [("train_00001", 1, 0, 0, 0), ("train_00002", 2, 1, 1, 1), ("train_00003", 3, 2, 2, 2)]
    people += [("train_00004", 4, 0, 0, 3), ("train_00005", 5, 1, 1, 4), ("test_0001", 6, 0, 2, 2)]
    lines: list[tuple[object, ...]] = []
    for seed, (name, code, sex, race, age) in enumerate(people):
        write_face(basic / "Image" / "aligned" / f"{name}_aligned.jpg", seed, 100)
        write_face(basic / "Image" / "original" / f"{name}.jpg", seed, (120, 150))
        landmarks = "".join(f"{10.5 + k}\t{20.5 + k}\n" for k in range(5))
        write_text(
            basic / "Annotation" / "manual" / f"{name}_manu_attri.txt", f"{landmarks}{sex}\n{race}\n{age}\n"
        )
        lines.append((f"{name}.jpg", code))
    write_face(basic / "Image" / "aligned" / "test_0002_aligned.jpg", 9, 100)
    lines += [("test_0002.jpg", 7), ("test_0003.jpg", 7), ("train_00001.jpg", 1)]
    write_table(basic / "EmoLabel" / "list_patition_label.txt", lines, separator=" ")


EXPW_LINES = (  # name, face, top, left, right, bottom, confidence, label
    ("angry_actor_1.jpg", 0, 5, 40, 90, 60, 99.1, 0),
    ("happy_pair_2.jpg", 0, 10, 20, 70, 64, 98.0, 3),
    ("happy_pair_2.jpg", 1, 12, 90, 140, 66, 97.5, 6),
    ("happy_pair_2.jpg", 1, 12, 90, 140, 66, 97.5, 6),  # repeated
    ("two words 3.jpg", 0, 5, 40, 90, 60, 60.0, 4),
    ("fear_4.jpg", 0, 5, 40, 90, 60, 60.0, 2),
    ("fear_4.jpg", 0, 5, 40, 90, 60, 60.0, 5),  # the same face, another label
    ("flat_5.jpg", 0, 60, 40, 90, 5, 60.0, 1),  # bottom above top
    ("absent_6.jpg", 0, 5, 40, 90, 60, 60.0, 1),
    ("../outside_7.jpg", 0, 5, 40, 90, 60, 60.0, 1),
)


def write_expw(folder: Path) -> None:
    """Two faces in a picture, a repeated row, a contradiction, a flat box, an absent picture, one outside."""
    for seed, name in enumerate(
        ("angry_actor_1.jpg", "happy_pair_2.jpg", "two words 3.jpg", "fear_4.jpg", "flat_5.jpg")
    ):
        write_face(folder / "data" / "image" / "origin" / name, seed, (160, 72))
    write_table(folder / "data" / "label" / "label.lst", EXPW_LINES, separator=" ")


def write_ckplus(
    folder: Path, images: str = "cohn-kanade-images", emotions: str = "Emotion", suffix: str = "png"
) -> None:
    """Every code over three people; an unlabelled sequence, one cut short, one without its first frame."""
    sequences = [
        ("S005", 1, 3, 4),
        ("S010", 1, 7, 3),
        ("S010", 2, 2, 3),
        ("S010", 3, 5, 3),
        ("S011", 1, 1, 3),
    ]
    sequences += [("S011", 2, 4, 3), ("S011", 3, 6, 3), ("S011", 4, None, 3)]
    for place, (subject, number, code, frames) in enumerate(sequences):
        for frame in range(1, frames + 1):
            write_face(
                folder / images / subject / f"{number:03d}" / f"{subject}_{number:03d}_{frame:08d}.{suffix}",
                int(subject[1:]), (80, 60), grey=place % 2 == 0,
            )  # fmt: skip
        notes = folder / emotions / subject / f"{number:03d}"
        notes.mkdir(parents=True)
        if code is not None:
            name = f"{subject}_{number:03d}_{frames:08d}_emotion.txt"
            write_text(notes / name, f"   {float(code):.7e}\n")
    write_text(folder / images / "S010" / ".DS_Store", "x")


def write_jaffe(folder: Path, separator: str = ".", suffix: str = "tiff") -> None:
    """Two women, all expressions; the repeat number that stands twice; a second copy; a name of no one."""
    names = ["KA.AN1.39", "KA.DI1.42", "KA.FE1.45", "KA.HA1.29", "KA.NE1.26", "KA.SA1.33", "KA.SU1.36"]
    names += ["MK.FE2.131", "MK.FE2.132", "NA.FE3.219"]
    for seed, name in enumerate(names):
        write_face(folder / "jaffe" / f"{name.replace('.', separator)}.{suffix}", seed, 96, grey=True)
    write_face(folder / "copies" / f"KA{separator}AN1{separator}39.png", 0, 96, grey=True)
    write_face(folder / "jaffe" / f"XX.AN1.400.{suffix}", 50, 96, grey=True)
    write_text(folder / "jaffe" / "README", "JAFFE\n")


def write_kdef(folder: Path) -> None:
    """One woman and one man of the same number, both series; all angles; the files that are known to be bad."""
    for code in ("AF", "AN", "DI", "HA", "NE", "SA", "SU"):
        for series, sex in (("A", "F"), ("B", "F"), ("A", "M")):
            name = f"{series}{sex}01{code}S"
            write_face(folder / name[:4] / f"{name}.JPG", 1 if sex == "F" else 2, (56, 76))
    for name in ("AF01AFHL", "AF01AFHR", "AF01AFFL", "AF01AFFR", "BM17NES", "AM02HAFR"):
        write_face(folder / name[:4] / f"{name}.JPG", 1, (56, 76))
    write_black(folder / "AF11" / "AF11NEHL.JPG", (56, 76))
    write_face(folder / "AF31" / "AF31V.JPG", 31, (56, 76))
    write_face(folder / "AF40" / "AF40ANS.JPG", 40, (56, 76))  # there is no 40
    write_face(folder / "copies" / "af01ans.jpg", 1, (56, 76))


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "affectnet": write_affectnet,
    "fer2013": write_fer2013,
    "raf_db": write_raf_db,
    "expw": write_expw,
    "ckplus": write_ckplus,
    "jaffe": write_jaffe,
    "kdef": write_kdef,
}
"""The writer of each set, by its name."""
