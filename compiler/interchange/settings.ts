/** The settings of another program's model: its config.json, with defaults where a setting is absent. */

import { RunError } from "../../runtime/run/errors.js";

type Value = null | boolean | number | string;

export class Settings {
  constructor(
    private readonly values: Readonly<Record<string, unknown>>,
    /** The file's name, for messages. */
    readonly where: string,
  ) {}

  /** Whatever is there; undefined where the setting is absent. */
  get(key: string): unknown {
    return this.values[key];
  }

  number(key: string, otherwise?: number): number {
    const value = this.values[key] ?? otherwise;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    throw this.wrong(key, "a number");
  }

  /** A whole number above 0. */
  count(key: string, otherwise?: number): number {
    const value = this.number(key, otherwise);
    if (Number.isInteger(value) && value > 0) return value;
    throw this.wrong(key, "a whole number above 0");
  }

  flag(key: string, otherwise: boolean): boolean {
    const value = this.values[key] ?? otherwise;
    if (typeof value === "boolean") return value;
    throw this.wrong(key, "true or false");
  }

  /** Whether a setting has a value at all. */
  has(key: string): boolean {
    return this.values[key] !== undefined && this.values[key] !== null;
  }

  /**
   * Refuses what makes their layer another one than ours.
   *
   * @param equal by setting: the values with which both are equal, the first of them the default
   */
  must(equal: Readonly<Record<string, readonly Value[]>>): void {
    for (const [key, allowed] of Object.entries(equal)) {
      const value = this.values[key] === undefined ? allowed[0] : this.values[key];
      if (!(allowed as readonly unknown[]).includes(value)) this.refuse(key, allowed[0]!);
    }
  }

  /** Says that a setting makes another layer of theirs. */
  refuse(key: string, equal: Value): never {
    throw new RunError({
      code: "import-not-equal",
      what: `\`${key}\` is ${JSON.stringify(this.values[key]) ?? "not given"}, and with it their layer is not the one here: equal is ${JSON.stringify(equal)}`,
      where: this.where,
      help: "write the layer in lsm and train it anew, or import a model without this setting",
    });
  }

  private wrong(key: string, kind: string): RunError {
    return new RunError({
      code: "import-config",
      what: `\`${key}\` is ${JSON.stringify(this.values[key] ?? null)}, and ${kind} is needed`,
      where: this.where,
      help: "give the folder as `save_pretrained` wrote it",
    });
  }
}
