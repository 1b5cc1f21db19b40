"""The epochs of a training that goes on, each in a folder of its own."""

from __future__ import annotations

import os
import re
import shutil
from typing import TYPE_CHECKING

from xcnn.errors import OutputError
from xcnn.io import places
from xcnn.saving import memory

if TYPE_CHECKING:
    from pathlib import Path

    from xcnn.plugin import Run

EPOCH = re.compile(r"epoch-\d+")


class Epochs:
    """The epochs of a training that goes on: a run folder of each, with its numbers and without figures.

    They are what is left when the process is killed: ``xcnn report`` makes one report of them.

    Parameters
    ----------
    out : Path
        Where the run goes when the training has ended; they stand beside it.
    overwrite : bool
        Remove those that an earlier training left.

    Raises
    ------
    OutputError
        If there are some, or something else is in their place.
    """

    def __init__(self, out: Path, *, overwrite: bool) -> None:
        told = places.partial(out)
        self.folder = told.absolute()  # the training may change its working directory
        if not os.path.lexists(self.folder):
            return
        if not overwrite:
            raise OutputError(
                f"{told} already exists: the epochs of a training that did not end",
                hint=f"xcnn report {told}/* makes a report of them; then remove it, or choose another out",
            )
        if self.folder.is_symlink() or not self.folder.is_dir():
            raise OutputError(f"{told} is no folder of xcnn", hint="choose another out")
        for path in self.folder.iterdir():
            if not EPOCH.fullmatch(path.name) and not path.name.startswith(places.DRAFT):
                raise OutputError(f"{told} holds {path.name}, which xcnn did not write", hint="move it away")
            if EPOCH.fullmatch(path.name):
                places.refuse_foreign(path)
        self.remove()

    def write(self, run: Run, epoch: int) -> None:
        """Write what is known of one epoch; OutputError when it can't be."""
        memory.save(run, self.folder / f"epoch-{epoch:03}", overwrite=False, drawn=False)

    def remove(self) -> None:
        """Remove them: the run has all of it."""
        shutil.rmtree(self.folder, ignore_errors=True)
