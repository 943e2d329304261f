/** Every picture of every example, measured in a real browser: no text leaves its box or meets another one. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { check } from "../compiler/1-check/check.js";
import { timeOf } from "../compiler/1-check/model.js";
import { compileTraining } from "../compiler/compile.js";
import { groupSize, meshShape, sequenceAxes } from "../compiler/4-place/mesh-shape.js";
import { writtenPlan } from "../compiler/4-place/place.js";
import { planOf } from "../compiler/plan.js";
import {
  architecture,
  kernels,
  mesh as drawMesh,
  render,
} from "../compiler/6-emit/diagram/diagram.js";
import { summarise } from "../compiler/summary.js";
import { hasChromium, outputOfPage } from "./support/chromium.js";
import { memoryHost } from "./support/memory-host.js";
import { required } from "./support/required.js";

const examples = join(import.meta.dirname, "../examples");

/** Layers that no example has, and whose recurrences look different. */
const more = `model More {
  A = Block(RWKV7(heads: 2), swiglu(hidden: 64))
  B = Block(MoM(heads: 2), swiglu(hidden: 64))
  C = Block(MLSTM(heads: 2), swiglu(hidden: 64))
  D = Block(Liger(heads: 2), swiglu(hidden: 64))
  E = Block(GSA(heads: 2), swiglu(hidden: 64))
  F = Block(Based(heads: 2), swiglu(hidden: 64))
  G = Block(Mamba1(), swiglu(hidden: 64))
  H = Block(DeltaProduct(heads: 2), swiglu(hidden: 64))
  language_model(vocab: 256, width: 128, blocks: [A, A, B, C, D, E, F, G, H] * 2)
}

layer Twice(x: [width]) {
  a = Block(GLA(heads: 2), swiglu(hidden: 8))
  y = a(x)
  x + a(y) * 2
}
layer Cycle(x: [width]) {
  k = linear(x, [heads: 2, key: 4])
  state phi: [heads: 2]
  phi <- phi + sum(k, key)
  z = k * cos(phi)
  state S: [heads: 2, key: 4]
  S <- 0.9 * S + z
  linear(S, [width: 16]) + prev(x)
}
model Plain {
  e = embedding(tokens(32), [width: 16], 32)
  h = Twice(Cycle(e))
  l = linear(h, [vocab: 32])
  predict(l, cross_entropy(l, targets()))
}
model Nothing { language_model(vocab: 64, width: 16, blocks: []) }
model Tied {
  B = shared(Twice)
  language_model(vocab: 64, width: 16, blocks: [B, Cycle, B], tied: true)
}`;

function pictures(): Map<string, string> {
  const files: Record<string, string> = { "more.lsm": more };
  for (const name of readdirSync(examples, { recursive: true, encoding: "utf8" }))
    if (name.endsWith(".lsm")) files[name] = readFileSync(join(examples, name), "utf8");
  const drawn = new Map<string, string>();
  for (const name of Object.keys(files)) {
    const { models, sources } = check(memoryHost(files), name);
    for (const model of models.values()) {
      const drawing = architecture(model, summarise(model, timeOf(model, 256)), sources);
      drawn.set(`${name} ${model.name}`, render(drawing, "svg", sources));
    }
    const [first] = models.values(); // of what runs, one model of each file
    if (first === undefined) continue;
    const { step, evaluation } = compileTraining(first, { batch: 2, time: timeOf(first, 64) });
    const forward = kernels(evaluation, { title: first.name, what: "forward pass" });
    drawn.set(`${name} forward pass`, render(forward, "svg", sources));
    if (name !== "moby/moby.lsm") continue;
    const training = kernels(step, { title: first.name, what: "training step" });
    drawn.set(`${name} training step`, render(training, "svg", sources));
  }
  return drawn;
}

/** Meshes of one device to 512, with every axis, stages that differ, and memory that does not do. */
const pods = `
parallel one on h100 { mesh { } }
parallel host on cpu * 3 { mesh { dp_shard: 3 } }
parallel full on rtx4090 * 8 { mesh { dp_replicate: 2, ep: 4 }  experts over ep }
parallel wide on l40s * 128 { mesh { dp_shard: 128 } }
parallel pipe on h100 * 96 {
  mesh { pp: 3, dp_shard: 4, cp: 2, tp: 2, ep: 2 }
  blocks over pp schedule interleaved_1f1b  heads over tp  sequence over cp  experts over ep  recompute blocks
}
parallel large on a100 * 512 {
  mesh { pp: 2, dp_replicate: 4, dp_shard: 8, cp: 2, tp: 4 }
  blocks over pp  heads over tp  sequence over cp by ring
}`;
const parallel = `model Parallel {
  L = Block(GatedDeltaNet(heads: 8), MoE(experts: 16, top_k: 2, hidden: 4096))
  N = Block(Attention(heads: 8), MoE(experts: 16, top_k: 2, hidden: 4096))
  language_model(vocab: 128000, width: 4096, blocks: [L, L, L, N] * 8, tied: true)
}
${pods}`;

