"""Write what the page with a camera computes with: networks, pictures and tables, all from the library as it is now.

The networks are exported by ``python -m ddgp_lib export``; then their weights are taken out of the models again, and
each model points into the library's own safetensors files, which the build copies beside it.  So the repository holds
every weight once.  It takes PyTorch and the extra ``export``; the build of the site needs neither.
"""

import argparse
import hashlib
import json
import struct
import tempfile
from dataclasses import asdict
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch

from book._tools.repository import ROOT
from ddgp_lib import load_task
from ddgp_lib.data import load_digits
from ddgp_lib.experiments import load_benchmark
from ddgp_lib.exporting import described, export_task
from ddgp_lib.files import atomic_write
from ddgp_lib.kinds import Setting
from ddgp_lib.operators import CartesianMRI, HadamardCamera
from ddgp_lib.operators.hadamard import ORDERINGS
from ddgp_lib.presets import PRESETS

FOLDER = ROOT / "book" / "camera" / "files"
KINDS = {"single_pixel": "digits", "mri": "slices"}
"""The cameras whose networks the page runs, and what their images are."""
DIGITS = 12
"""Held-out digits that the page offers, the first of the test images."""
SLICES = (32, 112, 144)
"""Held-out brain slices that it offers, by their place among the test images."""
BLUR_SETTINGS = {
    "none": asdict(Setting(0.05, "chambolle_dossal", None, 10)),
    "newton": asdict(Setting(0.07, "none", None, 10)),
}
BLUR = {"task": "blur", "kind": "newton"} | described("newton", "gradient_only", 0.03, BLUR_SETTINGS)
"""The camera that blurs digits with a Gaussian of one pixel and keeps every second pixel.  It has no learned P, so a
Newton step is in its place.  The settings are the best after 20 iterations on the first eight validation digits with
noise 0.01, of σ = 0.03, 0.05, 0.07 and 0.1, both rules of momentum, and λ = 0.03 and 0.1: 25.5 and 26.3 dB."""
SCALE = 2**14
"""What a pixel of a slice is multiplied by to be stored as an integer of 16 bits."""


class Place(NamedTuple):
    """Where a tensor lies in a safetensors file, in bytes, and whether it is in half precision."""

    start: int
    length: int
    half: bool


def places(content: bytes) -> dict[str, Place]:
    """Return where each tensor of a safetensors file lies."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    found = {}
    for name, entry in header.items():
        if name != "__metadata__":
            start, end = entry["data_offsets"]
            found[name] = Place(8 + length + start, end - start, entry["dtype"] == "F16")
    return found


def _in_single_precision(content: bytes, place: Place) -> bytes:
    """Return the bytes of a tensor as a model has them."""
    raw = content[place.start : place.start + place.length]
    return np.frombuffer(raw, "<f2").astype("<f4").tobytes() if place.half else raw


def without_weights(model: bytes, weights: Path) -> bytes:
    """Return an ONNX model whose weights are read from a safetensors file beside it.

    What is stored in half precision is widened by the model.

    Raises
    ------
    ValueError
        If a tensor of the file is not among the model's, bit for bit in single precision.
    """
    import onnx

    content = weights.read_bytes()
    stored = {_in_single_precision(content, place): place for place in places(content).values()}
    parsed, found, casts = onnx.load_model_from_string(model), set(), []
    for tensor in parsed.graph.initializer:
        place = stored.get(tensor.raw_data)
        if place is not None:
            found.add(place)
            casts += _point(tensor, weights.name, place)
    if len(found) != len(stored):
        raise ValueError(f"weights={weights.name!r}: {len(stored) - len(found)} tensors are not in the model")
    nodes = [*casts, *parsed.graph.node]
    del parsed.graph.node[:]
    parsed.graph.node.extend(nodes)
    slim: bytes = parsed.SerializeToString(deterministic=True)
    return slim


def _point(tensor: Any, file: str, place: Place) -> list[Any]:
    """Let a tensor be read from a place in a file; return the nodes that give it its name in single precision."""
    import onnx

    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    where = {"location": file, "offset": str(place.start), "length": str(place.length)}
    for key, value in where.items():
        tensor.external_data.add(key=key, value=value)
    if not place.half:
        return []
    name, tensor.name = tensor.name, f"{tensor.name}.half"
    tensor.data_type = onnx.TensorProto.FLOAT16
    return [onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)]


def write_networks(task: str, folder: Path = FOLDER) -> dict[str, Any]:
    """Export a task's networks, write the models without weights, and return the card with their hashes."""
    with tempfile.TemporaryDirectory() as whole:
        card = export_task(task, whole)
        for name, model in card["models"].items():
            weights = PRESETS[task].path(name)
            slim = without_weights(Path(whole, model["file"]).read_bytes(), weights)
            model |= {"sha256": _sha256(slim), "weights_file_sha256": _sha256(weights.read_bytes())}
            atomic_write(folder / model["file"], slim)
    return card


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def pattern_ranks(side: int = 32) -> dict[str, list[int]]:
    """Return the place of each Hadamard pattern (rows first) in each ordering, from 0."""
    ranks: dict[str, list[int]] = {}
    for ordering in ORDERINGS:
        masks = [
            HadamardCamera((m + 0.25) / side**2, (1, side, side), ordering).mask.flatten()
            for m in range(1, side**2)
        ]
        measured = sum(mask.int() for mask in masks)
        assert isinstance(measured, torch.Tensor)
        ranks[ordering] = (side**2 - 1 - measured).tolist()
    return ranks


