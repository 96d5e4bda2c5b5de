// Draws what the kiosk says and sends back what was touched. No text and no rule is in here.

const token = document.querySelector("meta[name=kiosk-token]").content;
const byId = (id) => document.getElementById(id);
const signs = byId("sign-use").dataset.signs;
const MANY_LETTERS = 150; // Japanese has half as many for the same
const SILENCE_MS = 6000; // the kiosk pings every 2 s
// A reading: 予約《よやく》, or ｜1人《ひとり》 where more than the kanji before it is read (madoguchi/ruby.py).
const READING = /(?:｜([^｜《》]+)|([々〇㐀-鿿豈-﫿]+))《([ぁ-ゖァ-ヺー]+)》/g;
const SIGN_NAMESPACE = "http://www.w3.org/2000/svg";

const written = new WeakMap();
let lastHeard = performance.now();
let start = null;
let shownPage = null;
let countdown = null;

function listen() {
  const events = new EventSource("/events");
  events.addEventListener("ping", heard);
  events.onmessage = (event) => {
    heard();
    const picture = JSON.parse(event.data);
    if (start !== null && picture.start !== start) {
      location.reload(); // the kiosk was started anew: this page's token is no longer good
      return;
    }
    start = picture.start;
    draw(picture);
  };
}

function heard() {
  lastHeard = performance.now();
  byId("away").hidden = true;
}

function watch() {
  if (performance.now() - lastHeard > SILENCE_MS) byId("away").hidden = false;
}

function draw(picture) {
  const { body, documentElement, activeElement } = document;
  const touched = activeElement?.dataset.key;
  documentElement.lang = picture.lang;
  documentElement.dataset.language = picture.language;
  body.dataset.page = picture.page;
  body.dataset.tone = picture.tone;
  body.dataset.picture = picture.picture;
  byId("picture-use").setAttribute("href", `${signs}#${picture.picture || "scan"}`);
  say("office", picture.office);
  say("title", picture.title);
  say("reference", picture.reference);
  drawSaid(picture);
  const sign = picture.page === "checking" || picture.page === "printing" ? "wait" : picture.tone;
  byId("sign-use").setAttribute("href", `${signs}#${sign}`);
  fill("languages", picture.languages.map((language) => languageButton(language)));
  byId("languages").setAttribute("aria-label", picture.languageLabel);
  fill("choices", picture.choices.map((choice) => choiceButton(choice)));
  body.dataset.choices = picture.choices.length > 6 ? "many" : "few";
  fill("buttons", picture.buttons.map((button) => footerButton(button)));
  drawTimeLeft(picture);
  if (picture.page !== shownPage) {
    shownPage = picture.page;
    byId("main").scrollTop = 0;
    byId("main").focus({ preventScroll: true });
  } else if (touched) {
    // The buttons are new ones; who works with the keyboard stays where they were.
    document.querySelector(`[data-key="${CSS.escape(touched)}"]`)?.focus();
  }
}

function drawSaid(picture) {
  // The first page has one sentence for those with a booking and one for those without.
  const apart = picture.page === "idle" && picture.text.length === 2;
  const [lead = "", ...rest] = picture.text;
  say("number-label", picture.numberLabel);
  say("number", picture.number ?? "");
  document.body.dataset.words = [...picture.text, ...picture.notes].join("").length > MANY_LETTERS ? "many" : "few";
  byId("number").dataset.digits = String(picture.number ?? "").length;
  say("lead", lead);
  fill("rest", apart ? [] : rest.map((sentence) => textElement("p", sentence)));
  fill("notes", picture.notes.map((note) => textElement("li", note)));
  say("hint", picture.hint);
  // A label and what one does with it stay on one line: 「予約なし」を押してください。
  say("second", apart ? rest[0].replaceAll("」", "」\u2060") : "");
}

function drawTimeLeft(picture) {
  countdown?.cancel();
  countdown = null;
  if (picture.seconds === null) return;
  const frames = [{ transform: "scaleX(1)" }, { transform: "scaleX(0)" }];
  countdown = byId("left-bar").animate(frames, { duration: picture.seconds * 1000, fill: "forwards" });
}

function say(id, text) {
  const element = byId(id);
  // What has not changed is not set again, or a screen reader would say it again.
  if (written.get(element) !== text) element.replaceChildren(...withReadings(String(text)));
  written.set(element, text);
}

/** One piece for a button, which lays out its pieces side by side. */
function wholeText(text) {
  const nodes = withReadings(text);
  if (nodes.length === 1) return text;
  const whole = document.createElement("span");
  whole.append(...nodes);
  return whole;
}

function withReadings(text) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(READING)) {
    nodes.push(text.slice(end, found.index), ruby(found[1] ?? found[2], found[3]));
    end = found.index + found[0].length;
  }
  return [...nodes, text.slice(end)];
}

function ruby(base, reading) {
  const element = document.createElement("ruby");
  const above = document.createElement("rt");
  above.textContent = reading;
  element.append(base, above);
  return element;
}

function fill(id, children) {
  byId(id).replaceChildren(...children);
}

function textElement(name, text) {
  const element = document.createElement(name);
  element.append(wholeText(text));
  return element;
}

function touchButton({ button, value, label }) {
  const element = textElement("button", label);
  element.type = "button";
  element.dataset.button = button;
  element.dataset.key = `${button} ${value}`;
  element.addEventListener("click", () => touch(button, value));
  return element;
}

function choiceButton(choice) {
  const element = touchButton(choice);
  element.prepend(sign(choice.picture, "/pictures.svg"));
  return element;
}

function footerButton(button) {
  const element = touchButton(button);
  if (button.button === "walkin" || button.button === "continue") element.classList.add("main");
  if (button.button === "staff") element.prepend(sign("bell"));
  return element;
}

function languageButton({ value, lang, label, current }) {
  const element = touchButton({ button: "language", value, label });
  element.lang = lang;
  element.setAttribute("aria-pressed", String(current));
  return element;
}

function sign(name, file = signs) {
  const svg = document.createElementNS(SIGN_NAMESPACE, "svg");
  const use = document.createElementNS(SIGN_NAMESPACE, "use");
  svg.setAttribute("viewBox", "0 0 96 96");
  svg.setAttribute("aria-hidden", "true");
  use.setAttribute("href", `${file}#${name}`);
  svg.append(use);
  return svg;
}

async function touch(button, value) {
  const response = await fetch("/touch", {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Kiosk-Token": token },
    body: JSON.stringify({ button, value }),
  }).catch(() => null);
  if (response?.status === 403) location.reload();
}

// A long press is a touch, not a menu.
document.addEventListener("contextmenu", (event) => event.preventDefault());
byId("main").addEventListener("click", () => {
  if (shownPage === "warning") touch("continue", ""); // its text says: touch the screen to continue
});
listen();
setInterval(watch, 500);
