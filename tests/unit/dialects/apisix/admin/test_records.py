from __future__ import annotations

import pytest

from jwtgate.dialects.apisix.admin.records import Record, record_of
from jwtgate.errors import ConfigError

JACK = {"username": "jack", "plugins": {"jwt-auth": {"key": "k", "secret": "s" * 32}}}
CREDENTIAL = {"id": "c", "plugins": {"key-auth": {"key": "a"}}}


def record() -> Record:
    return Record(JACK).with_consumer(JACK, 5).with_credential("c", CREDENTIAL, 6)


def test_a_record_is_kept_with_the_consumer_it_becomes() -> None:
    caller = record().caller({})
    assert (caller.name, record_of(caller.value)) == ("jack", record())
    assert set(caller.value["credentials"]) == {"jwt-auth", "key-auth/c"}


def test_a_consumer_nobody_wrote_here_has_no_record() -> None:
    assert record_of(None) is None
    assert record_of({"labels": {}}) is None


def test_a_consumer_and_its_credentials_know_when_they_changed() -> None:
    changed = record().with_consumer({**JACK, "desc": "x"}, 8)
    entry, credential = changed.entry(), changed.credential("c")
    assert (entry.key, entry.created, entry.modified) == ("/apisix/consumers/jack", 5, 8)
    assert (credential.key, credential.created) == ("/apisix/consumers/jack/credentials/c", 6)
    assert changed.with_credential("c", CREDENTIAL, 9).credential("c").modified == 9


def test_a_credential_that_is_gone_leaves_nothing() -> None:
    left = record().without_credential("c")
    assert (left.credentials, left.marks) == ({}, {"": {"created": 5, "modified": 5}})
    assert [identity for identity, _ in record().plugins()] == [None, "c"]


def test_a_consumer_whose_settings_mean_nothing_here_is_refused() -> None:
    with pytest.raises(ConfigError, match="consumers/jack/plugins/public-api"):
        Record({"username": "jack", "plugins": {"public-api": {}}}).caller({})
