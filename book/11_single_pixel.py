# %% [markdown]
# (single-pixel)=
# # A preconditioner distilled: predicting what the camera did not measure
#
# A single-pixel camera that records 102 numbers leaves 922 of the 1,024 dimensions of a digit unseen. It is not slow:
# one gradient step fits the data, as [conditioning](conditioning) showed, and no function of $A^\top A$ can do more,
# since $A$ alone says nothing about its null space. Digits do: what the camera sees of a 4 makes some strokes likely
# and others not. This chapter trains a network to make that guess *inside the gradient step*. A teacher, which measures
# four times as much and exists only during training, shows it the gradient that the student should have had
# {cite}`gualdron2025d2gp`.
#
# ```{note}
# **Time:** 14 minutes of reading, less than a minute of computing. **Before this:** [plug-and-play FISTA](pnp-fista),
# for the solver. **After it** you can
#
# 1. write plug-and-play FISTA in five lines, and tune and check it;
# 2. compare two gradients taken at one point, and say what a teacher adds;
# 3. train a preconditioner by gradient matching, on states that it has caused itself;
# 4. say why the null-space form leaves the gradient step on the measured data unchanged;
# 5. judge a learned preconditioner: its gain over the best method that learns nothing, stability over 200 iterations,
#    and where it fails.
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import torch

import ddgp_lib
from ddgp_lib import answers, checks, figures, widgets, wipes
from ddgp_lib.data import load_faces
from ddgp_lib.experiments import load_benchmark
from ddgp_lib.experiments.seeds import gain, rivals_of
from ddgp_lib.experiments.verdicts import (
    lead,
    over_rivals,
    reference_of,
    strongest,
    title_of,
    told,
    verdict,
)
from ddgp_lib.operators import norms
from ddgp_lib.tables import Column, table

# %% tags=["hide-input"]
measured = load_benchmark("single_pixel")["seeds"]
classical = reference_of(measured)
rival = strongest(measured, rivals_of(measured))

# %% [markdown]
# **Key results**, on held-out digits after 20 iterations, with 95 % intervals:

# %% tags=["hide-input"]
first, second = (gain(measured, "distilled", name) for name in (classical, rival))
plain = gain(measured, "distilled", "none")
print(f"1. P is {verdict(first)} {title_of(classical)}, the best that learns nothing:")
print(f"   {told(first)}.")
print(f"2. P is {verdict(second)} {title_of(rival)}, the best network of equal time:")
print(f"   {told(second)}.")
print(f"3. Over the same solver without P it is {told(plain)}: a weaker reference.")

# %% [markdown]
# One held-out digit shows what this is about. All reconstructions come from 20 iterations. The first three have the
# same 102 measurements: plug-and-play FISTA without $P$, the best method that learns nothing, and the *preconditioner*
# $P$, the subject of this chapter. The last is the teacher, with 410 measurements that the real camera does not take: a
# reference. What each method leaves open was tuned on validation digits. Quality is measured by the PSNR, $-10
# \log_{10}$ of the mean squared error for images on $[0, 1]$, in decibels.

# %%
task = ddgp_lib.load_task("single_pixel")
images = task.test_images[:32]
y = task.measure(images)
kinds = ("none", classical, "distilled", "teacher")
solvers = {kind: ddgp_lib.load_solver(task, kind) for kind in kinds}

# %% mystnb={"figure": {"name": "fig-question", "caption": "One held-out digit. Upper row: the true image and four reconstructions after 20 iterations, on one grey scale. Lower row: their absolute errors, on one scale."}, "image": {"alt": "A handwritten digit and four reconstructions. Without a preconditioner the strokes are faint and blurred and the error map shows the whole digit; the best method that learns nothing is somewhat better. With the distilled preconditioner the strokes are sharper and the errors weaker; with the teacher they are weaker still."}} tags=["hide-input"]
shown = 4
y_teacher = ddgp_lib.operators.measure(task.teacher, images, seed=1)
estimates = {
    "no $P$": solvers["none"](y, task.student),
    title_of(classical): solvers[classical](y, task.student),
    "distilled $P$": solvers["distilled"](y, task.student),
    "teacher": solvers["teacher"](y_teacher, task.teacher),
}
pictures = {name: x[shown] for name, x in estimates.items()}
figures.reconstructions(images[shown], pictures, columns=5)

# %% [markdown]
# The same two estimates on one place: the best method that learns nothing to the left of the border, the distilled $P$
# to its right. Move the border over a stroke, and look for where the two differ.

# %% tags=["hide-input"]
halves = {name: pictures[name] for name in (title_of(classical), "distilled $P$")}
halves = {name.replace("$", ""): image for name, image in halves.items()}
words = {"what": "A digit", "caption": "A held-out digit after 20 iterations, by two methods."}
wipes.wipe_estimates(images[shown], halves, **words)

# %% [markdown]
# ## Student and teacher
#
# The student is the real camera, $y_s = A_s x^* + w$, whose $m$ rows are orthonormal Hadamard patterns in
# cake-cutting order {cite}`yu2019cake`, coarse patterns first. The teacher, $y_t = A_t x^* + w'$, takes more
# rows of the same basis. Its measurements are simulated from training images, so it can exist only while we
# train. Both have independent white noise of standard deviation 0.01.
#
# "Better conditioned" needs care here. On their ranges both operators are perfectly conditioned,
# $A A^\top = I$. The teacher is better because its null space is smaller, and because it lies inside the
# student's: every pattern of the student is also one of the teacher's.
#
# ```{note}
# This camera is simpler than a real one. A mirror array shows patterns of 0 and 1, so a pattern with signs is the
# difference of two measurements. A detector counts photons, so its noise grows with the light, and it has a dark
# current. And the patterns come one after another, while the scene has to hold still. None of this is simulated here.
# ```

