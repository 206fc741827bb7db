from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.unit.dialects.wso2.objects import APP, PLACES, objects, settings

from jwtgate.dialects.dialect import Meaning, Translation
from jwtgate.dialects.wso2.translation.document import translated
from jwtgate.dialects.wso2.translation.keys import completed


def made(folder: Path, **options: Any) -> Translation:
    held = completed(objects(options=options, applications=[APP], apis=[PLACES]))
    return translated(held, settings(folder))


def test_a_whole_document(tmp_path: Path) -> None:
    document = made(tmp_path).document
    assert document["listen"] == ["127.0.0.1:0"]
    assert document["own"] == {"keys": "/jwks", "metadata": None}
    assert document["issuers"].keys() == {"known-tokens"}
    assert all(route["realm"] == "WSO2 API Manager" for route in document["routes"].values())
    shown = document["routes"]["jwks:carbon.super"]
    assert shown["path"] == "/t/carbon.super/jwks"
    assert shown["respond"]["json"]["constant"]["keys"][0]["alg"] == "RS256"


def test_keys_may_stay_unpublished(tmp_path: Path) -> None:
    document = made(tmp_path, enable_jwks_api=False).document
    assert document["own"]["keys"] is None
    assert "jwks:carbon.super" not in document["routes"]


def test_sec_38_without_its_word_an_unsigned_token_is_refused_and_nothing_forwarded(tmp_path: Path) -> None:
    found = made(tmp_path, signing_algorithm="NONE")
    (refused,) = [note for note in found.notes if note.meaning is Meaning.REFUSED]
    assert "unsigned_tokens_trusted_by_legacy_backend" in refused.sentence
    for name in ("/p", "/p/1"):
        route = found.document["routes"][name]
        assert route["respond"] == {"status": 503}
        assert route.keys().isdisjoint({"issue", "upstream", "rewrite"})
    allowed = made(tmp_path, signing_algorithm="NONE", unsigned_tokens_trusted_by_legacy_backend=True)
    assert all(note.meaning is not Meaning.REFUSED for note in allowed.notes)
    assert [note.sentence for note in allowed.notes if note.dangerous] == [
        "Whoever reaches the backend can make the tokens it trusts."
    ]
    assert allowed.document["routes"]["/p"]["issue"][0]["unsigned_with_alg_for_legacy_upstream"] == "none"


def test_switched_off_nothing_is_issued(tmp_path: Path) -> None:
    found = made(tmp_path, enable=False, signing_algorithm="NONE")
    assert all("issue" not in route for route in found.document["routes"].values())
    assert all(note.meaning is not Meaning.REFUSED for note in found.notes)


def test_every_option_has_a_note(tmp_path: Path) -> None:
    places = " ".join(note.place for note in made(tmp_path, header="X-A", clock_skew=7).notes)
    assert "header" in places
    assert "clock_skew" in places
