"""Build what students, graders and instructors get from a master, into ``dist/``."""

import json
import logging
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import nbformat
import yaml

from assignments.masters import HERE, ROOT, Notebook, ProblemSet
from book._tools.address import repository_url

DIST = ROOT / "dist"
OTTER = "otter-grader[grading]==7.0.0"
PYTHON = "3.11"
LIBRARY = "/autograder/source/files/{wheel}"
"""Where the library lies on a machine of Gradescope."""
POSTSCRIPT = """\
## Hand in

Run all cells from top to bottom once more (*Restart and run all*), save the notebook, download it, and hand in
the one `.ipynb` file. Answers in text count as well: look through them once."""


def grading_requirements(problem: ProblemSet) -> list[str]:
    """Return what a grading machine has to install: exact versions, and CPU builds of PyTorch."""
    lines = (ROOT / "requirements-course.txt").read_text().splitlines()
    pins = dict(line.split("==") for line in lines if "==" in line)
    if problem.form == "numpy":
        return [f"{name}=={pins[name]}" for name in ("numpy", "matplotlib")] + [OTTER]
    cpu = [
        line for line in (ROOT / ".binder" / "requirements.txt").read_text().splitlines() if line[:1] != "#"
    ]
    return [*cpu, OTTER]


def config_cell(problem: ProblemSet) -> Notebook:
    """Return otter's configuration of a set."""
    lines = [
        "# ASSIGNMENT CONFIG",
        f"name: {problem.name}",
        "export_cell: false",
        "check_all_cell: false",
        "show_question_points: false",
        f"runs_on: {'jupyterlite' if problem.form == 'numpy' else 'default'}",
        "tests: {files: true, ok_format: false}",
        f"autograder_files: [course.py, {problem.module}.py]",
        "generate: {show_stdout: false, pdf: false}",
        f"requirements: {json.dumps(grading_requirements(problem))}",
        "overwrite_requirements: true",
        f'python_version: "{PYTHON}"',
    ]
    return nbformat.v4.new_raw_cell("\n".join(lines))


def first_cell(problem: ProblemSet, tests: dict[str, str]) -> Notebook:
    """Return the cell that makes a hand-out complete: it writes the given module and the public tests beside it."""
    files = {"course.py": (HERE / "course.py").read_text(), f"{problem.module}.py": problem.given}
    files |= {f"tests_{problem.module}/{name}": text for name, text in tests.items()}
    packages = [f"'{OTTER}'"]
    if problem.form == "torch":
        packages.append(f"'ddgp_lib[notebooks] @ git+{repository_url()}'")
    written = ",\n".join(f"    {json.dumps(name)}: {literal(text)}" for name, text in files.items())
    source = f"""\
# Run this cell first. It writes what the notebook needs beside it; in Colab and JupyterLite it installs it, too.
import sys
from pathlib import Path

if "google.colab" in sys.modules or sys.platform == "emscripten":
    get_ipython().run_line_magic("pip", {json.dumps("install -q " + " ".join(packages))})

import otter

files = {{
{written},
}}
for name, text in files.items():
    if not getattr(otter.Notebook, "_grading_mode", False):
        Path(name).parent.mkdir(exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")
sys.path.insert(0, ".")
Path("tests_{problem.module}").mkdir(exist_ok=True)
grader = otter.Notebook(tests_dir="./tests_{problem.module}")"""
    cell = nbformat.v4.new_code_cell(source)
    cell.metadata = nbformat.from_dict(
        {"jupyter": {"source_hidden": True}, "cellView": "form", "editable": False, "deletable": False}
    )
    return cell


def literal(text: str) -> str:
    """Return a Python literal of a text that shows its lines."""
    escaped = text.replace("\\", "\\\\").replace('"""', '\\"\\"\\"')
    return f'"""{escaped}"""'


