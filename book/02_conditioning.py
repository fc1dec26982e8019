# %% [markdown]
# (conditioning)=
# # Conditioning: some modes are slow, others are silent
#
# ```{admonition} Key results
# :class: tip
#
# - **Slow modes.** On a blurred digit, 1,000 gradient steps leave 95 % of the error in the weakest mode. In 500
#   steps conjugate gradients divide the error of the image by half a million, the best constant momentum by 800.
# - **Silent modes.** A single-pixel camera with the best condition number there is, 1, loses 922 of 1,024 modes. No
#   step size, no momentum and no function of $A^\top A$ brings any of them back.
# - **Noise.** The best image comes before convergence. Two rules choose an iteration without the truth. They lose 0.1
#   to 2 dB against the best one, and each is good for one method and poor for another.
#
# **Time:** 18 minutes to read, less than one to run. **Before this:** linear algebra up to the singular value
# decomposition; enough PyTorch to read a tensor expression. Symbols are those of the [notation page](notation.md).
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %% tags=["hide-input"]
import math

import torch
from deepinv.physics import BlurFFT
from deepinv.physics.functional import gaussian_blur

import ddgp_lib
from ddgp_lib import analysis, answers, figures, filters, widgets
from ddgp_lib.solvers import chambolle_dossal
from ddgp_lib.tables import Column, table

task = ddgp_lib.load_task("single_pixel")
camera = task.student
blur = BlurFFT(task.img_size, filter=gaussian_blur(sigma=(0.8, 0.8)))
truth = task.test_images[8:9]


def descend(physics, y, step, iterations):
    x = torch.zeros_like(truth)
    for _ in range(iterations):
        x = x - step * physics.A_adjoint(physics.A(x) - y)
    return x


# %% [markdown]
# Two cameras look at the same digit. One weighs it against 102 patterns of light, the other blurs it. Gradient descent
# computes an image from the measurements of each. The number above an image is its PSNR in decibels,
# $-10 \log_{10} \bigl(\tfrac1n \lVert x - x^* \rVert^2\bigr)$: larger is better. Compare the two rows as the number of
# iterations $k$ grows.


# %% mystnb={"figure": {"name": "fig-slow-silent", "caption": "The same digit and the same iteration, seen by two cameras without noise. Top: the single-pixel camera reaches its final image in one iteration. Bottom: the blurred image is still sharpening after a thousand."}, "image": {"alt": "Two rows of four images after 1, 10, 100 and 1000 iterations. Top row: four identical images, a blocky digit three with ghost patterns around it. Bottom row: the digit three, blurred at first, becomes steadily sharper and is close to clean at 1000."}} tags=["hide-input"]
def psnr(x):
    return -10 * math.log10((x - truth).square().mean())


counts, cameras = [1, 10, 100, 1000], {"camera": camera, "blur": blur}
runs = {}
for name, A in cameras.items():
    runs |= {(name, k): descend(A, A.A(truth), 1.0, k) for k in counts}
shown = {f"{name} k={k}\n{psnr(x):.1f} dB": x for (name, k), x in runs.items()}
figures.images(shown, columns=4)

# %% [markdown]
# Both rows fall short, for different reasons. The top row stops after one iteration, with the wrong image. The bottom
# row is still improving after a thousand. This chapter takes both operators apart into modes. It finds *silent* modes
# in the first and *slow* modes in the second, and asks which of the two a preconditioner can help.
#
# After this chapter you can
#
# 1. read an operator's singular values: its condition number on the range, and the size of its null space;
# 2. predict gradient descent mode by mode, and choose its step size;
# 3. say what momentum and conjugate gradients gain, and what each costs;
# 4. stop an iteration, or choose a damping, without knowing the true image;
# 5. decide whether a preconditioner that is a function of $A^\top A$ can help a given camera.
#
# ## Two cameras, one iteration
#
# A camera is a linear operator $A$ that turns an image $x \in \mathbb{R}^n$, here $32 \times 32$ pixels,
# into measurements
#
# $$y = A x + w,$$ (eq-model)
#
# with noise $w$, which we leave out until the end of the chapter. The first camera is a **single-pixel
# camera** {cite}`duarte2008single`. It illuminates the scene with patterns from a Hadamard basis
# {cite}`zhang2017hadamard` and records one number for each; it uses a tenth of the basis. The second is a camera
# whose lens blurs: a **Gaussian blur** of standard deviation 0.8 pixel, with periodic borders.
#
# To invert either camera we look for an image that explains the measurements: one that makes $g(x) =
# \tfrac12 \lVert A x - y \rVert^2$ small. Its gradient is $\nabla g(x) = A^\top (A x - y)$. Gradient
# descent starts from $x_0 = 0$ here and repeats
#
# $$x_{k+1} = x_k - \alpha\, A^\top (A x_k - y).$$ (eq-descent)
#
# That is the loop behind {numref}`fig-slow-silent`. Both operators have norm 1, so the step $\alpha = 1$ suits both.
# Has the first camera's run really stopped, and does its image explain the data?

# %%
once, often = runs["camera", 1], runs["camera", 1000]
residual = (camera.A(once) - camera.A(truth)).norm() / camera.A(truth).norm()
error = (once - truth).norm() / truth.norm()
print(f"one iteration: data residual {residual:.1e}, relative error {error:.2f}")

# %%
assert torch.allclose(once, often, atol=1e-5)
assert residual < 1e-5
assert error > 0.3
assert psnr(runs["blur", 1000]) > psnr(runs["blur", 100]) + 5

# %% [markdown]
# One iteration explains the camera's data to rounding error, and the image is wrong all the same. No later
# iteration has anything left to correct.
#
# ## Take the operator apart
#
# The singular value decomposition $A = \sum_i s_i\, u_i v_i^\top$ writes $A$ in a pair of orthonormal
# bases. It turns the image $v_i$ into $s_i u_i$, and does not mix one $i$ with another. We call $v_i$ a
# **mode**. Four numbers sum up the spectrum: $L = s_1^2$, the largest eigenvalue of $A^\top A$; $\mu$, the
# smallest $s_i^2$ *that is not zero*; the rank; and the condition number on the range,
#
# $$\begin{aligned}
# \kappa &= \kappa(A) = \sqrt{L/\mu}, \\
# \kappa^2 &= \kappa(A^\top A) = L/\mu.
# \end{aligned}$$ (eq-kappa)
#
# Papers quote either. In this book $\kappa$ without an argument is $\kappa(A)$. With 1,024 pixels a dense
# decomposition takes a second.

# %%
spectra = {name: analysis.modes(A, task.img_size) for name, A in cameras.items()}
kappa = analysis.condition_number
rows = {name: [found.rank, kappa(found.values)] for name, found in spectra.items()}
table("Rank, and condition number on the range.", ["rank", Column("κ", digits=1)], rows)

# %%
assert all(abs(found.eigenvalues[0] - 1) < 1e-5 for found in spectra.values())
assert spectra["camera"].rank == 102
assert abs(analysis.condition_number(spectra["camera"].values) - 1) < 1e-4
assert spectra["blur"].rank == 1024
assert spectra["blur"].values[-1] < 0.01

