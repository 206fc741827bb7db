"""JSON Web Tokens for a Kamailio script: the functions of its `jwt` module, in Python."""

from jwtgate.integrations.kamailio.calls import (
    configure,
    forget_keys,
    jwt,
    jwt_generate,
    jwt_generate_hdrs,
    jwt_verify,
    jwt_verify_key,
)
from jwtgate.integrations.kamailio.claims.templates import pv
from jwtgate.integrations.kamailio.passport import Passport, identity
from jwtgate.integrations.kamailio.server import variable
from jwtgate.integrations.kamailio.settings import Policy

__all__ = [
    "Passport",
    "Policy",
    "configure",
    "forget_keys",
    "identity",
    "jwt",
    "jwt_generate",
    "jwt_generate_hdrs",
    "jwt_verify",
    "jwt_verify_key",
    "pv",
    "variable",
]
