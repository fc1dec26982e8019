"""Nothing of a training iteration is left on the CPU: checked without a graphics card, on tensors without content."""

from copy import deepcopy
from dataclasses import replace

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from ddgp_lib import load_task
from ddgp_lib.distillation import PAIRINGS, DistillationRecipe
from ddgp_lib.distillation.losses import LOSS_OF_A_PAIR
from ddgp_lib.distillation.phase import Phase

LOSSES = {"gradient": 1.0, "imitation": 1.0, "supervised": 1.0, "scale": 1.0, "row_space": 1.0}

pytestmark = pytest.mark.skipif(torch.version.cuda is None, reason="PyTorch was built without CUDA")


def moved(module, mode):
    """Copy a module, with its parameters and buffers as tensors on a graphics card that are shapes alone."""
    copy = deepcopy(module)
    for part in copy.modules():
        for tensors in (part._parameters, part._buffers):
            for name, tensor in tensors.items():
                if tensor is not None:
                    with mode:
                        away = mode.from_tensor(tensor).detach().to("cuda")
                        tensors[name] = torch.nn.Parameter(away) if tensors is part._parameters else away
    return copy


@pytest.mark.parametrize("pairing", PAIRINGS)
@pytest.mark.parametrize(
    ("name", "options"),
    [("single_pixel", {}), ("mri", {}), ("mri", {"coils": 3}), ("super_resolution", {})],
)
def test_an_iteration_stays_on_its_device(name, options, pairing):
    task = load_task(name, size=32, **options)
    recipe = DistillationRecipe(
        batch_size=2, pool_size=2, losses=LOSSES, form="penalised", embedding=2, pairing=pairing
    )
    training = Phase(task, recipe, "cpu")
    _, states = training.states.draw(2)
    mode = FakeTensorMode()
    operators = {part: moved(getattr(task, part), mode) for part in ("student", "teacher", "denoiser")}
    training.task = replace(task, **operators)
    steps = {name: getattr(task, name) for name in ("stepsize", "teacher_stepsize")}
    vars(training.task).update(steps)  # tensors without content have no norm
    training.member = replace(training.member, task=training.task)
    training.preconditioner = moved(training.preconditioner, mode)
    with mode:
        away = {part: mode.from_tensor(tensor).to("cuda") for part, tensor in states.items()}
        pair = training._pair(away, away["z"], away["adjoint_teacher"], away["k"])
        losses = [LOSS_OF_A_PAIR[loss](pair) for loss in recipe.weights]
    assert {tensor.device.type for tensor in (pair.x, pair.direction, *losses)} == {"cuda"}


def test_what_stays_behind_is_found():
    task = load_task("single_pixel", size=32)
    mode, image = FakeTensorMode(), torch.ones(1, 1, 32, 32)
    student = moved(task.student, mode)
    with mode:
        here, away = (mode.from_tensor(image).to(device) for device in ("cpu", "cuda"))
        assert student.A(away).device.type == "cuda"
        with pytest.raises(RuntimeError, match=r"same device|different devices"):
            student.A(here)
