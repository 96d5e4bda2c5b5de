"""The board's page as somebody in the waiting room sees and hears it."""

from playwright.sync_api import Page, expect

# Notes, from before the page's own scripts, when the notice comes and goes and which number is announced when.
WITNESS = """
window.seen = { notices: [], announced: [], rung: 0, faults: [] };
addEventListener("securitypolicyviolation", (event) => seen.faults.push(event.violatedDirective));
addEventListener("error", (event) => seen.faults.push(event.message));
document.addEventListener("DOMContentLoaded", () => {
  const now = document.getElementById("now"), stale = document.getElementById("stale");
  const note = () => {
    const number = now.dataset.call === "announcing" ? Number(document.getElementById("number").textContent) : null;
    if (seen.announced.at(-1)?.number !== number) seen.announced.push({ number, at: Date.now() });
    if (seen.notices.at(-1)?.shown !== !stale.hidden) seen.notices.push({ shown: !stale.hidden, at: Date.now() });
  };
  new MutationObserver(note).observe(document.body, { subtree: true, childList: true, attributes: true });
  document.getElementById("chime").addEventListener("playing", () => (seen.rung += 1));
});
"""


class BoardPage:
    """One television."""

    def __init__(self, page: Page, address: str) -> None:
        """Opens the board."""
        self.page = page
        page.add_init_script(WITNESS)
        page.goto(address)

    def live(self) -> "BoardPage":
        """Waits until the socket has spoken, which may take a heartbeat's two seconds."""
        self.page.wait_for_selector("body[data-link=live]")
        return self

    @property
    def number(self) -> str:
        """The number called."""
        return self.page.inner_text("#number")

    @property
    def window(self) -> str:
        """The window it is called to."""
        return self.page.inner_text("#window")

    @property
    def recent(self) -> list[str]:
        """The numbers called before, newest first."""
        return self.page.locator("#calls .number").all_inner_texts()

    @property
    def stale(self) -> bool:
        """Whether the board says that it is not up to date."""
        return self.page.is_visible("#stale")

    @property
    def rung(self) -> int:
        """How often the chime was heard."""
        count: int = self.page.evaluate("seen.rung")
        return count

    @property
    def announced(self) -> list[int]:
        """The numbers that were announced, in their order."""
        numbers: list[int] = self.page.evaluate("seen.announced.map((a) => a.number).filter((n) => n !== null)")
        return numbers

    @property
    def faults(self) -> list[str]:
        """What the browser found wrong: scripts that failed, rules of the page that were broken."""
        found: list[str] = self.page.evaluate("seen.faults")
        return found

    def wait_for_number(self, number: int, seconds: float = 3) -> float:
        """Until the number stands large on the board, not longer; returns the moment at which it came."""
        expect(self.page.locator("#number")).to_have_text(str(number), timeout=seconds * 1000)
        return self._moment("seen.announced.findLast((shown) => shown.number !== null)?.at")

    def wait_for_notice(self) -> float:
        """Until the notice stands; returns the moment at which it came."""
        self.page.wait_for_selector("#stale", state="visible", timeout=8000)
        return self._moment("seen.notices.findLast((notice) => notice.shown).at")

    def wait_until_healed(self) -> float:
        """Until the notice is gone; returns the moment at which it went."""
        self.page.wait_for_selector("#stale", state="hidden", timeout=5000)
        return self._moment("seen.notices.findLast((notice) => !notice.shown).at")

    def _moment(self, expression: str) -> float:
        # The page noted it itself: Playwright looks only now and then.
        return (self.page.evaluate(expression) or 0) / 1000
