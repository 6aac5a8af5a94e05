"""Cards and states may be untrusted: searches end, and arrays have a limit."""

import json
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from keras_recipes import fit, save
from keras_recipes.data import demonstration
from keras_recipes.data.logs import parser
from keras_recipes.saved import locate
from keras_recipes.untrusted import limits
from tests.command_line import Run
from tests.untrusted.hostile_cases import zipped

pytestmark = pytest.mark.full

Change = Callable[[dict[str, Any]], None]


@pytest.fixture(scope="module")
def fitted_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    fitted = fit("lstm-anomaly", epochs=1, show_progress=False)
    return save(fitted, tmp_path_factory.mktemp("logs") / "m")


@pytest.fixture
def model(fitted_once: Path, empty_folder: Path) -> Path:
    lines = demonstration.broken()[:200]
    (empty_folder / "n.log").write_bytes(b"\n".join(lines) + b"\n")
    return Path(shutil.copytree(fitted_once, empty_folder / "m"))


def tamper(model: Path, change: Change) -> None:
    card = json.loads((model / locate.CARD).read_text())
    change(card)
    (model / locate.CARD).write_text(json.dumps(card))


def learned(*path: str, to: Any) -> Change:
    """Replace what was learned, or a part of it."""

    def change(card: dict[str, Any]) -> None:
        *way, last = path
        inner = card["learned"]
        for name in way:
            inner = inner[name]
        inner[last] = to(inner[last]) if callable(to) else to

    return change


def sessions(by: str, key: Any = "", window: float = 0.0, idle: float = 0.0) -> Change:
    rule = {"by": by, "key": key, "window": window, "idle": idle}
    return learned("layout", "sessions", to=rule)


def tail(view: str, **values: Any) -> Change:
    return learned("tails", view, to=lambda found: {**found, **values})


