r"""Networks of a task as ONNX models, to be run without PyTorch: on a phone, in a browser, on a server.

Two models are written, each for one image: the denoiser, :math:`(u, \sigma) \mapsto D_\sigma(u)`, and the network of
the preconditioner, :math:`(\nabla g(z), z, k) \mapsto N_\theta`, with those inputs alone that it looks at.  What P
adds to N is the operator's, see :class:`~ddgp_lib.preconditioners.learned.LearnedPreconditioner`: in the null-space
form :math:`P = g + (I - A^+ A) N`.  So one model serves every ratio, order or mask that the network is good for.

A card beside them, ``TASK-export.json``, tells their inputs, the form of P, the tuned settings of the solver, and the
SHA-256 of the models and of the weights that they were made from.
"""

import copy
import hashlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_args

import torch
from torch import nn

from .arguments import require, require_choice, require_instance, require_positive
from .checkpoints import load_checkpoint
from .data.listing import existing_folder
from .denoisers import load_denoiser
from .digests import tensors_digest
from .files import atomic_write, write_results
from .names import Inputs
from .outputs import WEIGHTS_SIZE, prepare
from .preconditioners import LearnedPreconditioner
from .presets import preset_of
from .pretrained import load_preconditioner, load_tuning
from .recipes import DistillationRecipe
from .tasks import Preset, Task

FORMAT = "ddgp-export-1"
"""Format of the card."""

OPSET = 18
"""Version of ONNX's operators that the models are written in."""

TOLERANCE = 1e-4
"""Largest difference from PyTorch, relative to the largest value, that a model may have."""

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
"""What an export needs: the extra ``export`` of this package."""


class Correction(nn.Module):
    """The network N_θ of a preconditioner, as a function of the inputs that it looks at, in the order of ``inputs``.

    Parameters
    ----------
    preconditioner : LearnedPreconditioner
        P.

    Attributes
    ----------
    inputs : tuple of str
        ``"grad"``; ``"iterate"`` where P is state-aware; ``"iteration"`` where the network knows k.

    Raises
    ------
    ValueError
        If P is no learned preconditioner.
    """

    def __init__(self, preconditioner: LearnedPreconditioner) -> None:
        super().__init__()
        require_instance("preconditioner", preconditioner, LearnedPreconditioner, "a LearnedPreconditioner")
        self.preconditioner = preconditioner
        knows = preconditioner.embedding or getattr(preconditioner.network, "wants_iteration", False)
        state = ("iterate",) if preconditioner.inputs == "state_aware" else ()
        self.inputs = ("grad", *state, *(("iteration",) if knows else ()))

    def forward(self, *given: torch.Tensor) -> torch.Tensor:
        """Return N_θ, (1, C, H, W), from images (1, C, H, W) and, where it is asked for, k of shape (1,)."""
        named: dict[str, Any] = dict(zip(self.inputs, given, strict=True))
        grad = named["grad"]
        return self.preconditioner.correction(grad, named.get("iterate", grad), named.get("iteration", 0))


@dataclass(frozen=True)
class Exported:
    """A network to export, and what is fed to it.

    Attributes
    ----------
    module : nn.Module
        The network.
    inputs : mapping of str to Tensor
        An example of each input, by its name.
    output : str
        The name of what comes out.

    Raises
    ------
    ValueError
        If an argument is none of these.
    """

    module: nn.Module
    inputs: Mapping[str, torch.Tensor]
    output: str

    def __post_init__(self) -> None:
        """Refuse what is no network, no example, or no name."""
        require_instance("module", self.module, nn.Module, "a torch.nn.Module")
        named = isinstance(self.inputs, Mapping) and len(self.inputs) > 0
        named = named and all(isinstance(name, str) for name in self.inputs)
        require(named, "inputs", self.inputs, "a tensor for each name of an input")
        for name, value in self.inputs.items():
            require_instance(f"inputs[{name!r}]", value, torch.Tensor, "a tensor")
        require_instance("output", self.output, str, "a name")

    def expected(self) -> torch.Tensor:
        """Return what PyTorch makes of the example."""
        with torch.no_grad():
            made: torch.Tensor = self.module(*self.inputs.values())
        return made


