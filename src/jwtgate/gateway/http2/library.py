"""The state of a connection as the HTTP/2 library keeps it: what we tell the peer, and what is left to us.

The library checks that frames follow each other as they may (RFC 9113 section 5). Fields are checked where they become
HTTP/1.1, and what is sent was parsed: no need to do either twice.
"""

from __future__ import annotations

from h2.config import H2Configuration
from h2.connection import AllowedStreamIDs, H2Connection
from h2.settings import SettingCodes, Settings
from h2.stream import H2Stream

from jwtgate.gateway.http2.frames import MOST_FRAME_BYTES
from jwtgate.gateway.http2.stream import WINDOW_BYTES

_WINDOW_AT_FIRST_BYTES = 65535
CONNECTION_WINDOW_BYTES = 1024 * 1024
"""How much of all bodies may arrive on a connection that nobody has taken."""


class _LibraryStream(H2Stream):
    """Leaves lengths to us: a body of another one than was said is the fault of its stream, not of the connection."""

    def _initialize_content_length(self, headers: object) -> None:
        pass

    def _track_content_length(self, length: int, end_stream: bool) -> None:
        pass


class _Library(H2Connection):
    MAX_CLOSED_STREAMS = 1024

    def _begin_new_stream(self, stream_id: int, allowed_ids: AllowedStreamIDs) -> H2Stream:
        stream = super()._begin_new_stream(stream_id, allowed_ids)
        stream.__class__ = _LibraryStream
        return stream


def begun_connection(*, client: bool, streams: int, head_bytes: int) -> H2Connection:
    """The state of a connection that has said what it takes."""
    config = H2Configuration(
        client_side=client,
        header_encoding=False,
        validate_inbound_headers=False,
        normalize_inbound_headers=False,
        validate_outbound_headers=False,
        normalize_outbound_headers=False,
    )
    library = _Library(config)
    told = {
        SettingCodes.ENABLE_PUSH: 0,
        SettingCodes.INITIAL_WINDOW_SIZE: WINDOW_BYTES,
        SettingCodes.MAX_FRAME_SIZE: MOST_FRAME_BYTES,
        SettingCodes.MAX_CONCURRENT_STREAMS: streams,
        SettingCodes.MAX_HEADER_LIST_SIZE: head_bytes,
    }
    library.local_settings = Settings(client=client, initial_values=told)
    library.initiate_connection()
    # Whoever has not read yet how many streams we take is refused those that are too many, one by one, by us; and so
    # is a head somewhat too large. Where it is much too large nothing is read any more.
    library.local_settings = Settings(
        client=client, initial_values={**told, SettingCodes.MAX_CONCURRENT_STREAMS: 2 * streams + 1}
    )
    library.decoder.max_header_list_size = 2 * head_bytes
    library.max_inbound_frame_size = MOST_FRAME_BYTES
    library.increment_flow_control_window(CONNECTION_WINDOW_BYTES - _WINDOW_AT_FIRST_BYTES)
    return library
