"""What one check found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["pass", "fail", "misfit", "untried"]


class Broken(Exception):  # noqa: N818 (no error of a program: a promise that is not kept)
    """A promise that is not kept, in words: what a check raises."""


@dataclass(frozen=True)
class Finding:
    """One check of one plugin.

    ``state`` is "pass", "fail", "misfit" where the explainer does not fit this kind of model, or "untried" where an
    earlier check failed so that this one has nothing to look at.
    """

    subject: str
    """The command, or the name of the extension."""
    check: str
    kind: str
    """The kind of model, one of `KINDS`; "" for what does not depend on it."""
    state: State
    words: str
    """What is wrong, or why it does not fit; "" when it passed."""
