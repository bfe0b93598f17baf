"""At which steps a long run is looked at, and in which calls it is made."""

from collections.abc import Iterator

MOST_STEPS_A_CALL = 64  # what bounds memory
_A_DECADE = (1, 2, 3, 5, 7)


def marks(steps: int, *, of: int) -> tuple[int, ...]:
    """1, 2, 3, 5, 7, 10, … and the last step, each moved up to the end of a call of `of` steps."""
    some = [k * 10**power for power in range(len(str(steps))) for k in _A_DECADE if k * 10**power <= steps]
    return tuple(dict.fromkeys(-(-step // of) * of for step in sorted({*some, steps})))


def calls(at: tuple[int, ...], *, of: int | None) -> Iterator[int]:
    """Steps of each call: `of`, or as many as reach the next mark, MOST_STEPS_A_CALL at most."""
    done = 0
    for mark in at:
        while done < mark:
            steps = of or min(MOST_STEPS_A_CALL, mark - done)
            yield steps
            done += steps
