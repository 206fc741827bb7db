"""Files of Couper to one configuration, or to everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from jwtgate.dialects.couper.reading.attributes import Attributes, Context
from jwtgate.dialects.couper.reading.blocks import Block, read_blocks
from jwtgate.dialects.couper.reading.configuration import Configuration, Place, SettingsBlock
from jwtgate.dialects.couper.reading.environments import chosen
from jwtgate.dialects.couper.reading.merging import merged
from jwtgate.dialects.couper.reading.mistakes import Mistakes
from jwtgate.dialects.couper.reading.parts.definitions import read_definitions
from jwtgate.dialects.couper.reading.parts.routing import read_servers
from jwtgate.dialects.couper.reading.schema import check_schema

_ENVIRONMENT = "COUPER_ENVIRONMENT"


def read(
    texts: Sequence[tuple[str, bytes]], folder: Path, *, environment: str | None, environ: Mapping[str, str]
) -> Configuration:
    """The configuration these files (paths in `folder`, and contents) make together, the later over the earlier.

    `ConfigError` with every mistake in them, and in the files they name.
    """
    mistakes = Mistakes()
    roots = [root for file, data in texts if (root := read_blocks(data, file, mistakes))]
    if len(roots) < len(texts):
        raise mistakes.error()
    environment = environment or environ.get(_ENVIRONMENT) or _told_environment(roots, folder, environ, mistakes)
    roots = [chosen(root, environment, mistakes) for root in roots]
    for root in roots:
        check_schema(root, mistakes)
    context = Context(folder, environ, frozenset(environ), environment or "", mistakes, [])
    context = _with_defaults(context, roots)
    whole = merged(roots)
    configuration = _read(whole, context)
    if mistakes:
        raise mistakes.error()
    return configuration


def _read(root: Block, context: Context) -> Configuration:
    definitions = read_definitions(root.of_type("definitions"), context)
    servers = read_servers(root.of_type("server"), context, definitions)
    if not servers:
        context.mistakes.whole("missing 'server' block", place=root.place)
    return Configuration(
        servers=servers,
        access_controls=definitions.access_controls,
        profiles=definitions.profiles,
        backends=definitions.backends.defined(),
        settings=_settings(root, context),
        environ=context.environ,
        environment=context.environment or None,
        warnings=tuple(context.warnings),
        files=tuple(dict.fromkeys(context.files)),
    )


def _told_environment(
    roots: Iterable[Block], folder: Path, environ: Mapping[str, str], mistakes: Mistakes
) -> str | None:
    """The environment the settings choose."""
    context = Context(folder, environ, frozenset(environ), "", mistakes, [])
    blocks = [block for root in roots for block in root.of_type("settings")]
    told = [Attributes(block, context).string("environment") for block in blocks]
    return next((name for name in reversed(told) if name), None)


def _with_defaults(context: Context, roots: Iterable[Block]) -> Context:
    """The same, where variables that are not set outside are as `defaults` says."""
    defaults: dict[str, str] = {}
    for block in (block for root in roots for block in root.of_type("defaults")):
        attributes = Attributes(block, context)
        defaults.update(attributes.texts("environment_variables") or {})
    return replace(context, environ={**defaults, **context.environ})


def _settings(root: Block, context: Context) -> SettingsBlock:
    """What the settings say. A block in them is an object of the same name."""
    values: dict[str, object] = {}
    places: dict[str, Place] = {}
    for block in root.of_type("settings"):
        for child in block.blocks:
            values[child.type] = _values(child, context)
            places[child.type] = child.place
        values |= _values(block, context)
        places |= {name: attribute.place for name, attribute in block.attributes.items()}
    return SettingsBlock(values, places)


def _values(block: Block, context: Context) -> dict[str, object]:
    attributes = Attributes(block, context)
    return {name: attributes.value(name) for name in block.attributes}
