"""Large networks that others have trained are read from a file, and asked as the book's methods are."""

import pytest
import torch
from deepinv.models import RAM, DRUNet

from ddgp_lib import PreconditionedFISTA
from ddgp_lib.checkpoints import CheckpointError
from ddgp_lib.experiments.downloaded import load_drunet, load_ram


@pytest.fixture(scope="module")
def ram(tmp_path_factory):
    """Write the weights of an untrained network as their authors write theirs; give the network and the file."""
    torch.manual_seed(0)
    network, path = RAM(pretrained=False).eval(), tmp_path_factory.mktemp("ram") / "ram.pth.tar"
    torch.save(network.state_dict() | {"of_another_version": torch.ones(1)}, path)
    return network, path


@pytest.mark.parametrize("name", ["single_pixel", "super_resolution"])
def test_ram_reconstructs_what_a_camera_has_measured(name, ram, loaded):
    task, (network, path) = loaded(name), ram
    y = task.measure(task.test_images[:2])
    with torch.no_grad():
        found, expected = (model(y, task.student) for model in (load_ram(path), network))
    assert found.shape == task.test_images[:2].shape
    torch.testing.assert_close(found, expected)


def test_drunet_takes_the_place_of_a_denoiser(tmp_path, loaded):
    torch.manual_seed(0)
    network, path = DRUNet(in_channels=1, out_channels=1, pretrained=None).eval(), tmp_path / "drunet.pth"
    torch.save(network.state_dict(), path)
    task = loaded("single_pixel")
    images, denoiser = task.test_images[:2], load_drunet(path)
    assert not any(weights.requires_grad for weights in denoiser.parameters())
    with torch.no_grad():
        torch.testing.assert_close(denoiser(images, 0.1), network(images, 0.1))
    solver = PreconditionedFISTA(denoiser, sigma=0.1, max_iter=1)
    assert solver(task.measure(images), task.student).shape == images.shape


def test_files_of_something_else_are_named(tmp_path, ram):
    with pytest.raises(FileNotFoundError, match=r"path='.*none.pth': no such file; download it first"):
        load_ram(tmp_path / "none.pth")
    (tmp_path / "text.pth").write_text("no weights")
    with pytest.raises(CheckpointError, match=r"path='.*text.pth': not weights of RAM"):
        load_ram(tmp_path / "text.pth")
    with pytest.raises(CheckpointError, match=r"not weights of DRUNet: \d+ of its tensors are missing"):
        load_drunet(ram[1])
    with pytest.raises(ValueError, match="channels=0"):
        load_drunet(ram[1], channels=0)
    with pytest.raises(ValueError, match="path=3: expected a file"):
        load_ram(3)


def test_weights_that_are_damaged_or_no_numbers_are_refused(tmp_path):
    path = tmp_path / "drunet.pth"
    weights = DRUNet(in_channels=1, out_channels=1, pretrained=None).state_dict()
    name = next(iter(weights))
    torch.save(weights | {name: torch.full_like(weights[name], torch.nan)}, path)
    with pytest.raises(CheckpointError, match=rf"path='.*drunet\.pth'.*{name} has NaN or infinite entries"):
        load_drunet(path)
    torch.save(weights | {name: weights[name].int()}, path)
    with pytest.raises(CheckpointError, match=rf"{name} is of torch\.int32, expected torch\.float32"):
        load_drunet(path)
    torch.save(weights, path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=r"path='.*drunet\.pth': not weights of DRUNet: damaged: "):
        load_drunet(path)
