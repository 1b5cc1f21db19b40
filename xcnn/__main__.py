"""`python -m xcnn`, and the console script."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def main() -> NoReturn:
    """Import the program and run it; a signal meanwhile ends the process in silence instead of with a traceback."""
    heard = signal.getsignal(signal.SIGINT) is signal.default_int_handler  # not in the background of a shell
    if heard:
        signal.signal(signal.SIGINT, _leave)
    signal.signal(signal.SIGTERM, _leave)
    # Each of OpenBLAS's threads takes memory when NumPy is imported, and where one finds none, it sends SIGINT to us.
    # TensorFlow has its own threads.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from xcnn.cli import main as program

    if heard:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    program.main()


def _leave(number: int, _: object) -> NoReturn:
    os._exit(128 + number)


if __name__ == "__main__":
    main()
