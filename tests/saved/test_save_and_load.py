"""A saved model is complete and verified, and opens without this package."""

import io
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keras_recipes import atomic, build_xor, catalog, fit, load, predict, save
from keras_recipes.commands import fit as fitting
from keras_recipes.errors import CorruptModelError, InputError, RecipeError
from keras_recipes.models.card import Card
from keras_recipes.models.fitted import Fitted
from keras_recipes.saved import locate
from keras_recipes.saved import save as saving

POINTS = [[0, 0], [0, 1], [1, 0], [1, 1], [0.3, -2]]
MEMBERS = ["model.json", "model.weights.h5", "history.csv", "first.weights.h5"]


def test_what_is_loaded_answers_as_what_was_saved(fitted: Fitted, saved: Path) -> None:
    loaded = load(saved)
    assert predict(loaded, POINTS) == predict(fitted, POINTS)
    assert loaded.card.metrics == fitted.card.metrics
    assert loaded.history.values["loss"].tolist() == fitted.history.values["loss"].tolist()
    for mine, theirs in zip(loaded.first_weights, fitted.first_weights, strict=True):
        assert np.array_equal(mine, theirs)


def test_a_recipes_name_means_the_model_in_saved_models(fitted: Fitted, saved: Path) -> None:
    assert predict(load("xor"), POINTS) == predict(fitted, POINTS)


WITHOUT_US = """
import json, sys, keras, numpy as np
model = keras.models.model_from_json(open(sys.argv[1] + "/model.json").read())
model.load_weights(sys.argv[1] + "/model.weights.h5")
assert not [name for name in sys.modules if name.startswith("keras_recipes")]
print(json.dumps(model.predict(np.array(json.loads(sys.argv[2]), "float32"), verbose=0).tolist()))
"""


@pytest.mark.full
def test_keras_alone_opens_the_pair(fitted: Fitted, saved: Path) -> None:
    command = [sys.executable, "-c", WITHOUT_US, str(saved), json.dumps(POINTS)]
    answer = subprocess.run(command, capture_output=True, check=True, text=True)
    outputs = np.array(json.loads(answer.stdout))
    expected = [row["probability"] for row in predict(fitted, POINTS)]
    assert outputs[:, 0] == pytest.approx(expected, rel=1e-5)


def test_the_weights_file_holds_no_optimizer_slots() -> None:
    import h5py
    import keras

    model = build_xor()
    model.compile("adam", "mse")
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)), verbose=0)
    with h5py.File(io.BytesIO(saving.weights_file(model))) as file:
        assert set(file["layers"]) == {"dense", "dense_1"}
        assert len(file["optimizer/vars"]) == 2 < len(model.optimizer.variables)
        assert keras.backend.floatx() == file["layers/dense/vars/0"].dtype


@pytest.mark.parametrize("member", [*MEMBERS, "card.json"])
def test_a_missing_member_is_named(saved: Path, member: str) -> None:
    (saved / member).unlink()
    if member == "card.json":
        return
    with pytest.raises(CorruptModelError, match=rf"{member}: missing"):
        load(saved)


@pytest.mark.parametrize("member", MEMBERS)
@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_one_changed_byte_anywhere_is_refused(
    saved: Path, member: str, data: st.DataObject
) -> None:
    whole = (saved / member).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    change = data.draw(st.integers(1, 255))
    (saved / member).write_bytes(
        whole[:place] + bytes([whole[place] ^ change]) + whole[place + 1 :]
    )
    try:
        with pytest.raises(CorruptModelError, match=rf"{member}.*SHA-256 differs"):
            load(saved)
    finally:
        (saved / member).write_bytes(whole)


@pytest.mark.parametrize("kept", [0, 1, 100])
def test_a_truncated_card_is_refused(saved: Path, kept: int) -> None:
    card = saved / "card.json"
    card.write_bytes(card.read_bytes()[:kept])
    with pytest.raises(CorruptModelError, match=r"card\.json: damaged"):
        load(saved)


