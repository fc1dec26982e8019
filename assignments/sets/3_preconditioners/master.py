# %% [markdown]
# # Problem set 3: linear preconditioners
#
# A scanner with several coils measures a few columns of k-space. What its coils see only weakly, gradient descent
# recovers only slowly. You write the scanner, four preconditioners, the method that they compete with, and a
# comparison that charges each of them for its work. Then you read off which of them is worth its price.
#
# *Needed before:* chapters 4 and 5 of the book, and the section on several coils in chapter 12. *Time:* a little over
# three hours. *Points:* 32.
#
# Run the cells from top to bottom. A cell with three dots waits for your code; a cell `grader.check(...)` tells what
# it found. The tests in this notebook look at the form of an answer and at properties that any right answer has.
# Others, which you do not see, look further when the set is graded.

# %% tags=["numpy"]
from itertools import islice

import matplotlib.pyplot as plt
import numpy as np

import course
import set3

# %% tags=["torch"]
from itertools import islice

import matplotlib.pyplot as plt
import torch

import course
import set3

# %% [markdown]
# Put your number or name as the course knows it between the quotes of `student`, if your instructor asked for that.
# The numbers of the set are drawn from it.

# %%
key, student = "COURSE_KEY", ""
p = set3.parameters(key, student)
maps, mask = set3.camera(p)
truth = set3.image(p)
print(p)

# %% [markdown]
# Coil $c = 1, \dots, C$ sees the complex image $x$ through its own smooth sensitivity, a diagonal matrix $E_c$, and
# the scanner keeps some columns of the Fourier transform:
#
# $$ A x = (K F E_1 x, \dots, K F E_C x) . $$
#
# $F$ is the orthonormal transform in two dimensions (`set3.fourier`; its inverse `set3.fourier_inverse` is its
# adjoint), $K$ the mask of ones and zeros. `maps` has the shape $(C, \text{side}, \text{side})$, the diagonal of
# $E_c$ as an image for each coil; measurements have that shape, too. Both functions transform the last two axes, so
# they take all coils at once.
#
# Throughout, $A^\top$ is the adjoint (the conjugate transpose), $M = A^\top A$, and $b = A^\top y$. The maps are
# scaled so that $\lVert A \rVert = 1$: the eigenvalues $t$ of $M$ lie in $[0, 1]$, and 1 is a safe step. Here the
# coils see less in the middle than near themselves: the sum of their squared magnitudes is not constant.

# %%
figure, axes = plt.subplots(1, set3.COILS + 2, figsize=(2.2 * (set3.COILS + 2), 2.4))
pictures = {f"|map| of coil {c + 1}": abs(maps[c]) for c in range(set3.COILS)} | {"mask": mask, "|image|": abs(truth)}
for ax, (name, picture) in zip(axes, pictures.items(), strict=True):
    ax.imshow(picture, cmap="gray")
    ax.set_title(name)
    ax.axis("off")

# %% [raw]
# # BEGIN QUESTION
# name: q1
# points: 5

# %% [markdown]
# ## Question 1: the scanner and its adjoint (5 points, 25 minutes)
#
# Write `forward(x, maps, mask)` $= A x$, `adjoint(y, maps, mask)` $= A^\top y$, and `inner(a, b)`, the inner product
# $\langle a, b \rangle = \sum_i \bar a_i b_i$ of two complex arrays of any one shape: one complex number. Then set
# `recorded` to $\lVert A x^* \rVert^2 / \lVert x^* \rVert^2$ for your scanner and your image `truth`.

# %% [raw]
# # BEGIN SOLUTION

# %%
def forward(x, maps, mask):
    # BEGIN SOLUTION
    return mask * set3.fourier(maps * x)
    # END SOLUTION


def adjoint(y, maps, mask):
    # BEGIN SOLUTION
    return (maps.conj() * set3.fourier_inverse(mask * y)).sum(0)
    # END SOLUTION


def inner(a, b):
    # BEGIN SOLUTION
    return (a.conj() * b).sum()
    # END SOLUTION


