# %% [markdown]
# # Learned gradient preconditioning for imaging inverse problems
#
# *A hands-on book for students and experts: notebooks of at most 20 minutes' reading, which run in under a minute each,
# and the small tested library beneath them.*
#
# **[Read the first chapter](01_three_cameras.ipynb)** **[Run it yourself](three-ways-in)** **[Teach with
# it](teaching.md)**
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
# Three cameras, and what $P$ gains behind each over the best method that learns nothing:

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %% tags=["hide-input"]
import math

import ddgp_lib
from ddgp_lib import figures, widgets
from ddgp_lib.experiments import load_benchmark
from ddgp_lib.experiments.measured import load_result
from ddgp_lib.experiments.seeds import best_of, gain, rivals_of, values_of
from ddgp_lib.experiments.verdicts import lead, reference_of, title_of, verdict
from ddgp_lib.tables import Column, table

names = {"digits": "single_pixel", "brain": "mri", "faces": "super_resolution"}
measured = {label: load_benchmark(name)["seeds"] for label, name in names.items()}
examples = {}
for label, name in names.items():
    camera = ddgp_lib.load_task(name)
    truth, nothing = camera.test_images[2:3], reference_of(measured[label])
    data = camera.measure(truth)
    row = {"data": camera.stepsize * camera.student.A_adjoint(data)}
    for title, kind in ((title_of(nothing), nothing), ("with P", "distilled")):
        row[title] = ddgp_lib.load_solver(camera, kind)(data, camera.student)
    row["truth"] = truth
    examples[label] = {title: camera.picture(x) for title, x in row.items()}

# %% mystnb={"figure": {"name": "fig-index-thumbnails", "caption": "Reconstructed with P: a digit from 102 numbers, a brain slice from a quarter of k-space, and a face from 16 by 16 pixels. Above each, the mean gain of P over all test images; that of the brain is in the head. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Three small pictures, a handwritten digit, a brain slice and a blurred face, with the gain in decibels above each."}} tags=["hide-input"]
thumbnails = {}
for label, row in examples.items():
    gained = lead(measured[label], region=label == "brain").mean
    thumbnails[f"{label}: {gained:+.1f} dB".replace("-", "\u2212")] = row["with P"]
figures.images(thumbnails, columns=3)

# %% [markdown]
# (The gains with their errors, and those over other networks, are in a [table below](three-results).)
#
# Move the slider. The first three rows use the same 102 measurements of each digit, and each method has its own tuned
# settings. The first is plug-and-play FISTA as it is. The second is the best method that we know of those that learn
# nothing for this camera. The third has a preconditioner. The last is the truth.

# %% tags=["hide-input"]
classical = reference_of(measured["digits"])
task = ddgp_lib.load_task("single_pixel")
chosen = [9, 19, 28, 33]
images = task.test_images[chosen]
y = task.measure(images)
kinds = {"no P": "none", title_of(classical): classical, "with P": "distilled"}
iterates = {}
for name, kind in kinds.items():
    solver = ddgp_lib.load_solver("single_pixel", kind)
    iterates[name] = [x for x, _ in solver.iterates(y, task.student, 50)]


# %% tags=["hide-input"]
def psnr(x):
    return float((-10 * (x - images).square().mean((1, 2, 3)).log10()).mean())


def at_iteration(k):
    rows = {name: path[k] for name, path in iterates.items()} | {"truth": images}
    panels = {}
    for name, x in rows.items():
        for i in range(4):  # one label a row
            panels[name if i == 0 else " " * len(panels)] = x[i]
    return figures.images(panels, columns=4)


def quality(k):
    reached = {name: psnr(path[k]) for name, path in iterates.items()}
    return ", ".join(f"{name} {value:.1f} dB" for name, value in reached.items())


slider = {"draw": at_iteration, "label": "iteration", "start": 5}
slider["values"] = [1, 2, 3, 5, 10, 20, 50]
widgets.frames(
    **slider,
    alt=lambda k: f"Four rows of digits after {k} iterations: {quality(k)}; the truth.",
    text=lambda k: f"{k} ({quality(k)})",
    caption="Held-out MNIST digits at 32×32 from 10 % of a Hadamard basis, with noise.",
)

