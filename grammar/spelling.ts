/**
 * Mends a misspelled keyword where its surroundings leave no doubt that one was meant: `layr GLA(`,
 * `stat S: […]`. The parser then reads the declaration as intended, so that one slip stays one report.
 */

import { instead, suggest } from "../compiler/diagnostics/suggest.js";
import { messages } from "../compiler/diagnostics/messages.generated.js";
import type { TokenType } from "chevrotain";
import type { Problems } from "./problems.js";
import { declarationWords, tokenNames, tokenTable } from "./tokens.js";
import { isName, makeToken, types, type Token } from "./vocabulary.js";

const typeOfWord = new Map<string, TokenType>(
  tokenNames.flatMap((name) =>
    tokenTable[name].text === null ? [] : [[tokenTable[name].text, types[name]]],
  ),
);

export function mendKeywords(tokens: readonly Token[], problems: Problems): Token[] {
  let depth = 0;
  return tokens.map((token, i) => {
    if (token.tokenType === types.LeftBrace) depth++;
    else if (token.tokenType === types.RightBrace) depth--;
    if (token.tokenType !== types.Identifier || !beginsLine(tokens[i - 1])) return token;
    const meant = suggest(
      token.image,
      depth === 0 ? declarationMeant(tokens, i) : statementMeant(tokens, i),
    );
    if (meant === null) return token;
    const span = problems.span(token.startOffset, token.endOffset + 1);
    problems.report(
      messages.unknownKeyword({ word: token.image, keyword: meant }),
      [{ span, text: "" }],
      instead(meant, span),
    );
    return makeToken(typeOfWord.get(meant)!, token.image, token.startOffset, token.startLine);
  });
}

function beginsLine(previous: Token | undefined): boolean {
  if (previous === undefined) return true;
  const type = previous.tokenType;
  return type === types.Newline || type === types.LeftBrace || type === types.RightBrace;
}

/** The keywords that could begin the header at `i`, judged by what follows it. */
function declarationMeant(tokens: readonly Token[], i: number): readonly string[] {
  const [next, third] = [tokens[i + 1], tokens[i + 2]];
  if (next?.tokenType === types.String) return ["use"];
  if (!isName(next)) return [];
  switch (third?.tokenType) {
    case types.LeftParen:
      return ["layer", "model"];
    case types.On:
      return ["parallel"];
    case types.LeftBrace:
      return declarationWords.filter((word) => word !== "layer" && word !== "use");
    default:
      return [];
  }
}

function statementMeant(tokens: readonly Token[], i: number): readonly string[] {
  if (!isName(tokens[i + 1])) return [];
  const third = tokens[i + 2]?.tokenType;
  return third === types.Colon ? ["state"] : third === types.Equals ? ["route"] : [];
}