recorded = float((abs(forward(truth, maps, mask)) ** 2).sum() / (abs(truth) ** 2).sum())  # SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_scanner_with_real_maps(forward, adjoint):
    import course
    import set3

    p = set3.parameters("practice", "", 16)
    maps, mask = set3.camera(p, 16)
    y = course.run(forward, set3.normal((16, 16), 3), maps, mask, name="forward")
    y = course.array(y, "forward(x)", (set3.COILS, 16, 16))
    lost = course.array(mask, "mask") == 0
    course.ensure(abs(y[:, lost]).max() < 1e-9, "The mask comes last: columns that are not measured must be zero.")
    real = abs(maps)
    set3.check_adjoint(lambda x: forward(x, real, mask), lambda y: adjoint(y, real, mask), 16)

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_inner_product(inner):
    import course
    import numpy as np
    import set3

    a, b = set3.normal((3, 5), 1), set3.normal((3, 5), 2)
    found = complex(course.array(course.run(inner, a, b, name="inner"), "inner(a, b)", ()))
    a, b = course.array(a, "a"), course.array(b, "b")
    course.ensure(
        abs(found - (a * b).sum()) > 1e-9,
        "Without a conjugate, the product of an array with itself is no squared length.",
    )
    course.ensure(
        abs(found - np.vdot(a, b).real) > 1e-9,
        "This is the real part. The inner product of complex arrays is a complex number.",
    )
    course.ensure(abs(found - np.vdot(b, a)) > 1e-9, "In this set the first of the two arrays is the conjugated one.")
    course.ensure(abs(found - np.vdot(a, b)) < 1e-9, "Multiply entry by entry, one of both conjugated, and add up.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_what_is_recorded(env, recorded):
    import course
    import set3

    p = set3.parameters("COURSE_KEY", env.get("student", ""))
    (maps, mask), x = set3.camera(p), set3.image(p)
    share = float((abs(mask * set3.fourier(maps * x)) ** 2).sum() / (abs(x) ** 2).sum())
    found = course.number(recorded, "recorded")
    course.ensure(abs(found - share**0.5) > 1e-6, "This is a ratio of norms. The question asks for one of their squares.")
    course.ensure(abs(found / share - 1) < 1e-3, "`recorded` is not that of your own scanner and image.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_scanner_with_complex_maps(forward, adjoint):
    import course
    import set3

    p = set3.parameters("COURSE_KEY graded", "", 16)
    maps, mask = set3.camera(p, 16)

    def apart(other):
        x, y = set3.normal((16, 16), 5), set3.normal((set3.COILS, 16, 16), 6)
        Ax = course.array(course.run(forward, x, maps, mask, name="forward"), "forward(x)", (set3.COILS, 16, 16))
        back = course.array(course.run(adjoint, y, other, mask, name="adjoint"), "adjoint(y)", (16, 16))
        left = (Ax.conj() * course.array(y, "y")).sum()
        return abs(left - (course.array(x, "x").conj() * back).sum()) / abs(left)

    course.ensure(
        apart(maps.conj()) > 1e-6,
        "With the conjugate maps your adjoint would be right: the adjoint of a product with a complex number is the "
        "product with its conjugate.",
    )
    set3.check_adjoint(lambda x: forward(x, maps, mask), lambda y: adjoint(y, maps, mask), 16)
    course.ensure(apart(maps) < 1e-6, "<Ax, y> and <x, A*y> differ as complex numbers.")
    x = set3.normal((16, 16), 7)
    course.ensure(
        course.close(course.run(forward, x, maps, mask, name="forward"), mask * set3.fourier(maps * x), 1e-6),
        "The two functions are each other's adjoint, and yet `forward` is not the scanner of the text.",
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q2
# points: 5

# %% [markdown]
# ## Question 2: two diagonals (5 points, 30 minutes)
#
# Jacobi's preconditioner divides by the diagonal of $M$. A circulant one divides by a diagonal, too, but in
# frequencies.
#
# (a) Write `jacobi(g, maps, mask)` $= \operatorname{diag}(M)^{-1} g$ for an image `g`, without a loop over pixels:
# work out the diagonal on paper. (The transform is orthonormal, and all its entries have the same magnitude.)
#
# (b) A circulant matrix is $C = F^{-1} \operatorname{diag}(s)\, F$. Which real numbers $s$ make $\lVert M - C
# \rVert_{\text{Frobenius}}$ smallest? Note that the norm does not change if both matrices are written in the Fourier
# basis. Write `circulant_spectrum(M, side)`, which returns them as a real array of shape (side, side), for any
# function `M` that takes a complex image of that shape and returns one. You may apply `M` once for each frequency.
#
# (c) Write `circulant(g, s, damping)` $= (C + \lambda I)^{-1} g$, with the damping $\lambda$.

# %% [raw]
# # BEGIN SOLUTION

# %%
def jacobi(g, maps, mask):
    # BEGIN SOLUTION
    diagonal = (abs(maps) ** 2).sum(0) * mask.mean()
    return g / diagonal
    # END SOLUTION


def circulant_spectrum(M, side):
    # BEGIN SOLUTION
    s = 0 * set3.normal((side, side), 0).real
    for i in range(side):
        for j in range(side):
            wave = 0 * set3.normal((side, side), 0)
            wave[i, j] = 1
            wave = set3.fourier_inverse(wave)
            s[i, j] = (wave.conj() * M(wave)).sum().real
    return s
    # END SOLUTION


def circulant(g, s, damping):
    # BEGIN SOLUTION
    return set3.fourier_inverse(set3.fourier(g) / (s + damping))
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_form_of_the_diagonals(jacobi, circulant_spectrum):
    import course
    import set3

    p = set3.parameters("practice", "", 16)
    maps, mask = set3.camera(p, 16)
    g = 0 * set3.normal((16, 16), 0)
    g[3, 4] = 1
    found = course.array(course.run(jacobi, g, maps, mask, name="jacobi"), "jacobi(g)", (16, 16))
    course.ensure(abs(found).sum() - abs(found[3, 4]) < 1e-12, "A diagonal matrix does not mix pixels.")
    s = course.array(course.run(circulant_spectrum, lambda x: x, 4, name="circulant_spectrum"), "s", (4, 4))
    course.ensure(abs(s - 1).max() < 1e-9, "The identity is circulant, and all its eigenvalues are one.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_jacobi_against_the_operator(jacobi):
    import course
    import set3

    p = set3.parameters("COURSE_KEY graded", "", 16)
    maps, mask = set3.camera(p, 16)
    share, squares = float(mask.mean()), course.array((abs(maps) ** 2).sum(0), "maps")
    for row, column in ((0, 0), (5, 11), (8, 8), (15, 2)):
        e = 0 * set3.normal((16, 16), 0)
        e[row, column] = 1
        entry = complex((maps.conj() * set3.fourier_inverse(mask * set3.fourier(maps * e))).sum(0)[row, column]).real
        found = course.array(course.run(jacobi, e, maps, mask, name="jacobi"), "jacobi(g)", (16, 16))[row, column]
        course.ensure(abs(found / entry - 1) > 1e-6, "Jacobi divides by the diagonal; this multiplies.")
        course.ensure(
            abs(found * entry / share - 1) > 1e-6,
            "The mask keeps only a share of the frequencies, and so only a share of the diagonal.",
        )
        course.ensure(
            abs(found * squares[row, column] ** 0.5 * share - 1) > 1e-6,
            "The map acts on the way forth and on the way back: its squared magnitude is on the diagonal.",
        )
        course.ensure(
            abs(found * entry - 1) < 1e-6,
            "Apply A*A to an image with a single pixel of one, and read the same pixel of the result.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_nearest_circulant(circulant_spectrum):
    import course
    import numpy as np
    import set3

    kernel = set3.fourier(set3.normal((6, 6), 1))
    blur = lambda x: set3.fourier_inverse(abs(kernel) ** 2 * set3.fourier(x))
    s = course.array(course.run(circulant_spectrum, blur, 6, name="circulant_spectrum"), "s", (6, 6))
    exact = course.array(abs(kernel) ** 2, "spectrum")
    course.ensure(not course.close(s, exact**0.5, 1e-6), "These are singular values of A, not eigenvalues of A*A.")
    course.ensure(
        course.close(s, exact, 1e-6),
        "For a blur, A*A is circulant itself, and its eigenvalues should be found exactly.",
    )
    p = set3.parameters("COURSE_KEY graded", "", 16)
    maps, mask = set3.camera(p, 16)
    M = lambda x: (maps.conj() * set3.fourier_inverse(mask * set3.fourier(maps * x))).sum(0)
    s = course.array(course.run(circulant_spectrum, M, 16, name="circulant_spectrum"), "s", (16, 16))
    for i, j in ((0, 0), (1, 6), (3, 12), (15, 15)):
        wave = 0 * set3.normal((16, 16), 0)
        wave[i, j] = 1
        wave = set3.fourier_inverse(wave)
        entry = np.vdot(course.array(wave, "wave"), course.array(M(wave), "M(wave)")).real
        course.ensure(
            abs(s[i, j] - entry) < 1e-8,
            "In the Fourier basis, the nearest diagonal matrix is the diagonal of M. Which wave belongs to an entry?",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_circulant_inverts_a_blur(circulant):
    import course
    import set3

    s = abs(set3.normal((8, 8), 2)) ** 2
    g, damping = set3.normal((8, 8), 3), 0.3
    found = course.run(circulant, g, s, damping, name="circulant")
    course.array(found, "circulant(g)", (8, 8))
    again = set3.fourier_inverse((s + damping) * set3.fourier(found))
    course.ensure(
        not course.close(set3.fourier_inverse((s + damping) ** 0.5 * set3.fourier(found)), g, 1e-6),
        "P undoes A*A, not A alone: divide by its eigenvalues and take no root of them.",
    )
    course.ensure(
        course.close(again, g, 1e-6), "Applied to P g, the circulant matrix plus its damping should give g back."
    )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Does Jacobi's $P$ do more than a step size? Only where the diagonal varies. The next cell compares the maps of this
# scanner with the same maps divided, pixel by pixel, by the root of the sum of their squared magnitudes, as the
# book's are. (It needs your `jacobi`.)

# %%
evened = maps / (abs(maps) ** 2).sum(0) ** 0.5
ones = 1 + 0 * truth
if not course.is_open(jacobi(ones, maps, mask)):
    for name, some in {"these maps": maps, "evened out": evened}.items():
        factors = abs(jacobi(ones, some, mask))
        print(f"{name}: Jacobi's P multiplies pixels by {float(factors.min()):.2f} to {float(factors.max()):.2f}")

# %% [raw]
# # BEGIN QUESTION
# name: q3
# points: 5

# %% [markdown]
# ## Question 3: polynomials, and how large they may be (5 points, 30 minutes)
#
# With $P = p(M)$, $p(t) = c_0 + c_1 t + \dots + c_d t^d$, a step $x - P(M x - b)$ multiplies the error in a mode with
# eigenvalue $t$ by $r(t) = 1 - t\, p(t)$.
#
# (a) Write `fit(t, w, degree)`: the array of coefficients $(c_0, \dots, c_d)$ that make $\sum_i w_i\, r(t_i)^2$
# smallest, for eigenvalues `t` and positive weights `w`. (`set3.columns([u, v])` is the matrix with these columns,
# and `set3.least_squares(V, v)` the $c$ that makes $\lVert V c - v \rVert$ smallest.)
#
# (b) Write `polynomial(c, M, g)` $= p(M)\, g$ for a function `M`. It applies `M` as often as the degree says, and not
# more.
#
# (c) Write `is_stable(c, t, momentum)`: True if the error shrinks in each of the modes `t` (all positive), False
# otherwise. With `momentum=False` every step is as above. With `momentum=True` it is Nesterov's, and the error in a
# mode obeys
#
# $$ e_{k+1} = r\, \bigl( (1 + \beta_k)\, e_k - \beta_k\, e_{k-1} \bigr), \qquad \beta_k \to 1 . $$
#
# The bound has to hold for every $\beta$ up to the limit. (Chapter 4 has an exercise on it.)

# %% [raw]
# # BEGIN SOLUTION

# %%
def fit(t, w, degree):
    # BEGIN SOLUTION
    V = set3.columns([w**0.5 * t ** (j + 1) for j in range(degree + 1)])
    return set3.least_squares(V, w**0.5)
    # END SOLUTION


def polynomial(c, M, g):
    # BEGIN SOLUTION
    result = c[-1] * g
    for j in range(len(c) - 2, -1, -1):
        result = M(result) + c[j] * g
    return result
    # END SOLUTION


def is_stable(c, t, momentum):
    # BEGIN SOLUTION
    r = 1 - sum(c[j] * t ** (j + 1) for j in range(len(c)))
    lowest = -1 / 3 if momentum else -1
    return bool(r.min() > lowest and r.max() < 1)
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_form_of_the_polynomial(fit, polynomial):
    import course
    import set3

    t, w = set3.array([0.1, 0.5, 0.7, 1.0]), set3.array([1.0, 1.0, 1.0, 1.0])
    c = course.array(course.run(fit, t, w, 2, name="fit"), "fit(t, w, 2)", (3,))
    t, left = course.array(t, "t"), 0
    for j in range(3):
        left = left + c[j] * t ** (j + 1)
    course.ensure(((1 - left) ** 2).sum() < 4, "With p = 0 nothing is gained. The best polynomial should leave less.")
    g = set3.normal((3,), 0)
    found = course.run(polynomial, set3.array([2.0]), lambda x: x / 0, g, name="polynomial")
    course.ensure(course.close(found, 2 * g, 1e-9), "A polynomial of degree 0 is a number: no product with M.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_fit(fit):
    import course
    import numpy as np
    import set3

    rng = course.draw("COURSE_KEY graded", "", "fit")
    t, w = rng.uniform(0.02, 1, 40), rng.uniform(0.1, 3, 40)

    def best(weights, right, first, degree):
        V = np.stack([t ** (j + first) for j in range(degree + 1)], axis=1)
        return np.linalg.lstsq(weights[:, None] * V, weights * right, rcond=None)[0]

    for degree in (1, 2):
        c = course.run(fit, set3.array(t), set3.array(w), degree, name="fit")
        c = course.array(c, "fit(t, w, degree)", (degree + 1,))
        course.ensure(not course.close(c, best(1 + 0 * w, 1, 1, degree), 1e-5), "Here the weights change nothing.")
        course.ensure(
            not course.close(c, best(w, 1, 1, degree), 1e-5),
            "The weights belong to the squares. Inside of the norm, before the square, there is their root.",
        )
        course.ensure(
            not course.close(c, best(w**0.5, 1 / t, 0, degree), 1e-5),
            "Here p is close to 1/t. What is to be small is the error that is left, r(t) = 1 - t p(t).",
        )
        course.ensure(
            course.close(c, best(w**0.5, 1, 1, degree), 1e-5),
            "Other coefficients leave less. In r(t) = 1 - t p(t) the powers of t start with the first.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_polynomial(polynomial):
    import course
    import set3

    d, g = set3.array([0.2, 0.5, 1.0]), set3.normal((3,), 1)
    for c in ([1.5, -0.5], [7.5, -15.0, 8.75], [1.0, 2.0, 3.0, 4.0]):
        counted = set3.Counted(lambda x: d * x)
        found = course.run(polynomial, set3.array(c), counted, g, name="polynomial")
        p = sum(c[j] * d**j for j in range(len(c)))
        course.ensure(course.close(found, p * g, 1e-9), "On a diagonal operator, each entry is multiplied by p(t).")
        course.ensure(
            counted.products < len(c),
            "More products with M than the degree: reuse the last power, or nest the sum as Horner did.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_is_stable(is_stable):
    import course
    import set3

    def found(factor, momentum):  # degree 0, one mode: r = factor
        answer = course.run(is_stable, set3.array([2 - 2 * factor]), set3.array([0.5]), momentum, name="is_stable")
        return bool(answer)

    course.ensure(found(0.9, False) and found(0.9, True), "A factor of 0.9 shrinks the error, momentum or not.")
    course.ensure(not found(1.1, False) and not found(1.1, True), "A factor above 1 makes the error grow.")
    course.ensure(
        found(-0.9, False) and not found(-1.1, False), "Without momentum, the factor has to lie between -1 and 1."
    )
    course.ensure(
        not found(-0.5, True),
        "With momentum the bound is tighter: at which negative factor does the recursion have an eigenvalue of -1?",
    )
    course.ensure(found(-0.3, True), "With momentum, some negative factors are still allowed.")
    course.ensure(not found(-0.4, True), "The limit of large momentum decides, and it is tighter.")
    several = course.run(is_stable, set3.array([2.0, 0.5]), set3.array([0.1, 0.5, 0.9]), False, name="is_stable")
    course.ensure(not bool(several), "One mode in which the error grows is enough.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Two choices of nodes and weights. The book's rule weighs all of $[0, 1]$ alike and knows nothing of the scanner. The
# other weighs the scanner's own eigenvalues alike. Which of the polynomials are safe on this scanner? (Eigenvalues
# below $10^{-6}$ are left out of the question. The cell needs `fit` and `is_stable`.)

# %%
t = set3.eigenvalues(maps, mask)
t = t[t > 1e-6]
everywhere = set3.array([(i + 0.5) / 1000 for i in range(1000)])
rules = {}
if not course.is_open(fit(t, 1 + 0 * t, 1)) and not course.is_open(is_stable([1.0], t, False)):
    for name, nodes in {"uniform": everywhere, "own spectrum": t}.items():
        for degree in (1, 2):
            c = rules[name, degree] = fit(nodes, 1 + 0 * nodes, degree)
            largest = float(sum(c[j] * t ** (j + 1) for j in range(degree + 1)).max())
            answers = "stable" if is_stable(c, t, False) else "not stable", is_stable(c, t, True)
            print(f"{name}, degree {degree}: c_0 = {float(c[0]):5.1f}, largest t p(t) = {largest:.2f}, {answers[0]};",
                  "with momentum", "stable" if answers[1] else "not stable")

# %% [raw]
# # BEGIN QUESTION
# name: q4
# points: 4

# %% [markdown]
# ## Question 4: conjugate gradients with a preconditioner (4 points, 25 minutes)
#
# Write the generator `pcg(M, b, P, inner)` for $M x = b$ from $x_0 = 0$, with a symmetric positive definite
# preconditioner $P$. It ends each iteration with `yield x, r`: the new iterate and its residual $r = b - M x$. It
# applies `M` once in each iteration. (A generator is a function with `yield`; `set3.descend` is an example. It runs
# until nobody asks for more.) With $r_0 = b$ and $d_0 = P r_0$:
#
# $$
# \alpha_k = \frac{\langle r_k, P r_k \rangle}{\langle d_k, M d_k \rangle}, \quad
# x_{k+1} = x_k + \alpha_k d_k, \quad
# r_{k+1} = r_k - \alpha_k M d_k, \quad
# d_{k+1} = P r_{k+1} + \frac{\langle r_{k+1}, P r_{k+1} \rangle}{\langle r_k, P r_k \rangle}\, d_k .
# $$
#
# The inner product is an argument: `inner(a, b)`, as in question 1. All these inner products are real, up to
# rounding: take their real part.

# %% [raw]
# # BEGIN SOLUTION

# %%
def pcg(M, b, P, inner):
    # BEGIN SOLUTION
    x, r = 0 * b, b
    z = P(r)
    d, power = z, inner(r, z).real
    while True:
        Md = M(d)
        step = power / inner(d, Md).real
        x = x + step * d
        r = r - step * Md
        z = P(r)
        power, before = inner(r, z).real, power
        d = z + power / before * d
        yield x, r
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_first_iterate_is_a_line_search(pcg):
    import course
    import set3

    d, b = set3.array([2.0, 1.0, 0.5]), set3.array([1.0, -1.0, 2.0])
    iterates = course.run(pcg, lambda x: d * x, b, lambda r: r, lambda u, v: (u * v).sum(), name="pcg")
    course.ensure(hasattr(iterates, "__next__"), "`pcg` should be a generator: it has a `yield` and no `return`.")
    path = course.run(set3.take, iterates, 2, name="pcg")
    course.ensure(all(len(pair) == 2 for pair in path), "Yield two arrays: the iterate and its residual.")
    exact = (b * b).sum() / (b * d * b).sum() * b
    course.ensure(course.close(path[0][0], exact, 1e-9), "The first iterate is a step with exact line search.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_as_many_iterations_as_eigenvalues(pcg):
    import course
    import set3

    dot = lambda u, v: (u.conj() * v).sum()
    shape = (6, 6)
    d = 1 + abs(set3.normal(shape, 8)) * 9
    groups = 0 * d + 1
    groups[:2], groups[2:4] = 4, 0.5
    truth = set3.normal(shape, 9).real
    M = lambda x: d * groups * x
    iterates = course.run(pcg, M, M(truth), lambda r: r / d, dot, name="pcg")
    path = course.run(set3.take, iterates, 3, name="pcg")
    course.ensure(
        course.close(path[2][0], truth, 1e-6),
        "P M has three different eigenvalues here, so three conjugate directions reach the solution. Both fractions "
        "contain <r, P r>, and the new direction starts from P r.",
    )
    M, truth = lambda x: set3.fourier_inverse(groups * set3.fourier(x)), set3.normal(shape, 9)
    path = course.run(set3.take, pcg(M, M(truth), lambda r: r, dot), 3, name="pcg")
    course.ensure(
        course.close(path[2][0], truth, 1e-6),
        "With complex images, three eigenvalues take more than three iterations. Are all inner products taken by "
        "`inner`?",
    )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_residual_and_products(pcg):
    import course
    import set3

    d, b = set3.array([3.0, 2.0, 1.0, 0.5, 0.2]), set3.normal((5,), 2)
    counted = set3.Counted(lambda x: d * x)
    dot = lambda u, v: (u.conj() * v).sum()
    path = course.run(set3.take, pcg(counted, b, lambda r: r / (1 + d), dot), 4, name="pcg")
    course.ensure(
        counted.products < 5, "One product with M in an iteration is enough: M d serves the step and the residual."
    )
    for x, r in path:
        course.ensure(
            course.distance(b - d * x, r) < 1e-8 or set3.norm(r) < 1e-9,
            "The second array should be the residual, b - M x. Is an array changed in place, or P applied?",
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
# ## Question 5: Newton's step, as exact as it needs to be (4 points, 25 minutes)
#
# The damped Newton step of a gradient $g$ is the $d$ that solves $(M + \lambda I)\, d = g$. Here is no closed form;
# an inner run of conjugate gradients solves it, and need not solve it to the last digit.
#
# (a) Write `newton(M, g, damping, tolerance, cg)`. It returns `d` and the number of products with `M` that it took.
# The argument `cg(N, b)` is a generator of pairs (iterate, residual) for $N d = b$ from $d_0 = 0$, and applies `N`
# once in each iteration. Take the first iterate with $\lVert \text{residual} \rVert \le \text{tolerance} \cdot \lVert
# g \rVert$. (`set3.norm` is the norm.) If `cg` ends before, take its last one.
#
# (b) Which damping? Suppose that the entries of the image are independent, with mean 0 and $\mathbb{E} |x_i|^2 = S$,
# and so are those of the noise in $y = A x + w$, with $\mathbb{E} |w_j|^2 = \sigma^2$. One step from zero gives $\hat
# x = (M + \lambda I)^{-1} A^\top y$. Write `damping_for(sigma, S)`, which returns the $\lambda$ with the smallest
# expected squared error.

# %% [raw]
# # BEGIN SOLUTION

# %%
def newton(M, g, damping, tolerance, cg):
    # BEGIN SOLUTION
    damped = lambda d: M(d) + damping * d
    products = 0
    for d, r in cg(damped, g):
        products += 1
        if set3.norm(r) <= tolerance * set3.norm(g):
            break
    return d, products
    # END SOLUTION


def damping_for(sigma, S):
    # BEGIN SOLUTION
    return sigma**2 / S
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_newton_is_accurate_enough(newton, damping_for):
    import course
    import set3

    def halving(N, b):  # for N = 2 I only
        for k in range(1, 30):
            N(b)
            yield (1 - 0.5**k) * b / 2, 0.5**k * b

    g = set3.normal((4, 4), 0)
    found = course.run(newton, lambda x: x, g, 1.0, 0.2, halving, name="newton")
    pair = isinstance(found, tuple) and len(found) == 2
    course.ensure(pair, "`newton` returns two things: d and the number of products.")
    course.ensure(course.distance(2 * found[0], g) < 0.2 + 1e-9, "The residual is larger than the tolerance allows.")
    lam = course.number(course.run(damping_for, 0.1, 2.0, name="damping_for"), "damping_for(sigma, S)")
    course.ensure(lam > 0, "A damping is a positive number.")

# %%
""" # BEGIN TEST CONFIG
points: 2
hidden: true
""" # END TEST CONFIG
def test_newton_stops_in_time_and_counts(newton):
    import course
    import set3

    def solver(N, b):
        x, r = 0 * b, b
        d, power = r, (abs(r) ** 2).sum()
        for _ in range(60):
            Nd = N(d)
            step = power / (d.conj() * Nd).sum().real
            x, r = x + step * d, r - step * Nd
            power, before = (abs(r) ** 2).sum(), power
            d = r + power / before * d
            yield x, r

    p = set3.parameters("COURSE_KEY graded", "", 16)
    maps, mask = set3.camera(p, 16)
    M = lambda x: (maps.conj() * set3.fourier_inverse(mask * set3.fourier(maps * x))).sum(0)
    g = 30 * M(set3.normal((16, 16), 3))
    for damping, tolerance in ((0.03, 0.1), (0.003, 0.02), (0.3, 0.5)):
        damped = lambda x: M(x) + damping * x
        path = list(solver(damped, g))
        needed = next(k for k, (_, r) in enumerate(path, 1) if set3.norm(r) <= tolerance * set3.norm(g))
        counted = set3.Counted(M)
        d, products = course.run(newton, counted, g, damping, tolerance, solver, name="newton")
        course.ensure(
            course.distance(damped(d), g) < tolerance + 1e-9,
            "M d plus the damping times d should be close to g. Is the damping in the system, and d its solution?",
        )
        course.ensure(
            counted.products <= needed or not course.close(d, path[needed - 1][0], 1e-9),
            "The right iterate, for more products than it takes: `cg` hands out the residual.",
        )
        course.ensure(
            counted.products <= needed,
            "An earlier iterate was good enough: the tolerance is relative to the norm of g, and the first one that "
            "meets it is taken.",
        )
        course.ensure(
            course.number(products, "products") == counted.products,
            "This is not the number of products that were spent: each inner iteration costs one.",
        )

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_damping(damping_for):
    import course

    t = [0.001, 0.02, 0.3, 1.0]

    def expected(lam, sigma, S):
        return sum((lam / (v + lam)) ** 2 * S + v * sigma**2 / (v + lam) ** 2 for v in t)

    low, high = (
        course.number(course.run(damping_for, sigma, 0.4, name="damping_for"), "damping_for(sigma, S)")
        for sigma in (0.01, 0.1)
    )
    course.ensure(
        abs(high / low - 10) > 1e-3, "The damping follows the variance of the noise, not its standard deviation."
    )
    course.ensure(abs(high / low - 100) < 1e-3, "Ten times the noise is a hundred times its variance.")
    for sigma, S in ((0.01, 0.4), (0.05, 0.1)):
        lam = course.number(course.run(damping_for, sigma, S, name="damping_for"), "damping_for(sigma, S)")
        course.ensure(abs(lam / sigma**2 - 1) > 1e-3, "The damping is a ratio: the image counts, too.")
        course.ensure(
            expected(lam, sigma, S) <= min(expected(0.97 * lam, sigma, S), expected(1.03 * lam, sigma, S)),
            "Another damping does better: write the expected squared error of one mode, and its derivative.",
        )

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# One step from zero is a run of conjugate gradients on the damped system. The next cell draws its error in the image
# against the products spent, from noisy data: without damping, with yours, and with yours for a tenth of the noise.
# $S$ comes from other images. What does the damping replace? (It needs `forward`, `adjoint`, `inner`, `pcg` and
# `damping_for`.)

# %%
S = float((abs(set3.examples(p)) ** 2).mean())
ready = not any(course.is_open(answer) for answer in (
    forward(truth, maps, mask), adjoint(maps, maps, mask), inner(truth, truth), damping_for(1.0, 1.0),
    pcg(lambda x: x, truth, set3.identity, inner)))
if ready:
    M = lambda x: adjoint(forward(x, maps, mask), maps, mask)
    noise = p.noise / 2**0.5 * set3.normal(maps.shape, p.seed + 2)
    noisy = adjoint(forward(truth, maps, mask) + mask * noise, maps, mask)
    dampings = {"no damping": 0, "yours": damping_for(p.noise, S), "for σ/10": damping_for(p.noise / 10, S)}
    for name, damping in dampings.items():
        damped = lambda x: M(x) + damping * x
        path = set3.take(pcg(damped, noisy, set3.identity, inner), 120)
        plt.plot(range(1, 121), [set3.norm(x - truth) / set3.norm(truth) for x, _ in path], label=name)
    plt.xlabel("products with $M$")
    plt.ylabel("relative error of the image")
    plt.legend()

# %% [raw]
# # BEGIN QUESTION
# name: q6
# points: 3

# %% [markdown]
# ## Question 6: charge everyone alike (3 points, 20 minutes)
#
# The currency is a product with $M$, that is, one with $A$ and one with $A^\top$. A method is a function `method(M,
# b)` that returns an iterator of images, $x_1, x_2, \dots$ It applies `M` as often as it likes before it hands out
# the next image.
#
# Write `compare(methods, M, b, error, budget)` for a dictionary of methods. It returns a dictionary: for each name
# `error(x)` of the last iterate that was finished with at most `budget` products. A method that has not finished its
# first iterate by then is left with zero, the image `0 * b`. Wrap the operator in `set3.Counted(M)`: it can be called
# like `M`, and its attribute `products` says how often it was.

# %% [raw]
# # BEGIN SOLUTION

# %%
def compare(methods, M, b, error, budget):
    # BEGIN SOLUTION
    found = {}
    for name, method in methods.items():
        counted, last = set3.Counted(M), 0 * b
        for x in method(counted, b):
            if counted.products > budget:
                break
            last = x
        found[name] = error(last)
    return found
    # END SOLUTION


# %% [raw]
# # END SOLUTION

# %% [raw]
# # BEGIN TESTS

# %%
""" # BEGIN TEST CONFIG
points: 1
""" # END TEST CONFIG
def test_compare_one_product_an_iteration(compare):
    import course
    import set3

    def steps(M, b):
        x = 0 * b
        for _ in range(30):
            x = x + M(b)
            yield x

    b = set3.array([1.0, 2.0])
    found = course.run(compare, {"one": steps}, lambda x: x, b, lambda x: float(x[0]), 7, name="compare")
    course.ensure(isinstance(found, dict) and set(found) == {"one"}, "`compare` returns a dictionary with the names.")
    course.ensure(course.number(found["one"], "error") == 7, "Seven products are seven iterations here.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_compare_counts_products(compare):
    import course
    import set3

    def steps(M, b):
        x = 0 * b
        for _ in range(30):
            M(M(b)), M(b)
            x = x + 1
            yield x

    b, error = set3.array([1.0]), lambda x: float(x[0])
    found = course.run(compare, {"three": steps}, lambda x: x, b, error, 13, name="compare")["three"]
    course.ensure(found != 13, "This budget is one of iterations. An iteration may spend several products.")
    course.ensure(found < 5, "The last iterate was finished with more products than the budget has.")
    course.ensure(found == 4, "One more iterate was finished within the budget.")
    found = course.run(compare, {"three": steps}, lambda x: x, b, error, 12, name="compare")["three"]
    course.ensure(found == 4, "An iterate that is finished with exactly the budget counts.")

# %%
""" # BEGIN TEST CONFIG
points: 1
hidden: true
""" # END TEST CONFIG
def test_compare_treats_methods_separately(compare):
    import course
    import set3

    def spending(products):
        def steps(M, b):
            x = 0 * b
            for _ in range(30):
                for _ in range(products):
                    M(b)
                x = x + 1
                yield x

        return steps

    methods = {"dear": spending(9), "cheap": spending(1), "two": spending(2)}
    b, error = set3.array([1.0]), lambda x: 50 + float(x[0])
    found = course.run(compare, methods, lambda x: x, b, error, 6, name="compare")
    afresh = found["cheap"] == 56 and found["two"] == 53
    course.ensure(afresh, "Each method has a budget of its own: does the count start afresh?")
    course.ensure(found["dear"] == 50, "A method that cannot finish its first iterate is left with the image zero.")

# %% [raw]
# # END TESTS

# %% [raw]
# # END QUESTION

# %% [markdown]
# Now all of them together, on data without noise: the figure shows the relative misfit $\lVert A x - y \rVert /
# \lVert y \rVert$ against products, the table what is reached with 60 products, and what with 12 iterations. The
# polynomials are those of uniform weights. Newton's damping is 0.01 and its tolerance 0.1, and it is run without and
# with momentum. For descent, the circulant and Jacobi's $P$ are divided by the largest eigenvalue of $P M$, which is
# above 2: as they are, they would diverge. (What is done once for a scanner and serves all images, such as finding
# that eigenvalue, is not charged.) The cell needs all that you wrote so far.

# %%
def all_methods(M):
    descend, cg = set3.descend, lambda N, b: islice(pcg(N, b, set3.identity, inner), 50)
    spectrum = circulant_spectrum(M, set3.SIDE)
    J = lambda g: jacobi(g, maps, mask)
    C = lambda g: circulant(g, spectrum, 0.03)
    top = {P: set3.largest(lambda x: P(M(x)), truth.shape) for P in (J, C)}
    c1, c2 = (fit(everywhere, 1 + 0 * everywhere, degree) for degree in (1, 2))

    def conjugate(P):
        return lambda M, b: (x for x, _ in pcg(M, b, P, inner))

    def limited(method):
        return lambda M, b: islice(method(M, b), 100)

    unlimited = {
        "no P": lambda M, b: descend(M, b),
        "momentum": lambda M, b: descend(M, b, momentum=True),
        "polynomial 1": lambda M, b: descend(M, b, lambda g: polynomial(c1, M, g)),
        "polynomial 2": lambda M, b: descend(M, b, lambda g: polynomial(c2, M, g)),
        "polynomial 2, momentum": lambda M, b: descend(M, b, lambda g: polynomial(c2, M, g), momentum=True),
        "Newton, inexact": lambda M, b: descend(M, b, lambda g: newton(M, g, 0.01, 0.1, cg)[0]),
        "Newton, momentum": lambda M, b: descend(M, b, lambda g: newton(M, g, 0.01, 0.1, cg)[0], momentum=True),
        "Jacobi, momentum": lambda M, b: descend(M, b, lambda g: J(g) / top[J], momentum=True),
        "circulant, momentum": lambda M, b: descend(M, b, lambda g: C(g) / top[C], momentum=True),
        "CG": conjugate(set3.identity),
        "CG with Jacobi": conjugate(J),
        "CG with circulant": conjugate(C),
    }
    return {name: limited(method) for name, method in unlimited.items()}


ready = ready and not any(course.is_open(answer) for answer in (
    jacobi(truth, maps, mask), circulant_spectrum(lambda x: x, 2), circulant(truth, abs(truth), 1.0), fit(t, t, 1),
    polynomial([1.0, 1.0], lambda x: x, truth), compare({}, lambda x: x, truth, abs, 1),
    newton(lambda x: x, truth, 1.0, 0.1, lambda N, b: islice(pcg(N, b, set3.identity, inner), 5))))
if ready:
    methods, b, budgets = all_methods(M), M(truth), (2, 4, 8, 15, 30, 60)

    def misfit(x):
        return set3.norm(forward(x - truth, maps, mask)) / set3.norm(forward(truth, maps, mask))

    reached = [compare(methods, M, b, misfit, budget) for budget in budgets]
    figure, ax = plt.subplots(figsize=(9, 5), layout="constrained")
    for name in methods:
        style = "-" if name.startswith("CG") else "--" if "momentum" in name else ":"
        ax.loglog(budgets, [row[name] for row in reached], style, marker=".", label=name)
    ax.set_xticks(budgets, labels=budgets)
    ax.minorticks_off()
    ax.set_xlabel("products with $M$")
    ax.set_ylabel("relative misfit")
    ax.legend(loc="upper left", bbox_to_anchor=(1, 1))
    print(f"{'relative misfit after':26s}{'60 products':>14s}{'12 iterations':>16s}")
    for name, method in methods.items():
        print(f"{name:26s}{reached[-1][name]:14.5f}{misfit(set3.take(method(M, b), 12)[-1]):16.5f}")

# %% [markdown]
# Not all of the image is in these data: with three coils and few columns, each row has fewer measurements than
# pixels. After 60 products, which methods have added something in the null space of $A$, and is it right?
# `set3.hidden` is the projector on the null space. The table gives the length of what a method has put there, and the
# length of the error there, both relative to the image's own part.

# %% tags=["study"]
def hidden_part(x):
    own = set3.hidden(truth, maps, mask)
    put = set3.hidden(x, maps, mask)
    return set3.norm(put) / set3.norm(own), set3.norm(put - own) / set3.norm(own)


if ready:
    print(f"{'in the null space':26s}{'added':>8s}{'error':>8s}")
    for name, (added, error) in compare(methods, M, b, hidden_part, 60).items():
        print(f"{name:26s}{added:8.3f}{error:8.3f}")

# %% [markdown]
# Last, a denoiser $D$ follows each step: $x_{k+1} = D\bigl(x_k - P(M x_k - b)\bigr)$. `set3.denoise` is the proximal
# map of a function $f$ (it shrinks Haar coefficients, and all of the image a little), and `set3.denoise(u, 0.5)` that
# of $\tfrac12 f$. Each run has 500 iterations with $P$ and $D$, then 500 more with $P = I$ and $D$ for $f$. The
# figure shows how far the run is from the point where the plain iteration rests.

# %% tags=["study"]
def rest(P, weight, x, iterations):
    path = []
    for _ in range(iterations):
        x = set3.denoise(x - P(M(x) - b), weight)
        path.append(x)
    return path


if ready:
    plain = rest(set3.identity, 1.0, 0 * b, 1500)[-1]
    c2 = fit(everywhere, 1 + 0 * everywhere, 2)
    trials = {
        "P = p(M), degree 2": (lambda g: polynomial(c2, M, g), 1.0),
        "P = I/2": (lambda g: g / 2, 1.0),
        "P = I/2, D for f/2": (lambda g: g / 2, 0.5),
    }
    figure, ax = plt.subplots(figsize=(8, 4))
    for name, (P, weight) in trials.items():
        path = rest(P, weight, 0 * b, 500)
        path = path + rest(set3.identity, 1.0, path[-1], 500)
        ax.semilogy([set3.norm(x - plain) / set3.norm(plain) for x in path], label=name)
    ax.axvline(500, color="grey", linewidth=0.8)
    ax.set_xlabel("iteration; from the line on without $P$")
    ax.set_ylabel("distance to the plain fixed point")
    ax.legend()

# %% [raw]
# # BEGIN QUESTION
# name: q7
# manual: true
# points: 3

# %% [markdown]
# ## Question 7: what P can change (3 points, 25 minutes)
#
# (a) Let $x_0 = 0$ and $x_{k+1} = x_k - P(M x_k - b)$ with a linear $P$. Show: if $P$ maps the range of $A^\top$ into
# itself, the part of $x_k$ in the null space of $A$ stays zero. Show that $p(M)$ and $(M + \lambda I)^{-1}$ do so,
# and say why Jacobi's and the circulant $P$ need not. Is it good news that they leave the range?
#
# (b) Without a denoiser and with a positive definite $P$: show that the iteration has the same fixed points as the
# one with $P = I$.
#
# (c) Now $D$ is the proximal map of a convex function $f$ that has a gradient. Write the equation for the fixed
# points with and without $P$. When does one and the same $x$ satisfy both? Explain the three curves of the last
# figure. (The figure's $f$ has corners. Read "a subgradient" there.)

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) $M x_k - b = A^\top(A x_k - y)$ lies in the range of $A^\top$. $P$ keeps it there, and $x_{k+1}$ is a sum of two
# vectors of that subspace. The range of $A^\top$ is orthogonal to the null space of $A$: $\langle A^\top v, n \rangle
# = \langle v, A n \rangle = 0$. So there is no part in the null space, by induction. $M A^\top v = A^\top (A A^\top
# v)$, so every power of $M$ maps the range into itself, and so does $p(M)$. For $d = (M + \lambda I)^{-1} A^\top v$
# one has $\lambda d = A^\top v - M d$, which is in the range (or: $d = A^\top (A A^\top + \lambda I)^{-1} v$). A
# diagonal matrix in pixels or in frequencies does not commute with $M$ in general and mixes range and null space.
# That is no good news in itself. What is added in the null space follows from the operator alone; it amounts to an
# assumption about images. In the table the error there stays about 1: the assumption is not right for this image.
#
# (b) A fixed point has $P(M x - b) = 0$. A positive definite $P$ is invertible, so $M x = b$; the converse is plain.
# (From $x_0 = 0$ the two runs may still end at different solutions of $M x = b$, if $P$ leaves the range.)
#
# (c) $x = D(u)$ means $u - x = \nabla f(x)$. With $u = x - P(M x - b)$: $-P \nabla g(x) = \nabla f(x)$, and without
# $P$ $-\nabla g(x) = \nabla f(x)$. Both hold for one $x$ only if $P \nabla g(x) = \nabla g(x)$ there: for example if
# the gradient is zero at $x$, so that $x$ fits the data and $f$ is smallest at it, or if the gradient lies in modes
# on which $P$ is 1. First curve: the polynomial has $P \nabla g \ne \nabla g$ and rests elsewhere; the plain
# iteration leaves that point and goes back, so it was another point and no slow way to the same one. Second: even
# half a step rests elsewhere. Third: $-\tfrac12 \nabla g = \tfrac12 \nabla f$ is the plain equation, so half the step
# with half the prior ends at the same point.
#
# *Rubric.* (a) 1 point: half for the gradient in the range, the subspace and its complement; half for $p(M)$ and
# Newton, and for the reason why the others leave. "They also improve the null space" without a condition loses a
# quarter. (b) half a point; it needs that $P$ is invertible. (c) 1 point and a half: half for the two equations, half
# for the condition with an example, half for the curves. *Typical answers.* "$P$ changes the speed and not the limit"
# (c): no point of the one and a half; it is right for (b) alone. "The run has not converged yet": half the points for
# the curves, unless the return to the plain point is used against it. "The fixed points agree if $P$ is invertible"
# (c): only the half for the equations, if these are there.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION

# %% [raw]
# # BEGIN QUESTION
# name: q8
# manual: true
# points: 3

# %% [markdown]
# ## Question 8: who wins, and against whom (3 points, 20 minutes)
#
# Read the figure and the table of question 6.
#
# (a) Consider the methods that only combine products with $M$: no $P$, momentum, the polynomials, Newton. Which is
# the best of them at 60 products, and by what factor is CG ahead of it? Why can none of them, whatever its step,
# momentum or coefficients, be ahead of CG in this figure? Which order would you have reported from the column of
# iterations?
#
# (b) For Jacobi's and the circulant $P$ the argument does not hold. Why? With which method must a $P$ of this kind be
# compared, and who wins on your scanner?
#
# (c) With a denoiser between the steps, CG cannot be used as it is. Why not? Name one way in which it can still serve
# there. You want to show that the polynomial of degree 2 helps behind the denoiser: name four things that a fair
# comparison with no $P$ has to take care of.

# %% [raw]
# # BEGIN SOLUTION

# %% [markdown]
# (a) The names and the factor are in the student's own table. After $k$ products each of these methods has an iterate
# that is a combination of $b, M b, \dots, M^{k-1} b$, the Krylov space. (Newton's inner run stays in it, too.) CG's
# $k$-th iterate has the smallest misfit $\lVert A x - y \rVert$ of all elements of this space (for data without
# noise, $\langle x - x^*, M (x - x^*) \rangle$ is its square). No step, momentum, or polynomial leaves the space, so
# none can be ahead at equal products. By iterations, Newton and the polynomials with momentum would come before CG,
# since each of their iterations spends several products.
#
# (b) Their iterates lie in another space, spanned by $P b, P M P b, \dots$ CG is not the best there. CG *with the
# same* $P$ is: it has the smallest misfit in that space, so it is the rival for every descent with this $P$. The
# preconditioned CG is ahead of the descent, as the student's table shows. (There $P$ also needs no scaling to be
# safe.) Whether CG with $P$ is ahead of CG without it is to be read from the table: with Jacobi's $P$ it is as a
# rule, with the circulant one not always.
#
# (c) CG's short recurrence rests on one linear system with a fixed symmetric operator. The denoiser is not linear and
# changes the iterate between two products, so the directions are no longer conjugate and the residual is not that of
# the system. CG can still solve the linear part inside of an iteration: the damped Newton step, or the data step of
# HQS and ADMM. A fair comparison: equal products with $A$ and $A^\top$, and the calls of the denoiser counted as
# well; momentum for both, with the bound on $t\,p(t)$ that goes with it; the strength of the denoiser chosen for each
# method, on other images, and inside of the grid, since $P$ moves the fixed point; several images, with differences
# image by image, their scatter and the worst one; the best method that learns nothing as a rival (such as CG inside
# of HQS).
#
# *Rubric.* One point each. (a) a third for name and factor, a third for the Krylov space and CG's optimality, a third
# for what iterations hide. (b) half for the other space, half for CG with the same $P$ as rival, with the numbers.
# (c) a third for the reason, a sixth for the inner solve, half for four items (an eighth each). *Typical answers.*
# "CG has an optimal step size" (a): a sixth; so has steepest descent. "Jacobi's $P$ beats momentum, so it helps" (b):
# no point. "Run both equally long" (c): no item, unless products are named.

# %% [raw]
# # END SOLUTION

# %% [raw]
# # END QUESTION
