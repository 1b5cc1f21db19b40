"""Masks that depend on their number alone, scores in bounded parts, and runs that go on."""

from __future__ import annotations

import numpy as np
import pytest
from fakes import Toy, drawn, weighing

from xcnn_perturb import masking
from xcnn_perturb.grids import Grids
from xcnn_perturb.kernelshap import KernelSHAP
from xcnn_perturb.lime import LIME
from xcnn_perturb.rise import RISE
from xcnn_perturb.superpixels import Linear, Shapley

LABELS = np.arange(120).reshape(12, 10) // 12
PLANS = {
    "grids": Grids((12, 10), 3, 0.5),
    "even chances": Linear(LABELS),
    "coalitions": Shapley(LABELS, 100),
    "all coalitions": Shapley(LABELS, 1022),
}
BASE = (1, 2, 3, 4)
EXPLAINERS = [RISE, LIME, KernelSHAP]


def masked(wanted=(0, 1)):
    network = Toy(weighing((12, 10))[0], lambda picture: float(np.cbrt(picture.mean())))
    batch = network.batch(drawn(), wanted=wanted)
    network.predict(batch)
    return masking.Masked(network, batch, 0, np.zeros((12, 10, 3), np.float32)), network


def explained(kind, network, pictures, wanted=(0,), earlier=None, seed=0, **options):
    batch = network.batch(pictures, wanted=wanted, seed=seed)
    if earlier is not None:
        batch.earlier = lambda image, target: earlier[image * len(wanted) + wanted.index(target.index)]
        options["resume"] = "first"
    return kind(**options).explain(network, batch)


@pytest.mark.parametrize("name", PLANS)
def test_a_mask_depends_on_its_number_alone(name):
    plan = PLANS[name]

    every = masking.drawn(plan, 0, 31, BASE)

    np.testing.assert_array_equal(masking.drawn(plan, 7, 20, BASE), every[7:20])
    np.testing.assert_array_equal(
        np.concatenate([masking.drawn(plan, 0, 13, BASE), masking.drawn(plan, 13, 31, BASE)]), every
    )
    assert every.shape == (31, plan.width)


@pytest.mark.parametrize("name", ["grids", "even chances", "coalitions"])
def test_other_pictures_and_seeds_have_other_masks(name):
    assert not np.array_equal(masking.drawn(PLANS[name], 0, 8, BASE), masking.drawn(PLANS[name], 0, 8, (1, 2, 3, 5)))


def test_masks_mix_the_picture_with_what_hides_it_in_pixels():
    network = Toy(lambda picture: float(picture[0, 0, 0]))
    batch = network.batch([np.full((1, 2, 3), 200, np.uint8)])
    network.predict(batch)
    one = masking.Masked(network, batch, 0, np.full((1, 2, 3), 100, np.float32))

    np.testing.assert_array_equal(
        one.scores(np.array([[[0, 0]], [[0.25, 0]], [[1, 0]]], np.float32)), [[100, 125, 200]]
    )
    np.testing.assert_array_equal(one.ends(), [[200], [100]])


@pytest.mark.parametrize("name", PLANS)
def test_scores_are_those_of_one_masked_picture_at_a_time(name):
    plan, (one, network) = PLANS[name], masked()

    found = masking.scored(one, plan, base=BASE, count=40)

    assert max(network.calls) == 16
    apart = np.concatenate(
        [one.scores(plan.kept(draw[np.newaxis])) for draw in masking.drawn(plan, 0, 40, BASE)], axis=1
    )
    np.testing.assert_array_equal(found.scores, apart)
    assert found.scores.shape == (2, 40)


def test_without_time_one_part_is_scored():
    one, _ = masked()
    heard = []

    found = masking.scored(one, PLANS["grids"], base=BASE, count=100, seconds=0, progress=heard.append)

    assert found.count == 16
    assert heard == [16, 100]


