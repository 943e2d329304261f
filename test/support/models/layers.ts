/** One tiny model for every layer of the standard library: what the conformance suite runs. */

/**
 * Name of the case → the block's mixer and feed-forward layer. Sizes are tiny but well-conditioned: a layer
 * norm over two values is nearly a sign, and float32 could not be compared with float64 through it. ReBased divides
 * a sum of squares of products by another plus ε: with the released 1e-5 a first token whose query and key are nearly
 * orthogonal is 0 / 0, whose digits float32 has lost.
 */
const blocks: Readonly<Record<string, readonly [string, string]>> = {
  "linear attention (F0)": ["LinearAttention(heads: 2)", "swiglu(hidden: 5)"],
  "RetNet (F1)": ["RetNet(heads: 2)", "swiglu(hidden: 5)"],
  "Mamba-2 (F1)": ["Mamba2(heads: 2, n: 3, value: 2)", "swiglu(hidden: 5)"],
  "GLA (F2)": ["GLA(heads: 2, key: 3, rank: 2)", "swiglu(hidden: 5)"],
  "DeltaNet (F3)": ["DeltaNet(heads: 2, key: 3, taps: 3)", "swiglu(hidden: 5)"],
  "Gated DeltaNet (F3)": ["GatedDeltaNet(heads: 2, key: 3)", "swiglu(hidden: 5)"],
  attention: ["Attention(heads: 2)", "swiglu(hidden: 5)"],
  "grouped-query attention": ["Attention(heads: 2, kv_heads: 1)", "swiglu(hidden: 5)"],
  "windowed attention": ["Attention(heads: 2, window: 3)", "swiglu(hidden: 5)"],
  "attention with bias": ["Attention(heads: 2, bias: true)", "swiglu(hidden: 5)"],
  "MoE, softmax scores": [
    "LinearAttention(heads: 2)",
    "MoE(experts: 3, top_k: 2, hidden: 5, z: 0.1, balance: 0.3)",
  ],
  "MoE, sigmoid scores, shared expert, bias": [
    "LinearAttention(heads: 2)",
    'MoE(experts: 4, top_k: 2, hidden: 3, scores: "sigmoid", shared: 1, bias: 0.01, balance: 0)',
  ],
  MoM: ["MoM(heads: 2, memories: 3, key: 3)", "swiglu(hidden: 5)"],
  "MoM without a shared memory": [
    "MoM(heads: 2, memories: 3, top_k: 1, shared: false)",
    "swiglu(hidden: 5)",
  ],
  "HGRN2 (F2)": ["HGRN2(heads: 2)", "swiglu(hidden: 5)"],
  "Lightning (F1)": ["Lightning(heads: 2)", "swiglu(hidden: 5)"],
  "Based (F0)": ["Based(heads: 2, key: 2)", "swiglu(hidden: 5)"],
  "ReBased (F0)": ["ReBased(heads: 2, key: 4, epsilon: 0.1)", "swiglu(hidden: 5)"],
  "gated fast weights (F5)": ["GFW(heads: 2)", "swiglu(hidden: 5)"],
  "RWKV-6 (F2)": ["RWKV6(heads: 2, value: 4, rank: 2, shift_rank: 2)", "ChannelMix(hidden: 5)"],
  "RWKV-7 (F4)": ["RWKV7(heads: 2, value: 4)", "ChannelMix7(hidden: 5)"],
  "KDA (F4)": ["KDA(heads: 2, rank: 2)", "swiglu(hidden: 5)"],
  "Comba (F3)": ["Comba(heads: 2)", "swiglu(hidden: 5)"],
  "DeltaProduct (F3, rank 2)": ["DeltaProduct(heads: 2)", "swiglu(hidden: 5)"],
  "GSA (F2, twice)": ["GSA(heads: 2, slots_per_head: 3)", "swiglu(hidden: 5)"],
  "mLSTM (F1)": ["MLSTM(heads: 2)", "swiglu(hidden: 5)"],
  "Mamba-1 (F5)": ["Mamba1(n: 2, rank: 1)", "swiglu(hidden: 5)"],
  S4D: ["S4D(n: 2)", "swiglu(hidden: 5)"],
  "TTT-Linear (F7)": ["TTTLinear(heads: 2, key: 4, chunk: 3)", "swiglu(hidden: 5)"],
  "TTT-MLP (F7)": ["TTTMLP(heads: 1, hidden: 3, chunk: 3)", "swiglu(hidden: 5)"],
  "Titans (F7)": ["Titans(heads: 2, chunk: 3, taps: 2)", "swiglu(hidden: 5)"],
  "Time-SSM, one pole (F2v)": ["SpectralSSM(n: 3, rank: 1)", "swiglu(hidden: 5)"],
  "Time-SSM, as Mamba starts (F5)": [
    'SpectralSSM(n: 3, rank: 1, basis: "LegS")',
    "swiglu(hidden: 5)",
  ],
  "S4D, complex (F6)": ["S4DComplex(pairs: 2)", "swiglu(hidden: 5)"],
  "HiPPO, a dense transition": ["HiPPO(n: 3, length: 4)", "swiglu(hidden: 5)"],
  "HiPPO-LegS": ['HiPPO(n: 3, length: 9, basis: "LegS")', "swiglu(hidden: 5)"],
  "S5 (F6)": ["S5(pairs: 3)", "swiglu(hidden: 5)"],
  "Mamba-3 (F1)": ["Mamba3(heads: 2, n: 4, value: 2)", "swiglu(hidden: 5)"],
  "Mamba-3, all pairs turned (F1)": [
    "Mamba3(heads: 2, n: 4, value: 2, turned: 1)",
    "swiglu(hidden: 5)",
  ],
  "Mamba-3, several inputs and outputs (F1)": [
    "Mamba3MIMO(heads: 2, n: 4, value: 2, rank: 3)",
    "swiglu(hidden: 5)",
  ],
  "GateLoop (F6)": ["GateLoop(heads: 2, key: 4)", "swiglu(hidden: 5)"],
  "Liger (F2)": ["Liger(heads: 2, window: 3)", "swiglu(hidden: 5)"],
};

