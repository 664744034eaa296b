/** Which program sent a request, told by its `user-agent`. */

/** Tried in order, agents before the SDKs that they are built on. Names are what `client` conditions match. */
const CLIENTS: readonly (readonly [prefix: string, client: string])[] = [
  ["claude-cli/", "claude-code"],
  ["claude-code/", "claude-code"],
  ["codex", "codex"],
  ["opencode/", "opencode"],
  ["aider/", "aider"],
  ["cline/", "cline"],
  ["roo-code/", "roo-code"],
  ["goose/", "goose"],
  ["litellm/", "litellm"],
  ["langchain", "langchain"],
  ["pydantic-ai/", "pydantic-ai"],
  ["ai-sdk/", "ai-sdk"],
  ["ai/", "ai-sdk"],
  ["agents/python", "openai-agents-python"],
  ["agents/javascript", "openai-agents-node"],
  ["openai/python", "openai-python"],
  ["asyncopenai/python", "openai-python"],
  ["openai/js", "openai-node"],
  ["openai/go", "openai-go"],
  ["openai/java", "openai-java"],
  ["openai/ruby", "openai-ruby"],
  ["openai/.net", "openai-dotnet"],
  ["anthropic/python", "anthropic-python"],
  ["asyncanthropic/python", "anthropic-python"],
  ["anthropic/js", "anthropic-typescript"],
  ["anthropic/go", "anthropic-go"],
  ["anthropic/java", "anthropic-java"],
  ["anthropic/ruby", "anthropic-ruby"],
  ["curl/", "curl"],
  ["python-requests/", "python-requests"],
  ["python-httpx/", "python-httpx"],
  ["bun/", "bun"],
  ["node", "node"],
  ["go-http-client/", "go"],
];

/** Every name that {@link readClient} gives. */
export const CLIENT_NAMES: readonly string[] = [...new Set(CLIENTS.map(([, client]) => client))];

function findClient(userAgent: string): string | null {
  const lower = userAgent.slice(0, 256).toLowerCase();
  return CLIENTS.find(([prefix]) => lower.startsWith(prefix))?.[1] ?? null;
}

/** The last one asked for: the next request is most often of the same client. */
let last: { readonly userAgent: string; readonly client: string | null } = { userAgent: "", client: null };

/** The client's name; null without a `user-agent`, or for one that is not known. */
export function readClient(userAgent: string | null): string | null {
  if (userAgent === null) return null;
  if (userAgent !== last.userAgent) last = { userAgent, client: findClient(userAgent) };
  return last.client;
}
