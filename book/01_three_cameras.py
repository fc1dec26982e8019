# %% [markdown]
# (three-cameras)=
# # Three cameras, one equation: what the data say, and what they cannot
#
# A camera with one pixel; a scanner that listens to radio waves; a poor lens in front of too few pixels. The
# three machines have little in common, yet one line describes them all. An image goes in, a list of numbers comes
# out, and each number is a weighted sum of the pixels. This book is about the way back. Its first chapter builds the
# three machines in a few lines each, and asks how much of an image is still in their numbers.
#
# After this chapter you can
#
# 1. write three imaging systems as $y = A x + w$, each $A$ as a function of a few lines;
# 2. test an adjoint, and say what $A^\top$ does and why it is not an inverse;
# 3. split an image into what the data determine and what they do not show;
# 4. build two different images with the same data;
# 5. say what a noise level means for a given camera, and when not to trust $A^+$.
#
# You need linear algebra and a little PyTorch. Symbols are gathered on the [notation page](notation.md), terms in the
# [glossary](glossary.md).

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import torch
from scipy.ndimage import label
from torch.nn.functional import conv2d, pad

import ddgp_lib
from ddgp_lib import analysis, answers, checks, figures, widgets
from ddgp_lib.operators import CartesianMRI, FourierDownsampling, HadamardCamera, measure, norms

names = {"single_pixel": "one pixel", "mri": "MRI", "super_resolution": "few pixels"}
options = {"single_pixel": {}, "mri": {}, "super_resolution": {"rtol": 1e-5}}
tasks = {name: ddgp_lib.load_task(name, **options[name]) for name in names}
digits, brains, faces = tasks.values()

# %% [markdown]
# (`rtol` says down to which strength the third camera counts what it passes on; this value counts all of it. We take
# that back when noise comes in.)
#
# ## One question, one picture
#
# Each column below is one camera: the object, the numbers that are recorded of it, and the *back-projection* $A^\top
# y$, a first attempt at the way back. What could you tell of the object from the middle row alone?

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
figures.images({f"{names[name]}: {row}": x for (row, name), x in titled.items()}, columns=3)

# %% [markdown]
# The equation behind all nine pictures is
#
# $$
# y = A x^* + w .
# $$ (eq-tc-model)
#
# Here $x^* \in \mathbb{R}^n$ is the true image with its $n$ pixels in one column, $A \in \mathbb{R}^{m \times n}$ is
# the **operator**, also called the *physics* or the *forward model*, $y$ holds $m$ measurements, and $w$ is noise. To
# find $x^*$ from $y$ and $A$ is an **inverse problem**. All three cameras have $m < n$: fewer equations than
# unknowns.
#
# ## Camera one: a single pixel
#
# A single-pixel camera {cite}`duarte2008single` has one light detector. It lays a pattern over the scene, collects
# all the light that passes, and writes down one number: the inner product of the pattern and the scene. Then it takes
# the next pattern. Ours are of a **Hadamard basis** {cite}`zhang2017hadamard`: every entry is $\pm 1/32$, and the
# 1,024 patterns of $32 \times 32$ pixels are orthonormal. (Light cannot be negative. In practice, each pattern is
# split into two of zeros and ones, and the two numbers are subtracted.)
#
# We cannot afford all of them, so the order matters. *Cake-cutting* order {cite}`yu2019cake` takes first the patterns
# that fall into the fewest connected pieces of one sign. We measure the first tenth. Is the order kept, and is a
# measurement really an inner product?

# %%
spc, x = digits.student, digits.test_images[:4]
masks = torch.cat([HadamardCamera(m / 1024, digits.img_size).mask for m in range(1, 103)])
added = masks.diff(dim=0, prepend=torch.zeros_like(masks[:1]))
patterns = spc.V(added)  # one entry each, turned into its pattern
pieces = [label(p > 0)[1] + label(p < 0)[1] for p in patterns[:, 0].numpy()]
assert pieces == sorted(pieces)
torch.testing.assert_close(patterns.abs(), torch.full_like(patterns, 1 / 32), rtol=0, atol=1e-6)
for pattern, entry in zip(patterns, added, strict=True):
    assert torch.allclose((pattern * x).sum((1, 2, 3)), spc.A(x)[..., entry[0] > 0].flatten(), atol=1e-4)

