import pytest

from lstmbench import corpus
from lstmbench.records import ModelConfig, ModelFolder, Recipe, TrainConfig


@pytest.fixture(scope="session")
def table(tmp_path_factory):
    path = tmp_path_factory.mktemp("text") / "table.txt"
    path.write_text("".join(f"{n} times 3 is {3 * n}.\n" for n in range(1000)))
    return corpus.load(str(path))


@pytest.fixture(scope="session")
def planned(table):
    """What a tiny model is trained by: settings by name, those of the recipe too."""

    def planned(*, peephole="diagonal", layers=2, **settings):
        recipe = {name: settings.pop(name) for name in Recipe.__struct_fields__ if name in settings}
        usual = {"batch": 4, "time": 8, "steps": 12, "warmup_steps": 2, "validate_every": 4}
        training = TrainConfig(**usual | settings, **({"recipe": Recipe(**recipe)} if recipe else {}))
        sizes = {"input_size": 6, "hidden_size": 8, "num_layers": layers, "vocabulary_size": table.vocabulary.size}
        return ModelFolder(
            model=ModelConfig(head="lm", peephole=peephole, **sizes), training=training, corpus=table.info
        )

    return planned
