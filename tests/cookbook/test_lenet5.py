"""LeNet-5 has the parameters that follow from LeCun et al. 1998, table I and section II.B."""

from keras_recipes import build_lenet5

PARAMETERS = (
    (25 + 1) * 6 + (150 + 1) * 16 + (400 + 1) * 120 + (120 + 1) * 84 + (84 + 1) * 10
)  # fmt: skip


def test_the_papers_own_net_has_sixty_thousand_parameters() -> None:
    assert build_lenet5(variant="1998").count_params() == 60_000
