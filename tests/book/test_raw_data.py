"""The page for one's own raw data: its blocks run on small files of each format, and find what was put in them."""

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.linalg import hadamard

from book._tools.repository import ROOT
from ddgp_lib.__main__ import _parser
from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.operators import LenslessCamera
from ddgp_lib.scanner import KSpace, column_mask, espirit_maps, noise_covariance
from tests.scanner.files import readout, write_fastmri, write_ismrmrd, write_siemens
from tests.scanner.phantom import coil_maps, complex_noise, head

PAGE = (ROOT / "book" / "raw_data.md").read_text(encoding="utf-8")
READERS = {
    "fastmri": "load_fastmri_coils",
    "ismrmrd": "load_ismrmrd",
    "siemens": "load_siemens",
    "array": "load_array",
}
PACKAGES = {
    "fastmri": "h5py",
    "ismrmrd": "ismrmrd",
    "siemens": "twixtools",
    "array": "numpy",
    "record": "numpy",
}
COILS, HEIGHT, WIDTH = 6, 80, 64
LEVEL = 0.02
"""Noise of a coil, relative to the brightest tissue."""


def blocks(label: str) -> list[str]:
    """Return the blocks of Python between a label of the page and the next one."""
    part = PAGE.partition(f"({label})=\n")[2].partition("\n(raw-data-")[0]
    return re.findall(r"```python\n(.*?)```", part, flags=re.DOTALL)


SMALL = blocks("raw-data-judging")
"""The functions that all parts use."""


def run(sources: list[str], names: dict[str, Any] | None = None) -> dict[str, Any]:
    """Execute blocks one after another, in one set of names."""
    names = {} if names is None else names
    for source in sources:
        exec(compile(source, "raw_data.md", "exec"), names)
    return names


def kspace(readout_axis: str, noise: float = LEVEL, *, wide: bool = True) -> tuple[np.ndarray, torch.Tensor]:
    """Return k-space (C, H, W) with twice the field of view along the readout, if wide; and what mixes its noise."""
    mixture = noise * (torch.eye(COILS) + 0.3 * complex_noise(COILS, COILS, seed=5))
    middle = coil_maps(COILS, HEIGHT, WIDTH) * head(HEIGHT, WIDTH)
    place = -2 if readout_axis == "height" else -1
    sides = list(middle.shape)
    if wide:
        sides[place] *= 2
    images = torch.zeros(sides, dtype=torch.complex64)
    start = (sides[place] - middle.shape[place]) // 2
    images.narrow(place, start, middle.shape[place]).copy_(middle)
    drawn = (mixture @ complex_noise(COILS, images[0].numel(), seed=1)).reshape(images.shape)
    return (centred_fourier(images) + drawn).numpy(), mixture


def write_scan(name: str, folder: Path) -> None:
    """Write the file that the block of a reader names; those of fastMRI and ISMRMRD leave lines out."""
    generator = torch.Generator().manual_seed(0)
    if name == "fastmri":
        full, _ = kspace("height")
        mask = column_mask(WIDTH, 1.6, 18, generator).numpy()
        write_fastmri(folder / "volume.h5", (full * mask)[None], mask=mask)
    elif name == "array":
        full, _ = kspace("height", wide=False)
        np.savez(folder / "scan.npz", kspace=full.transpose(1, 2, 0))
    else:
        full, mixture = kspace("width")
        noise = (mixture @ complex_noise(COILS, 2**12, seed=2)).numpy()
        rows = column_mask(HEIGHT, 1.6, 18, generator).numpy()
        part = (full * rows[:, None])[None]
        if name == "ismrmrd":
            silent = readout(noise, 0, flags=("ACQ_IS_NOISE_MEASUREMENT",))
            write_ismrmrd(folder / "scan.mrd", part, more=[silent])
        else:
            write_siemens(folder / "meas.dat", part, noise=noise)


def record() -> KSpace:
    """Return what the readers of ISMRMRD and Siemens give: the readout along the width, and a scan of noise."""
    full, mixture = kspace("width")
    rows = column_mask(HEIGHT, 1.6, 18, torch.Generator().manual_seed(0))[:, None].expand(HEIGHT, 2 * WIDTH)
    noise = mixture @ complex_noise(COILS, 2**12, seed=2)
    known: dict[str, Any] = {"readout": "width", "size": (HEIGHT, WIDTH), "noise": noise}
    return KSpace(torch.from_numpy(full) * rows, rows, "by hand", **known)


