// The window's screen: sends its forms without leaving the page, and keeps the picture fresh.
//
// Every press carries a request id. It is kept until the server has answered: a press whose answer was lost is sent
// again with the same id, so that it is done once, and nothing else can be pressed until it is known what became of it.
// Whatever the server says, it says with the whole picture; this script only puts it in its places.

const POLL_MS = 4000;
const STALE_MS = 5000;
const CONFIRM_MS = 5000;
const RETRY_MS = 1000;
const PATIENCE_MS = 4000;
const BOUNCE_MS = 600; // a finger that trembles presses once

const root = document.getElementById("desk");
const place = (id) => document.getElementById(id);
const shown = { picture: "", number: null, asking: [] };
let nextRequestId = root.dataset.requestId;
let token = document.getElementsByName("csrf_token")[0].value;
let underWay = false;
let presses = 0;
let lastPress = 0;
let lastAnswer = Date.now();
let armed = null;

// Asking

async function ask(path, init = {}) {
  const answer = await fetch(path, {
    ...init,
    headers: { Accept: "application/json" },
    redirect: "manual",
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  if (answer.type === "opaqueredirect" || answer.status === 403 || answer.status === 404) await leave();
  const body = await answer.json(); // what is no JSON comes from something between us and the server: no answer
  heard();
  return body;
}

// Signed out, or somebody else's window by now: the server says so better than this page, which ends here.
function leave() {
  location.assign("/desk");
  return new Promise(() => {});
}

function heard() {
  lastAnswer = Date.now();
  place("stale").hidden = true;
}

async function press(form, more = {}) {
  if (underWay || Date.now() - lastPress < BOUNCE_MS) return;
  disarm();
  underWay = true;
  lastPress = Date.now();
  presses += 1;
  const body = new URLSearchParams(new FormData(form));
  body.set("request_id", nextRequestId);
  body.set("csrf_token", token);
  for (const [name, value] of Object.entries(more)) body.set(name, value);
  showWaiting(true);
  const answer = await answered(form.action, body);
  underWay = false;
  showWaiting(false);
  take(answer);
  say(answer.refusal?.text ?? sentence(answer.code), true);
  if (answer.picture && !answer.refusal) putFocus();
}

async function answered(path, body) {
  for (;;) {
    try {
      const answer = await ask(path, { method: "POST", body });
      if (answer.code !== "form_expired") return answer;
      token = (await ask(`${root.dataset.path}/state`)).csrf_token;
      body.set("csrf_token", token);
    } catch {
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
  }
}

// A refusal without a picture (http_errors.py): rare enough for one sentence.
function sentence(code) {
  return code ? "操作できませんでした。画面を確かめて、もう一度押してください。" : "";
}

async function refresh() {
  if (underWay) return;
  const before = presses;
  try {
    const answer = await ask(`${root.dataset.path}/state`);
    // An answer that was on its way while somebody pressed shows the past.
    if (before === presses) take(answer);
  } catch {
    // Said by the clock below, once it has lasted.
  }
}

async function poll() {
  await refresh();
  setTimeout(poll, POLL_MS);
}

setInterval(() => {
  if (Date.now() - lastAnswer > STALE_MS) place("stale").hidden = false;
}, 250);

// Showing

function take(answer) {
  if (answer.request_id) nextRequestId = answer.request_id;
  if (answer.csrf_token) token = answer.csrf_token;
  if (answer.picture) show(answer.picture);
}

function show(picture) {
  if (!picture.mine) {
    leave();
    return;
  }
  const text = JSON.stringify(picture);
  if (text === shown.picture) return;
  if (picture.number !== shown.number) disarm();
  shown.picture = text;
  shown.number = picture.number;
  const here = picture.number !== null;
  place("nobody").hidden = here;
  place("somebody").hidden = !here;
  place("number").textContent = picture.number ?? "";
  place("rows").replaceChildren(...picture.rows.map((row) => pair(row.label, row.value)));
  place("walk-ins").textContent = picture.walk_ins;
  for (const [name, html] of Object.entries(picture.parts)) showPart(place(name), name, html);
  showAsking(picture.asking);
  for (const field of document.getElementsByName("number")) field.value = picture.number ?? "";
  enable();
}

function pair(label, value) {
  const row = document.createElement("div");
  const dt = row.appendChild(document.createElement("dt"));
  const dd = row.appendChild(document.createElement("dd"));
  dt.textContent = label;
  dd.textContent = value;
  return row;
}

// Buttons and lists come as the server writes them (_desk.html). Whoever stands on one of them stays there.
function showPart(part, name, html) {
  if (shown[name] === html) return;
  shown[name] = html;
  const focused = document.activeElement?.closest(`#${name} form`)?.getAttribute("action");
  part.innerHTML = html;
  for (const form of focused ? part.querySelectorAll("form") : []) {
    if (form.getAttribute("action") === focused) form.querySelector("button").focus();
  }
  if (armed && !armed.form.isConnected) disarm();
}

// Kiosks that ask for staff: said and sounded once, shown until somebody goes.

function showAsking(rows) {
  const known = new Set(shown.asking);
  const fresh = rows.filter(({ call, at }) => !known.has(call + at));
  shown.asking = rows.map(({ call, at }) => call + at);
  place("asking").replaceChildren(...rows.map(askingRow));
  place("asking-place").hidden = rows.length === 0;
  if (!fresh.length) return;
  place("asking-said").textContent = fresh.map(({ kiosk, reason }) => `${kiosk} ${reason}`).join("、");
  ring();
}

function askingRow({ call, kiosk, reason, at }) {
  const item = document.createElement("li");
  item.append(place("asking-row").content.cloneNode(true));
  const form = item.querySelector("form");
  form.setAttribute("action", `${root.dataset.path}/calls/${call}`);
  for (const [name, text] of Object.entries({ kiosk, reason, since: at })) form.querySelector(`.${name}`).textContent = text;
  form.querySelector("button").setAttribute("aria-label", `${kiosk} ${reason} 対応する`);
  return item;
}

// Two soft tones. A browser that has not been touched yet stays silent; the row is there all the same.
function ring() {
  const sound = new AudioContext();
  for (const [n, pitch] of [880, 660].entries()) {
    const tone = new OscillatorNode(sound, { frequency: pitch });
    const volume = new GainNode(sound, { gain: 0.15 });
    const start = sound.currentTime + n * 0.3;
    volume.gain.setTargetAtTime(0, start + 0.15, 0.05);
    tone.connect(volume).connect(sound.destination);
    tone.start(start);
    tone.stop(start + 0.3);
  }
  setTimeout(() => sound.close(), 1000);
}

function enable() {
  const here = shown.number !== null;
  for (const form of root.querySelectorAll("form[data-when]")) {
    const { when } = form.dataset;
    form.querySelector("button").disabled = underWay || (when !== "always" && here !== (when === "here"));
  }
}

function showWaiting(on) {
  root.setAttribute("aria-busy", String(on));
  enable();
}

function say(text, keep = false) {
  const message = place("message");
  message.textContent = text;
  message.hidden = !text;
  message.classList.toggle("refused", keep && Boolean(text));
}

// A disabled button has lost the focus: it goes to where the eye is, or to the next thing to do.
function putFocus() {
  if (shown.number === null) root.querySelector("[data-action=call-next] button").focus();
  else place("number-title").focus();
}

// Confirming: what ends a visit is pressed twice within five seconds.

function confirmOrPress(form) {
  const button = form.querySelector("button");
  if (button.disabled || underWay) return;
  if (armed?.form === form) {
    if (Date.now() - armed.at < BOUNCE_MS) return;
    press(form, { confirmed: "1" });
    return;
  }
  disarm();
  armed = { form, at: Date.now(), label: button.firstElementChild.textContent, timer: setTimeout(disarm, CONFIRM_MS) };
  button.classList.add("armed");
  button.firstElementChild.textContent = "もう一度押す";
  say(button.dataset.confirm);
}

function disarm() {
  if (!armed) return;
  clearTimeout(armed.timer);
  const button = armed.form.querySelector("button");
  button.classList.remove("armed");
  button.firstElementChild.textContent = armed.label;
  armed = null;
  say("");
}

root.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  if (form.querySelector("[data-confirm]")) confirmOrPress(form);
  else press(form);
});

// Keys: single letters can be switched off (they are in the way of some aids); Enter and Tab always work.

const keys = place("keys");

function keysAreOn() {
  try {
    return localStorage.getItem("madoguchi.desk.keys") !== "off";
  } catch {
    return true;
  }
}

keys.checked = keysAreOn();
place("keys-line").hidden = false;
keys.addEventListener("change", () => {
  try {
    localStorage.setItem("madoguchi.desk.keys", keys.checked ? "on" : "off");
  } catch {
    // Then it lasts as long as the page.
  }
});

document.addEventListener("keydown", (event) => {
  if (event.repeat && event.key === "Enter") event.preventDefault(); // a key held down presses nothing again
  if (event.repeat || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
  if (event.key === "Escape") disarm();
  if (event.key === "Enter") pressEnter(event);
  // By its place, not its sign: a Japanese input method makes other signs of the same key.
  else if (keys.checked && !event.target.closest("select, textarea, input:not([type=checkbox])")) pressKey(event.code);
});

function pressKey(code) {
  const meant = root.querySelector(`[data-key=${code || "none"}]:not(:disabled)`);
  if (meant?.form) meant.form.requestSubmit();
  else if (!underWay) meant?.click();
}

function pressEnter(event) {
  if (event.target.closest("a, button, input, select, summary")) return;
  root.querySelector("[data-action=call-next] button:enabled")?.form.requestSubmit();
}

document.addEventListener("visibilitychange", () => {
  if (!document.hidden) refresh();
});

poll();
shown.number = Number(place("number").textContent) || null;
if (shown.number === null) putFocus();
