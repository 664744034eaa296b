"""The official `anthropic` package as its documentation uses it, against both providers' models."""

import json
from typing import Any

import anthropic
from pydantic import BaseModel

from harness import (
    ALL,
    BOTH,
    CLAUDE,
    CLAUDE_EARLIER,
    GATEWAY,
    GPT,
    GPT_MINI,
    GPT_REASONING,
    KEY,
    PDF,
    PNG,
    case,
    prompt,
    raises,
    same,
    told,
    wait_for_abort,
)

client = anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=20)

WEATHER: "dict[str, Any]" = {
    "name": "weather",
    "description": "Current weather of a city.",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
CLOCK: "dict[str, Any]" = {
    "name": "clock",
    "description": "Local time.",
    "input_schema": {"type": "object", "properties": {}},
}


class Person(BaseModel):
    name: str
    age: int
    tags: "list[str]"


def user(text: str, sim: str = "") -> "dict[str, Any]":
    return {"role": "user", "content": prompt(text, sim)}


def texts(message: Any) -> str:
    return "".join(block.text for block in message.content if block.type == "text")


def calls(message: Any) -> "list[Any]":
    return [block for block in message.content if block.type == "tool_use"]


@case("anthropic: creates text", *ALL, GPT_MINI, GPT_REASONING)
def creates_text(model: str) -> None:
    answer = client.messages.create(model=model, max_tokens=2048, messages=[user("Say hello.", 'text "Hello, world."')])
    same((answer.type, answer.role), ("message", "assistant"))
    same((answer.stop_reason, answer.stop_sequence), ("end_turn", None))
    told(texts(answer), "Hello, world.")
    assert answer.id.startswith("msg_"), answer.id
    assert answer.model.startswith(model.removesuffix("-20250929")), answer.model
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0
    assert answer._request_id


@case("anthropic: streams text event by event", *ALL, GPT_REASONING)
def streams_text(model: str) -> None:
    stream = client.messages.create(
        model=model, max_tokens=2048, messages=[user("Say hello.", 'text "Hello, wide world."; chunk 4')], stream=True
    )
    events = list(stream)
    kinds = [event.type for event in events]
    same((kinds[0], kinds[-2], kinds[-1]), ("message_start", "message_delta", "message_stop"))
    starts = [event.index for event in events if event.type == "content_block_start"]
    stops = [event.index for event in events if event.type == "content_block_stop"]
    same(starts, list(range(len(starts))))
    same(stops, starts)
    text = "".join(
        event.delta.text for event in events if event.type == "content_block_delta" and event.delta.type == "text_delta"
    )
    told(text, "Hello, wide world.")
    same(events[-2].delta.stop_reason, "end_turn")
    assert events[-2].usage.output_tokens > 0


@case("anthropic: stream helper accumulates text", *ALL, GPT_REASONING)
def stream_helper(model: str) -> None:
    with client.messages.stream(
        model=model, max_tokens=512, messages=[user("Say hello.", 'text "Hello, helper."; chunk 3')]
    ) as stream:
        text = "".join(stream.text_stream)
        answer = stream.get_final_message()
    told(text, "Hello, helper.")
    same(texts(answer), text)
    same(answer.stop_reason, "end_turn")
    assert answer.usage.input_tokens > 0 and answer.usage.output_tokens > 0


@case("anthropic: stream helper accumulates parallel tool calls", *BOTH, GPT_REASONING)
def stream_helper_tools(model: str) -> None:
    with client.messages.stream(
        model=model,
        max_tokens=512,
        messages=[user("Weather in Paris and the time?", "parallel 2")],
        tools=[WEATHER, CLOCK],
    ) as stream:
        answer = stream.get_final_message()
    same(answer.stop_reason, "tool_use")
    told(len(calls(answer)), 2)
    told(len({call.id for call in calls(answer)}), 2)
    for call in calls(answer):
        assert isinstance(call.input, dict), call


@case("anthropic: structured output through output_config", *ALL, GPT_REASONING)
def structured(model: str) -> None:
    schema = {
        "type": "object",
        "properties": {"name": {"type": "string"}, "age": {"type": "integer"}},
        "required": ["name", "age"],
        "additionalProperties": False,
    }
    answer = client.messages.create(
        model=model,
        max_tokens=1024,
        messages=[user("Invent a person.")],
        output_config={"format": {"type": "json_schema", "schema": schema}},
    )
    same(set(json.loads(texts(answer))), {"name", "age"})


@case("anthropic: parse gives the pydantic model", *BOTH, GPT_REASONING)
def parses(model: str) -> None:
    answer = client.messages.parse(
        model=model, max_tokens=1024, messages=[user("Invent a person.")], output_format=Person
    )
    assert isinstance(answer.parsed_output, Person), answer


@case("anthropic: beta parse gives the pydantic model", *BOTH, GPT_REASONING)
def beta_parses(model: str) -> None:
    answer = client.beta.messages.parse(
        model=model, max_tokens=1024, messages=[user("Invent a person.")], output_format=Person
    )
    assert isinstance(answer.parsed_output, Person), answer


@case("anthropic: beta create and stream", *BOTH, GPT_REASONING)
def beta(model: str) -> None:
    answer = client.beta.messages.create(
        model=model, max_tokens=512, messages=[user("Say hello.", 'text "Hello."')], betas=["fine-grained-tool-streaming-2025-05-14"]
    )
    told(texts(answer), "Hello.")
    with client.beta.messages.stream(
        model=model, max_tokens=512, messages=[user("Say hello.", 'text "Hello."')]
    ) as stream:
        told(texts(stream.get_final_message()), "Hello.")


@case("anthropic: tool loop with parallel calls ends in text", *ALL, GPT_REASONING)
def tool_loop(model: str) -> None:
    messages: "list[Any]" = [user("Weather in Paris and the local time?", "parallel 2")]
    called = 0
    for _ in range(4):
        answer = client.messages.create(model=model, max_tokens=1024, messages=messages, tools=[WEATHER, CLOCK])
        messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in answer.content]})
        if answer.stop_reason != "tool_use":
            break
        told(len(calls(answer)), 2)
        called += len(calls(answer))
        messages.append(
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": call.id, "content": f"result of {call.name}: 18 C"}
                    for call in calls(answer)
                ],
            }
        )
    same(answer.stop_reason, "end_turn")
    assert texts(answer)
    assert called > 0, "the model called no tool"


