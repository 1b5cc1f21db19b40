"""Named models are known by every spelling, and listing them touches neither Keras nor the network."""

from __future__ import annotations

import pytest

from xcnn.network import zoo
from xcnn.network.application_table import applications


@pytest.fixture
def known():
    return {model.name: model for model in zoo.xcnn_models()}


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("vgg16", "vgg16"),
        ("VGG16", "vgg16"),
        ("MobileNetV2", "mobilenetv2"),
        ("mobilenet_v2", "mobilenetv2"),
        ("mobilenet-v2", "mobilenetv2"),
        ("inception_resnet_v2", "inceptionresnetv2"),
        ("EfficientNet-B0", "efficientnetb0"),
        ("efficientnetv2-s", "efficientnetv2s"),
        ("ConvNeXt Tiny", "convnexttiny"),
        ("efficientnet_lite0", "efficientnet-lite0"),
    ],
)
def test_a_model_is_found_by_every_spelling(known, word, name):
    assert zoo.find(word, known).name == name


@pytest.mark.parametrize("word", ["vgg", "vgg161", "resnet", "", "vgg16.h5", "mobilenet/v2"])
def test_a_name_that_is_only_similar_is_not_found(known, word):
    assert zoo.find(word, known) is None


def test_no_two_models_have_the_same_name_but_for_its_spelling(known):
    assert len({zoo._bare(name) for name in known}) == len(known) == 41


def test_every_application_has_the_labels_of_imagenet_and_says_under_what_licence_its_weights_are(known):
    for model in known.values():
        assert model.labels()[285] == "Egyptian cat"
        assert model.licence


def test_a_digest_is_an_md5_or_a_sha256_and_every_file_has_a_name_of_its_own():
    weights = [one for row in applications() for one in (row.weights, row.headless)]

    assert {len(one.digest) for one in weights} == {0, 32, 64}
    assert len({one.file for one in weights}) == len({one.url for one in weights}) == len(weights) == 80


def test_the_weights_are_looked_for_in_the_folder_that_keras_uses(known, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "elsewhere"))
    model = known["vgg16"]
    path = tmp_path / "elsewhere" / "models" / "vgg16_weights_tf_dim_ordering_tf_kernels.h5"

    assert (model.path(), model.cached) == (path, False)

    path.parent.mkdir(parents=True)
    path.touch()
    assert model.cached

    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert model.path() == tmp_path / ".keras" / "models" / path.name
