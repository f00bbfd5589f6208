"""The page On your own device in a browser: what it computes, what it fetches, and whom it serves."""

import gzip
import io
import json
import re
import time
from dataclasses import replace

import cv2
import numpy as np
import psutil
import pytest
from PIL import Image
from playwright.sync_api import TimeoutError as WaitedTooLong
from visits import Visit

from arm_latency.browser_results import read_browser_result
from face_sets import detection
from face_sets.images import decode_image, encode_jpeg, encode_png, resize
from fer_utils.models.prediction import predict_tflite
from fer_utils.study import load_study
from rendered_faces.design import Design, plan_faces
from rendered_faces.portrait import render_face

pytestmark = [pytest.mark.results, pytest.mark.browser]

PAGE = "book/your_device.html"
FIRST_ANSWER_SECONDS = 5
FLOAT_TOLERANCE = 1e-5
INT8_STEP = 1 / 256  # a quantized softmax has 256 steps from 0 to 1 (TensorFlow Lite's 8-bit specification)
BOX_TOLERANCE = 1e-3  # of the face's width
CROP_TOLERANCE = 2  # levels of 255: OpenCV interpolates in steps of 1/32 pixel, the page exactly

# Playwright takes and brings long lists number by number; as JSON they are one text
FIND = """async (bytes) => {
  const { Detector } = await import("/device/detector.js");
  const { Model } = await import("/device/engine.js");
  const { cropFace } = await import("/device/crop.js");
  const { readPicture } = await import("/device/picture.js");
  const data = JSON.parse(document.getElementById("device-data").textContent);
  const picture = await readPicture(new File([new Uint8Array(JSON.parse(bytes))], "picture"));
  const model = await Model.load(data.detector.file);
  const [face] = await new Detector(model, data.detector).detect(picture);
  model.delete();
  return JSON.stringify({ face, width: picture.width, height: picture.height,
                          crop: [...cropFace(picture, face, data.models[0].imageSize, data.crop)] });
}"""
ANSWER = """async ([file, crops]) => {
  const { Model } = await import("/device/engine.js");
  const model = await Model.load(file);
  const answers = [];
  for (const crop of JSON.parse(crops)) answers.push([...(await model.run(Float32Array.from(crop)))[0]]);
  model.delete();
  return answers;
}"""


class Device(Visit):
    """The page, with every request that it made."""

    def __init__(self, window, origin, width=1280, scheme="light"):
        super().__init__(window, origin, width, scheme)
        self.asked = []
        self.page.on("request", lambda request: self.asked.append(request.url))

    def opened(self):
        self.open(PAGE)
        return self

    @property
    def heavy(self):
        return [url for url in self.asked if url.endswith(".gzip")]

    @property
    def data(self):
        return json.loads(self.page.text_content("#device-data"))

    def choose(self, content, name="picture.png"):
        file = {"name": name, "mimeType": "image/png", "buffer": content}
        self.page.get_by_label("Picture", exact=True).set_input_files(file)

    def says(self, words, id="device-status"):
        try:
            self.page.wait_for_function(
                "([id, words]) => document.getElementById(id).textContent.includes(words)", arg=[id, words]
            )
        except WaitedTooLong:
            pytest.fail(f"{words!r} is not said, but {self.page.text_content(f'#{id}')!r}")


@pytest.fixture
def device(window, origin):
    """The page, nothing loaded yet."""
    device = Device(window, origin).opened()
    yield device
    device.page.close()
    assert device.foreign == []  # whatever a test did


@pytest.fixture
def new_reader(browser, origin):
    """The page as a new reader finds it, in a browser that keeps nothing of an earlier visit."""
    device = Device(browser, origin)
    yield device
    device.page.close()
    assert device.foreign == []


@pytest.fixture(scope="module")
def modules(window, origin):
    """The page for tests that only call its modules, which keep nothing but the runtime."""
    device = Device(window, origin).opened()
    yield device
    device.page.close()
    assert device.foreign == []


@pytest.fixture(scope="module")
def portraits():
    """Seven synthetic portraits of 480 pixels, one an expression, in turn of each domain."""
    plan = plan_faces(Design())
    domains = plan["domain"].unique()
    rows = [
        plan[(plan["expression"] == expression) & (plan["domain"] == domains[k % len(domains)])].iloc[k]
        for k, expression in enumerate(plan["expression"].unique())
    ]
    return [render_face(row.to_dict(), 480) for row in rows]