@case("anthropic: tool_runner drives the loop itself", *BOTH, GPT_REASONING)
def tool_runner(model: str) -> None:
    asked: "list[str]" = []

    @anthropic.beta_tool
    def weather(city: str) -> str:
        """Current weather of a city.

        Args:
            city: Name of the city.
        """
        asked.append(city)
        return "18 C"

    runner = client.beta.messages.tool_runner(
        model=model, max_tokens=1024, messages=[user("Weather in Paris?", "tools")], tools=[weather]
    )
    final = runner.until_done()
    assert asked, "the tool was not called"
    same(final.stop_reason, "end_turn")
    assert texts(final)


@case("anthropic: forced tool is called", GPT, CLAUDE_EARLIER, GPT_REASONING)
def forced_tool(model: str) -> None:
    answer = client.messages.create(
        model=model,
        max_tokens=512,
        messages=[user("Paris.", "tools weather")],
        tools=[WEATHER, CLOCK],
        tool_choice={"type": "tool", "name": "weather"},
    )
    same([call.name for call in calls(answer)], ["weather"])
    same(answer.stop_reason, "tool_use")


@case("anthropic: parallel tool use can be switched off", *BOTH, GPT_REASONING)
def parallel_off(model: str) -> None:
    answer = client.messages.create(
        model=model,
        max_tokens=512,
        messages=[user("Weather in Paris and the time?", "parallel 2")],
        tools=[WEATHER, CLOCK],
        tool_choice={"type": "auto", "disable_parallel_tool_use": True},
    )
    assert len(calls(answer)) <= 1


@case("anthropic: tool error and image in a tool result", *BOTH, GPT_REASONING)
def tool_result_forms(model: str) -> None:
    answer = client.messages.create(
        model=model,
        max_tokens=512,
        messages=[
            {"role": "user", "content": "Look at both."},
            {
                "role": "assistant",
                "content": [
                    {"type": "text", "text": "Looking."},
                    {"type": "tool_use", "id": "toolu_01A", "name": "weather", "input": {"city": "Paris"}},
                    {"type": "tool_use", "id": "toolu_01B", "name": "clock", "input": {}},
                ],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_01A", "is_error": True, "content": "no such city"},
                    {
                        "type": "tool_result",
                        "tool_use_id": "toolu_01B",
                        "content": [
                            {"type": "text", "text": "a picture"},
                            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                        ],
                    },
                    {"type": "text", "text": prompt("And?", 'text "Seen."')},
                ],
            },
        ],
        tools=[WEATHER, CLOCK],
    )
    assert answer.stop_reason in ("end_turn", "tool_use"), answer


