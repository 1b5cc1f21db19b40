"""Every test works in an empty folder of its own."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def own_folder(tmp_path, monkeypatch):
    """The folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("XCNN_PLUGINS", raising=False)
    return tmp_path
