"""A method with its grid: its label, its choice, and the solver that most of them are."""

import pytest
import torch

from ddgp_lib import PreconditionedFISTA, load_task
from ddgp_lib.experiments.measured.candidates import (
    Candidate,
    Choice,
    best_by_name,
    choose_in_simulation,
    choose_setting,
    exact_admm,
    fista,
    solve_of,
)
from ddgp_lib.experiments.measured.choosing import Tried
from ddgp_lib.kinds import ADMMSetting, ExactADMM
from ddgp_lib.metrics import psnr
from ddgp_lib.operators import HadamardCamera


def test_a_label_has_the_name_the_setting_and_the_note():
    method = Candidate("PnP", {"σ": (0.1, 0.2), "λ": (1.0, 2.0)}, lambda *point: None, "no momentum")
    assert method.label((0.1, 2.0)) == "PnP, σ 0.1, λ 2, no momentum"
    assert Candidate("A⁺", {}, lambda: None).label(()) == "A⁺"


def test_what_has_nothing_to_set_is_run_once():
    asked = []

    def run(point, marks):
        asked.append((point, marks))
        return Tried(0.5, 1)

    choice = choose_setting(Candidate("A⁺", {}, lambda: None), run, (1, 2, 4), 16)
    assert choice == ((), 1, 0.5, ())
    assert asked == [((), (1,))]


def test_the_best_setting_lies_inside_and_may_run_longer():
    def run(point, marks):
        stop = max(mark for mark in marks if mark <= 11)
        return Tried(abs(point[0] - 8) + 1 / stop, stop)

    method = Candidate("one", {"w": (1.0, 2.0)}, lambda w: None)
    choice = choose_setting(method, run, (1, 2), 16)
    assert choice.point == (8.0,)
    assert choice.stop == 8
    assert choice.edges == ()
    assert choose_setting(method, run, (1, 2), 4).edges == ("4 iterations are the most that were allowed",)


def test_fista_yields_the_iterates_of_the_solver():
    camera = HadamardCamera(0.25, (1, 8, 8))
    y = camera.A(torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0)))

    def halve(x, sigma):
        return x / 2

    *_, last = fista(halve, None, 0.1, "none")(camera, y, 3)
    solver = PreconditionedFISTA(halve, None, sigma=0.1, momentum="none", max_iter=3)
    assert torch.equal(last, solver(y, camera))


def test_exact_admm_is_the_rival_of_the_books_cameras():
    task = load_task("single_pixel")
    y = task.measure(task.test_images[:1])
    *_, last = exact_admm(task.denoiser, 0.3, 0.1, 20.0)(task.student, y, 25)
    kind = ExactADMM().solver(task, ADMMSetting(0.3, 0.1, tau=20.0), max_iter=25)
    torch.testing.assert_close(last, kind(y, task.student))


def test_in_simulation_the_setting_and_the_iteration_of_the_highest_psnr_are_chosen():
    camera = HadamardCamera(0.25, (1, 8, 8))
    truth = torch.rand(2, 1, 8, 8, generator=torch.Generator().manual_seed(0))

    def make(weight):
        return lambda physics, y, n: (
            truth + 0.01 * (abs(k - 2) + abs(weight - 3)) + 0.01 for k in range(1, n + 1)
        )

    method = Candidate("one", {"w": (1.0, 3.0)}, make)
    choice = choose_in_simulation(method, camera, camera.A(truth), lambda x: psnr(x, truth), (1, 2, 4))
    assert (choice.point, choice.stop, choice.edges) == ((3.0,), 2, ())
    assert abs(choice.error - 1e-4) < 1e-6
    lost = Candidate("lost", {"w": (1.0, 2.0)}, lambda w: lambda physics, y, n: [truth + torch.nan])
    assert choose_in_simulation(lost, camera, camera.A(truth), lambda x: psnr(x, truth), (1, 2)).error > 1e300


def test_of_several_methods_of_one_name_the_best_is_kept():
    one, other, third = (Candidate(name, {}, lambda: None) for name in ("a", "b", "a"))
    pairs = [(one, Choice((), 1, 0.5, ())), (other, Choice((), 1, 0.9, ())), (third, Choice((), 1, 0.1, ()))]
    assert best_by_name(pairs) == [pairs[2], pairs[1]]
    lost = (one, Choice((), 1, float("nan"), ()))
    assert best_by_name([lost, pairs[2]]) == [pairs[2]]


def test_the_method_of_a_row_has_the_setting_of_the_row():
    methods = [
        Candidate("a", {"w": (1.0, 2.0)}, lambda w: lambda physics, y, n: [w * y]),
        Candidate("a", {"w": (1.0, 2.0)}, lambda w: lambda physics, y, n: [-w * y], "turned"),
        Candidate("b", {}, lambda: lambda physics, y, n: [y]),
    ]
    y = torch.ones(1)
    for method, setting, expected in (("a, w 3", [3.0], 3), ("a, w 3, turned", [3.0], -3), ("b", [], 1)):
        (x,) = solve_of({"method": method, "setting": setting}, methods)(None, y, 1)
        assert float(x) == expected
    with pytest.raises(ValueError, match="row='c'"):
        solve_of({"method": "c", "setting": []}, methods)
