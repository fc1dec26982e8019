"""Refusals: the argument, its value and what is accepted, in that order."""

import re

import numpy as np
import pytest
import torch

from ddgp_lib.arguments import (
    LARGEST_SIDE,
    require,
    require_callable,
    require_choice,
    require_count,
    require_counts,
    require_flag,
    require_generator,
    require_images,
    require_img_size,
    require_instance,
    require_integer,
    require_number,
    require_positive,
    require_seed,
    require_size,
    require_tensor,
)


def test_what_is_accepted_passes(generator):
    require(True, "x", 1, "anything")
    require_positive("x", 1e-9)
    require_images("x", torch.rand(1, 2, 3, 4, generator=generator), channels=2)


def test_a_refusal_names_argument_value_and_what_is_accepted():
    with pytest.raises(ValueError, match=r"^side='left': expected 'right'$"):
        require(False, "side", "left", "'right'")


@pytest.mark.parametrize("value", [0, -1.0, float("nan"), float("inf"), "1", None, True, 1j, [1.0]])
def test_what_is_not_positive_and_finite_is_refused(value):
    with pytest.raises(ValueError, match=rf"^x={re.escape(repr(value))}: expected a finite number above 0$"):
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


@pytest.mark.parametrize(
    ("bounds", "accepted", "refused", "expected"),
    [
        ({}, (0, -1.5, np.float32(2), np.int64(3)), (None, "a", float("nan")), "a finite number"),
        ({"lowest": 0, "highest": 1}, (0, 1, 0.5), (-1e-9, 1.1), "a finite number from 0 to 1"),
        ({"lowest": 0}, (0, 1e9), (-1e-9,), "a finite number, 0 or above"),
        ({"above": 0, "highest": 1}, (1, 1e-9), (0, 1.1), "a finite number above 0 and at most 1"),
        ({"lowest": 0, "below": 1}, (0, 0.99), (-0.1, 1), "a finite number of 0 or more and below 1"),
        ({"above": 0, "none": True}, (None, 2), (0,), "None, or a finite number above 0"),
    ],
)
def test_a_number_is_real_finite_and_within_its_bounds(bounds, accepted, refused, expected):
    for value in accepted:
        require_number("x", value, **bounds)
    for value in (*refused, True, "1", [1]):
        with pytest.raises(ValueError, match=f"^{re.escape(f'x={value!r}: expected {expected}')}$"):
            require_number("x", value, **bounds)


@pytest.mark.parametrize(
    ("bounds", "accepted", "refused", "expected"),
    [
        ({}, (0, -3, np.int64(3)), (None,), "an integer"),
        ({"lowest": 1}, (1, 10**9), (0, -1), "an integer, 1 or above"),
        ({"lowest": 1, "none": True}, (None, 1), (0,), "None, or an integer, 1 or above"),
        ({"lowest": 1, "highest": 3}, (1, 3), (0, 4), "an integer from 1 to 3"),
        ({"highest": 3}, (-9, 3), (4,), "an integer at most 3"),
    ],
)
def test_an_integer_is_no_float_no_bool_and_within_its_bounds(bounds, accepted, refused, expected):
    for value in accepted:
        require_integer("x", value, **bounds)
    for value in (*refused, 1.0, True, "1", float("nan")):
        with pytest.raises(ValueError, match=f"^{re.escape(f'x={value!r}: expected {expected}')}$"):
            require_integer("x", value, **bounds)