# %% mystnb={"figure": {"name": "fig-spectra", "caption": "Singular values of both cameras. The single-pixel camera's are 1 or 0 and nothing between; the blur's fall without reaching 0."}, "image": {"alt": "Singular values against their index on a logarithmic scale. The camera: 102 values equal to one, then 922 zeros, drawn as a bar at the bottom. The blur: a smooth fall from one to about 0.007 over all 1024 indices."}} tags=["hide-input"]
figures.spectrum({name: modes.values for name, modes in spectra.items()})

# %% [markdown]
# The camera's patterns are orthonormal, $A A^\top = I$, so each of its 102 non-zero singular values is 1. On its range
# it is **perfectly conditioned**, and 922 modes are missing altogether. The blur misses nothing, but passes on its
# weakest mode at less than a hundredth of its strength. Here is what such modes look like; blue is negative, red
# positive.

# %% mystnb={"figure": {"name": "fig-modes", "caption": "Four modes: what the blur passes on best and worst, as a detail of 8 by 8 pixels, and one pattern that the camera measures beside one that it never uses."}, "image": {"alt": "Four signed patterns. Strong in the blur: one uniform colour. Weak in the blur: a checkerboard of single pixels. Seen by the camera: tall bars, four pixels wide, that change sign from bar to bar and at half height. Unseen by the camera: finer blocks of alternating sign."}} tags=["hide-input"]
strong, weak = (spectra["blur"].synthesise(torch.eye(1024)[[i]]) for i in (0, -1))
pattern = torch.zeros_like(truth).expand(2, 1, 32, 32).clone()
pattern[0, 0][tuple(camera.mask[0, 0].nonzero()[60])] = 1
pattern[1, 0][tuple((camera.mask[0, 0] == 0).nonzero()[300])] = 1
seen_pattern, unseen_pattern = camera.V(pattern)
patterns = {
    "blur: strong": strong[..., :8, :8].abs(),
    "blur: weak": weak[..., :8, :8] * weak[0, 0, 0, 0].sign(),
    "camera: seen": seen_pattern,
    "unseen": unseen_pattern,
}
figures.images(patterns, signed=True, vmax=1 / 20)

# %% [markdown]
# ## Gradient descent, one mode at a time
#
# Let $e_k = x_k - x^*$ be the error. Without noise $y = A x^*$, so equation {eq}`eq-descent` says $e_{k+1}
# = (I - \alpha A^\top A)\, e_k$. Take the coordinate along $v_i$ on both sides. Since $A^\top A\, v_i =
# s_i^2 v_i$, the modes stay apart, and each has a closed form:
#
# $$v_i^\top e_k = (1 - \alpha s_i^2)^k \; v_i^\top e_0.$$ (eq-modes)
#
# That is the whole of gradient descent on a quadratic: one number per mode, raised to the power $k$. Does
# the formula predict the image that a hundred iterations compute? `analyse` takes an image to its
# coefficients $v_i^\top x$, `synthesise` goes back.

# %%
modes = spectra["blur"]
lam, L = modes.eigenvalues, float(modes.eigenvalues[0])
factors = (1 - 1.0 * lam) ** 100
error = modes.synthesise(factors * modes.analyse(-truth))
difference = (truth + error - runs["blur", 100]).abs().max()
print(f"largest difference in any pixel: {difference:.0e}")
assert difference < 1e-4

# %% [markdown]
# It does, to rounding error. So from here on we can read the iteration off the spectrum. What is left of
# the error after $k$ iterations, from the weakest mode at the left to the strongest at the right?

# %% mystnb={"figure": {"name": "fig-front", "caption": "Share of the error left in each mode of the blur after k iterations of gradient descent with step 1/L. With ten times the iterations the front reaches modes about three times weaker."}, "image": {"alt": "Error left against singular value, both logarithmic, for 1, 10, 100 and 1000 iterations. Each curve is flat at one for weak modes and falls steeply for strong ones. The fall moves left by a factor of about three from each curve to the next; the weakest mode, at 0.007, is left at 0.95 even after 1000 iterations."}} tags=["hide-input"]
left = analysis.error_factors(lam, 1.0, 1000)
figures.curves(
    modes.values,
    {f"k = {k}": left[k] for k in counts},
    xlabel="singular value $s_i$",
    ylabel="error left, $|1-\\alpha s_i^2|^k$",
    xscale="log",
    yscale="log",
    ylim=(1e-4, 2),
    legend="lower left",
)

# %% [markdown]
# A front travels from strong modes to weak ones. It stands near $s_i \approx 1/\sqrt{\alpha k}$, because
# $(1 - \alpha s^2)^k \approx e^{-\alpha k s^2}$. Stronger modes are recovered, weaker ones hardly touched. To recover
# a mode with half the singular value takes four times the iterations. This square is $\kappa(A^\top A) = \kappa^2$ at
# work.
#
# Run it yourself: <a
# href="camera.html#camera=blur&amp;noise=0&amp;sigma=0.1&amp;momentum=none&amp;fading=none&amp;iterations=50">plain
# steps on a blurred digit</a>, on the site's page with a camera. Watch the part of the error that the camera sees:
# without $P$ it takes more than 20 iterations to come where Newton's step brings it in five.

# %%
for k in (10, 100, 1000):
    front = float(modes.values[left[k] < math.exp(-1)].min())
    assert abs(front * math.sqrt(k) - 1) < 0.1
assert 0.94 < left[1000, -1] < 0.96

# %% [markdown]
# ## How large may the step be, and what does a larger one buy?
#
# Equation {eq}`eq-modes` answers both questions. A mode shrinks when $|1 - \alpha s_i^2| < 1$; all modes with $s_i > 0$
# do when $0 < \alpha < 2/L$. The slowest of them sets the rate, and balancing the two ends of the spectrum gives
#
# $$\begin{aligned}
# \alpha &= \frac{2}{L + \mu}, \\
# \max_i |1 - \alpha s_i^2| &= \frac{L - \mu}{L + \mu} = \frac{\kappa^2 - 1}{\kappa^2 + 1}.
# \end{aligned}$$ (eq-best-step)
#
# Move the step size and watch the two ends. A larger step lowers the left end, the weak modes. When does
# the right end, the strong modes, rise above the line where nothing is gained?


# %% tags=["hide-input"]
def draw_step(multiple):
    left = analysis.error_factors(lam, multiple / L, 20)[20].abs()
    return figures.curves(
        modes.values,
        {"after 20 iterations": left.clamp(min=1e-9)},
        xlabel="singular value $s_i$",
        ylabel="error left, $|1-\\alpha s_i^2|^{20}$",
        yscale="log",
        markers=False,
        horizontal={"as at the start": 1.0},
        ylim=(1e-6, 1e5),
        legend="upper left",
    )


# %% tags=["hide-input"]
def describe_step(multiple):
    verdict = "converges" if multiple < 2 else "does not converge"
    strong, weak = abs(1 - multiple) ** 20, float(1 - multiple / L * lam[-1]) ** 20
    return (
        f"With step {multiple:g} over L the iteration {verdict}: in 20 iterations "
        f"the error of the strongest mode is multiplied by {strong:.2g}, that of the "
        f"weakest by {weak:.4f}."
    )


steps = {
    "draw": draw_step,
    "values": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 1.9, 2.0, 2.1, 2.25, 2.5],
    "label": "Step size, as a multiple of 1/L",
    "alt": describe_step,
    "start": 3,
    "caption": "Error left in each mode of the blur after 20 iterations.",
}
widgets.frames(**steps)

