"""Benchmarks: what is measured, how it is written and read, and that what ships was measured with what ships."""

import json
import math
import shutil
import sys
import threading
from dataclasses import asdict, replace

import pytest
import torch

from ddgp_lib import evaluate, load_solver, load_tuning
from ddgp_lib.__main__ import main
from ddgp_lib.checkpoints import load_checkpoint, save_checkpoint
from ddgp_lib.experiments import seeds
from ddgp_lib.experiments.alternatives import load_alternative, reconstruct, trained_networks
from ddgp_lib.experiments.benchmark import (
    BENCHMARKS_FOLDER,
    FORMAT,
    MEASURES,
    ON_REQUEST,
    PARTS,
    SAFEGUARDED,
    _solver_for,
    benchmark,
    conditions,
    dependencies,
    generalisation,
    load_benchmark,
    long_runs,
    save_benchmark,
    side_by_side,
    timing,
)
from ddgp_lib.experiments.provenance import provenance
from ddgp_lib.experiments.seeds import over_seeds
from ddgp_lib.experiments.statistics import mean_and_error
from ddgp_lib.fingerprint import differences, fingerprint
from ddgp_lib.kinds import Fista, Setting, VariationFista
from ddgp_lib.operators import FourierDownsampling, measure, squared_norm
from ddgp_lib.presets import PRESETS
from ddgp_lib.pretrained import Method, save_tuning

BENCHMARKED = tuple(name for name, preset in PRESETS.items() if preset.alternatives)
"""The cameras with rivals that were trained, which the results page compares."""

RESULT = {"format": FORMAT, "task": "single_pixel"}


@pytest.fixture(scope="module")
def camera(own):
    return own.load()


@pytest.fixture
def copy(own, tmp_path):
    """Copy the camera's files to where a test may change them."""
    shutil.copytree(own.weights, tmp_path / "weights")
    return replace(own, weights=tmp_path / "weights")


def test_side_by_side_is_what_evaluate_measures(own, camera):
    images = camera.test_images[:3]
    result = side_by_side(camera, images, seed=4, iterations=(1, 2, 20))
    traces = {
        kind: evaluate(camera, load_solver(camera, kind), images=images, max_iter=20, seed=4)
        for kind in ("none", "newton", "distilled")
    }
    found = result["methods"]["distilled"]
    assert result["n_images"] == 3
    assert tuple(result["methods"]) == own.kinds
    for name in MEASURES:
        assert set(found[name]) == {"1", "2", "20"}
        expected = getattr(traces["distilled"], name)[1].mean().item()
        assert found[name]["2"][0] == pytest.approx(expected, rel=1e-4)
    gains = {kind: traces["distilled"].psnr[19] - traces[kind].psnr[19] for kind in ("none", "newton")}
    for name, kind in {"gain_20": "none", "gain_20_over_newton": "newton"}.items():
        assert found[name] == pytest.approx(mean_and_error(gains[kind]), rel=1e-3, abs=1e-5)
    assert found["better_20"] == pytest.approx((gains["none"] > 0).float().mean().item(), rel=1e-4)
    assert "gain_20_over_newton" not in result["methods"]["none"]
    assert result["methods"]["newton"]["gain_20_over_newton"] == [0, 0]


def test_methods_that_are_named_are_run_and_timed_alone(task):
    kinds, images = ("admm", "none"), task.test_images[:2]
    found = side_by_side(task, images, iterations=(20,), kinds=kinds)["methods"]
    assert tuple(found) == kinds
    assert found["admm"]["gain_20"] == [0, 0]
    assert set(found["admm"]["setting"]) == {"sigma_first", "sigma_last", "tau"}
    assert set(timing(task, images, rounds=1, kinds=kinds)["milliseconds"]) == {
        *kinds,
        *trained_networks(task.preset),
    }


