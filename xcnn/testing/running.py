"""Checks of an explainer at work on one kind of model.

The first three say whether there is anything to look at: where one fails, the others are not tried.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import MisfitError, XcnnError
from xcnn.plugin import Attribution, Explainer, Tiles
from xcnn.testing import likeness, panels
from xcnn.testing.finding import Broken
from xcnn.testing.kinds import pictures
from xcnn.testing.trial import numbers, state

if TYPE_CHECKING:
    from collections.abc import Callable

    from xcnn.testing.trial import Trial

CLOSE = 1e-5
CLOSE_IN_HALF = 2e-3
"""How far numbers may be apart that are computed in another order, as a part of the largest: float32, float16."""
ROUNDS = 2
"""How many times the weights are shuffled before a map counts as the same."""
OPPOSITES = 2
"""One sigmoid makes two classes whose scores are opposite: maps of magnitudes are the same for both."""


def fits(trial: Trial) -> None:
    """Where it can't work, it says why in words, and a run ends in a MisfitError."""
    from xcnn.run import explain

    reason = trial.misfit
    if reason is None:
        return
    if not isinstance(reason, str) or " " not in reason.strip() or "\n" in reason:
        raise Broken(f"fits returned {reason!r}; it must be a sentence that says why, or None")
    try:
        explain(trial.network, pictures() if trial.of_pictures else None, trial.explainer)
    except MisfitError:
        return
    except XcnnError as error:
        raise Broken(f"fits says {reason!r}, but a run ends in: {error.message}") from error
    raise Broken(f"fits says {reason!r}, but a run ends well")


def runs(trial: Trial) -> None:
    """It explains, and raises nothing."""
    if trial.first.error:
        raise Broken(f"explain raised {trial.first.error}")


def form(trial: Trial) -> None:
    """It returns a tuple of well-formed panels for each row: each picture, where they don't depend on the target."""
    rows, explainer = trial.first.rows, trial.explainer
    if isinstance(explainer, Explainer):
        expected = len(pictures())
        if not isinstance(rows, (list, tuple)) or len(rows) != expected:
            raise Broken(
                f"explain returned {_brief(rows)} for {expected} pictures; it must be a list with a row for each"
            )
    for row in rows:
        if not isinstance(row, (list, tuple)) or not row:
            raise Broken(f"explain returned {_brief(row)} for a row; it must be a tuple of panels")
        for panel in row:
            panels.check_form(panel, explainer.name)


def texts(trial: Trial) -> None:
    """Its texts hold no markup."""
    for panel in trial.first.panels:
        panels.check_texts(panel)


def finite(trial: Trial) -> None:
    """No number is NaN or infinite."""
    import numpy as np

    for panel in trial.first.panels:
        for values in numbers(panel):
            wrong = int((~np.isfinite(values)).sum())
            if wrong:
                raise Broken(f"{wrong} of {values.size} numbers of {type(panel).__name__} are not finite")


def sign(trial: Trial) -> None:
    """A map that is called positive has no negative value."""
    for panel in trial.first.panels:
        if isinstance(panel, (Attribution, Tiles)) and panel.sign == "positive" and (panel.values < 0).any():
            raise Broken(f"{type(panel).__name__} is called positive and holds {panel.values.min():.3g}")


def unit(trial: Trial) -> None:
    """Every map says what its numbers are."""
    for panel in trial.first.panels:
        if isinstance(panel, (Attribution, Tiles)) and not panel.unit:
            raise Broken(f"{type(panel).__name__} has no unit: what are its numbers?")


def seeded(trial: Trial) -> None:
    """The same seed gives the same numbers, to the last bit."""
    if trial.second.error:
        raise Broken(f"the second time, explain raised {trial.second.error}")
    if not likeness.same(trial.first.arrays, trial.second.arrays):
        raise Broken("the same seed gave other numbers: draw from batch.rng or batch.rng_of only")


def traced(trial: Trial) -> None:
    """Nothing is traced a second time."""
    before, _ = trial.first, trial.second
    now = int(trial.network.traces) if before else 0  # type: ignore[attr-defined]
    if now != trial.traces:
        raise Broken(f"the second run made {now - trial.traces} more traces of the model, each of which takes seconds")


