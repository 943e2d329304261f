/** The axes that names got, behind them in the editor's text. */

import { type EditorState, StateEffect, StateField } from "@codemirror/state";
import { Decoration, type DecorationSet, EditorView, WidgetType } from "@codemirror/view";
import type { Hint } from "../workers/compiler.worker.js";

export const setHints = StateEffect.define<readonly Hint[]>();

class HintWidget extends WidgetType {
  constructor(private readonly text: string) {
    super();
  }
  override eq({ text }: HintWidget): boolean {
    return text === this.text;
  }
  toDOM(): HTMLElement {
    const said = document.createElement("span");
    said.className = "hint";
    said.textContent = this.text;
    return said;
  }
}

const field = StateField.define<DecorationSet>({
  create: (_: EditorState) => Decoration.none,
  update(shown, { changes, effects }) {
    const given = effects.findLast((effect) => effect.is(setHints));
    if (!given) return shown.map(changes);
    const marks = (given.value as readonly Hint[]).map(({ at, text }) =>
      Decoration.widget({ widget: new HintWidget(text), side: 1 }).range(at),
    );
    return Decoration.set(marks, true);
  },
  provide: (from) => EditorView.decorations.from(from),
});

export const hints = field;
