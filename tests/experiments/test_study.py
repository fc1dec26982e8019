"""Studies: which rows run, what they record, how they resume, and what is printed of them."""

import json
import math
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import ClassVar

import pytest
import torch

from ddgp_lib import load_solver
from ddgp_lib.__main__ import main
from ddgp_lib.data import Split
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments import study
from ddgp_lib.experiments.linear_study import BUDGETS
from ddgp_lib.experiments.statistics import mean_and_error
from ddgp_lib.experiments.study import (
    FORMAT,
    ITERATIONS,
    SEEDS,
    SIGMAS,
    STUDIES,
    STUDIES_FOLDER,
    best_sigma,
    compare,
    load_study,
    run_study,
    studies,
)
from ddgp_lib.fingerprint import differences, fingerprint
from ddgp_lib.networks import NETWORKS
from ddgp_lib.preconditioners import Identity
from ddgp_lib.presets import PRESETS
from ddgp_lib.recipes import DistillationRecipe
from ddgp_lib.solvers import PreconditionedFISTA
from ddgp_lib.tasks import Preset, Variant

QUICK = {"seeds": (0,), "progress": False}


def test_a_row_records_what_it_did(own, tmp_path):
    result = run_study("forms", tmp_path, presets=(own,), **QUICK)
    assert [run["row"] for run in result["runs"]] == ["null space", "free"]
    run = result["runs"][1]
    assert run["configuration"]["recipe"]["form"] == "free"
    assert run["configuration"]["options"] == {"blur": 2.0}
    assert run["parameters"] > 10_000
    assert run["training_seconds"] > 0
    assert run["sigma"] in SIGMAS
    assert set(run["psnr"]) == set(map(str, ITERATIONS))
    assert load_study("forms", tmp_path) == result


def test_gains_are_paired_with_the_tuned_baseline(own):
    run = studies((own,))["forms"]["null space"].run(0, progress=False)
    task = own.load()
    images = task.test_images[:3]
    none = psnr_curves(task, load_solver(task, "none"), images, task.student, 20)[-1]
    assert run["psnr"]["20"][0] - run["gain_20"][0] == pytest.approx(none.mean().item(), abs=1e-3)


def test_a_row_says_too_what_is_gained_on_images_that_it_was_trained_on(own, monkeypatch):
    row = studies((own,))["forms"]["null space"]
    monkeypatch.setattr(study, "distill", lambda *a, **b: SimpleNamespace(preconditioner=Identity()))
    run, task = row.run(0, progress=False), own.load()
    images = task.train_images[: own.counts.study[1]]
    plain = PreconditionedFISTA(
        task.denoiser, Identity(), stepsize=task.stepsize, sigma=run["sigma"], momentum="none"
    )
    curves = [
        psnr_curves(task, solver, images, task.student, 20)[-1]
        for solver in (plain, load_solver(task, "none"))
    ]
    assert run["gain_20_trained"] == pytest.approx(mean_and_error(curves[0] - curves[1]), rel=1e-3, abs=1e-3)


def test_a_study_goes_on_where_it_stopped(own, tmp_path):
    first = run_study("forms", tmp_path, only="null", presets=(own,), **QUICK)
    both = run_study("forms", tmp_path, presets=(own,), **QUICK)
    # Seconds were measured: what has not been run again is the same to the last digit.
    assert both["runs"][0] == first["runs"][0]
    assert [run["row"] for run in both["runs"]] == ["null space", "free"]
    shorter = replace(own, short={**own.short, "steps": 1})
    again = run_study("forms", tmp_path, only="null", presets=(shorter,), **QUICK)
    assert [run["row"] for run in again["runs"]] == ["free", "null space"]
    assert again["runs"][1]["configuration"]["recipe"]["steps"] == 1


class StandIn:
    """A row that takes no time, and waits for another to be run at the same time."""

    made_for: ClassVar = {"sigma": 0.05}

    def __init__(self, together=1):
        self.together = threading.Barrier(together)

    def configuration(self, seed):
        return {"seed": seed}

    def weights(self):
        return {"denoiser": "a1"}

    def run(self, seed, *, progress):
        self.together.wait(timeout=60)
        ran = {"configuration": self.configuration(seed), "made_for": self.made_for}
        return ran | {"by": threading.current_thread().name}


