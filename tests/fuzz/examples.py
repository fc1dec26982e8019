"""Every public callable of the library with arguments that it accepts: what hostile values take the place of."""

import importlib
import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import torch

import ddgp_lib
from ddgp_lib.data import Split
from ddgp_lib.denoisers import DenoiserRecipe, NoiseAwareDnCNN
from ddgp_lib.networks import build_network
from ddgp_lib.operators import HadamardCamera, LenslessCamera, birdcage_maps
from ddgp_lib.preconditioners import Scalar, State
from ddgp_lib.preconditioners.structures import Structure
from ddgp_lib.recipes import AlternativeRecipe, DistillationRecipe, LinearRecipe, build_preconditioner
from ddgp_lib.scanner import KSpace
from ddgp_lib.solvers import ScalarMetric
from tests.own_camera import PRESET, QUICK, SIZE, discs, smoothed

LATER = {"Fabric": Any}
"""Types that the library imports for a type checker alone."""

PACKAGES = (
    "analysis", "checks", "data", "denoisers", "distillation", "eigenvalues", "evaluation", "experiments",
    "exporting", "filters", "gradient_step", "kinds", "linear", "metrics", "networks", "operators", "preconditioners",
    "presets", "recipes", "scanner", "solvers", "stability", "tasks", "training",
)  # fmt: skip

TUNED = DistillationRecipe(**QUICK, tuned_steps=1, tuned_unroll=2)  # type: ignore[arg-type]

