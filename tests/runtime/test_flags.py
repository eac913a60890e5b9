"""Settings that XLA and JAX read from the environment."""

from pcmodel.runtime import flags as runtime


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
        "--xla_cpu_use_fusion_emitters=false",
        "--xla_cpu_parallel_codegen_split_count=1",
    ]


def test_quick_compiling_passes_no_flag_that_a_jaxlib_has_dropped(monkeypatch):
    """0.11 ends the process on the switch of the fusion emitters."""
    for version, known in (("0.11.2", 2), ("0.99.0", 0)):
        monkeypatch.setattr(runtime, "jaxlib_version", lambda version=version: version)
        environment: dict[str, str] = {}
        runtime.compile_quickly(environment)
        flags = environment.get("XLA_FLAGS", "").split()
        assert len(flags) == known
        assert not any("emitters" in flag for flag in flags)


def test_compiled_programs_are_kept_in_the_users_cache(tmp_path):
    """And the user's own choice of folder wins."""
    environment = {"XDG_CACHE_HOME": str(tmp_path)}
    runtime.keep_compiled(environment)
    folder = tmp_path / "pcmodel" / "compiled" / runtime.processor()
    assert environment["JAX_COMPILATION_CACHE_DIR"] == str(folder) and folder.is_dir()
    chosen = {"XDG_CACHE_HOME": str(tmp_path), "JAX_COMPILATION_CACHE_DIR": "/mine"}
    runtime.keep_compiled(chosen)
    assert chosen["JAX_COMPILATION_CACHE_DIR"] == "/mine"


def test_nothing_is_kept_where_the_cache_cannot_be_made(tmp_path):
    """A run must not fail for want of a cache."""
    (tmp_path / "file").write_text("in the way")
    environment = {"XDG_CACHE_HOME": str(tmp_path / "file")}
    runtime.keep_compiled(environment)
    assert "JAX_COMPILATION_CACHE_DIR" not in environment


def test_processors_that_differ_do_not_share_compiled_programs(tmp_path):
    """Code compiled for instructions that a machine lacks would end the process."""
    names = set()
    for flags in ("avx avx2", "avx avx2 avx512f"):
        told = tmp_path / "cpuinfo"
        told.write_text(f"model name: x\ncpu MHz: 1\nflags: {flags}\n")
        names.add(runtime.processor(told))
    assert len(names) == 2
