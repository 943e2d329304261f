/**
 * The formulas of `defineMap`: `"t = exp(x); t / (1 + t) * a"` to straight-line scalar code.
 *
 *   formula = { name "=" sum ";" } sum [";"]
 *   sum     = product { ("+" | "-") product }
 *   product = signed { ("*" | "/") signed }
 *   signed  = "-" signed | power
 *   power   = atom [ "^" signed ]                     right-associative, binds tighter than unary minus
 *   atom    = number | "position" "(" letter ")" | function "(" sum { "," sum } ")" | name | "(" sum ")"
 *
 * A minus directly before a number that is not raised to a power belongs to the number.
 */

import { scalarFunctions, type ScalarFunction } from "../../compiler/ir/scalar-functions.js";
import type { Instruction, Operand } from "./kernel-set.js";

const tokenPattern =
  /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([A-Za-z_]\w*)|([-+*/^=;,()]))/y;

interface Token {
  readonly kind: "number" | "name" | "sign";
  readonly text: string;
}

function tokenize(formula: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (formula.slice(at).trim() !== "") {
    tokenPattern.lastIndex = at;
    const match = tokenPattern.exec(formula);
    if (!match) throw new Error(`formula "${formula}": cannot read "${formula.slice(at).trim()}"`);
    at = tokenPattern.lastIndex;
    const [, number, name, sign] = match;
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: "name", text: name });
    else tokens.push({ kind: "sign", text: sign! });
  }
  return tokens;
}

const namedNumbers: Readonly<Record<string, number>> = { Infinity, NaN };

const sums: Readonly<Record<string, ScalarFunction>> = { "+": "add", "-": "sub" };
const products: Readonly<Record<string, ScalarFunction>> = { "*": "mul", "/": "div" };

function isScalarFunction(name: string): name is ScalarFunction {
  return Object.hasOwn(scalarFunctions, name);
}

/** `names` are the inputs' names in order; the code's last instruction is the value. */
export function parseFormula(formula: string, names: readonly string[]): Instruction[] {
  const tokens = tokenize(formula);
  const code: Instruction[] = [];
  const known = new Map<string, Operand>(
    names.map((name, index) => [name, { kind: "input", index }]),
  );
  let at = 0;

  const fail = (what: string): never => {
    throw new Error(`formula "${formula}": ${what}`);
  };
  const next = (): Token => tokens[at++] ?? fail("it ends too early");
  const see = (text: string, ahead = 0): boolean => tokens[at + ahead]?.text === text;
  const accept = (text: string): boolean => see(text) && ++at > 0;
  const expect = (text: string): void => {
    if (!accept(text)) fail(`"${text}" expected before "${tokens[at]?.text ?? "its end"}"`);
  };
  const emit = (fn: ScalarFunction, ...operands: Operand[]): Operand => {
    code.push({ fn, arguments: operands });
    return { kind: "value", index: code.length - 1 };
  };

  const infix =
    (table: Readonly<Record<string, ScalarFunction>>, part: () => Operand) => (): Operand => {
      let left = part();
      for (;;) {
        const fn = table[tokens[at]?.text ?? ""];
        if (!fn) return left;
        at++;
        left = emit(fn, left, part());
      }
    };
  const signed = (): Operand => {
    if (!accept("-")) return power();
    const number = tokens[at]?.kind === "number" || see("Infinity");
    if (number && !see("^", 1)) return { kind: "constant", value: -Number(next().text) };
    return emit("neg", signed());
  };
  const productOf = infix(products, signed);
  const sumOf = infix(sums, productOf);
  const power = (): Operand => {
    const base = atom();
    return accept("^") ? emit("pow", base, signed()) : base;
  };
  const atom = (): Operand => {
    const token = next();
    if (token.kind === "number") return { kind: "constant", value: Number(token.text) };
    if (token.text === "(") {
      const inner = sumOf();
      expect(")");
      return inner;
    }
    if (token.kind !== "name") return fail(`"${token.text}" is not a value`);
    return accept("(") ? call(token.text) : lookUp(token.text);
  };
  const call = (name: string): Operand => {
    if (name === "position") {
      const letter = next().text;
      expect(")");
      return { kind: "position", letter };
    }
    if (!isScalarFunction(name)) return fail(`there is no function "${name}"`);
    const operands = [sumOf()];
    while (accept(",")) operands.push(sumOf());
    expect(")");
    const { arity } = scalarFunctions[name];
    if (operands.length !== arity) fail(`${name} takes ${arity} arguments, not ${operands.length}`);
    return emit(name, ...operands);
  };
  const lookUp = (name: string): Operand => {
    const operand = known.get(name);
    if (operand) return operand;
    const value = namedNumbers[name];
    return value === undefined ? fail(`there is no value "${name}"`) : { kind: "constant", value };
  };

  while (see("=", 1)) {
    const name = next().text;
    at++;
    if (known.has(name)) fail(`"${name}" is already the name of a value`);
    known.set(name, sumOf());
    expect(";");
  }
  const value = sumOf();
  accept(";");
  if (at < tokens.length) fail(`"${tokens[at]!.text}" is left over`);
  const isLast = value.kind === "value" && value.index === code.length - 1;
  if (!isLast) emit("stop", value); // a bare input, constant or earlier value: code must end in its value
  return code;
}