def untouched(trial: Trial) -> None:
    """The model is left as it was: weights, attributes of layers, policy."""
    _ = trial.second
    if state(trial.model) != trial.before:
        raise Broken("the model is not as it was: weights, attributes of its layers or Keras's policy changed")


def batched(trial: Trial) -> None:
    """A batch gives what one picture at a time gives."""
    if not trial.of_pictures:
        return
    for one in trial.apart:
        if one.error:
            raise Broken(f"with one picture, explain raised {one.error}")
    bound = CLOSE_IN_HALF if trial.kind == "float16" else CLOSE
    apart = [values for one in trial.apart for values in one.arrays]
    worst = likeness.distance(trial.first.arrays, apart)
    if worst > bound:
        raise Broken(f"a batch and single pictures differ by {worst:.2g} of the largest value; {bound:g} is allowed")


def targets(trial: Trial) -> None:
    """Where its panels depend on the target, another class gives other numbers."""
    explainer, batch = trial.explainer, trial.first.batch
    if not isinstance(explainer, Explainer) or not explainer.per_target or batch is None:
        return
    if batch.scores is None or batch.scores.shape[1] <= OPPOSITES:
        return
    for other in range(1, batch.scores.shape[1]):
        attempt = trial.attempt(pictures(), str(other))
        if attempt.error:
            raise Broken(f"for class {other}, explain raised {attempt.error}")
        if not likeness.same(trial.first.arrays, attempt.arrays):
            return
    if any(values.any() for values in trial.first.arrays):
        raise Broken("all classes have the same panels: set per_target = False, so that each picture has one result")


def silent(trial: Trial) -> None:
    """It writes nothing to standard output."""
    if trial.first.printed:
        raise Broken(f"explain wrote {trial.first.printed[:40]!r} to standard output, which is for the answer")


def report(trial: Trial) -> None:
    """Pictures, numbers and report can be written, and run.json is valid."""
    from xcnn.run import explain
    from xcnn.saving import schema

    photos: dict[str, Any] = {"images": pictures(), "target": "0"} if trial.of_pictures else {}
    with tempfile.TemporaryDirectory(prefix="xcnn-") as folder:
        out = Path(folder) / "run"
        try:
            run = explain(trial.network, explainer=trial.explainer, seed=1, out=out, **photos)
        except XcnnError as error:
            raise Broken(f"a run ended in: {error.message}") from error
        if run.failures:
            raise Broken(f"a run failed in part: {run.failures[0].message}")
        about = json.loads((out / "run.json").read_text("ascii"))
        wrong = schema.problem(about)
        if wrong:
            raise Broken(f"run.json breaks its schema: {wrong}")
        named = [name for result in about["results"] for panel in result["panels"] for name in panel["files"].values()]
        for name in ["report.html", *named]:
            if not (out / name).is_file():
                raise Broken(f"{name} was not written")


def randomised(trial: Trial) -> None:
    """Its maps change when the model's weights are shuffled.

    A map that stays shows the picture, not what the model has learned: the model parameter randomisation test of
    Adebayo et al., Sanity Checks for Saliency Maps, 2018, https://arxiv.org/abs/1810.03292, section 3, with all
    layers at once. Maps are compared by the rank correlation of their values, so that neither a change of scale nor
    a constant hides that they are the same; see `xcnn.testing.likeness.ALIKE` for the bound.
    """
    alike = ""
    for seed in range(ROUNDS):
        with trial.randomised(seed):
            attempt = trial.attempt(pictures())
        if attempt.error:
            raise Broken(f"with shuffled weights, explain raised {attempt.error}")
        alike = likeness.unmoved(trial.first.rows, attempt.rows)
        if not alike:
            return
    if alike:
        raise Broken(f"{alike} when the model's weights are shuffled: it shows the picture, not the model")


def _brief(value: Any) -> str:
    size = f" of {len(value)}" if hasattr(value, "__len__") else ""
    return f"{type(value).__name__}{size}"


CHECKS: tuple[Callable[[Trial], None], ...] = (
    fits,
    runs,
    form,
    texts,
    finite,
    sign,
    unit,
    seeded,
    traced,
    untouched,
    batched,
    targets,
    silent,
    report,
    randomised,
)
"""In the order in which they are tried."""
GATES = (fits, runs, form)
"""Where one of these fails, the others have nothing to look at."""
