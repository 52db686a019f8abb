#!/usr/bin/env python3
"""What `meshwright compile` costs as a whole process: time, processor time, memory, and the share of reading.

Usage: whole_process.py BINARY [RUNS]. Each row is the median of RUNS (5). Needs nothing but Python."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time


def mesh(services, nodes, calls, routes):
    """A mesh in YAML: services with three endpoints and so many routes; nodes that call so many of them (0: all)."""
    lines = ["mesh: big", "service:"]
    for number in range(services):
        name = f"service-{number:05}.svc"
        lines.append(f"  {name}:")
        lines.append("    endpoint:")
        for task in range(3):
            host = number * 3 + task
            lines.append(f'      - "10.{host >> 16 & 255}.{host >> 8 & 255}.{host & 255}:3000"')
        if routes:
            lines.append("    route:")
        for route in range(routes):
            lines.append(f"      - path-prefix: /part-{route}/")
            lines.append(f"        to: [service-{(number + route) % services:05}.svc]")
    lines.append("node:")
    for number in range(nodes):
        lines.append(f"  node-{number:04}:")
        lines.append("    calls:")
        if calls == 0:
            lines.append('      - "*"')
        for call in range(calls):
            lines.append(f"      - service-{(number * calls + call) % services:05}.svc")
    return "\n".join(lines) + "\n"


def measure(binary, folder, arguments):
    """Milliseconds, those of the processor, peak megabytes, and the timings that the command tells of itself."""
    begun = time.monotonic()
    process = subprocess.Popen(
        [binary, "compile", "mesh.yaml", "-o", "out", "--timings", "--format", "json", *arguments],
        cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read().decode()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.monotonic() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    stages = re.search(r"read ([\d.]+) ms, check ([\d.]+) ms, lower and write ([\d.]+) ms", said)
    if process.returncode != 0 or stages is None:
        sys.exit(f"compile ended with {process.returncode}:\n{said[:2000]}")
    processor = usage.ru_utime + usage.ru_stime
    return [seconds * 1e3, processor * 1e3, usage.ru_maxrss / 1024, *map(float, stages.groups())]


def main():
    binary = os.path.abspath(sys.argv[1])
    runs = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    rows = [
        ("one node, calls 20 of 4,000 services × 5 routes", mesh(4000, 200, 20, 5), ["--node", "node-0000"]),
        ("one node, calls all 4,000 services × 5 routes", mesh(4000, 1, 0, 5), []),
        ("100 services, 10 nodes × 20 calls", mesh(100, 10, 20, 0), []),
        ("1,000 services, 100 nodes × 20 calls", mesh(1000, 100, 20, 0), []),
        ("10,000 services, 1,000 nodes × 20 calls", mesh(10000, 1000, 20, 0), []),
    ]
    print(f"{'':50} {'YAML':>7} {'whole':>9} {'cpu':>9} {'memory':>8} {'read':>8} {'check':>8} {'rest':>8}")
    for name, text, arguments in rows:
        folder = tempfile.mkdtemp(prefix="meshwright-bench-")
        try:
            with open(os.path.join(folder, "mesh.yaml"), "w", encoding="utf-8") as file:
                file.write(text)
            samples = []
            for _ in range(runs):
                shutil.rmtree(os.path.join(folder, "out"), ignore_errors=True)
                samples.append(measure(binary, folder, arguments))
            whole, processor, memory, read, check, rest = map(statistics.median, zip(*samples))
            print(f"{name:50} {len(text) / 1e6:4.1f} MB {whole:6.0f} ms {processor:6.0f} ms {memory:5.0f} MB"
                  f" {read:5.0f} ms {check:5.0f} ms {rest:5.0f} ms", flush=True)
        finally:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
