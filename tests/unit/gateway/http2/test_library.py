"""What a peer is told at first, and what the library leaves to us."""

from __future__ import annotations

import pytest
from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived

from jwtgate.gateway.http2.library import begun_connection


def both() -> tuple[H2Connection, H2Connection]:
    """A client, and our side of its connection, which have said what they take."""
    ours, client = begun_connection(client=False, streams=4, head_bytes=1000), H2Connection(H2Configuration())
    client.initiate_connection()
    ours.receive_data(client.data_to_send())
    client.receive_data(ours.data_to_send())
    return ours, client


def test_it_says_what_it_takes() -> None:
    told = both()[1].remote_settings
    assert (told.max_concurrent_streams, told.max_header_list_size, told.enable_push) == (4, 1000, 0)
    assert (told.initial_window_size, told.max_frame_size) == (65535, 16384)


def test_rel_16_no_more_arrives_on_a_connection_than_may_be_held() -> None:
    assert both()[1].outbound_flow_control_window == 1024 * 1024


@pytest.mark.parametrize("length", ["1", "100"])
def test_a_length_that_is_wrong_is_left_to_us(length: str) -> None:
    ours, client = both()
    asked = [(":method", "POST"), (":scheme", "http"), (":authority", "a"), (":path", "/"), ("content-length", length)]
    client.send_headers(1, asked)
    client.send_data(1, b"ten bytes!", end_stream=True)
    events = ours.receive_data(client.data_to_send())
    assert [event.data for event in events if isinstance(event, DataReceived)] == [b"ten bytes!"]
