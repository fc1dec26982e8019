# %% [markdown]
# (three-cameras)=
# # Three cameras, one equation: what the data say, and what they cannot
#
# ```{admonition} Key results
# :class: tip
#
# - **Two images, one record.** For each of three cameras we build two different images with the same data. Every
#   method is wrong on one of the two, by at least half their distance. A learned method that is right on digits is wrong
#   on the other.
# - **Knowledge fills the gap, if there is enough of it.** Knowing that pixels lie between 0 and 1 lowers the error of
#   a digit from 59 % to 41 %; a method that has learned from digits reaches 16 %. Sparsity alone would need four
#   times the measurements.
# - **Noise.** The exact inverse of one camera multiplies it by 900. To give up what the camera passes on most weakly
#   lowers that to 10.
#
# **Time:** 19 minutes to read, less than one to run. **Before this:** linear algebra and a little PyTorch. Symbols are
# gathered on the [notation page](notation.md), terms in the [glossary](glossary.md).
# ```

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %% tags=["hide-input"]
import numpy as np
import torch
from scipy.ndimage import label
from scipy.optimize import linprog, minimize_scalar
from scipy.stats import norm
from torch.nn.functional import conv2d, pad

import ddgp_lib
from ddgp_lib import analysis, answers, checks, figures, widgets
from ddgp_lib.operators import (
    CartesianMRI,
    FourierDownsampling,
    HadamardCamera,
    measure,
    norms,
)
from ddgp_lib.solvers import chambolle_dossal
from ddgp_lib.tables import Column, table

names = {"single_pixel": "one pixel", "mri": "MRI", "super_resolution": "few pixels"}
options = {"single_pixel": {}, "mri": {}, "super_resolution": {"rtol": 1e-5}}
tasks = {name: ddgp_lib.load_task(name, **options[name]) for name in names}
digits, brains, faces = tasks.values()

# %% [markdown]
# A camera with one pixel; a scanner that listens to radio waves; a poor lens in front of too few pixels. Each column
# below is one of these cameras: the object, the numbers that it records, and the *back-projection* $A^\top y$, a first
# attempt at the way back. What could you tell of the object from the middle row alone?

# %% mystnb={"figure": {"name": "fig-tc-question", "caption": "Three objects, what is recorded of them, and the back-projection. The first two records are magnitudes on a logarithmic scale, black where nothing was measured; the last back-projection is multiplied by 16. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Three rows of three images. Top: a digit four, a sagittal brain slice, a face. Middle: scattered grey dots on black; bright vertical lines, dense in the middle; a blurred face of 16 by 16 pixels. Bottom: a blocky shadow of the four; the brain, blurred and with stripes beside it; a face so blurred that little but its outline is left."}} tags=["hide-input"]
pairs = {"single_pixel": (4, 0), "mri": (5, 3), "super_resolution": (3, 4)}
first = {name: task.test_images[pairs[name][0]][None] for name, task in tasks.items()}
rows = {"object": first, "record": {}, "$A^T y$": {}}
for name, task in tasks.items():
    y = task.measure(first[name])
    magnitude = y if task is faces else (1 + 100 * y.norm(dim=1, keepdim=True)).log()
    rows["record"][name] = magnitude / magnitude.max()
    rows["$A^T y$"][name] = task.stepsize * task.student.A_adjoint(y)
titled = {
    (row, name): x if row == "record" else tasks[name].picture(x)
    for row in rows
    for name, x in rows[row].items()
}
shown = {f"{names[name]}: {row}": x for (row, name), x in titled.items()}
figures.images(shown, columns=3)

# %% [markdown]
# The machines have little in common, yet one line describes them all. An image goes in, a list of numbers comes out,
# each a weighted sum of the pixels:
#
# $$
# y = A x^* + w .
# $$ (eq-tc-model)
#
# Here $x^* \in \mathbb{R}^n$ is the true image with its $n$ pixels in one column, $A \in \mathbb{R}^{m \times n}$ is
# the **operator**, also called the *physics* or the *forward model*, $y$ holds $m$ measurements, and $w$ is noise. To
# find $x^*$ from $y$ and $A$ is an **inverse problem**. All three cameras have $m < n$: fewer equations than
# unknowns. This chapter builds them in a few lines each, and asks how much of an image is still in their numbers.
#
# After this chapter you can
#
# 1. write three imaging systems as $y = A x + w$, each $A$ as a function of a few lines;
# 2. test an adjoint in two ways, and say why it is not an inverse;
# 3. split an image into what the data determine and what they do not show, and build two images with the same data;
# 4. say what sparsity can and cannot replace, and what a learned method has to invent;
# 5. say what a noise level means for a given camera, and when not to trust $A^+$.
#
# ## Camera one: a single pixel
#
# ```{figure} _static/drawings/camera_single_pixel.svg
# :name: fig-tc-camera-one
# :alt: An image is covered by a pattern of ones and minus ones; a detector adds up what is left to one number. With a tenth of all patterns there are a tenth as many numbers as pixels.
#
# The single-pixel camera: one number for each pattern.
# ```
#
# A single-pixel camera {cite}`duarte2008single` has one light detector. It lays a pattern over the scene, collects the
# light that passes, and writes down one number: the inner product of the two. Then it takes the next pattern. Ours are
# of a **Hadamard basis** {cite}`zhang2017hadamard`: every entry is $\pm 1/32$, and the 1,024 patterns of $32 \times 32$
# pixels are orthonormal. (Light cannot be negative: in practice each pattern is split into two of zeros and ones.)
#
# We cannot afford all of them, so the order matters. *Cake-cutting* order {cite}`yu2019cake` takes first the patterns
# that fall into the fewest connected pieces of one sign. We measure the first tenth.

# %% mystnb={"figure": {"name": "fig-tc-patterns", "caption": "Eight of the 102 patterns: the place in the order and, in brackets, the number of pieces. Red is plus, blue is minus."}, "image": {"alt": "Eight patterns in red and blue: uniform; an upper and a lower half; a left and a right half; three bands; two by two fields; three by two fields; a checkerboard of five by five fields of different sizes; and, as the last, 29 thin bands."}} tags=["hide-input"]
spc, x = digits.student, digits.test_images[:4]
ratios = [m / 1024 for m in range(1, 103)]
masks = torch.cat([HadamardCamera(ratio, digits.img_size).mask for ratio in ratios])
added = masks.diff(dim=0, prepend=torch.zeros_like(masks[:1]))
patterns = spc.V(added)  # one entry each, turned into its pattern
pieces = [label(p > 0)[1] + label(p < 0)[1] for p in patterns[:, 0].numpy()]
chosen = (0, 1, 2, 3, 7, 11, 85, 101)
shown = {f"no. {i + 1} ({pieces[i]})": patterns[i] for i in chosen}
figures.images(shown, signed=True, vmax=1 / 20)

# %%
assert pieces == sorted(pieces)
assert torch.allclose(patterns.abs(), torch.full_like(patterns, 1 / 32), atol=1e-6)
for pattern, entry in zip(patterns, added, strict=True):
    assert torch.allclose((pattern * x).sum((1, 2, 3)), spc.A(x)[..., entry[0] > 0].flatten(), atol=1e-4)

