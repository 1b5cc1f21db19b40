"""Backbones are recognised by all their historic names, nested and cut, and a user's own network is none."""

from __future__ import annotations

import re

import pytest

from xcnn.network.backbone_table import FAMILIES
from xcnn.network.backbones import Layers, recognise
from xcnn.network.backbones import _as as as_family


def seen(names):
    found = recognise(names)
    return (found.family, found.preprocessing) if found else None


def vgg(*convolutions):
    """The layers of a VGG with so many convolutions in each block."""
    return [
        name
        for block, count in enumerate(convolutions, 1)
        for name in (*(f"block{block}_conv{index}" for index in range(1, count + 1)), f"block{block}_pool")
    ]


def resnet50_of_keras_2(blocks=("2abc", "3abcd", "4abcdef", "5abc")):
    names = ["input_1", "conv1_pad", "conv1", "bn_conv1", "activation_1", "max_pooling2d_1"]
    for stage, *letters in blocks:
        for letter in letters:
            for part in ("2a", "2b", "2c", *(["1"] if letter == "a" else [])):
                names += [f"res{stage}{letter}_branch{part}", f"bn{stage}{letter}_branch{part}"]
    return names


def resnet_of_keras_applications_1(*, preact=False, reduce=False):
    names = ["input_1", "conv1_pad", "conv1_conv", *([] if preact else ["conv1_bn", "conv1_relu"]), "pool1_pool"]
    for block in ("conv2_block1", "conv2_block2", "conv2_block3", "conv3_block1"):
        names += [f"{block}_preact_bn", f"{block}_preact_relu"] if preact else []
        names += [f"{block}_0_conv", f"{block}_1_conv", f"{block}_1_bn", f"{block}_2_conv"]
        names += [f"{block}_2_reduce"] if reduce else []
        names += [f"{block}_2_bn", f"{block}_3_conv", *([] if preact else [f"{block}_3_bn"]), f"{block}_add"]
        names += [f"{block}_out"]
    return names


def densenet121(slash="_"):
    names = ["input_1", "zero_padding2d_1", f"conv1{slash}conv", f"conv1{slash}bn", f"conv1{slash}relu", "pool1"]
    for stage, blocks in ((2, 6), (3, 12), (4, 24), (5, 16)):
        for block in range(1, blocks + 1):
            parts = ("0_bn", "0_relu", "1_conv", "1_bn", "1_relu", "2_conv", "concat")
            names += [f"conv{stage}_block{block}_{part}" for part in parts]
        names += [f"pool{stage}_bn", f"pool{stage}_conv", f"pool{stage}_pool"]
    return names


def mobilenet():
    names = ["input_1", "conv1", "conv1_bn", "conv1_relu"]
    for block in range(1, 14):
        for kind in ("dw", "pw"):
            names += [f"conv_{kind}_{block}{part}" for part in ("", "_bn", "_relu")]
    return names


def mobilenetv2(blocks=16):
    names = ["input_1", "Conv1_pad", "Conv1", "bn_Conv1", "Conv1_relu"]
    names += [f"expanded_conv_{part}" for part in ("depthwise", "depthwise_BN", "project", "project_BN")]
    for block in range(1, blocks + 1):
        names += [f"block_{block}_{part}" for part in ("expand", "expand_BN", "depthwise", "project", "project_BN")]
    return [*names, "Conv_1", "Conv_1_bn", "out_relu"]


def mobilenetv2_of_keras_2_1():
    names = ["input_1", "Conv1", "bn_Conv1", "Conv1_relu", "mobl0_conv_0_depthwise", "mobl0_conv_0_project"]
    for block in range(1, 17):
        for part in ("expand", "depthwise", "project"):
            names += [f"mobl{block}_conv_{block}_{part}", f"bn{block}_conv_{block}_bn_{part}"]
    return [*names, "Conv_1", "Conv_1_bn", "out_relu"]


def mobilenetv3(slash, blocks, *, rescaling=True):
    names = ["input_1", *(["rescaling"] if rescaling else []), "Conv", f"Conv{slash}BatchNorm", "re_lu"]
    for block in ("", *(f"_{index}" for index in range(1, blocks))):
        parts = (*(["expand"] if block else []), "depthwise", f"depthwise{slash}BatchNorm", "project")
        names += [f"expanded_conv{block}{slash}{part}" for part in parts]
    return names


