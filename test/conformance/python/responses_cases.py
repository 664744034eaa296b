"""The official `openai` package's Responses API, against both providers' models."""

import json
from typing import Any

import openai
from pydantic import BaseModel

from harness import (
    CLAUDE,
    CLAUDE_EARLIER,
    GATEWAY,
    GPT,
    GPT_REASONING,
    KEY,
    PDF,
    PNG,
    SIMULATED,
    case,
    prompt,
    raises,
    same,
    told,
    wait_for_abort,
)

client = openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, timeout=20)

MODELS = (GPT, GPT_REASONING, CLAUDE, CLAUDE_EARLIER)
THINKING = (GPT_REASONING, CLAUDE)

WEATHER: "dict[str, Any]" = {
    "type": "function",
    "name": "weather",
    "description": "Current weather of a city.",
    "parameters": {
        "type": "object",
        "properties": {"city": {"type": "string"}},
        "required": ["city"],
        "additionalProperties": False,
    },
    "strict": True,
}
NOTE: "dict[str, Any]" = {"type": "custom", "name": "note", "description": "Keeps a note."}


class Person(BaseModel):
    name: str
    age: int


def user(text: str, sim: str = "", *parts: "dict[str, Any]") -> "dict[str, Any]":
    return {"role": "user", "content": [*parts, {"type": "input_text", "text": prompt(text, sim)}]}


def calls(response: Any) -> "list[Any]":
    return [item for item in response.output if item.type == "function_call"]


@case("responses: creates text", *MODELS)
def creates_text(model: str) -> None:
    response = client.responses.create(
        model=model, instructions="Be brief.", input=prompt("Say hello.", 'text "Hello, world."'), max_output_tokens=2048
    )
    same(response.object, "response")
    same(response.status, "completed")
    same(response.error, None)
    told(response.output_text, "Hello, world.")
    same(response.instructions, "Be brief.")
    assert response.id.startswith("resp_"), response.id
    assert response.created_at > 1_600_000_000
    assert response.model.startswith(model.removesuffix("-20250929")), response.model
    assert response.usage is not None
    same(response.usage.total_tokens, response.usage.input_tokens + response.usage.output_tokens)
    assert response.usage.input_tokens_details.cached_tokens >= 0
    message = next(item for item in response.output if item.type == "message")
    same((message.role, message.status), ("assistant", "completed"))
    assert response._request_id


@case("responses: streams events in order", *MODELS)
def streams_events(model: str) -> None:
    stream = client.responses.create(
        model=model, input=[user("Say hello.", 'text "Hello, wide world."; chunk 4')], stream=True
    )
    events = list(stream)
    same([event.sequence_number for event in events], list(range(len(events))))
    same([event.type for event in events[:2]], ["response.created", "response.in_progress"])
    same(events[-1].type, "response.completed")
    text = "".join(event.delta for event in events if event.type == "response.output_text.delta")
    told(text, "Hello, wide world.")
    same(events[-1].response.output_text, text)
    assert events[-1].response.usage.output_tokens > 0


@case("responses: stream helper accumulates what the terminal event says", *MODELS)
def stream_helper(model: str) -> None:
    kinds: "list[str]" = []
    with client.responses.stream(
        model=model, input=prompt("Weather in Paris and Oslo?", "parallel 2"), tools=[WEATHER]
    ) as stream:
        for event in stream:
            kinds.append(event.type)
        final = stream.get_final_response()
    same(kinds[-1], "response.completed")
    assert "response.function_call_arguments.done" in kinds
    if SIMULATED:
        same(len(calls(final)), 2)
    for call in calls(final):
        assert "city" in json.loads(call.arguments)
        assert call.call_id


@case("responses: parse reads a pydantic model", *MODELS)
def parses(model: str) -> None:
    response = client.responses.parse(model=model, input=prompt("Ada is 36.", ""), text_format=Person)
    assert isinstance(response.output_parsed, Person), response.output_text


@case("responses: streamed parse reads a pydantic model", *MODELS)
def streams_parsed(model: str) -> None:
    with client.responses.stream(model=model, input=prompt("Ada is 36.", ""), text_format=Person) as stream:
        response = stream.get_final_response()
    assert isinstance(response.output_parsed, Person), response.output_text


@case("responses: a tool round keeps reasoning and ends", *THINKING)
def tool_round(model: str) -> None:
    history: "list[Any]" = [user("Weather in Paris?", "tools weather")]
    options: "dict[str, Any]" = {
        "model": model,
        "tools": [WEATHER],
        "reasoning": {"effort": "low", "summary": "auto"},
        "store": False,
        "include": ["reasoning.encrypted_content"],
    }
    first = client.responses.create(input=history, **options)
    reasoning = [item for item in first.output if item.type == "reasoning"]
    if SIMULATED:
        same(len(reasoning), 1)
        assert reasoning[0].encrypted_content
        assert reasoning[0].summary[0].text
    history += first.output
    for call in calls(first):
        history.append({"type": "function_call_output", "call_id": call.call_id, "output": "19 degrees"})
    second = client.responses.create(input=history, **options)
    same(second.status, "completed")
    if SIMULATED:
        assert "19 degrees" in second.output_text, second.output_text


