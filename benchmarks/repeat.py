"""Whether a fit can be repeated from its card: python -m benchmarks.repeat [FIT]...

Each fit of `kills.py` is fitted and saved, and then repeated by `recipes fit NAME --repeat`, on the
same machine with the same versions. This prints whether the weights are equal, bit by bit, and ends
with status 1 if some are not.

This needs a system with `fork`.
"""

import argparse
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

from benchmarks.kills import FITS, arguments, complete, make_data


def repeated(name: str) -> str:
    """Fit and repeat; return what the program says of the two models."""
    complete(arguments(name, "model"), 60.0)
    complete(["fit", name.split()[0], "--repeat", "model"], 60.0)
    shutil.rmtree("model")
    told = re.search(r"^repeated: (.*)$", Path("output").read_text(), re.MULTILINE)
    return told[1] if told else "nothing was said"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("fits", nargs="*", metavar="FIT", help=f"some of {', '.join(FITS)}")
    asked = parser.parse_args().fits or list(FITS)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras  # noqa: F401  # imported once for all programs that are forked
    import tensorflow  # noqa: F401

    equal = True
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        os.environ["XDG_STATE_HOME"] = folder
        make_data()
        for name in asked:
            told = repeated(name)
            equal &= told == "the weights are equal, bit by bit"
            print(f"{name}: {told}", flush=True)
        os.chdir("/")
    sys.exit(not equal)


if __name__ == "__main__":
    main()
