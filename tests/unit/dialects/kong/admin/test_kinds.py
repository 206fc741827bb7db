"""How Kong's kinds of objects are addressed."""

import pytest

from jwtgate.dialects.kong.admin.kinds import goes_with, kind_at, kind_below, referring_to


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("services", "services"),
        ("jwts", "jwt_secrets"),
        ("key-auths", "keyauth_credentials"),
        ("jwt_secrets", None),
        ("jwt", None),
        ("nothing", None),
    ],
)
def test_a_word_of_a_path_means_a_kind(word: str, kind: str | None) -> None:
    assert kind_at(word) == kind


@pytest.mark.parametrize(
    ("kind", "word", "below"),
    [
        ("services", "routes", ("routes", "service")),
        ("services", "plugins", ("plugins", "service")),
        ("consumers", "plugins", ("plugins", "consumer")),
        ("consumers", "jwt", ("jwt_secrets", "consumer")),
        ("consumers", "key-auth", ("keyauth_credentials", "consumer")),
        ("certificates", "snis", ("snis", "certificate")),
        ("certificates", "services", ("services", "client_certificate")),
        ("consumers", "routes", None),
        ("routes", "service", None),
    ],
)
def test_a_word_below_means_what_refers_to_it(kind: str, word: str, below: tuple[str, str] | None) -> None:
    assert kind_below(kind, word) == below


def test_what_refers_to_a_service_is_known() -> None:
    assert sorted(referring_to("services")) == [("plugins", "service"), ("routes", "service")]


@pytest.mark.parametrize(
    ("kind", "field", "goes"),
    [
        ("plugins", "service", True),
        ("jwt_secrets", "consumer", True),
        ("snis", "certificate", True),
        ("routes", "service", False),
        ("services", "client_certificate", False),
    ],
)
def test_some_go_with_what_they_belong_to_and_some_hold_it_back(kind: str, field: str, goes: bool) -> None:
    assert goes_with(kind, field) is goes
