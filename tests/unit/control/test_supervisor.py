"""A start that cannot be is an exit status and a list of sentences. What runs is tested with real processes."""

from pathlib import Path

import pytest

from jwtgate.control.authors import Authors, FileAuthor
from jwtgate.control.state_folder import StateFolder
from jwtgate.control.supervisor import REFUSED, run

from .samples import DOCUMENT

pytestmark = pytest.mark.usefixtures("isolated_logging")


def written_in(path: Path) -> Authors:
    return lambda _: FileAuthor(path)


def test_a_start_without_a_document_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert (
        run(written_in(tmp_path / "none.yaml"), folder=tmp_path, workers=1, state_folder=tmp_path / "state") == REFUSED
    )
    assert "No such file" in capfd.readouterr().err


def test_rel_5_a_first_start_with_a_broken_document_is_refused(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    document = tmp_path / "gate.yaml"
    document.write_text(DOCUMENT + "\nunheard_of: 1\n")
    status = run(
        written_in(document),
        folder=tmp_path,
        workers=1,
        state_folder=tmp_path / "state",
        environ={"TEST_SECRET": "x" * 40},
    )
    assert status == REFUSED
    assert "unheard_of" in capfd.readouterr().err


def test_a_state_folder_in_use_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with StateFolder(tmp_path):
        assert run(written_in(tmp_path / "gate.yaml"), folder=tmp_path, workers=1, state_folder=tmp_path) == REFUSED
    assert "another jwtgate" in capfd.readouterr().err


def test_a_state_folder_whose_database_is_none_is_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "jwtgate.sqlite").write_text("no database, but long enough to be looked at" * 100)
    assert run(written_in(tmp_path / "gate.yaml"), folder=tmp_path, workers=1, state_folder=tmp_path) == REFUSED
    assert "not a database" in capfd.readouterr().err
