import hashlib
import importlib
import inspect
import io
import json
import os
import zipfile
from pathlib import Path

import h5py
import numpy as np
import pytest
from limits import at_most

from xcnn.errors import ModelError, UnknownClassError, UnsafeModelError
from xcnn.network import hdf5, keras_layers, keras_objects, keras_operations, preflight
from xcnn.network.zoo import EFFICIENTNET_LITE0

FILES = Path(__file__).parents[1] / "files"


# Configs, as Keras 3 writes them and as Keras 2 did


def layer(kind, name="", module="keras.layers", **config):
    return {
        "module": module,
        "class_name": kind,
        "config": {"name": name or kind.lower(), **config},
        "registered_name": None if module == "keras.layers" else kind,
    }


def legacy(kind, name="", **config):
    return {"class_name": kind, "config": {"name": name or kind.lower(), **config}}


def sequential(*layers, name="sequential"):
    return layer("Sequential", name, module="keras", layers=list(layers))


def initializer(kind, module="keras.initializers"):
    return {"module": module, "class_name": kind, "config": {"seed": None}, "registered_name": None}


SMALL = sequential(
    layer("InputLayer", batch_shape=[None, 8, 8, 3]),
    layer("Conv2D", "conv", kernel_initializer=initializer("GlorotUniform"), activation="relu"),
    layer("GlobalAveragePooling2D", "pool"),
    layer("Dense", "dense"),
)
A_LAMBDA = {"class_name": "__lambda__", "config": {"code": "4wEAAA==", "defaults": None, "closure": None}}


def weights():
    """The bytes of a small file with weights."""
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file["layers/conv/vars/0"] = np.random.default_rng(0).random((3, 3, 3, 8))
    return memory.getvalue()


@pytest.fixture
def keras_file(tmp_path):
    """Write a .keras file with this config."""

    def write(config, name="model.keras"):
        path = tmp_path / name
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("metadata.json", "{}")
            archive.writestr("config.json", config if isinstance(config, (str, bytes)) else json.dumps(config))
            archive.writestr("model.weights.h5", weights())
        return path

    return write


@pytest.fixture
def h5_file(tmp_path):
    """Write an .h5 file with this config."""

    def write(config, name="model.h5"):
        path = tmp_path / name
        with h5py.File(path, "w") as file:
            file.attrs["model_config"] = config if isinstance(config, (str, bytes)) else json.dumps(config)
            file.create_group("model_weights")["kernel"] = np.arange(1000.0)
        return path

    return write


def refused(path, kind=ModelError):
    with pytest.raises(kind) as caught:
        preflight.inspect(path)
    assert type(caught.value) in {kind, UnknownClassError if kind is ModelError else kind}
    return caught.value


# Good files


def test_a_keras_file_passes_and_gets_its_hash(keras_file):
    path = keras_file(SMALL)

    found = preflight.inspect(path)

    assert (found.path, found.kind, found.weights, found.trusted) == (path, "keras", path, False)
    assert found.config == SMALL
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("name", ["keras2_functional.h5", "keras2_sequential.h5"])
def test_files_of_keras_2_pass(name):
    path = FILES / name

    found = preflight.inspect(path)

    assert (found.path, found.kind, found.weights, found.trusted) == (path, "h5", path, False)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.mark.parametrize("as_bytes", [True, False])
def test_an_h5_file_passes_whether_its_config_is_text_or_bytes(h5_file, as_bytes):
    text = json.dumps(SMALL)

    found = preflight.inspect(h5_file(text.encode() if as_bytes else text))

    assert found.kind == "h5"


def test_the_embedded_model_passes():
    assert preflight.inspect(EFFICIENTNET_LITE0.path()).kind == "keras"


@pytest.mark.parametrize("name", ["model.bin", "model", "model.h5"])
def test_a_file_is_known_by_its_content_not_its_name(keras_file, name):
    assert preflight.inspect(keras_file(SMALL, name)).kind == "keras"


def test_models_within_models_pass(keras_file):
    path = keras_file(sequential(sequential(SMALL, name="inner"), layer("TimeDistributed", layer=layer("Dense"))))

    assert preflight.inspect(path).kind == "keras"


def test_the_oldest_way_to_write_a_sequential_model_passes(h5_file):
    config = {"class_name": "Sequential", "config": [legacy("Conv2D"), legacy("Dense")]}

    assert preflight.inspect(h5_file(config)).kind == "h5"


