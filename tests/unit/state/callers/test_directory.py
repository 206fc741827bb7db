from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from jwtgate.errors import ConfigError
from jwtgate.jose.encoding import JSON
from jwtgate.jose.sealing import Sealer
from jwtgate.policy.callers import Consumer, api_key_name
from jwtgate.policy.requirements import ConsumerName
from jwtgate.policy.sources import ConsumerSource, CredentialSource, KeyText
from jwtgate.state.callers.consumer_index import What
from jwtgate.state.callers.directory import Directory, Found, Origin
from jwtgate.state.stores.registry import Kind, Registry
from jwtgate.state.stores.store import MemoryStore, StoreConflict, StoreFailed

from .people import parse, source

ANN = source("ann", "k1", "k2", external_id="x-1", groups=("staff",))
BOB = source("bob", "k3")
EVERY = tuple(ConsumerName)


@pytest.fixture(params=["memory", "files", "sealed"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Directory]:
    sealer = Sealer(b"m" * 32) if request.param == "sealed" else None
    made = Directory.open(None if request.param == "memory" else tmp_path / "consumers", sealer=sealer)
    yield made
    made.close()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "people.jsonl"
    path.touch(mode=0o600)
    return path


def registry() -> Registry:
    return Registry(MemoryStore(), wall=lambda: 1_800_000_000)


def keep(held: Registry, name: str, *keys: str) -> None:
    held.put(Kind.CONSUMER, name, {"keys": list(keys)}, over=None, who="op")


def holds(directory: Directory, *people: str) -> None:
    assert directory.names(What.CONSUMER) == people


def test_a_consumer_is_found_by_the_names_that_are_asked_for(directory: Directory) -> None:
    directory.replace_document([ANN, BOB], [], parse=parse)
    assert directory.consumer((ConsumerName.NAME,), "ann") == ANN.consumer
    assert directory.consumer((ConsumerName.EXTERNAL_ID,), "x-1") == ANN.consumer
    assert directory.consumer((ConsumerName.ID,), "id-of-ann") == ANN.consumer
    assert directory.consumer((ConsumerName.EXTERNAL_ID, ConsumerName.ID), "ann") is None
    assert directory.consumer(EVERY, "k1") is None
    assert directory.consumer((), "ann") is None


def test_names_are_tried_in_their_order(directory: Directory) -> None:
    directory.replace_document([source("one", external_id="two"), source("two")], [], parse=parse)
    for by, name in (((ConsumerName.EXTERNAL_ID, ConsumerName.NAME), "one"), (EVERY, "two")):
        found = directory.consumer(by, "two")
        assert found is not None
        assert found.name == name


def test_a_credential_is_found_with_whose_it_is(directory: Directory) -> None:
    directory.replace_document([ANN, BOB], [], parse=parse)
    assert directory.credential("k2") == (ANN.credentials[1], ANN.consumer)
    assert directory.credential("ann") is None


def test_the_document_and_its_files_are_one(directory: Directory, file: Path) -> None:
    file.write_text('{"name": "bob", "keys": ["k3"]}\n')
    assert directory.replace_document([ANN], [file], parse=parse) == ()
    assert directory.find(What.CONSUMER, "ann") == Found(ANN, Origin.DOCUMENT)
    assert directory.find(What.CREDENTIAL, "k3") == Found(BOB, Origin.DOCUMENT)


def test_a_new_document_takes_the_place_of_the_old_one(directory: Directory) -> None:
    directory.replace_document([ANN], [], parse=parse)
    directory.replace_document([BOB], [], parse=parse)
    holds(directory, "bob")
    assert directory.credential("k1") is None
    directory.replace_document([], [], parse=parse)
    holds(directory)


def test_what_is_ready_is_not_in_use_until_it_is_adopted(directory: Directory) -> None:
    directory.replace_document([ANN], [], parse=parse)
    staged = directory.stage([BOB], [], parse=parse)
    assert staged is not None
    holds(directory, "ann")
    directory.adopt(staged)
    holds(directory, "bob")


def test_what_is_discarded_leaves_nothing(directory: Directory, tmp_path: Path) -> None:
    directory.replace_document([ANN], [], parse=parse)
    staged = directory.stage([BOB], [], parse=parse)
    assert staged is not None
    directory.discard(staged)
    holds(directory, "ann")
    assert list(tmp_path.rglob("*.new")) == []


def test_the_same_consumers_are_not_read_again(directory: Directory, file: Path) -> None:
    file.write_text('{"name": "bob"}\n')
    directory.replace_document([ANN], [file], parse=parse)

    def unexpected(members: object) -> None:
        raise AssertionError(members)

    assert directory.stage([ANN], [file], parse=unexpected) is None
    for inline, files in (([], [file]), ([ANN], []), ([ANN, BOB], [])):
        staged = directory.stage(inline, files, parse=parse)
        assert staged is not None
        directory.discard(staged)
    file.write_text('{"name": "cid"}\n')
    directory.replace_document([ANN], [file], parse=parse)
    holds(directory, "ann", "cid")


def test_consumers_are_at_hand_again_after_a_restart(tmp_path: Path) -> None:
    held = registry()
    keep(held, "cid", "k9")
    first = Directory.open(tmp_path, sealer=None)
    first.replace_document([ANN], [], parse=parse)
    first.follow(held, parse)
    first.close()
    again = Directory.open(tmp_path, sealer=None)
    holds(again, "ann", "cid")
    assert again.stage([ANN], [], parse=parse) is None
    again.close()


def test_rel_8_a_damaged_directory_is_made_again(tmp_path: Path) -> None:
    held = registry()
    keep(held, "cid", "k9")
    first = Directory.open(tmp_path, sealer=None)
    first.replace_document([ANN], [], parse=parse)
    first.follow(held, parse)
    first.close()
    for path in tmp_path.glob("*.sqlite"):
        path.write_bytes(b"torn")
    again = Directory.open(tmp_path, sealer=None)
    holds(again)
    again.replace_document([ANN], [], parse=parse)
    again.follow(held, parse)
    holds(again, "ann", "cid")
    again.close()


def test_a_mistake_changes_nothing(directory: Directory, file: Path, tmp_path: Path) -> None:
    directory.replace_document([ANN], [], parse=parse)
    file.write_text('{"name": "bob"}\n{"name": "cid", "wrong": 1}\n')
    with pytest.raises(ConfigError, match=r"people.jsonl, line 2: wrong is unknown\."):
        directory.replace_document([], [file], parse=parse)
    with pytest.raises(ConfigError, match="cannot be read"):
        directory.replace_document([], [tmp_path / "nothing"], parse=parse)
    holds(directory, "ann")
    assert list(tmp_path.rglob("*.new")) == []


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ({"name": "ann"}, "The consumer 'ann' stands in the document and in {file}, line 2."),
        ({"name": "eve", "keys": ["k1"]}, "The credential 'k1' stands in the document and in {file}, line 2."),
        ({"name": "eve", "external_id": "x-1"}, "The external id 'x-1' stands in the document and in {file}, line 2."),
        ({"name": "eve", "keys": ["k7"]}, "The credential 'k7' stands in {file}, line 1 and in {file}, line 2."),
        ({"name": "eve", "keys": ["e", "e"]}, "The credential 'e' stands in {file}, line 2 and in {file}, line 2."),
    ],
)
def test_what_stands_twice_is_refused_naming_both_places(
    directory: Directory, file: Path, line: dict[str, object], told: str
) -> None:
    file.write_text('{"name": "cid", "keys": ["k7"]}\n' + json.dumps(line) + "\n")
    with pytest.raises(ConfigError) as refused:
        directory.replace_document([ANN], [file], parse=parse)
    assert refused.value.problems == (told.format(file=file),)
    holds(directory)


