"""The file of models: what it may say, and how it complains."""

import pytest

from pytest_llmbench.errors import OptionError
from pytest_llmbench.llm.discovery.models_file import ModelsFile
from pytest_llmbench.llm.prices import Price

GOOD = """
[models."gpt-oss-20b"]
base_url = "http://10.0.0.5:8080/v1"
name = "gpt-oss-20b-mxfp4"
params = { temperature = 0.2 }
reasoning_effort = "high"
api_key_env = "RACK_KEY"
slots = 4
context = 32768
price = { input_usd_per_mtok = 0.5, output_usd_per_mtok = 2 }
size_gb = 12.1
quant = "mxfp4"
thinking = true
labels = ["rack"]

[models.fast]
litellm = "groq/fast"
"""
PRESET = """version = 1

[*]
temp = 0.6
api-key = sk-secret

[tiny-answer]
model = /models/tiny.gguf
alias = tiny, small
c = 1024
[other]
model = /models/other.gguf
temp = 0.1
"""


def read(tmp_path, text, name="llmbench.toml"):
    path = tmp_path / name
    path.write_text(text)
    return ModelsFile.read(path)


def test_everything_is_read(tmp_path):
    file = read(tmp_path, GOOD)
    assert [str(model) for model in file.listed] == ["gpt-oss-20b", "fast"]
    entry = file.entries["gpt-oss-20b"]
    assert entry.sent_params == {"temperature": 0.2, "reasoning_effort": "high"}
    assert entry.usd == Price(0.5e-6, 2e-6)
    assert entry.metadata == {
        "size_gb": 12.1,
        "quant": "mxfp4",
        "thinking": True,
        "labels": ["rack"],
        "context": 32768,
    }
    assert file.entries["fast"].usd is None


def test_a_preset_file_tells_what_shapes_replies_and_no_path_or_key(tmp_path):
    file = read(tmp_path, PRESET, "preset.ini")
    assert file.entries["tiny-answer"].preset == {"temperature": "0.6", "ctx-size": "1024"}
    assert file.entries["other"].metadata == {"preset": {"temperature": "0.1"}}
    assert file.listed[0].names == ("tiny-answer", "tiny", "small")


CONTEXTS = {
    "c = 1024": ("1024", 1024),
    "ctx-size = 2048": ("2048", 2048),
    "ctx-size = 2048\nc = 1024": ("1024", 1024),
    "ctx-size = 0": ("0", None),
    "c = most": ("most", None),
    "c = -1": ("-1", None),
}


@pytest.mark.parametrize("text", CONTEXTS)
def test_the_context_of_a_preset_is_one_setting_whatever_it_is_called(tmp_path, text):
    told, context = CONTEXTS[text]
    entry = read(tmp_path, f"[m]\n{text}\n", "preset.ini").entries["m"]
    assert entry.preset == {"ctx-size": told}
    assert entry.context == context
    assert entry.metadata.get("context") == context


def test_what_stands_in_a_model_s_own_section_goes_over_what_holds_for_all(tmp_path):
    entry = read(tmp_path, "[*]\nctx-size = 4096\ntemp = 0.1\n[m]\nc = 1024\n", "preset.ini").entries["m"]
    assert (entry.preset, entry.context) == ({"ctx-size": "1024", "temperature": "0.1"}, 1024)


def test_no_file(tmp_path):
    assert ModelsFile.read(None).listed == []
    with pytest.raises(OptionError, match=r"cannot read models file .*nowhere\.toml"):
        ModelsFile.read(tmp_path / "nowhere.toml")


WRONG = {
    "[models": "is not valid TOML",
    "[model.x]\n": r'unexpected model. Write one table per model, such as \[models\."gpt-oss-20b"\]',
    "models = 3": "unexpected models. Write one table",
    "[models]\nx = 3": "model 'x' is not a table",
    "[models.x]\nbase_ulr = 'http://a'": "base_ulr: no such key; did you mean base_url?",
    "[models.x]\nslots = 0": "slots: Input should be greater than or equal to 1",
    "[models.x]\nslots = 'many'": "slots: Input should be a valid integer",
    "[models.x]\nslots = '4'": "slots: Input should be a valid integer",
    "[models.x]\nslots = true": "slots: Input should be a valid integer",
    "[models.x]\nthinking = 'yes'": "thinking: Input should be a valid boolean",
    "[models.x]\nsize_gb = inf": "size_gb: Input should be a finite number",
    "[models.x]\nparams = { temperature = nan }": "params: temperature=nan cannot be represented in JSON",
    "[models.x]\nparams = { seed = 2020-01-01 }": "params: seed=2020-01-01 cannot be represented in JSON",
    "[models.x]\nparams = { messages = [] }": "params: messages is not a sampling parameter",
    "[models.x]\npreset = { model = '/x' }": "preset: no such key",
    "[models.x]\nbase_url = 'ftp://a'": "model 'x': base_url: .*is not an HTTP URL",
    "[models.x]\nprice = { input_usd = 1 }": "price.*did you mean|price.input_usd_per_mtok: Field required",
    "[models.x]\nbase_url = 'http://A/v1/'\n[models.y]\nbase_url = 'http://a'\napi_key_env = 'K_K'": "Use one key",
    "[models.x]\nprice = { input_usd_per_mtok = 1 }": "price.output_usd_per_mtok: Field required",
    "[models.x]\nlitellm = 'a/b'\nbase_url = 'http://a'": "litellm chooses endpoint and key itself",
    "[models.x]\nbase_url = 'http://a'\napi_key_env = 'sk-abc123'": "never the key itself",
    "[models.x]\napi_key_env = 'MY_KEY'": "a key is sent to one server only",
    "[models.x]\nbase_url = 'http://a'\n[models.y]\nbase_url = 'http://a'\napi_key_env = 'K_K'": "one key per base_url",
}


@pytest.mark.parametrize("text", WRONG)
def test_what_is_wrong_is_named(tmp_path, text):
    with pytest.raises(OptionError, match=WRONG[text]) as caught:
        read(tmp_path, text)
    assert "llmbench.toml" in str(caught.value)
    assert "sk-abc123" not in str(caught.value)


def test_a_wrong_preset_file(tmp_path):
    with pytest.raises(OptionError, match=r"preset\.ini is not a valid preset file"):
        read(tmp_path, "[a\nb", "preset.ini")
