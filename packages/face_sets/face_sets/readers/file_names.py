"""Readers of the sets whose labels stand in the pictures' file names: a table of name patterns.

Every set below is read alike: a picture's name is matched with the set's pattern, whose named groups are columns; other
names, known bad files and second copies are rejected, each with its reason. Cameras beside ANGLES are left out, since
detector and crop are made for faces that show both eyes; they are counted in `dropped_labels`, for nothing is wrong with
them.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePosixPath
from typing import Any, Final

import pandas as pd

from face_sets.readers.labels import SEXES, spellings
from face_sets.readers.layouts import codes_of, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source, load_picture

ANGLE: Final = "angle "
MISNAMED: Final = "is not named as the set's pictures are: "
SECOND_COPY: Final = "is a second copy of a picture"


@dataclass(frozen=True)
class NamedSet:
    """How a set names its pictures, and what holds for all of them.

    `pattern` matches a name without its suffix in the case that `fold` gives it, after its folder's name and `/` if
    `with_folder`. Its named groups: code, person, and where there are any sex, age_years, angle, group and gaze;
    every group counts when two pictures are compared. `subject` formats them into a subject's name.
    """

    dataset: str
    title: str
    example: str
    pattern: str
    subject: str
    columns: Mapping[str, str]
    fold: Callable[[str], str] = str.upper
    with_folder: bool = False
    angles: tuple[str, ...] = ()
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out_folders: str | None = None
    unusable: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    contradiction: Callable[[dict[str, str]], str | None] = lambda _: None

    def match(self, path: PurePosixPath) -> dict[str, str] | str:
        """Return the named groups of a picture's name, or why it cannot be used."""
        name = path.stem.strip()
        if reason := self.unusable.get(name.upper()):
            return reason
        name = self.renamed.get(name.upper(), name)
        found = re.fullmatch(
            self.pattern, self.fold(f"{path.parent.name}/{name}" if self.with_folder else name)
        )
        if found is None:
            return MISNAMED + self.example
        return self.contradiction(found.groupdict()) or found.groupdict()

    def row(self, said: dict[str, str]) -> Row:
        """Return the columns that a name says: code, subject_id, sex, age_years, and those of its group."""
        person = int(said["person"]) if said["person"].isdigit() else said["person"]
        subject = self.subject.format(person=person, sex=said.get("sex", "").upper())
        code = spellings(self.dataset).get(said["code"].lower(), said["code"])
        row: Row = {"code": code, "subject_id": f"{self.dataset}-{subject}", **self.columns}
        if "sex" in said:
            row["sex"] = SEXES[said["sex"].lower()]
        if "age_years" in said:
            row["age_years"] = int(said["age_years"])
        return row | dict(self.groups.get(said.get("group", ""), {}))


def read(folder: Path, named: NamedSet) -> Reading:
    """Return the pictures at the set's angles; `rejected` holds known bad, misnamed and doubled ones."""
    files = list_files(folder)
    rejected, dropped = list(files.rejected), Counter[str]()
    rows, seen = [], set()
    for path in files.pictures:
        if named.left_out_folders and named.left_out_folders in path.lower():
            dropped[named.left_out_folders] += 1
            continue
        said = named.match(PurePosixPath(path))
        if isinstance(said, str):
            rejected.append((path, said))
            continue
        key = tuple(text.lower() for text in said.values())
        angle = re.sub(r"[ _]+", " ", said.get("angle", ""))
        if key in seen:
            rejected.append((path, SECOND_COPY))
        elif named.angles and angle not in named.angles:
            dropped[ANGLE + angle] += 1
        else:
            rows.append({"path": path, **named.row(said)})
        seen.add(key)
    if not rows:
        raise LayoutError(f"{folder} is not {named.title}: expected pictures such as {named.example}")
    return make_reading(named.dataset, pd.DataFrame(rows), rejected, dropped)


KDEF_UNUSABLE: Final = {
    **dict.fromkeys(
        ("AF01SUFR", "AF10AFFR", "AF11NEHL", "AF20DIHL", "AM25DIFL", "AM34DIFR", "BF13NEHR", "BM21DIFL", "BM22DIHL",
         "BM24DIFL"),
        "is known to be black",
    ),
    **dict.fromkeys(("AM17DIHR", "BM17NES"), "is known to be washed out"),
    "AM02HAFR": "is known to be damaged",
    "AF31V": "is misnamed: it is AF31SAHL",
    "AM31H": "is misnamed: it is AM31SUHR",
}  # fmt: skip
"""As Gaya-Morey et al. list them (github.com/Xavi3398/fer_benchmark)."""

KDEF: Final = NamedSet(
    "kdef",
    "KDEF",
    "AF01ANS.JPG",
    r"(?P<series>[AB])(?P<sex>[FM])(?P<person>0[1-9]|[12]\d|3[0-5])(?P<code>[A-Z]{2})(?P<angle>FL|HL|S|HR|FR)",
    "{sex}{person:02}",
    {"age_group": "adult", "domain": "lab"},
    angles=("S", "HL", "HR"),
    unusable=KDEF_UNUSABLE,
)
"""Karolinska Directed Emotional Faces (Lundqvist, Flykt & Öhman 1998, ISBN 91-630-7164-9), by position (the set's readme):
series, sex, number, expression, angle (FL and FR are full profiles). **AF, afraid, is also how series A of the women
begins**. Series A and B show the same 70 people, 20 to 30 years old."""

