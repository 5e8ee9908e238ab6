"""--kms-report: a page about a run, looked at with a real browser."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import browser
import pytest

if TYPE_CHECKING:
    from selenium.webdriver.chrome.webdriver import WebDriver
    from selenium.webdriver.remote.webelement import WebElement

RunSuite = Callable[..., pytest.RunResult]
RecordOf = Callable[..., dict[str, Any]]

# The page itself


@pytest.mark.parametrize("workers", [0, 2])
def test_a_page_is_written(run_suite: RunSuite, pytester: pytest.Pytester, workers: int) -> None:
    """In a folder that need not be there; the terminal says where."""
    result = run_suite("def test_it(kms): kms.client.list_keys()", "--kms-report=made/kms.html", workers=workers)

    assert ["pytest-kms: report in made/kms.html"] == [
        line.strip("- ") for line in result.outlines if "report in" in line
    ]
    assert (pytester.path / "made/kms.html").read_text().startswith("<!doctype html>\n")


def test_one_record_serves_all(run_suite: RunSuite, pytester: pytest.Pytester) -> None:
    """A summary, a page and JUnit properties may be asked for together."""
    run_suite("def test_it(kms): kms.client.list_keys()", "--kms-summary", "--kms-report=kms.html", "-o", "kms_junit=1")

    assert '"made"' in (pytester.path / "kms.html").read_text()


def test_a_page_needs_nothing_else(record_of: RecordOf, pytester: pytest.Pytester) -> None:
    """It names no address, and forbids itself to load anything."""
    record_of("def test_it(kms): kms.client.list_keys()")
    page = (pytester.path / "report.html").read_text()

    assert "default-src 'none'" in page
    assert not [word for word in ("http:", "https:", "//cdn", "@import", "{{") if word in page]


def test_names_cannot_end_the_data(record_of: RecordOf, pytester: pytest.Pytester) -> None:
    """What a test calls things stands in the page as JSON without a character that HTML knows."""
    evil = "</script><script>alert(1)</script>&{{script}}"
    data = record_of(
        f"""
        def test_it(kms):
            kms.create_key("orders")
            kms.client.encrypt(KeyId="alias/orders", Plaintext=b"x", EncryptionContext={{"name": {evil!r}}})
        """
    )

    assert {"name": evil} == data["calls"][0]["uses"][0][2]
    page = (pytester.path / "report.html").read_text()
    assert 2 == page.count("</script>")


def test_the_parts_of_the_page_are_in_the_package() -> None:
    """They are read from it, also where it is installed from a wheel."""
    names = {file.name for file in resources.files("pytest_kms.suite").iterdir()}

    assert {"report.html", "report.css", "report.js"} <= names


# in a browser

SUITE = """
import pytest
from pytest_kms import fake_kms

ALLOWED = {"Effect": "Allow", "Action": "kms:Encrypt", "Resource": "*"}

@pytest.fixture(autouse=True)
def orders(kms):
    kms.create_key("orders"), kms.create_key("archive")
    kms.clock.freeze()  # a slow machine makes no gaps

def encrypt(kms, alias="alias/orders", **context):
    return kms.client.encrypt(KeyId=alias, Plaintext=b"x", EncryptionContext=context)["CiphertextBlob"]

def test_seals(kms):
    blob = encrypt(kms, tenant="acme")
    kms.client.decrypt(CiphertextBlob=blob, EncryptionContext={"tenant": "acme"})
    encrypt(kms, "alias/archive", tenant="other")

def test_is_denied(kms):
    policy = {"Version": "2012-10-17", "Statement": [ALLOWED]}
    app = kms.client_for(kms.principal("role/app", policy=policy))
    with pytest.raises(app.exceptions.ClientError):
        app.generate_data_key(KeyId="alias/orders", KeySpec="AES_256")

def test_waits(kms):
    kms.throttle("Encrypt")
    encrypt(kms)
    kms.clock.advance(days=30)
    with pytest.raises(kms.client.exceptions.NotFoundException):
        encrypt(kms, "alias/nowhere")

