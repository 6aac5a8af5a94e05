"""`/openapi.json` describes the server, and nothing that it allows makes the server fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.serve.servers import Server


def test_the_description_names_every_address_and_option(all_kinds: Server) -> None:
    made = all_kinds.ask("/openapi.json").json
    assert made["openapi"].startswith("3.1")
    paths = made["paths"]
    assert {"/predict/xor", "/predict/orders", "/predict/lenet5", "/metrics"} <= set(paths)
    assert "/predict/orders/streams/{stream}" in paths
    assert "/predict/xor/streams/{stream}" not in paths
    assert {"/page/seen", "/page/jobs", "/page/jobs/{job}/{file}"} <= set(paths)
    learned = {p["name"] for p in paths["/page/jobs"]["post"]["parameters"]}
    assert {"model", "share", "session", "false_alarms_per_day"} <= learned
    assert "202" in paths["/page/jobs"]["post"]["responses"]
    digits = {p["name"]: p for p in paths["/predict/lenet5"]["post"]["parameters"]}
    assert {"unsure_below", "several"} <= set(digits)
    assert "seen" not in digits
    assert "Least probability" in digits["unsure_below"]["description"]
    infer = paths["/v2/models/{model}/infer"]["post"]
    assert infer["parameters"][0]["schema"] == {"enum": ["xor", "lenet5"]}


@pytest.mark.full
def test_whatever_the_description_allows_the_server_does_not_fail(all_kinds: Server) -> None:
    pytest.importorskip("schemathesis")
    Path("openapi.json").write_bytes(all_kinds.ask("/openapi.json").body)
    command = [sys.executable, "-m", "schemathesis.cli", "run", "openapi.json"]
    done = subprocess.run(
        [*command, "--url", all_kinds.url, "--checks", "not_a_server_error", "-n", "30"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-5_000:]
    assert all_kinds.ask("/v2/health/live").status == 200
