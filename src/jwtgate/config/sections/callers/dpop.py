"""What is asked of the proof that comes with a token bound to a key (RFC 9449)."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from jwtgate.config.sections.section import Alg, Filled, Flag, Maybe, Section, Whole
from jwtgate.jose.algorithms import DEFAULT_ALGORITHMS, is_mac


def _signing(value: tuple[str, ...]) -> tuple[str, ...]:
    if any(map(is_mac, value)):
        raise ValueError("a proof brings a public key, and a MAC has none")
    if len(set(value)) < len(value):
        raise ValueError("names an algorithm twice")
    return value


class DpopSection(Section):
    """What is asked of a proof."""

    algorithms: Annotated[Filled[tuple[Alg, ...]], AfterValidator(_signing)] = Field(
        tuple(sorted(DEFAULT_ALGORITHMS)), description="The algorithms of proofs, as a challenge names them."
    )
    most_age_seconds: Annotated[Whole, Field(ge=1, le=300)] = Field(
        60, description="How far the `iat` of a proof may lie from now, before or after."
    )
    nonce_seconds: Maybe[Annotated[Whole, Field(ge=10, le=3600)]] = Field(
        None,
        description="A proof must carry a nonce of ours, which changes so often; the one before is still taken. A "
        "client is told of it by a refusal. Default: none is asked for.",
    )
    replay_not_refused_for_legacy_clients: Flag = Field(
        False, description="The same proof is taken again while it is young enough. Dangerous."
    )
    ec_keys_may_be_called_ecdsa_for_legacy_clients: Flag = Field(
        False, description="The key in a proof may have `ECDSA` for its type where RFC 7518 says `EC`."
    )
