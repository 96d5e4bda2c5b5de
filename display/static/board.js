/** The board's page: wires feed, announcer, chime and view together. No rule lives here. */

import { Announcer } from "./announcer.js";
import { Chime } from "./chime.js";
import { Feed } from "./feed.js";
import { askHealth, askPicture, openSocket } from "./net.js";
import { startTicking } from "./ticker.js";
import { View } from "./view.js";
import { letters } from "./words.js";

const boardUid = document.body.dataset.board;
const memory = `madoguchi.board.${boardUid}`;
const fromPage = (id) => JSON.parse(document.getElementById(id).textContent);

/** The picture that came with the page; the feed asks for another where it cannot be read. */
function firstPicture() {
  try {
    return fromPage("picture");
  } catch {
    return null;
  }
}

/** What was announced before the page was loaded again, where the browser keeps such things. */
function recall() {
  try {
    const kept = localStorage.getItem(memory);
    return kept === null ? null : Number(kept);
  } catch {
    return null;
  }
}

function remember(sequence) {
  try {
    localStorage.setItem(memory, String(sequence));
  } catch {
    // a full or forbidden store: the board then only forgets over a reload
  }
}

/** The font comes in pieces by letter: the notice's must be here before the server that would send them is gone. */
function fetchLetters(texts) {
  for (const weight of [400, 700]) document.fonts.load(`${weight} 1em "BIZ UDPGothic"`, letters(texts));
}

const now = () => performance.now();
const texts = fromPage("texts");
const view = new View(document, texts);
const chime = new Chime(document.getElementById("chime"), document.getElementById("no-sound"));
const announcer = new Announcer({ now, chime: () => chime.ring(), changed: show });
const feed = new Feed({
  now,
  askPicture: (signal) => askPicture(boardUid, signal),
  askHealth,
  openSocket,
  announce: (call) => announcer.announce(call),
  remember,
  changed: () => {
    announcer.reconcile(feed.state.picture);
    show();
  },
});

/** A fault in showing must not stop the listening. */
function show() {
  try {
    view.show({ ...feed.state, announcing: announcer.current, serverTime: feed.serverTime });
  } catch (fault) {
    console.error(fault);
  }
}

feed.start(firstPicture(), recall());
startTicking(() => feed.tick());
chime.probe();
fetchLetters(texts);
