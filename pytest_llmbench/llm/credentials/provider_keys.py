"""Which environment variables hold what litellm's providers are asked with. Data; litellm itself takes seconds to load.

``tests/unit/llm/credentials/test_provider_keys.py`` compares it with the litellm that is installed.
"""

from __future__ import annotations

from collections.abc import Mapping

_PLAINLY_NAMED = """
    abliteration ai21 aiand aihubmix aiml aleph_alpha amazon_nova anthropic anyscale assemblyai baseten bedrock_mantle
    bigmodel bytez cerebras charity_engine chutes clarifai clf_ai_gateway codestral cognition cohere compactifai
    coralbricks cortecs crusoe darkbloom dashscope deepinfra deepseek docker_model_runner edenai empiriolabs empower
    fal_ai featherless_ai fireworks_ai friendliai galadriel gdc gemini gigachat gmi gradient_ai groq helicone
    hosted_vllm hostinger_router hyperbolic inception inferenceapis infinity kyma langflow langgraph lemonade libertai
    litellm_proxy llamafile llamagate lm_studio manus maritalk meta minimax modelscope moonshot morph nadir nebius
    neosantara nlp_cloud novita nscale nvidia_nim nvidia_riva ollama openai openai_like openinfer openrouter ovhcloud
    parasail pinstripes poe predibase prism publicai qwen_ai_platform qwencloud ragflow refuseless reka sail sambanova
    sarvam soniox streamlake synthetic tencent v0 vercel_ai_gateway volcengine voyage wally xai xiaomi_mimo xinference
    zai zerogpu
"""
"""Providers whose key is ``PROVIDER_API_KEY``."""