@case("responses: custom tools take and give free text", GPT_REASONING, CLAUDE)
def custom_tool(model: str) -> None:
    history: "list[Any]" = [user("Note that.", 'tools note arguments="remember this"')]
    if model == CLAUDE:
        history = [user("Note that.", 'tools note arguments={"input":"remember this"}')]
    first = client.responses.create(model=model, input=history, tools=[NOTE])
    call = next(item for item in first.output if item.type == "custom_tool_call")
    same(call.name, "note")
    told(call.input, "remember this")
    history += [*first.output, {"type": "custom_tool_call_output", "call_id": call.call_id, "output": "noted"}]
    second = client.responses.create(model=model, input=history, tools=[NOTE])
    same(second.status, "completed")


@case("responses: forced and forbidden calls", GPT, CLAUDE_EARLIER)
def tool_choice(model: str) -> None:
    forced = client.responses.create(
        model=model,
        input=prompt("Hello.", ""),
        tools=[WEATHER],
        tool_choice={"type": "function", "name": "weather"},
        parallel_tool_calls=False,
    )
    same([call.name for call in calls(forced)], ["weather"])
    none = client.responses.create(model=model, input=prompt("Hello.", 'text "No."'), tools=[WEATHER], tool_choice="none")
    same(calls(none), [])


@case("responses: images and files, in messages and in tool results", GPT, CLAUDE)
def media(model: str) -> None:
    image = {"type": "input_image", "image_url": f"data:image/png;base64,{PNG}", "detail": "auto"}
    file = {"type": "input_file", "filename": "a.pdf", "file_data": f"data:application/pdf;base64,{PDF}"}
    response = client.responses.create(
        model=model,
        input=[
            user("Look.", "", image, file),
            {"type": "function_call", "call_id": "call_1", "name": "weather", "arguments": '{"city":"Oslo"}'},
            {"type": "function_call_output", "call_id": "call_1", "output": [image]},
        ],
        tools=[WEATHER],
    )
    same(response.status, "completed")


@case("responses: a cut answer is incomplete", *MODELS, simulator_only=True)
def incomplete(model: str) -> None:
    response = client.responses.create(model=model, input=prompt("Say much.", "length"), max_output_tokens=2048)
    same(response.status, "incomplete")
    assert response.incomplete_details is not None
    same(response.incomplete_details.reason, "max_output_tokens")


@case("responses: a refusal is a refusal part", GPT, CLAUDE, simulator_only=True)
def refusal(model: str) -> None:
    response = client.responses.create(model=model, input=prompt("Something bad.", 'refusal "Not that."'))
    parts = [part for item in response.output if item.type == "message" for part in item.content]
    same([part.refusal for part in parts if part.type == "refusal"], ["Not that."])


@case("responses: errors have their class, code and request id", GPT, CLAUDE, simulator_only=True)
def errors(model: str) -> None:
    missing = raises(
        lambda: client.responses.create(model=model, input=prompt("Hi.", "status 404")), "NotFoundError", module=openai
    )
    assert missing.request_id
    busy = raises(
        lambda: client.responses.create(model=model, input=prompt("Hi.", "error rate-limit")), "RateLimitError", module=openai
    )
    assert busy.message
    nobody: "Any" = [{"role": "nobody", "content": "x"}]
    bad = raises(lambda: client.responses.create(model=model, input=nobody), "BadRequestError", module=openai)
    assert bad.param is not None and bad.param.startswith("input[0]"), bad.param


@case("responses: state at OpenAI is refused for Claude, with the field", CLAUDE)
def state(model: str) -> None:
    for field in ({"previous_response_id": "resp_1"}, {"background": True}, {"conversation": "conv_1"}):
        request: "dict[str, Any]" = {"model": model, "input": "Hi.", **field}
        error = raises(lambda: client.responses.create(**request), "BadRequestError", module=openai)
        same(error.param, next(iter(field)))
        same(error.code, "unsupported_parameter")


@case("responses: an error inside a stream raises", GPT, CLAUDE, simulator_only=True)
def error_in_stream(model: str) -> None:
    def run() -> None:
        for _ in client.responses.create(
            model=model, input=prompt("Hi.", "long 3000; fault error-event"), stream=True
        ):
            pass

    raises(run, "APIError", module=openai)


@case("responses: leaving a stream leaves upstream", GPT, CLAUDE, simulator_only=True)
def leaves(model: str) -> None:
    marker = f"responses-leave-{model}"
    stream = client.responses.create(model=model, input=prompt(marker, "long 400; delay 20"), stream=True)
    for event in stream:
        if event.type == "response.output_text.delta":
            break
    stream.close()
    wait_for_abort(marker)


@case("responses: a raw answer has the headers of the gateway", CLAUDE)
def raw(model: str) -> None:
    answer = client.responses.with_raw_response.create(
        model=model, input=prompt("Hi.", 'text "Hi."'), truncation="auto"
    )
    same(answer.headers["x-arouter-upstream-format"], "messages")
    same(answer.headers["x-arouter-dropped"], "truncation")
    told(answer.parse().output_text, "Hi.")
