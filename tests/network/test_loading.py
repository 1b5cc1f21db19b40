import json
import zipfile

import h5py
import numpy as np
import pytest

from xcnn.errors import ModelError
from xcnn.network import preflight

pytestmark = pytest.mark.keras


def small(**more):
    import keras

    pixels = keras.Input((8, 8, 3), name="pixels", **more)
    x = pixels / 127.5 - 1.0
    x = x[..., ::-1]
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    x = keras.layers.BatchNormalization(name="bn")(x)
    x = keras.layers.Conv2D(4, 3, activation="relu", name="again")(x)
    x = keras.ops.mean(x, axis=(1, 2))
    model = keras.Model(pixels, keras.layers.Dense(3, name="dense")(x), name="small")
    rng = np.random.default_rng(0)
    for weight in model.weights:
        weight.assign(rng.uniform(0.5, 1.5, weight.shape))
    return model


def load(path, **custom):
    from xcnn.network import loading

    file = preflight.inspect(path, known=custom)
    return loading.loaded(file, custom)


def same(one, other):
    pixels = np.random.default_rng(1).uniform(0, 255, (2, 8, 8, 3)).astype(np.float32)
    np.testing.assert_allclose(one(pixels), other(pixels), rtol=1e-5)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_model_with_operations_computes_the_same(tmp_path, name):
    model = small()
    model.save(tmp_path / name)

    same(load(tmp_path / name).model, model)


@pytest.mark.parametrize("name", ["model.keras", "model.h5"])
def test_a_fixed_batch_size_does_not_matter(tmp_path, name):
    model = small(batch_size=2)
    model.save(tmp_path / name)

    found = load(tmp_path / name).model

    assert found.input_shape == (None, 8, 8, 3)
    same(found, model)


def rewritten(path, change, compression=zipfile.ZIP_STORED):
    """Rewrite the weights of a .keras file and fix its batch size, so that its config is upgraded."""
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    weights = path.with_name("w.h5")
    weights.write_bytes(parts["model.weights.h5"])
    with h5py.File(weights, "a") as file:
        change(file)
    parts["model.weights.h5"] = weights.read_bytes()
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_the_weights_of_a_keras_file_are_read_packed_or_not(tmp_path, compression):
    model = small(batch_size=2)
    model.save(tmp_path / "model.keras")
    rewritten(tmp_path / "model.keras", lambda _: None, compression)

    same(load(tmp_path / "model.keras").model, model)


def test_layers_of_a_keras_file_are_matched_by_the_names_it_gives(tmp_path):
    def turn(file):
        layers = file["layers"]
        layers.move("conv2d", "other")
        layers.move("conv2d_1", "conv2d")
        layers.move("other", "conv2d_1")
        assert file["layers/conv2d/vars"].attrs["name"] == "again"

    model = small(batch_size=2)
    model.save(tmp_path / "model.keras")
    rewritten(tmp_path / "model.keras", turn)

    same(load(tmp_path / "model.keras").model, model)


def test_groups_that_windows_named_are_found(tmp_path):
    def backslashes(file):
        for name in list(file["layers"]):
            file.move(f"layers/{name}/vars", f"_layer_checkpoint_dependencies\\{name}\\vars")
        del file["layers"]

    model = small(batch_size=2)
    model.save(tmp_path / "model.keras")
    rewritten(tmp_path / "model.keras", backslashes)

    same(load(tmp_path / "model.keras").model, model)


def test_a_model_that_keras_loads_by_order_is_corrected_by_name(tmp_path):
    def turn(file):
        layers = file["layers"]
        layers.move("conv2d", "other")
        layers.move("conv2d_1", "conv2d")
        layers.move("other", "conv2d_1")

    model = twins()
    model.save(tmp_path / "model.keras")
    rewritten(tmp_path / "model.keras", turn)

    found = load(tmp_path / "model.keras")

    same(found.model, model)
    assert found.notes == (
        "gave layers the weights that the file has under their names, where Keras went by their order (one, two)",
    )