def test_legacy_initializers_are_no_unknown_layers(h5_file):
    conv = legacy("Conv2D", kernel_initializer={"class_name": "VarianceScaling", "config": {"scale": 1.0}})

    assert preflight.inspect(h5_file(legacy("Sequential", layers=[conv]))).kind == "h5"


# Code and files in a model


def test_a_lambda_layer_is_refused_by_name(keras_file):
    error = refused(keras_file(sequential(layer("Conv2D"), layer("Lambda", "double"))), UnsafeModelError)

    assert error.message == ("model.keras was not loaded: layer 'double' (Lambda) runs Python code stored in the file")
    assert error.hint.startswith("rebuild the model with Keras layers instead")


def test_a_lambda_layer_in_an_old_file_is_refused(h5_file):
    path = h5_file(legacy("Sequential", layers=[legacy("Conv2D"), legacy("Lambda", "double", function=["4wEAAA=="])]))

    assert "model.h5 was not loaded: layer 'double' (Lambda)" in refused(path, UnsafeModelError).message


def test_a_lambda_layer_in_the_list_of_the_oldest_files_is_refused(h5_file):
    path = h5_file({"class_name": "Sequential", "config": [legacy("Conv2D"), legacy("Lambda", "double")]})

    assert "'double' (Lambda)" in refused(path, UnsafeModelError).message


def test_a_model_that_is_a_lambda_layer_is_refused(keras_file):
    assert "'all' (Lambda)" in refused(keras_file(layer("Lambda", "all")), UnsafeModelError).message


def test_a_lambda_layer_within_models_within_models_is_refused(keras_file):
    inner = sequential(sequential(layer("Lambda", "deep"), name="middle"), name="inner")

    assert "'deep' (Lambda)" in refused(keras_file(sequential(SMALL, inner)), UnsafeModelError).message


@pytest.mark.parametrize("wrapper", ["TimeDistributed", "Bidirectional", "SpectralNormalization", "Wrapper"])
def test_a_lambda_layer_inside_a_wrapper_is_refused(keras_file, wrapper):
    path = keras_file(sequential(layer(wrapper, layer=layer("Lambda", "hidden"))))

    assert "'hidden' (Lambda)" in refused(path, UnsafeModelError).message


def test_a_lambda_function_in_the_arguments_of_a_call_is_refused(keras_file):
    called = layer("Conv2D", "conv") | {"inbound_nodes": [{"args": [], "kwargs": {"mask": A_LAMBDA}}]}
    model = layer("Functional", "net", module="keras", layers=[called])

    assert "layer 'conv' (lambda function) runs Python code" in refused(keras_file(model), UnsafeModelError).message


def test_a_lambda_layer_in_the_arguments_of_a_call_is_refused(keras_file):
    called = layer("Conv2D", "conv") | {"inbound_nodes": [{"args": [[layer("Lambda", "smuggled")]], "kwargs": {}}]}
    model = layer("Functional", "net", module="keras", layers=[called])

    assert "'smuggled' (Lambda)" in refused(keras_file(model), UnsafeModelError).message


def test_a_lambda_layer_in_the_arguments_of_an_old_call_is_refused(h5_file):
    called = legacy("Conv2D", "conv") | {"inbound_nodes": [[["input", 0, 0, {"mask": legacy("Lambda", "smuggled")}]]]}

    path = h5_file(legacy("Functional", "net", layers=[called]))

    assert "'smuggled' (Lambda)" in refused(path, UnsafeModelError).message


def test_a_lambda_function_as_activation_is_refused(keras_file):
    path = keras_file(sequential(layer("Dense", "dense", activation=A_LAMBDA)))

    assert "layer 'dense' (lambda function) runs Python code" in refused(path, UnsafeModelError).message


def test_a_lambda_layer_that_says_it_comes_from_elsewhere_is_refused(keras_file):
    for module in ("keras.src.layers.core.lambda_layer", None, "keras"):
        refused(keras_file(sequential(layer("Lambda", module=module))), UnsafeModelError)


@pytest.mark.parametrize(
    ("kind", "what"),
    [
        ("TFSMLayer", "runs a TensorFlow graph from outside the file"),
        ("TorchModuleWrapper", "unpickles a PyTorch module"),
        ("JaxLayer", "runs a function from outside Keras"),
        ("FlaxLayer", "runs a module from outside Keras"),
    ],
)
def test_layers_that_run_foreign_code_are_refused_saying_what_they_do(keras_file, kind, what):
    error = refused(keras_file(sequential(layer(kind, "odd"))), UnsafeModelError)

    assert error.message == f"model.keras was not loaded: layer 'odd' ({kind}) {what}"


