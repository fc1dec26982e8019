# %% [markdown]
# (distilling)=
# # Distilling a network: what is made small, and on which points
#
# The [teacher](teachers) says what the gradient should have been. The [closed form](closed-form) learns that with one
# linear regression for each iteration. A network can learn more, but it has to be trained, step by step, on points that
# it helps to choose. This chapter takes that training apart: the losses, the pairing with the teacher, the pool of
# states, the recipe. One example runs through the chapter: of two trainings, the one with the better loss makes the worse
# solver. All measurements are simulated, from one set of images, handwritten digits.
#
# ```{note}
# **Time:** 20 minutes of reading, about one of computing. **Before this:** [](teachers), for student, teacher and
# null-space form; how a network is trained by stochastic gradients. **After it** you can
#
# 1. write the training of a preconditioner in some thirty lines, and say what each line is for;
# 2. say what each of six losses sees, where along the iterations it is loud, and what each is worth in training;
# 3. explain why the teacher's gradient is taken at the *student's* iterate, and what else differs in the other pairing;
# 4. predict the ages of the states in a pool, and say why they must be the network's own;
# 5. read a recipe, and interrupt and resume a training without changing a bit of its result.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import copy
import dataclasses
import math
import tempfile
from contextlib import suppress
from pathlib import Path

import torch

import ddgp_lib
from ddgp_lib import answers, checkpoints, distillation, figures, widgets
from ddgp_lib.distillation import DistillationRecipe, StatePool
from ddgp_lib.evaluation import psnr_curves
from ddgp_lib.experiments.statistics import t_quantile
from ddgp_lib.experiments.study import ITERATIONS, compare, load_study
from ddgp_lib.operators import (
    gradient,
    measure,
    norms,
    null_projection,
    range_projection,
)
from ddgp_lib.presets import PRESETS
from ddgp_lib.tables import Column, table
from ddgp_lib.training import SCHEDULES, build_schedule

# %% tags=["hide-input"]
studied = compare("single_pixel")
by_loss = {line["row"]: line for line in studied["losses"]}
by_form = {line["row"]: line for line in studied["forms"]}
levels = {(run["row"], run["seed"]): run["psnr"] for run in load_study("forms")["runs"]}


def interval(values):
    """Return the mean of some seeds, and half its 95 % interval."""
    values = torch.tensor(values)
    half = t_quantile(len(values)) * float(values.std()) / len(values) ** 0.5
    return float(values.mean()), half


def ahead(row, other, k):
    gaps = [levels[row, s][k][0] - levels[other, s][k][0] for s in range(3)]
    return interval(gaps)


# %% tags=["hide-input"]
wide = "few updates, wide batches"
kinds = {"null space, with z": "null_space, state_aware"}
kinds["free, no z"] = "free, gradient_only"
causes = {}
for name, start in kinds.items():
    between = (wide, f"{wide}, short horizon", "few updates, unrolled")
    between = [f"{start}, {row}" for row in between]
    chain = (start, *between, f"{start}, own trajectories")
    for k in ("5", "20"):
        steps = [ahead(*pair, k) for pair in zip(chain, chain[1:], strict=False)]
        names = ("more updates", "late states", "no unrolling", "target")
        causes[f"{name}, k = {k}"] = dict(zip(names, steps, strict=True))

# %% [markdown]
# **Key results**, computed from short trainings with three seeds. Gains are over the tuned solver without $P$ after 20
# iterations, with the standard error over seeds; in the other lines, ± is half the 95 % interval:

# %% tags=["hide-input"]
gains = {name: (v["gain_20"], v["gain_20_error"]) for name, v in by_loss.items()}
gain_of = {name: "{:.2f} ± {:.2f} dB".format(*pair) for name, pair in gains.items()}
at_20 = [found for label, found in causes.items() if label.endswith("20")]
said = {}
for cause in at_20[0]:
    said[cause] = " and ".join("{:+.2f} ± {:.2f}".format(*row[cause]) for row in at_20)
print(
    f"1. A teacher's direction and next iterate, L_G + L_I: {gain_of['L_G + L_I']}.\n"
    f"   No teacher, the true image alone, L_S: {gain_of['L_S']}.\n"
    f"   All three together: {gain_of['L_G + L_I + L_S']}.\n"
    f"2. The teacher asked at the student's iterate, not on own trajectories, with\n"
    f"   all else the same, two forms of P: {said['target']} dB.\n"
    f"3. Asked there, a training can use a pool of states. The pool brings more\n"
    f"   updates, {said['more updates']} dB, late states,\n"
    f"   {said['late states']} dB, and single steps in the place\n"
    f"   of unrolled ones, {said['no unrolling']} dB."
)

# %% [markdown]
# ```{figure} _static/drawings/training_step.svg
# :name: fig-dn-step
# :alt: On the left a pool of states, each an image, its iteration and its true image. A batch is drawn from it. The student's gradient goes through P; the teacher's gradient stands beside it. A loss compares the two and changes the weights of P. The direction that P gave also makes the next iterate, which goes back into the pool one iteration older; at the horizon a new image takes its place.
#
# One step of the training, with its pool.
# ```
#
# ## One step of the training
#
# The task is the [single-pixel camera](single-pixel): a student with a tenth of the Hadamard patterns, a teacher with
# four tenths, handwritten digits. A *state* is where one reconstruction stands: the iterate $z$, its iteration $k$,
# the data of the student and, while we train, of the teacher. From a batch of states, one training step takes one
# iteration of the student with the preconditioner, and one of the teacher without:
#
# $$
# \begin{aligned}
# x_s &= D_\sigma\bigl(z - \alpha_s P_\theta(\nabla g_s(z); z)\bigr), \\
# x_t &= D_\sigma\bigl(z - \alpha_t \nabla g_t(z)\bigr).
# \end{aligned}
# $$ (eq-dn-pair)
#
# Both start from one $z$. What the teacher does is a constant: no gradient flows through it. In the code, `directions`
# returns $\nabla g_s$, $P_\theta$ and $\nabla g_t$, and `iterate` adds the two images.

# %%
task = ddgp_lib.load_task("single_pixel")
A, B, sigma = task.student, task.teacher, task.sigma


def directions(P, states):
    g = gradient(A, states["z"], states["adjoint_student"])
    d = P(g, ddgp_lib.State(states["z"], states["k"], A, states["y_student"]))
    return g, d, gradient(B, states["z"], states["adjoint_teacher"])


def iterate(P, states):
    g, d, g_t = directions(P, states)
    x = task.denoiser(states["z"] - task.stepsize * d, sigma)
    with torch.no_grad():
        x_t = task.denoiser(states["z"] - task.teacher_stepsize * g_t, sigma)
    return g, d, g_t, x, x_t


# %% [markdown]
# The default loss compares directions and images {cite}`gualdron2025d2gp`. We give both the weight one:
#
# $$
# \begin{aligned}
# \mathcal{L} &= \rho_G L_G + \rho_I L_I, \\
# L_G &= \bigl(1 - S_c(P_\theta(\nabla g_s; z), \nabla g_t)\bigr)^2, \\
# L_I &= \lVert x_s - x_t \rVert^2 ,
# \end{aligned}
# $$ (eq-dn-loss)
#
# where $S_c$ is the cosine similarity, and both are averaged over the batch. Around them stands the loop of the drawing.
# `steepness` is the norm of the gradient in the weights, before it is clipped to one. The argument `policy` says *whose*
# iterate goes back into the pool: that of the network in training, or that of the plain solver, which has no
# preconditioner. The two trainings of this chapter's example differ in this alone.


# %%
def distill_losses(d, g_t, x, x_t):
    return distillation.gradient_loss(d, g_t), distillation.squared_distance(x, x_t)


