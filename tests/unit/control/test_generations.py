"""A document becomes a generation or a list of sentences, and no worker is sent more of it than it needs."""

import asyncio
import json
from pathlib import Path

import pytest

from jwtgate.control.built import Built, sent_keys
from jwtgate.control.documents import Text
from jwtgate.control.generations import Generations
from jwtgate.control.workers.link import encode
from jwtgate.control.workers.messages import KeysChanged
from jwtgate.errors import ConfigError
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.jose.sealing import is_sealed
from jwtgate.state.file_marks import mark_of
from jwtgate.state.keys.keyring import Given
from jwtgate.state.stores.registry import Kind
from jwtgate.state.stores.store import MemoryStore

from .samples import DOCUMENT, SECRET, built, generations, write_certificate


def test_generations_are_numbered_one_after_the_other() -> None:
    by = generations()
    assert [built(by=by).number for _ in range(3)] == [1, 2, 3]


def test_rel_53_a_missing_secret_is_a_sentence_that_names_the_reference() -> None:
    with pytest.raises(ConfigError, match="NO_SUCH"):
        built(DOCUMENT.replace("TEST_SECRET", "NO_SUCH"))


def test_a_document_with_mistakes_takes_no_number() -> None:
    by = generations()
    with pytest.raises(ConfigError):
        built(DOCUMENT + "\nunknown: 1\n", by=by)
    assert built(by=by).number == 1


def test_a_worker_is_sent_the_key_sets_and_not_where_they_come_from() -> None:
    document = DOCUMENT.replace("${env:TEST_SECRET}", SECRET)
    sent = built(document).prepare()
    assert sent.plan.sources.keys == {}
    assert SECRET.encode() not in encode(sent.plan)
    assert [dict(key.jwk)["kty"] for key in sent.key_sets["main"].keys] == ["oct"]


def test_sec_35_no_key_is_shown_by_what_is_sent() -> None:
    sent = built().prepare()
    secrets = [str(key.jwk[name]) for keys in sent.key_sets.values() for key in keys.keys for name in ("k",)]
    secrets += [str(key.jwk["d"]) for signer in sent.signing.signers.values() for key in (signer.key,)]
    assert len(secrets) == 2
    for shown in (repr(sent), repr(sent.signing), repr(KeysChanged(1, "main", sent.key_sets["main"]))):
        assert not [secret for secret in secrets if secret in shown]


def test_sec_150_a_master_key_seals_the_keys_in_the_store_and_is_sent_to_nobody() -> None:
    store = MemoryStore()
    document = DOCUMENT.replace("signing: {", "signing: {master_key: '${env:TEST_SECRET}', ")
    sent = built(document, by=generations(store=store)).prepare()
    record = store.read("keyring/default")
    assert record is not None
    assert b"jwk" not in record.value
    assert sent.plan.sources.master_key is None
    with pytest.raises(ConfigError, match="master key"):
        built(by=generations(store=store))


def test_of_an_issuer_s_pairs_only_the_public_halves_are_sent() -> None:
    private = generate_key("ES256")
    (sent,) = sent_keys(KeySet([private.public()])).keys
    assert dict(sent.jwk) == private.to_jwk()


def test_the_secret_of_a_mac_is_sent_whole() -> None:
    (sent,) = sent_keys(KeySet([Key.secret(SECRET.encode(), alg="HS256", kid="k")])).keys
    assert {name: sent.jwk[name] for name in ("kty", "alg", "kid")} == {"kty": "oct", "alg": "HS256", "kid": "k"}


def test_our_documents_name_our_keys_and_where_they_are() -> None:
    sent = built().prepare()
    (published,) = json.loads(sent.signing.keys_document)["keys"]
    (signer,) = sent.signing.signers.values()
    assert (published["kid"], signer.alg) == (signer.key.jwk["kid"], "ES256")
    assert "d" not in published
    assert sent.metadata_document is not None
    assert json.loads(sent.metadata_document)["jwks_uri"] == "https://gate.example/.well-known/jwks.json"


@pytest.mark.parametrize(
    "document",
    [
        DOCUMENT.replace("https://gate.example", "gate"),
        DOCUMENT + "\nown: {keys: null}\n",
    ],
)
def test_without_an_address_for_our_keys_there_is_no_metadata(document: str) -> None:
    assert built(document).prepare().metadata_document is None


ES384 = DOCUMENT.replace("signing: {", "signing: {keys: {default: {alg: ES384}}, ")


def test_keys_stay_published_as_long_as_a_token_of_any_route_may_be_accepted() -> None:
    by = generations()
    built(by=by)
    old, new = built(ES384, by=by).keyring.keys("default")
    assert old.retiring_from == new.active_from
    assert old.retired_from is not None
    assert old.retired_from >= new.active_from + 600 + 300