def framed(portrait, height, width, left=0, top=0, side=None):
    """A portrait of `side` pixels somewhere on a grey picture."""
    picture = np.full((height, width, 3), 110, np.uint8)
    small = resize(portrait, side) if side else portrait
    picture[top : top + len(small), left : left + len(small)] = small
    return picture


def turned(portrait, degrees):
    middle = (portrait.shape[1] / 2, portrait.shape[0] / 2)
    matrix = cv2.getRotationMatrix2D(middle, degrees, 0.8)
    return cv2.warpAffine(portrait, matrix, portrait.shape[1::-1], borderMode=cv2.BORDER_REPLICATE)


def find(modules, content):
    """What the page's modules make of a picture's file."""
    return json.loads(modules.page.evaluate(FIND, json.dumps(list(content))))


def compare(found, picture, image_size):
    """The browser's face and crop against Python's of the same pixels."""
    ours = detection.largest_face(detection.FaceDetector().detect(picture))
    theirs = found["face"]
    for ends in ("x", "y", "width", "height"):
        assert theirs[ends] == pytest.approx(getattr(ours, ends), abs=BOX_TOLERANCE * ours.width)
    points = tuple(tuple(point) for point in theirs["keyPoints"])
    box = {name: theirs[name] for name in ("x", "y", "width", "height")}
    same_face = replace(ours, **box, key_points=points)
    crop = np.array(found["crop"]).reshape(image_size, image_size, 3)
    assert np.abs(crop - detection.crop_face(picture, same_face, image_size)).max() <= CROP_TOLERANCE
    return crop


def processor_seconds():
    """What the processes that this test started, Chromium's among them, have used so far."""
    times = (process.cpu_times() for process in psutil.Process().children(recursive=True))
    return sum(time.user + time.system for time in times)


def test_models_and_webassembly_are_fetched_on_a_tap_only(device, portraits):
    assert device.heavy == []
    assert device.complaints == []
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    assert len(device.heavy) == 3  # WebAssembly, the detector and one model


def test_the_record_stands_beside_the_answer_and_nothing_covers_the_bars(window, origin, portraits):
    device = Device(window, origin, 390).opened()
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    record = device.data["models"][0]["record"]
    words = f"named {record['neutral'][0]} of {record['neutral'][1]} neutral" if record else "is not known"
    assert words in device.page.inner_text("#device-record")
    options = device.page.locator("#device-model option").all_inner_texts()
    assert all(option.endswith(" MB)") for option in options)
    covered = device.page.eval_on_selector_all(
        "#device-bars tbody tr",
        """rows => rows.filter(row => {
          row.scrollIntoView({ block: "center" });
          const { left, right, top, bottom } = row.getBoundingClientRect(), y = (top + bottom) / 2;
          return [left + 2, (left + right) / 2, right - 2].some(x => !row.contains(document.elementFromPoint(x, y)));
        }).map(row => row.innerText)""",
    )
    assert covered == []
    assert device.complaints == []
    device.page.close()


FIRST_ANSWER_BYTES = 6_000_000


def test_the_first_answer_downloads_little(new_reader, portraits):
    device, sizes = new_reader, []
    device.page.on("response", lambda response: sizes.append(response))
    device.opened()
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    ours = [response for response in sizes if "/device/" in response.url and response.ok]
    total = sum(int(response.headers.get("content-length", 0)) for response in ours)
    print(f"first answer after {total / 1e6:.1f} MB")
    assert device.data["models"][0]["bytes"] < total < FIRST_ANSWER_BYTES


def test_the_first_answer_comes_within_its_time(new_reader, portraits):
    """By the clock or, where other work shares the machine, by the processor seconds that Chromium took."""
    device = new_reader.opened()
    device.choose(b"no picture")  # the page's own modules are awake
    device.says("cannot be read")
    start, used = time.perf_counter(), processor_seconds()
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    spent, used = time.perf_counter() - start, processor_seconds() - used
    print(
        f"first answer after {spent:.1f} s ({used:.1f} s of processors); {device.page.inner_text('#device-time')}"
    )
    assert min(spent, used) < FIRST_ANSWER_SECONDS
    shares = device.page.locator("#device-bars td.number").all_inner_texts()
    assert len(shares) == 7
    assert sum(float(share.split()[0]) for share in shares) == pytest.approx(100, abs=0.5)


