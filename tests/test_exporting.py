"""Exported networks: they give what PyTorch gives, the same bytes each time, and a card that says how to use them."""

import hashlib
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

import ddgp_lib
from ddgp_lib import exporting
from ddgp_lib.__main__ import main
from ddgp_lib.denoisers import NoiseAwareDnCNN
from ddgp_lib.digests import tensors_digest
from ddgp_lib.exporting import (
    OPSET,
    PACKAGES,
    Correction,
    difference_from_pytorch,
    export_task,
    exported_networks,
    model_bytes,
)
from ddgp_lib.networks import build_network
from ddgp_lib.operators import null_projection
from ddgp_lib.preconditioners import Identity, LearnedPreconditioner, State
from ddgp_lib.presets import PRESETS
from ddgp_lib.pretrained import load_preconditioner, load_tuning, tuning_path


@pytest.fixture(scope="module")
def runtime():
    for name in PACKAGES:
        pytest.importorskip(name, reason="the extra `export` is not installed")
    return pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def card(runtime, task, folder):
    return export_task(task, folder)


def session(runtime, card, name, folder):
    content = (folder / card["models"][name]["file"]).read_bytes()
    return runtime.InferenceSession(content, providers=["CPUExecutionProvider"])


def test_the_exported_preconditioner_equals_pytorch_on_images_it_was_not_exported_with(
    runtime, task, card, folder
):
    P, network = load_preconditioner(task), session(runtime, card, "distilled", folder)
    truth = task.test_images[:3]
    for k, z in enumerate(task.student.A_adjoint(task.measure(truth)).split(1)):
        grad = z - truth[k : k + 1]
        (correction,) = network.run(None, {"grad": grad.numpy(), "iterate": z.numpy()})
        made = grad + null_projection(task.student, torch.from_numpy(correction))
        with torch.no_grad():
            expected = P(grad, State(z, k, task.student, task.measure(z)))
        assert (expected - grad).abs().max() > 0.1
        torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)


@pytest.mark.parametrize("sigma", [0.01, 0.07, 0.3])
def test_the_exported_denoiser_equals_pytorch(runtime, task, card, folder, sigma):
    noisy = task.test_images[:1] + sigma * torch.randn(
        1, 1, 32, 32, generator=torch.Generator().manual_seed(0)
    )
    given = {"image": noisy.numpy(), "sigma": np.array([sigma], dtype=np.float32)}
    (made,) = session(runtime, card, "denoiser", folder).run(None, given)
    with torch.no_grad():
        torch.testing.assert_close(torch.from_numpy(made), task.denoiser(noisy, sigma), atol=1e-4, rtol=0)


def test_the_card_names_weights_models_and_settings_as_they_are(task, card, folder):
    assert json.loads((folder / "single_pixel-export.json").read_text()) == card
    assert card["opset"] == OPSET
    assert card["settings"]["distilled"] == load_tuning(task)["distilled"]["setting"]
    for name, model in card["models"].items():
        assert model["sha256"] == hashlib.sha256((folder / model["file"]).read_bytes()).hexdigest()
        assert model["weights_sha256"] == tensors_digest(PRESETS["single_pixel"].path(name))
    assert card["models"]["distilled"]["recipe"]["losses"] == {"gradient": 1.0, "supervised": 1.0}


def test_a_model_is_the_same_each_time_and_tells_no_path(runtime, task, card, folder):
    content = model_bytes(exported_networks(task)["denoiser"])
    assert content == (folder / card["models"]["denoiser"]["file"]).read_bytes()
    assert b".py" not in content
    assert torch.__version__.encode() not in content


@pytest.mark.parametrize(
    "options", [{"inputs": "gradient_only"}, {"embedding": 2}, {"inputs": "state_aware"}]
)
def test_every_kind_of_input_is_exported_as_the_preconditioner_reads_it(options):
    channels = (1 if options.get("inputs") == "gradient_only" else 2) * (1 + options.get("embedding", 0))
    P = LearnedPreconditioner(build_network("cnn", channels, 1), **options)
    torch.nn.init.normal_(list(P.parameters())[-1], generator=torch.Generator().manual_seed(0))
    correction = Correction(P)
    wanted = {"gradient_only": ("grad",), "state_aware": ("grad", "iterate")}[P.inputs]
    assert correction.inputs == (*wanted, *(("iteration",) if P.embedding else ()))
    grad, z = torch.rand(2, 1, 1, 8, 8, generator=torch.Generator().manual_seed(1))
    given = {"grad": grad, "iterate": z, "iteration": torch.tensor([4.0])}
    made = correction(*(given[name] for name in correction.inputs))
    assert made.abs().max() > 0
    torch.testing.assert_close(made, P.correction(grad, z, 4))


