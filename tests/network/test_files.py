import gzip
import hashlib
import json
import pickle
import zipfile

import h5py
import hostile
import numpy as np
import pytest

from xcnn.errors import ModelError
from xcnn.network import preflight


def refused(path):
    with pytest.raises(ModelError) as caught:
        preflight.inspect(path)
    assert caught.value.exit_code == 3
    assert "\n" not in caught.value.message
    return caught.value


def weights_file(path, *, names="layer_names"):
    with h5py.File(path, "w") as file:
        file.attrs[names] = [b"conv"]
        file["conv/conv/kernel:0"] = np.zeros((3, 3, 3, 2), np.float32)
    return path


def architecture(path):
    path.write_text(json.dumps(hostile.OLD))
    return path


POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:" + b"0" * 64 + b"\nsize 553467096\n"

FOREIGN = [
    ("model.keras", POINTER, "is a Git LFS pointer", "git lfs pull"),
    ("model.h5", b"\n<!DOCTYPE html>\n<html>", "is a web page", "raw"),
    ("model.h5", b"<html lang='en'>", "is a web page", "raw"),
    ("model.bin", b"\x1c\0\0\0TFL3" + bytes(40), "is a TensorFlow Lite model", "converted from"),
    ("model.tflite", bytes(40), "is a TensorFlow Lite model", "converted from"),
    ("model.onnx", b"\x08\x07" + bytes(40), "is an ONNX model", "converted from"),
    ("model.bin", b"\x08\x07\x12\x07pytorch\x1a", "is an ONNX model", "converted from"),
    ("saved_model.pb", b"\x08\x01\x12\x80", "is a part of a SavedModel", "export a .keras or .h5"),
    ("keras_metadata.pb", b"\n\x01", "is a part of a SavedModel", "export a .keras or .h5"),
    ("frozen.pb", b"\n\x0f\n\x05input", "is a frozen TensorFlow graph", "export a .keras or .h5"),
    ("model.ckpt-10.index", bytes(60), "belongs to a TensorFlow checkpoint", "load_weights"),
    ("model.ckpt.data-00000-of-00001", bytes(60), "belongs to a TensorFlow checkpoint", "load_weights"),
    ("checkpoint", b'model_checkpoint_path: "m"', "belongs to a TensorFlow checkpoint", "load_weights"),
    ("model.pkl", pickle.dumps([1]), "is a pickle, which runs code", "model.save"),
    ("model.pth", b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j", "is a PyTorch model", ""),
    ("model.safetensors", b'\x40\0\0\0\0\0\0\0{"a":1}', "is no Keras model", "model.save"),
    ("model.npy", b"\x93NUMPY\x01\0", "holds a NumPy array", "model.save"),
    ("model.h5.gz", gzip.compress(b"x" * 50, mtime=0), "is an archive", "unpack"),
    ("model.tar", b"model.h5" + bytes(249) + b"ustar\0", "is an archive", "unpack"),
    ("model.yaml", b"backend: tensorflow\nclass_name: Sequential\n", "is an architecture in YAML", "model.save"),
    ("cat.jpg", b"\xff\xd8\xff\xe0" + bytes(40), "is neither a .keras nor an HDF5 file but a picture", "model first"),
    ("notes.txt", b"some words about a model", "is neither a .keras nor an HDF5 file", "model.save"),
]


@pytest.mark.parametrize(("name", "content", "words", "hint"), FOREIGN)
def test_what_is_no_keras_model_is_told_what_it_is_and_what_to_do(own_folder, name, content, words, hint):
    path = own_folder / name
    path.write_bytes(content)

    error = refused(path)

    assert error.message.startswith(f"{path} {words}")
    assert hint in error.hint


ZIPS = [
    ({"archive/data.pkl": b"", "archive/version": b"3"}, "is a PyTorch model"),
    ({"m/saved_model.pb": b"", "m/variables/x": b""}, "is a zipped SavedModel"),
    ({"a.npy": b"", "b.npy": b""}, "holds NumPy arrays"),
    ({"deep/model.h5": b"", "readme": b""}, "is a zip file with deep/model.h5 in it; unpack it first"),
    ({"readme": b""}, "is a zip file but no Keras model"),
    ({"config.json": b"{}"}, "has no weights: there is no model.weights.h5 in it"),
    (
        {"config.json": b"{}", "model.weights.npz": b""},
        "has its weights in model.weights.npz, which xcnn does not read",
    ),
    ({"config.json": b"{}", "model.weights.json": b"{}"}, "has its weights in model.weights.json"),
]


@pytest.mark.parametrize(("entries", "words"), ZIPS)
def test_other_zips_are_told_what_they_are(own_folder, entries, words):
    path = own_folder / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in entries.items():
            archive.writestr(name, content)

    assert refused(path).message.startswith(f"{path} {words}")


FOLDERS = [
    (["saved_model.pb", "variables"], "is a SavedModel", "a stranger's can read and write files"),
    (["keras_metadata.pb"], "is a SavedModel", "export a .keras or .h5"),
    (["config.json", "metadata.json", "model.weights.h5"], "is an unpacked .keras file", "zip"),
    (["checkpoint", "ckpt-1.index"], "is a folder with a TensorFlow checkpoint", "load_weights"),
    (["model.json", "group1-shard1of1.bin"], "is a TensorFlow.js model", "made from"),
    (["a.png", "best.keras"], "is a folder; xcnn opens", "best.keras"),
]


@pytest.mark.parametrize(("names", "words", "hint"), FOLDERS)
def test_folders_are_told_what_they_are(own_folder, names, words, hint):
    for name in names:
        (own_folder / name).write_bytes(b"\x08")

    error = refused(own_folder)

    assert error.message.startswith(f"{own_folder} {words}")
    assert hint in error.hint


JSON = [
    ({"modelTopology": {}, "weightsManifest": []}, "is a TensorFlow.js model"),
    ({"metadata": {}, "weight_map": {"layers/conv": "model_00000.weights.h5"}}, "lists weights in several files"),
    ({"labels": ["cat"]}, "is JSON but no architecture of a Keras model"),
    (hostile.OLD, "is an architecture without weights, and there are none beside it"),
]


@pytest.mark.parametrize(("content", "words"), JSON)
def test_json_is_told_apart(own_folder, content, words):
    path = own_folder / "model.json"
    path.write_text(json.dumps(content))

    assert refused(path).message.startswith(f"{path} {words}")


@pytest.mark.parametrize("name", ["model.model", "model", "model.keras", "model.weights"])
@pytest.mark.parametrize("block", [0, 512, 4096])
def test_hdf5_is_known_wherever_it_begins_and_whatever_its_name(own_folder, name, block):
    path = hostile.h5_file(own_folder, hostile.OLD, name=name, userblock_size=block)

    assert preflight.inspect(path).kind == "h5"


def test_an_architecture_in_hdf5_without_weights_is_told(own_folder):
    path = own_folder / "model.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(hostile.OLD)

    assert refused(path).message.endswith("holds an architecture without weights")


PAIRS = [
    ("model.json", "model.h5"),
    ("my_arch.json", "my_weights.h5"),
    ("net_model.json", "net.weights.h5"),
    ("net.json", "net_weights.hdf5"),
    ("Net-architecture.json", "net-weights-best.h5"),
    ("model.json", "weights.h5"),
    ("model.json", "epoch-30.h5"),
]


@pytest.mark.parametrize(("json_name", "h5_name"), PAIRS)
def test_the_weights_beside_an_architecture_are_found(own_folder, json_name, h5_name):
    path, weights = architecture(own_folder / json_name), weights_file(own_folder / h5_name)

    file = preflight.inspect(path)

    assert (file.path, file.weights, file.kind) == (path, weights, "h5")
    assert file.notes == (f"architecture from {json_name}, weights from {h5_name}",)
    assert file.sha256 == hashlib.sha256(path.read_bytes() + weights.read_bytes()).hexdigest()


@pytest.mark.parametrize(("json_name", "h5_name"), PAIRS[:-1])
def test_the_architecture_beside_weights_is_found(own_folder, json_name, h5_name):
    path, weights = architecture(own_folder / json_name), weights_file(own_folder / h5_name)

    file = preflight.inspect(weights)

    assert (file.path, file.weights) == (path, weights)


def test_an_architecture_of_another_name_is_not_taken_for_that_of_weights(own_folder):
    architecture(own_folder / "other.json")

    assert "holds weights without an architecture" in refused(weights_file(own_folder / "net.h5")).message


def test_the_same_name_beats_a_similar_one(own_folder):
    path = architecture(own_folder / "net.json")
    weights_file(own_folder / "net_weights.h5")
    exact = weights_file(own_folder / "net.h5")

    assert preflight.inspect(path).weights == exact


def test_several_weights_that_fit_are_listed_with_the_way_to_choose(own_folder):
    path = architecture(own_folder / "model.json")
    weights_file(own_folder / "epoch-1.h5")
    weights_file(own_folder / "epoch-2.h5")

    error = refused(path)

    assert error.message.endswith("several files beside it that could be its weights: epoch-1.h5, epoch-2.h5")
    assert error.hint == "rename the right one to model.h5"


def test_a_whole_model_of_the_same_name_is_pointed_out(own_folder):
    path = architecture(own_folder / "model.json")
    whole = hostile.h5_file(own_folder, hostile.OLD)

    assert refused(path).hint == f"open {whole}, which holds the whole model"


def test_weights_that_were_not_fetched_are_told(own_folder):
    path = architecture(own_folder / "model.json")
    (own_folder / "model_weights.h5").write_bytes(POINTER)

    assert refused(path).message == f"{own_folder / 'model_weights.h5'} is a Git LFS pointer, not the model itself"


def test_whole_models_beside_an_architecture_are_no_weights(own_folder):
    path = architecture(own_folder / "model.json")
    hostile.h5_file(own_folder, hostile.OLD, name="other.h5")

    assert "there are none beside it" in refused(path).message


def test_wicked_weights_beside_an_architecture_are_refused(own_folder):
    path = architecture(own_folder / "model.json")
    with h5py.File(weights_file(own_folder / "model.h5"), "a") as file:
        file["evil"] = h5py.ExternalLink("/etc/hostname", "/")

    with pytest.raises(ModelError) as caught:
        preflight.inspect(path)

    assert caught.value.exit_code == 4


def test_a_file_that_vanishes_before_it_is_hashed_is_an_error_of_the_model(own_folder):
    path = hostile.keras_file(own_folder, hostile.GOOD)
    file = preflight.inspect(path, hashed=False)
    path.unlink()

    with pytest.raises(ModelError, match="can't read the model"):
        _ = file.sha256


def test_the_hash_is_computed_once_and_beside_other_work(own_folder):
    path = hostile.keras_file(own_folder, hostile.GOOD)
    expected = hashlib.sha256(path.read_bytes()).hexdigest()
    file = preflight.inspect(path)

    assert file.sha256 == expected
    path.unlink()
    assert file.sha256 == expected
