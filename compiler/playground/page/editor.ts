/** The editor: the program's text, its colours, and mistakes in place. */

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  highlightActiveLine,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import { closeBrackets, closeBracketsKeymap } from "@codemirror/autocomplete";
import type { Mistake } from "../workers/compiler.worker.js";
import { lsm } from "./highlight.js";

export class Editor {
  private readonly view: EditorView;

  constructor(parent: HTMLElement, text: string, onChange: (text: string) => void) {
    this.view = new EditorView({
      parent,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          closeBrackets(),
          highlightActiveLine(),
          lintGutter(),
          lsm,
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "Program" }),
          // Escape then Tab leaves the editor, as screen readers expect
          keymap.of([...closeBracketsKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.updateListener.of(({ docChanged, state }) => {
            if (docChanged) onChange(state.doc.toString());
          }),
        ],
      }),
    });
  }

  get text(): string {
    return this.view.state.doc.toString();
  }

  set text(text: string) {
    const { length } = this.view.state.doc;
    this.view.dispatch({ changes: { from: 0, to: length, insert: text } });
  }

  mark(mistakes: readonly Mistake[]): void {
    const { length } = this.view.state.doc;
    const marks = mistakes.map(({ from, to, severity, message, code }): Diagnostic => {
      const start = Math.min(from, length);
      return {
        from: start,
        to: Math.min(Math.max(to, start), length),
        severity,
        message,
        source: code,
      };
    });
    this.view.dispatch(setDiagnostics(this.view.state, marks));
  }

  goTo(offset: number): void {
    const anchor = Math.min(offset, this.view.state.doc.length);
    this.view.dispatch({ selection: { anchor }, scrollIntoView: true });
    this.view.focus();
  }
}
