"""Trees of expressions to closures: whatever does not depend on a request is worked out here, once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from jwtgate.dialects.couper.expressions.frame import Constant, Frame, Run
from jwtgate.dialects.couper.expressions.functions import PURE, REFUSED, Function
from jwtgate.dialects.couper.expressions.kinds import equal, member, text_of, truth_of
from jwtgate.dialects.couper.expressions.loops import each, splat
from jwtgate.dialects.couper.expressions.operators import OPERATORS, negative
from jwtgate.dialects.couper.expressions.signing import jwt_sign
from jwtgate.dialects.couper.expressions.tree import Node, Unreadable, path_of
from jwtgate.dialects.couper.expressions.variables import ROOTS, Given, along, reader
from jwtgate.policy.expression import ExpressionFailed

Scope = frozenset[str]
"""The names that loops have bound."""


def compiled_node(node: Node, given: Given, scope: Scope = frozenset()) -> Run:
    """What evaluates this tree. `Unreadable` for a function or a variable that does not exist."""
    root, steps = path_of(node)
    if root is not None and root not in scope:
        run = reader(root, steps, given)
        if run is None:
            raise Unreadable(node[1], f"there is no variable {root}; there are {', '.join(sorted(ROOTS))}")
        return run
    return _MAKERS.get(node[0], _binary)(node, given, scope)


def _folded(run: Run, parts: tuple[Run, ...]) -> Run:
    """The value itself where all that it is made of is known; what fails then fails later as well."""
    if not all(isinstance(part, Constant) for part in parts):
        return run
    try:
        return Constant(run(Frame(None)))  # type: ignore[arg-type] # constants ask for nothing that is known
    except ExpressionFailed:
        return run


def _constant(node: Node, given: Given, scope: Scope) -> Run:
    return Constant(node[2])


def _name(node: Node, given: Given, scope: Scope) -> Run:
    name = node[2]
    return lambda frame: frame.bound[name]


def _attribute(node: Node, given: Given, scope: Scope) -> Run:
    return along(compiled_node(node[2], given, scope), (node[3],))


def _index(node: Node, given: Given, scope: Scope) -> Run:
    of, by = compiled_node(node[2], given, scope), compiled_node(node[3], given, scope)
    if isinstance(by, Constant) and isinstance(by.value, (str, int)):
        return along(of, (by.value,))
    return _folded(lambda frame: member(of(frame), by(frame)), (of, by))


def _splat(node: Node, given: Given, scope: Scope) -> Run:
    of = compiled_node(node[2], given, scope)
    per_element, after = (
        tuple(Constant(by) if kind == "attribute" else compiled_node(by, given, scope) for kind, by in steps)
        for steps in node[3:5]
    )
    return splat(of, per_element, after)


def _text(node: Node, given: Given, scope: Scope) -> Run:
    parts = tuple(compiled_node(part, given, scope) for part in node[2])

    def run(frame: Frame) -> str:
        texts = []
        for part in parts:
            value = part(frame)
            text = value if isinstance(value, str) else "" if value is None else text_of(value)
            frame.spend(len(text))
            texts.append(text)
        return "".join(texts)

    return _folded(run, parts)


def _alone(node: Node, given: Given, scope: Scope) -> Run:
    inner = compiled_node(node[2], given, scope)

    def run(frame: Frame) -> Any:
        value = inner(frame)
        return "" if value is None else value

    return _folded(run, (inner,))


def _list(node: Node, given: Given, scope: Scope) -> Run:
    items = tuple(compiled_node(item, given, scope) for item in node[2])
    return _folded(lambda frame: [item(frame) for item in items], items)


def _object(node: Node, given: Given, scope: Scope) -> Run:
    pairs = tuple((compiled_node(key, given, scope), compiled_node(value, given, scope)) for key, value in node[2])
    if all(isinstance(key, Constant) and isinstance(key.value, str) for key, _ in pairs):
        named = tuple((key.value, value) for key, value in pairs if isinstance(key, Constant))
        return _folded(lambda frame: {name: value(frame) for name, value in named}, tuple(value for _, value in pairs))
    return _folded(
        lambda frame: {text_of(key(frame)): value(frame) for key, value in pairs},
        tuple(part for pair in pairs for part in pair),
    )


def _not(node: Node, given: Given, scope: Scope) -> Run:
    of = compiled_node(node[2], given, scope)
    return _folded(lambda frame: not truth_of(of(frame)), (of,))


def _minus(node: Node, given: Given, scope: Scope) -> Run:
    of = compiled_node(node[2], given, scope)
    return _folded(lambda frame: negative(of(frame)), (of,))


def _binary(node: Node, given: Given, scope: Scope) -> Run:
    left, right = compiled_node(node[2], given, scope), compiled_node(node[3], given, scope)
    return _folded(_operation(node[0], left, right), (left, right))


def _operation(sign: str, left: Run, right: Run) -> Run:
    if sign == "&&":
        return lambda frame: truth_of(left(frame)) and truth_of(right(frame))
    if sign == "||":
        return lambda frame: truth_of(left(frame)) or truth_of(right(frame))
    if sign in ("==", "!="):
        wanted = sign == "=="

        def compare(frame: Frame) -> bool:
            one, other = left(frame), right(frame)
            if isinstance(one, (list, dict)):
                frame.weigh(one)
            return equal(one, other) is wanted

        return compare
    operator = OPERATORS[sign]
    return lambda frame: operator(left(frame), right(frame))


def _choice(node: Node, given: Given, scope: Scope) -> Run:
    condition, yes, no = (compiled_node(part, given, scope) for part in node[2:5])
    if isinstance(condition, Constant) and isinstance(condition.value, bool):
        return yes if condition.value else no
    return lambda frame: yes(frame) if truth_of(condition(frame)) else no(frame)


def _each(node: Node, given: Given, scope: Scope) -> Run:
    names, of, key, value, condition, grouped = node[2:8]
    inside = scope | {name for name in names if name is not None}
    return each(
        names,
        compiled_node(of, given, scope),
        key=None if key is None else compiled_node(key, given, inside),
        value=compiled_node(value, given, inside),
        condition=None if condition is None else compiled_node(condition, given, inside),
        grouped=grouped,
    )


def _call(node: Node, given: Given, scope: Scope) -> Run:
    place, name, written, spread = node[1:5]
    arguments = tuple(compiled_node(argument, given, scope) for argument in written)
    special = _SPECIAL.get(name)
    function = PURE.get(name) or (special[0] if special else None)
    if name in REFUSED:
        raise Unreadable(place, f"the function {name} is not supported here")
    if function is None:
        raise Unreadable(place, f"there is no function {name}; there are {', '.join(sorted((*PURE, *_SPECIAL)))}")
    if not spread and not function.takes(len(arguments)):
        raise Unreadable(place, f"{name} is given {len(arguments)} arguments")
    if special is not None:
        if spread:
            raise Unreadable(place, f"the arguments of {name} must be written out")
        return special[1](arguments, given)
    return _folded(_pure(name, function, arguments, spread=spread), arguments)


def _pure(name: str, function: Function, arguments: tuple[Run, ...], *, spread: bool) -> Run:
    call = function.call
    if len(arguments) == 1 and not spread:
        only = arguments[0]

        def one(frame: Frame) -> Any:
            value = only(frame)
            if isinstance(value, (str, list, dict)):
                frame.weigh(value)
            return _made(name, call, (value,))

        return one

    def run(frame: Frame) -> Any:
        values = [argument(frame) for argument in arguments]
        if spread:
            values += _spread(values.pop())
            if not function.takes(len(values)):
                raise ExpressionFailed(f"{name} is given {len(values)} arguments")
        weight = sum(frame.weigh(value) for value in values)
        if function.squared and values:
            frame.spend(weight * (len(values[0]) if isinstance(values[0], (str, list)) else 1))
        return _made(name, call, tuple(values))

    return run


def _made(name: str, call: Callable[..., Any], values: tuple[Any, ...]) -> Any:
    try:
        return call(*values)
    except ExpressionFailed as failure:
        raise ExpressionFailed(f"{name}: {failure}") from None
    except ValueError:
        raise ExpressionFailed(f"{name}: not such a text") from None


def _spread(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ExpressionFailed("only a list can be spread over arguments")
    return value


def _default(arguments: tuple[Run, ...], given: Given) -> Run:
    def run(frame: Frame) -> Any:
        value = None
        for argument in arguments:
            value = argument(frame)
            if value is not None:
                return value
        return value

    return _folded(run, arguments)


def _can(arguments: tuple[Run, ...], given: Given) -> Run:
    only = arguments[0]

    def run(frame: Frame) -> bool:
        try:
            only(frame)
        except ExpressionFailed:
            return False
        return True

    return _folded(run, arguments)


def _unixtime(arguments: tuple[Run, ...], given: Given) -> Run:
    return lambda frame: int(frame.known.now)


_SPECIAL: dict[str, tuple[Function, Callable[[tuple[Run, ...], Given], Run]]] = {
    "can": (Function(1, 1), _can),
    "default": (Function(1, None), _default),
    "jwt_sign": (Function(1, 2), jwt_sign),
    "unixtime": (Function(0, 0), _unixtime),
}
_MAKERS: dict[str, Callable[[Node, Given, Scope], Run]] = {
    "constant": _constant,
    "name": _name,
    "attribute": _attribute,
    "index": _index,
    "splat": _splat,
    "text": _text,
    "alone": _alone,
    "list": _list,
    "object": _object,
    "not": _not,
    "minus": _minus,
    "choice": _choice,
    "each": _each,
    "call": _call,
}
