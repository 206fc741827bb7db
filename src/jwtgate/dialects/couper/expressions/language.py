"""The language of Couper's configurations, as documents of ours name it: `{language: couper, expression: …}`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from jwtgate.dialects.couper.expressions.compiling import compiled_node
from jwtgate.dialects.couper.expressions.frame import Constant, Frame, Run
from jwtgate.dialects.couper.expressions.kinds import ordered
from jwtgate.dialects.couper.expressions.special import MARK, Special
from jwtgate.dialects.couper.expressions.static import Needed, check, evaluated_statically, given_needed, needed_by
from jwtgate.dialects.couper.expressions.tree import Node, members_of, pieces_of, read
from jwtgate.jose.encoding import JSON
from jwtgate.policy.expression import ExpressionFailed
from jwtgate.policy.value import Known

__all__ = ["Compiled", "Needed", "check", "compiled", "evaluated_statically", "given_needed", "members_of", "pieces_of"]

EVALUATION = "evaluation"


class Compiled:
    """An expression that can be asked again and again. It travels as its tree, so that nobody reads HCL twice."""

    __slots__ = ("_given", "_node", "_place", "_run", "asks", "of_request", "text")

    def __init__(self, text: str, node: Node, given: Mapping[str, Any]) -> None:
        self.text = text
        self.of_request = needed_by(node).of_request
        self.asks = bool(given["profiles"])
        self._node = node
        self._given = dict(given)
        self._place = str(given.get("place", ""))
        self._run = compiled_node(node, _runs(given))

    def __call__(self, known: Known) -> object:
        """Its JSON value, null for what is not there. Raises `ExpressionFailed`, and `Asks` for a signature."""
        frame = Frame(known)
        try:
            value = self._run(frame)
            if value.__class__ is str or value is None:
                return value
            frame.weigh(value)
            return ordered(value)
        except ExpressionFailed as failure:
            told = f"{self._place}: {failure}" if self._place else str(failure)
            raise ExpressionFailed(told, kind=failure.kind or EVALUATION) from None

    def __reduce__(self) -> tuple[type[Compiled], tuple[str, Node, dict[str, Any]]]:
        return Compiled, (self.text, self._node, self._given)


def compiled(text: str, given: Mapping[str, JSON]) -> Compiled | Special:
    """The expression of this text, with what it is given to look at. `ValueError` when there is none.

    Of `given` it may use: `env` (name to text), `environment`, `place` (what failures begin with), `slots` (label of an
    access control to slot), `calls` (name of a request to call), `required_permission` (an expression), and `profiles`:
    label to `key`, `ttl_seconds`, and the expressions `claims` and `headers`.
    """
    if text.startswith(MARK):
        return Special(text, given)
    return Compiled(text, read(text), _trees(given))


def _trees(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with the trees of all expressions in it."""
    told = dict(given)
    if "required_permission" in told:
        told["required_permission"] = read(told["required_permission"])
    told["profiles"] = {
        label: {**profile, **{part: read(profile[part]) for part in ("claims", "headers") if part in profile}}
        for label, profile in told.get("profiles", {}).items()
    }
    return told


def _runs(given: Mapping[str, Any]) -> dict[str, Any]:
    """The same, with what evaluates these trees. None of them may use what it is part of."""
    told = {name: value for name, value in given.items() if name not in ("profiles", "required_permission")}
    profiles = {
        label: {**profile, **{part: _part(profile.get(part), told) for part in ("claims", "headers")}}
        for label, profile in given["profiles"].items()
    }
    return {
        **told,
        "profiles": profiles,
        "required_permission": _permission(_part(given.get("required_permission"), told)),
    }


def _part(node: Node | None, given: Mapping[str, Any]) -> Run:
    return Constant(None) if node is None else compiled_node(node, given)


def _permission(run: Run) -> Run:
    """The permission for the method of a request, out of an expression that names one, or one for each method."""

    def read_permission(frame: Frame) -> Any:
        value = run(frame)
        if not isinstance(value, dict):
            return value if isinstance(value, str) else None
        by_method = {str(method).upper(): permission for method, permission in value.items()}
        return by_method.get(frame.known.request.method, by_method.get("*"))

    return read_permission
