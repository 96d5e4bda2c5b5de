// The phone desk: arrows go from place to place, a key held down does not book by itself, and the hold's end is counted.
// Everything works without this script too.

const PLACES = ".days a, .times button";

document.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && event.repeat) event.preventDefault();
  const here = document.activeElement;
  if (!here?.matches(PLACES) || event.ctrlKey || event.altKey || event.metaKey) return;
  const there = next(here, event.key);
  if (!there) return;
  event.preventDefault();
  there.focus();
});

// The nearest place in the direction of the arrow, within the days or within the times.
function next(here, key) {
  const all = [...here.closest(".days, .times").querySelectorAll(PLACES)];
  const at = all.indexOf(here);
  if (key === "ArrowRight") return all[at + 1];
  if (key === "ArrowLeft") return all[at - 1];
  if (key !== "ArrowUp" && key !== "ArrowDown") return null;
  const from = here.getBoundingClientRect();
  const down = key === "ArrowDown" ? 1 : -1;
  const beyond = all
    .map((element) => ({ element, box: element.getBoundingClientRect() }))
    .filter(({ box }) => (box.top - from.top) * down > 4)
    .sort((a, b) => (a.box.top - b.box.top) * down || Math.abs(a.box.left - from.left) - Math.abs(b.box.left - from.left));
  return beyond[0]?.element;
}

const hold = document.getElementById("hold");
if (hold) {
  // The page's own clock may be wrong: what counts is how long the hold had left when the page came.
  const ends = performance.now() + Number(hold.dataset.seconds) * 1000;
  const count = () => {
    const left = Math.ceil((ends - performance.now()) / 60_000);
    document.getElementById("hold-left").textContent = left > 0 ? `あと${left}分です。` : "時間が過ぎました。選び直してください。";
    hold.classList.toggle("refused", left <= 0);
    if (left > 0) setTimeout(count, 5_000);
  };
  count();
}