def test_all_unsafe_layers_are_named_at_once(keras_file):
    path = keras_file(sequential(layer("Lambda", "a"), sequential(layer("TFSMLayer", "b")), layer("Lambda", "c")))

    message = refused(path, UnsafeModelError).message

    assert "layer 'a' (Lambda), 'c' (Lambda) runs Python code" in message
    assert "layer 'b' (TFSMLayer) runs a TensorFlow graph" in message


def test_very_many_unsafe_layers_are_counted(keras_file):
    path = keras_file(sequential(*(layer("Lambda", f"l{number}") for number in range(11))))

    message = refused(path, UnsafeModelError).message

    assert "'l7' (Lambda) and 3 more" in message
    assert "'l8'" not in message


def test_an_unsafe_layer_matters_more_than_an_unknown_one(keras_file):
    path = keras_file(sequential(layer("Mine", module=None), layer("Lambda", "a")))

    assert "'a' (Lambda)" in refused(path, UnsafeModelError).message


# Classes that Keras does not have


def test_a_class_of_the_user_is_refused_by_name(keras_file):
    error = refused(keras_file(sequential(layer("Conv2D"), layer("Attention2D", module=None))))

    assert error.message == "model.keras needs a class that Keras doesn't have: Attention2D"
    assert "xcnn.explain(model, images)" in error.hint


@pytest.mark.parametrize("module", [None, "mypackage.layers", "__main__", "kerasy.layers", "keras_cv.layers"])
def test_a_class_from_outside_keras_is_foreign_wherever_it_comes_from(keras_file, module):
    path = keras_file(sequential(layer("Conv2D", "mine", module=module)))

    assert "Keras doesn't have: Conv2D" in refused(path).message


def test_all_unknown_classes_are_named_at_once_and_each_once(keras_file):
    path = keras_file(
        sequential(
            layer("Swish", module=None),
            layer("TimeDistributed", layer=layer("Blur", module="mine")),
            layer("Swish", "again", module=None),
        )
    )

    assert refused(path).message == "model.keras needs classes that Keras doesn't have: Swish, Blur"


def test_an_unknown_class_of_an_old_file_is_refused_by_name(h5_file):
    path = h5_file(legacy("Functional", layers=[legacy("Conv2D"), legacy("FixedBlur"), legacy("Swish")]))

    assert refused(path).message == "model.h5 needs classes that Keras doesn't have: FixedBlur, Swish"


def test_a_class_of_the_user_with_the_name_of_an_operation_is_unknown_in_an_old_file(h5_file):
    layer = {"class_name": "Normalize", "config": {"name": "conv4_3_norm", "trainable": True}}

    error = refused(h5_file({"class_name": "Sequential", "config": [layer]}))

    assert error.message == "model.h5 needs a class that Keras doesn't have: Normalize"


def test_a_model_class_of_an_old_file_is_refused_by_name(h5_file):
    assert "Keras doesn't have: MyNet" in refused(h5_file(legacy("MyNet", layers=[legacy("Conv2D")]))).message


def test_a_subclassed_model_is_refused_by_name(keras_file):
    model = {"module": None, "class_name": "MyNet", "config": {"units": 3}, "registered_name": "MyNet"}

    assert "Keras doesn't have: MyNet" in refused(keras_file(model)).message


def test_functions_of_the_user_are_listed_with_the_classes(keras_file):
    written = {"module": "builtins", "class_name": "function", "config": "swish2", "registered_name": "function"}
    path = keras_file(
        sequential(layer("Dense", activation=written), layer("Conv2D", activation="mish2"), layer("Blur", module="me"))
    )

    assert refused(path).message == "model.keras needs classes that Keras doesn't have: Blur, swish2, mish2"
    assert preflight.inspect(path, known={"Blur", "swish2", "mish2"}).kind == "keras"


def test_an_unknown_activation_alone_is_called_a_function(keras_file):
    path = keras_file(sequential(layer("Dense", activation="swish2")))

    assert refused(path).message == "model.keras needs a function that Keras doesn't have: swish2"


