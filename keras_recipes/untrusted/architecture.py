"""Accept a model's configuration piece by piece, and build a new one from what was accepted.

Keras creates objects of any class or function that a configuration names, passes any arguments that
the file holds, and calls what it finds. Therefore nothing from the file reaches Keras directly:
every class is looked up in `allowed`, every argument is checked by `values`, and this module writes
what Keras receives.
"""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from typing import Any, NoReturn

from keras_recipes.errors import CorruptModelError, RecipeError, UnsafeModelError
from keras_recipes.untrusted import allowed, strict_json, values
from keras_recipes.untrusted.allowed import Allowed
from keras_recipes.untrusted.values import UnacceptableError, UnsafeValueError, quoted

MOST_LAYERS = 2_000
MOST_CALLS = 4_000
MOST_ATTEMPTS = 20
"""How often a call of a layer may have to wait for layers that come later in the file."""

GRAPH = ("layers", "operations", "models")
_ENTRIES = {"module", "class_name", "config", "registered_name", "shared_object_id"}
_LAYER_ENTRIES = {*_ENTRIES, "build_config", "compile_config", "name", "inbound_nodes"}


@dataclass(frozen=True)
class Architecture:
    """An accepted configuration, ready for Keras.

    Attributes:
        config: The argument for `keras.saving.deserialize_keras_object`.
        compiled: The argument for `compile_from_config`, or None.
        left_out: Why the file's compile settings were left out, or None.
        names: The names of all layers in the file.
        layers: The number of layers.
        own: Whether there are custom layers of this package.
    """

    config: dict[str, Any]
    compiled: dict[str, Any] | None
    left_out: str | None
    names: frozenset[str]
    layers: int
    own: bool


def read(content: bytes, where: str) -> Architecture:
    """Accept a model's configuration in the form that `to_json()` writes.

    Args:
        content: The bytes of the file.
        where: The name of the file, for the messages.

    Raises:
        CorruptModelError: The file is not such a configuration, or an argument has a wrong value.
        UnsafeModelError: The configuration names a class that is not allowed.
    """
    value = strict_json.parse(content, where)
    checker = _Checker(where)
    config = checker.model(value)
    compiled, left_out = checker.compile_settings(value.get("compile_config"))
    return Architecture(
        config=config,
        compiled=compiled,
        left_out=left_out,
        names=frozenset(checker.names),
        layers=checker.layers,
        own=checker.own,
    )