@pytest.mark.parametrize("name", ["<img src=x onerror=document.title='pwned'>"])
def test_evil(kms, name):
    encrypt(kms, **{name: "</script><script>document.title='pwned'</script>"})

def test_many(kms):
    for number in range(230):
        encrypt(kms, number=f"{number}")

@pytest.mark.parametrize("number", range(25))
def test_lists(kms, number):
    kms.client.list_keys()
"""
ALL = 3 + 1 + 2 + 1 + 230 + 25


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the page of a suite."""
    folder = tmp_path_factory.mktemp("pages")
    (folder / "test_orders.py").write_text(SUITE)
    (folder / "pytest.ini").write_text("[pytest]\nkms_region = us-east-1\n")
    alone = ("-p", "no:randomly", "-p", "no:asyncio", "-p", "no:cacheprovider")
    options = ["-q", *alone, f"--rootdir={folder}", "--kms-report=kms.html"]
    subprocess.run([sys.executable, "-m", "pytest", *options], cwd=folder, check=True, capture_output=True)  # noqa: S603
    return folder / "kms.html"


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebDriver]:
    """Open a browser for the tests of this module."""
    if browser.missing():
        pytest.skip(f"no browser here: {' and '.join(browser.missing())} missing")
    pytest.importorskip("selenium", reason="no selenium here")
    driver = browser.open_browser(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


class Page:
    """What a person does with the page, and sees."""

    def __init__(self, driver: WebDriver, file: Path) -> None:
        self.driver = driver
        self.file = file

    def open(self, fragment: str = "") -> None:
        """Open the page anew."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.file.as_uri()}{fragment}")

    def all(self, selector: str) -> list[WebElement]:
        """Find elements."""
        return self.driver.find_elements("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """Return the texts of elements."""
        return [element.text for element in self.all(selector)]

    def choose(self, name: str, text: str) -> None:
        """Choose an option of the filter."""
        from selenium.webdriver.support.ui import Select

        Select(self.all(f"#{name}")[0]).select_by_visible_text(text)

    def fill(self, text: str) -> None:
        """Write into the search field."""
        self.all("#q")[0].clear()
        self.all("#q")[0].send_keys(text)

    def log(self, kind: str) -> list[dict[str, Any]]:
        """Return what the browser has noted since it was last asked."""
        driver: Any = self.driver
        noted: list[dict[str, Any]] = driver.get_log(kind)
        return noted

    @property
    def shown(self) -> str:
        """How many calls are shown."""
        return self.texts("#shown")[0]

    @property
    def fragment(self) -> str:
        """What the address says of the filter."""
        return self.driver.current_url.partition("#")[2]


@pytest.fixture
def page(chromium: WebDriver, page_file: Path) -> Page:
    """Open the page without a filter."""
    opened = Page(chromium, page_file)
    opened.open()
    return opened


def test_the_page_opens_without_complaints(page: Page) -> None:
    """It asks for nothing but itself, and is titled as it was."""
    page.log("performance")
    page.log("browser")
    page.open()
    messages = [json.loads(entry["message"])["message"] for entry in page.log("performance")]
    asked = [one["params"]["request"]["url"] for one in messages if one["method"] == "Network.requestWillBeSent"]

    assert {page.file.as_uri()} == {url for url in asked if not url.startswith(("about:", "data:"))}
    assert [] == page.log("browser")
    assert 0 == page.driver.execute_script("return performance.getEntriesByType('resource').length")
    assert "KMS calls of a test run" == page.driver.title


def test_the_header_has_the_totals(page: Page) -> None:
    """A glance tells what there was."""
    totals = dict(zip(page.texts("#totals dt"), page.texts("#totals dd"), strict=True))

    assert "30 tests ran, 30 of them called KMS" == page.texts("#about")[0].partition(" · ")[0]
    assert {
        "calls": f"{ALL}",
        "keys used": "2",
        "errors": "1",
        "denied": "1",
        "throttled attempts": "1",
        "these calls at AWS": "$0.0008",
        "keys a month": "$2.00",
    } == totals
    assert not page.all("#lost")[0].is_displayed()


def test_the_timeline_has_a_lane_for_each_test(page: Page) -> None:
    """A mark for each call, coloured by its outcome; the time that passed; long ones come in parts, lanes in pages."""
    assert ["test_seals", "test_is_denied", "test_waits"] == page.texts(".lane .name b")[:3]
    assert 20 == len(page.all(".lane"))
    lanes = [lane.find_elements("css selector", ".track > *") for lane in page.all(".lane")]
    assert ["tick ok"] * 3 == [mark.get_attribute("class") for mark in lanes[0]]
    assert ["tick denied"] == [mark.get_attribute("class") for mark in lanes[1]]
    assert ["tick retried", "gap", "tick error"] == [mark.get_attribute("class") for mark in lanes[2]]
    assert "30 days" == lanes[2][1].text
    assert (201, "30 more") == (len(lanes[4]), lanes[4][-1].text)
    lanes[4][-1].click()
    assert 230 == len(page.all(".lane")[4].find_elements("css selector", ".tick"))
    assert "1 to 20 of 30" in page.texts("#timeline-pages")[0]
    page.all("#timeline-pages button")[1].click()
    assert 10 == len(page.all(".lane"))
    page.all("#timeline-pages button")[0].click()
    assert 20 == len(page.all(".lane"))


def test_a_mark_tells_its_call(page: Page) -> None:
    """Under the pointer, by the keyboard, and by a link."""
    from selenium.webdriver.common.action_chains import ActionChains
    from selenium.webdriver.common.keys import Keys

    assert "Point at a mark" in page.texts("#call")[0]
    ActionChains(page.driver).move_to_element(page.all(".tick[data-call='1']")[0]).perform()
    assert "2. Decrypt" == page.texts("#call h3")[0]
    first = page.all(".tick[data-call='0']")[0]
    page.driver.execute_script("arguments[0].focus()", first)
    assert "0" == first.get_attribute("tabIndex")
    ActionChains(page.driver).send_keys(Keys.ARROW_DOWN).perform()
    facts = dict(zip(page.texts("#call dt"), page.texts("#call dd"), strict=True))
    assert "4. GenerateDataKey" == page.texts("#call h3")[0]
    assert "AccessDeniedException" == facts["error"]
    assert "does not cover kms:GenerateDataKey" in facts["why"]
    ActionChains(page.driver).send_keys(Keys.ARROW_UP, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).perform()
    assert "3. Encrypt" == page.texts("#call h3")[0]
    ActionChains(page.driver).send_keys(Keys.ARROW_LEFT, Keys.ENTER).perform()
    assert ("2. Decrypt", "call=2") == (page.texts("#call h3")[0], page.fragment)
    page.open("#call=2")
    assert "2. Decrypt" == page.texts("#call h3")[0]
    assert ["1"] == [mark.get_attribute("data-call") for mark in page.all(".tick.current")]


def test_keys_denials_quotas_and_costs_are_shown(page: Page) -> None:
    """Each in its section."""
    rows = [[cell.text for cell in row.find_elements("css selector", "td")] for row in page.all("#keys tbody tr")]
    assert ["alias/orders", "alias/archive"] == [row[0] for row in rows]
    assert ["235", "Encrypt 233, Decrypt 1, GenerateDataKey 1"] == rows[0][2:4]
    assert ["user/tester 234, assumed-role/app/pytest-kms 1", "5"] == rows[0][4:]
    app = "arn:aws:sts::123456789012:assumed-role/app/pytest-kms"
    assert f"GenerateDataKey alias/orders by {app}" == page.texts(".denial p")[0]
    assert "Cryptographic operations (symmetric) request rate" in page.texts(".peak b")
    assert "230 of 100,000 · 0.23 %" in page.texts(".peak span")
    costs = [[cell.text for cell in row.find_elements("css selector", "td")] for row in page.all("#costs tr")[1:]]
    assert ["Encrypt", "235", "$0.0300", "$0.0007"] == costs[0]
    assert ["", f"{ALL}", "", "$0.0008"] == costs[-1]


def test_the_calls_come_in_pages(page: Page) -> None:
    """However many there are, the page stays small."""
    assert 50 == len(page.all("#calls tbody tr"))
    assert page.driver.execute_script("return document.querySelectorAll('*').length") < 2_000


def test_the_filter_works(page: Page) -> None:
    """By each of its parts, by all together, and back."""
    assert f"{ALL} of {ALL} calls" == page.shown
    page.choose("key", "alias/archive")
    assert f"1 of {ALL} calls" == page.shown
    page.choose("key", "all keys")
    page.choose("operation", "ListKeys")
    assert (f"25 of {ALL} calls", ["ListKeys"]) == (page.shown, page.texts("#costs tbody button"))
    page.choose("operation", "all operations")
    page.choose("test", "test_orders.py::test_seals")
    assert (f"3 of {ALL} calls", ["test_seals"]) == (page.shown, page.texts(".lane .name b"))
    page.choose("operation", "Encrypt")
    assert f"2 of {ALL} calls" == page.shown
    page.fill("ACME encrypt")
    assert (f"1 of {ALL} calls", "tenant: acme") == (page.shown, page.texts("#calls tbody td")[3])
    page.choose("key", "alias/archive")
    assert (f"0 of {ALL} calls", ["No call fits the filter."]) == (page.shown, page.texts("#timeline .nothing"))
    page.all("#reset")[0].click()
    assert (f"{ALL} of {ALL} calls", "") == (page.shown, page.fragment)
    page.choose("outcome", "answered after retries")
    assert (f"1 of {ALL} calls", "outcome=retried") == (page.shown, page.fragment)


def test_what_is_seen_can_be_linked(page: Page) -> None:
    """The address holds the filter; another address in the same page is followed, too."""
    page.choose("operation", "Encrypt")
    page.choose("test", "test_orders.py::test_seals")
    page.fill("tenant")
    assert "q=tenant&operation=Encrypt&test=test_orders.py%3A%3Atest_seals" == page.fragment
    page.open(f"#{page.fragment}")
    assert f"2 of {ALL} calls" == page.shown
    assert "tenant" == page.all("#q")[0].get_attribute("value")
    page.driver.execute_script("location.hash = 'operation=ListKeys'")
    page.driver.execute_async_script("setTimeout(arguments[0])")
    assert f"25 of {ALL} calls" == page.shown


def test_names_on_the_page_filter_by_themselves(page: Page) -> None:
    """A test, a key, an operation: pressing one shows only what belongs to it."""
    page.all(".lane .name")[0].click()
    assert ("test=test_orders.py%3A%3Atest_seals", f"3 of {ALL} calls") == (page.fragment, page.shown)
    page.all("#keys button")[0].click()
    assert f"2 of {ALL} calls" == page.shown
    page.all("#costs button")[0].click()
    assert f"1 of {ALL} calls" == page.shown


def test_names_are_never_read_as_html(page: Page) -> None:
    """A test or a context may be called anything."""
    page.fill("onerror")
    page.all("#timeline .tick")[0].click()

    assert f"1 of {ALL} calls" == page.shown
    assert "</script><script>document.title='pwned'</script>" in page.texts("#calls tbody td")[3]
    assert "<img src=x onerror=document.title='pwned'>" in page.texts("#call")[0]
    assert [] == page.all("img, main script")
    assert "KMS calls of a test run" == page.driver.title


def test_the_page_is_dark_where_the_reader_likes_it(page: Page) -> None:
    """As the system says."""
    colour = "return getComputedStyle(document.body).backgroundColor"
    light = page.driver.execute_script(colour)
    feature = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": feature})
    dark = page.driver.execute_script(colour)
    page.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    assert ("rgb(246, 247, 249)", "rgb(17, 21, 27)") == (light, dark)


def test_a_page_of_nothing_says_so(chromium: WebDriver, record_of: RecordOf, pytester: pytest.Pytester) -> None:
    """A run without calls has a page, too."""
    record_of("def test_it(kms): pass")
    empty = Page(chromium, pytester.path / "report.html")
    empty.open()

    assert ["Nothing called KMS."] == empty.texts("#timeline .nothing")
    assert ["Nothing was denied.", "No call counted in a quota."] == empty.texts("#denials p, #peaks p")
