"""An explainer that comes from an installed plugin against the same one built in."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import xcnn
from xcnn.io import images as reading

ROOT = Path(__file__).parent.parent.parent
COPIED = {"gradcam": "GradCAM", "saliency": "Saliency"}
ROUNDS = 15


def install(folder: Path) -> None:
    """Make of each explainer's own source a plugin that a Python started here finds as an installed one."""
    described = folder / "xcnn_twin-1.0.dist-info"
    described.mkdir()
    described.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: xcnn-twin\nVersion: 1.0\n")
    lines = ["[xcnn.explainers]"]
    for name, kind in COPIED.items():
        source = (ROOT / "xcnn" / "explainers" / f"{name}.py").read_text("utf-8")
        changed = source.replace(f'= "{name}"', f'= "twin-{name}"')
        if changed == source:
            raise SystemExit(f"the name of {name} was not found in its source")
        (folder / f"xcnn_twin_{name}.py").write_text(changed)
        lines.append(f"twin-{name} = xcnn_twin_{name}:{kind}")
    described.joinpath("entry_points.txt").write_text("\n".join(lines) + "\n")
    sys.path.insert(0, str(folder))


def main() -> None:
    """Print the median ratio of each explainer, a call of eight pictures a time."""
    with tempfile.TemporaryDirectory() as folder:
        install(Path(folder))
        network = xcnn.open_network("efficientnet-lite0")
        pictures = [reading.read(str(ROOT / "samples" / name)).pixels for name in ("cat.jpg", "coffee.jpg")] * 4
        for name in COPIED:
            ratios = []
            for number in range(ROUNDS + 1):
                times = {}
                for called in (name, f"twin-{name}")[:: 1 if number % 2 else -1]:
                    begun = time.perf_counter()
                    xcnn.explain(network, pictures, called)
                    times[called] = time.perf_counter() - begun
                if number:  # the first round traces
                    ratios.append(times[f"twin-{name}"] / times[name])
            print(f"{name}: plugin / built in, median of {ROUNDS} pairs {statistics.median(ratios):.3f} (wanted: 1)")


if __name__ == "__main__":
    main()
