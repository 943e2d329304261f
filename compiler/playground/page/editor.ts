/** The editor: the program's text, its colours, and mistakes in place. */

import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { type Action, type Diagnostic, lintGutter, setDiagnostics } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import {
  EditorView,
  drawSelection,
  highlightActiveLine,
  hoverTooltip,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { bracketMatching, indentOnInput } from "@codemirror/language";
import {
  type CompletionContext,
  type CompletionResult,
  autocompletion,
  closeBrackets,
  closeBracketsKeymap,
  completionKeymap,
} from "@codemirror/autocomplete";
import type { Hint, Mistake, Proposal } from "../workers/compiler.worker.js";
import { lsm } from "./highlight.js";
import { hints, setHints } from "./hints.js";
import { markdown } from "./markdown.js";

/** What the compiler knows of the program in the editor. */
export interface Knowledge {
  hover(offset: number): Promise<string | null>;
  complete(text: string, offset: number): Promise<readonly Proposal[]>;
}

export class Editor {
  private readonly view: EditorView;

  constructor(
    parent: HTMLElement,
    text: string,
    knowledge: Knowledge,
    onChange: (text: string) => void,
  ) {
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
          hints,
          hoverTooltip(async (_, pos) => {
            const said = await knowledge.hover(pos);
            return said === null
              ? null
              : { pos, above: true, create: () => ({ dom: markdown(said) }) };
          }),
          autocompletion({ override: [(context) => proposals(context, knowledge)] }),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "Program" }),
          // Escape then Tab leaves the editor, as screen readers expect
          keymap.of([
            ...closeBracketsKeymap,
            ...completionKeymap,
            ...defaultKeymap,
            ...historyKeymap,
            indentWithTab,
          ]),
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

  mark(mistakes: readonly Mistake[], shown: readonly Hint[]): void {
    const { length } = this.view.state.doc;
    this.view.dispatch({ effects: setHints.of(shown.filter(({ at }) => at <= length)) });
    const marks = mistakes.map(({ from, to, severity, message, code, fix }): Diagnostic => {
      const start = Math.min(from, length);
      return {
        from: start,
        to: Math.min(Math.max(to, start), length),
        severity,
        message,
        source: code,
        ...(fix && { actions: [actionOf(fix)] }),
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

function actionOf({ from, to, text }: NonNullable<Mistake["fix"]>): Action {
  return {
    name: `Write ${text}`,
    apply: (view) => view.dispatch({ changes: { from, to, insert: text } }),
  };
}

async function proposals(
  context: CompletionContext,
  knowledge: Knowledge,
): Promise<CompletionResult | null> {
  const word = context.matchBefore(/[\w.]*/);
  if (!context.explicit && (!word || word.from === word.to)) return null;
  const found = await knowledge.complete(context.state.doc.toString(), context.pos);
  return {
    from: context.matchBefore(/\w*/)?.from ?? context.pos,
    validFor: /^\w*$/,
    options: found.map(({ label, detail, doc, insert }) => ({
      label,
      detail,
      apply: insert,
      ...(doc !== "" && { info: () => markdown(doc) }),
    })),
  };
}
