#!/usr/bin/env python3
"""Writes tests/bad: NAME.onnx, which skipc must refuse, and NAME.err, whose every line must occur in what it says.
Run by hand when a case is added (with the onnx package); what it writes is committed."""
import pathlib
import sys

import numpy as np
from onnx import AttributeProto, TensorProto, helper, numpy_helper
from onnx.helper import make_graph, make_node, make_tensor_value_info

OUT = pathlib.Path(__file__).parent / "bad"
FLOAT = TensorProto.FLOAT
written = set()


def save(name, data, *err):
    if name in written:
        sys.exit(f"{name}: twice")
    written.add(name)
    data = data if isinstance(data, bytes) else data.SerializeToString(deterministic=True)
    (OUT / f"{name}.onnx").write_bytes(data)
    (OUT / f"{name}.err").write_text("".join(line + "\n" for line in err))


def value(name, shape, kind=FLOAT):
    return make_tensor_value_info(name, kind, shape)


def weight(name, *shape):
    count = int(np.prod(shape))
    return numpy_helper.from_array((np.arange(count, dtype=np.float32) % 7 - 3).reshape(shape) / 8, name)


def model(nodes, inits=(), x=(1, 8, 6, 6), opset=13, inputs=None, outputs=None, imports=None, functions=(), sparse=()):
    """A model from x to y."""
    graph = make_graph(nodes, "g", [value("x", x)] if inputs is None else inputs,
                       [value("y", None)] if outputs is None else outputs, list(inits))
    graph.sparse_initializer.extend(sparse)
    imports = [helper.make_opsetid("", opset)] if imports is None else imports
    return helper.make_model(graph, opset_imports=imports, ir_version=8, functions=list(functions))


def one(op, opset=13, inits=(), inputs=("x",), x=(1, 8, 6, 6), **attrs):
    """A model of one node, between two Relus."""
    node = make_node(op, ["a" if name == "x" else name for name in inputs], ["b"], name="/layer/" + op, **attrs)
    return model([make_node("Relu", ["x"], ["a"]), node, make_node("Relu", ["b"], ["y"])], inits, x, opset)


def varint(n):
    out = b""
    while n > 127:
        out, n = out + bytes([n & 127 | 128]), n >> 7
    return out + bytes([n])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def recurrent():
    """Two layers behind a convolution; one that nothing stands before; the first output absent, and no names."""
    weights = [weight(name, 1, 12, size) for name, size in (("w", 4), ("r", 4))]
    front = [make_node("Conv", ["x", "k"], ["c"], name="conv"), make_node("Transpose", ["c"], ["t"], perm=[2, 0, 1])]
    gru = make_node("GRU", ["t", "w", "r"], ["", "h"], hidden_size=4)
    more = make_node("GRU", ["t", "w", "r"], ["y"], hidden_size=4, name="second")
    unused = value("z", (1, 2))
    save("gru", model(front + [gru, more], [weight("k", 4, 2, 3), *weights], inputs=[unused, value("x", (1, 2, 10))],
                      outputs=[value("h", None), value("y", None)]),
         'node 2 giving "h" (GRU): error: operator GRU is not supported (2 nodes)',
         'hint: 2 recurrent layers; what comes before ends at node 1 (Transpose), which gives "t": compile that, cut off by '
         'onnx.utils.extract_model("', 'gru.onnx", "front.onnx", ["x"], ["t"], check_model=False)')
    save("lstm_first", model([make_node("LSTM", ["x", "w", "r"], ["y"], hidden_size=3)], weights, x=(5, 1, 4)),
         'node 0 giving "y" (LSTM): error: operator LSTM is not supported',
         "hint: 1 recurrent layer, the first of which reads the model's input; unroll them in the exporter")
    save("no_name_at_all", model([make_node("Relu", ["x"], ["y"]), make_node("RNN", ["x"], [])], x=(5, 1, 4)),
         "node 1 (RNN): error: it has no outputs")
    save("unnamed_producer", model([make_node("Relu", ["x"], ["a"]), make_node("MatMul", ["a", "w"], ["y"])], [weight("w", 5, 4)]),
         'have: f32[1,8,6,6] "a", f32[5,4] "w"')


