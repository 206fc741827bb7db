from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jwtgate import sign
from jwtgate.integrations.kamailio.calls import Calls
from jwtgate.integrations.kamailio.native import Native, mod_init
from jwtgate.integrations.kamailio.settings import Policy
from jwtgate.jose.key import generate_key

PAIR = generate_key("ES256")


class Script:
    """A native configuration: its variables, and what a handler set."""

    def __init__(self, folder: Path) -> None:
        (folder / "private.pem").write_text(PAIR.to_private_pem())
        (folder / "public.pem").write_text(PAIR.to_pem())
        self.private, self.public = str(folder / "private.pem"), str(folder / "public.pem")
        self.values: dict[str, Any] = {"$fU": "alice", "$tU": "bob"}
        policies = {
            "make": Policy(self.private, "ES256", "caller=$fU", "kid=k1"),
            "calls": Policy(self.public, "ES256", "caller=$fU"),
            "mapped": Policy(self.public, "ES256", {"caller": "alice"}),
            "text": Policy(PAIR.to_pem(), "ES256", "caller=$fU"),
            "users": Policy(self.public, "ES256", "sub=$tU"),
            "old users": Policy(self.public, "ES256", "sub=$tU", needed=()),
        }
        self.calls = Calls(clock=lambda: 100, variables=lambda name: self.values.get(name), policies=policies)
        self.native = Native(self.calls, self.values.__setitem__)

    def told(self) -> tuple[Any, Any, Any]:
        return tuple(self.values[f"$var(jwt_{name})"] for name in ("val", "status", "reason"))  # type: ignore[return-value]


@pytest.fixture
def script(tmp_path: Path) -> Script:
    return Script(tmp_path)


def token(**claims: Any) -> str:
    return sign(claims, PAIR, alg="ES256", kid=None)


def test_a_policy_makes_and_verifies(script: Script) -> None:
    assert script.native.child_init(1) == 0
    assert script.native.jwt_generate(None, "make") == 1
    made, status, reason = script.told()
    assert (status, reason) == (0, "")
    script.values["$hdr(X-JWT)"] = made
    for policy in ("calls", "mapped"):
        assert script.native.jwt_verify(None, policy) == 1
    assert script.native.jwt_verify_key(None, "text") == 1
    script.values["$fU"] = "mallory"
    assert script.native.jwt_verify(None, "calls") == -1
    assert script.told() == (made, 256, "claim-mismatch")


def test_arguments_are_split_before_they_are_filled(script: Script) -> None:
    script.values["$fU"] = "a|b;c=d"
    assert script.native.jwt_generate(None, f"{script.private}|ES256|caller=$fU;pipe='|'") == 1
    script.values["$hdr(T)"] = script.told()[0]
    assert script.native.jwt_verify(None, f"{script.public}|ES256|caller=$fU;pipe='|'|$hdr(T)") == 1
    assert script.calls.jwt.claims == {"caller": "a|b;c=d", "pipe": "|", "iat": 100}
    assert script.native.jwt_generate_hdrs(None, f"{script.private}|ES256|a=b|kid=$fU") == 1


@pytest.mark.parametrize("argument", ["", "nobody", "a|b", "|"])
def test_what_is_no_policy_and_no_argument_fails(script: Script, argument: str) -> None:
    native = script.native
    for method in (native.jwt_generate, native.jwt_generate_hdrs, native.jwt_verify, native.jwt_verify_key):
        assert method(None, argument) == -1
        assert script.told()[2] == "policy-unknown"


def test_results_are_plain_numbers_and_never_zero(script: Script) -> None:
    assert type(script.native.jwt_generate(None, "make")) is int
    assert type(script.native.jwt_verify(None, "calls")) is int


@pytest.mark.parametrize(
    ("fields", "result", "status"),
    [
        (["Bearer {good}"], 1, 0),
        (["bearer   {good} "], 1, 0),
        (['Digest username="bob"', "Bearer {good}"], 1, 0),
        ([], -1, 0),
        (["Bearer"], -1, 0),
        (["Digest {good}"], -1, 0),
        (["Bearer {good}", "Bearer {good}"], -1, 0),
        (["Bearer {other}"], -1, 256),
        (["Bearer {old}"], -1, 4),
        (["Bearer {endless}"], -1, 128),
    ],
)
def test_k_13_a_bearer_token(script: Script, fields: list[str], result: int, status: int) -> None:
    tokens = {
        "good": token(sub="bob", exp=101), "other": token(sub="alice", exp=101), "old": token(sub="bob", exp=100),
        "endless": token(sub="bob"),
    }  # fmt: skip
    for index, field in enumerate(fields):
        script.values[f"$(hdr(Authorization)[{index}])"] = field.format(**tokens)
    assert script.native.jwt_bearer(None, "users") == result
    assert script.told()[1] == status
    assert script.native.jwt_bearer(None, "old users") == (1 if fields == ["Bearer {endless}"] else result)


@pytest.mark.parametrize(
    ("target", "protocols", "result"),
    [
        ("/?access_token={good}", "sip", 1),
        ("/?x=1&access_token={good}&y", None, 1),
        ("/", "sip, {good}", 1),
        ("/?access_token={good}", "sip, {good}", -1),
        ("/?access_token={good}&access_token={good}", "sip", -1),
        ("/?access_token=", "sip", -1),
        ("/?xaccess_token={good}", "sip", -1),
        ("/{good}", "sip", -1),
        (None, None, -1),
    ],
)
def test_k_14_a_token_of_a_handshake(script: Script, target: str | None, protocols: str | None, result: int) -> None:
    good = token(sub="bob", exp=101)
    for name, value in (("$hu", target), ("$hdr(Sec-WebSocket-Protocol)", protocols)):
        if value is not None:
            script.values[name] = value.format(good=good)
    assert script.native.jwt_websocket(None, "users") == result


def test_a_reload_forgets_the_keys() -> None:
    assert isinstance(mod_init(), Native)