class Brighter(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, u, sigma):
        return self.module(u, sigma) + 0.01


def test_a_difference_from_pytorch_is_noticed(runtime, task):
    exported = exported_networks(task)["denoiser"]
    content = model_bytes(exported)
    assert difference_from_pytorch(content, exported) < 1e-5
    exported.inputs["image"].mul_(1.1)
    assert difference_from_pytorch(content, exported) < 1e-5
    changed = type(exported)(Brighter(exported.module), exported.inputs, exported.output)
    assert difference_from_pytorch(content, changed) > 1e-4


def test_what_cannot_be_exported_is_refused(tmp_path, task, monkeypatch):
    with pytest.raises(ValueError, match="kind='distilled_linear': expected one of \\('distilled', "):
        export_task(task, tmp_path, "distilled_linear")
    with pytest.raises(FileNotFoundError, match="folder="):
        export_task(task, tmp_path / "none")
    with pytest.raises(ValueError, match="preconditioner="):
        Correction(Identity())
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"pip install 'ddgp_lib\[export\]'"):
        export_task(task, tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def quick(monkeypatch):
    """Leave out what an export takes long for, and its packages."""
    monkeypatch.setattr(exporting, "_require_packages", lambda: None)
    monkeypatch.setattr(exporting, "model_bytes", lambda exported: b"model")
    monkeypatch.setattr(exporting, "difference_from_pytorch", lambda content, exported: 0.0)


def test_nothing_is_written_where_something_is_missing(quick, own, tmp_path):
    """Settings are asked for before a model is written, and the place of each file is tried."""
    preset = replace(own, weights=shutil.copytree(own.weights, tmp_path / "weights"))
    folder, path = tmp_path / "models", tuning_path(preset.name, preset.weights)
    folder.mkdir()
    whole = json.loads(path.read_text())
    path.write_text(json.dumps(whole | {"methods": {"none": whole["methods"]["none"]}}))
    with pytest.raises(ValueError, match=r"kind='distilled': expected a tuned one of \('none',\)"):
        export_task(preset.load(), folder)
    path.unlink()
    with pytest.raises(FileNotFoundError, match=path.name):
        export_task(preset.load(), folder)
    path.write_text(json.dumps(whole))
    assert list(folder.iterdir()) == []
    (folder / f"{own.name}-export.json").mkdir()
    with pytest.raises(ValueError, match=r"folder=.*a folder is in the place of the file"):
        export_task(preset.load(), folder)
    assert [found.name for found in folder.iterdir()] == [f"{own.name}-export.json"]
    for named in ("", 3):
        with pytest.raises(ValueError, match=f"folder={named!r}: expected the path of a folder"):
            export_task(preset.load(), named)


def test_a_denoiser_of_ones_own_is_not_said_to_be_the_filed_one_and_stays_as_it_is(quick, task, tmp_path):
    filed = export_task(task, tmp_path)["models"]["denoiser"]["weights"]
    assert filed == PRESETS["single_pixel"].path("denoiser").name
    torch.manual_seed(0)
    denoiser = NoiseAwareDnCNN(1, 3, 8).train()
    model = export_task(replace(task, denoiser=denoiser), tmp_path)["models"]["denoiser"]
    assert (model["weights"], model["weights_sha256"], model["recipe"]) == (None, None, None)
    assert denoiser.training


def test_the_command_writes_a_users_own_camera(runtime, own, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr("ddgp_lib.commands.load_chosen", lambda *names: own)
    assert main(["export", "--json", "--output", str(tmp_path)]) == 0
    named = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert {path.rsplit("/", 1)[-1] for path in named.values()} < {path.name for path in tmp_path.iterdir()}
    assert ddgp_lib.load_preconditioner(own.load()) is not None
