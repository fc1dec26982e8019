"""Benchmarks: what is measured, how it is written and read, and that what ships was measured with what ships."""

import json

import pytest
import torch
from ddgp_lib.benchmark import (
    BENCHMARKS_FOLDER,
    FORMAT,
    conditions,
    dependencies,
    generalisation,
    load_benchmark,
    long_runs,
    mean_and_error,
    save_benchmark,
    side_by_side,
)
from ddgp_lib.shipped import SOLVER_KINDS, Method

from ddgp_lib import PreconditionedFISTA, benchmark, evaluate, load_solver, load_task, load_tuning, shipped
from ddgp_lib.__main__ import main
from ddgp_lib.operators import FourierDownsampling, HadamardCamera

SHIPPED = sorted(path.stem for path in BENCHMARKS_FOLDER.glob("*.json"))
RESULT = {"format": FORMAT, "task": "single_pixel"}


@pytest.fixture
def short(monkeypatch):
    monkeypatch.setattr(benchmark, "ITERATIONS", (1, 2, 20))
    monkeypatch.setattr(benchmark, "LONG_ITERATIONS", (2, 3))


@pytest.fixture
def two_conditions(monkeypatch):
    """Home, and a camera that the preconditioner does not know."""

    def chosen(task, images):
        other = HadamardCamera(0.1, task.img_size, "zig_zag", 0.01, 0)
        return {"as trained": (task.student, images), "zig-zag": (other, images)}

    monkeypatch.setattr(benchmark, "conditions", chosen)


def test_mean_and_standard_error():
    assert mean_and_error(torch.tensor([1.0, 2.0, 3.0, 6.0])) == [3.0, pytest.approx(1.0801, abs=1e-4)]
    assert mean_and_error(torch.tensor([1.0, float("nan")])) == [None, None]


@pytest.mark.usefixtures("short")
def test_side_by_side_is_what_evaluate_measures(task):
    images = task.test_images[:3]
    result = side_by_side(task, images, seed=4)
    traces = {
        kind: evaluate(task, load_solver("single_pixel", kind), images=images, max_iter=20, seed=4)
        for kind in ("none", "distilled")
    }
    found = result["methods"]["distilled"]
    assert result["n_images"] == 3
    assert tuple(result["methods"]) == SOLVER_KINDS["single_pixel"]
    for name in benchmark.MEASURES:
        expected = getattr(traces["distilled"], name)[1].mean().item()
        assert found[name]["2"][0] == pytest.approx(expected, rel=1e-4)
    gain = traces["distilled"].psnr[19] - traces["none"].psnr[19]
    assert found["gain_20"] == pytest.approx(mean_and_error(gain), rel=1e-3)
    assert found["better_20"] == pytest.approx((gain > 0).float().mean().item(), rel=1e-4)
    curves = {kind: trace.psnr.mean(dim=1) for kind, trace in traces.items()}
    first = found["iterations_to_baselines_best"]
    best = curves["none"].max()
    assert (curves["distilled"][: first - 1] < best).all()
    assert curves["distilled"][first - 1] >= best
    assert result["methods"]["none"]["iterations_to_baselines_best"] == int(curves["none"].argmax()) + 1


def test_every_method_is_timed(task, monkeypatch):
    monkeypatch.setattr(benchmark, "ROUNDS", 2)
    result = benchmark.timing(task, task.test_images[:3])
    assert result["n_images"] == 3
    assert set(result["milliseconds"]) == {*SOLVER_KINDS["single_pixel"], "end_to_end", "unrolled"}
    assert min(result["milliseconds"].values()) > 0
    assert result["milliseconds"]["distilled"] > result["milliseconds"]["none"]


@pytest.mark.parametrize("name", SOLVER_KINDS)
def test_every_task_has_what_is_run_for_long(name):
    assert SOLVER_KINDS[name][0] == "none"
    assert set(benchmark.SAFEGUARDED) <= set(SOLVER_KINDS[name])


