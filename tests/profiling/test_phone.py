"""The whole way by the real adb to a made-up phone, on which a program prints what real phones printed."""

import hashlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest
from adbutils import AdbClient, AdbConnection, AdbDeviceInfo, adb_path
from ai_edge_litert.interpreter import Interpreter
from made_up_phone import FASTEST_KHZ, MadeUpPhone
from published_logs import LITERT, WITH_MEMORY, WITH_PROFILE

from arm_latency.benchmark_tool import FOLDER, WARM_UPS, session
from arm_latency.interpreters import ProfilingError
from arm_latency.phone import Phone, PhoneError, PhoneLost, find_phone
from face_sets.files import digest
from fer_utils import tables
from fer_utils.analysis.evidence import is_moto_g6
from fer_utils.paths import Paths
from fer_utils.steps.devices import measure_on_phone
from fer_utils.study import Study, load_study

NETWORKS = ("mobilenet_v3_small", "mobilenet_v2")
SIDE = 32
RUNS = 2  # of each file, fewer than a study may ask for: each is a command to the phone, which takes longest here
ADB = adb_path()  # the computer's, or the one that adbutils brings along


def at_once(connect: Callable[[AdbConnection], socket.socket]) -> Callable[[AdbConnection], socket.socket]:
    """Send small messages when they are written: else the end of each file waits 40 ms for an acknowledgement."""

    def connected(connection: AdbConnection) -> socket.socket:
        made = connect(connection)
        made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return made

    return connected


@pytest.fixture(scope="module", autouse=True)
def adb_server() -> Iterator[None]:
    """A server of our own, so that nobody's phones are seen and nobody's server is disturbed."""
    with socket.create_server(("127.0.0.1", 0)) as free, pytest.MonkeyPatch.context() as patch:
        patch.setenv("ANDROID_ADB_SERVER_PORT", str(free.getsockname()[1]))
        # adbutils sleeps for ten milliseconds at the end of each message, of which a file takes dozens
        patch.setattr("adbutils._adb.time", SimpleNamespace(sleep=lambda _: time.sleep(0.001)))
        patch.setattr(AdbConnection, "_create_socket", at_once(AdbConnection._create_socket))
        free.close()
        subprocess.run([ADB, "start-server"], check=True, capture_output=True)
        yield
        subprocess.run([ADB, "kill-server"], check=True, capture_output=True)


@pytest.fixture
def attach(tmp_path: Path) -> Iterator[Callable[[], MadeUpPhone]]:
    phones: list[MadeUpPhone] = []

    def attached() -> MadeUpPhone:
        phones.append(MadeUpPhone(tmp_path / f"phone{len(phones)}"))
        connect(phones[-1])
        return phones[-1]

    yield attached
    for phone in phones:
        subprocess.run([ADB, "disconnect", phone.serial], check=False, capture_output=True)
        phone.stop()


def connect(phone: MadeUpPhone) -> None:
    subprocess.run([ADB, "disconnect", phone.serial], check=False, capture_output=True)
    said = subprocess.run([ADB, "connect", phone.serial], check=True, capture_output=True, text=True).stdout
    assert said.startswith("connected"), said
    subprocess.run([ADB, "-s", phone.serial, "wait-for-device"], check=True, timeout=20)


@pytest.fixture
def phone(attach: Callable[[], MadeUpPhone]) -> MadeUpPhone:
    return attach()