def test_bars_are_as_long_as_the_probabilities_are_large(device, portraits):
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    shares = device.page.locator("#device-bars td.number").all_inner_texts()
    shares = [float(share.split()[0]) / 100 for share in shares]
    drawn = device.page.eval_on_selector_all(
        ".device-bar", "bars => bars.map(bar => bar.clientWidth / bar.parentElement.clientWidth)"
    )
    assert max(shares) > 1.5 / 7, "nothing to see: the model prefers no expression"
    assert drawn == pytest.approx(shares, abs=0.02)  # the least is a pixel wide, to be seen


def test_models_answer_as_pythons_interpreter_does(modules, portraits, html, tmp_path):
    for model in modules.data["models"]:
        crops = np.stack([resize(portrait, model["imageSize"]) for portrait in portraits])
        given = [crop.ravel().tolist() for crop in crops]
        theirs = np.array(modules.page.evaluate(ANSWER, [model["file"], json.dumps(given)]))
        packed = html / "device" / "models" / f"{model['file']}.gzip"
        file = tmp_path / model["file"]
        file.write_bytes(gzip.decompress(packed.read_bytes()))
        ours = predict_tflite(file, crops)
        largest = np.abs(ours - theirs).max()
        print(f"{model['label']}: largest difference {largest:.1e}")
        if "int8" in model["runId"]:
            assert largest <= INT8_STEP * 1.001
            np.testing.assert_array_equal(ours.argmax(1), theirs.argmax(1))
        else:
            assert largest <= FLOAT_TOLERANCE


PICTURES = {
    "as drawn": lambda p: p[0],
    "another domain": lambda p: p[1],
    "a third": lambda p: p[2],
    "small, made larger for the detector": lambda p: resize(p[3], 100),
    "wide": lambda p: framed(p[4], 500, 901, left=333, top=11),
    "tall, odd sides": lambda p: framed(p[5], 777, 501, left=7, top=201),
    "head tilted": lambda p: turned(p[6], 25),
    "cut off by the border": lambda p: p[0][:, 120:],
    "two people, the nearer counts": lambda p: np.hstack(
        [framed(p[1], 480, 300, top=100, side=240), p[2]]
    ),
}  # fmt: skip


@pytest.mark.parametrize("picture", PICTURES)
def test_face_and_crop_are_pythons(modules, portraits, picture):
    picture = np.ascontiguousarray(PICTURES[picture](portraits))
    compare(
        find(modules, encode_png(picture)),
        picture,
        modules.data["models"][0]["imageSize"],
    )


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photograph_is_turned_upright_by_its_exif(modules, portraits, orientation):
    back = {1: 0, 3: 2, 6: 1, 8: 3}[orientation]  # quarter turns that the tag undoes
    stored = np.rot90(framed(portraits[0], 500, 620, left=50, top=10), back)
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(stored).save(buffer, "JPEG", quality=95, exif=exif)
    found = find(modules, buffer.getvalue())
    assert (found["width"], found["height"]) == (620, 500)
    compare(found, decode_image(buffer.getvalue()), modules.data["models"][0]["imageSize"])


def test_what_cannot_be_read_and_what_has_no_face_is_said(device):
    device.choose(b"no picture", "letter.png")
    device.says("letter.png cannot be read as a picture")
    device.choose(encode_png(np.full((200, 300, 3), 120, np.uint8)))
    device.says("No face was found")
    assert device.page.locator("#device-answer").is_hidden()


def test_another_model_reads_the_same_picture_again(device, portraits):
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    fetched, before = len(device.heavy), device.page.inner_text("#device-bars")
    device.page.get_by_label("Model", exact=True).select_option(index=2)
    device.page.wait_for_function(
        "before => document.getElementById('device-bars').innerText !== before", arg=before
    )
    assert len(device.heavy) == fetched + 1


def test_a_model_that_is_gone_is_said_and_can_be_had_later(device, portraits):
    device.page.route("**/*.tflite.gzip", lambda route: route.fulfill(status=404))
    device.choose(encode_png(portraits[0]))
    device.says("is not there (HTTP 404)")
    device.page.unroute("**/*.tflite.gzip")
    device.choose(encode_png(portraits[0]), "again.png")
    device.says("first choice")