@pytest.mark.usefixtures("short")
def test_the_gain_over_newton_is_measured_where_there_is_one(task, monkeypatch):
    monkeypatch.setitem(SOLVER_KINDS, "single_pixel", ("none", "newton", "distilled"))
    tuning = load_tuning("single_pixel")
    monkeypatch.setattr(shipped, "load_tuning", lambda name: tuning | {"newton": tuning["none"]})
    images = task.test_images[:2]
    methods = side_by_side(task, images)["methods"]
    assert "gain_20_over_newton" not in methods["none"]
    assert methods["newton"]["gain_20_over_newton"] == [0, 0]
    difference = methods["distilled"]["psnr"]["20"][0] - methods["newton"]["psnr"]["20"][0]
    assert methods["distilled"]["gain_20_over_newton"][0] == pytest.approx(difference, abs=1e-3)
    assert tuple(long_runs(task, images)["methods"])[:3] == ("none", "newton", "distilled")


@pytest.mark.usefixtures("short")
def test_long_runs_count_rejected_images_and_keep_json_finite(task, monkeypatch):
    class Wild(torch.nn.Module):
        def forward(self, grad, state):
            return grad - 50 * state.z if state.k < 2 else grad * float("nan")

    def with_wild(method, **options):
        plain = {"stepsize": 1.0, "sigma": 0.1, **options}
        return PreconditionedFISTA(task.denoiser, Wild() if method.preconditioner else None, **plain)

    monkeypatch.setattr(Method, "tuned_solver", with_wild)
    methods = long_runs(task, task.test_images[:3])["methods"]
    wild, guarded = methods["distilled"], methods["distilled + safeguard"]
    assert (wild["finite"], wild["lowest"], wild["psnr"]["3"], wild["rejected"]) == (False, None, None, None)
    assert (guarded["finite"], guarded["rejected"]) == (True, 3)
    assert guarded["psnr"] == methods["none"]["psnr"]
    json.dumps(methods, allow_nan=False)


@pytest.mark.usefixtures("two_conditions")
def test_generalisation_pairs_the_gains(task):
    result = generalisation(task, task.test_images[:3], iterations=2)
    home, other = result["rows"]
    assert (home["condition"], other["condition"], home["n_images"]) == ("as trained", "zig-zag", 3)
    for row in (home, other):
        difference = row["psnr"]["distilled"][0] - row["psnr"]["none"][0]
        assert row["gain"]["distilled"][0] == pytest.approx(difference, abs=1e-3)
        assert 0 <= row["rejected"] <= 3
    assert home["psnr"]["none"] != other["psnr"]["none"]


def test_the_step_suits_the_operator_at_hand(task):
    camera = FourierDownsampling(2, (1, 32, 32), std=0.5)
    found = benchmark._solver_for(camera, Method(task, "none"), safeguard=False)
    assert found.init_params_algo["stepsize"][0] == pytest.approx(1 / camera.squared_norm)


def test_conditions_begin_at_home_and_leave_it(task):
    found = conditions(task, task.test_images[:2])
    assert next(iter(found)) == "as trained"
    assert found["as trained"][0] is task.student
    assert found["ratio 0.2"][0].mask.sum() > task.student.mask.sum()
    assert {images.shape for _, images in found.values()} == {(2, 1, 32, 32)}


def test_super_resolution_is_tried_on_digits_and_on_both_portraits():
    pytest.importorskip("skimage")
    task = load_task("super_resolution")
    found = conditions(task, task.test_images[:18])
    assert {tuple(images.shape[1:]) for _, images in found.values()} == {(1, 64, 64)}
    assert len(found["two portraits"][1]) == 18
    assert all(images.min() >= 0 and images.max() <= 1 for _, images in found.values())


