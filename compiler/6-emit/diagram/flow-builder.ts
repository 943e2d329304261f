/** Collects the boxes and edges of one flow, and the names that stand for values in it. */

import type { Box, Edge, Flow } from "./drawing.js";

/** What a name stands for: a box whose value it is, or parameters that belong to whoever uses them. */
export type Meaning =
  | { readonly kind: "box"; readonly id: string }
  | { readonly kind: "parameter"; readonly count: number; readonly text: string };

export class FlowBuilder {
  private readonly boxes: Box[] = [];
  private readonly edges: Edge[] = [];
  private readonly labels = new Map<string, string>();
  private readonly ports = new Map<string, { readonly id: string; readonly outer: string }>();

  constructor(
    private readonly prefix: string,
    private readonly outer: FlowBuilder | null = null,
  ) {}

  /** Adds a box; `label` is the axes of its value. */
  add(box: Omit<Box, "id">, label: string): string {
    const id = `${this.prefix}${this.boxes.length}`;
    this.boxes.push({ ...box, id });
    this.labels.set(id, label);
    return id;
  }

  /** The place of a box whose inside is not known yet: `prefix` of the boxes in it. */
  inner(): FlowBuilder {
    return new FlowBuilder(`${this.prefix}${this.boxes.length}.`, this);
  }

  owns(id: string): boolean {
    return this.labels.has(id);
  }

  labelOf(id: string): string {
    return this.labels.get(id) ?? this.outer?.labelOf(id) ?? "";
  }

  /** Says the axes of a box's value where they were not known. */
  describe(id: string, label: string): void {
    if (this.labels.get(id) === "") this.labels.set(id, label);
  }

  connect(from: string, to: string, residual = false): void {
    if (from === to || this.edges.some((edge) => edge.from === from && edge.to === to)) return;
    this.edges.push({ from, to, label: this.labelOf(from), residual });
  }

  /** Whether a value goes into another, through whatever boxes. */
  leadsTo(from: string, to: string): boolean {
    const reached = new Set([from]); // grows while it is walked through
    for (const at of reached)
      for (const edge of this.edges) if (edge.from === at) reached.add(edge.to);
    return reached.has(to);
  }

  /** A box of this flow that stands for a value: itself, or a port when it comes from outside. */
  local(id: string, name: string): string {
    if (this.owns(id)) return id;
    const known = this.ports.get(id);
    if (known) return known.id;
    const lines = [{ text: name, style: "code" as const }];
    const port = { shape: "port" as const, lines, inside: null, span: null, note: "" };
    const own = this.add(port, this.labelOf(id));
    this.ports.set(id, { id: own, outer: id });
    return own;
  }

  /** Connects what came in through ports to the box whose inside this flow is. */
  connectPorts(box: string): void {
    for (const { outer } of this.ports.values())
      if (this.outer) this.outer.connect(this.outer.local(outer, ""), box);
  }

  /** The flow, its result last. */
  finish(result: string | null): Flow {
    const last = this.boxes.filter(({ id }) => id === result);
    return { boxes: [...this.boxes.filter(({ id }) => id !== result), ...last], edges: this.edges };
  }
}
