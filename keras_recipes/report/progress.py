"""A progress bar on stderr in terminals and notebooks, drawn by tqdm."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

Update = Callable[..., None]
"""`update(done, text, total)` sets how much is done, a short text, and how much there is in all."""


@contextmanager
def bar(title: str, total: int | None, shown: bool | None = None) -> Iterator[Update]:
    """Show a progress bar inside the `with` block.

    Args:
        title: The name of the work.
        total: How much there is in all; None if this is unknown.
        shown: Whether to draw the bar; None draws it in terminals and notebooks.

    Yields:
        The function that updates the bar.
    """
    in_notebook = "ipykernel" in sys.modules
    if not (sys.stderr.isatty() or in_notebook if shown is None else shown):
        yield lambda done, text, total: None
        return
    from tqdm import tqdm

    # Notebooks show plain text without the widgets that `tqdm.auto` needs. The bar stays in a
    # notebook, because erasing it there leaves an empty box.
    with tqdm(
        desc=title,
        total=total,
        leave=in_notebook,
        dynamic_ncols=not in_notebook,
        bar_format="{l_bar}{bar}| {n_fmt}/{total_fmt} [{elapsed}<{remaining}{postfix}]",
    ) as drawn:

        def update(done: int, text: str, total: int | None) -> None:
            drawn.total = total
            drawn.set_postfix_str(text, refresh=False)
            drawn.update(done - drawn.n)

        yield update
        drawn.total = drawn.n  # a goal is often reached before the last epoch
        drawn.refresh()


@contextmanager
def out_of_the_way() -> Iterator[None]:
    """Hide the progress bar inside the block, so that a message can be printed."""
    if "tqdm" not in sys.modules:
        yield
        return
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        yield


def counted(rows: Iterable[Item], title: str, shown: bool | None = None) -> Iterator[Item]:
    """Yield the same rows while a progress bar counts them."""
    with bar(title, None, shown) as update:
        for done, row in enumerate(rows, 1):
            yield row
            update(done, "", None)
