import matplotlib as mpl
import numpy as np
import pytest

from xcnn.report import tints

PALETTE = {"stops": ["#000000", "#ffffff"], "signed_stops": ["#0000ff", "#f7f7f7", "#ff0000"]}


def panel(**changed):
    return {
        "kind": "map",
        "sign": "positive",
        "fine": False,
        "threshold": 0.0,
        "minimum": 0.0,
        "maximum": 2.0,
        "scale": [0.0, 2.0],
    } | changed


def numbers(text):
    return [float(word) for word in text.split()]


@pytest.mark.parametrize(
    ("name", "theirs"), [*((name, name) for name in ("viridis", "turbo", "jet", "gray")), ("diverging", "RdBu_r")]
)
def test_the_palettes_that_can_be_chosen_are_those_of_matplotlib(name, theirs):
    text = tints.PALETTES[name]
    ours = np.array([[int(text[at + part : at + part + 2], 16) for part in (0, 2, 4)] for at in range(0, len(text), 6)])

    expected = np.rint(255 * mpl.colormaps[theirs](np.linspace(0, 1, 256))[np.linspace(0, 255, 33).astype(int), :3])

    np.testing.assert_array_equal(ours, expected)


def test_a_page_has_one_filter_per_kind_of_map():
    maps = [panel(), panel(), panel(fine=True), panel(sign="signed", scale=[-2.0, 2.0]), {"kind": "table"}]

    assert [tint.id for tint in tints.tints(PALETTE, maps)] == [
        "tint-positive",
        "tint-positive-over",
        "tint-signed-over",
    ]


def test_a_positive_map_runs_through_its_palette_and_hides_its_picture():
    (tint,) = tints.tints(PALETTE, [panel()])

    assert numbers(tint.red) == pytest.approx(np.linspace(0, 1, tints.STEPS + 1), abs=1e-3)
    assert tint.alpha == ""


def test_a_signed_map_over_a_picture_is_clear_at_zero_and_never_pale():
    (tint,) = tints.tints(PALETTE, [panel(sign="signed", scale=[-2.0, 2.0])])

    assert numbers(tint.alpha) == [1.0, 0.0, 1.0]
    # Six tenths of the way from the pale middle to blue or red.
    assert max(numbers(tint.green)) == pytest.approx(0.4 * 0xF7 / 255, abs=1e-3)


def test_a_fine_signed_map_stands_alone_in_all_its_colours():
    (tint,) = tints.tints(PALETTE, [panel(sign="signed", scale=[-2.0, 2.0], fine=True)])

    assert tint.alpha == ""
    assert max(numbers(tint.green)) == pytest.approx(0xF7 / 255, abs=1e-3)


@pytest.mark.parametrize(
    ("changed", "cut"),
    [
        ({}, 0),
        ({"threshold": 0.2}, 51),
        ({"threshold": 0.2, "maximum": 1.0}, 26),
        ({"threshold": 0.5, "sign": "signed", "minimum": -2.0, "maximum": 1.0}, 64),
        ({"threshold": 0.2, "maximum": 0.0, "scale": [0.0, 0.0]}, 0),
        ({"threshold": 1e-9}, 1),
    ],
)
def test_a_threshold_hides_what_is_below_its_share_of_the_largest_value_of_the_map_itself(changed, cut):
    assert tints.cut_of(panel(**changed)) == cut
    if cut and changed.get("sign") != "signed":
        (tint,) = tints.tints(PALETTE, [panel(**changed)])
        assert numbers(tint.alpha) == [0.0] * cut + [1.0] * (256 - cut)
