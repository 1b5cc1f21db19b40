import pytest

from xcnn.errors import ModelError
from xcnn.network.upgrade import upgraded
from xcnn.network.upgrade.keras1 import merge
from xcnn.network.upgrade.notes import Notes


def after(kind, **config):
    """What a Keras 1 layer becomes: its class and config."""
    config = {"name": "it", "trainable": True, **config}
    first = {
        "class_name": "Flatten",
        "config": {"name": "first", "batch_input_shape": [None, 4, 4, 3], "input_dtype": "float32"},
    }
    new = upgraded({"class_name": "Sequential", "config": [first, {"class_name": kind, "config": config}]})
    found = new.config["config"]["layers"][-1]
    assert found["module"] == "keras.layers"
    return found["class_name"], {
        name: value for name, value in found["config"].items() if name not in {"name", "trainable"}
    }


@pytest.mark.parametrize(
    ("kind", "config", "new", "wanted"),
    [
        (
            "Convolution2D",
            {
                "nb_filter": 4,
                "nb_row": 3,
                "nb_col": 2,
                "border_mode": "same",
                "subsample": [2, 1],
                "bias": True,
                "dim_ordering": "tf",
            },
            "Conv2D",
            {
                "filters": 4,
                "kernel_size": [3, 2],
                "padding": "same",
                "strides": [2, 1],
                "use_bias": True,
                "data_format": "channels_last",
            },
        ),
        (
            "Convolution2D",
            {"nb_filter": 4, "dim_ordering": "th"},
            "Conv2D",
            {"filters": 4, "data_format": "channels_first"},
        ),
        (
            "AtrousConvolution2D",
            {"nb_filter": 1, "atrous_rate": [2, 2]},
            "Conv2D",
            {"filters": 1, "dilation_rate": [2, 2]},
        ),
        (
            "Deconvolution2D",
            {"nb_filter": 1, "nb_row": 3, "nb_col": 3, "output_shape": [None, 8, 8, 1]},
            "Conv2DTranspose",
            {"filters": 1, "kernel_size": [3, 3]},
        ),
        (
            "Convolution3D",
            {"nb_filter": 1, "kernel_dim1": 1, "kernel_dim2": 2, "kernel_dim3": 3},
            "Conv3D",
            {"filters": 1, "kernel_size": [1, 2, 3]},
        ),
        (
            "Dense",
            {"output_dim": 3, "input_dim": 7, "init": "uniform", "W_regularizer": {"name": "WeightRegularizer"}},
            "Dense",
            {"units": 3, "kernel_initializer": "zeros", "kernel_regularizer": None},
        ),
        (
            "MaxPooling2D",
            {"pool_size": [2, 2], "border_mode": "valid", "dim_ordering": "tf"},
            "MaxPooling2D",
            {"pool_size": [2, 2], "padding": "valid", "data_format": "channels_last"},
        ),
        ("Dropout", {"p": 0.5}, "Dropout", {"rate": 0.5}),
        (
            "SpatialDropout2D",
            {"p": 0.5, "dim_ordering": "tf"},
            "SpatialDropout2D",
            {"rate": 0.5, "data_format": "channels_last"},
        ),
        ("GaussianNoise", {"sigma": 0.1}, "GaussianNoise", {"stddev": 0.1}),
        (
            "BatchNormalization",
            {"mode": 0, "axis": -1, "epsilon": 1e-5, "beta_init": "zero"},
            "BatchNormalization",
            {"axis": -1, "epsilon": 1e-5, "beta_initializer": "zeros"},
        ),
        ("ZeroPadding2D", {"padding": [1, 2, 3, 4]}, "ZeroPadding2D", {"padding": [[1, 2], [3, 4]]}),
        ("ZeroPadding2D", {"padding": {"top_pad": 1, "right_pad": 2}}, "ZeroPadding2D", {"padding": [[1, 0], [0, 2]]}),
    ],
)
def test_a_layer_of_keras_1_gets_its_new_class_and_arguments(kind, config, new, wanted):
    assert after(kind, **config) == (new, wanted)


def test_renamed_layers_are_told_in_one_sentence():
    layers = [{"class_name": "Convolution2D", "config": {"name": f"c{n}", "nb_filter": 1}} for n in range(3)]

    notes = upgraded({"class_name": "Sequential", "config": layers}).notes

    assert "renamed 3 layers of Keras 1 (Convolution2D -> Conv2D)" in notes


def test_a_padding_without_an_ordering_follows_the_rest_of_the_model():
    layers = [
        {"class_name": "ZeroPadding2D", "config": {"name": "pad", "padding": [1, 1]}},
        {"class_name": "Convolution2D", "config": {"name": "conv", "dim_ordering": "th"}},
    ]

    new = upgraded({"class_name": "Sequential", "config": layers}).config["config"]["layers"]

    assert new[0]["config"]["data_format"] == "channels_first"


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("sum", "Add"),
        ("mul", "Multiply"),
        ("ave", "Average"),
        ("max", "Maximum"),
        ("concat", "Concatenate"),
        ("dot", "Dot"),
        ("cos", "Dot"),
    ],
)
def test_each_mode_of_merge_is_a_layer(mode, kind):
    found = merge({"name": "m", "mode": mode, "mode_type": "raw", "concat_axis": 3, "dot_axes": [[1], [1]]}, Notes())

    assert found[0] == kind
    assert found[1].get("axis", 3) == 3
    assert found[1].get("axes", [1, 1]) == [1, 1]
    assert found[1].get("normalize", False) == (mode == "cos")


def test_a_merge_that_runs_code_becomes_the_lambda_that_it_is():
    layers = [{"class_name": "Merge", "config": {"name": "mix", "mode": "code", "mode_type": "lambda"}}]

    new = upgraded({"class_name": "Sequential", "config": layers}).config["config"]["layers"][0]

    assert (new["class_name"], new["config"]["name"]) == ("Lambda", "mix")


def test_an_unknown_mode_of_merge_stays_for_preflight_to_name():
    layers = [{"class_name": "Merge", "config": {"name": "mix", "mode": "odd"}}]

    assert upgraded({"class_name": "Sequential", "config": layers}).config["config"]["layers"] == layers


@pytest.mark.parametrize("mode", [1, 2])
def test_a_batch_normalization_of_another_mode_is_refused_by_name(mode):
    layers = [{"class_name": "BatchNormalization", "config": {"name": "bn", "mode": mode}}]

    with pytest.raises(ModelError, match=f"layer 'bn' is a BatchNormalization of mode {mode}"):
        upgraded({"class_name": "Sequential", "config": layers})


def test_a_recurrent_layer_is_refused_by_name():
    layers = [{"class_name": "LSTM", "config": {"name": "memory", "output_dim": 3, "inner_init": "orthogonal"}}]

    with pytest.raises(ModelError, match=r"layer 'memory' is a recurrent layer of Keras 1 \(LSTM\)"):
        upgraded({"class_name": "Sequential", "config": layers})
