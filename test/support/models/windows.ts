/** Tiny models that read windows of a series: what the conformance suite runs beside the layers. */

/** Name of the case → program. Between them: kinds of channels, losses, blocks, routes, no tokens at all. */
export const windowCases: readonly (readonly [string, string])[] = [
  [
    "TimeSSM of independent channels",
    `model M {
      s = instance_norm(series(12))
      h = linear(patches(s, 3), [width: 4])
      forecast(h + SpectralSSM(layernorm(h), n: 3, rank: 1), 5)
    }`,
  ],
  [
    "a chain of blocks, channels as an axis, mean absolute error",
    `model M {
      s = instance_norm(series(8, [channels: 3]))
      h = linear(patches(s, 2), [width: 4])
      L = Block(SpectralSSM(n: 3, rank: 1, basis: "LegS"), swiglu(hidden: 5))
      forecast(chain(h, [L, L]), 3, loss: mae)
    }`,
  ],
  ["a linear map of the whole window", `model M { forecast(instance_norm(series(7)), 3) }`],
  [
    "values of the window in steps, routes and attention",
    `model M {
      s = series(12)
      level = mean(s, lookback)
      whole = linear(s, [width: 4])
      h = linear(patches(s, 2), [width: 4])
      q = linear(h, [key: 3])
      state S: [key: 3, width: 4]
      S <- sigmoid(whole) * S + linear(h, [key: 3]) * whole
      o = dot(q, S, key) * level
      route r = top_k(softmax(linear(o, [experts: 3])), 2)
      y = mix e in r { linear(o + whole, [width: 4]) }
      a = attend(linear(y, [key: 3]), linear(y, [key: 3]), y + prev(whole), over: key)
      forecast(a, 2)
    }`,
  ],
];
