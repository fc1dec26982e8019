"""Small sets in the formats of the measured ones, what their authors would have published, and who fetches them."""

import hashlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from scipy.io import savemat

from ddgp_lib.data.measured import ArraySpec, DataFile, MeasuredSet
from ddgp_lib.data.measured.folder import arrays_digest
from ddgp_lib.data.measured.readers import read_file

COILS = np.arange(24).reshape(4, 3, 2) * (1 - 2j)
GREY = np.arange(12, dtype=np.uint16).reshape(3, 4) * 5461
TEXTS = np.array(["a_1", "long_2"])


def publish(folder: Path) -> None:
    """Write a file of each format."""
    np.save(folder / "scan.npy", COILS.astype(np.complex64))
    np.savez_compressed(folder / "coils.npz", arr_0=COILS.astype(np.complex64))
    np.savez_compressed(folder / "made.npz", coefficients=np.arange(6.0).reshape(2, 3), acquisition=TEXTS)
    savemat(folder / "slices.mat", {"ksp": COILS, "text": "a note"})
    savemat(folder / "flat.mat", {"ksp": COILS[..., 0], "W": np.arange(16, dtype=np.int32).reshape(4, 4)})
    Image.fromarray(GREY).save(folder / "deep.tif")
    Image.fromarray((GREY // 257).astype(np.uint8)).convert("RGBA").save(folder / "grey.png")


def file_of(path: Path, repacked: str = "") -> DataFile:
    """Register a file as it is."""
    content = path.read_bytes()
    digest = arrays_digest(read_file(path)) if repacked else hashlib.sha256(content).hexdigest()
    return DataFile(path.name, "who/what", "0" * 40, f"a folder/{path.name}", digest, len(content), repacked)


def array_of(file: str, **options: Any) -> ArraySpec:
    """Describe an array of coils, unless said otherwise."""
    usual = {
        "key": "arr_0",
        "stored": ("row", "column", "coil"),
        "axes": ("coil", "row", "column"),
        "kind": "complex",
        "meaning": "numbers",
        "shape": (2, 4, 3),
    }
    return ArraySpec(file, **(usual | options))


def sets_of(folder: Path) -> dict[str, MeasuredSet]:
    """Register what was published, by the names of the files; ``two`` has two of them."""
    flat = {"stored": ("row", "column"), "axes": ("row", "column"), "kind": "real", "key": ""}
    arrays = {
        "scan.npy": {"kspace": array_of("scan.npy", key="")},
        "coils.npz": {"image": array_of("coils.npz")},
        "made.npz": {
            "coefficients": array_of("made.npz", **(flat | {"key": "coefficients", "shape": (2, 3)})),
        },
        "slices.mat": {"kspace": array_of("slices.mat", key="ksp")},
        "flat.mat": {
            "kspace": array_of(
                "flat.mat",
                key="ksp",
                stored=("row", "column"),
                axes=("slice", "row", "column"),
                shape=(1, 4, 3),
            ),
            "coefficients": array_of("flat.mat", **(flat | {"key": "W", "shape": (2, 2), "kept": (2, 2)})),
        },
        "deep.tif": {"image": array_of("deep.tif", **(flat | {"shape": (3, 4)}))},
        "grey.png": {"image": array_of("grey.png", **(flat | {"shape": (3, 4)}))},
    }
    found = {
        name.replace(".", "_"): MeasuredSet(
            name=name.replace(".", "_"),
            title=f"what {name} holds",
            files=(file_of(folder / name, "pack it" if name.startswith("made") else ""),),
            arrays=specs,
            licence="CC0-1.0",
            credit="nobody",
            privacy="nobody",
            known=("Little.",),
            unknown=("Much.",),
            meta={"domain": "test"},
            labels={"names": "acquisition"} if name.startswith("made") else {},
        )
        for name, specs in arrays.items()
    }
    deep, grey = found["deep_tif"], found["grey_png"]
    pictures = {"deep": deep.arrays["image"], "grey": grey.arrays["image"]}
    found["two"] = replace(deep, name="two", files=deep.files + grey.files, arrays=pictures)
    return found


class Fetcher:
    """Stands for pooch: fetches from a folder, checks what came as pooch does, and writes down who asked."""

    def __init__(self, server: Path, cache: Path) -> None:
        self.server, self.cache, self.asked = server, cache, []

    def os_cache(self, project: str) -> Path:
        return self.cache / project

    def retrieve(self, url: str, known_hash: str, fname: str, path: str, progressbar: bool) -> str:
        self.asked.append(url)
        source = self.server / fname
        if not source.is_file():
            raise ConnectionError("no route to host")
        content = source.read_bytes()
        if known_hash != f"sha256:{hashlib.sha256(content).hexdigest()}":
            raise ValueError(f"SHA256 hash of downloaded file ({fname}) does not match the known hash")
        (Path(path) / fname).write_bytes(content)
        return str(Path(path) / fname)
