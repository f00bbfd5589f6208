"""Made-up copies of the London Set as published, and of it and its sister set in a clone of their repository."""

from pathlib import Path

from made_up import write_face, write_text

INFO = "face_id,face_age,face_sex,face_eth\nX001,24,female,white\nX036,21,male,east_asian\nX135,NA,female,west_asian\n"


def write_london(folder: Path) -> None:
    """Three people, neutral and smiling; one gives no age."""
    write_text(folder / "london_faces_info.csv", INFO)
    for seed, number in enumerate(("001", "036", "135")):
        write_face(folder / "neutral_front" / f"{number}_03.jpg", seed, 96)
        write_face(folder / "smiling_front" / f"{number}_08.jpg", seed, 96, expression="happiness")
        write_text(folder / "neutral_front" / f"{number}_03.tem", "189\n")


def write_canada(folder: Path) -> None:
    """The repository's layout: two sets, their tables without X before numbers, a table of a third set."""
    info = INFO.replace("X", "").replace("face_sex", "face_gender")
    write_text(folder / "data-raw" / "london_info.csv", info)
    write_text(
        folder / "data-raw" / "canada_info.csv",
        "face_id,face_age,face_gender\n003f,19,female\n044f,17,female\n095m,21,male\n",
    )
    write_text(folder / "data-raw" / "raw_3dsk_info.csv", "face_id,face_age\n")
    for seed, number in enumerate(("001", "036", "135")):
        write_face(folder / "inst" / "neutral_front" / f"{number}_03.jpg", seed, 96)
        write_face(folder / "inst" / "smiling_front" / f"{number}_08.jpg", seed, 96, expression="happiness")
    for seed, name in enumerate(("003f", "044f", "095m")):
        write_face(folder / "inst" / "canada" / f"{name}.jpg", 10 + seed, 96)
        write_text(folder / "inst" / "canada" / f"{name}.tem", "189\n")