def test_a_choice_is_one_of_those_named_whatever_type_is_given():
    require_choice("x", "a", {"a": 1, "b": 2})
    require_choice("x", None, ("a",), none=True)
    for value in ("c", None, 1, ["a"], {"a": 1}, np.zeros(2)):
        with pytest.raises(ValueError, match=r"expected one of \('a', 'b'\)$"):
            require_choice("x", value, ("a", "b"))
    with pytest.raises(ValueError, match=r"^x=1: expected one of \(True,\)$"):
        require_choice("x", 1, (True,))


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ([1.0], r"^x=\[1\.0\]: expected a tensor, not list$"),
        (torch.ones(2, dtype=torch.int64), r"^x\.dtype=torch\.int64: expected floating-point"),
        (torch.ones(2, 1), r"^x\.shape=\(2, 1\): expected 1 dimensions$"),
        (torch.ones(3), r"^x\.shape=\(3,\): expected \(2,\)$"),
        (torch.tensor([1.0, float("nan")]), "finite entries only"),
    ],
)
def test_a_tensor_is_of_the_type_and_shape_that_is_asked_for(value, named):
    require_tensor("x", torch.ones(2, dtype=torch.complex64), dimensions=1, shape=(2,))
    require_tensor("x", torch.tensor([float("nan")]), finite=False)
    with pytest.raises(ValueError, match=named):
        require_tensor("x", value, dimensions=1, shape=(2,))


def test_pixels_must_be_within_their_bounds_but_for_a_thousandth(generator):
    images = torch.rand(1, 1, 4, 4, generator=generator)
    require_images("x", images - 0.0009, bounds=(0, 1))
    with pytest.raises(ValueError, match=r"^x=.*values from .* to .*: expected pixels between 0 and 1$"):
        require_images("x", 255 * images, bounds=(0, 1))
    with pytest.raises(ValueError, match=r"^x\.dtype=torch\.uint8: expected real floating-point"):
        require_images("x", images.to(torch.uint8))
    with pytest.raises(ValueError, match=r"^x\.shape=\(0, 1, 4, 4\): expected .*N ≥ 1"):
        require_images("x", images[:0])


def test_a_message_stays_short():
    with pytest.raises(ValueError, match=r"^x=<tensor \(9, 9\), torch\.float32, cpu>: expected a number$"):
        require(False, "x", torch.ones(9, 9), "a number")
    with pytest.raises(ValueError, match=r"^x=.{200}…: expected a number$"):
        require(False, "x", list(range(1000)), "a number")


@pytest.mark.parametrize(
    ("check", "accepted", "refused", "expected"),
    [
        (
            require_count,
            (1, np.int64(LARGEST_SIDE)),
            (0, LARGEST_SIDE + 1, 1.0, True),
            "an integer from 1 to 16384",
        ),
        (require_seed, (0, 2**63 - 1), (-1, 2**63, 0.5, "0"), f"an integer from 0 to {2**63 - 1}"),
        (require_flag, (True, False), (None, 0, 1, "yes"), "True or False"),
        (require_callable, (abs, torch.nn.Identity()), (None, 1, "abs"), "a function"),
        (require_generator, (torch.Generator(),), (None, 1, torch.Generator), "a torch.Generator"),
        (
            require_size,
            (8, (8, 4), [8, 4]),
            (None, 0, (8,), (8, 0), 8.0, 10**9),
            "an integer from 1 to 16384, or a",
        ),
        (
            require_img_size,
            ((1, 8, 8), [3, 8, 4], torch.Size((1, 1, 1))),
            (None, 8, (8, 8), (1, 8, 0), (1, 8, 8.0), (1, 8, True), (2, LARGEST_SIDE, LARGEST_SIDE), "188"),
            r"\(C, H, W\); integers, 1 or above, at most 16384 each",
        ),
    ],
)
def test_counts_seeds_flags_functions_generators_and_sizes(check, accepted, refused, expected):
    for value in accepted:
        check("x", value)
    for value in refused:
        with pytest.raises(ValueError, match=f"^x=.*: expected {expected}"):
            check("x", value)


def test_an_instance_is_described_in_words_and_may_be_none():
    require_instance("x", None, dict, "a table", none=True)
    with pytest.raises(ValueError, match=r"^x=None: expected a table$"):
        require_instance("x", None, dict, "a table")
    with pytest.raises(ValueError, match=r"^x=1: expected None, or a table$"):
        require_instance("x", 1, dict, "a table", none=True)


def test_several_counts_are_told_apart():
    require_counts(width=1, depth=2)
    with pytest.raises(ValueError, match=r"^depth=0: expected an integer"):
        require_counts(width=1, depth=0)
