"""Refusals, faults, and the catalogue of reasons.

A class says how to react, a reason says what happened. A refusal is the caller's problem: we decided no. A
fault is ours: we could not decide, or could not carry the decision out. Neither ever turns into the other.

Every reason stands in `CATALOGUE` with its class and the one sentence a client may read. What varies (names,
addresses, values of ours) goes into `detail`, which is for the log and for `explain`, and never holds a token,
a key or a secret.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import ClassVar, NamedTuple


class _Reasoned(Exception):
    """An outcome with a stable `reason` from the catalogue, its fixed public sentence, and private detail."""

    usual_status: ClassVar[int] = 500

    def __init__(self, reason: str, **detail: object) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail

    @property
    def sentence(self) -> str:
        """The fixed public text of this reason."""
        return CATALOGUE[self.reason].sentence

    @property
    def status(self) -> int:
        """The HTTP status: the reason's own where it has one, else that of the class."""
        return CATALOGUE[self.reason].status or self.usual_status

    def __str__(self) -> str:
        if not self.detail:
            return f"{self.reason}: {self.sentence}"
        named = ", ".join(f"{name}={value!r}" for name, value in self.detail.items())
        return f"{self.reason}: {self.sentence} ({named})"


class Refusal(_Reasoned):
    """We decided no."""

    usual_oauth_error: ClassVar[str | None] = None

    @property
    def oauth_error(self) -> str | None:
        """The code of RFC 6750 section 3.1, if there is one: the reason's own where it has one, else the class's."""
        return CATALOGUE[self.reason].oauth_error or self.usual_oauth_error


class CredentialMissing(Refusal):
    """Nothing was presented where something is needed. RFC 6750 section 3.1 wants no error code then."""

    usual_status = 401


class RequestRefused(Refusal):
    """The request cannot be read, or presents a credential twice."""

    usual_status = 400
    usual_oauth_error = "invalid_request"


class TokenRefused(Refusal):
    """A token failed its verification or a check of its claims."""

    usual_status = 401
    usual_oauth_error = "invalid_token"


class ScopeRefused(Refusal):
    """The token is good but its scope is not enough; the challenge names the scope that would be."""

    usual_status = 403
    usual_oauth_error = "insufficient_scope"

    def __init__(self, reason: str, *, scope: Iterable[str] = (), **detail: object) -> None:
        super().__init__(reason, **detail)
        self.scope = tuple(scope)


class AccessRefused(Refusal):
    """The caller is known, and may not do this."""

    usual_status = 403


class RateRefused(Refusal):
    """The caller has made as many requests as it may; it may try again after `retry_after_seconds`."""

    usual_status = 429

    def __init__(self, reason: str, *, retry_after_seconds: int = 1, **detail: object) -> None:
        super().__init__(reason, **detail)
        self.retry_after_seconds = retry_after_seconds


class RouteUnknown(Refusal):
    """No route takes this request."""

    usual_status = 404


class Fault(_Reasoned):
    """We could not decide, or could not carry the decision out. Never an answer of 401, and never a yes."""


class DependencyFault(Fault):
    """Something we must know could not be found out; the caller may try again after `retry_after_seconds`."""

    usual_status = 503

    def __init__(self, reason: str, *, retry_after_seconds: int = 5, **detail: object) -> None:
        super().__init__(reason, **detail)
        self.retry_after_seconds = retry_after_seconds


class UpstreamFault(Fault):
    """The upstream could not be reached, answered nonsense, was too slow, or has enough to do.

    Where `retry_after_seconds` is set, the caller may try again then.
    """

    usual_status = 502

    def __init__(self, reason: str, *, retry_after_seconds: int | None = None, **detail: object) -> None:
        super().__init__(reason, **detail)
        self.retry_after_seconds = retry_after_seconds


class KeyRefused(_Reasoned):
    """A key or key set we will not hold. Whoever loads it decides whether to skip it or to stop."""


class ConfigError(Exception):
    """A document, an option or a file that cannot be used. Exit status 2 on the command line.

    `problems` holds one sentence for each mistake, all of them, in the order of their places.
    """

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class Reason(NamedTuple):
    """One entry of the catalogue. A `status` or an `oauth_error` here replaces the class's own."""

    raised_as: type[_Reasoned]
    sentence: str
    status: int | None = None
    oauth_error: str | None = None


