// A page made for paper: its button opens the browser's printing.
const button = document.getElementById("print");
button.hidden = false;
button.addEventListener("click", () => print());
button.focus();
