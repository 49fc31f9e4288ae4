/** Control and format characters, line separators, halves of characters: not seen, or turning what follows. */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffe\uffff]/gu;

/** Text of one line in which every character shows: others become U+FFFD, as XML could not hold some of them. */
export function visibleText(text: string): string {
  return text.replace(INVISIBLE, '\ufffd');
}

/** Text of several lines, each with every character showing: no terminal takes any part of it for a command. */
export function visibleLines(text: string): string {
  return text.split('\n').map(visibleText).join('\n');
}
