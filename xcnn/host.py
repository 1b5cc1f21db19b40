"""The plugin host: what is installed, without importing it, and how to load one of it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pluggy

import xcnn.explainers
from xcnn import checking, hookspecs
from xcnn.errors import PluginError, UsageError, did_you_mean
from xcnn.listings import EXPLAINERS, EXTENSIONS, SECTIONS, check_version, entries, imported
from xcnn.options import declared
from xcnn.plugin import BaseExplainer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    import numpy as np

    from xcnn.listings import Listing
    from xcnn.plugin import GradientRule, NamedModel, Preprocessing, Section


class Host:
    """Finds plugins by metadata and loads the one asked for.

    ``XCNN_PLUGINS=a,b`` restricts third-party plugins to these distributions; empty disables all.
    """

    def __init__(self) -> None:
        self._manager = pluggy.PluginManager("xcnn")
        self._manager.add_hookspecs(hookspecs)
        self._manager.register(xcnn.explainers, "xcnn.explainers")
        self._extended: dict[Listing, Any] = {}
        self.broken: dict[Listing, PluginError] = {}
        """Extensions that were asked for and can't be used, and why."""

    @cached_property
    def builtin(self) -> Mapping[str, type[BaseExplainer]]:
        """The built-in explainers by command."""
        return {kind.name: kind for kinds in self._manager.hook.xcnn_explainers() for kind in kinds}

    @cached_property
    def listings(self) -> Mapping[str, Listing]:
        """Third-party explainers by command, from metadata alone."""
        found: dict[str, Listing] = {}
        for listing in entries(EXPLAINERS):
            others = ["xcnn"] if listing.name in self.builtin else []
            if listing.name in found:
                others += [found[listing.name].distribution, *found[listing.name].clashes]
            found[listing.name] = replace(listing, clashes=tuple(others))
        return found

    @cached_property
    def extensions(self) -> tuple[Listing, ...]:
        """Third-party extensions, from metadata alone."""
        return tuple(entries(EXTENSIONS))

    @cached_property
    def sections(self) -> tuple[Listing, ...]:
        """Third parties that add to the report, from metadata alone."""
        return tuple(entries(SECTIONS))

    @property
    def every(self) -> tuple[Listing, ...]:
        """All third-party plugins, from metadata alone."""
        return (*self.listings.values(), *self.extensions, *self.sections)

    def explainer(self, name: str) -> type[BaseExplainer]:
        """Find an explainer class by command, importing its plugin when it is not built in.

        Raises
        ------
        UsageError
            If there is no such command.
        PluginError
            If its plugin can't be imported or breaks the rules.
        """
        if name in self.builtin:  # also where a plugin claims the name: it takes nothing away
            return self.builtin[name]
        if name in self.listings:
            return self._load(self.listings[name])
        hint = did_you_mean(name, [*self.builtin, *self.listings], "list them with: xcnn --help")
        raise UsageError(f"there is no explainer {name!r}", hint=hint)

    def load(self, group: str, name: str, value: str) -> Any:
        """Import what one entry point names, and refuse it where it breaks the rules.

        Raises
        ------
        PluginError
            If it can't be imported or breaks the rules.
        UsageError
            If there is no such entry point.
        """
        if group == EXPLAINERS:
            return self._load(self.listings[name]) if value and name in self.listings else self.explainer(name)
        for listing in self.every:
            if (listing.group, listing.name, listing.value) == (group, name, value):
                return self._extend(listing)
        raise UsageError(f"there is no extension {name!r}", hint="list them with: xcnn plugins")

    def distribution(self, name: str) -> str:
        """The distribution that brings an explainer."""
        third = name in self.listings and name not in self.builtin
        return self.listings[name].distribution if third else "xcnn"

    def _load(self, listing: Listing) -> type[BaseExplainer]:
        who = listing.who
        if listing.clashes:
            raise PluginError(
                f"command {listing.name!r} is claimed by {listing.distribution} and {' and '.join(listing.clashes)}",
                hint="uninstall one, or name the plugins to use in XCNN_PLUGINS",
            )
        kind = imported(listing)
        if not (isinstance(kind, type) and issubclass(kind, BaseExplainer)):
            raise PluginError(f"{who} names {listing.value}, which is no Explainer class")
        if getattr(kind, "name", None) != listing.name:
            raise PluginError(f"{who} calls its command {listing.name!r} but {listing.value} is {kind.name!r}")
        check_version(kind, who)
        try:
            declared(kind)
        except TypeError as error:
            raise PluginError(f"{who} declares an option that xcnn can't use: {error}") from error
        if not self._manager.is_registered(kind):
            self._register(kind, f"{listing.distribution}:{listing.group}:{listing.name}", who)
        return kind

    def report_sections(
        self, run: Mapping[str, Any], values: Callable[[str], np.ndarray]
    ) -> tuple[list[tuple[str, Section]], list[str]]:
        """Ask every plugin of the group ``xcnn.sections`` what it adds to the report of a run.

        Returns
        -------
        sections : list of tuple of str and Section
            With the plugin that each is from.
        warnings : list of str
            One for each plugin that failed: it must not cost the run its report.
        """
        found: list[tuple[str, Section]] = []
        warnings = []
        told = json.dumps(run) if self.sections else ""  # a copy for each: what one changes, no other sees
        for listing in self.sections:
            try:
                plugin = self._extend(listing)
                others = [one for one in self._manager.get_plugins() if one is not plugin]
                hook = self._manager.subset_hook_caller("xcnn_report_sections", others)
                given = [section for sections in hook(run=json.loads(told), values=values) for section in sections]
                found += [(listing.who, checking.section(section, listing.who)) for section in given]
            except PluginError as error:
                warnings.append(f"{error.message}; the report lacks its section")
            except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever a plugin raises)
                warnings.append(f"{listing.who} failed: {type(error).__name__}: {error}; the report lacks its section")
        return found, warnings

    def models(self, *, extensions: bool) -> Mapping[str, NamedModel]:
        """Named models; those of third parties only with `extensions`, because that imports them."""
        return self._named("models", extensions=extensions)

    def preprocessors(self, *, extensions: bool) -> Mapping[str, Preprocessing]:
        """Preprocessors by name; those of third parties only with `extensions`."""
        return self._named("preprocessors", extensions=extensions)

    def gradient_rules(self, *, extensions: bool) -> Mapping[str, GradientRule]:
        """Rules for the gradient by name; those of third parties only with `extensions`."""
        return self._named("gradient_rules", extensions=extensions)

    def custom_objects(self) -> Mapping[str, Any]:
        """Classes and functions that model files may need, by name, from the extensions.

        Raises
        ------
        PluginError
            If two plugins bring the same name.
        """
        self._extend_all()
        offered = ((owner, *pair) for owner, objects in self._offered("custom_objects") for pair in objects.items())
        return _joined(offered, "custom objects")

    def _named(self, what: str, *, extensions: bool) -> Mapping[str, Any]:
        # The tables of the network room load no TensorFlow, but they are not needed for --help.
        from xcnn.network import preprocess, rules, zoo

        for table in (zoo, preprocess, rules):
            if not self._manager.is_registered(table):
                self._manager.register(table, table.__name__)
        if extensions:
            self._extend_all()
        offered = (
            (owner, getattr(value, "name", None), value) for owner, values in self._offered(what) for value in values
        )
        return _joined(offered, what)

    def _offered(self, what: str) -> Iterator[tuple[str, Any]]:
        """Ask one implementation of a hook after the other, the built-in ones first, each with whose it is."""
        for implementation in getattr(self._manager.hook, f"xcnn_{what}").get_hookimpls():
            distribution, colon, _ = implementation.plugin_name.partition(":")
            owner = distribution if colon else "xcnn"
            try:
                found = implementation.function()
                found = found if isinstance(found, dict) else tuple(found)
            except (Exception, SystemExit) as error:
                raise PluginError(
                    f"plugin {owner} can't tell its {what}: {type(error).__name__}: {error}",
                    hint=f"mend or uninstall {owner}",
                ) from error
            yield owner, found

    def _extend_all(self) -> None:
        """Import all extensions; one that can't be used is noted, and takes nothing of the others away."""
        for listing in self.extensions:
            try:
                self._extend(listing)
            except PluginError as error:
                self.broken[listing] = error

    def _extend(self, listing: Listing) -> Any:
        """Import what implements hooks, once; one module may do so for several groups."""
        if listing not in self._extended:
            found = imported(listing)
            check_version(found, listing.who)
            if not self._manager.is_registered(found):
                self._register(found, f"{listing.distribution}:{listing.group}:{listing.name}", listing.who)
            self._extended[listing] = found
        return self._extended[listing]

    def _register(self, plugin: Any, name: str, who: str) -> None:
        self._manager.register(plugin, name)
        try:
            self._manager.check_pending()
        except pluggy.PluginValidationError as error:
            self._manager.unregister(plugin)  # or it would fail the next one, too
            unknown = re.search(r"unknown hook '(\w+)'", str(error))
            name = unknown.group(1) if unknown else "?"
            hooks = [hook for hook in vars(hookspecs) if hook.startswith("xcnn_")]
            hint = did_you_mean(name, hooks, "the hooks are in docs/plugins.md")
            raise PluginError(f"{who} implements an unknown hook, {name}", hint=hint) from error


def _joined(offered: Iterable[tuple[str, Any, Any]], what: str) -> dict[str, Any]:
    """Collect what owners bring by name; PluginError, naming both, where two bring different things of one name."""
    found: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for owner, name, value in offered:
        if not isinstance(name, str):
            raise PluginError(f"plugin {owner} has {type(value).__name__} among its {what}", hint="see docs/plugins.md")
        if name in found and found[name] is not value:
            both = " and ".join((owners[name], owner))
            raise PluginError(f"{both} both bring one of the {what} named {name!r}", hint="uninstall one of them")
        found[name], owners[name] = value, owner
    return found
