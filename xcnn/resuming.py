"""Going on from an earlier run: what explainers with the option ``resume`` find in their batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn import privacy
from xcnn import request as requests
from xcnn.options import declared
from xcnn.plugin import RESUME

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy as np

    from xcnn.plugin import BaseExplainer, Explainer, Image, Network, Target
    from xcnn.request import Request
    from xcnn.saving.earlier import Earlier


class Resuming:
    """The runs that explainers go on from.

    Parameters
    ----------
    request : Request
        The run that goes on.
    explainers : sequence of BaseExplainer
        Its explainers.

    Raises
    ------
    UsageError
        If an earlier run is not one that this can go on from.
    """

    def __init__(self, request: Request, explainers: Sequence[BaseExplainer]) -> None:
        self._earlier = {one.name: _opened(folder, one, request) for one in explainers if (folder := _folder(one))}
        self._unchecked = set(self._earlier)

    def of(
        self, explainer: Explainer, network: Network, images: Sequence[Image]
    ) -> Callable[[int, Target | None], Mapping[str, np.ndarray]] | None:
        """Tell how to find what an earlier run left of an image and a target; None when none is resumed.

        Raises
        ------
        OptionError
            If that run was of another model.
        """
        earlier = self._earlier.get(explainer.name)
        if earlier is None:
            return None
        if explainer.name in self._unchecked:
            earlier.check_model(network.about()["sha256"])
            self._unchecked.remove(explainer.name)
        return lambda image, target: earlier.state(images[image].sha256, target)


def _folder(explainer: BaseExplainer) -> str:
    """The run that an explainer is to go on from; "" for none."""
    resume = next((one for one in declared(type(explainer)) if one.option is RESUME), None)
    return (getattr(explainer, resume.name) or "") if resume else ""


def _opened(folder: str, explainer: BaseExplainer, request: Request) -> Earlier:
    from xcnn.saving.earlier import Earlier

    about: dict[str, Any] = {
        "options": requests.rows(request, {}),
        "explainers": [{"name": explainer.name, "options": requests.rows(explainer, {})}],
    }
    extends = [one.name for one in declared(type(explainer)) if one.option.extends]
    return Earlier(folder, explainer.name, privacy.redacted(about), extends=extends)
