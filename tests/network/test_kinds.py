"""Kinds of models: maps as outputs, several inputs and outputs, channels first, four channels, unbuilt, contrasts."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures
from PIL import Image

import xcnn
from xcnn.errors import MisfitError, ModelError, OptionError, TargetError
from xcnn.network import graph

pytestmark = pytest.mark.keras

PHOTO = pictures((nets.SIZE, nets.SIZE))[0]


def batch_of(network, *, wanted=("top",), photos=(PHOTO,)):
    return network.batch(list(photos), list(wanted), np.random.default_rng(0))


def gradient_of(model, inputs, score):
    """The gradient of a scalar by the input, by another route: the eager tape."""
    tensor = tf.Variable(inputs)
    with tf.GradientTape() as tape:
        value = score(model(tensor, training=False))
    return np.asarray(tape.gradient(value, tensor))


def close(one, other, part=1e-5):
    np.testing.assert_allclose(one, other, rtol=0, atol=part * np.abs(other).max())


# Gradients by the pixels, and linear forms of the scores


@pytest.mark.parametrize("build", [nets.nested, nets.doubly_nested, nets.subclassed])
def test_twins_have_the_same_gradient_by_the_pixels(build):
    flat, twin = (xcnn.open_network(model, preprocess="unit") for model in (nets.flat(), build()))

    close(twin.input_gradients(batch_of(twin, wanted=["2"])), flat.input_gradients(batch_of(flat, wanted=["2"])))


def test_the_gradient_by_the_pixels_is_that_of_the_logit():
    network = xcnn.open_network(nets.flat(), preprocess="unit")
    batch = batch_of(network, wanted=["3", "1"])

    found = network.input_gradients(batch)

    for row, index in zip(found, (3, 1), strict=True):
        close(row, gradient_of(nets.logits_twin(nets.flat()), batch.inputs, lambda scores, i=index: scores[0, i])[0])


def test_a_contrast_has_the_difference_of_the_gradients():
    network = xcnn.open_network(nets.flat())
    three, one, both, against = network.input_gradients(batch_of(network, wanted=["3", "1", "3 vs 1", "not:1"]))

    close(both, three - one)
    close(against, -one)


def test_the_score_of_a_contrast_is_the_difference_of_the_scores():
    network = xcnn.open_network(nets.flat())
    batch = batch_of(network, wanted=["3", "1", "3 vs 1", "not:1"])
    network.layer_gradients(batch, [])

    three, one, both, against = (target.score for target in batch.targets)

    assert (both, against) == (pytest.approx(three - one, abs=1e-5), pytest.approx(-one))


@pytest.mark.parametrize("activation", ["softmax", "sigmoid"])
def test_the_probability_can_be_explained_instead_of_the_logit(activation):
    model = nets.flat(activation)
    network = xcnn.open_network(model, on="probability", preprocess="unit")
    batch = batch_of(network, wanted=["2"])

    found = network.input_gradients(batch)

    close(found[0], gradient_of(model, batch.inputs, lambda outputs: outputs[0, 2])[0])
    assert batch.targets[0].score == batch.targets[0].probability


def test_a_network_without_probabilities_cannot_explain_them():
    with pytest.raises(MisfitError, match="no softmax or sigmoid at its end"):
        xcnn.explain(nets.flat(None), PHOTO, on="probability")


# Channels first


def test_channels_first_gives_what_channels_last_gives():
    flat = nets.flat()
    last, first = (xcnn.open_network(m, preprocess="unit") for m in (flat, nets.channels_first_twin(flat)))
    here, there = (net.layer_gradients(batch_of(net, wanted=["1"]), ["conv1", "act2"]) for net in (last, first))

    for path, (features, gradients) in here.items():
        close(there[path][0], features)
        close(there[path][1], gradients)
    close(first.input_gradients(batch_of(first, wanted=["1"])), last.input_gradients(batch_of(last, wanted=["1"])))


def test_channels_first_is_seen_in_the_shapes_and_noted():
    network = xcnn.open_network(nets.channels_first_twin(nets.flat()))

    assert network.input_shape == (nets.SIZE, nets.SIZE, 3)
    assert {layer.path: layer.shape for layer in network.layers()}["conv1"] == (nets.SIZE, nets.SIZE, 6)
    assert any("channels first" in note for note in network.notes)
    assert network.default_layer().value == "act2"


def test_what_tensorflow_can_not_compute_here_is_said_in_words():
    @tf.function(input_signature=[tf.TensorSpec([None, 3, 8, 8])])
    def first(inputs):
        # No processor has this convolution: of float64, with the channels first.
        return tf.nn.conv2d(
            tf.cast(inputs, tf.float64), tf.ones([3, 3, 3, 2], tf.float64), 1, "SAME", data_format="NCHW"
        )

    with pytest.raises(ModelError) as caught:
        graph.called(first.get_concrete_function(), np.zeros((1, 3, 8, 8)))

    assert caught.value.message.startswith("TensorFlow can't compute this model here: The Conv2D op currently only")
    assert "NHWC" in caught.value.message
    assert caught.value.hint.startswith("set TF_ENABLE_ONEDNN_OPTS=1")


# Outputs that are maps


def mean_logit(model, photo, index):
    """The score of a class by the definition: its mean logit over the pixels where it wins."""
    logits = np.asarray(nets.logits_twin(model)(photo))[0]
    won = logits.argmax(axis=-1) == index
    return logits[..., index][won].mean() if won.any() else logits[..., index].mean()


def test_the_score_of_a_map_is_the_mean_logit_where_the_class_is_predicted():
    model = nets.segmentation()
    network = xcnn.open_network(model, preprocess="unit")
    batch = batch_of(network, wanted=["0", "1", "2"])
    network.layer_gradients(batch, [])

    found = [target.score for target in batch.targets]

    assert found == pytest.approx([mean_logit(model, batch.inputs, index) for index in range(3)], rel=1e-4)


def test_the_best_class_of_a_map_covers_the_largest_area():
    model = nets.segmentation()
    network = xcnn.open_network(model, preprocess="unit")
    batch = batch_of(network)
    network.layer_gradients(batch, [])
    won = np.asarray(model(batch.inputs))[0].argmax(axis=-1)

    assert batch.targets[0].index == np.bincount(won.ravel()).argmax()
    assert "of the output" in batch.targets[0].notes[0]
    assert batch.targets[0].probability is None


def test_the_gradient_of_a_map_flows_through_the_predicted_pixels_alone():
    model = nets.segmentation()
    network = xcnn.open_network(model, preprocess="unit")
    batch = batch_of(network, wanted=["1"])
    twin = nets.logits_twin(model)

    def score(logits):
        won = tf.cast(tf.argmax(logits[0], axis=-1) == 1, tf.float32)
        won = won if float(tf.reduce_sum(won)) else tf.ones_like(won)
        return tf.reduce_sum(logits[0, ..., 1] * won) / tf.reduce_sum(won)

    close(network.input_gradients(batch)[0], gradient_of(twin, batch.inputs, score)[0])


def test_one_pixel_of_a_map_can_be_explained_in_pixels_of_each_picture():
    model = nets.segmentation()
    network = xcnn.open_network(model, at="10,40", preprocess="unit")
    photo = pictures((48, 96))[0]  # twice as high and four times as wide as the input
    batch = batch_of(network, wanted=["2"], photos=[photo])
    network.layer_gradients(batch, [])

    logits = np.asarray(nets.logits_twin(model)(batch.inputs))[0]

    assert batch.targets[0].score == pytest.approx(float(logits[20, 2, 2]), rel=1e-4)


def test_a_point_outside_of_a_picture_is_refused():
    with pytest.raises(TargetError, match="the point 24,3 lies outside of a picture of 24x24 px"):
        xcnn.explain(nets.segmentation(), PHOTO, at=(24, 3))


def test_a_single_mask_has_a_foreground_and_a_background():
    model = nets.segmentation("sigmoid", classes=1)
    network = xcnn.open_network(model, preprocess="unit")
    batch = batch_of(network, wanted=["0", "1"])
    network.layer_gradients(batch, [])
    logits = np.asarray(nets.logits_twin(model)(batch.inputs))[0, ..., 0]
    on = logits > 0

    back, front = (target.score for target in batch.targets)

    assert network.head.kind == "binary"
    assert front == pytest.approx(float(logits[on].mean() if on.any() else logits.mean()), rel=1e-4)
    assert back == pytest.approx(float(-logits[~on].mean() if (~on).any() else -logits.mean()), rel=1e-4)


def test_flattened_maps_are_folded_again():
    base = nets.segmentation()
    flat = keras.layers.Reshape((nets.SIZE * nets.SIZE, 3))(base.get_layer("both").output[..., :3])
    network = xcnn.open_network(keras.Model(base.inputs, keras.layers.Softmax()(flat)))

    assert network.head.size == (nets.SIZE, nets.SIZE)
    assert xcnn.explain(network, PHOTO).results


def test_the_default_layer_of_a_network_of_maps_is_the_last_of_the_smallest():
    chosen = xcnn.open_network(nets.segmentation()).default_layer()

    assert chosen.value == "deep"
    assert "because the output is itself a map (6x6)" in chosen.reason


def test_a_network_of_maps_of_any_size_is_explained_at_the_size_asked_for():
    pixels = keras.Input((None, None, 3))
    maps = keras.layers.Conv2D(2, 3, padding="same", activation="softmax")(pixels)
    network = xcnn.open_network(keras.Model(pixels, maps), input_size="32x48")

    assert network.head.size == (32, 48)
    assert batch_of(network).inputs.shape == (1, 32, 48, 3)


def test_whole_numbers_as_output_are_refused_in_words():
    model = nets.flat()
    out = keras.ops.argmax(model.outputs[0], axis=-1)

    with pytest.raises(ModelError, match="the output holds int32 values, which have no gradient"):
        xcnn.explain(keras.Model(model.inputs, out), PHOTO)


# Several inputs and outputs


@pytest.fixture
def patient(tmp_path):
    np.save(tmp_path / "patient.npy", np.arange(5, dtype=np.float64))
    return f"patient={tmp_path / 'patient.npy'}"


def test_an_input_that_takes_no_picture_is_asked_for():
    with pytest.raises(OptionError) as caught:
        xcnn.open_network(nets.with_numbers())

    assert caught.value.message == "with_numbers also takes patient (5)"
    assert "--input patient=FILE" in caught.value.hint


def test_values_for_another_input_reach_the_model(patient):
    model = nets.with_numbers()
    network = xcnn.open_network(model, input=patient, preprocess="unit")
    batch = batch_of(network, photos=[PHOTO, PHOTO])

    wanted = model([batch.inputs, np.tile(np.arange(5.0, dtype=np.float32), (2, 1))])[0]

    network.predict(batch)
    np.testing.assert_allclose(network.head.probabilities(batch.scores), np.asarray(wanted), atol=1e-5)


@pytest.mark.parametrize("output", ["size", "1"])
def test_an_output_is_chosen_by_name_or_number(output, patient):
    model = nets.with_numbers()
    network = xcnn.open_network(model, input=patient, output=output, preprocess="unit")
    batch = batch_of(network)
    network.layer_gradients(batch, [])

    wanted = model([batch.inputs, np.arange(5.0, dtype=np.float32)[None]])[1]

    assert (network.head.kind, network.head.classes) == ("linear", 1)
    assert batch.targets[0].score == pytest.approx(float(wanted[0, 0]), rel=1e-5)


def test_the_first_of_several_outputs_is_explained_and_all_are_named(patient):
    network = xcnn.open_network(nets.with_numbers(), input=patient)

    assert network.survey.output == "kind"
    assert any("2 outputs (kind, size); 'kind' is explained" in note for note in network.notes)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"output": "siz"}, "no output 'siz'"),
        ({"output": "2"}, "no output '2'"),
        ({"input": "patient"}, "must be NAME=FILE"),
        ({"input": "photo=missing.npy"}, "can't read missing.npy"),
    ],
)
def test_a_wrong_input_or_output_is_refused_in_words(settings, words, patient):
    given = {"input": patient} | settings
    with pytest.raises(xcnn.XcnnError, match=words):
        xcnn.open_network(nets.with_numbers(), **given).layers()


def test_values_of_another_shape_are_refused(tmp_path):
    np.save(tmp_path / "four.npy", np.zeros(4))

    with pytest.raises(OptionError, match="the values for input 'patient' are 1x4; it takes 5"):
        xcnn.explain(nets.with_numbers(), PHOTO, input=f"patient={tmp_path / 'four.npy'}")


def test_one_branch_of_a_siamese_network_can_be_given_another_picture(tmp_path):
    model = nets.siamese()
    other = pictures((30, 20), seed=4)[0]
    import cv2

    cv2.imwrite(str(tmp_path / "other.png"), other[..., ::-1])
    network = xcnn.open_network(model, input=f"right={tmp_path / 'other.png'}", preprocess="unit")
    batch = batch_of(network)
    right = xcnn.open_network(model, preprocess="unit")
    right_inputs = batch_of(right, photos=[other]).inputs

    network.predict(batch)

    wanted = np.asarray(model([batch.inputs, right_inputs]))
    np.testing.assert_allclose(network.head.probabilities(batch.scores), wanted, atol=1e-5)


def test_layers_of_another_output_are_no_default_layer(patient):
    pixels = keras.Input((24, 24, 3))
    main = keras.layers.Conv2D(3, 3, name="main")(pixels)
    side = keras.layers.Conv2D(3, 3, name="side")(pixels)
    outputs = [keras.layers.GlobalAveragePooling2D(name=f"out_{x.name}")(x) for x in (main, side)]
    model = keras.Model(pixels, outputs)
    firsts = [xcnn.open_network(model, output=str(which)).default_layer().value for which in (0, 1)]

    assert firsts == ["main", "side"]


def test_outputs_by_key_are_chosen_by_key():
    base = nets.flat()
    model = keras.Model(base.inputs, {"zebra": base.outputs[0], "all": base.get_layer("gap").output})

    assert xcnn.open_network(model, output="zebra").head.classes == nets.CLASSES
    assert xcnn.open_network(model, output="all").head.classes == 8


# Inputs of other forms


def test_four_channels_receive_the_transparency_or_255():
    pixels = keras.Input((8, 8, 4))
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(pixels)))
    network = xcnn.open_network(model, preprocess="none")
    rgba = np.dstack([pictures((8, 8))[0], np.full((8, 8), 7, np.uint8)])

    batch = network.batch([rgba, rgba[..., :3]], ["top"], np.random.default_rng(0))

    assert batch.inputs.shape == (2, 8, 8, 4)
    assert set(batch.inputs[0, ..., 3].ravel()) == {7.0}
    assert set(batch.inputs[1, ..., 3].ravel()) == {255.0}
    np.testing.assert_array_equal(batch.inputs[0, ..., :3], rgba[..., :3])
    assert xcnn.explain(network, rgba).results


@pytest.mark.parametrize("channels", [2, 5])
def test_a_number_of_channels_that_no_picture_has_receives_gray_with_a_warning(channels):
    pixels = keras.Input((8, 8, channels))
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(pixels)))

    network = xcnn.open_network(model, preprocess="none")

    inputs = batch_of(network).inputs
    assert inputs.shape == (1, 8, 8, channels)
    assert all((inputs[..., place] == inputs[..., 0]).all() for place in range(channels))
    assert f"the model takes {channels} channels" in network.warnings[0]
    assert xcnn.explain(network, PHOTO).results


def test_dropout_is_no_default_layer():
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="conv"), keras.layers.Dropout(0.5)]
    model = keras.Sequential([*layers, keras.layers.Flatten(), keras.layers.Dense(2)])

    assert xcnn.open_network(model).default_layer().value == "conv"


def test_a_model_that_takes_whole_numbers_receives_them():
    pixels = keras.Input((8, 8, 3), dtype="uint8")
    scaled = keras.layers.Rescaling(1 / 255)(pixels)
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3, name="c")(scaled)))

    assert xcnn.explain(model, pictures((8, 8))).results[0].panels[0].layer == "c"


def test_a_sequential_that_was_never_built_is_built_for_the_first_picture():
    model = keras.Sequential(
        [keras.layers.Conv2D(2, 3, name="conv"), keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3)]
    )

    run = xcnn.explain(model, pictures((20, 30)))

    assert run.results[0].panels[0].values.shape == (18, 28)


@pytest.mark.parametrize(
    ("shape", "layer", "words"),
    [
        ((9, 3), keras.layers.Conv1D(2, 3), "one spatial dimension"),
        ((8, 8, 8, 1), keras.layers.Conv3D(2, 3), "three spatial dimensions"),
        ((12,), keras.layers.Dense(2), "no spatial dimension"),
        ((9, 3), keras.layers.LSTM(2), "one spatial dimension"),
        ((28, 28), keras.layers.Flatten(), "no axis for channels"),
    ],
)
def test_models_of_other_dimensions_are_refused_naming_them(shape, layer, words):
    with pytest.raises(ModelError, match=words):
        xcnn.open_network(keras.Sequential([keras.Input(shape), layer]))


def test_a_gray_picture_without_an_axis_for_channels_is_one_nevertheless():
    conv = keras.layers.Conv2D(2, 3, name="conv", kernel_initializer="ones")
    tail = [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(2)]
    flat = keras.Sequential([keras.Input((9, 7)), keras.layers.Reshape((9, 7, 1)), conv, *tail])
    usual = keras.Sequential([keras.Input((9, 7, 1)), conv, *tail])

    runs = [xcnn.explain(model, pictures((20, 30))) for model in (flat, usual)]

    found, wanted = (run.results[0].panels[0].values for run in runs)
    assert found.shape == (7, 5)
    np.testing.assert_array_equal(found, wanted)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16", "bfloat16"])
def test_other_precisions_give_float32_maps(policy):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        model = nets.flat()
    finally:
        keras.config.set_dtype_policy(before)

    run = xcnn.explain(model, PHOTO, layer="conv2")

    assert run.results[0].panels[0].values.dtype == np.float32
    assert run.results[0].panels[0].values.any()


# What the trace tells


@pytest.mark.parametrize(
    ("build", "layer"), [(nets.flat, "act2"), (nets.nested, "base/act2"), (nets.subclassed, "base/act2")]
)
def test_the_pooled_maps_before_a_linear_head_are_found(build, layer):
    pooling = xcnn.open_network(build()).survey.pooling

    assert pooling.layer == layer
    assert pooling.reason == f"global average pooling of {layer}, then a linear head"


@pytest.mark.parametrize(
    ("middle", "words"),
    [
        ([keras.layers.Flatten()], "flattened maps under a dense layer"),
        ([keras.layers.GlobalMaxPooling2D()], "global max pooling under a dense layer"),
        ([keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(4)], "two dense layers"),
        ([keras.layers.GlobalAveragePooling2D(), keras.layers.ReLU()], "ReLU under a dense layer"),
    ],
)
def test_a_head_that_is_no_pooling_says_what_it_is(middle, words):
    layers = [keras.Input((9, 9, 3)), keras.layers.Conv2D(4, 3), *middle, keras.layers.Dense(3, activation="softmax")]
    pooling = xcnn.open_network(keras.Sequential(layers)).survey.pooling

    assert pooling.layer == ""
    assert pooling.reason == f"the head is {words}, not global average pooling"


@pytest.mark.parametrize(
    "middle",
    [
        [keras.layers.Dropout(0.5)],
        [keras.layers.BatchNormalization()],
        [keras.layers.Flatten(), keras.layers.Dropout(0.2)],
    ],
)
def test_dropout_flatten_and_batch_normalization_behind_the_pooling_do_not_matter(middle):
    layers = [
        keras.Input((9, 9, 3)),
        keras.layers.Conv2D(4, 3, name="conv"),
        keras.layers.GlobalAveragePooling2D(),
        *middle,
        keras.layers.Dense(1, activation="sigmoid"),
    ]

    assert xcnn.open_network(keras.Sequential(layers)).survey.pooling.layer == "conv"


def test_pooling_straight_into_softmax_is_found():
    layers = [
        keras.Input((9, 9, 3)),
        keras.layers.Conv2D(4, 3, name="conv"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Activation("softmax"),
    ]

    assert xcnn.open_network(keras.Sequential(layers)).survey.pooling.reason.endswith("then no head of its own")


def test_rectifiers_are_counted_and_the_rest_is_named():
    layers = [keras.Input((9, 9, 3)), keras.layers.Conv2D(4, 3, activation="relu")]
    layers += [keras.layers.ReLU(max_value=6), keras.layers.LeakyReLU(), keras.layers.PReLU()]
    layers += [keras.layers.Activation(name) for name in ("elu", "swish", "hard_sigmoid")]
    layers += [keras.layers.GlobalAveragePooling2D(), keras.layers.Dense(3, activation="softmax")]

    found = xcnn.open_network(keras.Sequential(layers)).survey.rectifiers

    assert found.covered == 3
    assert found.others == {"PReLU": 1, "hard_sigmoid": 1, "ELU": 1, "swish": 1}
    assert found.words.startswith("3 of 7 non-linearities are rectifiers; not covered: 1 PReLU")


def test_layers_tell_their_parameters_and_activation():
    by_path = {layer.path: layer for layer in xcnn.open_network(nets.nested()).layers()}

    assert (by_path["base/conv1"].parameters, by_path["base/conv1"].activation) == (3 * 3 * 3 * 6 + 6, "relu")
    assert (by_path["predictions"].parameters, by_path["predictions"].activation) == (8 * 5 + 5, "softmax")
    assert by_path["base"].parameters == sum(layer.parameters for path, layer in by_path.items() if "base/" in path)


def test_class_names_may_be_given_themselves():
    network = xcnn.open_network(nets.flat(), labels=["ant", "bee", "cat", "dog, or puppy", "eel"])

    batch = batch_of(network, wanted=["dog, or puppy", "eel vs ant"])
    network.predict(batch)

    assert [target.label for target in batch.targets] == ["dog, or puppy", "eel vs ant"]


def test_a_wrong_number_of_class_names_is_refused():
    with pytest.raises(OptionError, match="--labels has 2 names but the model has 5 classes"):
        xcnn.explain(nets.flat(), PHOTO, labels=["cat", "dog"], target="cat")


# What a critical user found


def test_what_the_model_does_to_another_input_says_nothing_of_the_pictures(tmp_path):
    Image.fromarray(pictures((24, 24), seed=9)[0]).save(tmp_path / "other.png")
    decided = [
        xcnn.open_network(nets.siamese(), input=f"{side}={tmp_path / 'other.png'}").preprocessing.reason
        for side in ("left", "right")
    ]

    assert decided == ["a guess: nothing in the model tells"] * 2


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_file_of_bfloat16_weights_is_explained(tmp_path, suffix):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("bfloat16")
    try:
        model = nets.flat()
    finally:
        keras.config.set_dtype_policy(before)
    model.save(tmp_path / f"half{suffix}")

    network = xcnn.open_network(str(tmp_path / f"half{suffix}"))

    assert xcnn.explain(network, PHOTO).results
    for mine, read in zip(model.weights, network.model.weights, strict=True):
        np.testing.assert_array_equal(np.asarray(mine, np.float32), np.asarray(read, np.float32))


def test_the_score_of_one_pixel_is_said_to_be_that():
    network = xcnn.open_network(nets.segmentation(), at="3,4")
    batch = batch_of(network, wanted=["2"])
    network.layer_gradients(batch, [])

    assert batch.targets[0].notes == ("the score is that of one pixel, given with --at",)
    assert network.head.score.endswith("at the pixel of --at")


def test_a_pixel_of_an_output_that_is_no_map_is_refused():
    with pytest.raises(MisfitError, match="one score per picture, not one per pixel"):
        xcnn.explain(nets.flat(), PHOTO, at="3,4")


def test_a_pixel_of_a_picture_that_is_cut_is_refused(tmp_path):
    nets.segmentation().save(tmp_path / "seg.keras")

    with pytest.raises(OptionError, match="--at counts pixels of the picture, which --fit crop cuts or widens"):
        xcnn.open_network(str(tmp_path / "seg.keras"), at="3,4", fit="crop")


def test_an_open_network_keeps_how_pictures_are_made_to_fit(tmp_path):
    nets.flat().save(tmp_path / "flat.keras")
    wide = pictures((24, 60))[0]
    maps = [
        xcnn.explain(network, wide).results[0].panels[0].values
        for network in (xcnn.open_network(str(tmp_path / "flat.keras"), fit=how) for how in ("crop", "stretch"))
    ]

    again = xcnn.explain(str(tmp_path / "flat.keras"), wide, fit="crop").results[0].panels[0].values

    np.testing.assert_array_equal(maps[0], again)
    assert np.abs(maps[0] - maps[1]).max() > 1e-6


def test_a_layer_is_found_by_the_name_that_its_file_has(tmp_path):
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="my conv"), keras.layers.GlobalAveragePooling2D()]
    keras.Sequential([*layers, keras.layers.Dense(2)]).save(tmp_path / "spaces.keras")

    run = xcnn.explain(str(tmp_path / "spaces.keras"), PHOTO, layer="my conv")

    assert run.results[0].panels[0].layer == "my_conv"


def test_a_glob_passes_over_what_the_scores_do_not_depend_on():
    run = xcnn.explain(nets.segmentation(), PHOTO, layer="*")

    assert [panel.layer for panel in run.results[0].panels] == ["fine", "coarse", "deep", "up", "both"]


def test_a_size_that_is_too_small_is_said_without_a_dump():
    pixels = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(3, 5, name="conv")(pixels)
    model = keras.Model(pixels, keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 5)(x)))

    with pytest.raises(ModelError) as caught:
        xcnn.explain(model, PHOTO, input_size=3)

    assert "{{node" not in caught.value.message
    assert caught.value.hint == "it may not take pictures of 3x3: try another --input-size"


def test_predictions_under_another_preprocessing_are_those_of_the_chosen_pixel():
    network = xcnn.open_network(nets.segmentation(), at="10,20", preprocess="unit")
    batch = batch_of(network)

    found = network.predicted(PHOTO, network.preprocessing.preprocessing, 3)

    network.predict(batch)
    assert [one.score for one in found] == pytest.approx([one.score for one in network.best(batch, 3)[0]], abs=1e-6)
