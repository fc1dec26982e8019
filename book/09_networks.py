# %% [markdown]
# (eight-networks)=
# # Eight networks: which one should sit inside P?
#
# Chapter after chapter, $N_\theta$ has been "a network". It was a U-Net, and nothing said that it must be. The study
# behind the paper names eight candidates {cite}`gualdron2025d2gp`, from three dense layers to a transformer. This
# chapter takes them apart by experiments that need no training: how far each one looks, what it does when the image
# moves, and what it does when the image gets darker. Then it reads the results of training all eight by one recipe,
# on simulated measurements.
#
# After this chapter you can
#
# 1. say in a sentence what each of the eight assumes about images;
# 2. measure a receptive field by one gradient, and say what the measurement leaves out;
# 3. test a network for translation equivariance, and say what of it a grid of patches leaves;
# 4. make any network homogeneous, and show what biases do when the light changes;
# 5. read a comparison of networks: what was equal, what was not, and which differences exceed the seeds.

# %% tags=["remove-cell", "colab-install"]
# In Colab, the library is installed here, once the book has a public address.

# %%
import math
import warnings

import torch
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.nn.functional import pad, unfold
from torch.utils.flop_counter import FlopCounterMode

import ddgp_lib
from ddgp_lib import answers, figures, widgets
from ddgp_lib.experiments import compare, load_study
from ddgp_lib.networks import NETWORKS, PatchCNN, build_network, iteration_progress, with_iteration
from ddgp_lib.operators import gradient, norms, range_projection

warnings.filterwarnings("ignore", "`torch.jit.script`", FutureWarning)  # PyTorch's own affair

# %% [markdown]
# ## What they share
#
# The task is the [single-pixel camera](single-pixel), and $P_\theta$ has the null-space form
# {eq}`eq-null-space-form`,
#
# $$
# P_\theta(\nabla g; z) = \nabla g + (I - A^+A)\, N_\theta(v), \qquad v = (\nabla g, z) .
# $$ (eq-nw-form)
#
# So $N_\theta$ gets two channels and returns one. All eight keep three rules. Their last layer starts at zero, so
# $P_\theta$ starts as the identity, and training begins at the plain solver. They have no biases. And they are of one
# size, about half a million weights. What they do with these weights:
#
# | name | what it is | what it assumes |
# |---|---|---|
# | `mlp` | three dense layers | nothing about neighbours; every pixel has weights of its own |
# | `cnn` | ten 3×3 convolutions {cite}`zhang2017dncnn` | what is near matters, in the same way everywhere |
# | `cbam` | convolutions, reweighted by attention to channels and places {cite}`woo2018cbam` | also: some features matter more in this image |
# | `unet` | convolutions on three scales {cite}`ronneberger2015unet` | coarse structure guides fine structure |
# | `mdcnn` | three branches of different kernels and depths {cite}`yuan2018multiscale` | no single kernel size is right |
# | `indi` | a U-Net told how far the iteration is {cite}`delbracio2023inversion` | early and late steps differ |
# | `vit` | attention among all patches {cite}`dosovitskiy2021image` | any patch may matter to any other; places have names |
# | `convnext` | 7×7 convolutions channel by channel, then channels mixed {cite}`liu2022convnet` | far sight is cheap if channels are mixed apart |
#
# These are versions for this book, small enough for a laptop, and not the authors' own. All but the MLP first gather
# patches of pixels into channels: 4×4 pixels, and 2×2 for the two U-Nets. Nothing is lost by that, and a
# convolution costs 16 or 4 times less. (To measure a network that returns zero is dull. `awake` draws the weights that
# start at zero.)


# %%
def awake(name, channels=2, **options):
    torch.manual_seed(0)
    network = build_network(name, channels, 1, **options)
    for weights in network.parameters():
        if not weights.any():
            torch.nn.init.normal_(weights, std=0.1)
    return network.requires_grad_(False)


def call(network, v, progress=0.5):
    told = (torch.tensor([progress]),) if getattr(network, "wants_iteration", False) else ()
    return network(v, *told)


# %% [markdown]
# The table has the number of weights, and of multiplications for one image of $32 \times 32$ pixels.


# %%
def multiplications(network, side=32):
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        call(network, torch.ones(1, 2, side, side))
    return counter.get_total_flops() / 2


networks = {name: awake(name, img_size=(1, 32, 32)) for name in NETWORKS}
weights = {name: sum(w.numel() for w in network.parameters()) for name, network in networks.items()}
work = {name: multiplications(network) for name, network in networks.items()}

# %%
for name in NETWORKS:
    print(f"{name:10s}{weights[name]:9,d} weights, {work[name] / 1e6:5.1f} million multiplications,", end=" ")
    print(f"each weight used {work[name] / weights[name]:4.1f} times")
    assert abs(weights[name] / 500_000 - 1) < 0.12
assert work["cnn"] == 64 * weights["cnn"]
assert work["mlp"] == weights["mlp"]
assert max(work.values()) < 1.2 * min(value for name, value in work.items() if name != "mlp")

# %% [markdown]
# The CNN uses each weight 64 times, once for each patch; the MLP uses each once. All but the MLP do nearly equal
# work, so what differs in speed between them is how well a processor does that kind of work. And the first rule, that
# an untrained $P_\theta$ is the identity, holds exactly, here at the plain solver's third iterate:

