/**
 * The board's rule: how a picture stays true over a line that may lose, repeat, delay or end.
 *
 * A message is a nudge with a sequence number, the picture is the truth. This module touches no page, no clock and no
 * network: time comes from `ports.now()`, everything due is done in `tick()`, and the world is reached through `ports`:
 *
 *   now()                   milliseconds that only go forward
 *   askPicture(signal)      promise of the picture as sent          askHealth(signal)   promise, kept if the server lives
 *   openSocket(listener)    { close() }; listener: connected, call, heartbeat, waiting, lost
 *   announce(call)          announce it, once                       changed()           something to show has changed
 *   remember(sequence)      what a reloaded page should not announce again
 *
 * The link is in one of three states:
 *   live     a heartbeat came through the socket                    → the socket is listened to
 *   polling  HTTP answers, the socket has not (yet) spoken          → the picture is read every two seconds
 *   lost     the socket broke, or nothing was heard for too long    → /healthz is asked every second, then the picture,
 *            then the socket is opened (browsers make refused WebSockets wait for seconds, fetch they do not)
 */

import { inheriting, withCall } from "./picture.js";
import { readCall, readHeartbeat, readPicture, readWaiting } from "./wire.js";

export const SILENCE_MS = 4500; // the notice must stand within 5 s of the server's last word
export const NOTICE_MS = 1000; // a notice that comes and goes quicker is a flicker nobody can read
export const HEALTH_EVERY_MS = 1000;
export const PICTURE_EVERY_MS = 2000;
export const PICTURE_AGAIN_MS = 1000;
export const REQUEST_MS = 3000;
export const GRACE_MS = 500; // a heartbeat may overtake the call it counts
export const FRESH_MS = 30000; // an older call is shown, not announced
export const SOCKET_SILENT_MS = 10000; // open without a heartbeat for so long, it is closed and tried again
export const SOCKET_AGAIN_MS = 5000;

export class Feed {
  #ports;
  #picture = null;
  #settled = null; // every sequence up to here is known
  #heard = new Set(); // known beyond it, because the picture could not be read
  #pending = new Map(); // calls that came out of order, by sequence
  #clock = null; // the server's time and when it was told
  #link = "polling";
  #stale = false;
  #staleSince = 0;
  #heardAt = 0;
  #asking = null; // the one picture request under way
  #askAgain = false;
  #pictureDue = null;
  #graceEnds = null;
  #promised = 0; // the sequence of the last heartbeat
  #probes = new Set();
  #probeDue = 0;
  #socket = null;
  #socketSince = 0;
  #socketDue = 0;

  constructor(ports) {
    this.#ports = ports;
  }

