"""What can be said of an expression before there is a request: its value, what it looks at, its members."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from jwtgate.dialects.couper.expressions.compiling import compiled_node
from jwtgate.dialects.couper.expressions.frame import Frame
from jwtgate.dialects.couper.expressions.tree import Node, Place, Unreadable, path_of, read
from jwtgate.jose.encoding import JSON
from jwtgate.policy.expression import ExpressionFailed

_NONE: frozenset[str] = frozenset()
_BODIES = frozenset({"body", "form_body", "json_body"})
_OF_CALLER = frozenset({"context"})


@dataclass(frozen=True, slots=True)
class Needed:
    """What an expression looks at. Names; None stands for all there are.

    `slots` are labels of access controls, `profiles` those of `jwt_sign`, `calls` names of requests to backends.
    `of_request`: more takes part in it than who the caller is.
    """

    env: frozenset[str] | None = _NONE
    slots: frozenset[str] | None = _NONE
    profiles: frozenset[str] | None = _NONE
    calls: frozenset[str] | None = _NONE
    body: bool = False
    of_request: bool = False
    required_permission: bool = False
    environment: bool = False
    granted_permissions: bool = False

    @property
    def static(self) -> bool:
        """Whether it looks at nothing but the environment."""
        looks = self.of_request or self.required_permission or self.granted_permissions
        return not looks and not any(names is None or names for names in (self.slots, self.profiles, self.calls))


def evaluated_statically(text: str, env: Mapping[str, str], *, environment: str = "") -> JSON:
    """The value of an expression that looks at nothing but the environment.

    `ValueError`, with the place in the text, for one that needs a request, that fails, or that is none.
    """
    node = read(text)
    place = next(_dynamic(node), None)
    if place is not None:
        raise Unreadable(place, "this cannot be known before there is a request")
    run = compiled_node(node, {"env": env, "environment": environment})
    try:
        return run(Frame(None))  # type: ignore[arg-type, no-any-return] # it looks at nothing that is known
    except ExpressionFailed as failure:
        raise Unreadable(node[1], str(failure)) from None


def check(text: str) -> None:
    """`ValueError`, with the place in the text, unless this is an expression of variables and functions there are."""
    compiled_node(read(text), {})


def given_needed(text: str) -> Needed:
    """What this expression has to be given. `ValueError` for a text that is none."""
    return needed_by(read(text))


def needed_by(node: Node) -> Needed:
    """What the expression of this tree has to be given."""
    seen = list(_seen(node, _NONE))
    paths = [path for path, _ in seen if path[0] != "()"]
    calls = [path for path, _ in seen if path[0] == "()"]
    of_context = [path[2:] for path in paths if path[:2] == ("request", "context")]
    whole_request = ("request",) in paths
    names = [path[0] if path else None for path in of_context] + [None] * whole_request
    kept = {"granted_permissions", "required_permission"}
    return Needed(
        env=_names(path[1:] for path in paths if path[0] == "env"),
        slots=None if None in names else frozenset(name for name in names if name is not None and name not in kept),
        profiles=_names(path[2:] for path in calls if path[1] == "jwt_sign"),
        calls=_names(_call_of(path) for path in paths if path[0].startswith("backend_")),
        body=whole_request or any(path[:1] == ("request",) and path[1:2] and path[1] in _BODIES for path in paths),
        of_request=any(_is_of_request(path) for path, _ in seen),
        required_permission=None in names or "required_permission" in names,
        environment=any(path[0] == "couper" for path in paths),
        granted_permissions=None in names or "granted_permissions" in names,
    )


def _call_of(path: tuple[str, ...]) -> tuple[str, ...]:
    return ("default",) if path[0] in ("backend_request", "backend_response") else path[1:]


def _names(paths: Iterator[tuple[str, ...]] | Any) -> frozenset[str] | None:
    """The first names of these paths; None when one of them has none."""
    firsts = [path[0] if path else None for path in paths]
    return None if None in firsts else frozenset(name for name in firsts if name is not None)


def _is_of_request(path: tuple[str, ...]) -> bool:
    if path[0] == "()":
        return path[1] in ("jwt_sign", "unixtime")
    if path[0] == "request":
        return path[1:2] != ("context",) or len(path) == 2 or path[2] == "required_permission"
    return path[0].startswith("backend")


def _dynamic(node: Node) -> Iterator[Place]:
    """The places of what needs a request."""
    for path, place in _seen(node, _NONE):
        if path[0] in ("request", "backends") or path[0].startswith("backend_") or _is_of_request(path):
            yield place


def _seen(node: Node, bound: frozenset[str]) -> Iterator[tuple[tuple[str, ...], Place]]:
    """Every path that is looked at, as far as it is written out; and every call, as `("()", name, first text)`."""
    root, steps = path_of(node)
    if root is not None:
        if root not in bound:
            yield (root, *map(str, steps)), node[1]
        return
    if node[0] == "call":
        first = node[3][0] if node[3] and not node[4] else None
        told = (str(first[2]),) if first is not None and first[0] == "constant" else ()
        yield ("()", node[2], *told), node[1]
    inside = bound
    if node[0] == "each":
        inside = bound | {name for name in node[2] if name is not None}
        yield from _seen(node[3], bound)
    for part in node[4:] if node[0] == "each" else node[2:]:
        yield from _within(part, inside)


def _within(part: Any, bound: frozenset[str]) -> Iterator[tuple[tuple[str, ...], Place]]:
    if not isinstance(part, tuple) or not part:
        return
    if isinstance(part[0], str) and len(part) > 2:
        yield from _seen(part, bound)
        return
    for inner in part:
        yield from _within(inner, bound)