# %%
task = ddgp_lib.load_task("single_pixel")
A, images = task.student, task.test_images[:32]
y = task.measure(images)
plain = ddgp_lib.PreconditionedFISTA(
    task.denoiser, None, stepsize=task.stepsize, sigma=task.sigma, momentum="none"
)
z = list(plain.iterates(y, A, 3))[-1][1]
g = gradient(A, z, A.A_adjoint(y))
state = ddgp_lib.State(z, 3, A, y)
for name in NETWORKS:
    P = ddgp_lib.LearnedPreconditioner(build_network(name, 2, 1, img_size=(1, 32, 32)))
    assert torch.equal(P(g, state), g)

# %% [markdown]
# ## The question in one picture
#
# What does a network look at when it decides about one pixel? Take the derivative of that output by every input,
#
# $$
# F_i = \Bigl| \frac{\partial N_\theta(v)_o}{\partial v_i} \Bigr|, \qquad o = \text{the central pixel,}
# $$ (eq-nw-field)
#
# summed over the two channels and averaged over four random inputs. One backward pass gives the whole map. Where
# it is zero, the network is blind. Here are all eight, untrained, on an image of 160×160 pixels. Which one would you
# put inside $P$?


# %% mystnb={"figure": {"name": "fig-nw-fields", "caption": "Sensitivity of the central output pixel to every input pixel, before training. The grey scale is logarithmic and spans six orders of magnitude: white is the largest sensitivity, black is less than a millionth of it."}, "image": {"alt": "Eight maps. MLP: even light grey. CNN: a soft bright square in the middle, about half as wide as the image, on black. CBAM: a bright square on grey that fills the image. U-Net: a small bright square with a halo that fades. MDCNN: a bright square with a sharp edge. InDI: a bright square, larger than that of the CNN. ViT: even grey with a bright central patch. ConvNeXt: a bright point inside nested squares, on dark grey."}} tags=["hide-input"]
def sensitivity(network, v):
    v = v.clone().requires_grad_()
    row, column = (side // 2 for side in v.shape[-2:])
    out = call(network, v)[:, 0, row, column].sum()
    return torch.autograd.grad(out, v)[0].abs().sum(dim=1).mean(dim=0)


def share_beyond(field, reach):
    away = (torch.arange(len(field)) - len(field) // 2).abs()
    outside = torch.maximum(away[:, None], away) > reach
    return float(field[outside].sum() / field.sum())


def for_size(name, side, **options):
    width = {"width": 16} if name == "mlp" else {}
    return awake(name, img_size=(1, side, side), **width, **options)


noise = torch.randn(4, 2, 160, 160, generator=torch.Generator().manual_seed(0))
wide = {name: for_size(name, 160) for name in NETWORKS}
fields = {name: sensitivity(network, noise) for name, network in wide.items()}
figures.images(
    {name: 1 + (field / field.max()).clamp_min(1e-6).log10() / 6 for name, field in fields.items()}, columns=4
)

# %% [markdown]
# For a stack of convolutions with kernels of side $b_l$ on patches of side $p$, the side of the square that an output
# sees, its *extent*, is a formula:
#
# $$
# p\, \Bigl(1 + \sum_l (b_l - 1)\Bigr) .
# $$ (eq-nw-extent)
#
# Do the maps agree with it? And how much of the sensitivity is far from the centre?


# %%
def extent(field):
    seen = field.nonzero()
    return int((seen.amax(dim=0) - seen.amin(dim=0)).max()) + 1


def reach_of(*kernels, patch=4):
    return patch * (1 + sum(kernel - 1 for kernel in kernels))


far = {name: share_beyond(field, 16) for name, field in fields.items()}
for name, field in fields.items():
    print(f"{name:10s} sees {extent(field):4d} pixels, {far[name]:5.1%} of the sensitivity beyond 16 pixels")

# %%
assert extent(fields["cnn"]) == reach_of(*[3] * 10) == 84
branches = (3, *[3] * 6, 3), (3, *[5] * 3, 3), (3, *[7] * 2, 3)
assert {reach_of(*branch) for branch in branches} == {extent(fields["mdcnn"])} == {68}
assert extent(fields["unet"]) == extent(fields["indi"]) == 104
assert all(extent(fields[name]) == 160 for name in ("mlp", "cbam", "vit", "convnext"))
inner = extent(sensitivity(wide["convnext"].network, noise[:1]))
assert inner == reach_of(*[7] * 6) == 148
assert far["indi"] > 10 * far["unet"]

# %% [markdown]
# The formula gives 84 pixels for the CNN, and 68 for each branch of the MDCNN: their kernels and depths differ, their
# reach does not. MLP and ViT see everything by construction. CBAM and ConvNeXt see everything too, for a reason
# that {eq}`eq-nw-extent` does not know: CBAM pools over the whole image, and both are divided by the size of
# their input, of which below. Without that, ConvNeXt sees 148 pixels.
#
# Extent is not use. `unet` and `indi` have the same scales, kernels and extent, but the share of sensitivity
# beyond 16 pixels differs by far, since they are initialised differently. It is known that the
# effective field of a deep CNN at its start is much smaller than its extent {cite}`luo2016understanding`. What
# remains after training? For the shipped U-Net, on states of real digits of 32×32 pixels:

# %%
v = torch.cat([g, z], dim=1)
shipped = ddgp_lib.load_preconditioner("single_pixel").network
trained_far = share_beyond(sensitivity(shipped, v), 6)
fresh_far = share_beyond(sensitivity(networks["unet"], v), 6)
print(f"beyond 6 pixels: {fresh_far:.0%} before training, {trained_far:.0%} for the shipped network")
assert fresh_far < 0.35 < 0.5 < trained_far

# %% [markdown]
# An untrained map tells where a network *can* look, not where it will. (This is one network, trained once.) And on digits of 32×32 pixels every one of the
# eight can see everything from everywhere: 68 pixels reach 32 beyond the central patch, to each side. So the extent
# cannot decide between them here. What would happen if it were small?
#
# ## How far must one look?
#
# The question can be asked without a network. The [closed form](closed-form) predicts the hidden part
# $(I - A^+A)(x - \bar x)$ from the visible part $A^+A(x - \bar x)$ by a ridge regression. We give the
# regression a window: for each patch of 4×4 hidden pixels it sees $w \times w$ visible pixels around it. And we do
# it twice. Once the weights are *shared* by all 64 patches, as in a convolution. Once each patch has *its own*, as
# in the MLP. The ridge is one for all, a hundredth of the mean square of a window's entries. How does each error fall
# as the window grows?


# %%
def parts(x):
    seen = range_projection(A, x - task.train_images[:600].mean(dim=0))
    return seen, x - task.train_images[:600].mean(dim=0) - seen


def windows(v, side):
    return unfold(v, side, padding=(side - 4) // 2, stride=4).permute(2, 0, 1)


# %%
def left_over(side, shared):
    seen, hidden, new, wanted = (
        windows(part, size)
        for x in (task.train_images[:600], task.test_images[:200])
        for part, size in zip(parts(x), (side, 4), strict=True)
    )
    if shared:
        seen, hidden, new, wanted = (rows.flatten(0, 1)[None] for rows in (seen, hidden, new, wanted))
    gram = seen.mT @ seen
    scale = 0.01 * gram.diagonal(dim1=1, dim2=2).mean(dim=1) + 1e-6
    weights = torch.linalg.solve(gram + scale[:, None, None] * torch.eye(side**2), seen.mT @ hidden)
    return float((new @ weights - wanted).square().sum() / wanted.square().sum())


# %%
sides = (4, 8, 12, 16, 20)
left = {
    "shared by all patches": [left_over(side, True) for side in sides],
    "own for each patch": [left_over(side, False) for side in sides],
}
shared, own = left.values()
print(f"4 pixels: {shared[0]:.2f} shared, {own[0]:.2f} own; 20 pixels: {shared[-1]:.2f} and {own[-1]:.2f}")
assert own[0] < shared[-1] - 0.05
assert shared[-1] < shared[0] - 0.1
assert own[1] - own[-1] < 0.08

# %% mystnb={"figure": {"name": "fig-nw-window", "caption": "Share of the hidden energy that a linear guess leaves on 200 held-out digits after 600 training digits, against the side of the window that it sees, with weights shared by all patches or with weights for each patch."}, "image": {"alt": "Two falling curves against the side of the window from 4 to 20 pixels. Shared weights: from 0.98 to 0.81. Own weights for each patch: from 0.71 to 0.53, nearly level from 8 pixels on."}} tags=["hide-input"]
figures.curves(
    sides,
    left,
    xlabel="side of the window (pixels)",
    ylabel="hidden energy left",
    ylim=(0, 1),
    legend="above",
)

# %% [markdown]
# Two lessons. **Too small a field is costly.** A shared regression with 4 pixels sees hardly more than one block of
# the coarse image, and learns next to nothing. Its error is still falling at 20 pixels. **Position is worth more than
# reach.** Own weights with 4 pixels beat shared weights with 20. The digits are centred, and a patch that knows where
# it is knows much of what to expect. This is a fact about these images, not about images: with digits anywhere, own
# weights would have nothing to know.
#
# Linear maps cannot do what a network does with a window. But the same two questions, where to look and what
# to know of the place, divide the eight.
#
# ## If the image moves
#
# Let $\mathsf{S}_j$ move an image by $j$ pixels to the right. A network is translation equivariant if
# $N(\mathsf{S}_j v) = \mathsf{S}_j N(v)$. We measure the relative difference,
#
# $$
# \Delta_j = \frac{\lVert \mathsf{S}_{-j} N(\mathsf{S}_j v) - N(v) \rVert}{\lVert N(v) \rVert} ,
# $$ (eq-nw-equivariance)
#
# with a digit's state in the middle of 208×208 zeros, so that no border is seen. (The networks are of the small size,
# which has the same depths and kernels.) Which shifts pass unnoticed?

# %%
margin = (208 - 32) // 2
lone = pad(v[:1], (margin,) * 4)
small = {name: for_size(name, 208, parameters="small") for name in NETWORKS}
moved = {
    name: [call(network, lone.roll(j, -1)).roll(-j, -1) for j in range(9)] for name, network in small.items()
}
E = {
    name: [float((out - found[0]).norm() / found[0].norm()) for out in found] for name, found in moved.items()
}

# %%
print(f"{'shift by':10s}" + "".join(f"{j:8d}" for j in (1, 2, 3, 4, 8)))
for name, errors in E.items():
    print(f"{name:10s}" + "".join(f"{errors[j]:8.3f}" for j in (1, 2, 3, 4, 8)))
for name in ("cnn", "cbam", "mdcnn", "convnext"):
    assert max(E[name][4], E[name][8]) < 1e-4 < 0.5 < min(E[name][1:4])
for name in ("unet", "indi"):
    assert E[name][8] < 1e-4 < E[name][4] < E[name][1]
assert min(E["mlp"][1:]) > 0.5
assert min(E["vit"][1:]) > 0.1

# %% [markdown]
# Convolutions on patches are equivariant to shifts by whole patches, 4 pixels, and to no others. The U-Nets begin
# with patches of 2 pixels and halve the grid twice: they need 8. Between, their errors are of all sizes,
# since only the coarse scales notice. ViT knows the names of its places and notices every shift, though less if whole
# patches move. The MLP has no notion of a shift. Move the image and watch what appears in its place.


# %% tags=["hide-input"]
def draw_shift(j):
    middle = slice(margin - 16, margin + 48)
    panels = {}
    for name, found in moved.items():
        change = (found[j] - found[0])[0, 0, middle, middle] / found[0][..., middle, middle].std()
        panels[f"{name}: {E[name][j]:.2f}"] = change
    return figures.images(panels, columns=4, vmax=3, signed=True)


def describe_shift(j):
    unmoved = [name for name, errors in E.items() if errors[j] < 1e-4]
    return f"Shift by {j} pixels. Equivariant: {', '.join(unmoved) or 'none'}. All others show a pattern of errors."


control = {"draw": draw_shift, "values": list(range(9)), "label": "Shift in pixels", "start": 1}
widgets.frames(
    **control,
    alt=describe_shift,
    caption="The output for the moved image, moved back, minus the output for the image: white is equivariance. "
    "Above each map, the relative error.",
)

# %% [markdown]
# In a live kernel, the next cell draws the same picture anew.

# %% tags=["remove-output", "nbval-ignore-output"]
widgets.live(**control)

# %% [markdown]
# On real images borders are near, and a convolution that pads with zeros tells a place from them. So the table is the
# best case. What do we want? Hadamard blocks have a grid, and centred digits have places: exact equivariance would be
# a handicap here. For faces taken anywhere, and a blur that is the same everywhere, it would be a virtue.
#
# ## If the image gets darker
#
# Halve the light: $x^*$, $y$, $z$ and $\nabla g$ are halved, and so should be the direction. This is positive
# homogeneity,
#
# $$
# P_\theta(\xi \nabla g; \xi z) = \xi\, P_\theta(\nabla g; z) \qquad (\xi > 0) .
# $$ (eq-nw-homogeneous)
#
# Convolutions, dense layers, ReLU and maximum are homogeneous as long as nothing is added: no biases
# {cite}`mohan2020robust`. Sigmoid, softmax, GELU and layer normalisation are not, so CBAM, ViT and ConvNeXt need
# help. The library gives it from outside: with $\operatorname{rms}(v)$ the root mean square of one image's input,
#
# $$
# N(v) = \operatorname{rms}(v)\; \tilde N\bigl(v / \operatorname{rms}(v)\bigr) .
# $$ (eq-nw-rms)
#
# This is homogeneous whatever $\tilde N$ is, and it is where the faint global sensitivity came from: every pixel has
# a say in the scale. The next table has $\lVert N(\xi v)/\xi - N(v) \rVert / \lVert N(v) \rVert$ for $\xi = 1/10$: as
# the library builds it, without the help of {eq}`eq-nw-rms`, and with biases.

# %%
found = {}
print(f"{'':10s}{'as it is built':>14s}{'without the help':>18s}{'with biases':>15s}")
for name, network in networks.items():
    versions = (
        network,
        getattr(network, "network", network),
        awake(name, img_size=(1, 32, 32), bias=True),
    )
    outs = [(call(version, v), 10 * call(version, v / 10)) for version in versions]
    found[name] = [float((dim - out).norm() / out.norm()) for out, dim in outs]
    built, raw, biased = found[name]
    print(f"{name:10s}{built:14.2f}{raw:18.2f}{biased:15.2f}")
    assert built < 1e-4 < 0.1 < biased
    assert (raw > 0.01) == (name in ("cbam", "vit", "convnext"))

# %% [markdown]
# Who would change the light in the middle of a reconstruction? The iteration does. The gradient gets shorter as
# the data are fitted, and a gradient-only $P_\theta(\nabla g)$ sees nothing else. How much shorter, for the
# tuned baselines of the three tasks?

# %%
for camera in ("single_pixel", "mri", "super_resolution"):
    other = ddgp_lib.load_task(camera)
    y_other = other.measure(other.test_images[:2])
    back, lengths = other.student.A_adjoint(y_other), {}
    runs = ddgp_lib.load_solver(camera, "none").iterates(y_other, other.student, 50)
    for k, (_, point) in enumerate(runs):
        lengths[k] = float((norms(gradient(other.student, point, back)) / norms(back)).mean())
    print(f"{camera:18s}" + "".join(f"   k = {k}: {lengths[k]:.0e}" for k in (1, 5, 20, 50)))
    if camera != "super_resolution":
        assert lengths[0] < 1e-5
assert lengths[1] > 100 * lengths[50]

# %% [markdown]
# In super-resolution it falls by more than a factor of a hundred after the first iteration. For the other two
# $\nabla g = 0$ at the start, but for rounding: $A A^\top = I$ fits the data at once ({ref}`ex-silent`). A homogeneous
# gradient-only $P_\theta$ suits both: it treats short and long gradients alike, and $P_\theta(0) = 0$. With the
# state-aware input {eq}`eq-nw-form` the bond is looser: a small $\nabla g$ beside a large $z$ is small *relative* to
# it, and the network may treat it as it likes.
#
# **A failure, shown.** Two small CNNs, gradient-only as in the paper, are trained for 150 steps, one of them with
# biases.

# %%
short = {"steps": 150, "batch_size": 16, "pool_size": 128, "learning_rate": 3e-3, "momentum": "none"}
short |= {"parameters": "small", "inputs": "gradient_only", "progress": False}
pair = {
    label: ddgp_lib.distill(task, "cnn", bias=bias, **short).preconditioner.requires_grad_(False)
    for label, bias in (("without biases", False), ("with biases", True))
}

# %% [markdown]
# Then the light is turned down, at the same states: the gradient is multiplied by the brightness $\xi$, and so is the
# teacher's, noise-free gradient, which leaves the cosine between the two to be measured.

# %%
g_t = task.teacher.A_adjoint(task.teacher.A(z - images))
light = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
similar = {
    label: [torch.cosine_similarity(P(xi * g, state).flatten(1), g_t.flatten(1)).mean() for xi in light]
    for label, P in pair.items()
}
invented = {label: float(norms(P(0 * g, state)).mean()) for label, P in pair.items()}

# %% tags=["nbval-ignore-output"]
without, with_biases = similar.values()
print(f"brightness 1: {without[4]:.2f} without biases, {with_biases[4]:.2f} with; 0.01:", end=" ")
print(f"{without[0]:.2f} and {with_biases[0]:.2f}")
print({f"norm of P(0) {label}": f"{norm:.2f}" for label, norm in invented.items()})
assert max(without) - min(without) < 1e-3
assert abs(without[4] - with_biases[4]) < 0.12
assert with_biases[0] < 0.6 * with_biases[4]
assert invented["without biases"] == 0 < 0.05 < invented["with biases"]

# %% mystnb={"figure": {"name": "fig-nw-light", "caption": "Cosine similarity between the preconditioned gradient and the teacher's, mean over 32 held-out digits at the plain solver's third iterate, against the brightness of the scene. Both networks were trained at brightness 1."}, "image": {"alt": "Two curves against brightness from 0.01 to 3. Without biases: level at about 0.5. With biases: as high at brightness 1 and above, falling to below 0.2 in the dark."}} tags=["hide-input", "nbval-ignore-output"]
figures.curves(
    light,
    similar,
    xlabel="brightness $\\xi$",
    ylabel="cosine with $\\nabla g_t$",
    xscale="log",
    ylim=(0, 1),
    legend="above",
)

# %% [markdown]
# At the brightness of the training nothing betrays the biases. A hundred times darker, the network with biases has
# lost more than two fifths of its cosine: it adds what it always adds. The last line printed is the extreme. Asked
# about a gradient that is zero, it still proposes a direction, the same for every scene. (One seed and a brief training:
# how much is lost depends on both, that it happens does not.)
#
# ## Telling the network how far it is
#
# Homogeneity forbids to *add* anything about the iteration $k$. It does not forbid to multiply. Let
# $\chi_k = \min\bigl(1, \log(1 + k) / \log(1 + K)\bigr)$ be the progress, with the horizon $K$ of the training. There
# are two ways to tell it:
#
# $$
# \begin{aligned}
# \text{any network:} \quad & W_0 v + \sum_j \varphi_j(k)\, W_j v, \quad \varphi_j(k) = \cos(\pi j \chi_k), \\
# \text{InDI:} \quad & f \mapsto \bigl(1 + \psi(\chi_k)\bigr)\, f .
# \end{aligned}
# $$ (eq-nw-told)
#
# The first makes the first layer a function of $k$, by appending copies of the input multiplied by $\varphi_j$
# (`with_iteration`, the field `embedding` of a recipe, off by default). The second lets a small network $\psi$
# scale every channel $f$ in every block {cite}`perez2018film`; InDI is told the time of each of its steps
# {cite}`delbracio2023inversion`, here it is $\chi_k$. Both keep {eq}`eq-nw-homogeneous`, and past the horizon nothing
# changes any more.

# %%
embedded = awake("unet", channels=2 * (1 + 3))
told = {
    "embedding": lambda v, k: embedded(with_iteration(v, k, 3, 50)),
    "indi": lambda v, k: networks["indi"](v, iteration_progress(k, 50)),
}
for label, network in told.items():
    start = network(v, 0)
    change = {k: float((network(v, k) - start).norm() / start.norm()) for k in (1, 5, 20, 50, 500)}
    print(f"{label:10s}", {f"k = {k}": f"{value:.2f}" for k, value in change.items()})
    assert change[500] == change[50] > 0.1
    torch.testing.assert_close(network(v / 10, 7), network(v, 7) / 10, rtol=1e-3, atol=1e-5)

# %% [markdown]
# ## If the image has another size
#
# A preconditioner trained on 32×32 pixels may be asked about 64×64. Six of the eight do not notice. The MLP has
# weights for 1,024 pixels and refuses. ViT accepts, at a price: each patch attends to all, so four
# times as many patches cost more than four times as much.

# %%
try:
    networks["mlp"](torch.zeros(1, 2, 64, 64))
except ValueError as error:
    print(error)
grows = {}
for name in ("cnn", "unet", "vit"):
    grows[name] = [multiplications(networks[name], side) / work[name] for side in (64, 128)]
    print(f"{name:10s} 64×64 costs {grows[name][0]:.1f} times as much as 32×32, 128×128 {grows[name][1]:.1f}")
assert grows["cnn"] == [4, 16]
assert grows["vit"][0] > 5
assert grows["vit"][1] > 30

# %% [markdown]
# ## All eight, trained
#
# Now the study. `python -m ddgp_lib study networks` trains all eight on the single-pixel task for 1,500 steps each,
# by one recipe: null-space form, state-aware, the losses $L_G + L_I$, one learning rate, three seeds. Then $\sigma$
# is chosen for each on validation images, and 100 test digits are reconstructed. The gain is the PSNR after 20
# iterations minus that of the tuned solver without $P$, image by image. The runs ship with the library. First: were
# they equal but for the network?

# %%
lines = compare("single_pixel")["networks"]
runs = [run for run in load_study("networks")["runs"] if run["configuration"]["task"] == "single_pixel"]
assert [(line["row"], line["seeds"]) for line in lines] == [(name, 3) for name in NETWORKS]
recipes = [run["configuration"]["recipe"] | {"network": "", "seed": 0} for run in runs]
assert all(recipe == recipes[0] for recipe in recipes)
assert recipes[0]["steps"] == 1500
assert all(line["parameters"] == weights[line["row"]] for line in lines)

# %% [markdown]
# They were. In the table: weights, milliseconds for an iteration and image, seconds of one thread for the training, PSNR
# in dB after 5 and 100 iterations, and the gain with its standard error over the seeds.

# %%
columns = {"weights": 9, "ms": 6, "training, s": 13, "k = 5": 8, "k = 100": 9, "gain at 20": 15, "seeds": 7}
print(" " * 10 + "".join(f"{title:>{width}s}" for title, width in columns.items()))
for line in sorted(lines, key=lambda line: -line["gain_20"]):
    error = f" ± {line['gain_20_error']:.2f}"
    print(f"{line['row']:10s}{line['parameters']:9,.0f}{line['milliseconds']:6.2f}", end="")
    print(f"{line['training_seconds']:13.0f}{line['psnr']['5']:8.2f}{line['psnr']['100']:9.2f}", end="")
    print(f"{line['gain_20']:+8.2f}{error:7s}{line['seeds']:7d}")

# %% mystnb={"figure": {"name": "fig-nw-study", "caption": "Gain in PSNR after 20 iterations over the tuned solver without P, against the processor time of the training: means over three seeds, with bars of two standard errors to each side."}, "image": {"alt": "One marker for each of eight networks. The U-Net is highest, at about 3 dB and 100 seconds, then InDI and ViT at about 2.5 dB, ViT the slowest to train, ConvNeXt and CBAM near 1.5 dB; CNN and MDCNN gain about 1 dB; the MLP is at the lower left. The bars are shorter than most of the distances."}} tags=["hide-input"]
by_row = {line["row"]: line for line in lines}
roles = ("truth", "baseline", "gradient_only", "distilled", "linear", "teacher", "other")
shown = [name for name in NETWORKS if name != "mlp"]
figures.curves(
    {name: [by_row[name]["training_seconds"]] for name in shown},
    {name: [by_row[name]["gain_20"]] for name in shown},
    errors={name: [2 * by_row[name]["gain_20_error"]] for name in shown},
    points={"mlp": (by_row["mlp"]["training_seconds"], by_row["mlp"]["gain_20"])},
    roles=dict(zip(shown, roles, strict=True)),
    xlabel="training (seconds of one thread)",
    ylabel="gain at $k = 20$ (dB)",
    legend="above",
)

# %% [markdown]
# How far can these numbers be trusted? The training in the row `unet`, seed 0, is also the first row of the study
# `forms`, done at another time. We compare the two. Then we ask how much of a difference is the network's, and how
# much the seed's. We call a network *behind* if its mean is lower than the best by more than twice the standard error
# of the difference over seeds. (With three seeds this is a rule of thumb and not a test at a level.)


# %%
def verdict(line, best):
    gap = best["gain_20"] - line["gain_20"]
    error = math.hypot(line["gain_20_error"], best["gain_20_error"])
    return f"{gap:.2f} ± {error:.2f} dB below: {'behind' if gap > 2 * error else 'not told apart'}"


twice = [run for run in runs if run["row"] == "unet" and run["seed"] == 0]
twice += [run for run in load_study("forms")["runs"] if run["row"] == "null_space, state_aware"][:1]
print({key: [run[key] for run in twice] for key in ("gain_20", "training_seconds", "milliseconds")})
assert abs(twice[0]["gain_20"][0] - twice[1]["gain_20"][0]) < 0.1
ranked = sorted(lines, key=lambda line: -line["gain_20"])
for line in ranked[1:]:
    print(f"{line['row']:10s}{verdict(line, ranked[0])} {ranked[0]['row']}")

# %%
gain = {line["row"]: line["gain_20"] for line in lines}
order = [line["row"] for line in ranked]
assert order[:2] == ["unet", "indi"]
assert set(order[5:]) == {"cnn", "mdcnn", "mlp"}
assert order[-1] == "mlp"
assert gain["unet"] > gain[order[2]] + 0.5
assert all("behind" in verdict(line, ranked[0]) for line in ranked[1:])
assert networks["mlp"].layers[3].out_features == 154

# %% [markdown]
# The gain comes back; the milliseconds, taken while the machine did other things as well, are coarse. So is a ranking
# by them. The study gives an order of gains, and reasons to be careful with it.
#
# **Skips and scales.** The three that gain least, MLP, MDCNN and CNN, are the three without a skip connection: what
# goes in must pass through every layer. The U-Net has the highest gain, InDI's the next, and the U-Net is ahead of each of
# the others by more than twice the error over seeds. These two have skips and several scales; they also keep patches of 2 pixels. The study
# cannot separate these causes, since eight networks differ in more than eight ways. It can exclude others: the
# weights are as many in all, the multiplications in all but the MLP, and every extent suffices. Nor is it one lucky
# way to initialise, since the two U-Nets have different ones.
#
# **To know the place was not enough.** The MLP, which knows every place, gains least. In the linear guess own weights
# for each patch won; but there they were computed in closed form, and nothing had to be found by 1,500 steps. The MLP
# has two hidden layers of 154 entries, through which everything must pass, and learns each stroke anew at each place.
#
# **To be told the iteration is no clear gain.** InDI is behind the U-Net, which is told nothing. A state-aware network
# sees $z$, and an iterate shows how far it has come. (The two differ in more than that: in their blocks, and in how
# they are initialised.)
#
# What the study does not show: the learning rate and the number of steps are one for all, and they were those of the
# U-Net before the study began. A network that wants another rate, or more steps, is judged by somebody else's recipe.
# Digits are small, centred and alike. And three seeds are few.
#
# ### The first three, behind other cameras
#
# Does the order hold elsewhere? The study trains the first three for brain slices and for faces too, each by its task's
# short recipe, of 800 and 1,000 steps. (In super-resolution Newton's step is part of $P$, see {eq}`eq-sr-form`, and
# brings most of the gain.) We print the gain at 20 iterations, and the PSNR then and much later:

# %%
elsewhere = {name: compare(name)["networks"] for name in ("mri", "super_resolution")}
for other in (line for others in elsewhere.values() for line in others):
    error = f"± {other['gain_20_error']:.2f}"
    early, late = (other["psnr"][k] for k in ("20", "100"))
    print(
        f"{other['row']:23s}{other['gain_20']:+6.2f} {error:7s} k = 20: {early:.2f}, k = 100: {late:5.2f} dB,",
        end="",
    )
    print(f" trained for {other['training_seconds']:4.0f} s")

# %%
mri, faces = ({other["row"].split(", ")[1]: other for other in others} for others in elsewhere.values())
assert list(mri) == list(faces) == order[:3]
assert all("behind" in verdict(others["vit"], others["unet"]) for others in (mri, faces))
assert faces["unet"]["gain_20"] > faces["indi"]["gain_20"] > faces["vit"]["gain_20"]
assert "not told apart" in verdict(mri["unet"], mri["indi"])
assert "not told apart" in verdict(faces["indi"], faces["unet"])
fall = {"mri, unet": [], "mri, indi": []}
for run in load_study("networks")["runs"]:
    if run["row"] in fall:
        assert run["configuration"]["recipe"]["horizon"] == 30
        fall[run["row"]].append(run["psnr"]["20"][0] - run["psnr"]["100"][0])
print({row: [f"{value:.1f} dB" for value in values] for row, values in fall.items()}, "lost from 20 to 100")
assert max(fall["mri, unet"]) < 2.5 < 10 < min(fall["mri, indi"])
assert mri["unet"]["psnr"]["100"] > max(mri[name]["psnr"]["100"] for name in ("indi", "vit"))
assert mri["vit"]["training_seconds"] > 4 * mri["unet"]["training_seconds"]

# %% [markdown]
# Faces repeat the order of the digits, though the distance between the two U-Nets is within twice its error. Brain
# slices do not: after 20 iterations InDI is level with the U-Net. What tells these two apart comes later, and with each
# seed. The short trainings drew their states from 30 iterations. At $k = 100$ the U-Net has lost about two decibels at
# most, and InDI more than ten. Past its horizon InDI is told one and the same time for ever, which may be the reason, but
# the two differ in more than that. A ranking at one iteration is a ranking at one iteration; how a run is kept past the
# horizon is the subject of the [next chapter](when-it-breaks).
#
# The ViT is third with both, behind the U-Net by more than twice the error. It compares all patches with all others, and
# for slices of $128 \times 128$ pixels that makes its training more than four times as long as the U-Net's.
#
# The book keeps the U-Net: it is ahead for digits, not behind for faces and slices, loses least past the horizon, takes
# images of any even size, and is homogeneous without help.
#
# ## Quiz
#
# Five questions, with an explanation for each answer. They work on the book's site, not in Jupyter.
#
# ```{quiz} 09_networks
# ```
#
# ## Exercises
#
# ```{exercise} How deep for 84 pixels?
# :label: ex-nw-deep
#
# (a) Derive {eq}`eq-nw-extent`. (b) How many 3×3 convolutions does a CNN on *pixels*, $p = 1$, need to see at least
# the 84 pixels of our CNN? (c) With ten convolutions and 80 channels between them, how do the multiplications per
# image change when the same weights, but for the first and last layer, work on pixels? (d) `PatchCNN(2, 1, depth=2)`
# sees how many pixels? Predict it, then measure.
# ```

# %%
layers = None  # (b): put the number of convolutions here
answers.check("ex-nw-deep", layers)

# %% tags=["hide-cell"]
torch.manual_seed(0)
shallow = PatchCNN(2, 1, depth=2)
torch.nn.init.normal_(shallow.layers[-1].weight)
assert extent(sensitivity(shallow, noise)) == reach_of(3, 3) == 20

# %% [markdown]
# ```{solution} ex-nw-deep
# :class: dropdown
#
# (a) An output of the last layer sees $b_l$ places of the layer before; each further layer of side $b_l$ adds
# $(b_l - 1)/2$ places on each side. A place is a patch, $p$ pixels wide. (b) $1 + 2d \ge 84$ gives $d = 42$. (c)
# There are 16 times as many places, so 16 times as many multiplications. (d) $4 \cdot 5 = 20$ pixels: the window at
# the right end of {numref}`fig-nw-window`, where a shared linear guess still improves.
# ```
#
# ```{exercise} Euler's identity
# :label: ex-nw-euler
#
# (a) Show that a network of convolutions, ReLUs, maxima and skip connections without biases obeys
# {eq}`eq-nw-homogeneous`, and that {eq}`eq-nw-rms` does for every $\tilde N$. (b) Differentiate $N(\xi v) = \xi N(v)$
# by $\xi$ at $\xi = 1$: which relation between $N$ and its Jacobian $J_N(v)$ follows? (c) Check it for all eight by
# one Jacobian-vector product each.
# ```

# %% tags=["hide-cell"]
for name, network in networks.items():
    if name != "indi":
        value, pushed = torch.func.jvp(network, (v[:4],), (v[:4],))
        torch.testing.assert_close(pushed, value, rtol=1e-3, atol=1e-4 * float(value.abs().max()))
value, pushed = torch.func.jvp(lambda u: call(networks["indi"], u), (v[:4],), (v[:4],))
torch.testing.assert_close(pushed, value, rtol=1e-3, atol=1e-4 * float(value.abs().max()))

# %% [markdown]
# ```{solution} ex-nw-euler
# :class: dropdown
#
# (a) Each layer $l$ has $l(\xi f) = \xi\, l(f)$ for $\xi > 0$: linear maps for all $\xi$, ReLU and maximum for
# positive ones; sums and compositions keep it. In {eq}`eq-nw-rms` the argument of $\tilde N$ does not change with
# $\xi$, and the factor is multiplied by it. (b) $J_N(v)\, v = N(v)$, Euler's identity: along its own input the
# network is linear. (c) The cell above. For ReLU networks more is true. $N$ is linear in a neighbourhood of almost
# every $v$, so the rows of $J_N(v)$ are filters that depend on the image {cite}`mohan2020robust`. With
# {eq}`eq-nw-rms` only the identity remains.
# ```
#
# ```{exercise} What can learn when the last layer is zero?
# :label: ex-nw-zero
#
# (a) A network is $N(v) = W f(v)$ with a last layer $W = 0$. Which of its weights have a gradient that is not zero in
# the first training step? (b) Why would training never begin if the layer before were zero as well? (c) Check (a) for
# the CNN.
# ```

# %% tags=["hide-cell"]
network = build_network("cnn", 2, 1)
(network(v) - g_t).square().sum().backward()
moves = [bool(w.grad.any()) for w in network.parameters()]
print(f"{sum(moves)} of {len(moves)} layers get a gradient; the last: {moves[-1]}")
assert moves == [False] * (len(moves) - 1) + [True]

# %% [markdown]
# ```{solution} ex-nw-zero
# :class: dropdown
#
# (a) Only $W$. Its gradient is $(\partial \mathcal{L} / \partial N)\, f^\top$; that of everything before is
# multiplied by $W^\top = 0$. After the first step $W \neq 0$, and the others join. (b) Then also $f = 0$, and the
# gradient of $W$ vanishes with it: a saddle point that gradient descent does not leave. (c) The cell above.
# ```
#
# ```{exercise} Buying equivariance
# :label: ex-nw-average
#
# Let $\bar N(v)$ be the mean of $\mathsf{S}_{-j} N(\mathsf{S}_j v)$ over $j = 0, \dots, 3$, for shifts to the right.
# (a) Show that for the CNN $\bar N$ is equivariant to every such shift if no border is seen. (b) Check it. (c) What
# does it cost in both directions, and why might it be a bad bargain for a camera with Hadamard blocks?
# ```


# %% tags=["hide-cell"]
def averaged(v):
    return sum(call(small["cnn"], v.roll(j, -1)).roll(-j, -1) for j in range(4)) / 4


for j in (1, 2, 3):
    torch.testing.assert_close(averaged(lone.roll(j, -1)).roll(-j, -1), averaged(lone), rtol=1e-4, atol=1e-4)

# %% [markdown]
# ```{solution} ex-nw-average
# :class: dropdown
#
# (a) $\mathsf{S}_{-i} \bar N(\mathsf{S}_i v)$ is the mean over $j$ of $\mathsf{S}_{-(i+j)} N(\mathsf{S}_{i+j} v)$. A
# term depends on $i + j$ only modulo 4, because $N$ is equivariant to shifts by 4; so the sum has the same terms in
# another order. (b) The cell above. (c) Sixteen calls instead of one. And what the average forgets is the place
# within a patch. The blocks of the Hadamard patterns are aligned with the patches, so this place says which part of a
# block is meant: the network would lose something that it could know.
# ```
#
# ## Recap
#
# - By one recipe and with as many weights, the two U-Nets gain most on the single-pixel task, the networks without
#   skips least. On brain slices they are level after 20 iterations, and far apart after 100. A study of networks is a
#   study of networks *and* a recipe, and of one iteration.
# - The extent of a receptive field follows from kernels, depth and patches; what is used of it follows from training.
# - On patches, convolutions are equivariant to whole patches only. On centred digits, to know the place is worth
#   more than to see far; elsewhere it may be worth nothing.
# - Without biases, or with an input divided by its size, a network treats dim and bright scenes alike. With biases it
#   fails in the dark, and proposes something where there is nothing.
# - A network may be told the iteration by multiplication, which keeps homogeneity.
#
# ## Further reading
#
# The sources of the eight are in the table at the beginning; the U-Net as a reconstructor is in {cite}`jin2017deep`.
# On the effective receptive field read {cite}`luo2016understanding`, on networks without biases
# {cite}`mohan2020robust`, on telling a network a number {cite}`perez2018film`. The journal extension of the paper is
# {cite}`dipa2026`.
