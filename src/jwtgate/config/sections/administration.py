"""The `admin` section: where the Admin API listens, and who may use it."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address
from typing import Annotated

from pydantic import Field, model_validator

from jwtgate.config.sections.section import (
    Address,
    FileName,
    Filled,
    Flag,
    Maybe,
    Name,
    Section,
    exactly_one,
    parse_address,
    raise_all,
)


class AdminTlsSection(Section):
    """A certificate and its key, and whose client certificates are believed."""

    certificate: FileName = Field(description="A PEM file: the certificate, then those that signed it.")
    private_key: FileName = Field(description="A PEM file with its private key.")
    client_ca: Maybe[FileName] = Field(None, description="A PEM file: who signs the certificates of operators.")


class OperatorSection(Section):
    """Somebody who may use the Admin API, known by exactly one thing."""

    token_sha256: Maybe[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        None, description="The SHA-256 of the bearer token, in lower-case hexadecimal."
    )
    certificate: Maybe[Annotated[str, Field(pattern=r"^[A-Z]+=[^\x00-\x1f\x7f]{1,512}$")]] = Field(
        None, description="The subject of a client certificate, such as `CN=alice`."
    )
    may_write: Flag = Field(True, description="Changes are allowed, not only looking.")

    @model_validator(mode="after")
    def _is_known_by_one_thing(self) -> OperatorSection:
        exactly_one(self.model_fields_set, ("token_sha256", "certificate"))
        return self


class AdminSection(Section):
    """The Admin API."""

    listen: Address = Field("127.0.0.1:9901", description="`host:port`; IPv6 addresses stand in brackets.")
    operators: Filled[dict[Name, OperatorSection]] = Field(description="Who may use it, by name.")
    tls: Maybe[AdminTlsSection] = Field(None, description="Speak TLS there. Needed beyond this machine.")
    page: Flag = Field(True, description="An interactive page describes the API.")

    @property
    def is_local(self) -> bool:
        """Whether only this machine can reach it."""
        host = parse_address(self.listen)[0]
        try:
            return ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"

    @model_validator(mode="after")
    def _is_safe(self) -> AdminSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if not self.is_local and self.tls is None:
            yield "listens beyond this machine, which needs tls"
        by_certificate = any(operator.certificate is not None for operator in self.operators.values())
        if by_certificate and (self.tls is None or self.tls.client_ca is None):
            yield "an operator known by a certificate needs tls with client_ca"
