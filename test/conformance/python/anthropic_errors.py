"""Every typed exception of the `anthropic` package, from errors of either provider and of the gateway itself."""

from typing import Any, Tuple

import anthropic

from anthropic_cases import client, texts, user
from harness import BOTH, CLAUDE, GATEWAY, GPT, KEY, case, raises, same, upstream_log

retrying = anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=2, timeout=20)


def create(model: str, sim: str, **more: Any) -> Any:
    return client.messages.create(model=model, max_tokens=64, messages=[user("Say hello.", sim)], **more)


Names = Tuple[str, ...]

# What OpenAI answers, and what an Anthropic client then sees: class (by age of the SDK), status, type.
FROM_OPENAI: "list[tuple[str, Names, int, str]]" = [
    ("status 400 type=invalid_request_error", ("BadRequestError",), 400, "invalid_request_error"),
    (
        "status 400 type=invalid_request_error code=context_length_exceeded",
        ("BadRequestError",),
        400,
        "invalid_request_error",
    ),
    ("status 401 type=invalid_request_error code=invalid_api_key", ("InternalServerError",), 502, "api_error"),
    ("status 403 type=invalid_request_error", ("PermissionDeniedError",), 403, "permission_error"),
    ("status 404 type=invalid_request_error code=model_not_found", ("NotFoundError",), 404, "not_found_error"),
    ("status 408 type=invalid_request_error", ("RequestTimeoutError", "APIStatusError"), 408, "timeout_error"),
    ("status 409 type=invalid_request_error", ("ConflictError",), 409, "conflict_error"),
    ("status 413 type=invalid_request_error", ("ContentTooLargeError", "RequestTooLargeError"), 413, "request_too_large"),
    ("status 422 type=invalid_request_error", ("UnprocessableEntityError",), 422, "invalid_request_error"),
    ("status 429 type=requests code=rate_limit_exceeded", ("RateLimitError",), 429, "rate_limit_error"),
    (
        "status 429 type=insufficient_quota code=insufficient_quota",
        ("PaymentRequiredError", "APIStatusError"),
        402,
        "billing_error",
    ),
    ("status 500 type=server_error", ("InternalServerError",), 500, "api_error"),
    ("status 502 type=server_error", ("InternalServerError",), 502, "api_error"),
    ("status 503 type=server_error", ("OverloadedError",), 529, "overloaded_error"),
    ("status 504 type=server_error", ("GatewayTimeoutError", "InternalServerError"), 504, "timeout_error"),
]

# What Anthropic answers reaches an Anthropic client as it is.
FROM_ANTHROPIC: "list[tuple[str, Names, int]]" = [
    ("status 400 type=invalid_request_error", ("BadRequestError",), 400),
    ("status 401 type=authentication_error", ("AuthenticationError",), 401),
    ("status 402 type=billing_error", ("PaymentRequiredError", "APIStatusError"), 402),
    ("status 403 type=permission_error", ("PermissionDeniedError",), 403),
    ("status 404 type=not_found_error", ("NotFoundError",), 404),
    ("status 409 type=conflict_error", ("ConflictError",), 409),
    ("status 413 type=request_too_large", ("ContentTooLargeError", "RequestTooLargeError"), 413),
    ("status 429 type=rate_limit_error", ("RateLimitError",), 429),
    ("status 500 type=api_error", ("InternalServerError",), 500),
    ("status 504 type=timeout_error", ("GatewayTimeoutError", "InternalServerError"), 504),
    ("status 529 type=overloaded_error", ("OverloadedError",), 529),
]


def error_type(error: Any) -> Any:
    return error.body["error"]["type"]


def register() -> None:
    for sim, names, status, type_ in FROM_OPENAI:

        @case(f"anthropic errors: OpenAI's {sim}", simulator_only=True)
        def across(sim: str = sim, names: Names = names, status: int = status, type_: str = type_) -> None:
            error = raises(lambda: create(GPT, sim), *names, module=anthropic)
            same((error.status_code, error_type(error)), (status, type_))
            assert error.request_id, error.response.headers
            if "context_length_exceeded" in sim:
                assert error.body["error"]["message"].startswith("prompt is too long"), error.body

    for sim, names, status in FROM_ANTHROPIC:

        @case(f"anthropic errors: Anthropic's {sim}", simulator_only=True)
        def through(sim: str = sim, names: Names = names, status: int = status) -> None:
            error = raises(lambda: create(CLAUDE, sim), *names, module=anthropic)
            same(error.status_code, status)
            assert error.request_id, error.response.headers


register()


@case("anthropic errors: missing max_tokens", *BOTH)
def missing_max_tokens(model: str) -> None:
    error = raises(
        lambda: client.post(
            "/v1/messages", cast_to=object, body={"model": model, "messages": [{"role": "user", "content": "Hi."}]}
        ),
        "BadRequestError",
        module=anthropic,
    )
    same(error_type(error), "invalid_request_error")
    assert "max_tokens" in error.body["error"]["message"], error.body


@case("anthropic errors: what cannot be translated is refused by name", GPT)
def refused(model: str) -> None:
    error = raises(
        lambda: create(model, "", extra_body={"inference_geo": "eu"}), "BadRequestError", module=anthropic
    )
    assert error.body["error"]["message"].startswith("inference_geo"), error.body


@case("anthropic errors: unknown route")
def unknown_route() -> None:
    error = raises(lambda: client.post("/v1/no/such", cast_to=object, body={}), "NotFoundError", module=anthropic)
    same(error_type(error), "not_found_error")


@case("anthropic errors: an upstream that cannot be reached", *BOTH, simulator_only=True)
def unreachable(model: str) -> None:
    raises(lambda: create(model, "fault reset"), "InternalServerError", module=anthropic)


@case("anthropic errors: an error inside a stream raises", *BOTH, simulator_only=True)
def in_stream(model: str) -> None:
    try:
        for _ in create(model, "fault error-event", stream=True):
            pass
    except anthropic.APIStatusError as error:
        assert error.body["type"] == "error", error.body
    else:
        raise AssertionError("the stream ended as if nothing had happened")


@case("anthropic errors: a stream cut short raises", *BOTH, simulator_only=True)
def cut_stream(model: str) -> None:
    try:
        for _ in create(model, "long 50; fault reset-middle after=20", stream=True):
            pass
    except anthropic.APIError:
        pass
    else:
        raise AssertionError("the stream ended as if nothing had happened")


@case("anthropic errors: the SDK's own retry of a rate limit succeeds", *BOTH, simulator_only=True)
def sdk_retry(model: str) -> None:
    answer = retrying.messages.create(
        model=model,
        max_tokens=64,
        messages=[user("Retry.", f'status 429 retry-after-ms=1 times=4 id=anthropic-retry-{model}; text "At last."')],
    )
    same(texts(answer), "At last.")


@case("anthropic errors: retries of gateway and SDK do not multiply", *BOTH, simulator_only=True)
def retries_do_not_multiply(model: str) -> None:
    marker = f"anthropic-multiply-{model}"
    raises(
        lambda: retrying.messages.create(
            model=model, max_tokens=64, messages=[user(marker, "status 500")]
        ),
        "InternalServerError",
        module=anthropic,
    )
    same(len(upstream_log(marker)), 3)
