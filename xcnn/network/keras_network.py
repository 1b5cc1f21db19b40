"""A Keras model as a `Network`: traced once per question, called once per batch."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.errors import LayerError
from xcnn.network import graph, preprocess, targets
from xcnn.network import labels as names
from xcnn.network import layers as layer_names
from xcnn.network.about import described, noted
from xcnn.network.choices import Choices
from xcnn.network.inputs import ImageInputs
from xcnn.network.tracing import TracedModel, numbers
from xcnn.plugin import Batch, Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.network.heads import Head
    from xcnn.network.origin import Origin
    from xcnn.network.survey import Forward, Survey
    from xcnn.plugin import Layer, NamedModel, Preprocessing, Target
    from xcnn.values import Floats, Pixels

IMAGENET = 1000


class KerasNetwork:
    """A Keras model as explainers see it; the model itself is left as it was found.

    Parameters
    ----------
    model : keras.Model
        Any image model with an input that takes pictures, or several of one shape, which then all receive the picture.
    origin : Origin
        Where it came from.
    named : NamedModel, optional
        The table entry it came from, with its preprocessing and labels.
    choices : Choices
        What was decided beforehand; the rest is decided by evidence.

    Raises
    ------
    ModelError
        If it does not take two-dimensional images.
    """

    def __init__(
        self, model: Any, origin: Origin, *, named: NamedModel | None = None, choices: Choices | None = None
    ) -> None:
        self.model = model
        self.origin = origin
        self.name = origin.name
        self._named = named
        self._choices = choices or Choices()
        self.inputs = ImageInputs.of(
            model,
            self.name,
            given=tuple(self._choices.inputs),
            wanted=self._choices.input_size,
            pictures=self._choices.pictures,
        )
        self._traced = TracedModel(model, self.name, self.inputs, choices=self._choices, prepare=self._prepared)

    def __repr__(self) -> str:
        """One line."""
        return f"<Network {self.name}: {self.input_shape}>"

    # --- what the model is -------------------------------------------------------------------------------------------

    @property
    def input_shape(self) -> tuple[int | None, int | None, int]:
        """Height, width (None when any will do) and channels."""
        return self.inputs.shape

    @property
    def input_size(self) -> tuple[int, int]:
        """Height and width that pictures are resized to."""
        return self.inputs.size

    @property
    def picture_fit(self) -> str:
        """How pictures of another shape are made to fit: "stretch", "crop" or "pad"."""
        return self._choices.fit

    @property
    def notes(self) -> tuple[str, ...]:
        """What a user should know about how this model was understood."""
        return (*self._choices.notes, *noted(self))

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a user must know to trust the results."""
        return tuple(filter(None, (*self.origin.warnings, *self.inputs.warnings, self.preprocessing.warning)))

    def about(self) -> dict[str, Any]:
        """Describe the network for run.json."""
        return described(self)

    @property
    def head(self) -> Head:
        """How the outputs become class scores and probabilities."""
        return self.survey.head

    @property
    def survey(self) -> Survey:
        """What the first trace told."""
        return self._traced.survey

    @property
    def traces(self) -> int:
        """How many times the model has been traced."""
        return self._traced.traces

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The class names, where they are known."""
        return self.labelled[0] if self.labelled else None

    @cached_property
    def labelled(self) -> tuple[tuple[str, ...], str] | None:
        """The class names, and where they come from."""
        if self._choices.labels:
            given, where = self._choices.labels
            return names.fitting(given, self.head.classes, source=where), f"from {where}"
        if self._named:
            return self._named.labels(), ""
        if self.head.classes == IMAGENET and self.head.size is None:
            return names.imagenet(), "those of ImageNet, because there are 1000 classes"
        return None

    def layers(self) -> tuple[Layer, ...]:
        """List every call of every layer in execution order, nested ones as ``outer/inner``."""
        return self.survey.layers

    def default_layer(self) -> Choice:
        """Pick the layer that explainers look at unless told otherwise; LayerError when there is none."""
        survey = self.survey
        if self._choices.layer:
            path, reason = self._choices.layer
            return Choice(layer_names.find(survey.layers, [path], self.name, self.origin.path)[0], reason)
        layers = [layer for layer in survey.layers if layer.path in survey.used]
        return layer_names.default(layers, self.name, maps=survey.head.size is not None)

    @cached_property
    def preprocessing(self) -> preprocess.Decision:
        """What is done to pixels, and why."""
        if self._choices.preprocessing is not None:
            return self._choices.preprocessing
        if self._named is not None:
            return preprocess.Decision(self._named.preprocessing, f"what {self._named.name} was trained with")
        survey = self.survey
        paths = [layer.path for layer in survey.layers]
        return preprocess.by_evidence(survey.arithmetic, survey.affine, paths, channels=self.input_shape[2])

    # --- what it computes --------------------------------------------------------------------------------------------

    def batch(self, pictures: Sequence[Pixels], wanted: Sequence[str], rng: np.random.Generator) -> Batch:
        """Resize pictures, each (h, w, 3 or 4) uint8, and make them a batch with the targets asked for.

        Raises
        ------
        TargetError
            For a class name that is unknown or used twice, and a point outside of a picture.
        """
        pixels = np.stack([preprocess.resize(self._channels(picture), self.input_size) for picture in pictures])
        labels = self.labels if any(map(targets.names_class, wanted)) else None
        prepare = partial(self._prepared, channels=self.input_shape[2])
        return Batch(pixels, prepare, targets.resolve(wanted, labels), rng, points=self._points(pictures))

    def _points(self, pictures: Sequence[Pixels]) -> Floats | None:
        return None if self._choices.at is None else targets.points(pictures, self._choices.at)

    def _channels(self, picture: Pixels) -> Pixels:
        """Four channels for a network that takes four, else three."""
        if self.input_shape[2] != 4:  # noqa: PLR2004 (RGBA)
            return picture[..., :3]
        opaque = np.full((*picture.shape[:2], 1), 255, np.uint8)
        return picture if picture.shape[2] == 4 else np.concatenate([picture, opaque], axis=2)  # noqa: PLR2004

    def _prepared(self, pixels: Pixels, channels: int) -> Floats:
        return preprocess.apply(self.preprocessing.preprocessing, pixels, channels=channels)

    def scores(self, inputs: Floats) -> Floats:
        """Compute the class scores, (n, classes): logits where the network has them."""
        return self._outcome(lambda: inputs)[0].scores

    def _outcome(self, inputs: Callable[[], Floats], points: Floats | None = None) -> tuple[targets.Outcome, Floats]:
        scores, ranks, areas = self._traced.run(
            ("scores",), lambda forward, _: numbers(forward), inputs=inputs, forms=_none, points=points
        )
        return targets.Outcome(scores, areas if areas.size else None), ranks

    def activations(self, inputs: Floats, layers: Sequence[str]) -> Mapping[str, Floats]:
        """Compute the outputs of layers, each (n, h, w, c)."""

        def body(forward: Forward, _: Any) -> Any:
            return {path: graph.float32(tensor) for path, tensor in self._tensors(forward, layers).items()}

        found = self._traced.run(("activations", *layers), body, inputs=lambda: inputs, forms=_none)
        return {path: self._channels_last(path, features) for path, features in found.items()}

    def layer_gradients(self, batch: Batch, layers: Sequence[str]) -> Mapping[str, tuple[Floats, Floats]]:
        """Compute features and the gradients of each row's score by them, each (rows, h, w, c)."""

        def body(forward: Forward, values: Any) -> Any:
            tensors = self._tensors(forward, layers)
            features = {path: graph.float32(tensor) for path, tensor in tensors.items()}
            return features, graph.slopes(values, tensors)

        features, gradients = self._explained(batch, ("layer gradients", *layers), body)
        rows = len(batch.targets or ()) // batch.images
        return {
            path: (
                self._channels_last(path, values if rows == 1 else np.repeat(values, rows, axis=0)),
                self._channels_last(path, gradients[path]),
            )
            for path, values in features.items()
        }

    def input_gradients(self, batch: Batch) -> Floats:
        """Compute the gradients of each row's score by the input, (rows, h, w, c)."""
        found = self._explained(
            batch, ("input gradients",), lambda forward, values: graph.slopes(values, {"": forward.pixels})
        )
        return np.asarray(found[""])

    def _explained(self, batch: Batch, key: tuple[Any, ...], body: Callable[[Forward, Any], Any]) -> Any:
        """Run a function of the scores of the batch's targets, and fill in its scores and targets."""
        forms = targets.Forms.of(batch.wanted)

        def whole(forward: Forward, given: Any) -> Any:
            best, values = graph.chosen(forward.scored, forms.top, given)
            return numbers(forward), best, body(forward, values)

        (scores, _, areas), best, found = self._traced.run(
            (*key, forms.top, len(forms.given)),
            whole,
            inputs=lambda: batch.inputs,
            forms=lambda: forms.matrix(self.head, self.name),
            given=len(forms.given),
            points=batch.points,
        )
        self._describe(batch, targets.Outcome(scores, areas if areas.size else None), best, forms)
        return found

    def _describe(self, batch: Batch, outcome: targets.Outcome, best: Any, forms: targets.Forms) -> None:
        batch.scores, batch.areas = outcome.scores, outcome.areas
        batch.targets = targets.Describer(self.head, self.labels).rows(outcome, best, forms.given)

    def predict(self, batch: Batch) -> None:
        """Fill the scores and targets of a batch, unless a pass has done so."""
        if batch.targets is None:
            forms = targets.Forms.of(batch.wanted)
            forms.matrix(self.head, self.name)  # refuses a class that does not exist
            outcome, ranks = self._outcome(lambda: batch.inputs, batch.points)
            self._describe(batch, outcome, targets.ranked(ranks, forms.top), forms)

    def best(self, batch: Batch, count: int) -> list[tuple[Target, ...]]:
        """Describe the `count` best classes of each image of a batch that has scores."""
        self.predict(batch)
        assert batch.scores is not None  # noqa: S101 (predict fills it)
        outcome = targets.Outcome(batch.scores, batch.areas)
        ranks = batch.scores if batch.areas is None or batch.points is not None else batch.areas
        indices = targets.ranked(ranks, min(count, self.head.classes))
        rows = targets.Describer(self.head, self.labels).rows(outcome, indices)
        width = indices.shape[1]
        return [rows[start : start + width] for start in range(0, len(rows), width)]

    def predicted(self, picture: Pixels, mode: Preprocessing, count: int) -> tuple[Target, ...]:
        """Describe the `count` best classes of one picture under another preprocessing."""
        pixels = preprocess.resize(self._channels(picture), self.input_size)[np.newaxis]
        inputs = preprocess.apply(mode, pixels, channels=self.input_shape[2])
        outcome, ranks = self._outcome(lambda: inputs, self._points([picture]))
        best = targets.ranked(ranks, min(count, self.head.classes))
        return targets.Describer(self.head, self.labels).rows(outcome, best)

    def _tensors(self, forward: Forward, wanted: Sequence[str]) -> dict[str, Any]:
        argument = self.origin.path or self.name
        wanted = wanted or [self.default_layer().value]
        paths = layer_names.find(self.layers(), wanted, self.name, argument, used=self.survey.used)
        for path in paths:
            if forward.taps[path].tensor.graph is not forward.pixels.graph:
                raise LayerError(
                    f"layer {path!r} runs inside a loop or branch of the model", hint="choose another layer"
                )
        return {path: forward.taps[path].tensor for path in paths}

    def _channels_last(self, path: str, maps: Floats) -> Floats:
        return np.ascontiguousarray(np.moveaxis(maps, 1, 3)) if path in self.survey.first else maps


def _none() -> Floats:
    """No linear form."""
    return np.zeros((0, 1), np.float32)
