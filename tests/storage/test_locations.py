"""Files by their place: whole, in order, ahead of their need; what goes wrong is told in words, and no secret is."""

import http.server
import threading
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headstart.errors import LocationError, MissingExtraError
from headstart.storage import filesystems, locations
from headstart.storage.locations import Listed, delete, exists, fetched, list_files, read, read_ahead, size_of, write
from headstart.storage.url_path import Url, name_of, place_of
from headstart.storage.urls import check_no_secrets, is_url, split_member, without_secrets

KINDS = ("disk", "file", "memory", "s3")


@pytest.fixture(params=KINDS)
def root(request, tmp_path, object_store):
    name = tmp_path.name
    roots = {"disk": str(tmp_path), "file": f"file://{tmp_path}", "memory": f"memory://{name}"}
    return roots.get(request.param) or f"{object_store.url}/{name}"


@pytest.fixture
def web(tmp_path):
    """A server of a folder, with pages that list it."""

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format, *args):
            pass

    folder = tmp_path / "web"
    folder.mkdir()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_what_is_written_is_read_listed_and_removed(root):
    names = ["a/b c.jpg", "a/d.jpg", "a/e/f#g.jpg", "h.jpg"]
    for name in names:
        write(f"{root}/{name}", name.encode())
    assert [read(f"{root}/{name}") for name in names] == [name.encode() for name in names]
    listed = list(list_files(root))
    assert sorted(each.place for each in listed) == [f"{root}/{name}" for name in names]
    assert {each.size for each in listed if each.place.endswith("h.jpg")} == {5}
    assert all(each.version for each in listed)
    assert [each.place for each in list_files(f"{root}/a/e")] == [f"{root}/a/e/f#g.jpg"]
    assert (exists(f"{root}/h.jpg"), exists(f"{root}/a"), exists(f"{root}/none")) == (True, False, False)
    write(f"{root}/h.jpg", b"other")
    assert read(f"{root}/h.jpg") == b"other"
    delete(f"{root}/h.jpg")
    delete(f"{root}/h.jpg")
    with pytest.raises(FileNotFoundError):
        read(f"{root}/h.jpg")


def test_a_version_changes_with_the_content(root):
    write(f"{root}/x", b"one")
    [first] = list_files(root)
    write(f"{root}/x", b"two")
    [second] = list_files(root)
    assert first.version != second.version


def test_a_write_that_fails_leaves_what_was_there(tmp_path, monkeypatch):
    write(tmp_path / "x", b"before")
    monkeypatch.setattr(Path, "replace", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left on device")))
    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "x", b"after")
    assert [path.name for path in tmp_path.iterdir()] == ["x"]
    assert read(tmp_path / "x") == b"before"


def test_a_bucket_is_listed_page_by_page(object_store, tmp_path, monkeypatch):
    url = f"{object_store.url}/{tmp_path.name}"
    for number in range(5):
        write(f"{url}/{number}.jpg", b"x")
    opened, _ = filesystems.filesystem(url)
    pages = []

    def call(method, **asked):
        pages.append(asked)
        return ask(method, MaxKeys=2, **asked)

    ask = opened.call_s3
    monkeypatch.setattr(opened, "call_s3", call)
    listing = list_files(url)
    assert next(listing).place == f"{url}/0.jpg"
    assert len(pages) == 1
    assert [each.place for each in listing] == [f"{url}/{number}.jpg" for number in range(1, 5)]
    assert len(pages) == 3


@pytest.fixture
def flaky():
    """A server that answers 503 so often, before it gives a file; and how often it was asked for each."""
    asked, fails = Counter(), 2

    class Handler(http.server.BaseHTTPRequestHandler):
        def log_message(self, format, *args):
            pass

        def do_GET(self):
            asked[self.path] += 1
            is_well = asked[self.path] > fails and "never" not in self.path
            self.send_response(200 if is_well else 503)
            self.send_header("Content-Length", "4" if is_well else "0")
            self.end_headers()
            if is_well:
                self.wfile.write(b"here")

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield asked, f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def test_a_web_server_that_fails_for_now_is_asked_again(flaky, monkeypatch):
    asked, url = flaky
    monkeypatch.setattr(filesystems, "WAITS", (0.01,) * 4)
    monkeypatch.setattr(filesystems, "_given_up", {})
    assert read(f"{url}/a.jpg") == b"here"
    assert list(read_ahead([f"{url}/{name}.jpg" for name in "bcd"])) == [b"here"] * 3
    assert asked["/a.jpg"] == 3
    with pytest.raises(OSError, match="answers 503"):
        read(f"{url}/never.jpg")
    assert asked["/never.jpg"] == 5
    with pytest.raises(OSError, match="answers 503"):  # it was given up, for a minute
        read(f"{url}/never2.jpg")
    assert asked["/never2.jpg"] == 1


