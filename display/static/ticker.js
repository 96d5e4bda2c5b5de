/**
 * Calls `tick` ten times a second, even where the browser slows the page's own timers (a tab behind another,
 * a television that reports itself as off): a worker's timer is not slowed. The page's own timer stands beside it.
 */

const EVERY_MS = 100;

export function startTicking(tick) {
  setInterval(tick, EVERY_MS);
  document.addEventListener("visibilitychange", tick);
  const worker = new Worker("/display/ticker_worker.js");
  worker.onmessage = tick;
  worker.postMessage(EVERY_MS);
}
