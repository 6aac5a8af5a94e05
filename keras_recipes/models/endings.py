"""What the names of exports end in, by format; those with a hyphen are folders."""

ENDINGS = {
    "json-h5": "-json-h5",
    "keras": ".keras",
    "saved-model": "-saved-model",
    "onnx": ".onnx",
    "litert": ".tflite",
}
