"""What a user types, and exactly what comes back: text, files and exit codes."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import zipfile
from pathlib import Path

import nets
import numpy as np
import pytest
from PIL import Image

pytestmark = pytest.mark.keras
SAMPLES = Path(__file__).parent.parent.parent / "samples"
FILES = Path(__file__).parent.parent / "files"


def manifest(folder):
    return json.loads((Path(folder) / "run.json").read_text("ascii"))


# --- the main job ------------------------------------------------------------------------------------------------


def test_the_readme_command_explains_the_cat_and_writes_everything(command, own_folder):
    code, out, err = command("gradcam", "efficientnet-lite0", SAMPLES / "cat.jpg")

    assert (code, out) == (0, "xcnn-out/gradcam/report.html\n")
    assert "layer: top_act, the last layer with a map (7x7)" in err
    assert "preprocessing: efficientnet-lite0, (pixels - 127) / 128" in err
    assert "285 Egyptian cat" in err
    folder = own_folder / "xcnn-out" / "gradcam"
    names = {path.name for path in folder.iterdir()}
    assert names == {
        "report.html",
        "run.json",
        "cat.source.jpg",
        "cat.gradcam.png",
        "cat.gradcam.overlay.png",
        "cat.gradcam.npy",
    }
    result = manifest(folder)["results"][0]
    assert (result["target"]["index"], result["target"]["label"]) == (285, "Egyptian cat")
    assert result["target"]["probability"] == pytest.approx(0.80, abs=0.03)
    values = np.load(folder / "cat.gradcam.npy")
    assert (values.shape, values.dtype) == ((7, 7), np.float32)
    assert result["panels"][0]["maximum"] == pytest.approx(float(values.max()))
    with Image.open(folder / "cat.gradcam.overlay.png") as overlay, Image.open(SAMPLES / "cat.jpg") as original:
        assert overlay.size == original.size
    assert "Egyptian cat" in (folder / "report.html").read_text("utf-8")


def test_the_command_in_the_report_asks_for_the_same(command, photo, small_model, own_folder):
    name = photo("a b.png")
    words = [
        "gradcam",
        small_model,
        name,
        "--layer",
        "base/act2",
        "--target",
        "top2",
        "--target",
        "4",
        "--alpha",
        "0.4",
    ]
    command(*words, "--out", "one", "--seed", "3")
    again = manifest("one")["command"]

    code, _, _ = command(*shlex.split(again)[1:], "--out", "two")

    assert code == 0
    first, second = manifest("one"), manifest("two")
    assert first["results"] == [
        {**result, "seconds": other["seconds"]}
        for result, other in zip(second["results"], first["results"], strict=True)
    ]
    for result in first["results"]:
        file = result["panels"][0]["files"]["values"]
        assert (own_folder / "one" / file).read_bytes() == (own_folder / "two" / file).read_bytes()


def test_options_are_written_with_where_they_came_from(command, photo, small_model):
    command("gradcam", small_model, photo(), "--layer", "base/act2", "--out", "run")

    about = manifest("run")
    sources = {
        row["name"]: (row["value"], row["source"]) for row in about["options"] + about["explainers"][0]["options"]
    }
    assert sources["layer"] == (["base/act2"], "command line")
    assert sources["alpha"] == (0.5, "default")
    assert about["versions"]["keras"]
    assert len(about["model"]["sha256"]) == 64


def test_several_classes_and_layers_get_files_of_their_own(command, photo, small_model, own_folder):
    command("gradcam", small_model, photo("cat.png"), "-l", "base/conv1,base/act2", "-t", "0", "-t", "3", "-o", "run")

    names = {path.name for path in (own_folder / "run").glob("*.npy")}
    assert names == {f"cat.gradcam.base-{layer}.class-{label}.npy" for layer in ("conv1", "act2") for label in (0, 3)}


def test_a_glob_of_layers_explains_each_that_has_a_map(command, photo, small_model):
    command("gradcam", small_model, photo(), "--layer", "base/conv*", "--out", "run")

    assert [panel["layer"] for panel in manifest("run")["results"][0]["panels"]] == ["base/conv1", "base/conv2"]


def test_classes_of_one_picture_share_one_scale(command, photo, small_model):
    command("gradcam", small_model, photo(), "--target", "top5", "--out", "run")

    panels = [result["panels"][0] for result in manifest("run")["results"]]
    assert len(panels) == 5
    assert {tuple(panel["scale"]) for panel in panels} == {(0.0, max(panel["maximum"] for panel in panels))}


def test_folders_globs_and_files_are_one_run_with_one_load(command, photo, small_model):
    photo("pets/img10.png", seed=1)
    photo("pets/img2.png", seed=2)
    photo("other/x.jpg", seed=3)
    (Path("pets") / "notes.txt").write_text("no picture")

    code, _, err = command("gradcam", small_model, "pets", "oth*/*.jpg", "--out", "run")

    assert code == 0
    assert [result["image"]["path"] for result in manifest("run")["results"]] == [
        "pets/img2.png",
        "pets/img10.png",
        "other/x.jpg",
    ]
    assert err.count("opening") == 1


def test_twenty_pictures_say_how_far_they_are_and_not_each_by_name(command, photo, small_model):
    for number in range(20):
        photo(f"many/{number}.png", seed=number)

    _, _, err = command("gradcam", small_model, "many", "--out", "run", "--batch-size", "7")

    assert "2 of 20 pictures" in err
    assert "20 of 20 pictures" in err
    assert "many/3.png" not in err


def test_a_tiny_picture_is_enlarged_for_the_report_pixel_by_pixel(command, photo, small_model):
    command("gradcam", small_model, photo("tiny.png", 20, 28), "--out", "run")

    with Image.open("run/tiny.source.jpg") as source, Image.open("tiny.png") as tiny:
        assert source.size == (9 * 28, 9 * 20)
        middles = np.asarray(source)[4::9, 4::9].astype(int)
        assert np.abs(middles - np.asarray(tiny)).mean() < 12
    assert manifest("run")["results"][0]["image"]["width"] == 28


def test_pictures_of_one_name_never_overwrite_each_other(command, photo, small_model, own_folder):
    photo("a/x.png", seed=1)
    photo("b/x.png", seed=2)
    photo("c/X.png", seed=3)

    command("gradcam", small_model, "a/x.png", "b/x.png", "c/X.png", "--out", "run")

    assert sorted(path.name for path in (own_folder / "run").glob("*.npy")) == [
        "X-3.gradcam.npy",
        "x-2.gradcam.npy",
        "x.gradcam.npy",
    ]


def test_the_default_folder_is_numbered_and_an_old_run_is_never_touched(command, photo, small_model):
    outputs = [command("gradcam", small_model, photo())[1] for _ in range(3)]

    assert outputs == [f"xcnn-out/gradcam{number}/report.html\n" for number in ("", "-2", "-3")]


def test_quiet_prints_the_path_only_and_verbose_adds_times(command, photo, small_model):
    assert command("gradcam", small_model, photo(), "-q") == (0, "xcnn-out/gradcam/report.html\n", "")
    assert " ms)" in command("gradcam", small_model, photo(), "-v")[2]


def test_json_is_the_run_on_standard_output(command, photo, small_model):
    code, out, err = command("gradcam", small_model, photo(), "--json")

    data = json.loads(out)
    assert (code, err) == (0, "")
    assert data["schema_version"] == 2
    assert data["folder"] == "xcnn-out/gradcam"
    assert data["results"][0]["panels"][0]["layer"] == "base/act2"


def test_a_guessed_preprocessing_is_a_warning_on_the_screen_and_in_the_run(command, photo, small_model):
    _, _, err = command("gradcam", small_model, photo(), "--out", "run")

    assert "warning: preprocessing is a guess" in err
    assert "preprocessing is a guess" in manifest("run")["warnings"][0]


def test_preprocess_tf_changes_what_the_model_receives(command, photo, small_model):
    command("gradcam", small_model, photo(), "--out", "unit")
    command("gradcam", small_model, photo(), "--out", "tf", "--preprocess", "tf")

    unit, tf = (manifest(folder)["results"][0]["target"]["score"] for folder in ("unit", "tf"))
    assert unit != tf
    assert manifest("tf")["model"]["preprocessing"]["reason"] == "asked for"


def test_a_map_of_zeros_is_said_in_words_and_stays_zero(command, photo, own_folder):
    model = nets.flat(None)
    model.get_layer("predictions").set_weights([-np.ones((8, 5)), np.zeros(5)])
    model.save("against.keras")

    code, _, err = command("gradcam", "against.keras", photo("p.png"), "--out", "run")

    assert code == 0
    assert "no evidence: the gradcam map is all zero" in err
    panel = manifest("run")["results"][0]["panels"][0]
    assert panel["notes"] == ["no positive evidence: the map is zero everywhere"]
    assert panel["scale"] == [0.0, 0.0]
    assert not np.load(own_folder / "run" / "p.gradcam.npy").any()
    assert "no positive evidence" in (own_folder / "run" / "report.html").read_text("utf-8")


def test_a_gray_net_and_a_siamese_net_work_unchanged(command, photo):
    nets.mnist().save("mnist.keras")
    nets.siamese().save("siamese.keras")

    assert command("gradcam", "mnist.keras", photo(), "--out", "a")[0] == 0
    code, _, err = command("gradcam", "siamese.keras", photo(), "--out", "b")

    assert code == 0
    assert "note: the model has 2 inputs that take pictures; each receives the same one" in err
    assert "layer: tower/act2[1]" in err


# --- looking around ------------------------------------------------------------------------------------------------


def test_layers_prints_the_tree_from_the_file_in_execution_order(command, small_model):
    code, out, err = command("layers", small_model)

    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [line[0] for line in lines] == [
        "path",
        "base",
        "base/conv1",
        "base/pool1",
        "base/conv2",
        "base/bn2",
        "base/act2",
        "gap",
        "predictions",
    ]
    assert lines[2] == ["base/conv1", "Conv2D", "24x24x6", "168", "relu"]
    assert "what each explainer looks at: --trace" in err


def test_layers_of_a_trace_marks_what_each_explainer_looks_at(command, small_model):
    code, out, err = command("layers", small_model, "--trace", "--spatial")

    lines = [line.split() for line in out.splitlines()]
    assert code == 0
    assert [line[0] for line in lines][1:] == [
        f"base{name}" for name in ("", "/conv1", "/pool1", "/conv2", "/bn2", "/act2")
    ]
    assert lines[6] == ["base/act2", "ReLU", "12x12x8", "gradcam,", "cam,", "guided-gradcam,", "filters"]
    assert lines[2] == ["base/conv1", "Conv2D", "24x24x6", "168", "relu", "kernels"]
    assert "gradcam: base/act2, the last layer with a map (12x12)" in err


@pytest.mark.parametrize("traced", [True, False])
def test_layers_as_json_holds_every_layer(command, small_model, traced):
    _, out, _ = command("layers", small_model, "--all", "--json", *(["--trace"] if traced else []))

    data = json.loads(out)
    last = {"path": "base/act2", "reason": "the last layer with a map (12x12)"}
    averaged = {"path": "base/act2", "reason": "the maps that are averaged and weighed by the head"}
    first = {"path": "base/conv1", "reason": "the first convolution"}
    told = {"gradcam": last, "cam": averaged, "guided-gradcam": last, "filters": last, "kernels": first}
    picks = [{"explainer": name, **where} for name, where in told.items()]
    assert data["picks"] == (picks if traced else [])
    assert {
        "path": "predictions",
        "kind": "Dense",
        "shape": [5],
        "parameters": 45,
        "activation": "softmax",
        "leaf": True,
        "spatial": False,
    } in data["layers"]


def test_layers_from_a_file_load_no_tensorflow(small_model):
    code = f"from xcnn.cli.main import run; assert run(['layers', {small_model!r}]) == 0; import sys; print('tensorflow' in sys.modules)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "False"


def test_the_architecture_is_drawn_and_never_over_a_file(command, small_model, own_folder):
    code, _, err = command("layers", small_model, "--plot", "net.png")

    assert code == 0
    assert "drawn: net.png" in err
    assert (own_folder / "net.png").read_bytes().startswith(b"\x89PNG")
    refused(command("layers", small_model, "--plot", "net.png"), 5, "net.png already exists")
    refused(command("layers", small_model, "--plot", "net.pdf"), 5, "net.pdf does not end in .png or .jpg")


def test_models_lists_the_embedded_one(command):
    code, out, _ = command("models")

    assert code == 0
    assert "efficientnet-lite0  224x224  Apache-2.0" in out
    assert json.loads(command("models", "--json")[1])["models"][0]["name"] == "efficientnet-lite0"


def test_help_lists_explainers_and_starts_with_an_example(command):
    code, out, _ = command("--help")

    assert code == 0
    assert "Example: xcnn gradcam efficientnet-lite0 photo.jpg" in out
    assert "gradcam" in out
    assert max(map(len, out.splitlines())) <= 80


def test_the_help_of_an_explainer_shows_each_option_with_its_help(command):
    _, out, _ = command("gradcam", "--help")

    for flag in [
        "--layer",
        "-l",
        "--target",
        "-t",
        "--preprocess",
        "--out",
        "-o",
        "--overwrite",
        "--colormap",
        "--alpha",
        "--batch-size",
        "--seed",
        "--json",
        "--quiet",
        "-q",
        "--verbose",
        "-v",
    ]:
        assert flag in out
    assert "arXiv" in out or "arxiv.org/abs/1610.02391" in out


# --- bad input -----------------------------------------------------------------------------------------------------


def lines(err):
    return [
        line for line in err.splitlines() if not line.startswith(("opening", "layer:", "preprocessing:", "warning:"))
    ]


def refused(result, code, *words):
    """The exit code is `code`, nothing is answered, and the error is short and holds the words."""
    got, out, err = result
    said = lines(err)
    assert got == code, err
    assert out == ""
    assert said[0].startswith("error: ")
    assert len(said) <= 5
    assert err.count("error: ") == 1
    for word in words:
        assert word in err
    assert not Path("xcnn-out").exists()


def test_a_missing_picture(command, small_model):
    refused(command("gradcam", small_model, "nope.jpg"), 2, "there is no file nope.jpg")


def test_no_picture_at_all(command, small_model):
    refused(command("gradcam", small_model), 2, "no image was given")


def test_a_glob_that_matches_nothing(command, small_model):
    refused(command("gradcam", small_model, "*.jpg"), 2, "no file matches *.jpg")


def test_a_folder_without_pictures(command, small_model):
    Path("empty").mkdir()

    refused(command("gradcam", small_model, "empty"), 2, "there is no picture in the folder empty")


def test_a_text_file_named_jpg(command, small_model):
    Path("notes.jpg").write_text("hello")

    refused(command("gradcam", small_model, "notes.jpg"), 1, "notes.jpg is not a picture")


def test_bad_pictures_cost_no_tensorflow(command, monkeypatch):
    Path("notes.jpg").write_text("hello")
    monkeypatch.setitem(sys.modules, "tensorflow", None)

    refused(command("gradcam", "efficientnet-lite0", "notes.jpg"), 1, "notes.jpg is not a picture")


def test_one_bad_picture_of_many_is_a_card_and_exit_code_1(command, photo, small_model):
    Path("notes.jpg").write_text("hello")

    code, out, err = command(
        "gradcam", small_model, photo("a.png"), "notes.jpg", "gone.png", photo("b.png"), "--out", "run"
    )

    assert code == 1
    assert out == "run/report.html\n"
    assert "error: notes.jpg is not a picture that xcnn reads" in err
    about = manifest("run")
    assert [result["image"]["path"] for result in about["results"]] == ["a.png", "b.png"]
    assert [failure["path"] for failure in about["failures"]] == ["notes.jpg", "gone.png"]
    assert "notes.jpg is not a picture" in Path("run/report.html").read_text("utf-8")


def test_an_unknown_layer_names_the_nearest(command, photo, small_model):
    refused(
        command("gradcam", small_model, photo(), "--layer", "base/conv3"),
        2,
        "small.keras has no layer 'base/conv3'",
        "try: base/conv",
        f"xcnn layers {small_model}",
    )


def test_a_layer_without_a_map_names_some_that_have_one(command, photo, small_model):
    refused(command("gradcam", small_model, photo(), "--layer", "gap"), 2, "'gap'", "has no map", "base/act2")


def test_a_bare_name_of_a_nested_layer_is_enough(command, photo, small_model):
    assert command("gradcam", small_model, photo(), "--layer", "act2")[0] == 0


@pytest.mark.parametrize("target", ["5", "-1", "99999999999"])
def test_a_class_out_of_range(command, photo, small_model, target):
    refused(command("gradcam", small_model, photo(), "--target", target), 2, f"class {target} does not exist", "0..4")


def test_an_unknown_class_name(command, photo, small_model):
    refused(command("gradcam", small_model, photo(), "--target", "cat"), 2, "no class is named 'cat'")
    refused(
        command("gradcam", "efficientnet-lite0", photo(), "--target", "Egyptain cat"),
        2,
        "Egyptian cat (did you mean this?)",
    )


def test_a_class_name_used_twice_lists_its_indices(command, photo):
    refused(command("gradcam", "efficientnet-lite0", photo(), "--target", "crane"), 2, "2 classes", "134 or 517")


def test_a_class_by_name_whatever_its_case(command):
    command("gradcam", "efficientnet-lite0", SAMPLES / "cat.jpg", "--target", "african ELEPHANT", "--out", "run")

    assert manifest("run")["results"][0]["target"]["index"] == 386


def test_weights_without_an_architecture(command, photo):
    refused(
        command("gradcam", FILES / "keras2_weights_only.h5", photo()),
        3,
        "weights without an architecture",
        "model.save",
    )


def test_a_truncated_model(command, photo, small_model):
    for name, source in (("cut.keras", small_model), ("cut.h5", FILES / "keras2_functional.h5")):
        data = Path(source).read_bytes()
        Path(name).write_bytes(data[: len(data) // 2])

        refused(command("gradcam", name, photo()), 3, f"{name} is damaged or truncated")


def test_a_model_that_is_no_model(command, photo):
    Path("model.h5").write_text("hello")

    refused(command("gradcam", "model.h5", photo()), 3, "neither a .keras nor an HDF5 file")
    refused(command("gradcam", "missing.h5", photo()), 3, "there is no model file missing.h5")
    refused(command("gradcam", "eficientnet-lite0", photo()), 3, "efficientnet-lite0 (did you mean this?)")
    refused(command("gradcam", "https://example.org/m.h5", photo()), 3, "is a URL")


def test_a_lambda_model_is_refused_by_name_and_never_loaded(command, photo, own_folder):
    import keras

    pixels = keras.Input((8, 8, 3))
    x = keras.layers.Lambda(_touch_sentinel, name="innocent", output_shape=(8, 8, 3))(pixels)
    x = keras.layers.GlobalAveragePooling2D()(keras.layers.Conv2D(2, 3)(x))
    inner = keras.Model(pixels, x)
    for suffix in (".keras", ".h5"):
        keras.Sequential([keras.Input((8, 8, 3)), inner]).save(f"bad{suffix}")
        (own_folder / "sentinel").unlink(missing_ok=True)

        refused(
            command("gradcam", f"bad{suffix}", photo()), 4, "'innocent' (Lambda) runs Python code stored in the file"
        )

        assert not (own_folder / "sentinel").exists()


def _touch_sentinel(x):
    Path("sentinel").touch()
    return x


def test_unknown_layer_classes_are_all_named_at_once(command, photo, small_model):
    with zipfile.ZipFile(small_model) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = parts["config.json"].decode()
    config = config.replace(
        '"module": "keras.layers", "class_name": "Conv2D"', '"module": null, "class_name": "GhostConv"'
    )
    config = config.replace(
        '"module": "keras.layers", "class_name": "ReLU"', '"module": "my.code", "class_name": "Mish"'
    )
    with zipfile.ZipFile("custom.keras", "w") as archive:
        for name, data in (parts | {"config.json": config.encode()}).items():
            archive.writestr(name, data)

    refused(command("gradcam", "custom.keras", photo()), 3, "GhostConv, Mish")


def test_an_existing_folder_is_never_touched_without_overwrite(command, photo, small_model):
    Path("mine").mkdir()
    Path("mine/thesis.txt").write_text("years of work")

    refused(command("gradcam", small_model, photo(), "--out", "mine"), 5, "mine already exists")
    refused(command("gradcam", small_model, photo(), "--out", "mine", "--overwrite"), 5, "was not written by xcnn")

    assert Path("mine/thesis.txt").read_text() == "years of work"


def test_overwrite_replaces_a_run_as_a_whole(command, photo, small_model):
    command("gradcam", small_model, photo("a.png"), "--out", "run")

    code, _, _ = command("gradcam", small_model, photo("b.png"), "--out", "run", "--overwrite")

    assert code == 0
    assert not list(Path("run").glob("a.*"))
    assert [path.name for path in Path().iterdir() if path.name.startswith(".xcnn")] == []


def test_a_failing_run_keeps_the_old_folder(command, photo, small_model):
    command("gradcam", small_model, photo("a.png"), "--out", "run")
    before = {path.name: path.read_bytes() for path in Path("run").iterdir()}

    code, _, _ = command("gradcam", small_model, photo("b.png"), "--out", "run", "--overwrite", "--layer", "nope")

    assert code == 2
    assert {path.name: path.read_bytes() for path in Path("run").iterdir()} == before


def test_a_folder_that_cannot_be_made(command, photo, small_model):
    Path("file").write_text("")

    refused(command("gradcam", small_model, photo(), "--out", "file/run"), 5, "can't write file/run")


def test_an_unknown_colormap_names_the_nearest(command, photo, small_model):
    refused(command("gradcam", small_model, photo(), "--colormap", "virdis"), 2, "try: viridis (did you mean this?)")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--alpha", "2"], "--alpha is 2.0; it must be in 0..1"),
        (["--alpha", "nan"], "--alpha is nan; it must be in 0..1"),
        (["--batch-size", "0"], "--batch-size is 0; it must be in 1..4096"),
        (["--batch-size", "1.5"], "--batch-size is '1.5'; it must be a whole number"),
        (["--seed", "x"], "--seed is 'x'; it must be a whole number"),
        (["--target", ""], "the target is empty"),
        (["--target", "1,2"], "give --target once for each class"),
        (["--preprocess", "cafe"], "caffe (did you mean this?)"),
        (["--target", "top0"], "top0 asks for no class"),
        (["--layr", "x"], "--layer (did you mean this?)"),
    ],
)
def test_an_impossible_option(command, photo, small_model, arguments, words):
    refused(command("gradcam", small_model, photo(), *arguments), 2, words)


def test_an_unknown_command_names_the_nearest(command):
    refused(command("grad-cam", "m", "x"), 2, "there is no command 'grad-cam'", "gradcam (did you mean this?)")


def test_errors_are_json_with_json(command, small_model):
    code, out, err = command("gradcam", small_model, "nope.jpg", "--json")

    assert (code, err) == (2, "")
    assert json.loads(out)["error"] == {
        "code": "usage",
        "exit_code": 2,
        "message": "there is no file nope.jpg",
        "hint": "",
    }


def test_names_cannot_steer_the_terminal(command, photo, small_model):
    _, _, err = command("gradcam", small_model, photo("a\x1b[31m[bold].png"), "--out", "run")

    assert "\x1b" not in err
    assert "[bold].png" in err


def test_a_network_that_computes_nan_is_said_by_layer(command, photo):
    model = nets.flat()
    model.get_layer("predictions").kernel.assign(np.full((8, 5), np.nan))
    model.save("nan.keras")

    refused(command("gradcam", "nan.keras", photo()), 1, "the gradcam map at act2 is not finite")


@pytest.mark.parametrize(
    ("saved", "named"), [("n.h5", "n.model"), ("n.h5", "n.keras"), ("n.keras", "n.h5"), ("n.keras", "n")]
)
def test_a_model_with_a_misleading_name_is_opened_by_content(command, photo, saved, named):
    nets.nested().save(saved)
    Path(saved).rename(named)

    assert command("gradcam", f"./{named}", photo())[0] == 0


def test_overwrite_refuses_a_run_to_which_the_user_has_added_a_file(command, photo, small_model):
    command("gradcam", small_model, photo(), "--out", "run")
    Path("run/thesis").mkdir()
    Path("run/thesis/notes.txt").write_text("years of work")

    refused(
        command("gradcam", small_model, photo(), "--out", "run", "--overwrite"), 5, "run holds thesis", "move it away"
    )

    assert Path("run/thesis/notes.txt").read_text() == "years of work"


def test_quiet_still_says_which_picture_failed(command, photo, small_model):
    Path("notes.jpg").write_text("hello")

    code, out, err = command("gradcam", small_model, photo(), "notes.jpg", "-q", "--out", "run")

    assert (code, out) == (1, "run/report.html\n")
    assert err.splitlines()[0] == "error: notes.jpg is not a picture that xcnn reads"


def test_a_class_asked_for_twice_is_explained_once(command, photo, small_model):
    command("gradcam", small_model, photo(), "-t", "top5", "-t", "4", "-t", "4", "--out", "run")

    indices = [result["target"]["index"] for result in manifest("run")["results"]]
    assert sorted(indices) == [0, 1, 2, 3, 4]


def test_no_command_at_all_prints_the_help(command):
    code, out, err = command()

    assert code == 2
    assert "Usage: xcnn" in out + err
    assert "error: a command is missing" in err


def test_a_model_without_a_map_is_said_to_have_none(command):
    import keras

    keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(3)]).save("dense.keras")

    code, _, err = command("layers", "dense.keras")

    assert code == 0
    assert "no layer has a map" in err


def test_a_model_that_keras_cannot_load_says_which_layer_and_why(command, photo, small_model):
    with zipfile.ZipFile(small_model) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    config = parts["config.json"].replace(b'"pool_size": [2, 2]', b'"pool_size": [2, 2], "colour": 1')
    assert config != parts["config.json"]
    with zipfile.ZipFile("odd.keras", "w") as archive:
        for name, data in (parts | {"config.json": config}).items():
            archive.writestr(name, data)

    refused(command("gradcam", "odd.keras", photo()), 3, "can't load odd.keras", "MaxPooling2D", "colour")
