"""The parts that a picture is cut into, and what hides them."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import LABELS, PICTURE, Toy, drawn, game, of_quarters, patches, weighing

from xcnn.errors import OptionError
from xcnn_perturb import superpixels
from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.lime import LIME


def test_superpixels_are_numbered_without_gaps_and_repeat():
    picture = patches((40, 30), side=5)

    labels = superpixels.segmented(picture, 20)

    assert labels.shape == (40, 30)
    assert labels.max() > 10
    np.testing.assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))
    np.testing.assert_array_equal(labels, superpixels.segmented(picture, 20))


def test_flat_quarters_are_cut_at_their_borders():
    labels = superpixels.segmented(PICTURE, 4)

    assert len({tuple(np.unique(labels[number == LABELS])) for number in range(4)}) == 4
    assert labels.max() == 3


@pytest.mark.parametrize("size", [(64, 64), (30, 47), (9, 8), (2, 2), (1, 3)])
def test_a_small_picture_is_cut_into_as_many_superpixels_as_it_has_room_for(size):
    height, width = size
    (noise,) = drawn(size=size)

    for picture in (noise, np.full_like(noise, 90)):
        made = superpixels.segmented(picture, 2000).max() + 1
        assert height * width // 8 <= made <= max(1, height * width // 4)


@pytest.mark.parametrize("asked", [50, 200, 500, 700, 1000])
def test_about_as_many_superpixels_as_were_asked_for_are_made(asked):
    (picture,) = drawn(size=(64, 64))

    assert 2 / 3 < (superpixels.segmented(picture, asked).max() + 1) / asked < 1.5


@pytest.mark.parametrize("kind", [LIME, KernelSHAP])
def test_a_picture_without_room_for_the_superpixels_asked_for_says_so(kind):
    network, (picture,) = Toy(weighing((12, 10))[0]), drawn()

    crowded, fitting = (
        kind(samples=20, segments=segments).explain(network, network.batch([picture]))[0][0].notes
        for segments in (31, 30)
    )

    assert crowded == ("12x10 pixels have room for about 30 superpixels, not 31", *fitting)


def test_opacity_neither_cuts_nor_is_averaged():
    opaque = np.dstack([PICTURE, np.arange(64, dtype=np.uint8).reshape(8, 8)])

    np.testing.assert_array_equal(superpixels.segmented(opaque, 4), superpixels.segmented(PICTURE, 4))
    np.testing.assert_array_equal(superpixels.averaged(opaque, LABELS), opaque)


def test_the_mean_colour_of_each_superpixel_can_hide_it():
    (picture,) = drawn(size=(8, 8))

    hidden = superpixels.averaged(picture, LABELS)

    for number in range(4):
        np.testing.assert_allclose(hidden[number == LABELS], [picture[number == LABELS].mean(axis=0)] * 16, rtol=1e-6)


@pytest.mark.parametrize("kind", [LIME, KernelSHAP])
def test_a_picture_hidden_by_its_own_flat_quarters_does_not_change(kind):
    network = of_quarters(game)

    shown = kind(segments=4, fill="superpixel", samples=20).explain(network, network.batch([PICTURE]))[0]

    assert not shown[0].values.any()


@pytest.mark.parametrize("kind", [LIME, KernelSHAP])
def test_an_unknown_fill_is_refused_with_all_words(kind):
    with pytest.raises(OptionError, match="--fill is 'white'") as caught:
        kind(fill="white")

    assert caught.value.hint == "one of superpixel, mean, gray, black, blur, #rrggbb"
