"""SmoothGrad against its definition, and the noise it adds."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import pictures
from formulas import FormulaNetwork

from xcnn import SmoothGrad, maths
from xcnn.errors import OptionError


def explained(explainer, network, *shapes, seed=0):
    batch = network.batch(pictures(*(shapes or [(4, 4)])), ["top"], np.random.default_rng(seed))
    return batch, explainer.explain(network, batch)


def smoothgrad_by_definition(network, inputs, deviation, index, *, samples, rng):
    """The mean of section 3, one noisy copy, pixel and channel at a time; then the largest of the channels."""
    total = np.zeros(inputs.shape)
    for _ in range(samples):
        noise = rng.standard_normal(inputs.shape, np.float32)
        for y, x, c in np.ndindex(*inputs.shape):
            value = float(inputs[y, x, c]) + float(noise[y, x, c]) * deviation
            total[y, x, c] += network.power * value ** (network.power - 1) * network.weights[index, y, x, c]
    mean = total / samples
    return np.array([[max(abs(value) for value in mean[y, x]) for x in range(4)] for y in range(4)])


def test_it_is_the_mean_gradient_at_noisy_copies_reduced_after_that():
    network = FormulaNetwork(power=4, scale=1 / 127.5, offset=-1)

    batch, rows = explained(SmoothGrad(samples=7, noise=0.3), network, (4, 4), (4, 4))

    assert len(rows) == 4
    for row, (target, (panel,)) in enumerate(zip(batch.targets, rows, strict=True)):
        image = row // 2
        deviation = 0.3 * float(np.ptp(batch.pixels[image])) / 255 * 2  # the input spans -1..1
        expected = smoothgrad_by_definition(
            network, batch.inputs[image], deviation, target.index, samples=7, rng=batch.rng_of(image)
        )
        np.testing.assert_allclose(panel.values, expected, rtol=2e-5)


@pytest.mark.parametrize("reduce", ["max", "mean", "l2", "signed"])
def test_without_noise_it_is_saliency(reduce):
    network = FormulaNetwork(power=3)

    batch, rows = explained(SmoothGrad(noise=0, reduce=reduce), network, (4, 4), (4, 4))

    gradients = network.input_gradients(batch)
    for (panel,), expected in zip(rows, maths.reduced(gradients, reduce), strict=True):
        np.testing.assert_array_equal(panel.values, expected)


def test_without_noise_one_pass_per_image_is_enough():
    network = FormulaNetwork()

    explained(SmoothGrad(noise=0), network, (4, 4), (4, 4))

    assert [len(inputs) for inputs in network.calls] == [1, 1]


def test_of_a_linear_network_it_is_the_gradient_whatever_the_noise():
    network = FormulaNetwork()

    batch, rows = explained(SmoothGrad(samples=3, noise=1, reduce="signed"), network)

    for target, (panel,) in zip(batch.targets, rows, strict=True):
        np.testing.assert_allclose(panel.values, network.weights[target.index].sum(axis=-1), atol=1e-5)


def test_gradients_are_averaged_with_their_signs():
    # The gradient of the square is 2 w x: with noise it changes its sign, its mean does not grow.
    network = FormulaNetwork(power=2, scale=1 / 127.5, offset=-1)

    batch, rows = explained(SmoothGrad(samples=4000, noise=0.5), network)

    exact = maths.reduced(network.input_gradients(batch), "max")
    for (panel,), expected in zip(rows, exact, strict=True):
        np.testing.assert_allclose(panel.values, expected, atol=0.15 * expected.max())


def test_the_noise_is_a_fraction_of_the_picture_s_range_in_each_channel_of_the_input():
    network = FormulaNetwork(scale=(1.0, 0.5, 0.01), offset=(-103.9, 7, 0), order=(2, 1, 0))
    batch = network.batch([np.full((4, 4, 3), 20, np.uint8)], ["top"], np.random.default_rng(0))
    batch.pixels[0, 0, 0] = (20, 20, 120)

    SmoothGrad(samples=2000, noise=0.2).explain(network, batch)

    noise = np.concatenate(network.calls) - batch.inputs
    assert len(noise) == 2000
    np.testing.assert_allclose(noise.std(axis=(0, 1, 2)), 0.2 * 100 * np.array([1, 0.5, 0.01]), rtol=0.02)
    np.testing.assert_allclose(noise.mean(axis=(0, 1, 2)), 0, atol=0.02 * 20)


def test_targets_stay_what_they_are_on_the_picture_without_noise():
    network = FormulaNetwork(power=3, seed=3)
    asked = []
    inner = network.gradients
    network.gradients = lambda inputs, targets, *more: (asked.append(targets), inner(inputs, targets, *more))[1]

    batch, _ = explained(SmoothGrad(samples=70, noise=2), network)

    assert asked == [batch.targets] * 2


def test_a_batch_is_explained_like_its_images_one_by_one_whoever_drew_before():
    network, explainer = FormulaNetwork(power=3), SmoothGrad(samples=5)
    batch, together = explained(explainer, network, (4, 4), (4, 4), (4, 4))

    for image in range(3):
        rng = np.random.default_rng(0)
        rng.normal(size=image)
        alone = replace(batch, pixels=batch.pixels[[image]], scores=None, targets=None, rng=rng)
        for one, many in zip(explainer.explain(network, alone), together[2 * image :], strict=False):
            np.testing.assert_array_equal(one[0].values, many[0].values)


def test_the_seed_tells_the_noise_and_pictures_differ_in_theirs():
    network, explainer = FormulaNetwork(power=3), SmoothGrad(samples=5)

    one, again, other = (explained(explainer, network, seed=seed)[1][0][0].values for seed in (0, 0, 1))
    batch, _ = explained(explainer, network, (4, 4), (4, 4))

    np.testing.assert_array_equal(one, again)
    assert (one != other).any()
    assert batch.rng_of(0).random() != batch.rng_of(1).random()
    assert batch.rng_of(0).random() == batch.rng_of(0).random()


def test_a_picture_of_one_colour_has_no_range_to_take_noise_from_and_that_is_said():
    network = FormulaNetwork(power=2)
    batch = network.batch([np.full((4, 4, 3), 70, np.uint8)], ["top"], np.random.default_rng(0))

    ((panel,), _) = SmoothGrad().explain(network, batch)

    np.testing.assert_array_equal(panel.values, maths.reduced(network.input_gradients(batch), "max")[0])
    assert panel.notes == ("the picture is of one value: there is no range to take noise from",)


def test_the_panel_says_what_it_is_and_progress_is_told():
    network, heard = FormulaNetwork(), []
    batch = network.batch(pictures((4, 4), (4, 4)), ["top"], np.random.default_rng(0))
    batch.progress = lambda *counts: heard.append(counts)

    ((positive,), *_) = SmoothGrad(samples=70).explain(network, batch)
    ((signed,), *_) = SmoothGrad(samples=70, reduce="signed").explain(network, batch)

    assert (positive.sign, positive.layer, positive.fine) == ("positive", "", True)
    assert signed.sign == "signed"
    assert positive.values.dtype == np.float32
    assert heard[:4] == [(64, 140), (70, 140), (134, 140), (140, 140)]


def test_when_the_time_is_used_up_it_is_the_mean_of_the_copies_so_far_and_says_so():
    network = FormulaNetwork(power=4, scale=1 / 127.5, offset=-1)

    _, ((part,), *_) = explained(SmoothGrad(samples=200, budget=0), network)
    _, ((few,), *_) = explained(SmoothGrad(samples=64), network)

    assert part.notes == ("64 of 200 copies within 0 s",)
    np.testing.assert_allclose(part.values, few.values, rtol=1e-5)


def test_enough_time_changes_nothing():
    network = FormulaNetwork(power=4, scale=1 / 127.5, offset=-1)

    _, ((timed,), *_) = explained(SmoothGrad(samples=70, budget="1h"), network)
    _, ((panel,), *_) = explained(SmoothGrad(samples=70), network)

    assert timed.notes == ()
    np.testing.assert_array_equal(timed.values, panel.values)


def test_options_out_of_range_are_refused():
    with pytest.raises(OptionError, match="--samples is 0"):
        SmoothGrad(samples=0)
    with pytest.raises(OptionError, match=r"--noise is -0\.1"):
        SmoothGrad(noise=-0.1)
    with pytest.raises(OptionError, match="--reduce is 'sum'"):
        SmoothGrad(reduce="sum")


def test_the_cost_is_two_passes_per_copy_and_the_scores_of_the_picture():
    assert SmoothGrad(samples=10).cost(FormulaNetwork()) == 21


@pytest.mark.keras
@pytest.mark.parametrize("twin", ["nested", "subclassed", "mnist"])
def test_of_a_keras_model_without_noise_it_is_saliency(twin):
    import nets

    import xcnn

    network = xcnn.open_network(getattr(nets, twin)(), preprocess="caffe")
    batch = network.batch(pictures((24, 24), (24, 24)), ["top2"], np.random.default_rng(0))

    rows = SmoothGrad(noise=0).explain(network, batch)

    saliency = maths.reduced(network.input_gradients(batch), "max")
    for (panel,), expected in zip(rows, saliency, strict=True):
        np.testing.assert_allclose(panel.values, expected, atol=1e-6 * expected.max())


@pytest.mark.keras
@pytest.mark.parametrize(("build", "mode"), [("mnist", "unit"), ("nested", "caffe"), ("nested", "torch")])
def test_the_noise_of_a_keras_model_has_the_units_of_its_input(build, mode):
    import nets

    import xcnn
    from xcnn.network.preprocess import BUILTIN

    network = xcnn.open_network(getattr(nets, build)(), preprocess=mode)
    batch = network.batch(pictures((28, 28)), ["top"], np.random.default_rng(0))
    received, inner = [], network.gradients
    network.gradients = lambda inputs, *more: (received.append(inputs), inner(inputs, *more))[1]

    SmoothGrad(samples=60, noise=0.1).explain(network, batch)

    scale = next(one.scale for one in BUILTIN if one.name == mode)
    deviation = 0.1 * float(np.ptp(batch.pixels)) * np.resize(scale, batch.inputs.shape[-1])
    noise = np.concatenate(received) - batch.inputs
    np.testing.assert_allclose(noise.std(axis=(0, 1, 2)), deviation, rtol=0.03)