# ---- bytes ----


def files():
    good = model([make_node("Conv", ["x", "w"], ["y"])], [weight("w", 4, 8, 3, 3)])
    data = good.SerializeToString(deterministic=True)
    save("empty", b"", "cannot read the model: is empty")
    save("truncated", data[:-40], "not a valid ONNX file: a part is longer than what holds it at byte",
         "hint: the file is cut off or damaged")
    save("text", b"This is not a network, it is a sentence.\n" * 4, "not a valid ONNX file")
    save("lfs_pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n",
         "the file is a Git LFS pointer", "hint: run `git lfs pull`")
    save("zip", b"PK\x03\x04" + bytes(60), "the file is a zip archive (PyTorch, Keras), not an ONNX model")
    save("no_graph", helper.make_model(make_graph([], "g", [], [])).SerializeToString()[:2], "there is no graph in the file")
    deep = b""
    for _ in range(3000):  # graph in attribute in node in graph
        deep = field(1, field(5, field(6, deep)))
    save("deep_nesting", b"\x08\x08" + field(7, deep), "messages are nested more than 64 levels deep")
    save("node_flood", b"\x08\x08" + field(7, b"\x0a\x00" * 25000), "the file is refused before it is unpacked",
         "so many small parts that it would take far more memory than its size")
    save("attribute_flood", b"\x08\x08" + field(7, field(1, b"\x2a\x00" * 10000)),
         "so many small parts that it would take far more memory than its size")
    save("graph_twice", data + field(7, b""), "a part that there may be only one of appears again")
    save("wrong_wire_type", b"\x08\x08" + b"\x38\x01", "not a valid ONNX file: text is written as a number")
    save("zero_in_name", b"\x08\x08" + field(7, field(1, field(4, b"Re\0lu"))), "a name holds a zero byte")
    save("endless_varint", b"\x08" + b"\xff" * 20, "a number has more than 10 bytes")


# ---- tensors ----


def conv(w):
    return model([make_node("Conv", ["x", "w"], ["y"], name="/conv")], [w])


def external(**entries):
    w = weight("w", 4, 8, 3, 3)
    w.ClearField("raw_data")
    w.data_location = TensorProto.EXTERNAL
    for key, text in entries.items():
        w.external_data.add(key=key, value=str(text))
    return conv(w)


