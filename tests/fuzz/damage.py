"""Files of every kind that the library reads, and ways to damage one."""

import gzip
import io
import json
import pickle
import struct
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image

from ddgp_lib import data, distill, load_preconditioner, load_tuning, save_preconditioner
from ddgp_lib.denoisers import DenoiserRecipe, NoiseAwareDnCNN, load_denoiser, save_denoiser
from ddgp_lib.experiments import (
    load_alternative,
    load_benchmark,
    load_study,
    save_alternative,
    train_alternative,
)
from ddgp_lib.experiments.benchmark import FORMAT as BENCHMARK
from ddgp_lib.experiments.study import FORMAT as STUDY
from ddgp_lib.files import write_results
from ddgp_lib.pretrained import save_tuning
from ddgp_lib.recipes import AlternativeRecipe
from ddgp_lib.scanner import load_array, load_fastmri_coils
from ddgp_lib.scanner.kspace import AXES
from ddgp_lib.tasks import Preset
from tests.fuzz.examples import camera
from tests.own_camera import PRESET, QUICK
from tests.scanner.files import slices, write_fastmri

Damage = Callable[[bytes, int], bytes]
"""Takes a file's bytes and an integer that says where, and returns other bytes."""


def _flip(content: bytes, where: int) -> bytes:
    byte, bit = divmod(where % (8 * len(content)), 8)
    return content[:byte] + bytes([content[byte] ^ 1 << bit]) + content[byte + 1 :]


DAMAGE: dict[str, Damage] = {
    "cut short": lambda content, where: content[: where % len(content)],
    "empty": lambda content, where: b"",
    "a bit flipped": _flip,
    "pickled": lambda content, where: pickle.dumps({"weights": list(range(where % 99))}),
    "zeros": lambda content, where: bytes(len(content)),
    "noise": lambda content, where: np.random.default_rng(where).bytes(len(content)),
    "huge header": lambda content, where: struct.pack("<Q", 1 << 40 + where % 20) + content[8:],
    "bytes at the end": lambda content, where: content + b"\0" * (1 + where % 9),
    "another format": lambda content, where: b"PK\x03\x04" + content,
    "compressed cut": lambda content, where: gzip.compress(content, mtime=0)[: 12 + where % 40],
    "absurd numbers": lambda content, where: content.replace(b"2", b"2000000000"),
    "deep JSON": lambda content, where: b"[" * 100_000,
    "NaN in JSON": lambda content, where: b'{"format": NaN, "runs": [1e999]}',
    "a list": lambda content, where: b"[1, 2, 3]",
}

SAME_ANSWER_ALLOWED = {"a bit flipped", "bytes at the end", "absurd numbers"}
"""Damage that may leave the meaning of a file as it was, so that its old content is a right answer."""


@cache
def folder_preset(folder: Path) -> Preset:
    """Save everything that a camera can have in a folder, and return its preset."""
    preset = replace(PRESET, weights=folder)
    task = replace(camera(), preset=preset)
    save_preconditioner(preset.path("distilled"), distill(task, progress=False, **QUICK), task)  # type: ignore[arg-type]
    save_denoiser(preset.path("denoiser"), NoiseAwareDnCNN(1, 3, 8), preset.name, DenoiserRecipe(), {})
    rival = AlternativeRecipe("direct", steps=1, batch_size=2)
    model = train_alternative(task, rival, progress=False)
    save_alternative(preset.path("direct"), model, task, rival, {})
    setting = {"sigma": 0.05, "momentum": "none", "prior_decay": None, "update_decay": None}
    save_tuning(preset, {"none": {"setting": setting, "sweep": []}})
    return preset


def weights_folder(folder: Path) -> Path:
    """Return the folder, within another, in which everything that a camera can have is saved."""
    place = folder / "whole"
    place.mkdir(exist_ok=True)
    folder_preset(place)
    return place


def _weights(folder: Path) -> dict[str, tuple[Path, Callable[[Path], Any]]]:
    preset = folder_preset(folder)
    tuning = next(folder.glob("*tuning.json"))
    return {
        "preconditioner": (preset.path("distilled"), lambda path: load_preconditioner(path).state_dict()),
        "denoiser": (preset.path("denoiser"), lambda path: load_denoiser(path).state_dict()),
        "rival": (
            preset.path("direct"),
            lambda path: load_alternative(replace(camera(), preset=preset), "direct", path).state_dict(),
        ),
        "tuning": (tuning, lambda path: load_tuning(replace(preset, weights=path.parent))),
    }


def _mnist(folder: Path) -> Path:
    images = (np.arange(15 * 28 * 28) % 251).astype(np.uint8).reshape(15, 28, 28)
    for name, part in {"train-images-idx3-ubyte": images[:12], "t10k-images-idx3-ubyte": images[12:]}.items():
        header = struct.pack(">HBB", 0, 8, 3) + struct.pack(">3I", *part.shape)
        (folder / name).write_bytes(header + part.tobytes())
    return folder / "train-images-idx3-ubyte"


