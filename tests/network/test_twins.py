"""One network in many shapes gives one Grad-CAM and one gradient."""

from __future__ import annotations

from pathlib import Path

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures

import xcnn
from xcnn import GradCAM
from xcnn.network import zoo

pytestmark = pytest.mark.keras

FILES = Path(__file__).parent.parent / "files"


@pytest.fixture(scope="module")
def photos():
    return pictures((40, 30), (24, 24), (31, 57))


def maps(model, photos, layer=(), target="top", **options):
    """The Grad-CAM maps of a model, and the run they come from."""
    run = xcnn.explain(model, photos, GradCAM(layer=layer), target=target, preprocess="unit", **options)
    return np.stack([result.panels[0].values for result in run.results]), run


def agree(got, wanted, tolerance=1e-5):
    assert got.shape == wanted.shape
    assert wanted.max() > 0, "a map of zeros proves nothing"
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * wanted.max())


@pytest.fixture(scope="module")
def flat_maps(photos):
    return maps(nets.flat(), photos, target=2)[0]


def test_the_flat_net_agrees_with_a_sub_model_and_a_gradient_tape(photos, flat_maps):
    model = nets.flat()
    network = xcnn.open_network(model, preprocess="unit")
    inputs = network.batch(photos, ["top"], np.random.default_rng(0)).inputs

    wanted = nets.reference_gradcam(model, "act2", inputs, 2)

    agree(flat_maps, wanted)


@pytest.mark.parametrize(
    ("build", "path"),
    [
        (nets.nested, "base/act2"),
        (nets.doubly_nested, "middle/base/act2"),
        (nets.subclassed, "base/act2"),
    ],
)
def test_a_twin_agrees_with_the_flat_net_by_default_and_by_path(build, path, photos, flat_maps):
    model = build()

    by_default, run = maps(model, photos, target=2)
    by_path, _ = maps(model, photos, layer=path, target=2)

    assert run.results[0].panels[0].layer == path
    agree(by_default, flat_maps)
    agree(by_path, flat_maps)


def test_an_earlier_layer_agrees_too(photos):
    wanted, _ = maps(nets.flat(), photos, layer="conv1", target=1)

    agree(maps(nets.nested(), photos, layer="base/conv1", target=1)[0], wanted)
    agree(maps(nets.subclassed(), photos, layer="conv1", target=1)[0], wanted)


# Keras runs the branch that was made last first: calls are numbered as they run.
@pytest.mark.parametrize(("call", "twin"), [("tower/act2[0]", "act2_right"), ("tower/act2[1]", "act2_left")])
def test_each_call_of_a_shared_tower_agrees_with_its_own_branch(call, twin, photos):
    got, run = maps(nets.siamese(), photos, layer=call, target=2)
    wanted, _ = maps(nets.siamese_flat(), photos, layer=twin, target=2)

    agree(got, wanted)
    assert "2 inputs" in run.about["model"]["notes"][0]


def test_a_shared_tower_is_explained_by_default_at_its_last_call(photos):
    got, run = maps(nets.siamese(), photos, target=2)

    assert run.results[0].panels[0].layer == "tower/act2[1]"
    agree(got, maps(nets.siamese_flat(), photos, layer="act2_left", target=2)[0])


