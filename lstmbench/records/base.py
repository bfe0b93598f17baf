"""What every record shares, and the words and numbers that their fields hold."""

from typing import Annotated, Literal, TypeAlias

import msgspec

Peephole: TypeAlias = Literal["full", "diagonal", "none"]
Head: TypeAlias = Literal["lm", "layer"]
# of a graph; step and unrolledN run 1 and N steps a call, generate draws tokens itself
Form: TypeAlias = Annotated[str, msgspec.Meta(pattern=r"\A(lstm|scan|loop|step|unrolled[1-9][0-9]{0,3}|generate)\Z")]
Precision: TypeAlias = Literal["fp32", "fp16", "int8", "int4", "int4a8"]
Unit: TypeAlias = Literal["char", "word", "bpe"]
WorkloadKind: TypeAlias = Literal["score", "decode", "generate", "request"]
# of a call: from NumPy to NumPy, or the device alone, its inputs there already and its outputs left there
Region: TypeAlias = Literal["end-to-end", "compute"]
_EXACT = 2**53  # the largest whole number that every reader of JSON keeps
Positive: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=_EXACT)]
Extent: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**22)]  # B or T of a call
Size: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=2**16)]  # of a layer: far above any LSTM
MOST_THREADS = 1024  # more crash the engines that they are given to
Threads: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MOST_THREADS)]
Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=_EXACT)]
Error: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e300)]  # of an output, or what it may be
Seconds: TypeAlias = Annotated[float, msgspec.Meta(ge=0, le=1e9)]


class Record(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every record shares: immutable, named fields, nothing unknown accepted."""
