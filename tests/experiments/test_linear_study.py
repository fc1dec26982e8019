"""The study of linear preconditioners: what is counted, and what the flat spectrum forbids."""

import pytest
import torch
from ddgp_lib.linear_study import METHODS, OPERATORS, Counted, ProductsRow, descend, rows
from ddgp_lib.study import compare, run_study

from ddgp_lib import linear_study, load_task
from ddgp_lib.__main__ import main
from ddgp_lib.operators import gradient, normal
from ddgp_lib.preconditioners import Identity, Polynomial


@pytest.fixture
def short(monkeypatch):
    """Few images, levels and products."""
    monkeypatch.setattr(linear_study, "IMAGES", 2)
    monkeypatch.setattr(linear_study, "SIGMAS", (0.05, 0.1))
    monkeypatch.setattr(linear_study, "BUDGETS", (4, 12))


@pytest.fixture(scope="module")
def small():
    return load_task("super_resolution", size=32)


def test_every_method_runs_on_every_operator_it_is_there_for():
    names = rows()
    assert len(names) == len(METHODS) * len(OPERATORS) - 2
    assert {row.task for row in names.values()} == {"single_pixel", "super_resolution", "mri"}


def test_products_are_counted_once_each(small):
    counted = Counted(small.student, small.img_size)
    z = small.test_images[:1]
    torch.testing.assert_close(normal(counted, z), normal(small.student, z))
    gradient(counted, z, z)
    assert counted.count == 2
    counted.count = 0
    list(descend(counted, counted.A(z), Polynomial.of("l2", 4), 3))
    assert counted.count == 3 * 5


def test_plain_steps_reach_their_own_goal_in_their_own_number(small):
    found = ProductsRow("super_resolution", "none")._products(small, Identity(), small.test_images[:2])
    assert found == pytest.approx(linear_study.PLAIN, abs=1)


@pytest.mark.usefixtures("short")
def test_a_flat_spectrum_has_reached_the_goal_at_the_start():
    for method in ("none", "l2, degree 4"):
        found = ProductsRow("single_pixel", method).run(0)
        assert found["products"] == 0
        assert set(found["psnr"]) == {"4", "12"}


@pytest.mark.usefixtures("short")
def test_budgets_are_of_products(small):
    images = small.test_images[:2]
    row = ProductsRow("super_resolution", "l2, degree 2")
    P = Polynomial.of("l2", 2)
    found = row._at_budgets(small, P, 0.05, images, 0)
    solver = linear_study.PreconditionedFISTA(
        small.denoiser, P, stepsize=small.stepsize, sigma=0.05, momentum="none"
    )
    curves = linear_study.psnr_curves(small, solver, images, small.student, 4)
    torch.testing.assert_close(found[4], curves[0])
    torch.testing.assert_close(found[12], curves[3])


@pytest.mark.usefixtures("short")
def test_it_is_run_and_printed_like_the_others(tmp_path, monkeypatch, capsys):
    only = {"single_pixel: none": ProductsRow("single_pixel", "none")}
    monkeypatch.setattr("ddgp_lib.study.STUDIES", {"linear": only})
    result = run_study("linear", tmp_path, seeds=(0, 1), progress=False)
    assert [run["seed"] for run in result["runs"]] == [0, 1]
    assert run_study("linear", tmp_path, seeds=(0, 1), progress=False) == result
    monkeypatch.setattr("ddgp_lib.__main__.compare", lambda name: compare(name, tmp_path))
    assert main(["compare", "single_pixel"]) == 0
    printed = capsys.readouterr().out
    assert "single_pixel: none" in printed
    assert "to the goal" in printed
