import socket
import struct

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from lstmbench.worker import messages, wire
from lstmbench.worker.messages import Array, Close, Failure, Reply, Request

REPLIES = msgspec.msgpack.Decoder(Reply)
REQUESTS = msgspec.msgpack.Decoder(Request)


@pytest.fixture
def ends():
    one, other = socket.socketpair()
    with one, other:
        yield one, other


def test_what_is_sent_is_received(ends):
    wire.send(ends[0], Failure(error="DiskError", message="the disk is full"))
    wire.send(ends[0], Failure(error="", message="é"))
    assert wire.receive(ends[1], REPLIES).message == "the disk is full"
    assert wire.receive(ends[1], REPLIES, timeout_s=5) == Failure(error="", message="é")


@settings(deadline=None)  # a shared machine may pause anywhere
@given(
    hnp.arrays(
        st.sampled_from([np.float32, np.int64]), hnp.array_shapes(min_dims=0, min_side=0, max_dims=4), fill=st.nothing()
    ),
    st.booleans(),
)
def test_an_array_comes_back_bit_by_bit_and_can_be_written_to(array, transposed):
    array = array.T if transposed else array
    again = messages.unpack(msgspec.msgpack.decode(msgspec.msgpack.encode(messages.pack(array)), type=Array))
    assert again.dtype == array.dtype
    assert again.shape == array.shape
    assert again.tobytes() == array.tobytes()
    assert again.flags.writeable
    assert again.flags.aligned


@pytest.mark.parametrize(
    "array",
    [
        {"dtype": "float32", "shape": [2, 3], "data": b"\0" * 23},
        {"dtype": "float32", "shape": [2**40, 2**40], "data": b""},
        {"dtype": "float32", "shape": [-1], "data": b""},
        {"dtype": "object", "shape": [1], "data": b"\0" * 8},
    ],
)
def test_an_array_whose_size_is_not_what_it_says_is_refused(array):
    with pytest.raises(msgspec.ValidationError):
        msgspec.msgpack.decode(msgspec.msgpack.encode(array), type=Array)


@pytest.mark.parametrize("length", [0, wire.LIMIT_BYTES + 1, 2**63])
def test_a_frame_of_an_impossible_length_is_refused_before_memory_is_taken(ends, length):
    ends[0].sendall(struct.pack(">Q", length))
    with pytest.raises(ValueError, match=f"a frame of {length} bytes"):
        wire.receive(ends[1], REPLIES)


@pytest.mark.parametrize("frame", [b"\xc1", b"\x80", msgspec.msgpack.encode(Close())])
def test_a_frame_that_is_no_reply_is_refused(ends, frame):
    ends[0].sendall(struct.pack(">Q", len(frame)) + frame)
    with pytest.raises(ValueError, match=r"invalid|malformed|truncated|tag|type"):
        wire.receive(ends[1], REPLIES, timeout_s=5)


@pytest.mark.parametrize("sent", [b"", b"\0\0", struct.pack(">Q", 100) + b"half"])
def test_the_end_of_the_other_side_is_told_from_its_silence(ends, sent):
    ends[0].sendall(sent)
    with pytest.raises(TimeoutError):
        wire.receive(ends[1], REQUESTS, timeout_s=0.02)


@pytest.mark.parametrize("sent", [b"", b"\0\0", struct.pack(">Q", 100) + b"half"])
def test_the_other_side_may_end_at_any_byte(ends, sent):
    ends[0].sendall(sent)
    ends[0].close()
    with pytest.raises(EOFError):
        wire.receive(ends[1], REQUESTS, timeout_s=5)


def test_an_end_with_words_unread_is_an_end_too(ends):
    ends[1].sendall(b"never read")
    ends[0].close()  # the kernel reports this as a reset connection
    with pytest.raises(EOFError):
        wire.receive(ends[1], REQUESTS, timeout_s=5)


def test_a_message_that_is_not_taken_in_time_is_a_timeout(ends):
    with pytest.raises(TimeoutError):
        wire.send(ends[0], Failure(error="", message="x" * 10_000_000), timeout_s=0.05)
