# %% [markdown]
# # Learned gradient preconditioning for imaging inverse problems
#
# *A hands-on book: notebooks that run in under a minute each, and the small tested library beneath them.*
#
# A camera that measures too little leaves much of an image undetermined. Iterative reconstruction then stalls:
# the gradient of the data term points only where the data can see. This book is about **distilled gradient
# preconditioners**: networks that learn to turn that gradient towards the one that a *teacher*, a camera that
# measures more, would have had {cite}`gualdron2025d2gp`. The teacher exists in training alone. What it has taught is
# then put into plug-and-play FISTA, an iteration that alternates a gradient step with a denoiser.
#
# ```{figure} _static/drawings/method.svg
# :name: fig-method
# :alt: A loop of boxes. From the image z the student's camera gives a gradient. The preconditioner P turns it. A step along the result and a denoiser give the next image, and momentum leads back to z. Above, in a frame for training only, a teacher that measures more gives its own gradient at the same z, which P learns to match.
#
# The method. A solver takes a step along the student's gradient, turned by $P_\theta$, and then denoises. In training,
# a teacher that measures more has a gradient at the same image, and $P_\theta$ learns to match it.
# ```
#
# Move the slider. The first two rows use the same 102 measurements of each digit and the same denoiser, and each has
# its own tuned settings. Only the second has a preconditioner. The third is the truth.

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %% tags=["hide-input"]
import ddgp_lib
from ddgp_lib import figures, widgets

task = ddgp_lib.load_task("single_pixel")
chosen = [9, 19, 28, 33]
images = task.test_images[chosen]
y = task.measure(images)
solvers = {kind: ddgp_lib.load_solver("single_pixel", kind) for kind in ("none", "distilled")}
iterates = {kind: [x for x, _ in solver.iterates(y, task.student, 50)] for kind, solver in solvers.items()}


def psnr(x):
    return float((-10 * (x - images).square().mean((1, 2, 3)).log10()).mean())


def at_iteration(k):
    rows = {"without": iterates["none"][k], "with": iterates["distilled"][k], "truth": images}
    return figures.images(
        {f"{name}, no. {i + 1}": x[i] for name, x in rows.items() for i in range(4)}, columns=4
    )


def describe(k):
    return (
        f"Three rows of four digits after {k} iterations: without a preconditioner, mean PSNR "
        f"{psnr(iterates['none'][k]):.1f} dB; with the distilled one, {psnr(iterates['distilled'][k]):.1f} dB; the truth."
    )


slider = {"draw": at_iteration, "values": [0, 1, 2, 3, 5, 10, 20, 50], "label": "iteration", "start": 3}
widgets.frames(
    **slider,
    alt=describe,
    text=lambda k: (
        f"{k} (PSNR {psnr(iterates['none'][k]):.1f} dB without, {psnr(iterates['distilled'][k]):.1f} dB with)"
    ),
    caption="Held-out MNIST digits at 32×32 from 10 % of a Hadamard basis, with noise.",
)

# %% tags=["remove-cell", "nbval-ignore-output"]
# The same control in a live kernel: change `chosen` above, run both cells, and move the slider.
widgets.live(**slider)

# %% [markdown]
# The four digits are a choice; these are the means over the first 64 held-out ones, computed by this page's notebook.

# %% tags=["hide-input"]
held_out = task.test_images[:64]
curves = {
    kind: ddgp_lib.evaluate(task, solver, images=held_out, max_iter=50).psnr.mean(dim=1)
    for kind, solver in solvers.items()
}
gain = curves["distilled"][19] - curves["none"][19]
passed = int((curves["distilled"] >= curves["none"].max()).nonzero()[0]) + 1
print(f"without: {curves['none'].max():.1f} dB at best")
print(f"with: ahead of that at iteration {passed}")
print(f"gain after 20 iterations: {gain:.1f} dB")
assert gain > 3

# %% [markdown]
# ## Three results
#
# The same comparison for the three cameras of this book (a single-pixel camera for digits, MRI of a brain,
# super-resolution of faces), after 20 iterations: the tuned solver without and with the distilled preconditioner, the
# mean gain and its standard error over held-out images. The last column is what one may
# pick instead, an unrolled network that was trained on the same images.

# %% tags=["hide-input"]
from ddgp_lib.experiments import load_benchmark
from ddgp_lib.tables import Column, table

rows = {}
for label, name in {"digits": "single_pixel", "brain": "mri", "faces": "super_resolution"}.items():
    result = load_benchmark(name)
    methods = result["side_by_side"]["methods"]
    before, after = (methods[kind]["psnr"]["20"][0] for kind in ("none", "distilled"))
    (mean, error), unrolled = methods["distilled"]["gain_20"], result["alternatives"]["methods"]["unrolled"]
    rows[label] = [before, after, (mean, error), unrolled["psnr"][0]]
    assert mean > 5 * error
heads = [Column("without", "dB", digits=1), Column("with", "dB", digits=1), Column("gain", "dB", signed=True)]
heads.append(Column("unrolled", "dB", digits=1))
table("Mean PSNR after 20 iterations; the gain with its standard error.", heads, rows, corner="images")

