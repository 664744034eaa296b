/** Builds everything that a reload replaces, as one value. */
import { createRedactor, reveal, type Secret } from "../base/secret.ts";
import type { ProviderName } from "../base/names.ts";
import type { Config } from "../config/config.ts";
import type { Catalog } from "../catalog/model.ts";
import type { Snapshot } from "../gateway/settings.ts";
import type { Policy } from "../policy/policy.ts";
import { createAnthropic, createOpenAi, createProviderRegistry, type ProviderRegistry } from "../upstream/provider.ts";
import { createSend, type SendOptions } from "../upstream/send.ts";
import { createStack, type UpstreamState } from "../upstream/stack.ts";
import { gatewaySettings } from "./settings.ts";

/** The providers of a configuration; one without a key is known but not asked. */
export function providerRegistry({ providers }: Config): ProviderRegistry {
  const { openai, anthropic } = providers;
  const keyOf = (provider: ProviderName) => (): string | null => {
    const { apiKey } = providers[provider];
    return apiKey === null ? null : reveal(apiKey);
  };
  return createProviderRegistry([
    {
      provider: createOpenAi({ ...openai, key: keyOf("openai") }),
      models: openai.models,
      configured: openai.apiKey !== null,
    },
    {
      provider: createAnthropic({ ...anthropic, key: keyOf("anthropic") }),
      models: anthropic.models,
      configured: anthropic.apiKey !== null,
    },
  ]);
}

export interface SnapshotParts {
  readonly config: Config;
  readonly catalog: Catalog;
  readonly policy: Policy;
  readonly state: UpstreamState;
  /** Never shown to a client. */
  readonly secrets: readonly Secret[];
  readonly send: Omit<SendOptions, "provider" | "responseBytes" | "eventBytes" | "streamBufferBytes">;
}

export function buildSnapshot({ config, catalog, policy, state, secrets, send }: SnapshotParts): Snapshot {
  const registry = providerRegistry(config);
  const { responseBytes, eventBytes, streamBufferBytes } = config.limits;
  const sends = new Map(
    registry.configured.flatMap((name) => {
      const provider = registry.get(name);
      return provider === null
        ? []
        : [[name, createSend({ ...send, provider, responseBytes, eventBytes, streamBufferBytes })] as const];
    }),
  );
  return {
    settings: gatewaySettings(config),
    policy,
    catalog,
    registry,
    state,
    redact: createRedactor(secrets),
    dispatch: createStack({
      clock: send.clock,
      emit: send.emit,
      state,
      send: ({ provider }) => {
        const dispatch = sends.get(provider);
        if (dispatch === undefined) throw new Error(`no dispatch for provider ${provider}`);
        return dispatch;
      },
    }),
  };
}
