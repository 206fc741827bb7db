"""An issuer's metadata document, fetched from where it may be, and the addresses in it that may be used.

The document is the issuer's by its `issuer` member alone. An address in it must be on the issuer's own host or on
a host the configuration lists (SEC-60 to 62).
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from jwtgate.oauth.metadata import Metadata, discovery_urls, parse_metadata
from jwtgate.state.http_client import FetchFailed, FetchRules, HttpClient, Response


async def fetch_metadata(iss: str, discovery: str | None, *, client: HttpClient, rules: FetchRules) -> Metadata:
    """The metadata of `iss`, from the address `discovery`, or where that is empty from the usual ones.

    Raises `FetchFailed`. Only an answer that is not 200 leads on to the next address.
    """
    try:
        *others, last = (discovery,) if discovery else discovery_urls(iss)
    except ValueError as error:
        raise FetchFailed("address_malformed", detail=str(error)) from None
    for url in others:
        try:
            return _parse(await client.get(url, rules=rules), iss)
        except FetchFailed as failure:
            if failure.status is None:
                raise
    return _parse(await client.get(last, rules=rules), iss)


def permitted(address: str | None, member: str, *, iss: str, allowed_hosts: Collection[str]) -> str:
    """The address that `member` of the metadata gives, if it may be asked. Raises `FetchFailed`."""
    if address is None:
        raise FetchFailed("metadata_refused", detail=f"it has no {member}")
    host = urlsplit(address).hostname or ""
    if host != urlsplit(iss).hostname and host not in allowed_hosts:
        raise FetchFailed("host_not_allowed", detail=host)
    return address


def json_body(response: Response) -> bytes:
    """The body of an answer that may be JSON. Raises `FetchFailed`."""
    # Issuers send their documents as plain text and as octets, too; a page for people is always a mistake.
    if response.media_type in ("text/html", "application/xhtml+xml"):
        raise FetchFailed("not_json", detail=response.media_type, status=200)
    return response.body


def _parse(response: Response, iss: str) -> Metadata:
    try:
        return parse_metadata(json_body(response), iss)
    except ValueError as error:
        raise FetchFailed("metadata_refused", detail=str(error)) from None