def together(monkeypatch, tmp_path, rows, *options):
    """Run a study of stand-ins in threads, each with options of its own; return its runs."""
    monkeypatch.setattr(study, "studies", lambda presets: {"forms": rows})
    threads = [
        threading.Thread(target=run_study, args=("forms", tmp_path), kwargs=QUICK | option)
        for option in options
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return load_study("forms", tmp_path)["runs"]


def test_two_that_run_at_once_lose_no_row(monkeypatch, tmp_path):
    a, b = StandIn(2), StandIn()
    b.together = a.together
    runs = together(monkeypatch, tmp_path, {"a": a, "b": b}, {"only": "a"}, {"only": "b"})
    assert sorted(run["row"] for run in runs) == ["a", "b"]


def test_of_two_runs_of_one_row_the_first_stays(monkeypatch, tmp_path):
    runs = together(monkeypatch, tmp_path, {"a": StandIn(2)}, {}, {})
    assert len(runs) == 1
    written = (tmp_path / "forms.json").read_bytes()
    assert together(monkeypatch, tmp_path, {"a": StandIn(2)}, {}) == runs  # it would wait for another
    assert (tmp_path / "forms.json").read_bytes() == written


def test_a_row_is_run_again_where_its_weights_have_changed(monkeypatch, tmp_path):
    row = StandIn()
    (first,) = together(monkeypatch, tmp_path, {"a": row}, {"seeds": (3, 3)})
    assert first["weights"] == row.weights()
    row.weights = lambda: {"denoiser": "b2"}
    (second,) = together(monkeypatch, tmp_path, {"a": row}, {"seeds": (3,)})
    assert second["weights"] == {"denoiser": "b2"}


def test_a_row_is_run_again_for_another_camera_of_the_same_name(monkeypatch, tmp_path):
    row = StandIn()
    (first,) = together(monkeypatch, tmp_path, {"a": row}, {"seeds": (3, 3)})
    assert first["made_for"] == {"sigma": 0.05}
    row.made_for = {"sigma": 0.1}
    (second,) = together(monkeypatch, tmp_path, {"a": row}, {"seeds": (3,)})
    assert second["made_for"] == {"sigma": 0.1}


def test_a_row_knows_its_task_by_more_than_its_name(own):
    first, second = studies((own,))["forms"].values()
    assert differences(first.made_for, second.made_for) == ["student"]  # another blur
    assert differences(first.made_for, fingerprint(own.load())) == []


def test_the_task_of_a_row_is_made_once_in_a_run_and_not_again_to_name_it(own, tmp_path):
    made = []

    def make(**options):
        made.append(options.get("blur"))
        return own.make(**options)

    quickest = replace(own, make=make, short={**own.short, "steps": 1})
    (run,) = run_study("forms", tmp_path, only="free", presets=(quickest,), **QUICK)["runs"]
    assert made.count(2.0) == 1
    assert differences(run["made_for"], fingerprint(own.load(blur=2.0))) == []


def test_a_folder_that_cannot_be_written_to_is_refused_before_any_row(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setattr(study, "studies", lambda presets: {"forms": {"a": StandIn(2)}})
    with pytest.raises(ValueError, match=r"folder='.*file': expected a folder that can be written to"):
        run_study("forms", tmp_path / "file", **QUICK)
    with pytest.raises(ValueError, match=r"name='\.\./forms'"):
        load_study("../forms", tmp_path)


def test_all_rows_are_run_with_a_seed_before_any_is_with_the_next(own, tmp_path):
    quickest = replace(own, short={**own.short, "steps": 1})
    runs = run_study("forms", tmp_path, seeds=(0, 1), presets=(quickest,), progress=False)["runs"]
    found = [(run["row"], run["configuration"]["recipe"]["seed"]) for run in runs]
    assert found == [("null space", 0), ("free", 0), ("null space", 1), ("free", 1)]


def test_sigma_is_the_best_on_the_images(own):
    task = own.load()
    images = task.val_images[:2]
    scores = {}
    for sigma in SIGMAS:
        solver = PreconditionedFISTA(task.denoiser, stepsize=task.stepsize, sigma=sigma, momentum="none")
        scores[sigma] = psnr_curves(task, solver, images, task.student, 20)[-1].mean()
    assert best_sigma(task, Identity(), images) == max(scores, key=lambda sigma: scores[sigma])


def test_a_sigma_that_diverges_is_not_chosen(own, monkeypatch):
    task = own.load()
    wild = {SIGMAS[0]: math.nan, SIGMAS[1]: math.inf}

    def curves(task, solver, images, physics, last):
        sigma = solver.init_params_algo["g_param"][0]
        return torch.full((20, 2), wild.get(float(sigma), 20.0 - float(sigma)))

    monkeypatch.setattr(study, "psnr_curves", curves)
    assert best_sigma(task, Identity(), task.val_images[:2]) == SIGMAS[2]
    wild |= dict.fromkeys(SIGMAS, math.nan)
    with pytest.raises(ValueError, match="sigma of own_camera: expected a finite score"):
        best_sigma(task, Identity(), task.val_images[:2])


def test_the_comparison_averages_over_seeds(tmp_path):
    def run(row, seed, gain):
        psnr = {str(k): [20.0 + gain, 0.1] for k in ITERATIONS}
        numbers = {"parameters": 5, "milliseconds": 1.0, "training_seconds": 2.0}
        return {"row": row, "seed": seed, "psnr": psnr, "gain_20": [gain, 0.1]} | numbers

    preset = Preset(name="mine", studies={"own": {"null": Variant(), "free": Variant({"form": "free"})}})
    runs = [run("null", 0, 1.0), run("null", 1, 3.0), run("free", 0, 2.0), run("another camera's", 0, 0.0)]
    content = {"format": FORMAT, "study": "own", "runs": runs}
    (tmp_path / "own.json").write_text(json.dumps(content))
    (null, free) = compare(preset, tmp_path)["own"]
    assert (null["row"], null["seeds"], null["gain_20"]) == ("null", 2, 2.0)
    assert null["gain_20_error"] == pytest.approx(1.0)
    assert null["psnr"]["20"] == pytest.approx(22.0)
    assert (free["seeds"], free["gain_20_error"]) == (1, None)
    assert compare("mri", tmp_path) == {}
    assert load_study("own", tmp_path)["runs"] == runs


def test_the_command_prints_a_table_of_what_ships(tmp_path, capsys):
    assert main(["compare", "mri", "--output", str(tmp_path)]) == 0
    assert "mri: no study has been saved" in capsys.readouterr().out
    assert main(["compare", "single_pixel"]) == 0
    printed = capsys.readouterr().out
    assert "null_space, state_aware" in printed
    assert main(["compare", "single_pixel", "--json"]) == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])["studies"]
    assert [line["row"] for line in found["forms"]] == list(PRESETS["single_pixel"].studies["forms"])