# %%
def train(recipe, policy="own", keep=()):
    generator = torch.Generator().manual_seed(recipe.seed)
    P = distillation.build_preconditioner(recipe, 1, task.img_size)
    pool = StatePool(task, recipe, generator)
    rate, decay = recipe.learning_rate, recipe.weight_decay
    optimiser = torch.optim.AdamW(P.parameters(), lr=rate, weight_decay=decay)
    schedule = build_schedule(recipe.schedule, recipe.steps)
    history, kept = [], {}
    for step in range(recipe.steps):
        places, states = pool.draw(recipe.batch_size)
        g, d, g_t, x, x_t = iterate(P, states)
        losses = distill_losses(d, g_t, x, x_t)
        for group in optimiser.param_groups:
            group["lr"] = rate * schedule.factor(step)
        optimiser.zero_grad()
        sum(losses).backward()
        steepness = torch.nn.utils.clip_grad_norm_(P.parameters(), 1.0)
        optimiser.step()
        if policy == "plain":
            x = task.denoiser(states["z"] - task.stepsize * g, sigma)
        pool.put_back(places, x.detach(), x.detach())
        noted = (*losses, steepness, pool.tensors["k"].float().mean())
        history.append([value.item() for value in noted])
        if step + 1 in keep:
            kept[step + 1] = copy.deepcopy(P).requires_grad_(False)
    return P.eval().requires_grad_(False), torch.tensor(history).T, kept


# %% [markdown]
# The iterate goes back as both $x$ and $z$, because we train without momentum. Is it what the library does?

# %%
tiny = {"steps": 4, "batch_size": 4, "pool_size": 8, "parameters": "small"}
tiny["momentum"] = "none"
ours, history, _ = train(DistillationRecipe(**tiny))
library = ddgp_lib.distill(task, progress=False, **tiny)
for losses, name in zip(history, ("gradient", "imitation"), strict=False):
    theirs = torch.tensor(library.history[name])
    torch.testing.assert_close(losses, theirs, rtol=1e-4, atol=1e-6)
both = ours.parameters(), library.preconditioner.parameters()
for mine, theirs in zip(*both, strict=True):
    torch.testing.assert_close(mine, theirs, rtol=0, atol=1e-5)

# %% [markdown]
# ## The question in one picture
#
# Now 150 steps, twice. Both trainings have the same recipe, the same initial weights, the same loss. They differ in
# `policy` alone. The first learns on states that its own network has caused, the second on those of the plain solver.

# %%
brief = {"steps": 150, "batch_size": 16, "pool_size": 128, "learning_rate": 3e-3}
recipe = DistillationRecipe(momentum="none", **brief)
P, history, kept = train(recipe, keep=(5, 10, 20, 40, 80, 150))
P_plain, history_plain, _ = train(recipe, policy="plain")

# %% [markdown]
# Then 32 held-out digits are reconstructed. `curve` gives their mean PSNR at each iteration.

# %%
images = task.test_images[:32]
y = task.measure(images)


def solver(P, momentum="none", stepsize=task.stepsize):
    options = {"stepsize": stepsize, "sigma": sigma, "momentum": momentum}
    return ddgp_lib.PreconditionedFISTA(task.denoiser, P, **options)


def curve(method, iterations=50):
    return psnr_curves(task, method, images, A, iterations).mean(dim=1)


# %% [markdown]
# There are four solvers: with the two networks, with the untrained one, and without a preconditioner but with $\sigma$
# and momentum tuned. The table has the losses, as means over the last thirty steps, the PSNR, and a *score*, the
# lower of the PSNRs after 20 and after 50 iterations, which we need later.

# %% tags=["nbval-ignore-output"]
untrained = distillation.build_preconditioner(recipe, 1, task.img_size)
curves = {
    "own states": curve(solver(P)),
    "plain solver's states": curve(solver(P_plain)),
    "untrained": curve(solver(untrained)),
    "no P, tuned": curve(ddgp_lib.load_solver("single_pixel", "none")),
}

# %% tags=["nbval-ignore-output", "hide-input"]
logs = {"own states": history, "plain solver's states": history_plain}
rows = {}
for name, values in curves.items():
    last = logs[name][:2, -30:].mean(dim=1).tolist() if name in logs else [None, None]
    reached = [float(values[k - 1]) for k in (2, 5, 20, 50)]
    rows[name] = [*last, *reached, min(reached[2:])]
heads = ["L_G", "L_I", *(Column(f"k = {k}", "dB", digits=1) for k in (2, 5, 20, 50))]
heads.append(Column("score", "dB", digits=1, best="high"))
table("Two trainings that differ in the states: 32 held-out digits.", heads, rows)

# %% tags=["hide-input"]
own, plain, _, tuned = curves.values()
assert history[1, -30:].mean() < 0.5 * history[1, :10].mean()
assert history_plain[0, -30:].mean() < 0.5 * history[0, -30:].mean()
assert own[4] > tuned[4] + 1.5
assert own[19] > tuned[19] + 0.2
assert plain[49] + 4 < own[49] < tuned[49] + 0.5
assert plain[1] > own[1] + 0.4
assert plain[49] < curves["untrained"][0]

# %% mystnb={"figure": {"name": "fig-dn-question", "caption": "Mean PSNR over 32 held-out digits of two preconditioners after the same 150 training steps, of the untrained one, and of the tuned solver without P."}, "image": {"alt": "Four curves of PSNR against iteration. The network trained on its own states rises fast and is highest from the fourth to about the twenty-fifth iteration. The one trained on the plain solver's states is highest for the first three iterations, then falls steadily and ends far below all others. The untrained network and the tuned baseline rise slowly and end about where the first network does."}} tags=["hide-input", "nbval-ignore-output"]
along_k = {"xlabel": "iteration $k$", "legend": "above"}
roles = ("distilled", "gradient_only", "other", "baseline")
roles = dict(zip(curves, roles, strict=True))
axis = along_k | {"ylabel": "PSNR (dB)", "xscale": "log"}
figures.curves(range(1, 51), curves, roles=roles, **axis)

# %% [markdown]
# A hundred and fifty steps are enough to pass the tuned baseline, by more than 1.5 dB after five iterations. (They are
# not enough to stay ahead: after fifty iterations little or nothing of the lead is left.) The other network has less
# than half the gradient loss, and is ahead in the first iterations. Then it falls, and ends below the first iterate of
# the untrained solver. (One seed. With `seed=1` or `seed=2` in the recipe, the folded assertions hold as well. On another
# processor the numbers of a training differ by some tenths of a decibel.) Why?
#
# ## Why the cosine
#
# Let $e = z - x^*$ be the error and $d$ a direction. If the step were chosen afterwards, at its best, then
#
# $$
# \min_\alpha \lVert e - \alpha d \rVert^2 = \lVert e \rVert^2 \bigl(1 - S_c(d, e)^2\bigr)
# $$ (eq-dn-step)
#
# ({ref}`ex-dn-step`). So the cosine *is* the worth of a direction, and $L_G$ compares the student with a teacher that
# is as good as a camera with 410 patterns can be. But no one chooses the step afterwards: $\alpha$ is fixed, and the
# length of $P_\theta$ counts. $L_G$ cannot see it. For every factor $\xi > 0$,
#
# $$
# \begin{aligned}
# L_G(\xi d) &= L_G(d), \qquad \nabla_d L_G \perp d, \\
# \nabla_d L_G(\xi d) &= \tfrac{1}{\xi} \nabla_d L_G(d) .
# \end{aligned}
# $$ (eq-dn-blind)
#
# The second statement is the first, differentiated by $\xi$ at $\xi = 1$; the third is the first, differentiated by
# $d$. We check all three at the plain solver's third iterates, for the shipped preconditioner.

# %%
bare = solver(None)
z = list(bare.iterates(y, A, max_iter=3))[-1][1]
y_t = measure(B, images, seed=1)
states = {"z": z, "k": 3, "y_student": y}
states |= {"adjoint_student": A.A_adjoint(y), "adjoint_teacher": B.A_adjoint(y_t)}
shipped = ddgp_lib.load_preconditioner("single_pixel")
g, d, g_t, x, x_t = iterate(shipped, states)

# %% [markdown]
# `pull` returns $L_G$ at a direction, and its gradient there.


