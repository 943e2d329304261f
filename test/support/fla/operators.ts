/** Operators that flash-linear-attention 0.5.2 has a naive reference of, as steps in the language. */

/** An operand by its axes; a log-gate is negative, `unit` of length 1 along the key, `rate` in (0, 1). */
export type Operand = readonly [axes: string, kind?: "log-gate" | "unit" | "rate"];

export interface Operator {
  readonly operands: Readonly<Record<string, Operand>>;
  /** From the operands to `o`. */
  readonly body: string;
}

const qkv: Readonly<Record<string, Operand>> = {
  q: ["heads, key"],
  k: ["heads, key"],
  v: ["heads, value"],
};
const state = "state S: [heads, key, value]";
const read = "o = dot(q * key^-0.5, S, key)";

export const operators: Readonly<Record<string, Operator>> = {
  linear_attn: { operands: qkv, body: `${state}\nS <- S + k * v\n${read}` },
  retention: {
    operands: qkv,
    body: `decay = 1 - 2 ^ (-5 - iota(heads))\n${state}\nS <- decay * S + k * v\n${read}`,
  },
  simple_gla: {
    operands: { ...qkv, g: ["heads", "log-gate"] },
    body: `${state}\nS <- exp(g) * S + k * v\n${read}`,
  },
  gla: {
    operands: { ...qkv, g: ["heads, key", "log-gate"] },
    body: `${state}\nS <- exp(g) * S + k * v\n${read}`,
  },
  hgrn: {
    operands: { v: ["value"], g: ["value", "log-gate"] },
    body: "state h: [value]\nh <- exp(g) * h + v\no = 1 * h + 0 * v",
  },
  rwkv6: {
    operands: { ...qkv, g: ["heads, key", "log-gate"] },
    body: `u = 0.1 * (1 + iota(key))\n${state}\nS <- exp(g) * S + k * v\no = dot(q * key^-0.5, S.prev + u * k * v, key)`,
  },
  gsa: {
    operands: { ...qkv, s: ["heads, memory"], g: ["heads, memory", "log-gate"] },
    body: `state K: [heads, memory, key]
state V: [heads, memory, value]
K <- exp(g) * K + s * k
V <- exp(g) * V + s * v
o = dot(softmax(dot(q * key^-0.5, K, key), memory), V, memory)`,
  },
  delta_rule: {
    operands: { ...qkv, k: ["heads, key", "unit"], b: ["heads", "rate"] },
    body: `${state}\nS <- S - b * k * dot(k, S, key) + b * k * v\n${read}`,
  },
  gated_delta_rule: {
    operands: { ...qkv, k: ["heads, key", "unit"], b: ["heads", "rate"], g: ["heads", "log-gate"] },
    body: `a = exp(g)\n${state}\nS <- a * (S - b * k * dot(k, S, key)) + b * k * v\n${read}`,
  },
  kda: {
    operands: {
      ...qkv,
      k: ["heads, key", "unit"],
      b: ["heads", "rate"],
      g: ["heads, key", "log-gate"],
    },
    body: `a = exp(g)\n${state}\nS <- a * S - b * k * dot(k, a * S, key) + b * k * v\n${read}`,
  },
  // the chunk form of the package, which erases before the decay; its recurrent one erases behind it
  comba: {
    operands: {
      ...qkv,
      k: ["heads, key", "unit"],
      p: ["heads, key", "unit"],
      b: ["heads", "rate"],
      g: ["heads", "log-gate"],
    },
    body: `${state}\nS <- exp(g) * S - b * k * dot(p, S, key) + b * k * v\n${read}`,
  },
  gated_delta_product: {
    operands: {
      ...qkv,
      k: ["heads, key", "unit"],
      k2: ["heads, key", "unit"],
      v2: ["heads, value"],
      b: ["heads", "rate"],
      b2: ["heads", "rate"],
      g: ["heads", "log-gate"],
    },
    body: `a = exp(g)
${state}
S <- a * S - a * b * k * dot(k, S, key) + b * k * v
S <- S - b2 * k2 * dot(k2, S, key) + b2 * k2 * v2
o = dot(q, S, key)`,
  },
  // RWKV-7's transition, diagonal plus low rank
  dplr: {
    operands: {
      ...qkv,
      a: ["heads, key", "unit"],
      b: ["heads, key", "unit"],
      g: ["heads, key", "log-gate"],
    },
    body: `${state}\nS <- exp(g) * S - 0.5 * b * dot(a, S, key) + k * v\n${read}`,
  },
  based: {
    operands: qkv,
    body: `u = q * key^-0.5
state S0: [heads, value]
state S1: [heads, key, value]
state S2: [heads, key, pair, value]
S0 <- S0 + v
S1 <- S1 + k * v
S2 <- S2 + k * rename(k, key, pair) * v
o = S0 + dot(u, S1, key) + 0.5 * dot(u * rename(u, key, pair), S2, [key, pair])`,
  },
  rebased: {
    operands: qkv,
    body: `u = q * key^-0.5
state S: [heads, key, pair, value]
S <- S + k * rename(k, key, pair) * v
o = dot(u * rename(u, key, pair), S, [key, pair])`,
  },
};
