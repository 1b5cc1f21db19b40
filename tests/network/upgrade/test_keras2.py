import pytest

from xcnn.network.upgrade import keras2, upgraded
from xcnn.network.upgrade.notes import Notes


def model(*layers, **more):
    return {"class_name": "Sequential", "config": {"name": "net", "layers": list(layers)}, **more}


def after(kind, entry=None, **config):
    """What a layer of Keras 2 becomes."""
    old = {"class_name": kind, "config": {"name": "it", "trainable": True, **config}, **(entry or {})}
    return upgraded(model(old)).config["config"]["layers"][-1]


def settings(kind, **config):
    found = after(kind, **config)["config"]
    return {name: value for name, value in found.items() if name not in {"name", "trainable"}}


@pytest.mark.parametrize(
    ("kind", "config", "wanted"),
    [
        (
            "DepthwiseConv2D",
            {"kernel_size": [3, 3], "groups": 1, "kernel_initializer": {"class_name": "X"}, "filters": None},
            {"kernel_size": [3, 3]},
        ),
        (
            "SeparableConv2D",
            {"filters": 4, "groups": 1, "kernel_initializer": {"class_name": "GlorotUniform", "config": {}}},
            {"filters": 4},
        ),
        ("Conv2DTranspose", {"filters": 4, "groups": 1}, {"filters": 4}),
        (
            "BatchNormalization",
            {"axis": [3], "fused": True, "renorm": False, "virtual_batch_size": None},
            {"axis": 3, "renorm": False},
        ),
        ("LayerNormalization", {"axis": [1, 2, 3], "epsilon": 0.1}, {"axis": [1, 2, 3], "epsilon": 0.1}),
        ("SpatialDropout2D", {"rate": 0.5, "noise_shape": None}, {"rate": 0.5}),
        ("Dropout", {"rate": 0.5, "noise_shape": [None, 1, 1, 3], "seed": 3}, {"rate": 0.5, "seed": 3}),
        (
            "Conv2D",
            {"filters": 1, "kernel_initializer": {"class_name": "Dead", "config": {"dtype": "float32"}}},
            {"filters": 1, "kernel_initializer": "zeros"},
        ),
        (
            "Conv2D",
            {
                "filters": 1,
                "kernel_regularizer": {"class_name": "Mine", "config": {}},
                "bias_constraint": {"class_name": "Mine"},
            },
            {"filters": 1, "kernel_regularizer": None, "bias_constraint": None},
        ),
        ("LeakyReLU", {"alpha": 0.3}, {"negative_slope": 0.3}),
        ("LeakyReLU", {"alpha": {"type": "ndarray", "value": 0.2}}, {"negative_slope": 0.2}),
        ("LeakyReLU", {"alpha": {"type": "ndarray", "value": [0.2]}}, {"negative_slope": 0.2}),
        (
            "ReLU",
            {
                "max_value": {"class_name": "__numpy__", "config": {"value": 6.0}},
                "negative_slope": None,
                "threshold": None,
            },
            {"max_value": 6.0, "negative_slope": 0.0, "threshold": 0.0},
        ),
        ("ELU", {"alpha": {"type": "ndarray", "value": 1.0}}, {"alpha": 1.0}),
        ("Activation", {"activation": "relu6"}, {"activation": "relu6"}),
        ("Activation", {"activation": {"class_name": "function", "config": "Addons>mish"}}, {"activation": "mish"}),
        ("Activation", {"activation": {"class_name": "swish", "config": {}}}, {"activation": "swish"}),
        ("Activation", {"activation": "mine"}, {"activation": "mine"}),
    ],
)
def test_the_arguments_of_a_layer_are_those_of_keras_3(kind, config, wanted):
    assert settings(kind, **config) == wanted


def test_hard_sigmoid_is_told_apart_from_that_of_keras_3():
    found = after("Dense", units=1, activation="hard_sigmoid")["config"]["activation"]

    assert (found["class_name"], found["config"]) == ("function", "keras2_hard_sigmoid")


def test_a_gru_that_does_not_say_how_it_resets_does_so_before_its_kernel():
    assert settings("GRU", units=1)["reset_after"] is False
    assert settings("GRU", units=1, reset_after=True)["reset_after"] is True
    assert settings("CuDNNGRU", units=1)["reset_after"] is True


@pytest.mark.parametrize(
    ("kind", "config", "module"),
    [
        ("LayerScale", {"init_values": 1e-6, "projection_dim": 4}, "keras.src.applications.convnext"),
        ("StochasticDepth", {"drop_path_rate": 0.1}, "keras.src.applications.convnext"),
        ("Custom>CustomScaleLayer", {"scale": 0.17}, "keras.src.applications.inception_resnet_v2"),
    ],
)
def test_a_layer_of_keras_own_applications_names_its_module(kind, config, module):
    found = after(kind, **config)

    assert (found["module"], found["class_name"]) == (module, kind.removeprefix("Custom>"))
    assert "module" not in after(kind)


@pytest.mark.parametrize("modern", [True, False])
def test_a_function_of_the_users_own_that_is_called_as_one_of_keras_is_that_one(modern):
    own = {"module": "builtins", "class_name": "function", "config": "swish", "registered_name": "swish"}

    assert keras2.activations({"activation": own}, Notes(), modern=modern) == {"activation": "swish"}


def test_an_attention_layer_finds_the_shapes_of_its_inputs_itself():
    shapes = {name: [None, 16, 8] for name in ("query_shape", "key_shape", "value_shape")}

    assert settings("MultiHeadAttention", num_heads=2, key_dim=8, **shapes) == {"num_heads": 2, "key_dim": 8}
    assert "build_config" not in after("MultiHeadAttention", {"build_config": {"input_shape": [None, 16, 8]}})