@pytest.fixture
def tool(tmp_path: Path) -> Callable[..., Path]:
    """Make a program in the place of the vendor's. Of options that it does not know it warns, and goes on.

    It keeps a copy of the graph that it was given. `knows` are patterns of the shell.
    """

    def write(*knows: str, times: str = WITH_MEMORY, profile: str = WITH_PROFILE) -> Path:
        path = tmp_path / "benchmark_model"
        path.write_text(
            f"""#!/bin/sh
echo "made up; mask $MASK"
graph= ; profiled= ; unknown=
for option; do case "$option" in
    --graph=*) graph=${{option#*=}};;
    --num_threads=*|--min_secs=0|--warmup_min_secs=0|--num_runs=*|--warmup_runs={WARM_UPS}) ;;
    {"|".join(knows)}) case "$option" in *profil*) profiled=yes;; esac;;
    *) unknown="$unknown $option";;
esac; done
[ "$unknown" ] && echo "WARN: Unconsumed cmdline flags:$unknown"
[ -s "$graph" ] || {{ echo "ERROR: no graph $graph"; exit 1; }}
cp "$graph" {tmp_path}/timed.tflite
if [ $profiled ]; then cat <<'LOG'
{profile}
LOG
else cat <<'LOG'
{times}
LOG
fi
"""
        )
        return path

    return write


@pytest.fixture
def benchmark(tool: Callable[..., Path]) -> Path:
    """TensorFlow Lite's tool."""
    return tool(
        "--use_xnnpack=true", "--enable_op_profiling=true", "--input_layer=?*", "--input_layer_shape=?*"
    )


@pytest.fixture(scope="module")
def whole_study() -> Study:
    """A study of two networks, with two exported files each."""
    quick = load_study("quick", architectures=list(NETWORKS), profiled_size=SIDE)
    return quick.model_copy(update={"timed_runs": RUNS})


@pytest.fixture(scope="module")
def study(whole_study: Study) -> Study:
    """The same of one network, where two files tell as much as four."""
    return whole_study.model_copy(update={"architectures": [NETWORKS[0]]})


@pytest.fixture(scope="module")
def made(
    whole_study: Study, tmp_path_factory: pytest.TempPathFactory, tiny_file: Callable[[str], Path]
) -> Path:
    """Results of the whole study."""
    results = tmp_path_factory.mktemp("made") / "results"
    here = Paths.of(whole_study, results)
    for architecture in NETWORKS:
        rows = []
        for precision in ("float32", "int8"):
            run_id = f"{architecture}.all.none.{precision}"
            artefact = here.compressed("runs", architecture).parent / f"{run_id}.{SIDE}.tflite"
            artefact.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(tiny_file(precision), artefact)
            rows.append(
                {
                    "run_id": run_id, "architecture": architecture, "cohort": "all", "technique": "none",
                    "precision": precision, "status": "done", "artefact": artefact.name,
                }
            )  # fmt: skip
        tables.write(pd.DataFrame(rows), "runs", here.compressed("runs", architecture))
    return results


@pytest.fixture
def paths(whole_study: Study, made: Path, tmp_path: Path) -> Paths:
    """A copy of the made results, below the test's own folder."""
    return Paths.of(whole_study, shutil.copytree(made, tmp_path / "results"))


def measured(
    study: Study, paths: Paths, benchmark: Path, serial: str | None = None, threads: int = 1
) -> tuple[pd.DataFrame, list[str]]:
    lines: list[str] = []
    table = measure_on_phone(
        study, paths, find_phone(serial), benchmark, threads=threads, run_ids=[], report=lines.append
    )
    return tables.read("measurements", table), lines


def test_every_file_becomes_a_row_with_the_published_numbers_and_its_provenance(
    phone: MadeUpPhone, whole_study: Study, paths: Paths, benchmark: Path
) -> None:
    rows, lines = measured(whole_study, paths, benchmark)
    assert len(rows) == len(lines) == 4
    assert set(rows["device_kind"]) == {"phone"}
    assert rows["latency_ms_median"].to_list() == pytest.approx([33.2094] * 4)
    assert rows["peak_memory_mib"].to_list() == pytest.approx([12.8672] * 4)
    assert set(rows["runs"]) == {RUNS}
    assert set(rows["warm_ups"]) == {WARM_UPS}
    assert rows["remark"].isna().all()
    (device,), (backend,) = set(rows["device"]), set(rows["backend"])
    assert device.startswith("nobody MADE_UP_PHONE, Android 9, loopback, unit ")
    assert phone.serial not in device
    assert hashlib.sha256(benchmark.read_bytes()).hexdigest()[:16] in backend
    assert "core 7 (interactive)" in backend
    files = {row.run_id: row.file_digest for row in rows.itertuples()}
    for run_id, architecture in ((f"{NETWORKS[0]}.all.none.int8", NETWORKS[0]),):
        assert files[run_id] == digest(
            paths.compressed("runs", architecture).parent / f"{run_id}.{SIDE}.tflite"
        )


