"""Keys and secrets of a configuration as sections of a document say them, and addresses fetched without TLS."""

from __future__ import annotations

from ipaddress import ip_address
from urllib.parse import urlsplit

from jwtgate.dialects.couper.reading.configuration import Secret
from jwtgate.dialects.couper.translation.draft import Section
from jwtgate.dialects.dialect import literal
from jwtgate.jose.encoding import base64url_encode


def secret_text(secret: Secret) -> str | None:
    """A secret as a document says it, a reference to its variable if it has one; None if it is not plain text."""
    if secret.variable is not None:
        return f"${{env:{secret.variable}}}"
    try:
        return literal(secret.value.decode())
    except UnicodeDecodeError:
        return None


def key_of(key: Secret) -> Section:
    """A key in PEM as a section that takes one says it, without the blanks a heredoc leaves before its lines."""
    if key.file is not None:
        return {"file": str(key.file)}
    if key.variable is not None:
        return {"pem": f"${{env:{key.variable}}}"}
    lines = key.value.decode("utf-8", "replace").strip().splitlines()
    return {"pem": literal("\n".join(line.strip() for line in lines))}


def secret_of(key: Secret) -> Section:
    """A secret as a section that takes one says it."""
    told = secret_text(key)
    if told is not None:
        return {"secret": told}
    return {"secret": base64url_encode(key.value), "base64url": True}


def insecure(url: str) -> Section:
    """What a section says that fetches without TLS from elsewhere."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or host == "localhost" or host.endswith(".localhost"):
        return {}
    try:
        return {} if ip_address(host).is_loopback else {"insecure_http": True}
    except ValueError:
        return {"insecure_http": True}
