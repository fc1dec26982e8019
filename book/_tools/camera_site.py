"""Put the page with a camera together: its scripts, and the library's weights beside the models that read them.

All go to ``_vendor/camera``, whose content the build copies to ``camera`` in the site.
"""

import hashlib
import json
import shutil
from pathlib import Path

from book._tools.repository import ROOT
from book._tools.vendor import VENDOR

CAMERA = ROOT / "book" / "camera"
WEIGHTS = ROOT / "ddgp_lib" / "weights"
COMMAND = "python -m book._tools.camera_files"


def needed_weights(camera: Path = CAMERA) -> dict[str, str]:
    """Return the weights that the models read, by the name of the file, with the SHA-256 that it must have."""
    cards = json.loads((camera / "files" / "cameras.json").read_text())["cards"]
    models = [model for card in cards.values() for model in card["models"].values()]
    return {model["weights"]: model["weights_file_sha256"] for model in models}


def place(target: Path = VENDOR / "camera", camera: Path = CAMERA, weights: Path = WEIGHTS) -> None:
    """Copy the scripts, the models and the weights.

    Raises
    ------
    ValueError
        If weights are not those that the models were made for.
    """
    for name, wanted in needed_weights(camera).items():
        found = hashlib.sha256((weights / name).read_bytes()).hexdigest()
        if found != wanted:
            raise ValueError(
                f"{name}: the models of the page with a camera are of other weights; run `{COMMAND}`"
            )
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(camera, target, ignore=shutil.ignore_patterns("*.html"))
    for name in needed_weights(camera):
        shutil.copyfile(weights / name, target / "files" / name)
