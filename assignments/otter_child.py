"""Grade one notebook with otter and print what it found as one line of JSON: the process that may die.

``python -m assignments.otter_child SUBMISSION.ipynb AUTOGRADER.zip SECONDS``; the system ends the kernel after
that many seconds of processor time.
"""

import json
import logging
import os
import resource
import sys
from pathlib import Path
from typing import Any


def graded(submission: Path, archive: Path) -> dict[str, Any]:
    """Return points, messages and the cells that raised."""
    from otter.api import grade_submission

    results = grade_submission(str(submission), str(archive), quiet=True)
    if results.catastrophic_error is not None:
        raise results.catastrophic_error
    found = {}
    for name, test_file in results.results.items():
        failed = [
            {"hidden": case.test_case.hidden, "points": case.test_case.points, "message": case.message}
            for case in test_file.test_case_results
            if not case.passed
        ]
        found[name] = {"score": test_file.score, "possible": test_file.possible, "failed": failed}
    errors = [
        {"source": cell.source, "error": f"{output.ename}: {output.evalue}"}
        for cell in results.notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "error"
    ]
    used = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the kernel, which has ended
    return {
        "questions": found,
        "errors": errors,
        "seconds": round(used.ru_utime + used.ru_stime, 1),
        "gigabytes": round(used.ru_maxrss / 2**20, 2),
    }


def main() -> None:
    """Grade the notebook named on the command line; keep otter's own words off the line of JSON."""
    logging.disable(logging.CRITICAL)
    limit = int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (limit, limit))  # kernels inherit it
    out = os.dup(1)
    os.dup2(2, 1)
    line = json.dumps(graded(Path(sys.argv[1]), Path(sys.argv[2])))
    with os.fdopen(out, "w") as stream:
        stream.write(line + "\n")


if __name__ == "__main__":
    main()
