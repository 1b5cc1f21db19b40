"""The hash of a file, computed beside other work."""

from __future__ import annotations

import hashlib
import threading
from typing import TYPE_CHECKING

from xcnn.errors import ModelError

if TYPE_CHECKING:
    from pathlib import Path


BLOCK = 2**18
"""Fits a processor's cache, so that the hash leaves the memory to the loading beside it."""


class Digest:
    """The SHA-256 of files, one behind the other: a thread computes it from `start` on, and `value` waits for it.

    Parameters
    ----------
    paths : Path
        The files.
    """

    def __init__(self, *paths: Path) -> None:
        self._paths = paths
        self._value = ""
        self._error: OSError | None = None
        self._thread = threading.Thread(target=self._compute, name="xcnn-hash", daemon=True)
        self._lock = threading.Lock()
        self._started = False

    def start(self) -> None:
        """Begin, unless it has begun."""
        with self._lock:
            if not self._started:
                self._started = True
                self._thread.start()

    def value(self) -> str:
        """Wait for the hash, 64 hexadecimal digits.

        Raises
        ------
        ModelError
            If a file can't be read any more.
        """
        self.start()
        self._thread.join()
        if self._error is not None:
            raise ModelError(f"can't read the model {self._paths[0]}: {self._error.strerror}") from self._error
        return self._value

    def _compute(self) -> None:
        try:
            hashed = hashlib.sha256()
            block = memoryview(bytearray(BLOCK))
            for path in self._paths:
                with path.open("rb", buffering=0) as file:
                    while count := file.readinto(block):
                        hashed.update(block[:count])
            self._value = hashed.hexdigest()
        except OSError as error:
            self._error = error
