/**
 * What the server sends, read strictly. Whatever cannot be understood comes back as null (or is left out of a list),
 * never as an exception: one bad message must not cost the board its picture.
 */

const KINDS = new Set(["call", "recall", "missed"]);

const isObject = (raw) => typeof raw === "object" && raw !== null && !Array.isArray(raw);
const isCount = (raw) => Number.isSafeInteger(raw) && raw >= 0;

/** A name in its languages; Japanese is always among them, English may be lacking. */
function readName(raw) {
  if (!isObject(raw) || typeof raw.ja !== "string") return null;
  return { ja: raw.ja, en: typeof raw.en === "string" ? raw.en : "" };
}

/** An ISO time with its offset, as a moment and as minutes east of Greenwich; null if it is not one. */
export function readTime(raw) {
  const offset = typeof raw === "string" ? /(?:Z|([+-])(\d\d):(\d\d))$/.exec(raw) : null;
  const epoch = offset ? Date.parse(raw) : NaN;
  if (Number.isNaN(epoch)) return null;
  const minutes = Number(offset[2] ?? 0) * 60 + Number(offset[3] ?? 0);
  return { epoch, minutesEast: offset[1] === "-" ? -minutes : minutes };
}

/** A call, recall or missed call; `windowNo` because `window` is the browser's own word. */
export function readCall(raw) {
  if (!isObject(raw) || !isCount(raw.sequence) || !KINDS.has(raw.kind) || !isCount(raw.number)) return null;
  const at = readTime(raw.at);
  const windowNo = isCount(raw.window) ? raw.window : null;
  if (at === null || (windowNo === null && raw.kind !== "missed")) return null;
  return { sequence: raw.sequence, kind: raw.kind, number: raw.number, windowNo, at: at.epoch };
}

/** How long somebody would wait who came now, in minutes; null where nobody can tell, or an older server does not. */
function readWait(raw) {
  if (!isObject(raw) || ![raw.minutes, raw.least, raw.most].every(isCount)) return null;
  return { minutes: raw.minutes, least: raw.least, most: raw.most };
}

/** How many people wait, in all and in each lane. */
export function readWaiting(raw) {
  if (!isObject(raw) || !isCount(raw.total) || !Array.isArray(raw.lanes)) return null;
  const lanes = raw.lanes.filter((lane) => isObject(lane) && readName(lane.name) !== null && isCount(lane.n));
  return { total: raw.total, lanes: lanes.map(({ name, n, wait }) => ({ name: readName(name), n, wait: readWait(wait) })) };
}

/** The two-second word that the server lives, with the last committed sequence. */
export function readHeartbeat(raw) {
  const now = isObject(raw) ? readTime(raw.now) : null;
  if (now === null || !isCount(raw.sequence)) return null;
  return { sequence: raw.sequence, now, waiting: readWaiting(raw.waiting), walkInsEnded: raw.walk_ins_ended === true };
}

/** The whole picture. A bad entry is left out; without sequence, time and calls it is no picture. */
export function readPicture(raw) {
  const now = isObject(raw) ? readTime(raw.now) : null;
  if (now === null || !isCount(raw.sequence) || !Array.isArray(raw.calls)) return null;
  return {
    sequence: raw.sequence,
    now,
    office: readName(raw.office),
    calls: raw.calls.map(readCall).filter((call) => call !== null && call.kind !== "missed"),
    absent: Array.isArray(raw.absent) ? raw.absent.filter(isCount) : [],
    waiting: readWaiting(raw.waiting),
    walkInsEnded: raw.walk_ins_ended === true,
  };
}
