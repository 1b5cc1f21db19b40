"""What a user interface hears of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from xcnn.plugin import Failure, Network, Result


class Events(Protocol):
    """What a user interface hears of a run."""

    def started(self, total: int) -> None:
        """Pictures were found."""

    def opening(self, model: str) -> None:
        """The model is about to be loaded, which takes seconds."""

    def surveyed(self, network: Network) -> None:
        """The network has been traced: what was decided for the user is known."""

    def working(self, path: str) -> None:
        """The results of this picture are about to be written."""

    def progressed(self, explainer: str, done: int, total: int) -> None:
        """An explainer has done a part of its steps."""

    def explained(self, results: Sequence[Result]) -> None:
        """All results of one picture, or of the model, are there."""

    def failed(self, failure: Failure) -> None:
        """A picture could not be explained."""

    def noted(self, text: str) -> None:
        """Something about the report must be known."""


class Silent:
    """Hears nothing."""

    def __getattr__(self, _: str) -> Any:
        return lambda *_: None
