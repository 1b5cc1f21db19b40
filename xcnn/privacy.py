"""What a report must not tell of who made it: the home directory and the user's name in paths."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

USER = "USER"
"""What stands for the user's name in other paths than those below the home directory."""
KEPT = {"layer", "default_layer", "command"}
"""Keys of what has no user in it: names of layers, where nested ones look like paths, and words that were `quoted`."""
NEVER = "(?!)"
"""A pattern of nothing."""
END = r"(?![\w-]|\.\w)"
"""Where a part of a path ends in a text; a full stop may follow."""


@dataclass(frozen=True)
class Redaction:
    """Leaves one user out of texts; made once, as looking up who that is takes a while."""

    home: re.Pattern[str]
    """The home directory, where it is the whole of a path or its beginning."""
    name: re.Pattern[str]
    """The user's name, where it is a whole part of a path."""
    alone: re.Pattern[str]
    """The same in what is known to be a path: there it may be the only part."""

    @classmethod
    def of_user(cls) -> Redaction:
        """Look up who runs this."""
        home = os.path.expanduser("~")  # noqa: PTH111 (Path.home raises where there is none)
        folders = [Path(one) for one in dict.fromkeys([home, str(Path(home).resolve())]) if one.startswith("/")]
        folders = [one for one in folders if one.name]
        # Seen from the folders above it, the home directory does not begin with "/".
        names = [rf"(?<={re.escape(one.parent.name)}/){re.escape(one.name)}" for one in folders if one.parent.name]
        with contextlib.suppress(OSError, KeyError, ImportError):
            names.append(re.escape(getpass.getuser()))
        part, whole = (f"(?:{'|'.join(some) or NEVER})" for some in (names, [re.escape(str(one)) for one in folders]))
        return cls(
            home=re.compile(rf"(?<![\w.~/-]){whole}{END}"),
            name=re.compile(rf"(?<![\w.~-]){part}(?=/)|(?<=/){part}{END}"),
            alone=re.compile(rf"(?:^|(?<=/)){part}(?=/|$)"),
        )

    def text(self, text: str) -> str:
        """A text with ``~`` in the place of the home directory, and without the user's name in other paths."""
        return self.name.sub(USER, self.home.sub("~", text))

    def path(self, path: str) -> str:
        """The same of what is known to be a path."""
        return self.alone.sub(USER, self.home.sub("~", path))

    def value(self, value: Any) -> Any:
        """A copy of a JSON value without the user in its texts; the names of layers stay."""
        match value:
            case str():
                return self.text(value)
            case {"name": "layer", "value": _}:  # an option
                return {**value}
            case {"name": "out", "value": str(folder)}:
                return {**value, "value": self.path(folder)}
            case Mapping():
                return {self.text(key): one if key in KEPT else self.value(one) for key, one in value.items()}
            case list() | tuple():
                return [self.value(item) for item in value]
        return value

    def quoted(self, word: str, *, path: bool = False) -> str:
        """A word of a command as a shell takes it, `path` when it is known to be one.

        It still works for who typed it: quotes would keep ``~`` from being the home directory, and ``$USER`` the user.
        """
        word = self.home.sub("~", word)
        start = "~/" if word.startswith("~/") else ""
        parts = (self.alone if path else self.name).split(word.removeprefix(start))
        quoted = start + f'"${USER}"'.join(shlex.quote(part) if part else "" for part in parts)
        return word if word == "~" else quoted or "''"


def redacted(value: Any) -> Any:
    """Copy a JSON value without the home directory and the user's name in it; see `Redaction.value`."""
    return Redaction.of_user().value(value)
