/** What the playground shows of a program: one row a tab, in their order. */

export const views = {
  diagram: "Diagram",
  summary: "Costs",
  kernels: "Kernels",
  program: "Schedule",
  mesh: "Mesh",
  trainers: "Trainers",
} as const;

export type View = keyof typeof views;

/** Text, a picture as SVG that lives in the page, or one with styles of its own that is only shown. */
export interface Pane {
  /** What stands above it where there are several. */
  readonly title: string;
  readonly kind: "text" | "svg" | "image";
  readonly content: string;
}

/** Panes stand side by side where there is room, else one under the other. */
export type Shown = readonly Pane[];