# %% [markdown]
# Write the image as a $32 \times 32$ matrix. All 1,024 inner products are $\Psi\, x\, \Psi$, with a small matrix
# $\Psi = \Psi^\top$ whose entries are $\pm 1/\sqrt{32}$. The camera keeps a set $\Omega$ of them:
#
# $$
# A x = (\Psi\, x\, \Psi)_\Omega .
# $$ (eq-tc-single-pixel)
#
# In code, $\Psi$ is grown from a $2 \times 2$ matrix, and $\Omega$ is a mask of zeros and ones. (The library keeps the
# shape of the image for $y$, with zeros where nothing was measured.)

# %%
Psi = torch.ones(1, 1)
for _ in range(5):
    Psi = torch.kron(Psi, torch.tensor([[1.0, 1.0], [1.0, -1.0]]) / 2**0.5)
y = spc.mask * (Psi @ x @ Psi)
torch.testing.assert_close(y, spc.A(x), rtol=0, atol=1e-5)
assert torch.equal(Psi, Psi.T)
torch.testing.assert_close(Psi @ Psi, torch.eye(32), rtol=0, atol=1e-6)

# %% [markdown]
# ## Camera two: an MRI scanner
#
# ```{figure} _static/drawings/camera_mri.svg
# :name: fig-tc-camera-two
# :alt: An image goes through a Fourier transform to k-space. Of its columns those in the middle are measured, and some of the others; the rest is never seen.
#
# The scanner: some columns of the Fourier transform.
# ```
#
# In magnetic resonance imaging (MRI), magnetic fields are set so that the signal of a whole slice of the body at one
# instant is one Fourier coefficient of its image. The plane of all coefficients is called **k-space**, with the zero
# frequency in its middle. A *Cartesian* scan reads it column by column. Each column takes time, so only some of them
# are read {cite}`lustig2007sparse`. With $F$, the orthonormal two-dimensional Fourier transform,
#
# $$
# A x = (F x)_\Omega ,
# $$ (eq-tc-mri)
#
# where $\Omega$ holds 32 of 128 columns: ten in the middle, where images are strong, the others at random and rarer
# outwards. This is called an *acceleration* of 4.
#
# The image is **complex**: magnetisation has a direction, which varies slowly over the body. We store it as two real
# channels, the real and the imaginary part, so $n = 2 \cdot 128^2$. Doctors look at the magnitude.

# %%
mri, x = brains.student, first["mri"]
z = torch.fft.ifftshift(torch.complex(x[:, 0], x[:, 1]), dim=(1, 2))
k_space = torch.fft.fftshift(torch.fft.fft2(z, norm="ortho"), dim=(1, 2))
y = mri.columns * torch.stack([k_space.real, k_space.imag], dim=1)
torch.testing.assert_close(y, mri.A(x), rtol=0, atol=1e-4)
assert int(mri.columns.sum()) == 32
assert mri.columns[59:69].all()

# %% mystnb={"figure": {"name": "fig-tc-mri", "caption": "Upper row: the magnitude of a brain slice, and its real and imaginary part, where mid-grey is zero. Lower row: the magnitude of its k-space on a logarithmic scale, the columns that are read, and what is read."}, "image": {"alt": "Six images. A sagittal brain slice; its real part, much like it on grey; its imaginary part, faint, brighter than grey at the back and darker at the top; k-space, brightest in the middle and dark outwards; white vertical lines on black, ten joined in the middle and the others scattered; and the same lines of k-space."}} tags=["hide-input"]
strength = (1 + 100 * k_space.abs()).log()
strength = strength / strength.max()
figures.images(
    {
        "$|x|$": brains.picture(x),
        "real part": 0.5 + 0.5 * x[:, 0],
        "imaginary part": 0.5 + 0.5 * x[:, 1],
        "$|F x|$": strength,
        "columns": mri.columns.float().expand(128, 128),
        "$|A x|$": strength * mri.columns,
    },
    columns=3,
)

# %% [markdown]
# The phase matters: if $x$ were real, its Fourier coefficients would come in conjugate pairs, and half of them could be
# had for nothing. The phase and the k-space of our slices are simulated; where the slices come from is a section of its
# own, [below](tc-data).
#
# ## Camera three: a blur and too few pixels
#
# ```{figure} _static/drawings/camera_super_resolution.svg
# :name: fig-tc-camera-three
# :alt: An image is blurred by a wide Gaussian, and then one pixel is kept of each block of four by four.
#
# The third camera: a blur, and one pixel of sixteen.
# ```
#
# The third camera is an ordinary one with a poor lens and few pixels. The lens spreads every point over a *kernel*
# $b$, here a Gaussian with a standard deviation of 4 pixels, and the sensor then keeps one pixel in $4 \times 4$. To
# undo both is called **super-resolution**:
#
# $$
# A x = (b * x)_\Omega ,
# $$ (eq-tc-blur)
#
# where $*$ is a convolution, periodic at the borders, and $\Omega$ the coarse grid of pixels.

# %%
lens, face = faces.student, first["super_resolution"]
b = lens.filter