def _knees(folder: Path) -> Path:
    import h5py

    generator = np.random.default_rng(0)
    for part, people in {"singlecoil_train": "abc", "singlecoil_val": "d"}.items():
        (folder / part).mkdir()
        for person in people:
            kspace = generator.normal(size=(2, 20, 20, 2)).astype(np.float32).view(np.complex64)[..., 0]
            with h5py.File(folder / part / f"{person}.h5", "w") as file:
                file["kspace"] = kspace
                file.attrs["patient_id"] = person
    return folder / "singlecoil_train" / "a.h5"


def _coils(folder: Path) -> Path:
    return write_fastmri(folder / "coils.h5", slices())


def _array(folder: Path) -> Path:
    np.save(folder / "scan.npy", slices())
    return folder / "scan.npy"


def _picture(value: int, form: str) -> bytes:
    stream = io.BytesIO()
    pixels = (np.arange(24 * 24) * value % 256).astype(np.uint8).reshape(24, 24)
    Image.fromarray(pixels).save(stream, form)
    return stream.getvalue()


def _pictures(folder: Path) -> Path:
    for value in range(3, 15):
        (folder / f"{value:02d}.png").write_bytes(_picture(value, "PNG"))
    return folder / "05.png"


def _celeba(folder: Path) -> Path:
    (folder / "img_align_celeba").mkdir()
    lines = []
    for value in range(3, 9):
        (folder / "img_align_celeba" / f"{value}.jpg").write_bytes(_picture(value, "JPEG"))
        lines.append(f"{value}.jpg {value % 3}")
    (folder / "list_eval_partition.txt").write_text("\n".join(lines))
    return folder / "list_eval_partition.txt"


def _study(folder: Path) -> Path:
    path = folder / "forms.json"
    write_results(path, {"format": STUDY, "study": "forms", "runs": []})
    return path


def _benchmark(folder: Path) -> Path:
    path = folder / "mri.json"
    write_results(path, {"format": BENCHMARK, "task": "mri"})
    return path


DATA: dict[str, tuple[Callable[[Path], Path], Callable[[Path], Any]]] = {
    "MNIST": (_mnist, data.load_mnist),
    "fastMRI": (_knees, lambda folder: data.load_fastmri(folder, 16)),
    "fastMRI of several coils": (_coils, lambda folder: load_fastmri_coils(folder / "coils.h5").data),
    "k-space in an array": (_array, lambda folder: load_array(folder / "scan.npy", AXES).data),
    "pictures": (_pictures, lambda folder: data.load_folder(folder, 16)),
    "CelebA": (_celeba, lambda folder: data.load_celeba(folder, 16)),
    "study": (_study, lambda folder: load_study("forms", folder)),
    "benchmark": (_benchmark, lambda folder: load_benchmark("mri", folder)),
}
"""What writes a small data set into an empty folder and names the file to damage; and what loads it."""


def weights_names() -> tuple[str, ...]:
    """Return the kinds of files that hold what was trained."""
    return "preconditioner", "denoiser", "rival", "tuning"


def kept_meaning(kind: str, damage: str, found: Any, whole: Any) -> bool:
    """Say whether what a damaged file gave is a right answer: the old content, or other settings that are as valid.

    Settings are a text that people may change, without a checksum: another digit is another setting.
    """
    if damage not in SAME_ANSWER_ALLOWED:
        return False
    return same(found, whole) or (
        kind == "tuning" and isinstance(found, dict) and found.keys() == whole.keys()
    )


def damaged_weights(kind: str, damage: str, where: int, folder: Path) -> tuple[Callable[[], Any], Any]:
    """Return what reads a damaged file of weights, and what the whole one holds."""
    path, load = _weights(weights_folder(folder))[kind]
    place = folder / "damaged" / path.name
    place.parent.mkdir(exist_ok=True)
    place.write_bytes(DAMAGE[damage](path.read_bytes(), where))
    return lambda: load(place), load(path)


def damaged_data(kind: str, damage: str, where: int, folder: Path) -> tuple[Callable[[], Any], str]:
    """Return what reads a folder in which one file is damaged, and the name of that file."""
    write, load = DATA[kind]
    path = write(folder)
    path.write_bytes(DAMAGE[damage](path.read_bytes(), where))
    return lambda: load(folder), path.name


def same(one: Any, other: Any) -> bool:
    """Say whether two loaded things are the same."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    if isinstance(one, torch.Tensor):
        return isinstance(other, torch.Tensor) and torch.equal(one, other)
    return one == other or json.dumps(one, default=str) == json.dumps(other, default=str)
