/** What a model is made of: its inputs, its stack of blocks, what it predicts. */

import { GraphBuilder } from "../../ir/builder.js";
import type { Graph, ValueId } from "../../ir/graph.js";
import { printGraph } from "../../ir/print.js";
import { messages } from "../../diagnostics/messages.generated.js";
import { type TensorType, sameAxes, showAxes, showType } from "../../ir/types.js";
import {
  type BlockFunction,
  type BlockPlace,
  type Environment,
  type Frame,
  report,
} from "../elaborate/frame.js";
import { axisSize } from "../elaborate/axes.js";
import { asLayers, asTensor } from "../elaborate/kinds.js";
import { outsideOfBlocks, ofWindow } from "../elaborate/windows.js";
import { layerPath } from "../elaborate/paths.js";
import { checkSteps } from "../steps.js";
import { warnOfSteps } from "../step-warnings.js";
import type { Part } from "../trace.js";
import { type CompileValue, type RecipeValue, errorValue, tensorValue } from "../values.js";
import { type Builtin, type BuiltinCall, parameters, tensor } from "./builtin.js";

/** What every token of a text or a task has. */
function source(call: BuiltinCall, name: string): CompileValue {
  if (!outsideOfBlocks(call)) return errorValue;
  const attributes = { source: name, dtype: "int", axes: [], along: "tokens" } as const;
  return tensorValue(call.frame.builder.op("source", attributes, []));
}

const tokens: Builtin = {
  usage: "tokens(vocab)",
  doc: "the token's id, below `vocab`",
  parameters: parameters("vocab number"),
  run: (call) => {
    const { value, span } = call.given.get("vocab")!;
    if (value.kind !== "number") return errorValue;
    const axis = axisSize("vocab", value, span, call.frame);
    if (axis === null) return errorValue;
    const { environment } = call.frame;
    if (environment.window)
      return report(
        call.frame,
        messages.windowMismatch({ what: "input", first: "a series", second: "tokens" }),
        [
          { span: call.call.span, text: "tokens" },
          { span: environment.window.span, text: "a series" },
        ],
      );
    environment.vocabulary = axis.size;
    return source(call, "tokens");
  },
};

const targets: Builtin = {
  usage: "targets()",
  doc: "the id of the token to predict: the next one",
  parameters: [],
  run: (call) => source(call, "targets"),
};

const chain: Builtin = {
  usage: "chain(x, blocks)",
  doc: "applies layers one after the other; each is a block with a `depth` of its own",
  parameters: parameters("x tensor", "blocks layers"),
  run: (call) => {
    const { frame } = call;
    const blocks = asLayers(call.given.get("blocks")!.value);
    const expression = call.given.get("blocks")!.expression;
    const stem = expression.kind === "name" ? expression.name : "blocks";
    const path = layerPath({ ...frame, path: frame.root }, { name: stem } as RecipeValue);
    let x = tensor(call, "x");
    for (const [depth, recipe] of blocks.entries()) {
      const made = blockFunction(
        recipe,
        frame.builder.type(x),
        { depth, depths: blocks.length },
        call,
      );
      if (!made) return errorValue;
      const own = [...path, String(depth)].join(".");
      if (recipe.shared) recipe.shared.prefix ??= own;
      const prefix = recipe.shared?.prefix ?? own;
      x = frame.builder.node("call", { callee: made.name, prefix }, [x], [made.type])[0]!;
    }
    return tensorValue(x);
  },
};

/** The function of a block: that of the same recipe before, an equal one that exists, or a new one. */
function blockFunction(
  recipe: RecipeValue,
  type: TensorType,
  place: { readonly depth: number; readonly depths: number },
  call: BuiltinCall,
): BlockFunction | null {
  const { blocksByRecipe } = call.frame.environment;
  const key = showType(type);
  const known = blocksByRecipe.get(recipe)?.get(key);
  if (known) return known;
  const block: BlockPlace = { ...place, asked: false };
  const made = elaborateBlock(recipe, type, block, call);
  if (made && !block.asked) {
    const byType = blocksByRecipe.get(recipe) ?? new Map<string, BlockFunction>();
    blocksByRecipe.set(recipe, byType.set(key, made));
  }
  return made;
}