def test_every_row_of_every_study_can_be_configured():
    for name, rows in STUDIES.items():
        for row in rows.values() if name != "linear" else ():
            recipe = DistillationRecipe(**row.configuration(1)["recipe"])
            assert recipe.seed == 1
        assert len({json.dumps(row.configuration(0)) for row in rows.values()}) == len(rows), name
    networks = {row.variant.recipe["network"] for row in STUDIES["networks"].values()}
    assert networks == set(NETWORKS)


def test_every_teacher_of_the_study_can_be_built(loaded):
    for row in STUDIES["teachers"].values():
        image = loaded(row.task).test_images[:1]
        task = row.preset.load(images=Split(image, image, image), **row.variant.options)
        assert torch.isfinite(task.teacher.A_adjoint(task.teacher.A(image))).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "format is None"),
        (json.dumps({"format": FORMAT, "study": "losses"}), "study is 'losses', expected 'forms'"),
        (json.dumps({"format": FORMAT, "study": "forms"}), "runs is None, expected a list"),
    ],
)
def test_unusable_files_are_named(tmp_path, content, message):
    (tmp_path / "forms.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_study("forms", tmp_path)


def test_a_run_without_numbers_names_its_file(tmp_path):
    runs = [{"row": "null_space, state_aware", "seed": 0}]
    (tmp_path / "forms.json").write_text(json.dumps({"format": FORMAT, "study": "forms", "runs": runs}))
    with pytest.raises(ValueError, match=r"path='.*forms\.json': not readable \(KeyError: "):
        compare("single_pixel", tmp_path)


def test_unknown_names_are_named(tmp_path):
    with pytest.raises(ValueError, match="name='colours'"):
        run_study("colours", tmp_path)
    with pytest.raises(ValueError, match="name='colours'"):
        load_study("colours")
    with pytest.raises(ValueError, match="only='x'"):
        run_study("forms", tmp_path, only="x")
    with pytest.raises(ValueError, match="only=3"):
        run_study("forms", tmp_path, only=3)
    with pytest.raises(ValueError, match="seeds=-1: expected an integer from 0"):
        run_study("forms", tmp_path, seeds=(-1,))
    with pytest.raises(ValueError, match="name=5: expected the name of a study"):
        load_study(5, tmp_path)
    with pytest.raises(ValueError, match="source='ct'"):
        compare("ct")
    with pytest.raises(FileNotFoundError, match="ddgp_lib study forms"):
        load_study("forms", tmp_path)


@pytest.mark.parametrize("name", STUDIES)
def test_shipped_studies_are_complete_and_of_the_present_configuration(name):
    runs = {(run["row"], run["seed"]): run for run in load_study(name)["runs"]}
    assert len(runs) == len(load_study(name)["runs"])
    assert runs.keys() == {(row, seed) for row in STUDIES[name] for seed in SEEDS}
    for (row, seed), run in runs.items():
        expected = STUDIES[name][row].configuration(seed)
        assert run["configuration"] == expected, f"run `python -m ddgp_lib study {name} --shipped` again"
        assert set(run["psnr"]) == {str(k) for k in (BUDGETS if name == "linear" else ITERATIONS)}


def test_no_study_is_left_over():
    assert {path.stem for path in STUDIES_FOLDER.glob("[!.]*")} == set(STUDIES)
