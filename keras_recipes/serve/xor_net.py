"""`/page/xor`: the numbers of the recipe xor, with which the page trains the same net."""

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from keras_recipes import catalog, options
from keras_recipes.cookbook.xor import TRUTH_TABLE
from keras_recipes.serve.protocol import JSON


async def described(request: Request) -> Response:
    """Answer with the points, the defaults of the net, and the goal of its training."""
    recipe = catalog.get("xor")
    known = options.of(recipe, "fit")
    plan = options.call(recipe.training, options=options.resolve(recipe, None, {}))
    assert plan.goal
    found = {
        "table": TRUTH_TABLE,
        "hidden_units": known["hidden_units"].default,
        "activation": known["activation"].default,
        "activations": known["activation"].choices,
        "learning_rate": known["learning_rate"].default,
        "epochs": plan.epochs,
        "goal": plan.goal.at_most,
    }
    return Response(msgspec.json.encode(found), media_type=JSON)
