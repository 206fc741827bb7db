"""Secrets of AWS Secrets Manager. Needs the extra `aws`, whose package is imported when a secret is first read."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from jwtgate.jose.encoding import JSON
from jwtgate.state.secrets.reading import Read, ReadFailed, Resolve, resolved, text_of

CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 4.0
_CODES = {
    "ResourceNotFoundException": "not_found",
    "ValidationException": "path_refused",
    "InvalidParameterException": "path_refused",
    "InvalidRequestException": "not_found",  # marked for deletion
    "AccessDeniedException": "forbidden",
    "DecryptionFailure": "forbidden",
    "UnrecognizedClientException": "login_refused",
    "InvalidClientTokenId": "login_refused",
    "InvalidSignatureException": "login_refused",
    "IncompleteSignature": "login_refused",
    "ExpiredTokenException": "login_refused",
}


class Aws:
    """One region and one set of credentials; without any in the settings, those the environment has for AWS."""

    def __init__(self, settings: Mapping[str, JSON], *, resolve: Resolve) -> None:
        self._settings = settings
        self._resolve = resolve
        self._client: Any = None
        self._lock = threading.Lock()

    async def read(self, path: str) -> Read:
        """The current version of the secret with this name or ARN. `ReadFailed`."""
        return await asyncio.to_thread(self._read, path)

    def _read(self, path: str) -> Read:
        try:
            from botocore.exceptions import (
                BotoCoreError,
                ClientError,
                ConnectTimeoutError,
                EndpointConnectionError,
                NoCredentialsError,
                ReadTimeoutError,
                SSLError,
            )
        except ImportError:
            raise ReadFailed("package_missing", "install jwtgate with its extra 'aws'") from None
        try:
            answer = self._opened().get_secret_value(SecretId=path)
        except ClientError as error:
            cause = _CODES.get(error.response["Error"]["Code"], "failed")
            if cause == "login_refused":
                self._client = None  # the credentials may be others by the next time
            raise ReadFailed(cause) from None
        except (ConnectTimeoutError, ReadTimeoutError):
            raise ReadFailed("slow") from None
        except SSLError:
            raise ReadFailed("tls") from None
        except EndpointConnectionError:
            raise ReadFailed("unreachable") from None
        except NoCredentialsError:
            raise ReadFailed("login_unresolved", "there are no credentials for AWS") from None
        except BotoCoreError as error:
            raise ReadFailed("failed", type(error).__name__) from None
        return Read(_text(answer))

    def _opened(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = self._open()
            return self._client

    def _open(self) -> Any:
        from boto3.session import Session
        from botocore.config import Config

        return Session().client(
            "secretsmanager",
            region_name=text_of(self._settings, "region") or None,
            endpoint_url=text_of(self._settings, "endpoint") or None,
            aws_access_key_id=self._resolved("access_key_id"),
            aws_secret_access_key=self._resolved("secret_access_key"),
            aws_session_token=self._resolved("session_token"),
            config=Config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=ANSWER_SECONDS,
                retries={"total_max_attempts": 1},
                proxies={},
            ),
        )

    def _resolved(self, name: str) -> str | None:
        return resolved(self._resolve, text_of(self._settings, name)) or None


def _text(answer: Mapping[str, Any]) -> str:
    text = answer.get("SecretString")
    if isinstance(text, str):
        return text
    try:
        return bytes(answer["SecretBinary"]).decode("utf-8")
    except (KeyError, UnicodeDecodeError):
        raise ReadFailed("malformed") from None