def test_pages_of_a_web_server_are_listed(web):
    folder, url = web
    for name in ("my class/a b.jpg", "my class/ü.jpg", "other/deep/c.jpg", "d.jpg"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(name.encode())
    found = {"/".join(Url(each.place).parts[1:]): each.place for each in list_files(url)}
    assert sorted(found) == ["d.jpg", "my class/a b.jpg", "my class/ü.jpg", "other/deep/c.jpg"]
    assert [read(place) for place in found.values()] == [name.encode() for name in found]
    assert size_of(f"{url}/d.jpg") == 5
    with pytest.raises(FileNotFoundError):
        read(f"{url}/none.jpg")
    with pytest.raises(LocationError, match="only gives"):
        write(f"{url}/new.jpg", b"")


def test_a_password_comes_from_netrc_and_is_not_told(tmp_path, monkeypatch):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            is_known = self.headers.get("Authorization") == "Basic bWU6Z2VoZWlt"  # me:geheim
            self.send_response(200 if is_known else 401)
            self.end_headers()
            self.wfile.write(b"photo")

        def log_message(self, format, *args):
            pass

    netrc = tmp_path / "netrc"
    monkeypatch.setenv("NETRC", str(netrc))
    netrc.write_text("machine elsewhere login me password geheim\n")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}/x.jpg"
        with pytest.raises(PermissionError, match="401"):
            read(url)
        netrc.write_text("machine 127.0.0.1 login me password geheim\n")
        assert read(url) == b"photo"
        server.shutdown()


def test_a_web_server_that_is_away_concerns_its_photo_alone():
    with pytest.raises(OSError, match="Cannot connect"):
        read("http://127.0.0.1:9/x.jpg")


def test_a_bucket_that_does_not_exist(object_store):
    for act in (lambda: read("s3://no-such/x"), lambda: list(list_files("s3://no-such"))):
        with pytest.raises(LocationError, match="no such bucket"):
            act()


