"""Fork graders: the process that has imported what graders and notebooks import.

``python -m assignments.warm_child FORM SOCKET``, where SOCKET is the number of an open socket's file descriptor. Each
byte that comes there brings the descriptor of another socket. A fork reads one line of JSON there, says its process
number, does what the line asks, answers with a line of JSON, and ends.
"""

import gc
import importlib
import json
import logging
import os
import resource
import socket
import sys
import tempfile
import traceback
from pathlib import Path
from typing import Any, NoReturn

import nbformat

from assignments.forked_kernel import fork_kernel
from assignments.masters import STARTUP
from assignments.otter_child import graded

GRADER = (
    "dill",
    "ipykernel.zmqshell",
    "matplotlib.pyplot",
    "nbclient",
    "nbconvert.preprocessors",
    "otter.api",
    "otter.execute.preprocessor",
)
"""What otter and every notebook import."""
NOTEBOOK = {"numpy": (), "torch": ("torch", "deepinv", "ddgp_lib")}
"""What notebooks of one form import beyond that. What is given with a set is left to them."""


def executed(notebook: Path) -> dict[str, str]:
    """Execute a notebook; return what its last cell printed."""
    from nbclient import NotebookClient

    read = nbformat.read(notebook, as_version=4)
    with tempfile.TemporaryDirectory() as folder:
        resources = {"metadata": {"path": folder}}
        NotebookClient(read, timeout=None, startup_timeout=STARTUP, resources=resources).execute()
    return {"output": str(read.cells[-1].outputs[-1].text)}


def carried_out(request: dict[str, str]) -> dict[str, Any]:
    """Grade a notebook with an autograder, or execute it where none is named."""
    notebook = Path(request["notebook"])
    return graded(notebook, Path(request["archive"])) if request["archive"] else executed(notebook)


def answer(line: socket.socket) -> NoReturn:
    """Carry out the request that comes by a socket, answer, and leave the process."""
    status = 1
    try:
        stream = line.makefile("rw")
        request = json.loads(stream.readline())
        said = os.open(request["said"], os.O_WRONLY | os.O_APPEND)
        os.dup2(said, 1)
        os.dup2(said, 2)
        limit = request["processor_seconds"]
        resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))  # kernels inherit it
        fork_kernel(private=(line.fileno(),))
        stream.write(f"{os.getpid()}\n")
        stream.flush()
        stream.write(json.dumps(carried_out(request)) + "\n")
        stream.flush()
        status = 0
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(status)


def serve(control: socket.socket) -> None:
    """Fork a process for each socket that comes, until the other side closes."""
    forks: set[int] = set()
    while handles := socket.recv_fds(control, 1, 1)[1]:
        fork = os.fork()
        if fork == 0:
            control.close()
            answer(socket.socket(fileno=handles[0]))
        os.close(handles[0])
        forks = {one for one in forks | {fork} if os.waitpid(one, os.WNOHANG)[0] == 0}
    for one in forks:
        os.waitpid(one, 0)


def main() -> None:
    """Import, then serve."""
    form, control = sys.argv[1], socket.socket(fileno=int(sys.argv[2]))
    logging.disable(logging.CRITICAL)
    for name in (*GRADER, *NOTEBOOK[form]):
        importlib.import_module(name)
    gc.collect()
    gc.freeze()
    serve(control)


if __name__ == "__main__":
    main()