def test_sec_149_a_file_that_everybody_may_read_is_warned_of(directory: Directory, file: Path) -> None:
    file.chmod(0o644)
    (warning,) = directory.replace_document([ANN], [file], parse=parse)
    assert str(file) in warning


def test_the_store_adds_what_the_document_does_not_name(directory: Directory) -> None:
    directory.replace_document([ANN], [], parse=parse)
    directory.put(BOB)
    assert directory.find(What.CONSUMER, "bob") == Found(BOB, Origin.STORE)
    assert directory.credential("k3") == (BOB.credentials[0], BOB.consumer)
    holds(directory, "ann", "bob")


def test_consumers_are_counted_by_where_they_come_from(directory: Directory) -> None:
    assert directory.counts() == (0, 0)
    directory.replace_document([ANN, BOB], [], parse=parse)
    directory.put(source("eve"))
    assert directory.counts() == (2, 1)
    directory.put(source("eve", "eve-key"))
    directory.put(source("mal"))
    assert directory.counts() == (2, 2)
    directory.remove("eve")
    directory.replace_document([ANN], [], parse=parse)
    assert directory.counts() == (1, 1)


def test_a_consumer_of_the_store_is_changed_and_removed(directory: Directory) -> None:
    directory.put(source("bob", "k3", "k4"))
    directory.put(source("bob", "k4", "k5"))
    assert directory.credential("k3") is None
    assert directory.names(What.CREDENTIAL) == ("k4", "k5")
    directory.remove("bob")
    directory.remove("bob")
    holds(directory)
    assert directory.credential("k4") is None