@pytest.mark.parametrize("name", ["grids", "even chances", "coalitions"])
@pytest.mark.parametrize("first", [1, 50, 64])
def test_going_on_from_fewer_samples_gives_the_scores_of_all_at_once(name, first):
    plan, (one, network) = PLANS[name], masked()
    before = masking.scored(one, plan, base=BASE, count=first)
    states = [before.state(row) for row in range(2)]
    network.calls.clear()

    resumed = masking.scored(one, plan, base=BASE, count=100, earlier=states)

    once = masking.scored(masked()[0], plan, base=BASE, count=100)
    assert resumed.earlier == first
    assert sum(network.calls) == 100 - first + 2  # and the picture and what hides it
    np.testing.assert_array_equal(resumed.draws, once.draws)
    np.testing.assert_allclose(resumed.scores, once.scores, rtol=1e-6)


@pytest.mark.parametrize(
    "state",
    [
        {},
        {"scores": np.zeros(3)},
        {"scores": np.zeros(3), "masks": np.zeros(3, np.uint32)},
        {"scores": np.zeros((3, 3)), "masks": np.zeros((3, 3))},
        {"scores": np.zeros(3), "masks": np.zeros(2)},
        {"scores": np.zeros(0), "masks": np.zeros(0)},
    ],
)
def test_a_state_of_other_masks_is_not_used(state):
    one, _ = masked(wanted=(0,))

    found = masking.scored(one, PLANS["grids"], base=BASE, count=20, earlier=[state])

    assert found.earlier == 0
    assert found.scores.any()


@pytest.mark.parametrize("kind", EXPLAINERS)
@pytest.mark.parametrize("repeats", [1, 3])
def test_a_resumed_run_makes_the_map_of_one_run(kind, repeats):
    network = Toy(weighing((12, 10))[0], lambda picture: float(np.cbrt(picture.mean())))
    options = {"repeats": repeats, "fill": "black"} | ({} if kind is RISE else {"segments": 12})
    pictures = drawn(2)

    first = explained(kind, network, pictures, (1, 0), samples=40, **options)
    resumed = explained(kind, network, pictures, (1, 0), [row[0].state for row in first], samples=90, **options)

    once = explained(kind, network, pictures, (1, 0), samples=90, **options)
    assert len(resumed) == len(once) == 4
    for row, other in zip(resumed, once, strict=True):
        assert row[0].notes[0] == f"goes on from {40 * repeats} masked pictures of an earlier run"
        assert len(row) == len(other) == (1 if repeats == 1 else 2)
        for panel, twin in zip(row, other, strict=True):
            np.testing.assert_allclose(panel.values, twin.values, rtol=1e-5, atol=1e-6 * np.abs(twin.values).max())
        assert set(row[0].state) == {"scores", "masks"}


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_fewer_samples_than_the_earlier_run_had_are_its_first(kind):
    network, pictures = Toy(weighing((12, 10))[0]), drawn()
    before = explained(kind, network, pictures, samples=60)
    network.calls.clear()

    fewer = explained(kind, network, pictures, (0,), [before[0][0].state], samples=30)

    assert sum(network.calls) == 3
    np.testing.assert_allclose(
        fewer[0][0].values, explained(kind, network, pictures, samples=30)[0][0].values, rtol=1e-5
    )


def test_a_run_that_can_not_go_on_starts_anew_and_says_so():
    network, pictures = Toy(weighing((12, 10))[0]), drawn()
    before = explained(RISE, network, pictures, samples=20, seed=1)

    panel = explained(RISE, network, pictures, (0,), [before[0][0].state], samples=20, seed=2)[0][0]

    assert panel.notes[0] == "the earlier run used other masks: started anew"
    np.testing.assert_array_equal(panel.values, explained(RISE, network, pictures, samples=20, seed=2)[0][0].values)