def test_the_made_up_phones_numbers_stay_out_of_the_studys_own_table_and_settle_no_claim(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path
) -> None:
    rows, _ = measured(study, paths, benchmark)
    assert not paths.measurements.exists()
    assert not rows["device"].map(is_moto_g6).any()
    assert set(paths.all_measurements()[1:]) == set(paths.root.glob("profile/devices/*/measurements.parquet"))


def test_the_operators_are_kept_beside(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path
) -> None:
    measured(study, paths, benchmark)
    (path,) = paths.root.glob("profile/devices/*/operators.parquet")
    rows = tables.read("operators", path)
    assert rows["run_id"].nunique() == 2
    assert rows.groupby("run_id")["mean_ms"].sum().to_list() == pytest.approx([536.830 + 20.083 + 36.419] * 2)


def test_threads_get_a_core_each_and_the_tool_is_pinned_to_them(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path
) -> None:
    for core in range(4):  # a phone with four slow cores first
        (phone.root / f"sys/devices/system/cpu/cpu{core}/cpufreq/cpuinfo_max_freq").write_text("1400000\n")
        (phone.root / f"sys/devices/system/cpu/cpu{core}/cpufreq/scaling_max_freq").write_text("1400000\n")
    rows, _ = measured(study, paths, benchmark, threads=4)
    assert set(rows["threads"]) == {4}
    assert "core 4, 5, 6, 7" in rows["backend"].iloc[0]
    timed = [
        command for command in phone.commands if "--num_runs=1 " in f"{command} " and "taskset" in command
    ]
    assert timed
    assert all("taskset f0 " in command and "--num_threads=4" in command for command in timed)


def test_nothing_is_left_on_the_phone(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path
) -> None:
    measured(study, paths, benchmark)
    assert list(phone.folder.iterdir()) == []
    benchmark.write_text("#!/bin/sh\necho 'ERROR: no such CPU'; exit 132\n")
    with pytest.raises(PhoneError, match="code 132: ERROR: no such CPU"):
        measured(study, paths, benchmark)
    assert list(phone.folder.iterdir()) == []


def test_pushed_files_arrive_whole(phone: MadeUpPhone, tmp_path: Path) -> None:
    large = tmp_path / "large.tflite"
    large.write_bytes(os.urandom(3 * 2**20 + 17))  # many packets, the last one short
    find_phone().push(large, "/data/local/tmp/large.tflite")
    assert (phone.folder / "large.tflite").read_bytes() == large.read_bytes()


def test_a_file_that_the_phone_cannot_store_is_named(phone: MadeUpPhone, tmp_path: Path) -> None:
    (tmp_path / "small.tflite").write_text("content")
    with pytest.raises(PhoneError, match=r"^small\.tflite could not be copied .* has room$") as raised:
        find_phone().push(tmp_path / "small.tflite", "/data/local/tmp/absent/small.tflite")
    assert not isinstance(raised.value, PhoneLost)
    subprocess.run([ADB, "disconnect", phone.serial], check=True, capture_output=True)
    with pytest.raises(PhoneLost, match=r"^small\.tflite could not be copied .* has room$"):
        Phone(phone.serial).push(tmp_path / "small.tflite", "/data/local/tmp/small.tflite")