# %%
def pull(d):
    d = d.clone().requires_grad_()
    loss = distillation.gradient_loss(d, g_t)
    return loss.item(), torch.autograd.grad(loss, d)[0]


(loss, slope), (loss_of_double, slope_of_double) = pull(d), pull(2 * d)
assert abs(loss - loss_of_double) < 1e-6
torch.testing.assert_close(slope_of_double, slope / 2, rtol=1e-4, atol=1e-9)
along = (slope * d).flatten(1).sum(dim=1) / (norms(slope) * norms(d))
assert along.abs().max() < 1e-5

# %% [markdown]
# The last line of {eq}`eq-dn-blind` has a consequence: a short direction has a steep loss. How steep was it in our
# training?

# %% tags=["nbval-ignore-output"]
steepness = history[2]
usual = float(steepness[-30:].median())
print(f"gradient in the weights: {steepness[0]:.0e} at first, {usual:.0f} at the end")
assert steepness[0] > 100 * steepness[-30:].median()

# %% [markdown]
# In the first step the pool holds states at $k = 0$ only. There the student's gradient vanishes but for rounding, since
# $A_s A_s^\top = I$ and $z_0 = A_s^\top y_s$ fits the data. A network that starts at zero adds nothing. So $d$ is as
# short as can be, and the gradient in
# the weights is more than a hundred times what it is later. Clipping to norm 1 {cite}`pascanu2013difficulty` bounds it.
# This matters all the more with Adam {cite}`kingma2015adam`, which divides each step by the root of a running mean of
# squared gradients. That mean forgets a thousandth at each step: unclipped, the first gradient would shrink all steps of
# a short training.
#
# ## Six losses, and what each one sees
#
# What $L_G$ leaves open, other terms can close. Let $\ell_s = \lVert \alpha_s P_\theta(\nabla g_s; z) \rVert$ and
# $\ell_t = \lVert \alpha_t \nabla g_t \rVert$ be the lengths of the two steps.
#
# | loss | formula | asks |
# |---|---|---|
# | $L_G$, gradient | $(1 - S_c(P, \nabla g_t))^2$ | the teacher's direction |
# | $L_R$, scale | $\bigl((\ell_s - \ell_t)/(\ell_s + \ell_t)\bigr)^2$ | the teacher's length |
# | $L_I$, imitation | $\lVert x_s - x_t \rVert^2$ | the teacher's next iterate |
# | $L_S$, supervised | $\lVert x_s - x^* \rVert^2$ | the true image |
# | $L_\perp$, row space | $\lVert (I - A_s^+A_s) P \rVert^2 / \lVert P \rVert^2$ | to stay where the data are |
# | $L_N$, penalty | $\alpha_s \lVert A_s (P - \nabla g_s) \rVert^2 / \lVert P \rVert^2$ | to leave measured data alone |
#
# Each is a mean over the batch; $\rho_G, \rho_R, \dots$ are their weights. $L_G$, $L_I$ and $L_S$ are the paper's
# (the formulas of the last two are our reading of it); $L_\perp$ is what a public, machine-written review of the paper
# asks for; $L_R$ and $L_N$ are ours. In code:


# %%
def cosine(a, b):
    return torch.cosine_similarity(a.flatten(1), b.flatten(1))


def by_hand(g, d, g_t, x, x_t):
    step, step_t = norms(task.stepsize * d), norms(task.teacher_stepsize * g_t)
    change = norms(A.A(d - g)) / norms(d)
    return {
        "L_G": (1 - cosine(d, g_t)) ** 2,
        "L_R": ((step - step_t) / (step + step_t)) ** 2,
        "L_I": norms(x - x_t) ** 2,
        "L_S": norms(x - images) ** 2,
        "L_⊥": (norms(null_projection(A, d)) / norms(d)) ** 2,
        "L_N": task.stepsize * change**2,
    }


# %% tags=["hide-input"]
found = {name: value.mean() for name, value in by_hand(g, d, g_t, x, x_t).items()}
expected = {
    "L_G": distillation.gradient_loss(d, g_t),
    "L_R": distillation.scale_loss(task.stepsize * d, task.teacher_stepsize * g_t),
    "L_I": distillation.squared_distance(x, x_t),
    "L_S": distillation.squared_distance(x, images),
    "L_⊥": distillation.row_space_penalty(d, A),
    "L_N": distillation.consistency_penalty(d, g, A, task.stepsize),
}
torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)

# %% [markdown]
# The folded cell compares it with the library's. A loss is understood by what it prefers. Here are five directions at
# the same 32 points. The last is the part of the teacher's gradient in the student's row space. Zero is perfect. Which
# direction wins in which column?

# %%
proposals = {"∇g_s": g, "P": d, "3 P": 3 * d, "∇g_t": g_t}
proposals["∇g_t, row space"] = range_projection(A, g_t)
by_term = {}
for name, v in proposals.items():
    values = by_hand(g, v, g_t, task.denoiser(z - task.stepsize * v, sigma), x_t)
    by_term[name] = [float(value.mean()) for value in values.values()]
heads = [Column(name, digits=3, best="low") for name in values]
table("Six losses of five directions, means over 32 digits.", heads, by_term)

# %% tags=["hide-input"]
columns = zip(*by_term.values(), strict=True)
G, R, L_I, S, perp, N = (dict(zip(by_term, column, strict=True)) for column in columns)
assert abs(G["3 P"] - G["P"]) < 1e-6 < G["P"] < 0.5 * G["∇g_s"]
assert R["3 P"] > R["P"] + 0.1
assert L_I["3 P"] > 2 * L_I["∇g_s"] > 2 * L_I["P"]
assert max(G["∇g_t"], R["∇g_t"], L_I["∇g_t"]) < 1e-6 < S["∇g_t"] < S["P"] < S["∇g_s"]
assert perp["∇g_s"] < 1e-6 < 0.5 < perp["P"]
assert perp["∇g_t, row space"] < 1e-6 < 0.9 < perp["∇g_t"] <= 1
assert N["P"] < 1e-6 < 1e-3 < N["∇g_t"] < 0.01 < N["3 P"]

# %% [markdown]
# $L_G$ and $L_\perp$ do not tell $P$ from $3P$; the others do. $L_R$ sees length alone. $L_\perp$ prefers the plain
# gradient: for the teacher's it is close to one, its largest value, since what a teacher has to teach lies in the
# student's null space. With a large weight it forbids what the other terms ask for. $L_N$ is zero for $P$, because the
# shipped network has the **null-space form** $P_\theta = \nabla g_s + (I - A_s^+A_s)\, N_\theta$: what the network adds
# is projected on the null space. The library trains with $L_N$ only in the form called `"penalised"`, which the
# [chapter on failures](when-it-breaks) compares.
#
# Does blindness do harm? In the null-space form the length of $\nabla g_s$ is fixed, and with it, where
# $\nabla g_s \neq 0$, the length of what should be added ({ref}`ex-teacher-ceiling`). In the free form, nothing is
# fixed. Multiply a good preconditioner by a factor, and its $L_G$ on any set of states is what it was.


# %%
class Scaled(ddgp_lib.Preconditioner):
    def __init__(self, P, factor):
        super().__init__()
        self.P, self.factor = P, factor

    def forward(self, grad, state):
        return self.factor * self.P(grad, state)


sizes = (0.3, 0.6, 1.0, 1.5, 2.5)
curves_of = {c: curve(solver(Scaled(shipped, c)), 10) for c in sizes}
heads = [Column(f"{c:g} P", "dB", digits=1, best="high") for c in sizes]
rows = {"k = 5": [float(values[4]) for values in curves_of.values()]}
table("PSNR of 32 digits with multiples of the shipped P.", heads, rows)

# %%
assert curves_of[0.3][4] < curves_of[1.0][4] - 1
assert abs(curves_of[0.6][4] - curves_of[1.0][4]) < 1.5
assert curves_of[1.5][4] < curves_of[1.0][4]
assert curves_of[2.5][4] < curves_of[1.0][4] - 3

