# %% [markdown]
# (teachers)=
# # Building a teacher: what it asks for, and what can be guessed
#
# The teacher of this book is a camera that nobody builds. It measures the training images better than the real camera,
# the student, does, and the preconditioner learns to turn the student's gradient into the teacher's
# {cite}`gualdron2025d2gp`. A camera on paper costs nothing. So why not take the best one: all patterns, all of k-space,
# no blur, no noise? This chapter says what "better" can mean, and measures how much of what a teacher asks for can be
# guessed: by a regression, and by networks that were trained with teachers of growing strength, and without one. All
# measurements are simulated from real images, with known operators.
#
# ```{note}
# **Time:** 20 minutes of reading, about one of computing. **Before this:** range, null space and condition number, from
# [](conditioning); the solver of [](pnp-fista). **After it** you can
#
# 1. describe a teacher by four things: its rank, its condition on the range, what it does not see, and the angle
#    between its range and the student's;
# 2. say when teacher and student agree on what both see, and what is lost when they do not;
# 3. split a teacher's gradient into what the student knows and what it lacks, along the iterations;
# 4. predict from one regression which teachers ask for more than can be learned, and compare it with trained networks;
# 5. say what noise in the teacher's data costs.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import dataclasses

import torch

import ddgp_lib
from ddgp_lib import answers, figures, widgets
from ddgp_lib.distillation import DistillationRecipe, build_preconditioner
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments import study
from ddgp_lib.experiments.statistics import t_quantile
from ddgp_lib.operators import (
    CartesianMRI,
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

# %% tags=["hide-input"]
sizes = {"single_pixel": 32, "mri": 64, "super_resolution": 64}


def load(name, **options):
    return ddgp_lib.load_task(name, size=sizes[name], **options)


tasks = {name: load(name) for name in sizes}
digits = tasks["single_pixel"]
student, images = digits.student, digits.test_images[:200]
ratios = (0.15, 0.2, 0.3, 0.4, 0.6, 0.8, 1.0)
teachers = {r: load("single_pixel", teacher_ratio=r).teacher for r in ratios}


# %% tags=["hide-input"]
tables = [study.compare(name)["teachers"] for name in tasks]
trained = {line["row"]: line for lines in tables for line in lines}
runs = study.load_study("teachers")["runs"]
levels = {(run["row"], run["seed"]): run["psnr"] for run in runs}


def against(row, other, k):
    """Return the mean of PSNR(row) - PSNR(other), and half its 95 % interval."""
    seeds = [seed for name, seed in levels if name == row and (other, seed) in levels]
    gaps = [levels[row, s][k][0] - levels[other, s][k][0] for s in seeds]
    error = float(torch.tensor(gaps).std()) / len(gaps) ** 0.5
    return sum(gaps) / len(gaps), t_quantile(len(gaps)) * error


pixels = {r: f"single_pixel, {r:.0%} of the patterns" for r in ratios}
of_mri = [f"mri, acceleration {factor}" for factor in (3, 2, 1)]
faces = [f"super_resolution, factor {factor}, blur 1.0" for factor in (2, 1)]
short = "digits 40%", "digits all", "slices half", "slices all", "faces ×2", "faces ×1"
judged, worth = (pixels[0.4], pixels[1.0], *of_mri[1:], *faces), {}
for label, row in zip(short, judged, strict=True):
    alone = f"{row.split(',')[0]}, no teacher"
    worth[label] = {f"k = {k}": against(row, alone, k) for k in ("20", "100")}

# %% [markdown]
# **Key results**, computed from trainings that differ in the teacher alone, three for each. After ± stands the standard
# error over seeds. Two are told apart where the 95 % interval of their difference leaves out zero:

# %% tags=["hide-input"]
differences = [pair for row in worth.values() for pair in row.values()]
ahead = sum(mean > half for mean, half in differences)
behind = sum(mean < -half for mean, half in differences)
compared, rest = len(differences), len(differences) - ahead - behind


def gain_of(row):
    return f"{trained[row]['gain_20']:.2f} ± {trained[row]['gain_20_error']:.2f} dB"


def decay_of(row):
    return " and ".join(f"{trained[row]['psnr'][k]:.1f}" for k in ("20", "100"))


weak, book, full = (gain_of(pixels[r]) for r in (0.15, 0.4, 1.0))
late_third, late_half, late_all = map(decay_of, of_mri)
print(
    f"1. Single-pixel camera, gain over the tuned solver after 20 iterations:\n"
    f"   a teacher with 15% of the patterns {weak}, with 40% {book},\n"
    f"   with all {full}; no teacher {gain_of('single_pixel, no teacher')}.\n"
    f"2. Brain slices, PSNR after 20 and 100 iterations: a teacher with a third of\n"
    f"   the columns {late_third} dB, half {late_half}, all {late_all}.\n"
    f"3. A teacher against none, {compared} comparisons after 20 or 100 iterations:\n"
    f"   ahead in {ahead}, behind in {behind}, not told apart in {rest}."
)

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
# ## The question in one picture
#
# The student is the single-pixel camera, which measures a tenth of the Hadamard patterns, $y_s = A_s x^* + w$. A
# teacher measures more of them, $y_t = A_t x^* + w'$. At a point $z$, the two gradients are
# $\nabla g_s(z) = A_s^\top (A_s z - y_s)$ and $\nabla g_t(z) = A_t^\top (A_t z - y_t)$. Without noise, both are made
# of one vector, the error $e = z - x^*$:
#
# $$
# \begin{aligned}
# \nabla g_s(z) &= M_s e, \\
# \nabla g_t(z) &= M_t e, \\
# M &= A^\top A .
# \end{aligned}
# $$ (eq-teacher-gradients)
#
# The picture has three teachers and their gradients at the student's start, $z_0 = A_s^\top y_s$. There the student's
# own gradient is zero: its data are fitted. The last teacher asks for the whole error. All of its wishes are right, up
# to its noise, and the preconditioner has to find them from 102 numbers. Which of the three should teach?
#
# The teacher is needed for {eq}`eq-teacher-gradients` and for nothing else. When the solver runs, $y_t$ is gone: what a
# preconditioner is told is $z$, $k$, $A_s$, $y_s$ with the level of its noise, and what it has itself made of $y_s$.
#
# Three tasks serve as examples: digits of $32 \times 32$ pixels, brain slices and faces of $64 \times 64$. In the
# trainings, as elsewhere in the book, the slices have $128 \times 128$ pixels. The smaller ones keep cells short. We
# report no PSNR of them, since denoiser and settings are those of the larger size.

# %% tags=["hide-input"]
told = {field.name for field in dataclasses.fields(ddgp_lib.State)}
assert told == {"z", "k", "physics", "y", "noise", "prepared"}

# %% [markdown]
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
# The first two need not improve together, as the teachers of the book's three tasks will show. Beside them stand some
# that are no obvious improvement: patterns in another order (*sequency*: by their number of sign changes, read as one line), a
# mask from another seed, another blur.

# %%
cases = {
    "digits, 15%": ("single_pixel", {"teacher_ratio": 0.15}),
    "digits, 40%": ("single_pixel", {}),
    "digits, 15%, sequency": (
        "single_pixel",
        {"teacher_ratio": 0.15, "ordering": "sequency"},
    ),
    "slices, half": ("mri", {}),
    "slices, half, other seed": ("mri", {"nested": False}),
    "faces, ×2, blur 1": ("super_resolution", {}),
    "faces, ×1, blur 1": ("super_resolution", {"teacher_factor": 1}),
    "faces, ×4, blur 1": ("super_resolution", {"teacher_factor": 4}),
}
built = {}
for label, (name, more) in cases.items():
    built[label] = tasks[name], load(name, **more).teacher

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
# In the table, *unseen* is the mean of the share over 24 test images. The rank counts singular values that are not zero;
# in super-resolution those up to $\eta \lVert A \rVert$, $\eta = 0.03$, count as zero, for $\kappa$ as well.

# %%
described = {}
for label, (task, B) in built.items():
    x, angle = task.test_images[:24], gap(task.student, B, task.img_size)
    missing = (norms(null_projection(B, x)) / norms(x)).mean()
    described[label] = B.rank, kappa(B), float(missing), angle
table("Eight teachers.", ["rank", "κ", "unseen", "sine of the angle, δ"], described)

# %% tags=["hide-input"]
by_column = zip(*described.values(), strict=True)
ranks, kappas, unseen, gaps = (dict(zip(described, v, strict=True)) for v in by_column)
for task, B in built.values():
    Bx = B.A(task.test_images[:24])
    assert kappa(B) > 1 or (B.A(B.A_adjoint(Bx)) - Bx).abs().max() < 1e-5
assert kappas["faces, ×4, blur 1"] < 1.1 < kappas["faces, ×2, blur 1"] < 6
assert ranks["faces, ×4, blur 1"] > tasks["super_resolution"].student.rank
assert unseen["faces, ×4, blur 1"] > 0.5
assert gaps["faces, ×2, blur 1"] < 0.06
assert gaps["faces, ×4, blur 1"] > 0.65  # sin 40° = 0.64
nested = ("digits, 15%", "digits, 40%", "slices, half")
assert max(gaps[label] for label in (*nested, "faces, ×1, blur 1")) < 0.01
assert min(gaps["digits, 15%, sequency"], gaps["slices, half, other seed"]) > 0.99
assert ranks["faces, ×1, blur 1"] > 2 * ranks["faces, ×2, blur 1"]
assert kappas["faces, ×1, blur 1"] > 5 * kappas["faces, ×2, blur 1"]

# %% [markdown]
# The teacher of faces that keeps every pixel has more than twice the rank of the book's, and more than five times the
# condition number. In the terms of the [conditioning chapter](conditioning) it has turned silent modes into slow ones.
# That helps an iteration that runs long enough. It hardly helps a gradient: $\nabla g_t = M_t e$ weighs each mode by
# $s_i^2$, so a slow mode is nearly silent in what a preconditioner learns from.
#
# The best-conditioned teacher of faces is the last: $\kappa$ below 1.1, and more modes than the student. But it misses
# more than half of an image, by norm, and a part of what the student sees is at more than $40°$ to its range. Keep it in
# mind: what it is worth will depend on the form of $P$, and not on its condition number.
#
# ## Nested: what both see, both see alike
#
# A gap of zero means that the range of $A_s^\top$ lies in the range of $A_t^\top$. That is the same as $A_s = B
# A_t$ for some matrix $B$: the student's data could be computed from the teacher's. It holds by itself where both take
# the first rows of one list, such as an order of the Hadamard patterns or the random order of MRI columns
# (`nested=True`). For two cameras that decimate on nested grids it holds if the blur is the same, and nearly so for the
# blurs of our task.
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
# the form $\nabla g_s + h$ with $A_s h = 0$ can in principle reach the cosine similarity $S_c = 1$.
#
# What if the two are not nested? Three quantities decide how near $b + h$ with $A_s h = 0$ can come.
#
# - The **base** $b$ is what the form starts from: $\nabla g_s$, or in super-resolution a damped Newton step, which the
#   [chapter on linear preconditioners](linear-preconditioners) introduced. Here it is $R_\lambda \nabla g_s$ with
#   $R_\lambda = \lVert A_s \rVert^2 (A_s^\top A_s + \lambda \lVert A_s \rVert^2 I)^{-1}$ and $\lambda = 0.001$. We leave
#   out the little of it in modes that count as zero.
# - The **unseen share** $\nu$ is the share of $\lVert \nabla g_t \rVert^2$ in the null space of $A_s$.
# - The **agreement** $\chi = S_c(b, A_s^+A_s \nabla g_t)$ compares base and teacher in the student's row space.
#
# Together they give a **ceiling**, for $b$ in the row space of $A_s$ and $\chi > 0$ ({ref}`ex-teacher-ceiling`):
#
# $$
# \begin{aligned}
# & \max_{A_s h = 0} S_c(b + h, \nabla g_t) \\
# & \quad = \sqrt{\nu + (1 - \nu)\, \chi^2} .
# \end{aligned}
# $$ (eq-teacher-ceiling)
#
# This formula leaves out a second difficulty. The part that the teacher asks for in the null space has two sources,
#
# $$
# \begin{aligned}
# & (I - A_s^+A_s)\, M_t e \\
# & \quad = (I - A_s^+A_s)\, M_t\, (I - A_s^+A_s)\, e \\
# & \qquad {} + (I - A_s^+A_s)\, M_t\, A_s^+A_s\, e ,
# \end{aligned}
# $$ (eq-teacher-leak)
#
# the error that is there, and the error of the *range*, which **leaks**. For nested projectors the leak is zero. We
# measure all of it for six images of each task, where the student's own tuned solver is after three iterations, without
# noise in the gradients.


# %%
def cosine(a, b):
    return torch.cosine_similarity(a.flatten(1), b.flatten(1))


# %%
def compare(A, B, b, e):
    wanted = normal(B, e)
    seen, hidden = range_projection(A, wanted), null_projection(A, wanted)
    nu, chi = (norms(hidden) / norms(wanted)) ** 2, cosine(b, seen)
    leaked = norms(null_projection(A, normal(B, range_projection(A, e))))
    ceiling = (nu + (1 - nu) * chi**2).sqrt()
    return cosine(b, wanted), nu, chi, ceiling, leaked / norms(hidden)


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
for label, (task, B) in built.items():
    e, b = points[task.name]
    found[label] = [float(v.mean()) for v in compare(task.student, B, b, e)]
by_column = zip(*found.values(), strict=True)
_, nu, chi, ceiling, leak = (dict(zip(found, v, strict=True)) for v in by_column)
*others, last = leak.values()
print(f"unseen share of at least {min(nu.values()):.2f}")
print(f"leak {last:.2f} for the last teacher, at most {max(others):.2f} for others")

# %% mystnb={"figure": {"name": "fig-teacher-ceiling", "caption": "Eight teachers at the student's third iterate, means over six images: the agreement with the base in the student's row space, and the largest cosine similarity that a form with this base can reach."}, "image": {"alt": "Two markers in each of eight rows, on an axis from 0 to 1. The ceiling is above 0.9 in all rows. The agreement is 1 for the nested teachers and falls to about 0.75 and 0.85 for the two with other patterns or another mask, and to about 0.4 for the teacher of faces that decimates by four."}} tags=["hide-input"]
dotted = {name: {"agreement": chi[name], "ceiling": ceiling[name]} for name in found}
roles = {"agreement": "baseline", "ceiling": "teacher"}
figures.dots(dotted, xlabel="cosine similarity", roles=roles)

# %%
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
# The nested teachers with orthonormal rows agree with the student exactly. The one with other patterns and the one with
# another mask have an agreement below one, since they are silent about some of the student's rows. But their ceiling
# stays near one, because most of the gradient is in the null space anyway: a loss that matches cosines will hardly
# notice.
#
# Compare the faces' $\times 2$ with $\times 1$: the teacher that keeps every pixel sees more than twice the modes, and
# all its values are the same within 0.03. What it adds are slow modes, which a gradient hardly shows. Newton's step as $b$
# is needed for these agreements.
# The student's plain gradient is dominated by its strongest modes, and agrees badly with any teacher's:

# %%
(e, _), A = points["super_resolution"], tasks["super_resolution"].student
plain_chi = compare(A, tasks["super_resolution"].teacher, normal(A, e), e)[2].mean()
print(f"agreement of the plain gradient with the book's teacher: {plain_chi:.2f}")
assert plain_chi < 0.5 < 0.95 < chi["faces, ×2, blur 1"]

# %% [markdown]
# ## A teacher that contradicts
#
# What does nesting protect, if the cosine hardly notices? Imagine that training succeeds completely: the
# preconditioner returns the teacher's gradient exactly. We can have such a preconditioner, by cheating. `Granted`
# knows $y_t$. In the free form it *is* the teacher's gradient. In the null-space form it keeps the student's gradient
# and takes from the teacher only what lies in the null space of $A_s$. The preconditioners of super-resolution have a
# third form, $R_\lambda \nabla g + (I - A_s^+A_s)\, N_\theta$, with the same Newton step on the range.


# %%
class Granted(ddgp_lib.Preconditioner):
    def __init__(self, task, teacher, images, form):
        super().__init__()
        self.teacher, self.form, self.newton = teacher, form, Newton(1e-3, 1e-3)
        self.adjoint = teacher.A_adjoint(measure(teacher, images, seed=1))
        self.scale = 1 / (task.stepsize * squared_norm(teacher, task.img_size))

    def forward(self, grad, state):
        wanted = self.scale * gradient(self.teacher, state.z, self.adjoint)
        if self.form == "free":
            return wanted
        base = grad if self.form == "null space" else self.newton(grad, state)
        return base + null_projection(state.physics, wanted)


# %% [markdown]
# Everything else is as usual: the student's data, its denoiser, twenty iterations without momentum.


# %%
def reach(task, P):
    options = {"stepsize": task.stepsize, "sigma": task.sigma, "momentum": "none"}
    solver = ddgp_lib.PreconditionedFISTA(task.denoiser, P, **options)
    trace = ddgp_lib.evaluate(task, solver, images=task.test_images[:12], max_iter=20)
    return float(trace.psnr[-1].mean()), float(trace.residual[-1].mean())


# %%
good, other = "digits, 15%", "digits, 15%, sequency"
two, four = "faces, ×2, blur 1", "faces, ×4, blur 1"
forms = ("free", "null space", "with Newton")
granted = {"digits, no P": reach(digits, None)}
granted["faces, no P"] = reach(tasks["super_resolution"], None)
granted["faces, Newton alone"] = reach(tasks["super_resolution"], Newton(1e-3, 1e-3))
for label in (good, other, two, four):
    task, B = built[label]
    for form in forms[: 3 if label in (two, four) else 2]:
        P = Granted(task, B, task.test_images[:12], form)
        granted[f"{label}, {form}"] = reach(task, P)

# %% [markdown]
# Which teacher, granted in full, does better than no $P$, and in which form?

# %% mystnb={"figure": {"name": "fig-teacher-granted", "caption": "PSNR after 20 iterations, if what the teacher asks for is granted, minus that of the solver without P; means over 12 images."}, "image": {"alt": "Dots for four teachers in up to three forms, with a line at zero. Digits, 15 per cent: both forms above 2 dB. Sequency: the free form just above zero, the null-space form above 2 dB. Faces, factor 2: the free form at 7 dB, the null-space form at half of that. Faces, factor 4: the free form far below zero, the null-space form just below zero, the form with Newton's step above zero."}} tags=["hide-input"]
end = {label: values[0] for label, values in granted.items()}
residual = {label: values[1] for label, values in granted.items()}
plain, plain_faces = end["digits, no P"], end["faces, no P"]
dotted = {}
for name in granted:
    label, form = name.rsplit(", ", 1)
    if form in forms:
        low = plain if label.startswith("digits") else plain_faces
        dotted.setdefault(label, {})[form] = end[name] - low
dotted["faces, no teacher"] = {forms[2]: end["faces, Newton alone"] - plain_faces}
roles = dict(zip(forms, ("gradient_only", "distilled", "newton"), strict=True))
figures.dots(dotted, xlabel="gain in PSNR (dB)", roles=roles, reference=0.0)

# %% tags=["hide-input"]
lost_rows = int((student.mask * (1 - built[other][1].mask)).sum())
print(f"{lost_rows} of the student's {student.rank} patterns are not in sequency's.")
far, near = residual[f"{other}, free"], residual["digits, no P"]
print(f"Data residual there, in the free form: {far:.2f}; without P: {near:.2f}.")

# %%
assert end[f"{good}, free"] - plain > 2 > 0.6 > end[f"{other}, free"] - plain
assert residual[f"{other}, free"] > 2 * residual["digits, no P"]
assert residual["digits, no P"] > residual[f"{good}, free"]
assert end[f"{other}, null space"] > end[f"{good}, free"] - 0.1
assert end[f"{two}, free"] > plain_faces + 5
assert end[f"{four}, free"] < plain_faces - 4
assert end[f"{four}, null space"] < plain_faces
assert plain_faces + 2 < end[f"{two}, null space"] < end[f"{two}, free"] - 2
assert end[f"{two}, {forms[2]}"] > end[f"{four}, {forms[2]}"]
assert end[f"{four}, {forms[2]}"] > end["faces, Newton alone"] + 0.5
assert (lost_rows, student.rank) == (39, 102)

# %% [markdown]
# (Nothing is tuned here, and the images are few: look at signs and at differences of decibels.) The nested teacher,
# granted in full, gains more than 2 dB with 52 more patterns. The one with its patterns in another order gains little,
# although all that it says is true. Along the student's patterns that it lacks, the free form takes no gradient step,
# and nothing corrects what the denoiser does there. *To imitate this teacher is to forget what was measured.* In the
# null-space form nothing is forgotten, and then this teacher is as good as the nested one.
#
# In super-resolution the task's own teacher gains in all forms, but less in the null-space form: there the student's
# slow modes stay slow.
#
# The teacher with $\kappa$ below 1.1 costs more than 4 dB in the free form, and even in the null-space form it stays
# below no $P$. At the start the student's range error is large, and it leaks ({eq}`eq-teacher-leak`). What
# this teacher asks for in the null space is then mostly an echo of errors that the student's own data could correct. The
# next cell takes the echo away and looks at what is left of the request, by norm:

# %%
task = tasks["super_resolution"]
A, x = task.student, task.test_images[:6]
start = A.A_adjoint(task.measure(x)) - x
for label in (two, four):
    B, own = built[label][1], range_projection(A, start)
    wish, rest = (null_projection(A, normal(B, e)) for e in (start, start - own))
    left = (norms(rest) / norms(wish)).mean()
    print(f"{label}: at the start, {left:.2f} of the request is left without the leak")
    assert left < 0.2 if label == four else left > 0.9

# %% [markdown]
# The echo goes away if the range is repaired first, which is what the Newton step does. In that form the teacher with
# $\kappa$ below 1.1 gains as well, over Newton's step alone. So the failure was one of the form. A small condition
# number did not save this teacher, and did not doom it.
#
# ## Along the student's iterations
#
# Back to good teachers. How much of their gradient does the student lack while its solver runs? For nested projectors
# equation {eq}`eq-teacher-agree` says that the cosine similarity is a ratio of norms, and then
# $\nu = 1 - S_c(\nabla g_s, \nabla g_t)^2$. We follow the tuned solvers without a preconditioner, for teachers of
# growing strength. Those of MRI measure a third of the columns, half of them, as the task's own does, and all.


# %%
def cosines_along(task, chosen, count):
    A, x = task.student, task.test_images[:count]
    solver = ddgp_lib.load_solver(task.name, "none", task=task)
    errors = [z - x for _, z in solver.iterates(task.measure(x), A, 16)]
    paths = {}
    for label, B in chosen.items():
        lengths = [norms(normal(A, e)) / norms(normal(B, e)) for e in errors]
        paths[label] = torch.stack(lengths)
        similar = cosine(normal(A, errors[3]), normal(B, errors[3]))
        torch.testing.assert_close(paths[label][3], similar, rtol=0, atol=1e-4)
    return paths


# %%
third, all_columns = (load("mri", teacher_acceleration=f).teacher for f in (3, 1))
columns = {"1/3": third, "1/2": tasks["mri"].teacher, "all": all_columns}
patterns = {f"{r:.0%}": teachers[r] for r in (0.15, 0.2, 0.4, 1.0)}
along = {
    "single-pixel": cosines_along(digits, patterns, 64),
    "MRI": cosines_along(tasks["mri"], columns, 8),
}

# %% [markdown]
# Which teachers say nearly the same as the strongest? The legend has $\nu$, the mean of $1 - S_c^2$ over images and over
# the iterations from 1 on.

# %% mystnb={"figure": {"name": "fig-teacher-cosines", "caption": "Cosine similarity of the student's and the teacher's gradient along the student's iterations, without noise in the gradients; mean over images. Upper: single-pixel, teachers with 15% to all of the patterns. Lower: MRI, teachers with a third of the columns to all."}, "image": {"alt": "Two panels of curves against the iteration. All start near zero at iteration 0 and jump up at iteration 1. Single-pixel: about 0.5 for the 15 per cent teacher, 0.35 for 20, 0.2 for 40 and 0.17 for all patterns, nearly level from then on. MRI: one third of the columns the highest, half and all lower and close together."}} tags=["hide-input"]
figure, panels = figures.axes(2, height=2.9)
for panel, (name, paths) in zip(panels, along.items(), strict=True):
    named = {}
    for label, path in paths.items():
        named[f"{label}: ν = {(1 - path[1:] ** 2).mean():.2f}"] = path.mean(dim=1)
    axis = {"xlabel": "iteration $k$", "legend": "upper right", "ax": panel}
    axis["ylabel"] = f"{name}: $S_c(\\nabla g_s, \\nabla g_t)$"
    figures.curves(range(17), named, ylim=(0, 1), **axis)
figure

# %% tags=["hide-input"]
for paths in along.values():
    *_, strongest = paths.values()
    for label, path in paths.items():
        mean, nu = path.mean(dim=1), float((1 - path[1:] ** 2).mean())
        assert mean[0] < 0.16
        assert mean[1:].max() < 0.65
        if label in ("40%", "1/2"):
            assert nu > 0.9
            assert (mean - strongest.mean(dim=1)).abs().max() < 0.1
assert 0.6 < (1 - along["single-pixel"]["15%"][1:] ** 2).mean() < 0.8

# %% [markdown]
# At $z_0$ the two gradients have little in common. One call of the denoiser moves the image off the data, and the
# student's gradient has something to say. (The tuned solver of MRI lets the weight of its denoiser
# [fade](what-fades) from some iteration on; there the curves of the lower panel have a step.) Even the weakest teacher of the upper panel has more than
# three fifths of its squared gradient where the student is blind; from 40% on, or with half of the columns, it is more
# than nine tenths. By this measure the strong teachers are nearly alike: the curves of 40% and of 100% differ by less than
# 0.1. ($\nu$ is near 1 whenever the student's gradient is short. It says how much is new to the student, not how much the
# teacher asks for.)
#
# ## How good is too good?
#
# So nearly all that a strong teacher says must be guessed. How much of it can be? Take the student's start. There a nested
# teacher asks, without noise, for $M_t\,h$, the part that it sees of what is hidden, $h = (I - A_s^+A_s)\,x^*$. The
# best *linear* guess of $h$ from the 102 numbers in $y_s$ is a regression on the training images. Let $G$ have the
# measurements of the training images as rows and $H$ their hidden parts, both less their means:
#
# $$
# W = (G^\top G + \varepsilon I)^{-1} G^\top H .
# $$ (eq-teacher-ridge)
#
# In `learn`, the ridge $\varepsilon$ is given relative to the mean of the diagonal of $G^\top G$.


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
# \begin{aligned}
# W_t &= (G^\top G + \varepsilon I)^{-1} G^\top H M_t \\
# &= W M_t .
# \end{aligned}
# $$ (eq-teacher-one-guess)
#
# **A linear guess of what a weaker teacher asks for is the guess of what a stronger one asks for, projected.** One
# regression serves them all. The assertion compares it with one for 40% of the patterns alone.

# %%
train = digits.train_images[:2000]
G, H = numbers(digits.measure(train)), null_projection(student, train)
guess, of_40 = learn(G, H), learn(G, normal(teachers[0.4], H))
hidden, guessed = null_projection(student, images), guess(numbers(y))
assert (normal(teachers[0.4], guessed) - of_40(numbers(y))).abs().max() < 1e-4

# %% [markdown]
# Two measures are needed: $R^2$, the share of the target's squared norm that a guess explains, and the
# mean PSNR. (The mean of a target counts in $R^2$ too: a mode that is not asked for is not given its mean either.)


# %%
def explained(target, guessed):
    return 1 - float((guessed - target).square().sum() / target.square().sum())


def psnr(x, truth=images):
    return float(digits.psnr(x, truth).mean())


# %% [markdown]
# Now add to $z_0$ what each teacher asks for, once granted in full, without noise, and once guessed. *Asked* is the
# share of $\lVert h \rVert^2$ that is asked for.

# %%
strength = {}
for r, B in teachers.items():
    target, offer = normal(B, hidden), normal(B, guessed)
    asked = float(target.square().sum() / hidden.square().sum())
    strength[r] = [asked, explained(target, offer), psnr(z0 + target), psnr(z0 + offer)]
heads = ["asked", "R²", Column("PSNR, granted", "dB"), Column("PSNR, guessed", "dB")]
caption = f"One step from the start, at {psnr(z0):.2f} dB, on 200 held-out digits."
rows = {f"{r:.0%}": row for r, row in strength.items()}
table(caption, heads, rows, corner="teacher")

# %% tags=["hide-input"]
asked, r_squared, wish, gained = zip(*strength.values(), strict=True)
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
# and disturbs no other. The next figure shows the modes in bands, each with what the next teacher adds. It is made with
# 200 validation digits, because we shall choose a teacher by it.

# %% mystnb={"figure": {"name": "fig-teacher-bands", "caption": "What the hidden part of a digit consists of, by bands of patterns in the teachers' order: the share that the linear guess explains, and the share that it does not."}, "image": {"alt": "Seven stacked horizontal bars, from the band of 10 to 15 per cent of the patterns to that of 80 to 100. The first bars are long and mostly guessed; in the middle ones about half; in the last two bars, which are short, hardly anything."}} tags=["hide-input"]
judges = digits.val_images[:200]
h, offer = null_projection(student, judges), guess(numbers(digits.measure(judges)))
bands, before = {}, [torch.zeros_like(h)] * 2
for low, (r, B) in zip((0.1, *ratios), teachers.items(), strict=False):
    part = normal(B, h), normal(B, offer)
    target, found_part = (new - old for new, old in zip(part, before, strict=True))
    share, before = float(target.square().sum() / h.square().sum()), part
    bands[f"{low:.0%} to {r:.0%}"] = share, explained(target, found_part)
roles = {"guessed": "linear", "not guessed": "other"}
lengths = {}
for name, (share, r2) in bands.items():
    lengths[name] = {"guessed": share * r2, "not guessed": share * (1 - r2)}
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
# themselves estimates from 2,000 examples. Does it hold? The regression now has no ridge, and the best teacher is the
# one with the least mean squared error on the test digits, which are not those of the bands.

# %%
few, best, rows = {}, {}, {}
for count in (200, 250, 300, 400, 600, 1000, 2000):
    small = learn(G[:count], H[:count], ridge=0.0)(numbers(y))
    steps = {r: z0 + normal(B, small) for r, B in teachers.items()}
    few[count] = {r: psnr(x) for r, x in steps.items()}
    errors = {r: float((x - images).square().mean()) for r, x in steps.items()}
    line = G.shape[1] / (count - 1)
    above = [r for r, (_, r2) in zip(ratios, bands.values(), strict=True) if r2 > line]
    best[count] = max(above), min(errors, key=errors.get)
    rows[f"{count:,}"] = [line, *(f"{r:.0%}" for r in best[count])]
heads = ["p / (N − 1)", "predicted", "measured"]
table("The best teacher for N examples.", heads, rows, corner="N")

# %% tags=["hide-input"]
off = {n: ratios.index(a) - ratios.index(b) for n, (a, b) in best.items()}
assert max(map(abs, off.values())) <= 1
assert 2 <= sum(step == 0 for step in off.values()) < 7
assert all(off[count] >= 0 for count in (200, 250, 300, 400))
assert few[200][1.0] < few[200][0.3] - 0.5
assert few[400][1.0] < few[400][0.6]
assert few[200][0.3] < few[400][0.6] < few[2000][1.0]

# %% [markdown]
# The figure compares three of these numbers of examples with the wish granted. Where does each curve turn?

# %% mystnb={"figure": {"name": "fig-teacher-strength", "caption": "PSNR after one step from the student's start against the teacher's share of the patterns: with what it asks for granted in full, and guessed by a regression from 2,000, 400 and 200 examples. Mean over 200 held-out digits."}, "image": {"alt": "Four curves against the share of the patterns, from 15 to 100 per cent. Granted: steep, from 17 dB at 15 per cent out of the figure at 22 dB at 40 per cent. 2,000 examples: from 16.6 dB, bending at 40 per cent, level at 19.3 dB from 80. 400 examples: a flat top at 18.1 dB at 60 per cent. 200 examples: a top of 16.7 dB at 30 per cent, then a fall to 16 dB."}} tags=["hide-input"]
curves = {"granted": wish}
for count in (2000, 400, 200):
    curves[f"{count:,} examples"] = list(few[count].values())
roles = ("teacher", "linear", "gradient_only", "other")
axis = {"xlabel": "teacher's share of the patterns (%)", "legend": "above"}
axis |= {"ylabel": "PSNR after the step (dB)", "horizontal": {"no step": psnr(z0)}}
shares, roles = [100 * r for r in ratios], dict(zip(curves, roles, strict=True))
figures.curves(shares, curves, ylim=(15.5, 22.5), roles=roles, **axis)

# %% [markdown]
# The prediction holds within one step of our seven teachers. Where it misses with 400 examples or fewer, it names a
# teacher that is too strong. With 200 examples the teacher that sees everything is more than half a decibel worse than one with 30% of the
# patterns. The remedy need not be a weaker teacher: more examples or a ridge move the best teacher to the right.
#
# So the linear answer has two halves. **A stronger teacher is never worse as such.** Each of its modes is guessed
# for itself. **It is worse for a student that is fitted to too few examples, too closely**, and where that begins can
# be read off from $R^2$.
#
# A network is no regression. It is not linear, its modes share their weights, and its training is finite. What that
# changes has to be measured on trained networks.
#
# ### Networks, trained with each teacher
#
# The study `teachers`, which ships with the library, has trained the book's U-Net once for each teacher and seed, with
# the losses $L_G + L_I$ of the [chapter on distilling](distilling) and in the form of the task; all else is shared. One
# row for each camera has **no teacher**: it has the loss on the true image alone, $L_S$. The trainings are short, 1,500
# steps for digits and fewer for the others. After each, $\sigma$ was chosen on validation images. The gain is the PSNR
# after 20 iterations on test images minus that of the tuned solver without $P$.
#
# First the single-pixel camera, with what one step of the linear guess gains beside it:

# %% mystnb={"figure": {"name": "fig-teacher-trained", "caption": "Gain over the tuned solver without P after 20 iterations, of networks that were trained with teachers of growing strength (bars: two standard errors over the seeds), and gain of one step with the linear guess over no step. Single-pixel camera, student with 10% of the patterns."}, "image": {"alt": "Two curves of gain against the share of the patterns. They rise together from about 1 dB or less at 15 per cent to about 3 dB at 40 per cent, where both bend; beyond, they are nearly level. A horizontal line marks the training without a teacher."}} tags=["hide-input"]
gains = {r: trained[row]["gain_20"] for r, row in pixels.items()}
guess_gains = {r: value - psnr(z0) for r, value in zip(ratios, gained, strict=True)}
network, linear = "network, 20 iterations", "linear guess, one step"
curves = {network: list(gains.values()), linear: list(guess_gains.values())}
errors = {network: [2 * trained[row]["gain_20_error"] for row in pixels.values()]}
axis["horizontal"] = {"no teacher": trained["single_pixel, no teacher"]["gain_20"]}
axis["ylabel"], roles = "gain in PSNR (dB)", {network: "distilled", linear: "linear"}
figures.curves(shares, curves, errors=errors, roles=roles, **axis)

# %% tags=["hide-input"]
beyond = {r: against(pixels[r], pixels[0.4], "20") for r in (0.6, 0.8, 1.0)}
rows = {f"{r:.0%}": [difference] for r, difference in beyond.items()}
heads = [Column("over one with 40%", "dB", signed=True)]
table("PSNR after 20 iterations, three seeds.", heads, rows, corner="teacher")

# %% tags=["hide-input"]
for run in runs:
    recipe = run["configuration"]["recipe"]
    alone = {"supervised": 1.0} if "no teacher" in run["row"] else None
    assert recipe["losses"] == (alone or {"gradient": 1.0, "imitation": 1.0})
    assert recipe["steps"] == 1500 or not run["row"].startswith("single_pixel")
assert max(abs(gains[r] - guess_gains[r]) for r in ratios) < 0.7
assert gains[0.15] + 0.5 < gains[0.2] < gains[0.2] + 0.5 < gains[0.3] < gains[0.4]
assert gains[0.4] > 3 * gains[0.15]
for r, (mean, half) in beyond.items():
    assert -0.1 < mean < 0.4
    assert (mean > half) == (r == 0.8)

# %% [markdown]
# The trained networks follow the linear guess: both curves rise steeply up to 40% and bend there. (That they agree in
# height as well is chance. One is a single step, the other a solver of twenty iterations.) A teacher that is hardly
# stronger than the student has little to teach: 15% of the patterns are worth less than a third of what 40% are worth.
# From 40% on, more strength changes the mean by less than 0.4 dB. After ± stands half the 95% interval of the
# difference. One of the three intervals leaves out zero, and only just. The book's teacher stands at the bend.
#
# The horizontal line asks the harder question: what is the *teacher* worth, over a training that has none? And a ranking
# at iteration 20 need not be one at 100. The next figure has both, for the book's teacher of each camera and for the
# strongest one.

# %% mystnb={"figure": {"name": "fig-teacher-worth", "caption": "PSNR of a network that was trained with a teacher minus that of one trained without, after 20 and after 100 iterations. Means over three seeds; bars: 95 % intervals of the differences of trainings with one seed."}, "image": {"alt": "Six rows, two teachers for each of three cameras, each with a dot for 20 and a dot for 100 iterations and horizontal bars around them, and a vertical line at zero. The third key result counts the bars that leave out zero."}} tags=["hide-input"]
roles = {"k = 20": "distilled", "k = 100": "baseline"}
figures.dots(worth, xlabel="PSNR gained by a teacher (dB)", roles=roles, reference=0.0)

# %% [markdown]
# Where a bar crosses zero, three short trainings do not tell a teacher from the true image alone. (If teachers had no
# effect at all, about one in twenty such bars would still leave out zero.) The folded table has all rows, with what is lost from iteration 20 to 100.

# %% mystnb={"code_prompt_show": "Table of all rows", "code_prompt_hide": "Table of all rows"} tags=["hide-cell"]
images_of = dict(zip(sizes, ("digits", "slices", "faces"), strict=True))
rows = {}
for row, line in trained.items():
    early, late = line["psnr"]["20"], line["psnr"]["100"]
    camera, teacher = row.split(", ", 1)
    rows[f"{images_of[camera]}, {teacher}"] = [
        (line["gain_20"], line["gain_20_error"]),
        early,
        late,
        late - early,
    ]
heads = [Column(name, "dB") for name in ("gain at 20", "k = 20", "k = 100", "change")]
table("Networks trained with each teacher, and without one; three seeds.", heads, rows)

# %% [markdown]
# The gains of slices and faces need a zero to be read from. These solvers do without momentum, which the tuned solver
# without $P$ has, and for faces Newton's step is part of $P$. So an untrained $P$ does not gain zero. What does it gain,
# at the $\sigma$ of the weakest teacher's row?


# %%
def untrained(row):
    run = next(run for run in runs if run["row"] == row)
    task = ddgp_lib.load_task(run["configuration"]["task"])
    recipe = DistillationRecipe(**run["configuration"]["recipe"])
    P = build_preconditioner(recipe, task.img_size[0])
    options = {"stepsize": task.stepsize, "sigma": run["sigma"], "momentum": "none"}
    solver = ddgp_lib.PreconditionedFISTA(task.denoiser, P, **options)
    images = task.test_images[: task.preset.counts.study[1]]
    reached = psnr_curves(task, solver, images, task.student, 20)[-1].mean()
    return float(reached) - (run["psnr"]["20"][0] - run["gain_20"][0])


# %%
weakest = {"slices": of_mri[0], "faces": "super_resolution, factor 4, blur 2.0"}
taught = {kind: trained[row]["gain_20"] for kind, row in weakest.items()}
more = {kind: taught[kind] - untrained(row) for kind, row in weakest.items()}
rows = {kind: [taught[kind], more[kind]] for kind in weakest}
heads = ("over the tuned solver", "over an untrained P")
heads = [Column(head, "dB", signed=True) for head in heads]
table("Gain with the weakest teacher after 20 iterations.", heads, rows)

# %% tags=["hide-input"]
slices = [trained[row]["gain_20"] for row in of_mri]
of_faces = [line["gain_20"] for row, line in trained.items() if "blur" in row]
assert slices[0] + 1.5 < min(slices[1:])
assert abs(slices[2] - slices[1]) < 0.5
assert of_faces[0] + 0.05 < min(of_faces[1:]) < max(of_faces[1:]) < of_faces[0] + 0.2
at_100 = {row: line["psnr"]["100"] for row, line in trained.items()}
assert at_100[of_mri[0]] > at_100[of_mri[1]] + 2
assert at_100[of_mri[2]] > at_100["mri, no teacher"] + 1 > at_100[of_mri[1]] + 1.5
late = [levels[of_mri[2], s]["100"][0] - levels["mri, no teacher", s]["100"][0] for s in range(3)]
assert 0.7 < min(late) < max(late) < 2.8

# %% [markdown]
# The second difference is what the training has brought. For slices, after 20 iterations half of k-space, the book's
# teacher, is worth two decibels more than a third. After 100 the order is reversed: the solver that learned from a
# third is still rising, and the one that learned from half has lost more than it was ahead. The teacher that sees all
# of k-space loses less than that of half. After 100 iterations it is ahead of no teacher with every seed, but by so
# different amounts that the interval of the mean holds zero. (Nothing was done here against a late decay. The
# [shipped networks](when-it-breaks) had a second training for it.)
#
# For faces all teachers are within two tenths of a decibel, and the weakest one's training brings hardly anything over an
# untrained $P$. (This teacher keeps as few pixels as the student and has half its blur.) Do they ask for so little? The
# next cell has the share of the hidden energy that is asked for, *asked* in the digits' table.

# %%
camera, asked_of_faces = ddgp_lib.load_task("super_resolution"), {}
h = null_projection(camera.student, camera.test_images[:40])
for row in (name for name in trained if "blur" in name):
    run = next(run for run in runs if run["row"] == row)
    B = ddgp_lib.load_task(camera.name, **run["configuration"]["options"]).teacher
    wish = null_projection(camera.student, normal(B, h)) / squared_norm(B, camera.img_size)
    asked_of_faces[row] = float(wish.square().sum() / h.square().sum())
rows = {row.split(", ", 1)[1]: [100 * v] for row, v in asked_of_faces.items()}
heads = [Column("asked", "%", digits=1)]
table("Share of the hidden energy, over 40 faces.", heads, rows, corner="teacher")

# %% tags=["hide-input"]
sharp, soft = ([v for row, v in asked_of_faces.items() if f"blur {b}" in row] for b in (1.0, 2.0))
assert max(soft) < 0.01 < 0.1 < min(sharp) < max(sharp) < 0.2

# %% [markdown]
# The two teachers with the narrower blur ask for more than ten times as much as the others, and their networks gain the
# same within two tenths of a decibel. So hardly anything of what they ask for shows in the gain. Most of the gain for
# faces is that of Newton's step, which needs no teacher.
#
# ### Why a third of k-space is worth so little
#
# Neither $\nu$ nor the number of new columns explains it. Look again at the share of the hidden energy that a teacher
# asks for. In MRI it is what its new columns hold. Masks are random, so we take eight draws, each with its own student (a
# quarter), and teachers with a third and with half of the columns. (The energy is that of test slices: a diagnosis, not
# a way to choose a teacher.)


# %%
full_size = ddgp_lib.load_task("mri")
everything = CartesianMRI(1, full_size.img_size)
column_energy = everything.A(full_size.test_images[:48]).square().sum((0, 1, 2))


def mask_of(seed, acceleration):
    return CartesianMRI(acceleration, full_size.img_size, mask_seed=seed).columns


def asked_of(seed, acceleration):
    few, many = mask_of(seed, 4), mask_of(seed, acceleration)
    return float(column_energy[many & ~few].sum() / column_energy[~few].sum())


# %%
thirds, halves = ([asked_of(seed, factor) for seed in range(8)] for factor in (3, 2))

# %% mystnb={"figure": {"name": "fig-teacher-draws", "caption": "Share of the hidden energy in the columns that a teacher with a third, and one with half of k-space adds to the student's quarter, for eight random masks. The book's is draw 0."}, "image": {"alt": "Two curves over eight draws. That of a third lies between 0.1 and 0.4, in the first draw near 0.1; that of half lies above it in every draw, in the first near 0.8."}} tags=["hide-input"]
curves = {"a third": thirds, "half": halves}
roles = {"a third": "other", "half": "teacher"}
labels = {"xlabel": "draw of the mask", "ylabel": "share asked for", "legend": "above"}
figures.curves(range(8), curves, ylim=(0, 1), roles=roles, **labels)

# %% tags=["hide-input"]
hidden_energy = column_energy * ~mask_of(0, 4)
largest = hidden_energy.argsort(descending=True)[:7]
held = float(hidden_energy[largest].sum() / hidden_energy.sum())
counts = {factor: int(mask_of(0, factor)[largest].sum()) for factor in (3, 2)}
lower = sum(share < thirds[0] for share in thirds)
print(
    f"Asked for in our draw: by a third {thirds[0]:.0%}, by half {halves[0]:.0%}.\n"
    f"In {lower} of the other 7 draws a third asks for less. The 7 strongest hidden\n"
    f"columns hold {held:.0%}: a third has {counts[3]} of them, half {counts[2]}."
)

# %%
assert all(third < half for third, half in zip(thirds, halves, strict=True))
assert thirds[0] < 0.5 * halves[0]
assert counts[3] < counts[2]

# %% [markdown]
# A teacher can only teach what it asks for. (This is an explanation, not a proof. The proof would be a teacher with as
# few new columns, but the strongest ones. It has not been trained here, and neither have the other draws.)
#
# ## Noise in the teacher's data
#
# The teacher's noise is simulated; one may leave it out. Does it matter? With noise, $\nabla g_t = M_t e - A_t^\top w'$.
# We give the teacher with 40% of the patterns noise of several levels, while the student keeps its own. *Moved* is the
# squared difference that the noise makes to a guess learned from 2,000 noisy targets, beside the one that the algebra of
# the last section expects.

# %%
B, generator = teachers[0.4], torch.Generator().manual_seed(4)
clean = null_projection(student, normal(B, train))
drawn = torch.randn(train.shape, generator=generator)
draw = null_projection(student, B.A_adjoint(drawn))
from_clean, p = learn(G, clean, ridge=1e-6)(numbers(y)), G.shape[1]
rows = {}
for sigma in (0.01, 0.1, 0.3):
    noisy = clean + sigma * draw
    from_noisy = learn(G, noisy, ridge=1e-6)(numbers(y))
    moved = float(norms(from_noisy - from_clean).square().mean())
    expected = (B.rank - student.rank) * sigma**2 * p / (len(train) - p - 1)
    similar, quality = float(cosine(noisy, clean).mean()), psnr(z0 + from_noisy)
    rows[f"{sigma:g}"] = [similar, quality, moved, expected]

# %%
heads = ["cosine with the clean target", Column("PSNR after the step", "dB")]
heads += [Column(name, digits=3) for name in ("moved", "expected")]
table("A guess learned from noisy targets.", heads, rows, corner="noise")

# %%
assert all(abs(moved / expected - 1) < 0.3 for *_, moved, expected in rows.values())
assert similar < 0.7
assert psnr(z0 + from_clean) - psnr(z0 + from_noisy) < 0.6

# %% [markdown]
# At a noise of 0.3, thirty times the student's, the target's cosine with the clean one is below 0.7, and no
# preconditioner could match it better. Yet the guess has lost less than 0.6 dB. The noise is independent of everything
# that the student knows, so it cannot be learned. It averages out, about at the rate of equation
# {eq}`eq-teacher-worth`: it adds $\sigma^2 p / (N - p - 1)$ to each mode that is asked for. A noisy teacher is a teacher
# with fewer examples.
#
# There is a second effect, in the row space of the *student*. The two cameras draw their noise independently, also on
# the columns that they share. Equation {eq}`eq-teacher-agree` then holds only while the error is large against the
# noise. We follow the tuned solver of MRI, with a nested teacher that measures a third of the columns:

# %%
scanner, x = tasks["mri"], tasks["mri"].test_images[:8]
y_mri, A = scanner.measure(x), scanner.student
solver = ddgp_lib.load_solver("mri", "none", task=scanner)
adjoint, adjoint_t = A.A_adjoint(y_mri), third.A_adjoint(measure(third, x, seed=1))
agreement = []
for _, z in solver.iterates(y_mri, A, 20):
    g_s, g_t = gradient(A, z, adjoint), gradient(third, z, adjoint_t)
    agreement.append(float(cosine(g_s, range_projection(A, g_t)).mean()))
print(f"agreement {agreement[1]:.2f} at k = 1, {agreement[20]:.2f} at k = 20")
assert agreement[1] > 0.7 > agreement[10] > 0.2 > agreement[20]

# %% [markdown]
# Although the two are nested, their agreement falls from more than 0.7 to less than 0.2. By then the student's own
# gradient is short: its data are fitted to well below their noise. On the shared columns the teacher's gradient is then
# nearly the *difference* of the two draws of the noise. A free form that matched it there would learn to exchange one
# noise for another. The null-space form takes nothing from the teacher there. The next cell compares:

# %%
own_draw, other_draw = gradient(A, x, adjoint), gradient(third, x, adjoint_t)
difference = range_projection(A, other_draw) - own_draw
similar = cosine(range_projection(A, g_t), difference).mean()
ratio = (norms(g_s) / norms(own_draw)).mean()
print(f"cosine with the difference of the draws: {similar:.2f}")
print(f"student's gradient over its noise: {ratio:.2f}")
assert similar > 0.7

# %% [markdown]
# ## Try it: from a weak teacher to all
#
# The point is now $z_1$, after one iteration of the tuned solver, where the student's own gradient is not zero.
# Dark patterns are the student's, lighter ones the teacher's. Move the slider, and compare the last two pictures:
# the part of the teacher's gradient that the student does not see, and what the regression offers for it. From where on
# does only the first grow?

# %% tags=["hide-input"]
solver = ddgp_lib.load_solver("single_pixel", "none", task=digits)
z1 = list(solver.iterates(y, student, 1))[-1][1]
step, estimate = gradient(student, z1, student.A_adjoint(y))[shown], z0 + guessed


def asked_and_offered(r):
    wanted = gradient(teachers[r], z1, adjoints[r])
    offered = normal(teachers[r], z1 - estimate) - normal(student, z1 - estimate)
    return wanted[shown], null_projection(student, wanted)[shown], offered[shown]


# %% tags=["hide-input"]
def draw_teacher(r):
    wanted, unseen_part, offered = asked_and_offered(r)
    both = (student.mask + teachers[r].mask)[0]
    panels = {"patterns": both / 4, "$A_s^T y_s$": z0[shown]}
    panels |= {"$A_t^T y_t$": adjoints[r][shown], "$x^*$": images[shown]}
    panels |= {"$-\\nabla g_s$": -step, "$-\\nabla g_t$": -wanted}
    panels |= {"unseen part": -unseen_part, "its guess": -offered}
    return figures.images(panels, columns=4, signed=True, vmax=0.5)


# %% tags=["hide-input"]
def describe_teacher(r):
    _, unseen_part, offered = asked_and_offered(r)
    return (
        f"A teacher with {r:.0%} of the patterns, and a four. The unseen part of its "
        f"gradient has norm {unseen_part.norm():.1f}, the guess {offered.norm():.1f}."
    )


# %% tags=["hide-input"]
slider = {"draw": draw_teacher, "values": ratios, "text": lambda r: f"{r:.0%}"}
slider |= {"label": "Teacher's share of the patterns", "start": 3}
caption = (
    "Upper row: the patterns of both, what student and teacher see, the truth. "
    "Lower row: both gradients with their sign turned, the teacher's part in the "
    "student's null space, and its linear guess."
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
squares, products = (v.sum(dim=(1, 2, 3), keepdim=True) for v in (b * b, b * row))
scale = squares / products
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
# rest is independent. The function is fitted to $N$ examples by least squares, means known. (a) Show that the fit adds
# $(1 - R^2)\, p / (N - p - 1)$ to the expected squared error of a new guess, and derive equation
# {eq}`eq-teacher-worth`. (For Gaussian rows with covariance $C$, $\mathbb{E}\,(G^\top G)^{-1} = C^{-1} / (N - p - 1)$.)
# (b) From how many examples on is a mode with $R^2 = 0.34$ worth asking for, if $p = 102$?
# ```

# %%
answer = None  # (b): put the number of examples here
answers.check("ex-teacher-worth", answer)

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
# (a) The fitted weights are the true ones plus $(G^\top G)^{-1} G^\top r$, with the rest $r$ of variance $1 - R^2$,
# so their error has the covariance $(1 - R^2)\,(G^\top G)^{-1}$. A new example with covariance $C$ makes of it
# $(1 - R^2) \operatorname{tr}\bigl(C\, \mathbb{E}\,(G^\top G)^{-1}\bigr) = (1 - R^2)\, p / (N - p - 1)$. Without the
# guess the error is one, with it $(1 - R^2)(1 + p / (N - p - 1))$. The guess pays if $R^2 > (1 - R^2)\, p / (N - p -
# 1)$, and solved for $R^2$ this is $R^2 > p / (N - 1)$. The cell above simulates the term that is added. (b) $N - 1 >
# 102 / 0.34 = 300$, so from 302 examples on.
# ```
#
# ## Recap
#
# - A teacher is needed for one equation, $\nabla g_t = M_t e$, on training images. It can be any operator.
# - "Better conditioned" is not one thing. A blur-only teacher has more rank than a decimating student and a far larger
#   $\kappa$. A gradient weighs modes by $s_i^2$, so added slow modes hardly change it.
# - Nested, with orthonormal rows: the teacher agrees with the student on what both see, and adds only in the null
#   space. Not nested: to imitate it exactly is to forget measured data. The null-space form repairs that; a leak through
#   another blur needs Newton's step as well.
# - Most of a teacher's gradient, for strong teachers more than nine tenths of its square, lies where the student is
#   blind. It has to be guessed.
# - The linear guess for a weaker nested teacher is that for a stronger one, projected. $R^2$ falls with strength; the
#   error does not rise, unless examples are few. A mode is worth asking for if $R^2 > p/(N-1)$.
# - After 20 iterations networks gain from stronger teachers as that guess predicts: steeply at first, hardly any more
#   beyond four times the student's data. What a teacher is worth has to be asked against a training without one, at 20
#   iterations and late. Here three seeds hardly tell a teacher from none.
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
