"""The experiment on measured single-pixel cameras: of small simulated records, and of the measured ones."""

import math
import os
import warnings
from dataclasses import asdict, replace
from pathlib import Path
from types import MappingProxyType

import pytest
import torch

from ddgp_lib import distill
from ddgp_lib.data import Split
from ddgp_lib.data.measured import Measured, NamedArray
from ddgp_lib.data.measured.folder import VARIABLE, state
from ddgp_lib.data.measured.registry import CAR, JASZCZAK
from ddgp_lib.experiments.measured import load_result, run_measured, single_pixel
from ddgp_lib.experiments.measured.candidates import Candidate
from ddgp_lib.experiments.measured.photons import PhotonNoise
from ddgp_lib.experiments.measured.records import Row
from ddgp_lib.experiments.measured.single_pixel import (
    between_series,
    car_noise,
    compare,
    methods,
    record_of,
    squares,
    switched_off,
)
from ddgp_lib.experiments.measured.table import table_of
from ddgp_lib.fingerprint import OperatorMismatch
from ddgp_lib.operators import HaarCamera, HadamardCamera
from ddgp_lib.preconditioners import Scalar
from ddgp_lib.pretrained import save_preconditioner

SHAPE = (1, 32, 32)


def scene():
    """Return a bright disc on a ground of soft light, 64 × 64."""
    pixel = torch.arange(64) - 31.5
    disc = torch.hypot(pixel[:, None], pixel) < 20
    return (0.1 + 0.6 * disc + 0.2 * torch.linspace(0, 1, 64))[None, None]


def small():
    """Return a scene of 32 × 32 that Hadamard patterns saw twice, in other units: (2, 1, 32, 32)."""
    image = torch.nn.functional.avg_pool2d(scene(), 2)
    noise = torch.randn(2, *SHAPE, generator=torch.Generator().manual_seed(0))
    return 500 * (HadamardCamera(1.0, SHAPE).V_adjoint(image) + 0.01 * noise)


def mean(x, sigma):
    """Return a blend with a local mean, a denoiser that is not trained."""
    return x + min(1.0, 4 * float(sigma)) * (torch.nn.functional.avg_pool2d(x, 3, 1, 1) - x)


@pytest.fixture(scope="module")
def record():
    coefficients = small()
    return record_of("disc", HadamardCamera(0.25, SHAPE), coefficients, car_noise(coefficients))


@pytest.fixture(scope="module")
def images():
    return torch.rand(3, *SHAPE, generator=torch.Generator().manual_seed(1))


def test_a_record_is_in_units_of_its_used_picture(record):
    assert float(record.camera.A_adjoint(record.y).max()) == pytest.approx(1, abs=1e-5)
    assert torch.equal(record.y != 0, record.camera.mask.expand_as(record.y) != 0)
    scale = float(record.coefficients.norm() / small().norm())
    assert record.noise.constant**0.5 == pytest.approx(0.01 * 500 * scale, rel=0.2)
    judge = record.judge
    assert int(judge.split.used.sum()) == 256
    assert not (judge.split.used & judge.split.held_out).any()


def test_the_judge_tells_the_true_error_though_all_it_knows_is_noisy(record):
    truth = torch.nn.functional.avg_pool2d(scene(), 2).expand(2, -1, -1, -1)
    scale = float(record.coefficients.norm() / small().norm())
    wrong = record.camera.A_adjoint(record.y)
    held = record.judge.split.held_out
    clean = record.camera.V_adjoint(500 * scale * truth)
    expected = float((record.camera.V_adjoint(wrong) - clean)[..., held].square().mean())
    found = record.judge.error(record.camera.V_adjoint(wrong))
    assert abs(found.value - expected) < 3 * found.noise_error + 0.1 * expected


def test_the_simulation_has_the_record_s_patterns_and_noise(record, images):
    y = record.simulated(images)
    assert torch.equal(y, record.simulated(images))
    left = (y - record.camera.A(images))[y != 0]
    assert float(left.std()) == pytest.approx(record.noise.constant**0.5, rel=0.1)
    assert torch.equal(y != 0, record.camera.mask.expand_as(y) != 0)


def test_photon_noise_is_simulated_where_the_light_is():
    camera = HaarCamera(1.0, SHAPE)
    record = record_of("dark", camera, camera.V_adjoint(torch.ones(1, *SHAPE)), PhotonNoise(0.0, 0.01))
    half = torch.ones(50, *SHAPE)
    half[..., :16] = 0
    left = record.simulated(half) - camera.V_adjoint(half)
    assert float(left[..., 16:, 16:24].abs().max()) == 0
    assert float(left[..., 16:, 24:].std()) == pytest.approx(0.1, rel=0.05)
    torch.testing.assert_close(record.sigma, torch.full_like(record.sigma, 0.1))


