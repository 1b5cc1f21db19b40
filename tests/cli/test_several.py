"""`xcnn explain`: several explainers in one run."""

from __future__ import annotations

import json
import re
from pathlib import Path

import keras
import nets
import pytest

import xcnn
from xcnn.errors import MisfitError, OptionError

pytestmark = pytest.mark.keras


def manifest(folder):
    return json.loads((Path(folder) / "run.json").read_text("ascii"))


@pytest.fixture(scope="session")
def swish_model(tmp_path_factory):
    """A network without a rectifier and without a pooled head."""
    keras.utils.set_random_seed(0)
    path = tmp_path_factory.mktemp("models") / "swish.keras"
    keras.Sequential(
        [
            keras.Input((nets.SIZE, nets.SIZE, 3)),
            keras.layers.Conv2D(4, 3, activation="swish", name="conv1"),
            keras.layers.Flatten(),
            keras.layers.Dense(3, activation="softmax"),
        ]
    ).save(path)
    return str(path)


def test_several_explainers_make_one_report(command, photo, small_model, own_folder):
    code, out, err = command("explain", small_model, photo(), "--with", "gradcam,guided,cam", "--target", "top2")

    assert (code, out) == (0, "xcnn-out/explain/report.html\n")
    assert err.count("opening") == 1
    run = manifest("xcnn-out/explain")
    assert [result["explainer"] for result in run["results"]] == ["gradcam"] * 2 + ["guided"] * 2 + ["cam"] * 2
    assert [one["name"] for one in run["explainers"]] == ["gradcam", "guided", "cam"]
    assert "--with gradcam,guided,cam" in run["command"]


def test_one_that_does_not_fit_is_a_failure_and_the_others_go_on(command, photo, swish_model):
    code, _, err = command("explain", swish_model, photo(), "-w", "gradcam,guided,cam", "--out", "run")

    assert code == 1
    run = manifest("run")
    assert {result["explainer"] for result in run["results"]} == {"gradcam"}
    assert [(one["explainer"], one["code"], one["path"]) for one in run["failures"]] == [
        ("guided", "misfit", ""),
        ("cam", "misfit", ""),
    ]
    assert "guided does not fit" in err


def test_the_only_one_that_does_not_fit_is_the_error_of_the_run(command, photo, swish_model):
    code, out, err = command("cam", swish_model, photo())

    assert (code, out) == (2, "")
    assert err.splitlines()[-2].startswith("error: ")
    assert "global average pooling" in err
    assert not Path("xcnn-out").exists()


def test_notes_on_the_screen_name_their_explainer_where_there_are_several(command, photo, small_model):
    _, _, several = command("explain", small_model, photo("p.png"), "-w", "guided,occlusion,gradcam", "--budget", "0")
    _, _, one = command("guided", small_model, "p.png")

    (note,) = [line for line in one.splitlines() if "non-linearities" in line]
    assert note.startswith("note: ")
    assert note.replace("note: ", "note: guided: ") in several.splitlines()
    assert re.search(r"^note: occlusion: \d+ of \d+ windows within 0 s$", several, re.MULTILINE)


def test_options_go_to_all_that_have_them(command, photo, small_model):
    code, _, _ = command(
        "explain",
        small_model,
        photo(),
        "-w",
        "gradcam,activations",
        "--layer",
        "base/conv1",
        "--columns",
        "3",
        "-o",
        "run",
    )

    assert code == 0
    assert {panel["layer"] for result in manifest("run")["results"] for panel in result["panels"]} == {"base/conv1"}


def test_an_explainer_of_the_model_alone_joins_in(command, photo, small_model):
    code, _, _ = command("explain", small_model, photo(), "-w", "kernels,gradcam", "-o", "run")

    assert code == 0
    assert sorted(result["explainer"] for result in manifest("run")["results"]) == ["gradcam", "kernels"]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["--with", "gradcam,gradcm"], "there is no explainer 'gradcm'"),
        (["--with", "gradcam,gradcam"], "names gradcam twice"),
        (["--with", ","], "names no explainer"),
        (["--with", "gradcam", "--window", "8"], "--window"),
        (["--with", "gradcam,saliency", "--layer", "nowhere"], "no layer 'nowhere'"),
    ],
)
def test_what_can_not_be_asked_for_is_said(command, photo, small_model, words, expected):
    code, out, err = command("explain", small_model, photo(), *words)

    assert (code, out) == (2, "")
    assert expected in err


def test_the_command_in_the_report_asks_for_the_same_again(command, photo, small_model):
    import shlex

    command(
        "explain",
        small_model,
        photo(),
        "-w",
        "occlusion,saliency",
        "--window",
        "9x7",
        "--stride",
        "5",
        "--reduce",
        "l2",
        "-o",
        "one",
    )
    code, _, _ = command(*shlex.split(manifest("one")["command"])[1:], "-o", "two")

    assert code == 0
    first, second = manifest("one")["results"], manifest("two")["results"]
    assert [one["panels"] for one in first] == [one["panels"] for one in second]


def test_python_takes_a_list_of_explainers():
    network = xcnn.open_network(nets.nested(), preprocess="unit")

    run = xcnn.explain(network, nets_photo(), ["gradcam", xcnn.Saliency(reduce="l2"), "occlusion"], window=8, stride=8)

    assert [result.explainer for result in run.results] == ["gradcam", "saliency", "occlusion"]


def test_python_raises_for_the_only_one_and_collects_the_failures_of_several(swish_model):
    with pytest.raises(MisfitError):
        xcnn.explain(swish_model, nets_photo(), "cam")
    run = xcnn.explain(swish_model, nets_photo(), ["cam", "gradcam"])
    assert [one.explainer for one in run.failures] == ["cam"]


def test_an_explainer_of_the_model_needs_no_picture_and_refuses_none(small_model):
    assert xcnn.explain(small_model, explainer="kernels").results[0].image is None
    with pytest.raises(OptionError, match="takes no target"):
        xcnn.explain(small_model, explainer="kernels", target="1")
    with pytest.raises(OptionError, match="takes no images"):
        xcnn.explain(small_model, nets_photo(), "kernels")
    with pytest.raises(OptionError, match="no option 'alpha'"):
        xcnn.explain(small_model, explainer="kernels", alpha=0.3)


def nets_photo():
    from fakes import pictures

    return pictures((30, 40))


@pytest.mark.slow
def test_filters_of_vgg16_need_its_convolutions_in_the_cache_alone(command, own_folder, monkeypatch):
    import keras

    folder = own_folder / "home" / "models"
    folder.mkdir(parents=True)
    monkeypatch.setenv("KERAS_HOME", str(own_folder / "home"))
    path = folder / "vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
    write_as_keras_does(keras.applications.VGG16(weights=None, include_top=False), path)

    code, _, err = command(
        "filters", "--layer", "block3_conv1", "--grid", "2x2", "--steps", "2", "--size", "64", "-o", "run"
    )

    assert code == 0, err
    assert "its hash is not the official one" in err
    tiles = manifest("run")["results"][0]["panels"][0]
    assert (tiles["kind"], tiles["layer"]) == ("tiles", "block3_conv1")
    assert path.is_file()


def write_as_keras_does(model, path):
    """Write weights in the layout of the files that Keras downloads, which is that of Keras 2."""
    import h5py

    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [layer.name.encode() for layer in model.layers]
        for layer in model.layers:
            group = file.create_group(layer.name)
            names = [f"{layer.name}/{weight.name}:0" for weight in layer.weights]
            group.attrs["weight_names"] = [name.encode() for name in names]
            for name, value in zip(names, layer.get_weights(), strict=True):
                group[name] = value
