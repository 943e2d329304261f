/** Transformers' own models that are models of ours: those like Llama, with rotary positions and RMS norms. */

import { block, blocksOf, type Foreign, model, type ModelOf, rms } from "../frame.js";
import type { Layer } from "../layer.js";
import { linear, type Places, same } from "../places.js";
import { layerText } from "../program-text.js";
import { Settings } from "../settings.js";

/** In what they differ beyond their settings. */
interface Kind {
  /** Whether queries, keys and values have biases; null where `attention_bias` says it, which then may not have one on the output. */
  readonly bias: boolean;
  /** An RMS norm of queries and keys. */
  readonly normed: boolean;
  /** The attention window of a block; null for none. */
  readonly window: (settings: Settings, index: number) => number | null;
}

const llama =
  (kind: Kind): ModelOf =>
  (settings, tied): Foreign => {
    settings.must({
      hidden_act: ["silu"],
      attention_bias: [false],
      mlp_bias: [false],
      rope_scaling: [null],
    });
    const epsilon = settings.number("rms_norm_eps", 1e-6);
    const norm = rms(epsilon, 1e-6);
    const ffn = feedForward(settings);
    const blocks = blocksOf(settings, (index): Layer => {
      const prefix = `model.layers.${index}.`;
      const own = block(attention(settings, kind, index), ffn, prefix, "self_attn", "mlp", norm);
      const norms = {
        "mixer_norm.weight": same(`${prefix}input_layernorm.weight`),
        "ffn_norm.weight": same(`${prefix}post_attention_layernorm.weight`),
      };
      return { ...own, places: { ...own.places, ...norms } };
    });
    const found = model(settings, tied, blocks, "model.", "norm", norm);
    return { ...found, places: { ...found.places, table: same("model.embed_tokens.weight") } };
  };

function attention(settings: Settings, { bias, normed, window }: Kind, index: number): Layer {
  const width = settings.count("hidden_size");
  const heads = settings.count("num_attention_heads");
  const kvHeads = settings.has("num_key_value_heads")
    ? settings.count("num_key_value_heads")
    : heads;
  const head = settings.has("head_dim") ? settings.count("head_dim") : width / heads;
  const theta = thetaOf(settings);
  const text = layerText("Attention", {
    heads,
    kv_heads: kvHeads === heads ? null : kvHeads,
    head: head * heads === width ? null : head,
    window: window(settings, index),
    bias: bias || null,
    theta: theta === 10000 ? null : theta,
    qk_norm: normed || null,
    epsilon:
      normed && settings.number("rms_norm_eps", 1e-6) !== 1e-6
        ? settings.number("rms_norm_eps")
        : null,
  });
  const places: Record<string, Places[string]> = { "out.weight": linear("o_proj.weight") };
  for (const x of ["q", "k", "v"]) {
    places[`${x}.weight`] = linear(`${x}_proj.weight`);
    if (bias) places[`${x}.offset`] = same(`${x}_proj.bias`);
    if (normed && x !== "v") places[`${x}_norm.weight`] = same(`${x}_norm.weight`);
  }
  return { text, places };
}

/** The base of the rotation's angles, which must be plain: longer texts are not interpolated here. */
function thetaOf(settings: Settings): number {
  const parameters = settings.get("rope_parameters");
  if (typeof parameters !== "object" || parameters === null)
    return settings.number("rope_theta", 10000);
  const rope = new Settings(parameters as Record<string, unknown>, settings.where);
  rope.must({ rope_type: ["default"], partial_rotary_factor: [1, null] });
  return rope.number("rope_theta", 10000);
}

function feedForward(settings: Settings): Layer {
  return {
    text: layerText("swiglu", { hidden: settings.count("intermediate_size") }),
    places: {
      "gate.weight": linear("gate_proj.weight"),
      "up.weight": linear("up_proj.weight"),
      "down.weight": linear("down_proj.weight"),
    },
  };
}

const everywhere = (settings: Settings): number | null =>
  settings.has("sliding_window") ? settings.count("sliding_window") : null;

/** Where `layer_types` says so; without them, where it is asked for, in the blocks from `max_window_layers` on. */
const somewhere = (settings: Settings, index: number): number | null => {
  const types = settings.get("layer_types");
  const slides = Array.isArray(types)
    ? types[index] === "sliding_attention"
    : settings.flag("use_sliding_window", false) &&
      index >= settings.number("max_window_layers", 28);
  return slides ? settings.count("sliding_window") : null;
};

/** By `model_type`. */
export const models: Readonly<Record<string, ModelOf>> = {
  llama: llama({ bias: false, normed: false, window: () => null }),
  mistral: llama({ bias: false, normed: false, window: everywhere }),
  qwen2: llama({ bias: true, normed: false, window: somewhere }),
  qwen3: llama({ bias: false, normed: true, window: somewhere }),
};
