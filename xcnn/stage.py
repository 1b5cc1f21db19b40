"""What a run works on: its network, opened when it is needed, and its folder, begun when there is something for it."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from xcnn import provenance
from xcnn.request import Request

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from xcnn.events import Events
    from xcnn.opening import Checked
    from xcnn.plugin import BaseExplainer, Network
    from xcnn.render.style import Style
    from xcnn.request import ModelRequest
    from xcnn.saving import Writer


@dataclass(frozen=True)
class Place:
    """Where a folder goes, how its pictures look, and which files of the user must not be in it."""

    out: Path
    style: Style
    overwrite: bool
    inputs: Sequence[str]


def style_of(request: Request | ModelRequest) -> Style:
    """How the pictures of a run look."""
    from xcnn.render.style import Style

    return Style(request.colormap, request.alpha) if isinstance(request, Request) else Style(request.colormap)


class Stage:
    """The network and the folder of a run; leaving the context without publishing the folder removes it.

    Parameters
    ----------
    request : Request or ModelRequest
        What is asked for.
    explainers : sequence of BaseExplainer
        Who is to be named on pictures.
    checked : Checked
        The model.
    network : Network, optional
        When it is open already.
    size : tuple of int, optional
        Height and width of the first picture, when they are known.
    head : bool
        Whether the model needs its classifier.
    place : Place, optional
        Of the folder; None when there is to be none.
    events : Events
        Hears when the model is opened.

    Attributes
    ----------
    network : Network, optional
        Once it is open.
    """

    def __init__(
        self,
        request: Request | ModelRequest,
        explainers: Sequence[BaseExplainer],
        *,
        checked: Checked,
        network: Network | None,
        size: tuple[int, int] | None,
        head: bool,
        place: Place | None,
        events: Events,
    ) -> None:
        self.network = network
        self.checked = checked
        self.head = head
        self._request = request
        self._explainers = explainers
        self._size = size
        self._place = place
        self._events = events
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def open(self, size: tuple[int, int] | None = None) -> Network:
        """Open the network, unless it is; `size` is that of the first picture."""
        self._size = self._size or size
        if self.network is None:
            self._events.opening(self.checked.told(self._request.model or "the model"))
            self.network = self.checked.open(self._size, head=self.head)
        return self.network

    def open_whole(self) -> Network:
        """Open the network again, with the classifier that it was loaded without."""
        self.network = self.checked.open()
        return self.network

    def told(self) -> dict[str, Any]:
        """Describe the network, and by what it can be known again."""
        network = self.open()
        about = {**network.about(), "warnings": list(network.warnings)}
        if opened := self.checked.opened(about["sha256"], self._size if None in network.input_shape else None):
            about["opened"] = opened
        return about

    def writer(self, name: str) -> Writer | None:
        """Begin the folder, for a network of this name; None where there is to be none."""
        if self._place is None:
            return None
        from xcnn.io import artifacts
        from xcnn.saving import Writer

        place = self._place
        draft = artifacts.Draft(place.out, overwrite=place.overwrite, inputs=place.inputs)
        titles = {one.name: provenance.title(one) for one in self._explainers}
        mosaic = self._request.mosaic if isinstance(self._request, Request) else None
        return Writer(self._stack.enter_context(draft), place.style, titles, name, mosaic=mosaic)
