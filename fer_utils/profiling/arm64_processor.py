"""The processor that emulated programs are told they run on: the Snapdragon 450 of the Moto G6, eight Cortex-A53.

XNNPACK chooses its kernels by the processor, which it reads from `/proc/cpuinfo` and `/sys`. QEMU hands those of the
computer it runs on through, which crashes LiteRT (an x86 `/proc/cpuinfo`) or chooses kernels by chance. So every file
that LiteRT opens there (seen by `qemu-aarch64 -strace`) stands in the emulated system as well, where QEMU looks first.
That it is read shows in the counts: told of a Cortex-A76 (part 0xd0b), MobileNetV3-Small takes 27 million instructions
in place of 37. Told of another clock or cache, it takes the same.
"""

from typing import Final

CORES: Final = 8
"""In two clusters of four, as Qualcomm describes the chip."""

CORES_IN_CLUSTER: Final = 4

PART: Final = "0xd03"
"""Cortex-A53, designed by Arm (0x41): MIDR_EL1 in its Technical Reference Manual (DDI 0500)."""

_CLOCK_KHZ: Final = 1_800_000  # the chip's highest
_CACHE_KIB: Final = 512  # of a cluster, within what the manual allows (128 to 2048)

_CORE: Final = f"""BogoMIPS\t: 38.40
Features\t: fp asimd evtstrm aes pmull sha1 sha2 crc32
CPU implementer\t: 0x41
CPU architecture: 8
CPU variant\t: 0x0
CPU part\t: {PART}
CPU revision\t: 4
"""


def processor_files() -> dict[str, str]:
    """Return the contents of the files by which Linux describes the processor, by their paths from the root."""
    last = CORES - 1
    files = {
        "proc/cpuinfo": "\n".join(f"processor\t: {core}\n{_CORE}" for core in range(CORES)),
        "sys/devices/system/cpu/kernel_max": f"{last}\n",
        **{f"sys/devices/system/cpu/{name}": f"0-{last}\n" for name in ("possible", "present", "online")},
    }
    for core in range(CORES):
        files |= {
            f"sys/devices/system/cpu/cpu{core}/{name}": text for name, text in _core_files(core).items()
        }
    return files


def _core_files(core: int) -> dict[str, str]:
    cluster = core // CORES_IN_CLUSTER
    first = cluster * CORES_IN_CLUSTER
    siblings = f"{first}-{first + CORES_IN_CLUSTER - 1}\n"
    return {
        "cache/index2/level": "2\n",
        "cache/index2/shared_cpu_list": siblings,
        "cache/index2/size": f"{_CACHE_KIB}K\n",
        "cpufreq/cpuinfo_max_freq": f"{_CLOCK_KHZ}\n",
        "cpufreq/cpuinfo_min_freq": f"{_CLOCK_KHZ}\n",
        "topology/cluster_cpus_list": siblings,
        "topology/core_siblings_list": siblings,
        "topology/physical_package_id": f"{cluster}\n",
    }