@pytest.mark.parametrize("name", [*READERS, "record"])
def test_a_scan_is_read_prepared_reconstructed_and_judged(name, tmp_path, monkeypatch, capsys):
    pytest.importorskip(PACKAGES[name])
    sources = blocks("raw-data-scanner")
    reader = [source for source in sources if name in READERS and f"{READERS[name]}(" in source]
    assert len(reader) == (name in READERS)
    rest = [source for source in sources if not any(f"{each}(" in source for each in READERS.values())]
    assert len(sources) == len(rest) + len(READERS)
    if name in READERS:
        write_scan(name, tmp_path)
    monkeypatch.chdir(tmp_path)
    names = run(SMALL, {} if name in READERS else {"raw": record()})
    run([*reader, *rest], names)

    said = capsys.readouterr().out
    assert "of the energy is left in 6 coils" in said
    assert said.count("is ahead of CG-SENSE by") == 2
    used, held_out, fit, choose = (names[each] for each in ("used", "held_out", "fit", "choose"))
    assert not (used & held_out).any()
    assert torch.equal(fit | choose, used)
    assert torch.equal(used | held_out, names["scan"].mask)
    assert names["scan"].data.shape == (COILS, HEIGHT, WIDTH)
    assert 0 < names["found"].value < 0.5 * names["found"].signal
    if name == "fastmri":
        mixture = kspace("height")[1]
        assert noise_covariance(names["noise"]).diagonal().real.sum() > 4 * mixture.abs().square().sum()
    bright = names["picture"].flatten().quantile(0.99)
    assert names["picture"][:8, :8].mean() < 0.1 * bright


