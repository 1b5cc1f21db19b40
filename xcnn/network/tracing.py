"""A Keras model inside TensorFlow functions: traced once per question, called once per batch."""

from __future__ import annotations

import re
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import tensorflow as tf

from xcnn.errors import ModelError, OptionError, plain_words
from xcnn.network import graph, heads, preprocess, trace
from xcnn.network.survey import Forward, Survey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.network.choices import Choices
    from xcnn.network.inputs import ImageInputs, Slot
    from xcnn.values import Floats, Pixels

    Body = Callable[[Forward, Any], Any]


class TracedModel:
    """The traces of one model, one per key, and what the first of them told.

    Parameters
    ----------
    model : keras.Model
        Left as it was found.
    name : str
        What messages call it.
    inputs : ImageInputs
        What it is fed.
    choices : Choices
        Which output is explained, on what, and the values of inputs that do not take the picture.
    prepare : callable
        Turns (n, h, w, 3) uint8 pixels into inputs; asked after the first trace.

    Attributes
    ----------
    traces : int
        How many times the model has been traced.
    at_once : int
        How many rows are computed at a time because memory had no room for more; 0 while it has.
    """

    def __init__(
        self,
        model: Any,
        name: str,
        inputs: ImageInputs,
        *,
        choices: Choices,
        prepare: Callable[[Pixels, int], Floats],
    ) -> None:
        self.traces = 0
        self.at_once = 0
        self._model = model
        self._name = name
        self._inputs = inputs
        self._choices = choices
        self._prepare = prepare
        self._survey: Survey | None = None
        self._functions: dict[tuple[Any, ...], Any] = {}

    @property
    def survey(self) -> Survey:
        """What the first trace told; the scores are traced when nothing has been."""
        if self._survey is None:
            self._function(("scores",), lambda forward, _: numbers(forward), given=0)
        assert self._survey is not None  # noqa: S101 (every trace fills it)
        return self._survey

    def run(
        self,
        key: tuple[Any, ...],
        body: Body,
        *,
        inputs: Callable[[], Floats],
        forms: Callable[[], Floats],
        given: int = 0,
        points: Floats | None = None,
        replace: Mapping[str, Floats] = trace.NOTHING,
    ) -> Any:
        """Compute something from one forward pass, or from one for each half where memory has no room for all rows.

        Parameters
        ----------
        key : tuple
            Names the function; it is traced the first time.
        body : callable
            Makes tensors of a `Forward` and of the linear forms, inside the trace.
        inputs : callable
            Gives (n, h, w, c) float32 once the trace is made: preprocessing may be decided by it.
        forms : callable
            Gives (given, classes) float32: linear forms of the scores.
        given : int
            How many forms there are.
        points : (n, 2) ndarray, optional
            For maps, the place to explain.
        replace : mapping of str to ndarray
            What calls of layers hand on instead of their own outputs, by path; shaped as the layers make them.

        Returns
        -------
        nested structure of ndarray

        Raises
        ------
        MemoryError
            If there is no room for a single row.
        """
        function = self._function((*key, *replace), body, given=given, replace=tuple(replace))
        linear = forms()
        values = inputs()
        places = np.zeros((len(values), 2), np.float32) if points is None else points
        parts: list[Any] = []
        most, start = self.at_once or max(1, len(values)), 0
        while start < len(values) or not parts:
            some = slice(start, start + most)
            edited = (array[some] for array in replace.values())
            try:
                parts.append(graph.called(function, values[some], linear, places[some], *self.given, *edited))
            except MemoryError:
                if len(values[some]) <= 1:
                    raise
                most = self.at_once = len(values[some]) // 2
            else:
                start += most
        return parts[0] if len(parts) == 1 else tf.nest.map_structure(lambda *rows: np.concatenate(rows), *parts)

    def _function(self, key: tuple[Any, ...], body: Body, *, given: int, replace: Sequence[str] = ()) -> Any:
        """Trace the model once per key: a concrete function of pixels, linear forms, points and the given inputs.

        And of what calls of layers hand on instead of their own outputs, where paths are named in `replace`.
        """
        if key not in self._functions:
            pixels, *extras = self._inputs.signature()
            replaced = [tf.TensorSpec(self.survey.shape(path)) for path in replace]
            signature = [pixels, tf.TensorSpec([given, None]), tf.TensorSpec([None, 2]), *extras, *replaced]

            def whole(inputs: Any, forms: Any, points: Any, *values: Any) -> Any:
                others = dict(zip(replace, values[len(extras) :], strict=True))
                return body(self.forward(inputs, points, values[: len(extras)], others), forms)

            with trace.inlined():
                self._functions[key] = tf.function(whole, signature, autograph=False).get_concrete_function()
        return self._functions[key]

    def forward(
        self, pixels: Any, points: Any, given: Sequence[Any], replace: Mapping[str, Any] = trace.NOTHING
    ) -> Forward:
        """Run the model once inside a trace that is being made."""
        with trace.tapped(self._model, first=self._inputs.first, replace=replace) as taps:
            try:
                outputs = self._model(self._inputs.structured(pixels, given), training=False)
            except Exception as error:
                words = re.split(r"\s+for '?\{\{node| Arguments received", plain_words(error))[0]
                size = "x".join(map(str, self._inputs.size))
                hint = f"it may not take pictures of {size}: try another --input-size" if self._inputs.any_size else ""
                raise ModelError(f"{self._name} can't be run: {type(error).__name__}: {words}", hint=hint) from error
        self.traces += 1
        names = getattr(self._model, "output_names", None) or ()
        output, name, every = trace.one_output(outputs, names, self._choices.output)
        logits, squash = trace.before_squash(output)
        scored = heads.scored(
            output,
            logits,
            squash,
            on=self._choices.on,
            points=None if self._choices.at is None else points,
            source=self._inputs.size,
        )
        forward = Forward(pixels, taps.named(), scored, logits)
        if self._survey is None:
            self._survey = Survey.of(forward, taps, outputs=every, output=name)
        return forward

    @cached_property
    def given(self) -> list[Floats]:
        """The values of the inputs that do not receive the picture, one row each."""
        slots = [self._inputs.slots[place] for place in self._inputs.given]
        return [self._row(slot, np.asarray(self._choices.inputs[slot.name])) for slot in slots]

    def _row(self, slot: Slot, value: Any) -> Floats:
        if value.dtype == np.uint8 and value.ndim == len(slot.shape) == 3:  # noqa: PLR2004 (a picture)
            size = slot.shape[0] or self._inputs.size[0], slot.shape[1] or self._inputs.size[1]
            value = self._prepare(preprocess.resize(value, size)[np.newaxis], slot.shape[2] or 3)
        elif value.ndim == len(slot.shape):
            value = value[np.newaxis]
        fits = len(value) == 1 and value.ndim == len(slot.shape) + 1
        if not fits or any(side not in {None, own} for side, own in zip(slot.shape, value.shape[1:], strict=True)):
            shape = "x".join(map(str, value.shape))
            raise OptionError(f"the values for input {slot.name!r} are {shape}; it takes {slot.words}")
        return np.asarray(value, np.float32)


def numbers(forward: Forward) -> Any:
    """The scores of a pass, what the best classes are chosen by, and the areas of maps (empty for vectors)."""
    scored = forward.scored
    return scored.scores, scored.ranks, tf.zeros([0]) if scored.areas is None else scored.areas
