"""The notebook: its cells, run in order, say what is stored under them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from sample_runs import SAMPLES

NOTEBOOK = json.loads((SAMPLES / "tour.ipynb").read_text("utf-8"))
CODE = [cell for cell in NOTEBOOK["cells"] if cell["cell_type"] == "code"]
RUN = """
import ast, contextlib, io, json, sys

space, said = {}, []
for source in json.load(sys.stdin):
    statements = ast.parse(source).body
    last = statements.pop() if isinstance(statements[-1], ast.Expr) else ast.parse("None").body[0]
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(statements, []), "cell", "exec"), space)
        shown = eval(compile(ast.Expression(last.value), "cell", "eval"), space)
    html = getattr(shown, "_repr_html_", str)()
    said.append({"printed": printed.getvalue(), "shown": shown and repr(shown), "pictures": html.count("<img ")})
print(json.dumps(said))
"""
"""What a notebook does with its cells."""


def stored(cell):
    """What was printed, and what its last line is in words, as HTML and as a picture."""
    printed = "".join("".join(one["text"]) for one in cell["outputs"] if one["output_type"] == "stream")
    data = next((one["data"] for one in cell["outputs"] if one["output_type"] == "execute_result"), {})
    return printed, {kind: "".join(value) for kind, value in data.items()}


def test_it_is_small_and_tells_nothing_of_the_machine_or_the_hour():
    assert (SAMPLES / "tour.ipynb").stat().st_size < 400_000
    assert (NOTEBOOK["nbformat"], NOTEBOOK["nbformat_minor"]) == (4, 5)
    assert NOTEBOOK["metadata"] == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert [cell["metadata"] for cell in NOTEBOOK["cells"]] == [{}] * len(NOTEBOOK["cells"])
    assert [cell["execution_count"] for cell in CODE] == [*range(1, len(CODE) + 1)]
    said = [stored(cell) for cell in CODE]
    words = " ".join([printed + re.sub('base64,[^"]*', "", data.get("text/html", "")) for printed, data in said])
    assert not re.search(r"(?<![\w/<])/\w|[A-Z]:\\|ipykernel", words), "a path of this machine"
    assert not any(
        one["output_type"] == "error" or one.get("name") == "stderr" for cell in CODE for one in cell["outputs"]
    )


@pytest.mark.slow
@pytest.mark.keras
def test_its_cells_run_in_order_and_say_what_is_stored(own_folder):
    for name in ("cat.jpg", "coffee.jpg"):
        shutil.copy(SAMPLES / name, own_folder)

    sources = json.dumps(["".join(cell["source"]) for cell in CODE])
    done = subprocess.run(
        [sys.executable, "-c", RUN], input=sources, capture_output=True, text=True, timeout=900, check=False
    )

    assert (done.returncode, done.stderr[-3000:]) == (0, "")
    every = json.loads(done.stdout)
    for cell, said in zip(CODE, every, strict=True):
        printed, data = stored(cell)
        assert said["printed"] == printed
        assert re.sub(r" at 0x\w+", "", said["shown"] or "") == data.get("text/plain", "")
        assert said["pictures"] == data.get("text/html", "").count("<img ")
    classes = re.findall(r"(\S+\.jpg) +(.+?) +([\d.]+%)", "".join(said["printed"] for said in every))
    assert classes[0] == ("cat.jpg", "Egyptian cat", "80.9%")
    assert classes[2] == ("coffee.jpg", "espresso", "90.9%")
    assert Path("xcnn-out/tour/both/report.html").exists()
