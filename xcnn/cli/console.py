"""What is printed: answers on standard output, everything else on standard error."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, OutputError, XcnnError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

NO_ROOM = "failed to map", "can't start new thread"
"""How libraries and Python say that memory is too short for them."""


def printable(text: object) -> str:
    """Text without control characters and lone surrogates, so that no file name can steer a terminal."""
    shown = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(sign if sign.isprintable() else sign.encode("unicode_escape").decode() for sign in shown)


def shortened(text: str, most: int = 40) -> str:
    """The beginning of a long text."""
    return text if len(text) <= most else text[: most - 3] + "..."


def percent(probability: float | None) -> str:
    """A probability in percent; "" when there is none."""
    return "" if probability is None else f"{probability:.1%}"


def coloured() -> bool:
    """Whether a terminal may be sent escape sequences."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def answer(text: object) -> None:
    """Print one line of the answer on standard output."""
    write(sys.stdout, f"{printable(text)}\n")


def answer_json(data: Any) -> None:
    """Print JSON, pure ASCII, on standard output."""
    write(sys.stdout, json.dumps(data, indent=1, allow_nan=False) + "\n")


def say(text: str) -> None:
    """Print one line on standard error."""
    write(sys.stderr, f"{printable(text)}\n")


def write(stream: Any, text: str) -> None:
    """Write text to a stream of the program, in ASCII where it can't be written otherwise.

    Raises
    ------
    BrokenPipeError
        If nobody reads any more.
    OutputError
        If it can't be written.
    """
    if stream is None:  # closed by the user: >&-
        return
    try:
        try:
            stream.write(text)
        except UnicodeEncodeError:
            stream.write(text.encode("ascii", "backslashreplace").decode())
        stream.flush()
    except BrokenPipeError:
        raise
    except OSError as problem:
        raise OutputError(f"can't write to {stream.name}: {problem.strerror}") from problem


def unforeseen(problem: Exception) -> XcnnError:
    """Put in words what nobody has put in words yet."""
    lines = str(problem).rstrip().splitlines() or ["an array could not be made"]
    last = lines[-1]  # before it NumPy has a page of advice
    if isinstance(problem, MemoryError) or any(words in last for words in NO_ROOM):
        hint = "close other programs, or lift the limit (ulimit -v)"
        return ModelError(f"there is not enough memory: {last}", hint=hint)
    return XcnnError(
        f"a bug in xcnn: {type(problem).__name__}: {problem}",
        hint="set XCNN_DEBUG=1 for the traceback, and report it",
    )


def error(problem: XcnnError) -> None:
    """Print what happened and what to try."""
    for line in error_lines(problem.message, problem.hint):
        say(line)


def error_lines(message: str, hint: str) -> list[str]:
    """An error in the form of the design."""
    return [f"error: {message}", *([f"  try: {hint}"] if hint else [])]


def error_json(problem: XcnnError) -> dict[str, Any]:
    """An error as JSON."""
    detail = {"code": problem.code, "exit_code": problem.exit_code, "message": problem.message, "hint": problem.hint}
    return {"schema_version": 1, "error": detail}


def table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table on standard output: plain columns, so that other programs can read them."""
    cells = [[printable(heading) for heading in headings], *([printable(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(headings))]
    for row in cells:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        write(sys.stdout, line.rstrip() + "\n")