# Which layer of the twin makes the same maps as which of the flat net.
TWINS = {
    "nested": (nets.nested, nets.flat, {"base/conv1": "conv1", "base/pool1": "pool1", "base/act2": "act2"}),
    "doubly nested": (nets.doubly_nested, nets.flat, {"middle/base/conv1": "conv1", "middle/base/act2": "act2"}),
    "subclassed": (nets.subclassed, nets.flat, {"base/conv1": "conv1", "base/bn2": "bn2", "base/act2": "act2"}),
    "shared": (nets.siamese, nets.siamese_flat, {"tower/conv1[1]": "conv1_left", "tower/act2[0]": "act2_right"}),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_has_the_gradients_of_the_flat_net_by_pixels_and_layers(name, photos):
    build, flat, paths = TWINS[name]
    ours, theirs = (xcnn.open_network(model, preprocess="unit") for model in (build(), flat()))

    for target in ("top", "0", "4", "1 vs 3", "not:2"):
        batch, wanted = (network.batch(photos, [target], np.random.default_rng(0)) for network in (ours, theirs))
        agree(ours.input_gradients(batch), theirs.input_gradients(wanted))
        assert [found.index for found in batch.targets] == [found.index for found in wanted.targets]
        np.testing.assert_allclose(batch.scores, wanted.scores, rtol=0, atol=1e-5 * np.abs(wanted.scores).max())
        found = ours.layer_gradients(batch, list(paths))
        known = theirs.layer_gradients(wanted, list(paths.values()))
        for path, twin in paths.items():
            agree(found[path][0], known[twin][0])
            # Behind global average pooling the gradient of "not" may be negative everywhere.
            largest = np.abs(known[twin][1]).max()
            assert largest > 0
            np.testing.assert_allclose(found[path][1], known[twin][1], rtol=0, atol=1e-5 * largest)


def test_the_gradient_of_a_shared_tower_is_the_sum_of_both_branches_by_a_gradient_tape(photos):
    network = xcnn.open_network(nets.siamese(), preprocess="unit")
    batch = network.batch(photos, ["2"], np.random.default_rng(0))
    left, right = tf.constant(batch.inputs), tf.constant(batch.inputs)
    twin = nets.logits_twin(nets.siamese_flat())

    with tf.GradientTape() as tape:
        tape.watch([left, right])
        score = twin([left, right], training=False)[:, 2]
    parts = [np.asarray(gradient) for gradient in tape.gradient(score, [left, right])]

    assert all(np.abs(part).max() > 0 for part in parts)
    agree(network.input_gradients(batch), sum(parts))


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("build", [nets.doubly_nested, nets.siamese])
def test_a_twin_read_from_a_file_has_the_same_gradients(build, suffix, tmp_path, photos):
    build().save(tmp_path / f"twin{suffix}")
    flat = nets.siamese_flat if build is nets.siamese else nets.flat
    found, wanted = (
        network.input_gradients(network.batch(photos, ["2"], np.random.default_rng(0)))
        for network in (
            xcnn.open_network(tmp_path / f"twin{suffix}", preprocess="unit"),
            xcnn.open_network(flat(), preprocess="unit"),
        )
    )

    agree(found, wanted)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_agrees_with_its_mixed_flat_twin_and_leaves_in_float32(policy, photos):
    keras.config.set_dtype_policy(policy)
    try:
        flat, nested = nets.flat(), nets.nested()
        wanted, _ = maps(flat, photos, target=2)
        got, _ = maps(nested, photos, target=2)
    finally:
        keras.config.set_dtype_policy("float32")

    assert nested.layers[0].compute_dtype == policy.removeprefix("mixed_")
    assert got.dtype == np.float32
    agree(got, wanted, tolerance=1e-3)


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_saved_twin_agrees(suffix, tmp_path, photos, flat_maps):
    path = tmp_path / f"nested{suffix}"
    nets.nested().save(path)

    agree(maps(path, photos, layer="base/act2", target=2)[0], flat_maps)


def test_a_real_keras_2_file_agrees_with_the_same_net_built_in_keras_3(photos):
    pixels = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name="conv1")(pixels)
    x = keras.layers.MaxPooling2D(name="pool")(x)
    x = keras.layers.Conv2D(6, 3, padding="same", activation="relu", name="conv2")(x)
    x = keras.layers.GlobalAveragePooling2D(name="gap")(x)
    flat = keras.Model(pixels, keras.layers.Dense(3, activation="softmax", name="predictions")(x))
    flat.load_weights(FILES / "keras2_weights_only.h5")
    known = np.load(FILES / "keras2_functional.npz")

    for name in ("keras2_functional.h5", "keras2_sequential.h5"):
        network = xcnn.open_network(FILES / name, preprocess="unit")
        scores = network.scores(known["x"])
        np.testing.assert_allclose(network.head.probabilities(scores), known["y"], atol=1e-6)
        for target in range(3):
            got, _ = maps(FILES / name, photos, target=target)
            wanted, _ = maps(flat, photos, target=target)
            np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-5 * max(wanted.max(), 1e-9))