/** Layers that users write themselves: steps that stdlib has none of. */
const own: Readonly<Record<string, string>> = {
  "S.prev with a bonus (RWKV-6)": `
    r = linear(x, [heads, key])
    k = linear(x, [heads, key])
    v = linear(x, [heads, value])
    w = exp(-exp(linear(x, [heads, key])))
    u = param([heads, key], normal(0.5))
    state S: [heads, key, value]
    S <- w * S + k * v
    linear(dot(r, S.prev + u * k * v, key), [width])`,
  "gate and erase (F4)": `
    q = linear(x, [heads, key])
    k = l2norm(linear(x, [heads, key]), key)
    v = linear(x, [heads, value])
    a = sigmoid(linear(x, [heads, key]))
    b = sigmoid(linear(x, [heads]))
    state S: [heads, key, value]
    S <- a * S - b * k * dot(k, a * S, key) + b * k * v
    linear(dot(q, S, key), [width])`,
  "value gate (F2v)": `
    q = linear(x, [heads, key])
    k = linear(x, [heads, key])
    v = linear(x, [heads, value])
    g = sigmoid(linear(x, [heads, value]))
    state S: [heads, key, value]
    S <- g * S + k * v
    linear(dot(q, S, key), [width])`,
  "elementwise decay (F5)": `
    u = linear(x, [inner])
    dt = softplus(linear(x, [inner]))
    B = linear(x, [n])
    C = linear(x, [n])
    A = param([n, inner], log(1 + iota(n)))
    state S: [n, inner]
    S <- exp(-dt * exp(A)) * S + dt * B * u
    linear(dot(C, S, n) + u, [width])`,
  "elementwise decay in chunks (F5)": `
    dt = softplus(linear(x, [inner]))
    B = linear(x, [n])
    C = linear(x, [n])
    A = param([n, inner], log(1 + iota(n)))
    state S: [n, inner]
    S <- exp(-dt * exp(A)) * S + dt * B * linear(x, [inner]) at chunk(3)
    linear(dot(C, S, n) + dot(B, S.prev, n), [width])`,
  "two micro-steps (DeltaProduct)": `
    q = linear(x, [heads, key])
    k1 = l2norm(linear(x, [heads, key]), key)
    k2 = l2norm(linear(x, [heads, key]), key)
    v1 = linear(x, [heads, value])
    v2 = linear(x, [heads, value])
    b = sigmoid(linear(x, [heads]))
    state S: [heads, key, value]
    S <- S - b * k1 * dot(k1, S, key) + b * k1 * v1
    S <- S - b * k2 * dot(k2, S, key) + b * k2 * v2
    linear(dot(q, S, key), [width])`,
  "stabiliser and normaliser (mLSTM)": `
    q = linear(x, [heads, key])
    k = linear(x, [heads, key])
    v = linear(x, [heads, value])
    i = linear(x, [heads])
    f = log_sigmoid(linear(x, [heads]))
    state m: [heads]
    state C: [heads, key, value]
    state n: [heads, key]
    m <- max(f + m, i)
    C <- exp(f + m.prev - m) * C + exp(i - m) * k * v
    n <- exp(f + m.prev - m) * n + exp(i - m) * k
    h = dot(q, C, key) / max(abs(dot(q, n, key)), exp(-m))
    linear(h, [width])`,
  "a running angle (Mamba-3)": `
    dt = softplus(linear(x, [heads]))
    theta = param([pairs], normal(1))
    B = linear(x, [state])
    q = linear(x, [heads, state])
    v = linear(x, [heads, value])
    state phi: [heads, pairs]
    phi <- mod(phi + dt * theta, 6.283185307179586)
    k = rotate(B, phi)
    state S: [heads, state, value]
    S <- exp(-dt) * S + dt * k * v
    linear(dot(rotate(q, phi), S, state), [width])`,
  "a running angle, without mod": `
    theta = linear(x, [heads, pairs])
    q = linear(x, [heads, state])
    v = linear(x, [heads, state])
    state phi: [heads, pairs] = 0.5
    phi <- phi - 3 * theta + 1
    linear(rotate(q, -phi.prev) * rotate(v, phi + 1) + rename(sum(cos(phi), pairs), heads, heads), [width])`,
  "a rotated state (F6)": `
    q = linear(x, [heads, state])
    k = linear(x, [heads, state])
    v = linear(x, [heads, value])
    a = sigmoid(linear(x, [heads]))
    theta = linear(x, [pairs])
    state S: [heads, state, value]
    S <- a * rotate(S, theta, over: state) + k * v
    linear(dot(q, S, state) + dot(k, S.prev, state), [width])`,
  "a rotated state with erases and gated pairs (F6)": `
    q = linear(x, [heads, state])
    k = l2norm(linear(x, [heads, state]), state)
    v = linear(x, [heads, value])
    a = sigmoid(linear(x, [heads, pairs]))
    both = concat(rename(a, pairs, state), rename(a, pairs, state), state)
    theta = param([heads, pairs], normal(1))
    b = sigmoid(linear(x, [heads]))
    state S: [heads, state, value]
    S <- rotate(both * S, theta, over: state)
    S <- S - b * k * dot(k, S, state) + b * k * v
    linear(dot(q, S, state), [width])`,
  "a rotated state, read along another axis (F6)": `
    theta = linear(x, [heads, pairs])
    k = linear(x, [state])
    v = linear(x, [heads])
    state S: [heads, state]
    S <- rotate(S, theta, over: state) + k * v
    linear(dot(linear(x, [heads]), S, heads), [width])`,
  "a rotated vector, read whole (S5)": `
    a = param([pairs], normal(1))
    dt = softplus(linear(x, [pairs]))
    one = exp(-dt * exp(a))
    decay = concat(rename(one, pairs, state), rename(one, pairs, state), state)
    state s: [state]
    s <- decay * rotate(s, 10 * dt, state) + linear(x, [state])
    linear(tanh(s) + s.prev, [width])`,
  "a state of any sign, read whole and before its step": `
    g = tanh(linear(x, [heads]))
    state s: [heads, key] = 0.5
    s <- g * s + linear(x, [heads, key])
    linear(tanh(s) * s.prev, [width])`,
  "the smallest so far": `
    i = linear(x, [heads])
    state m: [heads] = 1
    m <- min(i, m + 0.1 * linear(x, [heads]))
    m <- m + 0.1
    linear(m - m.prev, [width])`,
  "token shift": `
    past = prev(x)
    mixed = x + (past - x) * param([width], uniform(0, 1))
    k = linear(mixed, [key])
    state s: [key]
    s <- 0.9 * s + tanh(k)
    linear(s * prev(k, 2), [width])`,
  "a nonlinear step": `
    u = linear(x, [key])
    state s: [key]
    s <- tanh(u + 0.5 * s)
    linear(s, [width])`,
  "an inner loss of a decaying memory (F7)": `
    q = linear(x, [heads, key])
    k = l2norm(linear(x, [heads, key]), key)
    v = linear(x, [heads, value])
    a = sigmoid(linear(x, [heads, key], bias: true)) ^ (1 / 4)
    b = sigmoid(linear(x, [heads]))
    state S: [heads, key, value]
    S <- a * S - b * grad(sum(softplus(dot(k, S, key)) - v * tanh(dot(k, S, key))), S) at chunk(3)
    linear(dot(q, S, key) + dot(k, S.prev, key), [width])`,
};

