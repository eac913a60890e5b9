"""Words that no command takes, and the files that some of them name."""

import os
from pathlib import Path

TABLE = "participant,session,trial,outcome,response\n" + "\n".join(
    f"p{person},1,{trial + 1},{(trial * 7 + person) % 2},{(trial + person) % 2}"
    for person in range(2)
    for trial in range(8)
)
EXPERIMENT = '''"""Does it run? It should."""
from dataclasses import dataclass

@dataclass(frozen=True)
class Config:
    flips: int = 20
    scale: float = 1.0
    quick: bool = False
    widths: tuple[int, ...] = (3, 4)

def run(config, *, seed, progress):
    return ()

def analyse(config, results):
    return ()
'''
GOOD = {
    "fit": ["table.csv", "--task", "binary", "--model", "hgf3", "--smoke"],
    "check": ["table.csv", "--task", "binary"],
    "run": ["coin.py"],
    "train": ["plan.yaml", "--smoke"],
    "calibrate": ["binary", "hgf3", "--smoke"],
    "recover": ["binary", "hgf3", "rescorla_wagner", "--smoke"],
    "design": ["binary", "hgf3", "--effect", "omega2=-1", "--smoke"],
    "power": ["mdma_trauma", "--smoke"],
}
NO_NUMBERS = (
    *(
        "",
        " ",
        "x",
        "1_0",
        "1:30",
        "0x10",
        "nan",
        "inf",
        "-inf",
        "1e999",
        "٣",
        "one",
        "--",
    ),
    *("1,5", "1 0", "[1]", "None", "true", "9" * 400, "+-1", "1.2.3", "\0", "½", "1j"),
)
NO_WHOLE = (*NO_NUMBERS, "1e3", "3.0", ".5", "-1", "-99999999999999999999")
BAD_WORDS: dict[str, tuple[str, ...]] = {
    "--task": ("", "x", "Binary ", "binary,bandit", "\0", "b" * 5000),
    "--model": ("", "x", "hgf33", "HGF", "hgf3,hgf2", "m" * 5000),
    "--formula": (
        "",
        "~",
        "omega2",
        "omega2 ~",
        "nothing ~ x",
        "omega2 ~ x",
        "omega2 ~ (",
        "~ 1",
        "omega2 ~ 1 ~ 1",
        "omega2 ~ import os",
        "(" * 3000,
        "omega2 ~ `",
        "\x00",
        "omega2 ~ 1/0",
    ),
    "--columns": (
        "x",
        "=",
        "a=",
        "=b",
        "response=nothing",
        "nonsense=response",
        "a=b=c",
    ),
    "--series": ("nothing", "\0", "n" * 5000),
    "--scale": (
        "1",
        "1,2,3,4",
        "x,1",
        "1,0",
        "1,1",
        "0,inf",
        "nan,1",
        "0,10,-1",
        "1_0,20",
    ),
    "--judgements": ("x", "confidence", "reaction_time,x", "\0"),
    "--where": (
        "(",
        "x ==",
        "nothing == 1",
        "1 +",
        "trial ==",
        "import os",
        "(" * 3000,
        "trial = 1",
        "trial == 99",
        "__import__('os')",
        "\x00",
    ),
    "--units": (
        "x",
        "=",
        "reaction_time=",
        "reaction_time=parsecs",
        "nothing=ms",
        "a=b=c",
    ),
    "--codes": (
        "x",
        "=",
        "response=",
        "response=a",
        "response=a,b,c",
        "nothing=a,b",
        "response=a,a",
    ),
    "--compare": ("x", "hgf33", "hgf3,x"),
    "--config": (
        "nowhere.yaml",
        ".",
        "twice.yaml",
        "deep.yaml",
        "list.yaml",
        "pipe",
        "\x00",
        "c" * 5000,
        "twice.json",
        "deep.json",
        "bytes.yaml",
        "bomb.yaml",
        "folder.yaml",
        "link.yaml",
    ),
    "--output": ("full", "table.csv", "table.csv/below", "\0", "o" * 5000, "pipe"),
    "--effect": (
        "",
        "x",
        "omega2",
        "omega2=",
        "omega2=x",
        "x=1",
        "omega2=nan",
        "omega2=1_0",
    ),
    "--rival": ("x", "", "hgf33"),
    "--confidence": ("x", "2", "-1", "nan"),
    "--participants": ("ten", "0", "1_0", "-5", "5,x", "9" * 400, "\0"),
    "--questions": ("x", "therapy,therapy", "Window", "\0", "q" * 5000),
    "--arms": ("x", "drug_alone", "drug_alone,drug_alone", "drug_alone,\0"),
    "--days": ("x", "0", "1.5", "500", "-1", "nan", "9" * 400),
    "--noise": ("0", "-1", "nan", "inf", "1_0", "x", "1e999", "9" * 400),
    "--account": ("x", "Rebus", "\0", "a" * 5000),
    "--coordinator": ("x", ":", "host:", "host:port", "host:99999999", ""),
}
PLACES = {
    "DATA": (
        "nowhere.csv",
        "pipe",
        "empty.csv",
        "header.csv",
        "bytes.csv",
        "table.doc",
        "\x00",
        "folder.csv",
        "link.csv",
        "n" * 5000,
        "zero.csv",
        "wide.csv",
        "quote.csv",
        "full",
        "",
    ),
    "CONFIG": BAD_WORDS["--config"]
    + ("nothing", "1_0.yaml", "octal.yaml", "nan.yaml", ""),
    "EXPERIMENT": (
        "nothing",
        "nowhere.py",
        "pipe.py",
        "e" * 5000 + ".py",
        "broken.py",
        "\x00.py",
        "deep.py",
        "plain.py",
        "folder.py",
        "link.py",
        "bytes.py",
        "",
    ),
    "PROTOCOL": (
        *(
            "nothing",
            "nowhere.yaml",
            "list.yaml",
            "deep.yaml",
            "bytes.yaml",
            "bomb.yaml",
        ),
        *(
            "folder.yaml",
            "link.yaml",
            "twice.yaml",
            "plan.yaml",
            "./pipe",
            "",
            "\x00.yaml",
        ),
        "p" * 5000 + ".yaml",
    ),
    "TASK": BAD_WORDS["--task"],
    "MODEL": BAD_WORDS["--model"],
}
NO_VALUES = {
    "int": (*NO_WHOLE[:-2], "1.5", "[]", "{}", "010", "-", "yes"),
    "float": (*NO_NUMBERS, "[]", "{}", "010", "-", "yes"),
    "bool": ("x", "2", "", "maybe", "[]", "1_0", "nan", "None_"),
    "tuple": ("x", "[x]", "{}", "[1_0]", "[1,[2]]", "1_0", "nan", "[null]"),
}