def test_a_certificate_that_cannot_be_used_is_a_sentence_with_its_listener(tmp_path: Path) -> None:
    tls = "{address: '127.0.0.1:0', tls: {certificate: %s, private_key: %s}}"
    garbage = tmp_path / "garbage.pem"
    garbage.write_text("garbage")
    with pytest.raises(ConfigError, match="its certificate cannot be used"):
        built(DOCUMENT.replace('"127.0.0.1:0"', tls % (garbage, garbage)))


def test_a_renewed_certificate_is_told_from_the_one_before(tmp_path: Path) -> None:
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    document = DOCUMENT.replace(
        '"127.0.0.1:0"', f"{{address: '127.0.0.1:0', tls: {{certificate: {certificate}, private_key: {key}}}}}"
    )
    write_certificate(certificate, key)
    first, again = built(document), built(document)
    certificate.unlink()
    write_certificate(certificate, key)
    assert first.files == again.files
    assert {certificate, key} <= first.files.keys()
    assert built(document).files != first.files


URL_KEYS = DOCUMENT.replace(
    'signing: {issuer: "https://gate.example"}',
    'signing: {issuer: "https://gate.example", keys: {default: {url: "http://127.0.0.1:9/keys", alg: ES256}}}',
)


def test_rel_83_keys_of_somebody_else_s_are_held_while_their_address_is_away() -> None:
    by = generations()

    async def signs(after: Built | None) -> Built:
        made = await by.build(Text("jwtgate.yaml", URL_KEYS.encode()), after=after)
        await made.close()
        return made

    first = asyncio.run(signs(None))
    assert first.keyring.signers() == {}
    key = generate_key("ES256", kid="theirs")
    first.keyring.take(first.plan.signing["default"], Given((key,)))
    assert asyncio.run(signs(first)).keyring.signers()["default"].key.kid == "theirs"


SEALED = DOCUMENT.replace("signing: {", "signing: {master_key: '${env:TEST_SECRET}', ")
SEALED_OTHERWISE = SEALED.replace("${env:TEST_SECRET}", "another master key, of the tests only")


@pytest.mark.parametrize(
    ("former", "later"), [(DOCUMENT, SEALED), (SEALED, DOCUMENT), (SEALED, SEALED_OTHERWISE), (SEALED, SEALED)]
)
def test_sec_150_another_master_key_needs_a_restart(former: str, later: str) -> None:
    store = MemoryStore()
    by = generations(store=store)
    after = built(former, by=by)
    record = store.read("keyring/default")

    async def build() -> None:
        made = await by.build(Text("jwtgate.yaml", later.encode()), after=after)
        await made.close()

    if former == later:
        asyncio.run(build())
    else:
        with pytest.raises(ConfigError, match="needs a restart"):
            asyncio.run(build())
    assert store.read("keyring/default") == record


def test_sec_150_a_start_with_the_copy_of_a_broken_document_seals_with_the_key_of_the_copy() -> None:
    store = MemoryStore()
    by = generations(store=store)
    with pytest.raises(ConfigError):
        built(DOCUMENT + "\nunknown: 1\n", by=by)
    registry = built(SEALED, by=by).callers.registry
    registry.put(Kind.CONSUMER, "ann", {}, over=None, who="alice")
    (name,) = store.names("resource/")
    record = store.read(name)
    assert record is not None
    assert is_sealed(record.value)


def test_a_generation_says_which_files_it_was_made_from(tmp_path: Path) -> None:
    for name, content in (("key", SECRET), ("roles.json", '{"a": "b"}'), ("implied.json", "{}"), ("people.jsonl", "")):
        (tmp_path / name).write_text(content)
    document = DOCUMENT.replace("${env:TEST_SECRET}", "${file:key}").replace(
        "audience: orders\n",
        "audience: orders\n    permissions: {roles_claim: r, roles_file: roles.json, implied_file: implied.json}\n",
        1,
    )
    maker = Generations(tmp_path, store=MemoryStore(), saved=None, environ={}, changed=lambda _: None)
    made = built(document + "consumer_files: [people.jsonl]\n", by=maker)
    assert made.files == {path: mark_of(path) for path in tmp_path.iterdir()}
    assert len(made.files) == 4


def test_rel_7_a_copy_does_with_the_consumers_of_the_last_time_and_with_none_it_does_not(tmp_path: Path) -> None:
    people = tmp_path / "people.jsonl"
    people.write_text(json.dumps({"name": "ann", "credentials": {"k": {"alg": "HS256", "secret": SECRET}}}) + "\n")
    document = f"{DOCUMENT}\nconsumer_files: [{people}]\n"

    def copied(by: Generations) -> Built:
        async def build() -> Built:
            made = await by.build(Text("jwtgate.yaml", document.encode(), is_copy=True), after=None)
            await made.close()
            return made

        return asyncio.run(build())

    by = generations()
    first = built(document, by=by)
    assert first.staged is not None
    first.callers.adopt(first.staged)
    people.unlink()
    with pytest.raises(ConfigError, match="people"):
        built(document, by=by)
    assert copied(by).staged is None
    with pytest.raises(ConfigError, match="people"):
        copied(generations())
