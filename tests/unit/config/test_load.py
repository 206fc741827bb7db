"""From bytes to a document: references, and nothing but `ConfigError`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from jwtgate.config.compile.document import compile_document
from jwtgate.config.dangers import dangers
from jwtgate.config.load import load_document
from jwtgate.config.sections.document import Document
from jwtgate.errors import ConfigError

QUICKSTART = Path(__file__).parents[3] / "examples" / "quickstart.yaml"
KNOWN = {"${env:HOST}": "127.0.0.1:9", "${env:LOOP}": "${env:HOST}", "$${x}": "${x}"}


def resolve(text: str) -> str:
    if text not in KNOWN:
        raise ConfigError(f"{text} is not set")
    return KNOWN[text]


def load(text: str) -> Document:
    return load_document(text.encode(), name="gate.yaml", folder=Path("/etc"), resolve=resolve)


GOOD = """\
listen: ${env:HOST}
issuers:
  main: {issuer: https://a.example, algorithms: HS256, audience: a, keys: {secret: "${env:SECRET}"}}
upstreams: {echo: {targets: "http://127.0.0.1:1"}}
routes:
  one: {path: /one, auth: none, upstream: echo, headers: {X-A: "$${x}", X-B: "${env:LOOP}"}}
"""


def test_the_quick_start_loads() -> None:
    data = QUICKSTART.read_bytes()
    document = load_document(data, name="quickstart.yaml", folder=QUICKSTART.parent, resolve=resolve)
    assert dangers(document) == ()
    assert compile_document(document).routes[0].name == "orders"


def test_references_are_resolved_once_and_those_of_secrets_are_kept() -> None:
    document = load(GOOD)
    assert document.listen[0].address == "127.0.0.1:9"
    assert document.routes["one"].headers["X-A"].constant == "${x}"
    assert document.routes["one"].headers["X-B"].constant == "${env:HOST}"
    keys = document.issuers["main"].keys
    assert keys is not None
    assert keys.secret == "${env:SECRET}"


@pytest.mark.parametrize("keys", ["{pem: '${file:a}'}", "{jwks: {keys: [{kty: oct, k: '${env:K}'}]}}"])
def test_sec_149_secret_references_stay_references(keys: str) -> None:
    text = GOOD.replace('{secret: "${env:SECRET}"}', keys).replace("HS256", "RS256")
    assert "${" in repr(load(text).issuers["main"].keys)


def test_sec_149_an_unresolved_reference_is_a_mistake_beside_the_others() -> None:
    with pytest.raises(ConfigError) as error:
        load(GOOD.replace("${env:HOST}", "${env:NONE}").replace("auth: none", "auth: nobody"))
    assert error.value.problems == (
        "gate.yaml:1: listen: ${env:NONE} is not set",
        "gate.yaml:1: listen: must be written host:port, such as 127.0.0.1:8080 or [::]:8080 (not '${env:NONE}')",
        "gate.yaml:6: routes.one.auth: must be 'required', 'optional' or 'none' (not 'nobody')",
    )


def test_sec_149_an_unresolved_reference_alone_is_a_mistake() -> None:
    with pytest.raises(ConfigError) as error:
        load(GOOD.replace("${env:LOOP}", "${env:NONE}"))
    assert error.value.problems == ("gate.yaml:6: routes.one.headers.X-B: ${env:NONE} is not set",)


def test_a_resolved_value_is_never_quoted() -> None:
    with pytest.raises(ConfigError) as error:
        load(GOOD.replace("auth: none", "auth: '${env:HOST}'"))
    assert "127.0.0.1:9" not in str(error.value)


def test_the_same_document_in_three_kinds_of_text_is_one() -> None:
    data: dict[str, Any] = {
        "listen": "127.0.0.1:1",
        "upstreams": {"echo": {"targets": ["http://127.0.0.1:1"], "connect_seconds": 1.5}},
        "routes": {"one": {"path": "/one", "auth": "none", "upstream": "echo"}},
    }
    toml = (
        'listen = "127.0.0.1:1"\n[upstreams.echo]\ntargets = ["http://127.0.0.1:1"]\nconnect_seconds = 1.5\n'
        '[routes.one]\npath = "/one"\nauth = "none"\nupstream = "echo"\n'
    )
    texts = {"a.json": json.dumps(data), "a.yaml": json.dumps(data, indent=1), "a.toml": toml}
    loaded = [
        load_document(text.encode(), name=name, folder=Path("/"), resolve=resolve) for name, text in texts.items()
    ]
    assert loaded[0] == loaded[1] == loaded[2]


_WORDS = (
    "listen issuers routes upstreams signing path auth from issue copy headers scope claims keys jwks secret main "
    "claim add set slots audience algorithms targets [key] x"
)
_KEYS = st.sampled_from(_WORDS.split()) | st.text(max_size=5)
_LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text(max_size=8)
    | st.sampled_from(
        [
            "bearer",
            "required",
            "all",
            "any",
            "main",
            "RS256",
            "HS256",
            "/a",
            "127.0.0.1:1",
            "http://a",
            "${env:A}",
            "\ud800",
        ]
    )
)
_JSON_LIKE = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=4)
)


@settings(max_examples=300)
@given(_JSON_LIKE | st.dictionaries(_KEYS, _JSON_LIKE, max_size=6))
def test_any_data_gives_a_document_or_a_config_error(data: object) -> None:
    _load_or_refuse(data)


@settings(max_examples=300)
@given(
    st.sampled_from(["issuers/main", "routes/one", "routes/one/issue", "upstreams/echo", "signing", "own"]),
    _KEYS,
    _JSON_LIKE,
)
def test_any_data_in_a_good_document_gives_a_document_or_a_config_error(place: str, key: str, value: object) -> None:
    data: dict[str, Any] = {
        "listen": "127.0.0.1:1",
        "issuers": {"main": {"issuer": "https://a", "algorithms": "RS256", "audience": "a"}},
        "signing": {"issuer": "https://b"},
        "upstreams": {"echo": {"targets": ["http://127.0.0.1:1"]}},
        "routes": {"one": {"path": "/one", "auth": "required", "issuers": "main", "upstream": "echo"}},
    }
    data["routes"]["one"]["issue"] = {"audience": "a"}
    holder: Any = data
    for step in place.split("/"):
        holder = holder.setdefault(step, {})
    holder[key] = value
    _load_or_refuse(data)


def _load_or_refuse(data: object) -> None:
    text = json.dumps(data).encode()
    try:
        document = load_document(text, name="gate.json", folder=Path("/"), resolve=resolve)
    except ConfigError:
        return
    compile_document(document)
    dangers(document)