def test_a_gray_28x28_net_agrees_with_a_sub_model_and_a_gradient_tape(photos):
    model = nets.mnist()
    network = xcnn.open_network(model, preprocess="unit")
    inputs = network.batch(photos, ["top"], np.random.default_rng(0)).inputs

    got, run = maps(model, photos, layer="conv2", target=3)

    assert inputs.shape == (3, 28, 28, 1)
    assert network.default_layer().value == "pool2"
    agree(got, nets.reference_gradcam(model, "conv2", inputs, 3))
    assert run.results[0].target.label == "class 3"


@pytest.mark.slow
def test_the_embedded_model_as_a_nested_base_with_a_sigmoid_head_agrees_with_its_flat_twin(tmp_path):
    lite0 = keras.saving.load_model(zoo.EFFICIENTNET_LITE0.path(), compile=False)
    top = lite0.get_layer("top_act").output
    rng = np.random.default_rng(0)
    kernel = rng.normal(0, 0.1, (1280, 1))
    flat_head = keras.layers.Dense(1, activation="sigmoid", name="cat_or_dog")
    flat = keras.Model(lite0.input, flat_head(keras.layers.GlobalAveragePooling2D()(top)))
    flat_head.set_weights([kernel, np.zeros(1)])
    nested = keras.Sequential(
        [
            keras.Input((224, 224, 3)),
            keras.Model(lite0.input, top, name="base"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(1, activation="sigmoid", name="cat_or_dog"),
        ]
    )
    nested.layers[-1].set_weights([kernel, np.zeros(1)])
    path = tmp_path / "nested.keras"
    nested.save(path)
    photos = pictures((300, 451), (224, 224))

    for target in (0, 1):
        got, run = maps(path, photos, layer="base/top_act", target=target)
        wanted, _ = maps(flat, photos, layer="top_act", target=target)
        agree(got, wanted)
        by_tape = nets.reference_gradcam(flat, "top_act", _inputs(flat, photos), 0) if target else None
        if by_tape is not None:
            agree(got, by_tape, tolerance=1e-4)
    assert run.about["model"]["default_layer"]["path"] == "base/top_act"


def _inputs(model, photos):
    return xcnn.open_network(model, preprocess="unit").batch(photos, ["top"], np.random.default_rng(0)).inputs


def test_the_default_layer_is_never_a_container_and_never_a_1x1_map():
    pixels = keras.Input((16, 16, 3))
    x = keras.layers.Conv2D(4, 3, name="conv")(pixels)
    x = keras.layers.GlobalAveragePooling2D(keepdims=True, name="pooled")(x)
    x = keras.layers.Conv2D(5, 1, name="one_by_one")(x)
    x = keras.layers.Flatten(name="flat")(x)
    base = keras.Model(pixels, keras.layers.Softmax(name="softmax")(x), name="base")
    network = xcnn.open_network(keras.Sequential([keras.Input((16, 16, 3)), base]))

    chosen = network.default_layer()

    assert chosen.value == "base/conv"
    assert "14x14" in chosen.reason
    assert network.head.kind == "softmax"


def test_layers_are_listed_in_execution_order():
    paths = [layer.path for layer in xcnn.open_network(nets.siamese()).layers()]

    assert (
        paths.index("tower/conv1[0]") < paths.index("tower[0]") < paths.index("tower/conv1[1]") < paths.index("merged")
    )
    assert paths[-1] == "predictions"


def test_the_default_layer_is_never_a_part_of_an_attention_layer():
    pixels = keras.Input((16, 16, 3))
    patches = keras.layers.Reshape((16, 6))(keras.layers.Conv2D(6, 4, strides=4, name="patches")(pixels))
    attended = keras.layers.MultiHeadAttention(2, 3, name="attention")(patches, patches)
    scores = keras.layers.Dense(3)(keras.layers.GlobalAveragePooling1D()(attended))

    chosen = xcnn.open_network(keras.Model(pixels, scores)).default_layer()

    assert chosen.value == "patches"
