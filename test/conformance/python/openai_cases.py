"""The official `openai` package as its documentation uses it, against both providers' models."""

import json
from typing import Any

import openai
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

client = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, timeout=20)

WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "Current weather of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CLOCK = {
    "type": "function",
    "function": {"name": "clock", "description": "Local time.", "parameters": {"type": "object", "properties": {}}},
}


class Person(BaseModel):
    name: str
    age: int
    tags: "list[str]"


class WeatherArguments(BaseModel):
    city: str


def user(text: str, sim: str = "") -> "dict[str, Any]":
    return {"role": "user", "content": prompt(text, sim)}


@case("openai: creates text", *ALL, GPT_MINI, GPT_REASONING)
def creates_text(model: str) -> None:
    answer = client.chat.completions.create(
        model=model, max_completion_tokens=2048, messages=[user("Say hello.", 'text "Hello, world."')]
    )
    same(answer.object, "chat.completion")
    same(len(answer.choices), 1)
    same(answer.choices[0].index, 0)
    same(answer.choices[0].finish_reason, "stop")
    same(answer.choices[0].message.role, "assistant")
    same(answer.choices[0].message.refusal, None)
    told(answer.choices[0].message.content, "Hello, world.")
    assert answer.id.startswith("chatcmpl-"), answer.id
    assert answer.created > 1_600_000_000
    assert answer.model.startswith(model.removesuffix("-20250929")), answer.model
    assert answer.usage is not None
    same(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens)


@case("openai: streams text chunk by chunk with usage", *ALL)
def streams_text(model: str) -> None:
    stream = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[user("Say hello.", 'text "Hello, wide world."; chunk 4')],
        stream=True,
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    same({chunk.object for chunk in chunks}, {"chat.completion.chunk"})
    same(len({chunk.id for chunk in chunks}), 1)
    same(chunks[0].choices[0].delta.role, "assistant")
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    told(text, "Hello, wide world.")
    same([chunk.choices[0].finish_reason for chunk in chunks if chunk.choices and chunk.choices[0].finish_reason], ["stop"])
    same([chunk.usage is not None for chunk in chunks], [False] * (len(chunks) - 1) + [True])
    same(chunks[-1].choices, [])
    usage = chunks[-1].usage
    assert usage is not None and usage.prompt_tokens > 0 and usage.completion_tokens > 0


@case("openai: streams without usage unless asked", *BOTH)
def streams_without_usage(model: str) -> None:
    chunks = list(client.chat.completions.create(model=model, messages=[user("Say hello.", 'text "Hi."')], stream=True))
    assert all(chunk.usage is None for chunk in chunks)
    assert all(len(chunk.choices) == 1 for chunk in chunks)


@case("openai: stream helper accumulates text", *ALL)
def stream_helper(model: str) -> None:
    kinds = []
    with client.chat.completions.stream(
        model=model, max_completion_tokens=512, messages=[user("Say hello.", 'text "Hello, helper."; chunk 3')]
    ) as stream:
        for event in stream:
            kinds.append(event.type)
        answer = stream.get_final_completion()
    assert "content.delta" in kinds and "content.done" in kinds, kinds
    told(answer.choices[0].message.content, "Hello, helper.")
    same(answer.choices[0].finish_reason, "stop")


@case("openai: stream helper accumulates parallel tool calls", *BOTH)
def stream_helper_tools(model: str) -> None:
    done = []
    with client.chat.completions.stream(
        model=model,
        max_completion_tokens=512,
        messages=[user("Weather in Paris and the time?", "parallel 2")],
        tools=[WEATHER, CLOCK],
    ) as stream:
        for event in stream:
            if event.type == "tool_calls.function.arguments.done":
                done.append((event.index, event.name, event.arguments))
        answer = stream.get_final_completion()
    same(answer.choices[0].finish_reason, "tool_calls")
    calls = answer.choices[0].message.tool_calls or []
    told(len(calls), 2)
    for call in calls:
        json.loads(call.function.arguments)
    told([index for index, _, _ in done], [0, 1])


@case("openai: parses structured output", *ALL)
def parses(model: str) -> None:
    answer = client.chat.completions.parse(
        model=model,
        max_completion_tokens=1024,
        messages=[user("Invent a person.")],
        response_format=Person,
    )
    parsed = answer.choices[0].message.parsed
    assert isinstance(parsed, Person), answer
    same(answer.choices[0].finish_reason, "stop")


