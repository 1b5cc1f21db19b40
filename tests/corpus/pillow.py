"""What becomes of every picture in Pillow's own tests, and of files made here: explained, or refused in one sentence.

    python tests/corpus/pillow.py             # prints the table, and what differs from pillow.txt
    python tests/corpus/pillow.py --write     # keeps the table
    python tests/corpus/pillow.py FOLDER      # an unpacked source distribution of Pillow instead of a download

A small network explains them in another process: when that ends, a file crashed it, and when it is silent for long, a
file hung it. What is to look at, and why it is right: OpenCV turns no WebP, and no PNG by its XMP data; takes each JPEG of
inks for inverted, marked or not; shows the hidden first picture of an animation; and reads two odd BMP files wrong.
"""

from __future__ import annotations

import argparse
import io
import multiprocessing
import os
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from collections import Counter
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

    from xcnn.plugin import Image

HERE = Path(__file__).parent
SUMMARY = HERE / "pillow.txt"
VERSION = "13.0.0"
SECONDS = 5.0
"""The most CPU time that one file may take."""
PATIENCE = 60.0
"""The most that one file may take by the clock, computing or not."""
LETTERS = 400
LISTED = 30
"""Groups of so few files are listed by name."""
CLOSE = 8
"""Levels by which another decoder may differ, in the mean."""


@dataclass(frozen=True)
class Seen:
    """What became of one file."""

    what: str
    notes: tuple[str, ...] = ()
    faults: tuple[str, ...] = ()


def files(folder: Path) -> list[Path]:
    """All files below a folder, always in the same order."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def download(folder: Path) -> Path:
    """Fetch Pillow's source distribution and unpack its test images."""
    words = ["download", "-q", "--no-deps", "--no-binary", "pillow", "--dest", str(folder), f"pillow=={VERSION}"]
    subprocess.run([sys.executable, "-m", "pip", *words], check=True)
    with tarfile.open(next(folder.glob("pillow-*.tar.gz"))) as archive:
        members = [one for one in archive if "/Tests/images/" in one.name and one.isfile()]
        archive.extractall(folder, members, filter="data")
    return folder / f"pillow-{VERSION}"


# --- the process that explains ----------------------------------------------------------------------------------


def work(channel: Connection) -> None:
    """Explain the files that are named, one after the other."""
    os.environ |= {"TF_CPP_MIN_LOG_LEVEL": "3", "OPENCV_LOG_LEVEL": "SILENT"}
    import nets
    import numpy as np

    import xcnn
    from xcnn.errors import ImageError, XcnnError
    from xcnn.io import images

    network, explainer = xcnn.open_network(nets.nested(), preprocess="unit"), xcnn.GradCAM()
    channel.send("ready")
    while path := channel.recv():
        said = io.StringIO()
        with redirect_stderr(said):
            try:
                image = images.read(path)
                rows = explainer.explain(network, network.batch([image.pixels], ["top"], np.random.default_rng(0)))
                faults = [] if np.isfinite(rows[0][0].values).all() else ["the map is not finite"]
                seen = Seen("explained", tuple(map(_kind, image.notes)), (*faults, *_differs(path, image)))
            except ImageError as error:
                seen = Seen(_reason(error.message, path), tuple(_in_part(path)), tuple(_unclear(error, path)))
            except XcnnError as error:
                seen = Seen("another error", (), (f"{type(error).__name__}: {error}",))
            except Exception as error:  # noqa: BLE001 (whatever it is, it is what this script looks for)
                seen = Seen("a traceback", (), (f"{type(error).__name__}: {error}",))
        if said.getvalue().strip():
            seen = Seen(seen.what, seen.notes, (*seen.faults, f"said: {said.getvalue().strip()}"))
        channel.send(seen)


def _in_part(path: str) -> Iterator[str]:
    """Tell whether a part of a refused file is read when that is allowed."""
    from xcnn.errors import ImageError
    from xcnn.io import images
    from xcnn.io.reading import Reading

    try:
        images.read(path, Reading(allow_truncated=True))
    except ImageError:
        return
    yield "read in part with --allow-truncated"


def _kind(note: str) -> str:
    """A note without its numbers."""
    return re.sub(r"\d+", "N", note.partition(":")[0])


def _reason(message: str, path: str) -> str:
    """The kind of a refusal."""
    words = message.replace(path, "it").partition(":")[0]
    words = re.sub(r"^it has .* megapixels \(.*\); the limit is .*", "it has too many megapixels", words)
    words = re.sub(r"^it is (?!damaged|of a kind).*, not a picture", "it is something else, not a picture", words)
    return f"refused: {words}"


