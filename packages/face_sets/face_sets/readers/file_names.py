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

from face_sets.readers.labels import OLDEST_YEARS, SEXES, Unknown, codes_named, meanings, spellings
from face_sets.readers.layouts import codes_of, list_files, make_reading
from face_sets.readers.reading import LayoutError, Reading, Row, Source, load_picture

ANGLE: Final = "angle "
MISNAMED: Final = "is not named as the set's pictures are: "
_OF_A_COPY: Final = re.compile(r"(?:[ _-]+copy)?(?: ?\(\d+\)| \d)?$", re.I)
"""What systems add to the name of a copy: `AF01ANS - Copy`, `AF01ANS (1)`, `AF01ANS copy 2`."""

SECOND_COPY: Final = "is a second copy of a picture"


@dataclass(frozen=True)
class NamedSet:
    """How a set names its pictures, and what holds for all of them.

    `pattern` matches a name without its suffix in the case that `fold` gives it. Its named groups: code, person, and
    where there are any sex, age_years, angle and group; label and every group count when two pictures are compared.
    `subject` formats person and sex into a subject's name. Where `folders_count`, the innermost folder that is named for one
    expression decides, whatever the name says: owners sort with more care than they name. `ages` are the published
    youngest and oldest; another age is not known. `renamed` gives the right name of pictures known to be misnamed.
    """

    dataset: str
    title: str
    example: str
    pattern: str
    subject: str
    columns: Mapping[str, str]
    fold: Callable[[str], str] = str.upper
    folders_count: bool = False
    angles: tuple[str, ...] = ()
    ages: tuple[int, int] = (0, OLDEST_YEARS)
    groups: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    left_out_folders: str | None = None
    unusable: Mapping[str, str] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)

    def match(self, path: PurePosixPath) -> dict[str, str] | str:
        """Return the named groups of a picture's name, or why it cannot be used."""
        name = _OF_A_COPY.sub("", path.stem).strip()
        if reason := self.unusable.get(name.upper()):
            return reason
        found = re.fullmatch(self.pattern, self.fold(self.renamed.get(name.upper(), name)))
        if found is None:
            return MISNAMED + self.example
        return {group: text or "" for group, text in found.groupdict().items()}

    def row(self, code: str, said: dict[str, str], unknown: Unknown) -> Row:
        """Return what a name says: code, subject_id, age_years, sex as written, and the columns of its group."""
        person = int(said["person"]) if said["person"].isdigit() else said["person"]
        subject = self.subject.format(person=person, sex=said.get("sex", "").upper())
        row: Row = {"code": code, "subject_id": f"{self.dataset}-{subject}", **self.columns}
        if "sex" in said:
            row["sex"] = said["sex"]
        if (age := said.get("age_years")) and self.ages[0] <= int(age) <= self.ages[1]:
            row["age_years"] = int(age)
        elif age:
            unknown[f"age_years {age!r}"] += 1
        if "group" in said and said["group"] not in self.groups:
            unknown[f"group {said['group']!r}"] += 1
        return row | dict(self.groups.get(said.get("group", ""), {}))

    def code(self, path: PurePosixPath, said: str) -> str:
        """Return the label code of a picture by its folders, where they count, and by what its name says."""
        codes = codes_of(self.dataset)
        for folder in reversed(path.parts[:-1] if self.folders_count else ()):
            named = codes_named(self.dataset, folder)
            if len({codes[code] for code in named}) == 1:
                return named[0]
        exact = spellings(self.dataset).get(said.lower())
        return exact or next(iter(codes_named(self.dataset, said)), said)


def read(folder: Path, named: NamedSet) -> Reading:
    """Return the pictures at the set's angles; `rejected` holds known bad, misnamed and doubled ones."""
    files = list_files(folder)
    rejected, dropped, unknown = list(files.rejected), Counter[str](), Unknown()
    rows, seen = [], set()
    # Pictures under another's name come last: where the right name is there too, they are its copies
    for place in sorted(
        map(PurePosixPath, files.pictures), key=lambda each: each.stem.upper() in named.renamed
    ):
        path = place.as_posix()
        if named.left_out_folders and named.left_out_folders in path.lower():
            dropped[named.left_out_folders] += 1
            continue
        said = named.match(place)
        if isinstance(said, str):
            rejected.append((path, said))
            continue
        code = named.code(place, said["code"])
        key = (code, *(text.lower() for text in said.values()))
        angle = re.sub(r"far[ _-]*", "far ", said.get("angle", ""))
        if key in seen:
            rejected.append((path, SECOND_COPY))
        elif angle and named.angles and angle not in named.angles:
            dropped[ANGLE + angle] += 1
        else:
            rows.append({"path": path, **named.row(code, said, unknown)})
        seen.add(key)
    if not rows:
        raise LayoutError(f"{folder} is not {named.title}: expected pictures such as {named.example}")
    found = pd.DataFrame(rows)
    if "sex" in found and "sex" not in named.columns:
        found["sex"] = meanings(found["sex"], SEXES, "sex", unknown)
    return make_reading(named.dataset, found, rejected, dropped, unknown=unknown)


KDEF_UNUSABLE: Final = {
    **dict.fromkeys(
        ("AF01SUFR", "AF10AFFR", "AF11NEHL", "AF20DIHL", "AM25DIFL", "AM34DIFR", "BF13NEHR", "BM21DIFL", "BM22DIHL",
         "BM24DIFL"),
        "is known to be black",
    ),
    **dict.fromkeys(("AM17DIHR", "BM17NES"), "is known to be washed out"),
    "AM02HAFR": "is known to be damaged",
}  # fmt: skip
"""As Gaya-Morey et al. list them (github.com/Xavi3398/fer_benchmark), and the right names of two pictures below."""