@dataclass
class _Checker:
    where: str
    names: set[str] = field(default_factory=set)
    layers: int = 0
    calls: int = 0
    own: bool = False
    shared: dict[int, Any] = field(default_factory=dict)

    def model(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or "class_name" not in value:
            self._corrupt("expected a model in the form that Keras' to_json() writes")
        if "module" not in value:
            self._corrupt("Keras 2 or older wrote it; convert it with `recipes convert`")
        return self._object(value, ("models",))

    def compile_settings(self, value: Any) -> tuple[dict[str, Any] | None, str | None]:
        """Return the compile settings, or why they are left out; computing needs none of them."""
        if not value:
            return None, None
        try:
            return _Compiling(self).settings(value), None
        except _UnknownError as error:
            return None, str(error)

    def _object(self, value: Any, groups: Sequence[str]) -> dict[str, Any]:
        """Accept an object with a class, and return it in a new dictionary."""
        found = self._class(value, groups)
        if found.group in GRAPH:
            return self._layer(found, value)
        config = self._config(value)
        return self._made(found, self._arguments(found, config, found.name))

    def _class(self, value: Any, groups: Sequence[str]) -> Allowed:
        if not isinstance(value, dict):
            self._corrupt(f"expected one of the {groups[0]}, received {quoted(value)}")
        module, name = value.get("module"), value.get("class_name")
        found = allowed.find(module, name)
        if found is None:
            self._unknown(module, name)
        if found.group not in groups:
            self._unsafe(f"found {found.name}, expected one of the {' or '.join(groups)}")
        if value.get("registered_name") not in (None, found.name, found.registered_name):
            self._unsafe(f"{found.name} is registered as {quoted(value['registered_name'])}")
        entries = _LAYER_ENTRIES if found.group in GRAPH else _ENTRIES
        if unknown := value.keys() - entries:
            self._corrupt(f"{found.name} has the unknown entry {quoted(min(unknown))}")
        return found

    def _unknown(self, module: Any, name: Any) -> NoReturn:
        known = allowed.reason(name) if isinstance(name, str) else None
        if known and str(module).startswith("keras"):
            self._unsafe(f"{name} is not opened: {known}")
        self._unsafe(
            f"the class {quoted(name)} of {quoted(module)} is not one of Keras' that may be opened"
        )

    def _made(self, found: Allowed, config: dict[str, Any]) -> dict[str, Any]:
        return {
            "module": found.module,
            "class_name": found.name,
            "config": config,
            "registered_name": found.registered_name,
        }

    def _config(self, value: dict[str, Any]) -> dict[str, Any]:
        config = value.get("config")
        if not isinstance(config, dict):
            self._corrupt(f"{quoted(value.get('class_name'))} has no configuration")
        return config

    def _arguments(self, found: Allowed, config: dict[str, Any], what: str) -> dict[str, Any]:
        accepted = {}
        for name, value in config.items():
            kind = found.arguments.get(name)
            if kind is None:
                # An option of a later Keras that this model does not use makes no difference.
                if value is None:
                    continue
                self._corrupt(
                    f"{what} has the option {quoted(name)}, which this version does not know; "
                    "a newer Keras may have written it"
                )
            try:
                accepted[name] = self._value(kind, value)
            except UnacceptableError as error:
                message = f"{what}: {name}: expected {error}, received {quoted(value)}"
                if isinstance(error, UnsafeValueError):
                    self._unsafe(message)
                self._corrupt(message)
        return {name: value for name, value in accepted.items() if found.arguments[name] != "null"}

    def _value(self, kind: str, value: Any) -> Any:
        structured: dict[str, Callable[[Any], Any]] = {
            "dtype": self._dtype,
            "activation": self._activation,
            "initializer": self._named("initializer", "initializers"),
            "regularizer": self._named("regularizer", "regularizers"),
            "constraint": self._named("constraint", "constraints"),
            "layer": lambda item: self._object(item, ("layers", "models")),
            "cell": self._cell,
            "layers": lambda items: [self._object(item, GRAPH) for item in self._list(items)],
            "learning_rate": self._learning_rate,
            "optimizer": lambda item: self._object(item, ("optimizers",)),
        }
        if value is None or kind not in structured:
            return values.check(kind, value)
        return structured[kind](value)

    def _list(self, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise UnacceptableError("a list")
        return value

    def _dtype(self, value: Any) -> Any:
        if isinstance(value, dict):
            policy = value.get("class_name"), value.get("module"), value.get("registered_name")
            config = value.get("config")
            if list(policy) not in _POLICIES or not isinstance(config, dict):
                self._unsafe(f"it gives a dtype by the class {quoted(value.get('class_name'))}")
            value = config.get("name")
        if not isinstance(value, str) or value not in allowed.DTYPES:
            raise UnacceptableError(f"a dtype such as float32 ({quoted(value)} is none)")
        return value

    def _activation(self, value: Any) -> Any:
        if isinstance(value, str):
            return values.by_name("activation", value)
        found = self._class(value, ("layers",))
        if found.name not in ACTIVATION_LAYERS:
            self._unsafe(f"it uses the layer {found.name} as an activation")
        return self._object(value, ("layers",))

    def _named(self, kind: str, group: str) -> Callable[[Any], Any]:
        def check(value: Any) -> Any:
            if isinstance(value, str):
                return values.by_name(kind, value)
            return self._object(value, (group,))

        return check

    def _cell(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self._object(item, ("layers",)) for item in value]
        return self._object(value, ("layers",))

    def _learning_rate(self, value: Any) -> Any:
        if isinstance(value, dict):
            return self._object(value, ("schedules",))
        return values.check("number", value)

    def _layer(self, found: Allowed, value: dict[str, Any]) -> dict[str, Any]:
        self.layers += 1
        if self.layers > MOST_LAYERS:
            self._unsafe(f"it has more than {MOST_LAYERS:,} layers")
        self.own = self.own or found.registered_name is not None
        config = self._config(value)
        what = f"layer {quoted(config.get('name', found.name))}"
        if found.group == "models":
            accepted = self._graph(found, config, what)
        else:
            accepted = self._arguments(found, config, what)
        if "name" in accepted:
            self.names.add(accepted["name"])
        made = self._made(found, accepted)
        if value.get("build_config"):
            made["build_config"] = self._build_config(value["build_config"], what)
        if value.get("shared_object_id") is not None:
            made["shared_object_id"] = self._shared(value["shared_object_id"], made, what)
        return made

    def _shared(self, number: Any, made: dict[str, Any], what: str) -> int:
        """Check a shared object; Keras uses the first object of a number for every later one."""
        if not isinstance(number, int) or isinstance(number, bool):
            self._corrupt(f"{what}: its shared_object_id is not an integer")
        if self.shared.setdefault(number, dict(made)) != made:
            self._corrupt(f"{what}: shares its id with another layer, but differs from it")
        return number

    def _build_config(self, value: Any, what: str) -> dict[str, Any]:
        known = {"input_shape", "shapes_dict", "axis"}
        if not isinstance(value, dict) or not value.keys() <= known:
            self._corrupt(f"{what}: has an unknown build_config")
        try:
            return {name: values.shape(shapes) for name, shapes in value.items()}
        except UnacceptableError:
            self._corrupt(f"{what}: its build_config holds something that is not a shape")

    def _graph(self, found: Allowed, config: dict[str, Any], what: str) -> dict[str, Any]:
        mine = SEQUENTIAL if found.name == "Sequential" else FUNCTIONAL
        layers = config.get("layers")
        if not isinstance(layers, list):
            self._corrupt(f"{what}: has no list of layers")
        rest = {name: value for name, value in config.items() if name not in ("layers", *_ENDS)}
        head = self._arguments(mine, rest, what)
        if found.name == "Sequential":
            head.setdefault("name", "sequential")
            return {**head, "layers": [self._object(layer, GRAPH) for layer in layers]}
        head.setdefault("name", "functional")
        return {**head, **self._functional(config, layers, what)}

    def _functional(self, config: dict[str, Any], layers: list[Any], what: str) -> dict[str, Any]:
        made, calls = [], {}
        for layer in layers:
            name = layer.get("name") if isinstance(layer, dict) else None
            accepted = self._object(layer, GRAPH)
            accepted["config"].setdefault("name", name)
            if not isinstance(name, str) or accepted["config"]["name"] != name or name in calls:
                self._corrupt(
                    f"{what}: a layer has no name, two different names, or another layer's name"
                )
            calls[name] = self._list_of(layer.get("inbound_nodes"), f"the calls of {quoted(name)}")
            made.append({**accepted, "name": name, "inbound_nodes": []})
        for layer in made:
            layer["inbound_nodes"] = [
                self._call(call, calls, layer["name"]) for call in calls[layer["name"]]
            ]
        self._check_order(made, what)
        ends = {end: self._end(config.get(end), calls, what) for end in _ENDS}
        return {"layers": made, **ends}

    def _list_of(self, value: Any, what: str) -> list[Any]:
        if not isinstance(value, list):
            self._corrupt(f"{what}: expected a list, received {quoted(value)}")
        return value

    def _call(self, value: Any, names: Collection[str], layer: str) -> dict[str, Any]:
        self.calls += 1
        if self.calls > MOST_CALLS:
            self._unsafe(f"layers are called more than {MOST_CALLS:,} times")
        if not isinstance(value, dict) or value.keys() != {"args", "kwargs"}:
            self._corrupt(f"layer {quoted(layer)}: a call is not in the form that Keras 3 writes")
        call = _Call(self, names, layer)
        args = [call.argument(item) for item in self._list_of(value["args"], "a call")]
        if not isinstance(value["kwargs"], dict):
            self._corrupt(f"layer {quoted(layer)}: a call is not in the form that Keras 3 writes")
        kwargs = {key: call.argument(item) for key, item in value["kwargs"].items()}
        if not all(key.isidentifier() for key in kwargs) or not call.sources:
            # Keras computes a call without inputs while it reads the file.
            self._unsafe(f"layer {quoted(layer)} is called without an output of the model's layers")
        return {"args": args, "kwargs": kwargs, "sources": call.sources}

    def _check_order(self, layers: list[dict[str, Any]], what: str) -> None:
        """Check the order of calls, cheaply: Keras retries each call until its inputs exist."""
        made = {layer["name"]: int(not layer["inbound_nodes"]) for layer in layers}
        for layer in layers:
            if layer["class_name"] in ("Functional", "Sequential"):
                made[layer["name"]] = 1
        waiting = {
            layer["name"]: [c.pop("sources") for c in layer["inbound_nodes"]] for layer in layers
        }
        attempts, most = 0, MOST_ATTEMPTS * (len(layers) + 10)
        while any(waiting.values()):
            before = attempts
            for name, calls in waiting.items():
                while calls and all(made[source] > node for source, node in calls[0]):
                    calls.pop(0)
                    made[name] += 1
                    before = -1
                attempts += bool(calls)
            if before >= 0:
                self._corrupt(f"{what}: its layers wait for each other in a circle")
            if attempts > most:
                self._unsafe(f"{what}: the order of its layers takes too long to open")

    def _end(self, value: Any, names: Collection[str], what: str) -> Any:
        """Accept the layers whose outputs are the inputs or outputs: lists, or by name."""
        if isinstance(value, dict):
            return {values.name(key): self._end(item, names, what) for key, item in value.items()}
        if isinstance(value, list) and len(value) == 3 and isinstance(value[0], str):
            name, node, tensor = value
            if name in names and _is_index(node) and _is_index(tensor):
                return [name, node, tensor]
        elif isinstance(value, list) and len(value) <= 1000:
            return [self._end(item, names, what) for item in value]
        return self._corrupt(f"{what}: its inputs or outputs are not outputs of its layers")

    def _corrupt(self, message: str) -> NoReturn:
        raise CorruptModelError(
            f"{self.where}: cannot be opened: {message}; get it again, or save it again"
        )

    def _unsafe(self, message: str) -> NoReturn:
        raise UnsafeModelError(
            f"{self.where}: refused, {message}; ask its author for a model without this"
        )


@dataclass
class _Call:
    """The arguments with which a layer is called in a graph."""

    checker: _Checker
    names: Collection[str]
    layer: str
    sources: list[tuple[str, int]] = field(default_factory=list)

    def argument(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.argument(item) for item in value]
        if isinstance(value, dict):
            if "class_name" in value or "config" in value:
                return self._special(value)
            return {self._key(key): self.argument(item) for key, item in value.items()}
        if isinstance(value, str):
            return self._text(value)
        if not values.plain(value):
            self._refuse(f"the number {quoted(value)}, which is out of range")
        return value

    def _special(self, value: dict[str, Any]) -> Any:
        name, config = value.get("class_name"), value.get("config")
        if name == "__ellipsis__":
            return {"class_name": name, "config": {}}
        if isinstance(config, dict):
            if name == "__keras_tensor__":
                return self._tensor(config)
            if name == "__slice__":
                parts = {part: self.argument(config.get(part)) for part in _SLICE}
                return {"class_name": name, "config": parts}
            if name in ("__tensor__", "__numpy__"):
                return {"class_name": name, "config": self._constant(config)}
        return self._refuse(f"{quoted(name)}, which is not an input")

    def _tensor(self, config: dict[str, Any]) -> dict[str, Any]:
        history = config.get("keras_history")
        if not isinstance(history, list) or len(history) != 3 or not isinstance(history[0], str):
            self._refuse("an output without a layer")
        if history[0] not in self.names or not all(map(_is_index, history[1:])):
            self._refuse("the output of a layer that does not exist")
        self.sources.append((history[0], history[1]))
        # Keras replaces this by the layer's real output, so shape and dtype do not matter.
        accepted: dict[str, Any] = {"shape": [], "dtype": "float32", "keras_history": history}
        return {"class_name": "__keras_tensor__", "config": accepted}

    def _constant(self, config: dict[str, Any]) -> dict[str, Any]:
        dtype = config.get("dtype")
        numbers = allowed.DTYPES - {"string", "mixed_float16", "mixed_bfloat16"}
        if not isinstance(dtype, str) or dtype not in numbers:
            self._refuse(f"a constant of dtype {quoted(dtype)}")
        try:
            return {"value": _NUMBERS(config.get("value")), "dtype": dtype}
        except UnacceptableError:
            self._refuse("a constant that does not consist of numbers")

    def _text(self, value: str) -> str:
        try:
            return str(values.check("text", value))
        except UnacceptableError:
            self._refuse(f"the text {quoted(value)}")

    def _key(self, key: str) -> str:
        try:
            return values.name(key)
        except UnacceptableError:
            self._refuse(f"the key {quoted(key)}")

    def _refuse(self, message: str) -> NoReturn:
        self.checker._unsafe(f"layer {quoted(self.layer)} is called with {message}")


class _UnknownError(Exception):
    """The compile settings include something that this version does not know."""


@dataclass
class _Compiling:
    """Compile settings. Custom ones are left out; those that contain code are refused."""

    checker: _Checker

    def settings(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            self.checker._corrupt("its compile_config is not a dictionary")
        accepted = {}
        for name, setting in value.items():
            if name not in _SETTINGS:
                raise _UnknownError(f"unknown setting {quoted(name)}")
            try:
                accepted[name] = self._setting(_SETTINGS[name], setting)
            except (UnacceptableError, RecipeError) as error:
                if _holds_code(setting):
                    raise UnsafeModelError(
                        f"{self.checker.where}: refused, its {name} contains or names code; "
                        "ask its author for a model without this"
                    ) from None
                raise _UnknownError(f"{name}: {_reason(error)}") from None
        return accepted

    def _setting(self, kind: str, value: Any) -> Any:
        if kind in ("loss", "metric", "optimizer"):
            return self._object(kind, value)
        if kind == "weights":
            return _NUMBERS(value) if not isinstance(value, dict) else self._by_output(value)
        return values.check(kind, value)

    def _object(self, kind: str, value: Any) -> Any:
        if value is None:
            return None
        if isinstance(value, str):
            return values.by_name(kind, value)
        if isinstance(value, list) and kind != "optimizer":
            return [self._object(kind, item) for item in value]
        if isinstance(value, dict) and "class_name" not in value and kind != "optimizer":
            return {values.name(key): self._object(kind, item) for key, item in value.items()}
        groups = {"loss": ("losses",), "metric": ("metrics", "losses"), "optimizer": _OPTIMIZERS}
        return self.checker._object(value, groups[kind])

    def _by_output(self, value: dict[str, Any]) -> dict[str, Any]:
        return {values.name(key): _NUMBERS(item) for key, item in value.items()}


def _holds_code(value: Any) -> bool:
    """Return whether a setting contains code or names a function, which Keras never writes."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, list):
            waiting.extend(item)
        elif isinstance(item, dict):
            name = item.get("class_name")
            if isinstance(name, str) and name.startswith("__"):
                return True
            if name == "function" and item.get("module") not in ("builtins", None):
                return True
            waiting.extend(item.values())
    return False


def _reason(error: Exception) -> str:
    """Return a message without the file's name and the advice."""
    text = str(error) if isinstance(error, RecipeError) else f"expected {error}"
    return text.split(": refused, ")[-1].split(";")[0]


def _is_index(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_CALLS


SEQUENTIAL = Allowed(
    "models", "keras", "Sequential", {**allowed.LAYER, "build_input_shape": "shape"}
)
FUNCTIONAL = Allowed("models", "keras.src.models.functional", "Functional", allowed.LAYER)
ACTIVATION_LAYERS = {"LeakyReLU", "ELU", "ReLU", "Softmax", "Activation"}
_ENDS = ("input_layers", "output_layers")
_SLICE = ("start", "stop", "step")
_OPTIMIZERS = ("optimizers",)
_NUMBERS = values.KINDS["numbers"]
_POLICIES = [
    ["DTypePolicy", module, registered]
    for module in ("keras", "keras.dtype_policies")
    for registered in (None, "DTypePolicy")
]
_SETTINGS = {
    "optimizer": "optimizer",
    "loss": "loss",
    "loss_weights": "weights",
    "metrics": "metric",
    "weighted_metrics": "metric",
    "run_eagerly": "bool",
    "steps_per_execution": "count",
    "jit_compile": "switch",
    "auto_scale_loss": "bool",
}
