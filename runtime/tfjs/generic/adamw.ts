/**
 * `adamw` (Loshchilov & Hutter, 2019): with g the gradient after clipping and t the step,
 *
 *   m ← β₁ m + (1 − β₁) g        v ← β₂ v + (1 − β₂) g²
 *   p ← p − rate · ( m / (1 − β₁ᵗ) / (√(v / (1 − β₂ᵗ)) + ε) + decay · p )
 */

import type { Tensor } from "@tensorflow/tfjs";
import type { KernelSet } from "../kernel-set.js";
import type { Context } from "./context.js";

export function createAdamw({ tf }: Context): KernelSet["adamw"] {
  return (
    { beta1, beta2, epsilon, decay, rate, step, scale },
    p,
    g,
    m,
    v,
  ): [Tensor, Tensor, Tensor] => {
    const gradient = tf.mul(g, scale);
    const newM = tf.add(tf.mul(m, beta1), tf.mul(gradient, 1 - beta1));
    const newV = tf.add(tf.mul(v, beta2), tf.mul(tf.square(gradient), 1 - beta2));
    const root = tf.sqrt(tf.div(newV, 1 - beta2 ** step));
    const move = tf.div(tf.div(newM, 1 - beta1 ** step), tf.add(root, epsilon));
    const newP = tf.sub(p, tf.mul(tf.add(move, tf.mul(p, decay)), rate));
    return [newP, newM, newV];
  };
}
