"""Whatever goes wrong, as problem details."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from jwtgate.admin.exchange.problems import Mistake, Problem, pointer, unreadable, unusable

ROOT = Path(__file__).parents[4]


def test_a_problem_is_answered_as_rfc_9457_says() -> None:
    answer = Problem(412, "versions", "Another version.", fields={"ETag": '"3"'}).response()
    assert (answer.status_code, answer.headers["content-type"]) == (412, "application/problem+json")
    assert answer.headers["etag"] == '"3"'
    content = json.loads(bytes(answer.body))
    assert content.pop("type").endswith("/admin-api.md#versions")
    assert content == {"title": "Precondition Failed", "status": 412, "detail": "Another version."}


def test_every_mistake_is_named() -> None:
    answer = unusable([Mistake("/a", "is missing"), Mistake("/b/0", "must be text")]).response()
    assert answer.status_code == 422
    assert json.loads(bytes(answer.body))["mistakes"] == [
        {"place": "/a", "sentence": "is missing"},
        {"place": "/b/0", "sentence": "must be text"},
    ]


def test_a_request_without_a_reading_is_another_problem_than_a_value_with_mistakes() -> None:
    assert unreadable("is not JSON").status == 400


@pytest.mark.parametrize(("place", "text"), [((), ""), (("a", 0, "b/c", "d~e"), "/a/0/b~1c/d~0e"), (("",), "/")])
def test_a_place_is_a_json_pointer(place: tuple[str | int, ...], text: str) -> None:
    assert pointer(place) == text


def test_every_kind_of_problem_has_its_section_in_the_documentation() -> None:
    sources = (ROOT / "src/jwtgate/admin").rglob("*.py")
    raised = {
        kind for source in sources for kind in re.findall(r'\(\s*\d{3}[^,"()]*,\s*"([a-z-]+)"', source.read_text())
    }
    page = (ROOT / "docs/how-to/admin-api.md").read_text()
    assert raised >= {"credentials", "mistakes", "versions", "store", "unknown", "failure"}
    assert raised == set(re.findall(r"^### ([a-z-]+)$", page, re.MULTILINE))


@pytest.mark.parametrize(
    ("status", "title"), [(404, "Not Found"), (413, "Content Too Large"), (422, "Unprocessable Content")]
)
def test_a_title_is_that_of_rfc_9110(status: int, title: str) -> None:
    assert json.loads(bytes(Problem(status, "x", "y").response().body))["title"] == title
