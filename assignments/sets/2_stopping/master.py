# %% [markdown]
# # Problem set 2: stopping and regularisation
#
# A camera blurs, some of its pixels are dead, and its data carry noise. The image that explains the data best is
# worthless: it is made of noise. You compute what each method lets in, mode by mode, write rules that say when to
# stop and how much to regularise without a look at the truth, and find out what no such rule can know.
#
# *Needed before:* chapters 1 and 2 of the book. What they lack is explained here. *Time:* about three hours.
# *Points:* 30.
#
# Run the cells from top to bottom. A cell with three dots waits for your code; a cell `grader.check(...)` tells
# what it found. The tests in this notebook look at the form of an answer and at properties that any right answer has.
# Others, which you do not see, look further when the set is graded.

# %% tags=["numpy"]
import matplotlib.pyplot as plt
import numpy as np

import course
import set2

# %% tags=["torch"]
import matplotlib.pyplot as plt
import numpy as np
import torch

import course
import set2

# %% [markdown]
# Put your number or name as the course knows it between the quotes of `student`, if your instructor asked for that.
# The numbers of the set are drawn from it.

# %%
key, student = "COURSE_KEY", ""
p = set2.parameters(key, student)
print(p)

# %% [markdown]
# An image is a vector $x \in \mathbb{R}^n$, its pixels in one column. The camera $A \in \mathbb{R}^{m \times n}$
# has one row for each pixel of the sensor that is not dead, and records $y = A x^* + w$, where $x^*$ is the true
# image. The entries of the noise $w$ are independent, with mean 0 and standard deviation $\sigma$. In the code,
# $A$ is a matrix: `A @ x`, `A.T @ r`. The image of this cell is one of the *validation* images. Test images come
# at the end.

# %%
A = set2.camera(p)
m, n = A.shape
truth = set2.images(p, "validation", 1)[0]
y = A @ truth + p.sigma * set2.normal((m,), p.seed)

# %% [markdown]
# The singular vectors $u_i$, $v_i$ and values $s_i$ satisfy $A v_i = s_i u_i$. All $m$ singular values of this
# camera are positive; the other $n - m$ modes are silent. With $b_i = u_i^\top y$, the methods of questions 2 and
# 3 are all of the form
#
# $$
# x = \sum_{i=1}^{m} \varphi_i \, \frac{b_i}{s_i} \, v_i , \tag{1}
# $$
#
# with a **filter factor** $\varphi_i$, the share of mode $i$ that is let in. With $\varphi_i = 1$ for all $i$, (1)
# is $A^+ y$. The function `filtered` below is (1). The array `s` holds the $m$ singular values in descending
# order, and `s_all` continues it with a zero for each silent mode.

# %%
U, s, Vt = set2.modes(A)
s_all = set2.padded(s, n)
b = U.T @ y


def filtered(phi, b):
    return Vt[:m].T @ (phi * b / s)


figure, axes = plt.subplots(1, 2, figsize=(5, 2.6))
for ax, (name, picture) in zip(axes, {"truth": truth, "A⁺y": filtered(1 + 0 * s, b)}.items(), strict=True):
    ax.imshow(picture.reshape(set2.SIDE, set2.SIDE), cmap="gray", vmin=0, vmax=1)
    ax.set_title(name)
    ax.axis("off")

# %% [raw]
# # BEGIN QUESTION
# name: q1
# manual: true
# points: 3

# %% [markdown]
# ## Question 1: read the Picard plot (3 points, 20 minutes)
#
# A *Picard plot* shows $s_i$, $\lvert b_i \rvert$ and $\lvert b_i \rvert / s_i$ against $i$. Data without noise
# satisfy the *discrete Picard condition* if $\lvert b_i \rvert$ falls, on average, faster than $s_i$: then (1)
# with $\varphi_i = 1$ has no large coefficients.

# %%
order = np.arange(1, m + 1)
plt.semilogy(order, s, label="$s_i$")
plt.semilogy(order, abs(b), ".", markersize=3, label="$|b_i|$")
plt.semilogy(order, abs(b) / s, ".", markersize=3, label="$|b_i| / s_i$")
plt.xlabel("i")
plt.legend()

# %% [markdown]
# (a) The $\lvert b_i \rvert$ reach a plateau. How high is it, compared with $\sigma$, and why is it the same for
# all weak modes, although the camera weakens them by different factors? (b) About where does the plateau begin for
# your data? What do the $\lvert b_i \rvert / s_i$ do beyond, and what does that mean for $A^+ y$? (c) A colleague
# has this plot but does not know $\sigma$. What can be read from it, and where would you cut the sum (1)? What is
# lost by the cut?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) The plateau is at about $\sigma$ (half of the points lie below $0.67\,\sigma$). There
# $b_i = s_i v_i^\top x^* + u_i^\top w$ is nearly all noise. Noise is added after the camera, so $s_i$ does not
# touch it, and since $w$ is white and the $u_i$ have length one, $\mathbb{E}(u_i^\top w)^2 = \sigma^2$ in every
# mode. (b) The index is read from the figure, where the cloud stops falling (a range is right: the bend is not
# sharp). Beyond it $\lvert b_i \rvert / s_i$ grows as $\sigma / s_i$: the data do not satisfy the Picard condition
# any more, and $A^+ y$ is dominated by the noise of the weakest modes. (c) The plateau's height is an estimate of
# $\sigma$, for instance the root mean square of the last $b_i$. The sum is cut, or faded out, where the plateau
# begins. The signal in the modes beyond is lost; it was below the noise, and the data hardly show it.
#
# *Rubric.* One point each. (a) Half for the height, half for the reason (orthonormal $u_i$, noise after the
# camera). (b) Half for an index that fits the figure, half for the growth and what it does to $A^+ y$. (c) Half
# for the estimate of $\sigma$, half for the cut with what it loses. *Typical answers.* (a) "Rounding errors": no
# point; the plateau is many orders above them. (a) "The singular values stop falling": no point; they go on. (c)
# "Cut where $s_i$ is small" without the data: no half point; the place depends on the noise.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 4