@case("openai: stream helper parses structured output", *BOTH)
def stream_parses(model: str) -> None:
    with client.chat.completions.stream(
        model=model,
        max_completion_tokens=1024,
        messages=[user("Invent a person.")],
        response_format=Person,
    ) as stream:
        answer = stream.get_final_completion()
    assert isinstance(answer.choices[0].message.parsed, Person), answer


@case("openai: parse raises its typed error when the answer is cut", *BOTH, simulator_only=True)
def parse_cut(model: str) -> None:
    raises(
        lambda: client.chat.completions.parse(
            model=model,
            max_completion_tokens=1024,
            messages=[user("Invent a person.", "length")],
            response_format=Person,
        ),
        "LengthFinishReasonError",
        module=openai,
    )


@case("openai: parse raises its typed error on a filtered answer", *BOTH, simulator_only=True)
def parse_filtered(model: str) -> None:
    raises(
        lambda: client.chat.completions.parse(
            model=model,
            max_completion_tokens=1024,
            messages=[user("Invent a person.", "filter")],
            response_format=Person,
        ),
        "ContentFilterFinishReasonError",
        module=openai,
    )


@case("openai: strict pydantic tool survives and parses", *BOTH)
def strict_tool(model: str) -> None:
    answer = client.chat.completions.parse(
        model=model,
        max_completion_tokens=512,
        messages=[user("Weather in Paris?", "tools")],
        tools=[openai.pydantic_function_tool(WeatherArguments, name="weather")],
    )
    calls = answer.choices[0].message.tool_calls or []
    same(len(calls), 1)
    assert isinstance(calls[0].function.parsed_arguments, WeatherArguments), calls


@case("openai: tool loop with parallel calls ends in text", *ALL)
def tool_loop(model: str) -> None:
    messages: "list[Any]" = [user("Weather in Paris and the local time?", "parallel 2")]
    for _ in range(4):
        answer = client.chat.completions.create(
            model=model, max_completion_tokens=1024, messages=messages, tools=[WEATHER, CLOCK]
        )
        message = answer.choices[0].message
        messages.append(message.model_dump(exclude_none=True))
        if not message.tool_calls:
            break
        same(answer.choices[0].finish_reason, "tool_calls")
        told(len(message.tool_calls), 2)
        for call in message.tool_calls:
            same(call.type, "function")
            assert isinstance(json.loads(call.function.arguments), dict)
            messages.append({"role": "tool", "tool_call_id": call.id, "content": f"result of {call.function.name}: 18 C"})
    same(answer.choices[0].finish_reason, "stop")
    assert answer.choices[0].message.content
    if len(messages) < 4:
        raise AssertionError("the model called no tool")


@case("openai: forced tool is called", *ALL)
def forced_tool(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_completion_tokens=1024,
        messages=[user("Paris.", "tools weather")],
        tools=[WEATHER, CLOCK],
        tool_choice={"type": "function", "function": {"name": "weather"}},
    )
    same([call.function.name for call in answer.choices[0].message.tool_calls or []], ["weather"])


@case("openai: parallel tool calls can be switched off", *BOTH)
def parallel_off(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[user("Weather in Paris and the time?", "parallel 2")],
        tools=[WEATHER, CLOCK],
        parallel_tool_calls=False,
    )
    assert len(answer.choices[0].message.tool_calls or []) <= 1


@case("openai: tool without arguments gives an empty object", *BOTH, simulator_only=True)
def tool_without_arguments(model: str) -> None:
    with client.chat.completions.stream(
        model=model, max_completion_tokens=512, messages=[user("Time?", "tools clock arguments={}")], tools=[CLOCK]
    ) as stream:
        answer = stream.get_final_completion()
    same(json.loads((answer.choices[0].message.tool_calls or [])[0].function.arguments), {})


@case("openai: legacy functions are answered with function_call", *BOTH)
def legacy_functions(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_tokens=512,
        messages=[user("Weather in Paris?", "tools")],
        functions=[WEATHER["function"]],
    )
    same(answer.choices[0].finish_reason, "function_call")
    call = answer.choices[0].message.function_call
    assert call is not None
    same(call.name, "weather")
    json.loads(call.arguments)