def tensors():
    save("external_missing", external(location="no_such_file.bin"),
         'tensor "w": external data file "no_such_file.bin": No such file', "hint: the model keeps these weights in a file of its own")
    save("external_dotdot", external(location="../secret.bin"), 'external data file "../secret.bin" has \'..\' in its path',
         "hint: external data must lie in the folder of the model, or below it")
    save("external_absolute", external(location="/etc/passwd"), 'external data file "/etc/passwd" has an absolute path')
    save("external_beyond_end", external(location="external_beyond_end.err", offset=4096, length=1152),
         'tensor "w": external data at byte 4096, 1152 bytes long, ends beyond')
    save("external_huge_offset", external(location="external_beyond_end.err", offset=2**64 - 64), "ends beyond")
    save("external_length", external(location="external_beyond_end.err", length=16),
         'tensor "w": 16 bytes of external data, its shape needs 1152')
    save("external_not_a_number", external(location="external_beyond_end.err", offset="-8"),
         'tensor "w": offset or length of its external data is not a number')
    save("external_folder", external(location="."), "is a folder, not a file")
    w = weight("w", 4, 8, 3, 3)
    w.dims[:] = [2**32, 2**32, 3, 3]
    save("dims_overflow", conv(w), 'tensor "w" is too large')
    w = weight("w", 4, 8, 3, 3)
    w.dims[:] = [4, -8, 3, 3]
    save("dims_negative", conv(w), 'tensor "w" has a negative dimension, -8')
    w = weight("w", 4, 8, 3, 3)
    w.dims[:] = [1] * 9
    save("dims_many", conv(w), 'tensor "w" has 9 dimensions, skipc allows 8')
    w = weight("w", 4, 8, 3, 3)
    w.raw_data = w.raw_data[:-4]
    save("raw_data_short", conv(w), 'tensor "w": 1148 bytes of data, its shape needs 288 of 4 bytes')
    w = helper.make_tensor("w", FLOAT, [4, 8, 3, 3], [0.5] * 288)
    del w.float_data[-1]
    save("float_data_short", conv(w), 'tensor "w": 287 elements, its shape needs 288')
    w = weight("w", 4, 8, 3, 3)
    w.ClearField("raw_data")
    save("no_data", conv(w), 'tensor "w": 0 elements, its shape needs 288')
    values, indices = weight("w", 2), numpy_helper.from_array(np.array([1, 5], np.int64), "i")
    save("sparse_initializer", model([make_node("Add", ["x", "w"], ["y"])], sparse=[helper.make_sparse_tensor(values, indices, [6])]),
         'sparse initializer "w" is not supported')
    words = helper.make_tensor("words", TensorProto.STRING, [1], [b"cat"])
    save("string_tensor", model([make_node("Identity", ["words"], ["z"]), make_node("Relu", ["x"], ["y"])], [words]),
         '"words" has element type STRING, which is not supported')
    save("string_input", model([make_node("Identity", ["s"], ["y"])], inputs=[value("s", [1], TensorProto.STRING)]),
         'input "s": type STRING is not supported')
    f8 = helper.make_tensor("w", TensorProto.FLOAT8E4M3FN, [2], b"\0\0", raw=True)
    save("float8", model([make_node("Cast", ["w"], ["c"], to=FLOAT), make_node("Add", ["x", "c"], ["y"])], [f8], opset=19),
         '"w" has element type FLOAT8E4M3FN, which is not supported', "hint: quantise to integers of 8 or 16 bits")
    save("float8_input", model([make_node("Cast", ["f"], ["y"], to=FLOAT)], inputs=[value("f", [1], TensorProto.FLOAT8E5M2)], opset=19),
         'input "f": type FLOAT8E5M2 is not supported', "hint: quantise to integers of 8 or 16 bits")
    save("float4_cast", model([make_node("Cast", ["x"], ["c"], to=TensorProto.FLOAT4E2M1), make_node("Cast", ["c"], ["y"], to=FLOAT)],
                              opset=23), "cast to FLOAT4E2M1 is not supported", "hint: quantise to integers of 8 or 16 bits")


# ---- graphs ----


