"""The object behind `python_exec` of a native configuration: a handler file needs one line, to import `mod_init`.

A method takes one text: the name of a `Policy`, or the arguments themselves with `|` between them. Pseudo-variables in
these are written `$$fU` in the configuration, so that they are filled in here, after the text was split. Every method
gives 1 or -1, never 0, which would end the script without an answer; `$var(jwt_val)`, `$var(jwt_status)` and
`$var(jwt_reason)` tell the rest.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from jwtgate.integrations.kamailio.calls import CALLS, Calls
from jwtgate.integrations.kamailio.claims.templates import pv, value_of
from jwtgate.integrations.kamailio.outcome import FAILURE, Result
from jwtgate.integrations.kamailio.server import log_error, set_variable
from jwtgate.integrations.kamailio.settings import Policy

_MOST_AUTHORIZATIONS = 8

SetVariable = Callable[[str, str | int], None]


class Native:
    """The methods `python_exec` finds. `msg` is the message, which is looked at through pseudo-variables alone."""

    def __init__(self, calls: Calls, set_variable: SetVariable) -> None:
        self._calls = calls
        self._set_variable = set_variable

    def child_init(self, rank: int) -> int:
        """0: a process of the server may begin."""
        return 0

    def jwt_generate(self, msg: object, argument: str = "") -> int:
        """A token by a policy, or by `key|alg|claims`."""
        return self._generated(self._policy(argument, 3))

    def jwt_generate_hdrs(self, msg: object, argument: str = "") -> int:
        """As `jwt_generate`, or by `key|alg|claims|headers`."""
        return self._generated(self._policy(argument, 4, last="headers"))

    def jwt_verify(self, msg: object, argument: str = "") -> int:
        """A token verified by a policy, or by `key|alg|claims|token`."""
        policy = self._policy(argument, 4, last="token")
        return self._verified(policy, self._token(policy), self._calls.jwt_verify)

    def jwt_verify_key(self, msg: object, argument: str = "") -> int:
        """As `jwt_verify`, with the text of a key, such as `$$sht(keys=>x)`, in place of its path."""
        policy = self._policy(argument, 4, last="token")
        return self._verified(policy, self._token(policy), self._calls.jwt_verify_key)

    def jwt_bearer(self, msg: object, argument: str = "") -> int:
        """The bearer token of an `Authorization` field (RFC 8898) verified by a policy; it must carry `exp`."""
        return self._verified(_expiring(self._policy(argument)), self._bearer(), self._calls.jwt_verify)

    def jwt_websocket(self, msg: object, argument: str = "") -> int:
        """The token of a WebSocket handshake verified by a policy, from its address or its subprotocols."""
        return self._verified(_expiring(self._policy(argument)), self._handshake(), self._calls.jwt_verify)

    def _policy(self, argument: str, parts: int = 0, *, last: str = "") -> Policy | None:
        if not parts or "|" not in argument:
            policy = self._calls.settings.policies.get(argument)
            if policy is None:
                log_error(f"no policy of this name: {argument}")
            return policy
        given = argument.split("|", 2)
        if last and len(given) == 3:
            given[2:] = given[2].rsplit("|", 1)
        if len(given) != parts:
            log_error(f"{parts} arguments are needed, with | between them")
            return None
        policy = Policy(given[0], given[1], given[2])
        if last == "headers":
            return replace(policy, headers=given[3])
        return replace(policy, token=given[3]) if last else policy

    def _generated(self, policy: Policy | None) -> int:
        if policy is None:
            return self._unknown()
        claims = pv(policy.claims) if isinstance(policy.claims, str) else policy.claims
        headers = pv(policy.headers) if isinstance(policy.headers, str) else policy.headers
        return self._told(self._calls.jwt_generate(self._text(policy.key) or "", policy.alg, claims, headers))

    def _verified(self, policy: Policy | None, token: str | None, verify: Callable[..., Result]) -> int:
        if policy is None:
            return self._unknown()
        key = self._text(policy.key) or ""
        claims = pv(policy.claims) if isinstance(policy.claims, str) else policy.claims
        return self._told(verify(key, policy.alg, claims, token, needed=policy.needed or ()))

    def _told(self, result: Result) -> int:
        jwt = self._calls.jwt
        self._tell(jwt.val or "", jwt.status, jwt.reason or "")
        return int(result)

    def _unknown(self) -> int:
        self._tell("", 0, "policy-unknown")
        return int(FAILURE)

    def _tell(self, val: str, status: int, reason: str) -> None:
        self._set_variable("$var(jwt_val)", val)
        self._set_variable("$var(jwt_status)", status)
        self._set_variable("$var(jwt_reason)", reason)

    def _token(self, policy: Policy | None) -> str | None:
        return None if policy is None else self._text(policy.token) or None

    def _text(self, text: str) -> str | None:
        value = value_of(text, self._calls.settings.variables)
        return None if value is None else str(value)

    def _bearer(self) -> str | None:
        found = []
        for index in range(_MOST_AUTHORIZATIONS):
            value = self._text(f"$(hdr(Authorization)[{index}])")
            if value is None:
                break
            scheme, _, token = value.strip().partition(" ")
            if scheme.lower() == "bearer":
                found.append(token.strip())
        return _only(found)

    def _handshake(self) -> str | None:
        _, _, query = (self._text("$hu") or "").partition("?")
        found = [part.partition("=")[2] for part in query.split("&") if part.partition("=")[0] == "access_token"]
        offered = (self._text("$hdr(Sec-WebSocket-Protocol)") or "").split(",")
        return _only(found + [each.strip() for each in offered if each.count(".") == 2])


def mod_init() -> Native:
    """The handler; a reload of the script comes here again, and every key is read anew."""
    CALLS.forget_keys()
    return Native(CALLS, set_variable)


def _expiring(policy: Policy | None) -> Policy | None:
    if policy is None or policy.needed is not None:
        return policy
    return replace(policy, needed=("exp",))


def _only(found: list[str]) -> str | None:
    """The one token presented: whoever checks one of two and uses the other can be fooled."""
    if len(found) > 1:
        log_error("more than one token was presented")
    return found[0] or None if len(found) == 1 else None
