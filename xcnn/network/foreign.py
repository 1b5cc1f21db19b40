"""What a file or folder is that xcnn can't open, told from its first bytes and its name: one sentence each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from xcnn.errors import ModelError
from xcnn.network.archive import EXPORT

if TYPE_CHECKING:
    from pathlib import Path

CODE = (
    "export a .keras or .h5 file where the model was made: a SavedModel is a graph of code, and a stranger's can read "
    "and write files"
)
KERAS = "xcnn explains Keras models"
OPEN_H5 = "build the model in Python, load them with load_weights, and save it whole: model.save('model.keras')"

BYTES: tuple[tuple[bytes, str, str], ...] = (
    (rb"version https://git-lfs", "is a Git LFS pointer, not the model itself", "fetch it with: git lfs pull"),
    (rb"\s*<(!doctype|html|\?xml)", "is a web page, not a model", "download the file itself (GitHub calls it raw)"),
    (rb".{4}TFL3", f"is a TensorFlow Lite model; {KERAS}", "give the Keras model it was converted from"),
    (rb"\x93NUMPY", "holds a NumPy array, not a model", EXPORT),
    (rb"\x80[\x02-\x05]", "is a pickle, which runs code when it is opened, so xcnn never does", EXPORT),
    (
        rb"\x89PNG|\xff\xd8\xff|GIF8|BM.{4}\0\0\0\0",
        "is neither a .keras nor an HDF5 file but a picture",
        "name the model first, then the pictures",
    ),
    (rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf|Rar!|.{257}ustar", "is an archive", "unpack it and give the model in it"),
    (rb"GGUF|.{8}\{\"", f"is no Keras model; {KERAS}", EXPORT),
    (rb"(?i)[^\0]{0,99}?\b(class_name|backend):", "is an architecture in YAML, which could run code", EXPORT),
    (rb"model_checkpoint_path:", "belongs to a TensorFlow checkpoint: weights without an architecture", OPEN_H5),
    (rb"\x08[\x01-\x1f]\x12.[ -~]{3}", f"is an ONNX model; {KERAS}", "give the Keras model it was converted from"),
)
NAMES: tuple[tuple[str, str, str], ...] = (
    (r"\.onnx$", f"is an ONNX model; {KERAS}", "give the Keras model it was converted from"),
    (r"\.tflite$", f"is a TensorFlow Lite model; {KERAS}", "give the Keras model it was converted from"),
    (r"(saved_model|keras_metadata)\.pb(txt)?$", "is a part of a SavedModel", CODE),
    (r"\.pb(txt)?$", "is a frozen TensorFlow graph, which is code", CODE),
    (
        r"(\.index|\.data-\d+-of-\d+|\.ckpt|\.meta|(^|/)checkpoint)$",
        "belongs to a TensorFlow checkpoint: weights without an architecture",
        OPEN_H5,
    ),
    (r"(\.(pt|pth|safetensors)|pytorch_model\.bin)$", f"is a PyTorch model; {KERAS}", EXPORT),
    (r"\.(pkl|pickle|joblib)$", "is a pickle, which runs code when it is opened, so xcnn never does", EXPORT),
)


def file_error(path: Path, first: bytes) -> ModelError:
    """Say what a file is that is neither a zip, nor HDF5, nor JSON."""
    if not first:
        return ModelError(f"{path} is empty", hint="copy or download it again")
    for pattern, what, hint in BYTES[:-1]:
        if re.match(pattern, first, re.DOTALL | re.IGNORECASE):
            if what.startswith("is a pickle") and path.suffix in {".pt", ".pth", ".bin"}:
                return ModelError(f"{path} is a PyTorch model; {KERAS}")
            return ModelError(f"{path} {what}", hint=hint)
    for name, what, hint in NAMES:
        if re.search(name, path.name):
            return ModelError(f"{path} {what}", hint=hint)
    pattern, what, hint = BYTES[-1]
    if re.match(pattern, first, re.DOTALL):
        return ModelError(f"{path} {what}", hint=hint)
    return ModelError(f"{path} is neither a .keras nor an HDF5 file", hint=EXPORT)


def folder_error(path: Path) -> ModelError:
    """Say what a folder is."""
    names = sorted(entry.name for entry in path.iterdir())
    if {"saved_model.pb", "saved_model.pbtxt", "keras_metadata.pb"} & set(names):
        return ModelError(f"{path} is a SavedModel; xcnn opens .keras and .h5 files", hint=CODE)
    if "config.json" in names and any(name.startswith("model.weights") for name in names):
        return ModelError(
            f"{path} is an unpacked .keras file", hint="zip what is in it: cd there and run zip -0 -r ../model.keras *"
        )
    if "checkpoint" in names or any(name.endswith(".index") for name in names):
        return ModelError(
            f"{path} is a folder with a TensorFlow checkpoint: weights without an architecture", hint=OPEN_H5
        )
    if "model.json" in names and any(name.endswith(".bin") for name in names):
        return javascript_error(path)
    models = [name for name in names if name.endswith((".keras", ".h5", ".hdf5"))]
    hint = f"give a file in it, such as {path / models[0]}" if models else EXPORT
    return ModelError(f"{path} is a folder; xcnn opens .keras, .h5 and .hdf5 files", hint=hint)


def javascript_error(path: Path) -> ModelError:
    """Say that a model was made for TensorFlow.js."""
    return ModelError(f"{path} is a TensorFlow.js model; {KERAS}", hint="give the .keras or .h5 file it was made from")


def weights_error(path: Path) -> ModelError:
    """Say that a file holds weights only."""
    return ModelError(f"{path} holds weights without an architecture", hint=EXPORT)
