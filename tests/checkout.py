"""The paths of the checkout that these tests are part of."""

from pathlib import Path

ROOT = Path(__file__).parent.parent
SHIPPED = ROOT / "saved_models" / "shipped"
