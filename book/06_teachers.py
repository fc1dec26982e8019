# %% [markdown]
# (teachers)=
# # Building a teacher: what it asks for, and what can be guessed
#
# The teacher of this book is a camera that nobody builds. It measures the training images, as the real camera, the
# student, does, but it measures them better, and the preconditioner learns to turn the student's gradient into the
# teacher's {cite}`gualdron2025d2gp`. A camera that exists only on paper costs nothing. So why not take the best one:
# all patterns, all of k-space, no blur, no noise? This chapter says what "better" can mean, finds a teacher that is
# better conditioned than the other teachers of its task and does harm, and measures how much of what a teacher asks for
# can be guessed, by a regression and by networks that were trained with teachers of growing strength.
#
# All measurements are simulated from real images, with known operators, and the noise that the tasks have by default.
#
# After this chapter you can
#
# 1. describe a teacher by four things: its rank, its condition on the range, what it does not see, and the angle
#    between its range and the student's;
# 2. say when teacher and student agree on what both see, and what is lost when they do not;
# 3. split a teacher's gradient into what the student knows and what it lacks, along the iterations;
# 4. predict from one regression for which teachers the asking goes too far, and compare it with trained networks;
# 5. say what noise in the teacher's data costs.

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import dataclasses

import torch

import ddgp_lib
from ddgp_lib import analysis, answers, figures, widgets
from ddgp_lib.distillation import DistillationRecipe, build_preconditioner
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments import study
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    gradient,
    largest_eigenvalue,
    measure,
    newton,
    normal,
    norms,
    null_projection,
    range_projection,
    squared_norm,
)
from ddgp_lib.preconditioners import Newton
from ddgp_lib.tables import Column, table

# %% [markdown]
# ## The question in one picture
#
# The student is the single-pixel camera, which measures a tenth of the Hadamard patterns, $y_s = A_s x^* + w$. A
# teacher measures more of them, $y_t = A_t x^* + w'$. At a point $z$, the two gradients are
# $\nabla g_s(z) = A_s^\top (A_s z - y_s)$ and $\nabla g_t(z) = A_t^\top (A_t z - y_t)$. Without noise, both are made
# of one vector, the error $e = z - x^*$:
#
# $$
# \nabla g_s(z) = M_s e, \quad \nabla g_t(z) = M_t e, \quad M = A^\top A .
# $$ (eq-teacher-gradients)
#
# The teacher is needed for this equation and for nothing else. When the solver runs, $y_t$ is gone: what a
# preconditioner is told is $z$, $k$, $A_s$, $y_s$ with the level of its noise, and what it has itself made of $y_s$.
#
# Three tasks serve as examples: digits of $32 \times 32$ pixels, brain slices of $64 \times 64$, faces of $64 \times
# 64$. Elsewhere in the book the slices have $128 \times 128$ pixels. Here they are halved to keep the cells short:
# what this chapter says about MRI concerns which columns of k-space are measured, and needs no fine detail. (The
# denoiser and the tuned settings remain those of the larger size; no PSNR of MRI at this size is reported.)

# %%
sizes = {"single_pixel": 32, "mri": 64, "super_resolution": 64}


def load(name, **options):
    return ddgp_lib.load_task(name, size=sizes[name], **options)


