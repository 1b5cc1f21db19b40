"""The hooks: what a plugin can add beside a command of its own.

Hooks return values. Arguments are only ever added. An implementation is marked with `xcnn.plugin.hookimpl` in a module
or class that an entry point of the group ``xcnn.extensions`` names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any

    import numpy as np

    from xcnn.plugin import BaseExplainer, GradientRule, NamedModel, Preprocessing, Section

hookspec = pluggy.HookspecMarker("xcnn")


@hookspec
def xcnn_explainers() -> Iterable[type[BaseExplainer]]:  # type: ignore[empty-body]
    """Return explainer classes.

    Called when the commands are listed, so the built-ins use it and third parties the entry-point group
    ``xcnn.explainers`` instead, which needs no import: name = command, value = ``module:Class``.

    Example::

        from xcnn.plugin import hookimpl


        @hookimpl
        def xcnn_explainers():
            from xcnn_energy import Energy

            return [Energy]
    """


@hookspec
def xcnn_models() -> Iterable[NamedModel]:  # type: ignore[empty-body]
    """Return models that can be asked for by name.

    Called when a model is opened whose name is neither a file nor built in, and by ``xcnn models --load``. A name that
    is taken is an error naming both distributions.

    Example::

        from pathlib import Path

        from xcnn.plugin import NamedModel, Preprocessing, hookimpl


        @hookimpl
        def xcnn_models():
            unit = Preprocessing("my-net", "pixels / 255", scale=(1 / 255,))
            return [
                NamedModel(
                    name="my-net",
                    summary="Three kinds of leaves",
                    size=(224, 224),
                    preprocessing=unit,
                    licence="MIT",
                    path=lambda: Path(__file__).with_name("my-net.keras"),
                    labels=lambda: ("oak", "beech", "maple"),
                )
            ]
    """


@hookspec
def xcnn_preprocessors() -> Iterable[Preprocessing]:  # type: ignore[empty-body]
    """Return ways to turn pixels into inputs, for ``--preprocess NAME``.

    Called when a name is given that is not built in.

    Example::

        from xcnn.plugin import Preprocessing, hookimpl


        @hookimpl
        def xcnn_preprocessors():
            return [Preprocessing("xray", "pixels / 2048 - 1", scale=(1 / 2048,), offset=(-1.0,))]
    """


@hookspec
def xcnn_custom_objects() -> Mapping[str, Any]:  # type: ignore[empty-body]
    """Return classes and functions that model files may need, by the names the files use.

    Called when a file needs classes that neither Keras nor ``--custom-objects`` has, before TensorFlow is loaded by
    xcnn; the implementation may import Keras itself.

    Example::

        from xcnn.plugin import hookimpl


        @hookimpl
        def xcnn_custom_objects():
            import keras

            class Scale(keras.layers.Layer):
                def call(self, inputs):
                    return 2 * inputs

            return {"Scale": Scale}
    """


@hookspec
def xcnn_gradient_rules() -> Iterable[GradientRule]:  # type: ignore[empty-body]
    """Return rules for what ops hand down on the way from a score to the pixels.

    Called when an explainer asks `Network.input_gradients` or `Network.lacks` for a rule by a name that is not built
    in. A name that is taken is an error naming both distributions. An explainer that sets numbers of its own rule
    passes the rule itself and needs no hook. The functions of a rule are the one place where a plugin may import
    TensorFlow; the module that implements the hook should not at its top.

    Example::

        from xcnn.plugin import GradientRule, hookimpl


        def kept(step, arriving):
            import tensorflow as tf

            return [tf.where(arriving * step.op.outputs[0] > 0, arriving, tf.zeros_like(arriving))]


        def at(step):
            return kept if step.role == "rectifier" else None


        @hookimpl
        def xcnn_gradient_rules():
            return [GradientRule(name="rectgrad", summary="gradients that agree with the activation", at=at)]
    """


@hookspec
def xcnn_report_sections(  # type: ignore[empty-body]
    run: Mapping[str, Any], values: Callable[[str], np.ndarray]
) -> Iterable[Section]:
    """Return sections that the report shows below the results: plain text and panels, never HTML.

    Called when all results of a run are written and its report is about to be. ``run`` is what run.json will hold: its
    results with their targets and panels. ``values`` reads the array of a panel by the name in its ``files``. The entry
    point is of the group ``xcnn.sections``, so that a run imports nothing else. A plugin that fails leaves a warning.

    Example::

        from xcnn.plugin import Section, Table, hookimpl


        @hookimpl
        def xcnn_report_sections(run, values):
            rows = [
                (result["image"]["path"], result["explainer"], float((values(panel["files"]["values"]) > 0).mean()))
                for result in run["results"]
                if result["image"]
                for panel in result["panels"]
                if panel["kind"] == "map"
            ]
            table = Table("Share above zero", ("Picture", "Explainer", "Share"), tuple(rows))
            return [Section("How large the maps are", "A map that covers everything explains nothing.", (table,))]
    """
