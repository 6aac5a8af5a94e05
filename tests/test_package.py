"""The package as Python programmers and their editors see it."""

import ast
import inspect
import pydoc
import re
import subprocess
import sys
from collections.abc import Sequence
from configparser import ConfigParser
from importlib.metadata import version
from pathlib import Path

import pytest

import keras_recipes
from keras_recipes import catalog, options
from tests.checkout import ROOT
from tests.pages import generated

VERBS = ("fit", "evaluate", "predict", "plot", "export", "load", "save")


def in_a_new_python(
    program: str, arguments: Sequence[str] = ()
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False
    )


@pytest.mark.generated
def test_every_recipes_builder_is_exported_by_name() -> None:
    home = Path(keras_recipes.__file__)
    files = [name.replace("-", "_") for name in catalog.names()]
    exported = "".join(f'    "build_{file}",\n' for file in files)
    typed = "".join(
        f"    from keras_recipes.cookbook.{file} import build_{file}\n" for file in files
    )
    text = re.sub(r'(    "build_\w+",\n)+', exported, home.read_text())
    text = re.sub(r"(    from keras_recipes\.cookbook\.\w+ import build_\w+\n)+", typed, text)
    assert generated.text_of(home, text) == text, generated.ADVICE


@pytest.mark.parametrize("name", keras_recipes.__all__)
def test_everything_that_is_exported_is_there(name: str) -> None:
    assert getattr(keras_recipes, name) is not None
    assert name in dir(keras_recipes)


def test_type_checkers_see_the_same_names_as_python_and_no_others() -> None:
    module = ast.parse(Path(keras_recipes.__file__).read_text())
    (typed,) = [node for node in module.body if isinstance(node, ast.If)]
    imported = {
        alias.asname or alias.name
        for node in typed.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    assert imported | {"__version__"} == set(keras_recipes.__all__)
    assert not [node for node in module.body if isinstance(node, ast.FunctionDef)]


def test_the_version_is_that_of_the_installed_package() -> None:
    assert keras_recipes.__version__ == version("keras_recipes")


def test_a_misspelt_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'biuld_xor'"):
        print(keras_recipes.biuld_xor)


def test_importing_the_package_imports_neither_keras_nor_numpy() -> None:
    program = (
        "import sys, keras_recipes; keras_recipes.__version__; "
        "print({'keras', 'numpy', 'tensorflow'} & set(sys.modules)); "
        "from keras_recipes import *; print({'keras', 'tensorflow'} & set(sys.modules))"
    )
    assert in_a_new_python(program).stdout == "set()\nset()\n"


HEAVY = {
    "tensorflow", "keras", "jax", "torch", "numpy", "scipy", "sklearn", "h5py", "PIL", "matplotlib",
    "pandas", "pyarrow", "onnx", "onnxruntime", "ai_edge_litert", "google",
}  # fmt: skip

LIGHT = [
    "", "--help", "--version", "fit --help", "predict --help", "serve --help",
    "list", "list --json",
    *(f"show {name}" for name in catalog.names()), "show lenet5 --json",
    "fly", "fit", "fit xro", "fit xor --colour", "fit xor --set a=1", "fit xor --set epochs=0",
    "fit lenet5 --set classes", "predict", "evaluate", "plot", "export",
    "convert",
]  # fmt: skip
"""Command lines that have to be fast."""


@pytest.mark.parametrize("line", LIGHT)
def test_help_lists_and_usage_errors_load_nothing_heavy(line: str) -> None:
    program = (
        "import sys; from keras_recipes.cli import commands\n"
        "try: commands(sys.argv[1:])\n"
        "finally: print(*{name.partition('.')[0] for name in sys.modules}, file=sys.stderr)"
    )
    result = in_a_new_python(program, arguments=line.split())
    loaded = set(result.stderr.splitlines()[-1].split())
    assert "click" in loaded
    assert not loaded & HEAVY


def test_the_help_page_says_what_each_verb_takes_and_returns() -> None:
    page = pydoc.plain(pydoc.render_doc(keras_recipes))
    for verb in VERBS:
        assert f"    {verb}(" in page.partition("PACKAGE CONTENTS")[0], verb
        documented = inspect.getdoc(getattr(keras_recipes, verb))
        for part in ("Args:", "Returns:", "Raises:"):
            assert part in documented, (verb, part)


WRONG_VALUES = """
import sys
from keras_recipes import build_lenet5, build_xor, fit
for call in (
    lambda: build_lenet5(dropout=2.0),
    lambda: build_lenet5(activation="nope"),
    lambda: build_lenet5(classes="10"),
    lambda: build_xor(hidden_units=0),
    lambda: build_xor(hidden_units=True),
    lambda: build_xor(learning_rate=float("nan")),
    lambda: fit("lenet5", dropout=2.0),
    lambda: fit("lenet5", droput=0.1),
    lambda: fit("lenet5", preset="nope"),
    lambda: build_lenet5(droput=0.1),
):
    try:
        call()
    except (ValueError, TypeError) as error:
        print(type(error).__name__, error, sep=": ")
print({"keras", "tensorflow"} & set(sys.modules))
"""


def test_a_builder_as_the_first_call_starts_keras_without_its_messages() -> None:
    assert in_a_new_python("from keras_recipes import build_xor; build_xor()").stderr == ""


def test_wrong_values_are_refused_before_keras_is_imported() -> None:
    lines = in_a_new_python(WRONG_VALUES).stdout.splitlines()
    assert lines[0] == "InputError: dropout: expected a number >= 0 and < 1, received 2.0"
    assert lines[1].startswith("InputError: activation: expected one of relu, relu6")
    assert lines[1].endswith("received 'nope'")
    assert lines[2] == "InputError: classes: expected a whole number >= 1, received '10'"
    assert lines[3] == "InputError: hidden_units: expected a whole number >= 1, received 0"
    assert lines[4] == "InputError: hidden_units: expected a whole number >= 1, received True"
    assert lines[5] == "InputError: learning_rate: expected a number > 0, received nan"
    assert lines[6] == lines[0]
    assert "did you mean 'dropout'?" in lines[7]
    assert lines[8].startswith("InputError: lenet5 has no preset 'nope'")
    assert lines[9].startswith("TypeError: ")
    assert "'droput'" in lines[9]
    assert lines[10] == "set()"


def test_every_activation_that_lenet5_offers_is_keras_own_and_opens_again() -> None:
    import keras

    from keras_recipes.untrusted import allowed

    offered = options.of(catalog.get("lenet5"))["activation"].choices
    assert set(offered) <= allowed.names("activation")
    assert all(callable(keras.activations.get(name)) for name in offered)


def test_every_package_is_in_the_wheel() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    packages = settings["options"]["packages"].split()
    folders = [p.parent.relative_to(ROOT) for p in (ROOT / "keras_recipes").rglob("__init__.py")]
    there = [".".join(folder.parts) for folder in folders]
    assert sorted(packages) == sorted([*there, "keras_recipes.shipped"])


def test_every_shipped_model_is_in_the_wheel() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    packed = settings["options.package_data"]["keras_recipes.shipped"].split()
    names = [card.parent.name for card in (ROOT / "saved_models/shipped").glob("*/card.json")]
    assert sorted(packed) == sorted(f"{name}/*" for name in names)


def test_the_description_of_the_package_links_to_nothing_that_an_index_lacks() -> None:
    settings = ConfigParser()
    settings.read(ROOT / "setup.cfg")
    page = settings["metadata"]["long_description"].removeprefix("file: ")
    assert not re.findall(r"\]\((?!https://)|<img", (ROOT / page).read_text())
