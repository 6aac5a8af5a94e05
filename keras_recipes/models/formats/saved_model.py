"""SavedModel: a folder with a TensorFlow graph, written by Keras' exporter, computed by TensorFlow.

The card is in `assets.extra`, a folder of the format that TensorFlow does not read.

A graph may do more than compute: it may read files, write files, or run Python code in the process.
Therefore only operations on a list are run. The list holds operations that only compute: those of
Keras' own layers. TensorFlow has too many operations to list the harmful ones. A SavedModel also
contains functions that save and restore it. They may be present, but nothing that runs may call
them.
"""

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from google.protobuf.message import DecodeError

from keras_recipes import backend
from keras_recipes.errors import CorruptModelError, UnsafeModelError, first_line
from keras_recipes.models import runtime
from keras_recipes.models.endings import ENDINGS
from keras_recipes.models.formats.format import Format, Members
from keras_recipes.untrusted import budget

if TYPE_CHECKING:
    import keras

GRAPH, CARD = "saved_model.pb", "assets.extra/card.json"
VARIABLES = ("variables/variables.index", "variables/variables.data-00000-of-00001")
SIGNATURE = "serving_default"

_COMPUTING = """
Abs Acos Acosh Add AddN AddV2 All Any ArgMax ArgMin Asin Asinh AssignVariableOp Atan Atan2 Atanh
AvgPool AvgPool3D BatchMatMulV2 BatchToSpaceND BiasAdd Bitcast BitwiseAnd BroadcastTo Bucketize
Cast Ceil ConcatV2 Const Conv2D Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 Cos Cosh Cumsum
DepthToSpace DepthwiseConv2dNative DivNoNan Einsum Elu EnsureShape Equal Erf Erfc Exp ExpandDims
Expm1 Fill Floor FloorDiv FloorMod FusedBatchNormV3 GatherNd GatherV2 Greater GreaterEqual
Identity IdentityN If ImageProjectiveTransformV3 Inv IsFinite IsInf IsNan LRN LeakyRelu Less
LessEqual Log Log1p LogSoftmax LogicalAnd LogicalNot LogicalOr LogicalXor MatMul MatrixBandPart
Max MaxPool MaxPool3D Maximum Mean Min Minimum MirrorPad Mul Neg NoOp NotEqual OneHot OnesLike
Pack Pad PadV2 PartitionedCall Placeholder Pow Prod Range Rank ReadVariableOp RealDiv Reciprocal
Relu Relu6 Reshape ResizeBilinear ResizeNearestNeighbor ReverseSequence ReverseV2 Rint Roll Round
Rsqrt ScatterNd Select SelectV2 Selu Shape Sigmoid Sign Sin Sinh Size Slice Softmax Softplus
Softsign SpaceToBatchND SpaceToDepth Split SplitV Sqrt Square SquaredDifference Squeeze
StatefulPartitionedCall StatelessIf StatelessRandomGetKeyCounter StatelessRandomUniformV2
StatelessWhile StopGradient StridedSlice Sub Sum Tan Tanh TensorListFromTensor TensorListGetItem
TensorListLength TensorListReserve TensorListSetItem TensorListStack Tile TopKV2 Transpose
TruncateDiv Unpack While Xdivy Xlogy ZerosLike
"""
COMPUTING = frozenset(_COMPUTING.split())
"""Operations that compute, use a variable of the model, or call a function of it.

Keras 3.15 writes these for its layers, or they are like those.
"""

_SAVING = """
DisableCopyOnRead MergeV2Checkpoints RestoreV2 SaveV2 ShardedFilename StaticRegexFullMatch
StringJoin VarHandleOp VarIsInitializedOp
"""
SAVING = frozenset(_SAVING.split())
"""Operations of the functions with which TensorFlow saves and restores a SavedModel."""

_OBJECTS = {
    "user_object", "function", "bare_concrete_function", "variable", "constant", "captured_tensor",
}  # fmt: skip


def converted(model: "keras.Model") -> Members:
    """Convert a Keras model to the files of a SavedModel.

    Args:
        model: A Keras model on TensorFlow.
    """
    with tempfile.TemporaryDirectory() as scratch, backend.suppressed_output():
        model.export(scratch, format="tf_saved_model", verbose=False)
        return {name: (Path(scratch) / name).read_bytes() for name in (GRAPH, *VARIABLES)}


def joined(members: Members, card: bytes) -> Members:
    """Return the files with the card added."""
    return {**members, CARD: card}


def split(members: Members, where: str) -> tuple[Members, bytes | None]:
    """Return the files that TensorFlow reads, and the card's text or None.

    Raises:
        CorruptModelError: One of the files is missing.
    """
    if missing := {GRAPH, *VARIABLES} - members.keys():
        raise CorruptModelError(f"{where}: {min(missing)} is missing; export it again")
    return {name: members[name] for name in (GRAPH, *VARIABLES)}, members.get(CARD)


