/** The feed on a bench: time stands still until the test moves it, and every request waits until the test answers it. */

import { Announcer } from "/display/announcer.js";
import { Feed } from "/display/feed.js";

class Bench {
  time = 0;
  announced = [];
  remembered = null;
  pictures = []; // requests under way, oldest first
  healths = [];
  asked = { picture: 0, health: 0, socket: 0 };
  sockets = []; // open ones, oldest first
  closed = []; // and those the feed has closed

  constructor() {
    this.feed = new Feed({
      now: () => this.time,
      askPicture: (signal) => this.#wait("picture", this.pictures, signal),
      askHealth: (signal) => this.#wait("health", this.healths, signal),
      openSocket: (listener) => this.#open(listener),
      announce: (call) => this.announced.push(call.sequence),
      remember: (sequence) => (this.remembered = sequence),
      changed: () => undefined,
    });
  }

  #wait(kind, requests, signal) {
    this.asked[kind] += 1;
    return new Promise((resolve, reject) => {
      const request = { resolve, reject };
      requests.push(request);
      signal.addEventListener("abort", () => {
        requests.splice(requests.indexOf(request), 1);
        reject(new Error("given up"));
      });
    });
  }

  #open(listener) {
    this.asked.socket += 1;
    this.sockets.push(listener);
    return { close: () => this.closed.push(...this.sockets.splice(this.sockets.indexOf(listener), 1)) };
  }

  /** Lets answers arrive. By turns, not by a timer: browsers hold those back, and ten minutes pass here in a blink. */
  async settle() {
    for (let turn = 0; turn < 10; turn += 1) await null;
  }

  async pass(ms, every) {
    for (const end = this.time + ms; this.time < end; ) {
      this.time = Math.min(end, this.time + every);
      this.feed.tick();
      await this.settle();
    }
  }

  async answer(requests, value) {
    requests.shift().resolve(value);
    await this.settle();
  }

  async fail(requests) {
    requests.shift().reject(new Error("no answer"));
    await this.settle();
  }

  async hear(event, message) {
    this.sockets.at(-1)[event](message);
    await this.settle();
  }

  async hearLate(event, message) {
    this.closed.at(-1)[event](message);
    await this.settle();
  }

  look() {
    const { picture, ...state } = this.feed.state;
    return {
      ...state,
      announced: this.announced,
      remembered: this.remembered,
      asked: { ...this.asked },
      underWay: { picture: this.pictures.length, health: this.healths.length, socket: this.sockets.length },
      numbers: picture?.calls.map((call) => call.number) ?? null,
      absent: picture?.absent ?? null,
      waiting: picture?.waiting?.total ?? null,
      office: picture?.office?.ja ?? null,
      minutes: this.feed.serverTime === null ? null : this.feed.serverTime.epoch / 60000,
    };
  }
}

class AnnouncerBench {
  time = 0;
  chimes = 0;
  shown = [];

  constructor() {
    this.announcer = new Announcer({
      now: () => this.time,
      chime: () => (this.chimes += 1),
      changed: () => this.shown.push([this.time, this.announcer.current?.number ?? null]),
    });
  }
}

Object.assign(window, { Bench, AnnouncerBench, ready: true });