KDEF: Final = NamedSet(
    "kdef",
    "KDEF",
    "AF01ANS.JPG",
    r"(?P<series>[AB])(?P<sex>[FM])(?P<person>0[1-9]|[12]\d|3[0-5])(?P<code>[A-Z]{2})(?P<angle>FL|HL|S|HR|FR)",
    "{sex}{person:02}",
    {"age_group": "adult", "domain": "lab"},
    angles=("S", "HL", "HR"),
    unusable=KDEF_UNUSABLE,
    renamed={"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"},
)
"""Karolinska Directed Emotional Faces (Lundqvist, Flykt & Öhman 1998, ISBN 91-630-7164-9), by position (the set's readme):
series, sex, number, expression, angle (FL and FR are full profiles). **AF, afraid, is also how series A of the women
begins**. Series A and B show the same 70 people, 20 to 30 years old."""

JAFFE: Final = NamedSet(
    "jaffe",
    "JAFFE",
    "KA.AN1.39.tiff",
    r"(?P<person>KA|KL|KM|KR|MK|NA|NM|TM|UY|YM)[._-](?P<code>[A-Z]{2})(?P<time>\d)[._-](?P<serial>\d{1,3})",
    "{person}",
    {"age_group": "adult", "sex": "female", "ethnicity": "Japanese", "domain": "lab"},
)
"""Ten Japanese women (Lyons, Kamachi & Gyoba 1998, doi 10.5281/zenodo.3451524): initials, expression and which time she
posed it, a serial number. Some copies have underscores for dots, or PNG for TIFF; one repeat number stands twice
(`MK.FE2.131` and `MK.FE2.132`), so the whole name counts. The owners publish no ages in years."""

RAFD: Final = NamedSet(
    "rafd",
    "RaFD",
    "Rafd090_28_Caucasian_male_angry_frontal.jpg",
    r"rafd(?P<angle>000|045|090|135|180)_(?P<person>\d+)_(?P<group>[a-z]+)_(?P<sex>[a-z]+)_"
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
    r"s(?P<person>\d+)[ _-]*(?P<age_years>\d{1,2})[ _]?yo[ _]?(?P<sex>[a-z]?)(?![a-z])[ _-]*(?P<code>.*?)[ _-]*"
    r"(?:(?<![a-z])(?P<angle>far[ _-]*(?:left|right)|left|right|front)[ _-]*(?P<shot>.*))?",
    "S{person:03}",
    {"age_group": "child", "ethnicity": "Caucasian", "domain": "lab"},
    fold=str.lower,
    folders_count=True,
    angles=("front", "left", "right"),
    ages=(6, 16),
    left_out_folders="edited",
)
"""Dartmouth Database of Children's Faces (Dalrymple, Gomez & Duchaine 2013, doi 10.1371/journal.pone.0079131): model, age
(6 to 16 years) and sex, expression, angle, shot. Names were kept by hand: `S04_13yoM_Afraid_far left 1`,
`S111_13yoF_Afraid_front1`, `S66_8yoM_Disgust_left 2`, `S87_9yoM_Digust_far left 1`, `S27_9yoM_HappyTeeth_front 1` (label
table of github.com/Xavi3398/fer_benchmark, whose copy is sorted into folders by expression, `Afraid/S04`; the owners' into
`40males` and `40females`). Folders of edited pictures are left out, so that no picture counts twice. The far angles are
full profiles by Gaya-Morey et al.; a picture whose name gives no angle is read. All models are said to be Caucasian.
Pleased, a second smile, is dropped by the manifest."""


NIMH_CHEFS: Final = NamedSet(
    "nimh_chefs",
    "NIMH-ChEFS",
    "Afraid_averted/F10FA_4434.jpg",
    r"(?P<sex>[FM])0?(?P<person>\d{1,2})(?P<take>(?:[_-]\d?)*)(?P<code>[FAHNS])(?P<again>\d?)(?P<gaze>[SA])"
    r"(?P<shot>(?:_+\d+)+)",
    "{sex}{person}",
    {"age_group": "child", "domain": "lab"},
    folders_count=True,
    renamed={
        "DSC_4644": "M2FA_4644",  # the same picture under the camera's name
        "F6_2FA_5449": "M6_2FA_5449",  # the name is another model's
        "M6FA__5449": "M6_3FA_5449",
    },
)
"""NIMH Child Emotional Faces Picture Set (Egger et al. 2011, doi 10.1002/mpr.343): folders by expression and gaze
(`Afraid_averted`); sex, model, letter of the expression, gaze S (straight) or A (averted), shot. So **FA is afraid and
averted, not female**. All models are 10 to 17 years old. Names were kept by hand (list of
github.com/Xavi3398/fer_benchmark, whose first notebook corrects three): `M10_FA_6823`, `M6_1FA_5445`, `F6_1_AS_3929`,
`F38HA_1_9330`, `M3-2SA_4764`, `F1H2A_3338`."""

SOURCES: Final = {
    named.dataset: Source(named.dataset, partial(read, named=named), load_picture)
    for named in (KDEF, JAFFE, RAFD, DDCF, NIMH_CHEFS)
}
