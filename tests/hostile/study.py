"""Spoil files at random for some time: `python tests/hostile/study.py --seconds 300 [--kind KIND] [--seed N]`.

Each kind has the same time, so that what is read fast is tried often. Prints how many files of each kind were tried and
what came of them. A file that is neither read as what it was nor refused in one line ends the study with the traceback,
its seed, and exit status 1.
"""

import argparse
import random
import resource
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path

sys.path.insert(1, str(Path(__file__).parents[1]))

import sound
from entries import IN_A_WORKER, KINDS, outcome

from lstmbench import __version__

OUTCOMES = ("read", "refused", "passed", "failed", "not judged", "crashed", "too long", "ANOTHER OUTCOME")
SLOWEST = "slowest, ms"


def _tried(count: Counter[str]) -> int:
    return sum(count[word] for word in OUTCOMES)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", action="append", choices=[*KINDS, "engine"])
    parser.add_argument("--keep-going", action="store_true")
    asked = parser.parse_args()
    kinds = {name: {**KINDS, "engine": IN_A_WORKER}[name] for name in asked.kind or KINDS}
    counts: dict[str, Counter[str]] = {name: Counter() for name in kinds}
    failed = False
    with tempfile.TemporaryDirectory() as made:
        base = sound.make(Path(made) / "base")
        until_s, took_s = time.monotonic() + asked.seconds, dict.fromkeys(kinds, 0.0)
        while time.monotonic() < until_s and (asked.keep_going or not failed):
            name = min(took_s, key=lambda kind: took_s[kind])
            begin_s, seed = time.monotonic(), asked.seed + _tried(counts[name])
            try:
                came = outcome(kinds[name], base, Path(made) / "tried", random.Random(seed).randrange)
            except BaseException:  # noqa: BLE001
                traceback.print_exc()
                print(f"kind {name!r}, seed {seed}", file=sys.stderr)
                came, failed = "ANOTHER OUTCOME", True
            counts[name][came] += 1
            one_s = time.monotonic() - begin_s
            took_s[name] += one_s
            counts[name][SLOWEST] = max(counts[name][SLOWEST], round(1e3 * one_s))
    python, day = sys.version.split()[0], time.strftime("%Y-%m-%d")
    print(f"lstmbench {__version__}, Python {python}, {day}; seeds of each kind from {asked.seed} on")
    print(f"{'kind':34}{'tried':>8}" + "".join(f"{word:>{len(word) + 3}}" for word in (*OUTCOMES, SLOWEST)))
    for name, count in counts.items():
        print(f"{name:34}{_tried(count):8,}" + "".join(f"{count[w]:{len(w) + 3},}" for w in (*OUTCOMES, SLOWEST)))
    print(f"{'all':34}{sum(map(_tried, counts.values())):8,}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