LEFT_OUT = {
    "protocols and parts that users subclass": (
        "Direction", "Kind", "LinearOperator", "Metric", "Picklable", "Settings", "Preconditioner",
        "PreconditionedIteration", "PreconditionedSolver",
        "PreconditionedADMMIteration", "PreconditionedFISTAIteration", "PreconditionedHQSIteration",
    ),
    "records of what the library found, which it makes itself": (
        "Distillation", "ErrorCurve", "LinearDistillation", "Modes", "Problem", "Run", "Split", "Step",
        "State", "Task", "Trace", "Watch", "Identity", "KSpace", "Region", "ScaledProjection", "Sensitivities",
        "DrawnScanner", "NoPrior", "PreparedScan",
    ),
    "a step of an iteration, called thousands of times with what the iteration made": (
        "extrapolate", "fista_step", "forward_backward", "relax", "no_momentum", "chambolle_dossal",
        "deepinv_momentum", "psnr_curves", "psnr_and_rejected", "tuning_score", "task_solver", "validation_psnr",
        "consistency_penalty", "decibel_loss", "gradient_loss", "row_space_penalty", "scale_loss", "squared_distance",
        "FreshStates", "RunStates", "StatePool", "ResumableTraining", "Processes", "Schedule", "is_torchrun",
        "launch", "under", "weights_of", "iteration_features", "iteration_progress", "with_iteration", "Ridge",
        "Homogeneous", "norms", "iteration_map", "preset_of", "chosen_sides", "require_scale", "require_split",
        "require_values", "single_precision", "mean_over",
    ),
    "reads or writes files, which are a family of their own": (
        "compare", "compare_benchmarks", "export_task", "exported_networks",
        "load_array", "load_fastmri_coils", "load_ismrmrd", "load_siemens",
        "load_alternative", "load_benchmark", "load_brains", "load_celeba", "load_denoiser", "load_digits",
        "load_fastmri", "load_folder", "load_measured", "load_mnist", "load_null_space_pull",
        "load_preconditioner", "load_study", "load_tuning", "read_alternative", "save_alternative",
        "save_benchmark", "save_denoiser", "save_preconditioner",
    ),
    "needs packages of an extra, see tests/test_arguments_everywhere.py": (
        "difference_from_pytorch", "model_bytes",
    ),
    "minutes, or a download": (
        "benchmark", "growth", "run_study", "tune", "pretrained_denoiser", "load_portraits", "load_faces",
        "load_photographs",
    ),
    "a description of a camera, whose parts are checked where they are used": ("Preset", "Variant"),
}  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A public callable, and keyword arguments that it accepts."""

    name: str
    call: Callable[..., Any]
    good: Mapping[str, Any]
    hints: Mapping[str, Any]

    @property
    def parameters(self) -> list[str]:
        """Names of the arguments that a hostile value may take the place of."""
        kinds = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
        found = inspect.signature(self.call).parameters.values()
        return [parameter.name for parameter in found if parameter.kind not in kinds]

    def optional(self, name: str) -> bool:
        """Say whether an argument may be None."""
        parameter = inspect.signature(self.call).parameters[name]
        return parameter.default is None or type(None) in typing.get_args(self.hints.get(name))


def public() -> dict[str, Callable[..., Any]]:
    """Return every callable that the package and its parts export, by name."""
    found: dict[str, Callable[..., Any]] = {}
    for module in (ddgp_lib, *(importlib.import_module(f"ddgp_lib.{name}") for name in PACKAGES)):
        own = [
            name
            for name, value in vars(module).items()
            if getattr(value, "__module__", "") == module.__name__
        ]
        for name in getattr(module, "__all__", own):
            value = getattr(module, name)
            raised = inspect.isclass(value) and issubclass(value, BaseException)
            if callable(value) and not name.startswith("_") and not typing.is_typeddict(value) and not raised:
                found.setdefault(name, value)
    return found


def left_out() -> set[str]:
    """Return the names that are not called with hostile arguments."""
    return {name for names in LEFT_OUT.values() for name in names}


@cache
def targets() -> dict[str, Target]:
    """Return what is called with hostile arguments, each with what it accepts."""
    special, common = _special(), _common()
    found = {}
    for name, call in sorted(public().items()):
        if name in left_out():
            continue
        parameters = inspect.signature(call).parameters.values()
        needed = [parameter.name for parameter in parameters if parameter.default is inspect.Parameter.empty]
        good = {key: common[key] for key in needed if key in common} | special.get(name, {})
        constructor = call.__init__ if inspect.isclass(call) else call
        found[name] = Target(name, call, good, typing.get_type_hints(constructor, localns=LATER))
    return found


@cache
def camera() -> ddgp_lib.Task:
    """Make the tiny camera: discs of 16×16 through a blur, and a denoiser that is not trained."""
    return smoothed()


def solver(**options: Any) -> ddgp_lib.PreconditionedFISTA:
    """Make a solver of three iterations."""
    return ddgp_lib.PreconditionedFISTA(camera().denoiser, sigma=0.05, stepsize=1.0, max_iter=3, **options)


def _common() -> dict[str, Any]:
    task, generator = camera(), torch.Generator().manual_seed(0)
    images = task.test_images[:2]
    return {
        "task": task, "physics": task.student, "student": task.student, "teacher": task.teacher,
        "denoiser": task.denoiser, "x": images, "y": task.measure(images), "z": images, "images": images,
        "img_size": (1, SIZE, SIZE), "shape": (2, 1, SIZE, SIZE), "sigma": 0.05, "tau": 1.0, "damping": 1e-2,
        "solver": solver(), "preconditioner": Scalar(0.5), "P": Scalar(0.5), "in_channels": 2, "out_channels": 1,
        "channels": 1, "steps": 2, "step": 0.5, "stepsize": 0.5, "iterations": 2, "generator": generator,
        "eigenvalues": torch.linspace(0.1, 1, 5), "values": torch.linspace(1, 0.1, 5), "adjoint": images,
        "width": 16, "height": 16, "seed": 0, "size": SIZE, "scale": 0.5, "start": 3, "truth": images,
        "stepsizes": 0.5, "recipe": DistillationRecipe(**QUICK),  # type: ignore[arg-type]
    }  # fmt: skip


def _special() -> dict[str, dict[str, Any]]:
    task, images = camera(), camera().test_images[:2]
    line = torch.linspace(0.1, 1, 5)
    coils = torch.randn(3, 16, 16, dtype=torch.complex64, generator=torch.Generator().manual_seed(0))
    return {
        "CirculantMetric": {"spectrum": torch.rand(1, SIZE, SIZE // 2 + 1) + 0.5, "sides": (SIZE, SIZE)},
        "LenslessCamera": {"psf": torch.rand(SIZE, SIZE)},
        "ScalarMetric": {"value": 2.0},
        "crop_admm": {"camera": LenslessCamera(torch.rand(8, 8)), "y": torch.rand(1, 1, 8, 8)},
        "descend_in_metric": {"metric": ScalarMetric(2.0)},
        "project_nonnegative": {"v": images - 0.5, "metric": ScalarMetric(2.0)},
        "ADMMSetting": {"sigma_first": 0.3, "sigma_last": 0.1},
        "AnnealedSetting": {"sigma_first": 0.3, "sigma_last": 0.1, "momentum": "none"},
        "AlternativeRecipe": {"name": "direct", "steps": 2, "batch_size": 2},
        "Circulant": {"spectrum": torch.rand(1, SIZE, SIZE) + 0.5},
        "Correction": {"preconditioner": ddgp_lib.LearnedPreconditioner(build_network("cnn", 2, 1, width=4))},
        "Counted": {"physics": task.student},
        "Exported": {"module": torch.nn.Identity(), "inputs": {"x": images}, "output": "y"},
        "FourierDownsampling": {"factor": 2},
        "FramedDownsampling": {"factor": 2},
        "HaarCamera": {"ratio": 0.25},
        "HadamardCamera": {"ratio": 0.25},
        "Jacobi": {"diagonal": torch.rand(1, SIZE, SIZE) + 0.5},
        "LearnedPreconditioner": {"network": build_network("cnn", 2, 1, width=4)},
        "LinearPreconditioner": {"structure": Structure("diagonal", (1, SIZE, SIZE))},
        "MLP": {"width": 8},
        "Method": {"kind": "none"},
        "NullSpacePull": {"predictor": lambda y, physics: physics.A_adjoint(y)},
        "MultiCoilCartesianMRI": {"img_size": (2, SIZE, SIZE), "coils": 2},
        "SenseMRI": {"maps": birdcage_maps(2, SIZE, SIZE), "mask": torch.ones(SIZE)},
        "CartesianMRI": {"img_size": (2, SIZE, SIZE)},
        "NoiseAwareDnCNN": {"depth": 3, "width": 8},
        "NoiseAwareUNet": {"widths": (4, 8)},
        "PatchUNet": {"widths": (8, 16)},
        "PulledSetting": {"momentum": "none", "prior_decay": None},
        "PolynomialSetting": {"momentum": "none", "prior_decay": None},
        "Setting": {"momentum": "none", "prior_decay": None},
        "Polynomial": {"coefficients": (1.0, 0.5)},
        "brightness": {"kspace": coils},
        "calibration_region": {"mask": torch.ones(8, 8, dtype=torch.bool)},
        "column_mask": {"acceleration": 4.0, "calibration": 2},
        "combine_coils": {"images": coils, "maps": coils},
        "compress_coils": {"kspace": coils, "coils": 2},
        "compress_coils_geometrically": {"kspace": coils, "coils": 2},
        "compression_matrix": {"kspace": coils, "coils": 2},
        "corner_noise": {"kspace": coils},
        "dead_leaves": {"count": 2},
        "draw_mask": {"name": "columns", "acceleration": 4.0, "calibration": 0.1},
        "energy_outside": {"maps": coils, "degree": 2},
        "normalise_maps": {"maps": coils},
        "prepare_scan": {"measured": KSpace(coils, coils[0] != 0, "scan")},
        "random_maps": {"coils": 2},
        "rough_phase": {"count": 2},
        "espirit_maps": {"kspace": coils, "kernel": 3},
        "low_resolution": {"kspace": coils},
        "mix_coils": {"matrix": coils[:, 0, :3], "kspace": coils},
        "noise_covariance": {"noise": coils.flatten(1)},
        "poisson_disc_mask": {"sides": (SIZE, SIZE), "acceleration": 4.0, "calibration": 2},
        "prewhiten": {"kspace": coils, "covariance": torch.eye(3) + 0j},
        "prewhitening_matrix": {"covariance": torch.eye(3) + 0j},
        "random_mask": {"sides": (SIZE, SIZE), "acceleration": 4.0, "calibration": 2},
        "remove_oversampling": {"kspace": coils, "size": 8},
        "root_sum_of_squares": {"images": coils},
        "scale_to_unit": {"kspace": coils},
        "without_oversampling": {"measured": KSpace(coils, coils[0] != 0, "scan", readout="width", size=(16, 8))},
        "best_beside_at": {"curves": torch.rand(3, 2, 4), "reference": torch.rand(3, 1, 4), "k": 2},
        "birdcage_maps": {"coils": 2},
        "build_alternative": {"recipe": AlternativeRecipe("direct", steps=2, batch_size=2)},
        "build_linear_preconditioner": {"recipe": LinearRecipe(structure="diagonal")},
        "build_network": {"name": "cnn"},
        "build_schedule": {"name": "one_cycle"},
        "check_denoiser": {"denoiser": task.denoiser},
        "check_fixed_point": {"step": lambda x: x},
        "check_linear": {"function": lambda x: 2 * x},
        "check_projector": {"projector": lambda x: x},
        "check_preconditioner": {"shape": (1, 1, SIZE, SIZE)},
        "check_stepsize": {"stepsize": 0.9},
        "condition_number": {"values": line},
        "cross_validation": {"residuals": torch.rand(3, 2), "factors": line.expand(3, 5), "count": 5},
        "described": {
            "form": "free", "inputs": "state_aware", "damping": 0.1, "settings": {"none": {"sigma": 0.1}},
        },
        "dense_matrix": {"physics": HadamardCamera(0.25, (1, 8, 8)), "img_size": (1, 8, 8)},
        "discrepancy_principle": {"residuals": torch.rand(3, 2), "noise": 0.1, "count": 5},
        "distill": {"recipe": DistillationRecipe(**QUICK), "progress": False},  # type: ignore[arg-type]
        "distill_linear": {"recipe": PRESET.recipes["distilled_linear"], "progress": False},
        "evaluate": {"method": solver(), "images": images, "max_iter": 2},
        "expected_error": {"coefficients": line, "noise": 0.1, "factors": line.expand(3, 5)},
        "fit_power": {"n": torch.tensor([1.0, 2.0, 4.0]), "times": torch.tensor([1.0, 2.0, 5.0])},
        "followed_sigma": {"noise": 0.1, "sigma_noise": 0.01},
        "hold_out": {"measured": torch.ones(4, 4, dtype=torch.bool), "count": 2},
        "held_out_difference": {"first": images, "second": images, "measured": images, "held_out": images >= 0},
        "held_out_error": {"prediction": images, "measured": images, "held_out": images >= 0},
        "used_residual": {"prediction": images, "measured": images, "used": images >= 0},
        "noise_by_line": {"values": images + 1, "side": 2},
        "noise_from_corners": {"values": images, "side": 2},
        "noise_from_repeats": {"repeats": images},
        "noise_from_scan": {"scan": images},
        "gaussian_noise": {"noise": 0.1},
        "Geometric": {"first": 0.5, "last": 0.1, "count": 4},
        "geometric": {"first": 0.5, "last": 0.1, "count": 4},
        "gaussian_columns": {"acceleration": 4.0},
        "jacobian": {"x": images[:1], "y": task.measure(images[:1])},
        "jacobian_norms": {"denoiser": NoiseAwareDnCNN(1, 3, 8)},
        "largest_eigenvalue": {"symmetric": lambda x: x},
        "learn_linear": {"structure": "diagonal", "n_images": 8, "iterations": 2, "progress": False},
        "load_solver": {"source": "single_pixel"},
        "load_task": {"name": "single_pixel"},
        "make_task": {"images": discs()},
        "modes": {"physics": HadamardCamera(0.25, (1, 8, 8)), "img_size": (1, 8, 8)},
        "momentum_growth": {"momentum": 0.5},
        "momentum_radius": {"momentum": 0.5},
        "paired_difference": {"values": torch.rand(3, 4), "reference": torch.rand(4)},
        "of_seed": {"kind": "distilled"},
        "perturb": {"images": images},
        "random_squares": {"side": 8},
        "Refusal": {"solver": solver(), "fallback": solver(), "highest": 1.0},
        "singular_values": {"physics": HadamardCamera(0.25, (1, 8, 8)), "img_size": (1, 8, 8)},
        "smooth_phase": {"count": 2},
        "split": {"physics": task.student},
        "split_groups": {"names": ("a", "b", "c", "d"), "fractions": (0.3,)},
        "squared_errors": {"factors": line.expand(3, 5), "data": line.expand(2, 5), "truth": line.expand(2, 5)},
        "squared_residuals": {"factors": line.expand(3, 5), "data": line.expand(2, 5)},
        "stable_boundary": {"momentum": 0.5},
        "t_quantile": {"n": 3},
        "tikhonov": {"dampings": line},
        "to_complex": {"magnitude": images, "phase": images[:, 0]},
        "second_phase": {"recipe": TUNED},
        "truncated": {"ranks": torch.tensor([1, 3])},
        "tune_run": {"preconditioner": build_preconditioner(TUNED, 1), "recipe": TUNED, "progress": False},
        "WeightAverage": {"model": build_network("cnn", 2, 1, parameters="small"), "decay": 0.5},
        "train_alternative": {"recipe": AlternativeRecipe("direct", steps=1, batch_size=2), "progress": False},
        "train_denoiser": {"images": discs(), "recipe": DenoiserRecipe(steps=1, finetune_steps=1, batch_size=2,
            jacobian_images=1, power_iterations=1), "progress": False},
    }  # fmt: skip


def called() -> dict[str, tuple[Callable[..., Any], Mapping[str, Any]]]:
    """Return what is called with hostile tensors: its arguments, of which the first is the one to spoil."""
    task = camera()
    images, y = task.test_images[:2], task.measure(task.test_images[:2])
    state = State(images, 0, task.student, y)
    network = build_network("cnn", 2, 1, width=4)
    learned = ddgp_lib.LearnedPreconditioner(network).eval().requires_grad_(False)
    solvers = {
        "FISTA": solver(),
        "FISTA with P": solver(preconditioner=learned),
        "safeguarded": solver(preconditioner=learned, safeguard=True),
        "ADMM": ddgp_lib.PreconditionedADMM(task.denoiser, sigma=0.05, tau=1.0, max_iter=2),
        "HQS": ddgp_lib.PreconditionedHQS(task.denoiser, sigma=0.05, tau=1.0, max_iter=2),
        "PGD": ddgp_lib.PreconditionedPGD(task.denoiser, sigma=0.05, max_iter=2),
    }
    found: dict[str, tuple[Callable[..., Any], Mapping[str, Any]]] = {
        f"{name}(y)": (call, {"y": y, "physics": task.student}) for name, call in solvers.items()
    }
    found["P(grad)"] = (lambda grad: learned(grad, state), {"grad": images})
    found["evaluate(images)"] = (
        lambda images: ddgp_lib.evaluate(task, solver(), images=images, max_iter=2),
        {"images": images},
    )
    found["make_task(images)"] = (
        lambda images: ddgp_lib.make_task(
            task.student, task.teacher, Split(images, images, images), task.denoiser, sigma=0.05
        ),
        {"images": images},
    )
    found["psnr(x)"] = (lambda x: ddgp_lib.metrics.psnr(x, images), {"x": images})
    found["ssim(x)"] = (lambda x: ddgp_lib.metrics.ssim(x, images), {"x": images})
    return found
