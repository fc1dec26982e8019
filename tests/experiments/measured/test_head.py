"""The experiment on a head of several coils: its columns, and its record."""

import pytest
import torch

from ddgp_lib.data.fourier import centred_fourier
from ddgp_lib.experiments.measured.head import CALIBRATION, NOISE, columns, prepared_head
from ddgp_lib.scanner import corner_noise, noise_covariance
from tests.experiments.measured.test_single_pixel import skip_without_data


@pytest.mark.parametrize("acceleration", [4, 6, 8])
def test_columns_that_judge_are_neither_used_nor_set_aside(acceleration):
    judging, choosing = columns((256, 216), acceleration)
    assert torch.equal(judging.used, ~judging.held_out)
    assert torch.equal(choosing.used | choosing.held_out, judging.used)
    assert not (choosing.used & choosing.held_out).any()
    assert int(judging.used.sum()) == round(216 / acceleration)
    middle = min(
        round(CALIBRATION * 216), int(216 / acceleration / 2)
    )  # no more than half of what is measured
    assert choosing.used[108 - middle // 2 : 108 + middle // 2].all()


def test_after_prewhitening_the_air_is_white_and_of_the_stated_level():
    skip_without_data()
    record = prepared_head()
    covariance = noise_covariance(corner_noise(centred_fourier(record.data, inverse=True)))
    torch.testing.assert_close(
        covariance, 2 * NOISE**2 * torch.eye(len(covariance), dtype=covariance.dtype), rtol=0, atol=0.02
    )
