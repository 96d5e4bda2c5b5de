/** The chime, and the notice for browsers that allow no sound before somebody has touched the page. */

export class Chime {
  #sound;
  #notice;

  constructor(sound, notice) {
    this.#sound = sound;
    this.#notice = notice;
    for (const press of ["pointerdown", "keydown"]) addEventListener(press, () => this.#onPress());
  }

  /** Find out at once, not at the first call, whether this browser will sound. */
  async probe() {
    const silent = new Audio(this.#sound.src);
    silent.volume = 0;
    await this.#play(silent);
    silent.pause();
  }

  ring() {
    this.#sound.currentTime = 0;
    return this.#play(this.#sound);
  }

  async #play(sound) {
    try {
      await sound.play();
      this.#notice.hidden = true;
    } catch (error) {
      if (error.name === "NotAllowedError") this.#notice.hidden = false;
    }
  }

  #onPress() {
    if (!this.#notice.hidden) this.ring(); // whoever pressed hears that it worked
  }
}
