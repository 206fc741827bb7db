"""A gateway that speaks WSO2, as people run it, and what its backend received."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.dialects.dialect_process import Answer, DialectProcess, curl

HEADER = "x-jwt-assertion"


class Wso2Process(DialectProcess):
    """Runs inside `with`, on a configuration in XML or TOML and records. `proxy` is its address."""

    listening = ("--listen",)
    workers = 1

    def __init__(
        self, folder: Path, configuration: str, records: dict[str, Any], *, environ: dict[str, str] | None = None
    ) -> None:
        folder.mkdir(exist_ok=True)
        named = folder / ("api-manager.xml" if configuration.startswith("<") else "deployment.toml")
        named.write_text(configuration)
        self.records = folder / "records.json"
        self.records.write_text(json.dumps(records))
        super().__init__("wso2", folder, named, self.records, environ=environ)
        self.proxy = ""

    def found(self, proxy: list[str], admin: str) -> None:
        """Note the address."""
        assert not admin
        self.proxy = f"http://{proxy[0]}"

    def ask(self, bearer: str | None = None, *fields: str, path: str = "/placeFinder/1.0.0/find") -> Answer:
        """The answer to a request."""
        told = [*fields, *([f"Authorization: Bearer {bearer}"] if bearer is not None else [])]
        return curl("--url", f"{self.proxy}{path}", *(part for each in told for part in ("--header", each)))

    def token(self, bearer: str, *, header: str = HEADER, path: str = "/placeFinder/1.0.0/find") -> str:
        """The one backend JWT a request with this token brings."""
        (text,) = seen(self.ask(bearer, path=path), header)
        return text

    def said(self) -> list[str]:
        """What it wrote of its settings and of what it could not do."""
        return [event["text"] for event in self.events("message")]


def seen(answer: Answer, name: str) -> list[str]:
    """The values of a field at the upstream, in their order."""
    assert answer.status == 200, answer
    return [value for other, value in answer.value["fields"] if other == name]
