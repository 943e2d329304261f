/** FLA's gated feed-forward layer (Shazeer, 2020). */

import { linear } from "../places.js";
import { layerText } from "../program-text.js";
import type { Settings } from "../settings.js";
import type { Layer } from "../layer.js";

/**
 * @param ratio the default of `hidden_ratio`, of which two thirds count
 * @param key the setting that may say the hidden size itself
 */
export function swiglu(settings: Settings, ratio: number, key: string | null): Layer {
  settings.must({ hidden_act: ["swish", "silu"] });
  return {
    text: layerText("swiglu", { hidden: hiddenOf(settings, ratio, key) }),
    places: {
      "gate.weight": linear("gate_proj.weight"),
      "up.weight": linear("up_proj.weight"),
      "down.weight": linear("down_proj.weight"),
    },
  };
}

/** Hidden sizes that are not given are multiples of 256. */
function hiddenOf(settings: Settings, ratio: number, key: string | null): number {
  if (key !== null && settings.has(key)) return settings.count(key);
  const times = settings.has("hidden_ratio") ? settings.number("hidden_ratio") : ratio;
  return 256 * Math.ceil(Math.trunc((settings.count("hidden_size") * times * 2) / 3) / 256);
}
