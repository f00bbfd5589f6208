"""What this computer is called in results: its kind, never its name."""

import platform
from pathlib import Path


def host_device() -> str:
    """Return a plain description of this machine: processor model and operating system, no host name."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    processor = models[0] if models else platform.processor() or "unknown processor"
    return f"{processor}, {platform.machine()}, {platform.system()}"
