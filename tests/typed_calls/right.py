"""Calls that a type checker must accept; ``test_types.py`` has them checked, and nobody runs them."""

from typing import assert_type

import deepinv
import torch
from deepinv.physics import GaussianNoise

import ddgp_lib
from ddgp_lib.linear import learn_linear
from ddgp_lib.names import TaskName
from ddgp_lib.networks import build_network
from ddgp_lib.presets import PRESETS
from ddgp_lib.recipes import LinearRecipe

task = ddgp_lib.load_task("single_pixel", ratio=0.2, ordering="zig_zag")
assert_type(task, ddgp_lib.Task)
ddgp_lib.load_task("mri", acceleration=8, coils=4, nested=False)
ddgp_lib.load_task("super_resolution", filter="bicubic", denoiser=task.denoiser)
ddgp_lib.load_task("single_pixel", images=ddgp_lib.data.load_digits())
names: tuple[TaskName, ...] = ("single_pixel", "mri")
for name in names:
    ddgp_lib.load_task(name, size=64, sigma=0.05)
for preset in PRESETS.values():
    preset.load(noise=0.02)

recipe = ddgp_lib.DistillationRecipe(
    network="vit", form="free", losses={"gradient": 1.0}, schedule="one_cycle"
)
ddgp_lib.distill(task)
ddgp_lib.distill(task, recipe, steps=10)
ddgp_lib.distill(task, "cnn", steps=10, bias=True, device="cpu", noise_range=(0.01, 0.1))
distillation = ddgp_lib.distill(task, network="cnn", momentum="none", progress=False)
tuned = ddgp_lib.tune_run(
    task, distillation.preconditioner, recipe, tuned_steps=5, tuned_losses={"scale": 1.0}
)
linear = ddgp_lib.distill_linear(task, LinearRecipe(structure="rows"), ridges=(1e-3,), after="last")
assert_type(linear.history, dict[str, list[float]])
ddgp_lib.distill_linear(task, n_images=10)
learn_linear(task, "convolution", 3, momentum="deepinv")
build_network("unet", 1, 1, parameters="small")

solver = ddgp_lib.load_solver(task, safeguard=ddgp_lib.Safeguard(), momentum="none")
ddgp_lib.load_solver("mri", "distilled_linear", max_iter=5, task=task, sigma=0.1)
ddgp_lib.save_preconditioner("weights.safetensors", distillation, task)
preconditioner = ddgp_lib.load_preconditioner("weights.safetensors")
trace = ddgp_lib.evaluate(task, preconditioner, images=task.test_images[:2], physics=task.teacher)
assert_type(trace.psnr, torch.Tensor)

y = task.measure(task.test_images)
x = solver(y, task.student)
assert_type(task.student.A_adjoint(y), torch.Tensor)
blur = deepinv.physics.Downsampling((1, 64, 64), filter="gaussian", factor=4, noise_model=GaussianNoise(0.1))
ddgp_lib.make_task(blur, blur, ddgp_lib.data.load_faces(64), task.denoiser, sigma=0.03)
