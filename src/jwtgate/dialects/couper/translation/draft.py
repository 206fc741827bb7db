"""The document while it is written: what several blocks of a configuration add to, by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.couper.reading.configuration import AccessControl, Configuration
from jwtgate.dialects.couper.translation.notebook import Notebook
from jwtgate.dialects.dialect import Settings, as_name, literal

Section = dict[str, Any]


class Draft:
    """The sections of a document that routes refer to, by name."""

    def __init__(self, configuration: Configuration, settings: Settings) -> None:
        self.configuration = configuration
        self.settings = settings
        self.notes = Notebook(configuration)
        self.issuers: dict[str, Section] = {}
        self.signing_keys: dict[str, Section] = {}
        self.profiles: dict[str, Section] = {}
        """What `jwt_sign` of an expression is given, by the label it names."""
        self.upstreams: dict[str, Section] = {}
        self._upstream_names: dict[str, str] = {}

    def control(self, label: str) -> AccessControl:
        """The access control of this label."""
        return self.configuration.access_controls[label]

    def option(self, name: str) -> object:
        """What `settings` says under this name, or `couper_compat` in it; None where neither does."""
        values = self.configuration.settings.values
        compat = values.get("couper_compat")
        return compat.get(name) if isinstance(compat, Mapping) and name in compat else values.get(name)

    def trusted(self, url: str) -> Section:
        """What a section says that may speak TLS with this address: whom to trust, if that was told."""
        told = self.option("ca_file")
        return {"ca_file": literal(told)} if isinstance(told, str) and url.startswith("https:") else {}

    def upstream(self, wanted: str, section: Section) -> str:
        """The name of the upstream with this section: `wanted`, if no other has it already."""
        key = repr(section)
        if key not in self._upstream_names:
            names = (as_name(f"{wanted}#{number}" if number else wanted) for number in range(len(self.upstreams) + 1))
            name = next(each for each in names if each not in self.upstreams)
            self._upstream_names[key] = name
            self.upstreams[name] = section
        return self._upstream_names[key]
