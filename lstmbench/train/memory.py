"""Keeping the pages of one training step for the next."""

import contextlib
import ctypes

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
_LARGEST_KEPT = 32 * 2**20  # bytes; glibc takes no higher threshold


def keep_freed_pages() -> None:
    """Tell glibc not to return freed arrays to the kernel: a step frees and takes the same megabytes again.

    With another C library this does nothing.
    """
    with contextlib.suppress(OSError, AttributeError):  # another C library
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_THRESHOLD, _LARGEST_KEPT)
        mallopt(_M_TRIM_THRESHOLD, 2**31 - 1)
