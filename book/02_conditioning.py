# %% [markdown]
# (conditioning)=
# # Conditioning: some modes are slow, others are silent
#
# Two cameras look at the same digit. One weighs it against 102 patterns of light, the other blurs it. In
# both cases the image is to be computed from the measurements, and in both cases gradient descent falls
# short: for the first camera it stops after one iteration, with the wrong image; for the second it is still
# improving after a thousand. These are two different ailments. This chapter takes both operators apart into
# modes, finds *silent* modes in the one and *slow* modes in the other, and asks which of the two a
# preconditioner can mend.
#
# After this chapter you can
#
# 1. read an operator's singular values: its condition number on the range, and the size of its null space;
# 2. predict gradient descent mode by mode, and choose its step size;
# 3. say what momentum gains, and what it costs;
# 4. say why, with noise, the best image comes before convergence;
# 5. decide whether a preconditioner that is a function of $A^\top A$ can help a given camera.
#
# Symbols are those of the [notation page](notation.md). You need linear algebra up to the singular value
# decomposition, and enough PyTorch to read a tensor expression.

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import math

import torch
from deepinv.physics import BlurFFT
from deepinv.physics.functional import gaussian_blur

import ddgp_lib
from ddgp_lib import analysis, answers, figures, widgets
from ddgp_lib.solvers import chambolle_dossal

# %% [markdown]
# ## Two cameras, one digit
#
# A camera is a linear operator $A$ that turns an image $x \in \mathbb{R}^n$, here $32 \times 32$ pixels,
# into measurements
#
# $$y = A x + w,$$ (eq-model)
#
# with noise $w$, which we leave out until the end of the chapter. The first camera is a **single-pixel
# camera** {cite}`duarte2008single`: it illuminates the scene with patterns from a Hadamard basis
# {cite}`zhang2017hadamard` and records one number for each. It uses a tenth of the basis (deepinv keeps $y$
# in the shape of an image, with zeros where nothing was measured). The second is a camera
# whose lens blurs: a **Gaussian blur** of standard deviation 0.8 pixel, with periodic borders.

# %%
task = ddgp_lib.load_task("single_pixel")
camera = task.student
blur = BlurFFT(task.img_size, filter=gaussian_blur(sigma=(0.8, 0.8)))
truth = task.test_images[8:9]
print(f"patterns: {int(camera.mask.sum())}, pixels: {truth.numel()}")

# %% [markdown]
# To invert either camera we look for an image that explains the measurements: one that makes $g(x) =
# \tfrac12 \lVert A x - y \rVert^2$ small. Its gradient is $\nabla g(x) = A^\top (A x - y)$, and gradient
# descent, which starts from $x_0 = 0$ here, repeats
#
# $$x_{k+1} = x_k - \alpha\, A^\top (A x_k - y).$$ (eq-descent)
#
# The loop of the next cell is equation {eq}`eq-descent`. It knows nothing about the camera but $A$ and
# $A^\top$.


# %%
def descend(physics, y, step, iterations):
    x = torch.zeros_like(truth)
    for _ in range(iterations):
        x = x - step * physics.A_adjoint(physics.A(x) - y)
    return x


def psnr(x):
    return -10 * math.log10((x - truth).square().mean())


# %% [markdown]
# Both operators have norm 1 (we check this below), so the step $\alpha = 1$ suits both. Compare the two
# rows as $k$ grows; above each image stands its PSNR, in decibels.

# %% mystnb={"figure": {"name": "fig-two-ailments", "caption": "The same digit and the same iteration, seen by two cameras without noise. Top: the single-pixel camera reaches its final image in one iteration. Bottom: the blurred image is still sharpening after a thousand."}, "image": {"alt": "Two rows of four images after 1, 10, 100 and 1000 iterations. Top row: four identical images, a blocky digit three with ghost patterns around it. Bottom row: the digit three, blurred at first, becomes steadily sharper and is close to clean at 1000."}} tags=["hide-input"]
counts = [1, 10, 100, 1000]
cameras = {"camera": camera, "blur": blur}
runs = {(name, k): descend(A, A.A(truth), 1.0, k) for name, A in cameras.items() for k in counts}
figures.images({f"{name} k={k}\n{psnr(x):.1f} dB": x for (name, k), x in runs.items()}, columns=4)

# %% [markdown]
# The top row does not change, although its image is wrong. The bottom row changes ever more slowly,
# although its image is becoming right. (From ten iterations on the eye hardly follows; the PSNR does.) The
# claim "the top row does not change" deserves a check, and the data that it leaves unexplained deserve a look:

