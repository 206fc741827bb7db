from __future__ import annotations

from typing import Any

import pytest
from tests.unit.dialects.couper.translated import BACKEND, refused, route, text, translate

from jwtgate.dialects.dialect import Meaning

ORIGIN = "http://127.0.0.1:9"
BY_ID = "${request.path_params.id}"
AT = f"{ORIGIN}/a"
_BELOW = 'join("/", [for i, s in split("/", request.path) : s if i > 2])'


def proxied(body: str, path: str = "/p/{id}/**") -> Any:
    return route(f"proxy {{\n {body}\n }}", name=path, path=path, definitions=BACKEND)


@pytest.mark.parametrize(
    ("body", "path", "query"),
    [
        (f'url = "{AT}/{BY_ID}"', f'"/a/{BY_ID}"', None),
        (f'url = "/a/{BY_ID}"\n backend = "up"', f'"/a/{BY_ID}"', None),
        (f'url = "{AT}-{BY_ID}?b={BY_ID}#c"', f'"/a-{BY_ID}"', f'"b={BY_ID}#c"'),
        (f'url = "{ORIGIN}?b={BY_ID}"', None, f'"b={BY_ID}"'),
        (f'url = "{AT}/{BY_ID}/**"', f'join("", ["/a/{BY_ID}", "/", {_BELOW}])', None),
        (f'url = "/a/{BY_ID}"\n backend "up" {{\n path_prefix = "/v"\n }}', f'"/v/a/{BY_ID}"', None),
        (f'url = "{AT}/${{env.NONE}}$${{x}}{BY_ID}"', f'"/a/${{env.NONE}}$${{x}}{BY_ID}"', None),
    ],
)
def test_path_and_query_of_a_url_may_vary(body: str, path: str | None, query: str | None) -> None:
    rewrite = proxied(body)["rewrite"]
    told = {name: value["expression"] for name, value in rewrite.items()}
    assert told == {name: text for name, text in (("path", path), ("query", query)) if text is not None}


@pytest.mark.parametrize(
    "url",
    [
        f"{ORIGIN}{BY_ID}",
        f"http://{BY_ID}/a",
        f"http://a.example{BY_ID}/a",
        f"http://a.example:{BY_ID}/a",
        f"http://user:{BY_ID}@a.example/a",
        f"{BY_ID}/a",
        f"{BY_ID}://a.example/a",
        f"//{BY_ID}/a",
        BY_ID,
    ],
)
def test_nobody_is_sent_elsewhere(url: str) -> None:
    assert refused(text(f'proxy {{\n url = "{url}"\n }}', path="/{id}", definitions=BACKEND)) == {"proxy/url"}


def test_an_origin_from_a_variable_that_is_not_set_is_told_to_have_no_value() -> None:
    made = translate(text('proxy {\n backend = "up"\n }', definitions='backend "up" {\n origin = env.NONE\n }'))
    (note,) = [each for each in made.notes if each.meaning is Meaning.REFUSED]
    assert "has no value" in note.sentence


@pytest.mark.parametrize(
    "origin", ["127.0.0.1:9", "ftp://a.example", "http://a.example/b", "http://a.example?b", "//a"]
)
def test_an_origin_is_a_scheme_and_a_host(origin: str) -> None:
    definitions = f'backend "up" {{\n origin = "{origin}"\n }}'
    assert refused(text('proxy {\n backend = "up"\n }', definitions=definitions)) == {'backend "up"/origin'}
    good = definitions.replace(origin, "http://a.example/")
    assert refused(text('proxy {\n backend = "up"\n }', definitions=good)) == set()


def test_a_url_without_an_origin_needs_a_backend() -> None:
    assert refused(text('proxy {\n url = "/a"\n }', definitions=BACKEND)) == {"proxy/url"}