def inception_v3():
    names = ["input_1"]
    for number in range(1, 95):
        names += [f"conv2d_{number}", f"batch_normalization_{number}", f"activation_{number}"]
        if number >= 12 and (number - 12) % 7 == 0 and (number - 12) // 7 <= 10:
            names.append(f"mixed{(number - 12) // 7}")
    return names


def inception_resnet_v2():
    names = [name for number in range(1, 30) for name in (f"conv2d_{number}", f"batch_normalization_{number}")]
    return [*names, "mixed_5b", *(f"block35_{block}_{part}" for block in (1, 2) for part in ("mixed", "conv", "ac"))]


def xception():
    names = ["block1_conv1", "block1_conv1_bn", "block1_conv1_act", "block1_conv2", "block1_conv2_bn"]
    for block in range(2, 5):
        names += [f"block{block}_sepconv{index}{part}" for index in (1, 2) for part in ("_act", "", "_bn")]
        names += ["conv2d_1", f"block{block}_pool"]
    return names


def efficientnet(*, excite=True, rescaling=True):
    names = ["input_1", *(["rescaling", "normalization"] if rescaling else []), "stem_conv", "stem_bn"]
    for block in ("1a", "2a", "2b", "3a", "3b"):
        parts = [*([] if block == "1a" else ["expand_conv", "expand_bn"]), "dwconv", "bn"]
        parts += ["se_squeeze", "se_reduce", "se_expand", "se_excite"] if excite else []
        names += [f"block{block}_{part}" for part in (*parts, "project_conv", "project_bn")]
    return [*names, "top_conv", "top_bn"]


def efficientnetv2(*depths, rescaling=True):
    names = ["input_1", *(["rescaling"] if rescaling else []), "stem_conv", "stem_bn"]
    for stage, depth in enumerate(depths, 1):
        for letter in "abcdefg"[:depth]:
            parts = ["project_conv", "project_bn"] if stage == 1 else ["expand_conv", "expand_bn", "project_conv"]
            names += [f"block{stage}{letter}_{part}" for part in parts]
    return names


def convnext(*, prestem=True):
    names = ["input_1", *(["convnext_tiny_prestem_normalization"] if prestem else [])]
    names += ["convnext_tiny_stem/convnext_tiny_stem_conv", "convnext_tiny_stem/convnext_tiny_stem_layernorm"]
    for block in (0, 1, 2):
        for part in ("depthwise_conv", "layernorm", "pointwise_conv_1", "gelu", "pointwise_conv_2", "layer_scale"):
            names.append(f"convnext_tiny_stage_0_block_{block}_{part}")
    return names