def test_no_credentials(object_store, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    import s3fs

    monkeypatch.setattr(filesystems, "_opened", lambda *_: s3fs.S3FileSystem(skip_instance_cache=True))
    with pytest.raises(LocationError, match="AWS_PROFILE"):
        read(f"{object_store.url}/x")


class RefusedError(PermissionError):
    """As s3fs raises it. code: of S3."""

    def __init__(self, code):
        super().__init__("The AWS Access Key Id AKIAXYZ does not exist")
        self.response = {"Error": {"Code": code}}


@pytest.mark.parametrize(
    ("raised", "expected", "words"),
    [
        (RefusedError("InvalidAccessKeyId"), LocationError, "refuses the credentials .InvalidAccessKeyId."),
        (RefusedError("ExpiredToken"), LocationError, "have not expired"),
        (RefusedError("AccessDenied"), PermissionError, "no right"),
        (TimeoutError(), LocationError, "no answer in time"),
        (ConnectionError("https://me:geheim@host/x?sig=geheim failed"), LocationError, "cannot be reached"),
    ],
)
def test_errors_are_told_in_words(raised, expected, words):
    with pytest.raises(expected, match=words) as caught, filesystems.told("s3://bucket/x.jpg"):
        raise raised
    assert "geheim" not in str(caught.value)
    assert "AKIAXYZ" not in str(caught.value)


@pytest.mark.parametrize("scheme", ["gs", "az", "hf", "s3"])
def test_a_library_that_is_missing_is_named(scheme, monkeypatch):
    import fsspec

    def missing(*_, **__):
        raise ImportError("no such library")

    filesystems._opened.cache_clear()
    monkeypatch.setattr(fsspec, "filesystem", missing)
    with pytest.raises(MissingExtraError, match=r"pip install 'headstart\[remote\]'"):
        read(f"{scheme}://bucket/x")
    filesystems._opened.cache_clear()


def test_unknown_schemes_and_secrets_are_refused():
    with pytest.raises(LocationError, match="'ftp://'"):
        place_of("ftp://host/x")
    for url in ("s3://key:geheim@bucket/x", "https://host/x.jpg?X-Amz-Signature=geheim", "az://b/x?sig=geheim"):
        for act in (
            check_no_secrets,
            place_of,
            read,
            lambda url: list(list_files(url)),
            lambda url: place_of(Url(url)),
        ):
            with pytest.raises(LocationError) as caught:
                act(url)
            assert "geheim" not in str(caught.value)
    assert str(place_of("https://host/x.jpg?w=640&page=2")) == "https://host/x.jpg?w=640&page=2"


SECRET = st.text("abcdefXYZ0189", min_size=6)
NAMES = st.sampled_from(
    ["sig", "Signature", "X-Amz-Credential", "x-goog-signature", "access_token", "api_key", "AWSAccessKeyId"]
)


@given(SECRET.map("sec".__add__), NAMES, st.text("abc/.%20", max_size=9))
def test_no_secret_is_shown(secret, name, path):
    for url in (f"s3://me:{secret}@host/{path}", f"https://host/{path}?w=1&{name}={secret}"):
        shown = without_secrets(url)
        assert secret not in shown
        assert without_secrets(shown) == shown


@given(st.text("abc:/\\.#", max_size=12))
def test_local_paths_are_no_urls(text):
    assert is_url(text) == ("://" in text and text.partition("://")[0].isalpha() and len(text.partition("://")[0]) > 1)


def test_members_are_told_from_names_with_a_number_sign():
    assert split_member("s3://b/x.tar#a/b.jpg") == ("s3://b/x.tar", "a/b.jpg")
    assert split_member("photos.parquet#17") == ("photos.parquet", "17")
    assert split_member("s3://b/photo#1.jpg") == ("s3://b/photo#1.jpg", None)


def test_a_url_that_has_become_a_path_is_a_url_again():
    for url in ("s3://bucket/photos", "https://host/photos", "file:///tmp/photos"):
        assert str(place_of(Path(url))) == url
    assert place_of("C:/photos") == Path("C:/photos")
    assert place_of("photos") == Path("photos")


def test_a_url_answers_like_a_path():
    url = Url("s3://bucket/photos") / "cats" / "a.b.jpg"
    assert (url.name, url.stem, url.suffix, str(url.parent)) == ("a.b.jpg", "a.b", ".jpg", "s3://bucket/photos/cats")
    assert url.relative_to(Url("s3://bucket")).as_posix() == "photos/cats/a.b.jpg"
    assert url == Url("s3://bucket", "photos/cats/a.b.jpg")
    assert hash(url) == hash(Url("s3://bucket", "photos/cats/a.b.jpg"))
    with pytest.raises(ValueError, match="not below"):
        url.relative_to(Url("s3://other"))
    assert str(Url("http://host/a") / "b c") == "http://host/a/b%20c"
    assert [name_of(place) for place in ("s3://b/t.tar#x/y.jpg", "https://h/a%20b.jpg", "/x/y.png")] == [
        "y.jpg", "a b.jpg", "y.png"
    ]  # fmt: skip


# Reading ahead


def test_files_are_read_ahead_in_order_and_never_too_many(monkeypatch):
    write("memory://ahead/0", b"0")
    lock, begun, now, most = threading.Lock(), [], [0], [0]
    many = threading.Event()

    def slowly(place):
        with lock:
            begun.append(place)
            now[0] += 1
            most[0] = max(most[0], now[0])
            if now[0] == 4:
                many.set()
        many.wait(5)
        with lock:
            now[0] -= 1
        return place.encode()

    monkeypatch.setattr(locations, "read", slowly)
    places = [f"memory://ahead/{number}" for number in range(20)]
    contents = fetched(iter(places), at_once=4)
    first = next(contents)
    assert first is not None
    assert first() == b"memory://ahead/0"
    assert len(begun) < 10
    assert [content() for content in contents if content] == [place.encode() for place in places[1:]]
    assert most == [4]


def test_reading_ahead_ends_where_nobody_wants_the_rest(monkeypatch):
    begun = []
    monkeypatch.setattr(locations, "read", lambda place: begun.append(place) or b"")
    contents = fetched((f"memory://x/{number}" for number in range(1000)), at_once=2)
    next(contents)
    contents.close()
    assert len(begun) <= 5


def test_a_local_path_is_left_to_its_reader():
    assert list(fetched(["/some/path", "other"])) == [None, None]


def test_missing_files_are_told_in_their_place(tmp_path):
    write("memory://some/a", b"a")
    write(tmp_path / "b", b"b")
    found = list(read_ahead(["memory://some/a", "memory://some/none", tmp_path / "b", tmp_path / "none"]))
    assert [found[0], found[2]] == [b"a", b"b"]
    assert [type(each) for each in (found[1], found[3])] == [FileNotFoundError, FileNotFoundError]


def test_listed_is_what_others_rely_on():
    assert Listed._fields == ("place", "size", "version")
