"""The card of a saved model: what it is, how it came about, and which files belong to it."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from msgspec import Meta

from keras_recipes.errors import CorruptModelError, InputError, UnsafeModelError, printable
from keras_recipes.models.history import epochs_in_words
from keras_recipes.untrusted import strict_json

SCHEMA = 1
LONGEST_PATH = 4_096

PathName = Annotated[str, Meta(max_length=LONGEST_PATH)]


class DataEntries(TypedDict):
    """What a card says of the data; the entries without which it is none come first."""

    name: str
    sha256: str
    paths: list[PathName] | None
    examples: NotRequired[int]
    validation_examples: NotRequired[int]
    test_examples: NotRequired[int]
    note: NotRequired[str]


class TrainingEntries(TypedDict):
    """What a card says of the training."""

    epochs: int
    restarts: int
    seconds: float
    history_stride: int
    backend: NotRequired[str]


@dataclass(frozen=True, kw_only=True)
class Card:
    """Everything about a model that is not in its graph; JSON values only.

    Attributes:
        recipe: The recipe's name.
        options: Every option's value, the preset's included.
        preset: The preset's name, or None.
        data: Name, digest and number of examples of the data, the paths they were read from
            (empty for the recipe's own), and a note on what was held out.
        metrics: Measured at the end.
        training: Epochs, restarts and seconds that it took, on which backend and device, and every
            how many epochs `history.csv` has a row.
        learned: What the recipe knows besides the weights: labels, thresholds, templates.
        versions: Of Python and the packages that made the model.
        files: SHA-256 of each member of the folder, hexadecimal; in an export, of what the card
            was put into.
        schema: Of this card.
    """

    recipe: str
    options: dict[str, Any]
    preset: str | None
    data: DataEntries
    metrics: dict[str, Any]
    training: TrainingEntries
    learned: dict[str, Any]
    versions: dict[str, Any]
    files: dict[str, str] = field(default_factory=dict)
    schema: int = SCHEMA

    def to_json(self) -> str:
        """The card as it stands in `card.json`."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @property
    def name(self) -> str:
        """The recipe's, with the preset's behind it."""
        return printable(f"{self.recipe} ({self.preset})" if self.preset else self.recipe)

    @property
    def result(self) -> str:
        """What it was fitted on, with the first of its metrics, in one line."""
        metrics = [f"{n} {v:.4g}" for n, v in self.metrics.items() if isinstance(v, int | float)]
        known = printable(self.data["name"])
        return f"fitted on {known}: {printable(metrics[0])}" if metrics else f"fitted on {known}"

    @property
    def course(self) -> str:
        """How long it trained, in one line: epochs, restarts, seconds."""
        restarts = self.training["restarts"]
        again = f" after {restarts} restart{'s' * (restarts > 1)}" if restarts else ""
        return (
            f"{epochs_in_words(self.training['epochs'])}{again} in {self.training['seconds']:.1f} s"
        )

    def paths(self) -> list[str]:
        """Where the data was read from, to read it again.

        A card may be anybody's: what would block, has no end, or is all there is on the disk is not
        opened because it is named there.

        Raises:
            InputError: The data came from Python.
            UnsafeModelError: It is no regular file and no folder.
        """
        found = self.data["paths"]
        if found is None:
            raise InputError("the model was fitted on data that no file holds: give it again")
        for name in found:
            path = Path(name)
            if "**" in name or (path.exists() and not (path.is_file() or path.is_dir())):
                raise UnsafeModelError(
                    f"its card: {printable(repr(name))} is not opened, it is no regular file; "
                    "name the data with --data"
                )
        return found

    def of(self, members: Mapping[str, bytes]) -> "Card":
        """The same card, describing these files."""
        import hashlib

        digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
        return replace(self, files=digests)

    def altered(self, members: Mapping[str, bytes]) -> str | None:
        """The first of these files that is not the one described, or None."""
        found = self.of(members).files
        return next((name for name in found if found[name] != self.files.get(name)), None)

    @classmethod
    def from_json(cls, text: bytes, where: str) -> "Card":
        """Reads a card, trusting nothing in it.

        Args:
            text: The contents of `card.json`.
            where: Its path, for the messages.

        Raises:
            CorruptModelError: It is no card, or a newer one than this version knows.
        """
        values = strict_json.parse(text, where)
        if not isinstance(values, dict) or "schema" not in values:
            raise CorruptModelError(f"{where}: expected a card with a schema, found none")
        if values["schema"] != SCHEMA:
            raise CorruptModelError(
                f"{where}: expected card schema {SCHEMA}, received "
                f"{printable(repr(values['schema']))}; a newer keras_recipes wrote it: upgrade to "
                "open it"
            )
        if unlike := {entry.name for entry in fields(cls)} ^ values.keys():
            entry = printable(repr(min(unlike)))
            raise CorruptModelError(f"{where}: missing or unknown entry {entry}")
        try:
            msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            reason = printable(error, 200)
            raise CorruptModelError(f"{where}: {reason}; restore it, or fit again") from None
        _check_names(values, where)
        # As it was read: converting leaves out what a later version may note down of the data.
        return cls(**values)


def _check_names(values: Mapping[str, Any], where: str) -> None:
    if any("\0" in name for name in values["data"]["paths"] or ()):
        raise CorruptModelError(f"{where}: data.paths holds something that is no path")
    for member in values["files"]:
        inside = not {"", ".", ".."} & set(member.split("/")) and not {"\\", "\0"} & set(member)
        if not inside:
            raise CorruptModelError(f"{where}: {printable(repr(member))} is no file in its folder")