# %%
assert bool((task.student.mask <= task.teacher.mask).all())
random = torch.randn(images.shape, generator=torch.Generator().manual_seed(0))
for name, camera in (("student", task.student), ("teacher", task.teacher)):
    print(f"{name}: {camera.rank} of {images[0].numel()} patterns")
    taken = camera.A(random)
    again = camera.A(camera.A_adjoint(taken))
    torch.testing.assert_close(again, taken, rtol=0, atol=1e-5)

# %% mystnb={"figure": {"name": "fig-back-projections", "caption": "What each camera sees of the digit: its projection on the range of the adjoint, from noisy data."}, "image": {"alt": "Three images: a sharp digit; a coarse, blocky shadow of it from the student's 102 patterns; a recognisable, slightly blocky digit from the teacher's 410 patterns."}} tags=["hide-input"]
figures.images(
    {
        "$x^*$": images[shown],
        "$A_s^T y_s$": task.student.A_adjoint(y)[shown],
        "$A_t^T y_t$": task.teacher.A_adjoint(y_teacher)[shown],
    }
)

# %% [markdown]
# ## The baseline: plug-and-play FISTA, tuned
#
# The algorithm of [plug-and-play FISTA](pnp-fista) alternates a gradient step on $g(x) = \tfrac12 \lVert A_s x - y_s
# \rVert^2$ with a denoiser $D_\sigma$ in the place of a prior's proximal map
# {cite}`venkatakrishnan2013pnp,beck2009fista`, and then extrapolates; its three lines are {eq}`eq-pnp-fista`. The step
# is $\alpha = 1/\lVert A_s \rVert^2 = 1$, the momentum is that of Chambolle and Dossal {cite}`chambolle2015iterates`,
# $\beta_{k+1} = k/(k+4)$, and the start is $x_0 = z_0 = A_s^\top y_s$. Here are the three lines in code, $u_k$,
# $x_{k+1}$ and $z_{k+1}$ in turn, and the same from the library.

# %%
A, alpha, sigma = task.student, task.stepsize, solvers["none"].params_algo["g_param"][0]
x = z = A.A_adjoint(y)
for k in range(20):
    u = z - alpha * A.A_adjoint(A.A(z) - y)
    x_next = task.denoiser(u, sigma)
    x, z = x_next, x_next + k / (k + 4) * (x_next - x)
torch.testing.assert_close(x, solvers["none"](y, A), rtol=0, atol=1e-4)

# %% [markdown]
# This solver is what $P$ goes into. It is not the strongest method without $P$: the next chapters of this book, and the
# figure above, set methods beside it that do better. Three things were chosen on validation images, for each method on
# its own: the noise level $\sigma$ of the denoiser, whether momentum is used, and whether something fades late in the
# run (explained [below](what-fades), where it matters). The score is the PSNR after 20 or after 200 iterations,
# whichever is lower. The level matters: with momentum and too little smoothing the denoiser drives the iteration away
# from the image.

# %% mystnb={"figure": {"name": "fig-tuning", "caption": "Tuning the baseline: mean PSNR over 50 validation digits against the noise level given to the denoiser, with momentum. At levels up to 0.05 the iteration decays between iterations 20 and 200, and a little from 0.15 on."}, "image": {"alt": "Two curves of PSNR against the denoiser's noise level. After 20 iterations the PSNR rises to a flat top around 0.1 and falls beyond. After 200 iterations it is nearly the same at 0.07 and 0.1, somewhat lower at 0.15 and 0.2, and far lower at small noise levels."}} tags=["hide-input"]
tuned = ddgp_lib.load_tuning("single_pixel")["none"]
chosen = {"momentum": "chambolle_dossal", "prior_decay": None, "update_decay": None}
assert chosen.items() <= tuned["setting"].items()
sweep = [row for row in tuned["sweep"] if chosen.items() <= row.items()]
figures.curves(
    [row["sigma"] for row in sweep],
    {
        "20 iterations": [row["psnr_20"] for row in sweep],
        "200 iterations": [row["psnr_last"] for row in sweep],
    },
    xlabel="noise level $\\sigma$ of the denoiser",
    ylabel="PSNR (dB)",
)

# %%
early = {row["sigma"]: row["psnr_20"] for row in sweep}
late = {row["sigma"]: row["psnr_last"] for row in sweep}
print(f"chosen: σ = {sigma}, {early[sigma]:.2f} dB after 20 iterations", end=" ")
print(f"and {late[sigma]:.2f} dB after 200")

# %%
assert abs(late[sigma] - early[sigma]) < 0.3, "the chosen setting is stable"
assert late[0.02] < early[0.02] - 2, "a badly tuned one is not"
assert all(late[level] < early[level] for level in (0.01, 0.02, 0.03, 0.05, 0.15, 0.2))

# %% [markdown]
# ## What limits it: the error is in the null space
#
# `evaluate` runs a solver on held-out digits and records every iterate. The error
# $x_k - x^*$ splits into a part in the range, $A^+A(x_k - x^*)$, and a part in the null space.