# %% [markdown]
# At $0.6\,P$ less than 1.5 dB is lost, so the fault can stay hidden; at $2.5\,P$ the step on the measured data
# overshoots, $|1 - 2.5| > 1$, and the iteration diverges.
#
# ## Where along the iterations a loss is loud
#
# Leave the denoiser out of $L_I$ for a moment. With $\ell_s$ and $\ell_t$ as above,
#
# $$
# \begin{aligned}
# \lVert \alpha_s d - \alpha_t \nabla g_t \rVert^2
#   &= (\ell_s - \ell_t)^2 \\
#   &+ 2\, \ell_s \ell_t \bigl(1 - S_c(d, \nabla g_t)\bigr),
# \end{aligned}
# $$ (eq-dn-imitation)
#
# length and direction in one term. So why add $L_G$? Because of the factor $\ell_s \ell_t$. The *value* of imitation has
# the squared length of the step in it, which falls along the iterations; that of $L_G$ has not. We follow
# the shipped preconditioner for twenty iterations, and check {eq}`eq-dn-imitation` on the way (both step sizes are one).

# %%
loud = []
for k, (_, z_k) in enumerate(list(solver(shipped).iterates(y, A, 20))):
    _, d_k, g_tk, x_k, x_tk = iterate(shipped, states | {"z": z_k, "k": k})
    step, step_t, similar = norms(d_k), norms(g_tk), cosine(d_k, g_tk)
    split = (step - step_t) ** 2 + 2 * step * step_t * (1 - similar)
    torch.testing.assert_close(split, norms(d_k - g_tk) ** 2, rtol=1e-3, atol=1e-4)
    loud.append([loss.item() for loss in distill_losses(d_k, g_tk, x_k, x_tk)])
assert loud[0][1] > 2 * loud[20][1]
assert loud[20][0] > 10 * loud[0][0]

# %% [markdown]
# But a training does not see values. It sees gradients with respect to the weights. How long are these?

# %%
trainable = copy.deepcopy(shipped).requires_grad_(True)
weights, pulls = list(trainable.parameters()), {}
for k, (_, z_k) in enumerate(list(solver(shipped).iterates(y, A, 20))):
    if k in (0, 3, 20):
        _, d_k, g_tk, x_k, x_tk = iterate(trainable, states | {"z": z_k, "k": k})
        pulls[k] = []
        for loss in distill_losses(d_k, g_tk, x_k, x_tk):
            found = torch.autograd.grad(loss, weights, retain_graph=True)
            pulls[k].append(float(torch.cat([part.flatten() for part in found]).norm()))

# %% tags=["hide-input"]
rows = {f"k = {k}": [*loud[k], *(f"{pull:.2g}" for pull in pulls[k])] for k in pulls}
heads = [Column(name, digits=3) for name in ("L_G", "L_I")]
heads += ["gradient of L_G", "gradient of L_I"]
table("Two losses along the iterations, and their gradients.", heads, rows)

# %%
assert pulls[20][0] > 3 * pulls[0][0]
assert pulls[20][1] < pulls[0][1]

# %% [markdown]
# The gradient of $L_G$ grows along the iterations and that of $L_I$ falls: where the direction $d$ is short, a small
# change of the weights turns it far. So $L_G$ weighs late states most, and imitation early ones. The two are complements.
#
# The rise of $L_G$ is not a fault of the network. It removes at once what can be guessed, and what is left of the
# teacher's gradient is what cannot. So a low $L_G$ on one set of states says little about another. It is easy to have a
# low one where nothing has been guessed yet, and those are the states of the plain solver. This is half of the answer to
# our question.
#
# ## What each loss is worth
#
# So much for what the losses see. What do they do in a training? The study `losses`, which ships with the library, has
# trained the network of this chapter with $L_G$, $L_I$ and $L_S$ alone, with their sums, and with $L_G + L_R$, all
# weights one: 1,500 steps each, in the null-space form and *state aware*, that is, with $z$ as a second input. After each
# training $\sigma$ was chosen on validation images, and 100 test digits were reconstructed. The gain is over the tuned
# solver without $P$ after 20 iterations.

# %% tags=["hide-input"]
ranked = sorted(by_loss.items(), key=lambda item: -item[1]["gain_20"])
heads = [Column(f"k = {k}", "dB", best="high") for k in ("1", "5", "20", "100")]
rows = {}
for name, line in ranked:
    gain = line["gain_20"], line["gain_20_error"]
    rows[name] = [*(line["psnr"][k] for k in ("1", "5", "20", "100")), gain]
heads.append(Column("gain", "dB", signed=True, best="high"))
table("Eight sums of losses; the error of the gain is over three seeds.", heads, rows)

# %% [markdown]
# The seeds scatter by as much as neighbouring rows differ. But the rows are made of three parts, and that helps: each
# part can be added to three of the rows, to each other part alone and to both. The mean of the three differences in
# gain is what the part adds. We form it for each seed apart, since rows with one seed share initial weights and images.

# %%
runs = {}
for run in load_study("losses")["runs"]:
    runs[frozenset(run["row"].split(" + ")), run["seed"]] = run["gain_20"][0]
parts = {"L_G", "L_I", "L_S"}


def added(part, seed):
    rests = [row for row, s in runs if s == seed and row <= parts - {part}]
    return sum(runs[row | {part}, seed] - runs[row, seed] for row in rests) / len(rests)


effect = {part: [added(part, seed) for seed in range(3)] for part in sorted(parts)}

# %% [markdown]
# Three seeds have two degrees of freedom, so the 95 % interval of their mean is $t_{0.975,2} = 4.30$ standard errors
# long on either side. By this standard, which part does more than nothing?

# %% mystnb={"figure": {"name": "fig-dn-parts", "caption": "What each loss adds to the gain after 20 iterations, in the mean of the rows that it can be added to: three seeds, and their mean with its 95 % interval."}, "image": {"alt": "Three rows, for the gradient, the imitation and the supervised loss, each with the mean and its wide interval and a small dot for each of three seeds, and a vertical line at zero."}} tags=["hide-input"]
dotted = {}
for part, values in effect.items():
    label, named = f"${part}$", {f"seed {s}": value for s, value in enumerate(values)}
    dotted[label] = {"mean": interval(values)} | named
roles = {"mean": "distilled"} | {f"seed {s}": "other" for s in range(3)}
figures.dots(dotted, xlabel="added gain (dB)", roles=roles, reference=0.0)

# %% tags=["hide-input"]
intervals = {part: interval(values) for part, values in effect.items()}
apart = [part for part, (mean, half) in intervals.items() if abs(mean) > half]
print("95 % interval without zero:", ", ".join(apart) or "none of the three")

# %% mystnb={"figure": {"name": "fig-dn-losses", "caption": "Mean PSNR over 100 test digits of preconditioners that were trained with one loss alone, with the default, and with direction and true image together."}, "image": {"alt": "Five curves of PSNR against the iteration, from 1 to 100 on a logarithmic axis. At iteration 1 the gradient loss alone is at about 18 dB, the others at 21 to 22. From iteration 10 on all are nearly level between 24.8 and 25.6 dB, gradient and supervised loss together highest."}} tags=["hide-input"]
drawn = {}
for name in ("L_G", "L_I", "L_S", "L_G + L_I", "L_G + L_S"):
    drawn[f"${name}$"] = [by_loss[name]["psnr"][str(k)] for k in ITERATIONS]
figures.curves(ITERATIONS, drawn, **axis)

# %% tags=["hide-input"]
gains = {name: line["gain_20"] for name, line in by_loss.items()}
first = {name: line["psnr"]["1"] for name, line in by_loss.items()}
means = {part: sum(values) / 3 for part, values in effect.items()}
assert first["L_G"] + 1.5 < min(value for name, value in first.items() if name != "L_G")
assert max(gains.values()) - min(gains.values()) < min(1, min(gains.values()) / 3)
assert min(effect["L_S"]) > 0
assert means["L_S"] > max(means["L_G"], means["L_I"])
assert gains["L_S"] > gains["L_G + L_I"] - 0.2
assert abs(gains["L_G"] - gains["L_I"]) < 0.3
assert max(gains, key=gains.get) == "L_G + L_I + L_S"
assert gains["L_G + L_I + L_S"] - gains["L_S"] < 0.4
assert all(line["seeds"] == 3 for line in by_loss.values())
for name in ("single_pixel", "mri", "super_resolution"):
    assert {*PRESETS[name].recipes["distilled"].losses} == {"gradient", "supervised"}

