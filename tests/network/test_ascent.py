"""Gradient ascent: the recipes against their definitions, any layer, any size, and a model left as it was."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf

import xcnn
from xcnn.errors import LayerError, OptionError, TargetError
from xcnn.network import ascent_goal, ascent_precision, ascent_recipes, preprocess, trace
from xcnn.plugin import Recipe

pytestmark = pytest.mark.keras


def opened(model, **options):
    return xcnn.open_network(model, preprocess=options.pop("preprocess", "unit"), **options)


def ascended(network, layer, channels, seed=0, progress=lambda *_: None, **recipe):
    return network.ascend(layer, channels, Recipe(**recipe), rng=np.random.default_rng(seed), progress=progress)


def classic_start(channel, size, seed=0, colours=3):
    """The noise a channel starts from: its own generator, seeded from the run's."""
    base = int(np.random.default_rng(seed).integers(2**31))
    return np.random.default_rng([base, channel]).uniform(128, 148, (*size, colours)).astype(np.float32)


def classic_by_definition(answer, start, steps):
    """One picture and one step at a time: mean activation, gradient over its root mean square plus 1e-5, step 1."""
    picture, losses = start.astype(np.float64), []
    for _ in range(steps):
        pixels = tf.Variable(picture[np.newaxis].astype(np.float32))
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(answer(pixels))
        gradient = np.asarray(tape.gradient(loss, pixels))[0].astype(np.float64)
        losses.append(float(loss))
        square = sum(value**2 for value in gradient.ravel()) / gradient.size
        picture += gradient / (np.sqrt(square) + 1e-5)
    return picture, losses


# --- the recipes ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layer", ["conv1", "conv2", "act2"])
def test_classic_is_its_definition_one_picture_at_a_time(layer):
    model = nets.flat()
    inner = keras.Model(model.inputs, model.get_layer(layer).output)

    found = ascended(opened(model), layer, [3, 0], kind="classic", steps=6, size=(24, 24))

    for row, channel in enumerate([3, 0]):
        wanted, losses = classic_by_definition(
            lambda pixels, channel=channel: inner(pixels / 255)[..., channel], classic_start(channel, (24, 24)), 6
        )
        np.testing.assert_allclose(found.pictures[row], wanted, atol=2e-3)  # of 255: 1e-5
        np.testing.assert_allclose(found.losses[row], losses, rtol=1e-4)


def test_classic_undoes_blue_first_preprocessing():
    model = nets.flat()
    inner = keras.Model(model.inputs, model.get_layer("conv2").output)
    mean = np.array([103.939, 116.779, 123.68], np.float32)

    found = ascended(opened(model, preprocess="caffe"), "conv2", [1], kind="classic", steps=3, size=(24, 24))

    wanted, _ = classic_by_definition(
        lambda pixels: inner(pixels[..., ::-1] - mean)[..., 1], classic_start(1, (24, 24)), 3
    )
    np.testing.assert_allclose(found.pictures[0], wanted, atol=2e-3)


@pytest.mark.parametrize("mode", preprocess.BUILTIN, ids=lambda mode: mode.name)
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_preprocessing_inside_a_trace_is_that_outside(mode, channels):
    rng = np.random.default_rng(0)
    colours = rng.integers(0, 256, (2, 5, 4, 1 if channels == 1 else 3), np.uint8)
    whole = np.repeat(colours, 3, axis=3) if channels == 1 else colours
    if channels == 4:
        whole = np.concatenate([colours, np.full((2, 5, 4, 1), 255, np.uint8)], axis=3)

    got = ascent_goal.prepared(tf.constant(colours, tf.float32), mode, channels)

    np.testing.assert_allclose(got, preprocess.apply(mode, whole, channels=channels), rtol=1e-5, atol=1e-5)


