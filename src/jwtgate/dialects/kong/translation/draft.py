"""The document while it is written: what several objects of Kong add to, and where certificates become files."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from jwtgate.dialects.dialect import Objects, Settings, as_name
from jwtgate.dialects.kong.callers import native_name
from jwtgate.dialects.kong.settings import KongSettings
from jwtgate.dialects.kong.translation.notebook import Notebook, place_of
from jwtgate.dialects.made_files import made_file

FILES = "kong-files"


def _is_plain_http_elsewhere(url: str) -> bool:
    """Whether this would be fetched without TLS, and not from this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" or host == "localhost" or host.endswith(".localhost"):
        return False
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return True


class Draft:
    """The sections of a document that routes refer to, by name."""

    def __init__(self, objects: Objects, settings: Settings) -> None:
        self.objects = objects
        self.settings = settings
        self.notes = Notebook(objects)
        self.issuers: dict[str, dict[str, Any]] = {}
        self.signing_keys: dict[str, dict[str, Any]] = {}
        self.upstreams: dict[str, dict[str, Any]] = {}
        self.plugins: dict[tuple[str | None, str | None], list[Mapping[str, Any]]] = {}
        """The plugins that are on, by the service and the route they belong to."""
        for plugin in self.held("plugins").values():
            scope = tuple(plugin[name]["id"] if plugin[name] else None for name in ("service", "route"))
            if plugin["enabled"]:
                self.plugins.setdefault((scope[0], scope[1]), []).append(plugin)

    @property
    def trusted(self) -> str | None:
        """The file with certificates to trust, if one was told."""
        return self.settings.trusted if isinstance(self.settings, KongSettings) else None

    def held(self, collection: str) -> Mapping[str, Mapping[str, Any]]:
        """The objects of one kind by id."""
        found: Mapping[str, Mapping[str, Any]] = self.objects.get(collection, {})
        return found

    def place(self, collection: str, value: Mapping[str, Any]) -> str:
        """Where an object stands, for notes."""
        return place_of(self.objects, collection, value)

    def consumer(self, text: str | None) -> str | None:
        """Our name of the consumer somebody means by this user name or id; it need not be known yet."""
        if not text:
            return None
        named = next((each for each in self.held("consumers").values() if text in (each["username"], each["id"])), None)
        return as_name(text) if named is None else native_name(named)

    def reached(self, url: str, place: str) -> dict[str, Any]:
        """What a section that fetches from this address says besides; plain http gets a note."""
        found: dict[str, Any] = {} if self.trusted is None else {"ca_file": self.trusted}
        if not _is_plain_http_elsewhere(url):
            return found
        self.notes.dangerous(place, "It is fetched without TLS.")
        return {**found, "insecure_http": True}

    def client_certificate(self, reference: Mapping[str, Any] | None, place: str) -> dict[str, str]:
        """The files with this certificate and its key, as a section names them; nothing if there is none."""
        if reference is None:
            return {}
        held = self.held("certificates").get(reference["id"])
        if held is None:
            self.notes.refused(place, "There is no such certificate.")
            return {}
        names = (self._file(held["cert"], "crt"), self._file(held["key"], "key"))
        return dict(zip(("client_certificate", "client_key"), names, strict=True))

    def ca_file(self, pems: list[str]) -> str:
        """A file with these certificates."""
        return self._file("\n".join(pems), "crt")

    def _file(self, text: str, ending: str) -> str:
        """A file with this text, which only we may read. Its name tells its content."""
        return made_file(self.settings.state_folder / FILES, text, ending)
