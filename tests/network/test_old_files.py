"""Files that older Keras wrote, each with a picture and what that Keras computed from it."""

from pathlib import Path

import numpy as np
import pytest

from xcnn.network import preflight

pytestmark = pytest.mark.keras

OLD = Path(__file__).parents[1] / "files" / "old"
ANSWERS = sorted(OLD.glob("*.npz"))


def model_of(answer):
    """The file that an answer belongs to: the model, or its architecture."""
    found = [path for path in OLD.glob(f"{answer.stem}.*") if path != answer]
    if not found:
        found = [path for path in OLD.glob(f"{answer.stem}*") if path.suffix in {".h5", ".hdf5"}]
    return min(found)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda path: path.stem)
@pytest.mark.filterwarnings("ignore")
def test_an_old_file_computes_what_the_keras_that_wrote_it_computed(answer):
    import keras

    from xcnn.network import loading

    model = loading.loaded(preflight.inspect(model_of(answer))).model
    with np.load(answer) as arrays:
        inputs = [arrays[key] for key in arrays.files if key.startswith("x")]
        wanted = [arrays[key] for key in arrays.files if key.startswith("y")]

    answers = model(inputs[0] if len(inputs) == 1 else inputs, training=False)
    outputs = [np.asarray(output, np.float32) for output in keras.tree.flatten(answers)]

    assert len(outputs) == len(wanted) > 0
    for output, value in zip(outputs, wanted, strict=True):
        exact = 2e-3 if "float16" in answer.stem else 1e-5
        np.testing.assert_allclose(output, value, rtol=0, atol=exact)


def test_there_are_old_files():
    if not OLD.exists():
        pytest.skip("the files come with another change")
    assert len(ANSWERS) > 100
