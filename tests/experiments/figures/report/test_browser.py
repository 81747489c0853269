"""The page in a real browser: nothing complains, and the page itself never scrolls sideways."""

import re
import shutil
import subprocess
from html import escape
from pathlib import Path

import pytest

from tests.experiments.figures.report.pages import written
from tests.experiments.finished import experiment

NAMES = ("chromium", "chromium-browser", "google-chrome")
BROWSER = next(filter(None, map(shutil.which, NAMES)), None)
# The page in a frame as wide as a phone, since no window is narrower than 500.
FRAME = """<!DOCTYPE html><title>not loaded</title>
<iframe style="width:{width}px; height:800px; border:0" srcdoc="{page}"></iframe>
<script>document.querySelector("iframe").onload = event => {{
  const inner = event.target.contentDocument, wide = () => inner.documentElement.scrollWidth;
  const found = [inner.documentElement.clientWidth, wide()];
  for (const one of inner.querySelectorAll("details")) one.open = true;
  const drawn = [...inner.images].filter(image => image.naturalWidth > 0).length;
  document.title = [...found, wide(), inner.images.length, drawn];
}}</script>"""


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
@pytest.mark.parametrize("width", [390, 1280])
def test_only_tables_scroll_sideways(page: Path, tmp_path: Path, width: int) -> None:
    framed = tmp_path / "framed.html"
    framed.write_text(FRAME.format(width=width, page=escape(page.read_text())))
    dom, _ = browse(framed, 1400, tmp_path / "profile")
    (title,) = re.findall(r"<title>(.*?)</title>", dom)
    inner, wide, opened, images, drawn = map(int, title.split(","))
    assert width - 20 < inner <= width  # less a bar to scroll down
    assert inner == wide == opened
    assert images == drawn > 0


@pytest.mark.skipif(BROWSER is None, reason=f"none of {', '.join(NAMES)} is installed")
def test_a_complaint_would_be_seen(page: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.html"
    broken.write_text(page.read_text().replace("</body>", "<script>oops()</script></body>"))
    _, said = browse(broken, 500, tmp_path / "profile")
    assert said  # the page allows no script, and the browser says that it did not run one