tasks = {name: load(name) for name in sizes}
digits = tasks["single_pixel"]
student, images = digits.student, digits.test_images[:200]
ratios = (0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
teachers = {r: load("single_pixel", teacher_ratio=r).teacher for r in ratios}
told = {field.name for field in dataclasses.fields(ddgp_lib.State)}
assert told == {"z", "k", "physics", "y", "noise", "prepared"}

# %% [markdown]
# Here are three teachers, with 15%, 40% and all of the patterns, and their gradients at the student's start, $z_0 =
# A_s^\top y_s$. There the student's own gradient is zero: its data are fitted. Which of the three should teach?

# %% mystnb={"figure": {"name": "fig-teacher-question", "caption": "One digit. Upper row: the truth, and what three teachers see of it. Lower row: the student's start, and the direction in which each teacher wants to change it; red is to be added, blue to be taken away."}, "image": {"alt": "Eight signed images. Upper row: a digit; the same seen with 15 per cent of the patterns, coarse and blocky; with 40 per cent, nearly clear; with all, clear. Lower row: the student's blocky start; the teachers' directions: at 15 per cent a few coarse blocks, at 40 per cent the digit's strokes with blocks around them, with all patterns the strokes with sharp edges."}} tags=["hide-input"]
shown = 4
y = digits.measure(images)
z0 = student.A_adjoint(y)
adjoints = {r: B.A_adjoint(measure(B, images, seed=1)) for r, B in teachers.items()}
upper, lower = {"$x^*$": images[shown]}, {"$z_0 = A_s^T y_s$": z0[shown]}
for r in (0.15, 0.4, 1.0):
    upper[f"$A_t^T y_t$, {r:.0%}"] = adjoints[r][shown]
    lower[f"$-\\nabla g_t$, {r:.0%}"] = -gradient(teachers[r], z0, adjoints[r])[shown]
figures.images(upper | lower, columns=4, signed=True, vmax=0.7)

# %% [markdown]
# The last one asks for the whole error. All of its wishes are right, up to its noise, and the preconditioner has to
# find them from 102 numbers. We come back to this picture with numbers, after two sections on what a better operator is.
#
# ## What "better" can mean
#
# The method's authors call the teacher *better conditioned*. Four different things can be meant.
#
# - **Rank**: how many modes the teacher sees.
# - **Condition on the range**: $\kappa$, the ratio of the strongest to the weakest mode that it sees.
# - **Null space**: the share $\lVert (I - A^+A)\,x \rVert / \lVert x \rVert$ of an image that it does not see.
# - **Angle**: how far its range is from containing the student's,
#
# $$
# \delta = \bigl\lVert (I - A_t^+A_t)\, A_s^+A_s \bigr\rVert ,
# $$ (eq-teacher-gap)
#
# the sine of the largest angle between a vector of the student's range (that of $A_s^\top$) and the teacher's
# {cite}`bjorck1973numerical`. At $\delta = 0$ the teacher sees all that the student sees; at $\delta = 1$ it is blind
# to a direction that the student sees.
#
# The first two need not improve together. In an early implementation of the method, the student of super-resolution
# blurs an image a little ($\sigma = 1$ pixel) and keeps one pixel of $4 \times 4$; its teacher blurs in the same
# way and keeps every pixel. At $32 \times 32$ pixels:

# %%
factors = {"student, ×4": 4, "teacher, blur only": 1}
cameras = {name: FourierDownsampling(factor, digits.img_size, std=1.0) for name, factor in factors.items()}
spectra = {name: analysis.singular_values(A, digits.img_size) for name, A in cameras.items()}
for name, s in spectra.items():
    print(f"{name:20s} rank {(s > 0).sum():4d}, kappa {analysis.condition_number(s):.2f}")
assert [int((s > 0).sum()) for s in spectra.values()] == [64, 1024]
low, high = (analysis.condition_number(s) for s in spectra.values())
assert low < 1.1 < 4800 < high < 4900

# %% [markdown]
# The figure shows all singular values of the two, those that are zero included.

# %% mystnb={"figure": {"name": "fig-teacher-spectra", "caption": "Singular values of a blurring student that keeps one pixel in sixteen, and of the teacher that keeps them all."}, "image": {"alt": "Singular values against their index, on a logarithmic scale. The student: 64 values, nearly level between 0.27 and 0.29, then 960 zeros, drawn as a bar at the bottom. The teacher: a smooth fall from 1 to 0.0002 over all 1024 indices."}} tags=["hide-input"]
figures.spectrum(spectra, roles={"student, ×4": "baseline", "teacher, blur only": "teacher"})

# %% [markdown]
# The teacher has sixteen times the rank and more than four thousand times the condition number. Keeping one pixel in
# $4 \times 4$ folds sixteen frequencies onto one, and the sum of their powers is about the same everywhere. The
# teacher keeps them apart, and passes on the weakest at about a five-thousandth of the strongest. In the terms of the
# [conditioning chapter](conditioning) it has turned silent modes into slow ones. That is a gain for an iteration that
# runs long enough. For a gradient it is hardly one: $\nabla g_t = M_t e$ weighs each mode by $s_i^2$, so a slow mode
# is nearly silent in what a preconditioner learns from.
#
# Now the teachers of the book's three tasks, together with some that we would rather not have: patterns in another
# order (*sequency*: by their number of sign changes, read as one line), a mask from another seed, another blur.

# %%
cases = {
    "digits, 15%": ("single_pixel", {"teacher_ratio": 0.15}),
    "digits, 40%": ("single_pixel", {}),
    "digits, 15%, sequency": ("single_pixel", {"teacher_ratio": 0.15, "ordering": "sequency"}),
    "slices, half": ("mri", {}),
    "slices, half, other seed": ("mri", {"nested": False}),
    "faces, ×2, blur 1": ("super_resolution", {}),
    "faces, ×1, blur 1": ("super_resolution", {"teacher_factor": 1}),
    "faces, ×4, blur 1": ("super_resolution", {"teacher_factor": 4}),
}
built = {label: (tasks[name], load(name, **options).teacher) for label, (name, options) in cases.items()}

# %% [markdown]
# Two of the four have to be computed: $\kappa$ where the spectrum is known, and $\delta$, equation
# {eq}`eq-teacher-gap`, by power iteration, since $\delta^2$ is the largest eigenvalue of the product of the three
# projectors.


# %%
def kappa(A):
    # Without a spectrum, A Aᵀ = I; this is checked below.
    kept = A.spectrum[A.seen > 0] if hasattr(A, "spectrum") else torch.ones(1)
    return float((kept.max() / kept.min()).sqrt())


def gap(A, B, img_size):
    def missed(v):
        return range_projection(A, null_projection(B, range_projection(A, v)))

    return max(0.0, largest_eigenvalue(missed, img_size)) ** 0.5


# %% [markdown]
# In the table, `unseen` is the mean of the share over 24 test images, and `gap` is $\delta$. `rank` counts singular
# values that are not zero; in super-resolution those up to $\eta \lVert A \rVert$, $\eta = 0.03$, count as zero, for
# $\kappa$ as well.

# %%
described = {}
print(f"{'':26s}{'rank':>6s}{'kappa':>8s}{'unseen':>8s}{'gap':>8s}")
for label, (task, B) in built.items():
    x = task.test_images[:24]
    missing = (norms(null_projection(B, x)) / norms(x)).mean()
    described[label] = B.rank, kappa(B), float(missing), gap(task.student, B, task.img_size)
    print(f"{label:26s}{B.rank:6d}" + "".join(f"{value:8.2f}" for value in described[label][1:]))

# %% tags=["hide-input"]
ranks, kappas, unseen, gaps = ({label: row[i] for label, row in described.items()} for i in range(4))
for task, B in built.values():
    Bx = B.A(task.test_images[:24])
    assert kappa(B) > 1 or (B.A(B.A_adjoint(Bx)) - Bx).abs().max() < 1e-5
assert kappas["faces, ×4, blur 1"] < 1.1 < kappas["faces, ×2, blur 1"] < 6
assert ranks["faces, ×4, blur 1"] > tasks["super_resolution"].student.rank
assert unseen["faces, ×4, blur 1"] > 0.5
assert gaps["faces, ×2, blur 1"] < 0.06 < 0.65 < gaps["faces, ×4, blur 1"]  # sin 40° = 0.64
nested = ("digits, 15%", "digits, 40%", "slices, half")
assert max(gaps[label] for label in (*nested, "faces, ×1, blur 1")) < 0.01
assert min(gaps["digits, 15%, sequency"], gaps["slices, half, other seed"]) > 0.99
between = FourierDownsampling(2, digits.img_size, std=1.0).A(images[:1])
torch.testing.assert_close(cameras["student, ×4"].A(images[:1]), between[..., ::2, ::2], rtol=0, atol=1e-5)

# %% [markdown]
# The best-conditioned teacher of super-resolution is the last: $\kappa$ below 1.1, and more modes than the student.
# But it misses more than half of an image, by norm, and a part of what the student sees is at more than $40°$ to its
# range. Keep it in mind: what it is worth will depend on the form of $P$, and not on its condition number.
#
# ## Nested: what both see, both see alike
#
# A gap of zero means that the range of $A_s^\top$ lies in the range of $A_t^\top$, and that is the same as $A_s = B
# A_t$ for some matrix $B$: the student's data could be computed from the teacher's. Where student and teacher take
# the first rows of one list, this holds by itself. Both the orders of the Hadamard patterns and the random order of
# MRI columns (`nested=True`) are such lists. For two cameras that decimate on nested grids it holds if the blur is
# the same, and nearly so for the blurs of our task.
#
# Let $A A^\top = I$ for both. Then $M_s$ and $M_t$ are projectors, and if they are nested, $M_s M_t = M_s$. With
# equation {eq}`eq-teacher-gradients`,
#
# $$
# \begin{aligned}
# A_s^+A_s\, \nabla g_t &= \nabla g_s, \\
# S_c(\nabla g_s, \nabla g_t) &= \frac{\lVert \nabla g_s \rVert}{\lVert \nabla g_t \rVert} .
# \end{aligned}
# $$ (eq-teacher-agree)
#
# The teacher repeats what the student's data say, and adds a part in the null space of $A_s$. So a preconditioner of
# the form $\nabla g_s + h$ with $A_s h = 0$ can in principle reach the cosine similarity $S_c = 1$. What if the two
# are not nested? Let $b$ be what the form starts from, $\nabla g_s$ or, in super-resolution, the Newton step
# {eq}`eq-newton`, $R_\lambda \nabla g_s$ with $\lambda = 0.001$, without the little of it that lies in modes which count
# as zero; let $\nu$ be the share of $\lVert \nabla g_t \rVert^2$ in the null space of $A_s$, and
# $\chi = S_c(b, A_s^+A_s \nabla g_t)$ the *agreement* in the student's row space. Then
#
# $$
# \max_{A_s h = 0} S_c(b + h, \nabla g_t) = \sqrt{\nu + (1 - \nu)\, \chi^2}
# $$ (eq-teacher-ceiling)
#
# for $b$ in the row space of $A_s$ and $\chi \ge 0$ ({ref}`ex-teacher-ceiling`). A second trouble is not in this
# formula. The part that the teacher asks for in the null space has two sources,
#
# $$
# (I - A_s^+A_s)\, M_t e = (I - A_s^+A_s)\, M_t \bigl[ (I - A_s^+A_s)\, e + A_s^+A_s\, e \bigr] ,
# $$ (eq-teacher-leak)
#
# the error that is there, and the error of the *range*, which leaks. For nested projectors the leak is zero. We
# measure all of it where the student's own tuned solver is after three iterations, without noise in the gradients:
# the cosine similarity of $b$ and $\nabla g_t$, the parts $\nu$ and $\chi$, the ceiling {eq}`eq-teacher-ceiling`, and
# the norm of the leak as a share of what is asked for in the null space.


# %%
def cosine(a, b):
    return torch.cosine_similarity(a.flatten(1), b.flatten(1))


def compare(A, B, b, e):
    wanted = normal(B, e)
    seen, hidden = range_projection(A, wanted), null_projection(A, wanted)
    nu, chi = (norms(hidden) / norms(wanted)) ** 2, cosine(b, seen)
    leak = norms(null_projection(A, normal(B, range_projection(A, e)))) / norms(hidden)
    return cosine(b, wanted), nu, chi, (nu + (1 - nu) * chi**2).sqrt(), leak


# %% [markdown]
# The next cell runs the solvers, that of super-resolution with Newton's step, and keeps $e$ and $b$ for six images of
# each task.


# %%
def after_three(task, kind):
    A, x = task.student, task.test_images[:6]
    solver = ddgp_lib.load_solver(task.name, kind, task=task)
    e = list(solver.iterates(task.measure(x), A, 3))[-1][1] - x
    b = normal(A, e)
    return e, range_projection(A, newton(A, b, 1e-3)) if kind == "newton" else b


kinds = {"single_pixel": "none", "mri": "none", "super_resolution": "newton"}
points = {name: after_three(task, kinds[name]) for name, task in tasks.items()}

# %% [markdown]
# Which teachers does the student contradict, and does the ceiling show it?

# %%
found = {}
print(f"{'':26s}" + "".join(f"{column:>9s}" for column in ("cosine", "nu", "chi", "ceiling", "leak")))
for label, (task, B) in built.items():
    e, b = points[task.name]
    found[label] = [float(v.mean()) for v in compare(task.student, B, b, e)]
    print(f"{label:26s}" + "".join(f"{value:9.2f}" for value in found[label]))

# %% tags=["hide-input"]
chi, ceiling, leak = ({label: row[i] for label, row in found.items()} for i in (2, 3, 4))
for label in nested:
    assert chi[label] > 0.9999 < ceiling[label]
    assert leak[label] < 1e-4
assert chi["digits, 15%, sequency"] < 0.85
assert chi["slices, half, other seed"] < 0.95 < ceiling["slices, half, other seed"]
assert ceiling["faces, ×4, blur 1"] < 0.95 < 0.99 < ceiling["faces, ×2, blur 1"]
assert leak["faces, ×4, blur 1"] > 5 * leak["faces, ×2, blur 1"]
pair = torch.tensor([found["faces, ×2, blur 1"], found["faces, ×1, blur 1"]])
assert (pair[0] - pair[1]).abs().max() < 0.03


# %% [markdown]
# The nested teachers with orthonormal rows agree with the student exactly. The two that are not nested have $\chi$
# below one, since they are silent about some of the student's rows. But the ceiling stays near one, because most of
# the gradient is in the null space anyway: a loss that matches cosines will hardly notice.
#
# In super-resolution the student's own gradient would agree badly with any teacher's, since the two weigh their
# modes differently ({ref}`ex-teacher-whiten`); with Newton's step as $b$ the agreement with the task's teacher is
# nearly complete. And compare $\times 2$ with $\times 1$: the teacher that keeps every pixel sees more than twice
# the modes, and its gradient is the same within 0.03 in every column. Slow modes, as announced.
#
# ## A teacher that contradicts
#
# What does nesting protect, if the cosine hardly notices? Imagine that training succeeds beyond all hope: the
# preconditioner returns the teacher's gradient exactly. We can have such a preconditioner, by cheating. The next one
# knows $y_t$. In the free form it *is* the teacher's gradient. In the null-space form, it keeps the student's
# gradient and takes from the teacher only what lies in the null space of $A_s$.


# %%
class Granted(ddgp_lib.Preconditioner):
    def __init__(self, task, teacher, images, null_space):
        super().__init__()
        self.teacher, self.null_space = teacher, null_space
        self.adjoint = teacher.A_adjoint(measure(teacher, images, seed=1))
        self.scale = 1 / (task.stepsize * squared_norm(teacher, task.img_size))

    def forward(self, grad, state):
        wanted = self.scale * gradient(self.teacher, state.z, self.adjoint)
        return grad + null_projection(state.physics, wanted) if self.null_space else wanted


# %% [markdown]
# Everything else is as usual: the student's data, its denoiser, twenty iterations without momentum.


# %%
def reach(task, B=None, null_space=False):
    x = task.test_images[:12]
    P = None if B is None else Granted(task, B, x, null_space)
    solver = ddgp_lib.PreconditionedFISTA(
        task.denoiser, P, stepsize=task.stepsize, sigma=task.sigma, momentum="none"
    )
    trace = ddgp_lib.evaluate(task, solver, images=x, max_iter=20)
    return [float(v.mean()) for v in (trace.psnr[0], trace.psnr[-1], trace.residual[-1])]


# %% [markdown]
# The numbers are the PSNR after 1 and after 20 iterations, and the data residual. Who does better than no $P$?

# %%
good, other, two, four = "digits, 15%", "digits, 15%, sequency", "faces, ×2, blur 1", "faces, ×4, blur 1"
granted = {f"{name}, no P": reach(tasks[name]) for name in ("single_pixel", "super_resolution")}
for label in (good, other, two, four):
    for form in ("free", "null space"):
        granted[f"{label}, {form}"] = reach(*built[label], form == "null space")
print(f"{'':36s}{'k = 1':>9s}{'k = 20':>11s}{'residual':>11s}")
for label, (first, last, residual) in granted.items():
    print(f"{label:36s}{first:6.2f} dB{last:8.2f} dB{residual:11.3f}")

# %% tags=["hide-input"]
end = {label: values[1] for label, values in granted.items()}
residual = {label: values[2] for label, values in granted.items()}
plain, plain_faces = end["single_pixel, no P"], end["super_resolution, no P"]
assert end[f"{good}, free"] - plain > 2 > 0.6 > end[f"{other}, free"] - plain
assert residual[f"{other}, free"] > 2 * residual["single_pixel, no P"] > 2 * residual[f"{good}, free"]
assert end[f"{other}, null space"] > end[f"{good}, free"] - 0.1
assert end[f"{two}, free"] > plain_faces + 5
assert end[f"{four}, free"] < plain_faces - 4
assert end[f"{four}, null space"] < plain_faces
assert plain_faces + 2 < end[f"{two}, null space"] < end[f"{two}, free"] - 2
lost_rows = int((student.mask * (1 - built[other][1].mask)).sum())
print(f"{lost_rows} of the student's {student.rank} patterns are not among the teacher's")
assert (lost_rows, student.rank) == (39, 102)

# %% [markdown]
# (The setting is one for all rows of a task and not tuned, and the means are over 12 images: look at the signs and at
# differences of decibels.) The nested teacher, granted in full, gains more than 2 dB with 52 more patterns. The one
# with its patterns in another order gains little, although all that it says is true: 39 of the student's 102 patterns
# are not among its own. Along these, the free form takes no gradient step, nothing corrects what the denoiser does
# there, and the data residual is more than twice that without $P$. *To imitate this teacher is to forget what was
# measured.* In the null-space form nothing is forgotten, and then this teacher is as good as the nested one.
#
# In super-resolution the task's own teacher gains in both forms, but less in the null-space form: there the range is
# left to the student's plain gradient, and its slow modes stay slow. That is why the preconditioners of this task
# have the form $R_\lambda \nabla g + (I - A_s^+A_s)\, N_\theta$, with the Newton step {eq}`eq-newton` on the range.
#
# The teacher with $\kappa$ below 1.1 costs more than 4 dB if it is granted in the free form, and even in the null-space
# form it stays below no $P$. At the start the student's range error is large, and it leaks ({eq}`eq-teacher-leak`). What
# this teacher asks for in the null space is then almost nothing but an echo of errors that belong to the student's own
# data. The next cell takes the echo away and looks at what is left of the request, by norm:

# %%
A, x = tasks["super_resolution"].student, tasks["super_resolution"].test_images[:6]
start = A.A_adjoint(tasks["super_resolution"].measure(x)) - x
for label in (two, four):
    B, own = built[label][1], range_projection(A, start)
    wish, rest = (null_projection(A, normal(B, e)) for e in (start, start - own))
    left = (norms(rest) / norms(wish)).mean()
    print(f"{label}: at the start, {left:.2f} of what is asked for is left without the leak")
    assert left < 0.2 if label == four else left > 0.9

# %% [markdown]
# The echo goes away by itself if the range is repaired first. That is what the Newton step in the form of this task does.
# So we grant both teachers in *this* form, too:


# %%
class BesideNewton(Granted):
    def forward(self, grad, state):
        wanted = self.scale * gradient(self.teacher, state.z, self.adjoint)
        base = Newton(1e-3, 1e-3)(grad, state)
        return base + null_projection(state.physics, wanted)


# %%
x = tasks["super_resolution"].test_images[:12]
chosen = {label: BesideNewton(tasks["super_resolution"], built[label][1], x) for label in (two, four)}
beside = {}
for label, P in {"Newton alone": Newton(1e-3, 1e-3), **chosen}.items():
    options = {"stepsize": tasks["super_resolution"].stepsize, "momentum": "none"}
    options["sigma"] = tasks["super_resolution"].sigma
    run = ddgp_lib.PreconditionedFISTA(tasks["super_resolution"].denoiser, P, **options)
    trace = ddgp_lib.evaluate(tasks["super_resolution"], run, images=x, max_iter=20)
    beside[label] = float(trace.psnr[-1].mean())
    print(f"{label}: {beside[label]:.1f} dB after 20 iterations")
assert beside[two] > beside[four] > beside["Newton alone"] + 0.5

# %% [markdown]
# In this form the teacher with $\kappa$ below 1.1 gains as well, over Newton's step alone. So the failure was one of the
# form. A small condition number did not save it, and did not doom it.
#
# ## Along the student's iterations
#
# Back to good teachers. How much of their gradient does the student lack while its solver runs? For nested projectors
# equation {eq}`eq-teacher-agree` says that the cosine similarity is a ratio of norms, and then
# $\nu = 1 - S_c(\nabla g_s, \nabla g_t)^2$. We follow the tuned solvers without a preconditioner, with teachers of
# growing strength, and keep the ratio for each iteration and image.


# %%
def cosines_along(task, chosen, count):
    A, x = task.student, task.test_images[:count]
    solver = ddgp_lib.load_solver(task.name, "none", task=task)
    errors = [z - x for _, z in solver.iterates(task.measure(x), A, 16)]
    paths = {}
    for label, B in chosen.items():
        paths[label] = torch.stack([norms(normal(A, e)) / norms(normal(B, e)) for e in errors])
        similar = cosine(normal(A, errors[3]), normal(B, errors[3]))
        torch.testing.assert_close(paths[label][3], similar, rtol=0, atol=1e-4)
    return paths


# %% [markdown]
# The teachers are, for digits, those with 15%, 20%, 40% and all of the patterns, and for MRI those that measure a third
# of the columns, half of them, as the task's own does, and all.

# %%
third, all_columns = (load("mri", teacher_acceleration=factor).teacher for factor in (3, 1))
columns = {"1/3": third, "1/2": tasks["mri"].teacher, "all": all_columns}
patterns = {f"{r:.0%}": teachers[r] for r in (0.15, 0.2, 0.4, 1.0)}
along = {
    "single-pixel": cosines_along(digits, patterns, 64),
    "MRI": cosines_along(tasks["mri"], columns, 8),
}

# %% [markdown]
# Which teachers say nearly the same as the strongest?

# %% mystnb={"figure": {"name": "fig-teacher-cosines", "caption": "Cosine similarity of the student's and the teacher's gradient along the student's iterations, without noise in the gradients; mean over images. Upper: single-pixel, teachers with 15% to all of the patterns. Lower: MRI, teachers with a third of the columns to all."}, "image": {"alt": "Two panels of curves against the iteration. All start near zero at iteration 0 and jump up at iteration 1. Single-pixel: about 0.5 for the 15 per cent teacher, 0.35 for 20, 0.2 for 40 and 0.17 for all patterns, nearly level from then on. MRI: one third of the columns the highest, half and all lower and close together."}} tags=["hide-input"]
figure, panels = figures.axes(2, height=2.9)
for panel, (name, paths) in zip(panels, along.items(), strict=True):
    figures.curves(
        range(17),
        {label: path.mean(dim=1) for label, path in paths.items()},
        xlabel="iteration $k$" if panel is panels[-1] else "",
        ylabel=f"{name}: $S_c(\\nabla g_s, \\nabla g_t)$",
        ylim=(0, 1),
        legend="upper right",
        ax=panel,
    )
figure

# %% [markdown]
# The same in numbers, with $\nu$, the mean of $1 - S_c^2$ over images and over the iterations from 1 on:

# %%
for name, paths in along.items():
    *_, strongest = paths.values()
    for label, path in paths.items():
        mean, nu = path.mean(dim=1), float((1 - path[1:] ** 2).mean())
        values = "".join(f"{mean[k]:7.2f}" for k in (0, 1, 5, 16))
        print(f"{name:14s}{label:>5s}  k = 0, 1, 5, 16:{values}   nu: {nu:.2f}")
        assert mean[0] < 0.16
        assert mean[1:].max() < 0.65
        if label in ("40%", "1/2"):
            assert nu > 0.9
            assert (mean - strongest.mean(dim=1)).abs().max() < 0.1
assert 0.6 < (1 - along["single-pixel"]["15%"][1:] ** 2).mean() < 0.8
assert ddgp_lib.load_tuning("mri")["none"]["setting"]["prior_decay"] == 10

# %% [markdown]
# At $z_0$ the two gradients have little in common. One call of the denoiser moves the image off the data,
# the student's gradient has something to say, and from then on the curves change slowly. (The step in the lower
# panel, after ten iterations, is the tuned weight {eq}`eq-prior-decay` of the denoiser, which fades.) Even the
# weakest teacher of the upper panel has nearly three quarters of its squared gradient where the student is blind;
# from 40% on, or with half of the columns, it is more than nine tenths. By this measure the strong teachers are
# nearly one: the curves of 40% and of 100% differ by less than 0.1.
#
# ## How good is too good?
#
# So nearly all that a teacher adds must be guessed. How much of it can be? Take the student's start. There a nested
# teacher asks, without noise, for $M_t\,h$, the part that it sees of what is hidden, $h = (I - A_s^+A_s)\,x^*$. The
# best *linear* guess of $h$ from the 102 numbers in $y_s$ is a regression on the training images. The [chapter on
# three tasks](three-tasks) uses the same guess, {eq}`eq-linear-guess`, written for more numbers than images; with
# fewer numbers than images, this is the cheaper way to write it. Let $G$ have the measurements of the training
# images as rows and $H$ their hidden parts, both less their means:
#
# $$
# W = (G^\top G + \varepsilon I)^{-1} G^\top H .
# $$ (eq-teacher-ridge)


# %%
def numbers(y):
    return y.flatten(1)[:, student.mask.flatten().bool()]


def learn(G, H, ridge=1e-3):
    H, g_mean, h_mean = H.flatten(1), G.mean(dim=0), H.flatten(1).mean(dim=0)
    gram = (G - g_mean).T @ (G - g_mean)
    damped = gram + ridge * gram.diagonal().mean() * torch.eye(len(gram))
    W = torch.linalg.solve(damped, (G - g_mean).T @ (H - h_mean))
    return lambda new: (h_mean + (new - g_mean) @ W).view(-1, *digits.img_size)


# %% [markdown]
# Every teacher has its own target, $H M_t$ in the place of $H$. But $M_t$ stands on the right, so
#
# $$
# W_t = (G^\top G + \varepsilon I)^{-1} G^\top H M_t = W M_t .
# $$ (eq-teacher-one-guess)
#
# **A linear guess of what a weaker teacher asks for is the guess of what a stronger one asks for, projected.** One
# regression serves them all:

# %%
train = digits.train_images[:2000]
G, H = numbers(digits.measure(train)), null_projection(student, train)
guess, of_40 = learn(G, H), learn(G, normal(teachers[0.4], H))
hidden, guessed = null_projection(student, images), guess(numbers(y))
assert (normal(teachers[0.4], guessed) - of_40(numbers(y))).abs().max() < 1e-4
print("the two guesses agree within 1e-4 in each pixel")

# %% [markdown]
# In `learn`, the ridge is given relative to the mean of the diagonal of $G^\top G$. Its default suits these
# 2,000 digits; a factor of ten to either side changes the result by less than 0.1 dB, as a folded cell
# below checks. Two measures are needed: $R^2$, the share of the target's squared norm that a guess explains, and the
# mean PSNR. (The mean of a target counts in $R^2$ too: a mode that is not asked for is not given its mean either.)


# %%
def explained(target, guessed):
    return 1 - float((guessed - target).square().sum() / target.square().sum())


def psnr(x, truth=images):
    return float(digits.psnr(x, truth).mean())


# %% [markdown]
# Now add to $z_0$ what each teacher asks for, once granted in full, without noise, and once guessed. The columns: the
# share of $\lVert h \rVert^2$ that is asked for; $R^2$; the cosine similarity of guess and target; and the PSNR after
# the step, granted and guessed.

# %%
strength, parts = {}, {}
print(f"start: {psnr(z0):.2f} dB\n{'teacher':>8s}{'asked':>8s}{'R^2':>7s}{'cosine':>8s}   granted   guessed")
for r, B in teachers.items():
    target, found_part = parts[r] = normal(B, hidden), normal(B, guessed)
    asked = float(target.square().sum() / hidden.square().sum())
    scores = asked, explained(target, found_part), float(cosine(target, found_part).mean())
    strength[r] = *scores, psnr(z0 + target), psnr(z0 + found_part)
    print(f"{r:8.0%}" + "{:8.2f}{:7.2f}{:8.2f}{:7.1f} dB{:7.2f} dB".format(*strength[r]))

# %% tags=["hide-input"]
asked, r_squared, _, wish, gained = zip(*strength.values(), strict=True)
others = [psnr(z0 + learn(G, H, ridge)(numbers(y))) for ridge in (1e-4, 1e-2)]
assert max(abs(other - gained[-1]) for other in others) < 0.1
assert list(asked) == sorted(asked)
assert list(r_squared) == sorted(r_squared, reverse=True)
assert list(gained) == sorted(gained)
assert r_squared[0] > 0.8 > 0.6 > r_squared[-1]
assert gained[3] - psnr(z0) > 3 > 0.7 > gained[-1] - gained[3]
assert gained[-1] - gained[-3] < 0.25 < 20 < wish[-1] - wish[-3]

# %% [markdown]
# **More strength asks for more, and less of it can be guessed.** $R^2$ falls from above 0.8 to below 0.6. Yet the
# last column rises to the end, though ever more slowly: the last 40% of the patterns would be worth more than 20 dB
# if they were granted, and as guesses they are worth less than 0.25. Equation {eq}`eq-teacher-one-guess` says why
# nothing is lost. Each mode is guessed for itself. A mode of which nothing can be guessed is guessed as its mean,
# and disturbs no other. The next figure shows the modes in bands, each with what the next teacher adds.

# %% mystnb={"figure": {"name": "fig-teacher-bands", "caption": "What the hidden part of a digit consists of, by bands of patterns in the teachers' order: the share that the linear guess explains, and the share that it does not."}, "image": {"alt": "Seven stacked horizontal bars, from the band of 10 to 15 per cent of the patterns to that of 80 to 100. The first bars are long and mostly guessed; in the middle ones about half; in the last two bars, which are short, hardly anything."}} tags=["hide-input"]
bands, before = {}, [torch.zeros_like(hidden)] * 2
for low, (r, part) in zip((0.1, *ratios), parts.items(), strict=False):
    target, found_part = (new - old for new, old in zip(part, before, strict=True))
    share, before = float(target.square().sum() / hidden.square().sum()), part
    bands[f"{low:.0%} to {r:.0%}"] = share, explained(target, found_part)
lengths = {k: {"guessed": s * r2, "not guessed": s * (1 - r2)} for k, (s, r2) in bands.items()}
roles = {"guessed": "linear", "not guessed": "other"}
figures.bars(lengths, xlabel="share of the hidden part's squared norm", roles=roles)

# %% [markdown]
# ### When it is too good: few examples
#
# So far the regression had 2,000 digits for 102 numbers. With $N$ examples and $p$ numbers, the weights of each mode
# are estimated, and the estimate has an error. Without a ridge, and for Gaussian data, it adds
# $p / (N - p - 1)$ times what cannot be explained in that mode {cite}`breiman1983many`. A mode is then worth
# asking for only if what is explained exceeds that, and this can be written as
#
# $$
# R^2 > \frac{p}{N - 1}
# $$ (eq-teacher-worth)
#
# ({ref}`ex-teacher-worth`). From the bands above, equation {eq}`eq-teacher-worth` predicts the best teacher for any
# number of examples: the last whose band is above the line. Digits are not Gaussian, and the $R^2$ of the bands are
# themselves estimates from 2,000 examples. Does it hold? (The ridge is now practically none, as the formula wants it.)

# %%
few, hits = {}, 0
for count in (200, 250, 300, 400, 600, 1000, 2000):
    small = learn(G[:count], H[:count], ridge=1e-6)(numbers(y))
    few[count] = {r: psnr(z0 + normal(B, small)) for r, B in teachers.items()}
    line = G.shape[1] / (count - 1)
    predicted = max(r for r, (_, r2) in zip(ratios, bands.values(), strict=True) if r2 > line)
    best = max(few[count], key=few[count].get)
    print(f"{count:5d} examples: line {line:.2f}, best: predicted {predicted:.0%}, measured {best:.0%}")
    hits += best == predicted
    assert abs(ratios.index(best) - ratios.index(predicted)) <= 1
assert hits >= 5
assert few[200][1.0] < few[200][0.3] - 0.5
assert few[400][1.0] < few[400][0.6]
assert few[200][0.3] < few[400][0.6] < few[2000][1.0]

# %% [markdown]
# The figure compares three of these numbers of examples with the wish granted. Where does each curve turn?

# %% mystnb={"figure": {"name": "fig-teacher-strength", "caption": "PSNR after one step from the student's start against the teacher's share of the patterns: with what it asks for granted in full, and guessed by a regression from 2,000, 400 and 200 examples. Mean over 200 held-out digits."}, "image": {"alt": "Four curves against the share of the patterns, from 15 to 100 per cent. Granted: steep, from 17 dB at 15 per cent out of the figure at 22 dB at 40 per cent. 2,000 examples: from 16.6 dB, bending at 40 per cent, level at 19.3 dB from 80. 400 examples: a flat top at 18.1 dB at 60 per cent. 200 examples: a top of 16.7 dB at 30 per cent, then a fall to 16 dB."}} tags=["hide-input"]
curves = {"granted": wish}
curves |= {f"{count:,} examples": list(few[count].values()) for count in (2000, 400, 200)}
figures.curves(
    [100 * r for r in ratios],
    curves,
    xlabel="teacher's share of the patterns (%)",
    ylabel="PSNR after the step (dB)",
    ylim=(15.5, 22.5),
    horizontal={"no step": psnr(z0)},
    roles=dict(zip(curves, ("teacher", "linear", "gradient_only", "other"), strict=True)),
    legend="above",
)

# %% [markdown]
# It does, within one step of our seven teachers: the prediction is right for most numbers of examples, and off by one
# where a band lies near the line and two teachers are nearly equal. With 200 examples the teacher that sees everything
# is more than half a decibel worse than one with 30% of the patterns. So a teacher can be too good, for a student who
# cannot learn enough about each wish from the examples it gets. The remedy need not be a weaker teacher: more examples
# or a larger ridge, which the regression had above, move the best teacher to the right.
#
# So the linear answer has two halves. **A stronger teacher is never worse as such.** Each of its modes is guessed
# for itself. **It is worse for a student that is fitted to too few examples, too closely**, and where that begins can
# be read off from $R^2$.
#
# A network is no regression. It guesses more, since it is not linear. Its modes share their weights, so they are not
# guessed each for itself. Its losses are not squared errors of guesses alone. And its training is finite, as examples
# were here. The algebra does not say which of these weighs most; that has to be measured on trained networks.
#
# ### Networks, trained with each teacher
#
# The study `teachers`, which ships with the library, has trained the book's U-Net once for each teacher and seed, with
# the losses $L_G + L_I$ of the [chapter on distilling](distilling) and in the form of the task; teachers of one task
# share all the rest. The trainings are short, 1,500 steps for digits and fewer for the others. After each training
# $\sigma$ was chosen on validation images. The gain is the PSNR after 20 iterations on test images minus that of the
# tuned solver without $P$, image by image; its standard error is over the seeds, where there are several.
#
# Two more things belong into this table. One row for each camera has **no teacher**: the loss on the true image alone,
# $L_S$, and all else the same. And a teacher is not judged at iteration 20 alone. The PSNR is listed at 20 and at 100, with
# what is lost between. The figure is about the single-pixel camera.

# %%
rows = {line["row"]: line for name in tasks for line in study.compare(name).get("teachers", [])}
shown_rows = {}
for row, line in rows.items():
    early, late = line["psnr"]["20"], line["psnr"]["100"]
    gain = (line["gain_20"], line["gain_20_error"]) if line["seeds"] > 1 else line["gain_20"]
    shown_rows[row] = [line["seeds"], gain, early, late, late - early]
heads = ["seeds", Column("gain at 20", "dB", signed=True), *(Column(f"k = {k}", "dB") for k in (20, 100))]
heads.append(Column("change", "dB", signed=True))
table("Networks trained with each teacher, and without one.", heads, shown_rows)

# %%
for name in tasks:
    without, others = rows[f"{name}, no teacher"], [r for r in rows if r.startswith(name) and "no" not in r]
    for k in ("20", "100"):
        best_row = max(others, key=lambda row: rows[row]["psnr"][k])
        ahead = rows[best_row]["psnr"][k] - without["psnr"][k]
        print(f"{name}, k = {k}: the best teacher ({best_row}) is {ahead:+.2f} dB from no teacher")

# %% [markdown]
# STRENGTHTEXT
#
# %% [markdown]
# Against the strength of the teacher, with what one step of the linear guess gains beside it:

# %% mystnb={"figure": {"name": "fig-teacher-trained", "caption": "Gain over the tuned solver without P after 20 iterations, of networks that were trained with teachers of growing strength (bars: two standard errors over the seeds), and gain of one step with the linear guess over no step. Single-pixel camera, student with 10% of the patterns."}, "image": {"alt": "Two curves of gain against the share of the patterns. They rise together from about 1 dB or less at 15 per cent to about 3 dB at 40 per cent, where both bend; beyond, they are nearly level. A horizontal line marks the training without a teacher."}} tags=["hide-input"]
row_of = {round(100 * r): f"single_pixel, {r:.0%} of the patterns" for r in ratios}
found_rows = {share: rows[row] for share, row in row_of.items() if row in rows}
gains = {share: line["gain_20"] for share, line in found_rows.items()}
guess_gains = {share: value - psnr(z0) for share, value in zip(row_of, gained, strict=True)}
network, linear = "network, 20 iterations", "linear guess, one step"
figures.curves(
    {network: list(gains), linear: list(guess_gains)},
    {network: list(gains.values()), linear: list(guess_gains.values())},
    errors={network: [2 * (line["gain_20_error"] or float("nan")) for line in found_rows.values()]},
    roles={network: "distilled", linear: "linear"},
    horizontal={"no teacher": rows["single_pixel, no teacher"]["gain_20"]},
    xlabel="teacher's share of the patterns (%)",
    ylabel="gain in PSNR (dB)",
    legend="above",
)

# %% tags=["hide-input"]
runs = study.load_study("teachers")["runs"]
recipes = [run["configuration"]["recipe"] for run in runs]
assert all(
    recipe["losses"]
    == ({"supervised": 1.0} if "no teacher" in run["row"] else {"gradient": 1.0, "imitation": 1.0})
    for run, recipe in zip(runs, recipes, strict=True)
)
digit_runs = {(run["row"], run["seed"]): run for run in runs if run["row"].startswith("single_pixel")}
assert {run["configuration"]["recipe"]["steps"] for run in digit_runs.values()} == {1500}
assert max(abs(gains[share] - guess_gains[share]) for share in gains) < 0.7
assert gains[15] + 0.5 < gains[20] < gains[20] + 0.5 < gains[30] < gains[40] > 3 * gains[15]
for share in (60, 80, 100):
    pairs = [[digit_runs[row_of[s], seed]["gain_20"][0] for s in (share, 40)] for seed in range(3)]
    more = torch.tensor([gain - gain_of_40 for gain, gain_of_40 in pairs])
    print(f"{share}% over 40%, three seeds: {more.mean():+.2f} ± {more.std() / 3**0.5:.2f} dB")
    assert -0.1 < more.mean() < 0.4

# %% [markdown]
# The trained networks follow the linear guess: both curves rise steeply up to 40% and bend there. (That they agree in
# height as well is chance. One is a single step, the other a solver of twenty iterations with a network and a denoiser
# in it.) A teacher that is hardly stronger than the student has little to teach: 15% of the patterns are worth less than
# a third of what 40% are worth. From 40% on, more strength changes little, as the guess says: the mean differences
# between trainings with the same seed, in the lines below the figure, are less than 0.4 dB, and no harm of a stronger
# teacher has shown up in these rows. The book's teacher, 40%, stands at the bend.
#
# The rows of slices, of the full size, and of faces need a zero to be read from. These trainings and their solvers do
# without momentum, which the tuned solver without $P$ has, and for faces Newton's step is part of $P$. So an untrained
# $P$ does not gain zero. What does it gain, at the $\sigma$ of the weakest teacher's row?


# %%
def untrained(row):
    run = next(run for run in runs if run["row"] == row)
    task = ddgp_lib.load_task(run["configuration"]["task"])
    P = build_preconditioner(DistillationRecipe(**run["configuration"]["recipe"]), task.img_size[0])
    options = {"stepsize": task.stepsize, "sigma": run["sigma"], "momentum": "none"}
    solver = ddgp_lib.PreconditionedFISTA(task.denoiser, P, **options)
    images = task.test_images[: task.preset.counts.study[1]]
    baseline = run["psnr"]["20"][0] - run["gain_20"][0]
    return float(psnr_curves(task, solver, images, task.student, 20)[-1].mean()) - baseline


# %%
weakest = {"slices": "mri, acceleration 3", "faces": "super_resolution, factor 4, blur 2.0"}
for kind, row in weakest.items():
    untaught = untrained(row)
    print(f"{kind}: {untaught:+.2f} dB untrained, {rows[row]['gain_20']:+.2f} dB with the weakest teacher")
    assert 0.1 < rows[row]["gain_20"] - untaught < 1.2

# %% tags=["hide-input"]
slices = [rows[f"mri, acceleration {factor}"]["gain_20"] for factor in (3, 2, 1)]
faces = [line["gain_20"] for row, line in rows.items() if row.startswith("super")]
assert slices[0] < 0 < slices[0] + 3 < min(slices[1:])
assert abs(slices[2] - slices[1]) < 0.5
assert faces[0] + 0.2 < min(faces[1:]) < max(faces[1:]) < faces[0] + 0.5

# %% [markdown]
# For slices, a network that was taught by a third of k-space gains over an untrained $P$, and stays behind the tuned solver
# at iteration 20. Half of k-space, the book's teacher, is worth several decibels more. For faces the weakest teacher keeps
# as few pixels as the student and has half its blur, and gains a little on Newton's step. Look at the last column of the
# table before you call a stronger teacher a better one: what is level at iteration 20 need not be level at 100.
#
# ### Why a third of k-space is worth so little: what the teacher asks for
#
# Neither $\nu$ nor the number of new columns explains it. The share of the hidden energy that a teacher's new columns hold
# does. That is the column *asked* of the digits' table, for MRI. The masks are random, so we take eight draws, each with its
# own student (a quarter), and teachers with a third and with half of the columns. (The energy is that of test slices: a
# diagnosis, not a way to choose a teacher.)


# %%
full_size = ddgp_lib.load_task("mri")
everything = CartesianMRI(1, full_size.img_size)
column_energy = everything.A(full_size.test_images[:48]).square().sum((0, 1, 2))


def asked_of(seed, acceleration):
    options = {"img_size": full_size.img_size, "mask_seed": seed}
    few, many = (CartesianMRI(factor, **options).columns for factor in (4, acceleration))
    return float(column_energy[many & ~few].sum() / column_energy[~few].sum())


draws = {f"draw {seed}": [asked_of(seed, 3), asked_of(seed, 2)] for seed in range(8)}
heads = [Column(name, digits=2) for name in ("a third", "half")]

# %%
thirds = [third_share for third_share, _ in draws.values()]
print(f"our draw is the first; a third asks for less in {sum(t < thirds[0] for t in thirds)} of the other 7")
assert all(third_share < half_share for third_share, half_share in draws.values())
assert thirds[0] < 0.5 * draws["draw 0"][1]
table("Share of the hidden energy in the columns that a teacher adds.", heads, draws)

# %% [markdown]
# ASKEDTEXT
#
# A teacher can only teach what it asks for. With our draw, the columns that the third adds miss the large gaps near the
# middle, where most of the hidden energy is.
#
# ## Noise in the teacher's data
#
# The teacher's data are simulated, and so is their noise; one may leave it out. Does it matter? With noise,
# $\nabla g_t = M_t e - A_t^\top w'$. We give the teacher with 40% of the patterns noise of several levels, while the
# student keeps its own. In the columns: how similar the noisy target is to the clean one, the PSNR after the step
# with a guess learned from 2,000 noisy targets, and the squared difference that the noise makes to the guess, beside
# the one that the algebra of the last section expects.

# %%
B, generator = teachers[0.4], torch.Generator().manual_seed(4)
clean = null_projection(student, normal(B, train))
draw = null_projection(student, B.A_adjoint(torch.randn(train.shape, generator=generator)))
from_clean, p = learn(G, clean, ridge=1e-6)(numbers(y)), G.shape[1]
for sigma in (0.01, 0.1, 0.3):
    noisy = clean + sigma * draw
    from_noisy, similar = learn(G, noisy, ridge=1e-6)(numbers(y)), cosine(noisy, clean).mean()
    moved = norms(from_noisy - from_clean).square().mean()
    expected = (B.rank - student.rank) * sigma**2 * p / (len(train) - p - 1)
    print(f"noise {sigma:4.2f}: cosine {similar:.2f}, {psnr(z0 + from_noisy):.2f} dB, ", end="")
    print(f"moved by {moved:.4f}, expected {expected:.4f}")
    assert abs(moved / expected - 1) < 0.3
assert similar < 0.7
assert psnr(z0 + from_clean) - psnr(z0 + from_noisy) < 0.6

# %% [markdown]
# At a noise of 0.3, thirty times the student's, the target is similar to the clean one only to 0.66, and no
# preconditioner, however good, could match it better. Yet the guess has lost less than 0.6 dB. The noise is
# independent of everything that the student knows, so it cannot be learned; it averages out, about at the rate of
# equation {eq}`eq-teacher-worth`: it adds $\sigma^2 p / (N - p - 1)$ to each mode that is asked for. A noisy
# teacher is a teacher with fewer examples.
#
# There is a second effect, in the row space of the *student*. The two cameras draw their noise independently, also on
# the patterns or columns that they share. Equation {eq}`eq-teacher-agree` then holds only while the error is large
# against the noise. We follow the tuned solver of MRI, with a nested teacher that measures a third of the columns:

# %%
scanner, x = tasks["mri"], tasks["mri"].test_images[:8]
y_mri, solver = scanner.measure(x), ddgp_lib.load_solver("mri", "none", task=tasks["mri"])
A = scanner.student
adjoint, adjoint_t = A.A_adjoint(y_mri), third.A_adjoint(measure(third, x, seed=1))
agreement = []
for _, z in solver.iterates(y_mri, A, 20):
    g_s, g_t = gradient(A, z, adjoint), gradient(third, z, adjoint_t)
    agreement.append(float(cosine(g_s, range_projection(A, g_t)).mean()))
for k in (1, 3, 10, 20):
    print(f"MRI, k = {k:2d}: agreement {agreement[k]:5.2f}")
assert agreement[1] > 0.7 > 0.65 > agreement[10] > 0.5 > 0.1 > abs(agreement[20])

# %% [markdown]
# Although the two are nested, they agree in the student's row space to about three quarters at the first iteration and not
# at all at the twentieth. By then the student's own gradient is short: its data are fitted to well below their noise. The
# teacher's gradient in these columns is then the *difference* of the two draws of the noise. A free form that matched it
# there would learn to exchange one noise for another. The null-space form does not look at it.

# %%
_, z = list(solver.iterates(y_mri, A, 20))[-1]
drawn = [gradient(B, x, B.A_adjoint(data)) for B, data in ((A, y_mri), (third, measure(third, x, seed=1)))]
shared = range_projection(A, gradient(third, z, adjoint_t))
difference = range_projection(A, drawn[1]) - drawn[0]
print(f"cosine with the difference of the draws: {cosine(shared, difference).mean():.2f}")
print(f"student's gradient over its noise: {(norms(gradient(A, z, adjoint)) / norms(drawn[0])).mean():.2f}")
assert cosine(shared, difference).mean() > 0.7

# %% [markdown]
# ## Try it: from a weak teacher to all
#
# The point is now $z_1$, after one iteration of the tuned solver, where the student's own gradient is not zero.
# Dark patterns are the student's, lighter ones the teacher's. Move the slider, and compare the last two pictures:
# the part of the teacher's gradient that the student does not see, and what the regression offers for it. When does
# the one go on growing and the other no longer?

# %% tags=["hide-input"]
z1 = list(ddgp_lib.load_solver("single_pixel", "none", task=digits).iterates(y, student, 1))[-1][1]
step, estimate = gradient(student, z1, student.A_adjoint(y))[shown], z0 + guessed


def asked_and_offered(r):
    wanted = gradient(teachers[r], z1, adjoints[r])
    offered = normal(teachers[r], z1 - estimate) - normal(student, z1 - estimate)
    return wanted[shown], null_projection(student, wanted)[shown], offered[shown]


# %% tags=["hide-input"]
def draw_teacher(r):
    wanted, unseen_part, offered = asked_and_offered(r)
    panels = {"patterns": (student.mask + teachers[r].mask)[0] / 4, "$A_s^T y_s$": z0[shown]}
    panels |= {"$A_t^T y_t$": adjoints[r][shown], "$x^*$": images[shown]}
    panels |= {"$-\\nabla g_s$": -step, "$-\\nabla g_t$": -wanted}
    panels |= {"unseen part": -unseen_part, "its guess": -offered}
    return figures.images(panels, columns=4, signed=True, vmax=0.5)


def describe_teacher(r):
    _, unseen_part, offered = asked_and_offered(r)
    return (
        f"A teacher with {r:.0%} of the patterns and a handwritten four: masks, back-projections, both "
        f"gradients. The unseen part of the teacher's gradient has norm {unseen_part.norm():.1f}, "
        f"its guess {offered.norm():.1f}."
    )


# %% tags=["hide-input"]
slider = {"draw": draw_teacher, "values": ratios, "label": "Teacher's share of the patterns"}
slider |= {"text": lambda r: f"{r:.0%}", "start": 3}
caption = (
    "Upper row: the patterns of both, what student and teacher see, the truth. Lower row: both gradients with "
    "their sign turned, the teacher's part in the student's null space, and its linear guess."
)
widgets.frames(**slider, alt=describe_teacher, colours=128, caption=caption)

# %% [markdown]
# In a live kernel, the next cell draws the same picture anew. Change `shown` for another digit.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 06_teachers
# ```
#
# ## Exercises
#
# ```{exercise} No teacher lies
# :label: ex-teacher-descent
#
# (a) Without noise, show that $e^\top \nabla g_t \ge 0$ for every teacher, nested or not, and that a step with
# $\alpha_t = 1/\lVert A_t \rVert^2$ never increases $\lVert e \rVert$. (b) Can two truthful gradients oppose each
# other? Let $A_s$ and $A_t$ have one row each, of length one, at an angle $\vartheta$, and let $e$ have length one.
# Find the smallest $\nabla g_s^\top \nabla g_t$ over $e$ and $\vartheta$. (c) Why can this not happen to two
# Hadamard cameras, whatever their patterns?
# ```

# %%
answer = None  # (b): put the value here
answers.check("ex-teacher-descent", answer)

# %% [markdown]
# ```{solution-start} ex-teacher-descent
# :label: sol-teacher-descent
# :class: dropdown
# ```
# (a) $e^\top \nabla g_t = e^\top A_t^\top A_t e = \lVert A_t e \rVert^2$. After the step the error is
# $(I - \alpha_t M_t)\, e$, and the eigenvalues of this matrix lie between 0 and 1. (b) With rows $u$ and $v$ the
# product is $\cos\vartheta\, (u^\top e)(v^\top e)$. The matrix $\tfrac12 (u v^\top + v u^\top)$ has the eigenvalues
# $\tfrac12 (\cos\vartheta \pm 1)$, so the smallest value is $\tfrac12 \cos\vartheta\,(\cos\vartheta - 1)$, which is
# least at $\vartheta = 60°$ (and, with one row turned round, at $120°$): $-1/8$. (c) All Hadamard cameras share one
# basis, so $M_s$ and $M_t$ commute, and their product is a projector: $\nabla g_s^\top \nabla g_t = \lVert M_s M_t e
# \rVert^2$. The same holds for MRI with one coil. There, teachers that are not nested are silent, but do not oppose.

# %%
line = torch.linspace(0, torch.pi, 1201)
tilt, turn = torch.meshgrid(line, line, indexing="ij")
products = tilt.cos() * turn.cos() * (turn - tilt).cos()
where = float(tilt.flatten()[products.argmin()].rad2deg())
print(f"smallest product {products.min():.4f}, at {where:.0f} degrees")
assert abs(products.min() + 1 / 8) < 1e-4

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} The ceiling
# :label: ex-teacher-ceiling
#
# Prove equation {eq}`eq-teacher-ceiling` for $b$ in the row space of $A_s$ and $\chi > 0$. Which $h$ attains it?
# Check it for the single-pixel teacher with its patterns in the order of sequency.
# ```

