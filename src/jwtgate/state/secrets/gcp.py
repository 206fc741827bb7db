"""Secrets of Google Cloud Secret Manager. Needs the extra `gcp`, imported when a secret is first read."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jwtgate.jose.encoding import JSON
from jwtgate.state.secrets.contents import LIMIT_BYTES, parse_fields
from jwtgate.state.secrets.reading import Read, ReadFailed, Resolve, resolved, text_of

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 4.0
_SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,255}")
_STATUSES = {401: "login_refused", 403: "forbidden", 404: "not_found", 400: "refused", 503: "sealed"}


class Gcp:
    """One project; with a service account, or else with the credentials the environment has."""

    def __init__(self, settings: Mapping[str, JSON], *, folder: Path, resolve: Resolve) -> None:
        self._settings = settings
        self._folder = folder
        self._resolve = resolve
        self._session: Any = None
        self._project = text_of(settings, "project")
        self._lock = threading.Lock()

    async def read(self, path: str) -> Read:
        """The latest version of the secret with this name. `ReadFailed`."""
        if not _NAME.fullmatch(path):
            raise ReadFailed("path_refused")
        return await asyncio.to_thread(self._read, path)

    def _read(self, name: str) -> Read:
        try:
            import requests
            from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
        except ImportError:
            raise ReadFailed("package_missing", "install jwtgate with its extra 'gcp'") from None
        try:
            with self._opened().get(
                self._url(name), timeout=(CONNECT_SECONDS, ANSWER_SECONDS), allow_redirects=False, stream=True
            ) as answer:
                status = answer.status_code
                body = answer.raw.read(LIMIT_BYTES + 1, decode_content=True)
        except requests.Timeout:
            raise ReadFailed("slow") from None
        except requests.exceptions.SSLError:
            raise ReadFailed("tls") from None
        except requests.RequestException:
            raise ReadFailed("unreachable") from None
        except TransportError:
            raise ReadFailed("unreachable", "to log in") from None
        except RefreshError:
            raise ReadFailed("login_refused") from None
        except (GoogleAuthError, OSError, ValueError):
            raise ReadFailed("login_unresolved", "there are no usable credentials for Google Cloud") from None
        if status != 200:
            raise ReadFailed(_STATUSES.get(status, f"status_{status}"))
        return Read(_payload(body))

    def _url(self, name: str) -> str:
        endpoint = text_of(self._settings, "endpoint", "https://secretmanager.googleapis.com").rstrip("/")
        return f"{endpoint}/v1/projects/{self._project}/secrets/{name}/versions/latest:access"

    def _opened(self) -> Any:
        with self._lock:
            if self._session is None:
                self._session = self._open()
            return self._session

    def _open(self) -> Any:
        import google.auth
        from google.auth.transport.requests import AuthorizedSession, Request
        from google.oauth2.service_account import Credentials
        from requests import Session

        login = Session()
        login.trust_env = False
        of_account: Any = Credentials  # google-auth says nothing of its types here, nor of the session's
        if text := text_of(self._settings, "credentials"):
            account = parse_fields(resolved(self._resolve, text).encode())
            credentials = of_account.from_service_account_info(account, scopes=_SCOPES)
        elif file := text_of(self._settings, "credentials_file"):
            credentials = of_account.from_service_account_file(str(self._folder / file), scopes=_SCOPES)
        else:
            credentials, _ = google.auth.default(scopes=_SCOPES, request=Request(login))
        self._project = self._project or credentials.project_id
        if not self._project:
            raise ValueError("the service account is of no project")
        authorized: Any = AuthorizedSession
        session = authorized(credentials, auth_request=Request(login))
        session.trust_env = False
        return session


def _payload(body: bytes) -> str:
    try:
        payload = parse_fields(body)["payload"]
        data = payload["data"] if isinstance(payload, dict) else None
        return base64.b64decode(data if isinstance(data, str) else "!", validate=True).decode("utf-8")
    except (KeyError, ValueError, binascii.Error):
        raise ReadFailed("malformed") from None
