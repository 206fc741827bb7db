"""The link between supervisor and worker: one Unix socket pair a worker, pickled messages with a length before each.

Both ends are our own processes, of one version, under one user. What comes down is believed. What comes up was
written by the process that talks to the network, so it may only be made of our own value types: a pickle that
names anything else is refused before it does anything.
"""

from __future__ import annotations

import asyncio
import copyreg
import io
import pickle
import socket
import struct
from collections.abc import Callable, Mapping
from dataclasses import is_dataclass
from enum import Enum
from types import MappingProxyType
from typing import Any

from jwtgate.control.collecting import without_collecting
from jwtgate.policy.provisions import MintedForm
from jwtgate.policy.requirements import ConsumerName

MOST_BYTES = 1 << 30
LARGE_BYTES = 1 << 15
_LENGTH = struct.Struct("!Q")


class LinkLost(Exception):
    """The other end is gone, or does not speak as it should."""


def _read_only(items: dict[object, object]) -> Mapping[object, object]:
    return MappingProxyType(items)


class _Pickler(pickle.Pickler):
    """A pickler that also knows read-only mappings, of which plans are full.

    A name that workers ask by is sent by its value: Python before 3.11.4 would send a call of `getattr`, which no
    worker may make.
    """

    dispatch_table = copyreg.dispatch_table | {
        MappingProxyType: lambda held: (_read_only, (dict(held),)),
        ConsumerName: lambda name: (ConsumerName, (name.value,)),
        MintedForm: lambda form: (MintedForm, (form.value,)),
    }


class _OwnTypesOnly(pickle.Unpickler):
    """Builds plain values of this package, and nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        """The class of this name; `UnpicklingError` for anything that is not a value type of ours."""
        if (module, name) == (__name__, _read_only.__name__):
            return _read_only
        if module.startswith("jwtgate.") and "." not in name:
            found = super().find_class(module, name)
            # Making one of these does nothing; other classes open files and sockets.
            if (
                isinstance(found, type)
                and found.__module__ == module
                and (is_dataclass(found) or issubclass(found, Enum))
            ):
                return found
        raise pickle.UnpicklingError("not one of our types")


def encode(message: object) -> bytes:
    """The frame of a message. `RecursionError` for one that is nested beyond what can be sent."""
    body = io.BytesIO()
    body.write(bytes(_LENGTH.size))
    _Pickler(body, protocol=pickle.HIGHEST_PROTOCOL).dump(message)
    frame = body.getbuffer()
    _LENGTH.pack_into(frame, 0, len(frame) - _LENGTH.size)
    return bytes(frame)


def decode_trusted(body: bytes) -> object:
    """The message in a frame's body, from the supervisor."""
    if len(body) <= LARGE_BYTES:
        return pickle.loads(body)  # noqa: S301 - from our own parent, over a socket only it holds
    with without_collecting():
        return pickle.loads(body)  # noqa: S301


def decode_untrusted(body: bytes) -> object:
    """The message in a frame's body, from a worker. `UnpicklingError` if it holds anything but our own types."""
    return _OwnTypesOnly(io.BytesIO(body)).load()


class Link:
    """One end of a link. Messages arrive in the order they were sent."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, decode: Callable[[bytes], object]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._decode = decode

    @classmethod
    async def open(cls, end: socket.socket, *, decode: Callable[[bytes], object]) -> Link:
        """The link over this end of a socket pair, which it owns from here on."""
        end.setblocking(False)
        reader, writer = await asyncio.open_unix_connection(sock=end)
        return cls(reader, writer, decode=decode)

    def send(self, message: object) -> None:
        """Send a message; one to an end that is gone is lost, which `receive` will tell."""
        self.send_frame(encode(message))

    def send_frame(self, frame: bytes) -> None:
        """Send what `encode` made; so a large message for many is encoded once."""
        if not self._writer.is_closing():
            self._writer.write(frame)

    async def receive(self) -> object:
        """The next message. `LinkLost` at the end of the link.

        A large one is decoded on a thread, so that the loop goes on serving meanwhile.
        """
        try:
            (size,) = _LENGTH.unpack(await self._reader.readexactly(_LENGTH.size))
            if size > MOST_BYTES:
                raise LinkLost("message too large")
            body = await self._reader.readexactly(size)
        except (OSError, asyncio.IncompleteReadError) as lost:
            raise LinkLost(type(lost).__name__) from lost
        try:
            return await asyncio.to_thread(self._decode, body) if size > LARGE_BYTES else self._decode(body)
        except Exception as error:  # a pickle that is none can fail in every way there is
            raise LinkLost(type(error).__name__) from error

    async def close(self) -> None:
        """Close this end, after what was sent has left or the other end is gone."""
        self._writer.close()
        try:
            await self._writer.wait_closed()
        except OSError:
            return
