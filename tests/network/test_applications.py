"""The classifiers of keras.applications: the table is Keras's own, and no cached file is ever lost."""

from __future__ import annotations

import hashlib
import inspect
import sys
import warnings
from unittest.mock import Mock

import numpy as np
import pytest

from xcnn.errors import ModelError, UnsafeModelError
from xcnn.network import applications, preprocess
from xcnn.network.application_table import Weights
from xcnn.network.application_table import applications as table

pytestmark = pytest.mark.keras
ROWS = {row.function: row for row in table()}
SMALL = ["MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "EfficientNetV2B0", "DenseNet121"]
ONE_OF_EACH = [*SMALL, "ConvNeXtTiny", "InceptionV3", "InceptionResNetV2", "NASNetMobile", "ResNet50", "ResNet50V2"]
ONE_OF_EACH += ["VGG16", "VGG19", "Xception", "EfficientNetB1", "EfficientNetV2S"]


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder for Keras's cache."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras"


@pytest.fixture
def cached(home):
    """Put random weights of an application in the cache under the official name; returns path and model."""

    def put(function, *, top=True):
        import keras

        keras.utils.set_random_seed(1)
        row = ROWS[function]
        model = getattr(keras.applications, function)(weights=None, include_top=top)
        for layer in model.layers:
            if isinstance(layer, keras.layers.Normalization) and layer.get_weights():
                mean, deviation, count = layer.get_weights()
                layer.set_weights([mean + preprocess.IMAGENET_MEAN, deviation * preprocess.IMAGENET_STD, count])
        path = home / "models" / (row.weights if top else row.headless).file
        path.parent.mkdir(parents=True, exist_ok=True)
        model.save(path)
        return path, model

    return put


@pytest.fixture
def keras_cache(monkeypatch):
    """Have Keras take files from here without asking for their digests; returns what it asked for."""
    from keras.src.utils import file_utils

    asked = []

    def get_file(fname, origin, cache_subdir, file_hash=None):
        asked.append((fname, origin, file_hash or ""))
        return str(get_file.path)

    monkeypatch.setattr(file_utils, "get_file", get_file)
    get_file.asked, get_file.path = asked, ""
    return get_file


# --- the table ---------------------------------------------------------------------------------------------------


def test_the_table_has_every_application_of_this_keras():
    import keras

    assert set(ROWS) == {name for name, value in vars(keras.applications).items() if inspect.isfunction(value)}


@pytest.mark.slow
@pytest.mark.parametrize("function", ONE_OF_EACH)
def test_sizes_parameters_files_and_digests_are_those_of_keras(function, keras_cache, monkeypatch):
    import keras

    row = ROWS[function]
    monkeypatch.setattr(keras.Model, "load_weights", Mock())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about the size of the input
        model = getattr(keras.applications, function)(weights="imagenet")
        if function in SMALL:
            getattr(keras.applications, function)(weights="imagenet", include_top=False)

    assert model.count_params() == row.parameters
    assert model.input_shape[1] in {row.size, None}
    wanted = [(one.file, one.url, one.digest) for one in (row.weights, row.headless)]
    assert keras_cache.asked == wanted[: len(keras_cache.asked)]
    assert len(keras_cache.asked) == (2 if function in SMALL else 1)


@pytest.mark.parametrize("function", ROWS)
def test_every_digest_stands_in_the_source_of_its_application(function):
    import keras

    row = ROWS[function]
    source = inspect.getsource(inspect.getmodule(getattr(keras.applications, function)))
    if row.preprocessing == "tf" and function.startswith("ResNet"):
        source = inspect.getsource(keras.src.applications.resnet)

    for weights in (row.weights, row.headless):
        assert weights.digest in source
        assert weights.digest or "file_hash" not in source


@pytest.mark.parametrize("function", ROWS)
def test_the_preprocessing_is_that_of_keras(function):
    import keras

    module = sys.modules[getattr(keras.applications, function).__module__]
    mode = next(one for one in preprocess.BUILTIN if one.name == ROWS[function].preprocessing)
    pixels = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), np.uint8)

    np.testing.assert_allclose(
        preprocess.apply(mode, pixels, channels=3),
        module.preprocess_input(pixels.astype(np.float32)),
        rtol=1e-5,
        atol=1e-5,
    )


# --- the cache ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("function", "top"),
    [
        ("MobileNetV3Small", False),
        *(pytest.param("EfficientNetB0", top, marks=pytest.mark.slow) for top in (True, False)),
    ],
)
def test_a_model_is_what_keras_would_have_made_of_the_same_file(function, top, cached, keras_cache):
    import keras

    keras_cache.path, _ = cached(function, top=top)
    pixels = np.random.default_rng(0).uniform(0, 255, (2, 224, 224, 3)).astype(np.float32)
    theirs = getattr(keras.applications, function)(weights="imagenet", include_top=top, input_shape=(224, 224, 3))

    ours = applications.build(function.lower(), top=top).model

    expected, found = np.asarray(theirs(pixels)), np.asarray(ours(pixels))
    assert np.ptp(expected) > 0
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-5 * np.ptp(expected))