# %% [markdown]
# The preconditioner gains on every camera. That does not make it the best choice everywhere: the unrolled network is a
# serious rival and takes less time, and [the last chapter](three-tasks) says what each costs, and what happens when the
# camera, the noise or the images change. The records of these three are simulated from images
# that are known; see the [data cards](data.md).
#
# ## For whom
#
# You know linear algebra up to the singular value decomposition and have written a few lines of PyTorch. Students
# find each idea built up from a picture and a computation, with exercises and folded solutions. Experts in inverse
# problems find the main claims asserted in code, baselines that are tuned, and the failures as well as the gains.
#
# ## What is in it
#
# **The problem.** What cameras lose, why reconstruction is slow, and the solver that is to be improved.
#
# | chapter | what it treats |
# |---|---|
# | [Three cameras, one equation](01_three_cameras.ipynb) | single-pixel, MRI, super-resolution: what each operator does, and what it loses |
# | [Conditioning](02_conditioning.ipynb) | what makes reconstruction slow, what makes it impossible, and which of the two a function of $A^\top A$ can mend |
# | [Plug-and-play FISTA](03_pnp_fista.ipynb) | a denoiser in the prox's place, step size, momentum, fixed points, divergence |
#
# **Preconditioning by hand.** What can be done without a teacher.
#
# | chapter | what it treats |
# |---|---|
# | [Linear preconditioners](04_linear_preconditioners.ipynb) | Newton, Jacobi, circulant, polynomial: what a few products buy, and what algebra forbids |
# | [Learning a linear preconditioner](05_learned_linear.ipynb) | least squares on the data term, what the data term cannot see; quasi-Newton steps |
#
# **Distillation.** The book's subject.
#
# | chapter | what it treats |
# |---|---|
# | [Building a teacher](06_teachers.ipynb) | a synthetic, better operator: what it asks for, and what of that can be guessed |
# | [The linear answer in closed form](07_closed_form.ipynb) | the best linear gradient matcher, one regression for each iteration |
# | [Distilling a network](08_distilling.ipynb) | losses term by term, pairings, the pool, a live training |
# | [Eight networks](09_networks.ipynb) | what to put inside $P$ |
# | [When it breaks](10_when_it_breaks.ipynb) | forms, training horizon, fading, safeguard; and what no guard sees |
#
# **Case studies.** Each the whole way from operator to results.
#
# | chapter | what it treats |
# |---|---|
# | [Single-pixel camera](11_single_pixel.ipynb) | baseline, teacher, training, evaluation, failure |
# | [MRI](12_mri.ipynb) | k-space, masks, phase, several coils |
# | [Super-resolution](13_super_resolution.ipynb) | a real spectrum, where Newton's step is the one to beat |
#
# **Beyond the paper.**
#
# | chapter | what it treats |
# |---|---|
# | [Other solvers](14_other_solvers.ipynb) | PGD, HQS, ADMM; operators that change |
# | [At scale](15_at_scale.ipynb) | your own images, what a training costs, several processes, half precision |
# | [Three cameras, one recipe](16_three_tasks.ipynb) | the tasks side by side, against rivals, and where the gains end |
# | [Your own camera](17_your_own_camera.ipynb) | a fourth camera, from deepinv's operator and a folder to a verdict |
#
# **Measured data.** Measurements that nobody here simulated.
#
# | chapter | what it treats |
# |---|---|
# | [A camera without a lens](20_lensless.ipynb) | two raw pictures of a sensor, held-out pixels, classical methods; nothing is learned there yet |
#
# Beside them: [notation](notation.md), [glossary](glossary.md), [library reference](api.md), [data](data.md),
# [how this book is tested](testing.md) and [how to teach with it](teaching.md).
#
# ## Three ways in
#
# **Read.** Everything works on the page, sliders included, without a kernel and without a network.
#
# **Run.** The arrow at the top of a chapter downloads its notebook. Where the site has a public repository, a rocket
# beside it opens the notebook in Binder or Colab. On your own machine:
#
# ```
# make test    # sets up everything, runs every check
# make book    # builds this site
# ```
#
# The library reconstructs in four lines, and its solvers are ordinary deepinv reconstructors
# {cite}`tachella2025deepinverse`:
#
# ```python
# import ddgp_lib
#
# task = ddgp_lib.load_task("single_pixel")
# solver = ddgp_lib.load_solver("single_pixel")
# x = solver(task.measure(task.test_images[:8]), task.student)
# ```
#
# **Teach.** Each chapter has a quiz, and exercises with folded solutions and cells that check an answer. [How to teach
# with it](teaching.md) has plans for three courses, seven [problem sets that grade themselves](teaching_sets.md), notes
# [for the board](teaching_board.md) and slides.
#
# ## What it goes beyond
#
# The starting point is one paper {cite}`gualdron2025d2gp`. Its tables are not reproduced here: every number in this
# book is measured by this book. Three things differ from the paper: the preconditioner also sees the
# iterate, it acts in the null space alone (for super-resolution, beside a Newton step), and it is trained on states that
# it causes itself. Each is compared with its absence: the first in the [single-pixel case study](single-pixel), the
# second where [forms break](when-it-breaks), the third where [networks are trained](distilling).
#
# ## Cite and reuse
#
# Cite the paper for the method, and this book by the file `CITATION.cff` of its repository. Code is under the BSD
# 3-clause licence; text and figures are under CC BY 4.0; the digits are MNIST's, under CC BY-SA 3.0
# {cite}`lecun1998gradient`.
