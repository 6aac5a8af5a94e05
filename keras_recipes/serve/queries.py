"""Options of a recipe in the query of an address: `?several=true` is `--set several=true`."""

from typing import Any

from starlette.datastructures import QueryParams

from keras_recipes import options
from keras_recipes.serve.models import Served
from keras_recipes.serve.refusals import Refusal

NO_FILES = ("idle_after",)
"""Options with free text that name no file of this machine."""


def given(served: Served, query: QueryParams) -> dict[str, Any]:
    """Return the options in a query, checked.

    Raises:
        Refusal: An option names a file, or is given twice, or the model has no options.
        InputError: As for `options.parse`.
    """
    names = [name for name, _ in query.multi_items()]
    if not names:
        return {}
    if served.recipe is None or served.card is None:
        raise Refusal(422, f"{names[0]}: {served.name} has no card, so it has no options")
    if len(set(names)) < len(names):
        raise Refusal(422, "expected each option once, received one twice")
    known = options.of(served.recipe, "predict", served.card.learned)
    for name in names:
        option = known.get(name.strip().replace("-", "_"))
        if option and not option.stays and option.name not in NO_FILES:
            raise Refusal(422, f"{name}: names a file, which a request cannot do; leave it out")
    texts = [f"{name}={value}" for name, value in query.multi_items()]
    return options.parse(served.recipe, texts, "predict", served.card.learned)
