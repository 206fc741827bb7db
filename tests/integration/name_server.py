"""A name server on the loopback, over UDP, that answers with the records a test gives it (RFC 1035)."""

from __future__ import annotations

import ipaddress
import socket
import struct
import threading
from collections import Counter
from typing import NamedTuple, Self

_A, _CNAME, _AAAA = 1, 5, 28
_RESPONSE, _NO_SUCH_NAME = 0x8180, 0x8183


class Record(NamedTuple):
    """Another name, or an address, and its TTL."""

    value: str
    ttl: int


class NameServer:
    """Runs inside `with`, on a thread of its own. A name without an entry in `names` does not exist."""

    def __init__(self) -> None:
        self.names: dict[str, list[Record]] = {}
        self.is_silent = False
        self.asked: Counter[str] = Counter()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="name server")

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(b"", self._socket.getsockname())  # an empty datagram ends the thread
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while True:
            query, client = self._socket.recvfrom(4096)
            if not query:
                return
            name, end = _read_name(query, 12)
            (wanted,) = struct.unpack_from("!H", query, end)
            self.asked[name] += wanted == _A
            if not self.is_silent:
                self._socket.sendto(query[:2] + self._answer(name, wanted, query[12 : end + 4]), client)

    def _answer(self, name: str, wanted: int, question: bytes) -> bytes:
        if name not in self.names:
            return struct.pack("!5H", _NO_SUCH_NAME, 1, 0, 0, 0) + question
        records, owner = [], name
        for record in self.names[name]:
            kind, data = _data(record.value)
            if kind in (_CNAME, wanted):
                records.append(_wire_name(owner) + struct.pack("!HHIH", kind, 1, record.ttl, len(data)) + data)
            owner = record.value if kind == _CNAME else owner
        return struct.pack("!5H", _RESPONSE, 1, len(records), 0, 0) + question + b"".join(records)


def _data(value: str) -> tuple[int, bytes]:
    try:
        address = ipaddress.ip_address(value)
    except ValueError:
        return _CNAME, _wire_name(value)
    return (_A if address.version == 4 else _AAAA), address.packed


def _wire_name(name: str) -> bytes:
    return b"".join(bytes([len(label)]) + label.encode() for label in name.split(".")) + b"\0"


def _read_name(message: bytes, at: int) -> tuple[str, int]:
    labels = []
    while message[at]:
        labels.append(message[at + 1 : at + 1 + message[at]].decode())
        at += 1 + message[at]
    return ".".join(labels).lower(), at + 1
