/**
 * Looks on while a declaration is elaborated, for who wants to know afterwards what an expression came to:
 * editors show the axes and sizes of whatever the cursor is on.
 */

import type { Expression } from "../../grammar/ast.js";
import type { GraphBuilder } from "../ir/builder.js";
import type { Part } from "./trace.js";
import type { CompileValue } from "./values.js";

export class Watch {
  /** The graph being built; null before it was begun. */
  builder: GraphBuilder | null = null;
  /** How many layers are being applied where the declaration's own statements run. */
  depth = 0;
  /** What the declaration was built from. */
  parts: readonly Part[] = [];
  /** What its names stand for in the end: parameters, and axes of inputs. */
  names: ReadonlyMap<string, CompileValue> = new Map();
  private readonly values = new Map<Expression, CompileValue>();

  begin(
    builder: GraphBuilder,
    depth: number,
    parts: readonly Part[],
    names: ReadonlyMap<string, CompileValue> = new Map(),
  ): void {
    this.builder = builder;
    this.depth = depth;
    this.parts = parts;
    this.names = names;
  }

  see(node: Expression, value: CompileValue): void {
    this.values.set(node, value);
  }

  valueOf(node: Expression): CompileValue | undefined {
    return this.values.get(node);
  }
}
