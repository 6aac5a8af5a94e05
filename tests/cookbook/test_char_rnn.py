"""A net learns a text, and goes on with a prompt."""

import io
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from keras_recipes import build_char_rnn, evaluate, fit, generate, load, predict, save
from keras_recipes.cookbook import char_rnn
from keras_recipes.data import demonstration_source
from keras_recipes.errors import CorruptModelError, InputError
from keras_recipes.models.fitted import Fitted
from tests.checkout import ROOT
from tests.command_line import Run

CHARACTERS = 73
PARAMETERS = CHARACTERS * 32 + 4 * 128 * (32 + 128 + 1) + (128 + 1) * CHARACTERS

RHYME = "one two (three [four] five) six\n" * 60


def learned(folder: Path, text: str = RHYME, **options: object) -> Fitted:
    path = folder / "text.txt"
    path.write_text(text, encoding="utf-8")
    settings = {"units": 24, "window": 40, "epochs": 40, "batch_size": 8, "learning_rate": 0.02}
    return fit("char-rnn", [path], show_progress=False, **{**settings, **options})


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> Fitted:
    return learned(tmp_path_factory.mktemp("text"))


@pytest.mark.parametrize(
    ("cell", "parameters"),
    [
        ("simple", 128 * (32 + 128 + 1)),
        ("gru", 3 * 128 * (32 + 128 + 2)),
        ("lstm", 4 * 128 * (32 + 128 + 1)),
        ("peephole", 4 * 128 * (32 + 128 + 1) + 3 * 128),
        ("coupled", 3 * 128 * (32 + 128 + 1)),
    ],
)
def test_each_cell_has_the_parameters_of_its_equations(cell: str, parameters: int) -> None:
    assert build_char_rnn(cell=cell).get_layer(f"{cell}_1").count_params() == parameters


@pytest.mark.parametrize("cell", ["lstm", "peephole", "coupled"])
@pytest.mark.parametrize("start", [0.0, 1.0, 2.0])
def test_the_forget_gates_bias_starts_as_it_was_set(cell: str, start: float) -> None:
    model = build_char_rnn(cell=cell, units=4, layers=2, forget_bias=start)
    for number in (1, 2):
        bias = np.asarray(model.get_layer(f"{cell}_{number}").cell.bias)
        gate = 0 if cell == "coupled" else 1
        assert bias[4 * gate :][:4].tolist() == [start] * 4
        assert np.delete(bias, np.s_[4 * gate : 4 * gate + 4]).tolist() == [0] * (len(bias) - 4)


@pytest.mark.parametrize("cell", ["simple", "gru"])
def test_a_cell_without_a_forget_gate_takes_no_bias_for_it(cell: str, empty_folder: Path) -> None:
    with pytest.raises(InputError, match=f"forget_bias: expected an lstm.* received {cell}"):
        build_char_rnn(cell=cell, forget_bias=2.0)
    with pytest.raises(InputError, match="no forget gate"):
        learned(empty_folder, cell=cell, forget_bias=2.0)


def test_a_bidirectional_generator_is_refused_with_the_reason(recipes: Run) -> None:
    result = recipes("fit", "char-rnn", "--set", "bidirectional=true")
    assert result.exit_code == 2
    assert "cannot read the characters after the one that it writes" in result.stderr
    with pytest.raises(InputError, match="bidirectional"):
        build_char_rnn(bidirectional=True)


def test_gradients_are_clipped_together() -> None:
    assert build_char_rnn().optimizer.global_clipnorm == 1.0
    assert build_char_rnn(clip=None).optimizer.global_clipnorm is None


def test_it_learns_a_text_and_goes_on_with_it(fitted: Fitted) -> None:
    assert fitted.card.metrics["bits_per_character"] < 0.3
    text = generate(fitted, "one two (", length=60, temperature=0.0)
    assert text == RHYME[:69]
    assert fitted.card.metrics["closed_brackets"] > 0.9


def test_a_seed_decides_what_is_written(fitted: Fitted) -> None:
    hot = {"length": 80, "temperature": 3.0}
    assert generate(fitted, "one", **hot) == generate(fitted, "one", **hot)
    assert generate(fitted, "one", **hot) != generate(fitted, "one", seed=1, **hot)
    assert len(generate(fitted, "one", **hot)) == 83
    assert generate(fitted, "one", length=0) == "one"


