"""Fingerprints tell apart what a training depends on, and nothing else; and a foreign operator does not go unsaid."""

import json
import warnings
from dataclasses import replace

import pytest
import torch
from deepinv.models import DnCNN
from deepinv.physics import GaussianNoise, Inpainting, LinearPhysics, PoissonNoise

from ddgp_lib import (
    PreconditionedFISTA,
    distill,
    distill_linear,
    load_preconditioner,
    load_solver,
    load_task,
    save_preconditioner,
)
from ddgp_lib.checkpoints import load_checkpoint
from ddgp_lib.experiments.alternatives import (
    load_alternative,
    save_alternative,
    train_alternative,
    trained_networks,
)
from ddgp_lib.fingerprint import (
    CHUNK,
    PARTS,
    OperatorMismatch,
    alike,
    differences,
    fingerprint,
    fitted_for,
    foreign,
    of_operator,
    saved_noise,
    sketch,
    told,
)
from ddgp_lib.operators import Counted, HadamardCamera, noise_of
from ddgp_lib.preconditioners import NullSpacePull
from ddgp_lib.presets import PRESETS
from ddgp_lib.solvers.held_out import KeptRows, hold_out
from tests.operators_of_deepinv import OPERATORS
from tests.own_camera import blurred, smoothed


def scaled(physics, factor):
    """Return factor times A."""
    return LinearPhysics(A=lambda x, **_: physics.A(x) * factor, A_adjoint=physics.A_adjoint)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_linear_operator_has_a_sketch_that_forgives_rounding_alone(name):
    physics, size = OPERATORS[name]()
    image = torch.rand(1, *size)
    found = of_operator(physics, image)
    assert json.loads(json.dumps(found)) == found
    assert differences({"student": found}, {"student": of_operator(OPERATORS[name]()[0], image)}) == []
    for factor, others in ((1 + 1e-5, []), (1.01, ["student"])):
        other = of_operator(scaled(physics, factor), image)
        assert differences({"student": found}, {"student": other}) == others


def test_operators_of_one_shape_are_told_apart():
    operators = [
        load_task("single_pixel", size=16, **options).student
        for options in ({}, {"ordering": "zig_zag"}, {"ratio": 0.11})
    ]
    found = [{"student": of_operator(physics, torch.rand(1, 1, 16, 16))} for physics in operators]
    assert all(differences(a, b) == ["student"] for a in found for b in found if a is not b)


def test_a_changed_operator_is_sketched_anew():
    physics = Inpainting((1, 8, 8), mask=torch.ones(1, 8, 8))
    image = torch.rand(1, 1, 8, 8)
    before = of_operator(physics, image)
    assert of_operator(physics, image) is before
    physics.mask[..., 0, 0] = 0
    assert differences({"student": before}, {"student": of_operator(physics, image)}) == ["student"]


def test_a_fingerprint_depends_on_what_decides_a_training_and_draws_from_nothing():
    task = smoothed()
    found, state = fingerprint(task), torch.get_rng_state()
    assert tuple(found) == tuple(PARTS)
    assert differences(json.loads(json.dumps(found)), fingerprint(smoothed())) == []
    assert differences(found, fingerprint(replace(task, test_images=1 - task.test_images))) == []
    assert torch.equal(torch.get_rng_state(), state)
    assert differences(found, fingerprint(smoothed(noise=0.02))) == ["noise"]
    assert differences(found, fingerprint(smoothed(blur=1.51))) == ["student"]
    assert differences(None, found) == differences({"student": 3}, found) == list(PARTS)


def test_what_was_saved_is_alike_where_no_part_differs_or_nothing_was_noted():
    found = fingerprint(smoothed())
    assert alike(json.loads(json.dumps(found)), found)
    assert alike(None, found)
    assert not alike({}, found)
    assert not alike(fingerprint(smoothed(noise=0.02)), found)


def test_noise_models_are_told_apart_by_class_and_numbers():
    def of(model):
        task = smoothed()
        task.student.noise_model = model
        return fingerprint(task)

    found = of(GaussianNoise(0.1, rng=torch.Generator().manual_seed(3)))
    assert differences(found, of(GaussianNoise(0.1))) == []
    assert differences(found, of(GaussianNoise(0.1001))) == ["noise"]
    assert differences(found, of(PoissonNoise(0.1))) == ["noise"]


