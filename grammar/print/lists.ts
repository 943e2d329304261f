/** The two shapes in which things follow each other: on lines of a block, and between commas. */

import type { Doc } from "prettier";
import { builders } from "prettier/doc";
import type { Comment, Statement } from "../ast.js";
import type { Comments } from "./comments.js";
import type { Element } from "./containers.js";
import type { Source } from "./source.js";

const { breakParent, group, hardline, ifBreak, indent, join, line, lineSuffix, softline } =
  builders;

export interface Context {
  readonly source: Source;
  readonly comments: Comments;
  /** Handed down, as statements hold expressions and expressions statements. */
  readonly statement: (node: Statement) => Doc;
}

/** A comment behind what is on its line. */
export const behind = ({ text }: Comment): Doc => [lineSuffix([" ", text]), breakParent];

const allBehind = (comments: readonly Comment[] | undefined): Doc => (comments ?? []).map(behind);

/** The comments at the two ends of a bracket. Only one comment can stand on the bracket's own line. */
function atEnds(open: number, { comments }: Context) {
  const [opening, ...rest] = comments.opening.get(open) ?? [];
  return {
    opening: opening === undefined ? "" : behind(opening),
    first: rest,
    last: comments.closing.get(open) ?? [],
  };
}

/** Something on a line of its own, with the offsets it takes up in the source. */
interface Line {
  readonly doc: Doc;
  readonly start: number;
  readonly end: number;
}

/** Elements and comments on lines of their own, with at most one blank line kept between them. */
export function lines<E extends Element>(
  open: number,
  elements: readonly E[],
  print: (element: E) => Doc,
  context: Context,
): Doc {
  const { comments, source } = context;
  const { first, last } = atEnds(open, context);
  const all: Line[] = first.map(commentLine);
  for (const element of elements) {
    const { start } = element.span;
    for (const comment of comments.before.get(element) ?? []) {
      // A comment taken out of the element's middle counts as standing at its beginning.
      all.push(
        comment.span.start < start
          ? commentLine(comment)
          : { doc: comment.text, start, end: start },
      );
    }
    const after = comments.behind.get(element);
    const end = after?.at(-1)?.span.end ?? element.span.end;
    all.push({ doc: [print(element), allBehind(after)], start, end });
  }
  all.push(...last.map(commentLine));
  return all.map(({ doc, start }, i) => {
    if (i === 0) return doc;
    const blank = source.hasBlankLine(all[i - 1]!.end, start);
    return [hardline, blank ? hardline : "", doc];
  });
}

const commentLine = ({ text, span }: Comment): Line => ({
  doc: text,
  start: span.start,
  end: span.end,
});

/** Whether a block may stand on one line: it did, and no comment has been moved into it. */
export function mayShareLine(open: number, { source, comments }: Context): boolean {
  return source.isOneLine(open) && !comments.opening.has(open) && !comments.closing.has(open);
}

/** `{ … }` around statements or settings; with `oneLine` the enclosing group decides whether it breaks. */
export function block<E extends Element>(
  open: number,
  elements: readonly E[],
  oneLine: boolean,
  print: (element: E) => Doc,
  context: Context,
): Doc {
  const { opening, first, last } = atEnds(open, context);
  if (elements.length === 0 && first.length + last.length === 0)
    return opening === "" ? "{}" : ["{", opening, hardline, "}"];
  if (oneLine)
    return ["{", indent([line, join([ifBreak("", " "), line], elements.map(print))]), line, "}"];
  return ["{", opening, indent([hardline, lines(open, elements, print, context)]), hardline, "}"];
}

/** How a bracketed list looks: its marks, blanks inside them on one line, and whether a last comma may stand. */
export interface Brackets {
  readonly left: string;
  readonly right: string;
  readonly blank?: boolean;
  readonly lastComma?: boolean;
}

/** Elements between commas, on one line if they fit. */
export function commaList<E extends Element>(
  open: number,
  elements: readonly E[],
  print: (element: E) => Doc,
  { left, right, blank, lastComma = true }: Brackets,
  context: Context,
): Doc {
  const { opening, first, last } = atEnds(open, context);
  const own = (comments: readonly Comment[]) =>
    comments.map(({ text }): Doc => [text, breakParent]);
  const parts: Doc[] = own(first);
  elements.forEach((element, i) => {
    parts.push(...own(context.comments.before.get(element) ?? []));
    const comma = i < elements.length - 1 ? "," : lastComma ? ifBreak(",") : "";
    parts.push([print(element), comma, allBehind(context.comments.behind.get(element))]);
  });
  parts.push(...own(last));
  if (parts.length === 0 && opening === "") return [left, right];
  const edge = blank === true ? line : softline;
  return group([left, opening, indent([edge, join(line, parts)]), edge, right]);
}
