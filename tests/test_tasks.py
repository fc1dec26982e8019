"""Tasks: made of any two operators, refused by the argument's name, with steps that follow from the operators."""

import copy
import pickle
import re
from dataclasses import replace

import pytest
import torch
from deepinv.physics import BlurFFT, Denoising, Inpainting, LinearPhysics
from deepinv.physics.functional import gaussian_blur

from ddgp_lib import Preset, distill, evaluate, make_task
from ddgp_lib.data import Split
from ddgp_lib.denoisers import DenoiserRecipe, NoiseAwareDnCNN, save_denoiser
from ddgp_lib.operators import FourierDownsampling, HadamardCamera, measure, squared_norm
from ddgp_lib.presets import PRESETS
from ddgp_lib.tasks import DEFAULT_RECIPES, of_seed, require_split


def images(*shape, count=3):
    generator = torch.Generator().manual_seed(0)
    return Split(*torch.rand(3, count, *shape, generator=generator))


def keep(x, sigma):
    return x


class Scaled(LinearPhysics):
    """Images times a number, of which A may be careless about what it is given."""

    def __init__(self, factor, in_place=False):
        super().__init__()
        self.factor, self.in_place = factor, in_place

    def A(self, x, **kwargs):  # noqa: N802 (deepinv's name)
        return x.mul_(self.factor) if self.in_place else x * self.factor

    def A_adjoint(self, y, **kwargs):  # noqa: N802 (deepinv's name)
        return y * self.factor


def test_a_careless_operator_or_denoiser_changes_no_images():
    own, kept = images(1, 8, 8), images(1, 8, 8)
    with pytest.raises(ValueError, match="in place"):
        made(images=own, student=Scaled(0.5, in_place=True))
    made(images=own, denoiser=lambda x, sigma: x.mul_(0.5))
    measure(Scaled(0.5, in_place=True), own.train, 0)
    assert all(torch.equal(*pair) for pair in zip(own, kept, strict=True))


def made(**changes):
    """Make a small task of two Hadamard cameras, with some arguments changed."""
    cameras = {"student": HadamardCamera(0.2, (1, 8, 8)), "teacher": HadamardCamera(0.5, (1, 8, 8))}
    return make_task(**(cameras | {"images": images(1, 8, 8), "denoiser": keep, "sigma": 0.1} | changes))


@pytest.mark.parametrize("shape", [(1, 8, 16), (3, 16, 8), (2, 8, 8)])
def test_images_need_be_neither_square_nor_grey(shape):
    blurs = [BlurFFT(shape, filter=gaussian_blur(sigma=std)) for std in (1.0, 0.5)]
    task = make_task(*blurs, images(*shape), keep, 0.1, name="mine")
    assert task.img_size == shape
    assert task.measure(task.test_images).shape == (3, *shape)
    quick = {"steps": 1, "batch_size": 2, "pool_size": 2, "parameters": "small", "progress": False}
    P = distill(task, **quick).preconditioner
    assert torch.isfinite(
        evaluate(replace(task, test_images=task.test_images[:1]), P, max_iter=1).residual
    ).all()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"sigma": 0.0}, "sigma=0.0: expected a finite number above 0"),
        ({"denoiser": 3}, r"denoiser=3: expected a denoiser, called as denoiser\(x, sigma\)"),
        (
            {"denoiser": lambda x, sigma: x[:, :, ::2]},
            r"denoiser='function': expected one of images \(1, 1, 8, 8\)",
        ),
        ({"denoiser": NoiseAwareDnCNN(2)}, r"denoiser='NoiseAwareDnCNN'.*x\.shape.*expected 2 channel"),
        ({"name": "my camera"}, "name='my camera': expected letters"),
        ({"student": torch.nn.Identity()}, "student='Identity': expected a linear operator of deepinv"),
        ({"teacher": keep}, "teacher='function': expected a linear operator of deepinv"),
        ({"student": HadamardCamera(0.2, (1, 16, 16))}, r"student=.*images \(1, 1, 8, 8\)"),
        ({"teacher": HadamardCamera(0.5, (3, 8, 8))}, r"teacher=.*images \(1, 1, 8, 8\)"),
        ({"images": images(1, 8)}, r"images\.train\.shape=\(3, 1, 8\): expected four dimensions"),
        ({"images": Split(*(255 * part for part in images(1, 8, 8)))}, r"images\.train=.*scale \[0, 1\]"),
        ({"images": Split(*(part - 0.5 for part in images(1, 8, 8)))}, r"images\.train=.*scale \[0, 1\]"),
        ({"images": Split(*(0.01 * part for part in images(1, 8, 8)))}, r"images\.train=.*scale \[0, 1\]"),
        ({"images": images(1, 8, 8, count=0)}, r"images\.train\.shape=\(0, 1, 8, 8\): expected .*N ≥ 1"),
        (
            {"images": images(1, 8, 8)._replace(test=torch.ones(2, 1, 8, 16))},
            r"images\.test\.shape=\(2, 1, 8, 16\): expected \(N, 1, 8, 8\)",
        ),
        (
            {"images": images(1, 8, 8)._replace(val=torch.full((1, 1, 8, 8), float("nan")))},
            r"images\.val=.*expected finite entries",
        ),
        ({"denoiser": lambda x, sigma: x * torch.nan}, "denoiser='function, which gives NaN"),
        ({"student": Scaled(torch.nan)}, "student='Scaled, which gives NaN or infinite values'"),
        ({"teacher": Scaled(torch.inf)}, "teacher='Scaled, which gives NaN or infinite values'"),
        ({"student": Scaled(0.0)}, "student='Scaled, which is zero'"),
        ({"student": Scaled(0.5, in_place=True)}, "student='Scaled, whose A works in place'"),
    ],
)
def test_bad_arguments_are_named(changes, message):
    with pytest.raises(ValueError, match=message):
        made(**changes)


