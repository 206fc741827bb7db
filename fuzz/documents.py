"""Documents, patterns and expressions: whatever is written, it is used as it reads, or refused with a sentence."""

from __future__ import annotations

import pickle

from jwtgate.config.compile.document import compile_document
from jwtgate.config.expressions import compiled_expression
from jwtgate.config.load import load_document
from jwtgate.config.patterns import PathPattern, Pattern
from jwtgate.config.source import read_source, yaml_text
from jwtgate.errors import ConfigError
from jwtgate.policy.value import ExpressionFailed

from .places import HERE

NAMES = ("fuzz.yaml", "fuzz.json", "fuzz.toml")
VARIABLES = {
    "token": {"sub": "anna", "roles": ["a", "b"], "n": 3, "nested": {"x": None}},
    "request": {"method": "GET", "path": "/a", "host": "h", "query": {}, "headers": {}, "cookies": {}},
}


def documents(data: bytes) -> None:
    """A document in YAML, JSON or TOML, by the first byte: nothing but `ConfigError`, down to the plan."""
    name, text = NAMES[data[0] % len(NAMES)] if data else NAMES[0], data[1:]
    try:
        plain = read_source(text, name).data
    except ConfigError as error:
        _check_sentences(error, name)
        return
    if not _holds_dates(plain):
        assert read_source(yaml_text(plain).encode(), "again.yaml").data == plain
    try:
        document = load_document(text, name=name, folder=HERE / "nowhere", resolve=lambda text: text)
        compile_document(document)
    except ConfigError as error:
        _check_sentences(error, name)


def _check_sentences(error: ConfigError, name: str) -> None:
    assert error.problems
    assert all(problem.startswith(name) and "\n" not in problem for problem in error.problems), error.problems


def _holds_dates(plain: object) -> bool:
    """Whether something here is neither JSON nor finite, and so has no form of its own in every syntax."""
    if isinstance(plain, dict):
        return any(map(_holds_dates, plain.values()))
    if isinstance(plain, list):
        return any(map(_holds_dates, plain))
    return not isinstance(plain, str | int | float | None) or plain != plain


def patterns(data: bytes) -> None:
    """A pattern, and behind a zero byte what it is tried on and put in its place: `ValueError`, or a plain answer."""
    text, value, replacement = [*data.decode("utf-8", "surrogateescape").split("\0"), "", ""][:3]
    try:
        pattern = Pattern(text)
    except ValueError:
        pass
    else:
        assert isinstance(pattern(value), bool)
        assert pickle.loads(pickle.dumps(pattern)) == pattern
    try:
        path = PathPattern(text, replacement)
    except ValueError:
        return
    tried = value.encode("ascii", "replace").decode()  # a path that has been read is ASCII
    end = path.end(tried)
    assert end is None or 0 <= end <= len(tried)
    assert isinstance(path.replaced(tried), str)


def expressions(data: bytes) -> None:
    """An expression: a `ValueError` when it is read, or else a JSON value or `ExpressionFailed`."""
    try:
        expression = compiled_expression(data.decode("utf-8", "replace"))
    except ValueError:
        return
    assert pickle.loads(pickle.dumps(expression)) == expression
    try:
        value = expression(VARIABLES)
    except ExpressionFailed:
        return
    assert _is_json(value), value


def _is_json(value: object) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) and _is_json(member) for name, member in value.items())
    if isinstance(value, list):
        return all(map(_is_json, value))
    return isinstance(value, str | int | float | None)
