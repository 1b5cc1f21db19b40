import pytest

from xcnn.report.finding import found

CAT = {"index": 285, "label": "Egyptian cat", "probability": 0.8}


def result(**changed):
    image = {"path": "a.jpg", "notes": []}
    return {"image": image, "target": CAT, "predictions": [CAT], "seconds": 0.5, "panels": [{"notes": []}]} | changed


def test_an_image_is_found_by_its_name_classes_confidence_and_time():
    told = found([result(), result(target={"label": "tabby"})])

    assert told == {
        "name": "a.jpg", "labels": "Egyptian cat | tabby", "pred": "Egyptian cat", "conf": "0.800000", "seconds": "1.0000",
        "warn": "", "wrong": "", "truth": "",
    }  # fmt: skip


def test_a_note_on_the_image_or_on_a_panel_is_a_warning():
    assert found([result(panels=[{"notes": ["zero"]}])])["warn"] == "yes"
    assert found([result(image={"path": "a", "notes": ["turned"]})])["warn"] == "yes"


@pytest.mark.parametrize(
    ("truth", "wrong"),
    [
        ("egyptian CAT", ""),
        ("dog", "yes"),
        (285, ""),
        (3, "yes"),
        ({"index": 3, "label": "x"}, "yes"),
        ({"index": None, "label": "Egyptian cat"}, ""),
    ],
)
def test_a_prediction_that_is_not_the_truth_is_wrong(truth, wrong):
    assert found([result(truth=truth)])["wrong"] == wrong
    label = truth["label"] if isinstance(truth, dict) else str(truth)
    assert found([result(truth=truth)])["truth"] == label


def test_without_predictions_nothing_is_wrong_and_nothing_confident():
    told = found([result(predictions=[], truth="cat")])

    assert (told["pred"], told["conf"], told["wrong"]) == ("", "", "")


@pytest.mark.parametrize(("wrong", "said"), [(True, "yes"), (False, "")])
def test_a_judgement_of_the_run_counts(wrong, said):
    assert found([result(truth={"index": 285, "label": "Egyptian cat"}, wrong=wrong)])["wrong"] == said