def test_a_model_that_loads_late_does_not_answer_in_another_s_place(device, portraits):
    """The time below the bars changes once for each answer that is shown."""
    device.page.evaluate("""() => {
      globalThis.shown = 0;
      const watch = { childList: true };
      new MutationObserver(() => globalThis.shown += 1).observe(document.getElementById("device-time"), watch);
    }""")
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    held = []
    device.page.route("**/*.tflite.gzip", lambda route: held.append(route))
    models = device.page.get_by_label("Model", exact=True)
    with device.page.expect_request("**/*.tflite.gzip"):
        models.select_option(index=1)
    models.select_option(index=0)
    device.says("first choice")
    assert device.page.evaluate("shown") == 2
    held.pop().continue_()
    models.select_option(index=1)
    device.says("first choice")
    device.choose(encode_png(np.full((200, 300, 3), 120, np.uint8)))
    device.says("No face was found")
    assert device.page.evaluate("shown") == 3


def test_keyboard_alone_measures_and_the_result_can_be_added(device, tmp_path):
    page = device.page
    page.get_by_label("Name of this device").focus()
    page.keyboard.type("Test <b>bench | 2")  # the book shows names: none may hold markup
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "device-measure"
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Stop measuring").wait_for()
    device.says("Done", "device-measured")
    assert page.evaluate("document.activeElement.id") == "device-measure"
    for stop in ("device-seconds", "device-sustain"):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.id") == stop
    page.keyboard.press("Tab")
    if page.evaluate("Boolean(document.activeElement.querySelector('#device-times'))"):
        page.keyboard.press("Tab")  # a region is a stop where it scrolls
    for place, stop in enumerate(("device-json", "device-copy", "device-save")):
        if place:
            page.keyboard.press("Tab")
        assert page.evaluate("id => Boolean(document.activeElement.closest(`#${id}`)"
                             " || document.activeElement.querySelector(`#${id}`))", stop)  # fmt: skip
    with page.expect_download() as download:
        page.keyboard.press("Enter")
    file = tmp_path / download.value.suggested_filename
    download.value.save_as(file)
    result = read_browser_result(file)
    assert result.device_name == "Test bbench  2"
    of_this_run = [model["runId"] for model in device.data["models"] if model["ofThisRun"]]
    assert [model.run_id for model in result.models] == of_this_run
    assert {len(model.times_ms) for model in result.models} == {load_study("quick").timed_runs}
    assert json.loads(page.get_by_label("The result, for a file").input_value()) == json.loads(
        file.read_text()
    )


def test_a_sustained_run_compares_its_ends_and_can_be_stopped(device):
    page = device.page
    page.get_by_label("Seconds").fill("3")  # a reader's arrows end at 5; what is told is the same
    button = page.get_by_role("button", name="Sustained run")
    button.press("Enter")
    device.says("in the last", "device-measured")
    told = page.inner_text("#device-measured")
    assert re.search(
        r"\d+ runs in 3 seconds: median [\d.]+ ms in the first fifth and [\d.]+ ms in the last", told
    )
    button.press("Enter")
    page.get_by_role("button", name="Stop measuring").press("Enter")
    device.says("Stopped", "device-measured")


SOFTWARE_GPU = ("--enable-unsafe-webgpu", "--enable-unsafe-swiftshader", "--use-webgpu-adapter=swiftshader")


def briefly(route):
    """The page, made to run its smallest float model once: that it keeps to the study's is the keyboard's test above."""
    answer = route.fetch()
    start, data, end = re.split(r'(?<=id="device-data">)(.*?)(?=</script>)', answer.text(), flags=re.DOTALL)
    data = json.loads(data)
    floats = [model for model in data["models"] if model["ofThisRun"] and "float" in model["label"]]
    models = [min(floats, key=lambda model: model["bytes"])]
    assert {"warmUps", "runs"} <= data.keys(), "the page does not say how often it runs"
    data |= {"models": models, "warmUps": 1, "runs": 1}
    route.fulfill(response=answer, body=start + json.dumps(data) + end)


@pytest.mark.system
def test_models_are_timed_on_a_gpu_where_there_is_one(launched, origin):
    """By Chromium's software GPU: as slow as it is, it is a WebGPU adapter."""
    device = Device(launched(*SOFTWARE_GPU), origin)
    page = device.page
    page.route(f"**/{PAGE}", briefly)
    device.opened()
    page.set_default_timeout(120_000)
    page.get_by_role("button", name="Measure this device").click()
    device.says("Done", "device-measured")
    cells = page.locator("#device-times tbody tr").filter(has_text="float").locator("td:last-child")
    times = cells.all_inner_texts()
    device.page.close()
    assert len(times) == 1
    assert re.fullmatch(r"[\d.]+", times[0])


