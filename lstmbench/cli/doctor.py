"""`lstmbench doctor`: the whole state of this machine as one JSON document."""

from lstmbench.cli.runtimes import print_json
from lstmbench.cli.screen import spinner


def doctor() -> None:
    """Print machine, Python, packages, runtimes, environments, browser and GPUs as JSON; for a report of a defect."""
    from lstmbench.flows.doctor import examine

    with spinner() as progress:
        found = examine(progress)
    print_json(found)