# %%
once, often = runs["camera", 1], runs["camera", 1000]
residual = (camera.A(once) - camera.A(truth)).norm() / camera.A(truth).norm()
error = (once - truth).norm() / truth.norm()
print(f"one iteration: data residual {residual:.1e}, relative error {error:.2f}")
assert torch.allclose(once, often, atol=1e-5)
assert residual < 1e-5
assert error > 0.3
assert psnr(runs["blur", 1000]) > psnr(runs["blur", 100]) + 5

# %% [markdown]
# One iteration explains the camera's data to rounding error; the image is wrong all the same. No later
# iteration has anything left to correct.
#
# ## Take the operator apart
#
# The singular value decomposition $A = \sum_i s_i\, u_i v_i^\top$ writes $A$ in a pair of orthonormal
# bases: it turns the image $v_i$ into $s_i u_i$, and does not mix one $i$ with another. We call $v_i$ a
# **mode**. Four numbers sum up the spectrum: $L = s_1^2$, the largest eigenvalue of $A^\top A$; $\mu$, the
# smallest $s_i^2$ *that is not zero*; the rank; and the condition number on the range,
#
# $$\begin{aligned}
# \kappa &= \kappa(A) = \sqrt{L/\mu}, \\
# \kappa^2 &= \kappa(A^\top A) = L/\mu.
# \end{aligned}$$ (eq-kappa)
#
# Papers quote either; they differ by a square, and in this book $\kappa$ without an argument is
# $\kappa(A)$. With 1,024 pixels a dense decomposition takes a second.

# %%
spectra = {name: analysis.modes(A, task.img_size) for name, A in cameras.items()}
for name, found in spectra.items():
    kappa = analysis.condition_number(found.values)
    print(f"{name:6s} L = {found.eigenvalues[0]:.4f}, rank {found.rank}, kappa = {kappa:.2f}")
    assert abs(found.eigenvalues[0] - 1) < 1e-5
assert spectra["camera"].rank == 102
assert spectra["blur"].rank == 1024
assert spectra["blur"].values[-1] < 0.01

# %% mystnb={"figure": {"name": "fig-spectra", "caption": "Singular values of both cameras. The single-pixel camera's are 1 or 0 and nothing between; the blur's fall without reaching 0."}, "image": {"alt": "Singular values against their index on a logarithmic scale. The camera: 102 values equal to one, then 922 zeros, drawn as a bar at the bottom. The blur: a smooth fall from one to about 0.007 over all 1024 indices."}} tags=["hide-input"]
figures.spectrum({name: modes.values for name, modes in spectra.items()})

# %% [markdown]
# The two spectra could hardly differ more. The camera's patterns are orthonormal, $A A^\top = I$, so each
# of its 102 non-zero singular values is 1: on its range it is **perfectly conditioned**, and 922 modes are
# missing altogether. The blur misses nothing, but passes on its weakest mode at less than a hundredth of
# its strength. Here is what such modes look like; blue is negative, red positive.

# %% mystnb={"figure": {"name": "fig-modes", "caption": "Four modes: what the blur passes on best and worst, as a detail of 8 by 8 pixels, and one pattern that the camera measures beside one that it never uses."}, "image": {"alt": "Four signed patterns. Strong in the blur: one uniform colour. Weak in the blur: a checkerboard of single pixels. Seen by the camera: tall bars, four pixels wide, that change sign from bar to bar and at half height. Unseen by the camera: finer blocks of alternating sign."}} tags=["hide-input"]
weak = spectra["blur"].synthesise(torch.eye(1024)[-1:])
strong = spectra["blur"].synthesise(torch.eye(1024)[:1])
pattern = torch.zeros_like(truth).expand(2, 1, 32, 32).clone()
pattern[0, 0][tuple(camera.mask[0, 0].nonzero()[60])] = 1
pattern[1, 0][tuple((camera.mask[0, 0] == 0).nonzero()[300])] = 1
seen_pattern, unseen_pattern = camera.V(pattern)
figures.images(
    {
        "blur: strong": strong[..., :8, :8].abs(),
        "blur: weak": weak[..., :8, :8] * weak[0, 0, 0, 0].sign(),
        "camera: seen": seen_pattern,
        "unseen": unseen_pattern,
    },
    signed=True,
    vmax=1 / 20,
)

# %% [markdown]
# ## Gradient descent, one mode at a time
#
# Let $e_k = x_k - x^*$ be the error. Without noise $y = A x^*$, so equation {eq}`eq-descent` says $e_{k+1}
# = (I - \alpha A^\top A)\, e_k$. Take the coordinate along $v_i$ on both sides. Since $A^\top A\, v_i =
# s_i^2 v_i$, the modes do not talk to each other, and each has a closed form:
#
# $$v_i^\top e_k = (1 - \alpha s_i^2)^k \; v_i^\top e_0.$$ (eq-modes)
#
# That is the whole of gradient descent on a quadratic: one number per mode, raised to the power $k$. Does
# the formula really predict the image that a hundred iterations compute? `analyse` takes an image to its
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
# To rounding error, it does. So from here on we can read the iteration off the spectrum. What is left of
# the error after $k$ iterations, from the weakest mode at the left to the strongest at the right?

