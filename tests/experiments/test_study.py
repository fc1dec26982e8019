"""Studies: which rows run, what they record, how they resume, and what is printed of them."""

import json

import pytest
import torch
from ddgp_lib.linear_study import BUDGETS
from ddgp_lib.study import (
    ITERATIONS,
    STUDIES,
    STUDIES_FOLDER,
    Row,
    compare,
    load_study,
    run_study,
)

from ddgp_lib import load_task, study
from ddgp_lib.__main__ import main
from ddgp_lib.distillation import DistillationRecipe
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.networks import NETWORKS
from ddgp_lib.preconditioners import Identity

TINY = {"steps": 2, "batch_size": 2, "pool_size": 4, "momentum": "none"}
SHIPPED = sorted(path.stem for path in STUDIES_FOLDER.glob("*.json"))


@pytest.fixture
def tiny(monkeypatch):
    """Two rows, a training of two steps, few images and iterations."""
    rows = {"null": Row("single_pixel"), "free": Row("single_pixel", {"form": "free"})}
    monkeypatch.setattr(study, "SHORT", {"single_pixel": TINY})
    monkeypatch.setattr(study, "STUDIES", {"forms": rows})
    monkeypatch.setattr(study, "IMAGES", {"single_pixel": (2, 3)})
    monkeypatch.setattr(study, "ITERATIONS", (1, 20))
    monkeypatch.setattr(study, "SIGMAS", (0.05, 0.1))
    study._baseline.cache_clear()
    yield rows
    study._baseline.cache_clear()


def test_a_row_records_what_it_did(tiny, tmp_path):
    result = run_study("forms", tmp_path, seeds=(0,), progress=False)
    assert [run["row"] for run in result["runs"]] == ["null", "free"]
    run = result["runs"][1]
    assert run["configuration"]["recipe"]["form"] == "free"
    assert run["parameters"] > 100_000
    assert run["training_seconds"] > 0
    assert run["sigma"] in (0.05, 0.1)
    assert set(run["psnr"]) == {"1", "20"}
    assert load_study("forms", tmp_path) == result


def test_gains_are_paired_with_the_tuned_baseline(task, tiny):
    run = tiny["null"].run(0, progress=False)
    recipe = DistillationRecipe(**run["configuration"]["recipe"])
    assert recipe.seed == 0
    images = task.test_images[:3]
    none = psnr_curves(task, study.Method(task, "none").tuned_solver(), images, task.student, 20)[-1]
    assert run["psnr"]["20"][0] - run["gain_20"][0] == pytest.approx(none.mean().item(), abs=1e-3)


def test_a_study_goes_on_where_it_stopped(tiny, tmp_path, monkeypatch):
    first = run_study("forms", tmp_path, seeds=(0,), only="null", progress=False)
    ran = []
    original = Row.run
    monkeypatch.setattr(
        Row, "run", lambda row, seed, **options: ran.append((row, seed)) or original(row, seed, **options)
    )
    both = run_study("forms", tmp_path, seeds=(0,), progress=False)
    assert ran == [(tiny["free"], 0)]
    assert both["runs"][0] == first["runs"][0]
    monkeypatch.setattr(study, "SHORT", {"single_pixel": TINY | {"steps": 1}})
    again = run_study("forms", tmp_path, seeds=(0,), only="null", progress=False)
    assert [run["row"] for run in again["runs"]] == ["free", "null"]
    assert again["runs"][1]["configuration"]["recipe"]["steps"] == 1


def test_sigma_is_the_best_on_the_images(task):
    images = task.val_images[:2]
    sigma = study.best_sigma(task, Identity(), images)
    scores = {
        s: psnr_curves(task, study._solver(task, Identity(), s), images, task.student, 20)[-1].mean()
        for s in study.SIGMAS
    }
    assert scores[sigma] == max(scores.values())


def test_the_comparison_averages_over_seeds(tiny, tmp_path):
    def run(row, seed, gain):
        psnr = {str(k): [20.0 + gain, 0.1] for k in study.ITERATIONS}
        numbers = {"parameters": 5, "milliseconds": 1.0, "training_seconds": 2.0}
        return {"row": row, "seed": seed, "psnr": psnr, "gain_20": [gain, 0.1]} | numbers

    runs = [run("null", 0, 1.0), run("null", 1, 3.0), run("free", 0, 2.0)]
    content = {"format": study.FORMAT, "study": "forms", "runs": runs}
    (tmp_path / "forms.json").write_text(json.dumps(content))
    (null, free) = compare("single_pixel", tmp_path)["forms"]
    assert (null["row"], null["seeds"], null["gain_20"]) == ("null", 2, 2.0)
    assert null["gain_20_error"] == pytest.approx(1.0)
    assert null["psnr"]["20"] == pytest.approx(22.0)
    assert (free["seeds"], free["gain_20_error"]) == (1, None)
    assert compare("mri", tmp_path) == {}


def test_the_commands(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("ddgp_lib.__main__.compare", lambda task: compare(task, tmp_path))
    assert main(["study", "forms", "--only", "null", "--seeds", "0", "--output", str(tmp_path)]) == 0
    assert main(["compare", "mri"]) == 0
    assert "mri: no study has been saved" in capsys.readouterr().out
    monkeypatch.setattr(study, "ITERATIONS", (1, 20))
    assert main(["compare", "single_pixel", "--json"]) == 0
    printed = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert printed["studies"]["forms"][0]["row"] == "null"


def test_every_row_of_every_study_can_be_configured():
    for name, rows in STUDIES.items():
        for row in rows.values() if name != "linear" else ():
            recipe = DistillationRecipe(**row.configuration(1)["recipe"])
            assert recipe.seed == 1
        assert len({json.dumps(row.configuration(0)) for row in rows.values()}) == len(rows), name
    assert {row.recipe["network"] for row in STUDIES["networks"].values()} == set(NETWORKS)


def test_every_teacher_of_the_study_can_be_built():
    for row in STUDIES["teachers"].values():
        task = load_task(row.task, **row.options)
        image = task.test_images[:1]
        assert torch.isfinite(task.teacher.A_adjoint(task.teacher.A(image))).all()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "not readable as JSON"),
        ("[]", "format is None"),
        (json.dumps({"format": study.FORMAT, "study": "losses"}), "study is 'losses', expected 'forms'"),
    ],
)
def test_unusable_files_are_named(tmp_path, content, message):
    (tmp_path / "forms.json").write_text(content)
    with pytest.raises(ValueError, match=message):
        load_study("forms", tmp_path)


def test_unknown_names_are_named(tmp_path):
    with pytest.raises(ValueError, match="name='colours'"):
        run_study("colours", tmp_path)
    with pytest.raises(ValueError, match="only='x'"):
        run_study("forms", tmp_path, only="x")
    with pytest.raises(ValueError, match="task_name='ct'"):
        compare("ct")
    with pytest.raises(FileNotFoundError, match="ddgp_lib study forms"):
        load_study("forms", tmp_path)


@pytest.mark.parametrize("name", SHIPPED)
def test_shipped_studies_are_of_the_present_configuration(name):
    runs = load_study(name)["runs"]
    assert len({(run["row"], run["seed"]) for run in runs}) == len(runs)
    for run in runs:
        expected = STUDIES[name][run["row"]].configuration(run["seed"])
        assert run["configuration"] == expected, f"run `python -m ddgp_lib study {name}` again"
        assert set(run["psnr"]) == {str(k) for k in (BUDGETS if name == "linear" else ITERATIONS)}
