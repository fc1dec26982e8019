"""Command line of the course: ``python -m assignments build | prove | new-year KEY | grade SET FOLDER``."""

import argparse
import csv
import io
import json
import os
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from tqdm import tqdm

from assignments import answers, grading
from assignments.build import DIST, build, bundle, wheel
from assignments.masters import COURSE, ProblemSet, all_sets, course_key, set_course_key
from assignments.prove import lines, prove


def build_all(problems: list[ProblemSet], key: str, dist: Path) -> None:
    """Build the sets and say where they are."""
    for problem in tqdm(problems, unit="set", disable=None):
        build(problem, key, dist)
    (dist / "README.txt").write_text(f"Problem sets of the course {key!r}: see assignments/README.md.\n")
    print(f"Built {len(problems)} notebooks for the course {key!r} in {dist}.")


def bundle_all(problems: list[ProblemSet], dist: Path) -> None:
    """Write the bundles for Gradescope."""
    with tempfile.TemporaryDirectory() as folder:
        library = wheel(Path(folder))
        for problem in problems:
            bundle(problem, library, dist)
    print(f"Bundles for Gradescope are in {dist / 'gradescope'}.")


def prove_all(
    problems: list[ProblemSet],
    dist: Path,
    workers: int = 2,
    as_json: bool = False,
    only: str | None = None,
    whole: bool = False,
) -> bool:
    """Print the table of proofs; say whether every row is as it should be."""
    with tempfile.TemporaryDirectory() as folder:
        rows = prove(problems, Path(folder), dist, workers, only, whole)
    print("\n".join(lines(rows)), flush=True)
    faults = [f"{row.set}, {row.submission}: {fault}" for row in rows for fault in row.faults]
    good = not faults
    print("\n".join([f"{len(rows)} gradings, {len(faults) or 'no'} faults.", *faults]))
    (dist / "proof.json").write_text(json.dumps([asdict(row) for row in rows], indent=1) + "\n")
    if as_json:
        print(json.dumps({"rows": [asdict(row) for row in rows], "good": good}))
    return good


def grade_folder(name: str, folder: Path, out: Path, dist: Path) -> None:
    """Grade a folder of submissions; write ``grades.csv`` and a report for each."""
    archive = dist / "autograder" / f"{name}.zip"
    if not archive.exists():
        known = (
            ", ".join(path.stem for path in sorted((dist / "autograder").glob("*.zip")))
            or "none: build first"
        )
        sys.exit(f"set={name!r}: there is no {archive}; built are: {known}")
    paths = list(grading.submissions(folder)) if folder.is_dir() else []
    if not paths:
        sys.exit(f"folder={str(folder)!r}: expected a folder with notebooks (.ipynb) or zip files")
    prepare(out)
    results = []
    for path, called in zip(
        tqdm(paths, unit="submission", disable=None), grading.names_of(paths), strict=True
    ):
        result = grading.grade(path, archive)
        result.name = called
        (out / f"{called}.md").write_text(grading.report(result), encoding="utf-8")
        results.append(result)
    write_csv(out / "grades.csv", grading.table(results))
    for result in results:
        remark = result.failure or "; ".join(result.removed)
        print(f"{result.name:40s} {result.score:g}/{result.possible:g}  {remark}")
    print(f"Points are in {out / 'grades.csv'}, a report for each submission beside it.")


def prepare(out: Path) -> None:
    """Make the folder of grades and try it before any work; leave one alone that has grades, perhaps filled in."""
    if os.path.lexists(out / "grades.csv"):
        expected = "a folder without grades.csv, in which points may have been filled in; name another"
        sys.exit(f"--out={str(out)!r}: expected {expected}")
    try:
        out.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=out).close()
    except OSError as error:
        sys.exit(f"--out={str(out)!r}: expected a folder that can be written to ({error})")


def write_csv(path: Path, rows: list[list[str]]) -> None:
    """Write a table as a whole: beside its place, then into it."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    beside = path.with_name(f".{path.name}.tmp")
    beside.write_text(text.getvalue(), encoding="utf-8", newline="")
    beside.replace(path)


def positive(text: str) -> int:
    """Read an integer, 1 or above."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r}: expected an integer, 1 or above")
    return int(text)


def parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    main = argparse.ArgumentParser(prog="python -m assignments", description=__doc__)
    main.add_argument("--dist", type=Path, default=DIST, help="where what is built lies (dist/)")
    commands = main.add_subparsers(dest="command", required=True)
    for name, words in (
        ("build", "build what students and graders get"),
        ("prove", "build, and prove that grading works"),
    ):
        command = commands.add_parser(name, help=words)
        command.add_argument("--set", type=int, help="one problem set by its number")
        command.add_argument("--form", choices=("torch", "numpy"), help="one form only")
        command.add_argument("--key", help="another key than that of course.toml")
    command.add_argument("--workers", type=positive, default=2, help="gradings at a time (2)")
    command.add_argument("--only", help="only submissions whose name contains this")
    command.add_argument("--whole", action="store_true", help="run the studies with every wrong answer, too")
    command.add_argument("--json", action="store_true", help="print the result as JSON, too")
    command = commands.add_parser("new-year", help="change the key, build everything, prove the references")
    command.add_argument("key", help="for instance 2027")
    command.add_argument("--course", type=Path, default=COURSE, help=argparse.SUPPRESS)
    command = commands.add_parser("grade", help="grade a folder of submissions")
    command.add_argument("set", help="the set's name, for instance set1_conditioning")
    command.add_argument("folder", type=Path, help="notebooks, or zip files with one notebook each")
    command.add_argument(
        "--out", type=Path, default=Path("grades"), help="where grades and reports go (grades/)"
    )
    return main


def main() -> None:
    """Read the command line and do it; end with one line where a file cannot be read or written."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        run()
    except OSError as error:
        sys.exit(f"error: {error}")


def run() -> None:
    """Do what the command line says."""
    arguments = parser().parse_args()
    if arguments.command == "grade":
        return grade_folder(arguments.set, arguments.folder, arguments.out, arguments.dist)
    if arguments.command == "new-year":
        try:
            set_course_key(arguments.key, arguments.course)
        except ValueError as error:
            sys.exit(str(error))
        problems, key = all_sets(), arguments.key
    else:
        problems, key = all_sets(arguments.set, arguments.form), arguments.key or course_key()
    if not problems:
        sys.exit(f"set={arguments.set!r}, form={arguments.form!r}: there is no such problem set")
    build_all(problems, key, arguments.dist)
    if arguments.command == "build":
        bundle_all(problems, arguments.dist)
        print(f"The answers to the chapters' exercises are in {answers.write(arguments.dist)}.")
    if arguments.command == "new-year":
        sys.exit(not prove_all(problems, arguments.dist, only="reference"))
    if arguments.command == "prove":
        good = prove_all(
            problems,
            arguments.dist,
            arguments.workers,
            arguments.json,
            arguments.only,
            arguments.whole,
        )
        sys.exit(not good)


if __name__ == "__main__":
    main()
