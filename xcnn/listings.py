"""What is installed, as the metadata of distributions tells it, and how one of it is imported."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib import metadata
from typing import TYPE_CHECKING, Any

from xcnn.errors import PluginError, Terminated
from xcnn.plugin import API_VERSION

if TYPE_CHECKING:
    from collections.abc import Iterable

EXPLAINERS = "xcnn.explainers"
EXTENSIONS = "xcnn.extensions"
SECTIONS = "xcnn.sections"


@dataclass(frozen=True)
class Listing:
    """One entry point, as its distribution's metadata describes it."""

    name: str
    value: str
    group: str
    distribution: str
    version: str
    summary: str
    clashes: tuple[str, ...] = ()
    """Other distributions (or "xcnn") that claim the same name."""

    @property
    def who(self) -> str:
        """What errors call the plugin."""
        return f"plugin {self.distribution} {self.version}"


def check_version(found: Any, who: str) -> None:
    """Refuse what was built for another API with a PluginError; what says nothing passes."""
    built = getattr(found, "xcnn_api", "")
    if not built:
        return
    given = re.fullmatch(r"(\d+)\.(\d+)", str(built))
    if given is None:
        raise PluginError(f"{who} says xcnn_api = {str(built)!r}; it is a version like {API_VERSION!r}")
    major, minor = map(int, given.groups())
    ours = tuple(map(int, API_VERSION.split(".")))
    if major != ours[0] or minor > ours[1]:
        hint = f"upgrade {'xcnn' if (major, minor) > ours else 'the plugin'}"
        raise PluginError(f"{who} was built for version {built} of xcnn.plugin, and this is {API_VERSION}", hint=hint)


def _entry_points(group: str) -> Iterable[metadata.EntryPoint]:
    """The entry points of a group that ``XCNN_PLUGINS`` allows."""
    only = os.environ.get("XCNN_PLUGINS")
    allowed = None if only is None else {_normal(name) for name in only.split(",")}
    for entry in sorted(metadata.entry_points(group=group), key=lambda entry: entry.name):
        if allowed is None or (entry.dist is not None and _normal(entry.dist.name) in allowed):
            yield entry


def _normal(name: str) -> str:
    return name.strip().lower().replace("_", "-")


def entries(group: str) -> Iterable[Listing]:
    """List what is installed in a group of entry points."""
    for entry in _entry_points(group):
        about: Any = entry.dist.metadata if entry.dist else {}
        yield Listing(
            entry.name,
            entry.value,
            group,
            entry.dist.name if entry.dist else "?",
            entry.dist.version if entry.dist else "?",
            about.get("Summary", ""),
        )


def imported(listing: Listing) -> Any:
    """Import what an entry point names; PluginError, whatever goes wrong."""
    entry = metadata.EntryPoint(listing.name, listing.value, listing.group)
    try:
        return entry.load()
    except (KeyboardInterrupt, Terminated):
        raise
    except BaseException as error:  # a plugin may even call sys.exit at import
        raise PluginError(
            f"{listing.who} can't be imported: {type(error).__name__}: {error}",
            hint=f"mend or uninstall {listing.distribution}",
        ) from error