# %%
baseline = ddgp_lib.evaluate(task, solvers["none"], images=images)
seen, unseen = baseline.range_error[-1].mean(), baseline.null_error[-1].mean()
print("relative error after 200 iterations:", end=" ")
print(f"{seen:.3f} in the range, {unseen:.3f} in the null space")
assert unseen > 4 * seen

# %% [markdown]
# Nearly all that is wrong lies where the data say nothing. There, the gradient is exactly zero, and only the
# denoiser moves the image. At the start even the rest of the gradient vanishes: $z_0 = A_s^\top y_s$ fits the
# noisy data exactly, because $A_s A_s^\top = I$.

# %%
z0 = A.A_adjoint(y)
gradient_at_start = A.A_adjoint(A.A(z0) - y)
assert gradient_at_start.abs().max() < 1e-5

# %% [markdown]
# ## Two gradients at one point
#
# Take any point $z$ that the student visits, and ask both cameras for their gradient there:
#
# $$
# \begin{aligned}
# \nabla g_s(z) &= A_s^\top (A_s z - y_s), \\
# \nabla g_t(z) &= A_t^\top (A_t z - y_t).
# \end{aligned}
# $$ (eq-two-gradients)
#
# Without noise they are projections of one vector, the error $e = z - x^*$: on the student's rows, and on
# the teacher's. A preconditioner that turned the one into the other would take the teacher's step with the
# student's data. Let us look at a point that the baseline has reached after three iterations.

# %%
z = list(solvers["none"].iterates(y, A, max_iter=3))[-1][1]
g_student = A.A_adjoint(A.A(z) - y)
g_teacher = task.teacher.A_adjoint(task.teacher.A(z) - y_teacher)
cosine = torch.cosine_similarity(g_student.flatten(1), g_teacher.flatten(1))
print(f"cosine similarity of ∇g_s and ∇g_t: {cosine.mean():.2f} on average")
assert cosine.mean() < 0.7

# %% [markdown]
# A network that sees the student's gradient, and the point itself, can do better than the gradient alone. The
# shipped preconditioner is called as `P(grad, state)`, where the state holds what a solver knows.

# %%
P = ddgp_lib.load_preconditioner("single_pixel")
state = ddgp_lib.State(z, k=3, physics=A, y=y)
direction = P(g_student, state)
matched = torch.cosine_similarity(direction.flatten(1), g_teacher.flatten(1))
print(f"cosine similarity of P(∇g_s; z) and ∇g_t: {matched.mean():.2f} on average")
assert matched.mean() > cosine.mean() + 0.2

# %% mystnb={"figure": {"name": "fig-gradients", "caption": "Three directions at one point, with their sign turned so that they show what would be added to the image (red) or taken away (blue)."}, "image": {"alt": "Three signed images of one digit. The student's gradient is faint and coarse. The preconditioned gradient has fine red strokes and blue edges. The teacher's gradient has much the same strokes and edges, but stronger ones, over a faint random pattern."}} tags=["hide-input"]
figures.images(
    {
        "$-\\nabla g_s$": -g_student[shown],
        "$-P(\\nabla g_s; z)$": -direction[shown],
        "$-\\nabla g_t$": -g_teacher[shown],
    },
    vmax=float(g_teacher[shown].abs().max()),
    signed=True,
)

# %% [markdown]
# ## The form: data are left to the data
#
# A network may predict anything, also something that contradicts the measurements. Schwab, Antholzer and Haltmeier
# {cite}`schwab2019deep` project a network's output on the null space, so that it cannot. For the gradient step this is
# the **null-space form**:
#
# $$
# \begin{aligned}
# P_\theta(\nabla g; z) &= \nabla g \\
# & + (I - A^+ A)\, N_\theta(\nabla g, z) .
# \end{aligned}
# $$ (eq-null-space-form)
#
# ```{figure} _static/drawings/null_space_split.svg
# :name: fig-sp-split
# :alt: A plane. Its horizontal axis is what the data see, its vertical axis what they do not. From z the student's step goes along the horizontal axis alone and ends below the true image. The teacher's step ends above that, nearer to the true image. P adds a vertical part, and the sum ends between the two.
#
# One step without noise and with $\alpha = 1$. Student and teacher agree on what both see. $P$ adds to what the student
# does not see.
# ```
#
# Since $A\,(I - A^+ A) = 0$, we have $A P_\theta(\nabla g; z) = A \nabla g$. The network decides about the null space
# alone; in the range, the step is the plain gradient step. The library's check of a preconditioner looks at the same
# identity on random gradients, and at shapes, repeatability and independence of the images in a batch.

# %%
torch.testing.assert_close(A.A(direction), A.A(g_student), rtol=0, atol=1e-5)
deviation = checks.check_preconditioner(P, A, (2, 1, 32, 32), null_space=True)
assert deviation < 1e-4

