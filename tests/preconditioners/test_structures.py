"""Structures of a linear map are cuts of the image, and commute with their shifts and no others."""

import pytest
import torch

from ddgp_lib.preconditioners.linear import LinearPreconditioner
from ddgp_lib.preconditioners.structures import STRUCTURES, Structure

CUTS = [
    pytest.param(Structure(name, img_size, stride), id=f"{name}-{img_size[0]}-{stride}")
    for name in STRUCTURES
    for img_size in ((1, 8, 8), (2, 8, 4))
    for stride in ((1, 2) if name == "convolution" else (1,))
]


@pytest.mark.parametrize("structure", CUTS)
def test_blocks_put_together_are_the_image(structure, generator):
    images = torch.randn(3, *structure.img_size, generator=generator)
    blocks = structure.blocks(images)
    assert blocks.shape[::2] == (structure.count, structure.features(structure.img_size[0]))
    assert blocks.is_complex() == structure.complex_valued
    torch.testing.assert_close(structure.images(blocks), images)


def shifts(structure):
    """Shifts of an image that maps of this structure commute with."""
    stride = structure.stride
    return {
        "full": [],
        "rows": [(1, 0), (3, 0)],
        "convolution": [(stride, 0), (3 * stride, stride)],
        "diagonal": [],
        "scalar": [(1, 0), (3, 2)],
    }[structure.name]


@pytest.mark.parametrize("structure", CUTS)
def test_structures_commute_with_their_shifts_and_no_others(structure, generator):
    P = LinearPreconditioner(structure, 2, inputs="affine")
    for buffer in P.buffers():
        buffer.copy_(0.1 * torch.randn(buffer.shape, generator=generator))
    seen = torch.randn(2, 2 * structure.img_size[0], *structure.img_size[1:], generator=generator)

    def change(shift):
        shifted = P.linear_part(seen.roll(shift, dims=(2, 3)), 1)
        return (shifted - P.linear_part(seen, 1).roll(shift, dims=(2, 3))).abs().max()

    assert all(change(shift) < 1e-5 for shift in shifts(structure))
    if structure.name in ("full", "diagonal", "rows") or structure.stride > 1:
        assert change((0, 1)) > 1e-2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("dense", (1, 8, 8)), "structure='dense'"),
        (("full", (8, 8)), "img_size"),
        (("convolution", (1, 8, 8), 3), "stride=3"),
        (("convolution", (1, 8, 8), 0), "stride=0"),
        (("convolution", (1, 8, 9), 2), "stride=2"),
        (("convolution", (1, 9, 8), 2), "stride=2"),
        (("rows", (1, 8, 8), 2), "stride=2"),
    ],
)
def test_bad_structures_are_named(arguments, named):
    with pytest.raises(ValueError, match=named):
        Structure(*arguments)
