"""What nobody may learn from a refusal, from a line of the log, or from a label (SEC-140, SEC-144, SEC-145)."""

from __future__ import annotations

import json
import re

from prometheus_client.parser import text_string_to_metric_families
from tests.integration.rig import Message

from jwtgate.errors import CATALOGUE

_FIELDS = {"date", "content-length", "content-type", "cache-control", "x-request-id", "connection"}
_FIELDS_OF_SOME = {"www-authenticate", "retry-after", "allow"}
_VALUES = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "connection": "close",
    "www-authenticate": r'Bearer realm="[a-z]+"(, error="[a-z_]+", error_description="[^"]+")?',
    "retry-after": "[0-9]{1,3}",
}
_SENTENCES = {reason.sentence for reason in CATALOGUE.values()}
_CODES = {*CATALOGUE, *(reason.oauth_error or "" for reason in CATALOGUE.values())}
_CODES |= {"invalid_request", "invalid_token", "insufficient_scope"}
_MOST_CHARACTERS_OF_A_LINE = 4096


def check_refusal(answer: Message) -> None:
    """A refusal holds its code, its fixed sentence and its id, and nothing of what was asked or of how we work."""
    body = json.loads(answer.body)
    assert set(body) == {"error", "message", "request_id"}
    assert (body["error"] in _CODES, body["message"] in _SENTENCES) == (True, True), body
    assert re.fullmatch("[0-9a-f]{16}", body["request_id"])
    names = {name.decode().lower() for name, _ in answer.fields}
    assert names - {"connection"} - _FIELDS_OF_SOME == _FIELDS - {"connection"}
    for name, form in _VALUES.items():
        assert all(re.fullmatch(form, value) for value in answer.values(name)), answer.raw_head


def check_log(raw: bytes) -> None:
    """Every line is one object of short printable ASCII, whatever clients have written."""
    assert raw.isascii()
    assert re.search(rb"[\x00-\x09\x0b-\x1f\x7f]", raw) is None
    for line in raw.splitlines():
        assert len(line) <= _MOST_CHARACTERS_OF_A_LINE
        assert json.loads(line)["reason"] in {"", "client_gone", "client_slow", *CATALOGUE}


def check_labels(metrics: str, *, routes: set[str]) -> None:
    """No label of the metrics holds anything a client has written."""
    known = {"reason": {"", "client_gone", "client_slow", *CATALOGUE}, "route": {"", *routes}}
    for family in text_string_to_metric_families(metrics):
        for sample in family.samples:
            for label, value in sample.labels.items():
                assert value in known.get(label, {value}), sample
                assert re.fullmatch(r"[A-Za-z0-9_.:+-]{0,40}", value), sample
                assert label != "status" or value in {str(status) for status in range(100, 600)}, sample
