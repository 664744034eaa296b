"""The conformance cases of the official Python SDKs: `python run.py`, results on standard output."""

import harness
import anthropic_cases  # noqa: F401: registers its cases
import anthropic_errors  # noqa: F401
import openai_cases  # noqa: F401
import openai_errors  # noqa: F401
import responses_cases  # noqa: F401

if __name__ == "__main__":
    harness.run_all()
