/** The standard library's files, which the build puts into the workers. */
declare module "lsm:library" {
  import type { SourceText } from "../host.js";
  const library: readonly SourceText[];
  export default library;
}

/** Programs of the examples menu, and texts to learn from. */
declare module "lsm:examples" {
  const examples: readonly { readonly name: string; readonly text: string }[];
  export default examples;
}
