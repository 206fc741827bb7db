from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tests.unit.dialects.kong.kong_yml import SETTINGS, objects

from jwtgate.dialects.dialect import Meaning
from jwtgate.dialects.kong.translation.draft import Draft

HELD = {"certificates": {"c-1": {"id": "c-1", "cert": "CERT", "key": "KEY"}}}


def test_a_certificate_becomes_two_files_only_we_may_read(tmp_path: Path) -> None:
    draft = Draft(HELD, replace(SETTINGS, state_folder=tmp_path))
    files = draft.client_certificate({"id": "c-1"}, "place")
    assert {name: Path(path).read_text() for name, path in files.items()} == {
        "client_certificate": "CERT",
        "client_key": "KEY",
    }
    assert {Path(path).stat().st_mode & 0o777 for path in files.values()} == {0o600}
    assert draft.client_certificate({"id": "c-1"}, "place") == files
    assert not any(each.meaning is Meaning.REFUSED for each in draft.notes.notes())


def test_a_certificate_that_is_not_there_is_refused() -> None:
    draft = Draft(HELD, SETTINGS)
    assert draft.client_certificate(None, "place") == {}
    assert draft.client_certificate({"id": "gone"}, "place") == {}
    assert [each.place for each in draft.notes.notes() if each.meaning is Meaning.REFUSED] == ["place"]


def test_plain_http_elsewhere_is_told() -> None:
    draft = Draft({}, SETTINGS)
    for near in ("https://a.b", "http://127.0.0.1:1", "http://[::1]", "http://localhost", "http://x.localhost:1"):
        assert draft.reached(near, "near") == {}
    assert draft.reached("http://10.0.0.1", "three") == {"insecure_http": True}
    assert draft.reached("http://a.b", "three") == {"insecure_http": True}
    assert [(each.place, each.dangerous) for each in draft.notes.notes()] == [("three", True)]


def test_certificates_to_trust_are_those_kong_was_told() -> None:
    draft = Draft({}, replace(SETTINGS, trusted="/ca.pem"))
    assert draft.reached("https://a.b", "one") == {"ca_file": "/ca.pem"}


def test_a_consumer_may_be_meant_by_name_or_id_before_it_is_known() -> None:
    draft = Draft(objects({"consumers": [{"username": "jack"}, {"username": "a b"}]}), SETTINGS)
    (jack, blank) = draft.held("consumers")
    assert draft.consumer("jack") == draft.consumer(jack) == "jack"
    assert draft.consumer("a b") == blank
    assert draft.consumer("later") == "later"
    assert draft.consumer(None) is draft.consumer("") is None