# %% mystnb={"figure": {"name": "fig-front", "caption": "Share of the error left in each mode of the blur after k iterations of gradient descent with step 1/L. Each tenfold effort moves the front to modes about three times weaker."}, "image": {"alt": "Error left against singular value, both logarithmic, for 1, 10, 100 and 1000 iterations. Each curve is flat at one for weak modes and falls steeply for strong ones. The fall moves left by a factor of about three from each curve to the next; the weakest mode, at 0.007, is left at 0.95 even after 1000 iterations."}} tags=["hide-input"]
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
# $(1 - \alpha s^2)^k \approx e^{-\alpha k s^2}$: behind it the image is recovered, ahead of it nearly
# nothing has happened. Halving the singular value that one wants to recover costs four times the
# iterations. This square is $\kappa(A^\top A) = \kappa^2$ at work.

# %%
for k in (10, 100, 1000):
    front = float(modes.values[left[k] < math.exp(-1)].min())
    print(f"after {k:4d} iterations the front is at s = {front:.3f}")
    assert abs(front * math.sqrt(k) - 1) < 0.1

# %% [markdown]
# ## How large may the step be, and what does a larger one buy?
#
# Equation {eq}`eq-modes` answers both. A mode shrinks when $|1 - \alpha s_i^2| < 1$; all modes with $s_i > 0$ do
# when $0 < \alpha < 2/L$. The slowest of them sets the rate, and balancing the two ends of the spectrum gives
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
        f"With step {multiple:g} over L the iteration {verdict}: in 20 iterations the error of the strongest mode "
        f"is multiplied by {strong:.2g}, that of the weakest by {weak:.4f}."
    )


steps = {
    "draw": draw_step,
    "values": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 1.9, 2.0, 2.1, 2.25, 2.5],
    "label": "Step size, as a multiple of 1/L",
    "alt": describe_step,
    "start": 3,
    "caption": "Error left in each mode of the blur after 20 iterations of gradient descent.",
}
widgets.frames(**steps)

# %% [markdown]
# In a running kernel, this twin of the control calls `draw_step` again at every move, so you can edit the
# function or its values:

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**steps)

# %% [markdown]
# The left end hardly moves, whatever the step, and past $\alpha = 2/L$ the right end explodes. The next
# cell puts numbers to this. Its last column says when every mode has shrunk tenfold.


# %%
def tenfold(rate):  # iterations to an error ten times smaller, to three digits
    return int(float(f"{math.log(0.1) / math.log(rate):.3g}"))


best = analysis.best_gradient_step(lam)[0]
tried = {"0.5 / L": 0.5 / L, "1 / L": 1 / L, "best": best, "2.05 / L": 2.05 / L}
for label, alpha in tried.items():
    rate = analysis.gradient_rate(lam, alpha)
    when = f"in {tenfold(rate)} iterations" if rate < 1 else "never"
    print(f"step {label:8s}  rate {rate:.6f}  tenfold {when}")
slow, fast = (math.log(analysis.gradient_rate(lam, alpha)) for alpha in (1 / L, best))
assert abs(fast / slow - 2) < 0.01

# %% [markdown]
# The best step is only twice as fast as $1/L$, and it sits at the edge of divergence, where the *strongest*
# mode flips its sign at almost full size each time. The step $1/L$ deletes that mode at once, cannot
# diverge, and loses a factor of two at the slow end. It is this book's default. And beyond the edge? With
# $\alpha = 2.05/L$ a mode that should vanish first grows without bound:

# %%
wild = descend(blur, blur.A(truth), 2.05 / L, 150)
growth = float(wild.sum().abs() / truth.sum())
print(f"after 150 iterations the mean grey level is {growth:.0f} times the true one")
assert abs(growth / 1.05**150 - 1) < 0.02

# %% [markdown]
# It is the uniform mode of {numref}`fig-modes`, the mean grey level, that explodes: the image flickers
# between ever brighter and ever darker. **A step size moves all modes together.** It cannot make a slow
# mode fast without making a fast mode wild.
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
# where $A^+A$ is the orthogonal projector on the range of $A^\top$. What this means is best seen by
# forging: take the visible part of one digit and the invisible part of another.

# %%
other = task.test_images[1:2]
seen, _ = analysis.split(camera, truth)
_, unseen = analysis.split(camera, other)
forged = seen + unseen
difference = (camera.A(forged) - camera.A(truth)).abs().max()
print(f"largest difference between the measurements: {difference:.0e}")
assert difference < 1e-5
assert (forged - truth).norm() / truth.norm() > 0.5

