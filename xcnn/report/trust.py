"""How far to trust a result, in words: what its run.json says, or what an older one lets conclude."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SATURATED = 0.9999
"""From this probability on, a class has left the range in which its score says much."""
MOST_SHRUNK = 8
"""A picture that is shrunk more than this has lost what only its pixels showed."""
WHOLE = {"trusted", "guessed", "upgraded"}
"""Codes of what holds for all results of a run."""


def told(result: Mapping[str, Any], model: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Say what speaks against one result, and what against all of its run."""
    if "trust" not in result:
        return list(doubts(result, model)), list(of_run(model))
    facts = [(fact["code"] in WHOLE, fact["text"]) for fact in result["trust"]]
    return [text for whole, text in facts if not whole], [text for whole, text in facts if whole]


def doubts(result: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[str]:
    """Say what a reader must know about one result beside what its maps say themselves."""
    target, image = result["target"], result["image"]
    if target:
        yield from _of_target(target, model)
    if image:
        yield from _of_image(image, model)


def _of_target(target: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[str]:
    probability = target["probability"]
    if probability is not None and probability > SATURATED:
        yield (
            "The class is saturated: the network is all but certain, so that small changes of the picture hardly "
            "change its probability."
        )
    if probability is not None and not str(model["score"]).startswith("logit"):
        yield f"What is explained is not a logit but the {model['score']}: where it saturates, gradients vanish."


def _of_image(image: Mapping[str, Any], model: Mapping[str, Any]) -> Iterator[str]:
    size = model.get("input_size") or [side or 0 for side in model["input_shape"][:2]]
    if all(size):
        factor = max(image["height"] / size[0], image["width"] / size[1])
        if factor > MOST_SHRUNK:
            yield (
                f"The network saw {size[1]} \N{MULTIPLICATION SIGN} {size[0]} pixels: {factor:.0f} times smaller than "
                "the picture. Small things are lost."
            )


def of_run(model: Mapping[str, Any]) -> Iterator[str]:
    """Say what holds for every result of a run."""
    if model["trusted"]:
        yield "The model was allowed to run its own code: what it computes can't be checked."
    preprocessing = model["preprocessing"]
    if str(preprocessing["reason"]).startswith("a guess"):
        yield (
            f"The preprocessing is a guess ({preprocessing['name']}): if the predictions look wrong, so are the maps."
        )