def column_ranks(width: int = 128) -> list[int]:
    """Return the place of each column of k-space in the order in which a scanner of MRI adds them, from 0."""
    least = round(0.08 * width)
    measured = [CartesianMRI(width / m, (2, width, width)).columns.int() for m in range(least, width + 1)]
    ranks: list[int] = (width - torch.stack(measured).sum(0)).tolist()
    centre = [column for column in range(width) if ranks[column] < least]
    for place, column in enumerate(sorted(centre, key=lambda column: (abs(column - width // 2), column))):
        ranks[column] = place
    return ranks


def digits() -> bytes:
    """Return the digits that the page offers, a byte a pixel."""
    content: bytes = (load_digits().test[:DIGITS] * 255).round().numpy().astype(np.uint8).tobytes()
    return content


def slices() -> bytes:
    """Return the brain slices that the page offers, two integers of 16 bits a pixel, real parts first."""
    chosen = load_task("mri").test_images[list(SLICES)]
    content: bytes = (chosen * SCALE).round().numpy().astype("<i2").tobytes()
    return content


def usual_gain(task: str) -> dict[str, Any]:
    """Return what P gains after 20 iterations on held-out images, as the book's benchmark has it."""
    compared = load_benchmark(task)["side_by_side"]
    gain, _ = compared["methods"]["distilled"]["gain_20"]
    return {"gain": gain, "iterations": 20, "images": compared["n_images"], "kind": KINDS[task]}


def write_all(folder: Path = FOLDER) -> None:
    """Write all files of the page."""
    folder.mkdir(parents=True, exist_ok=True)
    cards = {task: write_networks(task, folder) for task in KINDS}
    denoiser = cards["single_pixel"]["models"]["denoiser"]
    cards |= {"blur": BLUR | {"models": {"denoiser": denoiser}}}
    usual = {task: usual_gain(task) for task in KINDS}
    table = {"cards": cards, "usual": usual, "patterns": pattern_ranks(), "columns": column_ranks()}
    table |= {"digits": DIGITS, "slices": len(SLICES), "scale": SCALE}
    atomic_write(folder / "digits.bin", digits())
    atomic_write(folder / "slices.bin", slices())
    atomic_write(folder / "cameras.json", (json.dumps(table, indent=None) + "\n").encode())


def main() -> None:
    """Write the files."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    torch.set_num_threads(1)
    write_all()


if __name__ == "__main__":
    main()
