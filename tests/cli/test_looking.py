"""`xcnn doctor` and `xcnn predict`: what a user sees of a model before explaining it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import keras
import nets
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.keras
SAMPLES = Path(__file__).parent.parent.parent / "samples"


def vgg_like():
    """The shape of the cats-and-dogs transfer learner: VGG16, flattened, two dense layers, one sigmoid."""
    keras.utils.set_random_seed(0)
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    head = [
        keras.layers.Flatten(),
        keras.layers.Dense(8, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
    return keras.Sequential([keras.Input((32, 32, 3)), base, *head])


# --- doctor ------------------------------------------------------------------------------------------------------


def test_the_doctor_says_what_a_model_is_and_what_works_on_it(command):
    nets.nested().save("small.keras")

    code, out, err = command("doctor", "small.keras")

    assert code == 0
    assert "input 24x24x3; pictures are resized to 24x24" in out
    assert "softmax, 5 classes" in out
    assert "scores: logit (before the softmax)" in out
    assert "gradcam: yes, at base/act2, the last layer with a map (12x12); about" in out
    assert "yes: global average pooling of base/act2, then a linear head" in out
    assert "rectifiers    2, and no other non-linearity" in out
    assert "WARNINGS      preprocessing is a guess" in out
    assert "opening small.keras" in err


def test_the_doctor_says_why_an_explainer_does_not_work(command):
    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]).save("dense.keras")

    code, out, _ = command("doctor", "dense.keras")

    assert code == 0
    assert "gradcam: no, dense.keras has no layer with a map of more than one position" in out
    assert "pooled head   no: the head is flattened maps under a dense layer" in out


def test_the_doctor_as_json_is_plain_data(command):
    nets.segmentation().save("seg.keras")

    code, out, _ = command("doctor", "seg.keras", SAMPLES / "cat.jpg", "--json")

    data = json.loads(out)
    assert code == 0
    assert data["model"]["output_size"] == [24, 24]
    assert [one["preprocessing"] for one in data["predictions"][0]["under"]] == ["none", "unit", "tf", "caffe", "torch"]
    assert data["explainers"][0]["works"] is True
    assert data["explainers"][0]["seconds_per_picture"] > 0


def test_the_doctor_recognises_the_transfer_learner_and_its_preprocessing(command):
    vgg_like().save("cats.keras")

    code, out, _ = command("doctor", "cats.keras")

    assert code == 0
    assert "preprocessing caffe: BGR minus the ImageNet mean" in out
    assert "VGG16" in out
    assert "binary, 2 classes" in out
    assert "WARNINGS" not in out


def test_a_wrong_preprocessing_is_seen_side_by_side(command):
    code, out, _ = command("doctor", "efficientnet-lite0", SAMPLES / "cat.jpg")

    rows = [line for line in out.splitlines() if "cat" in line or "tf" in line]
    assert code == 0
    assert "efficientnet-lite0*" in out
    assert any("Egyptian cat 81%" in row for row in rows)


def test_the_doctor_writes_what_it_found_and_the_next_run_reads_it(command):
    vgg_like().save("cats.keras")
    Path("labels.txt").write_text("0 cat\n1 dog\n")

    code, _, err = command("doctor", "cats.keras", "--write")
    said = tomllib.loads(Path("cats.xcnn.toml").read_text("utf-8"))
    again = command("gradcam", "cats.keras", SAMPLES / "cat.jpg", "--target", "dog", "--out", "run")

    assert code == 0
    assert "written: cats.xcnn.toml" in err
    assert (said["preprocessing"], said["labels"], said["layer"]) == ("caffe", "labels.txt", "vgg16/block5_conv3")
    assert again[0] == 0
    assert "caffe, BGR minus the ImageNet mean (VGG, ResNet50): as cats.xcnn.toml says" in again[2]
    assert "layer: vgg16/block5_conv3, as cats.xcnn.toml says" in again[2]
    assert "1 dog" in again[2]


def test_a_guess_is_not_written_as_if_it_were_known(command):
    nets.nested().save("small.keras")

    command("doctor", "small.keras", "--write")

    assert "preprocessing" not in tomllib.loads(Path("small.xcnn.toml").read_text("utf-8"))


def test_the_doctor_never_writes_over_a_sidecar_unasked(command):
    nets.nested().save("small.keras")
    Path("small.xcnn.toml").write_text('notes = ["mine"]\n')

    code, _, err = command("doctor", "small.keras", "--write")

    assert code == 5
    assert "small.xcnn.toml already exists" in err
    assert "mine" in Path("small.xcnn.toml").read_text("utf-8")
    assert command("doctor", "small.keras", "--write", "--overwrite", "--preprocess", "tf")[0] == 0
    assert tomllib.loads(Path("small.xcnn.toml").read_text("utf-8"))["preprocessing"] == "tf"


def test_a_named_model_has_no_sidecar(command):
    code, _, err = command("doctor", "efficientnet-lite0", "--write")

    assert code == 2
    assert "--write puts a file beside the model, and this one has no file" in err


def test_a_misspelt_key_of_a_sidecar_is_refused_with_a_guess(command):
    nets.nested().save("small.keras")
    Path("small.xcnn.toml").write_text('preprocesing = "tf"\n')

    code, _, err = command("gradcam", "small.keras", SAMPLES / "cat.jpg")

    assert code == 2
    assert "unknown key 'preprocesing'" in err
    assert "preprocessing (did you mean this?)" in err


# --- predict -----------------------------------------------------------------------------------------------------


def test_predict_prints_a_table_and_draws_labels(command):
    code, out, _ = command("predict", "efficientnet-lite0", SAMPLES / "cat.jpg", SAMPLES / "coffee.jpg", "--top", "2")

    lines = out.splitlines()
    assert code == 0
    assert lines[0].split() == ["picture", "index", "class", "score", "probability"]
    assert lines[1].split()[1:4] == ["285", "Egyptian", "cat"]
    assert lines[1].endswith("80.9%")
    assert lines[-1] == "xcnn-out/predict"
    data = json.loads(Path("xcnn-out/predict/run.json").read_text("ascii"))
    assert [result["best"][0]["label"] for result in data["results"]] == ["Egyptian cat", "espresso"]
    with Image.open(Path("xcnn-out/predict") / data["results"][0]["file"]) as drawn:
        assert drawn.width > drawn.height > 100


def test_predict_of_broken_pictures_goes_on_and_says_so(command):
    Path("bad.jpg").write_bytes(b"no picture")

    code, out, _ = command("predict", "efficientnet-lite0", "bad.jpg", SAMPLES / "cat.jpg", "--json", "--out", "p")

    data = json.loads(out)
    assert code == 1
    assert [failure["path"] for failure in data["failures"]] == ["bad.jpg"]
    assert len(data["results"]) == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("predict", "efficientnet-lite0"), 2, "no image was given"),
        (("predict", "efficientnet-lite0", "none.jpg"), 2, "there is no file none.jpg"),
        (("predict", "nothing.h5", str(SAMPLES / "cat.jpg")), 3, "there is no model file nothing.h5"),
        (("predict", "efficientnet-lite0", str(SAMPLES / "cat.jpg"), "--top", "0"), 2, "must be in 1..1000"),
        (("doctor", "efficientnet-lite0", "--fit", "squeeze"), 2, "not one of its choices"),
        (("doctor", "efficientnet-lite0", "--input-size", "ax3"), 2, "must be a number, or two like 8x4"),
        (("doctor", "efficientnet-lite0", "--input-size", "100"), 2, "takes 224x224x3"),
        (("doctor", "efficientnet-lite0", "--labels", "none.txt"), 2, "none.txt"),
        (("doctor", "efficientnet-lite0", "--input", "a"), 2, "must be NAME=FILE"),
        (("layers", "efficientnet-lite0", "--all", "--spatial"), 2, "contradict"),
    ],
)
def test_what_is_mistyped_is_said_in_words(command, words, code, said):
    got, out, err = command(*words)

    assert (got, said in (out + err).lower() or said in out + err) == (code, True), err


# --- fitting pictures --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("how", "size"), [("crop", (20, 20)), ("pad", (40, 40)), ("stretch", (20, 40))])
def test_a_picture_is_cropped_padded_or_stretched(command, how, size):
    nets.nested().save("small.keras")
    Image.fromarray(np.full((20, 40, 3), 200, np.uint8)).save("wide.png")

    code, _, err = command("gradcam", "small.keras", "wide.png", "--fit", how, "--out", how)

    assert code == 0, err
    image = json.loads(Path(how, "run.json").read_text("ascii"))["results"][0]["image"]
    assert (image["height"], image["width"]) == size
    with Image.open(Path(how, "wide.gradcam.overlay.png")) as overlay:
        assert overlay.size == size[::-1]


def test_the_cats_and_dogs_model_is_explained_by_default_and_by_name(command):
    vgg_like().save("cats.h5")

    first = command("gradcam", "cats.h5", SAMPLES / "cat.jpg", "--out", "a")
    second = command(
        "gradcam", "cats.h5", SAMPLES / "cat.jpg", "--layer", "vgg16/block5_conv3", "--target", "0", "--out", "b"
    )

    assert (first[0], second[0]) == (0, 0)
    assert "layer: vgg16/block5_conv3" in first[2]


def test_labels_and_targets_of_every_kind_reach_the_pictures(command):
    nets.nested().save("small.keras")
    Path("names.json").write_text('["ant", "bee", "cat", "catfish", "dog"]')

    code, _, err = command(
        *("gradcam", "small.keras", SAMPLES / "cat.jpg", "--labels", "names.json", "--out", "run"),
        *("-t", "cat", "-t", "dog vs ant", "-t", "not:be"),
    )

    assert code == 0, err
    results = json.loads(Path("run/run.json").read_text("ascii"))["results"]
    assert [result["target"]["label"] for result in results] == ["cat", "dog vs ant", "not bee"]
    assert results[1]["target"]["coefficients"] == [[4, 1.0], [0, -1.0]]
    assert "cat.jpg: dog vs ant" in err


def test_a_class_and_its_contrast_are_two_results(command):
    nets.nested().save("small.keras")

    code, _, err = command(
        "gradcam", "small.keras", SAMPLES / "cat.jpg", "--out", "run", "-t", "2", "-t", "2 vs 1", "-t", "2"
    )

    assert code == 0, err
    results = json.loads(Path("run/run.json").read_text("ascii"))["results"]
    assert [result["target"]["label"] for result in results] == ["class 2", "class 2 vs class 1"]


def resnet_head():
    """ResNet50, global average pooling, dropout and one sigmoid: what class activation maps are made of."""
    base = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(64, 64, 3))
    x = keras.layers.Dropout(0.3)(keras.layers.GlobalAveragePooling2D()(base.outputs[0]))
    return keras.Model(base.inputs, keras.layers.Dense(1, activation="sigmoid")(x))


def lenet():
    """LeNet-5 of the textbooks, channels last."""
    layers = keras.layers
    return keras.Sequential(
        [
            keras.Input((32, 32, 1)),
            layers.Conv2D(6, 5, activation="tanh", data_format="channels_last", name="c1"),
            layers.AveragePooling2D(2, name="s2"),
            layers.Conv2D(16, 5, activation="tanh", name="c3"),
            layers.AveragePooling2D(2, name="s4"),
            layers.Flatten(),
            layers.Dense(120, activation="tanh"),
            layers.Dense(84, activation="tanh"),
            layers.Dense(10, activation="softmax"),
        ]
    )


@pytest.mark.parametrize(
    ("build", "layer", "mode", "pooled"),
    [
        (resnet_head, "conv5_block3_out", "caffe", "conv5_block3_out"),
        (lenet, "s4", "unit", ""),
        (vgg_like, "vgg16/block5_conv3", "caffe", ""),
    ],
)
def test_the_shapes_of_the_textbooks_work_by_default(command, build, layer, mode, pooled):
    build().save("model.keras")

    code, _, err = command("gradcam", "model.keras", SAMPLES / "cat.jpg", "--out", "run")

    assert code == 0, err
    model = json.loads(Path("run/run.json").read_text("ascii"))["model"]
    assert model["default_layer"]["path"] == layer
    assert model["preprocessing"]["name"] == mode
    assert model["pooling"]["layer"] == pooled
