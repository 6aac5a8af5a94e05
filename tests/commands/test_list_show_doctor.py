"""`recipes list`, `show` and `doctor`, for people and for programs."""

import json
from pathlib import Path

from tests.command_line import Run


def test_list_compares_with_the_article_once_fitted(recipes: Run, saved: Path) -> None:
    (entry,) = [e for e in json.loads(recipes("list", "--json").stdout) if e["recipe"] == "xor"]
    assert entry["reported"] == {"accuracy": 1.0, "largest_error": 0.0091}
    assert entry["measured"]["accuracy"] == 1.0
    assert "xor" in recipes("list").stdout


def test_list_works_with_a_damaged_model_lying_there(recipes: Run, saved: Path) -> None:
    (saved / "card.json").write_text("{")
    assert recipes("list").exit_code == 0


def test_show_lists_every_option_with_its_default(recipes: Run) -> None:
    shown = json.loads(recipes("show", "xor", "--json").stdout)
    defaults = {option["option"]: option["default"] for option in shown["options"]}
    assert defaults["hidden_units"] == 10
    assert defaults["learning_rate"] == 0.1
    assert shown["parameters"] == 41
    text = recipes("show", "xor").stdout
    assert all(name in text for name in (*defaults, "three-regressions", "41 parameters"))


def test_show_says_which_command_takes_an_option(recipes: Run) -> None:
    shown = json.loads(recipes("show", "lenet5", "--json").stdout)
    commands = {option["option"]: option["commands"] for option in shown["options"]}
    assert commands["epochs"] == ["fit"]
    assert commands["unsure_below"] == ["fit", "predict"]
    assert commands["skip_bad"] == ["fit", "evaluate", "predict"]
    assert commands["seen"] == ["predict"]
    for option, value in {"epochs": 3, "seen": "pictures", "unsure_below": 0.5}.items():
        for command in {"fit", "evaluate", "predict"} - {*commands[option]}:
            given = ["missing.png"] if command == "predict" else []
            refused = recipes(command, "lenet5", *given, "--set", f"{option}={value}")
            assert f"{option}: " in refused.stderr
            assert "; give it to `recipes " in refused.stderr
            assert refused.exit_code == 2


def test_doctor_names_versions_devices_and_fixes(recipes: Run) -> None:
    findings = json.loads(recipes("doctor", "--json").stdout)
    by_name = {finding["what"]: finding for finding in findings}
    assert by_name["keras"]["found"] == __import__("keras").__version__
    assert "tensorflow" in by_name["keras backend"]["found"]
    assert "gpu" in by_name
    assert all(set(finding) == {"what", "found", "fix", "broken"} for finding in findings)
    assert not any(finding["broken"] for finding in findings)
