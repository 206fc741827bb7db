"""A file of Couper served as it is, and the same said in a document of ours."""

from pathlib import Path

from jwtgate.dialects.couper.translation.access_log import LINE

from .contestants import Place
from .dialects import Pair, served
from .ours import HOT_ROUTES, prefixes, serving
from .processes import free_port
from .tokens import ISSUER

BLOCKS: dict[str, tuple[str, dict[str, object]]] = {
    "plain": ('required_claims = ["sub"]', {"claims": [{"claim": "sub", "required": True}]}),
    "expression": (
        f'claims = {{ iss = default(request.headers.x-issuer, "{ISSUER}") }}',
        {
            "require": [
                f"token.access.iss == ('x-issuer' in request.headers ? request.headers['x-issuer'] : '{ISSUER}')"
            ]
        },
    ),
}
"""What a `jwt` block says besides, and what a route of ours says instead: nothing of the request, or a look at it."""


def couper(place: Place, requests: Path, block: str) -> Pair:
    """Endpoints that proxy for callers whose tokens are verified by a JWK Set in a file."""
    theirs, said = BLOCKS[block]
    port, origin = free_port(), f"http://127.0.0.1:{place.upstream}"
    keys = place.folder / "jwks.json"
    native = {
        "listen": f"127.0.0.1:{port}",
        "access_log": {"members": LINE},
        "issuers": {
            "access": {"issuer": ISSUER, "keys": {"file": str(keys)}, "algorithms": ["RS256"], "audience": "any"}
        },
        "upstreams": {"echo": {"targets": [origin]}},
        "routes": {
            f"r{number}": {
                "path": f"{prefix}/*",
                "auth": "required",
                "issuers": ["access"],
                **said,
                "request_headers": {"remove": ["Cookie"]},
                "response_headers": {"set": {"Server": "couper.io"}},
                "upstream": "echo",
            }
            for number, prefix in enumerate(prefixes(HOT_ROUTES))
        },
    }
    endpoints = "\n".join(
        f'  endpoint "{prefix}/**" {{ proxy {{ backend = "echo" }} }}' for prefix in prefixes(HOT_ROUTES)
    )
    text = f"""
server {{
  access_control = ["access"]
{endpoints}
}}
definitions {{
  backend "echo" {{ origin = "{origin}" }}
  jwt "access" {{
    jwks_url = "{keys}"
    {theirs}
  }}
}}
"""
    return Pair(
        served("couper", place, text, ending="hcl"),
        serving(f"jwtgate as couper {block}", place.folder, port, written=native),
        place,
        requests,
    )
