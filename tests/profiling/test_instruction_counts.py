import ctypes
import shutil
import subprocess

import pytest

from fer_utils.profiling.arm64_system import EmulationError
from fer_utils.profiling.instruction_counts import (
    InstructionCounts,
    compile_plugin,
    counts_between_marks,
    qemu_version,
)

# Assembled by GNU as 2.40 (Debian's binutils-aarch64-linux-gnu): text and encoding
ENCODINGS = {
    "fused_multiply_adds": {
        "fmla v0.4s, v1.4s, v2.4s": 0x4E22CC20, "fmla v0.2s, v1.2s, v2.2s": 0x0E22CC20,
        "fmls v3.4s, v4.4s, v5.4s": 0x4EA5CC83, "fmla v16.4s, v0.4s, v31.s[3]": 0x4FBF1810,
        "fmls v16.4s, v0.4s, v31.s[1]": 0x4FBF5010,
    },
    "integer_multiplies": {
        "smlal v0.4s, v1.4h, v2.4h": 0x0E628020, "smlal2 v0.4s, v1.8h, v2.8h": 0x4E628020,
        "smlal v0.4s, v1.4h, v2.h[7]": 0x0F722820, "smlal2 v0.4s, v1.8h, v2.h[0]": 0x4F422020,
        "smull v0.8h, v1.8b, v2.8b": 0x0E22C020, "smull v0.4s, v1.4h, v2.h[1]": 0x0F52A020,
        "umlal v0.4s, v1.4h, v2.4h": 0x2E628020, "smlsl v0.4s, v1.4h, v2.4h": 0x0E62A020,
        "mla v0.4s, v1.4s, v2.4s": 0x4EA29420, "mls v0.8h, v1.8h, v2.8h": 0x6E629420,
        "mul v0.4s, v1.4s, v2.4s": 0x4EA29C20, "mla v0.4s, v1.4s, v2.s[0]": 0x6F820020,
        "mul v0.4s, v1.4s, v2.s[0]": 0x4F828020,
    },
    "vector_loads_stores": {
        "ldr q0, [x0]": 0x3DC00000, "ldp q0, q1, [x0], #32": 0xACC10400, "str q0, [x0, #16]": 0x3D800400,
        "ldr d0, [x1, x2]": 0xFC626820, "ldr s0, [x1]": 0xBD400020, "ld1 {v0.4s}, [x0]": 0x4C407800,
        "ld1r {v0.4s}, [x0]": 0x4D40C800, "st1 {v0.4s, v1.4s}, [x0], #32": 0x4C9FA800,
    },
    "other_loads_stores": {
        "ldr x0, [x1]": 0xF9400020, "ldp x0, x1, [sp, #16]": 0xA94107E0, "stp x29, x30, [sp, #-16]!": 0xA9BF7BFD,
        "ldrb w0, [x1]": 0x39400020, "ldxr x0, [x1]": 0xC85F7C20, "prfm pldl1keep, [x0, #64]": 0xF9802000,
    },
    "others": {
        "fmul v0.4s, v1.4s, v2.4s": 0x6E22DC20, "fadd v0.4s, v1.4s, v2.4s": 0x4E22D420,
        "fmax v0.4s, v1.4s, v2.4s": 0x4E22F420, "fmadd s0, s1, s2, s3": 0x1F020C20,
        "sadalp v0.4s, v1.8h": 0x4E606820, "sqrdmulh v0.4s, v1.4s, v2.4s": 0x6EA2B420,
        "saddl v0.8h, v1.8b, v2.8b": 0x0E220020, "pmull v0.8h, v1.8b, v2.8b": 0x0E22E020,
        "dup v0.4s, v1.s[0]": 0x4E040420, "shl v0.4s, v1.4s, #3": 0x4F235420, "b .": 0x14000000,
        "cbz x0, .": 0xB4000000, "b.ne .": 0x54000001, "ret": 0xD65F03C0, "blr x1": 0xD63F0020,
        "add x0, x0, #1": 0x91000400, "madd x0, x1, x2, x3": 0x9B020C20, "subs x0, x0, x1": 0xEB010000,
        "nop": 0xD503201F,
    },
}  # fmt: skip

