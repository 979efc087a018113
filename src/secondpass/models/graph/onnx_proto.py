"""ONNX files without the onnx package: its messages, as far as encoders need them.

protobuf comes with ONNX Runtime; the onnx package would add 31 MB for a schema and NumPy conversions. Numbers and
names of the fields are those of https://github.com/onnx/onnx/blob/main/onnx/onnx.proto.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import DecodeError, Message

from secondpass.errors import ModelIntegrityError

__all__ = ["PRODUCER", "array_of", "make_model", "make_node", "make_tensor", "make_value", "read_model"]

Array = npt.NDArray[Any]

# Message: "name number type", with a star behind what is repeated; messages stand under their own names.
_SCHEMA = {
    "ModelProto": "ir_version 1 int64, producer_name 2 string, graph 7 GraphProto, opset_import 8 OperatorSetIdProto*",
    "OperatorSetIdProto": "domain 1 string, version 2 int64",
    "GraphProto": "node 1 NodeProto*, name 2 string, initializer 5 TensorProto*, input 11 ValueInfoProto*, "
    "output 12 ValueInfoProto*",
    "NodeProto": "input 1 string*, output 2 string*, name 3 string, op_type 4 string, attribute 5 AttributeProto*, "
    "domain 7 string",
    "AttributeProto": "name 1 string, f 2 float, i 3 int64, s 4 bytes, t 5 TensorProto, ints 8 int64*, type 20 int32",
    "TensorProto": "dims 1 int64*, data_type 2 int32, float_data 4 float*, int32_data 5 int32*, int64_data 7 int64*, "
    "name 8 string, raw_data 9 bytes, external_data 13 StringStringEntryProto*, data_location 14 int32",
    "StringStringEntryProto": "key 1 string, value 2 string",
    "ValueInfoProto": "name 1 string, type 2 TypeProto",
    "TypeProto": "tensor_type 1 TensorTypeProto",
    "TensorTypeProto": "elem_type 1 int32, shape 2 TensorShapeProto",
    "TensorShapeProto": "dim 1 DimensionProto*",
    "DimensionProto": "dim_value 1 int64, dim_param 2 string",
}
PRODUCER = "secondpass"

_PACKAGE = "secondpass_onnx"
_DTYPES = {
    1: np.dtype("<f4"), 2: np.dtype("u1"), 3: np.dtype("i1"), 6: np.dtype("<i4"), 7: np.dtype("<i8"),
    9: np.dtype("?"), 10: np.dtype("<f2"), 11: np.dtype("<f8"),
}  # fmt: skip
_NUMBERS = {dtype: number for number, dtype in _DTYPES.items()}
_ATTRIBUTE_TYPES = {"f": 1, "i": 2, "ints": 7}


def _messages() -> dict[str, type[Message]]:
    field_type = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name=f"{_PACKAGE}.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in _SCHEMA.items():
        entry = file.message_type.add(name=message)
        for field in fields.split(", "):
            name, number, kind = field.split()
            label = field_type.LABEL_REPEATED if kind.endswith("*") else field_type.LABEL_OPTIONAL
            made = entry.field.add(name=name, number=int(number), label=label)
            if kind.rstrip("*") in _SCHEMA:
                made.type, made.type_name = field_type.TYPE_MESSAGE, f".{_PACKAGE}.{kind.rstrip('*')}"
            else:
                made.type = getattr(field_type, f"TYPE_{kind.rstrip('*').upper()}")
    pool = descriptor_pool.DescriptorPool()  # of our own: the onnx package may have the default one
    pool.Add(file)
    return {name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.{name}")) for name in _SCHEMA}


_MESSAGES = _messages()


def make_tensor(name: str, array: Array) -> Any:
    """Return an initializer."""
    array = np.ascontiguousarray(array)
    data_type = _NUMBERS[array.dtype.newbyteorder("<")]
    raw = array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()
    return _MESSAGES["TensorProto"](name=name, dims=array.shape, data_type=data_type, raw_data=raw)


def make_node(
    op_type: str, inputs: Sequence[str], outputs: Sequence[str], domain: str = "", **attributes: float | list[int]
) -> Any:
    """Return a node; an attribute is an int, a float or a list of ints."""
    node: Any = _MESSAGES["NodeProto"](op_type=op_type, input=inputs, output=outputs, name=outputs[0], domain=domain)
    for name, value in attributes.items():
        kind = "ints" if isinstance(value, list) else "f" if isinstance(value, float) else "i"
        node.attribute.add(name=name, type=_ATTRIBUTE_TYPES[kind], **{kind: value})
    return node


def make_value(name: str, dtype: npt.DTypeLike, shape: Sequence[int | str]) -> Any:
    """Return an input or output; names stand for dimensions that vary."""
    value: Any = _MESSAGES["ValueInfoProto"](name=name)
    value.type.tensor_type.elem_type = _NUMBERS[np.dtype(dtype)]
    for size in shape:
        value.type.tensor_type.shape.dim.add(**{"dim_param" if isinstance(size, str) else "dim_value": size})
    return value


def make_model(
    nodes: Sequence[Any], inputs: Sequence[Any], outputs: Sequence[Any], initializers: Sequence[Any]
) -> bytes:
    """Return a serialized model of opset 17, with ONNX Runtime's own operators beside it."""
    graph = _MESSAGES["GraphProto"](name="encoder", node=nodes, input=inputs, output=outputs)
    model: Any = _MESSAGES["ModelProto"](ir_version=8, producer_name=PRODUCER)
    model.opset_import.add(domain="", version=17)
    model.opset_import.add(domain="com.microsoft", version=1)
    # Messages copy what is put into them: hundreds of megabytes of weights, twice. So they are joined as bytes.
    parts = [graph.SerializeToString(), *(part for tensor in initializers for part in _field(5, tensor))]
    return b"".join([model.SerializeToString(), _varint(7 << 3 | 2), _varint(sum(map(len, parts))), *parts])