def twins():
    """A model with two layers of one class and shape."""
    import keras

    convs = [
        keras.layers.Conv2D(3, 1, bias_initializer=name, name=at) for name, at in (("zeros", "one"), ("ones", "two"))
    ]
    return keras.Sequential([keras.Input((8, 8, 3)), *convs, keras.layers.GlobalAveragePooling2D()])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda file: file["layers"].pop("dense"), "model.keras lacks weights of its model: dense"),
        (lambda file: file["layers"].copy("dense", "dense_1"), "has weights that its model has no place for: dense"),
        (lambda file: file["layers/dense/vars"].pop("1"), "has no fitting weights for layer 'dense'"),
    ],
)
def test_weights_of_a_keras_file_that_do_not_fit_are_named(tmp_path, change, message):
    small(batch_size=2).save(tmp_path / "model.keras")
    rewritten(tmp_path / "model.keras", change)

    with pytest.raises(ModelError, match=message):
        load(tmp_path / "model.keras")


def test_the_config_in_hand_is_not_taken_apart(tmp_path):
    from xcnn.network import loading

    small().save(tmp_path / "model.h5")
    file = preflight.inspect(tmp_path / "model.h5")
    before = json.dumps(file.config)

    loading.loaded(file)

    assert json.dumps(file.config) == before


def test_what_the_user_supplies_is_used(tmp_path):
    import keras

    class Twice(keras.layers.Layer):
        def call(self, x):
            return 2 * x

    model = keras.Sequential([keras.Input((8, 8, 3)), Twice(name="twice"), keras.layers.GlobalAveragePooling2D()])
    for name in ("model.keras", "model.h5"):
        model.save(tmp_path / name)
        same(load(tmp_path / name, Twice=Twice).model, model)


def test_what_keras_2_called_hard_sigmoid_computes_as_it_did(tmp_path):
    config = {
        "class_name": "Sequential",
        "config": [
            {
                "class_name": "Activation",
                "config": {"name": "a", "activation": "hard_sigmoid", "batch_input_shape": [None, 2, 2, 1]},
            }
        ],
    }
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = [b"a"]
        file["model_weights"].create_group("a").attrs["weight_names"] = np.array([], "S1")

    x = np.array([-3.0, -1.0, 0.0, 2.0], np.float32).reshape(1, 2, 2, 1)
    found = np.asarray(load(tmp_path / "model.h5").model(x)).ravel()

    np.testing.assert_allclose(found, [0.0, 0.3, 0.5, 0.9], rtol=1e-6)


def test_weights_as_keras_3_writes_them_belong_to_the_architecture_beside_them(tmp_path):
    model = small()
    (tmp_path / "model.json").write_text(model.to_json())
    model.save_weights(tmp_path / "model.weights.h5")

    for name in ("model.json", "model.weights.h5"):
        same(load(tmp_path / name).model, model)


def written(path, *layers):
    """A file of Keras 2 with a Sequential without weights."""
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": list(layers)})
        group = file.create_group("model_weights")
        group.attrs["layer_names"] = [layer["config"]["name"].encode() for layer in layers]
        for layer in layers:
            group.create_group(layer["config"]["name"]).attrs["weight_names"] = np.array([], "S1")
    return path


def test_the_gates_of_a_bidirectional_layer_keep_the_hard_sigmoid_of_keras_2():
    import keras

    from xcnn.network import old_numbers

    with keras.saving.custom_object_scope(old_numbers.objects()):
        gates = keras.layers.LSTM(1, recurrent_activation=old_numbers.hard_sigmoid)
        both = keras.layers.Bidirectional(gates)

    for layer in (both.forward_layer, both.backward_layer):
        assert layer.cell.recurrent_activation is old_numbers.hard_sigmoid


def test_a_model_of_texts_that_keras_cant_load_is_refused_for_its_inputs(tmp_path):
    words = {"name": "words", "input_dim": 9, "output_dim": -2, "batch_input_shape": [None, 20]}

    with pytest.raises(ModelError, match=r"takes inputs of shape \(20\), with no spatial dimension"):
        load(written(tmp_path / "model.h5", {"class_name": "Embedding", "config": words}))


def test_a_failure_is_one_sentence_with_the_words_of_keras(tmp_path):
    config = {"class_name": "Sequential", "config": [{"class_name": "Conv2D", "config": {"name": "c", "filters": -1}}]}
    with h5py.File(tmp_path / "model.h5", "w") as file:
        file.attrs["model_config"] = json.dumps(config)
        file.create_group("model_weights").attrs["layer_names"] = [b"c"]

    with pytest.raises(ModelError) as caught:
        load(tmp_path / "model.h5")

    assert "can't load" in caught.value.message
    assert "\n" not in caught.value.message
