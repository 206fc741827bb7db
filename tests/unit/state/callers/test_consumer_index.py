from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from jwtgate.jose.sealing import Sealer
from jwtgate.policy.callers import Consumer
from jwtgate.policy.provisions import Answer, Origin, Value
from jwtgate.policy.rate_limits import CountedBy, RateLimit
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeysAddress, KeyText
from jwtgate.state.callers.consumer_index import ConsumerIndex, Duplicate, Placed, What
from jwtgate.state.stores.store import StoreFailed

from .people import source

ANN = ConsumerSource(
    Consumer("ann", "1", "x-1", ("staff", "eu"), {"tier": "gold"}, {"plan": {"seats": [1, 2.5, None, True]}}),
    (
        CredentialSource("k1", "c1", "ann", "HS256", KeyText(text="secret", alg="HS256", base64url=True)),
        CredentialSource("k2", "c2", "ann", "RS256", KeyText(file="ann.pem"), KeyText(text="private"), 5, 60, "iss"),
        CredentialSource("k3", "c3", "ann", "ES256", KeyText(text="public", kid="x"), labels={"a": "b"}),
        CredentialSource("k4", "c4", "ann", "ES256", KeyText(text="public"), named="elsewhere", may_wait=True),
        CredentialSource("k5", "c5", "ann", "ES256", KeyText(text="public"), refers="${vault:a#b}"),
        CredentialSource("k6", "c6", "ann", "", named="api-key 0", is_api_key=True),
        CredentialSource("k7", "c7", "ann", "ES256", address=KeysAddress("https://a/k", "me", "secret", "c", "k", 60)),
    ),
)
MASTER = Sealer(b"m" * 32)


@pytest.fixture(params=[None, MASTER], ids=["plain", "sealed"])
def index(request: pytest.FixtureRequest) -> Iterator[ConsumerIndex]:
    with closing(ConsumerIndex.create(None, request.param)) as made:
        yield made


def placed(*sources: ConsumerSource) -> list[Placed]:
    return [Placed(each, f"line {number}") for number, each in enumerate(sources, start=1)]


def test_a_consumer_is_found_by_each_of_its_names(index: ConsumerIndex) -> None:
    index.insert(ANN)
    known = [
        (What.CONSUMER, "ann"),
        (What.ID, "1"),
        (What.EXTERNAL_ID, "x-1"),
        (What.CREDENTIAL, "k1"),
        (What.CREDENTIAL, "elsewhere"),
        (What.API_KEY, "api-key 0"),
    ]
    assert [index.find(*name) for name in known] == [ANN] * 6
    assert all(index.knows(*name) for name in known)


@pytest.mark.parametrize(
    ("what", "value"),
    [
        (What.CONSUMER, "k1"),
        (What.CONSUMER, "ANN"),
        (What.ID, "ann"),
        (What.CREDENTIAL, "ann"),
        (What.EXTERNAL_ID, ""),
        (What.CREDENTIAL, "k4"),
        (What.CREDENTIAL, "k5"),
        (What.CREDENTIAL, "api-key 0"),
        (What.API_KEY, "elsewhere"),
    ],
)
def test_a_name_of_one_kind_is_none_of_another(index: ConsumerIndex, what: What, value: str) -> None:
    index.insert(ANN)
    assert index.find(what, value) is None
    assert not index.knows(what, value)


def test_a_name_is_never_read_as_sql(index: ConsumerIndex) -> None:
    name = "'; DROP TABLE named; --"
    index.insert(source(name))
    assert index.find(What.CONSUMER, name) == source(name)


def test_a_deleted_consumer_takes_its_names_along(index: ConsumerIndex) -> None:
    index.insert(ANN)
    index.insert(source("bob", "k4"))
    index.delete("ann")
    index.delete("nobody")
    names = [index.names(what, after="", limit=9, contains="") for what in What]
    assert [name for found in names for name in found] == ["bob", "id-of-bob", "k4"]
    assert index.count() == 1