@pytest.mark.parametrize(
    ("other", "told"),
    [
        (source("ann"), "consumer 'ann' belongs to the document's consumer 'ann'"),
        (source("eve", "k1"), "credential 'k1' belongs to the document's consumer 'ann'"),
        (source("eve", external_id="x-1"), "external id 'x-1' belongs to the document's consumer 'ann'"),
        (source("eve", "k3"), "credential 'k3' belongs to the consumer 'bob'"),
    ],
)
def test_the_store_cannot_have_what_is_somebody_elses(directory: Directory, other: object, told: str) -> None:
    directory.replace_document([ANN], [], parse=parse)
    directory.put(BOB)
    for change in (directory.check, directory.put):
        with pytest.raises(StoreConflict, match=told):
            change(other)
    holds(directory, "ann", "bob")
    assert directory.find(What.CREDENTIAL, "k3") == Found(BOB, Origin.STORE)


def test_a_credential_name_stands_once_in_a_consumer(directory: Directory) -> None:
    with pytest.raises(StoreConflict, match="credential 'k' stands twice"):
        directory.put(source("bob", "k", "k"))


def test_a_consumer_may_keep_its_own_names(directory: Directory) -> None:
    directory.put(BOB)
    directory.check(BOB)


def test_where_both_know_a_name_the_document_is_right(directory: Directory) -> None:
    directory.put(source("ann", "old", external_id="x-old"))
    directory.put(source("bob", "k1", "k3"))
    directory.replace_document([ANN], [], parse=parse)
    assert directory.find(What.CONSUMER, "ann") == Found(ANN, Origin.DOCUMENT)
    assert directory.credential("k1") == (ANN.credentials[0], ANN.consumer)
    assert directory.credential("k3") is not None
    assert directory.credential("old") is None
    assert directory.consumer(EVERY, "x-old") is None
    directory.replace_document([], [], parse=parse)
    assert directory.find(What.CREDENTIAL, "k1") == Found(source("bob", "k1", "k3"), Origin.STORE)
    assert directory.credential("old") is not None


def test_names_of_both_are_listed_together_a_page_at_a_time(directory: Directory) -> None:
    directory.replace_document([source("a"), source("c"), source("e")], [], parse=parse)
    directory.put(source("b"))
    directory.put(source("d"))
    assert directory.names(What.CONSUMER, limit=3) == ("a", "b", "c")
    assert directory.names(What.CONSUMER, after="c", limit=3) == ("d", "e")
    assert directory.names(What.CONSUMER, contains="d") == ("d",)


def test_the_registry_is_followed_change_by_change(directory: Directory) -> None:
    held = registry()
    keep(held, "ann", "k1")
    keep(held, "bob", "k2")
    assert directory.follow(held, parse) == ()
    holds(directory, "ann", "bob")
    keep(held, "bob", "k3")
    held.delete(Kind.CONSUMER, "ann", over=None, who="op")
    held.put(Kind.REVOCATION, "cid", {}, over=0, who="op")
    assert directory.follow(held, parse) == ()
    holds(directory, "bob")
    assert directory.names(What.CREDENTIAL) == ("k3",)
    assert directory.follow(held, parse) == ()


def test_a_credential_that_moved_is_where_it_went(directory: Directory) -> None:
    held = registry()
    keep(held, "ann", "k1")
    keep(held, "bob")
    directory.follow(held, parse)
    keep(held, "bob", "k2")
    for number in range(1_500):
        keep(held, f"n{number}")
    keep(held, "ann")
    keep(held, "bob", "k1")
    directory.follow(held, parse)
    assert directory.credential("k1") == (source("bob", "k1").credentials[0], source("bob", "k1").consumer)


def test_only_what_changed_is_read_again(directory: Directory) -> None:
    held, read = registry(), []

    def noting(members):
        read.append(members["name"])
        return parse(members)

    for name in ("ann", "bob", "cid"):
        keep(held, name)
    directory.follow(held, noting)
    keep(held, "bob", "k1")
    directory.follow(held, noting)
    directory.follow(held, noting)
    assert read == ["ann", "bob", "cid", "bob"]


