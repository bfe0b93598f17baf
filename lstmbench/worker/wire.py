"""Frames over a socket: the length in eight bytes, then one message in MessagePack; nothing that could run code."""

import socket
import time
from typing import TypeVar

import msgspec

from lstmbench.records import Record

LIMIT_BYTES = 2**30  # of one frame; what is longer comes from a mistake
_LENGTH_BYTES = 8
_ENCODER = msgspec.msgpack.Encoder()

M = TypeVar("M")


def send(channel: socket.socket, message: Record, *, timeout_s: float | None = None) -> None:
    """Send one message whole; TimeoutError if it is not taken in time, OSError if nobody is there."""
    frame = _ENCODER.encode(message)
    assert len(frame) <= LIMIT_BYTES, "the parent lets only runs through whose frames fit"
    channel.settimeout(timeout_s)
    channel.sendall(len(frame).to_bytes(_LENGTH_BYTES, "big"))
    channel.sendall(frame)


def receive(channel: socket.socket, decoder: msgspec.msgpack.Decoder[M], *, timeout_s: float | None = None) -> M:
    """Receive one message.

    EOFError if the other side is gone, TimeoutError if it is silent, ValueError (msgspec's is one) if what it said is
    none of our messages.
    """
    until_s = None if timeout_s is None else time.monotonic() + timeout_s
    length = int.from_bytes(_receive_exactly(channel, _LENGTH_BYTES, until_s), "big")
    if not 0 < length <= LIMIT_BYTES:
        raise ValueError(f"a frame of {length} bytes")
    return decoder.decode(_receive_exactly(channel, length, until_s))


def _receive_exactly(channel: socket.socket, count: int, until_s: float | None) -> bytearray:
    data = bytearray(count)
    view, got = memoryview(data), 0
    while got < count:
        channel.settimeout(None if until_s is None else _left_s(until_s))
        try:
            part = channel.recv_into(view[got:])
        except ConnectionError:  # the other side died with our words unread
            part = 0
        if part == 0:
            raise EOFError("the other side of the channel is gone")
        got += part
    return data


def _left_s(until_s: float) -> float:
    left_s = until_s - time.monotonic()
    if left_s <= 0:
        raise TimeoutError
    return left_s
