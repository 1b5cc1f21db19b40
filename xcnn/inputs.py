"""Pictures that no argument names: lists of names, and one from standard input."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

from xcnn.errors import OptionError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import ExitStack

STDIN = "-"
DRAFT = "xcnn-stdin-"
PICTURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"II*\0", b"MM\0*")
"""What JPEG, PNG, GIF, WebP and TIFF begin with."""


class Piped(NamedTuple):
    """A picture whose bytes are in a file, while its name is another."""

    file: str
    name: str


def named(picture: str | Piped) -> Piped:
    """A picture's file and its name, which are one unless it was piped."""
    return picture if isinstance(picture, Piped) else Piped(picture, picture)


def given(images: Sequence[str], from_file: str | None, stack: ExitStack) -> list[str | Piped]:
    """Put the picture on standard input in the place of a dash; it is there until the stack is closed.

    Raises
    ------
    OptionError
        If standard input is wanted for two things, is a terminal, or closed.
    """
    if STDIN not in images:
        return list(images)
    if from_file == STDIN:
        raise OptionError("standard input is one picture, or names of pictures", hint="leave out - or --from-file -")
    return [*(one for one in images if one != STDIN), stack.enter_context(piped())]


def names(source: str) -> list[str]:
    """Read the names of pictures, one per line; with a NUL in it, each ends at a NUL.

    Raises
    ------
    OptionError
        If it can't be read, is a picture, or names nothing.
    """
    try:
        data = _stdin("--from-file -").read() if source == STDIN else Path(source).read_bytes()
    except (OSError, ValueError) as error:
        words = getattr(error, "strerror", None) or error
        raise OptionError(
            f"can't read the names in {source}: {words}", hint="give a text file, one per line"
        ) from error
    if data.startswith(PICTURES):
        raise OptionError(f"{source} is a picture and no list of names", hint="leave --from-file out")
    data = data.removeprefix(b"\xef\xbb\xbf")
    parts = data.split(b"\0") if b"\0" in data else [line.removesuffix(b"\r") for line in data.split(b"\n")]
    # As arguments are decoded, so that names of any bytes survive.
    found = [os.fsdecode(part) for part in parts if part]
    if not found:
        where = "standard input" if source == STDIN else source
        raise OptionError(f"{where} names no picture", hint="write one per line")
    return found


@contextmanager
def piped() -> Iterator[Piped]:
    """Keep the picture that arrives on standard input in a file meanwhile: a decoder may go back in it.

    Raises
    ------
    OptionError
        If standard input is a terminal, or closed.
    OutputError
        If there is no room for it.
    """
    stream = _stdin(STDIN)
    with tempfile.TemporaryDirectory(prefix=f"{DRAFT}{os.getpid()}-") as folder:
        path = Path(folder) / "stdin"
        try:
            with path.open("wb") as file:
                shutil.copyfileobj(stream, file)
        except OSError as error:
            words = f"the picture on standard input can't be kept in {path.parent.parent}: {error.strerror}"
            raise OutputError(words, hint="set TMPDIR to a folder with room") from error
        yield Piped(str(path), "stdin")


def _stdin(what: str) -> BinaryIO:
    if sys.stdin is None or sys.stdin.closed or sys.stdin.isatty():
        raise OptionError(f"{what} reads standard input, and nothing is piped into it", hint="... < FILE, or a pipe")
    return sys.stdin.buffer
