"""A base in a file that another program wrote, ONNX or OpenVINO: frozen, and used without that program."""

FILES = {".onnx": "an ONNX file", ".xml": "an OpenVINO file"}  # their endings
