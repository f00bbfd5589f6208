"""Made-up copies of the sets of children and of your own pictures, in their owners' layouts, oddities included."""

from collections.abc import Callable
from pathlib import Path

from made_up import truncate, write_face, write_noise, write_table, write_text
from made_up_videos import write_video

SIZE = 96


def write_faces(folder: Path, *names: str, age: float = 6.0) -> None:
    """Write a synthetic face for each name, another person each."""
    for seed, name in enumerate(names):
        write_face(folder / name, seed, SIZE, age=age)


RAFD_EXPRESSIONS = ("angry", "contemptuous", "disgusted", "fearful", "happy", "neutral", "sad", "surprised")


def write_rafd(folder: Path) -> None:
    """Adults and a child in one folder; all cameras and gazes; a misnamed file, a second copy."""
    names = [f"Rafd090_28_Caucasian_male_{word}_frontal.jpg" for word in RAFD_EXPRESSIONS]
    names += [f"Rafd090_61_Kid_female_{word}_left.jpg" for word in ("happy", "sad", "contemptuous")]
    names += [f"Rafd{angle}_61_Kid_female_angry_frontal.jpg" for angle in ("000", "045", "135", "180")]
    names += [
        "Rafd090_29_Moroccan_male_fearful_right.jpg",
        "copy/rafd090_28_caucasian_male_angry_frontal.JPG",
    ]
    names += ["Rafd090_28_Caucasian_male_angry.jpg", "Rafd090_28_Caucasian_male_bored_frontal.jpg"]
    write_faces(folder, *names)
    write_text(folder / "README.txt", "RaFD")


def write_nimh_chefs(folder: Path) -> None:
    """Letters that mean two things; names of many hands; one picture under two names, one under another's."""
    good = ["Afraid_averted/F10FA_4434.jpg", "Angry_averted/F10AA_4464.jpg", "Angry_direct/F10AS_4451.jpg"]
    good += ["Happy_direct/M2HS_4493.jpg", "Neutral_direct/M2NS_4477.jpg", "Sad_direct/F1SS_3365.jpg"]
    good += [
        "Afraid_averted/M2FA_4644.jpg",
        "Afraid_averted/M6_1FA_5445.jpg",
        "Afraid_direct/M10_4FS_6817.jpg",
    ]
    good += ["Afraid_averted/M10_FA_6823.jpg", "Sad_averted/M3-2SA_4764.jpg", "Happy_averted/F1H2A_3338.jpg"]
    odd = ["Afraid_averted/DSC_4644.JPG", "Afraid_averted/F6_2FA_5449.jpg", "Afraid_averted/M6FA__5449.jpg"]
    odd += [
        "Sad_averted/M3SA_4764.jpg",
        "Sad_direct/F2HS_3448.jpg",
        "Bored_direct/F2NS_3439.jpg",
        "F2NS_3439.jpg",
    ]
    write_faces(folder, *good, *odd)


def write_ddcf(folder: Path) -> None:
    """Spaces, suffixes, front and Front; all angles; Pleased; edited folders; a second copy; an adult."""
    girl = "40females/S105"
    words = ("Afraid", "Angry", "Disgusted", "Happy", "Neutral", "Pleased", "Sad", "Surprised")
    names = [f"{girl}/S105_9yoF_{word}_front_41{number}.JPG" for number, word in enumerate(words, 60)]
    names += [
        f"{girl}/S105_9yoF_Afraid_{angle}_4176.JPG" for angle in ("far left", "far right", "left", "right")
    ]
    names += ["40males/S04/S04_13yoM_Afraid_far left 1.jpg", "40males/S04/S04_13yoM_Afraid_Front 1.jpg"]
    names += ["40males/S04/S04_13yoM_happy_left 2.jpg", "40females/S111/S111_13yoF_Afraid_front1.JPG"]
    names += [
        "40females/S105/edited/S105_9yoF_Sad_front_4166.JPG",
        "40males/Edited Photos/S04_13yoM_Sad_front 1.jpg",
    ]
    names += ["Afraid/S105_9yoF_Afraid_front_4160.JPG", "40males/S04/S04_31yoM_Sad_front 1.jpg"]
    names += ["40males/S04/IMG_0001.jpg"]
    write_faces(folder, *names)


