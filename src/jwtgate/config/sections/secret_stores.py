"""The `secret_stores` section: where the secrets are kept that `${NAME:PATH#FIELD}` refers to."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from jwtgate.config.sections.section import (
    FileName,
    Flag,
    LongSeconds,
    Maybe,
    Secret,
    Section,
    Text,
    Url,
    exactly_one,
    is_plain_http_elsewhere,
    raise_all,
)

KINDS = ("vault", "aws", "gcp")


def _not_built_in(value: str) -> str:
    if value in ("env", "file"):
        raise ValueError("env and file are there already")
    return value


StoreName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,63}$"), AfterValidator(_not_built_in)]
VaultPath = Annotated[str, Field(pattern=r"^[A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*$")]


class AppRoleSection(Section):
    """Logging in as a role with a secret."""

    role_id: Text = Field(description="The role.")
    secret_id: Secret = Field(description="Its secret, best as a reference.")
    mount: VaultPath = Field("approle", description="Where the method is mounted.")


class KubernetesSection(Section):
    """Logging in with the service account of a pod."""

    role: Text = Field(description="The role.")
    token_file: FileName = Field(
        "/var/run/secrets/kubernetes.io/serviceaccount/token", description="The token of the service account."
    )
    mount: VaultPath = Field("kubernetes", description="Where the method is mounted.")


class VaultAuthSection(Section):
    """How we log in: exactly one way."""

    token: Maybe[Secret] = Field(None, description="A token, best as a reference.")
    approle: Maybe[AppRoleSection] = Field(None, description="A role with a secret.")
    kubernetes: Maybe[KubernetesSection] = Field(None, description="The service account of a pod.")

    @model_validator(mode="after")
    def _is_one_way(self) -> VaultAuthSection:
        exactly_one(self.model_fields_set, ("token", "approle", "kubernetes"))
        return self


class VaultSection(Section):
    """A HashiCorp Vault, or OpenBao."""

    address: Url = Field(description="Its address.")
    mount: VaultPath = Field("secret", description="Where the key/value engine is mounted.")
    version: Literal[1, 2] = Field(2, description="The version of that engine.")
    namespace: Maybe[Text] = Field(None, description="The namespace.")
    auth: VaultAuthSection = Field(description="How we log in.")
    ca_file: Maybe[FileName] = Field(None, description="Certificates to trust instead of the system's.")
    insecure_http: Flag = Field(False, description="Plain http may be used to hosts other than this one. Dangerous.")

    @model_validator(mode="after")
    def _is_safe(self) -> VaultSection:
        if not self.insecure_http and is_plain_http_elsewhere(self.address):
            raise ValueError("secrets are fetched by https; plain http reaches this host only, or needs insecure_http")
        return self


class AwsSection(Section):
    """AWS Secrets Manager."""

    region: Maybe[Text] = Field(None, description="The region. Default: that of the environment.")
    endpoint: Maybe[Url] = Field(None, description="Another address than that of AWS.")
    access_key_id: Maybe[Text] = Field(None, description="The access key. Default: as AWS tools find it.")
    secret_access_key: Maybe[Secret] = Field(None, description="Its secret, best as a reference.")
    session_token: Maybe[Secret] = Field(None, description="The token of a temporary access key.")

    @model_validator(mode="after")
    def _fits_together(self) -> AwsSection:
        raise_all(self._mistakes())
        return self

    def _mistakes(self) -> Iterator[str]:
        if (self.access_key_id is None) != (self.secret_access_key is None):
            yield "access_key_id and secret_access_key need each other"
        if self.session_token is not None and self.access_key_id is None:
            yield "session_token needs access_key_id"
        if self.endpoint is not None and is_plain_http_elsewhere(self.endpoint):
            yield "secrets are fetched by https; plain http reaches this host only"


class GcpSection(Section):
    """GCP Secret Manager."""

    project: Maybe[Text] = Field(None, description="The project. Default: that of the service account.")
    credentials_file: Maybe[FileName] = Field(None, description="A service account. Default: as GCP tools find it.")
    credentials: Maybe[Secret] = Field(
        None, description="The JSON text of a service account instead of a file, best as a reference."
    )
    endpoint: Maybe[Url] = Field(None, description="Another address than that of GCP.")

    @model_validator(mode="after")
    def _is_safe(self) -> GcpSection:
        if self.credentials is not None and self.credentials_file is not None:
            raise ValueError("credentials and credentials_file exclude each other")
        if self.project is None and self.credentials is None and self.credentials_file is None:
            raise ValueError("needs project, or a service account, which has one")
        if self.endpoint is not None and is_plain_http_elsewhere(self.endpoint):
            raise ValueError("secrets are fetched by https; plain http reaches this host only")
        return self


class SecretStoreSection(Section):
    """One place secrets are kept: exactly one kind. Its members may refer to `env` and `file` only."""

    vault: Maybe[VaultSection] = Field(None, description="In a HashiCorp Vault, or an OpenBao.")
    aws: Maybe[AwsSection] = Field(None, description="In AWS Secrets Manager.")
    gcp: Maybe[GcpSection] = Field(None, description="In GCP Secret Manager.")
    refresh_seconds: LongSeconds = Field(300, description="Age at which its values are read again.")
    max_stale_seconds: LongSeconds = Field(
        604800, description="How long the last values are used while it cannot be reached."
    )
    may_be_away: Flag = Field(
        False,
        description="A document also loads while it cannot be read; credentials of consumers that need its values "
        "cannot be used meanwhile. Where anything else needs them, the document waits for it all the same.",
    )

    @property
    def kind(self) -> str:
        """The name of the kind."""
        return exactly_one(self.model_fields_set, KINDS)

    @model_validator(mode="after")
    def _is_one_kind(self) -> SecretStoreSection:
        exactly_one(self.model_fields_set, KINDS)
        return self