def _field(number: int, message: Any) -> tuple[bytes, bytes]:
    """Return a message as a field of another one: its header and its contents."""
    data = bytes(message.SerializeToString())
    return _varint(number << 3 | 2) + _varint(len(data)), data


def _varint(number: int) -> bytes:
    """Return a number as protobuf writes it: seven bits a byte, the lowest first, the top bit set but in the last."""
    data = bytearray()
    while number > 127:
        data.append(number & 127 | 128)
        number >>= 7
    return bytes([*data, number])


def read_model(source: Path | bytes) -> Any:
    """Read a model: a file, or a serialized one.

    Raises:
        ModelIntegrityError: it can't be read, or is not an ONNX model.
    """
    name = "the fused graph" if isinstance(source, bytes) else str(source)
    model: Any = _MESSAGES["ModelProto"]()
    try:
        model.ParseFromString(source if isinstance(source, bytes) else source.read_bytes())
    except (OSError, DecodeError) as exc:
        raise ModelIntegrityError(f"{name} can't be read as an ONNX model: {exc}") from exc
    if not model.graph.node:
        raise ModelIntegrityError(f"{name} can't be read as an ONNX model: it has no nodes")
    return model


def array_of(tensor: Any, folder: Path) -> Array:
    """Return a tensor's numbers; those of large models stand in a second file in the same folder.

    Raises:
        ModelIntegrityError: they are not where the tensor says, or of another number.
    """
    try:
        return _numbers(tensor, folder).reshape(tuple(tensor.dims))
    except (OSError, ValueError, KeyError) as exc:
        raise ModelIntegrityError(f"the tensor {tensor.name} in {folder} can't be read: {exc!r}") from exc


def _numbers(tensor: Any, folder: Path) -> Array:
    dtype: Any = _DTYPES[tensor.data_type]
    if tensor.data_location == 1:
        where = {entry.key: entry.value for entry in tensor.external_data}
        if Path(where["location"]).name != where["location"]:
            raise ValueError(f"its numbers stand outside of its folder, in {where['location']}")
        count = int(np.prod(tensor.dims))
        return np.fromfile(folder / where["location"], dtype, count, offset=int(where.get("offset", 0)))
    if tensor.raw_data:
        return np.frombuffer(tensor.raw_data, dtype)
    if dtype == np.float16:  # its bits, as integers
        return np.array(tensor.int32_data, np.uint16).view(np.float16)
    return np.array({1: tensor.float_data, 7: tensor.int64_data}.get(tensor.data_type, tensor.int32_data), dtype)
