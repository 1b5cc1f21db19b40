"""The Python API: the same names and the same checks as the command line."""

from __future__ import annotations

import traceback
from pathlib import Path

import numpy as np
import pytest
from fakes import FakeNetwork, pictures

import xcnn
from xcnn import GradCAM
from xcnn.errors import ImageError, LayerError, ModelError, OptionError, OutputError, UsageError


def test_results_come_in_the_order_of_pictures_and_targets():
    run = xcnn.explain(FakeNetwork(np.ones((1, 2, 2, 1))), pictures((4, 4), (4, 4)))

    assert [result.image.path for result in run.results] == ["array-0", "array-1"]
    assert run.results[0].explainer == "gradcam"
    assert run.results[0].target.label in {"red", "green", "blue"}
    assert len(run.results[0].predictions) == 3
    assert repr(run) == "<Run: 2 results, 0 failures, 0 warnings>"


@pytest.mark.parametrize("give", ["one", "list", "stack"])
def test_one_picture_a_list_and_a_stack_are_understood(give):
    photos = pictures((4, 4), (4, 4))
    given = {"one": photos[0], "list": photos, "stack": np.stack(photos)}[give]

    run = xcnn.explain(FakeNetwork(), given)

    assert len(run.results) == (1 if give == "one" else 2)


def test_a_traceback_tells_what_to_try_in_the_words_of_python():
    Path("out").mkdir()
    run = xcnn.explain(FakeNetwork(), pictures((4, 4)))

    with pytest.raises(OutputError) as told:
        run.save("out")

    assert "--" in told.value.hint
    shown = "".join(traceback.format_exception_only(told.value)).splitlines()[1:]
    assert shown == [f"try: {told.value.hint.replace('--', '')}"]


def test_paths_may_be_path_objects_folders_and_globs(photo):
    for number in range(3):
        photo(f"folder/{number}.png", seed=number)

    assert len(xcnn.explain(FakeNetwork(), Path("folder")).results) == 3
    assert len(xcnn.explain(FakeNetwork(), "folder/[01].png").results) == 2
    assert len(xcnn.explain(FakeNetwork(), [Path("folder/0.png"), "folder/2.png"]).results) == 2


def test_an_explainer_can_be_a_name_an_instance_or_a_list():
    network, photo = FakeNetwork(np.ones((1, 2, 2, 1))), pictures((4, 4))[0]

    by_name = xcnn.explain(network, photo, "gradcam", layer="conv")
    by_instance = xcnn.explain(network, photo, GradCAM(layer="conv"))
    several = xcnn.explain(network, photo, ["gradcam", GradCAM(layer=("conv",))])

    assert network.asked == [("conv",)] * 2 + [(), ("conv",)]
    assert len(by_name.results) == len(by_instance.results) == 1
    assert [result.explainer for result in several.results] == ["gradcam", "gradcam"]


def test_gray_arrays_are_pictures_too():
    run = xcnn.explain(FakeNetwork(), np.zeros((4, 4), np.uint8))

    assert run.results[0].image.size == (4, 4)


@pytest.mark.parametrize(
    ("arguments", "options", "error", "words"),
    [
        ((np.zeros((4, 4, 3), np.float32),), {}, ImageError, "float32"),
        ((np.zeros((4, 4, 5), np.uint8),), {}, ImageError, r"shape \(4, 4, 5\)"),
        ((None,), {}, OptionError, "no image was given"),
        (([],), {}, OptionError, "no image was given"),
        (("nope.jpg",), {}, UsageError, "there is no file nope.jpg"),
        ((np.zeros((4, 4, 3), np.uint8), "gradcan"), {}, UsageError, "no explainer 'gradcan'"),
        ((np.zeros((4, 4, 3), np.uint8), []), {}, OptionError, "no explainer was given"),
        ((np.zeros((4, 4, 3), np.uint8),), {"alpha": 3}, OptionError, r"--alpha is 3.0; it must be in 0..1"),
        ((np.zeros((4, 4, 3), np.uint8),), {"colormap": "virdis"}, OptionError, "no colormap 'virdis'"),
        ((np.zeros((4, 4, 3), np.uint8),), {"preprocess": "tf"}, OptionError, "open already"),
        ((np.zeros((4, 4, 3), np.uint8),), {"seeed": 1}, OptionError, "no option 'seeed'"),
        ((np.zeros((4, 4, 3), np.uint8),), {"layer": "cov"}, LayerError, "no layer 'cov'"),
    ],
)
def test_a_mistake_is_an_exception_with_the_words_of_the_command_line(arguments, options, error, words):
    with pytest.raises(error, match=words):
        xcnn.explain(FakeNetwork(), *arguments, **options)


def test_an_option_of_an_explainer_can_not_be_given_beside_an_instance():
    with pytest.raises(OptionError, match="no option 'layer'"):
        xcnn.explain(FakeNetwork(), pictures((4, 4)), GradCAM(), layer="conv")


def test_a_model_that_does_not_exist_is_a_model_error():
    with pytest.raises(ModelError, match=r"no model file missing\.keras"):
        xcnn.open_network("missing.keras")