# %% [markdown]
# **$L_G$ alone comes late.** After one iteration it is far behind every other row. At $z_0$ the student's gradient is
# zero, so that nothing fixes the length of what is added. $L_R$ repairs a part of that, imitation and the true image all
# of it. Later the null-space form fixes the length, and after 20 iterations $L_G$ is about where $L_I$ is. (The row with
# $L_R$ gains least then.)
#
# **The true image adds most**, in these rows, and with every seed. It costs nothing: true images are there in any
# training, since the teacher's data are made from them. But where an interval holds zero, three short trainings have not
# established an effect, of whichever part.
#
# **The teacher is not indispensable.** $L_S$ alone asks no teacher, and it is not behind the default $L_G + L_I$. The
# rows differ by less than 1 dB, and the last of them still gains more than three times that difference. So in this task
# most of the gain at iteration 20 must come from what all rows share: a network that sees the iterate, the null-space
# form, and states of its own making. [Against the best rivals](best-rivals) repeats the comparison with full trainings,
# behind three cameras, and late in the run as well.
#
# The shipped preconditioners of the book's three cameras are distilled with $L_G + L_S$. The study does not show other
# weights than one, longer trainings, other tasks, or the gradient-only input of the paper.
#
# ## The pairing: at whose iterate?
#
# The paper's algorithm most likely pairs *own trajectories*: the student runs its iterates, the teacher runs its own,
# and their gradients are compared at equal $k$. This book takes $\nabla g_t$ at the student's $z$. Without noise, and
# with $M_t = A_t^\top A_t$,
#
# $$
# \begin{aligned}
# \nabla g_t(z_s) &= M_t (z_s - x^*), \\
# \nabla g_t(z_t) &= M_t (z_t - x^*) .
# \end{aligned}
# $$ (eq-dn-own)
#
# The first is the student's error as the teacher sees it. The second is the *teacher's* error, that of another run.
# It is small, since each step of that run fits the teacher's data and only the denoiser disturbs them. How similar is each gradient to what would help, the student's error $e = z_s -
# x^*$?

# %%
teaching = solver(None, stepsize=task.teacher_stepsize)
points_s = [z_k for _, z_k in bare.iterates(y, A, 20)]
points_t = [z_k for _, z_k in teaching.iterates(y_t, B, 20)]
rows, lengths = [], []
for z_s, z_t in zip(points_s, points_t, strict=True):
    same, own_run = (gradient(B, v, states["adjoint_teacher"]) for v in (z_s, z_t))
    moved = B.A_adjoint(B.A(z_t - z_s))
    torch.testing.assert_close(own_run - same, moved, rtol=0, atol=1e-4)
    rows.append([cosine(v, z_s - images).mean() for v in (same, own_run)])
    lengths.append((norms(own_run) / norms(same)).mean())

# %% tags=["hide-input"]
similar_same, similar_own = torch.tensor(rows).T
assert similar_same.min() > 0.65
assert similar_own[1:].max() < similar_same[1:].min()
assert similar_own[20] < 0.6 * similar_same[20]
assert lengths[0] < 1e-4  # zero but for rounding
assert 0.1 < min(lengths[1:]) < max(lengths[1:]) < 0.3

# %% mystnb={"figure": {"name": "fig-dn-pairing", "caption": "Cosine similarity between the student's error and the teacher's gradient, taken at the student's iterate or at the teacher's own; means over 32 held-out digits from iteration 1, both runs without momentum."}, "image": {"alt": "Two curves against the iteration. The gradient at the student's iterate falls slowly from 0.85 to 0.74. That at the teacher's own iterate starts at 0.56 and falls to below 0.4."}} tags=["hide-input"]
pairings = {"same iterate": similar_same[1:], "own trajectories": similar_own[1:]}
roles = {"same iterate": "distilled", "own trajectories": "teacher"}
label = "cosine with the student's error"
options = along_k | {"ylabel": label, "ylim": (0, 1)}
figures.curves(range(1, 21), pairings, roles=roles, **options)

# %% [markdown]
# At $k = 0$ the teacher's own gradient is zero but for rounding: its data are fitted, and it has no advice for the
# iteration in which the student has most to learn. Later its gradient keeps some similarity with the student's error.
# But it stays below all values of the other pairing, and it is less than a third as long.
#
# At the student's iterate the inner product with the error is, without noise, $\lVert A_t e \rVert^2$, never negative,
# so following the teacher for a short enough step never harms ({ref}`ex-teacher-descent`). On own trajectories nothing
# of the kind holds. The second price is memory. To learn from a later iterate of its own run, the student is
# differentiated through all iterations before it, denoisers included.


# %%
def bytes_kept(iterations):
    kept, moving = {}, dict(pooled)

    def note(tensor):
        kept[tensor.data_ptr()] = tensor
        return tensor

    trainable = distillation.build_preconditioner(recipe, 1, task.img_size)
    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        for _ in range(iterations):
            moving["z"] = iterate(trainable, moving)[3]
    return sum(tensor.nbytes for tensor in kept.values())


# %% [markdown]
# We count the bytes for eight states and one, two and eight iterations.

# %%
pooled = {name: value if name == "k" else value[:8] for name, value in states.items()}
memory = {count: bytes_kept(count) / 2**20 for count in (1, 2, 8)}
print("MiB:", ", ".join(f"{size:.0f} for {n}" for n, size in memory.items()))
assert 5.5 < memory[8] / memory[1] < 7

# %% [markdown]
# Eight iterations, which is what the library unrolls by default for own trajectories, keep about six times as much as
# one; only the weights are kept once. That bounds the horizon: a network that has never seen an iteration past the
# eighth is used for twenty, or two hundred.
#
# The study `forms` that ships with the library has trained both pairings. They differ in more than the target. A step on
# own trajectories sees eight iterations of each of its states. So for an equal number of gradients it takes an eighth of
# the updates. Rows between the two change one thing at a time:
#
# - the pool, as it is;
# - *few updates, wide batches*: with as few updates as own trajectories have, and as many gradients;
# - *short horizon*: the same with states that are followed for eight iterations, too;
# - *unrolled*: gradients flow through all eight iterations, in batches as small as those of own trajectories;
# - own trajectories. They differ from the last in the target alone.
#
# (A further row, *few updates*, has an eighth of the gradients as well.) Test digits and $\sigma$ are as for the losses.

# %% mystnb={"figure": {"name": "fig-dn-causes", "caption": "How much better the pool is than own trajectories, split into four causes: more updates, states later than the eighth iteration, one iteration at a time, and the target. Means over three seeds with 95 % intervals; null-space form with the iterate as an input, and free form with the gradient alone."}, "image": {"alt": "Four rows, two forms at iterations 5 and 20, each with four dots and their intervals, and a vertical line at zero. The text below the figure says which intervals leave out zero."}} tags=["hide-input"]
roles = ("distilled", "baseline", "rival", "teacher")
roles = dict(zip(causes["free, no z, k = 5"], roles, strict=True))
figures.dots(causes, xlabel="PSNR gained (dB)", roles=roles, reference=0.0)

# %% tags=["hide-input"]
for cause in roles:
    pairs = [row[cause] for row in causes.values()]
    known = sum(abs(mean) > half for mean, half in pairs)
    means = [mean for mean, _ in pairs]
    print(f"{cause}: {min(means):+.1f} to {max(means):+.1f} dB,", end=" ")
    print(f"told apart from zero in {known} of {len(pairs)}")
