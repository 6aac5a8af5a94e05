"""The card of a saved model: what the model is, how it was made, and which files it has."""

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
RESTORE = "restore it, or fit again"

PathName = Annotated[str, Meta(max_length=LONGEST_PATH)]


class DataEntries(TypedDict):
    """The data entries of a card; required entries come first."""

    name: str
    sha256: str
    paths: list[PathName] | None
    examples: NotRequired[int]
    validation_examples: NotRequired[int]
    test_examples: NotRequired[int]
    note: NotRequired[str]


class TrainingEntries(TypedDict):
    """The training entries of a card."""

    epochs: int
    restarts: int
    seconds: float
    history_stride: int
    backend: NotRequired[str]
    updates: NotRequired[int]
    start: NotRequired[str]
    deterministic: NotRequired[bool]


@dataclass(frozen=True, kw_only=True)
class Card:
    """All that is known about a model besides its graph; JSON values only.

    Attributes:
        recipe: The recipe's name.
        options: The value of every option, including the preset's.
        preset: The preset's name, or None.
        data: Name, digest and number of examples of the data, the paths that it was read from
            (empty for the recipe's own data), and a note on what was held out.
        metrics: Metrics, measured at the end.
        training: Epochs, updates, restarts, seconds, backend and device, the number of epochs
            between two rows of `history.csv`, whether the fit was deterministic and, if the
            training of another model was continued, the digest of that model's weights (`start`).
        learned: What the recipe learned besides the weights: labels, thresholds, templates.
        versions: Versions of Python and of the packages that made the model.
        files: SHA-256 of each member of the folder, hexadecimal; in an export, of each file that
            the card was added to.
        schema: The version of this format.
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
        """Return the text of `card.json`."""
        return json.dumps(asdict(self), indent=2, ensure_ascii=False, allow_nan=False) + "\n"

    @property
    def name(self) -> str:
        """The recipe's name, followed by the preset's name in brackets if there is a preset."""
        return printable(f"{self.recipe} ({self.preset})" if self.preset else self.recipe)

    @property
    def result(self) -> str:
        """One line: the data that the model was fitted on, and the first metric."""
        metrics = [f"{n} {v:.4g}" for n, v in self.metrics.items() if isinstance(v, int | float)]
        known = printable(self.data["name"])
        return f"fitted on {known}: {printable(metrics[0])}" if metrics else f"fitted on {known}"

    @property
    def course(self) -> str:
        """One line: epochs, restarts and seconds of the training."""
        restarts = self.training["restarts"]
        again = f" after {restarts} restart{'s' * (restarts > 1)}" if restarts else ""
        return (
            f"{epochs_in_words(self.training['epochs'])}{again} in {self.training['seconds']:.1f} s"
        )

    def paths(self) -> list[str]:
        """Return the paths that the data was read from, to read it again.

        The card may be untrusted. A path that could block, that has no end, or that matches the
        whole disk is therefore refused.

        Raises:
            InputError: The data came from Python, not from a file.
            UnsafeModelError: A path is neither a regular file nor a folder.
        """
        found = self.data["paths"]
        if found is None:
            raise InputError(
                "the model was fitted on data that is not in a file: name the data with --data"
            )
        for name in found:
            path = Path(name)
            if "**" in name or (path.exists() and not (path.is_file() or path.is_dir())):
                raise UnsafeModelError(
                    f"its card: {printable(repr(name))} is not a regular file and was not opened; "
                    "name the data with --data"
                )
        return found

    def of(self, members: Mapping[str, bytes]) -> "Card":
        """Return the same card with the digests of these files."""
        import hashlib

        digests = {name: hashlib.sha256(content).hexdigest() for name, content in members.items()}
        return replace(self, files=digests)

    def altered(self, members: Mapping[str, bytes]) -> str | None:
        """Return the name of the first file that differs from the card's digest, or None."""
        found = self.of(members).files
        return next((name for name in found if found[name] != self.files.get(name)), None)

    @classmethod
    def from_json(cls, text: bytes, where: str) -> "Card":
        """Read a card from a file that may be untrusted.

        Args:
            text: The contents of `card.json`.
            where: The path of the card, for the messages.

        Raises:
            CorruptModelError: The text is not a card, or a newer version wrote it.
        """
        values = strict_json.parse(text, where)
        if not isinstance(values, dict) or "schema" not in values:
            raise CorruptModelError(
                f"{where}: expected a card with a schema, received none; {RESTORE}"
            )
        if values["schema"] != SCHEMA:
            raise CorruptModelError(
                f"{where}: expected card schema {SCHEMA}, received "
                f"{printable(repr(values['schema']))}; a newer keras_recipes wrote it: upgrade to "
                "open it"
            )
        if unlike := {entry.name for entry in fields(cls)} ^ values.keys():
            entry = printable(repr(min(unlike)))
            raise CorruptModelError(f"{where}: missing or unknown entry {entry}; {RESTORE}")
        try:
            msgspec.convert(values, cls)
        except msgspec.ValidationError as error:
            reason = printable(error, 200)
            raise CorruptModelError(f"{where}: {reason}; {RESTORE}") from None
        _check_names(values, where)
        # The values as they were read: converting drops entries that a later version may add.
        return cls(**values)


def _check_names(values: Mapping[str, Any], where: str) -> None:
    if any("\0" in name for name in values["data"]["paths"] or ()):
        raise CorruptModelError(
            f"{where}: data.paths: expected paths, received a NUL byte; {RESTORE}"
        )
    for member in values["files"]:
        inside = not {"", ".", ".."} & set(member.split("/")) and not {"\\", "\0"} & set(member)
        if not inside:
            raise CorruptModelError(
                f"{where}: expected names of files in its folder, received "
                f"{printable(repr(member))}; {RESTORE}"
            )