def test_the_first_iteration_that_reaches_the_baselines_best(camera):
    images = camera.test_images[:3]
    methods = side_by_side(camera, images, iterations=(20,))["methods"]
    curves = {}
    for kind, physics in {"none": camera.student, "teacher": camera.teacher}.items():
        solver = load_solver(camera, kind)
        trace = evaluate(camera, solver, images=images, physics=physics, max_iter=20)
        curve = curves[kind] = trace.psnr.mean(dim=1)
        best = curves["none"].max()
        first = methods[kind]["iterations_to_baselines_best"]
        assert (curve[: first - 1] < best).all()
        assert curve[first - 1] >= best
        assert methods[kind]["best_iteration"] == int(curve.argmax()) + 1


def upper_half(truth):
    """Keep the upper half of images."""
    mask = torch.zeros_like(truth, dtype=torch.bool)
    mask[..., :8, :] = True
    return mask


@pytest.fixture
def halved(own, camera):
    """Let the tiny camera have a region: the upper half."""
    return replace(camera, preset=replace(own, region=upper_half))


def test_side_by_side_judges_the_region_the_worst_image_and_the_bests(halved):
    images = halved.test_images[:3]
    found = side_by_side(halved, images, iterations=(1, 20))["methods"]
    traces = {
        kind: evaluate(halved, load_solver(halved, kind), images=images, max_iter=20)
        for kind in ("none", "distilled")
    }
    none, distilled = traces["none"], traces["distilled"]
    assert found["distilled"]["region_psnr"]["20"][0] == pytest.approx(
        distilled.region_psnr[19].mean().item(), rel=1e-5
    )
    gain = distilled.region_psnr[19] - none.region_psnr[19]
    assert found["distilled"]["region_gain_20"] == pytest.approx(mean_and_error(gain), rel=1e-3, abs=1e-5)
    assert found["distilled"]["worst_gain_20"] == pytest.approx(
        (distilled.psnr[19] - none.psnr[19]).min().item(), rel=1e-3, abs=1e-5
    )
    bests = {kind: trace.psnr[trace.psnr.mean(dim=1).argmax()] for kind, trace in traces.items()}
    gain = mean_and_error(bests["distilled"] - bests["none"])
    assert found["distilled"]["best_gain"] == pytest.approx(gain, rel=1e-3, abs=1e-5)
    for name, values in found["distilled"]["images_20"].items():
        assert values == pytest.approx(getattr(distilled, name)[19].tolist(), rel=1e-5)
    assert found["none"]["region_gain_20"] == found["none"]["best_gain"] == [0, 0]


def test_every_method_is_timed_for_an_iteration_and_for_the_whole(copy, camera):
    """One that stops before 20 iterations is timed until it stops."""
    preset = replace(copy, rivals={"short": Fista(stop_after=2)})
    save_tuning(preset, {"short": {"setting": asdict(Setting(0.05, "none", None)), "sweep": []}})
    task = replace(camera, preset=preset)
    result = timing(task, task.test_images[:3], rounds=2)
    assert result["n_images"] == 3
    assert set(result["milliseconds"]) == {*preset.methods, *preset.alternatives} == set(result["whole"])
    assert min(result["milliseconds"].values()) > 0
    assert result["milliseconds"]["distilled"] > result["milliseconds"]["none"]
    for name, milliseconds in result["milliseconds"].items():
        count = {"short": 2, **dict.fromkeys(preset.alternatives, 1)}.get(name, 20)
        assert result["whole"][name] == pytest.approx(count * milliseconds, rel=0.02)


@pytest.mark.parametrize("name", BENCHMARKED)
def test_every_task_has_what_is_run_for_long(name):
    assert PRESETS[name].kinds[0] == "none"
    assert set(SAFEGUARDED) <= set(PRESETS[name].kinds)


def test_long_runs_count_rejected_images_and_keep_json_finite(copy):
    tensors, description = load_checkpoint(copy.path("distilled"))
    wild = {name: 1e3 * tensor for name, tensor in tensors.items()}
    description["recipe"]["form"] = "free"
    save_checkpoint(copy.path("distilled"), wild, description)
    task = copy.load()
    methods = long_runs(task, task.test_images[:3], iterations=(2, 30))["methods"]
    assert tuple(methods) == ("none", "newton", "distilled", "distilled + safeguard")
    wild, guarded = methods["distilled"], methods["distilled + safeguard"]
    assert (wild["finite"], wild["lowest"], wild["psnr"]["30"], wild["rejected"]) == (False, None, None, None)
    assert (guarded["finite"], guarded["rejected"]) == (True, 3)
    assert guarded["psnr"] == methods["none"]["psnr"]
    json.dumps(methods, allow_nan=False)


