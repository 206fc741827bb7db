"""HCL expressions as plain nested tuples: what is compiled, and what travels to a worker.

A node is `(kind, place, …)`, its place the line and column in its own text, from one:

    ("constant", place, value)                     ("name", place, name)
    ("attribute", place, of, name)                 ("index", place, of, by)
    ("splat", place, of, each, after)              the steps of each element, and of the list: ((kind, name or node), …)
    ("text", place, parts)                         ("alone", place, node): a template of one interpolation
    ("list", place, items)                         ("object", place, ((key, value), …))
    ("call", place, name, arguments, spread)       ("not", place, of) ("minus", place, of)
    (operator, place, left, right)                 ("choice", place, condition, yes, no)
    ("each", place, (key, value), of, made key or None, made value, condition or None, grouped)
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from jwtgate.dialects.couper.reading.hcl import BEFORE_EXPRESSION, SyntaxProblem, parse_expression

Tree = Any
"""What the parser makes: `data` names its rule, `children` are trees and tokens, `meta` says where it stands."""
Place = tuple[int, int]
Node = tuple[Any, ...]

MOST_CHARACTERS = 65_536
MOST_DEPTH = 100

_ESCAPE = re.compile(r"\\(u[0-9A-Fa-f]{4}|U[0-9A-Fa-f]{8}|.)", re.DOTALL)
_ESCAPED = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_HEREDOC = re.compile(r"<<(-?)[^\n]*\n(.*?)[ \t]*[a-zA-Z][a-zA-Z0-9._-]*\r?\n\Z", re.DOTALL)
_WHOLE = re.compile(r"-?\d+")
_LITERALS = {"true": True, "false": False, "null": None}
_NEWLINES = ("new_line_or_comment", "NL_OR_COMMENT")


class Unreadable(ValueError):
    """A text that is no expression of HCL. `place` is where, `sentence` why."""

    def __init__(self, place: Place, sentence: str) -> None:
        super().__init__(f"line {place[0]}, column {place[1]}: {sentence}")
        self.place = place
        self.sentence = sentence


@lru_cache(maxsize=4096)
def read(text: str) -> Node:
    """The tree of one expression. `Unreadable` when it is none, or is too long or too deep."""
    return _read(text, 0)


def _read(text: str, depth: int) -> Node:
    if len(text) > MOST_CHARACTERS:
        raise Unreadable((1, 1), f"longer than {MOST_CHARACTERS} characters")
    try:
        tree = parse_expression(text)
    except SyntaxProblem as problem:
        raise Unreadable((problem.line, problem.column), "not an expression of HCL") from None
    return _node(tree, depth)


def _place(tree: Tree) -> Place:
    line, column = getattr(tree.meta, "line", 1), getattr(tree.meta, "column", 1)
    return line, max(1, column - len(BEFORE_EXPRESSION) * (line == 1))


def _parts(tree: Tree) -> list[Any]:
    """What a rule is made of, without line ends and comments."""
    return [part for part in tree.children if part is not None and _kind(part) not in _NEWLINES]


def _kind(part: Any) -> str:
    # A token is a text with a type.
    return str(part.data if hasattr(part, "data") else part.type)


def _inner(tree: Tree) -> list[Tree]:
    """The trees a rule is made of, without its signs and words."""
    return [part for part in _parts(tree) if not isinstance(part, str)]


def members_of(text: str) -> dict[str, str] | None:
    """The texts of the members of an object by their names; None for anything but an object whose names are fixed."""
    read(text)
    tree = _unwrapped(parse_expression(text))
    if tree.data != "object":
        return None
    found: dict[str, str] = {}
    for element in _inner(tree):
        key, _, value = _parts(element)
        name = _key(key, 0)
        if name[0] != "constant" or not isinstance(name[2], str):
            return None
        found[name[2]] = _source(value, text)
    return found


def pieces_of(text: str) -> tuple[tuple[bool, str], ...]:
    """A quoted template in pieces, each True and a text, or False and that of an interpolation; else the text alone."""
    read(text)
    tree = _unwrapped(parse_expression(text))
    if tree.data != "string":
        return ((False, text),)
    pieces = ((part.children[0], _part(part, 0)) for part in _inner(tree))
    return tuple(
        (True, made) if isinstance(made, str) else (False, _source(of.children[1], text)) for of, made in pieces
    )


def _unwrapped(tree: Tree) -> Tree:
    while tree.data == "expr_term" and len(_inner(tree)) == 1:
        tree = _inner(tree)[0]
    return tree


def _source(tree: Tree, text: str) -> str:
    start, end = (at - len(BEFORE_EXPRESSION) for at in (tree.meta.start_pos, tree.meta.end_pos))
    return text[start:end]


def path_of(node: Node) -> tuple[str | None, tuple[str | int, ...]]:
    """The name a path begins with and its steps, as far as they are written out; None for any other tree."""
    steps: list[str | int] = []
    while node[0] != "name":
        if node[0] == "attribute":
            steps.append(node[3])
        elif node[0] == "index" and node[3][0] == "constant" and type(node[3][2]) in (str, int):
            steps.append(node[3][2])
        else:
            return None, ()
        node = node[2]
    return node[2], tuple(reversed(steps))


def _node(tree: Tree, depth: int) -> Node:
    if depth > MOST_DEPTH:
        raise Unreadable(_place(tree), "nested too deeply")
    make = _MAKERS.get(tree.data)
    if make is None:
        raise Unreadable(_place(tree), "not supported in an expression")
    return make(tree, depth + 1)


def _term(tree: Tree, depth: int) -> Node:
    inner = _inner(tree)
    return _node(inner[0], depth)


def _literal(tree: Tree, depth: int) -> Node:
    return "constant", _place(tree), _LITERALS[str(tree.children[0])]


def _number(tree: Tree, depth: int) -> Node:
    text = str(tree.children[0])
    try:
        value = int(text) if _WHOLE.fullmatch(text) and len(text) <= 32 else float(text)
    except ValueError:
        raise Unreadable(_place(tree), "not a number") from None
    if value in (float("inf"), float("-inf")):
        raise Unreadable(_place(tree), "a number that is too large")
    return "constant", _place(tree), int(value) if value == int(value) else value


def _name(tree: Tree, depth: int) -> Node:
    return "name", _place(tree), str(tree.children[0])


def _string(tree: Tree, depth: int) -> Node:
    return _template(_place(tree), [_part(part, depth) for part in _inner(tree)])


def _part(part: Tree, depth: int) -> Node | str:
    """A piece of a quoted template: text, or the tree of an interpolation."""
    inner = part.children[0]
    if not isinstance(inner, str):
        if inner.data != "interpolation":
            raise Unreadable(_place(inner), "directives in templates are not supported")
        return _node(inner.children[1], depth)
    if _kind(inner) in ("ESCAPED_INTERPOLATION", "ESCAPED_DIRECTIVE"):
        return str(inner)[1:]
    return _ESCAPE.sub(lambda found: _unescaped(found[1], part), str(inner))


def _unescaped(escape: str, part: Tree) -> str:
    if escape[0] in "uU" and len(escape) > 1:
        code = int(escape[1:], 16)
        if code > 0x10FFFF or 0xD800 <= code < 0xE000:
            raise Unreadable(_place(part), "no such character")
        return chr(code)
    if escape not in _ESCAPED:
        raise Unreadable(_place(part), "an escape that is not known")
    return _ESCAPED[escape]


def _template(place: Place, parts: list[Node | str]) -> Node:
    """The tree of a template. Neighbouring texts become one; one interpolation alone keeps its type."""
    if len(parts) == 1 and not isinstance(parts[0], str):
        return "alone", place, parts[0]
    joined: list[Node | str] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    if all(isinstance(part, str) for part in joined):
        return "constant", place, "".join(part for part in joined if isinstance(part, str))
    return "text", place, tuple(("constant", place, part) if isinstance(part, str) else part for part in joined)


def _heredoc(tree: Tree, depth: int) -> Node:
    found = _HEREDOC.match(str(tree.children[0]))
    place = _place(tree)
    if found is None:
        raise Unreadable(place, "not a heredoc")
    body = found[2].replace("\r\n", "\n")
    return _template(place, list(_heredoc_parts(_without_indentation(body) if found[1] else body, place, depth)))


def _without_indentation(body: str) -> str:
    """The lines without the blanks that all of them begin with."""
    lines = body.split("\n")
    indented = [len(line) - len(line.lstrip(" \t")) for line in lines if line.strip()]
    least = min(indented, default=0)
    return "\n".join(line[least:] if line.strip() else line.lstrip(" \t") for line in lines)


_MARK = re.compile(r"\$\$\{|%%\{|\$\{|%\{")
_INSIDE = re.compile(r'[{}"]|\\.|\$\{')


def _heredoc_parts(body: str, place: Place, depth: int) -> Iterator[Node | str]:
    at = 0
    while (mark := _MARK.search(body, at)) is not None:
        yield body[at : mark.start()]
        if mark[0] == "%{":
            raise Unreadable(place, "directives in templates are not supported")
        if mark[0] == "${":
            end = _end(body, mark.end(), place)
            yield _moved(_read(body[mark.end() : end], depth), place)
            at = end + 1
        else:
            yield mark[0][1:]
            at = mark.end()
    yield body[at:]


def _end(body: str, start: int, place: Place) -> int:
    """The position of the bracket that ends an interpolation which begins at `start`."""
    closing = ["}"]
    for found in _INSIDE.finditer(body, start):
        quoted = closing[-1] == '"'
        if found[0] == closing[-1]:
            closing.pop()
            if not closing:
                return found.start()
        elif found[0] == '"':
            closing.append('"')
        elif found[0] == "${" or (found[0] == "{" and not quoted):
            closing.append("}")
    raise Unreadable(place, "an interpolation that does not end")


def _moved(part: Any, place: Place) -> Any:
    """The same tree with the place of the heredoc it stands in."""
    if not isinstance(part, tuple):
        return part
    if len(part) == 2 and all(isinstance(number, int) for number in part):
        return place
    return tuple(_moved(inner, place) for inner in part)


def _list(tree: Tree, depth: int) -> Node:
    return "list", _place(tree), tuple(_node(part, depth) for part in _inner(tree))


def _object(tree: Tree, depth: int) -> Node:
    members = []
    for element in _inner(tree):
        key, _, value = _parts(element)
        members.append((_key(key, depth), _node(value, depth)))
    return "object", _place(tree), tuple(members)


def _key(tree: Tree, depth: int) -> Node:
    """The key of a member. A bare word is a text, whatever it means elsewhere."""
    inner: Tree = tree.children[0]
    while inner.data == "expr_term" and len(inner.children) == 1:
        inner = inner.children[0]
    if inner.data in ("identifier", "keyword", "literal_value"):
        return "constant", _place(inner), str(inner.children[0])
    return _node(inner, depth)


def _attribute(tree: Tree, depth: int) -> Node:
    of, step = tree.children
    return "attribute", _place(tree), _node(of, depth), _step_name(step)


def _step_name(step: Any) -> str:
    return str(step.children[1].children[0])


def _index(tree: Tree, depth: int) -> Node:
    of, step = tree.children
    return "index", _place(tree), _node(of, depth), _step_index(step, depth)


def _step_index(step: Any, depth: int) -> Node:
    if step.data == "short_index":
        return "constant", _place(step), int(step.children[1])
    return _node(_inner(step)[0], depth)


def _splat(tree: Tree, depth: int) -> Node:
    of, splat = tree.children
    steps: list[tuple[str, Any]] = []
    for step in _inner(splat):
        named = step.data == "get_attr"
        steps.append(("attribute", _step_name(step)) if named else ("index", _step_index(step, depth)))
    of_each = len(steps)
    if tree.data == "attr_splat_expr_term":
        # After `.*` an index is one of the list that was made.
        of_each = next((at for at, (kind, _) in enumerate(steps) if kind == "index"), of_each)
    return "splat", _place(tree), _node(of, depth), tuple(steps[:of_each]), tuple(steps[of_each:])


def _call(tree: Tree, depth: int) -> Node:
    parts = _parts(tree)
    name = "::".join(str(part.children[0]) for part in parts if not isinstance(part, str) and part.data == "identifier")
    inside = next((_parts(part) for part in parts if not isinstance(part, str) and part.data == "arguments"), [])
    arguments = tuple(_node(part, depth) for part in inside if not isinstance(part, str))
    spread = any(_kind(part) == "ELLIPSIS" for part in inside)
    return "call", _place(tree), name, arguments, spread


def _unary(tree: Tree, depth: int) -> Node:
    sign, of = tree.children
    return "not" if sign == "!" else "minus", _place(tree), _node(of, depth)


def _binary(tree: Tree, depth: int) -> Node:
    left, term = _parts(tree)
    operator, right = _parts(term)
    # The lexer puts the line ends and comments before a sign into it.
    sign = str(operator.children[0]).rsplit("\n", 1)[-1].strip()
    return sign, _place(tree), _node(left, depth), _node(right, depth)


def _choice(tree: Tree, depth: int) -> Node:
    condition, yes, no = _inner(tree)
    return "choice", _place(tree), _node(condition, depth), _node(yes, depth), _node(no, depth)


def _each(tree: Tree, depth: int) -> Node:
    inside = _inner(tree)
    intro = _inner(inside[0])
    *names, of = intro
    bound = tuple(str(name.children[0]) for name in names)
    condition = next((_parts(part)[-1] for part in inside if part.data == "for_cond"), None)
    made = [_node(part, depth) for part in inside[1:] if part.data != "for_cond"]
    grouped = any(_kind(part) == "ELLIPSIS" for part in tree.children)
    return (
        "each",
        _place(tree),
        (bound[0] if len(bound) == 2 else None, bound[-1]),
        _node(of, depth),
        made[0] if len(made) == 2 else None,
        made[-1],
        None if condition is None else _node(condition, depth),
        grouped,
    )


_MAKERS: dict[str, Callable[[Tree, int], Node]] = {
    "expr_term": _term,
    "literal_value": _literal,
    "int_lit": _number,
    "float_lit": _number,
    "identifier": _name,
    "string": _string,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "tuple": _list,
    "object": _object,
    "get_attr_expr_term": _attribute,
    "index_expr_term": _index,
    "attr_splat_expr_term": _splat,
    "full_splat_expr_term": _splat,
    "function_call": _call,
    "unary_op": _unary,
    "binary_op": _binary,
    "conditional": _choice,
    "for_tuple_expr": _each,
    "for_object_expr": _each,
}
