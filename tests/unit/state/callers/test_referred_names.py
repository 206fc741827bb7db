from __future__ import annotations

import pytest

from jwtgate.errors import ConfigError
from jwtgate.policy.callers import Consumer, api_key_name
from jwtgate.policy.sources import ConsumerSource, CredentialSource
from jwtgate.state.callers.referred_names import ReferredNames, Referring


class Elsewhere:
    """Where names are kept; a reference to anything else leads nowhere."""

    def __init__(self, **held: str) -> None:
        self.held = held
        self.asked = 0

    def resolve(self, text: str) -> str:
        self.asked += 1
        if text not in self.held:
            raise ConfigError(f"The reference {text} leads nowhere.")
        return self.held[text]


def referring(consumer: str, *texts: str, is_api_key: bool = False) -> ConsumerSource:
    credentials = (
        CredentialSource(f"{consumer}-{text}", "c", consumer, "HS256", refers=text, is_api_key=is_api_key)
        for text in texts
    )
    plain = CredentialSource("plain", "p", consumer, "HS256")
    return ConsumerSource(Consumer(consumer, consumer), (*credentials, plain))


def test_a_credential_is_found_by_what_its_reference_leads_to() -> None:
    names, kept = ReferredNames([referring("ann", "A")]), Elsewhere(A="ann-key")
    assert names.find("ann-key", kept.resolve) == Referring("ann", "ann-A", "A", is_api_key=False)
    assert names.waiting == ()
    assert names.texts == ("A",)


@pytest.mark.parametrize("name", ["A", "ann-A", "plain", "", "ann"])
def test_nobody_is_found_by_the_reference_itself(name: str) -> None:
    names = ReferredNames([referring("ann", "A")])
    assert names.find(name, Elsewhere(A="ann-key").resolve) is None
    assert ReferredNames([referring("ann", "A")]).find(name, Elsewhere().resolve) is None


def test_what_leads_nowhere_waits_and_is_found_once_it_is_tried_again() -> None:
    names, kept = ReferredNames([referring("ann", "A"), referring("bob", "A", "B")]), Elsewhere(B="bob-key")
    assert names.find("ann-key", kept.resolve) is None
    assert names.waiting == ("A",)
    assert not names.try_again(kept.resolve)
    kept.held["A"] = "ann-key"
    assert names.find("ann-key", kept.resolve) is None
    assert names.try_again(kept.resolve)
    assert names.find("ann-key", kept.resolve) == Referring("ann", "ann-A", "A", is_api_key=False)


def test_nothing_is_resolved_twice_for_look_ups() -> None:
    names, kept = ReferredNames([referring("ann", "A", "B")]), Elsewhere(A="ann-key")
    for _ in range(100):
        names.find("nobody", kept.resolve)
        names.find("ann-key", kept.resolve)
    assert kept.asked == 2
    assert not names.try_again(kept.resolve)
    assert kept.asked == 3


def test_where_nobody_refers_nothing_is_resolved() -> None:
    names, kept = ReferredNames([ConsumerSource(Consumer("ann", "a"))]), Elsewhere()
    assert names.find("ann-key", kept.resolve) is None
    assert not names.try_again(kept.resolve)
    assert kept.asked == 0


def test_another_value_takes_the_place_of_the_first_when_it_is_forgotten() -> None:
    names, kept = ReferredNames([referring("ann", "A")]), Elsewhere(A="old")
    assert names.find("old", kept.resolve)
    kept.held["A"] = "new"
    names.forget()
    assert names.find("old", kept.resolve) is None
    assert names.find("new", kept.resolve)


def test_who_resolves_otherwise_is_not_told_what_another_was() -> None:
    names, old, new = ReferredNames([referring("ann", "A")]), Elsewhere(A="old"), Elsewhere(A="new")
    assert names.find("old", old.resolve)
    assert names.find("old", new.resolve) is None
    assert names.find("new", new.resolve)
    assert not names.try_again(old.resolve)


def test_of_two_that_lead_to_one_name_the_first_is_found_and_then_the_other(caplog: pytest.LogCaptureFixture) -> None:
    names, kept = ReferredNames([referring("ann", "A"), referring("bob", "B")]), Elsewhere(A="key", B="key")
    found = names.find("key", kept.resolve)
    assert found is not None
    assert found.consumer == "ann"
    assert "consumer 'bob', credential 'bob-B': the consumer 'ann' is found so already" in caplog.text
    names.remove("ann")
    assert names.find("key", kept.resolve) is None
    assert names.try_again(kept.resolve)
    other = names.find("key", kept.resolve)
    assert other is not None
    assert other.consumer == "bob"


def test_a_consumer_is_added_and_removed() -> None:
    names, kept = ReferredNames(), Elsewhere(A="ann-key")
    names.add(referring("ann", "A"))
    assert names.find("ann-key", kept.resolve)
    names.remove("ann")
    names.remove("nobody")
    assert names.find("ann-key", kept.resolve) is None
    assert names.texts == names.waiting == ()


def test_an_api_key_is_found_by_its_digest_alone() -> None:
    names, kept = ReferredNames([referring("ann", "A", is_api_key=True)]), Elsewhere(A="a key of its own")
    assert names.find("a key of its own", kept.resolve) is None
    assert names.find(api_key_name("a key of its own"), kept.resolve)


@pytest.mark.parametrize("value", ["", "a\n", "x" * 257, api_key_name("a key of another")])
def test_a_value_that_is_no_name_is_waited_for(value: str, caplog: pytest.LogCaptureFixture) -> None:
    names = ReferredNames([referring("ann", "A")])
    assert names.find(value, Elsewhere(A=value).resolve) is None
    assert names.waiting == ("A",)
    assert "is no name of a credential" in caplog.text


def test_an_empty_api_key_is_none() -> None:
    names = ReferredNames([referring("ann", "A", is_api_key=True)])
    assert names.find(api_key_name(""), Elsewhere(A="").resolve) is None


def test_sec_149_what_is_logged_names_the_reference_and_no_value(caplog: pytest.LogCaptureFixture) -> None:
    names, kept = ReferredNames([referring("ann", "A", "B")]), Elsewhere(B="swordfish\n")
    names.find("nobody", kept.resolve)
    assert "2 credentials wait for what they are found by" in caplog.text
    assert "swordfish" not in caplog.text
    assert "swordfish" not in repr(names)
