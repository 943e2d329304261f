/** What a picture shows, before anything has a place: boxes with texts, what flows between them, panels. */

import type { Span } from "../../../grammar/ast.js";

export type Style = "title" | "text" | "code" | "faint";

export interface Line {
  readonly text: string;
  readonly style: Style;
  /** Set at the right end of the same line. */
  readonly beside?: string;
}

/** How a box looks, which says what it is. */
export type Shape =
  | "layer" // a layer with its inside shown
  | "repeat" // a part of the stack that comes several times
  | "block" // a block of the stack, shown on a panel of its own
  | "step" // a statement
  | "state"
  | "attend"
  | "route"
  | "mix"
  | "operator" // +, *
  | "port"; // a value that comes from outside

export interface Box {
  readonly id: string;
  readonly shape: Shape;
  readonly lines: readonly Line[];
  readonly inside: Flow | null;
  /** The source that says it; for hovering. */
  readonly span: Span | null;
  readonly note: string;
}

export interface Edge {
  readonly from: string;
  readonly to: string;
  /** The axes of what flows; the same for all edges of one box. */
  readonly label: string;
  /** A value that goes around layers and is added to what they give. */
  readonly residual: boolean;
}

export interface Flow {
  readonly boxes: readonly Box[];
  readonly edges: readonly Edge[];
}

/** A rectangle with texts, all in the coordinates of its panel; `inside` lies within it. */
export interface Cell {
  readonly id: string;
  /** How it looks: a class of the style sheet. */
  readonly look: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
  readonly texts: readonly PlacedText[];
  readonly note: string;
  readonly inside: readonly Cell[];
}

export interface PlacedText {
  readonly text: string;
  readonly style: Style;
  readonly x: number; // its left end
  readonly y: number; // its base line
}

/** What is drawn as it stands: grids, bars, tables. */
export interface Figure {
  readonly width: number;
  readonly height: number;
  readonly cells: readonly Cell[];
}

export interface Panel {
  readonly title: string;
  readonly facts: readonly string[];
  readonly flow: Flow;
  /** Drawn instead of the flow, which text formats show. */
  readonly figure?: Figure;
}

export interface Drawing {
  readonly title: string;
  readonly facts: readonly string[];
  readonly description: string;
  /** The whole model first, then each kind of block. */
  readonly panels: readonly Panel[];
  /** The first panel on top and the others below it in two columns, instead of rows. */
  readonly columns?: true;
}
