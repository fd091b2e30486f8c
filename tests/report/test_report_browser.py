"""The page in a browser: the system's Chromium, driven by playwright. Both may be missing; then these tests are skipped."""

import shutil

import pytest
from injections import INJECTIONS
from report_cases import METRICS, certificate, record, run_folder, summary

pytest.importorskip("plotly")
sync_api = pytest.importorskip("playwright.sync_api")
from rlsf_lightning.report import write_report  # noqa: E402

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(CHROMIUM is None, reason="no Chromium: apt-get install chromium")]


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page with all that it said and asked for."""

    def __init__(self, browser, path, **settings):
        self.page = browser.new_page(**settings)
        self.page.set_default_timeout(120_000)
        self.said, self.asked = [], []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: self.said.append(f"dialog {dialog.message}"))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        self.address = path.as_uri()

    def assert_quiet(self):
        assert self.said == []
        assert [url for url in self.asked if url != self.address and not url.startswith("data:")] == []


#: Among them numbers that are written with an exponent.
CURVES = [{**row, "kl": "-1.9e-6", "lr": f"{2e-4 * i}", "entropy": f"{3e12 * i}"} for i, row in enumerate(METRICS)]


def written(folder, records):
    run = run_folder(folder / "run", records, summary(), CURVES)
    write_report(run, folder / "report.html")
    return folder / "report.html"


FOUND = certificate("fail", ("unclosed_ring", "ring 1 is open", [[1, 3]]), dead=2)


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    program = certificate("fail", ("type", "no such name", [[6, 7]]))
    records = [
        record("CCO", certificate("pass"), step=0),
        record("CC1", FOUND, step=1, ref_logp=[-0.5, -0.25, 0.0, 0.0]),
        record("int a\nb;\n", program, step=2),
        record("C", certificate("abstain", witness={"error": "no time"}), step=3),
    ]
    return written(tmp_path_factory.mktemp("small"), records)


@pytest.mark.parametrize(
    "settings", [{"color_scheme": "light"}, {"color_scheme": "dark"}, {"viewport": {"width": 375, "height": 700}}]
)
def test_curves_are_drawn_nothing_is_said_and_nothing_asked_for(browser, small, settings):
    opened = Opened(browser, small, **settings)
    assert opened.page.locator(".chart svg.main-svg .scatterlayer path").count() > 2
    assert opened.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    opened.assert_quiet()


def test_keys_and_filters_lead_through_the_samples(browser, small):
    opened = Opened(browser, small)
    page = opened.page
    place = page.locator("#place")
    assert place.inner_text() == "4 of 4" and "no time" in page.locator("#sample").inner_text()
    page.keyboard.press("p")
    assert place.inner_text() == "3 of 4"
    assert page.locator("#sample .gutter").all_inner_texts() == ["1", "✗ 2", "3"]
    page.keyboard.press("ArrowLeft")
    assert page.locator("#sample .found").all_inner_texts() == ["C", "†11"]
    assert page.locator("#sample .dead").count() == 1
    assert page.locator("#sample .pos4").count() == 1
    page.get_by_label("change of log-probability").check()
    assert [e.get_attribute("class") for e in page.locator("#sample .token").all()] == [
        "token pos4",
        "token found",
        "token neg4 dead found",
        "token neg4",
    ]
    page.keyboard.press("p")
    assert "was not logged" in page.locator("#sample").inner_text()
    page.get_by_label("text").fill("INT A")
    assert place.inner_text() == "1 of 1"
    page.locator(".show-kind[data-kind=unclosed_ring]").click()
    assert place.inner_text() == "1 of 1" and "ring 1 is open" in page.locator("#sample").inner_text()
    page.get_by_label("step from").fill("2")
    assert place.inner_text() == "no sample matches"
    opened.assert_quiet()


def test_the_tokens_are_a_table_with_every_figure(browser, small):
    page = Opened(browser, small).page
    page.locator("select[name=kind]").select_option("unclosed_ring")
    page.get_by_text("The tokens as a table").click()
    page.locator("#sample table").wait_for()
    rows = [row.inner_text().split("\t") for row in page.locator("#sample table tr").all()]
    assert rows[0] == ["", "token", "reward", "advantage", "log-probability", "change of log-probability"]
    assert rows[3] == ["3 †", "1", "0", "0", "-0.25", "-0.25"]


def test_no_injection_runs_or_asks_for_anything(browser, tmp_path):
    records = []
    for number, text in enumerate(INJECTIONS):
        judged = certificate("fail", (text, text, [[0, 2], [1, 5]]), dead=0, witness={"error": text})
        records.append(record(text[:3000], judged, step=number, prompt=text, reference=text, id=text))
    opened = Opened(browser, written(tmp_path, records))
    tags = opened.page.evaluate(
        """() => {
            const seen = new Set();
            const count = document.querySelector("#place").textContent.split(" of ")[1];
            for (let i = 0; i < Number(count); i++) {
                document.querySelectorAll("#sample *").forEach((e) => seen.add(e.tagName.toLowerCase()));
                document.querySelector("#previous").click();
            }
            return [[...seen].sort(), count, window.pwned === undefined];
        }"""
    )
    assert tags == [
        ["b", "details", "div", "h3", "li", "ol", "p", "pre", "span", "summary", "sup"],
        str(len(records)),
        True,
    ]
    opened.page.evaluate("document.querySelectorAll('details').forEach((d) => { d.open = true; })")
    assert opened.page.evaluate("window.pwned") is None
    opened.assert_quiet()