def _unclear(error: Exception, path: str) -> Iterator[str]:
    """What is wrong with the sentence of a refusal."""
    message = str(error)
    if not message.startswith(path) or len(message.replace(path, "")) > LETTERS:
        yield "the sentence does not begin with the file, or is too long"
    if not message.isprintable() or message.endswith("."):
        yield f"the sentence is not one plain line: {message!r}"


def _differs(path: str, image: Image) -> Iterator[str]:
    """Compare the pixels of an opaque picture of one frame with those of OpenCV."""
    import cv2
    import numpy as np

    if any("frame" in note or "transparent" in note or "bits" in note for note in image.notes):
        return
    other = cv2.imdecode(np.frombuffer(Path(path).read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    if other is None:
        return
    if other.shape != image.pixels.shape:
        yield f"OpenCV has another size, {other.shape[1]}x{other.shape[0]}"
    elif (apart := float(cv2.absdiff(other, np.ascontiguousarray(image.pixels[..., ::-1])).mean())) > CLOSE:
        yield f"OpenCV has other colours, {apart:.0f} levels in the mean"


# --- the process that watches -----------------------------------------------------------------------------------


class Worker:
    """A process that can be lost."""

    def __init__(self) -> None:
        self._start()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._channel, theirs = context.Pipe()
        self._process = context.Process(target=work, args=(theirs,), daemon=True)
        self._process.start()
        theirs.close()
        self._channel.recv()

    def explain(self, path: Path) -> Seen:
        """Tell what becomes of a file; a lost process is replaced."""
        self._channel.send(str(path))
        begun, burnt = time.monotonic(), self._burnt()
        try:
            while time.monotonic() - begun < PATIENCE and self._burnt() - burnt < SECONDS:
                if self._channel.poll(0.2):
                    seen: Seen = self._channel.recv()
                    return seen
            what = "a hang"
        except (EOFError, psutil.NoSuchProcess):
            what = "a crash"
        self.close()
        self._start()
        return Seen(what)

    def _burnt(self) -> float:
        """Seconds of CPU so far: those of the clock depend on what else the machine does."""
        times = psutil.Process(self._process.pid).cpu_times()
        return float(times.user + times.system)

    def close(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.join()


def table(title: str, seen: dict[str, Seen]) -> list[str]:
    """The outcomes of one corpus, counted; few files are named."""
    lines = [f"{title}: {len(seen)} files"]
    for what, count in sorted(Counter(one.what for one in seen.values()).items(), key=lambda pair: (-pair[1], pair[0])):
        lines.append(f"  {count:5}  {what}")
        notes = Counter(note for one in seen.values() if one.what == what for note in one.notes)
        lines += [f"         {number:5}  {note}" for note, number in sorted(notes.items())]
        if what != "explained" and count <= LISTED:
            lines += [f"                {name}" for name, one in seen.items() if one.what == what]
    faults = [f"                {name}: {fault}" for name, one in seen.items() for fault in one.faults]
    return [*lines, f"  {len(faults):5}  to look at", *faults]


def main() -> int:
    """Print the table; 1 when it is not the one that is kept, or a file crashed, hung or raised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", nargs="?", help="an unpacked source distribution of Pillow")
    parser.add_argument("--write", action="store_true", help=f"keep the table in {SUMMARY.name}")
    asked = parser.parse_args()
    import made

    with tempfile.TemporaryDirectory() as scratch:
        own = Path(scratch, "made")
        own.mkdir()
        made.make(own)
        theirs = (Path(asked.folder) if asked.folder else download(Path(scratch))) / "Tests" / "images"
        worker, lines = Worker(), []
        everything: list[Seen] = []
        slowest = (0.0, "")
        for title, folder in {f"Pillow {VERSION}, Tests/images": theirs, "made here": own}.items():
            seen = {}
            for path in files(folder):
                begun = time.monotonic()
                seen[str(path.relative_to(folder))] = worker.explain(path)
                slowest = max(slowest, (time.monotonic() - begun, path.name))
            lines += table(title, seen)
            everything += seen.values()
        worker.close()
    text = "\n".join(lines) + "\n"
    print(text, end="")
    print(f"slowest: {slowest[1]}, {slowest[0]:.2f} s")
    lost = Counter(one.what for one in everything if not one.what.startswith(("explained", "refused")))
    print(f"crashes, hangs, tracebacks and other errors: {sum(lost.values())} {dict(lost) or ''}")
    if asked.write:
        SUMMARY.write_text(text, "utf-8")
    same = text == SUMMARY.read_text("utf-8")
    print(f"{'the same as' if same else 'NOT the same as'} {SUMMARY.name}")
    return 0 if same and not lost else 1


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parent))
    raise SystemExit(main())
