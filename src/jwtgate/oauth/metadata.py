"""An issuer's metadata document, where it is found, and the one we publish.

OpenID Connect Discovery 1.0 and RFC 8414. The document's `issuer` must be the configured one to the last code
point (SEC-62). Whether an address in it may be fetched is for whoever fetches to decide.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from jwtgate.jose.encoding import JSON, parse_json_object

MOST_METADATA_BYTES = 1_048_576


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we use of an issuer's document. A member that is absent is None, or empty."""

    issuer: str
    jwks_uri: str | None
    introspection_endpoint: str | None
    token_endpoint: str | None
    signing_algorithms: tuple[str, ...]


def parse_metadata(data: bytes, issuer: str) -> Metadata:
    """The metadata in a document fetched for `issuer`.

    `ValueError` with a plain sentence for a document that is not strict JSON, is of another issuer, or has a
    member of the wrong type.
    """
    members = parse_json_object(data, limit_bytes=MOST_METADATA_BYTES)
    if members.get("issuer") != issuer:
        raise ValueError("the metadata is of another issuer")
    return Metadata(
        issuer=issuer,
        jwks_uri=_address(members, "jwks_uri"),
        introspection_endpoint=_address(members, "introspection_endpoint"),
        token_endpoint=_address(members, "token_endpoint"),
        signing_algorithms=_names(members, "id_token_signing_alg_values_supported"),
    )


def discovery_urls(issuer: str) -> tuple[str, ...]:
    """Where the metadata of `issuer` may be, in the order to try: OpenID Connect's place, then RFC 8414's.

    OpenID Connect appends to the path, RFC 8414 inserts before it. `ValueError` for an issuer that is
    no address, or has a query or a fragment.
    """
    parts = _split(issuer)
    if parts is None or parts.query or "?" in issuer:
        raise ValueError("the issuer is not an address without query and fragment")
    path = parts.path.rstrip("/")
    origin = f"{parts.scheme}://{parts.netloc}"
    return (
        f"{origin}{path}/.well-known/openid-configuration",
        f"{origin}/.well-known/oauth-authorization-server{path}",
    )


def gateway_metadata(issuer: str, jwks_uri: str, algs: Collection[str]) -> dict[str, object]:
    """The document we publish about the tokens we issue: who we are, our keys, how we sign."""
    return {
        "issuer": issuer,
        "jwks_uri": jwks_uri,
        "id_token_signing_alg_values_supported": sorted(algs),
        "response_types_supported": [],
        "subject_types_supported": ["public"],
    }


def _address(members: Mapping[str, JSON], name: str) -> str | None:
    if name not in members:
        return None
    value = members[name]
    if not isinstance(value, str) or _split(value) is None:
        raise ValueError(f"the metadata's {name} is not an address")
    return value


def _split(url: str) -> SplitResult | None:
    """The parts of an absolute http or https address without user and fragment, else None."""
    if not url.isascii() or not url.isprintable() or " " in url or "\\" in url or "#" in url:
        return None
    try:
        parts = urlsplit(url)
        sound = parts.port != 0 and bool(parts.hostname)
    except ValueError:  # a port that is no number, brackets that do not match
        return None
    return parts if sound and parts.scheme in ("https", "http") and "@" not in parts.netloc else None


def _names(members: Mapping[str, JSON], name: str) -> tuple[str, ...]:
    values = members.get(name, [])
    if not isinstance(values, list):
        raise ValueError(f"the metadata's {name} is not a list of strings")  # noqa: TRY004 - not our code's fault
    names = tuple(value for value in values if isinstance(value, str))
    if len(names) != len(values):
        raise ValueError(f"the metadata's {name} is not a list of strings")
    return names