def test_a_cached_file_with_another_digest_is_used_as_it_is_kept_and_warned_about(cached):
    path, model = cached("MobileNetV3Small")
    before = path.read_bytes()

    built = applications.build("mobilenetv3small")

    assert path.read_bytes() == before
    assert (built.path, built.sha256) == (path, hashlib.sha256(before).hexdigest())
    assert built.warnings == (f"{path} is used as it is: its hash is not the official one of mobilenetv3small",)
    assert built.model.input_shape == (None, 224, 224, 3)
    np.testing.assert_array_equal(built.model.get_layer("conv").kernel, model.get_layer("conv").kernel)


@pytest.mark.parametrize("algorithm", ["md5", "sha256"])
def test_a_file_with_the_official_digest_is_not_warned_about(tmp_path, algorithm):
    path = tmp_path / "weights.h5"
    path.write_bytes(b"weights" * 1_000_000)
    official = hashlib.new(algorithm, path.read_bytes()).hexdigest()

    assert applications._digests(path, official) == (hashlib.sha256(path.read_bytes()).hexdigest(), True)
    assert not applications._digests(path, official[::-1])[1]
    assert applications._digests(path, "")[1]


def test_without_its_head_a_model_takes_pictures_of_any_size_and_its_own_file(cached):
    path, _ = cached("MobileNetV3Small", top=False)

    built = applications.build("mobilenetv3small", top=False)

    assert built.path == path
    assert built.model.input_shape == (None, None, None, 3)
    assert built.model(np.zeros((1, 64, 96, 3), np.float32)).shape == (1, 2, 3, 576)


@pytest.mark.parametrize("content", [b"", b"no HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(100)])
def test_a_broken_cached_file_is_named_and_kept(home, content):
    path = home / "models" / ROWS["MobileNetV2"].weights.file
    path.parent.mkdir(parents=True)
    path.write_bytes(content)

    with pytest.raises(ModelError, match="can't be loaded as the weights of mobilenetv2") as caught:
        applications.build("mobilenetv2")

    assert caught.value.exit_code == 3
    assert str(path) in caught.value.message
    assert "downloaded again" in caught.value.hint
    assert path.read_bytes() == content


def test_the_weights_of_another_model_are_refused_in_words(cached, home):
    path, _ = cached("MobileNetV3Small")
    path.rename(home / "models" / ROWS["MobileNetV2"].weights.file)

    with pytest.raises(ModelError, match="can't be loaded as the weights of mobilenetv2"):
        applications.build("mobilenetv2")


def test_an_unknown_application_is_an_error_with_the_nearest_name():
    with pytest.raises(ModelError, match=r"keras\.applications has no 'vgg17'") as caught:
        applications.build("vgg17")

    assert caught.value.hint.startswith("vgg1")


# --- the download ------------------------------------------------------------------------------------------------


@pytest.fixture
def server(tmp_path):
    """A file as a server would give it."""
    path = tmp_path / "server.h5"
    path.write_bytes(b"weights")
    return path


def test_a_file_that_is_not_cached_is_downloaded_once_and_checked(home, server, capsys):
    weights = Weights("some.h5", server.as_uri(), hashlib.sha256(b"weights").hexdigest())

    path = applications._download(weights, "some")

    assert path == home / "models" / "some.h5" == applications.weights_path(weights)
    assert path.read_bytes() == b"weights"
    assert [one.name for one in path.parent.iterdir()] == ["some.h5"]
    assert capsys.readouterr().out == ""


def test_a_download_with_another_digest_leaves_nothing_behind(home, server):
    weights = Weights("some.h5", server.as_uri(), "0" * 32)

    with pytest.raises(ModelError, match="can't be downloaded: Incomplete or corrupted file"):
        applications._download(weights, "some")

    assert list((home / "models").iterdir()) == []


def test_a_failed_download_says_which_file_to_put_where(home, server):
    weights = Weights("some.h5", server.with_name("missing.h5").as_uri(), "")

    with pytest.raises(
        ModelError, match="the weights of some are not in Keras's cache and can't be downloaded"
    ) as caught:
        applications._download(weights, "some")

    assert caught.value.exit_code == 3
    assert caught.value.hint == f"download {weights.url} elsewhere and put it at {home / 'models' / 'some.h5'}"
    assert list((home / "models").iterdir()) == []


def test_a_cached_file_that_leads_out_of_itself_is_refused(cached, home):
    import h5py

    path, _ = cached("MobileNet")
    with h5py.File(path, "a") as file:
        file["outside"] = h5py.ExternalLink("other.h5", "/")

    with pytest.raises(UnsafeModelError, match="outside"):
        applications.build("mobilenet")
    assert path.is_file()
