"""From the word a user gives for a model to a `Network`."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, OptionError, PluginError, UnknownClassError, did_you_mean
from xcnn.network import custom, preflight, preprocess, sidecar, zoo
from xcnn.network import labels as label_files
from xcnn.network.choices import Choices
from xcnn.network.digest import Digest
from xcnn.network.preprocess import Decision

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from xcnn.host import Host
    from xcnn.network.custom import Supplied
    from xcnn.network.preflight import ModelFile
    from xcnn.network.sidecar import Sidecar
    from xcnn.plugin import GradientRule, NamedModel, Network
    from xcnn.request import ModelRequest, Request, Settings

STRETCH = "stretch"


@dataclass(frozen=True)
class Checked:
    """A model that may be opened: everything about it that can be checked without TensorFlow has been."""

    model: Any = None
    file: ModelFile | None = None
    named: NamedModel | None = None
    choices: Choices = Choices()  # noqa: RUF009 (frozen)
    fit: str = STRETCH
    supplied: tuple[Supplied, ...] = ()
    objects: Mapping[str, Any] = field(default_factory=dict)
    rules: Callable[[], Mapping[str, GradientRule]] = dict

    def told(self, word: object) -> str:
        """A word for it, and whether it is downloaded first."""
        return f"{word}{'' if self.named is None or self.named.cached else ', which is downloaded first'}"

    def open(self, pictures: tuple[int, int] | None = None, *, head: bool = True) -> Network:
        """Load it, which imports TensorFlow and takes seconds.

        `pictures` is the size of the first picture. Without ``head`` a named model may come without its classifier.
        """
        from xcnn.network import open_network

        choices = replace(self.choices, pictures=pictures, fit=self.fit)
        return open_network(
            self.model,
            file=self.file,
            named=self.named,
            choices=choices,
            supplied=self.supplied,
            objects=self.objects,
            head=head,
            rules=self.rules,
        )

    def sha256(self) -> str:
        """The hash of its file; "" where there is none, or it is still to be downloaded."""
        if self.file is not None:
            return self.file.sha256
        return Digest(self.named.path()).value() if self.named is not None and self.named.cached else ""

    def opened(self, sha256: str, pictures: tuple[int, int] | None = None) -> str:
        """Tell by a hash which model this is and what is said about it; "" where code of others has a part in it.

        ``sha256`` is that of its file, `pictures` the size of the first picture where the model depends on it.
        """
        if not sha256 or self.model is not None or self.supplied or self.objects:
            return ""
        arrays = {name: (array.shape, array.tobytes()) for name, array in self.choices.inputs.items()}
        said = replace(self.choices, pictures=pictures, fit=self.fit, inputs=arrays)
        name = self.named.name if self.named else self.file.path.name if self.file else ""
        return hashlib.sha256(repr((sha256, name, said)).encode("utf-8", "backslashreplace")).hexdigest()


def check(model: Any, settings: Settings, host: Host, *, hashed: bool = True) -> Checked:
    """Find a model by path or name, and what is said about it, and refuse what can't or must not be loaded.

    ``hashed`` begins to hash the model's file meanwhile; a command that only looks at it has no need of that.

    Raises
    ------
    ModelError, UnsafeModelError
        As `xcnn.network.preflight.inspect`.
    OptionError
        If a setting can't be followed: no such preprocessing, label file, input file, ...
    """
    said = Choices(
        preprocessing=_asked(settings.preprocess, host),
        labels=_labels(settings.labels),
        output=settings.output or "",
        on=settings.on,
        at=settings.at,
        input_size=settings.input_size,
        inputs=_inputs(settings),
    )
    fit, rules = settings.fit or STRETCH, partial(host.gradient_rules, extensions=True)
    if not isinstance(model, (str, Path)):
        if not hasattr(model, "get_layer"):
            raise ModelError(f"{type(model).__name__} is no Keras model", hint="give a path, a name or a keras.Model")
        return Checked(model, choices=said, fit=fit, rules=rules)
    named = _named(str(model), host)
    if named and named.build:
        return Checked(None, None, named, said, fit, rules=rules)
    path = named.path() if named else Path(model)
    supplied = custom.parse(settings.custom_objects)
    file, objects = _inspected(path, settings, supplied, host, hashed=hashed)
    if not named:
        beside = sidecar.read(path)
        said = _completed(said, beside, path, host)
        fit = settings.fit or (beside.fit if beside and beside.fit else STRETCH)
    _check_point(said, fit)
    return Checked(None, file, named, said, fit, supplied, objects, rules)


def _check_point(said: Choices, fit: str) -> None:
    if said.at is not None and fit != STRETCH:
        raise OptionError(
            f"--at counts pixels of the picture, which --fit {fit} cuts or widens", hint="leave out one of them"
        )


def _inspected(
    path: Path, settings: Settings, supplied: Sequence[Supplied], host: Host, *, hashed: bool
) -> tuple[ModelFile, Mapping[str, Any]]:
    """Inspect a model file; plugins are asked only for classes that are not known without them."""
    known = custom.names(supplied)
    limits: dict[str, Any] = {
        "trusted": settings.trust_model or "",
        "most_gigabytes": settings.max_model_gb,
        "hashed": hashed,
    }
    try:
        return preflight.inspect(path, known=known, **limits), {}
    except UnknownClassError:
        if supplied:  # the reason may be that they don't exist
            from xcnn.network import environment

            environment.prepare()
            custom.load(supplied)
        objects = host.custom_objects() if host.extensions else {}
        if not objects:
            raise
        return preflight.inspect(path, known=known | set(objects), **limits), objects


def located(request: Request | ModelRequest, host: Host) -> str:
    """Say what a request's word for a model means, without opening it.

    Raises
    ------
    ModelError
        If it means none.
    OptionError
        If there is no such preprocessing.
    """
    named = _named(request.model, host)
    _asked(request.preprocess, host)
    return Checked(named=named).told(named.name if named else request.model)


def model_file(word: str) -> Path | None:
    """The file that a word on the command line means as a model, without looking into it; None when it means none."""
    if word == zoo.EFFICIENTNET_LITE0.name:
        return zoo.EFFICIENTNET_LITE0.path()
    path = Path(word)
    return path if path.suffix.lower() in {".keras", ".h5", ".hdf5", ".json"} and path.is_file() else None


def _completed(said: Choices, beside: Sidecar | None, path: Path, host: Host) -> Choices:
    """Fill in what the user left open from the files beside a model."""
    if beside is None:
        found = None if said.labels else label_files.beside(path)
        return replace(said, labels=(label_files.read(found), found.name)) if found else said
    where = sidecar.place(path).name
    names = None if said.labels else sidecar.class_names(beside, path)
    return replace(
        said,
        preprocessing=said.preprocessing or _stated(beside, where, host),
        labels=said.labels or ((names, where) if names else None),
        layer=(beside.layer, f"as {where} says") if beside.layer else None,
        output=said.output or beside.output or "",
        input_size=said.input_size or beside.input_size,
        notes=tuple(f"{where}: {note}" for note in beside.notes),
    )


def _stated(beside: Sidecar, where: str, host: Host) -> Decision | None:
    mode = beside.preprocessing
    if mode is None or mode == preprocess.AUTO:
        return None
    return Decision(_preprocessing(mode, host) if isinstance(mode, str) else mode, f"as {where} says")


def _asked(word: str, host: Host) -> Decision | None:
    return None if word == preprocess.AUTO else Decision(_preprocessing(word, host), "asked for")


def _labels(words: Sequence[str]) -> tuple[tuple[str, ...], str] | None:
    """One word is a file, or imagenet; several are the names themselves."""
    if len(words) != 1:
        return (tuple(words), "--labels") if words else None
    word = words[0]
    if word == label_files.IMAGENET and not Path(word).exists():
        return label_files.imagenet(), "imagenet"
    return label_files.read(Path(word)), word


def _inputs(settings: Settings) -> Mapping[str, Any]:
    """Read ``NAME=FILE``: a picture as (h, w, 3) uint8, or the numbers of a .npy file."""
    found: dict[str, Any] = {}
    if not settings.input:  # which spares `xcnn layers` an import
        return found
    from xcnn.io import images
    from xcnn.io.reading import Reading

    how = replace(Reading.of(vars(settings)), frame=1)  # --frame is of the pictures that are explained
    for word in settings.input:
        name, sign, path = word.partition("=")
        if not (sign and name and path):
            raise OptionError(f"--input is {word!r}; it must be NAME=FILE", hint="list the inputs with: xcnn doctor")
        if name in found:
            raise OptionError(f"--input {name} is given twice", hint="give each input once")
        found[name] = images.numbers(path) if path.lower().endswith(".npy") else images.read(path, how).pixels
    return found


def _named(word: str, host: Host) -> NamedModel | None:
    builtin = host.models(extensions=False)
    if word in builtin:
        return builtin[word]
    if Path(word).exists():
        return None
    # Plugins are imported only for a name that the built-in ones don't explain.
    if found := zoo.find(word, builtin) or zoo.find(word, known := host.models(extensions=True)):
        return found
    if "://" in word:
        raise ModelError(f"{word} is a URL; xcnn opens files", hint="download the model first")
    if Path(word).suffix or "/" in word:
        raise ModelError(f"there is no model file {word}", hint="check the path, or see: xcnn models")
    if broken := next(iter(host.broken.values()), None):  # it may have been one of theirs
        raise PluginError(f"there is no model {word!r}, and {broken.message}", hint=broken.hint)
    raise ModelError(
        f"{word!r} is neither a model file nor a known name",
        hint=did_you_mean(word, known, "list them with: xcnn models"),
    )


def _preprocessing(word: str, host: Host) -> Any:
    for extensions in (False, True):
        known = host.preprocessors(extensions=extensions)
        if word in known:
            return known[word]
    if named := zoo.find(word, host.models(extensions=False)):
        return named.preprocessing
    if broken := next(iter(host.broken.values()), None):
        raise PluginError(f"there is no preprocessing {word!r}, and {broken.message}", hint=broken.hint)
    auto = preprocess.AUTO
    raise OptionError(
        f"there is no preprocessing {word!r}",
        hint=did_you_mean(word, [auto, *known, *host.models(extensions=False)], "one of " + ", ".join([auto, *known])),
    )
