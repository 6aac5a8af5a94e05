"""A progress bar on stderr, drawn by Rich: in a terminal and in a notebook, never into a file."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager

from keras_recipes.recipe import Batch

Update = Callable[..., None]
"""`update(done, text, total)`: how far it is, a few words, and where the end is."""


@contextmanager
def bar(title: str, total: int | None, shown: bool | None = None) -> Iterator[Update]:
    """A bar for the time of the `with` block.

    Args:
        title: What is going on.
        total: The number at which it is done; None where nobody knows.
        shown: Whether to draw it; None draws where somebody can see it.

    Yields:
        What to call as things move on.
    """
    if shown is None:
        shown = sys.stderr.isatty() or "ipykernel" in sys.modules
    if not shown:
        yield lambda done, text, total: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[text]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=total, text="")

        def update(done: int, text: str, total: int | None) -> None:
            progress.update(task, completed=done, text=text, total=total)

        yield update


def counted(batches: Iterable[Batch], title: str, shown: bool | None = None) -> Iterator[Batch]:
    """The same batches, while a bar counts the inputs in them."""
    done = 0
    with bar(title, None, shown) as update:
        for batch in batches:
            yield batch
            done += len(batch.names)
            update(done, "", None)
