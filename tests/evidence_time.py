"""How long a reader waits for the evidence: from the click to what Chromium has painted.

    python -m tests.evidence_time http://127.0.0.1:7860

Asks a running ``rawi serve`` over ``seeds/`` seven questions in turn. Best on a machine that does
nothing else, once the LLM has read ahead (half a minute after the start): it takes every core.
"""

from __future__ import annotations

import shutil
import statistics
import sys

from playwright.sync_api import Page, expect, sync_playwright

QUESTIONS = (
    "How much did SoftBank put into the round?",
    "كم ساهمت SoftBank في جولة التمويل؟",
    "Who left OpenAI?",
    "كم بلغ تقييم OpenAI؟",
    "What did xAI announce about its funding?",
    "من غادر OpenAI من المؤسسين؟",
    "What will the money be used for?",
)

# Notes when the evidence of a new question has been painted: a frame after it is in the page.
_WATCH = """
() => {
  const first = () => document.querySelector("#rawi-evidence .rw-evidence li");
  const old = first();
  window.painted = null;
  const seen = new MutationObserver(() => {
    if (!first() || first() === old || !document.querySelector(".rw-user")) return;
    seen.disconnect();
    requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
  });
  seen.observe(document.querySelector("#rawi-evidence"), { subtree: true, childList: true });
  const send = document.querySelector("#rawi-send");
  send.addEventListener("click", () => { window.clicked = performance.now(); }, { once: true });
  send.click();
}
"""


def asked(page: Page, question: str) -> float:
    """Ask in a new conversation; return milliseconds from the click to the evidence."""
    page.locator("[data-act=new]").click()
    expect(page.locator(".rw-message")).to_have_count(0)
    page.locator("#rawi-question textarea").fill(question)
    page.evaluate(_WATCH)
    page.wait_for_function("window.painted !== null")
    # A stopped LLM may go on for a moment, and would take its time from the next question.
    expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1, timeout=120_000)
    taken: float = page.evaluate("painted - clicked")
    return taken


def main(url: str) -> None:
    """Measure and print the median."""
    with sync_playwright() as playwright:
        path = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(locale="en", viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.locator(".rw-example").first.click()  # what the first question alone costs
        expect(page.locator(".rw-assistant:not(.rw-busy)")).to_have_count(1, timeout=120_000)
        taken = []
        for question in QUESTIONS:
            taken.append(asked(page, question))
            print(f"{taken[-1]:6.0f} ms  {question}")
        browser.close()
    print(f"{statistics.median(taken):6.0f} ms  median")


if __name__ == "__main__":
    main(sys.argv[1].rstrip("/"))