assert all(mean > half for mean, half in (row["more updates"] for row in causes.values()))
assert all(abs(row["target"][0]) < 0.5 for row in causes.values())
unrolled, half = causes["free, no z, k = 20"]["no unrolling"]
assert unrolled < -half

# %% mystnb={"code_prompt_show": "Table of all rows", "code_prompt_hide": "Table of all rows"} tags=["hide-cell"]
shown = {}
for start in kinds.values():
    between = (wide, f"{wide}, short horizon", "few updates, unrolled")
    ends = ("few updates", *between, "own trajectories")
    for end in ("", *(f", {end}" for end in ends)):
        line = by_form[start + end]
        shown[start + end] = [line["psnr"][k] for k in ("5", "20", "100")]
heads = [Column(f"k = {k}", "dB") for k in (5, 20, 100)]
table("Mean PSNR of the two pairings, and of what lies between.", heads, shown)

# %% [markdown]
# The pool makes the first three possible, since it needs the memory of one iteration. It gains by more updates: all four
# intervals leave out zero. What late states add is not told apart from zero. The target matters little: the four means
# are at most 0.3 dB, and one interval leaves out zero, only just. So these trainings do not show that the paper's target
# costs anything to speak of. One thing speaks against the pool. A free form that does not see $z$ is better off *with*
# unrolling, at both iterations, when updates are as few. (Neither training was tuned. So read the signs rather than the
# sizes.)
#
# ## The pool: which states, and whose
#
# The pool keeps several hundred states in different stages. A fresh state starts at $k = 0$ with a random image,
# slightly changed in half of the cases, with new noise, and with an end $E$, drawn once: the
# iteration at which it will be replaced. The library draws it log-uniformly,
# $E = \lfloor (K + 0.99)^U \rfloor$ with the horizon $K$ and $U$ uniform on $[0, 1]$. Batches are drawn uniformly. In
# the long run, a state is met at age $k$ in proportion to the probability that it lives past $k$:
#
# $$
# \pi_k = \frac{\mathbb{P}(E > k)}{\sum_j \mathbb{P}(E > j)}, \quad
# \mathbb{P}(E > k) = 1 - \frac{\ln(k + 1)}{\ln(K + 0.99)} .
# $$ (eq-dn-ages)
#
# (Every state moves one iteration for each draw.) Does a real pool follow it? We move one a few hundred times, with no
# network: states go back as they are.

# %%
ages_of = DistillationRecipe(pool_size=256, horizon=50)
pool = StatePool(task, ages_of, torch.Generator().manual_seed(0))
counts = torch.zeros(50)
for turn in range(500):
    places, drawn = pool.draw(128)
    pool.put_back(places, drawn["x"], drawn["z"])
    if turn >= 100:
        counts += torch.bincount(pool.tensors["k"], minlength=50)
observed = counts / counts.sum()

# %% [markdown]
# And what does {eq}`eq-dn-ages` predict?

# %%
k = torch.arange(50)
alive = 1 - torch.log(k + 1.0) / math.log(50.99)
predicted = alive / alive.sum()
ages = (observed * k).sum(), (predicted * k).sum()
reached = [round(float(history[3, i]), 1) for i in (9, 74, 149)]
print(f"mean age {ages[0]:.1f}, predicted {ages[1]:.1f}; in our training {reached[-1]}")
assert reached == sorted(reached)
assert reached[-1] < ages[1]
assert abs(observed[0] / predicted[0] - 1) < 0.1
assert abs(ages[0] / ages[1] - 1) < 0.1

# %% mystnb={"figure": {"name": "fig-dn-ages", "caption": "Share of states of each age in a pool with horizon 50: counted over 400 turns, and predicted by the equation."}, "image": {"alt": "Share against age. Counted and predicted lie on each other: they fall from 0.08 at age zero, steeply at first, to zero at age fifty."}} tags=["hide-input"]
roles = {"counted": "distilled", "predicted": "truth"}
both = {"counted": observed, "predicted": predicted}
labels = {"xlabel": "age $k$", "ylabel": "share of the pool", "legend": "above"}
figures.curves(k, both, roles=roles, **labels)

# %% [markdown]
# Early states are frequent, and late ones are not forgotten. In a young pool all states are young. So the mean $L_G$ of
# the batches need not fall, even if the network improves on every state.
#
# And *whose* states? Here is the other half of the answer. Both networks of the opening learned well on the states
# that they were given. But a solver with $P$ does not visit the plain solver's states; its second iterate is
# already elsewhere. The next cell evaluates both networks on both kinds of states.


# %%
def match_along(P, points):
    visited = [states | {"z": z_k, "k": k} for k, z_k in enumerate(points)]
    found = [directions(P, here)[1:] for here in visited]
    return torch.stack([cosine(d_k, g_tk).mean() for d_k, g_tk in found])


shift = {}
for name, network in (("own", P), ("plain", P_plain)):
    caused = [z_k for _, z_k in solver(network).iterates(y, A, 20)]
    shift[f"{name} / own"] = match_along(network, caused)
    shift[f"{name} / plain"] = match_along(network, points_s)
run_own, visiting, run_plain, plain_plain = shift.values()
assert plain_plain[5] > 0.4 > 0 > run_plain[5]
assert run_own[5] > 0.1
assert visiting[20] > run_own[20] + 0.15

# %% [markdown]
# Which curve crosses zero?

# %% mystnb={"figure": {"name": "fig-dn-shift", "caption": "Cosine similarity between the preconditioned and the teacher's gradient for the two networks of the opening, each on the states that it causes itself and on those of the plain solver. Labels: trained on / evaluated on."}, "image": {"alt": "Four curves against the iteration. On the plain solver's states both networks are good, the one trained there best. On its own states that network falls below zero after three iterations; the one trained on its own states falls more slowly, to nearly zero at the twentieth."}} tags=["hide-input", "nbval-ignore-output"]
options = along_k | {"ylabel": "cosine with $\\nabla g_t$"}
figures.curves(range(21), shift, horizontal={"no help": 0.0}, **options)

# %% [markdown]
# On the states that it knows, the second network is the better one; on those that it causes, its direction points
# *away* from the teacher's. It has learned what is missing in an image from which nothing has been guessed, and goes on
# adding it when it is there. This is the distribution shift of imitation learning: small deviations lead to states
# that no one has shown the learner, where it errs more. The remedy there {cite}`ross2011reduction` is to let the
# learner act and the expert comment. That needs a teacher that can be asked for its gradient at *any* point.
#
# The pool protects against what is in it, no more. Our network was trained without momentum. With momentum it meets
# extrapolated points that it never caused:

# %% tags=["nbval-ignore-output"]
fast = curve(solver(P, "chambolle_dossal"), 20)
print(f"k = 20: without momentum {own[19]:.1f} dB, with it {fast[19]:.1f} dB")
assert abs(fast[4] - own[4]) < 1
assert fast[19] < own[19] - 1

# %% [markdown]
# After five iterations hardly anything shows; after twenty the run with momentum is more than 1 dB behind. A network
# that is to be run with another rule for $\beta_k$, another $\sigma$ or another denoiser should be trained with it.
#
# ## The recipe
#
# A `DistillationRecipe` holds all that decides the weights. What the fields are for:
#
# | field | why |
# |---|---|
# | last layer zero | $N_\theta = 0$ at the start, so $P_\theta$ is the identity and training begins at the plain solver |
# | `bias=False` | $P_\theta(\xi g; \xi z) = \xi P_\theta(g; z)$ for $\xi > 0$ {cite}`mohan2020robust`: gradients of any length |
# | `optimiser` | AdamW {cite}`loshchilov2019adamw`, gradients clipped to norm 1 |
# | `schedule` | the learning rate as a function of progress, or of the losses |
# | `horizon`, `pool_size` | ages and variety of states |
# | `from_truth` | share of fresh states that start at the *true* image: to hold what is good |
# | `noise_range` | a noise level for each state, the same for student and teacher |
# | `validate_every` | how often the solver is run on validation images; the best weights are kept |
#
# The first two are exact; the next cell checks them first. Then it draws four schedules of the learning rate: a short
# warm-up and half a cosine, which is the default; one cycle {cite}`smith2019super`; halving at a plateau of the loss;
# none. The plateau needs losses to look at, and gets those of our training.

