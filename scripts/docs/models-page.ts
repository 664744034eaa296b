/** docs/models.md from the catalog. */
import { CAPABILITY_FIELDS } from "../../src/catalog/capabilities.ts";
import { builtInCatalog } from "../../src/catalog/catalog.ts";
import { ENTRY_FIELDS } from "../../src/catalog/entry.ts";
import type { Model } from "../../src/catalog/model.ts";

const INTRODUCTION = `# Models

<!-- Written by scripts/docs.ts from src/catalog. Change that and run \`bun scripts/docs.ts\`. -->

The catalog says what each model can do and what it costs. Translation asks it which parameters a model takes, the policy
whether a model can serve a request, the ledger what an answer cost. It is built in, dated **${builtInCatalog.asOf}**, and never
fetched while running, so that the same request is decided alike today and tomorrow. \`arouter models\` prints it.

A model is looked up by its id, then without its date suffix (\`-20250929\`, \`-2024-07-18\`). One that is not there is treated
as the newest family of its provider, the strictest, and has no price: what it costs is left out, never counted as 0. Ids that
begin with \`claude\` are Anthropic's, all others OpenAI's.

## Changing it

In \`arouter.toml\`, one model at a time, or in a JSON file with \`[catalog] file\`, in the shape of \`arouter models --json\`:

\`\`\`toml
[catalog.models."sol-eu"]               # a deployment of your own, on a host that speaks OpenAI's API
like = "gpt-6-sol"
context_tokens = 400000
capabilities = { vision = false }
usd_per_mtok.standard = { input = 1.5, output = 9.0 }

[catalog.models."gpt-5.4"]              # another price for a model that is there
usd_per_mtok.standard = { input = 2.0, output = 12.0, cache_read = 0.2 }
\`\`\`

A field that is given replaces that of the catalog; \`capabilities\` and \`price_multiplier\` are replaced field by field,
\`usd_per_mtok\` tier by tier. In JSON, \`null\` takes a limit, a day or a tier away.

To bring the built-in catalog up to date, edit \`src/catalog/models.json\`: entries are written \`like\` one another, so that
only differences stand there.

## Prices

The cost of an answer follows its own usage figures and the service tier that it names. A band (\`above\`) replaces the prices of
the whole request once its input, cache reads and writes included, is over the number of tokens. A tier, a speed or a region
without a price leaves the answer unpriced.
`;

export function renderModelsPage(): string {
  const models = [...builtInCatalog.models].sort((a, b) => (a.provider + a.id < b.provider + b.id ? -1 : 1));
  return [
    INTRODUCTION,
    "## Fields",
    "",
    "| field | |",
    "| --- | --- |",
    ...Object.entries(ENTRY_FIELDS).map(([name, doc]) => `| \`${name}\` | ${doc} |`),
    "",
    "### capabilities",
    "",
    "| field | values | |",
    "| --- | --- | --- |",
    ...Object.values(CAPABILITY_FIELDS).map(
      (field) => `| \`${field.name}\` | ${valuesOf(field.type)} | ${field.doc} |`,
    ),
    "",
    "## The models",
    "",
    "Prices in US dollars per million tokens, standard tier, below any band. Capabilities: `arouter models --json`.",
    "",
    "| model | served on | input, tokens | output, tokens | input, $ | cached, $ | output, $ | shut down |",
    "| --- | --- | --: | --: | --: | --: | --: | --- |",
    ...models.map(renderModel),
    "",
  ].join("\n");
}

function valuesOf(type: string | readonly string[]): string {
  if (typeof type !== "string") return type.map((word) => `\`${word}\``).join(" ");
  return type === "flag" ? "`true` `false`" : type === "efforts" ? "list of efforts" : type;
}

function renderModel(model: Model): string {
  const rates = model.prices?.standard?.base;
  const cells = [
    `\`${model.id}\``,
    model.formats.join(", "),
    model.inputTokens ?? model.contextTokens ?? "",
    model.maxOutputTokens ?? "",
    rates?.input ?? "",
    rates?.cacheRead ?? "",
    rates?.output ?? "",
    model.shutdownOn ?? "",
  ];
  return `| ${cells.join(" | ")} |`;
}