def test_a_class_registered_in_a_package_is_known_by_its_own_name(keras_file):
    entry = layer("Blur", module="me") | {"registered_name": "mypackage>Blur"}

    assert preflight.inspect(keras_file(sequential(entry)), known={"Blur"}).kind == "keras"


def test_a_harmless_operation_of_an_old_file_is_unknown_not_unsafe(h5_file):
    shuffle = legacy("TensorFlowOpLayer", "shuffle", node_def='{"name": "d", "op": "DepthToSpace"}')

    message = refused(h5_file(legacy("Functional", "net", layers=[shuffle]))).message

    assert message == "model.h5 needs a class that Keras doesn't have: TensorFlowOpLayer (DepthToSpace)"


@pytest.mark.parametrize("module", ["keras_hub.layers", "keras_cv.models", "tensorflow_addons.layers"])
def test_a_layer_of_an_add_on_is_unknown(keras_file, module):
    assert "Keras doesn't have: GroupNorm" in refused(keras_file(sequential(layer("GroupNorm", module=module)))).message


# Files that are no models


def test_weights_of_keras_2_are_no_model():
    error = refused(FILES / "keras2_weights_only.h5")

    assert error.message == f"{FILES / 'keras2_weights_only.h5'} holds weights without an architecture"
    assert error.hint == "save the whole model in Python: model.save('model.keras')"


@pytest.mark.parametrize("group", ["layers/conv/vars", "_layer_checkpoint_dependencies/conv/vars", "vars"])
def test_weights_of_keras_3_are_no_model(tmp_path, group):
    path = tmp_path / "model.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_group(group)["0"] = np.zeros(3)

    assert "holds weights without an architecture" in refused(path).message


def test_any_other_h5_file_is_no_model(tmp_path):
    path = tmp_path / "data.h5"
    with h5py.File(path, "w") as file:
        file["table"] = np.zeros(3)

    assert "holds no Keras model" in refused(path).message


def test_a_zip_without_a_config_is_no_model(tmp_path):
    path = tmp_path / "a.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "hello")

    assert "is a zip file but no Keras model: it has no config.json" in refused(path).message


@pytest.mark.parametrize("keep", [0.1, 0.5, 0.95])
def test_a_truncated_keras_file_is_damaged(keras_file, keep):
    path = keras_file(SMALL)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * keep)])

    error = refused(path)

    assert f"{path} is damaged or truncated" in error.message
    assert error.hint == "copy or download it again"


@pytest.mark.parametrize("keep", [0.01, 0.5, 0.95])
def test_a_truncated_h5_file_is_damaged(tmp_path, keep):
    data = (FILES / "keras2_functional.h5").read_bytes()
    path = tmp_path / "a.h5"
    path.write_bytes(data[: int(len(data) * keep)])

    assert f"{path} is damaged or truncated" in refused(path).message


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "is empty"),
        (b"not a model", "is neither a .keras nor an HDF5 file"),
        (b"\x89PNG\r\n\x1a\n" + bytes(100), "is neither a .keras nor an HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + bytes(100), "is damaged or truncated"),
        (b"PK\x03\x04" + bytes(100), "is damaged or truncated"),
    ],
)
def test_other_files_are_refused_in_words(tmp_path, content, words):
    path = tmp_path / "a.keras"
    path.write_bytes(content)

    assert refused(path).message.startswith(f"{path} {words}")


def test_a_folder_is_refused_saying_what_to_save_instead(tmp_path):
    error = refused(tmp_path)

    assert error.message == f"{tmp_path} is a folder; xcnn opens .keras, .h5 and .hdf5 files"
    assert "model.save('model.keras')" in error.hint


def test_a_missing_file_is_refused_in_the_words_of_the_system(tmp_path):
    path = tmp_path / "a.keras"

    assert refused(path).message == f"can't open the model {path}: No such file or directory"


def test_a_pipe_is_refused_without_waiting_for_its_writer(tmp_path):
    os.mkfifo(tmp_path / "a.keras")

    with at_most(5):
        error = refused(tmp_path / "a.keras")

    assert "is no regular file" in error.message


@pytest.mark.parametrize("config", ["[1, 2]", "null", '"model"', "3", "{}", '{"class_name": ["Lambda"], "config": {}}'])
def test_a_config_that_is_no_object_holds_no_model(keras_file, config):
    assert "has no model in its config" in refused(keras_file(config)).message