# %% [markdown]
# In a running kernel, this twin of the control calls `draw_step` again at every move, so you can edit the
# function or its values:

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**steps)

# %% [markdown]
# The left end hardly moves, whatever the step, and past $\alpha = 2/L$ the right end explodes. How many iterations
# does each step need before every mode has shrunk tenfold?


# %%
def tenfold(rate):  # iterations to an error ten times smaller, to three digits
    return int(float(f"{math.log(0.1) / math.log(rate):.3g}"))


best, rows = analysis.best_gradient_step(lam)[0], {}
for label, alpha in {"1/L": 1 / L, "best": best, "2.05/L": 2.05 / L}.items():
    rate = analysis.gradient_rate(lam, alpha)
    rows[label] = [tenfold(rate) if rate < 1 else "never"]
table("Until every mode has shrunk tenfold.", ["iterations"], rows, corner="step")

# %%
slow, fast = (math.log(analysis.gradient_rate(lam, alpha)) for alpha in (1 / L, best))
assert abs(fast / slow - 2) < 0.01
wild = descend(blur, blur.A(truth), 2.05 / L, 150)
assert abs(float(wild.sum().abs() / truth.sum()) / 1.05**150 - 1) < 0.02

# %% [markdown]
# The best step is only twice as fast as $1/L$, and it is at the edge of divergence. There the *strongest*
# mode changes its sign at almost full size in each iteration. The step $1/L$ deletes that mode at once, cannot
# diverge, and loses a factor of two at the slow end. It is this book's default. Beyond the edge, the uniform mode of
# {numref}`fig-modes` explodes: the image jumps between ever brighter and ever darker. **A step size moves all modes
# together.** It cannot make a slow mode fast without making a fast mode diverge.
#
# ## What no iteration can see
#
# Now the camera. Equation {eq}`eq-modes` says that a mode with $s_i = 0$ keeps its error for ever: its
# factor is $1 - \alpha \cdot 0 = 1$ for every step size. The **null space** of $A$ is spanned by these
# silent modes. Every image is the sum of a part that the measurements determine and one that they do not
# show,
#
# $$x = A^+A\,x + (I - A^+A)\,x,$$ (eq-split)
#
# where $A^+A$ is the orthogonal projector on the range of $A^\top$. The [first chapter](three-cameras) forged images
# with it: two digits with the same measurements. No iteration of the kind so far finds the second part. The gradient is
# $A^\top(\cdot)$, so every update lies in the range of $A^\top$. For
# every step size, every $k$ and every direction $p(A^\top A)\,\nabla g$ with a function $p$ of the
# operator,
#
# $$(I - A^+A)\,x_k = (I - A^+A)\,x_0.$$ (eq-frozen)
#
# How much of an image is that? On average over 500 test digits:

# %%
digits = task.test_images[:500]
_, unseen = analysis.split(camera, digits)
share = unseen.square().sum() / digits.square().sum()
ceiling = -10 * unseen.square().mean((1, 2, 3)).log10().mean()
print(f"energy in the null space: {share:.0%}; PSNR without it: {ceiling:.1f} dB")

# %%
assert 0.2 < share < 0.5
assert ceiling < 20

# %% [markdown]
# That PSNR is where gradient descent from zero ends, after its single useful iteration. The rest of the book tries to
# raise it.
#
# ## What momentum gains, and what it costs
#
# Back to slow modes. Momentum takes the gradient not at $x_k$ but at a point extrapolated beyond it,
#
# $$\begin{aligned}
# z_k &= x_k + \beta\,(x_k - x_{k-1}), \\
# x_{k+1} &= z_k - \alpha \nabla g(z_k).
# \end{aligned}$$ (eq-momentum)
#
# This is Nesterov's rule {cite}`nesterov1983method`, and the one inside FISTA {cite}`beck2009fista`. (The
# *heavy ball* keeps the gradient at $x_k$; Goh {cite}`goh2017momentum` explains that one.) The modes still
# do not mix, but each error now depends on the two before it:
#
# $$\begin{aligned}
# & \begin{pmatrix} e_{k+1} \\ e_k \end{pmatrix} =
# \begin{pmatrix} (1+\beta) q & -\beta q \\ 1 & 0 \end{pmatrix} \!
# \begin{pmatrix} e_k \\ e_{k-1} \end{pmatrix}\!, \\
# & \text{with } q = 1 - \alpha s_i^2 .
# \end{aligned}$$ (eq-companion)
#
# An eigenvalue $\omega$ of this matrix solves $\omega^2 - (1+\beta)\,q\,\omega + \beta q = 0$, and the larger
# modulus of the two is the rate of the mode. They are real as long as $(1+\beta)^2 q \ge 4\beta$. With
# $\alpha = 1/L$ this says
#
# $$s_i \le \frac{1 - \beta}{1 + \beta}\,\sqrt{L} .$$ (eq-ring)
#
# Modes below this bound creep: their error falls without changing its sign, and more $\beta$ makes it fall
# faster. Modes above it *ring*: their eigenvalues are complex, the error swings past zero and back and shrinks by
# $\sqrt{\beta q}$ in each iteration, so more $\beta$ makes it worse. The slowest mode, $s_i = \sqrt\mu$, is best
# served when the bound stands exactly there:
#
# $$\beta = \frac{\kappa - 1}{\kappa + 1}, \qquad \text{rate } 1 - \frac1\kappa.$$ (eq-best-momentum)
#
# Without momentum the rate at this step was $1 - 1/\kappa^2$. In numbers:

# %%
step, beta, nesterov = analysis.best_momentum(lam)
plain, kappa = analysis.gradient_rate(lam, 1.0), 1 / math.sqrt(lam.min() / L)
print(f"tenfold in the long run: every {tenfold(plain)} iterations without momentum,")
print(f"every {tenfold(nesterov)} with Nesterov's rule")

# %%
assert abs(analysis.momentum_radius(lam, step, beta).max() - nesterov) < 1e-6
assert 100 * math.log(plain) > math.log(nesterov)
slowest = analysis.error_factors(lam.min().view(1), step, 1000, beta)[:, 0]
k = torch.arange(1001, dtype=torch.float64)
predicted = (1 + k / kappa) * (1 - 1 / kappa) ** k
torch.testing.assert_close(slowest, predicted, rtol=1e-6, atol=0)
assert int((slowest < 0.1).nonzero()[0]) > 1.5 * tenfold(nesterov)

# %% [markdown]
# In the long run Nesterov's rule needs less than a hundredth of the iterations. It takes one more line of code, and
# of $A$ it has to know $L$ and $\kappa$. But a rate describes late iterations only. At this $\beta$ the two
# eigenvalues of the slowest mode coincide. Its error is $(1 + k/\kappa)(1 - 1/\kappa)^k$, and the first factor of ten
# takes half as long again as the rate says.
#
# The modes that were fast already lose more. The next control takes a quadratic with $L = 1$ and any
# $\kappa$, and shows its strongest mode, its weakest and one halfway. It starts at $\kappa = 100$, a little less than
# the blur's. Raise $\beta$ and follow the bound {eq}`eq-ring`, the upright line in the second plot. What do the modes
# to its left gain, and what happens in the first plot to a mode once the line has passed it? Then raise the step. Where
# does the strongest mode diverge without momentum, and where with it?