@pytest.mark.usefixtures("short", "two_conditions")
def test_the_command_writes_what_load_benchmark_reads(task, capsys, tmp_path):
    folder = tmp_path / "new"
    options = ["--images", "2", "--long", "1", "--output", str(folder), "--json"]
    assert main(["benchmark", "single_pixel", *options]) == 0
    result = load_benchmark("single_pixel", folder)
    assert json.loads(capsys.readouterr().out.splitlines()[-1])["path"] == str(folder / "single_pixel.json")
    assert (result["side_by_side"]["n_images"], result["long_runs"]["n_images"]) == (2, 1)
    assert tuple(result)[2:] == tuple(benchmark.PARTS)
    assert result["generalisation"]["iterations"] == 20


@pytest.mark.usefixtures("short", "two_conditions")
def test_a_benchmark_goes_on_where_it_stopped(task, tmp_path, monkeypatch):
    measured = []

    def part(name):
        return lambda task, images, seed: measured.append(name) or {"value": len(images)}

    monkeypatch.setattr(benchmark, "PARTS", {name: part(name) for name in benchmark.PARTS})
    images = task.test_images[:3]
    first = benchmark.benchmark(task, images, images[:1], folder=tmp_path)
    assert measured == list(benchmark.PARTS)
    assert (first["side_by_side"]["value"], first["long_runs"]["value"]) == (3, 1)
    assert benchmark.benchmark(task, images, images[:1], folder=tmp_path) == first
    benchmark.benchmark(task, images, images[:2], folder=tmp_path)
    assert measured == [*benchmark.PARTS, "long_runs"]
    tuning = load_tuning("single_pixel")
    monkeypatch.setattr(benchmark, "load_tuning", lambda name: tuning | {"teacher": tuning["none"]})
    benchmark.benchmark(task, images, images[:2], folder=tmp_path)
    assert measured == [*benchmark.PARTS, "long_runs", "side_by_side", "timing"]


def test_parts_depend_on_the_weights_that_they_run():
    assert "mri-unrolled.safetensors" in dependencies("mri", "alternatives")["weights"]
    long = dependencies("mri", "long_runs")
    assert set(long["weights"]) == {
        f"mri-{name}.safetensors" for name in ("denoiser", "distilled", "distilled_gradient_only")
    }
    assert set(long["settings"]) == {"none", "distilled", "distilled_gradient_only"}


def test_one_image_has_no_standard_error(task):
    with pytest.raises(ValueError, match=r"len\(images\)=1"):
        benchmark.benchmark(task, task.test_images[:1], task.test_images[:1])


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        (None, FileNotFoundError, "ddgp_lib benchmark single_pixel"),
        ("{", ValueError, "not readable as JSON"),
        ("[]", ValueError, "format is None"),
        (json.dumps(RESULT | {"format": "ddgp-benchmark-0"}), ValueError, "format is 'ddgp-benchmark-0'"),
        (json.dumps(RESULT | {"task": "mri"}), ValueError, "task is 'mri', expected 'single_pixel'"),
    ],
)
def test_unusable_files_are_named(tmp_path, content, error, message):
    if content is not None:
        (tmp_path / "single_pixel.json").write_text(content)
    with pytest.raises(error, match=message):
        load_benchmark("single_pixel", tmp_path)


def test_unknown_tasks_are_named():
    with pytest.raises(ValueError, match="task_name='ct'"):
        load_benchmark("ct")


def test_saving_refuses_numbers_that_json_has_not(tmp_path):
    with pytest.raises(ValueError, match="JSON"):
        save_benchmark(RESULT | {"psnr": float("nan")}, tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_results_were_measured_with_the_shipped_weights(name):
    result = load_benchmark(name)
    for part in benchmark.PARTS:
        found = {key: result[part]["conditions"][key] for key in ("weights", "settings")}
        assert found == dependencies(name, part), f"run `python -m ddgp_lib benchmark {name}` again"
    assert tuple(result["side_by_side"]["methods"]) == SOLVER_KINDS[name]
    assert result["side_by_side"]["n_images"] >= 16