def test_characters_are_drawn_as_often_as_the_net_expects_them(fitted: Fitted) -> None:
    characters = char_rnn.known_characters(fitted.card.learned)
    prompt = "one two ("
    expected = np.asarray(
        fitted.model(char_rnn.numbers_of(prompt, characters)[None])[0, -1], "float64"
    )
    expected[0] = 0
    expected = (expected ** (1 / 4)) / (expected ** (1 / 4)).sum()
    draws = [
        "".join(char_rnn.write(fitted.model, characters, prompt, 1, 4.0, seed))
        for seed in range(600)
    ]
    share = np.array([draws.count(c) for c in characters]) / len(draws)
    assert np.abs(share - expected).max() < 0.08


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e300])
def test_any_temperature_writes_characters_that_the_net_knows(
    fitted: Fitted, temperature: float
) -> None:
    written = generate(fitted, "one two (", length=60, temperature=temperature)
    assert char_rnn.UNKNOWN not in written
    if temperature < 1:
        assert written == generate(fitted, "one two (", length=60, temperature=0.0)


@pytest.mark.parametrize("cell", ["simple", "gru", "peephole", "coupled"])
def test_each_cell_learns_writes_and_survives_being_saved(cell: str, empty_folder: Path) -> None:
    net = learned(empty_folder, cell=cell, layers=2, dropout=0.1, epochs=4, sample_length=0)
    opened = load(save(net, "model"))
    assert generate(opened, "one") == generate(net, "one")
    likeliest = generate(net, "one ", length=1, temperature=0.0)[-1]
    characters = char_rnn.known_characters(net.card.learned)
    outputs = np.asarray(net.model(char_rnn.numbers_of("one ", characters)[None]))[0, -1]
    assert likeliest == characters[1 + outputs[1:].argmax()]


def test_unknown_characters_of_a_prompt_are_passed_over_with_a_warning(
    fitted: Fitted, messages: list[str]
) -> None:
    found = generate(fitted, "Zone two (", length=20, temperature=0.0)
    assert found == "Z" + generate(fitted, "one two (", length=20, temperature=0.0)
    assert any("does not know 'Z'" in message for message in messages)
    assert generate(fitted, "漢字", length=3).startswith("漢字")


def test_samples_are_shown_after_1_2_4_epochs(empty_folder: Path, messages: list[str]) -> None:
    learned(empty_folder, epochs=5, patience=None, sample_length=30)
    said = [message for message in messages if "the model writes" in message]
    assert [message.split()[1] for message in said] == ["1", "2", "4"]


def test_the_end_of_the_text_is_held_out_and_in_no_training_piece(empty_folder: Path) -> None:
    text = "".join(chr(0x4E00 + number) for number in range(4_000))
    Path("text.txt").write_text(text, encoding="utf-8")
    data = char_rnn.read(["text.txt"], None)
    parts = [set(part.y.ravel().tolist()) for part in (data.train, data.validation, data.test)]
    assert not parts[0] & parts[1] | parts[1] & parts[2] | parts[0] & parts[2]
    assert [len(part) for part in parts] == [3_100, 399, 399]
    assert np.array_equal(data.train.x[0, 1:], data.train.y[0, :-1])


def test_any_text_can_be_measured_on(fitted: Fitted, empty_folder: Path) -> None:
    Path("same.txt").write_text(RHYME)
    Path("other.txt").write_text("zzzz ?????? ZZZ\n" * 20)
    same, other = (
        evaluate(fitted, name)["bits_per_character"] for name in ("same.txt", "other.txt")
    )
    assert same < 0.5 < 5 < other
    again = evaluate(fitted)
    assert again["bits_per_character"] == pytest.approx(fitted.card.metrics["bits_per_character"])
    assert again["closed_brackets"] == fitted.card.metrics["closed_brackets"]
    assert "closed_brackets" not in evaluate(fitted, judged_length=0)


def test_it_goes_on_training_with_the_characters_that_it_knows(
    fitted: Fitted, empty_folder: Path
) -> None:
    Path("more.txt").write_text("six five ~ four\n" * 100)
    more = fit(fitted, ["more.txt"], epochs=2, show_progress=False)
    assert more.card.learned == fitted.card.learned


