"""Integrated gradients against equation 1, the completeness axiom and linear networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fakes import pictures
from formulas import FormulaNetwork

from xcnn import IntegratedGradients, maths
from xcnn.errors import OptionError


def explained(explainer, network, *shapes, seed=0):
    batch = network.batch(pictures(*(shapes or [(4, 4)]), seed=seed), ["top"], np.random.default_rng(0))
    return batch, explainer.explain(network, batch)


def equation_1(network, start, end, index, steps):
    """Equation 1 by the midpoint rule, one pixel at a time, channels summed."""
    values = np.zeros(end.shape[:2])
    for y in range(end.shape[0]):
        for x in range(end.shape[1]):
            for c in range(end.shape[2]):
                total = 0.0
                for step in range(steps):
                    value = start[y, x, c] + (step + 0.5) / steps * (end[y, x, c] - start[y, x, c])
                    total += network.power * value ** (network.power - 1) * network.weights[index, y, x, c] / steps
                values[y, x] += (end[y, x, c] - start[y, x, c]) * total
    return values


@pytest.mark.parametrize("baseline", ["black", "mean", "blur"])
def test_it_is_equation_1_summed_over_the_channels(baseline):
    network = FormulaNetwork(power=3, scale=1 / 127.5, offset=-1)

    batch, rows = explained(IntegratedGradients(steps=2, baseline=baseline), network, (4, 4), (4, 4))

    starts = network.prepare(maths.filled(batch.pixels, baseline))
    assert len(rows) == 4
    for row, (target, (panel,)) in enumerate(zip(batch.targets, rows, strict=True)):
        start, end = (one[row // 2].astype(float) for one in (starts, batch.inputs))
        expected = equation_1(network, start, end, target.index, 3000)
        np.testing.assert_allclose(panel.values, expected, atol=2e-6)


def test_the_attributions_sum_to_the_change_of_the_score_up_to_the_stated_residual():
    network = FormulaNetwork(power=7)

    batch, rows = explained(IntegratedGradients(steps=2), network)

    floor = network.scores(np.zeros((1, 4, 4, 3)))
    for target, (panel,) in zip(batch.targets, rows, strict=True):
        change = target.score - target.of(floor)[0]
        assert panel.values.sum(dtype=float) - change == pytest.approx(panel.residual, abs=1e-6)
        assert abs(panel.residual) > 1e-4
        assert (
            f"from the black baseline the score changes by {change:.4g}: a gap of {panel.residual:.2g}"
            in panel.notes[0]
        )


def test_four_steps_are_exact_for_a_polynomial_of_degree_seven():
    _, rows = explained(IntegratedGradients(steps=4), FormulaNetwork(power=7))

    assert all(abs(panel.residual) < 1e-5 for (panel,) in rows)


def test_of_a_linear_network_it_is_the_weight_times_the_difference_with_any_number_of_steps():
    network = FormulaNetwork()

    for steps in (1, 50):
        batch, rows = explained(IntegratedGradients(steps=steps, baseline="mean"), network)
        difference = (batch.inputs - network.prepare(maths.filled(batch.pixels, "mean")))[0]
        for target, (panel,) in zip(batch.targets, rows, strict=True):
            expected = (network.weights[target.index] * difference).sum(axis=-1)
            np.testing.assert_allclose(panel.values, expected, atol=1e-6)
            assert panel.notes[0].endswith("%)")
            assert len(panel.notes) == 1


def test_a_wide_gap_advises_more_steps_and_a_narrow_one_does_not():
    _, wide = explained(IntegratedGradients(steps=1), FormulaNetwork(power=9))
    _, narrow = explained(IntegratedGradients(steps=5), FormulaNetwork(power=9))

    assert "raise --steps above 1" in wide[0][0].notes[1]
    assert len(narrow[0][0].notes) == 1


def test_a_picture_that_is_its_own_baseline_gets_nothing_and_no_percentage():
    network = FormulaNetwork(power=2)
    batch = network.batch([np.zeros((4, 4, 3), np.uint8)], ["top"], np.random.default_rng(0))

    rows = IntegratedGradients(steps=3).explain(network, batch)

    assert (rows[0][0].values == 0).all()
    assert rows[0][0].residual == 0
    assert rows[0][0].notes == (
        "the attributions sum to 0; from the black baseline the score changes by 0: a gap of 0",
    )


def test_a_batch_is_explained_like_its_images_one_by_one():
    network = FormulaNetwork(power=3)
    batch, together = explained(IntegratedGradients(steps=5), network, (4, 4), (4, 4), (4, 4))

    for image in range(3):
        alone = replace(batch, pixels=batch.pixels[[image]], scores=None, targets=None)
        for one, many in zip(IntegratedGradients(steps=5).explain(network, alone), together[2 * image :], strict=False):
            np.testing.assert_array_equal(one[0].values, many[0].values)


def test_the_panel_says_what_it_is_and_progress_is_told():
    network, heard = FormulaNetwork(), []
    batch = network.batch(pictures((4, 4), (4, 4)), ["top"], np.random.default_rng(0))
    batch.progress = lambda *counts: heard.append(counts)

    (panel,) = IntegratedGradients(steps=70).explain(network, batch)[0]

    assert (panel.sign, panel.unit, panel.layer, panel.fine) == ("signed", "score", "", True)
    assert panel.values.dtype == np.float32
    assert heard == [(64, 140), (70, 140), (134, 140), (140, 140)]


def test_options_out_of_range_are_refused():
    with pytest.raises(OptionError, match="--steps is 0"):
        IntegratedGradients(steps=0)
    with pytest.raises(OptionError, match="--baseline is 'white'"):
        IntegratedGradients(baseline="white")


def test_the_cost_is_two_passes_per_step_and_the_scores_of_both_ends():
    assert IntegratedGradients(steps=10).cost(FormulaNetwork()) == 22


@pytest.mark.keras
@pytest.mark.parametrize("twin", ["flat", "nested", "subclassed"])
def test_of_a_keras_model_it_sums_to_the_change_of_the_score_within_its_stated_gap(twin):
    import nets

    import xcnn

    network = xcnn.open_network(getattr(nets, twin)(), preprocess="tf")
    batch = network.batch(pictures((24, 24), (24, 24)), ["top2"], np.random.default_rng(0))

    rows = IntegratedGradients(steps=100).explain(network, batch)

    floor = network.scores(batch.prepare(np.zeros((1, 24, 24, 3), np.uint8)))[0]
    logits = nets.logits_twin(nets.flat()).predict(batch.inputs, verbose=0)
    for row, (target, (panel,)) in enumerate(zip(batch.targets, rows, strict=True)):
        change = logits[row // 2, target.index] - floor[target.index]
        assert panel.values.sum(dtype=float) == pytest.approx(change + panel.residual, abs=1e-5)
        assert abs(panel.residual) < 0.05 * abs(change)


@pytest.mark.keras
@pytest.mark.parametrize("target", ["0", "1"])
def test_a_single_sigmoid_has_both_classes(target):
    import nets

    import xcnn

    network = xcnn.open_network(nets.flat("sigmoid", 1), preprocess="unit")
    batch = network.batch(pictures((24, 24)), [target], np.random.default_rng(0))

    ((panel,),) = IntegratedGradients(steps=60).explain(network, batch)

    twin = nets.logits_twin(nets.flat("sigmoid", 1))
    change = float(twin.predict(batch.inputs, verbose=0).item() - twin.predict(batch.inputs * 0, verbose=0).item())
    sign = 1 if target == "1" else -1
    assert panel.values.sum(dtype=float) == pytest.approx(sign * change + panel.residual, abs=1e-5)
    assert abs(panel.residual) < 0.05 * abs(change)


def test_when_the_time_is_used_up_it_is_the_integral_over_the_steps_so_far_and_says_so():
    network = FormulaNetwork(power=4, scale=1 / 127.5, offset=-1)

    _, ((part,), *_) = explained(IntegratedGradients(steps=40, budget=0), network)
    _, ((few,), *_) = explained(IntegratedGradients(steps=5), network)

    assert part.notes[-1] == "5 of 40 steps within 0 s"
    np.testing.assert_array_equal(part.values, few.values)


def test_enough_time_takes_all_the_steps():
    network, heard = FormulaNetwork(power=4, scale=1 / 127.5, offset=-1), []
    batch = network.batch(pictures((4, 4), (4, 4)), ["top"], np.random.default_rng(0))
    batch.progress = lambda *counts: heard.append(counts)

    ((timed,), *_) = IntegratedGradients(steps=20, budget="1h").explain(network, batch)
    ((panel,), *_) = IntegratedGradients(steps=20).explain(network, batch)

    assert timed.notes == panel.notes
    np.testing.assert_array_equal(timed.values, panel.values)
    assert (20, 40) in heard
    assert heard[:5] == [(2, 40), (6, 40), (14, 40), (19, 40), (19, 40)]
