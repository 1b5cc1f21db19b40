"""Explaining a model while it is trained: the training stays as it was, and each epoch has its maps."""

from __future__ import annotations

import json
import os
import random
import re
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import keras
import numpy as np
import pytest
import tensorflow as tf
from fakes import pictures

import xcnn
from xcnn.callbacks import ExplainCallback
from xcnn.errors import LayerError, MisfitError, OptionError, OutputError, TargetError, UsageError, XcnnError
from xcnn.plugin import Explainer
from xcnn.saving import curves, schema

pytestmark = pytest.mark.keras
SLOW = pytest.mark.slow
SIZE, CLASSES = 12, 3


def head(x):
    x = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Flatten()(x)
    x = keras.layers.Dropout(0.4)(x)
    return keras.layers.Dense(CLASSES, activation="softmax", name="classes")(x)


def augmented():
    """Everything that draws random numbers in training, and statistics that it updates."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    x = keras.layers.RandomFlip()(x)
    x = keras.layers.RandomRotation(0.1)(x)
    return keras.Model(inputs, head(x), name="augmented")


def always_dropping():
    """Dropout that stays on when the model predicts: to explain it draws from the states of the training."""
    inputs = keras.Input((SIZE, SIZE, 3))
    x = keras.layers.Rescaling(1 / 255)(inputs)
    return keras.Model(inputs, head(keras.layers.Dropout(0.2)(x, training=True)), name="always")


def nested():
    inputs = keras.Input((SIZE, SIZE, 3))
    base = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Rescaling(1 / 255)], name="base")
    return keras.Model(inputs, head(base(inputs)), name="nested")


def frozen():
    model = augmented()
    model.get_layer("conv").trainable = False
    return model


def unbuilt():
    """Built by its first batch."""
    return keras.Sequential(
        [
            keras.layers.Rescaling(1 / 255),
            keras.layers.Conv2D(4, 3, activation="relu", name="conv"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dropout(0.3),
            keras.layers.Dense(CLASSES, activation="softmax"),
        ],
        name="unbuilt",
    )


class Subclassed(keras.Model):
    """Layers in attributes; a penalty on activity beside."""

    def __init__(self):
        super().__init__(name="subclassed")
        self.scaled = keras.layers.Rescaling(1 / 255)
        self.conv = keras.layers.Conv2D(4, 3, activation="relu", name="conv", activity_regularizer="l2")
        self.pool = keras.layers.GlobalAveragePooling2D()
        self.drop = keras.layers.Dropout(0.4)
        self.dense = keras.layers.Dense(CLASSES, activation="softmax")

    def call(self, inputs, training=None):
        return self.dense(self.drop(self.pool(self.conv(self.scaled(inputs))), training=training))


def mixed():
    with policy("mixed_float16"):
        return augmented()


class policy:  # noqa: N801 (a context manager reads as a word)
    """A policy of precision for a while."""

    def __init__(self, name):
        self.name = name

    def __enter__(self):
        self.before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(self.name)

    def __exit__(self, *_):
        keras.config.set_dtype_policy(self.before)


def data(seed=0):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (48, SIZE, SIZE, 3)).astype("float32"), rng.integers(0, CLASSES, 48)


def fitted(build, *callbacks, epochs=2, eager=False, **more):
    """Train a model from a seed; return it and its history."""
    keras.utils.set_random_seed(7)
    model = build()
    model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"], run_eagerly=eager)
    history = model.fit(*data(), batch_size=16, epochs=epochs, verbose=0, callbacks=list(callbacks), **more)
    return model, history.history


def photos(*shapes):
    return pictures(*(shapes or ((20, 16), (SIZE, SIZE))))


def told(out):
    found = json.loads(Path(out, "run.json").read_text("ascii"))
    assert schema.problem(found) == ""
    return found


def state(model):
    """Every number of a model and its optimizer, as bytes."""
    variables = [*model.variables, *model.optimizer.variables]
    return [np.asarray(variable).tobytes() for variable in variables]


def randomness():
    """What the next random numbers of everybody depend on."""
    return random.random(), np.random.random(), tf.random.uniform([]).numpy(), float(keras.random.uniform(()))  # noqa: NPY002, S311


# --- the training ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "build",
    [
        augmented,
        *(pytest.param(one, marks=SLOW) for one in (always_dropping, nested, frozen, unbuilt, Subclassed, mixed)),
    ],
)
def test_a_training_is_bit_for_bit_what_it_is_without(build):
    alone, history = fitted(build)
    after = randomness()

    watched = ExplainCallback(photos(), ["gradcam", "smoothgrad"], samples=3, preprocess="none")
    model, seen = fitted(build, watched)

    assert randomness() == after
    assert state(model) == state(alone)
    assert seen == history
    assert [one.epoch for one in watched.run.results] == 2 * [1, 1, 2, 2]


@SLOW
def test_a_training_that_runs_eagerly_is_bit_for_bit_what_it_is_without():
    alone, history = fitted(Subclassed, eager=True)

    model, seen = fitted(Subclassed, ExplainCallback(photos(), preprocess="none"), eager=True)

    assert state(model) == state(alone)
    assert seen == history


def test_the_model_keeps_its_trace_and_what_can_be_trained():
    traced = []

    class Looking(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            traced.append((self.model.train_function, [one.trainable for one in self.model.layers], network().traces))

    watched = ExplainCallback(photos(), preprocess="none")
    network = lambda: watched._recording._network  # noqa: E731
    fitted(frozen, watched, Looking(), epochs=3)

    assert traced[0] == traced[1] == traced[2]


# --- the maps --------------------------------------------------------------------------------------------------------


@SLOW
@pytest.mark.parametrize("build", [Subclassed, augmented, nested, mixed])
def test_the_maps_of_an_epoch_are_those_of_the_model_as_it_was_then(build):
    weights = []
    keeping = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: weights.append(model_of().get_weights()))
    watched = ExplainCallback(photos(), ["gradcam", "saliency"], preprocess="none", target=[0, 2])
    model_of = lambda: watched.model  # noqa: E731
    model, _ = fitted(build, watched, keeping, epochs=3)

    found = watched.run.results
    assert len(found) == 3 * 2 * 2 * 2
    for epoch, kept in enumerate(weights, start=1):
        model.set_weights(kept)
        expected = xcnn.explain(model, photos(), ["gradcam", "saliency"], preprocess="none", target=[0, 2])
        mine = [one for one in found if one.epoch == epoch]
        for one, other in zip(mine, expected.results, strict=True):
            assert (one.explainer, one.image.path, one.target.index) == (
                other.explainer,
                other.image.path,
                other.target.index,
            )
            np.testing.assert_array_equal(one.panels[0].values, other.panels[0].values)
            assert one.target == other.target
            assert one.predictions == other.predictions
    assert not np.array_equal(found[0].panels[0].values, found[-1].panels[0].values)


@SLOW
def test_a_saved_model_opened_again_has_the_maps_of_its_epoch(own_folder):
    watched = ExplainCallback(photos(), preprocess="none", layer="conv")
    fitted(augmented, watched, keras.callbacks.ModelCheckpoint("at-{epoch}.keras"), epochs=2)

    for epoch in (1, 2):
        expected = xcnn.explain(f"at-{epoch}.keras", photos(), layer="conv", preprocess="none").results
        mine = [one for one in watched.run.results if one.epoch == epoch]
        for one, other in zip(mine, expected, strict=True):
            np.testing.assert_allclose(one.panels[0].values, other.panels[0].values, rtol=1e-5, atol=1e-7)


@SLOW
def test_random_numbers_of_an_explainer_are_the_same_after_every_epoch():
    watched = ExplainCallback(photos(), "smoothgrad", samples=2, preprocess="none")

    still = keras.callbacks.LambdaCallback(
        on_train_begin=lambda logs: setattr(watched.model.optimizer, "learning_rate", 0.0)
    )
    fitted(unbuilt, still, watched, epochs=2)

    first, second = (one.panels[0].values for one in watched.run.results[:2])
    np.testing.assert_array_equal(first, second)


# --- what is written -------------------------------------------------------------------------------------------------


def test_a_run_folder_holds_figures_numbers_and_what_was_logged_of_each_epoch(photo):
    watched = ExplainCallback(
        [photo("a.png"), photo("b.png", seed=1)], "gradcam", layer="conv", labels=["x", "y", "z"], out="seen/out"
    )
    _, history = fitted(augmented, watched, epochs=3, validation_split=0.25)

    assert watched.report == Path("seen/out/report.html")
    run = told("seen/out")
    assert [(one["image"]["path"], one["epoch"]) for one in run["results"]] == [
        ("a.png", 1), ("a.png", 2), ("a.png", 3), ("b.png", 1), ("b.png", 2), ("b.png", 3),
    ]  # fmt: skip
    assert [one["epoch"] for one in run["epochs"]] == [1, 2, 3]
    assert [one["logs"] for one in run["epochs"]] == [
        {name: pytest.approx(values[at]) for name, values in history.items()} for at in range(3)
    ]
    assert run["results"][0]["target"]["label"] in {"x", "y", "z"}
    assert run["command"] == ""
    options = {row["name"]: (row["value"], row["source"]) for row in run["explainers"][0]["options"]}
    assert options["layer"] == (["conv"], "python")
    names = {path.name for path in Path("seen/out").iterdir()}
    assert names == set(run["files"])
    assert {"a.gradcam.epoch-002.png", "a.gradcam.epoch-002.overlay.png", "a.gradcam.epoch-002.npy"} <= names
    assert {"section.training.png", "section.training.csv"} <= names
    assert len([name for name in names if name.endswith("source.jpg")]) == 2
    np.testing.assert_array_equal(np.load("seen/out/b.gradcam.epoch-003.npy"), watched.run.results[-1].panels[0].values)
    assert [path.name for path in Path("seen").iterdir()] == ["out"]


def test_every_second_epoch_and_the_last_are_explained_and_all_are_logged():
    watched = ExplainCallback(photos(), preprocess="none", every=2, out="out")

    fitted(unbuilt, watched, epochs=5)

    run = told("out")
    assert [one["epoch"] for one in run["results"]] == 2 * [2, 4, 5]
    assert [one["epoch"] for one in run["epochs"]] == [1, 2, 3, 4, 5]


@SLOW
@pytest.mark.parametrize("common", [False, True])
def test_the_epochs_of_a_picture_share_their_scale_where_asked_for(common):
    watched = ExplainCallback(photos((32, 32), (40, 32)), ["gradcam", "saliency"], out="watched", common_scale=common)
    fitted(nested, watched, epochs=3)

    scales = {}
    for result in told("watched")["results"]:
        panel = result["panels"][0]
        of = scales.setdefault((result["image"]["path"], result["explainer"]), [])
        of.append((panel["scale"][1], np.abs(np.load(Path("watched", panel["files"]["values"]))).max()))
    assert len(scales) == 4
    for (_, explainer), of in scales.items():
        ends, largest = zip(*of, strict=True)
        assert len(set(ends)) == (1 if common else 3), explainer
        if common and explainer == "gradcam":
            assert ends[0] == pytest.approx(max(largest))
    assert any(row["name"] == "common_scale" for row in told("watched")["options"]) == common


@SLOW
@pytest.mark.parametrize("first", [True, False])
def test_the_epoch_at_which_another_callback_stops_is_explained(first):
    class Stop(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            self.model.stop_training = epoch == 1

    watching = ExplainCallback(photos((SIZE, SIZE)), layer="conv", out="out", every=5)
    fitted(augmented, *([Stop(), watching] if first else [watching, Stop()]), epochs=9)

    assert {result.epoch for result in watching.run.results} == {2}


@SLOW
def test_a_training_may_change_its_working_directory(own_folder):
    class Move(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            Path("elsewhere").mkdir()
            os.chdir("elsewhere")

    watching = ExplainCallback(photos((SIZE, SIZE)), layer="conv", out="out")
    fitted(augmented, Move(), watching, epochs=1)

    assert sorted(path.name for path in own_folder.iterdir()) == ["elsewhere", "out"]
    assert watching.report == own_folder / "out" / "report.html"


def test_metrics_of_each_class_are_told_one_by_one():
    told = curves.record(3, {"loss": 0.5, "f1": np.float32([0.25, np.nan]), "note": "none"})

    assert told == {"epoch": 3, "logs": {"loss": 0.5, "f1[0]": 0.25, "f1[1]": None}}


@SLOW
def test_two_trainings_are_not_joined():
    def other():
        keras.utils.set_random_seed(8)
        return augmented()

    for name, build in (("one", augmented), ("two", other)):
        fitted(build, ExplainCallback(photos((SIZE, SIZE)), layer="conv", out=name), epochs=1)

    with pytest.raises(UsageError, match="different trainings: each has an epoch 1"):
        xcnn.join_reports(["one", "two"], "both")
    assert xcnn.join_reports(["one", "one"], "again").exists()


@SLOW
def test_a_training_that_goes_on_from_an_epoch_counts_from_there():
    watched = ExplainCallback(photos(), preprocess="none", out="out")

    fitted(unbuilt, watched, epochs=4, initial_epoch=2)

    assert [one["epoch"] for one in told("out")["results"]] == 2 * [3, 4]


@SLOW
def test_explainers_of_the_model_alone_and_grids_of_maps_have_epochs_too():
    watched = ExplainCallback(photos((9, 9)), ["kernels", "activations"], layer="conv", preprocess="none", out="out")
    fitted(unbuilt, watched)

    run = told("out")
    assert [(one["explainer"], one["epoch"]) for one in run["results"]] == [
        ("kernels", 1), ("kernels", 2), ("activations", 1), ("activations", 2),
    ]  # fmt: skip
    assert {"unbuilt.kernels.conv.epoch-001.png", "unbuilt.kernels.conv.epoch-002.npy"} <= set(run["files"])

    alone = ExplainCallback(None, "kernels", layer="conv", preprocess="none", out="alone")
    fitted(unbuilt, alone)
    assert [one["image"] for one in told("alone")["results"]] == [None, None]


@SLOW
def test_without_a_name_the_folder_is_numbered():
    for _ in range(2):
        fitted(unbuilt, ExplainCallback(photos(), preprocess="none"), epochs=1)

    assert {path.name for path in Path("xcnn-out").iterdir()} == {"training", "training-2"}


@SLOW
def test_a_picture_that_is_gone_at_the_end_was_read_at_the_beginning(photo):
    path = photo("a.png")
    gone = keras.callbacks.LambdaCallback(on_epoch_begin=lambda epoch, logs: Path(path).unlink(missing_ok=True))

    watched = ExplainCallback(path, preprocess="none", out="out")
    fitted(unbuilt, watched, gone)

    assert [one["image"]["path"] for one in told("out")["results"]] == ["a.png", "a.png"]


@SLOW
def test_a_run_shows_itself_with_its_epochs_while_it_is_trained_and_after():
    shown = []
    watched = ExplainCallback(photos((9, 9)), preprocess="none")
    looking = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: shown.append(watched.run._repr_html_()))
    fitted(unbuilt, watched, looking)

    assert ["epoch 1" in shown[0], "epoch 2" in shown[0], shown[0].count("<img")] == [True, False, 1]
    assert watched.run._repr_html_() == shown[1]
    assert shown[1].count("<img") == 2


def test_a_report_made_again_has_the_same_epochs():
    watched = ExplainCallback(photos(), preprocess="none", out="out")
    fitted(unbuilt, watched)

    xcnn.join_reports(["out"], "again")

    old, new = told("out"), told("again")
    for key in ("results", "epochs", "sections", "failures"):
        assert new[key] == old[key]


@SLOW
def test_the_first_maps_are_there_for_tensorboard(own_folder):
    watched = ExplainCallback(
        photos((9, 9), (30, 20)),
        ["gradcam", "saliency"],
        preprocess="none",
        out="out",
        log_dir="logs",
        target=["top", 1],
    )
    fitted(unbuilt, watched)

    (events,) = Path("logs").glob("events.out.tfevents.*")
    seen = {}
    for record in tf.data.TFRecordDataset(str(events)):
        event = tf.compat.v1.Event.FromString(record.numpy())
        for value in event.summary.value:
            assert value.metadata.plugin_data.plugin_name == "images"
            width, height, data = value.tensor.string_val
            picture = tf.io.decode_png(data).numpy()
            assert picture.shape == (int(height), int(width), 3)
            seen[value.tag, event.step] = picture
    tags = [f"{name}/array-{at}{more}" for name in ("gradcam", "saliency") for at in (0, 1) for more in ("", "-2")]
    assert sorted(seen) == sorted((tag, step) for tag in tags for step in (1, 2))
    assert seen["gradcam/array-1", 1].shape == (224, 149, 3)
    assert not np.array_equal(seen["saliency/array-0", 1], seen["saliency/array-0", 2])


# --- what goes wrong -------------------------------------------------------------------------------------------------


def begun(build=nested, **options):
    """Try to train; return what stood in the way, and how many batches there were until then."""
    batches = []

    class Counting(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            batches.append(batch)

    images, explainer = options.pop("images", photos()), options.pop("explainer", "gradcam")
    watched = ExplainCallback(images, explainer, **{"preprocess": "none", **options})
    with pytest.raises(XcnnError) as caught:
        fitted(build, watched, Counting())
    return caught.value, len(batches)


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"layer": "convv"}, LayerError, "has no layer 'convv'"),
        ({"target": 9}, TargetError, "9"),
        ({"target": "dog", "labels": ["a", "b", "c"]}, TargetError, "dog"),
        ({"images": "missing.png"}, XcnnError, "missing.png"),
        ({"images": [np.zeros((4, 4, 3))]}, XcnnError, "float64"),
        ({"explainer": ["gradcam", "guided", "cam"], "on": "probability"}, MisfitError, "cam"),
        ({"preprocess": "unknown"}, OptionError, "unknown"),
    ],
)  # fmt: skip
def test_what_can_not_work_is_told_before_the_first_epoch(options, kind, words, own_folder):
    error, batches = begun(**options)

    assert isinstance(error, kind)
    assert words in error.message
    assert batches == 0
    assert not list(own_folder.glob("xcnn-out/*"))


def test_what_a_model_can_not_give_that_its_first_batch_builds_is_told_before_the_second():
    error, batches = begun(unbuilt, layer="convv")

    assert isinstance(error, LayerError)
    assert batches == 1


def test_one_damaged_picture_among_good_ones_is_told_before_the_first_epoch(photo):
    Path("bad.png").write_bytes(Path(photo("good.png")).read_bytes()[:200])

    error, batches = begun(images=["good.png", "bad.png"])

    assert "bad.png" in error.message
    assert batches == 0


@pytest.mark.parametrize("options", [{"layers": "conv"}, {"every": 0}, {"mosaic": "2x2"}, {"explainer": "gradcamm"}])
def test_what_is_no_option_is_told_at_once(options):
    with pytest.raises(XcnnError):
        ExplainCallback(photos(), **options)


@SLOW
def test_a_folder_that_exists_is_told_before_the_first_epoch_and_overwritten_only_when_asked_for():
    fitted(unbuilt, ExplainCallback(photos(), preprocess="none", out="out"), epochs=1)

    error, batches = begun(out="out")
    assert isinstance(error, OutputError)
    assert batches == 0

    fitted(unbuilt, ExplainCallback(photos(), preprocess="none", out="out", overwrite=True), epochs=2)
    assert len(told("out")["epochs"]) == 2
    Path("out/mine.txt").write_text("kept")
    error, batches = begun(out="out", overwrite=True)
    assert "mine.txt" in error.message


@dataclass(frozen=True, kw_only=True)
class Unreliable(Explainer):
    """Fails when it is called for the third time: after the second epoch."""

    name: ClassVar[str] = "gradcam"
    calls: ClassVar[list[int]] = [0]
    error: ClassVar[type[BaseException]] = RuntimeError

    def explain(self, network, batch):
        self.calls[0] += 1
        if self.calls[0] == 3:
            raise self.error("out of luck")
        return xcnn.GradCAM().explain(network, batch)


@pytest.mark.parametrize("error", [RuntimeError, pytest.param(MemoryError, marks=SLOW)])
def test_an_explanation_that_fails_is_a_warning_and_a_failure_of_its_epoch(monkeypatch, error):
    monkeypatch.setattr(Unreliable, "calls", [0])
    monkeypatch.setattr(Unreliable, "error", error)
    alone, _ = fitted(unbuilt, epochs=3)
    watched = ExplainCallback(photos((9, 9)), Unreliable(), preprocess="none", out="out")

    with pytest.warns(RuntimeWarning, match="xcnn, epoch 2: .*(out of luck|memory)"):
        model, _ = fitted(unbuilt, watched, epochs=3)

    run = told("out")
    assert [one["epoch"] for one in run["results"]] == [1, 3]
    assert [(one["epoch"], bool(one["message"])) for one in run["failures"]] == [(2, True)]
    assert state(model) == state(alone)


@SLOW
def test_maps_of_a_training_that_diverges_are_failures():
    def broken(epoch, logs):
        if epoch == 1:
            watched.model.set_weights([np.full_like(one, np.nan) for one in watched.model.get_weights()])

    watched = ExplainCallback(photos((9, 9)), preprocess="none", out="out")
    breaking = keras.callbacks.LambdaCallback(on_epoch_end=broken)

    with pytest.warns(RuntimeWarning, match="epoch 2: .*not finite"):
        fitted(unbuilt, breaking, watched, epochs=2)

    run = told("out")
    assert [one["epoch"] for one in run["results"]] == [1]
    assert [one["epoch"] for one in run["failures"]] == [2]


class Stop(keras.callbacks.Callback):
    """Ends a training in the middle of its third epoch."""

    def __init__(self, error):
        super().__init__()
        self.error, self.epoch = error, 0

    def on_epoch_begin(self, epoch, logs=None):
        self.epoch = epoch

    def on_train_batch_end(self, batch, logs=None):
        if self.epoch == 2:
            raise self.error


@SLOW
@pytest.mark.parametrize(("error", "word"), [(KeyboardInterrupt(), "interrupted"), (ValueError("no"), "failed")])
def test_a_training_that_is_ended_inside_with_leaves_its_run(error, word):
    with pytest.raises(type(error)), ExplainCallback(photos(), preprocess="none", out="out") as watched:
        fitted(unbuilt, watched, Stop(error), epochs=5)

    run = told("out")
    assert [one["epoch"] for one in run["results"]] == 2 * [1, 2]
    assert run["warnings"] == [f"{word} before the end: 2 epochs are here"]
    assert watched.report == Path("out/report.html")
    assert not Path("out.partial").exists()


def test_a_training_that_is_ended_leaves_its_epochs_and_a_report_can_be_made_of_them():
    watched = ExplainCallback(photos(), preprocess="none", out="out")
    with pytest.raises(KeyboardInterrupt):
        fitted(unbuilt, watched, Stop(KeyboardInterrupt()), epochs=5)

    assert not Path("out").exists()
    left = sorted(Path("out.partial").iterdir())
    assert [path.name for path in left] == ["epoch-001", "epoch-002"]
    assert not list(Path("out.partial").glob("*/*.png"))
    xcnn.join_reports(left, "joined")
    run = told("joined")
    assert [(one["image"]["path"], one["epoch"]) for one in run["results"]] == [
        ("array-0", 1), ("array-0", 2), ("array-1", 1), ("array-1", 2),
    ]  # fmt: skip
    assert [one["epoch"] for one in run["epochs"]] == [1, 2]

    assert watched.close() == Path("out/report.html")
    assert [one["panels"][0]["maximum"] for one in told("out")["results"]] == [
        one["panels"][0]["maximum"] for one in run["results"]
    ]
    assert not Path("out.partial").exists()
    assert watched.close() == watched.report


@SLOW
def test_epochs_that_a_training_left_are_overwritten_only_when_asked_for():
    with pytest.raises(ValueError, match="no"):
        fitted(unbuilt, ExplainCallback(photos(), preprocess="none", out="out"), Stop(ValueError("no")), epochs=5)

    error, batches = begun(out="out")
    assert isinstance(error, OutputError)
    assert "out.partial" in error.message
    assert "xcnn report out.partial/*" in error.hint
    assert batches == 0

    Path("out.partial/mine.txt").write_text("kept")
    error, _ = begun(out="out", overwrite=True)
    assert "mine.txt" in error.message
    Path("out.partial/mine.txt").unlink()
    fitted(unbuilt, ExplainCallback(photos(), preprocess="none", out="out", overwrite=True), epochs=1)
    assert len(told("out")["epochs"]) == 1
    assert not Path("out.partial").exists()


def test_a_folder_that_can_not_be_written_at_the_end_costs_neither_history_nor_epochs():
    watched = ExplainCallback(photos(), preprocess="none", out="out")
    appearing = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: Path("out").mkdir(exist_ok=True))

    with pytest.warns(RuntimeWarning, match="could not write the run: out already exists"):
        _, history = fitted(unbuilt, watched, appearing)

    assert len(history["loss"]) == 2
    assert len(list(Path("out.partial").iterdir())) == 2
    Path("out").rmdir()
    assert watched.close() == Path("out/report.html")


def test_what_ended_a_training_is_not_hidden_by_a_folder_that_can_not_be_written():
    appearing = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: Path("out").mkdir(exist_ok=True))

    with pytest.warns(RuntimeWarning, match="could not write the run"), pytest.raises(KeyboardInterrupt):  # noqa: SIM117
        with ExplainCallback(photos(), preprocess="none", out="out") as watched:
            fitted(unbuilt, watched, appearing, Stop(KeyboardInterrupt()), epochs=5)

    assert len(list(Path("out.partial").iterdir())) == 2


@SLOW
def test_a_callback_serves_one_training_after_the_other():
    watched = ExplainCallback(photos(), preprocess="none")
    fitted(unbuilt, watched, epochs=1)
    fitted(augmented, watched, epochs=2)

    assert [told(f"xcnn-out/{name}")["model"]["name"] for name in ("training", "training-2")] == [
        "unbuilt",
        "augmented",
    ]
    assert len(watched.run.results) == 4


def test_before_a_training_there_is_no_run():
    watched = ExplainCallback(photos())

    assert watched.close() is None
    with pytest.raises(OptionError, match="before a training begins"):
        _ = watched.run


@pytest.mark.filterwarnings("ignore:.shuffle=True. was passed")
def test_the_readme_trains_as_written(photo):
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    (code,) = re.findall(r"```python\n(from xcnn.callbacks.*?)```", readme, re.DOTALL)
    photo("photos/a.png")
    model = keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            keras.layers.Conv2D(2, 3, activation="relu", name="conv2"),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(2, activation="softmax"),
        ]
    )
    model.compile("sgd", "sparse_categorical_crossentropy")
    found = {"model": model, "data": tf.data.Dataset.from_tensors((tf.zeros([1, SIZE, SIZE, 3]), tf.zeros([1])))}

    exec(code, found)  # noqa: S102 (our own)

    assert found["watched"].report == Path("xcnn-out/cats/report.html")
    assert len(told("xcnn-out/cats")["results"]) == 10
