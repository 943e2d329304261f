/** How source text appears in a terminal: tabs, wide and invisible characters, control characters. */

const tabStop = 4;

/** One line as shown, and where each UTF-16 unit of the original begins, in terminal cells. */
export interface DisplayLine {
  readonly text: string;
  readonly cells: readonly number[]; // one more entry than units: the last is the width of the line
}

export function displayLine(source: string): DisplayLine {
  const cells: number[] = [];
  let text = "";
  let cell = 0;
  for (const character of source) {
    const shown = character === "\t" ? " ".repeat(tabStop - (cell % tabStop)) : visible(character);
    cells.push(...Array.from({ length: character.length }, () => cell));
    text += shown;
    cell += character === "\t" ? shown.length : cellWidth(shown);
  }
  cells.push(cell);
  return { text, cells };
}

/** Text of the user's that appears inside a message: on one line and free of control characters. */
export function displayText(text: string): string {
  return [...text.replaceAll(/\s*[\r\n]+\s*/g, " ")].map(visible).join("");
}

/**
 * Control characters become their pictures, so that no source can move the cursor or recolour the
 * terminal; what reorders text, and lone surrogates, become `�`; a byte-order mark shows nothing.
 */
function visible(character: string): string {
  const code = character.codePointAt(0)!;
  if (code < 0x20) return String.fromCodePoint(0x2400 + code);
  if (code === 0x7f) return "␡";
  if (code === 0xfeff) return "";
  const reorders = (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
  const hidden = (code >= 0x80 && code < 0xa0) || (code >= 0xd800 && code <= 0xdfff);
  return reorders || hidden ? "�" : character;
}

/** Cells a character takes: none when it combines with the one before, two when East Asian wide or an emoji. */
export function cellWidth(character: string): 0 | 1 | 2 {
  const code = character.codePointAt(0);
  if (code === undefined) return 0;
  if (code < 0x300) return 1;
  if (/^[\p{Mn}\p{Me}\p{Cf}]$/u.test(character)) return 0;
  if (/^\p{Emoji_Presentation}$/u.test(character)) return 2;
  return wideRanges.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** Unicode's East Asian wide and full-width blocks. */
const wideRanges: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x17000, 0x18aff],
  [0x1b000, 0x1b2ff],
  [0x20000, 0x3fffd],
];