# %% mystnb={"figure": {"name": "fig-forged", "caption": "Two images that the camera cannot tell apart. The last one adds what the camera sees of the three to what it does not see of the zero: it looks like a zero, and its measurements are those of the three."}, "image": {"alt": "Four images: a digit three; a digit zero; the part of the three that the camera sees, a blocky three; and the forged image, which looks like a zero with grey blocks in and around it."}} tags=["hide-input"]
figures.images({"truth": truth, "other": other, "seen of truth": seen, "forged": forged}, columns=4)

# %% [markdown]
# The first and the last image have the same measurements, and yet the last one looks like a zero. To prefer
# the first, one must know something about digits that the data do not say. Nor can any iteration of the
# kind so far find it: the gradient is $A^\top(\cdot)$, so every update lies in the range of $A^\top$. For
# every step size, every $k$ and every direction $p(A^\top A)\,\nabla g$ with a function $p$ of the
# operator,
#
# $$(I - A^+A)\,x_k = (I - A^+A)\,x_0.$$ (eq-frozen)
#
# How much is at stake? On average over 500 test digits:

# %%
digits = task.test_images[:500]
_, unseen = analysis.split(camera, digits)
share = unseen.square().sum() / digits.square().sum()
ceiling = -10 * unseen.square().mean((1, 2, 3)).log10().mean()
print(f"energy in the null space: {share:.0%}; PSNR without it: {ceiling:.1f} dB")
assert 0.2 < share < 0.5
assert ceiling < 20

# %% [markdown]
# That PSNR is where gradient descent from zero ends, after its single useful iteration. It is the number
# that the rest of the book sets out to raise.
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
# Without momentum the rate at this step was $1 - 1/\kappa^2$. In numbers (the heavy ball has its own best step
# and momentum):

# %%
plain = analysis.gradient_rate(lam, 1.0)
step, beta, nesterov = analysis.best_momentum(lam)
heavy_ball = analysis.best_momentum(lam, "heavy_ball")[2]
for name, rate in {"no momentum": plain, "Nesterov": nesterov, "heavy ball": heavy_ball}.items():
    print(f"{name:12s} rate {rate:.5f}  tenfold every {tenfold(rate):6d} iterations in the long run")
assert abs(analysis.momentum_radius(lam, step, beta).max() - nesterov) < 1e-6
assert 100 * math.log(plain) > math.log(nesterov)

# %% [markdown]
# In the long run Nesterov's rule needs less than a hundredth of the iterations, for one more line of code and no
# knowledge of $A$ beyond $L$ and $\kappa$. But a rate is a promise about late iterations. How long does the
# first factor of ten take in the slowest mode?

# %%
slowest = analysis.error_factors(lam.min().view(1), step, 1000, beta)[:, 0]
first = int((slowest < 0.1).nonzero()[0])
kappa, k = 1 / math.sqrt(lam.min() / L), torch.arange(1001, dtype=torch.float64)
print(f"Nesterov: the slowest mode has shrunk tenfold after {first} iterations")
assert first > 1.5 * tenfold(nesterov)
torch.testing.assert_close(slowest, (1 + k / kappa) * (1 - 1 / kappa) ** k, rtol=1e-6, atol=0)

# %% [markdown]
# Longer than the rate says: at this $\beta$ the two eigenvalues coincide, and the error is
# $(1 + k/\kappa)(1 - 1/\kappa)^k$. The larger price is paid by the modes that were fast already. Raise $\beta$ in
# the next control, and follow the bound {eq}`eq-ring`, the upright line in the lower panel. What do the modes to its
# left gain, and what happens in the upper panel to a mode once the line has passed it?


# %% tags=["hide-input"]
chosen = torch.tensor([0.5, 0.1, 0.02], dtype=torch.float64)


def draw_momentum(beta):
    errors = analysis.error_factors(chosen**2, 1.0, 300, momentum=beta)
    figure, panels = figures.axes(2, height=2.6)
    figures.curves(
        torch.arange(301),
        {f"$s$ = {s:g}": errors[:, i] for i, s in enumerate(chosen.tolist())},
        xlabel="iteration $k$",
        ylabel="error left",
        ylim=(-1, 1.05),
        legend="lower right",
        ax=panels[0],
    )
    draw_effort(beta, panels[1])
    return figure


# %% tags=["hide-input"]
def draw_effort(beta, ax):
    rates = {"no momentum": analysis.momentum_radius(lam, 1.0, 0.0)}
    rates["momentum"] = analysis.momentum_radius(lam, 1.0, beta)
    figures.curves(
        modes.values,
        {name: (math.log(0.1) / rate.log()).clamp(min=1) for name, rate in rates.items()},
        xlabel="singular value $s_i$",
        ylabel="iterations per factor 10",
        xscale="log",
        yscale="log",
        vertical={"modes to the right ring": (1 - beta) / (1 + beta)},
        ylim=(1, 1e5),
        legend="upper right",
        ax=ax,
    )


