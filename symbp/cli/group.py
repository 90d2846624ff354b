"""The group that holds the commands, and what happens when one fails."""

from __future__ import annotations

import contextlib
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import click

from symbp.errors import SymbpError, SymbpWarning
from symbp.room import with_room
from symbp.version import __version__

# \b keeps Click from filling the lines of the example.
_HELP = """Derive backpropagation of a dense network, prove every step, typeset it, compile and train it.

SPEC is a TOML file that declares the network, such as

\b
[network]
name = "iris"
inputs = 4
cost = "cross_entropy"
layers = [{units = 8, activation = "tanh"}, {units = 3, activation = "softmax"}]
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit status.

    Every mistake of the user becomes one line on stderr and status 2.
    """
    try:
        with _warnings_in_one_line():
            status: Any = with_room(cli.main, arguments, prog_name="symbp", standalone_mode=False)
        sys.stdout.flush()  # now, while a closed pipe or a full disk can still be reported
        return status if isinstance(status, int) else 0
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        return 2
    except click.ClickException as error:
        return _fail(error.format_message())
    except SymbpError as error:
        return _fail(str(error), getattr(error, "excerpt", ()))
    except (KeyboardInterrupt, click.Abort):
        print("symbp: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of stdout has left (symbp derive ... | head). What Python would still
        # flush at exit goes nowhere, so that it does not complain either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except MemoryError:
        return _fail("not enough memory for a network or data of this size")
    except OSError as error:
        return _fail(f"{error.filename or 'output'}: {error.strerror or error}")
    except Exception as error:
        if os.environ.get("SYMBP_TRACEBACK"):
            raise
        return _fail(
            f"this is a fault of symbp, please report it: {type(error).__name__}: {error} "
            "(SYMBP_TRACEBACK=1 shows where)"
        )


def _fail(message: str, excerpt: Sequence[str] = ()) -> int:
    """Print one line, and below it the formula with a caret under the place, if there is one."""
    with contextlib.suppress(OSError):
        lines = [f"symbp: error: {' '.join(message.split())}", *(f"    {line}" for line in excerpt)]
        print("\n".join(lines), file=sys.stderr, flush=True)
    return 2


@contextlib.contextmanager
def _warnings_in_one_line() -> Iterator[None]:
    """Show symbp's own warnings as one line each; others as Python does."""
    with warnings.catch_warnings():
        warnings.simplefilter("once", SymbpWarning)
        usual, told = warnings.showwarning, set[str]()

        def show(message: Warning | str, category: type[Warning], *place: Any) -> None:
            text = " ".join(str(message).split())
            if not issubclass(category, SymbpWarning):
                usual(message, category, *place)
            elif text not in told:
                told.add(text)
                print(f"symbp: warning: {text}", file=sys.stderr)

        warnings.showwarning = show  # type: ignore[assignment]
        yield


@click.group(help=_HELP, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, message="symbp %(version)s")
def cli() -> None:
    """Hold the commands; their docstrings are the help."""
