"""Time limits of what must not block."""

from __future__ import annotations

import contextlib
import signal


@contextlib.contextmanager
def at_most(seconds):
    """Break off what blocks."""

    def late(*_):
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
