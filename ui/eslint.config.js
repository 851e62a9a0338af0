import { createNodeResolver, importX } from "eslint-plugin-import-x";
import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

/** The folders of src: each imports from those before it. Folders of one layer do not import from each other. */
const LAYERS = [
  ["state"],
  ["api"],
  ["format"],
  ["kit"],
  ["files", "liveTask", "yaml"],
  ["charts"],
  ["audit", "chat", "machine", "policy", "presets", "result", "tasks"],
  ["app"],
];
const zones = LAYERS.slice(0, -1).flatMap((layer, at) =>
  layer.map((folder) => ({
    target: `src/${folder}`,
    from: LAYERS.slice(at)
      .flat()
      .filter((other) => other !== folder)
      .map((other) => `src/${other}`),
    message: "A folder imports only from those of earlier layers; LAYERS in eslint.config.js has them",
  })),
);

export default tseslint.config(
  { ignores: ["dist", "shots", "test-results", "playwright-report", "src/api/schema.d.ts", "public"] },
  ...tseslint.configs.strict,
  {
    files: ["**/*.{ts,tsx}"],
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs["recommended-latest"].rules,
      // TanStack's table and virtualizer hand out functions that must not be memoized; the components know.
      "react-hooks/incompatible-library": "off",
      "@typescript-eslint/no-explicit-any": "error",
      "@typescript-eslint/consistent-type-imports": "error",
      "@typescript-eslint/no-unused-vars": ["error", { argsIgnorePattern: "^_" }],
      "no-console": "error",
      eqeqeq: ["error", "always", { null: "ignore" }],
    },
  },
  {
    files: ["src/**"],
    plugins: { "import-x": importX },
    settings: {
      "import-x/extensions": [".ts", ".tsx"],
      "import-x/parsers": { "@typescript-eslint/parser": [".ts", ".tsx"] },
      "import-x/resolver-next": [
        createNodeResolver({
          extensions: [".ts", ".tsx"],
          tsconfig: { configFile: `${import.meta.dirname}/tsconfig.app.json` },
        }),
      ],
    },
    rules: {
      "import-x/no-cycle": "error",
      "import-x/no-restricted-paths": ["error", { basePath: import.meta.dirname, zones }],
      "import-x/no-duplicates": "error",
    },
  },
  {
    // A fixture of Playwright takes a function called `use`, which is no hook.
    files: ["e2e/**"],
    rules: { "react-hooks/rules-of-hooks": "off", "no-empty-pattern": "off" },
  },
);
