"""Which route a request belongs to where the document lists them in order: the first that takes it.

A request meets only the routes its host and its path may belong to: whole paths are looked up, and beginnings of paths
by each length in use.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv4Network, IPv6Network, ip_address
from typing import TYPE_CHECKING

from jwtgate.errors import AccessRefused
from jwtgate.policy.expression import Expression, ExpressionAmbiguous, ExpressionFailed, ExpressionTooCostly
from jwtgate.policy.request import cookie_members, request_members
from jwtgate.policy.rooms.match import ANY_HOST, host_beginnings, host_names
from jwtgate.policy.traffic.forwarding import PathForm

if TYPE_CHECKING:
    from jwtgate.policy.plan import Route
    from jwtgate.policy.request import RequestView

_ANY_PATH = (PathForm(),)


@dataclass(frozen=True, slots=True)
class Conditions:
    """What a route asks of a request besides its host and path. None: nothing of that kind.

    `fields` are names in lower case with their values in lower case: one line of each must have one of them.
    """

    methods: frozenset[str] | None = None
    schemes: frozenset[str] | None = None
    ports: frozenset[int] | None = None
    clients: tuple[IPv4Network | IPv6Network, ...] | None = None
    fields: tuple[tuple[bytes, frozenset[bytes]], ...] = ()
    when: Expression | None = None

    @property
    def ask_more(self) -> bool:
        """Whether the method does not say everything."""
        return bool(self.schemes or self.ports or self.clients or self.fields or self.when)

    def hold(self, asked: Asked) -> bool:
        """Whether all that is asked besides the method is so. Refuses `condition_not_met` where that is too costly."""
        request = asked.request
        if self.schemes is not None and request.scheme not in self.schemes:
            return False
        if self.ports is not None and request.port not in self.ports:
            return False
        if self.clients is not None and not _is_in(request.client, self.clients):
            return False
        for name, wanted in self.fields:
            if not any(value.lower() in wanted for value in request.field_values(name)):
                return False
        return self.when is None or _is_true(self.when, asked)


def _is_in(client: str, networks: Iterable[IPv4Network | IPv6Network]) -> bool:
    try:
        address = ip_address(client.partition("%")[0])
    except ValueError:  # a client without an address is in no network
        return False
    address = getattr(address, "ipv4_mapped", None) or address
    return any(address in network for network in networks)


def _is_true(expression: Expression, asked: Asked) -> bool:
    try:
        return expression(asked.variables) is True
    except (ExpressionTooCostly, ExpressionAmbiguous) as failure:
        # Whoever sends much, or the same thing twice, must not choose another route by that.
        raise AccessRefused("condition_not_met", expression=expression.text, cause=str(failure)) from None
    except ExpressionFailed:
        return False


class Asked:
    """The request a route is looked for, put together once, when first asked for."""

    def __init__(self, view: Callable[[], RequestView]) -> None:
        self._view = view

    @cached_property
    def request(self) -> RequestView:
        """The request."""
        return self._view()

    @cached_property
    def variables(self) -> Mapping[str, object]:
        """What an expression may name: `request`, here with its cookies."""
        return {"request": {**request_members(self.request, {}), "cookies": cookie_members(self.request)}}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One form of the paths of one route, and its place in the order.

    `form` None: the index says all of it. `conditions` None: the method is all that is asked.
    """

    place: int
    route: Route
    methods: frozenset[str] | None
    form: PathForm | None
    conditions: Conditions | None


class _Table:
    """The routes of one name of a host: whole paths, and beginnings of paths with the lengths there are."""

    __slots__ = ("beginnings", "lengths", "whole")

    def __init__(self) -> None:
        self.whole: dict[str, list[_Entry]] = {}
        self.beginnings: dict[str, list[_Entry]] = {}
        self.lengths: list[int] = []

    def add(self, form: PathForm, entry: _Entry) -> None:
        held, length = self.whole if form.whole else self.beginnings, len(form.literal)
        held.setdefault(form.literal, []).append(entry)
        if not form.whole and length not in self.lengths:
            self.lengths = sorted([*self.lengths, length])

    def gather(self, path: str, found: list[_Entry]) -> None:
        """Add those that may take this path to `found`."""
        if entries := self.whole.get(path):
            found += entries
        for length in self.lengths:
            if length > len(path):
                return
            if entries := self.beginnings.get(path[:length]):
                found += entries


class ListedRouter:
    """An index of routes in their order; a look-up costs one step a length in use and one a route that may fit."""

    __slots__ = ("_count", "_ends_open", "_hosts_matter", "_tables")

    def __init__(self) -> None:
        self._tables: dict[str, _Table] = {}
        self._hosts_matter = False
        self._ends_open = False
        self._count = 0

    def add(self, route: Route, forms: Iterable[PathForm], *, hosts: Iterable[str], conditions: Conditions) -> None:
        """Put a route behind those already there. No forms: every path. No hosts: every host."""
        for host in tuple(hosts) or (ANY_HOST,):
            self._hosts_matter = self._hosts_matter or host != ANY_HOST
            self._ends_open = self._ends_open or host.endswith(".*")
            table = self._tables.setdefault(host.removeprefix("*").removesuffix("*"), _Table())
            for form in tuple(forms) or _ANY_PATH:
                settled = not form.segments and form.pattern is None
                asked = conditions if conditions.ask_more else None
                entry = _Entry(self._count, route, conditions.methods, None if settled else form, asked)
                table.add(form, entry)
        self._count += 1

    def find(self, method: str, host: str, path: str, view: Callable[[], RequestView]) -> Route | None:
        """The first route that takes this request. `host` is lower case and without its port.

        `view` is only asked for where a route looks at more of the request.
        """
        found: list[_Entry] = []
        for name in self._names(host):
            table = self._tables.get(name)
            if table is not None:
                table.gather(path, found)
        if len(found) > 1:
            found.sort(key=_place)
        asked: Asked | None = None
        for entry in found:
            if entry.methods is not None and method not in entry.methods:
                continue
            if entry.form is not None and entry.form.end(path) is None:
                continue
            if entry.conditions is None:
                return entry.route
            asked = asked or Asked(view)
            if entry.conditions.hold(asked):
                return entry.route
        return None

    def _names(self, host: str) -> Iterable[str]:
        if not self._hosts_matter:
            return (ANY_HOST,)
        return (*host_names(host), *(host_beginnings(host) if self._ends_open else ()))


def _place(entry: _Entry) -> int:
    return entry.place
