"""Both kinds of gateway can be administered."""

import pytest

from jwtgate.control.administration.host import Host
from jwtgate.control.embedded import EmbeddedGateway
from jwtgate.control.node import Node


@pytest.mark.parametrize("kind", [Node, EmbeddedGateway])
def test_a_gateway_offers_what_an_administration_asks_for(kind: type) -> None:
    asked = {name for name in vars(Host) if not name.startswith("_")}
    assert asked == {"running", "build", "check", "take", "drop", "caught_up", "report"}
    assert asked <= set(dir(kind))