# %%
torch.testing.assert_close(curves["untrained"], curve(bare), rtol=0, atol=1e-3)
with torch.no_grad():
    for network in (shipped, P):
        doubled = network(2 * g, ddgp_lib.State(2 * z, 3, A, 2 * y))
        once = network(g, ddgp_lib.State(z, 3, A, y))
        torch.testing.assert_close(doubled, 2 * once, rtol=0, atol=1e-5)

# %% [markdown]
# Next the schedules, and what our network reached at two of its steps.

# %% tags=["nbval-ignore-output"]
shapes = {}
for name in SCHEDULES:
    rule, shapes[name] = build_schedule(name, recipe.steps), []
    for step, total in enumerate(history[:2].sum(dim=0).tolist()):
        shapes[name].append(rule.factor(step))
        rule.observe(total)
assert shapes["plateau"][50] < 0.1
late = {n: curve(solver(network), 20)[19] for n, network in kept.items() if n > 40}
print("dB at k = 20:", ", ".join(f"{v:.1f} after {n} steps" for n, v in late.items()))
assert late[150] > late[80]

# %% mystnb={"figure": {"name": "fig-dn-schedules", "caption": "Learning rate, as a share of its largest value, over 150 steps. The plateau rule has observed the losses of the training above."}, "image": {"alt": "Four curves against the training step. Warm cosine: at once near one, then a smooth fall to zero. One cycle: from near zero up to one at a third of the way, then down to zero. Plateau: a staircase that halves again and again, to nearly zero after a third of the way. Constant: a line at one."}} tags=["hide-input", "nbval-ignore-output"]
rates = {name.replace("_", " "): values for name, values in shapes.items()}
labels = {"xlabel": "training step", "legend": "above"}
labels["ylabel"] = "share of the largest rate"
figures.curves(range(1, recipe.steps + 1), rates, markers=False, **labels)

# %% [markdown]
# The plateau has cut the rate to nearly nothing after a third of the steps, while the network that these losses belong
# to went on improving. (Here it averages over one step; in a long training it is
# steadier.) The loss is measured on states that move. Validation is not: it runs the solver on images that are not
# trained on, and its score is the lower of the PSNRs after 20 iterations and at the horizon. It would have told our two
# networks apart, as the last column of the first table shows.
#
# ## Interrupted, and resumed
#
# A checkpoint holds everything that the next step depends on: weights, the optimiser's memory, the pool, the state of
# the random generator. The test is strict: cut the power in the middle of a step, start again, and every bit of the
# result must be the same as without the cut. Our power cut is a denoiser that fails at its twelfth call, in the sixth
# step; the last checkpoint is that of step 4.


# %%
def unplugged(calls_left):
    calls = iter(range(calls_left))

    def denoiser(x, sigma):
        next(calls)
        return task.denoiser(x, sigma)

    return dataclasses.replace(task, denoiser=denoiser)


# %% [markdown]
# Eight steps without a cut, and eight with one: are the results the same?

# %%
small = tiny | {"steps": 8, "progress": False}
through = ddgp_lib.distill(task, **small)
belongs = {"kind": "training", "task": "single_pixel"}
with tempfile.TemporaryDirectory() as folder:
    path = Path(folder) / "training.safetensors"
    with suppress(StopIteration):
        ddgp_lib.distill(unplugged(11), checkpoint=path, checkpoint_every=2, **small)
    tensors, note = checkpoints.load_checkpoint(path, **belongs)
    resumed = ddgp_lib.distill(task, checkpoint=path, **small)
print("saved:", ", ".join(sorted({name.split(".")[0] for name in tensors})))

# %% tags=["hide-input"]
assert note["step"] == 4
assert resumed.history == through.history
weights = [run.preconditioner.state_dict().values() for run in (through, resumed)]
assert all(torch.equal(a, b) for a, b in zip(*weights, strict=True))

# %% [markdown]
# ## From 150 steps to the shipped network
#
# The shipped preconditioner has the same architecture. Its file carries its recipe and what it reached on validation
# images, so the claim can be compared with a run. First, what differs from our recipe:

# %%
path = checkpoints.WEIGHTS_FOLDER / "single_pixel-distilled.safetensors"
note = checkpoints.load_checkpoint(path, kind="distilled", task="single_pixel")[1]
ours, theirs = dataclasses.asdict(recipe), note["recipe"]


def written(value):
    plain = isinstance(value, int | float | str)
    return str(value) if plain else ", ".join(map(str, value or []))


rows = {n: [written(ours[n]), written(v)] for n, v in theirs.items() if v != ours[n]}
table("What differs between two recipes.", ["ours", "shipped"], rows)

# %%
claimed = note["metrics"]["validation_psnr"]["5"]
last_phase = PRESETS["single_pixel"].recipes["distilled"].last_momentum
checked = {"images": task.val_images[:200], "max_iter": 5}
trace = ddgp_lib.evaluate(task, solver(shipped, last_phase), **checked)
again = float(trace.psnr[4].mean())
print(f"validation images, k = 5: {claimed:.1f} dB claimed, {again:.1f} dB found")
assert abs(again - claimed) < 0.05

# %% [markdown]
# The shipped network has gone through two phases. The first is a training like this chapter's, longer, with the true
# image in the place of imitation, with momentum, and with noise of many levels. The second, of `tuned_steps`, has no teacher. It goes through `tuned_unroll` iterations of the solver at
# once and brings the last of them closer to the true image, from fresh states and from late ones. (`average` keeps a
# running mean of the weights.)
#
# What happens on the way? The next control shows the network that we trained ourselves, after some of its steps:
# the direction that it proposes at the plain solver's third iterate, and its reconstruction after five iterations. When
# does the reconstruction pass that of the plain solver?

# %% tags=["hide-input"]
shown, networks = 4, {0: untrained} | kept
with torch.no_grad():
    pointed = {n: directions(network, states)[1] for n, network in networks.items()}
    paths = {n: list(solver(P).iterates(y[:16], A, 5)) for n, P in networks.items()}
results = {n: path[-1][0] for n, path in paths.items()}


def after_steps(n):
    panels = {
        "$-\\nabla g_s$": -2 * g[shown],
        "$-P(\\nabla g_s; z)$": -2 * pointed[n][shown],
        "$-\\nabla g_t$": -2 * g_t[shown],
        "$x_5$, no $P$": results[0][shown],
        "$x_5$": results[n][shown],
        "$x^*$": images[shown],
    }
    return figures.images(panels, columns=3, signed=True)


# %% tags=["nbval-ignore-output", "hide-input"]
def describe_steps(n):
    close = cosine(pointed[n], g_t).mean()
    score = task.psnr(results[n], images[:16]).mean()
    return (
        f"After {n} training steps: three directions, and three images of a four. Mean "
        f"cosine with the teacher {close:.2f}, mean PSNR at k = 5 {score:.1f} dB."
    )


slider = {"draw": after_steps, "values": list(networks), "start": 6}
slider["label"] = "Training step"
caption = (
    "Upper row: three directions at one point, twice as strong as they are; red is to "
    "be added. Lower row: the plain solver's and the network's reconstruction after "
    "five iterations, and the truth."
)
widgets.frames(**slider, alt=describe_steps, colours=128, caption=caption)

# %% [markdown]
# In a live kernel, the next cell draws the same picture anew. Change `shown` for another digit.
#
# The shipped network runs in the browser, too: <a href="camera.html#iterations=20&amp;pause=500">two reconstructions,
# slowed down</a>. Watch the unseen part of the error, which only the denoiser and $P$ can change: after five iterations
# it is 0.41 without $P$ and 0.14 with it.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**slider)

