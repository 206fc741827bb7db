"""The table of the reliability page: which rows a run replaces, and what stands in them."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reliability.md"


@pytest.fixture(scope="module")
def reliability() -> Any:
    spec = importlib.util.spec_from_file_location("reliability", ROOT / "scripts" / "reliability.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(scenario: str, *, full: bool = True, **figures: object) -> dict[str, Any]:
    return {
        "scenario": scenario,
        "what": "a fault",
        "verdict": "held",
        "full": full,
        "figures": figures,
        "memory": [1 << 20, 3 << 20, 2 << 20],
        "descriptors": [4, 6, 5],
        "log": {"reloaded": 2},
    }


def rows(page: str) -> list[str]:
    return [line for line in page.splitlines() if line.startswith("| REL-")]


def test_a_row_tells_what_was_measured(reliability: Any) -> None:
    ran = run("REL-56", dropped=0, p50_before=1.25, p99_before=9.0, waited="3 s")
    page = f"# A\n{reliability.BEGIN}{reliability.END}rest\n"
    (row,) = rows(reliability.page_with(page, [ran]))
    assert row == (
        "| REL-56 | a fault | – | 0 | – | 1.2 / 9.0 | – | – | – | – | 1 / 3 / 2 | 4 / 6 / 5 | 2 × reloaded "
        "| waited: 3 s | held |"
    )
    assert row.count("|") == reliability.HEAD.splitlines()[0].count("|")


def test_of_paths_only_what_is_the_same_everywhere_is_told(reliability: Any) -> None:
    ran = run("REL-70") | {"log": {"the file /tmp/one-7/state/last-good/document is damaged": 1}}
    page = reliability.page_with(f"{reliability.BEGIN}{reliability.END}", [ran])
    assert "| 1 × the file …/last-good/document is damaged |" in page


def test_rows_of_other_scenarios_stay_and_those_of_this_one_go(reliability: Any) -> None:
    page = f"{reliability.BEGIN}{reliability.END}rest\n"
    page = reliability.page_with(page, [run("REL-100"), run("REL-56"), run("REL-56")])
    page = reliability.page_with(page, [run("REL-56", full=False, dropped=3)])
    assert [(row.split(" | ")[0], row.split(" | ")[-1]) for row in rows(page)] == [
        ("| REL-56", "held (shortened) |"),
        ("| REL-100", "held |"),
    ]
    assert page.endswith(f"{reliability.END}rest\n")


def test_a_scenario_whose_test_failed_after_its_figures_did_not_hold(reliability: Any) -> None:
    page = f"{reliability.BEGIN}{reliability.END}"
    page = reliability.page_with(
        page, [run("REL-56"), run("REL-57"), {"scenario": "REL-56", "failed": "test_rel_56_a"}]
    )
    assert [row.split(" | ")[-1] for row in rows(page)] == ["failed |", "held |"]


def test_a_page_without_a_place_for_it_is_refused(reliability: Any) -> None:
    with pytest.raises(ValueError, match="no marks"):
        reliability.page_with("# A\n", [])


def test_the_page_has_a_place_for_it(reliability: Any) -> None:
    assert len(rows(reliability.page_with(PAGE.read_text(), [run("REL-999")]))) == len(rows(PAGE.read_text())) + 1
