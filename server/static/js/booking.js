// What the pages can do a little better with a script; all of them work without.

const print = document.querySelector("#print");
if (print) {
  print.hidden = false;
  print.addEventListener("click", () => window.print());
}

// Whoever reads the page when the hold ends is told at once, and not only after pressing the button.
const hold = document.querySelector("#hold");
if (hold) {
  const ends = Date.now() + Number(hold.dataset.seconds) * 1000;
  const look = () => {
    if (Date.now() < ends) return;
    hold.hidden = true;
    document.querySelector("#lapsed").hidden = false;
    clearInterval(timer);
  };
  const timer = setInterval(look, 1000); // one long wait would stand still while a telephone sleeps
}