# %% mystnb={"figure": {"name": "fig-tc-patterns", "caption": "Eight of the 102 patterns: the place in the order and, in brackets, the number of pieces. Red is plus, blue is minus."}, "image": {"alt": "Eight patterns in red and blue: uniform; an upper and a lower half; a left and a right half; three bands; two by two fields; three by two fields; a checkerboard of five by five fields of different sizes; and, as the last, 29 thin bands."}} tags=["hide-input"]
chosen = (0, 1, 2, 3, 7, 11, 85, 101)
figures.images({f"no. {i + 1} ({pieces[i]})": patterns[i] for i in chosen}, signed=True, vmax=1 / 20)

# %% [markdown]
# Both are so. Now write the image as a $32 \times 32$ matrix. All 1,024 inner products
# at once are $\Psi\, x\, \Psi$, with a small matrix $\Psi = \Psi^\top$ whose entries are $\pm 1/\sqrt{32}$, and the
# camera keeps a set $\Omega$ of them:
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
# In magnetic resonance imaging (MRI), magnetic fields are set so that the signal of a whole slice of the body at one
# instant is one Fourier coefficient of its image. The plane of all coefficients is called **k-space**, with the zero
# frequency in its middle. A *Cartesian* scan reads it column by column, each column costs time, and so one reads some
# of them only {cite}`lustig2007sparse`. With $F$, the orthonormal two-dimensional Fourier transform,
#
# $$
# A x = (F x)_\Omega ,
# $$ (eq-tc-mri)
#
# where $\Omega$ holds 32 of 128 columns: ten in the middle, where images are strong, the others at random and rarer
# outwards. One calls this an *acceleration* of 4.
#
# The image is **complex**: magnetisation has a direction, which varies slowly over the body. We store it as two real
# channels, the real and the imaginary part, so $n = 2 \cdot 128^2$. What one looks at is the magnitude.

# %%
mri, x = brains.student, first["mri"]
z = torch.complex(x[:, 0], x[:, 1])
k_space = torch.fft.fftshift(torch.fft.fft2(torch.fft.ifftshift(z, dim=(1, 2)), norm="ortho"), dim=(1, 2))
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
# The magnitudes come from real scans; phase and k-space are simulated. The phase matters: if $x$ were real, its
# Fourier coefficients would come in conjugate pairs, and half of them would be free.
#
# ## Camera three: a blur and too few pixels
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
lens, x = faces.student, first["super_resolution"]
b = lens.filter