@case("openai: image as a data URL", *BOTH)
def image(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": prompt("What is this?", 'text "A dot."')},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
                ],
            }
        ],
    )
    told(answer.choices[0].message.content, "A dot.")


@case("openai: PDF as file data", *BOTH)
def pdf(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": prompt("Summarise.", 'text "An empty page."')},
                    {"type": "file", "file": {"filename": "page.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}},
                ],
            }
        ],
    )
    told(answer.choices[0].message.content, "An empty page.")


@case("openai: system and developer messages", *ALL)
def system_prompts(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[
            {"role": "system", "content": "Be brief."},
            {"role": "developer", "content": "Answer in English."},
            user("Say hello.", 'text "Hello."'),
            {"role": "assistant", "content": "Hello."},
            {"role": "system", "content": "From now on be cheerful."},
            user("Again.", 'text "Hello!"'),
        ],
    )
    told(answer.choices[0].message.content, "Hello!")


@case("openai: stop sequence ends the answer", *ALL)
def stops(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[user("Count: one two three four.", 'text "one two three four"')],
        stop=["three"],
    )
    told((answer.choices[0].message.content or "").strip(), "one two")
    same(answer.choices[0].finish_reason, "stop")


@case("openai: output cap ends in length", *ALL)
def length(model: str) -> None:
    answer = client.chat.completions.create(
        model=model, max_completion_tokens=32, messages=[user("Write a long story.", "long 400")]
    )
    same(answer.choices[0].finish_reason, "length")


@case("openai: refusal reaches the client", *BOTH, simulator_only=True)
def refusal(model: str) -> None:
    answer = client.chat.completions.create(
        model=model, max_completion_tokens=512, messages=[user("Do harm.", 'refusal "I cannot help."')]
    )
    assert answer.choices[0].message.refusal, answer


@case("openai: text of many scripts survives byte-wise cuts", *BOTH, simulator_only=True)
def unicode_text(model: str) -> None:
    stream = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[user("Write.", 'text "Grüße, 世界 🌍👩‍🚀!"; bytes 1')],
        stream=True,
    )
    same("".join(chunk.choices[0].delta.content or "" for chunk in stream if chunk.choices), "Grüße, 世界 🌍👩‍🚀!")


@case("openai: usage counts cache reads and writes", *BOTH, simulator_only=True)
def usage(model: str) -> None:
    answer = client.chat.completions.create(
        model=model,
        max_completion_tokens=512,
        messages=[user("Say hello.", 'text "Hi."; usage input=30 cache-read=400 output=25')],
    )
    assert answer.usage is not None and answer.usage.prompt_tokens_details is not None
    same(answer.usage.prompt_tokens, 430)
    same(answer.usage.prompt_tokens_details.cached_tokens, 400)
    same(answer.usage.completion_tokens, 25)
    same(answer.usage.total_tokens, 455)


@case("openai: reasoning details travel over several turns", CLAUDE, CLAUDE_EARLIER)
def reasoning_turns(model: str) -> None:
    messages: "list[Any]" = [user("Weather in Paris?", 'tools weather; thinking "Let me look."')]
    first = client.chat.completions.create(
        model=model, max_completion_tokens=8192, reasoning_effort="low", messages=messages, tools=[WEATHER]
    )
    message = first.choices[0].message
    details = message.model_extra.get("reasoning_details") if message.model_extra else None
    told(bool(details), True)
    told(message.model_extra.get("reasoning_content") if message.model_extra else None, "Let me look.")
    messages.append(message.model_dump(exclude_none=True))
    for call in message.tool_calls or []:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": "18 C"})
    second = client.chat.completions.create(
        model=model, max_completion_tokens=8192, reasoning_effort="low", messages=messages, tools=[WEATHER]
    )
    same(second.choices[0].finish_reason, "stop")


