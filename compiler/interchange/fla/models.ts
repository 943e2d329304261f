/** FLA's models that are models of ours, by their `model_type`: a layer for each block, and what stands around them. */

import { below, linear, same } from "../places.js";
import { layerText, numberText } from "../program-text.js";
import {
  block,
  blockPlaces,
  blocksOf,
  type Foreign,
  model,
  type ModelOf,
  rms,
  sizes,
} from "../frame.js";
import type { Layer, LayerOf } from "../layer.js";
import type { Settings } from "../settings.js";
import { swiglu } from "./feed-forward.js";
import { attention, attentionIn } from "./layers/attention.js";
import { deltaNet, gatedDeltaNet, gatedDeltaProduct } from "./layers/delta.js";
import { gla } from "./layers/gla.js";
import { gsa } from "./layers/gsa.js";
import { hgrn2 } from "./layers/hgrn2.js";
import { kda } from "./layers/kda.js";
import { linearAttention } from "./layers/linear-attention.js";
import { mamba1, mamba2 } from "./layers/mamba.js";
import { retnet } from "./layers/retnet.js";
import { channelMix, rwkv6 } from "./layers/rwkv6.js";
import { norm, rwkv7Block } from "./layers/rwkv7.js";

/** Blocks of a mixer and a gated feed-forward layer, each behind an RMS norm; some may have softmax attention for a mixer. */
const mixed =
  (mixer: LayerOf, ratio = 4): ModelOf =>
  (settings, tied) => {
    settings.must({ attnres_block_size: [null] });
    const epsilon = settings.number("norm_eps", 1e-6);
    const ffn = swiglu(settings, ratio, "intermediate_size");
    const blocks = blocksOf(settings, (index) => {
      const hybrid = attentionIn(settings, index);
      const own = hybrid ? attention(hybrid, index) : mixer(settings, index);
      return block(own, ffn, `model.layers.${index}.`, "attn", "mlp", rms(epsilon, 1e-6));
    });
    return model(settings, tied, blocks, "model.", "norm", rms(epsilon, 1e-6));
  };

/** Mamba's blocks: a mixer behind an RMS norm, and nothing else. */
const residual =
  (mixer: LayerOf): ModelOf =>
  (settings, tied) => {
    const key = settings.has("layer_norm_epsilon") ? "layer_norm_epsilon" : "norm_eps";
    const epsilon = settings.number(key, 1e-5);
    const blocks = blocksOf(settings, (index): Layer => {
      const own = mixer(settings, index);
      const theirs = `backbone.layers.${index}.`;
      const given = rms(epsilon, 1e-5);
      return {
        text: `Residual(${[own.text, ...(given ? [`mixer_norm: ${given}`] : [])].join(", ")})`,
        places: {
          "mixer_norm.weight": same(`${theirs}norm.weight`),
          ...below("mixer.", `${theirs}mixer.`, own.places),
        },
      };
    });
    return model(settings, tied, blocks, "backbone.", "norm_f", rms(epsilon, 1e-6));
  };

/** Samba (Ren et al., 2024): Mamba-1 and attention in a window by turns, each with a feed-forward layer. Its `intermediate_size` is Mamba's. */
const samba: ModelOf = (settings, tied) => {
  settings.must({ attnres_block_size: [null] });
  const epsilon = settings.number("norm_eps", 1e-5);
  if (!settings.has("attn")) settings.refuse("attn", "the blocks with attention");
  const ffn = swiglu(settings, 4, null);
  const blocks = blocksOf(settings, (index) => {
    const hybrid = attentionIn(settings, index);
    const own = hybrid ? attention(hybrid, index) : mamba1(settings, index);
    return block(own, ffn, `backbone.layers.${index}.`, "mixer", "mlp", rms(epsilon, 1e-6));
  });
  return model(settings, tied, blocks, "backbone.", "norm_f", rms(epsilon, 1e-6));
};

const rwkv6Model: ModelOf = (settings) => {
  settings.must({ norm_first: [true], norm_bias: [true], attn: [null] });
  const epsilon = settings.number("norm_eps", 1e-5);
  const layernorm = epsilon === 1e-5 ? "layernorm" : layerText("layernorm", { epsilon });
  const ffn = channelMix(settings);
  const blocks = blocksOf(settings, (index) => {
    const theirs = `model.layers.${index}.`;
    const own = block(rwkv6(settings, index), ffn, theirs, "attn", "ffn", layernorm);
    const norms = {
      ...norm("mixer_norm", `${theirs}attn_norm`),
      ...norm("ffn_norm", `${theirs}ffn_norm`),
    };
    return { ...own, places: { ...own.places, ...norms } };
  });
  return rwkv(settings, "rwkv6_model", blocks, epsilon);
};

const rwkv7Model: ModelOf = (settings) => {
  const blocks = blocksOf(settings, (index): Layer => {
    const own = rwkv7Block(settings, index);
    return { ...own, places: below("", `model.layers.${index}.`, own.places) };
  });
  return rwkv(settings, "rwkv7_model", blocks, settings.number("norm_eps", 1e-5));
};

/** By `model_type`. */
export const models: Readonly<Record<string, ModelOf>> = {
  delta_net: mixed(deltaNet),
  gated_deltanet: mixed(gatedDeltaNet),
  gated_deltaproduct: mixed(gatedDeltaProduct),
  gla: mixed(gla),
  gsa: mixed(gsa),
  hgrn2: mixed(hgrn2),
  kda: mixed(kda),
  linear_attn: mixed(linearAttention),
  mamba: residual(mamba1),
  mamba2: residual(mamba2),
  retnet: mixed(retnet, 2),
  rwkv6: rwkv6Model,
  rwkv7: rwkv7Model,
  samba,
  transformer: mixed(attention),
};

function rwkv(
  settings: Settings,
  name: string,
  blocks: readonly Layer[],
  epsilon: number,
): Foreign {
  const options = epsilon === 1e-5 ? [] : [`epsilon: ${numberText(epsilon)}`];
  return {
    text: { model: name, ...sizes(settings), options, blocks: blocks.map(({ text }) => text) },
    places: {
      table: same("model.embeddings.weight"),
      ...norm("embedded", "model.layers.0.pre_norm"),
      ...norm("norm", "model.norm"),
      "logits.weight": linear(["lm_head.weight", "model.embeddings.weight"]),
      ...blockPlaces(blocks),
    },
  };
}
