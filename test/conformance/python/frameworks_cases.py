"""LangChain and instructor as docs/agents.md sets them up, with the models of both providers."""

from typing import Any

import anthropic
import instructor
import openai
from langchain_anthropic import ChatAnthropic
from langchain_core.messages import HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel

import harness
from harness import CLAUDE, CLAUDE_EARLIER, GATEWAY, GPT, GPT_REASONING, KEY, SIMULATED, case, prompt


class Person(BaseModel):
    name: str
    age: int


@tool
def weather(city: str) -> str:
    """Current weather of a city."""
    return f"19 degrees in {city}"


def by_openai(model: str, **options: Any) -> ChatOpenAI:
    return ChatOpenAI(model=model, base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0, timeout=20, **options)


def by_anthropic(model: str) -> ChatAnthropic:
    return ChatAnthropic(model=model, base_url=GATEWAY, api_key=KEY, max_retries=0, timeout=20)


def tool_round(model: Any) -> None:
    """Calls the tool, goes on with its result, and streams the same."""
    bound = model.bind_tools([weather])
    history: "list[Any]" = [HumanMessage(prompt("Weather in Paris?", "tools weather"))]
    first = bound.invoke(history)
    assert not SIMULATED or first.tool_calls, first
    history.append(first)
    for call in first.tool_calls:
        history.append(ToolMessage(weather.invoke(call["args"]), tool_call_id=call["id"]))
    second = bound.invoke(history)
    assert not SIMULATED or "19 degrees" in str(second.text), second
    pieces = [str(piece.text) for piece in bound.stream(history)]
    assert not SIMULATED or "19 degrees" in "".join(pieces), pieces


@case("langchain: ChatOpenAI, a tool round", GPT, CLAUDE)
def openai_tools(model: str) -> None:
    tool_round(by_openai(model))


@case("langchain: ChatOpenAI on Responses, a tool round", GPT_REASONING, CLAUDE)
def responses_tools(model: str) -> None:
    tool_round(by_openai(model, use_responses_api=True, output_version="responses/v1"))


@case("langchain: ChatAnthropic, a tool round", CLAUDE, GPT_REASONING)
def anthropic_tools(model: str) -> None:
    tool_round(by_anthropic(model))


@case("langchain: ChatOpenAI, structured output", GPT, CLAUDE)
def openai_structured(model: str) -> None:
    answer = by_openai(model).with_structured_output(Person).invoke("Ada is 36.")
    assert isinstance(answer, Person), answer


@case("langchain: ChatAnthropic, structured output", CLAUDE, GPT_REASONING)
def anthropic_structured(model: str) -> None:
    answer = by_anthropic(model).with_structured_output(Person, method="json_schema").invoke("Ada is 36.")
    assert isinstance(answer, Person), answer


def ask(mode: Any, model: str) -> Person:
    client = instructor.from_openai(openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0), mode=mode)
    messages: Any = [{"role": "user", "content": "Ada is 36."}]
    return client.chat.completions.create(model=model, response_model=Person, messages=messages, max_retries=1)


@case("instructor: JSON schema", GPT, GPT_REASONING, CLAUDE)
def json_schema(model: str) -> None:
    assert isinstance(ask(instructor.Mode.JSON_SCHEMA, model), Person)


@case("instructor: forced tool", GPT, CLAUDE_EARLIER)
def forced_tool(model: str) -> None:
    assert isinstance(ask(instructor.Mode.TOOLS, model), Person)


@case("instructor: Responses", GPT_REASONING, CLAUDE_EARLIER)
def responses(model: str) -> None:
    client = instructor.from_openai(
        openai.OpenAI(base_url=f"{GATEWAY}/v1", api_key=KEY, max_retries=0), mode=instructor.Mode.RESPONSES_TOOLS
    )
    answer = client.responses.create(model=model, response_model=Person, input="Ada is 36.", max_retries=1)
    assert isinstance(answer, Person), answer


@case("instructor: Anthropic's client", CLAUDE_EARLIER, GPT_REASONING)
def by_anthropic_client(model: str) -> None:
    client = instructor.from_anthropic(anthropic.Anthropic(base_url=GATEWAY, api_key=KEY, max_retries=0))
    messages: Any = [{"role": "user", "content": "Ada is 36."}]
    answer = client.messages.create(
        model=model, max_tokens=500, response_model=Person, messages=messages, max_retries=1
    )
    assert isinstance(answer, Person), answer


if __name__ == "__main__":
    harness.run_all()
