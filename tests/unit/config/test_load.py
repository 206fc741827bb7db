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
from jwtgate.config.load import load_document, load_plain, merge
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
    "claim add set slots audience algorithms targets [key] x admin operators secret_stores vault consumers credentials "
    "introspection permissions roles consumer permission require mint profiles cel when"
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


STORED: dict[str, dict[str, Any]] = {
    "routes": {
        "one": {"path": "/shadowed", "auth": "none", "upstream": "echo"},
        "two": {"path": "/two", "auth": "none", "upstream": "far", "headers": {"X-A": "${env:HOST}"}},
    },
    "upstreams": {"far": {"targets": "http://127.0.0.1:2"}},
    "issuers": {"second": {"issuer": "https://b.example", "algorithms": "RS256", "audience": "b"}},
    "secret_stores": {"kv": {"gcp": {"project": "p"}}},
    "consumers": {"alice": {"external_id": "42"}},
}


def load_with(stored: dict[str, dict[str, Any]], text: str = GOOD) -> Document:
    return load_document(text.encode(), name="gate.yaml", folder=Path("/etc"), resolve=resolve, stored=stored)


def problems_with(stored: dict[str, dict[str, Any]], text: str = GOOD) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as error:
        load_with(stored, text)
    return error.value.problems


def test_a_store_adds_what_the_file_does_not_name() -> None:
    document = load_with(STORED)
    assert {name: route.path for name, route in document.routes.items()} == {"one": "/one", "two": "/two"}
    assert document.routes["two"].headers["X-A"].constant == "127.0.0.1:9"
    assert set(document.upstreams) == {"echo", "far"}
    assert set(document.issuers) == {"main", "second"}
    assert document.consumers["alice"].external_id == "42"
    assert set(document.secret_stores) == {"kv"}


def test_what_the_file_names_is_told_where_the_store_has_it_too() -> None:
    plain = load_plain(GOOD.encode(), name="gate.yaml")
    merged, shadowed = merge(plain, {**STORED, "signing.keys": {"extra": {}}})
    assert shadowed == ("routes.one",)
    assert merged["routes"]["one"] is plain["routes"]["one"]
    assert set(plain["routes"]) == {"one"}
    assert "consumers" not in plain
    assert merge(plain, {}) == (plain, ())


def test_a_store_never_takes_the_place_of_the_default_signing_key() -> None:
    signing = "signing: {issuer: 'https://gate.example'}\n"
    document = load_with({"signing.keys": {"extra": {"alg": "RS256"}}}, GOOD + signing)
    assert document.signing is not None
    assert {name: keys.alg for name, keys in document.signing.keys.items()} == {"default": "ES256", "extra": "RS256"}
    named = load_with({"signing.keys": {"extra": {}}}, GOOD + signing.replace("}", ", keys: {mine: {}}}"))
    assert named.signing is not None
    assert set(named.signing.keys) == {"mine", "extra"}
    assert merge(load_plain((GOOD + signing).encode(), name="a.yaml"), {"signing.keys": {"default": {}}})[1] == ()


def test_mistakes_of_the_store_come_last_and_say_so() -> None:
    routes = {"two": {"path": "/two", "auth": "nobody", "upstream": "ecco", "headrs": {}}}
    assert problems_with({"routes": routes}, GOOD.replace("auth: none", "auth: nobody")) == (
        "gate.yaml:6: routes.one.auth: must be 'required', 'optional' or 'none' (not 'nobody')",
        "routes.two.auth (store): must be 'required', 'optional' or 'none' (not 'nobody')",
        "routes.two.headrs (store): is no key of this section; did you mean headers?",
    )
    assert problems_with({"routes": {"two": {"path": "/two", "auth": "none", "upstream": "ecco"}}}) == (
        "routes.two.upstream (store): there is no upstream of this name; did you mean echo?",
    )
    assert problems_with({"signing.keys": {"k": {"alg": "none"}}}, GOOD + "signing: {issuer: a}\n")[0].startswith(
        "signing.keys.k.alg (store): must be one of HS256"
    )


def test_a_store_adds_nothing_to_a_section_that_cannot_be_read() -> None:
    text = GOOD.replace("upstreams: {echo", "upstreams: [{echo").replace('1"}}', '1"}}]')
    assert problems_with(STORED, text)[0] == "gate.yaml:4: upstreams: must be a mapping"
    assert problems_with(STORED, "[1]") == ("gate.yaml:1: the document: must be a mapping",)
    assert merge([1], STORED) == ([1], ())


def test_routes_may_stand_in_the_store_alone() -> None:
    text = GOOD[: GOOD.index("routes:")]
    assert set(load_with(STORED, text).routes) == {"one", "two"}
    assert problems_with({}, text) == ("gate.yaml:1: routes: there are none, and no admin section to add them over",)
    assert load_with({}, text + f"admin: {{operators: {{a: {{token_sha256: '{'0' * 64}'}}}}}}\n").routes == {}


def test_sec_149_secret_references_of_a_store_stay_references() -> None:
    stored = {"issuers": {"b": {"issuer": "https://b", "algorithms": "HS256", "audience": "b",
                                "keys": {"secret": "${env:SECRET}"}}}}  # fmt: skip
    keys = load_with(stored).issuers["b"].keys
    assert keys is not None
    assert keys.secret == "${env:SECRET}"


def test_sec_149_a_hidden_secret_is_never_taken_for_one() -> None:
    assert problems_with({}, GOOD.replace("${env:SECRET}", "***")) == (
        "gate.yaml:3: issuers.main.keys.secret: stands for a secret that is not shown; write the secret, or a "
        "reference to it",
    )
