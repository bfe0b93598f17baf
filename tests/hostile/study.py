"""Spoil files at random for some time: `python tests/hostile/study.py --seconds 300 [--kind KIND] [--seed N]`.

Prints how many files of each kind were tried and what came of them. A file that is neither read as what it was nor
refused in one line ends the study with the traceback, its seed, and exit status 1.
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

import sound
from entries import IN_A_WORKER, KINDS, outcome

from lstmbench import __version__


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
        until_s, seed = time.monotonic() + asked.seconds, asked.seed
        while time.monotonic() < until_s and (asked.keep_going or not failed):
            for name, kind in kinds.items():
                begin_s = time.monotonic()
                try:
                    came = outcome(kind, base, Path(made) / "tried", random.Random(seed).randrange)
                except BaseException:  # noqa: BLE001
                    traceback.print_exc()
                    print(f"kind {name!r}, seed {seed}", file=sys.stderr)
                    came, failed = "ANOTHER OUTCOME", True
                counts[name][came] += 1
                took_s = time.monotonic() - begin_s
                counts[name]["slowest_ms"] = max(counts[name]["slowest_ms"], round(1e3 * took_s))
            seed += 1
    outcomes = ("read", "refused", "ANOTHER OUTCOME")
    python, day = sys.version.split()[0], time.strftime("%Y-%m-%d")
    print(f"lstmbench {__version__}, Python {python}, {day}; seeds {asked.seed} to {seed - 1}")
    print(f"{'kind':28}{'tried':>8}" + "".join(f"{word:>17}" for word in (*outcomes, "slowest, ms")))
    for name, count in counts.items():
        told = [count[word] for word in outcomes]
        print(f"{name:28}{sum(told):8,}" + "".join(f"{n:17,}" for n in (*told, count["slowest_ms"])))
    print(f"{'all':28}{sum(n for c in counts.values() for w, n in c.items() if w in outcomes):8,}")
    print(f"peak memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10:,.0f} MiB")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
