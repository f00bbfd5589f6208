import subprocess

import pytest

from fer_utils.reporting.provenance import PACKAGES, commit, provenance, versions
from fer_utils.study import load_study


@pytest.fixture
def table(tmp_path):
    path = tmp_path / "faces.parquet"
    path.write_bytes(b"one")
    return path


def test_the_digest_follows_contents_and_not_places(table, tmp_path):
    study = load_study("quick")
    before = provenance(study, {"faces": table}).digest
    moved = tmp_path / "elsewhere.parquet"
    moved.write_bytes(b"one")
    assert provenance(study, {"faces": moved}).digest == before
    table.write_bytes(b"two")
    assert provenance(study, {"faces": table}).digest != before
    assert provenance(study, {"runs": moved}).digest != before


def test_the_order_of_tables_does_not_matter(table, tmp_path):
    other = tmp_path / "runs.parquet"
    other.write_bytes(b"runs")
    study = load_study("quick")
    forth = provenance(study, {"faces": table, "runs": other})
    back = provenance(study, {"runs": other, "faces": table})
    assert forth.digest == back.digest
    assert list(forth.tables["table"]) == ["faces", "runs"]


def test_the_line_names_profile_data_digest_and_commit_and_no_path(table):
    here = provenance(load_study("quick", seed=5), {"faces": table}, kind="London photographs")
    for part in (load_study("quick", seed=5).name, "London photographs", here.digest, here.commit):
        assert part in here.line()
    assert str(table.parent) not in here.line()


def test_an_absent_table_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"'runs'.*run the stage"):
        provenance(load_study("quick"), {"runs": tmp_path / "runs.parquet"})


def test_the_commit_of_a_repository_and_of_none(tmp_path):
    assert commit(tmp_path) == "not in git"

    def git(*arguments):
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        return subprocess.run(
            ("git", *who, *arguments), cwd=tmp_path, capture_output=True, text=True, check=True
        )

    git("init")
    (tmp_path / "file").write_text("one")
    git("add", "file")
    git("commit", "-m", "one")
    clean = git("rev-parse", "--short=7", "HEAD").stdout.strip()
    assert commit(tmp_path) == clean
    (tmp_path / "file").write_text("two")
    assert commit(tmp_path) == f"{clean} with local changes"


def test_versions_of_everything_that_matters():
    frame = versions().set_index("package")["version"]
    assert set(PACKAGES) | {"python"} == set(frame.index)
    assert frame.str.match(r"\d+\.\d+").all()