  /** What the page shows. */
  get state() {
    return { picture: this.#picture, stale: this.#stale, link: this.#link, settled: this.#settled };
  }

  /** The server's time now, ticking on between its words; null before the first. */
  get serverTime() {
    if (this.#clock === null) return null;
    return { ...this.#clock.told, epoch: this.#clock.told.epoch + this.#ports.now() - this.#clock.at };
  }

  /** Begin with the picture that came with the page and with what the page announced last before it was reloaded. */
  start(rawPicture, remembered = null) {
    const now = this.#ports.now();
    this.#heardAt = now;
    const picture = readPicture(rawPicture);
    if (picture !== null) this.#adopt(picture, { settled: null }, remembered);
    this.#pictureDue = picture === null ? now : now + PICTURE_EVERY_MS;
    this.#openSocket();
    this.tick();
  }

  /** Do what is due. Called several times a second; a late or doubled call does no harm. */
  tick() {
    const now = this.#ports.now();
    this.#giveUpOn(now);
    this.#weighSilence(now);
    if (this.#graceEnds !== null && now >= this.#graceEnds) this.#endGrace();
    if (this.#link === "lost") this.#probe(now);
    else if (this.#pictureDue !== null && now >= this.#pictureDue) this.#askPicture();
    if (this.#link === "polling") this.#tendSocket(now);
    this.#ports.changed();
  }

  // Silence

  #hear() {
    this.#heardAt = this.#ports.now();
    this.#weighSilence(this.#heardAt);
  }

  #weighSilence(now) {
    const silent = now - this.#heardAt >= SILENCE_MS;
    if (silent && !this.#stale) {
      this.#stale = true;
      this.#staleSince = now;
    }
    if (silent && this.#link !== "lost") this.#lose();
    if (!silent && this.#stale && now - this.#staleSince >= NOTICE_MS) this.#stale = false;
  }

  #lose() {
    this.#link = "lost";
    this.#closeSocket();
    this.#pictureDue = null;
    this.#probeDue = this.#ports.now();
  }

  #probe(now) {
    if (now < this.#probeDue) return;
    this.#probeDue = now + HEALTH_EVERY_MS;
    const probe = { since: now, abort: new AbortController() };
    this.#probes.add(probe);
    this.#ports.askHealth(probe.abort.signal).then(
      () => {
        if (this.#probes.delete(probe) && this.#link === "lost") this.#askPicture();
      },
      () => this.#probes.delete(probe),
    );
  }

  // The socket

  #openSocket() {
    const listener = {};
    const ifMine = (act) => (raw) => {
      if (this.#socket?.listener === listener) act(raw);
    };
    listener.connected = ifMine(() => this.#askPicture()); // what was called while the socket opened
    listener.call = ifMine((raw) => this.#onCall(raw));
    listener.heartbeat = ifMine((raw) => this.#onHeartbeat(raw));
    listener.waiting = ifMine((raw) => this.#onWaiting(raw));
    listener.lost = ifMine(() => this.#onSocketLost());
    this.#socketSince = this.#ports.now();
    this.#socket = { listener, close: () => undefined };
    const opened = this.#ports.openSocket(listener);
    if (this.#socket?.listener === listener) this.#socket.close = () => opened.close();
    else opened.close();
  }

  #closeSocket() {
    const socket = this.#socket;
    this.#socket = null;
    this.#socketDue = this.#ports.now() + SOCKET_AGAIN_MS;
    socket?.close();
  }

  #tendSocket(now) {
    if (this.#socket === null && now >= this.#socketDue) this.#openSocket();
    else if (this.#socket !== null && now - this.#socketSince >= SOCKET_SILENT_MS) this.#closeSocket();
  }

  #onSocketLost() {
    this.#closeSocket();
    if (this.#link === "live") this.#lose(); // probably the server: find out by fetch, at once
    this.tick();
  }

  // What comes through the socket

  #onCall(raw) {
    const call = readCall(raw);
    if (call === null) return this.#askPicture(); // something happened that we do not understand
    this.#hear();
    if (this.#settled !== null && (call.sequence <= this.#settled || this.#heard.has(call.sequence))) return;
    this.#pending.set(call.sequence, call);
    this.#applyPending();
    if (this.#pending.size > 0) this.#askPicture();
    this.#ports.changed();
  }

  #onHeartbeat(raw) {
    const beat = readHeartbeat(raw);
    if (beat === null) return;
    this.#hear();
    this.#tellTime(beat.now);
    if (this.#link === "polling") {
      this.#link = "live";
      this.#pictureDue = null;
    }
    if (beat.waiting !== null && this.#picture !== null) {
      this.#picture = { ...this.#picture, waiting: beat.waiting, walkInsEnded: beat.walkInsEnded };
    }
    this.#promised = beat.sequence;
    if (this.#settled === null || beat.sequence < this.#settled) this.#askPicture(); // an older backup was restored?
    else if (beat.sequence > this.#settled) this.#graceEnds ??= this.#ports.now() + GRACE_MS;
    this.#ports.changed();
  }

  #endGrace() {
    this.#graceEnds = null;
    if (this.#promised > this.#settled) this.#askPicture();
  }

  #onWaiting(raw) {
    const waiting = readWaiting(raw);
    if (waiting === null || this.#picture === null) return;
    this.#hear();
    this.#picture = { ...this.#picture, waiting };
    this.#ports.changed();
  }

  // The picture

  #askPicture() {
    if (this.#asking !== null) {
      this.#askAgain = true;
      return;
    }
    this.#askAgain = false;
    this.#pictureDue = null;
    const asked = { since: this.#ports.now(), abort: new AbortController(), settled: this.#settled };
    this.#asking = asked;
    this.#ports.askPicture(asked.abort.signal).then(
      (raw) => this.#onPicture(raw, asked),
      () => this.#onNoPicture(asked),
    );
  }

  #onPicture(raw, asked) {
    if (this.#asking !== asked) return;
    const picture = readPicture(raw);
    if (picture === null) return this.#onNoPicture(asked);
    this.#asking = null;
    this.#hear();
    this.#adopt(picture, asked);
    if (this.#link === "lost") this.#recover();
    if (this.#link === "polling") this.#pictureDue = this.#ports.now() + PICTURE_EVERY_MS;
    if (this.#askAgain || this.#pending.size > 0) this.#askPicture();
    this.#ports.changed();
  }

  /** HTTP fails: what the socket brought is shown and announced all the same, and the picture is asked for again. */
  #onNoPicture(asked) {
    if (this.#asking !== asked) return;
    this.#asking = null;
    if (this.#settled !== null) this.#applyLoosely();
    this.#pictureDue = this.#ports.now() + PICTURE_AGAIN_MS;
    this.#ports.changed();
  }

  #recover() {
    this.#link = "polling";
    this.#openSocket();
  }

  #giveUpOn(now) {
    for (const request of [this.#asking, ...this.#probes]) {
      if (request !== null && now - request.since >= REQUEST_MS) request.abort.abort();
    }
  }

  /** Take a picture as the truth and announce what is new in it and not too old. */
  #adopt(picture, asked, remembered = null) {
    this.#tellTime(picture.now);
    const restored = asked.settled !== null && picture.sequence < asked.settled;
    const overtaken = this.#settled !== null && picture.sequence < this.#settled && !restored;
    if (overtaken) return; // newer calls came through the socket while it was on its way
    const isNew = this.#newness(picture, restored, remembered);
    const age = (call) => picture.now.epoch - call.at;
    const news = picture.calls.filter((call) => isNew(call) && age(call) <= FRESH_MS);
    this.#picture = inheriting(picture, this.#picture);
    this.#settle(picture.sequence, restored);
    // Sequence and calls may have been read a moment apart: a call beyond the sequence must not come twice.
    for (const { sequence } of picture.calls) if (sequence > picture.sequence) this.#heard.add(sequence);
    for (const call of news.sort((a, b) => a.sequence - b.sequence)) this.#ports.announce(call);
    // A call is committed before it is sent: what came before this was asked for and is not in it never was.
    if (!this.#askAgain) this.#pending.clear();
    this.#applyPending();
  }

  /** Which of a picture's calls the board has not known. After a restored backup numbers mean other calls. */
  #newness(picture, restored, remembered) {
    if (restored) {
      const known = this.#picture.calls;
      return (call) => !known.some((old) => old.sequence === call.sequence && old.at === call.at);
    }
    const before = this.#settled ?? (remembered !== null && remembered <= picture.sequence ? remembered : picture.sequence);
    return (call) => call.sequence > before && !this.#heard.has(call.sequence);
  }

  #settle(sequence, restored) {
    this.#settled = sequence;
    for (const heard of this.#heard) if (restored || heard <= sequence) this.#heard.delete(heard);
    for (const pending of this.#pending.keys()) if (pending <= sequence) this.#pending.delete(pending);
    this.#ports.remember(sequence);
  }

  // Calls

  #applyPending() {
    if (this.#settled === null) return;
    for (let next = this.#settled + 1; this.#pending.has(next) || this.#heard.has(next); next += 1) {
      const call = this.#pending.get(next);
      this.#settle(next, false);
      if (call !== undefined) this.#apply(call);
    }
  }

  #applyLoosely() {
    for (const sequence of [...this.#pending.keys()].sort((a, b) => a - b)) {
      const call = this.#pending.get(sequence);
      this.#pending.delete(sequence);
      this.#heard.add(sequence);
      this.#apply(call);
    }
    this.#applyPending();
  }

  #apply(call) {
    this.#picture = withCall(this.#picture, call);
    if (call.kind !== "missed") this.#ports.announce(call);
  }

  #tellTime(told) {
    this.#clock = { told, at: this.#ports.now() };
  }
}
