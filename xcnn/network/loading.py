"""Loading a model file that passed preflight."""

from __future__ import annotations

import re
import warnings
from typing import TYPE_CHECKING, Any

from xcnn.errors import ModelError

if TYPE_CHECKING:
    from xcnn.network.preflight import ModelFile


def load(file: ModelFile) -> Any:
    """Load a model without its training state and without running any code from the file.

    Returns
    -------
    keras.Model

    Raises
    ------
    ModelError
        With Keras's own words, shortened.
    """
    import keras

    try:
        with warnings.catch_warnings():
            # Keras warns about missing compile information and odd optimizer state: neither matters here.
            warnings.simplefilter("ignore")
            if file.kind == "h5" and file.path.suffix not in {".h5", ".hdf5"}:
                return _by_content(file)
            return keras.saving.load_model(file.path, compile=False, safe_mode=True)
    except Exception as error:
        words = re.sub(r"\s+", " ", str(error)).strip()
        raise ModelError(
            f"Keras {keras.__version__} can't load {file.path}: {type(error).__name__}: {words[:300]}",
            hint="open it with the Keras that saved it and save it again as .keras",
        ) from error


def _by_content(file: ModelFile) -> Any:
    """Load an HDF5 file whatever its suffix: Keras goes by the name."""
    import tempfile
    from pathlib import Path

    import keras

    with tempfile.TemporaryDirectory() as folder:
        link = Path(folder) / "model.h5"
        link.symlink_to(file.path.resolve())
        return keras.saving.load_model(link, compile=False, safe_mode=True)