# %% tags=["remove-cell", "nbval-ignore-output"]
# The same in a live kernel: change `chosen` above, run both cells, move the slider.
widgets.live(**slider)

# %% [markdown]
# We picked these four digits. What counts is the average over many.
#
# (three-results)=
# ## Three results
#
# The three cameras of this book are a single-pixel camera for digits, MRI of a brain, and super-resolution of faces.
# Two questions: how much is the preconditioner ahead of the *best method that learns nothing*, total variation and
# plug-and-play with a falling noise level among them? And of the best of the networks that one may train instead, on
# the same images? (They had the same time, and for faces more: there the training of $P$ was stopped early, because
# validation faces stop gaining. For the brain, with [four times the time](12_mri.ipynb) for both, the closest rival
# is even with $P$.) $P$ and the best rivals were trained three times. The table has means over held-out
# images after 20 iterations, with 95 % intervals over images and trainings. For the brain the head alone is judged too,
# since much of a slice is black.

# %% tags=["hide-input"]
places = {"digits": ("digits", False), "brain": ("brain", False)}
places |= {"brain, head": ("brain", True), "faces": ("faces", False)}
rows, words = {}, []
for place, (label, region) in places.items():
    found = measured[label]
    nothing = title_of(reference_of(found, region=region))
    rival = best_of(found, rivals_of(found), region=region)
    ahead = lead(found, region=region)
    against = gain(found, "distilled", rival, region=region)
    psnr_with_p = float(values_of(found, "distilled", region=region).mean())
    row = [nothing, psnr_with_p, (ahead.mean, ahead.interval)]
    rows[place] = [*row, title_of(rival), (against.mean, against.interval)]
    standing = f"{verdict(ahead)} {nothing}, {verdict(against)} {title_of(rival)}"
    words.append(f"{place}: P is {standing}.")
heads = ["best that learns nothing", Column("P", "dB", digits=1)]
heads += [Column("P over it", "dB", signed=True), "best rival"]
heads.append(Column("P over the rival", "dB", signed=True))
caption = "Mean PSNR with P after 20 iterations, and its gains."
table(caption, heads, rows, corner="images")

# %% tags=["hide-input"]
for place, (label, region) in places.items():
    found = measured[label]
    tried = ("distilled", *rivals_of(found))
    leads = [verdict(lead(found, name, region=region)) for name in tried]
    if "ahead of" not in leads:
        words.append(f"{place}: neither P nor a network is ahead of {rows[place][0]}.")
print("\n".join(words))

# %% [markdown]
# One image of each, the third test image, as in [another chapter](18_rivals.ipynb). All methods of a row have the same
# data.

# %% mystnb={"figure": {"name": "fig-index-three", "caption": "From top to bottom a digit, a brain slice and a face: what the data give in one gradient step, the best method that learns nothing, the preconditioner, and the truth. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Three rows of four pictures. Left, a blocky digit, a smeared brain slice and a blurred face. To the right the best method that learns nothing, with P, and the truth, with the PSNR above each."}} tags=["hide-input"]
panels = {}
for label, row in examples.items():
    for title, picture in row.items():
        error = float((picture - row["truth"]).square().mean())
        reached = f"\n{-10 * math.log10(error):.1f} dB" if title not in ("data", "truth") else ""
        panels[f"{label}\n{title}{reached}"] = picture
figures.images(panels, columns=4)

# %% [markdown]
# [Against the best rivals](18_rivals.ipynb) has all methods, all errors, times, and what is not shown. It also has a
# negative result that concerns the name of the method: with everything else as it ships, a training on the true image
# alone is as good, so [the teacher hardly matters](18_rivals.ipynb). [Three
# cameras](three-tasks) says what happens when the camera, the noise or the images change. The records of these three
# are simulated from images that are known; see the [data cards](data.md).
#
# On measurements that nobody here simulated, one $P$ was learned on photographs for
# [two real single-pixel cameras](21_real_single_pixel.ipynb). Another, learned on simulated scans, is taken to [the
# scans of three scanners](22_scanner.ipynb). The table has gains over the best method that learns no more than a
# denoiser, chosen with hindsight, by measurements that were held out. (Chosen as one must, without hindsight, the others
# are weaker; the chapters have both.)