# %% tags=["hide-cell"]
(e, b), B = points["single_pixel"], built["digits, 15%, sequency"][1]
wanted = normal(B, e)
row, null = range_projection(student, wanted), null_projection(student, wanted)
scale = (b * b).sum(dim=(1, 2, 3), keepdim=True) / (b * row).sum(dim=(1, 2, 3), keepdim=True)
limit = compare(student, B, b, e)[3]
torch.testing.assert_close(cosine(b + scale * null, wanted), limit, rtol=0, atol=1e-4)
for factor in (0, 0.5, 0.9, 1.1, 2):
    assert (cosine(b + factor * scale * null, wanted) < limit).all()

# %% [markdown]
# ```{solution} ex-teacher-ceiling
# :class: dropdown
#
# Split $\nabla g_t$ into its parts $r$ in the row space and $n$ in the null space. For $A_s h = 0$, the inner
# product is $b^\top r + h^\top n \le \chi \lVert b \rVert \lVert r \rVert + \lVert h \rVert \lVert n \rVert$,
# with equality for $h$ along $n$. By the inequality of Cauchy and Schwarz this is at most $\sqrt{\lVert b \rVert^2
# + \lVert h \rVert^2}\, \sqrt{\chi^2 \lVert r \rVert^2 + \lVert n \rVert^2}$. The first root is $\lVert b + h
# \rVert$; divide by it and by $\lVert \nabla g_t \rVert$, and use $\lVert n \rVert^2 = \nu \lVert \nabla g_t
# \rVert^2$. Equality needs $\lVert h \rVert / \lVert b \rVert = \lVert n \rVert / (\chi \lVert r \rVert)$, that
# is $h = n\, \lVert b \rVert^2 / (b^\top r)$. For nested projectors and $b = \nabla g_s = r$ the factor is one, and
# $b + h = \nabla g_t$.
# ```
#
# ```{exercise} When is a wish worth having?
# :label: ex-teacher-worth
#
# Let a mode have mean zero and variance one, of which a linear function of $p$ Gaussian numbers explains $R^2$; the
# rest is independent. The function is fitted to $N$ examples by least squares, means known. Show that the fit adds $(1 -
# R^2)\, p / (N - p - 1)$ to the expected squared error of a new guess, and derive equation {eq}`eq-teacher-worth`.
# (For Gaussian rows with covariance $C$, $\mathbb{E}\,(G^\top G)^{-1} = C^{-1} / (N - p - 1)$.)
# ```

