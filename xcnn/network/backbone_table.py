"""What the layers of well-known backbones are called, and the preprocessing that their weights want.

The names are those of keras-applications 1.0, tf.keras and Keras 2 and 3, as regular expressions for whole names.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Family:
    """What the layers of one family are called."""

    name: str
    preprocessing: str
    """The mode its weights want: "caffe", "tf" or "torch"."""
    needs: str
    """Each of these must be there; "19:name" at least 19 times."""
    own: str
    """Any layer of the family."""
    lacks: str = ""
    """None of these may be there."""
    together: bool = False
    """Whether the needed layers follow each other without another between."""
    depths: tuple[tuple[str, str], ...] = ()
    """A layer, and the member of the family that is deep enough to have it; deepest first."""
    rescales: bool = False
    """Whether it comes with layers that rescale pixels, so that its preprocessing is for copies without them."""
    note: str = ""


RESCALING = r"(rescaling|normalization)(_\d+)?|\w+_prestem_normalization"
"""The layers in which newer families rescale pixels themselves."""

CLOSE_TO_128 = ", whose own preprocessing with 128 for 127.5 differs by less than 0.01"

FAMILIES = (
    Family(
        "VGG16",
        "caffe",
        "block1_conv1 block1_conv2 block1_pool block2_conv1 block2_conv2 block2_pool "
        "block3_conv1 block3_conv2 block3_conv3",
        r"block[1-5]_conv[1-4]",
        together=True,
        depths=(("block3_conv4", "VGG19"),),
    ),
    Family(
        "ResNet",
        "caffe",
        "conv1 bn_conv1 res2a_branch2a bn2a_branch2a res2a_branch2b res2a_branch2c res2a_branch1 bn2a_branch1 "
        "res2b_branch2a bn2b_branch2a",
        r"(res|bn)\d\w+_branch\w+",
        # A much copied exercise has these layers, too; it names its classifier after the number of its classes.
        lacks=r"fc([4-9]|[1-9]\d)",
        depths=(
            ("res4b35_branch2a", "ResNet152"),
            ("res4b22_branch2a", "ResNet101"),
            ("res4f_branch2a", "ResNet50"),
        ),
    ),
    Family(
        "ResNet",
        "caffe",
        "conv1_conv conv1_bn conv2_block1_0_conv conv2_block1_1_conv conv2_block1_2_conv conv2_block1_3_conv "
        "conv2_block1_3_bn conv2_block1_add conv2_block2_1_conv",
        r"conv\d_(conv|block\w+)",
        lacks=r"conv2_block1_(preact_bn|concat)|conv\d_block\d+_2_reduce",
        depths=(
            ("conv4_block36_1_conv", "ResNet152"),
            ("conv4_block23_1_conv", "ResNet101"),
            ("conv4_block6_1_conv", "ResNet50"),
        ),
    ),
    Family(
        "ResNeXt",
        "torch",
        "conv1_conv conv1_bn conv2_block1_0_conv conv2_block1_1_conv conv2_block1_2_conv conv2_block1_2_reduce "
        "conv2_block1_3_conv conv2_block1_add conv2_block2_1_conv",
        r"conv\d_(conv|block\w+)",
    ),
    Family(
        "ResNetV2",
        "tf",
        "conv1_conv conv2_block1_preact_bn conv2_block1_0_conv conv2_block1_1_conv conv2_block1_2_conv "
        "conv2_block1_3_conv conv2_block1_out conv2_block2_preact_bn",
        r"conv\d_(conv|block\w+)|post_\w+",
        lacks="conv1_bn",
        depths=(
            ("conv4_block36_1_conv", "ResNet152V2"),
            ("conv4_block23_1_conv", "ResNet101V2"),
            ("conv4_block6_1_conv", "ResNet50V2"),
        ),
    ),
    Family(
        "DenseNet",
        "torch",
        "conv1_conv conv1_bn conv2_block1_0_bn conv2_block1_1_conv conv2_block1_2_conv conv2_block1_concat "
        "conv2_block2_1_conv conv2_block2_concat",
        r"conv\d_(conv|block\w+)|pool\d_\w+",
        depths=(
            ("conv4_block48_1_conv", "DenseNet201"),
            ("conv4_block32_1_conv", "DenseNet169"),
            ("conv4_block24_1_conv", "DenseNet121"),
        ),
    ),
    Family(
        "InceptionV3",
        "tf",
        r"19:(conv2d|convolution2d)(_\d+)? 19:(batch_normalization|batchnormalization)(_\d+)? mixed0 mixed1 mixed2",
        r"mixed\d+",
    ),
    Family(
        "InceptionResNetV2",
        "tf",
        r"12:conv2d(_\d+)? mixed_5b block35_1_mixed block35_1_conv block35_2_mixed block35_2_conv",
        r"mixed_\w+|block(35|17|8)_\w+|conv_7b",
    ),
    Family(
        "Xception",
        "tf",
        "block1_conv1 block1_conv1_bn block1_conv2 block1_conv2_bn block2_sepconv1 block2_sepconv1_bn block2_sepconv2 "
        "block3_sepconv1 block3_sepconv2",
        r"block\d+_(conv|sepconv)\d",
    ),
    Family(
        "MobileNet",
        "tf",
        "conv1 conv1_bn conv_dw_1 conv_dw_1_bn conv_pw_1 conv_pw_1_bn conv_dw_2 conv_pw_2 conv_dw_3 conv_pw_3",
        r"conv1|conv_(dw|pw)_\d+",
    ),
    Family(
        "MobileNetV2",
        "tf",
        "Conv1 bn_Conv1 expanded_conv_depthwise expanded_conv_project block_1_expand block_1_depthwise block_1_project "
        "block_2_expand block_2_depthwise",
        r"Conv1|expanded_conv_\w+|block_\d+_\w+|Conv_1",
    ),
    Family(
        "MobileNetV2",
        "tf",
        "Conv1 mobl1_conv_1_expand mobl1_conv_1_depthwise mobl1_conv_1_project mobl2_conv_2_expand "
        "mobl2_conv_2_depthwise",
        r"Conv1|mobl\d+_conv_\w+|Conv_1",
    ),
    Family(
        "MobileNetV3",
        "tf",
        "expanded_conv_depthwise expanded_conv_project expanded_conv_1_expand expanded_conv_1_depthwise "
        "expanded_conv_1_project expanded_conv_2_expand expanded_conv_2_depthwise",
        r"expanded_conv_\w+",
        depths=(("expanded_conv_11_expand", "MobileNetV3Large"), ("expanded_conv_10_expand", "MobileNetV3Small")),
        rescales=True,
    ),
    Family(
        "NASNet",
        "tf",
        "stem_conv1 stem_bn1 reduction_conv_1_stem_1 reduction_bn_1_stem_1 separable_conv_1_reduction_left1_stem_1 "
        "separable_conv_1_reduction_right1_stem_1",
        r"stem_conv1|(reduction|normal|separable_conv|adjust)_\w+",
    ),
    Family(
        "EfficientNet",
        "torch",
        "stem_conv stem_bn block1a_dwconv block1a_se_reduce block1a_se_expand block1a_project_conv "
        "block2a_expand_conv block2a_dwconv block2a_se_reduce",
        r"stem_conv|block\d[a-z]+_\w+|top_conv",
        rescales=True,
    ),
    Family(
        "EfficientNet-lite",
        "tf",
        "stem_conv stem_bn block1a_dwconv block1a_project_conv block2a_expand_conv block2a_dwconv block2b_expand_conv "
        "block2b_dwconv",
        r"stem_conv|block\d[a-z]+_\w+|top_conv",
        lacks=r"block\d[a-z]+_se_\w+",
        rescales=True,
        note=CLOSE_TO_128,
    ),
    Family(
        "EfficientNetV2",
        "torch",
        "stem_conv stem_bn block1a_project_conv block1a_project_bn block2a_expand_conv block2a_project_conv "
        "block2b_expand_conv block2b_project_conv",
        r"stem_conv|block\d[a-z]+_\w+|top_conv",
        lacks=r"block[12][a-z]+_dwconv\w*|block2d_\w+",
        rescales=True,
    ),
    Family(
        "EfficientNetV2",
        "tf",  # S, M and L want another than B0 to B3, and are deeper from the second block on
        "stem_conv stem_bn block1a_project_conv block1a_project_bn block2a_expand_conv block2a_project_conv "
        "block2d_expand_conv block2d_project_conv",
        r"stem_conv|block\d[a-z]+_\w+|top_conv",
        lacks=r"block[12][a-z]+_dwconv\w*",
        rescales=True,
        note=CLOSE_TO_128,
    ),
    Family(
        "ConvNeXt",
        "torch",
        r"\w*stage_0_block_0_depthwise_conv \w*stage_0_block_0_layernorm \w*stage_0_block_0_pointwise_conv_1 "
        r"\w*stage_0_block_0_pointwise_conv_2 \w*stage_0_block_1_depthwise_conv \w*stage_0_block_1_pointwise_conv_1",
        r"\w*stage_\d_block_\d+_\w+",
        rescales=True,
    ),
)
