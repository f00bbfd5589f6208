"""Checks of a Croissant 1.1 document that `mlcroissant` 1.1 does not make, as far as this project relies on them.

`mlcroissant` says nothing of an unknown `rai:` key, of a file set without a container, of a hash that belongs to no
file, of rows in the record, of a column that no table has. A manifest describes a set and never lists its images, so
each of these is an error here.
"""

import json
import re
from pathlib import Path
from typing import Any, Final

from face_sets.tables import COLUMNS

CROISSANT: Final = "http://mlcommons.org/croissant/1.1"
RAI: Final = "http://mlcommons.org/croissant/RAI/1.0"
STUDY_KEY: Final = "fer:study"
NAMESPACES: Final = {
    "cr": "http://mlcommons.org/croissant/",
    "dct": "http://purl.org/dc/terms/",
    "fer": "urn:fer-utils:",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "sc": "https://schema.org/",
    STUDY_KEY: {"@id": STUDY_KEY, "@type": "@json"},
}
"""What @context must say of the prefixes in use; a wrong one turns a property into another without a word."""

RAI_KEYS: Final = frozenset(
    "rai:" + name
    for name in (
        "annotationsPerItem", "annotatorDemographics", "dataAnnotationAnalysis", "dataAnnotationPlatform",
        "dataAnnotationProtocol", "dataBiases", "dataCollection", "dataCollectionMissingData",
        "dataCollectionRawData", "dataCollectionTimeframe", "dataCollectionType", "dataImputationProtocol",
        "dataLimitations", "dataManipulationProtocol", "dataPreprocessingProtocol",
        "dataReleaseMaintenancePlan", "dataSocialImpact", "dataUseCases", "machineAnnotationTools",
        "personalSensitiveInformation",
    )
)  # fmt: skip
"""The properties of the Croissant RAI specification 1.0."""

REQUIRED_RAI_KEYS: Final = (
    "rai:personalSensitiveInformation", "rai:dataBiases", "rai:dataLimitations", "rai:dataCollection",
    "rai:dataAnnotationProtocol", "rai:dataUseCases", "rai:dataSocialImpact",
)  # fmt: skip
"""Those that a set of faces must not be silent on."""

TABLE_FIELDS: Final = ("face_id", "subject_id", "expression", "age_group", "split")
"""Columns of the face table that every manifest describes."""

DUO_CODE: Final = re.compile(r"DUO_\d{7}")
"""A term of the Data Use Ontology, by which Croissant's usageInfo states terms of use."""


class ManifestError(ValueError):
    """A manifest is absent or not what it must be; the message names the file and what to mend."""


def read_document(path: Path) -> dict[str, Any]:
    """Return the JSON object in a file; a key that stands twice in one object is an error, not the last one wins."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"), object_pairs_hook=_once)
    except OSError as error:
        raise ManifestError(f"{path.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ManifestError(f"{path.name} is not JSON: {error}") from error
    if not isinstance(document, dict):
        raise ManifestError(f"{path.name} must hold one JSON object")
    return document


def check_document(document: dict[str, Any], where: str) -> None:
    """Check a manifest's Croissant properties; ManifestError names `where` and the first thing to mend."""
    for check in (_check_vocabulary, _check_rai, _check_usage, _check_file, _check_records):
        if fault := check(document):
            raise ManifestError(f"{where}: {fault}")


def _check_vocabulary(document: dict[str, Any]) -> str | None:
    context = document.get("@context")
    for prefix, meaning in NAMESPACES.items():
        if not isinstance(context, dict) or context.get(prefix) != meaning:
            return f"@context must declare {json.dumps(prefix)}: {json.dumps(meaning)}"
    if document.get("@type") != "sc:Dataset":
        return "@type must be sc:Dataset"
    if document.get("conformsTo") != [CROISSANT, RAI]:
        return f"conformsTo must be [{CROISSANT}, {RAI}]"
    if STUDY_KEY not in document:
        return f"the project's own fields are missing: add {STUDY_KEY!r}"
    return None


def _check_rai(document: dict[str, Any]) -> str | None:
    rai = {key: value for key, value in document.items() if key.startswith("rai:")}
    if unknown := sorted(set(rai) - RAI_KEYS):
        return f"{', '.join(unknown)} is not in the RAI vocabulary 1.0"
    if absent := [key for key in REQUIRED_RAI_KEYS if key not in rai]:
        return f"{', '.join(absent)} must be filled in"
    for key, value in rai.items():
        texts = value if isinstance(value, list) else [value]
        if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
            return f"{key} must be a text or a list of texts, none of them empty"
    return None


def _check_usage(document: dict[str, Any]) -> str | None:
    for term in _listed(document.get("usageInfo")):
        code = term.get("termCode") if isinstance(term, dict) else None
        if not DUO_CODE.fullmatch(str(code)) or not str(term.get("url")).endswith(f"/{code}"):
            return "usageInfo must hold terms with a termCode such as DUO_0000018 and its address as url"
    return None


def _check_file(document: dict[str, Any]) -> str | None:
    files = _listed(document.get("distribution"))
    if len(files) != 1 or not isinstance(files[0], dict) or files[0].get("@type") != "cr:FileObject":
        return "distribution must be one cr:FileObject, the face table; images are never listed"
    if files[0].get("contentUrl") != "faces.parquet":
        return "distribution: contentUrl must be faces.parquet, the table made on the reader's machine"
    if document.get("isLiveDataset") is not True or {"sha256", "md5"} & set(files[0]):
        return "isLiveDataset must be true and no hash given: each reader's table differs"
    return None


def _check_records(document: dict[str, Any]) -> str | None:
    records = _listed(document.get("recordSet"))
    if len(records) != 1 or not isinstance(records[0], dict):
        return "recordSet must be one, the rows of the face table"
    if {"data", "examples"} & set(records[0]):
        return "recordSet must hold no rows (data, examples): images are never listed"
    fields = [field for field in _listed(records[0].get("field")) if isinstance(field, dict)]
    columns = {str(field.get("name")): _column(field) for field in fields}
    if absent := [name for name in TABLE_FIELDS if name not in columns]:
        return f"recordSet must describe {', '.join(absent)}"
    if strange := sorted(
        str(name) for name in columns if columns[name] != name or name not in COLUMNS["faces"]
    ):
        return f"recordSet: {', '.join(strange)} must be read from a column of that name of the face table"
    if records[0].get("key") != {"@id": "faces/face_id"}:
        return 'recordSet: key must be {"@id": "faces/face_id"}'
    label = next(field for field in fields if field.get("name") == "expression")
    if "cr:Label" not in _listed(label.get("dataType")):
        return "recordSet: the data types of expression must hold cr:Label"
    return None


def _column(field: dict[str, Any]) -> Any:
    source = field.get("source")
    extract = source.get("extract") if isinstance(source, dict) else None
    return extract.get("column") if isinstance(extract, dict) else None


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = [key for key, _ in pairs]
    if twice := sorted({key for key in keys if keys.count(key) > 1}):
        raise ValueError(f"{', '.join(twice)} stands twice in one object")
    return dict(pairs)
