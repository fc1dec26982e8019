"""The denoiser: it denoises, knows its noise level, and does not expand."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ddgp_lib import denoisers
from ddgp_lib.checkpoints import WEIGHTS_FOLDER, CheckpointError, load_checkpoint
from ddgp_lib.data import load_digits
from ddgp_lib.denoisers import (
    DenoiserRecipe,
    NoiseAwareDnCNN,
    denoising_psnr,
    jacobian_norms,
    pretrained_denoiser,
    random_squares,
    save_denoiser,
    train_denoiser,
)
from ddgp_lib.fingerprint import differences, of_images
from tests.own_camera import discs


class Scale(nn.Module):
    """A map whose Jacobian has a known norm: diag(c, 1, …, 1)."""

    def forward(self, x, sigma):
        scale = torch.ones(x[0].numel())
        scale[0] = 3.0
        return (x.flatten(1) * scale).view_as(x)


def test_jacobian_norm_of_a_known_map(generator):
    norms = jacobian_norms(Scale(), torch.rand(4, 1, 4, 4, generator=generator), 0.1, iterations=50)
    torch.testing.assert_close(norms, torch.full((4,), 3.0), rtol=1e-3, atol=0)


def test_jacobian_norm_equals_dense_svd(generator):
    denoiser = NoiseAwareDnCNN(depth=3, width=8)
    x = torch.rand(1, 1, 8, 8, generator=generator)
    jacobian = torch.autograd.functional.jacobian(lambda v: denoiser(v, 0.1).flatten(), x).view(64, 64)
    dense = torch.linalg.matrix_norm(jacobian, 2)
    torch.testing.assert_close(jacobian_norms(denoiser, x, 0.1, 200)[0], dense, rtol=1e-3, atol=0)


def test_the_power_iteration_draws_from_its_own_generator(generator):
    denoiser = NoiseAwareDnCNN(depth=3, width=8)
    x = torch.rand(2, 1, 8, 8, generator=generator)
    before = torch.get_rng_state()
    first, again = (jacobian_norms(denoiser, x, 0.1, 2) for _ in range(2))
    assert torch.equal(first, again)
    assert not torch.equal(first, jacobian_norms(denoiser, x, 0.1, 2, torch.Generator().manual_seed(1)))
    assert torch.equal(before, torch.get_rng_state())
    whole = [jacobian_norms(denoiser, x, sigma, 2) for sigma in (1.0, np.int64(1), torch.ones(2))]
    assert torch.equal(whole[0], whole[1])
    assert torch.equal(whole[0], whole[2])


@pytest.mark.parametrize("sigma", [float("nan"), -0.1, "low", None, torch.ones(2, dtype=torch.int64)])
def test_a_noise_level_is_a_number_0_or_above(sigma):
    with pytest.raises(ValueError, match=r"^sigma(=|\.)"):
        NoiseAwareDnCNN(depth=2, width=4)(torch.rand(2, 1, 8, 8), sigma)


@pytest.mark.parametrize(("sigma", "gain"), [(0.05, 3.0), (0.1, 5.0), (0.2, 7.0)])
def test_shipped_denoiser_removes_noise(task, sigma, gain):
    noisy_psnr = -20 * torch.log10(torch.tensor(sigma)).item()
    assert denoising_psnr(task.denoiser, task.test_images[:100], sigma) > noisy_psnr + gain


def test_shipped_denoiser_uses_its_noise_level(task, generator):
    x = task.test_images[:2] + 0.1 * torch.randn(2, 1, 32, 32, generator=generator)
    low, high = task.denoiser(x, 0.02), task.denoiser(x, 0.2)
    assert (low - x).norm() < (high - x).norm()
    torch.testing.assert_close(task.denoiser(x, torch.tensor([0.02, 0.2]))[1], high[1], atol=1e-5, rtol=1e-5)


def test_shipped_metrics_are_true(task):
    _, description = load_checkpoint(WEIGHTS_FOLDER / "single_pixel-denoiser.safetensors")
    claimed = description["metrics"]
    measured = denoising_psnr(task.denoiser, load_digits().val, 0.1)
    assert claimed["validation_psnr"]["0.1"] == pytest.approx(measured, abs=0.02)
    assert max(claimed["largest_jacobian_norm"].values()) < 1.4
    assert DenoiserRecipe(**description["recipe"]) == DenoiserRecipe()


def test_training_lowers_the_error_and_is_reproducible():
    images = load_digits()
    recipe = DenoiserRecipe(steps=30, finetune_steps=2, batch_size=8)
    first, second = (train_denoiser(images, recipe, progress=False) for _ in range(2))
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)
    torch.manual_seed(0)
    untrained = NoiseAwareDnCNN()
    assert denoising_psnr(first, images.val[:50], 0.1) > denoising_psnr(untrained, images.val[:50], 0.1) + 1


def test_training_stops_at_a_loss_that_is_not_finite():
    recipe = DenoiserRecipe(steps=20, finetune_steps=0, batch_size=2, learning_rate=1e30)
    with pytest.raises(
        ValueError, match=r"loss=(nan|inf): expected a finite number in step \d+ of 20; nothing was written"
    ):
        train_denoiser(discs(), recipe, progress=False)


@pytest.mark.parametrize("network", ["dncnn", "unet"])
@pytest.mark.parametrize("stopped", [3, 7])
def test_an_interrupted_training_goes_on_to_the_same_bits(network, stopped, tmp_path, monkeypatch):
    """It stops within the first phase or the second, whose generators and rates go on where they were."""
    recipe = DenoiserRecipe(
        steps=5, finetune_steps=4, batch_size=2, power_iterations=2, bound=0.1, network=network, warmup=0.4
    )
    whole = train_denoiser(discs(), recipe, progress=False)
    file, steps, advance = tmp_path / "discs.safetensors", [], denoisers._Training.advance

    def counted(training):
        steps.append(1)
        if len(steps) == stopped + 1:
            raise InterruptedError
        return advance(training)

    monkeypatch.setattr(denoisers._Training, "advance", counted)
    options = {"checkpoint": file, "checkpoint_every": 1, "progress": False}
    with pytest.raises(InterruptedError):
        train_denoiser(discs(), recipe, **options)
    again = train_denoiser(discs(), recipe, **options)
    assert len(steps) == 5 + 4 + 1
    for a, b in zip(whole.parameters(), again.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_a_training_of_other_images_is_not_gone_on_with(tmp_path):
    recipe, file = DenoiserRecipe(steps=1, finetune_steps=0, batch_size=2), tmp_path / "discs.safetensors"
    train_denoiser(discs(), recipe, checkpoint=file, progress=False)
    other = discs()._replace(train=discs().train.flip(-1) * 0.5)
    with pytest.raises(CheckpointError, match="images"):
        train_denoiser(other, recipe, checkpoint=file, progress=False)


def test_a_second_phase_after_another_first_one_is_not_gone_on_with(tmp_path):
    recipe = DenoiserRecipe(steps=1, finetune_steps=1, batch_size=2)
    options = {"checkpoint": tmp_path / "discs.safetensors", "progress": False}
    train_denoiser(discs(), recipe, **options)
    with pytest.raises(CheckpointError, match=r"discs-penalised\.safetensors.*another first phase"):
        train_denoiser(discs(), replace(recipe, steps=2), **options)


def test_a_file_says_which_images_a_denoiser_was_trained_on(tmp_path):
    images, path = discs(), tmp_path / "denoiser.safetensors"
    save_denoiser(path, NoiseAwareDnCNN(depth=3, width=8), "discs", DenoiserRecipe(), {}, images)
    made_for = load_checkpoint(path)[1]["fingerprint"]
    assert differences(made_for, {"images": of_images(images.train, images.val)}) == []
    assert differences(made_for, {"images": of_images(images.train, images.test)}) == ["images"]


def test_wrong_channels():
    with pytest.raises(ValueError, match=r"x\.shape=\(1, 3, 8, 8\): expected 1 channel"):
        NoiseAwareDnCNN()(torch.rand(1, 3, 8, 8), 0.1)


def test_unknown_pretrained():
    with pytest.raises(ValueError, match="name='bm3d'"):
        pretrained_denoiser("bm3d")


def by_hand(images, recipe, steps, rate, denoiser, penalised):
    """Take the steps of the loss that :class:`DenoiserRecipe` states, with the same random numbers."""
    generator, starts = (torch.Generator().manual_seed(recipe.seed) for _ in range(2))
    optimiser = torch.optim.Adam(denoiser.parameters(), lr=rate)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = rate * (1 + math.cos(math.pi * step / steps)) / 2
        clean = images[torch.randint(len(images), (recipe.batch_size,), generator=generator)]
        share = torch.rand(recipe.batch_size, generator=generator)
        sigma = torch.exp(math.log(recipe.sigma_min) + share * math.log(recipe.sigma_max / recipe.sigma_min))
        noisy = clean + sigma.view(-1, 1, 1, 1) * torch.randn(clean.shape, generator=generator)
        errors = (denoiser(noisy, sigma) - clean).square().mean(dim=(1, 2, 3))
        loss = (errors / (sigma**2 if recipe.noise_scaled else sigma)).mean()
        if penalised:
            few = recipe.jacobian_images
            norms = jacobian_norms(denoiser, noisy[:few], sigma[:few], recipe.power_iterations, starts)
            loss = loss + recipe.penalty * (torch.relu(norms - recipe.bound) ** 2).mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()


@pytest.mark.parametrize("noise_scaled", [True, False])
@pytest.mark.parametrize("bound", [0.5, 50.0])
def test_training_follows_the_loss_that_the_recipe_states(noise_scaled, bound):
    recipe = DenoiserRecipe(
        steps=3,
        finetune_steps=2,
        batch_size=4,
        penalty=3.0,
        bound=bound,
        jacobian_images=2,
        power_iterations=3,
        noise_scaled=noise_scaled,
    )
    trained = train_denoiser(discs(), recipe, progress=False)
    with torch.random.fork_rng():
        torch.manual_seed(recipe.seed)
        expected = NoiseAwareDnCNN(1, noise_scaled=noise_scaled)
        by_hand(discs().train, recipe, 3, recipe.learning_rate, expected, penalised=False)
        by_hand(discs().train, recipe, 2, recipe.learning_rate / 4, expected, penalised=True)
    x = discs().val
    torch.testing.assert_close(trained(x, 0.1), expected(x, 0.1), atol=1e-5, rtol=1e-4)


def test_norms_below_the_bound_cost_nothing():
    recipe = DenoiserRecipe(steps=1, finetune_steps=2, batch_size=2, power_iterations=2, bound=1e3)
    first, second = (
        train_denoiser(discs(), replace(recipe, penalty=penalty), progress=False) for penalty in (1.0, 100.0)
    )
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        torch.testing.assert_close(a, b, rtol=0, atol=0)


def test_squares_are_cut_from_everywhere_and_mirrored_half_of_the_time(generator):
    height, width, side = 12, 20, 8
    places = 100.0 * torch.arange(height)[:, None] + torch.arange(width)
    images = places.expand(200, 1, height, width)
    corners, mirrored = set(), 0
    for _ in range(10):
        squares = random_squares(images, side, generator)
        assert squares.shape == (200, 1, side, side)
        flipped = bool(squares[0, 0, 0, 0] > squares[0, 0, 0, 1])
        mirrored += flipped
        squares = squares.flip(-1) if flipped else squares
        corner = squares[:, :, :1, :1]
        torch.testing.assert_close(squares - corner, places[:side, :side].expand_as(squares))
        corners |= {divmod(int(value), 100) for value in corner.flatten()}
    assert corners == {
        (row, column) for row in range(height - side + 1) for column in range(width - side + 1)
    }
    assert 1 <= mirrored <= 9


def test_a_training_goes_on_with_the_same_changes_of_images_alone(tmp_path):
    recipe = DenoiserRecipe(steps=1, finetune_steps=1, batch_size=2)
    options = {"checkpoint": tmp_path / "training.safetensors", "progress": False}
    train_denoiser(discs(), recipe, **options)
    with pytest.raises(CheckpointError, match=r"training\.safetensors.*another way to change images"):
        train_denoiser(discs(), recipe, augment=lambda images, generator: 1 - images, **options)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda part: 255 * part, r"images\.train=.*expected pixels between 0 and 1"),
        (lambda part: (255 * part).byte(), r"images\.train\.dtype=torch\.uint8"),
        (lambda part: part * float("nan"), r"images\.train=.*expected finite entries"),
    ],
)
def test_images_on_another_scale_train_no_denoiser(change, message):
    spoilt = discs()._replace(train=change(discs().train))
    with pytest.raises(ValueError, match=message):
        train_denoiser(spoilt, DenoiserRecipe(steps=1, finetune_steps=0, batch_size=2), progress=False)
    with pytest.raises(ValueError, match=r"images=.*expected pixels between 0 and 1"):
        denoising_psnr(Scale(), 255 * discs().val, 0.1)
