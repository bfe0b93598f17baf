"""What machine this is."""

import os
import platform
import re
import subprocess
import sys

import msgspec
import psutil
import pytest

from lstmbench import machine


@pytest.fixture
def cgroups(tmp_path):
    """Write a tree of /proc and /sys as a kernel would show it, and read the quota from it."""

    def read(lines: str, files: dict[str, str]) -> float | None:
        (tmp_path / "proc/self").mkdir(parents=True)
        (tmp_path / "proc/self/cgroup").write_text(lines)
        for name, text in files.items():
            path = tmp_path / "sys/fs/cgroup" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        return machine.cgroup_cores(tmp_path)

    return read


def test_a_quota_of_version_2_is_read_from_the_own_group(cgroups):
    assert cgroups("0::/a/b\n", {"a/b/cpu.max": "150000 100000"}) == 1.5


def test_the_tightest_group_on_the_way_up_counts(cgroups):
    files = {"cpu.max": "800000 100000", "a/cpu.max": "100000 50000", "a/b/cpu.max": "max 100000"}
    assert cgroups("0::/a/b\n", files) == 2


def test_without_a_limit_there_is_none(cgroups):
    assert cgroups("0::/a\n", {"a/cpu.max": "max 100000"}) is None


def test_a_quota_of_version_1_is_read_beside_the_empty_line_of_version_2(cgroups):
    files = {"cpu,cpuacct/job/cpu.cfs_quota_us": "300000", "cpu,cpuacct/job/cpu.cfs_period_us": "100000"}
    assert cgroups("5:memory:/job\n4:cpu,cpuacct:/job\n0::/\n", files) == 3


def test_version_1_says_minus_one_for_no_limit(cgroups):
    assert cgroups("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}) is None


def test_a_container_that_is_shown_its_hosts_path_finds_its_own_root(cgroups):
    assert cgroups("0::/docker/0123\n", {"cpu.max": "50000 100000"}) == 0.5


def test_a_system_without_cgroups_has_no_limit(tmp_path):
    assert machine.cgroup_cores(tmp_path) is None


@pytest.mark.parametrize(("quota", "threads"), [(None, 4), (0.5, 1), (1.0, 1), (2.9, 2), (16.0, 4)], ids=str)
def test_threads_are_the_cores_of_the_mask_cut_by_the_quota(monkeypatch, quota, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {0, 2, 5, 7})
    monkeypatch.setattr(machine, "cgroup_cores", lambda _root: quota)
    assert machine.default_threads() == threads


def test_the_description_survives_the_disk_and_names_no_host():
    here = machine.observe()
    data = msgspec.json.encode(here)
    assert msgspec.json.decode(data, type=machine.Machine) == here
    assert not re.search(rb"\b%s\b" % re.escape(platform.node().encode()), data)  # a word: "vm" is in "llvmlite" too
    assert platform.release() not in here.system  # only its first two numbers
    assert here.cores_usable >= 1
    assert here.versions["numpy"]


def test_the_load_at_the_end_is_added_and_nothing_else_changes():
    here = machine.observe()
    then = machine.after(here)
    assert then.after is not None
    assert msgspec.structs.replace(then, after=None) == here


def test_a_container_that_hides_the_clock_rate_is_described_without_it(monkeypatch):
    def hidden() -> None:
        raise FileNotFoundError("/proc/cpuinfo")

    monkeypatch.setattr(psutil, "cpu_freq", hidden)
    assert machine.observe().before.cpu_mhz is None


def test_versions_are_read_without_importing_the_packages():
    code = (
        "import sys; from lstmbench import machine; machine.observe();"
        "sys.exit(len({'torch', 'onnxruntime', 'onnx'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
