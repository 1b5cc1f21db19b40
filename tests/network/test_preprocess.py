import numpy as np
import pytest

from xcnn.network import preprocess
from xcnn.network.affine import Affine
from xcnn.plugin import Preprocessing

MODES = {mode.name: mode for mode in preprocess.BUILTIN}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CAFFE_MEAN = (103.939, 116.779, 123.68)


def pictures(count=2, height=3, width=4):
    return np.random.default_rng(0).integers(0, 256, (count, height, width, 3), np.uint8)


def by_hand(mode, red, green, blue):
    """The input for one pixel, from the definition of each mode."""
    rgb = (red, green, blue)
    return {
        "none": lambda: [float(part) for part in rgb],
        "unit": lambda: [part / 255 for part in rgb],
        "tf": lambda: [part / 127.5 - 1 for part in rgb],
        "caffe": lambda: [part - mean for part, mean in zip((blue, green, red), CAFFE_MEAN, strict=True)],
        "torch": lambda: [(part / 255 - mean) / by for part, mean, by in zip(rgb, MEAN, DEVIATION, strict=True)],
    }[mode]()


def luma(red, green, blue):
    """ITU-R BT.601, rounded as 8-bit pictures are."""
    return round(0.299 * red + 0.587 * green + 0.114 * blue)


