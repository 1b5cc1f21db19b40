"""What a report must not tell of who made it: the home directory and the user's name in paths."""

from __future__ import annotations

import contextlib
import getpass
import os
import re
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

USER = "USER"
"""What stands for the user's name in other paths than those below the home directory."""


def redacted(value: Any) -> Any:
    """Copy a JSON value with ``~`` in the place of the home directory, and without the user's name in other paths."""
    match value:
        case str():
            return _text(value)
        case Mapping():
            return {_text(key): redacted(item) for key, item in value.items()}
        case list() | tuple():
            return [redacted(item) for item in value]
    return value


def quoted(word: str) -> str:
    """A redacted word as a shell takes it: quotes would keep ``~`` from being the home directory."""
    word = _text(word)
    return f"~/{shlex.quote(word[2:])}" if word.startswith("~/") and len(word) > len("~/") else shlex.quote(word)


def _text(text: str) -> str:
    home = os.path.expanduser("~")  # noqa: PTH111 (Path.home raises where there is none)
    for folder in dict.fromkeys([home, str(Path(home).resolve())]):
        if len(folder) > 1 and folder.startswith("/"):
            text = re.sub(rf"(?<![\w.~/-]){re.escape(folder)}(?![\w.-])", "~", text)
    with contextlib.suppress(OSError, KeyError, ImportError):
        user = getpass.getuser()
        # A whole part of an absolute path, never a word of a label.
        text = re.sub(rf"(?<![\w.~-])((?:/[^/\s]+)*/){re.escape(user)}(?=/)", rf"\g<1>{USER}", text)
    return text