# %% tags=["hide-input"]
def describe_momentum(beta):
    fast, middle, slow = analysis.momentum_radius(chosen**2, 1.0, beta).tolist()
    return (
        f"With momentum {beta:.3f} the errors of the modes with singular values 0.5, 0.1 and 0.02 shrink by "
        f"{fast:.3f}, {middle:.3f} and {slow:.4f} per iteration; modes above {(1 - beta) / (1 + beta):.3f} ring."
    )


momenta = {
    "draw": draw_momentum,
    "values": [0.0, 0.3, 0.6, 0.8, 0.9, 0.95, round(beta, 4), 0.995],
    "label": "Momentum β",
    "alt": describe_momentum,
    "text": lambda b: f"{b:g}" + (" (best for the slowest mode)" if b == round(beta, 4) else ""),
}
caption = "Nesterov's rule with step 1/L. Above: the error in three modes. Below: the effort in every mode of the blur."
widgets.frames(**momenta, caption=caption)

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**momenta)

# %% [markdown]
# Left of the line the effort falls as $\beta$ rises. Right of it the effort grows with $\beta$, and no ringing mode
# takes more than one at the line: momentum takes from the fast what it gives to the slow. By {eq}`eq-ring` a mode with singular value $s$ is best
# served by $\beta = (1-s)/(1+s)$ where $L = 1$, about 0.8 for $s = 0.1$. At the value that suits the slowest mode it
# still rings after a hundred iterations. A single $\beta$ is a compromise, and it needs $\kappa$, which is seldom
# known. The rule of Chambolle and Dossal {cite}`chambolle2015iterates`, $\beta_k = (k-1)/(k+a)$ with $a > 2$, does without $\kappa$: it
# begins with no momentum, and lets it grow as the front reaches slower modes. We take $a = 3$. Summing
# equation {eq}`eq-companion` over the modes of our digit gives the error of the whole image:

# %% mystnb={"figure": {"name": "fig-momentum", "caption": "Error of the deblurred digit without noise, from the closed form. Constant momentum, tuned to the slowest mode, falls behind while faster modes ring, and wins in the end; the growing rule needs no tuning."}, "image": {"alt": "Relative error against iteration, both logarithmic, up to 1000 iterations. No momentum: a slow steady fall. Constant momentum: level for a while near 30 iterations, from there behind the growing rule until about 450, then far below all others. Growing momentum: a steep fall, ahead from about 30 to 450 iterations, with a shallow stretch near 700."}} tags=["hide-input"]
power = modes.analyse(truth)[0] ** 2 / truth.square().sum()
rules = {"no momentum": 0.0, "constant": beta, "growing": chambolle_dossal}
paths = {
    name: (analysis.error_factors(lam, 1.0, 1000, momentum=rule) ** 2 @ power).sqrt()
    for name, rule in rules.items()
}
figures.curves(
    torch.arange(1, 1001),
    {name: path[1:] for name, path in paths.items()},
    xlabel="iteration $k$",
    ylabel="relative error of the image",
    xscale="log",
    yscale="log",
)

# %%
for name, path in paths.items():
    print(f"{name:11s} error {path[100]:.3f} at k = 100, {path[1000]:.1e} at k = 1000")
ringing = analysis.error_factors(torch.tensor([0.01]), 1.0, 200, momentum=beta)
assert ringing[100:].abs().max() > 0.2
assert (analysis.momentum_radius(lam, 1.0, beta).diff() > -1e-9).all()  # weaker modes are slower
assert paths["constant"][20] < paths["growing"][20] < paths["no momentum"][20]
assert paths["growing"][100] < paths["constant"][100] < paths["no momentum"][100]
assert paths["constant"][1000] < paths["growing"][1000] < paths["no momentum"][1000]

# %% [markdown]
# Could another way of mixing gradients be faster still? Whatever it does, after $k$ products with $A^\top A$ it has
# multiplied the error of mode $i$ by a polynomial of degree $k$ in $s_i^2$ that is 1 at 0. Of all these, Chebyshev's are the
# smallest on $[\mu, L]$ {cite}`saad2003iterative`. How fast do they shrink?

# %%
middle = (lam.max() + lam.min()) / (lam.max() - lam.min())
chebyshev = 1 / (middle + (middle**2 - 1).sqrt())
print(f"Chebyshev: rate {chebyshev:.5f}, heavy ball: {heavy_ball:.5f}")
assert abs(chebyshev - heavy_ball) < 1e-6