# %% [markdown]
# ## Question 2: three methods, one form (4 points, 20 minutes)
#
# Write the filter factors $\varphi_i$ of (1) for an array `s` of singular values in descending order, which may end
# with zeros:
#
# - `tikhonov(s, lam)`: the minimiser of $\tfrac12 \lVert A x - y \rVert^2 + \tfrac12 \lambda \lVert x \rVert^2$
#   (the book's damping is this $\lambda$ divided by $L = s_1^2$);
# - `tsvd(s, r)`: the *truncated* singular value decomposition, which keeps the `r` strongest modes as they are;
# - `landweber(s, step, k)`: the iterate $x_k$ of gradient descent from $x_0 = 0$ with step $\alpha$, which is called
#   *Landweber's iteration* in this field: $x_{k+1} = x_k + \alpha A^\top (y - A x_k)$.

# %% [raw]
# # BEGIN SOLUTION

# %%
def tikhonov(s, lam):
    # BEGIN SOLUTION
    return s**2 / (s**2 + lam)
    # END SOLUTION


def tsvd(s, r):
    # BEGIN SOLUTION
    phi = 0 * s
    phi[:r] = 1
    return phi
    # END SOLUTION


def landweber(s, step, k):
    # BEGIN SOLUTION
    return 1 - (1 - step * s**2) ** k
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_silent_modes_stay_silent(tikhonov, tsvd, landweber):
    import course
    import set2

    s = set2.array([1.0, 0.5, 0.1, 0.0])
    calls = (("tikhonov", tikhonov, (0.1,)), ("tsvd", tsvd, (2,)), ("landweber", landweber, (0.7, 3)))
    for name, function, arguments in calls:
        phi = course.array(course.run(function, s, *arguments, name=name), f"{name}(s, ...)", (4,))
        course.ensure(abs(phi[3]) < 1e-12, "The data say nothing about a silent mode: nothing of it can be let in.")
        course.ensure(phi[1] >= phi[2] - 1e-12, "No method here lets in more of a weak mode than of a strong one.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_tikhonov_minimises_its_functional(tikhonov):
    import course
    import set2

    s, y, lam = set2.array([2.0, 0.7, 0.1]), set2.array([1.0, -2.0, 3.0]), 0.3
    phi = course.array(course.run(tikhonov, s, lam, name="tikhonov"), "tikhonov(s, lam)", (3,))
    course.ensure(
        not course.close(phi, s / (s**2 + lam), 1e-6),
        "These numbers multiply b_i. A filter factor multiplies b_i / s_i: it compares the method with the plain "
        "inversion.",
    )
    course.ensure(
        not course.close(phi, s**2 / (s**2 + lam**2), 1e-6),
        "The penalty is λ‖x‖², with λ as it is. A square on λ belongs to the other convention, λ²‖x‖².",
    )
    course.ensure(
        not course.close(phi, lam / (s**2 + lam), 1e-6),
        "This is the share that is kept out, not the share let in.",
    )
    x = phi * course.array(y, "y") / course.array(s, "s")
    gradient = course.array(s, "s") * (course.array(s, "s") * x - course.array(y, "y")) + lam * x
    course.ensure(
        abs(gradient).max() < 1e-9,
        "Put (1) into the functional, one mode at a time: is its derivative zero?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_tsvd_keeps_the_strongest(tsvd):
    import course
    import set2

    for r in (0, 1, 3, 5):
        s = set2.array([3.0, 2.0, 1.0, 0.3, 0.2])
        phi = course.array(course.run(tsvd, s, r, name="tsvd"), "tsvd(s, r)", (5,))
        course.ensure(
            abs(phi * (1 - phi)).max() < 1e-12,
            "Truncation lets a mode in or leaves it out, and nothing between.",
        )
        course.ensure(abs(phi.sum() - r) < 1e-9, "It keeps exactly `r` modes.")
        course.ensure(abs(phi[:r] - 1).max(initial=0) < 1e-12, "The strongest modes are those to be kept.")
        course.ensure(abs(course.array(s, "s")[0] - 3) < 1e-12, "The array `s` itself must not be changed.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_landweber_against_a_run(landweber):
    import course
    import set2

    s, y = set2.array([1.5, 1.0, 0.4]), set2.array([1.0, -2.0, 3.0])
    x = 0 * s
    for _ in range(5):
        x = x + 0.3 * s * (y - s * x)
    phi = course.run(landweber, s, 0.3, 5, name="landweber")
    course.ensure(
        not course.close(phi, (1 - 0.3 * s**2) ** 5, 1e-6),
        "This is what is still missing after k iterations, not what was let in.",
    )
    course.ensure(
        not course.close(phi, 1 - (1 - 0.3 * s) ** 5, 1e-6),
        "The gradient passes the camera twice: each factor has the square of s_i.",
    )
    course.ensure(
        not course.close(phi, 1 - (1 - 0.3 * s**2) ** 6, 1e-6),
        "This is one iteration more: x_0 = 0 lets nothing in.",
    )
    course.ensure(course.close(phi, s * x / y, 1e-6), "Compare with five iterations on a diagonal operator.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your functions work, the next cell draws the three against $s_i$, with $\lambda$, $r$ and $k$ chosen to belong
# to each other: $k = 1 / (\alpha \lambda)$, and $r$ the number of modes with $s_i^2 \ge \lambda$. The iteration
# count plays the part of $1/\lambda$: to stop early *is* to regularise. Where do the three differ?

# %%
step = 1 / float(s[0]) ** 2
if not any(course.is_open(answer) for answer in (tikhonov(s, 1), tsvd(s, 1), landweber(s, 1, 1))):
    for lam, line in ((0.1, "-"), (0.01, "--")):
        plt.semilogx(s, tikhonov(s, lam), "C0" + line, label=f"Tikhonov, λ = {lam:g}")
        k, r = round(1 / (step * lam)), int((s**2 >= lam).sum())
        plt.semilogx(s, landweber(s, step, k), "C1" + line, label=f"Landweber, k = {k}")
        plt.semilogx(s, tsvd(s, r), "C2" + line, label=f"TSVD, r = {r}")
    plt.xlabel("$s_i$")
    plt.ylabel("let in, $\\varphi_i$")
    plt.legend()

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 5

# %% [markdown]
# ## Question 3: noise through the camera, mode by mode (5 points, 25 minutes)
#
# Write $c_i = v_i^\top x^*$ for all $n$ modes. Then $b_i / s_i = c_i + u_i^\top w / s_i$ for a mode that is seen:
# its noise has the variance $\sigma^2 / s_i^2$. If the $\varphi_i$ do not depend on $y$, the expected squared
# error $\mathbb{E} \lVert x - x^* \rVert^2$ is the sum of a *bias*, the squared error that would be there without
# noise, and a *noise* term, the expected squared norm of the noise let in. (Chapter 2 writes $r_{k,i}$ for
# $1 - \varphi_i$.)
#
# (a) Write `expected_error(s, c, sigma, phi)`, which returns the pair (bias, noise) as two numbers. The arrays
# have one entry for each of the $n$ modes; silent modes have $s_i = 0$ and $\varphi_i = 0$. (b) Write
# `oracle(s, c, sigma, filters)`: from a list of arrays of factors, the index of the one with the least expected
# squared error. (It needs $c$, the truth: so it is a yardstick and no method.) (c) Set `amplified` to the number
# of times by which the noise in a pixel of $A^+ y$ is larger than $\sigma$. Noise in a pixel is the root of the
# expected squared norm of the noise over $n$.

# %% [raw]
# # BEGIN SOLUTION

# %%
def expected_error(s, c, sigma, phi):
    # BEGIN SOLUTION
    bias = ((1 - phi) ** 2 * c**2).sum()
    seen = s > 0
    noise = sigma**2 * ((phi[seen] / s[seen]) ** 2).sum()
    return float(bias), float(noise)
    # END SOLUTION


def oracle(s, c, sigma, filters):
    # BEGIN SOLUTION
    totals = [sum(expected_error(s, c, sigma, phi)) for phi in filters]
    return totals.index(min(totals))
    # END SOLUTION


amplified = float((1 / s**2).sum() / n) ** 0.5  # SOLUTION

# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_two_numbers_that_are_not_negative(expected_error):
    import course
    import set2

    s, c, phi = set2.array([1.0, 0.5]), set2.array([1.0, -2.0]), set2.array([0.9, 0.3])
    for sigma in (0.0, 0.1):
        found = course.run(expected_error, s, c, sigma, phi, name="expected_error")
        course.ensure(len(found) == 2, "`expected_error` returns two numbers: bias and noise.")
        bias, noise = course.number(found[0], "bias"), course.number(found[1], "noise")
        course.ensure(bias > 0 and noise >= 0, "Both are squared errors: neither can be negative.")
        course.ensure((noise > 0) == (sigma > 0), "Noise is let in if there is noise.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_bias(expected_error):
    import course
    import set2

    s, c, phi = set2.array([1.0, 0.5, 0.0]), set2.array([1.0, -2.0, 3.0]), set2.array([0.9, 0.3, 0.0])
    bias = course.number(course.run(expected_error, s, c, 0.1, phi, name="expected_error")[0], "bias")
    missing = [0.1, 1.4, 3.0]
    course.ensure(
        all(abs(bias - value) > 1e-6 for value in (0.1 + 0.7 * 4 + 9, sum(missing))),
        "The bias is a squared error, so what is missing of each mode is squared before the sum: the share and "
        "the coefficient.",
    )
    course.ensure(abs(bias - (0.01 + 1.96)) > 1e-6, "The silent modes are missing too: they lose their whole signal.")
    course.ensure(abs(bias - (0.81 + 0.36)) > 1e-6, "The bias is made of what is not let in.")
    course.ensure(
        abs(bias - sum(value**2 for value in missing)) < 1e-6,
        "Without noise, what is the error of (1) in mode i?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_noise_let_in(expected_error):
    import math

    import course
    import set2

    s, c, phi = set2.array([1.0, 0.5, 0.0]), set2.array([1.0, -2.0, 3.0]), set2.array([0.9, 0.3, 0.0])
    noise = course.run(expected_error, s, c, 0.1, phi, name="expected_error")[1]
    course.ensure(not course.is_open(noise), "The noise term has no value yet.")
    noise = float(noise)
    course.ensure(
        math.isfinite(noise),
        "A silent mode lets no noise in. Leave these modes out before you divide by s_i.",
    )
    course.ensure(abs(noise - 0.1 * (0.81 + 0.36)) > 1e-6, "A variance: the noise has σ², not σ.")
    course.ensure(
        abs(noise - 0.01 * (0.9 + 0.6)) > 1e-6,
        "The share φ_i multiplies the noise itself, so its square multiplies the variance.",
    )
    course.ensure(
        abs(noise - 0.01 * (0.81 + 0.09)) > 1e-6 and abs(noise - 0.01 * (0.81 + 0.18)) > 1e-6,
        "The inversion divides the noise of mode i by s_i, and so its variance by the square.",
    )
    course.ensure(
        abs(noise - 0.01 * (0.81 + 0.36)) < 1e-9,
        "The variance of φ_i u_iᵀw / s_i, summed over the modes that are seen.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_oracle(oracle):
    import course
    import set2

    s, c = set2.array([1.0, 0.5, 0.05, 0.0]), set2.array([1.0, 1.0, 0.1, 0.5])
    cut = [[1.0] * r + [0.0] * (4 - r) for r in (0, 1, 2, 3)]
    for sigma, best in ((0.001, 3), (0.1, 2), (0.7, 1)):
        found = course.run(oracle, s, c, sigma, [set2.array(phi) for phi in cut], name="oracle")
        index = course.number(found, "oracle(...)")
        course.ensure(
            index == best or index != 3,
            "The least bias belongs to whoever lets everything in: noise counts as well.",
        )
        course.ensure(
            index == best or index != 0,
            "The least noise belongs to whoever lets nothing in: bias counts as well.",
        )
        course.ensure(
            index == best,
            "The oracle takes the least sum of bias and noise, and returns its index in the list.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_noise_in_a_pixel_of_the_inverse(amplified, env):
    import course
    import numpy as np
    import set2

    A = course.array(set2.camera(set2.parameters("COURSE_KEY", env.get("student", ""))), "A")
    squares = (1 / np.linalg.svd(A, compute_uv=False) ** 2).sum()
    found = course.number(amplified, "amplified")

    def near(value):
        return abs(found / value - 1) < 1e-3

    course.ensure(not near(squares / A.shape[1]), "This is a ratio of variances. A standard deviation is its root.")
    course.ensure(
        not near((squares / A.shape[0]) ** 0.5),
        "The noise of A⁺y is spread over the pixels of the image, of which there are n.",
    )
    course.ensure(
        not near(squares**0.5),
        "This is the norm of the whole noise image, over σ. The question asks for one pixel.",
    )
    course.ensure(
        near((squares / A.shape[1]) ** 0.5),
        "With all factors equal to one, each mode that is seen adds σ²/s_i². Are these the singular values of your camera?",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If your `landweber` and `expected_error` work, the next cell draws the expected squared error of gradient descent
# against the iteration, and beside it what ten runs with ten draws of the noise have on average. The runs use $A$
# and $A^\top$ alone; they know nothing of modes. Where is the sum least, and how does it compare with what is left
# when the run goes on a hundred times as long?

# %%
def runs(counts, draws=10):
    Y = (A @ truth)[None] + p.sigma * set2.normal((draws, m), p.seed + 1)
    X, found = 0 * Y @ A, []
    for k in range(max(counts) + 1):
        if k in counts:
            found.append(float(((X - truth) ** 2).sum() / draws))
        X = X + step * (Y - X @ A.T) @ A
    return found


c = Vt @ truth
if not any(course.is_open(answer) for answer in (landweber(s, 1, 1), expected_error(s_all, c, 1, 0 * c))):
    counts = sorted({round(1.3**j) for j in range(24)})
    late = sorted({round(1.3**j) for j in range(42)})
    bias, noise = zip(*(expected_error(s_all, c, p.sigma, landweber(s_all, step, k)) for k in late), strict=True)
    total = [sum(both) for both in zip(bias, noise, strict=True)]
    for label, values in {"bias": bias, "noise": noise, "sum": total}.items():
        plt.loglog(late, values, label=label)
    plt.loglog(counts, runs(counts), "k.", label="ten runs")
    plt.axhline(float((truth**2).sum()), color="0.6", linewidth=1, label="nothing let in")
    plt.xlabel("iteration k")
    plt.ylabel("squared error")
    plt.ylim(float((truth**2).sum()) / 1000)
    plt.legend()

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 4

# %% [markdown]
# ## Question 4: stop without the truth (4 points, 25 minutes)
#
# The best iteration of the figure is found with $x^*$. Without it one has the residual: even $x^*$ leaves
# $A x^* - y = -w$. So an iterate whose residual is smaller than the noise explains noise. Let $\delta$ be the root
# of the expected squared norm, $\delta^2 = \mathbb{E} \lVert w \rVert^2$. The **discrepancy principle** stops at
# the first $k = 0, 1, 2, \dots$ with
#
# $$
# \lVert A x_k - y \rVert \le \tau \delta ,
# $$
#
# where $\tau > 1$ allows for the chance of the draw. Write `stop_landweber(A, At, y, step, sigma, tau, most)`, which
# runs gradient descent from $x_0 = 0$ and returns $x_k$ and $k$. Here `A` and `At` are functions, and `y` is a
# vector with one entry for each measurement. If no iterate up to $k =$ `most` meets the rule, raise a `ValueError`: a
# rule that did not fire has chosen nothing.

# %% [raw]
# # BEGIN SOLUTION

# %%
def stop_landweber(A, At, y, step, sigma, tau, most):
    # BEGIN SOLUTION
    level = tau * sigma * len(y) ** 0.5
    x = 0 * At(y)
    for k in range(most + 1):
        r = y - A(x)
        if (r**2).sum() ** 0.5 <= level:
            return x, k
        x = x + step * At(r)
    raise ValueError(f"no residual up to iteration {most} is at or below {level:.3g}")
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_nothing_to_explain(stop_landweber):
    import course
    import set2

    M = set2.camera(set2.parameters("practice"), 8)
    arguments = (lambda x: M @ x, lambda r: M.T @ r, 0 * M[:, 0], 1.0, 0.1, 1.1, 10)
    found = course.run(stop_landweber, *arguments, name="stop_landweber")
    course.ensure(len(found) == 2, "`stop_landweber` returns two things: the image and the iteration.")
    course.ensure(course.number(found[1], "k") == 0, "If the start explains the data, no iteration is needed: k = 0.")
    x = course.array(found[0], "x", (M.shape[1],))
    course.ensure(abs(x).max() < 1e-12, "The image that belongs to k = 0 is the start, zero.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_first_iterate_that_meets_the_rule(stop_landweber):
    import course
    import set2

    p = set2.parameters("COURSE_KEY graded")
    M = set2.camera(p, 12)
    m, n = M.shape
    sigma, tau, most = 0.05, 1.1, 4000
    y = M @ (1 + set2.normal((n,), p.seed)) + sigma * set2.normal((m,), p.seed + 1)
    x, path, residuals = 0 * M[0], [], []
    for _ in range(200):
        r = y - M @ x
        path.append(x)
        residuals.append(float((r**2).sum() ** 0.5))
        x = x + M.T @ r

    def first(level):
        return next((k for k, residual in enumerate(residuals) if residual <= level), None)

    right = first(tau * sigma * m**0.5)
    course.ensure(not course.is_open(stop_landweber), "`stop_landweber` is not defined: run its cell first.")
    try:
        found = stop_landweber(lambda x: M @ x, lambda r: M.T @ r, y, 1.0, sigma, tau, most)
    except ValueError as error:
        raise AssertionError(
            "The rule did not fire, although an iterate explains the data up to their noise. σ is the noise of one "
            "measurement: how large is the norm of all of them?"
        ) from error
    except Exception as error:
        raise AssertionError(f"`stop_landweber` raised {type(error).__name__}: {error}") from error
    course.ensure(not course.is_open(found), "`stop_landweber` returns nothing yet.")
    k = course.number(found[1], "k")
    course.ensure(
        k == right or k != first(tau * sigma * m),
        "Variances of independent numbers add up, norms do not: the norm of m of them grows as √m.",
    )
    course.ensure(
        k == right or k != first(tau * sigma * n**0.5),
        "The residual has one entry for each measurement, not for each pixel: there are m of them.",
    )
    course.ensure(
        k == right or k != first(sigma * m**0.5),
        "The factor τ is missing: without it, half of all draws of the noise lie above the level.",
    )
    course.ensure(
        k <= right + 1,
        "It runs on long after the rule was met: is the level the norm of all the noise, or that of one "
        "measurement?",
    )
    course.ensure(
        k != right + 1,
        "One iteration late: an earlier iterate met the rule already. Test x_k before you make x_{k+1}.",
    )
    course.ensure(
        k != right - 1,
        "The residual of the iterate with your number is still above the level: does the count belong to the "
        "image?",
    )
    course.ensure(
        k == right,
        "Stop at the first k whose residual is at or below τδ, with δ from σ and the number of measurements.",
    )
    course.ensure(
        course.close(found[0], path[right], 1e-6),
        "The number is right, but the image belongs to another iteration.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_a_rule_that_does_not_fire(stop_landweber):
    import course
    import set2

    d, y = set2.array([1.0, 0.5]), set2.array([1.0, 1.0])
    course.ensure(not course.is_open(stop_landweber), "`stop_landweber` is not defined: run its cell first.")

    def fires(most):
        try:
            found = stop_landweber(lambda x: d * x, lambda r: d * r, y, 1.0, 0.3, 1.1, most)
        except ValueError:
            return False
        except Exception as error:
            raise AssertionError(f"`stop_landweber` raised {type(error).__name__}: {error}") from error
        course.ensure(not course.is_open(found), "`stop_landweber` returns nothing yet.")
        return True

    course.ensure(
        not fires(1),
        "An image was returned although no residual is below the level. A rule that did not fire has chosen "
        "nothing: say so by a ValueError.",
    )
    course.ensure(
        fires(30),
        "Here the rule fires before the last iteration that is allowed, and the image should be returned.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q5
# points: 4

# %% [markdown]
# ## Question 5: conjugate gradients have to stop, too (4 points, 25 minutes)
#
# Conjugate gradients on the normal equations (CGLS) is the fair rival of every linear iteration. It starts from
# $x_0 = 0$, $r_0 = y$ and $d_0 = g_0 = A^\top y$, and repeats
#
# $$
# \alpha_k = \frac{\lVert g_k \rVert^2}{\lVert A d_k \rVert^2}, \quad
# x_{k+1} = x_k + \alpha_k d_k, \quad
# r_{k+1} = r_k - \alpha_k A d_k, \quad
# g_{k+1} = A^\top r_{k+1}, \quad
# d_{k+1} = g_{k+1} + \frac{\lVert g_{k+1} \rVert^2}{\lVert g_k \rVert^2}\, d_k .
# $$
#
# Its filter factors depend on $y$, so question 3 does not cover it. The discrepancy principle applies as it
# stands. Write `stop_cgls(A, At, y, sigma, tau, most)`. It returns three things: $x_k$, $k$, and the number of
# products that it spent, those with $A$ and those with $A^\top$ together. Stopping at $k$, it may spend $2k + 1$
# at most. If the rule does not fire up to $k =$ `most`, raise a `ValueError`.

# %% [raw]
# # BEGIN SOLUTION

# %%
def stop_cgls(A, At, y, sigma, tau, most):
    # BEGIN SOLUTION
    level = tau * sigma * len(y) ** 0.5
    residual, g = y, At(y)
    x, d, power, products = 0 * g, g, (g**2).sum(), 1
    for k in range(most + 1):
        if (residual**2).sum() ** 0.5 <= level:
            return x, k, products
        Ad = A(d)
        alpha = power / (Ad**2).sum()
        x, residual = x + alpha * d, residual - alpha * Ad
        g = At(residual)
        power, before = (g**2).sum(), power
        d = g + power / before * d
        products += 2
    raise ValueError(f"no residual of CGLS up to iteration {most} is at or below {level:.3g}")
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_two_singular_values(stop_cgls):
    import course
    import set2

    d = set2.array([2.0, 2.0, 0.1, 0.1])
    x = set2.array([1.0, -1.0, 2.0, 0.5])
    found = course.run(stop_cgls, lambda x: d * x, lambda r: d * r, d * x, 1e-6, 1.1, 20, name="stop_cgls")
    course.ensure(
        len(found) == 3,
        "`stop_cgls` returns three things: the image, the iteration and the number of products.",
    )
    course.ensure(
        course.number(found[1], "k") == 2,
        "Two different singular values and no noise: CGLS is done after two iterations.",
    )
    course.ensure(
        course.close(found[0], x, 1e-4),
        "Two different singular values and no noise: CGLS finds the image.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_cgls_stops_by_the_discrepancy(stop_cgls):
    import course
    import set2

    p = set2.parameters("COURSE_KEY graded")
    M = set2.camera(p, 12)
    m, n = M.shape

    def first(values, level):
        return next((k for k, value in enumerate(values) if value <= level), None)

    for sigma, tau in ((0.05, 1.3), (0.02, 1.2)):
        y = M @ (1 + set2.normal((n,), p.seed)) + sigma * set2.normal((m,), p.seed + 1)
        r, g = y, M.T @ y
        x, d, path, residuals, gradients = 0 * g, g, [], [], []
        for _ in range(30):
            path.append(x)
            residuals.append(float((r**2).sum() ** 0.5))
            gradients.append(float((g**2).sum() ** 0.5))
            q = M @ d
            alpha = (g**2).sum() / (q**2).sum()
            x, r = x + alpha * d, r - alpha * q
            before, g = g, M.T @ r
            d = g + (g**2).sum() / (before**2).sum() * d
        level = tau * sigma * m**0.5
        right = first(residuals, level)
        found = course.run(stop_cgls, lambda x: M @ x, lambda r: M.T @ r, y, sigma, tau, 200, name="stop_cgls")
        k = course.number(found[1], "k")
        course.ensure(
            k == right or k != first(gradients, level),
            "This stops by the norm of the gradient. The discrepancy is that of the data: it is the residual's norm.",
        )
        course.ensure(
            k != right + 1,
            "One iteration late: an earlier iterate met the rule already. Test the residual of x_k before you "
            "make x_{k+1}.",
        )
        course.ensure(
            k != right - 1,
            "The residual of the iterate with your number is still above the level: does the count belong to the "
            "image?",
        )
        course.ensure(k == right, "Stop at the first k whose residual is at or below τδ, with the same δ as before.")
        course.ensure(
            course.close(found[0], path[right], 1e-6),
            "The number is right, but the image belongs to another iteration.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_products_are_counted(stop_cgls):
    import course
    import set2

    s = set2.array([1.0, 0.8, 0.5, 0.3, 0.2, 0.1])
    y, calls = s * set2.array([1.0, -1.0, 2.0, 1.0, 1.0, -2.0]), []

    def product(x):
        calls.append(1)
        return s * x

    for sigma in (0.2, 0.05):
        calls.clear()
        found = course.run(stop_cgls, product, product, y, sigma, 1.1, 50, name="stop_cgls")
        k, products = course.number(found[1], "k"), course.number(found[2], "products")
        course.ensure(
            len(calls) <= 2 * k + 1,
            "It applies the operator more often than it needs to. The recurrence carries the residual along, and "
            "Aᵀy is needed once: neither costs a product of its own.",
        )
        course.ensure(
            products == len(calls),
            "The number of products is not that of the calls of A and Aᵀ: do both count, and the first Aᵀy?",
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# The next cell needs your `stop_landweber` and `stop_cgls`. It draws the true error of both methods against the
# products spent, far beyond the stop, and marks where the rule stops. (For CGLS it calls your function with
# smaller and smaller $\tau$.) Which of the two passes its best image sooner, and what would you lose by running
# "until convergence"?

# %%
def forward(x):
    return A @ x


def back(r):
    return A.T @ r


def error(x):
    return float(((x - truth) ** 2).sum() / (truth**2).sum()) ** 0.5


ready = (stop_landweber(forward, back, 0 * y, step, 1, 1, 1), stop_cgls(forward, back, 0 * y, 1, 1, 1))
if not any(course.is_open(answer) for answer in ready):
    x, path = 0 * truth, []
    for _ in range(400):
        path.append(error(x))
        x = x + step * back(y - A @ x)
    plt.semilogx(np.arange(1, 400) * 2, path[1:], label="gradient descent")
    tries = [stop_cgls(forward, back, y, p.sigma, tau, 400) for tau in p.tau * 0.93 ** np.arange(-24, 12)]
    plt.semilogx([products for _, _, products in tries], [error(x) for x, _, _ in tries], ".-", label="CGLS")
    x, k = stop_landweber(forward, back, y, step, p.sigma, p.tau, 4000)
    x_cg, k_cg, products = stop_cgls(forward, back, y, p.sigma, p.tau, 400)
    plt.plot([2 * k, products], [error(x), error(x_cg)], "kx", markersize=9, label="discrepancy principle")
    print(f"gradient descent stops at k = {k}, error {error(x):.3f}; CGLS at k = {k_cg}, error {error(x_cg):.3f}")
    plt.xlabel("products with A and Aᵀ")
    plt.ylabel("relative error")
    plt.legend()

# %% [raw]
# # BEGIN QUESTION
# name: q6
# points: 4

# %% [markdown]
# ## Question 6: choose a parameter without the truth (4 points, 25 minutes)
#
# A *family* is a list of arrays of filter factors, ordered from the strongest regularisation to the weakest:
# Tikhonov with $\lambda$ falling, TSVD with $r$ rising, gradient descent with $k$ rising. Each array has the $m$
# entries of `b`, $b_i = u_i^\top y$. The discrepancy principle takes the first member whose residual is at or
# below $\tau \delta$. It needs $\sigma$. **Generalised cross-validation** (GCV) does not. It estimates how well
# the data predict a measurement that was left out, up to a constant: the best member has the smallest
#
# $$
# G = \frac{m\, \lVert A x - y \rVert^2}{\bigl(\operatorname{trace}(I - A A_\varphi)\bigr)^2} , \tag{2}
# $$
#
# where $A_\varphi$ is the matrix that makes $x$ from $y$ by (1), and $I$ is $m \times m$. Noise has to be white for
# this, as it is here.
#
# Write `gcv(b, phi)` $= G$ as a number, without any matrix; then `by_gcv(b, filters)` and `by_discrepancy(b, filters,
# sigma, tau)`, which return the index of the member that the rule chooses. If no member meets the discrepancy
# principle, raise a `ValueError`.

# %% [raw]
# # BEGIN SOLUTION

# %%
def gcv(b, phi):
    # BEGIN SOLUTION
    squares = ((1 - phi) ** 2 * b**2).sum()
    return float(len(b) * squares / (len(b) - phi.sum()) ** 2)
    # END SOLUTION


def by_gcv(b, filters):
    # BEGIN SOLUTION
    values = [gcv(b, phi) for phi in filters]
    return values.index(min(values))
    # END SOLUTION


def by_discrepancy(b, filters, sigma, tau):
    # BEGIN SOLUTION
    bound = tau**2 * sigma**2 * len(b)
    for index, phi in enumerate(filters):
        if (((1 - phi) * b) ** 2).sum() <= bound:
            return index
    raise ValueError("no member of the family has so small a residual")
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_forms_of_the_rules(gcv, by_gcv, by_discrepancy):
    import course
    import set2

    b = set2.array([3.0, 2.0, 0.1, 0.1])
    family = [set2.array([1.0] * r + [0.0] * (4 - r)) for r in range(4)]
    course.ensure(course.number(course.run(gcv, b, family[1], name="gcv"), "gcv(b, phi)") > 0, "G is positive.")
    for name, index in (
        ("by_gcv", course.run(by_gcv, b, family, name="by_gcv")),
        ("by_discrepancy", course.run(by_discrepancy, b, family, 0.2, 1.1, name="by_discrepancy")),
    ):
        course.ensure(course.number(index, name) in (0, 1, 2, 3), f"`{name}` returns an index of the list.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_gcv_against_matrices(gcv):
    import course
    import numpy as np
    import set2

    p = set2.parameters("COURSE_KEY graded")
    A = course.array(set2.camera(p, 8), "A")
    m, n = A.shape
    U, s, Vt = np.linalg.svd(A, full_matrices=False)
    y = course.array(set2.normal((m,), p.seed), "y") + A.sum(1)
    phi = s / (s + 0.2)
    M = Vt.T @ np.diag(phi / s) @ U.T
    square = ((A @ (M @ y) - y) ** 2).sum()
    trace = np.trace(np.eye(m) - A @ M)
    found = course.number(course.run(gcv, set2.array(U.T @ y), set2.array(phi), name="gcv"), "gcv(b, phi)")

    def near(value):
        return abs(found / value - 1) < 1e-6

    course.ensure(
        not any(near(value) for value in (square, square / m, m * square, square / m**2)),
        "The trace is missing. Without it the least residual wins, and that is always the weakest regularisation.",
    )
    course.ensure(not near(m * square / trace), "The trace is squared in (2).")
    course.ensure(
        not near(m * square / phi.sum() ** 2),
        "The trace counts what is left: that of I minus that of A A_φ.",
    )
    course.ensure(
        not near(m * square / ((1 - phi) ** 2).sum() ** 2),
        "The trace of a matrix is the sum of its eigenvalues, not of their squares.",
    )
    course.ensure(
        near(m * square / trace**2),
        "A A_φ is U diag(φ) Uᵀ. What are the residual and the trace in the basis of the u_i?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_choice_by_gcv(by_gcv):
    import course
    import set2

    signal = set2.array([8.0, 5.0, 3.0, 2.0, 1.0] + [0.0] * 35)
    family = [set2.array([1.0] * r + [0.0] * (40 - r)) for r in range(40)]
    for seed in (1, 2):
        b = signal + 0.05 * set2.normal((40,), seed)
        values = [float(40 * (b[r:] ** 2).sum() / (40 - r) ** 2) for r in range(40)]
        best = values.index(min(values))
        index = course.number(course.run(by_gcv, b, family, name="by_gcv"), "by_gcv(b, filters)")
        course.ensure(
            index == best or index != 39,
            "The last member was chosen, the one that fits the noise best: what keeps GCV from that?",
        )
        course.ensure(index == best, "GCV chooses the member with the least G. Return its index in the list.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_choice_by_discrepancy(by_discrepancy):
    import course
    import set2

    b = set2.array([8.0, 5.0, 3.0, 2.0, 1.0] + [0.1] * 95)
    family = [set2.array([1.0] * r + [0.0] * (100 - r)) for r in range(30)]

    def first(level):
        return next((r for r in range(30) if float((b[r:] ** 2).sum() ** 0.5) <= level), None)

    for sigma, tau in ((0.1, 1.2), (0.2, 1.2), (0.4, 1.1)):
        right = first(tau * sigma * 10)
        found = course.run(by_discrepancy, b, family, sigma, tau, name="by_discrepancy")
        index = course.number(found, "by_discrepancy(...)")
        course.ensure(
            index == right or index != 29,
            "Take the first member that meets the rule: the ones after it meet it as well, and let in more noise.",
        )
        course.ensure(
            index == right,
            "Take the first member whose residual is at or below τδ, with δ from σ and the number of measurements.",
        )
    try:
        by_discrepancy(b, family, 0.001, 1.1)
    except ValueError:
        return
    except Exception as error:
        raise AssertionError(f"`by_discrepancy` raised {type(error).__name__}: {error}") from error
    course.ensure(
        False,
        "No member has so small a residual. A rule that did not fire has chosen nothing: say so by a ValueError.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q7
# points: 3

# %% [markdown]
# ## Question 7: tune on validation images, report on test images (3 points, 20 minutes)
#
# A third way is to tune $\lambda$ once, on images whose truth is known, and to keep it for all that follow. Such a
# number is worth what the protocol is worth. Write `tune(grid, validation, test)`. `grid` is a list of values;
# `validation` and `test` are arrays of errors with one row for each image and one column for each value of the
# grid. It returns three numbers: the chosen value, and the mean and the largest error *that this choice has on the
# test images*. The choice is the value with the least mean error over the validation images. If it lies at either
# end of the grid, raise a `ValueError`: the best value may lie outside, so the grid has to be extended before
# anything is reported.

# %% [raw]
# # BEGIN SOLUTION

# %%
def tune(grid, validation, test):
    # BEGIN SOLUTION
    index = int(validation.mean(0).argmin())
    if index in (0, len(grid) - 1):
        raise ValueError(f"the best value, {grid[index]:g}, lies at the edge of the grid: extend the grid")
    chosen = test[:, index]
    return grid[index], float(chosen.mean()), float(chosen.max())
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_form_of_the_report(tune):
    import course
    import set2

    errors = set2.array([[0.5, 0.2, 0.4], [0.6, 0.4, 0.5]])
    found = course.run(tune, [1.0, 0.1, 0.01], errors, errors, name="tune")
    course.ensure(len(found) == 3, "`tune` returns three numbers: the chosen value, mean and largest error.")
    value, mean, worst = (course.number(number, "tune(...)[i]") for number in found)
    course.ensure(value in (1.0, 0.1, 0.01), "The first number is a value of the grid.")
    course.ensure(worst >= mean, "The worst image is no better than the mean.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_choice_and_report(tune):
    import course
    import set2

    grid = [1.0, 0.3, 0.1, 0.03, 0.01]
    validation = set2.array([[0.5, 0.4, 0.3, 0.28, 0.6], [0.5, 0.3, 0.2, 0.4, 0.6], [0.7, 0.4, 0.3, 0.5, 0.9]])
    test = set2.array([[0.6, 0.3, 0.4, 0.5, 0.8], [0.5, 0.2, 0.3, 0.55, 0.9]])
    found = course.run(tune, grid, validation, test, name="tune")
    value, mean, worst = (course.number(number, "tune(...)[i]") for number in found)
    course.ensure(
        abs(value - 0.3) > 1e-9 and abs(mean - 0.25) > 1e-9,
        "The value is the best one for the test images. They must not take part in the choice: their truth is not "
        "known in use.",
    )
    course.ensure(
        abs(value - 0.1) < 1e-9,
        "The choice is the value with the least mean error over the validation images.",
    )
    course.ensure(
        abs(mean - 0.8 / 3) > 1e-6,
        "This is the error on the validation images. They were used for the choice, and flatter it.",
    )
    course.ensure(abs(mean - 0.35) < 1e-9, "The report is the mean error of the chosen value on the test images.")
    course.ensure(
        abs(worst - 0.4) < 1e-9,
        "The last number is the error of the worst test image at the chosen value.",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_no_value_at_an_end(tune):
    import course
    import set2

    course.ensure(not course.is_open(tune), "`tune` is not defined: run its cell first.")
    for errors, end in (([[0.1, 0.2, 0.3, 0.4]], "first"), ([[0.4, 0.3, 0.2, 0.1]], "last")):
        try:
            found = tune([1.0, 0.1, 0.01, 0.001], set2.array(errors), set2.array(errors))
        except ValueError:
            continue
        except Exception as error:
            raise AssertionError(f"`tune` raised {type(error).__name__}: {error}") from error
        course.ensure(not course.is_open(found), "`tune` returns nothing yet.")
        course.ensure(
            False,
            f"The best value is the {end} of the grid, at its edge: beyond it may lie a better one. Refuse it by "
            f"a ValueError.",
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# If all your functions work, the next cell compares the ways to choose on 20 test images, each with its own noise.
# The rows with $\lambda$ are Tikhonov's method, here by the singular value decomposition; CGLS needs a dozen
# products. *Oracle* takes for each test image the $\lambda$ of the grid that is best for this very image, with its
# truth. *Floor* is the part of the image in the null space of $A$. Errors are relative to $\lVert x^* \rVert$. The
# last column is the mean difference to the tuned $\lambda$, image by image, with its 95 % interval (Student's $t$,
# 19 degrees of freedom). Look at the mean and the worst image of GCV: it aims at predicting data, in which an
# error of a weak mode counts little, so it often takes a $\lambda$ that is too small for the image.

# %%
grid = [10 ** (-j / 4) for j in range(2, 22)]


def data(part):
    X = set2.images(p, part, 20)
    return X, X @ A.T + p.sigma * set2.normal((20, m), p.seed + 2 + ("validation", "test").index(part))


def relative(x, truth):
    return float(((x - truth) ** 2).sum() / (truth**2).sum()) ** 0.5


def compare():
    family = [tikhonov(s, lam) for lam in grid]
    errors = {}
    for part in ("validation", "test"):
        pairs = [(x, U.T @ y) for x, y in zip(*data(part), strict=True)]
        errors[part] = set2.array([[relative(filtered(phi, b), x) for phi in family] for x, b in pairs])
    value, mean, worst = tune(grid, errors["validation"], errors["test"])
    print(f"tuned λ = {value:.2g}: mean error {mean:.3f}, worst {worst:.3f} on test images\n")
    names = ("λ tuned", "λ by discrepancy", "λ by GCV", "CGLS, discrepancy", "oracle λ", "floor")
    rows = {name: [] for name in names}
    for index, (x, y) in enumerate(zip(*data("test"), strict=True)):
        found, b = errors["test"][index], U.T @ y
        rows["λ tuned"].append(float(found[grid.index(value)]))
        rows["λ by discrepancy"].append(float(found[by_discrepancy(b, family, p.sigma, p.tau)]))
        rows["λ by GCV"].append(float(found[by_gcv(b, family)]))
        rows["CGLS, discrepancy"].append(relative(stop_cgls(forward, back, y, p.sigma, p.tau, 400)[0], x))
        rows["oracle λ"].append(float(found.min()))
        rows["floor"].append(relative(Vt[:m].T @ (Vt[:m] @ x), x))
    print(f"{'':18s}{'mean':>8s}{'worst':>8s}{'difference to tuned':>25s}")
    for name, values in rows.items():
        difference, half = set2.paired(values, rows["λ tuned"])
        print(f"{name:18s}{sum(values) / 20:8.3f}{max(values):8.3f}{difference:15.4f} ± {half:.4f}")


small = set2.array([[2, 1, 2]])
ready = (tikhonov(s, 1), gcv(b, 0 * b), by_gcv(b, [0 * b]), by_discrepancy(b, [0 * b + 1], 1, 1))
ready += (stop_cgls(forward, back, 0 * y, 1, 1, 1), tune([1, 2, 3], small, small))
if not any(course.is_open(answer) for answer in ready):
    compare()

# %% [raw]
# # BEGIN QUESTION
# name: q8
# manual: true
# points: 3

# %% [markdown]
# ## Question 8: what the residual cannot tell (3 points, 20 minutes)
#
# (a) Let $h \neq 0$ with $A h = 0$. Compare two scenes, $x^*$ and $x^* + h$, seen with the same noise $w$. Show
# that the discrepancy principle and GCV choose the same member of a family, or the same $k$, for both. What
# follows for the error on at least one of the two, whatever the rule? (b) In the table, no row is below *floor*.
# Why can no choice of $\lambda$ or $k$ change that? A network that was trained on images returns an image with
# $\lVert A x - y \rVert = \tau \delta$. Does this show that its fine detail is right? What would you look at
# instead? (c) Which rows of the table use $\sigma$, which use the truth of other images, and which uses the truth
# of the very image? A paper reports the last kind as the result of its method. What is wrong with that, and what
# may the row be used for?

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) $A (x^* + h) + w = A x^* + w$: the data $y$ are equal number by number. Both rules, and the iterates, are
# functions of $y$, $A$, $\sigma$ and $\tau$ alone, so they do the same and return the same image $\hat x$. By the
# triangle inequality $\lVert h \rVert \le \lVert \hat x - x^* \rVert + \lVert \hat x - (x^* + h) \rVert$: on one
# of the two scenes the error is at least $\lVert h \rVert / 2$. (b) All these images are sums of $v_i$ with
# $s_i > 0$, in the range of $A^\top$. Their error in the null space is that of $x_0 = 0$, the truth's own part,
# for every $\lambda$ and $k$, and the two parts of the error are orthogonal. The network's residual shows that its
# image is consistent with the data up to noise. Any $h$ of the null space can be added without a change, so the
# residual says nothing about detail that lies there. One looks at the error on test images whose truth is known,
# of the kind that will be met, the worst ones included, and beside the best method that learns nothing; or one
# measures more, and looks whether the detail is in the new data. (c) $\sigma$: the two rows with the discrepancy
# principle. Truth of other images: the tuned $\lambda$ (validation images). Truth of the very image: the oracle
# (and the floor, which is no method). Who has the truth needs no reconstruction; the number cannot be reached in
# use, and gains come for free where a method has many parameters. The row is a yardstick: the distance of a rule
# from it is what better choosing could still gain.
#
# *Rubric.* One point each. (a) Half for equal data, so equal choices; half for the bound (or: wrong on at least
# one). (b) Half for the range of $A^\top$, half for "consistent, not right" with something sensible to look at.
# (c) Half for the assignment of rows, half for what is wrong and what it may serve for. *Typical answers.* (a)
# "The residual of $x^* + h$ is larger": no point. (b) "A smaller residual would show it": no half point; every
# residual is blind to $h$. (c) "GCV uses $\sigma$": the half point is lost; it uses that the noise is white, and
# nothing else.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
