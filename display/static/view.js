/** The page: writes what is so into it, and nothing where nothing changed. Decides nothing but what goes where. */

import { clockFace, parts, say } from "./words.js";

const RECENT = 5;

function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

function element(name, className, text, lang) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  if (lang) made.lang = lang;
  return made;
}

function emptyPlace() {
  const item = element("li", "empty");
  item.ariaHidden = "true";
  return item;
}

export class View {
  #page;
  #texts;
  #written = new Map();

  constructor(page, texts) {
    this.#page = page;
    this.#texts = texts;
  }

  show({ picture, stale, link, announcing, serverTime }) {
    this.#page.body.dataset.state = stale ? "stale" : "true";
    this.#page.body.dataset.link = link; // not to be seen: for whoever looks into a board that misbehaves
    this.#at("stale").hidden = !stale;
    if (serverTime !== null) this.#showClock(clockFace(serverTime));
    const call = announcing ?? picture?.calls[0] ?? null;
    this.#showCall(call, announcing);
    if (picture === null) return;
    if (picture.office !== null) this.#showBoth("office", picture.office);
    this.#showRecent(picture.calls.filter((other) => other.number !== call?.number).slice(0, RECENT));
    if (picture.waiting !== null) this.#showWaiting(picture.waiting);
    this.#at("ended").hidden = !picture.walkInsEnded;
    this.#showAbsent([...new Set(picture.absent)].sort((a, b) => a - b));
  }

  #at(id) {
    return this.#page.getElementById(id);
  }

  #showBoth(id, { ja, en }) {
    write(this.#at(`${id}-ja`), ja);
    write(this.#at(`${id}-en`), en);
  }

  #say(key, facts) {
    return { ja: say(this.#texts, key, "ja", facts), en: say(this.#texts, key, "en", facts) };
  }

  /** Builds a list anew only when what it shows has changed, so that nothing flickers and no screen reader repeats. */
  #fill(id, shown, build) {
    const key = JSON.stringify(shown);
    if (this.#written.get(id) === key) return;
    this.#written.set(id, key);
    this.#at(id).replaceChildren(...shown.map(build));
  }

  #showClock({ time, ja, en }) {
    write(this.#at("time"), time);
    this.#showBoth("date", { ja, en });
  }

  #showCall(call, announcing) {
    this.#at("now").dataset.call = announcing !== null ? "announcing" : call !== null ? "standing" : "none";
    this.#at("figures").hidden = call === null;
    this.#speak(announcing);
    if (call === null) {
      this.#showBoth("now", this.#say("board.title"));
      return this.#showBoth("sentence", this.#say("board.nobody"));
    }
    this.#showBoth("now", this.#say(headingOf(call, announcing)));
    write(this.#at("number"), String(call.number));
    write(this.#at("window"), String(call.windowNo));
    this.#at("figures").dataset.digits = `${call.number}${call.windowNo}`.length;
    return this.#showBoth("sentence", this.#say("call.display", { number: call.number, counter: call.windowNo }));
  }

  /** For screen readers: the whole sentence once per announcement; emptied between, so that a repeat is spoken again. */
  #speak(call) {
    const key = call?.kind === "recall" ? "call.recall" : "call.voice";
    const sentence = call && this.#say(key, { number: call.number, counter: call.windowNo });
    this.#showBoth("spoken", sentence ?? { ja: "", en: "" });
  }

  #showRecent(calls) {
    const places = Array.from({ length: RECENT }, (_, place) => calls[place] ?? null); // nothing moves as they fill
    this.#fill("calls", places, (call) => (call === null ? emptyPlace() : this.#recentCall(call)));
  }

  #recentCall(call) {
    const item = element("li");
    const number = element("span", "digits number", String(call.number));
    number.dataset.digits = number.textContent.length; // four digits are set smaller, see board.css
    item.append(number, element("span", "to"), this.#windowOf(call));
    return item;
  }

  /** 「3番窓口」 with the digits large, and the English beneath. */
  #windowOf(call) {
    const place = element("span", "place");
    const unit = parts(this.#texts, "board.windowno", "ja").find((piece) => piece.text !== undefined)?.text ?? "";
    const words = element("span", "unit", unit);
    words.append(element("span", "", say(this.#texts, "board.window", "en"), "en"));
    place.append(element("span", "digits", String(call.windowNo)), words);
    return place;
  }

  #showWaiting({ total, lanes }) {
    this.#at("waiting").hidden = false;
    this.#fill("total", parts(this.#texts, "board.people", "ja").map((piece) => ({ ...piece, total })), (piece) =>
      piece.text === undefined ? element("strong", "digits", String(total)) : element("span", "", piece.text),
    );
    this.#fill("lanes", lanes, ({ name, n, wait }) => {
      const item = element("li");
      const words = element("span", "lane", name.ja);
      words.append(element("span", "", name.en, "en"));
      item.append(words);
      if (wait !== null) item.append(this.#wait(wait));
      item.append(element("strong", "digits", String(n)));
      return item;
    });
  }

  /** How long a newcomer would wait: about so many minutes, never none. */
  #wait(wait) {
    const { ja, en } = this.#say(wait.minutes === 0 ? "board.wait.soon" : "board.wait", { min: wait.minutes });
    const words = element("span", "wait", ja);
    words.append(element("span", "", en, "en"));
    return words;
  }

  #showAbsent(numbers) {
    this.#at("absent").hidden = numbers.length === 0;
    const [heading, , tail] = parts(this.#texts, "call.absent", "ja");
    write(this.#at("absent-title"), heading?.text?.trim() ?? "");
    write(this.#at("absent-tail"), tail?.text?.trim() ?? "");
    write(this.#at("absent-en"), say(this.#texts, "call.absent", "en", { numbers: numbers.join(", ") }));
    this.#at("absent-numbers").dataset.many = numbers.length > 8 ? "very" : numbers.length > 4 ? "rather" : "few";
    this.#fill("absent-numbers", numbers, (number) => element("li", "digits", String(number)));
  }
}

function headingOf(call, announcing) {
  if (announcing === null) return "board.last";
  return call.kind === "recall" ? "board.again" : "board.calling";
}
