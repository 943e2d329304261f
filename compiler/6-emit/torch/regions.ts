/**
 * The layers of a function as regions of its steps: what becomes a module of its own, with what it is given
 * and what it gives.
 *
 * A graph is flat; which layer a value was made for is known by its origin in the token graph. A layer whose
 * steps would need something computed between them, outside of it, is no region: its steps are its parent's.
 */

import type { Application, Part } from "../../1-check/trace.js";
import type { Graph, ValueId } from "../../ir/graph.js";
import { type GraphView, type Step, isFused } from "./steps.js";

export interface Layer {
  readonly application: Application;
  readonly path: string;
  readonly parent: Layer | null;
}

export type Item =
  | { readonly kind: "step"; readonly step: Step }
  | { readonly kind: "region"; readonly region: Region };

export interface Region {
  readonly layer: Layer | null; // null: the whole function
  readonly path: string;
  readonly items: readonly Item[];
  readonly inputs: readonly ValueId[];
  readonly outputs: readonly ValueId[];
}

/** The layers of a function that have parameters, each with the path they share. */
export function layersOf(
  token: Graph,
  parts: readonly Part[],
  leaves: ReadonlySet<string>,
): Layer[] {
  const found: Layer[] = [];
  const visit = (part: Part, parent: Layer | null): void => {
    let inner = parent;
    if (part.kind === "application") {
      const path = commonPath(token, part);
      const within =
        path !== null && (parent === null ? path !== "" : path.startsWith(`${parent.path}.`));
      if (within && !leaves.has(path)) {
        inner = { application: part, path, parent };
        found.push(inner);
      }
    }
    for (const one of part.kind === "application" ? part.steps : part.parts) visit(one, inner);
  };
  for (const part of parts) visit(part, null);
  return found;
}

/** What the paths of an application's parameters and blocks begin with; null when it has none. */
function commonPath(token: Graph, { parameters, nodes }: Application): string | null {
  const homes = [
    ...token.parameters
      .slice(parameters.from, parameters.to)
      .map(({ path }) => path.split(".").slice(0, -1)),
    ...token.nodes
      .slice(nodes.from, nodes.to)
      .flatMap((node) =>
        node.op === "call" ? [node.attributes.prefix.split(".").slice(0, -1)] : [],
      ),
  ];
  if (homes.length === 0) return null;
  const [first, ...rest] = homes as [string[], ...string[][]];
  const shared = first.findIndex((segment, i) => rest.some((home) => home[i] !== segment));
  return (shared < 0 ? first : first.slice(0, shared)).join(".");
}

const backward = new Set([
  "scan",
  "recurrence",
  "delta_rule",
  "conv",
  "short_conv",
  "delay",
  "attend",
  "slot_positions",
  "state_scan",
  "selective_scan",
]);

/** Whether a region looks at earlier tokens, and so has something to keep when it is to go on with later ones. */
export function looksBack({ items }: Region): boolean {
  return items.some((item) =>
    item.kind === "step" ? backward.has(item.step.op) : looksBack(item.region),
  );
}

/** Which layer each step belongs to. */
function owners(view: GraphView, token: Graph, layers: readonly Layer[], steps: readonly Step[]) {
  const nodeOf = new Map<ValueId, number>();
  token.nodes.forEach((node, i) => node.outputs.forEach((id) => nodeOf.set(id, i)));
  return new Map(
    steps.map((step) => {
      const origin = view.graph.values[step.outputs[0]!]!.origin;
      const at = origin === null ? undefined : nodeOf.get(origin);
      const module = isFused(step) && "path" in step.attributes ? step.attributes.path : null;
      const inside = layers.filter(({ application: { nodes }, path }) => {
        if (at === undefined || at < nodes.from || at >= nodes.to) return false;
        return module === null || module.startsWith(`${path}.`);
      });
      return [step, inside[inside.length - 1] ?? null] as const; // inner layers come later
    }),
  );
}

export function regionOf(
  view: GraphView,
  token: Graph,
  allLayers: readonly Layer[],
  steps: readonly Step[],
  wanted: readonly ValueId[],
): Region {
  let layers = allLayers;
  for (;;) {
    const builder = new RegionBuilder(view, owners(view, token, layers, steps), layers);
    const region = builder.build(null, steps, new Set(wanted.map((id) => view.source(id))));
    if (builder.tangled.size === 0) return region;
    const { tangled } = builder;
    const outer = (layer: Layer | null): Layer | null =>
      layer === null || !tangled.has(layer) ? layer : outer(layer.parent);
    const renewed = new Map<Layer, Layer>();
    for (const layer of layers) {
      if (tangled.has(layer)) continue;
      const parent = outer(layer.parent); // comes before its children
      renewed.set(layer, { ...layer, parent: parent && renewed.get(parent)! });
    }
    layers = [...renewed.values()];
  }
}