def test_one_bad_picture_of_many_is_a_failure_and_all_bad_an_error(photo):
    Path("notes.jpg").write_text("hello")

    run = xcnn.explain(FakeNetwork(), [photo("a.png"), "notes.jpg"])

    assert len(run.results) == 1
    assert (run.failures[0].path, run.failures[0].code) == ("notes.jpg", "image")
    with pytest.raises(ImageError, match=r"notes\.jpg is not a picture"):
        xcnn.explain(FakeNetwork(), "notes.jpg")
    Path("more.jpg").write_text("hello")
    with pytest.raises(ImageError, match="none of the 2 pictures"):
        xcnn.explain(FakeNetwork(), ["notes.jpg", "more.jpg"])


def test_save_writes_what_the_command_line_writes(photo, own_folder):
    run = xcnn.explain(FakeNetwork(np.ones((1, 2, 2, 1))), [photo("a.png"), *pictures((9, 5))])

    report = run.save("out")

    assert report == Path("out/report.html")
    assert {path.name for path in (own_folder / "out").iterdir()} == {
        "report.html",
        "run.json",
        *(f"{name}.{end}" for name in ("a", "array-1") for end in ("source.jpg", "gradcam.png", "gradcam.npy")),
        *(f"{name}.gradcam.overlay.png" for name in ("a", "array-1")),
    }
    np.testing.assert_array_equal(np.load("out/a.gradcam.npy"), run.results[0].panels[0].values)
    with pytest.raises(OutputError, match="out already exists"):
        run.save("out")
    assert run.save("out", overwrite=True) == report


def test_saving_refuses_a_picture_that_has_changed_since(photo):
    run = xcnn.explain(FakeNetwork(), photo("a.png", seed=1))
    photo("a.png", seed=2)

    with pytest.raises(ImageError, match=r"a\.png has changed since it was explained"):
        run.save("out")

    assert not Path("out").exists()


def test_pixels_of_files_are_dropped_and_those_from_memory_are_kept(photo):
    from_file, from_memory = xcnn.explain(FakeNetwork(), [photo("a.png"), *pictures((4, 4))]).results

    assert from_file.image.pixels is None
    assert from_memory.image.pixels.shape == (4, 4, 3)


def test_out_writes_as_results_come(photo):
    run = xcnn.explain(FakeNetwork(), photo("a.png"), out=Path("out"))

    assert run.out == Path("out")
    assert (run.out / "report.html").is_file()


def test_explainers_lists_what_is_installed():
    assert "gradcam" in xcnn.list_explainers()


def test_a_run_from_memory_says_that_no_command_can_repeat_it():
    assert xcnn.explain(FakeNetwork(), pictures((4, 4))).about["command"] == ""


def test_options_remember_that_they_came_from_python():
    run = xcnn.explain(FakeNetwork(), pictures((4, 4)), layer="conv", alpha=0.4)

    rows = {row["name"]: row for row in [*run.about["options"], *run.about["explainers"][0]["options"]]}
    assert (rows["alpha"]["value"], rows["alpha"]["source"]) == (0.4, "python")
    assert (rows["layer"]["value"], rows["layer"]["source"]) == (["conv"], "python")
    assert rows["seed"]["source"] == "default"


@pytest.mark.keras
def test_a_run_from_files_says_which_command_does_the_same(photo, small_model):
    run = xcnn.explain(small_model, photo("a b.png"), layer="base/conv1", target=[2, "top"], preprocess="tf")

    assert run.about["command"] == (
        f"xcnn gradcam {small_model} 'a b.png' --layer base/conv1 --preprocess tf --target 2 --target top"
    )


@pytest.mark.parametrize("target", [np.int64(2), np.array([0, 2]), "2", 2])
def test_a_class_may_be_what_argmax_returns(target):
    assert xcnn.explain(FakeNetwork(), pictures((4, 4)), target=target).results


@pytest.mark.parametrize(
    ("arguments", "options", "error"),
    [
        ((None, np.zeros((4, 4, 3), np.uint8)), {}, ModelError),
        ((3, np.zeros((4, 4, 3), np.uint8)), {}, ModelError),
        ((FakeNetwork(), np.zeros((4, 4, 3), np.uint8), len), {}, OptionError),
        ((FakeNetwork(), np.zeros((4, 4, 3), np.uint8), [3]), {}, OptionError),
        ((FakeNetwork(), np.zeros((4, 4, 3), np.uint8)), {"target": None}, OptionError),
        ((FakeNetwork(), np.zeros((4, 4, 3), np.uint8)), {"layer": None}, OptionError),
    ],
)
def test_what_is_no_model_explainer_target_or_layer_is_refused_in_words(arguments, options, error):
    with pytest.raises(error):
        xcnn.explain(*arguments, **options)


def test_an_explainer_may_be_its_class():
    assert xcnn.explain(FakeNetwork(), pictures((4, 4)), GradCAM, layer="conv").results[0].explainer == "gradcam"