# %% [markdown]
# ## The losses, and a short training
#
# Distillation compares the student's step with the teacher's from the same point, and possibly with the true image:
#
# $$
# \begin{aligned}
# \mathcal{L} &= \rho_G \bigl(1 - S_c(P_\theta(\nabla g_s; z), \nabla g_t)\bigr)^2 \\
#             & + \rho_I \lVert x_s - x_t \rVert^2 + \rho_S \lVert x_s - x^* \rVert^2 .
# \end{aligned}
# $$ (eq-losses)
#
# Here $S_c$ is the cosine similarity, $\rho_G$, $\rho_I$ and $\rho_S$ are weights, $x_s = D_\sigma(z - \alpha
# P_\theta(\nabla g_s; z))$ and $x_t = D_\sigma(z - \alpha_t \nabla g_t)$. The first term is the paper's gradient
# matching. It does not see the length of $P_\theta$: the second, imitation of the teacher, and the third, the
# supervised one, do. ([Distilling a network](distilling) takes them one by one; a table below says which of them the
# shipped network was trained with.)
#
# Which points $z$? Those that the solver will visit with the preconditioner that we are training. We do not
# know them in advance, so we keep a *pool* of states. Each training step draws a few, moves them by one
# iteration with the current $P_\theta$, and puts them back; a state is started afresh, from another image, after a
# random number of iterations, at most a *horizon*. Training then costs the memory of one iteration, and late states are
# met as well as early ones. A hundred steps with the first two losses take seconds:

# %% tags=["remove-stderr", "nbval-ignore-output"]
short = ddgp_lib.distill(task, steps=100, batch_size=16, pool_size=64, progress=False)
losses = torch.tensor(short.history["imitation"])
first, last = losses[:10].mean(), losses[-10:].mean()
print(f"imitation loss: {first:.1f} in the first ten steps, {last:.1f} in the last ten")
assert losses[-10:].mean() < 0.6 * losses[:10].mean()

# %% mystnb={"figure": {"name": "fig-training", "caption": "The imitation loss of the short training, means of ten steps."}, "image": {"alt": "A curve of ten points that falls from above ten to about five within a hundred steps, most of it in the first thirty."}} tags=["hide-input", "nbval-ignore-output"]
means = {"imitation": losses.unfold(0, 10, 10).mean(dim=1)}
look = {"xlabel": "training step", "yscale": "log", "roles": {"imitation": "distilled"}}
look["ylabel"] = "imitation loss $\\Vert x_s - x_t \\Vert^2$"
figures.curves(torch.arange(10, 101, 10), means, **look)

# %% [markdown]
# The loss is not that of fixed states: while $P_\theta$ learns, the pool fills with later ones. The shipped weights
# come from the same function with many more steps, by `python -m ddgp_lib train single_pixel`; their recipe is stored
# with them. Where the table has steps of a second phase, whole runs of a few iterations were then tuned towards the
# true image. How much trainings with other seeds differ is in [](best-rivals), and in the intervals above.

# %%
parameters = sum(p.numel() for p in P.parameters())
named = {"distilled": "distilled", "gradient only": "distilled_gradient_only"}
recipes = {name: task.preset.recipes[kind] for name, kind in named.items()}
rows = {}
for name, r in recipes.items():
    rows[name] = [" + ".join(r.losses), f"{r.learning_rate:g}", r.steps, r.batch_size]
    rows[name] += [r.pool_size, r.horizon, r.tuned_steps or None]
heads = ["losses", "rate", "steps", "states", "pool", "horizon", "second phase"]
table(f"Two recipes for a network of {parameters:,} weights.", heads, rows)

# %% [markdown]
# ## The result, to 200 iterations
#
# Five methods, 32 held-out digits, each method with the settings tuned for it. *Gradient only* keeps the paper's input,
# $\nabla g$ without $z$, but has our null-space form and our training. Two hundred iterations are several times the
# longest horizon. (The command `python -m ddgp_lib evaluate single_pixel` measures the same on 200 digits.)

# %%
gradient_only = ddgp_lib.load_solver("single_pixel", "distilled_gradient_only")
traces = {
    "no P": baseline,
    title_of(classical): ddgp_lib.evaluate(task, solvers[classical], images=images),
    "distilled": ddgp_lib.evaluate(task, solvers["distilled"], images=images),
    "gradient only": ddgp_lib.evaluate(task, gradient_only, images=images),
}
truly = {"images": images, "physics": task.teacher}
traces["teacher"] = ddgp_lib.evaluate(task, solvers["teacher"], **truly)

# %%
columns = [1, 5, 10, 20, 50, 200]
rows = {n: [float(t.psnr[k - 1].mean()) for k in columns] for n, t in traces.items()}
heads = [Column(f"k = {k}", "dB", best="high") for k in columns]
table("Mean PSNR over 32 held-out digits.", heads, rows)

# %%
plug = {"no P": "none"} | named | {"teacher": "teacher"}
settings = {n: ddgp_lib.load_tuning(task)[kind]["setting"] for n, kind in plug.items()}
rows = {}
for name, setting in settings.items():
    momentum = setting["momentum"].replace("_", "–").title()
    fading = [part for part in ("prior", "update") if setting[f"{part}_decay"]]
    fades = ", ".join(f"{part}, from {setting[f'{part}_decay']}" for part in fading)
    rows[name] = [f"{setting['sigma']:g}", momentum, fades or "nothing"]
table("What tuning chose.", ["σ", "momentum", "what fades"], rows)

# %% mystnb={"figure": {"name": "fig-psnr", "caption": "Mean PSNR of five methods over 32 held-out digits, from 1 to 200 iterations."}, "image": {"alt": "Five curves of PSNR against iterations on a logarithmic axis. The distilled preconditioner rises within five iterations and stays level to 200. The teacher's curve is close to it at first and then highest. The best method that learns nothing starts low and ends far below both. The gradient-only preconditioner starts with the baseline, which is lowest, rises more slowly, and levels off before 20 iterations, between the baseline and the distilled preconditioner."}} tags=["hide-input"]
roles = {title_of(classical): "other", "no P": "baseline", "distilled": "distilled"}
roles |= {"gradient only": "gradient_only", "teacher": "teacher"}
figures.curves(
    baseline.iterations,
    {name: trace.psnr.mean(dim=1) for name, trace in traces.items()},
    xlabel="iteration",
    ylabel="PSNR (dB)",
    xscale="log",
    roles=roles,
    legend="above",
)