@case("openai: streamed reasoning details are complete", CLAUDE, CLAUDE_EARLIER, simulator_only=True)
def reasoning_stream(model: str) -> None:
    with client.chat.completions.stream(
        model=model,
        max_completion_tokens=8192,
        reasoning_effort="low",
        messages=[user("Think.", 'thinking "Step by step."; text "Done."')],
    ) as stream:
        answer = stream.get_final_completion()
    extra = answer.choices[0].message.model_extra or {}
    same(extra.get("reasoning_content"), "Step by step.")
    details = extra.get("reasoning_details") or []
    same(len(details), 1)
    same(details[0]["text"], "Step by step.")
    assert details[0]["signature"]
    follow_up = client.chat.completions.create(
        model=model,
        max_completion_tokens=8192,
        reasoning_effort="low",
        messages=[
            user("Think.", 'thinking "Step by step."; text "Done."'),
            answer.choices[0].message.model_dump(exclude_none=True, exclude={"parsed"}),
            user("And now?", 'text "Still done."'),
        ],
    )
    same(follow_up.choices[0].message.content, "Still done.")


@case("openai: raw response shows headers and request id", *BOTH)
def raw_headers(model: str) -> None:
    raw = client.chat.completions.with_raw_response.create(
        model=model, max_completion_tokens=64, seed=7, messages=[user("Say hello.", 'text "Hi."')]
    )
    same(raw.status_code, 200)
    same(raw.headers["x-arouter-upstream-format"], "chat" if model == GPT else "messages")
    same(raw.headers.get("x-arouter-dropped"), None if model == GPT else "seed")
    same(raw.headers["x-request-id"], raw.headers["request-id"])
    same(raw.headers["x-arouter-attempts"], "1")
    answer = raw.parse()
    same(answer._request_id, raw.headers["x-request-id"])


@case("openai: strict translation refuses what it would drop", CLAUDE)
def strict_translation(model: str) -> None:
    error = raises(
        lambda: client.chat.completions.create(
            model=model, seed=7, messages=[user("Say hello.")], extra_headers={"x-arouter-strict": "1"}
        ),
        "BadRequestError",
        module=openai,
    )
    same(error.code, "unsupported_parameter")
    same(error.param, "seed")


@case("openai: lists models of both providers")
def lists_models() -> None:
    models = {model.id: model for model in client.models.list()}
    assert any(name.startswith("gpt-") for name in models), list(models)[:20]
    assert any(name.startswith("claude-") for name in models), list(models)[:20]
    same({model.object for model in models.values()}, {"model"})


@case("openai: retrieves a model", *BOTH)
def retrieves_model(model: str) -> None:
    same(client.models.retrieve(model).id, model)


@case("openai: unknown model to retrieve is not found")
def unknown_model() -> None:
    raises(lambda: client.models.retrieve("no-such-model"), "NotFoundError", module=openai)


@case("openai: embeddings pass through", simulator_only=True)
def embeddings() -> None:
    answer = client.embeddings.create(model="text-embedding-3-small", input="hello", encoding_format="float")
    same(answer.data[0].object, "embedding")
    assert len(answer.data[0].embedding) > 0


@case("openai: moderations pass through", simulator_only=True)
def moderations() -> None:
    assert len(client.moderations.create(model="omni-moderation-latest", input="hello").results) == 1


@case("openai: async client creates and streams", *BOTH)
async def async_client(model: str) -> None:
    asynchronous = openai.AsyncOpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, timeout=20)
    answer = await asynchronous.chat.completions.create(
        model=model, max_completion_tokens=512, messages=[user("Say hello.", 'text "Hello."')]
    )
    told(answer.choices[0].message.content, "Hello.")
    async with asynchronous.chat.completions.stream(
        model=model, max_completion_tokens=512, messages=[user("Say hello.", 'text "Hello again."')]
    ) as stream:
        final = await stream.get_final_completion()
    told(final.choices[0].message.content, "Hello again.")


@case("openai: closing a stream aborts upstream", *BOTH, simulator_only=True)
def cancels(model: str) -> None:
    marker = f"openai-cancel-{model}"
    stream = client.chat.completions.create(
        model=model, max_completion_tokens=4096, messages=[user(marker, "long 2000; delay 10")], stream=True
    )
    for seen, _ in enumerate(stream):
        if seen == 3:
            break
    stream.close()
    wait_for_abort(marker)


@case("openai: a client timeout aborts a buffered call upstream", *BOTH, simulator_only=True)
def times_out(model: str) -> None:
    marker = f"openai-timeout-{model}"
    raises(
        lambda: client.with_options(timeout=0.4).chat.completions.create(
            model=model, max_completion_tokens=64, messages=[user(marker, "slow 8000")]
        ),
        "APITimeoutError",
        module=openai,
    )
    wait_for_abort(marker)
