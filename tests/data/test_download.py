"""Downloads, tried against a server on this machine: the right file whole, or none."""

import gzip
import hashlib
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from pcmodel.data import images as images_module
from pcmodel.data.download import Remote, data_folder, fetch
from pcmodel.data.published import MNIST
from pcmodel.errors import UserError
from tests.data.image_files import IDX_NAMES, idx_arrays, idx_bytes

CONTENT = gzip.compress(b"what was published" * 1000)


class Handler(SimpleHTTPRequestHandler):
    """Serves a folder; under /short/ it hangs up before the end."""

    def log_message(self, format, *args):
        pass

    def do_GET(self):
        self.server.requests.append(self.path)
        if not self.path.startswith("/short/"):
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[:20])
        self.close_connection = True


@pytest.fixture
def server(tmp_path):
    """A running server, whose folder is `served`."""
    (tmp_path / "served").mkdir()
    handler = partial(Handler, directory=str(tmp_path / "served"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as running:
        running.requests = []
        running.served = tmp_path / "served"
        running.address = f"http://127.0.0.1:{running.server_port}"
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        yield running
        running.shutdown()
        thread.join()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")


def checksum(content, kind="sha256"):
    return f"{kind}:{hashlib.new(kind, content).hexdigest()}"


def remote(server, *places, content=CONTENT, **changes):
    addresses = tuple(f"{server.address}/{place}file.gz" for place in places or ("",))
    return Remote("file.gz", addresses, checksum(content))._replace(**changes)


def files_in(folder):
    return [path for path in Path(folder).rglob("*") if path.is_file()]


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_the_published_file_arrives_whole_and_only_once(server, tmp_path, kind):
    (server.served / "file.gz").write_bytes(CONTENT)
    wanted = remote(server, checksum=checksum(CONTENT, kind))
    for _ in range(2):
        path = fetch(wanted, tmp_path / "kept")
        assert path == tmp_path / "kept" / "file.gz" and path.read_bytes() == CONTENT
    assert len(server.requests) == 1 and files_in(tmp_path / "kept") == [path]


def test_a_file_of_the_users_is_never_replaced(server, tmp_path):
    """Prevents a copy that differs in a few bytes from being overwritten."""
    (server.served / "file.gz").write_bytes(CONTENT)
    (tmp_path / "file.gz").write_bytes(b"mine")
    assert fetch(remote(server), tmp_path).read_bytes() == b"mine"
    assert server.requests == []


def test_another_checksum_leaves_nothing_and_names_what_was_expected(server, tmp_path):
    """Prevents learning from a file that someone exchanged."""
    (server.served / "file.gz").write_bytes(CONTENT[:-1])
    wanted = remote(server)
    with pytest.raises(UserError) as caught:
        fetch(wanted, tmp_path / "kept")
    message = str(caught.value)
    assert message.startswith("file.gz: ") and wanted.checksum in message
    assert server.address in message and str(tmp_path / "kept") in message
    assert files_in(tmp_path / "kept") == []


def test_a_connection_that_breaks_off_leaves_nothing(server, tmp_path):
    with pytest.raises(UserError, match="broke off"):
        fetch(remote(server, "short/"), tmp_path / "kept")
    assert files_in(tmp_path / "kept") == []


def test_a_missing_file_is_told_from_a_missing_connection(server, tmp_path):
    with pytest.raises(UserError, match="the server answers 404"):
        fetch(remote(server), tmp_path / "kept")
    nobody = remote(server, addresses=("http://127.0.0.1:9/file.gz",))
    with pytest.raises(UserError, match="no connection") as caught:
        fetch(nobody, tmp_path / "kept")
    for part in ("file.gz", "127.0.0.1:9", nobody.checksum, str(tmp_path / "kept")):
        assert part in str(caught.value)
    assert files_in(tmp_path / "kept") == []


def test_the_next_address_is_tried_when_one_fails(server, tmp_path):
    (server.served / "good").mkdir()
    (server.served / "bad").mkdir()
    (server.served / "good" / "file.gz").write_bytes(CONTENT)
    (server.served / "bad" / "file.gz").write_bytes(b"other")
    wanted = remote(server, "none/", "short/", "bad/", "good/", "unused/")
    assert fetch(wanted, tmp_path / "kept").read_bytes() == CONTENT
    assert len(server.requests) == 4
    with pytest.raises(UserError) as caught:
        fetch(remote(server, "none/", "bad/"), tmp_path / "elsewhere")
    assert f"{server.address}/none/" in str(caught.value)
    assert f"{server.address}/bad/" in str(caught.value)


def test_a_place_that_cannot_be_written_is_named(server, tmp_path):
    (server.served / "file.gz").write_bytes(CONTENT)
    (tmp_path / "kept").write_text("a file, no folder")
    with pytest.raises(UserError, match="cannot write there") as caught:
        fetch(remote(server), tmp_path / "kept" / "mnist")
    assert "PCMODEL_DATA" in str(caught.value)


def test_without_pooch_one_sentence_says_what_to_do(server, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pooch", None)
    with pytest.raises(UserError, match="needs the package pooch") as caught:
        fetch(remote(server), tmp_path)
    assert server.address in str(caught.value) and str(tmp_path) in str(caught.value)


def test_the_place_is_the_variables_then_the_users_cache(monkeypatch):
    assert data_folder({"PCMODEL_DATA": "/a", "XDG_CACHE_HOME": "/b"}) == Path("/a")
    assert data_folder({"XDG_CACHE_HOME": "/b"}) == Path("/b/pcmodel/data")
    assert data_folder({"PCMODEL_DATA": "~/c"}) == Path.home() / "c"
    assert data_folder({}) == Path.home() / ".cache" / "pcmodel" / "data"


def test_a_data_set_is_downloaded_read_and_kept(
    server, tmp_path, monkeypatch, capsys, caplog
):
    """The whole way, from an empty cache to images, and again without the net."""
    files = []
    for name, array in zip(IDX_NAMES, idx_arrays(), strict=True):
        content = gzip.compress(idx_bytes(array))
        (server.served / f"{name}.gz").write_bytes(content)
        address = f"{server.address}/{name}.gz"
        files.append(Remote(f"{name}.gz", (address,), checksum(content)))
    monkeypatch.setattr(images_module, "MNIST", MNIST._replace(files=tuple(files)))
    monkeypatch.setenv("PCMODEL_DATA", str(tmp_path / "kept"))
    first = images_module.load_mnist()
    told = capsys.readouterr().err
    assert told.count("download") == 8 and not caplog.records  # said once, not twice
    second = images_module.load_mnist()
    assert len(server.requests) == 4 and capsys.readouterr().err == ""
    for data in (first, second):
        np.testing.assert_array_equal(data.train_images[..., 0], idx_arrays()[0])
        np.testing.assert_array_equal(data.test_labels, idx_arrays()[3])
    assert len(files_in(tmp_path / "kept" / "mnist")) == 4


@pytest.mark.parametrize("name", ["MNIST", "FASHION_MNIST", "CIFAR10"])
def test_published_checksums_are_written_as_such(name):
    """Prevents a checksum that was cut in copying from refusing every download."""
    from pcmodel.data import published

    files = getattr(published, name).files
    for file in files:
        kind, _, digits = file.checksum.partition(":")
        assert len(digits) == 2 * hashlib.new(kind).digest_size
        assert set(digits) <= set("0123456789abcdef")
        assert all(address.endswith("/" + file.name) for address in file.addresses)
    assert len({file.checksum for file in files}) == len(files)
