"""A method with its grid: its label, its choice, and the solver that most of them are."""

import torch

from ddgp_lib import PreconditionedFISTA
from ddgp_lib.experiments.measured.candidates import Candidate, choose_setting, fista
from ddgp_lib.experiments.measured.choosing import Tried
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
