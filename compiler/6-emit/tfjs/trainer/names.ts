/** Names in emitted code: valid, distinct, and still the program's own. */

const words =
  "arguments as async await boolean break case catch class const continue debugger default delete do else enum " +
  "eval export extends false finally for from function get if implements import in instanceof interface let " +
  "module new null of package private protected public return satisfies set static super switch symbol this " +
  "throw true try type typeof undefined var void while with yield";

/** What emitted files declare, import or take from the language whatever the program. */
const own =
  "k w saved batch weights updates metrics settings trainable parameters gradients evaluate Weights Object Array Infinity NaN " +
  "BatchTensors EvaluationResult GradientResult KernelSet ParameterSpec Tensor TensorMap Trainable " +
  "TrainSettings WindowTensors apply defineMap free nest normal parameter parametersUnder runAsMain scan under uniform";

const reserved: ReadonlySet<string> = new Set(`${words} ${own}`.split(" "));

/** Any text as an identifier. */
export function identifier(text: string): string {
  const plain = text.replace(/[^A-Za-z0-9_]+/g, "_");
  return /^[A-Za-z_]/.test(plain) ? plain : `_${plain}`;
}

/** Gives every name once. */
export class Names {
  private readonly given = new Set<string>();

  /** Names of the `outer` scopes are not given either. */
  constructor(private readonly outer: Names | null = null) {}

  has(name: string): boolean {
    return this.given.has(name) || (this.outer ? this.outer.has(name) : reserved.has(name));
  }

  /** `q_BTHK`, then `q2_BTHK`, … */
  unique(base: string, letters = ""): string {
    const suffix = letters === "" ? "" : `_${letters}`;
    const plain = identifier(base);
    let name = plain + suffix;
    for (let count = 2; this.has(name); count += 1)
      name = `${plain}${/\d$/.test(plain) ? "_" : ""}${count}${suffix}`;
    this.given.add(name);
    return name;
  }

  /** Gives none of these names. */
  avoid(names: Iterable<string>): void {
    for (const name of names) this.given.add(name);
  }

  /** All names given here. */
  all(): Iterable<string> {
    return this.given;
  }
}
