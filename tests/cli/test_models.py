"""`xcnn models`, and a model asked for by name: what a user types, and what comes back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

CAT = Path(__file__).parent.parent.parent / "samples" / "cat.jpg"
MOBILENETV2 = "mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_224.h5"


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder for Keras's cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    (tmp_path / "keras" / "models").mkdir(parents=True)
    return tmp_path / "keras"


@pytest.fixture
def xcnn(command, home):
    """Run a command line; returns exit code, standard output and standard error."""
    return command


def rows(out):
    return {line.split()[0]: " ".join(line.split()) for line in out.splitlines()}


def test_models_lists_input_licence_parameters_preprocessing_and_whether_there_is_a_download(xcnn, home):
    (home / "models" / MOBILENETV2).touch()

    code, out, err = xcnn("models")

    assert code == 0
    listed = rows(out)
    assert listed["name"] == "name input licence parameters preprocess"
    assert listed["efficientnet-lite0"].endswith(
        "4.7 M efficientnet-lite0 embedded: ImageNet classifier, works offline"
    )
    assert listed["vgg16"] == "vgg16 224x224 CC-BY-4.0 (VGG, Oxford) 138.4 M caffe to download, 553 MB"
    assert listed["mobilenetv2"] == "mobilenetv2 224x224 Apache-2.0 3.5 M tf cached"
    assert listed["efficientnetb3"] == (
        "efficientnetb3 300x300 not stated (original: Apache-2.0) 12.3 M none to download, 49 MB"
    )
    assert len(listed) == 42
    assert "licences are those of the weights" in err


def test_models_as_json_has_the_same(xcnn, home):
    (home / "models" / MOBILENETV2).touch()

    code, out, _ = xcnn("models", "--json")

    assert code == 0
    models = {row.pop("name"): row for row in json.loads(out)["models"]}
    assert models["mobilenetv2"] == {
        "summary": "ImageNet classifier of keras.applications",
        "size": [224, 224],
        "parameters": 3538984,
        "preprocessing": "pixels / 127.5 - 1, so -1..1 (MobileNet, Inception, ...)",
        "preprocess": "tf",
        "licence": "Apache-2.0",
        "state": "cached",
        "download_mb": None,
    }
    assert (models["vgg16"]["state"], models["vgg16"]["download_mb"]) == ("to download", 553)
    assert (models["efficientnet-lite0"]["state"], models["efficientnet-lite0"]["download_mb"]) == ("embedded", None)


def test_a_misspelled_name_gets_the_nearest_one(xcnn):
    code, _, err = xcnn("gradcam", "mobilenetv22", CAT)

    assert code == 3
    assert "error: 'mobilenetv22' is neither a model file nor a known name\n  try: mobilenetv2 (did you mean" in err


@pytest.mark.keras
@pytest.mark.parametrize("word", ["mobilenetv2", pytest.param("MobileNet_V2", marks=pytest.mark.slow)])
def test_a_cached_model_is_explained_by_name(xcnn, home, word):
    import keras

    keras.applications.MobileNetV2(weights=None).save(home / "models" / MOBILENETV2)

    code, out, err = xcnn("gradcam", word, CAT)

    assert (code, out) == (0, "xcnn-out/gradcam/report.html\n")
    assert "what mobilenetv2 was trained with" in err
    about = json.loads(Path("xcnn-out/gradcam/run.json").read_text("ascii"))
    assert about["model"]["name"] == "mobilenetv2"
    assert about["model"]["sha256"]


@pytest.mark.keras
@pytest.mark.slow
def test_weights_with_another_hash_are_used_and_warned_about(xcnn, home):
    import keras

    path = home / "models" / "weights_mobilenet_v3_small_224_1.0_float.h5"
    keras.applications.MobileNetV3Small(weights=None).save(path)

    code, _, err = xcnn("gradcam", "mobilenetv3small", CAT)

    assert code == 0
    assert f"warning: {path} is used as it is: its hash is not the official one of mobilenetv3small" in err
    assert path.exists()


@pytest.mark.keras
@pytest.mark.executable
def test_offline_and_not_cached_is_exit_3_and_says_which_file_to_put_where(home):
    nowhere = dict.fromkeys(("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY"), "http://127.0.0.1:9")
    done = subprocess.run(
        [sys.executable, "-m", "xcnn", "gradcam", "mobilenetv2", CAT],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **nowhere, "no_proxy": "", "NO_PROXY": ""},
    )

    assert (done.returncode, done.stdout) == (3, "")
    message, hint = done.stderr.splitlines()[-2:]
    assert message.startswith("error: the weights of mobilenetv2 are not in Keras's cache and can't be downloaded: ")
    assert hint.startswith("  try: download https://")
    assert hint.endswith(f"/{MOBILENETV2} elsewhere and put it at {home / 'models' / MOBILENETV2}")
    assert list((home / "models").iterdir()) == []
