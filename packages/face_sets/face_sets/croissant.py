"""The Croissant files of `data_manifests`: made from the cards, and checked by `mlcroissant`.

`python -m face_sets.croissant` writes them anew after a card was changed. What all sets share, the vocabulary and
the description of the table of faces, stands in `data_manifests/cards/croissant.json`.
"""

import json
from typing import Any, Final

from face_sets.files import write_text
from face_sets.folders import MANIFESTS_FOLDER
from face_sets.manifests import CARDS_FOLDER, Manifest, ManifestError, load_manifest, manifest_names

SHARED_FILE: Final = CARDS_FOLDER / "croissant.json"
PREPROCESSING: Final = (
    "Faces are found, levelled, cropped and resized by the project's one rule (face_sets.detection); sets that ship "
    "cropped faces go through untouched."
)
DUO_ADDRESS: Final = "http://purl.obolibrary.org/obo/"


def croissant_document(manifest: Manifest) -> dict[str, Any]:
    """Return the Croissant 1.1 document (JSON-LD) of a data set."""
    shared: dict[str, Any] = json.loads(SHARED_FILE.read_text(encoding="utf-8"))
    rai: dict[Any, Any] = {"rai:dataPreprocessingProtocol": PREPROCESSING, **manifest.rai}
    usage = [
        {"@type": "DefinedTerm", "name": name, "termCode": code, "url": DUO_ADDRESS + code}
        for code, name in manifest.usage.items()
    ]
    return shared | {
        "name": manifest.name,
        "description": manifest.description,
        "url": manifest.url,
        "license": manifest.license,
        "creator": [{"@type": manifest.creator_type, "name": name} for name in manifest.creators],
        "datePublished": manifest.published,
        "version": manifest.version,
        "citeAs": manifest.citation,
        "conditionsOfAccess": manifest.conditions,
        **({"usageInfo": usage} if usage else {}),
        **rai,
        "fer:study": manifest.study.model_dump(mode="json"),
    }


def write_documents() -> None:
    """Write the Croissant file of every card."""
    for name in manifest_names():
        write_text(MANIFESTS_FOLDER / f"{name}.json", _text(load_manifest(name)))


def validate_manifest(name: str) -> Manifest:
    """Check a data set's card and its Croissant file, the latter by `mlcroissant` too; return the manifest.

    Raises ManifestError with the first thing to fix.
    """
    import mlcroissant  # a second to import, and only this check needs it

    manifest, path = load_manifest(name), MANIFESTS_FOLDER / f"{name}.json"
    if not path.is_file() or path.read_text(encoding="utf-8") != _text(manifest):
        raise ManifestError(f"{path.name} is not what its card says: run `python -m face_sets.croissant`")
    try:
        mlcroissant.Dataset(jsonld=str(path))
    except (mlcroissant.ValidationError, ValueError, KeyError, TypeError) as error:
        lines = [line.strip(" -") for line in str(error).splitlines() if line.strip().startswith("-")]
        raise ManifestError(f"{path.name}: not valid Croissant: {(lines or [str(error)])[0]}") from error
    return manifest


def _text(manifest: Manifest) -> str:
    return json.dumps(croissant_document(manifest), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    write_documents()