NOTHING = "nothing of this picture and class in the run that was resumed: started anew"


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_a_class_that_the_earlier_run_had_not_makes_one_run_of_all_masks_and_says_so(kind):
    network = Toy(weighing((12, 10))[0], weighing((12, 10), 5)[0])
    options = {"repeats": 3} | ({} if kind is RISE else {"segments": 12})
    first = explained(kind, network, drawn(), (0,), samples=30, **options)

    both = explained(kind, network, drawn(), (0, 1), [first[0][0].state, {}], samples=40, **options)

    reason = "class class 1 of this picture was not in the earlier run: all masks were scored again"
    assert [row[0].notes[0] for row in both] == [reason, NOTHING]
    once = explained(kind, network, drawn(), (0, 1), samples=40, **options)
    for row, other in zip(both, once, strict=True):
        assert row[0].notes[1:] == other[0].notes
        for panel, twin in zip(row, other, strict=True):
            np.testing.assert_array_equal(panel.values, twin.values)


def test_several_classes_that_the_earlier_run_had_not_are_counted():
    network = Toy(*(weighing((12, 10), seed)[0] for seed in range(3)))
    first = explained(RISE, network, drawn(), (1,), samples=20)

    rows = explained(RISE, network, drawn(), (0, 1, 2), [{}, first[0][0].state, {}], samples=20)

    reason = "2 classes of this picture were not in the earlier run: all masks were scored again"
    assert [row[0].notes[0] for row in rows] == [NOTHING, reason, NOTHING]


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_each_picture_says_whether_it_goes_on_or_why_not(kind):
    network, pictures = Toy(weighing((12, 10))[0], weighing((12, 10), 5)[0]), drawn(2)
    first = explained(kind, network, pictures, (0, 1), samples=20)
    states = [row[0].state for row in first]

    rows = explained(kind, network, pictures, (0, 1), [{}, {}, *states[2:]], samples=30)

    before = "goes on from 20 masked pictures of an earlier run"
    assert [row[0].notes[0] for row in rows] == [NOTHING, NOTHING, before, before]


def test_a_run_that_resumes_none_says_nothing_of_it():
    panel = explained(RISE, Toy(weighing((12, 10))[0]), drawn(), samples=20)[0][0]

    assert len(panel.notes) == 1
    assert panel.notes[0].startswith("mean score under the masks")


def test_one_superpixel_has_no_masks_that_could_be_others():
    network, options = Toy(lambda picture: float(picture.mean())), {"segments": 1, "fill": "black"}
    first = explained(KernelSHAP, network, drawn(), **options)

    resumed = explained(KernelSHAP, network, drawn(), (0,), [first[0][0].state], **options)

    assert resumed[0][0].notes == first[0][0].notes


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_a_batch_gives_what_one_picture_at_a_time_gives(kind):
    network, pictures = Toy(weighing((12, 10))[0], weighing((12, 10), 5)[0]), drawn(3)

    both = explained(kind, network, pictures, (0, 1), samples=40, repeats=2)

    apart = [row for picture in pictures for row in explained(kind, network, [picture], (0, 1), samples=40, repeats=2)]
    for row, alone in zip(both, apart, strict=True):
        for panel, twin in zip(row, alone, strict=True):
            np.testing.assert_array_equal(panel.values, twin.values)
            assert panel.notes == twin.notes


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_a_budget_leaves_the_map_so_far_and_says_how_far_it_came(kind):
    network = Toy(weighing((12, 10))[0])

    shown = explained(kind, network, drawn(), budget=0, samples=100)[0][0]

    assert shown.notes[0] == "16 of 100 masked pictures within 0 s"
    assert np.isfinite(shown.values).all()
    assert shown.values.any()


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_a_score_that_no_mask_changes_makes_a_map_of_zeros(kind):
    options = {} if kind is RISE else {"segments": 12}
    shown = explained(kind, Toy(lambda _: 7.0), drawn(), samples=20, repeats=3, **options)[0]

    assert len(shown) == 1
    assert not shown[0].values.any()
    assert shown[0].notes == ("no mask changes the score",)


@pytest.mark.parametrize("kind", EXPLAINERS)
def test_the_cost_is_one_pass_per_masked_picture_and_three_more(kind):
    network = Toy(weighing((12, 10))[0])
    explainer = kind(samples=20, repeats=3)

    explainer.explain(network, network.batch(drawn()))

    assert sum(network.calls) == explainer.cost(network) == 63
