"""A Keras model as a `Network`: traced once per question, called once per batch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from xcnn.errors import LayerError, ModelError, plain_words
from xcnn.network import environment, graph, preprocess, targets, trace
from xcnn.network import layers as layer_names
from xcnn.network.inputs import ImageInputs
from xcnn.plugin import Batch, Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.network.preflight import ModelFile
    from xcnn.plugin import Layer, NamedModel, Preprocessing, Target
    from xcnn.values import Floats, Pixels

    Body = Callable[["Forward", Any], Any]


@dataclass
class Forward:
    """One forward pass inside a trace: what each layer returned and the class scores."""

    taps: dict[str, trace.Tap]
    scores: Any


class KerasNetwork:
    """A Keras model as explainers see it; the model itself is left as it was found.

    Parameters
    ----------
    model : keras.Model
        Any image model with one image input, or several of one shape, which then all receive the picture.
    file : ModelFile, optional
        The file it came from.
    named : NamedModel, optional
        The table entry it came from, with its preprocessing and labels.
    preprocessing : Preprocessing, optional
        What to do to pixels; decided by evidence when not given.

    Attributes
    ----------
    traces : int
        How many times the model has been traced.

    Raises
    ------
    ModelError
        If it does not take two-dimensional images.
    """

    def __init__(
        self,
        model: Any,
        *,
        file: ModelFile | None = None,
        named: NamedModel | None = None,
        preprocessing: Preprocessing | None = None,
    ) -> None:
        self.model = model
        self.name = named.name if named else file.path.name if file else str(model.name)
        self.path = str(file.path) if file and not named else ""
        self.sha256 = file.sha256 if file else ""
        self.labels: tuple[str, ...] | None = named.labels() if named else None
        self.traces = 0
        self._given = preprocessing
        self._named = named
        self._inputs = ImageInputs.of(model, self.name)
        self._survey: Survey | None = None
        self._functions: dict[tuple[Any, ...], Any] = {}

    def __repr__(self) -> str:
        """One line."""
        return f"<Network {self.name}: {self.input_shape}>"

    # --- what the model is -------------------------------------------------------------------------------------------

    @property
    def input_shape(self) -> tuple[int | None, int | None, int]:
        """Height, width (None when any will do) and channels."""
        return self._inputs.shape

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how this model was understood."""
        return (*self._inputs.notes, *self._surveyed().notes)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user must know to trust the results."""
        return (self.preprocessing.warning,) if self.preprocessing.warning else ()

    def about(self) -> dict[str, Any]:
        """Describe the network for run.json."""
        mode = self.preprocessing.preprocessing
        try:
            chosen = self.default_layer()
            layer = {"path": chosen.value, "reason": chosen.reason}
        except LayerError:
            layer = None
        return {
            "name": self.name,
            "path": self.path,
            "sha256": self.sha256,
            "input_shape": list(self.input_shape),
            "classes": self.head.classes,
            "score": self.head.score,
            "preprocessing": {"name": mode.name, "summary": mode.summary, "reason": self.preprocessing.reason},
            "default_layer": layer,
            "notes": list(self.notes),
            "versions": environment.versions(),
        }

    @property
    def head(self) -> targets.Head:
        """How the outputs become class scores and probabilities."""
        return self._surveyed().head

    def layers(self) -> tuple[Layer, ...]:
        """List every call of every layer in execution order, nested ones as ``outer/inner``."""
        return self._surveyed().layers

    def default_layer(self) -> Choice:
        """Pick the last leaf layer whose map has more than one position; LayerError when there is none."""
        return layer_names.default(self.layers(), self.name)

    @cached_property
    def preprocessing(self) -> preprocess.Decision:
        """What is done to pixels, and why."""
        if self._given is not None:
            return preprocess.Decision(self._given, "asked for")
        if self._named is not None:
            return preprocess.Decision(self._named.preprocessing, f"what {self._named.name} was trained with")
        return preprocess.by_evidence(self._surveyed().arithmetic)

    # --- what it computes --------------------------------------------------------------------------------------------

    def batch(self, pictures: Sequence[Pixels], wanted: Sequence[str], rng: np.random.Generator) -> Batch:
        """Resize pictures, each (h, w, 3) uint8, and make them a batch with the targets asked for.

        Raises
        ------
        TargetError
            For a class name that is unknown or used twice.
        """
        pixels = np.stack([preprocess.resize(picture, self._inputs.size) for picture in pictures])
        return Batch(pixels, self._prepare, targets.resolve(wanted, self.labels), rng)

    def _prepare(self, pixels: Pixels) -> Floats:
        return preprocess.apply(self.preprocessing.preprocessing, pixels, channels=self.input_shape[2])

    def scores(self, inputs: Floats) -> Floats:
        """Compute the class scores, (n, classes): logits where the network has them."""
        function = self._function(("scores",), lambda forward, _: forward.scores)
        return np.asarray(graph.called(function, inputs, ()))

    def activations(self, inputs: Floats, layers: Sequence[str]) -> Mapping[str, Floats]:
        """Compute the outputs of layers, each (n, h, w, c)."""

        def body(forward: Forward, _: Any) -> Any:
            return {path: graph.float32(tensor) for path, tensor in self._tensors(forward, layers).items()}

        return dict(graph.called(self._function(("activations", *layers), body), inputs, ()))

    def layer_gradients(self, batch: Batch, layers: Sequence[str]) -> Mapping[str, tuple[Floats, Floats]]:
        """Compute features and the gradients of each row's score by them, each (rows, h, w, c)."""
        top, explicit = targets.split(batch.wanted)

        def body(forward: Forward, given: Any) -> Any:
            indices = graph.classes(forward.scores, top, given)
            slopes = graph.slopes(forward.scores, indices, self._tensors(forward, layers))
            return forward.scores, indices, slopes

        function = self._function(("layer gradients", top, len(explicit), *layers), body, explicit=len(explicit))
        targets.check(explicit, self.head, self.name)
        scores, indices, found = graph.called(function, batch.inputs, explicit)
        batch.scores, batch.targets = scores, targets.describe(scores, indices, self.head, self.labels)
        rows = indices.shape[1]
        return {
            path: (features if rows == 1 else np.repeat(features, rows, axis=0), gradients)
            for path, (features, gradients) in found.items()
        }

    def predict(self, batch: Batch) -> None:
        """Fill the scores and targets of a batch, unless a pass has done so."""
        if batch.targets is None:
            top, explicit = targets.split(batch.wanted)
            targets.check(explicit, self.head, self.name)
            batch.scores = self.scores(batch.inputs)
            indices = targets.ranked(batch.scores, top, explicit)
            batch.targets = targets.describe(batch.scores, indices, self.head, self.labels)

    def best(self, batch: Batch, count: int) -> list[tuple[Target, ...]]:
        """Describe the `count` best classes of each image of a batch that has scores."""
        self.predict(batch)
        assert batch.scores is not None  # noqa: S101 (predict fills it)
        indices = targets.ranked(batch.scores, min(count, self.head.classes))
        rows = targets.describe(batch.scores, indices, self.head, self.labels)
        width = indices.shape[1]
        return [rows[start : start + width] for start in range(0, len(rows), width)]

    # --- the trace ---------------------------------------------------------------------------------------------------

    def _surveyed(self) -> Survey:
        if self._survey is None:
            self._function(("scores",), lambda forward, _: forward.scores)
        assert self._survey is not None  # noqa: S101 (every trace fills it)
        return self._survey

    def _function(self, key: tuple[Any, ...], body: Body, *, explicit: int = 0) -> Any:
        """Trace the model once per key: a concrete function of inputs (None, h, w, c) and class indices (explicit,)."""
        if key not in self._functions:
            signature = [
                tf.TensorSpec([None, *self._inputs.size, self.input_shape[2]], tf.float32),
                tf.TensorSpec([explicit], tf.int32),
            ]
            traced = tf.function(lambda x, given: body(self._forward(x), given), signature, autograph=False)
            with trace.inlined():
                self._functions[key] = traced.get_concrete_function()
        return self._functions[key]

    def _forward(self, inputs: Any) -> Forward:
        with trace.tapped(self.model) as taps:
            try:
                outputs = self.model(self._inputs.structured(inputs), training=False)
            except Exception as error:
                words = plain_words(error)
                raise ModelError(f"{self.name} can't be run: {type(error).__name__}: {words}") from error
        self.traces += 1
        output, notes = trace.single_output(outputs)
        logits, squash = trace.before_squash(output)
        head, scores = targets.class_scores(output, logits, squash)
        if self._survey is None:
            if hidden := trace.opaque_calls(inputs.graph):
                notes.append(f"layers inside {', '.join(hidden[:3])} can't be explained")
            arithmetic = trace.arithmetic_before_first_convolution(inputs.graph, taps)
            self._survey = Survey(taps.layers(), head, tuple(arithmetic), tuple(notes))
        return Forward(taps.named(), scores)

    def _tensors(self, forward: Forward, wanted: Sequence[str]) -> dict[str, Any]:
        paths = layer_names.find(self.layers(), wanted, self.name, self.path or self.name)
        for path in paths:
            if forward.taps[path].tensor.graph is not forward.scores.graph:
                raise LayerError(
                    f"layer {path!r} runs inside a loop or branch of the model", hint="choose another layer"
                )
        return {path: forward.taps[path].tensor for path in paths}


@dataclass(frozen=True)
class Survey:
    """What the first trace told about a model."""

    layers: tuple[Layer, ...]
    head: targets.Head
    arithmetic: tuple[str, ...]
    notes: tuple[str, ...]