# %% tags=["hide-input"]
chosen = torch.tensor([1.0, 0.1, 0.01], dtype=torch.float64)
MODES = ("teacher", "linear", "gradient_only")  # their colours
between = torch.logspace(-2, 0, 161, dtype=torch.float64)


def draw_momentum(beta):
    errors = analysis.error_factors(chosen**2, 1.0, 300, momentum=beta)
    figure, panels = figures.axes(2, height=2.6)
    figures.curves(
        torch.arange(301),
        {f"$s$ = {s:g}": errors[:, i] for i, s in enumerate(chosen.tolist())},
        xlabel="iteration $k$",
        ylabel="error left",
        ylim=(-1, 1.05),
        roles=dict(zip(("$s$ = 1", "$s$ = 0.1", "$s$ = 0.01"), MODES, strict=True)),
        legend="lower right",
        ax=panels[0],
    )
    draw_effort(beta, panels[1])
    return figure


# %% tags=["hide-input"]
def draw_effort(beta, ax):
    betas = {"no momentum": 0.0, "momentum": beta}
    rates = {n: analysis.momentum_radius(between**2, 1.0, b) for n, b in betas.items()}
    figures.curves(
        between,
        {name: (-math.log(10) / r.log()).clamp(min=1) for name, r in rates.items()},
        xlabel="singular value $s$",
        ylabel="iterations per factor 10",
        xscale="log",
        yscale="log",
        vertical={"modes to the right ring": (1 - beta) / (1 + beta)},
        ylim=(1, 1e5),
        roles={"no momentum": "baseline", "momentum": "truth"},
        legend="upper right",
        ax=ax,
    )


# %% tags=["hide-input"]
def describe_momentum(beta):
    fast, middle, slow = analysis.momentum_radius(chosen**2, 1.0, beta).tolist()
    return (
        f"With momentum {beta:.3f} the errors of the modes with singular values 1, "
        f"0.1 and 0.01 shrink by {fast:.3f}, {middle:.3f} and {slow:.4f} per "
        f"iteration; modes above {(1 - beta) / (1 + beta):.3f} ring."
    )


widgets.continuous(
    "momentum",
    draw_momentum(0.6),
    {"step": 1.0, "momentum": 0.6, "kappa": 100.0},
    alt=describe_momentum(0.6),
    caption="Nesterov's rule on a quadratic: the error in three modes, and the effort in "
    "every mode. The site's own script computes all of it.",
)

# %% tags=["remove-output", "nbval-ignore-output"]
momenta = {"draw": draw_momentum, "values": [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, 0.98, 0.995]}
widgets.live(**momenta, label="Momentum β", start=2)

# %% [markdown]
# Left of the line the effort falls as $\beta$ rises. Right of it the effort grows with $\beta$: momentum makes slow
# modes faster and fast modes slower. By {eq}`eq-ring` a mode with singular value $s$ is best
# served by $\beta = (1-s)/(1+s)$ where $L = 1$, about 0.8 for $s = 0.1$. At the value that suits the blur's slowest mode
# it still rings after a hundred iterations. And momentum lowers the largest step: the strongest mode diverges beyond
# $(2 + 2\beta)/(1 + 2\beta)$ in units of $1/L$, which falls from 2 towards $4/3$. A single $\beta$
# is a compromise, and it needs $\kappa$, which is seldom known. The rule of Chambolle and Dossal {cite}`chambolle2015iterates`, $\beta_k = (k-1)/(k+a)$ with $a > 2$, does
# without $\kappa$. It begins with no momentum, and lets it grow as the front reaches slower modes. We take $a = 3$.
# Summing equation {eq}`eq-companion` over the modes of our digit gives the error of the whole image.

# %%
coefficients = modes.analyse(truth)
power = coefficients[0] ** 2 / truth.square().sum()
rules = {"no momentum": 0.0, "constant": beta, "growing": chambolle_dossal}
paths = {}
for name, rule in rules.items():
    left = analysis.error_factors(lam, 1.0, 1000, momentum=rule)
    paths[name] = (left**2 @ power).sqrt()

# %%
ringing = analysis.error_factors(torch.tensor([0.01]), 1.0, 200, momentum=beta)
assert ringing[100:].abs().max() > 0.2
for b in (0.0, 0.6, 0.98):
    edge = (2 + 2 * b) / (1 + 2 * b)
    radius = [analysis.momentum_radius(lam[:1], a * edge / L, b) for a in (0.999, 1.001)]
    assert radius[0] < 1 < radius[1]
assert (analysis.momentum_radius(lam, 1.0, beta).diff() > -1e-9).all()
plain, constant, growing = paths.values()
assert constant[20] < growing[20] < plain[20]
assert growing[100] < constant[100] < plain[100]
assert constant[1000] < growing[1000] < plain[1000]

# %% [markdown]
# (cg)=
# ## Conjugate gradients: the best mix of gradients
#
# Could another way of mixing gradients be faster still? Whatever it does, after $k$ products with $A^\top A$ it has
# multiplied the error of mode $i$ by a polynomial in $s_i^2$ of degree $k$ that is 1 at 0. If only the two ends
# $\mu$ and $L$ of the spectrum are known, Chebyshev's polynomials are the best {cite}`saad2003iterative`. Their rate is
# $(\kappa - 1)/(\kappa + 1)$, and the heavy ball has it too, in the long run. But a method may use more than
# the two ends. **Conjugate gradients** {cite}`hestenes1952methods` find, for the data at hand, the image with
# the smallest residual that $k$ gradients can make:
#
# $$\begin{aligned}
# x_k &= \operatorname*{argmin}_{x \in \mathcal{K}_k} \lVert A x - y \rVert, \\
# \mathcal{K}_k &= \operatorname{span}\bigl\{(A^\top A)^j A^\top y : j < k\bigr\} .
# \end{aligned}$$ (eq-krylov)
#
# They need neither $L$ nor $\kappa$ nor a step size, and one product with $A$ and one with $A^\top$ an iteration, as
# gradient descent does. The form for least squares is called CGLS. Here it is in the coordinates of the modes, where
# $A$ multiplies by $s_i$:


# %%
def cgls(s, y, iterations):
    x, r = torch.zeros_like(y), y
    d = p = s * r  # the direction of descent, and that of the search
    path = [x]
    for _ in range(iterations):
        q, old = s * p, d.square().sum(1, keepdim=True)
        length = old / q.square().sum(1, keepdim=True)
        x, r = x + length * p, r - length * q
        d = s * r
        p = d + d.square().sum(1, keepdim=True) / old * p
        path.append(x)
    return torch.stack(path)


