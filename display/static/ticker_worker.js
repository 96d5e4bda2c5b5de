/** The timer that is not slowed with the page; see ticker.js. */
self.onmessage = ({ data: everyMs }) => setInterval(() => self.postMessage(null), everyMs);