def blur(x):
    return conv2d(pad(x, (b.shape[-1] // 2,) * 4, mode="circular"), b)


y = blur(face)[..., ::4, ::4]
torch.testing.assert_close(y, lens.A(face), rtol=0, atol=1e-5)
assert abs(float(b.sum()) - 1) < 1e-6

# %% mystnb={"figure": {"name": "fig-tc-blur", "caption": "The kernel, the blurred face, a detail of 16 by 16 pixels in which those that are kept are white, and the record of 16 by 16 pixels. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Four images. A round bright spot that fades to black; a strongly blurred face; a grey detail with a white pixel at every fourth place in both directions; and the blurred face in 16 by 16 large pixels."}} tags=["hide-input"]
grid = blur(face).clone()
grid[..., ::4, ::4] = 1
shown = {
    "$b$": b / b.max(),
    "$b * x$": blur(face),
    "grid": grid[..., 22:38, 22:38],
    "$A x$": y,
}
figures.images(shown, columns=4)

# %% [markdown]
# ## Why an operator is a function
#
# A linear map is a matrix, and its column $j$ is what the camera records of a single lit pixel $j$. How large would
# that matrix be, in single precision?


# %%
def in_bytes(mega):
    return f"{mega:.1f} MB" if mega < 1000 else f"{mega / 1000:,.1f} GB"


sizes = {name: (task.student.rank, first[name].numel()) for name, task in tasks.items()}
counted = {names[name]: size for name, size in sizes.items()}
counted["MRI, 1,024 × 1,024"] = (2**19, 2**21)
table(
    "What each camera measures, and what its matrix would take.",
    ["measurements m", "unknowns n", "matrix"],
    {name: [m, n, in_bytes(4 * m * n / 1e6)] for name, (m, n) in counted.items()},
    corner="camera",
)

# %%
dense, one = analysis.dense_matrix(spc, digits.img_size), first["single_pixel"]
assert torch.allclose(dense.float() @ one.flatten(), spc.A(one).flatten(), atol=1e-5)
assert int(torch.linalg.matrix_rank(dense)) == sizes["single_pixel"][0] == 102
assert sizes["mri"] == (2 * 128 * 32, 2 * 128 * 128)
assert sizes["super_resolution"] == (16 * 16, 64 * 64)

# %% [markdown]
# The matrix grows with the *square* of the number of pixels; for a slice of $1024 \times 1024$ it would take
# thousands of gigabytes. The three functions above need a $32 \times 32$ matrix with its mask, 128 booleans and a
# kernel. So from here on, $A$ is something that can be applied, and methods may use two things: $A$ and $A^\top$.
#
# ## The adjoint: back-projection
#
# The **adjoint** $A^\top$ is defined by one identity, which is also its test:
#
# $$
# \langle A x, y \rangle = \langle x, A^\top y \rangle \quad \text{for all } x \text{ and } y .
# $$ (eq-tc-adjoint)
#
# To find it, transpose each step and reverse their order. Keeping the entries in $\Omega$ becomes putting zeros
# elsewhere; $\Psi$ is symmetric; $F$ becomes the inverse transform; a convolution becomes one with the mirrored
# kernel. In words: each measurement is put back where it came from, with the weights with which it was collected.
# Hence *back-projection*. It costs what $A$ costs.
#
# There are two ways to test code for $A^\top$. The library's `check_adjoint` draws random pairs $x$, $y$. A pair that
# fails proves a mistake; pairs that pass make one unlikely. Automatic differentiation gives the adjoint itself: the
# gradient of $\langle A x, y \rangle$ with respect to $x$ is $A^\top y$.


# %%
def by_autograd(A, x, y):
    x = x.clone().requires_grad_()
    return torch.autograd.grad((A(x) * y).sum(), x)[0]


generator = torch.Generator().manual_seed(0)
for name, task in tasks.items():
    A, x = task.student, first[name]
    y = torch.randn(A.A(x).shape, generator=generator)
    checks.check_adjoint(A, x.shape, tolerance=1e-5)
    assert torch.allclose(by_autograd(A.A, x, y), A.A_adjoint(y), atol=1e-5)

# %% [markdown]
# All three pass both tests. Now a transpose in which a minus sign got lost:


# %%
def negative(y):
    return -lens.A_adjoint(y)


try:
    checks.check_adjoint(lens.A, face.shape, adjoint=negative)
except checks.CheckFailed as found:
    cause = found.cause
print(cause)
assert "sign" in cause

# %% [markdown]
# ```{note}
# Both tests compare two functions with each other, and not with the camera. If $A$ has the wrong kernel, and $A^\top$
# the same one, both pass.
# ```
#
# Is $A^\top$ the way back? The **pseudo-inverse** $A^+$ is the better candidate: among all images that explain $y$
# best, $A^+ y$ is the one with the smallest norm. All three cameras have it in closed form. The *misfit* below is
# $\lVert A \hat x - y \rVert / \lVert y \rVert$, the *error* $\lVert \hat x - x^* \rVert / \lVert x^* \rVert$.

# %%
ways_back = {}
for name, task in tasks.items():
    A, x = task.student, task.test_images[:40]
    y, found = A.A(x), []
    for back in (A.A_adjoint(y), A.A_dagger(y)):
        misfit, error = norms(A.A(back) - y) / norms(y), norms(back - x) / norms(x)
        found += [float(misfit.mean()), float(error.mean())]
    ways_back[names[name]] = found
heads = ["Aᵀy misfit", "Aᵀy error", "A⁺y misfit", "A⁺y error"]
table(
    "Two ways back without noise, means over 40 test images.",
    heads,
    ways_back,
    corner="camera",
)

# %%
for name, found in ways_back.items():
    assert found[2] < 1e-4
    assert (found[0] < 1e-5) == (name != "few pixels")
    assert 0.1 < found[3] <= found[1] + 1e-5
assert abs(faces.stepsize - 16) < 1e-3  # 1 / ‖A‖²

# %% [markdown]
# For the first two cameras the columns agree: their rows are orthonormal, $A A^\top = I$, and then $A^+ = A^\top$
# ({ref}`ex-tc-orthonormal`). The third back-projection is far too dark, which a factor of
# $1/\lVert A \rVert^2 = 16$ mends, and it is blurred a second time, which no factor mends. Only $A^+$ fits its data.
#
# **Without noise every $A^+ y$ fits the data exactly, and none of them is the image.** What is missing was never in
# the data.
#
# ## What the data determine
#
# Apply $A^+$ to the data of $x$ itself. $A^+ A$ is the orthogonal projector on the range of $A^\top$.
# So every image splits into two orthogonal parts,
#
# $$
# x = \underbrace{A^+A\, x}_{\text{determined}} + \underbrace{(I - A^+A)\, x}_{\text{not shown}} ,
# $$ (eq-tc-split)
#
# and their energies $\lVert \cdot \rVert^2$ add up. The second lies in the **null space**
# of $A$, the images whose record is zero. `analysis.split` returns both.

# %%
lost = {}
for name, task in tasks.items():
    A, x = task.student, task.test_images[:80]
    shares = [100 * (1 - sizes[name][0] / sizes[name][1])]
    for images in (x, x - x.mean((2, 3), keepdim=True)):
        seen, unseen = (norms(part) ** 2 for part in analysis.split(A, images))
        torch.testing.assert_close(seen + unseen, norms(images) ** 2, rtol=1e-4, atol=0)
        shares.append(float(100 * (unseen / (seen + unseen)).mean()))
    lost[names[name]] = shares
heads = ("dimensions lost", "energy lost", "energy lost without the mean")
heads = [Column(head, "%", digits=1) for head in heads]
table(
    "What the data do not show, means over 80 test images.",
    heads,
    lost,
    corner="camera",
)

# %%
for task in tasks.values():
    assert task.student.A(analysis.split(task.student, task.test_images[:8])[1]).abs().max() < 1e-4
assert lost["one pixel"][1] > 30
assert lost["few pixels"][0] > 90
assert max(lost["MRI"][1], lost["few pixels"][1]) < 3
assert lost["few pixels"][2] > 4 * lost["few pixels"][1]

# %% [markdown]
# Dimensions are not energy: the third camera loses nearly all dimensions and hardly
# any energy, because it keeps the low frequencies, where images are strong. And energy is not what one looks for.
# Much of it is the mean grey level. Leave the mean out, and the face camera's loss grows from
# 1.5 % to 11 %. Look at
# what is lost:

# %% mystnb={"figure": {"name": "fig-tc-split", "caption": "Three images, the part that the data determine, and the part that they do not show (the real part for MRI; mid-grey is zero). Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Three rows of three images. The digit four, its blocky shadow, and a detailed grey pattern with the strokes of the four. The brain slice, a version with stripes, and a faint pattern of upright edges. The face, a blurred face, and its fine lines: eyes, brows, mouth and outline."}} tags=["hide-input"]
parts = {}
for name, task in tasks.items():
    seen, unseen = analysis.split(task.student, first[name])
    three = {
        "$x$": task.picture(first[name]),
        "determined": task.picture(seen),
        "not shown": 0.5 + unseen[:, 0],
    }
    parts |= {f"{names[name]}\n{title}": picture for title, picture in three.items()}
figures.images(parts, columns=3)

# %% [markdown]
# Strokes, edges and eyes are lost: what one looks at an image for.
#
# How many measurements would be enough? Let $n/m$ be the number of pixels for each measurement. For
# the scanner this is the acceleration. The third camera keeps one pixel in a square of $n/m$, after a blur as wide as
# the side of this square. Its singular values below 3 % of the largest count as zero, for a reason that the section on
# noise gives. Move the slider. Where does each picture of what is seen stop being useful?


# %% tags=["hide-input"]
def cameras(per):
    side = round(per**0.5)
    lens = {"std": float(side), "rtol": 0.03}
    middle = min(0.08, 0.5 / per)
    return {
        "single_pixel": HadamardCamera(1 / per, (1, 32, 32)),
        "mri": CartesianMRI(per, (2, 128, 128), center_fraction=middle),
        "super_resolution": FourierDownsampling(side, (1, 64, 64), **lens),
    }


def halves(per):
    return {name: analysis.split(A, first[name]) for name, A in cameras(per).items()}


def losses(per):
    parts = halves(per).items()
    return [float((norms(lost) / norms(first[name])) ** 2) for name, (_, lost) in parts]


# %% tags=["hide-input"]
def draw_split(per):
    upper, lower = {}, {}
    for name, (seen, unseen) in halves(per).items():
        upper[f"{names[name]}: seen"] = tasks[name].picture(seen)
        lower[f"{names[name]}: lost"] = 0.5 + unseen[:, 0]
    return figures.images(upper | lower, columns=3)


def describe_split(per):
    one, mri, few = (f"{share:.1%}" for share in losses(per))
    lost = f"one pixel {one}, MRI {mri}, few pixels {few}"
    return f"Pixels for each measurement: {per}. Energy lost: {lost}."


shares = torch.tensor([losses(per) for per in (1, 4, 16, 64)])
amount = {
    "draw": draw_split,
    "values": [1, 4, 16, 64],
    "label": "Pixels for each measurement, n/m",
    "alt": describe_split,
    "start": 1,
    "caption": "What three cameras determine, and what they lose (the real part for "
    "MRI; mid-grey is zero). Face: ORL database, AT&T Laboratories Cambridge.",
}
widgets.frames(**amount)

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**amount)  # in a running kernel, this calls `draw_split` at every move

# %%
assert (shares.diff(dim=0) > 0).all()
assert shares[0, :2].max() < 1e-6 < 1e-4 < shares[0, 2]
assert int(cameras(64)["mri"].columns.sum()) == 2

# %% [markdown]
# The three fail in their own ways: blocks, ghosts along one direction, blur. With $n/m = 64$ the
# scanner reads two columns, and the brain is a band of stripes. With $n/m = 1$ the first two cameras lose nothing.
# The third still does, since a blur alone pushes fine detail below the 3 %.
#
# ## Two images, one record
#
# Take two images $x$ and $x'$, and add to the first what the camera does not show of their difference:
#
# $$
# \begin{aligned}
# \tilde x &= x + (I - A^+A)(x' - x) \\
# &= A^+A\, x + (I - A^+A)\, x' .
# \end{aligned}
# $$ (eq-tc-forged)
#
# Since $A (I - A^+A) = 0$, the records agree: $A \tilde x = A x$. Do the images?

# %%
forged, rows = {}, {}
for name, task in tasks.items():
    A, (x, other) = task.student, task.test_images[list(pairs[name])].split(1)
    forged[name] = x + analysis.split(A, other - x)[1]
    same = float(norms(A.A(forged[name]) - A.A(x)) / norms(A.A(x)))
    apart = float(norms(forged[name] - x) / norms(x))
    rows[names[name]] = [f"{same:.0e}", 100 * apart]
    assert same < 1e-5
    assert apart > 0.1
heads = ["of the records", Column("of the images", "%", digits=0)]
table("Relative difference of a pair.", heads, rows, corner="camera")

# %% [markdown]
# The records agree up to rounding, and the images do not. Here are all three pairs:

# %% mystnb={"figure": {"name": "fig-tc-forged", "caption": "In each row, the first and the last image have the same record. The four has become a five, the brain has got the ventricles of another slice, and the face glasses and the shadow of a beard. Faces: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Three rows of three images. A four, a five, and an image that looks like the five with grey blocks around it. A sagittal slice, an axial slice, and the sagittal slice with the ventricles and the outline of the axial one faintly in it. A clean-shaven face, a face with glasses and a beard, and the first face with the glasses and a shadow of the beard."}} tags=["hide-input"]
shown = {}
for name, task in tasks.items():
    x, other = task.test_images[list(pairs[name])].split(1)
    three = {"$x$": x, "$x'$": other, "$\\tilde{x}$": forged[name]}
    for title, image in three.items():
        shown[f"{names[name]}: {title}"] = task.picture(image)
figures.images(shown, columns=3)

# %% [markdown]
# **The data cannot tell which.** And these are only two of very many: $x + h$ has the same record for every image $h$
# of the null space, which has $n - m$ dimensions. No method, trained or not, can be right about all of them. Let
# $\mathcal{R}$ be any rule that turns a record into an image. With $y = A x = A \tilde x$, the triangle inequality says
#
# $$
# \begin{aligned}
# \lVert x - \tilde x \rVert &\le \lVert \mathcal{R}(y) - x \rVert \\
# &+ \lVert \mathcal{R}(y) - \tilde x \rVert .
# \end{aligned}
# $$ (eq-tc-bound)
#
# On one of the two, $\mathcal{R}$ is wrong by at least half their distance. The best that a method can do is to be
# wrong on images that are *less likely*, and for that it has to know which ones are. Such knowledge is called a
# **prior**. The next three sections try one each, from the weakest to the strongest, on the single-pixel camera.
#
# ## Prior one: pixels lie between 0 and 1
#
# Some pixels of the forged five are darker than black. To forbid that is already to know something that is not in $y$.
# The method takes gradient steps on $\tfrac12 \lVert A x - y \rVert^2$, and after each it sets every pixel to the
# nearest number in $[0, 1]$. (Momentum makes it faster; [chapter 2](conditioning) explains it.)


# %%
def in_the_box(A, y, iterations):
    x = z = A.A_adjoint(y)
    for k in range(iterations):
        step = (z - A.A_adjoint(A.A(z) - y)).clamp(0, 1)
        x, z = step, step + chambolle_dossal(k + 1) * (step - x)
    return x


def relative(found, x):
    return float((norms(found - x) / norms(x)).mean())


# %%
x = digits.test_images[:40]
y = spc.A(x)
boxed = in_the_box(spc, y, 200)
errors = {"smallest norm": relative(spc.A_dagger(y), x), "box": relative(boxed, x)}
smallest, box = errors.values()
print(f"mean error of the smallest norm {smallest:.2f}, with the box {box:.2f}")

# %%
assert (norms(spc.A(boxed) - y) / norms(y)).max() < 1e-3
assert forged["single_pixel"].min() < -0.1
assert errors["box"] < 0.75 * errors["smallest norm"]

# %% [markdown]
# The box removes nearly a third of the error. Any better prior should be compared with it.
#
# ## Prior two: most pixels are zero
#
# Let $x$ have only $K$ pixels that are not zero, at unknown places. Then $m < n$ measurements can be enough, and
# finding $x$ need not mean trying all places. **Compressed sensing** {cite}`candes2006robust,donoho2006compressed`
# takes, among the images with the right record, the one with the smallest $\ell_1$ norm $\lVert x \rVert_1 = \sum_j
# \lvert x_j \rvert$:
#
# $$
# \begin{aligned}
# \hat x = {} & \operatorname*{argmin}_{z}\, \lVert z \rVert_1 \\
# & \text{subject to } A z = y .
# \end{aligned}
# $$ (eq-tc-l1)
#
# When is $\hat x = x$? That is again a question about the null space. All other candidates are $x + h$ with $A h = 0$.
# Let $S$ be the set of the $K$ pixels of $x$. Then $\lVert x + h \rVert_1 \ge \lVert x \rVert_1 - \lVert h_S \rVert_1 +
# \lVert h_{S^c} \rVert_1$, where $S^c$ are the other pixels. So *every* $x$ with $K$ non-zero pixels is recovered if
#
# $$
# \lVert h_S \rVert_1 < \lVert h_{S^c} \rVert_1
# $$ (eq-tc-nsp)
#
# for every $h \neq 0$ of the null space and every set $S$ of $K$ pixels, and only if ({ref}`ex-tc-sparse`). This **null
# space property** {cite}`cohen2009compressed` says that no image that the camera misses is concentrated on few pixels.
#
# Random patterns have it with high probability if $m$ is large enough. For one given $x$, fewer will do. With Gaussian
# patterns its recovery turns from unlikely to likely near {cite}`amelunxen2014living`
#
# $$
# \begin{aligned}
# m^* = \min_{\tau \ge 0} \Bigl\{ & K (1 + \tau^2) \\
# & {}+ (n - K)\, \mathbb{E}\, \max(\lvert \xi \rvert - \tau, 0)^2 \Bigr\}
# \end{aligned}
# $$ (eq-tc-threshold)
#
# measurements, with $\xi$ standard normal. We try it, with 64 pixels and patterns of random signs. Problem
# {eq}`eq-tc-l1` is a linear program: split $z$ into its positive and its negative part.


# %%
def least_l1(A, y):
    n = A.shape[1]
    found = linprog(np.ones(2 * n), A_eq=np.hstack([A, -A]), b_eq=y).x
    return found[:n] - found[n:]


def recovers(K, m, generator, n=64):
    x = np.zeros(n)
    x[generator.choice(n, K, replace=False)] = generator.standard_normal(K)
    A = generator.choice([-1.0, 1.0], (m, n))
    return abs(least_l1(A, A @ x) - x).max() < 1e-6


def threshold(K, n):
    def needed(tau):
        tail = (1 + tau**2) * norm.sf(tau) - tau * norm.pdf(tau)
        return K * (1 + tau**2) + 2 * (n - K) * tail

    return float(minimize_scalar(needed, bounds=(0, 6), method="bounded").fun)


# %%
random, counts = np.random.default_rng(0), range(4, 61, 4)
success = {4: [], 12: []}
for K, share in success.items():
    for m in counts:
        share.append(np.mean([recovers(K, m, random) for _ in range(20)]))

# %% mystnb={"figure": {"name": "fig-tc-sparse", "caption": "Share of 20 sparse images of 64 pixels that are recovered exactly from random patterns, for 4 and for 12 non-zero pixels. The upright lines are the predicted numbers of measurements."}, "image": {"alt": "Share recovered against the number of measurements, 4 to 60. With 4 non-zero pixels it rises from 0 to 1 between 4 and 24 measurements, with 12 between 24 and 36, with one failure in twenty at 40. Each rise crosses one half near the upright line of its prediction, 15 and 31."}} tags=["hide-input"]
figures.curves(
    counts,
    {f"{K} non-zero pixels": share for K, share in success.items()},
    xlabel="measurements $m$",
    ylabel="share recovered exactly",
    vertical={f"predicted, {K}": threshold(K, 64) for K in success},
    legend="above",
)

# %%
for K, share in success.items():
    assert share[0] == 0
    assert min(share[-3:]) == 1
    assert abs(np.interp(0.5, np.maximum.accumulate(share), counts) - threshold(K, 64)) < 4

# %% [markdown]
# The change is sudden, and where it was predicted. Does this help the single-pixel camera?

# %%
active = float((x > 0).sum((1, 2, 3)).float().mean())
print(f"non-zero pixels of a digit: {active:.0f} of 1,024")
print(f"random patterns that this takes: {threshold(active, 1024):.0f}")
print("patterns that we have: 102")
assert 3.5 * 102 < threshold(active, 1024) < 5 * 102
assert float(patterns[0].std()) < 1e-6  # pattern no. 1 is uniform

# %% [markdown]
# Not enough. The digits are not sparse enough for a tenth of the measurements, even with random patterns. With
# ours, $\ell_1$ adds nothing to the box: where pixels are not negative, $\lVert x \rVert_1$ is the sum of the
# pixels, and pattern no. 1 has measured it. Sparsity of differences or of wavelet coefficients suits images better, and
# made compressed sensing work in MRI {cite}`lustig2007sparse`; [chapter 3](pnp-fista) tries total variation. The rest
# of this book looks at priors that are learned.
#
# ## Prior three: learned from images, and hallucination
#
# Here is a method that has learned from other digits, the one that [a later chapter](single-pixel) builds. It gets
# the same records. The last column of the table is the energy of the error in the null space, as a share of the energy
# of the digit there.

# %%
learned = ddgp_lib.load_solver("single_pixel", "distilled")
guess = learned(y, spc)
hidden = analysis.split(spc, x)[1]
estimates = {"smallest norm": spc.A_dagger(y), "box": boxed, "learned": guess}
rows = {}
for name, found in estimates.items():
    wrong = analysis.split(spc, found - x)[1]
    share = float(100 * ((norms(wrong) / norms(hidden)) ** 2).mean())
    rows[name] = [relative(found, x), share]
table(
    "What three kinds of knowledge make of the same records, means over 40 digits.",
    [Column("error"), Column("hidden energy wrong", "%", digits=0)],
    rows,
    corner="knowledge",
)

# %%
assert rows["learned"][0] < rows["box"][0] / 2
assert rows["learned"][1] < 12
assert 40 < rows["box"][1] < 70
assert abs(rows["smallest norm"][1] - 100) < 0.01

# %% [markdown]
# It invents the part that the data do not show, and on digits it invents nearly all of it correctly. Now
# give it the record of the forged digit. That is the record of the four, so it must answer with the same image.

# %%
twin, four = forged["single_pixel"], first["single_pixel"]
answer = learned(spc.A(twin), spc)
distances = {
    "answer to the four": float(norms(answer - four)),
    "answer to the forged digit": float(norms(answer - twin)),
    "half the distance of the two": float(norms(four - twin)) / 2,
}
near, far, half = distances.values()
rows = {name: [distance] for name, distance in distances.items()}
table("Distances of the answer to both digits.", ["distance"], rows)

# %%
torch.testing.assert_close(answer, guess[4:5], rtol=0, atol=1e-3)
assert near < half < far
assert near + far >= 2 * half

# %% [markdown]
# The answer is nearer to the four than half the distance. So by {eq}`eq-tc-bound` it is farther than that from the
# forged digit:

# %% mystnb={"figure": {"name": "fig-tc-hallucination", "caption": "One record, one answer, two possible truths. The last column is the part of the error that lies in the null space: bright was invented, dark was missed, mid-grey is right. No measurement in the record contradicts either answer."}, "image": {"alt": "Two rows of three images. Upper row: a digit four; the answer, a clean four; and a faint error along the edges of the strokes. Lower row: the forged digit, which looks like a five with grey blocks; the same answer; and an error in strong black and white in which the strokes of both digits can be seen."}} tags=["hide-input"]
shown = {}
for name, truth in {"four": four, "forged": twin}.items():
    error = analysis.split(spc, answer - truth)[1]
    row = {"truth": truth, "answer": answer, "hidden error": 0.5 + error}
    shown |= {f"{name}: {title}": picture for title, picture in row.items()}
figures.images(shown, columns=3)

# %% [markdown]
# Details that look real and are false are called **hallucinations**. Bhadra and colleagues
# {cite}`bhadra2021hallucinations` split an estimate into the two parts of {eq}`eq-tc-split`, as the last column does,
# to show what the data did not ask for. Gottschling and colleagues {cite}`gottschling2025troublesome` prove what
# {eq}`eq-tc-bound` lets one expect: a method that does too well on one image carries its details over to another with
# nearly the same record. Training cannot remove this, since it comes from the null space.
#
# So a learned method is as good as its images are typical. No data residual tells the two rows of
# {numref}`fig-tc-hallucination` apart; [](when-it-breaks) returns to that.
#
# ```{warning}
# A forged image is an extreme case: all that the camera does not see was exchanged. In practice one asks whether *one*
# detail is in the data. It is not, if some image without it fits the record as well, up to the noise.
# ```
#
# ## Noise
#
# In all three cameras $w$ is white Gaussian noise: every number in $y$ has its own, independent, with the standard
# deviation $\sigma$. (In cameras that count light, noise grows with the light.) The
# same $\sigma$ means different things.
#
# - **One pixel**, $\sigma = 0.01$. The rows are orthonormal: with all 1,024 of them, this would be noise of 0.01 in
#   each pixel, a hundredth of the range from black to white.
# - **MRI**, $\sigma = 0.01$ on the real and on the imaginary part of each coefficient: the same, if all of k-space
#   were read. But coefficients differ far more in size than Hadamard ones, and the weak ones drown.
# - **Few pixels**, $\sigma = 0.001$. The kernel has the sum 1, so a measurement is a grey level. Rounding to 8 bits
#   makes an error of about this size, $1/(255\sqrt{12})$.
#
# What reaches the image is $A^+ w$. With the singular values $s_i$ of $A$, which the [next chapter](conditioning)
# explains,
#
# $$
# \mathbb{E}\, \lVert A^+ w \rVert^2 = \sigma^2 \sum_{s_i > 0} \frac{1}{s_i^2} .
# $$ (eq-tc-noise)
#
# If all $s_i$ are 1, the sum is $m$: noise is neither raised nor lowered. The third camera has weak $s_i$. So far it
# has treated only singular values below $10^{-5}$ of the largest as zero (`rtol`), which is none. We now add a second
# reading, `careful`, with 0.03 in the place of $10^{-5}$. It is the library's default.
#
# The next table compares $\sigma$ with the *signal*, the root mean square of a measured number over 64 images. It
# counts the numbers that are *drowned*, those whose own root mean square is below $\sigma$. And it compares the noise
# in a pixel, predicted by {eq}`eq-tc-noise`, with what is found when noise alone is inverted.

# %%
sigmas = {"single_pixel": 0.01, "mri": 0.01, "super_resolution": 0.001}
careful = ddgp_lib.load_task("super_resolution")
readings = [*((names[name], sigmas[name], task) for name, task in tasks.items())]
readings[2] = ("few pixels, exact", *readings[2][1:])
readings.append(("few pixels, careful", 0.001, careful))


def strength_and_drowned(task, sigma):
    power = task.student.A(task.test_images[:64]).square().mean(0)
    m = int((power > 0).sum())
    drowned = int(((power > 0) & (power.sqrt() < sigma)).sum())
    return float((power.sum() / m).sqrt()), 100 * drowned / m


# %%
def noise_in_a_pixel(task, sigma):
    A, zeros = task.student, 0 * task.test_images[:64]
    total = float(A.inverse.square().sum()) if hasattr(A, "inverse") else A.rank
    noise = A.A_dagger(measure(A, zeros, seed=0))
    predicted = sigma * (total / zeros[0].numel()) ** 0.5
    return predicted, float(noise.square().mean().sqrt())


# %%
noisy = {
    name: [
        f"{sigma:g}",
        *strength_and_drowned(task, sigma),
        *noise_in_a_pixel(task, sigma),
    ]
    for name, sigma, task in readings
}
table(
    "Noise in the record, and in the image after the pseudo-inverse.",
    [
        Column("noise σ"),
        Column("signal"),
        Column("drowned", "%", digits=0),
        Column("noise in a pixel, predicted", digits=4),
        Column("noise in a pixel, found", digits=4),
    ],
    noisy,
    corner="camera",
)

# %%
assert all(abs(row[4] / row[3] - 1) < 0.1 for row in noisy.values())
assert 0.001 < 1 / (255 * 12**0.5) < 0.0012
assert max(noisy[name][4] for name in ("one pixel", "MRI")) < 0.01
assert 0.008 < noisy["few pixels, careful"][4] < 0.012
assert 0.8 < noisy["few pixels, exact"][4] < 1
assert lens.rank == 256
assert 0.9e-4 < float((lens.spectrum.min() / lens.squared_norm).sqrt()) < 1.1e-4

# %% [markdown]
# In the first two cameras the noise in a pixel is below $\sigma$, since it is spread over more pixels than there are
# measurements. The careful reading of the third raises it tenfold. The exact one raises it 900-fold, to about
# the range from black to white, although no eye would notice the noise in $y$:

# %% mystnb={"figure": {"name": "fig-tc-noise", "caption": "The same record with a noise of 0.001, inverted by the exact pseudo-inverse and by one that counts singular values up to 3% of the largest as zero. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Four images: a face; its record of 16 by 16 pixels, in which no noise can be seen; the exact pseudo-inverse, a strong pattern of black and white waves without any face; and the careful pseudo-inverse, a blurred face."}} tags=["hide-input"]
y = faces.measure(face)
shown = {"$x^*$": face, "$y$": y, "exact $A^+ y$": lens.A_dagger(y)}
figures.images(shown | {"careful": careful.student.A_dagger(y)}, columns=4)

# %% [markdown]
# The waves belong to the weakest singular values: their noise is divided by a tiny $s_i$. It is better to count such
# a component as unseen if what it holds is weaker than its noise. So *unseen* has two sources: what $A$ deletes, and
# what noise drowns. The two need different remedies.
#
# (tc-data)=
# ## What our data are, and what they flatter
#
# Almost all records of this book are computed from images that we know. That is how errors can be measured at all, and
# it flatters every method, in three ways.
#
# *The operator is known.* To simulate the data with the very $A$, on the very grid, that is then used to invert them is
# called an *inverse crime* {cite}`kaipio2007statistical`. We commit it in all three tasks. A real scanner has an $A$
# that is known only nearly. What does that cost if the true blur is five per cent wider than we think?

# %%
wider = FourierDownsampling(4, faces.img_size, std=4.2)
difference = wider.A(faces.test_images) - lens.A(faces.test_images)
mistake = difference.square().mean().sqrt()
print(f"error of the model: {mistake:.4f}, noise: 0.001")
assert mistake > 3 * 0.001

# %% [markdown]
# The model's error is more than three times the noise, and unlike noise it does not average out.
#
# *The images were processed.* Our training and validation slices are of Colin27, the average of 27 scans of one man
# {cite}`holmes1998enhancement`. The test slices are of MNI152, an average of 152 people
# {cite}`fonov2011unbiased`: smoother than any single brain, and symmetric. How many slices are their own mirror image?


# %%
def mirrored(images):
    pictures = brains.picture(images)
    difference = norms(pictures.flip(-1) - pictures) / norms(pictures)
    return float((difference < 1e-3).float().mean())


parts = {"training": brains.train_images, "test": brains.test_images}
symmetric = {name: mirrored(images) for name, images in parts.items()}
shares = " and ".join(f"{share:.0%} of the {name}" for name, share in symmetric.items())
print(f"symmetric: {shares} slices")
assert symmetric["training"] == 0
assert abs(symmetric["test"] - 0.7) < 1e-6

# %% [markdown]
# All axial and coronal test slices are, and no slice of a living brain is. Phase, coils and k-space are simulated on
# top. Shimron and colleagues {cite}`shimron2022implicit` show how much such processed images flatter reconstruction. So
# read the MRI numbers of this book as comparisons of methods, and not as what a scanner would give. [](lensless-camera)
# works on measurements that nobody simulated.
#
# *The images are alike.* Weights are fitted on *training* images, choices are made on *validation* images, and *test*
# images are reported. Test faces are of other people than training faces, since two photographs of one person are
# nearly one image; for digits the writers are not known (see the [data cards](data.md)). All images of this chapter are
# test images.
#
# ## What helps when $A$ alone cannot say?
#
# Three answers, in the order of this book. How fast and how safely can one recover what the data determine weakly? That
# is a question of **conditioning**. If a better direction can be computed from $A$, one may reshape the problem:
# **preconditioning**. If the data say nothing, only knowledge of images helps: a **prior**. The main method of this
# book joins the last two. It is a preconditioner that has learned from images, and from a *teacher*: a camera that sees
# more and exists only during training {cite}`gualdron2025d2gp`.
#
# | question | chapters |
# |---|---|
# | What is slow, and what is impossible? | [conditioning](conditioning) |
# | How does knowledge of images enter? | [plug-and-play FISTA](pnp-fista) |
# | What can be gained from $A$ alone, and from $A$ and images, linearly? | [linear preconditioners](linear-preconditioners), [learned ones](learned-linear) |
# | What should a preconditioner be taught, and how? | [teachers](teachers), [closed form](closed-form), [distilling](distilling), [networks](eight-networks) |
# | When does it fail? | [when it breaks](when-it-breaks) |
# | What does it give, camera by camera? | [single-pixel](single-pixel), [MRI](mri-case), [super-resolution](super-resolution) |
# | Does it carry over? | [other solvers](other-solvers), [own images](at-scale), [own cameras](your-own-camera), [three tasks compared](three-tasks) |
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 01_three_cameras
# ```
#
# ## Exercises
#
# ```{exercise} Orthonormal rows
# :label: ex-tc-orthonormal
#
# Let $A A^\top = I$. (a) Show that $A^+ = A^\top$. (b) Show that $\lVert A \rVert = 1$ and that $\lVert A^\top y
# \rVert = \lVert y \rVert$. (c) Show that the images with the record $y$ are exactly $A^\top y + h$ with $A h = 0$,
# and that $A^\top y$ is the one with the smallest norm. How many dimensions does this
# set have for the scanner with acceleration 8, and for the single-pixel camera with ratio 0.25?
# ```

# %%
answer = None  # (c): put the two numbers here, as a tuple
answers.check("ex-tc-orthonormal", answer)

# %% [markdown]
# ```{solution} ex-tc-orthonormal
# :class: dropdown
#
# (a) $B = A^\top$ satisfies the four conditions that define $A^+$ (Moore and Penrose): $A B A = (A A^\top) A = A$, $B
# A B = A^\top (A A^\top) = B$, and both $A B = I$ and $B A = A^\top A$ are symmetric. (b) $\lVert A^\top y \rVert^2 =
# \langle y, A A^\top y \rangle = \lVert y \rVert^2$, so $\lVert A \rVert = \lVert A^\top \rVert = 1$. (c) $A
# A^\top y = y$, so $A x = y$ if and only if $A (x - A^\top y) = 0$. The two parts are orthogonal, $\langle A^\top y, h
# \rangle = \langle y, A h \rangle = 0$, so the squared norm is $\lVert y \rVert^2 + \lVert h \rVert^2$, smallest for
# $h = 0$. The rows are independent, so $A$ has rank $m$ and the set has $n - m$ dimensions:
# $2 \cdot 128 \cdot (128 - 16)$ for the scanner, and $1024 - 256$ for the camera.
# ```
#
# ```{exercise} What the scanner cannot see
# :label: ex-tc-invisible
#
# Build an image of which the scanner `mri` records nothing: shape (1, 2, 128, 128), every pixel of magnitude 1.
# Do not use the library's projections.
# ```

# %%
invisible = None  # put the image here
if invisible is not None:
    assert mri.A(invisible).abs().max() < 1e-3, "which columns of k-space does it use?"
    assert (brains.picture(invisible) - 1).abs().max() < 1e-4
    assert invisible.shape == (1, 2, 128, 128)

# %% [markdown]
# ```{solution-start} ex-tc-invisible
# :label: sol-tc-invisible
# :class: dropdown
# ```
# A wave $e^{2\pi i f j / 128}$ along the columns $j$ of the image has a single Fourier coefficient, in column $64 +
# f$. Choose a column that is not read. Its magnitude is a plain white square, and the scanner records zeros.

# %%
column = int((~mri.columns).nonzero()[-1])
angle = 2 * torch.pi * (column - 64) * torch.arange(128) / 128
wave = torch.stack([angle.cos(), angle.sin()])
invisible = wave[None, :, None].expand(1, 2, 128, 128)
print(f"column {column}: largest record {mri.A(invisible).abs().max():.0e}")
assert mri.A(invisible).abs().max() < 1e-3
assert (brains.picture(invisible) - 1).abs().max() < 1e-4

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} The adjoint of a smear
# :label: ex-tc-smear
#
# A lens smears light to the right: the smeared pixel in column $j$ is $0.5\,x_j + 0.3\,x_{j-1} + 0.2\,x_{j-2}$, periodic
# in a row of 66 pixels. The sensor keeps the columns 0, 3, 6, … . (a) Write $A$ and $A^\top$ as functions of tensors of
# shapes (N, 1, 66, 66) and (N, 1, 66, 22), and let both tests of this chapter pass. (b) What does $A^\top$ make of a
# record of ones? Give its values in the columns 0, 1 and 2.
# ```

# %%
answer = None  # (b): put the three numbers here, as a tuple
answers.check("ex-tc-smear", answer)

# %% [markdown]
# ```{solution-start} ex-tc-smear
# :label: sol-tc-smear
# :class: dropdown
# ```
# Keeping columns becomes putting zeros between them, and shifts to the right become shifts to the left. The kernel is
# not symmetric, so a transpose that smears to the right again fails both tests. Column 1 lies two columns to the left of
# column 3, so it gets the weight of $x_{j-2}$.


# %%
weights = (0.5, 0.3, 0.2)


def smear(x):
    return sum(w * x.roll(shift, -1) for shift, w in enumerate(weights))[..., ::3]


def smear_adjoint(y):
    x = torch.zeros(*y.shape[:-1], 66)
    x[..., ::3] = y
    return sum(w * x.roll(-shift, -1) for shift, w in enumerate(weights))


# %%
ones, random_image = (
    torch.ones(1, 1, 66, 22),
    torch.randn(1, 1, 66, 66, generator=generator),
)
returned = smear_adjoint(ones)[0, 0, 0, :3]
print("columns 0, 1, 2:", *(f"{value:.1f}" for value in returned))
checks.check_adjoint(smear, (1, 1, 66, 66), adjoint=smear_adjoint)
derived = by_autograd(smear, random_image, ones)
torch.testing.assert_close(derived, smear_adjoint(ones), rtol=0, atol=1e-6)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Which images are sparse enough?
# :label: ex-tc-sparse
#
# (a) Let {eq}`eq-tc-nsp` fail for one $h$ and one set $S$ of $K$ pixels. Find an $x$ with $K$ non-zero pixels that
# $\ell_1$ does not recover. (b) Suppose that the 102 patterns were Gaussian. Up to how many non-zero pixels of 1,024 is
# $m^*$ of {eq}`eq-tc-threshold` at most 102?
# ```

# %%
answer = None  # (b): put the number here
answers.check("ex-tc-sparse", answer)

# %% [markdown]
# ```{solution-start} ex-tc-sparse
# :label: sol-tc-sparse
# :class: dropdown
# ```
# (a) Take $x = h$ on $S$ and 0 elsewhere. Then $x - h$ has the same record, it is zero on $S$, and its norm is
# $\lVert h_{S^c} \rVert_1 \le \lVert h_S \rVert_1 = \lVert x \rVert_1$. So $x$ is not the only minimiser, or none. (b)
# With the places known, 102 measurements would do for 102 pixels. To find the places costs a factor of more than five.

# %%
allowed = [K for K in range(1, 102) if threshold(K, 1024) <= 102]
print(f"at most {max(allowed)} non-zero pixels")

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} Measure more, or average?
# :label: ex-tc-average
#
# A single-pixel camera has time for 1,020 numbers, each with white noise of standard deviation $\sigma$. It can measure
# the 102 patterns ten times each and take means, or 1,020 of the 1,024 patterns once; count the four missing ones as
# measured. Both apply $A^+$. (a) Write down both expected squared errors. (b) At which $\sigma$ are they equal, on
# average over the first 80 test digits?
# ```

