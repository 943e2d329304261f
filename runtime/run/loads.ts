/** How evenly routes spread their tokens: what `metrics.jsonl` says of a step's loads. */

/** The share of all picks that went to each expert (or memory), by the path of the route; they sum to 1. */
export type Loads = Readonly<Record<string, readonly number[]>>;

/** Records with all loads in a run: what can be told apart in a picture, in a file that stays small. */
const shownSteps = 200;

const suffix = /(^|\.)load(_\d+)?$/;

/** The loads among a step's metrics: `blocks.0.ffn.load` is of the route `blocks.0.ffn`. */
export function loadsOf(metrics: Loads): Loads {
  return Object.fromEntries(
    Object.entries(metrics).flatMap(([path, load]) => {
      const found = suffix.exec(path);
      return found ? [[(path.slice(0, found.index) || "route") + (found[2] ?? ""), load]] : [];
    }),
  );
}

/** Whether a step's record has all loads: the first, the last, and about two hundred between. */
export function showsLoads(step: number, steps: number): boolean {
  return step === 1 || step === steps || step % Math.max(1, Math.ceil(steps / shownSteps)) === 0;
}

export interface RouterFigures {
  readonly router_max_load?: number;
  readonly router_entropy?: number;
  readonly loads?: Loads;
}

/** Of the least even route; nothing of a model without routes. */
export function routerFigures(loads: Loads, all: boolean): RouterFigures {
  const routes = Object.values(loads);
  if (routes.length === 0) return {};
  return {
    router_max_load: rounded(Math.max(...routes.map(maxLoad))),
    router_entropy: rounded(Math.min(...routes.map(entropy))),
    ...(all && {
      loads: Object.fromEntries(
        Object.entries(loads).map(([route, load]) => [route, load.map(rounded)]),
      ),
    }),
  };
}

/** max_e f_e · E: 1 where all of the E experts are as busy, E where one has everything. */
export const maxLoad = (load: readonly number[]): number => Math.max(...load) * load.length;

/** −Σ_e f_e ln f_e / ln E: 1 where all are as busy, 0 where one has everything. */
export function entropy(load: readonly number[]): number {
  if (load.length === 1) return 1;
  const nats = load.reduce((sum, share) => (share > 0 ? sum - share * Math.log(share) : sum), 0);
  return nats / Math.log(load.length);
}

const rounded = (value: number): number => Number(value.toPrecision(4));
