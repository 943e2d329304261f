/** Every fused step (recognise*.ts) as a Python expression; one row each. */

import { withoutAxes } from "../../ir/types.js";
import { dimensionOf, dimensions, fit } from "./layout.js";
import { recurrence } from "./recurrence-row.js";
import type { FusedAttributes, FusedStep } from "./steps.js";
import { atom, tightness, within } from "./text.js";
import { type Row, names } from "./writer.js";

type FusedRows = { readonly [Op in keyof FusedAttributes]: Row<Extract<FusedStep, { op: Op }>> };

export const fusedRows: FusedRows = {
  linear: ({ attributes: { path, inner } }, w) => {
    const rest = withoutAxes(w.axes(0), names(inner));
    const x = w.ordered(0, [...names(rest), ...names(inner)]);
    const outer = w.output.filter(({ name }) => !rest.some((one) => one.name === name));
    return w.conform(atom(`${w.s.module(path)}(${x})`), [...rest, ...outer]);
  },
  experts: ({ attributes: { path, inner } }, w) => {
    const rest = withoutAxes(w.axes(0), names(inner));
    const x = w.ordered(0, [...names(rest), ...names(inner)]);
    const outer = w.output.filter(({ name }) => !rest.some((one) => one.name === name));
    return w.conform(atom(`${w.s.module(path)}(${x}, ${w.text(1).text})`), [...rest, ...outer]);
  },
  rms_norm: ({ attributes: { path, over }, inputs }, w) => {
    const rest = withoutAxes(w.axes(0), names(over));
    const given = inputs.map((_, i) => w.ordered(i, [...names(rest), ...names(over)]));
    return w.conform(atom(`${w.s.module(path)}(${given.join(", ")})`), [...rest, ...over]);
  },
  short_conv: ({ attributes: { path, silu, norm } }, w) => {
    const args = [w.text(0).text, w.text(1).text, ...w.s.cache];
    if (silu) args.push("silu=True");
    if (norm !== null) args.push(`norm=${norm}`);
    return w.conform(atom(`${w.s.module(path)}(${args.join(", ")})`), w.axes(0));
  },
  delta_rule: ({ attributes }, w) => recurrence(attributes, attributes.erasing, w),
  l2_norm: ({ attributes: { epsilon, silu, scale } }, w) =>
    w.helper("l2_norm", [
      w.text(0).text,
      ...(epsilon === 1e-6 ? [] : [String(epsilon)]),
      ...(silu ? ["silu=True"] : []),
      ...(scale === 1 ? [] : [`scale=${scale}`]),
    ]),
  silu: (_, w) => atom(`F.silu(${w.text(0).text})`),
  silu_mul: (_, w) => w.helper("silu_mul", [w.text(0).text, w.text(1).text]),
  log_sigmoid: ({ attributes: { scale, least } }, w) =>
    w.helper("log_sigmoid", [
      w.text(0).text,
      ...(scale === 1 ? [] : [`scale=${scale}`]),
      ...(least === null ? [] : [`least=${least}`]),
    ]),
  dispatch: ({ attributes: { picks } }, w) =>
    w.helper("dispatch", [w.text(0).text, w.text(1).text, String(picks)]),
  routed_swiglu: ({ attributes: { picks, gate, up, down } }, w) => {
    const given = [0, 1, 2, 3].map((i) => w.text(i).text);
    const layers = [gate, up, down].map((path) => w.s.module(path));
    return w.helper("routed_swiglu", [...given, String(picks), ...layers]);
  },
  combine: ({ attributes: { picks, time } }, w) => {
    const [batch, , ...rest] = w.axes(0);
    const args = [w.text(0).text, w.text(1).text, w.text(2).text, String(picks)];
    return w.conform(w.helper("combine", args), [batch!, time, ...rest]);
  },
  softmax: ({ attributes: { over } }, w) =>
    w.conform(atom(`${w.atomOf(0)}.softmax(${dimensionOf(w.axes(0), over[0]!)})`), w.axes(0)),
  logsumexp: ({ attributes: { over } }, w) =>
    atom(`${w.atomOf(0)}.logsumexp(${dimensionOf(w.axes(0), over[0]!)})`),
  rotate: ({ attributes: { axis, pairs } }, w) => {
    const like = names(w.axes(0)).map((name) => (name === axis ? pairs : name));
    const angle = fit(w.text(1), w.axes(1), like).text;
    const at = dimensionOf(w.axes(0), axis);
    return w.helper("rotate", [w.text(0).text, angle, ...(at === -1 ? [] : [`dim=${at}`])]);
  },
  mean: ({ attributes: { over } }, w) =>
    atom(`${w.atomOf(0)}.mean(${dimensions(w.axes(0), over)})`),
  quotient: ({ attributes: { by } }, w) => ({
    text: `${within(w.text(0), tightness.product)} // ${by}`,
    tight: tightness.product,
  }),
  cross_entropy: ({ attributes: { axis } }, w) => {
    const rest = withoutAxes(w.axes(0), [axis]);
    return w.conform(w.helper("cross_entropy", [w.text(0).text, w.ordered(1, names(rest))]), rest);
  },
  linear_cross_entropy: ({ attributes: { path, inner }, inputs }, w) => {
    const rest = withoutAxes(w.axes(0), names(inner));
    const x = w.ordered(0, [...names(rest), ...names(inner)]);
    const given = inputs.slice(1).map((_, i) => w.ordered(i + 1, names(rest)));
    const args = [x, `${w.s.module(path)}.weight`, ...given];
    return w.conform(w.helper("linear_cross_entropy", args), rest);
  },
};