# %% mystnb={"figure": {"name": "fig-momentum", "caption": "Error of the deblurred digit without noise; each method takes one product with A and one with its adjoint an iteration. Constant momentum is tuned to the slowest mode, the other two need no tuning."}, "image": {"alt": "Relative error against iteration, both logarithmic, up to 1000 iterations. No momentum: a slow steady fall to about 0.03. Constant momentum: level for a while near 30 iterations, then behind the growing rule until about 450, then below it. Growing momentum: a steady fall to about 0.0003. Conjugate gradients: ahead of all from the first iterations on, and below a ten-millionth before iteration 700."}} tags=["hide-input"]
s = modes.values
apart = cgls(s, s * coefficients, 1000)[:, 0] - coefficients
paths["conjugate gradients"] = apart.norm(dim=1) / coefficients.norm()
figures.curves(
    torch.arange(1, 1001),
    {name: path[1:] for name, path in paths.items()},
    xlabel="iteration $k$",
    ylabel="relative error of the image",
    xscale="log",
    yscale="log",
    ylim=(1e-7, 2),
    legend="lower left",
)

# %%
rows = {name: [f"{path[500]:.0e}"] for name, path in paths.items()}
table("Relative error of the digit after 500 iterations.", ["error"], rows)

# %%
distinct = int((lam[:-1] - lam[1:] > 1e-6).sum()) + 1
step, heavy, rate = analysis.best_momentum(lam, "heavy_ball")
left = analysis.error_factors(lam, step, 1000, heavy, "heavy_ball")
ball = (left**2 @ power).sqrt()
print(f"heavy ball: {ball.max():.0f} times the start at k = {int(ball.argmax())}")
print(f"distinct eigenvalues: about {distinct}")

# %%
conjugate = paths["conjugate gradients"]
assert conjugate[20] < min(paths[name][20] for name in rules)
assert conjugate[100] < growing[100] / 2
assert 1e-6 < conjugate[500] < 3e-6
assert 1 / 1000 < constant[500] < 1 / 700
assert conjugate[1000] < 1e-12
assert ball.max() > 15
assert abs(distinct - 17 * 18 // 2) <= 5
middle = (lam.max() + lam.min()) / (lam.max() - lam.min())
assert abs(1 / (middle + (middle**2 - 1).sqrt()) - rate) < 1e-6  # Chebyshev's rate

# %% [markdown]
# Conjugate gradients are ahead from the start and fall ever faster. They fit their polynomial to the eigenvalues that
# are there. This blur has $17 \cdot 18 / 2 = 153$ distinct ones (a count
# merges two that differ by less than 1e-6), and a polynomial with a zero at each leaves no error at all, so in exact
# arithmetic 153 iterations would be enough. Rounding delays that: after 1,000 iterations the error is that of
# rounding. The heavy ball shows the other side of a good rate: before it converges, it makes the error of the image
# many times larger than it was.
#
# ```{admonition} Why the rest of this book does not use them
# :class: note
#
# The directions of conjugate gradients are made for *one* quadratic function. The solvers of the next chapters put a
# denoiser behind every gradient step. It moves the image by a nonlinear map, and the next direction would belong to a
# problem that has changed. Where there is no denoiser, conjugate gradients are the rival to beat; and they can solve
# the linear problems inside another method, as in Newton's step.
# ```
#
# ## A preconditioner for slow modes, and why it leaves silent ones silent
#
# A preconditioner changes the direction of the step: $x_{k+1} = x_k - \alpha\, P\, \nabla g(x_k)$. Suppose
# that $P$ is a function of the operator, $P = p(A^\top A)$, as Newton's method, Tikhonov's inverse and
# polynomials are. Then $P$ has the same modes as $A^\top A$, and everything above holds with
#
# $$\lambda_i \;\longrightarrow\; \lambda_i\, p(\lambda_i).$$ (eq-precondition)
#
# A good $p$ makes $\lambda_i\,p(\lambda_i)$ nearly constant where $\lambda_i$ is not. Newton's method damped by
# Tikhonov, with $p(\lambda_i) = 1/(\lambda_i + \lambda)$, is one line for both cameras, since deepinv knows the
# transform $V$ that makes each of them diagonal. (The *damping* $\lambda$ has no index. It is in units of $L$, which
# is 1 here.)


# %%
def newton(physics, gradient, damping):
    return physics.V(physics.V_adjoint(gradient) / (physics.mask**2 + damping))


damping, kappas = 0.1, {}
for name, found in spectra.items():
    effective = found.eigenvalues / (found.eigenvalues + damping)
    pair = found.eigenvalues, effective
    kappas[name] = [analysis.condition_number(values) for values in pair]
heads = [Column(head, digits=0) for head in ("AᵀA", "P AᵀA")]
table("Condition number on the range.", heads, kappas)

# %%
assert kappas["blur"][1] < kappas["blur"][0] / 10
assert max(kappas["camera"]) < 1.01

# %% [markdown]
# For the blur the condition number falls by an order of magnitude, and a smaller $\lambda$ would lower it further, at
# a price that the next section shows. For the camera it was 1 and remains 1. There $\lambda_i$ is either 1 or 0, so
# $\lambda_i\,p(\lambda_i)$ is either $p(1)$ or 0: on this operator, **every** $p(A^\top A)$ multiplies the gradient by
# one number. Step size and preconditioner are the same thing.

# %%
gradient = camera.A_adjoint(camera.A(torch.zeros_like(truth)) - camera.A(truth))
direction = newton(camera, gradient, damping)
assert torch.allclose(direction, gradient / (1 + damping), atol=1e-5)

# %% mystnb={"figure": {"name": "fig-newton", "caption": "Relative error with and without the damped Newton preconditioner, no noise. It speeds up the blur. On the camera both curves coincide at the size of the null space."}, "image": {"alt": "Relative error against iteration, both logarithmic, up to 300 iterations. Blur without preconditioner falls slowly; blur with the preconditioner starts lower and falls faster. The two camera curves lie on top of each other, level at 0.6."}} tags=["hide-input"]
errors = {}
for name, found in spectra.items():
    power = found.analyse(truth)[0] ** 2 / truth.square().sum()
    weights = {"": 1.0, ", Newton": 1 / (found.eigenvalues + damping)}
    for suffix, weight in weights.items():
        effective = found.eigenvalues * weight
        left = analysis.error_factors(effective, 1 / float(effective.max()), 300)
        errors[name + suffix] = (left**2 @ power).sqrt()
figures.curves(
    torch.arange(1, 301),
    {name: path[1:] for name, path in errors.items()},
    xlabel="iteration $k$",
    ylabel="relative error of the image",
    xscale="log",
    yscale="log",
    ylim=(0.01, 1),
    legend="lower left",
)

# %%
assert errors["blur, Newton"][300] < errors["blur"][300] / 2
pair = errors["camera"][1:], errors["camera, Newton"][1:]
assert torch.allclose(*pair, atol=1e-6)

# %% [markdown]
# So this book's question can be put precisely. A preconditioner that is a function of $A^\top A$ speeds up slow
# modes, and by equation {eq}`eq-frozen` it cannot reach a silent one. To move the image inside the
# null space, $P$ must leave the range of $A^\top$. To leave it in the right direction, it must know what
# digits look like. (A diagonal that is not constant leaves the range too, but nothing tells it in which direction.)
# The distilled preconditioner {cite}`gualdron2025d2gp` of a [later chapter](single-pixel) learns it from examples.
#
# ## With noise, stop before the end
#
# Measurements carry noise, $y = A x^* + w$. Write $r_{k,i}$ for the factor by which $k$ iterations multiply the
# error of mode $i$; for gradient descent it is $(1 - \alpha s_i^2)^k$. Starting from zero, the iteration has let in
# the share $f_i = 1 - r_{k,i}$ of what the data say about that mode, and what they say is $u_i^\top y / s_i = v_i^\top
# x^* + u_i^\top w / s_i$. For white noise of standard deviation $\sigma$ the expected squared error is
#
# $$\begin{aligned}
# \mathbb{E}\,\lVert x_k - x^*\rVert^2 = {}& \sum_i r_{k,i}^2\,(v_i^\top x^*)^2 \\
# {}+{} & \sum_i (1 - r_{k,i})^2\, \frac{\sigma^2}{s_i^2} ,
# \end{aligned}$$ (eq-noise)
#
# where a silent mode has $r_{k,i} = 1$: it contributes its whole signal, and its second term is left out. With gradient
# descent the first term falls with $k$. The second rises, and for a weak mode its final value
# $\sigma^2/s_i^2$ may exceed the signal. The error may then fall, reach a minimum and rise: **semiconvergence**
# {cite}`hansen2010discrete`. The next call computes {eq}`eq-noise`, averaged over the 500 digits:

# %%
sigma, truths = 0.01, modes.analyse(digits)
left = analysis.error_factors(lam, 1.0, 3000)
curve = analysis.expected_error(s, truths, sigma, left)
stop = int(curve.total.argmin())
ratio = float(curve.total[3000] / curve.total[stop])
print(f"best iteration {stop}")
print(f"squared error after 3000: {ratio:.0f} times as large")

# %%
assert 10 < stop < 100
assert ratio > 10

# %% mystnb={"figure": {"name": "fig-semiconvergence", "caption": "Expected squared error of the blurred digits under gradient descent with noise of standard deviation 0.01: signal not yet recovered, noise let in, and their sum."}, "image": {"alt": "Squared error against iteration, both logarithmic, up to 3000. The unrecovered signal falls steadily. The noise rises steadily and crosses it between 40 and 60 iterations. Their sum has a minimum near 40 iterations and is more than ten times larger at 3000."}} tags=["hide-input"]
parts = {"total": curve.total, "noise let in": curve.noise}
parts["not yet recovered"] = curve.unfinished
figures.curves(
    torch.arange(1, 3001),
    {name: part[1:] for name, part in parts.items()},
    xlabel="iteration $k$",
    ylabel="squared error (grey levels²)",
    xscale="log",
    yscale="log",
    vertical={"best iteration": stop},
    legend="above",
)

# %% [markdown]
# What does a digit look like on its way through the minimum? Move $k$ past the best iteration and watch weak modes,
# fine patterns akin to the checkerboard of {numref}`fig-modes`, take over.

# %% tags=["hide-input"]
noise = sigma * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0))
stops = [1, 3, 10, stop, 100, 300, 1000, 3000]
noisy = {k: descend(blur, blur.A(truth) + noise, 1.0, k) for k in stops}