# %% tags=["hide-input"]
real, by_record = {}, {}
for row in load_result("single_pixel")["rows"]:
    by_record.setdefault(row["condition"], []).append((row["gain"] or 0, row["method"]))
for record, found in by_record.items():
    own = max(gain for gain, method in found if method.startswith("P,"))
    others, best = max(pair for pair in found if not pair[1].startswith("P,"))
    real[f"single pixel: {record}"] = [best.split(",")[0], own - others]
words = {"lowfield_gre": "0.055 T, gradient echo", "lowfield_fse": "0.055 T, spin echo"}
for name, coils in {"low_field": "", "head": "7 coils, ", "prospective": "8 coils, "}.items():
    for scan, found in load_result(name)["over_best"].items():
        found = found.get("classical", found)
        place = f"MRI: {words.get(scan, coils + scan)}"
        real[place] = [found["best"].split(",")[0], (found["gain"], found["gain_error"])]
heads = ["best without P", Column("P over it", "dB", signed=True)]
caption = "Measured data: gain of P; for MRI with its standard error."
table(caption, heads, real, corner="record")

# %% [markdown]
# ## For whom
#
# You know linear algebra up to the singular value decomposition and have written a few lines of PyTorch. Students find
# each idea built up from a picture and a computation, with exercises and folded solutions. Experts in inverse problems
# find the main claims asserted in code, the strongest method that learns nothing as the first reference, and the
# failures as well as the gains.
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
# | [Super-resolution](13_super_resolution.ipynb) | a real spectrum, where Newton's step is the one to beat; borders |
#
# **Beyond the paper.**
#
# | chapter | what it treats |
# |---|---|
# | [Other solvers](14_other_solvers.ipynb) | PGD, HQS, ADMM; operators that change |
# | [At scale](15_at_scale.ipynb) | your own images, what a training costs, several processes, half precision |
# | [Three cameras, one recipe](16_three_tasks.ipynb) | the tasks side by side, other conditions, and where the gains end |
# | [Your own camera](17_your_own_camera.ipynb) | a fourth camera, from deepinv's operator and a folder to a verdict |
# | [Against the best rivals](18_rivals.ipynb) | the best that learns nothing, networks that one may train instead, time, the teacher |
#
# **Measured data.** Measurements that nobody here simulated.
#
# | chapter | what it treats |
# |---|---|
# | [A camera without a lens](20_lensless.ipynb) | two raw pictures of a sensor, held-out pixels, classical methods; nothing is learned there yet |
# | [Two real single-pixel cameras](21_real_single_pixel.ipynb) | signs, noise without repeats, settings from simulation alone; one $P$ learned on photographs for both |
# | [Three scanners, one preconditioner](22_scanner.ipynb) | heads at 0.055 T and 3 T, one coil, seven and eight; a soft null space; one $P$ learned for many scans |
#
# Beside them: [notation](notation.md), [glossary](glossary.md), [library reference](api.md), [data](data.md),
# [how this book is tested](testing.md) and [how to teach with it](teaching.md).
#
# (three-ways-in)=
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
# book is measured by this book. Three things differ from the paper: the preconditioner also sees the iterate, it acts
# in the null space alone (for super-resolution, beside a Newton step), and it is trained on states that it causes
# itself. What each is worth, all else equal, is measured where [networks are trained](distilling), and for the form
# where [forms break](when-it-breaks). (The *gradient only* of the case studies differs in its losses too, so it is not
# that comparison.)
#
# ## Cite and reuse
#
# Cite the paper for the method, and this book by the file `CITATION.cff` of its repository. Code is under the BSD
# 3-clause licence; text and figures are under CC BY 4.0; the digits are MNIST's, under CC BY-SA 3.0
# {cite}`lecun1998gradient`.
