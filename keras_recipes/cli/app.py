"""The program `recipes`: its commands, its switches, its error messages and its exit status."""

import contextlib
import errno
import logging
import os
import re
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from keras_recipes.cli import (
    check,
    completion,
    convert,
    doctor,
    elsewhere,
    evaluate,
    export,
    fit,
    fleet,
    output,
    plot,
    predict,
    serve,
    show,
)
from keras_recipes.cli import list as listing
from keras_recipes.errors import RecipeError, no_memory, printable

LONGEST_MESSAGE = 500
"""The most characters of a message of Click. Click repeats what was typed, whatever its length."""

EXIT_SIGPIPE = 128 + 13
WRONG_PATH = {errno.ENAMETOOLONG, errno.ENOENT, errno.EISDIR, errno.ENOTDIR, errno.ELOOP}
"""Operating system errors that a wrong path causes. They give exit status 2."""

ANYWHERE = {
    "--debug": "debug",
    "--quiet": "quiet",
    "-q": "quiet",
    "--verbose": "verbose",
    "-v": "verbose",
}
"""Switches that work before and after the command's name."""

log = logging.getLogger(__name__)


class Commands(click.Group):
    """Click's group, with one-line errors and this package's exit codes."""

    def main(self, args: Sequence[str] | None = None, *rest: Any, **extra: Any) -> Any:
        """Run a command and exit with its status, whatever happens."""
        arguments = _apart(sys.argv[1:] if args is None else args)
        asked = {
            ANYWHERE[word] for word in arguments[: _options_end(arguments)] if word in ANYWHERE
        }
        debug = "debug" in asked
        output.log_to_stderr(asked)
        extra["standalone_mode"] = False
        try:
            output.say_versions()
            if {"quiet", "verbose"} <= asked:
                raise click.UsageError("--quiet and --verbose exclude each other; leave one out.")
            code = super().main(arguments, *rest, **extra)
        except click.Abort:
            code = 128 + signal.SIGINT
        except Exception as error:
            if debug:
                import traceback

                traceback.print_exc()
            code = _explain(error)
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Remove the switches that work anywhere, so that the commands need not declare them."""
        end = _options_end(args)
        known = [word for word in args[:end] if word not in ANYWHERE]
        return super().make_context(info_name, known + args[end:], parent, **extra)

    def invoke(self, context: click.Context) -> Any:
        """Run a command. Its reader may close the pipe early, as `| head -1` does."""
        try:
            result = super().invoke(context)
            sys.stdout.flush()
        except BrokenPipeError:
            _discard_stdout()
            return EXIT_SIGPIPE
        except OSError:
            _discard_stdout()
            raise
        return result


def main() -> None:
    """Run the console script `recipes`."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # the calling process closed it
            setattr(sys, name, Path(os.devnull).open("w"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="backslashreplace")
    if "_RECIPES_COMPLETE" in os.environ:
        completion.register()
    elsewhere.may_end_this_process()
    commands(prog_name="recipes")


def _apart(arguments: Sequence[str]) -> list[str]:
    """Return the arguments with combined short switches, such as `-qv`, written one by one."""
    end, apart = _options_end(arguments), []
    for word in arguments[:end]:
        together = re.fullmatch(r"-[qv]{2,}", word)
        apart += [f"-{letter}" for letter in word[1:]] if together else [word]
    return [*apart, *arguments[end:]]


def _options_end(arguments: Sequence[str]) -> int:
    return arguments.index("--") if "--" in arguments else len(arguments)


def _discard_stdout() -> None:
    """Redirect stdout to nowhere. Otherwise Python reports a second error at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="""\b
    To complete names with Tab in Bash (other shells: docs/completion.md):
      eval "$(_RECIPES_COMPLETE=bash_source recipes)"
    """,
)
@click.version_option(package_name="keras_recipes", prog_name="recipes")
@click.option(
    "-q",
    "--quiet",
    is_flag=True,
    help="Print errors only, and whether other data was used than asked. Works with every command.",
)
@click.option(
    "-v",
    "--verbose",
    is_flag=True,
    help="Print more: the versions, where the model is, the loss of each epoch. Works with every "
    "command.",
)
@click.option(
    "--debug",
    is_flag=True,
    help="Print the traceback of an error. Works with every command.",
)
def commands(quiet: bool, verbose: bool, debug: bool) -> None:
    """Train, test and use classic neural nets from popular articles.

    NAME is a recipe's name, such as xor. MODEL is a recipe's name, the folder of a saved model, or
    a model file. A recipe's name stands for its model in ./saved_models or, if there is none, for
    the trained model that comes with this package. Results go to stdout, messages to stderr. Exit
    status: 0 success, 1 failure, 2 wrong usage or wrong input, 3 unsafe model, 4 corrupt model,
    129, 130 or 143 interrupted.

    \b
    Example:
      recipes fit xor
      recipes predict xor 0,1 1,1
    """


for command in (
    listing.list_,
    show.show,
    fit.fit,
    evaluate.evaluate,
    predict.predict,
    export.export,
    convert.convert,
    plot.plot,
    check.check,
    serve.serve,
    fleet.fleet,
    doctor.doctor,
):
    commands.add_command(command)


def _explain(error: Exception) -> int:
    """Print what went wrong on one line of stderr, and return the exit status."""
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        error.show()
        return 2
    code = 1
    if isinstance(error, click.UsageError):
        message, code = _misused(error), 2
    elif isinstance(error, click.ClickException):
        message, code = error.format_message(), error.exit_code
    elif isinstance(error, RecipeError):
        message, code = str(error), error.exit_code
    elif short := no_memory(error, "for this"):
        message = str(short)
    elif isinstance(error, OSError):
        message = f"{error.filename or 'output'}: {error.strerror or error}"
        code = 2 if error.errno in WRONG_PATH else 1
    else:
        message = f"unexpected {type(error).__name__}: {error}; add --debug to see where"
    with contextlib.suppress(OSError):
        print(f"error: {output.one_line(message)}", file=sys.stderr)
    return code


def _misused(error: click.UsageError) -> str:
    command = error.ctx.command_path if error.ctx else "recipes"
    advice = f"See `{command} --help`."
    asked = error.ctx is not None and error.ctx.command is predict.predict
    if asked and isinstance(error, click.NoSuchOption) and error.option_name[1] in "0123456789.":
        advice = f"Values that begin with a minus sign come after --: {command} MODEL -- -1,0.5"
    return f"{printable(error.format_message(), LONGEST_MESSAGE)} {advice}"
