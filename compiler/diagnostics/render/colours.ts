/** What each part of a rendered diagnostic looks like; the plain palette leaves text as it is. */

import pc from "picocolors";

export type Paint = (text: string) => string;

export interface Palette {
  readonly error: Paint;
  readonly warning: Paint;
  readonly secondary: Paint;
  readonly title: Paint;
  readonly gutter: Paint;
  readonly help: Paint;
  readonly good: Paint;
}

export function palette(colour: boolean): Palette {
  const c = pc.createColors(colour);
  return {
    error: (text) => c.bold(c.red(text)),
    warning: (text) => c.bold(c.yellow(text)),
    secondary: c.blue,
    title: c.bold,
    gutter: c.dim,
    help: c.cyan,
    good: c.green,
  };
}

export const plain: Palette = palette(false);