CATALOGUE: Mapping[str, Reason] = MappingProxyType(
    {
        # The request itself.
        "route_unknown": Reason(RouteUnknown, "No route takes this request."),
        "request_malformed": Reason(RequestRefused, "The request could not be read."),
        "request_too_large": Reason(RequestRefused, "The request is larger than is allowed.", 413),
        "request_head_too_large": Reason(RequestRefused, "The head of the request is too large.", 431),
        "request_slow": Reason(RequestRefused, "The request took too long to arrive.", 408),
        "frame_flood": Reason(RequestRefused, "The connection carried too much that was no request."),
        "method_refused": Reason(RequestRefused, "The method is not served here.", 501),
        "path_not_canonical": Reason(RequestRefused, "The path of the request has more than one reading."),
        "field_name_unusual": Reason(RequestRefused, "The request has a header field name that is not allowed here."),
        "credential_missing": Reason(CredentialMissing, "A token is needed."),
        "credential_repeated": Reason(RequestRefused, "More than one token was presented where one is expected."),
        "credential_malformed": Reason(RequestRefused, "The credential is not in a form that can be read."),
        "origin_refused": Reason(RequestRefused, "The page behind the request may not open a connection here.", 403),
        # Reading and verifying a token.
        "token_malformed": Reason(TokenRefused, "The token is not valid."),
        "token_too_large": Reason(TokenRefused, "The token is not valid."),
        "token_encrypted": Reason(TokenRefused, "The token is not valid."),
        "alg_unreadable": Reason(TokenRefused, "The token is not valid."),
        "claims_unreadable": Reason(TokenRefused, "The token is not valid."),
        "signature_unreadable": Reason(TokenRefused, "The token is not valid."),
        "alg_not_allowed": Reason(TokenRefused, "The token is not valid."),
        "crit_unknown": Reason(TokenRefused, "The token is not valid."),
        "type_wrong": Reason(TokenRefused, "The token is not valid."),
        "header_address_refused": Reason(TokenRefused, "The token is not valid."),
        "issuer_unknown": Reason(TokenRefused, "The token is not valid."),
        "key_unknown": Reason(TokenRefused, "The token is not valid."),
        "key_ambiguous": Reason(TokenRefused, "The token is not valid."),
        "signature_wrong": Reason(TokenRefused, "The token is not valid."),
        # Claims.
        "issuer_wrong": Reason(TokenRefused, "The token is not valid."),
        "audience_missing": Reason(TokenRefused, "The token is meant for somebody else."),
        "audience_wrong": Reason(TokenRefused, "The token is meant for somebody else."),
        "token_expired": Reason(TokenRefused, "The token has expired."),
        "token_not_yet_valid": Reason(TokenRefused, "The token is not valid yet."),
        "token_from_the_future": Reason(TokenRefused, "The token is not valid yet."),
        "token_too_old": Reason(TokenRefused, "The token is too old."),
        "token_lives_too_long": Reason(TokenRefused, "The token lives longer than is allowed."),
        "time_missing": Reason(TokenRefused, "The token lacks a time it must carry."),
        "time_malformed": Reason(TokenRefused, "The token carries a time that cannot be read."),
        "time_in_milliseconds": Reason(TokenRefused, "The token carries a time in milliseconds instead of seconds."),
        "claim_missing": Reason(TokenRefused, "The token lacks a claim that is needed."),
        "claim_malformed": Reason(TokenRefused, "The token carries a claim of the wrong form."),
        "claim_wrong": Reason(TokenRefused, "The token carries a claim that does not fit."),
        "token_inactive": Reason(TokenRefused, "The token is not valid."),
        "token_revoked": Reason(TokenRefused, "The token is not valid."),
        "credential_not_named": Reason(TokenRefused, "The token is not valid."),
        "credential_name_malformed": Reason(TokenRefused, "The token is not valid."),
        "credential_unknown": Reason(TokenRefused, "The token is not valid."),
        "consumer_unknown": Reason(TokenRefused, "The token is not valid."),
        "proof_missing": Reason(TokenRefused, "The token is bound to a key whose possession was not shown."),
        "proof_wrong": Reason(
            TokenRefused,
            "The proof that the caller holds the token's key is not valid.",
            oauth_error="invalid_dpop_proof",
        ),
        "proof_nonce_needed": Reason(
            TokenRefused, "The proof must carry the nonce that comes with this answer.", oauth_error="use_dpop_nonce"
        ),
        # What the caller may do.
        "scope_missing": Reason(ScopeRefused, "The token's scope is not enough."),
        "scope_insufficient": Reason(ScopeRefused, "The token's scope is not enough."),
        "field_value_unsafe": Reason(TokenRefused, "The token carries a value that cannot be passed on."),
        "permission_missing": Reason(AccessRefused, "The caller lacks a permission that is needed."),
        "method_not_permitted": Reason(AccessRefused, "The method is not permitted here.", 405),
        "condition_not_met": Reason(AccessRefused, "The request does not meet a condition of its route."),
        "rate_limit_exceeded": Reason(RateRefused, "Too many requests were made."),
        "minting_refused": Reason(RequestRefused, "A token cannot be made from this request."),
        "minting_credential_missing": Reason(RequestRefused, "A token cannot be made from this request."),
        "minting_credential_unknown": Reason(RequestRefused, "A token cannot be made from this request."),
        "minting_claims_refused": Reason(RequestRefused, "A token cannot be made from this request."),
        # Faults.
        "introspection_unreachable": Reason(DependencyFault, "The token cannot be checked at the moment."),
        "consumers_unreachable": Reason(DependencyFault, "The caller cannot be looked up at the moment."),
        "credential_unresolved": Reason(DependencyFault, "The token cannot be checked at the moment."),
        "revocations_unknown": Reason(DependencyFault, "The token cannot be checked at the moment."),
        "requests_not_counted": Reason(DependencyFault, "The request cannot be counted at the moment."),
        "expected_claims_malformed": Reason(DependencyFault, "The token cannot be checked.", 500),
        "claims_not_generated": Reason(DependencyFault, "The request cannot be signed at the moment."),
        "issuer_unreachable": Reason(DependencyFault, "The token cannot be checked at the moment."),
        "signer_unavailable": Reason(DependencyFault, "The request cannot be signed at the moment."),
        "expression_failed": Reason(DependencyFault, "The request cannot be worked out at the moment.", 500),
        "overloaded": Reason(DependencyFault, "The gateway is busy."),
        "internal": Reason(DependencyFault, "The gateway failed.", 500),
        "upstream_unreachable": Reason(UpstreamFault, "The upstream could not be reached."),
        "upstream_down": Reason(UpstreamFault, "The upstream is down.", 503),
        "upstream_busy": Reason(UpstreamFault, "The upstream has enough to do at the moment.", 503),
        "upstream_slow": Reason(UpstreamFault, "The upstream did not answer in time.", 504),
        "upstream_refused": Reason(UpstreamFault, "The upstream takes no more requests at the moment.", 503),
        "deadline_passed": Reason(UpstreamFault, "The deadline of the request has passed.", 504),
        "upstream_malformed": Reason(UpstreamFault, "The upstream gave an answer that could not be read."),
        "upstream_unexpected": Reason(UpstreamFault, "The upstream gave an answer that was not expected."),
        # Keys.
        "key_malformed": Reason(KeyRefused, "The key cannot be read."),
        "key_type_unknown": Reason(KeyRefused, "The key is of a type or curve that is not supported."),
        "key_too_weak": Reason(KeyRefused, "The key is too short or known to be weak."),
        "key_unfit": Reason(KeyRefused, "The key does not fit the algorithm or use it is meant for."),
        "key_halves_differ": Reason(KeyRefused, "The private half of the key does not match its public half."),
        "key_not_public": Reason(KeyRefused, "A private or secret key stands where only public keys may."),
        "key_is_public": Reason(KeyRefused, "Public key material stands where a secret is expected."),
        "key_set_malformed": Reason(KeyRefused, "The key set cannot be read."),
        "key_set_contradicts": Reason(KeyRefused, "The key set holds different keys under one name."),
        "key_set_mixed": Reason(KeyRefused, "The key set mixes secrets with public keys."),
        "key_set_empty": Reason(KeyRefused, "The key set holds no usable key."),
    }
)
