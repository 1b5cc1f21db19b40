"""The classifiers of ``keras.applications``, built from Keras's own cache of weights.

Keras deletes a cached file whose digest is not the one it expects. So the file is found and read here, and Keras's
downloader is called only when there is none.
"""

from __future__ import annotations

import hashlib
import io
import os
import sys
from contextlib import redirect_stdout, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError, UnsafeModelError, did_you_mean, plain_words
from xcnn.network import hdf5, preprocess
from xcnn.network.application_table import applications
from xcnn.plugin import NamedModel

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from xcnn.network.application_table import Application, Weights

SUBFOLDER = "models"
CHUNK = 2**20
MD5_LENGTH = 32
RESCALED_TWICE = "EfficientNetB"
"""Their ImageNet weights want pixels divided by the root of the deviation twice; the second time is no weight."""


@dataclass(frozen=True)
class Built:
    """A model and the weights file it was built from."""

    model: Any
    path: Path
    sha256: str
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def named_models(labels: Callable[[], tuple[str, ...]]) -> tuple[NamedModel, ...]:
    """Make every application a `NamedModel` whose ``path`` is its weights file, there or to come."""
    modes = {mode.name: mode for mode in preprocess.BUILTIN}
    return tuple(
        NamedModel(
            name=one.name,
            summary="ImageNet classifier of keras.applications",
            size=(one.size, one.size),
            preprocessing=modes[one.preprocessing],
            licence=one.licence,
            path=partial(weights_path, one.weights),
            labels=labels,
            parameters=one.parameters,
            build=partial(build, one.name),
        )
        for one in applications()
    )


def build(name: str, *, top: bool = True) -> Built:
    """Build an application with its ImageNet weights, downloading them when they are in none of Keras's caches.

    Parameters
    ----------
    name : str
        Its function's name in lower case, such as "vgg16".
    top : bool
        With the classifier. Without, the input may have any size; the whole model is taken where only its weights are
        in Keras's cache.

    Raises
    ------
    ModelError
        If there is no such application, or its weights can be neither found, downloaded nor loaded.
    UnsafeModelError
        If the weights file refers to other files.
    """
    application = _application(name)
    cached = {part: weights_path(part).is_file() for part in (application.weights, application.headless)}
    top = top or (cached[application.weights] and not cached[application.headless])
    wanted = application.weights if top else application.headless
    path = weights_path(wanted)
    if not path.is_file():
        path = _download(wanted, application.name)
    sha256, official = _digests(path, wanted.digest)
    warnings = () if official else (f"{path} is used as it is: its hash is not the official one of {application.name}",)
    notes = () if wanted.digest else (f"Keras states no hash for {wanted.file}, so it can't be checked",)
    sure = official and wanted.digest
    try:
        hdf5.read(path)
        model = _construct(application, path, top=top)
    except UnsafeModelError:
        raise
    except Exception as error:
        raise ModelError(
            f"{path} can't be loaded as the weights of {application.name}: "
            f"{type(error).__name__}: {plain_words(error)}",
            hint="" if sure else f"move {path} away, to have it downloaded again",
        ) from error
    return Built(model, path, sha256, warnings, notes)


def weights_path(weights: Weights) -> Path:
    """Where a weights file is, or where Keras would look for it first."""
    places = [folder / SUBFOLDER / weights.file for folder in _caches()]
    return next((place for place in places if place.is_file()), places[0])


def _caches() -> Iterator[Path]:
    """Keras's folder, and the one it uses instead when that can't be written."""
    home = Path(os.environ.get("KERAS_HOME") or "~/.keras")
    with suppress(RuntimeError):  # no home folder
        home = home.expanduser()
    yield home
    if home.exists() and not os.access(home, os.W_OK):
        import tempfile

        shared = Path("/tmp")  # noqa: S108 (Keras's own choice; the digest tells when a file there is not the official one)
        yield (shared if shared.is_dir() else Path(tempfile.gettempdir())) / ".keras"


def _application(name: str) -> Application:
    known = {one.name: one for one in applications()}
    if name not in known:
        raise ModelError(
            f"keras.applications has no {name!r}", hint=did_you_mean(name, known, "list them with: xcnn models")
        )
    return known[name]


def _digests(path: Path, official: str) -> tuple[str, bool]:
    """Read a file once for its sha256, and for whether its digest is the official one; True where there is none."""
    sha256 = hashlib.sha256()
    md5 = hashlib.md5(usedforsecurity=False)
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                sha256.update(chunk)
                if len(official) == MD5_LENGTH:
                    md5.update(chunk)
    except OSError as error:
        raise ModelError(f"can't read the weights {path}: {error.strerror}") from error
    found = md5 if len(official) == MD5_LENGTH else sha256
    return sha256.hexdigest(), official in {"", found.hexdigest()}


def _download(weights: Weights, name: str) -> Path:
    """Have Keras download a file under a name of its own, so that an interrupted one is never taken for the whole."""
    import keras

    home = next(_caches())
    with suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)  # Keras takes a missing folder for one that it can't write to
    part = f"{weights.file}.{os.getpid()}.part"
    # Standard output is for answers; a progress bar makes sense on a terminal only.
    screen = sys.stderr if sys.stderr is not None and sys.stderr.isatty() else io.StringIO()
    try:
        with redirect_stdout(screen):
            path = Path(
                keras.utils.get_file(
                    part,
                    weights.url,
                    cache_subdir=SUBFOLDER,
                    cache_dir=str(home),
                    file_hash=weights.digest or None,
                )
            )
        return path.replace(path.with_name(weights.file))
    except Exception as error:
        reason = plain_words(error).rpartition(" -- ")[2]  # Keras puts the URL before it
        raise ModelError(
            f"the weights of {name} are not in Keras's cache and can't be downloaded: {reason}",
            hint=f"download {weights.url} elsewhere and put it at {home / SUBFOLDER / weights.file}",
        ) from error
    finally:
        for folder in _caches():
            with suppress(OSError):
                (folder / SUBFOLDER / part).unlink(missing_ok=True)


def _construct(application: Application, path: Path, *, top: bool) -> Any:
    import keras

    size = (application.size, application.size, 3) if top else None
    build = getattr(keras.applications, application.function)
    model = build(weights=str(path), include_top=top, input_shape=size)
    if application.function.startswith(RESCALED_TWICE):
        # Keras adds a layer for it, but only when it finds the weights itself.
        normalization = next(layer for layer in model.layers if isinstance(layer, keras.layers.Normalization))
        mean, variance, *count = normalization.get_weights()
        normalization.set_weights([mean, variance * preprocess.IMAGENET_STD, *count])
        normalization.finalize_state()
    return model