# %% [markdown]
# The heavy ball has their rate, and in the long run Nesterov's rule needs twice its iterations at most. So a method that knows no
# more of the spectrum than its two ends is near its limit here. To be faster, change the spectrum.
#
# ## A preconditioner for slow modes, and why it leaves silent ones silent
#
# A preconditioner changes the direction of the step: $x_{k+1} = x_k - \alpha\, P\, \nabla g(x_k)$. Suppose
# that $P$ is a function of the operator, $P = p(A^\top A)$, as Newton's method, Tikhonov's inverse and
# polynomials are. Then $P$ has the same modes as $A^\top A$, and everything above holds with
#
# $$\lambda_i \;\longrightarrow\; \lambda_i\, p(\lambda_i).$$ (eq-precondition)
#
# (A diagonal that is not constant is in general no such function. It can leave the range of $A^\top$, but nothing tells it in
# which direction.)
#
# A good $p$ makes $\lambda_i\,p(\lambda_i)$ nearly constant where $\lambda_i$ is not. Newton's method damped by
# Tikhonov, with $p(\lambda_i) = 1/(\lambda_i + \lambda)$, is one line for both cameras, since deepinv knows the
# transform $V$ that makes each of them diagonal. (The *damping* $\lambda$ has no index. It is in units of $L$, which
# is 1 here.)


# %%
def newton(physics, gradient, damping):
    return physics.V(physics.V_adjoint(gradient) / (physics.mask**2 + damping))


damping = 0.1
for name, found in spectra.items():
    before = analysis.condition_number(found.eigenvalues)
    after = analysis.condition_number(found.eigenvalues / (found.eigenvalues + damping))
    print(f"{name:6s} kappa(A^T A) = {before:.0f}, preconditioned {after:.0f}")
    assert after < before / 10 or before < 1.01

# %% [markdown]
# For the blur the condition number falls by an order of magnitude, and a smaller $\lambda$ would lower it
# further (at a price that the next section shows). For the camera it was 1 and remains 1. There $\lambda_i$
# is either 1 or 0, so $\lambda_i\,p(\lambda_i)$ is either $p(1)$ or 0: on this operator, **every**
# $p(A^\top A)$ multiplies the gradient by one number. Step size and preconditioner are the same thing, as
# the iterates confirm.

# %%
gradient = camera.A_adjoint(camera.A(torch.zeros_like(truth)) - camera.A(truth))
direction = newton(camera, gradient, damping)
ratio = direction.norm() / gradient.norm()
print(f"Newton's direction over the gradient: {ratio:.4f} = 1 / (1 + damping)")
assert torch.allclose(direction, gradient / (1 + damping), atol=1e-5)

# %% mystnb={"figure": {"name": "fig-newton", "caption": "Relative error with and without the damped Newton preconditioner, no noise. It speeds up the blur. On the camera both curves coincide at the size of the null space."}, "image": {"alt": "Relative error against iteration, both logarithmic, up to 300 iterations. Blur without preconditioner falls slowly; blur with the preconditioner starts lower and falls faster. The two camera curves lie on top of each other, level at 0.6."}} tags=["hide-input"]
errors = {}
for name, found in spectra.items():
    power = found.analyse(truth)[0] ** 2 / truth.square().sum()
    for suffix, weight in (("", 1.0), (", Newton", 1 / (found.eigenvalues + damping))):
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
for name, path in errors.items():
    print(f"{name:14s} error {path[300]:.3f} after 300 iterations")
assert errors["blur, Newton"][300] < errors["blur"][300] / 2
assert torch.allclose(errors["camera"][1:], errors["camera, Newton"][1:], atol=1e-6)

# %% [markdown]
# So this book's question can be put precisely. A preconditioner that is a function of $A^\top A$ mends slow
# modes, and by equation {eq}`eq-frozen` it cannot reach a silent one. To move the image inside the null
# space, $P$ must leave the range of $A^\top$, and to leave it in the right direction, it must know what
# digits look like. That is what the distilled preconditioner {cite}`gualdron2025d2gp` of a [later
# chapter](single-pixel) learns from examples.
#
# ## With noise, stop before the end
#
# Measurements carry noise, $y = A x^* + w$. Write $r_{k,i}$ for the factor by which $k$ iterations multiply the
# error of mode $i$; for gradient descent it is $(1 - \alpha s_i^2)^k$. Starting from zero, the iteration has let in
# the share $1 - r_{k,i}$ of what the data say about that mode, and what they say is $v_i^\top x^* + u_i^\top w / s_i$.
# For white noise of standard deviation $\sigma$ the expected squared error is
#
# $$\begin{aligned}
# \mathbb{E}\,\lVert x_k - x^*\rVert^2 = {}& \sum_i r_{k,i}^2\,(v_i^\top x^*)^2 \\
# {}+{} & \sum_i (1 - r_{k,i})^2\, \frac{\sigma^2}{s_i^2} ,
# \end{aligned}$$ (eq-noise)
#
# where a silent mode has $r_{k,i} = 1$: it contributes its whole signal, and its second term is left out. With gradient
# descent and the step $1/L$ the first term falls with $k$. The second rises, and for a weak mode its final value
# $\sigma^2/s_i^2$ may exceed the signal. The error may then fall, reach a minimum and rise: **semiconvergence** {cite}`hansen2010discrete`. One call is
# equation {eq}`eq-noise`, averaged over the 500 digits:

# %%
sigma = 0.01
coefficients = modes.analyse(digits)
left = analysis.error_factors(lam, 1.0, 3000)
curve = analysis.expected_error(modes.values, coefficients, sigma, left)
stop = int(curve.total.argmin())
print(f"best iteration {stop}: squared error {curve.total[stop]:.2f}")
print(f"iteration 3000: squared error {curve.total[3000]:.2f}")
assert 10 < stop < 100
assert curve.total[3000] > 10 * curve.total[stop]

# %% mystnb={"figure": {"name": "fig-semiconvergence", "caption": "Expected squared error of the blurred digits under gradient descent with noise of standard deviation 0.01: signal not yet recovered, noise let in, and their sum."}, "image": {"alt": "Squared error against iteration, both logarithmic, up to 3000. The unrecovered signal falls steadily. The noise rises steadily and crosses it between 40 and 60 iterations. Their sum has a minimum near 40 iterations and is more than ten times larger at 3000."}} tags=["hide-input"]
figures.curves(
    torch.arange(1, 3001),
    {"total": curve.total[1:], "noise let in": curve.noise[1:], "not yet recovered": curve.unfinished[1:]},
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
        f"The true digit three and its estimate from blurred, noisy data after {k} iterations, and the error: "
        f"PSNR {-10 * math.log10((noisy[k] - truth).square().mean()):.0f} dB."
    ),
    "text": lambda k: f"{k} (best)" if k == stop else str(k),
    "start": 3,
    "caption": "Gradient descent on blurred data with noise; errors on one scale for all k.",
}
widgets.frames(**stopping)

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**stopping)

# %% [markdown]
# Would momentum or a preconditioner end at a better image? Compare the best expected error of each, and
# when it is reached:


# %%
def quality(factors):
    curve = analysis.expected_error(modes.values, coefficients, sigma, factors)
    return -10 * (curve.total / truth.numel()).log10()


def damped_newton(damping):
    effective = lam / (lam + damping)
    return analysis.error_factors(effective, 1 / float(effective.max()), 3000)


methods = {
    "gradient descent": left,
    "growing momentum": analysis.error_factors(lam, 1.0, 3000, chambolle_dossal),
    "Newton, λ = 0.1": damped_newton(0.1),
    "constant momentum": analysis.error_factors(lam, 1.0, 3000, beta),
    "Newton, λ = 0.001": damped_newton(0.001),
}

# %%
peaks = {}
for name, factors in methods.items():
    decibels = quality(factors)
    peaks[name] = float(decibels.max())
    when = int(decibels.argmax())
    print(f"{name:19s} best {peaks[name]:.1f} dB at k = {when:2d}, at last {decibels[-1]:.1f} dB")
careful, hasty = list(peaks.values())[:3], list(peaks.values())[3:]
assert max(careful) - min(careful) < 0.1
assert max(hasty) < min(careful) - 1
assert min(peaks, key=peaks.__getitem__) == "Newton, λ = 0.001"

# %% [markdown]
# (Decibels here are those of the expected squared error, averaged over digits before the logarithm.) The first
# three agree to a tenth of a decibel: they admit the modes in nearly the same order, and differ in *when*. The
# other two fail for different reasons. Constant momentum makes the fast modes ring, so signal is missing there
# while noise enters elsewhere. Newton with $\lambda = 0.001$ has passed the minimum at its first iteration: of the
# five, the one with the smallest condition number gives the worst image. None of the five goes noticeably deeper than
# gradient descent. That takes information that neither the data nor $A$ contain: a prior, such as the denoiser that the next
# chapter puts behind every gradient step.
#
# The camera has nothing to fear here: its non-zero singular values are all 1, so it never amplifies noise,
# and its error is flat from the first iteration on ({ref}`ex-camera-noise`).
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
# ```{exercise} One number is all that is left
# :label: ex-scalar
#
# Let $A A^\top = I$. (a) Show that $p(A^\top A)\,A^\top = p(1)\,A^\top$ for every polynomial $p$. (b) The
# Jacobi preconditioner divides by the diagonal of $A^\top A$. Show that for $m$ rows of an orthonormal
# Hadamard basis this diagonal is constant, and find its value for our camera.
# ```

# %%
answer = None  # (b): put the value here
answers.check("ex-scalar", answer)