def test_the_best_classical_method_of_the_simulation_comes_first_and_the_others_are_compared_with_it(
    record, images
):
    rows, edges = compare(record, methods(mean, Scalar(1.0)), images, (1, 2, 4))
    assert [row.method.split(",")[0] for row in rows[1:]].count("P") == 1
    assert rows[0].gain is None
    assert all(row.gain is not None for row in rows[1:])
    classical = [row for row in rows if not row.method.startswith("P,")]
    assert rows[0].simulated == max(row.simulated for row in classical)
    assert all(row.condition == "disc" and math.isfinite(row.psnr) for row in rows)
    plain = next(row for row in rows if row.method == "A⁺")
    assert plain.error == pytest.approx(1, abs=0.2)  # nothing is predicted of what is held out
    assert plain.residual < 1e-5
    assert all(edge.startswith("disc, ") for edge in edges)


def test_nothing_is_chosen_on_the_measurement(record, images):
    """The settings of a record whose held-out patterns are all wrong are the same."""
    wrong = record.coefficients + 0.5 * (1 - record.camera.mask)
    other = single_pixel.Record("disc", record.camera, wrong, record.noise, record.light)
    found = [compare(each, methods(mean), images, (1, 3))[0] for each in (record, other)]
    assert [row.method for row in found[0]] == [row.method for row in found[1]]
    assert [row.residual for row in found[0]] == [row.residual for row in found[1]]
    assert found[0][0].error != found[1][0].error


def test_a_method_may_run_longer_where_it_is_still_getting_better(record, images):
    def creep(share):
        def solve(camera, y, iterations):
            truth = images
            return (truth + share * (1 - 0.05 * k) * 0.1 for k in range(1, iterations + 1))

        return solve

    method = Candidate("creep", {"share": (1.0, 2.0)}, creep)
    choice = single_pixel.choose(method, record.camera, record.simulated(images), images, (1, 2))
    assert choice.stop == 8
    assert choice.edges[-1] == "8 iterations are the most that were allowed"


def test_two_series_differ_by_their_noise_and_more_where_the_scene_differs(record):
    found = between_series(record)
    level = record.noise.constant**0.5 / float(record.reference.max())
    assert found["held_out"] == pytest.approx(level, rel=0.15)
    assert found["used"] == pytest.approx(level, rel=0.25)
    other = record.coefficients.clone()
    other[1] += (
        10 * level * record.camera.mask[0] * torch.randn(SHAPE, generator=torch.Generator().manual_seed(3))
    )
    changed = between_series(replace(record, coefficients=other))
    assert changed["used"] > 3 * found["used"]
    assert changed["held_out"] < 1.2 * found["held_out"]


def test_p_is_switched_off_where_simulation_finds_it_behind():
    first = Row("disc", "TV, σ 0.02", 5, 0.1, 0.2, 0.01, 1.0, 0, simulated=25.0)
    ahead, behind = (replace(first, method="P, σ 0.04", simulated=value) for value in (25.5, 24.5))
    other = replace(first, method="PnP, σ 0.04", simulated=24.0)
    assert switched_off([first, ahead, other]) == []
    assert switched_off([first, behind, other]) == ["disc: in simulation 0.50 dB behind TV, σ 0.02"]


def test_squares_are_those_to_choose_on_and_reach_one():
    pytest.importorskip("skimage")
    found = squares(32, 10)
    assert found.shape == (10, *SHAPE)
    torch.testing.assert_close(found.amax(dim=(1, 2, 3)), torch.ones(10))


def sets():
    """Return small sets of the shapes of the measured ones, simulated."""
    image = torch.nn.functional.avg_pool2d(scene(), 2)[0]
    names = [f"Car_{series}_roi_{d}" for series in ("a", "b", "c") for d in single_pixel.DIAMETERS]
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(len(names), *SHAPE, generator=generator)
    seen = 32 * 200 * (HadamardCamera(1.0, SHAPE).V_adjoint(image.expand(len(names), *SHAPE)) + 0.02 * noise)
    car = Measured(
        MappingProxyType({"coefficients": NamedArray(seen.flatten(1).double(), ("acquisition", "pattern"))}),
        MappingProxyType({"acquisition": tuple(names), "size": 32}),
        CAR,
    )
    values = 1e4 * HaarCamera(1.0, (1, 64, 64)).V_adjoint(scene())[0, 0].double()
    values += 100 * torch.randn(64, 64, generator=generator)
    target = Measured(
        MappingProxyType({"coefficients": NamedArray(values, ("row", "column"))}),
        MappingProxyType({"coarsest": 8, "detail_sign": 1}),
        JASZCZAK,
    )
    return {"car": car, "jaszczak": target}


def ran(measured):
    """Run the experiment on some records, on two squares, for one or two iterations; return what is saved of it."""
    about, rows = single_pixel.run((1, 2), 0, measured, count=2)
    called = {"title": single_pixel.EXPERIMENT.title, "data": single_pixel.EXPERIMENT.data}
    return called | dict(about) | {"rows": [asdict(row) for row in rows]}