# %%
psnr = {name: trace.psnr.mean(dim=1) for name, trace in traces.items()}
best = psnr[title_of(classical)].max()
first = int((psnr["distilled"] >= best).nonzero()[0]) + 1
gains = traces["distilled"].psnr[19] - traces[title_of(classical)].psnr[19]
error = gains.std() / len(gains) ** 0.5
over = title_of(classical)
print(f"P over {over}: {gains.mean():+.2f} ± {error:.2f} dB (standard error),")
print(f"better on {int((gains > 0).sum())} of {len(gains)} digits,", end=" ")
print(f"worst {gains.min():+.2f} dB")
print(f"P passes the best mean of {over}, {best:.2f} dB, at iteration {first}")
assert gains.mean() > 0

# %% [markdown]
# The standard error is over digits: it says how much other digits would move the gain. On all held-out digits the gain
# is in the key results above, at 20 iterations. Between the best iterations of both methods it is:

# %%
late = lead(measured, k=None)
strongest_late = title_of(reference_of(measured, None))
print(f"P is {verdict(late)} {strongest_late}, best against best: {told(late)}")

# %% [markdown]
# Is anything lost later on, far past the longest horizon of the training?

# %%
lost = {name: float(curve.max() - curve[-1]) for name, curve in psnr.items()}
worst = max(lost, key=lost.get)
print(f"At iteration 200 P is {lost['distilled']:.2f} dB below its best.")
print(f"The largest loss of the five is that of {worst}, {lost[worst]:.2f} dB.")
assert psnr["distilled"][19] > psnr["no P"][19] + 3
assert lost[worst] < 1

# %% [markdown]
# The table of settings names what fades in which run. What that is, and what it is worth, [comes below](what-fades).
#
# Move through the iterations. Watch which strokes appear at once, which the denoiser alone never finds, and whether any
# are guessed wrong.

# %% tags=["hide-input"]
runs = {"no P": solvers["none"], "distilled": solvers["distilled"]}
iterates = {}
for name, run in runs.items():
    iterates[name] = [x[:4, 0] for x, _ in run.iterates(y[:4], A, 50)]


def decibels(x):
    return float((-10 * (x - images[:4, 0]).square().mean((1, 2)).log10()).mean())


def at_iteration(k):
    pictures = {f"truth, no. {i + 1}": images[i] for i in range(4)}
    for name, history in iterates.items():
        pictures |= {f"{name}, no. {i + 1}": history[k][i] for i in range(4)}
    return figures.images(pictures, columns=4)


def describe(k):
    values = [f"{n} {decibels(path[k]):.1f} dB" for n, path in iterates.items()]
    words = f"Four digits after {k} iterations: the truth, without and with P"
    return f"{words}; mean PSNR: {', '.join(values)}"


slider = {"values": [0, 1, 2, 3, 4, 5, 7, 10, 20, 50], "start": 3}
slider["label"] = "iteration k"
widgets.frames(
    at_iteration,
    **slider,
    alt=describe,
    text=lambda k: str(k),
    caption="Four held-out digits: the truth, without P, with the distilled P.",
)

# %% [markdown]
# In a live kernel, the next cell gives the same picture as an ipywidgets control, which draws it anew. Unfold the
# cell above, and change the solvers in `runs`.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(at_iteration, **slider)

# %% [markdown]
# ## Where the error lives
#
# The preconditioner must not buy its gain with data that no longer fit. Two checks. First, the data residual. The
# true image leaves $\lVert w \rVert / \lVert y \rVert$ unexplained; a residual below that line means that noise
# is fitted.

# %% mystnb={"figure": {"name": "fig-residual", "caption": "Relative data residual of three methods on the student's data, and the level of the noise."}, "image": {"alt": "Three curves of the data residual against iterations on logarithmic axes, and a guide line at the noise level near one per cent. All three level off above the line, the baseline highest and the distilled preconditioner lowest."}} tags=["hide-input"]
noise_level = float((norms(y - A.A(images)) / norms(y)).mean())
on_student = {name: traces[name] for name in ("no P", "distilled", "gradient only")}
figures.curves(
    baseline.iterations,
    {name: trace.residual.mean(dim=1) for name, trace in on_student.items()},
    xlabel="iteration",
    ylabel=r"$\Vert A_s x_k - y_s \Vert \,/\, \Vert y_s \Vert$",
    xscale="log",
    yscale="log",
    roles={name: roles[name] for name in on_student},
    horizontal={"noise": noise_level},
    legend="above",
)

# %%
residuals = {n: float(trace.residual[-1].mean()) for n, trace in on_student.items()}
assert noise_level < residuals["distilled"] < residuals["no P"]
assert noise_level < residuals["gradient only"]

# %% [markdown]
# All three stay above the line: the denoiser keeps them from fitting the measured entries exactly. With the distilled
# $P$ the data are explained better than without, probably because strokes that are in place leave the denoiser less to
# take away.
#
# Second, the split of the error. The gain should be in the null space.

