"""The names by which people call the parts of their data."""

import re

TRAIN, VALIDATION, TEST = "train", "validation", "test"

_NAMES = {
    TRAIN: ("train", "training", "训练", "训练集"),
    VALIDATION: ("val", "valid", "validation", "dev", "验证", "验证集"),
    TEST: ("test", "testing", "t10k", "测试", "测试集"),
}
_PARTS = {name: part for part, names in _NAMES.items() for name in names}
_REST = re.compile(r"[-_ ]?(set|data|images|imgs|part|folder|samples?)?")


def part_of(name: str) -> str | None:
    """Return the part that a folder or a word of a file's name stands for, in any case.

    `trainingSet` and `test_images` stand for parts too; None is returned for other names.
    """
    lower = name.strip().lower()
    for spelt, part in _PARTS.items():
        if lower.startswith(spelt) and _REST.fullmatch(lower[len(spelt) :]):
            return part
    return None


def without_part(stem: str) -> tuple[str, str | None]:
    """Return the name of a data set and the part, of the name of a file without its ending.

    `mnist_train` gives `mnist` and the training part, `x` gives `x` and no part.
    """
    words = [word for word in re.split(r"[-_. ]+", stem) if word]
    parts = [(i, part) for i, word in enumerate(words) if (part := part_of(word))]
    if len(parts) != 1:
        return "-".join(words), None
    place, part = parts[0]
    return "-".join(words[:place] + words[place + 1 :]), part
