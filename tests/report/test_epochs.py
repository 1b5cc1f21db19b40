"""What a page says of the epochs of a training, and how it arranges what explains an image after each."""

from __future__ import annotations

import pytest

from xcnn.report import epochs


def result(epoch=None, *, label="cat", explainer="gradcam", explained=True):
    target = {"index": 3, "label": label, "score": 1.0, "probability": 0.5, "coefficients": [[3, 1.0]]}
    told = {
        "explainer": explainer, "image": None, "target": target if explained else None, "predictions": [target],
        "panels": [], "files": {}, "trust": [], "seconds": 0.1,
    }  # fmt: skip
    return told if epoch is None else {**told, "epoch": epoch}


def test_the_words_of_an_epoch_are_what_was_logged_of_it():
    manifest = {
        "results": [result(2)],
        "failures": [{"path": "", "epoch": 4}, {"path": "x.png"}],
        "epochs": [
            {"epoch": 1, "logs": {"loss": 0.5}},
            {"epoch": 2, "logs": {"loss": 0.25, "val_accuracy": 0.9534, "\u202eodd": None}},
        ],
    }

    assert epochs.told(manifest) == {2: "loss 0.250 · val_accuracy 0.953 · \\u202eodd not finite", 4: ""}


def test_a_run_of_a_trained_model_has_no_epochs():
    assert epochs.told({"results": [result()], "failures": []}) == {}

    (block,) = epochs.blocks([result(), result(explainer="saliency")], {}, None, "image-1")
    assert (block["epoch"], block["id"]) == (None, "image-1")
    assert [card["explainer"] for card in block["rows"][0]["cards"]] == ["gradcam", "saliency"]


def test_each_epoch_is_a_block_with_its_own_predictions():
    made = epochs.blocks([result(1, label="cat"), result(3, label="dog", explained=False)], {}, None, "image-1")

    assert [block["epoch"] for block in made] == [1, 3]
    assert [block["predictions"][0]["label"] for block in made] == ["cat", "dog"]
    assert [block["explained"] for block in made] == [{3}, set()]
    ids = [block["id"] for block in made] + [
        card["id"] for block in made for row in block["rows"] for card in row["cards"]
    ]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize(("given", "found"), [([1, 1, 2, 2], [2, 2]), ([None, None], [None, None])])
def test_an_image_is_found_by_its_last_epoch(given, found):
    assert [one.get("epoch") for one in epochs.last([result(epoch) for epoch in given])] == found
