"""What the page with a camera computes in the browser, against the library: operators, projectors, solver.

The modules run in Node here; ``test_camera_page.py`` opens the page itself.
"""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from deepinv.models import Denoiser
from safetensors.torch import save_file

import ddgp_lib
from book._tools import camera_site
from book._tools.camera_files import BLUR, places, without_weights
from book._tools.npm import find_npm
from book._tools.repository import ROOT
from ddgp_lib import PreconditionedFISTA, Preconditioner, Safeguard, State
from ddgp_lib.digests import tensors_digest
from ddgp_lib.exporting import exported_networks
from ddgp_lib.metrics import psnr
from ddgp_lib.operators import CartesianMRI, FourierDownsampling, HadamardCamera, newton, null_projection
from ddgp_lib.operators.hadamard import ORDERINGS

CAMERA = ROOT / "book" / "camera"
TABLES = json.loads((CAMERA / "files" / "cameras.json").read_text())
Compute = Callable[[str, dict[str, Any]], Any]


@pytest.fixture(scope="module")
def compute(tmp_path_factory: pytest.TempPathFactory) -> Compute:
    """Run lines of JavaScript that see the modules as ``m`` and the inputs as ``given``; return their ``result``."""
    folder = tmp_path_factory.mktemp("camera")
    for path in CAMERA.glob("*.js"):
        shutil.copy(path, folder)
    (folder / "package.json").write_text('{"type": "module"}')
    node = str(Path(find_npm()).with_name("node"))
    names = ("vectors", "hadamard", "fourier", "blur", "solver", "cameras")

    def run(lines: str, given: dict[str, Any]) -> Any:
        imports = "".join(f"import * as {name} from './{name}.js';\n" for name in names)
        imports += "import fs from 'fs';\nconst given = JSON.parse(fs.readFileSync(0));\n"
        head = f"const m = {{{', '.join(names)}}};\n"
        tail = (
            "\nprocess.stdout.write(JSON.stringify(result, (_, v) => ArrayBuffer.isView(v) ? [...v] : v));\n"
        )
        (folder / "script.js").write_text(imports + head + lines + tail)
        done = subprocess.run(
            [node, "script.js"],
            input=json.dumps(given),
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def test_the_card_of_the_camera_without_learning_is_in_the_table() -> None:
    card = TABLES["cards"]["blur"]
    assert {name: card[name] for name in BLUR} == BLUR
    assert all(other.keys() >= BLUR.keys() for other in TABLES["cards"].values())


def flat(tensor: torch.Tensor) -> list[float]:
    numbers: list[float] = tensor.flatten().tolist()
    return numbers


def close(made: list[float], expected: torch.Tensor) -> None:
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(torch.tensor(made), expected.flatten().float(), atol=1e-4, rtol=1e-4)


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.rand(shape, generator=torch.Generator().manual_seed(seed))


ALL = """const result = {
  measure: A.measure(x), adjoint: A.adjoint(A.measure(x)), normal: A.normal(x), project: A.project(x),
  count: A.count, squaredNorm: A.squaredNorm, newton: A.newton ? A.newton(x, 0.01) : null,
};"""


@pytest.mark.parametrize("ordering", ORDERINGS)
@pytest.mark.parametrize("ratio", [0.02, 0.1, 0.35, 1.0])
def test_the_single_pixel_camera_measures_the_library_s_patterns(
    compute: Compute, ordering: Any, ratio: float
) -> None:
    x, A = random(1, 1, 32, 32), HadamardCamera(ratio, (1, 32, 32), ordering)
    lines = f"const x = given.x; const A = new m.hadamard.SinglePixel(given.ranks, given.ratio);\n{ALL}"
    made = compute(lines, {"x": flat(x), "ranks": TABLES["patterns"][ordering], "ratio": ratio})
    close(made["measure"], A.A(x))
    close(made["adjoint"], A.A_adjoint(A.A(x)))
    close(made["normal"], A.A_adjoint_A(x))
    close(made["project"], A.range_projection(x))
    assert made["count"] == int(A.mask.sum())


@pytest.mark.parametrize("acceleration", [1, 2, 4, 8])
def test_mri_measures_the_library_s_columns(compute: Compute, acceleration: int) -> None:
    x, A = random(1, 2, 128, 128) - 0.5, CartesianMRI(acceleration)
    lines = (
        "const x = given.x; const columns = m.cameras.columnsAt(given.ranks, given.acceleration);\n"
        f"const A = new m.fourier.CartesianMRI(columns);\n{ALL}\nresult.columns = columns;"
    )
    made = compute(lines, {"x": flat(x), "ranks": TABLES["columns"], "acceleration": acceleration})
    assert made["columns"] == A.columns.tolist()
    close(made["measure"], A.A(x))
    close(made["adjoint"], A.A_adjoint(A.A(x)))
    close(made["normal"], A.A_adjoint_A(x))
    assert made["count"] == 128 * int(A.columns.sum())


@pytest.mark.parametrize(
    ("side", "factor", "std", "rtol"), [(32, 2, 1.0, 1e-5), (48, 4, 2.0, 0.05), (32, 1, 1.5, 1e-2)]
)
def test_blur_and_decimation(compute: Compute, side: int, factor: int, std: float, rtol: float) -> None:
    x, A = random(1, 1, side, side), FourierDownsampling(factor, (1, side, side), std=std, rtol=rtol)
    lines = (
        "const x = given.x; const A = new m.blur.Downsampling(given.side, given.factor, given.std, given.rtol);\n"
        f"{ALL}"
    )
    made = compute(lines, {"x": flat(x), "side": side, "factor": factor, "std": std, "rtol": rtol})
    close(made["measure"], A.A(x))
    close(made["adjoint"], A.A_adjoint(A.A(x)))
    close(made["project"], A.range_projection(x))
    close(made["newton"], newton(A, x, 0.01))
    assert made["squaredNorm"] == pytest.approx(A.squared_norm, rel=1e-6)


def test_every_order_of_patterns_and_columns_is_complete() -> None:
    assert TABLES["patterns"].keys() == set(ORDERINGS)
    for ranks in (*TABLES["patterns"].values(), TABLES["columns"]):
        assert sorted(ranks) == list(range(len(ranks)))


class Shrink(Denoiser):
    """A denoiser that JavaScript can repeat: u (1 − σ) + σ/10."""

    def forward(self, x: torch.Tensor, sigma: Any, **kwargs: Any) -> torch.Tensor:
        return x * (1 - sigma) + sigma / 10


class Pull(Preconditioner):
    """P(g; z) = g + strength (I − A⁺A) (z − t), with stripes t, or without the projector."""

    def __init__(self, strength: float, free: bool) -> None:
        super().__init__()
        self.strength, self.free = strength, free

    def forward(self, grad: torch.Tensor, state: State) -> torch.Tensor:
        stripes = 0.1 * (torch.arange(1024) % 3).reshape(1, 1, 32, 32)
        added = self.strength * (state.z - stripes)
        return grad + (added if self.free else null_projection(state.physics, added))


RUN = """
const {settings} = given;
const operator = new m.hadamard.SinglePixel(given.ranks, 0.2);
const y = Float32Array.from(given.y);
const denoise = async (u, sigma) => u.map((v) => v * (1 - sigma) + sigma / 10);
const correct = given.learned ? async (grad, z) => z.map((v, i) => v - 0.1 * (i % 3)) : null;
const run = new m.solver.Run({operator, y, denoise, correct}, settings);
const result = {rejected: [], x: []};
for (let k = 0; k < 30; k++) {
  await run.step();
  result.rejected.push(run.rejected);
  if ([0, 4, 29].includes(k)) result.x.push(run.x);
}
result.judged = m.solver.judge(run.x, Float32Array.from(given.truth), {operator, y});
"""


@pytest.mark.parametrize(
    ("changed", "learned"),
    [
        ({}, False),
        ({"prior_decay": 10}, True),
        ({"update_decay": 5}, True),
        ({"momentum": "deepinv", "step": 0.5}, True),
        ({"momentum": "none", "strength": 0.2, "free": True}, True),
        ({"strength": 4.0, "safeguard": True}, True),
    ],
)
def test_the_solver_gives_the_library_s_iterates(
    compute: Compute, changed: dict[str, Any], learned: bool
) -> None:
    settings: dict[str, Any] = {
        "sigma": 0.1, "momentum": "chambolle_dossal", "prior_decay": None, "update_decay": None,
        "step": 1.0, "strength": 0.5, "free": False, "safeguard": False,
    } | changed  # fmt: skip
    A, truth = HadamardCamera(0.2, (1, 32, 32)), random(1, 1, 32, 32)
    y = A.A(truth) + 0.01 * A.mask * random(1, 1, 32, 32, seed=1)
    names = ("sigma", "momentum", "prior_decay", "update_decay")
    P = Pull(settings["strength"], settings["free"]) if learned else None
    solver = PreconditionedFISTA(
        Shrink(), P, stepsize=settings["step"], safeguard=settings["safeguard"] and Safeguard(), max_iter=30,
        **{name: settings[name] for name in names},
    )  # fmt: skip
    states = list(solver.states(y, A, 30))
    given = {"y": flat(y), "truth": flat(truth), "settings": settings, "learned": learned}
    made = compute(RUN, given | {"ranks": TABLES["patterns"]["cake_cutting"]})
    for x, k in zip(made["x"], (1, 5, 30), strict=True):
        close(x, states[k]["est"][0])
    if settings["safeguard"]:
        assert made["rejected"] == [bool(state["rejected"]) for state in states[1:]]
        assert True in made["rejected"]
    x = states[30]["est"][0]
    error = x - truth
    judged = {
        "psnr": float(psnr(x, truth)),
        "residual": float((A.A(x) - y).norm() / y.norm()),
        "range": float(A.range_projection(error).norm() / truth.norm()),
        "null": float(null_projection(A, error).norm() / truth.norm()),
    }
    assert made["judged"] == pytest.approx(judged, rel=1e-3, abs=1e-4)


def test_noise_is_white_and_depends_on_its_seed(compute: Compute) -> None:
    lines = "const result = given.seeds.map((seed) => Array.from({length: 20000}, m.vectors.gaussian(seed)));"
    first, second, again = (torch.tensor(row) for row in compute(lines, {"seeds": [1, 2, 1]}))
    assert torch.equal(first, again)
    assert abs(float((first * second).mean())) < 0.03
    assert abs(float((first[1:] * first[:-1]).mean())) < 0.03
    assert float(first.mean()) == pytest.approx(0, abs=0.03)
    assert float(first.var()) == pytest.approx(1, abs=0.05)
    assert float((first.abs() > 2).float().mean()) == pytest.approx(0.0455, abs=0.006)


@pytest.mark.parametrize("name", ["single_pixel", "mri"])
def test_models_that_read_the_library_s_weights_give_what_pytorch_gives(tmp_path: Path, name: str) -> None:
    runtime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
    camera_site.place(tmp_path / "camera")
    for kind, exported in exported_networks(ddgp_lib.load_task(name)).items():
        session = runtime.InferenceSession(str(tmp_path / "camera" / "files" / f"{name}-{kind}.onnx"))
        (made,) = session.run(None, {key: value.numpy() for key, value in exported.inputs.items()})
        close(made.ravel().tolist(), exported.expected())


def test_weights_that_are_not_in_a_model_are_noticed(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed")
    tensors = {"a": torch.arange(6.0), "b": torch.arange(4.0)}
    save_file(tensors, tmp_path / "both.safetensors")
    found = places((tmp_path / "both.safetensors").read_bytes())
    assert [place.length for place in found.values()] == [24, 16]
    kept = [onnx.numpy_helper.from_array(tensor.numpy(), name) for name, tensor in tensors.items()]
    for count in (2, 1):
        graph = onnx.helper.make_graph([], "g", [], [], initializer=kept[:count])
        model = onnx.helper.make_model(graph).SerializeToString()
        if count == 1:
            with pytest.raises(ValueError, match="1 tensors are not in the model"):
                without_weights(model, tmp_path / "both.safetensors")
        else:
            slim = onnx.load_model_from_string(without_weights(model, tmp_path / "both.safetensors"))
            onnx.external_data_helper.load_external_data_for_model(slim, str(tmp_path))
            read = [onnx.numpy_helper.to_array(tensor).tolist() for tensor in slim.graph.initializer]
            assert read == [tensor.tolist() for tensor in tensors.values()]


def test_weights_in_half_precision_are_widened_by_the_model(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx", reason="the extra `export` is not installed")
    runtime = pytest.importorskip("onnxruntime", reason="the extra `export` is not installed")
    a = torch.linspace(-1, 1, 6).half()
    save_file({"a": a}, tmp_path / "a.safetensors")
    kept = onnx.numpy_helper.from_array(a.float().numpy(), "a")
    x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [6]) for name in "xy")
    add = onnx.helper.make_node("Add", ["x", "a"], ["y"])
    graph = onnx.helper.make_graph([add], "g", [x], [y], initializer=[kept])
    opsets = [onnx.helper.make_opsetid("", 18)]
    whole = onnx.helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    (tmp_path / "slim.onnx").write_bytes(without_weights(whole, tmp_path / "a.safetensors"))
    session = runtime.InferenceSession(str(tmp_path / "slim.onnx"))
    (made,) = session.run(None, {"x": torch.zeros(6).numpy()})
    assert made.tolist() == a.float().tolist()


def test_cards_are_of_the_weights_and_settings_that_ship() -> None:
    for task in TABLES["usual"]:
        card = TABLES["cards"][task]
        tuning = ddgp_lib.load_tuning(task)
        remedy = "run `python -m book._tools.camera_files`"
        assert card["settings"] == {kind: tuning[kind]["setting"] for kind in card["settings"]}, remedy
        for model in card["models"].values():
            file = ROOT / "ddgp_lib" / "weights" / model["weights"]
            assert model["weights_sha256"] == tensors_digest(file), remedy
