"""What the commands of `jwtgate ctl` ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

from jwtgate.cli.ctl.operations import asked_revocation, instant, over
from jwtgate.errors import ConfigError


def test_a_version_is_named_as_a_condition() -> None:
    assert (over(None), over(0), over(3)) == ({}, {"If-None-Match": "*"}, {"If-Match": '"3"'})


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ({"jti": "a"}, {"by": "jti", "value": "a"}),
        ({"client_id": "a", "issuer": "main"}, {"by": "client", "value": "a", "issuer": "main"}),
        ({"session": "a", "note": "why"}, {"by": "session", "value": "a", "note": "why"}),
        ({"consumer": "a", "expires_in": 5}, {"by": "consumer", "value": "a", "expires_in_seconds": 5}),
        ({"issued_before": "7"}, {"by": "everything", "issued_before": 7}),
    ],
)
def test_options_ask_for_a_revocation(options: dict[str, str | int | None], asked: dict[str, object]) -> None:
    assert asked_revocation({"jti": None, "note": None, **options}) == asked


def test_a_token_is_revoked_by_its_digest_and_stays_here(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("abc\n")
    # printf abc | openssl dgst -sha256 -binary | basenc --base64url
    digest = "ungWv48Bz-pBQUDeXa4iI7ADYaOWF3qctBD_YfIAFa0"
    assert asked_revocation({"token": str(file)}) == {"by": "token", "value": digest}


@pytest.mark.parametrize(
    "options", [{}, {"issuer": "main"}, {"jti": "a", "subject": "b"}, {"jti": "a", "issued_before": "soon"}]
)
def test_options_that_name_no_tokens_or_several_are_a_mistake(options: dict[str, str | int | None]) -> None:
    with pytest.raises(ConfigError):
        asked_revocation(options)


def test_an_instant_is_now_or_a_number() -> None:
    assert (instant("now", 5.9), instant("7")) == (5, 7)
    for text in ("", "-1", "1.5", "²", "tomorrow"):
        with pytest.raises(ConfigError):
            instant(text)


@pytest.mark.parametrize("text", ["", "Bearer a.b.c"])
def test_a_file_with_more_than_a_token_is_a_mistake(text: str, tmp_path: Path) -> None:
    (tmp_path / "token").write_text(text)
    with pytest.raises(ConfigError, match="the token alone"):
        asked_revocation({"token": str(tmp_path / "token")})