def test_a_member_of_another_model_is_refused(saved: Path) -> None:
    text = (saved / "model.json").read_text()
    (saved / "model.json").write_text(text.replace('"tanh"', '"relu"'))
    with pytest.raises(CorruptModelError, match="SHA-256 differs"):
        load(saved)


DATA = {"name": "xor", "sha256": "0" * 64, "paths": []}


def edited(card: dict, **changes: object) -> bytes:
    return json.dumps({**card, **changes}).encode()


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"schema": 2}, "a newer keras_recipes wrote it"),
        ({"schema": "1"}, "expected card schema 1"),
        ({"recipe": 7}, r"Expected `str`, got `int` - at `\$\.recipe`; restore it"),
        ({"preset": True}, r"Expected `str \| null`, got `bool`"),
        (
            {"files": {"../../etc/passwd": "0" * 64}},
            "expected names of files in its folder, received '../../etc/passwd'",
        ),
        ({"files": {"model.json": 5}}, r"Expected `str`, got `int` - at `\$\.files"),
        ({"surprise": 1}, "missing or unknown entry 'surprise'"),
        ({"data": {}}, r"missing required field `name` - at `\$\.data`"),
        ({"data": DATA | {"sha256": None}}, r"Expected `str`, got `null` - at `\$\.data\.sha256`"),
        ({"data": DATA | {"paths": ["a\0b"]}}, r"data\.paths: expected paths, received a NUL byte"),
        ({"data": DATA | {"paths": ["a" * 5_000]}}, r"length <= 4096 - at `\$\.data\.paths"),
        ({"training": {}}, r"missing required field `epochs` - at `\$\.training`"),
    ],
)
def test_a_card_is_not_trusted(saved: Path, changes: dict, complaint: str) -> None:
    card = json.loads((saved / "card.json").read_text())
    with pytest.raises(CorruptModelError, match=complaint):
        Card.from_json(edited(card, **changes), "card.json")


def test_a_card_keeps_what_another_version_noted_down_besides(saved: Path) -> None:
    card = json.loads((saved / "card.json").read_text())
    changed = {"data": {**card["data"], "weather": "fine"}, "schema": 1}
    assert Card.from_json(edited(card, **changed), "card.json").data["weather"] == "fine"


@pytest.mark.parametrize("changes", [{"\x1b[2J" * 100: 1}, {"schema": "\x1b[2J" * 1_000}])
def test_what_is_said_of_a_card_is_one_printable_line(saved: Path, changes: dict) -> None:
    card = json.loads((saved / "card.json").read_text())
    with pytest.raises(CorruptModelError) as caught:
        Card.from_json(edited(card, **changes), "card.json")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize("text", [b"", b"null", b"[]", b"[" * 100_000, b'{"schema": NaN}', b"\xff"])
def test_what_is_no_card_is_refused(text: bytes) -> None:
    with pytest.raises(CorruptModelError):
        Card.from_json(text, "card.json")


def test_a_card_of_a_recipe_we_do_not_know_is_refused(saved: Path) -> None:
    card = (saved / "card.json").read_text().replace('"recipe": "xor"', '"recipe": "nor"')
    (saved / "card.json").write_text(card)
    with pytest.raises(
        CorruptModelError, match="expected a recipe of this version, received 'nor'"
    ):
        load(saved)


