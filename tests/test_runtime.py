"""The guard against XLA's CPU deadlock."""

from pcmodel import runtime


def test_the_flag_is_added_beside_the_users_own(monkeypatch):
    """Losing a user's flags, or the guard, would each be silent."""
    monkeypatch.setattr(runtime, "jaxlib_version", lambda: "0.11.2")
    environment = {"XLA_FLAGS": "--xla_dump_to=/tmp/x"}
    runtime.avoid_cpu_deadlock(environment)
    assert environment["XLA_FLAGS"] == f"--xla_dump_to=/tmp/x --{runtime.FLAG}=false"


def test_a_users_own_value_is_left_alone(monkeypatch):
    """Someone who wants the scheduler keeps it."""
    monkeypatch.setattr(runtime, "jaxlib_version", lambda: "0.11.2")
    environment = {"XLA_FLAGS": f"--{runtime.FLAG}=true"}
    runtime.avoid_cpu_deadlock(environment)
    assert environment["XLA_FLAGS"] == f"--{runtime.FLAG}=true"


def test_an_unknown_jaxlib_is_not_given_a_flag_it_may_not_know(monkeypatch):
    """XLA ends the process on an unknown flag."""
    monkeypatch.setattr(runtime, "jaxlib_version", lambda: "0.99.0")
    environment: dict[str, str] = {}
    runtime.avoid_cpu_deadlock(environment)
    assert environment == {}


def test_quick_compiling_keeps_the_users_own_level(monkeypatch):
    """A user who asks XLA for something gets it."""
    monkeypatch.setattr(runtime, "jaxlib_version", lambda: "0.10.2")
    environment = {"XLA_FLAGS": "--xla_backend_optimization_level=3"}
    runtime.compile_quickly(environment)
    flags = environment["XLA_FLAGS"].split()
    assert flags == [
        "--xla_backend_optimization_level=3",
        "--xla_llvm_disable_expensive_passes=true",
    ]
