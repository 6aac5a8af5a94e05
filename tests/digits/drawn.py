"""Digits drawn by the tests themselves."""

from PIL import Image, ImageDraw


def seven() -> Image.Image:
    """Draw a seven, light on dark as in MNIST."""
    image = Image.new("L", (40, 40))
    ImageDraw.Draw(image).line([(10, 8), (30, 8), (18, 34)], fill=255, width=4)
    return image


def seven_on_paper(name: str) -> str:
    """Write the seven dark on light to a file of this name."""
    image = Image.new("L", (200, 200), 235)
    pen = ImageDraw.Draw(image)
    pen.line([(60, 50), (140, 50), (90, 160)], fill=30, width=16, joint="curve")
    image.save(name)
    return name