NASNET = [
    *("stem_conv1", "stem_bn1", "activation_1", "reduction_conv_1_stem_1", "reduction_bn_1_stem_1", "activation_2"),
    *("separable_conv_1_reduction_left1_stem_1", "separable_conv_1_reduction_right1_stem_1", "normal_conv_1_0"),
]
HEAD = ["flatten", "dense", "dropout", "dense_1"]
HISTORIC = [
    (vgg(2, 2, 3, 3, 3), "VGG16", "caffe"),
    (vgg(2, 2, 4, 4, 4), "VGG19", "caffe"),
    (vgg(2, 2, 3, 3), "VGG16", "caffe"),
    (vgg(2, 2, 3), "VGG16", "caffe"),
    (resnet50_of_keras_2(), "ResNet50", "caffe"),
    (resnet50_of_keras_2(["2abc"]), "ResNet", "caffe"),
    (resnet_of_keras_applications_1(), "ResNet", "caffe"),
    (resnet_of_keras_applications_1(preact=True), "ResNetV2", "tf"),
    (resnet_of_keras_applications_1(reduce=True), "ResNeXt", "torch"),
    (densenet121(), "DenseNet121", "torch"),
    (densenet121("/"), "DenseNet121", "torch"),
    (mobilenet(), "MobileNet", "tf"),
    (mobilenetv2(), "MobileNetV2", "tf"),
    (mobilenetv2(blocks=6), "MobileNetV2", "tf"),
    (mobilenetv2_of_keras_2_1(), "MobileNetV2", "tf"),
    (mobilenetv3("/", 15), "MobileNetV3Large", "none"),
    (mobilenetv3("_", 11), "MobileNetV3Small", "none"),
    (mobilenetv3("/", 11, rescaling=False), "MobileNetV3Small", "tf"),
    (inception_v3(), "InceptionV3", "tf"),
    (inception_resnet_v2(), "InceptionResNetV2", "tf"),
    (xception(), "Xception", "tf"),
    (NASNET, "NASNet", "tf"),
    (efficientnet(), "EfficientNet", "none"),
    (efficientnet(rescaling=False), "EfficientNet", "torch"),
    (efficientnet(excite=False, rescaling=False), "EfficientNet-lite", "tf"),
    (efficientnetv2(1, 2, 2), "EfficientNetV2", "none"),
    (efficientnetv2(1, 2, 2, rescaling=False), "EfficientNetV2", "torch"),
    (efficientnetv2(2, 4, 4, rescaling=False), "EfficientNetV2", "tf"),
    (convnext(), "ConvNeXt", "none"),
    (convnext(prestem=False), "ConvNeXt", "torch"),
]
WRAPPINGS = {
    "flat": lambda names: [*names, *HEAD],
    "nested": lambda names: [*(f"base/{name}" for name in names), "base", *HEAD],
    "twice nested": lambda names: [*(f"sequential_1/model1/{name}" for name in names), *HEAD],
    "shared": lambda names: [f"tower/{name}[{call}]" for call in (0, 1) for name in names],
    "behind an augmentation": lambda names: ["random_flip", "random_rotation", *(f"m/{name}" for name in names)],
}


@pytest.mark.parametrize("wrapping", WRAPPINGS.values(), ids=WRAPPINGS)
@pytest.mark.parametrize(("names", "family", "mode"), HISTORIC)
def test_every_naming_scheme_is_recognised_wherever_it_is_nested(names, family, mode, wrapping):
    assert seen(wrapping(names)) == (family, mode)


def test_the_reason_names_the_first_and_the_last_layer():
    assert recognise(vgg(2, 2, 3, 3, 3)).reason == "the layers of VGG16 (block1_conv1 ... block5_conv3)"
    assert recognise(efficientnet()).reason.endswith("(stem_conv ... top_conv), which rescales pixels itself")


NOT_ONE = {
    "nothing": [],
    "plain names": ["conv2d", "max_pooling2d", "conv2d_1", "flatten", "dense"],
    "a small net in VGG's style": [*vgg(2, 2), *HEAD],
    "three blocks of two": [*vgg(2, 2, 2), *HEAD],
    "three in the first block": [*vgg(3, 2, 3), *HEAD],
    "VGG's names with batch normalization": [
        part for name in vgg(2, 2, 3, 3, 3) for part in (name, name.replace("conv", "bn")) if "pool" not in name
    ],
    "VGG's names with unnamed batch normalization": [
        part for name in vgg(2, 2, 3, 3, 3) for part in (name, "batch_normalization")
    ],
    "conv1 alone": ["conv1", "bn1", "conv2", "bn2", "pool", "fc1"],
    "one residual block": ["conv1", "bn_conv1", "res2a_branch2a", "bn2a_branch2a", "fc"],
    "a residual net of an exercise": [*resnet50_of_keras_2(), "avg_pool", "flatten", "fc6"],
    "one dense block": ["conv1_conv", "conv1_bn", "conv2_block1_0_bn", "conv2_block1_1_conv", "dense"],
    "separable blocks of one's own": ["block1_conv1", "block1_conv2", "block2_sepconv1", "block2_sepconv2"],
    "a stem of one's own": ["stem_conv", "stem_bn", "block1a_conv", "block2a_conv", "top_conv"],
    "mixed layers of one's own": ["conv2d", "conv2d_1", "mixed0", "conv2d_2", "mixed1", "conv2d_3", "mixed2"],
    "FaceNet": ["Conv2d_1a_3x3", "Mixed_5a", "Block35_1_Branch_0_Conv2d_1x1", "Block35_2_Branch_0_Conv2d_1x1"],
    "a depthwise net of one's own": ["conv1", "conv_dw_1", "conv_pw_1", "conv_dw_2", "dense"],
}