def test_a_name_that_is_taken_stays_with_whom_it_meant(index: ConsumerIndex) -> None:
    index.insert(source("ann", "k1"))
    index.insert(source("bob", "k1"))
    assert index.find(What.CREDENTIAL, "k1") == source("ann", "k1")
    index.delete("bob")
    assert index.find(What.CREDENTIAL, "k1") == source("ann", "k1")


def test_many_are_loaded_at_once(index: ConsumerIndex) -> None:
    people = [source(f"n{number * 7919 % 2_500:04}", f"k{number}", external_id=f"x{number}") for number in range(2_500)]
    assert index.load(placed(*people)) == ()
    assert index.count() == 2_500
    assert [index.find(What.CREDENTIAL, f"k{number}") for number in range(2_500)] == people
    index.insert(source("more"))
    assert index.find(What.CONSUMER, "more") == source("more")


def test_what_stands_twice_is_told_with_both_places(index: ConsumerIndex) -> None:
    twice = placed(
        source("ann", "k1", external_id="x"), source("bob", "k2"), source("cid", "k1", external_id="x"), source("bob")
    )
    assert index.load(twice) == (
        Duplicate(What.EXTERNAL_ID, "x", "line 1", "line 3"),
        Duplicate(What.CREDENTIAL, "k1", "line 1", "line 3"),
        Duplicate(What.CONSUMER, "bob", "line 2", "line 4"),
        Duplicate(What.ID, "id-of-bob", "line 2", "line 4"),
    )
    assert index.find(What.CREDENTIAL, "k1") == twice[0].source


def test_names_are_listed_in_order_a_page_at_a_time(index: ConsumerIndex) -> None:
    for name in ("cid", "ann", "bob", "Ann"):
        index.insert(source(name))
    assert index.names(What.CONSUMER, after="", limit=10, contains="") == ["Ann", "ann", "bob", "cid"]
    assert index.names(What.CONSUMER, after="ann", limit=1, contains="") == ["bob"]
    assert index.names(What.CONSUMER, after="", limit=10, contains="nn") == ["Ann", "ann"]


def test_a_transaction_that_fails_changes_nothing(index: ConsumerIndex) -> None:
    index.insert(ANN)
    with pytest.raises(StoreFailed), index.transaction() as connection:  # noqa: PT012 - the failure ends both
        index.delete("ann")
        connection.execute("INSERT INTO nowhere VALUES (1)")
    assert index.find(What.CONSUMER, "ann") == ANN


def test_an_index_is_found_again_in_its_file(tmp_path: Path) -> None:
    with closing(ConsumerIndex.create(tmp_path / "a", MASTER)) as made:
        made.insert(ANN)
        made.set_meta("input", b"digest")
    for opened in (ConsumerIndex.open_fixed, ConsumerIndex.open):
        with closing(opened(tmp_path / "a", MASTER)) as index:
            assert index.find(What.CREDENTIAL, "k2") == ANN
            assert index.meta("input") == b"digest"
            assert index.meta("other") is None


def test_a_file_that_must_not_change_is_not_changed(tmp_path: Path) -> None:
    ConsumerIndex.create(tmp_path / "a", None).close()
    with closing(ConsumerIndex.open_fixed(tmp_path / "a", None)) as index, pytest.raises(StoreFailed):
        index.insert(ANN)


def test_sec_150_what_is_sealed_stands_nowhere_in_the_file(tmp_path: Path) -> None:
    for name, sealer, shown in (("plain", None, True), ("sealed", MASTER, False)):
        with closing(ConsumerIndex.create(tmp_path / name, sealer)) as made:
            made.insert(ANN)
        assert (b"private" in (tmp_path / name).read_bytes()) is shown


