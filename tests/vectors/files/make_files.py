# SPDX-License-Identifier: MIT
"""Makes the sample files beside it, and expected.tsv, what other software says of them.

    pip install pillow mutagen; apt-get install ffmpeg (or FFMPEG=/path/to/ffmpeg)
    python make_files.py

Sounds are of a sine, pictures of one colour: the samples are about their containers.
"""

import io
import os
import re
import subprocess
from pathlib import Path

import mutagen
from PIL import Image

HERE = Path(__file__).parent
FFMPEG = os.environ.get("FFMPEG", "ffmpeg")
PICTURE = ["-f", "lavfi", "-i", "testsrc=size=64x36:rate=5:duration=2.4"]
SOUND = ["-f", "lavfi", "-i", "sine=frequency=440:duration=1.5"]
TAGS = ["-metadata", "title=Süße Träume 🎵", "-metadata", "artist=Æther & Co"]
H264 = ["-c:v", "libx264", "-preset", "veryslow", "-crf", "40", "-pix_fmt", "yuv420p"]
AAC = ["-c:a", "aac", "-b:a", "16k", "-ac", "1", "-shortest"]
EXACT = ["-fflags", "+bitexact", "-flags", "+bitexact"]

MADE = {
    "end.mp4": [*PICTURE, *SOUND, *H264, *AAC],
    "front.mp4": [*PICTURE, *SOUND, *H264, *AAC, "-movflags", "+faststart"],
    "silent.mp4": [*PICTURE, *H264],
    "fragments.mp4": [*PICTURE, *H264, "-movflags", "+frag_keyframe+empty_moov"],
    "clip.mov": [*PICTURE, *SOUND, *H264, *AAC],
    "tagged.m4a": [*SOUND, *AAC, *TAGS],
    "sound.mp4": [*SOUND, *AAC],
    "voice.ogg": [*SOUND, "-c:a", "libopus", "-b:a", "8k", *TAGS],
    "music.ogg": [*SOUND, "-c:a", "libvorbis", "-q:a", "0", *TAGS],
    "tagged.flac": [*SOUND, "-ar", "8000", *TAGS],
    "sound.wav": [*SOUND, "-ar", "8000", "-metadata", "title=not read"],
    "constant.mp3": [*SOUND, "-b:a", "32k", "-write_xing", "0", "-id3v2_version", "0"],
    "told.mp3": [*SOUND, "-q:a", "9", "-id3v2_version", "3", *TAGS],
    "old.mp3": [*SOUND, "-ar", "22050", "-q:a", "9", "-id3v2_version", "4", *TAGS],
    "ancient.mp3": [*SOUND, "-ar", "11025", "-b:a", "8k", "-write_xing", "0"],
}


def ffmpeg(*args, **kwargs):
    return subprocess.run([FFMPEG, "-hide_banner", *args], capture_output=True, **kwargs)


def make_sounds_and_films():
    for name, args in MADE.items():
        ffmpeg("-y", *args, *EXACT, str(HERE / name), check=True)
    # A matrix that turns it, as telephones write it.
    ffmpeg("-y", "-display_rotation", "90", "-i", str(HERE / "front.mp4"), "-c", "copy", *EXACT,
           str(HERE / "turned.mp4"), check=True)
    piped = ffmpeg(*SOUND, "-ar", "8000", *EXACT, "-f", "wav", "-", check=True).stdout
    (HERE / "piped.wav").write_bytes(piped)


def make_pictures():
    picture = Image.new("RGB", (33, 17), (200, 30, 60))
    picture.save(HERE / "plain.jpg", quality=30)
    picture.save(HERE / "progressive.jpg", quality=30, progressive=True, comment=b"c" * 3000)
    picture.save(HERE / "plain.png")
    picture.save(HERE / "plain.gif")
    picture.save(HERE / "lossy.webp", quality=30)
    picture.save(HERE / "lossless.webp", lossless=True)
    others = [Image.new("RGB", (33, 17), (i * 60, 0, 0)) for i in range(3)]
    picture.save(HERE / "animated.webp", save_all=True, append_images=others, quality=30)
    wide = Image.new("L", (2100, 100))
    wide.save(HERE / "wide.png", optimize=True)


def duration_of(path):
    """Of a film, in seconds, as ffmpeg says it; 0 where only the sum of its fragments does."""
    if path.name == "fragments.mp4":
        return 0
    text = ffmpeg("-i", str(path)).stderr.decode()
    found = re.search(r"Duration: (\d+):(\d+):([\d.]+)", text)
    return int(found[1]) * 3600 + int(found[2]) * 60 + float(found[3]) if found else 0


def size_of(path):
    """Of the picture that ffmpeg shows when it plays the film."""
    shown = ffmpeg("-i", str(path), "-frames:v", "1", "-f", "image2pipe", "-c:v", "png", "-",
                   check=True).stdout
    return Image.open(io.BytesIO(shown)).size


def facts(path):
    """width, height, duration, title, performer"""
    if path.suffix in (".jpg", ".png", ".gif", ".webp"):
        return *Image.open(path).size, 0, "", ""
    if path.suffix in (".mp4", ".mov") and path.name != "sound.mp4":
        return *size_of(path), duration_of(path), "", ""
    if path.suffix in (".wav",):
        return 0, 0, duration_of(path), "", ""
    tags = mutagen.File(path, easy=True)
    title, performer = (tags.get(key, [""])[0] if tags else "" for key in ("title", "artist"))
    return 0, 0, tags.info.length, title, performer


def main():
    make_sounds_and_films()
    make_pictures()
    rows = ["# file, width, height, duration, title, performer"]
    for path in sorted(HERE.iterdir()):
        if path.suffix not in (".py", ".tsv"):
            width, height, duration, title, performer = facts(path)
            rows.append(f"{path.name}\t{width}\t{height}\t{duration:.3f}\t{title}\t{performer}")
    (HERE / "expected.tsv").write_text("\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
