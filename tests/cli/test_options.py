"""Options and files: what is accepted, and one sentence for what is not."""

import json
import os
import sys
from pathlib import Path

import jax
import pytest
from coin_experiment import sentence

from pcmodel.cli import main
from pcmodel.cli.options import describe_type
from pcmodel.record import read_arrays

BAD = [
    ("--flipz 3", "'flipz', did you mean 'flips'?; expected one of: flips, kind"),
    ("--flips 3.5", "option 'flips' cannot be '3.5'; expected a whole number"),
    ("--flips", "option 'flips' was given no value; expected a whole number"),
    ("--flips --kind odd", "option 'flips' was given no value"),
    ("--kind even", "option 'kind' cannot be 'even'; expected 'fair' or 'odd'"),
    ("--widths 3", "a list of whole numbers such as [1, 2]"),
    ("--scale big", "option 'scale' cannot be 'big'; expected a number or null"),
    ("--coin.bias heavy", "option 'coin.bias' cannot be 'heavy'; expected a number"),
    ("--coin.bias 2", "coin.bias: cannot be 2.0; expected 0 to 1"),
    ("--coin 2", "no option is called 'coin'"),
    ("heads", "does not know what to do with 'heads'"),
    ("--seed -1", "--seed: cannot be -1; expected 0 to"),
    ("--seed x", "argument --seed: 'x' is not a whole number"),
    ("--config none.json", "none.json: there is no such file"),
    ("--config broken.json", "broken.json: is not JSON"),
    ("--seed 1_0", "argument --seed: '1_0' is not a whole number"),
    ("--flips 1_0", "option 'flips' cannot be '1_0'"),
    ("--flips=010", "option 'flips' cannot be '010'"),
    ("--coin.bias 1:30", "option 'coin.bias' cannot be '1:30'"),
    ("--config twice.json", "twice.json: has the key 'flips' twice"),
    ("--config twice.yaml", "twice.yaml: has the key 'flips' twice"),
    ("--config tens.yaml", "tens.yaml: option 'flips' cannot be '1_0'"),
    ("--config deep.json", "deep.json: is not JSON (it is nested too deeply)"),
    ("--config deep.yaml", "deep.yaml: is not YAML (it is nested too deeply)"),
    ("--config bomb.yaml", "bomb.yaml: is not YAML (it has more than 20 aliases)"),
    ("--config pipe", "pipe: is neither a file nor a folder"),
    ("--config list.json", "list.json: the file holds [1]; expected names and values"),
    ("--config typo.json", "typo.json: no option is called 'coin.bas'"),
    ("--config wrong.yaml", "wrong.yaml: option 'flips' cannot be 'many'"),
    ("--output coin.py", "coin.py: is a file; expected an empty or new folder"),
    ("--output coin.py/sub", "coin.py/sub: cannot write there (Not a directory)"),
]


@pytest.mark.parametrize(("options", "words"), BAD, ids=[bad[0] for bad in BAD])
def test_bad_input_is_one_sentence_and_writes_nothing(coin, capsys, options, words):
    name = coin()
    Path("broken.json").write_text("{")
    Path("list.json").write_text("[1]")
    Path("twice.json").write_text('{"flips": 1, "flips": 2}')
    Path("twice.yaml").write_text("flips: 1\nflips: 2\n")
    Path("tens.yaml").write_text("flips: 1_0\n")
    Path("deep.json").write_text("[" * 100_000)
    Path("deep.yaml").write_text("[" * 5_000)
    Path("bomb.yaml").write_text("a: &a [1]\n" + "b: [*a, *a, *a, *a]\n" * 9)
    os.mkfifo("pipe")
    Path("typo.json").write_text('{"coin": {"bas": 0.5}}')
    Path("wrong.yaml").write_text("flips: many")
    before = sorted(os.listdir())
    assert main(["run", name, *options.split()]) == 2
    assert words in sentence(capsys)
    assert sorted(set(os.listdir()) - {"__pycache__"}) == before


def test_the_saved_configuration_repeats_the_run(coin):
    name = coin()
    options = ["--flips", "7", "--coin.bias", "0.25", "--widths", "[1]", "--kind=odd"]
    assert main(["run", name, *options, "--output", "a"]) == 0
    assert main(["run", name, "--config", "a/config.json", "--output", "b"]) == 0
    for file in ("arrays.npz", "config.json"):
        assert Path("a", file).read_bytes() == Path("b", file).read_bytes()


@pytest.mark.parametrize("file", ["marked.json", "marked.yaml"])
def test_a_byte_order_mark_before_a_configuration_is_none_of_it(coin, file):
    name = coin()
    Path(file).write_text('{"flips": 7}', "utf-8-sig")
    assert main(["run", name, "--config", file, "--output", "a"]) == 0
    assert json.loads(Path("a", "config.json").read_text())["flips"] == 7


def test_defaults_then_smoke_then_file_then_options(coin, capsys):
    name = coin()
    Path("c.yaml").write_text("coin: {bias: 0.1}\nscale: 3\nflips: 4")

    def printed(*options):
        assert main(["run", name, "--print-config", *options]) == 0
        return json.loads(capsys.readouterr().out)

    assert printed()["flips"] == 20
    assert printed("--smoke")["flips"] == 2
    assert printed("--smoke", "--config", "c.yaml")["flips"] == 4
    last = printed("--smoke", "--config", "c.yaml", "--flips", "5", "--scale", "null")
    assert last == {
        "flips": 5,
        "kind": "fair",
        "widths": [3, 4],
        "scale": None,
        "coin": {"bias": 0.1},
    }
    assert not Path("runs").exists()


def test_float64_is_a_switch_and_a_different_run(coin):
    name = coin("    import jax.numpy as jnp\n    return Results(jnp.ones(3) / 3)\n")
    jax.config.update("jax_enable_x64", False)
    try:
        assert main(["run", name]) == main(["run", name, "--float64"]) == 0
        assert not jax.config.jax_enable_x64
    finally:
        jax.config.update("jax_enable_x64", True)
    kinds = {str(read_arrays(f)["heads"].dtype) for f in Path().glob("runs/*/*.npz")}
    assert kinds == {"float32", "float64"}


def test_a_run_without_options_needs_no_parser_and_one_with_them_says_so(
    coin, capsys, monkeypatch
):
    monkeypatch.setitem(sys.modules, "jsonargparse", None)
    assert main(["run", coin(), "--smoke"]) == 0
    capsys.readouterr()
    assert main(["run", coin(), "--flips", "3"]) == 2
    assert "need the package jsonargparse" in sentence(capsys)


def test_types_are_described_in_words():
    assert describe_type(bool) == "true or false"
    assert describe_type(list[str]) == "a list of values such as [a, b]"
    assert describe_type(int | str) == "a whole number or text"
