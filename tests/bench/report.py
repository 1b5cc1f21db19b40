"""The report of a hundred images: its size, the time to build it against that of the maps, and how it feels to read."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np

from xcnn.cli.main import run
from xcnn.io import images as reading
from xcnn.report import html

SAMPLES = Path(__file__).parent.parent.parent / "samples"
COUNT = 100
EDGE = 512
STROKES = "label:cat"
TYPED = """(word) => {
  const field = document.querySelector("input[type=search]");
  return [...word].map((_, at) => {
    field.value = word.slice(0, at + 1);
    const begun = performance.now();
    field.dispatchEvent(new Event("input", { bubbles: true }));
    document.body.offsetHeight;
    return performance.now() - begun;
  });
}"""
SCROLLED = """async () => {
  const spans = [];
  let before = performance.now();
  for (let at = 0; at < 120; at += 1) {
    scrollBy({ top: 400, behavior: "instant" });
    await new Promise(requestAnimationFrame);
    spans.push(performance.now() - before);
    before = performance.now();
  }
  return spans;
}"""


def photographs(folder: Path) -> list[str]:
    """Write crops of the samples, all different, 512 pixels on the long edge."""
    rng = np.random.default_rng(0)
    found = [reading.read(str(path)).pixels for path in sorted(SAMPLES.glob("*.jpg"))]
    names = []
    for number in range(COUNT):
        pixels = found[number % len(found)]
        height, width = (int(side * rng.uniform(0.5, 1.0)) for side in pixels.shape[:2])
        top, left = (
            int(rng.integers(0, side - kept + 1)) for side, kept in zip(pixels.shape[:2], (height, width), strict=True)
        )
        crop = pixels[top : top + height, left : left + width]
        factor = EDGE / max(crop.shape[:2])
        crop = cv2.resize(crop, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
        names.append(str(folder / f"photo-{number:03}.jpg"))
        cv2.imwrite(names[-1], crop[..., ::-1])
    return names


def built(folder: Path, names: list[str]) -> Path:
    """Run the command in this process and print how long the page took of it."""
    took = []
    write = html.write

    def timed(*arguments: object, **options: object) -> str:
        begun = time.perf_counter()
        try:
            return write(*arguments, **options)  # type: ignore[arg-type]
        finally:
            took.append(time.perf_counter() - begun)

    html.write = timed  # type: ignore[assignment]
    begun = time.perf_counter()
    assert run(["gradcam", "efficientnet-lite0", *names, "--out", str(folder / "out"), "-q"]) == 0
    whole = time.perf_counter() - begun
    html.write = write
    rest = whole - took[0]
    print(f"report {took[0]:.2f} s, everything else {rest:.2f} s, ratio {took[0] / rest:.3f} (wanted: less than 1)")
    return folder / "out" / "report.html"


def read(page: Path) -> None:
    """Open the report in Chromium and print how it feels."""
    from playwright.sync_api import sync_playwright

    path = os.environ.get("XCNN_CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        for _ in range(3):
            window = browser.new_page(viewport={"width": 1280, "height": 900})
            window.goto(page.as_uri(), wait_until="load")
            window.wait_for_timeout(300)
            paint = window.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
            ready = window.evaluate("performance.getEntriesByType('navigation')[0].loadEventEnd")
            strokes = window.evaluate(TYPED, STROKES)
            window.evaluate(TYPED, " ")
            frames = window.evaluate(SCROLLED)
            print(
                f"first paint {paint:.0f} ms (wanted: 2000 at most), loaded {ready:.0f} ms; a keystroke of the search "
                f"{statistics.median(strokes):.0f} ms, at most {max(strokes):.0f}; a scrolled frame "
                f"{statistics.median(frames):.0f} ms, at most {max(frames):.0f}"
            )
            window.close()
        browser.close()


def main() -> None:
    """Print sizes and times."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        page = built(folder, photographs(folder))
        size = page.stat().st_size
        print(f"{COUNT} images: {size / 1e6:.2f} MB (wanted: 12 at most), {size / COUNT / 1e3:.1f} kB an image")
        if "--no-browser" not in sys.argv:
            read(page)


if __name__ == "__main__":
    main()
