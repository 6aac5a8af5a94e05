"""A progress bar on stderr, drawn by tqdm: in a terminal and in a notebook, never into a file."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

Item = TypeVar("Item")

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
    in_notebook = "ipykernel" in sys.modules
    if not (sys.stderr.isatty() or in_notebook if shown is None else shown):
        yield lambda done, text, total: None
        return
    from tqdm import tqdm

    # Plain text, which notebooks show without the widgets that `tqdm.auto` would ask for; there it
    # stays, since what is drawn over in a terminal leaves an empty box in a notebook.
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
    """Meanwhile there is no bar where a message is printed."""
    if "tqdm" not in sys.modules:
        yield
        return
    from tqdm import tqdm

    with tqdm.external_write_mode(file=sys.stderr):
        yield


def counted(rows: Iterable[Item], title: str, shown: bool | None = None) -> Iterator[Item]:
    """The same rows, while a bar counts them."""
    with bar(title, None, shown) as update:
        for done, row in enumerate(rows, 1):
            yield row
            update(done, "", None)
