"""Several processes that train one model, each on batches of its own."""

import os
import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from ..arguments import require

if TYPE_CHECKING:
    from lightning_fabric import Fabric

SEED_STRIDE = 1_000_003
"""Distance of the generator seeds of neighbouring processes, far more than that of seeds that people choose."""


class Processes:
    """The processes that train one model: a single one, or all those of a launched Fabric.

    Training is data-parallel.  Each process draws batches from its own states, with its own generator; the gradients
    of all are averaged before every step, so the weights stay the same everywhere.  The gradient goes around as one
    vector after the backward pass, 2 MB for half a million weights.  Wrapping the model to send it in pieces during
    that pass would pay for far larger networks, and would have to know how a preconditioner is called.

    Parameters
    ----------
    fabric : Fabric, optional
        A launched Fabric; without, there is one process.

    Attributes
    ----------
    count : int
        Number of processes.
    rank : int
        Number of this one, from 0.
    """

    def __init__(self, fabric: "Fabric | None" = None) -> None:
        fits = fabric is None or hasattr(fabric, "world_size")
        require(fits, "fabric", fabric, "None, or a launched Lightning Fabric")
        self.fabric = fabric
        self.count = 1 if fabric is None else fabric.world_size
        self.rank = 0 if fabric is None else fabric.global_rank

    @property
    def first(self) -> bool:
        """Whether this is the process that writes and shows progress."""
        return self.rank == 0

    def seed(self, seed: int) -> int:
        """Seed of this process's generator; that of the first is ``seed`` itself."""
        return seed + SEED_STRIDE * self.rank

    def mean(self, vector: torch.Tensor) -> torch.Tensor:
        """Average a tensor over the processes."""
        return vector if self.count == 1 else self._fabric.all_reduce(vector.clone(), reduce_op="mean")

    def average_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Replace each parameter's gradient by its mean over the processes."""
        if self.count == 1:
            return
        trained = [parameter for parameter in parameters if parameter.grad is not None]
        mean = self.mean(torch.cat([p.grad.flatten() for p in trained if p.grad is not None]))
        for parameter, part in zip(trained, mean.split([p.numel() for p in trained]), strict=True):
            parameter.grad = part.view_as(parameter)

    def share_weights(self, model: nn.Module) -> None:
        """Give all processes the weights of the first."""
        if self.count > 1:
            weights = {name: tensor.cpu() for name, tensor in model.state_dict().items()}
            model.load_state_dict(self.of_first(weights))

    def of_first(self, value: Any) -> Any:
        """Return what the first process passed."""
        return value if self.count == 1 else self._fabric.broadcast(value)

    def collect(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Stack the tensors of all processes along a new first axis, in the first process; others get their own.

        A single process's tensors stay as they are.
        """
        return tensors if self.count == 1 else {name: self._gather(value) for name, value in tensors.items()}

    def _gather(self, tensor: torch.Tensor) -> torch.Tensor:
        here = tensor.to(self._fabric.device).contiguous()
        places = [torch.empty_like(here) for _ in range(self.count)] if self.first else None
        torch.distributed.gather(here, places)
        return tensor if places is None else torch.stack(places).cpu()

    def own(self, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Take this process's part of what :meth:`collect` has stacked."""
        if self.count == 1:
            return tensors
        # Copies, because a generator reads the start of the memory that its state is a view of.
        return {name: tensor[self.rank].clone() for name, tensor in tensors.items()}

    @property
    def _fabric(self) -> Any:
        assert self.fabric is not None
        return self.fabric


def is_torchrun() -> bool:
    """Say whether ``torchrun`` has started this process."""
    return torch.distributed.is_available() and torch.distributed.is_torchelastic_launched()


def launch(device: str = "cpu") -> "Fabric":
    """Join the processes that ``torchrun`` has started.

    Parameters
    ----------
    device : str
        ``"cpu"``, or ``"cuda"`` for one graphics card for each process.

    Returns
    -------
    Fabric
        Launched.

    Raises
    ------
    ImportError
        If Lightning Fabric is not installed.
    ValueError
        If the device is unknown, or ``torchrun`` has not started this process.
    """
    require(device in ("cpu", "cuda"), "device", device, "'cpu' or 'cuda' with several processes")
    require(is_torchrun(), "launch", sys.argv[0], "a process that `torchrun` has started")
    try:
        from lightning_fabric import Fabric
    except ImportError as error:
        raise ImportError(
            "several processes need Lightning Fabric: `pip install lightning-fabric`"
        ) from error
    here = int(os.environ["LOCAL_WORLD_SIZE"])
    machines = int(os.environ["WORLD_SIZE"]) // here
    fabric = Fabric(accelerator=device, devices=here, num_nodes=machines, strategy="ddp")
    fabric.launch()
    return fabric
