"""Where a model came from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True)
class Origin:
    """Where a model came from, and what happened on the way.

    ``path`` is "" when there is no file that the user named. ``hashed`` gives the SHA-256 of its file when asked, ""
    when there is none.
    """

    name: str
    path: str = ""
    hashed: Callable[[], str] = str
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    trusted: bool = False
