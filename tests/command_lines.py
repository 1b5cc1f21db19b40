"""Strategies for command lines of xcnn: right, nearly right and wrong ones, with the files that they name."""

from __future__ import annotations

import io
import os
import shutil
from pathlib import Path

import numpy as np
from hypothesis import strategies as st
from PIL import Image as Pillow

from xcnn.cli import configured
from xcnn.host import Host
from xcnn.options import declared

SEQUENTIAL = Path(__file__).parent / "files" / "keras2_sequential.h5"
WRITES = {"out", "plot", "write", "open"}
"""Options that write or show something: where to is decided here."""
LOADS = {"trace", "verbose", "custom_objects"}
"""Options that load TensorFlow, change its log, or import what they name."""
NUMBERS = ("0", "1", "2", "3", "-1", "0.5", "1e9", "nan", "inf", "-0", "1e400", "", " 2 ", "\u0663", "0x2", "1,5")
WORDS = (
    "top", "top2", "0", "2", "99", "red", "red vs blue", "not:red", "label:red", "conv", "conv,conv", "*", "a/b", "auto", "tf", "caffe", "imagenet",
    "viridis", "jet", "no-such", "8x4", "1x1", "0x0", "1,1", "x", "folder", "names.txt", "in", "in/good.png", "x=in/good.png", "x=", "-", "--", "white", "#ff0000",
    "stretch", "crop", "probability", "sha256:0", "black", "mean", "blur", "\x1b[31m", "{0}", "%s", "[bold]", "null",
)  # fmt: skip
OUTS = (
    "run",
    "a/b",
    "in",
    "in/good.png",
    "in/new",
    ".",
    "..",
    "",
    "-",
    "names.txt",
    "\x1b]0;x\x07",
    "x" * 300,
    "/proc/1/x",
)
MODELS = (
    *("model.h5",) * 8,
    "efficientnet-lite0",
    "in",
    "in/good.png",
    "names.txt",
    "no.keras",
    "vgg17",
    "",
    "-",
    "http://x/y.h5",
)
IMAGES = (
    "in/good.png",
    "in/good.png",
    "in/good.png",
    "in",
    "in/*.png",
    "in/bad.tif",
    "no.png",
    "names.txt",
    "-",
    "",
    ".",
    "[",
    "**",
    "model.h5",
)
MODEL_ALONE = {"kernels", "filters"}
KINDS = ("PNG", "JPEG", "BMP", "GIF", "TIFF", "WEBP")

# What the system hands over as arguments and names: any bytes but NUL, and text with everything that is odd about it.
text = st.one_of(
    st.text(st.characters(exclude_characters="\0/", exclude_categories=["Cs"]), max_size=12),
    # Without a slash: no word means a file outside of the folder in which it is tried.
    st.binary(max_size=8).map(lambda data: os.fsdecode(data.translate(None, b"\0/"))),
)
names = text.filter(lambda word: word not in {"", ".", ".."})


def picture(kind, size=(5, 7), mode="RGB"):
    pixels = np.random.default_rng(0).integers(0, 256, (*size, 3), np.uint8)
    found = io.BytesIO()
    Pillow.fromarray(pixels).convert(mode).save(found, kind)
    return found.getvalue()


PICTURES = {kind: picture(kind) for kind in KINDS} | {"L": picture("PNG", mode="L"), "P": picture("GIF", mode="P")}


@st.composite
def contents(draw):
    """The bytes of a picture: whole, cut off, with some of them changed, or no picture at all."""
    data = bytearray(PICTURES[draw(st.sampled_from(sorted(PICTURES)))])
    damage = draw(st.sampled_from(["none", "none", "cut", "changed", "noise"]))
    if damage == "cut":
        return bytes(data[: draw(st.integers(0, len(data)))])
    if damage == "changed":
        for place, byte in draw(st.lists(st.tuples(st.integers(0, len(data) - 1), st.integers(0, 255)), max_size=6)):
            data[place] = byte
    return draw(st.binary(max_size=64)) if damage == "noise" else bytes(data)


