"""Issuers that publish their keys, some better than others, and who asked them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.integration.background_server import BackgroundServer, QuietHandler

Answer = tuple[int, bytes]
PAGE = "/page"
"""What is published here calls itself a page."""


class KeyServer(BackgroundServer):
    """Answers each path of `published` with what this makes of the number of the request, from 1."""

    def __init__(self) -> None:
        super().__init__(_Publishing)
        self.published: dict[str, Callable[[int], Answer]] = {}
        self.asked: dict[str, list[dict[str, str]]] = {}
        self._lock = threading.Lock()

    def publish(self, path: str, answer: Callable[[int], Answer] | Answer) -> str:
        """The address at which this is answered from now on."""
        self.published[path] = answer if callable(answer) else lambda _: answer
        return f"{self.url}{path}"

    def answer_to(self, path: str, fields: dict[str, str]) -> Answer:
        """What is answered to this request, which is noted."""
        with self._lock:
            asked = self.asked.setdefault(path, [])
            asked.append(fields)
            number = len(asked)
        return self.published[path](number)


def key_set(*keys: Any) -> Answer:
    """A good answer with these keys."""
    return 200, json.dumps({"keys": keys}).encode()


class _Publishing(QuietHandler, BaseHTTPRequestHandler):
    server: KeyServer

    def do_GET(self) -> None:
        fields = {name.lower(): value for name, value in self.headers.items()}
        media_type = "text/html" if self.path == PAGE else "application/json"
        self.answer(*self.server.answer_to(self.path, fields), content_type=media_type)
