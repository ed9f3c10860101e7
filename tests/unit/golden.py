"""Golden files: what was agreed, under tests/data. ``PYDOCK_GOLDEN=write`` agrees to what is there now."""

import os
from pathlib import Path

DATA = Path(__file__).resolve().parents[1] / "data"


def golden(name, text):
    path = DATA / name
    if os.environ.get("PYDOCK_GOLDEN") == "write":
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()
