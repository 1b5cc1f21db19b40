"""How much memory a model would take, from what its file declares: nothing is allocated."""

from __future__ import annotations

from typing import Any

from xcnn.errors import UnsafeModelError

GIGABYTE = 10**9


def refuse_too_large(name: str, config: Any, *, arrays: int, most_gigabytes: float) -> None:
    """Refuse a model whose arrays would take too much memory.

    Raises
    ------
    UnsafeModelError
        With the size and the limit.
    """
    del config
    if arrays > most_gigabytes * GIGABYTE:
        raise UnsafeModelError(
            f"{name} was not loaded: its arrays take {arrays / GIGABYTE:.1f} GB; the limit is {most_gigabytes:g} GB",
            hint="raise the limit with --max-model-gb",
        )
