"""The README's tour in code runs as it stands, but for a shorter training and fewer images."""

import re
from pathlib import Path

README = Path(__file__).parents[1] / "README.md"


def test_tour_runs(tmp_path, monkeypatch, capsys):
    tour = "\n".join(re.findall(r"```python\n(.*?)```", README.read_text(), flags=re.DOTALL))
    shorter = tour.replace("steps=500", "steps=2").replace("[:32], max_iter=50", "[:2], max_iter=3")
    assert (shorter.count("steps=2"), shorter.count("[:2], max_iter=3")) == (2, 1)
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(shorter, names)
    assert (names["same"](names["y"], names["task"].student) - names["x"]).abs().max() < 1e-5
    assert names["distillation"].recipe.steps == 2
    camera = names["camera"]
    trace = names["ddgp_lib"].evaluate(camera, names["P"], images=camera.test_images[:1], max_iter=2)
    assert trace.estimate.shape == (1, 1, 64, 64)
    assert "tensor" in capsys.readouterr().out