@case("anthropic: image and PDF", *BOTH, GPT_REASONING)
def media(model: str) -> None:
    answer = client.messages.create(
        model=model,
        max_tokens=512,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PNG}},
                    {
                        "type": "document",
                        "title": "page.pdf",
                        "source": {"type": "base64", "media_type": "application/pdf", "data": PDF},
                    },
                    {"type": "text", "text": prompt("What are these?", 'text "A dot and a page."')},
                ],
            }
        ],
    )
    told(texts(answer), "A dot and a page.")


@case("anthropic: thinking with signatures over several turns", CLAUDE, CLAUDE_EARLIER, GPT_REASONING)
def thinking(model: str) -> None:
    how: "dict[str, Any]" = (
        {"type": "adaptive", "display": "summarized"} if model == CLAUDE else {"type": "enabled", "budget_tokens": 1024}
    )
    messages: "list[Any]" = [user("Weather in Paris?", 'tools weather; thinking "Let me look."')]
    with client.messages.stream(
        model=model, max_tokens=4096, thinking=how, messages=messages, tools=[WEATHER]
    ) as stream:
        first = stream.get_final_message()
    blocks = [block for block in first.content if block.type == "thinking"]
    told([block.thinking for block in blocks], ["Let me look."])
    assert all(block.signature for block in blocks)
    messages.append({"role": "assistant", "content": [block.model_dump(exclude_none=True) for block in first.content]})
    messages.append(
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": call.id, "content": "18 C"} for call in calls(first)],
        }
    )
    second = client.messages.create(model=model, max_tokens=4096, thinking=how, messages=messages, tools=[WEATHER])
    same(second.stop_reason, "end_turn")


@case("anthropic: thinking asked of an OpenAI model is no error", GPT, GPT_REASONING)
def thinking_elsewhere(model: str) -> None:
    answer = client.messages.create(
        model=model,
        max_tokens=4096,
        thinking={"type": "enabled", "budget_tokens": 2048},
        messages=[user("Say hello.", 'text "Hello."')],
    )
    told(texts(answer), "Hello.")


@case("anthropic: system prompt as text and as blocks with cache markers", *ALL, GPT_REASONING)
def system_prompts(model: str) -> None:
    for system in ("Be brief.", [{"type": "text", "text": "Be brief.", "cache_control": {"type": "ephemeral"}}]):
        answer = client.messages.create(
            model=model, max_tokens=512, system=system, messages=[user("Say hello.", 'text "Hello."')]
        )
        told(texts(answer), "Hello.")


@case("anthropic: stop sequence is named", *ALL, GPT_REASONING)
def stops(model: str) -> None:
    answer = client.messages.create(
        model=model,
        max_tokens=512,
        messages=[user("Count: one two three four.", 'text "one two three four"')],
        stop_sequences=["three"],
    )
    told(texts(answer).strip(), "one two")
    if model != GPT:
        same((answer.stop_reason, answer.stop_sequence), ("stop_sequence", "three"))


@case("anthropic: more stop sequences than OpenAI takes are matched and named", GPT, GPT_REASONING)
def many_stops(model: str) -> None:
    with client.messages.stream(
        model=model,
        max_tokens=512,
        messages=[user("Count: one two three four.", 'text "one two three four"; chunk 2')],
        stop_sequences=["a5", "b5", "c5", "d5", "three"],
    ) as stream:
        answer = stream.get_final_message()
    told(texts(answer).strip(), "one two")
    told((answer.stop_reason, answer.stop_sequence), ("stop_sequence", "three"))


@case("anthropic: output cap ends in max_tokens", *ALL, GPT_REASONING)
def length(model: str) -> None:
    answer = client.messages.create(
        model=model, max_tokens=32, messages=[user("Write a long story.", "long 400")]
    )
    same(answer.stop_reason, "max_tokens")


@case("anthropic: refusal reaches the client", *BOTH, GPT_REASONING, simulator_only=True)
def refusal(model: str) -> None:
    answer = client.messages.create(model=model, max_tokens=512, messages=[user("Do harm.", "refusal")])
    same(answer.stop_reason, "refusal")


@case("anthropic: text of many scripts survives byte-wise cuts", *BOTH, GPT_REASONING, simulator_only=True)
def unicode_text(model: str) -> None:
    with client.messages.stream(
        model=model, max_tokens=512, messages=[user("Write.", 'text "Grüße, 世界 🌍👩‍🚀!"; bytes 1')]
    ) as stream:
        same("".join(stream.text_stream), "Grüße, 世界 🌍👩‍🚀!")


@case("anthropic: sampling parameters", GPT, CLAUDE_EARLIER)
def sampling(model: str) -> None:
    # SDK majors that speak a newer API version no longer take sampling parameters as arguments.
    answer = client.messages.create(
        model=model,
        max_tokens=512,
        messages=[user("Say hello.", 'text "Hello."')],
        extra_body={"temperature": 0.3},
        extra_headers={"anthropic-version": "2023-06-01"},
    )
    told(texts(answer), "Hello.")


