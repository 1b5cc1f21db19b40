"""The picture files that paths, globs and folders stand for."""

from __future__ import annotations

import glob
import os
import re
import string
from pathlib import Path
from typing import TYPE_CHECKING

from xcnn.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff"})


def find(patterns: Sequence[str], *, recursive: bool = False) -> list[str]:
    """List the picture files that paths, globs and folders stand for, each once.

    A folder stands for the pictures in it, by suffix, in natural order; with `recursive` for those in all folders
    below, too, its own first. A literal name wins over a glob. A name that matches nothing is kept, so that it becomes
    a failure of its own beside others.

    Raises
    ------
    UsageError
        If there is no picture at all, or a folder can't be looked into.
    """
    found: dict[str, str] = {}  # "x.jpg" and "./x.jpg" are one file; the first spelling is kept
    missing: set[str] = set()
    for pattern in patterns:
        if os.path.isdir(pattern):  # noqa: PTH112 (Path.is_dir raises when a name is too long or may not be looked at)
            matches = list(_inside(pattern, recursive=recursive))
        elif os.path.lexists(pattern):
            matches = [pattern]
        else:
            matches = sorted(filter(os.path.isfile, glob.iglob(pattern, recursive=True)), key=natural)  # noqa: PTH207 (absolute patterns, too)
        missing |= set() if matches else {os.path.normpath(pattern)}
        for name in matches or [pattern]:
            found.setdefault(os.path.normpath(name), name)
    if len(found) == len(missing):
        raise _nothing(list(found.values()), recursive=recursive)
    return list(found.values())


def _inside(folder: str, *, recursive: bool) -> Iterator[str]:
    try:
        entries = list(os.scandir(folder))
    except OSError as error:
        raise UsageError(f"can't look into the folder {folder}: {error.strerror}") from error
    # Not the hidden ones: macOS leaves a "._cat.jpg" that is no picture beside each "cat.jpg".
    entries = sorted((one for one in entries if not one.name.startswith(".")), key=lambda one: natural(one.name))
    for entry in entries:
        if Path(entry.name).suffix.lower() in SUFFIXES and entry.is_file():
            yield str(Path(folder, entry.name))
    for entry in entries if recursive else ():
        # No links to folders: they may lead around in a circle.
        if entry.is_dir(follow_symlinks=False):
            yield from _inside(str(Path(folder, entry.name)), recursive=True)


def _nothing(patterns: Sequence[str], *, recursive: bool) -> UsageError:
    if not patterns:
        return UsageError("no image was given")
    first = patterns[0]
    if os.path.isdir(first):  # noqa: PTH112 (as above)
        where = f"the folder {first}{' or below' if recursive else ''}"
        deeper = not recursive and any(entry.is_dir() for entry in list(os.scandir(first)))
        hint = "look into the folders below, too: --recursive" if deeper else ""
        return UsageError(f"there is no picture in {where}", hint=hint)
    what = "no file matches" if any(sign in first for sign in "*?[") else "there is no file"
    more = f" (and {len(patterns) - 1} more)" if len(patterns) > 1 else ""
    return UsageError(f"{what} {first or repr(first)}{more}")


def natural(name: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key that puts ``img2`` before ``img10``, and tells ``img1`` from ``img01``."""
    parts = re.split(r"([0-9]+)", name)
    return [(0, int(part), "") if part[0] in string.digits else (1, 0, part) for part in parts if part], name
