"""What a document allows that is dangerous: each said in one sentence, for `audit`, the start-up log and a metric.

Nothing here is refused. Each needs words in the document that nobody writes by accident (SEC-162).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from jwtgate.config.checks import Place
from jwtgate.config.problems import shown
from jwtgate.config.redact import secrets_in
from jwtgate.config.route_checks import credential_finder, values_of
from jwtgate.config.sections.answers import AnswerSection, blames_the_caller, tells_why
from jwtgate.config.sections.callers.consumers import CredentialSection
from jwtgate.config.sections.callers.rate_limits import RateLimitSection
from jwtgate.config.sections.document import Document
from jwtgate.config.sections.issued import IssueSection, TokenSection
from jwtgate.config.sections.issuers import IssuerSection
from jwtgate.config.sections.routes import RouteSection
from jwtgate.config.sections.section import Section
from jwtgate.config.sections.slots import Credential
from jwtgate.config.sections.values import ValueSection

Found = Iterator[tuple[Place, str]]

_WRITTEN_OUT = "a secret stands in the document itself; refer to it with ${env:NAME}, ${file:PATH} or a secret store"
_SECRET_SECTIONS = {"issuers", "signing", "secret_stores"}


def dangers(document: Document) -> tuple[str, ...]:
    """One sentence for everything dangerous, with its place, in the order of the document."""
    return tuple(f"{shown(place)}: {sentence}" for place, sentence in _found(document))


def _found(document: Document) -> Found:
    yield from _written_out(document)
    yield from _of_administration(document)
    for name, issuer in document.issuers.items():
        yield from _below(("issuers", name), _of_issuer(issuer))
    yield from _of_signing(document)
    yield from _of_consumers(document)
    for name, route in document.routes.items():
        yield from _below(("routes", name), _of_route(route))
        yield from _below(("routes", name), _of_answers(route.answers))
        yield from _below(("routes", name), _of_callers(route))
    yield from _of_answers(document.answers)
    if document.store_away == "allow_all":
        yield ("store_away",), "sensitive routes accept tokens that could not be revoked, for the store was away"
    if document.paths.encoded_slashes == "keep":
        yield ("paths", "encoded_slashes"), "an encoded slash is read in two ways by different servers"
    if document.paths.parameters == "keep":
        yield ("paths", "parameters"), "path parameters are read in two ways by different servers"


def _below(place: Place, found: Found) -> Found:
    yield from (((*place, *rest), sentence) for rest, sentence in found)


def _written_out(document: Document) -> Found:
    """Secrets in the text of the document, those of consumers as one: there may be thousands."""
    written = document.model_dump(by_alias=True, exclude_unset=True, include=_SECRET_SECTIONS)
    yield from ((place, _WRITTEN_OUT) for place in secrets_in((), written))
    held = document.model_dump(by_alias=True, exclude_unset=True, include={"consumers"})
    places = list(secrets_in((), held))
    if len(places) == 1:
        yield places[0], _WRITTEN_OUT
    elif places:
        yield ("consumers",), f"{len(places)} secrets stand in the document itself; refer to them instead"


def _of_administration(document: Document) -> Found:
    admin = document.admin
    if admin is not None and admin.page and not admin.is_local:
        yield ("admin", "page"), "the page that describes the Admin API can be reached beyond this machine"
    for name, store in document.secret_stores.items():
        if store.vault is not None and store.vault.insecure_http:
            yield ("secret_stores", name, "vault", "insecure_http"), "secrets may be fetched without TLS"


def _of_issuer(issuer: IssuerSection) -> Found:
    if issuer.audience is None and not issuer.takes_api_keys:
        yield ("audience",), "tokens meant for anybody are accepted"
    yield from _flagged(issuer, _FLAGS_OF_ISSUER)
    if issuer.consumers is not None and issuer.consumers.base64_for_legacy_credentials:
        yield ("consumers", "base64_for_legacy_credentials"), "a secret that may be guessed is accepted"
    asked = issuer.introspection
    if asked is None:
        return
    yield from _below(("introspection",), _flagged(asked, _FLAGS_OF_INTROSPECTION))
    if asked.client_assertion is not None:
        yield from _below(("introspection", "client_assertion"), _flagged(asked.client_assertion, _FLAGS_OF_ASSERTION))
    if asked.stale_if_error_seconds > 0:
        place = ("introspection", "stale_if_error_seconds")
        yield place, "a token that was withdrawn is accepted while its issuer cannot be asked"


def _flagged(section: Section, sentences: Mapping[str, str]) -> Found:
    """The sentence of every flag that is set."""
    yield from (((flag,), sentence) for flag, sentence in sentences.items() if getattr(section, flag))


_FLAGS_OF_ISSUER = {
    "iss_not_looked_at_for_legacy_issuer": "tokens are accepted whichever issuer they name",
    "signature_not_verified_for_legacy_issuer": "anybody can make the tokens that are accepted",
    "exp_optional_for_legacy_tokens": "tokens that never expire are accepted",
    "exp_zero_counts_as_none_for_legacy_tokens": "tokens that ended when clocks began are accepted for ever",
    "exp_not_looked_at_for_legacy_tokens": "tokens are accepted long after their end",
    "nbf_not_looked_at_for_legacy_tokens": "tokens are accepted before their time",
    "iat_not_looked_at_for_legacy_tokens": "tokens are accepted whenever they say they were made",
    "malformed_claims_count_as_absent_for_legacy_tokens": "tokens whose sub or jti is no text cannot be revoked by it",
    "long_leeway_allowed_for_legacy_tokens": "tokens that ended long ago are accepted",
    "insecure_http": (
        "keys may be fetched, and tokens asked about, without TLS: whoever sits on the way can make tokens"
    ),
    "empty_key_set_allowed": "an empty key set refuses every token until the next one is fetched",
    "keys_fetched_again_after_wrong_signature": "whoever makes up tokens makes us fetch keys, once in 30 seconds",
    "short_secret_allowed_for_legacy_credential": "a secret that may be guessed is accepted",
    "guessable_secret_allowed_for_legacy_credential": "a secret that everybody tries first is accepted",
}
_FLAGS_OF_INTROSPECTION = {
    "inner_claims_not_checked_for_legacy_issuer": "what a token in an answer claims is passed on without a check",
    "exp_not_looked_at_for_legacy_issuer": "tokens are accepted long after the end their issuer tells",
    "nbf_not_looked_at_for_legacy_issuer": "tokens are accepted before the time their issuer tells",
    "iat_not_looked_at_for_legacy_issuer": "tokens are accepted whenever their issuer says they were made",
    "cache_control_not_looked_at_for_legacy_issuer": (
        "a token that was withdrawn is accepted longer than its issuer wants"
    ),
}
_FLAGS_OF_ASSERTION = {
    "aud_left_out_for_legacy_issuer": "whoever receives our proof of who we are can use it elsewhere",
    "weak_secret_allowed_for_legacy_issuer": "whoever guesses the secret can say to the issuer that they are us",
}
_FLAGS_OF_CREDENTIAL = {
    "first_source_wins_for_legacy_clients": (
        "nobody learns of a second credential in the same request, whoever put it there"
    ),
    "empty_counts_as_absent_for_legacy_clients": "a client that meant to present a credential is taken for one without",
    "equal_tokens_count_once_for_legacy_clients": "who reads another place than we do sees the token a second time",
}


_IN_PATH = (("request", "path"), ("request", "path_parameters"))
_SENT = ("calls", "headers", "issue", "request_headers")
_FLAGS_OF_ROUTE = {
    "forward_token": "the upstream receives the caller's own token and could use it elsewhere",
    "forward_cors_preflight": "preflight requests reach the upstream without a token",
    "body_read_before_decision_bytes": "whole bodies are held in memory, also of callers who are refused in the end",
}
_FLAGS_OF_ISSUE = {
    "may_outlive_incoming_token": "a token of ours may last longer than the caller's",
    "copy_registered_for_legacy_upstream": (
        "an upstream cannot tell what the gateway says of a token of ours from what the caller's issuer said"
    ),
    "no_exp_when_incoming_has_none_for_legacy_upstream": "a token of ours may never expire",
    "unsigned_with_alg_for_legacy_upstream": "whoever reaches the upstream can make the tokens it trusts",
}
_FLAGS_OF_SIGNING_KEY = {
    "insecure_http": "our private keys may be fetched without TLS",
    "signs_any_claims_for_legacy_readers": "an expression decides what a token of ours says, and for how long",
    "short_secret_allowed_for_legacy_readers": "whoever guesses the secret can make tokens of ours",
    "guessable_secret_allowed_for_legacy_readers": "whoever guesses the secret can make tokens of ours",
}
_FLAGS_OF_MINT = {
    "unauthenticated_minting_allowed": "whoever reaches this route is given a token of ours",
    "bare_token_for_legacy_reader": "callers choose also when a token of a consumer was made and begins to hold",
    "x5c_holds_public_key_pem_for_legacy_reader": "a reader of RFC 7515 finds no certificate where it looks for one",
}


def _of_signing(document: Document) -> Found:
    signing = document.signing
    if signing is None:
        return
    for name, keys in signing.keys.items():
        yield from _below(("signing", "keys", name), _flagged(keys, _FLAGS_OF_SIGNING_KEY))
    for name, profile in signing.profiles.items():
        yield from _below(("signing", "profiles", name), _of_token(profile))


def _of_consumers(document: Document) -> Found:
    for name, consumer in document.consumers.items():
        yield from _below(("consumers", name), _of_limit(consumer.rate_limit))
        for key, credential in consumer.credentials.items():
            yield from _below(("consumers", name, "credentials", key), _of_credential(credential))


def _of_credential(credential: CredentialSection) -> Found:
    if credential.short_secret_allowed_for_legacy_credential:
        yield ("short_secret_allowed_for_legacy_credential",), "a secret that may be guessed is accepted"
    if credential.guessable_secret_allowed_for_legacy_credential:
        yield ("guessable_secret_allowed_for_legacy_credential",), "a secret that everybody tries first is accepted"
    if credential.long_leeway_allowed_for_legacy_tokens:
        yield ("long_leeway_allowed_for_legacy_tokens",), "tokens that ended long ago are accepted"
    if credential.keys is not None and credential.keys.insecure_http:
        yield ("keys", "insecure_http"), "whoever is on the way can put keys of their own in place of the consumer's"


def _of_token(token: TokenSection) -> Found:
    if not token.kid:
        yield ("kid",), "whoever verifies the token has to guess its key, which ends when keys are rotated"
    if token.x5t_of_hex_text_for_legacy_upstream:
        yield ("x5t_of_hex_text_for_legacy_upstream",), "no reader of RFC 7515 finds the certificate"
    if token.encoding_unlike_rfc7515 is not None:
        yield ("encoding_unlike_rfc7515",), "no reader of RFC 7515 can verify the token"
    if token.exp_in_milliseconds_for_legacy_upstream:
        sentence = "a reader of RFC 7519 takes the end of the token for an instant thousands of years ahead"
        yield ("exp_in_milliseconds_for_legacy_upstream",), sentence
    if token.omit_for_legacy_upstream:
        left_out = ", ".join(token.omit_for_legacy_upstream)
        yield ("omit_for_legacy_upstream",), f"nobody can check what the token does not say: {left_out}"
    if isinstance(token, IssueSection):
        yield from _flagged(token, _FLAGS_OF_ISSUE)


def _of_route(route: RouteSection) -> Found:
    for name, credential in route.credentials.items():
        place: Place = ("slots", name) if route.slots is not None else ()
        if credential.parameters:
            yield (*place, "from"), "a token in the query is seen wherever addresses are written down"
        yield from _below(place, _of_found(credential))
        by_cookie = any(source.cookie is not None for source in credential.places)
        if by_cookie and route.upgrade is not None and route.upgrade_origins is None:
            yield ("upgrade",), "any page may open a WebSocket with the cookies of its visitor; name upgrade_origins"
        yield from _below(place, _flagged(credential, _FLAGS_OF_CREDENTIAL))
        if credential.dpop is not None and credential.dpop.replay_not_refused_for_legacy_clients:
            sentence = "whoever sees a request can send it once more"
            yield (*place, "dpop", "replay_not_refused_for_legacy_clients"), sentence
        if credential.original_header is not None:
            sentence = "the upstream receives the caller's own token and could use it elsewhere"
            yield (*place, "original_header"), sentence
    for index, issue in enumerate(route.issue or ()):
        yield from _below(("issue", index), _of_token(issue))
    for name, slot in (route.slots or {}).items():
        yield from _below(("slots", name), _of_answers(slot.answers))
    yield from _of_edits(route)
    yield from _of_sent(route)
    yield from _below(("log",), _of_log(route.log))
    yield from _flagged(route, _FLAGS_OF_ROUTE)


def _of_found(credential: Credential) -> Found:
    """Values that find a credential where nobody keeps it from being seen."""
    values = [source.value for source in credential.places if source.value is not None]
    if any(path[:2] in _IN_PATH for value in values for path in value.looks_at):
        yield ("from",), "a token in the path is seen wherever addresses are written down"
    if any(value.origin == "language" for value in values):
        yield ("from",), "nobody can see where the expression finds a token, which the upstream then receives, too"


def _of_sent(route: RouteSection) -> Found:
    """Values of what upstreams are sent that hold a credential of the caller."""
    holds = credential_finder(route)
    sent = [place for place, value in values_of(route, ()) if place[0] in _SENT and holds(value)]
    if route.forward_token:
        calls = (route.calls or {}).items()
        sent += [("calls", name, "passes_request_fields") for name, call in calls if call.passes_request_fields]
    yield from ((place, "an upstream receives the caller's own token and could use it elsewhere") for place in sent)


def _of_edits(route: RouteSection) -> Found:
    """Fields that say who the caller is and are no identity headers (SEC-112)."""
    edits = route.request_headers
    if edits is None:
        return
    sentences = {
        "set": (
            edits.set,
            "clients of other routes may send this field themselves, which `headers` would not let them",
        ),
        "add": (edits.add, "what we say of the caller stands beside what the caller says"),
    }
    for kind, (fields, sentence) in sentences.items():
        for name, value in fields.items():
            if value.origin in ("claim", "claims", "consumer", "permissions"):
                yield ("request_headers", kind, name), sentence


def _of_log(values: Mapping[str, ValueSection]) -> Found:
    for name, value in values.items():
        if value.origin == "language":
            yield (name,), "nobody can see whether the expression has a credential stand in the log"


def _of_answers(answers: Mapping[str, AnswerSection] | None) -> Found:
    for name, answer in (answers or {}).items():
        yield from _below(("answers", name, "log"), _of_log(answer.log))
        if answer.calls:
            yield ("answers", name, "calls"), "whoever is refused makes us ask an upstream"
        status = answer.status_written
        if status is not None and status < 300:
            yield ("answers", name, "status"), "whoever is refused is told that the request succeeded"
        if answer.status is not None and status is None:
            yield ("answers", name, "status"), "whoever is refused may be told that the request succeeded"
        if tells_why(name, answer):
            yield ("answers", name), "whoever tries out tokens learns what is wrong with them"
        if blames_the_caller(name, answer):
            yield ("answers", name, "status"), "a fault of ours looks like a mistake of the caller's"
        if answer.fault_may_answer_401_for_legacy_clients:
            place = ("answers", name, "fault_may_answer_401_for_legacy_clients")
            yield place, "clients throw good tokens away while we fail"


def _of_limit(limit: RateLimitSection | None) -> Found:
    if limit is not None and limit.status is not None and limit.status < 300:
        yield ("rate_limit", "status"), "whoever is refused is told that the request succeeded"


def _of_callers(route: RouteSection) -> Found:
    yield from _of_limit(route.rate_limit)
    if route.anonymous_consumer_also_for_refused_tokens:
        place = ("anonymous_consumer_also_for_refused_tokens",)
        yield place, "a token that was refused lets its caller in all the same, as the anonymous consumer"
    if route.mint is not None:
        yield from _below(("mint",), _flagged(route.mint, _FLAGS_OF_MINT))
    if route.mint is not None and route.mint.credentials == "any":
        yield ("mint", "credentials"), "whoever may use this route is given tokens of every consumer"
    if route.mint is not None and route.mint.claims == "any":
        yield ("mint", "claims"), "callers choose what tokens of ours say of them"
