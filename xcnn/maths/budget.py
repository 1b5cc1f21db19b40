"""The time that one picture may take."""

from __future__ import annotations

import time


class Budget:
    """Tells whether another part of the work fits into the time.

    The first part is free: it may have traced the network, which later ones don't.

    Parameters
    ----------
    seconds : float, optional
        The time; None for as much as it takes.

    Examples
    --------
    >>> Budget(None).spent(16), Budget(0).spent(16)
    (False, True)
    """

    def __init__(self, seconds: float | None) -> None:
        self.seconds = seconds
        self._begun = 0.0
        self._first = 0

    def spent(self, done: int, following: int = 0) -> bool:
        """Say after each part whether the next one would end too late.

        Parameters
        ----------
        done : int
            How many steps of equal cost have been done.
        following : int
            How many the next part has; 0 for as many as the first had.
        """
        if self.seconds is None:
            return False
        if not self._first:
            self._begun, self._first = time.monotonic(), done
            return self.seconds == 0
        elapsed = time.monotonic() - self._begun
        each = elapsed / (done - self._first) if done > self._first else 0.0
        return elapsed + each * (following or self._first) > self.seconds
