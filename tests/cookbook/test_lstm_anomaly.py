"""The LSTM net has the article's size."""

from keras_recipes import build_lstm_anomaly

PARAMETERS = 4 * 10 * (33 + 10 + 1) + (10 + 1) * 33


def test_the_articles_lstm_sees_one_number_and_has_peepholes() -> None:
    model = build_lstm_anomaly(cell="peephole", encoding="number", classes=33)
    assert model.get_layer("lstm").count_params() == 4 * 10 * (1 + 10 + 1) + 3 * 10
