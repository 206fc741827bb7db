from __future__ import annotations

import pytest

from jwtgate.dialects.couper.reading.configuration import ErrorHandler, ErrorHandlers, Jwt, Place, Secret, Source

PLACE = Place("couper.hcl", 2, 1, 2, 8)


def handler(*kinds: str) -> ErrorHandler:
    return ErrorHandler(kinds, PLACE)


def handlers(*levels: tuple[str, ...]) -> ErrorHandlers:
    return ErrorHandlers(
        tuple({kind: handler(str(number), kind) for kind in each} for number, each in enumerate(levels))
    )


def chosen(found: ErrorHandler | None) -> tuple[str, ...] | None:
    return found.kinds if found else None


def test_a_place_is_written_as_couper_writes_it() -> None:
    assert str(PLACE) == "couper.hcl:2,1-8"
    assert str(Place("couper.hcl", 2, 1, 4, 3)) == "couper.hcl:2,1-4,3"


def test_a_secret_is_never_shown() -> None:
    assert "s3cret" not in repr(Secret(b"s3cret"))


@pytest.mark.parametrize(
    ("levels", "found"),
    [
        ([("insufficient_permissions", "*")], ("0", "insufficient_permissions")),
        ([("access_control", "*")], ("0", "access_control")),
        ([("*",)], ("0", "*")),
        ([("backend",)], None),
        ([], None),
        ([("*",), ("insufficient_permissions",)], ("0", "*")),
        ([("insufficient_permissions",), ("*",)], ("0", "insufficient_permissions")),
        ([("backend",), ("access_control",)], ("1", "access_control")),
    ],
)
def test_the_nearest_level_is_asked_first_and_there_the_most_specific_kind(
    levels: list[tuple[str, ...]], found: tuple[str, ...] | None
) -> None:
    assert chosen(handlers(*levels).for_kind("insufficient_permissions")) == found


@pytest.mark.parametrize(
    ("source", "kinds", "found"),
    [
        (Source.BEARER, ("jwt_token_missing",), "jwt_token_missing"),
        (Source.BEARER, ("*",), "*"),
        (Source.BEARER, ("jwt",), None),
        (Source.DPOP, ("access_control",), None),
        (Source.BEARER, ("jwt", "*"), "jwt"),
        (Source.COOKIE, ("jwt",), "jwt"),
        (Source.VALUE, ("access_control", "*"), "access_control"),
        (Source.BEARER, (), None),
    ],
)
def test_what_is_built_in_hides_the_handlers_of_wider_kinds_but_the_widest(
    source: Source, kinds: tuple[str, ...], found: str | None
) -> None:
    jwt = Jwt("J", PLACE, source=source, error_handlers=handlers(kinds) if kinds else ErrorHandlers())
    answer = jwt.handler_for("jwt_token_missing")
    assert (answer.kinds[1] if answer else None) == found


def test_a_wider_error_of_a_bearer_token_reaches_its_handler() -> None:
    jwt = Jwt("J", PLACE, error_handlers=handlers(("access_control",)))
    assert chosen(jwt.handler_for("jwt")) == ("0", "access_control")