# %% tags=["hide-cell"]
generator = torch.Generator().manual_seed(0)
p_small, N_small = 20, 60
seen_part = torch.randn(2000, N_small, p_small, generator=generator)
rest = torch.randn(2000, N_small, 1, generator=generator)
weights = torch.linalg.solve(seen_part.mT @ seen_part, seen_part.mT @ rest)
added = float(weights.square().sum(dim=1).mean())
expected = p_small / (N_small - p_small - 1)
print(f"added {added:.3f} of what is not explained, expected {expected:.3f}")
assert abs(added / expected - 1) < 0.03

# %% [markdown]
# ```{solution} ex-teacher-worth
# :class: dropdown
#
# The fitted weights are the true ones plus $(G^\top G)^{-1} G^\top r$, with the rest $r$ of variance $1 - R^2$,
# so their error has the covariance $(1 - R^2)\,(G^\top G)^{-1}$. A new example with covariance $C$ makes of it
# $(1 - R^2) \operatorname{tr}\bigl(C\, \mathbb{E}\,(G^\top G)^{-1}\bigr) = (1 - R^2)\, p / (N - p - 1)$. Without the
# guess the error is one, with it $(1 - R^2)(1 + p / (N - p - 1))$. The guess pays if $R^2 > (1 - R^2)\, p / (N - p -
# 1)$, and solved for $R^2$ this is $R^2 > p / (N - 1)$. The cell above simulates the term that is added.
# ```
#
# ```{exercise} Whiten the teacher
# :label: ex-teacher-whiten
#
# (a) In super-resolution, compute the agreement $\chi$ of the student's *plain* gradient with the teacher's. (b) A
# teacher's slow modes count little in $\nabla g_t$. Put the damped Newton step {eq}`eq-newton` of the *teacher*,
# $\lambda = 0.001$, before its gradient, and compute the cosine similarity with the error $e$, with and without it, for
# the teachers $\times 2$ and $\times 1$. What does the additional rank of the second bring in either case, and what
# would it cost with noise?
# ```

