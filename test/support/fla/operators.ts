/**
 * Operators that flash-linear-attention 0.5.2 has a naive reference of, as steps in the language.
 *
 * Not compared, because the package has no naive reference of them: Mamba-1, 2 and 3 (whole layers over kernels of others; the operator
 * of Mamba-2 is `simple_gla` with Δ in the value), RWKV-7 (its operator is `dplr`), GateLoop, gated fast weights, S4D, S5, mLSTM, TTT-MLP,
 * Titans' matrix memory without a norm, Liger and MoM. Its log-linear attention, MesaNet, PaTH and kinds of softmax are no instances of ours.
 */

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
  // `gla` with a key that is 1 − α
  hgrn2: {
    operands: { q: ["heads, key"], v: ["heads, value"], g: ["heads, key", "log-gate"] },
    body: `${state}\nS <- exp(g) * S + (1 - exp(g)) * v\n${read}`,
  },
  lightning: {
    operands: qkv,
    body: `slope = 8 / heads * (1 - 1 / 4) * iota(heads)
${state}
S <- exp(-slope) * S + k * v
${read}`,
  },
  gated_delta_rule_2: {
    operands: {
      ...qkv,
      k: ["heads, key", "unit"],
      b: ["heads, key", "rate"],
      w: ["heads, value", "rate"],
      g: ["heads, key", "log-gate"],
    },
    body: `a = exp(g)
${state}
S <- a * S
S <- S - k * dot(b * k, S, key) + k * w * v
${read}`,
  },
  iplr: {
    operands: { ...qkv, a: ["heads, key", "unit"], b: ["heads, key", "unit"] },
    body: `${state}\nS <- S - 0.5 * b * dot(a, S, key) + k * v\n${read}`,
  },
  // attention with bounded memory: the slots' weights are a running softmax over time
  abc: {
    operands: { ...qkv, s: ["heads, memory"] },
    body: `state m: [heads, memory] = -1e9
m <- max(m, s)
state z: [heads, memory]
z <- exp(m.prev - m) * z + exp(s - m)
state K: [heads, memory, key]
state V: [heads, memory, value]
K <- exp(m.prev - m) * K + exp(s - m) * k
V <- exp(m.prev - m) * V + exp(s - m) * v
o = dot(softmax(dot(q * key^-0.5, K, key) / z, memory), V / z, memory)`,
  },
  // what is read is Z + LN(Z), where TTT's authors read Q + LN(Z); the package's rates are the reading token's, so here one for all
  ttt_linear: {
    operands: { q: ["heads, key"], k: ["heads, key"], v: ["heads, key"] },
    body: `gain = 1 + 0.1 * iota(key)
bias = 0.2 - 0.1 * iota(key)
out = key
state W: [heads, key, out]
state c: [heads, key]
z = rename(dot(k, W, key), out, key) + c
hat = (z - mean(z, key)) * rsqrt(mean(square(z - mean(z, key)), key) + 1e-6)
loss = 0.5 * sum(square(hat * gain + bias + k - v))
W <- W - 0.3 * grad(loss, W) at chunk(8)
c <- c - 0.3 * grad(loss, c) at chunk(8)
y = rename(dot(q * key^-0.5, W, key), out, key) + c
o = y + (y - mean(y, key)) * rsqrt(mean(square(y - mean(y, key)), key) + 1e-6) * gain + bias`,
  },
  // the package's gradient of the layer norm divides its first term by nothing: it is written out as it is there; its
  // memory starts at 0, where a small epsilon makes float32 coarse
  titans_linear: {
    operands: {
      q: ["heads, key"],
      k: ["heads, key"],
      v: ["heads, key"],
      theta: ["heads", "rate"],
      alpha: ["heads", "rate"],
      eta: ["heads", "rate"],
    },
    body: `gain = 0.3 + 0.1 * iota(key)
bias = 0.2 - 0.1 * iota(key)
out = key
state Z: [heads, key, out]
state M: [heads, key, out]
z = rename(dot(k, M, key), out, key)
deviation = sqrt(mean(square(z - mean(z, key)), key) + 0.1)
hat = (z - mean(z, key)) / deviation
u = (hat * gain + bias + k - v) * gain
step = key * u - (sum(u, key) + hat * sum(u * hat, key)) / (deviation * key)
Z <- eta * Z - 0.02 * theta * k * rename(step, key, out) at chunk(8)
M <- (1 - alpha) * M + Z
y = rename(dot(q, M, key), out, key)
o = y + (y - mean(y, key)) * rsqrt(mean(square(y - mean(y, key)), key) + 0.1) * gain + bias`,
  },
};
