"""What an iteration costs: seconds of this processor, and Fourier transforms, which are the same on every one."""

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from ...arguments import require_instance

TRANSFORMS = frozenset(
    getattr(torch.fft, f"{kind}fft{dimensions}")
    for kind in ("", "i", "r", "ir", "h", "ih")
    for dimensions in ("", "2", "n")
)
"""The functions that are counted."""


@dataclass(frozen=True)
class Step:
    """An iterate, and what it took to come to it.

    Attributes
    ----------
    number : int
        Iterations so far, from 1.
    image : Tensor
        The iterate.
    seconds : float
        Time of the processor so far, which other work on the machine hardly changes.
    transforms : int
        Calls of Fourier transforms so far; one of a batch counts once.
    """

    number: int
    image: torch.Tensor
    seconds: float
    transforms: int


def metered(iterates: Iterable[torch.Tensor]) -> Iterator[Step]:
    """Yield the iterates of a solver with their cost; what is done between them is not counted.

    Parameters
    ----------
    iterates : iterable of Tensor
        The iterates x_1, x_2, …, made as they are asked for.

    Raises
    ------
    ValueError
        If ``iterates`` is not iterable.

    Examples
    --------
    >>> import torch
    >>> from ddgp_lib.experiments.measured import metered
    >>> images = (torch.fft.ifft2(torch.fft.fft2(torch.ones(2, 2))).real for _ in range(3))
    >>> [step.transforms for step in metered(images)]
    [2, 4, 6]
    """
    require_instance("iterates", iterates, Iterable, "something that yields images")
    return _run(iter(iterates))


def _run(iterates: Iterator[torch.Tensor]) -> Iterator[Step]:
    counter, seconds, number = _Counter(), 0.0, 0
    while True:
        started = time.process_time()
        with counter:
            image = next(iterates, None)
        seconds += time.process_time() - started
        if image is None:
            return
        number += 1
        yield Step(number, image, seconds, counter.count)


class _Counter(TorchFunctionMode):
    """Counts calls of Fourier transforms."""

    def __init__(self) -> None:
        super().__init__()
        self.count = 0

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        """Run a function, and count it where it is a transform."""
        self.count += func in TRANSFORMS
        return func(*args, **(kwargs or {}))