JAFFE: Final = NamedSet(
    "jaffe",
    "JAFFE",
    "KA.AN1.39.tiff",
    r"(?P<person>KA|KL|KM|KR|MK|NA|NM|TM|UY|YM)[._](?P<code>[A-Z]{2})(?P<time>\d)[._](?P<serial>\d{1,3})",
    "{person}",
    {"sex": "female", "ethnicity": "Japanese", "domain": "lab"},
)
"""Ten Japanese women (Lyons, Kamachi & Gyoba 1998, doi 10.5281/zenodo.3451524): initials, expression and which time she
posed it, a serial number. Some copies have underscores for dots, or PNG for TIFF; one repeat number stands twice
(`MK.FE2.131` and `MK.FE2.132`), so the whole name counts. The owners publish no ages, so the age group is unknown."""

RAFD: Final = NamedSet(
    "rafd",
    "RaFD",
    "Rafd090_28_Caucasian_male_angry_frontal.jpg",
    r"rafd(?P<angle>000|045|090|135|180)_(?P<person>\d+)_(?P<group>caucasian|moroccan|kid)_(?P<sex>female|male)_"
    r"(?P<code>[a-z]+)_(?P<gaze>frontal|left|right)",
    "{person:02}",
    {"domain": "lab"},
    fold=str.lower,
    angles=("045", "090", "135"),  # degrees: 000 and 180 are full profiles
    groups={
        "caucasian": {"age_group": "adult", "ethnicity": "Caucasian"},
        "moroccan": {"age_group": "adult", "ethnicity": "Moroccan"},
        "kid": {"age_group": "child"},
    },
)
"""Radboud Faces Database (Langner et al. 2010, doi 10.1080/02699930903485076): camera, model, group, sex, expression, gaze.
**One folder holds adults and children**: `Kid` stands where the ethnicity would, so the ten children's is not known."""

DDCF: Final = NamedSet(
    "ddcf",
    "the Dartmouth set",
    "S105_9yoF_Afraid_front_4176.JPG",
    r"s(?P<person>\d+)[ _]+(?P<age_years>0?[6-9]|1[0-6])yo(?P<sex>[fm])[ _]+(?P<code>[a-z]+)[ _]+"
    r"(?P<angle>(?:far[ _]*)?(?:left|right)|front)[ _]*(?P<shot>\d*)",
    "S{person:03}",
    {"age_group": "child", "ethnicity": "Caucasian", "domain": "lab"},
    fold=str.lower,
    angles=("front", "left", "right"),
    left_out_folders="edited",
)
"""Dartmouth Database of Children's Faces (Dalrymple, Gomez & Duchaine 2013, doi 10.1371/journal.pone.0079131): model, age
(6 to 16 years) and sex, expression, angle, shot. Names were kept by hand: spaces or underscores between tokens, `front`,
`Front` and `front1`. Folders of edited pictures are left out, so that no picture counts twice. The far angles are full
profiles by Gaya-Morey et al.; all models are said to be Caucasian. Pleased, a second smile, is dropped by the manifest."""


def _nimh_contradiction(said: dict[str, str]) -> str | None:
    codes = codes_of("nimh_chefs")
    word = spellings("nimh_chefs").get(said["code"].lower())
    gaze = {"S": "direct", "A": "averted"}[said["gaze"].upper()]
    if word is None or (codes[word] == codes[said["letter"].upper()] and gaze == said["folder_gaze"].lower()):
        return None
    return "says one expression or gaze by its name, another by its folder"


NIMH_CHEFS: Final = NamedSet(
    "nimh_chefs",
    "NIMH-ChEFS",
    "Afraid_averted/F10FA_4434.jpg",
    r"(?i)(?P<code>[a-z]+)_(?P<folder_gaze>direct|averted)/(?P<sex>[FM])0?(?P<person>\d{1,2})(?:[_-]\d?)?"
    r"(?P<letter>[FAHNS])\d?(?P<gaze>[SA])_+(?P<shot>\d+)",
    "{sex}{person}",
    {"age_group": "child", "domain": "lab"},
    fold=str,
    with_folder=True,
    unusable={"DSC_4644": "is a second copy of M2FA_4644"},
    renamed={"F6_2FA_5449": "M6_2FA_5449"},  # the name is another model's
    contradiction=_nimh_contradiction,
)
"""NIMH Child Emotional Faces Picture Set (Egger et al. 2011, doi 10.1002/mpr.343): the folder's expression and gaze; sex,
model, letter of the expression, gaze S (straight) or A (averted), shot. So **FA is afraid and averted, not female**. All
models are 10 to 17 years old. Names were kept by hand (list of github.com/Xavi3398/fer_benchmark): `M10_FA_6823`,
`M6_1FA_5445`, `M3-2SA_4764`, `F1H2A_3338`, `M6FA__5449`; a model's shot of one number is one picture, however called."""

SOURCES: Final = {
    named.dataset: Source(named.dataset, partial(read, named=named), load_picture)
    for named in (KDEF, JAFFE, RAFD, DDCF, NIMH_CHEFS)
}
