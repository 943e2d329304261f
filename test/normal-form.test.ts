/** `lsm trace --after normal-form` and the words for families: each step as its normal form, in the program's names. */

import { describe, expect, test } from "vitest";
import { reportText } from "../compiler/3-derive/forms/report.js";
import { summarise } from "../compiler/summary.js";
import { lsm } from "./support/command-line.js";
import { memoryHost } from "./support/memory-host.js";
import { modelOf } from "./support/models/instance.js";

/** What is reported of a layer's states. */
const reportsOf = (layer: string, text = "") =>
  summarise(
    modelOf(`${text}\nmodel M { language_model(vocab: 5, width: 8, blocks: [${layer}]) }`),
    64,
  ).recurrences;

const gated = "S_t = Λ_t ∘ S_{t−1} + k_t v_tᵀ";
const erased = "S_t = Λ_t ∘ S_{t−1} + a_t (b_tᵀ S_{t−1}) + k_t v_tᵀ";

describe("a step", () => {
  test.each([
    ["LinearAttention(heads: 2)", "S_t = S_{t−1} + k_t v_tᵀ", "y_t = q_tᵀ S_t", "F0: sum"],
    ["RetNet(heads: 2)", "S_t = Λ ∘ S_{t−1} + k_t v_tᵀ", "y_t = q_tᵀ S_t", "F1: scalar gate"],
    ["GLA(heads: 2)", gated, "y_t = q_tᵀ S_t", "F2: key gate"],
    ["RWKV6(heads: 2, value: 4)", gated, "y_t = q_tᵀ S_{t−1} + u_t", "F2: key gate"],
    ["GatedDeltaNet(heads: 2)", erased, "y_t = q_tᵀ S_t", "F3: erase"],
    ["KDA(heads: 2)", erased, "y_t = q_tᵀ S_t", "F4: key gate + erase"],
    [
      "Mamba1(n: 2, rank: 1)",
      "S_t = Λ_t ∘ S_{t−1} + x_t",
      "y_t = q_tᵀ S_t",
      "F5: elementwise gate",
    ],
    ["S5(pairs: 3)", "h_t = Λ ∘ R(θ) h_{t−1} + x_t", null, "F6: rotation"],
  ])("of %s is shown as an equation", (layer, step, read, family) => {
    const [report] = reportsOf(layer);
    expect(report!.step!.equations).toEqual(read === null ? [step] : [step, read]);
    expect(reportText(report!)).toMatch(`family ${family}, `);
  });

  test("names what its symbols stand for, and what is absent", () => {
    const [report] = reportsOf("GLA(heads: 2)");
    const { operands, absent } = report!.step!;
    expect(operands.map(({ symbol, written }) => `${symbol} = ${written}`)).toEqual([
      "Λ = a",
      "k = k",
      "v = v",
      "q = q",
    ]);
    expect(absent).toEqual(["a", "b"]);
  });

  test("numbers what there are several of", () => {
    const [report] = reportsOf("DeltaProduct(heads: 2)");
    expect(report!.step!.operands.map(({ symbol }) => symbol)).toEqual(
      expect.arrayContaining(["a¹", "b¹", "a²", "b²", "k¹", "v¹"]),
    );
  });

  test("of a stabiliser is one of maxima", () => {
    const [report] = reportsOf("MLSTM(heads: 2)");
    expect(report!.step!.equations).toEqual(["m_t = max(f_t + m_{t−1}, i_t)"]);
    expect(reportText(report!)).toBe("family max-plus: running maximum, scan");
  });
});

describe("lsm trace --after normal-form", () => {
  const program = (layer: string) =>
    `model M { L = ${layer}\n language_model(vocab: 5, width: 8, blocks: [L]) }\n`;
  const traced = async (layer: string, ...flags: readonly string[]): Promise<string> => {
    const host = memoryHost({ "a.lsm": program(layer) });
    return (await lsm(["trace", "a.lsm", "--after", "normal-form", ...flags], { host })).out;
  };

  test("prints every state", async () => {
    expect(await traced("GLA(heads: 2)")).toContain(`  ${gated}\n  y_t = q_tᵀ S_t\n`);
    expect(await traced("TTTLinear(heads: 2)")).toBe(
      "L, state W, b\n  family F7: affine from the chunk's start, chunk 16\n",
    );
  });

  test("has the form and the chunk that flags ask for", async () => {
    expect(await traced("GLA(heads: 2)", "--chunk", "5")).toContain("key gate, chunk 5\n");
    expect(await traced("GLA(heads: 2)", "--form", "recurrent")).toContain("recurrent (asked for)");
  });

  test("says when there is none", async () => {
    expect(await traced("Attention(heads: 2)")).toBe("no state is stepped\n");
  });
});

test("a step without a parallel form is reported with the term at fault", () => {
  const text = "layer R(x: [width]) {\n  state s: [width]\n  s <- tanh(0.9 * s + x)\n  s\n}";
  const [report] = reportsOf("R()", text);
  expect(report!.form).toBe("recurrent");
  expect(`${text}\n`.slice(report!.span!.start, report!.span!.end)).toBe("tanh(0.9 * s + x)");
});