@case("anthropic: count_tokens", *BOTH)
def count_tokens(model: str) -> None:
    small = client.messages.count_tokens(model=model, messages=[user("Say hello.")])
    large = client.messages.count_tokens(model=model, messages=[user("Say hello. " * 100)], tools=[WEATHER])
    assert 0 < small.input_tokens < large.input_tokens, (small, large)
    assert client.beta.messages.count_tokens(model=model, messages=[user("Say hello.")]).input_tokens > 0


@case("anthropic: usage leaves cached tokens out of input_tokens", *BOTH, GPT_REASONING, simulator_only=True)
def usage(model: str) -> None:
    answer = client.messages.create(
        model=model,
        max_tokens=512,
        messages=[user("Say hello.", 'text "Hi."; usage input=30 cache-read=400 output=25')],
    )
    same(answer.usage.input_tokens, 30)
    same(answer.usage.cache_read_input_tokens, 400)
    same(answer.usage.cache_creation_input_tokens, 0)
    same(answer.usage.output_tokens, 25)


@case("anthropic: raw response shows headers and request id", *BOTH, GPT_REASONING)
def raw_headers(model: str) -> None:
    raw = client.messages.with_raw_response.create(
        model=model, max_tokens=64, messages=[user("Say hello.", 'text "Hi."')], extra_body={"top_k": 5} if model == GPT else {}
    )
    same(raw.headers["x-arouter-upstream-format"], {GPT: "chat", GPT_REASONING: "responses"}.get(model, "messages"))
    same(raw.headers.get("x-arouter-dropped"), "top_k" if model == GPT else None)
    same(raw.headers["x-request-id"], raw.headers["request-id"])
    same(raw.parse()._request_id, raw.headers["request-id"])


@case("anthropic: lists and retrieves models")
def lists_models() -> None:
    models = {model.id: model for model in client.models.list(limit=1000)}
    same({model.type for model in models.values()}, {"model"})
    assert any(name.startswith("gpt-") for name in models), list(models)[:20]
    assert any(name.startswith("claude-") for name in models), list(models)[:20]
    for name in BOTH:
        same(client.models.retrieve(name).id, name)
    raises(lambda: client.models.retrieve("no-such-model"), "NotFoundError", module=anthropic)


@case("anthropic: pages through models")
def pages_models() -> None:
    first = client.models.list(limit=2)
    same(len(first.data), 2)
    same(first.has_more, True)
    second = client.models.list(limit=2, after_id=first.last_id)
    assert {model.id for model in first.data}.isdisjoint({model.id for model in second.data})


@case("anthropic: key as x-api-key and as bearer token", *BOTH)
def auth_forms(model: str) -> None:
    bearer = anthropic.Anthropic(base_url=GATEWAY, auth_token=KEY, max_retries=0)
    answer = bearer.messages.create(model=model, max_tokens=64, messages=[user("Say hello.", 'text "Hi."')])
    told(texts(answer), "Hi.")


@case("anthropic: async client creates and streams", *BOTH, GPT_REASONING)
async def async_client(model: str) -> None:
    asynchronous = anthropic.AsyncAnthropic(base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=20)
    answer = await asynchronous.messages.create(
        model=model, max_tokens=512, messages=[user("Say hello.", 'text "Hello."')]
    )
    told(texts(answer), "Hello.")
    async with asynchronous.messages.stream(
        model=model, max_tokens=512, messages=[user("Say hello.", 'text "Hello again."')]
    ) as stream:
        told(texts(await stream.get_final_message()), "Hello again.")


@case("anthropic: closing a stream aborts upstream", *BOTH, GPT_REASONING, simulator_only=True)
def cancels(model: str) -> None:
    marker = f"anthropic-cancel-{model}"
    with client.messages.stream(
        model=model, max_tokens=4096, messages=[user(marker, "long 2000; delay 10")]
    ) as stream:
        for seen, _ in enumerate(stream):
            if seen == 5:
                break
    wait_for_abort(marker)


@case("anthropic: a client timeout aborts a buffered call upstream", *BOTH, simulator_only=True)
def times_out(model: str) -> None:
    marker = f"anthropic-timeout-{model}"
    raises(
        lambda: client.with_options(timeout=0.4).messages.create(
            model=model, max_tokens=64, messages=[user(marker, "slow 8000")]
        ),
        "APITimeoutError",
        module=anthropic,
    )
    wait_for_abort(marker)
