/** Words from a list, with or without options: `bf16`, `"1f1b"`, `adamw(lr: 1e-4)`. */

import type { Span } from "../../../../grammar/ast.js";
import { messages } from "../../../diagnostics/messages.generated.js";
import { instead, suggest } from "../../../diagnostics/suggest.js";
import type { Choice, Reader, Site, Table, Values } from "../schema.js";
import { listed } from "../prose.js";
import { readOptions } from "./options.js";
import { wrongKind } from "./wrong.js";

/** One of several words, each with its line of documentation; a text stands for a word too. */
export function word<W extends string>(words: Readonly<Record<W, string>>): Reader<W> {
  const choices = Object.entries<string>(words).map(([word, doc]): Choice => ({
    word,
    doc,
    options: null,
  }));
  const takes = shownWords(choices);
  return {
    takes,
    shown: spelled(choices[0]!.word),
    choices,
    read: (value, site) => {
      if (value.kind !== "name" && value.kind !== "string") return wrongKind(value, takes, site);
      const written = value.kind === "name" ? value.name : value.value;
      return Object.hasOwn(words, written)
        ? (written as W)
        : unknownChoice(written, value.span, choices, site);
    },
  };
}

export interface Variant<T extends Table> {
  readonly doc: string;
  readonly options: T;
}

type Variants = Readonly<Record<string, Variant<Table>>>;

type VariantValues<V extends Variants> = {
  [K in keyof V & string]: { readonly kind: K } & Values<V[K]["options"]>;
}[keyof V & string];

/** One of several words, each with options of its own. */
export function variant<V extends Variants>(variants: V): Reader<VariantValues<V>> {
  const choices = Object.entries(variants).map(([word, { doc, options }]): Choice => ({
    word,
    doc,
    options,
  }));
  const takes = shownWords(choices);
  return {
    takes,
    shown: usageOf(choices[0]!),
    choices,
    read: (value, site) => {
      const callee = value.kind === "call" ? value.callee : value;
      if (callee.kind !== "name") return wrongKind(value, takes, site);
      const kind = callee.name;
      if (!Object.hasOwn(variants, kind)) return unknownChoice(kind, callee.span, choices, site);
      const { options } = variants[kind]!;
      const given = value.kind === "call" ? value.arguments : [];
      const values = readOptions(kind, options, given, value.span, site);
      return values && ({ kind, ...values } as unknown as VariantValues<V>);
    },
  };
}

function unknownChoice(
  written: string,
  span: Span,
  choices: readonly Choice[],
  site: Site,
): undefined {
  const near = suggest(
    written,
    choices.map(({ word }) => word),
  );
  const help = near === null ? `it can be ${shownWords(choices)}` : instead(spelled(near), span);
  site.scope.reporter.report(
    messages.unknownChoice({ key: site.name, value: written }),
    [{ span, text: "not known" }],
    help,
  );
}

const shownWords = (choices: readonly Choice[]): string =>
  listed(
    choices.map(({ word }) => `\`${spelled(word)}\``),
    "or",
  );

/** As it is written in a program: what is no name is a text. */
const spelled = (word: string): string => (/^[A-Za-z_]\w*$/.test(word) ? word : `"${word}"`);

function usageOf({ word, options }: Choice): string {
  const needed = Object.entries(options ?? {}).filter(([, { need }]) => need === "required");
  if (needed.length === 0) return word;
  return `${word}(${needed.map(([key, { form }]) => form.usage(`${key}:`)).join(", ")})`;
}
