"""The values that pass between the rooms: frozen dataclasses of plain data and NumPy arrays.

Pictures are RGB, arrays are channels-last, the batch axis comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

    from xcnn.panels import Panel

    Pixels = NDArray[np.uint8]
    Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Reference:
    """Where a method was published."""

    authors: str
    year: int
    title: str
    url: str
    equations: str = ""

    def __str__(self) -> str:
        """The reference on one line."""
        where = f", equations {self.equations}" if self.equations else ""
        return f"{self.authors}, {self.title}, {self.year}{where}, {self.url}"


@dataclass(frozen=True)
class Image:
    """A picture as the user sees it.

    ``pixels`` is (h, w, 3) uint8, upright; None once the results are written, so that memory stays flat.
    """

    path: str
    sha256: str
    size: tuple[int, int]
    """Height and width in pixels."""
    notes: tuple[str, ...] = ()
    pixels: Pixels | None = field(default=None, repr=False, compare=False)
    rgba: Pixels | None = field(default=None, repr=False, compare=False)
    """(h, w, 4) uint8 before transparent parts were shown on white, for networks with four channels."""


@dataclass(frozen=True)
class Target:
    """What is explained: a linear form of the network's outputs.

    ``score`` is the value of that form (on logits where the network has them); ``probability`` is None where the
    outputs are none.
    """

    index: int
    label: str
    score: float
    probability: float | None
    coefficients: tuple[tuple[int, float], ...]
    """Pairs of class index and weight, over the scores that `Network.scores` returns; all other classes weigh 0."""
    notes: tuple[str, ...] = ()
    """What a reader must know about this score."""

    def of(self, scores: Floats) -> Floats:
        """The value of the form for each row of (n, classes) scores, (n,)."""
        # Only the classes that weigh: even an infinite score of another one must not matter.
        terms = [scores[:, index] * weight for index, weight in self.coefficients]
        return sum(terms[1:], start=terms[0])


@dataclass(frozen=True)
class Class:
    """A class of a network."""

    index: int
    label: str


@dataclass(frozen=True)
class Layer:
    """One call of one layer, in execution order.

    ``path`` joins the names of nested models with ``/``; a layer called several times has ``[0]``, ``[1]``, ... behind
    its name. ``shape`` is the output without the batch axis and with the channels last, () when the layer returns no
    single tensor. ``parameters`` counts the numbers in its weights, those of layers inside it included.
    """

    path: str
    kind: str
    shape: tuple[int | None, ...]
    leaf: bool
    parameters: int = 0
    activation: str = ""

    @property
    def spatial(self) -> bool:
        """Whether the output is a stack of maps with more than one position."""
        return len(self.shape) == 3 and (self.shape[0] or 2) * (self.shape[1] or 2) > 1  # noqa: PLR2004 (h, w, c)


@dataclass(frozen=True)
class Rectifiers:
    """The non-linearities of a network: how many are rectifiers, which guided rules act on, and what the others are."""

    covered: int
    others: Mapping[str, int]

    @property
    def words(self) -> str:
        """In one line."""
        every = self.covered + sum(self.others.values())
        rest = ", ".join(f"{count} {name}" for name, count in self.others.items())
        return f"{self.covered} of {every} non-linearities are rectifiers{f'; not covered: {rest}' if rest else ''}"

    @property
    def lacking(self) -> str | None:
        """Why a guided rule would act on nothing; None when it has something to act on."""
        others = ", ".join(f"{count} {name}" for name, count in self.others.items())
        return None if self.covered else f"it acts on ReLUs and this model has none{f': {others}' if others else ''}"


@dataclass(frozen=True)
class Choice:
    """Something decided for the user, and why."""

    value: str
    reason: str


@dataclass(frozen=True)
class Result:
    """The panels of one explainer for one image and one target, beside what the network predicts.

    ``target`` is None where the method knows none (feature maps), ``image`` as well where it looks at the model alone.
    """

    explainer: str
    image: Image | None
    target: Target | None
    panels: tuple[Panel, ...]
    predictions: tuple[Target, ...]
    seconds: float
    truth: Class | None = None
    """What the image truly shows, where the user says so."""
    together: int = 1
    """How many results were computed at once: ``seconds`` is the mean of theirs."""
    epoch: int | None = None
    """After which epoch of a training, counted from 1; None where the model is trained."""

    @property
    def wrong(self) -> bool:
        """Whether the best prediction is another class than the truth."""
        return self.truth is not None and self.predictions[0].index != self.truth.index


@dataclass(frozen=True)
class Failure:
    """An input that could not be explained; with an ``explainer`` and no ``path``, one that does not fit the model."""

    path: str
    code: str
    message: str
    hint: str = ""
    explainer: str = ""
    epoch: int | None = None
    """After which epoch of a training; None where the model is trained."""


@dataclass(frozen=True)
class Preprocessing:
    """How pixels become a network's input, as data: ``input = pixels[channels] * scale + offset``.

    ``pixels`` are 0..255; ``scale`` and ``offset`` hold one number per channel in the network's order, or one for all.
    """

    name: str
    summary: str
    channels: Literal["rgb", "bgr"] = "rgb"
    scale: tuple[float, ...] = (1.0,)
    offset: tuple[float, ...] = (0.0,)


@dataclass(frozen=True)
class NamedModel:
    """A model that can be asked for by name: a file, or weights for a model that is built.

    ``path`` finds the file when called, so that listing models touches none.
    """

    name: str
    summary: str
    size: tuple[int, int]
    preprocessing: Preprocessing
    licence: str
    path: Callable[[], Path] = field(repr=False)
    """The model's file; where there is a ``build``, its weights file, which may be still to be downloaded."""
    labels: Callable[[], tuple[str, ...]] = field(repr=False)
    parameters: int = 0
    """How many numbers it has learned; 0 when not known."""
    build: Callable[..., Any] | None = field(default=None, repr=False)
    """``build(top=True)``, or without its classifier, returns an `xcnn.network.applications.Built`."""

    @property
    def cached(self) -> bool:
        """Whether it can be opened without a download."""
        return self.build is None or self.path().is_file()


@dataclass(frozen=True, repr=False)
class Run:
    """Everything one run found; ``save`` writes it as a folder.

    ``about`` is run.json without its results: command, options with their sources, model, versions.
    """

    about: Mapping[str, Any]
    results: tuple[Result, ...]
    failures: tuple[Failure, ...]
    warnings: tuple[str, ...]
    out: Path | None = None
    stopped: str = ""
    """Why it ended before all was done: "interrupted", "terminated" or "failed"; "" for a whole run."""

    def __repr__(self) -> str:
        """One line: the arrays are long."""
        return f"<Run: {len(self.results)} results, {len(self.failures)} failures, {len(self.warnings)} warnings>"

    def _repr_html_(self) -> str:
        """The first results as Jupyter shows them."""
        from xcnn.saving import notebook

        return notebook.shown(self)

    def save(self, out: str | Path, *, overwrite: bool = False) -> Path:
        """Write pictures, numbers, run.json and report.html to the folder `out`.

        Parameters
        ----------
        out : path
            The folder to make.
        overwrite : bool
            Replace a folder that xcnn wrote earlier.

        Returns
        -------
        Path
            The report.

        Raises
        ------
        OutputError
            If `out` exists or can't be written.
        ImageError
            If a picture that was explained can't be read again.
        """
        from xcnn.saving import save

        return save(self, out, overwrite=overwrite)
