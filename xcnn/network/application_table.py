"""The classifiers of ``keras.applications`` as data, without Keras.

The numbers are those of Keras 3.15.1; a test compares them with the installed Keras. The licences are those that the
documentation of Keras states for the weights; where it states none, the one of the original weights is named.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

FILE = Path(__file__).parent.parent / "data" / "applications.csv"


@dataclass(frozen=True)
class Weights:
    """A weights file: its name in Keras's cache, where Keras downloads it, and its digest."""

    file: str
    url: str
    digest: str
    """md5 or sha256; empty where Keras states none, as for MobileNet and MobileNetV2."""


@dataclass(frozen=True)
class Application:
    """One classifier: its function in ``keras.applications`` and what is known about its ImageNet weights."""

    function: str
    size: int
    """Side of the square input it was trained for."""
    parameters: int
    preprocessing: str
    """The name of one of `xcnn.network.preprocess.BUILTIN`; "none" for those that rescale pixels themselves."""
    licence: str
    weights: Weights
    headless: Weights
    """The same without the classifier."""

    @property
    def name(self) -> str:
        """What a user types."""
        return self.function.lower()


def applications() -> tuple[Application, ...]:
    """Read the table."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return tuple(_application(row) for row in csv.DictReader(file))


def _application(row: dict[str, str]) -> Application:
    return Application(
        row["function"],
        int(row["size"]),
        int(row["parameters"]),
        row["preprocessing"],
        row["licence"],
        Weights(row["file"], row["url"], row["digest"]),
        Weights(row["file_without_top"], row["url_without_top"], row["digest_without_top"]),
    )
