/** The token table as Chevrotain token types, and the token objects that lexer and parser exchange. */

import { createToken, Lexer, type IToken, type TokenType } from "chevrotain";
import { tokenNames, tokenTable, type TokenName } from "./tokens.js";

/** One token; offsets follow Chevrotain's convention, in which `endOffset` is the last unit's own. */
export interface Token extends IToken {
  readonly startLine: number;
  readonly endOffset: number;
  /** How many brackets are open before it; set by the layout pass, for error recovery. */
  nesting: number;
}

const category = (name: string, says: string) =>
  createToken({ name, pattern: Lexer.NA, label: says });

/** Any word that can serve as a name: identifiers and contextual keywords. */
export const AnyName = category("AnyName", "a name");
export const BinaryOperator = category("BinaryOperator", "an operator");
/** Everything but `}`: what a block's loop may be handed, so that it never stops short of the end. */
export const Anything = category("Anything", "anything");

/** The Chevrotain type of each row of the table. */
export const types = Object.fromEntries(tokenNames.map((name) => [name, typeOf(name)])) as Record<
  TokenName,
  TokenType
>;

function typeOf(name: TokenName): TokenType {
  const row = tokenTable[name];
  const categories: TokenType[] = [];
  if (name === "Identifier" || row.class === "contextual") categories.push(AnyName);
  if (row.binary) categories.push(BinaryOperator);
  if (name !== "RightBrace") categories.push(Anything);
  return createToken({ name, pattern: Lexer.NA, label: row.says, categories });
}

export const vocabulary: TokenType[] = [AnyName, BinaryOperator, Anything, ...Object.values(types)];

export function makeToken(type: TokenType, image: string, start: number, line: number): Token {
  return {
    image,
    startOffset: start,
    endOffset: start + image.length - 1,
    startLine: line,
    tokenType: type,
    tokenTypeIdx: type.tokenTypeIdx!,
    nesting: 0,
  };
}

const names = new Set<TokenType>([types.Identifier]);
const binary = new Set<TokenType>();
for (const name of tokenNames) {
  if (tokenTable[name].class === "contextual") names.add(types[name]);
  if (tokenTable[name].binary) binary.add(types[name]);
}

export const isName = (token: IToken | undefined) =>
  token !== undefined && names.has(token.tokenType);
export const isBinaryOperator = (token: IToken | undefined) =>
  token !== undefined && binary.has(token.tokenType);