def test_the_whole_experiment_runs_on_small_files_and_says_what_is_left_out(monkeypatch, tmp_path):
    pytest.importorskip("skimage")
    monkeypatch.setattr(single_pixel, "load_measured", sets().__getitem__)
    monkeypatch.setattr(single_pixel.photographs.PRESET.__class__, "path", lambda self, kind: tmp_path / kind)
    found = ran(single_pixel.records((0.25,)))
    assert len(found["rows"]) == 3 * 5
    assert found["denoiser"] == "faces"
    assert found["left_out"] == ["P: it has not been trained (distilled is missing)"]
    assert "left out: P" in table_of(found)
    assert set(found["unknown"]) == {"car", "jaszczak"}
    assert all(found["unknown"].values())
    for name, noise in found["noise"].items():
        assert noise == pytest.approx(0.02 if name.startswith("car") else 0.01, rel=0.5)
    assert all(0 < share < 0.5 for share in found["darkest"].values())
    assert all(name.startswith("car") for name in found["between_series"])
    assert len(found["between_series"]) == 2


def test_p_has_a_row_where_its_weights_are_and_warns_of_no_basis(monkeypatch, tmp_path):
    pytest.importorskip("skimage")
    preset = single_pixel.photographs.PRESET
    parts = Split(*torch.rand(3, 4, *SHAPE, generator=torch.Generator().manual_seed(2)))
    task = preset.load(images=parts, denoiser=mean)
    quick = {
        "steps": 1,
        "tuned_steps": 0,
        "pool_size": 8,
        "operators": 2,
        "batch_size": 2,
        "tuned_batch": None,
    }
    recipe = replace(preset.recipes["distilled"], parameters="small", noise_range=None, **quick)
    save_preconditioner(tmp_path / "distilled", distill(task, recipe, progress=False), task)
    monkeypatch.setattr(preset.__class__, "path", lambda self, kind: tmp_path / kind)
    monkeypatch.setattr(single_pixel, "load_measured", sets().__getitem__)
    target = single_pixel.records((0.1,))[-1]
    with warnings.catch_warnings():
        warnings.simplefilter("error", OperatorMismatch)
        found = ran([target])
    assert [row["method"].startswith("P,") for row in found["rows"]] == [False] * 5 + [True]
    assert found["rows"][-1]["gain"] is not None
    assert found["left_out"] == []
    assert len(found["off"]) == (found["rows"][-1]["simulated"] < found["rows"][0]["simulated"])


def test_what_ships_has_every_record_and_method_and_an_unknown_name_is_refused():
    found = load_result("single_pixel")
    assert {key: found[key] for key in ("experiment", "denoiser", "left_out")} == {
        "experiment": "single_pixel",
        "denoiser": "photographs",
        "left_out": [],
    }
    conditions = dict.fromkeys(row["condition"] for row in found["rows"])
    assert len(conditions) == 6
    for condition in conditions:
        rows = [row for row in found["rows"] if row["condition"] == condition]
        assert rows[0]["gain"] is None
        assert {row["method"].split(",")[0] for row in rows} == {
            method.name for method in methods(mean, Scalar(1.0))
        }
    with pytest.raises(ValueError, match="name='heads'"):
        load_result("heads")


def test_a_record_is_found_again_as_it_ships():
    pytest.importorskip("skimage")
    skip_without_data()
    name = "car 257, 25%"
    record = next(each for each in single_pixel.records((0.25,)) if each.name == name)
    denoiser, _ = single_pixel.own_denoiser()
    tried = [m for m in methods(denoiser, single_pixel.own_preconditioner()) if m.name in ("PnP", "P")]
    rows, _ = compare(record, tried, single_pixel.squares(32), single_pixel.EXPERIMENT.iterations)
    shipped = {row["method"]: row for row in load_result("single_pixel")["rows"] if row["condition"] == name}
    for row in rows:
        for field in ("simulated", "psnr"):
            assert getattr(row, field) == pytest.approx(shipped[row.method][field], abs=0.02)
        assert row.iteration == shipped[row.method]["iteration"]
        assert list(row.setting) == shipped[row.method]["setting"]


def skip_without_data():
    """Skip a test where the measured sets are not."""
    folder = os.environ.get(VARIABLE, "")
    if not folder or any(state(file, Path(folder)) != "present" for file in (*CAR.files, *JASZCZAK.files)):
        pytest.skip(f"the measured sets are not in {VARIABLE}")


def test_missing_data_are_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    with pytest.raises(FileNotFoundError, match=r"car_hadamard_32\.npz"):
        run_measured("single_pixel")


def test_the_measured_noise_is_as_the_card_of_the_experiment_says():
    skip_without_data()
    found = single_pixel.records((0.25,))
    levels = [float(r.sigma.square().mean().sqrt() / r.reference.amax(dim=(1, 2, 3)).mean()) for r in found]
    assert levels == pytest.approx([0.0096, 0.024, 0.020], rel=0.15)
    low, high = single_pixel.photographs.NOISES
    assert all(low < level < high for level in levels)
    assert [int(record.camera.mask.sum()) for record in found] == [256, 256, 1024]