function program(mixer: string, ffn: string, layer = ""): string {
  return `${layer}
model Tiny {
  language_model(vocab: 5, width: 4, blocks: [Block(${mixer}, ${ffn}), Block(${mixer}, ${ffn})])
}
`;
}

/** Models whose blocks hand on more than the residual stream. */
const whole: Readonly<Record<string, string>> = {
  "RWKV-7's blocks, with the value residual (F4)":
    "rwkv7_model(vocab: 5, width: 4, blocks: [RWKV7Block(heads: 1, rank: 2, hidden: 5)] * 3)",
};

/** Every case with its whole program. */
export const layerCases: readonly (readonly [string, string])[] = [
  ...Object.entries(blocks).map(([name, [mixer, ffn]]) => [name, program(mixer, ffn)] as const),
  ...Object.entries(own).map(([name, body]) => {
    const header =
      "layer Own(x: [width], heads = 2, key = 3, value = 2, n = 3, inner = 4, state = 4, pairs = 2)";
    return [name, program("Own()", "swiglu(hidden: 5)", `${header} {${body}\n}`)] as const;
  }),
  ...Object.entries(whole).map(([name, text]) => [name, `model Tiny { ${text} }\n`] as const),
];

/** Whether a case runs in another form where each row holds one document: the chunk-start form. */
export const needsWholeRows = (name: string): boolean => name.includes("F7");
