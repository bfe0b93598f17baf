"""The command line: one file a verb; the only package that prints, parses and exits.

Exit status: 0 well; 1 the check failed or a regression was found; 2 the user can mend it (one line says how);
3 finished, with failed or refused rows; 70 a defect of ours; 130 interrupted;
141 whoever read the output went away.
"""

import errno
import functools
import io
import os
import sys
import traceback
from collections.abc import Callable
from typing import Annotated, ParamSpec

import typer

from lstmbench import __version__
from lstmbench.cli.arrivals import arrivals
from lstmbench.cli.bench import bench
from lstmbench.cli.check import check
from lstmbench.cli.compare import compare
from lstmbench.cli.doctor import doctor
from lstmbench.cli.evaluate import evaluate
from lstmbench.cli.export import export
from lstmbench.cli.generate import generate
from lstmbench.cli.init import init
from lstmbench.cli.inspect import inspect
from lstmbench.cli.prices import prices
from lstmbench.cli.probe import probe
from lstmbench.cli.report import report
from lstmbench.cli.run import run
from lstmbench.cli.runtimes import install, remove, runtimes
from lstmbench.cli.selftest import selftest
from lstmbench.cli.study import study
from lstmbench.cli.train import train
from lstmbench.errors import LstmbenchError
from lstmbench.plain import sentence

MENDABLE, DEFECT, INTERRUPTED, NOBODY_READS = 2, 70, 130, 141  # the last as a shell reports SIGPIPE
P = ParamSpec("P")

# plain help: drawing it with rich would take longer than all the rest of --help
app = typer.Typer(
    name="lstmbench",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _verb(function: Callable[P, None]) -> Callable[P, None]:
    """Turn what a verb raises into an exit status; what a user can mend is one line on stderr."""

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            function(*args, **kwargs)
        except LstmbenchError as error:
            _leave(str(error), MENDABLE)
        except KeyboardInterrupt:
            _leave("interrupted; finished work is kept, the same command goes on from there", INTERRUPTED)
        except (typer.Exit, typer.Abort):
            raise
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # or Python complains while it exits
            raise typer.Exit(NOBODY_READS) from None
        except OSError as error:
            _leave(_of_the_system(error), MENDABLE)
        except MemoryError as error:
            _leave(f"this machine has too little memory free: {str(error) or 'take a smaller size'}", MENDABLE)
        except Exception:  # noqa: BLE001 (the last door: everything else is ours to mend)
            traceback.print_exc()
            _leave("this is a defect of lstmbench; please report the lines above", DEFECT)

    return run


def _of_the_system(error: OSError) -> str:
    if error.errno == errno.ENOSPC:
        return "the output cannot be written: the disk is full; finished work is kept"
    name = str(error.filename or "")
    shown = f"{name[:60]}…" if len(name) > 61 else name
    return f"{shown or 'the system'}: {error.strerror or error}"


def _leave(line: str, status: int) -> None:
    typer.echo(f"lstmbench: {sentence(line)}", err=True)
    raise typer.Exit(status)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"lstmbench {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    *,
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Print it.")] = False,
) -> None:
    """Train peephole LSTM language models, export them to ONNX, prove the export, measure it."""


app.command("eval")(_verb(evaluate))
for verb in (
    run,
    train,
    init,
    export,
    inspect,
    check,
    probe,
    bench,
    arrivals,
    prices,
    compare,
    report,
    generate,
    study,
    selftest,
    doctor,
):
    app.command()(_verb(verb))
of_runtimes = typer.Typer(rich_markup_mode=None)
of_runtimes.callback(invoke_without_command=True)(_verb(runtimes))
for of_one in (install, remove):
    of_runtimes.command()(_verb(of_one))
app.add_typer(of_runtimes, name="runtimes")


def main() -> None:
    """Run one command and exit with its status; a line that cannot be parsed is answered in one line."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")  # a terminal without × shows ?, and the table
    try:
        status = app(prog_name="lstmbench", standalone_mode=False)
    except Exception as error:
        if not hasattr(error, "format_message"):  # what all of the parser's errors have, and nothing else
            raise
        if not sys.argv[1:]:
            sys.exit(MENDABLE)  # the help was shown
        typer.echo(f"lstmbench: {sentence(error.format_message()).rstrip('.')}; see {_help_of(error)}", err=True)
        sys.exit(MENDABLE)
    sys.exit(status)


def _help_of(error: Exception) -> str:
    context = getattr(error, "ctx", None)
    return f"'{context.command_path if context else 'lstmbench'} --help'"