def draw_stop(k):
    return figures.reconstructions(truth, {f"k = {k}": noisy[k]}, error_limit=0.6)


stopping = {
    "draw": draw_stop,
    "values": stops,
    "label": "Iteration k",
    "alt": lambda k: (
        f"The true digit three and its estimate from blurred, noisy data after {k} "
        f"iterations, and the error: PSNR {psnr(noisy[k]):.0f} dB."
    ),
    "text": lambda k: f"{k} (best)" if k == stop else str(k),
    "start": 3,
    "caption": "Gradient descent on blurred data with noise; one scale for all errors.",
}
widgets.frames(**stopping)

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**stopping)

# %% [markdown]
# Would momentum or a preconditioner end at a better image? Compare the best expected error of each, and
# when it is reached. (These decibels are of the expected squared error, averaged over digits before the logarithm.)


# %%
def damped_newton(damping):
    effective = lam / (lam + damping)
    return analysis.error_factors(effective, 1 / float(effective.max()), 1000)


methods = {
    "gradient descent": left,
    "growing momentum": analysis.error_factors(lam, 1.0, 1000, chambolle_dossal),
    "Newton, λ = 0.1": damped_newton(0.1),
    "constant momentum": analysis.error_factors(lam, 1.0, 1000, beta),
    "Newton, λ = 0.001": damped_newton(0.001),
}

# %%
peaks, rows = {}, {}
for name, factors in methods.items():
    total = analysis.expected_error(s, truths, sigma, factors).total
    peaks[name] = float(-10 * (total.min() / truth.numel()).log10())
    rows[name] = [peaks[name], int(total.argmin())]
heads = [Column("PSNR", "dB", digits=1, best="high"), "at k"]
table("The least expected error of each method, over 500 digits.", heads, rows)

# %%
careful, hasty = list(peaks.values())[:3], list(peaks.values())[3:]
assert max(careful) - min(careful) < 0.1
assert max(hasty) < min(careful) - 1
assert min(peaks, key=peaks.__getitem__) == "Newton, λ = 0.001"

# %% [markdown]
# The first three agree to a tenth of a decibel: they admit the modes in nearly the same order, and differ in *when*.
# The other two are worse, for different reasons. Constant momentum makes the fast modes ring, so signal is missing
# there while noise enters elsewhere. Newton with $\lambda = 0.001$ has passed the minimum at its first iteration: of
# the five, the one with the smallest condition number gives the worst image. None of the five gets noticeably further
# than gradient descent. That takes information that neither the data nor $A$ contain: a prior, such as the denoiser
# that the next chapter puts behind every gradient step.
#
# ## How to stop without the truth
#
# The best iteration of {numref}`fig-semiconvergence` was found with the true images. What do the data alone say? Look
# at their coefficients $u_i^\top y$, mode by mode, beside the noise level. Hansen calls this a **Picard plot**.

# %%
w = torch.randn(truths.shape, generator=torch.Generator().manual_seed(0), dtype=s.dtype)
data = s * truths + sigma * w  # the coefficients of y, for each digit
sizes = {"data": data, "signal": s * truths}
sizes = {name: part.square().mean(0).sqrt() for name, part in sizes.items()}

# %% mystnb={"figure": {"name": "fig-picard", "caption": "Picard plot of the blurred digits: root mean square of the data's coefficients over 500 digits. From about the middle of the spectrum on, the data are noise."}, "image": {"alt": "Size of a coefficient on a logarithmic scale against the index of the mode. The data fall from above 1 and level off at 0.01, the noise level, from about mode 600 on. The signal alone crosses the noise level near mode 530 and goes on falling."}} tags=["hide-input"]
figures.curves(
    torch.arange(1, 1025),
    sizes,
    xlabel="mode $i$",
    ylabel="size of $u_i^T y$",
    yscale="log",
    markers=False,
    horizontal={"noise level": sigma},
    ylim=(3e-4, 5),
    legend="upper right",
)

# %%
last = int((sizes["signal"] > sigma).nonzero()[-1])
assert 400 < last < 700
assert (sizes["data"][700:] / sigma).max() < 2