KEYS: Mapping[str, tuple[str, ...]] = {
    **{provider: (f"{provider.upper()}_API_KEY",) for provider in _PLAINLY_NAMED.split()},
    "ai21_chat": ("AI21_API_KEY",),
    "anthropic_text": ("ANTHROPIC_API_KEY",),
    "apertis": ("STIMA_API_KEY",),
    "aiohttp_openai": ("OPENAI_API_KEY",),
    "azure": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "azure_ai": ("AZURE_AI_API_KEY", "AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "azure_text": ("AZURE_OPENAI_API_KEY", "AZURE_API_KEY"),
    "cloudflare": ("CLOUDFLARE_API_KEY",),
    "cohere": ("COHERE_API_KEY", "CO_API_KEY"),
    "cohere_chat": ("COHERE_API_KEY", "CO_API_KEY"),
    "cometapi": ("COMETAPI_KEY",),
    "custom_openai": ("OPENAI_API_KEY",),
    "databricks": ("DATABRICKS_API_KEY",),
    "datarobot": ("DATAROBOT_API_TOKEN",),
    "featherless_ai": ("FEATHERLESS_AI_API_KEY", "FEATHERLESS_API_KEY"),
    "fireworks_ai": ("FIREWORKS_API_KEY", "FIREWORKS_AI_API_KEY", "FIREWORKSAI_API_KEY", "FIREWORKS_AI_TOKEN"),
    "friendliai": ("FRIENDLIAI_API_KEY", "FRIENDLI_TOKEN"),
    "gemini": ("GOOGLE_API_KEY", "GEMINI_API_KEY", "PALM_API_KEY"),
    "gigachat": ("GIGACHAT_API_KEY", "GIGACHAT_CREDENTIALS"),
    "github": ("GITHUB_API_KEY",),
    "heroku": ("HEROKU_API_KEY",),
    "huggingface": ("HF_TOKEN", "HUGGINGFACE_API_KEY"),
    "jina_ai": ("JINA_AI_API_KEY", "JINA_API_KEY", "JINA_AI_TOKEN"),
    "lambda_ai": ("LAMBDA_API_KEY",),
    "meta_llama": ("LLAMA_API_KEY",),
    "mistral": ("MISTRAL_AZURE_API_KEY", "MISTRAL_API_KEY"),
    "nano-gpt": ("NANOGPT_API_KEY",),
    "ollama_chat": ("OLLAMA_API_KEY",),
    "opencode_go": ("OPENCODE_GO_API_KEY", "OPENCODE_API_KEY"),
    "openrouter": ("OPENROUTER_API_KEY", "OR_API_KEY"),
    "palm": ("PALM_API_KEY",),
    "perplexity": ("PERPLEXITYAI_API_KEY", "PERPLEXITY_API_KEY"),
    "qwen_ai_platform": ("QWEN_AI_PLATFORM_API_KEY", "DASHSCOPE_API_KEY"),
    "qwencloud": ("QWENCLOUD_API_KEY", "DASHSCOPE_API_KEY"),
    "replicate": ("REPLICATE_API_KEY", "REPLICATE_API_TOKEN"),
    "scaleway": ("SCW_SECRET_KEY",),
    "scx-ai": ("SCX_API_KEY",),
    "snowflake": ("SNOWFLAKE_JWT",),
    "tensormesh": ("TENSORMESH_INFERENCE_API_KEY",),
    "text-completion-codestral": ("CODESTRAL_API_KEY",),
    "text-completion-inception": ("INCEPTION_API_KEY",),
    "text-completion-openai": ("OPENAI_API_KEY",),
    "together_ai": ("TOGETHER_API_KEY", "TOGETHER_AI_API_KEY", "TOGETHERAI_API_KEY", "TOGETHER_AI_TOKEN"),
    "veniceai": ("VENICE_AI_API_KEY",),
    "wandb": ("WANDB_API_KEY",),
    "watsonx": ("WATSONX_APIKEY", "WATSONX_API_KEY", "WX_API_KEY"),
    "watsonx_text": ("WATSONX_APIKEY", "WATSONX_API_KEY", "WX_API_KEY"),
}
"""Provider -> variables that may hold what litellm calls ``api_key``, in litellm's order."""

OF_WIDER_USE = frozenset((
    "CLOUDFLARE_API_KEY", "DATABRICKS_API_KEY", "GITHUB_API_KEY", "GOOGLE_API_KEY", "HEROKU_API_KEY", "HF_TOKEN",
    "SCW_SECRET_KEY", "SNOWFLAKE_JWT", "WANDB_API_KEY",
))  # fmt: skip
"""Of these variables, those that ordinary tests may need."""

_AWS = (
    "AWS_ACCESS_KEY_ID", "AWS_BEARER_TOKEN_BEDROCK", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN",
)  # fmt: skip
_AZURE = (
    "AZURE_AD_TOKEN", "AZURE_CERTIFICATE_PASSWORD", "AZURE_CLIENT_SECRET", "AZURE_OPENAI_AD_TOKEN", "AZURE_PASSWORD",
)  # fmt: skip
_GOOGLE = ("GOOGLE_APPLICATION_CREDENTIALS", "VERTEXAI_CREDENTIALS", "VERTEX_CREDENTIALS")

CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "anthropic": ("ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_IDENTITY_TOKEN"),
    **dict.fromkeys(("azure", "azure_ai", "azure_text"), _AZURE),
    **dict.fromkeys(("bedrock", "bedrock_converse", "bedrock_mantle"), _AWS),
    **dict.fromkeys(("sagemaker", "sagemaker_chat", "sagemaker_nova"), _AWS),
    "databricks": ("DATABRICKS_CLIENT_SECRET", "DATABRICKS_TOKEN"),
    **dict.fromkeys(("gemini", "vertex_ai", "vertex_ai_beta"), _GOOGLE),
    "gigachat": ("GIGACHAT_ACCESS_TOKEN", "GIGACHAT_PASSWORD"),
    "oci": ("OCI_KEY",),
    "sap": ("AICORE_CLIENT_SECRET", "AICORE_KEY_STR", "AICORE_SERVICE_KEY"),
    "vercel_ai_gateway": ("VERCEL_OIDC_TOKEN",),
    **dict.fromkeys(("watsonx", "watsonx_text"), ("WATSONX_TOKEN", "WATSONX_ZENAPIKEY")),
}
"""Provider -> variables that only the provider's own code in litellm reads, from ``os.environ``."""

FOR_MODELS_ONLY = frozenset(name for names in KEYS.values() for name in names) - OF_WIDER_USE | {
    "ANTHROPIC_AUTH_TOKEN", "AWS_BEARER_TOKEN_BEDROCK", "OPENAI_ADMIN_KEY",
}  # fmt: skip
"""Variables that nothing but asking models needs."""


def keys_of(provider: str) -> tuple[str, ...]:
    """Variables that may hold a provider's key; one that is newer than this table is taken to be named plainly."""
    return KEYS.get(provider) or (f"{provider.upper().replace('-', '_')}_API_KEY",)
