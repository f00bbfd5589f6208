"""Pillow learns to write HEIC, which the project only reads: by another program's encoder, so that reading is tested."""

from PIL import Image
from pillow_heif import as_plugin

Image.register_save("HEIF", as_plugin._save_heif)