# %% [markdown]
# Past the middle of the spectrum the data say more about the noise than about the image. A method should believe the
# strong modes and not the weak ones. Three classical methods differ in how sharply they separate the two. Their
# estimates are $\sum_i f_i\,(u_i^\top y/s_i)\,v_i$, with the **filter factors**
#
# $$\begin{aligned}
# \text{Landweber:} &\quad f_i = 1 - (1 - \alpha s_i^2)^k, \\
# \text{Tikhonov:} &\quad f_i = s_i^2/(s_i^2 + \lambda), \\
# \text{TSVD:} &\quad f_i = 1 \text{ for } i \le r, \text{ else } 0 .
# \end{aligned}$$ (eq-filters)
#
# Landweber's iteration {cite}`landweber1951iteration` is our gradient descent; TSVD, the truncated decomposition, keeps
# $r$ modes. Each has one number to choose, $k$, $\lambda$ or $r$, and two rules choose it without $x^*$.
# The **discrepancy principle** {cite}`morozov1966solution` knows the noise. The truth leaves the residual $\lVert w
# \rVert \approx \sigma \sqrt m$, and to fit the data more closely than the truth does is to fit noise. So take the first
# estimate, from the smoothest on, with
#
# $$\lVert A x - y \rVert \le \sigma \sqrt m .$$ (eq-discrepancy)
#
# **Generalised cross-validation** {cite}`golub1979generalized` (GCV) does not know the noise. It asks how well an
# estimate would predict a measurement that was left out, and takes the smallest
#
# $$\frac{\lVert A x - y \rVert^2}{\bigl(m - \sum_i f_i\bigr)^2} .$$ (eq-gcv)
#
# (A third rule, the L-curve, takes the corner of the residual against the size of the estimate, both logarithmic
# {cite}`hansen2010discrete`. It needs no noise level, but the corner has to be found, and we do not use it.)
#
# What does each rule cost, compared with the choice that knows the truth?

# %%
families = {
    "Landweber": filters.landweber(s, 1.0, 400),
    "Tikhonov": filters.tikhonov(s, torch.logspace(0, -5, 101)),
    "TSVD": filters.truncated(s, torch.arange(0, 1021, 4)),
}


def mean_psnr(errors, rows):
    return float(-10 * (errors.gather(0, rows[None]).mean() / truth.numel()).log10())


# %%
def choose(factors):
    residuals = filters.squared_residuals(factors, data)
    errors = filters.squared_errors(factors, s, data, truths)
    rows = {
        "truth": errors.argmin(0),
        "discrepancy": filters.discrepancy_principle(residuals, sigma, 1024),
        "GCV": filters.cross_validation(residuals, factors, 1024),
    }
    return {rule: mean_psnr(errors, row) for rule, row in rows.items()}


found = {name: choose(factors) for name, factors in families.items()}

# %% [markdown]
# CGLS joins the table by its residual, on the first 200 digits. It has no factors that hold for all data, so GCV does
# not apply as it stands.

# %%
estimates = cgls(s, data[:200], 20)
residuals = (s * estimates - data[:200]).square().sum(2)
errors = (estimates - truths[:200]).square().sum(2)
rows = filters.discrepancy_principle(residuals, sigma, 1024)
found["CGLS"] = {
    "truth": mean_psnr(errors, errors.argmin(0)),
    "discrepancy": mean_psnr(errors, rows),
}
heads = [Column(rule, "dB", digits=1) for rule in found["TSVD"]]
rows = {name: [row.get(rule) for rule in found["TSVD"]] for name, row in found.items()}
table("PSNR of the mean error, by rule, over 500 digits (CGLS: 200).", heads, rows)

# %%
lost = {}
for name, row in found.items():
    lost |= {(name, rule): row["truth"] - value for rule, value in row.items()}
assert lost["Landweber", "GCV"] < 0.2
assert lost["Tikhonov", "discrepancy"] < 0.2
assert 0.8 < lost["Landweber", "discrepancy"] < 1.4
assert 1.5 < lost["Tikhonov", "GCV"] < 2.3
assert 0.3 < lost["CGLS", "discrepancy"] < 1
assert max(lost.values()) < 2.3
best = {name: row["truth"] for name, row in found.items()}
assert min(best, key=best.__getitem__) == "TSVD"

# %% [markdown]
# No rule wins. The discrepancy principle is nearly perfect for Tikhonov's method, and stops gradient descent a decibel
# too early: with the residual at the level of the noise, modes are still missing that would have helped. GCV is nearly
# perfect for gradient descent, and loses almost two decibels with Tikhonov's method. Most of that loss comes from what
# GCV estimates: the error of the *prediction* $A x$. This error is smallest at a smaller $\lambda$ than the error of
# the image. Here is the best $\lambda$ for the prediction, found with the truth in hand:

# %%
tikhonov = families["Tikhonov"]
prediction = filters.squared_errors(tikhonov, torch.ones_like(s), data, s * truths)
errors = filters.squared_errors(tikhonov, s, data, truths)
informed = mean_psnr(errors, prediction.argmin(0))
print(f"λ with the best prediction: an image of {informed:.1f} dB")
assert 0.8 < found["Tikhonov"]["truth"] - informed < 1.7
assert found["Tikhonov"]["GCV"] < informed + 0.2

# %% [markdown]
# ```{warning}
# A small residual is no sign of a good image. Below $\sigma \sqrt m$ it is a sign of fitted noise, and silent modes
# do not show in it at all.
# ```
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 02_conditioning
# ```
#
# ## Exercises
#
# ```{exercise} Two exposures
# :label: ex-scalar
#
# The single-pixel camera exposes 51 of its 102 patterns twice as long, so these rows of $A$ are doubled. (a) Find the
# polynomial $p$ of the lowest degree with which, without noise, the one step $x_1 = -p(A^\top A)\,\nabla g(0)$ is
# $A^+ y$. (b) By which factor does the best constant step shrink the error in the range, in each iteration? (c) The
# Jacobi preconditioner divides by the diagonal of $A^\top A$. What does it gain on this camera?
# ```

# %%
answer = None  # (a): put the coefficients of p here, the constant one first, as a tuple
answers.check("ex-scalar", answer)

# %% [markdown]
# ```{solution-start} ex-scalar
# :label: sol-scalar
# :class: dropdown
# ```
# (a) The non-zero eigenvalues of $A^\top A$ are 1 and 4. Since $-\nabla g(0) = A^\top A\, x^*$, the step is $A^+ y$ if
# $t\, p(t) = 1$ at both. No constant does that, and one polynomial of degree 1 does: $p(t) = (5 - t)/4$. With $j$
# distinct non-zero eigenvalues degree $j - 1$ is enough, and conjugate gradients end after $j$ products. (b) By
# {eq}`eq-best-step` the step is $2/5$ and the factor $3/5$. (c) Nothing. An entry is $\pm 1/\sqrt n$ in half of the
# rows and $\pm 2/\sqrt n$ in the other half. So the diagonal is $51 \cdot (1 + 4)/n$ for every pixel, and to divide by
# it is to change the step size.

# %%
rows = analysis.dense_matrix(camera, task.img_size)
rows = rows[rows.norm(dim=1) > 0]
rows[51:] *= 2
M = rows.T @ rows
backward = M @ truth.flatten().to(M.dtype)  # Aᵀy
reached = (5 * backward - M @ backward) / 4
difference = (reached - once.flatten()).abs().max()
print(f"largest difference from A⁺y: {difference:.0e}")
print(f"diagonal between {M.diagonal().min():.4f} and {M.diagonal().max():.4f}")
assert difference < 1e-5
assert torch.allclose(M.diagonal(), torch.full_like(M.diagonal(), 255 / 1024), atol=1e-6)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} When conjugate gradients end
# :label: ex-cg-distinct
#
# A blur with a kernel that is symmetric under reflections and under exchange of the two axes acts on periodic images of
# $N \times N$ pixels, $N$ even. (a) How many distinct eigenvalues has $A^\top A$ at most? (b) So after how many
# iterations have conjugate gradients ended, in exact arithmetic, for $N = 16$?
# ```

