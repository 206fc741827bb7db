"""`api-manager.xml`, read for what it says of backend JWTs. All else in it is ignored.

Neither a document type nor an entity of one's own is read: both can make a small file large, or fetch another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any, NoReturn
from xml.parsers import expat

from jwtgate.dialects.wso2.reading.options import OPTIONS, Option, plain, valued
from jwtgate.dialects.wso2.reading.said import Said
from jwtgate.errors import ConfigError

MOST_BYTES = 4 * 1024 * 1024
MOST_DEPTH = 64
MOST_ELEMENTS = 50_000
_PIECE_BYTES = 64 * 1024
_PLACEHOLDER = re.compile(r"\$\{([^{}]*)\}")
_CONFIGURATION = "JWTConfiguration"
_KNOWN = {
    "GatewayJWTGeneration": ("ImplClass", "Configuration", "Enable", "EnableJWTGeneration"),
}


@dataclass(slots=True)
class Element:
    """An element: its name without a namespace, its text, and where it stands."""

    name: str
    line: int
    pieces: list[str] = field(default_factory=list)
    children: list[Element] = field(default_factory=list)

    @property
    def text(self) -> str:
        """What stands in it and in none of its children, without blanks around it."""
        return "".join(self.pieces).strip()

    def at(self, path: str) -> Iterator[Element]:
        """The elements below this path."""
        name, _, rest = path.partition("/")
        for child in self.children:
            if child.name == name:
                yield from child.at(rest) if rest else (child,)


def read_xml(data: bytes, name: str, environ: Mapping[str, str]) -> Said:
    """What this file sets. `ConfigError` with every mistake."""
    root = parsed(data, name)
    if root.name != "APIManager":
        raise ConfigError(f"{name}:{root.line}: the root element is {root.name}, not APIManager")
    said = Said(name)
    for option in OPTIONS.values():
        found = [element for path in option.xml for element in root.at(path)]
        _take(said, option, found, environ)
    for configuration in root.at(_CONFIGURATION):
        _take_ours(said, configuration, environ)
    said.stop_at_mistakes()
    return said


def parsed(data: bytes, name: str) -> Element:
    """The root element. `ConfigError`."""
    if len(data) > MOST_BYTES:
        raise ConfigError(f"{name}: is larger than {MOST_BYTES // 1024 // 1024} MiB")
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
    parser.buffer_text, parser.buffer_size = True, _PIECE_BYTES
    open_elements, numbers = [Element("", 0)], count(1)

    def refuse(*_: object) -> NoReturn:
        raise ConfigError(f"{name}:{parser.CurrentLineNumber}: a document type or an entity of its own is not read")

    def start(tag: str, _: object) -> None:
        if len(open_elements) > MOST_DEPTH:
            raise ConfigError(f"{name}:{parser.CurrentLineNumber}: elements lie more than {MOST_DEPTH} deep")
        if next(numbers) > MOST_ELEMENTS:
            raise ConfigError(f"{name}:{parser.CurrentLineNumber}: there are more than {MOST_ELEMENTS} elements")
        element = Element(tag.rpartition(" ")[2], parser.CurrentLineNumber)
        open_elements[-1].children.append(element)
        open_elements.append(element)

    def end(_: str) -> None:
        open_elements.pop()

    def text(piece: str) -> None:
        open_elements[-1].pieces.append(piece)

    parser.StartDoctypeDeclHandler = parser.EntityDeclHandler = refuse
    parser.ExternalEntityRefHandler = parser.SkippedEntityHandler = refuse
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise ConfigError(f"{name}:{error.lineno}: is not XML: {expat.ErrorString(error.code)}") from None
    except (ValueError, LookupError):
        raise ConfigError(f"{name}:1: its encoding is not known; UTF-8 is") from None
    return open_elements[0].children[0]


def _take(said: Said, option: Option, found: list[Element], environ: Mapping[str, str]) -> None:
    if not found:
        return
    place = f"{said.name}:{found[0].line}"
    texts = [_filled(element, said, environ) for element in found]
    value: Any = texts if option.kind == "list" else texts[0]
    if option.name == "enable":  # in the gateway's section or in the key manager's: here they are one
        value = "true" if any(text.lower() == "true" for text in texts) else "false"
    _set(said, option, value, place)


def _take_ours(said: Said, configuration: Element, environ: Mapping[str, str]) -> None:
    """The children that are options of ours, and a note for those nobody knows."""
    known = {
        path.split("/")[1] for option in OPTIONS.values() for path in option.xml if path.startswith(_CONFIGURATION)
    }
    ours = {plain(name): option for name, option in OPTIONS.items()}
    for child in configuration.children:
        if child.name in known:
            continue
        option = ours.get(plain(child.name))
        place = f"{said.name}:{child.line}"
        if option is None:
            said.note(place, f"{child.name} is not known, and without effect.")
            continue
        _set(said, option, _filled(child, said, environ), place)


def _set(said: Said, option: Option, value: Any, place: str) -> None:
    try:
        said.set(option.name, valued(option, value), place)
    except ValueError as error:
        said.mistakes.append(f"{place}: {option.name} {error}")


def _filled(element: Element, said: Said, environ: Mapping[str, str]) -> str:
    """The text of an element, with what the environment has for its placeholders."""
    text = element.text
    for variable in _PLACEHOLDER.findall(text):
        if variable not in environ:
            said.mistakes.append(f"{said.name}:{element.line}: the environment has no {variable}")
    return _PLACEHOLDER.sub(lambda found: environ.get(found[1], ""), text)
