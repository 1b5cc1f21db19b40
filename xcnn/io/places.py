"""The places of run folders: what may stand there, what takes it in one step, and what killed runs left beside it."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import fcntl
import json
import os
import platform
import re
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

from xcnn.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Identity = tuple[int, int]

MANIFEST = "run.json"
DRAFT = ".xcnn-draft-"
"""How the names of folders and files in the making begin; the number of the process follows."""
ASIDE = ".xcnn-aside-"
"""How a folder is called while another takes its place, where the system can't exchange the two."""
MAX_NAME = 200
"""Bytes of a folder's name: what stands beside it must fit in the usual 255, too."""
OWNED = re.compile(rf"{re.escape(DRAFT)}(?P<pid>\d+)-(?P<node>\w*)-(?P<key>[0-9a-f]{{8}})-.*")
RENAME_NOREPLACE = 1
RENAME_EXCHANGE = 2
AT_FDCWD = -100
NO_SUCH_CALL = {errno.EINVAL, errno.ENOSYS}


def default_folder(command: str) -> Path:
    """The first of ``xcnn-out/<command>``, ``-2``, ``-3``, ... that does not exist and that no run is writing."""
    number, folder = 1, Path("xcnn-out", command)
    while os.path.lexists(folder) or os.path.lexists(partial(folder)) or busy(folder):
        number += 1
        folder = Path("xcnn-out", f"{command}-{number}")
    return folder


def partial(out: Path) -> Path:
    """Where the epochs of a training are kept until it has ended and `out` is written."""
    return out.with_name(f"{out.name}.partial")


def check(out: Path, *, overwrite: bool, inputs: Iterable[str] = ()) -> None:
    """Refuse a folder that can't become the output, before anything is computed.

    ``inputs`` are files of the user that must not be inside it.

    Raises
    ------
    OutputError
        If it exists, or exists and was not written by xcnn, or can't be written, or another run is writing it.
    """
    if os.path.lexists(out):
        if not overwrite:
            raise OutputError(f"{out} already exists", hint="choose another --out, or add --overwrite")
        if inside := _inside(out, inputs):
            raise OutputError(
                f"{out} holds {inside}, which is read, so it is not overwritten", hint="choose another --out"
            )
        refuse_foreign(out)
    if len(os.fsencode(out.name)) > MAX_NAME:
        raise OutputError(f"the name of the folder {out} is too long", hint="choose another --out")
    parent = out.absolute().parent
    while not os.path.lexists(parent):
        parent = parent.parent
    if not parent.is_dir():
        raise OutputError(f"can't write {out}: {parent} is no folder")
    if not os.access(parent, os.W_OK | os.X_OK):
        raise OutputError(f"can't write {out}: {parent} is not writable", hint="choose another --out")
    if busy(out):
        raise OutputError(f"another run is writing {out}", hint="wait until it is done, or choose another --out")


def _inside(out: Path, inputs: Iterable[str]) -> str | None:
    """The first of some files that is in a folder, by whatever name: through links, mounts, and as a hard link."""
    held = {_identity(path.stat()) for path in out.iterdir() if path.exists()} if out.is_dir() else set()
    for name in inputs:
        path = Path(name)
        with contextlib.suppress(OSError):  # a name that is none: of a model of ours, or a mistake that is told later
            if path.resolve().is_relative_to(out.resolve()) or _identity(path.stat()) in held:
                return name
    return None


def refuse_foreign(out: Path) -> None:
    """Refuse to overwrite what xcnn did not write with an OutputError."""
    ours = _written(out) if out.is_dir() and not out.is_symlink() else None
    if ours is None:
        raise OutputError(f"{out} was not written by xcnn, so it is not overwritten", hint="choose another --out")
    foreign = sorted(path.name for path in out.iterdir() if path.name not in ours)
    if foreign:
        raise OutputError(
            f"{out} holds {foreign[0]}, which xcnn did not write, so it is not overwritten",
            hint="move it away, or choose another --out",
        )


