"""jwtgate: a JWT gateway and toolkit. The names here are the toolkit; the gateway is the command `jwtgate`."""

from jwtgate.errors import ConfigError, DependencyFault, Fault, KeyRefused, Refusal, TokenRefused
from jwtgate.jose.key import Key, generate_key
from jwtgate.jose.key_set import KeySet
from jwtgate.verifier import (
    ANY,
    Token,
    check_signature,
    import_key,
    import_key_set,
    sign,
    sign_jws,
    thumbprint,
    verify,
    verify_jws,
)

__all__ = [
    "ANY",
    "ConfigError",
    "DependencyFault",
    "Fault",
    "Key",
    "KeyRefused",
    "KeySet",
    "Refusal",
    "Token",
    "TokenRefused",
    "check_signature",
    "generate_key",
    "import_key",
    "import_key_set",
    "sign",
    "sign_jws",
    "thumbprint",
    "verify",
    "verify_jws",
]