@pytest.mark.parametrize(("text", "options"), [("short", {}), ("x" * 50, {"window": 100})])
def test_a_text_that_is_too_short_is_refused(
    text: str, options: dict[str, int], empty_folder: Path
) -> None:
    with pytest.raises(InputError, match=r"expected more than \d+ characters to train on"):
        learned(empty_folder, text, **options)


def test_nothing_is_held_out_where_that_is_asked_for(empty_folder: Path) -> None:
    net = learned(empty_folder, held_out=0.0, epochs=1)
    assert net.card.data["note"] == "nothing is held out"
    assert net.card.data["validation_examples"] == 0


@given(st.text(st.characters(exclude_categories=["Cs"])), st.text("abc漢", min_size=1))
def test_numbers_stand_for_characters(text: str, known: str) -> None:
    characters = char_rnn.UNKNOWN + "".join(sorted(set(known)))
    numbers = char_rnn.numbers_of(text, characters)
    assert numbers.tolist() == [max(characters.find(c), 0) for c in text]


@pytest.mark.parametrize(
    ("text", "counted"),
    [
        ("", (0, 0)),
        ("f(a[1]) { return; }", (3, 0)),
        ("(", (0, 0)),
        (")", (0, 1)),
        ("([)", (1, 1)),
        ("(]) {", (1, 1)),
        ("}{()", (1, 1)),
    ],
)
def test_brackets_close_in_order_or_count_as_wrong(text: str, counted: tuple[int, int]) -> None:
    assert char_rnn.count_brackets(text) == counted


def test_the_brackets_of_the_synthetic_source_all_close() -> None:
    assert char_rnn.count_brackets(demonstration_source.text())[1] == 0


def test_a_prompt_is_text_from_the_command_line_or_standard_input(
    fitted: Fitted, empty_folder: Path, recipes: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save(fitted, "model")
    Path("one two (").write_text("a file of that name is not opened")
    plain = generate(fitted, "one two (", length=30, temperature=0.0)
    settings = ("--set", "length=30", "--set", "temperature=0")
    said = recipes("predict", "./model", "one two (", *settings)
    assert said.stdout == plain + "\n"
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"one two (")))
    piped = predict_of_words("-", length=30, temperature=0.0)
    assert piped == plain


def predict_of_words(*words: str, **options: float) -> str:
    from keras_recipes.commands.predict import answer
    from keras_recipes.recipe import Words
    from keras_recipes.saved.load import find

    return "".join(answer(find("./model"), Words(words), options).pieces)


def test_two_prompts_and_rows_are_refused(fitted: Fitted, empty_folder: Path, recipes: Run) -> None:
    save(fitted, "model")
    refused = recipes("predict", "./model", "one two (", "--format", "csv")
    assert refused.exit_code == 2
    assert "expected a model that answers with rows" in refused.stderr
    with pytest.raises(InputError, match="expected one prompt, received 2"):
        predict_of_words("one", "two")
    with pytest.raises(InputError, match="generate"):
        predict(fitted, "one")


@pytest.mark.parametrize("characters", [None, 3, "abc", "\ufffdaa", "\ufffdab"])
def test_a_card_with_other_characters_is_damaged(fitted: Fitted, characters: object) -> None:
    with pytest.raises(CorruptModelError):
        known = char_rnn.known_characters({"characters": characters})
        list(char_rnn.write(fitted.model, known, "a", 1, 1.0, 0))


def test_another_net_does_not_write() -> None:
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(2)])
    with pytest.raises(CorruptModelError, match="expected a net that writes text"):
        list(char_rnn.write(other, "\ufffda", "a", 1, 1.0, 0))


def test_its_pictures_show_the_loss_and_the_surprise(fitted: Fitted) -> None:
    data = char_rnn.read(fitted.card.paths(), None)
    assert [name for name, _ in char_rnn.figures(fitted, data)] == ["loss", "surprise"]


def test_the_script_learns_that_e_follows_h() -> None:
    command = [sys.executable, str(ROOT / "recipes" / "char_rnn.py")]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert "the same: True" in printed
    assert "bits per character" in printed