# %%
parts = ("range_error", "null_error", "residual")
rows = {}
for name, trace in on_student.items():
    rows[name] = [float(getattr(trace, part)[-1].mean()) for part in parts]
heads = ["error in the range", "in the null space", "data residual"]
heads = [Column(head, digits=3, best="low") for head in heads]
table("After 200 iterations, relative to the image and to the data.", heads, rows)

# %%
assert rows["distilled"][0] < 0.75 * rows["no P"][0]
assert rows["distilled"][1] < 0.75 * rows["no P"][1]
less = [rows["no P"][i] ** 2 - rows["distilled"][i] ** 2 for i in (0, 1)]
assert less[1] > 10 * less[0]

# %% [markdown]
# It is: more than nine tenths of what the squared error loses, it loses in the null space. (The smaller part, in the
# range, shrinks too.)
#
# (what-fades)=
# ## Why the gain can decay, and a remedy
#
# One reason why gradient only is weaker: a network without biases maps zero to zero. At $z_0$ the student's gradient is
# zero, as we saw, so the first iteration has no preconditioner at all. With $z$ as a second input, $P_\theta(0; z)$
# need not vanish. (So an image that fits the data is not a stationary point of this step. $P_\theta$ is more than a
# change of metric: it is a learned step in the null space, beside the gradient's.) We check both on the first
# iteration.

# %%
gradient_alone = ddgp_lib.load_preconditioner("single_pixel", "distilled_gradient_only")
plain, silent, aware = (
    ddgp_lib.evaluate(task, preconditioner, images=images, max_iter=1).psnr
    for preconditioner in (None, gradient_alone, P)
)
torch.testing.assert_close(plain, silent, rtol=0, atol=1e-2)
assert (aware > plain).all()

# %% [markdown]
# (It is not the only reason: the two recipes differ in more than the input, as the table above says. In trainings that
# are not shown here, gradient only drifted back towards the baseline. So a part of its pool starts at the true image,
# which teaches it to hold a good image against the denoiser.)
#
# The zero may have a second consequence, at the other end of the run. Without biases the output of the network
# shrinks with its input: the better the data are fitted, the less this $P_\theta$ has to say about the null space, and
# the denoiser, which goes on smoothing, can undo a part of what was gained. But a $P_\theta$ that sees $z$ is not safe
# from drift either; [when it breaks](when-it-breaks) looks for the causes. A remedy that is open to
# every method is to let something fade after $k_0$ iterations. It can be what is learned, the denoiser's step,
#
# $$
# v_k = u_k + \gamma_k \bigl( D_\sigma(u_k) - u_k \bigr), \qquad
# \gamma_k = \min\Bigl( 1, \frac{k_0^2}{(k+1)^2} \Bigr),
# $$ (eq-prior-decay)
#
# and likewise $P_\theta$'s change of the gradient, $P_\theta(\nabla g) - \nabla g$; plain gradient steps go on. Or it
# can be the whole update, with a weight $\bar\gamma_k$ of the same rule:
#
# $$
# x_{k+1} = x_k + \bar\gamma_k \, (v_k - x_k) .
# $$ (eq-update-decay)
#
# The weights add up to less than $2 k_0$, so if the steps are bounded, what fades moves the image by a bounded total.
# Both are ways of stopping softly, not fixed points of $D_\sigma$: where a run stops depends on the schedule. Tuning
# tried $k_0 = 10$ in either place, and neither, for every method. Its choice is in the table of settings above. Here
# are both preconditioners with nothing that fades, and with their own settings.

# %%
nothing = {"prior_decay": None, "update_decay": None}
rows = {}
for name, learned in (("gradient only", gradient_alone), ("distilled", P)):
    options = {"stepsize": alpha} | settings[name] | nothing
    constant = ddgp_lib.PreconditionedFISTA(task.denoiser, learned, **options)
    drift = ddgp_lib.evaluate(task, constant, images=images).psnr.mean(dim=1)
    rows[name] = [float(drift.max() - drift[-1]), lost[name]]
heads = [Column(head, "dB") for head in ("nothing fades", "as tuned")]
table("Mean PSNR lost from the best iteration to the 200th.", heads, rows)

# %% tags=["hide-input"]
for name, (constant, tuned_loss) in rows.items():
    fading = any(settings[name][key] for key in nothing)
    words = f"{name}: without fading {constant:.2f} dB are lost"
    if fading:
        print(f"{words}, with it {tuned_loss:.2f} dB.")
    else:
        print(f"{words}, and tuning chose nothing that fades.")

# %% [markdown]
# Fading pays where the first column is much larger than the second. Where both are small, the preconditioner holds its
# image without help.
#
# ## Where it fails
#
# A distilled preconditioner has learned from one camera and one kind of image, under the noise that is printed above.
# Change one of them at a time: the same number of patterns in another order, three and ten times the noise, and faces
# in the place of digits. Nothing is trained or tuned again, for any method. But $\sigma$ is a noise level and has to
# follow the noise: with `sigma_noise`, every method raises it above the noise that it was tuned for. The reference is
# the best that learns nothing in the same condition.


# %%
names = (*measured["baselines"], "distilled")
told_noise = {"sigma_noise": float(A.noise_model.sigma), "max_iter": 20}
following = {n: ddgp_lib.load_solver(task, n, **told_noise) for n in names}


