"""What of the copies of a photograph the search for near-duplicates finds, and what it takes for a copy wrongly.

`FER_DATA=FOLDER python benchmarks/duplicates.py` copies the London photographs and `--rendered` faces in several ways.
A copy goes the way of every picture: it is changed, then its face is found and cropped anew. `stored` is the other
way, for sets that ship cropped faces: the stored face itself is changed. For each are printed the shares that
the clusters join with their original, and that lie within BESIDE of it, as is asked of CAFE's; and of whole pictures
the share within SAME_PICTURE. Then how near two people come, by the face and by the whole picture.
"""

from collections.abc import Callable, Sequence

import cv2
import numpy as np
import pandas as pd
import typer
from rendered import rendered_faces

from face_sets.detection import FaceDetector, crop_face, largest_face
from face_sets.duplicates import BESIDE, LINKED, SAME_PICTURE, clusters, codes_of, distances, perceptual_hash
from face_sets.images import Pixels, decode_image, encode_jpeg, read_image, without_bars
from face_sets.ingest import FACE_SIZE
from face_sets.readers.london import read as read_london
from fer_utils.steps.external_faces import london_folder

Copy = Callable[[Pixels, np.random.Generator], Pixels]


def cropped(share: float) -> Copy:
    """Return a copy that lacks a share of the width and of the height, cut off at random."""

    def cut(image: Pixels, generator: np.random.Generator) -> Pixels:
        height, width = (round(side * (1 - share)) for side in image.shape[:2])
        top = generator.integers(0, image.shape[0] - height + 1)
        left = generator.integers(0, image.shape[1] - width + 1)
        return np.ascontiguousarray(image[top : top + height, left : left + width])

    return cut


def lit(contrast: float, brightness: float) -> Copy:
    """Return a copy of another contrast (a factor about the middle) and brightness (levels of 255)."""
    return lambda image, _: np.clip((image - 128.0) * contrast + 128 + brightness, 0, 255).astype(np.uint8)


def shrunk(share: float) -> Copy:
    """Return a copy of a share of the side."""
    return lambda image, _: cv2.resize(image, None, fx=share, fy=share, interpolation=cv2.INTER_AREA)


def letter_boxed(image: Pixels, _: np.random.Generator) -> Pixels:
    """Return a copy as a frame of a phone held across, 360 x 640 with black bars, as JPEG."""
    scale = min(360 / image.shape[0], 640 / image.shape[1])
    inner = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    down, right = 360 - inner.shape[0], 640 - inner.shape[1]
    bars = ((down // 2, down - down // 2), (right // 2, right - right // 2), (0, 0))
    return decode_image(encode_jpeg(np.pad(inner, bars), 80))


COPIES: dict[str, Copy] = {
    "JPEG of quality 60": lambda image, _: decode_image(encode_jpeg(image, 60)),
    "letter-boxed": letter_boxed,
    "half the size": shrunk(0.5),
    "a third of the size": shrunk(1 / 3),
    "a quarter of the size": shrunk(0.25),
    "brighter": lit(1.0, 25),
    "darker": lit(1.0, -25),
    "more contrast": lit(1.3, 0),
    "noise": lambda image, g: np.clip(image + g.normal(0, 8, image.shape), 0, 255).astype(np.uint8),
    "grey": lambda image, _: cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB),
    "cropped by 5 %": cropped(0.05),
    "cropped by 10 %": cropped(0.1),
    "cropped by 20 %": cropped(0.2),
    "mirrored": lambda image, _: np.ascontiguousarray(image[:, ::-1]),
}


def london() -> tuple[list[str], list[Pixels]]:
    """Return the people and the photographs, none if they are not there."""
    if (folder := london_folder()) is None:
        return [], []
    rows = read_london(folder).rows
    return rows["subject_id"].tolist(), [read_image(folder / path) for path in rows["path"]]


def hashed(pictures: Sequence[Pixels | None]) -> list[str | None]:
    """Return the hash of each, None where there is no picture."""
    return [None if picture is None else perceptual_hash(picture) for picture in pictures]


def shares(originals: list[str | None], copies: list[str | None]) -> tuple[int, float, float]:
    """Return how many copies had a face, and the shares of them that clusters link and that lie within BESIDE."""
    pairs = pd.DataFrame({"one": originals, "two": copies}).dropna()
    one, two = codes_of(pairs["one"]), codes_of(pairs["two"])
    labels = clusters(np.vstack([one, two]))
    joined = labels[: len(one)] == labels[len(one) :]
    return len(one), float(joined.mean()), float((np.diag(distances(one, two)) <= BESIDE).mean())


def show(name: str, people: list[str], pictures: list[Pixels]) -> None:
    """Print the tables of one kind of pictures."""
    detector = FaceDetector()

    def found(image: Pixels) -> Pixels | None:
        image = without_bars(image)
        face = largest_face(detector.detect(image))
        return None if face is None else crop_face(image, face, FACE_SIZE)

    stored = [found(picture) for picture in pictures]
    originals, wholes = hashed(stored), hashed([without_bars(picture) for picture in pictures])
    print(
        f"{name}: {len(pictures)} pictures\n{'':24} {'found and cropped anew':>30} {'stored':>19} {'whole':>9}"
    )
    print(f"{'copy':24} {'faces':>10} {'linked':>9} {'beside':>9} {'linked':>9} {'beside':>9} {'same':>9}")
    for copy, change in COPIES.items():
        changed = [change(picture, np.random.default_rng(k)) for k, picture in enumerate(pictures)]
        again = hashed([found(picture) for picture in changed])
        direct = hashed(
            [None if s is None else change(s, np.random.default_rng(k)) for k, s in enumerate(stored)]
        )
        count, *found_anew = shares(originals, again)
        far = distances(
            codes_of(pd.Series(wholes)), codes_of(pd.Series(hashed(list(map(without_bars, changed)))))
        )
        numbers = [*found_anew, *shares(originals, direct)[1:], float((np.diag(far) <= SAME_PICTURE).mean())]
        print(f"{copy:24} {count:10} " + " ".join(f"{number:9.2f}" for number in numbers))
    show_people(people, originals)
    print("the same of whole pictures:")
    show_people(people, wholes)


def show_people(people: list[str], originals: list[str | None]) -> None:
    """Print how near pictures of two people, and two pictures of one person, come to each other."""
    table = pd.DataFrame({"person": people, "hash": originals}).dropna()
    codes, person = codes_of(table["hash"]), table["person"].to_numpy()
    far = distances(codes, codes)[np.triu_indices(len(codes), 1)]
    same = (person[:, None] == person)[np.triu_indices(len(codes), 1)]
    for who, part in (("two people", far[~same]), ("one person, two pictures", far[same])):
        if len(part):
            print(
                f"{who}: {len(part):,} pairs, nearest {part.min():.2f}, within LINKED {(part <= LINKED).sum()}, "
                f"within BESIDE {(part <= BESIDE).sum()}"
            )


def main(rendered: int = 250) -> None:
    """Print the tables of the photographs and of rendered faces."""
    people, pictures = london()
    if pictures:
        show("London photographs", people, pictures)
    show("rendered faces", *rendered_faces(rendered, 280))


if __name__ == "__main__":
    typer.run(main)
