"""Answers about many files: `recipes predict`, done by the workers of a cluster."""

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from keras_recipes import atomic, catalog, options
from keras_recipes.commands.predict import answer
from keras_recipes.errors import InputError
from keras_recipes.fleet import budgeted, cluster, fitting, jobs, running, worker
from keras_recipes.fleet.fitting import Each
from keras_recipes.fleet.jobs import Job
from keras_recipes.fleet.running import Outcome, Report
from keras_recipes.recipe import Options, Prose, Words
from keras_recipes.report import tables
from keras_recipes.saved import locate, own_fits
from keras_recipes.saved.load import find

Form = Literal["csv", "raw-csv", "jsonl"]

FINISHED = ".finished.jsonl"
"""A line for each answer in a folder, with a digest of what it was made of."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Question:
    """What a worker needs to know to answer.

    Attributes:
        job: The data.
        model: The files of the model.
        own: Whether a fit of the user has made it. Any other model is held to a budget.
        given: The options that were given.
        form: The form of the answer.
        before: The digest of what the answer that is there was made of, or None.
        folder: The working folder of the program.
    """

    job: Job
    model: dict[str, bytes]
    own: bool
    given: Options
    form: Form
    before: str | None
    folder: str


@dataclass(frozen=True)
class Written:
    """An answer as the bytes of a file, and the digest of what it was made of."""

    made_of: str
    content: bytes


def predict(
    models: str | Path,
    data: str | Sequence[str],
    output: str | Path,
    *,
    each: Each = "file",
    by: str | None = None,
    address: str | None = None,
    form: Form = "csv",
    show_progress: bool | None = None,
    **given: Any,
) -> Report:
    """Ask models about many files, and write a file of rows for each.

    An answer that is there already is left as it is if it was made of the same data, by the same
    model, with the same options. The files equal those of `recipes predict`, one by one.

    Args:
        models: A model for all files. Or the folder that `fit` saved models in: each file is judged
            by the model of its name.
        data: Files as for `fit`.
        output: The folder to write.
        each: As for `fit`.
        by: As for `fit`.
        address: As for `fit`.
        form: The form of the answers; "jsonl" is one JSON object per line.
        show_progress: As for `fit`.
        **given: Options of the answers.

    Returns:
        As for `fit`. A file whose model is missing is among those that failed.

    Raises:
        InputError: There are no models or no data, or the folder cannot be written.
        StoppedError: As for `fit`.
    """
    folder, target = Path(models), Path(locate.target(output))
    if each == "column" and by is not None:
        raise InputError("--by: expected one way to divide the data, received --each too")
    first_of(folder)
    atomic.prepare(target.resolve() / FINISHED)
    found = jobs.of_files([data] if isinstance(data, str) else data)
    ending = "jsonl" if form == "jsonl" else "csv"
    with cluster.connected(address):
        report = Report()
        if by is not None:
            found = fitting.split_by(by, found, report, show_progress)
        elif each == "column":
            found = [one for job in found for one in _of_columns(folder, job)]
        kept, questions = _kept(target), []
        for job in found:
            place = _model_of(folder, job.name)
            if place is None:
                report.failed[job.name] = f"{folder / job.name}: no such model; fit it first"
                continue
            file = target / f"{job.name}.{ending}"
            before = kept.get(job.name) if file.exists() else None
            # A folder of a recipe's name is not the recipe's own model.
            own = own_fits.is_own(locate.locate(place.resolve()))
            asked = Question(job, _files(place), own, given, form, before, str(Path.cwd()))
            questions.append((job.name, asked))
        done = running.run(
            answer_one,
            questions,
            lambda name, made: _publish(target, name, ending, made),
            title="predicting",
            show_progress=show_progress,
        )
    done.failed.update(report.failed)
    return done


def first_of(models: str | Path) -> Path:
    """Return the first model of a folder of models, or the folder itself if it is a model.

    Raises:
        InputError: There is no model.
    """
    folder = Path(models)
    found = [folder, *sorted(card.parent for card in folder.glob(f"**/{locate.ARCHITECTURE}"))]
    there = next((path for path in found if (path / locate.ARCHITECTURE).is_file()), None)
    if there is None:
        raise InputError(f"{folder}: expected a folder of saved models, received none; name one")
    return there


def answer_one(question: Question) -> Outcome:
    """Return the rows as a file, or nothing if they are there; runs in a worker."""
    worker.limit_threads(1)
    return worker.outcome_of(lambda scratch: _answered(question, scratch), question.folder)


def _answered(question: Question, scratch: Path) -> Written | None:
    data = worker.local(question.job, scratch)
    made_of = _digest(question, data)
    if made_of == question.before:
        return None
    folder = scratch / "model"
    for name, content in question.model.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    answers = scratch / "answers"
    if question.own:
        _answer_here(folder, data, question, answers)
    else:
        budgeted.answer(question.job.name, folder, data, question.given, question.form, answers)
    return Written(made_of, answers.read_bytes())


def _answer_here(folder: Path, data: Sequence[str], question: Question, answers: Path) -> None:
    """Write the answers in this process, which has imported what it needs for earlier jobs."""
    model = find(folder)
    given = dict(question.given)
    if model.card:
        recipe = catalog.get(model.card.recipe)
        given = options.check(recipe, given, "predict", model.card.learned)
    found = answer(model, Words(data), given)
    if isinstance(found, Prose):
        raise InputError("expected a model that answers with rows, received one that writes text")
    tables.write(found.rows, question.form, str(answers), columns=found.columns or ())


def _digest(question: Question, data: Sequence[str]) -> str:
    """Return a digest of the model, the options and the bytes of the data."""
    digest = hashlib.sha256()
    for name, content in sorted(question.model.items()):
        digest.update(f"{name} {len(content)} ".encode() + content)
    options = {name: str(value) for name, value in sorted(question.given.items())}
    digest.update(json.dumps([options, question.form, list(question.job.paths)]).encode())
    for path in map(Path, data):
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in filter(Path.is_file, files):
            with file.open("rb") as stream:
                digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()


def _model_of(folder: Path, name: str) -> Path | None:
    """Return the folder of the model for a job: the only one, or that of the job's name."""
    if (folder / locate.ARCHITECTURE).is_file():
        return folder
    atomic.complete((folder / name).resolve())
    return folder / name if (folder / name / locate.ARCHITECTURE).is_file() else None


def _of_columns(folder: Path, job: Job) -> list[Job]:
    """Return a job for each model of a file's columns; the file's own job if there is none."""
    cards = sorted((folder / job.name).glob(f"*/{locate.ARCHITECTURE}"))
    found = [Job(f"{job.name}/{card.parent.name}", job.paths) for card in cards]
    return found or [job]


def _files(folder: Path) -> dict[str, bytes]:
    """Return the files of a saved model; each is small, or the limits refuse it."""
    names = [name for name in locate.MEMBERS if (folder / name).is_file()]
    return {name: locate.content(folder / name) for name in names}


def _publish(target: Path, name: str, ending: str, made: Written) -> None:
    atomic.file(target / f"{name}.{ending}", made.content)
    line = json.dumps({"name": name, "made_of": made.made_of})
    with (target / FINISHED).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _kept(target: Path) -> dict[str, str]:
    """Return what each answer in a folder was made of, by name; the last line about it counts."""
    found = {}
    place = target / FINISHED
    for line in place.read_text(encoding="utf-8").splitlines() if place.exists() else ():
        try:
            entry = json.loads(line)
            found[entry["name"]] = entry["made_of"]
        except (ValueError, KeyError, TypeError):  # the line was being written in a power cut
            continue
    return found
