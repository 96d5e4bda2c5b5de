/** The board's picture as a value: what a call does to it. */

const CALLS_KEPT = 6; // the one called now and the five before it, as many as the server sends

const others = (calls, number) => calls.filter((call) => call.number !== number);

/** The picture after a call: a called number goes to the top, a missed one to the absent numbers. */
export function withCall(picture, call) {
  const absent = picture.absent.filter((number) => number !== call.number);
  const calls = others(picture.calls, call.number);
  if (call.kind === "missed") return { ...picture, calls, absent: [...absent, call.number] };
  return { ...picture, absent, calls: [call, ...calls].slice(0, CALLS_KEPT) };
}

/** A new picture may lack what it did not understand: the office and the people waiting then stay as they were. */
export function inheriting(picture, before) {
  return {
    ...picture,
    office: picture.office ?? before?.office ?? null,
    waiting: picture.waiting ?? before?.waiting ?? null,
  };
}

/** Whether a call may still be announced: its number is not absent and was not called to another window since. */
export function stillStands(call, picture) {
  const shown = picture.calls.find((other) => other.number === call.number);
  const elsewhere = shown !== undefined && shown.sequence > call.sequence && shown.windowNo !== call.windowNo;
  return !picture.absent.includes(call.number) && !elsewhere;
}
