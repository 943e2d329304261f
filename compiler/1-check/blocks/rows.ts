/** The rows of a table: which keys must be given, which may be, and what stands for them. */

import { plain } from "./forms.js";
import type { Form, Reader, Row } from "./schema.js";

export const required = <T>(of: Reader<T> | Form<T>, doc: string): Row<T> => ({
  form: asForm(of),
  need: "required",
  or: [],
  otherwise: undefined,
  doc,
});

export const optional = <T>(of: Reader<T> | Form<T>, doc: string): Row<T | null> => ({
  form: asForm(of),
  need: "optional",
  or: [],
  otherwise: null,
  doc,
});

export const otherwise = <T>(of: Reader<T> | Form<T>, value: T, doc: string): Row<T> => ({
  form: asForm(of),
  need: "optional",
  or: [],
  otherwise: value,
  doc,
});

/** A key that must be given once or more. */
export const some = <T>(of: Reader<T> | Form<T>, doc: string): Row<readonly T[]> => ({
  form: asForm(of),
  need: "some",
  or: [],
  otherwise: undefined,
  doc,
});

/** A key for which others can stand: one of them must be given, and not two. */
export const requiredOr = <T>(
  or: readonly string[],
  of: Reader<T> | Form<T>,
  doc: string,
): Row<T | null> => ({
  ...optional(of, doc),
  need: "required",
  or,
});

export const someOr = <T>(
  or: readonly string[],
  of: Reader<T> | Form<T>,
  doc: string,
): Row<readonly T[]> => ({
  ...some(of, doc),
  otherwise: [],
  or,
});

const asForm = <T>(of: Reader<T> | Form<T>): Form<T> => ("usage" in of ? of : plain(of));
