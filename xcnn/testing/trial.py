"""One explainer on one kind of model: what it returned, each thing computed once."""

from __future__ import annotations

import contextlib
import io
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from xcnn.errors import XcnnError, plain_words
from xcnn.plugin import Attribution, Curve, Explainer, Labels, ModelExplainer, Tiles
from xcnn.testing.kinds import pictures

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from xcnn.plugin import BaseExplainer, Batch, Network, Panel
    from xcnn.testing.kinds import Bench
    from xcnn.values import Pixels

SEED = 5


@dataclass(frozen=True)
class Attempt:
    """One call of an explainer: what it returned for each row, what it printed, and why it failed."""

    rows: Any
    printed: str
    error: str
    batch: Batch | None = None

    @property
    def panels(self) -> list[Panel]:
        """All panels, row by row."""
        return [panel for row in self.rows for panel in row]

    @property
    def arrays(self) -> list[Any]:
        """All numbers, in order."""
        return [values for panel in self.panels for values in numbers(panel)]


class Trial:
    """Calls an explainer on the model of one kind.

    Parameters
    ----------
    explainer : Explainer or ModelExplainer
        With the options to try.
    kind : str
        One of `KINDS`.
    bench : Bench
        Opens the model.
    """

    def __init__(self, explainer: BaseExplainer, kind: str, bench: Bench) -> None:
        self.explainer = explainer
        self.kind = kind
        self._bench = bench
        self.traces = 0
        """How many traces the network had after the first attempt."""
        self._told: dict[str, str] = {}

    def told(self, gate: Callable[[Trial], None], verdict: Callable[[Callable[[Trial], None], Trial], str]) -> str:
        """What a check that others depend on found; it is tried once."""
        if gate.__name__ not in self._told:
            self._told[gate.__name__] = verdict(gate, self)
        return self._told[gate.__name__]

    @property
    def network(self) -> Network:
        """The network of this kind."""
        return self._bench.open(self.kind).network

    @property
    def model(self) -> Any:
        """The Keras model behind it."""
        return self._bench.open(self.kind).model

    @property
    def of_pictures(self) -> bool:
        """Whether it explains pictures, not the model alone."""
        return isinstance(self.explainer, Explainer)

    @cached_property
    def misfit(self) -> Any:
        """Why it can't work on this kind; None when it can."""
        return self.explainer.fits(self.network)

    @cached_property
    def before(self) -> Any:
        """What the model was before the explainer saw it."""
        return state(self.model)

    @cached_property
    def first(self) -> Attempt:
        """Both pictures, for class 0."""
        _ = self.before
        made = self.attempt(pictures())
        self.traces = int(self.network.traces)  # type: ignore[attr-defined]
        return made

    @cached_property
    def second(self) -> Attempt:
        """The same again."""
        _ = self.first
        return self.attempt(pictures())

    @cached_property
    def apart(self) -> list[Attempt]:
        """Each picture alone."""
        return [self.attempt([picture]) for picture in pictures()]

    def attempt(self, photos: Sequence[Pixels], target: str = "0") -> Attempt:
        """Call the explainer; whatever it raises is told, what it prints is kept from the screen."""
        import numpy as np

        rng, batch, rows, error, printed = np.random.default_rng(SEED), None, None, "", io.StringIO()
        with contextlib.redirect_stdout(printed):
            try:
                if isinstance(self.explainer, Explainer):
                    batch = self.network.batch(photos, (target,), rng)
                    rows = self.explainer.explain(self.network, batch)
                    self.network.predict(batch)
                elif isinstance(self.explainer, ModelExplainer):
                    rows = [self.explainer.explain(self.network, rng=rng, progress=lambda _, __: None)]
            except XcnnError as problem:
                error = problem.message
            except (Exception, SystemExit) as problem:  # noqa: BLE001 (whatever a stranger's explainer does is told)
                error = f"{type(problem).__name__}: {plain_words(problem)}"
        return Attempt(rows, printed.getvalue(), error, batch)

    @contextlib.contextmanager
    def randomised(self, seed: int) -> Iterator[None]:
        """Shuffle the numbers within each weight of the model for a while.

        Their distribution stays, so that nothing saturates or vanishes that did not before.
        """
        import numpy as np

        weights, rng = self.model.get_weights(), np.random.default_rng(seed)
        self.model.set_weights([rng.permutation(one.ravel()).reshape(one.shape) for one in weights])
        try:
            yield
        finally:
            self.model.set_weights(weights)


def numbers(panel: Panel) -> list[Any]:
    """The numbers of a panel as arrays."""
    import numpy as np

    if isinstance(panel, (Attribution, Tiles, Labels)):
        return [np.asarray(panel.values)]
    if isinstance(panel, Curve):
        return list(map(np.asarray, panel.series.values()))
    return [np.array([cell for cell in row if not isinstance(cell, str)], float) for row in panel.rows]


def state(model: Any) -> Any:
    """What must not change about a model: its weights, the attributes of its layers, and Keras's policy."""
    import keras

    layers = list(model._flatten_layers(include_self=True, recursive=True))  # noqa: SLF001 (Keras has no other way)
    return (
        [weight.tobytes() for weight in model.get_weights()],
        [(layer.name, sorted(vars(layer)), layer.trainable) for layer in layers],
        keras.config.dtype_policy().name,
    )