def export_task(source: Task | Preset | str, folder: str | Path, kind: str = "distilled") -> dict[str, Any]:
    """Write a task's denoiser and the network of its preconditioner as ONNX models, with a card.

    Parameters
    ----------
    source : Task, Preset or str
        The task; or its preset, or the name of one of the book's, which is then loaded with its default options.  The
        models are for images of its size.
    folder : str or Path
        Where ``TASK-denoiser.onnx``, ``TASK-KIND.onnx`` and ``TASK-export.json`` are written; it must exist.
    kind : str
        Which of the task's learned preconditioners.

    Returns
    -------
    dict
        The content of the card.

    Raises
    ------
    ValueError
        If the task has no such learned preconditioner, it was not tuned, a model differs from PyTorch by more than
        :data:`TOLERANCE`, or the folder cannot be written to.  Nothing is written then.
    FileNotFoundError
        If the folder or a file of weights is missing.
    ImportError
        If the packages of the extra ``export`` are missing.

    Examples
    --------
    >>> import ddgp_lib
    >>> from ddgp_lib.exporting import export_task
    >>> card = export_task("single_pixel", "models")  # doctest: +SKIP
    """
    preset = preset_of(source, "source")
    _require_learned(preset, kind)
    place = existing_folder(folder)
    files = {name: f"{preset.name}-{name}.onnx" for name in ("denoiser", kind)}
    described_in = f"{preset.name}-export.json"
    prepare("folder", place, *files.values(), described_in, size=WEIGHTS_SIZE)
    _require_packages()
    task = source if isinstance(source, Task) else preset.load()
    card, networks = _card(task, kind), exported_networks(task, kind)
    contents = {name: _checked_model(exported, files[name]) for name, exported in networks.items()}
    models = {
        name: _described_model(contents[name], exported, files[name]) | _source(task, name)
        for name, exported in networks.items()
    }
    for name, content in contents.items():
        atomic_write(place / files[name], content)
    write_results(place / described_in, card | {"models": models})
    return card | {"models": models}


def exported_networks(task: Task, kind: str = "distilled") -> dict[str, Exported]:
    """Return the two networks of a task that are exported, by the names of their weights, with examples from it."""
    require_instance("task", task, Task, "a Task")
    _require_learned(task.preset, kind)
    require_instance("task.denoiser", task.denoiser, nn.Module, "a torch.nn.Module, to be exported")
    P = load_preconditioner(task, kind)
    assert isinstance(P, LearnedPreconditioner)
    image = task.val_images[:1]
    z = task.student.A_adjoint(task.measure(image))
    correction = Correction(P).eval()
    given = {"grad": z - image, "iterate": z, "iteration": torch.tensor([3.0])}
    denoise = {"image": z, "sigma": torch.tensor([task.sigma])}
    return {
        "denoiser": Exported(copy.deepcopy(task.denoiser).eval(), denoise, "denoised"),
        kind: Exported(correction, {name: given[name] for name in correction.inputs}, "correction"),
    }


def _require_learned(preset: Preset, kind: str) -> None:
    """Refuse what is no kind of a preset whose preconditioner is a network."""
    distilled = preset.distilled.items()
    learned = [name for name, recipe in distilled if isinstance(recipe, DistillationRecipe)]
    require_choice("kind", kind, learned)


def _require_packages() -> None:
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"export needs {', '.join(missing)}: pip install 'ddgp_lib[export]'")


def _checked_model(exported: Exported, file: str) -> bytes:
    """Return one model, after a look at whether it does what PyTorch does."""
    content = model_bytes(exported)
    difference = difference_from_pytorch(content, exported)
    require(difference <= TOLERANCE, "model", file, f"what PyTorch gives, and it differs by {difference:.1e}")
    return content


def _described_model(content: bytes, exported: Exported, file: str) -> dict[str, Any]:
    """Return a model's part of the card."""
    shapes = {name: list(value.shape) for name, value in exported.inputs.items()}
    return {
        "file": file,
        "sha256": hashlib.sha256(content).hexdigest(),
        "inputs": shapes,
        "output": exported.output,
    }


