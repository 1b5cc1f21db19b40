"""Ctrl-C that ends in time, whatever the program is computing."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NoReturn, Self

from xcnn import inputs
from xcnn.cli import console
from xcnn.errors import Terminated, XcnnError

Handler = Callable[[int, object], object]
INTERRUPTED = 130
TERMINATED = 128 + signal.SIGTERM
SECONDS = 0.5
"""Python raises KeyboardInterrupt between its own instructions only; TensorFlow may compute for longer than that."""


class StoppedError(XcnnError):
    """The user ended the program."""

    exit_code = INTERRUPTED
    code = "interrupted"


class TerminatedError(StoppedError):
    """Someone else ended it."""

    exit_code = TERMINATED
    code = "terminated"


def listen() -> None:
    """Let SIGINT, unless the shell has switched it off, and SIGTERM end the program tidily."""
    _answer_with(interrupted, terminated)


def _answer_with(interrupt: Handler, terminate: Handler) -> None:
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupt)
    signal.signal(signal.SIGTERM, terminate)


def listening() -> bool:
    """Whether this is the program, and no test or notebook."""
    return signal.getsignal(signal.SIGTERM) is terminated


def interrupted(*_: object) -> NoReturn:
    """End as SIGINT asks."""
    _told()
    raise KeyboardInterrupt


def terminated(*_: object) -> NoReturn:
    """End as SIGTERM asks."""
    _told()
    raise Terminated


def _told() -> None:
    """Keep a second signal, which `Watch` hears, from breaking into what the first one began."""
    _answer_with(_nothing, _nothing)


def _nothing(*_: object) -> None:
    pass


class Watch:
    """Ends the process on a signal: from the main thread, or `SECONDS` later if that is deep in C, or on the second.

    An exception out of a signal's handler would not do: OpenCV crashes on one that is raised while it reads its
    arguments. It does nothing in a program that does not `listen`, such as a test or a notebook.

    Parameters
    ----------
    out : Path, optional
        The folder in the making: drafts beside it are removed.
    patient : bool
        As soon as something is `finished`, wait as long as it takes to a `pause` after the first signal.
    json : bool
        Say the end as JSON.
    """

    def __init__(self, out: Path | None, *, patient: bool, json: bool) -> None:
        self._out = out.absolute() if out else None
        self._patient = patient
        self._json = json
        self._keeps = self._armed = self._left = self._ended = False
        self._asked = 0

    def __enter__(self) -> Self:
        self._armed = listening()
        if self._armed:
            self._begun = self._drafts()  # now: when time is short, no lock of an import may be waited for
            self._made = [parent for parent in self._out.parents if not parent.exists()] if self._out else []
            self._read, self._write = socket.socketpair()
            self._write.setblocking(False)
            self._read.settimeout(None)
            signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
            threading.Thread(target=self._wait, daemon=True).start()
            _answer_with(self._heard, self._heard)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._left = True
        if not self._armed or (kind is not None and issubclass(kind, (KeyboardInterrupt, Terminated))):
            return  # the way out may take long, too
        self._ended = True
        listen()
        signal.set_wakeup_fd(-1)
        self._write.close()

    def finished(self) -> None:
        """From now on there is something to keep."""
        self._keeps = self._patient

    def pause(self) -> None:
        """End here if a signal asked for it: nothing is half done."""
        if self._asked:
            raise Terminated if self._asked == signal.SIGTERM else KeyboardInterrupt

    def _heard(self, number: int, _: object) -> None:
        if not self._keeps:
            self._leave(number, number)
        self._asked = self._asked or number

    def _drafts(self) -> list[tuple[Path, str]]:
        """Where things in the making stand, and what their names look like."""
        found = [(Path(tempfile.gettempdir()), f"{inputs.DRAFT}{os.getpid()}-*")]
        if self._out is not None:
            from xcnn.io import places

            self._standing = partial(places.standing, self._out)
            self._before = self._standing()
            found.append((self._out.parent, f"{places.DRAFT}{os.getpid()}-*"))
        return found

    def _wait(self) -> None:
        wanted = {signal.SIGINT, signal.SIGTERM}
        first = self._next(wanted)
        if first is None:
            return
        self._read.settimeout(None if self._keeps else SECONDS)
        second = self._next(wanted)
        if not self._ended:
            self._leave(first, second or first)

    def _leave(self, first: int, last: int) -> NoReturn:
        """Remove what is in the making, say so, and end the process."""
        for folder, pattern in self._begun:
            for draft in folder.glob(pattern):
                shutil.rmtree(draft, ignore_errors=True)
        with contextlib.suppress(OSError):
            for parent in self._made:
                parent.rmdir()
        with contextlib.suppress(OSError):
            if sys.stderr is not None and sys.stderr.isatty() and console.coloured():
                os.write(2, b"\x1b[?25h\n")  # a bar hides the cursor
            kind = TerminatedError if first == signal.SIGTERM else StoppedError
            if not self._left:  # else the main thread says it
                whole = self._out is not None and self._standing() != self._before  # it had just taken its place
                problem = kind(f"{kind.code}: {f'{self._out} is whole' if whole else 'nothing was written'}")
                told = json.dumps(console.error_json(problem), indent=1) if self._json else problem.message
                os.write(1 if self._json else 2, f"{told}\n".encode())  # Python's streams may be in use right now
        os._exit(128 + last)

    def _next(self, wanted: set[signal.Signals]) -> int | None:
        """The next signal that matters; None when time is up, or none can come."""
        try:
            while data := self._read.recv(1):
                if data[0] in wanted:
                    return data[0]
        except OSError:
            pass
        return None
