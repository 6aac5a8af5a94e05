"""The ending of an export's name, by format; an ending with a hyphen is a folder's."""

ENDINGS = {
    "json-h5": "-json-h5",
    "keras": ".keras",
    "saved-model": "-saved-model",
    "onnx": ".onnx",
    "litert": ".tflite",
}
