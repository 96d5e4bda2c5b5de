/** The catalogue's sentences and the server's time, as the board writes them. Pure. */

const DAYS = { ja: "日月火水木金土", en: ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"] };
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/** The sentence `key` in `lang` with its places filled. */
export function say(texts, key, lang, facts = {}) {
  return texts[key][lang].replace(/\{(\w+)\}/g, (place, name) => String(facts[name] ?? place));
}

/** The sentence cut at its places: `[{ text }, { place: "number" }, …]`, for setting what fills them larger. */
export function parts(texts, key, lang) {
  return texts[key][lang]
    .split(/(\{\w+\})/)
    .filter((piece) => piece !== "")
    .map((piece) => (/^\{\w+\}$/.test(piece) ? { place: piece.slice(1, -1) } : { text: piece }));
}

/** The office's clock, whatever zone and time the television believes in. */
export function clockFace({ epoch, minutesEast }) {
  const there = new Date(epoch + minutesEast * 60000);
  const two = (n) => String(n).padStart(2, "0");
  const [month, date, day] = [there.getUTCMonth(), there.getUTCDate(), there.getUTCDay()];
  return {
    time: `${there.getUTCHours()}:${two(there.getUTCMinutes())}`,
    ja: `${month + 1}月${date}日（${DAYS.ja[day]}）`,
    en: `${DAYS.en[day]} ${date} ${MONTHS[month]}`,
  };
}

/** Every letter the board may have to show: all sentences, digits, dates. */
export function letters(texts) {
  const sentences = Object.values(texts).flatMap((sentence) => Object.values(sentence));
  return [...new Set([...sentences, "0123456789:,月日（）", DAYS.ja, ...DAYS.en, ...MONTHS].join(""))].join("");
}
