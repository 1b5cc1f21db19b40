"""The pages of a report that is too large for one file, and what each must know of the others."""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.report import epochs, finding

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

IMAGES = 200
"""Images of a page."""
NEAR = 2
"""Pages before and after the one at hand that it links to, beside the first and the last."""


@dataclass(frozen=True, kw_only=True)
class Place:
    """One of several pages."""

    number: int
    """From 1 on."""
    names: Sequence[str]
    """The files of all pages."""
    part: Mapping[str, Any]
    """What of run.json the page shows."""
    counts: Mapping[str, int]
    """Of the whole run."""
    keys: Mapping[str, str]
    """What links call the images of all pages, by the files of these."""
    first: int
    """The number of its first image in the run, from 1 on."""
    last: int
    """That of its last image; one less than `first` when it has none."""
    index: Mapping[str, Any]
    """What the images of all pages are found by, and where: ``fields``, a row of these per image, the files of the
    ``pages``. One for all pages; empty where there is one page."""

    @property
    def name(self) -> str:
        """The file of the page."""
        return self.names[self.number - 1]

    @property
    def before(self) -> str:
        """The file of the page before; empty on the first."""
        return self.names[self.number - 2] if self.number > 1 else ""

    @property
    def after(self) -> str:
        """The file of the next page; empty on the last."""
        return self.names[self.number] if self.number < len(self.names) else ""

    @property
    def links(self) -> list[tuple[int, str]]:
        """Numbers and files of the pages that it links to; 0 and nothing where some are left out."""
        count = len(self.names)
        near = range(max(self.number - NEAR, 1), min(self.number + NEAR, count) + 1)
        found: list[tuple[int, str]] = []
        for number in sorted({1, *near, count}):
            if found and number > found[-1][0] + 1:
                found.append((0, ""))
            found.append((number, self.names[number - 1]))
        return found


def split(manifest: Mapping[str, Any], name: str) -> list[Place]:
    """Divide a run into pages. What is no image's, such as failures and results of the model, is on the first.

    Parameters
    ----------
    manifest : mapping
        The contents of run.json. Results of one image are neighbours.
    name : str
        The file of the first page; ``report.html`` has ``report-2.html`` as its second.
    """
    results = manifest["results"]
    of_model = [result for result in results if result["image"] is None]
    of_images = [result for result in results if result["image"] is not None]
    groups = [list(group) for _, group in itertools.groupby(of_images, key=lambda result: result["image"]["file"])]
    starts = range(0, max(len(groups), 1), IMAGES)
    stem, _, suffix = name.rpartition(".")
    names = [name if number == 1 else f"{stem}-{number}.{suffix}" for number in range(1, len(starts) + 1)]
    named, counts = keys(of_images), counted(manifest)
    index = _index(groups, named, names) if len(names) > 1 else {}
    places = []
    for number, start in enumerate(starts, start=1):
        own = list(itertools.chain.from_iterable(groups[start : start + IMAGES]))
        part = {**manifest, "results": [*of_model, *own]}
        if number > 1:
            part |= {"results": own, "failures": [], "mosaics": [], "sections": []}
        last = min(start + IMAGES, len(groups))
        place = Place(
            number=number,
            names=names,
            part=part,
            counts=counts,
            keys=named,
            first=start + 1,
            last=last,
            index=index,
        )
        places.append(place)
    return places


def _index(
    groups: Sequence[Sequence[Mapping[str, Any]]], keys: Mapping[str, str], names: Sequence[str]
) -> dict[str, Any]:
    rows = [
        {**finding.found(epochs.last(group)), "key": keys[group[0]["image"]["file"]], "page": at // IMAGES + 1}
        for at, group in enumerate(groups)
    ]
    # Names of fields once, not in every row: each page carries this.
    return {"fields": list(rows[0]), "pages": list(names), "rows": [list(row.values()) for row in rows]}


def counted(manifest: Mapping[str, Any]) -> dict[str, int]:
    """Count what a run has."""
    results = manifest["results"]
    return {
        "images": len({result["image"]["file"] for result in results if result["image"] is not None}),
        "results": len(results),
        "failures": len(manifest["failures"]),
    }


def keys(results: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """What links call images: the beginning of the hash of each, and its number among those alike."""
    seen: Counter[str] = Counter()
    found: dict[str, str] = {}
    for image in (result["image"] for result in results):
        if image["file"] not in found:
            digits = "".join(re.findall("[0-9a-f]", str(image["sha256"])))[:12] or "image"
            seen[digits] += 1
            found[image["file"]] = digits if seen[digits] == 1 else f"{digits}-{seen[digits]}"
    return found