# %% [markdown]
# ```{solution-start} ex-scalar
# :label: sol-scalar
# :class: dropdown
# ```
# (a) $(A^\top A) A^\top = A^\top (A A^\top) = A^\top$, so every power of $A^\top A$ leaves $A^\top$ as it
# is, and a polynomial multiplies it by the sum of its coefficients, $p(1)$. (b) Each entry of the
# orthonormal basis is $\pm 1/\sqrt{n}$, so $(A^\top A)_{jj} = \sum_{i=1}^m A_{ij}^2 = m/n$ for every pixel
# $j$. The matrix itself agrees:

# %%
diagonal = analysis.dense_matrix(camera, task.img_size).square().sum(0)
print(f"diagonal between {diagonal.min():.6f} and {diagonal.max():.6f}; m/n = {102 / 1024:.6f}")
assert torch.allclose(diagonal, torch.full_like(diagonal, 102 / 1024), atol=1e-6)

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
print(f"kappa(P A^T A) = {analysis.condition_number(effective):.0f}, gain {gain:.2f}")
assert abs(gain - 4 / 1.2 / 2) < 0.01
assert math.log(nesterov) / math.log(rates[0]) > 60

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Noise on a perfectly conditioned camera
# :label: ex-camera-noise
#
# The single-pixel camera measures with $\sigma = 0.01$. Use equation {eq}`eq-noise` to predict the expected
# squared error after one iteration with $\alpha = 1$, averaged over `digits`, and how it changes
# afterwards. What share of it does the noise cause?
# ```

# %%
answer = None  # put the share here
answers.check("ex-camera-noise", answer)

# %% [markdown]
# ```{solution-start} ex-camera-noise
# :label: sol-camera-noise
# :class: dropdown
# ```
# The seen modes have $r_{1,i} = 1 - 1 \cdot 1 = 0$: signal and noise are let in at once, and
# $m\sigma^2$ of noise enters. The silent modes have $r_{k,i} = 1$ for ever. Nothing changes after the
# first iteration, and the null space dominates by far:

# %%
left = analysis.error_factors(spectra["camera"].eigenvalues, 1.0, 50)
parts = analysis.expected_error(spectra["camera"].values, spectra["camera"].analyse(digits), sigma, left)
print(f"noise {parts.noise[1]:.4f}, null space {parts.null[1]:.2f}")
print(f"share of the noise {parts.noise[1] / parts.total[1]:.1e}")
assert torch.allclose(parts.total[1:], parts.total[1], rtol=1e-6)
assert parts.noise[1] < 1e-3 * parts.null[1]

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# - In the basis of singular vectors, gradient descent multiplies the error of mode $i$ by $1 - \alpha
#   s_i^2$ in each iteration. Small $s_i$: a **slow** mode. Zero: a **silent** mode.
# - $\kappa$ on the range measures slowness; the null space is a separate matter, and $\kappa = 1$ says
#   nothing about it. The single-pixel camera has $\kappa = 1$ and misses nine tenths of the modes.
# - A step beyond $2/L$ diverges; no step below it speeds up modes with $s_i^2 \ll L$ by more than about a factor of
#   two over $1/L$.
# - Momentum turns $1 - 1/\kappa^2$ into $1 - 1/\kappa$, and rings in the modes that were fast. No mix of gradients
#   has a much better rate.
# - A preconditioner $p(A^\top A)$ reshapes $\lambda_i$ into $\lambda_i\,p(\lambda_i)$. Where $A A^\top = I$ it
#   acts as a number. For every $A$, no such $P$, no step and no count of iterations moves the image inside
#   the null space.
# - With noise, the best image comes early. A faster method reaches it sooner and passes it sooner; it may
#   also step over it or ring around it.
#
# | what is wrong | its sign | what mends it |
# |---|---|---|
# | slow modes | $\kappa \gg 1$ | momentum, or a preconditioner $p(A^\top A)$ |
# | silent modes | rank $< n$ | a prior, or a preconditioner that has learned from images |
# | noise in weak modes | $\sigma/s_i$ above the signal | stopping early, or a prior |
#
# ## Further reading
#
# Goh {cite}`goh2017momentum` treats momentum on quadratics with the care that we have tried to follow, for
# the heavy-ball rule. Hansen {cite}`hansen2010discrete` is the place for discrete inverse problems, filter
# factors and semiconvergence. Beck and Teboulle {cite}`beck2009fista` prove what Nesterov's rule
# {cite}`nesterov1983method` guarantees without strong convexity, and Chambolle and Dossal
# {cite}`chambolle2015iterates` that the iterates themselves converge. Iyer and colleagues
# {cite}`iyer2024polynomial` build polynomial preconditioners for imaging with spectra that are not flat. The distilled
# preconditioner of this book starts from Gualdrón-Hurtado and colleagues {cite}`gualdron2025d2gp`.