# %%
answer = None  # (b): put σ here
answers.check("ex-tc-average", answer)

# %% [markdown]
# ```{solution-start} ex-tc-average
# :label: sol-tc-average
# :class: dropdown
# ```
# (a) With $u = \lVert (I - A^+A)\, x \rVert^2$, the first error is $u + 102\,\sigma^2/10$, by {eq}`eq-tc-noise` with
# the variance of a mean of ten. The second is $1{,}024\,\sigma^2$. (b) They are equal at $\sigma^2 = u/(1{,}024 -
# 10.2)$. That is seventeen times the noise of this chapter. Below it, more patterns are better than less noise; a
# prior moves the balance towards fewer patterns.

# %%
unseen = analysis.split(spc, digits.test_images[:80])[1].square().sum((1, 2, 3)).mean()
print(f"equal at σ = {float(unseen / (1024 - 10.2)) ** 0.5:.3f}")

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# You can now write a camera as a function, test its adjoint, and say which part of an image its data determine.
#
# - One equation, $y = A x^* + w$, describes cameras that look nothing alike. Each number is an inner product of the
#   image with a row of $A$: a pattern, a wave, a spot.
# - An operator is a pair of functions, $A$ and $A^\top$, tied by one identity. Random pairs test it, and automatic
#   differentiation gives $A^\top$ to compare with.
# - $A^\top$ puts numbers back where they came from. It inverts nothing; where $A A^\top = I$ it equals $A^+$.
# - $x = A^+A\,x + (I - A^+A)\,x$: the data determine the first part and say nothing about the second. Images that
#   differ in the second part alone have the same record, and every method is wrong on some of them.
# - A prior chooses among them. The box is free. Sparsity recovers exactly if the null space has no image on few
#   pixels, and digits are not sparse enough for a tenth of the measurements. A learned prior is right on what is typical.
# - Noise adds a second kind of unseen: $A^+$ divides it by $s_i$, and what lies below the noise is better counted as
#   lost.
# - Simulated data flatter. Splits keep images apart; they do not make the model true.
#
# ## Further reading
#
# On the single-pixel camera see {cite}`duarte2008single`, on MRI from few measurements {cite}`lustig2007sparse`, on the
# algebra of blur and decimation {cite}`zhao2016fast`; a gentle book on discrete inverse problems is
# {cite}`hansen2010discrete`. The operators of this book are made of those of deepinv {cite}`tachella2025deepinverse`.
# The [next chapter](conditioning) takes two cameras apart into modes, and asks which of their problems an iteration can
# solve.
