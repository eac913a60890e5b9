"""Where the core can be sabotaged, and a draw over it that is the same every time."""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from mutation.core import ROOT, core_files
from mutation.equal_by_design import EQUAL_BY_DESIGN
from mutation.operators import changes
from mutation.signatures import Signatures, signatures_of

SPEAKING = frozenset({"UserError", "unknown_name", "warn", "TypeError", "ValueError"})
SILENT_OPTIONS = frozenset(
    {
        "strict",
        "dtype",
        "sharding",
        "static_argnames",
        "donate_argnames",
        "unroll",
        "stacklevel",
    }
)
"""Options that choose no number."""


class Mutation(NamedTuple):
    """Bytes `start` .. `end` of `file` become `after`.

    line, last_line: of the text replaced.  statement: first line of the statement it is in.
    before: the text replaced.  digest: of the whole file.
    """

    file: str
    line: int
    last_line: int
    statement: int
    start: int
    end: int
    before: str
    after: str
    kind: str
    digest: str

    @property
    def name(self) -> str:
        """The same in every run as long as the file is."""
        return f"{self.file}:{self.start}-{self.end}:{self.after}:{self.digest}"

    def apply(self, source: str) -> str:
        """The sabotaged file."""
        raw = source.encode()
        return (raw[: self.start] + self.after.encode() + raw[self.end :]).decode()


def mutations_of(source: str, file: str, signatures: Signatures) -> list[Mutation]:
    """Every sabotage of one file, in order of place."""
    lines, written = source.encode().splitlines(keepends=True), source.splitlines()
    begins = [0]
    for line in lines:
        begins.append(begins[-1] + len(line))
    digest = hashlib.sha256(source.encode()).hexdigest()[:12]
    found: dict[tuple, Mutation] = {}
    for node, statement in _nodes(ast.parse(source)):
        for change in changes(node, signatures):
            at = change.node
            start = begins[at.lineno - 1] + at.col_offset  # type: ignore[attr-defined]
            end = begins[at.end_lineno - 1] + at.end_col_offset  # type: ignore[attr-defined]
            before = source.encode()[start:end].decode()
            mutation = Mutation(
                file,
                at.lineno,  # type: ignore[attr-defined]
                at.end_lineno,  # type: ignore[attr-defined]
                statement,
                start,
                end,
                " ".join(before.split()),
                change.after,
                change.kind,
                digest,
            )
            if not is_spared(mutation, written):
                found.setdefault((start, end, change.after), mutation)
    return sorted(found.values(), key=lambda each: (each.start, each.end, each.after))


def is_spared(mutation: Mutation, lines: list[str]) -> bool:
    """Whether it is one that is equal by design."""
    own = [equal for equal in EQUAL_BY_DESIGN if equal.file == mutation.file]
    text = "\n".join(lines[mutation.line - 1 : mutation.last_line]) if own else ""
    change = f"{mutation.before} -> {mutation.after}"
    return any(
        equal.text in text and (not equal.changes or change in equal.changes)
        for equal in own
    )


def _nodes(tree: ast.Module) -> Iterator[tuple[ast.AST, int]]:
    """Nodes that compute something, each with the first line of its statement."""
    todo: list[tuple[ast.AST, int]] = [(child, 1) for child in tree.body]
    while todo:
        node, statement = todo.pop()
        if isinstance(node, ast.stmt):
            statement = node.lineno
        if _says_or_names(node):
            continue
        yield node, statement
        todo.extend((child, statement) for child in _children(node))


def _says_or_names(node: ast.AST) -> bool:
    """Messages, imports, protocols: nothing that computes."""
    match node:
        case ast.Raise() | ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.Expr(value=ast.Constant()) | ast.Assert():
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name in SPEAKING
        case ast.FunctionDef(name="__repr__" | "__str__"):
            return True
        case ast.ClassDef(bases=bases):
            return any("Protocol" in ast.unparse(base) for base in bases)
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.keyword(arg=arg):
            return arg in SILENT_OPTIONS
        case ast.Subscript(value=ast.Attribute(attr="shape")):
            return True  # of a vector every index is the same, or out of range
        case ast.Attribute(attr="dtype"):
            return True  # every array of a problem has the same
    return False


def _children(node: ast.AST) -> Iterable[ast.AST]:
    """What is below a node, without annotations and decorators."""
    match node:
        case ast.FunctionDef():
            return [
                *node.args.defaults,
                *filter(None, node.args.kw_defaults),
                *node.body,
            ]
        case ast.ClassDef():
            return node.body
        case ast.AnnAssign():
            return [] if node.value is None else [node.value]
        case ast.arg():
            return []
        case ast.Call(func=ast.Attribute() as function):
            return [function.value, *node.args, *node.keywords]
    return ast.iter_child_nodes(node)


def all_mutations(root: Path = ROOT) -> dict[str, list[Mutation]]:
    """Every sabotage of the core, by file."""
    package = root / "pcmodel"
    signatures = signatures_of(
        path.read_text("utf-8") for path in sorted(package.rglob("*.py"))
    )
    return {
        file: mutations_of((package / file).read_text("utf-8"), file, signatures)
        for file in core_files(root)
    }


def draw(by_file: dict[str, list[Mutation]], size: int, seed: int) -> list[Mutation]:
    """`size` sabotages: of each file as many as its share of places, each place once.

    A place is a piece of text; which of its sabotages is taken is drawn as well.  The order is shuffled, so that
    the first few are a small draw of their own.  Drawn by digests of the text alone, so that most of the draw stays
    what it was when lines are moved, added or left out elsewhere.
    """
    places = {file: _places(found) for file, found in by_file.items() if found}
    counts = _shares({file: len(each) for file, each in places.items()}, size)
    drawn: list[tuple[str, Mutation]] = []
    for file, count in counts.items():
        ranked = sorted(
            (_lot(seed, name), place) for name, place in _named(places[file])
        )
        drawn += [
            (lot, min(place, key=lambda each, lot=lot: _lot(seed, lot, each.after)))
            for lot, place in ranked[:count]
        ]
    return [mutation for _, mutation in sorted(drawn)]


def _lot(seed: int, *texts: str) -> str:
    return hashlib.sha256("\0".join([str(seed), *texts]).encode()).hexdigest()


def _named(places: list[list[Mutation]]) -> Iterator[tuple[str, list[Mutation]]]:
    """Places with a name: file, text, and which of the places with that text it is."""
    seen: Counter[str] = Counter()
    for place in places:
        text = f"{place[0].file}\0{place[0].before}"
        seen[text] += 1
        yield f"{text}\0{seen[text]}", place


def _places(mutations: list[Mutation]) -> list[list[Mutation]]:
    grouped: dict[tuple[int, int], list[Mutation]] = {}
    for mutation in mutations:
        grouped.setdefault((mutation.start, mutation.end), []).append(mutation)
    return list(grouped.values())


def _shares(sizes: dict[str, int], total: int) -> dict[str, int]:
    """Whole numbers in proportion to sizes, by largest remainders."""
    whole = sum(sizes.values())
    exact = {file: total * size / whole for file, size in sizes.items()}
    counts = {file: int(share) for file, share in exact.items()}
    missing = total - sum(counts.values())
    for file in sorted(exact, key=lambda f: (counts[f] - exact[f], f))[:missing]:
        counts[file] += 1
    return counts