def test_images_are_known_in_their_order_and_to_the_last():
    images = torch.rand(CHUNK + 10, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    changed = images.clone()
    changed[-1] = images[-1].flip(-1)
    for other in (images.flip(0), changed, images[:-1]):
        assert differences({"images": sketch(images)}, {"images": sketch(other)}) == ["images"]


def test_sketches_that_are_none_differ():
    good = {"student": {"sketch": [1.0, 2.0]}}
    for bad in ([1.0], ["a", "b"], None, 3, [float("nan"), 2.0]):
        assert differences({"student": {"sketch": bad}}, good) == ["student"]
    assert told(["student", "noise"]) == "another student operator, other noise"


@pytest.mark.parametrize("name", PRESETS)
def test_what_ships_was_made_for_the_book_s_cameras(name, loaded):
    task = loaded(name)
    wanted = fingerprint(task)
    for kind in (*task.preset.recipes, *trained_networks(task.preset)):
        assert differences(load_checkpoint(task.preset.path(kind))[1]["fingerprint"], wanted) == []


def test_a_family_is_a_module_of_the_library_and_a_counted_operator_is_the_operator():
    digits, other = load_task("single_pixel", size=16), load_task("single_pixel", size=16, ratio=0.2)
    image = torch.rand(1, 1, 16, 16)
    own = of_operator(digits.student, image)
    assert not foreign(own, other.student, image)
    assert not foreign(own, Counted(digits.student, (1, 16, 16)), image)
    assert foreign(own, Counted(other.student, (1, 16, 16)), image)
    assert foreign(own, Inpainting((1, 16, 16), mask=0.5), image)
    assert not foreign(None, other.student, image)
    blur = of_operator(smoothed().student, image)
    assert blur["family"] is None
    assert not foreign(blur, smoothed().student, image)
    assert foreign(blur, smoothed(blur=2.0).student, image)


def run(P, physics, **options):
    """Run two iterations; return the warnings about the operator."""
    denoiser = DnCNN(1, 1, depth=2, nf=4, pretrained=None).eval()
    solver = PreconditionedFISTA(denoiser, P, sigma=0.1, max_iter=2, **options)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        solver(physics.A(torch.rand(1, 1, 16, 16)), physics)
    return [str(warning.message) for warning in caught if warning.category is OperatorMismatch]


def test_a_solver_warns_of_a_foreign_operator_unless_a_safeguard_watches(own):
    P, task = load_preconditioner(own.path("distilled")), own.load()
    assert run(P, task.student) == []
    other = smoothed(blur=2.5).student
    assert run(P, other) == [
        "physics=BlurFFT: the preconditioner was trained for another operator, BlurFFT on images (1, 16, 16); "
        "safeguard=True would watch it"
    ]
    assert run(P, other, safeguard=True) == []
    assert run(None, other) == []
    P.made_for = None
    assert run(P, other) == []


@pytest.mark.parametrize("kind", ["distilled", "distilled_linear"])
def test_what_has_just_been_trained_knows_its_task(own, kind):
    task, recipe = own.load(), own.recipes[kind]
    train = distill_linear if kind == "distilled_linear" else distill
    P = train(task, recipe, progress=False).preconditioner
    assert differences(P.made_for, fingerprint(task)) == []
    assert run(P, task.student) == []
    assert len(run(P, smoothed(blur=2.5).student)) == 1


def test_loading_for_a_task_of_a_foreign_operator_warns(own):
    task = own.load()
    other = replace(task, student=blurred(blur=2.5, denoiser=task.denoiser).student)
    with pytest.warns(OperatorMismatch, match="physics=BlurFFT"):
        load_preconditioner(other)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        load_preconditioner(task)
        load_solver(task, safeguard=True)
    _, description = load_checkpoint(own.path("distilled"))
    assert fitted_for(description, other) == ["student"]
    assert differences(load_preconditioner(task).made_for, fingerprint(other)) == ["student"]
    load_alternative(task, "direct", own.path("direct"))
    assert fitted_for(load_checkpoint(own.path("direct"))[1], other) == ["student"]
    assert fitted_for({}, task) == list(PARTS)


@pytest.mark.parametrize("name", PRESETS)
def test_the_noise_of_a_tuning_is_read_to_the_same_bits(name, loaded):
    task = loaded(name)
    saved = json.loads((task.preset.weights / f"{name}-tuning.json").read_text())["fingerprint"]
    assert saved_noise(saved) == noise_of(task.student)
    assert saved_noise(saved, "teacher") == noise_of(task.teacher)


@pytest.mark.parametrize(
    "found",
    [
        None,
        "x",
        {},
        {"noise": None},
        {"noise": {"student": []}},
        {"noise": {"student": [["PoissonNoise", {"gain": [0.1]}]]}},
        {"noise": {"student": [["GaussianNoise", {"sigma": []}]]}},
    ],
)
def test_no_noise_is_read_where_none_was_saved(found):
    assert saved_noise(found) is None


def test_a_role_that_no_task_has_is_named():
    with pytest.raises(ValueError, match="role='both'"):
        saved_noise({}, "both")


def test_what_was_trained_is_not_filed_under_another_task(own, tmp_path):
    task = own.load()
    other = replace(task, student=smoothed(blur=2.5).student)
    distillation = distill(task, own.recipes["distilled"], progress=False)
    with pytest.raises(
        ValueError, match="task='own_camera': expected the task that it was trained for, not one"
    ):
        save_preconditioner(tmp_path / "other.safetensors", distillation, other)
    recipe = own.alternatives["direct"]
    model = train_alternative(task, recipe, progress=False)
    with pytest.raises(ValueError, match="not one with another student operator"):
        save_alternative(tmp_path / "other.safetensors", model, other, recipe, {})
    assert not list(tmp_path.iterdir())
    save_preconditioner(tmp_path / "own.safetensors", distillation, task)


def test_networks_warn_of_a_foreign_operator_when_they_are_loaded_and_when_they_are_called(own):
    task = own.load()
    other = replace(task, student=smoothed(blur=2.5).student)
    with pytest.warns(OperatorMismatch, match="the direct was trained for another operator, BlurFFT"):
        load_alternative(other, "direct", own.path("direct"))
    model = load_alternative(task, "direct", own.path("direct"))
    pull = NullSpacePull(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", OperatorMismatch)
        model(task.measure(task.test_images[:1]), task.student)
        pull.prepare(task.measure(task.test_images[:1]), task.student)
    for ask in (model, pull.prepare):
        with pytest.warns(OperatorMismatch, match="the reconstructor was trained for another operator"):
            ask(other.measure(other.test_images[:1]), other.student)


def test_some_rows_of_an_operator_are_that_operator_s():
    camera, like = HadamardCamera(0.3, (1, 8, 8)), torch.zeros(1, 1, 8, 8)
    y = camera.A(torch.rand(1, 1, 8, 8))
    kept = KeptRows(camera, 1 - hold_out(camera, y, (1, 8, 8), 0.1, 0), 1.0)
    assert not foreign(of_operator(camera, like), kept, like)
