"""What is said of a network: in run.json, and as notes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from xcnn.errors import LayerError
from xcnn.network import environment

if TYPE_CHECKING:
    from xcnn.network.keras_model import KerasModel


def described(network: KerasModel) -> dict[str, Any]:
    """Describe a network: what it is, and what was decided for the user."""
    survey, head, mode, origin = network.survey, network.head, network.preprocessing, network.origin
    try:
        chosen = network.default_layer()
        layer = {"path": chosen.value, "reason": chosen.reason}
    except LayerError:
        layer = None
    return {
        "name": network.name,
        "path": origin.path,
        "sha256": origin.hashed(),
        "trusted": origin.trusted,
        "input_shape": list(network.input_shape),
        "input_size": list(network.input_size),
        "inputs": [{"name": slot.name, "shape": list(slot.shape)} for slot in network.inputs.slots],
        "outputs": list(survey.outputs),
        "output": survey.output,
        "parameters": network.model.count_params(),
        "head": head.kind,
        "output_size": list(head.size) if head.size else None,
        "classes": head.classes,
        "score": head.score,
        "preprocessing": {
            "name": mode.preprocessing.name,
            "summary": mode.preprocessing.summary,
            "reason": mode.reason,
        },
        "default_layer": layer,
        "pooling": {"layer": survey.pooling.layer, "reason": survey.pooling.reason},
        "rectifiers": {"covered": survey.rectifiers.covered, "others": dict(survey.rectifiers.others)},
        "notes": list(network.notes),
        "versions": environment.versions(),
    }


def noted(network: KerasModel) -> tuple[str, ...]:
    """What a user should know about how a model was understood."""
    survey = network.survey
    every = f"the model has {len(survey.outputs)} outputs ({', '.join(survey.outputs)}); {survey.output!r} is explained"
    return (
        *network.origin.notes,
        *network.inputs.notes,
        *((every,) if len(survey.outputs) > 1 else ()),
        *((f"class names: {network.labelled[1]}",) if network.labelled and network.labelled[1] else ()),
        *survey.notes,
    )
