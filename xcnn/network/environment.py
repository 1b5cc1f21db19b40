"""What is set before TensorFlow starts, and what is recorded about it."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from xcnn.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Iterator

QUIET = "3"


def prepare() -> None:
    """Choose Keras's backend, oneDNN and a silent log of TensorFlow, unless the user has said otherwise.

    Raises
    ------
    ModelError
        If Keras runs on another backend, or is switched to the legacy tf_keras, which ignores safe mode.
    """
    if os.environ.get("TF_USE_LEGACY_KERAS", "").lower() in {"1", "true"}:
        raise ModelError(
            "TF_USE_LEGACY_KERAS is set, and the legacy Keras loads unsafe files", hint="unset TF_USE_LEGACY_KERAS"
        )
    if "tensorflow" not in sys.modules:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", QUIET)
        # TensorFlow leaves it off on some processors. It is faster there, too, the only way to run convolutions with
        # their channels first, and makes the last digits differ less from one machine to another.
        os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    os.environ.setdefault("KERAS_BACKEND", "tensorflow")
    with quiet_startup():
        import keras
    if keras.backend.backend() != "tensorflow":
        raise ModelError(
            f"Keras runs on the {keras.backend.backend()} backend; xcnn needs tensorflow",
            hint="set KERAS_BACKEND=tensorflow",
        )


@contextmanager
def quiet_startup() -> Iterator[None]:
    """Keep what TensorFlow writes to file descriptor 2 while it is imported from the user's screen.

    Its first lines come before its own log level is read. They pass when the log level asks for them.
    """
    if os.environ.get("TF_CPP_MIN_LOG_LEVEL") != QUIET or "tensorflow" in sys.modules:
        yield
        return
    sys.stderr.flush()
    kept = os.dup(2)
    null = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(null)


def versions() -> dict[str, str]:
    """Versions and settings that decide the last digits of a result."""
    import keras
    import tensorflow as tf

    return {
        "keras": keras.__version__,
        "tensorflow": tf.__version__,
        "device": "gpu" if tf.config.list_physical_devices("GPU") else "cpu",
        # "all" is as many threads as processors; a sum over more of them rounds otherwise.
        "processors": str(os.cpu_count()),
        "intra_op_threads": str(tf.config.threading.get_intra_op_parallelism_threads() or "all"),
        "inter_op_threads": str(tf.config.threading.get_inter_op_parallelism_threads() or "all"),
        "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
    }
