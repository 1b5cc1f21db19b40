"""One trace per question: nothing that differs from image to image, or from target to target, traces again."""

from __future__ import annotations

import keras
import nets
import numpy as np
import pytest
from fakes import pictures

import xcnn
from xcnn.values import Preprocessing

pytestmark = pytest.mark.keras


class Counting(keras.layers.Layer):
    """Counts in Python how often it is called, which a traced function never does again."""

    calls = 0

    def call(self, pixels):
        self.calls += 1
        return pixels


@pytest.fixture
def counted():
    """A network, and the layer in its model that counts."""
    counting = Counting(name="counting")
    model = keras.Sequential([keras.Input((nets.SIZE, nets.SIZE, 3)), counting, nets.flat()])
    counting.calls = 0
    return xcnn.open_network(model, preprocess="unit"), counting


def batch_of(network, *wanted, count=2):
    return network.batch(pictures(*[(24, 24)] * count), list(wanted or ["top"]), np.random.default_rng(0))


QUESTIONS = {
    "scores": lambda network, batch: network.scores(batch.inputs),
    "activations": lambda network, batch: network.activations(batch.inputs, ["flat/conv1", "flat/act2"]),
    "layer gradients": lambda network, batch: network.layer_gradients(batch, ["flat/conv2"]),
    "of several layers": lambda network, batch: network.layer_gradients(batch, ["flat/conv1", "flat/act2"]),
    "input gradients": lambda network, batch: network.input_gradients(batch),
}
ONE_TARGET = (["0"], ["3"], ["2 vs 4"], ["4 vs 2"], ["not:1"])


@pytest.mark.parametrize("question", QUESTIONS)
def test_another_target_of_its_kind_and_another_number_of_images_trace_nothing(question, counted):
    network, counting = counted
    ask = QUESTIONS[question]
    ask(network, batch_of(network, "0"))

    for count in (1, 2, 7):
        for wanted in ONE_TARGET:
            ask(network, batch_of(network, *wanted, count=count))

    assert (network.traces, counting.calls) == (1, 1)


@pytest.mark.parametrize("question", ["layer gradients", "of several layers", "input gradients"])
def test_there_is_one_trace_for_each_number_of_targets(question, counted):
    network, counting = counted
    ask = QUESTIONS[question]

    for _ in range(2):
        for wanted in (["top"], ["top3"], ["1"], ["1", "0 vs 2"], ["top", "4"], ["2 vs 1"], ["top", "not:0"]):
            ask(network, batch_of(network, *wanted))

    assert (network.traces, counting.calls) == (5, 5), "top, top3, one given, two given, top and one given"


def test_all_questions_on_one_network_are_traced_once_each(counted):
    network, counting = counted

    for count in (2, 1, 5):
        for ask in QUESTIONS.values():
            ask(network, batch_of(network, count=count))
            ask(network, batch_of(network, count=count))

    assert (network.traces, counting.calls) == (len(QUESTIONS), len(QUESTIONS))


def test_what_is_known_of_a_network_and_its_predictions_share_the_trace_of_the_scores(counted):
    network, counting = counted
    photo = pictures((24, 24))[0]

    network.layers(), network.default_layer(), network.about()
    for mode in ("a", "b"):
        network.predicted(photo, Preprocessing(mode, "", scale=(0.5 if mode == "a" else 2.0,) * 3), 3)
    for count in (1, 4):
        batch = batch_of(network, "top2", "0", "1 vs 2", count=count)
        network.predict(batch)
        network.best(batch, 5)
        network.scores(batch.inputs)

    assert (network.traces, counting.calls) == (1, 1)


def test_the_best_classes_after_gradients_trace_nothing(counted):
    network, counting = counted
    batch = batch_of(network, "top")
    network.layer_gradients(batch, [])

    network.best(batch, 5)
    network.best(batch, 2)
    network.layers(), network.about()

    assert (network.traces, counting.calls) == (1, 1)


def test_a_whole_run_over_images_of_all_sizes_traces_once(counted):
    network, counting = counted
    photos = pictures((24, 24), (30, 20), (9, 50), (100, 24), (24, 25))

    for size in (1, 2, 5):
        xcnn.explain(network, photos, "gradcam", target=["top", "3"], batch_size=size)

    assert (network.traces, counting.calls) == (1, 1)


def test_other_layers_are_another_question(counted):
    network, counting = counted

    for layers in (["flat/conv1"], ["flat/conv2"], ["flat/conv1", "flat/conv2"], ["flat/conv1"]):
        network.layer_gradients(batch_of(network), layers)

    assert (network.traces, counting.calls) == (3, 3)


@pytest.mark.parametrize("build", [nets.doubly_nested, nets.subclassed, nets.siamese, nets.segmentation])
def test_any_kind_of_model_is_traced_once_per_question(build):
    network = xcnn.open_network(build(), preprocess="unit")

    for count in (1, 3):
        for wanted in ("0", "1", "0 vs 2"):
            network.layer_gradients(batch_of(network, wanted, count=count), [])
            network.input_gradients(batch_of(network, wanted, count=count))

    assert network.traces == 2