def test_another_registry_is_read_from_the_start(directory: Directory) -> None:
    first, second = registry(), registry()
    keep(first, "ann")
    keep(first, "bob")
    directory.follow(first, parse)
    for name in ("cid", "dan", "eve"):
        keep(second, name)
    directory.follow(second, parse)
    holds(directory, "cid", "dan", "eve")
    directory.follow(registry(), parse)
    holds(directory)


def test_a_consumer_of_the_store_that_is_no_good_is_told_and_passed_over(directory: Directory) -> None:
    held = registry()
    keep(held, "ann")
    held.put(Kind.CONSUMER, "bob", {"wrong": 1}, over=0, who="op")
    assert directory.follow(held, parse) == ("The consumer 'bob' of the store: wrong is unknown.",)
    holds(directory, "ann")
    held.put(Kind.CONSUMER, "ann", {"wrong": 1}, over=1, who="op")
    assert directory.follow(held, parse) == ("The consumer 'ann' of the store: wrong is unknown.",)
    holds(directory)


def test_any_thread_may_ask_while_the_document_changes(directory: Directory) -> None:
    directory.replace_document([ANN], [], parse=parse)
    documents = [[ANN], [ANN, BOB]] * 10
    with ThreadPoolExecutor(4) as threads:
        changed = threads.submit(lambda: [directory.replace_document(each, [], parse=parse) for each in documents])
        while not changed.done():
            assert all(threads.map(directory.credential, ["k1"] * 20))
        changed.result()


def test_a_closed_directory_is_a_fault_and_no_answer(directory: Directory) -> None:
    directory.replace_document([ANN], [], parse=parse)
    directory.close()
    with pytest.raises(StoreFailed):
        directory.credential("nobody")


# What is kept elsewhere.


class Elsewhere:
    """What references lead to, and how often it was asked."""

    def __init__(self, **held: str) -> None:
        self.held = held
        self.asked = 0

    def resolve(self, text: str) -> str:
        self.asked += 1
        if text not in self.held:
            raise ConfigError(f"The reference {text} leads nowhere.")
        return self.held[text]


def referring(name: str, text: str, *, is_api_key: bool = False) -> ConsumerSource:
    credential = CredentialSource("main", "c", name, "HS256", KeyText(text="k"), refers=text, is_api_key=is_api_key)
    return ConsumerSource(Consumer(name, f"id-of-{name}"), (credential,))


def owner(directory: Directory, name: str, kept: Elsewhere) -> str | None:
    held = directory.credential(name, kept.resolve)
    return None if held is None else held[1].name


def test_a_credential_is_found_by_the_name_tokens_give_it_and_not_by_its_own(directory: Directory) -> None:
    named = CredentialSource("main", "c", "ann", "HS256", KeyText(text="k"), named="ann-key")
    directory.replace_document([ConsumerSource(Consumer("ann", "1"), (named,))], [], parse=parse)
    assert directory.credential("ann-key") == (named, Consumer("ann", "1"))
    assert directory.credential("main") is None


def test_an_api_key_is_found_by_its_name_and_is_no_name_of_a_credential(directory: Directory) -> None:
    key = CredentialSource("main", "c", "ann", "", named=api_key_name("swordfish"), is_api_key=True)
    directory.put(ConsumerSource(Consumer("ann", "1"), (key, source("ann", "ann-key").credentials[0])))
    assert directory.credential(api_key_name("swordfish")) == (key, Consumer("ann", "1"))
    assert directory.credential("swordfish") is None
    assert directory.names(What.CREDENTIAL) == ("ann-key",)
    other = CredentialSource("other", "c", "bob", "", named=api_key_name("swordfish"), is_api_key=True)
    with pytest.raises(StoreConflict, match=r"API key \(not shown\) belongs to the consumer 'ann'"):
        directory.put(ConsumerSource(Consumer("bob", "2"), (other,)))


def test_no_error_tells_the_digest_of_an_api_key(directory: Directory) -> None:
    first, second = (
        CredentialSource(name, "c", "bob", "", named=api_key_name("swordfish"), is_api_key=True) for name in "ab"
    )
    with pytest.raises(StoreConflict, match=r": API key \(not shown\) stands twice\.$"):
        directory.put(ConsumerSource(Consumer("bob", "2"), (first, second)))
    both = [ConsumerSource(Consumer(name, name), (first,)) for name in ("ann", "bob")]
    with pytest.raises(ConfigError, match=r"The API key \(not shown\) stands in .* and in [^0-9]*$"):
        directory.replace_document(both, [], parse=parse)


