/** Text of others, such as labels, images and what a host tells of itself: it may not steer the terminal or make lines of its own. */

/** C0 and C1 controls, and what reorders or breaks the text around it. */
// oxlint-disable-next-line no-control-regex -- these characters are what it is about
const UNSAFE = /[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]+/g;

/** One line, without a character that a terminal would obey. */
export function printable(words: string): string {
  return words.replaceAll(UNSAFE, " ");
}
