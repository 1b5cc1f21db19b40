"""`xcnn plugins check`: whether a plugin keeps the contract, on every kind of model."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from xcnn.cli import console
from xcnn.errors import OptionError, PluginError, UsageError, did_you_mean
from xcnn.host import Host
from xcnn.listings import EXPLAINERS, Listing

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from xcnn.testing import Check, Finding

MARKS = {"pass": "ok", "fail": "FAIL", "misfit": "-", "untried": "?"}
OWN = "itself"
"""The column of checks that need no model."""
BUILT_IN = "xcnn"


def check(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A command, or a distribution: all that it brings.")],
    *,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="OPTION=VALUE", help="Set an option of the explainers. Repeatable."),
    ] = None,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", metavar="KIND", help="Only this kind of model. Repeatable. Default: every kind."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", metavar="", help="Print JSON.")] = False,
) -> None:
    """Check that a plugin is right: what it declares, and what it does on small models of every kind.

    Among others: numbers are finite and repeatable, a batch gives what single pictures give, the model is left as it
    was, pictures and report can be written, and maps change when the model's weights are shuffled.

    Example: xcnn plugins check gradcam
    """
    host = Host()
    listings = _found(host, name)
    options = _options(with_ or ())
    kinds = _kinds(kind or ())
    found: list[Finding] = []
    summaries: dict[str, str] = {}
    for listing in listings:
        for one in _checks(host, listing, options, kinds):
            summaries[one.name] = one.summary
            found.append(one.find())
    failed = [one for one in found if one.state == "fail"]
    if as_json:
        findings = [asdict(one) | {"promise": summaries.get(one.check, "")} for one in found]
        console.answer_json({"schema_version": 1, "passed": not failed, "findings": findings})
    else:
        for subject in dict.fromkeys(one.subject for one in found):
            _show([one for one in found if one.subject == subject], summaries)
    if failed:
        raise typer.Exit(1)


def _found(host: Host, name: str) -> list[Listing]:
    """The commands and extensions that a name stands for."""
    built_in = [Listing(command, "", EXPLAINERS, BUILT_IN, "", "") for command in host.builtin]
    known = [*host.every, *(one for one in built_in if one.name not in host.listings)]
    wanted = name.lower().replace("_", "-")
    found = [one for one in known if one.name == name] or [
        one for one in known if one.distribution.lower().replace("_", "-") == wanted
    ]
    if not found:
        names = dict.fromkeys([*(one.name for one in known), *(one.distribution for one in known)])
        raise UsageError(
            f"there is no command or plugin {name!r}", hint=did_you_mean(name, names, "list them with: xcnn plugins")
        )
    return found


def _options(words: Sequence[str]) -> dict[str, str]:
    wrong = next((word for word in words if "=" not in word), None)
    if wrong is not None:
        raise OptionError(f"--with is {wrong!r}; it must be OPTION=VALUE", hint="--with steps=8")
    pairs = (word.split("=", 1) for word in words)
    return {option.strip().removeprefix("--").replace("-", "_"): value for option, value in pairs}


def _kinds(words: Sequence[str]) -> tuple[str, ...]:
    from xcnn.testing import KINDS

    for word in words:
        if word not in KINDS:
            raise OptionError(
                f"there is no kind of model {word!r}", hint=did_you_mean(word, KINDS, "one of " + ", ".join(KINDS))
            )
    return tuple(dict.fromkeys(words)) or tuple(KINDS)


def _checks(host: Host, listing: Listing, options: Mapping[str, str], kinds: Sequence[str]) -> Iterator[Check]:
    """The checks of one command or extension, telling which model is next."""
    from xcnn import testing

    try:
        subject = host.load(listing.group, listing.name, listing.value)
    except PluginError as error:
        yield testing.Check(listing.name, "", load, error)
        return
    if listing.group != EXPLAINERS:
        console.say(f"{listing.name}: what it brings ...")
        yield from testing.checks(subject)
        return
    known = {option.name for option in _declared(subject)}
    values = {name: value for name, value in options.items() if name in known}
    if options and not values:
        raise OptionError(f"{listing.name} has none of the options {', '.join(options)}")
    told = None
    for one in testing.checks(subject(**values) if values else subject, kinds=kinds):
        if one.kind != told:
            told = one.kind
            console.say(f"{listing.name}: {f'on a {told} model' if told else 'what it declares'} ...")
        yield one


def _declared(kind: Any) -> Any:
    from xcnn import options

    return options.declared(kind)


def load(error: PluginError) -> None:
    """It can be imported and keeps the rules."""
    raise error


def _show(found: Sequence[Finding], summaries: Mapping[str, str]) -> None:
    """Print one plugin: a row per check, a column per kind of model; below, what is wrong and what does not fit."""
    cells = {(one.check, one.kind): MARKS[one.state] for one in found}
    kinds = list(dict.fromkeys(one.kind for one in found))
    headings = [found[0].subject, *(kind or OWN for kind in kinds)]
    names = dict.fromkeys(one.check for one in found)
    console.table(headings, [[name, *(cells.get((name, kind), "") for kind in kinds)] for name in names])
    for words, places in _gathered(found, "fail").items():
        check, _, text = words.partition(": ")
        console.answer(f"FAIL {check}{_on(places)}: {text}")
        console.answer(f"     promised: {summaries[check]}")
    for words, places in _gathered(found, "misfit").items():
        console.answer(f"- does not fit{_on(places)}: {words.partition(': ')[2]}")
    counts = {state: sum(one.state == state for one in found) for state in MARKS}
    more = [f"{counts[state]} {state}" for state in ("misfit", "untried") if counts[state]]
    console.answer(", ".join([f"{counts['pass']} passed", f"{counts['fail']} failed", *more]))


def _gathered(found: Sequence[Finding], state: str) -> dict[str, list[str]]:
    """The kinds of model on which the same is to be said."""
    gathered: dict[str, list[str]] = {}
    for one in found:
        if one.state == state:
            check = one.check if state == "fail" else ""
            kinds = gathered.setdefault(f"{check}: {one.words}", [])
            if one.kind not in kinds:
                kinds.append(one.kind)
    return gathered


def _on(kinds: Sequence[str]) -> str:
    return f" on {', '.join(kinds)}" if any(kinds) else ""