def _written(folder: Path) -> set[str] | None:
    """The names of the files that a run wrote; nothing for an empty folder, None for one that holds no run."""
    try:
        listed = json.loads((folder / MANIFEST).read_text("ascii"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return None if any(folder.iterdir()) else set()
    return {str(name) for name in listed}


# --- drafts, and who is at work on them ------------------------------------------------------------------------------


def draft_name(out: Path) -> str:
    """How the name of a draft of `out` begins: it tells the process, the machine and the place."""
    return f"{DRAFT}{os.getpid()}-{_node()}-{_key(out)}-"


def new_draft(out: Path) -> tuple[Path, int]:
    """Make the folder in which `out` is built; the open file marks it as in use for as long as the process lives."""
    folder = Path(tempfile.mkdtemp(prefix=draft_name(out), dir=out.absolute().parent))
    handle = os.open(folder, os.O_RDONLY)
    with contextlib.suppress(OSError):  # some network file systems have no locks; nobody takes the draft away there
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    return folder, handle


def settle(out: Path) -> None:
    """Remove what runs left that were killed: their drafts; and put back what one of them had moved aside.

    What is of another machine, of a living process, or locked, is left alone.
    """
    for path in [path for path, owner in _drafts(out) if _abandoned(path, owner)]:
        shutil.rmtree(path, ignore_errors=True)
        with contextlib.suppress(OSError):
            path.unlink()
    aside = _aside(out)
    if os.path.lexists(aside) and not busy(out):
        with contextlib.suppress(OSError):
            if os.path.lexists(out):
                shutil.rmtree(aside)
            else:
                aside.rename(out)


def busy(out: Path) -> bool:
    """Whether a run of this machine is about to write a folder."""
    return any(owner["key"] == _key(out) and _locked(path) for path, owner in _drafts(out))


def _drafts(out: Path) -> Iterator[tuple[Path, re.Match[str]]]:
    """The user's drafts beside a folder."""
    with contextlib.suppress(OSError), os.scandir(out.absolute().parent) as entries:
        for entry in entries:
            owner = OWNED.fullmatch(entry.name)
            if owner and not entry.is_symlink() and entry.stat(follow_symlinks=False).st_uid == os.getuid():
                yield Path(entry.path), owner


def _abandoned(path: Path, owner: re.Match[str]) -> bool:
    if owner["node"] != _node():
        return False
    try:
        os.kill(int(owner["pid"]), 0)
    except ProcessLookupError:
        # Another container may call itself the same and number its processes anew: a lock they share.
        return not _locked(path)
    except (OSError, OverflowError):
        pass
    return False


def _locked(path: Path) -> bool:
    """Whether a living process holds the lock of a draft; also where that can't be told."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False


def _node() -> str:
    return re.sub(r"\W", "_", platform.node())[:64]


def _key(out: Path) -> str:
    return f"{zlib.crc32(os.fsencode(out.name)):08x}"


def _aside(out: Path) -> Path:
    return out.absolute().with_name(f"{ASIDE}{out.name}")


# --- into place ------------------------------------------------------------------------------------------------------


def standing(out: Path) -> Identity | None:
    """What stands in a place, to be known again; None for nothing."""
    return _identity(os.lstat(out)) if os.path.lexists(out) else None


def _identity(found: os.stat_result) -> Identity:
    return found.st_dev, found.st_ino


def put(draft: Path, out: Path, *, instead_of: Identity | None) -> None:
    """Rename a draft to its place in one step, or in the place of what stood there when the run began.

    Raises
    ------
    OutputError
        If something else stands there by now.
    """
    now = standing(out)
    if now is None:
        _move(draft, out)
    elif instead_of is None:
        raise _appeared(out)
    elif now != instead_of:
        raise OutputError(
            f"another run wrote {out} while xcnn was at work", hint="run it again, or choose another --out"
        )
    else:
        refuse_foreign(out)  # again: it may have appeared while xcnn was at work
        _exchange(draft, out, instead_of)


def _appeared(out: Path) -> OutputError:
    return OutputError(f"{out} appeared while xcnn was at work", hint="choose another --out")


def _move(draft: Path, out: Path) -> None:
    try:
        if not _renamed(draft, out, RENAME_NOREPLACE):
            if os.path.lexists(out):
                raise _appeared(out)
            draft.rename(out)
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTEMPTY}:
            raise _appeared(out) from error
        raise


def _exchange(draft: Path, out: Path, wanted: Identity) -> None:
    """Swap two folders in one step where the system can, else move the old one aside first."""
    if _renamed(draft, out, RENAME_EXCHANGE):
        if standing(draft) != wanted:  # in the last moment; the other run has said that it is done
            _renamed(draft, out, RENAME_EXCHANGE)
            raise _appeared(out)
        return
    aside = _aside(out)
    out.rename(aside)
    try:
        draft.rename(out)
    except OSError:
        aside.rename(out)
        raise
    shutil.rmtree(aside, ignore_errors=True)


def _renamed(source: Path, target: Path, how: int) -> bool:
    """Rename as Linux can; False where the system or the file system can't."""
    libc = ctypes.CDLL(None, use_errno=True)
    if not hasattr(libc, "renameat2"):
        return False
    if libc.renameat2(AT_FDCWD, os.fsencode(source), AT_FDCWD, os.fsencode(target.absolute()), how) == 0:
        return True
    found = ctypes.get_errno()
    if found in NO_SUCH_CALL:
        return False
    raise OSError(found, os.strerror(found))
