"""Refusals: the argument, its value and what is accepted, in that order."""

import pytest
import torch

from ddgp_lib.arguments import require, require_images, require_positive


def test_what_is_accepted_passes(generator):
    require(True, "x", 1, "anything")
    require_positive("x", 1e-9)
    require_images("x", torch.rand(0, 2, 3, 4, generator=generator), channels=2)


def test_a_refusal_names_argument_value_and_what_is_accepted():
    with pytest.raises(ValueError, match=r"^side='left': expected 'right'$"):
        require(False, "side", "left", "'right'")


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf")])
def test_what_is_not_positive_and_finite_is_refused(value):
    with pytest.raises(ValueError, match=f"^x={value}: expected a finite number above 0$"):
        require_positive("x", value)


@pytest.mark.parametrize(
    ("images", "named"),
    [
        (torch.ones(1, 8, 8), r"x\.shape=\(1, 8, 8\): expected four dimensions"),
        (torch.ones(1, 3, 8, 8), r"x\.shape=\(1, 3, 8, 8\): expected 1 channel"),
        (torch.full((1, 1, 2, 2), float("inf")), "finite entries only"),
    ],
)
def test_images_of_another_form_are_refused(images, named):
    with pytest.raises(ValueError, match=named):
        require_images("x", images, channels=1)
