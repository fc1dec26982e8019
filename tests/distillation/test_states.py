"""States start where they should, the pool advances and restarts them, and noise has the level asked for."""

import math
from dataclasses import replace

import pytest
import torch

from ddgp_lib.distillation import DistillationRecipe, FreshStates, StatePool
from ddgp_lib.operators import HadamardCamera, measure


def recipe(**options):
    return DistillationRecipe(batch_size=4, **options)


def test_pool_advances_and_restarts(small, generator):
    pool = StatePool(small, recipe(pool_size=16, horizon=3), generator)
    assert pool.tensors["end"].min() >= 1
    assert pool.tensors["end"].max() <= 3
    for _ in range(20):
        places, states = pool.draw(8)
        assert len(set(places.tolist())) == 8
        pool.put_back(places, states["x"], states["z"])
        assert (pool.tensors["k"] < pool.tensors["end"]).all()


def test_horizons_are_log_uniform_up_to_the_longest(small, generator):
    ends = StatePool(small, recipe(pool_size=2000, horizon=3), generator).tensors["end"]
    shares = ends.bincount(minlength=4) / len(ends)
    for end in (1, 2, 3):  # (end, end + 1] of the logarithm up to 3.99
        upper = min(end + 1, 3.99)
        assert shares[end].item() == pytest.approx(math.log(upper / end) / math.log(3.99), abs=0.04)
    assert shares[0] == 0


def test_student_and_teacher_see_noise_of_their_own(small, generator):
    camera = HadamardCamera(1.0, (1, 16, 16), noise=0.1)
    same = replace(small, student=camera, teacher=camera)
    states = FreshStates.from_recipe(same, recipe(perturbed=0.0), generator).fresh(8)
    noise = [states[f"adjoint_{side}"] - states["truth"] for side in ("student", "teacher")]
    assert all(part.std().item() == pytest.approx(0.1, rel=0.1) for part in noise)
    assert torch.corrcoef(torch.stack([part.flatten() for part in noise]))[0, 1].abs() < 0.1


def test_pool_counts_every_iteration_of_an_unrolled_step(small, generator):
    pool = StatePool(small, recipe(pool_size=4, horizon=1000), generator)
    pool.tensors["end"] = torch.tensor([3, 4, 100, 100])
    places, z = torch.arange(4), pool.tensors["z"].clone()
    pool.put_back(places, z, z, iterations=3)
    assert pool.tensors["k"].tolist() == [0, 3, 3, 3]


def test_pool_restarts_states_that_blow_up(small, generator):
    pool = StatePool(small, recipe(pool_size=4, horizon=1000), generator)
    pool.tensors["end"].fill_(1000)
    places = torch.arange(4)
    z = pool.tensors["z"].clone()
    z[0], z[1] = float("nan"), 1e6
    pool.put_back(places, z, z)
    assert pool.tensors["k"].tolist() == [0, 0, 1, 1]
    assert torch.isfinite(pool.tensors["z"]).all()


def test_states_blow_up_at_ten_times_their_image_and_one(small, generator):
    pool = StatePool(small, recipe(pool_size=4, horizon=1000), generator)
    pool.tensors["end"].fill_(1000)
    truth = pool.tensors["truth"].clone()
    norms = truth.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    bound = 10 * norms + 1
    z = truth / norms * bound * torch.tensor([0.5, 0.99, 1.01, 2.0]).view(-1, 1, 1, 1)
    pool.put_back(torch.arange(4), z, z)
    assert pool.tensors["k"].tolist() == [1, 1, 0, 0]


@pytest.mark.parametrize("from_truth", [0.0, 1.0])
def test_states_start_at_back_projections_or_at_the_truth(small, generator, from_truth):
    tensors = StatePool(small, recipe(pool_size=4, from_truth=from_truth), generator).tensors
    expected = tensors["truth"] if from_truth else small.student.A_adjoint(tensors["y_student"])
    torch.testing.assert_close(tensors["z"], expected)
    torch.testing.assert_close(tensors["x"], expected)


