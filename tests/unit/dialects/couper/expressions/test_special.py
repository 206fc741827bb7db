from __future__ import annotations

import json
import pickle
from dataclasses import replace
from typing import Any

import pytest
from tests.unit.policy.plans import ISSUER, known, principal, proven, request

from jwtgate.dialects.couper.expressions.special import Special
from jwtgate.errors import AccessRefused, TokenRefused
from jwtgate.policy.requirements import Grants

VIEW = request(path="/a%3Cb/c", id="r-1")
EXPIRED = replace(known(view=VIEW), error=TokenRefused("token_expired", slot="j"), slot="j")
GIVEN = {"slots": {"J": "j"}, "sources": {"j": "bearer"}}


def told(text: str, here: Any = EXPIRED, **given: Any) -> Any:
    return Special(text, {**GIVEN, **given})(here)


def test_a_client_is_told_of_an_error_in_json() -> None:
    error = {"id": "r-1", "message": "access control error", "path": "/a%3Cb/c", "status": 401}
    assert json.loads(told("@error_body_json")) == {"error": error}


def test_a_client_is_told_of_an_error_in_html() -> None:
    page = told("@error_body_html", replace(EXPIRED, request=request(path="/a&b", id="r-1")))
    assert "<title>401 access control error</title>" in page
    assert "/a&amp;b" in page
    assert "r-1" in page
    assert "expired" not in page


@pytest.mark.parametrize(
    ("template", "body"),
    [
        ('{"m": "{{.message}}", "s": {{ .status }}}', '{"m": "access control error", "s": 401}'),
        ("{{ .error_code }} {{.request_id}} {{.path}}", "401 r-1 /a%3Cb/c"),
        ("{{.none}}{{ other }}", "{{ other }}"),
    ],
)
def test_a_template_of_somebody_s_own_has_the_same_variables(template: str, body: str) -> None:
    assert told("@error_template", template=template) == body


def test_what_a_template_shows_is_escaped() -> None:
    here = replace(EXPIRED, request=request(path="/<script>"))
    assert told("@error_template", here, template="{{.path}}") == "/&lt;script&gt;"


def test_the_log_is_told_kind_level_and_text() -> None:
    assert told("@error_type") == "jwt_token_expired"
    assert told("@error_synopsis") == "access control error"
    assert told("@error_message") == "access control error: J: token has invalid claims: token is expired"
    here = replace(EXPIRED, slot="", error=AccessRefused("method_not_permitted", by="methods"))
    assert told("@error_type", here) is None


@pytest.mark.parametrize(
    "text",
    ["@error_body_json", "@error_body_html", "@error_template", "@error_type", "@error_message", "@error_synopsis"],
)
def test_without_an_error_nothing_is_told(text: str) -> None:
    assert told(text, known()) is None


def test_a_special_text_travels_as_plain_data() -> None:
    special = pickle.loads(pickle.dumps(Special("@error_message", GIVEN)))
    assert special(EXPIRED) == told("@error_message")
    assert special.of_request


def test_a_special_text_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no @none"):
        Special("@none", {})


def test_warnings_are_of_the_caller_alone() -> None:
    issuer = replace(ISSUER, grants=Grants(permissions=("scope",)))
    here = known(principal(j=proven(issuer=issuer, scope=True)))
    assert told("@warnings", here) == ["invalid permissions claim value type, ignoring claim, value true"]
    assert told("@warnings", known()) is None
    assert not Special("@warnings", {}).of_request
