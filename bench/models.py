"""Makes the models that the bench runs: `python models.py <folder>`.

Seeded, so that every run measures the same bytes. Weights are random where training does not change the work:
  logreg        30 features, scaled logistic regression (scikit-learn's breast-cancer data), 1 KB
  small-0 … 7   eight more of its kind, each trained on other rows
  cnn           MobileNetV2's layout, input 1×3×224×224 (600 KB of float32), 14 MB
  dense         8 features and nine layers of 512, softmax of two classes, 8 MB: 1 ms of 32 rows
  minilm        MiniLM-L6's layout, 32 tokens, LayerNorm and GELU as exporters write them, 89 MB
"""

import sys
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper


class Graph:
    """Collects nodes and weights; every method gives the name of a new tensor."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []

    def constant(self, values, dtype=np.float32) -> str:
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(np.asarray(values, dtype), name))
        return name

    def weight(self, *shape: int, scale: float = 0.05) -> str:
        return self.constant(self.random.standard_normal(shape) * scale)

    def op(self, kind: str, *inputs: str, **attributes) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], **attributes))
        return name

    def save(self, path: Path, last: str, inputs, outputs) -> None:
        self.nodes.append(helper.make_node("Identity", [last], [outputs[0].name]))
        graph = helper.make_graph(self.nodes, path.stem, inputs, outputs, self.weights)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.checker.check_model(model)
        onnx.save(model, str(path))


def logistic_regression(path: Path, seed: int) -> None:
    from skl2onnx import to_onnx
    from sklearn.datasets import load_breast_cancer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    rows, labels = load_breast_cancer(return_X_y=True)
    rows = rows.astype(np.float32)
    chosen = np.random.default_rng(seed).choice(len(rows), 400, replace=False)
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(max_iter=500))
    pipeline.fit(rows[chosen], labels[chosen])
    # Without the zipmap, as the protocol cannot express maps.
    model = to_onnx(pipeline, rows[:1], options={id(pipeline): {"zipmap": False}}, target_opset=17)
    onnx.save(model, str(path))


def mobilenet(path: Path) -> None:
    graph = Graph(seed=1)

    def convolve(x: str, inputs: int, outputs: int, size: int, stride: int, groups: int = 1, clip: bool = True) -> str:
        scale = (2 / (size * size * inputs / groups)) ** 0.5
        weight = graph.weight(outputs, inputs // groups, size, size, scale=scale)
        x = graph.op("Conv", x, weight, kernel_shape=[size, size], strides=[stride, stride], pads=[size // 2] * 4, group=groups)
        ones, zeros = np.ones(outputs), np.zeros(outputs)
        x = graph.op("BatchNormalization", x, *(graph.constant(v) for v in (ones, zeros, zeros, ones)))
        return graph.op("Clip", x, graph.constant(0.0), graph.constant(6.0)) if clip else x

    x, channels = convolve("input", 3, 32, 3, 2), 32
    # Table 2 of the MobileNetV2 paper: expansion, output channels, repetitions, first stride.
    for expansion, outputs, repeats, first in (
        (1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1),
    ):  # fmt: skip
        for repeat in range(repeats):
            stride, before, hidden = (first if repeat == 0 else 1), x, channels * expansion
            if expansion != 1:
                x = convolve(x, channels, hidden, 1, 1)
            x = convolve(x, hidden, hidden, 3, stride, groups=hidden)
            x = convolve(x, hidden, outputs, 1, 1, clip=False)
            if stride == 1 and channels == outputs:
                x = graph.op("Add", x, before)
            channels = outputs
    x = convolve(x, channels, 1280, 1, 1)
    x = graph.op("Flatten", graph.op("GlobalAveragePool", x))
    x = graph.op("Gemm", x, graph.weight(1280, 1000), graph.weight(1000))
    graph.save(
        path,
        x,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["N", 3, 224, 224])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["N", 1000])],
    )


def dense(path: Path, hidden: int = 512, layers: int = 9) -> None:
    graph = Graph(seed=3)
    x, size = "X", 8
    for _ in range(layers):
        weight = graph.weight(size, hidden, scale=(2 / size) ** 0.5)
        x, size = graph.op("Relu", graph.op("Gemm", x, weight, graph.weight(hidden))), hidden
    x = graph.op("Gemm", x, graph.weight(size, 2), graph.weight(2))
    graph.save(
        path,
        graph.op("Softmax", x, axis=-1),
        [helper.make_tensor_value_info("X", TensorProto.FLOAT, ["N", 8])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2])],
    )


def minilm(path: Path, layers: int = 6, hidden: int = 384, heads: int = 12, vocabulary: int = 30522) -> None:
    graph = Graph(seed=2)

    def mean(x: str) -> str:
        return graph.op("ReduceMean", x, axes=[-1], keepdims=1)

    def normalise(x: str) -> str:
        centred = graph.op("Sub", x, mean(x))
        variance = mean(graph.op("Pow", centred, graph.constant(2.0)))
        deviation = graph.op("Sqrt", graph.op("Add", variance, graph.constant(1e-12)))
        scaled = graph.op("Mul", graph.op("Div", centred, deviation), graph.constant(np.ones(hidden)))
        return graph.op("Add", scaled, graph.constant(np.zeros(hidden)))

    def linear(x: str, inputs: int, outputs: int) -> str:
        return graph.op("Add", graph.op("MatMul", x, graph.weight(inputs, outputs)), graph.weight(outputs))

    def split(x: str, order: list[int]) -> str:
        shape = graph.constant([0, 0, heads, hidden // heads], np.int64)
        return graph.op("Transpose", graph.op("Reshape", x, shape), perm=order)

    x = normalise(graph.op("Gather", graph.weight(vocabulary, hidden), "input_ids"))
    for _ in range(layers):
        query, key, value = (linear(x, hidden, hidden) for _ in range(3))
        scores = graph.op("MatMul", split(query, [0, 2, 1, 3]), split(key, [0, 2, 3, 1]))
        scores = graph.op("Softmax", graph.op("Div", scores, graph.constant((hidden / heads) ** 0.5)), axis=-1)
        mixed = graph.op("Transpose", graph.op("MatMul", scores, split(value, [0, 2, 1, 3])), perm=[0, 2, 1, 3])
        mixed = graph.op("Reshape", mixed, graph.constant([0, 0, hidden], np.int64))
        x = normalise(graph.op("Add", x, linear(mixed, hidden, hidden)))
        wide = linear(x, hidden, 4 * hidden)
        bell = graph.op("Add", graph.op("Erf", graph.op("Div", wide, graph.constant(2**0.5))), graph.constant(1.0))
        gelu = graph.op("Mul", graph.op("Mul", wide, bell), graph.constant(0.5))
        x = normalise(graph.op("Add", x, linear(gelu, 4 * hidden, hidden)))
    graph.save(
        path,
        graph.op("ReduceMean", x, axes=[1], keepdims=0),
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["N", "S"])],
        [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, ["N", hidden])],
    )


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    logistic_regression(folder / "logreg.onnx", seed=0)
    for index in range(8):
        logistic_regression(folder / f"small-{index}.onnx", seed=index + 1)
    mobilenet(folder / "cnn.onnx")
    dense(folder / "dense.onnx")
    minilm(folder / "minilm.onnx")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