def test_generalisation_pairs_the_gains(own, camera):
    images = camera.test_images[:3]
    result = generalisation(camera, images, iterations=2)
    assert [row["condition"] for row in result["rows"]] == ["as trained", "noise 0.05", "negatives"]
    for row in result["rows"]:
        assert row["n_images"] == 3
        difference = row["psnr"]["distilled"][0] - row["psnr"]["none"][0]
        assert row["gain"]["distilled"][0] == pytest.approx(difference, abs=1e-3)
        assert 0 <= row["rejected"] <= 3
        means = {kind: row["psnr"][kind][0] for kind in own.baselines}
        strongest = max(means, key=means.get)
        assert row["best_baseline"] == strongest
        assert strongest not in row["gain_over_best"]
        difference = row["psnr"]["distilled"][0] - means[strongest]
        assert row["gain_over_best"]["distilled"][0] == pytest.approx(difference, abs=1e-3)
        assert set(row["psnr"]) == {*own.baselines, "distilled", "distilled + safeguard", *own.alternatives}
    assert len({row["psnr"]["none"][0] for row in result["rows"]}) == 3
    [noisy] = [row for row in result["rows"] if row["condition"] == "noise 0.05"]
    physics = own.load(noise=0.05).student
    with torch.no_grad():
        x = reconstruct(camera, "npn", load_alternative(camera, "npn"), measure(physics, images, 0), physics)
    assert noisy["psnr"]["npn"] == pytest.approx(mean_and_error(camera.psnr(x, images)), rel=1e-5)


def test_every_baseline_that_learns_nothing_is_run_in_every_condition(copy, camera):
    """The best of them may be another one in another condition."""
    preset = replace(copy, rivals={"tv": VariationFista(sigmas=(0.05,), iterations=3)})
    save_tuning(preset, {"tv": {"setting": {"sigma": 0.05}, "sweep": []}})
    task = replace(camera, preset=preset)
    rows = generalisation(task, task.test_images[:2], iterations=2)["rows"]
    assert all("tv" in row["psnr"] for row in rows)
    depends = dependencies(preset, "generalisation")
    assert set(depends["settings"]) == {"none", "newton", "tv", "distilled"}
    assert preset.path("npn").name in depends["weights"]


def test_the_step_suits_the_operator_at_hand(camera):
    physics = FourierDownsampling(2, (1, 16, 16), std=0.5)
    found = _solver_for(physics, Method(camera, "none"), safeguard=False)
    assert found.init_params_algo["stepsize"][0] == pytest.approx(1 / squared_norm(physics, (1, 16, 16)))


def test_conditions_begin_at_home_and_leave_it(task):
    found = conditions(task, task.test_images[:2])
    assert next(iter(found)) == "as trained"
    assert found["as trained"][0] is task.student
    assert found["ratio 0.2"][0].mask.sum() > task.student.mask.sum()
    assert {images.shape for _, images in found.values()} == {(2, 1, 32, 32)}


