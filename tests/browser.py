"""Opens pages in a real Chromium and says what is wrong with them."""

from __future__ import annotations

import json
import os
import re
import shutil
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

from tests.needs import missing

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# What may stand in the text of a page only if something was not typeset.
RAW = re.compile(r"\\|\$|_\{|\^\{|&#|&lt;|</?m[a-z]+>|(Node|Piecewise|Tuple|Str|Symbol|Sum)\(")
# The last of these only show where something begins or ends, or say it to a screen reader.
INVISIBLE = {"\u2061", "\u2062", "\u2063", ""}

# Everything that can be measured of a page at once. What lies in a .scroll box may be wider than
# the page, but not cut off below; closed <details> have no boxes.
MEASURE = """() => {
  const text = e => e.textContent.trim();
  const box = e => { const r = e.getBoundingClientRect(); return [r.width, r.height, r.right]; };
  const maths = [...document.querySelectorAll('math')];
  const outer = [...document.body.querySelectorAll('*')].filter(e =>
    !e.parentElement.closest('.scroll') && !e.closest('svg, details:not([open]) > :not(summary)'));
  const rgba = c => { const v = c.match(/[\\d.]+/g).map(Number), one = c.startsWith('color(') ? 1 : 255;
    return [...v.slice(0, 3).map(x => x / one), v.length > 3 ? v[3] : 1]; };
  const over = ([r, g, b, a], under) => [r, g, b].map((x, n) => a * x + (1 - a) * under[n]);
  const grounds = new Map([[null, [1, 1, 1]]]);
  const ground = e => { if (!grounds.has(e)) grounds.set(e,
    over(rgba(getComputedStyle(e).backgroundColor), ground(e.parentElement))); return grounds.get(e); };
  const light = c => { const [r, g, b] = c.map(
    v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4); return .2126*r + .7152*g + .0722*b; };
  const contrast = e => { const under = ground(e), color = over(rgba(getComputedStyle(e).color), under);
    const [a, b] = [light(color), light(under)]; return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); };
  return {
    maths: maths.map(m => [...m.querySelectorAll('*')].map(e => [e.namespaceURI, e.localName])),
    math_boxes: maths.map(box),
    tokens: [...document.querySelectorAll('math mi, math mn, math mo, math mtext')].map(
      e => [text(e), ...box(e)]),
    errors: document.querySelectorAll('merror, parsererror').length,
    alts: maths.map(m => m.getAttribute('alttext')),
    visible: document.body.innerText,
    page_width: document.documentElement.scrollWidth,
    beyond: outer.map(e => [e.outerHTML.slice(0, 80), box(e)[2]]).filter(
      ([, right]) => right > document.documentElement.clientWidth + 1),
    cut_off: [...document.querySelectorAll('.scroll')].filter(
      e => e.scrollHeight > e.clientHeight + 1).map(e => e.outerHTML.slice(0, 120)),
    scrolled: [...document.querySelectorAll('.scroll')].filter(
      e => e.scrollWidth > e.clientWidth + 1 && !e.closest('details')).map(
      e => (e.querySelector('table') ? 'TABLE ' : '') + text(e).slice(0, 120)),
    contrast: [...document.body.querySelectorAll('p, a, b, th, td, h1, h2, h3, summary, mi, mo')].filter(
      e => text(e) && e.getClientRects().length).map(e => [e.outerHTML.slice(0, 80), contrast(e)]),
    headings: [...document.querySelectorAll('h1, h2, h3, h4')].map(e => +e.localName[1]),
    lang: document.documentElement.lang,
    ground: getComputedStyle(document.body).backgroundColor,
  };
}"""


def executable() -> str:
    """Return the path of a Chromium, or skip the test."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or missing("no Chromium is installed")


@contextmanager
def chromium() -> Iterator[Any]:
    """Start a headless Chromium."""
    path = executable()
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        missing("playwright is not installed: pip install '.[browser]'")
    with sync_playwright() as driver:
        # As root, as in most containers, Chromium runs without its sandbox or not at all.
        arguments = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = driver.chromium.launch(executable_path=path, args=arguments)
        try:
            yield browser
        finally:
            browser.close()


def measure(browser: Any, path: Path, width: int = 360, scheme: str = "light") -> dict[str, Any]:
    """Open a file and return what :data:`MEASURE` finds, with what the browser complained about."""
    context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    complaints: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: complaints.append(f"{message.type}: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    try:
        page.goto(path.as_uri())
        # As text: Playwright would check each of some 100,000 numbers and words one by one.
        found = json.loads(page.evaluate(f"() => JSON.stringify(({MEASURE})())"))
        return {**found, "complaints": complaints, "requests": requests}
    finally:
        context.close()


def faults(source: str, found: dict[str, Any], width: int) -> list[str]:
    """Return everything that is wrong with a page, in words."""
    expected = [ET.fromstring(element) for element in re.findall(r"<math.*?</math>", source, re.S)]
    wrong = [*found["complaints"], *(f"asks for {url}" for url in found["requests"][1:])]
    if len(found["maths"]) != len(expected):
        wrong.append(f"{len(found['maths'])} formulas instead of {len(expected)}")
    for number, (element, parsed) in enumerate(zip(expected, found["maths"], strict=False)):
        tags = [[MATHML, child.tag] for child in element.iter() if child is not element]
        if tags != parsed:
            wrong.append(f"formula {number} is not parsed as it is written: {element.get('alttext')}")
    for alt, (wide, high, _) in zip(found["alts"], found["math_boxes"], strict=True):
        if not alt:
            wrong.append("a formula without alttext")
        if not (wide > 0 and high > 0):
            wrong.append(f"formula without a size: {alt}")
    wrong += [f"nothing is seen of {t!r}" for t, w, h, _ in found["tokens"] if t not in INVISIBLE and not w]
    if found["errors"]:
        wrong.append("an error element")
    wrong += [f"raw text: {line!r}" for line in found["visible"].splitlines() if RAW.search(line)]
    if found["page_width"] > width:
        wrong.append(f"the page is {found['page_width']} wide instead of {width}")
    wrong += [f"reaches to {right:.0f}: {element}" for element, right in found["beyond"]]
    wrong += [f"cut off below: {element}" for element in found["cut_off"]]
    wrong += [f"contrast {value:.1f}: {element}" for element, value in found["contrast"] if value < CONTRAST]
    steps = found["headings"]
    if steps[:1] != [1] or any(b > a + 1 for a, b in pairwise(steps)) or 1 in steps[1:]:
        wrong.append(f"headings out of order: {steps}")
    if not found["lang"]:
        wrong.append("no language")
    return wrong


MATHML = "http://www.w3.org/1998/Math/MathML"
CONTRAST = 4.5  # WCAG 2.2, success criterion 1.4.3
