"""What is typed on a page is found, and so is what a comment says of it."""

import re
from pathlib import Path

import pytest

from tests.pages import pages
from tests.pages.pages import Step

PAGE = r"""# A page

```sh
# a comment
recipes fit xor --set seed=1 \
  --epochs 5

recipes plot xor   # pictures
```

<!-- test: full fails -->
```console
$ recipes fly
Error: no such command
$ recipes walk
```

```python
print(1)
```

```text
recipes is not run
```

| I want to | Command |
| --- | --- |
| see | `recipes show xor \| head` |
| nothing | - |

| option | meaning |
| --- | --- |
| see | `recipes show xor` |
"""


def test_steps_are_found_in_their_order(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(PAGE)
    both = frozenset({"full", "fails"})
    assert pages.steps(page) == [
        Step("sh", "recipes fit xor --set seed=1    --epochs 5"),
        Step("sh", "recipes plot xor   # pictures"),
        Step("sh", "recipes fly", ("Error: no such command",), both),
        Step("sh", "recipes walk", (), both),
        Step("python", "print(1)\n"),
        Step("sh", "recipes show xor | head", notes=frozenset({"full"})),
    ]


@pytest.mark.parametrize("page", pages.PAGES, ids=pages.name)
def test_every_comment_for_tests_is_understood(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    comments = re.findall(r"<!--\s*test.*?-->", text)
    understood = re.findall(
        r"^<!-- test: (?:setup|full|fails|full fails) -->(?=\n(?:```|\|))", text, re.MULTILINE
    )
    assert len(understood) == len(comments)
