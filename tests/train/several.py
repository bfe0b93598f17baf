"""One of several processes: trains each folder it is told to, with a mistake planted if one is named.

python several.py TEXT PORT,CONFIG.json,FOLDER,MISTAKE …, with RANK and WORLD_SIZE as torchrun sets them.
"""

import faulthandler
import os
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from lstmbench import corpus, disk
from lstmbench.model.dropout import Share
from lstmbench.records import ModelFolder
from lstmbench.train import loop, resume, train

FIRST = Share(0, 2)
MISTAKES = {
    "none": {},
    "gradients are not averaged": {(resume, "joint"): lambda _real: lambda model, _processes: model},
    "both on one shard": {
        (loop, "batches_of"): lambda real: lambda text, config, _share: real(text, config, FIRST),
    },
    "both drop what the first does": {
        (loop, "_dropout"): lambda real: lambda config, processes: real(config, processes)._replace(share=FIRST),
    },
}


@contextmanager
def planted(mistake):
    with pytest.MonkeyPatch.context() as patch:
        for (module, name), wrap in MISTAKES[mistake].items():
            patch.setattr(module, name, wrap(getattr(module, name)))
        yield


def main(text, *tasks):
    read = corpus.load(text)
    for port, config, path, mistake in (task.split(",") for task in tasks):
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
        with planted(mistake):
            train(read, disk.read_record(Path(config), ModelFolder), Path(path))


if __name__ == "__main__":
    faulthandler.dump_traceback_later(600, exit=True)  # one that waits for ever says where
    main(*sys.argv[1:])
