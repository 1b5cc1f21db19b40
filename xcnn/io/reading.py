"""How picture files are read: what the user says of it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, Self

from PIL import ImageColor

from xcnn.errors import OptionError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How picture files are read.

    Parameters
    ----------
    background : str
        The colour behind transparent parts: a name of CSS, or ``#rrggbb``.
    frame : int
        Which frame or page of a file of several, from 1.
    allow_truncated : bool
        Take what can be read of a damaged file.
    max_megapixels : float
        The largest picture that is decoded.

    Raises
    ------
    OptionError
        If there is no such colour.
    """

    background: str = "white"
    frame: int = 1
    allow_truncated: bool = False
    max_megapixels: float = 64.0

    def __post_init__(self) -> None:
        """Check the colour."""
        word = self.background.strip().lower()
        if word not in ImageColor.colormap and not (word.startswith("#") and len(word) == len("#rrggbb")):
            raise _no_colour(self.background)
        try:
            ImageColor.getrgb(word)
        except ValueError:
            raise _no_colour(self.background) from None

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Self:
        """Pick what says how to read from the options of a command; the default where nothing is said."""
        return cls(**{field.name: options[field.name] for field in fields(cls) if field.name in options})

    @property
    def colour(self) -> tuple[int, int, int]:
        """The background as RGB."""
        red, green, blue = ImageColor.getrgb(self.background.strip())[:3]
        return red, green, blue

    @property
    def shown_on(self) -> str:
        """What is said of a picture with transparent parts."""
        return f"transparent parts shown on {self.background.strip()}"


PLAIN = Reading()
"""As without any option."""


def _no_colour(word: str) -> OptionError:
    hint = did_you_mean(word, ImageColor.colormap, "a name of CSS, or #rrggbb")
    return OptionError(f"--background is {word!r}, which is no colour", hint=hint)