def graphs():
    relu = make_node("Relu", ["x"], ["y"], name="r")
    save("cycle", model([make_node("Add", ["x", "b"], ["a"], name="first"), make_node("Relu", ["a"], ["b"], name="second"),
                         make_node("Relu", ["b"], ["y"], name="third")]),
         'error: the graph has a cycle: "first" -> "second" -> "first"')
    save("undefined_input", model([make_node("Add", ["x", "nowhere"], ["y"], name="sum")]),
         'node 0 "sum" (Add): error: "nowhere" is not defined: no node, input or initializer has that name')
    save("undefined_output", model([make_node("Relu", ["x"], ["z"])]), 'error: "y" is not defined')
    save("duplicate_output", model([relu, make_node("Sigmoid", ["x"], ["y"], name="s")]),
         'node 1 "s" (Sigmoid): error: output "y" is already defined, by another node')
    save("duplicate_input", model([make_node("Relu", ["x"], ["x"], name="r")]),
         'output "x" is already defined, by an input or initializer')
    save("duplicate_initializer", model([make_node("Add", ["x", "w"], ["y"])], [weight("w", 6), weight("w", 6)]),
         'initializer "w" is defined twice')
    save("no_outputs", model([relu], outputs=[]), "the graph has 0 outputs, skipc allows 1 to 1000")
    save("no_opset", model([relu], imports=[]), "the model has no opset_import for ONNX's own operators")
    save("opset_old", one("Erf", opset=7), "operator Erf is of opset 9, the model is of opset 7",
         "hint: convert the model to a newer opset")
    save("unknown_operator", one("Frobnicate"), 'node 1 "/layer/Frobnicate" (Frobnicate): error: Frobnicate is not an operator of ONNX',
         "hint: whoever wrote the model left it as it was; other tools refuse it as well")
    left = one("Erfc")
    left.producer_name, left.producer_version = "tf2onnx", "1.17.0"
    save("operator_left", left, 'node 1 "/layer/Erfc" (Erfc): error: Erfc is not an operator of ONNX',
         "hint: tf2onnx 1.17.0, which wrote the model, left it as it was; of what skipc has, Erf is spelled most like it")
    save("operator_misspelt", one("Batchnormalisation"), "Batchnormalisation is not an operator of ONNX",
         "of what skipc has, BatchNormalization is spelled most like it")
    save("operator_turned", one("Covn"), "Covn is not an operator of ONNX", "of what skipc has, Conv is spelled most like it")
    save("operator_of_onnx", one("ImageDecoder"), "error: operator ImageDecoder is not supported")
    save("domain_misspelt", one("FusedConv", domain="com.microsft"), 'operator FusedConv: domain "com.microsft" is not known',
         'hint: "com.microsoft" is spelled most like it')
    save("domain_onnx_misspelt", one("Relu", domain="ai.onx"), 'domain "ai.onx" is not known', 'hint: "ai.onnx" is spelled most like it')
    save("unknown_domain", one("Relu", domain="com.example"), 'operator Relu: domain "com.example" is not known')
    save("unknown_attribute", one("Relu", slope=0.5), 'error: Relu has no attribute "slope" in opset 13')
    save("attribute_kind", one("Softmax", axis=[1, 2]), 'error: attribute "axis" has the wrong kind')
    save("attribute_missing", one("Concat"), 'error: attribute "axis" is missing')
    save("too_many_inputs", model([make_node("Relu", ["x", "x"], ["y"], name="r")]), 'node 0 "r" (Relu): error: 2 inputs')
    save("input_absent", model([make_node("Add", ["", "x"], ["y"], name="sum")]), 'node 0 "sum" (Add): error: input 0 is absent')
    save("dynamic_dim", model([relu], x=("batch", 3, "height", "width")),
         'input "x": dimension 2, "height", has no fixed size', "hint: give it: --dim height=N", "hint: give it: --dim width=N")
    save("dynamic_unnamed", model([relu], x=(None, 3, None)), 'input "x": dimension 2 has no fixed size', "hint: give it: --dim x.2=N")
    save("input_no_shape", model([relu], inputs=[value("x", None)]), 'input "x" has no shape')
    save("input_too_large", model([relu], x=(2**31 - 1, 2**31 - 1, 2**31 - 1)), 'input "x" is too large')
    save("input_2pow32", model([make_node("ArgMin", ["x"], ["y"], axis=0)], x=(2**32,)), 'input "x" is too large',
         "hint: no tensor may have more than 2^31-1 elements")
    sequence = helper.make_tensor_sequence_value_info("x", FLOAT, None)
    save("sequence_input", model([relu], inputs=[sequence]), 'input "x": type sequence is not supported')
    save("hostile_names", model([make_node("Frob*/nicate\n\x1b[31m", ["x"], ["y"], name='"*/ ??/ \\')]),
         r"\012\033[31m")


# ---- operators ----


