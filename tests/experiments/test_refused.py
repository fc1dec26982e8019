"""What a side command refuses is a line and an exit status."""

import pytest

from ddgp_lib.experiments import adversaries, budget, rates
from ddgp_lib.experiments.refused import status_of


@pytest.mark.parametrize(
    ("command", "options", "message"),
    [
        (adversaries, ["--images", "0"], "--images=0"),
        (adversaries, ["--iterations", "0"], "--iterations=0"),
        (budget, ["--seconds", "0"], "--seconds=0.0"),
        (budget, ["--only", "magic"], "name='magic'"),
        (rates, ["--only", "magic"], "--only='magic'"),
    ],
)
def test_what_is_refused_is_one_line_and_the_status_2(command, options, message, capsys):
    assert status_of(lambda: command.main(["single_pixel", *options])) == 2
    told = capsys.readouterr().err
    assert told.startswith("error: ")
    assert message in told
    assert told.count("\n") == 1
