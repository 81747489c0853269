"""The page in a real browser: nothing complains, and the page itself never scrolls sideways."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.experiments.figures.report.pages import written
from tests.experiments.finished import experiment

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
WIDE = "document.documentElement.scrollWidth"
LOOK = """<script>addEventListener("load", () => {
  const all = [...document.images];
  document.title = [innerWidth, %s, all.length, all.filter(i => i.naturalWidth > 0).length];
  for (const d of document.querySelectorAll("details")) d.open = true;
  document.title += " " + %s;
})</script></body>"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("results")
    experiment(place, folds=2, seeds=1)
    written(place)
    return place / "report.html"


def browse(page: Path, width: int, place: Path, *flags: str) -> tuple[str, list[str]]:
    """Return the page's own HTML after loading, and what its console said."""
    assert BROWSER is not None
    done = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
         f"--user-data-dir={place}", f"--window-size={width},900", *flags, "--dump-dom",
         page.as_uri()],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]


@pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(NAMES)} is installed")
@pytest.mark.parametrize("width", [500, 1280])  # no window is narrower than 500
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_without_complaint(
    page: Path, tmp_path: Path, width: int, scheme: str
) -> None:
    dark = ["--force-dark-mode", "--blink-settings=preferredColorScheme=0"]
    dom, said = browse(page, width, tmp_path, *(dark if scheme == "dark" else []))
    assert not said
    assert "</html>" in dom


@pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(NAMES)} is installed")
@pytest.mark.parametrize("width", [500, 1280])
def test_only_tables_scroll_sideways(page: Path, tmp_path: Path, width: int) -> None:
    looked = tmp_path / "looked.html"  # the same page, measured by a script of ours
    text = page.read_text().replace("default-src 'none'", "script-src 'unsafe-inline'")
    looked.write_text(text.replace("</body>", LOOK % (WIDE, WIDE)))
    dom, _ = browse(looked, width, tmp_path / "profile")
    (title,) = re.findall(r"<title>(.*?)</title>", dom)
    inner, wide, images, drawn, opened = map(int, re.findall(r"\d+", title))
    assert wide <= inner
    assert opened <= inner
    assert images == drawn > 0


@pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(NAMES)} is installed")
def test_a_complaint_would_be_seen(page: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace("</body>", "<script>oops()</script></body>"))
    _, said = browse(broken, 500, tmp_path / "profile")
    assert said  # the page allows no script, and the browser says that it did not run one