def write_childefes(folder: Path) -> None:
    """Photographs and clips, posed and induced; a Portuguese name, two expressions, two children, a broken clip."""
    names = ["photos/induced/Happiness/child012_03.jpg", "photos/posed/contempt/child012_04.jpg"]
    names += ["photos/posed/p7_anger_01.png", "photos/induced/neutrality/0044.jpg"]
    names += ["photos/posed/alegria/child012_05.jpg", "photos/posed/fear/child012_surprise.jpg"]
    names += ["photos/posed/fear/child012_child013.jpg", "photos/fear/child9/fear_1.jpg"]
    write_faces(folder, *names)
    write_video(folder / "videos/induced/disgust/child012.mp4", frames=20)
    truncate(write_video(folder / "videos/induced/sadness/child012.mp4"), 0.3)


def write_liris_cse(folder: Path, separator: str = ";") -> None:
    """Clips by child and emotion; two labels, misspelt ones, a damaged and an empty one; the children's table."""
    for number, name in enumerate(("S10_surprise_5", "S10_fear", "S8_suprise", "S11_Disgust_1", "S1_happy")):
        write_video(folder / "videos_208" / f"{name}.mp4", frames=(30, 4, 20, 60, 1)[number], seed=number)
    for name in ("S11_fear_surprise", "S7_Happy_surprise", "S2_bored", "clip 3"):
        write_video(folder / "videos_208" / f"{name}.mp4", frames=3)
    truncate(write_video(folder / "videos_208" / "S4_sad.mp4"), 0.4)
    (folder / "videos_208" / "S4_anger.mp4").write_bytes(b"")
    people = [("S1", "M", 6), ("S8", "F", 9), ("S10", "F", 7), ("S11", "F", 8)]
    write_table(folder / "summaryParticipansts.csv", people, ("Sr. No", "Sex", "Age"), separator)


GUESSWHAT_HEADER = ("file", "label", "child_id", "start_ms", "end_ms", "age_years", "sex")


def write_guesswhat(folder: Path) -> None:
    """Clips and single frames; a stretch of a clip; a blurred half; contradictions, absent and hostile files."""
    write_video(folder / "clips" / "a.mp4", frames=40, rate=10, size=(320, 240))
    write_video(folder / "clips" / "b.mp4", frames=20, rate=10, size=(320, 240), blurred=range(10), seed=2)
    write_video(folder / "clips" / "long.mp4", frames=300, rate=10, size=(96, 72), seed=3)
    truncate(write_video(folder / "clips" / "cut.mp4"), 0.4)
    write_face(folder / "frames" / "one.png", 5, 128, age=6.0)
    write_noise(folder / "frames" / "notes.txt", 1)
    rows = [
        ("clips/a.mp4", "Happy", "c1", 0, 2000, 5, "F"), ("clips\\a.mp4", "fear", "c1", 2000, 3000, 5, "F"),
        ("clips/b.mp4", "sad", "c2", "", "", "", ""), ("clips/long.mp4", "neutral", "c3", "", "", 7.5, "m"),
        ("frames/one.png", "disgust", "c3", "", "", "", ""), ("clips/cut.mp4", "sad", "c4", "", "", "", ""),
        ("clips/absent.mp4", "sad", "c4", "", "", "", ""), ("../outside.mp4", "sad", "c4", "", "", "", ""),
        ("frames/notes.txt", "sad", "c4", "", "", "", ""), ("clips/a.mp4", "", "c1", "", "", "", ""),
        ("clips/a.mp4", "anger", "c1", 3500, 3200, "", ""), ("clips/a.mp4", "anger", "c1", 9000, 9500, "", ""),
        ("clips/a.mp4", "anger", "c1", "soon", "", "", ""), ("frames/one.png", "disgust", "c3", "", "", 300, ""),
        ("clips/a.mp4", "bored", "c1", 3000, 3400, "", ""),
    ]  # fmt: skip
    write_table(folder / "labels.csv", rows, GUESSWHAT_HEADER)


