from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from jwtgate.state.secrets.gcp import Gcp
from jwtgate.state.secrets.reading import ReadFailed
from jwtgate.state.secrets.references import Secrets


def failure(folder: Path, path: str = "orders") -> ReadFailed:
    with pytest.raises(ReadFailed) as caught:
        asyncio.run(gcp(folder, credentials_file="account.json").read(path))
    return caught.value


def gcp(folder: Path, **settings: str) -> Gcp:
    return Gcp({"project": "p", **settings}, folder=folder, resolve=Secrets(folder, {"A": "{}"}).resolve)


@pytest.mark.parametrize("path", ["", "a/b", "a/../b", "ü", "a:access", "a" * 256])
def test_sec_149_a_name_is_letters_digits_dashes_and_underscores(tmp_path: Path, path: str) -> None:
    assert failure(tmp_path, path).cause == "path_refused"


@pytest.mark.parametrize("text", [None, "", "swordfish", '{"type": "service_account", "private_key": "swordfish"}'])
def test_sec_149_credentials_that_cannot_be_used_are_told_and_not_quoted(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "account.json").write_text(text)
    failed = failure(tmp_path)
    assert failed.cause == "login_unresolved"
    assert "swordfish" not in failed.words


@pytest.mark.parametrize("text", ["${env:A}", "${env:NONE}", "swordfish", '{"private_key": "swordfish"}'])
def test_sec_149_credentials_in_the_document_that_cannot_be_used_are_told_and_not_quoted(text: str) -> None:
    with pytest.raises(ReadFailed) as caught:
        asyncio.run(gcp(Path(), credentials=text).read("orders"))
    assert caught.value.cause == "login_unresolved"
    assert "swordfish" not in caught.value.words