def gain_on(other, truth):
    data, found = other.measure(truth), {}
    for name, run in following.items():
        found[name] = other.psnr(run(data, other.student), truth)
    best = max(names[:-1], key=lambda name: found[name].mean())
    return best, found["distilled"] - found[best]


# %%
found = {"as trained": gain_on(task, images)}
for name, change in {
    "zig-zag order": {"ordering": "zig_zag"},
    "noise 0.03": {"noise": 0.03},
    "noise 0.1": {"noise": 0.1},
}.items():
    found[name] = gain_on(ddgp_lib.load_task("single_pixel", **change), images)
found["faces"] = gain_on(task, load_faces(32).test[:32])
rows, gained = {}, {}
for name, (best, each) in found.items():
    gained[name] = float(each.mean()), float(each.std() / len(each) ** 0.5)
    rows[name] = [title_of(best), gained[name]]
heads = ["best that learns nothing", Column("P over it", "dB", signed=True)]
table("Gain of P in other conditions, with its standard error.", heads, rows)

# %% tags=["hide-input"]
signs = {name: mean / error for name, (mean, error) in gained.items()}
wins = [name for name, sign in signs.items() if sign > 2]
losses = [name for name, sign in signs.items() if sign < -2]
print("By more than two standard errors P gains in:", ", ".join(wins) or "none")
print("and loses in:", ", ".join(losses) or "none")

# %%
trained_on = gained["as trained"][0]
assert trained_on > max(gained[name][0] for name in ("zig-zag order", "faces"))

# %% [markdown]
# Another order of the patterns changes what is hidden, and the network has learned to guess what the cake-cutting order
# hides. Noise changes how far the data can be trusted; it was varied in the training too. Faces are another kind of
# image. There the network seems to take for strokes what are none, and adds to them in the null space, where no data
# correct it. [Three cameras](three-tasks) has more conditions, and a check that refuses the faces.
#
# One digit at a time, on the page with a camera: <a href="camera.html#noise=0.1">ten times the noise</a>. Watch what
# half and twice the tuned $\sigma$ do: one leaves noise, the other removes strokes with it.
#
# And one shape that no digit has: <a href="camera.html#image=drawing&amp;drawing=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAADA_____wMAAMD_____AwAAwD8AAPwDAADA8wAAzwMAAMDDA8DDAwAAwAMP8MADAADAAzw8wAMAAMAD8A_AAwAAwAPAA8ADAADAA_APwAMAAMADPDzAAwAAwAMP8MADAADAwwPAwwMAAMDzAADPAwAAwD8AAPwDAADA_____wMAAMD_____AwAAwAAAAAADAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA">an envelope</a>. Compare its unseen error with that of a
# digit, and its data residual.
#
# ## What would you pick instead?
#
# A network can be trained to do without all of this. Some were, on the same digits through the same camera, with the
# same noise and for the same time. [Against the best rivals](best-rivals) introduces them one by one, and compares all
# of them behind three cameras.

# %% mystnb={"figure": {"name": "fig-sp-rivals", "caption": "Lead of the distilled P after 20 iterations over networks that are asked once, mean over 200 held-out digits, with 95 % intervals over digits and trainings. Right of the line P is ahead."}, "image": {"alt": "A row with a dot and an error bar for each network. A vertical line marks a lead of zero."}} tags=["hide-input"]
against = over_rivals(measured)
leads = {title_of(n): {"P": (d.mean, d.interval)} for n, d in against.items()}
look = {"xlabel": "lead of P (dB), 95 % interval", "roles": {"P": "distilled"}}
figures.dots(leads, reference=0, **look)

# %% tags=["hide-input"]
for word in ("ahead of", "even with", "behind"):
    names = [title_of(n) for n, each in against.items() if verdict(each) == word]
    print(f"P is {word}: {', '.join(names) or 'none'}")

# %% [markdown]
# A network that is asked once takes a fraction of the time of twenty iterations. So where $P$ is even with one or
# behind it, that network is the better choice for digits as these. [Three cameras](three-tasks) asks what becomes of
# both where conditions change.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 11_single_pixel
# ```
#
# ## Exercises
#
# ```{exercise} Silent at the start
# :label: ex-silent
#
# Show that with $A A^\top = I$ and without noise or with it, $\nabla g(A^\top y) = 0$. What does it imply for
# a preconditioner $P_\theta(\nabla g)$ without biases in the first iteration? And for an operator with
# $A A^\top \neq I$, started at $A^+ y$?
# ```
#
# ```{solution} ex-silent
# :class: dropdown
#
# $\nabla g(A^\top y) = A^\top (A A^\top y - y) = A^\top (y - y) = 0$, whatever $y$ is. A network without
# biases maps zero to zero, so $P_\theta(\nabla g(z_0)) = 0$ and $x_1 = D_\sigma(z_0)$, as without a
# preconditioner. The same happens for every operator started at $A^+ y$: $A A^+$ projects orthogonally on the range
# of $A$, so $A A^+ y - y$ is orthogonal to that range and $A^\top (A A^+ y - y) = 0$. A start from $A^\top y$ with
# $A A^\top \neq I$ leaves a gradient in general.
# ```
#
# ```{exercise} The range does not notice
# :label: ex-range
#
# Let $r_k = A z_k - y$ be the data residual before an iteration. Show that for the null-space form
# {eq}`eq-null-space-form` the residual after the gradient step is $A u_k - y = (I - \alpha A A^\top) r_k$,
# the same as without a preconditioner. Which step of {eq}`eq-pnp-fista` can then make the data residual of
# the two methods differ? Check the equation for the point `z` and the `direction` of this chapter.
# ```

