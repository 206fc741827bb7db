"""Every kind of resource has its section, and none shows its value by itself."""

from jwtgate.config.load import STORED_SECTIONS
from jwtgate.control.administration.resources import SECTIONS, Resource


def test_every_section_a_store_may_add_to_is_administered() -> None:
    assert set(SECTIONS.values()) == set(STORED_SECTIONS)


def test_a_resource_does_not_show_its_value() -> None:
    assert "secret" not in repr(Resource("issuers", "a", {"secret": "x"}, 1, "store"))
