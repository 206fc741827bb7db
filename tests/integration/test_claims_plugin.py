"""The example of a plug-in: its own tests pass, and the gateway finds it where a package manager would put it."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

EXAMPLE = Path(__file__).parents[2] / "examples/claims-plugin"
PROJECT = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """An environment in which the example is installed: its module, and what its metadata say."""
    metadata = tmp_path / f"acme_claims-{PROJECT['version']}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Name: {PROJECT['name']}\nVersion: {PROJECT['version']}\n")
    points = PROJECT["entry-points"]["jwtgate.claims"]
    lines = [f"{name} = {value}" for name, value in points.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[jwtgate.claims]", *lines]))
    return {**os.environ, "PYTHONPATH": f"{EXAMPLE / 'src'}:{tmp_path}", "PYTHONDONTWRITEBYTECODE": "1"}


def run(environ: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *command], env=environ, capture_output=True, text=True, timeout=60)


def test_the_tests_of_the_example_pass(environ: dict[str, str]) -> None:
    tested = run(environ, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE))
    assert tested.returncode == 0, tested.stdout + tested.stderr


GENERATE = """
from jwtgate.policy.facts import NeedClaims
from jwtgate.state.claim_generators import ClaimGenerators

consumer = {"name": "jack", "attributes": {"tier": "%s"}}
context = {"claims": {"dept": "sales,support"}, "consumer": consumer, "now": 1_800_000_000}
print(ClaimGenerators(["acme"]).generate(NeedClaims("acme", context)))
"""


def test_the_gateway_finds_the_example_and_asks_it(environ: dict[str, str]) -> None:
    asked = run(environ, "-c", GENERATE % "gold")
    assert asked.stdout == (
        "{'https://acme.example/claims/departments': ['sales', 'support'], "
        "'https://acme.example/claims/subscriber': 'jack', 'https://acme.example/claims/tier': 'gold', "
        "'https://acme.example/claims/requests_a_minute': 6000}\n"
    ), asked.stderr


def test_sec_163_a_plug_in_that_fails_is_a_fault(environ: dict[str, str]) -> None:
    asked = run(environ, "-c", GENERATE % "platinum")
    assert "claims_not_generated" in asked.stderr
    assert asked.returncode == 1


def test_without_the_package_the_generator_is_missing(environ: dict[str, str]) -> None:
    asked = run({**environ, "PYTHONPATH": str(EXAMPLE / "src")}, "-c", GENERATE % "gold")
    assert "The claim generator 'acme' is not installed" in asked.stderr