class SavedModel:
    """A SavedModel in TensorFlow.

    Args:
        members: The members that `split` returned.
        where: The model's path, for the messages.

    Raises:
        UnsafeModelError: The graph contains operations that may do more than compute.
        CorruptModelError: TensorFlow cannot open it.
    """

    def __init__(self, members: Members, where: str) -> None:
        with budget.importing(), backend.suppressed_output():
            import tensorflow as tf
        check(members[GRAPH], where)
        # TensorFlow loads a private copy, so that it loads exactly what was checked.
        with tempfile.TemporaryDirectory() as scratch, backend.suppressed_output():
            for name in (GRAPH, *VARIABLES):
                (Path(scratch) / name).parent.mkdir(exist_ok=True)
                (Path(scratch) / name).write_bytes(members[name])
            try:
                self._loaded = tf.saved_model.load(scratch)
                self._compute = self._loaded.signatures[SIGNATURE]
            except Exception as error:  # TensorFlow has many exceptions, and none for this
                reason = first_line(error)
                raise CorruptModelError(f"{where}: TensorFlow cannot open it: {reason}") from None
        self._input = self._only_input(where)
        self._where = where
        self.name = f"TensorFlow {tf.__version__}"

    def _only_input(self, where: str) -> Any:
        takes = list(self._compute.structured_input_signature[1].values())
        gives = self._compute.structured_outputs
        runtime.check_ends([one.shape.rank for one in takes], len(gives), where)
        return takes[0]

    @property
    def input_shape(self) -> tuple[int | None, ...]:
        """The shape of one input, without the batch axis."""
        return tuple(self._input.shape.as_list()[1:])

    def outputs(self, x: np.ndarray) -> np.ndarray:
        """Compute the model's outputs for a batch, shape (N, ...)."""
        x = runtime.as_input(x, self.input_shape, self._input.dtype.as_numpy_dtype)
        return runtime.in_batches(self._computed, x, self._where, self._input.shape[0])

    def _computed(self, piece: np.ndarray) -> np.ndarray:
        import tensorflow as tf

        try:
            (answer,) = self._compute(**{self._input.name: tf.constant(piece)}).values()
        except (tf.errors.OpError, ValueError, TypeError) as error:
            raise runtime.not_computed(self._where, "TensorFlow", error) from None
        values: np.ndarray = answer.numpy()
        return values


def check(graph: bytes, where: str) -> None:
    """Refuse a SavedModel that could do more than compute.

    Args:
        graph: The contents of `saved_model.pb`.
        where: Its folder, for the messages.

    Raises:
        UnsafeModelError: It contains something that may do more than compute.
        CorruptModelError: It is not a SavedModel of TensorFlow 2.
    """
    from tensorflow.core.protobuf import saved_model_pb2

    try:
        whole = saved_model_pb2.SavedModel.FromString(graph)
    except DecodeError as error:
        raise CorruptModelError(f"{where}/{GRAPH}: damaged: {error}; export it again") from None
    if len(whole.meta_graphs) != 1 or not whole.meta_graphs[0].HasField("object_graph_def"):
        raise CorruptModelError(
            f"{where}: expected a SavedModel of TensorFlow 2, received another; export it again"
        )
    meta = whole.meta_graphs[0]
    for thing in meta.object_graph_def.nodes:
        if (kind := thing.WhichOneof("kind")) not in _OBJECTS:
            raise UnsafeModelError(
                f"{where}: refused, it contains a {kind}, which could read files"
            )
    functions = {f.signature.name: f.node_def for f in meta.graph_def.library.function}
    _check_operations(meta.graph_def.node, COMPUTING | SAVING | functions.keys(), where)
    for nodes in functions.values():
        _check_operations(nodes, COMPUTING | SAVING | functions.keys(), where)
    for name in _called(meta.object_graph_def.concrete_functions, functions):
        _check_operations(functions[name], COMPUTING | functions.keys(), where)


def _check_operations(nodes: Iterable[Any], allowed: frozenset[str], where: str) -> None:
    for node in nodes:
        if node.op not in allowed:
            raise UnsafeModelError(
                f"{where}: refused, it contains the operation {node.op[:60]!r}, which is not on "
                "the list of operations that only compute"
            )


def _called(names: Iterable[str], functions: Mapping[str, Any]) -> set[str]:
    """Return these functions and all functions that they call."""
    found: set[str] = set()
    left = [name for name in names if name in functions]
    while left:
        name = left.pop()
        if name in found:
            continue
        found.add(name)
        for node in functions[name]:
            attributes = node.attr.values()
            named = [function.name for a in attributes for function in (a.func, *a.list.func)]
            left.extend(other for other in (node.op, *named) if other in functions)
    return found


FORMAT = Format(
    name="saved-model",
    ending=ENDINGS["saved-model"],
    members=(GRAPH, *VARIABLES, CARD),
    may_have=("fingerprint.pb", "assets"),  # TensorFlow writes these and does not read them
    converted=converted,
    joined=joined,
    split=split,
    open=SavedModel,
)