@pytest.mark.parametrize(
    ("state", "sentence"),
    [
        ("unauthorized", "does not trust this computer yet: unlock it and allow USB debugging"),
        ("offline", "the phone X is offline: unplug it and plug it in again"),
    ],
)
def test_a_phone_that_is_not_ready_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, state: str, sentence: str
) -> None:
    monkeypatch.setattr(AdbClient, "list", lambda self: [AdbDeviceInfo("X", state, {})])
    with pytest.raises(PhoneError, match=sentence):
        find_phone()


def test_todays_tool_is_asked_with_its_own_options(
    phone: MadeUpPhone, study: Study, paths: Paths, tool: Callable[..., Path]
) -> None:
    rows, _ = measured(study, paths, tool("--use_profiler=true", times=LITERT))
    assert rows["latency_ms_median"].to_list() == pytest.approx([8.123] * 2)
    assert rows["peak_memory_mib"].to_list() == pytest.approx([12.4] * 2)
    (path,) = paths.root.glob("profile/devices/*/operators.parquet")
    assert tables.read("operators", path)["run_id"].nunique() == 2
    timed = [command for command in phone.commands if "--num_runs=1 " in f"{command} "]
    assert timed
    assert not [command for command in timed if "xnnpack" in command]


def test_a_tool_without_a_profiler_gives_times_and_no_operators(
    phone: MadeUpPhone, study: Study, paths: Paths, tool: Callable[..., Path]
) -> None:
    rows, _ = measured(study, paths, tool("--use_profiler=true", times=LITERT, profile=LITERT))
    assert len(rows) == 2
    (path,) = paths.root.glob("profile/devices/*/operators.parquet")
    assert tables.read("operators", path).empty


@pytest.mark.parametrize("side", [64, 224])
@pytest.mark.parametrize("option", ["--use_profiler=true", "--use_xnnpack=true|--enable_op_profiling=true"])
def test_the_timed_file_has_the_size_that_its_row_says(
    phone: MadeUpPhone,
    study: Study,
    paths: Paths,
    tool: Callable[..., Path],
    tmp_path: Path,
    option: str,
    side: int,
) -> None:
    """Whether the tool can resize it or not: a time at 32 pixels is never kept as one at 224."""
    larger = study.model_copy(update={"profiled_size": side})
    rows, _ = measured(larger, paths, tool(option))
    assert set(rows["image_size"]) == {side}
    (given,) = Interpreter(str(tmp_path / "timed.tflite")).get_input_details()
    assert list(given["shape"]) == [1, side, side, 3]


@pytest.mark.parametrize("knows", ["--use_xnnpack=true", "--enable_op_profiling=true", "nothing"])
def test_a_tool_that_passes_over_an_option_is_refused(
    phone: MadeUpPhone, study: Study, paths: Paths, tool: Callable[..., Path], knows: str
) -> None:
    with pytest.raises(PhoneError, match="does not know what it was asked .--use_profiler=true"):
        measured(study, paths, tool(knows))
    assert paths.all_measurements() == [paths.measurements], "its times are kept nowhere"
    assert list(phone.folder.iterdir()) == []


def test_a_warning_at_a_timed_run_is_refused_whatever_was_said_before(
    phone: MadeUpPhone, study: Study, paths: Paths, tool: Callable[..., Path]
) -> None:
    with pytest.raises(PhoneError, match=r"\(--num_runs=1\), so its times are not kept"):
        measured(
            study,
            paths,
            tool("--use_profiler=true", times=f"WARN: Unconsumed cmdline flags: --num_runs=1\n{LITERT}"),
        )
    assert paths.all_measurements() == [paths.measurements]


