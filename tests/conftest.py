"""Fixtures shared by the tests of the library."""

import pytest
import torch

import ddgp_lib
from ddgp_lib.tasks import Task


@pytest.fixture(autouse=True, scope="session")
def _one_thread() -> None:
    """Run on one thread: results do not depend on the number of cores, and two workers do not compete."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def task() -> Task:
    """Load the single-pixel task with its defaults."""
    return ddgp_lib.load_task("single_pixel")


@pytest.fixture
def generator() -> torch.Generator:
    """Make a freshly seeded generator."""
    return torch.Generator().manual_seed(0)
