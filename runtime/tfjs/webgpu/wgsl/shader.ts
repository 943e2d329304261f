/** The frame of every shader: bindings, workgroup, and the number of the thread's element. */

import { type Access, type Shader, workgroupsFor } from "../launch.js";

/** How a tensor's elements are read and written; `u32` moves bits without a look at them. */
export type Element = "f32" | "i32" | "u32";

export interface Binding {
  readonly name: string;
  readonly element: Element;
  readonly access: Access;
}

export interface ShaderParts {
  /** Names that the code indexes as arrays, in the order of the launch's storages. */
  readonly bindings: readonly Binding[];
  /** Threads of a workgroup; `lane` is the thread's number among them. */
  readonly threads: number;
  /** Workgroups; `block` is the workgroup's number among them, and may be larger than the last. */
  readonly blocks: number;
  /** Functions and shared variables. */
  readonly declarations?: string;
  readonly body: string;
  /** Makes `step.at` known: the uniform of the launch. */
  readonly stepped?: boolean;
}

export interface Program {
  readonly shader: Shader;
  readonly workgroups: readonly [number, number];
}

export function program(parts: ShaderParts): Program {
  const { bindings, threads, blocks, declarations = "", body, stepped = false } = parts;
  const workgroups = workgroupsFor(blocks);
  const lines = bindings.map(
    ({ name, element, access }, i) =>
      `@group(0) @binding(${i}) var<storage, ${access === "read" ? "read" : "read_write"}> ${name}: array<${element}>;`,
  );
  if (stepped)
    lines.push(
      "struct Step { at: u32 }",
      `@group(0) @binding(${bindings.length}) var<uniform> step: Step;`,
    );
  const code = `${lines.join("\n")}
${declarations}
@compute @workgroup_size(${threads})
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
let block = group.x + group.y * ${workgroups[0]}u;
${body}
}
`;
  return { shader: { code, access: bindings.map(({ access }) => access), stepped }, workgroups };
}

/** One thread an element of the result: `i` is its number, from 0 to count − 1. */
export function elementwise(
  parts: Omit<ShaderParts, "threads" | "blocks"> & { readonly count: number },
): Program {
  const { count, body } = parts;
  const threads = count > 16384 ? 256 : 64;
  return program({
    ...parts,
    threads,
    blocks: Math.ceil(count / threads),
    body: `let i = block * ${threads}u + lane;
if (i >= ${count}u) { return; }
${body}`,
  });
}

/** A float32 as an expression; what WGSL has no literal for comes from its bits, at run time. */
export function literal(value: number): string {
  const rounded = Math.fround(value);
  if (Number.isFinite(rounded)) return Object.is(rounded, -0) ? "-0.0f" : `${rounded}f`;
  const bits = new Uint32Array(Float32Array.of(rounded).buffer)[0]!;
  return `fromBits(${bits}u)`;
}

/** What `literal` may need: a shader must not make an infinity of constants alone. */
export const fromBits = `var<private> zeroBits: u32;
fn fromBits(bits: u32) -> f32 { return bitcast<f32>(bits | zeroBits); }`;