QEMUS_FUNCTIONS = """
void qemu_plugin_register_vcpu_tb_trans_cb(void) {}  void qemu_plugin_register_vcpu_syscall_cb(void) {}
void qemu_plugin_register_vcpu_tb_exec_inline(void) {}  void qemu_plugin_tb_n_insns(void) {}
void qemu_plugin_tb_get_insn(void) {}  void qemu_plugin_insn_data(void) {}
"""


@pytest.fixture(scope="module")
def name_of_kind(tmp_path_factory):
    """The plugin's own function, with empty functions in the place of QEMU's, which a library cannot be loaded without."""
    if shutil.which("gcc") is None:
        pytest.skip("gcc is missing, so the counting of instructions is not tested: apt-get install gcc")
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "qemu.c").write_text(QEMUS_FUNCTIONS)
    subprocess.run(
        ["gcc", "-shared", "-fPIC", "-o", folder / "qemu.so", folder / "qemu.c"],
        check=True,
        capture_output=True,
    )
    ctypes.CDLL(str(folder / "qemu.so"), mode=ctypes.RTLD_GLOBAL)
    function = ctypes.CDLL(str(compile_plugin(folder / "plugin.so"))).name_of_kind
    function.argtypes, function.restype = [ctypes.c_uint32], ctypes.c_char_p
    return lambda word: function(word).decode()


@pytest.mark.parametrize("kind", ENCODINGS)
def test_instructions_are_of_the_kind_that_the_assembler_says(name_of_kind, kind):
    found = {text: name_of_kind(word) for text, word in ENCODINGS[kind].items()}
    assert found == dict.fromkeys(ENCODINGS[kind], kind)


def test_kinds_in_c_and_in_python_are_the_same(name_of_kind):
    assert set(ENCODINGS) == set(vars(InstructionCounts(0, 0, 0, 0, 0)))


def line(mark, *counts):
    return f"COUNTED {mark} " + " ".join(f"{kind}={n}" for kind, n in zip(ENCODINGS, counts, strict=True))


def test_counts_are_differences_between_marks_whatever_else_is_printed():
    printed = [
        "INFO: XNNPACK",
        line(0, 5, 0, 1, 10, 100),
        "warning",
        line(1, 8, 0, 3, 20, 150),
        line(2, 11, 1, 5, 30, 201),
    ]
    first, second = counts_between_marks("\n".join(printed) + "\n")
    assert first == InstructionCounts(3, 0, 2, 10, 50)
    assert second == InstructionCounts(3, 1, 2, 10, 51)
    assert (first.total, second.total) == (65, 67)


@pytest.mark.parametrize(
    ("printed", "sentence"),
    [
        ("", "no counts"),
        (line(0, 1, 2, 3, 4, 5), "no counts"),
        (f"{line(0, 1, 2, 3, 4, 5)}\n{line(2, 1, 2, 3, 4, 5)}", "mark 2 where 1 was due"),
        ("COUNTED 0 total=5\nCOUNTED 1 total=6", "are not its counts"),
        ("COUNTED 0 others=5\nCOUNTED 1 others=x", "are not its counts"),
    ],
)
def test_counts_that_are_none_are_refused(printed, sentence):
    with pytest.raises(EmulationError, match=sentence):
        counts_between_marks(printed)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("qemu-aarch64 version 7.2.22 (Debian 1:7.2+dfsg-7+deb12u18+b3)\nCopyright (c)", "7.2.22"),
        ("qemu-aarch64 version 8.2.2 (Debian 1:8.2.2+ds-0ubuntu1)", "8.2.2"),
        ("qemu-aarch64 version 4.2.1", "4.2.1"),
    ],
)
def test_versions_that_take_the_plugin(said, version):
    assert qemu_version(said) == version


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("qemu-aarch64 version 10.0.2 (Debian 1:10.0.2+ds-2)", "QEMU 10.0.2 takes other plugins"),
        ("qemu-aarch64 version 9.0.0", "Debian 12's qemu-user is 7.2"),
        ("qemu-aarch64 version 3.1.0", "needs 4.2 to 8.2"),
        ("", "no version: install qemu-user again"),
    ],
)
def test_other_versions_are_refused_in_a_sentence(said, sentence):
    with pytest.raises(EmulationError, match=sentence):
        qemu_version(said)
