"""What a Keras model is: its inputs, layers, head and preprocessing, as its file and the first trace tell."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from xcnn.errors import MisfitError
from xcnn.network import convolutions, preprocess, targets
from xcnn.network import labels as names
from xcnn.network import layers as layer_names
from xcnn.network.about import described, noted
from xcnn.network.choices import Choices
from xcnn.network.inputs import ImageInputs
from xcnn.network.tracing import TracedModel
from xcnn.plugin import Choice

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from xcnn.network.heads import Head
    from xcnn.network.origin import Origin
    from xcnn.network.survey import Survey
    from xcnn.plugin import GradientRule, Layer, NamedModel, Rectifiers
    from xcnn.values import Floats, Pixels

IMAGENET = 1000


class KerasModel:
    """What is known of a Keras model before it computes anything; the model itself is left as it was found.

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
    rules : callable
        Gives the gradient rules by name, those of plugins included; called for a name that is not built in.

    Raises
    ------
    ModelError
        If it does not take two-dimensional images.
    """

    def __init__(
        self,
        model: Any,
        origin: Origin,
        *,
        named: NamedModel | None = None,
        choices: Choices | None = None,
        rules: Callable[[], Mapping[str, GradientRule]] = dict,
    ) -> None:
        self.model = model
        self.origin = origin
        self.name = origin.name
        self._named = named
        self._choices = choices or Choices()
        self._rules = rules
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
        some = self._traced.at_once
        short = f"memory was short: at most {some} inputs were computed at a time" if some else ""
        return tuple(filter(None, (*self.origin.warnings, *self.inputs.warnings, self.preprocessing.warning, short)))

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

    @property
    def colours(self) -> Literal["rgb", "bgr"]:
        """The order in which it receives the colours, where it has three channels."""
        return self.preprocessing.preprocessing.channels

    def layers(self) -> tuple[Layer, ...]:
        """List every call of every layer in execution order, nested ones as ``outer/inner``."""
        return self.survey.layers

    def layer(self, path: str) -> Layer:
        """Find one layer by its path, or by a bare name that only one has; LayerError when there is none."""
        return layer_names.one(self.layers(), path, self.name, self.origin.path)

    def default_layer(self) -> Choice:
        """Pick the layer that explainers look at unless told otherwise; LayerError when there is none."""
        survey = self.survey
        if self._choices.layer:
            path, reason = self._choices.layer
            return Choice(layer_names.find(survey.layers, [path], self.name, self.origin.path)[0], reason)
        return layer_names.default(self._used(), self.name, smallest=survey.head.size is not None)

    def maps(self) -> tuple[Layer, ...]:
        """List the leaf layers that make a map of more than one position which the scores depend on."""
        return layer_names.maps(self._used())

    def _used(self) -> tuple[Layer, ...]:
        survey = self.survey
        return tuple(layer for layer in survey.layers if layer.path in survey.used)

    def pooled(self) -> tuple[str, ...]:
        """The layers whose maps are averaged and then only weighed linearly, in the order of the head.

        The gradients of a score by such a layer are the same at each position: their sum over the positions is the
        weight of each map.

        Raises
        ------
        MisfitError
            Saying what the head is, if it is another one.
        """
        pooling = self.survey.pooling
        if not pooling.layers:
            raise MisfitError(f"class activation mapping needs pooled maps: {pooling.reason}", hint="try gradcam")
        if self.head.on == "probability":
            raise MisfitError("class activation mapping weighs logits", hint="leave out --on probability")
        return pooling.layers

    def rectifiers(self) -> Rectifiers:
        """Count the non-linearities that guided rules act on, and the others."""
        return self.survey.rectifiers

    def kernels(self, layer: str) -> Floats:
        """The weights of a convolution, (height, width, channels in, channels out).

        Raises
        ------
        LayerError
            For a layer that is unknown or no convolution.
        """
        return convolutions.kernels(self.survey.objects, layer, self.name, self.origin.path)

    def label(self, index: int) -> str:
        """The name of a class."""
        return targets.Describer(self.head, self.labels).label(index)

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

    def _prepared(self, pixels: Pixels, channels: int) -> Floats:
        return preprocess.apply(self.preprocessing.preprocessing, pixels, channels=channels)