GOOD = {
    "layer": ("conv", "*"), "target": ("top2", "1", "red vs blue", "not:red", "label:red"), "labels": ("red", "imagenet"), "preprocess": ("unit", "tf"), "output": ("0",),
    "colormap": ("jet", "viridis"), "background": ("black", "#ff0000"), "from_file": ("names.txt", "-"), "truth": ("folder",), "input": ("x=in/good.png",), "max_megapixels": ("1",),
}  # fmt: skip
"""Words that say something, where an option takes any."""


def _value(option):
    """What may follow a flag; half of it is right."""
    about, least = option.option, max(option.option.minimum or 0, 0)
    if about.choices:
        good = about.choices
    elif option.type is int:
        good = (f"{least:.0f}", f"{least + 1:.0f}", f"{least + 2:.0f}")
    elif option.type is float:
        good = (str(min(least + 0.5, about.maximum or 1)),)
    else:
        good = GOOD.get(option.name, ("2x3", "1,2", "4"))
    wrong = st.sampled_from(NUMBERS) if option.type in {int, float} else st.sampled_from(WORDS)
    return st.one_of(st.sampled_from(good), st.sampled_from(good), wrong, text)


@st.composite
def _flags(draw, kinds):
    """Some options of a command, with values of all sorts."""
    known = {
        one.name: one
        for kind in kinds
        for one in declared(kind)
        if not one.option.positional and one.name not in WRITES | LOADS | {"json"}
    }
    words = []
    for name in draw(st.lists(st.sampled_from(sorted(known)), max_size=3)):
        option = known[name]
        words += [option.flag] if option.type is bool else [option.flag, draw(_value(option))]
    return words


@st.composite
def lines(draw, *, without=()):
    """A command line, and files to be made for it: names and bytes."""
    every = {name: kinds for name, kinds in configured.commands(Host()).items() if name not in without}
    files = draw(st.dictionaries(names, contents(), max_size=2))
    command = draw(st.sampled_from([*every, "models", "plugins", "config show", "plugins new", ""]))
    flags = list(draw(st.sampled_from([(), (), ("--json",)])))
    if command not in every:
        words = [draw(text)] if command in {"", "config show", "plugins new"} or draw(st.integers(0, 4)) == 0 else []
        return [*command.split(), *(flags if command != "plugins new" else []), *words], files
    kinds = every[command]
    if command == "explain":
        flags += ["--with", draw(st.sampled_from(["gradcam,saliency", "occlusion", "kernels,cam", "no", ",", ""]))]
        kinds = kinds[-2:]
    flags += draw(_flags(kinds))
    if command in {"layers", "doctor"}:
        return [command, *flags, draw(st.sampled_from(MODELS))], files
    flags += draw(st.sampled_from([["--out", "run"], ["--out", "run"], ["--out"], []]))
    if flags and flags[-1] == "--out":
        flags.append(draw(st.one_of(st.sampled_from(OUTS), names)))
    if command == "report":
        given = draw(st.lists(st.one_of(st.sampled_from(["in", "old", "no"]), names), max_size=2))
    else:
        pool = st.one_of(
            st.sampled_from(IMAGES), st.sampled_from(IMAGES), text, *([st.sampled_from(sorted(files))] if files else [])
        )
        given = [draw(st.sampled_from(MODELS))]
        if command not in MODEL_ALONE:
            given += draw(st.lists(pool, min_size=1, max_size=3))
    dashes = ["--"] if draw(st.booleans()) else []
    return [
        command,
        *flags,
        *draw(st.sampled_from([[], [], [], ["--no-such"], ["-q"], ["-x", "1"]])),
        *dashes,
        *given,
    ], files


def furnish(root, files):
    """Make the folder in which a command line is tried."""
    (root / "in").mkdir(parents=True)
    shutil.copyfile(SEQUENTIAL, root / "model.h5")
    (root / "in" / "good.png").write_bytes(PICTURES["PNG"])
    (root / "in" / "bad.tif").write_bytes(PICTURES["TIFF"][:60])
    (root / "names.txt").write_text("in/good.png\nno.png\n")
    for name, data in files.items():
        path = root / name
        if not path.exists():
            path.write_bytes(data)


def tree(root):
    """Everything in a folder: files with their bytes."""
    return {os.fsencode(path): path.read_bytes() if path.is_file() else None for path in root.rglob("*")}
