"""Fixtures shared by the tests of the course: the sets, built once."""

from pathlib import Path

import pytest

from assignments.build import build
from assignments.masters import all_sets, course_key


@pytest.fixture(scope="session")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build every set."""
    folder = tmp_path_factory.mktemp("dist")
    for problem in all_sets():
        build(problem, course_key(), folder)
    return folder
