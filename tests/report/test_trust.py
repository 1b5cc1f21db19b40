import pytest

from xcnn.report import trust

MODEL = {
    "score": "logit (before the softmax)",
    "input_size": [224, 224],
    "input_shape": [224, 224, 3],
    "trusted": False,
    "preprocessing": {"name": "tf", "reason": "what it was trained with"},
}
TARGET = {"probability": 0.8}
IMAGE = {"height": 300, "width": 400}


def doubts(model=None, **changed):
    return " ".join(trust.doubts({"target": TARGET, "image": IMAGE} | changed, MODEL | (model or {})))


def test_nothing_is_said_of_an_ordinary_result_or_run():
    assert doubts() == ""
    assert list(trust.of_run(MODEL)) == []


@pytest.mark.parametrize(("probability", "said"), [(0.99995, True), (0.9998, False), (None, False)])
def test_a_saturated_class_is_told(probability, said):
    assert ("saturated" in doubts(target={"probability": probability})) is said


def test_a_probability_in_the_place_of_a_logit_is_told():
    assert "not a logit but the probability" in doubts(model={"score": "probability"})
    assert doubts(model={"score": "output"}, target={"probability": None}) == ""


def test_a_picture_shrunk_more_than_eight_times_is_told_with_the_size_that_was_seen():
    assert "saw 224 × 224 pixels: 10 times smaller" in doubts(image={"height": 2240, "width": 1000})
    assert doubts(image={"height": 1792, "width": 1792}) == ""


def test_a_network_of_any_size_shrinks_nothing():
    assert doubts(model={"input_size": [None, None]}, image={"height": 9000, "width": 9000}) == ""


def test_the_model_alone_has_no_class_and_no_picture_to_doubt():
    assert doubts(target=None, image=None) == ""


def test_a_trusted_model_and_guessed_preprocessing_hold_for_the_whole_run():
    guess = {"name": "unit", "reason": "a guess: nothing in the model tells"}
    told = list(trust.of_run(MODEL | {"trusted": True, "preprocessing": guess}))

    assert "its own code" in told[0]
    assert "guess (unit)" in told[1]


def test_what_run_json_says_itself_counts_alone():
    facts = [{"code": "guessed", "text": "a guess"}, {"code": "saturated", "text": "100%"}]

    told = trust.told({"target": {"probability": 1.0}, "image": IMAGE, "trust": facts}, MODEL)

    assert told == (["100%"], ["a guess"])