@pytest.mark.parametrize("config", ["", "{", "{'single': 1}", b"\xff\xfe\x00", "{} {}"])
def test_a_config_that_is_no_json_is_unreadable(keras_file, config):
    assert "has an unreadable config" in refused(keras_file(config)).message


# Configs made to hurt


def test_a_huge_config_is_refused_before_it_is_unpacked(keras_file, monkeypatch):
    monkeypatch.setattr(hdf5, "MOST_CONFIG_BYTES", 2**20)

    path = keras_file(b"no json" * 2**20)

    assert refused(path, UnsafeModelError).message == "model.keras has a config of 7 MB"
    assert path.stat().st_size < 2**17


def test_a_config_just_below_the_limit_is_read(keras_file, monkeypatch):
    text = json.dumps(SMALL)
    monkeypatch.setattr(hdf5, "MOST_CONFIG_BYTES", len(text))

    assert preflight.inspect(keras_file(text)).kind == "keras"


def test_a_huge_config_of_an_h5_file_is_refused(h5_file, monkeypatch):
    monkeypatch.setattr(hdf5, "MOST_CONFIG_BYTES", 2**20)

    path = h5_file(" " * (2 * 2**20))

    assert refused(path, UnsafeModelError).message == "model.h5 has a config of 2 MB"


@pytest.mark.parametrize("start", ['{"a":', "["])
def test_a_config_nested_too_deeply_to_parse_is_unreadable(keras_file, start):
    assert "has an unreadable config" in refused(keras_file(start * 200_000)).message


def test_an_unsafe_layer_is_found_however_deep_it_lies(keras_file):
    model = layer("Lambda", "deepest")
    for _ in range(200):
        model = sequential(model)

    assert "'deepest' (Lambda)" in refused(keras_file(model), UnsafeModelError).message


@pytest.mark.keras
def test_the_operations_are_keras_own_without_those_that_call_a_function():
    from keras.src.ops.operation import Operation

    for module, names in keras_operations.OPERATIONS.items():
        loaded = importlib.import_module(module)
        own = {
            name
            for name, kind in vars(loaded).items()
            if inspect.isclass(kind) and issubclass(kind, Operation) and kind.__module__ == module
        }
        assert names == own - keras_operations.FUNCTIONAL, module


@pytest.mark.keras
def test_every_operation_that_takes_a_function_is_known_as_such():
    for module, names in keras_operations.OPERATIONS.items():
        loaded = importlib.import_module(module)
        for name in names:
            calls = inspect.signature(getattr(loaded, name).__init__).parameters
            calls = {*calls, *inspect.signature(getattr(loaded, name).call).parameters}
            assert not calls & {"f", "fn", "func", "function", "body", "body_fun", "cond", "true_fn", "branches"}, name


@pytest.mark.keras
def test_the_lists_of_initializers_activations_and_the_like_are_keras_own():
    import keras

    def public(module, *, classes):
        return {
            name
            for name, value in vars(module).items()
            if callable(value) and inspect.isclass(value) == classes and name[0] != "_"
        } - {"get", "serialize", "deserialize"}

    assert public(keras.activations, classes=False) == keras_objects.ACTIVATIONS
    assert public(keras.initializers, classes=True) == keras_objects.INITIALIZERS
    assert public(keras.regularizers, classes=True) == keras_objects.REGULARIZERS
    assert public(keras.constraints, classes=True) == keras_objects.CONSTRAINTS
    assert public(keras.dtype_policies, classes=True) == keras_objects.POLICIES
    assert public(keras.quantizers, classes=True) == keras_objects.QUANTIZERS


@pytest.mark.keras
def test_the_layers_of_keras_own_applications_are_where_the_list_says():
    import keras

    for module, names in keras_layers.MODULES.items():
        if module.startswith("keras.src.applications"):
            assert all(issubclass(vars(importlib.import_module(module))[name], keras.layers.Layer) for name in names)


@pytest.mark.keras
def test_every_layer_and_operation_that_keras_saves_passes(keras_file):
    """What Keras itself writes for its own layers with default arguments is nothing unknown."""
    import keras

    made = [
        keras.layers.GroupQueryAttention(8, 2, 2),
        keras.layers.MultiHeadAttention(2, 4),
        keras.layers.Bidirectional(keras.layers.LSTM(2)),
        keras.layers.RandomFlip(seed=1),
        keras.layers.Activation(keras.activations.mish),
        keras.layers.Dense(3, activation=keras.layers.LeakyReLU(), dtype=keras.dtype_policies.DTypePolicyMap()),
        keras.layers.Dense(
            3, kernel_regularizer=keras.regularizers.L1L2(0.1), kernel_constraint="max_norm", dtype="mixed_bfloat16"
        ),
        keras.layers.TextVectorization(),
        keras.layers.RandAugment(),
    ]
    layers = [keras.saving.serialize_keras_object(layer) for layer in made]

    assert preflight.inspect(keras_file(sequential(*layers))).kind == "keras"


