"""Models in other formats, made once for all tests."""

import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest

from keras_recipes import extras
from keras_recipes.commands import export as exporting
from keras_recipes.models.fitted import Fitted

_KEPT = tempfile.TemporaryDirectory()
_EXPORTS: dict[object, tuple[exporting.Exported, Path]] = {}


def needs(extra: str | None) -> None:
    """Skip the test if a package of an extra is not installed."""
    missing = [p for p in extras.PACKAGES.get(extra, ()) if not extras.is_here(p)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed: {extras.command(extra)}")


def exported(fitted: Fitted, format: str, place: str = "it") -> exporting.Exported:
    """Return an export in the test's own folder; it is made only once for all tests."""
    needs(format)
    target = Path(f"{place}{exporting.FORMATS[format].ending}")
    key = id(fitted.model), fitted.card.to_json() if fitted.card else None, format
    if key not in _EXPORTS:
        kept = Path(tempfile.mkdtemp(dir=_KEPT.name)) / target.name
        _EXPORTS[key] = exporting.export(fitted, format, kept), kept
    done, kept = _EXPORTS[key]
    shutil.copytree(kept, target) if kept.is_dir() else shutil.copy(kept, target)
    return replace(done, path=target)