interface Entry {
  readonly layer: Layer | null; // a child layer, or null for one step
  readonly steps: readonly Step[];
}

class RegionBuilder {
  /** Layers that need something from outside which needs them. */
  readonly tangled = new Set<Layer>();

  constructor(
    private readonly view: GraphView,
    private readonly owner: ReadonlyMap<Step, Layer | null>,
    private readonly layers: readonly Layer[],
  ) {}

  build(layer: Layer | null, steps: readonly Step[], wanted: ReadonlySet<ValueId>): Region {
    const entries = this.entries(layer, steps);
    const order = this.sorted(entries);
    const path = layer?.path ?? "";
    const uses = (own: readonly Step[]): ValueId[] =>
      own.flatMap((step) => step.inputs.map((id) => this.view.source(id)));
    const items = order.map((entry): Item => {
      if (entry.layer === null) return { kind: "step", step: entry.steps[0]! };
      const outside = new Set([...wanted, ...uses(steps.filter((s) => !entry.steps.includes(s)))]);
      const made = new Set(entry.steps.flatMap((step) => step.outputs));
      const needed = new Set([...made].filter((id) => outside.has(id)));
      return { kind: "region", region: this.build(entry.layer, entry.steps, needed) };
    });
    const made = new Set(steps.flatMap((step) => step.outputs));
    const inputs = new Set(
      uses(steps).filter(
        (id) =>
          !made.has(id) &&
          this.view.constant(id) === null &&
          !this.view.isStart(id) &&
          !this.owns(path, id),
      ),
    );
    const { graph } = this.view;
    const isPositions = (id: ValueId): boolean =>
      graph.inputs.some(({ name, value }) => name === "positions" && value === id);
    const sorted = [...inputs].sort((a, b) => Number(isPositions(a)) - Number(isPositions(b)));
    return {
      layer,
      path,
      items,
      inputs: sorted,
      outputs: [...wanted].filter((id) => made.has(id)),
    };
  }

  /** A parameter under the path is read off the module itself. */
  private owns(path: string, id: ValueId): boolean {
    const found = this.view.parameterPath(id);
    return found !== null && (path === "" || found.startsWith(`${path}.`));
  }

  private entries(layer: Layer | null, steps: readonly Step[]): Entry[] {
    const children = new Map<Layer, Step[]>();
    const entries: Entry[] = [];
    for (const step of steps) {
      const child = this.childOf(layer, this.owner.get(step)!);
      if (child === null) {
        entries.push({ layer: null, steps: [step] });
        continue;
      }
      const known = children.get(child);
      if (known) known.push(step);
      else {
        const own = [step];
        children.set(child, own);
        entries.push({ layer: child, steps: own });
      }
    }
    return entries;
  }

  /** The layer right below `layer` that a step's own layer is or lies in. */
  private childOf(layer: Layer | null, own: Layer | null): Layer | null {
    let found: Layer | null = null;
    for (let at = own; at !== null && at !== layer; at = at.parent) found = at;
    return found;
  }

  /** Where an entry stands in the source: at the last of what it was made for. */
  private place({ steps }: Entry): number {
    const origins = steps.map(
      (step) => this.view.graph.values[step.outputs[0]!]!.origin ?? Infinity,
    );
    return Math.min(...origins);
  }

  /** Entries so that each comes after what it needs; those in a circle are noted and come as they stood. */
  private sorted(entries: readonly Entry[]): readonly Entry[] {
    const maker = new Map<ValueId, Entry>();
    for (const entry of entries)
      for (const step of entry.steps) for (const id of step.outputs) maker.set(id, entry);
    const needs = new Map(
      entries.map((entry) => {
        const inputs = entry.steps.flatMap((step) => step.inputs.map((id) => this.view.source(id)));
        const others = inputs.flatMap((id) => maker.get(id) ?? []).filter((one) => one !== entry);
        return [entry, new Set(others)] as const;
      }),
    );
    const done = new Set<Entry>();
    const order: Entry[] = [];
    let waiting = [...entries].sort((a, b) => this.place(a) - this.place(b));
    while (waiting.length > 0) {
      const ready = waiting.find((entry) => [...needs.get(entry)!].every((one) => done.has(one)));
      if (!ready) {
        for (const { layer } of waiting) if (layer !== null) this.tangled.add(layer);
        return entries;
      }
      done.add(ready);
      order.push(ready);
      waiting = waiting.filter((entry) => entry !== ready);
    }
    return order;
  }
}
