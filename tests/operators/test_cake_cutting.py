"""The order of cake-cutting patterns: by pieces, and the same whatever a machine's sort does with ties."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from deepinv.physics import singlepixel

from book._tools.flaky import without_avx_512
from ddgp_lib.operators import HadamardCamera
from ddgp_lib.operators.cake_cutting import KEPT, cake_cutting_mask, cake_cutting_order


def pieces(side):
    return np.array(
        [count for row in range(1, side + 1) for count in singlepixel.cake_cutting_seq(row, side)]
    )


@pytest.mark.parametrize("side", [2, 4, 8, 16, 32, 64, 128])
def test_patterns_come_once_and_by_their_pieces(side):
    order = cake_cutting_order(side)
    assert sorted(order) == list(range(side * side))
    assert (np.diff(pieces(side)[order]) >= 0).all()


@pytest.mark.parametrize(("ratio", "total"), [(0.1, 40_086), (0.4, 201_613)])
def test_the_book_s_cameras_measure_what_their_preconditioners_were_trained_behind(ratio, total):
    mask = HadamardCamera(ratio, (1, 32, 32)).mask
    assert int(mask.flatten().nonzero().sum()) == total


@pytest.mark.parametrize("side", [8, 16, 32, 64])
def test_another_sort_of_ties_changes_no_camera(side, monkeypatch):
    size = (2, side, side)
    expected = HadamardCamera(0.1, size).mask
    assert expected.dtype == torch.float32
    assert int(expected.sum()) == 2 * max(1, round(0.1 * side * side))
    other = np.argsort(pieces(side) * side * side - np.arange(side * side))  # the last of equals comes first
    assert not np.array_equal(other, cake_cutting_order(side))
    monkeypatch.setattr(singlepixel, "cake_cutting_order", lambda n: other)
    assert torch.equal(HadamardCamera(0.1, size).mask, expected)


def test_the_mask_is_deepinv_s_where_its_ties_are_broken_alike(monkeypatch):
    monkeypatch.setattr(singlepixel, "cake_cutting_order", lambda n: cake_cutting_order(round(n**0.5)))
    for side, rows in ((8, 20), (32, 300)):
        size = (1, side, side)
        assert torch.equal(cake_cutting_mask(size, rows), singlepixel.cake_cutting_mask(size, rows))


def test_a_processor_without_avx_512_has_the_same_camera():
    newest = without_avx_512()
    if not newest:
        pytest.skip("this NumPy uses no AVX-512 here")
    made = "from ddgp_lib.operators import HadamardCamera as C; mask = C(0.4, (1, 32, 32)).mask"
    command = [sys.executable, "-W", "ignore", "-c", f"{made}; print(mask.flatten().nonzero().sum())"]
    run = subprocess.run(command, env=os.environ | newest, capture_output=True, text=True, check=True)
    assert "201613" in run.stdout


def test_what_is_kept_is_small():
    assert KEPT.stat().st_size < 12_000
