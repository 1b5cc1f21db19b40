"""Ctrl-C that ends in time, whatever the program is computing."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sys
import tempfile
import threading
from pathlib import Path
from typing import NoReturn, Self

from xcnn import inputs
from xcnn.cli import console
from xcnn.errors import Terminated, XcnnError

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
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, interrupted)
    signal.signal(signal.SIGTERM, terminated)


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
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


class Watch:
    """Ends the process `SECONDS` after the first signal, and at once after the second.

    It does nothing in a program that does not `listen`, such as a test or a notebook.

    Parameters
    ----------
    out : Path, optional
        The folder in the making: drafts beside it are removed.
    patient : bool
        Wait as long as it takes after the first signal: there is something to keep.
    json : bool
        Say the end as JSON.
    """

    def __init__(self, out: Path | None, *, patient: bool, json: bool) -> None:
        self._out = out.absolute() if out else None
        self._patient = patient
        self._json = json
        self._left = self._ended = False

    def __enter__(self) -> Self:
        self._armed = signal.getsignal(signal.SIGTERM) is terminated
        if self._armed:
            self._read, self._write = socket.socketpair()
            self._write.setblocking(False)
            self._read.settimeout(None)
            signal.set_wakeup_fd(self._write.fileno(), warn_on_full_buffer=False)
            threading.Thread(target=self._wait, daemon=True).start()
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._left = True
        if not self._armed or (kind is not None and issubclass(kind, (KeyboardInterrupt, Terminated))):
            return  # the way out may take long, too
        self._ended = True
        signal.set_wakeup_fd(-1)
        self._write.close()

    def _begun(self) -> list[tuple[Path, str]]:
        """Where things in the making stand, and what their names look like."""
        found = [(Path(tempfile.gettempdir()), f"{inputs.DRAFT}{os.getpid()}-*")]
        if self._out is not None:
            from xcnn.io import places

            found.append((self._out.parent, f"{places.DRAFT}{os.getpid()}-*"))
        return found

    def _wait(self) -> None:
        begun = self._begun()  # now: when time is short, no lock of an import may be waited for
        wanted = {signal.SIGINT, signal.SIGTERM}
        first = self._next(wanted)
        if first is None:
            return
        self._read.settimeout(None if self._patient else SECONDS)
        second = self._next(wanted)
        if self._ended:
            return
        for folder, pattern in begun:
            for draft in folder.glob(pattern):
                shutil.rmtree(draft, ignore_errors=True)
        if sys.stderr is not None and sys.stderr.isatty() and console.coloured():
            os.write(2, b"\x1b[?25h\n")  # a bar hides the cursor
        kind = TerminatedError if first == signal.SIGTERM else StoppedError
        if not self._left:  # else the main thread says it
            problem = kind(f"{kind.code}: nothing was written")
            console.answer_json(console.error_json(problem)) if self._json else console.say(problem.message)
        os._exit(128 + (second or first))

    def _next(self, wanted: set[signal.Signals]) -> int | None:
        """The next signal that matters; None when time is up, or none can come."""
        try:
            while data := self._read.recv(1):
                if data[0] in wanted:
                    return data[0]
        except OSError:
            pass
        return None