def test_back_projections_outlive_the_iterates(small, generator):
    pool = StatePool(small, recipe(pool_size=4), generator)
    expected = {name: pool.tensors[name].clone() for name in ("adjoint_student", "adjoint_teacher")}
    pool.tensors["end"].fill_(1000)
    pool.put_back(torch.arange(4), torch.zeros(4, 1, 16, 16), torch.zeros(4, 1, 16, 16))
    for name, value in expected.items():
        torch.testing.assert_close(pool.tensors[name], value, rtol=0, atol=0)
    torch.testing.assert_close(
        pool.tensors["adjoint_student"], small.student.A_adjoint(pool.tensors["y_student"])
    )
    error = {name: (expected[name] - pool.tensors["truth"]).norm() for name in expected}
    assert error["adjoint_teacher"] < error["adjoint_student"]


def test_fresh_states_are_new_each_time(small, generator):
    source = FreshStates.from_recipe(small, recipe(pairing="own_trajectories"), generator)
    _, first = source.draw(4)
    _, second = source.draw(4)
    assert first["k"].tolist() == [0] * 4
    assert not torch.equal(first["truth"], second["truth"])
    assert source.tensors == {}


def test_noise_has_the_level_of_each_image_on_measured_entries_alone():
    camera = HadamardCamera(0.5, (1, 32, 32), noise=0.3)
    levels = torch.tensor([0.001, 0.01, 0.1])
    images = torch.zeros(3, 1, 32, 32)
    noise = measure(camera, images, 0, levels)
    measured = camera.mask.bool().expand_as(noise)
    assert (noise[~measured] == 0).all()
    spread = noise.square().flatten(1).sum(1).div(camera.mask.sum()).sqrt()
    torch.testing.assert_close(spread, levels, rtol=0.1, atol=0)
    torch.testing.assert_close(measure(camera, images, 0)[2], 3 * noise[2])  # the camera's own level is back


def test_noise_range_is_honoured_and_leaves_the_operators_as_they_were(small, generator):
    own = [float(physics.noise_model.sigma) for physics in (small.student, small.teacher)]
    options = {"pool_size": 256, "perturbed": 0.0, "noise_range": (0.02, 0.2)}
    tensors = StatePool(small, recipe(**options), generator).tensors
    noise = tensors["y_student"] - small.student.A(tensors["truth"])
    levels = noise.square().flatten(1).sum(1).div(small.student.mask.sum()).sqrt()
    assert (levels / tensors["noise"]).mean().item() == pytest.approx(1, abs=0.03)
    assert torch.corrcoef(torch.stack([tensors["noise"], levels]))[0, 1] > 0.95
    assert levels.min() > 0.01
    assert levels.max() < 0.35
    middle = (0.02 * 0.2) ** 0.5
    assert 0.4 < (levels < middle).float().mean() < 0.6
    assert [float(physics.noise_model.sigma) for physics in (small.student, small.teacher)] == own


def test_a_state_that_starts_afresh_brings_its_own_noise(small, generator):
    pool = StatePool(small, recipe(pool_size=4, noise_range=(0.01, 0.1)), generator)
    pool.tensors["end"] = torch.tensor([1, 1, 9, 9])
    before, z = pool.tensors["noise"].clone(), pool.tensors["z"].clone()
    pool.put_back(torch.arange(4), z, z)
    assert (pool.tensors["noise"] == before).tolist() == [False, False, True, True]
    assert "noise" not in StatePool(small, recipe(pool_size=4), generator).tensors


def test_noise_range_needs_gaussian_noise(small):
    class Silent(HadamardCamera):
        def __init__(self):
            super().__init__(0.5, (1, 8, 8))
            self.noise_model = torch.nn.Identity()

    with pytest.raises(ValueError, match="noise_model='Identity': expected GaussianNoise"):
        measure(Silent(), torch.zeros(1, 1, 8, 8), 0, torch.tensor([0.1]))


def test_states_are_made_of_values_as_of_a_recipe_that_says_them(small):
    values = {"perturbed": 0.5, "noise_range": (0.02, 0.2), "from_truth": 0.25}
    given = FreshStates(small, torch.Generator().manual_seed(0), **values).fresh(4)
    said = FreshStates.from_recipe(small, recipe(**values), torch.Generator().manual_seed(0)).fresh(4)
    assert given.keys() == said.keys()
    assert all(torch.equal(given[name], said[name]) for name in given)
