"""A Keras model as a `Network`: traced once per question, called once per batch."""

from __future__ import annotations

from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xcnn.errors import LayerError
from xcnn.network import ascent, graph, preprocess, rules, steps, targets
from xcnn.network import layers as layer_names
from xcnn.network.keras_model import KerasModel
from xcnn.network.targets import coefficients
from xcnn.network.trace import NOTHING
from xcnn.network.tracing import numbers
from xcnn.plugin import Batch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.network.survey import Forward
    from xcnn.plugin import GradientRule, Patterns, Preprocessing, Recipe, Step, Target
    from xcnn.values import Floats, Pixels


class KerasNetwork(KerasModel):
    """A Keras model as explainers see it: what it is, and what it computes."""

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

    def scores(
        self, inputs: Floats, points: Floats | None = None, *, replace: Mapping[str, Floats] | None = None
    ) -> Floats:
        """Compute the class scores, (n, classes): logits where the network has them.

        Parameters
        ----------
        inputs : (n, h, w, c) float32 ndarray
            What the network receives, preprocessed.
        points : (n, 2) float32 ndarray, optional
            As in `Batch`, for networks that are explained at a place.
        replace : mapping of str to float32 ndarray, optional
            What layers hand on instead of what they compute, (n, ...) with the channels last.

        Raises
        ------
        LayerError
            If a layer is unknown, has an output of another shape, or does not influence the scores.
        """
        edited = dict(self._edited(path, values, len(inputs)) for path, values in (replace or {}).items())
        return self._outcome(lambda: inputs, points, edited)[0].scores

    def _edited(self, path: str, values: Floats, count: int) -> tuple[str, Floats]:
        """The full path of a layer, and its new output as the model makes it."""
        layer = self.layer(path)
        if layer.path not in self.survey.used:
            raise LayerError(f"the class scores do not depend on the output of layer {layer.path!r}")
        wanted = (count, *layer.shape)
        fits = len(wanted) == values.ndim and layer.shape
        if not fits or any(side not in {None, own} for side, own in zip(wanted, values.shape, strict=True)):
            given, own = ("x".join("?" if side is None else str(side) for side in it) for it in (values.shape, wanted))
            raise LayerError(f"layer {layer.path!r} returns {own}, it can't be replaced by {given}")
        return layer.path, np.moveaxis(values, -1, 1) if layer.path in self.survey.first else values

    def _outcome(
        self, inputs: Callable[[], Floats], points: Floats | None = None, replace: Mapping[str, Floats] = NOTHING
    ) -> tuple[targets.Outcome, Floats]:
        scores, ranks, areas = self._traced.run(
            ("scores",),
            lambda forward, _: numbers(forward),
            inputs=inputs,
            forms=_none,
            points=points,
            replace=replace,
        )
        return targets.Outcome(scores, areas if areas.size else None), ranks

    def activations(self, inputs: Floats, layers: Sequence[str]) -> Mapping[str, Floats]:
        """Compute the outputs of layers, each (n, h, w, c)."""

        def body(forward: Forward, _: Any) -> Any:
            return {path: graph.float32(tensor) for path, tensor in self._tensors(forward, layers).items()}

        found = self._traced.run(("activations", *layers), body, inputs=lambda: inputs, forms=_none)
        return {path: self._channels_last(path, features) for path, features in found.items()}

    def layer_gradients(
        self, batch: Batch, layers: Sequence[str], rule: str | GradientRule = "plain"
    ) -> Mapping[str, tuple[Floats, Floats]]:
        """Compute features and the gradients of each row's score by them, under a rule, each (rows, h, w, c)."""
        found = rules.find(rule, self._rules)

        def body(forward: Forward, values: Any) -> Any:
            tensors = self._tensors(forward, layers)
            features = {path: graph.float32(tensor) for path, tensor in tensors.items()}
            return features, self._slopes(forward, values, tensors, found)

        features, gradients = self._explained(batch, ("layer gradients", found, *layers), body)
        rows = len(batch.targets or ()) // batch.images
        return {
            path: (
                self._channels_last(path, values if rows == 1 else np.repeat(values, rows, axis=0)),
                self._channels_last(path, gradients[path]),
            )
            for path, values in features.items()
        }

    def input_gradients(self, batch: Batch, rule: str | GradientRule = "plain") -> Floats:
        """Compute the gradients of each row's score by the input, (rows, h, w, c).

        Parameters
        ----------
        batch : Batch
            Its scores and targets are filled.
        rule : str or GradientRule
            "plain", "guided" or "deconv" as `xcnn.network.rules` defines them, the name of one that a plugin brings, or
            a rule itself.

        Raises
        ------
        OptionError
            If there is no such rule.
        MisfitError
            If the network lacks something for it.
        """
        found = rules.find(rule, self._rules)

        def body(forward: Forward, values: Any) -> Any:
            return self._slopes(forward, values, {"": forward.pixels}, found)

        return np.asarray(self._explained(batch, ("input gradients", found), body)[""])

    def _slopes(self, forward: Forward, values: Any, tensors: dict[str, Any], rule: GradientRule | None) -> Any:
        """The gradients of scores by tensors of a trace, under a rule."""
        if rule:
            rules.apply(rule, self._steps(forward), self.survey.head, self.survey.rectifiers)
        shares = forward.logits if rule and rule.start == "score" else None
        return graph.slopes(values, tensors, shares=shares)

    def lacks(self, rule: str | GradientRule) -> str | None:
        """Say what the network lacks for a rule of gradients; None when nothing."""
        found, survey = rules.find(rule, self._rules), self.survey
        return rules.lacking(found, self._first_steps, survey.head, survey.rectifiers) if found else None

    @cached_property
    def _first_steps(self) -> tuple[Step, ...]:
        """The steps of the first trace: those of every other are the same."""
        return self._steps(self.survey.forward)

    def _steps(self, forward: Forward) -> tuple[Step, ...]:
        def ends() -> tuple[Any, Any]:
            channels = self.input_shape[2]
            colours = [np.full((1, 1, 1, 4 if channels == 4 else 3), end, np.uint8) for end in (0, 255)]  # noqa: PLR2004 (RGBA)
            black, white = (graph.spread(self._prepared(colour, channels), self.input_size) for colour in colours)
            return black, white

        return steps.along(forward, ends)

    def gradients(self, inputs: Floats, targets: Sequence[Target], points: Floats | None = None) -> Floats:
        """Compute the gradients of targets by given inputs, (n, targets, h, w, c).

        Parameters
        ----------
        inputs : (n, h, w, c) float32 ndarray
            What the network receives, preprocessed.
        targets : sequence of Target
            The linear forms of the scores; they stay what they are, whatever the network makes of the inputs.
        points : (n, 2) float32 ndarray, optional
            As in `Batch`.
        """
        if not targets:
            return np.zeros((len(inputs), 0, *inputs.shape[1:]), np.float32)
        count = len(targets)

        def body(forward: Forward, given: Any) -> Any:
            _, values = graph.chosen(forward.scored, 0, given)
            return graph.slopes(values, {"": forward.pixels})[""]

        found = self._traced.run(
            ("gradients", count),
            body,
            inputs=lambda: inputs,
            forms=lambda: coefficients(targets, self.head.classes),
            given=count,
            points=points,
        )
        return np.asarray(found).reshape(len(inputs), count, *inputs.shape[1:])

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

    def ascend(
        self,
        layer: str,
        channels: Sequence[int | str],
        recipe: Recipe,
        *,
        rng: np.random.Generator,
        progress: Callable[[int, int], None],
    ) -> Patterns:
        """Find the inputs that excite channels of a layer most, by gradient ascent."""
        return ascent.ascend(self, layer, channels, recipe, rng=rng, progress=progress)

    @property
    def given(self) -> list[Floats]:
        """The values of the inputs that do not receive the picture, one row each."""
        return self._traced.given

    def forward(self, pixels: Any, points: Any, given: Sequence[Any]) -> Forward:
        """Run the model once inside a trace that is being made."""
        return self._traced.forward(pixels, points, given)

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
