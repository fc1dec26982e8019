"""Fixtures shared by the tests of the library."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import pytest
import torch

import ddgp_lib
from ddgp_lib.denoisers import save_denoiser, train_denoiser
from ddgp_lib.distillation import distill
from ddgp_lib.experiments import save_alternative, train_alternative
from ddgp_lib.linear import distill_linear
from ddgp_lib.pretrained import save_preconditioner, save_tuning
from ddgp_lib.recipes import LinearRecipe
from ddgp_lib.tasks import Preset, Task
from tests.own_camera import PRESET, discs


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Run on one thread: results do not depend on the number of cores, and two workers do not compete."""
    torch.set_num_threads(1)


@pytest.fixture(autouse=True, scope="module")
def _module_seeded() -> None:
    """Draw what a module's fixtures draw without a generator from the same seed in every run."""
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def _seeded(_module_seeded: None) -> None:
    """Draw what a test draws without a generator from the same seed, in whatever order tests run."""
    torch.manual_seed(0)


@pytest.fixture(scope="session")
def loaded() -> Callable[[str], Task]:
    """Load each of the book's tasks once, with its defaults."""
    return cache(lambda name: ddgp_lib.load_task(name))


@pytest.fixture(scope="session")
def task(loaded: Callable[[str], Task]) -> Task:
    """Load the single-pixel task with its defaults."""
    return loaded("single_pixel")


@pytest.fixture(scope="session")
def small() -> Task:
    """Load the single-pixel task with images of 16×16."""
    return ddgp_lib.load_task("single_pixel", size=16)


@pytest.fixture(scope="session")
def own(tmp_path_factory: pytest.TempPathFactory) -> Preset:
    """Train a little all that a tiny camera has, and give its methods one setting; tests write nothing there."""
    preset = replace(PRESET, weights=tmp_path_factory.mktemp("own"))
    assert preset.denoiser is not None
    denoiser = train_denoiser(discs(), preset.denoiser, progress=False)
    save_denoiser(preset.path("denoiser"), denoiser, preset.name, preset.denoiser, {})
    task = preset.load()
    for kind, recipe in preset.recipes.items():
        train = distill_linear if isinstance(recipe, LinearRecipe) else distill
        save_preconditioner(preset.path(kind), train(task, progress=False, **vars(recipe)), task, kind)
    for name, rival in preset.alternatives.items():
        model = train_alternative(task, rival, progress=False)
        save_alternative(preset.path(name), model, task, rival, {})
    setting = {"sigma": 0.05, "momentum": "none", "prior_decay": None, "update_decay": None}
    save_tuning(preset, {kind: {"setting": setting, "sweep": []} for kind in preset.kinds})
    return preset


@pytest.fixture
def generator() -> torch.Generator:
    """Make a freshly seeded generator."""
    return torch.Generator().manual_seed(0)
