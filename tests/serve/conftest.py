"""Servers that several tests ask."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from keras_recipes import fit, save
from tests.anomaly.logs import test_stream as orders
from tests.serve.servers import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """Return a server with the models that come with the package."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def log_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of orders: four lines in four seconds make a session."""
    folder = tmp_path_factory.mktemp("orders")
    normal = [one for n in range(80) for one in orders.session(10 * n, 10_000 + n)]
    (folder / "normal.log").write_bytes(orders.joined(normal))
    fitted = fit(
        "lstm-anomaly",
        folder / "normal.log",
        session=r"order-\d+",
        epochs=2,
        show_progress=False,
    )
    return save(fitted, folder / "orders")


@pytest.fixture(scope="session")
def table_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of one column of numbers, which are about 10."""
    folder = tmp_path_factory.mktemp("load")
    (folder / "load.csv").write_text("t,load\n" + "".join(map(record, range(300))))
    fitted = fit("lstm-anomaly", folder / "load.csv", epochs=2, show_progress=False)
    return save(fitted, folder / "load")


def record(number: int) -> str:
    return f"{1_700_000_000 + 60 * number},{10 + number * 37 % 11 / 10}\n"


@pytest.fixture(scope="session")
def all_kinds(saved_once: Path, log_model: Path, table_model: Path) -> Iterator[Server]:
    """Return a server with a net for points, a model of a log, and one of numbers."""
    with Server(str(saved_once), str(log_model), str(table_model), "lenet5") as running:
        yield running
