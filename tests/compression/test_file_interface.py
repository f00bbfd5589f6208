import pytest
from ai_edge_litert import schema_py_generated as schema

from face_sets.expressions import EXPRESSIONS
from fer_utils.compression.export import to_tflite
from fer_utils.compression.metadata import describe, file_interface


@pytest.fixture(scope="module")
def paths(tiny_network, striped_faces, tmp_path_factory):
    folder = tmp_path_factory.mktemp("files")
    made = {}
    for precision in ("float32", "int8"):
        made[precision] = folder / f"{precision}.tflite"
        plain = to_tflite(tiny_network, precision, striped_faces[0])
        made[precision].write_bytes(describe(plain, "tiny", "x"))
        (folder / f"plain.{precision}.tflite").write_bytes(plain)
    return made


@pytest.mark.parametrize("precision", ["float32", "int8"])
def test_every_precision_takes_and_gives_the_same(paths, precision):
    found = file_interface(paths[precision])
    assert (found.entrance.shape, found.entrance.kind) == ((1, 32, 32, 3), "float32")
    assert (found.exit.shape, found.exit.kind) == ((1, 7), "float32")
    assert found.labels == EXPRESSIONS


def test_the_lowest_runtime_is_that_of_the_newest_operator(paths, tmp_path):
    """Hard-swish came with TensorFlow 1.15; a network without it runs on older ones."""
    from fer_utils.models.backbones import keras, layers

    assert file_interface(paths["float32"]).lowest_runtime == "1.15.0"
    pixels = keras.Input((32, 32, 3))
    plain = layers.Dense(7, activation="softmax")(layers.GlobalAveragePooling2D()(pixels))
    path = tmp_path / "plain.tflite"
    path.write_bytes(describe(to_tflite(keras.Model(pixels, plain), "float32", None), "plain", "x"))
    assert [int(part) for part in file_interface(path).lowest_runtime.split(".")] < [1, 15]


def test_a_file_that_does_not_describe_itself_is_refused(paths):
    with pytest.raises(ValueError, match=r"has no labels.txt inside: export it again"):
        file_interface(paths["int8"].with_name("plain.int8.tflite"))


def test_a_file_without_the_converters_note_is_refused(paths, tmp_path):
    import flatbuffers

    path = tmp_path / "silent.tflite"
    model = schema.ModelT.InitFromPackedBuf(paths["int8"].with_name("plain.int8.tflite").read_bytes(), 0)
    model.metadata = []
    builder = flatbuffers.Builder(1024)
    builder.Finish(model.Pack(builder), b"TFL3")
    path.write_bytes(describe(bytes(builder.Output()), "tiny", "x"))
    with pytest.raises(ValueError, match="does not say which runtime it needs"):
        file_interface(path)