CAFE_WORDS = (
    "angry",
    "angryopen",
    "disgust",
    "disgustopen",
    "disgusttongue",
    "fearful",
    "fearfulopen",
    "happy",
)
CAFE_WORDS += ("happyopen", "neutral", "neutralopen", "sad", "sadopen", "surprise")


def write_cafe(folder: Path) -> None:
    """Databrary's layout: every word, every group, one number in two groups, names that do not fit, a table."""
    session = folder / "sessions" / "6401"
    write_faces(session, *(f"{10541 + n}-{word}_F-EA-14.jpg" for n, word in enumerate(CAFE_WORDS)))
    groups = ("AA", "AS", "EA", "LA", "PI", "SA")
    write_faces(
        folder / "sessions", *(f"64{n}/2{n}-happy_M-{group}-14.jpg" for n, group in enumerate(groups))
    )
    write_faces(session, "10600-bored_F-EA-14.jpg", "poster.jpg", "10602-happy.jpg")
    write_text(folder / "sessions" / "6400" / "CAFE-norms.csv", "file_name,emotion,subfolder\n")


def write_cafe_older(folder: Path) -> None:
    """An older copy: names that begin with the expression; open mouths in a folder; some name the child."""
    names = [
        "angry_F-AA-01.jpg",
        "disgusted F-AA-01.jpg",
        "fear1.jpg",
        "Happiness_M-SA-02.JPG",
        "neutral_M-SA-02_2.jpg",
    ]
    names += [
        "sadness-F-LA-03.jpg",
        "surprised_F-LA-03.jpg",
        "mouth_open/angry_F-AA-01.jpg",
        "mouth_open/sad2.jpg",
    ]
    names += ["portrait_F-AA-01.jpg", "ha.jpg"]
    write_faces(folder, *names)


def write_own(folder: Path) -> None:
    """Folders of expressions, nouns and adjectives; one of another name; a picture in none."""
    write_faces(
        folder, "happiness/a.jpg", "Happy/deep/b.PNG", "sad/c.jpg", "holidays/d.jpg", "e.jpg", age=30.0
    )
    write_text(folder / "happiness" / "notes.txt", "x")


OWN_HEADER = ("File", "Expression", "Subject", "Age years", "sex", "ethnicity", "mouth")


def write_own_table(folder: Path, separator: str = ",") -> None:
    """A table of pictures, as a spreadsheet saves it; bad ages, sexes, doubled, absent and hostile files."""
    write_faces(folder, *(f"pictures/{n}.jpg" for n in range(9)))
    rows = [
        ("pictures/0.jpg", "happiness", "anna", 7, "F", "Latino", "open"),
        ("pictures\\1.jpg", "Angry", "anna", 17.99, "female", "", "Closed"),
        ("pictures/2.jpg", "neutral", "bo", 18, "m", "", ""), ("pictures/3.jpg", "fear", "", "", "", "", ""),
        ("pictures/4.jpg", "fear", "", "old", "", "", ""), ("pictures/5.jpg", "fear", "", "", "x", "", ""),
        ("pictures/6.jpg", "fear", "", "", "", "", "wide"), ("pictures/7.jpg", "smug", "", "", "", "", ""),
        ("pictures/8.jpg", "fear", "", "", "", "", ""), ("pictures/8.jpg", "anger", "", "", "", "", ""),
        ("absent.jpg", "fear", "", "", "", "", ""),
        ("/etc/passwd", "fear", "", "", "", "", ""), ("../x.jpg", "fear", "", "", "", "", ""),
        ("", "fear", "", "", "", "", ""), ("pictures/3.jpg", "fear", "", "", "", "", ""),
    ]  # fmt: skip
    write_table(folder / "my labels.csv", rows, OWN_HEADER, separator, newline="\r\n", encoding="utf-8-sig")


LAYOUTS: dict[str, Callable[[Path], None]] = {
    "rafd": write_rafd,
    "nimh_chefs": write_nimh_chefs,
    "ddcf": write_ddcf,
    "childefes": write_childefes,
    "liris_cse": write_liris_cse,
    "guesswhat": write_guesswhat,
    "cafe": write_cafe,
    "own": write_own,
}
"""The writer of each set, by its name."""
