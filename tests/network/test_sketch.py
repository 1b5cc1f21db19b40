import subprocess
import sys
from pathlib import Path

import pytest

from xcnn.network import preflight
from xcnn.network.sketch import complete, sketch

FILES = Path(__file__).parents[1] / "files"


def compared(model, path):
    """What a trace says of each layer, and what the file says; parameters as Keras counts them."""
    import xcnn

    traced = xcnn.open_network(model).layers()
    entries = sketch(preflight.inspect(path))
    return [(layer.path, layer.kind, layer.shape, not layer.leaf) for layer in traced], [
        (entry.path, entry.kind, entry.shape, not entry.leaf) for entry in entries
    ]


def parameters(model, path):
    """The parameters of each layer by its path without the number of the call: as Keras and as the file has them."""
    own = {}

    def walk(layer, prefix):
        for inner in getattr(layer, "layers", []):
            own[f"{prefix}{inner.name}"] = inner.count_params()
            walk(inner, f"{prefix}{inner.name}/")

    walk(model, "")
    found = {entry.path.partition("[")[0]: entry.parameters for entry in sketch(preflight.inspect(path))}
    return {path: count for path, count in own.items() if path in found}, found


def odd():
    """Shared layers, operations, a branch, separable and transposed convolutions, an activation that is a layer."""
    import keras
    from keras import layers

    pixels = keras.Input((17, 16, 3), name="pixels")
    conv = layers.Conv2D(3, 3, padding="same", name="conv")
    x = conv(conv(pixels / 127.5 - 1.0))
    x = layers.PReLU(shared_axes=[1, 2], name="prelu")(x)
    y = layers.SeparableConv2D(5, (3, 2), strides=2, padding="same", name="separable")(pixels)
    y = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same", name="depthwise")(y)
    y = layers.Conv2DTranspose(4, 3, strides=2, name="transposed")(y)
    y = layers.Cropping2D(((1, 1), (0, 1)), name="cropped")(y)
    z = layers.Concatenate(name="joined")([x, y])
    z = layers.ZeroPadding2D((1, 2), name="padded")(z)
    z = layers.UpSampling2D(2, interpolation="bilinear", name="larger")(z)
    z = layers.AveragePooling2D(3, 2, name="pooled")(z)
    z = layers.LayerNormalization(name="norm")(z)
    z = layers.Reshape((-1, 7), name="reshaped")(z)
    z = layers.LSTM(4, name="lstm")(z)
    z = layers.Dense(3, activation=layers.LeakyReLU(name="leaky"), name="dense")(z)
    return keras.Model(pixels, z, name="odd")


NETS = ("flat", "nested", "doubly_nested", "siamese", "siamese_flat", "mnist", "one_conv", "odd")


@pytest.mark.keras
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", NETS)
def test_a_sketch_has_the_layers_of_the_trace_in_their_order(name, suffix, tmp_path):
    import nets

    model = odd() if name == "odd" else getattr(nets, name)()
    model.save(tmp_path / f"model{suffix}")

    traced, sketched = compared(model, tmp_path / f"model{suffix}")

    # The trace sees the cell that a recurrent layer runs, the file does not.
    assert sketched == [
        (*row[:3], False) if row[0] == "lstm" else row for row in traced if not row[0].startswith("lstm/")
    ]


@pytest.mark.keras
@pytest.mark.parametrize("suffix", [".keras", ".h5"])
@pytest.mark.parametrize("name", NETS)
def test_a_sketch_counts_parameters_as_keras_does(name, suffix, tmp_path):
    import nets

    model = odd() if name == "odd" else getattr(nets, name)()
    model.save(tmp_path / f"model{suffix}")

    own, found = parameters(model, tmp_path / f"model{suffix}")

    assert {path: found[path] for path in own} == own


@pytest.mark.keras
def test_parameters_are_inferred_where_the_file_has_no_arrays(tmp_path):
    import dataclasses

    model = odd()
    model.save(tmp_path / "model.keras")
    file = dataclasses.replace(preflight.inspect(tmp_path / "model.keras"), shapes={})

    found = {entry.path.partition("[")[0]: entry.parameters for entry in sketch(file)}

    assert found == parameters(model, tmp_path / "model.keras")[0] | {"dense/leaky": 0}


def test_a_file_of_keras_2_is_sketched_without_tensorflow():
    code = """
from pathlib import Path
import sys
from xcnn.network import preflight, sketch
for entry in sketch.sketch(preflight.inspect(Path(sys.argv[1]), hashed=False)):
    print(entry.path, entry.kind, *entry.shape, entry.parameters, entry.activation or "-")
assert not {"tensorflow", "keras"} & set(sys.modules)
"""
    words = [sys.executable, "-c", code, FILES / "keras2_functional.h5"]
    done = subprocess.run(words, capture_output=True, text=True, check=True)

    assert done.stdout.splitlines() == [
        "conv1 Conv2D 16 16 4 112 relu",
        "pool MaxPooling2D 8 8 4 0 -",
        "conv2 Conv2D 8 8 6 222 relu",
        "gap GlobalAveragePooling2D 6 0 -",
        "predictions Dense 3 21 softmax",
    ]


def test_completion_lists_layers_with_a_map():
    file = str(FILES / "keras2_functional.h5")

    assert complete(file, "") == ["conv1", "pool", "conv2"]
    assert complete(file, "pool,con") == ["pool,conv1", "pool,conv2"]
    assert complete(file, "dense") == []


@pytest.mark.parametrize("file", ["missing.keras", "", "\0", ".", "/dev/null", "vgg16"])
def test_completion_of_what_is_no_file_is_empty_and_silent(file, capfd):
    assert complete(file, "c") == []
    assert capfd.readouterr() == ("", "")
