"""Every typed exception of the `openai` package, from errors of either provider and of the gateway itself."""

from typing import Any

import openai

from harness import BOTH, CLAUDE, GATEWAY, GPT, KEY, case, raises, same, upstream_log
from openai_cases import client, user

retrying = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=2, timeout=20)


def create(model: str, sim: str, **more: Any) -> Any:
    return client.chat.completions.create(
        model=model, max_completion_tokens=64, messages=[user("Say hello.", sim)], **more
    )


# What Anthropic answers, and what an OpenAI client then sees: class, status, type, code.
FROM_ANTHROPIC = [
    ("status 400 type=invalid_request_error", "BadRequestError", 400, "invalid_request_error", None),
    (
        'status 400 type=invalid_request_error message="prompt is too long: 250000 tokens > 200000 maximum"',
        "BadRequestError",
        400,
        "invalid_request_error",
        "context_length_exceeded",
    ),
    ("status 401 type=authentication_error", "InternalServerError", 502, "server_error", "upstream_auth_error"),
    ("status 402 type=billing_error", "RateLimitError", 429, "insufficient_quota", "insufficient_quota"),
    ("status 403 type=permission_error", "PermissionDeniedError", 403, "invalid_request_error", "permission_denied"),
    ("status 404 type=not_found_error", "NotFoundError", 404, "invalid_request_error", "model_not_found"),
    ("status 409 type=conflict_error", "ConflictError", 409, "invalid_request_error", "conflict"),
    ("status 413 type=request_too_large", "APIStatusError", 413, "invalid_request_error", "request_too_large"),
    ("status 429 type=rate_limit_error", "RateLimitError", 429, "rate_limit_error", "rate_limit_exceeded"),
    ("status 500 type=api_error", "InternalServerError", 500, "server_error", None),
    ("status 504 type=timeout_error", "InternalServerError", 504, "server_error", "timeout"),
    ("status 529 type=overloaded_error", "InternalServerError", 503, "server_error", "overloaded"),
]

# What OpenAI answers reaches an OpenAI client as it is.
FROM_OPENAI = [
    ("status 400 type=invalid_request_error code=invalid_value", "BadRequestError", 400),
    ("status 401 type=invalid_request_error code=invalid_api_key", "AuthenticationError", 401),
    ("status 403 type=invalid_request_error", "PermissionDeniedError", 403),
    ("status 404 type=invalid_request_error code=model_not_found", "NotFoundError", 404),
    ("status 409 type=invalid_request_error", "ConflictError", 409),
    ("status 413 type=invalid_request_error", "APIStatusError", 413),
    ("status 422 type=invalid_request_error", "UnprocessableEntityError", 422),
    ("status 429 type=requests code=rate_limit_exceeded", "RateLimitError", 429),
    ("status 429 type=insufficient_quota code=insufficient_quota", "RateLimitError", 429),
    ("status 500 type=server_error", "InternalServerError", 500),
    ("status 503 type=server_error", "InternalServerError", 503),
]


def register() -> None:
    for sim, name, status, type_, code in FROM_ANTHROPIC:

        @case(f"openai errors: Anthropic's {sim}", simulator_only=True)
        def across(sim: str = sim, name: str = name, status: int = status, type_: str = type_, code: Any = code) -> None:
            error = raises(lambda: create(CLAUDE, sim), name, module=openai)
            same((error.status_code, error.type, error.code), (status, type_, code))
            assert error.request_id, error.response.headers

    for sim, name, status in FROM_OPENAI:

        @case(f"openai errors: OpenAI's {sim}", simulator_only=True)
        def through(sim: str = sim, name: str = name, status: int = status) -> None:
            error = raises(lambda: create(GPT, sim), name, module=openai)
            same(error.status_code, status)
            assert error.request_id, error.response.headers


register()


@case("openai errors: a wrong value names its field", CLAUDE)
def wrong_value(model: str) -> None:
    error = raises(lambda: create(model, "", n=2), "BadRequestError", module=openai)
    same(error.param, "n")


@case("openai errors: token bias and log probabilities are refused, not dropped", CLAUDE)
def refused_parameters(model: str) -> None:
    error = raises(lambda: create(model, "", logit_bias={"50256": -100}), "BadRequestError", module=openai)
    same((error.param, error.code), ("logit_bias", "unsupported_parameter"))
    error = raises(lambda: create(model, "", logprobs=True), "BadRequestError", module=openai)
    same((error.param, error.code), ("logprobs", "unsupported_parameter"))


@case("openai errors: missing messages")
def missing_messages() -> None:
    error = raises(
        lambda: client.post("/chat/completions", cast_to=object, body={"model": GPT}), "BadRequestError", module=openai
    )
    same((error.param, error.code, error.type), ("messages", "missing_required_parameter", "invalid_request_error"))


@case("openai errors: a body that is not JSON")
def not_json() -> None:
    error = raises(
        lambda: client.post(
            "/chat/completions", cast_to=object, content=b"{not json", options={"headers": {"content-type": "application/json"}}
        ),
        "BadRequestError",
        module=openai,
    )
    same(error.code, "invalid_json")


@case("openai errors: unknown route")
def unknown_route() -> None:
    error = raises(lambda: client.post("/no/such/route", cast_to=object, body={}), "NotFoundError", module=openai)
    same(error.code, "unknown_url")


@case("openai errors: an upstream that cannot be reached", *BOTH, simulator_only=True)
def unreachable(model: str) -> None:
    raises(lambda: create(model, "fault reset"), "InternalServerError", module=openai)


@case("openai errors: an error inside a stream raises", *BOTH, simulator_only=True)
def in_stream(model: str) -> None:
    def consume() -> None:
        for _ in create(model, "fault error-event", stream=True):
            pass

    raises(consume, "APIError", module=openai)


@case("openai errors: a stream cut short raises", *BOTH, simulator_only=True)
def cut_stream(model: str) -> None:
    def consume() -> None:
        for _ in create(model, "long 50; fault reset-middle after=20", stream=True):
            pass

    raises(consume, "APIError", module=openai)


@case("openai errors: the SDK's own retry of a rate limit succeeds", *BOTH, simulator_only=True)
def sdk_retry(model: str) -> None:
    answer = retrying.chat.completions.create(
        model=model,
        max_completion_tokens=64,
        messages=[user("Retry.", f'status 429 retry-after-ms=1 times=4 id=openai-retry-{model}; text "At last."')],
    )
    same(answer.choices[0].message.content, "At last.")


@case("openai errors: retries of gateway and SDK do not multiply", *BOTH, simulator_only=True)
def retries_do_not_multiply(model: str) -> None:
    marker = f"openai-multiply-{model}"
    raises(
        lambda: retrying.chat.completions.create(
            model=model, max_completion_tokens=64, messages=[user(marker, "status 500")]
        ),
        "InternalServerError",
        module=openai,
    )
    same(len(upstream_log(marker)), 3)
