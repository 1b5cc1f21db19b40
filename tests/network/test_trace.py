"""The trace: the model is left as it was found, runs once per image, and is traced once per question."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures

import xcnn
from xcnn.errors import LayerError, ModelError, TargetError
from xcnn.network import trace

pytestmark = pytest.mark.keras


def fingerprint(model):
    """Everything a user could notice: weights, attributes of every layer, what a prediction gives."""
    layers = [model, *model._flatten_layers(include_self=False)]
    attributes = [(id(layer), sorted(vars(layer)), vars(layer).get("call")) for layer in layers]
    nodes = [len(layer._inbound_nodes) for layer in layers]
    weights = [np.asarray(weight).copy() for weight in model.weights]
    return attributes, nodes, weights


def same(before, after):
    assert before[:2] == after[:2]
    for first, second in zip(before[2], after[2], strict=True):
        np.testing.assert_array_equal(first, second)


def batch_of(network, *, count=2, wanted=("top",)):
    return network.batch(pictures(*[(24, 24)] * count), list(wanted), np.random.default_rng(0))


@pytest.mark.parametrize("build", [nets.flat, nets.nested, nets.subclassed, nets.siamese])
def test_the_model_is_left_exactly_as_it_was_found(build):
    model = build()
    model.trainable = True
    before = fingerprint(model)

    run = xcnn.explain(model, pictures((24, 24)))

    assert run.results
    same(before, fingerprint(model))


def test_the_model_is_left_as_it_was_found_when_its_call_raises():
    class Broken(keras.layers.Layer):
        def call(self, _):
            raise RuntimeError("on purpose")

    model = nets.flat()
    broken = Broken()
    before = sorted(vars(broken)), sorted(vars(model.layers[1]))

    with pytest.raises(RuntimeError, match="on purpose"), trace.tapped(_Holder(model, broken)):
        model.layers[1](np.zeros((1, 24, 24, 3), np.float32))
        broken(np.zeros((1, 2), np.float32))

    assert (sorted(vars(broken)), sorted(vars(model.layers[1]))) == before


class _Holder:
    def __init__(self, *layers):
        self._layers = layers

    def _flatten_layers(self, **_):
        return self._layers


def test_a_call_that_a_user_put_on_an_instance_is_put_back():
    model = nets.flat()
    layer = model.get_layer("conv1")
    own = layer.call
    object.__setattr__(layer, "call", own)

    xcnn.explain(model, pictures((24, 24)))

    assert vars(layer)["call"] is own


def test_running_functions_eagerly_is_put_back():
    xcnn.open_network(nets.flat()).layers()

    assert not tf.config.functions_run_eagerly()


@pytest.mark.parametrize("target", ["top", "top3", ["top", "2"]])
def test_an_image_runs_forward_once_whatever_the_number_of_targets(target):
    network = xcnn.open_network(nets.flat())
    batch = batch_of(network, wanted=[target] if isinstance(target, str) else target)
    network.layer_gradients(batch, [])
    graph = next(iter(network._traced._functions.values())).graph

    convolutions = [op.name for op in graph.get_operations() if op.type == "Conv2D"]

    assert len(convolutions) == 2, "the net has two convolutions"
    assert network.traces == 1


def test_every_image_really_runs_forward_once():
    """Counted by a layer in the model, while a whole run is made: maps, targets and the five best classes."""

    class Counting(keras.layers.Layer):
        def build(self, _):
            self.seen = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, x):
            self.seen.assign_add(tf.cast(tf.shape(x)[0], tf.float32))
            return x

    counting = Counting()
    model = keras.Sequential([keras.Input((24, 24, 3)), counting, nets.flat()])

    xcnn.explain(model, pictures(*[(24, 24)] * 5), target=["top3", 0], batch_size=2)

    assert float(counting.seen) == 5


def test_the_gradient_starts_at_the_layer_and_not_at_the_pixels():
    network = xcnn.open_network(nets.flat())
    network.layer_gradients(batch_of(network), [])
    graph = next(iter(network._traced._functions.values())).graph

    backward = [op.type for op in graph.get_operations() if "Backprop" in op.type]

    assert backward == []


def test_many_layers_and_classes_cost_one_backward_pass_per_class():
    """Counted in the graph: each pass goes back through each convolution once, whatever the number of layers."""
    network = xcnn.open_network(nets.flat())
    network.layer_gradients(batch_of(network, wanted=["top3"]), ["conv1", "pool1", "conv2", "act2"])
    graph = next(iter(network._traced._functions.values())).graph

    backward = [op.type for op in graph.get_operations() if op.type == "Conv2DBackpropInput"]

    assert len(backward) == 3


def test_several_layers_at_once_give_what_each_gives_alone():
    network = xcnn.open_network(nets.flat())
    together = network.layer_gradients(batch_of(network, wanted=["top2"]), ["conv1", "act2"])

    for path, found in together.items():
        alone = network.layer_gradients(batch_of(network, wanted=["top2"]), [path])[path]
        np.testing.assert_allclose(found[0], alone[0], atol=1e-6)
        np.testing.assert_allclose(found[1], alone[1], atol=1e-6)


def test_a_large_map_is_as_exact_as_the_formula_in_float64():
    """Behind global average pooling the gradient is the dense kernel over the number of positions, everywhere."""
    rng = np.random.default_rng(0)
    pixels = keras.Input((200, 200, 3))
    conv = keras.layers.Conv2D(16, 3, activation="relu", name="conv")
    dense = keras.layers.Dense(3)
    network = xcnn.open_network(keras.Model(pixels, dense(keras.layers.GlobalAveragePooling2D()(conv(pixels)))))
    dense.set_weights([rng.normal(size=(16, 3)), np.zeros(3)])
    batch = network.batch(pictures((200, 200)), ["1"], rng)

    got = xcnn.explain(network, pictures((200, 200)), target=1).results[0].panels[0].values

    features = network.activations(batch.inputs, ["conv"])["conv"][0].astype(np.float64)
    wanted = np.maximum(features @ np.asarray(dense.kernel, np.float64)[:, 1] / 198**2, 0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=1e-6 * wanted.max())


def test_a_second_batch_and_another_size_of_batch_trace_nothing():
    network = xcnn.open_network(nets.nested())
    xcnn.explain(network, pictures((24, 24), (30, 20)))
    traced = network.traces

    xcnn.explain(network, pictures((24, 24), (30, 20), (9, 9)), batch_size=2)

    assert traced == 1
    assert network.traces == 1


def test_a_batch_gives_what_a_loop_gives():
    network = xcnn.open_network(nets.flat())
    photos = pictures((24, 24), (40, 24), (20, 31))

    together = [result.panels[0].values for result in xcnn.explain(network, photos).results]
    alone = [xcnn.explain(network, photo).results[0].panels[0].values for photo in photos]

    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5 * max(other.max(), 1e-9))


def test_weights_trained_after_the_first_trace_are_used():
    model = nets.flat()
    network = xcnn.open_network(model)
    before = network.scores(batch_of(network).inputs)

    model.get_layer("predictions").bias.assign_add([1.0, 2.0, 3.0, 4.0, 5.0])

    np.testing.assert_allclose(network.scores(batch_of(network).inputs) - before, [[1, 2, 3, 4, 5]] * 2, atol=1e-5)


def test_rows_of_one_image_are_neighbours_and_each_has_its_own_gradient():
    network = xcnn.open_network(nets.flat())
    several = batch_of(network, wanted=["3", "0"])
    found = network.layer_gradients(several, ["act2"])["act2"]

    for position, index in enumerate(["3", "0"]):
        alone = network.layer_gradients(batch_of(network, wanted=[index]), ["act2"])["act2"]
        np.testing.assert_allclose(found[0][position::2], alone[0], atol=1e-6)
        np.testing.assert_allclose(found[1][position::2], alone[1], atol=1e-6)
    assert [target.index for target in several.targets] == [3, 0, 3, 0]


def test_the_gradient_is_the_slope_of_the_logit():
    """Finite differences of the scores by single activations, through the layers behind them."""
    model = nets.flat("softmax")
    network = xcnn.open_network(model)
    batch = batch_of(network, count=1, wanted=["4"])
    features, gradients = network.layer_gradients(batch, ["act2"])["act2"]
    kernel = np.asarray(model.get_layer("predictions").kernel)
    positions = features.shape[1] * features.shape[2]

    np.testing.assert_allclose(gradients[0], np.broadcast_to(kernel[:, 4] / positions, features.shape[1:]), atol=1e-7)


@pytest.mark.parametrize(
    ("activation", "kind", "classes"), [("softmax", "softmax", 5), ("sigmoid", "sigmoid", 5), (None, "linear", 5)]
)
def test_scores_are_logits_whatever_squash_follows(activation, kind, classes):
    network = xcnn.open_network(nets.flat(activation))
    inputs = batch_of(network).inputs
    wanted = np.asarray(nets.flat(None)(inputs))

    assert network.head.kind == kind
    assert network.head.classes == classes
    np.testing.assert_allclose(network.scores(inputs), wanted, atol=1e-5)
    probabilities = network.head.probabilities(network.scores(inputs))
    if activation:
        np.testing.assert_allclose(probabilities, np.asarray(nets.flat(activation)(inputs)), atol=1e-6)
    else:
        assert probabilities is None


@pytest.mark.parametrize("how", ["layer", "activation layer", "function", "log_softmax", "reshape"])
def test_the_logits_are_found_however_the_model_wrote_its_softmax(how):
    flat = nets.flat(None)
    squash = {
        "layer": keras.layers.Softmax(),
        "activation layer": keras.layers.Activation("softmax", dtype="float32"),
        "function": lambda x: keras.ops.softmax(x),
        "log_softmax": lambda x: keras.ops.log_softmax(x),
        "reshape": lambda x: keras.layers.Reshape((5,))(keras.layers.Softmax()(keras.layers.Reshape((1, 1, 5))(x))),
    }[how]
    model = keras.Model(flat.inputs, squash(flat.outputs[0]))
    network = xcnn.open_network(model)
    inputs = batch_of(network).inputs

    assert network.head.kind == "softmax"
    np.testing.assert_allclose(network.scores(inputs), np.asarray(flat(inputs)), atol=1e-5)


def test_one_sigmoid_unit_has_two_classes_and_the_evidence_for_0_is_the_negated_logit():
    network = xcnn.open_network(nets.flat("sigmoid", classes=1))
    inputs = batch_of(network).inputs
    logit = np.asarray(nets.flat(None, classes=1)(inputs))

    scores = network.scores(inputs)

    np.testing.assert_allclose(scores, np.hstack([-logit, logit]), atol=1e-5)
    np.testing.assert_allclose(network.head.probabilities(scores).sum(axis=1), 1, atol=1e-6)


def test_a_tf_function_inside_a_model_hides_nothing():
    paths = [layer.path for layer in xcnn.open_network(nets.subclassed()).layers()]

    assert paths == ["base/conv1", "base/pool1", "base/conv2", "base/bn2", "base/act2", "base", "gap", "predictions"]


def test_a_layer_inside_a_loop_is_refused_by_name():
    class Looping(keras.layers.Layer):
        def __init__(self):
            super().__init__(name="looping")
            self.inner = keras.layers.Conv2D(3, 3, padding="same", name="inner")

        def build(self, shape):
            self.inner.build(shape)

        def call(self, x):
            return tf.while_loop(lambda i, _: i < 2, lambda i, y: (i + 1, self.inner(y)), [0, x])[1]

    pixels = keras.Input((24, 24, 3))
    x = keras.layers.GlobalAveragePooling2D()(Looping()(keras.layers.Conv2D(3, 3, name="first")(pixels)))
    network = xcnn.open_network(keras.Model(pixels, x))

    with pytest.raises(LayerError, match=r"'looping/inner' runs inside a loop"):
        network.layer_gradients(batch_of(network), ["looping/inner"])
    assert any("can't be explained" in note for note in network.notes)


def test_activations_are_the_outputs_of_the_layer():
    model = nets.flat()
    network = xcnn.open_network(model)
    inputs = batch_of(network).inputs
    wanted = keras.Model(model.inputs, model.get_layer("conv2").output)(inputs)

    found = network.activations(inputs, ["conv2"])

    np.testing.assert_allclose(found["conv2"], np.asarray(wanted), atol=1e-5)


def test_a_layer_the_score_does_not_depend_on_is_refused():
    pixels = keras.Input((24, 24, 3))
    side = keras.layers.Conv2D(2, 3, name="side")(pixels)
    main = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 3, name="main")(pixels))
    unused = keras.layers.Lambda(lambda both: both[0], name="choose")([main, side])
    network = xcnn.open_network(keras.Model(pixels, unused))

    with pytest.raises(LayerError, match="do not depend on the output of layer 'side'"):
        network.layer_gradients(batch_of(network), ["side"])


def test_a_class_out_of_range_names_the_range():
    network = xcnn.open_network(nets.flat())

    with pytest.raises(TargetError, match=r"class 5 does not exist: flat has 5 \(0..4\)"):
        network.layer_gradients(batch_of(network, wanted=["5"]), [])


def test_more_of_the_best_than_there_are_classes_are_all_classes():
    network = xcnn.open_network(nets.flat())
    batch = batch_of(network, count=1, wanted=["top99"])

    network.layer_gradients(batch, [])

    assert sorted(target.index for target in batch.targets) == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: keras.Sequential([keras.layers.Conv2D(2, 3)]), "has not been built"),
        (lambda: keras.Sequential([keras.Input((9, 3)), keras.layers.Conv1D(2, 3)]), "2-D images"),
        (lambda: keras.Sequential([keras.Input((8, 8, 8, 1)), keras.layers.Conv3D(2, 3)]), "2-D images"),
    ],
)
def test_a_model_that_takes_no_pictures_is_refused_in_words(build, words):
    with pytest.raises(ModelError, match=words):
        xcnn.open_network(build())


@pytest.mark.parametrize("size", [(None, None), (24, None)])
def test_a_model_of_any_size_is_given_224_pixels_and_says_so(size):
    pixels = keras.Input((*size, 3))
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(3, 3, name="conv")(pixels))
    network = xcnn.open_network(keras.Model(pixels, x))

    run = xcnn.explain(network, pictures((30, 30)))

    assert run.results[0].panels[0].values.shape == (222 if size[0] is None else 22, 222)
    assert any("any size" in note for note in network.notes)


def test_a_model_whose_layers_cannot_be_traced_is_refused_in_words():
    layers = [keras.Input((8, 8, 3)), keras.layers.Conv2D(2, 3, name="a name with spaces"), keras.layers.Flatten()]

    with pytest.raises(
        ModelError, match=r"odd can't be run: ValueError.*'a name with spaces' is not a valid scope name"
    ):
        xcnn.open_network(keras.Sequential(layers, name="odd")).layers()


@pytest.mark.parametrize("kind", ["BatchNormalization", "LayerNormalization", "PReLU"])
def test_learned_arithmetic_says_nothing_about_the_range_of_pixels(kind):
    pixels = keras.Input((24, 24, 3))
    model = keras.Model(pixels, nets.flat()(getattr(keras.layers, kind)()(pixels)))

    assert xcnn.open_network(model).preprocessing.preprocessing.name == "unit"


@pytest.mark.parametrize("mode", ["tf", "caffe", "torch"])
def test_preprocess_input_called_inside_a_model_is_seen(mode):
    pixels = keras.Input((24, 24, 3))
    ready = keras.applications.imagenet_utils.preprocess_input(pixels, mode=mode)

    assert xcnn.open_network(keras.Model(pixels, nets.flat()(ready))).preprocessing.preprocessing.name == "none"


@pytest.mark.parametrize("how", ["layer", "ops"])
def test_arithmetic_before_the_first_convolution_means_the_model_preprocesses_itself(how):
    pixels = keras.Input((24, 24, 3))
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1)(pixels) if how == "layer" else pixels / 127.5 - 1.0
    model = keras.Model(pixels, nets.flat()(scaled))

    decision = xcnn.open_network(model).preprocessing

    assert decision.preprocessing.name == "none"
    assert decision.warning == ""


def test_without_evidence_preprocessing_is_a_guess_with_a_warning():
    run = xcnn.explain(nets.flat(), pictures((24, 24)))

    assert run.about["model"]["preprocessing"]["name"] == "unit"
    assert "guess" in run.warnings[0]