def test_a_first_layer_of_any_class_leaves_its_shape_to_the_input_layer():
    found = settings("Embedding", input_dim=9, output_dim=2, batch_input_shape=[None, None])

    assert found == {"input_dim": 9, "output_dim": 2}


def test_an_argument_that_means_something_stays_even_where_keras_3_has_none():
    assert settings("DepthwiseConv2D", groups=2)["groups"] == 2


@pytest.mark.parametrize(
    ("dtype", "wanted"),
    [
        ("mixed_float16", "mixed_float16"),
        ({"class_name": "Policy", "config": {"name": "mixed_float16"}}, "mixed_float16"),
        (
            {
                "class_name": "PolicyV1",
                "config": {"name": "mixed_bfloat16", "loss_scale": {"class_name": "DynamicLossScale"}},
            },
            "mixed_bfloat16",
        ),
        ({"module": "keras.mixed_precision", "class_name": "Policy", "config": {"name": "float32"}}, "float32"),
        ("float32_ref", "float32"),
        ({"class_name": "Policy", "config": {"name": "infer"}}, "float32"),
        (None, None),
    ],
)
def test_a_precision_policy_is_its_name(dtype, wanted):
    assert settings("Dense", units=1, dtype=dtype)["dtype"] == wanted


@pytest.mark.parametrize(
    ("kind", "config", "new", "wanted"),
    [
        ("ThresholdedReLU", {"theta": 0.5}, "ReLU", {"threshold": 0.5}),
        ("BatchNormalizationV1", {"axis": 3}, "BatchNormalization", {"axis": 3}),
        ("SyncBatchNormalization", {"axis": 3}, "BatchNormalization", {"axis": 3}),
        ("FixedDropout", {"rate": 0.2, "noise_shape": [None, 1, 1, 1]}, "Dropout", {"rate": 0.2}),
        ("RandomHeight", {"factor": 0.2, "interpolation": "bilinear"}, "Identity", {}),
        ("Addons>GroupNormalization", {"groups": 2, "axis": -1}, "GroupNormalization", {"groups": 2, "axis": -1}),
        ("Addons>InstanceNormalization", {"axis": -1}, "GroupNormalization", {"groups": -1, "axis": -1}),
        ("Rescaling", {"scale": 0.5, "offset": 0.0}, "Rescaling", {"scale": 0.5, "offset": 0.0}),
        ("RandomFlip", {"mode": "horizontal", "seed": None}, "RandomFlip", {"mode": "horizontal", "seed": None}),
        (
            "Normalization",
            {"axis": [-1], "mean": None, "variance": None},
            "Normalization",
            {"axis": -1, "mean": None, "variance": None},
        ),
    ],
)
def test_a_class_that_keras_3_does_not_have_becomes_the_one_that_does_the_same(kind, config, new, wanted):
    assert after(kind, **config)["class_name"] == new
    assert settings(kind, **config) == wanted


@pytest.mark.parametrize("kind", ["Custom>Attention", "Mine", "InstanceNormalization", "QuantizeWrapper"])
def test_an_unknown_class_stays_for_preflight_to_name(kind):
    old = {"class_name": kind, "config": {"name": "it", "trainable": True}}

    assert upgraded(model(old)).config["config"]["layers"] == [old]


def test_a_wrapped_layer_is_rewritten_too():
    found = settings("TimeDistributed", layer={"class_name": "LeakyReLU", "config": {"name": "l", "alpha": 0.1}})

    assert found["layer"]["config"]["negative_slope"] == 0.1
    assert found["layer"]["module"] == "keras.layers"


def test_a_lambda_is_written_as_today_and_stays_a_lambda():
    found = after("Lambda", function=["4wEA", None, None], function_type="lambda", module="m", output_shape=None)

    assert found["class_name"] == "Lambda"
    assert found["config"]["function"] == {
        "class_name": "__lambda__",
        "config": {"code": "4wEA", "defaults": None, "closure": None},
    }
    assert "function_type" not in found["config"]


def test_a_layer_of_tf_keras_2_12_gets_the_module_of_today():
    found = after("Conv2D", {"module": "keras.src.layers.convolutional.conv2d", "registered_name": "Conv2D"}, filters=1)

    assert (found["module"], found["registered_name"]) == ("keras.layers", None)


def test_bilinear_enlargement_of_keras_2_is_told_apart():
    old = {"class_name": "UpSampling2D", "config": {"name": "up", "size": [2, 2], "interpolation": "bilinear"}}
    given = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 4, 4, 3], "sparse": False}}
    later = {**given, "config": {**given["config"], "ragged": False}}

    assert upgraded(model(given, old)).config["config"]["layers"][1]["registered_name"] == "keras2_bilinear"
    assert upgraded(model(later, old)).config["config"]["layers"][1]["registered_name"] is None


def test_a_foreign_regularizer_in_a_file_of_keras_3_is_left_out_and_told():
    mine = {"module": None, "class_name": "Mine", "config": {}, "registered_name": "Custom>Mine"}
    own = {"module": "keras.initializers", "class_name": "Zeros", "config": {}, "registered_name": None}
    dense = {
        "module": "keras.layers",
        "class_name": "Dense",
        "config": {"name": "d", "kernel_regularizer": mine, "bias_initializer": own},
    }
    given = {"module": "keras.layers", "class_name": "InputLayer", "config": {"batch_shape": [None, 4], "name": "i"}}

    new = upgraded(model(given, dense, module="keras"))

    assert new.config["config"]["layers"][1]["config"] == {
        "name": "d",
        "kernel_regularizer": None,
        "bias_initializer": own,
    }
    assert new.notes == ("left out what only training needs and Keras 3 does not have (kernel_regularizer Mine)",)
