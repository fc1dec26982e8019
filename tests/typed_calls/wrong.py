"""Calls that a type checker must refuse: each line that ends in ``# wrong: CODE``, with this code, and no other.

``test_types.py`` has them checked, and nobody runs them.
"""

from deepinv.physics import GaussianNoise

import ddgp_lib
from ddgp_lib.linear import learn_linear
from ddgp_lib.networks import build_network
from ddgp_lib.recipes import AlternativeRecipe, LinearRecipe
from ddgp_lib.training import build_schedule

ddgp_lib.load_task("singlepixel")  # wrong: call-overload
ddgp_lib.load_task("single_pixel", ordring="x")  # wrong: call-overload
ddgp_lib.load_task("single_pixel", ordering="x")  # wrong: call-overload
ddgp_lib.load_task("mri", ratio=0.2)  # wrong: call-overload
ddgp_lib.load_task("super_resolution", filter="gauss")  # wrong: call-overload

task = ddgp_lib.load_task("single_pixel")
ddgp_lib.DistillationRecipe(form="nul_space")  # wrong: arg-type
ddgp_lib.DistillationRecipe(stepz=3)  # wrong: call-arg
ddgp_lib.DistillationRecipe(losses={"gradients": 1.0})  # wrong: dict-item
ddgp_lib.distill(task, "u_net")  # wrong: arg-type
ddgp_lib.distill(task, form="nul_space")  # wrong: arg-type
ddgp_lib.distill(task, stepz=3)  # wrong: call-arg
ddgp_lib.distill(task, LinearRecipe())  # wrong: arg-type
ddgp_lib.distill_linear(task, ddgp_lib.DistillationRecipe())  # wrong: arg-type
ddgp_lib.distill_linear(task, form="penalised")  # wrong: arg-type
learn_linear(task, "rows")  # wrong: arg-type
build_network("unet", 1, 1, parameters="large")  # wrong: arg-type
build_schedule("cosine", 10)  # wrong: arg-type
AlternativeRecipe("end to end", steps=1, batch_size=1)  # wrong: arg-type

ddgp_lib.load_solver("cassi")  # wrong: arg-type
ddgp_lib.load_solver(task, momentum="heavy")  # wrong: arg-type
ddgp_lib.load_solver(task, stepsise=1.0)  # wrong: call-arg
ddgp_lib.PreconditionedFISTA(task.denoiser, sigma=0.1, momentum="heavy")  # wrong: arg-type
ddgp_lib.PreconditionedFISTA(task.denoiser, stepsize=1.0)  # wrong: call-arg
ddgp_lib.make_task(task.student, task.teacher, task.test_images, task.denoiser, 0.1)  # wrong: arg-type
task.student.A_adjoint("y")  # wrong: arg-type
task.denoiser(task.test_images)  # wrong: call-arg
GaussianNoise(sgma=0.1)  # wrong: call-arg
print(ddgp_lib.evaluate(task).psnr_curve)  # wrong: attr-defined