def test_keyboard_opens_the_choice_of_a_picture_and_measuring_can_be_stopped(device, portraits):
    page = device.page
    page.on("filechooser", lambda _: None)  # Chromium needs a moment to be told; a key may come first
    page.get_by_label("Model", exact=True).focus()
    page.keyboard.press("Tab")
    with page.expect_file_chooser() as chooser:
        page.keyboard.press("Enter")
    chooser.value.set_files({"name": "a.png", "mimeType": "image/png", "buffer": encode_png(portraits[0])})
    device.says("first choice")
    page.get_by_role("button", name="Measure this device").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    device.says("Stopped", "device-measured")
    assert page.locator("#device-result").is_hidden()


def test_what_changes_is_told_to_screen_readers_and_every_control_has_a_name(device, portraits):
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    page = device.page
    assert page.get_by_role("status").filter(has_text="first choice").count() == 1
    assert page.get_by_role("row").filter(has_text="happiness").count() == 1
    assert page.get_by_role("img", name="The face as the model sees it").is_visible()
    nameless = page.eval_on_selector_all(
        ".device-part :is(button, input, select, textarea, progress, a)",
        "all => all.filter(e => !(e.labels && e.labels.length) && !e.ariaLabel && !e.textContent.trim()).map(e => e.id)",
    )
    assert nameless == []


def test_a_phones_screen_holds_answer_and_times(window, origin, portraits):
    device = Device(window, origin, 360).opened()
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    device.page.get_by_role("button", name="Measure this device").click()
    device.says("Done", "device-measured")
    for scheme in ("light", "dark"):
        device.page.emulate_media(color_scheme=scheme)
        device.page.wait_for_function(
            "scheme => document.documentElement.dataset.theme === scheme", arg=scheme
        )
        assert device.page.evaluate("document.documentElement.scrollWidth") == 360
    device.page.close()


def test_the_camera_is_shown_mirrored_and_read(launched, origin, portraits, tmp_path):
    film = tmp_path / "face.mjpeg"
    film.write_bytes(encode_jpeg(framed(portraits[0], 480, 640, left=80), 95) * 10)
    camera = ("--use-fake-ui-for-media-stream", "--use-fake-device-for-media-stream",
              f"--use-file-for-fake-video-capture={film}")  # fmt: skip
    device = Device(launched(*camera), origin).opened()
    device.page.get_by_role("button", name="Use the camera").press("Enter")
    device.says("first choice")
    video = device.page.locator("#device-video")
    assert video.is_visible()
    assert video.evaluate("v => new DOMMatrix(getComputedStyle(v).transform).a") == -1
    device.page.get_by_role("button", name="Stop the camera").click()
    device.says("The camera is off")
    assert video.is_hidden()
    assert video.evaluate("v => v.srcObject") is None
    assert device.foreign == []
    device.page.close()


def test_a_refused_camera_is_said(window, origin):
    device = Device(window, origin).opened()  # without a grant, headless Chromium refuses
    device.page.get_by_role("button", name="Use the camera").click()
    device.says("choose a picture")
    assert device.page.get_by_role("button", name="Use the camera").is_visible()
    device.page.close()


MISSING = {
    "delete window.WebAssembly": "lacks WebAssembly",
    "WebAssembly.validate = () => false": "SIMD",
    "HTMLScriptElement.supports = () => false": "import maps",
    "delete window.DecompressionStream": "decompression streams",
}


@pytest.mark.parametrize("spoil", MISSING)
def test_an_old_browser_shows_what_it_lacks(window, origin, spoil):
    device = Device(window, origin)
    device.page.add_init_script(spoil)
    device.opened()
    assert MISSING[spoil] in device.page.inner_text("#device-note")
    assert device.page.locator(".device-part").first.is_hidden()
    device.page.close()


def test_without_https_the_camera_is_off_and_a_picture_can_be_chosen(window, origin, portraits):
    device = Device(window, origin)
    device.page.add_init_script("Object.defineProperty(navigator, 'mediaDevices', { value: undefined })")
    device.opened()
    device.says("HTTPS")
    assert device.page.get_by_role("button", name="Use the camera").is_disabled()
    device.choose(encode_png(portraits[0]))
    device.says("first choice")
    device.page.close()


def test_opened_from_the_disk_it_says_what_to_do(window, html):
    page = window.new_page()
    page.goto((html / PAGE).resolve().as_uri())
    assert "make serve" in page.inner_text("#device-note")
    assert page.locator(".device-part").first.is_hidden()
    page.close()
