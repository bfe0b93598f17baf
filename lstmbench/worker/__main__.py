"""`python -m lstmbench.worker <descriptor>`: started by `Worker`, with its channel as an open file descriptor."""

import contextlib
import os
import socket
import sys
from pathlib import Path

from lstmbench.worker.serve import serve

if __name__ == "__main__":
    with contextlib.suppress(OSError):  # a graph may ask for any memory: where there is none left, this process goes
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    descriptor = int(sys.argv[1])
    # a process that the adapter starts must not hold the channel open
    os.set_inheritable(descriptor, False)  # noqa: FBT003 (the standard library's signature)
    with socket.socket(fileno=descriptor) as channel:
        serve(channel)
