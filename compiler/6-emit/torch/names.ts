/** Python names: of attributes that hold parameters, and of a function's variables. */

/** Words that Python keeps, and attributes that a module has already. */
const taken = new Set(
  (
    "False None True and as assert async await break class continue def del elif else except finally for from " +
    "global if import in is lambda nonlocal not or pass raise return try while with yield match case type self " +
    "torch nn F Tensor recurrence linear_scan maxplus_scan B T " +
    "abs all any float int len list max min range sum tuple zip"
  ).split(" "),
);

const ofModule = new Set(
  (
    "add_module apply bfloat16 buffers children compile cpu cuda double eval float forward half ipu mtia " +
    "modules named_buffers named_children named_modules named_parameters parameters register_buffer " +
    "register_module register_parameter requires_grad_ set_submodule get_submodule share_memory state_dict " +
    "load_state_dict to to_empty train training type xpu zero_grad extra_repr dump_patches call_super_init " +
    "features loss"
  ).split(" "),
);

const plain = (name: string): string => {
  const text = name.replace(/[^A-Za-z0-9_]/g, "_");
  return /^[A-Za-z_]/.test(text) ? text : `_${text}`;
};

/** The attribute that a segment of a parameter's path is; lsm_torch/checkpoint/paths.py knows the same rule. */
export function attributeName(segment: string): string {
  if (/^\d+$/.test(segment)) return segment;
  const text = plain(segment);
  return taken.has(text) || ofModule.has(text) ? `${text}_` : text;
}

export const dotted = (path: string): string =>
  path
    .split(".")
    .map((segment, i) => (i === 0 && segment === "self" ? segment : attributeName(segment)))
    .reduce((text, segment) =>
      /^\d/.test(segment) ? `${text}[${segment}]` : `${text}.${segment}`,
    );

/** The variables of one function: no two values share a name. */
export class Variables {
  private readonly used = new Set<string>([...taken, "cache"]);

  constructor(outer: Iterable<string> = []) {
    for (const name of outer) this.used.add(name);
  }

  unique(name: string, suffix: string): string {
    const base = plain(name.split(".").pop()!.replace(/'+$/, ""));
    const end = suffix === "" ? "" : `_${suffix}`;
    for (let count = 1; ; count += 1) {
      const found = `${base}${count === 1 ? "" : count}${end}`;
      if (this.used.has(found)) continue;
      this.used.add(found);
      return found;
    }
  }

  all(): Iterable<string> {
    return this.used;
  }
}
