"""Write the drawings to ``book/_static/drawings``."""

from collections.abc import Callable
from pathlib import Path

from book._tools.repository import ROOT

from .cameras import CAMERAS
from .canvas import Canvas
from .method import method, split, step
from .networks import networks

FOLDER = ROOT / "book" / "_static" / "drawings"
DRAWINGS: dict[str, Callable[[], Canvas]] = {
    "method": method,
    "training_step": step,
    "null_space_split": split,
    **{f"camera_{name}": draw for name, draw in CAMERAS.items()},
    "networks": networks,
}
"""What draws each file, by its name without the ending."""


def write(folder: Path = FOLDER) -> None:
    """Write every drawing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, draw in DRAWINGS.items():
        (folder / f"{name}.svg").write_text(draw().svg(), encoding="utf-8")


if __name__ == "__main__":
    write()
