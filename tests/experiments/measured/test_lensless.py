"""The experiment behind a lens-less camera: on a small simulated one, and on the measured one where it is at hand."""

import math
import os
from pathlib import Path

import pytest
import torch

from ddgp_lib.data.measured.folder import VARIABLE, state
from ddgp_lib.data.measured.registry import DIFFUSERCAM
from ddgp_lib.experiments.measured import run_measured
from ddgp_lib.experiments.measured.lensless import compare, draw_pixels, part_of
from ddgp_lib.operators import LenslessCamera


@pytest.fixture(scope="module")
def case():
    generator = torch.Generator().manual_seed(0)
    psf = torch.rand(24, 32, generator=generator) ** 8
    camera = LenslessCamera(psf / psf.norm())
    truth = torch.zeros(1, 1, 48, 64)
    truth[..., 16:32, 20:44] = torch.rand(16, 24, generator=generator)
    return camera, camera.A(truth)


def test_methods_are_compared_at_the_iterations_that_are_asked_for(case):
    rows = compare(*case, sigma=1e-4, iterations=(3, 30))
    told = [(row.condition, row.method, row.iteration) for row in rows]
    assert told[:4] == [
        ("any x", "FISTA", 3),
        ("any x", "FISTA", 30),
        ("any x", "circulant P", 3),
        ("any x", "circulant P", 30),
    ]
    assert [condition for condition, *_ in told] == 6 * ["any x"] + 8 * ["x ≥ 0"]
    assert all(row.gain is None for row in rows if row.method == "FISTA")
    found = {entry: row for entry, row in zip(told, rows, strict=True)}
    for condition in ("any x", "x ≥ 0"):
        plain, preconditioned = (found[condition, method, 30] for method in ("FISTA", "circulant P"))
        assert preconditioned.residual < plain.residual / 4
        if condition == "x ≥ 0":  # without it, what fits the others says little of a pixel that is held out
            assert preconditioned.gain > 5 * preconditioned.gain_error > 0
        admm = found[condition, "crop ADMM", 30]
        assert admm.transforms == 4 * 30 < plain.transforms < preconditioned.transforms


def test_held_out_pixels_are_a_tenth_and_are_not_read(case):
    camera, y = case
    split = draw_pixels(camera)
    assert int(split.held_out.sum()) == 77
    assert torch.equal(part_of(camera, split).A(torch.ones(1, 1, 48, 64)) != 0, split.used[None, None])
    changed = y.clone()
    changed[..., split.held_out] += 1
    one, other = (compare(camera, values, 1e-4, (3,)) for values in (y, changed))
    assert [row.residual for row in one] == [row.residual for row in other]
    assert one[0].error < other[0].error


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"name": "lens"}, "^name='lens'"),
        ({"iterations": ()}, r"^iterations=\(\)"),
        ({"iterations": 5}, "^iterations=5"),
        ({"iterations": (0,)}, "^iterations=0"),
        ({"seed": -1}, "^seed=-1"),
    ],
)
def test_what_is_no_experiment_is_refused(changed, message):
    with pytest.raises(ValueError, match=message):
        run_measured(**({"name": "lensless"} | changed))


def test_missing_data_are_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"psf_sample.tif.*data fetch diffusercam"):
        run_measured("lensless")


def test_on_the_measured_camera_conditioning_is_worth_four_times_and_clipping_diverges():
    folder = os.environ.get(VARIABLE, "")
    if not folder or any(state(file, Path(folder)) != "present" for file in DIFFUSERCAM.files):
        pytest.skip(f"the measured set is not in {VARIABLE}")
    found = run_measured("lensless", iterations=(20,))
    rows = {(row["condition"], row["method"]): row for row in found["rows"]}
    for condition in ("any x", "x ≥ 0"):
        plain, preconditioned = (rows[condition, method] for method in ("FISTA", "circulant P"))
        assert preconditioned["residual"] < plain["residual"] / 4
        assert preconditioned["gain"] > 10
    assert rows["x ≥ 0", "circulant P, clipped"]["residual"] > 1
    assert rows["x ≥ 0", "crop ADMM"]["transforms"] < rows["x ≥ 0", "circulant P"]["transforms"] / 4
    assert found["held_out"] == 3000
    assert 0 < found["noise"] < 1e-3
    assert not math.isnan(rows["any x", "crop ADMM"]["standard_error"])