def test_a_name_that_is_kept_elsewhere_is_found_there(directory: Directory) -> None:
    kept = Elsewhere(A="ann-key", B="bob-key", C="swordfish")
    directory.replace_document([referring("ann", "A")], [], parse=parse)
    directory.put(referring("bob", "B"))
    directory.put(referring("eve", "C", is_api_key=True))
    assert directory.referred() == ("A", "B", "C")
    assert [owner(directory, name, kept) for name in ("ann-key", "bob-key", "swordfish", "A", "main")] == [
        "ann",
        "bob",
        None,
        None,
        None,
    ]
    assert owner(directory, api_key_name("swordfish"), kept) == "eve"
    assert directory.credential("ann-key") is None


def test_what_is_waited_for_is_found_when_it_is_tried_again(directory: Directory) -> None:
    kept = Elsewhere()
    directory.put(referring("bob", "B"))
    assert directory.waiting == ()
    assert owner(directory, "bob-key", kept) is None
    assert directory.waiting == ("B",)
    kept.held["B"] = "bob-key"
    assert directory.try_waiting(kept.resolve)
    assert not directory.try_waiting(kept.resolve)
    assert owner(directory, "bob-key", kept) == "bob"
    assert directory.waiting == ()


def test_a_change_takes_effect_on_what_is_kept_elsewhere(directory: Directory) -> None:
    kept = Elsewhere(A="ann-key", B="bob-key")
    assert owner(directory, "bob-key", kept) is None
    directory.put(referring("bob", "B"))
    assert owner(directory, "bob-key", kept) == "bob"
    directory.put(referring("bob", "A"))
    assert [owner(directory, name, kept) for name in ("bob-key", "ann-key")] == [None, "bob"]
    directory.replace_document([referring("bob", "B")], [], parse=parse)
    assert [owner(directory, name, kept) for name in ("bob-key", "ann-key")] == ["bob", None]
    directory.remove("bob")
    assert owner(directory, "bob-key", kept) == "bob"
    directory.replace_document([], [], parse=parse)
    assert owner(directory, "bob-key", kept) is None
    kept.held["C"] = "cat-key"
    directory.put(referring("cat", "C"))
    assert owner(directory, "cat-key", kept) == "cat"
    kept.held["C"] = "new-key"
    directory.forget_referred()
    assert [owner(directory, name, kept) for name in ("cat-key", "new-key")] == [None, "cat"]


def test_a_name_that_is_written_down_stands_before_one_that_is_kept_elsewhere(directory: Directory) -> None:
    kept = Elsewhere(B="k3")
    directory.put(referring("eve", "B"))
    directory.put(BOB)
    assert owner(directory, "k3", kept) == "bob"


def test_names_that_are_kept_elsewhere_are_resolved_once_however_many_ask(directory: Directory) -> None:
    kept = Elsewhere(A="ann-key")
    directory.put(referring("ann", "A"))
    for _ in range(50):
        assert owner(directory, "ann-key", kept) == "ann"
        assert owner(directory, "nobody", kept) is None
    assert kept.asked == 1


def test_a_consumer_whose_credentials_refer_may_stand_once_only(directory: Directory, file: Path) -> None:
    with pytest.raises(ConfigError) as refused:
        directory.replace_document([referring("ann", "A"), referring("ann", "A")], [], parse=parse)
    assert refused.value.problems == ("The consumer 'ann' stands in the document and in the document.",)


def test_names_kept_elsewhere_are_known_of_what_is_followed_and_of_what_is_opened_again(tmp_path: Path) -> None:
    def parse_referring(members: Mapping[str, JSON]) -> ConsumerSource:
        return referring(str(members["name"]), str(members["refers"]))

    kept, held = Elsewhere(A="ann-key", B="bob-key"), registry()
    held.put(Kind.CONSUMER, "ann", {"refers": "A"}, over=None, who="op")
    with closing(Directory.open(tmp_path, sealer=None)) as directory:
        assert owner(directory, "ann-key", kept) is None
        directory.follow(held, parse_referring)
        assert owner(directory, "ann-key", kept) == "ann"
        held.put(Kind.CONSUMER, "bob", {"refers": "B"}, over=None, who="op")
        directory.follow(held, parse_referring)
        assert owner(directory, "bob-key", kept) == "bob"
    with closing(Directory.open(tmp_path, sealer=None)) as directory:
        assert directory.referred() == ("A", "B")
        assert owner(directory, "bob-key", kept) == "bob"