# %% tags=["hide-cell"]
r = A.A(z) - y
left = A.A(z - alpha * direction) - y
right = r - alpha * A.A(A.A_adjoint(r))
torch.testing.assert_close(left, right, rtol=0, atol=1e-5)

# %% [markdown]
# ```{solution} ex-range
# :class: dropdown
#
# $A u_k - y = A z_k - \alpha A P_\theta(\nabla g(z_k); z_k) - y = A z_k - y - \alpha A \nabla g(z_k)
# = r_k - \alpha A A^\top r_k$. With $\alpha = 1$ and $A A^\top = I$ even $A u_k = y$: the whole data residual of
# $x_{k+1} = D_\sigma(u_k)$ is the denoiser's doing. A likely reason for the smaller residual above is that a better
# null-space part gives the denoiser a more plausible image, which it changes less.
# ```
#
# ```{exercise} How much is momentum worth?
# :label: ex-momentum
#
# Run the distilled preconditioner with and without momentum (`momentum="chambolle_dossal"` and `"none"`) on 16
# *validation* digits, since a choice may follow, for 50 iterations, all else as tuned. How do the best PSNR and the
# first iterations differ?
# ```
#
# ```{solution-start} ex-momentum
# :label: sol-momentum
# :class: dropdown
# ```
# Momentum helps a plain gradient method to cross slow directions. Here the range is fitted in one step and the
# preconditioner moves the null space at once, so little is left for momentum to speed up. (It may even do harm, if the
# network was trained without it.)

# %%
tuned_for_P = ddgp_lib.load_tuning("single_pixel")["distilled"]["setting"]
best_psnr = {}
for rule in ("chambolle_dossal", "none"):
    changed = {"stepsize": alpha} | tuned_for_P | {"momentum": rule}
    solver = ddgp_lib.PreconditionedFISTA(task.denoiser, P, **changed)
    chosen_on = task.val_images[:16]
    trace = ddgp_lib.evaluate(task, solver, images=chosen_on, max_iter=50)
    curve = trace.psnr.mean(dim=1)
    best_psnr[rule] = float(curve.max())
    print(f"{rule:17s} {curve[4]:.2f} dB at k = 5, best {curve.max():.2f} dB")
assert best_psnr["chambolle_dossal"] < best_psnr["none"] + 0.5

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Half of the hidden error
# :label: ex-sp-parts
#
# An estimate has a relative error of 0.1 in the range and of 0.4 in the null space. By how many decibels does its PSNR
# rise, if the error in the null space is halved and the other stays?
# ```

# %%
answer = None  # put the decibels here
answers.check("ex-sp-parts", answer)

# %% [markdown]
# ```{solution} ex-sp-parts
# :class: dropdown
#
# The parts are orthogonal, so their squares add up: the squared error falls from $0.1^2 + 0.4^2$ to $0.1^2 + 0.2^2$,
# and the PSNR rises by ten times the logarithm of the ratio. Without the error in the range it would be 6 dB. What is
# left in the range limits what a better guess of the null space can show.
# ```
#
# ```{exercise} What fades moves a bounded total
# :label: ex-sp-fade
#
# Let all steps of the denoiser have the same length, and let them fade with $k_0 = 10$ by {eq}`eq-prior-decay`. To how
# many full steps do all of them together, to $k = \infty$, add up at most?
# ```

# %%
answer = None  # put the sum of all weights here
answers.check("ex-sp-fade", answer)

# %% [markdown]
# ```{solution-start} ex-sp-fade
# :label: sol-sp-fade
# :class: dropdown
# ```
# The weights are 1 for $k + 1 \le k_0$. From there on they are $k_0^2/j^2$ with $j = k + 1$, and $\sum_{j > k_0} 1/j^2
# < 1/k_0$. So the sum is less than $2 k_0$, and close to it.

# %%
k = torch.arange(1_000_000, dtype=torch.float64)
weights = (10 / (k + 1)).square().clamp(max=1)
print(f"share of 2 k_0: {float(weights.sum()) / 20:.2f}")
assert 19 < float(weights.sum()) < 20

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# You can now
#
# - say that with $A A^\top = I$ the whole difficulty is the null space, and show it in a run's error;
# - take two gradients at one point. A teacher with more of the same patterns has one that contains what the student
#   misses, and a network with the gradient *and* the point as inputs learns to predict it;
# - keep $A P_\theta = A \nabla g$ by the null-space form: the data step is the plain one;
# - state a gain over the best method that learns nothing, at an iteration and between bests, with its error;
# - let updates fade, so that a run stays near its best to iteration 200;
# - test it away from its training, with a $\sigma$ that follows the noise and the best reference in each condition.
#
# By how much it gains, and against whom, is in the key results at the beginning. With everything else as it ships,
# training on the true image alone is as good: [the teacher hardly matters](best-rivals).
#
# ## Further reading
#
# The idea of a distilled gradient preconditioner is from {cite}`gualdron2025d2gp`; its journal extension
# {cite}`dipa2026` treats linear and non-linear ones. Distillation itself goes back to
# {cite}`hinton2015distilling`. For plug-and-play with a preconditioner that is not learned, see
# {cite}`hong2024p2np`; for linear preconditioners learned on the data term, {cite}`fahy2024greedy`. The
# library's solvers and operators are those of deepinv {cite}`tachella2025deepinverse`.
