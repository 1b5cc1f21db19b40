"""Kernels: the weights of convolutions as tiles."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeNetwork

from xcnn import Kernels
from xcnn.errors import LayerError, OptionError
from xcnn.plugin import Layer

RNG = np.random.default_rng(0)


class ConvolvedNetwork(FakeNetwork):
    """Layers with given kernels, each (height, width, channels in, channels out); None for a layer of another kind."""

    def __init__(self, colours="rgb", **kernels):
        super().__init__()
        self.colours = colours
        self.weights = kernels

    def layers(self):
        return tuple(Layer(path, "Conv2D", (4, 4, 1), leaf=True) for path in self.weights)

    def kernels(self, layer):
        if self.weights.get(layer) is None:
            raise LayerError(f"layer {layer!r} is no convolution")
        return np.asarray(self.weights[layer], np.float32)


def explained(explainer, network):
    return explainer.explain(network, rng=np.random.default_rng(0), progress=lambda *_: None)


def test_three_input_channels_are_the_colours_of_one_tile_per_output_channel():
    weights = RNG.normal(size=(5, 3, 3, 7)).astype(np.float32)

    (panel,) = explained(Kernels(), ConvolvedNetwork(conv=weights))

    assert panel.values.shape == (7, 5, 3, 3)
    for out in range(7):
        np.testing.assert_array_equal(panel.values[out], weights[:, :, :, out])
    assert panel.captions == tuple("0123456")
    assert (panel.sign, panel.unit, panel.layer, panel.scale) == ("signed", "weight", "conv", "each")
    assert panel.notes == ("red, green and blue are input channels 0, 1 and 2",)


def test_of_a_network_that_takes_blue_first_blue_is_drawn_blue():
    weights = np.zeros((1, 1, 3, 1), np.float32)
    weights[0, 0, 0, 0] = 1

    (panel,) = explained(Kernels(), ConvolvedNetwork("bgr", conv=weights))

    np.testing.assert_array_equal(panel.values[0, 0, 0], [0, 0, 1])
    assert panel.notes == ("red, green and blue are input channels 2, 1 and 0",)


def test_other_input_channels_have_a_tile_each():
    weights = RNG.normal(size=(3, 2, 2, 4)).astype(np.float32)

    (panel,) = explained(Kernels(), ConvolvedNetwork(conv=weights))

    assert panel.values.shape == (8, 3, 2)
    assert panel.captions == ("0/0", "0/1", "1/0", "1/1", "2/0", "2/1", "3/0", "3/1")
    for tile, caption in zip(panel.values, panel.captions, strict=True):
        out, one = map(int, caption.split("/"))
        np.testing.assert_array_equal(tile, weights[:, :, one, out])
    assert panel.columns == 2


def test_a_gray_network_has_one_tile_per_output_channel():
    (panel,) = explained(Kernels(), ConvolvedNetwork(conv=RNG.normal(size=(3, 3, 1, 20))))

    assert panel.values.shape == (20, 3, 3)
    assert panel.columns == 0


@pytest.mark.parametrize(
    ("shape", "shown"),
    [((3, 3, 64, 64), (16, 16)), ((3, 3, 16, 16), (16, 16)), ((3, 3, 2, 500), (128, 2)), ((3, 3, 500, 1), (1, 256))],
)
def test_no_more_tiles_than_can_be_seen_are_shown_and_what_is_left_out_is_said(shape, shown):
    (panel,) = explained(Kernels(), ConvolvedNetwork(conv=np.zeros(shape)))

    outs, ins = shown
    assert len(panel.values) == len(panel.captions) == outs * ins
    said = " ".join(panel.notes)
    assert (f"{outs} of {shape[3]} output channels are shown: choose others with --channels" in said) == (
        outs < shape[3]
    )
    assert (f"{ins} of {shape[2]} input channels are shown: choose others with --in-channels" in said) == (
        ins < shape[2]
    )


def test_channels_can_be_chosen_on_both_sides():
    weights = RNG.normal(size=(3, 3, 64, 64)).astype(np.float32)

    (panel,) = explained(Kernels(channels="63,0-1", in_channels="9,5"), ConvolvedNetwork(conv=weights))

    assert panel.captions == ("63/9", "63/5", "0/9", "0/5", "1/9", "1/5")
    np.testing.assert_array_equal(panel.values[1], weights[:, :, 5, 63])


def test_one_colour_alone_can_be_looked_at():
    weights = RNG.normal(size=(3, 3, 3, 2)).astype(np.float32)

    (panel,) = explained(Kernels(in_channels="1"), ConvolvedNetwork(conv=weights))

    assert panel.values.shape == (2, 3, 3)
    np.testing.assert_array_equal(panel.values[1], weights[:, :, 1, 1])


@pytest.mark.parametrize(
    ("option", "words"),
    [
        ({"channels": "64"}, "--channels: there is no channel 64; there are 64, 0 to 63"),
        ({"in_channels": "0-8"}, "--in-channels: there is no channel 8; there are 8, 0 to 7"),
        ({"channels": "first"}, "--channels: 'first' is neither a channel nor a range like 0-63"),
    ],
)
def test_channels_that_do_not_exist_are_refused(option, words):
    with pytest.raises(OptionError, match=words):
        explained(Kernels(**option), ConvolvedNetwork(conv=np.zeros((3, 3, 8, 64))))


def test_a_convolution_of_one_pixel_is_a_matrix():
    weights = RNG.normal(size=(1, 1, 40, 20)).astype(np.float32)

    (panel,) = explained(Kernels(), ConvolvedNetwork(conv=weights))

    assert panel.values.shape == (1, 20, 40)
    for out in range(20):
        for one in range(40):
            assert panel.values[0, out, one] == weights[0, 0, one, out]
    assert panel.captions == ("20 x 40",)
    assert "each row is an output channel" in panel.notes[0]


def test_the_first_convolution_is_shown_unless_layers_are_named():
    network = ConvolvedNetwork(pool=None, conv1=np.ones((3, 3, 3, 1)), conv2=np.ones((3, 3, 1, 1)))

    assert [panel.layer for panel in explained(Kernels(), network)] == ["conv1"]
    assert Kernels().picks(network).value == "conv1"
    assert [panel.layer for panel in explained(Kernels(layer="conv2,conv1"), network)] == ["conv2", "conv1"]
    with pytest.raises(LayerError, match="'pool' is no convolution"):
        explained(Kernels(layer="pool"), network)


def test_kernels_of_zeros_are_marked():
    weights = np.ones((3, 3, 3, 3))
    weights[..., 1] = 0

    (panel,) = explained(Kernels(), ConvolvedNetwork(conv=weights))
    (whole,) = explained(Kernels(), ConvolvedNetwork(conv=weights[..., :1]))

    assert panel.marks == ("", "zero", "")
    assert whole.marks == ()


def test_a_network_without_convolutions_does_not_fit():
    network = ConvolvedNetwork(dense=None)

    assert Kernels().fits(network) == "fake has no convolution"
    with pytest.raises(LayerError, match="fake has no convolution"):
        Kernels().picks(network)
    with pytest.raises(LayerError, match="fake has no convolution"):
        explained(Kernels(), network)
    assert Kernels().fits(ConvolvedNetwork(conv=np.ones((3, 3, 3, 1)))) is None


@pytest.mark.parametrize(("scaling", "scale"), [("kernel", "each"), ("layer", "shared")])
def test_tiles_are_scaled_each_or_all_together(scaling, scale):
    (panel,) = explained(Kernels(scaling=scaling), ConvolvedNetwork(conv=np.ones((3, 3, 3, 1))))

    assert panel.scale == scale


@pytest.mark.keras
def test_they_are_the_weights_of_the_keras_layer():
    import nets

    import xcnn

    model = nets.nested()
    network = xcnn.open_network(model, preprocess="caffe")

    first, second = explained(Kernels(layer="conv1,conv2"), network)

    base = model.get_layer("base")
    conv1, conv2 = (base.get_layer(name).get_weights()[0] for name in ("conv1", "conv2"))
    np.testing.assert_array_equal(first.values, conv1.transpose(3, 0, 1, 2)[..., ::-1])
    np.testing.assert_array_equal(second.values[6 * 5 + 2], conv2[:, :, 2, 5])
    assert explained(Kernels(), network)[0].layer == "base/conv1"
