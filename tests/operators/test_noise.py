"""Noise: the seed decides it, and neither generators, threads nor workers are disturbed or repeated."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from deepinv.physics import GaussianNoise, Inpainting, NoiseModel, PoissonNoise, stack
from torch.utils.data import DataLoader, Dataset

from ddgp_lib.operators import Counted, FourierDownsampling, HadamardCamera, gaussian_noise, measure, noise_of

SIZE = (1, 8, 8)


def seeded():
    return torch.Generator().manual_seed(5)


def camera(model=None):
    made = HadamardCamera(0.5, SIZE, noise=0.1)
    if model is not None:
        made.noise_model = model
    return made


MODELS = {
    "ours": lambda: None,
    "deepinv's, with a generator": lambda: GaussianNoise(0.1, rng=seeded()),
    "deepinv's, without": lambda: GaussianNoise(0.1),
    "Poisson": lambda: PoissonNoise(0.1, rng=seeded(), clip_positive=True),
    "a function": lambda: NoiseModel(lambda x: x + 0.1 * torch.randn_like(x)),
}
models = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def state_of(physics):
    generator = getattr(physics.noise_model, "rng", None)
    own = torch.zeros(1) if generator is None else generator.get_state()
    return torch.cat([torch.get_rng_state(), own.byte()])


@pytest.fixture
def images(generator):
    return torch.rand(4, *SIZE, generator=generator)


@models
def test_a_seed_decides_the_noise_and_nothing_else_changes(model, images):
    physics = camera(model())
    before, levels = state_of(physics), physics.noise_model
    first = measure(physics, images, seed=3)
    assert torch.equal(state_of(physics), before)
    assert physics.noise_model is levels
    torch.rand(7)
    assert torch.equal(measure(physics, images, seed=3), first)
    assert not torch.equal(measure(physics, images, seed=4), first)


@models
def test_threads_do_not_disturb_each_other(model, images):
    physics = camera(model())
    alone = [measure(physics, images, seed) for seed in range(8)]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda seed: measure(physics, images, seed), range(8)))
    assert all(torch.equal(a, b) for a, b in zip(alone, together, strict=True))


@pytest.mark.parametrize(
    "model", [gaussian_noise(0.1, 9), GaussianNoise(0.1, rng=seeded()), GaussianNoise(0.1)]
)
def test_the_noise_is_that_of_a_generator_with_the_seed(model, images):
    physics = camera(model)
    clean = physics.A(images)
    expected = 0.1 * torch.randn(clean.shape, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close(measure(physics, images, seed=3) - clean, physics.mask * expected)


def test_the_parts_of_a_stack_have_noise_of_their_own_that_is_repeated(images):
    physics = stack(*(Inpainting(SIZE, mask=torch.ones(SIZE)) for _ in range(2)))
    for part in physics.physics_list:
        part.noise_model = GaussianNoise(0.1, rng=seeded())
    first, again = (measure(physics, images, seed=3) for _ in range(2))
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert not torch.equal(first[0], first[1])


def test_each_image_may_have_its_own_level_and_the_operator_keeps_its(images):
    physics = camera()
    levels = torch.tensor([1e-3, 1e-2, 0.1, 1.0])
    noise = measure(physics, images, 0, levels) - physics.A(images)
    alike = measure(physics, images, 0, torch.ones(4)) - physics.A(images)
    torch.testing.assert_close(noise, levels[:, None, None, None] * alike, rtol=1e-3, atol=1e-5)
    assert float(physics.noise_model.sigma) == pytest.approx(0.1)


@pytest.mark.parametrize("seed", [-1, 2**63, 0.5, None, True])
def test_a_bad_seed_is_named(images, seed):
    with pytest.raises(ValueError, match="seed="):
        measure(camera(), images, seed)


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (torch.full((1, *SIZE), float("nan")), "images='tensor with NaN"),
        (torch.ones(1, *SIZE, dtype=torch.long), r"images\.dtype"),
        (torch.zeros(0, *SIZE), r"images\.shape"),
        (torch.zeros(SIZE), r"images\.shape"),
        (
            torch.zeros(1, 1, 4, 4),
            r"images\.shape=\(1, 1, 4, 4\): expected images of the shape that HadamardCamera",
        ),
        ("x", "images='x'"),
    ],
)
def test_images_that_cannot_be_measured_are_named(bad, named):
    with pytest.raises(ValueError, match=named):
        measure(camera(), bad, 0)


def test_a_row_that_would_be_spread_over_the_image_is_refused():
    with pytest.raises(ValueError, match=r"images\.shape=\(1, 1, 1, 8\).*such as \(1, 1, 8, 8\)"):
        measure(Inpainting(SIZE, mask=0.5), torch.ones(1, 1, 1, 8), 0)


class Measured(Dataset):
    """Noise alone, measured anew for each item."""

    def __init__(self, physics):
        self.physics = physics

    def __len__(self):
        return 6

    def __getitem__(self, index):
        return self.physics(torch.zeros(1, 1, 16, 16))[0]


def drawn(physics, workers=2, seed=0):
    torch.manual_seed(seed)
    return list(DataLoader(Measured(physics), batch_size=1, num_workers=workers))


def distinct(items):
    return len({float(item.sum()) for item in items})


def test_workers_of_a_loader_have_noise_of_their_own_that_the_loader_s_seed_decides():
    student, teacher = (FourierDownsampling(2, (1, 16, 16), noise=0.1, seed=seed) for seed in (0, 1))
    first, again, other = drawn(student), drawn(student), drawn(student, seed=1)
    assert distinct([*first, *other, *drawn(teacher)]) == 18
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))


def test_without_workers_the_noise_is_that_of_the_operator_s_seed():
    made = [FourierDownsampling(2, (1, 16, 16), noise=0.1, seed=4) for _ in range(2)]
    alone, direct = drawn(made[0], workers=0), [made[1](torch.zeros(1, 1, 16, 16)) for _ in range(6)]
    assert all(torch.equal(a, b) for a, b in zip(alone, direct, strict=True))


def test_a_model_is_pickled_with_the_state_of_its_generator():
    model: NoiseModel = gaussian_noise(0.1, 3)
    model(torch.zeros(1, 4))
    twin = pickle.loads(pickle.dumps(model))
    assert torch.equal(twin(torch.zeros(1, 4)), model(torch.zeros(1, 4)))


def test_an_operator_tells_its_noise_where_it_is_gaussian():
    assert noise_of(HadamardCamera(0.5, SIZE, noise=0.03)) == pytest.approx(0.03)
    assert noise_of(HadamardCamera(0.5, SIZE, noise=0.0)) == 0
    assert noise_of(camera(GaussianNoise(torch.tensor([0.01, 0.2])))) == pytest.approx(0.2)
    assert noise_of(Counted(camera(), SIZE)) == pytest.approx(0.1)
    for silent in (camera(PoissonNoise(0.1)), camera(NoiseModel(lambda x: x)), stack(camera(), camera())):
        assert noise_of(silent) is None
    with pytest.raises(ValueError, match="physics='str': expected a linear operator"):
        noise_of("x")
