/**
 * One call at a time: each gets its chime and stands highlighted for ten seconds before the next.
 *
 * Like the feed it has no clock of its own: `ports.now()` tells the time, `tick()` does what is due,
 * `ports.chime()` sounds, `ports.changed()` says that `current` is another.
 */

import { stillStands } from "./picture.js";

export const SHOWN_MS = 10000;

export class Announcer {
  #ports;
  #queue = [];
  #current = null;
  #ends = 0;

  constructor(ports) {
    this.#ports = ports;
  }

  /** The call being announced, or null. */
  get current() {
    return this.#current;
  }

  announce(call) {
    this.#queue.push(call);
    this.tick();
  }

  /** Do not announce what is no longer so: a number marked absent meanwhile, or called to another window. */
  reconcile(picture) {
    if (picture === null) return;
    this.#queue = this.#queue.filter((call) => stillStands(call, picture));
    if (this.#current !== null && !stillStands(this.#current, picture)) this.#ends = this.#ports.now();
    this.tick();
  }

  tick() {
    if (this.#current !== null && this.#ports.now() < this.#ends) return;
    const before = this.#current;
    this.#current = this.#queue.shift() ?? null;
    if (this.#current !== null) {
      this.#ends = this.#ports.now() + SHOWN_MS;
      this.#ports.chime();
    }
    if (this.#current !== before) this.#ports.changed();
  }
}
