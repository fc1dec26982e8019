"""Measured data without a network: small sets, a folder for them, and a fetcher that only looks into a folder."""

import sys

import pytest

from ddgp_lib import commands
from ddgp_lib.data.measured import loading
from tests.data.measured.published import Fetcher, publish, sets_of


@pytest.fixture
def server(tmp_path):
    """Publish small files of every format."""
    folder = tmp_path / "server"
    folder.mkdir()
    publish(folder)
    return folder


@pytest.fixture
def sets(server, monkeypatch):
    """Register what was published in the place of the measured sets."""
    found = sets_of(server)
    monkeypatch.setattr(loading, "MEASURED", found)
    monkeypatch.setattr(commands, "MEASURED", found)
    return found


@pytest.fixture
def data(tmp_path, monkeypatch):
    """Name an empty folder of data, which is not there yet."""
    folder = tmp_path / "data"
    monkeypatch.setenv("DDGP_DATA", str(folder))
    return folder


@pytest.fixture(autouse=True)
def fetcher(tmp_path, monkeypatch):
    """Put a fetcher that knows no network in the place of pooch."""
    found = Fetcher(tmp_path / "server", tmp_path / "cache")
    monkeypatch.setitem(sys.modules, "pooch", found)
    return found
