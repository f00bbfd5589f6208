from fer_utils.profiling.arm64_processor import CORES, PART, processor_files


def test_eight_cortex_a53_are_declared_in_linux_own_words():
    blocks = processor_files()["proc/cpuinfo"].strip().split("\n\n")
    fields = [
        dict(line.split("\t: ") for line in block.replace(": 8", "\t: 8").splitlines()) for block in blocks
    ]
    assert [block["processor"] for block in fields] == [str(core) for core in range(8)]
    assert CORES == 8
    # Cortex-A53: implementer 0x41, part 0xd03 (Arm's Technical Reference Manual, MIDR_EL1)
    assert {(block["CPU implementer"], block["CPU part"]) for block in fields} == {("0x41", "0xd03")}
    assert PART == "0xd03"
    assert all("asimd" in block["Features"].split() for block in fields)


def test_every_core_knows_its_cluster_and_nothing_is_left_to_the_computer_around():
    files = processor_files()
    cpu = "sys/devices/system/cpu"
    assert {files[f"{cpu}/{name}"] for name in ("possible", "present", "online")} == {"0-7\n"}
    assert files[f"{cpu}/kernel_max"] == "7\n"
    names = {path.split("/", 5)[5] for path in files if path.startswith(f"{cpu}/cpu0/")}
    for core in range(8):
        mine = {path.split("/", 5)[5] for path in files if path.startswith(f"{cpu}/cpu{core}/")}
        assert mine == names
        siblings = files[f"{cpu}/cpu{core}/topology/cluster_cpus_list"]
        assert siblings == files[f"{cpu}/cpu{core}/cache/index2/shared_cpu_list"]
        first, last = map(int, siblings.split("-"))
        assert first <= core <= last
        assert int(files[f"{cpu}/cpu{core}/topology/physical_package_id"]) == first // 4