def test_the_signs_of_a_wrong_origin_are_those_of_the_page():
    full, _ = kspace("height", 0.0, wide=False)
    images = centred_fourier(torch.from_numpy(full), inverse=True)
    elsewhere = centred_fourier(
        torch.from_numpy(full).roll((HEIGHT // 2, WIDTH // 2), (-2, -1)), inverse=True
    )
    chequered = 1.0 - 2 * ((torch.arange(HEIGHT)[:, None] + torch.arange(WIDTH)) % 2)
    torch.testing.assert_close(elsewhere, chequered * images, rtol=0, atol=1e-5)
    other_sign = centred_fourier(torch.from_numpy(full))
    turned = images.flip((-2, -1)).roll((1, 1), (-2, -1))
    torch.testing.assert_close(other_sign, turned, rtol=0, atol=1e-5)


def test_the_map_of_a_single_coil_is_one_or_zero():
    full, _ = kspace("height", wide=False)
    sizes = espirit_maps(torch.from_numpy(full[:1])).maps.abs()
    assert float((sizes - sizes.round()).abs().max()) < 1e-5
    assert 0.2 < float(sizes.mean()) < 1


SIDE = 32


def scene() -> np.ndarray:
    """Return a scene (H, W) of blocks on a ramp, unlike itself when it is turned or mirrored."""
    image = np.linspace(0.2, 0.5, SIDE)[:, None] * np.ones(SIDE)
    image[5:14, 4:11] = 1.0
    image[18:28, 12:15] = 0.8
    image[20:23, 20:29] = 0.0
    return image


@pytest.fixture
def coefficients(tmp_path, monkeypatch):
    """Write counts of four repeats of 60 % of the patterns, shown in a random order."""
    drawn = np.random.default_rng(0)
    order = drawn.permutation(SIDE * SIDE)[: round(0.6 * SIDE * SIDE)]
    order = np.unique(np.append(order, 0))
    drawn.shuffle(order)
    patterns = hadamard(SIDE * SIDE)[order]
    light = 4000 * scene().flatten()
    halves = [np.maximum(sign * patterns, 0) @ light + 300 for sign in (1, -1)]
    positive, negative = (drawn.poisson(half, size=(4, len(order))).astype(np.uint32) for half in halves)
    np.savez(tmp_path / "coefficients.npz", positive=positive, negative=negative, order=order)
    monkeypatch.chdir(tmp_path)


def test_coefficients_become_a_picture_and_an_error(coefficients, capsys):
    names = run([*SMALL, *blocks("raw-data-single-pixel")])
    run(blocks("raw-data-trust"), names)
    assert "P is ahead of TV by -" in capsys.readouterr().out
    assert names["ahead"].decibels < -10
    truth = torch.from_numpy(scene()).float()
    photons = np.sqrt(4000 * scene().sum() + 2 * 300)  # both halves, in one repeat
    assert names["sigma"] / names["scale"] == pytest.approx(photons / SIDE / 2, rel=0.1)
    picture = names["predictions"]["TV"]
    image = names["basis"].V(picture)[0, 0]
    ratio = float((image * truth).sum() / truth.square().sum())
    assert float((image / ratio - truth).norm() / truth.norm()) < 0.15
    exact = names["basis"].V_adjoint(ratio * truth[None, None])
    judged = names["held_out"]
    for name, prediction in names["predictions"].items():
        found = names["error"](prediction, judged)
        true = float((prediction - exact)[0, 0][judged].square().mean())
        assert abs(found.value - true) < 4 * max(found.error, found.noise_error), name
    assert (
        names["error"](picture, judged).value
        < 0.5 * names["error"](names["predictions"]["back-projection"], judged).value
    )


@pytest.fixture
def pictures(tmp_path, monkeypatch):
    """Write 16-bit pictures of the dark, a point and a scene, four times, behind a sparse pattern."""
    drawn = np.random.default_rng(0)
    height, width = 96, 128
    psf = torch.zeros(height, width)
    for row, column in zip(drawn.integers(30, 66, 40), drawn.integers(40, 90, 40), strict=True):
        psf[row : row + 3, column : column + 3] += float(drawn.uniform(0.5, 1))
    x = torch.zeros(1, 1, 2 * height, 2 * width)
    x[..., 70:100, 100:150] = 1.0
    x[..., 110:118, 90:170] = 0.5
    reading = LenslessCamera(psf).A(x)[0, 0]
    readings = {"dark": 0 * psf, "point": 30000 * psf / psf.max()}
    readings |= {f"scene_{k}": 20000 * reading / reading.max() for k in range(4)}
    for name, values in readings.items():
        noisy = values.numpy() + 200 + 20 * drawn.normal(size=values.shape)
        Image.fromarray(np.rint(noisy.clip(0, 65535)).astype(np.uint16)).save(tmp_path / f"{name}.tif")
    monkeypatch.chdir(tmp_path)


def test_two_pictures_become_a_picture_and_an_error(pictures, capsys):
    names = run(blocks("raw-data-lensless"))
    assert capsys.readouterr().out.count("iterations: ") == 3
    for found, wanted in (("psf_by_corner", "psf"), ("y_by_corner", "y")):
        assert float((names[found] - names[wanted]).norm()) < 0.1
    assert names["sigma"] * names["scale"] == pytest.approx(20 * np.sqrt(1 + 1 / 12 / 400) / 4 / 2, rel=0.1)
    assert names["found"].value < 0.05 * names["found"].signal


def test_commands_of_the_page_take_what_they_are_given():
    lines = [
        line for block in re.findall(r"```sh\n(.*?)```", PAGE, flags=re.DOTALL) for line in block.splitlines()
    ]
    words = [shlex.split(line, comments=True) for line in lines]
    assert {each[0] for each in words} == {"pip", "python"}
    library = [each[3:] for each in words if each[:3] == ["python", "-m", "ddgp_lib"]]
    assert len(library) == len([each for each in words if each[0] == "python"]) >= 4
    for each in library:
        _parser().parse_args(each)


def test_packages_of_the_table_are_those_of_the_extras():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = {
        extra: {re.split(r"[>=<\[]", each)[0] for each in needed}
        for extra, needed in project["optional-dependencies"].items()
    }
    rows = [
        line.split("|")[1:-1]
        for line in PAGE.splitlines()
        if line.startswith("| ") and "`pip install" in line
    ]
    assert len(rows) == 8
    for _, _, packages, command in rows:
        named = re.findall(r"pooch|ismrmrd|twixtools|h5py", packages)
        chosen = {name for group in re.findall(r"\[(.*?)\]", command) for name in group.split(",")}
        brought = set().union(*(extras[extra] for extra in chosen))
        assert set(named) <= brought
        assert bool(named) == bool(chosen)
    assert {"h5py", "ismrmrd", "twixtools"} <= extras["scanner"]
    assert "pooch" in extras["measured"]


def test_a_reader_who_needs_none_of_it_installs_none_of_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needed = {re.split(r"[>=<\[]", each)[0] for each in project["dependencies"]}
    assert not needed & {"pooch", "ismrmrd", "twixtools", "h5py"}
    for name in ("requirements-book.txt", ".binder/requirements.txt"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert not re.search(r"^(pooch|ismrmrd|twixtools|h5py)\b", text, flags=re.MULTILINE)
