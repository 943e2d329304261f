/**
 * Lint rules: the strict set without type information, and of the slower rules that need it only the three
 * that find real mistakes which tsc lets through.
 */
import tseslint from "typescript-eslint";

export default tseslint.config(
  { ignores: [".venv/", "**/dist/", "runs/", "coverage/", "**/*.generated.ts", "test/samples/"] },
  tseslint.configs.strict,
  tseslint.configs.stylistic,
  {
    rules: {
      eqeqeq: "error",
      "no-console": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      // `list[i]!` says that the index is known to be in range, which noUncheckedIndexedAccess cannot see.
      "@typescript-eslint/no-non-null-assertion": "off",
      "@typescript-eslint/no-unused-vars": [
        "error",
        { argsIgnorePattern: "^_", varsIgnorePattern: "^_" },
      ],
    },
  },
  {
    files: ["**/*.ts"],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      "@typescript-eslint/no-floating-promises": "error",
      "@typescript-eslint/no-misused-promises": "error",
      "@typescript-eslint/switch-exhaustiveness-check": [
        "error",
        { considerDefaultExhaustiveForUnions: true },
      ],
    },
  },
  { files: ["**/*.mjs", "examples/**"], rules: { "no-console": "off" } },
);
