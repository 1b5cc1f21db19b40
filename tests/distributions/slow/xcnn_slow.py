"""A plugin that burns three seconds of CPU and leaves a sentinel when it is imported."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from xcnn.plugin import Explainer

Path(os.environ["XCNN_TEST_SENTINEL"]).touch()
begun = time.process_time()
while time.process_time() - begun < 3:
    pass


@dataclass(frozen=True, kw_only=True)
class Slow(Explainer):
    """Take long to be imported."""

    name: ClassVar[str] = "slow"