# %% [markdown]
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 08_distilling
# ```
#
# ## Exercises
#
# ```{exercise} The steepest angle
# :label: ex-dn-angle
#
# (a) Show that $\nabla_d L_G = -2\,(1 - S_c)\,(\hat t - S_c\, \hat d) / \lVert d \rVert$ with the unit vectors
# $\hat d$ and $\hat t$ along $d$ and $\nabla g_t$, and that it is orthogonal to $d$. (b) What does a step of gradient
# descent on $d$ itself do to $\lVert d \rVert$? (c) At which value of $S_c$ is $L_G$ steepest? How does
# $\lVert \nabla_d L_G \rVert$ vanish as the angle $\vartheta$ between $d$ and $\nabla g_t$ goes to zero, and how does
# that of $1 - S_c$?
# ```

# %%
answer = None  # (c): put the cosine here
answers.check("ex-dn-angle", answer)

# %% [markdown]
# ```{solution-start} ex-dn-angle
# :label: sol-dn-angle
# :class: dropdown
# ```
# (a) $S_c = \hat t^\top d / \lVert d \rVert$ has the gradient $(\hat t - S_c\, \hat d) / \lVert d \rVert$, and the
# chain rule does the rest. The inner product with $\hat d$ is $S_c - S_c = 0$. (b) By Pythagoras the new length
# squared is the old one plus the step's squared: plain descent on a loss that is blind to length makes $d$
# *longer*, the more so the larger the rate. (The same is known of normalised weights
# {cite}`salimans2016weight`.) (c) The norm is
# $2\,(1 - S_c)\sqrt{1 - S_c^2} / \lVert d \rVert$. Its square is largest where $3(1 - S_c)^2 (1 + S_c) = (1 -
# S_c)^3$, so at $S_c = -\tfrac12$. For small $\vartheta$ it is about $\vartheta^3 / \lVert d \rVert$, that of $1 -
# S_c$ about $\vartheta / \lVert d \rVert$: the square in $L_G$ makes it forget what is nearly aligned, and work on
# what is not.

# %%
angles = torch.tensor([1e-3, 0.1, 0.2, 2 * math.pi / 3, 3.0], dtype=torch.float64)
d_plane = torch.stack([angles.cos(), angles.sin()], dim=1).view(-1, 2, 1, 1)
d_plane.requires_grad_()
target = torch.tensor([1.0, 0.0], dtype=torch.float64).view(1, 2, 1, 1)
loss = distillation.gradient_loss(d_plane, target.expand_as(d_plane))
slopes = len(angles) * torch.autograd.grad(loss, d_plane)[0]
torch.testing.assert_close(norms(slopes), 2 * (1 - angles.cos()) * angles.sin())
assert norms(slopes).argmax() == 3
assert abs(norms(slopes)[1] / 0.1**3 - 1) < 0.01

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} The best step
# :label: ex-dn-step
#
# (a) Prove {eq}`eq-dn-step`. (b) Which cosine similarity must a direction have, so that its best step halves $\lVert e
# \rVert$? (c) For the plain gradient, the shipped $P$ and the teacher's gradient at the points `z` of this chapter,
# compute the best step for each image, and what the step $\alpha = 1$ leaves beside it.
# ```

# %%
answer = None  # (b): put the cosine here
answers.check("ex-dn-step", answer)

# %% tags=["hide-cell"]
e = z - images
left = {}
for name in ("∇g_s", "P", "∇g_t"):
    v = proposals[name]
    best = (v * e).flatten(1).sum(dim=1) / norms(v) ** 2
    after, after_best = norms(e - v), norms(e - best.view(-1, 1, 1, 1) * v)
    similar = cosine(v, e)
    rest = norms(e) * (1 - similar**2).sqrt()
    torch.testing.assert_close(after_best, rest, rtol=1e-3, atol=1e-4)
    left[name] = [float((norm / norms(e)).mean()) for norm in (after, after_best)]
    print(f"{name:5s} best step {best.mean():.2f} ± {best.std():.2f}; error left")
    print("      with α = 1: {:.3f}, with the best: {:.3f}".format(*left[name]))
assert left["P"][0] - left["P"][1] < 0.05
assert left["P"][0] < left["∇g_s"][1]

# %% [markdown]
# ```{solution} ex-dn-step
# :class: dropdown
#
# (a) $\lVert e - \alpha d \rVert^2$ is a parabola in $\alpha$ with its minimum at $\alpha = d^\top e / \lVert d
# \rVert^2$, where it is $\lVert e \rVert^2 - (d^\top e)^2 / \lVert d \rVert^2$. (b) $\sqrt{1 - S_c^2} = \tfrac12$ gives
# $S_c = \tfrac12 \sqrt 3$, an angle of $30°$. (c) The cell above computes it. For
# the plain and the teacher's gradient, which are projections of $e$ but for the noise, the best step is near one.
# That of $P$ is not far from it on average: its second loss has taught it its length. Choosing the step image by image
# would gain little.
# ```
#
# ```{exercise} The wrong partner
# :label: ex-dn-partner
#
# An error that no shape betrays: the teacher's gradients of a batch are in another order than the student's. (a) What
# is the best that a network can learn from such pairs, in the mean of the cosine, if all images are independent?
# (b) How large is the cosine of that direction with the true partner, at the points of this chapter? (c) Write a test
# that would have found the error for a trained network.
# ```

# %% tags=["hide-cell"]
unit = g_t / norms(g_t).view(-1, 1, 1, 1)
halves = unit[:16].mean(dim=0, keepdim=True).expand(16, -1, -1, -1), unit[16:]
constant = cosine(*halves).mean()
right, wrong = (distillation.gradient_loss(d, t) for t in (g_t, g_t.roll(1, dims=0)))
print(f"cosine of the mean direction with new partners: {constant:.2f}")
print(f"L_G of P: {right:.2f} with the right partner, {wrong:.2f} with a wrong one")
assert constant < 0.5
assert wrong > 2 * right

# %% [markdown]
# ```{solution} ex-dn-partner
# :class: dropdown
#
# (a) The wrong partner is independent of all that the network is told, so it can do no better than one direction for
# all. The mean cosine of a unit vector $\hat d$ with unit vectors $\hat t_i$ is $\hat d^\top \tfrac1N \sum_i \hat
# t_i$, largest for $\hat d$ along the mean of the $\hat t_i$. (b) The cell above computes that mean on one half of the
# digits and compares it with the others. (c) The loss of a trained network must rise when the partners are exchanged, as
# in the last lines of the cell.
# ```
#
# ## Recap
#
# - A training is: draw states, one iteration of the student with $P_\theta$, one of the teacher from the *same* $z$,
#   compare, step, put the states back.
# - The cosine is the worth of a direction if the step is chosen afterwards. $L_G$ sees nothing else; imitation,
#   $L_S$, $L_R$ or the null-space form must fix the length.
# - The gradient of imitation is longest early, that of $L_G$ late. The value of $L_G$ rises along
#   the iterations because what remains cannot be guessed.
# - After 20 iterations eight sums of losses differ by less than 1 dB. $L_G$ alone is far behind after the first
#   iteration. The true image alone, without a teacher, is not behind the default. All three together have the highest
#   mean, by less than half a decibel over the true image alone.
# - A teacher's gradient at its own iterate is the error of another run. At the student's iterate it never points
#   away from the truth, but for noise. In training this hardly shows. What counts is that a pool becomes possible, with
#   more updates: {numref}`fig-dn-causes`.
# - States must be those that the network causes, with the momentum that it will run with. A lower loss on other states
#   made a worse solver.
# - Judge a training by validation with the solver, not by its loss.
#
# ## Further reading
#
# Gradient matching, imitation and the supervised term are from {cite}`gualdron2025d2gp,dipa2026`; distillation as such
# from {cite}`hinton2015distilling`. That a learner should be taught on the states that it visits is the subject of
# {cite}`ross2011reduction`. Unrolled training, the alternative to a pool, is surveyed in {cite}`monga2021algorithm`,
# and {cite}`fahy2024greedy` train one iteration after the other. On networks without biases read
# {cite}`mohan2020robust`, on learning rates {cite}`smith2019super,loshchilov2019adamw`.
