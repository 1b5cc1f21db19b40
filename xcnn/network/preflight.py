"""Whether a model file may be loaded, and what exactly is to be loaded: decided without TensorFlow."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from xcnn.errors import ModelError, OptionError
from xcnn.network import entries, files, keras_layers, memory, safety, upgrade
from xcnn.network.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from pathlib import Path


@dataclass(frozen=True)
class ModelFile:
    """A model file that may be loaded."""

    path: Path
    kind: Literal["keras", "h5"]
    config: dict[str, Any] = field(repr=False)
    """What was checked, and what is to be loaded: the model's config in the words of today's Keras."""
    notes: tuple[str, ...]
    """What was changed in the config, for the user."""
    changed: bool
    """Whether the config differs from the one in the file."""
    weights: Path
    """The file that holds the weights: `path`, or the one beside an architecture in JSON."""
    trusted: bool
    """Whether the user vouched for this very file, so that its code may run."""
    shapes: Mapping[str, tuple[int, ...]] = field(repr=False, compare=False)
    """The shapes of the arrays in the weights file, by their path in it."""
    digest: Digest = field(repr=False, compare=False)

    @property
    def sha256(self) -> str:
        """The hash of the file, which a thread has been computing since `inspect`.

        Of a model in two files, it is that of the architecture followed by the weights.
        """
        return self.digest.value()


def inspect(
    path: Path, *, trusted: str = "", known: Collection[str] = (), most_gigabytes: float = 8, hashed: bool = True
) -> ModelFile:
    """Find out what a file is and refuse what can't or must not be loaded.

    Parameters
    ----------
    path : Path
        The file.
    trusted : str
        ``sha256:`` and the hash of a file whose code may run.
    known : collection of str
        Names of classes and functions that the user supplies.
    most_gigabytes : float
        The most memory that the parameters may take.
    hashed : bool
        Begin to compute the hash now, beside what follows; otherwise when it is asked for.

    Raises
    ------
    ModelError
        If the file is missing, no model, damaged, without architecture, or needs classes that Keras doesn't have.
    UnsafeModelError
        If a layer could run code or read files, or the file would take too much memory.
    OptionError
        If `trusted` is no hash, or that of another file.
    """
    found = files.find(path, most_gigabytes=most_gigabytes)
    if not isinstance(found.config.get("class_name"), str):
        raise ModelError(f"{found.path} has no model in its config")
    digest = Digest(found.path) if found.weights == found.path else Digest(found.path, found.weights)
    if hashed:
        digest.start()
    name = found.path.name
    vouched = _vouched(trusted, digest, name)
    try:
        nested_training = entries.drop_training(found.config)
        old = safety.code(found.config, known=known, final=False)
        if not vouched:
            safety.refuse_code(name, old, digest.value)
        safety.refuse_reading(name, found.config)
        new = upgrade.upgraded(found.config)
        if not vouched:
            safety.refuse_code(name, safety.code(new.config, known={*known, *upgrade.OWN}, final=True), digest.value)
        safety.refuse_reading(name, new.config)
        safety.refuse_unknown(name, new.config, {*known, *upgrade.OWN, *(keras_layers.UNSAFE if vouched else ())})
        memory.refuse_too_large(name, new.config, arrays=found.size, most_gigabytes=most_gigabytes)
    except RecursionError as error:
        raise ModelError(f"{found.path} has an unreadable config: it is nested too deeply") from error
    return ModelFile(
        path=found.path,
        kind=found.kind,
        config=new.config,
        notes=(*found.notes, *new.notes),
        changed=new.changed or nested_training,
        weights=found.weights,
        trusted=vouched,
        shapes=found.shapes,
        digest=digest,
    )


def _vouched(trusted: str, digest: Digest, name: str) -> bool:
    """Whether the user vouched for this very file."""
    if not trusted:
        return False
    if not re.fullmatch(r"sha256:[0-9a-fA-F]{64}", trusted):
        raise OptionError(
            f"{trusted!r} is no hash of a model", hint="give sha256: and the 64 digits that xcnn printed for this file"
        )
    if digest.value() != trusted.partition(":")[2].lower():
        raise OptionError(f"{name} is not the file with the hash {trusted}", hint="give the hash of this very file")
    return True
