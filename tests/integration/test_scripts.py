"""The scripts on a machine that lacks something, and the versions they pin. Nothing is installed here."""

import os
import re
import shutil
import subprocess
from importlib.metadata import requires
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
HEADS = "src/jwtgate/gateway/heads"
TOO_OLD = 'case "$*" in *version_info*) exit 1;; esac\nexit 0'
WITHOUT_VENV = 'case "$*" in *ensurepip*) exit 1;; esac\nexit 0'


def _demo(folder: Path, python: str) -> subprocess.CompletedProcess[str]:
    """What `scripts/demo` says in a bare copy of the project, where every Python is this shell script."""
    project, programs = folder / "project", folder / "programs"
    programs.mkdir()
    shutil.copytree(ROOT / "scripts", project / "scripts")
    for name in ("pyproject.toml", "constraints.txt", "hatch_build.py"):
        shutil.copy(ROOT / name, project)
    shutil.copytree(ROOT / HEADS, project / HEADS)
    for name in ("bash", "dirname", "cat", "sha256sum"):
        (programs / name).symlink_to(str(shutil.which(name)))
    (programs / "python3").write_text(f"#!/bin/sh\n{python}\n")
    (programs / "python3").chmod(0o755)
    return subprocess.run(
        [project / "scripts/demo"], env={"PATH": str(programs)}, capture_output=True, text=True, timeout=30, check=False
    )


@pytest.mark.parametrize(
    ("python", "told"), [(TOO_OLD, "needs Python 3.11 or newer"), (WITHOUT_VENV, "apt install python3-venv")]
)
def test_a_machine_that_lacks_something_is_told_what_to_install(tmp_path: Path, python: str, told: str) -> None:
    result = _demo(tmp_path, python)
    assert result.returncode == 2
    assert told in result.stderr
    assert not (tmp_path / "project/.venv-demo").exists()


def test_every_package_the_project_and_its_tests_ask_for_is_pinned() -> None:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {_folded(line.partition("==")[0]) for line in lines if "==" in line}
    asked = [entry for entry in requires("jwtgate") or () if "extra == 'bench'" not in entry]
    assert {_folded(re.split(r"[^\w.-]", entry)[0]) for entry in asked} - {"jwtgate"} <= pinned


def _folded(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("script", ["scripts/demo", "scripts/test", "scripts/check", "scripts/faults", ".ci/run"])
def test_a_script_can_be_run(script: str) -> None:
    assert os.access(ROOT / script, os.X_OK)


def test_the_build_runs_what_people_run() -> None:
    assert (ROOT / ".ci/run").read_text().splitlines()[1:] == ["exec scripts/test"]
