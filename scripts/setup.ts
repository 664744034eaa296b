/** Makes what the tests need beyond `npm ci`. Says in one line each what is missing; never fails. */
import { ensureAgents } from "../test/support/agents.ts";
import { ensureKube } from "../test/support/kube.ts";
import { ensureMusl } from "../test/support/musl.ts";
import { ensurePython, PYTHON_ENVIRONMENTS } from "../test/support/python.ts";
import { sharedDir, sharedMissing } from "../test/support/shared.ts";
import { ensureShippingTools } from "../test/support/shipping.ts";
import { ensureToxiproxy } from "../test/support/toxiproxy.ts";
import { ensureCollector, ensureDebian } from "../test/support/tools.ts";

/** @returns one line for each thing that could not be made or found: the tests that need it skip */
export async function setUp(): Promise<readonly string[]> {
  // The longest, which runs while the Python environments are made.
  const shipping = ensureShippingTools();
  const toxiproxy = ensureToxiproxy();
  const agents = ensureAgents();
  const missing: string[] = [];
  for (const name of PYTHON_ENVIRONMENTS) {
    const environment = ensurePython(name);
    if ("missing" in environment) missing.push(environment.missing);
  }
  if (sharedDir === null) missing.push(sharedMissing);
  missing.push(...(await shipping));
  for (const lacking of [await ensureMusl(), await ensureKube(), await toxiproxy, await agents])
    if (lacking !== null) missing.push(lacking);
  // Debian's package manager takes one at a time.
  for (const tool of [ensureCollector(), ...ensureDebian()]) {
    if ("missing" in tool) missing.push(tool.missing);
  }
  return missing;
}

if (import.meta.main) {
  for (const line of await setUp()) console.log(`missing: ${line}`);
}