def test_a_save_under_a_reader_is_no_damage(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = save(fit("xor", seed=1, show_progress=False), "other")
    real, reads = locate.content, []

    def replaced_after_the_card(path: Path) -> bytes:
        content = real(path)
        reads.append(path)
        if len(reads) == 1:
            atomic.exchange(saved, other.resolve())
        return content

    monkeypatch.setattr(locate, "content", replaced_after_the_card)
    assert load(saved).card.options["seed"] == 1


def test_a_failed_save_keeps_the_model_elsewhere(
    saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = atomic.write

    def full(path: Path, content: bytes) -> None:
        if "saved_models" in str(path) and content:
            raise OSError(28, "No space left on device")
        real(path, content)

    monkeypatch.setattr(atomic, "write", full)
    recipe = catalog.get("xor")
    task = fitting.prepare(recipe, (), fitting.settled(recipe, None, {}), None, {}, None)
    with pytest.raises(RecipeError, match="the fitted model is saved as") as failed:
        fitting.carry_out(task, saved, show_progress=False)
    load(str(failed.value).rpartition(" ")[2])


@pytest.mark.parametrize("thing", ["model", "Fitted without a card", None])
def test_only_what_was_fitted_is_saved(fitted: Fitted, thing: str | None) -> None:
    things = {"model": fitted.model, "Fitted without a card": replace(fitted, card=None)}
    with pytest.raises(InputError, match="expected a model from fit or load"):
        save(things.get(thing), "somewhere")


def test_a_pair_without_a_card_opens_with_a_warning(
    saved: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (saved / "card.json").unlink()
    assert load(saved / "model.json").card is None
    assert "could not be verified" in caplog.text


def test_saving_replaces_a_model_and_leaves_nothing_beside_it(fitted: Fitted, saved: Path) -> None:
    before = (saved / "card.json").stat().st_ino
    save(fitted, saved)
    assert (saved / "card.json").stat().st_ino != before
    visible = [p.name for p in saved.parent.iterdir()]
    assert visible == ["xor"]


def test_a_folder_that_is_no_model_is_not_replaced(fitted: Fitted, empty_folder: Path) -> None:
    (empty_folder / "thesis").mkdir()
    (empty_folder / "thesis" / "chapter1.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds chapter1\.txt"):
        save(fitted, "thesis")
    assert (empty_folder / "thesis" / "chapter1.txt").read_text() == "years of work"


def test_a_file_is_not_replaced_by_a_folder(fitted: Fitted, empty_folder: Path) -> None:
    (empty_folder / "xor").write_text("mine")
    with pytest.raises(InputError, match="expected a folder, found a file"):
        save(fitted, "xor")


def test_a_model_that_does_not_read_back_is_not_published(
    fitted: Fitted, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = (saved / "card.json").read_bytes()
    bad = saving.weights_file(fitted.model, [w + 1 for w in fitted.model.get_weights()])
    monkeypatch.setattr(saving, "weights_file", lambda model, weights=None: bad)
    with pytest.raises(RecipeError, match="differed when it was read back"):
        save(fitted, saved)
    assert (saved / "card.json").read_bytes() == good
    load(saved)


def test_a_link_to_a_model_is_followed(fitted: Fitted, saved: Path, empty_folder: Path) -> None:
    link = empty_folder / "latest"
    link.symlink_to(saved)
    save(fitted, link)
    assert link.is_symlink()
    load(link)


def test_a_full_disk_leaves_the_old_model(fitted: Fitted, saved: Path, full_disk: Path) -> None:
    target = full_disk / "xor"
    shutil.copytree(saved, target)
    filler = os.open(full_disk / "filler", os.O_CREAT | os.O_WRONLY)
    with pytest.raises(OSError, match="space"):
        while True:
            os.write(filler, b"0" * 4096)
    os.close(filler)
    with pytest.raises(RecipeError, match=r"No space left on device; what was there is unchanged"):
        save(fitted, target)
    load(target)


@pytest.fixture
def full_disk(tmp_path: Path):
    """A file system of 200 kB, if mounting is permitted."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(folder)]
    if sys.platform != "linux" or os.geteuid() or subprocess.run(mount, check=False).returncode:
        pytest.skip("needs the right to mount a small file system")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_somebody_else_saving_there_is_said(
    fitted: Fitted, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from filelock import FileLock

    monkeypatch.setattr(atomic, "LOCK_TIMEOUT", 0.1)
    with (
        FileLock(saved.parent / ".xor.lock"),
        pytest.raises(RecipeError, match="another process is saving there"),
    ):
        save(fitted, saved)