@pytest.mark.parametrize("names", NOT_ONE.values(), ids=NOT_ONE)
def test_a_network_that_shares_a_few_names_is_no_backbone(names):
    assert recognise(names) is None


@pytest.mark.parametrize(("names", "family", "mode"), HISTORIC)
def test_without_any_one_layer_of_its_beginning_a_backbone_is_none(names, family, mode):
    (row,) = (one for one in FAMILIES if recognise(names) == as_family(one, Layers(tuple(names))))
    plain = [need for need in row.needs.split() if re.fullmatch(r"\w+", need)]

    for need in plain:
        rest = [name for name in names if name.replace("/", "_") != need]
        assert len(rest) < len(names)
        assert recognise(rest) is None, need


def test_two_backbones_that_want_different_preprocessings_are_not_decided():
    assert recognise([*vgg(2, 2, 3, 3, 3), *mobilenetv2()]) is None
    assert seen([*vgg(2, 2, 3, 3, 3), *resnet50_of_keras_2()]) == ("VGG16", "caffe")
    assert seen([*mobilenet(), *mobilenetv2()])[1] == "tf"


KERAS = [
    ("VGG16", "VGG16", "caffe"),
    ("VGG19", "VGG19", "caffe"),
    ("ResNet50", "ResNet50", "caffe"),
    ("ResNet101V2", "ResNet101V2", "tf"),
    ("InceptionV3", "InceptionV3", "tf"),
    ("InceptionResNetV2", "InceptionResNetV2", "tf"),
    ("Xception", "Xception", "tf"),
    ("MobileNet", "MobileNet", "tf"),
    ("MobileNetV2", "MobileNetV2", "tf"),
    ("MobileNetV3Small", "MobileNetV3Small", "none"),
    ("MobileNetV3Large", "MobileNetV3Large", "none"),
    ("DenseNet121", "DenseNet121", "torch"),
    ("DenseNet169", "DenseNet169", "torch"),
    ("NASNetMobile", "NASNet", "tf"),
    ("EfficientNetB0", "EfficientNet", "none"),
    ("EfficientNetV2B0", "EfficientNetV2", "none"),
    ("EfficientNetV2S", "EfficientNetV2", "none"),
    ("ConvNeXtTiny", "ConvNeXt", "none"),
]


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize(("function", "family", "mode"), KERAS)
def test_what_keras_builds_is_recognised(function, family, mode):
    import keras

    shape = {} if function == "NASNetMobile" else {"input_shape": (96, 96, 3)}
    model = getattr(keras.applications, function)(weights=None, include_top=False, **shape)

    assert seen([layer.name for layer in model.layers]) == (family, mode)


@pytest.mark.keras
@pytest.mark.slow
@pytest.mark.parametrize(
    ("function", "mode"),
    [("MobileNetV3Small", "tf"), ("EfficientNetV2B0", "torch"), ("EfficientNetV2S", "tf"), ("ConvNeXtTiny", "torch")],
)
def test_without_its_rescaling_layers_a_backbone_wants_what_they_did(function, mode):
    import keras
    import numpy as np

    from xcnn.network import preprocess

    build = getattr(keras.applications, function)
    bare = build(weights=None, include_top=False, input_shape=(64, 64, 3), include_preprocessing=False)
    whole = build(weights=None, include_top=False, input_shape=(64, 64, 3))
    found = recognise([layer.name for layer in bare.layers])
    decided = next(one for one in preprocess.BUILTIN if one.name == found.preprocessing)
    pixels = np.random.default_rng(0).integers(0, 256, (1, 64, 64, 3), np.uint8)
    rescaled = pixels.astype(np.float32)
    for layer in whole.layers[1:]:
        if not isinstance(layer, (keras.layers.Rescaling, keras.layers.Normalization)):
            break
        rescaled = layer(rescaled)

    assert found.preprocessing == mode
    np.testing.assert_allclose(preprocess.apply(decided, pixels, channels=3), rescaled, atol=0.01)