# %%
answer = None  # (b): put the number of iterations here
answers.check("ex-cg-distinct", answer)

# %% [markdown]
# ```{solution-start} ex-cg-distinct
# :label: sol-cg-distinct
# :class: dropdown
# ```
# (a) The eigenvalues are values of the kernel's Fourier transform at the frequencies $(f_1, f_2)$. Reflections leave
# $\lvert f_1 \rvert$ and $\lvert f_2 \rvert$, with $N/2 + 1$ values each, and the exchange leaves unordered pairs of
# them: $(N/2+1)(N/2+2)/2$. (b) For $N = 16$ these are $9 \cdot 10/2$. The polynomial with these zeros, scaled to 1 at
# 0, leaves no error. For the chapter's blur, $N = 32$, the pairs are those that were counted above. Here is the count
# for $N = 16$:

# %%
small = BlurFFT((1, 16, 16), filter=gaussian_blur(sigma=(0.8, 0.8)))
found = analysis.singular_values(small, (1, 16, 16)) ** 2
print(f"distinct eigenvalues: about {int((found[:-1] - found[1:] > 1e-6).sum()) + 1}")
assert abs(int((found[:-1] - found[1:] > 1e-6).sum()) + 1 - 45) <= 2

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} A polynomial at a fair price
# :label: ex-polynomial
#
# On operators with $L = 1$, the degree-1 polynomial $p(t) = 4 - \tfrac{10}{3} t$ {cite}`iyer2024polynomial`
# brings $t\,p(t)$ closest to 1 in least squares over $t \in [0, 1]$. One preconditioned step costs two
# products with $A^\top A$, a plain one costs one. (a) Compute $\kappa(P A^\top A)$ for the blur. (b) At
# equal cost, by what factor does gradient descent with the best step speed up in its slowest mode?
# ```

# %%
answer = None  # (a): put the condition number here
answers.check("ex-polynomial", answer)

# %% [markdown]
# ```{solution-start} ex-polynomial
# :label: sol-polynomial
# :class: dropdown
# ```
# Equation {eq}`eq-precondition` gives the spectrum. Its largest value is $1.2$, at $t = 0.6$, and its
# smallest is close to $4\mu$, so the condition number falls by about $1.2/4$. The rate of the best step is
# about $1 - 2/\kappa(PA^\top A)$, that of two plain steps about $1 - 4/\kappa(A^\top A)$: the gain at equal
# cost is about $(4/1.2)/2$. Over the same best step, momentum gained more than sixtyfold, at one product per iteration.

# %%
effective = lam * (4 - 10 / 3 * lam)
rates = [analysis.best_gradient_step(values)[1] for values in (lam, effective)]
gain = math.log(rates[1]) / (2 * math.log(rates[0]))
print(f"κ(P AᵀA) = {analysis.condition_number(effective):.0f}, gain {gain:.2f}")
assert abs(gain - 4 / 1.2 / 2) < 0.01
assert math.log(nesterov) / math.log(rates[0]) > 60

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} The wrong noise level
# :label: ex-discrepancy
#
# The discrepancy principle is told a noise level that is 10 % too low. How many decibels has the mean PSNR of
# Landweber's iterates now, with the `data` and `mean_psnr` of the table? And with one that is 10 % too high? Which
# mistake is worse here, and why?
# ```

# %%
answer = None  # put the two numbers here, too low first: (…, …)
answers.check("ex-discrepancy", answer)

# %% [markdown]
# ```{solution-start} ex-discrepancy
# :label: sol-discrepancy
# :class: dropdown
# ```
# Too high is worse. Gradient descent was stopped too early to begin with, as the table says. A level that is too low
# lets it run a little longer, and that helps; one that is too high stops it earlier still. With a level much too low
# the rule would never stop in time: the residual falls slowly once it is all noise.

# %%
residuals = filters.squared_residuals(families["Landweber"], data)
errors = filters.squared_errors(families["Landweber"], s, data, truths)
found = {}
for told in (0.9, 1.1):
    rows = filters.discrepancy_principle(residuals, told * sigma, 1024)
    found[f"{told} σ"] = [mean_psnr(errors, rows), int(rows.median())]
heads = [Column("PSNR", "dB", digits=1), "median k"]
table("Landweber's method, over 500 digits.", heads, found, corner="told")

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# You can now take a camera apart into modes, predict gradient descent and momentum on each, and stop either of them
# without the true image.
#
# - In the basis of singular vectors, gradient descent multiplies the error of mode $i$ by $1 - \alpha
#   s_i^2$ in each iteration. Small $s_i$: a **slow** mode. Zero: a **silent** mode.
# - $\kappa$ on the range measures slowness; the null space is a separate matter, and $\kappa = 1$ says
#   nothing about it. The single-pixel camera has $\kappa = 1$ and misses nine tenths of the modes.
# - A step beyond $2/L$ diverges; no step below it speeds up modes with $s_i^2 \ll L$ by more than about a factor of
#   two over $1/L$.
# - Momentum turns $1 - 1/\kappa^2$ into $1 - 1/\kappa$, and rings in the modes that were fast. Conjugate gradients do
#   better, without $L$ or $\kappa$, since they fit their polynomial to the eigenvalues that are there. A denoiser between the
#   steps rules them out.
# - A preconditioner $p(A^\top A)$ reshapes $\lambda_i$ into $\lambda_i\,p(\lambda_i)$. Where $A A^\top = I$ it
#   acts as a number. For every $A$, no such $P$, no step and no count of iterations moves the image inside
#   the null space.
# - With noise, the best image comes early. The discrepancy principle and cross-validation find it without the truth;
#   which of them is better depends on the method.
#
# | what is wrong | its sign | what helps |
# |---|---|---|
# | slow modes | $\kappa \gg 1$ | conjugate gradients, momentum, or a preconditioner $p(A^\top A)$ |
# | silent modes | rank $< n$ | a prior, or a preconditioner that has learned from images |
# | noise in weak modes | $\sigma/s_i$ above the signal | stopping early, a damping, or a prior |
#
# ## Further reading
#
# Goh {cite}`goh2017momentum` explains momentum on quadratics, with the heavy-ball rule. Hansen
# {cite}`hansen2010discrete` treats discrete inverse problems, filter factors, Picard plots and rules for stopping,
# also those of conjugate gradients. Beck and Teboulle {cite}`beck2009fista` prove what Nesterov's rule
# {cite}`nesterov1983method` guarantees without strong convexity, and Chambolle and Dossal
# {cite}`chambolle2015iterates` that the iterates themselves converge. Saad {cite}`saad2003iterative` derives
# conjugate gradients and Chebyshev's polynomials. Iyer and colleagues {cite}`iyer2024polynomial` build polynomial
# preconditioners for imaging with spectra that are not flat. The distilled preconditioner of this book starts from
# Gualdrón-Hurtado and colleagues {cite}`gualdron2025d2gp`.