# %% tags=["hide-cell"]
(e, b), A = points["super_resolution"], tasks["super_resolution"].student
plain_chi, newton_chi = (compare(A, built[two][1], v, e)[2].mean() for v in (normal(A, e), b))
print(f"agreement of the plain gradient {plain_chi:.2f}, of Newton's step {newton_chi:.2f}")
assert plain_chi < 0.5 < 0.95 < newton_chi
reached = {}
for label in (two, "faces, ×1, blur 1"):
    B, wanted = built[label][1], normal(built[label][1], e)
    reached[label] = [float(cosine(v, e).mean()) for v in (wanted, newton(B, wanted, 1e-3))]
    print(f"{label}: cosine with e {reached[label][0]:.2f}, whitened {reached[label][1]:.2f}")
coarse, fine = reached.values()
assert abs(fine[0] - coarse[0]) < 0.02 < 0.08 < fine[1] - coarse[1]

# %% [markdown]
# ```{solution} ex-teacher-whiten
# :class: dropdown
#
# The cell above computes both. (a) The student's gradient is dominated by its strongest modes, and agrees badly;
# its Newton step weighs all modes above $\sqrt\lambda$ alike and agrees. (b) In the plain gradients the additional
# modes of $\times 1$ hardly show. Whitened, they do. The price is noise. Along a mode of strength $s = r \lVert A_t
# \rVert$ the whitened gradient is $\lVert A_t \rVert^2\, r^2/(r^2 + \lambda)$ times the error, less $\lVert A_t
# \rVert\, r/(r^2 + \lambda)$ times the noise. The last factor, $r/(r^2 + \lambda)$, is at most $1/(2\sqrt\lambda)$,
# about sixteen, at $r = \sqrt\lambda$, where the error has half its weight. But the teacher's noise is ours to choose.
# ```
#
# ## Recap
#
# - A teacher is needed for one equation, $\nabla g_t = M_t e$, on training images. It can be any operator.
# - "Better conditioned" is not one thing. A blur-only teacher has more rank than a decimating student and a far larger
#   $\kappa$; of the teachers for faces, the one with the smallest $\kappa$ did harm. A gradient weighs modes by $s_i^2$, so
#   added slow modes hardly change it.
# - Nested, with orthonormal rows: the teacher agrees with the student on what both see, and adds only in the null
#   space. Not nested: to imitate it exactly is to forget measured data. The null-space form repairs that, but not a
#   leak through another blur.
# - Along the iterations most of a teacher's gradient, for strong teachers more than nine tenths of its square, lies where
#   the student is blind. It has to be guessed.
# - The linear guess for a weaker nested teacher is that for a stronger one, projected. $R^2$ falls with strength; the
#   error does not rise, unless examples are few. A mode is worth asking for if $R^2 > p/(N-1)$.
# - Networks that were trained with teachers of growing strength gain as that guess lets expect: steeply at first, hardly
#   any more beyond four times the student's data. For slices the step is from a third to half of k-space.
# - Noise in the teacher's data costs examples, and takes away the agreement on shared rows once the data are fitted.
#
# ## Further reading
#
# The teacher as a synthetic operator is from {cite}`gualdron2025d2gp,dipa2026`. That a teacher may know at training
# what the student never sees is called privileged information, and its relation to distillation
# {cite}`hinton2015distilling` is the subject of {cite}`lopezpaz2016unifying`. For classifiers,
# {cite}`mirzadeh2020improved` found that a teacher can be too far ahead of its student. Angles between ranges are
# computed in {cite}`bjorck1973numerical`, and {cite}`breiman1983many` asks how many variables a regression should
# have, which is our question the other way round.