def operators():
    save("conv_channels", model([make_node("Relu", ["x"], ["a"], name="/relu"),
                                 make_node("Conv", ["a", "w"], ["y"], name="/layer1/conv2/Conv")], [weight("w", 8, 6, 3, 3)]),
         'node 1 "/layer1/conv2/Conv" (Conv): error: weight has 6 input channels, input has 8', "have: ",
         "hint: the weight must be [K,C/group,R,S] and the input [N,C,H,W]")
    save("add_shapes", model([make_node("Relu", ["x"], ["a"]), make_node("Add", ["a", "w"], ["y"], name="sum")], [weight("w", 5)]),
         'node 1 "sum" (Add): error: ')
    shape = numpy_helper.from_array(np.array([2, 100], np.int64), "shape")
    save("reshape_count", one("Reshape", inits=[shape], inputs=("x", "shape")), '"/layer/Reshape" (Reshape): error: ')
    labels = make_node("LinearClassifier", ["x"], ["label", "y"], name="scores", domain="ai.onnx.ml", coefficients=[0.1] * 12,
                       classlabels_strings=["cat", "dog"])
    outputs = [make_tensor_value_info("label", TensorProto.STRING, None), value("y", None)]
    save("string_labels", model([labels], x=(1, 6), outputs=outputs,
                                imports=[helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 1)]),
         '"scores" (LinearClassifier): error: its labels are strings', "hint: train with integers as labels")
    save("convtranspose_parts", one("ConvTranspose", inits=[weight("w", 8, 3, 3, 3)], inputs=("x", "w"), strides=[2, 2],
                                    output_shape=[16, 13]),
         "its output_shape is 16 in spatial dimension 0, where its parts make 13", "hint: pad behind it")
    save("matmul_shapes", one("MatMul", inits=[weight("w", 5, 4)], inputs=("x", "w")), '"/layer/MatMul" (MatMul): error: ')
    bn = [numpy_helper.from_array(np.full(8, v, np.float32), n) for n, v in (("s", 1), ("b", 0), ("m", 0), ("v", 1))]
    names = ["x", "s", "b", "m", "v"]
    save("bn_five_outputs", model([make_node("BatchNormalization", names, ["y", "o1", "o2", "o3", "o4"], name="bn")], bn),
         "this BatchNormalization normalises with the statistics of its batch", "model.eval()")
    save("bn_training_mode", model([make_node("BatchNormalization", names, ["y"], name="bn", training_mode=1)], bn, opset=14),
         "this BatchNormalization normalises with the statistics of its batch", "model.eval()")
    ratio = numpy_helper.from_array(np.array(0.5, np.float32), "ratio")
    yes = numpy_helper.from_array(np.array(True), "yes")
    save("dropout_training", one("Dropout", inits=[ratio, yes], inputs=("x", "ratio", "yes")), "this Dropout is in training mode")
    save("second_output", model([make_node("LayerNormalization", ["x", "w"], ["n", "mean"]),
                                 make_node("Relu", ["mean"], ["y"], name="r")], [weight("w", 6)], opset=17),
         'node 1 "r" (Relu): error: it needs "mean", an output of LayerNormalization that is not supported')
    body = make_graph([make_node("Relu", ["v"], ["w2"]), make_node("Identity", ["c"], ["c2"])], "body",
                      [value("i", [], TensorProto.INT64), value("c", [], TensorProto.BOOL), value("v", None)],
                      [value("c2", [], TensorProto.BOOL), value("w2", None)])
    trips = numpy_helper.from_array(np.array(3, np.int64), "trips")
    save("loop", model([make_node("Loop", ["trips", "yes", "x"], ["y"], name="loop", body=body)], [trips, yes]),
         'node 0 "loop" (Loop): error: operator Loop is not supported')

    def branches(condition, then, otherwise):
        graphs = [make_graph([node], node.op_type, [], [value(node.output[0], None)]) for node in (then, otherwise)]
        node = make_node("If", ["cond"], ["y"], name="if", then_branch=graphs[0], else_branch=graphs[1])
        return model([node], inputs=[value("x", [1, 8]), value("cond", condition, TensorProto.BOOL)])

    relu, twice = make_node("Relu", ["x"], ["p"]), make_node("Concat", ["x", "x"], ["q"], axis=1)
    save("if_shapes", branches([], relu, twice),
         'node 0 "if" (If): error: its condition is computed at run time, its branches give f32[1,8] and f32[1,16]',
         "hint: both branches are computed and one is taken, so that sizes are fixed: they must give the same type and shape")
    save("if_conditions", branches([2], relu, relu), 'node 0 "if" (If): error: its condition is bool[2]')

    def attention(names, shape=(1, 6, 8), **attrs):
        node = make_node("Attention", names, ["y"], name="attention", **attrs)
        return model([node], [weight("n", 2)], inputs=[value("x", shape)], opset=24)

    save("attention_heads", attention(["x", "x", "x"], q_num_heads=3, kv_num_heads=3),
         'node 0 "attention" (Attention): error: input 0 is [1,6,8], with q_num_heads 3', "hint: inputs are all [batch,heads,length,size]")
    save("attention_groups", attention(["x", "x", "x"], q_num_heads=2, kv_num_heads=4), "2 heads of queries, 4 of keys, 4 of values",
         "hint: a head of keys and values serves one or more heads of queries")
    save("attention_past", attention(["x", "x", "x", "", "x"], (1, 2, 3, 4)), "past_key and past_value go together")
    save("attention_mask", attention(["x", "x", "x", "x"], (1, 2, 3, 4)), "its mask is [1,2,3,4], there are 3 keys")
    save("attention_lengths", attention(["x", "x", "x", "", "", "", "n"], (1, 2, 3, 4)), "nonpad_kv_seqlen is not one int64 a sample")
    two = make_graph([make_node("Relu", ["x"], ["p"]), make_node("Relu", ["x"], ["q"])], "two", [], [value("p", None), value("q", None)])
    save("if_outputs", model([make_node("If", ["yes"], ["y"], name="if", then_branch=two, else_branch=two)], [yes]),
         "1 outputs, its branch has 2")
    pair = make_node("SequenceConstruct", ["x", "x"], ["s"])
    save("sequence_op", model([pair, make_node("SequenceErase", ["s"], ["e"]), make_node("ConcatFromSequence", ["e"], ["y"], axis=1)]),
         "operator SequenceErase is not supported", "hint: of sequences SplitToSequence and SequenceConstruct with SequenceAt")
    save("sequence_place", model([pair, make_node("SequenceAt", ["s", "k"], ["y"], name="at")],
                                 [numpy_helper.from_array(np.array(-3), "k")]), '"at" (SequenceAt): error: part -3 of a sequence of 2')
    save("sequence_axis", model([pair, make_node("ConcatFromSequence", ["s"], ["y"], axis=4, name="join")]), '"join" (ConcatFromSequence)')
    save("sequence_split", model([make_node("SplitToSequence", ["x"], ["s"], axis=1),
                                  make_node("ConcatFromSequence", ["s"], ["y"], axis=1, name="join")]),
         "of ConcatFromSequence skipc has what SequenceConstruct gives", "hint: take its parts by SequenceAt")
    scale = numpy_helper.from_array(np.array(0.1, np.float32), "scale")
    zero = numpy_helper.from_array(np.array(0, np.uint8), "zero")
    blocks = numpy_helper.from_array(np.full((1, 4, 6, 6), 0.1, np.float32), "scale")
    save("quantised_blocks", model([make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"], axis=1, block_size=2),
                                    make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"])], [blocks, zero], opset=21),
         "error: block_size is 2", "hint: scales of blocks are not supported; quantise by tensor or by channel")
    save("quantised_4bits", model([make_node("QuantizeLinear", ["x", "scale"], ["q"], output_dtype=TensorProto.UINT4),
                                   make_node("DequantizeLinear", ["q", "scale"], ["y"])], [scale], opset=23),
         "error: quantising to 4 bits at run time is not supported", "hint: integers of 8 and 16 bits are")
    save("quantised_float8", model([make_node("QuantizeLinear", ["x", "scale"], ["q"], output_dtype=TensorProto.FLOAT8E4M3FN),
                                    make_node("DequantizeLinear", ["q", "scale"], ["y"])], [scale], opset=23),
         "error: quantising to FLOAT8E4M3FN is not supported", "hint: quantise to integers of 8 or 16 bits")
    small = helper.make_tensor("zero", TensorProto.INT4, [], [1])
    save("quantised_4bits_zero", model([make_node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
                                        make_node("DequantizeLinear", ["q", "scale", "zero"], ["y"])], [scale, small], opset=21),
         "error: quantising to 4 bits at run time is not supported", "hint: integers of 8 and 16 bits are")
    for op, domain, hint in (("MatMulNBits", "com.microsoft", "weights in blocks, unpacked as they are used, are not supported"),
                             ("QAttention", "com.microsoft", "of quantised operators those are compiled"),
                             ("Quant", "qonnx.custom_op.general", "its numbers of bits are free")):
        save("quantised_" + op.lower(), model([make_node(op, ["x"], ["y"], domain=domain)],
                                              imports=[helper.make_opsetid("", 17), helper.make_opsetid(domain, 1)]),
             f"operator {op} of domain", f"hint: {hint}")
    save("conv_transpose", one("ConvTranspose", inits=[weight("w", 4, 8, 2, 2)], inputs=("x", "w")),
         '"/layer/ConvTranspose" (ConvTranspose): error: 1 groups of a weight [4,8,2,2] do not fit an input of 8 channels',
         "hint: the weight must be [C,K/group,R,S] and the input [N,C,H,W]")
    save("conv_transpose_strides", one("ConvTranspose", inits=[weight("w", 8, 4, 1, 1)], inputs=("x", "w"), strides=[2**31, 2]),
         "2147483648 in strides")
    sizes = numpy_helper.from_array(np.array([1, 8, 14, 14], np.int64), "sizes")
    save("unpool_sizes", model([make_node("MaxPool", ["x"], ["p", "i"], kernel_shape=[2, 2], strides=[2, 2]),
                                make_node("MaxUnpool", ["p", "i", "sizes"], ["y"], name="u", kernel_shape=[2, 2], strides=[2, 2])], [sizes]),
         'node 1 "u" (MaxUnpool): error: its output_shape is not [1,8,6,6], as its window says')
    recurrent()
    save("einsum", one("Einsum", equation="abii->ab"), 'equation "abii->ab" is not supported')
    save("cast_string", one("Cast", to=TensorProto.STRING), "cast to STRING is not supported (element type 8)")
    nothing = AttributeProto(name="value", type=AttributeProto.TENSOR)
    constant = make_node("Constant", [], ["c"], name="c")
    constant.attribute.append(nothing)
    save("constant_without_tensor", model([constant, make_node("Add", ["x", "c"], ["y"])]), 'attribute "value" has no tensor')


# ---- functions ----


def function(name, nodes, inputs=("a",), outputs=("b",)):
    return helper.make_function("lib", name, list(inputs), list(outputs), nodes, [helper.make_opsetid("", 13), helper.make_opsetid("lib", 1)])


def functions():
    imports = [helper.make_opsetid("", 13), helper.make_opsetid("lib", 1)]

    def call(*fs, inputs=("x",)):
        return model([make_node("f0", list(inputs), ["y"], domain="lib", name="call")], imports=imports, functions=fs)

    save("function_recursion", call(function("f0", [make_node("f1", ["a"], ["b"], domain="lib")]),
                                    function("f1", [make_node("f0", ["a"], ["b"], domain="lib")])),
         'node 0 "call" (f0): error: in function "f1", node "b" (f0): function "f0" calls itself')
    save("function_unknown_op", call(function("f0", [make_node("Frobnicate", ["a"], ["b"], name="inner")])),
         'node 0 "call" (f0): error: in function "f0", node "inner" (Frobnicate): Frobnicate is not an operator of ONNX')
    save("function_arity", call(function("f0", [make_node("Relu", ["a"], ["b"])]), inputs=("x", "x")),
         '2 inputs and 1 outputs, function "f0" has 1 and 1')
    save("function_undefined", call(function("f0", [make_node("Relu", ["a"], ["c"])])), 'in function "f0": "b" is not defined')
    doubling = [function(f"f{k}", [make_node(f"f{k + 1}", ["a"], ["c"], domain="lib"), make_node(f"f{k + 1}", ["c"], ["b"], domain="lib")])
                for k in range(30)]
    save("function_doubling", call(*doubling, function("f30", [make_node("Relu", ["a"], ["b"])])),
         "the model has more than 1000000 nodes and values once its functions are inlined")


def main():
    OUT.mkdir(exist_ok=True)
    for part in (files, tensors, graphs, operators, functions):
        part()
    for path in OUT.iterdir():
        if path.stem not in written:
            print(f"{path}: no case writes it")
    print(f"{len(written)} cases")


if __name__ == "__main__":
    main()
