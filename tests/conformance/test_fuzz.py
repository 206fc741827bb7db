"""Every fuzz target: over its corpus, and for a short search from there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CORPUS = ROOT / "fuzz" / "corpus"
TARGETS = sorted(folder.name for folder in CORPUS.iterdir())
RUNS = {"documents": 1_000}
USUAL_RUNS = 3_000


def run(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, *map(str, arguments)]
    environ = {"PYTHONPATH": str(ROOT), "PATH": ""}
    return subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_in_the_corpus_is_small_and_breaks_nothing(target: str, tmp_path: Path) -> None:
    files = sorted((CORPUS / target).iterdir())
    assert 3 <= len(files) <= 30
    assert max(file.stat().st_size for file in files) <= 4_096
    ended = run(tmp_path, "-m", "fuzz", target, *files)
    assert ended.returncode == 0, ended.stderr[-3_000:]
    assert ended.stdout.splitlines() == list(map(str, files))


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris is not there for this platform")
@pytest.mark.parametrize("target", TARGETS)
def test_a_short_search_breaks_nothing(target: str, tmp_path: Path) -> None:
    runs = RUNS.get(target, USUAL_RUNS)
    ended = run(tmp_path, "-m", "fuzz", target, "--runs", runs, "--seed", 1, "--keep", tmp_path / "found")
    assert ended.returncode == 0, ended.stderr[-3_000:]
    assert f"Done {runs} runs" in ended.stderr
    assert list((tmp_path / "found").iterdir()), "nothing new was found: the search is blind"


def test_a_target_ends_at_what_must_not_be(tmp_path: Path) -> None:
    (tmp_path / "wrong").write_bytes(b"")
    script = "import fuzz.__main__ as f; f.check_of = lambda target: lambda data: 1 / 0; f.main()"
    ended = run(tmp_path, "-c", script, "tokens", "wrong")
    assert ended.returncode == 1
    assert "ZeroDivisionError" in ended.stderr
