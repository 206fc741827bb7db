from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.dialects.couper.reading.couper_hcl import SECRET, SERVER, configuration, jwt, jwt_problems, problems

from jwtgate.dialects.couper.reading.error_kinds import ALLOWED


def kinds_of(body: str) -> dict[str, tuple[str, ...]]:
    (level,) = jwt(f"{SECRET} {body}").error_handlers.levels
    return {kind: handler.kinds for kind, handler in level.items()}


@pytest.mark.parametrize(
    ("labels", "kinds"),
    [
        ("", ("*",)),
        ('"*"', ("*",)),
        ('"jwt_token_missing"', ("jwt_token_missing",)),
        ('"jwt_token_missing" "jwt_token_expired"', ("jwt_token_missing", "jwt_token_expired")),
        ('"jwt_token_missing  jwt_token_expired"', ("jwt_token_missing", "jwt_token_expired")),
    ],
)
def test_a_handler_is_for_each_of_its_labels_or_for_all(labels: str, kinds: tuple[str, ...]) -> None:
    assert kinds_of(f"error_handler {labels} {{}}") == dict.fromkeys(kinds, kinds)


@pytest.mark.parametrize("kind", sorted(ALLOWED["jwt"]))
def test_every_kind_of_a_token_is_known(kind: str) -> None:
    assert kinds_of(f'error_handler "{kind}" {{}}') == {kind: (kind,)}


@pytest.mark.parametrize("kind", ["foo", "insufficient_permissions", "basic_auth"])
def test_an_unknown_kind_is_refused(kind: str) -> None:
    assert jwt_problems(f'{SECRET} error_handler "{kind}" {{}}') == (f'error type is unknown: "{kind}"',)


@pytest.mark.parametrize(
    ("first", "second", "kind"),
    [
        ('"jwt_token_missing"', '"jwt_token_missing"', "jwt_token_missing"),
        ('"jwt" "jwt_token_missing"', '"jwt_token_missing"', "jwt_token_missing"),
        ('"jwt jwt_token_missing"', '"jwt"', "jwt"),
        ("", '"*"', "*"),
    ],
)
def test_two_handlers_for_one_kind_are_refused(first: str, second: str, kind: str) -> None:
    body = f"{SECRET} error_handler {first} {{}}\n error_handler {second} {{}}"
    assert jwt_problems(body) == (f'duplicate error type registration: "{kind}"',)


def test_a_handler_holds_a_response_work_and_modifiers(tmp_path: Path) -> None:
    (tmp_path / "e.html").write_text("page")
    body = """error_handler {
      set_response_status = 418
      set_response_headers = { x = request.path }
      error_file = "e.html"
      custom_log_fields = { a = 1 }
      request "r" { url = "http://a/" }
      proxy { url = "http://b/" }
      response { status = 303 }
    }"""
    handler = jwt(f"{SECRET} {body}", folder=tmp_path).handler_for("jwt_token_missing")
    assert handler is not None
    assert handler.edits.set_response_status is not None
    assert handler.edits.set_response_status.source == "418"
    assert handler.error_file == tmp_path / "e.html"
    assert handler.custom_log_fields is not None
    assert ([each.name for each in handler.requests], [each.name for each in handler.proxies]) == (["r"], ["default"])
    assert handler.response is not None


def test_handlers_of_apis_and_endpoints_know_other_kinds() -> None:
    body = 'error_handler "{}" {{}}'
    text = 'server {{ api "v" {{ {} endpoint "/" {{ response {{}}\n {} }} }} }}'
    known = body.format("insufficient_permissions")
    configuration(text.format(known, known))
    unknown = body.format("jwt")
    assert problems(text.format(unknown, unknown)) == (
        'configuration error: v: error type is unknown: "jwt"',
        'configuration error: /: error type is unknown: "jwt"',
    )


def test_a_handler_with_an_unknown_backend_is_refused() -> None:
    text = f'{SERVER}definitions {{ jwt "J" {{\n{SECRET} error_handler {{ proxy {{ backend = "no" }} }} }} }}'
    (problem,) = problems(text)
    assert problem.endswith(': referenced backend "no" is not defined; ')