def test_images_of_complex_values_may_be_negative_but_not_larger_than_one():
    split = Split(*(part - 0.5 for part in images(2, 8, 8)))
    require_split(split, complex_valued=True)
    with pytest.raises(ValueError, match=r"images\.train=.*scale"):
        require_split(Split(*(3 * part for part in split)), complex_valued=True)


def test_a_missing_denoiser_is_named_and_a_file_is_loaded(tmp_path):
    preset = Preset(name="mine", weights=tmp_path)
    with pytest.raises(FileNotFoundError, match=r"mine-denoiser\.safetensors"):
        made(denoiser=None, preset=preset)
    denoiser = NoiseAwareDnCNN(depth=3, width=4)
    save_denoiser(preset.path("denoiser"), denoiser, "mine", DenoiserRecipe(), {})
    x = torch.rand(1, 1, 8, 8)
    for task in (
        made(denoiser=None, preset=preset),
        made(denoiser=preset.path("denoiser")),
        made(denoiser=str(preset.path("denoiser"))),
    ):
        torch.testing.assert_close(task.denoiser(x, 0.1), denoiser(x, 0.1))


def test_steps_follow_from_the_operators_and_from_those_that_replace_them():
    task = made()
    assert task.stepsize == pytest.approx(1 / squared_norm(task.student, (1, 8, 8)))
    assert task.teacher_stepsize == pytest.approx(1.0)
    blur = FourierDownsampling(2, (1, 8, 8), std=1.0)
    changed = replace(task, student=blur)
    assert changed.stepsize == pytest.approx(1 / squared_norm(blur, (1, 8, 8)))
    assert changed.stepsize != pytest.approx(task.stepsize, rel=0.1)
    assert changed.teacher_stepsize == task.teacher_stepsize
    with pytest.raises(TypeError, match="stepsize"):
        replace(task, stepsize=2.0)


def test_a_task_without_a_preset_has_one_of_its_name_with_defaults(tmp_path):
    task = made(name="mine")
    assert (task.name, task.preset.name) == ("mine", "mine")
    assert dict(task.preset.recipes) == dict(DEFAULT_RECIPES)
    assert task.preset.kinds == ("none", "newton", *DEFAULT_RECIPES, "teacher")
    preset = Preset(name="theirs", recipes={}, classical=("none",))
    assert made(name="mine", preset=preset).name == "theirs"
    assert preset.kinds == ("none", "teacher")


def test_the_augment_and_the_images_are_kept_in_their_places():
    split = images(1, 8, 8)

    def nothing(batch, generator):
        return batch

    task = made(images=split, augment=nothing)
    assert task.augment is nothing
    for found, wanted in zip((task.train_images, task.val_images, task.test_images), split, strict=True):
        assert found is wanted


def test_complex_images_are_judged_and_shown_by_their_magnitude():
    split = Split(*(part / 2 for part in images(2, 8, 8)))
    mask = Inpainting((2, 8, 8), mask=torch.ones(1, 8, 8))
    task = make_task(mask, Denoising(), split, keep, 0.1, complex_valued=True, name="mine")
    x = task.test_images
    torch.testing.assert_close(task.picture(x), (x[:, :1] ** 2 + x[:, 1:] ** 2).sqrt())
    turned = torch.stack([-x[:, 1], x[:, 0]], dim=1)
    assert task.psnr(turned, x).min() > 70
    grey = made()
    assert grey.picture(grey.test_images) is grey.test_images
    assert grey.psnr(grey.test_images + 0.1, grey.test_images).mean().item() == pytest.approx(20, abs=1e-3)


def test_measurements_are_those_of_the_seed():
    task = replace(made(), student=HadamardCamera(0.2, (1, 8, 8), noise=0.1))
    x = task.test_images
    assert torch.equal(task.measure(x, seed=1), task.measure(x, seed=1))
    assert not torch.equal(task.measure(x, seed=1), task.measure(x, seed=2))


def test_what_is_seen_of_a_task_is_short():
    for text in (repr(made(name="mine")), repr(made().preset)):
        assert len(text) <= 300
    assert "3 + 3 + 3" in repr(made())
    assert re.search(r"HadamardCamera", made()._repr_html_())


@pytest.mark.parametrize("name", PRESETS)
def test_the_book_s_tasks_are_pickled_and_measure_alike(loaded, name):
    task = loaded(name)
    few = replace(task, train_images=task.train_images[:1], val_images=task.val_images[:1])
    twin = pickle.loads(pickle.dumps(replace(few, test_images=task.test_images[:1])))
    x = task.test_images[:1]
    assert torch.equal(twin.measure(x, seed=3), task.measure(x, seed=3))
    torch.testing.assert_close(twin.student(x), copy.deepcopy(task.student)(x))
    assert twin.preset.kinds == task.preset.kinds


def test_what_is_shown_of_a_task_and_its_preset_has_names(task):
    assert "student=HadamardCamera" in repr(task).replace(" ", "")
    assert "kinds=('none'" in repr(task.preset)


@pytest.mark.parametrize(("arguments", "named"), [(("../a", 0), "kind"), (("a", -1), "seed")])
def test_what_weights_are_filed_under_is_a_name_and_a_seed(arguments, named):
    assert of_seed("distilled", 3) == "distilled-seed3"
    with pytest.raises(ValueError, match=f"^{named}="):
        of_seed(*arguments)
