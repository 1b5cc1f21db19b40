"""The Python API: explain pictures with one call."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xcnn import opening, options
from xcnn.errors import ModelError, OptionError
from xcnn.execution import execute
from xcnn.host import Host
from xcnn.plugin import BaseExplainer, Explainer
from xcnn.request import ModelRequest, Request, Settings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xcnn.plugin import Network, Run


def list_explainers() -> tuple[str, ...]:
    """List the explainers that are installed, built-in and third-party."""
    host = Host()
    return (*host.builtin, *(name for name in host.listings if name not in host.builtin))


def open_network(model: Any, *, preprocess: str = "auto", **settings: Any) -> Network:
    """Open a model once, to explain with it many times.

    Parameters
    ----------
    model : path, str or keras.Model
        A model file, a name from ``xcnn models``, or a model in memory.
    preprocess : str
        What pixels become; "auto" decides by evidence.
    **settings
        The other options that say how a model is understood, as on the command line: ``labels``, ``output``, ``on``,
        ``at``, ``input_size``, ``input``, ``custom_objects``, ``trust_model``, ``max_model_gb``.

    Raises
    ------
    ModelError
        If it can't be loaded or is no two-dimensional image model.
    UnsafeModelError
        If it could run code.
    OptionError
        If there is no such preprocessing.
    """
    options.check([Settings], settings)
    return opening.check(model, Settings(preprocess=preprocess, **settings), Host()).open()


def explain(
    model: Any,
    images: Any = None,
    explainer: str | BaseExplainer | Sequence[str | BaseExplainer] = "gradcam",
    *,
    target: str | int | Sequence[str | int] = "top",
    preprocess: str = "auto",
    **values: Any,
) -> Run:
    """Explain what a model sees in pictures.

    Parameters
    ----------
    model : path, str, keras.Model or Network
        A model file, a name from ``xcnn models``, a model in memory, or what `open_network` returned.
    images : path, str, (h, w, 3) uint8 ndarray, or a sequence of these
        Pictures; paths may be globs and folders, arrays are RGB. None for explainers of the model alone.
    explainer : str, Explainer, ModelExplainer or a sequence of these
        A command's name, or an instance such as ``GradCAM(layer="block5_conv3")``. One of several that does not fit
        the model is a failure of the run; the only one raises.
    target : str, int or a sequence of these
        "top", "top3", a class index, or a class name.
    preprocess : str
        What pixels become: "auto", "none", "unit", "tf", "caffe", "torch", or a plugin's.
    **values
        Options of the explainer (``layer="block5_conv3"``) and of every run (``seed=1``, ``out="folder"``), the same as
        on the command line.

    Returns
    -------
    Run
        ``run.results[i].panels[0].values`` is the first map of result i; ``run.save(folder)`` writes everything.

    Raises
    ------
    XcnnError
        Of the kind that tells what is wrong; `ImageError` only when no picture at all could be explained.

    Examples
    --------
    ::

        run = xcnn.explain("efficientnet-lite0", "samples/cat.jpg", layer="block5a_expand_conv")
        run.results[0].target.label, run.results[0].panels[0].values.shape
        run.save("cat-explained")
    """
    host = Host()
    if model is None:
        raise ModelError("no model was given", hint="a path, a name, a keras.Model, or what xcnn.open_network returned")
    word = str(model) if isinstance(model, (str, Path)) else ""
    asked = understood(images, explainer, {**values, "target": target, "preprocess": preprocess}, host=host, model=word)
    return execute(
        asked.request, asked.explainers, host=host, model=model, pictures=asked.pictures, sources=asked.sources
    )


@dataclass(frozen=True)
class Asked:
    """What a call asks for: pictures are path strings and arrays, ``sources`` tells which options were said."""

    request: Request | ModelRequest
    explainers: Sequence[BaseExplainer]
    pictures: Sequence[Any]
    sources: Mapping[str, str]


def understood(
    images: Any,
    explainer: str | BaseExplainer | Sequence[str | BaseExplainer],
    values: Mapping[str, Any],
    *,
    host: Host,
    model: str = "",
) -> Asked:
    """Check what a call says, as `explain` takes it, and give each explainer its own options; see there."""
    values = dict(values)
    target, preprocess = values.pop("target"), values.pop("preprocess")
    chosen = list(explainer) if isinstance(explainer, (list, tuple)) else [explainer]
    if not chosen:
        raise OptionError("no explainer was given", hint="one of " + ", ".join(list_explainers()))
    kinds = [_kind(one, host) for one in chosen]
    asked = Request if any(issubclass(kind, Explainer) for kind in kinds) else ModelRequest
    options.check([asked, *(kind for kind, one in zip(kinds, chosen, strict=True) if kind is not type(one))], values)
    built = [
        one if isinstance(one, BaseExplainer) else kind(**options.picked(kind, values))
        for kind, one in zip(kinds, chosen, strict=True)
    ]
    given = _given(images)
    if asked is ModelRequest and (target != "top" or images is not None):
        given_for_nothing = "target" if target != "top" else "images"
        raise OptionError(f"{kinds[0].name} looks at the model alone, so it takes no {given_for_nothing}")
    common = options.picked(asked, {**values, "target": target, "preprocess": preprocess})
    if common.get("out") is not None:
        common["out"] = str(common["out"])
    common |= {"model": model}
    if asked is Request:
        common["images"] = tuple(one for one in given if isinstance(one, str))
    request = asked(**common)
    sources = dict.fromkeys([*values, *([] if isinstance(target, str) and target == "top" else ["target"])], "python")
    return Asked(request, built, given, sources)


def _kind(explainer: Any, host: Host) -> type[BaseExplainer]:
    if isinstance(explainer, BaseExplainer):
        return type(explainer)
    if isinstance(explainer, type) and issubclass(explainer, BaseExplainer):
        return explainer
    if isinstance(explainer, str):
        return host.explainer(explainer)
    raise OptionError(f"{explainer!r} is no explainer", hint="one of " + ", ".join(list_explainers()))


def _given(images: Any) -> list[Any]:
    """Pictures as a list of path strings and arrays."""
    if images is None:
        return []
    many = isinstance(images, (list, tuple)) or getattr(images, "ndim", 0) == 4  # noqa: PLR2004 (n, h, w, c)
    return [str(one) if isinstance(one, (str, Path)) else one for one in (images if many else [images])]
