/** The rows of a table: which keys must be given, which may be, and what stands for them. */

import { plain } from "./forms.js";
import type { Form, Reader, Row } from "./schema.js";

export const required = <T>(of: Reader<T> | Form<T>, doc: string): Row<T> => ({
  form: asForm(of),
  need: "required",
  otherwise: undefined,
  doc,
});

export const optional = <T>(of: Reader<T> | Form<T>, doc: string): Row<T | null> => ({
  form: asForm(of),
  need: "optional",
  otherwise: null,
  doc,
});

export const otherwise = <T>(of: Reader<T> | Form<T>, value: T, doc: string): Row<T> => ({
  form: asForm(of),
  need: "optional",
  otherwise: value,
  doc,
});

/** A key that may be given any number of times. */
export const several = <T>(of: Reader<T> | Form<T>, doc: string): Row<readonly T[]> => ({
  form: asForm(of),
  need: "several",
  otherwise: [],
  doc,
});

/** A key that must be given once or more. */
export const some = <T>(of: Reader<T> | Form<T>, doc: string): Row<readonly T[]> => ({
  form: asForm(of),
  need: "some",
  otherwise: undefined,
  doc,
});

const asForm = <T>(of: Reader<T> | Form<T>): Form<T> => ("usage" in of ? of : plain(of));
