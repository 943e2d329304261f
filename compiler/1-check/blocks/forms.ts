/** Settings of one value: `batch 8`, `checkpoint every 100`. */

import { valueOf, wordsFit } from "./parts.js";
import type { Form, Reader } from "./schema.js";

/** `batch N` */
export const plain = <T>(reader: Reader<T>): Form<T> => valued(reader, false);

/** `checkpoint every N` */
export const every = <T>(reader: Reader<T>): Form<T> => valued(reader, true);

function valued<T>(reader: Reader<T>, every: boolean): Form<T> {
  return {
    usage: (key) => `${key} ${every ? "every " : ""}${reader.shown}`,
    takes: reader.takes,
    choices: reader.choices ?? [],
    read: (setting, site) => {
      if (!wordsFit(setting, [], site)) return undefined;
      const value = valueOf(setting, every, site);
      return value && reader.read(value, site);
    },
  };
}
