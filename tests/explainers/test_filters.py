"""Filter patterns: which channels are asked for, and how what was found becomes panels."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import FakeNetwork

from xcnn import Filters
from xcnn.errors import LayerError, OptionError
from xcnn.plugin import Layer, Patterns


class AscendingNetwork(FakeNetwork):
    """Ten channels; the activation of each rises to a given height, step by step."""

    def __init__(self, heights=range(10), states=None, colours=3):
        super().__init__()
        self.heights = np.asarray(list(heights), np.float32)
        self.states = states or [""] * len(self.heights)
        self.colours = colours
        self.asked = []

    def layer(self, path):
        if path != "conv":
            raise LayerError(f"fake has no layer {path!r}")
        return Layer("conv", "Conv2D", (4, 4, len(self.heights)), leaf=True)

    def ascend(self, layer, channels, recipe, *, rng, progress):
        self.asked.append((layer, tuple(channels), recipe))
        indices = tuple(7 if channel == "tabby" else channel for channel in channels)
        steps = recipe.steps or 5
        pictures = np.zeros((len(indices), *(recipe.size or (4, 4)), self.colours), np.float32)
        pictures += np.asarray(indices, np.float32).reshape(-1, 1, 1, 1)
        rise = np.linspace(0, 1, steps, dtype=np.float32)
        heights = self.heights[list(indices)]
        progress(1, 1)
        return Patterns(
            pictures,
            losses=heights[:, None] * rise,
            starts=np.zeros(len(indices), np.float32),
            activations=heights,
            channels=indices,
            names=tuple("tabby" if channel == "tabby" else "" for channel in channels),
            states=tuple(self.states[index] for index in indices),
            notes=("the recipe",),
        )


def explained(network, **options):
    return Filters(**options).explain(network, rng=np.random.default_rng(0), progress=lambda *_: None)


def test_the_first_channels_fill_the_grid():
    network = AscendingNetwork()

    tiles, _, table = explained(network, grid="2x3")

    assert network.asked[0][:2] == ("conv", (0, 1, 2, 3, 4, 5))
    assert tiles.captions == tuple("012345")
    assert (tiles.columns, tiles.margin, tiles.layer) == (3, 5, "conv")
    np.testing.assert_array_equal(tiles.values[4], np.full((4, 4, 3), 4))
    assert table.rows[4] == ("4", 0.0, 4.0, "alive")
    assert tiles.marks == ()


def test_more_tiles_than_channels_are_fewer_tiles_and_said_so():
    tiles, *_ = explained(AscendingNetwork(), grid=8)

    assert len(tiles.values) == 10
    assert tiles.columns == 8
    assert tiles.notes == ("8x8 patterns were asked for, but the layer has only 10 channels", "the recipe")


@pytest.mark.parametrize(
    ("words", "channels"),
    [("0,5,9", (0, 5, 9)), ("2-4, 3, 0", (2, 3, 4, 0)), ("tabby", ("tabby",)), (["1", "tabby"], (1, "tabby"))],
)
def test_channels_are_numbers_ranges_and_names(words, channels):
    network = AscendingNetwork()

    explained(network, channels=words)

    assert network.asked[0][1] == channels


def test_a_class_is_captioned_with_its_name():
    tiles, curve, table = explained(AscendingNetwork(), channels="tabby,2")

    assert tiles.captions == ("tabby", "2")
    assert list(curve.series) == ["tabby", "2"]
    assert [row[0] for row in table.rows] == ["tabby", "2"]


@pytest.mark.parametrize("words", ["10", "8-12"])
def test_a_channel_that_does_not_exist_is_refused_with_the_range(words):
    with pytest.raises(OptionError, match=r"--channels: there is no channel 1[02]; there are 10, 0 to 9"):
        explained(AscendingNetwork(), channels=words)


def test_top_channels_are_those_that_rise_highest_in_a_few_steps():
    heights = [5, 1, 9, 0, 7, 2, 8, 3, 6, 4]
    network = AscendingNetwork(heights, states=["", "", "", "", "", "", "diverged", "", "", ""])

    tiles, *_ = explained(network, channels="top", grid="1x3", steps=20)

    assert [(asked[1], asked[2].steps) for asked in network.asked] == [(tuple(range(10)), 8), ((2, 4, 8), 20)]
    assert tiles.captions == ("2", "4", "8")
    assert "rises highest within 8 steps" in tiles.notes[0]


@pytest.mark.parametrize(
    ("recipe", "scale", "colours"), [("fourier", "picture", 3), ("classic", "standard", 3), ("fourier", "picture", 1)]
)
def test_each_recipe_has_its_own_look_and_gray_nets_have_gray_patterns(recipe, scale, colours):
    tiles, *_ = explained(AscendingNetwork(colours=colours), recipe=recipe, channels="3")

    assert (tiles.scale, tiles.deviation, tiles.values.shape) == (scale, 0.1, (1, 4, 4, 3))


def test_dead_and_diverged_channels_are_marked_and_kept_out_of_the_curve():
    network = AscendingNetwork([1, 2, np.nan], states=["", "dead", "diverged"])

    tiles, curve, table = explained(network, grid="1x3")

    assert tiles.marks == ("", "dead", "diverged")
    assert tiles.notes[:2] == (
        "1 of 3 channels: dead: nothing excites them",
        "1 of 3 channels: diverged: the model computes NaN or infinity",
    )
    assert list(curve.series) == ["0", "1"]
    assert table.rows[1:] == (("1", 0.0, 2.0, "dead"), ("2", 0.0, "", "diverged"))


def test_where_everything_diverged_there_is_no_curve():
    panels = explained(AscendingNetwork([np.nan], states=["diverged"]), grid=1)

    assert len(panels) == 2


def test_each_of_many_channels_has_a_curve_of_its_own():
    _, curve, _ = explained(AscendingNetwork(), grid="2x5")

    assert {name: float(values[-1]) for name, values in curve.series.items()} == {str(at): at for at in range(10)}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"grid": "0x8"}, "--grid is 0; it must be 1 or more"),
        ({"grid": "8y8"}, "--grid is '8y8'"),
        ({"steps": 0}, "--steps is 0"),
        ({"recipe": "modern"}, "--recipe is 'modern'"),
        ({"precision": "float16"}, "--precision is 'float16'"),
        ({"size": "0x64"}, "--size is 0"),
    ],
)
def test_options_out_of_range_are_refused(options, words):
    with pytest.raises(OptionError, match=words):
        Filters(**options)


def test_options_reach_the_recipe():
    network = AscendingNetwork()

    explained(network, size="5x6", steps="3", recipe="classic", precision="bfloat16", channels="0")

    recipe = network.asked[0][2]
    assert (recipe.kind, recipe.size, recipe.steps, recipe.precision) == ("classic", (5, 6), 3, "bfloat16")


def test_it_fits_every_network_with_a_map_and_any_when_a_layer_is_named():
    class Flat(FakeNetwork):
        def default_layer(self):
            raise LayerError("fake has no layer with a map")

    assert Filters().fits(Flat()) == "fake has no layer with a map"
    assert Filters(layer="dense").fits(Flat()) is None
    assert Filters().fits(FakeNetwork()) is None


def test_an_unknown_layer_is_refused():
    with pytest.raises(LayerError, match="no layer 'cov'"):
        explained(AscendingNetwork(), layer="cov")