function meshPictures(): Map<string, string> {
  const drawn = new Map<string, string>();
  const path = "linear-moe/a1b-7b.lsm";
  const files = { "p.lsm": parallel, [path]: readFileSync(join(examples, path), "utf8") };
  for (const file of Object.keys(files)) {
    const checked = check(memoryHost(files), file);
    const model = [...checked.models.values()].at(-1)!;
    for (const mesh of checked.meshes.values()) {
      const plan = writtenPlan(mesh)!;
      const shares = groupSize(meshShape(plan.axes), sequenceAxes);
      const work = {
        batch: 2 * shares,
        parts: 4,
        time: 1024,
        packed: true,
        precision: "bf16",
      } as const;
      const planned = planOf(model, mesh, plan, work);
      if (planned.kind !== "planned") throw new Error(`${mesh.name} is not placed`);
      drawn.set(
        `mesh ${file} ${mesh.name}`,
        render(drawMesh(planned.plan), "svg", checked.sources),
      );
    }
  }
  return drawn;
}

/** Runs in the browser: gives what is wrong with each picture, in words. */
const measure = `
const wrong = [];
const near = 0.75; // pixels that rounding may take
const inside = (a, b) => a.left >= b.left - near && a.right <= b.right + near && a.top >= b.top - near && a.bottom <= b.bottom + near;
const apart = (a, b) => a.right <= b.left + near || b.right <= a.left + near || a.bottom <= b.top + near || b.bottom <= a.top + near;
let texts = 0;
for (const picture of document.querySelectorAll("section")) {
  const say = (text) => wrong.push(picture.id + ": " + text);
  const svg = picture.querySelector("svg");
  const all = [...svg.querySelectorAll("text")].map((text) => ({ text: text.textContent, node: text, at: text.getBoundingClientRect() }));
  texts += all.length;
  for (const { text, node, at } of all) {
    const said = Number(node.getAttribute("textLength"));
    const copy = node.cloneNode(true);
    copy.removeAttribute("textLength");
    node.parentNode.append(copy);
    const real = copy.getComputedTextLength();
    copy.remove();
    if (real > said + 1 || real < said * 0.9 - 1) say("'" + text + "' is " + real + " wide, not " + said);
    const box = node.parentNode.classList.contains("box") ? node.parentNode.querySelector(":scope > rect") : node.closest(".sheet").querySelector(".panel");
    if (!inside(at, box.getBoundingClientRect())) say("'" + text + "' leaves its box");
  }
  all.sort((a, b) => a.at.left - b.at.left);
  all.forEach((a, i) => {
    for (let j = i + 1; j < all.length && all[j].at.left < a.at.right; j += 1)
      if (!apart(a.at, all[j].at)) say("'" + a.text + "' meets '" + all[j].text + "'");
  });
  for (const group of svg.querySelectorAll("g")) {
    const own = [...group.children].filter((child) => child.matches(".box")).map((box) => ({ name: box.dataset.id, at: box.querySelector(":scope > rect").getBoundingClientRect() }));
    const labels = [...group.children].filter((child) => child.matches(".label")).map((label) => ({ name: label.textContent, at: label.getBoundingClientRect() }));
    own.forEach((a, i) => {
      for (const b of [...own.slice(i + 1), ...labels]) if (!apart(a.at, b.at)) say(a.name + " meets " + b.name);
    });
  }
}
document.querySelector("#measured").textContent = JSON.stringify({ texts, wrong });
`;

if (!hasChromium && !required("chromium"))
  process.stdout.write("pictures are measured where chromium is installed; here it is not\n");

describe.skipIf(!hasChromium && !required("chromium"))("pictures in chromium", () => {
  test("no text leaves its box, no two texts meet", { timeout: 120_000 }, () => {
    const drawn = new Map([...pictures(), ...meshPictures()]);
    expect(drawn.size).toBeGreaterThan(20);
    const sections = [...drawn].map(([name, svg]) => `<section id="${name}">${svg}</section>`);
    const page = `<!doctype html><meta charset="utf-8"><output id="measured"></output>${sections.join("")}<script>${measure}</script>`;
    const { texts, wrong } = JSON.parse(outputOfPage(page)) as { texts: number; wrong: string[] };
    expect(texts).toBeGreaterThan(1000);
    expect(wrong).toEqual([]);
  });
});
