"""What task authors import."""

import pytest

import pytest_llmbench


@pytest.mark.parametrize("name", pytest_llmbench.__all__)
def test_public_names_are_there_and_documented(name):
    assert getattr(pytest_llmbench, name).__doc__


def test_unknown_names_are_told_and_the_version_is_known():
    with pytest.raises(AttributeError, match="Limit'"):
        _ = pytest_llmbench.Limit
    assert pytest_llmbench.__version__
    assert set(pytest_llmbench.__all__) <= set(dir(pytest_llmbench))
