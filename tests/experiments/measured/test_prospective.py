"""The experiment on a scan without a reference: which places judge, and what is read."""

import torch

from ddgp_lib.experiments.measured.prospective import places, prepared_scan
from tests.experiments.measured.test_single_pixel import skip_without_data


def test_places_that_judge_are_neither_used_nor_set_aside():
    generator = torch.Generator().manual_seed(0)
    mask = torch.rand(40, 30, generator=generator) < 0.3
    kept = torch.zeros_like(mask)
    kept[16:24, 12:20] = True
    mask |= kept
    judging, choosing = places(mask, kept)
    assert torch.equal(judging.used | judging.held_out, mask)
    assert torch.equal(choosing.used | choosing.held_out, judging.used)
    assert not (choosing.used & choosing.held_out).any()
    assert not (kept & ~choosing.used).any()
    assert int(judging.held_out.sum()) == round(0.1 * int((mask & ~kept).sum()))


def test_the_measured_scan_is_as_its_card_says():
    skip_without_data()
    record, kept = prepared_scan()
    assert tuple(record.data.shape) == (8, 230, 180)
    assert 0.12 < float(record.mask.float().mean()) < 0.13
    assert int(kept.sum()) == 24 * 24
    assert not (record.data[:, ~record.mask] != 0).any()
