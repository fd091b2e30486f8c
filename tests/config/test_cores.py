"""Cores by affinity and by CPU quota, read from fake control groups."""

import os

import pytest

from rlsf_lightning.config.cores import cores, cpu_quota

V2, V1 = "0::{}\n", "12:pids:{0}\n4:cpu,cpuacct:{0}\n1:name=systemd:{0}\n0::/\n"


@pytest.fixture
def system(tmp_path):
    """``system(memberships, {file: text})``: the root of a file system with these control groups."""

    def make(memberships, files):
        written = {"proc/self/cgroup": memberships, **{f"sys/fs/cgroup/{name}": text for name, text in files.items()}}
        for name, text in written.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return tmp_path

    return make


@pytest.mark.parametrize(
    ("memberships", "files", "quota"),
    [
        (V2.format("/"), {"cpu.max": "150000 100000\n"}, 1.5),  # a container sees its own group as the root
        (V2.format("/"), {"cpu.max": "max 100000\n"}, None),
        (V2.format("/job"), {"job/cpu.max": "50000 25000\n"}, 2.0),
        (V2.format("/job/step"), {"job/cpu.max": "300000 100000\n", "job/step/cpu.max": "max 100000\n"}, 3.0),
        (V2.format("/job/step"), {"job/cpu.max": "100000 100000\n", "job/step/cpu.max": "400000 100000\n"}, 1.0),
        (V2.format("/docker/4f2a"), {"cpu.max": "250000 100000\n"}, 2.5),  # the host's path, the container's mount
        (V2.format("/../other"), {"cpu.max": "max 100000\n"}, None),
        (V2.format("/"), {"cpu.max": "150000\n"}, None),
        (V2.format("/"), {"cpu.max": "150000 0\n"}, None),
        (V2.format("/"), {}, None),
        (V1.format("/"), {"cpu/cpu.cfs_quota_us": "200000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 2.0),
        (V1.format("/"), {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        (
            V1.format("/slurm/job"),
            {
                "cpu,cpuacct/slurm/job/cpu.cfs_quota_us": "350000\n",
                "cpu,cpuacct/slurm/job/cpu.cfs_period_us": "100000\n",
                "cpu,cpuacct/cpu.cfs_quota_us": "-1\n",
                "cpu,cpuacct/cpu.cfs_period_us": "100000\n",
            },
            3.5,
        ),
        (V1.format("/"), {"cpu/cpu.cfs_quota_us": "200000\n"}, None),
        ("7:cpuset:/job\n", {"cpu/job/cpu.cfs_quota_us": "1\n", "cpu/job/cpu.cfs_period_us": "1\n"}, None),
        ("nothing of use", {"cpu.max": "100000 100000\n"}, None),
    ],
)
def test_the_quota_is_the_tightest_of_the_group_and_those_around_it(system, memberships, files, quota):
    assert cpu_quota(system(memberships, files)) == quota


def test_a_system_without_control_groups_has_no_quota(tmp_path):
    assert cpu_quota(tmp_path) is None


@pytest.mark.parametrize(
    ("limit", "counted"),
    [("150000", 1), ("20000", 1), ("200000", 2), ("399999", 3), ("400000", 4), ("1600000", 8), ("max", 8)],
)
def test_whole_cores_of_affinity_and_quota(system, monkeypatch, limit, counted):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    assert cores(system(V2.format("/"), {"cpu.max": f"{limit} 100000\n"})) == counted


def test_a_system_without_affinity_counts_its_processors(tmp_path, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert cores(tmp_path) == 6
