/** A Responses request as a Messages request: runs the table of parameters, then lays out the body. */
import type { ParsedRequest } from "../../wire/format.ts";
import { renderBody } from "../messages-upstream/body.ts";
import { createDraft, type ParameterRow } from "../messages-upstream/draft.ts";
import { EXTENSION_ROWS } from "../messages-upstream/extensions.ts";
import { SAMPLING_ROWS } from "../messages-upstream/sampling.ts";
import { SERVICE_ROWS } from "../messages-upstream/service-parameters.ts";
import { THINKING_ROWS } from "../messages-upstream/thinking.ts";
import { createTable } from "../parameter-table.ts";
import type { RenderedRequest } from "../sent-request.ts";
import type { FieldRow, TranslationContext } from "../translator.ts";
import { CALL_ROWS } from "./calls.ts";
import { CHOICE_ROWS } from "./choice.ts";
import { CONTENT_ROWS } from "./content.ts";
import { HOSTED_CALL_ROWS } from "./hosted-calls.ts";
import { INPUT_ROWS, renderInput } from "./input.ts";
import { ANSWER_ROWS, REASONING_ROWS, TEXT_ROWS } from "./parameters.ts";
import { planReply, type ResponsesReplyPlan } from "./reply-plan.ts";
import { THINKING_HISTORY_ROWS } from "./thinking-history.ts";
import { TOOL_PART_ROWS, TOOL_ROWS } from "./tools.ts";

const IDENTITY_ROWS: readonly ParameterRow[] = [
  {
    field: "model, input, instructions",
    reads: ["model", "input", "instructions"],
    outcomes: ["M", "R"],
    becomes: "`model` as routed; `input` by the rules below; an empty array is refused",
    apply: () => undefined,
  },
];

/** The table that runs, in this order: later rows read what earlier ones decided. */
const PARAMETERS: readonly ParameterRow[] = [
  ...IDENTITY_ROWS,
  ...ANSWER_ROWS,
  ...SERVICE_ROWS,
  ...TOOL_ROWS,
  ...CHOICE_ROWS,
  ...TEXT_ROWS,
  ...REASONING_ROWS,
  ...THINKING_ROWS,
  ...SAMPLING_ROWS,
  ...EXTENSION_ROWS,
];

const applyParameters = createTable(PARAMETERS);

const UNKNOWN_ROW: FieldRow = { field: "any other field", outcomes: ["D"], becomes: "not sent" };

/** Rows for docs: parameters, then what stands inside input and tools. */
export const REQUEST_ROWS: readonly FieldRow[] = [
  ...PARAMETERS,
  UNKNOWN_ROW,
  ...INPUT_ROWS,
  ...CONTENT_ROWS,
  ...CALL_ROWS,
  ...HOSTED_CALL_ROWS,
  ...THINKING_HISTORY_ROWS,
  ...TOOL_PART_ROWS,
].map(({ field: path, outcomes, becomes }) => ({ field: path, outcomes, becomes }));

/**
 * Translates a request.
 * @throws GatewayError `unsupported-translation` or `invalid-request` naming the field
 */
export function renderRequest(
  request: ParsedRequest,
  context: TranslationContext,
): RenderedRequest<ResponsesReplyPlan> {
  const draft = createDraft(request, context, { history: "input", effort: "reasoning.effort" });
  applyParameters(draft.request, draft);
  const { body, upstreamStream } = renderBody(draft, renderInput(draft), context.modelId);
  const { betas, report, checks } = draft;
  return { body, upstreamStream, betas, report, checks, plan: planReply(draft) };
}
