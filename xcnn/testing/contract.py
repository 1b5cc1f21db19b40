"""The checks of a plugin, one by one or all at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from xcnn.errors import XcnnError, plain_words
from xcnn.plugin import BaseExplainer
from xcnn.testing import declared, extending, running
from xcnn.testing.finding import Broken, Finding
from xcnn.testing.kinds import KINDS, Bench
from xcnn.testing.trial import Trial

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    import pytest

    from xcnn.testing.finding import State

    Subject = BaseExplainer | type[BaseExplainer] | ModuleType


@dataclass(frozen=True, eq=False)
class Check:
    """One check of one plugin on one kind of model; calling it raises what is wrong, as a test does."""

    subject: str
    kind: str
    function: Callable[[Any], None]
    argument: Any
    """What the function looks at: the class, the extension, or a `Trial`."""

    @property
    def name(self) -> str:
        """What it is called."""
        return self.function.__name__

    @property
    def summary(self) -> str:
        """What it promises, in a sentence."""
        return (self.function.__doc__ or "").partition("\n")[0]

    @property
    def id(self) -> str:
        """Plugin, kind of model and check."""
        return "-".join(filter(None, (self.subject, self.kind, self.name)))

    def find(self) -> Finding:
        """Try it."""
        state, words = self._tried()
        return Finding(self.subject, self.name, self.kind, state, words)

    def _tried(self) -> tuple[State, str]:
        if not isinstance(self.argument, Trial):
            words = _broken(self.function, self.argument)
            return ("fail", words) if words else ("pass", "")
        trial = self.argument
        for gate in running.GATES:
            words = trial.told(gate, _broken)
            if gate is self.function and words:
                return "fail", words
            if words:
                return "untried", f"{gate.__name__} failed"
            if gate is running.fits and trial.misfit is not None:
                return "misfit", str(trial.misfit)
            if gate is self.function:
                return "pass", ""
        words = _broken(self.function, trial)
        return ("fail", words) if words else ("pass", "")

    def __call__(self) -> None:
        """Raise an AssertionError when it fails; skip the test where there is nothing to check."""
        import pytest

        found = self.find()
        if found.state == "fail":
            raise AssertionError(f"{found.words} (promised: {self.summary})")
        if found.state != "pass" and self.function is not running.fits:
            pytest.skip(f"{self.subject} on {self.kind}: {found.words}")


def _broken(function: Callable[[Any], None], argument: Any) -> str:
    """What is wrong; a check that raises anything else is broken, too."""
    try:
        function(argument)
    except Broken as broken:
        return str(broken)
    except XcnnError as error:
        return error.message
    except (Exception, SystemExit) as error:  # noqa: BLE001 (the plugin's doing)
        return f"{type(error).__name__}: {plain_words(error)}"
    return ""


def checks(subject: Subject, *, kinds: Iterable[str] | None = None, bench: Bench | None = None) -> tuple[Check, ...]:
    """List the checks of an explainer, as a class or with options as an instance, or of an extension's module.

    Parameters
    ----------
    subject : Explainer, ModelExplainer, one of their classes, or module
        An instance may have options that make it quick.
    kinds : iterable of str, optional
        Kinds of models, of `KINDS`; all without.
    bench : Bench, optional
        Shares the models with other lists.
    """
    if not (isinstance(subject, BaseExplainer) or (isinstance(subject, type) and issubclass(subject, BaseExplainer))):
        name = getattr(subject, "__name__", type(subject).__name__)
        return tuple(Check(name, "", function, subject) for function in extending.CHECKS)
    kind = subject if isinstance(subject, type) else type(subject)
    name = str(getattr(kind, "name", kind.__name__))
    found = [Check(name, "", function, kind) for function in declared.CHECKS]
    try:
        explainer = subject() if isinstance(subject, type) else subject
    except Exception:  # noqa: BLE001 (`defaults` tells)
        return tuple(found)
    bench = bench or Bench()
    for one in KINDS if kinds is None else kinds:
        trial = Trial(explainer, one, bench)
        found += [Check(name, one, function, trial) for function in running.CHECKS]
    return tuple(found)


def check(subject: Subject, *, kinds: Iterable[str] | None = None) -> tuple[Finding, ...]:
    """Try all checks of an explainer or extension.

    Parameters
    ----------
    subject, kinds
        As in `checks`.

    Returns
    -------
    tuple of Finding
        What each found, also where it passed.
    """
    return tuple(one.find() for one in checks(subject, kinds=kinds))


def parametrize_with_checks(subjects: Iterable[Subject], *, kinds: Iterable[str] | None = None) -> pytest.MarkDecorator:
    """Make one test of each check, for pytest.

    Parameters
    ----------
    subjects : iterable
        Each as in `checks`.
    kinds : iterable of str, optional
        Kinds of models, of `KINDS`; all without.

    Examples
    --------
    ::

        @parametrize_with_checks([Energy(power=2)])
        def test_energy_keeps_its_contract(check):
            check()
    """
    import pytest

    bench, wanted = Bench(), None if kinds is None else tuple(kinds)
    found = [one for subject in subjects for one in checks(subject, kinds=wanted, bench=bench)]
    return pytest.mark.parametrize("check", [pytest.param(one, id=one.id) for one in found])