def finish(notebook: Notebook, problem: ProblemSet, tests: dict[str, str]) -> Notebook:
    """Put our first cell in the place of otter's, and say how to hand in."""
    for cell in notebook.cells:
        cell.source = re.sub(r"<!-- (BEGIN|END) QUESTION -->\s*", "", cell.source)
        cell.metadata.pop("lines_to_next_cell", None)
    cells = [cell for cell in notebook.cells if cell.source.strip()]
    position = next(i for i, cell in enumerate(cells) if cell.source.startswith("# Initialize Otter"))
    del cells[position]
    title = next(i for i, cell in enumerate(cells) if cell.cell_type == "markdown")
    cells.insert(title + 1, first_cell(problem, tests))
    cells.append(nbformat.v4.new_markdown_cell(POSTSCRIPT))
    for index, cell in enumerate(cells):
        cell.id = f"cell-{index}"
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    notebook.cells = cells
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    nbformat.validate(notebook)
    return notebook


def public_tests(folder: Path) -> dict[str, str]:
    """Return the texts of the tests that otter left for students."""
    return {path.name: path.read_text() for path in sorted(folder.glob("*.py"))}


def build(problem: ProblemSet, key: str, dist: Path = DIST) -> None:
    """Build one set: ``student/NAME.ipynb``, ``solutions/NAME.ipynb`` and ``autograder/NAME.zip``.

    Parameters
    ----------
    problem : ProblemSet
        The set, in one form.
    key : str
        The course's key.
    dist : Path
        Where to.
    """
    from otter.assign import main as otter_assign

    logging.getLogger("otter").setLevel(logging.ERROR)
    master = problem.notebook(key)
    master.cells.insert(0, config_cell(problem))
    for part in ("student", "solutions", "autograder"):
        (dist / part).mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        work = Path(name).resolve()
        nbformat.write(master, work / f"{problem.name}.ipynb")
        shutil.copy(HERE / "course.py", work)
        (work / f"{problem.module}.py").write_text(problem.given)
        otter_assign(str(work / f"{problem.name}.ipynb"), str(work / "out"), no_pdfs=True, no_run_tests=True)
        made = work / "out"
        tests = public_tests(made / "student" / "tests")
        for part, target in (("student", "student"), ("autograder", "solutions")):
            notebook = nbformat.read(made / part / f"{problem.name}.ipynb", as_version=4)
            nbformat.write(finish(notebook, problem, tests), dist / target / f"{problem.name}.ipynb")
        archive = next((made / "autograder").glob("*.zip"))
        shutil.copy(archive, dist / "autograder" / f"{problem.name}.zip")


def wheel(folder: Path) -> Path:
    """Build the library's wheel into a folder, from a copy, so that nothing is left in the repository."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name)
        for file in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / file, source)
        shutil.copytree(ROOT / "ddgp_lib", source / "ddgp_lib", ignore=shutil.ignore_patterns("__pycache__"))
        command = [
            sys.executable,
            "-m",
            "pip",
            "wheel",
            "-q",
            "--no-deps",
            "--no-build-isolation",
            "-w",
            str(folder),
        ]
        subprocess.run([*command, str(source)], check=True, stdin=subprocess.DEVNULL)
    return next(folder.glob("ddgp_lib-*.whl"))


def bundle(problem: ProblemSet, library: Path, dist: Path = DIST) -> None:
    """Write ``gradescope/NAME.zip``: the autograder, with the library in it where the set needs it."""
    target = dist / "gradescope" / f"{problem.name}.zip"
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(dist / "autograder" / target.name) as source, zipfile.ZipFile(target, "w") as made:
        for item in source.infolist():
            text = source.read(item)
            if item.filename == "environment.yml" and problem.form == "torch":
                settings = yaml.safe_load(text)
                settings["dependencies"][-1]["pip"].append(LIBRARY.format(wheel=library.name))
                text = yaml.safe_dump(settings, sort_keys=False).encode()
            made.writestr(item, text)
        if problem.form == "torch":
            made.write(library, f"files/{library.name}")
