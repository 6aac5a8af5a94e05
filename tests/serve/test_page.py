"""The commands of the page on serving, typed against a server."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from keras_recipes.serve import page
from tests.anomaly.logs import test_stream as orders
from tests.checkout import ROOT
from tests.serve.pictures import digits, png
from tests.serve.servers import Server

PAGE = (ROOT / "docs" / "serve.md").read_text()
CURLS = re.findall(r"^curl .*$", PAGE, re.MULTILINE)


def test_every_curl_of_the_page_is_answered(log_model: Path) -> None:
    if not shutil.which("curl"):
        pytest.skip("curl is not installed")
    shutil.copytree(log_model, "app")
    Path("digit.png").write_bytes(png(digits(1)[0]))
    Path("app.log").write_bytes(orders.joined(orders.session(1, 1)))
    assert len(CURLS) == 3
    with Server("lenet5", "./app") as server:
        for line in CURLS:
            words = shlex.split(line.replace("http://127.0.0.1:8000", server.url))
            done = subprocess.run([*words, "-sf"], capture_output=True, check=True)
            assert all(map(json.loads, done.stdout.splitlines())), line
            assert done.stdout
        (follow,) = re.findall(r"^tail .* \\| (curl .*)$", PAGE, re.MULTILINE)
        words = shlex.split(follow.replace("http://127.0.0.1:8000", server.url))
        done = subprocess.run(
            [*words, "-f"], input=Path("app.log").read_bytes(), capture_output=True, check=True
        )
        assert json.loads(done.stdout)["session"] == "order-1"


def test_the_limits_of_the_page_are_those_of_the_program(recipes: object) -> None:
    from keras_recipes.cli.serve import serve

    found = re.findall(r"^\| `(--[a-z-]+)` \| ([\d,]+)", PAGE, re.MULTILINE)
    told = {name: number.replace(",", "") for name, number in found}
    declared = {
        option.opts[0]: str(int(option.default))
        for option in serve.params
        if option.opts[0].startswith(("--largest", "--longest", "--most"))
    }
    assert told == declared


def test_the_client_of_the_page_gets_an_answer() -> None:
    pytest.importorskip("tritonclient")
    (program,) = re.findall(r"```text\n(import numpy.*?)```", PAGE, re.DOTALL)
    with Server("lenet5") as server:
        Path("client.py").write_text(program.replace("127.0.0.1:8000", server.host))
        done = subprocess.run(
            [sys.executable, "client.py"], capture_output=True, text=True, check=False
        )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("[[")


def test_the_page_is_light_and_asks_nobody_else() -> None:
    folder = ROOT / "keras_recipes" / "serve" / "assets"
    files = list(folder.iterdir())
    assert {file.name for file in files} == set(page.FILES)
    assert sum(file.stat().st_size for file in files) < 300_000
    for file in files:
        found = re.findall(r"https?://[^\s\"'`)]+", file.read_text())
        assert set(found) <= {"http://www.w3.org/2000/svg"}, file


def test_both_languages_have_the_same_words() -> None:
    words = (ROOT / "keras_recipes" / "serve" / "assets" / "words.js").read_text()
    english, _, chinese = words.partition("\n  zh: {")
    names = re.compile(r"^ {4}(\w+):", re.MULTILINE)
    assert names.findall(english) == names.findall(chinese)
    assert len(set(names.findall(english))) == len(names.findall(english))
    html = (ROOT / "keras_recipes" / "serve" / "assets" / "index.html").read_text()
    used = set(re.findall(r'data-words="(\w+)"', html))
    assert used <= set(names.findall(english))
