"""A made-up copy of the London Set in its published layout, with files that are no photographs of it."""

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
