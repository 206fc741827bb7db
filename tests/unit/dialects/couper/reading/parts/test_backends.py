from __future__ import annotations

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SERVER, configuration, definitions_problems, problems

from jwtgate.dialects.couper.reading.configuration import Backend

DEFINITIONS = """definitions {
  backend "be" {
    origin = "http://a:80"
    timeout = "5s"
    set_request_headers = { x-probe = "1" }
  }
}
"""


def backend_of(body: str) -> Backend | None:
    text = f'server {{\n endpoint "/" {{\n proxy {{\n{body}\n}}\n }}\n}}\n{DEFINITIONS}'
    return configuration(text).servers[0].endpoints[0].proxies[0].backend


def said_of(body: str) -> tuple[str, ...]:
    return problems(f'server {{\n endpoint "/" {{\n proxy {{\n{body}\n}}\n }}\n}}\n{DEFINITIONS}')


def source_of(backend: Backend) -> tuple[str | None, str | None]:
    return (
        backend.origin.source if backend.origin else None,
        backend.path.source if backend.path else None,
    )


def test_a_backend_is_named() -> None:
    backend = backend_of('backend = "be"')
    assert backend is not None
    assert configuration(SERVER + DEFINITIONS).backends["be"].key == backend.key
    assert source_of(backend) == ('"http://a:80"', None)
    assert (backend.key, backend.timeout, backend.connect_timeout, backend.ttfb_timeout) == ("be", 5, 10, 60)
    assert backend.edits.set_request_headers is not None


def test_a_backend_stands_where_it_is_used() -> None:
    backend = backend_of('backend { origin = "http://b" }')
    assert backend is not None
    assert (backend.label, source_of(backend)) == (None, ('"http://b"', None))


def test_a_block_with_a_label_is_the_one_defined_with_what_it_adds() -> None:
    backend = backend_of('backend "be" {\n path = "/x"\n timeout = "1s"\n}')
    assert backend is not None
    assert (backend.label, backend.timeout, source_of(backend)) == ("be", 1, ('"http://a:80"', '"/x"'))
    assert backend.key != "be"


def test_no_backend_is_none() -> None:
    assert backend_of('url = "http://c"') is None


def test_a_label_nobody_has_is_refused_at_its_place() -> None:
    assert said_of('backend = "no"') == ('couper.hcl:4,1-8: referenced backend "no" is not defined; ',)
    assert said_of('backend "no" {}') == ('couper.hcl:4,9-13: referenced backend "no" is not defined; ',)


def test_an_attribute_and_a_block_are_refused() -> None:
    (problem,) = said_of('backend = "be"\nbackend {}')
    assert problem == "couper.hcl:4,1-8: Multiple definitions of backend are not allowed in proxy.; "


@pytest.mark.parametrize("label", ["a-b", "a b", "", "ä"])
def test_the_label_of_a_backend_has_few_characters(label: str) -> None:
    (problem,) = definitions_problems(f'backend "{label}" {{}}')
    assert problem.startswith("couper.hcl:3,9-")
    assert "label contains invalid character(s)" in problem


def test_two_of_one_label_are_refused() -> None:
    assert definitions_problems('backend "a" {}\nbackend "a" {}') == (
        "couper.hcl:4,9-12: backend labels must be unique; ",
    )


def test_wrong_durations_are_told_with_the_label() -> None:
    assert definitions_problems('backend "a" {\n timeout = "x"\n connect_timeout = "-1s"\n}') == (
        'configuration error: a: time: invalid duration "x"',
        "configuration error: a: connect_timeout: cannot be negative: '-1s'",
    )
