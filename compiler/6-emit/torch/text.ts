/** Python expressions with how tightly they bind, and statements broken where a line is too long. */

export interface Text {
  readonly text: string;
  readonly tight: Tightness;
}

/** From loosest to tightest. */
export const tightness = { comparison: 0, sum: 1, product: 2, sign: 3, power: 4, atom: 5 } as const;
export type Tightness = (typeof tightness)[keyof typeof tightness];

export const atom = (text: string): Text => ({ text, tight: tightness.atom });

/** The text, in parentheses where it binds less tightly than its place asks. */
export const within = ({ text, tight }: Text, place: Tightness): string =>
  tight < place ? `(${text})` : text;

export const longestLine = 100;

/** A statement as lines: its longest bracket stands on lines of its own when one line is too short. */
export function statement(text: string, indent: number): string[] {
  const space = " ".repeat(indent);
  if (indent + text.length <= longestLine) return [space + text];
  const targets = /^(\w+(?:, \w+)+) = (\w+\()/.exec(text);
  if (targets !== null && indent + targets[0].length > longestLine)
    return manyTargets(targets[1]!, text.slice(targets[1]!.length + 3), indent);
  const group = longestGroup(text);
  const isTuple = /^return /.test(text) && commaParts(text).length > 1;
  if (group === null || isTuple) return inParentheses(text, indent);
  const [open, close] = group;
  const inside = text.slice(open + 1, close);
  const parts = commaParts(inside);
  const isCall = /[\w\])]/.test(text[open - 1] ?? "");
  const comma = parts.length > 1 || (isCall && !/ for .* in /.test(inside)) ? "," : "";
  const inner = parts.flatMap((part) => statement(part + comma, indent + 4));
  return [space + text.slice(0, open + 1), ...inner, ...statement(text.slice(close), indent)];
}

/** An assignment to names that leave no room beside them: what is assigned stands in parentheses, or else the names do. */
function manyTargets(targets: string, value: string, indent: number): string[] {
  const space = " ".repeat(indent);
  const head = `${space}${targets} = (`;
  if (head.length <= longestLine) return [head, ...statement(value, indent + 4), `${space})`];
  const names = targets.split(", ").map((name) => `${space}    ${name},`);
  const [first, ...rest] = statement(`x = ${value}`, indent);
  return [`${space}(`, ...names, first!.replace("x", ")"), ...rest];
}

/** A long sum or product: one term a line. */
function inParentheses(text: string, indent: number): string[] {
  const space = " ".repeat(indent);
  const [head = ""] = /^(return |[\w.]+ = |)/.exec(text) ?? [];
  const tail = text.endsWith(",") ? "," : "";
  const items = commaParts(text.slice(head.length));
  if (items.length > 1) {
    const lines = items.flatMap((item) => statement(`${item},`, indent + 4));
    return [`${space}${head}(`, ...lines, `${space})`];
  }
  const terms = text.slice(head.length, text.length - tail.length).split(/ (?=[-+*/] )/);
  if (terms.length < 2) return [space + text];
  const inner = terms.map((term) => `${space}    ${term}`);
  return [`${space}${head}(`, ...inner, `${space})${tail}`];
}

/** Where the longest bracket of a text opens and closes; null when none holds enough to be worth it. */
function longestGroup(text: string): readonly [number, number] | null {
  let found: readonly [number, number] | null = null;
  let [depth, start] = [0, 0];
  for (let i = 0; i < text.length; i += 1) {
    i = pastString(text, i);
    if (/[([{]/.test(text[i]!) && (depth += 1) === 1) start = i;
    if (/[)\]}]/.test(text[i]!) && (depth -= 1) === 0)
      if (i - start > Math.max(20, found === null ? 0 : found[1] - found[0])) found = [start, i];
  }
  return found;
}

/** The end of the string that begins at i, if one does. */
const pastString = (text: string, i: number): number =>
  text[i] === '"' ? text.indexOf('"', i + 1) : i;

/** The parts between commas that stand in no bracket. */
export function commaParts(text: string): string[] {
  const parts: string[] = [];
  let [depth, start] = [0, 0];
  for (let i = 0; i < text.length; i += 1) {
    i = pastString(text, i);
    if (/[([{]/.test(text[i]!)) depth += 1;
    if (/[)\]}]/.test(text[i]!)) depth -= 1;
    if (text[i] === "," && depth === 0) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  const last = text.slice(start).trim();
  return last === "" ? parts : [...parts, last];
}

/** Lines of prose no longer than `width`. */
export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const paragraph of paragraphs(text)) {
    let line = "";
    for (const word of paragraph.split(/\s+/)) {
      if (line !== "" && line.length + 1 + word.length > width) {
        lines.push(line);
        line = "";
      }
      line += (line === "" ? "" : " ") + word;
    }
    lines.push(line);
  }
  return lines;
}

/** Text between blank lines, or items of a list. */
function paragraphs(text: string): string[] {
  const found: string[] = [];
  for (const line of text.split("\n")) {
    const last = found[found.length - 1];
    const continues =
      last !== undefined && last !== "" && line.trim() !== "" && !/^\s*- /.test(line);
    if (continues) found[found.length - 1] = `${last} ${line.trim()}`;
    else found.push(line.trim());
  }
  return found;
}