@pytest.mark.parametrize("mode", MODES)
def test_each_mode_is_its_formula_pixel_by_pixel(mode):
    pixels = pictures()

    inputs = preprocess.apply(MODES[mode], pixels, channels=3)

    assert inputs.dtype == np.float32
    for index in np.ndindex(pixels.shape[:3]):
        assert inputs[index].tolist() == pytest.approx(by_hand(mode, *pixels[index].tolist()), rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("mode", ["tf", "unit"])
def test_black_and_white_are_the_ends_of_the_range(mode):
    pixels = np.array([0, 255], np.uint8).reshape(1, 1, 2, 1).repeat(3, axis=3)

    inputs = preprocess.apply(MODES[mode], pixels, channels=3)

    assert inputs[0, 0].tolist() == [[-1.0 if mode == "tf" else 0.0] * 3, [1.0] * 3]


def test_a_preprocessing_of_ones_own_has_numbers_for_each_channel_in_the_networks_order():
    mine = Preprocessing("mine", "", channels="bgr", scale=(1.0, 2.0, 3.0), offset=(10.0, 20.0, 30.0))
    pixels = np.array([[[[1, 2, 3]]]], np.uint8)

    inputs = preprocess.apply(mine, pixels, channels=3)

    assert inputs.tolist() == [[[[3 * 1 + 10, 2 * 2 + 20, 1 * 3 + 30]]]]


@pytest.mark.parametrize("mode", ["none", "unit", "tf"])
def test_a_gray_network_receives_the_luma(mode):
    pixels = pictures()

    inputs = preprocess.apply(MODES[mode], pixels, channels=1)

    assert inputs.dtype == np.float32
    assert inputs.shape == (2, 3, 4, 1)
    for index in np.ndindex(pixels.shape[:3]):
        gray = luma(*pixels[index].tolist())
        assert inputs[index].tolist() == pytest.approx(by_hand(mode, gray, gray, gray)[:1], rel=1e-5, abs=1e-5)


def test_a_gray_picture_stays_what_it_is_for_a_gray_network():
    gray = np.arange(256, dtype=np.uint8)

    inputs = preprocess.apply(MODES["none"], gray.reshape(1, 1, 256, 1).repeat(3, axis=3), channels=1)

    assert inputs.ravel().tolist() == gray.tolist()


def test_the_pixels_stay_as_they_were():
    pixels = pictures()
    before = pixels.copy()

    for mode in MODES.values():
        preprocess.apply(mode, pixels, channels=3)

    assert (pixels == before).all()


@pytest.mark.keras
@pytest.mark.parametrize("mode", ["tf", "caffe", "torch"])
def test_each_mode_is_that_of_keras(mode):
    from keras.applications import imagenet_utils

    pixels = pictures(count=2, height=16, width=16)

    expected = imagenet_utils.preprocess_input(pixels.astype(np.float32), data_format="channels_last", mode=mode)

    inputs = preprocess.apply(MODES[mode], pixels, channels=3)
    assert np.abs(inputs - expected).max() <= 1e-5 * np.abs(expected).max()


# Sizes


def test_a_picture_of_twice_the_size_is_averaged_in_squares_of_four():
    pixels = pictures(count=1, height=6, width=8)[0]

    small = preprocess.resize(pixels, (3, 4))

    for y, x in np.ndindex(3, 4):
        exact = pixels[2 * y : 2 * y + 2, 2 * x : 2 * x + 2].astype(float).mean(axis=(0, 1))
        assert np.abs(small[y, x] - exact).max() <= 0.5


def test_a_picture_shrinks_by_area_along_one_side_alone():
    wide = np.array([[[0] * 3, [30] * 3, [90] * 3, [10] * 3, [30] * 3, [20] * 3]] * 2, np.uint8)
    high = wide.swapaxes(0, 1).copy()

    assert preprocess.resize(wide, (2, 2)).tolist() == [[[40] * 3, [20] * 3]] * 2
    assert preprocess.resize(high, (2, 2)).tolist() == [[[40] * 3] * 2, [[20] * 3] * 2]


def test_fine_stripes_become_gray_not_stripes():
    stripes = np.zeros((64, 64, 3), np.uint8)
    stripes[:, ::4] = 200

    assert (preprocess.resize(stripes, (8, 8)) == 50).all()


def test_a_picture_grows_without_new_colours_at_its_corners():
    pixels = np.array([[[0, 0, 0], [100, 0, 0]], [[0, 100, 0], [0, 0, 100]]], np.uint8)

    large = preprocess.resize(pixels, (4, 4))

    corners = [large[y, x].tolist() for y in (0, 3) for x in (0, 3)]
    assert corners == [[0, 0, 0], [100, 0, 0], [0, 100, 0], [0, 0, 100]]
    assert large[0, 1].tolist() == [25, 0, 0]


def test_height_comes_before_width():
    pixels = pictures(count=1, height=10, width=6)[0]

    assert preprocess.resize(pixels, (5, 3)).shape == (5, 3, 3)


def test_a_picture_of_the_right_size_is_not_touched():
    pixels = pictures(count=1)[0]

    assert (preprocess.resize(pixels, (3, 4)) == pixels).all()


# Deciding


def decided(arithmetic=(), found=None, paths=(), channels=3):
    return preprocess.by_evidence(arithmetic, found, paths, channels=channels)


VGG = [
    f"vgg16/block{block}_{name}"
    for block, count in enumerate((2, 2, 3, 3, 3), 1)
    for name in [*(f"conv{place}" for place in range(1, count + 1)), "pool"]
]


@pytest.mark.parametrize(
    ("found", "name", "words"),
    [
        (Affine((0, 1, 2), (1 / 127.5,) * 3, (-1.0,) * 3), "none", "0..255 reaches the first convolution as -1..1"),
        (Affine((0, 1, 2), (2.0,) * 3, (-1.0,) * 3), "unit", "the model expects 0..1"),
        (Affine((0, 1, 2), (127.5,) * 3, (127.5,) * 3), "tf", "turns -1..1 into 0..255"),
    ],
)
def test_the_arithmetic_of_a_model_tells_what_it_expects(found, name, words):
    decision = decided(["Mul", "AddV2"], found)

    assert decision.preprocessing.name == name
    assert words in decision.reason
    assert decision.warning == ""


def test_a_model_that_changes_its_input_in_an_odd_way_gets_the_pixels_as_they_are():
    decision = decided(["Mul", "Sub", "Mul"])

    assert decision.preprocessing.name == "none"
    assert decision.reason == "the model changes its input itself (Mul, Sub)"
    assert decision.warning == ""


def test_a_backbone_gets_what_it_was_trained_with():
    decision = decided(paths=VGG)

    assert decision.preprocessing.name == "caffe"
    assert "VGG16" in decision.reason
    assert decision.warning == ""


def test_the_arithmetic_of_a_model_counts_more_than_its_backbone():
    assert decided(["Mul"], Affine((0, 1, 2), (1 / 255,) * 3, (0.0,) * 3), VGG).preprocessing.name == "none"


def test_a_backbone_behind_another_number_of_channels_does_not_count():
    assert "guess" in decided(paths=VGG, channels=1).reason


def test_without_evidence_the_guess_is_said_to_be_one():
    decision = decided()

    assert decision.preprocessing.name == "unit"
    assert decision.reason.startswith("a guess")
    assert "--preprocess tf, caffe, torch or none" in decision.warning


def test_no_two_built_in_preprocessings_have_one_name():
    assert list(preprocess.xcnn_preprocessors()) == list(MODES.values())
    assert len(MODES) == len(preprocess.BUILTIN)


def test_gray_pictures_become_whole_levels_and_baselines_stay_fractions():
    pixels = np.array([[[[10, 20, 31]]]], np.uint8)
    luma = 0.299 * 10 + 0.587 * 20 + 0.114 * 31

    assert preprocess.apply(MODES["none"], pixels, channels=1).item() == round(luma)
    assert preprocess.apply(MODES["none"], pixels.astype(np.float32), channels=1).item() == pytest.approx(luma)
