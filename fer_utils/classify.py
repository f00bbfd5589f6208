"""Find the faces in a photograph and name their expressions with an exported model."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from face_sets.detection import FaceDetector, crop_face
from face_sets.expressions import EXPRESSIONS
from face_sets.files import printable
from face_sets.images import ImageError, read_image
from fer_utils.compression.exported_files import exported_files
from fer_utils.models.prediction import predict_tflite
from fer_utils.paths import Paths
from fer_utils.reporting.released import released
from fer_utils.study import load_study

PREFERRED = "mobilenet_v3_large"
"""The paper's best network; a study without it offers its first."""


class NoModelError(RuntimeError):
    """There is no exported model to classify with; the message says how to make one."""


@dataclass(frozen=True)
class Model:
    """An exported model: its run id, its file, its input side in pixels and the kind of faces it was trained on."""

    run_id: str
    path: Path
    image_size: int
    trained_on: str


@dataclass(frozen=True)
class ClassifiedFace:
    """One face: its box in pixels of the upright photograph, and a probability for each expression."""

    box: tuple[float, float, float, float]
    probabilities: dict[str, float]


@dataclass(frozen=True)
class Answer:
    """The faces found in one photograph, and the model that named their expressions."""

    photo: str
    model: str
    trained_on: str
    faces: list[ClassifiedFace]

    def as_dict(self) -> dict[str, object]:
        """Return plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True)
class Unreadable:
    """A photograph that cannot be read, and why, in a sentence that names it."""

    photo: str
    error: str

    def as_dict(self) -> dict[str, str]:
        """Return plain values for JSON."""
        return asdict(self)


def find_model(profile: str | None = None) -> Model:
    """Return the model that answers: of a profile its own, without one the released one, or that of `quick` if none is.

    Raises NoModelError as `own_model`; ReleaseError if the released files are damaged.
    """
    if profile is None and (found := released()):
        run_id, path = next(iter(found.files.items()))
        return Model(run_id, path, found.image_size, found.trained_on)
    return own_model(Paths.of(load_study(profile or "quick")))


def own_model(paths: Paths) -> Model:
    """Return the study's float32 export of its all-data copy.

    Raises NoModelError when the study has not made one yet, TableError when its file is missing, cut or changed.
    """
    study = paths.study
    network = PREFERRED if PREFERRED in study.architectures else study.architectures[0]
    run_id = f"{network}.all.none.float32"
    files = exported_files([network], paths, only=[run_id])
    if run_id not in files:
        raise NoModelError(
            f"no float32 export of {network} is here: run `make book`, or `fer run 04_compression --profile {study.profile}`"
        )
    return Model(run_id, files[run_id], study.image_size, f"{study.face_source} faces")


def classify_photograph(photo: Path, model: Model) -> Answer:
    """Return the expression probabilities of every face in a photograph, largest face first.

    Raises ImageError, in one sentence, for a file that cannot be read as a picture.
    """
    picture = read_image(photo)
    faces = FaceDetector().detect(picture)
    crops = [crop_face(picture, face, model.image_size) for face in faces]
    pixels = np.stack(crops) if crops else np.empty((0, model.image_size, model.image_size, 3), np.uint8)
    answers = predict_tflite(model.path, pixels)
    found = [
        ClassifiedFace(
            (float(face.x), float(face.y), float(face.width), float(face.height)),
            {name: round(float(p), 4) for name, p in zip(EXPRESSIONS, row, strict=True)},
        )
        for face, row in zip(faces, answers, strict=True)
    ]
    return Answer(str(photo), model.run_id, model.trained_on, found)


def classify_photographs(photos: Sequence[Path], model: Model) -> list[Answer | Unreadable]:
    """Return what each photograph holds, in the order given; one that cannot be read keeps no other from its answer."""
    return [_answer_or_reason(photo, model) for photo in photos]


def _answer_or_reason(photo: Path, model: Model) -> Answer | Unreadable:
    try:
        return classify_photograph(photo, model)
    except ImageError as error:
        return Unreadable(str(photo), str(error))
    except OSError as error:
        return Unreadable(str(photo), f"{photo}: {error.strerror or error}")


def describe(answers: Sequence[Answer], model: Model) -> str:
    """Return the answers as text: one line per expression, with a bar."""
    lines = [f"Model {model.run_id}, trained on {model.trained_on}. A posed expression is not a felt one."]
    for answer in answers:
        count = len(answer.faces)
        lines.append(f"\n{printable(answer.photo)}: {count or 'no'} face{'' if count == 1 else 's'} found")
        for number, face in enumerate(answer.faces, 1):
            lines.append(f"  face {number}, {face.box[2]:.0f} pixels wide")
            lines += [
                f"    {name:10} {p:5.1%} {'#' * round(30 * p)}" for name, p in face.probabilities.items()
            ]
    return "\n".join(lines)