def test_the_command_writes_what_load_benchmark_reads(own, capsys, tmp_path):
    folder = tmp_path / "new"
    options = ["--images", "2", "--long", "1", "--output", str(folder), "--json"]
    camera = ["--task", "tests/own_camera.py:PRESET", "--weights", str(own.weights)]
    parts = ["--parts", "timing", "seeds", "generalisation"]
    assert main(["benchmark", *camera, *options, *parts]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["path"] == str(folder / "own_camera.json")
    result = load_benchmark("own_camera", folder)
    assert tuple(result)[2:] == tuple(printed["seconds"]) == ("seeds", "timing", "generalisation")
    assert result["seeds"]["n_images"] == 2
    assert {*own.kinds, *own.alternatives} == set(result["seeds"]["methods"])
    assert result["generalisation"]["iterations"] == 20
    assert all(provenance().items() <= result[name].items() for name in printed["seconds"])


def test_a_benchmark_goes_on_where_it_stopped(copy, tmp_path):
    measured = []

    def part(name):
        return lambda task, images, seed: measured.append(name) or {"value": len(images)}

    options = {"folder": tmp_path, "parts": {name: part(name) for name in PARTS}}
    task = copy.load()
    images = task.test_images[:3]
    first = benchmark(task, images, images[:1], **options)
    assert measured == list(PARTS)
    assert (first["side_by_side"]["value"], first["long_runs"]["value"]) == (3, 1)
    assert benchmark(task, images, images[:1], **options) == first
    benchmark(task, images, images[:2], **options)
    assert measured == [*PARTS, "long_runs"]
    tuning = load_tuning(copy)
    changed = {"setting": tuning["teacher"]["setting"] | {"sigma": 0.1}, "sweep": []}
    save_tuning(copy, tuning | {"teacher": changed})
    benchmark(task, images, images[:2], **options)
    assert measured == [*PARTS, "long_runs", "side_by_side", "seeds", "timing"]


def test_a_seed_that_is_added_costs_its_own_runs_alone(copy, tmp_path, monkeypatch):
    task, judged, judge = copy.load(), [], seeds._judged
    images = task.test_images[:3]

    def judging(task, name, number, *arguments):
        judged.append((name, number))
        return judge(task, name, number, *arguments)

    monkeypatch.setattr(seeds, "_judged", judging)

    def measured(chosen=images, seed=0):
        judged.clear()
        benchmark(task, chosen, images, seed, tmp_path / "results", {"seeds": over_seeds})
        return judged

    assert {("none", 0), ("distilled", 0)} < set(measured())
    assert measured() == []
    shutil.copy(copy.path("distilled"), copy.path("distilled", 1))
    assert measured() == [("distilled", 1)]
    tuning = load_tuning(copy)
    changed = {"setting": tuning["none"]["setting"] | {"sigma": 0.1}, "sweep": []}
    save_tuning(copy, tuning | {"none": changed})
    assert measured() == [("none", 0)]
    tensors, description = load_checkpoint(copy.path("distilled"))
    first = next(iter(tensors))
    save_checkpoint(copy.path("distilled", 1), tensors | {first: 1.01 * tensors[first]}, description)
    assert measured() == [("distilled", 1)]
    assert ("none", 0) in measured(seed=1)
    assert ("none", 0) in measured(images[:2], 1)


def test_parts_that_are_measured_at_once_are_all_kept_and_of_one_twice_the_first(copy, tmp_path):
    task, both = copy.load(), threading.Barrier(2)
    images = task.test_images[:2]

    def part(task, images, seed):
        both.wait(timeout=60)
        return {"by": threading.current_thread().name}

    def measured(*names):
        threads = [
            threading.Thread(target=benchmark, args=(task, images, images, 0, tmp_path, {name: part}))
            for name in names
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return load_benchmark(task.name, tmp_path)

    assert {"timing", "long_runs"} < measured("timing", "long_runs").keys()
    assert {"timing", "seeds"} < measured("seeds", "seeds").keys()
    assert measured("timing", "seeds", "long_runs")  # nothing is left, so nobody waits


def test_a_method_that_diverges_has_no_best_iteration(camera, monkeypatch):
    def wild(task, solver, **options):
        trace = evaluate(task, solver, **options)
        if options["physics"] is camera.teacher:
            trace.psnr[:] = math.nan
        trace.psnr[0] = math.nan
        return trace

    monkeypatch.setattr(sys.modules[side_by_side.__module__], "evaluate", wild)
    methods = side_by_side(camera, camera.test_images[:2], iterations=(1, 20))["methods"]
    json.dumps(methods, allow_nan=False)
    assert methods["none"]["psnr"]["1"] == [None, None]
    assert methods["none"]["best_psnr"] >= methods["none"]["psnr"]["20"][0]
    assert methods["none"]["best_iteration"] > 1
    assert methods["teacher"]["best_iteration"] is None
    assert methods["teacher"]["iterations_to_baselines_best"] is None


def test_names_that_are_paths_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r"task_name='\.\./single_pixel'"):
        load_benchmark("../single_pixel", tmp_path)
    with pytest.raises(ValueError, match=r"result\['task'\]='../x'"):
        save_benchmark(RESULT | {"task": "../x"}, tmp_path)


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_part(camera, tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ValueError, match=r"folder='.*file': expected a folder that can be written to"):
        benchmark(camera, camera.test_images[:2], camera.test_images[:1], folder=tmp_path / "file")


def test_a_part_is_measured_again_for_another_camera_of_the_same_name(own, tmp_path):
    calls = []
    task, images = own.load(), own.load().test_images[:2]
    parts = {"timing": lambda task, images, seed: calls.append(task) or {"found": len(calls)}}
    for each in (task, task, own.load(blur=2.5)):
        result = benchmark(each, images, images, parts=parts, folder=tmp_path)
    assert len(calls) == 2
    assert result["timing"]["found"] == 2
    assert differences(result["timing"]["fingerprint"], fingerprint(own.load(blur=2.5))) == []


def test_growth_is_measured_where_it_is_asked_for_alone(own, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setitem(ON_REQUEST, "growth", lambda task, images, seed: asked.append(seed) or {"rows": []})
    camera = ["--task", "tests/own_camera.py:PRESET", "--weights", str(own.weights), "--seed", "3"]
    options = ["--images", "2", "--long", "1", "--output", str(tmp_path)]
    assert main(["benchmark", *camera, *options, "--parts", "timing"]) == 0
    assert asked == []
    assert main(["benchmark", *camera, *options, "--parts", "growth"]) == 0
    assert asked == [3]
    result = load_benchmark("own_camera", tmp_path)
    assert (result["growth"]["rows"], result["growth"]["conditions"]["seed"]) == ([], 3)
    assert "growth" not in PARTS


def test_parts_depend_on_the_weights_that_they_run(own):
    names = {own.path(name).name for name in own.alternatives}
    assert names <= set(dependencies(own, "timing")["weights"])
    assert not names & set(dependencies(own, "side_by_side")["weights"])
    long = dependencies(PRESETS["mri"], "long_runs")
    assert set(long["weights"]) == {
        f"mri-{name}.safetensors" for name in ("denoiser", "distilled", "distilled_gradient_only")
    }
    assert set(long["settings"]) == {"none", "distilled", "distilled_gradient_only"}


def test_one_image_has_no_standard_error(task):
    with pytest.raises(ValueError, match=r"len\(images\)=1"):
        benchmark(task, task.test_images[:1], task.test_images[:1])
    with pytest.raises(ValueError, match=r"long_images\.shape="):
        benchmark(task, task.test_images[:2], task.test_images[:0])
    with pytest.raises(ValueError, match="seed=-1: expected an integer from 0"):
        benchmark(task, task.test_images[:2], task.test_images[:1], seed=-1)


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
    for result in ([1], {"format": FORMAT}):
        with pytest.raises(ValueError, match=r"^result"):
            save_benchmark(result, tmp_path)
    for call in (lambda: load_benchmark("single_pixel", 3), lambda: save_benchmark(RESULT, None)):
        with pytest.raises(ValueError, match=r"^folder=.*: expected the path of a folder"):
            call()


@pytest.mark.parametrize("name", BENCHMARKED)
def test_shipped_results_were_measured_with_the_shipped_weights(name):
    result = load_benchmark(name)
    for part in PARTS:
        found = {key: result[part]["conditions"][key] for key in ("weights", "settings")}
        wanted = dependencies(PRESETS[name], part)
        # Trainings are compared too whose weights do not ship.
        found = {key: {name: found[key].get(name) for name in wanted[key]} for key in wanted}
        assert found == wanted, f"run `python -m ddgp_lib benchmark {name} --shipped` again"
    assert tuple(result["side_by_side"]["methods"]) == PRESETS[name].kinds
    assert result["side_by_side"]["n_images"] >= 16


def test_no_result_is_left_over():
    assert {path.stem for path in BENCHMARKS_FOLDER.glob("[!.]*")} == {*BENCHMARKED, "longer"}
    assert [path.name for path in (BENCHMARKS_FOLDER / "longer").glob("[!.]*")] == ["mri.json"]
