import pytest
from published_logs import LATER_MEMORY, LITERT, WITH_MEMORY, WITH_PROFILE

from arm_latency.benchmark_output import (
    inference_ms,
    operator_times,
    peak_memory_mib,
    unconsumed_options,
)
from arm_latency.interpreters import ProfilingError


@pytest.mark.parametrize(
    ("log", "milliseconds", "mebibytes"),
    [
        (WITH_MEMORY, 33.2094, 12.8672),
        (LATER_MEMORY, 1.03966, 12.1055),
        (WITH_PROFILE, 947.350, None),
        (LITERT, 8.123, 12.4),
    ],
)
def test_published_logs_give_the_published_numbers(
    log: str, milliseconds: float, mebibytes: float | None
) -> None:
    assert inference_ms(log) == pytest.approx(milliseconds)
    assert peak_memory_mib(log) == mebibytes


@pytest.mark.parametrize(
    "statistics",
    [
        "count=1 curr=101250",
        "INFO: count=1 curr=101250 p5=101250 median=101250 p95=101250",  # StatWithPercentiles of later versions
        "count=3 curr=101250(all same)",
        "count=2 first=101000 curr=101500 min=101000 max=101500 avg=1.0125e+05 std=250",
    ],
)
def test_one_inference_and_later_versions_words_are_understood(statistics: str) -> None:
    assert inference_ms(f"count=3 first=9 curr=9 min=9 max=9 avg=9 std=0\n\n{statistics}\n") == pytest.approx(
        101.25
    )


def test_operators_are_those_of_the_log_in_the_order_of_running() -> None:
    rows = operator_times(WITH_PROFILE)
    assert list(rows["operator"]) == ["DEPTHWISE_CONV_2D", "CONV_2D", "CONV_2D"]
    assert list(rows["name"]) == ["srnetwork/Conv/Relu", "srnetwork/Conv_1/Relu", "srnetwork/Conv_2/Relu"]
    assert list(rows["mean_ms"]) == [536.830, 20.083, 36.419]
    assert list(rows["position"]) == [0, 1, 2]


def test_of_two_profiles_that_of_the_inferences_is_read_whatever_its_columns() -> None:
    initialization = (
        "====== Run Order ======\n\t[node type]\t[first]\t[avg ms]\t[times called]\t[Name]\n"
        "\tAllocateTensors\t9.5\t9.5\t1\t[AllocateTensors/0]\n\n"
    )
    runs = (
        "====== Run Order ======\n\t[node type]\t[first]\t[avg ms]\t[times called]\t[Name]\n"
        "\tConvolution (NHWC, F32) IGEMM\t2.5\t2.25\t1\t[Delegate/Convolution (NHWC, F32) IGEMM:0]\n\n"
    )
    (row,) = operator_times(initialization + runs).to_dict("records")
    assert row["operator"] == "Convolution (NHWC, F32) IGEMM"
    assert row["mean_ms"] == 2.25


def test_columns_may_be_apart_by_spaces_as_in_later_versions() -> None:
    (row,) = operator_times(
        "======= Run Order =======\n"
        "      [node type]    [start]    [first]   [avg ms]        [%]     [cdf%]   [mem KB] [times called]   [Name]\n"
        "  Delegate/Sigmoid (NC)  0.000      0.152      0.985     2.568%     5.581%      0.000          10   [Delegate]:1\n"
    ).to_dict("records")
    assert (row["operator"], row["mean_ms"]) == ("Delegate/Sigmoid (NC)", 0.985)


def test_rows_that_stand_for_several_operators_count_as_often_as_they_were_called() -> None:
    """Of a graph in eleven parts, by LiteRT 2.3's summary of 20 inferences: the first operator of ten parts is one row."""
    rows = operator_times(
        "======= Run Order =======\n"
        "      [node type]    [start]    [first]   [avg ms]        [%]     [cdf%]   [mem KB] [times called]   [Name]\n"
        "  Delegate/Convolution (NHWC, QC8) DWConv  0.000  0.167  0.058  6.433%  20.534%  0.000  200  [Delegate]:0\n"
        "  HARD_SWISH  0.000  0.753  0.736  8.115%  14.101%  0.000  20  [Builtin]:4\n"
    )
    assert rows["mean_ms"].to_list() == pytest.approx([0.58, 0.736])


@pytest.mark.parametrize("end", ["count=50", "Inference timings", "Running benchmark for at least 50"])
def test_a_log_that_breaks_off_before_the_timing_is_an_error_with_its_last_line(end: str) -> None:
    cut = (
        WITH_MEMORY[: WITH_MEMORY.index(end)]
        if end != "Inference timings"
        else "FATAL: Failed to load model\n"
    )
    with pytest.raises(ProfilingError, match=r"no timing; its last line: \S+"):
        inference_ms(cut)
    with pytest.raises(ProfilingError, match="no operator profile"):
        operator_times(cut)


@pytest.mark.parametrize(
    ("line", "options"),
    [
        ("WARN: Unconsumed cmdline flags: --use_xnnpack=true --x=1", "--use_xnnpack=true --x=1"),
        ("W0000 benchmark_model.cc:1] Unconsumed cmdline flags: --x=1\nINFO: on", "--x=1"),
        ("WARN: Unconsumed cmdline flags", "some, unnamed"),
        ("INFO: Num threads: [1]", None),
    ],
)
def test_options_that_the_tool_does_not_know_are_found_in_its_warning(line: str, options: str | None) -> None:
    assert unconsumed_options(f"STARTING!\n{line}\n{WITH_MEMORY}") == options


TIMED = "count=1 curr=9\n"


@pytest.mark.parametrize(
    "last", ["count=1 cur", "count=3 curr=5 avg=1.2.3", "count=1 curr=0", "count=9 avg="]
)
def test_a_timing_that_is_cut_or_no_time_is_an_error(last: str) -> None:
    with pytest.raises(ProfilingError, match="a timing that is cut or no time"):
        inference_ms(TIMED + last)


@pytest.mark.parametrize(
    "profile",
    [
        "",
        "[node type] [start] [first] [avg ms] [%] [Name]",
        "[node type] [times called] [Name]",
        "[node type] [avg ms] [times called] [Name]\n CONV_2D 1.2.3 10 [a]",
    ],
)
def test_a_cut_operator_profile_is_an_error(profile: str) -> None:
    with pytest.raises(ProfilingError, match="is cut|are cut"):
        operator_times(f"======= Run Order =======\n{profile}")
