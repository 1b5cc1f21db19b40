"""What a layer's config may hold beside numbers: Keras's own initializers, activations and the like.

Known without importing Keras; a test compares them with the real lists.
"""

# ruff: noqa: SIM905 (long lists of names read best as words)
from __future__ import annotations

ACTIVATIONS = frozenset(
    """
    celu elu exponential gelu glu hard_shrink hard_sigmoid hard_silu hard_swish hard_tanh leaky_relu linear log_sigmoid
    log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
    sparsemax squareplus swish tanh tanh_shrink threshold
    """.split()
)

INITIALIZERS = frozenset(
    """
    Constant GlorotNormal GlorotUniform HeNormal HeUniform Identity IdentityInitializer Initializer LecunNormal
    LecunUniform Ones Orthogonal OrthogonalInitializer RandomNormal RandomUniform STFT STFTInitializer TruncatedNormal
    VarianceScaling Zeros constant glorot_normal glorot_uniform he_normal he_uniform identity lecun_normal lecun_uniform
    ones orthogonal random_normal random_uniform stft truncated_normal variance_scaling zeros
    """.split()
)

REGULARIZERS = frozenset("L1 L1L2 L2 OrthogonalRegularizer Regularizer l1 l1_l2 l2 orthogonal_regularizer".split())

CONSTRAINTS = frozenset("Constraint MaxNorm MinMaxNorm NonNeg UnitNorm max_norm min_max_norm non_neg unit_norm".split())

POLICIES = frozenset(
    """
    AWQDTypePolicy DTypePolicy DTypePolicyMap FloatDTypePolicy GPTQDTypePolicy Int4DTypePolicy QuantizedDTypePolicy
    QuantizedFloat8DTypePolicy
    """.split()
)

QUANTIZERS = frozenset(
    """
    AWQConfig AbsMaxQuantizer Float8QuantizationConfig GPTQConfig Int4QuantizationConfig Int8QuantizationConfig
    QuantizationConfig Quantizer
    """.split()
)

BY_MODULE = {
    "keras.activations": frozenset({"ReLU", "Mish"}),
    "keras.initializers": INITIALIZERS,
    "keras.regularizers": REGULARIZERS,
    "keras.constraints": CONSTRAINTS,
    "keras.dtype_policies": POLICIES,
    "keras.mixed_precision": frozenset({"DTypePolicy", "Policy"}),
    "keras.quantizers": QUANTIZERS,
    "keras.random": frozenset({"SeedGenerator"}),
    "keras": frozenset(
        {"DTypePolicy", "FloatDTypePolicy", "Initializer", "Regularizer", "Quantizer", "SeedGenerator"},
    ),
    "keras.src.random.seed_generator": frozenset({"SeedGenerator"}),
}
"""The classes that Keras 3 names with their module."""

LEGACY = INITIALIZERS | REGULARIZERS | CONSTRAINTS | POLICIES | frozenset({"Policy", "SeedGenerator"})
"""The classes that older files name without a module."""

PLAIN = frozenset(
    {
        "__bytes__",
        "__ellipsis__",
        "__keras_tensor__",
        "__numpy__",
        "__slice__",
        "__tensor__",
        "__tuple__",
        "TensorShape",
    }
)
"""How files write values that JSON does not have."""

FUNCTIONS = frozenset(
    {"keras.activations", "keras.initializers", "keras.regularizers", "keras.constraints", "builtins"}
)
"""The modules under which Keras 3 writes functions of its own."""
