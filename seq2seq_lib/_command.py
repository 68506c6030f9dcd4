"""What the commands share: the streams of a process, the errors in words, the exit codes."""

import os
import sys
from collections.abc import Callable

OF_THE_EXTRA = ("sentencepiece", "sacrebleu", "pooch", "requests", "tqdm")


def open_streams() -> None:
    """Streams that speak UTF-8 in every locale, and that are there.

    Where the caller has closed one (``>&-``), Python has None in its place: an error has no words
    then, notes for people go into the output, and the next file that is opened may get its number.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115
    # like the input, also in a pipe on Windows; the name of a file may hold other bytes
    sys.stdout.reconfigure(encoding="utf-8", errors="surrogateescape")


def exit_code(work: Callable[[], None], interrupted: Callable[[], str]) -> int:
    """Do the work of a command.

    Args:
        interrupted: what to say after Ctrl-C; nothing if it is empty.

    Returns:
        0 if it went well, 2 for a mistake that a line on stderr explains, 130 after Ctrl-C, 141 if
        the reader of its output went away.
    """
    try:
        work()
        sys.stdout.flush()  # here, where a closed pipe can be handled
    except BrokenPipeError:  # "translate | head": what is left has no reader, and no complaint
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), sys.stdout.fileno())
        return 141
    except (OSError, RuntimeError, ValueError, FloatingPointError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name not in OF_THE_EXTRA:
            raise
        print(
            f"error: {error.name} is not installed: the extra `course` holds it.", file=sys.stderr
        )
        return 2
    except KeyboardInterrupt:
        if words := interrupted():
            print(f"\n{words}", file=sys.stderr)
        return 130
    return 0