NO_LAYERS = {"TypeSpec", "CompositeTensor"}


@pytest.mark.keras
def test_the_list_of_keras_layers_is_keras_own():
    import keras

    own = {
        name
        for name, kind in vars(keras.layers).items()
        if inspect.isclass(kind) and issubclass(kind, keras.layers.Layer)
    }

    assert keras_layers.SAFE | {kind for kind in keras_layers.UNSAFE if kind[0] != "_"} - NO_LAYERS == own


@pytest.mark.keras
def test_a_file_saved_by_todays_keras_passes_and_its_lambda_does_not(tmp_path):
    import keras

    good = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="conv")])
    bad = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Lambda(abs, name="code")])
    for suffix in (".keras", ".h5"):
        good.save(tmp_path / f"good{suffix}")
        bad.save(tmp_path / f"bad{suffix}")

    kinds = [preflight.inspect(tmp_path / name).kind for name in ("good.keras", "good.h5")]
    messages = [refused(tmp_path / name, UnsafeModelError).message for name in ("bad.keras", "bad.h5")]

    assert kinds == ["keras", "h5"]
    assert all("'code' (Lambda)" in message for message in messages)


@pytest.mark.keras
def test_weights_saved_by_todays_keras_are_no_model(tmp_path):
    import keras

    model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3)])
    model.save_weights(tmp_path / "a.weights.h5")

    assert "holds weights without an architecture" in refused(tmp_path / "a.weights.h5").message


def zipped(path, config=b'{"class_name": "Sequential", "config": {"layers": [], "name": "aaaaaaaaaaaaaaa"}}'):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", config)
        archive.writestr("model.weights.h5", weights())
    return bytearray(path.read_bytes())


@pytest.mark.parametrize("how", ["bits", "encrypted", "method"])
def test_a_zip_with_flipped_bits_a_password_or_an_odd_compression_is_damaged(tmp_path, how):
    path = tmp_path / "a.keras"
    data = zipped(path)
    directory = data.index(b"PK\1\2")
    if how == "bits":
        data[41:47] = b"\xff" * 6
    elif how == "encrypted":
        data[6] |= 1
        data[directory + 8] |= 1
    else:
        data[8] = data[directory + 10] = 99
    path.write_bytes(data)

    with pytest.raises(ModelError, match="damaged"):
        preflight.inspect(path)


@pytest.mark.parametrize("value", [5, np.array([b"{}", b"a"]), h5py.Empty("f"), np.void(b"{}")])
def test_an_h5_config_that_is_no_text_is_unreadable(tmp_path, value):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["model_config"] = value

    with pytest.raises(ModelError, match="unreadable config"):
        preflight.inspect(tmp_path / "a.h5")


def test_a_loss_of_the_user_does_not_matter(tmp_path):
    loss = {"module": None, "class_name": "MyLoss", "config": {"name": "x"}, "registered_name": "MyLoss"}
    config = {"module": "keras", "class_name": "Sequential", "config": {"layers": []}, "compile_config": {"loss": loss}}
    zipped(tmp_path / "a.keras", json.dumps(config).encode())

    assert preflight.inspect(tmp_path / "a.keras").kind == "keras"


def test_hdf5_behind_a_zip_header_is_judged_by_the_part_that_would_be_loaded(tmp_path):
    """An HDF5 file may begin with a block of the user's; xcnn and Keras must not read different models from one file."""
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": {"layers": [LAMBDA]}})
    data = bytearray(path.read_bytes())
    data[:4] = b"PK\3\4"
    path.write_bytes(data)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("config.json", '{"class_name": "Sequential", "config": {"layers": [], "name": "kind"}}')
        archive.writestr("model.weights.h5", weights())

    assert preflight.inspect(path).kind == "keras"  # and loading.load opens it under a .keras name, as a zip


LAMBDA = {"class_name": "Lambda", "config": {"name": "bad"}}