def test_a_fourier_picture_is_a_sum_of_waves_in_natural_colours():
    recipe = ascent_recipes.Fourier((6, 4), 3)
    height, width = recipe.canvas
    (spectrum, *_) = recipe.start([np.random.default_rng(1)], attempt=1)
    scales, axes = ascent_recipes.amplitudes((height, width), recipe.decay), ascent_recipes.colour_axes()

    canvas = np.zeros((height, width, 3))
    for y in range(height):
        for x in range(width):
            for v in range(height):
                for u in range(width // 2 + 1):
                    wave = np.exp(2j * np.pi * (v * y / height + u * x / width))
                    twice = 1 if u in {0, width / 2} else 2  # the other half of the spectrum is its mirror image
                    part = (spectrum[0, 0, :, v, u] + 1j * spectrum[0, 1, :, v, u]) * scales[v, u] * wave
                    canvas[y, x] += axes @ (twice * part.real) / (height * width)
    deviation = np.sqrt((canvas**2).mean() + 1e-6)
    canvas *= recipe.contrast * np.tanh(deviation / recipe.contrast) / deviation
    top, left = (height - 6) // 2, (width - 4) // 2
    wanted = 255 / (1 + np.exp(-canvas[top : top + 6, left : left + 4]))

    still = recipe.view([tf.constant(spectrum)], shaken=tf.constant(False), seed=tf.constant([0, 0]))

    np.testing.assert_allclose(still[0], wanted, atol=1e-2)
    assert wanted.std() > 1, "a flat picture proves nothing"


def test_colours_have_the_covariance_of_natural_ones():
    axes = ascent_recipes.colour_axes()
    covariance = axes @ axes.T

    assert np.linalg.norm(axes, axis=0).max() == pytest.approx(1)
    correlations = covariance / np.sqrt(np.outer(covariance.diagonal(), covariance.diagonal()))
    assert correlations[np.triu_indices(3, 1)].min() > 0.7  # red, green and blue mostly vary together


def test_adam_is_its_definition():
    recipe = ascent_recipes.Fourier((4, 4), 1)
    rng = np.random.default_rng(0)
    value, mean, square = 0.5, 0.0, 0.0
    state = tuple(tf.constant([number]) for number in (value, mean, square))
    for step in range(4):
        slope = float(rng.normal())
        mean, square = 0.9 * mean + 0.1 * slope, 0.999 * square + 0.001 * slope**2
        value += recipe.rate * (mean / (1 - 0.9 ** (step + 1))) / np.sqrt(square / (1 - 0.999 ** (step + 1)))
        state = recipe.updated(state, tf.constant([slope]), tf.constant(step))

    assert float(state[0][0]) == pytest.approx(value, rel=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("layer", ["conv1", "conv2", "act2"])
def test_fourier_raises_every_activation(layer):
    found = ascended(opened(nets.flat()), layer, range(4), steps=24, size=(24, 24))

    assert (found.activations > found.starts).all()
    assert found.pictures.shape == (4, 24, 24, 3)
    assert 0 <= found.pictures.min() < found.pictures.max() <= 1
    assert found.losses.shape == (4, 24)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fourier", "classic"])
def test_the_same_seed_makes_the_same_picture_in_any_company(kind):
    network = opened(nets.flat())
    together = ascended(network, "act2", [0, 1, 5], kind=kind, steps=4, size=(24, 24))
    again = ascended(network, "act2", [0, 1, 5], kind=kind, steps=4, size=(24, 24))
    alone = ascended(network, "act2", [5], kind=kind, steps=4, size=(24, 24))
    other = ascended(network, "act2", [5], seed=1, kind=kind, steps=4, size=(24, 24))

    np.testing.assert_array_equal(together.pictures, again.pictures)
    np.testing.assert_allclose(alone.pictures[0], together.pictures[2], rtol=1e-4, atol=1e-4)
    assert np.abs(other.pictures - alone.pictures).max() > 0.01


# --- any layer, any size ----------------------------------------------------------------------------------------------


def test_a_model_of_a_fixed_size_is_run_at_any_size_up_to_the_layer():
    model = nets.mnist()

    found = ascended(opened(model), "conv2", [0], kind="classic", steps=3, size=(40, 52))

    twin = keras.Sequential([keras.Input((None, None, 1)), *model.layers[:3]])
    wanted, _ = classic_by_definition(
        lambda pixels: twin(pixels / 255)[..., 0], classic_start(0, (40, 52), colours=1), 3
    )
    np.testing.assert_allclose(found.pictures[0], wanted, atol=2e-3)
    assert not found.notes[1:], "a channel that had to be woken started from another noise"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("build", "layer"),
    [
        (nets.nested, "base/conv2"),
        (nets.nested, "base"),
        (nets.doubly_nested, "middle/base/act2"),
        (nets.subclassed, "base/bn2"),
        (nets.siamese, "tower/conv2[1]"),
        (nets.segmentation, "both"),
    ],
)
def test_every_kind_of_layer_and_model_can_be_ascended(build, layer):
    found = ascended(opened(build()), layer, [1], steps=8, size=(32, 40))

    assert found.pictures.shape == (1, 32, 40, 3)
    assert found.activations[0] > found.starts[0]


def test_the_run_ends_at_the_layer():
    model = nets.flat()
    names = []
    with trace.tapped(model, until="bn2") as taps:
        try:
            model(np.zeros((1, 24, 24, 3), np.float32), training=False)
        except trace.Reached:
            names = [tap.path for tap in taps.calls]

    assert names == ["conv1", "pool1", "conv2", "bn2"]


def test_of_a_shared_layer_the_call_that_is_named_ends_the_run():
    model = nets.siamese()
    pair = [np.zeros((1, 24, 24, 3), np.float32)] * 2
    with trace.tapped(model, until="tower/conv1[1]") as taps, pytest.raises(trace.Reached):
        model(pair, training=False)

    assert [tap.path for tap in taps.calls].count("tower/conv1") == 2
    assert taps.calls[-1].path == "tower/conv1"


@pytest.mark.parametrize("units", ["conv", "dense"])
@pytest.mark.parametrize("activation", [None, "relu", "tanh"])
def test_computing_only_the_wanted_channels_gives_what_computing_all_gives(units, activation):
    rng = np.random.default_rng(0)
    if units == "conv":
        layer = keras.layers.Conv2D(7, 3, strides=2, padding="same", activation=activation)
        received = rng.normal(size=(3, 9, 8, 4)).astype(np.float32)
    else:
        layer, received = keras.layers.Dense(7, activation=activation), rng.normal(size=(3, 4)).astype(np.float32)
    whole = np.asarray(layer(received))
    layer.bias.assign(rng.normal(size=7))
    whole = np.asarray(layer(received))

    after, _ = ascent_goal.sliced(trace.Tap("layer", layer, tf.constant(received)), tf.constant([5, 0, 5]), final=False)

    np.testing.assert_allclose(after, whole[..., [5, 0, 5]], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [keras.layers.Conv2D(4, 3, groups=2), keras.layers.DepthwiseConv2D(3), keras.layers.Dense(4, activation="softmax")],
    ids=["grouped", "depthwise", "softmax"],
)
def test_layers_that_mix_their_channels_are_computed_whole(layer):
    layer.build((None, 8, 8, 4))

    assert ascent_goal.sliced(trace.Tap("layer", layer, tf.zeros((1, 8, 8, 4))), tf.constant([0]), final=False) is None


def test_of_a_class_the_score_before_the_softmax_rises():
    model = nets.flat()
    network = opened(model, labels=["ant", "bee", "cat", "dog", "eel"])

    found = ascended(network, "predictions", ["dog", 0], kind="classic", steps=8, size=(24, 24))

    scores = nets.logits_twin(model)(found.pictures / 255)
    np.testing.assert_allclose(found.activations, [scores[0, 3], scores[1, 0]], rtol=1e-4)
    assert (found.activations > found.starts).all()
    assert found.channels == (3, 0)
    assert found.names == ("dog", "ant")


def test_of_one_of_two_outputs_the_score_before_the_softmax_rises(tmp_path):
    np.save(tmp_path / "patient.npy", np.ones(5, np.float32))
    network = opened(nets.with_numbers(), input=f"patient={tmp_path / 'patient.npy'}")

    found = ascended(network, "kind", [2], steps=4, size=(24, 24))

    scores = network.scores(found.pictures)
    np.testing.assert_allclose(found.activations, scores[:, 2], rtol=1e-3)


def test_both_classes_of_a_single_sigmoid_can_be_ascended_by_name():
    network = opened(nets.flat("sigmoid", 1), labels=["cat", "dog"])

    found = ascended(network, "predictions", ["cat", "dog"], steps=8, size=(24, 24))

    assert (found.activations > found.starts).all()
    unit = ascended(network, "predictions", [0], steps=8, size=(24, 24))
    assert unit.names == ("",)


def test_without_a_size_the_network_s_own_is_used_where_the_layer_needs_it():
    network = opened(nets.mnist())

    assert ascended(network, "digits", [1], steps=1).pictures.shape == (1, 28, 28, 1)
    assert ascended(network, "conv2", [1], steps=1).pictures.shape == (1, 28, 28, 1)


def test_a_layer_without_a_map_has_one_position():
    found = ascended(opened(nets.flat()), "gap", [0, 7], steps=8, size=(24, 24))

    assert (found.activations > found.starts).all()


# --- what goes wrong --------------------------------------------------------------------------------------------------


def dead_or_alive():
    """Two channels: one that answers, and one whose bias keeps its activation and its gradient at zero."""
    model = keras.Sequential(
        [
            keras.Input((12, 12, 3)),
            keras.layers.Conv2D(2, 3, name="conv"),
            keras.layers.ReLU(name="relu"),
            keras.layers.Conv2D(2, 1, use_bias=False, activation="relu", name="next"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.get_layer("conv").set_weights([np.ones((3, 3, 3, 2)) / 27, np.array([0.0, -50.0])])
    model.get_layer("next").set_weights([np.eye(2).reshape(1, 1, 2, 2)])
    return model


@pytest.mark.parametrize("kind", ["fourier", "classic"])
def test_a_dead_channel_is_marked(kind):
    found = ascended(opened(dead_or_alive()), "next", [0, 1], kind=kind, steps=3, size=(12, 12))

    assert found.states == ("", "dead")
    assert found.activations[1] == 0
    assert any("other" in note for note in found.notes)


def test_a_channel_that_answers_with_rounding_alone_is_dead_beside_one_that_lives():
    model = dead_or_alive()
    model.get_layer("next").set_weights([np.diag([1.0, 1e-8]).reshape(1, 1, 2, 2)])
    model.get_layer("conv").set_weights([np.ones((3, 3, 3, 2)) / 27, np.zeros(2)])

    found = ascended(opened(model), "next", [0, 1], kind="classic", steps=3, size=(12, 12))

    assert found.states == ("", "dead")
    assert 0 < found.activations[1] < 1e-6


def test_a_channel_that_is_silent_at_first_is_woken_by_its_value_before_the_activation():
    model = nets.flat()
    kernel, bias = model.get_layer("conv1").get_weights()
    bias[2] = -0.5 * kernel[..., 2].sum() - 0.08 * np.abs(kernel[..., 2]).sum()  # just below zero on gray
    model.get_layer("conv1").set_weights([kernel, bias])

    found = ascended(opened(model), "conv1", [2], steps=60, size=(24, 24))

    assert found.starts[0] == 0
    assert found.activations[0] > 0
    assert found.states == ("",)


def test_a_diverged_channel_is_marked_and_leaves_the_others_alone():
    model = nets.flat()
    kernel, bias = model.get_layer("conv1").get_weights()
    bias[1] = np.nan
    model.get_layer("conv1").set_weights([kernel, bias])

    found = ascended(opened(model), "conv1", [0, 1], kind="classic", steps=3, size=(24, 24))

    assert found.states == ("", "diverged")
    assert np.isfinite(found.pictures).all()
    assert found.pictures[1].std() == 0


@pytest.mark.parametrize(
    ("layer", "channels", "size", "error", "words"),
    [
        ("conv9", [0], None, LayerError, "no layer 'conv9'"),
        ("conv1", [6], None, LayerError, r"channel 6 does not exist: layer 'conv1' has 6 channels \(0..5\)"),
        ("conv1", [-1], None, LayerError, "channel -1 does not exist"),
        ("conv1", [], None, OptionError, "no channel"),
        ("conv1", ["cat"], None, OptionError, "the channels of layer 'conv1' have no names"),
        ("digits", ["cat"], None, TargetError, "no class is named 'cat'"),
        ("digits", [3], (40, 40), LayerError, "'digits' of mnist can't be reached with pictures of 40x40"),
        ("conv2", [3], (4, 4), LayerError, "4x4"),
    ],
)
def test_what_can_t_be_done_is_said_in_words(layer, channels, size, error, words):
    network = opened(nets.mnist())

    with pytest.raises(error, match=words) as caught:
        ascended(network, layer, channels, steps=1, size=size)

    assert "\n" not in caught.value.message
    if size == (40, 40):
        assert caught.value.hint == "use the network's own size: --size 28x28"


def state_of(model):
    layers = model._flatten_layers(include_self=True, recursive=True)
    return [(id(layer), sorted(vars(layer)), layer.dtype_policy, layer.call) for layer in layers], model.get_weights()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("layer", "size"), [("base/conv2", (32, 32)), ("predictions", (24, 24)), ("base/act2", (1, 1))]
)
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_the_model_is_left_as_it_was_found(layer, size, precision):
    model = nets.nested()
    network = opened(model)
    network.layers()
    before, weights = state_of(model)

    try:
        ascended(network, layer, [0], steps=2, size=size, precision=precision)
    except LayerError:
        assert size == (1, 1)

    after, same = state_of(model)
    assert after == before
    for one, other in zip(weights, same, strict=True):
        np.testing.assert_array_equal(one, other)
    assert not tf.config.functions_run_eagerly()


def test_it_tells_how_far_it_is_and_can_be_interrupted_between_calls():
    heard = []

    def progress(done, total):
        heard.append((done, total))
        if len(heard) == 3:
            raise KeyboardInterrupt

    model = nets.flat()
    with pytest.raises(KeyboardInterrupt):
        ascended(opened(model), "act2", [0, 1], steps=10_000, size=(24, 24), progress=progress)

    assert [total for _, total in heard] == [20_000] * 3
    assert 0 < heard[0][0] < heard[1][0] < heard[2][0] < 20_000


# --- precision --------------------------------------------------------------------------------------------------------


def test_bfloat16_finds_nearly_the_same_picture_where_the_cpu_has_it():
    network = opened(nets.flat())

    coarse = ascended(network, "conv2", [1], kind="classic", steps=8, size=(24, 24), precision="bfloat16")

    fine = ascended(network, "conv2", [1], kind="classic", steps=8, size=(24, 24))
    assert np.corrcoef(coarse.pictures.ravel(), fine.pictures.ravel())[0, 1] > 0.9
    said = any("no bfloat16" in note for note in coarse.notes)
    assert said == (not ascent_precision.has_bfloat16())
    assert (np.abs(coarse.pictures - fine.pictures).max() == 0) == said


@pytest.mark.parametrize(
    ("text", "has"),
    [
        ("flags\t\t: fpu avx512_bf16 avx512f\n", True),
        ("flags\t\t: fpu amx_bf16\n", True),
        ("Features\t: fp asimd bf16\n", True),
        ("flags\t\t: fpu avx2 avx512f\nmodel name : bf16\n", False),
        (None, False),
    ],
)
def test_whether_the_cpu_has_bfloat16_is_read_from_its_flags(tmp_path, text, has):
    path = tmp_path / "cpuinfo"
    if text is not None:
        path.write_text(text)

    assert ascent_precision.has_bfloat16(path) is has