def model_bytes(exported: Exported) -> bytes:
    """Return the ONNX model of a network, the same bytes each time: no paths, no times, no notes of the exporter."""
    require_instance("exported", exported, Exported, "an Exported")
    program = torch.onnx.export(
        exported.module,
        tuple(exported.inputs.values()),
        dynamo=True,
        opset_version=OPSET,
        input_names=list(exported.inputs),
        output_names=[exported.output],
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    model.producer_version = ""
    for part in (model, model.graph, *model.graph.node, *model.graph.value_info, *model.graph.initializer):
        del part.metadata_props[:]
        part.doc_string = ""
    for value in (*model.graph.input, *model.graph.output):
        del value.metadata_props[:]
    del model.graph.value_info[:]
    content: bytes = model.SerializeToString(deterministic=True)
    return content


def difference_from_pytorch(content: bytes, exported: Exported) -> float:
    """Return max |f(x) − f'(x)| / max |f(x)| of an ONNX model f' and the network f at its example, on one thread."""
    require_instance("content", content, bytes, "the bytes of an ONNX model")
    require_instance("exported", exported, Exported, "an Exported")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    given = {name: value.numpy() for name, value in exported.inputs.items()}
    (made,) = session.run(None, given)
    expected = exported.expected()
    return float((torch.from_numpy(made) - expected).abs().max() / expected.abs().max())


def _source(task: Task, name: str) -> dict[str, Any]:
    """Say which weights a model was made from, and by which recipe they were trained."""
    path = task.preset.path(name)
    if not path.is_file() or (name == "denoiser" and not _is_filed(task.denoiser, path)):
        return {"weights": None, "weights_sha256": None, "recipe": None}
    _, description = load_checkpoint(path)
    return {"weights": path.name, "weights_sha256": tensors_digest(path), "recipe": description["recipe"]}


def _is_filed(denoiser: nn.Module, path: Path) -> bool:
    """Say whether a denoiser is the preset's, and none that its function or the caller brings."""
    own, filed = denoiser.state_dict(), load_denoiser(path).state_dict()
    alike = own.keys() == filed.keys()
    return alike and all(torch.equal(own[name].cpu(), filed[name]) for name in own)


def _card(task: Task, kind: str) -> dict[str, Any]:
    """Say what else is needed to run the models: the form of P, the step and the tuned settings."""
    P, tuning = load_preconditioner(task, kind), load_tuning(task)
    assert isinstance(P, LearnedPreconditioner)
    for name in ("none", kind):
        require(name in tuning, "kind", name, f"a tuned one of {tuple(tuning)}: tune {task.name}")
    settings = {name: tuning[name]["setting"] for name in ("none", kind)}
    return {
        "format": FORMAT,
        "task": task.name,
        "kind": kind,
        "img_size": list(task.img_size),
        "opset": OPSET,
        "stepsize": task.stepsize,
        **described(P.form, P.inputs, getattr(P.base, "damping", None), settings),
    }


def described(
    form: str, inputs: str, damping: float | None, settings: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return what a card says of P and of the solvers.

    Parameters
    ----------
    form, inputs : str
        How P is put together, and what it looks at.
    damping : float or None
        λ of the Newton step in it, relative to ‖A‖², above 0; None where there is none.
    settings : mapping of str to mapping
        The settings of each solver by its name, as they are in a file of tuned ones.

    Raises
    ------
    ValueError
        If an argument is outside what is accepted.

    Examples
    --------
    >>> from ddgp_lib.exporting import described
    >>> described("newton", "gradient_only", 0.03, {"newton": {"sigma": 0.07}})["preconditioner"]
    {'form': 'newton', 'inputs': 'gradient_only', 'damping': 0.03}
    """
    require_instance("form", form, str, "a text")
    require_choice("inputs", inputs, get_args(Inputs))
    if damping is not None:
        require_positive("damping", damping)
    named = isinstance(settings, Mapping) and len(settings) > 0
    named = named and all(isinstance(one, Mapping) for one in settings.values())
    require(named, "settings", settings, "the settings of one solver at least, by its name")
    return {
        "preconditioner": {"form": form, "inputs": inputs, "damping": damping},
        "settings": {name: dict(setting) for name, setting in settings.items()},
    }