DAMAGED: dict[str, Change] = {
    "a repetition too large": sessions("regex", "a{1,99999999999}"),
    "five thousand brackets": sessions("regex", "(" * 5_000 + ")" * 5_000),
    "a pattern of a million characters": sessions("regex", "a|" * 500_000),
    "a pattern that is none": sessions("regex", "("),
    "an empty pattern": sessions("regex", "", 5.0),
    "a window without width": sessions("window", "x"),
    "a window of next to nothing": sessions("window", window=1e-300),
    "a window without end": sessions("window", window=1e300),
    "a window backwards": sessions("window", "x", -5.0),
    "a silence backwards": sessions("regex", "order", idle=-1.0),
    "a field of a text": sessions("field", "x"),
    "a field that is a number": sessions("field", 5),
    "a way to read that is a list": learned("layout", to=[1]),
    "a place of times that is none": learned("layout", "time", to="nowhere"),
    "a place of times beyond all": learned("layout", "time", to="iso#99999999999"),
    "a spelling that is a list": learned("layout", "spelling", to=["iso"]),
    "a masking that is a list": learned("layout", "masking", to=[]),
    "half a word's number": learned("layout", "masking", "identifiers", to=[1.0]),
    "a list as a word's number": learned("layout", "masking", "identifiers", to=[[1]]),
    "words without end": learned("layout", "masking", "words", to=["x"] * 100_000),
    "new events that grow": learned("new_events", to={"sessions": 1, "at_least": [2]}),
    "no templates": learned("templates", to=None),
    "more templates than the net": learned(
        "templates",
        to=lambda t: {**t, **{name: [*t[name], "x"] for name in ("patterns", "examples")}},
    ),
    "a head that is a text": learned("templates", "head", to="x"),
    "a head without end": learned("templates", "head", to=2**40),
    "a template of a million words": learned(
        "templates", "patterns", to=lambda p: ["w " * 500_000, *p[1:]]
    ),
    "no counts": learned("counts", to=None),
    "nine hundred thousand sessions": learned("counts", "references", to=[[]] * 900_000),
    "a kind that is true": learned("counts", "references", to=[[[True, 2]]]),
    "half a kind": learned("counts", "references", to=[[[0.5, 2]]]),
    "a count beyond all": learned("counts", "references", to=[[[0, 2**40]]]),
    "weights beyond all": learned("counts", "weights", to=lambda w: [1e308] * len(w)),
    "a scale of next to nothing": tail("surprise", scale=5e-324),
    "values beyond all": tail("order", values=[-1.7e308, 1.7e308], shares=[1.0, 0.5]),
    "shares that grow": tail("counts", values=[0.0, 1.0], shares=[0.5, 1.0]),
    "no thresholds": learned("tails", to=[]),
    "a silence that is a text": learned("silence", to="x"),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_what_no_log_teaches_is_refused(name: str, recipes: Run, model: Path) -> None:
    tamper(model, DAMAGED[name])
    for words in (["predict", "m", "n.log"], ["evaluate", "m", "--data", "n.log"]):
        refused(recipes(*words), 4)


@pytest.mark.parametrize("command", ["predict", "evaluate", "plot", "fit"])
def test_every_command_refuses_it(command: str, recipes: Run, model: Path) -> None:
    tamper(model, learned("counts", "references", to=[[]] * 900_000))
    words = {
        "predict": ["m", "-"],
        "evaluate": ["m"],
        "plot": ["m"],
        "fit": ["lstm-anomaly", "--from", "m", "--out", "other"],
    }
    refused(recipes(command, *words[command], input="one line\n"), 4)
    assert not Path("other").exists()


@pytest.mark.parametrize(
    "key", [r"((\w|\s|[^a])+)+\x00", r".*.*.*.*.*.*\x00", "(.{0,300}){0,300}!"]
)
def test_a_search_without_end_is_ended(
    key: str, recipes: Run, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parser, "PATIENCE", 0.5)
    tamper(model, sessions("regex", key))
    started = time.process_time()
    refused(recipes("predict", "m", "n.log"), 3)
    assert time.process_time() - started < 5


def test_what_a_template_looked_like_does_not_clear_the_terminal(recipes: Run, model: Path) -> None:
    tamper(model, learned("templates", "examples", to=lambda e: ["\x1b[2J\x07"] * len(e)))
    for form in ("table", "csv", "jsonl"):
        result = recipes("predict", "m", "n.log", "--format", form)
        assert result.exit_code == 0, result.stderr
        assert "2J" in result.stdout
        assert "\x1b" not in result.stdout


@pytest.mark.parametrize("option", ["false_alarm_rate", "units", "epochs", "log_format"])
def test_an_option_that_cannot_be_is_refused(option: str, recipes: Run, model: Path) -> None:
    tamper(model, lambda card: card["options"].update({option: [1]}))
    for words in (["predict", "m", "n.log"], ["evaluate", "m"], ["plot", "m"]):
        refused(recipes(*words), 4)


def test_a_card_names_no_file_to_write_or_to_read(recipes: Run, model: Path) -> None:
    Path("labels.csv").write_text("not,these\n")
    tamper(model, lambda card: card["options"].update(state="PWNED", labels="labels.csv"))
    assert recipes("predict", "m", "-", input="one line\n").exit_code == 0
    assert recipes("evaluate", "m").exit_code == 0
    assert not Path("PWNED").exists()


def test_what_would_block_is_not_opened_since_a_card_names_it(recipes: Run, model: Path) -> None:
    pipe = make_pipe(model.parent / "pipe")
    for name in (pipe, "/dev/zero", "/**/*.log"):
        tamper(model, lambda card, name=name: card["data"].update(paths=[name]))
        refused(recipes("evaluate", "m"), 3)
        refused(recipes("plot", "m"), 3)
    tamper(model, lambda card: card["data"].update(paths=["a\0b"]))
    refused(recipes("evaluate", "m"), 4)


@pytest.mark.parametrize("recipe", ["xor", "mnist-mlp", "lenet5"])
def test_a_card_of_another_recipe_is_refused(recipe: str, recipes: Run, model: Path) -> None:
    tamper(model, lambda card: card.update(recipe=recipe, options={}))
    for words in (["evaluate", "m"], ["plot", "m"]):
        result = recipes(*words)
        assert result.exit_code in (2, 4), result.stderr
        assert "unexpected" not in result.stderr
    if recipe == "xor":
        refused(recipes("predict", "m", "0,1"), 4)


def test_a_net_of_another_kind_is_refused(recipes: Run, model: Path) -> None:
    """The digests are right: everyone who writes a card can make them right."""
    import keras

    from keras_recipes.models.card import Card
    from keras_recipes.models.fitted import Fitted

    card = Card.from_json((model / locate.CARD).read_bytes(), "m")
    symbols = len(card.learned["templates"]["patterns"]) + 4
    layers = keras.layers
    for middle in ([layers.Dense(8)], [layers.GRU(8, return_sequences=True)], [layers.LSTM(8)]):
        net = keras.Sequential(
            [keras.Input((None, 1)), *middle, layers.Dense(symbols, activation="softmax")]
        )
        shutil.rmtree(model)
        save(Fitted(model=net, card=card), model)
        refused(recipes("predict", "m", "n.log"), 4)
        refused(recipes("evaluate", "m", "--data", "n.log"), 4)


def test_a_state_without_bounds_is_refused(recipes: Run, model: Path) -> None:
    ask = ["predict", "m", "-", "--set", "state=kept.npz"]
    assert recipes(*ask, input=log(model)).exit_code == 0
    with np.load("kept.npz") as good:
        meta, states = json.loads(good["meta"].tobytes()), good["states"]
    for change in (
        {"clock": [float("inf"), 0.0]},
        {"sessions": [[*s[:8], [2**70, 4, 4, 1], *s[9:]] for s in meta["sessions"]]},
        {"sessions": [[*s[:-1], [[0, 2**70, 1, 1]]] for s in meta["sessions"]]},
        {"sessions": [[*s[:6], float("nan"), *s[7:]] for s in meta["sessions"]]},
    ):
        text = np.frombuffer(json.dumps({**meta, **change}).encode(), "uint8")
        np.savez("kept.npz", meta=text, states=states)
        refused(recipes(*ask, input=log(model)), 4)
    Path("kept.npz").write_bytes(zipped({"meta.npy": bytes(limits.current().array_bytes + 1)}))
    refused(recipes(*ask, input=log(model)), 3)
    Path("kept.npz").unlink()
    make_pipe(Path("kept.npz"))
    assert recipes(*ask, input=log(model)).exit_code in (2, 3)


def test_a_search_is_ended_in_the_main_thread_only(model: Path) -> None:
    """Other threads cannot stop the search, but nothing fails there either."""
    from keras_recipes import load, predict

    found: list[Any] = []
    asked = threading.Thread(target=lambda: found.extend(predict(load(model), Path("n.log"))))
    asked.start()
    asked.join()
    assert found


def log(model: Path) -> bytes:
    return (model.parent / "n.log").read_bytes()


def make_pipe(path: Path) -> str:
    import os

    if not hasattr(os, "mkfifo"):
        pytest.skip("no pipes with names here")
    os.mkfifo(path)
    return str(path)


def refused(result: Any, code: int) -> None:
    *_, line = result.stderr.splitlines()
    assert result.exit_code == code, result.stderr
    assert line.startswith("error: ")
    assert line.isprintable()
    assert "unexpected" not in line