def prepare(place: Path) -> None:
    """Files of every kind of wrong, and those that are right."""
    write = {
        "table.csv": TABLE,
        "table.doc": TABLE,
        "empty.csv": "",
        "header.csv": TABLE.splitlines()[0],
        "zero.csv": TABLE.replace("p1", "p\0"),
        "wide.csv": TABLE + ",1,2,3",
        "quote.csv": TABLE.replace("p1", '"p1', 1),
        "coin.py": EXPERIMENT,
        "broken.py": "def run(:",
        "deep.py": "x = " + "(" * 5000,
        "plain.py": "x = 1",
        "plan.yaml": "question: Does it?\nepochs: 1\ndata:\n  name: digits\n",
        "twice.yaml": "epochs: 1\nepochs: 2\nflips: 1\nflips: 2\n",
        "twice.json": '{"epochs": 1, "epochs": 2, "flips": 1, "flips": 2}',
        "deep.yaml": "[" * 5000,
        "deep.json": "[" * 200000,
        "list.yaml": "[1, 2]",
        "bomb.yaml": "a: &a [1]\n"
        + "".join(f"b{i}: &b{i} [*a, *a]\n" for i in range(30)),
        "1_0.yaml": "epochs: 1_0\nflips: 1_0\n",
        "octal.yaml": "epochs: 010\n",
        "nan.yaml": "learning:\n  rate: .nan\n",
    }
    for name, text in write.items():
        (place / name).write_text(text)
    for ending in ("csv", "yaml", "py"):
        (place / f"bytes.{ending}").write_bytes(bytes(range(128, 256)))
        (place / f"folder.{ending}").mkdir()
        (place / f"link.{ending}").symlink_to("nowhere")
    (place / "full").mkdir()
    (place / "full" / "holiday.jpg").write_bytes(b"x")
    os.mkfifo(place / "pipe")
    os.mkfifo(place / "pipe.py")
