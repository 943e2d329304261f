/**
 * Gives every comment its place in the printed text. There are five kinds of place, each of which is read
 * back as itself, so that formatting twice changes nothing: on lines of its own before an element of a list
 * or body; behind an element; behind an opening bracket; on lines of its own before a closing bracket; and
 * behind a binary operator. A comment anywhere else moves to the nearest of these.
 */

import type { BinaryExpression, Comment, SourceFile } from "../ast.js";
import type { Token } from "../vocabulary.js";
import { isCloser, isOpener } from "../brackets.js";
import { fileContainer, findContainers, type Element } from "./containers.js";
import { operatorsOf } from "./operators-of.js";
import type { Source } from "./source.js";

export class Comments {
  readonly before = new Map<Element, Comment[]>();
  readonly behind = new Map<Element, Comment[]>();
  readonly behindOperator = new Map<BinaryExpression, Comment[]>();
  /** By the offset of the opening bracket. */
  readonly opening = new Map<number, Comment[]>();
  readonly closing = new Map<number, Comment[]>();

  constructor(file: SourceFile, source: Source) {
    const containers = findContainers(file, source);
    const open = [fileContainer];
    let t = 0;
    for (const comment of file.comments) {
      for (; t < source.tokens.length && source.tokens[t]!.startOffset < comment.span.start; t++) {
        const token = source.tokens[t]!;
        if (isOpener(token)) open.push(token.startOffset);
        else if (isCloser(token)) open.pop();
      }
      const neighbours = { previous: source.tokens[t - 1], next: source.tokens[t] };
      this.#place(comment, open.at(-1)!, containers.get(open.at(-1)!) ?? [], neighbours, source);
    }
  }

  #place(
    comment: Comment,
    open: number,
    elements: readonly Element[],
    tokens: Neighbours,
    source: Source,
  ): void {
    const at = comment.span.start;
    const following = firstAfter(elements, at);
    const [previous, next] = [elements[following - 1], elements[following]];
    if (previous !== undefined && at < previous.span.end)
      this.#placeInside(previous, comment, tokens, source);
    else if (!comment.ownLine && previous !== undefined && !this.behind.has(previous))
      add(this.behind, previous, comment);
    else if (!comment.ownLine && previous === undefined && open !== fileContainer)
      add(this.opening, open, comment);
    else if (next !== undefined) add(this.before, next, comment);
    else add(this.closing, open, comment);
  }

  /** In the middle of an element, but in none of its brackets. */
  #placeInside(
    element: Element,
    comment: Comment,
    { previous, next }: Neighbours,
    source: Source,
  ): void {
    const at = comment.span.start;
    const operator = operatorsOf(element).find(
      ({ left, right }) => left.span.end <= at && at < right.span.start,
    );
    if (operator !== undefined) add(this.behindOperator, operator, comment);
    else if (next?.image === "{") add(this.opening, next.startOffset, comment);
    else if (next?.image === "else")
      add(this.closing, source.openOf(previous!.startOffset)!, comment);
    else add(this.before, element, comment);
  }
}

interface Neighbours {
  readonly previous: Token | undefined;
  readonly next: Token | undefined;
}

function add<K>(map: Map<K, Comment[]>, key: K, comment: Comment): void {
  const present = map.get(key);
  if (present === undefined) map.set(key, [comment]);
  else present.push(comment);
}

/** The index of the first element that starts after an offset. */
function firstAfter(elements: readonly Element[], offset: number): number {
  let [low, high] = [0, elements.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (elements[middle]!.span.start < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}
