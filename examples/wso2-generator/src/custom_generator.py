"""Backend claims for services that know no tenants, and want to know when the token was made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.wso2.tokens.context import ValidationContext
from jwtgate.dialects.wso2.tokens.generator import BackendJwtGenerator

SUPER_TENANT = "@carbon.super"


class CustomTokenGenerator(BackendJwtGenerator):
    """The claims of the generator it is derived from, with these changes."""

    def populate_standard_claims(self, context: ValidationContext) -> dict[str, Any]:
        """No user stands behind a token of an application; the super tenant goes without saying."""
        claims = super().populate_standard_claims(context)
        dialect = self.get_dialect_uri()
        user, tenant = f"{dialect}/enduser", f"{dialect}/enduserTenantId"
        if context.token.is_application_token:
            return claims | {user: "null", tenant: "null"}
        if user in claims:
            claims[user] = claims[user].removesuffix(SUPER_TENANT)
        return claims

    def populate_custom_claims(self, context: ValidationContext) -> Mapping[str, Any]:
        """Two claims no other generator makes."""
        return {"current_timestamp": str(context.now * 1000), "messge": "This is custom JWT"}
