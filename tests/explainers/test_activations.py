"""Feature maps: the layers' own outputs, as grids."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

from xcnn import Activations
from xcnn.errors import LayerError, OptionError
from xcnn.plugin import Layer

RNG = np.random.default_rng(0)


class LayeredNetwork(FakeNetwork):
    """Layers with given maps, each (h, w, channels), times the mean of the picture."""

    def __init__(self, **stacks):
        super().__init__()
        self.stacks = {path: np.asarray(stack, np.float32) for path, stack in stacks.items()}

    def maps(self):
        return tuple(Layer(path, "Conv2D", stack.shape, leaf=True) for path, stack in self.stacks.items())

    def activations(self, inputs, layers):
        if unknown := [layer for layer in layers if layer not in self.stacks]:
            raise LayerError(f"fake has no layer {unknown[0]!r}")
        means = inputs.mean(axis=(1, 2, 3), keepdims=True)
        return {layer: self.stacks[layer][None] * means for layer in layers}


def explained(explainer, network, *shapes, wanted=("top",)):
    batch = network.batch(pictures(*(shapes or [network.input_size])), list(wanted), np.random.default_rng(0))
    return batch, explainer.explain(network, batch)


def grids(row):
    return [panel for panel in row if not panel.overlaid]


def test_each_channel_is_a_tile_with_its_number():
    stack = RNG.uniform(0.1, 1, (2, 3, 5))
    batch, (row,) = explained(Activations(), LayeredNetwork(conv=stack))

    grid = row[0]
    for channel in range(5):
        for y in range(2):
            for x in range(3):
                expected = stack[y, x, channel] * batch.inputs.mean()
                assert grid.values[channel, y, x] == pytest.approx(expected, rel=1e-5)
    assert grid.captions == ("0", "1", "2", "3", "4")
    assert (grid.sign, grid.unit, grid.layer, grid.columns, grid.marks) == ("positive", "activation", "conv", 5, ())


@pytest.mark.parametrize(("channels", "columns"), [(16, 16), (17, 16), (40, 16), (3, 3)])
def test_all_channels_are_there_also_when_they_fill_no_whole_rows(channels, columns):
    _, (row,) = explained(Activations(), LayeredNetwork(conv=RNG.uniform(size=(2, 2, channels))))

    assert len(row[0].values) == len(row[0].captions) == channels
    assert row[0].columns == columns


def test_columns_can_be_chosen():
    _, (row,) = explained(Activations(columns=3), LayeredNetwork(conv=RNG.uniform(size=(2, 2, 8))))

    assert row[0].columns == 3


def test_there_is_one_result_per_image_whatever_the_targets():
    assert not Activations.per_target
    _, rows = explained(Activations(), LayeredNetwork(conv=np.ones((2, 2, 1))), (4, 4), (4, 4), wanted=["top", "0"])

    assert len(rows) == 2


def test_a_batch_is_explained_like_its_images_one_by_one():
    network = LayeredNetwork(conv=RNG.normal(size=(2, 3, 4)))
    batch, together = explained(Activations(), network, (4, 4), (4, 4))

    for image in range(2):
        (alone,) = Activations().explain(network, replace(batch, pixels=batch.pixels[[image]]))
        for one, many in zip(alone, together[image], strict=True):
            np.testing.assert_allclose(one.values, many.values, rtol=1e-6)
            assert one.captions == many.captions


def test_the_first_layers_are_shown_and_the_others_counted():
    network = LayeredNetwork(**{f"conv{number}": RNG.uniform(size=(2, 2, 2)) for number in range(11)})

    _, (eight,) = explained(Activations(), network)
    _, (two,) = explained(Activations(max_layers=2), network)
    _, (every,) = explained(Activations(max_layers=11), network)

    assert [panel.layer for panel in grids(eight)] == [f"conv{number}" for number in range(8)]
    assert grids(eight)[0].notes == ("3 more layers with maps are not shown: choose some with --layer",)
    assert not any(panel.notes for panel in eight[1:])
    assert [panel.layer for panel in grids(two)] == ["conv0", "conv1"]
    assert not any(panel.notes for panel in every)


def test_layers_that_are_named_are_all_shown():
    network = LayeredNetwork(a=np.ones((2, 2, 1)), b=RNG.uniform(size=(2, 2, 1)), c=RNG.uniform(size=(2, 2, 1)))

    _, (row,) = explained(Activations(layer="c, b", max_layers=1), network)

    assert [panel.layer for panel in grids(row)] == ["c", "b"]
    assert not any(panel.notes for panel in row)


def test_channels_with_one_value_everywhere_are_marked_dead():
    stack = RNG.uniform(0.1, 1, (2, 2, 4))
    stack[..., 1] = 0
    stack[..., 3] = 0.5

    _, (row,) = explained(Activations(), LayeredNetwork(conv=stack))

    assert row[0].marks == ("", "dead", "", "dead")
    assert row[0].notes == ("2 of 4 channels are dead on this picture: one value everywhere",)
    assert row[1].captions == ("0", "2") if stack[..., 0].mean() > stack[..., 2].mean() else ("2", "0")


def test_a_layer_that_is_dead_altogether_has_no_strongest_channel():
    _, (row,) = explained(Activations(), LayeredNetwork(conv=np.zeros((2, 2, 3))))

    assert len(row) == 1
    assert row[0].marks == ("dead",) * 3
    assert (row[0].values == 0).all()


def test_the_strongest_channels_lie_over_the_picture_the_strongest_first():
    stack = np.stack([np.array([[0, mean * 2.0]]) for mean in (1, 5, 3, 4)], axis=2)

    batch, (row,) = explained(Activations(strongest=3), LayeredNetwork(conv=stack))

    strip = row[1]
    assert (strip.captions, strip.columns, strip.overlaid) == (("1", "3", "2"), 3, True)
    assert (strip.title, strip.layer) == ("strongest channels", "conv")
    np.testing.assert_allclose(strip.values[0], stack[..., 1] * batch.inputs.mean(), rtol=1e-6)


def test_without_strongest_channels_there_is_the_grid_alone():
    _, (row,) = explained(Activations(strongest=0), LayeredNetwork(conv=RNG.uniform(size=(2, 2, 8))))

    assert len(row) == 1


@pytest.mark.parametrize(
    ("scaling", "scale", "deviation"),
    [("classic", "standard", 0.25), ("channel", "each", 0.25), ("layer", "shared", 0.25)],
)
def test_the_scaling_is_left_to_the_picture(scaling, scale, deviation):
    network = LayeredNetwork(conv=RNG.normal(size=(2, 2, 3)))

    _, (row,) = explained(Activations(scaling=scaling), network)
    _, (default,) = explained(Activations(), network)

    assert (row[0].scale, row[0].deviation, row[0].sign) == (scale, deviation, "signed")
    assert default[0].scale == "standard"
    np.testing.assert_array_equal(row[0].values, default[0].values)


def test_values_that_are_not_finite_stay_so_and_are_not_called_dead():
    stack = np.ones((2, 2, 2))
    stack[0, 0, 0] = np.nan

    _, (row,) = explained(Activations(), LayeredNetwork(conv=stack))

    assert np.isnan(row[0].values[0, 0, 0])
    assert row[0].marks == ("", "dead")
    assert row[0].layer == "conv"


def test_a_network_without_maps_does_not_fit():
    assert Activations().fits(LayeredNetwork(conv=np.ones((2, 2, 1)))) is None
    assert Activations().fits(LayeredNetwork()) == "fake has no layer with a map of more than one position"


@pytest.mark.parametrize("option", [{"columns": 0}, {"max_layers": 0}, {"strongest": -1}, {"scaling": "jet"}])
def test_options_out_of_range_are_refused(option):
    with pytest.raises(OptionError, match=f"--{next(iter(option)).replace('_', '-')} is"):
        Activations(**option)


@pytest.mark.keras
@pytest.mark.parametrize("twin", ["flat", "nested", "doubly_nested", "subclassed"])
def test_they_are_the_layers_own_outputs(twin):
    import keras
    import nets

    import xcnn

    base = nets.body()
    network = xcnn.open_network(getattr(nets, twin)(), preprocess="unit")

    batch, rows = explained(Activations(), network, (24, 24), (30, 20))

    names = [panel.layer.rpartition("/")[2] for panel in grids(rows[0])]
    assert names == ["conv1", "pool1", "conv2", "bn2", "act2"]
    outputs = keras.Model(base.input, [base.get_layer(name).output for name in names]).predict(batch.inputs, verbose=0)
    for image, row in enumerate(rows):
        for panel, expected in zip(grids(row), outputs, strict=True):
            np.testing.assert_allclose(panel.values, expected[image].transpose(2, 0, 1), rtol=1e-4, atol=1e-5)


@pytest.mark.keras
def test_a_glob_chooses_layers_of_a_keras_model():
    import nets

    import xcnn

    network = xcnn.open_network(nets.flat(), preprocess="unit")

    _, (row,) = explained(Activations(layer="conv*"), network, (24, 24))

    assert [panel.layer for panel in grids(row)] == ["conv1", "conv2"]