def blur(x):
    return conv2d(pad(x, (b.shape[-1] // 2,) * 4, mode="circular"), b)


y = blur(x)[..., ::4, ::4]
torch.testing.assert_close(y, lens.A(x), rtol=0, atol=1e-5)
assert abs(float(b.sum()) - 1) < 1e-6

# %% mystnb={"figure": {"name": "fig-tc-blur", "caption": "The kernel, the blurred face, a detail of 16 by 16 pixels in which those that are kept are white, and the record of 16 by 16 pixels. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Four images. A round bright spot that fades to black; a strongly blurred face; a grey detail with a white pixel at every fourth place in both directions; and the blurred face in 16 by 16 large pixels."}} tags=["hide-input"]
grid = blur(x).clone()
grid[..., ::4, ::4] = 1
figures.images(
    {"$b$": b / b.max(), "$b * x$": blur(x), "grid": grid[..., 22:38, 22:38], "$A x$": y}, columns=4
)

# %% [markdown]
# ## Why an operator is a function
#
# A linear map is a matrix, and its column $j$ is what the camera records of a single lit pixel $j$. For the smallest of
# our cameras we can write it down. What would it weigh for the others, in single precision?

# %%
dense, one = analysis.dense_matrix(spc, digits.img_size), first["single_pixel"]
torch.testing.assert_close(dense.float() @ one.flatten(), spc.A(one).flatten(), rtol=0, atol=1e-5)
sizes = {name: (task.student.rank, first[name].numel()) for name, task in tasks.items()}
for name, (m, n) in (sizes | {"mri, 1024 x 1024": (2**19, 2**21)}).items():
    print(f"{name:18s} m = {m:6d}, n = {n:7d}: dense A takes {4 * m * n / 1e9:10.4f} GB")
assert int(torch.linalg.matrix_rank(dense)) == sizes["single_pixel"][0] == 102
assert sizes["mri"] == (2 * 128 * 32, 2 * 128 * 128)
assert sizes["super_resolution"] == (16 * 16, 64 * 64)

# %% [markdown]
# The dense matrix grows with the *square* of the number of pixels; for a slice of $1024 \times 1024$ it would take
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
# Hence *back-projection*. It is a transpose, so it costs what $A$ costs. A random pair $x$, $y$ that fails the test
# proves a mistake in the code; one that passes makes a mistake unlikely. The library's `check_adjoint` draws such pairs,
# and where one fails, it names the likeliest cause.
#
# What does it say of a transpose in which a minus sign got lost?


# %%
def negative(y):
    return -faces.student.A_adjoint(y)


try:
    checks.check_adjoint(faces.student.A, (1, 1, 64, 64), adjoint=negative)
    raise AssertionError("the mistake was not found")
except checks.CheckFailed as found:
    cause = found.cause
print(cause)
assert "sign" in cause

# %% [markdown]
# But is $A^\top$ the way back? The **pseudo-inverse** $A^+$ is the honest attempt: among all images that explain $y$
# best, $A^+ y$ is the one with the smallest norm. All three cameras have it in closed form. Compare the two: do they
# fit the data, and how far from the image do they end?

# %%
generator = torch.Generator().manual_seed(0)
print(f"{'':18s}{'A^T y: misfit':>14s}{'error':>7s}{'A^+ y: misfit':>16s}{'error':>7s}")
for name, task in tasks.items():
    A, x = task.student, task.test_images[:40]
    y, found = A.A(x), []
    checks.check_adjoint(A, x[:2].shape, tolerance=1e-5)
    for back in (A.A_adjoint(y), A.A_dagger(y)):
        found += [(norms(A.A(back) - y) / norms(y)).mean(), (norms(back - x) / norms(x)).mean()]
    print(f"{name:18s}{found[0]:14.2f}{found[1]:7.2f}{found[2]:16.2f}{found[3]:7.2f}")
    assert found[2] < 1e-4
    assert (found[0] < 1e-5) == (name != "super_resolution")
    assert 0.1 < found[3] <= found[1] + 1e-5
assert abs(faces.stepsize - 16) < 1e-3  # 1 / ‖A‖²

# %% [markdown]
# For the first two cameras the columns agree: their rows are orthonormal, $A A^\top = I$, and then $A^+ = A^\top$
# ({ref}`ex-tc-orthonormal`). The third back-projection is far too dark, which a factor of
# $1/\lVert A \rVert^2 = 16$ mends, and it is blurred a second time, which no factor mends. Only $A^+$ fits its data.
#
# There was no noise in this experiment. **Every $A^+ y$ fits the data exactly, and none of them is the image.** What is
# missing was never in the data.
#
# ## What the data determine
#
# Feed $A^+$ with the data of $x$ itself: $A^+ A$ is a projector, the orthogonal projector on the range of $A^\top$.
# So every image splits into two orthogonal parts,
#
# $$
# x = \underbrace{A^+A\, x}_{\text{determined}} + \underbrace{(I - A^+A)\, x}_{\text{not shown}} ,
# $$ (eq-tc-split)
#
# and since they are orthogonal, their energies $\lVert \cdot \rVert^2$ add up. The second lies in the **null space**
# of $A$, the images whose record is zero. `analysis.split` returns both. How much of the energy is lost?

# %%
lost = {}
print(f"{'':18s}{'dimensions lost':>17s}{'energy lost':>13s}{'without the mean':>18s}")
for name, task in tasks.items():
    A, x = task.student, task.test_images[:80]
    lost[name] = [1 - sizes[name][0] / sizes[name][1]]
    for images in (x, x - x.mean((2, 3), keepdim=True)):
        seen, unseen = (norms(part) ** 2 for part in analysis.split(A, images))
        torch.testing.assert_close(seen + unseen, norms(images) ** 2, rtol=1e-4, atol=0)
        lost[name].append(float((unseen / (seen + unseen)).mean()))
    print(f"{name:18s}{lost[name][0]:17.1%}{lost[name][1]:13.1%}{lost[name][2]:18.1%}")
    assert A.A(analysis.split(A, x)[1]).abs().max() < 1e-4
assert lost["single_pixel"][1] > 0.3
assert lost["super_resolution"][0] > 0.9
assert max(lost["mri"][1], lost["super_resolution"][1]) < 0.03
assert lost["super_resolution"][2] > 4 * lost["super_resolution"][1]

# %% [markdown]
# Two warnings are in this table. Dimensions are not energy: the third camera loses nearly all dimensions and hardly
# any energy, because it keeps the low frequencies, where images are strong. And energy is not what one looks for:
# much of it is the mean grey level. Leave the mean out, and the face camera's loss grows more than fourfold. Look at
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
# What is lost are strokes, edges, eyes: the parts that an image is looked at for.
#
# ## Two images, one record
#
# Now the failure. Take two images $x$ and $x'$, and add to the first what the camera does not show of their
# difference:
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
forged = {}
for name, task in tasks.items():
    x, other = task.test_images[list(pairs[name])].split(1)
    forged[name] = x + analysis.split(task.student, other - x)[1]
    same = float(norms(task.student.A(forged[name]) - task.student.A(x)) / norms(task.student.A(x)))
    apart = float(norms(forged[name] - x) / norms(x))
    print(f"{name:18s} records differ by {same:.0e}, images by {apart:.0%}")
    assert same < 1e-5
    assert apart > 0.1
print("darkest pixel of the forged digit:", round(float(forged["single_pixel"].min()), 2))
assert forged["single_pixel"].min() < -0.1

# %% mystnb={"figure": {"name": "fig-tc-forged", "caption": "In each row, the first and the last image have the same record. The four has become a five, the brain has got the ventricles of another slice, and the face glasses and the shadow of a beard. Faces: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Three rows of three images. A four, a five, and an image that looks like the five with grey blocks around it. A sagittal slice, an axial slice, and the sagittal slice with the ventricles and the outline of the axial one faintly in it. A clean-shaven face, a face with glasses and a beard, and the first face with the glasses and a shadow of the beard."}} tags=["hide-input"]
shown = {}
for name, task in tasks.items():
    x, other = task.test_images[list(pairs[name])].split(1)
    three = {"$x$": x, "$x'$": other, "$\\tilde{x}$": forged[name]}
    shown |= {f"{names[name]}: {title}": task.picture(image) for title, image in three.items()}
figures.images(shown, columns=3)

# %% [markdown]
# **The data cannot tell which.** And these are only two of very many: $x + a\,h$ has the same record for every number
# $a$ and every image $h$ of the null space, which has $n - m$ dimensions. It follows that no method, trained or not,
# can be right about all of them. Let $\mathcal{R}$ be any rule that turns a record into an image. With $y = A x = A
# \tilde x$, the triangle inequality says
#
# $$
# \begin{aligned}
# \lVert x - \tilde x \rVert &\le \lVert \mathcal{R}(y) - x \rVert \\
# &+ \lVert \mathcal{R}(y) - \tilde x \rVert .
# \end{aligned}
# $$ (eq-tc-bound)
#
# On one of the two, $\mathcal{R}$ is wrong by at least half their distance. The best that a method can do is to be
# wrong on images that are *less likely*, and for that it has to know which ones are. The grey blocks beside the
# forged five, for instance, are unlike any digit. Some of its pixels are far below zero, darker than black, and to
# forbid that is already to know something that is not in $y$. Such knowledge is called a **prior**.
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
# The next cell compares $\sigma$ with the *signal*, the root mean square of a measured number over 64 images, and
# counts the numbers that are *drowned*: their own root mean square is below $\sigma$.

# %%
sigmas = {"single_pixel": 0.01, "mri": 0.01, "super_resolution": 0.001}
for name, sigma in sigmas.items():
    A, m = tasks[name].student, sizes[name][0]
    power = A.A(tasks[name].test_images[:64]).square().mean(0)
    drowned = int(((power > 0) & (power.sqrt() < sigma)).sum())
    print(f"{name:18s} noise {sigma:.3f}, signal {(power.sum() / m).sqrt():.2f}, drowned {drowned / m:.0%}")
    assert abs(float(A.noise_model.sigma.max()) - sigma) < 1e-6
assert 0.001 < 1 / (255 * 12**0.5) < 0.0012

# %% [markdown]
# What reaches the image is $A^+ w$. In the singular vectors, $A v_i = s_i u_i$, the *modes* of the camera, it is
# $\sum_i (u_i^\top w / s_i)\, v_i$ over the $s_i$ that are not zero, so that
#
# $$
# \mathbb{E}\, \lVert A^+ w \rVert^2 = \sigma^2 \sum_{s_i > 0} \frac{1}{s_i^2} .
# $$ (eq-tc-noise)
#
# If all $s_i$ are 1, the sum is $m$: noise is neither raised nor lowered. One weak $s_i$ is enough to ruin it, and the
# third camera has weak ones. For it we add a second reading: `careful` counts singular values up to
# $\eta \lVert A \rVert$, $\eta = 0.03$, as zero. It is the library's default.

# %%
careful = ddgp_lib.load_task("super_resolution")
weakest = float((lens.spectrum.min() / lens.squared_norm).sqrt())
print(f"smallest over largest singular value: {weakest:.1e}")
print(f"of {lens.rank} modes, careful sees {careful.student.rank}")
assert 0.9e-4 < weakest < 1.1e-4

# %% [markdown]
# How much noise does the inversion put into a pixel? Compare {eq}`eq-tc-noise`, over $n$ pixels and under a root, with
# what is found when noise alone is inverted:

# %%
raised = {}
for name, task in (tasks | {"careful": careful}).items():
    A, zeros = task.student, 0 * task.test_images[:64]
    sigma = sigmas[name.replace("careful", "super_resolution")]
    inverse_squares = float(A.inverse.square().sum()) if hasattr(A, "inverse") else A.rank
    predicted = sigma * (inverse_squares / zeros[0].numel()) ** 0.5
    found = float(A.A_dagger(measure(A, zeros, seed=0)).square().mean().sqrt())
    print(f"{name:18s} noise in a pixel: predicted {predicted:.4f}, found {found:.4f}")
    assert abs(found / predicted - 1) < 0.1
    raised[name] = found / sigma
assert max(raised["single_pixel"], raised["mri"]) < 1
assert 5 < raised["careful"] < 20 < 500 < raised["super_resolution"] < 1500

# %% [markdown]
# In the first two cameras the noise in a pixel is below $\sigma$, since it is spread over more pixels than there are
# measurements. The careful reading of the third raises it about tenfold, the exact one several hundredfold, to about
# the range from black to white. With noise that no eye would notice in $y$, the exact $A^+ y$ is this:

# %% mystnb={"figure": {"name": "fig-tc-noise", "caption": "The same record with a noise of 0.001, inverted by the exact pseudo-inverse and by one that counts singular values up to 3% of the largest as zero. Face: ORL database, AT&T Laboratories Cambridge."}, "image": {"alt": "Four images: a face; its record of 16 by 16 pixels, in which no noise can be seen; the exact pseudo-inverse, a strong pattern of black and white waves without any face; and the careful pseudo-inverse, a blurred face."}} tags=["hide-input"]
face = first["super_resolution"]
y = faces.measure(face)
figures.images(
    {"$x^*$": face, "$y$": y, "exact $A^+ y$": lens.A_dagger(y), "careful": careful.student.A_dagger(y)},
    columns=4,
)

# %% [markdown]
# The waves are the modes that the camera passes on most weakly, with their noise divided by a tiny $s_i$. To count a
# mode as unseen is the better bargain if what it holds is weaker than its noise. So *unseen* has two sources, and
# one remedy will not serve both: modes that $A$ deletes, and modes that noise drowns.
#
# ## Move the number of measurements
#
# How many measurements are enough? Let $n/m$ be the number of pixels for each measurement. It is the inverse of the
# single-pixel camera's ratio, and the scanner's acceleration. The third camera keeps one pixel in a square of $n/m$,
# after a blur as wide as the side of this square. What is lost is counted as a share of the energy.


# %% tags=["hide-input"]
def cameras(per):
    side = round(per**0.5)
    return {
        "single_pixel": HadamardCamera(1 / per, (1, 32, 32)),
        "mri": CartesianMRI(per, (2, 128, 128), center_fraction=min(0.08, 0.5 / per)),
        "super_resolution": FourierDownsampling(side, (1, 64, 64), std=float(side), rtol=0.03),
    }


def losses(per):
    unseen = {name: analysis.split(A, first[name])[1] for name, A in cameras(per).items()}
    return [float((norms(part) / norms(first[name])) ** 2) for name, part in unseen.items()]


shares = torch.tensor([losses(per) for per in (1, 4, 16, 64)])
assert (shares.diff(dim=0) > 0).all()
assert shares[0, :2].max() < 1e-6 < 1e-4 < shares[0, 2]
assert int(cameras(64)["mri"].columns.sum()) == 2

# %% [markdown]
# Where does each picture of what is seen stop being useful?


# %% tags=["hide-input"]
def draw_split(per):
    split = {name: analysis.split(A, first[name]) for name, A in cameras(per).items()}
    upper = {f"{names[name]}: seen": tasks[name].picture(seen) for name, (seen, _) in split.items()}
    lower = {f"{names[name]}: lost": 0.5 + unseen[:, 0] for name, (_, unseen) in split.items()}
    return figures.images(upper | lower, columns=3)


def describe_split(per):
    one, mri, few = (f"{share:.1%}" for share in losses(per))
    return f"Pixels for each measurement: {per}. Energy lost: one pixel {one}, MRI {mri}, few pixels {few}."


amount = {
    "draw": draw_split,
    "values": [1, 4, 16, 64],
    "label": "Pixels for each measurement, n/m",
    "alt": describe_split,
    "start": 1,
    "caption": "What three cameras determine, and what they lose (the real part for MRI; mid-grey is zero). "
    "Face: ORL database, AT&T Laboratories Cambridge.",
}
widgets.frames(**amount)

# %% [markdown]
# In a running kernel, this twin calls `draw_split` again at every move.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**amount)

# %% [markdown]
# The three fail in their own ways: blocks, ghosts along one direction, blur. With $n/m = 64$ the
# scanner reads two columns, and the brain is a band of stripes. With $n/m = 1$ the first two cameras lose nothing.
# The third still does, since a blur alone pushes fine detail below $\eta$.
#
# ## What our data are, and what they flatter
#
# All records of this book are computed from images that we know. That is how errors can be measured at all, and it
# flatters every method. To simulate the data with the very $A$, on the very grid, that is then used to invert them is
# called an *inverse crime* {cite}`kaipio2007statistical`. We commit it in all three tasks. A real scanner has an $A$
# that is known only nearly. What does that cost if the true blur is five per cent wider than we think?

# %%
wider = FourierDownsampling(4, faces.img_size, std=4.2)
mistake = (wider.A(faces.test_images) - lens.A(faces.test_images)).square().mean().sqrt()
print(f"error of the model: {mistake:.4f}, noise: 0.001")
assert mistake > 3 * 0.001

# %% [markdown]
# The model's error is more than three times the noise, and unlike noise it does not average out. What we can do, and
# do, is to keep the images apart: weights are fitted on *training* images, every choice is made on *validation*
# images, and what is reported comes from *test* images. Test faces are of other people than training faces, and test
# slices of another volume, since two photographs of one person are nearly one image; for digits the writers are not
# known (see the [data cards](data.md)). All images of this chapter are test images.
#
# ## What helps when $A$ alone cannot say?
#
# Three answers, in the order of this book. What the data determine weakly is a question of speed and stability:
# **conditioning**. If a better direction can be computed from $A$, one may reshape the problem:
# **preconditioning**. If the data say nothing, only knowledge of images can: a **prior**. The method at the heart
# of this book joins the last two. It is a preconditioner that has learned from images, and from a *teacher*, a camera
# that sees more and exists only during training {cite}`gualdron2025d2gp`.
#
# | question | chapters |
# |---|---|
# | What is slow, and what is impossible? | [conditioning](conditioning) |
# | How does knowledge of images enter? | [plug-and-play FISTA](pnp-fista) |
# | What can be gained from $A$ alone, and from $A$ and images, linearly? | [linear preconditioners](linear-preconditioners), [learned ones](learned-linear) |
# | What should a preconditioner be taught, and how? | [teachers](teachers), [closed form](closed-form), [distilling](distilling), [networks](eight-networks) |
# | When does it fail? | [when it breaks](when-it-breaks) |
# | What does it give, camera by camera? | [single-pixel](single-pixel), [MRI](mri-case), [super-resolution](super-resolution) |
# | Does it carry over? | [other solvers](other-solvers), [own images](at-scale), [three tasks compared](three-tasks) |
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
    assert torch.allclose(brains.picture(invisible), torch.ones(1, 1, 128, 128), atol=1e-4)

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
invisible = torch.stack([angle.cos(), angle.sin()])[None, :, None].expand(1, 2, 128, 128)
print(f"column {column}: largest record {mri.A(invisible).abs().max():.0e}")
assert mri.A(invisible).abs().max() < 1e-3
assert torch.allclose(brains.picture(invisible), torch.ones(1, 1, 128, 128), atol=1e-4)

# %% [markdown]
# ```{solution-end}
# ```
#
# ```{exercise} The adjoint of blur and decimation
# :label: ex-tc-adjoint
#
# Write $A^\top$ of the third camera as a function of `y` with `blur` and one assignment, and test it.
# ```


# %%
def adjoint(y):
    return None  # put the image here


if adjoint(torch.zeros(1, 1, 16, 16)) is not None:
    y = torch.randn(1, 1, 16, 16, generator=generator)
    torch.testing.assert_close((lens.A(face) * y).sum(), (face * adjoint(y)).sum(), rtol=1e-4, atol=1e-4)

# %% [markdown]
# ```{solution-start} ex-tc-adjoint
# :label: sol-tc-adjoint
# :class: dropdown
# ```
# Keeping every fourth pixel becomes putting zeros between the pixels. The convolution becomes one with the mirrored
# kernel; a Gaussian is its own mirror image, and with periodic borders `blur` is its own transpose.


# %%
def adjoint(y):
    x = torch.zeros(len(y), 1, 64, 64)
    x[..., ::4, ::4] = y
    return blur(x)


y = torch.randn(1, 1, 16, 16, generator=generator)
torch.testing.assert_close(adjoint(y), lens.A_adjoint(y), rtol=0, atol=1e-5)

# %% [markdown]
# ```{solution-end}
# ```
#
# ## Recap
#
# - One equation, $y = A x^* + w$, describes cameras that look nothing alike. Each number is an inner product of the
#   image with a row of $A$: a pattern, a wave, a spot.
# - An operator is a pair of functions, $A$ and $A^\top$, tied by one identity that can be tested.
# - $A^\top$ puts numbers back where they came from. It inverts nothing; where $A A^\top = I$ it equals $A^+$.
# - $x = A^+A\,x + (I - A^+A)\,x$: the data determine the first part and say nothing about the second. Images that differ in the
#   second part alone have the same record, and every method is wrong on some of them.
# - Noise adds a second kind of unseen: $A^+$ divides it by $s_i$, and what lies below the noise is better counted as lost.
# - Simulated data flatter. Splits keep images apart; they do not make the model true.
#
# ## Further reading
#
# On the single-pixel camera see {cite}`duarte2008single`, on MRI from few measurements {cite}`lustig2007sparse`, on the
# algebra of blur and decimation {cite}`zhao2016fast`; a gentle book on discrete inverse problems is
# {cite}`hansen2010discrete`. The operators of this book are made of those of deepinv {cite}`tachella2025deepinverse`.
# The [next chapter](conditioning) takes two cameras apart into modes and asks which of their ailments can be cured.