@pytest.mark.parametrize(("made_with", "opened_with"), [(MASTER, None), (None, MASTER), (MASTER, Sealer(b"o" * 32))])
def test_sec_150_an_index_is_opened_with_the_master_key_it_was_made_with(
    tmp_path: Path, made_with: Sealer | None, opened_with: Sealer | None
) -> None:
    ConsumerIndex.create(tmp_path / "a", made_with).close()
    with pytest.raises(StoreFailed):
        ConsumerIndex.open(tmp_path / "a", opened_with)


def test_an_index_of_another_release_is_not_read(tmp_path: Path) -> None:
    ConsumerIndex.create(tmp_path / "a", None).close()
    with closing(sqlite3.connect(tmp_path / "a")) as connection:
        connection.execute("PRAGMA user_version = 5")
    with pytest.raises(StoreFailed, match="another release"):
        ConsumerIndex.open(tmp_path / "a", None)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE consumer SET value = '{'",
        "UPDATE consumer SET value = '[]'",
        "UPDATE consumer SET value = '{}'",
        "UPDATE named SET consumer = 3 - consumer",
    ],
)
def test_rel_8_a_damaged_record_is_a_fault_and_nobody_else(tmp_path: Path, damage: str) -> None:
    with closing(ConsumerIndex.create(tmp_path / "a", None)) as made:
        made.load(placed(source("ann"), source("bob"), source("cid")))
    with closing(sqlite3.connect(tmp_path / "a", isolation_level=None)) as connection:
        connection.execute(damage)
    with closing(ConsumerIndex.open(tmp_path / "a", None)) as index, pytest.raises(StoreFailed, match="damaged"):
        index.find(What.CONSUMER, "bob")


@pytest.mark.parametrize("content", [b"", b"something else entirely" * 200])
def test_a_file_that_is_no_index_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a").write_bytes(content)
    with pytest.raises(StoreFailed):
        ConsumerIndex.open(tmp_path / "a", None)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    with closing(ConsumerIndex.create(tmp_path / "a", None)) as made:
        made.load(placed(*(source(f"n{number}") for number in range(500))))
    whole = (tmp_path / "a").read_bytes()
    (tmp_path / "a").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(StoreFailed):
        ConsumerIndex.open(tmp_path / "a", None)


@pytest.mark.parametrize(
    "limit",
    [
        RateLimit(3, 30),
        RateLimit(1, 60, by=CountedBy.ROUTE, answer=Answer(status=503, content_type="text/x"), shown=False),
        RateLimit(1, 60, answer=Answer(body=Value(Origin.CONSTANT, constant={"slow": ["down", 0]}))),
        RateLimit(1, 60, answer=Answer(body=Value(Origin.CONSTANT, constant=""))),
    ],
)
def test_a_consumer_s_limit_is_kept_as_it_is(index: ConsumerIndex, limit: RateLimit) -> None:
    limited = ConsumerSource(Consumer("ann", "1", rate_limit=limit))
    index.insert(limited)
    assert index.find(What.CONSUMER, "ann") == limited


def test_those_whose_credentials_are_found_by_something_kept_elsewhere_are_known(index: ConsumerIndex) -> None:
    index.insert(source("bob", "b"))
    index.insert(ANN)
    assert index.referring() == [ANN]
    index.delete("ann")
    assert index.referring() == []


def test_sec_150_with_a_master_key_nothing_tells_of_an_api_key(tmp_path: Path) -> None:
    for sealer, is_told in ((None, True), (MASTER, False)):
        path = tmp_path / f"{is_told}.sqlite"
        with closing(ConsumerIndex.create(path, sealer)) as index:
            index.load(placed(ANN))
            assert index.find(What.API_KEY, "api-key 0") == ANN
            assert index.knows(What.API_KEY, "api-key 0")
            index.delete("ann")
            assert not index.knows(What.API_KEY, "api-key 0")
            index.insert(ANN)
            assert index.find(What.API_KEY, "api-key 0") == ANN
        assert (b"api-key 0" in path.read_bytes()) is is_told
