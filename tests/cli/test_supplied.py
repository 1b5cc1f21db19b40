"""What a model file needs beside Keras: classes of the user, of a plugin, and trust in the file's own code."""

from __future__ import annotations

import hashlib
import json
import sys
from pathlib import Path

import keras
import nets
import numpy as np
import pytest

import xcnn
from xcnn.errors import PluginError
from xcnn.host import Host

pytestmark = pytest.mark.keras
SAMPLES = Path(__file__).parent.parent.parent / "samples"
CAT = SAMPLES / "cat.jpg"

MODULE = """
import keras


class Twice(keras.layers.Layer):
    def call(self, x):
        return x * 2.0


class Net(keras.Model):
    def __init__(self, classes=3, **more):
        super().__init__(**more)
        self.classes = classes
        self.conv = keras.layers.Conv2D(4, 3, activation="relu", name="conv")
        self.gap = keras.layers.GlobalAveragePooling2D(name="gap")
        self.dense = keras.layers.Dense(classes, activation="softmax", name="dense")

    def call(self, x):
        return self.dense(self.gap(self.conv(x)))

    def get_config(self):
        return {**super().get_config(), "classes": self.classes}
"""


@pytest.fixture
def mine(own_folder, monkeypatch):
    """A module of the user's in the current folder, imported once to save models with it and then forgotten."""
    (own_folder / "mine.py").write_text(MODULE)
    monkeypatch.syspath_prepend(own_folder)
    module = __import__("mine")
    yield module
    sys.modules.pop("mine", None)


def forget(monkeypatch, own_folder):
    sys.modules.pop("mine", None)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry not in {str(own_folder), ""}])


def trust(path):
    return f"sha256:{hashlib.sha256(Path(path).read_bytes()).hexdigest()}"


def test_a_custom_layer_is_named_and_then_supplied_from_the_current_folder(command, mine, monkeypatch, own_folder):
    base = nets.flat()
    keras.Model(base.inputs, mine.Twice(name="twice")(base.outputs[0])).save("custom.keras")
    forget(monkeypatch, own_folder)

    without = command("gradcam", "custom.keras", CAT, "--out", "a")
    supplied = command("gradcam", "custom.keras", CAT, "--out", "b", "--custom-objects", "mine:Twice")

    assert without[0] == 3
    assert "custom.keras needs a class that Keras doesn't have: Twice" in without[2]
    assert "--custom-objects module:Class" in without[2]
    assert supplied[0] == 0, supplied[2]
    assert str(own_folder) not in sys.path


def test_a_subclassed_model_is_explained_with_its_class(command, mine, monkeypatch, own_folder):
    model = mine.Net(name="own")
    model(np.zeros((1, 16, 16, 3), np.float32))
    model.save("net.keras")
    forget(monkeypatch, own_folder)

    code, _, err = command("gradcam", "net.keras", CAT, "--out", "run", "--custom-objects", "mine:Net")

    assert code == 0, err
    assert "layer: conv, the last layer with a map (14x14)" in err


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("nothing:Twice", "there is no module 'nothing'"),
        ("mine:Twize", "the module 'mine' has no 'Twize'"),
        ("mine", "names no custom object"),
    ],
)
def test_a_class_that_cannot_be_had_is_said_in_words(command, mine, word, said):
    base = nets.flat()
    name = word.partition(":")[2] or "Twice"
    layer = type(name, (mine.Twice,), {})(name="twice")
    keras.Model(base.inputs, layer(base.outputs[0])).save("custom.keras")

    code, _, err = command("gradcam", "custom.keras", CAT, "--custom-objects", word)

    assert code == 2, err
    assert said in err


def test_a_plugin_brings_the_classes_that_a_file_needs(mine, own_folder, monkeypatch):
    from xcnn.plugin import hookimpl

    class Extension:
        @hookimpl
        def xcnn_custom_objects(self):
            return {"Twice": mine.Twice}

    base = nets.flat()
    keras.Model(base.inputs, mine.Twice(name="twice")(base.outputs[0])).save("custom.keras")
    host = Host()
    host._manager.register(Extension())

    assert host.custom_objects() == {"Twice": mine.Twice}

    host._manager.register(_Other())
    with pytest.raises(PluginError, match="both bring one of the custom objects named 'Twice'"):
        host.custom_objects()


class _Other:
    from xcnn.plugin import hookimpl

    @hookimpl
    def xcnn_custom_objects(self):
        return {"Twice": object}


@pytest.mark.parametrize("suffix", [".keras", ".h5"])
def test_a_lambda_that_preprocesses_is_refused_and_explained_when_its_file_is_trusted(command, own_folder, suffix):
    pixels = keras.Input((24, 24, 3))
    scaled = keras.layers.Lambda(lambda x: x / 127.5 - 1.0, output_shape=(24, 24, 3), name="scale")(pixels)
    model = keras.Model(pixels, nets.flat()(scaled))
    path = f"lambda{suffix}"
    model.save(path)

    refused = command("gradcam", path, CAT, "--out", "a")
    trusted = command("gradcam", path, CAT, "--out", "b", "--trust-model", trust(path))

    assert refused[0] == 4
    assert "layer 'scale' (Lambda) runs Python code stored in the file" in refused[2]
    assert f"--trust-model {trust(path)}" in refused[2]
    assert trusted[0] == 0, trusted[2]
    assert "warning: the model was trusted by its hash: its own code has run" in trusted[2]
    assert "preprocessing: none" in trusted[2]
    report = Path("b/report.html").read_text("utf-8")
    assert '<p class="danger" role="alert"><b>Trusted model.</b>' in report
    assert json.loads(Path("b/run.json").read_text("ascii"))["model"]["trusted"] is True
    network = xcnn.open_network(path, trust_model=trust(path))
    inputs = network.batch([np.zeros((24, 24, 3), np.uint8)], ["top"], np.random.default_rng(0)).inputs
    np.testing.assert_allclose(network.head.probabilities(network.scores(inputs)), np.asarray(model(inputs)), atol=1e-5)


@pytest.mark.parametrize(("word", "said"), [("sha256:" + "0" * 64, "hash"), ("yes", "sha256")])
def test_trust_in_another_file_lets_nothing_run(command, own_folder, word, said):
    pixels = keras.Input((24, 24, 3))
    keras.Model(pixels, nets.flat()(keras.layers.Lambda(lambda x: x, name="code")(pixels))).save("lambda.keras")

    code, _, err = command("gradcam", "lambda.keras", CAT, "--trust-model", word)

    assert code in {2, 3, 4}
    assert said in err


def test_a_model_that_is_not_trusted_shows_no_red_box(command, own_folder):
    nets.nested().save("small.keras")

    command("gradcam", "small.keras", CAT, "--out", "run")

    assert 'class="danger"' not in Path("run/report.html").read_text("utf-8")
