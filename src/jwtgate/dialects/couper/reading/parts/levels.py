"""What a server hands down to its apis, and these to their endpoints."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from jwtgate.dialects.couper.reading.attributes import Attributes
from jwtgate.dialects.couper.reading.configuration import Cors, ErrorHandlers, Text

NO_HANDLERS = ErrorHandlers()


@dataclass(frozen=True, slots=True)
class Level:
    """What holds at a server, an api or an endpoint. `access_control`: labels of what has to succeed, in order."""

    path: str = "/"
    access_control: tuple[str, ...] = ()
    error_file: Path | None = None
    custom_log_fields: tuple[Text, ...] = ()
    allowed_methods: tuple[str, ...] | None = None
    required_permission: Text | None = None
    error_handlers: ErrorHandlers = NO_HANDLERS
    cors: Cors | None = None


def below(
    above: Level,
    attributes: Attributes,
    *,
    label: str,
    path: str,
    handlers: ErrorHandlers,
    cors: Cors | None,
    labels: frozenset[str],
) -> Level:
    """What holds in this block, of what it says itself and what is handed down to it."""
    fields = attributes.text("custom_log_fields")
    methods = attributes.strings("allowed_methods")
    asked = dict.fromkeys(above.access_control + _labels(attributes, "access_control", labels))
    disabled = _labels(attributes, "disable_access_control", labels)
    return Level(
        path=joined(above.path, path),
        access_control=tuple(each for each in asked if each not in disabled),
        error_file=attributes.text_file("error_file", label=label) or above.error_file,
        custom_log_fields=above.custom_log_fields + ((fields,) if fields else ()),
        allowed_methods=above.allowed_methods if methods is None else methods,
        required_permission=attributes.text("required_permission") or above.required_permission,
        error_handlers=ErrorHandlers(handlers.levels + above.error_handlers.levels),
        cors=cors or above.cors,
    )


def joined(*paths: str) -> str:
    """These paths one behind the other, from one slash, and to one if the last has it."""
    parts = [part for path in paths for part in path.split("/") if part]
    return "/" + "/".join(parts) + ("/" if parts and paths[-1].endswith("/") and paths[-1] != "" else "")


def _labels(attributes: Attributes, name: str, defined: frozenset[str]) -> tuple[str, ...]:
    """The labels an attribute lists; one nobody has is noted."""
    listed = attributes.strings(name) or ()
    text = attributes.text(name)
    for label in listed:
        if text and label not in defined:
            attributes.mistakes.at(text.place, f'referenced access control "{label}" is not defined')
    return listed
