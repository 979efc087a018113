"""What runs a model: ONNX Runtime, OpenVINO or PyTorch."""
