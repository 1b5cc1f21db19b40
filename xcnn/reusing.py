"""Taking over what an earlier run of the same folder has computed: --skip-existing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn import privacy, provenance
from xcnn import request as requests
from xcnn.errors import OutputError
from xcnn.plugin import Explainer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from xcnn.host import Host
    from xcnn.opening import Checked
    from xcnn.plugin import BaseExplainer
    from xcnn.request import ModelRequest, Request
    from xcnn.saving import Writer
    from xcnn.values import Class


class Reusing:
    """The results of a folder that need not be computed again.

    A result holds as long as nothing that it depends on has changed: the bytes and the name of its picture; the model,
    and all that is said about it; the options of the run and of the explainer; the versions of xcnn, of the libraries
    below it and of plugins.

    Parameters
    ----------
    folder : Path
        The run folder; there may be none.
    request : Request or ModelRequest
        The run that is to replace it.
    explainers : sequence of BaseExplainer
        Its explainers.
    host : Host
        Tells the versions of plugins.
    checked : Checked
        Its model.
    pictures : list
        Its pictures; those of paths can be known again.

    Attributes
    ----------
    size : tuple of int, optional
        The height and width of the first picture, where the model may depend on it.
    pictures : list
        Those of the run.
    count : int
        How many results have been taken over.
    """

    def __init__(
        self,
        folder: Path,
        request: Request | ModelRequest,
        explainers: Sequence[BaseExplainer],
        *,
        host: Host,
        checked: Checked,
        pictures: list[Any],
    ) -> None:
        from xcnn.io.reading import Reading
        from xcnn.saving.existing import Existing

        self._existing = Existing(folder)
        self._how = Reading.of(vars(request))
        self._explainers = explainers
        self.pictures = pictures
        self.size = self._first_size() if self._existing.any_size else None
        about: dict[str, Any] = {
            "options": requests.rows(request, {}),
            "explainers": [{"name": one.name, "options": requests.rows(one, {})} for one in explainers],
        }
        about = {**privacy.redacted(about), "versions": provenance.versions(host, explainers, loaded=False)}
        about["opened"] = checked.opened(checked.sha256(), self.size)
        self._why = self._existing.differs(about)
        self._reasons = {one.name: self._why or self._existing.differs_in(about, one.name) for one in explainers}
        self._taken = dict.fromkeys(self._reasons, 0)
        self._damaged: list[str] = []
        self.count = 0

    def _first_size(self) -> tuple[int, int] | None:
        from xcnn.io import images

        files = [one for one in self.pictures if isinstance(one, str)]
        first = next(images.chunks(files, self._how, size=1, failed=lambda *_: None), [])
        return first[0].size if first else None

    @property
    def any(self) -> bool:
        """Whether there may be something to take over."""
        return not all(self._reasons.values())

    @property
    def model(self) -> dict[str, Any]:
        """What the earlier run said about the model, as `Network.about` does."""
        return {**self._existing.run["model"], "versions": self._existing.run["versions"]}

    def take(
        self, writer: Writer, classes: Mapping[str, Class]
    ) -> tuple[frozenset[str], list[tuple[frozenset[str], list[Any]]]]:
        """Hand everything that holds to the writer of the new folder.

        Parameters
        ----------
        writer : Writer
            Of the new folder.
        classes : mapping of str to Class
            What pictures truly show, by path.

        Returns
        -------
        of_model : frozenset of str
            The explainers of the model that need not run.
        groups : list of tuple
            The pictures that are left, together where the same explainers need not run, which come first.
        """
        pictured = {one.name for one in self._explainers if isinstance(one, Explainer)}
        of_model = self._kept(writer, "", "", None)
        groups: dict[frozenset[str], list[Any]] = {}
        for one in self.pictures:
            kept = self._kept(writer, one, self._hash(one), classes.get(one)) if isinstance(one, str) else frozenset()
            if kept != pictured:
                groups.setdefault(kept, []).append(one)
        return of_model, list(groups.items())

    def _hash(self, path: str) -> str:
        from xcnn.io import images

        return images.sha256(path, self._how) if self._existing.knows(path) else "unknown"

    def _kept(self, writer: Writer, path: str, sha256: str, truth: Class | None) -> frozenset[str]:
        """Take over what holds of one picture, or of the model; tell which explainers that is of."""
        kept = set()
        for explainer, results in self._existing.results(path, sha256).items():
            if self._reasons.get(explainer, "not asked for"):
                continue
            try:
                writer.keep(path, results, self._existing.read, truth)
            except OutputError as error:
                self._damaged.append(error.message)
                continue
            kept.add(explainer)
            self._taken[explainer] += 1
            self.count += len(results)
        return frozenset(kept)

    def said(self) -> Iterator[str]:
        """Say how much was reused, and why not more."""
        if self._why:
            yield f"nothing is reused: {self._why}"
            return
        for one in self._explainers:
            if reason := self._reasons[one.name]:
                yield f"{one.name}: nothing is reused: {reason}"
            elif isinstance(one, Explainer):
                yield f"{one.name}: {self._taken[one.name]} of {len(self.pictures)} pictures reused"
            else:
                yield f"{one.name}: {'reused' if self._taken[one.name] else 'nothing is reused'}"
        if self._damaged:
            more = f" (and {len(self._damaged) - 1} more)" if len(self._damaged) > 1 else ""
            yield f"computed again: {self._damaged[0]}{more}"