function elaborateBlock(
  recipe: RecipeValue,
  type: TensorType,
  block: BlockPlace,
  call: BuiltinCall,
): BlockFunction | null {
  const { frame } = call;
  const { environment } = frame;
  const builder = new GraphBuilder("");
  const input = builder.input("x", type);
  const inner: Frame = {
    environment,
    builder,
    block,
    names: new Map(),
    parent: null,
    path: [],
    root: [],
    stateValues: [],
    stack: frame.stack,
    parts: [],
    shared: null,
  };
  const unshared: RecipeValue = { ...recipe, name: "", shared: null };
  const result = environment.elaborator.apply(unshared, [tensorValue(input)], inner, recipe.span);
  if (result.kind === "error") return null;
  const id = asTensor(result, inner);
  if (id === null || !sameAxes(sorted(builder.type(id)), sorted(type))) {
    const found = id === null ? "no tensor" : showAxes(builder.type(id).axes);
    report(
      frame,
      messages.inputMismatch({
        callee: "the next block",
        name: "x",
        expected: showAxes(type.axes),
        found,
      }),
      [
        { span: recipe.span, text: `this block gives ${found}` },
        { span: call.call.span, text: `the chain runs on ${showAxes(type.axes)}` },
      ],
    );
    return null;
  }
  const output = builder.conform(id, type.axes);
  builder.outputs.push({ name: "y", value: output });
  const graph = builder.finish();
  if (!checkSteps(graph, environment.reporter)) return null;
  const { library } = environment.declarations;
  warnOfSteps(graph, { parts: inner.parts, library }, environment.reporter);
  const name = recipe.name ?? recipe.layer?.name.name ?? "block";
  return { name: register(graph, name, inner.parts, environment), type };
}

const sorted = (type: TensorType) => [...type.axes].sort((a, b) => (a.name < b.name ? -1 : 1));

function register(
  graph: Graph,
  wanted: string,
  parts: readonly Part[],
  environment: Environment,
): string {
  const text = printGraph(graph);
  const known = environment.functionByText.get(text);
  if (known !== undefined) return known;
  let name = wanted;
  for (let count = 2; environment.functions.has(name); count += 1) name = `${wanted}_${count}`;
  environment.functionByText.set(text, name);
  environment.functions.set(name, { ...graph, name });
  environment.parts.set(name, parts);
  return name;
}

const shared: Builtin = {
  usage: "shared(layer)",
  doc: "the layer with one set of parameters for all its applications",
  parameters: parameters("layer layer"),
  run: ({ given, frame }): CompileValue => ({
    ...(given.get("layer")!.value as RecipeValue),
    shared: { home: frame.builder, prefix: null, parameters: new Map<string, ValueId>() },
  }),
};

const predict: Builtin = {
  usage: "predict(output, loss)",
  doc: "what the model predicts for every token, and how wrong that is",
  parameters: parameters("output tensor", "loss tensor"),
  run: (call) => {
    const { builder } = call.frame;
    const loss = tensor(call, "loss");
    if (builder.type(loss).axes.length > 0)
      return report(
        call.frame,
        messages.wrongKind({
          what: "`loss`",
          expected: "one number a token",
          found: showAxes(builder.type(loss).axes),
        }),
        [{ span: call.given.get("loss")!.span, text: "has axes" }],
      );
    const output = tensor(call, "output");
    if (!ofWindow(call, "output", output) || !ofWindow(call, "loss", loss)) return errorValue;
    builder.outputs.push({ name: "prediction", value: output }, { name: "loss", value: loss });
    return tensorValue(output);
  },
};

const penalty: Builtin = {
  usage: "penalty(x)",
  doc: "adds the mean of x over all tokens to the loss",
  parameters: parameters("x tensor"),
  run: (call) => {
    const { builder } = call.frame;
    const x = tensor(call, "x");
    builder.penalty("penalty", builder.op("token_mean", {}, [x]));
    return tensorValue(x);
  },
};

export const modelBuiltins = [
  ["tokens", tokens],
  ["targets", targets],
  ["chain", chain],
  ["shared", shared],
  ["predict", predict],
  ["penalty", penalty],
] as const;