def test_an_unplug_keeps_what_was_measured_and_the_next_run_goes_on_there(
    phone: MadeUpPhone, whole_study: Study, paths: Paths, benchmark: Path
) -> None:
    third = f"{NETWORKS[1]}.all.none.float32"
    phone.unplug_at = lambda command: third in command and "--num_runs=1" in command
    with pytest.raises(PhoneError, match=r"2 of 4 file\(s\) are measured and kept: plug it in") as raised:
        measured(whole_study, paths, benchmark)
    assert "\n" not in str(raised.value)
    (table,) = paths.all_measurements()[1:]
    kept = tables.read("measurements", table)
    assert len(kept) == 2
    assert list(phone.folder.iterdir()), "nothing could be removed from a phone that is gone"

    phone.unplug_at = lambda command: False
    phone.commands.clear()
    connect(phone)
    rows, lines = measured(whole_study, paths, benchmark)
    assert len(rows) == 4
    assert len(lines) == 2
    assert rows.head(2).equals(kept)
    assert not [command for command in phone.commands if f"{NETWORKS[0]}." in command], "timed again"
    assert list(phone.folder.iterdir()) == []


def test_a_file_that_changed_is_timed_again_and_takes_the_old_rows_place(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path, tiny_file: Callable[[str], Path]
) -> None:
    before, _ = measured(study, paths, benchmark)
    changed = f"{NETWORKS[0]}.all.none.int8"
    shutil.copy(
        tiny_file("dynamic"), paths.compressed("runs", NETWORKS[0]).parent / f"{changed}.{SIDE}.tflite"
    )
    after, lines = measured(study, paths, benchmark)
    assert len(after) == len(before)
    assert [line.split()[0] for line in lines] == [changed]


@pytest.mark.parametrize(
    ("celsius", "clock", "says"),
    [
        (41.5, FASTEST_KHZ, "hot: battery at 41.5 °C"),
        (29.0, 1_401_600, "throttled: clock held at 1401600 of 1804800 kHz"),
    ],
)
def test_hot_and_throttled_runs_are_marked(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path, celsius: float, clock: int, says: str
) -> None:
    phone.set_battery(celsius)
    phone.set_clock("scaling_max_freq", clock)
    rows, lines = measured(study, paths, benchmark)
    assert set(rows["remark"]) == {says}
    assert all(says in line for line in lines)


def test_what_the_phone_hides_is_said_not_guessed(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path
) -> None:
    (phone.root / "battery").unlink()
    for path in phone.root.glob("sys/devices/system/cpu/*/cpufreq/scaling_max_freq"):
        path.unlink()
    rows, _ = measured(study, paths, benchmark)
    assert set(rows["remark"]) == {"temperature not readable; clock not readable"}


def test_of_several_phones_one_must_be_named(
    attach: Callable[[], MadeUpPhone], study: Study, paths: Paths, benchmark: Path
) -> None:
    with pytest.raises(PhoneError, match="no phone is attached: plug it in"):
        find_phone()
    first, second = attach(), attach()
    with pytest.raises(PhoneError, match="name one with --serial") as raised:
        find_phone()
    assert first.serial in str(raised.value)
    assert second.serial in str(raised.value)
    with pytest.raises(PhoneError, match=f"no phone 'X' is attached; attached: .*{second.serial}"):
        find_phone("X")
    rows = [measured(study, paths, benchmark, serial=each.serial)[0] for each in (first, second)]
    assert rows[0]["device"].iloc[0] != rows[1]["device"].iloc[0], "two of one model must stay apart"
    assert len(tables.read("measurements", *paths.all_measurements()[1:])) == 4


def test_a_phone_that_is_gone_and_a_benchmark_that_is_not_there_end_in_a_sentence(
    phone: MadeUpPhone, tmp_path: Path
) -> None:
    with pytest.raises(OSError, match="absent"), session(find_phone(), tmp_path / "absent", 1):
        pass
    assert phone.commands == [], "nothing was done on the phone"
    with pytest.raises(PhoneLost, match="does not answer any more"):
        Phone("127.0.0.1:1").shell(f"ls {FOLDER}")


def test_an_unknown_run_names_those_that_are_here(
    phone: MadeUpPhone, study: Study, paths: Paths, benchmark: Path
) -> None:
    with pytest.raises(ProfilingError, match=r"no exported file magic is here; there are mobilenet_v3_small"):
        measure_on_phone(
            study, paths, find_phone(), benchmark, threads=1, run_ids=["magic"], report=lambda line: None
        )
